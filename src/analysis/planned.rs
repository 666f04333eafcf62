//! What the scenario's own events explain: the seconds that follow them.

use std::ops::RangeInclusive;

use crate::{
    measure::{Nanos, SECOND, Span},
    results::EventRecord,
};

/// Seconds of the measured period that follow an event of the scenario, by its action.
pub(super) struct Planned<'a>(Vec<(RangeInclusive<u32>, &'a str)>);

impl<'a> Planned<'a> {
    /// An event explains the seconds from its beginning until one after its end, and those of the outages that followed it, until the
    /// objective was met again.
    pub(super) fn new(
        events: &'a [EventRecord],
        outages: impl Iterator<Item = (RangeInclusive<u32>, &'a str)>,
    ) -> Self {
        let of_event = |event: &'a EventRecord| Some((second(event.began_ns?)..=second(done(event)? + SECOND), event));
        let own = events.iter().filter(|event| event.failure.is_none()).filter_map(of_event);
        let own = own.map(|(seconds, event)| (seconds, event.action.as_str()));
        Self(own.chain(outages).collect())
    }

    /// The events that explain all of these seconds, in words; `None` where there is a second that none explains, or no second.
    pub(super) fn cause(&self, seconds: impl Iterator<Item = u32>) -> Option<String> {
        let mut actions: Vec<&str> = Vec::new();
        for second in seconds {
            let (_, action) = self.0.iter().rfind(|(explained, _)| explained.contains(&second))?;
            if !actions.contains(action) {
                actions.push(action);
            }
        }
        (!actions.is_empty()).then(|| actions.join(", "))
    }
}

/// Time after the last completed request within which an event may have begun that caused the outage: requests are that far apart.
const BETWEEN_REQUESTS: Nanos = SECOND / 10;

/// The last successful event that began before an outage did, if it ended no more than a second before: one on the node itself
/// rather than another.
pub(super) fn before<'a>(events: &'a [EventRecord], began: Span, address: Option<&str>) -> Option<&'a EventRecord> {
    let key = |event: &'a EventRecord| {
        let start =
            event.began_ns.filter(|start| event.failure.is_none() && *start <= began.to_ns + BETWEEN_REQUESTS)?;
        let is_own = address.is_some() && event.node.as_deref() == address;
        (done(event)? + SECOND >= began.from_ns).then_some((is_own, start, event))
    };
    events.iter().filter_map(key).max_by_key(|(is_own, start, _)| (*is_own, *start)).map(|(.., event)| event)
}

fn done(event: &EventRecord) -> Option<Nanos> {
    event.ended_ns.or(event.began_ns)
}

fn second(at: Nanos) -> u32 {
    (at / SECOND) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(action: &str, began_ns: Nanos) -> EventRecord {
        EventRecord {
            action: action.to_owned(),
            planned_ns: began_ns,
            began_ns: Some(began_ns),
            ended_ns: None,
            node: None,
            failure: None,
            outcome: None,
        }
    }

    #[test]
    fn an_event_explains_the_second_after_it_and_no_other() {
        let events = [event("kill:1", 3 * SECOND), event("failover", 8 * SECOND)];
        let planned = Planned::new(&events, std::iter::empty());
        assert_eq!(planned.cause([3, 4].into_iter()).as_deref(), Some("kill:1"));
        assert_eq!(planned.cause([3, 9].into_iter()).as_deref(), Some("kill:1, failover"));
        assert_eq!(planned.cause([2, 3].into_iter()), None, "a second before it");
        assert_eq!(planned.cause([3, 5].into_iter()), None, "two seconds after it");
        assert_eq!(planned.cause(std::iter::empty()), None);
    }

    #[test]
    fn an_event_that_failed_explains_nothing() {
        let failed = EventRecord { failure: Some("no such node".to_owned()), ..event("kill:9", 3 * SECOND) };
        assert_eq!(Planned::new(&[failed], std::iter::empty()).cause([3].into_iter()), None);
    }
}
