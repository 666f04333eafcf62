//! Events of the scenario: what was done, and when.

use super::{Block, Cell, Section, Shown, Table, Tone};
use crate::{
    measure::{Nanos, SECOND},
    report::format::{self, NOTHING},
    results::EventRecord,
};

/// What the section shows; empty where nothing was planned.
pub(super) fn section(events: &[EventRecord]) -> Section {
    Section::new("events", "Events", table(events).block())
        .detailed(Shown::Everything)
        .brief(in_brief(events).map(|line| Block::Facts(vec![("Events".to_owned(), line)])))
}

fn in_brief(events: &[EventRecord]) -> Option<String> {
    let one = |event: &EventRecord| match (event.began_ns, &event.failure) {
        (None, _) => format!("{} did not take place", event.action),
        (Some(began), Some(failure)) => format!("{} at {} failed ({failure})", event.action, second(began)),
        (Some(began), None) => {
            let outcome = event.outcome.as_ref().map(|outcome| format!(" ({outcome})"));
            format!("{} at {}{}", event.action, second(began), outcome.unwrap_or_default())
        }
    };
    (!events.is_empty()).then(|| format!("{}.", in_order(events).map(one).collect::<Vec<_>>().join(", ")))
}

/// Events in the order in which they began, those that did not at last.
fn in_order(events: &[EventRecord]) -> impl Iterator<Item = &EventRecord> {
    let mut sorted: Vec<&EventRecord> = events.iter().collect();
    sorted.sort_by_key(|event| (event.began_ns.is_none(), event.began_ns, event.planned_ns));
    sorted.into_iter()
}

fn table(events: &[EventRecord]) -> Table {
    let time = |at: Option<Nanos>| at.map_or(NOTHING.to_owned(), second);
    Table::of("events", "Events of the scenario", in_order(events))
        .head("Event", |event| &event.action)
        .numbers("Planned", 2, |event| second(event.planned_ns))
        .numbers("Began", 0, |event| time(event.began_ns))
        .numbers("Ended", 1, |event| time(event.ended_ns))
        .words("Node", 1, |event| event.node.clone().unwrap_or_else(|| NOTHING.to_owned()))
        .words("Outcome", 0, |event| outcome(event))
        .table()
        .noted([
            "Times since the start of the measured period. A suspended node continues at the end; one that is started again answers \
             then; the last slot has moved then; a command has its reply, or has ended, then.",
        ])
}

fn outcome(event: &EventRecord) -> Cell {
    match (event.began_ns, &event.failure) {
        (None, _) => Cell::new("the run ended before", Tone::Bad),
        (_, Some(failure)) => Cell::new(format!("failed: {}", failure.trim_end_matches('.')), Tone::Bad),
        (_, None) => event.outcome.as_deref().unwrap_or("done").into(),
    }
}

/// An instant of the measured period: `5.002 s`.
pub(super) fn second(at: Nanos) -> String {
    format!("{:.3}{}s", at as f64 / SECOND as f64, format::THIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_tells_its_outcome() {
        let event = |action: &str, began_ns: Option<Nanos>, failure: Option<&str>| EventRecord {
            action: action.to_owned(),
            planned_ns: SECOND,
            began_ns,
            ended_ns: began_ns,
            node: None,
            failure: failure.map(str::to_owned),
            outcome: None,
        };
        let events = [
            event("failover", Some(2 * SECOND), Some("no Sentinel answers")),
            event("kill:1", Some(SECOND + 2_000_000), None),
            event("restart:1", None, None),
        ];
        let brief = in_brief(&events).unwrap().replace(format::THIN, " ");
        assert_eq!(
            brief,
            "kill:1 at 1.002 s, failover at 2.000 s failed (no Sentinel answers), restart:1 did not take place."
        );
        assert!(in_brief(&[]).is_none());
        let moved = EventRecord { outcome: Some("2 slots moved".to_owned()), ..event("reshard:2", Some(1), None) };
        assert_eq!(outcome(&events[1]), "done".into());
        assert_eq!(outcome(&moved), "2 slots moved".into());
        let brief = in_brief(&[moved]).unwrap().replace(format::THIN, " ");
        assert_eq!(brief, "reshard:2 at 0.000 s (2 slots moved).");
    }
}
