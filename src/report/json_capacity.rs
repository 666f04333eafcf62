//! The answers of a capacity run as JSON for programs.
//!
//! Fields are only ever added; one that changes its meaning gets another name and raises `schema_version`. Units are those
//! of `capacity.csv`. The JSON Schema is derived from these types.

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    format::plain,
    json_arm::{ArmRecord, LimitRecord},
    json_parts::{Finding, Objective, ServiceClient, Software, Target, clients, findings, not_negative, remarks, text},
    number::{finite, micros, per_second, ratio, rounded},
    record::record,
    subject::CapacityReport,
    view::{View, undone},
};
use crate::{
    analysis::{
        Interval,
        capacity::{self, Advice, AdviceName, Comparison, Headroom, RateComparison, Usl},
        gate::Change,
    },
    results::Ended,
};

/// Version of the layout of this summary.
const SCHEMA_VERSION: u32 = 2;

record! {
    /// Output of `capacity --format json`. Times are microseconds (`_us`), rates per second (`_per_s`), shares between 0 and 1.
    /// What was not measured is null.
    #[schemars(title = "Answers of a capacity run of plimsoll")]
    pub(super) struct CapacityDocument<'a>(answers: &'a CapacityReport, view: &View) {
        /// Version of this layout.
        #[schemars(extend("const" = SCHEMA_VERSION))]
        schema_version: u32 = SCHEMA_VERSION,
        /// Name of the scenario.
        scenario: &'a str = &answers.scenario.name,
        /// Start of the first trial, RFC 3339 in UTC.
        started: &'a str = &answers.capacity.started,
        /// End of the capacity run.
        ended: Ended = answers.capacity.ended,
        /// Number of trials.
        trials: usize = answers.capacity.trials.len(),
        /// Server that was measured.
        target: Target<'a> = Target::new(&answers.capacity.target),
        /// Objective of the scenario.
        objective: Objective = Objective::new(&answers.scenario.objective),
        /// Client library and protocol of each service, unless an arm sets another one.
        clients: Vec<ServiceClient> = clients(&answers.scenario),
        /// Answer in one sentence.
        headline: String = plain(&view.headline.sentence),
        /// Remarks beside the answer.
        remarks: Vec<String> = remarks(&view.headline),
        /// Arms with their answers.
        arms: Vec<ArmRecord<'a>> = answers.arms().map(|(_, arm, answer)| ArmRecord::new(arm, answer)).collect(),
        /// Comparisons of neighbouring pool sizes.
        comparisons: Vec<ComparisonRecord<'a>> =
            answers.analysis.comparisons.iter().map(|comparison| ComparisonRecord::new(answers, comparison)).collect(),
        /// Model of concurrency: the Universal Scalability Law.
        concurrency: Option<Concurrency> = answers.analysis.usl.as_ref().map(Concurrency::new),
        /// Connections of the fleet.
        fleet: Fleet<'a> = Fleet::new(&answers.analysis.fleet),
        /// Growth until the sustainable rate is reached.
        headroom: Option<HeadroomRecord> = answers.analysis.headroom.map(HeadroomRecord::new),
        /// Memory of the server for each connection, in bytes.
        connection_bytes: Option<f64> = answers.analysis.connection_cost.map(|(each, _)| rounded(each, 1)),
        /// Parts of the plan that were not carried out.
        undone: Vec<String> = answers.analysis.undone.iter().map(|what| undone(answers, what)).collect(),
        /// Findings.
        findings: Vec<Finding> = findings(view),
        /// Build of plimsoll that measured.
        software: Software<'a> = Software::new(&answers.capacity.software),
    }
}

record! {
    /// Comparison of two arms.
    #[schemars(transform = not_negative)]
    struct ComparisonRecord<'a>(answers: &'a CapacityReport, comparison: &'a Comparison) {
        /// Name of the smaller arm.
        from: &'a str = answers.name(comparison.from),
        /// Name of the larger arm.
        to: &'a str = answers.name(comparison.to),
        /// Advice on the change from one to the other.
        advice: AdviceName = comparison.advice.into(),
        /// Smallest change of p99 that would have been found, as a share, where the advice is inconclusive.
        visible_effect: Option<f64> = match comparison.advice {
            Advice::Inconclusive(effect) => effect.map(ratio),
            _ => None,
        },
        /// Limit of throughput.
        limit: LimitRecord<'a> = LimitRecord::new(&comparison.limit),
        /// Rate of the scenario that only one of the two sustains.
        only_sustained: Option<OnlySustained<'a>> = comparison.apart.map(|apart| OnlySustained {
            by: answers.name(if apart.larger { comparison.to } else { comparison.from }),
            rate_per_s: per_second(apart.rate),
        }),
        /// Comparisons by rate.
        rates: Vec<RateRecord> = comparison.rates.iter().map(RateRecord::new).collect(),
    }
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

record! {
    /// Comparison of two arms at one rate.
    #[schemars(transform = not_negative)]
    struct RateRecord(at: &RateComparison) {
        /// Offered rate.
        rate_per_s: f64 = per_second(at.rate),
        /// Whether the advice rests on this rate.
        decides: bool = at.decides,
        /// Number of blocks that count.
        blocks: u32 = at.blocks,
        /// Length of a turn; null where the arms were loaded one after the other.
        turn_us: Option<f64> = at.turn_ns.map(|turn| micros(turn as f64)),
        /// Median of the response time, larger over smaller.
        response_p50: Ratio = changed(&at.response_p50),
        /// 99th percentile of the response time, larger over smaller.
        response_p99: Ratio = changed(&at.response_p99),
        /// 99th percentile of the wait for a connection, larger over smaller.
        wait_p99: Ratio = changed(&at.wait_p99),
        /// Service time, larger over smaller.
        service_time: Ratio = changed(&at.service),
        /// Throughput, larger over smaller.
        throughput: Ratio = changed(&at.throughput),
        /// 99th percentile of the wait for a connection, of the smaller and of the larger pool.
        wait_p99_us: [Positive; 2] = at.wait_p99.levels.map(|wait| Positive(finite(micros(wait)))).into(),
        /// Share of the server's main thread in use, under both in turns.
        server_busy: Option<f64> = at.server_busy.map(ratio),
        /// Share of failed requests, of the smaller and of the larger pool.
        error_rate: [Positive; 2] = at.errors.map(|share| Positive(finite(share))).into(),
    }
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

record! {
    /// Parameters of the Universal Scalability Law.
    struct Concurrency(usl: &Usl) {
        /// Throughput of one client.
        gamma_per_s: Ratio = interval(usl.gamma),
        /// Contention.
        alpha: Ratio = interval(usl.alpha),
        /// Coherency.
        beta: Ratio = interval(usl.beta),
        /// Share of the variance that the law explains.
        r_squared: f64 = ratio(usl.r_squared),
        /// Number of clients at the peak of throughput; null where there is none within reach of the measurement.
        peak_clients: Option<Ratio> = usl.seen_peak().map(interval),
        /// Measurements beside the law.
        points: Vec<Point> = usl.points.iter().map(Point::new).collect(),
    }
}

record! {
    /// Measurement beside the law.
    struct Point(point: &(u32, f64, f64)) {
        /// Number of clients.
        clients: u32 = point.0,
        /// Measured throughput.
        #[schemars(range(min = 0))]
        measured_per_s: f64 = per_second(point.1),
        /// Throughput by the law.
        fitted_per_s: f64 = per_second(point.2),
    }
}

record! {
    /// Connections of the fleet.
    struct Fleet<'a>(fleet: &'a capacity::Fleet) {
        /// Services.
        services: Vec<ServiceRecord<'a>> = fleet.services.iter().map(ServiceRecord::new).collect(),
        /// Number of connections with each arm.
        connections: &'a [u64] = &fleet.connections,
        /// Largest number of clients that the server accepts.
        max_clients: Option<u64> = fleet.max_clients,
    }
}

record! {
    /// Service of the fleet.
    struct ServiceRecord<'a>(service: &'a (String, u32, u32)) {
        /// Name.
        name: &'a str = &service.0,
        /// Number of instances.
        instances: u32 = service.1,
        /// Size of the pool of each instance.
        pool: u32 = service.2 ,
    }
}

record! {
    /// Growth until the sustainable rate is reached.
    struct HeadroomRecord(headroom: Headroom) {
        /// Rate of today.
        #[schemars(range(min = 0))]
        current_per_s: f64 = per_second(headroom.current),
        /// Whether the rate of today was stated by the user.
        stated: bool = headroom.stated,
        /// Sustainable rate over the rate of today.
        #[schemars(range(min = 0))]
        times: f64 = ratio(headroom.times),
        /// Growth a month, as a share.
        growth_a_month: Option<f64> = headroom.growth.map(ratio),
        /// Months until the sustainable rate is reached.
        months: Option<f64> = headroom.months.filter(|months| months.is_finite()).map(|months| rounded(months, 1)),
    }
}

/// The summary, indented, with a line break at its end.
pub(super) fn render(answers: &CapacityReport, view: &View) -> String {
    text(&CapacityDocument::new(answers, view))
}

fn changed(change: &Change) -> Ratio {
    interval(change.effect.ratio)
}

fn interval(of: Interval) -> Ratio {
    let Interval { point, low, high } = of.map(|value| rounded(value, 9));
    Ratio { value: Some(point), low, high }
}
