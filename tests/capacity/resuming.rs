//! A search that is interrupted, killed, and brought to its end.

use std::fs;

use plimsoll::results::{Capacity, Ended};
use rustix::process::Signal;

use super::bench::{beside, scenario_of};
use crate::support::{Outcome, signal, until};

#[test]
fn an_interrupted_search_goes_on_with_the_trials_that_it_has() {
    let desk = beside(&scenario_of(500, "50ms", "command = \"GET\"", "drain = \"1s\""));
    let limits = ["--max-rate", "2000", "--trial", "1s", "--warmup", "100ms", "--budget", "25s"];
    let child = desk.start(&[&["capacity", "known.toml", "--out", "out"], &limits[..]].concat());
    until("two trials are saved", || desk.trials() >= 2);
    signal(&child, Signal::INT);
    Outcome::of_child(child).ends_with(130).complains("interrupted");
    let (interrupted, _) = desk.saved();
    assert_eq!(interrupted.ended, Ended::Interrupted);
    assert!(desk.path("out/report.html").is_file(), "what there is is reported");
    let keeps = |now: &Capacity, before: &Capacity| {
        assert_eq!(now.trials[..before.trials.len()], before.trials[..]);
        assert!((1..).zip(&now.trials).all(|(number, trial)| trial.number == number));
        assert!(now.trials.iter().all(|trial| desk.path("out").join(&trial.folder).join("run.json").is_file()));
        assert!(now.trials.is_sorted_by_key(|trial| trial.began_ns));
    };

    let mut child = desk.start(&["capacity", "--resume", "out"]);
    until("one more is saved", || desk.trials() > interrupted.trials.len());
    child.kill().unwrap();
    child.wait().unwrap();
    let (killed, _) = desk.saved();
    assert_eq!(killed.ended, Ended::Running);
    keeps(&killed, &interrupted);

    desk.run(&["capacity", "queue", "--resume", "out"]).ends_with(2).complains("the scenario");
    desk.run(&["capacity", "--resume", "out", "--trial", "2s"]).ends_with(2).complains("--trial");
    let run = format!("out/{}", killed.trials[0].folder);
    desk.run(&["capacity", "--resume", &run]).ends_with(2).complains("holds no capacity run");

    let before = fs::read_to_string(desk.path("out/capacity.json")).unwrap();
    let wrong = before.replacen("\"product\":\"redis\"", "\"product\":\"valkey\"", 1);
    let wrong = wrong.replacen("\"product\":\"keydb\"", "\"product\":\"valkey\"", 1);
    if wrong != before {
        fs::write(desk.path("out/capacity.json"), wrong).unwrap();
        desk.run(&["capacity", "--resume", "out"]).ends_with(2).complains("its product was valkey");
        fs::write(desk.path("out/capacity.json"), before).unwrap();
    }

    let outcome = desk.run(&["capacity", "--resume", "out", "--quiet"]);
    let (finished, _) = desk.saved();
    keeps(&finished, &killed);
    assert!(![Ended::Running, Ended::Interrupted].contains(&finished.ended), "{}", outcome.stderr);
    assert!(finished.trials.len() > killed.trials.len(), "{finished:?}");
    assert_eq!(outcome.stderr, "");
    assert_eq!(finished.started, interrupted.started);
}
