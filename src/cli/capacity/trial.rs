//! One trial: a whole run of a variant, with the server watched, and what is left of it; and one block of two pool sizes in turns.

use std::time::Duration;

use jiff::Timestamp;

use super::brake::Brake;
use crate::{
    analysis::{
        Cut, Occasion, analyse,
        capacity::{BlockPlan, TrialPlan, first_of_block, pool_block, seed_of, seed_of_block},
        digest,
    },
    cli::{
        environment::{environment, software, stamp},
        exit::Failure,
        interrupt::Interrupt,
        lease::{Lease, Tenant},
        shape::{Shape, shaped},
        turns::InTurns,
    },
    dependency,
    load::{self, LoadError, Phase, Progress, Settings},
    measure::{ErrorClass, Recording, SeriesRecord, Timeframe},
    results::{Inspection, PoolBlock, Run, SCHEMA_VERSION, Sides, TargetFacts, Trial},
    scenario::Scenario,
    target::{Observed, Target},
};

/// State shared by all trials.
#[derive(Debug)]
pub(super) struct Stage {
    /// The server as each variant uses it.
    pub(super) tenants: Vec<Tenant>,
    pub(super) facts: TargetFacts,
    /// State of the server before the first trial.
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

/// What a load recorded, and what the server said meanwhile.
struct Watched {
    recording: Recording,
    observed: Observed,
    /// What had happened when errors stopped it; `None` where they did not.
    cut: Option<Cut>,
}

impl Stage {
    /// Carries a trial out; `None` if the user interrupted it: an incomplete trial does not count.
    ///
    /// # Errors
    ///
    /// Where it cannot be made, or the server went away and cut it: of a server that has gone nothing is known.
    pub(super) fn carry_out(
        &self,
        plan: TrialPlan,
        turn: Turn,
        lease: &Lease,
        on_progress: &mut dyn FnMut(&Progress),
    ) -> Result<Option<(Run, Trial)>, Failure> {
        let Tenant { target, scenario: arm, .. } = &self.tenants[plan.arm as usize];
        let seed = seed_of(self.seed, turn.number);
        let scenario = shaped(arm, &shape_of(&plan, Some(seed))).map_err(Failure::usage)?;
        let dependencies = dependency::Watch::begin(&scenario.dependencies);
        let mut started = None;
        let mut show = |progress: Progress| {
            if progress.phase == Phase::Measuring && started.is_none() {
                started = Some(Timestamp::now() - progress.elapsed);
            }
            on_progress(&progress);
        };
        let follow = |frame: &Timeframe| dependencies.follow(frame);
        let Some(loaded) = watched(&scenario, target, self.settings(), &lease.interrupt, &mut show, follow)? else {
            return Ok(None);
        };
        let Watched { recording, observed, cut } = loaded;
        let run = Run {
            schema_version: SCHEMA_VERSION,
            software: software(),
            started: stamp(started.unwrap_or_else(Timestamp::now)),
            scenario: scenario.source.clone(),
            target: self.facts.clone(),
            environment: environment(),
            recording,
            server: observed.server,
            nodes: observed.nodes,
            inspection: self.inspection.clone(),
            dependencies: dependencies.finish(),
            events: Vec::new(),
            write_audit: None,
            calibration: None,
            client_cost: None,
            shard: None,
            generators: Vec::new(),
        };
        if lost_connections(&run.recording) {
            lease.wait(target.preflight(arm))?;
        }
        let analysis = analyse(&run, &scenario);
        let Turn { number, began_ns } = turn;
        let occasion = Occasion { number, plan, began_ns, folder: format!("trials/{number:03}"), cut };
        let trial = digest(&run, &scenario, &analysis, occasion);
        Ok(Some((run, trial)))
    }

    /// Loads two pool sizes in turns, the smaller one first in `arms`; `None` where the user ended it.
    ///
    /// # Errors
    ///
    /// As for a trial.
    pub(super) fn compare(
        &self,
        plan: BlockPlan,
        began_ns: u64,
        lease: &Lease,
        on_progress: &mut dyn FnMut(&Progress),
    ) -> Result<Option<PoolBlock>, Failure> {
        let shape = Shape {
            rate: Some(plan.rate),
            clients: None,
            warmup: Duration::from_nanos(plan.warmup_ns),
            duration: Duration::from_nanos(plan.duration_ns),
            seed: Some(seed_of_block(self.seed, &plan)),
        };
        let arms = Sides { a: plan.from, b: plan.to }.map(|arm| &self.tenants[arm as usize]);
        let of = |arm: &Tenant| shaped(&arm.scenario, &shape).map_err(Failure::usage);
        let scenarios = Sides { a: of(arms.a)?, b: of(arms.b)? };
        let first = first_of_block(self.seed, &plan);
        let order = [first, first.other()].map(|side| (&scenarios[side], &arms[side].target));
        let both = InTurns::new(order, Duration::from_nanos(plan.turn_ns));
        let settings = both.settings(self.settings());
        let mut show = |progress: Progress| on_progress(&progress);
        let Some(loaded) = watched(&both.scenario, &both.target, settings, &lease.interrupt, &mut show, |_| {})? else {
            return Ok(None);
        };
        if lost_connections(&loaded.recording) {
            lease.wait(arms.b.target.preflight(&arms.b.scenario))?;
        }
        Ok(Some(pool_block(&loaded.recording, &loaded.observed.server, &plan, first, began_ns)))
    }

    fn settings(&self) -> Settings {
        Settings { workers: self.workers, same_machine: self.facts.same_machine, ..Settings::default() }
    }
}

/// Puts a load on, with the server watched, and stopped by too many errors; `None` where the user ended it.
fn watched(
    scenario: &Scenario,
    target: &Target,
    settings: Settings,
    interrupt: &Interrupt,
    on_progress: &mut dyn FnMut(Progress),
    on_start: impl FnOnce(&Timeframe),
) -> Result<Option<Watched>, Failure> {
    let stop = interrupt.stop().child_token();
    let brake = Brake::new(stop.clone());
    let mut observation = target.observe();
    let begin = |frame: Timeframe| {
        on_start(&frame);
        observation.begin(frame);
    };
    let on_second = Some(brake.on_second(scenario));
    let recording = match load::run_observed(scenario, target, settings, &stop, on_progress, begin, on_second) {
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
    Ok(Some(Watched { recording, observed: observation.finish(), cut }))
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
