//! The executive summary: the verdict and the few numbers that matter, in one paragraph.

use super::blocks::against_target;
use crate::{
    analysis::audit::{Rule, Severity},
    report::{
        format::{self, duration, share},
        subject::RunReport,
        view::{Block, Section, headline},
    },
};

pub(super) fn section(facts: &RunReport) -> Section {
    let mut sentences = vec![headline::headline(facts).sentence];
    sentences.extend(speed(facts));
    sentences.extend(resources(facts));
    sentences.push(access(facts));
    sentences.push(audit(facts));
    Section::new("executive-summary", "Executive summary", vec![Block::Paragraph(sentences.join(" "))])
}

fn speed(facts: &RunReport) -> Option<String> {
    let (least, most) = facts.range_of_means()?;
    let target = facts.target();
    Some(format!(
        "Mean response times of the operations lie between {} ({} than the target of {}) and {} ({}).",
        duration(least),
        against_target(target / least),
        format::setting(facts.scenario.objective.latency),
        duration(most),
        against_target(target / most),
    ))
}

fn resources(facts: &RunReport) -> Option<String> {
    let totals = facts.analysis.server.totals.as_ref()?;
    let after = facts.analysis.server.after.as_ref()?;
    let used = after.used_memory?;
    let memory = facts.max_memory().map_or_else(
        || "without a limit".to_owned(),
        |limit| format!("{} of its limit", share(used as f64 / limit as f64)),
    );
    let cpu = totals.cores().map(|cores| format!(" and {} of a core", share(cores))).unwrap_or_default();
    Some(format!("Meanwhile the server used {} of memory ({memory}){cpu}.", format::bytes(used)))
}

fn access(facts: &RunReport) -> String {
    let default = facts.rulings(Rule::DefaultUser).next().map(|ruling| ruling.severity);
    let users: Vec<_> = facts.run.inspection.logins.iter().map(|login| login.user.as_str()).collect();
    let (served, services) = facts.served();
    format!(
        "{} of {} logged in and were answered{}; {}.",
        format::count(served),
        format::counted(services, "service", "services"),
        if users.is_empty() { String::new() } else { format!(", as {}", users.join(", ")) },
        match default {
            Some(Severity::Passed) => "the default user cannot log in",
            Some(Severity::Note) => "the default user can log in by a password",
            Some(Severity::Warning | Severity::Critical) => "the default user can log in without a password",
            Some(Severity::Unknown) | None => "whether the default user can log in is not known",
        },
    )
}

fn audit(facts: &RunReport) -> String {
    let count = |severity| facts.ruled(severity).count() as u64;
    format!(
        "The audit has {}, {} and {}; {} hold.",
        format::counted(count(Severity::Critical), "critical finding", "critical findings"),
        format::counted(count(Severity::Warning), "warning", "warnings"),
        format::counted(count(Severity::Note), "note", "notes"),
        format::counted(count(Severity::Passed), "check", "checks"),
    )
}
