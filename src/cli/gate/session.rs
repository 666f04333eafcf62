//! One gate from the claimed folder to the exit code.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use tokio::runtime::{self, Runtime};

use super::{announce, child, concluded::ConcludedGate, plan::Errand, stand::Stand, turns::both};
use crate::{
    analysis::gate::{SlicePlace, quad_of_arms, seed_of, series, slice, slices, suspects},
    cli::{
        consent,
        environment::{environment, software},
        exit::{Exit, Failure},
        interrupt::Interrupt,
        journal::Journal,
        leftovers::Leftovers,
        progress::Display,
        shape::{Shape, shaped},
    },
    load::{self, LoadError, Settings, Turns},
    measure::Recording,
    results::{Ended, GATE_VERSION, Gate, GateArm, GateBlock, GateSeries, GateSlice, GateStage, SliceKind, Software},
    scenario::{Scenario, Service},
};

/// Share of what the slower arm carries in a closed loop that neither is loaded beyond: there queues of the harness, which shares the
/// machine with a private server, say more than either arm.
const SHARE: f64 = 0.5;

/// Length of a closed loop that finds out what an arm carries, and of the load before it.
const PILOT: Duration = Duration::from_secs(2);
const PILOT_WARMUP: Duration = Duration::from_millis(400);

/// What a gate needs to know and to hold.
pub(in crate::cli) struct Session {
    /// Whether targets elsewhere are loaded without asking.
    pub(in crate::cli) yes: bool,
    /// Whether no plan is told.
    pub(in crate::cli) quiet: bool,
    pub(in crate::cli) errand: Errand,
    pub(in crate::cli) journal: Journal,
    pub(in crate::cli) display: Display,
    pub(in crate::cli) leftovers: Leftovers,
}

/// What is the same for every block.
struct Means<'a> {
    runtime: &'a Runtime,
    interrupt: &'a Interrupt,
    began: Instant,
}

/// Slices, what their histograms are about, and the build that put on the load of each arm.
type Made = (Vec<GateSlice>, Vec<GateSeries>, [Software; 2]);

/// Operations per second that a scenario asks for itself.
fn offered(scenario: &Scenario) -> f64 {
    scenario.services.iter().filter_map(Service::offered_rate).sum()
}

/// What a load has recorded; nothing where a person ended it.
fn loaded(made: Result<Recording, LoadError>) -> Result<Option<Recording>, Failure> {
    match made {
        Ok(recording) if recording.period.interrupted => Ok(None),
        Ok(recording) => Ok(Some(recording)),
        Err(LoadError::Interrupted) => Ok(None),
        Err(error) => Err(Failure::unusable(error)),
    }
}

impl Session {
    /// Blocks, the second stage if it is needed, report.
    ///
    /// `tell` is called with the verdict, and with the folder that it lies in unless it could not be saved.
    pub(in crate::cli) fn carry_out(
        mut self,
        interrupt: &Interrupt,
        tell: impl FnOnce(&ConcludedGate, Option<&Path>) -> Result<(), Failure>,
    ) -> Result<Exit, Failure> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::unusable)?;
        let means = Means { runtime: &runtime, interrupt, began: Instant::now() };
        let result = self.measure(&means).and_then(|gate| self.report(gate, tell));
        self.display.clear();
        result
    }

    fn measure(&mut self, means: &Means<'_>) -> Result<Gate, Failure> {
        let mut gate = None;
        let ended = self.stage(GateStage::Screen, &mut gate, means)?;
        let Some(mut gate) = gate else { return Err(Failure::interrupted()) };
        gate.ended = ended;
        if ended == Ended::Finished && suspects(&gate, &self.errand.scenario) {
            self.say("B seems worse than A: the same once more, on fresh blocks, which alone decides");
            let mut confirmed = Some(gate);
            let ended = self.stage(GateStage::Confirm, &mut confirmed, means);
            gate = confirmed.expect("a stage takes no gate away");
            gate.ended = ended?;
        }
        Ok(gate)
    }

    /// The blocks of a stage. Half a block is none.
    fn stage(&mut self, stage: GateStage, gate: &mut Option<Gate>, means: &Means<'_>) -> Result<Ended, Failure> {
        for number in 0..self.errand.plan.blocks {
            let block = match self.block_on_servers(stage, number, gate, means) {
                Ok(Some(block)) => block,
                Ok(None) => return Ok(Ended::Interrupted),
                // What was measured before is reported.
                Err(_) if means.interrupt.stop().is_requested() && gate.is_some() => return Ok(Ended::Interrupted),
                Err(failure) => return Err(self.unmade(number, failure)),
            };
            if let Some(gate) = gate {
                gate.blocks.push(block);
                self.journal.write(Vec::new(), gate.to_json())?;
            }
        }
        Ok(Ended::Finished)
    }

    /// A block from its servers' start to their end; `None` where a person ended it.
    fn block_on_servers(
        &mut self,
        stage: GateStage,
        number: u32,
        gate: &mut Option<Gate>,
        means: &Means<'_>,
    ) -> Result<Option<GateBlock>, Failure> {
        let quads = number * self.errand.plan.quads;
        let first = quad_of_arms(self.errand.plan.seed, stage, SliceKind::Paced, quads)[0] as usize;
        let mut stand =
            Stand::set_up(&self.errand.sides, first, means.runtime, &self.leftovers, &self.display, means.interrupt)?;
        let block = self.block(stage, number, &mut stand, gate, means);
        stand.tear_down(&self.errand.sides, means.runtime, &self.leftovers, &self.display, means.interrupt);
        block
    }

    /// Why a block could not be made, and where those before it are.
    fn unmade(&self, number: u32, failure: Failure) -> Failure {
        match self.journal.folder() {
            None => failure,
            Some(folder) => failure.within(&format!(
                "block {} could not be made; what was measured before is kept, see plimsoll report {}",
                number + 1,
                folder.display()
            )),
        }
    }

    /// One block; `None` where a person ended it.
    fn block(
        &mut self,
        stage: GateStage,
        number: u32,
        stand: &mut Stand,
        gate: &mut Option<Gate>,
        means: &Means<'_>,
    ) -> Result<Option<GateBlock>, Failure> {
        if gate.is_none() {
            for facts in &stand.facts {
                consent::ask(facts, "", self.yes, &self.display, means.interrupt)?;
            }
            self.say(&announce::plan(&self.errand, &stand.facts));
        }
        stand.prefill(&self.errand.sides, means.runtime, &self.display, means.interrupt)?;
        if gate.is_none() {
            let Some(begun) = self.begin(stand, means)? else { return Ok(None) };
            *gate = Some(begun);
        }
        let plan = self.errand.plan.clone();
        let mut block = GateBlock { stage, number, slices: Vec::new() };
        for (kind, quads) in [(SliceKind::Paced, plan.quads), (SliceKind::Saturated, plan.saturated_quads)] {
            if quads == 0 {
                continue;
            }
            let made = match plan.window_ns {
                Some(window) => self.in_turns(stand, (stage, kind), number, window, means)?,
                None => self.slice_by_slice(stand, (stage, kind), number, block.slices.len(), means)?,
            };
            let Some((slices, recorded, made_by)) = made else { return Ok(None) };
            if let Some(gate) = gate {
                for (arm, software) in gate.arms.iter_mut().zip(made_by) {
                    arm.software = software;
                }
                gate.series = recorded;
            }
            block.slices.extend(slices);
        }
        Ok(Some(block))
    }

    /// The quads of a kind in one load, in which the arms take turns.
    fn in_turns(
        &self,
        stand: &Stand,
        (stage, kind): (GateStage, SliceKind),
        block: u32,
        window: u64,
        means: &Means<'_>,
    ) -> Result<Option<Made>, Failure> {
        let plan = &self.errand.plan;
        let quads = if kind == SliceKind::Paced { plan.quads } else { plan.saturated_quads };
        let done = if kind == SliceKind::Paced { 0 } else { 4 * plan.quads as usize };
        self.show(stage, block, done);
        let shape = Shape {
            rate: plan.rate.filter(|_| kind == SliceKind::Paced),
            warmup: Duration::from_nanos(plan.warmup_ns),
            duration: 2 * quads * Duration::from_nanos(plan.slice_ns),
            seed: Some(seed_of(plan.seed, stage, kind, block, 0)),
            ..Shape::default()
        };
        // Which of them comes first in a cycle alternates from block to block.
        let first = quad_of_arms(plan.seed, stage, kind, block)[0] as usize;
        let began = means.began.elapsed() + Duration::from_nanos(plan.warmup_ns);
        let Some(recording) = self.both(stand, first, kind, shape, window, means)? else { return Ok(None) };
        let slices = slices(&recording, first as u32, kind, began.as_nanos() as u64);
        Ok(Some((slices, series(&recording, true), [software(), software()])))
    }

    /// Loads both arms in turns.
    fn both(
        &self,
        stand: &Stand,
        first: usize,
        kind: SliceKind,
        shape: Shape,
        window: u64,
        means: &Means<'_>,
    ) -> Result<Option<Recording>, Failure> {
        let of = |arm: usize| {
            let clients = (kind == SliceKind::Saturated).then(|| self.clients(arm));
            shaped(&self.errand.sides[arm].scenario, &Shape { clients, ..shape }).map_err(Failure::usage)
        };
        let (one, other) = (of(first)?, of(1 - first)?);
        let turns = Turns { window: Duration::from_nanos(window), half: one.services.len() };
        let settings = Settings { turns: Some(turns), ..self.settings(stand) };
        let target = stand.targets[first].beside(&stand.targets[1 - first]);
        loaded(load::run(&both(&one, &other), &target, settings, means.interrupt.stop(), &mut |_| {}))
    }

    /// The quads of a kind as loads of their own, one after another.
    fn slice_by_slice(
        &self,
        stand: &Stand,
        (stage, kind): (GateStage, SliceKind),
        block: u32,
        done: usize,
        means: &Means<'_>,
    ) -> Result<Option<Made>, Failure> {
        let plan = &self.errand.plan;
        let quads = if kind == SliceKind::Paced { plan.quads } else { plan.saturated_quads };
        let (mut made, mut recorded) = (Vec::new(), Vec::new());
        let mut made_by = [software(), software()];
        for quad in 0..quads {
            let overall = block * quads + quad;
            for (place, arm) in quad_of_arms(plan.seed, stage, kind, overall).into_iter().enumerate() {
                self.show(stage, block, done + made.len());
                let shape = Shape {
                    rate: plan.rate.filter(|_| kind == SliceKind::Paced),
                    clients: (kind == SliceKind::Saturated).then(|| self.clients(arm as usize)),
                    warmup: Duration::from_nanos(plan.warmup_ns),
                    duration: Duration::from_nanos(plan.slice_ns),
                    seed: Some(seed_of(plan.seed, stage, kind, overall, place)),
                };
                let began_ns = means.began.elapsed().as_nanos() as u64;
                let Some((recording, build)) = self.load(stand, arm as usize, shape, means)? else { return Ok(None) };
                made_by[arm as usize] = build;
                recorded = series(&recording, false);
                made.push(slice(&recording, SlicePlace { arm, kind, quad, began_ns }));
            }
        }
        Ok(Some((made, recorded, made_by)))
    }

    /// What is known before the first slice; `None` where a person ended it.
    fn begin(&mut self, stand: &Stand, means: &Means<'_>) -> Result<Option<Gate>, Failure> {
        let mut capacity = None;
        if self.errand.plan.saturated_quads > 0 && self.errand.plan.rate.is_none() {
            self.display.step("Finding out what the arms carry");
            let Some(carried) = self.pilot(stand, means)? else { return Ok(None) };
            let slower = carried[0].min(carried[1]);
            if slower < 1.0 {
                return Err(Failure::unusable(anyhow::anyhow!("an arm answered nothing in a closed loop")));
            }
            let own = self.errand.sides.iter().map(|side| offered(&side.scenario)).fold(f64::INFINITY, f64::min);
            self.errand.plan.rate = Some(own.min((SHARE * slower).round().max(1.0)));
            capacity = Some(carried);
        }
        let arm = |index: usize| GateArm {
            name: self.errand.sides[index].name.clone(),
            differences: self.errand.sides[index].differences.clone(),
            scenario: self.errand.sides[index].scenario.source.clone(),
            target: stand.facts[index].clone(),
            software: software(),
        };
        Ok(Some(Gate {
            schema_version: GATE_VERSION,
            software: software(),
            started: Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            scenario: self.errand.scenario.source.clone(),
            environment: environment(),
            arms: [arm(0), arm(1)],
            plan: self.errand.plan.clone(),
            capacity,
            series: Vec::new(),
            blocks: Vec::new(),
            ended: Ended::Running,
        }))
    }

    /// What each arm carries in a closed loop, in operations per second; `None` where a person ended it.
    fn pilot(&self, stand: &Stand, means: &Means<'_>) -> Result<Option<[f64; 2]>, Failure> {
        let shape = Shape { warmup: PILOT_WARMUP, duration: PILOT, ..Shape::default() };
        let kind = SliceKind::Saturated;
        let mut carried = [Vec::new(), Vec::new()];
        if let Some(window) = self.errand.plan.window_ns {
            let Some(recording) = self.both(stand, 0, kind, shape, window, means)? else { return Ok(None) };
            for slice in slices(&recording, 0, kind, 0) {
                carried[slice.arm as usize].push(slice.throughput);
            }
        } else {
            for (arm, carried) in carried.iter_mut().enumerate() {
                let shape = Shape { clients: Some(self.clients(arm)), ..shape };
                let Some((recording, _)) = self.load(stand, arm, shape, means)? else { return Ok(None) };
                let place = SlicePlace { arm: arm as u32, kind, quad: 0, began_ns: 0 };
                carried.push(slice(&recording, place).throughput);
            }
        }
        Ok(Some(carried.map(|rates| rates.iter().sum::<f64>() / rates.len().max(1) as f64)))
    }

    /// Puts a load on an arm, with another build if that is asked for; `None` where a person ended it.
    fn load(
        &self,
        stand: &Stand,
        arm: usize,
        shape: Shape,
        means: &Means<'_>,
    ) -> Result<Option<(Recording, Software)>, Failure> {
        let side = &self.errand.sides[arm];
        let scenario = shaped(&side.scenario, &shape).map_err(Failure::usage)?;
        if let (Some(exe), Some(address)) = (self.errand.exe(arm), &stand.addresses[arm]) {
            let run = child::run(&exe, &scenario, address, self.errand.plan.workers, means.interrupt)?;
            return Ok(run.map(|run| (run.recording, run.software)));
        }
        let settings = self.settings(stand);
        let made = load::run(&scenario, &stand.targets[arm], settings, means.interrupt.stop(), &mut |_| {});
        Ok(loaded(made)?.map(|recording| (recording, software())))
    }

    fn settings(&self, stand: &Stand) -> Settings {
        Settings {
            workers: self.errand.plan.workers.map(usize::from),
            same_machine: stand.facts.iter().any(|facts| facts.same_machine),
            ..Settings::default()
        }
    }

    /// As many closed-loop clients as an arm has connections, but no fewer than services.
    fn clients(&self, arm: usize) -> u32 {
        let services = &self.errand.sides[arm].scenario.services;
        services.iter().map(Service::connections).sum::<u64>().min(u64::from(u32::MAX)) as u32
    }

    fn show(&self, stage: GateStage, block: u32, slice: usize) {
        let (blocks, slices) = (self.errand.plan.blocks, self.errand.slices());
        let stage = if stage == GateStage::Confirm { "Confirming" } else { "Comparing" };
        let text = format!("{stage}: block {} of {blocks}, slice {} of {slices}", block + 1, slice + 1);
        let done = u64::from(block * slices) + slice as u64;
        self.display.gauge(text, done, u64::from(blocks * slices));
    }

    fn say(&self, text: &str) {
        if !self.quiet {
            self.display.say(text);
        }
    }

    /// Saves, then tells; what was measured is also told where it could not be saved.
    fn report(
        &mut self,
        gate: Gate,
        tell: impl FnOnce(&ConcludedGate, Option<&Path>) -> Result<(), Failure>,
    ) -> Result<Exit, Failure> {
        self.display.step("Writing the report");
        let text = gate.to_json();
        let concluded = ConcludedGate::new(gate)?;
        let saved = self.journal.write(concluded.files(), text);
        self.display.clear();
        let folder = self.journal.folder().filter(|_| saved.is_ok());
        tell(&concluded, folder)?;
        saved?;
        Ok(concluded.exit())
    }
}
