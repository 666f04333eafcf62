//! How the pools fared: connections in use, requests waiting, what was lost.

use super::{Cell, Column, RowKind, Table, TableRow, Tone, names::known_percentile};
use crate::{
    analysis::{Analysis, PercentileValue, PoolUse},
    report::format,
};

/// Share of a pool in use from which on it deserves a look: by then requests wait noticeably.
const NARROW: f64 = 0.8;

/// One row per service.
pub(super) fn table(analysis: &Analysis) -> Table {
    let columns = vec![
        Column::head("Service"),
        Column::numbers("Places", None, 1),
        Column::numbers("In use", None, 1),
        Column::numbers("Utilisation", None, 0),
        Column::numbers("Waiting", None, 1),
        Column::times("Wait p50", 3),
        Column::times("Wait p99", 0),
        Column::numbers("Lost", None, 2),
        Column::numbers("Came back", None, 2),
        Column::numbers("Idle checks", None, 3),
    ];
    let rows = analysis.pools.iter().map(|pool| row(analysis, pool));
    Table::new("pools", "Connection pools", columns, rows).explained([
        ("Places", "connections, or with shared checkout the requests that may be under way on them at once"),
        ("In use, Waiting", "means over the measured period"),
        ("Wait", "from the due instant until the request got its connection"),
    ])
}

fn row(analysis: &Analysis, pool: &PoolUse) -> TableRow {
    let of_service = analysis
        .rows
        .iter()
        .find(|row| row.scope.operation.is_none() && row.scope.service.as_ref() == Some(&pool.service));
    let wait = |percentile| match of_service.and_then(|row| known_percentile(&row.wait, percentile)) {
        Some(PercentileValue::Known { nanos, .. }) => Some(nanos as f64),
        _ => None,
    };
    let narrow = if pool.utilisation >= NARROW { Tone::Fair } else { Tone::Plain };
    let lost = if pool.lost > pool.recovered { Tone::Bad } else { Tone::Plain };
    TableRow {
        kind: RowKind::Entry,
        cells: vec![
            pool.service.as_str().into(),
            format::count(pool.places).into(),
            format::significant(pool.in_use).into(),
            Cell::new(format::share(pool.utilisation), narrow),
            format::significant(pool.waiting).into(),
            Cell::time(wait(50.0)),
            Cell::time(wait(99.0)),
            Cell::new(format::count(pool.lost), lost),
            format::count(pool.recovered).into(),
            format::count(pool.idle_checks).into(),
        ],
    }
}
