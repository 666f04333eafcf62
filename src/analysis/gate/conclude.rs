//! Conclusions of a gate, from its slices.

use super::{
    Change, ChangeShape, FEWEST_BLOCKS, Failures, GateAnalysis, GateMetric, GateRow, GateScope, Invalidity, LEVEL,
    MetricResult, Noise, TooFew,
    blind::{KINDS, dropped, too_much},
    course,
    failures::{failures, of_baseline},
    judge::verdict,
    values::{ReadBlock, Responses, merged_arms, quads_of, read},
};
use crate::{
    analysis::{
        mean::mean,
        paired::{Difference, FEWEST_IN_SLICE, Limits, Power, change, deviation, log_of, median, own},
    },
    results::{Gate, GatePlan, GateSlice, GateStage, Side, Sides, SliceKind, Verdict},
    scenario::Scenario,
};

/// Requests beyond a quantile that each arm of a block has to have, on average.
const FEWEST_BEYOND: f64 = 20.0;

/// Quantiles whose changes are reported.
const QUANTILES: [f64; 7] = [0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999];

/// Where the 99th percentile lies.
const TAIL: f64 = 0.99;

/// Concludes from a gate what can be concluded. An interrupted one is taken for what there is of it.
pub fn conclude(gate: &Gate, scenario: &Scenario) -> GateAnalysis {
    let blocks = read(gate);
    let study =
        Study { gate, screen: of_stage(&blocks, GateStage::Screen), confirm: of_stage(&blocks, GateStage::Confirm) };
    let mut power = Power::default();
    let scopes = scopes(gate);
    let too_few = scopes.iter().filter_map(|(scope, series)| study.too_few(scope, series)).collect();
    let rows: Vec<GateRow> =
        scopes.into_iter().filter_map(|(scope, series)| study.row(scope, &series, &mut power)).collect();
    let of_stages = |stage: GateStage| gate.blocks.iter().filter(move |block| block.stage == stage);
    let limit = scenario.objective.max_error_rate;
    let failures = failures(of_stages(GateStage::Screen), of_stages(GateStage::Confirm), limit);
    let all: Vec<usize> = (0..gate.series.len()).collect();
    let invalid = study.invalidity(&failures, &all);
    let verdict = match invalid {
        Some(_) => Verdict::Invalid,
        None => whole(&rows, &failures),
    };
    GateAnalysis {
        verdict,
        invalid,
        failures,
        controls: Sides::each(|arm| study.control(arm, &all, &mut power)),
        noise: study.noise(&all),
        dropped: dropped(&gate.blocks.iter().collect::<Vec<_>>(), &KINDS),
        curves: course::curves(study.deciding(&rows), &all),
        course: course::course(&blocks, &all),
        rows,
        too_few,
    }
}

/// Whether the first stage gives reason for a second.
pub fn suspects(gate: &Gate, scenario: &Scenario) -> bool {
    let analysis = conclude(gate, scenario);
    let suspected = analysis.rows.iter().flat_map(|row| &row.metrics).any(|metric| metric.suspected);
    // What a second stage would show could not be judged without a first one that can.
    analysis.invalid.is_none() && (suspected || analysis.failures.verdict != Verdict::Pass)
}

fn of_stage<'b, 'g>(blocks: &'b [ReadBlock<'g>], stage: GateStage) -> Vec<&'b ReadBlock<'g>> {
    blocks.iter().filter(|block| block.block.stage == stage).collect()
}

/// Operations, services where there are several, and the whole, each with the numbers of its series.
fn scopes(gate: &Gate) -> Vec<(GateScope, Vec<usize>)> {
    let all = || gate.series.iter().enumerate();
    let mut services: Vec<&String> = gate.series.iter().map(|series| &series.service).collect();
    services.dedup();
    let several = services.len() > 1;
    let mut scopes = Vec::new();
    for service in services {
        let own: Vec<_> = all().filter(|(_, series)| series.service == *service).collect();
        for (index, series) in &own {
            let scope = GateScope { service: Some(service.clone()), operation: Some(series.operation.clone()) };
            scopes.push((scope, vec![*index]));
        }
        if several {
            let scope = GateScope { service: Some(service.clone()), operation: None };
            scopes.push((scope, own.into_iter().map(|(index, _)| index).collect()));
        }
    }
    scopes.push((GateScope { service: None, operation: None }, all().map(|(index, _)| index).collect()));
    scopes
}

/// A gate with its histograms read, by stage.
struct Study<'b, 'g> {
    gate: &'g Gate,
    screen: Vec<&'b ReadBlock<'g>>,
    confirm: Vec<&'b ReadBlock<'g>>,
}

impl Study<'_, '_> {
    /// The second stage where a suspicion about the whole led to it, else the first.
    fn deciding(&self, rows: &[GateRow]) -> &[&ReadBlock<'_>] {
        let suspected = rows.last().is_some_and(|row| row.metrics.iter().any(|metric| metric.suspected));
        if suspected && !self.confirm.is_empty() { &self.confirm } else { &self.screen }
    }

    /// What has no samples to be compared in the first stage; `None` where everything has.
    fn too_few(&self, scope: &GateScope, series: &[usize]) -> Option<TooFew> {
        let lacks = |metric: &GateMetric| !self.screen.is_empty() && !has_samples(&self.screen, *metric, series);
        let metrics: Vec<GateMetric> = GateMetric::ALL.into_iter().filter(lacks).collect();
        (!metrics.is_empty()).then(|| TooFew { scope: scope.clone(), metrics })
    }

    /// `None` where nothing has the samples to be compared.
    fn row(&self, scope: GateScope, series: &[usize], power: &mut Power) -> Option<GateRow> {
        let is_whole = scope.service.is_none();
        let mut metrics = Vec::new();
        for metric in GateMetric::ALL {
            // Of a part, throughput in a closed loop says how it was mixed; at a rate that is kept it says nothing.
            let kept_rate = self.gate.plan.saturated_quads == 0 && self.gate.plan.rate.is_some();
            if metric == GateMetric::Throughput && (!is_whole || kept_rate) {
                continue;
            }
            metrics.extend(self.metric(metric, series, power));
        }
        if metrics.is_empty() {
            return None;
        }
        let mut row =
            GateRow { scope, verdict: row_verdict(&metrics, is_whole), metrics, quantiles: Vec::new(), shape: None };
        let suspected = row.metrics.iter().any(|metric| metric.suspected);
        let decides = if suspected && !self.confirm.is_empty() { &self.confirm } else { &self.screen };
        row.quantiles = self.quantiles(decides, series, power);
        row.shape = shape(&row, &self.gate.plan);
        Some(row)
    }

    fn metric(&self, metric: GateMetric, series: &[usize], power: &mut Power) -> Option<MetricResult> {
        let limits = limits(&self.gate.plan, metric, self.lag());
        // Where there are only closed loops, every slice shows throughput.
        let kind = match metric {
            GateMetric::Throughput if self.gate.plan.saturated_quads > 0 => SliceKind::Saturated,
            _ => SliceKind::Paced,
        };
        let mut of = |blocks: &[&ReadBlock<'_>]| change(&differences(blocks, metric, kind, series), &limits, power);
        let (screen, confirm) = (of(&self.screen)?, of(&self.confirm));
        Some(MetricResult {
            metric,
            verdict: verdict(&limits, &screen, confirm.as_ref()),
            suspected: limits.is_worse(&screen),
            limit: limits.least(screen.levels.a),
            screen,
            confirm,
        })
    }

    /// Twice the median schedule lag of A: a change within it may be the harness's own. B's has no part in it, as a slower harness
    /// in B is a change that is looked for where the builds differ.
    fn lag(&self) -> f64 {
        let of_a = |slice: &&GateSlice| slice.kind == SliceKind::Paced && slice.arm == Side::A;
        let slices = self.screen.iter().flat_map(|block| &block.slices).map(|read| read.slice);
        2.0 * median(&slices.filter(of_a).map(|slice| slice.lag_p50 as f64).collect::<Vec<_>>())
    }

    fn quantiles(&self, blocks: &[&ReadBlock<'_>], series: &[usize], power: &mut Power) -> Vec<(f64, Change)> {
        let arms: Vec<Sides<Responses>> = blocks.iter().map(|block| merged_arms(block, series)).collect();
        let limits = limits(&self.gate.plan, GateMetric::Median, 0.0);
        let of = |quantile: f64| {
            let beyond = arms.iter().flat_map(Sides::iter).map(Responses::len).sum::<u64>() as f64 * (1.0 - quantile);
            if beyond < FEWEST_BEYOND * 2.0 * arms.len() as f64 {
                return None;
            }
            let pairs =
                arms.iter().filter_map(|of| Difference::of_pair(of.a.quantile(quantile), of.b.quantile(quantile)));
            Some((quantile, change(&pairs.collect::<Vec<_>>(), &limits, power)?))
        };
        QUANTILES.into_iter().filter_map(of).collect()
    }

    fn invalidity(&self, failures: &Failures, all: &[usize]) -> Option<Invalidity> {
        let of = |blocks: &[&ReadBlock<'_>]| too_much(&blocks.iter().map(|block| block.block).collect::<Vec<_>>());
        // A quiet second stage is no excuse for a first that was disturbed, and the other way round.
        let disturbed = of(&self.screen).or_else(|| of(&self.confirm));
        let usable = self.screen.iter().filter(|block| is_usable(block, all)).count();
        disturbed.map(Invalidity::Disturbed).or_else(|| of_baseline(failures)).or_else(|| {
            // That B answers nothing in many blocks is reported by its failures.
            let fewest = usable < FEWEST_BLOCKS && !failures.screen.more;
            fewest.then_some(Invalidity::TooFewBlocks(usable as u32))
        })
    }

    /// The second slice of an arm in each quad against its first.
    fn control(&self, arm: Side, series: &[usize], power: &mut Power) -> Option<Change> {
        let limits = limits(&self.gate.plan, GateMetric::Median, 0.0);
        let of_block = |block: &&ReadBlock<'_>| {
            let quads = quads_of(block, SliceKind::Paced, |read| read.of(series).quantile(0.5));
            let halves: Vec<_> = quads
                .iter()
                .map(|quad| own(quad, arm))
                .filter_map(|[one, other]| Difference::of_pair(one, other))
                .collect();
            let of = |value: &dyn Fn(&Difference) -> f64| median(&halves.iter().map(value).collect::<Vec<_>>());
            (!halves.is_empty()).then(|| Difference {
                levels: Sides::each(|which| of(&|half| half.levels[which])),
                log: of(&|half| half.log),
            })
        };
        change(&self.screen.iter().filter_map(of_block).collect::<Vec<_>>(), &limits, power)
    }

    /// A block varies by what its quads vary, and by what is its own.
    fn noise(&self, series: &[usize]) -> Option<Noise> {
        let logs: Vec<Vec<f64>> = self
            .screen
            .iter()
            .map(|block| {
                let quads = quads_of(block, SliceKind::Paced, |read| read.of(series).quantile(0.5));
                quads.iter().map(log_of).filter(|log| log.is_finite()).collect()
            })
            .collect();
        let means: Vec<f64> = logs.iter().filter_map(|logs| mean(logs.iter().copied())).collect();
        let quad = mean(logs.iter().filter(|logs| logs.len() > 1).map(|logs| deviation(logs).powi(2)))?;
        let size = mean(logs.iter().map(|logs| logs.len() as f64))?;
        if means.len() < 2 {
            return None;
        }
        let block = (deviation(&means).powi(2) - quad / size).max(0.0);
        Some(Noise { quad: quad.sqrt(), block: block.sqrt() })
    }
}

/// Thresholds for a change of a metric.
fn limits(plan: &GatePlan, metric: GateMetric, lag: f64) -> Limits {
    let threshold = if metric == GateMetric::P99 { plan.tail_threshold } else { plan.threshold };
    // Three buckets of a histogram are 0.3 % at most, below half of any threshold.
    let (floor, lag) = if metric.more_is_worse() { (plan.floor_ns as f64, lag) } else { (0.0, 0.0) };
    Limits { level: LEVEL, more_is_worse: metric.more_is_worse(), threshold, floor, lag }
}

fn differences(blocks: &[&ReadBlock<'_>], metric: GateMetric, kind: SliceKind, series: &[usize]) -> Vec<Difference> {
    if !has_samples(blocks, metric, series) {
        return Vec::new();
    }
    let of_block = |block: &&ReadBlock<'_>| match metric {
        GateMetric::P99 => {
            let Sides { a, b } = merged_arms(block, series);
            Difference::of_pair(a.quantile(TAIL), b.quantile(TAIL))
        }
        _ => Difference::of_quads(&quads_of(block, kind, |read| match metric {
            GateMetric::Median => read.of(series).quantile(0.5),
            GateMetric::Mean => read.of(series).mean(),
            _ => read.slice.throughput,
        })),
    };
    blocks.iter().filter_map(of_block).collect()
}

/// Whether a block has quads that are used, and both arms answered in them.
fn is_usable(block: &ReadBlock<'_>, series: &[usize]) -> bool {
    merged_arms(block, series).iter().all(|responses| responses.len() > 0)
}

/// Whether the slices hold enough requests on average.
fn has_samples(blocks: &[&ReadBlock<'_>], metric: GateMetric, series: &[usize]) -> bool {
    let paced = || blocks.iter().flat_map(|block| &block.slices).filter(|read| read.slice.kind == SliceKind::Paced);
    let requests: u64 = paced().flat_map(|read| series.iter().map(|index| read.series[*index].len())).sum();
    match metric {
        GateMetric::Throughput => true,
        GateMetric::P99 => requests as f64 * (1.0 - TAIL) >= FEWEST_BEYOND * 2.0 * blocks.len() as f64,
        _ => requests >= FEWEST_IN_SLICE * paced().count() as u64,
    }
}

/// Mean and tail count where they are worse for certain; that they are hard to measure is no reason to be in doubt of the rest. That
/// they are better is not measured a second time, and of many metrics one is by chance.
///
/// Of the whole the median is indispensable: throughput alone does not say how long requests take.
fn row_verdict(metrics: &[MetricResult], is_whole: bool) -> Verdict {
    let counts =
        |metric: &&MetricResult| metric.verdict != Verdict::Inconclusive || metric.suspected || metric.metric.decides();
    let verdict = |metric: &MetricResult| match metric.verdict {
        Verdict::Improved if !metric.metric.decides() => Verdict::Pass,
        verdict => verdict,
    };
    let worst = metrics.iter().filter(counts).map(verdict).max().unwrap_or(Verdict::Pass);
    let lacks_median = is_whole && metrics.iter().all(|metric| metric.metric != GateMetric::Median);
    if lacks_median { worst.max(Verdict::Inconclusive) } else { worst }
}

/// A regression anywhere is one of the whole.
fn whole(rows: &[GateRow], failures: &Failures) -> Verdict {
    let unsettled = |metric: &&MetricResult| metric.suspected && metric.verdict == Verdict::Inconclusive;
    let unsettled = rows.iter().flat_map(|row| &row.metrics).filter(unsettled).map(|metric| metric.verdict);
    let regressed = rows.iter().map(|row| row.verdict).filter(|verdict| *verdict == Verdict::Fail);
    let of_all = rows.last().filter(|row| row.scope.service.is_none());
    let of_all = of_all.map_or(Verdict::Inconclusive, |row| row.verdict);
    regressed.chain(unsettled).fold(of_all.max(failures.verdict), Verdict::max)
}

/// Whether the median takes part in what the row's response times have lost.
fn shape(row: &GateRow, plan: &GatePlan) -> Option<ChangeShape> {
    let lost = |metric: &MetricResult| metric.verdict == Verdict::Fail && metric.metric.more_is_worse();
    if !row.metrics.iter().any(lost) {
        return None;
    }
    let median = row.quantiles.iter().find(|(quantile, _)| (quantile - 0.5).abs() < 1e-9);
    let spared = median
        .is_some_and(|(_, change)| change.effect.ratio.high.is_some_and(|high| high < 1.0 + plan.threshold / 2.0));
    let worse = median.is_some_and(|(_, change)| change.effect.ratio.low.is_some_and(|low| low > 1.0));
    let of_median = row.metrics.iter().any(|metric| metric.metric == GateMetric::Median && lost(metric));
    Some(match (of_median || worse && !spared, spared) {
        (true, _) => ChangeShape::Uniform,
        (false, true) => ChangeShape::TailOnly,
        (false, false) => ChangeShape::Undetermined,
    })
}
