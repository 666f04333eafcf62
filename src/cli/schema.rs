//! `plimsoll schema`.

use clap::{Args, ValueEnum};

use super::{
    exit::{Exit, Failure},
    output,
};
use crate::{report, results, scenario};

/// Print the JSON Schema of scenario files, or of what is saved: runs, capacity runs, gates, baselines, comparisons, CI results
///
/// Editors with TOML support check and complete a scenario whose first line is `#:schema scenario.schema.json`
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Schema of what
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
    /// `comparison.json`
    Comparison,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    let schema = match arguments.of {
        Subject::Scenario => scenario::schema(),
        Subject::Run => results::schema(),
        Subject::Capacity => results::capacity_schema(),
        Subject::Gate => results::gate_schema(),
        Subject::Ci => results::ci_schema(),
        Subject::Baseline => results::baseline_schema(),
        Subject::Comparison => report::comparison_schema(),
    };
    output::print(format!("{schema:#}\n"))?;
    Ok(Exit::Met)
}
