//! Arguments of `plimsoll capacity`.

use std::{path::PathBuf, time::Duration};

use clap::Args;

use super::arms::{Sweep, sweep};
use crate::{
    cli::args::{
        harness::HarnessArgs,
        number::{positive, whole},
        output::OutputArgs,
        scenario::ScenarioArgs,
        target::{ConsentArgs, TargetArgs},
    },
    scenario,
};

/// Find out how much load a server can carry, and whether a larger pool would help
///
/// Raises the rate of the scenario, which keeps its mix and its proportions, until its objective is missed, halves the
/// bracket until it is narrow, and confirms it. With --pool or --sweep it does so for each variant; pool sizes next to each
/// other are connected at once and compared in turns of 25ms to 500ms. Every trial is a whole run, saved as it ends, so that an interrupted search is continued by --resume.
/// The first Ctrl-C ends the trial and reports what there is, a second one stops at once.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{EXITS}"))]
pub(in crate::cli) struct Arguments {
    /// Scenario file, or the name of a built-in scenario; `workflow-engine` unless --resume says otherwise
    pub(super) scenario: Option<String>,

    #[command(flatten)]
    pub(super) target: TargetArgs,
    #[command(flatten)]
    pub(super) consent: ConsentArgs,

    #[command(flatten)]
    pub(super) fields: ScenarioArgs,
    /// Sizes of every service's pool to compare, such as `25,50,100`
    #[arg(long, value_name = "N,...", value_delimiter = ',', help_heading = "Variants")]
    #[arg(value_parser = whole::<u32>(1..=100_000))]
    pub(super) pool: Vec<u32>,
    /// Values of a field of the scenario to compare, such as `values.size=64,1024`; twice for a grid
    ///
    /// A field of a service is meant for every service; `service.api.pool.checkout=exclusive,shared` is for one.
    #[arg(long, value_name = "FIELD=V1,...", value_parser = sweep, help_heading = "Variants")]
    pub(super) sweep: Vec<Sweep>,
    /// Numbers of closed-loop clients of all services together for the concurrency model, such as `4,8,16,32,64,128`
    #[arg(long, value_name = "N,...", value_delimiter = ',', help_heading = "Variants")]
    #[arg(value_parser = whole::<u32>(1..=1_000_000))]
    pub(super) clients: Vec<u32>,

    /// Time for all of it; 10m unless --resume says otherwise. Refused where it is too short for a single trial
    ///
    /// About 4s of it are for looks at connections and settings before the first trial.
    #[arg(long, value_name = "TIME", value_parser = scenario::parse_duration, help_heading = "Search")]
    pub(super) budget: Option<Duration>,
    /// Length of a trial; 10s unless the budget is too short for it, then down to 6s
    ///
    /// Trials that confirm are three times as long. Blocks that compare pool sizes measure 2s for every 5s of it.
    #[arg(long, value_name = "TIME", value_parser = scenario::parse_duration, help_heading = "Search")]
    pub(super) trial: Option<Duration>,
    /// Length of the load before each trial, which is not measured; three tenths of a trial, 3s at most
    #[arg(long, value_name = "TIME", value_parser = scenario::parse_duration, help_heading = "Search")]
    pub(super) warmup: Option<Duration>,
    /// Operations per second of the first trial, of all services together; the scenario's own unless given
    #[arg(long, value_name = "N", value_parser = positive)]
    #[arg(help_heading = "Search")]
    pub(super) start_rate: Option<f64>,
    /// Operations per second that are never offered more than; with it there are no closed loops
    #[arg(long, value_name = "N", value_parser = positive)]
    #[arg(help_heading = "Search")]
    pub(super) max_rate: Option<f64>,
    /// Operations per second of today, to say how long the server will do; unless given, the commands of others are counted
    /// for a tenth of the budget, a minute at most, on a server that is not private
    #[arg(long, value_name = "N", value_parser = positive)]
    #[arg(help_heading = "Search")]
    pub(super) current_rate: Option<f64>,
    /// By how many percent that grows a month
    #[arg(long, value_name = "PERCENT", value_parser = positive)]
    #[arg(help_heading = "Search")]
    pub(super) growth: Option<f64>,

    #[command(flatten)]
    pub(super) harness: HarnessArgs,

    #[command(flatten)]
    pub(super) output: OutputArgs,
    /// Continue the capacity run of this folder; with a larger --budget also one that used its own up
    #[arg(long, value_name = "DIR", help_heading = "Results")]
    #[arg(conflicts_with_all = [
        "pool", "sweep", "clients", "trial", "warmup", "start_rate", "max_rate", "seed", "out", "force",
    ])]
    pub(super) resume: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  plimsoll capacity                                    what the default scenario's load can grow to
  plimsoll capacity --pool 50,100                      would a larger pool help?
  plimsoll capacity my.toml --sweep values.size=64,1024,16384 --budget 20m
  plimsoll capacity my.toml --clients 4,8,16,32,64,128
  PLIMSOLL_TARGET=redis://user:password@host:6379 plimsoll capacity my.toml --yes
  plimsoll capacity --resume results/my-capacity-20260214T101500Z --budget 30m";

const EXITS: &str = "\
Exit codes:
    0  the rate that the scenario offers is sustainable with one of the variants
    1  it is with none of them
    2  wrong usage, scenario or configuration, or results cannot be written
    3  target cannot be used, or the harness was the limit before that was known
    4  inconclusive: the budget did not suffice
  130  interrupted; what there is was saved";
