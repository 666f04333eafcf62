//! Tests of what is concluded from whole runs on simulated servers.

use super::{
    Advice, Apart, CapacityAnalysis, Limit, Planner, Undone, conclude,
    draw::generator,
    erlang::Queue,
    simulated::{Made, Server, block, by_harness, capacity, carry_out_with, plan, scenario, trial},
};
use crate::results::{BlockSide, Capacity, CapacityPlan, ConnectionLevel, Ended, Purpose, ServiceTrial, Trial};
use rand::RngExt;

const ALL: [Purpose; 5] = [Purpose::Search, Purpose::Confirm, Purpose::Above, Purpose::Curve, Purpose::Closed];
const MILLI: f64 = 1e6;

/// A run whose every trial is that of a queue in front of pools of a number of connections, changed by `change`, and whose every side of a
/// block is, changed by `of_side` (which is given the arm), with five percent of noise in what takes time.
fn run(plan: CapacityPlan, hold: f64, change: impl Fn(&mut Trial), of_side: impl Fn(u32, &mut BlockSide)) -> Capacity {
    let pools: Vec<u32> = plan.arms.iter().map(|arm| arm.pool.unwrap_or(50)).collect();
    let (mut random, mut of_blocks) = (generator(plan.seed, 11), generator(plan.seed, 12));
    let mut planner = Planner::new(plan.clone(), &scenario());
    let make = |plan: &super::TrialPlan, number| {
        let pool = pools[plan.arm as usize];
        let server = Server::Markov(pool, hold / 1e9);
        let mut trial = server.trial(plan, number, &mut random);
        let rate = plan.offered.unwrap_or(f64::from(pool) / hold * 1e9);
        let queue = Queue::new(pool, rate, hold);
        let wait = queue.wait_quantile(0.99).min(200.0 * MILLI);
        let mut noise = || 0.95 + 0.1 * random.random::<f64>();
        trial.service.mean = hold * noise();
        trial.wait.p99 = wait as u64;
        trial.wait.mean = queue.mean_wait().min(100.0 * MILLI);
        trial.response.mean = trial.service.mean + trial.wait.mean;
        trial.response.p99 = ((2.0 * hold + wait) * noise()) as u64;
        trial.server_busy = Some(0.3);
        let measured =
            ServiceTrial { hold_mean: trial.service.mean, wait_p99: trial.wait.p99, ..ServiceTrial::default() };
        trial.services = vec![measured];
        change(&mut trial);
        trial
    };
    let compare = |plan: &super::BlockPlan| {
        let mut block = block(plan);
        for (side, arm) in [&mut block.sides.a, &mut block.sides.b].into_iter().zip([plan.from, plan.to]) {
            let queue = Queue::new(pools[arm as usize], plan.rate, hold);
            let mut noise = || 0.95 + 0.1 * of_blocks.random::<f64>();
            side.service.mean = hold * noise();
            side.wait.p99 = queue.wait_quantile(0.99) as u64;
            side.response.p50 = ((0.7 * hold + queue.wait_quantile(0.5)) * noise()) as u64;
            side.response.p99 = ((2.0 * hold + queue.wait_quantile(0.99)) * noise()) as u64;
            of_side(arm, side);
        }
        block
    };
    let Made { trials, blocks, ended } = carry_out_with(&mut planner, &ALL, make, compare);
    Capacity { trials, blocks, ended: ended.unwrap_or(Ended::Running), ..capacity(plan) }
}

fn concluded(plan: CapacityPlan, hold: f64, change: impl Fn(&mut Trial)) -> CapacityAnalysis {
    conclude(&run(plan, hold, change, |_, _| ()), &scenario())
}

/// Connections are held for 0.5 ms: 5 of them carry 10 000/s. The scenario offers 1 000/s.
#[test]
fn a_pool_that_is_large_enough_gains_nothing() {
    let analysis = concluded(plan(&[5, 10], 1), 0.5 * MILLI, |_| ());
    let comparison = &analysis.comparisons[0];
    assert_eq!((comparison.advice, comparison.apart), (Advice::NoBenefit, None), "{comparison:?}");
    assert!(matches!(comparison.limit, Limit::RoundTrip(_)), "{comparison:?}");
    assert_eq!(comparison.rates.len(), 3);
    assert!(comparison.rates.iter().all(|rate| rate.blocks == 12));
    let carried = |arm: usize| analysis.arms[arm].sustainable.unwrap().rate;
    assert!(carried(1) > 1.8 * carried(0), "a rate that is not offered is no reason to grow");
    assert!(matches!(analysis.arms[0].limit, Limit::Pool(_)), "{:?}", analysis.arms[0].limit);
}

/// Held for 1.9 ms each, four of them carry 2 100/s: enough for what the scenario offers, with waits that show.
#[test]
fn a_pool_whose_waits_are_noticed_is_to_grow() {
    let analysis = concluded(plan(&[4, 8], 1), 1.9 * MILLI, |_| ());
    let comparison = &analysis.comparisons[0];
    assert_eq!(comparison.advice, Advice::Grow, "{comparison:?}");
    let at = comparison.decisive().unwrap();
    assert!(at.decides && at.response_p99.p_better <= 0.01 && at.response_p99.effect.ratio.point < 0.9, "{at:?}");
}

/// Two of them carry 1 050/s, and not within the objective; eight of them do with ease.
#[test]
fn a_pool_that_cannot_carry_the_load_is_to_grow() {
    let analysis = concluded(plan(&[2, 8], 1), 1.9 * MILLI, |_| ());
    let comparison = &analysis.comparisons[0];
    assert_eq!(comparison.advice, Advice::Grow, "{comparison:?}");
    assert_eq!(comparison.apart, Some(Apart { rate: 1_000.0, larger: true }));
    assert!(comparison.rates.iter().all(|at| at.rate < 1_000.0), "what one of them cannot carry is not compared");
}

/// What lets a larger pool carry more is no connection where the server has no time left.
#[test]
fn a_busy_server_is_no_reason_to_grow() {
    for pools in [[2, 8], [4, 8]] {
        let mut busy = run(plan(&pools, 1), 1.9 * MILLI, |trial| trial.server_busy = Some(0.95), |_, _| ());
        busy.blocks.iter_mut().for_each(|block| block.server_busy = Some(0.95));
        let comparison = &conclude(&busy, &scenario()).comparisons[0];
        assert!(matches!(comparison.advice, Advice::Inconclusive(_)), "{comparison:?}");
    }
}

/// The queue moves from the pool into the server, where it is longer.
#[test]
fn a_queue_that_moves_into_the_server_is_worse() {
    let slower = |arm: u32, side: &mut BlockSide| {
        if arm == 1 {
            side.service.mean *= 2.0;
            side.response.p99 += (5.0 * MILLI) as u64;
        }
    };
    let comparison = &conclude(&run(plan(&[5, 10], 1), 0.5 * MILLI, |_| (), slower), &scenario()).comparisons[0];
    assert_eq!(comparison.advice, Advice::Worse, "{comparison:?}");
    assert!(comparison.decisive().unwrap().response_p99.effect.ratio.point > 1.1);
}

/// The server takes longer for more connections, but no request waits for one.
#[test]
fn what_is_answered_sooner_is_not_worse() {
    let slower = |arm: u32, side: &mut BlockSide| {
        if arm == 1 {
            side.service.mean *= 2.0;
        }
    };
    let comparison = &conclude(&run(plan(&[4, 8], 1), 1.9 * MILLI, |_| (), slower), &scenario()).comparisons[0];
    assert!(comparison.rates[0].service.effect.ratio.point > 1.5, "{comparison:?}");
    assert_eq!(comparison.advice, Advice::Grow, "{comparison:?}");
}

/// The larger pool fails where the smaller one does well.
#[test]
fn a_load_that_only_the_smaller_pool_carries_is_a_reason_against_the_larger() {
    let collapses = |trial: &mut Trial| {
        if trial.arm == 1 && trial.offered > Some(600.0) {
            trial.late = trial.scheduled / 2;
        }
    };
    let comparison = &concluded(plan(&[5, 10], 1), 0.5 * MILLI, collapses).comparisons[0];
    assert_eq!(comparison.advice, Advice::Worse, "{comparison:?}");
    assert_eq!(comparison.apart, Some(Apart { rate: 1_000.0, larger: false }));
}

/// More requests fail with the larger pool, which no percentile shows.
#[test]
fn failures_count() {
    let fails = |arm: u32, side: &mut BlockSide| side.failed = u64::from(arm) * side.scheduled / 100;
    let mut failing = run(plan(&[5, 10], 1), 0.5 * MILLI, |_| (), |_, _| ());
    let mut change = |of: &dyn Fn(u32) -> u32| {
        for block in &mut failing.blocks {
            fails(of(0), &mut block.sides.a);
            fails(of(1), &mut block.sides.b);
        }
        conclude(&failing, &scenario()).comparisons[0].advice
    };
    assert_eq!(change(&|arm| arm), Advice::Worse);
    assert_eq!(change(&|arm| 1 - arm), Advice::Grow);
}

/// Times of microseconds that vary by half, beside an objective of 10 ms.
#[test]
fn what_nobody_notices_is_no_difference() {
    let longer = |arm: u32, side: &mut BlockSide| side.response.p99 = side.response.p99 * u64::from(2 + arm) / 2;
    let comparison = &conclude(&run(plan(&[5, 10], 1), 0.02 * MILLI, |_| (), longer), &scenario()).comparisons[0];
    assert!(comparison.rates[0].response_p99.effect.ratio.low > Some(1.3), "{comparison:?}");
    assert_eq!(comparison.advice, Advice::NoBenefit, "{comparison:?}");
}

#[test]
fn a_comparison_that_was_cut_short_decides_nothing() {
    let mut capacity = run(plan(&[4, 8], 1), 1.9 * MILLI, |_| (), |_, _| ());
    capacity.blocks.truncate(4);
    let began = capacity.blocks[3].began_ns;
    capacity.trials.retain(|trial| trial.began_ns < began);
    let analysis = conclude(&capacity, &scenario());
    assert_eq!(analysis.comparisons[0].rates[0].blocks, 4);
    assert_eq!(analysis.comparisons[0].advice, Advice::Inconclusive(None), "four blocks show nothing for certain");
    assert_eq!(analysis.undone, [Undone::Compare(0, 1), Undone::Confirm(0), Undone::Confirm(1), Undone::Curve(0)]);
}

/// One try that the machine disturbed, and one that it did not.
#[test]
fn a_block_that_the_machine_disturbed_does_not_count() {
    let mut capacity = run(plan(&[5, 10], 1), 0.5 * MILLI, |_| (), |_, _| ());
    let first = capacity.blocks[0].clone();
    let disturbed = crate::results::PoolBlock { stolen: Some(0.5), ..first.clone() };
    let blocks = |capacity: &Capacity| conclude(capacity, &scenario()).comparisons[0].rates[0].blocks;
    capacity.blocks[0] = disturbed;
    assert_eq!(blocks(&capacity), 11);
    assert_eq!(conclude(&capacity, &scenario()).undone.first(), Some(&Undone::Compare(0, 1)), "it is made again");
    capacity.blocks.push(first);
    assert_eq!(blocks(&capacity), 12);
    capacity.blocks.last_mut().unwrap().lag_p50 = 10_000_000;
    assert_eq!(blocks(&capacity), 11);
    assert_ne!(conclude(&capacity, &scenario()).undone.first(), Some(&Undone::Compare(0, 1)), "but once");
}

#[test]
fn an_arm_has_its_answers() {
    let analysis = concluded(plan(&[], 1), 0.5 * MILLI, |_| ());
    let arm = &analysis.arms[0];
    let sustainable = arm.sustainable.unwrap();
    let known = Server::Markov(50, 0.000_5).capacity();
    assert!((sustainable.rate / known - 1.0).abs() < 0.05 && sustainable.confirmed, "{sustainable:?} {known}");
    assert!((sustainable.recommended.unwrap() - 0.8 * sustainable.rate).abs() < 1e-6);
    assert_eq!(arm.first_failure.map(|(rate, _)| rate), sustainable.above);
    // The simulation calls late what took more than 10 ms, and everything slower than 5 ms.
    let limits: Vec<u64> = arm.by_limit.iter().map(|(limit, ..)| *limit).collect();
    assert_eq!(limits, [1_000_000, 5_000_000, 10_000_000, 25_000_000, 50_000_000, 100_000_000]);
    assert!(arm.by_limit[0].1.is_none() && arm.by_limit[0].2.is_some());
    // 10 ms is the objective's own limit.
    assert_eq!((arm.by_limit[2].1, arm.by_limit[2].2), (Some(sustainable.rate), sustainable.above));
    // M/M/50 waits little up to 90 %.
    assert!(arm.knee.unwrap() > 0.7 * known && arm.knee.unwrap() <= sustainable.above.unwrap(), "{arm:?}");
    assert!(arm.maximum > 0.95 * known);
    let erlang = arm.erlang.last().unwrap();
    assert!((erlang.rate / sustainable.rate - 1.0).abs() < 1e-9 && erlang.connections == 50, "{erlang:?}");
    assert!(erlang.utilisation > 0.85 && erlang.smallest > 50, "{erlang:?}");
}

#[test]
fn an_empty_run_says_nothing() {
    let analysis = conclude(&capacity(plan(&[50, 100], 1)), &scenario());
    assert!(analysis.comparisons.is_empty() && analysis.usl.is_none() && analysis.headroom.is_none());
    assert_eq!(analysis.arms[0].sustainable, None);
    assert_eq!(analysis.arms[0].limit, Limit::Unknown);
    assert_eq!(analysis.fleet.connections, [50, 100]);
    let undone = [
        Undone::Search(0),
        Undone::Search(1),
        Undone::Compare(0, 1),
        Undone::Confirm(0),
        Undone::Confirm(1),
        Undone::Curve(0),
    ];
    assert_eq!(analysis.undone, undone);
}

#[test]
fn the_harness_is_reported_and_not_the_server() {
    let analysis = concluded(plan(&[], 1), 0.5 * MILLI, |trial| {
        if trial.offered > Some(20_000.0) {
            (trial.client_limited, trial.late, trial.worker_busy) =
                (Some(by_harness("lag")), trial.scheduled, Some(0.97));
        }
    });
    let arm = &analysis.arms[0];
    let (limit, check) = arm.client_limited.clone().unwrap();
    assert!(limit > 20_000.0 && limit < 1.1 * 20_000.0, "{limit}");
    assert_eq!(check, by_harness("lag"));
    assert_eq!((arm.first_failure, arm.limit.clone()), (None, Limit::Client(Some(0.97))));
    assert_eq!(arm.sustainable.unwrap().above, None);
}

#[test]
fn headroom_is_reported_for_the_load_of_today() {
    let months = |current: f64, growth: Option<f64>| {
        let plan = CapacityPlan { current_rate: Some(current), growth, ..plan(&[], 1) };
        let mut capacity = capacity(plan);
        let passes = |purpose| Trial { purpose, ..trial(0, 4_000.0) };
        let fails = |rate: f64| Trial { late: rate as u64, ..trial(0, rate) };
        capacity.trials = vec![passes(Purpose::Search), fails(4_100.0)];
        conclude(&capacity, &scenario()).headroom.unwrap()
    };
    // 80 % of 4 000 is 3 200: from 1 600 that doubles in ln 2 / ln 1.1 months.
    let headroom = months(1_600.0, Some(0.1));
    assert!((headroom.times - 2.5).abs() < 1e-9 && headroom.stated);
    assert!((headroom.months.unwrap() - 7.272_540).abs() < 1e-5, "{headroom:?}");
    assert_eq!(months(1_600.0, None).months, None);
    assert_eq!(months(1_600.0, Some(0.0)).months, None);
    assert_eq!(months(3_500.0, Some(0.1)).months, Some(0.0));

    let mut open = capacity(CapacityPlan { current_rate: Some(3_500.0), growth: Some(0.1), ..plan(&[], 1) });
    open.trials = vec![trial(0, 4_000.0)];
    let analysis = conclude(&open, &scenario());
    assert_eq!(analysis.arms[0].sustainable.unwrap().recommended, None, "it may go much further");
    let headroom = analysis.headroom.unwrap();
    assert_eq!((headroom.bounded, headroom.months), (false, None));
}

#[test]
fn what_the_server_counted_stands_in_for_what_nobody_stated() {
    let mut counted = capacity(plan(&[], 1));
    (counted.trials, counted.current_rate) = (vec![trial(0, 4_000.0)], Some(500.0));
    let headroom = conclude(&counted, &scenario()).headroom.unwrap();
    // 4 000/s were found beside 500/s of others.
    assert!((headroom.times - 9.0).abs() < 1e-9 && !headroom.stated);
    counted.current_rate = Some(40_000.0);
    assert!(conclude(&counted, &scenario()).headroom.unwrap().times > 1.0, "others are carried along with it");
}

#[test]
fn connections_have_their_cost() {
    let level = |connections, client_memory| ConnectionLevel { connections, client_memory, used_memory: 1 << 20 };
    let mut measured = capacity(plan(&[], 1));
    measured.connections =
        vec![level(10, 1_000 + 10 * 2_048), level(60, 1_000 + 60 * 2_048), level(110, 1_000 + 110 * 2_048)];
    let (each, many) = conclude(&measured, &scenario()).connection_cost.unwrap();
    assert!((each - 2_048.0).abs() < 1e-6 && (many - 20_480_000.0).abs() < 1e-2);
    measured.connections.truncate(1);
    assert_eq!(conclude(&measured, &scenario()).connection_cost, None);
}

#[test]
fn maxclients_is_read_from_the_target() {
    let mut of = capacity(plan(&[], 1));
    assert_eq!(conclude(&of, &scenario()).fleet.max_clients, None, "a private one has what it was given");
    of.target.private = false;
    assert_eq!(conclude(&of, &scenario()).fleet.max_clients, Some(10_000));
}

#[test]
fn closed_loops_make_the_concurrency_model() {
    let plan = CapacityPlan { clients: vec![1, 2, 4, 8, 16, 32], ..plan(&[], 1) };
    let analysis = concluded(plan, 0.5 * MILLI, |trial| {
        if let (Some(clients), Some(_)) = (trial.clients, trial.block) {
            let n = f64::from(clients);
            trial.throughput = 1_000.0 * n / (1.0 + 0.05 * (n - 1.0) + 0.001 * n * (n - 1.0));
        }
    });
    let usl = analysis.usl.unwrap();
    assert!((usl.alpha.point - 0.05).abs() < 0.001 && (usl.peak.unwrap().point - 30.8).abs() < 0.5, "{usl:?}");
}
