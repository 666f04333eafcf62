//! A shard from the first contact with its server to its recording.

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::{
    cli::{
        environment::{environment, host_name, software, stamp},
        exit::Failure,
        interrupt::Interrupt,
        progress::Display,
    },
    load::{self, LoadError, OnSecond, Settings, Turns},
    results::{
        Calibration, ClockRecord, ClockReference, Inspection, Reference, Run, SCHEMA_VERSION, ShardRecord, TargetFacts,
    },
    scenario::{Scenario, Shard},
    target::{self, Observation, ReferenceTime, Target},
};

/// What a shard sends, and where to.
pub(super) struct Part {
    pub(super) scenario: Scenario,
    pub(super) shard: Shard,
    pub(super) workers: Option<usize>,
    /// Further processes on this machine that send parts of the same load.
    pub(super) sharing: u32,
    /// Whether two halves of the services take turns.
    pub(super) turns: Option<Turns>,
    /// Whether the speed of the machine is measured.
    pub(super) calibrates: bool,
}

/// A shard that knows its server and the time, and has not begun.
pub(super) struct Ready {
    part: Part,
    target: Target,
    facts: TargetFacts,
    time: ReferenceTime,
    server: Option<String>,
    reference: Option<Reference>,
}

impl Ready {
    /// Reaches the server, and compares the clocks.
    pub(super) async fn prepare(part: Part, target: Target) -> Result<Self, Failure> {
        let facts = target.facts().await?;
        let time = target.time().await.unwrap_or_else(|_| ReferenceTime::of_machine());
        let server = target.clock_run_id().await;
        let reference = if part.calibrates { target::reference().await.ok() } else { None };
        Ok(Self { part, target, facts, time, server, reference })
    }

    /// Whether the server is on this machine.
    pub(super) fn is_at_server(&self) -> bool {
        self.facts.same_machine
    }

    /// Run ID of the server.
    pub(super) fn server(&self) -> Option<&str> {
        self.server.as_deref()
    }

    /// The clocks, compared a second time where that is done.
    pub(super) fn clock(&self, again: Option<ReferenceTime>) -> ClockRecord {
        let is_server = self.time.uncertainty().is_some();
        ClockRecord {
            reference: if is_server { ClockReference::Server } else { ClockReference::Machine },
            offset_ns: self.time.offset(),
            uncertainty_ns: self.time.uncertainty().map(|error| error.as_nanos() as u64),
            drift_ns: again.filter(|_| is_server).map(|again| again.drift_since(&self.time)),
        }
    }

    /// Opens the connections, and sends the part of the load from an instant on, in nanoseconds since 1970 on the reference clock, that
    /// `start` then gives; nothing where the user ended it meanwhile. `stop` ends the load early.
    pub(super) fn carry_out(
        self,
        start: impl FnOnce() -> Option<i128>,
        (interrupt, stop): (&Interrupt, &CancellationToken),
        display: &Display,
        on_begin: impl FnOnce(u64),
        on_second: Option<OnSecond>,
    ) -> Result<Run, Failure> {
        let Self { part, target, facts, .. } = &self;
        let Part { scenario, shard, workers, sharing, turns, .. } = part;
        let settings = Settings {
            workers: *workers,
            same_machine: facts.same_machine,
            shard: *shard,
            sharing: *sharing,
            turns: *turns,
            ..Settings::default()
        };
        let agreed = Cell::new(None);
        let (late, mut display) = (Cell::new(0), display.clone());
        let begin = || {
            let start = start().ok_or(LoadError::Interrupted)?;
            let begin = self.time.instant(start).ok_or(LoadError::NotReady { late: Duration::MAX })?;
            agreed.set(Some((start, begin)));
            Ok(begin)
        };
        let on_start = |_| {
            let begin = agreed.get().map_or_else(Instant::now, |(_, begin)| begin);
            late.set(Instant::now().saturating_duration_since(begin).as_nanos() as u64);
            on_begin(late.get());
        };
        let mut show = |progress| display.load(&progress);
        let recording = load::run_shard(scenario, target, settings, stop, begin, &mut show, on_start, on_second)?;
        let start = agreed.get().map_or(0, |(start, _)| start);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::unusable)?;
        let (after, reference_after) = runtime.block_on(async {
            let again = interrupt.finish(async { target.time().await.ok() }).await.flatten();
            let reference = async { if part.calibrates { target::reference().await.ok() } else { None } };
            (again, interrupt.finish(reference).await.flatten())
        });
        let warmup = i128::from(recording.period.warmup_ns);
        Ok(Run {
            schema_version: SCHEMA_VERSION,
            software: software(),
            started: stamp(moment(start + warmup)?),
            scenario: scenario.source.clone(),
            target: facts.clone(),
            environment: environment(),
            recording,
            server: Observation::none().finish().server,
            nodes: Vec::new(),
            inspection: Inspection::default(),
            dependencies: Vec::new(),
            events: Vec::new(),
            write_audit: None,
            calibration: self.reference.zip(reference_after).map(|(before, after)| Calibration { before, after }),
            client_cost: None,
            shard: Some(ShardRecord {
                number: part.shard.number(),
                of: part.shard.of(),
                host: host_name(),
                start: moment(start)?.to_string(),
                clock: self.clock(after),
                late_ns: late.get(),
                server: self.server.clone(),
            }),
            generators: Vec::new(),
            load_failure: None,
        })
    }
}

/// A moment in nanoseconds since 1970.
pub(in crate::cli) fn moment(nanos: i128) -> Result<Timestamp, Failure> {
    Timestamp::from_nanosecond(nanos).map_err(Failure::usage)
}
