//! Executive summary: how fast the operations are, what comes next, and the benchmarks that are met.

use super::{
    super::{Block, Cell, Section, Table, Tone, verdict},
    kinds::against_target,
};
use crate::{
    analysis::{
        Row,
        audit::{Rule, Severity},
    },
    report::{
        format::{self, NOTHING, counted, duration, share},
        subject::RunReport,
    },
    results::{InCheck, Verdict},
};

/// Rules whose breach opens the server to others than its services.
const AUTHENTICATION: [Rule; 3] = [Rule::DefaultUser, Rule::PasswordStrength, Rule::ProtectedMode];

pub(in super::super) fn section(report: &RunReport) -> Section {
    let mut sentences: Vec<_> = speed(report).into_iter().collect();
    sentences.push(next(report));
    let mut benchmarks = vec![authentication(report), latency(report), stability(report)];
    benchmarks.extend(memory(report));
    benchmarks.extend(report.scenario.services.iter().map(|service| {
        let row = report.row_of(service);
        [
            format!("Service {}", service.name).into(),
            required(report).into(),
            row.and_then(answered).into(),
            judged(row.map_or(Verdict::Inconclusive, |row| row.verdict)),
        ]
    }));
    let table = Table::of("benchmarks", "Target and actual performance", benchmarks)
        .head("Benchmark", |cells| cells[0].clone())
        .words("Target", 1, |cells| cells[1].clone())
        .words("Actual", 0, |cells| cells[2].clone())
        .words("Status", 0, |cells| cells[3].clone())
        .table();
    Section::new("summary", "Executive summary", [Block::Paragraph(sentences.join(" ")), Block::Table(table)])
}

/// Share of the requests of a row that were answered in time.
fn answered(row: &Row) -> Option<String> {
    (row.bad.of > 0).then(|| share(1.0 - row.bad.share))
}

fn speed(report: &RunReport) -> Option<String> {
    let (least, most) = report.range_of_means()?;
    Some(format!(
        "Mean response times of the operations lie between {} ({} than the target of {}) and {} ({}).",
        duration(least),
        against_target(report.target() / least),
        format::setting(report.scenario.objective.latency),
        duration(most),
        against_target(report.target() / most),
    ))
}

fn next(report: &RunReport) -> String {
    let count = |severity| report.ruled(severity).count() as u64;
    let warnings = counted(count(Severity::Warning), "warning", "warnings");
    match (report.analysis.conclusion.verdict, count(Severity::Critical)) {
        (Verdict::Invalid, _) => "The measurement is invalid: repeat it before acting on its latencies.".to_owned(),
        (Verdict::Fail, 0) => format!("Fix the missed objective first; the audit has {warnings}."),
        (_, 0) => format!("The audit has no critical finding and {warnings}."),
        (_, critical) => {
            format!(
                "The audit has {}, to be fixed first, and {warnings}.",
                counted(critical, "critical finding", "critical findings")
            )
        }
    }
}

fn required(report: &RunReport) -> String {
    let objective = &report.scenario.objective;
    format!("{} % within {}", objective.percentile, format::setting(objective.latency))
}

fn passed(holds: bool) -> Cell {
    if holds { Cell::new("passed", Tone::Good) } else { Cell::new("failed", Tone::Bad) }
}

fn judged(verdict: Verdict) -> Cell {
    verdict::cell(InCheck::word(verdict), verdict)
}

fn authentication(report: &RunReport) -> [Cell; 4] {
    let (served, services) = report.served();
    let served = format!("{} of {} logged in", format::count(served), counted(services, "service", "services"));
    let rulings = || AUTHENTICATION.iter().flat_map(|rule| report.rulings(*rule));
    let breaches = rulings().filter(|ruling| ruling.severity >= Severity::Warning).count() as u64;
    let (found, status) = match breaches {
        0 if rulings().any(|ruling| ruling.severity == Severity::Unknown) => {
            ("other open access is unknown".to_owned(), Cell::new("not known", Tone::Quiet))
        }
        0 => ("no open access found".to_owned(), passed(true)),
        count => (format!("{} of the audit about open access", counted(count, "finding", "findings")), passed(false)),
    };
    [
        "Authentication".into(),
        "every service logs in, no open access".into(),
        format!("{served}; {found}").into(),
        status,
    ]
}

fn latency(report: &RunReport) -> [Cell; 4] {
    let means = report
        .range_of_means()
        .map(|(least, most)| format!("; means of the operations {} to {}", duration(least), duration(most)));
    let answered = report.analysis.rows.last().and_then(answered).unwrap_or_else(|| NOTHING.to_owned());
    let actual = answered + &means.unwrap_or_default();
    ["Latency target".into(), required(report).into(), actual.into(), judged(report.analysis.conclusion.verdict)]
}

fn stability(report: &RunReport) -> [Cell; 4] {
    let lost: u64 = report.analysis.pools.iter().map(|pool| pool.lost).sum();
    let back: u64 = report.analysis.pools.iter().map(|pool| pool.recovered).sum();
    let restarts = u64::from(report.run.server.restarts);
    let known = !report.run.server.seconds.is_empty();
    let actual = format!(
        "{} lost, {} recovered, {} of the server",
        counted(lost, "connection", "connections"),
        format::count(back.min(lost)),
        if known { counted(restarts, "restart", "restarts") } else { "unknown restarts".to_owned() }
    );
    ["Connection stability".into(), "none lost".into(), actual.into(), passed(lost == 0 && restarts == 0)]
}

fn memory(report: &RunReport) -> Option<[Cell; 4]> {
    let used = report.used_memory()?;
    let evicted = report.analysis.server.totals.as_ref().and_then(|totals| totals.counts.evicted);
    let lost =
        evicted.map_or_else(|| "evictions not known".to_owned(), |keys| format!("{} evicted", format::count(keys)));
    let limit = report.max_memory();
    let actual = match limit {
        Some(limit) => format!("{} of {} used, {lost}", share(used as f64 / limit as f64), format::bytes(limit)),
        None => format!("{} used, no limit, {lost}", format::bytes(used)),
    };
    let status = match (limit, evicted) {
        (Some(_), None) => Cell::new("not known", Tone::Quiet),
        (limit, evicted) => passed(limit.is_some() && evicted == Some(0)),
    };
    Some(["Memory efficiency".into(), "a limit, and no evictions".into(), actual.into(), status])
}
