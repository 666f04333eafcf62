//! Tables and words that several sections use.

use crate::{
    analysis::{Distribution, PercentileValue, Scope},
    report::{
        format::{self, NOTHING},
        view::{Block, Cell, Column, RowKind, Table, TableRow, names::known_percentile},
    },
};

/// A mean held against the target, by how many times faster or slower it is.
pub(super) fn against_target(times: f64) -> String {
    if times >= 1.0 {
        format!("{} faster", format::factor(times))
    } else {
        format!("{} slower", format::factor(1.0 / times))
    }
}

/// A table without legend, one row per entry.
pub(super) fn plain_table(id: &'static str, caption: &str, columns: Vec<Column>, rows: Vec<Vec<Cell>>) -> Block {
    let rows = rows.into_iter().map(|cells| TableRow { kind: RowKind::Entry, cells });
    Block::Table(Table::new(id, caption, columns, rows))
}

/// Names with their values; those without are left out.
pub(super) fn facts(known: Vec<(&str, Option<String>)>) -> Block {
    Block::Facts(known.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect())
}

/// What a command list is called in a table: `LPUSH, LRANGE`.
pub(super) fn listed(commands: &[String]) -> String {
    commands.join(", ")
}

/// A percentile, if it can be printed.
pub(super) fn percentile(distribution: &Distribution, at: f64) -> Cell {
    match known_percentile(distribution, at) {
        Some(PercentileValue::Known { nanos, .. }) => Cell::time(nanos as f64),
        _ => NOTHING.into(),
    }
}

/// The commands of an operation's row: what a service sends.
pub(super) fn operation_name(scope: &Scope) -> &str {
    scope.operation.as_deref().unwrap_or("all operations")
}

pub(super) fn yes(answer: bool) -> &'static str {
    if answer { "yes" } else { "no" }
}
