//! Analysis of a capacity run: facts and judgements, without prose.

use std::cmp::Ordering;

use schemars::JsonSchema;
use serde::Serialize;
use strum::EnumDiscriminants;

use crate::{
    analysis::{Interval, paired::Change},
    results::{Ended, HarnessLimit, Purpose, Sides},
    scenario::Objective,
};

/// A trial compared with the objective.
#[derive(Debug, Clone, PartialEq)]
pub enum Judgement {
    /// It is met for certain.
    Pass,
    /// It is missed for certain.
    Fail(FailReason),
    /// The trial was too short to decide.
    Undecided,
    /// The harness was the limit: nothing can be said of the server.
    ClientLimited(HarnessLimit),
}

/// Reason of a failed trial.
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
    /// Purpose of the trial.
    pub purpose: Purpose,
    /// Repetition that the trial belongs to, of the curve or of the closed loops.
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

/// A block of a comparison that is to be made: two pool sizes at one rate, in turns.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BlockPlan {
    /// Index of the arm with the smaller pool.
    pub from: u32,
    /// Index of the arm with the larger one.
    pub to: u32,
    /// Rate of either, in operations per second of all services.
    pub rate: f64,
    /// Number of the block at this rate, from 0.
    pub number: u32,
    /// Length of a turn, in nanoseconds.
    pub turn_ns: u64,
    /// Load that is not measured, in nanoseconds.
    pub warmup_ns: u64,
    /// Load that is, in nanoseconds.
    pub duration_ns: u64,
}

/// What a run takes where no trial contradicts another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Estimate {
    /// Number of trials.
    pub trials: u32,
    /// Time for all comparisons of pool sizes, in nanoseconds.
    pub comparisons_ns: u64,
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
        Self { trials, comparisons_ns: 0, answers_ns: all_ns, all_ns }
    }

    /// The same after something that takes a number of nanoseconds.
    #[must_use]
    pub fn after(self, before_ns: u64) -> Self {
        Self { answers_ns: self.answers_ns + before_ns, all_ns: self.all_ns + before_ns, ..self }
    }
}

/// Next step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Next {
    /// A trial.
    Trial(TrialPlan),
    /// A block of a comparison.
    Block(BlockPlan),
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
    /// Headroom of the sustainable rate; `None` if the current load is unknown.
    pub headroom: Option<Headroom>,
    /// Bytes of the server for each connection, and for ten thousand of them; `None` where it was not measured.
    pub connection_cost: Option<(f64, f64)>,
    /// Work left undone by the budget, in the order of the plan.
    pub undone: Vec<Undone>,
}

/// Throughput of one arm.
#[derive(Debug, Clone, PartialEq)]
pub struct ArmAnswer {
    /// Baseline.
    pub objective: Objective,
    /// Highest rate within the objective; `None` where none was found.
    pub sustainable: Option<Sustainable>,
    /// The rate at which the harness was the limit, and by which check, if it was.
    pub client_limited: Option<(f64, HarnessLimit)>,
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
    /// Limiting resource at the sustainable rate or above.
    pub limit: Limit,
}

/// A rate that can be sustained.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sustainable {
    /// The rate, operations per second.
    pub rate: f64,
    /// Lowest rate above it that failed; `None` where none did (`max_rate`, budget).
    pub above: Option<f64>,
    /// Whether three more of its confirmations passed than failed.
    pub confirmed: bool,
    /// 80 % of it, the rate to run at; `None` where no higher rate failed, so that the rate is a lower bound only.
    pub recommended: Option<f64>,
}

/// Limiting resource.
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
    /// Round trip: service time outside the command, in nanoseconds.
    RoundTrip(f64),
    /// No measured resource is near its limit.
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

/// Two pool sizes compared in turns.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// Index of the arm with the smaller pool.
    pub from: u32,
    /// Index of the arm with the larger one.
    pub to: u32,
    /// The advice.
    pub advice: Advice,
    /// Limiting resource of the smaller one.
    pub limit: Limit,
    /// A rate of the scenario that only one of them sustains.
    pub apart: Option<Apart>,
    /// One entry per rate that both sustain and at which they were compared.
    pub rates: Vec<RateComparison>,
}

impl Comparison {
    /// The rate that shows the advice best: where growing pays the clearest gain, where it is worse the clearest loss, else the
    /// lowest rate, which is that of the scenario.
    pub fn decisive(&self) -> Option<&RateComparison> {
        let point = |at: &&RateComparison| at.response_p99.effect.ratio.point;
        let mut rates = self.rates.iter().filter(|at| at.decides);
        match self.advice {
            Advice::Grow => rates.min_by(|a, b| point(a).total_cmp(&point(b))),
            Advice::Worse => rates.max_by(|a, b| point(a).total_cmp(&point(b))),
            Advice::NoBenefit | Advice::Inconclusive(_) => rates.next(),
        }
    }

    /// Whether nothing is known of it.
    pub fn is_empty(&self) -> bool {
        self.rates.is_empty() && self.apart.is_none()
    }
}

/// A rate of the scenario that one of two pool sizes sustains, and the other does not by far.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Apart {
    /// The rate, in operations per second.
    pub rate: f64,
    /// Whether the larger pool is the one that sustains it.
    pub larger: bool,
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
    /// Users wait longer.
    Worse,
    /// Not known; a change of p99 by this share would have been seen (`None`: no change at all).
    Inconclusive(Option<f64>),
}

/// Two arms at one rate: what changes from the smaller pool to the larger one.
#[derive(Debug, Clone, PartialEq)]
pub struct RateComparison {
    /// Offered rate, operations per second.
    pub rate: f64,
    /// Whether the advice rests on it.
    pub decides: bool,
    /// Number of blocks that count.
    pub blocks: u32,
    /// Length of a turn in nanoseconds; `None` where they were loaded one after the other, as earlier versions did.
    pub turn_ns: Option<u64>,
    /// The part of a time, in nanoseconds, that the harness may have had in it: a change within it does not count.
    pub lag: f64,
    /// Median response time.
    pub response_p50: Change,
    /// 99th percentile of the response time.
    pub response_p99: Change,
    /// 99th percentile of the wait for a connection.
    pub wait_p99: Change,
    /// Mean service time.
    pub service: Change,
    /// Answers per second.
    pub throughput: Change,
    /// Mean share of a core that the server used under both in turns; `None` where it does not report it.
    pub server_busy: Option<f64>,
    /// Share of failed and unfinished requests, smaller and larger.
    pub errors: Sides<f64>,
    /// Which side fails more than the objective allows, and more than the other by more than chance: greater where it is the larger.
    pub failures: Ordering,
}

/// The Universal Scalability Law fitted to closed-loop trials: X(N) = g N / (1 + a (N - 1) + b N (N - 1)).
#[derive(Debug, Clone, PartialEq)]
pub struct Usl {
    /// Throughput of one client.
    pub gamma: Interval,
    /// Contention.
    pub alpha: Interval,
    /// Coherence.
    pub beta: Interval,
    /// Number of clients with the highest throughput; `None` where the model has no peak. Not reliable unless it is seen
    /// ([`Usl::seen_peak`]).
    pub peak: Option<Interval>,
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
    /// Resources that the server uses.
    pub max_clients: Option<u64>,
}

/// Load of today against what can be carried.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Headroom {
    /// Index of the arm whose sustainable rate it is compared with.
    pub arm: u32,
    /// Rate of today: operations per second where it was stated, commands per second where the server counted.
    pub current: f64,
    /// Whether the user stated it; else the server's own counters did.
    pub stated: bool,
    /// What can be carried over it: the sustainable rate, and where the server counted this load besides, for that was there during
    /// the trials.
    pub times: f64,
    /// Whether a higher rate failed; else the sustainable rate is a lower bound.
    pub bounded: bool,
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
