//! One shard of a run: the part of the load that this process sends, between an agreed instant and the end of the drain. It does not
//! write data, observe the server or remove anything.

mod args;
pub(super) mod lines;
mod number;
mod ready;
mod worker;

use tokio::runtime::Builder;

use super::{
    args::output::OutputArgs,
    cleanup::{Cleanup, claim},
    conclude::save_and_conclude,
    exit::{Exit, Failure},
    interrupt::supervise,
    output,
    progress::Display,
};
use crate::{
    results::{ClockReference, Run, SHARD_FILE, shard_files},
    scenario::Scenario,
    target::{Source, Target},
};
pub(super) use args::ShardArgs;
use number::sharing;
pub(super) use ready::moment;
use ready::{Part, Ready};
pub(super) use worker::{Arguments, JOB, SHARD, UNFOLLOWED, run as work};

/// `plimsoll run --shard`: sends one part of the load, and saves its recording for `plimsoll merge`.
pub(super) fn run(
    arguments: &ShardArgs,
    (scenario, source, workers): (Scenario, Source, Option<usize>),
    output: &OutputArgs,
) -> Result<Exit, Failure> {
    let (shard, start) = arguments.resolve()?;
    ShardArgs::check(&scenario, &source, shard)?;
    let place = output.place(&format!("{}-shard-{}", scenario.name, shard.number()));
    let folder = claim(&place, output.force)?;
    let cleanup = Cleanup::default();
    cleanup.hold_folder(folder);
    let display = Display::new(!output.quiet());
    let (voice, slow, held) = (display.clone(), display.clone(), cleanup.clone());
    let part = Part { scenario, shard, workers, sharing: sharing(), turns: None, calibrates: true };
    let result = supervise(
        move |interrupt| {
            let runtime = Builder::new_current_thread().enable_all().build().map_err(Failure::unusable)?;
            display.step("Checking the target");
            let ready = runtime.block_on(interrupt.or(async {
                let (target, _) = Target::prepare(source, &part.scenario).await?;
                Ready::prepare(part, target).await
            }))?;
            if ready.clock(None).reference == ClockReference::Machine {
                display.say("warning: the server does not answer TIME: the start goes by the clock of this machine");
            }
            let run = ready.carry_out(|| Some(start), (&interrupt, interrupt.stop()), &display, |_| (), None)?;
            save(&run, &held, &display)
        },
        move || voice.say("interrupted: ending early; Ctrl-C again ends the program"),
        move || slow.say_why_it_waits(),
    );
    cleanup.clear();
    result
}

/// Saves a part, and says what comes next.
fn save(run: &Run, cleanup: &Cleanup, display: &Display) -> Result<Exit, Failure> {
    let interrupted = run.recording.period.interrupted;
    let text = run.to_json();
    let folder = cleanup.take_folder().ok_or_else(Failure::no_folder)?;
    let shard = run.shard.as_ref().map(|shard| format!("Shard {} of {}", shard.number, shard.of)).unwrap_or_default();
    let headline = format!(
        "{shard}: {} requests fell due, recorded for `plimsoll merge`{}.",
        run.recording.scheduled(),
        if interrupted { "; interrupted" } else { "" }
    );
    let files = shard_files(&text, &headline);
    let ((), place) = save_and_conclude(folder, (SHARD_FILE, text.as_bytes()), || Ok(((), files)))?;
    cleanup.let_go_of_folder();
    display.clear();
    let place = place?;
    output::tell(&format!(
        "{headline}\nSaved in {}. Merge all shards with `plimsoll merge DIR...`.\n",
        place.display()
    ))?;
    Ok(if interrupted { Exit::Interrupted } else { Exit::Success })
}
