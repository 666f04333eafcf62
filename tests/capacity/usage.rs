//! Everything that is wrong before any load.

use super::bench::{beside, scenario_of};
use crate::support::Server;

#[test]
fn wrong_usage_ends_with_2_and_leaves_nothing() {
    let desk = beside(&scenario_of(1_000, "50ms", "command = \"GET\"", ""));
    for (arguments, complaint) in [
        (&["--pool", "50", "--sweep", "pool.size=10"][..], "set service.api.pool.size"),
        (&["--pool", "50,50"], "50 twice"),
        (&["--pool", "0"], "0"),
        (&["--sweep", "pool.siez=1,2"], "did you mean"),
        (&["--sweep", "values.size"], "FIELD=V1"),
        (&["--start-rate", "10", "--max-rate", "5"], "--max-rate"),
        (&["--trial", "10ms"], "--trial"),
        (&["--set", "service.api.load.model=closed", "--set", "service.api.load.clients=3"], "open loop"),
        (&["--resume", "nowhere"], "no saved run"),
        (&["--sweep", "load.rate=10,20"], "from trial to trial"),
        (&["--budget", "5s"], "--budget"),
        (&["--start-rate", "1e99"], "--start-rate"),
        (&["--growth", "-3"], "--growth"),
        (&["--growth", "3"], "--current-rate"),
        (&["--clients", "1,2,4,8,16,32", "--max-rate", "5000"], "--max-rate"),
        (&["--clients", "2,8"], "at least 6"),
    ] {
        let all = [&["capacity", "known.toml"], arguments].concat();
        desk.run(&all).ends_with(2).complains(complaint);
    }
    desk.run(&["capacity", "workflow-engine", "--clients", "2,8"]).ends_with(2).complains("3 services");
    assert_eq!(std::fs::read_dir(desk.path(".")).unwrap().count(), 1, "nothing but the scenario");
}

#[test]
fn a_run_whose_pools_were_compared_one_after_the_other_cannot_be_continued() {
    let desk = beside("");
    let saved = include_str!("../fixtures/saved/capacity-2b.json");
    let earlier = saved.replace("\"turn_ns\":25000000", "\"turn_ns\":null");
    assert_ne!(earlier, saved);
    std::fs::create_dir(desk.path("out")).unwrap();
    std::fs::write(desk.path("out/capacity.json"), earlier).unwrap();
    let reported = desk.run(&["capacity", "--resume", "out"]).ends_with(2);
    reported.complains("cannot resume out: an earlier version compared its pool sizes one after the other");
}

#[test]
fn a_target_that_cannot_be_used_leaves_nothing() {
    let desk = beside(&scenario_of(1_000, "50ms", "command = \"GET\"", ""));
    let server = Server::start();
    let wrong = server.url().replace("tester", "nobody");
    desk.run(&["capacity", "known.toml", "--out", "out", "--target", &wrong]).ends_with(3).complains("wrong password");
    let few = ["capacity", "known.toml", "--out", "out", "--target", &server.url(), "--pool", "10,100000"];
    desk.run(&few).ends_with(3);
    assert_eq!(std::fs::read_dir(desk.path(".")).unwrap().count(), 1, "nothing but the scenario");
}
