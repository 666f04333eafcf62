//! Watching a server during the measured period: one look a second, a longer one at its start and at its end.
//!
//! Each look is `INFO` and the newest number of the slow log, well under a millisecond of the server's time; what takes
//! longer (command statistics, the list of clients) is asked for at both ends only.

use std::{collections::BTreeMap, time::Duration};

use fred::{interfaces::ClientLike, types::Value};
use tokio::time::sleep;

use super::{
    info::Info,
    latency::{self, Histograms},
    questions::Questions,
    sample::Sample,
    slowlog::SlowWatch,
    versions,
};
use crate::{
    measure::{Nanos, SECOND, Timeframe},
    results::{Levels, NamedClients, ServerRecord, Withheld},
};

/// A last partial second shorter than this is left out: nothing can be said of it.
const SHORTEST: Nanos = 50_000_000;

/// Interval at which the end of the period is checked; the user can end the period early.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Time before the end of the period at which levels are sampled: the connections of the load close right after the end.
const BEFORE_END: Nanos = 30_000_000;

/// Number of connections above which `CLIENT LIST` takes the server too long: about 2 µs for each.
const LISTED_CLIENTS: u64 = 2_000;

/// Watches a server until the measured period is over.
pub async fn watch(client: impl ClientLike, frame: Timeframe) -> ServerRecord {
    let mut questions = Questions::new(client);
    let mut record = ServerRecord::default();
    wait_until(&frame, frame.start).await;
    let mut slow = SlowWatch::begin(&mut questions).await;
    record.latency_threshold_ms = latency::threshold(&mut questions).await;
    let first = look(&mut questions, &frame, true).await;
    let has_histograms = first.as_ref().is_none_or(|first| versions::has_histograms(&first.info));
    let mut before = if has_histograms { latency::histograms(&mut questions).await } else { Histograms::new() };
    let unix_start = unix_start(&mut questions, &frame).await;
    record.before = first.as_ref().map(Sample::levels);
    let mut lacks = first.as_ref().map(|first| versions::lacking(&first.info)).unwrap_or_default();
    match record.before.as_ref().and_then(|levels| levels.clients) {
        Some(clients) if clients <= LISTED_CLIENTS => {
            let list = questions.ask_text(&["CLIENT", "LIST"]).await;
            record.clients = list.map(|list| named_clients(&list)).unwrap_or_default();
        }
        known => lacks.push(unlisted(known)),
    }
    // A restart takes the statistics of commands with it: what follows counts from there. Without a beginning, nothing does.
    let mut reference = first.clone();
    let mut counts = first.as_ref().is_some_and(Sample::has_command_statistics);
    let mut previous = first.clone();

    let mut second = 0;
    loop {
        let due = frame.start + (Nanos::from(second) + 1) * SECOND;
        let mut held = None;
        if frame.end() <= due && !questions.is_silent() {
            wait_until(&frame, frame.end().saturating_sub(BEFORE_END)).await;
            held = look(&mut questions, &frame, false).await;
        }
        wait_until(&frame, due).await;
        let last = frame.end() <= due;
        let sample = look(&mut questions, &frame, last).await;
        if let Some(sample) = sample {
            let earlier = previous.replace(sample.clone());
            if let Some(earlier) = earlier.filter(|earlier| sample.at >= earlier.at + SHORTEST) {
                let mut of_second = sample.since(&earlier, second);
                if let Some(held) = &held {
                    of_second.levels = Levels { clients: held.levels().clients, ..of_second.levels };
                }
                if of_second.restarted || of_second.reset {
                    record.restarts += u32::from(of_second.restarted);
                    record.resets += u32::from(of_second.reset);
                    reference = None;
                    counts = true;
                    before.clear();
                }
                if let Some(slow) = slow.as_mut().filter(|_| of_second.restarted) {
                    slow.start_anew();
                }
                record.seconds.push(of_second);
            }
        }
        if let Some(slow) = slow.as_mut().filter(|_| !questions.is_silent()) {
            slow.read(&mut questions, second).await;
        }
        if last {
            break;
        }
        second = following(second, frame.clock.now().min(frame.end().saturating_sub(1)).saturating_sub(frame.start));
    }
    // Each further question would be waited for in vain.
    questions.end_if_silent();

    if !counts {
        let reason = "not known at the start of the measured period".to_owned();
        lacks.push(Withheld { what: "statistics of commands and errors".to_owned(), reason });
    }
    if let Some(last) = previous.as_ref().filter(|_| counts) {
        record.commands = last.commands_since(reference.as_ref());
        record.errors = last.errors_since(reference.as_ref());
        if has_histograms {
            latency::add_histograms(&mut record.commands, &before, &latency::histograms(&mut questions).await);
        }
    }
    record.databases = previous.as_ref().map(Sample::databases).unwrap_or_default();
    let second_of = |unix: i64| second_of(&frame, unix_start?, unix);
    record.events = latency::events(&mut questions, second_of).await;
    record.slowlog = slow.map(SlowWatch::into_log);
    record.withheld = questions.into_withheld();
    record.withheld.extend(lacks);
    record
}

/// The server's Unix time at the start of the measured period.
async fn unix_start(questions: &mut Questions<impl ClientLike>, frame: &Timeframe) -> Option<i64> {
    let Value::Array(parts) = questions.ask(&["TIME"]).await? else { return None };
    let now = frame.clock.now().saturating_sub(frame.start);
    let micros = parts.get(1).and_then(Value::as_i64).unwrap_or_default();
    let unix = parts.first().and_then(Value::as_i64)?;
    Some(unix + (micros * 1_000 - now as i64).div_euclid(SECOND as i64))
}

/// Reason why the connections were not listed.
fn unlisted(clients: Option<u64>) -> Withheld {
    let reason = match clients {
        Some(clients) => {
            format!("not queried: a list of {clients} takes too long (limit {LISTED_CLIENTS})")
        }
        None => "not queried: their number is unknown".to_owned(),
    };
    Withheld { what: "connections by name".to_owned(), reason }
}

/// Takes a sample; a whole one includes the statistics of commands.
async fn look(questions: &mut Questions<impl ClientLike>, frame: &Timeframe, whole: bool) -> Option<Sample> {
    let everything = if whole { questions.ask_text(&["INFO", "everything"]).await } else { None };
    let text = match everything {
        Some(text) => text,
        None if questions.is_silent() => return None,
        // There are services that know no such section.
        None => questions.ask_text(&["INFO"]).await?,
    };
    Some(Sample { at: frame.clock.now(), info: Info::parse(&text) })
}

/// The second that is looked at after another one, so long after the start of the period: a server that does not answer takes longer
/// than a second to ask, and those that are over meanwhile are left out.
fn following(second: u32, elapsed: Nanos) -> u32 {
    (second + 1).max(u32::try_from(elapsed / SECOND).unwrap_or(u32::MAX))
}

/// Returns at `due`, or at the end of the period where that comes first.
async fn wait_until(frame: &Timeframe, due: Nanos) {
    loop {
        let left = due.min(frame.end()).saturating_sub(frame.clock.now());
        if left == 0 {
            return;
        }
        sleep(Duration::from_nanos(left).min(POLL_INTERVAL)).await;
    }
}

/// The second of the measured period that the server's Unix time falls into, if it does.
fn second_of(frame: &Timeframe, unix_start: i64, unix: i64) -> Option<u32> {
    let second = u32::try_from(unix - unix_start).ok()?;
    (Nanos::from(second) * SECOND <= frame.end().saturating_sub(frame.start)).then_some(second)
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
    fn seconds_in_which_a_server_was_silent_are_left_out() {
        assert_eq!(following(3, 4 * SECOND), 4);
        assert_eq!(following(3, 4 * SECOND + SECOND / 2), 4);
        assert_eq!(following(3, 6 * SECOND + 1), 6);
        assert_eq!(following(3, 3 * SECOND + SECOND / 2), 4, "before its time");
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
