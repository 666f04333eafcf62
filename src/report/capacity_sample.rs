//! What is concluded from the synthetic capacity run, built by hand for the tests of words, tables and charts.

use std::cmp::Ordering;

use crate::{
    analysis::{
        Effect, Interval,
        capacity::{
            Advice, ArmAnswer, CapacityAnalysis, Comparison, ErlangCheck, FailReason, Fleet, Headroom, Limit,
            RateComparison, Sustainable, Undone, Usl,
        },
        gate::Change,
    },
    results::{Arm, Capacity, Ended, HarnessLimit, LIMITS, Purpose, Sides, sample},
    scenario::Scenario,
};

/// From the highest rate of the sample that is met to the lowest that is not.
const ABOVE: f64 = 1.02 / 0.95;

pub(super) fn scenario() -> Scenario {
    sample::scenario()
}

/// What is concluded of an arm that carries this much.
pub(super) fn answer(rate: f64, limit: Limit) -> ArmAnswer {
    ArmAnswer {
        objective: scenario().objective,
        sustainable: Some(Sustainable {
            rate,
            above: Some(rate * ABOVE),
            confirmed: true,
            recommended: Some(0.8 * rate),
        }),
        client_limited: None,
        first_failure: Some((rate * ABOVE, FailReason::Late(0.042))),
        by_limit: LIMITS
            .iter()
            .zip([0.0, 0.64, 0.8, 0.9, 0.95, 1.0])
            .map(|(limit, share)| {
                let met = (share > 0.0).then_some(share * rate);
                (*limit, met, (share < 1.0).then_some((share + 0.1) * rate))
            })
            .collect(),
        knee: Some(0.7 * rate),
        maximum: 1.04 * rate,
        erlang: Vec::new(),
        limit,
    }
}

pub(super) fn compared(from: u32, advice: Advice, limit: Limit, points: [f64; 3]) -> Comparison {
    let rates = [10_000.0, 12_200.0, 21_000.0].into_iter().zip(points).map(|(rate, point)| RateComparison {
        rate,
        decides: true,
        blocks: 12,
        turn_ns: Some(25_000_000),
        lag: 4_000.0,
        response_p50: change(9.1e5, 1.0 + (point - 1.0) / 10.0),
        response_p99: change(6.3e6, point),
        wait_p99: change(4.1e6, point),
        service: change(8.7e5, 1.01),
        throughput: change(rate, 1.0),
        server_busy: Some(rate / 25_000.0),
        errors: Sides::default(),
        failures: Ordering::Equal,
    });
    Comparison { from, to: from + 1, advice, limit, apart: None, rates: rates.collect() }
}

/// A change from a level by a factor, with an interval.
fn change(level: f64, factor: f64) -> Change {
    let ratio = Interval::between(factor, (factor * 0.95, factor * 1.06));
    Change {
        levels: Sides { a: level, b: level * factor },
        effect: Effect { ratio, p: Some(0.42), smallest_detectable: Some(0.1) },
        p_better: if factor < 0.9 { 0.0004 } else { 0.42 },
        blocks_needed: None,
        blocks: Vec::new(),
    }
}

/// The sample with four pool sizes.
pub(super) fn pools() -> (Capacity, CapacityAnalysis) {
    let rates = [11_875.0, 23_750.0, 23_750.0, 23_750.0];
    let arms = rates.into_iter().zip(sample::capacity::POOLS).map(|(rate, pool)| {
        let limit = if pool == 25 { Limit::Pool(0.95) } else { Limit::ServerCpu(0.93) };
        let erlang = ErlangCheck {
            service: "api".to_owned(),
            rate: 10_000.0,
            hold: 2e6,
            connections: pool,
            utilisation: 20.0 / f64::from(pool),
            predicted_p99: if pool == 25 { 1.1e6 } else { 0.0 },
            measured_p99: if pool == 25 { 4.1e6 } else { 20_000.0 },
            smallest: 26,
        };
        ArmAnswer { erlang: vec![erlang], ..answer(rate, limit) }
    });
    let points = [1, 2, 4, 8, 16, 32, 64].map(|clients| {
        let n = f64::from(clients);
        let fitted = 900.0 * n / (1.0 + 0.02 * (n - 1.0) + 0.0002 * n * (n - 1.0));
        (clients, fitted * if clients % 3 == 1 { 1.02 } else { 0.99 }, fitted)
    });
    let analysis = CapacityAnalysis {
        arms: arms.collect(),
        comparisons: vec![
            compared(0, Advice::Grow, Limit::Pool(0.95), [0.41, 0.22, 0.03]),
            compared(1, Advice::NoBenefit, Limit::ServerCpu(0.93), [0.98, 1.01, 1.02]),
            compared(2, Advice::Inconclusive(Some(0.25)), Limit::ServerCpu(0.93), [1.04, 0.97, 1.08]),
        ],
        usl: Some(Usl {
            gamma: Interval::between(900.0, (880.0, 930.0)),
            alpha: Interval::between(0.02, (0.017, 0.024)),
            beta: Interval::between(0.0002, (0.000_15, 0.000_26)),
            peak: Some(Interval::between(70.0, (61.0, 81.0))),
            r_squared: 0.9987,
            points: points.to_vec(),
        }),
        fleet: Fleet {
            services: vec![("api".into(), 4, 50), ("chat".into(), 2, 8), ("ml".into(), 1, 4)],
            connections: vec![120, 220, 420, 820],
            max_clients: Some(1_000),
        },
        headroom: Some(Headroom {
            bounded: true,
            arm: 0,
            current: 8_000.0,
            stated: true,
            times: 2.97,
            growth: Some(0.05),
            months: Some(17.7),
        }),
        connection_cost: Some((20_971.0, 209_715_200.0)),
        undone: vec![Undone::Curve(3), Undone::Compare(2, 3)],
    };
    let mut capacity = sample::capacity::pools();
    capacity.ended = Ended::Budget;
    (capacity, analysis)
}

/// One arm and nothing else.
pub(super) fn single() -> (Capacity, CapacityAnalysis) {
    let shares = [0.08, 0.16, 0.32, 0.64, 0.9, 0.95, 1.02, 1.28];
    let mut trials: Vec<_> =
        shares.map(|share| sample::capacity::open(0, 50, Purpose::Search, None, share * 25_000.0)).to_vec();
    trials.extend([0.95; 3].map(|share| sample::capacity::open(0, 50, Purpose::Confirm, None, share * 25_000.0)));
    let mut arm = sample::capacity::arm(50);
    (arm.name, arm.pool) = ("as written".to_owned(), None);
    (arm.settings, arm.coordinates) = (Vec::new(), Vec::new());
    let analysis = CapacityAnalysis { arms: vec![answer(23_750.0, Limit::ServerCpu(0.93))], ..nothing() };
    (sample::capacity::of(vec![arm], trials), analysis)
}

pub(super) fn nothing() -> CapacityAnalysis {
    CapacityAnalysis {
        arms: Vec::new(),
        comparisons: Vec::new(),
        usl: None,
        fleet: Fleet { services: Vec::new(), connections: Vec::new(), max_clients: None },
        headroom: None,
        connection_cost: None,
        undone: Vec::new(),
    }
}

/// A sweep of two settings, in some of which nothing was found.
pub(super) fn sweep() -> (Capacity, CapacityAnalysis) {
    let (sizes, checkouts) = (["64", "256", "1024", "4096"], ["exclusive", "shared"]);
    let (mut arms, mut answers, mut trials) = (Vec::new(), Vec::new(), Vec::new());
    for (row, checkout) in checkouts.into_iter().enumerate() {
        for (column, size) in sizes.into_iter().enumerate() {
            let coordinates = [("pool.checkout", checkout), ("values.size", size)];
            let coordinates: Vec<_> = coordinates.map(|(field, value)| (field.to_owned(), value.to_owned())).to_vec();
            let name = coordinates.iter().map(|(field, value)| format!("{field}={value}")).collect::<Vec<_>>();
            arms.push(Arm { name: name.join(" "), settings: coordinates.clone(), pool: None, coordinates });
            let rate = 24_000.0 / (1.0 + column as f64) * (1.0 + 0.2 * row as f64);
            let mut of_arm = answer(rate, Limit::ServerCpu(0.9));
            match (row, column) {
                (0, 3) => (of_arm.sustainable, of_arm.by_limit) = (None, Vec::new()),
                (1, 0) => of_arm.client_limited = Some((30_000.0, HarnessLimit::Words("worker CPU".to_owned()))),
                _ => {}
            }
            answers.push(of_arm);
            let index = arms.len() as u32 - 1;
            let shares = [0.3, 0.6, 0.9, 1.1];
            trials.extend(shares.map(|share| sample::capacity::open(index, 50, Purpose::Search, None, share * rate)));
        }
    }
    (sample::capacity::of(arms, trials), CapacityAnalysis { arms: answers, ..nothing() })
}

/// The sample whose harness was the limit, of an arm for which this much is known to be sustainable.
pub(super) fn starved(known: Option<f64>) -> (Capacity, CapacityAnalysis) {
    let (mut capacity, mut analysis) = single();
    capacity.trials.truncate(5);
    let last = capacity.trials.last_mut().unwrap();
    last.client_limited = Some(HarnessLimit::Words("schedule lag".into()));
    let at = last.offered.unwrap();
    analysis.arms = vec![ArmAnswer {
        objective: scenario().objective,
        sustainable: known.map(|rate| Sustainable { rate, above: None, confirmed: false, recommended: None }),
        client_limited: Some((at, HarnessLimit::Words("schedule lag".to_owned()))),
        first_failure: None,
        by_limit: Vec::new(),
        knee: None,
        maximum: 0.0,
        erlang: Vec::new(),
        limit: Limit::Client(Some(0.97)),
    }];
    (capacity, analysis)
}

/// A run that was ended after a number of trials, of which nothing was concluded.
pub(super) fn cut_short(trials: usize, ended: Ended) -> (Capacity, CapacityAnalysis) {
    let (mut capacity, mut analysis) = single();
    capacity.trials.truncate(trials);
    capacity.ended = ended;
    analysis.arms = vec![ArmAnswer {
        objective: scenario().objective,
        sustainable: None,
        client_limited: None,
        first_failure: None,
        by_limit: LIMITS.iter().map(|limit| (*limit, None, None)).collect(),
        knee: None,
        maximum: 0.0,
        erlang: Vec::new(),
        limit: Limit::Unknown,
    }];
    analysis.undone = vec![Undone::Search(0), Undone::Confirm(0)];
    (capacity, analysis)
}
