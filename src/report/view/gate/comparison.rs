//! Every metric of every row, and the changes of the quantiles.

use super::words::{change, detectable, levels, metric_name, p_digits, scope_name, share};
use crate::{
    analysis::gate::{GateRow, GateVerdict, MetricResult},
    report::{
        format::{self, NOTHING, THIN},
        subject::GateReport,
        view::{Block, Cell, Column, RowKind, Section, Shown, Table, TableRow, Tone},
    },
    results::slug,
};

/// What decides, which is all that a terminal shows, and then every row.
pub(super) fn section(outcome: &GateReport) -> Section {
    let title = "B against A";
    let rows = &outcome.analysis.rows;
    if rows.is_empty() {
        return Section::new("comparison", title, Vec::new());
    }
    let tells = |row: &&GateRow| {
        row.scope.service.is_none()
            || row.verdict == GateVerdict::Regression
            || row.metrics.iter().any(|metric| metric.suspected)
    };
    let few: Vec<&GateRow> = rows.iter().filter(tells).collect();
    let mut blocks = vec![Block::Table(table(outcome, "metrics", "B against A", &few))];
    if few.len() < rows.len() {
        let parts: Vec<&GateRow> = rows.iter().filter(|row| row.scope.service.is_some()).collect();
        let fine = parts.iter().filter(|row| !tells(row)).count() as u64;
        blocks.push(Block::Paragraph(format!(
            "{} of operations and services gave no reason for suspicion.",
            format::counted(fine, "row", "rows")
        )));
        blocks.push(Block::Table(table(outcome, "parts", "Operations and services", &parts)));
    }
    Section::new("comparison", title, blocks).detailed(Shown::ParagraphsAnd("metrics")).brief_table("metrics")
}

fn table(outcome: &GateReport, id: &'static str, caption: &str, rows: &[&GateRow]) -> Table {
    let columns = vec![
        Column::head("Of"),
        Column::words("Metric", 0),
        Column::words("Verdict", 0),
        Column::numbers("A → B", None, 2),
        Column::numbers("Change", None, 0),
        Column::numbers("p", None, 1),
        Column::numbers("Matters from", None, 4),
        Column::numbers("Could have seen", None, 3),
    ];
    let change = format!(
        "B over A with 95{THIN}% intervals, estimated over blocks (Hodges-Lehmann) from what the arms differ by within each \
         block, where the machine was the same for both; so it need not be the ratio of the two medians"
    );
    Table::new(id, caption, columns, rows.iter().flat_map(|row| metrics(outcome, row))).explained([
        (
            "Verdict",
            "suspected is what p = 0.01 or less leads to, with a change of at least half of what matters; only what a second \
             stage on fresh servers shows again is a regression. Whether all is well goes by p50 and throughput; mean and p99 \
             vary more, and count where they are worse for certain",
        ),
        ("A → B", "medians over all blocks of each arm by itself"),
        ("Change", change.as_str()),
        ("p", "of B being this much worse by chance (exact one-sided signed-rank test)"),
        (
            "Could have seen",
            "the worsening that 95 of 100 such gates would have confirmed in both stages, with the noise of this one; at least \
             half of what matters, since less raises no suspicion",
        ),
    ])
}

fn metrics(outcome: &GateReport, row: &GateRow) -> Vec<TableRow> {
    let several = outcome.analysis.rows.iter().filter(|row| row.scope.service.is_some()).count() > 1;
    let kind = match (&row.scope.service, &row.scope.operation) {
        (None, _) if several => RowKind::Total,
        (Some(_), None) => RowKind::Sum,
        _ => RowKind::Entry,
    };
    let of = |(place, metric): (usize, &MetricResult)| {
        let deciding = metric.deciding();
        let (word, tone) = verdict(metric);
        let seen = detectable(deciding).map_or_else(|| NOTHING.to_owned(), share);
        TableRow {
            // A sum is set off once, not for each of its metrics.
            kind: if place == 0 { kind } else { RowKind::Entry },
            cells: vec![
                scope_name(&row.scope).into(),
                metric_name(metric.metric).into(),
                Cell::new(word, tone),
                levels(metric.metric, deciding.levels).into(),
                Cell::new(change(deciding), if tone == Tone::Bad { Tone::Bad } else { Tone::Plain }),
                p_digits(deciding.p_worse()).into(),
                share(metric.limit).into(),
                seen.into(),
            ],
        }
    };
    row.metrics.iter().enumerate().map(of).collect()
}

fn verdict(metric: &MetricResult) -> (String, Tone) {
    let named = || slug(&metric.verdict);
    match (metric.verdict, metric.suspected, &metric.confirm) {
        (GateVerdict::Inconclusive, true, None) => ("suspected".to_owned(), Tone::Fair),
        (GateVerdict::Ok, true, _) => ("not confirmed".to_owned(), Tone::Good),
        (GateVerdict::Regression, ..) => (named(), Tone::Bad),
        (GateVerdict::Ok | GateVerdict::Improved, ..) => (named(), Tone::Good),
        // Of what does not decide, nothing is missing where it cannot be decided.
        (GateVerdict::Inconclusive, false, _) if !metric.metric.decides() => (named(), Tone::Quiet),
        (GateVerdict::Inconclusive | GateVerdict::Invalid, ..) => (named(), Tone::Fair),
    }
}

/// Where in the distribution the change lies.
pub(super) fn quantiles(outcome: &GateReport) -> Section {
    let title = "Where in the distribution";
    let with: Vec<&GateRow> = outcome.analysis.rows.iter().filter(|row| !row.quantiles.is_empty()).collect();
    if with.is_empty() {
        return Section::new("quantiles", title, Vec::new());
    }
    let named: Vec<f64> = outcome.whole().into_iter().flat_map(|row| row.quantiles.iter().map(|(of, _)| *of)).collect();
    let mut columns = vec![Column::head("Of"), Column::words("Shape", 0)];
    columns.extend(named.iter().map(|of| Column::numbers(format::percentile(of * 100.0), None, 0)));
    let row = |row: &&GateRow| {
        let cell = |of: &f64| {
            let found = row.quantiles.iter().find(|(quantile, _)| (quantile - of).abs() < 1e-9);
            Cell::from(found.map_or_else(|| NOTHING.to_owned(), |(_, of)| change(of)))
        };
        let mut cells =
            vec![scope_name(&row.scope).into(), row.shape.as_ref().map_or_else(|| NOTHING.to_owned(), slug).into()];
        cells.extend(named.iter().map(cell));
        TableRow { kind: RowKind::Entry, cells }
    };
    let table = Table::new("quantiles", "Change of each quantile", columns, with.iter().map(row)).noted([
            "Quantiles of all requests of an arm in a block, B over A, over the blocks of the stage that decides. A regression \
             is tail-only where the median takes no part in it, undetermined where that is not certain.",
        ]);
    Section::new("quantiles", title, vec![Block::Table(table)])
}
