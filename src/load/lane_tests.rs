//! Lanes and their station against a scripted client library: recoveries, timeouts, health checks, upkeep, transactions.

use super::fake::{Fake, failed, ok, on_bench, scenario};
use crate::{
    measure::{ErrorClass, Latencies, SECOND},
    operation::{Kind, Reply},
    scenario::Action,
};

const TWO_CLIENTS: &str = "model = \"closed\"\nclients = 2";
const GET: &[&str] = &["command = \"GET\""];

#[test]
fn lanes_that_lose_their_connection_together_wait_for_one_recovery() {
    let shared = "size = 1\ncheckout = \"shared\"\nin_flight = 4";
    let scenario = scenario(shared, "model = \"closed\"\nclients = 6", GET);
    let recorded = on_bench(&scenario, Fake::default(), async |bench| {
        bench.release().await;
        assert_eq!(bench.fake.calls(), 4, "two of six clients wait for a place");
        for _ in 0..4 {
            bench.answer(failed(ErrorClass::ConnectionLost)).await;
        }
        assert_eq!((bench.fake.calls(), bench.fake.recoveries()), (0, 1));
        bench.recover().await;
        assert_eq!((bench.fake.calls(), bench.fake.recoveries()), (4, 0), "all places are back");
        bench.end();
        for _ in 0..6 {
            bench.answer(ok()).await;
        }
    });
    assert_eq!(recorded.errors("GET"), [(ErrorClass::ConnectionLost, 4)]);
    assert_eq!((recorded.completed("GET"), recorded.unfinished), (6, 0));
}

#[test]
fn a_pool_hands_out_the_connection_that_came_back_last_and_a_shared_one_goes_round() {
    for (checkout, expected) in [("\"exclusive\"", [2, 2, 2]), ("\"shared\"\nin_flight = 1", [0, 1, 2])] {
        let pool = format!("size = 3\ncheckout = {checkout}");
        let load = "model = \"closed\"\nclients = 1";
        on_bench(&scenario(&pool, load, GET), Fake::default(), async |bench| {
            bench.release().await;
            for expected in expected {
                let call = bench.fake.call();
                assert_eq!(call.connection, expected, "{checkout}");
                call.answer(ok());
                bench.settle().await;
            }
        });
    }
}

#[test]
fn a_connection_that_recovers_is_out_of_the_pool() {
    let recorded = on_bench(&scenario("size = 2", TWO_CLIENTS, GET), Fake::default(), async |bench| {
        bench.release().await;
        bench.answer(failed(ErrorClass::ConnectionLost)).await;
        for _ in 0..3 {
            assert_eq!(bench.fake.calls(), 1, "the other connection serves both clients");
            bench.answer(ok()).await;
        }
        bench.recover().await;
        assert_eq!(bench.fake.calls(), 2);
    });
    assert_eq!((recorded.completed("GET"), recorded.unfinished), (3, 2));
}

#[test]
fn an_error_reply_leaves_the_connection_in_the_pool() {
    let recorded = on_bench(&scenario("size = 1", TWO_CLIENTS, GET), Fake::default(), async |bench| {
        bench.release().await;
        bench.answer(failed(ErrorClass::Oom)).await;
        assert_eq!((bench.fake.calls(), bench.fake.recoveries()), (1, 0));
    });
    assert_eq!(recorded.errors("GET"), [(ErrorClass::Oom, 1)]);
}

#[test]
fn a_request_without_a_reply_times_out_and_its_late_reply_is_thrown_away() {
    let pool = "size = 1\ncommand_timeout = \"10s\"\ncheckout_timeout = \"1h\"";
    let recorded = on_bench(&scenario(pool, TWO_CLIENTS, GET), Fake::default(), async |bench| {
        bench.release().await;
        let call = bench.fake.call();
        bench.sweep_after(0).await;
        assert!(!call.is_given_up(), "10 s are not over");
        bench.sweep_after(10 * SECOND).await;
        assert!(call.is_given_up());
        call.answer(ok());
        bench.settle().await;
        assert_eq!((bench.fake.calls(), bench.fake.recoveries()), (0, 1), "the next request does not queue behind it");
        bench.recover().await;
        bench.answer(ok()).await;
    });
    assert_eq!(recorded.errors("GET"), [(ErrorClass::Timeout, 1)]);
    assert_eq!((recorded.completed("GET"), recorded.unfinished), (1, 2));
}

#[test]
fn a_timeout_on_a_shared_connection_frees_the_place_at_once() {
    let pool = "size = 1\ncheckout = \"shared\"\nin_flight = 1\ncommand_timeout = \"10s\"\ncheckout_timeout = \"1h\"";
    let recorded = on_bench(&scenario(pool, TWO_CLIENTS, GET), Fake::default(), async |bench| {
        bench.release().await;
        let call = bench.fake.call();
        bench.sweep_after(10 * SECOND).await;
        assert!(call.is_given_up());
        assert_eq!((bench.fake.calls(), bench.fake.recoveries()), (1, 0));
    });
    assert_eq!(recorded.errors("GET"), [(ErrorClass::Timeout, 1)]);
}

#[test]
fn a_reply_counts_that_is_there_before_the_lane_hears_of_the_timeout() {
    let pool = "size = 1\ncommand_timeout = \"10s\"\ncheckout_timeout = \"1h\"";
    let recorded = on_bench(&scenario(pool, TWO_CLIENTS, GET), Fake::default(), async |bench| {
        bench.release().await;
        bench.station.sweep(bench.after(10 * SECOND));
        bench.answer(ok()).await;
    });
    assert_eq!((recorded.completed("GET"), recorded.errors("GET")), (1, Vec::new()));
}

#[test]
fn requests_that_wait_too_long_for_a_connection_fail() {
    let pool = "size = 1\ncommand_timeout = \"1h\"\ncheckout_timeout = \"1s\"";
    let recorded = on_bench(&scenario(pool, TWO_CLIENTS, GET), Fake::default(), async |bench| {
        bench.release().await;
        bench.end();
        bench.sweep_after(SECOND).await;
        assert_eq!(bench.fake.calls(), 1, "the one under way goes on");
    });
    assert_eq!(recorded.errors("GET"), [(ErrorClass::CheckoutTimeout, 1)]);
    assert_eq!((recorded.service.scheduled, recorded.unfinished), (2, 1));
}

#[test]
fn every_lane_of_a_large_pool_is_swept_in_turn() {
    let pool =
        "size = 1\ncheckout = \"shared\"\nin_flight = 10000\ncommand_timeout = \"10s\"\ncheckout_timeout = \"1h\"";
    let recorded =
        on_bench(&scenario(pool, "model = \"closed\"\nclients = 10000", GET), Fake::default(), async |bench| {
            bench.release().await;
            bench.end();
            bench.sweep_after(10 * SECOND).await;
            let given_up = bench.fake.given_up();
            assert!((1..5_000).contains(&given_up), "{given_up} of 10 000 lanes in one sweep");
            // As often as in the tenth of a second in which a small pool is swept once.
            for _ in 1..100_000_000 / bench.station.sweep_every() {
                bench.sweep_after(10 * SECOND).await;
            }
        });
    assert_eq!(recorded.errors("GET"), [(ErrorClass::Timeout, 10_000)]);
}

#[test]
fn idle_connections_are_asked_for_a_sign_of_life_a_few_at_a_time() {
    let pool = "size = 3\nhealth_check = \"10s\"\ncheckout_timeout = \"1h\"";
    let load = "model = \"closed\"\nclients = 3";
    let recorded = on_bench(&scenario(pool, load, GET), Fake::default(), async |bench| {
        bench.sweep_after(0).await;
        assert_eq!(bench.fake.calls(), 0, "no connection was idle for 10 s");
        bench.sweep_after(10 * SECOND).await;
        assert_eq!(bench.fake.calls(), 1);
        bench.release().await;
        assert_eq!(bench.fake.calls(), 3, "the checked connection is out of the pool");
        assert_eq!(bench.answer(ok()).await, Kind::Ping);
        assert_eq!(bench.fake.calls(), 3, "and back in it");
        bench.end();
        for _ in 0..3 {
            assert_eq!(bench.answer(ok()).await, Kind::Get);
        }
        bench.sweep_after(10 * SECOND).await;
        assert_eq!(bench.answer(failed(ErrorClass::ConnectionLost)).await, Kind::Ping);
        assert_eq!(bench.fake.recoveries(), 1);
    });
    assert_eq!((recorded.completed("GET"), recorded.service.idle_checks), (3, 2));
}

#[test]
fn upkeep_follows_on_the_same_connection_before_the_next_request() {
    let push = &["command = \"LPUSH\"\nmembers = 10"];
    let recorded = on_bench(&scenario("size = 1", TWO_CLIENTS, push), Fake::default(), async |bench| {
        bench.release().await;
        let long = || Ok(Reply { integer: Some(25), ..Reply::default() });
        assert_eq!(bench.answer(long()).await, Kind::LPush);
        assert_eq!(bench.answer(ok()).await, Kind::LTrim);
        assert_eq!(bench.answer(long()).await, Kind::LPush);
        assert_eq!(bench.answer(failed(ErrorClass::ConnectionLost)).await, Kind::LTrim);
        assert_eq!((bench.fake.calls(), bench.fake.recoveries()), (0, 1));
    });
    assert_eq!((recorded.completed("LPUSH"), recorded.completed("LPUSH+LTRIM")), (2, 1));
    assert_eq!(recorded.errors("LPUSH+LTRIM"), [(ErrorClass::ConnectionLost, 1)]);
}

#[test]
fn a_transaction_that_fails_is_discarded() {
    let sequence = &["name = \"both\"\ntransaction = true\nsequence = [{ command = \"GET\" }, { command = \"SET\" }]"];
    let recorded = on_bench(&scenario("size = 1", TWO_CLIENTS, sequence), Fake::default(), async |bench| {
        bench.release().await;
        assert_eq!(bench.answer(ok()).await, Kind::Multi);
        assert_eq!(bench.answer(failed(ErrorClass::Noperm)).await, Kind::Get);
        assert_eq!(bench.answer(ok()).await, Kind::Raw, "DISCARD");
        assert_eq!(bench.answer(ok()).await, Kind::Multi);
        assert_eq!(bench.answer(failed(ErrorClass::ConnectionLost)).await, Kind::Get);
        bench.recover().await;
        assert_eq!(bench.answer(ok()).await, Kind::Raw, "DISCARD, for the connection may be the same");
        for expected in [Kind::Multi, Kind::Get, Kind::Set, Kind::Exec] {
            assert_eq!(bench.answer(ok()).await, expected);
        }
    });
    assert_eq!(recorded.errors("both"), [(ErrorClass::ConnectionLost, 1), (ErrorClass::Noperm, 1)]);
    assert_eq!((recorded.completed("both"), recorded.completed("both/1.MULTI")), (1, 3));
}

#[test]
fn composing_a_request_is_no_part_of_its_service_time() {
    let sequence = &["name = \"both\"\nsequence = [{ command = \"MSET\" }, { command = \"MSET\" }]"];
    let mut scenario = scenario("size = 1", "model = \"closed\"\nclients = 1", sequence);
    scenario.services[0].keys.count = 100_000;
    let Action::Sequence { steps, .. } = &mut scenario.services[0].operations[0].action else { unreachable!() };
    for step in steps {
        step.parameters.batch = 20_000;
    }
    let recorded = on_bench(&scenario, Fake::default(), async |bench| {
        bench.release().await;
        for _ in 0..6 {
            bench.answer(ok()).await;
        }
    });
    // Answers come at once, and composing 20 000 pairs takes many times as long.
    let shortest = |latencies: &Latencies| latencies.quantile(0.0);
    let whole = &recorded.series["both"];
    let composing = shortest(&whole.wait);
    assert_eq!(whole.counts.completed, 3);
    for (name, series) in &recorded.series {
        let service = shortest(&series.service);
        assert!(service < composing / 2, "{name}: {service} ns of service, {composing} ns of composing");
    }
}

const PIPELINE: &str = "size = 1\npipeline = 3\ncommand_timeout = \"10s\"\ncheckout_timeout = \"1h\"";

#[test]
fn a_client_of_a_pipeline_sends_its_batch_together_and_the_next_when_all_replies_are_there() {
    let recorded = on_bench(&scenario(PIPELINE, TWO_CLIENTS, GET), Fake::default(), async |bench| {
        bench.release().await;
        for left in [2, 1] {
            assert_eq!(bench.fake.calls(), left + 1, "nothing is sent until the batch is answered");
            bench.answer(ok()).await;
        }
        bench.answer(failed(ErrorClass::Oom)).await;
        assert_eq!(bench.fake.calls(), 3, "the batch of the other client");
        for _ in 0..3 {
            bench.answer(ok()).await;
        }
        assert_eq!((bench.fake.calls(), bench.fake.recoveries()), (3, 0));
    });
    assert_eq!((recorded.completed("GET"), recorded.errors("GET")), (5, vec![(ErrorClass::Oom, 1)]));
    assert_eq!((recorded.service.scheduled, recorded.unfinished), (12, 6));
}

#[test]
fn waiting_requests_of_an_open_loop_are_sent_together() {
    let load = "model = \"open\"\nrate = 1000000\narrivals = \"uniform\"";
    let recorded = on_bench(&scenario(PIPELINE, load, GET), Fake::default(), async |bench| {
        bench.station.release_due(bench.after(SECOND));
        bench.settle().await;
        assert_eq!(bench.fake.calls(), 1, "the first finds the connection idle");
        bench.end();
        bench.answer(ok()).await;
        for _ in 0..2 {
            assert_eq!(bench.fake.calls(), 3);
            for _ in 0..3 {
                bench.answer(ok()).await;
            }
        }
    });
    assert_eq!(recorded.completed("GET"), 7);
}

#[test]
fn of_a_batch_that_times_out_the_replies_that_came_count() {
    let recorded = on_bench(&scenario(PIPELINE, TWO_CLIENTS, GET), Fake::default(), async |bench| {
        bench.release().await;
        bench.answer(ok()).await;
        bench.sweep_after(10 * SECOND).await;
        assert_eq!((bench.fake.given_up(), bench.fake.recoveries()), (2, 1));
    });
    assert_eq!((recorded.completed("GET"), recorded.errors("GET")), (1, vec![(ErrorClass::Timeout, 2)]));
}

#[test]
fn sequences_of_a_batch_go_step_by_step_without_those_that_failed() {
    let sequence = &["name = \"both\"\nsequence = [{ command = \"SET\" }, { command = \"GET\" }]"];
    let recorded = on_bench(&scenario(PIPELINE, TWO_CLIENTS, sequence), Fake::default(), async |bench| {
        bench.release().await;
        bench.end();
        assert_eq!(bench.answer(failed(ErrorClass::Oom)).await, Kind::Set);
        for kind in [Kind::Set, Kind::Set, Kind::Get, Kind::Get] {
            assert_eq!(bench.answer(ok()).await, kind);
        }
        assert_eq!(bench.fake.calls(), 3, "the batch of the other client");
    });
    assert_eq!((recorded.completed("both"), recorded.errors("both")), (2, vec![(ErrorClass::Oom, 1)]));
    assert_eq!((recorded.completed("both/1.SET"), recorded.completed("both/2.GET")), (2, 2));
}
