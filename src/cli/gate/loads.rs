//! The loads of a gate: both arms in turns, or one after the other where another build puts on the load.

use std::time::{Duration, Instant};

use anyhow::anyhow;

use super::{child, plan::Task};
use crate::{
    analysis::gate::{SlicePlace, quad_of_arms, seed_of, series, slice, slices},
    cli::{
        environment::software,
        exit::Failure,
        lease::{Lease, Tenant},
        shape::{Shape, shaped},
        turns::{InTurns, loaded},
    },
    load::{self, Settings},
    measure::Recording,
    results::{GateSeries, GateSlice, GateStage, Side, Sides, SliceKind, Software},
};

/// Length of a closed loop that finds out what an arm carries, and of the load before it.
const PILOT: Duration = Duration::from_secs(2);
const PILOT_WARMUP: Duration = Duration::from_millis(400);

/// Slices, what their histograms are about, and the build that put on the load of each arm.
pub(super) type Made = (Vec<GateSlice>, Vec<GateSeries>, Sides<Software>);

/// Takes what a load recorded for what all of the gate do. Histograms belong to operations by their place, so others are refused.
pub(super) fn keep_series(known: &mut Vec<GateSeries>, recorded: Vec<GateSeries>) -> Result<(), Failure> {
    if !known.is_empty() && *known != recorded {
        let why = "the arms recorded different services or operations and cannot be compared";
        return Err(Failure::unusable(anyhow!(why)));
    }
    *known = recorded;
    Ok(())
}

/// What the loads of a block are made with.
pub(super) struct Loads<'a> {
    pub(super) task: &'a Task,
    pub(super) tenants: &'a Sides<Tenant>,
    pub(super) lease: &'a Lease,
    /// Start of the gate.
    pub(super) began: Instant,
}

impl Loads<'_> {
    /// The quads of a kind in one load, in which the arms take turns.
    pub(super) fn in_turns(
        &self,
        (stage, kind): (GateStage, SliceKind),
        block: u32,
        window: u64,
    ) -> Result<Option<Made>, Failure> {
        let plan = &self.task.plan;
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
        let first = quad_of_arms(plan.seed, stage, kind, block)[0];
        let began = self.began.elapsed() + Duration::from_nanos(plan.warmup_ns);
        let Some(recording) = self.both(first, kind, shape, window)? else { return Ok(None) };
        let slices = slices(&recording, first, kind, began.as_nanos() as u64);
        Ok(Some((slices, series(&recording, true), Sides::each(|_| software()))))
    }

    /// Loads both arms in turns.
    fn both(&self, first: Side, kind: SliceKind, shape: Shape, window: u64) -> Result<Option<Recording>, Failure> {
        let of = |arm: Side| {
            let clients = (kind == SliceKind::Saturated).then(|| self.clients(arm));
            shaped(&self.task.sides[arm].scenario, &Shape { clients, ..shape }).map_err(Failure::usage)
        };
        let (one, other) = (of(first)?, of(first.other())?);
        let arms = [(&one, &self.tenants[first].target), (&other, &self.tenants[first.other()].target)];
        let both = InTurns::new(arms, Duration::from_nanos(window));
        let settings = both.settings(self.settings());
        loaded(load::run(&both.scenario, &both.target, settings, self.lease.interrupt.stop(), &mut |_| {}))
    }

    /// The quads of a kind as loads of their own, one after another.
    pub(super) fn slice_by_slice(
        &self,
        (stage, kind): (GateStage, SliceKind),
        block: u32,
        done: usize,
    ) -> Result<Option<Made>, Failure> {
        let plan = &self.task.plan;
        let quads = if kind == SliceKind::Paced { plan.quads } else { plan.saturated_quads };
        let (mut made, mut recorded) = (Vec::new(), Vec::new());
        let mut made_by = Sides::each(|_| software());
        for quad in 0..quads {
            let overall = block * quads + quad;
            for (place, arm) in quad_of_arms(plan.seed, stage, kind, overall).into_iter().enumerate() {
                self.show(stage, block, done + made.len());
                let shape = Shape {
                    rate: plan.rate.filter(|_| kind == SliceKind::Paced),
                    clients: (kind == SliceKind::Saturated).then(|| self.clients(arm)),
                    warmup: Duration::from_nanos(plan.warmup_ns),
                    duration: Duration::from_nanos(plan.slice_ns),
                    seed: Some(seed_of(plan.seed, stage, kind, overall, place)),
                };
                let began_ns = self.began.elapsed().as_nanos() as u64;
                let Some((recording, build)) = self.load(arm, shape)? else { return Ok(None) };
                made_by[arm] = build;
                keep_series(&mut recorded, series(&recording, false))?;
                made.push(slice(&recording, SlicePlace { arm, kind, quad, began_ns }));
            }
        }
        Ok(Some((made, recorded, made_by)))
    }

    /// Throughput of each arm in a closed loop, in operations per second; `None` where the user ended it.
    pub(super) fn pilot(&self) -> Result<Option<Sides<f64>>, Failure> {
        let shape = Shape { warmup: PILOT_WARMUP, duration: PILOT, ..Shape::default() };
        let kind = SliceKind::Saturated;
        let mut carried = Sides::<Vec<f64>>::default();
        if let Some(window) = self.task.plan.window_ns {
            // Seconds are measured from the start of a cycle of turns.
            let shape = Shape { warmup: Duration::from_nanos(self.task.plan.warmup_ns), ..shape };
            let Some(recording) = self.both(Side::A, kind, shape, window)? else { return Ok(None) };
            for slice in slices(&recording, Side::A, kind, 0) {
                carried[slice.arm].push(slice.throughput);
            }
        } else {
            for arm in [Side::A, Side::B] {
                let shape = Shape { clients: Some(self.clients(arm)), ..shape };
                let Some((recording, _)) = self.load(arm, shape)? else { return Ok(None) };
                let place = SlicePlace { arm, kind, quad: 0, began_ns: 0 };
                carried[arm].push(slice(&recording, place).throughput);
            }
        }
        Ok(Some(carried.map(|rates| rates.iter().sum::<f64>() / rates.len().max(1) as f64)))
    }

    /// Puts a load on an arm, with another build if that is asked for; `None` where the user ended it.
    fn load(&self, arm: Side, shape: Shape) -> Result<Option<(Recording, Software)>, Failure> {
        let side = &self.task.sides[arm];
        let scenario = shaped(&side.scenario, &shape).map_err(Failure::usage)?;
        if let (Some(exe), Some(address)) = (self.task.exe(arm), &self.tenants[arm].login) {
            let order = child::Order { exe: &exe, scenario: &scenario, address, workers: self.task.plan.workers };
            let run = child::run(&order, &self.lease.cleanup, &self.lease.interrupt)?;
            return Ok(run.map(|run| (run.recording, run.software)));
        }
        let settings = self.settings();
        let made = load::run(&scenario, &self.tenants[arm].target, settings, self.lease.interrupt.stop(), &mut |_| {});
        Ok(loaded(made)?.map(|recording| (recording, software())))
    }

    fn settings(&self) -> Settings {
        Settings {
            workers: self.task.plan.workers.map(usize::from),
            same_machine: self.tenants.iter().any(|tenant| tenant.facts.same_machine),
            ..Settings::default()
        }
    }

    /// As many closed-loop clients as an arm has connections.
    fn clients(&self, arm: Side) -> u32 {
        u32::try_from(self.task.sides[arm].scenario.connections()).unwrap_or(u32::MAX)
    }

    fn show(&self, stage: GateStage, block: u32, slice: usize) {
        let (blocks, slices) = (self.task.plan.blocks, self.task.slices());
        let stage = if stage == GateStage::Confirm { "Confirming" } else { "Comparing" };
        let text = format!("{stage}: block {} of {blocks}, slice {} of {slices}", block + 1, slice + 1);
        let done = u64::from(block * slices) + slice as u64;
        self.lease.display.bar(text, done, u64::from(blocks * slices));
    }
}
