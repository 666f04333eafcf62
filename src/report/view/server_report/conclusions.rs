//! What it comes to: benchmarks met, strengths, points to watch, room to grow, what was done and what is next.

use super::blocks::{against_target, plain_table};
use crate::{
    analysis::{
        Finding, Outcome,
        audit::{Rule, Ruling, Severity},
    },
    report::{
        format::{self, NOTHING, counted, duration, share},
        subject::RunReport,
        view::{
            Block, Cell, Column, Note, Section, Tone,
            audit::{claim, evidence, listings},
            findings::note,
            headline,
        },
    },
    results::slug,
};

/// What is worth calling a strength, where it holds.
const STRENGTHS: [Rule; 9] = [
    Rule::DefaultUser,
    Rule::PasswordStrength,
    Rule::LeastPrivilege,
    Rule::Encryption,
    Rule::MaxClients,
    Rule::MemoryLimit,
    Rule::EvictionPolicy,
    Rule::LastSave,
    Rule::Dependencies,
];

/// Rules whose breach makes authentication other than sound.
const AUTHENTICATION: [Rule; 3] = [Rule::DefaultUser, Rule::PasswordStrength, Rule::ProtectedMode];

pub(super) fn benchmarks(facts: &RunReport) -> Section {
    let columns = vec![
        Column::head("Benchmark"),
        Column::words("Target", 1),
        Column::words("Actual", 0),
        Column::words("Status", 0),
    ];
    let mut rows = vec![authentication(facts), latency(facts), stability(facts)];
    rows.extend(memory(facts));
    rows.extend(facts.scenario.services.iter().map(|service| {
        let row = facts.row_of(service);
        let answered = row.filter(|row| row.bad.of > 0).map(|row| share(1.0 - row.bad.share));
        let outcome = row.map_or(Outcome::Inconclusive, |row| row.outcome);
        vec![
            format!("Service {}", service.name).into(),
            required(facts).into(),
            answered.unwrap_or_else(|| NOTHING.to_owned()).into(),
            judged(outcome),
        ]
    }));
    rows.extend(facts.rulings(Rule::Dependencies).map(|ruling| {
        vec![
            format!("Dependency {}", ruling.about.as_deref().unwrap_or_default()).into(),
            "answers every probe".into(),
            evidence(&ruling.evidence).into(),
            passed(ruling.severity == Severity::Passed),
        ]
    }));
    let table = plain_table("benchmarks-table", "Target and actual performance", columns, rows);
    Section::new("benchmarks", "Performance benchmarks met", vec![table])
}

fn required(facts: &RunReport) -> String {
    let objective = &facts.scenario.objective;
    format!("{} % within {}", objective.percentile, format::setting(objective.latency))
}

fn passed(holds: bool) -> Cell {
    if holds { Cell::new("passed", Tone::Good) } else { Cell::new("failed", Tone::Bad) }
}

fn judged(outcome: Outcome) -> Cell {
    match outcome {
        Outcome::Pass => passed(true),
        Outcome::Fail => passed(false),
        Outcome::Inconclusive => Cell::new("inconclusive", Tone::Quiet),
        Outcome::Invalid => Cell::new("invalid", Tone::Fair),
    }
}

fn authentication(facts: &RunReport) -> Vec<Cell> {
    let rulings: Vec<_> = AUTHENTICATION.iter().flat_map(|rule| facts.rulings(*rule)).collect();
    let breaches = rulings.iter().filter(|ruling| ruling.severity >= Severity::Warning).count();
    let is_unknown = rulings.iter().any(|ruling| ruling.severity == Severity::Unknown);
    let (served, services) = facts.served();
    let served = format!("{} of {}", format::count(served), counted(services, "service", "services"));
    let (actual, status) = match (breaches, is_unknown) {
        (0, true) => (format!("{served} logged in; who else can is not known"), Cell::new("not known", Tone::Quiet)),
        (0, false) => (format!("{served} logged in; no open door found"), passed(true)),
        (count, _) => (
            format!("{served} logged in; {} in the audit", counted(count as u64, "open door", "open doors")),
            passed(false),
        ),
    };
    vec!["Authentication".into(), "every service logs in, nobody else does".into(), actual.into(), status]
}

fn latency(facts: &RunReport) -> Vec<Cell> {
    let answered = facts.analysis.rows.last().filter(|row| row.bad.of > 0).map(|row| share(1.0 - row.bad.share));
    let means = facts.range_of_means().map(|(least, most)| {
        format!("; those that were answered took {} to {} on average", duration(least), duration(most))
    });
    let range = answered.unwrap_or_else(|| NOTHING.to_owned()) + &means.unwrap_or_default();
    vec!["Latency target".into(), required(facts).into(), range.into(), judged(facts.analysis.verdict.outcome)]
}

fn stability(facts: &RunReport) -> Vec<Cell> {
    let is_known = !facts.run.server.seconds.is_empty();
    let lost: u64 = facts.analysis.pools.iter().map(|pool| pool.lost).sum();
    let back: u64 = facts.analysis.pools.iter().map(|pool| pool.recovered).sum();
    let restarts = u64::from(facts.run.server.restarts);
    let actual = format!(
        "{} lost, {} came back, {} of the server",
        counted(lost, "connection", "connections"),
        format::count(back.min(lost)),
        if is_known { counted(restarts, "restart", "restarts") } else { "unknown restarts".to_owned() }
    );
    vec!["Connection stability".into(), "none lost".into(), actual.into(), passed(lost == 0 && restarts == 0)]
}

fn memory(facts: &RunReport) -> Option<Vec<Cell>> {
    let used = facts
        .analysis
        .server
        .after
        .as_ref()
        .and_then(|after| after.used_memory)
        .or_else(|| facts.bytes("used_memory"))?;
    let evicted = facts.analysis.server.totals.as_ref().and_then(|totals| totals.evicted);
    let lost = evicted
        .map_or_else(|| "evictions not known".to_owned(), |evicted| format!("{} evicted", format::count(evicted)));
    let actual = match facts.max_memory() {
        Some(limit) => format!("{} of {} used, {lost}", share(used as f64 / limit as f64), format::bytes(limit)),
        None => format!("{} used, no limit, {lost}", format::bytes(used)),
    };
    let status = match (facts.max_memory(), evicted) {
        (Some(_), None) => Cell::new("not known", Tone::Quiet),
        (limit, evicted) => passed(limit.is_some() && evicted == Some(0)),
    };
    Some(vec!["Memory efficiency".into(), "a limit, and nothing evicted".into(), actual.into(), status])
}

pub(super) fn findings(facts: &RunReport) -> Section {
    let blocks = [
        ("Strengths", Block::Facts(strengths(facts))),
        ("Monitoring points", Block::Notes(monitoring(facts))),
        ("Optimisation potential", Block::Facts(potential(facts))),
    ];
    let blocks = blocks.into_iter().flat_map(|(heading, block)| {
        let is_empty = match &block {
            Block::Facts(facts) => facts.is_empty(),
            Block::Notes(notes) => notes.is_empty(),
            _ => false,
        };
        let nothing = || Block::Paragraph("Nothing that was measured.".to_owned());
        [Block::Heading(heading.to_owned()), if is_empty { nothing() } else { block }]
    });
    Section::new("critical-findings", "Critical findings", blocks.collect())
}

fn strengths(facts: &RunReport) -> Vec<(String, String)> {
    let mut strengths = Vec::new();
    if facts.analysis.verdict.outcome == Outcome::Pass {
        let headline = headline::headline(facts);
        let rest = headline.sentence.strip_prefix(headline.verdict).unwrap_or(&headline.sentence);
        strengths.push((headline.verdict.to_owned(), rest.trim_start_matches([':', ' ']).to_owned()));
    }
    strengths.extend(
        STRENGTHS
            .iter()
            .flat_map(|rule| facts.rulings(*rule))
            .filter(|ruling| ruling.severity == Severity::Passed)
            .map(|ruling| (claim(ruling), evidence(&ruling.evidence))),
    );
    strengths
}

/// Findings of the run, slow commands among them, then what the audit warns of.
fn monitoring(facts: &RunReport) -> Vec<Note> {
    let of_run = facts.analysis.findings.iter().filter(|finding| !matches!(finding, Finding::Upkeep { .. }));
    let of_run = of_run.map(|finding| note(finding, &facts.analysis)).filter(|note| note.tone != Tone::Quiet);
    // Their evidence stands with the recommendations.
    let of_audit = by_severity(facts, Severity::Warning).into_iter();
    // Dependencies are among the findings of the run.
    let of_audit = of_audit.filter(|ruling| ruling.rule != Rule::Dependencies).map(|ruling| {
        let tone = if ruling.severity == Severity::Critical { Tone::Bad } else { Tone::Fair };
        Note { tone, fact: format!("{}.", claim(ruling)), advice: String::new() }
    });
    of_run.chain(of_audit).collect()
}

/// What does not hold, from a severity on, the worst first.
fn by_severity(facts: &RunReport, from: Severity) -> Vec<&Ruling> {
    let mut rulings: Vec<_> = facts.analysis.audit.iter().filter(|ruling| ruling.severity >= from).collect();
    rulings.sort_by_key(|ruling| std::cmp::Reverse(ruling.severity));
    rulings
}

fn potential(facts: &RunReport) -> Vec<(String, String)> {
    let mut potential = Vec::new();
    let mut add = |name: &str, value: String| potential.push((name.to_owned(), value));
    let used = facts.analysis.server.after.as_ref().and_then(|after| after.used_memory);
    if let (Some(used), Some(limit)) = (used, facts.max_memory()) {
        let free = 1.0 - (used as f64 / limit as f64).min(1.0);
        add("Memory", format!("{} of the limit of {} are free", share(free), format::bytes(limit)));
    }
    let limit = facts.setting("maxclients").and_then(|limit| limit.parse::<u64>().ok());
    let connections = facts.scenario.connections();
    if let Some(limit) = limit.filter(|limit| *limit > 0 && connections > 0) {
        let times = format::factor(limit as f64 / connections as f64);
        let (limit, connections) = (format::count(limit), format::count(connections));
        add("Connections", format!("maxclients of {limit} is {times} the {connections} of all pools"));
    }
    if let Some(busiest) = facts.analysis.server.totals.as_ref().and_then(|totals| totals.main_thread) {
        let rate = format::rate(facts.analysis.rows.last().map_or(0.0, |row| row.rate));
        add(
            "CPU",
            format!("{} of the main thread in the busiest second, with {rate} completed on average", share(busiest)),
        );
    }
    for ruling in facts.rulings(Rule::SharedDatabase).filter(|ruling| ruling.severity == Severity::Note) {
        add("Databases", format!("{} ({})", claim(ruling), evidence(&ruling.evidence)));
    }
    potential
}

pub(super) fn status(facts: &RunReport) -> Section {
    let mut blocks = vec![
        Block::Heading("Completed".to_owned()),
        Block::Facts(completed(facts)),
        Block::Heading("Next steps".to_owned()),
    ];
    let next = by_severity(facts, Severity::Note);
    blocks.push(if next.is_empty() { Block::Paragraph("None.".to_owned()) } else { next_steps(&next) });
    Section::new("status", "Implementation status", blocks)
}

fn completed(facts: &RunReport) -> Vec<(String, String)> {
    let run = &facts.run;
    let requests = facts.analysis.rows.last().map_or(0, |row| row.counts.completed);
    let judged = facts.analysis.audit.iter().filter(|ruling| ruling.severity != Severity::Unknown).count() as u64;
    let mut done = vec![
        (
            "Authentication",
            format!("{} logged in", counted(facts.scenario.services.len() as u64, "service", "services")),
        ),
        ("Latency", format!("{} measured", counted(requests, "request", "requests"))),
        ("Connection pools", format!("{} opened", counted(facts.scenario.connections(), "connection", "connections"))),
        (
            "Configuration and security",
            format!("{} judged", counted(judged, "check of the audit", "checks of the audit")),
        ),
    ];
    if !run.server.seconds.is_empty() {
        done.push((
            "Resources",
            format!("watched for {}", counted(run.server.seconds.len() as u64, "second", "seconds")),
        ));
    }
    if let Some(sample) = &run.inspection.keyspace {
        let sampled = sample.databases.iter().map(|database| database.sampled).sum();
        done.push(("Memory by type and prefix", format!("{} looked at", counted(sampled, "key", "keys"))));
    }
    if !run.dependencies.is_empty() {
        let probes = run.dependencies.iter().map(|dependency| dependency.probes.len() as u64).sum();
        done.push(("Dependencies", format!("{} made", counted(probes, "probe", "probes"))));
    }
    done.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn next_steps(rulings: &[&Ruling]) -> Block {
    let columns = vec![Column::head("What"), Column::words("Severity", 1), Column::words("First step", 0)];
    let rows = rulings.iter().map(|ruling| {
        let first = listings(&ruling.remedies).into_iter().next();
        let first = first.and_then(|listing| listing.text.lines().next().map(str::to_owned));
        vec![
            claim(ruling).into(),
            slug(&ruling.severity).into(),
            first.unwrap_or_else(|| "see the recommendation".to_owned()).into(),
        ]
    });
    plain_table("next", "The first step of each", columns, rows.collect())
}

pub(super) fn section(facts: &RunReport) -> Section {
    let count = |severity| facts.ruled(severity).count() as u64;
    let verdict = headline::headline(facts).sentence;
    let critical = count(Severity::Critical);
    let urgency = match (critical, count(Severity::Warning)) {
        _ if facts.analysis.verdict.outcome == Outcome::Invalid => {
            "What is said of latency has to be measured again before anything follows from it.".to_owned()
        }
        (0, _) if facts.analysis.verdict.outcome == Outcome::Fail => "That is to be dealt with first.".to_owned(),
        (0, 0) => "No change is called for by what was measured.".to_owned(),
        (0, warnings) => format!("Nothing has to change today; {} wait.", counted(warnings, "warning", "warnings")),
        (critical, warnings) => format!(
            "{} to be dealt with first, then {}.",
            counted(critical, "critical finding has", "critical findings have"),
            counted(warnings, "warning", "warnings")
        ),
    };
    let mut metrics = Vec::new();
    if let Some((least, most)) = facts.range_of_means() {
        let target = facts.target();
        metrics.push((
            "Performance".to_owned(),
            format!(
                "between {} and {} than the target on average",
                against_target(target / most),
                against_target(target / least)
            ),
        ));
    }
    let text = |row: Vec<Cell>| format!("{} ({})", row[2].text, row[3].text);
    metrics.push(("Authentication".to_owned(), text(authentication(facts))));
    metrics.push(("Stability".to_owned(), text(stability(facts))));
    metrics.extend(memory(facts).map(|row| ("Memory".to_owned(), text(row))));
    Section::new(
        "conclusion",
        "Conclusion",
        vec![Block::Paragraph(format!("{verdict} {urgency}")), Block::Facts(metrics)],
    )
}
