//! Access: users, passwords, rights, encryption.

use super::{Quantity, Remedy, Rule, Ruling, Severity, Subject};
use crate::results::{Proof, ServiceLogin, UserRights, is_encrypted};

/// Bits below which a password can be guessed from its hash, which the server keeps as one round of SHA-256: at 10^11
/// guesses a second, 2^64 take six years on one machine and weeks on a hundred.
const WEAK_BITS: f64 = 64.0;

/// Bits below which guessing at the server itself, at 10^5 attempts a second, takes months; from its hash, a second.
const GUESSED_BITS: f64 = 40.0;

/// Rules of categories that hold the dangerous commands.
const BROAD: [&str; 3] = ["+@all", "+@dangerous", "+@admin"];

/// The user of all who do not say who they are.
const DEFAULT: &str = "default";

/// Versions since which channels have rules of their own, and protected mode heeds an explicit `bind`.
const CHANNEL_RULES: (u32, u32) = (6, 2);
const PROTECTS_WHEN_BOUND: (u32, u32) = (7, 0);

pub(super) fn rulings(subject: &Subject<'_>) -> Vec<Ruling> {
    let mut rulings = Vec::new();
    rulings.extend(default_user(subject));
    rulings.extend(other_users(subject));
    let logins = &subject.inspection.logins;
    rulings.extend(logins.iter().map(service_login));
    rulings.extend(logins.iter().filter_map(|login| password_strength(subject, login)));
    let served = || logins.iter().filter(|login| !login.services.is_empty());
    rulings.extend(served().map(|login| least_privilege(subject, login)));
    rulings.extend(served().map(|login| dangerous_commands(subject, login)));
    rulings.push(encryption(subject));
    rulings.extend(protected_mode(subject));
    rulings
}

impl<'a> Subject<'a> {
    fn user(&self, name: &str) -> Option<&'a UserRights> {
        self.inspection.users.iter().find(|user| user.name == name)
    }

    /// Whether the default user may log in without a password, as far as that is known.
    fn default_is_open(&self) -> Option<bool> {
        if let Some(user) = self.user(DEFAULT) {
            return Some(user.enabled && user.no_password);
        }
        // A login as the default user, without a password, shows what the list would say.
        let in_by_default =
            self.inspection.logins.iter().any(|login| login.user == DEFAULT && login.password.is_none());
        (in_by_default && !self.inspection.info.is_empty()).then_some(true)
    }

    /// Whether protected mode turns strangers away while the default user is open.
    fn protects(&self) -> Option<bool> {
        let bound = self.setting("bind").is_some_and(|bind| !bind.trim().is_empty());
        let heeds = self.version().is_none_or(|version| version >= PROTECTS_WHEN_BOUND) || !bound;
        Some(self.is_on("protected-mode")? && heeds)
    }

    /// How serious an open door is: on the server's own machine only those who are on it can come through.
    fn exposed(&self) -> Severity {
        let shut = self.is_local() || self.protects() == Some(true);
        if shut { Severity::Warning } else { Severity::Critical }
    }

    /// Whether the user could still change users and settings if neither the default user nor the services could.
    fn has_operator(&self) -> bool {
        let serves = |user: &UserRights| self.inspection.logins.iter().any(|login| login.user == user.name);
        let operates = |user: &UserRights| {
            let mut rules = user.commands.split_whitespace();
            user.enabled && user.name != DEFAULT && rules.any(|rule| BROAD.contains(&rule) || rule == "+acl")
        };
        self.inspection.users.iter().any(|user| operates(user) && !serves(user))
    }

    /// What takes rights from a user: with an operator made first where there would be none, and kept beyond a restart.
    fn without_lockout(&self, ruling: Ruling, line: String) -> Ruling {
        let ruling = if self.has_operator() {
            ruling
        } else {
            ruling.remedy(Remedy::Command("ACL SETUSER operator on >NEW-PASSWORD ~* &* +@all".to_owned()))
        };
        let kept =
            if self.setting("aclfile").is_some_and(|file| !file.is_empty()) { "ACL SAVE" } else { "CONFIG REWRITE" };
        ruling.remedy(Remedy::Command(line)).remedy(Remedy::Command(kept.to_owned()))
    }
}

fn default_user(subject: &Subject<'_>) -> Option<Ruling> {
    const RULE: Rule = Rule::DefaultUser;
    let Some(user) = subject.user(DEFAULT) else {
        let open = subject.default_is_open()?;
        return open.then(|| {
            let ruling = Ruling::new(RULE, subject.exposed()).with("log-in", "as default, without a password");
            subject.without_lockout(ruling, "ACL SETUSER default off".to_owned())
        });
    };
    let severity = match user {
        UserRights { enabled: false, .. } => Severity::Passed,
        UserRights { no_password: true, .. } => subject.exposed(),
        _ => Severity::Note,
    };
    let password = match (user.no_password, user.passwords) {
        (true, _) => "no password needed".to_owned(),
        (false, 1) => "one password".to_owned(),
        (false, count) => format!("{count} passwords"),
    };
    let state = if user.enabled { "on" } else { "off" };
    let ruling = Ruling::new(RULE, severity)
        .with("user default", format!("{state}, {password}, {}", user.commands))
        .with_known("bind", subject.setting("bind"))
        .with_known("protected-mode", subject.setting("protected-mode"));
    Some(subject.without_lockout(ruling, "ACL SETUSER default off".to_owned()))
}

/// Other users than the default one without, or with a common, password.
fn other_users(subject: &Subject<'_>) -> Option<Ruling> {
    let others: Vec<_> = subject.inspection.users.iter().filter(|user| user.name != DEFAULT && user.enabled).collect();
    if subject.inspection.users.is_empty() {
        return None;
    }
    let open: Vec<_> = others.iter().filter(|user| user.no_password || user.common_password).collect();
    let severity = match open.as_slice() {
        [] => Severity::Passed,
        _ if subject.is_local() => Severity::Warning,
        _ => Severity::Critical,
    };
    let named = |user: &&&UserRights| {
        let how = if user.no_password { "no password needed" } else { "a common password" };
        format!("{} ({how}, {})", user.name, user.commands)
    };
    let ruling =
        Ruling::new(Rule::OtherUsers, severity).with("users that can log in", Quantity::Count(others.len() as u64));
    let users = open.iter().map(named).collect::<Vec<_>>().join(", ");
    let ruling = ruling.with_known("without or with a common password", (!users.is_empty()).then_some(users));
    let ruling = ruling.remedy(Remedy::Command("ACL GENPASS".to_owned()));
    Some(open.iter().fold(ruling, |ruling, user| {
        ruling.remedy(Remedy::Command(format!("ACL SETUSER {} resetpass >NEW-PASSWORD", user.name)))
    }))
}

fn service_login(login: &ServiceLogin) -> Ruling {
    let severity = if login.refused.is_some() { Severity::Critical } else { Severity::Passed };
    let services: Vec<_> = login.services.iter().map(|of| of.service.as_str()).collect();
    Ruling::new(Rule::ServiceLogin, severity)
        .about(login.user.clone())
        .with_known("services", (!services.is_empty()).then(|| services.join(", ")))
        .with_known("the server said", login.refused.clone())
        .remedy(Remedy::Command(format!("ACL GETUSER {}", login.user)))
}

fn password_strength(subject: &Subject<'_>, login: &ServiceLogin) -> Option<Ruling> {
    let of_list = subject.user(&login.user);
    let common = login.password.is_some_and(|password| password.common)
        || of_list.is_some_and(|user| user.common_password && !user.no_password);
    let bits = login.password.map(|password| password.bits);
    // A password that nobody can log in with says nothing of the user.
    if login.refused.is_some() {
        return None;
    }
    let severity = match bits {
        _ if common => Severity::Critical,
        Some(bits) if bits < GUESSED_BITS => Severity::Critical,
        Some(bits) if bits < WEAK_BITS => Severity::Warning,
        Some(_) => Severity::Passed,
        None => return None,
    };
    let length = login.password.map(|password| Quantity::Count(u64::from(password.length)));
    Some(
        Ruling::new(Rule::PasswordStrength, severity)
            .about(login.user.clone())
            .with_known("characters", length)
            .with_known("bits at most", bits.map(|bits| Quantity::Count(bits as u64)))
            .with("among the most common", if common { "yes" } else { "no" })
            .remedy(Remedy::Command("ACL GENPASS".to_owned()))
            // The old one stays valid until the services have the new one.
            .remedy(Remedy::Command(format!("ACL SETUSER {} >NEW-PASSWORD", login.user)))
            .remedy(Remedy::Command(format!("ACL SETUSER {} <OLD-PASSWORD", login.user))),
    )
}

fn least_privilege(subject: &Subject<'_>, login: &ServiceLogin) -> Ruling {
    let user = subject.user(&login.user);
    if login.refused.is_some() {
        return Ruling::new(Rule::LeastPrivilege, Severity::Unknown).about(login.user.clone());
    }
    let is_broad = user.map(|user| is_broad(user) || user.keys.iter().any(|keys| keys == "~*"));
    let severity = match (login.excess.as_deref(), is_broad) {
        (Some([]), _) => Severity::Passed,
        (Some(_), _) | (None, Some(true)) => Severity::Warning,
        (None, _) => Severity::Unknown,
    };
    let rights = user
        .map(|user| [user.keys.join(" "), user.channels.join(" "), user.commands.clone()].join(" ").trim().to_owned());
    let proof = match &login.proof {
        Proof::Proven { commands } => format!("by ACL DRYRUN of {commands} commands"),
        Proof::Refuted { command, message } => format!("disproved: {command} is refused ({message})"),
        Proof::Untried { reason } => format!("none: {reason}"),
    };
    let excess = login.excess.as_ref().filter(|excess| !excess.is_empty());
    let ruling = Ruling::new(Rule::LeastPrivilege, severity)
        .about(login.user.clone())
        .with_known("rights", rights)
        .with_known("permitted, not needed", excess.map(|excess| excess.join(", ")))
        .with("proof that the proposed rights suffice", proof)
        .with("the harness itself also needs", login.harness.join(" "));
    subject.without_lockout(ruling, least_privilege_line(subject, login))
}

fn is_broad(user: &UserRights) -> bool {
    user.commands.split_whitespace().any(|rule| BROAD.contains(&rule))
}

/// The line that gives a user what its services need, and leaves its passwords as they are. Services that log in as
/// all users get a user of their own: the default one may be in use by others.
fn least_privilege_line(subject: &Subject<'_>, login: &ServiceLogin) -> String {
    let has_channels = subject.version().is_none_or(|version| version >= CHANNEL_RULES);
    let has_selectors = subject.user(&login.user).is_some_and(|user| user.selectors > 0);
    let mut words = match login.user.as_str() {
        DEFAULT => vec!["ACL SETUSER NEW-USER on >NEW-PASSWORD"],
        user => vec!["ACL SETUSER", user, "resetkeys"],
    };
    words.extend(has_channels.then_some("resetchannels"));
    words.extend(has_selectors.then_some("clearselectors"));
    words.push("-@all");
    words.extend(login.needs.iter().map(String::as_str).filter(|rule| has_channels || !rule.starts_with('&')));
    words.join(" ")
}

fn dangerous_commands(subject: &Subject<'_>, login: &ServiceLogin) -> Ruling {
    let excess = login.excess.as_ref();
    // Keys of others are no command.
    let allowed = excess.map(|excess| -> Vec<&str> {
        excess.iter().map(String::as_str).filter(|excess| excess.starts_with(char::is_uppercase)).collect()
    });
    let user = subject.user(&login.user);
    let (severity, what, taken) = match (allowed.as_deref(), user.map(is_broad)) {
        (Some([]), _) => (Severity::Passed, "none of the rights checked".to_owned(), String::new()),
        (Some(allowed), _) => {
            let taken: Vec<_> =
                allowed.iter().map(|command| format!("-{}", command.to_lowercase().replace(' ', "|"))).collect();
            (Severity::Warning, allowed.join(", "), taken.join(" "))
        }
        (None, Some(true)) => {
            let rules = user.map(|user| user.commands.clone()).unwrap_or_default();
            (Severity::Warning, rules, "-@dangerous -@admin".to_owned())
        }
        (None, _) => (Severity::Unknown, "not known".to_owned(), String::new()),
    };
    let ruling = Ruling::new(Rule::DangerousCommands, severity).about(login.user.clone()).with("allowed", what);
    subject.without_lockout(ruling, format!("ACL SETUSER {} {taken}", login.user))
}

fn encryption(subject: &Subject<'_>) -> Ruling {
    let address = &subject.target.address;
    let with_password = subject.inspection.logins.iter().any(|login| login.password.is_some());
    let encrypted = is_encrypted(&subject.target.address);
    let severity = match (encrypted || subject.is_local(), subject.target.same_machine) {
        (true, _) => Severity::Passed,
        // Not crossed by this harness; by whom else, nobody here knows.
        (false, true) if subject.setting("bind").is_none() => Severity::Unknown,
        (false, true) => Severity::Note,
        (false, false) if with_password => Severity::Critical,
        (false, false) => Severity::Warning,
    };
    Ruling::new(Rule::Encryption, severity)
        .with("address", address.as_str())
        .with_known("bind", subject.setting("bind"))
        .with_known("tls-port", subject.setting("tls-port"))
        .remedy(Remedy::Configuration(
            [
                "tls-port 6379",
                "port 0",
                "tls-cert-file server.crt",
                "tls-key-file server.key",
                "tls-ca-cert-file ca.crt",
            ]
            .map(str::to_owned)
            .into(),
        ))
}

fn protected_mode(subject: &Subject<'_>) -> Option<Ruling> {
    let protects = subject.protects()?;
    let open = subject.default_is_open();
    let severity = match (protects, open, subject.is_local()) {
        (true, ..) | (_, Some(false), _) => Severity::Passed,
        (false, None, _) => Severity::Unknown,
        (false, Some(true), true) => Severity::Note,
        (false, Some(true), false) => Severity::Critical,
    };
    let open = open.map(|open| if open { "yes" } else { "no" });
    Some(
        Ruling::new(Rule::ProtectedMode, severity)
            .with_known("protected-mode", subject.setting("protected-mode"))
            .with_known("bind", subject.setting("bind"))
            .with_known("default user without password", open)
            .setting("protected-mode", "yes"),
    )
}
