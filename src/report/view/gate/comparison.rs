//! Every metric of every row, and the changes of the quantiles.

use super::words::{detectable, effect, levels, metric_name, p_digits, scope_name, share};
use crate::{
    analysis::gate::{GateRow, MetricResult},
    report::{
        format::{self, THIN},
        subject::GateReport,
        view::{Block, Cell, RowKind, Section, Shown, Table, Tone, verdict},
    },
    results::{InGate, Verdict, slug},
};

/// What decides, which is all that a terminal shows, and then every row.
pub(super) fn section(outcome: &GateReport) -> Section {
    let rows = &outcome.analysis.rows;
    let tells = |row: &GateRow| {
        row.scope.service.is_none() || row.verdict == Verdict::Fail || row.metrics.iter().any(|metric| metric.suspected)
    };
    let few: Vec<&GateRow> = rows.iter().filter(|row| tells(row)).collect();
    let mut blocks: Vec<_> = table(outcome, "metrics", "B over A", &few).block().into_iter().collect();
    let mut rest = None;
    if few.len() < rows.len() {
        let parts: Vec<&GateRow> = rows.iter().filter(|row| row.scope.service.is_some()).collect();
        let fine: Vec<String> = parts.iter().filter(|row| !tells(row)).map(|row| scope_name(&row.scope)).collect();
        let number = format::counted(fine.len() as u64, "row", "rows");
        blocks.push(Block::Paragraph(format!("{number} of operations and services gave no reason for suspicion.")));
        rest = Some(format!("{} gave no reason for suspicion; their rows are in the report.", listed(&fine)));
        blocks.push(Block::Table(table(outcome, "parts", "Operations and services", &parts)));
    }
    let section = Section::new("comparison", "B over A", blocks);
    section.detailed(Shown::ParagraphsAnd("metrics")).brief_table("metrics").with_line("Others", rest)
}

/// The first names of a list, and the number of the others.
fn listed(names: &[String]) -> String {
    const NAMED: usize = 5;
    let first = names.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMED) {
        0 => first,
        more => format!("{first} and {} more", format::count(more as u64)),
    }
}

fn table(outcome: &GateReport, id: &'static str, caption: &str, rows: &[&GateRow]) -> Table {
    let several = outcome.analysis.rows.iter().filter(|row| row.scope.service.is_some()).count() > 1;
    let kind = |row: &GateRow| match (&row.scope.service, &row.scope.operation) {
        (None, _) if several => RowKind::Total,
        (Some(_), None) => RowKind::Sum,
        _ => RowKind::Entry,
    };
    let changed = |metric: &MetricResult| {
        let bad = verdict(metric).tone == Tone::Bad;
        Cell::new(effect(&metric.deciding().effect), if bad { Tone::Bad } else { Tone::Plain })
    };
    let over = format!(
        "B over A with 95{THIN}% intervals, the Hodges-Lehmann estimate of the differences within blocks; it need not \
         be the ratio of the two medians"
    );
    let metrics =
        rows.iter().flat_map(|row| row.metrics.iter().enumerate().map(move |(at, metric)| (at, *row, metric)));
    Table::of(id, caption, metrics)
        // A sum is set off once, not for each of its metrics.
        .kinds(|(place, row, _)| if *place == 0 { kind(row) } else { RowKind::Entry })
        .head("Of", |(_, row, _)| scope_name(&row.scope))
        .words("Metric", 0, |(.., metric)| metric_name(metric.metric))
        .words("Verdict", 0, |(.., metric)| verdict(metric))
        .numbers("A → B", 2, |(.., metric)| levels(metric.metric, metric.deciding().levels))
        .numbers("Change", 0, |(.., metric)| changed(metric))
        .numbers("p", 1, |(.., metric)| p_digits(metric.deciding().p_worse()))
        .numbers("Matters from", 4, |(.., metric)| share(metric.limit))
        .numbers("Smallest detectable", 3, |(.., metric)| detectable(&metric.deciding().effect).map(share))
        .table()
        .explained([
            (
                "Verdict",
                "suspected: p = 0.01 or less and a change of at least half the threshold; regression: confirmed by a \
                 second stage on fresh servers. Only p50 and throughput are needed for ok; mean and p99 vary more, and \
                 count as regressions only",
            ),
            ("A → B", "medians over all blocks of each arm"),
            ("Change", over.as_str()),
            ("p", "probability that B is this much worse by chance (exact one-sided signed-rank test)"),
            (
                "Smallest detectable",
                "worsening that 95 of 100 such gates would confirm in both stages, with the noise of this gate; at \
                 least half the threshold, since less is not suspected",
            ),
        ])
}

fn verdict(metric: &MetricResult) -> Cell {
    let named = |tone| Cell::new(InGate::word(metric.verdict), tone);
    match (metric.verdict, metric.suspected, &metric.confirm) {
        (Verdict::Inconclusive, true, None) => Cell::new("suspected", Tone::Fair),
        (Verdict::Pass, true, _) => Cell::new("not confirmed", Tone::Good),
        // Of what does not decide, nothing is missing where it cannot be decided.
        (Verdict::Inconclusive, false, _) if !metric.metric.decides() => named(Tone::Quiet),
        (verdict, ..) => named(verdict::tone(verdict)),
    }
}

/// Where in the distribution the change lies.
pub(super) fn quantiles(outcome: &GateReport) -> Section {
    let with = outcome.analysis.rows.iter().filter(|row| !row.quantiles.is_empty());
    let mut table = Table::of("quantiles", "Change of each quantile", with)
        .head("Of", |row| scope_name(&row.scope))
        .words("Shape", 0, |row| row.shape.as_ref().map(slug));
    for (of, _) in outcome.whole().into_iter().flat_map(|row| &row.quantiles) {
        table = table.numbers(&format::percentile(of * 100.0), 0, |row| {
            let found = row.quantiles.iter().find(|(quantile, _)| (quantile - of).abs() < 1e-9);
            found.map(|(_, of)| effect(&of.effect))
        });
    }
    let table = table.table().noted([
        "Quantiles of all requests of an arm in a block, B over A, over the blocks of the deciding stage. A regression \
         is tail-only if the median has not changed, undetermined if that is not certain.",
    ]);
    Section::new("quantiles", "Change by quantile", table.block())
}
