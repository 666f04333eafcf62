//! One gate from the claimed folder to the exit code.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::runtime::{self, Runtime};

use super::{Arguments, announce, child, concluded::ConcludedGate, plan::Errand, stand::Stand};
use crate::{
    analysis::gate::{SlicePlace, quad_of_arms, seed_of, series, slice, suspects},
    cli::{
        consent,
        environment::{environment, software},
        exit::{Exit, Failure},
        interrupt::Interrupt,
        journal::Journal,
        leftovers::Leftovers,
        output::{self, Colour},
        progress::Display,
        shape::{Shape, shaped},
    },
    load::{self, LoadError, Settings},
    measure::Recording,
    results::{Ended, GATE_VERSION, Gate, GateArm, GateBlock, GateStage, SliceKind, Software},
    scenario::Service,
};

/// Share of what the slower arm carries that both are loaded with: enough to notice service times, too little for queues to hide
/// them.
const SHARE: f64 = 0.5;

/// Length of a closed loop that finds out what an arm carries, and of the load before it.
const PILOT: Duration = Duration::from_secs(1);
const PILOT_WARMUP: Duration = Duration::from_millis(300);

/// What a gate needs to know and to hold.
pub(super) struct Session {
    pub(super) arguments: Arguments,
    pub(super) colour: Colour,
    pub(super) errand: Errand,
    pub(super) journal: Journal,
    pub(super) display: Display,
    pub(super) leftovers: Leftovers,
}

/// What is the same for every block.
struct Means<'a> {
    runtime: &'a Runtime,
    interrupt: &'a Interrupt,
    began: Instant,
}

impl Session {
    /// Blocks, the second stage if it is needed, report.
    pub(super) fn carry_out(mut self, interrupt: &Interrupt) -> Result<Exit, Failure> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::unusable)?;
        let means = Means { runtime: &runtime, interrupt, began: Instant::now() };
        let result = self.measure(&means).and_then(|gate| self.report(gate));
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
                consent::ask(facts, "", self.arguments.yes, &self.display, means.interrupt)?;
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
        let kinds = [(SliceKind::Paced, plan.quads), (SliceKind::Saturated, plan.saturated_quads)];
        for (kind, quads) in kinds {
            for quad in 0..quads {
                let overall = number * quads + quad;
                for (place, arm) in quad_of_arms(plan.seed, stage, kind, overall).into_iter().enumerate() {
                    self.show(stage, number, block.slices.len());
                    let shape = Shape {
                        rate: plan.rate.filter(|_| kind == SliceKind::Paced),
                        clients: (kind == SliceKind::Saturated).then(|| self.clients(arm as usize)),
                        warmup: Duration::from_nanos(plan.warmup_ns),
                        duration: Duration::from_nanos(plan.slice_ns),
                        seed: Some(seed_of(plan.seed, stage, kind, overall, place)),
                    };
                    let began_ns = means.began.elapsed().as_nanos() as u64;
                    let Some((recording, made_by)) = self.load(stand, arm as usize, shape, means)? else {
                        return Ok(None);
                    };
                    let place = SlicePlace { arm, kind, quad, began_ns };
                    if let Some(gate) = gate {
                        gate.arms[arm as usize].software = made_by;
                        if gate.series.is_empty() {
                            gate.series = series(&recording);
                        }
                    }
                    block.slices.push(slice(&recording, place));
                }
            }
        }
        Ok(Some(block))
    }

    /// What is known before the first slice; `None` where a person ended it.
    fn begin(&mut self, stand: &Stand, means: &Means<'_>) -> Result<Option<Gate>, Failure> {
        let mut capacity = None;
        if self.errand.plan.saturated_quads > 0 && self.errand.plan.rate.is_none() {
            self.display.step("Finding out what the arms carry");
            let mut carried = [0.0; 2];
            for (arm, carried) in carried.iter_mut().enumerate() {
                let shape = Shape {
                    clients: Some(self.clients(arm)),
                    warmup: PILOT_WARMUP,
                    duration: PILOT,
                    ..Shape::default()
                };
                let Some((recording, _)) = self.load(stand, arm, shape, means)? else { return Ok(None) };
                let place = SlicePlace { arm: arm as u32, kind: SliceKind::Saturated, quad: 0, began_ns: 0 };
                *carried = slice(&recording, place).throughput;
            }
            let slower = carried[0].min(carried[1]);
            if slower < 1.0 {
                return Err(Failure::unusable(anyhow::anyhow!("an arm answered nothing in a closed loop")));
            }
            self.errand.plan.rate = Some((SHARE * slower).round().max(1.0));
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
        let settings = Settings {
            workers: self.errand.plan.workers.map(usize::from),
            same_machine: stand.facts[arm].same_machine,
            ..Settings::default()
        };
        match load::run(&scenario, &stand.targets[arm], settings, means.interrupt.stop(), &mut |_| {}) {
            Ok(recording) if recording.period.interrupted => Ok(None),
            Ok(recording) => Ok(Some((recording, software()))),
            Err(LoadError::Interrupted) => Ok(None),
            Err(error) => Err(Failure::unusable(error)),
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
        if !self.arguments.quiet {
            self.display.say(text);
        }
    }

    /// Saves, then prints; what was measured is also printed where it could not be saved.
    fn report(&mut self, gate: Gate) -> Result<Exit, Failure> {
        self.display.step("Writing the report");
        let text = gate.to_json();
        let concluded = ConcludedGate::new(gate)?;
        let saved = self.journal.write(concluded.files(), text);
        self.display.clear();
        let folder = self.journal.folder().filter(|_| saved.is_ok());
        output::print(concluded.summary(self.arguments.format, self.colour, folder))?;
        saved?;
        Ok(concluded.exit())
    }
}
