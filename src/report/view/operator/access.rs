//! Services and users: whether each service is connected, how it logs in, and what users of the server may do.

use super::super::{Block, Cell, Section, Table, Tone};
use crate::{
    report::{
        format::{self, NOTHING},
        subject::RunReport,
    },
    results::{ServiceLogin, UserRights},
    scenario::Service,
};

pub(in super::super) fn section(report: &RunReport) -> Section {
    let inspection = &report.run.inspection;
    let refused = inspection.withheld.iter().find(|withheld| withheld.what == "ACL LIST");
    let users = users(&inspection.users).block().unwrap_or_else(|| {
        Block::Paragraph(match refused {
            Some(refused) => format!("The list of users was refused ({}); +acl|list permits it.", refused.reason),
            None => "The list of users is unknown.".to_owned(),
        })
    });
    let title = "Authentication and service integration";
    Section::new("access", title, [Block::Table(services(report)), users])
}

fn services(report: &RunReport) -> Table {
    let connected = |service: &Service| {
        let name = format!("plimsoll:{}", service.name);
        let clients: Vec<_> = report.run.server.clients.iter().filter(|clients| clients.name == name).collect();
        // Of too many connections the server's list is not read.
        let connected = (!clients.is_empty()).then(|| format::count(clients.iter().map(|clients| clients.count).sum()));
        format!("{} of {}", connected.as_deref().unwrap_or(NOTHING), format::count(service.connections()))
    };
    let password = |login: &ServiceLogin| match login.password {
        Some(password) => format!(
            "{}, at most {} bits",
            format::counted(u64::from(password.length), "character", "characters"),
            format::count(password.bits as u64)
        ),
        None => "none".to_owned(),
    };
    let rights = |login: &ServiceLogin| match login.excess.as_deref()? {
        [] => Some("no more than needed, of the rights checked".to_owned()),
        excess => Some(format!("more than needed: {}", excess.join(", "))),
    };
    let served = |service| report.row_of(service).is_some_and(|row| row.counts.completed > 0);
    let services = report.scenario.services.iter();
    let services = services.map(|service| (service, report.run.inspection.login_of(&service.name)));
    Table::of("integration", "Logins of the services", services)
        .head("Service", |(service, _)| &service.name)
        .words("Status", 0, |(service, _)| {
            if served(service) { Cell::new("connected", Tone::Good) } else { Cell::new("not served", Tone::Bad) }
        })
        .words("User", 0, |(_, own)| own.map(|(login, _)| &login.user))
        .words("Password", 1, |(_, own)| own.map(|(login, _)| password(login)))
        .numbers("Database", 0, |(service, own)| own.map_or(service.database, |(_, database)| database).to_string())
        .numbers("Connected", 1, |(service, _)| connected(service))
        .words("Permissions", 1, |(_, own)| own.and_then(|(login, _)| rights(login)))
        .table()
}

fn users(users: &[UserRights]) -> Table {
    let or_none = |text: &str| if text.is_empty() { "none".to_owned() } else { text.to_owned() };
    let password = |user: &UserRights| match (user.no_password, user.passwords, user.common_password) {
        (true, ..) => Cell::new("none needed", if user.enabled { Tone::Bad } else { Tone::Quiet }),
        (false, _, true) => Cell::new("a common one", Tone::Bad),
        (false, 0, _) => "none set".into(),
        (false, 1, _) => "one".into(),
        (false, count, _) => count.into(),
    };
    let selectors = |user: &UserRights| match user.selectors {
        0 => String::new(),
        selectors => format!(" and {selectors} selectors"),
    };
    Table::of("users", "Users of the access control list", users)
        .head("User", |user| &user.name)
        .words("Enabled", 0, |user| if user.enabled { "yes" } else { "no" })
        .words("Password", 0, |user| password(user))
        .words("Commands", 1, |user| or_none(&user.commands) + &selectors(user))
        .words("Keys", 1, |user| or_none(&user.keys.join(" ")))
        .words("Channels", 2, |user| or_none(&user.channels.join(" ")))
        .table()
}
