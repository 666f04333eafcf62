//! What is left of a load that failed: the seconds that all generators have reported.

use std::time::Duration;

use super::{
    agreement::lost,
    load::{Load, Sent},
    running::Running,
};
use crate::{
    analysis::MergeError,
    cli::{
        exit::Failure,
        shard::{
            lines::{Contact, Introduction},
            moment,
        },
    },
    load::{Relay, Tally},
    measure::{Nanos, nanos},
    results::{Generator, LoadFailure, ShardRecord},
    workload::scheduled,
};

/// Reasons why parts are no run, as one.
pub(super) fn listed(errors: &[MergeError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// A load that failed so long after the start of its warm-up, which was agreed in nanoseconds since 1970: what was reported of it, unless that is
/// less than a second.
pub(super) fn failed(
    reason: String,
    running: &Running,
    load: &Load<'_>,
    (after_ns, start): (Nanos, i64),
    relay: Relay,
) -> Result<Sent, Failure> {
    let mut so_far = load.scenario.clone();
    let measured = Duration::from_nanos(after_ns).saturating_sub(so_far.run.warmup);
    so_far.run.duration = measured.min(so_far.run.duration);
    let after_ns = nanos(so_far.run.duration);
    let due = if load.turn.is_some() { None } else { scheduled(&so_far).into_iter().sum() };
    let reported = relay.tallies().iter().map(|tally| tally.completed + tally.failed).sum();
    let failure = LoadFailure { reason, after_ns, due, reported };
    let start = moment(start.into())?.to_string();
    let tallies = relay.tallies().iter().zip(running.known());
    let generators = tallies.map(|(tally, known)| generator(known, tally, running.generators(), &start)).collect();
    match relay.into_recording() {
        Some(recording) => Ok(Sent { recording, generators, failure: Some(failure) }),
        None => Err(lost(format!("invalid: {}. Repeat the run", failure.sentence()))),
    }
}

fn generator(
    (number, introduction, contact, late_ns): (u32, &Introduction, &Contact, Nanos),
    tally: &Tally,
    of: u32,
    start: &str,
) -> Generator {
    Generator {
        shard: ShardRecord {
            number,
            of,
            host: introduction.host.clone(),
            start: start.to_owned(),
            clock: contact.clock,
            late_ns,
            server: contact.server.clone(),
        },
        environment: introduction.environment.clone(),
        same_machine: contact.same_machine,
        workers: 0,
        scheduled: tally.scheduled,
        completed: tally.completed,
        failed: tally.failed,
        unfinished: 0,
        response: tally.response.pack(),
        lag: tally.lag.pack(),
        host: Vec::new(),
        silences: Vec::new(),
        calibration: None,
    }
}
