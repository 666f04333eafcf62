//! The answers of a capacity run, concluded from its saved trials.

use super::{
    ArmAnswer, CapacityAnalysis, Comparison, ErlangCheck, Planner, Sustainable,
    advice::{Question, advice, mark},
    compare::{Compared, compare},
    curve, design,
    design::{Neighbours, Place},
    erlang::{Queue, smallest},
    evidence::same_rate,
    fleet::{connection_cost, fleet},
    headroom::headroom,
    judge::is_limited,
    limit::limit,
    search::Search,
    usl, variant,
};
use crate::{
    results::{Capacity, Purpose, Trial},
    scenario::{Checkout, Scenario, Service},
};

/// Share of the sustainable rate at which to run.
const RECOMMENDED: f64 = 0.8;

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
    let high = search.bracket().high;
    ArmAnswer {
        objective: scenario.objective,
        sustainable: search.sustained().map(|rate| Sustainable {
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
        erlang: erlang(search, scenario, trials),
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

/// Erlang-C at the sustainable rate, for the pool that is used most by the scenario; `None` where it shares its connections,
/// for then they are no servers in the sense of the theory.
fn erlang(search: &Search, scenario: &Scenario, trials: &[&Trial]) -> Option<ErlangCheck> {
    let total = scenario.offered_rate()?;
    let of_instance = |service: &Service| Some(service.offered_rate()? / f64::from(service.instances));
    let (index, busiest) = scenario
        .services
        .iter()
        .enumerate()
        .filter_map(|(index, service)| Some((index, service, of_instance(service)? / f64::from(service.pool.size))))
        .max_by(|a, b| a.2.total_cmp(&b.2))
        .map(|(index, service, _)| (index, service))?;
    if busiest.pool.checkout != Checkout::Exclusive {
        return None;
    }
    let rate = search.sustained()?;
    let made: Vec<&Trial> =
        of_rate(trials, rate).into_iter().filter(|trial| !is_limited(trial, &scenario.objective)).collect();
    let longest = made.iter().map(|trial| trial.measured_ns).max()?;
    let trial = made.into_iter().rev().find(|trial| trial.measured_ns == longest)?;
    let measured = trial.services.get(index).filter(|service| service.hold_mean > 0.0)?;
    let (rate, hold) = (rate * of_instance(busiest)? / total, measured.hold_mean);
    let queue = Queue::new(busiest.pool.size, rate, hold);
    Some(ErlangCheck {
        rate,
        hold,
        connections: busiest.pool.size,
        utilisation: queue.utilisation(),
        predicted_p99: queue.wait_quantile(0.99),
        measured_p99: measured.wait_p99 as f64,
        smallest: smallest(rate, hold, scenario.objective.latency.as_nanos() as f64),
    })
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
