//! Arguments of `plimsoll gate`.

use std::time::Duration;

use clap::{Args, ValueEnum};

use super::arms::{Difference, difference};
use crate::{
    cli::{
        args::{
            harness::HarnessArgs,
            number::{percent, positive, whole},
            output::OutputArgs,
            scenario::{DEFAULT, ScenarioArgs},
            target::{ConsentArgs, TlsArgs},
        },
        turns::TURN,
    },
    scenario,
};

/// Compare two servers, settings or builds under the same load, in alternating turns
///
/// A is the reference and B the candidate. They alternate every 25ms, so that background noise affects both equally, on fresh
/// servers for each block. A difference that nearly every block shows is measured a second time, and is a regression if the
/// second stage confirms it. Without --a and --b the scenario is compared with itself.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{EXITS}"))]
pub(in crate::cli) struct Arguments {
    /// Scenario file, or name of a built-in scenario
    #[arg(default_value = DEFAULT)]
    pub(super) scenario: String,

    /// Difference of arm A: `set:FIELD=VALUE` of the scenario, `config:NAME=VALUE`, `server-bin=FILE`, `topology=TOPOLOGY` (as of
    /// `plimsoll run`) or `tls=yes` of its private server, `target=URL`, `client=fred|wire`, `protocol=2|3`, or `exe=FILE`, another
    /// build of plimsoll; repeatable
    #[arg(long, value_name = "WHAT=VALUE", value_parser = difference, help_heading = "Arms")]
    pub(super) a: Vec<Difference>,
    /// Difference of arm B, in the form of --a
    #[arg(long, value_name = "WHAT=VALUE", value_parser = difference, help_heading = "Arms")]
    pub(super) b: Vec<Difference>,
    #[command(flatten)]
    pub(super) tls: TlsArgs,
    #[command(flatten)]
    pub(super) consent: ConsentArgs,

    #[command(flatten)]
    pub(super) fields: ScenarioArgs,

    #[command(flatten)]
    pub(super) effort: Effort,

    #[command(flatten)]
    pub(super) output: OutputArgs,
}

/// Effort and thresholds.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct Effort {
    /// Duration and smallest detectable change
    #[arg(long, value_enum, default_value_t, help_heading = "Comparison")]
    pub(super) profile: Profile,
    /// Smallest change of median, mean or throughput that is a regression, in percent; default: the profile's
    #[arg(long, value_name = "PERCENT", value_parser = percent, help_heading = "Comparison")]
    pub(super) threshold: Option<f64>,
    /// Smallest change of a response time that is a regression, whatever its percentage; at most `1s`
    #[arg(long, value_name = "TIME", value_parser = floor, default_value = "2us")]
    #[arg(help_heading = "Comparison")]
    pub(super) floor: Duration,
    /// Length of a turn; must divide 500ms. Shorter turns cancel more noise; longer turns let fewer requests of one arm wait
    /// behind those of the other
    #[arg(long, value_name = "TIME", value_parser = scenario::parse_duration, default_value = "25ms")]
    #[arg(help_heading = "Comparison")]
    pub(super) turn: Duration,
    /// Requests per second of all open-loop services together, for each arm; default: the scenario's, at most half of the
    /// closed-loop throughput of the slower arm. Refused beyond 80 % of that throughput
    #[arg(long, value_name = "N", value_parser = positive)]
    #[arg(help_heading = "Comparison")]
    pub(super) rate: Option<f64>,
    /// Number of blocks per stage, at least 7; default: the profile's
    #[arg(long, value_name = "N", value_parser = whole::<u32>(7..=200), help_heading = "Comparison")]
    pub(super) blocks: Option<u32>,
    /// Compare throughput in closed loops at full speed on targets of other machines too
    #[arg(long, help_heading = "Comparison")]
    pub(super) saturate: bool,
    #[command(flatten)]
    pub(in crate::cli) harness: HarnessArgs,
}

impl Effort {
    /// That of a profile.
    pub(in crate::cli) fn of(profile: Profile, harness: HarnessArgs) -> Self {
        Self { profile, threshold: None, floor: FLOOR, turn: TURN, rate: None, blocks: None, saturate: false, harness }
    }
}

/// Refuses a floor beyond which no response time could be a regression.
fn floor(text: &str) -> Result<Duration, String> {
    let floor = scenario::parse_duration(text)?;
    if floor > Duration::from_secs(1) { Err("not a duration up to 1s".to_owned()) } else { Ok(floor) }
}

/// Default of `--floor`; its text is in the argument's `default_value`.
const FLOOR: Duration = Duration::from_micros(2);

/// Duration and sensitivity of a gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(in crate::cli) enum Profile {
    /// About a minute per stage; detects 10 %
    #[default]
    Quick,
    /// About four minutes per stage; detects 5 %
    Nightly,
}

const EXAMPLES: &str = "\
Examples:
  plimsoll gate mixed --a server-bin=/usr/bin/redis-server --b server-bin=/opt/redis-8/redis-server
  plimsoll gate mixed --a config:io-threads=1 --b config:io-threads=4
  plimsoll gate --a set:service.api.pool.size=50 --b set:service.api.pool.size=100
  plimsoll gate mixed --a client=wire --b client=fred
  plimsoll gate mixed --a protocol=2 --b protocol=3
  plimsoll gate mixed --a tls=no --b tls=yes
  plimsoll gate mixed --a topology=standalone --b topology=cluster:3x0
  plimsoll gate mixed --a exe=./plimsoll-main --b exe=target/release/plimsoll --profile nightly
  plimsoll gate mixed                               the scenario against itself: noise of this machine";

const EXITS: &str = "\
Exit codes:
    0  no regression
    1  regression, confirmed on fresh blocks
    2  wrong usage, scenario or configuration, or results cannot be written
    3  a target cannot be used, or the measurement is invalid
    4  inconclusive, or a regression on targets that were not started for the gate
  130  interrupted; results so far are saved";
