//! From arguments to what is to be done.

use std::{path::PathBuf, time::Duration};

use anyhow::anyhow;

use super::{
    Effort, Profile,
    arms::{Difference, Side},
};
use crate::{
    cli::{data::same_data, exit::Failure},
    load::Turns,
    results::GatePlan,
    scenario::Scenario,
    target::Source,
};

const MILLISECOND: u64 = 1_000_000;

/// Standard deviation of the ratio of medians of a quad, on the logarithmic scale, as it was seen on two shared cores.
pub(super) const DEVIATION: f64 = 0.03;

/// Into so much time a whole number of turns has to fit: then either arm has as many in each second, and within two seconds comes as
/// often before the other as behind it.
const TURNS_IN: u64 = 500 * MILLISECOND;

/// The shortest turn: below it, switching from one arm to the other is much of it.
const SHORTEST_TURN: u64 = 5 * MILLISECOND;

/// Load before that of a block, about: whole cycles of turns are taken.
const WARMUP: u64 = 400 * MILLISECOND;

/// Length of the slices that another build makes, and of the load before them.
const FOREIGN_LENGTH: u64 = 500 * MILLISECOND;
const FOREIGN_WARMUP: u64 = 150 * MILLISECOND;

/// What a load takes besides itself: threads, connections, the last replies; and what another build takes for that and its
/// reports.
const LOAD: Duration = Duration::from_millis(150);
const FOREIGN_LOAD: Duration = Duration::from_millis(1_500);

/// What a block takes besides its slices: servers and their data.
const BLOCK: Duration = Duration::from_millis(1_500);

/// What is to be done.
#[derive(Debug)]
pub(in crate::cli) struct Errand {
    /// The scenario with what holds for both arms.
    pub(super) scenario: Scenario,
    /// A and B.
    pub(super) sides: [Side; 2],
    /// The plan; its rate is found out later where it is not given.
    pub(super) plan: GatePlan,
}

impl Errand {
    /// Two arms of a scenario. Everything that can be wrong with them is found here.
    pub(in crate::cli) fn new(
        scenario: Scenario,
        a: &[Difference],
        b: &[Difference],
        effort: &Effort,
    ) -> Result<Self, Failure> {
        let sides = [Side::of('a', &scenario, a)?, Side::of('b', &scenario, b)?];
        check(&sides)?;
        if effort.rate.is_some() && sides[0].scenario.offered_rate().is_none() {
            return Err(Failure::usage(anyhow!("--rate: no service has an open loop, so there is no rate to set")));
        }
        let mut plan = profile(effort.profile);
        if let Some(percent) = effort.threshold {
            plan.tail_threshold *= percent / 100.0 / plan.threshold;
            plan.threshold = percent / 100.0;
        }
        plan.floor_ns = effort.floor.as_nanos() as u64;
        let turn = effort.turn.as_nanos() as u64;
        if turn < SHORTEST_TURN || !TURNS_IN.is_multiple_of(turn) {
            return Err(Failure::usage(anyhow!(
                "--turn: 500ms, 250ms, 125ms, 100ms, 50ms, 25ms or another whole part of 500ms from 5ms on, so that either arm \
                 has as many turns in each second"
            )));
        }
        plan.window_ns = Some(turn);
        plan.warmup_ns = WARMUP.next_multiple_of(Turns::CYCLE * turn);
        plan.blocks = effort.blocks.unwrap_or(plan.blocks);
        plan.rate = effort.rate;
        plan.workers = effort.workers;
        plan.seed = scenario.seed;
        plan.advisory = advisory(&sides);
        if scenario.offered_rate().is_none() {
            // Closed loops are compared as they are; their slices tell both.
            plan.saturated_quads = 0;
        }
        if sides.iter().any(|side| side.exe.is_some()) {
            // Another process cannot be given its turns within a load.
            (plan.window_ns, plan.slice_ns, plan.warmup_ns) = (None, FOREIGN_LENGTH, FOREIGN_WARMUP);
        }
        Ok(Self { scenario, sides, plan })
    }

    /// The build that puts on the load of an arm, if it is another process: both are, where one is.
    pub(super) fn exe(&self, arm: usize) -> Option<PathBuf> {
        let [a, b] = &self.sides;
        let foreign = a.exe.is_some() || b.exe.is_some();
        foreign.then(|| self.sides[arm].exe.clone().or_else(|| std::env::current_exe().ok()))?
    }

    /// How long a stage takes.
    pub(super) fn expected_time(&self) -> Duration {
        let warmup = Duration::from_nanos(self.plan.warmup_ns);
        let load = match self.plan.window_ns {
            Some(_) => {
                let loads = if self.plan.saturated_quads > 0 { 2 } else { 1 };
                loads * (warmup + LOAD) + self.slices() / 2 * Duration::from_nanos(self.plan.slice_ns)
            }
            None => self.slices() * (Duration::from_nanos(self.plan.slice_ns) + warmup + FOREIGN_LOAD),
        };
        let whole = self.plan.blocks * (load + BLOCK);
        Duration::from_secs(whole.as_secs())
    }

    /// Slices of a block.
    pub(super) fn slices(&self) -> u32 {
        4 * (self.plan.quads + self.plan.saturated_quads)
    }
}

/// What each profile does. Lengths and numbers follow from how much slices, quads and blocks vary: docs/measurement.md.
fn profile(profile: Profile) -> GatePlan {
    let (name, threshold, blocks, quads, saturated_quads) = match profile {
        Profile::Quick => ("quick", 0.1, 8, 2, 1),
        Profile::Nightly => ("nightly", 0.05, 12, 6, 2),
    };
    GatePlan {
        profile: name.to_owned(),
        threshold,
        tail_threshold: 2.5 * threshold,
        floor_ns: 0,
        blocks,
        quads,
        window_ns: None,
        slice_ns: 1_000 * MILLISECOND,
        warmup_ns: WARMUP,
        saturated_quads,
        rate: None,
        workers: None,
        seed: 0,
        advisory: None,
    }
}

fn check([a, b]: &[Side; 2]) -> Result<(), Failure> {
    let wrong = |text: String| Err(Failure::usage(anyhow!(text)));
    if a.is_private() != b.is_private() {
        let (letter, other) = if a.is_private() { ('a', 'b') } else { ('b', 'a') };
        return wrong(format!(
            "--{letter}: a private server and one that runs already differ in more than can be said; give --{letter} a \
             target as well, or --{other} none"
        ));
    }
    if compared(&a.scenario) != compared(&b.scenario) {
        return wrong("the arms have different services or operations, so nothing can be compared".to_owned());
    }
    if a.scenario.offered_rate().is_some() != b.scenario.offered_rate().is_some() {
        return wrong("one arm has an open loop and the other has none, so nothing can be compared".to_owned());
    }
    if let (Source::Url(one), Source::Url(other)) = (&a.source, &b.source)
        && one.endpoint == other.endpoint
        && !same_data(&a.scenario, &b.scenario)
    {
        return wrong(format!("both arms are at {one} and need different data there; give them servers of their own"));
    }
    Ok(())
}

/// What is compared of a scenario: its services with their operations. That of one arm is held against that of the other by its place.
fn compared(scenario: &Scenario) -> Vec<(&str, &str)> {
    let operations =
        scenario.services.iter().flat_map(|service| service.operations.iter().map(move |of| (service, of)));
    operations.map(|(service, operation)| (service.name.as_str(), operation.name.as_str())).collect()
}

/// Why a regression would not be one of B alone.
fn advisory(sides: &[Side; 2]) -> Option<String> {
    let elsewhere = sides.iter().find(|side| !side.is_private())?;
    let Source::Url(url) = &elsewhere.source else { return None };
    Some(format!(
        "{url} was not started for this gate: what else its machine does, how long it runs and how its memory lies is the \
         same in every block, and would be taken for a difference of the arms"
    ))
}
