//! A comparison as JSON for programs.
//!
//! Fields are only ever added; one that changes its meaning gets another name and raises `schema_version`. Rows have the
//! names and units of `comparison.csv`. The schema is `comparison.schema.json` beside this file.

use serde::Serialize;

use super::{
    csv_comparison::{Record, records},
    format::plain,
    json_parts::{Software, Target, text},
    number::{micros, rounded},
    subject::ComparisonReport,
    view::{comparison_headline, difference_field, difference_slug, method_slug, standing_slug},
};
use crate::analysis::baseline::{Difference, Machine, Method, Weight};

/// Version of the layout.
const SCHEMA_VERSION: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    schema_version: u32,
    verdict: &'static str,
    headline: String,
    remarks: Vec<String>,
    baseline: &'a str,
    base_runs: Vec<&'a str>,
    run: &'a str,
    started: &'a str,
    target: Target<'a>,
    method: &'static str,
    runs_used: usize,
    runs_left_out: usize,
    threshold: f64,
    differences: Vec<DifferenceRecord<'a>>,
    machine: Option<MachineRecord>,
    rows: Vec<Record<'a>>,
    missing: Vec<Missing<'a>>,
    software: Software<'a>,
}

#[derive(Serialize)]
struct DifferenceRecord<'a> {
    kind: &'static str,
    field: Option<&'a str>,
    baseline: &'a str,
    run: &'a str,
    refuses: bool,
}

#[derive(Serialize)]
struct MachineRecord {
    baseline_reference_us: f64,
    run_reference_us: f64,
    ratio: f64,
    moved: bool,
    unsteady: bool,
}

#[derive(Serialize)]
struct Missing<'a> {
    service: &'a str,
    operation: &'a str,
    only_in: &'static str,
}

/// The document, indented, with a line break at its end.
pub(super) fn render(compared: &ComparisonReport) -> String {
    let headline = comparison_headline(compared);
    let comparison = &compared.comparison;
    let (Method::Tolerance { runs } | Method::Threshold { runs }) = comparison.method;
    text(&Document {
        schema_version: SCHEMA_VERSION,
        verdict: standing_slug(comparison.standing),
        headline: plain(&headline.sentence),
        remarks: headline.remarks.iter().map(|remark| plain(remark)).collect(),
        baseline: &compared.against,
        base_runs: compared.base.iter().map(|run| run.name.as_str()).collect(),
        run: &compared.run.name,
        started: &compared.run.started,
        target: (&compared.run.target).into(),
        method: method_slug(comparison.method),
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
                service: service.as_deref().unwrap_or("*"),
                operation: operation.as_deref().unwrap_or("*"),
                only_in: if *in_run { "run" } else { "baseline" },
            })
            .collect(),
        software: (&compared.run.software).into(),
    })
}

fn difference(of: &Difference) -> DifferenceRecord<'_> {
    DifferenceRecord {
        kind: difference_slug(&of.kind),
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
        ratio: rounded(of.run_ns / of.base_ns, 6),
        moved: of.moved,
        unsteady: of.unsteady,
    }
}
