//! Tables of a capacity run for spreadsheets and scripts: `trials.csv` and `capacity.csv`.
//!
//! Times are microseconds with the unit in the name, rates are per second, shares lie between 0 and 1. What was not
//! measured is empty. Fields are only ever added.

use serde::Serialize;

use super::{
    csv_table::{table, write},
    number::{micros, per_second, ratio, rounded, seconds},
    subject::capacity::{CapacityReport, bad_share},
    view::{advice_slug, failure_slug, failure_value, limit_figures, limit_slug},
};
use crate::{
    analysis::capacity::{ArmAnswer, Comparison, Judgement, judge},
    results::{Arm, LIMITS, Trial, slug},
    scenario::Objective,
};

/// `trials.csv`: one row per trial, in the order in which they were made.
pub(super) fn trials(answers: &CapacityReport) -> Vec<u8> {
    let pool = |trial: &Trial| answers.capacity.plan.arms.get(trial.arm as usize).and_then(|arm| arm.pool);
    let trials = answers.capacity.trials.iter().map(|trial| (trial, answers.objective(trial.arm)));
    table!(trials, |(trial, objective)| [
        ("trial", trial.number),
        ("arm", trial.arm),
        ("arm_name", answers.name(trial.arm)),
        ("pool", pool(trial)),
        ("purpose", slug(&trial.purpose)),
        ("block", trial.block),
        ("offered_per_s", trial.offered.map(per_second)),
        ("clients", trial.clients),
        ("achieved_per_s", per_second(trial.throughput)),
        ("began_s", seconds(trial.began_ns)),
        ("planned_s", seconds(trial.planned_ns)),
        ("measured_s", seconds(trial.measured_ns)),
        ("scheduled", trial.scheduled),
        ("completed", trial.completed),
        ("failed", trial.failed),
        ("unfinished", trial.unfinished),
        ("late", trial.late),
        ("bad_share", (trial.scheduled > 0).then(|| rounded(bad_share(trial), 9))),
        ("burstiness", rounded(trial.burstiness, 3)),
        ("within_1ms", within(trial, 1)),
        ("within_5ms", within(trial, 5)),
        ("within_10ms", within(trial, 10)),
        ("within_25ms", within(trial, 25)),
        ("within_50ms", within(trial, 50)),
        ("within_100ms", within(trial, 100)),
        ("response_mean_us", answered(trial, trial.response.mean)),
        ("response_p50_us", answered(trial, trial.response.p50 as f64)),
        ("response_p99_us", answered(trial, trial.response.p99 as f64)),
        ("response_p999_us", answered(trial, trial.response.p999 as f64)),
        ("response_max_us", answered(trial, trial.response.max as f64)),
        ("service_time_mean_us", answered(trial, trial.service.mean)),
        ("service_time_p50_us", answered(trial, trial.service.p50 as f64)),
        ("service_time_p99_us", answered(trial, trial.service.p99 as f64)),
        ("service_time_p999_us", answered(trial, trial.service.p999 as f64)),
        ("service_time_max_us", answered(trial, trial.service.max as f64)),
        ("wait_mean_us", answered(trial, trial.wait.mean)),
        ("wait_p50_us", answered(trial, trial.wait.p50 as f64)),
        ("wait_p99_us", answered(trial, trial.wait.p99 as f64)),
        ("wait_p999_us", answered(trial, trial.wait.p999 as f64)),
        ("wait_max_us", answered(trial, trial.wait.max as f64)),
        ("utilisation", ratio(trial.utilisation)),
        ("waiting", rounded(trial.waiting, 3)),
        ("backlog_growth_per_s", ratio(trial.backlog_growth)),
        ("server_busy", trial.server_busy.map(ratio)),
        ("worker_busy", trial.worker_busy.map(ratio)),
        ("lag_p99_us", micros(trial.lag_p99 as f64)),
        ("outcome", outcome(trial, objective)),
        ("reason", reason(trial, objective)),
        ("client_limited", trial.client_limited.as_deref()),
        ("waived", trial.waived.as_deref()),
        ("dearest_command", trial.most_expensive.as_ref().map(|command| command.name.as_str())),
        ("dearest_share", trial.most_expensive.as_ref().map(|command| ratio(command.share))),
        ("dearest_mean_us", trial.most_expensive.as_ref().map(|command| micros(command.mean_ns))),
        ("objective_us", micros(objective.latency.as_nanos() as f64)),
        ("folder", trial.folder.as_str()),
    ])
}

/// Requests of a trial that were answered within one of [`LIMITS`], in milliseconds.
fn within(trial: &Trial, limit: u64) -> Option<u64> {
    let place = LIMITS.iter().position(|known| *known == limit * 1_000_000)?;
    trial.within.get(place).copied()
}

/// A time in microseconds, where anything was answered.
fn answered(trial: &Trial, nanos: f64) -> Option<f64> {
    (trial.completed > 0).then(|| micros(nanos))
}

/// How a trial ended; a closed loop has no objective.
fn outcome(trial: &Trial, objective: &Objective) -> Option<&'static str> {
    match judge(trial, objective) {
        Judgement::ClientLimited(_) => Some("client-limited"),
        _ if trial.offered.is_none() => None,
        Judgement::Pass => Some("pass"),
        Judgement::Fail(_) => Some("fail"),
        Judgement::Undecided => Some("undecided"),
    }
}

/// Why a trial failed.
fn reason(trial: &Trial, objective: &Objective) -> Option<&'static str> {
    match judge(trial, objective) {
        Judgement::Fail(reason) if trial.offered.is_some() => Some(failure_slug(reason)),
        _ => None,
    }
}

/// Columns of `capacity.csv`.
const ARMS: [&str; 51] = [
    "arm",
    "pool",
    "settings",
    "sustainable_per_s",
    "failed_above_per_s",
    "confirmed",
    "recommended_per_s",
    "knee_per_s",
    "maximum_per_s",
    "first_failure_per_s",
    "first_failure_reason",
    "first_failure_share",
    "client_limited_per_s",
    "client_limited_by",
    "limit",
    "limit_share",
    "limit_time_us",
    "sustainable_within_1ms_per_s",
    "sustainable_within_5ms_per_s",
    "sustainable_within_10ms_per_s",
    "sustainable_within_25ms_per_s",
    "sustainable_within_50ms_per_s",
    "sustainable_within_100ms_per_s",
    "own_rate_per_s",
    "own_rate_p50_us",
    "own_rate_p99_us",
    "own_rate_wait_p99_us",
    "own_rate_utilisation",
    "own_rate_server_busy",
    "at_sustainable_per_s",
    "at_sustainable_p50_us",
    "at_sustainable_p99_us",
    "at_sustainable_wait_p99_us",
    "at_sustainable_utilisation",
    "at_sustainable_server_busy",
    "compared_with",
    "advice",
    "compared_rate_per_s",
    "response_p99_ratio",
    "response_p99_ratio_low",
    "response_p99_ratio_high",
    "p_value",
    "service_time_ratio",
    "throughput_ratio",
    "erlang_service",
    "erlang_rate_per_s",
    "erlang_utilisation",
    "erlang_predicted_wait_p99_us",
    "erlang_measured_wait_p99_us",
    "erlang_smallest_pool",
    "fleet_connections",
];

/// `capacity.csv`: one row per arm. Its advice is whether to change to it from the arm that it was compared with.
pub(super) fn arms(answers: &CapacityReport) -> Vec<u8> {
    write(&ARMS, answers.arms().map(|(index, arm, answer)| ArmRecord::new(answers, index, arm, answer)))
}

#[derive(Serialize)]
struct ArmRecord<'a> {
    arm: &'a str,
    pool: Option<u32>,
    settings: String,
    sustainable_per_s: Option<f64>,
    failed_above_per_s: Option<f64>,
    confirmed: Option<bool>,
    recommended_per_s: Option<f64>,
    knee_per_s: Option<f64>,
    maximum_per_s: Option<f64>,
    first_failure_per_s: Option<f64>,
    first_failure_reason: Option<&'static str>,
    first_failure_share: Option<f64>,
    client_limited_per_s: Option<f64>,
    client_limited_by: Option<&'a str>,
    limit: &'static str,
    limit_figures: [Option<f64>; 2],
    by_limit: [Option<f64>; LIMITS.len()],
    own_rate: AtRate,
    at_sustainable: AtRate,
    compared_with: Option<&'a str>,
    advice: Option<&'static str>,
    compared_rate_per_s: Option<f64>,
    response_p99_ratio: [Option<f64>; 3],
    p_value: Option<f64>,
    service_time_ratio: Option<f64>,
    throughput_ratio: Option<f64>,
    erlang_service: Option<&'a str>,
    erlang_rate_per_s: Option<f64>,
    erlang_utilisation: Option<f64>,
    erlang_waits_us: [Option<f64>; 2],
    erlang_smallest_pool: Option<u32>,
    fleet_connections: Option<u64>,
}

impl<'a> ArmRecord<'a> {
    fn new(answers: &'a CapacityReport, index: u32, arm: &'a Arm, answer: &'a ArmAnswer) -> Self {
        let known = answer.sustainable;
        let limit = |limit: u64| answer.by_limit.iter().find(|(of, ..)| *of == limit).and_then(|(_, low, _)| *low);
        let comparison = answers.analysis.comparisons.iter().find(|comparison| comparison.to == index);
        let at = comparison.and_then(Comparison::decisive);
        // At the scenario's own rate where it was measured: that is the pool somebody asks about.
        let erlang = answer.erlang.first();
        let limited = limit_figures(&answer.limit);
        Self {
            arm: &arm.name,
            pool: arm.pool,
            settings: arm.settings.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" "),
            sustainable_per_s: known.map(|known| per_second(known.rate)),
            failed_above_per_s: known.and_then(|known| known.above).map(per_second),
            confirmed: known.map(|known| known.confirmed),
            recommended_per_s: known.map(|known| per_second(known.recommended)),
            knee_per_s: answer.knee.map(per_second),
            maximum_per_s: (answer.maximum > 0.0).then(|| per_second(answer.maximum)),
            first_failure_per_s: answer.first_failure.map(|(rate, _)| per_second(rate)),
            first_failure_reason: answer.first_failure.map(|(_, reason)| failure_slug(reason)),
            first_failure_share: answer.first_failure.and_then(|(_, reason)| failure_value(reason)).map(ratio),
            client_limited_per_s: answer.client_limited.as_ref().map(|(rate, _)| per_second(*rate)),
            client_limited_by: answer.client_limited.as_ref().map(|(_, check)| check.as_str()),
            limit: limit_slug(&answer.limit),
            limit_figures: [limited.0.map(ratio), limited.1.map(micros)],
            by_limit: LIMITS.map(|of| limit(of).map(per_second)),
            own_rate: AtRate::new(answers, index, answers.own_rate()),
            at_sustainable: AtRate::new(answers, index, known.map(|known| known.rate)),
            compared_with: comparison.map(|comparison| answers.name(comparison.from)),
            advice: comparison.map(|comparison| advice_slug(comparison.advice)),
            compared_rate_per_s: at.map(|at| per_second(at.rate)),
            response_p99_ratio: at.map_or([None; 3], |at| {
                let (point, low, high) = at.response_p99;
                [point, low, high].map(|value| value.is_finite().then(|| ratio(value)))
            }),
            p_value: at.map(|at| ratio(at.p_value)),
            service_time_ratio: at.map(|at| ratio(at.service.0)),
            throughput_ratio: at.map(|at| ratio(at.throughput.0)),
            erlang_service: erlang.map(|check| check.service.as_str()),
            erlang_rate_per_s: erlang.map(|check| per_second(check.rate)),
            erlang_utilisation: erlang.map(|check| ratio(check.utilisation)),
            erlang_waits_us: erlang.map_or([None; 2], |check| {
                [check.predicted_p99, check.measured_p99].map(|wait| wait.is_finite().then(|| micros(wait)))
            }),
            erlang_smallest_pool: erlang.map(|check| check.smallest),
            fleet_connections: answers.analysis.fleet.connections.get(index as usize).copied(),
        }
    }
}

/// What was measured at a rate: its trial in the middle by response p99, never a mean of percentiles.
#[derive(Serialize, Default)]
struct AtRate {
    offered_per_s: Option<f64>,
    p50_us: Option<f64>,
    p99_us: Option<f64>,
    wait_p99_us: Option<f64>,
    utilisation: Option<f64>,
    server_busy: Option<f64>,
}

impl AtRate {
    fn new(answers: &CapacityReport, arm: u32, rate: Option<f64>) -> Self {
        let Some(trial) = rate.and_then(|rate| answers.typical(arm, rate)) else { return Self::default() };
        Self {
            offered_per_s: trial.offered.map(per_second),
            p50_us: Some(micros(trial.response.p50 as f64)),
            p99_us: Some(micros(trial.response.p99 as f64)),
            wait_p99_us: Some(micros(trial.wait.p99 as f64)),
            utilisation: Some(ratio(trial.utilisation)),
            server_busy: trial.server_busy.map(ratio),
        }
    }
}
