//! Tables of a capacity run for spreadsheets and scripts: `trials.csv` and `capacity.csv`.
//!
//! Times are microseconds with the unit in the name, rates are per second, shares lie between 0 and 1. What was not
//! measured is empty. Fields are only ever added.

use super::{
    csv_table::table,
    json_arm::ArmRecord,
    number::{micros, per_second, ratio, rounded, seconds},
    subject::capacity::{CapacityReport, bad_share},
    view::harness_limit_words,
};
use crate::{
    analysis::capacity::{AdviceName, Comparison, FailReasonName, Judgement, judge},
    results::{LIMITS, Trial},
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
        ("purpose", trial.purpose),
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
        ("client_limited", trial.client_limited.as_ref().map(harness_limit_words)),
        ("waived", trial.waived.as_ref().map(harness_limit_words)),
        ("dearest_command", trial.most_expensive.as_ref().map(|command| command.name.as_str())),
        ("dearest_share", trial.most_expensive.as_ref().map(|command| ratio(command.share))),
        ("dearest_mean_us", trial.most_expensive.as_ref().map(|command| micros(command.mean_ns))),
        ("objective_us", micros(objective.latency.as_nanos() as f64)),
        ("folder", trial.folder),
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
fn reason(trial: &Trial, objective: &Objective) -> Option<FailReasonName> {
    match judge(trial, objective) {
        Judgement::Fail(reason) if trial.offered.is_some() => Some(reason.into()),
        _ => None,
    }
}

/// `capacity.csv`: one row per arm. Its advice is whether to change to it from the arm that it was compared with. A rate is
/// described by the trial in the middle by response p99, never by a mean of percentiles.
pub(super) fn arms(answers: &CapacityReport) -> Vec<u8> {
    let rows = answers.arms().map(|(index, arm, answer)| {
        let compared = answers.analysis.comparisons.iter().find(|comparison| comparison.to == index);
        let typical = |rate: Option<f64>| rate.and_then(|rate| answers.typical(index, rate));
        let [own, top] = [answers.own_rate(), answer.sustainable.map(|known| known.rate)].map(typical);
        (index, ArmRecord::new(arm, answer), compared, compared.and_then(Comparison::decisive), own, top)
    });
    table!(rows, |(index, arm, compared, at, own, top)| [
        ("arm", arm.name),
        ("pool", arm.pool),
        ("settings", settings(&arm)),
        ("sustainable_per_s", arm.sustainable_per_s),
        ("failed_above_per_s", arm.failed_above_per_s),
        ("confirmed", arm.confirmed),
        ("recommended_per_s", arm.recommended_per_s),
        ("knee_per_s", arm.knee_per_s),
        ("maximum_per_s", arm.maximum_per_s),
        ("first_failure_per_s", arm.first_failure.as_ref().map(|failure| failure.rate_per_s)),
        ("first_failure_reason", arm.first_failure.as_ref().map(|failure| failure.reason)),
        ("first_failure_share", arm.first_failure.as_ref().and_then(|failure| failure.share)),
        ("client_limited_per_s", arm.client_limited.as_ref().map(|limited| limited.rate_per_s)),
        ("client_limited_by", arm.client_limited.as_ref().map(|limited| limited.check.as_str())),
        ("limit", arm.limit.kind),
        ("limit_share", arm.limit.share),
        ("limit_time_us", arm.limit.time_us),
        ("sustainable_within_1ms_per_s", sustainable_within(&arm, 1)),
        ("sustainable_within_5ms_per_s", sustainable_within(&arm, 5)),
        ("sustainable_within_10ms_per_s", sustainable_within(&arm, 10)),
        ("sustainable_within_25ms_per_s", sustainable_within(&arm, 25)),
        ("sustainable_within_50ms_per_s", sustainable_within(&arm, 50)),
        ("sustainable_within_100ms_per_s", sustainable_within(&arm, 100)),
        ("own_rate_per_s", own.and_then(|trial| trial.offered).map(per_second)),
        ("own_rate_p50_us", own.map(|trial| micros(trial.response.p50 as f64))),
        ("own_rate_p99_us", own.map(|trial| micros(trial.response.p99 as f64))),
        ("own_rate_wait_p99_us", own.map(|trial| micros(trial.wait.p99 as f64))),
        ("own_rate_utilisation", own.map(|trial| ratio(trial.utilisation))),
        ("own_rate_server_busy", own.and_then(|trial| trial.server_busy).map(ratio)),
        ("at_sustainable_per_s", top.and_then(|trial| trial.offered).map(per_second)),
        ("at_sustainable_p50_us", top.map(|trial| micros(trial.response.p50 as f64))),
        ("at_sustainable_p99_us", top.map(|trial| micros(trial.response.p99 as f64))),
        ("at_sustainable_wait_p99_us", top.map(|trial| micros(trial.wait.p99 as f64))),
        ("at_sustainable_utilisation", top.map(|trial| ratio(trial.utilisation))),
        ("at_sustainable_server_busy", top.and_then(|trial| trial.server_busy).map(ratio)),
        ("compared_with", compared.map(|comparison| answers.name(comparison.from))),
        ("advice", compared.map(|comparison| AdviceName::from(comparison.advice))),
        ("compared_rate_per_s", at.map(|at| per_second(at.rate))),
        ("compared_blocks", at.map(|at| at.blocks)),
        ("response_p99_ratio", at.map(|at| ratio(at.response_p99.effect.ratio.point))),
        ("response_p99_ratio_low", at.and_then(|at| at.response_p99.effect.ratio.low).map(ratio)),
        ("response_p99_ratio_high", at.and_then(|at| at.response_p99.effect.ratio.high).map(ratio)),
        ("response_p50_ratio", at.map(|at| ratio(at.response_p50.effect.ratio.point))),
        ("wait_p99_ratio", at.map(|at| ratio(at.wait_p99.effect.ratio.point))),
        ("service_time_ratio", at.map(|at| ratio(at.service.effect.ratio.point))),
        ("throughput_ratio", at.map(|at| ratio(at.throughput.effect.ratio.point))),
        ("erlang_service", arm.erlang.first().map(|check| check.service)),
        ("erlang_rate_per_s", arm.erlang.first().map(|check| check.rate_per_s)),
        ("erlang_utilisation", arm.erlang.first().map(|check| check.utilisation)),
        ("erlang_predicted_wait_p99_us", arm.erlang.first().and_then(|check| check.predicted_wait_p99_us)),
        ("erlang_measured_wait_p99_us", arm.erlang.first().map(|check| check.measured_wait_p99_us)),
        ("erlang_smallest_pool", arm.erlang.first().map(|check| check.smallest_pool)),
        ("fleet_connections", answers.analysis.fleet.connections.get(index as usize)),
    ])
}

/// Settings as on the command line.
fn settings(arm: &ArmRecord<'_>) -> String {
    let settings = arm.settings.iter().map(|setting| format!("{}={}", setting.field, setting.value));
    settings.collect::<Vec<_>>().join(" ")
}

/// Sustainable rate under a limit of the response time in milliseconds.
fn sustainable_within(arm: &ArmRecord<'_>, limit: u32) -> Option<f64> {
    let limit_us = f64::from(limit) * 1e3;
    arm.by_limit.iter().find(|by| (by.limit_us - limit_us).abs() < 0.5).and_then(|by| by.met_per_s)
}
