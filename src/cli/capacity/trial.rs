//! One trial: a whole run of a variant, with the server watched, and what is left of it.

use std::time::Duration;

use jiff::Timestamp;
use tokio::runtime::Runtime;

use super::brake::Brake;
use crate::{
    analysis::{
        Occasion, analyse,
        capacity::{TrialPlan, seed_of},
        digest,
    },
    cli::{
        environment::{environment, software},
        exit::Failure,
        interrupt::Interrupt,
        shape::{Shape, shaped},
    },
    dependency,
    load::{self, LoadError, Phase, Progress, Settings},
    measure::{ErrorClass, Recording, SeriesRecord},
    results::{Inspection, Run, SCHEMA_VERSION, TargetFacts, Trial},
    scenario::Scenario,
    target::Target,
};

/// What is the same for every trial.
#[derive(Debug)]
pub(super) struct Stage<'a> {
    pub(super) runtime: &'a Runtime,
    /// The way to the server for each variant.
    pub(super) targets: &'a [Target],
    pub(super) facts: TargetFacts,
    /// What the server was like before the first trial.
    pub(super) inspection: Inspection,
    pub(super) workers: Option<usize>,
    /// Root of all randomness.
    pub(super) seed: u64,
}

/// The place of a trial in the capacity run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Turn {
    /// Its number, from 1.
    pub(super) number: u32,
    /// When it begins, in nanoseconds since the capacity run did.
    pub(super) began_ns: u64,
}

impl Stage<'_> {
    /// Carries a trial out; `None` where a person ended it, for half a trial is none.
    ///
    /// # Errors
    ///
    /// Where it cannot be made, or the server went away and cut it: of a server that has gone nothing is known.
    pub(super) fn carry_out(
        &self,
        arm: &Scenario,
        plan: TrialPlan,
        turn: Turn,
        interrupt: &Interrupt,
        on_progress: &mut dyn FnMut(&Progress),
    ) -> Result<Option<(Run, Trial)>, Failure> {
        let target = &self.targets[plan.arm as usize];
        let seed = seed_of(self.seed, &plan, turn.number);
        let scenario = shaped(arm, &shape_of(&plan, Some(seed))).map_err(Failure::usage)?;
        let dependencies = dependency::Watch::begin(&scenario.dependencies);
        let settings = Settings { workers: self.workers, same_machine: self.facts.same_machine, ..Settings::default() };
        let stop = interrupt.stop().child_token();
        let brake = Brake::new(stop.clone());
        let mut observation = target.observe();
        let mut started = None;
        let mut show = |progress: Progress| {
            if progress.phase == Phase::Measuring && started.is_none() {
                started = Some(Timestamp::now() - progress.elapsed);
            }
            on_progress(&progress);
        };
        let on_start = |frame: crate::measure::Timeframe| {
            dependencies.follow(&frame);
            observation.begin(frame);
        };
        let on_second = Some(brake.on_second(&scenario));
        let recording = load::run_observed(&scenario, target, settings, &stop, &mut show, on_start, on_second);
        let recording = match recording {
            Ok(recording) => recording,
            Err(LoadError::Interrupted) => return Ok(None),
            Err(error) => return Err(Failure::unusable(error)),
        };
        if let Some(worker) = recording.panicked() {
            return Err(Failure::unusable(LoadError::Panicked { worker }));
        }
        let cut = brake.cut();
        if recording.period.interrupted && cut.is_none() {
            return Ok(None);
        }
        let run = Run {
            schema_version: SCHEMA_VERSION,
            software: software(),
            started: started.unwrap_or_else(Timestamp::now).strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            scenario: scenario.source.clone(),
            target: self.facts.clone(),
            environment: environment(),
            recording,
            server: observation.finish(),
            inspection: self.inspection.clone(),
            dependencies: dependencies.finish(),
            calibration: None,
        };
        if lost_connections(&run.recording) {
            self.runtime.block_on(interrupt.or(target.preflight(arm)))?;
        }
        let analysis = analyse(&run, &scenario);
        let Turn { number, began_ns } = turn;
        let occasion = Occasion { number, plan, began_ns, folder: format!("trials/{number:03}"), cut };
        let trial = digest(&run, &scenario, &analysis, occasion);
        Ok(Some((run, trial)))
    }
}

/// The load of a trial, with requests by a seed; by that of its variant where it is `None`.
pub(super) fn shape_of(plan: &TrialPlan, seed: Option<u64>) -> Shape {
    Shape {
        rate: plan.offered,
        clients: plan.clients,
        warmup: Duration::from_nanos(plan.warmup_ns),
        duration: Duration::from_nanos(plan.duration_ns),
        seed,
    }
}

/// Whether connections broke during a run.
fn lost_connections(recording: &Recording) -> bool {
    let of = |series: &SeriesRecord| series.totals().errors.contains_key(&ErrorClass::ConnectionLost);
    recording.series.iter().any(of)
        || recording.services.iter().flat_map(|service| &service.seconds).any(|at| at.lost > 0)
}
