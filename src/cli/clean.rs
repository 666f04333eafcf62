//! `plimsoll clean`: removes what a run could not remove itself.

use anyhow::anyhow;
use clap::Args;
use tokio::runtime;

use super::{
    args::{
        scenario::{DEFAULT, FieldArgs},
        target::{EMBEDDED, TARGET, address},
    },
    exit::{Exit, Failure},
    interrupt::supervise,
    output,
};
use crate::{
    report::format::{counted, plain},
    scenario,
    target::Target,
};

/// Remove the keys of a scenario from a server
///
/// For what a run has left there that was ended by force, or that was run with --keep-data. Removes the keys that the
/// scenario writes under its prefixes, and the claim of the run; other keys under the same prefixes stay.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  plimsoll clean my.toml --target redis://host:6379
  plimsoll clean my.toml --target redis://host:6379 --set service.api.keys.prefix=test:")]
pub(super) struct Arguments {
    /// Scenario file, or the name of a built-in scenario, as it was run
    #[arg(default_value = DEFAULT)]
    scenario: String,
    /// Server that has the keys: `redis://user:password@host:port/db`, `rediss://...` or `unix:///path`
    #[arg(long, value_name = "URL", env = TARGET, hide_env_values = true)]
    target: String,
    #[command(flatten)]
    fields: FieldArgs,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    let text = scenario::source(&arguments.scenario).map_err(Failure::usage)?;
    let scenario = arguments.fields.overrides().apply(&text.text, &text.file).map_err(Failure::usage)?;
    if arguments.target == EMBEDDED {
        return Err(Failure::usage(anyhow!("--target: a private server has no keys left; name the server that has")));
    }
    let source = address(&arguments.target)?;
    supervise(
        move |interrupt| {
            let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::unusable)?;
            runtime.block_on(async {
                let (target, _) = interrupt.or(Target::prepare(source, &scenario)).await?;
                let removed = interrupt.or(target.clean(&scenario)).await?;
                let keys = plain(&counted(removed, "key", "keys"));
                output::print(format!("Removed {keys} of `{}` from {}\n", scenario.name, target.address()))?;
                Ok(Exit::Met)
            })
        },
        || {},
    )
}
