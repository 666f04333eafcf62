//! Finds what stands out in the course of the run: stalls and bursts.

use std::ops::Range;

use statrs::function::gamma::gamma_lr;

use super::{
    silence::{SHORTEST, Silence},
    spans::{total_until, union, without},
    timeline::{Moment, Timeline},
    trend::median,
};
use crate::measure::{Nanos, Recording, SECOND, Span};

/// Stalls, bursts and trends of the run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Events {
    /// Spans in which nothing, or next to nothing, was answered, in order.
    pub stalls: Vec<Stall>,
    /// Spans in which the harness did not run, in order.
    pub pauses: Vec<Stall>,
    /// Clusters of late and failed requests outside of stalls and pauses, in order.
    pub bursts: Vec<Burst>,
    /// Late, failed and unfinished requests outside of all of these, and all requests there.
    pub outside: (u64, u64),
}

/// A span in which nothing, or next to nothing, was answered although requests were under way.
#[derive(Debug, Clone, PartialEq)]
pub struct Stall {
    /// When.
    pub span: Span,
    /// The services that it concerned; empty where it was all of them.
    pub services: Vec<String>,
    /// Late, failed and unfinished requests that belong to it.
    pub bad: u64,
    /// Whether answers came again before the run ended.
    pub ended: bool,
}

/// Seconds in a row with many more late and failed requests than chance would put there.
#[derive(Debug, Clone, PartialEq)]
pub struct Burst {
    /// Its first second, counted from the start of the measured period.
    pub from: u32,
    /// Its last second.
    pub to: u32,
    /// Late and failed requests in it.
    pub bad: u64,
}

/// Share of the usual number of answers of a second below which next to nothing was answered in it.
const NEXT_TO_NOTHING: f64 = 0.05;

/// Seconds that it takes to know what is usual.
const SECONDS: usize = 3;

/// Late and failed requests of a second from which on it can be a burst.
const MANY: u64 = 10;

/// Probability, over all seconds, below which a count of late and failed requests is no chance but a burst.
const CHANCE: f64 = 0.001;

/// Seconds behind an event belong to it while they have more than this multiple of the usual late and failed requests.
const WORKED_OFF: u64 = 2;

/// The events of a run.
///
/// A stall is a silence of a service (requests under way, none answered, the harness running) that is longer than 10 ms and
/// than ten times the mean time between two answers of that service, or a second in which less than a twentieth of the usual
/// number of answers came of all services together. Silences of several services that overlap are one stall. A pause of the
/// harness of more than 10 ms is an event of its own and no stall.
///
/// The late and failed requests of the seconds of a stall or pause belong to it, and those of the seconds behind it as long as
/// they have more than twice the median number; the longest comes first. The share that is late and failed in other seconds as
/// well does not count, nor does an error reply, which nobody waited for; where there are no other seconds, no more count than
/// fell due in the span. A stall or pause that is shorter than the latency allowed takes none, since it made no request late by
/// itself.
///
/// A burst is a second outside of stalls with ten late or failed requests or more, a count that a Poisson process with the mean
/// of the other seconds reaches in one of all seconds in less than one run of a thousand; with the seconds behind it as for a
/// stall.
pub(super) fn events(
    recording: &Recording,
    whole: &Timeline,
    silences: &[Silence],
    pauses: &[Span],
    (latency, unfinished): (Nanos, u64),
) -> Events {
    let seconds = &whole.seconds;
    let measured = recording.period.measured_ns;
    let mut stalls = stalls(recording, whole, silences, pauses);
    let is_long = |span: &Span| span.from_ns < measured && span.length() > SHORTEST;
    let pause = |span| Stall { span, services: Vec::new(), bad: 0, ended: true };
    let mut pauses: Vec<Stall> = pauses.iter().copied().filter(is_long).map(pause).collect();
    let counts: Vec<u64> = seconds.iter().map(waited).collect();
    let usual = usual(&counts);

    let mut taken = vec![false; seconds.len()];
    let mut longest: Vec<&mut Stall> = stalls.iter_mut().chain(&mut pauses).collect();
    longest.sort_by_key(|stall| std::cmp::Reverse(stall.span.length()));
    let harmful = longest.into_iter().filter(|stall| stall.span.length() >= latency || !stall.ended);
    let harmful: Vec<(&mut Stall, Vec<usize>)> = harmful
        .map(|stall| {
            let own =
                held_up(&stall.span, &counts, usual).filter(|second| !std::mem::replace(&mut taken[*second], true));
            let own = own.collect();
            (stall, own)
        })
        .collect();
    let always = always(seconds, &taken);
    let all: u64 = seconds.iter().map(finished).sum::<u64>() + unfinished;
    for (stall, own) in harmful {
        let more = |second: usize| match always {
            Some(share) => counts[second].saturating_sub((share * finished(&seconds[second]) as f64).round() as u64),
            None => counts[second],
        };
        let due = (all as f64 * stall.span.length() as f64 / measured.max(1) as f64).ceil() as u64;
        stall.bad = own.into_iter().map(more).sum::<u64>().min(if always.is_some() { u64::MAX } else { due });
    }
    if let Some(last) = stalls.iter_mut().rfind(|stall| !stall.ended) {
        last.bad += unfinished;
    }
    let bursts = bursts(seconds, usual, &mut taken);
    let inside = stalls.iter().chain(&pauses).map(|stall| stall.bad).chain(bursts.iter().map(|burst| burst.bad));
    let inside: u64 = inside.sum();
    let all_bad = seconds.iter().map(bad).sum::<u64>() + unfinished;
    Events { stalls, pauses, bursts, outside: (all_bad.saturating_sub(inside), all.saturating_sub(inside)) }
}

/// Share of late and failed requests in the seconds that no stall or pause has taken, the median; `None` without such seconds.
fn always(seconds: &[Moment], taken: &[bool]) -> Option<f64> {
    let quiet = seconds.iter().zip(taken).filter(|(moment, taken)| !**taken && finished(moment) > 0);
    let mut shares: Vec<f64> = quiet.map(|(moment, _)| waited(moment) as f64 / finished(moment) as f64).collect();
    median(&mut shares)
}

/// Late requests, and failures that are no error replies.
fn waited(moment: &Moment) -> u64 {
    bad(moment) - moment.refused
}

fn bad(moment: &Moment) -> u64 {
    moment.late + moment.failed
}

/// Median of counts by second, the upper of two; 0 without any.
pub(super) fn usual(counts: &[u64]) -> u64 {
    let mut counts = counts.to_vec();
    counts.sort_unstable();
    counts.get(counts.len() / 2).copied().unwrap_or(0)
}

/// Whether a second behind an event still has the requests that the event held up.
fn is_aftermath(count: u64, usual: u64) -> bool {
    count > WORKED_OFF * usual
}

/// Seconds whose late and failed requests belong to a span: those of the span, and those behind it as long as they have more than
/// twice the usual number.
pub(super) fn held_up(span: &Span, counts: &[u64], usual: u64) -> Range<usize> {
    // The effect of an end in the last instants of a second shows in the next.
    let [from, last] = [span.from_ns, span.to_ns.saturating_sub(1)].map(|at| (at / SECOND) as usize);
    let behind = counts.iter().skip(last + 1).take_while(|count| is_aftermath(**count, usual));
    from..(last + 1 + behind.count()).min(counts.len())
}

fn finished(moment: &Moment) -> u64 {
    moment.completed + moment.failed
}

fn stalls(recording: &Recording, whole: &Timeline, silences: &[Silence], pauses: &[Span]) -> Vec<Stall> {
    let measured = recording.period.measured_ns;
    let of_services: Vec<(&Silence, Span)> =
        silences.iter().flat_map(|silence| silence.stalls.iter().map(move |span| (silence, *span))).collect();
    let thin = thin_seconds(&whole.seconds, (measured / SECOND) as usize, pauses);
    let all = union(of_services.iter().map(|(_, span)| *span).chain(thin.iter().copied()).collect());
    all.into_iter()
        .map(|span| {
            let overlaps = |other: &Span| other.from_ns < span.to_ns && span.from_ns < other.to_ns;
            let mut services: Vec<String> = of_services
                .iter()
                .filter(|(_, own)| overlaps(own))
                .map(|(silence, _)| silence.service.clone())
                .collect();
            services.sort_unstable();
            services.dedup();
            if services.len() == silences.len() || thin.iter().any(overlaps) {
                services.clear();
            }
            let gone = |silence: &Silence| {
                silence.gone_since.is_some_and(|since| span.from_ns <= since && since <= span.to_ns)
            };
            Stall { span, services, bad: 0, ended: !silences.iter().any(gone) }
        })
        .collect()
}

/// Whole seconds of the measured period in which next to nothing was answered although requests were under way and the harness
/// ran, without the time in which it did not.
fn thin_seconds(seconds: &[Moment], whole: usize, pauses: &[Span]) -> Vec<Span> {
    let seconds = &seconds[..seconds.len().min(whole)];
    if seconds.len() < SECONDS {
        return Vec::new();
    }
    let usual = usual(&seconds.iter().map(|moment| moment.answered).collect::<Vec<_>>());
    let run = |moment: &Moment| {
        let from_ns = u64::from(moment.second) * SECOND;
        without(&[Span { from_ns, to_ns: from_ns + SECOND }], pauses)
    };
    let is_thin = |moment: &&Moment| {
        let share = total_until(&run(moment), Nanos::MAX) as f64 / SECOND as f64;
        (moment.answered as f64) < NEXT_TO_NOTHING * usual as f64 * share
            && moment.in_system.is_some_and(|number| number > 0.0)
    };
    seconds.iter().filter(is_thin).flat_map(run).collect()
}

fn bursts(seconds: &[Moment], usual: u64, taken: &mut [bool]) -> Vec<Burst> {
    let free = || seconds.iter().enumerate().filter(|(second, _)| !taken[*second]).map(|(_, moment)| moment);
    let (all_bad, all) = free().fold((0, 0), |(sum, all), moment| (sum + bad(moment), all + finished(moment)));
    let is_burst = |moment: &Moment| {
        let (count, others) = (bad(moment), all - finished(moment));
        let expected = if others > 0 {
            (all_bad - count) as f64 / others as f64 * finished(moment) as f64
        } else {
            // There is nothing to compare it with.
            return false;
        };
        // The chance of this count or more, of a Poisson distribution with that mean.
        let chance = |count: u64| if expected > 0.0 { gamma_lr(count as f64, expected) } else { 0.0 };
        count >= MANY && chance(count) * (seconds.len() as f64) < CHANCE
    };
    let found: Vec<bool> = seconds.iter().zip(taken.iter()).map(|(moment, taken)| !taken && is_burst(moment)).collect();
    let mut bursts: Vec<Burst> = Vec::new();
    for (place, moment) in seconds.iter().enumerate() {
        let goes_on = |last: &Burst| last.to + 1 == moment.second && is_aftermath(bad(moment), usual);
        match bursts.last_mut() {
            Some(last) if !taken[place] && (goes_on(last) || (found[place] && last.to + 1 == moment.second)) => {
                last.to = moment.second;
                last.bad += bad(moment);
            }
            _ if found[place] => bursts.push(Burst { from: moment.second, to: moment.second, bad: bad(moment) }),
            _ => continue,
        }
        taken[place] = true;
    }
    bursts
}
