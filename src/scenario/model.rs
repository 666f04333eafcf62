//! The validated scenario: intent without unparsed strings. Only [`super::parse`] builds one.

use std::{path::PathBuf, time::Duration};

use schemars::JsonSchema;
use serde::Serialize;
use strum::{EnumString, IntoStaticStr, VariantNames};

use super::{Dependency, Event, TlsOptions, WriteAuditPlan};
use crate::operation::{self, Kind, Parameters, only_reads};

/// A whole load test, as it is to be run.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// Name; also the stem of the result folder.
    pub name: String,
    /// Description, one sentence.
    pub description: String,
    /// Root of all randomness: the same seed gives the same stream of requests.
    pub seed: u64,
    /// Length of each phase.
    pub run: Phases,
    /// Objective that the result is compared with.
    pub objective: Objective,
    /// At least one service.
    pub services: Vec<Service>,
    /// TLS of the target.
    pub tls: TlsOptions,
    /// Dependencies of the services besides the server.
    pub dependencies: Vec<Dependency>,
    /// What is done to a private server during the measured period.
    pub events: Vec<Event>,
    /// Audit of acknowledged writes.
    pub audit_writes: Option<WriteAuditPlan>,
    /// The TOML text that this scenario was read from, overrides applied. Parsing it again gives an equal scenario.
    pub source: String,
}

/// Phases of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Phases {
    /// Load that is not measured, before the measured period.
    pub warmup: Duration,
    /// The measured period.
    pub duration: Duration,
    /// Time limit for requests that are still under way at the end of the measured period.
    pub drain: Duration,
    /// Whether keys are written before the warm-up so that reads hit.
    pub prefill: bool,
    /// Whether each worker is pinned to a core.
    pub pin: bool,
}

/// The service level objective: at most `1 - percentile/100` of all requests may be late, failed or unfinished.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Objective {
    /// Response time that is still in time.
    pub latency: Duration,
    /// Percentile that is judged, in percent (99.0).
    pub percentile: f64,
    /// Highest share of failed requests, 0..=1.
    pub max_error_rate: f64,
    /// Longest time from the beginning of an outage until the objective is met again; `None` without a limit.
    pub recovery: Option<Duration>,
}

impl Objective {
    /// Highest share of requests that may be late, failed or unfinished, 0..=1.
    pub fn allowed(&self) -> f64 {
        (100.0 - self.percentile) / 100.0
    }
}

/// One application that uses the server.
#[derive(Debug, Clone, PartialEq)]
pub struct Service {
    /// Unique within the scenario.
    pub name: String,
    /// Database number that every connection selects.
    pub database: u8,
    /// ACL user; `None` leaves the target's own.
    pub username: Option<String>,
    /// Where the password comes from; `None` leaves the target's own.
    pub password: Option<PasswordSource>,
    /// Client library of its connections.
    pub client: Client,
    /// Version of the protocol on its connections.
    pub protocol: Protocol,
    /// Nodes that operations which only read are sent to.
    pub read_from: ReadFrom,
    /// Processes of this service, each with a pool of its own and an equal share of the load.
    pub instances: u32,
    /// Parts into which each instance is divided over the workers; `None` leaves it to the load engine.
    pub parts: Option<u32>,
    /// Connections of each instance.
    pub pool: Pool,
    /// Load model: the source of requests.
    pub load: Load,
    /// Keys of the requests.
    pub keys: Keys,
    /// Sizes of values.
    pub values: ValueSize,
    /// Commands before the data is written.
    pub setup: Vec<Words>,
    /// Commands before the data is removed.
    pub cleanup: Vec<Words>,
    /// Order of operations.
    pub order: Order,
    /// At least one operation.
    pub operations: Vec<Operation>,
}

/// A command in the scenario's own words, its name first.
pub type Words = Vec<String>;

/// Client library.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, EnumString, IntoStaticStr, VariantNames, Serialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Client {
    /// fred.
    #[default]
    Fred,
    /// plimsoll's own.
    Wire,
}

/// Version of the protocol between client and server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, EnumString, IntoStaticStr, VariantNames)]
pub enum Protocol {
    /// RESP2.
    #[default]
    #[strum(serialize = "2")]
    Resp2 = 2,
    /// RESP3.
    #[strum(serialize = "3")]
    Resp3 = 3,
}

/// Nodes of a primary with replicas, or of a shard of a cluster, that serve what only reads.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, EnumString, IntoStaticStr, VariantNames, Serialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum ReadFrom {
    /// The primary.
    #[default]
    Primary,
    /// Its replicas in turn, and never the primary.
    Replica,
    /// The primary and its replicas in turn.
    Any,
}

/// A password is never part of a scenario, only the place where it is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PasswordSource {
    /// Environment variable.
    Env(String),
    /// File whose first line is the password.
    File(PathBuf),
}

/// The connection pool of one instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pool {
    /// Number of connections.
    pub size: u32,
    /// Checkout: how requests share the connections.
    pub checkout: Checkout,
    /// Requests that are sent together on a connection, at most.
    pub pipeline: u32,
    /// Time limit of a request's wait for a connection.
    pub checkout_timeout: Duration,
    /// Time limit of a command.
    pub command_timeout: Duration,
    /// After so long without use a connection is asked for a sign of life; zero for never.
    pub health_check: Duration,
}

/// Checkout: how requests share connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checkout {
    /// A connection carries one request at a time, as in most client libraries' pools.
    Exclusive,
    /// Up to this number of requests share a connection at a time, as fred does by default.
    Shared {
        /// Bound of requests in flight on one connection.
        in_flight: u32,
    },
}

/// Where requests come from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Load {
    /// Requests fall due by a schedule that does not care how the server fares.
    Open {
        /// Operations per second of the whole service.
        rate: f64,
        /// Distribution of the intervals between due instants.
        arrivals: ArrivalProcess,
    },
    /// A fixed number of clients, each with one request at a time.
    Closed {
        /// Clients of the whole service.
        clients: u32,
        /// Pause between a reply and the next request.
        think_time: Duration,
    },
}

/// Spacing of due instants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArrivalProcess {
    /// Exponential gaps: independent users.
    Poisson,
    /// Equal gaps.
    Uniform,
}

/// Keyspace of a service.
#[derive(Debug, Clone, PartialEq)]
pub struct Keys {
    /// Every key starts with it; only keys under it are ever removed.
    pub prefix: String,
    /// Number of string and hash keys.
    pub count: u64,
    /// Number of consecutive keys that share a hash tag; `None` where keys have none of their own.
    pub hash_tag: Option<u64>,
    /// Distribution of accesses over the keys.
    pub access: Access,
}

/// Popularity of keys.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Access {
    /// Every key alike.
    Uniform,
    /// Rank r with probability proportional to `r^-exponent`.
    Zipf {
        /// Skew, above 0; YCSB uses 0.99.
        exponent: f64,
    },
    /// A share of the keys takes a share of the requests.
    Hotspot {
        /// Hot share of the keyspace, 0..1.
        keys: f64,
        /// Share of the requests that go there, 0..1.
        requests: f64,
    },
    /// Zipf over the distance from the newest key, which moves on with every request.
    Latest {
        /// Skew, above 0.
        exponent: f64,
    },
    /// Sequential: one key after another.
    Sequential,
    /// Normal around the middle of the keyspace.
    Gaussian {
        /// Standard deviation as a share of the keyspace.
        deviation: f64,
    },
}

/// Distribution of value sizes, in bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ValueSize {
    /// All alike.
    Fixed(u32),
    /// Uniform between two sizes, both inclusive.
    Uniform {
        /// Smallest.
        min: u32,
        /// Largest.
        max: u32,
    },
    /// Log-normal, cut at `max`.
    LogNormal {
        /// Median size.
        median: u32,
        /// Standard deviation of the natural logarithm.
        sigma: f64,
        /// Largest size.
        max: u32,
    },
}

/// Order of operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// By weight, at random.
    Weighted,
    /// Cycle: one after another, in the order of the list.
    Cycle,
}

/// One entry of a service's mix.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    /// Unique within the service; the command's name unless the scenario gives another.
    pub name: String,
    /// Relative frequency, above 0.
    pub weight: f64,
    /// Commands of the operation.
    pub action: Action,
}

/// Commands of one operation.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// One command.
    Single(Command),
    /// Commands in order on one connection.
    Sequence {
        /// At least one.
        steps: Vec<Command>,
        /// Whether the steps are wrapped in `MULTI` and `EXEC`.
        transaction: bool,
    },
}

/// A command with its parameters, all defaults filled in.
#[derive(Debug, Clone, PartialEq)]
pub struct Command {
    /// Kind of the command.
    pub kind: Kind,
    /// Its parameters.
    pub parameters: Parameters,
}

impl Operation {
    /// Its commands, in order, without `MULTI` and `EXEC`.
    pub fn commands(&self) -> &[Command] {
        match &self.action {
            Action::Single(command) => std::slice::from_ref(command),
            Action::Sequence { steps, .. } => steps,
        }
    }

    /// Whether none of its commands writes, as far as is known, so that a replica can serve it. A transaction belongs to a primary.
    pub fn only_reads(&self) -> bool {
        let transaction = matches!(self.action, Action::Sequence { transaction: true, .. });
        !transaction && self.commands().iter().all(Command::only_reads)
    }

    /// Whether the operation has a blocking command, which waits in the server.
    pub fn waits_by_design(&self) -> bool {
        self.commands().iter().any(Command::may_block)
    }
}

impl Command {
    /// Whether the command is known to read only.
    fn only_reads(&self) -> bool {
        match (self.kind, self.parameters.args.first()) {
            (Kind::Raw, Some(name)) => only_reads(name),
            (kind, _) => kind.spec().access == operation::Access::Read,
        }
    }

    /// Whether the command blocks in the server; only raw commands can.
    fn may_block(&self) -> bool {
        /// Commands that always may, by Redis' own table of commands (flag `blocking`).
        const BLOCKING: [&str; 10] =
            ["BLMOVE", "BLMPOP", "BLPOP", "BRPOP", "BRPOPLPUSH", "BZMPOP", "BZPOPMAX", "BZPOPMIN", "WAIT", "WAITAOF"];
        let args = &self.parameters.args;
        let is_word = |arg: &String, word: &str| arg.eq_ignore_ascii_case(word);
        let [name, rest @ ..] = args.as_slice() else { return false };
        let reads_streams = is_word(name, "XREAD") || is_word(name, "XREADGROUP");
        BLOCKING.iter().any(|word| is_word(name, word))
            || (reads_streams && rest.iter().any(|arg| is_word(arg, "BLOCK")))
    }
}

impl Service {
    /// Offered rate of the whole service in operations per second; `None` in a closed loop.
    pub fn offered_rate(&self) -> Option<f64> {
        match self.load {
            Load::Open { rate, .. } => Some(rate),
            Load::Closed { .. } => None,
        }
    }

    /// Whether some command blocks in the server, so that a missing answer is no fault.
    pub fn waits_by_design(&self) -> bool {
        self.operations.iter().any(Operation::waits_by_design)
    }

    /// Whether replicas serve what it only reads.
    pub fn reads_replicas(&self) -> bool {
        self.read_from != ReadFrom::Primary
    }

    /// Connections of all instances.
    pub fn connections(&self) -> u64 {
        u64::from(self.pool.size) * u64::from(self.instances)
    }
}

impl Scenario {
    /// Environment variables with the passwords of services.
    pub fn password_variables(&self) -> impl Iterator<Item = &str> {
        self.services.iter().filter_map(|service| match &service.password {
            Some(PasswordSource::Env(name)) => Some(name.as_str()),
            Some(PasswordSource::File(_)) | None => None,
        })
    }

    /// Operations per second of all open-loop services together; `None` where there are none.
    pub fn offered_rate(&self) -> Option<f64> {
        let rates: Vec<f64> = self.services.iter().filter_map(Service::offered_rate).collect();
        (!rates.is_empty()).then(|| rates.iter().sum())
    }

    /// Whether a service uses a client library.
    pub fn uses(&self, client: Client) -> bool {
        self.services.iter().any(|service| service.client == client)
    }

    /// Whether a service reads from replicas.
    pub fn reads_replicas(&self) -> bool {
        self.services.iter().any(Service::reads_replicas)
    }

    /// Connections of all services.
    pub fn connections(&self) -> u64 {
        self.services.iter().map(Service::connections).sum()
    }
}
