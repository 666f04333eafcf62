//! Latency as the server measures it: histograms of its commands, and the events of its latency monitor.

use std::collections::BTreeMap;

use fred::{interfaces::ClientLike, types::Value};

use super::questions::{Questions, text};
use crate::results::{CallsBelow, CommandUse, LatencyEvent};

/// Kinds of events that are asked for; servers know about twenty.
const KINDS: usize = 40;

/// Upper bounds in microseconds, and the number of calls below each, by command.
pub(super) type Histograms = BTreeMap<String, Vec<CallsBelow>>;

/// Execution times of each command since the start of the server.
pub(super) async fn histograms(questions: &mut Questions<impl ClientLike>) -> Histograms {
    match questions.ask(&["LATENCY", "HISTOGRAM"]).await {
        Some(Value::Array(parts)) => parts.chunks_exact(2).filter_map(|pair| histogram(&pair[0], &pair[1])).collect(),
        _ => BTreeMap::new(),
    }
}

fn histogram(name: &Value, content: &Value) -> Option<(String, Vec<CallsBelow>)> {
    let Value::Array(content) = content else { return None };
    let at = content.iter().position(|part| part.as_str().is_some_and(|part| part == "histogram_usec"))?;
    let Value::Array(numbers) = content.get(at + 1)? else { return None };
    let pairs = numbers
        .chunks_exact(2)
        .filter_map(|pair| Some(CallsBelow { bound_us: pair[0].as_u64()?, calls: pair[1].as_u64()? }));
    Some((text(name)?.to_uppercase(), pairs.collect()))
}

/// Gives each command its histogram of the period: what is below each bound now less what was below it before.
pub(super) fn add_histograms(commands: &mut [CommandUse], before: &Histograms, after: &Histograms) {
    for command in commands {
        let Some(now) = after.get(&command.name) else { continue };
        let earlier = before.get(&command.name).map_or(&[][..], Vec::as_slice);
        // Bounds without calls of their own are left out, so the number below one is that of the last known one.
        let below =
            |bound: u64| earlier.iter().take_while(|known| known.bound_us <= bound).last().map_or(0, |last| last.calls);
        let since = |now: &CallsBelow| CallsBelow { calls: now.calls.saturating_sub(below(now.bound_us)), ..*now };
        command.histogram = now.iter().map(since).collect();
    }
}

/// Duration in milliseconds from which on the monitor notes events; 0: it is off.
pub(super) async fn threshold(questions: &mut Questions<impl ClientLike>) -> Option<u64> {
    questions.setting("latency-monitor-threshold").await?.parse().ok()
}

/// What the monitor noted in the measured period, in order. It keeps up to 160 seconds with events of each kind; where
/// its history is refused, the latest of each kind is reported.
pub(super) async fn events(
    questions: &mut Questions<impl ClientLike>,
    second_of: impl Fn(i64) -> Option<u32>,
) -> Vec<LatencyEvent> {
    let Some(Value::Array(latest)) = questions.ask(&["LATENCY", "LATEST"]).await else { return Vec::new() };
    let mut events = Vec::new();
    for newest in latest.iter().take(KINDS) {
        // Kind, Unix time and duration of the latest one, and the longest duration of all.
        let Value::Array(parts) = newest else { continue };
        let Some(kind) = parts.first().and_then(text) else { continue };
        let of_period = |parts: &[Value]| {
            let (second, ms) = (second_of(parts.first()?.as_i64()?)?, parts.get(1)?.as_u64()?);
            Some(LatencyEvent { kind: kind.clone(), second, ms })
        };
        match questions.ask(&["LATENCY", "HISTORY", &kind]).await {
            Some(Value::Array(history)) => {
                let pairs = history.iter().filter_map(|pair| match pair {
                    Value::Array(pair) => of_period(pair),
                    _ => None,
                });
                events.extend(pairs);
            }
            _ => events.extend(parts.get(1..).and_then(of_period)),
        }
    }
    events.sort_by(|a, b| (a.second, &a.kind).cmp(&(b.second, &b.kind)));
    events
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn histograms_are_those_of_the_period() {
        let use_of = |name: &str| CommandUse {
            name: name.into(),
            calls: 1,
            micros: 1,
            rejected: None,
            failed: None,
            histogram: Vec::new(),
        };
        let mut commands = [use_of("GET"), use_of("SET")];
        let of = |calls: &[(u64, u64)]| -> Vec<CallsBelow> {
            calls.iter().map(|&(bound_us, calls)| CallsBelow { bound_us, calls }).collect()
        };
        let before = BTreeMap::from([("GET".to_owned(), of(&[(1, 4), (8, 6)]))]);
        let after = BTreeMap::from([("GET".to_owned(), of(&[(1, 10), (4, 11), (8, 20)]))]);
        add_histograms(&mut commands, &before, &after);
        assert_eq!(commands[0].histogram, of(&[(1, 6), (4, 7), (8, 14)]));
        assert!(commands[1].histogram.is_empty());
    }
}
