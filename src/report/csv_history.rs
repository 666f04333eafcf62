//! `history.csv`: a row for each run, as programs read it that look for change points.
//!
//! The first column is the time, in RFC 3339; numbers have their unit in their name. Runs whose
//! measurement is invalid or was ended early are not there, since such programs take a missing number for an error; what is not known of
//! another run is empty. A run that begins a new level of a quantity has 1 in the column `..._changed`. Fields are only ever added.

use serde::Serialize;

use super::{
    csv::table,
    history::Chronicle,
    summary::{micros, per_second, rounded},
};
use crate::{
    analysis::baseline::{Quantity, QuantityCourse},
    results::Abstract,
};

const HEADER: [&str; 12] = [
    "time",
    "run",
    "commit",
    "server",
    "response_p50_us",
    "response_p99_us",
    "throughput_per_s",
    "failed_share",
    "reference_us",
    "response_p50_changed",
    "response_p99_changed",
    "throughput_changed",
];

#[derive(Serialize)]
struct Record<'a> {
    time: &'a str,
    run: &'a str,
    commit: &'a str,
    server: String,
    p50: Option<f64>,
    p99: Option<f64>,
    throughput: Option<f64>,
    failed: Option<f64>,
    reference: Option<f64>,
    changed: [u8; 3],
}

/// The file.
pub(super) fn render(chronicle: &Chronicle<'_>) -> Vec<u8> {
    let history = chronicle.history;
    let valid = history.runs.iter().enumerate().filter(|(_, run)| run.counts());
    table(&HEADER, valid.map(|(place, run)| record(place, run, &history.courses)))
}

fn record<'a>(place: usize, run: &'a Abstract, courses: &[QuantityCourse]) -> Record<'a> {
    let of = |quantity| courses.iter().find(move |course| course.quantity == quantity);
    let value = |quantity| of(quantity).and_then(|course| course.values[place]);
    let changed = Quantity::ALL.map(|quantity| {
        u8::from(of(quantity).is_some_and(|course| course.changes.iter().any(|change| change.at == place)))
    });
    let failed = run.whole().map(|row| rounded(row.failed_share(), 9));
    Record {
        time: &run.started,
        run: &run.name,
        commit: run.software.commit.as_deref().unwrap_or_default(),
        server: format!("{} {}", run.target.product, run.target.version),
        p50: value(Quantity::P50).map(micros),
        p99: value(Quantity::P99).map(micros),
        throughput: value(Quantity::Throughput).map(per_second),
        failed,
        reference: run.calibration.map(|calibration| micros(calibration.nanos())),
        changed,
    }
}
