//! One trial: a whole run of a variant, with the server watched, and what is left of it; and one block of two pool sizes in turns.

use std::time::Duration;

use anyhow::anyhow;
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
        exit::{Exit, Failure},
        lease::{Lease, Tenant},
        scale::{Fleet, Load, Sent, Watchers},
        shape::{Shape, shaped},
        turns::InTurns,
    },
    dependency,
    load::{self, LoadError, Phase, Progress, Settings},
    measure::{ErrorClass, Recording, SeriesRecord, Timeframe},
    results::{Generator, Inspection, PoolBlock, Run, SCHEMA_VERSION, Sides, TargetFacts, Trial},
    scenario::Scenario,
    target::{Observed, Target},
};

/// State shared by all trials.
pub(super) struct Stage {
    /// The server as each variant uses it.
    pub(super) tenants: Vec<Tenant>,
    pub(super) facts: TargetFacts,
    /// State of the server before the first trial.
    pub(super) inspection: Inspection,
    pub(super) workers: Option<usize>,
    /// Root of all randomness.
    pub(super) seed: u64,
    /// Generators that send the load; `None` where this process does.
    pub(super) fleet: Option<Fleet>,
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
    generators: Vec<Generator>,
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
        &mut self,
        plan: TrialPlan,
        turn: Turn,
        lease: &Lease,
        on_progress: &mut dyn FnMut(&Progress),
    ) -> Result<Option<(Run, Trial)>, Failure> {
        let settings = self.settings();
        let Self { tenants, fleet, .. } = self;
        let Tenant { target, scenario: arm, .. } = &tenants[plan.arm as usize];
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
        let trial = Attempt { scenario: &scenario, target, halves: vec![(&scenario, target)], settings };
        let Some(loaded) = watched(&trial, fleet.as_mut(), lease, &mut show, follow)? else { return Ok(None) };
        let Watched { recording, generators, observed, cut } = loaded;
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
            generators,
            load_failure: None,
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
        &mut self,
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
        let (settings, seed) = (self.settings(), self.seed);
        let Self { tenants, fleet, .. } = self;
        let arms = Sides { a: plan.from, b: plan.to }.map(|arm| &tenants[arm as usize]);
        let of = |arm: &Tenant| shaped(&arm.scenario, &shape).map_err(Failure::usage);
        let scenarios = Sides { a: of(arms.a)?, b: of(arms.b)? };
        let first = first_of_block(seed, &plan);
        let order = [first, first.other()].map(|side| (&scenarios[side], &arms[side].target));
        let both = InTurns::new(order, Duration::from_nanos(plan.turn_ns));
        let settings = both.settings(settings);
        let mut show = |progress: Progress| on_progress(&progress);
        let block = Attempt { scenario: &both.scenario, target: &both.target, halves: order.to_vec(), settings };
        let Some(loaded) = watched(&block, fleet.as_mut(), lease, &mut show, |_| {})? else { return Ok(None) };
        if lost_connections(&loaded.recording) {
            lease.wait(arms.b.target.preflight(&arms.b.scenario))?;
        }
        let recorded = (&loaded.recording, loaded.generators.as_slice());
        Ok(Some(pool_block(recorded, &loaded.observed.server, &plan, first, began_ns)))
    }

    fn settings(&self) -> Settings {
        Settings { workers: self.workers, same_machine: self.facts.same_machine, ..Settings::default() }
    }
}

/// A load to put on.
struct Attempt<'a> {
    scenario: &'a Scenario,
    target: &'a Target,
    /// The same as one scenario, or two that take turns.
    halves: Vec<(&'a Scenario, &'a Target)>,
    settings: Settings,
}

/// Puts a load on, with the server watched, and stopped by too many errors; `None` where the user ended it.
fn watched(
    attempt: &Attempt<'_>,
    fleet: Option<&mut Fleet>,
    lease: &Lease,
    on_progress: &mut dyn FnMut(Progress),
    on_start: impl FnOnce(&Timeframe),
) -> Result<Option<Watched>, Failure> {
    let Attempt { scenario, target, settings, .. } = attempt;
    let stop = lease.interrupt.stop().child_token();
    let brake = Brake::new(stop.clone());
    let mut observation = target.observe();
    let begin = |frame: Timeframe| {
        on_start(&frame);
        observation.begin(frame);
    };
    let on_second = Some(brake.on_second(scenario));
    let sent = match fleet {
        None => load::run_observed(scenario, target, *settings, &stop, on_progress, begin, on_second)
            .map(|recording| (recording, Vec::new()))
            .map_err(Failure::from),
        Some(fleet) => {
            let load = Load {
                scenario,
                halves: attempt.halves.clone(),
                turn: settings.turns.map(|turns| turns.window),
                workers: settings.workers,
                calibrates: false,
                clock: lease.clock(target)?,
            };
            let watchers = Watchers { display: &lease.display, stop: &stop, on_progress, on_second };
            let sent = fleet.load(&load, watchers, begin);
            sent.and_then(|Sent { recording, generators, failure }| match failure {
                Some(_) if lease.interrupt.stop().is_cancelled() => Err(Failure::interrupted()),
                Some(failure) => Err(Failure::unusable(anyhow!(failure.sentence()))),
                None => Ok((recording, generators)),
            })
        }
    };
    let (recording, generators) = match sent {
        Ok(sent) => sent,
        Err(failure) if failure.exit == Exit::Interrupted => return Ok(None),
        Err(failure) => return Err(failure),
    };
    if let Some(worker) = recording.panicked() {
        return Err(Failure::unusable(LoadError::Panicked { worker }));
    }
    let cut = brake.cut();
    if recording.period.interrupted && cut.is_none() {
        return Ok(None);
    }
    Ok(Some(Watched { recording, generators, observed: observation.finish(), cut }))
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
