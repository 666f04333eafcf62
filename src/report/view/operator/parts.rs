//! Tables and facts that the sections are made of.

use super::super::{Block, Cell, Column, RowKind, Table, TableRow};
use crate::report::{format, subject::RunReport};

/// Bytes that the server's data takes, after the load where that is known.
pub(super) fn used_memory(report: &RunReport) -> Option<u64> {
    let after = report.analysis.server.after.as_ref().and_then(|after| after.used_memory);
    after.or_else(|| report.bytes("used_memory"))
}

/// A ratio of target to measured mean: `12× faster`.
pub(super) fn against_target(times: f64) -> String {
    let (times, word) = if times >= 1.0 { (times, "faster") } else { (1.0 / times, "slower") };
    format!("{} {word}", format::factor(times))
}

/// A table with one row per entry.
pub(super) fn table(
    id: &'static str,
    caption: &str,
    columns: Vec<Column>,
    rows: impl IntoIterator<Item = Vec<Cell>>,
) -> Table {
    Table::new(id, caption, columns, rows.into_iter().map(|cells| TableRow { kind: RowKind::Entry, cells }))
}

/// Names with their values; those without are left out.
pub(super) fn facts(known: impl IntoIterator<Item = (&'static str, Option<String>)>) -> Block {
    Block::Facts(known.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect())
}
