//! One gate from the claimed folder to the exit code.

use std::{path::Path, time::Instant};

use anyhow::anyhow;
use jiff::Timestamp;

use super::{
    announce,
    loads::{Loads, keep_series},
    plan::Task,
    servers::set_up,
};
use crate::{
    analysis::gate::{first_arm, suspects},
    cli::{
        consent,
        environment::{environment, software, stamp},
        exit::{Exit, Failure},
        journal::Journal,
        lease::{Lease, Tenant},
    },
    report::{
        GateReport,
        format::{limit, plain, rate},
    },
    results::{Ended, GATE_VERSION, Gate, GateArm, GateBlock, GateStage, Side, Sides, SliceKind},
};

/// Share of what the slower arm carries in a closed loop that neither is loaded beyond: there queues of the harness, which shares the
/// machine with a private server, say more than either arm.
const SHARE: f64 = 0.5;

/// Share of it beyond which a given rate is refused: requests of one arm that are not answered within its turns wait through those of
/// the other, so that both arms wait in the same queue and the ratio of any two goes to 1. Capacity varies by a few percent from second
/// to second, so there has to be room.
const MOST: f64 = 0.8;

/// State of a gate.
pub(in crate::cli) struct Session {
    /// Whether targets elsewhere are loaded without asking.
    pub(in crate::cli) yes: bool,
    /// Whether no plan is reported.
    pub(in crate::cli) quiet: bool,
    pub(in crate::cli) task: Task,
    pub(in crate::cli) journal: Journal,
    pub(in crate::cli) lease: Lease,
    /// Start of the gate, from which its slices count.
    pub(in crate::cli) began: Instant,
}

impl Session {
    /// Blocks, the second stage if it is needed, report.
    ///
    /// The callback gets the verdict, and its folder unless saving failed.
    pub(in crate::cli) fn carry_out(
        mut self,
        tell: impl FnOnce(&GateReport, Option<&Path>) -> Result<(), Failure>,
    ) -> Result<Exit, Failure> {
        let mut gate = None;
        let ended = self.stages(&mut gate);
        // A gate without a block is none.
        let gate = gate.filter(|gate: &Gate| !gate.blocks.is_empty());
        let result = match (ended, gate) {
            (Ok(ended), Some(gate)) => self.report(Gate { ended, ..gate }, tell),
            (Err(failure), Some(gate)) => Err(self.broken_off(gate, failure, tell)),
            (Ok(_), None) => Err(Failure::interrupted()),
            (Err(failure), None) => Err(failure),
        };
        self.lease.release();
        self.lease.display.clear();
        result
    }

    fn stages(&mut self, gate: &mut Option<Gate>) -> Result<Ended, Failure> {
        let ended = self.stage(GateStage::Screen, gate)?;
        let suspected = gate.as_ref().is_some_and(|gate| suspects(gate, &self.task.scenario));
        if ended == Ended::Finished && suspected {
            self.say("a regression of B is suspected: second stage, on fresh blocks, which alone decides");
            return self.stage(GateStage::Confirm, gate);
        }
        Ok(ended)
    }

    /// The blocks of a stage. An incomplete block does not count.
    fn stage(&mut self, stage: GateStage, gate: &mut Option<Gate>) -> Result<Ended, Failure> {
        for number in 0..self.task.plan.blocks {
            let block = match self.block_on_servers(stage, number, gate) {
                Ok(Some(block)) => block,
                Ok(None) => return Ok(Ended::Interrupted),
                // What was measured before is reported.
                Err(_) if self.lease.interrupt.stop().is_cancelled() && gate.is_some() => {
                    return Ok(Ended::Interrupted);
                }
                Err(failure) => return Err(failure.within(&format!("block {} failed", number + 1))),
            };
            if let Some(gate) = gate {
                gate.blocks.push(block);
                self.journal.write(Vec::new(), gate.to_json())?;
            }
        }
        Ok(Ended::Finished)
    }

    /// A block from its servers' start to their end; `None` where the user ended it.
    fn block_on_servers(
        &mut self,
        stage: GateStage,
        number: u32,
        gate: &mut Option<Gate>,
    ) -> Result<Option<GateBlock>, Failure> {
        let Task { sides, plan, .. } = &self.task;
        let first = first_arm(plan.seed, stage, number);
        let tenants = set_up(sides, (first, plan.window_ns.is_some()), &self.lease)?;
        let block = self.block(stage, number, &tenants, gate);
        // What cannot be removed now is removed at the end, or reported then.
        self.lease.clear();
        block
    }

    /// Reason why no more blocks could be made. The blocks so far are reported.
    fn broken_off(
        &mut self,
        gate: Gate,
        failure: Failure,
        tell: impl FnOnce(&GateReport, Option<&Path>) -> Result<(), Failure>,
    ) -> Failure {
        let lost = failure.exit == Exit::InvalidTargetOrMeasurement;
        // Where it could not be saved before, it need not be now.
        let ended = if lost { Ended::Lost } else { Ended::Running };
        let reported = self.report(Gate { ended, ..gate }, tell);
        if let (Err(unreported), true) = (reported, lost) {
            self.lease.display.say(&format!("error: {unreported}"));
        }
        failure
    }

    /// One block; `None` where the user ended it.
    fn block(
        &mut self,
        stage: GateStage,
        number: u32,
        tenants: &Sides<Tenant>,
        gate: &mut Option<Gate>,
    ) -> Result<Option<GateBlock>, Failure> {
        if gate.is_none() {
            let facts = tenants.as_ref().map(|tenant| &tenant.facts);
            self.task.spare(facts);
            let Lease { display, interrupt, .. } = &self.lease;
            let burden = self.task.burden(facts);
            for facts in facts.iter() {
                consent::ask(facts, &burden, self.yes, display, interrupt)?;
            }
            for tenant in tenants.iter() {
                self.lease.claim(tenant)?;
            }
            self.say(&announce::plan(&self.task, facts));
        }
        let first = first_arm(self.task.plan.seed, stage, number);
        for arm in [first, first.other()] {
            self.lease.fill(&tenants[arm])?;
        }
        if gate.is_none() {
            let Some(begun) = self.begin(tenants)? else { return Ok(None) };
            *gate = Some(begun);
        }
        let plan = &self.task.plan;
        let loads = self.loads(tenants);
        let mut block = GateBlock { stage, number, slices: Vec::new() };
        for (kind, quads) in [(SliceKind::Paced, plan.quads), (SliceKind::Saturated, plan.saturated_quads)] {
            if quads == 0 {
                continue;
            }
            let made = match plan.window_ns {
                Some(window) => loads.in_turns((stage, kind), number, window)?,
                None => loads.slice_by_slice((stage, kind), number, block.slices.len())?,
            };
            let Some((slices, recorded, made_by)) = made else { return Ok(None) };
            if let Some(gate) = gate {
                gate.arms.a.software = made_by.a;
                gate.arms.b.software = made_by.b;
                keep_series(&mut gate.series, recorded)?;
            }
            block.slices.extend(slices);
        }
        Ok(Some(block))
    }

    /// Facts before the first slice; `None` where the user ended it.
    fn begin(&mut self, tenants: &Sides<Tenant>) -> Result<Option<Gate>, Failure> {
        let mut capacity = None;
        let own = self.task.sides.iter().filter_map(|side| side.scenario.offered_rate()).reduce(f64::min);
        if let Some(own) = own {
            self.lease.display.step("Measuring the closed-loop throughput of the arms");
            let Some(carried) = self.loads(tenants).pilot()? else { return Ok(None) };
            self.task.plan.rate = Some(rate_within(carried, self.task.plan.rate, own)?);
            capacity = Some(carried);
        }
        let arm = |side: Side| GateArm {
            name: self.task.sides[side].name.clone(),
            differences: self.task.sides[side].differences.clone(),
            scenario: self.task.sides[side].scenario.source.clone(),
            target: tenants[side].facts.clone(),
            software: software(),
        };
        Ok(Some(Gate {
            schema_version: GATE_VERSION,
            software: software(),
            started: stamp(Timestamp::now()),
            scenario: self.task.scenario.source.clone(),
            environment: environment(),
            arms: Sides::each(arm),
            plan: self.task.plan.clone(),
            capacity,
            series: Vec::new(),
            blocks: Vec::new(),
            ended: Ended::Running,
        }))
    }

    fn loads<'a>(&'a self, tenants: &'a Sides<Tenant>) -> Loads<'a> {
        Loads { task: &self.task, tenants, lease: &self.lease, began: self.began }
    }

    fn say(&self, text: &str) {
        if !self.quiet {
            self.lease.display.say(text);
        }
    }

    /// Saves, then shows; what was measured is also reported where it could not be saved.
    fn report(
        &mut self,
        gate: Gate,
        tell: impl FnOnce(&GateReport, Option<&Path>) -> Result<(), Failure>,
    ) -> Result<Exit, Failure> {
        let measured = gate.to_json();
        let make = || GateReport::new(gate).map_err(Failure::usage);
        let report = self.journal.report(measured, &self.lease.display, make, tell)?;
        Ok(Exit::of_ended(report.gate.ended, report.verdict()))
    }
}

/// The rate of both arms by what they carry in a closed loop: the one that was given, or the scenario's own as far as there is room.
fn rate_within(carried: Sides<f64>, given: Option<f64>, own: f64) -> Result<f64, Failure> {
    let slower = carried.a.min(carried.b);
    if slower < 1.0 {
        return Err(Failure::unusable(anyhow!("an arm answered no request of a closed loop")));
    }
    match given {
        Some(given) if given > MOST * slower => Err(Failure::usage(anyhow!(
            "--rate: {} is too high: closed-loop throughput is {} for A and {} for B, and beyond {} of the slower arm \
             both wait in one queue: use at most --rate {:.0}",
            plain(&rate(given)),
            plain(&rate(carried.a)),
            plain(&rate(carried.b)),
            plain(&limit(MOST)),
            (MOST * slower).floor(),
        ))),
        Some(given) => Ok(given),
        None => Ok(own.min((SHARE * slower).round().max(1.0))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CARRIED: Sides<f64> = Sides { a: 9_000.0, b: 8_000.0 };

    #[test]
    fn a_rate_that_an_arm_does_not_carry_is_refused_and_the_own_one_lowered() {
        assert_eq!(rate_within(CARRIED, None, 5_000.0).unwrap().round() as u64, 4_000);
        assert_eq!(rate_within(CARRIED.map(|rate| 10.0 * rate), None, 5_000.0).unwrap().round() as u64, 5_000);
        assert_eq!(rate_within(CARRIED, Some(6_400.0), 5_000.0).unwrap().round() as u64, 6_400);
        let failure = rate_within(CARRIED, Some(6_401.0), 5_000.0).unwrap_err();
        assert!(failure.exit == Exit::Usage && failure.to_string().contains("at most --rate 6400"), "{failure}");
        assert!(
            rate_within(Sides { b: 0.0, ..CARRIED }, Some(5.0), 5.0)
                .unwrap_err()
                .to_string()
                .contains("answered no request")
        );
    }
}
