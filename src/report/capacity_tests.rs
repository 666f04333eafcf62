//! Every output of a capacity run, and what must hold for any.

use insta::assert_snapshot;

use super::{
    Style, View, capacity::Answers, capacity_files, capacity_headline, capacity_json, capacity_terminal, csv_capacity,
    format::plain, html, markdown,
};
use crate::{
    analysis::capacity::{
        Advice, ArmAnswer, CapacityAnalysis, Comparison, ErlangCheck, FailReason, Fleet, Headroom, Limit,
        RateComparison, Sustainable, Undone, Usl,
    },
    results::{Capacity, Ended, LIMITS, Purpose, sample},
    scenario::Scenario,
};

fn scenario() -> Scenario {
    sample::scenario()
}

/// What is concluded of an arm that carries so much.
fn answer(rate: f64, limit: Limit) -> ArmAnswer {
    ArmAnswer {
        sustainable: Some(Sustainable { rate, above: Some(rate * 1.074), confirmed: true, recommended: 0.8 * rate }),
        client_limited: None,
        first_failure: Some((rate * 1.074, FailReason::Late(0.042))),
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
        erlang: None,
        limit,
    }
}

fn compared(from: u32, advice: Advice, limit: Limit, points: [f64; 3]) -> Comparison {
    let rates = [10_000.0, 12_200.0, 21_000.0].into_iter().zip(points).map(|(rate, point)| RateComparison {
        rate,
        pairs: 6,
        response_p99: (point, point * 0.95, point * 1.06),
        p_value: if (point - 1.0).abs() > 0.1 { 0.0004 } else { 0.42 },
        service: (1.01, 0.98, 1.04),
        throughput: (1.0, 0.998, 1.002),
        wait_p99: (4.1e6, 4.1e6 * point),
        server_busy: (Some(rate / 25_000.0), Some(rate / 25_000.0)),
        errors: (0.0, 0.0),
    });
    Comparison { from, to: from + 1, advice, limit, rates: rates.collect() }
}

/// The sample with four pool sizes.
fn pools() -> (Capacity, CapacityAnalysis) {
    let rates = [11_875.0, 23_750.0, 23_750.0, 23_750.0];
    let arms = rates.into_iter().zip(sample::capacity::POOLS).map(|(rate, pool)| {
        let limit = if pool == 25 { Limit::Pool(0.95) } else { Limit::ServerCpu(0.93) };
        let erlang = ErlangCheck {
            rate: 10_000.0,
            hold: 2e6,
            connections: pool,
            utilisation: 20.0 / f64::from(pool),
            predicted_p99: if pool == 25 { 1.1e6 } else { 0.0 },
            measured_p99: if pool == 25 { 4.1e6 } else { 20_000.0 },
            smallest: 26,
        };
        ArmAnswer { erlang: Some(erlang), ..answer(rate, limit) }
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
            compared(2, Advice::Inconclusive(0.25), Limit::ServerCpu(0.93), [1.04, 0.97, 1.08]),
        ],
        usl: Some(Usl {
            gamma: (900.0, 880.0, 930.0),
            alpha: (0.02, 0.017, 0.024),
            beta: (0.0002, 0.000_15, 0.000_26),
            peak: Some(70.0),
            peak_is_seen: true,
            r_squared: 0.9987,
            points: points.to_vec(),
        }),
        fleet: Fleet {
            services: vec![("api".into(), 4, 50), ("chat".into(), 2, 8), ("ml".into(), 1, 4)],
            connections: vec![120, 220, 420, 820],
            max_clients: Some(1_000),
        },
        headroom: Some(Headroom {
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
fn single() -> (Capacity, CapacityAnalysis) {
    let shares = [0.08, 0.16, 0.32, 0.64, 0.9, 0.95, 1.02, 1.28];
    let mut trials: Vec<_> =
        shares.map(|share| sample::capacity::open(0, 50, Purpose::Search, None, share * 25_000.0)).to_vec();
    trials.extend([0.95; 3].map(|share| sample::capacity::open(0, 50, Purpose::Confirm, None, share * 25_000.0)));
    let mut arm = sample::capacity::arm(50);
    (arm.name, arm.settings, arm.pool) = ("as written".to_owned(), Vec::new(), None);
    let analysis = CapacityAnalysis { arms: vec![answer(23_750.0, Limit::ServerCpu(0.93))], ..nothing() };
    (sample::capacity::of(vec![arm], trials), analysis)
}

fn nothing() -> CapacityAnalysis {
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

fn view((capacity, analysis): &(Capacity, CapacityAnalysis)) -> View {
    View::of_capacity(&Answers { capacity, scenario: &scenario(), analysis }, &[])
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

#[test]
fn terminal_text() {
    let at = |(capacity, analysis): (Capacity, CapacityAnalysis), width| {
        capacity_terminal(&capacity, &scenario(), &analysis, Style { colour: false, width })
    };
    assert_snapshot!("capacity_terminal_pools", at(pools(), 110));
    assert_snapshot!("capacity_terminal_single", at(single(), 80));
}

#[test]
fn documents() {
    assert_snapshot!("capacity_markdown_pools", markdown::render(&view(&pools())));
    assert_snapshot!("capacity_markdown_single", markdown::render(&view(&single())));
    // A line per element, so that a difference can be found.
    assert_snapshot!("capacity_html_single", html::render(&view(&single())).replace("><", ">\n<"));
}
