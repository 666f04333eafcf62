//! Answers for one arm of a capacity run, for the JSON document and for `capacity.csv`.

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    json_parts::not_negative,
    number::{micros, per_second, ratio},
    view::{failure_value, limit_figures},
};
use crate::{
    analysis::capacity::{ArmAnswer, ErlangCheck, FailReason, FailReasonName, Limit, LimitName},
    results::Arm,
};

/// One variant of the scenario, with its answers.
#[derive(Serialize, JsonSchema)]
#[schemars(transform = not_negative)]
pub(super) struct ArmRecord<'a> {
    /// Name.
    pub(super) name: &'a str,
    /// Size of the pools, where all are set.
    pub(super) pool: Option<u32>,
    /// Settings in which the arm differs from the scenario.
    pub(super) settings: Vec<Setting<'a>>,
    /// Highest rate that meets the objective.
    pub(super) sustainable_per_s: Option<f64>,
    /// Lowest rate that misses the objective.
    pub(super) failed_above_per_s: Option<f64>,
    /// Whether the sustainable rate was confirmed.
    pub(super) confirmed: Option<bool>,
    /// Recommended rate.
    pub(super) recommended_per_s: Option<f64>,
    /// Rate at the knee of the latency curve.
    pub(super) knee_per_s: Option<f64>,
    /// Highest achieved rate.
    pub(super) maximum_per_s: Option<f64>,
    /// First failure.
    pub(super) first_failure: Option<Failure>,
    /// Rate at which the harness was the limit.
    pub(super) client_limited: Option<ClientLimited<'a>>,
    /// Limit of throughput.
    pub(super) limit: LimitRecord<'a>,
    /// Sustainable rates by limit of the response time.
    pub(super) by_limit: Vec<ByLimit>,
    /// Predictions of queueing theory.
    pub(super) erlang: Vec<Erlang<'a>>,
}

/// Setting in which an arm differs from the scenario.
#[derive(Serialize, JsonSchema)]
pub(super) struct Setting<'a> {
    /// Field of the scenario.
    pub(super) field: &'a str,
    /// Value.
    pub(super) value: &'a str,
}

/// Trial that missed the objective.
#[derive(Serialize, JsonSchema)]
#[schemars(transform = not_negative)]
pub(super) struct Failure {
    /// Offered rate.
    pub(super) rate_per_s: f64,
    /// Reason.
    pub(super) reason: FailReasonName,
    /// Share that belongs to the reason.
    pub(super) share: Option<f64>,
}

/// Trial in which the harness was the limit.
#[derive(Serialize, JsonSchema)]
#[schemars(transform = not_negative)]
pub(super) struct ClientLimited<'a> {
    /// Offered rate.
    pub(super) rate_per_s: f64,
    /// Check that shows it.
    pub(super) check: &'a str,
}

/// Limit of throughput.
#[derive(Serialize, JsonSchema)]
#[schemars(transform = not_negative)]
pub(super) struct LimitRecord<'a> {
    /// Kind.
    pub(super) kind: LimitName,
    /// Name of the command, where one is the limit.
    pub(super) command: Option<&'a str>,
    /// Share of the limit in use.
    pub(super) share: Option<f64>,
    /// Time of the command or of the round trip.
    pub(super) time_us: Option<f64>,
}

/// Sustainable rate under another limit of the response time.
#[derive(Serialize, JsonSchema)]
#[schemars(transform = not_negative)]
pub(super) struct ByLimit {
    /// Limit of the response time.
    pub(super) limit_us: f64,
    /// Highest rate that meets the limit.
    pub(super) met_per_s: Option<f64>,
    /// Lowest rate that misses the limit.
    missed_per_s: Option<f64>,
}

/// Prediction by Erlang C beside the measurement, at one rate.
#[derive(Serialize, JsonSchema)]
#[schemars(transform = not_negative)]
pub(super) struct Erlang<'a> {
    /// Service whose pool is in use most.
    pub(super) service: &'a str,
    /// Rate of one instance of the service.
    pub(super) rate_per_s: f64,
    /// Time for which a request holds a connection.
    hold_us: f64,
    /// Number of connections.
    connections: u32,
    /// Share of the pool in use.
    pub(super) utilisation: f64,
    /// Predicted 99th percentile of the wait; null without a steady state.
    pub(super) predicted_wait_p99_us: Option<f64>,
    /// Measured 99th percentile of the wait.
    pub(super) measured_wait_p99_us: f64,
    /// Smallest pool that meets the objective by the prediction.
    pub(super) smallest_pool: u32,
}

/// An arm with its answers.
pub(super) fn arm_record<'a>(arm: &'a Arm, answer: &'a ArmAnswer) -> ArmRecord<'a> {
    let known = answer.sustainable;
    ArmRecord {
        name: &arm.name,
        pool: arm.pool,
        settings: arm.settings.iter().map(|(field, value)| Setting { field, value }).collect(),
        sustainable_per_s: known.map(|known| per_second(known.rate)),
        failed_above_per_s: known.and_then(|known| known.above).map(per_second),
        confirmed: known.map(|known| known.confirmed),
        recommended_per_s: known.map(|known| per_second(known.recommended)),
        knee_per_s: answer.knee.map(per_second),
        maximum_per_s: (answer.maximum > 0.0).then(|| per_second(answer.maximum)),
        first_failure: answer.first_failure.map(failure),
        client_limited: answer
            .client_limited
            .as_ref()
            .map(|(rate, check)| ClientLimited { rate_per_s: per_second(*rate), check }),
        limit: limit(&answer.limit),
        by_limit: answer
            .by_limit
            .iter()
            .map(|(of, met, missed)| ByLimit {
                limit_us: micros(*of as f64),
                met_per_s: met.map(per_second),
                missed_per_s: missed.map(per_second),
            })
            .collect(),
        erlang: answer.erlang.iter().map(erlang).collect(),
    }
}

fn erlang(check: &ErlangCheck) -> Erlang<'_> {
    Erlang {
        service: &check.service,
        rate_per_s: per_second(check.rate),
        hold_us: micros(check.hold),
        connections: check.connections,
        utilisation: ratio(check.utilisation),
        predicted_wait_p99_us: check.predicted_p99.is_finite().then(|| micros(check.predicted_p99)),
        measured_wait_p99_us: micros(check.measured_p99),
        smallest_pool: check.smallest,
    }
}

fn failure((rate, reason): (f64, FailReason)) -> Failure {
    Failure { rate_per_s: per_second(rate), reason: reason.into(), share: failure_value(reason).map(ratio) }
}

/// A limit of throughput.
pub(super) fn limit(limit: &Limit) -> LimitRecord<'_> {
    let command = if let Limit::Command(name, ..) = limit { Some(name.as_str()) } else { None };
    let (of_all, time) = limit_figures(limit);
    LimitRecord { kind: limit.into(), command, share: of_all.map(ratio), time_us: time.map(micros) }
}
