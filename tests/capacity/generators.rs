//! Searches whose load comes from several generators.

use plimsoll::results::{self, Ended, Saved};
use rustix::process::{Pid, Signal, kill_process};

use super::bench::{beside, scenario_of};
use crate::{
    cli::scale::{is_there, shards},
    support::{Outcome, signal, until},
};

const SCENARIO: [&str; 2] = ["capacity", "known.toml"];

const SCALE: [&str; 6] = ["--scale", "2", "--launcher", "local", "--start-in", "300ms"];

fn scenario() -> String {
    scenario_of(200, "50ms", "command = \"GET\"", "drain = \"500ms\"")
}

#[test]
fn the_same_generators_send_the_load_of_all_trials_and_comparisons() {
    let desk = beside(&scenario());
    let lengths = ["--max-rate", "400", "--trial", "1s", "--warmup", "100ms", "--pool", "4,8", "--out", "out"];
    let child = desk.start(&[&SCENARIO[..], &lengths, &SCALE, &["--budget", "60s"]].concat());
    until("a trial is saved", || desk.trials() >= 1);
    let first = shards(child.id());
    assert_eq!(first.len(), 2);
    until("two sizes have been compared", || !desk.saved().0.blocks.is_empty());
    assert_eq!(shards(child.id()), first);
    signal(&child, Signal::INT);
    Outcome::of_child(child).ends_with(130);
    until("the generators end", || first.iter().all(|pid| !is_there(*pid)));
    let (capacity, _) = desk.saved();
    assert!(capacity.trials.len() > 1);
    for trial in &capacity.trials {
        let Saved::Run(run) = results::load(&desk.path("out").join(&trial.folder)).unwrap() else { panic!("no run") };
        assert_eq!(run.generators.len(), 2);
        let of_generators = run.generators.iter().map(|generator| generator.scheduled).sum::<u64>();
        assert_eq!((of_generators, trial.scheduled), (run.recording.scheduled(), run.recording.scheduled()));
    }
    let blocks = &capacity.blocks;
    assert!(!blocks.is_empty() && blocks.iter().all(|block| block.misaligned_ns.is_some()));
    assert!(
        blocks.iter().all(|block| block.sides.a.scheduled > 0 && block.sides.a.scheduled == block.sides.b.scheduled)
    );

    let resume = ["capacity", "--resume", "out", "--budget", "10m"];
    desk.run(&resume).ends_with(2).complains("--scale was 2 and is not set");
}

#[test]
fn a_generator_that_is_lost_ends_the_search_and_another_call_goes_on() {
    let desk = beside(&scenario());
    let lengths = ["--max-rate", "300", "--trial", "1s", "--warmup", "100ms", "--budget", "60s", "--out", "out"];
    let child = desk.start(&[&SCENARIO[..], &lengths, &SCALE].concat());
    until("a trial is saved", || desk.trials() >= 1);
    let all = shards(child.id());
    kill_process(Pid::from_raw(all[0].cast_signed()).unwrap(), Signal::KILL).unwrap();
    Outcome::of_child(child)
        .ends_with(3)
        .complains("SIGKILL")
        .complains("--resume out --scale 2 --launcher 'local' continues it");
    assert_eq!(desk.saved().0.ended, Ended::LoadFailed);
    let before = desk.trials();
    let child = desk.start(&[&["capacity", "--resume", "out"][..], &SCALE].concat());
    until("one more is saved", || desk.trials() > before);
    signal(&child, Signal::INT);
    Outcome::of_child(child).ends_with(130);
}

#[test]
fn what_generators_cannot_do_is_refused() {
    let desk = beside(&scenario());
    let with = |more: &[&str]| desk.run(&[&SCENARIO[..], more].concat());
    with(&["--launcher", "local"]).ends_with(2).complains("--scale");
    let far = ["--target", "redis://127.0.0.1:1", "--scale", "2", "--launcher", "mpirun"];
    with(&far).ends_with(2).complains("get no orders");
    with(&["--scale", "11", "--launcher", "local"]).ends_with(2).complains("--set service.api.pool.size=11");
    let few = ["--scale", "4", "--launcher", "local", "--clients", "1,2,3,4,5,6"];
    with(&few).ends_with(2).complains("--clients: ").complains("4 generators need one");
}
