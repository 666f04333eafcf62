//! `plimsoll gate`: its arguments and what they mean.

mod announce;
mod arms;
mod child;
mod concluded;
mod plan;
mod session;
mod stand;

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{
    exit::{Exit, Failure},
    interrupt::supervise,
    journal::Journal,
    leftovers::Leftovers,
    number::{percent, positive},
    output::{Colour, Format},
    progress::Display,
    run::{DEFAULT, default_folder, setting},
};
pub(super) use concluded::ConcludedGate;
use session::Session;

/// Compare two servers, settings or builds under the same load, in turns, and say whether B is worse
///
/// A is what is known, B is what is asked about. Short slices of load on either, in an order that a drift of the machine weighs
/// on alike, make a block on fresh servers; only what shows in nearly every block counts. Where B seems worse all of it is
/// done once more, and only what shows again is a regression. Without --a and --b it compares the scenario with itself.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{EXITS}"))]
pub(super) struct Arguments {
    /// Scenario file, or the name of a built-in scenario
    #[arg(default_value = DEFAULT)]
    scenario: String,

    /// What A has: `set:FIELD=VALUE` of the scenario, `config:NAME=VALUE` or `server-bin=FILE` of its private server, `target=URL`, or
    /// `exe=FILE`, another build of plimsoll; may be repeated
    #[arg(long, value_name = "WHAT=VALUE", value_parser = arms::difference, help_heading = "Arms")]
    a: Vec<arms::Difference>,
    /// What B has, in the same words
    #[arg(long, value_name = "WHAT=VALUE", value_parser = arms::difference, help_heading = "Arms")]
    b: Vec<arms::Difference>,
    /// Set any field of the scenario for both arms; may be repeated
    #[arg(long, value_name = "FIELD=VALUE", value_parser = setting, help_heading = "Arms")]
    set: Vec<(String, String)>,
    /// Load targets that are not this machine without asking
    #[arg(long, help_heading = "Arms")]
    yes: bool,

    /// How long, and how small a change is to be seen
    #[arg(long, value_enum, default_value_t, help_heading = "Comparison")]
    profile: Profile,
    /// Smallest change of median, mean or throughput that matters, in percent, instead of the profile's
    #[arg(long, value_name = "PERCENT", value_parser = percent, help_heading = "Comparison")]
    threshold: Option<f64>,
    /// Smallest change of a response time that matters, however many percent it is
    #[arg(long, value_name = "TIME", value_parser = crate::scenario::parse_duration, default_value = "20us")]
    #[arg(help_heading = "Comparison")]
    floor: std::time::Duration,
    /// Requests per second of all open-loop services together, the same for both arms; half of what the slower arm carries in a
    /// closed loop unless given
    #[arg(long, value_name = "N", value_parser = positive, allow_negative_numbers = true)]
    #[arg(help_heading = "Comparison")]
    rate: Option<f64>,
    /// Blocks of each stage, instead of the profile's; at least 7
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(7..=200), help_heading = "Comparison")]
    blocks: Option<u32>,
    /// Length of a slice, instead of the profile's; shorter ones see as much where requests are many
    #[arg(long, value_name = "TIME", value_parser = crate::scenario::parse_duration, help_heading = "Comparison")]
    slice: Option<std::time::Duration>,
    /// Seed of all randomness
    #[arg(long, value_name = "N", help_heading = "Comparison")]
    seed: Option<u64>,

    /// Threads that put on the load; by default one per core, one core left to a server on this machine
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..), help_heading = "Harness")]
    workers: Option<u16>,

    /// Folder for the results, instead of results/SCENARIO-gate-TIME
    #[arg(long, value_name = "DIR", help_heading = "Results")]
    out: Option<PathBuf>,
    /// Replace a result folder that is there already
    #[arg(long, requires = "out", help_heading = "Results")]
    force: bool,
    /// Form of the summary on standard output
    #[arg(long, value_enum, default_value_t, help_heading = "Results")]
    format: Format,
    /// No plan and no progress on standard error
    #[arg(long, short, help_heading = "Results")]
    quiet: bool,
}

/// How much effort is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum Profile {
    /// About a minute for each stage; sees 10 %
    #[default]
    Quick,
    /// About four minutes for each stage; sees 5 %
    Nightly,
}

/// The saved gate in its folder.
const FILE: &str = "gate.json";

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
    2  wrong usage or scenario, or results cannot be written
    3  a target cannot be used, or the measurement is invalid
    4  inconclusive, or a regression on targets that were not started for the gate
  130  interrupted; what there is was saved";

pub(super) fn run(arguments: Arguments, colour: Colour) -> Result<Exit, Failure> {
    let errand = plan::Errand::of(&arguments)?;
    let leftovers = Leftovers::default();
    let place = arguments.out.clone().unwrap_or_else(|| default_folder(&format!("{}-gate", errand.scenario.name)));
    let journal = Journal::claim(&place, arguments.force, FILE, &leftovers)?;
    let display = Display::new(!arguments.quiet);
    let voice = display.clone();
    let session = Session { arguments, colour, errand, journal, display, leftovers: leftovers.clone() };
    let result = supervise(
        move |interrupt| session.carry_out(&interrupt),
        move || voice.say("interrupted: ending the slice and reporting what there is; Ctrl-C again stops at once"),
    );
    leftovers.clear();
    result
}
