//! The HTML reports in a real browser: each opens from a file without a word on the console, asks nobody for anything, shows
//! its charts, fits a phone, and can be read by everybody in light and in dark.

mod chromium;

use std::{env, fs, path::Path};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chromium::Chromium;
use plimsoll::{
    analysis::{
        self,
        baseline::{CompareOptions, abstract_of, history},
    },
    report::{ComparisonReport, Document, HistoryReport, RunReport},
    results::{Abstract, Run},
    scenario,
};
use serde_json::{Value, json};

const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/run.json");

/// Looks over the page as a reader would and returns what is wrong with it, in words.
const COMPLAINTS: &str = include_str!("complaints.js");

#[test]
fn the_report_can_be_read_by_everybody_everywhere() {
    can_be_read_by_everybody_everywhere("report", &html());
}

#[test]
fn a_comparison_can_be_read_by_everybody_everywhere() {
    let mut run = night(20);
    let slower = run.rows.len() / 2;
    for known in &mut run.rows[slower].percentiles {
        known.nanos *= 3;
    }
    run.environment.cores += 1;
    let base: Vec<_> = (0..8).map(night).collect();
    let compared = ComparisonReport::new("nightly".to_owned(), base, run, CompareOptions::default());
    can_be_read_by_everybody_everywhere("comparison", compared.html().as_bytes());
}

#[test]
fn a_history_can_be_read_by_everybody_everywhere() {
    let mut nights: Vec<_> = (0..24).map(night).collect();
    for known in nights[12..].iter_mut().flat_map(|run| &mut run.rows).flat_map(|row| &mut row.percentiles) {
        known.nanos *= 2;
    }
    let history = history(nights);
    assert!(!history.courses[0].changes.is_empty());
    let files = HistoryReport { scenario: "sample".to_owned(), history }.files();
    let page = files.into_iter().find(|(name, _)| name == "history.html").unwrap().1;
    can_be_read_by_everybody_everywhere("history", &page);
}

/// The sample run as that of another night, a little faster or slower.
fn night(number: u32) -> Abstract {
    let run = Run::from_json(&fs::read_to_string(FIXTURE).unwrap()).unwrap();
    let scenario = scenario::parse(&run.scenario, "run.json").unwrap();
    let mut night = abstract_of(&run, &analysis::analyse(&run, &scenario), &format!("night-{number:02}"));
    night.started = format!("2025-03-{:02}T02:00:00Z", number + 1);
    for known in night.rows.iter_mut().flat_map(|row| &mut row.percentiles) {
        known.nanos += known.nanos / 100 * u64::from(number * 7 % 5);
    }
    night
}

fn can_be_read_by_everybody_everywhere(name: &str, page: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(format!("{name}.html"));
    fs::write(&file, page).unwrap();
    let address = format!("file://{}", file.display());
    let mut browser = Chromium::start();
    for (width, height) in [(1400, 900), (800, 1000), (500, 900), (360, 740)] {
        for scheme in ["light", "dark"] {
            browser.screen(width, height, scheme);
            let events = browser.open(&address);
            let place = format!("{width} pixels, {scheme}");
            assert_eq!(said_on_console(&events), Vec::<&Value>::new(), "{place}");
            assert_eq!(requested(&events), [address.as_str()], "{place}");
            assert_eq!(browser.evaluate(COMPLAINTS), json!([]), "{place}");
            picture(&mut browser, &format!("{name}-{width}-{scheme}.png"));
        }
    }
}

fn html() -> Vec<u8> {
    let run = Run::from_json(&fs::read_to_string(FIXTURE).unwrap()).unwrap();
    let files = RunReport::new(run).unwrap().files();
    files.into_iter().find(|(name, _)| name == "report.html").unwrap().1
}

fn said_on_console(events: &[Value]) -> Vec<&Value> {
    let methods = ["Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"];
    events.iter().filter(|event| methods.iter().any(|method| event["method"] == *method)).collect()
}

/// Addresses that the page asked for; `data:` is part of the page.
fn requested(events: &[Value]) -> Vec<&str> {
    events
        .iter()
        .filter(|event| event["method"] == "Network.requestWillBeSent")
        .filter_map(|event| event["params"]["request"]["url"].as_str())
        .filter(|address| !address.starts_with("data:"))
        .collect()
}

/// Leaves a picture of the whole page in the folder that `PLIMSOLL_PICTURES` names, for people to look at.
fn picture(browser: &mut Chromium, name: &str) {
    let Some(folder) = env::var_os("PLIMSOLL_PICTURES") else { return };
    let shot = browser.call("Page.captureScreenshot", &json!({ "format": "png", "captureBeyondViewport": true }));
    let png = STANDARD.decode(shot["data"].as_str().unwrap()).unwrap();
    fs::create_dir_all(&folder).unwrap();
    fs::write(Path::new(&folder).join(name), png).unwrap();
}
