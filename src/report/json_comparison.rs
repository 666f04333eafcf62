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
    record::record,
    subject::ComparisonReport,
    view::{Headline, comparison_headline, difference_field},
};
use crate::{
    analysis::baseline::{Difference, DifferenceName, Machine, Method, MethodName, Weight},
    results::InComparison,
};

/// Version of the layout.
const SCHEMA_VERSION: u32 = 1;

record! {
    /// Content of `comparison.json`. Times are microseconds (`_us`), rates per second (`_per_s`), ratios are those of the run to
    /// the baseline. What is not known is null.
    #[schemars(title = "Comparison of a run with a baseline by plimsoll")]
    pub(super) struct ComparisonDocument<'a>(compared: &'a ComparisonReport, headline: &Headline) {
        /// Version of this layout.
        #[schemars(extend("const" = SCHEMA_VERSION))]
        schema_version: u32 = SCHEMA_VERSION,
        /// Verdict of the whole.
        verdict: InComparison = InComparison(compared.comparison.verdict),
        /// Verdict in one sentence.
        headline: String = plain(&headline.sentence),
        /// Remarks beside the verdict.
        remarks: Vec<String> = remarks(headline),
        /// Name of the baseline, or of the other run.
        baseline: &'a str = &compared.against,
        /// Names of the runs of the baseline, the oldest first.
        base_runs: Vec<&'a str> = compared.base.iter().map(|run| run.name.as_str()).collect(),
        /// Name of the run.
        run: &'a str = &compared.run.name,
        /// Start of the measured period of the run: RFC 3339, UTC, whole seconds.
        started: &'a str = &compared.run.started,
        /// Server that the run measured.
        target: Target<'a> = Target::new(&compared.run.target),
        /// Method: by the spread of the runs of the baseline, or by the threshold alone.
        method: MethodName = compared.comparison.method.into(),
        /// Number of runs of the baseline that count: valid, and not ended early.
        runs_used: usize = runs_used(compared),
        /// Number of runs of the baseline that were left out as invalid.
        runs_left_out: usize = compared.comparison.left_out,
        /// Smallest change of p50 and throughput that matters, as a share.
        #[schemars(extend("exclusiveMinimum" = 0))]
        threshold: f64 = compared.comparison.threshold,
        /// Differences between the run and the baseline.
        differences: Vec<DifferenceRecord<'a>> =
            compared.comparison.differences.iter().map(DifferenceRecord::new).collect(),
        /// Speed of the machine; null where it is not known of both.
        machine: Option<MachineRecord> = compared.comparison.machine.as_ref().map(MachineRecord::new),
        /// Quantities of rows, as in `comparison.csv`.
        rows: Vec<QuantityRecord<'a>> = records(compared),
        /// Rows that only one of the two has.
        missing: Vec<Missing<'a>> = compared.comparison.missing.iter().map(Missing::new).collect(),
        /// Build of plimsoll that measured the run.
        software: Software<'a> = Software::new(&compared.run.software),
    }
}

record! {
    /// Difference between the run and the baseline.
    struct DifferenceRecord<'a>(of: &'a Difference) {
        /// Kind.
        kind: DifferenceName = (&of.kind).into(),
        /// Field of the scenario, or setting of the server.
        field: Option<&'a str> = difference_field(&of.kind),
        /// Value in the baseline; empty where there is none.
        baseline: &'a str = &of.base,
        /// Value in the run; empty where there is none.
        run: &'a str = &of.run,
        /// Whether the two measure different things.
        refuses: bool = of.weight() == Weight::Refuses,
    }
}

record! {
    /// Speed of the machine: reference round trips.
    struct MachineRecord(of: &Machine) {
        /// Geometric mean of the runs of the baseline.
        baseline_reference_us: f64 = micros(of.base_ns),
        /// Reference of the run.
        run_reference_us: f64 = micros(of.run_ns),
        /// Run over baseline.
        ratio: f64 = ratio(of.run_ns / of.base_ns),
        /// Whether they are more than 10 % apart.
        moved: bool = of.moved,
        /// Whether the speed changed by more than 10 % during the run.
        unsteady: bool = of.unsteady,
    }
}

record! {
    /// Row that only one of the two has.
    struct Missing<'a>(row: &'a (Option<String>, Option<String>, bool)) {
        /// Service; `*` for all.
        service: &'a str = or_all(row.0.as_ref()),
        /// Operation; `*` for all of the service.
        operation: &'a str = or_all(row.1.as_ref()),
        /// Owner of the row.
        only_in: Owner = if row.2 { Owner::Run } else { Owner::Baseline },
    }
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
    text(&ComparisonDocument::new(compared, &comparison_headline(compared)))
}

fn runs_used(compared: &ComparisonReport) -> usize {
    let (Method::Tolerance { runs } | Method::Threshold { runs }) = compared.comparison.method;
    runs
}
