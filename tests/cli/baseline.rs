//! Baselines are kept, and runs are compared with them.

use std::fs;

use serde_json::{Value, json};

use super::{Desk, Outcome, files};
use crate::support::until;

const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/run.json");

/// Saves the sample run as that of a day, changed.
fn night(desk: &Desk, day: u32, change: impl Fn(&mut Value)) -> String {
    let mut run: Value = serde_json::from_str(&fs::read_to_string(FIXTURE).unwrap()).unwrap();
    run["started"] = json!(format!("2025-03-{day:02}T02:00:00Z"));
    change(&mut run);
    let name = format!("results/night-{day:02}");
    fs::create_dir_all(desk.path(&name)).unwrap();
    fs::write(desk.path(&name).join("run.json"), run.to_string()).unwrap();
    name
}

fn nights(desk: &Desk, days: u32) -> Vec<String> {
    (1..=days).map(|day| night(desk, day, |_| {})).collect()
}

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn runs_are_kept_shown_and_removed() {
    let desk = Desk::new();
    desk.run(&["baseline", "list"]).ends_with(0).says("No baselines in results/baselines");
    let runs = nights(&desk, 3);
    desk.run(&["baseline", "save", "nightly", &runs[0], &runs[1]])
        .ends_with(0)
        .says("2 runs in results/baselines/nightly.json");
    desk.run(&["baseline", "save", "nightly", &runs[1], &runs[2]])
        .ends_with(0)
        .says("night-02 is already in nightly")
        .says("3 runs");
    desk.run(&["baseline", "list"]).ends_with(0).says("3 runs from 2025-03-01 to 2025-03-03: sample on redis 7.0.15");
    desk.run(&["baseline", "show", "nightly"]).ends_with(0).says("night-03").says("only large changes are detectable");
    let text = fs::read_to_string(desk.path("results/baselines/nightly.json")).unwrap();
    assert_eq!(text.lines().count(), 5, "a line for each run");
    let schema = json_of(&desk.run(&["schema", "baseline"]).ends_with(0).stdout);
    assert!(jsonschema::validator_for(&schema).unwrap().is_valid(&json_of(&text)));

    desk.run(&["baseline", "rm", "nightly", "night-09"]).ends_with(2).complains("has no run night-09");
    desk.run(&["baseline", "rm", "nightly", "night-02"]).ends_with(0);
    desk.run(&["baseline", "show", "nightly"]).ends_with(0).says("Baseline nightly has 2 runs");
    desk.run(&["baseline", "rm", "nightly"]).ends_with(0);
    desk.run(&["baseline", "show", "nightly"]).ends_with(2).complains("no baseline nightly in ");
    desk.run(&["baseline", "rm", "nightly"]).ends_with(2).complains("no baseline nightly in ");
}

#[test]
fn what_does_not_belong_is_not_kept() {
    let desk = Desk::new();
    let runs = nights(&desk, 1);
    for name in ["../nightly", "a/b", ".hidden"] {
        desk.run(&["baseline", "save", name, &runs[0]]).ends_with(2).complains("is not a name of a baseline");
    }
    assert!(!desk.path("results/baselines").exists(), "nothing is made for a bad name");
    desk.run(&["baseline", "save", "nightly", "results/nothing"]).ends_with(2).complains("no saved run");
    desk.run(&["baseline", "save", "nightly", &runs[0]]).ends_with(0);
    let other = night(&desk, 2, |run| run["target"]["version"] = json!("7.2.4"));
    let save = ["baseline", "save", "nightly", other.as_str()];
    desk.run(&save).ends_with(3).complains("version of the server (7.0.15, now 7.2.4)");
    desk.run(&[&save[..], &["--allow-differences"]].concat()).ends_with(0).says("2 runs");
    let invalid = night(&desk, 3, |run| run["recording"]["series"][0]["unfinished"] = json!(1_000_000));
    desk.run(&["baseline", "save", "more", &invalid]).ends_with(2).complains("--allow-invalid");
    desk.run(&["baseline", "save", "more", &invalid, "--allow-invalid"]).ends_with(0);
    desk.run(&["compare", "more", &runs[0]]).ends_with(3).says("more has no valid and complete run");
    let early = night(&desk, 4, |run| run["recording"]["period"]["interrupted"] = json!(true));
    desk.run(&["baseline", "save", "early", &early]).ends_with(2).complains("was interrupted: --allow-invalid");
    desk.run(&["baseline", "save", "early", &early, "--allow-invalid"]).ends_with(0);
    desk.run(&["baseline", "show", "early"]).ends_with(0).says("interrupted");
    desk.run(&["history"]).ends_with(0).says("1 run was interrupted");
}

/// What a recipe for every night does: the same folder of `plimsoll ci`, replaced, and its run kept.
#[test]
fn the_same_folder_is_kept_night_after_night() {
    let desk = Desk::new();
    fs::create_dir_all(desk.path("results/nightly/runs/queue")).unwrap();
    let kept = |day| {
        let run = night(&desk, day, |_| {});
        fs::rename(desk.path(&run).join("run.json"), desk.path("results/nightly/runs/queue/run.json")).unwrap();
        desk.run(&["baseline", "save", "nightly-queue", "results/nightly/runs/queue"]).ends_with(0)
    };
    kept(1).says("queue stored in nightly-queue");
    kept(2).says("queue-20250302T020000Z stored in nightly-queue").says("2 runs");
    kept(2).says("queue is already in nightly-queue, as queue-20250302T020000Z");
    kept(3).says("queue-20250303T020000Z stored in nightly-queue").says("3 runs");
}

#[test]
fn a_bare_word_is_the_baseline_and_a_path_the_folder() {
    let desk = Desk::new();
    let runs = nights(&desk, 3);
    desk.run(&["baseline", "save", "nightly", &runs[0], &runs[1]]).ends_with(0);
    fs::create_dir(desk.path("nightly")).unwrap();
    fs::copy(desk.path(&runs[2]).join("run.json"), desk.path("nightly/run.json")).unwrap();
    desk.run(&["compare", "nightly", &runs[2]]).ends_with(0).says("nightly (2 runs)");
    desk.run(&["compare", "./nightly", &runs[0]]).ends_with(0).says("nightly (1 run)");
}

#[test]
fn a_run_is_compared_with_runs_and_baselines() {
    let desk = Desk::new();
    let runs = nights(&desk, 9);
    let (last, kept) = runs.split_last().unwrap();
    desk.run(&["compare", &runs[0], last]).ends_with(0).says("No regression").says("only large changes are detectable");
    let mut save = vec!["baseline", "save", "nightly"];
    save.extend(kept.iter().map(String::as_str));
    desk.run(&save).ends_with(0);
    let compared = desk.run(&["compare", "nightly", last, "--format", "json", "--out", "comparison"]).ends_with(0);
    let document = json_of(&compared.stdout);
    let schema = json_of(&desk.run(&["schema", "comparison"]).ends_with(0).stdout);
    assert!(jsonschema::validator_for(&schema).unwrap().is_valid(&document));
    assert_eq!(
        (&document["verdict"], &document["method"], &document["runs_used"]),
        (&json!("ok"), &json!("tolerance"), &json!(8))
    );
    for name in
        ["comparison.html", "comparison.md", "comparison.csv", "charts/changes.svg", "charts/percentiles-laid-over.png"]
    {
        assert!(fs::metadata(desk.path("comparison").join(name)).unwrap().len() > 0, "{name}");
    }

    let other = night(&desk, 10, |run| run["target"]["version"] = json!("7.2.4"));
    desk.run(&["compare", "nightly", &other]).ends_with(3).says("Not comparable").says("version of the server");
    desk.run(&["compare", "nightly", &other, "--allow-differences"]).ends_with(0).says("7.2.4");
    desk.run(&["compare", last, last]).ends_with(2).complains("the same run");
    desk.run(&["compare", "nightly", last, "--out", last]).ends_with(2).complains("is a result folder");
    desk.run(&["history", "--out", last]).ends_with(2).complains("is a result folder");
    desk.run(&["compare", "nightly", &runs[0]])
        .ends_with(0)
        .complains("night-01 is a run of nightly; it is compared with the other runs of nightly")
        .says("against nightly of 7 runs");
    desk.run(&["compare", "nothing", last]).ends_with(2).complains("neither a baseline nor a result folder");
    desk.run(&["compare", "results/nothing", last]).ends_with(2).complains("no run in results/nothing");
    desk.run(&["compare", "nightly", last, "--threshold", "0"]).ends_with(2).complains("from 0.1 to 1000");
}

#[test]
fn another_machine_is_reported() {
    let desk = Desk::new();
    let reference = |nanos: u32| {
        move |run: &mut Value| {
            let one = json!({"median_ns": nanos, "round_trips": 1_000});
            run["calibration"] = json!({"before": one, "after": one});
        }
    };
    let (base, run) = (night(&desk, 1, reference(50_000)), night(&desk, 2, reference(60_000)));
    desk.run(&["compare", &base, &run]).ends_with(4).says("different machine: the reference changed by +20.0 %");
}

#[test]
fn a_history_is_reported_and_exported() {
    let desk = Desk::new();
    desk.run(&["history"]).ends_with(2).complains("no saved runs");
    let runs = nights(&desk, 4);
    desk.run(&["baseline", "save", "nightly", &runs[0], &runs[1]]).ends_with(0);
    fs::remove_dir_all(desk.path(&runs[0])).unwrap();
    desk.run(&["history"]).ends_with(0).says("too short for change points").says("night-04");
    let csv = desk.run(&["history", "sample", "--format", "csv", "--out", "history"]).ends_with(0).stdout;
    assert_eq!(csv.lines().count(), 1 + 4, "the baseline still knows the first, and each counts once");
    assert_eq!(fs::read_to_string(desk.path("history/history.csv")).unwrap(), csv);
    assert!(desk.path("history/charts/history.svg").exists());
    desk.run(&["history", "other"]).ends_with(2).complains("no runs of other in results; it has runs of sample");
}

/// Four runs of a second on a server of their own.
#[test]
fn a_run_is_compared_with_a_baseline_at_its_end() {
    let desk = Desk::new();
    let missing = ["run", "short.toml", "--baseline", "nothing", "--out", "never"];
    desk.run(&missing).ends_with(2).complains("neither a baseline nor a result folder");
    desk.run(&["run", "short.toml", "--out", "results/first"]).measured();
    let first = json_of(&fs::read_to_string(desk.path("results/first/run.json")).unwrap());
    for when in ["before", "after"] {
        assert!(first["calibration"][when]["round_trips"].as_u64().unwrap() > 0, "{}", first["calibration"]);
    }
    desk.run(&["baseline", "save", "live", "results/first", "--allow-invalid"]).ends_with(0);
    // What cannot be compared is reported beforehand of runs that count; on a busy machine the first may not.
    let stored = desk.path("results/baselines/live.json");
    let mut baseline = json_of(&fs::read_to_string(&stored).unwrap());
    baseline["runs"][0]["verdict"] = json!("pass");
    fs::write(&stored, baseline.to_string()).unwrap();
    let run = desk.run(&["run", "short.toml", "--baseline", "live", "--out", "results/second"]).measured();
    assert!(run.stdout.contains("Compared with the baseline"), "{}", run.stdout);
    let written = files(&desk.path("results/second"));
    for name in ["baseline.json", "comparison.csv", "comparison.json", "percentiles-laid-over.svg"] {
        assert!(written.iter().any(|(path, content)| path.ends_with(name) && !content.is_empty()), "{name}");
    }
    let other =
        ["run", "short.toml", "--baseline", "live", "--set", "service.shop.pool.size=8", "--out", "results/other"];
    let other = desk.run(&other).complains("will not be compared").complains("service.shop.pool.size (4, now 8)");
    assert!(other.stdout.contains("Not comparable"), "{}", other.stdout);
    // The report stays what it was when the baseline goes.
    desk.run(&["baseline", "rm", "live"]).ends_with(0);
    assert_eq!(desk.run(&["report", "results/second"]).ends_with(0).stdout, run.stdout);
    assert!(written == files(&desk.path("results/second")), "a report made again is the same, byte for byte");

    let third = ["run", "short.toml", "--baseline", "results/first", "--format", "json"];
    let reported = desk.run(&[&third[..], &["--fail-on-regression"]].concat()).measured();
    let summary = json_of(&reported.stdout);
    let expected = match (summary["verdict"].as_str().unwrap(), summary["baseline"]["verdict"].as_str().unwrap()) {
        ("pass" | "inconclusive", "regression") | ("fail", _) => 1,
        // The first may have been invalid.
        (_, "not_comparable") => 3,
        ("pass", _) => 0,
        ("inconclusive", _) => 4,
        _ => 3,
    };
    assert_eq!(reported.code, Some(expected), "{summary}");
}

#[test]
fn a_comparison_names_the_run_by_the_folder_that_it_got() {
    let desk = Desk::new();
    desk.run(&["run", "short.toml", "--out", "first"]).measured();
    let child = desk.start(&["run", "short.toml", "--baseline", "first", "--out", "out"]);
    until("the folder is claimed", || desk.names().iter().any(|name| name.starts_with(".out.plimsoll-partial")));
    fs::create_dir(desk.path("out")).unwrap();
    fs::write(desk.path("out/taken"), "").unwrap();
    let run = Outcome::of_child(child).measured();
    let written = files(&desk.path("out-2"));
    let comparison = json_of(&fs::read_to_string(desk.path("out-2/comparison.json")).unwrap());
    assert_eq!(comparison["run"], "out-2");
    assert_eq!(desk.run(&["report", "out-2"]).ends_with(0).stdout, run.stdout);
    assert!(written == files(&desk.path("out-2")), "a report made again is the same, byte for byte");
}
