//! A small `plimsoll ci` in which every field and every outcome occurs, with texts that are hard on formats.

use super::run;
use crate::results::{Better, CI_VERSION, Ci, CiCheck, CiMeasure, CiScenario, Leniency, Unit, Verdict};

/// Three scenarios: one that missed its objective, one that could not be reached, and one that was interrupted.
pub(crate) fn small_ci() -> Ci {
    let run = run();
    Ci {
        schema_version: CI_VERSION,
        software: run.software,
        started: run.started,
        inconclusive: Leniency::Warn,
        exit_code: 130,
        scenarios: vec![
            CiScenario {
                name: "mixed".into(),
                folder: Some("runs/mixed".into()),
                seconds: 12.5,
                trusted: true,
                checks: vec![
                    check(
                        ("objective", None, None),
                        Verdict::Fail,
                        true,
                        "mixed: Objective missed: only 97.4 % of all.",
                    ),
                    check(
                        ("objective", Some("api"), Some("GET")),
                        Verdict::Fail,
                        true,
                        "mixed api GET p99 130 ms misses 100 ms (99 % required, 97.1 % [96.8, 97.4] within)",
                    ),
                    check(
                        ("objective", Some("api"), Some("SET")),
                        Verdict::Inconclusive,
                        false,
                        "mixed api SET: too few",
                    ),
                    check(
                        ("objective", Some("api"), Some("HGET")),
                        Verdict::Pass,
                        false,
                        "mixed api HGET p99 1 ms is fine",
                    ),
                ],
                measures: vec![
                    measure(Some("api"), Some("GET"), "p99", [130_000.0, 128_000.5, 133_000.0]),
                    measure(Some("api"), None, "p50", [412.0, 410.0, 415.0]),
                    measure(None, None, "mean", [512.25]),
                    CiMeasure {
                        unit: Unit::PerSecond,
                        better: Better::Bigger,
                        ..measure(None, None, "throughput", [10_007.125])
                    },
                ],
            },
            CiScenario {
                name: "shop <a> & \"b\"".into(),
                folder: None,
                seconds: 0.25,
                trusted: false,
                checks: vec![CiCheck {
                    detail: vec!["50 % of it, or more".into(), "a,b:c".into()],
                    ..check(
                        ("run", None, None),
                        Verdict::Invalid,
                        true,
                        "shop <a> & \"b\" could not be measured: no\u{1b}[31m connection to redis://h:1, 100 %\nof the time",
                    )
                }],
                measures: Vec::new(),
            },
            CiScenario {
                name: "queue".into(),
                folder: None,
                seconds: 0.0,
                trusted: false,
                checks: vec![check(
                    ("run", None, None),
                    Verdict::Interrupted,
                    true,
                    "queue was not run: interrupted before",
                )],
                measures: Vec::new(),
            },
        ],
    }
}

fn check(about: (&str, Option<&str>, Option<&str>), outcome: Verdict, decides: bool, sentence: &str) -> CiCheck {
    let (name, service, operation) = about;
    CiCheck { decides, ..CiCheck::new(name, (service, operation), outcome, sentence.to_owned()) }
}

fn measure<const N: usize>(
    service: Option<&str>,
    operation: Option<&str>,
    metric: &str,
    values: [f64; N],
) -> CiMeasure {
    CiMeasure {
        service: service.map(str::to_owned),
        operation: operation.map(str::to_owned),
        metric: metric.to_owned(),
        unit: Unit::Microseconds,
        value: values[0],
        low: values.get(1).copied(),
        high: values.get(2).copied(),
        better: Better::Smaller,
    }
}

#[cfg(test)]
mod tests {
    use std::{env, fs};

    use super::*;

    #[test]
    fn is_the_one_in_the_fixture() {
        let made = small_ci();
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/ci/ci.json");
        if env::var_os("PLIMSOLL_WRITE_FIXTURES").is_some() {
            fs::write(path, made.to_json()).unwrap();
        }
        let read = Ci::from_json(&fs::read_to_string(path).unwrap()).unwrap();
        assert!(read == made, "write the fixture anew: PLIMSOLL_WRITE_FIXTURES=1 cargo test --lib results::sample::ci");
    }
}
