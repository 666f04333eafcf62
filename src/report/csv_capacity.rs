//! Tables of a capacity run for spreadsheets and scripts: `trials.csv` and `capacity.csv`.
//!
//! Times are microseconds with the unit in the name, rates are per second, shares lie between 0 and 1. What was not
//! measured is empty. Fields are only ever added.

use serde::Serialize;

use super::{
    capacity::{Answers, bad_share},
    csv::table,
    summary::{micros, per_second, rounded},
    view::{advice_slug, failure_slug, failure_value, limit_figures, limit_slug, purpose_slug},
};
use crate::{
    analysis::capacity::{ArmAnswer, Comparison, Judgement, judge},
    results::{Arm, LIMITS, Quantiles, Trial},
    scenario::Objective,
};

/// Columns of `trials.csv`.
const TRIALS: [&str; 55] = [
    "trial",
    "arm",
    "arm_name",
    "pool",
    "purpose",
    "block",
    "offered_per_s",
    "clients",
    "achieved_per_s",
    "began_s",
    "planned_s",
    "measured_s",
    "scheduled",
    "completed",
    "failed",
    "unfinished",
    "late",
    "bad_share",
    "burstiness",
    "within_1ms",
    "within_5ms",
    "within_10ms",
    "within_25ms",
    "within_50ms",
    "within_100ms",
    "response_mean_us",
    "response_p50_us",
    "response_p99_us",
    "response_p999_us",
    "response_max_us",
    "service_time_mean_us",
    "service_time_p50_us",
    "service_time_p99_us",
    "service_time_p999_us",
    "service_time_max_us",
    "wait_mean_us",
    "wait_p50_us",
    "wait_p99_us",
    "wait_p999_us",
    "wait_max_us",
    "utilisation",
    "waiting",
    "backlog_growth_per_s",
    "server_busy",
    "worker_busy",
    "lag_p99_us",
    "outcome",
    "reason",
    "client_limited",
    "waived",
    "dearest_command",
    "dearest_share",
    "dearest_mean_us",
    "objective_us",
    "folder",
];

/// `trials.csv`: one row per trial, in the order in which they were made.
pub(super) fn trials(answers: &Answers<'_>) -> Vec<u8> {
    table(&TRIALS, answers.capacity.trials.iter().map(|trial| TrialRecord::new(answers, trial)))
}

/// Quantiles in microseconds, empty where nothing was answered.
type Microseconds = [Option<f64>; 5];

#[derive(Serialize)]
struct TrialRecord<'a> {
    trial: u32,
    arm: u32,
    arm_name: &'a str,
    pool: Option<u32>,
    purpose: &'static str,
    block: Option<u32>,
    offered_per_s: Option<f64>,
    clients: Option<u32>,
    achieved_per_s: f64,
    began_s: f64,
    planned_s: f64,
    measured_s: f64,
    scheduled: u64,
    completed: u64,
    failed: u64,
    unfinished: u64,
    late: u64,
    bad_share: Option<f64>,
    burstiness: f64,
    within: [Option<u64>; LIMITS.len()],
    response: Microseconds,
    service_time: Microseconds,
    wait: Microseconds,
    utilisation: f64,
    waiting: f64,
    backlog_growth_per_s: f64,
    server_busy: Option<f64>,
    worker_busy: Option<f64>,
    lag_p99_us: f64,
    outcome: Option<&'static str>,
    reason: Option<&'static str>,
    client_limited: Option<&'a str>,
    waived: Option<&'a str>,
    dearest_command: Option<&'a str>,
    dearest_share: Option<f64>,
    dearest_mean_us: Option<f64>,
    objective_us: f64,
    folder: &'a str,
}

impl<'a> TrialRecord<'a> {
    fn new(answers: &Answers<'a>, trial: &'a Trial) -> Self {
        let seconds = |nanos: u64| rounded(nanos as f64 / 1e9, 6);
        let quantiles = |of: &Quantiles| microseconds(trial, of);
        let dearest = trial.dearest.as_ref();
        let objective = answers.objective(trial.arm);
        let (outcome, reason) = outcome(trial, objective);
        Self {
            trial: trial.number,
            arm: trial.arm,
            arm_name: answers.name(trial.arm),
            pool: answers.capacity.plan.arms.get(trial.arm as usize).and_then(|arm| arm.pool),
            purpose: purpose_slug(trial.purpose),
            block: trial.block,
            offered_per_s: trial.offered.map(per_second),
            clients: trial.clients,
            achieved_per_s: per_second(trial.throughput),
            began_s: seconds(trial.began_ns),
            planned_s: seconds(trial.planned_ns),
            measured_s: seconds(trial.measured_ns),
            scheduled: trial.scheduled,
            completed: trial.completed,
            failed: trial.failed,
            unfinished: trial.unfinished,
            late: trial.late,
            bad_share: (trial.scheduled > 0).then(|| rounded(bad_share(trial), 9)),
            burstiness: rounded(trial.burstiness, 3),
            within: std::array::from_fn(|limit| trial.within.get(limit).copied()),
            response: quantiles(&trial.response),
            service_time: quantiles(&trial.service),
            wait: quantiles(&trial.wait),
            utilisation: rounded(trial.utilisation, 6),
            waiting: rounded(trial.waiting, 3),
            backlog_growth_per_s: rounded(trial.backlog_growth, 6),
            server_busy: trial.server_busy.map(|busy| rounded(busy, 6)),
            worker_busy: trial.worker_busy.map(|busy| rounded(busy, 6)),
            lag_p99_us: micros(trial.lag_p99 as f64),
            outcome,
            reason,
            client_limited: trial.client_limited.as_deref(),
            waived: trial.waived.as_deref(),
            dearest_command: dearest.map(|(name, ..)| name.as_str()),
            dearest_share: dearest.map(|(_, share, _)| rounded(*share, 6)),
            dearest_mean_us: dearest.map(|(.., mean)| micros(*mean)),
            objective_us: micros(objective.latency.as_nanos() as f64),
            folder: &trial.folder,
        }
    }
}

/// How a trial ended, and why where it failed; a closed loop is held against nothing.
fn outcome(trial: &Trial, objective: &Objective) -> (Option<&'static str>, Option<&'static str>) {
    match judge(trial, objective) {
        Judgement::ClientLimited(_) => (Some("client-limited"), None),
        _ if trial.offered.is_none() => (None, None),
        Judgement::Pass => (Some("pass"), None),
        Judgement::Fail(reason) => (Some("fail"), Some(failure_slug(reason))),
        Judgement::Undecided => (Some("undecided"), None),
    }
}

fn microseconds(trial: &Trial, of: &Quantiles) -> Microseconds {
    let at = [of.mean, of.p50 as f64, of.p99 as f64, of.p999 as f64, of.max as f64];
    at.map(|nanos| (trial.completed > 0).then(|| micros(nanos)))
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
pub(super) fn arms(answers: &Answers<'_>) -> Vec<u8> {
    table(&ARMS, answers.arms().map(|(index, arm, answer)| ArmRecord::new(answers, index, arm, answer)))
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
    fn new(answers: &Answers<'a>, index: u32, arm: &'a Arm, answer: &'a ArmAnswer) -> Self {
        let known = answer.sustainable;
        let limit = |limit: u64| answer.by_limit.iter().find(|(of, ..)| *of == limit).and_then(|(_, low, _)| *low);
        let comparison = answers.analysis.comparisons.iter().find(|comparison| comparison.to == index);
        let at = comparison.and_then(Comparison::decisive);
        let ratio = |value: f64| rounded(value, 6);
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
    fn new(answers: &Answers<'_>, arm: u32, rate: Option<f64>) -> Self {
        let Some(trial) = rate.and_then(|rate| answers.typical(arm, rate)) else { return Self::default() };
        Self {
            offered_per_s: trial.offered.map(per_second),
            p50_us: Some(micros(trial.response.p50 as f64)),
            p99_us: Some(micros(trial.response.p99 as f64)),
            wait_p99_us: Some(micros(trial.wait.p99 as f64)),
            utilisation: Some(rounded(trial.utilisation, 6)),
            server_busy: trial.server_busy.map(|busy| rounded(busy, 6)),
        }
    }
}
