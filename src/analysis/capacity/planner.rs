//! What a capacity run does next. Without clock and without chance: the same trials lead to the same next one, so a run that
//! was interrupted goes on where it was when its saved trials are recorded again.

use super::{
    BlockPlan, Estimate, FailReason, Judgement, Next, TrialPlan, Undone,
    compare::is_disturbed,
    curve,
    design::{self, ComparedRate, Neighbours},
    evidence::{is_below, same_rate},
    judge,
    search::{Hint, Probe, Search, hint, usual_trials},
    variant,
};
use crate::{
    measure::SECOND,
    results::{BlockSide, Capacity, CapacityPlan, Ended, PoolBlock, Purpose, Trial},
    scenario::{Objective, Scenario},
};

/// Repetitions of each number of closed-loop clients.
const REPETITIONS: u32 = 3;

/// Trials and blocks in a row with errors beyond their limit, at rates that went well before, after which the load stops.
const ERRORS: u32 = 3;

/// What a trial takes besides its load and its last replies, in nanoseconds: connecting, analysis and writing take about a second.
const BESIDES: u64 = SECOND;

/// The same with generators besides the time until their start: they compare their clocks, and pass on what they recorded.
const BESIDES_OF_GENERATORS: u64 = 2 * SECOND;

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
    /// Time limit for replies after an overload.
    drain_ns: u64,
    searches: Vec<Search>,
    /// Closed loops, and trials of the curve.
    others: Vec<Trial>,
    blocks: Vec<PoolBlock>,
    /// Per arm the rates of open-loop trials with the 99th percentile of the response time.
    tails: Vec<Vec<(f64, u64)>>,
    /// The largest throughput that a search of the first arm has seen.
    most: f64,
    errors: u32,
}

impl Planner {
    /// The planner of a run of which nothing was done yet.
    pub fn new(plan: CapacityPlan, scenario: &Scenario) -> Self {
        let variants: Vec<Scenario> = plan.arms.iter().map(|arm| variant::scenario(scenario, arm)).collect();
        let objectives: Vec<Objective> = variants.iter().map(|variant| variant.objective).collect();
        let searches = (0..variants.len()).map(|arm| Search::new(arm, &plan)).collect();
        Self {
            target: scenario.offered_rate(),
            drain_ns: variants.iter().map(|variant| variant.run.drain.as_nanos() as u64).max().unwrap_or(0),
            connections: variants.first().map_or(1, Scenario::connections) as u32,
            objectives,
            searches,
            others: Vec::new(),
            blocks: Vec::new(),
            tails: vec![Vec::new(); variants.len()],
            most: 0.0,
            errors: 0,
            plan,
        }
    }

    /// The planner of a run that was saved, with everything that was made.
    pub fn of(capacity: &Capacity, scenario: &Scenario) -> Self {
        let mut planner = Self::new(capacity.plan.clone(), scenario);
        let mut blocks = capacity.blocks.iter().peekable();
        for trial in &capacity.trials {
            while let Some(block) = blocks.next_if(|block| block.began_ns < trial.began_ns) {
                planner.record_block(block);
            }
            planner.record(trial);
        }
        blocks.for_each(|block| planner.record_block(block));
        planner
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
        if let (Some(rate), true) = (trial.offered, trial.completed > 0 && trial.client_limited.is_none()) {
            self.tails[arm].push((rate, trial.response.p99));
        }
        if matches!(trial.purpose, Purpose::Closed | Purpose::Curve) {
            self.others.push(trial.clone());
        }
    }

    /// Takes a block of a comparison into account. Blocks are recorded in the order in which they were made.
    pub fn record_block(&mut self, block: &PoolBlock) {
        let errs = |(side, arm): (&BlockSide, u32)| {
            let limit = self.objectives.get(arm as usize).map_or(1.0, |objective| objective.max_error_rate);
            side.failed as f64 > limit * side.scheduled as f64
        };
        // Both sizes went well at this rate before.
        let erred = block.sides.iter().zip([block.from, block.to]).any(errs);
        self.errors = if erred { self.errors + 1 } else { 0 };
        self.blocks.push(block.clone());
    }

    /// The next step after a number of nanoseconds of the budget.
    ///
    /// A trial that would end beyond the budget is not begun, and nothing of less importance in its place.
    pub fn next(&self, elapsed_ns: u64) -> Next {
        if self.errors >= ERRORS || self.searches.iter().all(Search::hopeless) {
            return Next::Done(Ended::Errors);
        }
        let next = self.wanted();
        match next {
            Next::Done(_) if self.searches.iter().any(Search::hopeless) => Next::Done(Ended::Errors),
            Next::Trial(_) | Next::Block(_) if elapsed_ns + self.takes(&next) > self.plan.budget_ns => {
                Next::Done(Ended::Budget)
            }
            next => next,
        }
    }

    /// How long what is next takes at most, in nanoseconds; nothing where nothing is.
    pub fn next_takes(&self) -> u64 {
        self.takes(&self.wanted())
    }

    /// When a trial that was made was over at the latest, in nanoseconds since the run began.
    pub fn over_ns(&self, trial: &Trial) -> u64 {
        trial.began_ns + self.plan.warmup_ns + trial.measured_ns + self.besides() + self.drained(trial.purpose)
    }

    /// The same of a block.
    pub fn block_over_ns(&self, block: &PoolBlock) -> u64 {
        block.began_ns + block.turn_ns.map_or(0, design::warmup) + block.measured_ns + self.besides()
    }

    fn besides(&self) -> u64 {
        self.plan.generators.as_ref().map_or(BESIDES, |generators| generators.start_in_ns + BESIDES_OF_GENERATORS)
    }

    /// How long something takes at most.
    fn takes(&self, next: &Next) -> u64 {
        match next {
            Next::Trial(plan) => plan.warmup_ns + plan.duration_ns + self.besides() + self.drained(plan.purpose),
            Next::Block(plan) => plan.warmup_ns + plan.duration_ns + self.besides(),
            Next::Done(_) => 0,
        }
    }

    /// How long the last replies are waited for: what is made to see a rate fail may leave requests behind.
    fn drained(&self, purpose: Purpose) -> u64 {
        let fails = matches!(purpose, Purpose::Search | Purpose::Above | Purpose::Curve);
        if fails { self.drain_ns } else { 0 }
    }

    /// The bracket of an arm so far: the highest rate that is sustained, the lowest that is not.
    pub fn state(&self, arm: u32) -> (Option<f64>, Option<f64>) {
        let Some(search) = self.searches.get(arm as usize) else { return (None, None) };
        let bracket = search.bracket();
        (bracket.low.map(|low| low.rate), bracket.high.map(|high| high.rate))
    }

    /// What the whole run takes where no trial contradicts another.
    pub fn estimate(&self) -> Estimate {
        let plan = &self.plan;
        let (search, confirm, above) = usual_trials(plan);
        let each = |length_ns: u64| plan.warmup_ns + length_ns + self.besides();
        let trial_ns = each(plan.trial_ns);
        let steps = [
            // Of a bisection about every second trial fails.
            (search, trial_ns, search.div_ceil(2)),
            (confirm, each(plan.confirm_ns), 0),
            (above, trial_ns, above),
            (plan.clients.len() as u32 * REPETITIONS, trial_ns, 0),
        ];
        let (blocks, block_ns) = design::most_blocks(plan);
        let comparisons_ns = u64::from(blocks) * (block_ns + self.besides());
        let answers = Estimate { comparisons_ns, ..Estimate::of(&steps, self.drain_ns).after(comparisons_ns) };
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
            let left = |decide| self.rates(pair, decide).into_iter().any(|rate| self.next_block(pair, rate).is_some());
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

    fn wanted(&self) -> Next {
        let arms = || (0_u32..).zip(&self.searches);
        let narrow = || arms().find_map(|(arm, search)| Some(self.probe(arm, search.narrow(self.hint(arm))?)));
        let confirm = || arms().find_map(|(arm, search)| Some(self.probe(arm, search.confirm()?)));
        let compare = |decide| self.compare(decide).map(Next::Block);
        let trial = |plan: Option<TrialPlan>| plan.map(Next::Trial);
        trial(narrow())
            .or_else(|| compare(true))
            .or_else(|| trial(confirm()))
            .or_else(|| compare(false))
            .or_else(|| trial(self.next_clients()))
            .or_else(|| trial(self.next_of_curve()))
            .unwrap_or(Next::Done(Ended::Finished))
    }

    /// The next block at the rates that decide, or at the others: the scenario's own rate of every pair first.
    fn compare(&self, decide: bool) -> Option<BlockPlan> {
        let pairs = design::neighbours(&self.plan.arms);
        let place =
            |place: usize| pairs.iter().find_map(|pair| self.next_block(*pair, *self.rates(*pair, decide).get(place)?));
        (0..design::RATES).find_map(place)
    }

    /// The rates of a pair that decide, or the others: those of the scenario decide where there are any. One that was begun stays
    /// what it is, whatever became of the searches since.
    fn rates(&self, pair: Neighbours, decide: bool) -> Vec<ComparedRate> {
        let brackets = [pair.from, pair.to].map(|arm| self.search(arm as usize).bracket());
        let mut rates = design::rates(self.target, self.plan.max_rate, brackets.each_ref());
        for block in self.blocks_of(pair) {
            let own = design::own_rates(self.target).any(|rate| same_rate(rate, block.rate));
            if !own {
                rates.retain(|known| known.own);
            }
            if rates.iter().all(|known| !same_rate(known.rate, block.rate)) {
                rates.push(ComparedRate { rate: block.rate, own });
            }
        }
        rates.sort_by(|one, other| other.own.cmp(&one.own).then(one.rate.total_cmp(&other.rate)));
        let own = rates.iter().any(|known| known.own);
        rates.retain(|known| (known.own || !own) == decide);
        rates
    }

    fn blocks_of(&self, pair: Neighbours) -> impl Iterator<Item = &PoolBlock> {
        self.blocks.iter().filter(move |block| (block.from, block.to) == (pair.from, pair.to))
    }

    /// The next block of a pair at one of its rates. One that the machine disturbed is made again, once.
    fn next_block(&self, pair: Neighbours, ComparedRate { rate, .. }: ComparedRate) -> Option<BlockPlan> {
        let made = || self.blocks_of(pair).filter(|block| same_rate(block.rate, rate));
        let is_made = |number: &u32| {
            let tries = || made().filter(|block| block.number == *number);
            tries().count() > 1 || tries().any(|block| !is_disturbed(block))
        };
        let number = (0..design::BLOCKS).find(|number| !is_made(number))?;
        let turn_ns = made().find_map(|block| block.turn_ns).unwrap_or_else(|| self.turn(pair, rate));
        Some(design::block(pair, rate, number, turn_ns, &self.plan))
    }

    /// Length of a turn by the response times that the trials of both sizes had at this rate, or above it.
    fn turn(&self, pair: Neighbours, rate: f64) -> u64 {
        let tail = |arm: u32| {
            let above = self.tails[arm as usize].iter().filter(|(offered, _)| !is_below(*offered, rate));
            // A trial that something disturbed has a longer tail than the others.
            above.map(|(_, tail)| *tail).min().unwrap_or(u64::MAX)
        };
        design::turn(tail(pair.from).max(tail(pair.to)))
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
