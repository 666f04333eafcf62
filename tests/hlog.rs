//! The histogram log read by another implementation of HDR histograms: the one for Python.

use std::{fs, path::Path, process::Command};

use hdrhistogram::Histogram;
use plimsoll::{
    measure::{SeriesRecord, merged},
    report::{Document, RunReport},
    results::Run,
};
use serde_json::Value;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// 2025-03-14T09:26:53Z, when the run of the fixture started.
const STARTED: f64 = 1_741_944_413.0;

#[test]
fn another_implementation_reads_the_same_numbers() {
    let run = Run::from_json(&fs::read_to_string(Path::new(ROOT).join("tests/fixtures/run.json")).unwrap()).unwrap();
    let read = read_by_python(&log(&run));
    assert_eq!(read["started"].as_f64(), Some(STARTED));
    let tags = read["tags"].as_object().unwrap();
    assert_eq!(tags.len(), run.recording.series.len());
    for series in &run.recording.series {
        let tag = format!("{}.{}", series.key.service, series.key.operation);
        let theirs = &tags[&tag];
        let ours = merged(series.seconds.iter().map(|second| &second.response));
        assert_eq!(theirs["count"].as_u64(), Some(ours.len()), "{tag}");
        assert_eq!(theirs["intervals"].as_u64(), Some(seconds_with_successes(series)), "{tag}");
        for (percentile, value) in theirs["percentiles"].as_object().unwrap() {
            let expected = value_at(&ours, percentile.parse().unwrap());
            assert_eq!(value.as_u64(), Some(expected), "{tag}, {percentile} %");
        }
    }
}

fn log(run: &Run) -> Vec<u8> {
    let files = RunReport::new(run.clone()).unwrap().files();
    files.into_iter().find(|(name, _)| name == "histograms.hlog").unwrap().1
}

fn read_by_python(log: &[u8]) -> Value {
    let python = Path::new(ROOT).join("target/venv/bin/python");
    assert!(
        python.is_file(),
        "no Python with hdrhistogram in target/venv; `make test` installs it, or run deploy/install-deps.sh test"
    );
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("histograms.hlog");
    fs::write(&file, log).unwrap();
    let output = Command::new(python).arg(Path::new(ROOT).join("tests/hlog_reader.py")).arg(&file).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn seconds_with_successes(series: &SeriesRecord) -> u64 {
    series.seconds.iter().filter(|second| second.counts.completed > 0).count() as u64
}

/// The value at a percentile as the reference implementations define it: where the rank is not whole, they round it and
/// do not take the next one.
fn value_at(histogram: &Histogram<u64>, percentile: f64) -> u64 {
    let rank = ((percentile / 100.0 * histogram.len() as f64 + 0.5) as u64).max(1);
    let mut count = 0;
    let at = histogram.iter_recorded().find(|step| {
        count += step.count_at_value();
        count >= rank
    });
    histogram.highest_equivalent(at.unwrap().value_iterated_to())
}
