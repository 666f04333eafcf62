//! Outages: spans in which a service, or a node of a cluster, completed no request although requests were under way or failed,
//! and the time until the objective was met again.

use std::ops::RangeInclusive;

use super::{
    nodes::NodeRow,
    planned,
    row::Row,
    served::{Gap, first, gaps},
    silence::Silence,
    spans::union,
    timeline::{Moment, Timeline},
};
use crate::{
    measure::{Nanos, Recording, SECOND, ServiceRecord, Span},
    results::{EventRecord, NodeFacts, Verdict},
    scenario::Objective,
};

/// Length from which a span is an outage although no request failed and no connection was lost in it. A shorter one is a stall.
const LONG: Nanos = SECOND;

/// Number of seconds in a row, or all until the end of the measured period, that have to meet the objective for it to be met again.
pub const STEADY: u32 = 10;

/// Requests of a node that its mean rate lets expect in a gap that is a sign of an outage: chance alone leaves one gap of 160 000 that
/// long (e^-12).
const EXPECTED: f64 = 12.0;

/// An outage. Its instants are known within bounds, in nanoseconds since the start of the measured period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outage {
    /// Service or node.
    pub subject: Subject,
    /// Bounds of the last completed request before it.
    pub began: Span,
    /// Bounds of the first completed request after it; `None` where there is none.
    pub ended: Option<Span>,
    /// Requests that failed until the objective was met again, and in the second in which it ended.
    pub failed: u64,
    /// Requests that completed late until then.
    pub late: u64,
    /// Start of the first second from which on the objective was met; `None` where it was not.
    pub recovered_ns: Option<Nanos>,
    /// Seconds of the measured period from its beginning until the objective was met again.
    pub affected: RangeInclusive<u32>,
    /// Action of the event of the scenario that came last before it.
    pub event: Option<String>,
}

/// Subject of an outage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A service, by its name.
    Service(String),
    /// A node, by its address, and the node that took over its slots.
    Node {
        /// Address.
        address: String,
        /// Address of the node that completed requests after it, where that is another one.
        successor: Option<String>,
    },
}

impl Subject {
    /// Its name or address.
    pub fn name(&self) -> &str {
        match self {
            Self::Service(name) | Self::Node { address: name, .. } => name,
        }
    }
}

/// A time of which the bounds are known; `None` where there is no upper one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Lower bound.
    pub least: Nanos,
    /// Upper bound.
    pub most: Option<Nanos>,
}

impl Outage {
    /// The seconds that it affected, with the event that it followed.
    pub(super) fn explained(&self) -> Option<(RangeInclusive<u32>, &str)> {
        Some((self.affected.clone(), self.event.as_deref()?))
    }

    /// Time without a completed request.
    pub fn length(&self, measured_ns: Nanos) -> Bounds {
        let end = self.ended.map_or(measured_ns, |ended| ended.from_ns);
        Bounds {
            least: end.saturating_sub(self.began.to_ns),
            most: self.ended.map(|ended| ended.to_ns.saturating_sub(self.began.from_ns)),
        }
    }

    /// Time from its beginning until the objective was met again. It was met from an instant of the second before `recovered_ns` on.
    pub fn recovery(&self, measured_ns: Nanos) -> Bounds {
        let (Some(recovered), Some(ended)) = (self.recovered_ns, self.ended) else {
            return Bounds { least: measured_ns.saturating_sub(self.began.to_ns), most: None };
        };
        let least = recovered.saturating_sub(SECOND).max(ended.from_ns).saturating_sub(self.began.to_ns);
        Bounds { least, most: Some(recovered.max(ended.to_ns).saturating_sub(self.began.from_ns)) }
    }
}

impl Bounds {
    /// Comparison with a limit: *inconclusive* where the limit lies between the bounds.
    fn verdict(self, limit: Nanos) -> Verdict {
        match self.most {
            _ if self.least > limit => Verdict::Fail,
            Some(most) if most <= limit => Verdict::Pass,
            _ => Verdict::Inconclusive,
        }
    }
}

/// Evidence of outages.
#[derive(Clone, Copy)]
pub(super) struct Observed<'a> {
    pub(super) recording: &'a Recording,
    pub(super) rows: &'a [Row],
    pub(super) timelines: &'a [Timeline],
    pub(super) silences: &'a [Silence],
    pub(super) nodes: &'a [NodeRow],
    pub(super) events: &'a [EventRecord],
    pub(super) objective: &'a Objective,
}

/// Outages of services and nodes, in the order of time.
pub(super) fn outages(observed: Observed<'_>) -> Vec<Outage> {
    let of_services = observed.recording.services.iter().flat_map(|record| of_service(observed, record));
    let mut outages: Vec<Outage> = of_services.chain(of_nodes(observed)).collect();
    outages.sort_by_key(|outage| (outage.began.to_ns, matches!(outage.subject, Subject::Node { .. })));
    outages
}

/// The outage that took longest until the objective was met again, with what that means for a limit; `None` without an outage.
pub(super) fn worst(outages: &[Outage], measured_ns: Nanos, limit: Nanos) -> Option<(&Outage, Verdict)> {
    let judged = outages.iter().map(|outage| (outage, outage.recovery(measured_ns)));
    let worst = judged
        .max_by_key(|(_, recovery)| (recovery.verdict(limit), recovery.most.is_none(), recovery.most, recovery.least));
    worst.map(|(outage, recovery)| (outage, recovery.verdict(limit)))
}

fn of_service(observed: Observed<'_>, record: &ServiceRecord) -> Vec<Outage> {
    let is_own = |row: &Row| row.scope.operation.is_none() && row.scope.service.as_deref() == Some(&record.name);
    let Some(at) = observed.rows.iter().position(is_own) else { return Vec::new() };
    let moments = &observed.timelines[at].seconds;
    let silent = observed.silences.iter().filter(|silence| silence.service == record.name);
    let empty = empty_seconds(observed, moments, |moment| moment.answered == 0 && moment.failed > 0);
    let spans = union(silent.flat_map(|silence| silence.spans.iter().copied()).chain(empty).collect());
    let measured = observed.recording.period.measured_ns;
    let latency = observed.objective.latency.as_nanos() as Nanos;
    let outage = |span: Span| {
        let (began, ended) = (began(span, moments), ended(span, moments, measured));
        let to = ended.map_or(measured, |ended| ended.from_ns);
        let length = to.saturating_sub(began.to_ns);
        let within = |second: u32| (second_of(began.from_ns)..=second_of(to)).contains(&second);
        let lost = record.seconds.iter().any(|second| within(second.second) && second.lost > 0);
        let failed = moments.iter().any(|moment| within(moment.second) && moment.failed > 0);
        let long = observed.objective.recovery.map_or(LONG, |limit| LONG.min(limit.as_nanos() as Nanos).max(latency));
        let counts = length >= long || (length >= latency && (lost || failed));
        counts.then(|| finish(observed, Subject::Service(record.name.clone()), (began, ended), moments, &[moments]))
    };
    spans.into_iter().filter_map(outage).collect()
}

/// Outages of nodes by the gaps between their successes.
fn of_nodes(observed: Observed<'_>) -> Vec<Outage> {
    let measured = observed.recording.period.measured_ns;
    let latency = observed.objective.latency.as_nanos() as Nanos;
    let Some(whole) = observed.timelines.last() else { return Vec::new() };
    let mut outages = Vec::new();
    for row in observed.nodes.iter().filter(|row| row.before.as_ref().is_some_and(|node| node.slots > 0)) {
        let Some(moments) = row.load.as_ref().map(|load| &load.timeline.seconds) else { continue };
        // The rate while it served: a node that lost its slots serves nothing afterwards.
        let serving = moments.iter().filter(|moment| moment.completed > 0);
        let (sum, count) = serving.fold((0, 0), |(sum, count), moment| (sum + moment.completed, count + 1_u64));
        let rate = sum as f64 / count.max(1) as f64;
        let is_telling = |gap: &Gap| {
            let least = gap.least(measured);
            let within = second_of(gap.began.to_ns)..=second_of(gap.began.to_ns + least);
            let fails = |moment: &Moment| within.contains(&moment.second) && moment.completed == 0 && moment.failed > 0;
            least >= LONG && (rate * least as f64 / SECOND as f64 >= EXPECTED || moments.iter().any(fails))
        };
        for Gap { began, ended } in gaps(&observed.recording.nodes, &row.name, measured).into_iter().filter(is_telling)
        {
            let successor = if ended.is_none() { successor(observed, row, began) } else { None };
            let (successor, ended) = successor.map_or((None, ended), |(name, first)| {
                let after = |at: Nanos| at.max(began.from_ns);
                (Some(name), Some(Span { from_ns: after(first.from_ns), to_ns: after(first.to_ns) }))
            });
            let next = observed.nodes.iter().find(|row| Some(&row.name) == successor.as_ref());
            let next = next.and_then(|row| row.load.as_ref());
            let own = [Some(moments.as_slice()), next.map(|load| load.timeline.seconds.as_slice())];
            let own: Vec<&[Moment]> = own.into_iter().flatten().collect();
            let subject = Subject::Node { address: row.name.clone(), successor };
            let outage = finish(observed, subject, (began, ended), &whole.seconds, &own);
            // Another node may have taken over soon, or without a request being affected.
            let length = outage.length(measured);
            let is_felt = length.most.is_none_or(|most| most >= latency) && outage.failed + outage.late > 0;
            outages.extend((length.least >= LONG || is_felt).then_some(outage));
        }
    }
    outages
}

/// The node that became a primary with slots and completed its first request next after an instant, with the bounds of that.
fn successor(observed: Observed<'_>, lost: &NodeRow, since: Span) -> Option<(String, Span)> {
    let is_new = |row: &&NodeRow| {
        let slots = |facts: &Option<NodeFacts>| facts.as_ref().map_or(0, |node| node.slots);
        row.name != lost.name && slots(&row.before) == 0 && slots(&row.after) > 0
    };
    let first = |row: &NodeRow| Some((row.name.clone(), first(&observed.recording.nodes, &row.name)?));
    // The first of its slots may have moved before the last.
    let after = |(_, first): &(String, Span)| first.to_ns + SECOND >= since.to_ns;
    observed.nodes.iter().filter(is_new).filter_map(first).filter(after).min_by_key(|(_, first)| first.from_ns)
}

/// Whole seconds of the measured period that a condition holds for.
fn empty_seconds<'a>(
    observed: Observed<'_>,
    moments: &'a [Moment],
    is_empty: impl Fn(&Moment) -> bool + 'a,
) -> impl Iterator<Item = Span> + 'a {
    let whole = second_of(observed.recording.period.measured_ns);
    let empty = moments.iter().filter(move |moment| moment.second < whole && is_empty(moment));
    empty.map(|moment| second(moment.second))
}

fn second(second: u32) -> Span {
    let from_ns = Nanos::from(second) * SECOND;
    Span { from_ns, to_ns: from_ns + SECOND }
}

fn second_of(at: Nanos) -> u32 {
    (at / SECOND) as u32
}

/// Whether the server refused requests in the second of an instant: then the first or the last reply may have been an error.
fn is_refused(moments: &[Moment], at: Nanos) -> bool {
    moments.get(second_of(at) as usize).is_some_and(|moment| moment.refused > 0)
}

/// Bounds of the last completed request before a span. A span that begins with a second was found by the counts of seconds.
fn began(span: Span, moments: &[Moment]) -> Span {
    let from_ns = match span.from_ns {
        from if from.is_multiple_of(SECOND) => from.saturating_sub(SECOND),
        from if is_refused(moments, from) => from - from % SECOND,
        from => from,
    };
    Span { from_ns, to_ns: span.from_ns }
}

/// Bounds of the first completed request after a span; `None` where it reaches the end of the measured period.
fn ended(span: Span, moments: &[Moment], measured_ns: Nanos) -> Option<Span> {
    let by_second = span.to_ns.is_multiple_of(SECOND);
    let to_ns = match span.to_ns {
        to if by_second || is_refused(moments, to) => to - to % SECOND + SECOND,
        to => to,
    };
    let completes = || moments.get(second_of(span.to_ns) as usize).is_some_and(|moment| moment.completed > 0);
    let is_back = span.to_ns < measured_ns && (!by_second || completes());
    is_back.then_some(Span { from_ns: span.to_ns, to_ns: to_ns.min(measured_ns) })
}

/// An outage whose recovery is that of some requests, and whose failed and late requests are among others.
fn finish(
    observed: Observed<'_>,
    subject: Subject,
    (began, ended): (Span, Option<Span>),
    moments: &[Moment],
    own: &[&[Moment]],
) -> Outage {
    let whole = second_of(observed.recording.period.measured_ns);
    let recovered = ended.and_then(|ended| recovered(moments, second_of(ended.from_ns)..whole, observed.objective));
    // In the second in which requests complete again, those that waited are late, and may be few among many.
    let until =
        recovered.zip(ended).map_or(u32::MAX, |(recovered, ended)| recovered.max(second_of(ended.to_ns) + 1) - 1);
    let affected = second_of(began.from_ns)..=until;
    let own = || own.iter().copied().flatten().filter(|moment| affected.contains(&moment.second));
    let sum = |of: fn(&Moment) -> u64| own().map(of).sum();
    let address = match &subject {
        Subject::Service(_) => None,
        Subject::Node { address, .. } => Some(address.as_str()),
    };
    Outage {
        event: planned::before(observed.events, began, address).map(|event| event.action.clone()),
        failed: sum(|moment| moment.failed),
        late: sum(|moment| moment.late),
        recovered_ns: recovered.map(|second| Nanos::from(second) * SECOND),
        subject,
        began,
        ended,
        affected,
    }
}

/// First second from which on the objective was met.
fn recovered(moments: &[Moment], mut seconds: std::ops::Range<u32>, objective: &Objective) -> Option<u32> {
    let allowed = objective.allowed();
    let end = seconds.end;
    let is_met = |second: u32| {
        let Some(moment) = moments.get(second as usize) else { return true };
        let all = (moment.completed + moment.failed) as f64;
        (moment.late + moment.failed) as f64 <= allowed * all && moment.failed as f64 <= objective.max_error_rate * all
    };
    seconds.find(|&first| (first..end.min(first + STEADY)).all(is_met))
}

#[cfg(test)]
mod tests;
