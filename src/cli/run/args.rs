//! Arguments of `plimsoll run`.

use std::{path::PathBuf, time::Duration};

use clap::Args;

use super::session::Manner;
use crate::{
    cli::{
        args::{
            comparison::ComparisonArgs,
            number::{SEEDS, positive, whole},
            scenario::{DEFAULT, scenario_text, setting},
            target::{EMBEDDED, TARGET},
        },
        exit::{Failure, HELP},
        output::{Document, Format},
        place::Place,
    },
    metrics::Address,
    scenario::{self, Overrides, Scenario},
};

/// Carry out a scenario, measure, judge and report
///
/// Claims the result folder, starts the private server or checks the target, writes the scenario's data, puts on the
/// load and reports: the verdict and its tables here, everything else in the result folder. The first Ctrl-C ends the
/// run early and reports what there is, a second one stops at once.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{}", HELP))]
// `plimsoll compare` has them too, and compares always.
#[command(mut_arg("threshold", |arg| arg.requires("baseline")))]
#[command(mut_arg("allow_differences", |arg| arg.requires("baseline")))]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(in crate::cli) struct Arguments {
    /// Scenario file, or the name of a built-in scenario
    #[arg(default_value = DEFAULT)]
    scenario: String,

    /// Server to measure: `redis://user:password@host:port/db`, `rediss://...`, `unix:///path`, or `embedded`, a private one
    ///
    /// Other users of this machine can see the command line; a password is better given by the environment variable or
    /// by the scenario (`password = { env = "..." }`).
    #[arg(long, value_name = "URL", env = TARGET, hide_env_values = true, default_value = EMBEDDED)]
    #[arg(help_heading = "Target")]
    pub(super) target: String,
    /// Program of the private server, instead of redis-server or valkey-server on PATH
    #[arg(long, value_name = "FILE", help_heading = "Target")]
    pub(super) server_bin: Option<PathBuf>,
    /// Use the data that is there instead of writing the scenario's data first; it is not removed either
    #[arg(long, help_heading = "Target")]
    no_prefill: bool,
    /// Leave the scenario's keys on the server
    #[arg(long, help_heading = "Target")]
    keep_data: bool,
    /// Do not look at a sample of the server's keys when the load is over, which takes a twentieth of the length of the run: at
    /// least 0.5 s, at most 3 s, and less where it is complete earlier
    #[arg(long, help_heading = "Target")]
    no_keyspace_sampling: bool,

    /// Length of the measured period, such as `30s` or `5m`
    #[arg(long, value_name = "TIME", value_parser = scenario::parse_duration, help_heading = "Scenario")]
    duration: Option<Duration>,
    /// Length of the load before it, which is not measured
    #[arg(long, value_name = "TIME", value_parser = scenario::parse_duration, help_heading = "Scenario")]
    warmup: Option<Duration>,
    /// Requests per second of all open-loop services together, which keep their proportions
    #[arg(long, value_name = "N", value_parser = positive, help_heading = "Scenario")]
    rate: Option<f64>,
    /// Seed of all randomness
    #[arg(long, value_name = "N", value_parser = whole::<u64>(0..=SEEDS), help_heading = "Scenario")]
    seed: Option<u64>,
    /// Set any other field of the scenario, such as `service.api.pool.size=100`; may be repeated
    #[arg(long, value_name = "FIELD=VALUE", value_parser = setting, help_heading = "Scenario")]
    set: Vec<(String, String)>,

    /// Threads that put on the load; by default one per core, one core left to a server on this machine
    #[arg(long, value_name = "N", value_parser = whole::<u16>(1..=65_535), help_heading = "Harness")]
    workers: Option<u16>,
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
    pub(super) how: ComparisonArgs,

    #[command(flatten)]
    pub(super) place: Place,
    /// Write this document as well, as HTML and Markdown
    #[arg(long, value_enum, value_name = "STYLE", help_heading = "Results")]
    pub(super) style: Option<Document>,
    /// Form of the summary on standard output
    #[arg(long, value_enum, default_value_t, help_heading = "Results")]
    pub(super) format: Format,
    /// No progress on standard error; everything takes as long as with it
    #[arg(long, short, help_heading = "Results")]
    pub(super) quiet: bool,
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
            workers: self.workers,
            no_observation: self.no_observation,
            no_keyspace_sampling: self.no_keyspace_sampling,
            keep_data: self.keep_data,
            style: self.style,
        }
    }

    pub(super) fn scenario(&self) -> Result<Scenario, Failure> {
        let mut set = self.set.clone();
        if self.no_prefill {
            set.push(("run.prefill".to_owned(), "false".to_owned()));
        }
        let overrides =
            Overrides { duration: self.duration, warmup: self.warmup, rate: self.rate, seed: self.seed, set };
        let source = scenario_text(&self.scenario, self.target != EMBEDDED)?;
        overrides.apply(&source.text, &source.file).map_err(Failure::usage)
    }
}
