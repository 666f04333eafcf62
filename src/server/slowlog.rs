//! The slow log, read while the run goes on.

use std::cmp::Reverse;

use fred::{interfaces::ClientLike, types::Value};

use super::questions::{Questions, text};
use crate::results::{SlowCommand, SlowLog};

/// Slow commands that are kept; of more the slowest.
const KEPT: usize = 1000;

/// Entries that are read at a time where the length of the log is not known.
const READ: u64 = 256;

/// Entries that are read at a time at most where the log holds more; a server that logs this much a second logs everything.
const MOST_READ: u64 = 10_000;

/// Characters of a key that are kept.
const KEY_LENGTH: usize = 80;

/// Follows the slow log from entry to entry.
#[derive(Debug, Default)]
pub(super) struct SlowWatch {
    /// Number of the newest entry that is known.
    newest: Option<u64>,
    log: SlowLog,
    entries: Vec<(u64, SlowCommand)>,
}

impl SlowWatch {
    /// Notes where the log stands; what is in it is older than the measured period. `None` where it may not be read.
    pub(super) async fn begin(questions: &mut Questions<impl ClientLike>) -> Option<Self> {
        let newest = numbers(&questions.ask(&["SLOWLOG", "GET", "1"]).await?).next();
        let threshold_us = questions.setting("slowlog-log-slower-than").await.and_then(|value| value.parse().ok());
        let capacity = questions.setting("slowlog-max-len").await.and_then(|value| value.parse().ok());
        Some(Self { newest, log: SlowLog { threshold_us, capacity, ..SlowLog::default() }, entries: Vec::new() })
    }

    /// Reads what was logged since the last time, which goes with the second that ends now: closer than the server's
    /// own stamps, which are whole seconds of another clock.
    pub(super) async fn read(&mut self, questions: &mut Questions<impl ClientLike>, second: u32) {
        let Some(latest) = questions.ask(&["SLOWLOG", "GET", "1"]).await else { return };
        let Some(latest) = numbers(&latest).next() else { return };
        // The first entry of a server has the number 0.
        let next = self.newest.map_or(0, |newest| newest + 1);
        // A server that was restarted unnoticed counts anew, too.
        let next = if latest + 1 < next { 0 } else { next };
        let missing = (latest + 1).saturating_sub(next);
        if missing == 0 {
            return;
        }
        let held = self.log.capacity.unwrap_or(READ).min(MOST_READ);
        let count = missing.min(held).to_string();
        let Some(Value::Array(entries)) = questions.ask(&["SLOWLOG", "GET", &count]).await else { return };
        let read: Vec<_> = entries.iter().filter_map(entry).filter(|(number, _)| *number >= next).collect();
        let newest = read.iter().map(|(number, _)| *number).max().unwrap_or(latest);
        let known = (newest + 1).saturating_sub(next);
        self.newest = Some(newest);
        self.log.lost += known.saturating_sub(read.len() as u64);
        self.log.count += known;
        self.entries.extend(read.into_iter().map(|(number, command)| (number, SlowCommand { second, ..command })));
    }

    /// The server was restarted: its log is empty, and counts anew.
    pub(super) fn start_anew(&mut self) {
        self.newest = None;
    }

    pub(super) fn into_log(mut self) -> SlowLog {
        self.entries.sort_by_key(|(_, entry)| Reverse(entry.micros));
        self.entries.truncate(KEPT);
        self.entries.sort_by_key(|(number, entry)| (entry.second, *number));
        SlowLog { entries: self.entries.into_iter().map(|(_, entry)| entry).collect(), ..self.log }
    }
}

/// Number of words of a command. Of long ones the log keeps the first, and in place of the rest how many they are.
fn word_count(words: &[Value]) -> u64 {
    let last = words.last().and_then(text).unwrap_or_default();
    let left_out = last.strip_prefix("... (").and_then(|rest| rest.strip_suffix(" more arguments)"));
    match left_out.and_then(|number| number.parse::<u64>().ok()) {
        Some(more) => words.len() as u64 - 1 + more,
        None => words.len() as u64,
    }
}

fn numbers(reply: &Value) -> impl Iterator<Item = u64> {
    items(reply).iter().filter_map(|entry| items(entry).first()?.as_u64())
}

/// The items of an array; none of anything else.
fn items(value: &Value) -> &[Value] {
    match value {
        Value::Array(items) => items,
        _ => &[],
    }
}

/// Number, Unix time, microseconds, words, and since version 4 address and name of the client.
fn entry(entry: &Value) -> Option<(u64, SlowCommand)> {
    let parts = items(entry);
    let Value::Array(words) = parts.get(3)? else { return None };
    let key = words.get(1).and_then(text).unwrap_or_default();
    let command = SlowCommand {
        second: 0,
        micros: parts.get(2)?.as_u64()?,
        command: text(words.first()?)?.to_uppercase(),
        key: key.chars().take(KEY_LENGTH).collect(),
        words: word_count(words),
        client: parts.get(5).and_then(text).unwrap_or_default(),
    };
    Some((parts.first()?.as_u64()?, command))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Value {
        Value::Array(words.iter().map(|word| Value::from(*word)).collect())
    }

    #[test]
    fn entries_are_read_with_what_the_log_left_out() {
        let reply = Value::Array(vec![
            Value::from(14),
            Value::from(1_700_000_000),
            Value::from(52_000),
            words(&["zadd", "board:1", "1", "a", "... (1997 more arguments)"]),
            Value::from("127.0.0.1:4000"),
            Value::from("plimsoll:board"),
        ]);
        let (number, command) = entry(&reply).unwrap();
        assert_eq!(number, 14);
        let expected = SlowCommand {
            second: 0,
            micros: 52_000,
            command: "ZADD".into(),
            key: "board:1".into(),
            words: 2001,
            client: "plimsoll:board".into(),
        };
        assert_eq!(command, expected);
    }

    #[test]
    fn old_servers_name_no_client() {
        let reply = Value::Array(vec![Value::from(1), Value::from(2), Value::from(3), words(&["PING"])]);
        let (_, command) = entry(&reply).unwrap();
        assert_eq!((command.command.as_str(), command.key.as_str(), command.client.as_str()), ("PING", "", ""));
        assert!(entry(&Value::from("nothing")).is_none());
    }
}
