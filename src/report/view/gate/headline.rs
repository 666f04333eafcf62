//! The verdict of a gate in one sentence, and what has to be said along with it.

use super::words::{change, detectable, levels, metric_name, p_value, scope_name, share};
use crate::{
    analysis::gate::{ChangeShape, GateMetric, GateRow, GateVerdict, Invalidity, MetricResult},
    report::{
        format::{self, counted},
        gate::GateOutcome,
        view::{Headline, KeyNumber, Tone},
    },
    results::Ended,
};

/// Regressions that are told one by one.
const MANY: usize = 8;

pub(super) fn headline(outcome: GateOutcome<'_>) -> Headline {
    let analysis = outcome.analysis;
    let (verdict, tone) = match analysis.verdict {
        GateVerdict::Regression => ("Regression", Tone::Bad),
        GateVerdict::Ok => ("No regression", Tone::Good),
        GateVerdict::Improved => ("Improved", Tone::Good),
        GateVerdict::Inconclusive => ("Inconclusive", Tone::Fair),
        GateVerdict::Invalid => ("Invalid", Tone::Fair),
    };
    let mut remarks = Vec::new();
    if analysis.verdict == GateVerdict::Regression {
        let lines: Vec<String> =
            regressions(outcome).into_iter().skip(1).map(|(row, metric)| line(row, metric)).collect();
        remarks.extend(lines.iter().take(MANY).cloned());
        if lines.len() > MANY {
            remarks.push(format!("{} more are in the table.", lines.len() - MANY));
        }
    }
    remarks.extend(shape(outcome));
    if let Some(why) = &outcome.gate.plan.advisory {
        remarks.push(format!("This is a hint and no verdict: {why}."));
    }
    if outcome.gate.ended == Ended::Interrupted {
        remarks.push(format!(
            "It was interrupted after {} of {}.",
            counted(outcome.gate.blocks.len() as u64, "block", "blocks"),
            outcome.gate.plan.blocks
        ));
    }
    Headline { verdict, sentence: format!("{verdict}: {}.", reason(outcome)), tone, remarks, numbers: numbers(outcome) }
}

/// Everything that got worse for certain, the whole first, then by how much.
fn regressions(outcome: GateOutcome<'_>) -> Vec<(&GateRow, &MetricResult)> {
    let rows = outcome.analysis.rows.iter().rev();
    let metrics = rows.flat_map(|row| row.metrics.iter().map(move |metric| (row, metric)));
    let mut found: Vec<_> = metrics.filter(|(_, metric)| metric.verdict == GateVerdict::Regression).collect();
    let extent = |metric: &MetricResult| metric.deciding().ratio.ln().abs();
    found.sort_by(|(one, of_one), (other, of_other)| {
        let part = |row: &GateRow| row.scope.service.is_some();
        part(one).cmp(&part(other)).then(extent(of_other).total_cmp(&extent(of_one)))
    });
    found
}

/// One line that a person can act on.
pub(super) fn line(row: &GateRow, metric: &MetricResult) -> String {
    let deciding = metric.deciding();
    let confirmed = match (metric.verdict, metric.suspected, &metric.confirm) {
        (GateVerdict::Regression, ..) => ", confirmed",
        (_, true, Some(_)) => ", not confirmed",
        (_, true, None) => ", suspected",
        _ => "",
    };
    format!(
        "{} {} {} ({}, {}{confirmed}); {}",
        scope_name(&row.scope),
        metric_name(metric.metric),
        levels(metric.metric, deciding.levels),
        change(deciding),
        p_value(deciding.p_worse),
        detectable(deciding),
    )
}

fn reason(outcome: GateOutcome<'_>) -> String {
    let analysis = outcome.analysis;
    if let Some(invalid) = analysis.invalid {
        return why_invalid(outcome, invalid);
    }
    match analysis.verdict {
        GateVerdict::Regression => match regressions(outcome).first() {
            Some((row, metric)) => line(row, metric),
            None => format!(
                "{} of B's requests fail, and {} of A's",
                format::share(analysis.failures.shares[1]),
                format::share(analysis.failures.shares[0])
            ),
        },
        GateVerdict::Inconclusive => inconclusive(outcome),
        _ => main(outcome).unwrap_or_else(|| "nothing was compared".to_owned()),
    }
}

/// What the whole shows of the metrics that decide.
fn main(outcome: GateOutcome<'_>) -> Option<String> {
    let row = outcome.whole()?;
    let of = |metric: GateMetric| row.metrics.iter().find(|result| result.metric == metric);
    let shown: Vec<String> = [GateMetric::Median, GateMetric::Throughput]
        .into_iter()
        .filter_map(of)
        .map(|result| {
            let deciding = result.deciding();
            format!("{} {} ({})", metric_name(result.metric), levels(result.metric, deciding.levels), change(deciding))
        })
        .collect();
    let seen = of(GateMetric::Median).map(|result| format!("; {}", seen(result))).unwrap_or_default();
    Some(format!("{}{seen}", shown.join(", ")))
}

/// What would have been seen, and what would have mattered.
fn seen(metric: &MetricResult) -> String {
    format!("{}, and {} would have mattered", detectable(metric.deciding()), share(metric.limit))
}

fn inconclusive(outcome: GateOutcome<'_>) -> String {
    let open = |(_, metric): &(&GateRow, &MetricResult)| metric.verdict == GateVerdict::Inconclusive;
    let all = outcome.analysis.rows.iter().rev();
    let mut metrics = all.flat_map(|row| row.metrics.iter().map(move |metric| (row, metric))).filter(open);
    let suspected = metrics.clone().find(|(_, metric)| metric.suspected);
    let Some((row, metric)) = suspected.or_else(|| metrics.next()) else {
        return "requests of B fail, and the second look was not made".to_owned();
    };
    let more = match metric.deciding().blocks_needed {
        Some(blocks) => format!("about {} would tell (--blocks {blocks})", counted(blocks.into(), "block", "blocks")),
        None => "no sensible number of blocks would tell on this machine".to_owned(),
    };
    format!("{}; {more}", line(row, metric))
}

fn why_invalid(outcome: GateOutcome<'_>, invalid: Invalidity) -> String {
    match invalid {
        Invalidity::Disturbed => {
            let dropped = outcome.analysis.dropped;
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
                "{} of {} had to be left out: {}",
                format::count(dropped.all().into()),
                counted(dropped.quads.into(), "quad", "quads"),
                causes.join(", ")
            )
        }
        Invalidity::TooFewBlocks(blocks) => format!(
            "{} can be used, and fewer than {} tell nothing at the level of 1{}%",
            counted(blocks.into(), "block", "blocks"),
            crate::analysis::gate::FEWEST_BLOCKS,
            format::THIN
        ),
        Invalidity::BaselineFails(failed) => format!("{} of the requests of A itself fail", format::share(failed)),
    }
}

/// How the regression of the whole is spread.
fn shape(outcome: GateOutcome<'_>) -> Option<String> {
    let mut rows = outcome.analysis.rows.iter().rev();
    let (row, shape) = rows.find_map(|row| Some((row, row.shape?)))?;
    let of = scope_name(&row.scope);
    Some(match shape {
        ChangeShape::Uniform => format!("Of {of} the median takes part: most requests became slower."),
        ChangeShape::TailOnly => {
            format!("Tail only: of {of} the median has not changed by as much as matters, the slowest requests have.")
        }
    })
}

fn numbers(outcome: GateOutcome<'_>) -> Vec<KeyNumber> {
    let Some(row) = outcome.whole() else { return Vec::new() };
    let of = |result: &MetricResult| KeyNumber {
        name: metric_name(result.metric).to_owned(),
        value: change(result.deciding()),
        against: format!("{} matters", share(result.limit)),
    };
    row.metrics.iter().map(of).collect()
}
