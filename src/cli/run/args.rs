//! Arguments of `plimsoll run`.

use clap::Args;

use super::session::RunOptions;
use crate::{
    cli::{
        args::{
            comparison::ComparisonArgs,
            harness::HarnessArgs,
            output::OutputArgs,
            scenario::{CommandArgs, DEFAULT, LoadArgs, scenario},
            target::{SamplingArgs, TargetArgs},
        },
        exit::{Failure, HELP},
        output::Style,
        shard::ShardArgs,
    },
    metrics::Address,
    scenario::{Event, Overrides, Scenario},
};

/// Run a scenario against a server and compare response times with its objective
///
/// Starts a private server or checks the target, writes the scenario's data, sends the load, prints verdict and tables, and
/// writes the report to the result folder. The first Ctrl-C ends the run early and reports the results so far; the second
/// ends the program.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{HELP}"))]
pub(in crate::cli) struct Command {
    #[command(flatten)]
    pub(super) run: Arguments,
    #[command(flatten)]
    pub(super) shard: ShardArgs,
}

/// Arguments of a run, from wherever its load comes.
#[derive(Debug, Args)]
// Optional here, since `plimsoll compare`, which has these options too, always compares.
#[command(mut_arg("threshold", |arg| arg.requires("baseline")))]
#[command(mut_arg("allow_differences", |arg| arg.requires("baseline")))]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(in crate::cli) struct Arguments {
    /// Scenario file, or the name of a built-in scenario
    #[arg(default_value = DEFAULT)]
    scenario: String,

    #[command(flatten)]
    pub(in crate::cli) target: TargetArgs,
    /// Use existing data: neither write nor remove the scenario's keys
    #[arg(long, help_heading = "Target")]
    no_prefill: bool,
    /// Do not remove the scenario's keys after the run
    #[arg(long, help_heading = "Target")]
    keep_data: bool,
    #[command(flatten)]
    sampling: SamplingArgs,

    #[command(flatten)]
    load: LoadArgs,
    /// Event of the measured period, such as `20s=kill:primary`; repeatable
    ///
    /// Actions on private servers: `kill:NODE`, `stop:NODE:TIME` (suspended that long), `restart:NODE` (without its data), `failover`
    /// (a replica takes over from the first primary), `reshard:SLOTS` (number of hash slots of a cluster that move with their keys),
    /// `config:NAME=VALUE` (a setting of all servers). NODE is a number from 1 (primaries, then replicas, then Sentinels), an
    /// address, `primary` or `replica` (the first of them at the time). With any server: `exec:COMMAND`, carried out by `sh -c` on
    /// this machine, for at most 60 s.
    #[arg(long, value_name = "TIME=ACTION", value_parser = str::parse::<Event>, help_heading = "Scenario")]
    at: Vec<Event>,
    #[command(flatten)]
    commands: CommandArgs,

    #[command(flatten)]
    pub(super) harness: HarnessArgs,
    /// Measure what the client library costs, for 8 s after the load
    ///
    /// fred and the wire client send the load of the scenario in turns of 25ms, at its rate, with as many connections each. The
    /// report then divides the service time between server, network and client library. Takes about 9 s.
    #[arg(long, help_heading = "Harness")]
    pub(in crate::cli) client_cost: bool,
    /// Do not query the server during the load; the report then has no figures of the server
    ///
    /// Without this option one further connection sends the server a few queries per second, for its memory, CPU, commands,
    /// slow log and persistence.
    #[arg(long, help_heading = "Harness")]
    no_observation: bool,

    /// Address of live metrics for Prometheus, such as `9464` (loopback interface) or `0.0.0.0:9464`; default: none
    ///
    /// The path is `/metrics`, available before connections are opened. If metrics were fetched during the run, the program
    /// waits until they are fetched with the verdict, at most 20 s; Ctrl-C ends the wait.
    #[arg(long, value_name = "ADDRESS", help_heading = "Harness")]
    pub(super) metrics: Option<Address>,

    /// Name of a baseline, or result folder of a run, to compare the run with
    ///
    /// Summary and report include the comparison. It does not change the exit code without --fail-on-regression.
    #[arg(long, value_name = "NAME", help_heading = "Comparison")]
    pub(super) baseline: Option<String>,
    /// Exit with 1 if the run is a regression against the baseline, even if it meets its objective
    ///
    /// The exit code is 3 if the run is not comparable with the baseline.
    #[arg(long, requires = "baseline", help_heading = "Comparison")]
    pub(super) fail_on_regression: bool,
    #[command(flatten)]
    pub(super) comparison: ComparisonArgs,

    #[command(flatten)]
    pub(super) output: OutputArgs,
    /// Additional document to write, as HTML and Markdown
    #[arg(long, value_enum, value_name = "STYLE", help_heading = "Results")]
    pub(super) style: Option<Style>,
}

const EXAMPLES: &str = "\
Examples:
  plimsoll run                                        default scenario, private server
  plimsoll run queue --duration 30s --rate 5000       built-in scenario, changed
  plimsoll run my.toml --set service.api.pool.size=100
  plimsoll run my.toml --baseline nightly             compared with stored runs
  PLIMSOLL_TARGET=redis://user:password@host:6379 plimsoll run my.toml
  plimsoll run --format json | jq .verdict            for scripts, with the exit code";

impl Arguments {
    pub(super) fn options(&self) -> RunOptions {
        RunOptions {
            workers: self.harness.workers,
            no_observation: self.no_observation,
            client_cost: self.client_cost,
            no_keyspace_sampling: self.sampling.no_keyspace_sampling,
            keep_data: self.keep_data,
            yes: self.commands.yes,
            style: self.style,
        }
    }

    pub(super) fn scenario(&self) -> Result<Scenario, Failure> {
        let mut overrides = Overrides { events: self.at.clone(), ..self.load.overrides() };
        if self.no_prefill {
            overrides.set.push(("run.prefill".to_owned(), "false".to_owned()));
        }
        scenario(&self.scenario, self.target.is_private(), &overrides)
    }
}
