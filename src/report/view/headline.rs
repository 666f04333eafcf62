//! The verdict in one sentence, and what has to be said along with it.

use std::time::Duration;

use super::{
    Headline, KeyNumber,
    checks::{self, quantity, subject},
    events, findings,
    names::{capitalised, other_stack},
    outages, overload,
    results::by_harness,
    verdict,
};
use crate::{
    analysis::{
        Analysis, Check, CheckKind, Conclusion, Doubt, Level, Percentile, PercentileValue, Proportion, Reason, Row,
    },
    report::{
        format::{NOTHING, THIN, count, counted, duration, limit as allowance, percentile, rate, setting, share},
        subject::RunReport,
    },
    results::{Run, Verdict},
    scenario::{Load, Objective, Scenario},
};

/// The verdict, at the beginning of the first sentence.
fn words(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "Objective met",
        Verdict::Fail => "Objective missed",
        Verdict::Inconclusive => "Inconclusive",
        _ => "Measurement invalid",
    }
}

/// The headline of a report.
pub(in crate::report) fn headline(report: &RunReport) -> Headline {
    let RunReport { run, scenario, analysis, .. } = report;
    let Conclusion { verdict, reasons, .. } = &analysis.conclusion;
    let mut clauses = reasons.iter().map(|reason| clause(reason, *verdict, scenario, analysis));
    let (words, tone) = (words(*verdict), verdict::tone(*verdict));
    let stack = other_stack(scenario, |_| true).map(|stack| format!(" with {stack}")).unwrap_or_default();
    let begun = format!("{words}{stack}{}", interruption(run));
    let sentence = match clauses.next() {
        Some(clause) => format!("{begun}: {clause}{}.", restart(analysis)),
        None => format!("{begun}."),
    };
    let remarks = clauses.map(|clause| format!("{}.", capitalised(&clause)));
    let remarks = remarks.chain(undecided_events(analysis)).chain(harness_late(analysis)).chain(closed_loop(scenario));
    let remarks = remarks.collect();
    Headline { verdict: words, sentence, tone, remarks, numbers: numbers(scenario, analysis) }
}

fn numbers(scenario: &Scenario, analysis: &Analysis) -> Vec<KeyNumber> {
    let Some(total) = analysis.rows.last() else { return Vec::new() };
    let objective = &scenario.objective;
    // What a late harness adds makes response times longer, and in some loads throughput lower, than the server's own. Where
    // requests were never answered, the percentile of the others is no bound of anything.
    let (at_most, slower) = match analysis.conclusion.harness_late {
        Some(_) if total.unfinished == 0 => ("≤ ", "; ≤: the harness was late"),
        _ => ("", ""),
    };
    let (at_least, less) =
        if by_harness(total, scenario, analysis) { ("≥ ", "; ≥: the harness was late") } else { ("", "") };
    let known =
        total.judged.nanos().map_or_else(|| NOTHING.to_owned(), |nanos| at_most.to_owned() + &duration(nanos as f64));
    let answered = if total.bad.of == 0 { NOTHING.to_owned() } else { share(1.0 - total.bad.share) };
    let offered = scenario.offered_rate().unwrap_or(0.0);
    let offered = match scenario.services.iter().filter(|service| service.offered_rate().is_none()).count() {
        0 => format!("of {} offered", rate(offered)),
        closed if closed == scenario.services.len() => "closed loop".to_owned(),
        _ => format!("{} offered, the rest closed loop", rate(offered)),
    };
    let failed = count(total.counts.failed() + total.unfinished);
    let name = format!("Response time, {}", percentile(objective.percentile));
    vec![
        KeyNumber::new(name, known, format!("of {} allowed{slower}", setting(objective.latency))),
        KeyNumber::new("Answered in time", answered, format!("{}{THIN}% required", objective.percentile)),
        KeyNumber::new("Throughput", format!("{at_least}{}", rate(total.rate)), offered + less),
        KeyNumber::new("Failed or unfinished", failed, format!("of {}", counted(total.bad.of, "request", "requests"))),
    ]
}

/// That the server was restarted, which explains a miss.
fn restart(analysis: &Analysis) -> &'static str {
    let explains = analysis.conclusion.verdict == Verdict::Fail && findings::restarted(analysis);
    if explains { "; the server was restarted during the run" } else { "" }
}

fn interruption(run: &Run) -> String {
    let period = &run.recording.period;
    let ended = match run.recording.panicked() {
        Some(_) => "ended by a panic",
        None if period.interrupted => "interrupted",
        None if run.load_failure.is_some() => "failed",
        None => return String::new(),
    };
    let planned = setting(Duration::from_nanos(period.planned_ns));
    format!(" (run {ended} after {} of {planned})", elapsed(period.measured_ns))
}

/// A measured length of time, which needs no more digits than a reader takes in.
pub(super) fn elapsed(nanos: u64) -> String {
    setting(Duration::from_millis(nanos.div_ceil(1_000_000)))
}

fn clause(reason: &Reason, verdict: Verdict, scenario: &Scenario, analysis: &Analysis) -> String {
    let objective = &scenario.objective;
    let latency = setting(objective.latency);
    match reason {
        Reason::Objective { service, bad, allowed } if bad.share > *allowed => {
            not_in_time(bad, service.as_deref(), *allowed, objective, analysis)
        }
        Reason::Objective { service, bad, .. } => {
            let only = if verdict == Verdict::Fail { "overall " } else { "" };
            let judged = row_of(analysis, service.as_deref()).map(|row| format!("; {}", judged(&row.judged)));
            let answered = answered(bad, &of_service(service.as_deref()), objective);
            format!("{only}{answered}{}", judged.unwrap_or_default())
        }
        Reason::Errors { service, rate, allowed } => {
            let whose =
                service.as_ref().map_or_else(|| "all requests".to_owned(), |name| format!("the requests of {name}"));
            format!("{} of {whose} failed ({} allowed)", share(*rate), allowance(*allowed))
        }
        Reason::Check(kind) => {
            let refused = analysis.checks.iter().find(|check| check.kind == *kind && check.level == Level::Refuse);
            match refused.and_then(|check| Some((check, check.refuse?))) {
                Some((Check { kind: CheckKind::LoadFailure, subject: Some(sentence), .. }, _)) => sentence.clone(),
                Some((check, limit)) => format!(
                    "{}: {} (limit {})",
                    lower_case(&subject(check)),
                    quantity(check),
                    checks::limit(*kind, limit),
                ),
                None => format!("the check “{}” refuses the measurement", checks::words(*kind).name),
            }
        }
        Reason::Empty => "no request was completed".to_owned(),
        Reason::Undecided { bad, why, run_ns, .. } => undecided(bad, *why, *run_ns, objective),
        Reason::Silent { service, share: part, allowed, longest } => format!(
            "{service} had no answer for {} at second {}; a request at a random instant would have waited longer than \
             {latency} with a probability of {} ({} allowed), which the late requests of a closed loop do not show",
            events::length(longest.length()),
            events::second(longest.from_ns),
            share(*part),
            allowance(*allowed),
        ),
        Reason::Gone { service, since } => {
            format!(
                "service {service}: the server stopped answering at second {} and did not answer again",
                events::second(*since)
            )
        }
        Reason::NoAnswer { service } => {
            format!("service {service} had no answer in the whole measured period, although requests were under way")
        }
        Reason::Recovery { subject, took, limit } => outages::clause(subject, *took, *limit),
        Reason::NothingDue { service } => {
            format!("no request of service {service} fell due in the measured period")
        }
        Reason::Drifting { service, per_minute } => format!(
            "{}: the median of {service} {} by {} per minute, and the slowest third of the run does not meet the objective \
             for certain",
            if *per_minute < 0.0 { "getting faster" } else { "getting slower" },
            if *per_minute < 0.0 { "fell" } else { "rose" },
            duration(per_minute.abs()),
        ),
        Reason::Overloaded { service, growth } => {
            format!("the offered load is above capacity: {}", overload::fact(service, *growth, analysis))
        }
    }
}

fn row_of<'a>(analysis: &'a Analysis, service: Option<&str>) -> Option<&'a Row> {
    analysis.rows.iter().find(|row| row.scope.operation.is_none() && row.scope.service.as_deref() == service)
}

/// How many requests were answered in time: `99.98 % of 100 071 requests answered within 100 ms (99 % required)`.
fn answered(bad: &Proportion, whose: &str, objective: &Objective) -> String {
    format!(
        "{} of {}{whose} answered within {} ({}{THIN}% required)",
        share(1.0 - bad.share),
        counted(bad.of, "request", "requests"),
        setting(objective.latency),
        objective.percentile,
    )
}

fn of_service(service: Option<&str>) -> String {
    service.map(|service| format!(" of {service}")).unwrap_or_default()
}

/// Outcome of the requests that were not answered in time, the most frequent first, and when that was.
fn not_in_time(
    bad: &Proportion,
    service: Option<&str>,
    allowed: f64,
    objective: &Objective,
    analysis: &Analysis,
) -> String {
    let whose = of_service(service);
    let (failed, unfinished) = row_of(analysis, service).map_or((0, 0), |row| (row.counts.failed(), row.unfinished));
    let late = bad.count.saturating_sub(failed + unfinished);
    let latency = setting(objective.latency);
    let mut parts = vec![
        (unfinished, "were never answered".to_owned()),
        (failed, "failed".to_owned()),
        (late, format!("took longer than {latency}")),
    ];
    parts.retain(|(count, _)| *count > 0);
    parts.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    let all = counted(bad.of, "request", "requests");
    let allowed = allowance(allowed);
    let facts = if let [(_, what)] = parts.as_slice() {
        format!("{} of {all}{whose} {what} ({allowed} allowed)", share(bad.share))
    } else {
        let part = |(count, what): &(u64, String)| format!("{} {what}", share(*count as f64 / bad.of.max(1) as f64));
        let parts: Vec<String> = parts.iter().map(part).collect();
        format!(
            "{} of {all}{whose} were not answered within {latency} ({allowed} allowed): {}",
            share(bad.share),
            parts.join(", "),
        )
    };
    match events::clause(&analysis.events, bad.count).filter(|_| service.is_none()) {
        Some(clause) => format!("{facts}, {clause}"),
        None => facts,
    }
}

fn undecided(bad: &Proportion, why: Doubt, run_ns: Option<u64>, objective: &Objective) -> String {
    let seen = answered(bad, "", objective);
    let doubt = match why {
        Doubt::FewRequests => "too few requests to be certain",
        Doubt::Bursts => "but the late requests came in few bursts, and one more such burst would miss the objective",
        Doubt::Close => "too close to decide",
        Doubt::Errors => "but more failed than the objective allows, possibly by chance",
    };
    let remedy = match (run_ns, why) {
        (Some(run), _) => format!("a run of {} with the same shares would decide", longer(run)),
        (None, Doubt::Bursts) => "find the cause of the bursts: a longer run would have more of them".to_owned(),
        (None, Doubt::FewRequests | Doubt::Close | Doubt::Errors) => {
            "compare several runs, or choose another objective".to_owned()
        }
    };
    format!("{seen}, {doubt}; {remedy}")
}

/// When the requests were due that leave the outcome open.
fn undecided_events(analysis: &Analysis) -> Option<String> {
    let bad = analysis.conclusion.reasons.iter().find_map(|reason| match reason {
        Reason::Undecided { bad, .. } => Some(bad.count),
        _ => None,
    })?;
    Some(format!("Requests not in time: {}.", events::clause(&analysis.events, bad)?))
}

/// The length of a run that is proposed, rounded up to what one would type.
fn longer(nanos: u64) -> String {
    let seconds = nanos.div_ceil(1_000_000_000);
    match seconds {
        ..=60 => setting(Duration::from_secs(seconds)),
        61..=3_600 => setting(Duration::from_secs(seconds.div_ceil(60) * 60)),
        _ => format!("{}{THIN}h", seconds.div_ceil(3_600)),
    }
}

fn judged(judged: &Percentile) -> String {
    let name = percentile(judged.percentile);
    match judged.value {
        PercentileValue::Known { nanos, .. } => format!("{name}{THIN}{}", duration(nanos as f64)),
        PercentileValue::TooFew { needed, have } => {
            format!("{name} is not known from {} of the {} requests that it takes", count(have), count(needed))
        }
    }
}

/// What a harness that was late does to an outcome that stands.
fn harness_late(analysis: &Analysis) -> Option<String> {
    let kind = analysis.conclusion.harness_late?;
    let check = analysis.checks.iter().find(|check| check.kind == kind && check.level == Level::Refuse)?;
    let consequence = match analysis.conclusion.verdict {
        Verdict::Pass => {
            "response times are upper bounds and throughput is a lower bound, so the objective is met nevertheless"
        }
        Verdict::Fail if kind == CheckKind::WorkerCpu => {
            "its queues are part of the response times, which are upper bounds"
        }
        Verdict::Fail => "the objective is missed even without the harness's share",
        _ => "response times are upper bounds and throughput is a lower bound",
    };
    Some(format!("The harness was late ({}: {}): {consequence}.", lower_case(&subject(check)), quantity(check)))
}

fn closed_loop(scenario: &Scenario) -> Option<String> {
    let closed: Vec<_> = scenario
        .services
        .iter()
        .filter(|service| matches!(service.load, Load::Closed { .. }))
        .map(|service| service.name.as_str())
        .collect();
    if closed.is_empty() {
        return None;
    }
    let who = if closed.len() == scenario.services.len() {
        "Closed loop".to_owned()
    } else {
        closed.join(", ") + ": closed loop"
    };
    Some(format!(
        "{who}: response time counts from the request for a connection. Clients wait for the reply before they send \
         again, so a stall delays fewer requests than it would delay users."
    ))
}

fn lower_case(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}
