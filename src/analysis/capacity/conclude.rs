//! The answers of a capacity run, concluded from its saved trials.

use super::{
    Apart, ArmAnswer, CapacityAnalysis, Comparison, Limit, Planner, RateComparison, Sustainable,
    advice::advice,
    compare::{SIGNIFICANT, compare},
    curve,
    design::{self, Neighbours},
    evidence::{Bracket, is_below, same_rate},
    fleet::{connection_cost, fleet},
    headroom::{RECOMMENDED, headroom},
    limit::{BUSY, limit},
    queueing::checks,
    search::Search,
    usl, variant,
};
use crate::{
    analysis::{mean::mean, paired::Power},
    results::{Capacity, PoolBlock, Purpose, Trial},
    scenario::Scenario,
};

/// Ratio of what one pool size sustains to what another one fails at from which they are apart: two searches are some minutes apart, and
/// the machine changes meanwhile.
const APART: f64 = 1.1;

/// Concludes from the trials of a capacity run what can be concluded. A run that was interrupted is taken for what there is
/// of it.
pub fn conclude(capacity: &Capacity, scenario: &Scenario) -> CapacityAnalysis {
    conclude_with(capacity, scenario, &mut Power::at(SIGNIFICANT))
}

/// The same, with what is known of numbers of blocks.
pub(super) fn conclude_with(capacity: &Capacity, scenario: &Scenario, power: &mut Power) -> CapacityAnalysis {
    let plan = &capacity.plan;
    let planner = Planner::of(capacity, scenario);
    let variants: Vec<Scenario> = plan.arms.iter().map(|arm| variant::scenario(scenario, arm)).collect();
    let arms: Vec<ArmAnswer> = variants
        .iter()
        .enumerate()
        .map(|(index, variant)| {
            let trials: Vec<&Trial> = capacity.trials.iter().filter(|trial| trial.arm as usize == index).collect();
            arm(planner.search(index), variant, &trials)
        })
        .collect();
    let pairs = design::neighbours(&plan.arms).into_iter();
    let comparisons = pairs.filter_map(|pair| comparison(pair, capacity, scenario, &arms, &planner, power)).collect();
    let written = as_written(&variants, scenario);
    let clients: Vec<(u32, f64)> = capacity
        .trials
        .iter()
        .filter(|trial| trial.purpose == Purpose::Closed && trial.block.is_some())
        .filter(|trial| trial.failed as f64 <= scenario.objective.max_error_rate * trial.scheduled as f64)
        .filter_map(|trial| Some((trial.clients?, trial.throughput)))
        .collect();
    CapacityAnalysis {
        headroom: headroom(capacity, written as u32, arms.get(written).and_then(|arm| arm.sustainable)),
        comparisons,
        usl: usl::fit(&clients, plan.seed),
        fleet: fleet(capacity, scenario, &variants),
        connection_cost: connection_cost(&capacity.connections),
        undone: planner.undone(),
        arms,
    }
}

/// The arm that is the scenario as it is; the first one where none is.
fn as_written(variants: &[Scenario], scenario: &Scenario) -> usize {
    let same = |variant: &Scenario| variant.services == scenario.services && variant.objective == scenario.objective;
    variants.iter().position(same).unwrap_or(0)
}

fn arm(search: &Search, scenario: &Scenario, trials: &[&Trial]) -> ArmAnswer {
    let (sustained, high) = (search.sustained(), search.bracket().high);
    let rates: Vec<f64> = scenario.offered_rate().into_iter().chain(sustained).collect();
    ArmAnswer {
        objective: scenario.objective,
        sustainable: sustained.map(|rate| Sustainable {
            rate,
            above: high.map(|high| high.rate),
            confirmed: search.confirmed(),
            recommended: high.map(|_| RECOMMENDED * rate),
        }),
        client_limited: search.limited().cloned(),
        first_failure: high.and_then(|high| Some((high.rate, high.failure?))),
        by_limit: curve::by_limit(search, trials, &scenario.objective),
        knee: curve::knee(trials.iter().copied(), &scenario.objective),
        maximum: trials.iter().map(|trial| trial.throughput).fold(0.0, f64::max),
        erlang: checks(scenario, trials, &rates),
        limit: limit(at_the_limit(search, trials).into_iter(), &scenario.objective),
    }
}

/// The trials that show what limits an arm: those of the lowest rate that failed; else those that the harness limited; else
/// those of the highest rate that passed.
fn at_the_limit<'a>(search: &Search, trials: &[&'a Trial]) -> Vec<&'a Trial> {
    let high = search.bracket().high.map(|high| high.rate);
    let limited = search.limited().map(|(rate, _)| *rate);
    let Some(rate) = high.or(limited).or_else(|| search.sustained()) else { return Vec::new() };
    of_rate(trials, rate)
}

/// Trials of the search at one rate.
fn of_rate<'a>(trials: &[&'a Trial], rate: f64) -> Vec<&'a Trial> {
    let is_one = |trial: &&&Trial| {
        matches!(trial.purpose, Purpose::Search | Purpose::Confirm | Purpose::Above)
            && trial.offered.is_some_and(|offered| same_rate(offered, rate))
    };
    trials.iter().filter(is_one).copied().collect()
}

/// `None` where nothing is known of two sizes.
fn comparison(
    pair: Neighbours,
    capacity: &Capacity,
    scenario: &Scenario,
    arms: &[ArmAnswer],
    planner: &Planner,
    power: &mut Power,
) -> Option<Comparison> {
    let objective = &scenario.objective;
    let of_pair = |block: &&PoolBlock| (block.from, block.to) == (pair.from, pair.to);
    let blocks: Vec<&PoolBlock> = capacity.blocks.iter().filter(of_pair).collect();
    let mut known: Vec<f64> = Vec::new();
    for block in &blocks {
        if known.iter().all(|rate| !same_rate(*rate, block.rate)) {
            known.push(block.rate);
        }
    }
    known.sort_by(f64::total_cmp);
    let at = |rate: f64| blocks.iter().copied().filter(|block| same_rate(block.rate, rate)).collect::<Vec<_>>();
    let mut rates: Vec<RateComparison> =
        known.into_iter().filter_map(|rate| compare(&at(rate), objective, power)).collect();
    let own = |rate: f64| design::own_rates(scenario.offered_rate()).any(|own| same_rate(own, rate));
    if rates.iter().any(|known| own(known.rate)) {
        // What lies near the end decides only where the scenario's own rates could not be compared.
        for known in &mut rates {
            known.decides = own(known.rate);
        }
    }
    let trials = |arm: u32| capacity.trials.iter().filter(move |trial| trial.arm == arm).collect::<Vec<_>>();
    let (smaller, larger) = (trials(pair.from), trials(pair.to));
    let apart = apart(pair, capacity, scenario, planner).filter(|apart| {
        // Where the smaller pool is not what limits, a larger one carries more by chance, or because something else has changed.
        let by_pool =
            !matches!(arms[pair.from as usize].limit, Limit::ServerCpu(_) | Limit::Command(..) | Limit::Client(_));
        !apart.larger || by_pool && !is_server_busy(&nearest(&larger, apart.rate))
    });
    if rates.is_empty() && apart.is_none() {
        return None;
    }
    // What limits at the rates that the advice is about, so the first of them: the scenario's own where it was compared.
    let first = rates.iter().find(|rate| rate.decides).map(|rate| rate.rate);
    let limit = match (apart, first) {
        (None, Some(rate)) => limit(nearest(&smaller, rate).into_iter(), objective),
        _ => arms[pair.from as usize].limit.clone(),
    };
    Some(Comparison {
        from: pair.from,
        to: pair.to,
        advice: advice(&rates, apart.as_ref(), objective),
        limit,
        apart,
        rates,
    })
}

/// The lowest rate of the scenario that one of two sizes sustains although the other fails at a rate that is lower by far.
fn apart(pair: Neighbours, capacity: &Capacity, scenario: &Scenario, planner: &Planner) -> Option<Apart> {
    let [from, to] = [pair.from, pair.to].map(|arm| planner.search(arm as usize).bracket());
    let beats = |one: &Bracket, other: &Bracket, rate: f64| {
        let (Some(met), Some(failed)) = (one.low, other.high) else { return false };
        !is_below(met.rate, rate) && !is_below(rate, failed.rate) && met.rate >= APART * failed.rate
    };
    let within = |rate: &f64| capacity.plan.max_rate.is_none_or(|most| *rate <= most);
    design::own_rates(scenario.offered_rate()).filter(within).find_map(|rate| {
        let larger = beats(&to, &from, rate);
        (larger || beats(&from, &to, rate)).then_some(Apart { rate, larger })
    })
}

/// Trials of the lowest rate from this one on.
fn nearest<'a>(trials: &[&'a Trial], rate: f64) -> Vec<&'a Trial> {
    let offered = |trial: &&Trial| trial.offered.filter(|offered| !is_below(*offered, rate));
    let lowest = trials.iter().filter_map(offered).min_by(f64::total_cmp);
    let is_one =
        |trial: &&&Trial| trial.offered.zip(lowest).is_some_and(|(offered, lowest)| same_rate(offered, lowest));
    trials.iter().filter(is_one).copied().collect()
}

fn is_server_busy(trials: &[&Trial]) -> bool {
    mean(trials.iter().filter_map(|trial| trial.server_busy)).is_some_and(|busy| busy >= BUSY)
}
