//! The data that a run works on: written before it, removed after it.

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use fred::{clients::Client, error::Error, interfaces::ClientLike, types::Value};
use tokio::time::timeout;

use super::{
    Connector, Fault, Target, TargetError,
    ask::{CLOSE_LIMIT, STEP_LIMIT, ask, ask_of_each},
    failure,
    fred::issue,
};
use crate::{
    measure::ErrorClass,
    operation::{Args, Kind, Request},
    scenario::Scenario,
    server::Facts,
    workload::{OwnKeys, Prefill},
};

/// Commands of the prefill that are under way at a time. One connection keeps them in order, so that a list is trimmed
/// after it was written.
const PIPELINED: usize = 128;

/// Keys that a step of a scan looks at.
const SCANNED: u64 = 1_000;

/// Keys that a step of a scan looks at least, on average: below, the server's cursor has no end.
const SCANNED_LEAST: u64 = 10;

/// Steps that a scan may take on top, and where the number of keys is not known.
const SPARE_STEPS: u64 = 10_000;

/// Time that a step of the clean-up may take: a scan of a thousand keys and their removal.
const REMOVAL_LIMIT: Duration = Duration::from_secs(5);

/// Keys of services that share a prefix in one database.
pub(super) struct Place<'a> {
    /// The first of the services.
    pub(super) service: &'a str,
    pub(super) connector: &'a Connector,
    /// Connectors to each server that has some of the keys.
    pub(super) holders: Vec<Connector>,
    pub(super) prefix: &'a str,
    pub(super) own: OwnKeys,
}

impl Target {
    /// Where the scenario's services have their keys.
    pub(super) fn places<'a>(&'a self, scenario: &'a Scenario) -> Vec<Place<'a>> {
        let mut places: BTreeMap<(u8, &str), Place<'a>> = BTreeMap::new();
        for (at, (service, connector)) in scenario.services.iter().zip(&self.connectors).enumerate() {
            let (name, prefix) = (&service.name, &service.keys.prefix);
            let holders = || self.holders(connector);
            let place = || Place { service: name, connector, holders: holders(), prefix, own: OwnKeys::default() };
            let own = &mut places.entry((connector.database(), prefix)).or_insert_with(place).own;
            own.add(service);
            if at == 0 && scenario.audit_writes.is_some() {
                own.add_audited(service);
            }
        }
        places.into_values().collect()
    }

    /// Writes every key that the scenario's operations can ask for, each service with its own login into its own
    /// database. `progress` is called with the elements written and those to be written in all.
    pub async fn prefill(&self, scenario: &Scenario, progress: &mut dyn FnMut(u64, u64)) -> Result<(), TargetError> {
        let parts: Vec<_> = (0..self.connectors.len()).map(|service| Prefill::new(scenario, service)).collect();
        let total = parts.iter().map(Prefill::elements).sum();
        let mut done = 0;
        progress(done, total);
        for (connector, mut part) in self.connectors.iter().zip(parts) {
            let (client, _router) = connector.connect().await?;
            loop {
                let requests: Vec<_> = part.by_ref().take(PIPELINED).collect();
                if requests.is_empty() {
                    break;
                }
                match self.write(&client, connector, requests).await {
                    Ok(()) => progress(done + part.written(), total),
                    Err(TargetError::DataTooLarge { service, message, .. }) => {
                        let policy = Facts::of(&client).await.settings;
                        let volatile = policy
                            .iter()
                            .any(|(name, value)| name == "maxmemory-policy" && value.starts_with("volatile"));
                        return Err(TargetError::DataTooLarge { service, message, volatile });
                    }
                    Err(error) => return Err(error),
                }
            }
            done += part.written();
            // Its runtime may rest until the load is over: left to itself the connection would stay as long, and be
            // among those that the server has meanwhile.
            let _ = timeout(CLOSE_LIMIT, client.quit()).await;
        }
        self.replicated().await
    }

    /// Writes one batch. What a node of a cluster refuses since its keys are in several slots is written key by key.
    async fn write(&self, client: &Client, connector: &Connector, requests: Vec<Request>) -> Result<(), TargetError> {
        let mut apart = Vec::new();
        for (request, reply) in self.send(client, connector, requests).await? {
            match reply {
                Err(error) if crosses_slots(&error) => apart.extend(key_by_key(request)),
                reply => _ = reply.map_err(|error| refused(connector, request.kind, &request.key, &error))?,
            }
        }
        for (request, reply) in self.send(client, connector, apart).await? {
            reply.map_err(|error| refused(connector, request.kind, &request.key, &error))?;
        }
        Ok(())
    }

    /// Sends requests together, and returns each with its reply.
    async fn send(
        &self,
        client: &Client,
        connector: &Connector,
        requests: Vec<Request>,
    ) -> Result<Vec<(Request, Result<Value, Error>)>, TargetError> {
        if requests.is_empty() {
            return Ok(Vec::new());
        }
        let pipeline = client.pipeline();
        for request in &requests {
            let kind = request.kind;
            // Nothing is sent before the end.
            let queued = issue(&pipeline, request.clone()).await;
            queued.map_err(|error| refused(connector, kind, &Bytes::new(), &error))?;
        }
        let replies = timeout(STEP_LIMIT, pipeline.try_all::<Value>())
            .await
            .map_err(|_| connector.failed(Fault::Silent(STEP_LIMIT)))?;
        Ok(requests.into_iter().zip(replies).collect())
    }

    /// Removes the keys that the scenario's services can have written under their prefixes, and no other. Returns their number.
    pub async fn cleanup(&self, scenario: &Scenario) -> Result<u64, TargetError> {
        let mut removed = 0;
        for place in self.places(scenario) {
            removed += place.empty(&place.own).await?;
        }
        Ok(removed)
    }
}

impl Place<'_> {
    /// Removes those of some keys that are there, and returns their number.
    pub(super) async fn empty(&self, keys: &OwnKeys) -> Result<u64, TargetError> {
        let mut removed = 0;
        for holder in &self.holders {
            let (client, _router) = holder.connect().await?;
            let mut walk = Walk::begin(&client, self.prefix, keys).await;
            while let Some(found) = self.limited(walk.next()).await? {
                removed += self.limited(remove(&client, found)).await?;
            }
        }
        Ok(removed)
    }

    /// The result of a step of the clean-up.
    pub(super) async fn limited<T>(&self, step: impl Future<Output = Result<T, Error>>) -> Result<T, TargetError> {
        let silent = |_| self.connector.failed(Fault::Silent(REMOVAL_LIMIT));
        let failed = |error: Error| TargetError::Cleanup {
            service: self.service.to_owned(),
            message: error.details().to_owned(),
        };
        timeout(REMOVAL_LIMIT, step).await.map_err(silent)?.map_err(failed)
    }
}

/// A walk through those of some keys that are on the server.
pub(super) struct Walk<'a> {
    scan: Scan<'a>,
    keys: &'a OwnKeys,
    names: Box<dyn Iterator<Item = Bytes> + Send + 'a>,
}

impl<'a> Walk<'a> {
    pub(super) async fn begin(client: &'a Client, prefix: &'a str, keys: &'a OwnKeys) -> Self {
        Self { scan: Scan::begin(client, prefix).await, keys, names: Box::new(keys.iter()) }
    }

    /// Keys of one step; `None` at the end. Where the server's cursor does not come to an end, the names of all keys, whether or
    /// not they are there.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<Bytes>>, Error> {
        if let Some(found) = self.scan.step().await? {
            return Ok(Some(found.into_iter().filter(|key| self.keys.contains(key)).collect()));
        }
        let names: Vec<_> =
            if self.scan.is_complete() { Vec::new() } else { self.names.by_ref().take(SCANNED as usize).collect() };
        Ok(Some(names).filter(|names| !names.is_empty()))
    }
}

/// A walk through the keys under a prefix.
pub(super) struct Scan<'a> {
    client: &'a Client,
    prefix: &'a str,
    /// Where it goes on; `None` at its end.
    cursor: Option<String>,
    steps_left: u64,
}

impl<'a> Scan<'a> {
    pub(super) async fn begin(client: &'a Client, prefix: &'a str) -> Self {
        let keys = ask(client, "DBSIZE", Vec::new()).await.ok().and_then(|keys| keys.as_u64()).unwrap_or_default();
        let steps_left = keys / SCANNED_LEAST + SPARE_STEPS;
        Self { client, prefix, cursor: Some("0".to_owned()), steps_left }
    }

    /// Keys of one step; `None` at the end, or where that does not come.
    pub(super) async fn step(&mut self) -> Result<Option<Vec<Bytes>>, Error> {
        let Some(cursor) = self.cursor.as_ref().filter(|_| self.steps_left > 0) else { return Ok(None) };
        let pattern = format!("{}*", escaped(self.prefix));
        let words = [cursor, "MATCH", &pattern, "COUNT", &SCANNED.to_string()].map(|word| Bytes::from(word.to_owned()));
        let (next, keys): (String, Vec<Bytes>) = ask(self.client, "SCAN", words.to_vec()).await?.convert()?;
        self.steps_left -= 1;
        self.cursor = (next != "0").then_some(next);
        Ok(Some(keys))
    }

    /// Whether it has come to its end.
    fn is_complete(&self) -> bool {
        self.cursor.is_none()
    }
}

/// Removes keys, and returns their number.
pub(super) async fn remove(client: &Client, keys: Vec<Bytes>) -> Result<u64, Error> {
    if keys.is_empty() {
        return Ok(0);
    }
    let mut last = None;
    // Older servers, and some users, have but the other command.
    for name in ["UNLINK", "DEL"] {
        match ask(client, name, keys.clone()).await {
            Ok(count) => return count.convert(),
            Err(error) if crosses_slots(&error) => {
                return Ok(ask_of_each::<u64>(client, name, &keys).await?.into_iter().sum());
            }
            Err(error) => last = Some(error),
        }
    }
    Err(last.expect("both were refused"))
}

/// Whether a node of a cluster refuses a command since its keys are in several slots.
fn crosses_slots(error: &Error) -> bool {
    error.details().starts_with("CROSSSLOT")
}

/// Splits a request into one command for each key.
fn key_by_key(request: Request) -> Vec<Request> {
    match request.args {
        Args::Pairs(pairs) if request.kind == Kind::MSet => {
            pairs.into_iter().map(|pair| Request::new(Kind::MSet, pair.0.clone(), Args::Pairs(vec![pair]))).collect()
        }
        args => vec![Request { args, ..request }],
    }
}

/// A text in which no character matches anything but itself.
pub(super) fn escaped(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut pattern, letter| {
        if matches!(letter, '*' | '?' | '[' | ']' | '\\' | '^' | '-') {
            pattern.push('\\');
        }
        pattern.push(letter);
        pattern
    })
}

fn refused(connector: &Connector, kind: Kind, key: &Bytes, error: &Error) -> TargetError {
    let service = connector.service().to_owned();
    let key = String::from_utf8_lossy(key).into_owned();
    let command = kind.spec().name;
    let failure = failure::of_request(error);
    match failure.class {
        ErrorClass::Wrongtype => TargetError::OtherType { service, key },
        ErrorClass::Oom => TargetError::DataTooLarge { service, volatile: false, message: failure.message },
        // A server that is sent too much replies with an error and closes the connection; either may be seen first.
        class if class == ErrorClass::ConnectionLost || failure.message.contains("Protocol error") => {
            TargetError::PrefillCut { service, command, key, message: failure.message }
        }
        _ if failure::is_of_cluster(&failure.message) => TargetError::Cluster { message: failure.message },
        _ => TargetError::Prefill { service, command, key, message: failure.message },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_patterns() {
        assert_eq!(escaped("api:"), "api:");
        assert_eq!(escaped("a*b?[c]\\"), "a\\*b\\?\\[c\\]\\\\");
    }
}
