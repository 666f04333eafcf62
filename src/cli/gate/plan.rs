//! From arguments to what is to be done.

use std::{path::PathBuf, time::Duration};

use anyhow::anyhow;

use super::{Arguments, Profile, arms::Side};
use crate::{
    cli::{data::same_data, exit::Failure},
    results::GatePlan,
    scenario::{self, Overrides, Scenario, Service},
    target::Source,
};

const MILLISECOND: u64 = 1_000_000;

/// Lengths that a slice may have: long enough for the hypervisor's counters, short enough for turns.
const SHORTEST: u64 = 100 * MILLISECOND;
const LONGEST: u64 = 60_000 * MILLISECOND;

/// Standard deviation of the ratio of medians of a quad, on the logarithmic scale, as it was seen on two shared cores.
pub(super) const DEVIATION: f64 = 0.05;

/// What a slice takes besides its load: threads, connections, the last replies; and what another build takes for that and its
/// reports.
const SLICE: Duration = Duration::from_millis(120);
const FOREIGN_SLICE: Duration = Duration::from_millis(1_500);

/// What a block takes besides its slices: servers and their data.
const BLOCK: Duration = Duration::from_millis(1_500);

/// What is to be done.
#[derive(Debug)]
pub(super) struct Errand {
    /// The scenario with what holds for both arms.
    pub(super) scenario: Scenario,
    /// A and B.
    pub(super) sides: [Side; 2],
    /// The plan; its rate is found out later where it is not given.
    pub(super) plan: GatePlan,
}

impl Errand {
    /// What the arguments ask for. Everything that can be wrong with them is found here.
    pub(super) fn of(arguments: &Arguments) -> Result<Self, Failure> {
        let overrides = Overrides { seed: arguments.seed, set: arguments.set.clone(), ..Overrides::default() };
        let source = scenario::source(&arguments.scenario).map_err(Failure::usage)?;
        let scenario = overrides.apply(&source.text, &source.file).map_err(Failure::usage)?;
        let sides = [Side::of('a', &scenario, &arguments.a)?, Side::of('b', &scenario, &arguments.b)?];
        check(&sides)?;
        if arguments.rate.is_some() && !has_rate(&sides[0].scenario) {
            return Err(Failure::usage(anyhow!("--rate: no service has an open loop, so there is no rate to set")));
        }
        let mut plan = profile(arguments.profile);
        if let Some(percent) = arguments.threshold {
            plan.tail_threshold *= percent / 100.0 / plan.threshold;
            plan.threshold = percent / 100.0;
        }
        plan.floor_ns = arguments.floor.as_nanos() as u64;
        if let Some(slice) = arguments.slice {
            plan.slice_ns = slice.as_nanos() as u64;
            plan.warmup_ns = plan.warmup_ns.min(plan.slice_ns / 2);
            if !(SHORTEST..=LONGEST).contains(&plan.slice_ns) {
                return Err(Failure::usage(anyhow!("--slice: from 100ms to 60s")));
            }
        }
        plan.blocks = arguments.blocks.unwrap_or(plan.blocks);
        plan.rate = arguments.rate;
        plan.workers = arguments.workers;
        plan.seed = scenario.seed;
        plan.advisory = advisory(&sides);
        if !has_rate(&scenario) {
            // Closed loops are compared as they are; their slices tell both.
            plan.saturated_quads = 0;
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
        let besides = if self.exe(0).is_some() { FOREIGN_SLICE } else { SLICE };
        let slice = Duration::from_nanos(self.plan.slice_ns + self.plan.warmup_ns) + besides;
        let whole = self.plan.blocks * (self.slices() * slice + BLOCK);
        Duration::from_secs(whole.as_secs())
    }

    /// Slices of a block.
    pub(super) fn slices(&self) -> u32 {
        4 * (self.plan.quads + self.plan.saturated_quads)
    }
}

/// Whether requests fall due on a schedule.
pub(super) fn has_rate(scenario: &Scenario) -> bool {
    scenario.services.iter().any(|service| Service::offered_rate(service).is_some())
}

/// What each profile does. Lengths and numbers follow from how much slices, quads and blocks vary: docs/measurement.md.
fn profile(profile: Profile) -> GatePlan {
    let (name, threshold, blocks, quads) = match profile {
        Profile::Quick => ("quick", 0.1, 8, 2),
        Profile::Nightly => ("nightly", 0.05, 12, 5),
    };
    GatePlan {
        profile: name.to_owned(),
        threshold,
        tail_threshold: 2.5 * threshold,
        floor_ns: 0,
        blocks,
        quads,
        slice_ns: 500 * MILLISECOND,
        warmup_ns: 150 * MILLISECOND,
        saturated_quads: 1,
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
    let names = |side: &Side| side.scenario.services.iter().map(|service| service.name.clone()).collect::<Vec<_>>();
    if names(a) != names(b) {
        return wrong("the arms have different services, so nothing can be compared".to_owned());
    }
    if has_rate(&a.scenario) != has_rate(&b.scenario) {
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

/// Why a regression would not be one of B alone.
fn advisory(sides: &[Side; 2]) -> Option<String> {
    let elsewhere = sides.iter().find(|side| !side.is_private())?;
    let Source::Url(url) = &elsewhere.source else { return None };
    Some(format!(
        "{url} was not started for this gate: what else its machine does, how long it runs and how its memory lies is the \
         same in every block, and would be taken for a difference of the arms"
    ))
}
