//! What is concluded from a capacity run: facts and judgements, without prose.

use schemars::JsonSchema;
use serde::Serialize;
use strum::EnumDiscriminants;

use crate::{
    results::{Ended, Purpose},
    scenario::Objective,
};

/// A trial held against the objective.
#[derive(Debug, Clone, PartialEq)]
pub enum Judgement {
    /// It is met for certain.
    Pass,
    /// It is missed for certain.
    Fail(FailReason),
    /// The trial was too short to tell.
    Undecided,
    /// The harness was the limit: nothing can be said of the server.
    ClientLimited(String),
}

/// Why a trial fails.
#[derive(Debug, Clone, Copy, PartialEq, EnumDiscriminants)]
#[strum_discriminants(
    name(FailReasonName),
    derive(Serialize, JsonSchema),
    serde(rename_all = "kebab-case"),
    doc = "Name of a reason, for programs."
)]
pub enum FailReason {
    /// Too many requests were late, failed or unfinished: their share.
    Late(f64),
    /// The same of one service, which does not hide behind the others: its index, and their share.
    #[strum_discriminants(serde(rename = "service-late"))]
    Service(u32, f64),
    /// Fewer requests were completed than fell due: the share that was.
    Shortfall(f64),
    /// The backlog grew: share of the offered rate per second.
    Backlog(f64),
    /// Too many errors: their share.
    Errors(f64),
    /// Still undecided at the longest trial.
    Unclear,
}

/// A trial that is to be made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrialPlan {
    /// Index of the arm.
    pub arm: u32,
    /// What for.
    pub purpose: Purpose,
    /// Block of an interleaved comparison.
    pub block: Option<u32>,
    /// Offered rate, operations per second of all services.
    pub offered: Option<f64>,
    /// Closed-loop clients.
    pub clients: Option<u32>,
    /// Load that is not measured, in nanoseconds.
    pub warmup_ns: u64,
    /// Load that is, in nanoseconds.
    pub duration_ns: u64,
}

/// What a run takes where no trial contradicts another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Estimate {
    /// Trials of all of it.
    pub trials: u32,
    /// Time for what answers the questions, in nanoseconds: all but the curve.
    pub answers_ns: u64,
    /// Time for all of it, in nanoseconds.
    pub all_ns: u64,
}

impl Estimate {
    /// Of steps: trials, how long each takes in nanoseconds, and how many of them are likely to fail, after which so long is
    /// waited for replies.
    pub(super) fn of(steps: &[(u32, u64, u32)], drain_ns: u64) -> Self {
        let trials = steps.iter().map(|(count, ..)| count).sum();
        let time =
            |(count, each_ns, failing): &(u32, u64, u32)| u64::from(*count) * each_ns + u64::from(*failing) * drain_ns;
        let all_ns = steps.iter().map(time).sum();
        Self { trials, answers_ns: all_ns, all_ns }
    }

    /// The same after something that takes so many nanoseconds.
    #[must_use]
    pub fn after(self, before_ns: u64) -> Self {
        Self { answers_ns: self.answers_ns + before_ns, all_ns: self.all_ns + before_ns, ..self }
    }
}

/// What is to be done next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Next {
    /// A trial.
    Trial(TrialPlan),
    /// Nothing.
    Done(Ended),
}

/// Everything that the reports say of a capacity run.
#[derive(Debug, Clone, PartialEq)]
pub struct CapacityAnalysis {
    /// One answer per arm, in their order.
    pub arms: Vec<ArmAnswer>,
    /// Pool sizes next to each other, in ascending order; empty without `--pool`.
    pub comparisons: Vec<Comparison>,
    /// The concurrency model; `None` without enough closed-loop trials.
    pub usl: Option<Usl>,
    /// Connections of the whole fleet against `maxclients`.
    pub fleet: Fleet,
    /// How long the sustainable rate will do; `None` where the load of today is not known.
    pub headroom: Option<Headroom>,
    /// Bytes of the server for each connection, and for ten thousand of them; `None` where it was not measured.
    pub connection_cost: Option<(f64, f64)>,
    /// What could not be done within the budget, in the order of the plan.
    pub undone: Vec<Undone>,
}

/// What one arm carries.
#[derive(Debug, Clone, PartialEq)]
pub struct ArmAnswer {
    /// What it is held against.
    pub objective: Objective,
    /// Highest rate within the objective; `None` where none was found.
    pub sustainable: Option<Sustainable>,
    /// The rate at which the harness was the limit, and by which check, if it was.
    pub client_limited: Option<(f64, String)>,
    /// The lowest rate that failed, and why.
    pub first_failure: Option<(f64, FailReason)>,
    /// Highest rate at which the judged percentile stays within each limit (nanoseconds), as a bracket: highest that
    /// did, lowest that did not.
    pub by_limit: Vec<(u64, Option<f64>, Option<f64>)>,
    /// The rate at which throughput over response time is largest.
    pub knee: Option<f64>,
    /// The largest throughput that was seen, in operations per second.
    pub maximum: f64,
    /// What queueing theory says of its pool: at the scenario's own rate and at the sustainable one, where they were measured.
    pub erlang: Vec<ErlangCheck>,
    /// What limits it at its sustainable rate or above.
    pub limit: Limit,
}

/// A rate that can be kept up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sustainable {
    /// The rate, operations per second.
    pub rate: f64,
    /// Lowest rate above it that failed; `None` where none did (`max_rate`, budget).
    pub above: Option<f64>,
    /// Whether three more of its confirmations passed than failed.
    pub confirmed: bool,
    /// 80 % of it, the rate to run at.
    pub recommended: f64,
}

/// What limits throughput.
#[derive(Debug, Clone, PartialEq, EnumDiscriminants)]
#[strum_discriminants(
    name(LimitName),
    derive(Serialize, JsonSchema),
    serde(rename_all = "kebab-case"),
    doc = "Name of a limit, for programs."
)]
pub enum Limit {
    /// The server's main thread: share of one core in use.
    ServerCpu(f64),
    /// One command takes most of the server's time: its name, its share, its mean time in nanoseconds.
    Command(String, f64, f64),
    /// The harness: share of its busiest worker in use, where that is known.
    #[strum_discriminants(serde(rename = "client-cpu"))]
    Client(Option<f64>),
    /// The pool: share of it in use.
    Pool(f64),
    /// The way there and back: service time beyond the command, in nanoseconds.
    RoundTrip(f64),
    /// Nothing was near its limit.
    Unknown,
}

/// Erlang-C beside what was measured, at one rate.
#[derive(Debug, Clone, PartialEq)]
pub struct ErlangCheck {
    /// The service whose pool is in use most.
    pub service: String,
    /// Rate, operations per second of one of its instances.
    pub rate: f64,
    /// Mean hold time of a connection in nanoseconds.
    pub hold: f64,
    /// Connections.
    pub connections: u32,
    /// Predicted utilisation, 0..=1.
    pub utilisation: f64,
    /// Predicted p99 of the wait, in nanoseconds.
    pub predicted_p99: f64,
    /// Measured p99 of the wait, in nanoseconds.
    pub measured_p99: f64,
    /// Smallest pool with predicted p99 of the wait below 5 % of the objective and utilisation below 0.8.
    pub smallest: u32,
}

/// Two pool sizes compared in interleaved slices.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// Index of the arm with the smaller pool.
    pub from: u32,
    /// Index of the arm with the larger one.
    pub to: u32,
    /// What to do.
    pub advice: Advice,
    /// What limits the smaller one.
    pub limit: Limit,
    /// One entry per offered rate.
    pub rates: Vec<RateComparison>,
}

impl Comparison {
    /// The rate on which the advice rests: where growing pays the clearest gain, where it harms the clearest loss, else the
    /// lowest rate, which is that of the scenario.
    pub fn decisive(&self) -> Option<&RateComparison> {
        let point = |at: &&RateComparison| at.response_p99.0;
        let mut rates = self.rates.iter().filter(|at| at.decides);
        match self.advice {
            Advice::Grow => rates.min_by(|a, b| point(a).total_cmp(&point(b))),
            Advice::Harm => rates.max_by(|a, b| point(a).total_cmp(&point(b))),
            Advice::NoBenefit | Advice::Inconclusive(_) => rates.next(),
        }
    }
}

/// Whether to grow a pool.
#[derive(Debug, Clone, Copy, PartialEq, EnumDiscriminants)]
#[strum_discriminants(
    name(AdviceName),
    derive(Serialize, JsonSchema),
    serde(rename_all = "kebab-case"),
    doc = "Name of an advice, for programs."
)]
pub enum Advice {
    /// It pays.
    Grow,
    /// It makes no difference.
    NoBenefit,
    /// It makes things worse.
    Harm,
    /// This run cannot tell; it could have seen an effect on p99 of this share (infinite: none at all).
    Inconclusive(f64),
}

/// Two arms at one rate.
#[derive(Debug, Clone, PartialEq)]
pub struct RateComparison {
    /// Offered rate, operations per second.
    pub rate: f64,
    /// Whether the advice rests on it.
    pub decides: bool,
    /// Pairs of slices.
    pub pairs: u32,
    /// Ratio of response p99, larger pool over smaller: point, low, high (95 %).
    pub response_p99: (f64, f64, f64),
    /// p-value of that ratio being 1.
    pub p_value: f64,
    /// Ratio of the mean service time.
    pub service: (f64, f64, f64),
    /// Ratio of throughput.
    pub throughput: (f64, f64, f64),
    /// p99 of the wait of the smaller and of the larger pool, in nanoseconds.
    pub wait_p99: (f64, f64),
    /// Mean share of the server's core, smaller and larger.
    pub server_busy: (Option<f64>, Option<f64>),
    /// Share of failed requests, smaller and larger.
    pub errors: (f64, f64),
}

/// The Universal Scalability Law fitted to closed-loop trials: X(N) = g N / (1 + a (N - 1) + b N (N - 1)).
#[derive(Debug, Clone, PartialEq)]
pub struct Usl {
    /// Throughput of one client, with its 95 % interval.
    pub gamma: (f64, f64, f64),
    /// Contention.
    pub alpha: (f64, f64, f64),
    /// Coherence.
    pub beta: (f64, f64, f64),
    /// Number of clients with the highest throughput, with its 95 % interval; `None` where the model has no peak. Not to be believed
    /// unless it is seen ([`Usl::seen_peak`]).
    pub peak: Option<(f64, f64, f64)>,
    /// Share of variance that it explains.
    pub r_squared: f64,
    /// Clients, measured throughput (mean of repetitions), fitted throughput.
    pub points: Vec<(u32, f64, f64)>,
}

/// Connections of all services against what the server takes.
#[derive(Debug, Clone, PartialEq)]
pub struct Fleet {
    /// Service, instances, pool size.
    pub services: Vec<(String, u32, u32)>,
    /// Sum of all, per arm.
    pub connections: Vec<u64>,
    /// What the server takes.
    pub max_clients: Option<u64>,
}

/// Load of today against what can be carried.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Headroom {
    /// Index of the arm whose sustainable rate it is held against.
    pub arm: u32,
    /// Rate of today: operations per second where it was stated, commands per second where the server counted.
    pub current: f64,
    /// Whether a person stated it; else the server's own counters did.
    pub stated: bool,
    /// What can be carried over it: the sustainable rate, and where the server counted this load besides, for that was there during
    /// the trials.
    pub times: f64,
    /// Growth a month, as a share.
    pub growth: Option<f64>,
    /// Months until the recommended rate is reached at that growth; `None` where it never is, or is not known.
    pub months: Option<f64>,
}

/// Something that the budget did not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undone {
    /// The search of an arm.
    Search(u32),
    /// The confirmation of an arm.
    Confirm(u32),
    /// A comparison of two arms.
    Compare(u32, u32),
    /// The curve of an arm.
    Curve(u32),
    /// The concurrency model.
    Clients,
}
