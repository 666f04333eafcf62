//! Claims: a run marks the prefixes that it writes under, so that no other run overwrites or removes its keys, and so that
//! the keys of one that was ended by force are known for what they are.

use std::{
    fmt::{self, Write as _},
    fs, process,
};

use bytes::Bytes;
use fred::{clients::Client, error::Error};
use jiff::Timestamp;
use rustix::{
    io::Errno,
    process::{Pid, test_kill_process},
};
use sha2::{Digest as _, Sha256};

use super::{
    Secret, Target, TargetError,
    ask::{ask, ask_of_each},
    data::{Place, Scan, remove},
};
use crate::{
    scenario::Scenario,
    workload::{KeyRange, OwnKeys},
};

/// Name of a claim's key, after the prefix.
const CLAIM: &str = "plimsoll-claim";

/// Characters of a claim that are shown.
const SHOWN: usize = 160;

/// Keys that are asked for together.
const TOGETHER: usize = 500;

/// Between what a run says of itself in a claim and the keys that it may write.
const KEYS: &str = ", keys ";

/// Sets the claim to the second text if it is the first.
const REPLACE: &str = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('SET', KEYS[1], ARGV[2]) end";

/// Content of a claim: a random number, and the facts that identify the run.
pub fn claimant() -> String {
    let random = Secret::random().map(|secret| secret.expose()[..12].to_owned()).unwrap_or_default();
    let system = rustix::system::uname();
    let host = system.nodename().to_string_lossy();
    let here = here().map(|here| format!(" ({here})")).unwrap_or_default();
    let now = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ");
    format!("{random}, process {} on {host}{here}, started {now}", process::id())
}

/// Identifies the numbers of processes that mean the same as here: those of this start of this machine, in this container.
/// `None` where the system does not show it.
fn here() -> Option<String> {
    let start = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let container = fs::read_link("/proc/self/ns/pid").ok()?;
    let digest = Sha256::digest(format!("{} {}", start.trim(), container.display()));
    Some(format!("{digest:x}")[..12].to_owned())
}

/// A claim as it lies on a server: what its run says of itself and, once none of them was found, the keys that it writes.
pub(super) struct Claim(String);

impl Claim {
    fn is_of(&self, claimant: &str) -> bool {
        self.0.strip_prefix(claimant).is_some_and(|rest| rest.is_empty() || rest.starts_with(KEYS))
    }

    /// Whether its run was a process of this machine that is there no more. Of a process elsewhere nothing is known.
    pub(super) fn has_ended(&self) -> bool {
        let ended = || {
            let (_, rest) = self.0.split_once(", process ")?;
            let (process, rest) = rest.split_once(' ')?;
            let (place, _) = rest.split_once(" (")?.1.split_once(')')?;
            let process = Pid::from_raw(process.parse().ok()?)?;
            Some(Some(place.to_owned()) == here() && test_kill_process(process) == Err(Errno::SRCH))
        };
        ended().unwrap_or(false)
    }

    /// The keys under a prefix that were not there when the run began and that it may have written.
    fn keys(&self, prefix: &str) -> OwnKeys {
        let stems = self.0.split_once(KEYS).map_or("", |(_, stems)| stems).split(' ');
        let stem = |text: &str| {
            let (tag, range) = text.split_once(':')?;
            let (count, together) = range.split_once('/').unwrap_or((range, "0"));
            let range = KeyRange { count: count.parse().ok()?, together: together.parse().ok()? };
            Some((Bytes::from(format!("{prefix}{tag}:")), range))
        };
        stems.filter_map(stem).collect()
    }
}

impl fmt::Display for Claim {
    /// What its run says of itself.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let run = self.0.split(KEYS).next().unwrap_or_default();
        run.chars().filter(|letter| !letter.is_control()).take(SHOWN).try_for_each(|letter| f.write_char(letter))
    }
}

/// A claim of a run that was ended by force, and the outcome of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Takeover {
    /// Prefix.
    pub prefix: String,
    /// What the run said of itself.
    pub by: String,
    /// Number of its keys that were removed.
    pub removed: u64,
}

impl fmt::Display for Takeover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { prefix, by, removed } = self;
        write!(f, "removed the claim on `{prefix}` of a killed run on this machine ({by})")?;
        match removed {
            0 => Ok(()),
            1 => f.write_str(", and the key that it wrote"),
            removed => write!(f, ", and the {removed} keys that it wrote"),
        }
    }
}

impl Target {
    /// Claims the prefixes of the scenario's services, and checks that none of the keys that it would write is there. Where
    /// that fails nothing stays claimed that was not before. A user who may not write the claim goes without.
    /// On a private server there is nothing to claim.
    ///
    /// A claim of a process of this machine that is there no more is taken over, and the keys that the claim names are removed:
    /// none of them was there before that run. Returns those claims.
    pub async fn claim(&self, scenario: &Scenario, claimant: &str) -> Result<Vec<Takeover>, TargetError> {
        let (mut claimed, mut takeovers) = (Vec::new(), Vec::new());
        let places = self.shared_places(scenario);
        for place in &places {
            let (client, router) = place.connector.connect().await?;
            let result = place.claim(&client, claimant).await;
            claimed.push((client, router, place));
            match result {
                Ok(takeover) => takeovers.extend(takeover),
                Err(error) => {
                    for (client, _router, place) in claimed {
                        let _ = place.release(&client, claimant).await;
                    }
                    return Err(error);
                }
            }
        }
        Ok(takeovers)
    }

    /// Gives the claims back.
    pub async fn release(&self, scenario: &Scenario, claimant: &str) -> Result<(), TargetError> {
        for place in self.shared_places(scenario) {
            let (client, _router) = place.connector.connect().await?;
            place.release(&client, claimant).await.map_err(|error| place.connector.explain(&error))?;
        }
        Ok(())
    }

    /// Prefixes of the scenario that another run has claimed, as an error.
    pub async fn claimed_by_another(&self, scenario: &Scenario, claimant: &str) -> Result<(), TargetError> {
        for place in self.shared_places(scenario) {
            let (client, _router) = place.connector.connect().await?;
            place.check(&client, claimant).await?;
        }
        Ok(())
    }

    fn shared_places<'a>(&'a self, scenario: &'a Scenario) -> Vec<Place<'a>> {
        if self.private { Vec::new() } else { self.places(scenario) }
    }
}

impl Place<'_> {
    /// The key of a claim.
    pub(super) fn mark(&self) -> Bytes {
        Bytes::from(format!("{}{CLAIM}", self.prefix))
    }

    async fn claim(&self, client: &Client, claimant: &str) -> Result<Option<Takeover>, TargetError> {
        let words = vec![self.mark(), Bytes::from(claimant.to_owned()), Bytes::from_static(b"NX")];
        let mut takeover = None;
        // A user without the right, or a server that takes no writes, leaves the run without a claim.
        if ask(client, "SET", words).await.is_ok_and(|reply| reply.is_null()) {
            takeover = self.take_over(client, claimant).await?;
            self.check(client, claimant).await?;
        }
        match self.existing(client).await {
            Ok(Some(key)) => {
                return Err(TargetError::KeysExist {
                    service: self.service.to_owned(),
                    key: String::from_utf8_lossy(&key).into_owned(),
                });
            }
            Ok(None) => {
                let tag = |stem: &Bytes| String::from_utf8_lossy(&stem[self.prefix.len()..]).into_owned();
                let range = |KeyRange { count, together }| match together {
                    0 => count.to_string(),
                    together => format!("{count}/{together}"),
                };
                let keys: Vec<_> =
                    self.own.stems().map(|(stem, keys)| format!("{}{}", tag(stem), range(keys))).collect();
                let claim = format!("{claimant}{KEYS}{}", keys.join(" "));
                // Without it the claim holds, and proves nothing.
                let _ = ask(client, "SET", vec![self.mark(), claim.into(), Bytes::from_static(b"XX")]).await;
            }
            // The right to look may be missing.
            Err(_) => {}
        }
        Ok(takeover)
    }

    /// Takes over the claim of a run that has ended, and removes its keys. A server on which the user may not run a script, or
    /// where another run is faster, keeps the claim.
    async fn take_over(&self, client: &Client, claimant: &str) -> Result<Option<Takeover>, TargetError> {
        let Some(claim) = self.claimed(client).await.filter(Claim::has_ended) else { return Ok(None) };
        let replace = |from: &str, to: &str| {
            let words = [Bytes::from_static(REPLACE.as_bytes()), Bytes::from_static(b"1"), self.mark()];
            [&words[..], &[from.to_owned().into(), to.to_owned().into()]].concat()
        };
        if ask(client, "EVAL", replace(&claim.0, claimant)).await.is_ok_and(|reply| !reply.is_null()) {
            match self.empty(&claim.keys(self.prefix)).await {
                Ok(removed) => {
                    return Ok(Some(Takeover { prefix: self.prefix.to_owned(), by: claim.to_string(), removed }));
                }
                Err(error) => {
                    let _ = ask(client, "EVAL", replace(claimant, &claim.0)).await;
                    return Err(error);
                }
            }
        }
        Ok(None)
    }

    /// The claim that is there.
    pub(super) async fn claimed(&self, client: &Client) -> Option<Claim> {
        let known = ask(client, "GET", vec![self.mark()]).await.ok().filter(|value| !value.is_null())?;
        known.as_str_lossy().map(|text| Claim(text.into_owned()))
    }

    /// Fails where another run has the claim.
    async fn check(&self, client: &Client, claimant: &str) -> Result<(), TargetError> {
        match self.claimed(client).await.filter(|claim| !claim.is_of(claimant)) {
            None => Ok(()),
            Some(claim) => Err(TargetError::Claimed {
                service: self.service.to_owned(),
                prefix: self.prefix.to_owned(),
                by: claim.to_string(),
            }),
        }
    }

    async fn release(&self, client: &Client, claimant: &str) -> Result<(), Error> {
        let known = ask(client, "GET", vec![self.mark()]).await;
        let is_own = match known.map(|value| value.as_str_lossy().map(|text| Claim(text.into_owned()))) {
            Ok(claim) => claim.is_some_and(|claim| claim.is_of(claimant)),
            // A user who may not read it has it if it can be written.
            Err(_) => ask(client, "SET", vec![self.mark(), claimant.to_owned().into(), "NX".into()]).await.is_ok(),
        };
        if is_own {
            remove(client, vec![self.mark()]).await?;
        }
        Ok(())
    }

    /// A key of the data that exists already: by name where the server has more keys than the data, else by
    /// looking through them.
    async fn existing(&self, client: &Client) -> Result<Option<Bytes>, Error> {
        for holder in &self.holders {
            let Ok((holder, _router)) = holder.connect().await else { continue };
            let keys = ask(&holder, "DBSIZE", Vec::new()).await.ok().and_then(|keys| keys.as_u64());
            if keys.is_some_and(|keys| keys > self.own.count())
                && let Ok(found) = self.by_name(client).await
            {
                return Ok(found);
            }
            let mut scan = Scan::begin(&holder, self.prefix).await;
            while let Some(keys) = scan.step().await? {
                if let Some(key) = keys.into_iter().find(|key| self.own.contains(key)) {
                    return Ok(Some(key));
                }
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
            let there: Vec<u64> = ask_of_each(client, "EXISTS", &names).await?;
            if let Some(place) = there.iter().position(|there| *there > 0) {
                return Ok(names.into_iter().nth(place));
            }
        }
    }
}
