//! `plimsoll ci`: several scenarios, one exit code, and files that those take that read them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use rustix::process::Signal;
use serde_json::Value;

use super::{Desk, Outcome, SHORT, Server, prometheus::promtool};
use crate::support::{missing, signal, until};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/ci");

/// Outcomes of a scenario with the exit code that each makes, the best first.
const CODES: [(&str, i32); 5] =
    [("passed", 0), ("inconclusive", 0), ("invalid", 3), ("failed", 1), ("interrupted", 130)];

fn json(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// Names and outcomes of all scenarios.
fn outcomes(ci: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let of = |scenario: &Value| {
        let checks = scenario["checks"].as_array().unwrap();
        let decisive = checks.iter().filter(|check| check["decides"] == true).map(|check| text(&check["outcome"]));
        let rank = |outcome: &String| CODES.iter().position(|(known, _)| known == outcome).unwrap();
        (text(&scenario["name"]), decisive.max_by_key(rank).unwrap())
    };
    ci["scenarios"].as_array().unwrap().iter().map(of).collect()
}

/// The exit code that follows from the worst of them.
fn code(outcomes: &[(String, String)]) -> i32 {
    let worst = CODES.iter().rev().find(|(known, _)| outcomes.iter().any(|(_, outcome)| outcome == known));
    worst.unwrap().1
}

/// Has every file read by a schema or a program of those that it is meant for.
fn foreign_readers_take_all_of(folder: &Path) {
    let mut xmllint = Command::new("xmllint");
    xmllint.args(["--noout", "--schema"]).arg(format!("{FIXTURES}/junit-10.xsd")).arg(folder.join("junit.xml"));
    let output = xmllint.output().unwrap_or_else(|error| missing("xmllint", &error));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metrics = fs::read_to_string(folder.join("metrics.txt")).unwrap();
    promtool(&metrics);
    assert!(metrics.ends_with("# EOF\n"));
    for (name, schema) in [
        ("benchmark-latency.json", "benchmark-action"),
        ("benchmark-throughput.json", "benchmark-action"),
        ("bencher.json", "bencher"),
    ] {
        let schema = json(&PathBuf::from(format!("{FIXTURES}/{schema}.schema.json")));
        let document = json(&folder.join(name));
        let faults = jsonschema::validate(&schema, &document).err();
        assert!(faults.is_none(), "{name}: {faults:?}");
    }
}

/// A desk with a scenario that nothing can keep to besides the short one, which is met.
fn desk() -> Desk {
    let desk = Desk::new();
    let strict =
        SHORT.replace("name = \"short\"", "name = \"strict\"").replace("latency = \"1s\"", "latency = \"1us\"");
    fs::write(desk.path("strict.toml"), strict).unwrap();
    desk
}

fn run(desk: &Desk, arguments: &[&str], environment: &[(&str, &str)]) -> Outcome {
    let mut command = desk.command(&[&["ci"], arguments].concat());
    Outcome::of(command.envs(environment.iter().copied()).output().unwrap())
}

#[test]
fn several_scenarios_end_with_one_exit_code_and_files_for_everybody() {
    let desk = desk();
    let summary = desk.path("step.md").display().to_string();
    fs::write(&summary, "said before\n").unwrap();
    let reported = run(
        &desk,
        &["strict.toml", "short.toml", "--out", "out", "--quiet"],
        &[("GITHUB_STEP_SUMMARY", &summary), ("GITHUB_ACTIONS", "true")],
    );
    let ci = json(&desk.path("out/ci.json"));
    let found = outcomes(&ci);
    assert_eq!(reported.code, Some(code(&found)), "{found:?}\n{}", reported.stderr);
    assert_eq!(ci["exit_code"], code(&found));
    let [(first, strict), (second, short)] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!([first, second], ["strict", "short"], "the second ran although the first failed");
    // On a busy machine either may be invalid.
    assert!(
        ["failed", "invalid"].contains(&strict.as_str()) && short != "failed" && short != "interrupted",
        "{found:?}"
    );
    reported.says("strict").says("out/summary.md");

    for (name, outcome) in &found {
        let report = desk.run(&["report", &format!("out/runs/{name}"), "--format", "json"]).ends_with(0);
        let report: Value = serde_json::from_str(&report.stdout).unwrap();
        let verdicts =
            [("pass", "passed"), ("fail", "failed"), ("inconclusive", "inconclusive"), ("invalid", "invalid")];
        assert!(verdicts.contains(&(report["verdict"].as_str().unwrap(), outcome)), "{outcome}: {}", report["verdict"]);
    }
    foreign_readers_take_all_of(&desk.path("out"));
    let junit = fs::read_to_string(desk.path("out/junit.xml")).unwrap();
    let element = if strict == "failed" { "<failure type=\"failed\"" } else { "<error type=\"invalid\"" };
    assert!(junit.contains(element), "{junit}");
    if strict == "failed" {
        let line = "strict GET p90 ";
        assert!(junit.contains(line) && junit.contains(" misses 1 µs (90 % required, "), "{junit}");
    }
    let appended = fs::read_to_string(&summary).unwrap();
    let written = fs::read_to_string(desk.path("out/summary.md")).unwrap();
    assert_eq!(appended, format!("said before\n{written}"));

    let before = super::files(&desk.path("out"));
    desk.run(&["report", "out"]).ends_with(0).says("strict");
    assert!(before == super::files(&desk.path("out")), "made again from ci.json alone, byte for byte");
    desk.run(&["list", "--results", "."]).ends_with(0).says("of 2 scenarios");
}

#[test]
fn comparisons_are_checks_like_any_other() {
    let desk = Desk::new();
    let against = ["--baseline", "base-{}", "--gate-a", "config:hz=10", "--gate-b", "config:hz=10"];
    run(&desk, &[&["short.toml", "--out", "out", "--quiet"], &against[..]].concat(), &[]);
    let ci = json(&desk.path("out/ci.json"));
    let checks = ci["scenarios"][0]["checks"].as_array().unwrap();
    let check = |name: &str| checks.iter().find(|check| check["name"] == name).unwrap();
    assert_eq!(check("baseline")["decides"], false, "there is none yet");
    assert!(check("baseline")["sentence"].as_str().unwrap().contains("no baseline base-short"));
    let gate = check("gate");
    assert!(["passed", "inconclusive", "invalid"].map(Value::from).contains(&gate["outcome"]), "{gate}");
    desk.run(&["report", "out/gates/short", "--verbose"]).ends_with(0).says("B over A");

    desk.run(&["baseline", "save", "base-short", "out/runs/short", "--allow-invalid"]).ends_with(0);
    // However busy the machine is by now, it is not eleven times as slow.
    let against = ["--baseline", "base-{}", "--threshold", "1000%"];
    run(&desk, &[&["short.toml", "--out", "again", "--quiet"], &against[..]].concat(), &[]);
    let ci = json(&desk.path("again/ci.json"));
    let checks = ci["scenarios"][0]["checks"].as_array().unwrap();
    let reported = checks.iter().find(|check| check["name"] == "baseline").unwrap();
    // Advice where it cannot tell, as on a machine that is another one by now.
    assert_eq!(reported["decides"], reported["outcome"] != "inconclusive", "{reported}");
    assert!(!reported["sentence"].as_str().unwrap().contains("no baseline"), "{reported}");
    assert!(desk.path("again/runs/short/comparison.json").is_file());
    foreign_readers_take_all_of(&desk.path("again"));
    desk.run(&["history", "--results", "."]).ends_with(0).says("short");
}

#[test]
fn annotations_are_for_github_alone() {
    let desk = desk();
    let unreachable = ["short.toml", "strict.toml", "--target", "redis://app:hush@127.0.0.1:1"];
    let with =
        |further: &[&str], environment: &[(&str, &str)]| run(&desk, &[&unreachable[..], further].concat(), environment);
    let plain = with(&[], &[]).ends_with(3);
    assert!(!plain.stderr.contains("::") && plain.stderr.contains("connection refused"), "{}", plain.stderr);
    for (further, environment) in
        [(vec![], vec![("GITHUB_ACTIONS", "true")]), (vec!["--annotations", "always"], vec![])]
    {
        let reported =
            with(&further, &environment).ends_with(3).complains("\n::error title=plimsoll%3A run::short could not");
        assert_eq!(reported.stderr.matches("::error ").count(), 2, "{}", reported.stderr);
    }
    let silent = with(&["--annotations", "never"], &[("GITHUB_ACTIONS", "true")]).ends_with(3);
    assert!(!silent.stderr.contains("::error"));
}

#[test]
fn a_target_that_cannot_be_reached_is_an_error_and_no_failure() {
    let desk = desk();
    let arguments = ["short.toml", "short.toml", "--target", "redis://app:hush@127.0.0.1:1", "--out", "out"];
    run(&desk, &arguments, &[]).ends_with(3).says("2 invalid of 2 scenarios");
    let ci = json(&desk.path("out/ci.json"));
    let names: Vec<_> = outcomes(&ci).into_iter().collect();
    let invalid = |name: &str| (name.to_owned(), "invalid".to_owned());
    assert_eq!(names, [invalid("short"), invalid("short-2")], "two of the same name are distinguished");
    foreign_readers_take_all_of(&desk.path("out"));
    let junit = fs::read_to_string(desk.path("out/junit.xml")).unwrap();
    assert!(junit.contains("failures=\"0\" errors=\"2\""), "{junit}");
    assert_eq!(json(&desk.path("out/benchmark-latency.json")), serde_json::json!([]));
    for (path, content) in desk.files() {
        assert!(!content.windows(4).any(|part| part == b"hush"), "{}", path.display());
    }
    // A result is replaced where that is asked for, and not otherwise.
    run(&desk, &arguments, &[]).ends_with(2).complains("--force");
    run(&desk, &[&arguments[..], &["--force", "--format", "json"]].concat(), &[]).ends_with(3).says("\"exit_code\": 3");
}

#[test]
fn what_could_not_tell_counts_as_asked_for() {
    let desk = Desk::new();
    // A thousand requests are too few for this percentile.
    let few = ["short.toml", "--set", "objective.percentile=99.9", "--out", "out", "--force"];
    for (counts_as, code) in [("pass", 0), ("warn", 0), ("fail", 4)] {
        let arguments = [&few[..], &["--inconclusive", counts_as, "--annotations", "always", "--quiet"]].concat();
        let reported = run(&desk, &arguments, &[]);
        match outcomes(&json(&desk.path("out/ci.json")))[0].1.as_str() {
            "inconclusive" => {
                let said = match counts_as {
                    "warn" => "::warning ",
                    "fail" => "::error ",
                    _ => "",
                };
                let reported = reported.ends_with(code);
                assert!(
                    reported.stderr.starts_with(said) && reported.stderr.is_empty() == said.is_empty(),
                    "{}",
                    reported.stderr
                );
                let junit = fs::read_to_string(desk.path("out/junit.xml")).unwrap();
                assert!(
                    junit.contains("<skipped type=\"inconclusive\"") && junit.contains("failures=\"0\" errors=\"0\"")
                );
            }
            "invalid" => drop(reported.ends_with(3)),
            // A tenth of a percent may well have been late on a busy machine.
            "failed" => drop(reported.ends_with(1)),
            other => panic!("{other}"),
        }
    }
}

#[test]
fn findings_of_the_audit_count_where_that_is_asked_for() {
    let (desk, server) = (Desk::new(), Server::start());
    let arguments = ["short.toml", "--target", &server.url(), "--out", "out", "--force", "--quiet"];
    let audits = |further: &[&str]| {
        let reported = run(&desk, &[&arguments[..], further].concat(), &[]);
        let ci = json(&desk.path("out/ci.json"));
        assert_eq!(reported.code, Some(code(&outcomes(&ci))), "{}", reported.stderr);
        let checks = ci["scenarios"][0]["checks"].as_array().unwrap().clone();
        let audits: Vec<_> = checks.into_iter().filter(|check| check["name"] == "audit").collect();
        (reported.code.unwrap(), audits)
    };
    let (_, shown) = audits(&[]);
    assert_eq!(shown.len(), 1);
    assert_eq!((&shown[0]["outcome"], &shown[0]["decides"]), (&Value::from("passed"), &Value::from(false)));
    let (code, held) = audits(&["--fail-on", "warning"]);
    assert_eq!(code, 1, "a finding is certain whatever was measured");
    assert!(!held.is_empty() && held.iter().all(|check| check["outcome"] == "failed"), "{held:?}");
    let (_, critical) = audits(&["--fail-on", "critical"]);
    assert_eq!(critical.len(), 1, "nothing is as serious as that: {critical:?}");
    assert_eq!(server.keys(), 0, "keys are removed");
}

#[test]
fn an_interruption_ends_all_and_tells_what_there_is() {
    let (desk, server) = (desk(), Server::start());
    let arguments = ["ci", "short.toml", "strict.toml", "--target", &server.url(), "--duration", "10m", "--out", "out"];
    let child = desk.start(&arguments);
    until("load is put on", || server.gets() > 1000);
    signal(&child, Signal::INT);
    let reported = Outcome::of_child(child).ends_with(130);
    reported.complains("interrupted").says("interrupted of 2 scenarios");
    let ci = json(&desk.path("out/ci.json"));
    assert_eq!((&ci["exit_code"], ci["scenarios"][0]["trusted"].clone()), (&Value::from(130), Value::from(false)));
    assert_eq!(ci["scenarios"][1]["checks"][0]["outcome"], "interrupted");
    assert!(desk.path("out/runs/short/run.json").is_file());
    foreign_readers_take_all_of(&desk.path("out"));
    assert_eq!(server.keys(), 0);
}

#[test]
fn an_interruption_of_a_gate_leaves_the_run_as_it_was_reported() {
    let desk = Desk::new();
    for (out, file) in [("early", "runs/short/run.json"), ("late", "gates/short/gate.json")] {
        let gate = ["--gate-a", "config:hz=10", "--gate-b", "config:hz=10"];
        let child = desk.start(&[&["ci", "short.toml", "--out", out][..], &gate].concat());
        // The folder has a hidden name until the first scenario is through.
        until(file, || desk.names().iter().any(|name| desk.path(name).join(file).is_file()));
        signal(&child, Signal::INT);
        Outcome::of_child(child).ends_with(130).says("the gate was interrupted");
        let ci = json(&desk.path(&format!("{out}/ci.json")));
        assert_eq!(ci["exit_code"], 130);
        let checks = ci["scenarios"][0]["checks"].as_array().unwrap();
        assert_eq!(checks[0]["name"], "objective");
        assert!(checks.iter().all(|check| check["name"] != "run"), "it was run to its end: {checks:?}");
        let gates: Vec<_> = checks.iter().filter(|check| check["name"] == "gate").collect();
        assert_eq!(gates.len(), 1);
        assert_eq!((&gates[0]["outcome"], &gates[0]["decides"]), (&Value::from("interrupted"), &Value::from(true)));
        fs::remove_dir_all(desk.path(out)).unwrap();
    }
}

#[test]
fn two_interruptions_leave_nothing_half_done() {
    let (desk, server) = (desk(), Server::start());
    let arguments = ["ci", "short.toml", "--target", &server.url(), "--duration", "10m", "--set", "run.drain=10m"];
    let child = desk.start(&arguments);
    until("load is put on", || server.gets() > 1000);
    // A server that does not answer keeps the run from ending.
    server.pause();
    signal(&child, Signal::INT);
    std::thread::sleep(std::time::Duration::from_millis(500));
    signal(&child, Signal::INT);
    Outcome::of_child(child).ends_with(130);
    let left: Vec<_> = desk.files().into_iter().filter(|(path, _)| path.starts_with(desk.path("results"))).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn wrong_usage_is_reported_before_anything_is_run() {
    let desk = desk();
    run(&desk, &["short.toml", "strict.toml", "--baseline", "nightly"], &[])
        .ends_with(2)
        .complains("a baseline is of one scenario");
    run(&desk, &["short.toml", "--gate-a", "exe=/no/such"], &[]).ends_with(2).complains("/no/such: no such file");
    run(&desk, &["short.toml", "--threshold", "10%"], &[]).ends_with(2).complains("--baseline");
    run(&desk, &["short.toml", "--gate-profile", "quick"], &[]).ends_with(2).complains("--gate-a");
    run(&desk, &[], &[]).ends_with(2).complains("SCENARIO");
    // A server that cannot be started shows that nobody tried.
    let nobody = ["--server-bin", "/nowhere", "--out", "out"];
    let wrong = |arguments: &[&str], environment: &[(&str, &str)]| {
        run(&desk, &[arguments, &nobody].concat(), environment).ends_with(2)
    };
    wrong(&["workflow-engin", "short.toml", "seshions"], &[]).complains("workflow-engine").complains("sessions");
    wrong(&["short.toml", "--fail-on", "critical"], &[]).complains("--fail-on").complains("--target");
    wrong(&["short.toml", "--set", "service.shop.pool.sice=3"], &[]).complains("size");
    wrong(&["short.toml"], &[("GITHUB_STEP_SUMMARY", "/nowhere/summary.md")]).complains("GITHUB_STEP_SUMMARY");
    assert_eq!(desk.names(), ["strict.toml"]);
}

#[test]
fn outcomes_of_all_kinds_and_texts_that_are_hard_on_formats_reach_their_readers() {
    let desk = Desk::new();
    fs::create_dir(desk.path("out")).unwrap();
    fs::copy(format!("{FIXTURES}/ci.json"), desk.path("out/ci.json")).unwrap();
    desk.run(&["report", "out"]).ends_with(0).says("1 failed, 1 invalid, 1 interrupted of 3 scenarios");
    foreign_readers_take_all_of(&desk.path("out"));
    desk.run(&["report", "out", "--open"]).ends_with(2).complains("runs");
}
