//! JSON and CSV say the same: what the tables hold, the documents hold as well.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    CapacityReport, Document, RunReport,
    capacity_sample::{pools, scenario},
    comparison_tests::slower,
    gate_tests::ALL,
};
use crate::results::sample;

type Record = BTreeMap<String, String>;

/// Columns of `capacity.csv` that are named otherwise in JSON, by their place in the arm.
const OF_ARM: [(&str, &str); 10] = [
    ("arm", "/name"),
    ("first_failure_per_s", "/first_failure/rate_per_s"),
    ("first_failure_reason", "/first_failure/reason"),
    ("first_failure_share", "/first_failure/share"),
    ("limit", "/limit/kind"),
    ("limit_share", "/limit/share"),
    ("sustainable_within_5ms_per_s", "/by_limit/1/met_per_s"),
    ("sustainable_within_100ms_per_s", "/by_limit/5/met_per_s"),
    ("erlang_measured_wait_p99_us", "/erlang/0/measured_wait_p99_us"),
    ("erlang_smallest_pool", "/erlang/0/smallest_pool"),
];

/// Columns of `capacity.csv` by their place in the comparison with the arm before, and in the rate of it that decides.
const OF_COMPARISON: [(&str, &str); 2] = [("compared_with", "/from"), ("advice", "/advice")];
const OF_RATE: [(&str, &str); 6] = [
    ("compared_rate_per_s", "/rate_per_s"),
    ("compared_blocks", "/blocks"),
    ("response_p99_ratio", "/response_p99/value"),
    ("response_p99_ratio_high", "/response_p99/high"),
    ("service_time_ratio", "/service_time/value"),
    ("throughput_ratio", "/throughput/value"),
];

fn json(document: &impl Document) -> Value {
    serde_json::from_str(&document.json().unwrap()).unwrap()
}

/// The records of a table, by the names of their columns.
fn records(document: &impl Document, table: &str) -> Vec<Record> {
    let (_, bytes) = document.files().into_iter().find(|(name, _)| name == table).unwrap();
    csv::Reader::from_reader(bytes.as_slice()).deserialize().map(Result::unwrap).collect()
}

/// Fails unless a cell holds what stands at a place of the JSON.
#[track_caller]
fn same(record: &Record, column: &str, json: &Value, pointer: &str) {
    let cell = &record[column];
    let agrees = match json.pointer(pointer) {
        None | Some(Value::Null) => cell.is_empty() || cell == "*",
        Some(Value::Number(number)) => cell.parse().ok() == number.as_f64(),
        Some(Value::String(text)) => cell == text,
        Some(Value::Bool(is)) => cell == if *is { "true" } else { "false" },
        Some(_) => false,
    };
    assert!(agrees, "{column} is {cell}, {pointer} of {json}");
}

#[track_caller]
fn all_same(record: &Record, json: &Value, places: &[(&str, &str)]) {
    for (column, pointer) in places {
        same(record, column, json, pointer);
    }
}

/// Every column of a table that JSON has as a list of records of the same names.
fn every_column_is_the_same(document: &impl Document, table: &str) {
    let (json, records) = (json(document), records(document, table));
    let rows = json["rows"].as_array().unwrap();
    assert_eq!(rows.len(), records.len());
    for (row, record) in rows.iter().zip(&records) {
        assert_eq!(row.as_object().unwrap().len(), record.len());
        for column in record.keys() {
            same(record, column, row, &format!("/{column}"));
        }
    }
}

#[test]
fn rows_of_runs_and_comparisons() {
    every_column_is_the_same(&RunReport::new(sample::run()).unwrap(), "summary.csv");
    every_column_is_the_same(&slower(), "comparison.csv");
}

#[test]
fn arms_and_comparisons_of_a_capacity_run() {
    let (capacity, analysis) = pools();
    let report = CapacityReport { capacity, scenario: scenario(), analysis };
    let (json, records) = (json(&report), records(&report, "capacity.csv"));
    let arms = json["arms"].as_array().unwrap();
    assert_eq!(arms.len(), records.len());
    for (arm, record) in arms.iter().zip(&records) {
        let alike =
            record.keys().filter(|column| arm.get(column).is_some_and(|value| !value.is_object() && !value.is_array()));
        let alike: Vec<&String> = alike.collect();
        assert!(alike.len() >= 7, "{alike:?}");
        for column in alike {
            same(record, column, arm, &format!("/{column}"));
        }
        all_same(record, arm, &OF_ARM);
        let comparison = json["comparisons"].as_array().unwrap().iter().find(|pair| pair["to"] == arm["name"]);
        let comparison = comparison.unwrap_or(&Value::Null);
        all_same(record, comparison, &OF_COMPARISON);
        let is_of_row = |rate: &&Value| rate["rate_per_s"].as_f64() == record["compared_rate_per_s"].parse().ok();
        let rate = comparison["rates"].as_array().and_then(|rates| rates.iter().find(is_of_row));
        assert_eq!(rate.is_some(), !comparison.is_null());
        all_same(record, rate.unwrap_or(&Value::Null), &OF_RATE);
    }
}

#[test]
fn metrics_and_quantiles_of_a_gate() {
    for gate in &*ALL {
        let json = json(gate);
        let rows = json["rows"].as_array().unwrap();
        let name = |record: &Record, what: &str| Value::from(record[what].as_str());
        let is_of = |record: &Record, row: &Value| {
            ["service", "operation"].iter().all(|what| match &row[what] {
                Value::Null => record[*what] == "*",
                named => *named == name(record, what),
            })
        };
        let row = |record: &Record| rows.iter().find(|row| is_of(record, row)).unwrap();
        let of = |row: &Value, list: &str, named: &dyn Fn(&Value) -> bool| {
            row[list].as_array().unwrap().iter().find(|entry| named(entry)).unwrap().clone()
        };
        let metrics = records(gate, "gate.csv");
        for record in &metrics {
            let metric = of(row(record), "metrics", &|metric| metric["metric"] == name(record, "metric"));
            all_same(record, row(record), &[("shape", "/shape")]);
            all_same(
                record,
                &metric,
                &[("verdict", "/verdict"), ("suspected", "/suspected"), ("matters_from", "/matters_from")],
            );
            let bounds = [("ratio_low", "/low"), ("ratio_high", "/high")];
            let alike =
                [("a", "/a"), ("b", "/b"), ("ratio", "/ratio"), ("p_worse", "/p_worse"), ("detectable", "/detectable")];
            let change = &metric[record["stage"].as_str()];
            assert!(change.is_object(), "{metric}");
            all_same(record, change, &[&bounds[..], &alike].concat());
        }
        let stages = |metric: &Value| ["screen", "confirm"].iter().filter(|stage| metric[**stage].is_object()).count();
        let all = |list: &str| rows.iter().flat_map(|row| row[list].as_array().unwrap().clone()).collect::<Vec<_>>();
        assert_eq!(metrics.len(), all("metrics").iter().map(stages).sum::<usize>());
        let quantiles = records(gate, "quantiles.csv");
        assert_eq!(quantiles.len(), all("quantiles").len());
        for record in &quantiles {
            let quantile =
                of(row(record), "quantiles", &|entry| entry["quantile"].as_f64() == record["quantile"].parse().ok());
            let change = &quantile["change"];
            all_same(
                record,
                change,
                &[("a_us", "/a"), ("b_us", "/b"), ("ratio", "/ratio"), ("ratio_low", "/low"), ("p_worse", "/p_worse")],
            );
        }
    }
}
