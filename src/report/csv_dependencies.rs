//! Table of what services depend on: `dependencies.csv`.

use serde::Serialize;

use super::{csv::table, summary::micros};
use crate::results::{ProbePhase, Run};

/// Columns of `dependencies.csv`.
const DEPENDENCIES: [&str; 6] = ["dependency", "address", "phase", "second", "elapsed_us", "failure"];

/// `dependencies.csv`: one row per probe. `second` is empty outside the measured period, `failure` where there was none.
pub(super) fn dependencies(run: &Run) -> Vec<u8> {
    table(
        &DEPENDENCIES,
        run.dependencies.iter().flat_map(|record| {
            record.probes.iter().map(move |probe| ProbeRecord {
                dependency: &record.name,
                address: &record.address,
                phase: phase_slug(probe.phase),
                second: probe.second,
                elapsed_us: micros(probe.elapsed_ns as f64),
                failure: probe.failure.as_deref(),
            })
        }),
    )
}

#[derive(Serialize)]
struct ProbeRecord<'a> {
    dependency: &'a str,
    address: &'a str,
    phase: &'static str,
    second: Option<u32>,
    elapsed_us: f64,
    failure: Option<&'a str>,
}

/// The word for a phase, as in the saved run.
fn phase_slug(phase: ProbePhase) -> &'static str {
    match phase {
        ProbePhase::Before => "before",
        ProbePhase::During => "during",
        ProbePhase::After => "after",
    }
}
