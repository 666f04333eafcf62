//! Results and baselines that earlier versions saved.

use std::{fs, path::Path};

use super::Desk;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/saved");

/// Fixtures of these kinds: name, kind and text.
fn fixtures(kinds: &[&'static str]) -> Vec<(String, &'static str, String)> {
    let read = |path: &Path| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let kind = kinds.iter().find(|kind| name.starts_with(&format!("{kind}-")))?;
        Some((name, *kind, fs::read_to_string(path).unwrap()))
    };
    let mut found: Vec<_> = fs::read_dir(FIXTURES).unwrap().filter_map(|entry| read(&entry.unwrap().path())).collect();
    found.sort();
    found
}

/// Puts a document where the program looks for it.
fn put(desk: &Desk, file: &str, text: &str) {
    let file = desk.path(file);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
}

#[test]
fn results_of_every_form_are_reported() {
    let desk = Desk::new();
    let results = fixtures(&["run", "capacity", "gate", "ci"]);
    assert!(results.len() > 15);
    for (name, kind, text) in &results {
        let folder = format!("results/{name}");
        put(&desk, &format!("{folder}/{kind}.json"), text);
        let page = if *kind == "ci" { "summary.md" } else { "report.html" };
        desk.run(&["report", &folder]).ends_with(0).says(page);
        assert!(fs::metadata(desk.path(&folder).join(page)).unwrap().len() > 500, "{name}");
    }
    let list = desk.run(&["list"]).ends_with(0);
    assert_eq!(list.stdout.lines().count(), results.len(), "{}", list.stdout);
    let folder = |name: &str| desk.path("results").join(name);
    for (name, kind, _) in &results {
        fs::write(folder(name).join(format!("{kind}.json")), "not read").unwrap();
    }
    assert_eq!(desk.run(&["list"]).ends_with(0).stdout, list.stdout, "only the headlines are read");
    for (name, kind, text) in &results {
        fs::write(folder(name).join(format!("{kind}.json")), text).unwrap();
        fs::remove_file(folder(name).join("headline.txt")).unwrap();
    }
    assert_eq!(desk.run(&["list"]).ends_with(0).stdout, list.stdout, "results without headlines are concluded");
}

#[test]
fn baselines_of_every_form_are_shown_added_to_and_compared_with() {
    let desk = Desk::new();
    let (_, _, run) = fixtures(&["run"]).pop().unwrap();
    put(&desk, "results/new/run.json", &run);
    for (name, _, text) in fixtures(&["baseline"]) {
        put(&desk, &format!("results/baselines/{name}.json"), &text);
        desk.run(&["baseline", "show", &name]).ends_with(0).says("sample-20250301T020000Z");
        let save = ["baseline", "save", &name, "results/new", "--allow-differences", "--allow-invalid"];
        desk.run(&save).ends_with(0).says("2 runs");
        desk.run(&["compare", &name, "results/new", "--allow-differences"]).says(&format!("against {name}"));
    }
}

#[test]
fn a_result_of_a_newer_version_is_called_just_that() {
    let desk = Desk::new();
    put(&desk, "results/new/gate.json", r#"{"schema_version": 9, "unheard": "of"}"#);
    let sentence = "gate.json: written by a newer plimsoll (format 9; this build reads up to ";
    desk.run(&["report", "results/new"]).ends_with(2).complains(sentence);
    desk.run(&["list"]).ends_with(0).says(sentence);
}
