//! Services and users: whether each service is connected, how it logs in, and what users of the server may do.

use super::{
    super::{Block, Cell, Column, Section, Table, Tone},
    parts::table,
};
use crate::{
    report::{
        format::{self, NOTHING},
        subject::RunReport,
    },
    results::UserRights,
};

pub(in super::super) fn section(report: &RunReport) -> Section {
    let inspection = &report.run.inspection;
    let mut blocks = vec![Block::Table(services(report))];
    if inspection.users.is_empty() {
        let refused = inspection.withheld.iter().find(|withheld| withheld.what == "ACL LIST");
        blocks.push(Block::Paragraph(match refused {
            Some(refused) => format!("The list of users was refused ({}); +acl|list gives it.", refused.reason),
            None => "The list of users is not known.".to_owned(),
        }));
    } else {
        blocks.push(Block::Table(users(&inspection.users)));
    }
    Section::new("access", "Authentication and service integration", blocks)
}

fn services(report: &RunReport) -> Table {
    let columns = vec![
        Column::head("Service"),
        Column::words("Status", 0),
        Column::words("User", 0),
        Column::words("Password", 1),
        Column::numbers("Database", None, 0),
        Column::numbers("Connected", None, 1),
        Column::words("Permissions", 1),
    ];
    let rows = report.scenario.services.iter().map(|service| {
        let own = report.run.inspection.login_of(&service.name);
        let name = format!("plimsoll:{}", service.name);
        let clients: Vec<_> = report.run.server.clients.iter().filter(|clients| clients.name == name).collect();
        let connected = match clients.iter().map(|clients| clients.count).sum() {
            // Of too many connections the server's list is not read.
            _ if clients.is_empty() => NOTHING.to_owned(),
            count => format::count(count),
        };
        let password = own.map(|(login, _)| match login.password {
            Some(password) => format!(
                "{}, at most {} bits",
                format::counted(u64::from(password.length), "character", "characters"),
                format::count(password.bits as u64)
            ),
            None => "none".to_owned(),
        });
        let rights = own.and_then(|(login, _)| match login.excess.as_deref()? {
            [] => Some("no more than it needs, as far as was asked".to_owned()),
            excess => Some(format!("more than it needs: {}", excess.join(", "))),
        });
        let served = report.row_of(service).is_some_and(|row| row.counts.completed > 0);
        vec![
            service.name.as_str().into(),
            if served { Cell::new("connected", Tone::Good) } else { Cell::new("not served", Tone::Bad) },
            own.map_or(NOTHING, |(login, _)| login.user.as_str()).into(),
            password.unwrap_or_else(|| NOTHING.to_owned()).into(),
            own.map_or(service.database, |(_, database)| database).to_string().into(),
            format!("{connected} of {}", format::count(service.connections())).into(),
            rights.unwrap_or_else(|| NOTHING.to_owned()).into(),
        ]
    });
    table("integration", "Services and how they log in", columns, rows)
}

fn users(users: &[UserRights]) -> Table {
    let columns = vec![
        Column::head("User"),
        Column::words("Enabled", 0),
        Column::words("Password", 0),
        Column::words("Commands", 1),
        Column::words("Keys", 1),
        Column::words("Channels", 2),
    ];
    let or_none = |text: &str| if text.is_empty() { "none".to_owned() } else { text.to_owned() };
    let rows = users.iter().map(|user| {
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
            if user.enabled { "yes" } else { "no" }.into(),
            password,
            (or_none(&user.commands) + &more).into(),
            or_none(&user.keys.join(" ")).into(),
            or_none(&user.channels.join(" ")).into(),
        ]
    });
    table("users", "Users of the access control list", columns, rows)
}
