//! The verdict of a gate in one sentence, and what has to be said along with it.

use super::words::{
    advisory_words, changed, could_have_seen, effect, interval, medians, metric_name, p_value, scope_name, share,
};
use crate::{
    analysis::gate::{ChangeShape, FailedShares, GateMetric, GateRow, Invalidity, MetricResult, TooFew},
    report::{
        format::{self, THIN, counted},
        subject::GateReport,
        view::{
            Headline, KeyNumber, Tone,
            names::{STACK, listed},
            verdict,
        },
    },
    results::{Ended, Gate, GateStage, Sides, Verdict},
    scenario,
};

/// Regressions that are reported one by one.
const MANY: usize = 8;

pub(in crate::report) fn headline(outcome: &GateReport) -> Headline {
    let analysis = &outcome.analysis;
    let (verdict, tone) = (verdict::of_comparison(analysis.verdict), verdict::tone(analysis.verdict));
    let mut remarks = Vec::new();
    if analysis.verdict == Verdict::Fail {
        let lines: Vec<String> =
            regressions(outcome).into_iter().skip(1).map(|(row, metric)| line(row, metric)).collect();
        remarks.extend(lines.iter().take(MANY).cloned());
        if lines.len() > MANY {
            remarks.push(format!("{} more in the table.", lines.len() - MANY));
        }
    }
    remarks.extend(shape(outcome));
    let sentence = format!("{verdict}{}: {}.", stacks(&outcome.gate), reason(outcome));
    if let Some(failing) = unsettled_failures(outcome).filter(|failing| !sentence.contains(failing.as_str())) {
        remarks.push(format!("Not certain: {failing}."));
    }
    if let Some(why) = &outcome.gate.plan.advisory {
        remarks.push(format!("Not a verdict: {}.", advisory_words(why)));
    }
    remarks.extend(drift(outcome));
    remarks.extend(unfinished(&outcome.gate));
    if outcome.gate.ended == Ended::Lost {
        remarks.insert(0, format!("Result before the loss, doubtful until the cause is known: {sentence}"));
        let sentence = format!("A server was lost after {}.", extent(&outcome.gate));
        return Headline {
            verdict: "A server was lost",
            sentence,
            tone: Tone::Bad,
            remarks,
            numbers: numbers(outcome),
        };
    }
    Headline { verdict, sentence, tone, remarks, numbers: numbers(outcome) }
}

/// Clients and protocols of the arms, where they are not the default: ` with fred instead of the wire client`.
fn stacks(gate: &Gate) -> String {
    let scenarios = gate.arms.as_ref().map(|arm| scenario::parse(&arm.scenario, "scenario of an arm").ok());
    let (mut a, mut b) = (Vec::new(), Vec::new());
    for part in STACK {
        let others = scenarios.as_ref().map(|scenario| part.other(scenario.as_ref()?));
        if others != Sides::default() {
            let named = others.map(|other| other.unwrap_or_else(|| part.default.to_owned()));
            a.push(named.a);
            b.push(named.b);
        }
    }
    match (listed(&a), listed(&b)) {
        (a, _) if a.is_empty() => a,
        (a, b) if a == b => format!(" with {a}"),
        (a, b) => format!(" with {b} instead of {a}"),
    }
}

/// How far a gate came.
fn extent(gate: &Gate) -> String {
    let confirm = gate.blocks.iter().filter(|block| block.stage == GateStage::Confirm).count();
    let (made, stage) = match confirm {
        0 => (gate.blocks.len(), "the first stage"),
        confirm => (confirm, "the second stage"),
    };
    format!("{made} of {}, in {stage}", counted(gate.plan.blocks.into(), "block", "blocks"))
}

/// That a gate was not made to its end, and how far it came.
fn unfinished(gate: &Gate) -> Option<String> {
    match gate.ended {
        Ended::Interrupted => Some(format!("The gate was interrupted after {}.", extent(gate))),
        Ended::Running => Some(format!("The gate has not ended: this is the result after {}.", extent(gate))),
        _ => None,
    }
}

/// That equals differ, which makes everything else doubtful.
fn drift(outcome: &GateReport) -> Option<String> {
    let mut certain = outcome.analysis.controls.named().filter_map(|(arm, control)| Some((arm, control.as_ref()?)));
    let (arm, of) = certain.find(|(_, control)| control.is_significant())?;
    Some(format!(
        "{arm} differs from itself, from one slice to the next: {}, {}. The machine drifted within nearly all blocks, \
         in the same direction: check the chart over time before relying on small changes.",
        effect(&of.effect),
        p_value(of.p_worse().min(of.p_better)),
    ))
}

/// Everything that got worse for certain, the whole first, then by how much.
fn regressions(outcome: &GateReport) -> Vec<(&GateRow, &MetricResult)> {
    let rows = outcome.analysis.rows.iter().rev();
    let metrics = rows.flat_map(|row| row.metrics.iter().map(move |metric| (row, metric)));
    let mut found: Vec<_> = metrics.filter(|(_, metric)| metric.verdict == Verdict::Fail).collect();
    let extent = |metric: &MetricResult| metric.deciding().effect.ratio.point.ln().abs();
    found.sort_by(|(one, of_one), (other, of_other)| {
        let part = |row: &GateRow| row.scope.service.is_some();
        part(one).cmp(&part(other)).then(extent(of_other).total_cmp(&extent(of_one)))
    });
    found
}

/// One line that the user can act on.
pub(super) fn line(row: &GateRow, metric: &MetricResult) -> String {
    let deciding = metric.deciding();
    let confirmed = match (metric.verdict, metric.suspected, &metric.confirm) {
        (Verdict::Fail, ..) => ", confirmed",
        (_, true, Some(_)) => ", not confirmed",
        (_, true, None) => ", suspected",
        _ => "",
    };
    format!(
        "{} {} {} within blocks ({}{confirmed}), {}; {}",
        scope_name(&row.scope),
        metric_name(metric.metric),
        effect(&deciding.effect),
        p_value(deciding.p_worse()),
        medians(metric.metric, deciding.levels),
        could_have_seen(&deciding.effect),
    )
}

fn reason(outcome: &GateReport) -> String {
    let analysis = &outcome.analysis;
    if let Some(invalid) = analysis.invalid {
        return why_invalid(invalid);
    }
    match analysis.verdict {
        Verdict::Fail => match regressions(outcome).first() {
            Some((row, metric)) => line(row, metric),
            None => format!("{}, confirmed", failing(&analysis.failures.screen)),
        },
        Verdict::Inconclusive => inconclusive(outcome),
        _ => main(outcome).unwrap_or_else(|| "no metric was compared".to_owned()),
    }
}

/// Failures of both arms in one stage.
fn failing(failed: &FailedShares) -> String {
    let Sides { a, b } = failed.shares;
    let outages = match failed.outages {
        0 => String::new(),
        blocks => format!(", in {} more than 5{THIN}%", counted(blocks.into(), "block", "blocks")),
    };
    format!("{} of B's requests fail{outages}, and {} of A's", format::share(b), format::share(a))
}

/// Failures of B that only one stage shows, or only some blocks.
fn unsettled_failures(outcome: &GateReport) -> Option<String> {
    let failures = &outcome.analysis.failures;
    let shows = |failed: &FailedShares| failed.more || failed.outages > 0;
    let first = &failures.screen;
    if failures.verdict != Verdict::Inconclusive {
        return None;
    }
    Some(match &failures.confirm {
        None => format!("{}, without a second stage", failing(first)),
        Some(second) if !shows(first) => {
            format!("in the second stage {}, but not in the first", failing(second))
        }
        Some(second) if !shows(second) => format!("{}, not confirmed by the second stage", failing(first)),
        Some(second) => format!("{}; in the second stage {}, possibly by chance", failing(first), failing(second)),
    })
}

/// That the median of the whole is not known.
fn lacks_median(outcome: &GateReport) -> Option<&'static str> {
    let lacks = |too_few: &TooFew| too_few.scope.service.is_none() && too_few.metrics.contains(&GateMetric::Median);
    outcome.analysis.too_few.iter().any(lacks).then_some("too few requests to compare the median: raise --rate")
}

/// What the whole shows of the metrics that decide.
fn main(outcome: &GateReport) -> Option<String> {
    let row = outcome.whole()?;
    let of = |metric: GateMetric| row.metrics.iter().find(|result| result.metric == metric);
    let is_shown = |result: &&MetricResult| result.metric.decides() || result.verdict == Verdict::Improved;
    let shown: Vec<String> = row
        .metrics
        .iter()
        .filter(is_shown)
        .map(|result| {
            let deciding = result.deciding();
            let better = if result.verdict == Verdict::Improved { ", better" } else { "" };
            let of = (metric_name(result.metric), effect(&deciding.effect), medians(result.metric, deciding.levels));
            format!("{} {} within blocks{better} ({})", of.0, of.1, of.2)
        })
        .collect();
    let seen = of(GateMetric::Median).map(|result| format!("; {}", seen(result))).unwrap_or_default();
    Some(format!("{}{seen}", shown.join(", ")))
}

/// What would have been seen, and what would have mattered.
fn seen(metric: &MetricResult) -> String {
    format!("{}, threshold {}", could_have_seen(&metric.deciding().effect), share(metric.limit))
}

fn inconclusive(outcome: &GateReport) -> String {
    let open = |(_, metric): &(&GateRow, &MetricResult)| metric.verdict == Verdict::Inconclusive;
    let all = outcome.analysis.rows.iter().rev();
    let mut metrics = all.flat_map(|row| row.metrics.iter().map(move |metric| (row, metric))).filter(open);
    let suspected = metrics.clone().find(|(_, metric)| metric.suspected);
    // What fails, and what is missing, comes before what noise hides.
    let why = unsettled_failures(outcome).or_else(|| lacks_median(outcome).map(str::to_owned));
    if let (None, Some(why)) = (suspected, why) {
        return why;
    }
    let decides = |(_, metric): &(&GateRow, &MetricResult)| metric.metric.decides();
    let Some((row, metric)) = suspected.or_else(|| metrics.clone().find(decides)).or_else(|| metrics.next()) else {
        return "no metric was compared".to_owned();
    };
    let made = metric.deciding().blocks.len();
    let more = match metric.deciding().blocks_needed {
        // Noise is not the reason.
        Some(blocks) if blocks as usize <= made => "the change is close to the threshold".to_owned(),
        Some(blocks) => format!("about {} would decide (--blocks {blocks})", counted(blocks.into(), "block", "blocks")),
        None => "no practical number of blocks would decide on this machine".to_owned(),
    };
    format!("{}; {more}", line(row, metric))
}

fn why_invalid(invalid: Invalidity) -> String {
    match invalid {
        Invalidity::Disturbed(dropped) => {
            let mut causes = Vec::new();
            if dropped.late > 0 {
                causes.push(format!("the harness was late in {}", format::count(dropped.late.into())));
            }
            if dropped.stolen > 0 {
                causes.push(format!("the hypervisor took CPU time in {}", format::count(dropped.stolen.into())));
            }
            if dropped.throttled > 0 {
                causes.push(format!("the container was throttled in {}", format::count(dropped.throttled.into())));
            }
            format!(
                "{} of {} of a stage were left out: {}",
                format::count(dropped.all().into()),
                counted(dropped.quads.into(), "quad", "quads"),
                causes.join(", ")
            )
        }
        Invalidity::TooFewBlocks(blocks) => format!(
            "only {} usable; at least {} are needed for the level of 1{}%",
            counted(blocks.into(), "block", "blocks"),
            crate::analysis::gate::FEWEST_BLOCKS,
            format::THIN
        ),
        Invalidity::BaselineFails(failed) => format!("{} of A's requests fail", format::share(failed)),
    }
}

/// How the regression of the whole is spread.
fn shape(outcome: &GateReport) -> Option<String> {
    let mut rows = outcome.analysis.rows.iter().rev();
    let (row, shape) = rows.find_map(|row| Some((row, row.shape?)))?;
    let of = scope_name(&row.scope);
    Some(match shape {
        ChangeShape::Uniform => format!("The median of {of} changed: most requests became slower."),
        ChangeShape::Undetermined => {
            format!("It is not certain whether the median of {of} changed; the mean or slow requests became slower.")
        }
        ChangeShape::TailOnly => {
            format!(
                "Tail only: the slowest requests of {of} became slower, the median changed by less than the threshold."
            )
        }
    })
}

fn numbers(outcome: &GateReport) -> Vec<KeyNumber> {
    let Some(row) = outcome.whole() else { return Vec::new() };
    let of = |result: &MetricResult| KeyNumber {
        name: metric_name(result.metric).to_owned(),
        value: changed(result.deciding().effect.ratio.point),
        against: format!("{}; threshold {}", interval(result.deciding().effect.ratio), share(result.limit)),
    };
    row.metrics.iter().map(of).collect()
}
