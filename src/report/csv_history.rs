//! `history.csv`: a row for each run, as programs read it that look for change points.
//!
//! The first column is the time, in RFC 3339; numbers have their unit in their name. Runs whose
//! measurement is invalid or was ended early are not there, since such programs take a missing number for an error; what is not known of
//! another run is empty. A run that begins a new level of a quantity has 1 in the column `..._changed`. Fields are only ever added.

use super::{
    csv_table::table,
    number::{micros, per_second, rounded},
    subject::HistoryReport,
};
use crate::analysis::baseline::Quantity;

pub(super) fn render(chronicle: &HistoryReport) -> Vec<u8> {
    let history = &chronicle.history;
    let course = |quantity| history.courses.iter().find(move |course| course.quantity == quantity);
    let value = |place: usize, quantity| course(quantity).and_then(|course| course.values[place]);
    let changed = |place: usize, quantity| {
        u8::from(course(quantity).is_some_and(|course| course.changes.iter().any(|change| change.at == place)))
    };
    let valid = history.runs.iter().enumerate().filter(|(_, run)| run.counts());
    table!(valid, |(place, run)| [
        ("time", run.started),
        ("run", run.name),
        ("commit", run.software.commit),
        ("server", format!("{} {}", run.target.product, run.target.version)),
        ("response_p50_us", value(place, Quantity::P50).map(micros)),
        ("response_p99_us", value(place, Quantity::P99).map(micros)),
        ("throughput_per_s", value(place, Quantity::Throughput).map(per_second)),
        ("failed_share", run.whole().map(|row| rounded(row.failed_share(), 9))),
        ("reference_us", run.calibration.map(|calibration| micros(calibration.nanos()))),
        ("response_p50_changed", changed(place, Quantity::P50)),
        ("response_p99_changed", changed(place, Quantity::P99)),
        ("throughput_changed", changed(place, Quantity::Throughput)),
    ])
}
