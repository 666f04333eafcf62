//! Claims: a run marks the prefixes that it writes under, so that no other run overwrites or removes its keys, and so that
//! the keys of one that was ended by force are known for what they are.

use std::process;

use bytes::Bytes;
use fred::{clients::Client, error::Error, types::Value};
use jiff::Timestamp;

use super::{
    Secret, Target, TargetError,
    data::{Place, Scan, ask, remove},
};
use crate::scenario::Scenario;

/// Name of a claim's key, after the prefix.
const CLAIM: &str = "plimsoll-claim";

/// Characters of another run's claim that are shown.
const SHOWN: usize = 160;

/// Keys that are asked for together.
const TOGETHER: usize = 500;

/// Content of a claim: a random number, and the facts that identify the run.
pub fn claimant() -> String {
    let random = Secret::random().map(|secret| secret.expose()[..12].to_owned()).unwrap_or_default();
    let system = rustix::system::uname();
    let host = system.nodename().to_string_lossy();
    let now = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ");
    format!("{random}, process {} on {host}, started {now}", process::id())
}

impl Target {
    /// Claims the prefixes of the scenario's services, and checks that none of the keys that it would write is there. Where
    /// that fails nothing stays claimed that was not before. A user who may not write the claim goes without.
    /// On a private server there is nothing to claim.
    pub async fn claim(&self, scenario: &Scenario, claimant: &str) -> Result<(), TargetError> {
        if self.private {
            return Ok(());
        }
        let mut claimed = Vec::new();
        let places = self.places(scenario);
        let mut result = Ok(());
        for place in &places {
            let (client, router) = place.connector.connect().await?;
            result = place.claim(&client, claimant).await;
            claimed.push((client, router, place));
            if result.is_err() {
                break;
            }
        }
        if result.is_err() {
            for (client, _router, place) in claimed {
                let _ = place.release(&client, claimant).await;
            }
        }
        result
    }

    /// Gives the claims back.
    pub async fn release(&self, scenario: &Scenario, claimant: &str) -> Result<(), TargetError> {
        if self.private {
            return Ok(());
        }
        for place in self.places(scenario) {
            let (client, _router) = place.connector.connect().await?;
            place.release(&client, claimant).await.map_err(|error| place.connector.explain(&error))?;
        }
        Ok(())
    }

    /// Prefixes of the scenario that another run has claimed, as an error.
    pub async fn claimed_by_another(&self, scenario: &Scenario, claimant: &str) -> Result<(), TargetError> {
        if self.private {
            return Ok(());
        }
        for place in self.places(scenario) {
            let (client, _router) = place.connector.connect().await?;
            place.check(&client, claimant).await?;
        }
        Ok(())
    }

    /// Removes the keys of the scenario and any claim of them; returns the number of keys.
    pub async fn clean(&self, scenario: &Scenario) -> Result<u64, TargetError> {
        let removed = self.cleanup(scenario).await?;
        for place in self.places(scenario) {
            let (client, _router) = place.connector.connect().await?;
            remove(&client, vec![place.mark()]).await.map_err(|error| place.connector.explain(&error))?;
        }
        Ok(removed)
    }
}

impl Place<'_> {
    /// The key of a claim.
    fn mark(&self) -> Bytes {
        Bytes::from(format!("{}{CLAIM}", self.prefix))
    }

    async fn claim(&self, client: &Client, claimant: &str) -> Result<(), TargetError> {
        let words = vec![self.mark(), Bytes::from(claimant.to_owned()), Bytes::from_static(b"NX")];
        // A user without the right, or a server that takes no writes, leaves the run without a claim.
        if ask(client, "SET", words).await.is_ok_and(|reply| reply.is_null()) {
            self.check(client, claimant).await?;
        }
        match self.existing(client).await {
            Ok(Some(key)) => Err(TargetError::KeysExist {
                service: self.service.to_owned(),
                key: String::from_utf8_lossy(&key).into_owned(),
            }),
            // The right to look may be missing.
            Ok(None) | Err(_) => Ok(()),
        }
    }

    /// Fails where another run has the claim.
    async fn check(&self, client: &Client, claimant: &str) -> Result<(), TargetError> {
        let known = ask(client, "GET", vec![self.mark()]).await.ok();
        let known = known.as_ref().filter(|value| !value.is_null()).and_then(Value::as_str_lossy);
        match known {
            Some(by) if by != claimant => Err(TargetError::Claimed {
                service: self.service.to_owned(),
                prefix: self.prefix.to_owned(),
                by: by.chars().filter(|letter| !letter.is_control()).take(SHOWN).collect(),
            }),
            _ => Ok(()),
        }
    }

    async fn release(&self, client: &Client, claimant: &str) -> Result<(), Error> {
        if self.check(client, claimant).await.is_ok() {
            remove(client, vec![self.mark()]).await?;
        }
        Ok(())
    }

    /// A key of the data that exists already: by name where the server has more keys than the data, else by
    /// looking through them.
    async fn existing(&self, client: &Client) -> Result<Option<Bytes>, Error> {
        let keys = ask(client, "DBSIZE", Vec::new()).await.ok().and_then(|keys| keys.as_u64());
        if keys.is_some_and(|keys| keys > self.own.count())
            && let Ok(found) = self.by_name(client).await
        {
            return Ok(found);
        }
        let mut scan = Scan::begin(client, self.prefix).await;
        while let Some(keys) = scan.step().await? {
            if let Some(key) = keys.into_iter().find(|key| self.own.contains(key)) {
                return Ok(Some(key));
            }
        }
        Ok(None)
    }

    async fn by_name(&self, client: &Client) -> Result<Option<Bytes>, Error> {
        let mut names = self.own.iter();
        loop {
            let names: Vec<Bytes> = names.by_ref().take(TOGETHER).collect();
            if names.is_empty() {
                return Ok(None);
            }
            let pipeline = client.pipeline();
            for name in &names {
                // Nothing is sent before the end.
                ask(&pipeline, "EXISTS", vec![name.clone()]).await?;
            }
            let there: Vec<u64> = pipeline.all().await?;
            if let Some(place) = there.iter().position(|there| *there > 0) {
                return Ok(names.into_iter().nth(place));
            }
        }
    }
}
