//! Keys that commands in a scenario's own words touch beside the data that the harness writes and removes.

use std::fmt;

use bytes::Bytes;
use fred::{clients::Client, types::Value};

use super::{Target, ask::ask, data::escaped, permission::examples, words};
use crate::{
    operation::{Kind, Request},
    scenario::Scenario,
};

/// Flags of a key in the reply to `COMMAND GETKEYSANDFLAGS`, by which something of it is there afterwards.
const WRITTEN: [&str; 2] = ["insert", "update"];

/// The flag of a key that loses something.
const REMOVED: &str = "delete";

/// A command that changes keys which are not among the scenario's data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outside {
    service: String,
    command: String,
    database: u8,
    /// Name of one of the keys.
    key: String,
    /// Pattern that matches all of the keys.
    pattern: String,
    /// Whether the keys stay after the run.
    stays: bool,
    /// Whether the scenario's own clean-up may remove them.
    cleaned: bool,
}

impl Outside {
    /// Whether it is left to the scenario's clean-up commands.
    pub fn is_cleaned(&self) -> bool {
        self.cleaned
    }
}

impl fmt::Display for Outside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { service, command, key, stays, .. } = self;
        write!(f, "service `{service}`: {command} ")?;
        if *stays {
            write!(
                f,
                "writes other keys than the scenario's data, such as `{key}`, which are not removed after the run"
            )
        } else {
            write!(f, "removes data of keys outside of the service's prefix, such as `{key}`")
        }
    }
}

impl Target {
    /// Commands of the scenario that change keys which are not among its data, as far as the server shows. None on a private
    /// server, which ends with all it holds.
    pub async fn outside(&self, scenario: &Scenario) -> Vec<Outside> {
        let mut found: Vec<Outside> = Vec::new();
        let raw = |service: usize| examples(scenario, service).into_iter().filter(|request| request.kind == Kind::Raw);
        let requests: Vec<_> = (0..scenario.services.len())
            .flat_map(|service| raw(service).map(move |request| (service, request)))
            .collect();
        if self.private || requests.is_empty() {
            return found;
        }
        let Ok((client, _router)) = self.observer.connect().await else { return found };
        let places = self.places(scenario);
        for (index, request) in requests {
            let (service, connector) = (&scenario.services[index], &self.connectors[index]);
            let database = connector.database();
            let is_data = |key: &[u8]| {
                places.iter().any(|place| place.connector.database() == database && place.own.contains(key))
            };
            for (key, stays) in changed(&client, &request).await {
                let outside = if stays { !is_data(&key) } else { !key.starts_with(service.keys.prefix.as_bytes()) };
                let outside = outside.then(|| Outside {
                    service: service.name.clone(),
                    command: String::from_utf8_lossy(&words::words(&request)[0]).into_owned(),
                    database,
                    key: String::from_utf8_lossy(&key).into_owned(),
                    pattern: pattern(&key, &request.key),
                    stays,
                    cleaned: !service.cleanup.is_empty() && key.starts_with(service.keys.prefix.as_bytes()),
                });
                found.extend(outside.filter(|outside| !found.contains(outside)));
            }
        }
        found
    }

    /// Report on the keys that are left, with a command to remove them.
    pub async fn left(&self, outside: &[Outside]) -> Vec<String> {
        let mut said = Vec::new();
        for Outside { service, command, database, key, pattern, .. } in outside.iter().filter(|outside| outside.stays) {
            let connector = self.connectors.iter().find(|connector| connector.service() == service);
            let Some(connector) = connector else { continue };
            let there = match connector.connect().await {
                Ok((client, _router)) => ask(&client, "EXISTS", vec![Bytes::from(key.clone())]).await.ok(),
                Err(_) => None,
            };
            if there.is_none_or(|there| there.as_u64() != Some(0)) {
                let place = match self.address() {
                    address if address.starts_with("unix://") => address.replacen("unix://", "-s ", 1),
                    address => format!("-u {address}"),
                };
                let cli = format!("redis-cli {place} -n {database}");
                said.push(format!(
                    "service `{service}`: keys written by {command}, such as `{key}`, stay on the server: remove them \
                     with {cli} --scan --pattern '{pattern}' | xargs {cli} del"
                ));
            }
        }
        said
    }
}

/// Keys that a request changes, and whether they are there afterwards.
async fn changed(client: &Client, request: &Request) -> Vec<(Bytes, bool)> {
    let line = words::words(request);
    let about = |subcommand: &'static str, line: &[Bytes]| {
        let words = [Bytes::from_static(subcommand.as_bytes())].into_iter().chain(line.iter().cloned());
        ask(client, "COMMAND", words.collect())
    };
    let is_flagged = async |flag: &str| match about("INFO", &line[..1]).await {
        Ok(Value::Array(commands)) => commands.first().is_some_and(|command| has_word(command, flag)),
        _ => false,
    };
    match about("GETKEYSANDFLAGS", &line).await {
        Ok(Value::Array(keys)) => {
            let changed: Vec<_> = keys.iter().filter_map(flagged).collect();
            // Modules of before version 7 say nothing of their keys, which are then flagged as those of any command are.
            if changed.is_empty() || is_flagged("readonly").await { Vec::new() } else { changed }
        }
        // Before version 7 the flags are those of the command.
        Err(error) if error.details().contains("subcommand") => match about("GETKEYS", &line).await {
            Ok(Value::Array(keys)) if is_flagged("write").await => {
                keys.iter().filter_map(Value::as_bytes).map(|key| (Bytes::copy_from_slice(key), true)).collect()
            }
            _ => Vec::new(),
        },
        // A server that does not say: the first word behind the command, where it is made of a key.
        Err(error) if error.details().starts_with("NOPERM") || error.details().contains("unknown command") => {
            let key = line.get(1).filter(|word| !request.key.is_empty() && at(word, &request.key).is_some());
            key.map(|key| (key.clone(), true)).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

/// A key with its flags; `None` if it is only read.
fn flagged(answer: &Value) -> Option<(Bytes, bool)> {
    let Value::Array(parts) = answer else { return None };
    let [key, flags] = parts.as_slice() else { return None };
    let stays = WRITTEN.iter().any(|flag| has_word(flags, flag));
    (stays || has_word(flags, REMOVED)).then_some((Bytes::copy_from_slice(key.as_bytes()?), stays))
}

/// Whether a word stands in an answer, or in an array within it.
fn has_word(answer: &Value, word: &str) -> bool {
    match answer {
        Value::Array(parts) => parts.iter().any(|part| has_word(part, word)),
        other => other.as_str().is_some_and(|text| text == word),
    }
}

/// Where a text stands within another.
fn at(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len().max(1)).position(|window| window == part)
}

/// Pattern of the keys that are made from the data's keys like this one: they differ in their number.
fn pattern(key: &[u8], own: &[u8]) -> String {
    let text = |bytes: &[u8]| escaped(&String::from_utf8_lossy(bytes));
    match at(key, own).filter(|_| !own.is_empty()) {
        Some(place) => {
            let digits = own.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
            let end = place + own.len();
            format!("{}*{}", text(&key[..end - digits]), text(&key[end..]))
        }
        None => text(key),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pattern_is_that_of_all_keys() {
        assert_eq!(pattern(b"session:api:str:17", b"api:str:17"), "session:api:str:*");
        assert_eq!(pattern(b"{api:str:17}:log", b"api:str:17"), "{api:str:*}:log");
        assert_eq!(pattern(b"counter[1]", b"api:str:17"), "counter\\[1\\]");
        assert_eq!(pattern(b"counter", b""), "counter");
    }
}
