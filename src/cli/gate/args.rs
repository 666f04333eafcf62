//! Arguments of `plimsoll gate`.

use std::time::Duration;

use clap::{Args, ValueEnum};

use super::arms::{Difference, difference};
use crate::{
    cli::args::{
        harness::HarnessArgs,
        number::{percent, positive, whole},
        output::OutputArgs,
        scenario::{DEFAULT, ScenarioArgs},
        target::ConsentArgs,
    },
    scenario,
};

/// Compare two servers, settings or builds under the same load, in turns, and say whether B is worse
///
/// A is what is known, B is what is asked about. Both take turns of a few hundredths of a second, so that a machine that is not quiet weighs on
/// both alike, on fresh servers for each block; only what shows in nearly every block counts. Where B seems worse all of it is
/// done once more, and only what shows again is a regression. Without --a and --b it compares the scenario with itself.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{EXITS}"))]
pub(in crate::cli) struct Arguments {
    /// Scenario file, or the name of a built-in scenario
    #[arg(default_value = DEFAULT)]
    pub(super) scenario: String,

    /// Difference of arm A: `set:FIELD=VALUE` of the scenario, `config:NAME=VALUE` or `server-bin=FILE` of its private server, `target=URL`, or
    /// `exe=FILE`, another build of plimsoll; may be repeated
    #[arg(long, value_name = "WHAT=VALUE", value_parser = difference, help_heading = "Arms")]
    pub(super) a: Vec<Difference>,
    /// Difference of arm B, in the form of --a
    #[arg(long, value_name = "WHAT=VALUE", value_parser = difference, help_heading = "Arms")]
    pub(super) b: Vec<Difference>,
    #[command(flatten)]
    pub(super) consent: ConsentArgs,

    #[command(flatten)]
    pub(super) fields: ScenarioArgs,

    #[command(flatten)]
    pub(super) effort: Effort,

    #[command(flatten)]
    pub(super) output: OutputArgs,
}

/// Effort, and the thresholds.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct Effort {
    /// Length, and the smallest change to detect
    #[arg(long, value_enum, default_value_t, help_heading = "Comparison")]
    pub(super) profile: Profile,
    /// Smallest change of median, mean or throughput that matters, in percent, instead of the profile's
    #[arg(long, value_name = "PERCENT", value_parser = percent, help_heading = "Comparison")]
    pub(super) threshold: Option<f64>,
    /// Smallest change of a response time that matters, however many percent it is; at most a second
    #[arg(long, value_name = "TIME", value_parser = floor, default_value = "2us")]
    #[arg(help_heading = "Comparison")]
    pub(super) floor: Duration,
    /// Length of a turn, a whole part of 500ms: shorter, and the machine is more alike for both; longer, and requests of one arm wait
    /// less for those of the other
    #[arg(long, value_name = "TIME", value_parser = scenario::parse_duration, default_value = "25ms")]
    #[arg(help_heading = "Comparison")]
    pub(super) turn: Duration,
    /// Requests per second of all open-loop services together, the same for both arms; the scenario's own unless given, but no more
    /// than half of what the slower arm carries in a closed loop; refused beyond 80 % of that
    #[arg(long, value_name = "N", value_parser = positive)]
    #[arg(help_heading = "Comparison")]
    pub(super) rate: Option<f64>,
    /// Blocks of each stage, instead of the profile's; at least 7
    #[arg(long, value_name = "N", value_parser = whole::<u32>(7..=200), help_heading = "Comparison")]
    pub(super) blocks: Option<u32>,
    /// Compare throughput in closed loops at full speed also on targets that are not this machine
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

/// A floor beyond which no response time would ever be worse is a slip.
fn floor(text: &str) -> Result<Duration, String> {
    let floor = scenario::parse_duration(text)?;
    if floor > Duration::from_secs(1) {
        Err("a change of more than a second always matters".to_owned())
    } else {
        Ok(floor)
    }
}

/// Smallest change of a response time that matters unless the user says otherwise; the command line has it in words.
const FLOOR: Duration = Duration::from_micros(2);

/// Length of a turn.
const TURN: Duration = Duration::from_millis(25);

/// How much effort is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(in crate::cli) enum Profile {
    /// About a minute for each stage; sees 10 %
    #[default]
    Quick,
    /// About four minutes for each stage; sees 5 %
    Nightly,
}

const EXAMPLES: &str = "\
Examples:
  plimsoll gate mixed --a server-bin=/usr/bin/redis-server --b server-bin=/opt/redis-8/redis-server
  plimsoll gate mixed --a config:io-threads=1 --b config:io-threads=4
  plimsoll gate --a set:service.api.pool.size=50 --b set:service.api.pool.size=100
  plimsoll gate mixed --a exe=./plimsoll-main --b exe=target/release/plimsoll --profile nightly
  plimsoll gate mixed                               the scenario against itself: how quiet is this machine?";

const EXITS: &str = "\
Exit codes:
    0  B is not worse by as much as matters
    1  regression, confirmed on fresh blocks
    2  wrong usage, scenario or configuration, or results cannot be written
    3  a target cannot be used, or the measurement is invalid
    4  inconclusive, or a regression on targets that were not started for the gate
  130  interrupted; what there is was saved";
