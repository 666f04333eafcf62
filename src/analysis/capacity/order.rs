//! Tests of the order in which a capacity run makes its trials, and of what ends it.

use std::collections::HashSet;

use super::{
    BlockPlan, Next, Planner, TrialPlan, Undone,
    draw::generator,
    simulated::{SEARCH, Server, block, by_harness, capacity, carry_out, carry_out_with, plan, scenario, trial},
};
use crate::results::{Capacity, CapacityPlan, Ended, PoolBlock, Purpose, Trial};

const SECOND: u64 = 1_000_000_000;
const ALL: [Purpose; 5] = [Purpose::Search, Purpose::Confirm, Purpose::Above, Purpose::Curve, Purpose::Closed];

/// A run on pools that carry as many operations per second as these servers.
fn run(plan: CapacityPlan, servers: &[Server]) -> (Planner, Vec<Trial>, Option<Ended>) {
    let mut random = generator(plan.seed, 9);
    let mut planner = Planner::new(plan, &scenario());
    let (trials, ended) =
        carry_out(&mut planner, &ALL, |plan, number| servers[plan.arm as usize].trial(plan, number, &mut random));
    (planner, trials, ended)
}

fn server(rate: f64) -> Server {
    Server::Markov(8, 8.0 / rate)
}

fn rates(trials: &[Trial], purpose: Purpose) -> Vec<f64> {
    trials.iter().filter(|trial| trial.purpose == purpose).filter_map(|trial| trial.offered).collect()
}

#[test]
fn doubles_then_bisects_then_confirms() {
    let (planner, trials, ended) = run(plan(&[], 1), &[server(30_000.0)]);
    assert_eq!(ended, Some(Ended::Finished));
    let searched = rates(&trials, Purpose::Search);
    assert_eq!(searched[..5], [4_000.0, 8_000.0, 16_000.0, 32_000.0, 32_000.0], "the failure that ends it twice");
    assert!((searched[5] - (16_000.0 * 32_000.0_f64).sqrt()).abs() < 1e-6);
    let (low, high) = planner.state(0);
    assert!(high.unwrap() / low.unwrap() <= 1.05);
    let confirmed: Vec<&Trial> = trials.iter().filter(|trial| trial.purpose == Purpose::Confirm).collect();
    assert_eq!(confirmed.len(), 3);
    assert!(confirmed.iter().all(|trial| trial.offered == low && trial.planned_ns == 30 * SECOND));
    assert!(rates(&trials, Purpose::Above).iter().all(|rate| Some(*rate) == high));
    assert!(planner.undone().is_empty());
}

#[test]
fn ends_are_mixed_differently_by_each_seed() {
    let order = |seed| -> Vec<Purpose> {
        let (_, trials, _) = run(plan(&[], seed), &[server(30_000.0)]);
        trials.iter().map(|trial| trial.purpose).filter(|purpose| *purpose != Purpose::Search).take(5).collect()
    };
    let orders: HashSet<Vec<Purpose>> = (0..20).map(order).collect();
    assert!(orders.len() > 3, "{orders:?}");
    assert_eq!(order(3), order(3));
}

#[test]
fn halves_where_the_first_trial_fails() {
    let (planner, trials, _) = run(plan(&[], 1), &[server(4_000.0)]);
    let searched = rates(&trials, Purpose::Search);
    assert_eq!(searched[..3], [4_000.0, 4_000.0, 2_000.0]);
    assert!(planner.state(0).0.is_some());
}

#[test]
fn a_trial_that_cannot_tell_is_made_again_twice_as_long() {
    let mut planner = Planner::new(plan(&[], 1), &scenario());
    let mut lengths = Vec::new();
    for _ in 0..5 {
        let Next::Trial(next) = planner.next(0) else { panic!("more to do") };
        lengths.push(next.duration_ns / SECOND);
        // Just as many late as the objective allows.
        let unsure = trial(0, next.offered.unwrap());
        let late = unsure.scheduled / 100;
        planner.record(&Trial { planned_ns: next.duration_ns, late, ..unsure });
    }
    assert_eq!(lengths, [10, 20, 40, 80, 10], "then it failed");
    assert_eq!(planner.state(0), (None, Some(4_000.0)));
}

#[test]
fn the_largest_rate_is_never_exceeded() {
    let plan = CapacityPlan { max_rate: Some(10_000.0), clients: vec![1, 2], ..plan(&[50, 100], 1) };
    let (planner, trials, ended) = run(plan, &[server(30_000.0), server(60_000.0)]);
    assert_eq!(ended, Some(Ended::Finished));
    assert!(trials.iter().filter_map(|trial| trial.offered).all(|rate| rate <= 10_000.0));
    assert_eq!((planner.state(0), planner.state(1)), ((Some(10_000.0), None), (Some(10_000.0), None)));
}

#[test]
fn the_harness_ends_the_search_of_its_arm_only() {
    let mut random = generator(1, 9);
    let mut planner = Planner::new(plan(&[50, 100], 1), &scenario());
    let (trials, _) = carry_out(&mut planner, &ALL, |plan, number| {
        let mut trial = server(100_000.0).trial(plan, number, &mut random);
        if plan.arm == 0 && plan.offered > Some(10_000.0) {
            (trial.client_limited, trial.late) = (Some(by_harness("worker busy")), trial.scheduled);
        }
        trial
    });
    let (Some(reached), None) = planner.state(0) else { panic!("no failure of the server's") };
    let (limit, _) = planner.search(0).limited().unwrap();
    assert!(reached <= 10_000.0 && *limit > 10_000.0 && limit / reached <= 1.05, "{reached} {limit}");
    assert!(planner.search(0).confirmed() && planner.search(1).confirmed());
    let limited: Vec<Option<f64>> =
        trials.iter().filter(|trial| trial.client_limited.is_some()).map(|trial| trial.offered).collect();
    assert_eq!(limited[0], limited[1], "it is looked at twice");
    assert!(limited[1..].is_sorted_by(|earlier, later| earlier > later), "and then not again: {limited:?}");
    assert!(planner.state(1).1.is_some());
}

#[test]
fn a_harness_that_is_starved_from_the_start_finds_nothing() {
    let mut planner = Planner::new(plan(&[], 1), &scenario());
    let (trials, ended) = carry_out(&mut planner, &ALL, |plan, _| Trial {
        client_limited: Some(by_harness("stolen CPU time")),
        ..trial(0, plan.offered.unwrap())
    });
    assert_eq!((trials.len(), ended), (2, Some(Ended::Finished)), "it is looked at twice");
    assert_eq!(planner.state(0), (None, None));
}

#[test]
fn a_bracket_that_the_harness_cannot_reach_is_given_up() {
    let mut random = generator(1, 9);
    let mut planner = Planner::new(plan(&[50, 100], 1), &scenario());
    carry_out(&mut planner, &ALL, |plan, number| {
        // With the larger pool the harness has more to do.
        let reach = if plan.arm == 0 { 40_000.0 } else { 10_000.0 };
        let mut trial = server(100_000.0).trial(plan, number, &mut random);
        if plan.offered > Some(reach) {
            (trial.client_limited, trial.late) = (Some(by_harness("worker busy")), trial.scheduled);
        }
        trial
    });
    for (arm, reach) in [(0, 40_000.0), (1, 10_000.0)] {
        let (Some(found), None) = planner.state(arm) else { panic!("no failure of the server's") };
        assert!(found <= reach && found > reach / 1.06, "{found} of {reach}");
        assert!(planner.search(arm as usize).confirmed());
    }
}

#[test]
fn what_starves_the_harness_once_ends_nothing() {
    let mut random = generator(1, 9);
    let mut planner = Planner::new(plan(&[], 1), &scenario());
    let (trials, _) = carry_out(&mut planner, &SEARCH, |plan, number| {
        let mut trial = server(30_000.0).trial(plan, number, &mut random);
        if number == 2 {
            (trial.client_limited, trial.late) = (Some(by_harness("stolen CPU time")), trial.scheduled);
        }
        trial
    });
    assert_eq!(trials[1].offered, trials[2].offered);
    assert!(planner.search(0).limited().is_none() && planner.search(0).confirmed());
}

/// Trials in which the harness was late and the other ones are undecided.
#[test]
fn what_a_late_harness_leaves_open_is_no_failure_of_the_server() {
    let mut planner = Planner::new(plan(&[], 1), &scenario());
    let (trials, _) = carry_out(&mut planner, &ALL, |plan, _| {
        let mut open = trial(0, plan.offered.unwrap());
        (open.planned_ns, open.waived, open.late) = (plan.duration_ns, Some(by_harness("lag")), open.scheduled / 100);
        open
    });
    assert!(trials.len() > 2 && trials[1].planned_ns == 2 * trials[0].planned_ns, "a longer one might decide");
    assert_eq!(planner.state(0), (None, None));
    assert_eq!(planner.search(0).limited().map(|(_, check)| check.clone()), Some(by_harness("lag")));
}

#[test]
fn two_accidents_with_a_pass_between_them_are_no_limit_of_the_harness() {
    let mut planner = Planner::new(plan(&[], 1), &scenario());
    let starved = Trial { client_limited: Some(by_harness("stolen CPU time")), ..trial(0, 4_000.0) };
    for made in [&starved, &trial(0, 4_000.0), &starved, &trial(0, 4_000.0)] {
        planner.record(made);
    }
    assert_eq!((planner.search(0).wall(), planner.state(0)), (None, (Some(4_000.0), None)));
    planner.record(&starved);
    planner.record(&starved);
    assert_eq!((planner.search(0).wall(), planner.state(0)), (Some(4_000.0), (None, None)), "twice in a row");
}

/// A rate that was sustained once with luck, and is then more than the harness can offer.
#[test]
fn what_the_harness_cannot_confirm_is_not_reported() {
    let mut random = generator(1, 9);
    let mut planner = Planner::new(plan(&[], 1), &scenario());
    carry_out(&mut planner, &SEARCH, |plan, number| {
        let mut trial = server(100_000.0).trial(plan, number, &mut random);
        if plan.offered > Some(12_000.0) && number != 3 {
            (trial.client_limited, trial.late) = (Some(by_harness("worker busy")), trial.scheduled);
        }
        trial
    });
    let found = planner.state(0).0.unwrap();
    assert!(found <= 12_000.0 && planner.search(0).confirmed(), "{found}");
}

#[test]
fn the_next_arm_begins_where_the_last_one_ended() {
    let (planner, trials, _) = run(plan(&[50, 100], 1), &[server(30_000.0), server(30_000.0)]);
    let searched: Vec<&Trial> =
        trials.iter().filter(|trial| trial.arm == 1 && trial.purpose == Purpose::Search).collect();
    assert_eq!(searched.len(), 2, "its bracket is the same");
    assert_eq!(planner.state(0), planner.state(1));
}

#[test]
fn nothing_is_begun_that_the_budget_does_not_hold() {
    let whole = plan(&[50, 100], 1);
    let servers = [server(30_000.0), server(60_000.0)];
    let mut undone = Vec::new();
    for minutes in [1, 7, 10, 12, 14, 200] {
        let plan = CapacityPlan { budget_ns: minutes * 60 * SECOND, ..whole.clone() };
        let (planner, trials, ended) = run(plan.clone(), &servers);
        let end = trials.last().map_or(0, |trial| planner.over_ns(trial));
        assert!(end <= plan.budget_ns);
        assert_eq!(ended == Some(Ended::Finished), planner.undone().is_empty(), "{minutes}");
        undone.push(planner.undone().first().copied());
    }
    let compare = Some(Undone::Compare(0, 1));
    let expected = [Some(Undone::Search(0)), compare, Some(Undone::Confirm(1)), compare, Some(Undone::Curve(0)), None];
    assert_eq!(undone, expected, "searches, comparisons, confirmations, the rest of the comparisons, curve");
}

#[test]
fn a_trial_is_over_when_its_last_replies_are_in() {
    let planner = Planner::new(plan(&[50, 100], 1), &scenario());
    let over = |purpose| planner.over_ns(&Trial { purpose, began_ns: SECOND, ..trial(0, 4_000.0) });
    // 3 s of load before it, 10 s of measurement, 5 s for replies, and a second besides.
    assert_eq!(over(Purpose::Search), 20 * SECOND);
    assert_eq!(over(Purpose::Confirm), 15 * SECOND);
    let compared = BlockPlan {
        from: 0,
        to: 1,
        rate: 1_000.0,
        number: 0,
        turn_ns: SECOND / 2,
        warmup_ns: 0,
        duration_ns: 4 * SECOND,
    };
    let block = PoolBlock { began_ns: SECOND, ..block(&compared) };
    assert_eq!(planner.block_over_ns(&block), 8 * SECOND, "four turns before it");
    let last = (86_400 - 19) * SECOND;
    assert!(matches!(planner.next(last), Next::Trial(_)));
    assert_eq!(planner.next(last + 1), Next::Done(Ended::Budget));
}

#[test]
fn the_estimate_is_about_what_it_takes() {
    for pools in [&[][..], &[50, 100], &[25, 50, 100, 200]] {
        let plan = CapacityPlan { clients: vec![1, 2, 4, 8], ..plan(pools, 1) };
        let servers = vec![server(60_000.0); pools.len().max(1)];
        let (planner, trials, _) = run(plan.clone(), &servers);
        let estimate = planner.estimate();
        let near =
            |estimated: f64, taken: f64| assert!((0.7..1.5).contains(&(estimated / taken)), "{estimate:?} {taken}");
        near(f64::from(estimate.trials), trials.len() as f64);
        near(estimate.all_ns as f64, trials.last().unwrap().began_ns as f64);
        let curve = trials.iter().find(|trial| trial.purpose == Purpose::Curve).unwrap();
        near(estimate.answers_ns as f64, curve.began_ns as f64);
    }
}

#[test]
fn errors_at_the_lowest_rates_end_the_run() {
    let mut planner = Planner::new(plan(&[], 1), &scenario());
    let (trials, ended) = carry_out(&mut planner, &ALL, |plan, _| {
        let sound = trial(0, plan.offered.unwrap());
        Trial { failed: sound.scheduled / 10, purpose: plan.purpose, ..sound }
    });
    assert_eq!(ended, Some(Ended::Errors));
    assert!(trials.len() <= 5, "{} trials", trials.len());
}

#[test]
fn errors_where_all_was_well_end_the_run() {
    let mut random = generator(1, 9);
    let mut planner = Planner::new(plan(&[], 1), &scenario());
    let (trials, ended) = carry_out(&mut planner, &ALL, |plan, number| {
        let mut trial = server(30_000.0).trial(plan, number, &mut random);
        if plan.purpose == Purpose::Closed || plan.purpose == Purpose::Curve {
            trial.failed = trial.scheduled / 2;
        }
        trial
    });
    assert_eq!(ended, Some(Ended::Errors));
    let after = trials.iter().filter(|trial| !SEARCH.contains(&trial.purpose));
    assert_eq!(after.count(), 3);
}

#[test]
fn clients_go_up_and_down_and_up() {
    let plan = CapacityPlan { clients: vec![1, 2, 4], ..plan(&[], 1) };
    let (_, trials, _) = run(plan, &[server(30_000.0)]);
    let closed: Vec<(Option<u32>, Option<u32>)> = trials
        .iter()
        .filter(|trial| trial.purpose == Purpose::Closed)
        .map(|trial| (trial.block, trial.clients))
        .collect();
    let expected = [(0, 1), (0, 2), (0, 4), (1, 4), (1, 2), (1, 1), (2, 1), (2, 2), (2, 4)];
    assert_eq!(closed, expected.map(|(block, clients)| (Some(block), Some(clients))));
}

#[test]
fn the_curve_goes_up_and_down_as_far_as_a_closed_loop_says() {
    let (_, trials, _) = run(plan(&[], 1), &[server(30_000.0)]);
    let closed: Vec<&Trial> = trials.iter().filter(|trial| trial.purpose == Purpose::Closed).collect();
    assert_eq!((closed.len(), closed[0].clients, closed[0].block), (1, Some(50), None));
    let curve = rates(&trials, Purpose::Curve);
    assert_eq!(curve.len(), 24);
    assert!((curve[0] - 3_000.0).abs() < 1e-6 && (curve[11] - 31_500.0).abs() < 1e-6, "{curve:?}");
    let back: Vec<f64> = curve[..12].iter().rev().copied().collect();
    assert_eq!(curve[12..], back);
}

/// Fed with what was saved, a planner goes on as the one that was interrupted would have.
#[test]
fn an_interrupted_run_goes_on_where_it_was() {
    let whole = CapacityPlan { clients: vec![1, 2, 4, 8], ..plan(&[25, 50], 5) };
    let servers = [server(9_000.0), server(30_000.0)];
    let mut random = generator(whole.seed, 9);
    let mut planner = Planner::new(whole.clone(), &scenario());
    let tried = |plan: &TrialPlan, number| servers[plan.arm as usize].trial(plan, number, &mut random);
    let made = carry_out_with(&mut planner, &ALL, tried, block);
    let text = Capacity { trials: made.trials, blocks: made.blocks, ..capacity(whole) }.to_json();
    let whole = Capacity::from_json(&text).unwrap();
    let ends: Vec<u64> = (whole.trials.iter().map(|trial| trial.began_ns))
        .chain(whole.blocks.iter().map(|block| block.began_ns))
        .collect();
    for end in ends.into_iter().step_by(3) {
        let mut part = whole.clone();
        part.trials.retain(|trial| trial.began_ns < end);
        part.blocks.retain(|block| block.began_ns < end);
        match Planner::of(&part, &scenario()).next(0) {
            Next::Trial(next) => {
                let trial = &whole.trials[part.trials.len()];
                let seen = (next.arm, next.purpose, next.block, next.offered, next.clients, next.duration_ns);
                assert_eq!(
                    seen,
                    (trial.arm, trial.purpose, trial.block, trial.offered, trial.clients, trial.planned_ns),
                    "trial {}",
                    part.trials.len()
                );
            }
            Next::Block(next) => {
                let block = &whole.blocks[part.blocks.len()];
                let seen = (next.from, next.to, next.rate, next.number, Some(next.turn_ns), next.duration_ns);
                let known = (block.from, block.to, block.rate, block.number, block.turn_ns, block.measured_ns);
                assert_eq!(seen, known, "block {}", part.blocks.len());
            }
            Next::Done(ended) => panic!("{ended:?}, with more to do"),
        }
    }
    assert_eq!(Planner::of(&whole, &scenario()).next(0), Next::Done(Ended::Finished));
}
