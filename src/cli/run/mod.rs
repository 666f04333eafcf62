//! `plimsoll run`.

mod args;
mod client_cost;
mod session;
mod telemetry;

use super::{
    baseline::held,
    cleanup::{Cleanup, claim},
    exit::{Exit, Failure},
    interrupt::supervise,
    lease::Lease,
    output::{self, Look},
    progress::Display,
    scale::Launch,
    shard,
};
use crate::{analysis::baseline::refusing_fields, report, results::Baselines, scenario::Scenario};
pub(super) use args::{Arguments, Command};
pub(super) use session::{Base, RunOptions, Session};
use telemetry::Telemetry;

pub(super) fn run(command: &Command, look: Look) -> Result<Exit, Failure> {
    let arguments = &command.run;
    if command.shard.is_wanted() {
        let workers = arguments.harness.workers.map(usize::from);
        let part = (arguments.scenario()?, arguments.target.source()?, workers);
        return shard::run(&command.shard, part, &arguments.output);
    }
    launched(arguments, look, |_| Ok(None))
}

/// A run whose load comes from this process, or from those that are launched.
pub(super) fn launched(
    arguments: &Arguments,
    look: Look,
    launch: impl FnOnce(&Scenario) -> Result<Option<Launch>, Failure>,
) -> Result<Exit, Failure> {
    let source = arguments.target.source()?;
    let scenario = arguments.scenario()?;
    let launch = launch(&scenario)?;
    if arguments.client_cost {
        client_cost::check(&scenario)?;
    }
    let baselines = Baselines::of(arguments.output.results());
    let base = arguments.baseline.as_deref().map(|word| held(word, &baselines)).transpose()?;
    // Before the folder: where it cannot listen, nothing has happened.
    let telemetry = arguments.metrics.map(|address| Telemetry::open(address, &scenario)).transpose()?;
    let place = arguments.output.place(&scenario.name);
    let folder = claim(&place, arguments.output.force)?;

    let cleanup = Cleanup::default();
    cleanup.hold_folder(folder);
    let display = Display::new(!arguments.output.quiet());
    if let (Some(telemetry), false) = (&telemetry, arguments.output.quiet()) {
        display.say(&format!("metrics are at {}", telemetry.url()));
    }
    if let Some(held) = base.as_ref().filter(|_| !arguments.comparison.allows_differences()) {
        let refusing = refusing_fields(&held.runs, &scenario.source);
        let listed: Vec<_> = refusing.iter().map(report::difference_in_words).collect();
        if !listed.is_empty() {
            // Before minutes of load, and not an error: the measurement is worth something by itself.
            display.say(&format!(
                "warning: the run will not be compared: the scenario differs from {}: {}; --allow-differences compares \
                 nevertheless",
                held.name,
                listed.join("; ")
            ));
        }
    }
    let (voice, slow, unreported) = (display.clone(), display.clone(), cleanup.clone());
    let (format, style) = (arguments.output.format(), arguments.style);
    let base = base.map(|held| Base {
        held,
        place,
        options: arguments.comparison.options(),
        decides: arguments.fail_on_regression,
    });
    let (options, held) = (arguments.options(), cleanup.clone());
    let result = supervise(
        move |interrupt| {
            let session = Session::new(options, scenario, Lease::new(interrupt, display, held)?);
            session
                .with_telemetry(telemetry)
                .with_launch(launch)
                .with_baseline(base)
                .carry_out(source, |report, folder| output::tell(&output::summary(report, format, look, folder, style)))
        },
        move || {
            let what = if unreported.holds_folder() { "early and reporting the results so far" } else { "now" };
            voice.say(&format!("interrupted: ending {what}; Ctrl-C again ends the program"));
        },
        move || slow.say_why_it_waits(),
    );
    cleanup.clear();
    result
}
