//! Watching a server during the measured period: one look a second, a longer one at its start and at its end.
//!
//! Each look is `INFO` and the newest number of the slow log, well under a millisecond of the server's time; what takes
//! longer (command statistics, the list of clients) is asked for at both ends only.

use std::{collections::BTreeMap, time::Duration};

use fred::{interfaces::ClientLike, types::Value};
use tokio::time::sleep;

use super::{
    info::Info,
    questions::Questions,
    sample::Sample,
    slowlog::{SlowWatch, latency_events},
};
use crate::{
    measure::{Nanos, Timeframe},
    results::{CommandUse, NamedClients, ServerRecord},
};

const SECOND: Nanos = 1_000_000_000;

/// A last partial second shorter than this is left out: nothing can be said of it.
const SHORTEST: Nanos = 50_000_000;

/// How often the end of the period is looked at, which a person may move forward.
const GLANCE: Duration = Duration::from_millis(50);

/// Above so many connections the list of them takes the server too long: about two microseconds each.
const LISTED_CLIENTS: u64 = 2_000;

/// What is known when the measured period begins.
struct Baseline {
    sample: Sample,
    histograms: BTreeMap<String, Vec<(u64, u64)>>,
    /// The server's Unix time at the start of the measured period.
    unix_start: Option<i64>,
}

/// Watches a server until the measured period is over.
pub async fn watch(client: impl ClientLike, frame: Timeframe) -> ServerRecord {
    let mut questions = Questions::new(client);
    let mut record = ServerRecord::default();
    wait_until(&frame, frame.start).await;
    let mut slow = SlowWatch::begin(&mut questions).await;
    let baseline = Baseline::take(&mut questions, &frame).await;
    record.before = baseline.as_ref().map(|baseline| baseline.sample.levels());
    let connected = record.before.as_ref().and_then(|levels| levels.clients);
    if connected.is_some_and(|clients| clients <= LISTED_CLIENTS) {
        let list = questions.ask_text(&["CLIENT", "LIST"]).await;
        record.clients = list.map(|list| named_clients(&list)).unwrap_or_default();
    }
    // A restart takes the statistics of commands with it: what follows counts from there.
    let mut reference = baseline.as_ref().map(|baseline| baseline.sample.clone());
    let mut previous = reference.clone();
    let unix_start = baseline.as_ref().and_then(|baseline| baseline.unix_start);
    let second_of = |frame: &Timeframe, unix: i64| second_of(frame, unix_start?, unix);

    for second in 0.. {
        let due = frame.start + (Nanos::from(second) + 1) * SECOND;
        wait_until(&frame, due).await;
        let last = frame.end() <= due;
        let sample = look(&mut questions, &frame, last).await;
        if let Some(sample) = sample {
            let earlier = previous.replace(sample.clone());
            if let Some(earlier) = earlier.filter(|earlier| sample.at >= earlier.at + SHORTEST) {
                let of_second = sample.since(&earlier, second);
                if of_second.restarted {
                    record.restarts += 1;
                    reference = None;
                }
                record.seconds.push(of_second);
            }
        }
        if let Some(slow) = &mut slow {
            slow.read(&mut questions, second).await;
        }
        if last {
            break;
        }
    }

    if let Some(last) = &previous {
        record.commands = last.commands_since(reference.as_ref());
        record.errors = last.errors_since(reference.as_ref());
        record.databases = last.databases();
        let before = baseline.map(|baseline| baseline.histograms).filter(|_| record.restarts == 0).unwrap_or_default();
        add_histograms(&mut record.commands, &before, &histograms(&mut questions).await);
    }
    record.events = latency_events(&mut questions, |unix| second_of(&frame, unix)).await;
    record.slowlog = slow.map(SlowWatch::into_log);
    record.withheld = questions.into_withheld();
    record
}

impl Baseline {
    async fn take(questions: &mut Questions<impl ClientLike>, frame: &Timeframe) -> Option<Self> {
        let sample = look(questions, frame, true).await?;
        let histograms = histograms(questions).await;
        let unix_start = match questions.ask(&["TIME"]).await {
            Some(Value::Array(parts)) => {
                let now = frame.clock.now().saturating_sub(frame.start);
                let micros = parts.get(1).and_then(Value::as_i64).unwrap_or_default();
                let unix = parts.first().and_then(Value::as_i64);
                unix.map(|unix| unix + (micros * 1_000 - now as i64).div_euclid(SECOND as i64))
            }
            _ => None,
        };
        Some(Self { sample, histograms, unix_start })
    }
}

/// One look; a whole one has the statistics of commands too.
async fn look(questions: &mut Questions<impl ClientLike>, frame: &Timeframe, whole: bool) -> Option<Sample> {
    let words: &[&str] = if whole { &["INFO", "everything"] } else { &["INFO"] };
    let text = questions.ask_text(words).await?;
    Some(Sample { at: frame.clock.now(), info: Info::parse(&text) })
}

/// Returns at `due`, or at the end of the period where that comes first.
async fn wait_until(frame: &Timeframe, due: Nanos) {
    loop {
        let left = due.min(frame.end()).saturating_sub(frame.clock.now());
        if left == 0 {
            return;
        }
        sleep(Duration::from_nanos(left).min(GLANCE)).await;
    }
}

/// The second of the measured period that the server's Unix time falls into, if it does.
fn second_of(frame: &Timeframe, unix_start: i64, unix: i64) -> Option<u32> {
    let second = u32::try_from(unix - unix_start).ok()?;
    (Nanos::from(second) * SECOND <= frame.end().saturating_sub(frame.start)).then_some(second)
}

/// How long the calls of each command took: upper bounds in microseconds and the number of calls below.
async fn histograms(questions: &mut Questions<impl ClientLike>) -> BTreeMap<String, Vec<(u64, u64)>> {
    match questions.ask(&["LATENCY", "HISTOGRAM"]).await {
        Some(Value::Array(parts)) => parts.chunks_exact(2).filter_map(|pair| histogram(&pair[0], &pair[1])).collect(),
        _ => BTreeMap::new(),
    }
}

fn histogram(name: &Value, content: &Value) -> Option<(String, Vec<(u64, u64)>)> {
    let Value::Array(content) = content else { return None };
    let at = content.iter().position(|part| part.as_str().is_some_and(|part| part == "histogram_usec"))?;
    let Value::Array(numbers) = content.get(at + 1)? else { return None };
    let pairs = numbers.chunks_exact(2).filter_map(|pair| Some((pair[0].as_u64()?, pair[1].as_u64()?)));
    Some((name.as_string()?.to_uppercase(), pairs.collect()))
}

/// Gives each command its histogram of the period: what is below each bound now less what was below it before.
fn add_histograms(
    commands: &mut [CommandUse],
    before: &BTreeMap<String, Vec<(u64, u64)>>,
    after: &BTreeMap<String, Vec<(u64, u64)>>,
) {
    for command in commands {
        let Some(now) = after.get(&command.name) else { continue };
        let earlier = before.get(&command.name).map_or(&[][..], Vec::as_slice);
        // Bounds without calls of their own are left out, so the number below one is that of the last known one.
        let below =
            |bound: u64| earlier.iter().take_while(|(known, _)| *known <= bound).last().map_or(0, |last| last.1);
        command.histogram = now.iter().map(|(bound, calls)| (*bound, calls.saturating_sub(below(*bound)))).collect();
    }
}

/// Connections of the reply to `CLIENT LIST`, those alike together.
fn named_clients(list: &str) -> Vec<NamedClients> {
    let mut known: BTreeMap<(String, String, u64), u64> = BTreeMap::new();
    for line in list.lines() {
        let field = |name: &str| {
            let mut fields = line.split(' ').filter_map(|field| field.split_once('='));
            fields.find(|(known, _)| *known == name).map(|(_, value)| value.to_owned()).unwrap_or_default()
        };
        *known.entry((field("name"), field("user"), field("db").parse().unwrap_or_default())).or_default() += 1;
    }
    let named = |((name, user, database), count)| NamedClients { name, user, database, count };
    known.into_iter().map(named).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, atomic::AtomicU64};

    use super::*;
    use crate::measure::Clock;

    #[test]
    fn the_servers_time_falls_into_a_second() {
        let frame = Timeframe::new(Clock::start(), 2 * SECOND, Arc::new(AtomicU64::new(12 * SECOND)));
        assert_eq!(second_of(&frame, 1000, 999), None);
        assert_eq!(second_of(&frame, 1000, 1003), Some(3));
        assert_eq!(second_of(&frame, 1000, 1011), None);
    }

    #[test]
    fn histograms_are_those_of_the_period() {
        let use_of = |name: &str| CommandUse {
            name: name.into(),
            calls: 1,
            micros: 1,
            rejected: 0,
            failed: 0,
            histogram: Vec::new(),
        };
        let mut commands = [use_of("GET"), use_of("SET")];
        let before = BTreeMap::from([("GET".to_owned(), vec![(1, 4), (8, 6)])]);
        let after = BTreeMap::from([("GET".to_owned(), vec![(1, 10), (4, 11), (8, 20)])]);
        add_histograms(&mut commands, &before, &after);
        assert_eq!(commands[0].histogram, [(1, 6), (4, 7), (8, 14)]);
        assert!(commands[1].histogram.is_empty());
    }

    #[test]
    fn connections_are_counted_by_name() {
        let list = "id=3 addr=1 name=plimsoll:api db=0 user=app\nid=4 name=plimsoll:api db=0 user=app\n\
                    id=5 name= db=5 user=default\n";
        let clients = named_clients(list);
        assert_eq!(clients.len(), 2);
        assert_eq!((clients[0].name.as_str(), clients[0].database, clients[0].count), ("", 5, 1));
        assert_eq!((clients[1].name.as_str(), clients[1].user.as_str(), clients[1].count), ("plimsoll:api", "app", 2));
    }
}
