//! Everything that is wrong, or only asked, before any load.

use std::process::Stdio;

use super::{Desk, SHORT};

#[test]
fn help_names_every_command_with_examples_and_exit_codes() {
    let desk = Desk::new();
    let help = desk.run(&["--help"]).ends_with(0).says("Examples:").says("inconclusive");
    for command in ["run", "capacity", "ci", "report", "list", "clean", "scenarios", "schema", "completions", "man"] {
        assert!(help.stdout.contains(&format!("\n  {command} ")), "{command}");
        desk.run(&[command, "--help"]).ends_with(0).says("Usage: plimsoll");
    }
    desk.run(&["--version"]).ends_with(0).says(env!("CARGO_PKG_VERSION"));
    desk.run(&[]).ends_with(2).complains("Usage: plimsoll");
}

#[test]
fn help_never_shows_the_target_of_the_environment() {
    let desk = Desk::new();
    let output = desk.command(&["run", "--help"]).env("PLIMSOLL_TARGET", "redis://u:hush@h").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("PLIMSOLL_TARGET") && !text.contains("hush"), "{text}");
}

#[test]
fn wrong_usage_ends_with_2_and_leaves_nothing() {
    let desk = Desk::new();
    desk.run(&["run", "--durration", "3s"]).ends_with(2).complains("--duration");
    desk.run(&["run", "short.toml", "--duration", "3"]).ends_with(2).complains("--duration");
    desk.run(&["run", "short.toml", "--rate", "-1"]).ends_with(2);
    desk.run(&["run", "short.toml", "--set", "seed"]).ends_with(2).complains("FIELD=VALUE");
    desk.run(&["run", "short.toml", "--set", "service.shop.pool.sice=3"]).ends_with(2).complains("size");
    desk.run(&["run", "short.toml", "--server-bin", "x", "--target", "redis://h"])
        .ends_with(2)
        .complains("--server-bin");
    desk.run(&["run", "short.toml", "--topology", "cluster", "--target", "redis://h"])
        .ends_with(2)
        .complains("--topology applies to a private server only");
    desk.run(&["run", "short.toml", "--topology", "ring"])
        .ends_with(2)
        .complains("standalone, replica, sentinel, cluster");
    desk.run(&["run", "short.toml", "--topology", "cluster:17"]).ends_with(2).complains("1 to 16 primaries");
    desk.run(&["run", "short.toml", "--workers", "0"]).ends_with(2);
    for command in ["run", "capacity", "gate", "ci"] {
        desk.run(&[command, "short.toml", "--client", "hiredis"]).ends_with(2).complains("possible values: fred, wire");
        desk.run(&[command, "short.toml", "--protocol", "1"]).ends_with(2).complains("possible values: 2, 3");
    }
    assert_eq!(desk.names(), [""; 0]);
}

#[test]
fn a_wrong_target_never_shows_its_password() {
    let desk = Desk::new();
    for target in ["redis://user:hush@host:port", "http://user:hush@host", "redis://user:hush@host/0?x=1", "hush@host"]
    {
        let outcome = desk.run(&["run", "short.toml", "--target", target]).ends_with(2).complains("target");
        assert!(!outcome.stderr.contains("hush"), "{}", outcome.stderr);
    }
}

#[test]
fn what_is_no_command_is_answered_with_the_run_that_was_meant() {
    let desk = Desk::new();
    for (word, meant) in [
        ("queue", "plimsoll run queue"),
        ("leaderbord", "plimsoll run leaderboard"),
        ("short.toml", "plimsoll run short.toml"),
        ("redis://user:hush@host", "plimsoll run --target redis://..."),
    ] {
        let outcome = desk.run(&[word]).ends_with(2).complains(&format!("did you mean \"{meant}\"?"));
        assert!(!outcome.stderr.contains("hush"), "{}", outcome.stderr);
    }
    desk.run(&["hystory"]).ends_with(2).complains("'history'");
    desk.run(&["frobnicate"]).ends_with(2).complains("unrecognized subcommand 'frobnicate'");
}

#[test]
fn the_folder_of_results_has_one_name_everywhere() {
    let desk = Desk::new();
    for command in ["run", "capacity", "gate", "ci", "compare", "history", "list"] {
        desk.run(&[command, "--help"]).ends_with(0).says("--results <DIR>");
    }
    for command in ["save", "list", "show", "rm"] {
        desk.run(&["baseline", command, "--help"]).ends_with(0).says("--results <DIR>");
    }
    desk.run(&["list", "--results", "else"]).ends_with(0).says("No saved runs in else");
    desk.run(&["list", "else"]).ends_with(0).says("No saved runs in else");
    desk.run(&["list", "else", "--results", "else"]).ends_with(2);
}

#[test]
fn what_costs_seconds_is_in_the_help() {
    let desk = Desk::new();
    for (command, cost) in [
        ("run", "sampling takes at most 3 s: after a load, a twentieth of the length of the run, but at least 0.5 s"),
        ("run", "no step is skipped"),
        ("audit", "sampling takes at most 3 s"),
        ("capacity", "counted for a tenth of the budget, at most a minute"),
        ("capacity", "About 4s go to connections and settings"),
    ] {
        let help = desk.run(&[command, "--help"]).ends_with(0).stdout;
        let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(help.contains(cost), "{command}: {cost}");
    }
}

#[test]
fn a_misspelt_scenario_is_answered_with_the_nearest() {
    let desk = Desk::new();
    desk.run(&["run", "workflow-engin"]).ends_with(2).complains("workflow-engine");
    desk.run(&["scenarios", "show", "seshions"]).ends_with(2).complains("sessions");
    assert_eq!(desk.names(), [""; 0]);
}

#[test]
fn all_errors_of_a_scenario_come_at_once() {
    let desk = Desk::new();
    let wrong = SHORT.replace("seed = 7", "sead = 7").replace("\"GET\"", "\"GTE\"").replace("size = 4", "size = 0");
    std::fs::write(desk.path("wrong.toml"), wrong).unwrap();
    desk.run(&["run", "wrong.toml"])
        .ends_with(2)
        .complains("wrong.toml")
        .complains("seed")
        .complains("GTE")
        .complains("GET")
        .complains("size");
}

#[test]
fn results_are_refused_before_any_load() {
    let desk = Desk::new();
    std::fs::create_dir(desk.path("full")).unwrap();
    std::fs::write(desk.path("full/precious"), "x").unwrap();
    std::fs::write(desk.path("file"), "x").unwrap();
    // A server that cannot be started shows that nobody tried.
    for (place, culprit) in [("full", "full"), ("file", "file"), ("file/inside", "file"), ("/proc/inside", "/proc")] {
        let arguments = ["run", "short.toml", "--out", place, "--server-bin", "/nowhere"];
        desk.run(&arguments).ends_with(2).complains(culprit);
    }
    assert!(desk.path("full/precious").exists());
}

#[test]
fn scenarios_are_listed_and_shown() {
    let desk = Desk::new();
    let list = desk.run(&["scenarios"]).ends_with(0);
    assert_eq!(list.stdout, desk.run(&["scenarios", "list"]).ends_with(0).stdout);
    for name in list.stdout.lines().map(|line| line.split_whitespace().next().unwrap()) {
        desk.run(&["scenarios", "show", name]).ends_with(0).says(&format!("\"{name}\""));
    }
    assert!(list.stdout.contains("workflow-engine  "));
}

#[test]
fn schemas_are_json() {
    let desk = Desk::new();
    for of in ["scenario", "run", "capacity", "gate", "ci", "summary", "capacity-answers", "gate-verdict", "audit"] {
        let schema: serde_json::Value = serde_json::from_str(&desk.run(&["schema", of]).ends_with(0).stdout).unwrap();
        assert!(schema["$schema"].is_string() && schema["properties"].is_object(), "{of}");
    }
    assert_eq!(desk.run(&["schema"]).stdout, desk.run(&["schema", "scenario"]).stdout);
}

#[test]
fn completions_and_manual_know_the_arguments() {
    let desk = Desk::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        desk.run(&["completions", shell]).ends_with(0).says("server-bin");
    }
    desk.run(&["man"]).ends_with(0).says(".TH plimsoll 1");
    desk.run(&["man", "--out", "pages"]).ends_with(0);
    let page = std::fs::read_to_string(desk.path("pages/plimsoll-run.1")).unwrap();
    assert!(page.contains("server\\-bin"), "{page}");
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let desk = Desk::new();
    for arguments in [&["schema"][..], &["--help"], &["completions", "bash"], &["scenarios"]] {
        let mut child = desk.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let outcome = super::Outcome::of_child(child).ends_with(0);
        assert_eq!(outcome.stderr, "");
    }
}

#[test]
fn reports_of_what_is_no_run_are_refused() {
    let desk = Desk::new();
    desk.run(&["report", "nowhere"]).ends_with(2).complains("nowhere");
    std::fs::create_dir(desk.path("empty")).unwrap();
    desk.run(&["report", "empty"]).ends_with(2).complains("empty");
    std::fs::write(desk.path("empty/run.json"), "{}").unwrap();
    desk.run(&["report", "empty"]).ends_with(2).complains("run.json");
}
