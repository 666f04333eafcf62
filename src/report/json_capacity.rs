//! The answers of a capacity run as JSON for programs.
//!
//! Fields are only ever added; one that changes its meaning gets another name and raises `schema_version`. Units are those
//! of `capacity.csv`. The schema is `capacity.schema.json` beside this file.

use serde::Serialize;

use super::{
    format::plain,
    json_parts::{Finding, Objective, Software, Target, findings, text},
    number::{micros, per_second, rounded},
    subject::CapacityReport,
    view::{View, advice_slug, ended_slug, failure_slug, failure_value, limit_figures, limit_slug, undone},
};
use crate::{
    analysis::capacity::{Advice, ArmAnswer, Comparison, ErlangCheck, FailReason, Limit, RateComparison, Usl},
    results::Arm,
};

/// Version of the layout of this summary.
const SCHEMA_VERSION: u32 = 1;

#[derive(Serialize)]
struct Summary<'a> {
    schema_version: u32,
    scenario: &'a str,
    started: &'a str,
    ended: &'static str,
    trials: usize,
    target: Target<'a>,
    objective: Objective,
    headline: String,
    remarks: Vec<String>,
    arms: Vec<ArmRecord<'a>>,
    comparisons: Vec<ComparisonRecord<'a>>,
    concurrency: Option<Concurrency>,
    fleet: Fleet<'a>,
    headroom: Option<Headroom>,
    connection_bytes: Option<f64>,
    undone: Vec<String>,
    findings: Vec<Finding>,
    software: Software<'a>,
}

#[derive(Serialize)]
struct ArmRecord<'a> {
    name: &'a str,
    pool: Option<u32>,
    settings: Vec<Setting<'a>>,
    sustainable_per_s: Option<f64>,
    failed_above_per_s: Option<f64>,
    confirmed: Option<bool>,
    recommended_per_s: Option<f64>,
    knee_per_s: Option<f64>,
    maximum_per_s: Option<f64>,
    first_failure: Option<Failure>,
    client_limited: Option<ClientLimited<'a>>,
    limit: LimitRecord<'a>,
    by_limit: Vec<ByLimit>,
    erlang: Vec<Erlang<'a>>,
}

#[derive(Serialize)]
struct Setting<'a> {
    field: &'a str,
    value: &'a str,
}

#[derive(Serialize)]
struct Failure {
    rate_per_s: f64,
    reason: &'static str,
    share: Option<f64>,
}

#[derive(Serialize)]
struct ClientLimited<'a> {
    rate_per_s: f64,
    check: &'a str,
}

/// What limits: its kind, the command where it is one, and a share, or for a round trip microseconds.
#[derive(Serialize)]
struct LimitRecord<'a> {
    kind: &'static str,
    command: Option<&'a str>,
    share: Option<f64>,
    time_us: Option<f64>,
}

#[derive(Serialize)]
struct ByLimit {
    limit_us: f64,
    met_per_s: Option<f64>,
    missed_per_s: Option<f64>,
}

#[derive(Serialize)]
struct Erlang<'a> {
    service: &'a str,
    rate_per_s: f64,
    hold_us: f64,
    connections: u32,
    utilisation: f64,
    predicted_wait_p99_us: Option<f64>,
    measured_wait_p99_us: f64,
    smallest_pool: u32,
}

#[derive(Serialize)]
struct ComparisonRecord<'a> {
    from: &'a str,
    to: &'a str,
    advice: &'static str,
    /// Change of p99 that could have been seen, where the advice is inconclusive.
    visible_effect: Option<f64>,
    limit: LimitRecord<'a>,
    rates: Vec<RateRecord>,
}

#[derive(Serialize)]
struct RateRecord {
    rate_per_s: f64,
    decides: bool,
    pairs: u32,
    response_p99: Ratio,
    p_value: f64,
    service_time: Ratio,
    throughput: Ratio,
    wait_p99_us: [f64; 2],
    server_busy: [Option<f64>; 2],
    error_rate: [f64; 2],
}

/// A ratio or parameter with its 95 % interval; an end without a bound is absent.
#[derive(Serialize)]
struct Ratio {
    value: Option<f64>,
    low: Option<f64>,
    high: Option<f64>,
}

#[derive(Serialize)]
struct Concurrency {
    gamma_per_s: Ratio,
    alpha: Ratio,
    beta: Ratio,
    r_squared: f64,
    /// Absent where the law has none, or none that is to be believed.
    peak_clients: Option<Ratio>,
    points: Vec<Point>,
}

#[derive(Serialize)]
struct Point {
    clients: u32,
    measured_per_s: f64,
    fitted_per_s: f64,
}

#[derive(Serialize)]
struct Fleet<'a> {
    services: Vec<ServiceRecord<'a>>,
    connections: &'a [u64],
    max_clients: Option<u64>,
}

#[derive(Serialize)]
struct ServiceRecord<'a> {
    name: &'a str,
    instances: u32,
    pool: u32,
}

#[derive(Serialize)]
struct Headroom {
    current_per_s: f64,
    stated: bool,
    times: f64,
    growth_a_month: Option<f64>,
    months: Option<f64>,
}

/// The summary, indented, with a line break at its end.
pub(super) fn render(answers: &CapacityReport, view: &View) -> String {
    let (capacity, analysis) = (&answers.capacity, &answers.analysis);
    let (target, objective) = (&capacity.target, &answers.scenario.objective);
    let fleet = &analysis.fleet;
    let summary = Summary {
        schema_version: SCHEMA_VERSION,
        scenario: &answers.scenario.name,
        started: &capacity.started,
        ended: ended_slug(capacity.ended),
        trials: capacity.trials.len(),
        target: target.into(),
        objective: objective.into(),
        headline: plain(&view.headline.sentence),
        remarks: view.headline.remarks.iter().map(|remark| plain(remark)).collect(),
        arms: answers.arms().map(|(_, arm, answer)| arm_record(arm, answer)).collect(),
        comparisons: analysis.comparisons.iter().map(|comparison| comparison_record(answers, comparison)).collect(),
        concurrency: analysis.usl.as_ref().map(concurrency),
        fleet: Fleet {
            services: fleet
                .services
                .iter()
                .map(|(name, instances, pool)| ServiceRecord { name, instances: *instances, pool: *pool })
                .collect(),
            connections: &fleet.connections,
            max_clients: fleet.max_clients,
        },
        headroom: analysis.headroom.map(|headroom| Headroom {
            current_per_s: per_second(headroom.current),
            stated: headroom.stated,
            times: share(headroom.times),
            growth_a_month: headroom.growth.map(share),
            months: headroom.months.filter(|months| months.is_finite()).map(|months| rounded(months, 1)),
        }),
        connection_bytes: analysis.connection_cost.map(|(each, _)| rounded(each, 1)),
        undone: analysis.undone.iter().map(|what| undone(answers, what)).collect(),
        findings: findings(view),
        software: (&capacity.software).into(),
    };
    text(&summary)
}

fn arm_record<'a>(arm: &'a Arm, answer: &'a ArmAnswer) -> ArmRecord<'a> {
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
        utilisation: share(check.utilisation),
        predicted_wait_p99_us: check.predicted_p99.is_finite().then(|| micros(check.predicted_p99)),
        measured_wait_p99_us: micros(check.measured_p99),
        smallest_pool: check.smallest,
    }
}

fn failure((rate, reason): (f64, FailReason)) -> Failure {
    Failure { rate_per_s: per_second(rate), reason: failure_slug(reason), share: failure_value(reason).map(share) }
}

fn limit(limit: &Limit) -> LimitRecord<'_> {
    let command = if let Limit::Command(name, ..) = limit { Some(name.as_str()) } else { None };
    let (of_all, time) = limit_figures(limit);
    LimitRecord { kind: limit_slug(limit), command, share: of_all.map(share), time_us: time.map(micros) }
}

fn comparison_record<'a>(answers: &'a CapacityReport, comparison: &'a Comparison) -> ComparisonRecord<'a> {
    ComparisonRecord {
        from: answers.name(comparison.from),
        to: answers.name(comparison.to),
        advice: advice_slug(comparison.advice),
        visible_effect: match comparison.advice {
            Advice::Inconclusive(effect) if effect.is_finite() => Some(share(effect)),
            _ => None,
        },
        limit: limit(&comparison.limit),
        rates: comparison.rates.iter().map(rate_record).collect(),
    }
}

fn rate_record(at: &RateComparison) -> RateRecord {
    RateRecord {
        rate_per_s: per_second(at.rate),
        decides: at.decides,
        pairs: at.pairs,
        response_p99: ratio(at.response_p99),
        p_value: share(at.p_value),
        service_time: ratio(at.service),
        throughput: ratio(at.throughput),
        wait_p99_us: [micros(at.wait_p99.0), micros(at.wait_p99.1)],
        server_busy: [at.server_busy.0.map(share), at.server_busy.1.map(share)],
        error_rate: [share(at.errors.0), share(at.errors.1)],
    }
}

fn concurrency(usl: &Usl) -> Concurrency {
    Concurrency {
        gamma_per_s: ratio(usl.gamma),
        alpha: ratio(usl.alpha),
        beta: ratio(usl.beta),
        r_squared: share(usl.r_squared),
        peak_clients: usl.seen_peak().map(ratio),
        points: usl
            .points
            .iter()
            .map(|(clients, measured, fitted)| Point {
                clients: *clients,
                measured_per_s: per_second(*measured),
                fitted_per_s: per_second(*fitted),
            })
            .collect(),
    }
}

fn ratio((value, low, high): (f64, f64, f64)) -> Ratio {
    let finite = |value: f64| value.is_finite().then(|| rounded(value, 9));
    Ratio { value: finite(value), low: finite(low), high: finite(high) }
}

fn share(share: f64) -> f64 {
    rounded(share, 6)
}
