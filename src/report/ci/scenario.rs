//! Checks and measures for CI from a run: the objective of the whole and of every row, and the audit.

use super::words::one_line;
use crate::{
    analysis::{
        PercentileValue, Row,
        audit::{AuditOutcome, Ruling, Severity},
    },
    measure::SeriesRole,
    report::{
        format::{THIN, duration, limit, percentile, plain, setting, share, share_interval},
        number::{micros, per_second},
        subject::RunReport,
        view::{Tone, View, audit_fact, audit_words},
    },
    results::{Better, CiCheck, CiMeasure, CiScenario, Unit, Verdict, slug},
    scenario::Objective,
};

/// From which severity on findings of the audit count; `None` where they are only reported.
pub type AuditLimit = Option<Severity>;

/// Percentiles of the response time that are followed over time, besides the one that is judged.
const FOLLOWED: [f64; 2] = [50.0, 99.0];

/// Checks and measures for CI from a run. The caller fills in its folder and its duration.
pub fn measured(name: &str, report: &RunReport, audit_limit: AuditLimit) -> CiScenario {
    let RunReport { run, scenario, analysis, .. } = report;
    let mut checks = vec![whole(name, report)];
    let alone = scenario.services.len() == 1;
    let rows = || analysis.rows.iter().filter(move |row| is_reported(row, alone));
    checks.extend(rows().filter(|row| row.scope.service.is_some()).map(|row| judged(name, report, row, alone)));
    let interrupted = run.recording.period.interrupted;
    if interrupted {
        let sentence = format!("{name} was interrupted before the end of the measured period");
        checks.push(of_run(Verdict::Interrupted, sentence));
    }
    // A private server has the settings that plimsoll gave it; to judge those says nothing of anybody's server.
    if !run.target.private {
        checks.extend(audited(name, &analysis.audit, audit_limit));
    }
    CiScenario {
        name: name.to_owned(),
        folder: None,
        seconds: 0.0,
        trusted: analysis.conclusion.verdict != Verdict::Invalid && !interrupted,
        checks,
        measures: rows().flat_map(measures).collect(),
    }
}

/// A scenario that came to no result.
pub fn unmeasured(name: &str, why: &str) -> CiScenario {
    without_run(name, Verdict::Invalid, &format!("could not be measured: {}", one_line(why)))
}

/// A scenario that was not tried, since the user ended it all before.
pub fn not_run(name: &str) -> CiScenario {
    without_run(name, Verdict::Interrupted, "was not run: interrupted before")
}

/// That a run came to a result, and the result could not be written.
pub fn unsaved(name: &str, why: &str) -> CiCheck {
    of_run(Verdict::Invalid, format!("{name} could not be saved: {}", one_line(why)))
}

fn of_run(outcome: Verdict, sentence: String) -> CiCheck {
    CiCheck::new("run", (None, None), outcome, sentence)
}

fn without_run(name: &str, outcome: Verdict, why: &str) -> CiScenario {
    let checks = vec![of_run(outcome, format!("{name} {why}"))];
    CiScenario { name: name.to_owned(), folder: None, seconds: 0.0, trusted: false, checks, measures: Vec::new() }
}

/// The verdict of the run.
fn whole(name: &str, report: &RunReport) -> CiCheck {
    let view = View::of_run(report, &[]);
    let sentence = format!("{name}: {}", plain(&view.headline.sentence));
    let mut detail: Vec<_> = view.headline.remarks.iter().map(|remark| plain(remark)).collect();
    let outcome = report.analysis.conclusion.verdict;
    if outcome != Verdict::Pass {
        let telling = view.notes().filter(|note| matches!(note.tone, Tone::Bad | Tone::Fair));
        detail.extend(telling.map(|note| plain(format!("{} {}", note.fact, note.advice).trim_end())));
    }
    CiCheck { detail, ..CiCheck::new("objective", (None, None), outcome, sentence) }
}

/// Rows that are worth a line of their own. Steps and upkeep are no requests of users, and the sum of a service that is alone
/// is the whole.
fn is_reported(row: &Row, alone: bool) -> bool {
    let is_sum_of_service = row.scope.service.is_some() && row.scope.operation.is_none();
    row.scope.role == SeriesRole::Operation && !(alone && is_sum_of_service)
}

/// How the objective held for one row.
fn judged(name: &str, report: &RunReport, row: &Row, alone: bool) -> CiCheck {
    let outcome = row.verdict;
    // The verdict is made of the whole and of the services. A row explains one that is missed; by itself it fails
    // nothing, and one with too few requests to decide is no reason to doubt the whole.
    let decides = outcome == Verdict::Fail && report.analysis.conclusion.verdict == Verdict::Fail;
    let (service, operation) = (row.scope.service.as_deref(), row.scope.operation.as_deref());
    let parts = [Some(name), service.filter(|_| !alone), operation];
    let about = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let sentence = format!("{about}{}", plain(&of_row(row, &report.scenario.objective)));
    CiCheck { decides, ..CiCheck::new("objective", (service, operation), outcome, sentence) }
}

fn of_row(row: &Row, objective: &Objective) -> String {
    if row.bad.of == 0 {
        return ": no request fell due".to_owned();
    }
    if row.verdict == Verdict::Invalid {
        return ": the measurement is invalid".to_owned();
    }
    let allowed = setting(objective.latency);
    let known = row.judged.nanos();
    let what = known.map(|nanos| format!(" {} {}", percentile(row.judged.percentile), duration(nanos as f64)));
    let late = known.is_some_and(|nanos| u128::from(nanos) > objective.latency.as_nanos());
    let held = match (row.verdict, late) {
        (Verdict::Fail, true) => format!(" misses {allowed}"),
        (Verdict::Fail, false) => format!(" misses its objective of {allowed}"),
        (Verdict::Pass, _) => format!(" is within {allowed}"),
        _ => format!(" neither meets nor misses {allowed} for certain"),
    };
    let bad = &row.bad;
    let good = share_interval(1.0 - bad.share, 1.0 - bad.high, 1.0 - bad.low);
    let failed = row.counts.failed() as f64 / bad.of as f64;
    let failures = if failed > objective.max_error_rate {
        format!("; {} failed, {} allowed", share(failed), limit(objective.max_error_rate))
    } else {
        String::new()
    };
    let required = objective.percentile;
    format!("{}{held} ({required}{THIN}% required, {good} within{failures})", what.unwrap_or_default())
}

/// The audit: one check for each finding that counts, or one for all of it.
fn audited(name: &str, rulings: &[Ruling], limit: AuditLimit) -> Vec<CiCheck> {
    let fact = |ruling: &Ruling| plain(&format!("{}: {}", slug(&ruling.severity), audit_fact(ruling)));
    let serious = |ruling: &&Ruling| ruling.severity >= Severity::Warning;
    match limit.map(|limit| AuditOutcome::of(rulings, limit)) {
        Some(AuditOutcome::Found(found)) => {
            let one = |ruling: &&Ruling| CiCheck {
                detail: vec![plain(audit_words(ruling.rule).advice)],
                ..CiCheck::new(
                    "audit",
                    (None, Some(&slug(&ruling.rule))),
                    Verdict::Fail,
                    format!("{name} audit, {}", fact(ruling)),
                )
            };
            found.iter().map(one).collect()
        }
        Some(AuditOutcome::Blind { unknown, of }) => {
            let sentence = format!("{name} audit: {unknown} of {of} checks lack rights or were interrupted");
            vec![CiCheck::new("audit", (None, None), Verdict::Invalid, sentence)]
        }
        clear => {
            let detail: Vec<_> = rulings.iter().filter(serious).map(fact).collect();
            let sentence = match (detail.len(), clear.is_some()) {
                (0, _) => format!("{name} audit: no critical finding and no warning"),
                (found, true) => format!("{name} audit: no finding as severe as --fail-on, {found} less severe"),
                (found, false) => format!("{name} audit: {found}; --fail-on makes them failures"),
            };
            let decides = clear.is_some();
            vec![CiCheck { decides, detail, ..CiCheck::new("audit", (None, None), Verdict::Pass, sentence) }]
        }
    }
}

/// The numbers of a row, without percentiles of too few samples.
fn measures(row: &Row) -> Vec<CiMeasure> {
    let measure = |metric: String, value| CiMeasure {
        service: row.scope.service.clone(),
        operation: row.scope.operation.clone(),
        metric,
        unit: Unit::Microseconds,
        value,
        low: None,
        high: None,
        better: Better::Smaller,
    };
    let mut measures: Vec<_> =
        row.response.mean.map(|mean| measure("mean".to_owned(), micros(mean))).into_iter().collect();
    let followed = FOLLOWED.iter().map(|followed| row.response.percentile(*followed));
    let others = (!FOLLOWED.contains(&row.judged.percentile)).then_some(row.judged);
    for one in followed.chain(others) {
        if let PercentileValue::Known { nanos, low, high, .. } = one.value {
            let [value, low, high] = [nanos, low, high].map(|nanos| micros(nanos as f64));
            measures.push(CiMeasure { low: Some(low), high: Some(high), ..measure(percentile(one.percentile), value) });
        }
    }
    measures.push(CiMeasure {
        unit: Unit::PerSecond,
        better: Better::Bigger,
        ..measure("throughput".to_owned(), per_second(row.rate))
    });
    measures
}
