//! Outages of services and nodes, and the time until the objective was met again.

use std::time::Duration;

use super::{Block, Cell, Section, Shown, Table, Tone, events, timetable::second};
use crate::{
    analysis::{Analysis, Bounds, Outage, STEADY, Subject},
    measure::{Nanos, SECOND},
    report::{
        format::{self, NOTHING},
        subject::RunReport,
    },
};

/// What the section shows; empty where there was no outage, and neither an event nor a limit that could have brought one to light.
pub(super) fn section(report: &RunReport) -> Section {
    let RunReport { run, scenario, analysis, .. } = report;
    let measured_ns = run.recording.period.measured_ns;
    let mut blocks: Vec<Block> = Vec::new();
    let expected = !run.events.is_empty() || scenario.objective.recovery.is_some();
    let none = (expected && analysis.outages.is_empty()).then(|| none(scenario.objective.recovery));
    let brief = in_brief(analysis, measured_ns).or(none);
    blocks.extend(brief.clone().map(Block::Paragraph));
    blocks.extend(table(analysis, measured_ns, scenario.objective.recovery).block());
    Section::new("outages", "Outages", blocks).detailed(Shown::Everything).brief_line("Outages", brief)
}

/// That there was none, and what that means for the limit.
fn none(limit: Option<Duration>) -> String {
    let limit = limit.map(|limit| format!(" objective.recovery ({}) is met.", format::setting(limit)));
    format!("No outage in the measured period.{}", limit.unwrap_or_default())
}

/// The longest outage in a sentence, and the number of the others.
fn in_brief(analysis: &Analysis, measured_ns: Nanos) -> Option<String> {
    let longest = analysis.outages.iter().max_by_key(|outage| {
        let length = outage.length(measured_ns);
        (length.most.is_none(), length.least)
    })?;
    let others = match analysis.outages.len() - 1 {
        0 => String::new(),
        count => format!(" {} in the report.", format::counted(count as u64, "more outage", "more outages")),
    };
    Some(format!("{}{others}", sentence(longest, measured_ns)))
}

/// An outage in a sentence.
fn sentence(outage: &Outage, measured_ns: Nanos) -> String {
    let cause = outage.event.as_ref().map(|event| format!(", after the event {event}")).unwrap_or_default();
    let recovery = match (outage.ended, outage.recovered_ns) {
        (None, _) => "it did not end within the measured period".to_owned(),
        (_, None) => "the objective was not met again within the measured period".to_owned(),
        _ => format!("the objective was met again after {}", bounds(outage.recovery(measured_ns))),
    };
    format!(
        "{} completed no request for {} from second {}{cause}; {} failed and {} late; {recovery}.",
        name(&outage.subject),
        bounds(outage.length(measured_ns)),
        events::second(outage.began.to_ns),
        format::counted(outage.failed, "request", "requests"),
        match outage.late {
            1 => "1 was".to_owned(),
            count => format!("{} were", format::count(count)),
        },
    )
}

fn name(subject: &Subject) -> String {
    match subject {
        Subject::Service(name) => format!("Service {name}"),
        Subject::Node { address, successor: None } => format!("Node {address}"),
        Subject::Node { address, successor: Some(successor) } => format!("Node {address} (then {successor})"),
    }
}

/// `1.24 s`, `2.00 to 4.00 s`, or `≥ 5.00 s`.
fn bounds(time: Bounds) -> String {
    bounds_to(time, 2)
}

fn bounds_to(time: Bounds, decimals: usize) -> String {
    let number = |nanos: Nanos| format!("{:.decimals$}", nanos as f64 / SECOND as f64);
    let seconds = match time.most {
        None => format!("≥{}{}", format::THIN, number(time.least)),
        Some(most) if number(most) == number(time.least) => number(most),
        Some(most) => format!("{} to {}", number(time.least), number(most)),
    };
    format!("{seconds}{}s", format::THIN)
}

fn table(analysis: &Analysis, measured_ns: Nanos, limit: Option<Duration>) -> Table {
    let instant =
        |from: Nanos, to: Nanos| if from == to { second(to) } else { format!("{} to {}", second(from), second(to)) };
    let by_node = analysis.outages.iter().any(|outage| matches!(outage.subject, Subject::Node { .. }));
    let notes = [
        Some(format!(
            "An outage lasts from the last completed request to the first one after it. It is a time without completed requests of \
             a second and more, or of the objective's latency and more if requests failed or connections were lost. Met again: from \
             then on every second met the objective, for {STEADY}{}s or until the end. Failed and late count until then.",
            format::THIN
        )),
        by_node.then(|| {
            "Of nodes, times of a second and more are listed, and shorter ones until another node took over.".to_owned()
        }),
        limit.map(|limit| {
            format!(
                "objective.recovery: {} from the beginning until the objective is met again.",
                format::setting(limit)
            )
        }),
    ];
    Table::of("outages", "Outages and recovery", &analysis.outages)
        .head("Subject", |outage| name(&outage.subject))
        .numbers("Began", 0, |outage| instant(outage.began.from_ns, outage.began.to_ns))
        .numbers("No completed request for", 0, |outage| bounds(outage.length(measured_ns)))
        .words("Objective met again after", 0, |outage| recovery(outage, measured_ns, limit))
        .numbers("Failed", 0, |outage| format::count(outage.failed))
        .numbers("Late", 1, |outage| format::count(outage.late))
        .words("Event", 1, |outage| outage.event.as_deref().unwrap_or(NOTHING))
        .table()
        .noted(notes.into_iter().flatten())
}

fn recovery(outage: &Outage, measured_ns: Nanos, limit: Option<Duration>) -> Cell {
    let took = outage.recovery(measured_ns);
    let is_late = limit.is_some_and(|limit| took.least > limit.as_nanos() as Nanos);
    Cell::new(bounds(took), if is_late || took.most.is_none() { Tone::Bad } else { Tone::Plain })
}

/// The reason of a verdict.
pub(super) fn clause(subject: &str, took: Bounds, limit: Nanos) -> String {
    let verb = if took.most.is_some() { "was met again after" } else { "was not met again in" };
    let took = Bounds { most: took.most.or(Some(took.least)), ..took };
    // So many digits that a time beyond the limit, or within it, does not read like the limit itself.
    let reads_alike = |nanos: Nanos, decimals: usize| {
        let unit = SECOND / 10_u64.pow(decimals as u32);
        nanos != limit && nanos.abs_diff(limit) <= unit
    };
    let ends = [Some(took.least), took.most];
    let decimals = (2..9).find(|decimals| !ends.iter().flatten().any(|end| reads_alike(*end, *decimals)));
    let (took, limit) = (bounds_to(took, decimals.unwrap_or(9)), format::setting(Duration::from_nanos(limit)));
    format!("the objective {verb} {took} from the beginning of an outage of {subject} ({limit} allowed)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_their_bounds() {
        let of = |least: f64, most: Option<f64>| {
            let nanos = |seconds: f64| (seconds * 1e9) as Nanos;
            bounds(Bounds { least: nanos(least), most: most.map(nanos) }).replace(format::THIN, " ")
        };
        assert_eq!(of(1.239, Some(1.241)), "1.24 s");
        assert_eq!(of(2.0, Some(4.0)), "2.00 to 4.00 s");
        assert_eq!(of(5.0, None), "≥ 5.00 s");
    }

    #[test]
    fn a_limit_without_an_outage_is_met() {
        let of = |limit| none(limit).replace(format::THIN, " ");
        assert_eq!(of(None), "No outage in the measured period.");
        let limited = of(Some(Duration::from_secs(15)));
        assert_eq!(limited, "No outage in the measured period. objective.recovery (15 s) is met.");
    }

    #[test]
    fn a_limit_is_named_with_what_was_observed() {
        let of = |most: Option<Nanos>| {
            clause("api", Bounds { least: 3 * SECOND, most }, 2 * SECOND).replace(format::THIN, " ")
        };
        assert_eq!(
            of(Some(4 * SECOND)),
            "the objective was met again after 3.00 to 4.00 s from the beginning of an outage of api (2 s allowed)"
        );
        assert!(of(None).starts_with("the objective was not met again in 3.00 s from"), "{}", of(None));
        let close = clause("api", Bounds { least: 999_780_000, most: Some(1_000_400_000) }, SECOND);
        assert!(close.contains("after 0.9998 to 1.0004"), "{close}");
    }
}
