//! What a capacity run does next. Without clock and without chance: the same trials lead to the same next one, so a run that
//! was interrupted goes on where it was when its saved trials are recorded again.

use super::{
    Estimate, FailReason, Judgement, Next, TrialPlan, Undone, curve,
    design::{self, Neighbours, Place},
    evidence::is_below,
    judge,
    search::{Hint, Probe, Search, hint, usual_trials},
    variant,
};
use crate::{
    measure::SECOND,
    results::{CapacityPlan, Ended, Purpose, Trial},
    scenario::{Objective, Scenario},
};

/// Repetitions of each number of closed-loop clients.
const REPETITIONS: u32 = 3;

/// Trials in a row with errors beyond their limit, at rates that went well before, after which the load stops.
const ERRORS: u32 = 3;

/// What a trial takes besides its load and its last replies, in nanoseconds: connecting, analysis and writing take about a second.
const BESIDES: u64 = SECOND;

/// The order of a capacity run: all searches, comparisons of pool sizes at the rates that decide, confirmations, comparisons at
/// the others, the concurrency model, the curve.
///
/// Comparisons go rate by rate, the scenario's own first, so that a budget that ends early leaves an answer for each pair.
#[derive(Debug, Clone)]
pub struct Planner {
    plan: CapacityPlan,
    target: Option<f64>,
    objectives: Vec<Objective>,
    connections: u32,
    /// How long replies are waited for after a load that was too much.
    drain_ns: u64,
    searches: Vec<Search>,
    others: Vec<Trial>,
    /// The largest throughput that a search of the first arm has seen.
    most: f64,
    errors: u32,
}

impl Planner {
    /// The planner of a run of which nothing was done yet.
    pub fn new(plan: CapacityPlan, scenario: &Scenario) -> Self {
        let variants: Vec<Scenario> = plan.arms.iter().map(|arm| variant::scenario(scenario, arm)).collect();
        let objectives: Vec<Objective> = variants.iter().map(|variant| variant.objective).collect();
        let searches =
            objectives.iter().enumerate().map(|(arm, objective)| Search::new(arm, &plan, objective)).collect();
        Self {
            target: scenario.offered_rate(),
            drain_ns: variants.iter().map(|variant| variant.run.drain.as_nanos() as u64).max().unwrap_or(0),
            connections: variants.first().map_or(1, Scenario::connections) as u32,
            objectives,
            searches,
            others: Vec::new(),
            most: 0.0,
            errors: 0,
            plan,
        }
    }

    /// Takes a trial into account. Trials are recorded in the order in which they were made.
    pub fn record(&mut self, trial: &Trial) {
        let arm = trial.arm as usize;
        let (Some(search), Some(objective)) = (self.searches.get_mut(arm), self.objectives.get(arm)) else { return };
        let known = search.bracket().low.map_or(0.0, |low| low.rate);
        let judgement = judge::judge(trial, objective);
        if !matches!(judgement, Judgement::Fail(FailReason::Errors(_))) {
            self.errors = 0;
        } else if trial.offered.is_none_or(|rate| rate <= known) {
            self.errors += 1;
        }
        search.record(trial, &judgement);
        if arm == 0 && trial.purpose == Purpose::Search && trial.client_limited.is_none() {
            self.most = self.most.max(trial.throughput);
        }
        if matches!(trial.purpose, Purpose::Compare | Purpose::Closed | Purpose::Curve) {
            self.others.push(trial.clone());
        }
    }

    /// What is to be done when so many nanoseconds of the budget are used up.
    ///
    /// A trial that would end beyond the budget is not begun, and nothing of less importance in its place.
    pub fn next(&self, elapsed_ns: u64) -> Next {
        if self.errors >= ERRORS || self.searches.iter().all(Search::hopeless) {
            return Next::Done(Ended::Errors);
        }
        match self.wanted() {
            None if self.searches.iter().any(Search::hopeless) => Next::Done(Ended::Errors),
            None => Next::Done(Ended::Finished),
            Some(plan) => {
                let end_ns = elapsed_ns + self.takes(plan.purpose, plan.warmup_ns, plan.duration_ns);
                if end_ns > self.plan.budget_ns { Next::Done(Ended::Budget) } else { Next::Trial(plan) }
            }
        }
    }

    /// How long the next trial takes at most, in nanoseconds; nothing where there is none.
    pub fn next_takes(&self) -> u64 {
        self.wanted().map_or(0, |plan| self.takes(plan.purpose, plan.warmup_ns, plan.duration_ns))
    }

    /// When a trial that was made was over at the latest, in nanoseconds since the run began.
    pub fn over_ns(&self, trial: &Trial) -> u64 {
        let of_slices = trial.purpose == Purpose::Compare;
        let warmup_ns = if of_slices { design::slice_times(&self.plan).0 } else { self.plan.warmup_ns };
        trial.began_ns + self.takes(trial.purpose, warmup_ns, trial.measured_ns)
    }

    /// How long a trial takes at most. What is made to see a rate fail may leave requests behind.
    fn takes(&self, purpose: Purpose, warmup_ns: u64, length_ns: u64) -> u64 {
        let fails = matches!(purpose, Purpose::Search | Purpose::Above | Purpose::Curve);
        warmup_ns + length_ns + BESIDES + if fails { self.drain_ns } else { 0 }
    }

    /// The bracket of an arm so far: the highest rate that is kept up, the lowest that is not.
    pub fn state(&self, arm: u32) -> (Option<f64>, Option<f64>) {
        let Some(search) = self.searches.get(arm as usize) else { return (None, None) };
        let bracket = search.bracket();
        (bracket.low.map(|low| low.rate), bracket.high.map(|high| high.rate))
    }

    /// What the whole run takes where no trial contradicts another.
    pub fn estimate(&self) -> Estimate {
        let plan = &self.plan;
        let (search, confirm, above) = usual_trials(plan);
        let (slice_warmup_ns, slice_ns) = design::slice_times(plan);
        let each = |warmup_ns: u64, length_ns: u64| warmup_ns + length_ns + BESIDES;
        let trial_ns = each(plan.warmup_ns, plan.trial_ns);
        let steps = [
            // Of a bisection about every second trial fails.
            (search, trial_ns, search.div_ceil(2)),
            (design::most_slices(plan), each(slice_warmup_ns, slice_ns), 0),
            (confirm, each(plan.warmup_ns, plan.confirm_ns), 0),
            (above, trial_ns, above),
            (plan.clients.len() as u32 * REPETITIONS, trial_ns, 0),
        ];
        let answers = Estimate::of(&steps, self.drain_ns);
        let (of_curve, beyond) = (curve::SHARES.len(), curve::SHARES.iter().filter(|share| **share >= 1.0).count());
        let of_curve = 2 * of_curve as u32 + u32::from(plan.clients.is_empty());
        let curve = Estimate::of(&[(of_curve, trial_ns, 2 * beyond as u32)], self.drain_ns);
        Estimate { trials: answers.trials + curve.trials, all_ns: answers.all_ns + curve.all_ns, ..answers }
    }

    /// The search of an arm.
    pub(super) fn search(&self, arm: usize) -> &Search {
        &self.searches[arm]
    }

    /// Everything that is not done yet, most important first.
    pub(super) fn undone(&self) -> Vec<Undone> {
        let (mut undone, mut confirms) = (Vec::new(), Vec::new());
        for (arm, search) in (0_u32..).zip(&self.searches) {
            let narrow = search.narrow(self.hint(arm));
            // What is still to be confirmed was found.
            if search.gave_up() || narrow.is_some_and(|probe| probe.purpose == Purpose::Search) {
                undone.push(Undone::Search(arm));
            }
            if search.gave_up() || narrow.is_some() || search.confirm().is_some() {
                confirms.push(Undone::Confirm(arm));
            }
        }
        let rates_known = undone.is_empty();
        let mut others = Vec::new();
        for pair in design::neighbours(&self.plan.arms) {
            let left = |decide| self.rates(pair, decide).into_iter().any(|rate| self.next_slice(pair, rate).is_some());
            if !rates_known || left(true) {
                undone.push(Undone::Compare(pair.from, pair.to));
            } else if left(false) {
                others.push(Undone::Compare(pair.from, pair.to));
            }
        }
        undone.extend(confirms);
        undone.extend(others);
        if self.next_clients().is_some() {
            undone.push(Undone::Clients);
        }
        if !rates_known || self.next_of_curve().is_some() {
            undone.push(Undone::Curve(0));
        }
        undone
    }

    fn wanted(&self) -> Option<TrialPlan> {
        let arms = || (0_u32..).zip(&self.searches);
        let narrow = || arms().find_map(|(arm, search)| Some(self.probe(arm, search.narrow(self.hint(arm))?)));
        let confirm = || arms().find_map(|(arm, search)| Some(self.probe(arm, search.confirm()?)));
        narrow()
            .or_else(|| self.compare(true))
            .or_else(confirm)
            .or_else(|| self.compare(false))
            .or_else(|| self.next_clients())
            .or_else(|| self.next_of_curve())
    }

    /// The next slice at the rates that decide, or at the others.
    fn compare(&self, decide: bool) -> Option<TrialPlan> {
        let pairs = design::neighbours(&self.plan.arms).into_iter();
        let mut wanted: Vec<(Neighbours, (u32, f64))> =
            pairs.flat_map(|pair| self.rates(pair, decide).into_iter().map(move |rate| (pair, rate))).collect();
        // Rate by rate, and the pairs of each in their order.
        wanted.sort_by_key(|(_, (number, _))| *number);
        wanted.into_iter().find_map(|(pair, rate)| self.next_slice(pair, rate))
    }

    /// The rates of a pair that decide, or the others, each with its number: the scenario's own decide where there are any. One that was
    /// begun stays what it is, whatever became of the searches since.
    fn rates(&self, pair: Neighbours, decide: bool) -> Vec<(u32, f64)> {
        let (from, to) = (self.search(pair.from as usize), self.search(pair.to as usize));
        let wanted = design::rates(self.target, self.plan.max_rate, from, to);
        let wanted = |number: u32| wanted.iter().find(|(of, _)| *of == number).map(|(_, rate)| *rate);
        let begun = |number: u32| {
            let of = |place: Place| (place.comparison, place.rate) == (pair.index, number);
            let slices = || self.others.iter().filter(|trial| trial.purpose == Purpose::Compare);
            slices().find(|trial| trial.block.map(Place::of).is_some_and(of))?.offered
        };
        let all = (0..design::RATES).filter_map(|number| Some((number, begun(number).or_else(|| wanted(number))?)));
        let mut rates: Vec<(u32, f64)> = all.collect();
        let own = rates.iter().any(|(number, _)| *number < design::NEAR_END);
        rates.retain(|(number, _)| (*number < design::NEAR_END || !own) == decide);
        rates
    }

    /// The bracket of the arm before, since neighbours differ little.
    fn hint(&self, arm: u32) -> Hint {
        self.searches[..arm as usize].iter().rev().find_map(hint)
    }

    fn probe(&self, arm: u32, probe: Probe) -> TrialPlan {
        let Probe { purpose, rate, duration_ns } = probe;
        TrialPlan { purpose, offered: Some(rate), duration_ns, ..self.closed(arm, None, 0) }
    }

    fn closed(&self, arm: u32, block: Option<u32>, clients: u32) -> TrialPlan {
        TrialPlan {
            arm,
            purpose: Purpose::Closed,
            block,
            offered: None,
            clients: (clients > 0).then_some(clients),
            warmup_ns: self.plan.warmup_ns,
            duration_ns: self.plan.trial_ns,
        }
    }

    /// The next slice of a pair at one of its rates.
    fn next_slice(&self, pair: Neighbours, rate: (u32, f64)) -> Option<TrialPlan> {
        // A slice that the harness spoiled is made again, once.
        let made = |slice: &design::Slice| {
            let same = |trial: &&Trial| trial.purpose == Purpose::Compare && design::is(trial, slice);
            let objective = &self.objectives[slice.arm as usize];
            let mut tries = self.others.iter().filter(same);
            tries.clone().count() > 1 || tries.any(|trial| !judge::is_limited(trial, objective))
        };
        let slice = design::slices(pair, rate).find(|slice| !made(slice))?;
        let (warmup_ns, duration_ns) = design::slice_times(&self.plan);
        let probe = Probe { purpose: Purpose::Compare, rate: slice.rate, duration_ns };
        Some(TrialPlan { block: Some(slice.block), warmup_ns, ..self.probe(slice.arm, probe) })
    }

    /// Numbers of clients upwards, then downwards, then upwards, so that what drifts favours none.
    fn next_clients(&self) -> Option<TrialPlan> {
        let made = |block: u32, clients: u32| {
            let same = |trial: &Trial| trial.block == Some(block) && trial.clients == Some(clients);
            self.others.iter().any(|trial| trial.purpose == Purpose::Closed && same(trial))
        };
        let numbers = |block: u32| {
            let count = self.plan.clients.len();
            (0..count)
                .map(move |at| if block.is_multiple_of(2) { at } else { count - 1 - at })
                .map(|at| self.plan.clients[at])
        };
        let all = (0..REPETITIONS).flat_map(|block| numbers(block).map(move |clients| (block, clients)));
        let (block, clients) = all.into_iter().find(|(block, clients)| !made(*block, *clients))?;
        Some(self.closed(0, Some(block), clients))
    }

    /// The first arm's curve, upwards and downwards; before it the closed loop that says how far it goes. That asks as fast as
    /// it is answered: where there is a rate that is never exceeded, the most that was seen without it must do.
    fn next_of_curve(&self) -> Option<TrialPlan> {
        let first = self.searches.first()?;
        first.bracket().low?;
        let known = if self.plan.max_rate.is_some() { Some(self.most) } else { curve::closed_maximum(&self.others) };
        let Some(maximum) = known else {
            let tried = self.others.iter().any(|trial| trial.purpose == Purpose::Closed && trial.block.is_none());
            return (!tried).then(|| self.closed(0, None, self.connections));
        };
        let wall = first.wall().unwrap_or(f64::INFINITY);
        let end = self.plan.max_rate.unwrap_or(f64::INFINITY);
        let made =
            |block: u32| self.others.iter().any(|trial| trial.purpose == Purpose::Curve && trial.block == Some(block));
        let wanted = |(block, rate): &(u32, f64)| is_below(*rate, wall) && !made(*block);
        let (block, rate) = curve::rates(maximum, end).into_iter().find(wanted)?;
        let probe = Probe { purpose: Purpose::Curve, rate, duration_ns: self.plan.trial_ns };
        Some(TrialPlan { block: Some(block), ..self.probe(0, probe) })
    }
}
