//! Stalls, bursts and trends in words.

use super::{Note, Tone};
use crate::{
    analysis::{Burst, Events, Stall},
    measure::{Nanos, SECOND},
    report::format::{THIN, counted, duration, share, significant},
};

/// Stalls that are listed one by one.
const LISTED: usize = 3;

pub(super) fn stalls(stalls: &[Stall], planned: Option<String>, restarted: bool) -> Note {
    let harmful: Vec<&Stall> = stalls.iter().filter(|stall| stall.bad > 0 || !stall.ended).collect();
    let stalls = if harmful.is_empty() { stalls.iter().collect() } else { harmful };
    let bad: u64 = stalls.iter().map(|stall| stall.bad).sum();
    let gone = stalls.iter().any(|stall| !stall.ended);
    let consequence = match bad {
        0 if stalls.len() == 1 => "it made no request late".to_owned(),
        0 => "they made no request late".to_owned(),
        bad => format!("{} late, failed or unfinished", counted(bad, "request was", "requests were")),
    };
    let mut longest = stalls.clone();
    longest.sort_by_key(|stall| std::cmp::Reverse(stall.span.length()));
    let listed: Vec<String> = longest.iter().take(LISTED).map(|stall| one(stall)).collect();
    let fact = match stalls[..] {
        [stall] => format!("No answer for {}; {consequence}.", one(stall)),
        _ => format!(
            "No answer in {}, together {} of the time; {consequence}. The longest: {}.",
            counted(stalls.len() as u64, "span", "spans"),
            duration(stalls.iter().map(|stall| stall.span.length() as f64).sum()),
            listed.join("; "),
        ),
    };
    let advice = match (gone, restarted) {
        (true, _) => {
            "The server did not answer again before the end of the run: check whether it is running, and its log."
        }
        (false, true) => "The server was restarted during the run: check its log.",
        (false, false) if bad == 0 => "",
        (false, false) => {
            "Check what stopped the server at that time: a slow command (SLOWLOG GET), a fork to save the data set, \
             many keys expiring together, swapping, or a paused machine."
        }
    };
    let advice = planned.filter(|_| !gone && bad > 0).unwrap_or_else(|| advice.to_owned());
    Note::new(if bad > 0 || gone { Tone::Bad } else { Tone::Quiet }, fact, advice)
}

/// One stall: `1.00 s from second 4.0 on (api, chat)`.
fn one(stall: &Stall) -> String {
    let whose = if stall.services.is_empty() { String::new() } else { format!(" ({})", stall.services.join(", ")) };
    let end = if stall.ended { "" } else { ", until the end of the run" };
    format!("{} from second {} on{whose}{end}", duration(stall.span.length() as f64), second(stall.span.from_ns))
}

/// An instant as seconds since the start of the measured period: `4.0`.
pub(super) fn second(nanos: Nanos) -> String {
    format!("{:.1}", nanos as f64 / SECOND as f64)
}

pub(super) fn bursts(bursts: &[Burst], harness_stood_still: bool) -> Note {
    let bad: u64 = bursts.iter().map(|burst| burst.bad).sum();
    let listed: Vec<String> = bursts.iter().take(LISTED).map(burst).collect();
    let more = match bursts.len().saturating_sub(LISTED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let fact = format!(
        "{} came in bursts, beyond chance: {}{more}.",
        counted(bad, "late or failed request", "late or failed requests"),
        listed.join("; "),
    );
    let advice = if harness_stood_still {
        "The harness paused for a part of the time, which delays requests in bursts: repeat the run with enough CPU \
         before searching the server for a cause."
    } else {
        "A burst has a cause at its time: compare the time with the slow log, saves, expiry and other jobs on the \
         machine. Another run may have more bursts, or none."
    };
    Note::new(Tone::Fair, fact, advice)
}

fn burst(burst: &Burst) -> String {
    if burst.from == burst.to {
        format!("{} in second {}", burst.bad, burst.from)
    } else {
        format!("{} in seconds {} to {}", burst.bad, burst.from, burst.to)
    }
}

pub(super) fn trend(service: &str, per_minute: f64) -> Note {
    let verb = if per_minute < 0.0 { "fell" } else { "rose" };
    let by = duration(per_minute.abs());
    Note::new(
        Tone::Fair,
        format!("The median response time of {service} {verb} all through the run, by {by} per minute."),
        "No average describes the run: lengthen the warm-up (--warmup), run longer (--duration), and check the chart \
         over time.",
    )
}

/// Where the bad requests of a run were, as a clause of the headline: `all of them in one stall of 1.00 s at second 4.0;
/// outside of it 100 % were in time`. Nothing where most of them belong to no event.
pub(super) fn clause(events: &Events, bad: u64) -> Option<String> {
    let inside = bad.saturating_sub(events.outside.0);
    if inside == 0 || inside * 2 < bad {
        return None;
    }
    let stalls: Vec<&Stall> = events.stalls.iter().filter(|stall| stall.bad > 0).collect();
    let pauses: Vec<&Stall> = events.pauses.iter().filter(|pause| pause.bad > 0).collect();
    let names = [
        spans_in_words(["stall", "stalls"], &stalls),
        spans_in_words(["pause of the harness", "pauses of the harness"], &pauses),
        bursts_in_words(&events.bursts),
    ];
    let names: Vec<String> = names.into_iter().flatten().collect();
    if names.is_empty() {
        return None;
    }
    let part =
        if inside == bad { "all of them".to_owned() } else { format!("{} of them", share(inside as f64 / bad as f64)) };
    let them = if stalls.len() + pauses.len() + events.bursts.len() == 1 { "it" } else { "them" };
    let (bad, all) = events.outside;
    let outside = match all {
        0 => String::new(),
        all => format!("; outside of {them} {} were in time", share(1.0 - bad as f64 / all as f64)),
    };
    Some(format!("{part} in {}{outside}", names.join(" and ")))
}

fn spans_in_words([noun, nouns]: [&str; 2], spans: &[&Stall]) -> Option<String> {
    let longest = spans.iter().map(|stall| stall.span.length()).max()?;
    match spans {
        [stall] => Some(format!(
            "one {noun} of {} at second {}{}",
            length(stall.span.length()),
            second(stall.span.from_ns),
            if stall.ended { "" } else { ", which did not end" }
        )),
        _ => Some(format!("{} {nouns} of up to {}", spans.len(), length(longest))),
    }
}

fn bursts_in_words(bursts: &[Burst]) -> Option<String> {
    match bursts {
        [] => None,
        [burst] if burst.from == burst.to => Some(format!("a burst at second {}", burst.from)),
        [burst] => Some(format!("a burst in seconds {} to {}", burst.from, burst.to)),
        _ => Some(format!("{} bursts", bursts.len())),
    }
}

/// The length of a stall, which need not be exact: `1.0 s`, `48 ms`.
pub(super) fn length(nanos: Nanos) -> String {
    let seconds = nanos as f64 / SECOND as f64;
    if seconds >= 0.95 {
        format!("{seconds:.1}{THIN}s")
    } else {
        format!("{}{THIN}ms", significant((seconds * 1e3).round()))
    }
}
