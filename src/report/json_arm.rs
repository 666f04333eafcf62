//! Answers for one arm of a capacity run, for the JSON document and for `capacity.csv`.

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    json_parts::not_negative,
    number::{micros, per_second, ratio},
    record::record,
    view::{failure_value, harness_limit_words, limit_figures},
};
use crate::{
    analysis::capacity::{ArmAnswer, ErlangCheck, FailReason, FailReasonName, Limit, LimitName},
    results::Arm,
};

record! {
    /// One variant of the scenario, with its answers.
    #[schemars(transform = not_negative)]
    pub(super) struct ArmRecord<'a>(arm: &'a Arm, answer: &'a ArmAnswer) {
        /// Name.
        pub(super) name: &'a str = &arm.name,
        /// Size of the pools, where all are set.
        pub(super) pool: Option<u32> = arm.pool,
        /// Settings in which the arm differs from the scenario.
        pub(super) settings: Vec<Setting<'a>> =
            arm.settings.iter().map(|(field, value)| Setting { field, value }).collect(),
        /// Highest rate that meets the objective.
        pub(super) sustainable_per_s: Option<f64> = answer.sustainable.map(|known| per_second(known.rate)),
        /// Lowest rate that misses the objective.
        pub(super) failed_above_per_s: Option<f64> = answer.sustainable.and_then(|known| known.above).map(per_second),
        /// Whether the sustainable rate was confirmed.
        pub(super) confirmed: Option<bool> = answer.sustainable.map(|known| known.confirmed),
        /// Recommended rate.
        pub(super) recommended_per_s: Option<f64> =
            answer.sustainable.and_then(|known| known.recommended).map(per_second),
        /// Rate at the knee of the latency curve.
        pub(super) knee_per_s: Option<f64> = answer.knee.map(per_second),
        /// Highest achieved rate.
        pub(super) maximum_per_s: Option<f64> = (answer.maximum > 0.0).then(|| per_second(answer.maximum)),
        /// First failure.
        pub(super) first_failure: Option<Failure> =
            answer.first_failure.map(|(rate, reason)| Failure::new(rate, reason)),
        /// Rate at which the harness was the limit.
        pub(super) client_limited: Option<ClientLimited> =
            answer.client_limited.as_ref().map(|(rate, check)| ClientLimited { rate_per_s: per_second(*rate), check: harness_limit_words(check) }),
        /// Limit of throughput.
        pub(super) limit: LimitRecord<'a> = LimitRecord::new(&answer.limit),
        /// Sustainable rates by limit of the response time.
        pub(super) by_limit: Vec<ByLimit> = answer.by_limit.iter().map(ByLimit::new).collect(),
        /// Predictions of queueing theory.
        pub(super) erlang: Vec<Erlang<'a>> = answer.erlang.iter().map(Erlang::new).collect(),
    }
}

/// Setting in which an arm differs from the scenario.
#[derive(Serialize, JsonSchema)]
pub(super) struct Setting<'a> {
    /// Field of the scenario.
    pub(super) field: &'a str,
    /// Value.
    pub(super) value: &'a str,
}

record! {
    /// Trial that missed the objective.
    #[schemars(transform = not_negative)]
    pub(super) struct Failure(rate: f64, reason: FailReason) {
        /// Offered rate.
        pub(super) rate_per_s: f64 = per_second(rate),
        /// Reason.
        pub(super) reason: FailReasonName = reason.into(),
        /// Share that belongs to the reason.
        pub(super) share: Option<f64> = failure_value(reason).map(ratio),
    }
}

/// Trial in which the harness was the limit.
#[derive(Serialize, JsonSchema)]
#[schemars(transform = not_negative)]
pub(super) struct ClientLimited {
    /// Offered rate.
    pub(super) rate_per_s: f64,
    /// Check that shows it.
    pub(super) check: String,
}

record! {
    /// Limit of throughput.
    #[schemars(transform = not_negative)]
    pub(super) struct LimitRecord<'a>(limit: &'a Limit) {
        /// Kind.
        pub(super) kind: LimitName = limit.into(),
        /// Name of the command, where one is the limit.
        pub(super) command: Option<&'a str> =
            if let Limit::Command(name, ..) = limit { Some(name.as_str()) } else { None },
        /// Share of the limit in use.
        pub(super) share: Option<f64> = limit_figures(limit).0.map(ratio),
        /// Time of the command or of the round trip.
        pub(super) time_us: Option<f64> = limit_figures(limit).1.map(micros),
    }
}

record! {
    /// Sustainable rate under another limit of the response time.
    #[schemars(transform = not_negative)]
    pub(super) struct ByLimit(by: &(u64, Option<f64>, Option<f64>)) {
        /// Limit of the response time.
        pub(super) limit_us: f64 = micros(by.0 as f64),
        /// Highest rate that meets the limit.
        pub(super) met_per_s: Option<f64> = by.1.map(per_second),
        /// Lowest rate that misses the limit.
        missed_per_s: Option<f64> = by.2.map(per_second),
    }
}

record! {
    /// Prediction by Erlang C beside the measurement, at one rate.
    #[schemars(transform = not_negative)]
    pub(super) struct Erlang<'a>(check: &'a ErlangCheck) {
        /// Service whose pool is in use most.
        pub(super) service: &'a str = &check.service,
        /// Rate of one instance of the service.
        pub(super) rate_per_s: f64 = per_second(check.rate),
        /// Time for which a request holds a connection.
        hold_us: f64 = micros(check.hold),
        /// Number of connections.
        connections: u32 = check.connections,
        /// Share of the pool in use.
        pub(super) utilisation: f64 = ratio(check.utilisation),
        /// Predicted 99th percentile of the wait; null without a steady state.
        pub(super) predicted_wait_p99_us: Option<f64> =
            check.predicted_p99.is_finite().then(|| micros(check.predicted_p99)),
        /// Measured 99th percentile of the wait.
        pub(super) measured_wait_p99_us: f64 = micros(check.measured_p99),
        /// Smallest pool that meets the objective by the prediction.
        pub(super) smallest_pool: u32 = check.smallest,
    }
}
