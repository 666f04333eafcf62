//! `plimsoll schema`.

use clap::{Args, ValueEnum};

use super::{
    exit::{Exit, Failure},
    output,
};
use crate::{
    report::Printed,
    results::{Baseline, Capacity, Ci, Gate, Run, schema_of},
    scenario,
};

/// Print the JSON Schema of a scenario file, of a saved document, or of JSON output
///
/// Editors with TOML support check and complete a scenario whose first line is `#:schema scenario.schema.json`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Subject of the schema
    #[arg(value_enum, default_value_t)]
    of: Subject,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Subject {
    /// Scenario files
    #[default]
    Scenario,
    /// `run.json` of a result folder
    Run,
    /// `capacity.json` of a result folder
    Capacity,
    /// `gate.json` of a result folder
    Gate,
    /// `ci.json` of a result folder
    Ci,
    /// Stored baselines
    Baseline,
    /// `comparison.json`, and output of `compare --format json`
    Comparison,
    /// Output of `run --format json`
    Summary,
    /// Output of `capacity --format json`
    CapacityAnswers,
    /// Output of `gate --format json`
    GateVerdict,
    /// Output of `audit --format json`
    Audit,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    let schema = match arguments.of {
        Subject::Scenario => scenario::schema(),
        Subject::Run => schema_of::<Run>(),
        Subject::Capacity => schema_of::<Capacity>(),
        Subject::Gate => schema_of::<Gate>(),
        Subject::Ci => schema_of::<Ci>(),
        Subject::Baseline => schema_of::<Baseline>(),
        Subject::Comparison => Printed::Comparison.schema(),
        Subject::Summary => Printed::Summary.schema(),
        Subject::CapacityAnswers => Printed::Capacity.schema(),
        Subject::GateVerdict => Printed::Gate.schema(),
        Subject::Audit => Printed::Audit.schema(),
    };
    output::print(format!("{schema:#}\n"))?;
    Ok(Exit::Success)
}
