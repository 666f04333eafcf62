//! What comparisons and histories say, in every output.

use insta::assert_snapshot;

use super::{
    BaselineReport, ComparisonReport, Document, HistoryReport, Printed, Style, format::plain, schema_tests::accepted,
    terminal::SCREEN,
};
use crate::{
    analysis::baseline::{CompareOptions, History, history},
    results::{
        Abstract, Baseline, Verdict,
        sample::{abstracted, abstracts},
    },
};

fn compared(base: Vec<Abstract>, run: Abstract) -> ComparisonReport {
    ComparisonReport::new("nightly".to_owned(), base, run, CompareOptions::default())
}

fn headline(compared: &ComparisonReport) -> String {
    plain(&compared.headline().sentence)
}

/// Ten nights, and one in which an operation got slower.
pub(super) fn slower() -> ComparisonReport {
    let mut run = abstracted(20, 1.02);
    for row in [1, 2] {
        for known in &mut run.rows[row].percentiles {
            known.nanos = known.nanos * 3 / 2;
            (known.low, known.high) = (known.low * 3 / 2, known.high * 3 / 2);
        }
    }
    compared(abstracts(10), run)
}

/// A pair of runs of which one had failures, on another machine with another fred.
fn pair() -> ComparisonReport {
    let mut run = abstracted(20, 1.1);
    run.software.fred = "10.2.0".into();
    run.environment.cores = 4;
    run.rows[0].failed = 12;
    run.calibration = None;
    compared(abstracts(1), run)
}

fn other_version() -> ComparisonReport {
    let mut run = abstracted(20, 1.1);
    run.target.version = "7.2.4".into();
    run.scenario = run.scenario.replace("size = 50", "size = 60");
    compared(abstracts(2), run)
}

#[test]
fn comparison_on_a_terminal() {
    let terminal = |case: &ComparisonReport, width| case.terminal(Style { colour: false, width, verbose: true });
    assert_snapshot!("comparison_terminal_slower", terminal(&slower(), 150));
    assert_snapshot!("comparison_terminal_pair_narrow", terminal(&pair(), 80));
    assert_snapshot!("comparison_terminal_other_version", terminal(&other_version(), 110));
    let brief = |case: &ComparisonReport| case.terminal(Style { colour: false, width: 100, verbose: false });
    assert_snapshot!("comparison_terminal_summary", brief(&slower()));
    assert!(brief(&slower()).lines().count() <= SCREEN);
}

#[test]
fn comparison_documents() {
    assert_snapshot!("comparison_markdown", slower().markdown());
    assert_snapshot!("comparison_csv", String::from_utf8(slower().csv()).unwrap());
}

#[test]
fn every_standing_in_words() {
    let mut said = vec![headline(&slower()), headline(&pair()), headline(&other_version())];
    said.push(headline(&compared(abstracts(10), abstracted(20, 1.0))));
    said.push(headline(&compared(abstracts(10), abstracted(20, 0.7))));
    let apart = [0.7, 1.2, 0.9, 1.4, 0.8, 1.1, 1.3, 0.75];
    let apart: Vec<_> = (0..).zip(apart).map(|(day, factor)| abstracted(day, factor)).collect();
    said.push(headline(&compared(apart, abstracted(20, 1.1))));
    let mut moved = abstracted(20, 1.3);
    moved.calibration.as_mut().unwrap().after.median_ns = 70_000;
    said.push(headline(&compared(abstracts(3), moved)));
    let mut short = abstracted(20, 1.0);
    short.rows.iter_mut().for_each(|row| row.percentiles.clear());
    said.push(headline(&compared(abstracts(3), short)));
    said.push(headline(&compared(abstracts(3), Abstract { verdict: Verdict::Invalid, ..abstracted(20, 1.0) })));
    let mut invalid = abstracts(1);
    invalid[0].verdict = Verdict::Invalid;
    said.push(headline(&compared(invalid, abstracted(20, 1.0))));
    assert_snapshot!("every_standing_in_words", said.join("\n"));
}

#[test]
fn the_json_keeps_to_its_schema() {
    let documents = [slower(), pair(), other_version()].map(|case| case.json().unwrap());
    assert_snapshot!("comparison_json_accepted", accepted(Printed::Comparison, &documents));
}

#[test]
fn baselines_on_a_terminal() {
    let terminal = |count| {
        let baseline = Baseline::new(abstracts(count));
        let stored = BaselineReport { name: "nightly", baseline: &baseline };
        stored.terminal(Style { colour: false, width: 110, verbose: true })
    };
    assert_snapshot!("baseline_terminal", terminal(10));
    assert!(terminal(3).contains("only large changes are detectable"));
}

#[test]
fn every_file_is_made_of_both() {
    let case = slower();
    let files = case.files();
    let names: Vec<_> = files.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "comparison.html",
            "comparison.md",
            "comparison.csv",
            "comparison.json",
            "charts/changes.svg",
            "charts/changes.png",
            "charts/percentiles-laid-over.svg",
            "charts/percentiles-laid-over.png",
            "charts/over-time-laid-over.svg",
            "charts/over-time-laid-over.png"
        ]
    );
    // A look at them: PLIMSOLL_LOOK=folder.
    if let Some(folder) = std::env::var_os("PLIMSOLL_LOOK") {
        for (name, case) in [("slower", slower()), ("pair", pair()), ("other", other_version())] {
            crate::results::rewrite(&std::path::Path::new(&folder).join(name), case.files()).unwrap();
        }
    }
}

/// Forty nights: from the sixteenth on a fifth slower, from the thirtieth on better again. One is invalid.
fn nights() -> History {
    let deviation = |day: u32| f64::from((day * 7 + day * day * 3) % 11) / 11.0 - 0.45;
    let level = |day: u32| match day {
        ..15 => 1.0,
        15..29 => 1.2,
        _ => 1.05,
    };
    let mut runs: Vec<_> = (0..40).map(|day| abstracted(day, level(day) * (0.08 * deviation(day)).exp())).collect();
    runs[7].verdict = Verdict::Invalid;
    runs[9].target.version = "6.2.0".into();
    history(runs)
}

/// Their history as a report.
pub(super) fn chronicle() -> HistoryReport {
    HistoryReport { scenario: "sample".to_owned(), history: nights() }
}

#[test]
fn histories() {
    let chronicle = chronicle();
    assert_snapshot!("history_terminal", chronicle.terminal(Style { colour: false, width: 110, verbose: true }));
    assert_snapshot!("history_csv", String::from_utf8(chronicle.csv()).unwrap());
    let files = chronicle.files();
    let names: Vec<_> = files.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["history.html", "history.md", "history.csv", "charts/history.svg", "charts/history.png"]);
    if let Some(folder) = std::env::var_os("PLIMSOLL_LOOK") {
        crate::results::rewrite(&std::path::Path::new(&folder).join("history"), files).unwrap();
    }
    let few = history(abstracts(3));
    let few = HistoryReport { scenario: "sample".to_owned(), history: few };
    assert!(
        plain(&few.terminal(Style { colour: false, width: 110, verbose: true }))
            .starts_with("History: too short for change points")
    );
    let none = history(Vec::new());
    let none = HistoryReport { scenario: "sample".to_owned(), history: none };
    assert!(none.files().iter().all(|(name, _)| !name.starts_with("charts/")));
}
