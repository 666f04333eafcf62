//! `plimsoll clean`: removes what a run could not remove itself.

use anyhow::anyhow;
use clap::Args;
use tokio::runtime;

use super::{
    args::{
        scenario::{DEFAULT, FieldArgs},
        target::{EMBEDDED, INSECURE, TARGET, TlsArgs, source},
    },
    consent::Question,
    exit::{Exit, Failure},
    interrupt::supervise,
    output,
    progress::Display,
};
use crate::{
    report::format::{self, counted, plain},
    scenario::{self, Scenario, Service},
    target::{Holding, KeyGroup, Target},
};

/// Remove the keys of a scenario from a server
///
/// For keys left by a killed run, or by a run with --keep-data. Lists the keys that the scenario writes under its prefixes, the
/// claim of the run and the clean-up commands of the scenario, asks, sends the commands, and removes the keys. Other keys under
/// these prefixes stay, and so does a key of another type.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  plimsoll clean my.toml --target redis://host:6379
  plimsoll clean my.toml \
                        --target redis://host:6379 --set service.api.keys.prefix=test:")]
pub(super) struct Arguments {
    /// Scenario file, or name of a built-in scenario, of the run
    #[arg(default_value = DEFAULT)]
    scenario: String,
    /// Server with the keys: `redis://user:password@host:port/db`, `rediss://...` or `unix:///path`
    #[arg(long, value_name = "URL", env = TARGET, hide_env_values = true)]
    target: String,
    #[command(flatten)]
    tls: TlsArgs,
    /// Remove the keys without confirmation
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    fields: FieldArgs,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    let text = scenario::source(&arguments.scenario).map_err(Failure::usage)?;
    let scenario = arguments.fields.overrides().apply(&text.text, &text.file).map_err(Failure::usage)?;
    if arguments.target == EMBEDDED {
        return Err(Failure::usage(anyhow!("--target: a private server keeps no keys; pass the address of a server")));
    }
    let source = source(&arguments.target, &arguments.tls)?;
    let yes = arguments.yes;
    supervise(
        move |interrupt| {
            let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::unusable)?;
            let display = Display::new(true);
            let (target, holdings) = runtime.block_on(async {
                let (target, _) = interrupt.or(Target::prepare(source, &scenario)).await?;
                if target.is_insecure() {
                    display.say(INSECURE);
                }
                display.step("Listing the scenario's keys");
                let holdings = interrupt.or(target.holdings(&scenario)).await?;
                Ok::<_, Failure>((target, holdings))
            })?;
            display.clear();
            let commands = commands(&scenario);
            let lines = [plan(&holdings), commands.clone()].concat().join("\n");
            let about = format!("Keys of `{}` on {}:\n{}", scenario.name, target.brief_address(), plain(&lines));
            let keys: u64 = holdings.iter().flat_map(|holding| &holding.keys).map(|group| group.count).sum();
            let keys = plain(&counted(keys, "key", "keys"));
            if !commands.is_empty()
                || holdings.iter().any(|holding| holding.claim.is_some() || !holding.keys.is_empty())
            {
                display.say(&about);
                let (mut about, mut what) = (format!("{keys} would be removed"), format!("Remove {keys}"));
                if !commands.is_empty() {
                    let commands = plain(&counted(commands.len() as u64, "clean-up command", "clean-up commands"));
                    (about, what) = (
                        format!("{commands} would be sent, and {about}"),
                        format!("Send {commands} and remove {keys}"),
                    );
                }
                Question { about: &about, what: &what, refused: "nothing was removed" }
                    .ask(yes, &display, &interrupt)?;
            }
            let all = scenario.services.len();
            for error in runtime.block_on(interrupt.or(target.send_cleanup(&scenario, all)))? {
                display.say(&format!("warning: {error}"));
            }
            let removed = runtime.block_on(interrupt.or(target.clean(&scenario)))?;
            let keys = plain(&counted(removed, "key", "keys"));
            output::print(format!("Removed {keys} of `{}` from {}\n", scenario.name, target.brief_address()))?;
            Ok(Exit::Success)
        },
        || {},
        || {},
    )
}

/// The clean-up commands of a scenario.
fn commands(scenario: &Scenario) -> Vec<String> {
    let lines = |service: &Service| -> Vec<String> {
        service.cleanup.iter().map(|words| format!("  clean-up of `{}`: {}", service.name, words.join(" "))).collect()
    };
    scenario.services.iter().flat_map(lines).collect()
}

/// The keys that are there, and whose they are as far as that is known.
fn plan(holdings: &[Holding]) -> Vec<String> {
    let mut lines = Vec::new();
    for Holding { prefix, keys, claim, has_ended } in holdings {
        for KeyGroup { pattern, count, of_other_type } in keys {
            let keys = counted(*count, "key", "keys");
            lines.push(match of_other_type {
                0 => format!("  {keys} `{pattern}`"),
                others => format!("  {keys} `{pattern}`; {} of another type stay", format::count(*others)),
            });
        }
        lines.push(match claim {
            Some(by) if *has_ended => format!("  `{prefix}` is claimed by a run that has ended ({by})"),
            Some(by) => format!("  `{prefix}` is claimed by a run that may be active ({by})"),
            None if keys.is_empty() => continue,
            None => format!("  no claim of plimsoll exists for `{prefix}`"),
        });
    }
    lines
}
