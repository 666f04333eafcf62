//! One run from the parts that several processes recorded of it. What does not belong together is refused: a sum of other parts
//! would be a number of no run.

use std::collections::BTreeMap;

use thiserror::Error;

use super::{generators::misalignment, spans::union};
use crate::{
    measure::{Nanos, PackedHistogram, Recording, SECOND, SeriesRecord, SeriesRole, ServiceRecord, WorkerRecord},
    results::{Generator, Run, ServiceSilence, ShardRecord},
};

/// Parts whose recordings are added up at once: memory is that of this number of recordings, however many parts there are.
pub(crate) const BATCH: usize = 16;

/// Misalignment of a start from which the parts are not of one load.
pub(in crate::analysis) const APART: Nanos = 250_000_000;

/// Reason why recordings are no run together.
#[derive(Debug, Clone, PartialEq, Error)]
#[expect(missing_docs, reason = "each message says what its variant and its fields mean")]
pub enum MergeError {
    #[error("{place} is no shard but a whole run: merge the folders of `plimsoll run --shard`")]
    Whole { place: String },
    #[error("{first} and {second} are both shard {number} of {of}: give each folder once")]
    Doubled { first: String, second: String, number: u32, of: u32 },
    #[error(
        "{missing} missing of {of}: the sum would lack requests. Give the folders of all shards, or repeat the run"
    )]
    Missing { missing: String, of: u32 },
    #[error("{place} and {first} differ in {what}: they are no parts of one run")]
    Differs { place: String, first: String, what: &'static str },
    #[error(
        "{place} began {by_ms} ms apart from the agreed start, more than the {} ms that parts of one load may: repeat the run with \
         a later start (--start-at, --start-in)",
        APART / 1_000_000
    )]
    Apart { place: String, by_ms: u64 },
    #[error(
        "{place} was interrupted, or its harness failed: the load of the others was not that of the scenario. Repeat the run"
    )]
    Ended { place: String },
    #[error(
        "{place} does not account for its requests of {service}: {scheduled} fell due, {accounted} were completed, failed or unfinished"
    )]
    Accounts { place: String, service: String, scheduled: u64, accounted: u64 },
    #[error(
        "the shards sent {sent} requests of {service} in the measured period, but the scenario has {due}: at least one of them did \
         not send its part"
    )]
    Schedule { service: String, sent: u64, due: u64 },
}

/// The parts of a run so far.
#[derive(Debug, Default)]
pub struct Merger {
    parts: BTreeMap<u32, Part>,
    /// What is common to all, from the first part; its recording is empty.
    common: Option<(String, Run)>,
    recordings: Vec<Recording>,
    errors: Vec<MergeError>,
    /// Whether the user ended the run early, all parts at about the same time.
    interrupted: bool,
}

#[derive(Debug)]
struct Part {
    place: String,
    generator: Generator,
    workers: Vec<WorkerRecord>,
}

impl Merger {
    /// Takes parts that end early from now on: the user ended the run.
    pub fn interrupt(&mut self) {
        self.interrupted = true;
    }

    /// Recordings that it holds: the sum of those before, and those that were added since.
    #[cfg(test)]
    pub(crate) fn held(&self) -> &[Recording] {
        &self.recordings
    }

    /// Adds the part that was read from a place.
    pub fn add(&mut self, place: &str, mut run: Run) {
        let place = place.to_owned();
        let Some(shard) = run.shard.clone() else {
            self.errors.push(MergeError::Whole { place });
            return;
        };
        let nothing = Recording::empty(run.recording.period);
        let mut recording = std::mem::replace(&mut run.recording, nothing);
        self.check_alone(&place, &recording);
        let generator = generator(&run, shard.clone(), &recording);
        let apart = misalignment(&generator);
        if apart > APART {
            self.errors.push(MergeError::Apart { place: place.clone(), by_ms: apart / 1_000_000 });
        }
        let workers = std::mem::take(&mut recording.workers);
        if let Some((first, common)) = &self.common {
            self.errors.extend(differences(common, &run).map(|what| MergeError::Differs {
                place: place.clone(),
                first: first.clone(),
                what,
            }));
        }
        // That of the least number, in whichever order they come.
        let of_common = self.common.as_ref().and_then(|(_, common)| common.shard.as_ref());
        if of_common.is_none_or(|common| shard.number < common.number) {
            self.common = Some((place.clone(), run));
        }
        if let Some(first) = self.parts.get(&shard.number) {
            let (first, second) = (first.place.clone(), place);
            self.errors.push(MergeError::Doubled { first, second, number: shard.number, of: shard.of });
            return;
        }
        self.parts.insert(shard.number, Part { place, generator, workers });
        self.recordings.push(recording);
        if self.recordings.len() == BATCH {
            self.recordings = vec![Recording::sum(std::mem::take(&mut self.recordings))];
        }
    }

    /// What one part has to fulfil by itself.
    fn check_alone(&mut self, place: &str, recording: &Recording) {
        let period = recording.period;
        let place = || place.to_owned();
        let is_short = period.interrupted || period.measured_ns < period.planned_ns;
        if recording.panicked().is_some() || is_short && !self.interrupted {
            self.errors.push(MergeError::Ended { place: place() });
        }
        for service in &recording.services {
            let accounted = of_service(recording, &service.name).map(accounted).sum();
            let scheduled = service.scheduled;
            if scheduled != accounted {
                let service = service.name.clone();
                self.errors.push(MergeError::Accounts { place: place(), service, scheduled, accounted });
            }
        }
    }

    /// The run. `scheduled` is the number of requests of each service that fall due in its measured period, where there is a
    /// schedule.
    ///
    /// # Errors
    ///
    /// All reasons why the parts are none.
    pub fn finish(self, scheduled: impl FnOnce(&str) -> Vec<Option<u64>>) -> Result<Run, Vec<MergeError>> {
        let Self { parts, common, recordings, mut errors, interrupted } = self;
        let Some((_, common)) = common else { return Err(errors) };
        let of = common.shard.as_ref().map_or(1, |shard| shard.of);
        let missing: Vec<u32> = (0..of).filter(|number| !parts.contains_key(number)).collect();
        if !missing.is_empty() {
            errors.push(MergeError::Missing { missing: listed(&missing), of });
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let mut recording = Recording::sum(recordings);
        let due = if interrupted { Vec::new() } else { scheduled(&common.scenario) };
        for (service, due) in recording.services.iter().zip(due) {
            if let Some(due) = due.filter(|due| *due != service.scheduled) {
                errors.push(MergeError::Schedule { service: service.name.clone(), sent: service.scheduled, due });
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let mut generators = Vec::new();
        for part in parts.into_values() {
            generators.push(part.generator);
            recording.workers.extend(part.workers);
        }
        Ok(Run { recording, generators, shard: None, calibration: None, ..common })
    }
}

/// What two parts of one run have in common and these do not.
fn differences(one: &Run, other: &Run) -> impl Iterator<Item = &'static str> {
    let (own, others) = (one.shard.as_ref(), other.shard.as_ref());
    let software = |run: &Run| (run.software.version.clone(), run.software.commit.clone());
    let product = |run: &Run| [&run.target.product, &run.target.version, &run.target.mode].map(String::clone);
    let planned = |run: &Run| (run.recording.period.planned_ns, run.recording.period.warmup_ns);
    let clock = |shard: &ShardRecord| shard.clock.reference;
    [
        (own.map(|shard| shard.of) != others.map(|shard| shard.of), "the number of shards"),
        (one.scenario != other.scenario, "the scenario"),
        (software(one) != software(other), "the version of plimsoll"),
        (one.software.fred != other.software.fred, "the version of fred"),
        (one.software.profile != other.software.profile, "the build profile of plimsoll"),
        (product(one) != product(other), "product, version or mode of the server"),
        (own.map(|shard| &shard.server) != others.map(|shard| &shard.server), "the server"),
        (own.map(|shard| &shard.start) != others.map(|shard| &shard.start), "the agreed start"),
        (own.map(clock) != others.map(clock), "the clock that the start was agreed by"),
        (planned(one) != planned(other), "the length of the run"),
    ]
    .into_iter()
    .filter_map(|(differs, what)| differs.then_some(what))
}

fn generator(run: &Run, shard: ShardRecord, recording: &Recording) -> Generator {
    let operations = || recording.series.iter().filter(|series| series.key.role == SeriesRole::Operation);
    let responses = operations().flat_map(|series| series.seconds.iter().map(|second| &second.response));
    let lags = recording.services.iter().flat_map(|service| service.seconds.iter().map(|second| &second.lag));
    let totals: Vec<_> = operations().map(SeriesRecord::totals).collect();
    Generator {
        shard,
        environment: run.environment.clone(),
        same_machine: run.target.same_machine,
        workers: recording.workers.len() as u32,
        scheduled: recording.scheduled(),
        completed: totals.iter().map(|counts| counts.completed).sum(),
        failed: totals.iter().map(crate::measure::Counts::failed).sum(),
        unfinished: operations().map(|series| series.unfinished).sum(),
        response: PackedHistogram::sum(responses),
        lag: PackedHistogram::sum(lags),
        host: recording.host.clone(),
        silences: silences(recording),
        calibration: run.calibration,
    }
}

/// Long silences of each service. Each is cut where a second ends.
fn silences(recording: &Recording) -> Vec<ServiceSilence> {
    let of = |record: &ServiceRecord| {
        let all = record.seconds.iter().flat_map(|second| second.silences.iter().copied());
        let mut spans = union(all.collect());
        spans.retain(|span| span.length() >= SECOND);
        (!spans.is_empty()).then(|| ServiceSilence { service: record.name.clone(), spans })
    };
    recording.services.iter().filter_map(of).collect()
}

fn of_service<'a>(recording: &'a Recording, service: &'a str) -> impl Iterator<Item = &'a SeriesRecord> {
    let is_own =
        move |series: &&SeriesRecord| series.key.role == SeriesRole::Operation && series.key.service == service;
    recording.series.iter().filter(is_own)
}

fn accounted(series: &SeriesRecord) -> u64 {
    let totals = series.totals();
    totals.completed + totals.failed() + series.unfinished
}

/// `shard 2` or `shards 1, 3 and 4`, with `is` or `are`.
fn listed(numbers: &[u32]) -> String {
    let words: Vec<_> = numbers.iter().map(u32::to_string).collect();
    match words.as_slice() {
        [] => String::new(),
        [only] => format!("shard {only} is"),
        [first @ .., last] => format!("shards {} and {last} are", first.join(", ")),
    }
}
