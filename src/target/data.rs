//! The data that a run works on: written before it, removed after it.

use std::{collections::BTreeSet, time::Duration};

use bytes::Bytes;
use fred::{
    clients::Client,
    error::Error,
    interfaces::{ClientLike, KeysInterface},
    types::{ClusterHash, CustomCommand, Key, Value},
};
use tokio::time::timeout;

use super::{Connector, Target, TargetError, failure, issue};
use crate::{
    measure::ErrorClass,
    operation::{Kind, Request},
    scenario::Scenario,
    workload::{Prefill, is_own},
};

/// Commands of the prefill that are under way at a time. One connection keeps them in order, so that a list is trimmed
/// after it was written.
const PIPELINED: usize = 128;

/// Keys that a step of a scan looks at.
const SCANNED: &str = "1000";

/// Time that a step may take.
const STEP_LIMIT: Duration = Duration::from_secs(60);

/// Time that closing the connection may take.
const CLOSE_LIMIT: Duration = Duration::from_secs(1);

/// Time that a step of the clean-up may take: a scan of a thousand keys and their removal.
const REMOVAL_LIMIT: Duration = Duration::from_secs(5);

impl Target {
    /// Writes every key that the scenario's operations can ask for, each service with its own login into its own
    /// database. `progress` is told the elements written and those to be written in all.
    pub async fn prefill(&self, scenario: &Scenario, progress: &mut dyn FnMut(u64, u64)) -> Result<(), TargetError> {
        let parts: Vec<_> = (0..self.connectors.len()).map(|service| Prefill::new(scenario, service)).collect();
        let total = parts.iter().map(Prefill::elements).sum();
        let mut done = 0;
        progress(done, total);
        for (connector, mut part) in self.connectors.iter().zip(parts) {
            let (client, _router) = connector.connect().await?;
            while self.write(&client, connector, part.by_ref().take(PIPELINED).collect()).await? {
                progress(done + part.written(), total);
            }
            done += part.written();
            // Its runtime may rest until the load is over: left to itself the connection would stay as long, and be
            // among those that the server has meanwhile.
            let _ = timeout(CLOSE_LIMIT, client.quit()).await;
        }
        Ok(())
    }

    /// Writes one batch; `false` if there is none left.
    async fn write(&self, client: &Client, connector: &Connector, requests: Vec<Request>) -> Result<bool, TargetError> {
        if requests.is_empty() {
            return Ok(false);
        }
        let pipeline = client.pipeline();
        let mut written = Vec::with_capacity(requests.len());
        for request in requests {
            written.push((request.kind, request.key.clone()));
            let kind = request.kind;
            // Nothing is sent before the end.
            issue::issue(&pipeline, request).await.map_err(|error| refused(connector, kind, &Bytes::new(), &error))?;
        }
        let replies = timeout(STEP_LIMIT, pipeline.try_all::<Value>())
            .await
            .map_err(|_| TargetError::Silent { address: self.address(), limit: STEP_LIMIT })?;
        for ((kind, key), reply) in written.iter().zip(replies) {
            reply.map_err(|error| refused(connector, *kind, key, &error))?;
        }
        Ok(true)
    }

    /// Removes the keys that the scenario's services can have written under their prefixes, and no other. Returns their number.
    pub async fn cleanup(&self, scenario: &Scenario) -> Result<u64, TargetError> {
        let mut removed = 0;
        let mut seen = BTreeSet::new();
        for (service, connector) in scenario.services.iter().zip(&self.connectors) {
            let prefix = &service.keys.prefix;
            // Without a prefix everybody's keys would match.
            if !prefix.is_empty() && seen.insert((connector.database(), prefix)) {
                let (client, _router) = connector.connect().await?;
                let error = |error: Error| TargetError::Cleanup {
                    service: service.name.clone(),
                    message: error.details().to_owned(),
                };
                let mut scan = Scan { client: &client, prefix, cursor: Some("0".to_owned()) };
                while scan.cursor.is_some() {
                    let step = timeout(REMOVAL_LIMIT, scan.step()).await;
                    let step =
                        step.map_err(|_| TargetError::Silent { address: self.address(), limit: REMOVAL_LIMIT })?;
                    removed += step.map_err(error)?;
                }
            }
        }
        Ok(removed)
    }
}

/// A walk through the keys of a service, which are removed on the way.
struct Scan<'a> {
    client: &'a Client,
    prefix: &'a str,
    /// Where it goes on; `None` at its end.
    cursor: Option<String>,
}

impl Scan<'_> {
    /// Removes the keys of one step, and returns their number.
    async fn step(&mut self) -> Result<u64, Error> {
        let Some(cursor) = self.cursor.take() else { return Ok(0) };
        let pattern = format!("{}*", escaped(self.prefix));
        let arguments = vec![cursor, "MATCH".to_owned(), pattern, "COUNT".to_owned(), SCANNED.to_owned()];
        let command = CustomCommand::new_static("SCAN", ClusterHash::Random, false);
        let (next, mut keys): (String, Vec<Key>) = self.client.custom(command, arguments).await?;
        self.cursor = (next != "0").then_some(next);
        keys.retain(|key| is_own(self.prefix, key.as_bytes()));
        if keys.is_empty() {
            return Ok(0);
        }
        match self.client.unlink::<u64, _>(keys.clone()).await {
            // Older servers, and some users, have but the other command.
            Err(_) => self.client.del::<u64, _>(keys).await,
            Ok(count) => Ok(count),
        }
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
        ErrorClass::Oom => TargetError::DataTooLarge { service, message: failure.message },
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
