//! The answers of a capacity run as JSON for programs.
//!
//! Fields are only ever added; one that changes its meaning gets another name and raises `schema_version`. Units are those
//! of `capacity.csv`. The JSON Schema is derived from these types.

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    format::plain,
    json_arm::{ArmRecord, LimitRecord, arm_record, limit},
    json_parts::{Finding, Objective, Software, Target, findings, not_negative, remarks, text},
    number::{finite, micros, per_second, ratio, rounded},
    subject::CapacityReport,
    view::{View, undone},
};
use crate::{
    analysis::{
        capacity::{Advice, AdviceName, Comparison, RateComparison, Usl},
        gate::Change,
    },
    results::Ended,
};

/// Version of the layout of this summary.
const SCHEMA_VERSION: u32 = 2;

/// Output of `capacity --format json`. Times are microseconds (`_us`), rates per second (`_per_s`), shares between 0 and 1.
/// What was not measured is null.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "Answers of a capacity run of plimsoll")]
pub(super) struct CapacityDocument<'a> {
    /// Version of this layout.
    #[schemars(extend("const" = SCHEMA_VERSION))]
    schema_version: u32,
    /// Name of the scenario.
    scenario: &'a str,
    /// Start of the first trial, RFC 3339 in UTC.
    started: &'a str,
    /// End of the capacity run.
    ended: Ended,
    /// Number of trials.
    trials: usize,
    /// Server that was measured.
    target: Target<'a>,
    /// Objective of the scenario.
    objective: Objective,
    /// Answer in one sentence.
    headline: String,
    /// Remarks beside the answer.
    remarks: Vec<String>,
    /// Arms with their answers.
    arms: Vec<ArmRecord<'a>>,
    /// Comparisons of neighbouring pool sizes.
    comparisons: Vec<ComparisonRecord<'a>>,
    /// Model of concurrency: the Universal Scalability Law.
    concurrency: Option<Concurrency>,
    /// Connections of the fleet.
    fleet: Fleet<'a>,
    /// Growth until the sustainable rate is reached.
    headroom: Option<HeadroomRecord>,
    /// Memory of the server for each connection, in bytes.
    connection_bytes: Option<f64>,
    /// Parts of the plan that were not carried out.
    undone: Vec<String>,
    /// Findings.
    findings: Vec<Finding>,
    /// Build of plimsoll that measured.
    software: Software<'a>,
}

/// Comparison of two arms.
#[derive(Serialize, JsonSchema)]
#[schemars(transform = not_negative)]
struct ComparisonRecord<'a> {
    /// Name of the smaller arm.
    from: &'a str,
    /// Name of the larger arm.
    to: &'a str,
    /// Advice on the change from one to the other.
    advice: AdviceName,
    /// Smallest change of p99 that would have been found, as a share, where the advice is inconclusive.
    visible_effect: Option<f64>,
    /// Limit of throughput.
    limit: LimitRecord<'a>,
    /// Rate of the scenario that only one of the two sustains.
    only_sustained: Option<OnlySustained<'a>>,
    /// Comparisons by rate.
    rates: Vec<RateRecord>,
}

/// Rate that only one of two arms sustains.
#[derive(Serialize, JsonSchema)]
#[schemars(transform = not_negative)]
struct OnlySustained<'a> {
    /// Name of that arm.
    by: &'a str,
    /// Rate.
    rate_per_s: f64,
}

/// Comparison of two arms at one rate.
#[derive(Serialize, JsonSchema)]
#[schemars(transform = not_negative)]
struct RateRecord {
    /// Offered rate.
    rate_per_s: f64,
    /// Whether the advice rests on this rate.
    decides: bool,
    /// Number of blocks that count.
    blocks: u32,
    /// Length of a turn; null where the arms were loaded one after the other.
    turn_us: Option<f64>,
    /// Median of the response time, larger over smaller.
    response_p50: Ratio,
    /// 99th percentile of the response time, larger over smaller.
    response_p99: Ratio,
    /// 99th percentile of the wait for a connection, larger over smaller.
    wait_p99: Ratio,
    /// Service time, larger over smaller.
    service_time: Ratio,
    /// Throughput, larger over smaller.
    throughput: Ratio,
    /// 99th percentile of the wait for a connection, of the smaller and of the larger pool.
    wait_p99_us: [Positive; 2],
    /// Share of the server's main thread in use, under both in turns.
    server_busy: Option<f64>,
    /// Share of failed requests, of the smaller and of the larger pool.
    error_rate: [Positive; 2],
}

/// A number that is not negative; null where it is not known.
#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
struct Positive(#[schemars(range(min = 0))] Option<f64>);

/// A ratio or parameter with its 95 % confidence interval; an end without a bound is null.
#[derive(Serialize, JsonSchema)]
struct Ratio {
    /// Estimate.
    value: Option<f64>,
    /// Lower end.
    low: Option<f64>,
    /// Upper end.
    high: Option<f64>,
}

/// Parameters of the Universal Scalability Law.
#[derive(Serialize, JsonSchema)]
struct Concurrency {
    /// Throughput of one client.
    gamma_per_s: Ratio,
    /// Contention.
    alpha: Ratio,
    /// Coherency.
    beta: Ratio,
    /// Share of the variance that the law explains.
    r_squared: f64,
    /// Number of clients at the peak of throughput; null where there is none within reach of the measurement.
    peak_clients: Option<Ratio>,
    /// Measurements beside the law.
    points: Vec<Point>,
}

/// Measurement beside the law.
#[derive(Serialize, JsonSchema)]
struct Point {
    /// Number of clients.
    clients: u32,
    /// Measured throughput.
    #[schemars(range(min = 0))]
    measured_per_s: f64,
    /// Throughput by the law.
    fitted_per_s: f64,
}

/// Connections of the fleet.
#[derive(Serialize, JsonSchema)]
struct Fleet<'a> {
    /// Services.
    services: Vec<ServiceRecord<'a>>,
    /// Number of connections with each arm.
    connections: &'a [u64],
    /// Largest number of clients that the server accepts.
    max_clients: Option<u64>,
}

/// Service of the fleet.
#[derive(Serialize, JsonSchema)]
struct ServiceRecord<'a> {
    /// Name.
    name: &'a str,
    /// Number of instances.
    instances: u32,
    /// Size of the pool of each instance.
    pool: u32,
}

/// Growth until the sustainable rate is reached.
#[derive(Serialize, JsonSchema)]
struct HeadroomRecord {
    /// Rate of today.
    #[schemars(range(min = 0))]
    current_per_s: f64,
    /// Whether the rate of today was stated by the user.
    stated: bool,
    /// Sustainable rate over the rate of today.
    #[schemars(range(min = 0))]
    times: f64,
    /// Growth a month, as a share.
    growth_a_month: Option<f64>,
    /// Months until the sustainable rate is reached.
    months: Option<f64>,
}

/// The summary, indented, with a line break at its end.
pub(super) fn render(answers: &CapacityReport, view: &View) -> String {
    let (capacity, analysis) = (&answers.capacity, &answers.analysis);
    let (target, objective) = (&capacity.target, &answers.scenario.objective);
    let fleet = &analysis.fleet;
    let summary = CapacityDocument {
        schema_version: SCHEMA_VERSION,
        scenario: &answers.scenario.name,
        started: &capacity.started,
        ended: capacity.ended,
        trials: capacity.trials.len(),
        target: target.into(),
        objective: objective.into(),
        headline: plain(&view.headline.sentence),
        remarks: remarks(&view.headline),
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
        headroom: analysis.headroom.map(|headroom| HeadroomRecord {
            current_per_s: per_second(headroom.current),
            stated: headroom.stated,
            times: ratio(headroom.times),
            growth_a_month: headroom.growth.map(ratio),
            months: headroom.months.filter(|months| months.is_finite()).map(|months| rounded(months, 1)),
        }),
        connection_bytes: analysis.connection_cost.map(|(each, _)| rounded(each, 1)),
        undone: analysis.undone.iter().map(|what| undone(answers, what)).collect(),
        findings: findings(view),
        software: (&capacity.software).into(),
    };
    text(&summary)
}

fn comparison_record<'a>(answers: &'a CapacityReport, comparison: &'a Comparison) -> ComparisonRecord<'a> {
    ComparisonRecord {
        from: answers.name(comparison.from),
        to: answers.name(comparison.to),
        advice: comparison.advice.into(),
        visible_effect: match comparison.advice {
            Advice::Inconclusive(effect) => effect.map(ratio),
            _ => None,
        },
        limit: limit(&comparison.limit),
        only_sustained: comparison.apart.map(|apart| OnlySustained {
            by: answers.name(if apart.larger { comparison.to } else { comparison.from }),
            rate_per_s: per_second(apart.rate),
        }),
        rates: comparison.rates.iter().map(rate_record).collect(),
    }
}

fn rate_record(at: &RateComparison) -> RateRecord {
    RateRecord {
        rate_per_s: per_second(at.rate),
        decides: at.decides,
        blocks: at.blocks,
        turn_us: at.turn_ns.map(|turn| micros(turn as f64)),
        response_p50: changed(&at.response_p50),
        response_p99: changed(&at.response_p99),
        wait_p99: changed(&at.wait_p99),
        service_time: changed(&at.service),
        throughput: changed(&at.throughput),
        wait_p99_us: at.wait_p99.levels.map(|wait| Positive(finite(micros(wait)))),
        server_busy: at.server_busy.map(ratio),
        error_rate: at.errors.map(|share| Positive(finite(share))),
    }
}

fn concurrency(usl: &Usl) -> Concurrency {
    Concurrency {
        gamma_per_s: interval(usl.gamma),
        alpha: interval(usl.alpha),
        beta: interval(usl.beta),
        r_squared: ratio(usl.r_squared),
        peak_clients: usl.seen_peak().map(interval),
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

fn changed(change: &Change) -> Ratio {
    let ratio = change.effect.ratio.map(|value| rounded(value, 9));
    Ratio { value: Some(ratio.point), low: ratio.low, high: ratio.high }
}

fn interval((value, low, high): (f64, f64, f64)) -> Ratio {
    let finite = |value: f64| value.is_finite().then(|| rounded(value, 9));
    Ratio { value: finite(value), low: finite(low), high: finite(high) }
}
