//! From a scenario to its report, and back to the report from the saved run.

use super::{Desk, Outcome, Server, files};

#[test]
fn a_run_on_a_private_server_can_be_reported_again() {
    let desk = Desk::new();
    let run = desk.run(&["run", "short.toml", "--out", "out"]).measured().says("out/report.html");
    assert!(!run.stdout.contains('\u{1b}'), "no colour where there is no terminal");
    let written = files(&desk.path("out"));
    for name in ["run.json", "report.html", "report.md", "summary.csv", "timeline.csv", "histograms.hlog"] {
        assert!(written.iter().any(|(path, content)| path.ends_with(name) && !content.is_empty()), "{name}");
    }
    assert_eq!(desk.names(), ["out"], "nothing hidden stays");

    let report = desk.run(&["report", "out"]).ends_with(0);
    assert_eq!(report.stdout, run.stdout);
    assert!(written == files(&desk.path("out")), "a report made again is the same, byte for byte");
    for (path, _) in &written {
        if !path.ends_with("run.json") {
            std::fs::remove_file(path).unwrap();
        }
    }
    desk.run(&["report", "out"]).ends_with(0);
    assert!(written == files(&desk.path("out")), "nothing but the run is needed");

    desk.run(&["report", "out", "--color", "always"]).ends_with(0).says("\u{1b}[");
    let again = ["run", "short.toml", "--out", "out"];
    desk.run(&again).ends_with(2).complains("out").complains("--force");
    assert!(written == files(&desk.path("out")), "what is there is not touched");
    desk.run(&[&again[..], &["--force", "--seed", "8"]].concat()).measured();
    assert!(written != files(&desk.path("out")), "unless it is asked for");
}

#[test]
fn a_run_may_leave_the_server_unasked() {
    let desk = Desk::new();
    let run = desk.run(&["run", "short.toml", "--out", "out", "--no-observation"]).measured();
    assert!(run.stdout.contains("not observed") && !run.stdout.contains("Where the time goes"));
    let seconds = std::fs::read_to_string(desk.path("out").join("server.csv")).unwrap();
    assert_eq!(seconds.lines().count(), 1, "a heading and no second: {seconds}");
}

#[test]
fn json_is_all_there_is_on_standard_output() {
    let desk = Desk::new();
    let run = desk.run(&["run", "short.toml", "--format", "json", "--duration", "2s", "--set", "seed=9"]).measured();
    let summary: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let codes = [("pass", 0), ("fail", 1), ("invalid", 3), ("inconclusive", 4)];
    let code = codes.iter().find(|(verdict, _)| summary["verdict"] == *verdict).map(|(_, code)| *code);
    assert_eq!(run.code, code, "the exit code is that of the verdict");
    let folders: Vec<_> = std::fs::read_dir(desk.path("results")).unwrap().map(|entry| entry.unwrap().path()).collect();
    let [folder] = folders.as_slice() else { panic!("{folders:?}") };
    let report = desk.run(&["report", folder.to_str().unwrap(), "--format", "json"]).ends_with(0);
    assert!(report.stdout == run.stdout, "{}\n{}", run.stdout, report.stdout);
    let scenario = std::fs::read_to_string(folder.join("run.json")).unwrap();
    assert!(scenario.contains("seed = 9") && scenario.contains("duration = \\\"2s\\\""), "overrides are saved");

    let name = folder.file_name().unwrap().to_str().unwrap();
    assert!(name.starts_with("short-20"), "{name}");
    desk.run(&["list"]).ends_with(0).says(name);
    desk.run(&["list", "nowhere"]).ends_with(0).says("nowhere");
}

#[test]
fn keys_and_passwords_do_not_stay_behind() {
    let desk = Desk::new();
    let server = Server::start();
    let run = desk.run(&["run", "short.toml", "--target", &server.url(), "--color", "always"]).measured();
    assert_eq!(server.keys(), 0, "the scenario's keys are removed");
    let mut places: Vec<_> =
        desk.files().into_iter().map(|(path, content)| (path.display().to_string(), content)).collect();
    assert!(places.len() > 5);
    places.push(("standard output".to_owned(), run.stdout.into_bytes()));
    places.push(("standard error".to_owned(), run.stderr.into_bytes()));
    let password = server.password.as_bytes();
    for (place, content) in places {
        assert!(!content.windows(password.len()).any(|part| part == password), "the password is in {place}");
    }

    let target = server.url();
    let output = desk.command(&["run", "short.toml", "--keep-data"]).env("PLIMSOLL_TARGET", target).output().unwrap();
    Outcome::of(output).measured();
    assert!(server.keys() >= 100, "unless they are to be kept");
    let before = server.gets();
    desk.run(&["run", "short.toml", "--target", &server.url(), "--no-prefill"]).measured();
    assert!(server.gets() > before);
    assert!(server.keys() >= 100, "what was there before the run is not its to remove");
    let kept = server.keys();
    let refused = desk.run(&["run", "short.toml", "--target", &server.url()]).ends_with(3);
    refused
        .complains("keys that the run would overwrite exist already, such as `shop:str:")
        .complains("plimsoll clean");
    assert_eq!(server.keys(), kept, "nor to overwrite");
    assert!(server.ask("SET shop:user:1 theirs").starts_with("+OK"));
    assert!(server.ask("DEL shop:str:5").starts_with(":1") && server.ask("RPUSH shop:str:5 theirs").starts_with(":1"));
    let own = kept - 1;
    let clean = ["clean", "short.toml", "--target", &server.url()];
    let asked = desk.run(&clean).ends_with(2).complains(" keys `shop:str:*`").complains("no claim of plimsoll exists");
    asked.complains("; 1 of another type stay").complains(&format!("{own} keys would be removed")).complains("--yes");
    assert_eq!(server.keys(), kept + 1, "nothing is removed without consent");
    let cleaned = desk.run(&[&clean[..], &["--yes"]].concat()).ends_with(0);
    cleaned.says(&format!("Removed {own} keys of `short` from redis://127.0.0.1:"));
    assert_eq!(server.keys(), 2, "keys of others stay");
    server.ask("DEL shop:str:5");
    desk.run(&["run", "short.toml", "--target", &server.url()]).measured();
    assert_eq!(server.keys(), 1);
    desk.run(&["clean", "short.toml", "--target", "embedded"]).ends_with(2).complains("keeps no keys");
}
