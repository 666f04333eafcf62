//! Who may do what, and who could listen: users, passwords, rights, encryption.

use super::{Quantity, Remedy, Rule, Ruling, Severity, Subject};
use crate::results::{Proof, ServiceLogin, UserRights};

/// Bits below which a password can be guessed from its hash, which the server keeps as one round of SHA-256: at 10^11
/// guesses a second, 2^64 take six years on one machine and weeks on a hundred.
const WEAK_BITS: f64 = 64.0;

/// Rules of categories that hold the dangerous commands.
const BROAD: [&str; 3] = ["+@all", "+@dangerous", "+@admin"];

pub(super) fn rulings(subject: &Subject<'_>) -> Vec<Ruling> {
    let mut rulings = vec![default_user(subject)];
    let logins = &subject.inspection.logins;
    rulings.extend(logins.iter().filter_map(|login| password_strength(subject, login)));
    let served = || logins.iter().filter(|login| !login.services.is_empty());
    rulings.extend(served().map(|login| least_privilege(subject, login)));
    rulings.extend(served().map(|login| dangerous_commands(subject, login)));
    rulings.push(encryption(subject));
    rulings.extend(protected_mode(subject));
    rulings
}

fn default_user(subject: &Subject<'_>) -> Ruling {
    const RULE: Rule = Rule::DefaultUser;
    let known = subject.inspection.users.iter().find(|user| user.name == "default");
    let Some(user) = known else {
        // Whoever got in as nobody in particular, without a password, has shown what the list would say.
        let open = subject.inspection.logins.iter().any(|login| login.user == "default" && login.password.is_none());
        return if open && !subject.inspection.info.is_empty() {
            Ruling::new(RULE, exposed(subject)).with("log-in", "as default, without a password")
        } else {
            Ruling::new(RULE, Severity::Unknown)
        };
    };
    let severity = match user {
        UserRights { enabled: false, .. } => Severity::Passed,
        UserRights { no_password: true, .. } => exposed(subject),
        _ => Severity::Note,
    };
    let state = if user.enabled { "on" } else { "off" };
    let password = if user.no_password { "nopass".to_owned() } else { format!("{} passwords", user.passwords) };
    let ruling = Ruling::new(RULE, severity)
        .with("user default", format!("{state}, {password}, {}", user.commands))
        .with_known("bind", subject.setting("bind"));
    // Turned off while it is the only one, nobody could log in any more.
    let others = subject.inspection.users.iter().any(|other| other.enabled && other.name != user.name);
    let ruling = if others {
        ruling
    } else {
        ruling.remedy(Remedy::Command("ACL SETUSER operator on >NEW-PASSWORD ~* &* +@all".to_owned()))
    };
    ruling.remedy(Remedy::Command("ACL SETUSER default off".to_owned()))
}

/// How serious an open door is: on the server's own machine only those who are on it can come through.
fn exposed(subject: &Subject<'_>) -> Severity {
    if subject.is_local() { Severity::Warning } else { Severity::Critical }
}

fn password_strength(subject: &Subject<'_>, login: &ServiceLogin) -> Option<Ruling> {
    let of_list = subject.inspection.users.iter().find(|user| user.name == login.user);
    let common = login.password.is_some_and(|password| password.common)
        || of_list.is_some_and(|user| user.common_password && !user.no_password);
    let bits = login.password.map(|password| password.bits);
    let severity = match bits {
        _ if common => Severity::Critical,
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
            .remedy(Remedy::Command(format!("ACL SETUSER {} resetpass >NEW-PASSWORD", login.user))),
    )
}

fn least_privilege(subject: &Subject<'_>, login: &ServiceLogin) -> Ruling {
    let user = subject.inspection.users.iter().find(|user| user.name == login.user);
    let by_rules = user.map(|user| {
        user.commands.split_whitespace().any(|rule| BROAD.contains(&rule)) || user.keys.iter().any(|keys| keys == "~*")
    });
    let severity = match (login.excess.is_empty(), by_rules) {
        (false, _) | (true, Some(true)) => Severity::Warning,
        (true, Some(false)) => Severity::Passed,
        (true, None) => Severity::Unknown,
    };
    let rights = user
        .map(|user| [user.keys.join(" "), user.channels.join(" "), user.commands.clone()].join(" ").trim().to_owned());
    let proof = match &login.proof {
        Proof::Proven { commands } => format!("by ACL DRYRUN of {commands} commands"),
        Proof::Refuted { command, message } => format!("refuted: {command} is refused ({message})"),
        Proof::Untried { reason } => format!("not proven: {reason}"),
    };
    Ruling::new(Rule::LeastPrivilege, severity)
        .about(login.user.clone())
        .with_known("rights", rights)
        .with_known("allowed though not needed", (!login.excess.is_empty()).then(|| login.excess.join(", ")))
        .with("proposed rights suffice", proof)
        .with("the harness itself also needs", login.harness.join(" "))
        .remedy(Remedy::Command(least_privilege_line(login)))
}

/// The line that gives a user what its services need, and leaves its passwords as they are.
fn least_privilege_line(login: &ServiceLogin) -> String {
    format!("ACL SETUSER {} resetkeys resetchannels -@all {}", login.user, login.needs.join(" "))
}

fn dangerous_commands(subject: &Subject<'_>, login: &ServiceLogin) -> Ruling {
    let allowed: Vec<_> =
        login.excess.iter().filter(|excess| excess.starts_with(char::is_uppercase)).cloned().collect();
    let user = subject.inspection.users.iter().find(|user| user.name == login.user);
    let broad = user.map(|user| user.commands.split_whitespace().any(|rule| BROAD.contains(&rule)));
    let (severity, what) = match (allowed.is_empty(), broad) {
        (false, _) => (Severity::Warning, allowed.join(", ")),
        (true, Some(true)) => (Severity::Warning, user.map(|user| user.commands.clone()).unwrap_or_default()),
        (true, Some(false)) => (Severity::Passed, "none".to_owned()),
        (true, None) => (Severity::Unknown, "not known".to_owned()),
    };
    Ruling::new(Rule::DangerousCommands, severity)
        .about(login.user.clone())
        .with("allowed", what)
        .remedy(Remedy::Command(format!("ACL SETUSER {} -@dangerous -@admin", login.user)))
}

fn encryption(subject: &Subject<'_>) -> Ruling {
    let address = &subject.target.address;
    let encrypted = address.starts_with("rediss:");
    let severity = match encrypted || address.starts_with("unix:") || subject.target.same_machine {
        true => Severity::Passed,
        false if subject.inspection.logins.iter().any(|login| login.password.is_some()) => Severity::Critical,
        false => Severity::Warning,
    };
    Ruling::new(Rule::Encryption, severity)
        .with("address", address.as_str())
        .with("same machine", if subject.target.same_machine { "yes" } else { "no" })
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
    let on = subject.is_on("protected-mode")?;
    let default = subject.inspection.users.iter().find(|user| user.name == "default");
    let open = default.is_some_and(|user| user.enabled && user.no_password);
    let severity = match (on, open, subject.is_local()) {
        (true, ..) | (_, false, _) => Severity::Passed,
        (false, true, true) => Severity::Note,
        (false, true, false) => Severity::Critical,
    };
    Some(
        Ruling::new(Rule::ProtectedMode, severity)
            .with("protected-mode", if on { "yes" } else { "no" })
            .with_known("bind", subject.setting("bind"))
            .with("default user without password", if open { "yes" } else { "no" })
            .setting("protected-mode", "yes"),
    )
}
