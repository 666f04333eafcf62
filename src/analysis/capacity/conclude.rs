//! The answers of a capacity run, concluded from its saved trials.

use super::{
    ArmAnswer, CapacityAnalysis, Comparison, Planner, Sustainable,
    advice::{Question, advice, mark},
    compare::{Compared, compare},
    curve, design,
    design::{Neighbours, Place},
    evidence::same_rate,
    fleet::{connection_cost, fleet},
    headroom::headroom,
    limit::limit,
    queueing::checks,
    search::Search,
    usl, variant,
};
use crate::{
    results::{Capacity, Purpose, Trial},
    scenario::Scenario,
};

/// Share of the sustainable rate at which to run.
pub(super) const RECOMMENDED: f64 = 0.8;

/// Concludes from the trials of a capacity run what can be concluded. A run that was interrupted is taken for what there is
/// of it.
pub fn conclude(capacity: &Capacity, scenario: &Scenario) -> CapacityAnalysis {
    let plan = &capacity.plan;
    let mut planner = Planner::new(plan.clone(), scenario);
    for trial in &capacity.trials {
        planner.record(trial);
    }
    let variants: Vec<Scenario> = plan.arms.iter().map(|arm| variant::scenario(scenario, arm)).collect();
    let arms: Vec<ArmAnswer> = variants
        .iter()
        .enumerate()
        .map(|(index, variant)| {
            let trials: Vec<&Trial> = capacity.trials.iter().filter(|trial| trial.arm as usize == index).collect();
            arm(planner.search(index), variant, &trials)
        })
        .collect();
    let comparisons = design::neighbours(&plan.arms)
        .into_iter()
        .filter_map(|pair| comparison(pair, capacity, scenario, &planner))
        .collect();
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
    let told: Vec<f64> = scenario.offered_rate().into_iter().chain(sustained).collect();
    ArmAnswer {
        objective: scenario.objective,
        sustainable: sustained.map(|rate| Sustainable {
            rate,
            above: high.map(|high| high.rate),
            confirmed: search.confirmed(),
            recommended: RECOMMENDED * rate,
        }),
        client_limited: search.limited().cloned(),
        first_failure: high.and_then(|high| Some((high.rate, high.failure?))),
        by_limit: curve::by_limit(search, trials, &scenario.objective),
        knee: curve::knee(trials.iter().copied(), &scenario.objective),
        maximum: trials.iter().map(|trial| trial.throughput).fold(0.0, f64::max),
        erlang: checks(scenario, trials, &told),
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

/// Trials of the search at one rate; where there are none, slices of comparisons, by which it is known.
fn of_rate<'a>(trials: &[&'a Trial], rate: f64) -> Vec<&'a Trial> {
    let same = |trial: &&&Trial| trial.offered.is_some_and(|offered| same_rate(offered, rate));
    let made = |purposes: &[Purpose]| -> Vec<&'a Trial> {
        trials.iter().filter(|trial| purposes.contains(&trial.purpose)).filter(same).copied().collect()
    };
    let searched = made(&[Purpose::Search, Purpose::Confirm, Purpose::Above]);
    if searched.is_empty() { made(&[Purpose::Compare]) } else { searched }
}

fn comparison(pair: Neighbours, capacity: &Capacity, scenario: &Scenario, planner: &Planner) -> Option<Comparison> {
    let slices: Vec<(Place, &Trial)> = capacity
        .trials
        .iter()
        .filter(|trial| trial.purpose == Purpose::Compare)
        .filter_map(|trial| Some((Place::of(trial.block?), trial)))
        .filter(|(place, _)| place.comparison == pair.index)
        .collect();
    // The last one: what the harness spoiled was repeated.
    let at = |rate: u32, number: u32, arm: u32| {
        let same = |(place, trial): &&(Place, &Trial)| place.rate == rate && place.pair == number && trial.arm == arm;
        slices.iter().rev().find(same).map(|(_, trial)| *trial)
    };
    let compared = |rate: u32| -> Option<Compared> {
        let pairs: Vec<(&Trial, &Trial)> = (0..design::PAIRS)
            .filter_map(|number| Some((at(rate, number, pair.from)?, at(rate, number, pair.to)?)))
            .collect();
        let offered = pairs.first()?.0.offered?;
        Some(compare(offered, &pairs, &scenario.objective, capacity.plan.seed)).filter(|rate| rate.told.pairs > 0)
    };
    let mut rates: Vec<Compared> = (0..design::RATES).filter_map(compared).collect();
    if rates.is_empty() {
        return None;
    }
    mark(&mut rates, scenario.offered_rate());
    let question = Question {
        objective: &scenario.objective,
        from: planner.search(pair.from as usize),
        to: planner.search(pair.to as usize),
    };
    // What limits at the rates that the advice is about, so the first of them: the scenario's own where it was compared.
    let first = rates[0].told.rate;
    let smaller = |trial: &&Trial| {
        trial.purpose == Purpose::Compare
            && trial.arm == pair.from
            && trial.offered.is_some_and(|offered| same_rate(offered, first))
    };
    Some(Comparison {
        from: pair.from,
        to: pair.to,
        advice: advice(&rates, &question),
        limit: limit(capacity.trials.iter().filter(smaller), &scenario.objective),
        rates: rates.into_iter().map(|rate| rate.told).collect(),
    })
}
