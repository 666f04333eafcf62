//! `plimsoll gate`.

mod announce;
mod args;
mod arms;
mod child;
mod loads;
mod plan;
mod servers;
mod session;

use std::time::Instant;

use super::{
    args::scenario::scenario,
    cleanup::Cleanup,
    exit::{Exit, Failure},
    interrupt::supervise,
    journal::Journal,
    lease::Lease,
    output::{self, Look},
    progress::Display,
};
pub(super) use args::{Arguments, Effort, Profile};
pub(super) use arms::{ArmArguments, Difference, difference};
pub(super) use plan::Task;
pub(super) use session::Session;

/// The saved gate in its folder.
pub(super) const FILE: &str = "gate.json";

pub(super) fn run(arguments: &Arguments, look: Look) -> Result<Exit, Failure> {
    let given = arguments.a.iter().chain(&arguments.b).any(Difference::is_target);
    let scenario = scenario(&arguments.scenario, !given, &arguments.fields.overrides())?;
    let tls = &arguments.tls.options();
    let arms = [
        ArmArguments { option: "--a", differences: &arguments.a, tls },
        ArmArguments { option: "--b", differences: &arguments.b, tls },
    ];
    let task = Task::new(scenario, arms, &arguments.effort)?;
    arguments.tls.check(task.uses_tls())?;
    let cleanup = Cleanup::default();
    let place = arguments.output.place(&format!("{}-gate", task.scenario.name));
    let journal = Journal::claim(&place, arguments.output.force, FILE, &cleanup)?;
    let display = Display::new(!arguments.output.quiet());
    let (voice, slow) = (display.clone(), display.clone());
    let (yes, quiet, format) = (arguments.consent.yes, arguments.output.quiet(), arguments.output.format());
    let held = cleanup.clone();
    let result = supervise(
        move |interrupt| {
            let lease = Lease::new(interrupt, display, held)?;
            Session { yes, quiet, task, journal, lease, began: Instant::now() }
                .carry_out(|report, folder| output::tell(&output::summary(report, format, look, folder, None)))
        },
        move || {
            voice.say("interrupted: ending the slice and reporting the results so far; Ctrl-C again ends the program");
        },
        move || slow.say_why_it_waits(),
    );
    cleanup.clear();
    result
}
