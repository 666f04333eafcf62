//! From arguments to a plan: a new plan, or one that is resumed.

use std::{path::PathBuf, time::Duration};

use anyhow::anyhow;

use super::{args::Arguments, arms, trial::shape_of};
use crate::{
    analysis::capacity::{Estimate, Planner, TrialPlan},
    cli::{
        args::scenario::{DEFAULT, refuse_for_runs, scenario},
        exit::Failure,
        scale::Launch,
        shape::shaped,
    },
    measure::SECOND,
    results::{Arm, Capacity, CapacityPlan, Purpose, TargetFacts},
    scenario::{self, Scenario},
};

/// Default of `--budget`.
const BUDGET: Duration = Duration::from_secs(600);

/// Candidate lengths of a trial in nanoseconds; the longest that fits the budget is used. Below 6 s a growing queue is
/// not detectable.
const LENGTHS: [u64; 3] = [10 * SECOND, 8 * SECOND, 6 * SECOND];

/// Load before a trial, in tenths of its length, and at most.
const WARMUP_TENTHS: u64 = 3;
const LONGEST_WARMUP: u64 = 3 * SECOND;

/// A trial shorter than the last of [`LENGTHS`] lasts for a multiple of the objective's latency at least: then a load of 5 % too
/// much makes requests late before its end.
const LATENCIES: u64 = 20;

/// Least number of different client counts for a model of three coefficients.
const CLIENTS: usize = 6;

/// Length of a confirming trial, as a multiple of a trial.
const CONFIRMATION: u64 = 3;

/// Width of the bracket at which a search ends, as a share of its lower end.
const TOLERANCE: f64 = 0.05;

/// Greatest time for counting the commands of other clients before the load, and its greatest share of the budget.
const CENSUS: Duration = Duration::from_secs(60);
const CENSUS_PARTS: u64 = 10;

/// Time of the inspection of connections and settings before the load.
pub(super) const LOOKS: Duration = Duration::from_secs(4);

/// Task.
#[derive(Debug)]
pub(super) struct Task {
    /// The scenario with what holds for all variants.
    pub(super) scenario: Scenario,
    /// Scenario of each variant, in the order of the plan.
    pub(super) arms: Vec<Scenario>,
    /// The plan.
    pub(super) plan: CapacityPlan,
    /// Capacity run to resume, with its folder.
    pub(super) saved: Option<(PathBuf, Capacity)>,
}

impl Task {
    /// The new plan that the arguments ask for.
    pub(super) fn new(arguments: &Arguments, launch: Option<&Launch>) -> Result<Self, Failure> {
        let scenario = base(arguments)?;
        let arms = arms::arms(&scenario, &arguments.pool, &arguments.sweep)?;
        let (start, most) = (arguments.start_rate, arguments.max_rate);
        if let (Some(start), Some(most)) = (start, most)
            && start > most
        {
            return Err(Failure::usage(anyhow!("--start-rate {start} is above --max-rate {most}")));
        }
        let start_rate = start.unwrap_or_else(|| scenario.offered_rate().unwrap_or(0.0));
        let (arms, scenarios): (Vec<Arm>, Vec<Scenario>) = arms.into_iter().unzip();
        let plan = |trial_ns: u64| CapacityPlan {
            arms: arms.clone(),
            clients: sorted(&arguments.clients),
            start_rate: most.map_or(start_rate, |most| start_rate.min(most)),
            max_rate: most,
            warmup_ns: arguments
                .warmup
                .map_or_else(|| (trial_ns * WARMUP_TENTHS / 10).min(LONGEST_WARMUP), |warmup| warmup.as_nanos() as u64),
            trial_ns,
            confirm_ns: CONFIRMATION * trial_ns,
            budget_ns: arguments.budget.unwrap_or(BUDGET).as_nanos() as u64,
            tolerance: TOLERANCE,
            current_rate: arguments.current_rate,
            growth: arguments.growth.map(|percent| percent / 100.0),
            workers: arguments.harness.workers,
            generators: launch.map(Launch::planned),
            seed: scenario.seed,
        };
        let fits = |length: &u64| {
            let plan = plan(*length);
            estimate(&plan, &scenario, arguments.target.is_private()).answers_ns <= plan.budget_ns
        };
        let [.., shortest] = LENGTHS;
        let trial_ns = match arguments.trial {
            Some(trial) => trial.as_nanos() as u64,
            None => LENGTHS.into_iter().find(fits).unwrap_or(shortest),
        };
        let plan = plan(trial_ns);
        Ok(Self { scenario, arms: scenarios, plan, saved: None })
    }

    /// Finds all errors of the scenarios.
    pub(super) fn check(&self, arguments: &Arguments) -> Result<(), Failure> {
        let mut faults = Vec::new();
        for (arm, scenario) in self.plan.arms.iter().zip(&self.arms) {
            if scenario.offered_rate().is_none() {
                faults.push(format!(
                    "{}: no service has an open loop, so there is no rate to search: set load.model=open and load.rate \
                     of a service",
                    arm.name
                ));
            }
            let services = scenario.services.len() as u32;
            if let Some(few) = self.plan.clients.iter().find(|clients| **clients < services) {
                faults.push(format!(
                    "{}: {few} clients are too few for {services} services, which need one each",
                    arm.name
                ));
            }
        }
        let few = self.plan.clients.len();
        if few > 0 && few < CLIENTS {
            faults.push(format!("--clients: the model needs at least {CLIENTS} numbers of clients, not {few}"));
        }
        let closed = |scenario: &&Scenario| scenario.services.iter().any(|service| service.offered_rate().is_none());
        if let Some(scenario) = self.arms.iter().find(closed).filter(|_| self.plan.max_rate.is_some()) {
            let service = scenario.services.iter().find(|service| service.offered_rate().is_none());
            faults.push(format!(
                "--max-rate: service {} is a closed loop, whose rate cannot be limited",
                service.map_or("?", |service| service.name.as_str())
            ));
        }
        if self.plan.max_rate.is_some() && !self.plan.clients.is_empty() {
            faults.push(
                "--clients: the rate of a closed loop cannot be limited: omit --clients or --max-rate".to_owned(),
            );
        }
        faults.extend(self.indivisible());
        faults.extend(self.too_short(arguments.target.is_private()));
        let slowest = self.arms.iter().map(|scenario| scenario.objective.latency.as_nanos() as u64).max();
        let [.., shortest] = LENGTHS;
        let shortest = (LATENCIES * slowest.unwrap_or(0)).clamp(SECOND, shortest);
        if self.plan.trial_ns < shortest {
            faults.push(format!(
                "--trial: at least {}, to detect a load 5 % above capacity",
                scenario::format_duration(Duration::from_nanos(shortest))
            ));
        }
        if !faults.is_empty() {
            return Err(Failure::usage(anyhow!(faults.join("\n"))));
        }
        if self.plan.growth.is_some() && self.plan.current_rate.is_none() && arguments.target.is_private() {
            return Err(Failure::usage(anyhow!(
                "--growth: a private server has no production load: set --current-rate"
            )));
        }
        Ok(())
    }

    /// Errors: a variant has too few connections or clients for the generators.
    fn indivisible(&self) -> Vec<String> {
        let Some(generators) = &self.plan.generators else { return Vec::new() };
        let mut faults: Vec<_> =
            self.arms.iter().filter_map(|arm| arm.divides_among(generators.number).err()).collect();
        let crowd = |clients: &u32| self.crowd_of(*clients).ok()?.divides_among(generators.number).err();
        faults.extend(self.plan.clients.iter().find_map(crowd).map(|fault| format!("--clients: {fault}")));
        faults
    }

    /// Error: the budget is too short for a single trial, with the least budget.
    fn too_short(&self, private: bool) -> Option<String> {
        let planner = Planner::new(self.plan.clone(), &self.scenario);
        let trial_ns = planner.next_takes();
        let before = |budget_ns: u64| match &self.saved {
            Some(_) => 0,
            None => before_trials(&CapacityPlan { budget_ns, ..self.plan.clone() }, private),
        };
        if self.plan.budget_ns >= before(self.plan.budget_ns) + trial_ns {
            return None;
        }
        // What is looked at before takes a part of the budget, which converges.
        let enough = (0..10).fold(trial_ns, |budget, _| trial_ns + before(budget)) + SECOND / 10;
        let whole = |nanos: u64| scenario::format_duration(Duration::from_secs(nanos.div_ceil(SECOND)));
        Some(format!(
            "--budget: {} is too short: inspecting the server takes {}, and one trial with warm-up and last replies up \
             to {}: use --budget {}, or a shorter --trial",
            scenario::format_duration(Duration::from_nanos(self.plan.budget_ns)),
            whole(before(enough)),
            whole(trial_ns),
            whole(enough)
        ))
    }

    /// The first variant with as many closed-loop clients as there ever are.
    pub(super) fn crowd(&self) -> Result<Option<Scenario>, Failure> {
        self.plan.clients.last().map(|clients| self.crowd_of(*clients)).transpose()
    }

    fn crowd_of(&self, clients: u32) -> Result<Scenario, Failure> {
        let plan = TrialPlan {
            arm: 0,
            purpose: Purpose::Closed,
            block: None,
            offered: None,
            clients: Some(clients),
            warmup_ns: self.plan.warmup_ns,
            duration_ns: self.plan.trial_ns,
        };
        shaped(&self.arms[0], &shape_of(&plan, None)).map_err(Failure::usage)
    }

    /// Connections of the next pool size, which are open at the same time while the two are compared; none of the largest.
    pub(super) fn beside(&self, arm: usize) -> u64 {
        let next = self.plan.arms[arm].pool.and_then(|_| self.plan.arms.get(arm + 1)?.pool.map(|_| arm + 1));
        next.map_or(0, |next| self.arms[next].connections())
    }

    /// Connections that are open at once at most.
    pub(super) fn connections(&self, target: &TargetFacts) -> u64 {
        let beside = |arm: usize| if self.beside(arm) > 0 { target.opened(&self.arms[arm + 1]) } else { 0 };
        let all = self.arms.iter().enumerate().map(|(arm, scenario)| target.opened(scenario) + beside(arm));
        all.max().unwrap_or(0)
    }

    /// A scenario with as many connections as two pool sizes have together; `None` where none are compared.
    pub(super) fn both(&self) -> Option<Scenario> {
        let last = (0..self.arms.len()).filter(|arm| self.beside(*arm) > 0).max_by_key(|arm| self.beside(*arm))?;
        let (one, other) = (&self.arms[last], &self.arms[last + 1]);
        let services = one.services.iter().chain(&other.services).cloned().collect();
        Some(Scenario { services, ..one.clone() })
    }

    /// The variant with most connections.
    pub(super) fn widest(&self) -> usize {
        let widest = self.arms.iter().enumerate().max_by_key(|(_, scenario)| scenario.connections());
        widest.map_or(0, |(index, _)| index)
    }
}

/// Time for counting the commands of other clients; `None` where there are none, or their rate is given.
pub(super) fn census(plan: &CapacityPlan, private: bool) -> Option<Duration> {
    let counted = !private && plan.current_rate.is_none();
    counted.then(|| CENSUS.min(Duration::from_nanos(plan.budget_ns / CENSUS_PARTS)))
}

/// What is done before the first trial of a new capacity run, in nanoseconds, without the writing of its data.
pub(super) fn before_trials(plan: &CapacityPlan, private: bool) -> u64 {
    (census(plan, private).unwrap_or_default() + LOOKS).as_nanos() as u64
}

/// What all of a plan takes, together with what is counted before.
pub(super) fn estimate(plan: &CapacityPlan, scenario: &Scenario, private: bool) -> Estimate {
    Planner::new(plan.clone(), scenario).estimate().after(before_trials(plan, private))
}

/// The scenario that the arguments name, with what holds for all variants.
pub(super) fn base(arguments: &Arguments) -> Result<Scenario, Failure> {
    let name = arguments.scenario.as_deref().unwrap_or(DEFAULT);
    let scenario = scenario(name, arguments.target.is_private(), &arguments.fields.overrides())?;
    refuse_for_runs(&scenario, "a capacity run")?;
    Ok(scenario)
}

fn sorted(clients: &[u32]) -> Vec<u32> {
    let mut sorted = clients.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::sample;

    #[test]
    fn what_is_counted_before_the_load_belongs_to_its_time() {
        let scenario = scenario::load("workflow-engine").unwrap();
        let stated = sample::small_capacity().plan;
        let unknown = CapacityPlan { current_rate: None, ..stated.clone() };
        let time = |plan: &CapacityPlan, private| estimate(plan, &scenario, private).answers_ns;
        assert_eq!(time(&stated, false), time(&stated, true));
        assert_eq!(time(&unknown, false), time(&unknown, true) + 60 * SECOND);
        assert!(stated.current_rate.is_some());
    }

    #[test]
    fn others_are_counted_for_a_tenth_of_the_budget_and_a_minute_at_most() {
        let stated = sample::small_capacity().plan;
        let of = |budget: u64| CapacityPlan { current_rate: None, budget_ns: budget * SECOND, ..stated.clone() };
        let seconds = |budget| census(&of(budget), false).map(|time| time.as_secs());
        assert_eq!([20, 60, 600, 3_600].map(seconds), [Some(2), Some(6), Some(60), Some(60)]);
        assert_eq!((census(&of(60), true), census(&stated, false)), (None, None));
    }
}
