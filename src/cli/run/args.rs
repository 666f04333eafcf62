//! Arguments of `plimsoll run`.

use clap::Args;

use super::session::Manner;
use crate::{
    cli::{
        args::{
            comparison::ComparisonArgs,
            harness::HarnessArgs,
            output::OutputArgs,
            scenario::{DEFAULT, LoadArgs, scenario},
            target::{SamplingArgs, TargetArgs},
        },
        exit::{Failure, HELP},
        output::Style,
    },
    metrics::Address,
    scenario::Scenario,
};

/// Carry out a scenario, measure, judge and report
///
/// Claims the result folder, starts the private server or checks the target, writes the scenario's data, puts on the
/// load and reports: the verdict and its tables here, everything else in the result folder. The first Ctrl-C ends the
/// run early and reports what there is, a second one stops at once.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{HELP}"))]
// `plimsoll compare` has them too, and compares always.
#[command(mut_arg("threshold", |arg| arg.requires("baseline")))]
#[command(mut_arg("allow_differences", |arg| arg.requires("baseline")))]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(in crate::cli) struct Arguments {
    /// Scenario file, or the name of a built-in scenario
    #[arg(default_value = DEFAULT)]
    scenario: String,

    #[command(flatten)]
    pub(super) target: TargetArgs,
    /// Use the data that is there instead of writing the scenario's data first; it is not removed either
    #[arg(long, help_heading = "Target")]
    no_prefill: bool,
    /// Leave the scenario's keys on the server
    #[arg(long, help_heading = "Target")]
    keep_data: bool,
    #[command(flatten)]
    sampling: SamplingArgs,

    #[command(flatten)]
    load: LoadArgs,

    #[command(flatten)]
    harness: HarnessArgs,
    /// Ask the server nothing while it is measured; the report then has no server's side
    ///
    /// One further connection asks the server a few questions a second otherwise. Without them, nothing is known of its
    /// memory, CPU, commands, slow log and persistence during the run.
    #[arg(long, help_heading = "Harness")]
    no_observation: bool,

    /// Serve live metrics for Prometheus at `/metrics` of this address, such as `9464` or `0.0.0.0:9464`; a port alone is on
    /// the loopback interface
    ///
    /// The metrics are there before the connections are opened. If they were fetched during the run, the program ends only
    /// when they were fetched once more with the verdict, 20 s later at most; Ctrl-C ends that wait.
    #[arg(long, value_name = "ADDRESS", help_heading = "Harness")]
    pub(super) metrics: Option<Address>,

    /// Hold the run against this baseline, or the run in this folder, and report what has changed
    ///
    /// The comparison is part of the summary and of the report, which has files of its own for it. It does not change the exit
    /// code unless --fail-on-regression is given.
    #[arg(long, value_name = "NAME", help_heading = "Comparison")]
    pub(super) baseline: Option<String>,
    /// Let the comparison decide the exit code as well: 1 if the run is worse than its baseline, also where it meets its objective
    ///
    /// 3 if it cannot be compared with its baseline.
    #[arg(long, requires = "baseline", help_heading = "Comparison")]
    pub(super) fail_on_regression: bool,
    #[command(flatten)]
    pub(super) comparison: ComparisonArgs,

    #[command(flatten)]
    pub(super) output: OutputArgs,
    /// Write this document as well, as HTML and Markdown
    #[arg(long, value_enum, value_name = "STYLE", help_heading = "Results")]
    pub(super) style: Option<Style>,
}

const EXAMPLES: &str = "\
Examples:
  plimsoll run                                        default scenario, private server
  plimsoll run queue --duration 30s --rate 5000       built-in scenario, changed
  plimsoll run my.toml --set service.api.pool.size=100
  plimsoll run my.toml --baseline nightly             is it slower than it was?
  PLIMSOLL_TARGET=redis://user:password@host:6379 plimsoll run my.toml
  plimsoll run --format json | jq .verdict            for scripts, with the exit code";

impl Arguments {
    pub(super) fn manner(&self) -> Manner {
        Manner {
            workers: self.harness.workers,
            no_observation: self.no_observation,
            no_keyspace_sampling: self.sampling.no_keyspace_sampling,
            keep_data: self.keep_data,
            style: self.style,
        }
    }

    pub(super) fn scenario(&self) -> Result<Scenario, Failure> {
        let mut overrides = self.load.overrides();
        if self.no_prefill {
            overrides.set.push(("run.prefill".to_owned(), "false".to_owned()));
        }
        scenario(&self.scenario, self.target.is_private(), &overrides)
    }
}
