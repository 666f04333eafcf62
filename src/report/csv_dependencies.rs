//! Table of what services depend on: `dependencies.csv`.

use super::{csv_table::table, number::micros};
use crate::results::Run;

/// `dependencies.csv`: one row per probe. `second` is empty outside the measured period, `failure` where there was none.
pub(super) fn dependencies(run: &Run) -> Vec<u8> {
    let probes = run.dependencies.iter().flat_map(|record| record.probes.iter().map(move |probe| (record, probe)));
    table!(probes, |(record, probe)| [
        ("dependency", record.name),
        ("address", record.address),
        ("phase", probe.phase),
        ("second", probe.second),
        ("elapsed_us", micros(probe.elapsed_ns as f64)),
        ("failure", probe.failure),
    ])
}
