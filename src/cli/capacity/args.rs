//! Arguments of `plimsoll capacity`.

use std::{path::PathBuf, time::Duration};

use clap::Args;

use super::arms::{Sweep, sweep};
use crate::{
    cli::{
        args::{
            harness::HarnessArgs,
            number::{positive, whole},
            output::OutputArgs,
            scenario::ScenarioArgs,
            target::{ConsentArgs, TargetArgs},
        },
        scale::GeneratorArgs,
    },
    scenario,
};

/// Find the highest rate that a server sustains, and compare pool sizes
///
/// Raises the rate of the scenario, with its mix unchanged, until the objective is missed, bisects the bracket, and confirms
/// it, for each variant of --pool or --sweep. Neighbouring pool sizes are connected at once and compared in turns of 25ms to
/// 500ms. Each trial is saved at its end; --resume continues an interrupted search. The first Ctrl-C ends the trial and
/// reports the results so far; the second ends the program.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{EXITS}"))]
#[command(mut_arg("launcher", |arg| arg.requires("scale")))]
#[command(mut_arg("program", |arg| arg.requires("scale")), mut_arg("start_in", |arg| arg.requires("scale")))]
pub(in crate::cli) struct Arguments {
    /// Scenario file, or name of a built-in scenario; default: `workflow-engine`, or that of --resume
    pub(super) scenario: Option<String>,

    #[command(flatten)]
    pub(super) target: TargetArgs,
    #[command(flatten)]
    pub(super) consent: ConsentArgs,

    #[command(flatten)]
    pub(super) fields: ScenarioArgs,
    /// Pool sizes to compare, for every service, such as `25,50,100`
    #[arg(long, value_name = "N,...", value_delimiter = ',', help_heading = "Variants")]
    #[arg(value_parser = whole::<u32>(1..=100_000))]
    pub(super) pool: Vec<u32>,
    /// Values of a field to compare, such as `values.size=64,1024`; repeat for a grid
    ///
    /// A field of a service applies to every service; `service.api.pool.checkout=exclusive,shared` applies to one.
    #[arg(long, value_name = "FIELD=V1,...", value_parser = sweep, help_heading = "Variants")]
    pub(super) sweep: Vec<Sweep>,
    /// Numbers of closed-loop clients, of all services together, for the concurrency model, such as `4,8,16,32,64,128`
    #[arg(long, value_name = "N,...", value_delimiter = ',', help_heading = "Variants")]
    #[arg(value_parser = whole::<u32>(1..=1_000_000))]
    pub(super) clients: Vec<u32>,

    /// Time limit of the whole command; default: `10m`, or that of --resume. Refused if too short for one trial
    ///
    /// About 4s go to connections and settings before the first trial.
    #[arg(long, value_name = "TIME", value_parser = scenario::parse_duration, help_heading = "Search")]
    pub(super) budget: Option<Duration>,
    /// Length of a trial; default: `10s`, down to `6s` for a short budget
    ///
    /// Confirming trials are three times as long. Blocks of a comparison of pool sizes are two fifths as long.
    #[arg(long, value_name = "TIME", value_parser = scenario::parse_duration, help_heading = "Search")]
    pub(super) trial: Option<Duration>,
    /// Length of the unmeasured load before each trial; default: three tenths of a trial, at most `3s`
    #[arg(long, value_name = "TIME", value_parser = scenario::parse_duration, help_heading = "Search")]
    pub(super) warmup: Option<Duration>,
    /// Operations per second of the first trial, of all services together; default: the scenario's
    #[arg(long, value_name = "N", value_parser = positive)]
    #[arg(help_heading = "Search")]
    pub(super) start_rate: Option<f64>,
    /// Never offer more than this many operations per second; disables closed-loop trials; default: no limit
    #[arg(long, value_name = "N", value_parser = positive)]
    #[arg(help_heading = "Search")]
    pub(super) max_rate: Option<f64>,
    /// Current production load in operations per second, to project headroom; default: commands of other clients on a server
    /// that is not private, counted for a tenth of the budget, at most a minute
    #[arg(long, value_name = "N", value_parser = positive)]
    #[arg(help_heading = "Search")]
    pub(super) current_rate: Option<f64>,
    /// Expected growth of the current load per month, in percent; default: no projection
    #[arg(long, value_name = "PERCENT", value_parser = positive)]
    #[arg(help_heading = "Search")]
    pub(super) growth: Option<f64>,

    #[command(flatten)]
    pub(super) harness: HarnessArgs,
    /// Number of generators that send the load of each trial together, as those of `plimsoll scale`; default: this process sends it
    ///
    /// They are started once, and wait between trials.
    #[arg(long, value_name = "N", value_parser = whole::<u32>(1..=10_000), help_heading = "Generators")]
    pub(super) scale: Option<u32>,
    #[command(flatten)]
    pub(super) launcher: GeneratorArgs,

    #[command(flatten)]
    pub(super) output: OutputArgs,
    /// Result folder of a capacity run to resume; a larger --budget resumes one that reached its budget
    #[arg(long, value_name = "DIR", help_heading = "Results")]
    #[arg(conflicts_with_all = [
        "pool", "sweep", "clients", "trial", "warmup", "start_rate", "max_rate", "seed", "out", "force",
    ])]
    pub(super) resume: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  plimsoll capacity                                    highest rate of the default scenario
  plimsoll capacity --pool 50,100                      does a larger pool help?
  plimsoll capacity my.toml --sweep values.size=64,1024,16384 --budget 20m
  plimsoll capacity my.toml --clients 4,8,16,32,64,128
  plimsoll capacity my.toml --target redis://host:6379 --scale 4      from four nodes of a Slurm cluster
  PLIMSOLL_TARGET=redis://user:password@host:6379 plimsoll capacity my.toml --yes
  plimsoll capacity --resume results/my-capacity-20260214T101500Z --budget 30m";

const EXITS: &str = "\
Exit codes:
    0  at least one variant sustains the scenario's rate
    1  no variant sustains the scenario's rate
    2  wrong usage, scenario or configuration, or results cannot be written
    3  target cannot be used, or the harness was the limit below the scenario's rate
    4  inconclusive: the budget did not suffice
  130  interrupted; results so far are saved";
