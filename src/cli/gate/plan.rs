//! From arguments to what is to be done.

use std::{path::PathBuf, time::Duration};

use anyhow::anyhow;

use super::{
    args::{Effort, Profile},
    arms::{ArmArguments, GatedArm},
};
use crate::{
    cli::{args::scenario::refuse_for_runs, data::same_data, exit::Failure},
    load::Turns,
    report::format::{count, plain, rate},
    results::{Advisory, GatePlan, Side, Sides, TargetFacts, brief_address},
    scenario::{PasswordSource, Scenario, Service},
    target::Source,
};

const MILLISECOND: u64 = 1_000_000;

/// Standard deviation of the ratio of medians of a quad, on the logarithmic scale, as it was seen on two shared cores.
const DEVIATION: f64 = 0.03;

/// The same where each slice is a load of its own, which another build makes.
const FOREIGN_DEVIATION: f64 = 0.17;

/// Into this much time a whole number of turns has to fit: then either arm has as many in each second, and within two seconds comes as
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

/// Time of a block besides its slices: servers and their data; and for servers that have to find each other.
const BLOCK: Duration = Duration::from_millis(1_500);
const ASSEMBLY: Duration = Duration::from_secs(3);

/// Task.
#[derive(Debug)]
pub(in crate::cli) struct Task {
    /// The scenario with what holds for both arms.
    pub(super) scenario: Scenario,
    /// A and B.
    pub(super) sides: Sides<GatedArm>,
    /// The plan; its rate is found out later where it is not given.
    pub(super) plan: GatePlan,
    /// Whether targets that are not this machine are loaded in closed loops as well.
    pub(super) saturate: bool,
}

impl Task {
    /// Two arms of a scenario. Everything that can be wrong with them is found here.
    pub(in crate::cli) fn new(
        scenario: Scenario,
        [a, b]: [ArmArguments<'_>; 2],
        effort: &Effort,
    ) -> Result<Self, Failure> {
        refuse_for_runs(&scenario, "a gate")?;
        let sides = Sides { a: GatedArm::of(&scenario, a)?, b: GatedArm::of(&scenario, b)? };
        check(&sides)?;
        if effort.rate.is_some() && sides.a.scenario.offered_rate().is_none() {
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
                "--turn: expected a divisor of 500ms from 5ms on, such as 25ms, 50ms, 100ms, 125ms, 250ms or 500ms"
            )));
        }
        plan.window_ns = Some(turn);
        plan.warmup_ns = WARMUP.next_multiple_of(Turns::CYCLE * turn);
        plan.blocks = effort.blocks.unwrap_or(plan.blocks);
        plan.rate = effort.rate;
        plan.workers = effort.harness.workers;
        plan.seed = scenario.seed;
        plan.advisory = advisory(&sides);
        if scenario.offered_rate().is_none() {
            // Closed loops are compared as they are; their slices show both.
            plan.saturated_quads = 0;
        }
        if sides.iter().any(|side| side.exe.is_some()) {
            // Another process cannot be given its turns within a load.
            (plan.window_ns, plan.slice_ns, plan.warmup_ns) = (None, FOREIGN_LENGTH, FOREIGN_WARMUP);
        }
        Ok(Self { scenario, sides, plan, saturate: effort.saturate })
    }

    /// The build that puts on the load of an arm, if it is another process: both are, where one is.
    pub(super) fn exe(&self, arm: Side) -> Option<PathBuf> {
        let foreign = self.sides.iter().any(|side| side.exe.is_some());
        foreign.then(|| self.sides[arm].exe.clone().or_else(|| std::env::current_exe().ok()))?
    }

    /// Standard deviation of the ratio of medians of a block, on the logarithmic scale, that is to be expected.
    pub(super) fn deviation(&self) -> f64 {
        let quad = if self.plan.window_ns.is_some() { DEVIATION } else { FOREIGN_DEVIATION };
        quad / f64::from(self.plan.quads).sqrt()
    }

    /// Connections that are open at the same time: those of both arms where they take turns.
    pub(super) fn connections(&self, facts: Sides<&TargetFacts>) -> u64 {
        let opened = |arm: Side| facts[arm].opened(&self.sides[arm].scenario);
        let (a, b) = (opened(Side::A), opened(Side::B));
        if self.plan.window_ns.is_some() { a + b } else { a.max(b) }
    }

    /// Whether a target is encrypted.
    pub(super) fn uses_tls(&self) -> bool {
        self.sides.iter().any(|side| matches!(&side.source, Source::Url(url) if url.uses_tls()))
    }

    /// Omits closed loops for targets on other machines without `--saturate`: full speed in every block is more than
    /// the user may have meant by asking for a comparison.
    pub(super) fn spare(&mut self, facts: Sides<&TargetFacts>) {
        if !self.saturate && facts.iter().any(|facts| !facts.is_here()) {
            self.plan.saturated_quads = 0;
        }
    }

    /// Description of the load on a target, for the question before it.
    pub(super) fn burden(&self, facts: Sides<&TargetFacts>) -> String {
        let connections = count(self.connections(facts));
        if self.plan.saturated_quads > 0 || self.scenario.offered_rate().is_none() {
            format!(" over {connections} connections, and closed loops at full speed in each block")
        } else {
            format!(" over {connections} connections, and closed loops at full speed for 2 s before the first block")
        }
    }

    /// Length of a stage.
    pub(super) fn expected_time(&self) -> Duration {
        let warmup = Duration::from_nanos(self.plan.warmup_ns);
        let load = match self.plan.window_ns {
            Some(_) => {
                let loads = if self.plan.saturated_quads > 0 { 2 } else { 1 };
                loads * (warmup + LOAD) + self.slices() / 2 * Duration::from_nanos(self.plan.slice_ns)
            }
            None => self.slices() * (Duration::from_nanos(self.plan.slice_ns) + warmup + FOREIGN_LOAD),
        };
        let assembled = self.sides.iter().filter(|side| side.is_private() && !side.stands_alone()).count() as u32;
        let whole = self.plan.blocks * (load + BLOCK + assembled * ASSEMBLY);
        Duration::from_secs(whole.as_secs())
    }

    /// Slices of a block.
    pub(super) fn slices(&self) -> u32 {
        4 * (self.plan.quads + self.plan.saturated_quads)
    }
}

/// Definitions of the profiles. Lengths and numbers follow from the variance of slices, quads and blocks: docs/measurement.md.
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

fn check(Sides { a, b }: &Sides<GatedArm>) -> Result<(), Failure> {
    let wrong = |text: String| Err(Failure::usage(anyhow!(text)));
    if a.is_private() != b.is_private() {
        let (private, running) = if a.is_private() { (a.option, b.option) } else { (b.option, a.option) };
        return wrong(format!(
            "{private}: a private server cannot be compared with a running one: set a target for {private} too, or \
             none for {running}"
        ));
    }
    if compared(&a.scenario) != compared(&b.scenario) {
        return wrong("the arms have different services or operations and cannot be compared".to_owned());
    }
    if a.exe.is_some() || b.exe.is_some() {
        if let Some(side) = [a, b].into_iter().find(|side| !side.is_plain()) {
            return wrong(format!(
                "{}: another build (exe) is compared on standalone servers without TLS: remove topology and tls",
                side.option
            ));
        }
        // It is given the address of a private server, whose passwords are made anew for each block.
        let file = |service: &&Service| matches!(service.password, Some(PasswordSource::File(_)));
        if let Some(service) = a.scenario.services.iter().chain(&b.scenario.services).find(file) {
            return wrong(format!(
                "service `{}` reads its password from a file, which private servers do not know: remove the password",
                service.name
            ));
        }
    }
    if a.scenario.offered_rate().is_some() != b.scenario.offered_rate().is_some() {
        return wrong("one arm has an open loop and the other has none: they cannot be compared".to_owned());
    }
    if let (Some(one), Some(other)) = (a.scenario.offered_rate(), b.scenario.offered_rate())
        && (one / other - 1.0).abs() > 1e-9
    {
        return wrong(format!(
            "the arms offer different rates, {} and {}: remove the rates of the arms, and set --rate for both",
            plain(&rate(one)),
            plain(&rate(other))
        ));
    }
    if let (Source::Url(one), Source::Url(other)) = (&a.source, &b.source)
        && one.site == other.site
        && one.database == other.database
        && !same_data(&a.scenario, &b.scenario)
    {
        let one = brief_address(&one.to_string());
        return wrong(format!("both arms are at {one} and need different data: use two servers"));
    }
    Ok(())
}

/// What is compared of a scenario: its services with their operations. That of one arm is compared with that of the other by its place.
fn compared(scenario: &Scenario) -> Vec<(&str, &str)> {
    let operations =
        scenario.services.iter().flat_map(|service| service.operations.iter().map(move |of| (service, of)));
    operations.map(|(service, operation)| (service.name.as_str(), operation.name.as_str())).collect()
}

/// Reason why a regression is not B's alone.
fn advisory(sides: &Sides<GatedArm>) -> Option<Advisory> {
    let external = sides.iter().find(|side| !side.is_private())?;
    let Source::Url(url) = &external.source else { return None };
    Some(Advisory::External(url.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        analysis::gate::PROFILES,
        cli::args::harness::HarnessArgs,
        cli::gate::{arms::difference, child::tests::with_script},
        results::sample,
        scenario::{TlsOptions, load},
    };

    fn task(a: &[&str], b: &[&str]) -> Result<Task, String> {
        let arm = |texts: &[&str]| texts.iter().map(|text| difference(text).unwrap()).collect::<Vec<_>>();
        let (a, b) = (arm(a), arm(b));
        let tls = &TlsOptions::default();
        let arguments =
            [("--gate-a", &a), ("--gate-b", &b)].map(|(option, differences)| ArmArguments { option, differences, tls });
        let effort = Effort::of(Profile::Quick, HarnessArgs { workers: None });
        Task::new(load("workflow-engine").unwrap(), arguments, &effort).map_err(|failure| failure.to_string())
    }

    #[test]
    fn profiles_are_those_that_were_played_through() {
        for (of, proven) in [Profile::Quick, Profile::Nightly].into_iter().zip(PROFILES) {
            let plan = profile(of);
            assert_eq!((plan.profile.as_str(), plan.blocks, plan.quads), (proven.0, proven.2, proven.3));
            assert!((plan.threshold - proven.1).abs() < 1e-12);
        }
    }

    #[test]
    fn a_refused_arm_is_named_by_its_option() {
        let refusal = task(&["target=redis://h"], &[]).unwrap_err();
        assert!(
            refusal.starts_with("--gate-b: a private server") && refusal.ends_with("or none for --gate-a"),
            "{refusal}"
        );
        assert!(task(&[], &["exe=/none"]).unwrap_err().starts_with("--gate-b: exe=/none"));
    }

    #[test]
    fn arms_with_other_operations_are_refused() {
        let refusal = task(&[], &["set:service.api.operation=[{command = \"GET\"}]"]).unwrap_err();
        assert!(refusal.contains("different services or operations"), "{refusal}");
    }

    #[test]
    fn arms_of_other_rates_are_refused_as_both_have_one_load() {
        let refusal = task(&[], &["set:service.api.load.rate=9000"]).unwrap_err();
        assert!(refusal.contains("different rates") && refusal.contains("set --rate for both"), "{refusal}");
    }

    #[test]
    fn connections_of_both_arms_count_where_they_are_open_at_once() {
        let plan = task(&[], &["set:service.api.pool.size=100"]).unwrap();
        let alone = sample::run().target;
        let both = Sides { a: &alone, b: &alone };
        assert_eq!(plan.connections(both), 350);
        let foreign = with_script("echo plimsoll 9.1", |exe| {
            let exe = format!("exe={}", exe.display());
            task(&[], &[&exe, "set:service.api.pool.size=100"]).unwrap()
        });
        assert_eq!(foreign.connections(both), 200);
        assert!(foreign.deviation() > 5.0 * plan.deviation(), "loads of their own vary more");
    }

    #[test]
    fn arms_have_a_topology_each_and_another_build_has_none() {
        let apart = task(&["topology=cluster"], &["tls=yes"]).unwrap();
        assert!(apart.expected_time() > task(&[], &[]).unwrap().expected_time());
        for other in ["topology=cluster", "tls=yes"] {
            let refusal = with_script("echo plimsoll 9.1", |exe| task(&[&format!("exe={}", exe.display())], &[other]));
            let refusal = refusal.unwrap_err();
            assert!(
                refusal.starts_with("--gate-b: another build (exe) is compared on standalone servers"),
                "{refusal}"
            );
        }
    }

    #[test]
    fn full_speed_elsewhere_has_to_be_asked_for() {
        let private = sample::run().target;
        let elsewhere = TargetFacts { private: false, same_machine: false, ..private.clone() };
        let of = |facts: &TargetFacts, saturate: bool| {
            let mut task = Task { saturate, ..task(&[], &[]).unwrap() };
            let sides = Sides { a: &private, b: facts };
            task.spare(sides);
            (task.plan.saturated_quads, task.burden(sides).contains("each block"))
        };
        assert_eq!(of(&private, false), (1, true));
        assert_eq!(of(&elsewhere, false), (0, false));
        let tunnel = TargetFacts { same_machine: true, elsewhere: true, ..elsewhere.clone() };
        assert_eq!(of(&tunnel, false), (0, false));
        assert_eq!(of(&elsewhere, true), (1, true));
    }
}
