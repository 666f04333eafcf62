//! Looking at a bounded sample of a server's keys: their types, their memory, and how much they are used.
//!
//! `SCAN` goes through the buckets of the server's hash table, and a seed that is random for each server decides which
//! key lies in which bucket. So the keys of its first steps are as good as keys drawn by lot, with one exception: while a
//! table grows or shrinks, a key may be returned twice, which is noticed here.
//!
//! `TYPE`, `MEMORY USAGE` and `OBJECT FREQ` do not count as uses of a key.

use std::{
    collections::{BTreeMap, HashSet},
    time::{Duration, Instant},
};

use bytes::Bytes;
use fred::{
    clients::Client,
    error::Error,
    interfaces::ClientLike,
    types::{ClusterHash, CustomCommand, Value},
};
use tokio::time::{sleep, timeout};

use super::{
    info::Info,
    key_groups::{KeyGroups, Looked},
    questions::{Questions, TIMEOUT, is_reply, text},
};
use crate::results::{DatabaseSample, KeyspaceSample, Withheld};

/// Keys that a step of a scan should return.
const STEP: u64 = 100;

/// Limits of a sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SampleLimits {
    /// Share of the server's time, 0..=1.
    pub share: f64,
    /// Time in all.
    pub time: Duration,
    /// Keys in all; a step more may come.
    pub keys: u64,
}

/// A sample after a run takes this part of the run's length, and no less than the shortest time.
const PARTS: u32 = 20;
const SHORTEST: Duration = Duration::from_millis(500);

impl Default for SampleLimits {
    fn default() -> Self {
        Self { share: 0.05, time: Duration::from_secs(3), keys: 20_000 }
    }
}

impl SampleLimits {
    /// Limits for a private server, which has no other users, and for others.
    #[must_use]
    pub fn of(private: bool) -> Self {
        let usual = Self::default();
        Self { share: if private { 1.0 } else { usual.share }, ..usual }
    }

    /// The limits after a run of this length.
    #[must_use]
    pub fn after(self, run: Duration) -> Self {
        Self { time: (run / PARTS).clamp(SHORTEST, self.time), ..self }
    }
}

/// Looks at some keys of each database of a server, in proportion to what it holds; `own` is the database of the client.
/// `None` where reading the keys is refused. The refusals are returned beside it.
pub async fn sample_keyspace(
    client: Client,
    own: u64,
    limits: SampleLimits,
) -> (Option<KeyspaceSample>, Vec<Withheld>) {
    let budget = Budget { began: Instant::now(), busy: Duration::ZERO, limits };
    let questions = Questions::new(client.clone());
    let mut sampler =
        Sampler { client, own, questions, budget, silent: false, server: Known::default(), refused: BTreeMap::new() };
    let databases = sampler.databases().await;
    let looked = sampler.look(databases).await;
    if !sampler.silent {
        // The last step is paid for, too.
        sampler.budget.rest(sampler.budget.end()).await;
    }
    let sample = looked.map(|mut databases| {
        databases.sort_by_key(|sample| sample.database);
        KeyspaceSample {
            databases,
            elapsed_ns: sampler.budget.began.elapsed().as_nanos() as u64,
            busy_ns: sampler.budget.busy.as_nanos() as u64,
            allowed: limits.share,
        }
    });
    (sample, sampler.into_withheld())
}

struct Sampler {
    client: Client,
    own: u64,
    questions: Questions<Client>,
    budget: Budget,
    /// Whether the server stopped answering.
    silent: bool,
    server: Known,
    /// Commands of steps, with the first refusal of each and whether it is still asked.
    refused: BTreeMap<&'static str, Refusal>,
}

/// What the server said of itself.
#[derive(Default)]
struct Known {
    /// Whether it listed its databases.
    databases: bool,
    /// Whether it counts uses.
    frequency: bool,
    /// Whether it is a node of a cluster.
    in_cluster: bool,
}

struct Refusal {
    reason: String,
    always: bool,
}

/// The server does not answer any more.
struct Silent;

impl Sampler {
    /// Databases that hold keys, with their number.
    async fn databases(&mut self) -> Vec<(u64, u64)> {
        if let Some(said) = self.questions.ask_text(&["INFO"]).await {
            let info = Info::parse(&said);
            self.server.databases = true;
            self.server.in_cluster = info.text("redis_mode") == Some("cluster") || info.is_on("cluster_enabled");
            self.server.frequency = info.text("maxmemory_policy").is_some_and(|policy| policy.contains("lfu"));
            let known = info.compound("db").filter_map(|(rest, keys)| Some((rest.parse().ok()?, keys.number("keys")?)));
            return known.collect();
        }
        let keys = self.questions.ask(&["DBSIZE"]).await.and_then(|keys| keys.as_u64());
        keys.filter(|keys| *keys > 0).map(|keys| (self.own, keys)).into_iter().collect()
    }

    /// Small databases come first: what they leave of their share goes to the others.
    async fn look(&mut self, mut databases: Vec<(u64, u64)>) -> Option<Vec<DatabaseSample>> {
        databases.sort_by_key(|(database, keys)| (*keys, *database));
        let mut keys_left = self.budget.limits.keys;
        let mut samples = Vec::new();
        for (at, (database, keys)) in databases.iter().enumerate() {
            let rest: u64 = databases[at..].iter().map(|(_, keys)| keys).sum();
            let part = *keys as f64 / rest.max(1) as f64;
            let until = Instant::now() + self.budget.left().mul_f64(part);
            let at_most = (keys_left as f64 * part) as u64;
            if !self.budget.rest(self.budget.end()).await {
                break;
            }
            let mut groups = KeyGroups::default();
            let looked = self.look_into(*database, at_most, until, &mut groups).await;
            keys_left = keys_left.saturating_sub(groups.sampled());
            if groups.sampled() > 0 {
                samples.push(groups.into_sample(*database, *keys, matches!(looked, Ok(true))));
            }
            self.silent = looked.is_err();
            if self.silent || self.is_refused("SCAN") {
                break;
            }
        }
        // An empty server is known; one that lets nobody look is not.
        let empty = databases.is_empty() && self.server.databases;
        (empty || !samples.is_empty()).then_some(samples)
    }

    /// Steps through one database, at least one step. Whether all keys were looked at.
    async fn look_into(
        &mut self,
        database: u64,
        at_most: u64,
        until: Instant,
        groups: &mut KeyGroups,
    ) -> Result<bool, Silent> {
        let mut known: HashSet<Bytes> = HashSet::new();
        let mut found: Vec<Bytes> = Vec::new();
        let mut cursor = Some(Bytes::from_static(b"0"));
        loop {
            if database != self.own && self.is_refused("SELECT") {
                return Ok(false);
            }
            let step = Step { database, keys: found, cursor: cursor.take() };
            let Some(Scanned { cursor: next, keys }) = self.take(step, groups).await? else { return Ok(false) };
            found = keys.into_iter().filter(|key| known.insert(key.clone())).collect();
            if next.is_none() && found.is_empty() {
                return Ok(true);
            }
            let enough = groups.sampled() > 0 && groups.sampled() >= at_most;
            if enough || !self.budget.rest(until).await {
                return Ok(false);
            }
            cursor = next;
        }
    }

    /// Takes a step: asks about the keys of the last one, and for the keys of the next.
    async fn take(&mut self, step: Step, groups: &mut KeyGroups) -> Result<Option<Scanned>, Silent> {
        let subjects: Vec<&'static str> = ["TYPE", "MEMORY USAGE", "OBJECT FREQ"]
            .into_iter()
            .filter(|subject| !self.is_refused(subject) && (*subject != "OBJECT FREQ" || self.server.frequency))
            .collect();
        let mut lines = Vec::new();
        if self.server.in_cluster {
            // A node that has become a replica sends others away otherwise.
            lines.push(vec![Bytes::from_static(b"READONLY")]);
        }
        // At every step: a connection that was lost comes back in its own database.
        let select = !self.is_refused("SELECT");
        if select {
            lines.push(vec![Bytes::from_static(b"SELECT"), Bytes::from(step.database.to_string())]);
        }
        for key in &step.keys {
            for subject in &subjects {
                let words = subject.split(' ').map(|word| Bytes::copy_from_slice(word.as_bytes()));
                lines.push(words.chain([key.clone()]).collect());
            }
        }
        let scanning = step.cursor.is_some();
        if let Some(cursor) = step.cursor {
            let count = [Bytes::from_static(b"COUNT"), Bytes::from(STEP.to_string())];
            lines.push([Bytes::from_static(b"SCAN"), cursor].into_iter().chain(count).collect());
        }
        let mut answers = self.ask_together(lines).await?.into_iter();
        let mut next = || answers.next().unwrap_or_else(|| Err("no answer".to_owned()));

        if self.server.in_cluster {
            // Without it, the keys of a primary are read all the same.
            let _ = next();
        }
        if select && let Err(reason) = next() {
            self.refuse("SELECT", reason, true);
            // What follows was said of another database.
            return Ok((step.database == self.own).then(|| Scanned { cursor: Some("0".into()), keys: Vec::new() }));
        }
        let mut refusals = Vec::new();
        for key in &step.keys {
            let mut looked = Looked { key: key.to_vec(), ..Looked::default() };
            let mut gone = false;
            for subject in &subjects {
                match (*subject, next()) {
                    ("TYPE", Ok(value)) => looked.data_type = text(&value),
                    ("MEMORY USAGE", Ok(value)) => {
                        // It was removed meanwhile.
                        gone |= value.is_null();
                        looked.bytes = value.as_u64();
                    }
                    (_, Ok(value)) => looked.frequency = value.as_u64().and_then(|count| u8::try_from(count).ok()),
                    (_, Err(reason)) if is_elsewhere(&reason) => gone = true,
                    (_, Err(reason)) => {
                        let always = is_of_command(&reason);
                        refusals.push((*subject, reason, always));
                    }
                }
            }
            if !gone && looked.data_type.as_deref() != Some("none") {
                groups.add(looked);
            }
        }
        for (subject, reason, always) in refusals {
            self.refuse(subject, reason, always);
        }
        if !scanning {
            return Ok(Some(Scanned { cursor: None, keys: Vec::new() }));
        }
        match next() {
            Ok(answer) => Ok(scanned(answer)),
            Err(reason) => {
                self.refuse("SCAN", reason, true);
                Ok(None)
            }
        }
    }

    /// Answers, or the server's words of refusal; counts the time that they took.
    async fn ask_together(&mut self, lines: Vec<Vec<Bytes>>) -> Result<Vec<Result<Value, String>>, Silent> {
        let pipeline = self.client.pipeline();
        for line in lines {
            let mut words = line.into_iter();
            let name = words.next().map(|name| String::from_utf8_lossy(&name).into_owned()).unwrap_or_default();
            let command = CustomCommand::new(name, ClusterHash::Random, false);
            // Nothing is sent before the end.
            let _: Result<Value, Error> = pipeline.custom(command, words.collect::<Vec<_>>()).await;
        }
        let asked = Instant::now();
        let answers = timeout(TIMEOUT, pipeline.try_all::<Value>()).await;
        self.budget.busy += asked.elapsed();
        let answer = |answer: Result<Value, Error>| match answer {
            Ok(value) => Ok(Ok(value)),
            Err(error) if is_reply(error.details()) => Ok(Err(error.details().to_owned())),
            Err(_) => Err(Silent),
        };
        answers.map_err(|_| Silent)?.into_iter().map(answer).collect()
    }

    fn refuse(&mut self, subject: &'static str, reason: String, always: bool) {
        let known = self.refused.entry(subject).or_insert(Refusal { reason, always });
        known.always |= always;
    }

    /// Whether a command is refused in general, so that further questions are useless.
    fn is_refused(&self, subject: &str) -> bool {
        self.refused.get(subject).is_some_and(|refusal| refusal.always)
    }

    fn into_withheld(self) -> Vec<Withheld> {
        let of_steps = self.refused.into_iter().map(|(subject, refusal)| Withheld {
            what: if refusal.always { subject.to_owned() } else { format!("{subject} of some keys") },
            reason: refusal.reason,
        });
        let mut withheld = self.questions.into_withheld();
        withheld.extend(of_steps);
        withheld
    }
}

/// Whether a refusal concerns a command in general, and not its use with one key.
fn is_of_command(reason: &str) -> bool {
    let of_key = reason.contains("permissions to access");
    (reason.starts_with("NOPERM") && !of_key) || reason.starts_with("ERR unknown")
}

/// Whether a key has moved to another node of the cluster, with its slot.
fn is_elsewhere(reason: &str) -> bool {
    ["MOVED ", "ASK "].iter().any(|word| reason.starts_with(word))
}

/// Questions of one batch.
struct Step {
    database: u64,
    keys: Vec<Bytes>,
    /// Where the scan goes on, if it does.
    cursor: Option<Bytes>,
}

/// Result of one `SCAN`.
struct Scanned {
    /// Where it goes on; `None` at its end.
    cursor: Option<Bytes>,
    keys: Vec<Bytes>,
}

fn scanned(answer: Value) -> Option<Scanned> {
    let mut parts = answer.into_array().into_iter();
    let (cursor, keys) = (parts.next()?.into_bytes()?, parts.next()?);
    let keys = keys.into_array().into_iter().filter_map(Value::into_bytes).collect();
    Some(Scanned { cursor: (cursor != "0").then_some(cursor), keys })
}

/// Server time used, and its limit.
struct Budget {
    began: Instant,
    /// Time between questions and their answers: the server worked for a part of it.
    busy: Duration,
    limits: SampleLimits,
}

impl Budget {
    fn end(&self) -> Instant {
        self.began + self.limits.time
    }

    fn left(&self) -> Duration {
        self.limits.time.saturating_sub(self.began.elapsed())
    }

    /// Rests until what was taken is the allowed share of what went by; `false` if that is not before an instant, which
    /// is waited for instead.
    async fn rest(&self, until: Instant) -> bool {
        let owed = self.busy.div_f64(self.limits.share.max(1e-3));
        let free = self.began + owed;
        sleep(free.min(until).saturating_duration_since(Instant::now())).await;
        free.max(Instant::now()) < until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scans_are_read_to_their_end() {
        let reply = |cursor: &str| {
            let keys = Value::Array(vec![Value::Bytes(Bytes::from_static(b"\xff")), Value::String("a".into())]);
            scanned(Value::Array(vec![Value::String(cursor.into()), keys])).unwrap()
        };
        assert_eq!(reply("17").cursor, Some(Bytes::from_static(b"17")));
        assert_eq!(reply("0").cursor, None);
        assert_eq!(reply("0").keys, [Bytes::from_static(b"\xff"), Bytes::from_static(b"a")]);
        assert!(scanned(Value::Null).is_none());
    }

    #[test]
    fn a_key_that_may_not_be_read_says_nothing_of_the_others() {
        assert!(is_of_command("NOPERM this user has no permissions to run the 'memory|usage' command"));
        assert!(is_of_command("ERR unknown command 'MEMORY', with args beginning with: 'USAGE'"));
        assert!(!is_of_command("NOPERM this user has no permissions to access one of the keys used as arguments"));
        assert!(!is_of_command("NOPERM No permissions to access a key"));
    }

    #[test]
    fn a_key_that_has_moved_is_no_refusal() {
        assert!(is_elsewhere("MOVED 866 127.0.0.1:7001") && is_elsewhere("ASK 866 127.0.0.1:7001"));
        assert!(!is_elsewhere("NOPERM No permissions to access a key"));
    }

    #[test]
    fn a_sample_takes_a_small_part_of_the_run_before_it() {
        let after = |seconds: u64| SampleLimits::of(false).after(Duration::from_secs(seconds)).time.as_millis();
        assert_eq!([1, 10, 30, 60, 600].map(after), [500, 500, 1_500, 3_000, 3_000]);
        assert!(SampleLimits::of(true).share > SampleLimits::of(false).share);
    }

    #[tokio::test]
    async fn what_was_taken_is_paid_for() {
        let limits = SampleLimits { share: 0.5, time: Duration::from_secs(3600), keys: 1 };
        let budget = Budget { began: Instant::now(), busy: Duration::from_millis(10), limits };
        assert!(budget.rest(budget.end()).await);
        assert!(budget.began.elapsed() >= 2 * budget.busy);
        let exhausted = Budget { busy: Duration::from_secs(3600), ..budget };
        assert!(!exhausted.rest(Instant::now()).await, "there is no time to pay for it");
    }
}
