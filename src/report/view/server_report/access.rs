//! Authentication: users and their rights, and whether each service is connected as it should be.

use super::blocks::{facts as known, plain_table, yes};
use crate::{
    analysis::audit::{Rule, Severity},
    report::{
        format::{self, NOTHING},
        subject::RunReport,
        view::{Block, Cell, Column, Section, Tone, audit::fact},
    },
    results::UserRights,
};

pub(super) fn section(facts: &RunReport) -> Section {
    let mut blocks = vec![Block::Heading("ACL configuration".to_owned())];
    blocks.push(status(facts));
    let users = &facts.run.inspection.users;
    if users.is_empty() {
        blocks.push(Block::Paragraph(unknown_users(facts)));
    } else {
        blocks.push(users_table(users));
    }
    blocks.push(Block::Heading("Service integration status".to_owned()));
    blocks.push(integration(facts));
    Section::new("authentication", "Authentication status", blocks)
}

fn unknown_users(facts: &RunReport) -> String {
    let refused = facts.run.inspection.withheld.iter().find(|withheld| withheld.what == "ACL LIST");
    match refused {
        Some(refused) => format!("The list of users was refused ({}); +acl|list gives it.", refused.reason),
        None => "The list of users is not known.".to_owned(),
    }
}

fn status(facts: &RunReport) -> Block {
    let one = |rule| facts.rulings(rule).next().filter(|ruling| ruling.severity != Severity::Unknown).map(fact);
    let passwords: Vec<_> = facts
        .run
        .inspection
        .logins
        .iter()
        .filter_map(|login| {
            let password = login.password?;
            Some(format!(
                "{}: {}, at most {} bits",
                login.user,
                format::counted(u64::from(password.length), "character", "characters"),
                format::count(password.bits as u64)
            ))
        })
        .collect();
    let failed = facts.analysis.rows.last().map_or(0, |row| {
        let refused = |class: &crate::measure::ErrorClass| matches!(class.word(), "NOAUTH" | "WRONGPASS" | "NOPERM");
        row.counts.errors.iter().filter(|(class, _)| refused(class)).map(|(_, count)| count).sum()
    });
    known(vec![
        (
            "Authentication",
            Some(format!(
                "{} of {} logged in and were answered; {} refused for want of a right or a login",
                format::count(facts.served().0),
                format::counted(facts.served().1, "service", "services"),
                format::counted(failed, "request was", "requests were")
            )),
        ),
        ("Default user", one(Rule::DefaultUser)),
        ("Passwords", (!passwords.is_empty()).then(|| passwords.join("; "))),
        ("Encryption", one(Rule::Encryption)),
        ("Protected mode", one(Rule::ProtectedMode)),
    ])
}

fn users_table(users: &[UserRights]) -> Block {
    let columns = vec![
        Column::head("User"),
        Column::words("Enabled", 0),
        Column::words("Password", 0),
        Column::words("Commands", 1),
        Column::words("Keys", 1),
        Column::words("Channels", 2),
    ];
    let rows = users.iter().map(|user| {
        let or_none = |text: String| if text.is_empty() { "none".to_owned() } else { text };
        let password = match (user.no_password, user.passwords, user.common_password) {
            (true, ..) => Cell::new("none needed", if user.enabled { Tone::Bad } else { Tone::Quiet }),
            (false, _, true) => Cell::new("a common one", Tone::Bad),
            (false, 0, _) => "none set".into(),
            (false, 1, _) => "one".into(),
            (false, count, _) => format::count(u64::from(count)).into(),
        };
        let more = if user.selectors > 0 { format!(" and {} selectors", user.selectors) } else { String::new() };
        vec![
            user.name.as_str().into(),
            yes(user.enabled).into(),
            password,
            (or_none(user.commands.clone()) + &more).into(),
            or_none(user.keys.join(" ")).into(),
            or_none(user.channels.join(" ")).into(),
        ]
    });
    plain_table("users", "Users of the access control list", columns, rows.collect())
}

fn integration(facts: &RunReport) -> Block {
    let columns = vec![
        Column::head("Service"),
        Column::words("Status", 0),
        Column::words("User", 0),
        Column::numbers("Database", None, 0),
        Column::numbers("Connected", None, 1),
        Column::words("Permissions", 1),
    ];
    let rows = facts.scenario.services.iter().map(|service| {
        let own = facts.run.inspection.login_of(&service.name);
        let name = format!("plimsoll:{}", service.name);
        let clients: Vec<_> = facts.run.server.clients.iter().filter(|clients| clients.name == name).collect();
        let connected: u64 = clients.iter().map(|clients| clients.count).sum();
        let served = facts.row_of(service).is_some_and(|row| row.counts.completed > 0);
        let rights = own.and_then(|(login, _)| match login.excess.as_deref()? {
            [] => Some("no more than it needs, as far as was asked".to_owned()),
            excess => Some(format!("more than it needs: {}", excess.join(", "))),
        });
        vec![
            service.name.as_str().into(),
            if served { Cell::new("connected", Tone::Good) } else { Cell::new("not served", Tone::Bad) },
            own.map_or(NOTHING, |(login, _)| login.user.as_str()).into(),
            own.map_or(service.database, |(_, database)| database).to_string().into(),
            // Where there were too many connections to list, the pool is what was opened.
            format!(
                "{} of {}",
                if clients.is_empty() { NOTHING.to_owned() } else { format::count(connected) },
                format::count(service.connections())
            )
            .into(),
            rights.unwrap_or_else(|| NOTHING.to_owned()).into(),
        ]
    });
    plain_table("integration", "Services and how they log in", columns, rows.collect())
}
