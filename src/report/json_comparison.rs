//! A comparison as JSON for programs.
//!
//! Fields are only ever added; one that changes its meaning gets another name and raises `schema_version`. Rows have the
//! names and units of `comparison.csv`. The JSON Schema is derived from these types.

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    csv_comparison::{QuantityRecord, records},
    csv_table::or_all,
    format::plain,
    json_parts::{Software, Target, remarks, text},
    number::{micros, ratio},
    subject::ComparisonReport,
    view::{comparison_headline, difference_field},
};
use crate::analysis::baseline::{Difference, DifferenceName, Machine, Method, MethodName, Standing, Weight};

/// Version of the layout.
const SCHEMA_VERSION: u32 = 1;

/// Content of `comparison.json`. Times are microseconds (`_us`), rates per second (`_per_s`), ratios are those of the run to
/// the baseline. What is not known is null.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "Comparison of a run with a baseline by plimsoll")]
pub(super) struct ComparisonDocument<'a> {
    /// Version of this layout.
    #[schemars(extend("const" = SCHEMA_VERSION))]
    schema_version: u32,
    /// Verdict of the whole.
    verdict: Standing,
    /// Verdict in one sentence.
    headline: String,
    /// Remarks beside the verdict.
    remarks: Vec<String>,
    /// Name of the baseline, or of the other run.
    baseline: &'a str,
    /// Names of the runs of the baseline, the oldest first.
    base_runs: Vec<&'a str>,
    /// Name of the run.
    run: &'a str,
    /// Start of the measured period of the run: RFC 3339, UTC, whole seconds.
    started: &'a str,
    /// Server that the run measured.
    target: Target<'a>,
    /// Method: by the spread of the runs of the baseline, or by the threshold alone.
    method: MethodName,
    /// Number of runs of the baseline that count: valid, and not ended early.
    runs_used: usize,
    /// Number of runs of the baseline that were left out as invalid.
    runs_left_out: usize,
    /// Smallest change of p50 and throughput that matters, as a share.
    #[schemars(extend("exclusiveMinimum" = 0))]
    threshold: f64,
    /// Differences between the run and the baseline.
    differences: Vec<DifferenceRecord<'a>>,
    /// Speed of the machine; null where it is not known of both.
    machine: Option<MachineRecord>,
    /// Quantities of rows, as in `comparison.csv`.
    rows: Vec<QuantityRecord<'a>>,
    /// Rows that only one of the two has.
    missing: Vec<Missing<'a>>,
    /// Build of plimsoll that measured the run.
    software: Software<'a>,
}

/// Difference between the run and the baseline.
#[derive(Serialize, JsonSchema)]
struct DifferenceRecord<'a> {
    /// Kind.
    kind: DifferenceName,
    /// Field of the scenario, or setting of the server.
    field: Option<&'a str>,
    /// Value in the baseline; empty where there is none.
    baseline: &'a str,
    /// Value in the run; empty where there is none.
    run: &'a str,
    /// Whether the two measure different things.
    refuses: bool,
}

/// Speed of the machine: reference round trips.
#[derive(Serialize, JsonSchema)]
struct MachineRecord {
    /// Geometric mean of the runs of the baseline.
    baseline_reference_us: f64,
    /// Reference of the run.
    run_reference_us: f64,
    /// Run over baseline.
    ratio: f64,
    /// Whether they are more than 10 % apart.
    moved: bool,
    /// Whether the speed changed by more than 10 % during the run.
    unsteady: bool,
}

/// Row that only one of the two has.
#[derive(Serialize, JsonSchema)]
struct Missing<'a> {
    /// Service; `*` for all.
    service: &'a str,
    /// Operation; `*` for all of the service.
    operation: &'a str,
    /// Owner of the row.
    only_in: Owner,
}

/// One of the two that are compared.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Owner {
    /// The run.
    Run,
    /// The baseline.
    Baseline,
}

/// The document, indented, with a line break at its end.
pub(super) fn render(compared: &ComparisonReport) -> String {
    let headline = comparison_headline(compared);
    let comparison = &compared.comparison;
    let (Method::Tolerance { runs } | Method::Threshold { runs }) = comparison.method;
    text(&ComparisonDocument {
        schema_version: SCHEMA_VERSION,
        verdict: comparison.standing,
        headline: plain(&headline.sentence),
        remarks: remarks(&headline),
        baseline: &compared.against,
        base_runs: compared.base.iter().map(|run| run.name.as_str()).collect(),
        run: &compared.run.name,
        started: &compared.run.started,
        target: (&compared.run.target).into(),
        method: comparison.method.into(),
        runs_used: runs,
        runs_left_out: comparison.left_out,
        threshold: comparison.threshold,
        differences: comparison.differences.iter().map(difference).collect(),
        machine: comparison.machine.as_ref().map(machine),
        rows: records(compared),
        missing: comparison
            .missing
            .iter()
            .map(|(service, operation, in_run)| Missing {
                service: or_all(service.as_ref()),
                operation: or_all(operation.as_ref()),
                only_in: if *in_run { Owner::Run } else { Owner::Baseline },
            })
            .collect(),
        software: (&compared.run.software).into(),
    })
}

fn difference(of: &Difference) -> DifferenceRecord<'_> {
    DifferenceRecord {
        kind: (&of.kind).into(),
        field: difference_field(&of.kind),
        baseline: &of.base,
        run: &of.run,
        refuses: of.weight() == Weight::Refuses,
    }
}

fn machine(of: &Machine) -> MachineRecord {
    MachineRecord {
        baseline_reference_us: micros(of.base_ns),
        run_reference_us: micros(of.run_ns),
        ratio: ratio(of.run_ns / of.base_ns),
        moved: of.moved,
        unsteady: of.unsteady,
    }
}
