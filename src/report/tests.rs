//! Every output of the one sample run, and what must hold for any.

use std::collections::BTreeMap;

use insta::assert_snapshot;

use super::{
    Document, RunReport, Style, csv,
    format::plain,
    markdown, summary,
    terminal::SCREEN,
    view::{Note, View},
};
use crate::{
    analysis::{Burst, Check, CheckKind, Conclusion, Doubt, Finding, Level, Proportion, Reason, Scope, Stall},
    measure::{ErrorClass, SeriesRole, Span},
    results::{Run, Verdict, Withheld, sample},
};

fn sampled() -> RunReport {
    RunReport::new(sample::run()).unwrap()
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

/// Without charts, which have tests of their own.
fn view() -> View {
    sampled().view(&[])
}

#[test]
fn terminal_text() {
    let report = sampled();
    let at = |width, colour| report.terminal(Style { colour, width, verbose: true });
    assert_snapshot!("terminal_wide", at(150, false));
    assert_snapshot!("terminal_narrow", at(80, false));
    assert_snapshot!("terminal_colour", at(100, true));
}

#[test]
fn the_summary_fits_a_screen() {
    let report = sampled();
    let at = |width| report.terminal(Style { colour: false, width, verbose: false });
    assert!(at(100).lines().count() <= SCREEN, "{}", at(100));
    assert_snapshot!("terminal_summary", at(100));
    assert_snapshot!("terminal_summary_60", at(60));
}

#[test]
fn a_legend_explains_columns_that_are_shown_and_no_others() {
    let report = sampled();
    let at = |width| report.terminal(Style { colour: false, width, verbose: true });
    assert!(at(150).contains("Faster: target") && at(150).contains("p99.9: –"), "{}", at(150));
    assert!(!at(60).contains("Faster") && !at(60).contains("p99.9"), "{}", at(60));
}

#[test]
fn upkeep_that_was_not_called_for_has_no_row() {
    let mut run = sample::run();
    let rows = |run: &Run| {
        let report = RunReport::new(run.clone()).unwrap();
        report.terminal(Style { colour: false, width: 150, verbose: true })
    };
    assert!(rows(&run).contains("LPUSH+LTRIM") && rows(&run).contains("NAME+COMMAND"));
    for series in run.recording.series.iter_mut().filter(|series| series.key.role == SeriesRole::Upkeep) {
        series.seconds.clear();
    }
    assert!(!rows(&run).contains("LPUSH+LTRIM") && !rows(&run).contains("NAME+COMMAND"));
}

#[test]
fn a_reason_that_holds_for_much_is_said_once() {
    let mut report = sampled();
    let lacks = |what: &str, reason: &str| Withheld { what: what.to_owned(), reason: reason.to_owned() };
    let none = "INFO of x 1.0 has none";
    report.run.server.withheld = vec![
        lacks("memory", none),
        lacks("clients", none),
        lacks("number of forks", &format!("{none}; Redis has them since 6.2")),
        lacks("SLOWLOG GET", "needs +slowlog|get"),
    ];
    let text = report.terminal(Style { colour: false, width: 150, verbose: true });
    assert_eq!(text.matches(none).count(), 1, "{text}");
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        words.contains("memory, clients, number of forks, from Redis 6.2 on (INFO of x 1.0 has none); SLOWLOG GET")
    );
}

#[test]
fn a_report_begins_with_what_is_looked_for() {
    let report = sampled();
    let view = report.view(&report.charts());
    let order: Vec<_> = view.sections.iter().map(|section| section.id).collect();
    let expected =
        ["findings", "charts", "results", "trust", "dependencies", "server", "audit", "further-charts", "method"];
    assert_eq!(order, expected);
}

#[test]
fn a_terminal_of_any_width_is_kept_to() {
    let report = sampled();
    for width in 60..160 {
        for verbose in [false, true] {
            let text = report.terminal(Style { colour: false, width, verbose });
            for line in text.lines() {
                assert!(console::measure_text_width(line) <= width, "{width}: {line}");
            }
        }
    }
}

#[test]
fn markdown_document() {
    assert_snapshot!(markdown::render(&view()));
}

#[test]
fn tables_for_programs() {
    let RunReport { run, scenario, analysis, .. } = sampled();
    assert_snapshot!("summary.csv", text(csv::summary(&scenario, &analysis)));
    assert_snapshot!("errors.csv", text(csv::errors(&run)));
    assert_snapshot!("server.csv", text(csv::server(&run)));
    assert_snapshot!("commands.csv", text(csv::commands(&analysis)));
    assert_snapshot!("dependencies.csv", text(csv::dependencies(&run)));
    assert_snapshot!("keyspace.csv", text(csv::keyspace(&analysis)));
    let api = |table: Vec<u8>| -> String {
        text(table)
            .lines()
            .filter(|line| !line.contains("chat,") && !line.contains("ml,"))
            .collect::<Vec<_>>()
            .join("\n")
    };
    assert_snapshot!("timeline.csv", api(csv::timeline(&analysis)));
}

/// A point of a curve: percentile in billionths of a percent, value, count.
type Point = (u64, f64, u64);

const PERCENT: u64 = 1_000_000_000;

#[test]
fn curves_of_percentiles_rise_to_the_count_and_agree_with_the_summary() {
    let RunReport { scenario, analysis, .. } = sampled();
    let table = csv::percentiles(&analysis);
    assert!(text(table.clone()).starts_with("service,operation,role,measure,percentile,value_us,count\n"));
    let mut curves: BTreeMap<[String; 4], Vec<Point>> = BTreeMap::new();
    for record in ::csv::Reader::from_reader(table.as_slice()).records().map(Result::unwrap) {
        let number = |place: usize| record[place].parse::<f64>().unwrap();
        let curve = curves.entry([0, 1, 2, 3].map(|place| record[place].to_owned())).or_default();
        curve.push(((number(4) * PERCENT as f64).round() as u64, number(5), record[6].parse().unwrap()));
    }
    let mut agree = 0;
    for row in serde_json::to_value(summary::rows(&scenario, &analysis)).unwrap().as_array().unwrap() {
        let curve = |measure: &str| {
            let key = [row["service"].as_str(), row["operation"].as_str(), row["role"].as_str(), Some(measure)];
            curves.get(&key.map(|part| part.unwrap_or("*").to_owned())).map_or(&[][..], Vec::as_slice)
        };
        let ends = |measure: &str| curve(measure).last().copied();
        let (longest, count) = (row["response_max_us"].as_f64().unwrap(), row["count"].as_u64().unwrap());
        assert_eq!(ends("response"), Some((100 * PERCENT, longest, count)), "{row}");
        assert_eq!(ends("failed").map_or(0, |(.., failed)| failed), row["errors"].as_u64().unwrap(), "{row}");
        for (measure, percent, column) in [
            ("response", 50, "response_p50_us"),
            ("response", 90, "response_p90_us"),
            ("response", 95, "response_p95_us"),
            ("service_time", 50, "service_time_p50_us"),
        ] {
            let place = curve(measure).iter().position(|(known, ..)| *known == percent * PERCENT);
            if let (Some(place), Some(known)) = (place, row[column].as_f64()) {
                // The rank of a percentile that is not whole may be rounded either way.
                let around = curve(measure)[place - 1].1..=curve(measure)[place].1;
                assert!(around.contains(&known), "{column} of {row}: {around:?}");
                agree += 1;
            }
        }
    }
    assert!(agree > 30, "{agree}");
    for (name, curve) in &curves {
        let rises =
            curve.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1 && pair[0].2 <= pair[1].2);
        assert!(rises && curve[0].0 == 0, "{name:?}");
        let whole = curve.last().unwrap().2;
        let reaches = |(percentile, _, count): &Point| count * 100 * PERCENT + PERCENT >= percentile * whole;
        assert!(curve.iter().all(reaches), "{name:?}: as many samples lie below a percentile as it says");
    }
}

#[test]
fn scripts_find_the_columns_that_they_rely_on() {
    let RunReport { scenario, analysis, .. } = sampled();
    let summary = text(csv::summary(&scenario, &analysis));
    assert!(summary.starts_with(
        "service,operation,count,errors,rate_per_s,response_mean_us,response_min_us,response_p50_us,response_p90_us,\
         response_p95_us,response_p99_us,response_p999_us,response_max_us,service_time_p50_us,service_time_p99_us,\
         wait_p99_us,hit_ratio,target_us,times_faster,grade,verdict,"
    ));
    let last = summary.lines().last().unwrap();
    assert!(last.starts_with("*,*,"), "{last}");
}

#[test]
fn csv_and_json_give_a_value_the_same_name() {
    let RunReport { scenario, analysis, .. } = sampled();
    let table = csv::summary(&scenario, &analysis);
    let header = text(table.split(|byte| *byte == b'\n').next().unwrap().to_vec());
    let record = serde_json::to_string(&summary::rows(&scenario, &analysis)[0]).unwrap();
    let mut at = 0;
    for name in header.split(',') {
        let key = format!("\"{name}\":");
        at += record[at..].find(&key).unwrap_or_else(|| panic!("{name} is not where it should be in {record}"));
    }
    assert_eq!(record.matches("\":").count(), header.split(',').count());
}

#[test]
fn a_table_without_rows_still_has_its_header() {
    let mut run = sample::run();
    run.recording.series.clear();
    assert_eq!(text(csv::errors(&run)), "service,operation,role,class,count,first_message\n");
}

#[test]
fn a_saved_run_gives_the_same_files_again() {
    let report = sampled();
    let first = report.files();
    let second = RunReport::new(Run::from_json(&report.run.to_json()).unwrap()).unwrap().files();
    assert_eq!(first.len(), second.len());
    for ((name, bytes), (same_name, same_bytes)) in first.iter().zip(&second) {
        assert_eq!(name, same_name);
        assert!(bytes == same_bytes, "{name} differs");
    }
}

#[test]
fn every_verdict_in_words() {
    let bad = Proportion { count: 20, of: 100_012, share: 0.0002, low: 0.0001, high: 0.0003 };
    let reasons = |verdict| match verdict {
        Verdict::Pass => vec![Reason::Objective { service: None, bad, allowed: 0.01 }],
        Verdict::Fail => vec![
            Reason::Objective {
                service: None,
                bad: Proportion { count: 2_800, share: 0.028, low: 0.025, high: 0.031, ..bad },
                allowed: 0.01,
            },
            Reason::Errors { service: Some("api".to_owned()), rate: 0.013, allowed: 0.001 },
        ],
        Verdict::Inconclusive => vec![
            Reason::Undecided {
                bad: Proportion { count: 1_050, share: 0.0105, low: 0.0095, high: 0.0115, ..bad },
                allowed: 0.01,
                why: Doubt::Close,
                run_ns: None,
            },
            Reason::Undecided { bad, allowed: 0.01, why: Doubt::Bursts, run_ns: Some(90_000_000_000) },
        ],
        _ => {
            vec![
                Reason::Check(CheckKind::ScheduleLag),
                Reason::Overloaded { service: "api".to_owned(), growth: 0.031 },
                Reason::Empty,
            ]
        }
    };
    let words = [Verdict::Pass, Verdict::Fail, Verdict::Inconclusive, Verdict::Invalid].map(|verdict| {
        let mut report = sampled();
        let analysis = &mut report.analysis;
        analysis.conclusion = Conclusion { verdict, reasons: reasons(verdict), harness_late: None };
        analysis.checks = vec![check(CheckKind::ScheduleLag, Level::Refuse)];
        analysis.events.stalls = vec![stall(3_020_000_000, 980_000_000, 1_000)];
        analysis.events.outside = (50, 90_000);
        let headline = report.headline();
        plain(&[vec![headline.sentence], headline.remarks].concat().join("\n    "))
    });
    assert_snapshot!(words.join("\n"));
}

#[test]
fn every_finding_in_words() {
    let scope =
        || Scope { service: Some("api".to_owned()), operation: Some("GET".to_owned()), role: SeriesRole::Operation };
    let mut findings = vec![
        Finding::Failures {
            scope: scope(),
            operations: 1,
            class: "OOM".to_owned(),
            count: 3,
            message: "OOM not allowed".to_owned(),
            event: None,
        },
        Finding::PoolWait {
            service: "chat".to_owned(),
            pool: 8,
            wait_p99: 9_120_000,
            response_p99: 9_900_000,
            utilisation: 0.93,
        },
        Finding::SlowOperation { scope: scope(), p50: 52_000_000, rest_p50: 170_000 },
        Finding::Stalls { stalls: vec![stall(3_020_000_000, 980_000_000, 912)], event: None },
        Finding::Stalls { stalls: vec![stall(3_020_000_000, 980_000_000, 912)], event: Some("kill:1".to_owned()) },
        Finding::Stalls {
            stalls: vec![stall(1_000_000_000, 12_000_000, 0), stall(5_000_000_000, 48_000_000, 0)],
            event: None,
        },
        Finding::Stalls {
            stalls: vec![Stall { ended: false, ..stall(8_000_000_000, 2_000_000_000, 4_000) }],
            event: None,
        },
        Finding::Bursts(vec![Burst { from: 2, to: 2, bad: 31 }, Burst { from: 7, to: 9, bad: 140 }]),
        Finding::Trend { service: "api".to_owned(), per_minute: 8_000_000.0 },
        Finding::Misses { scope: scope(), misses: 20_000, lookups: 20_000 },
        Finding::Reconnects { service: "api".to_owned(), lost: 50, recovered: 49, event: None },
        Finding::Failures {
            scope: Scope { operation: None, ..scope() },
            operations: 7,
            class: ErrorClass::ConnectionLost.word().to_owned(),
            count: 50,
            message: "Connection reset by peer".to_owned(),
            event: Some("kill:1".to_owned()),
        },
        Finding::Upkeep { count: 1_200, share: 0.107 },
        Finding::Interrupted,
        Finding::DebugBuild,
    ];
    let kinds = [
        CheckKind::AchievedRate,
        CheckKind::ScheduleLag,
        CheckKind::WorkerCpu,
        CheckKind::Steal,
        CheckKind::Throttling,
        CheckKind::Pauses,
        CheckKind::Drift,
        CheckKind::Backlog,
        CheckKind::LittlesLaw,
        CheckKind::Misses,
        CheckKind::Errors,
        CheckKind::Accounts,
        CheckKind::Panics,
        CheckKind::LoadFailure,
        CheckKind::Start,
        CheckKind::GeneratorLag,
        CheckKind::BeyondRange,
    ];
    findings.extend(kinds.map(|kind| Finding::Trust(check(kind, Level::Warn))));
    let mut report = sampled();
    report.analysis.findings = findings;
    let view = report.view(&[]);
    let words: Vec<_> =
        view.notes().map(|Note { fact, advice, .. }| format!("{}\n    {}", plain(fact), plain(advice))).collect();
    assert_snapshot!(words.join("\n"));
}

fn check(kind: CheckKind, level: Level) -> Check {
    let (value, warn, refuse) = match kind {
        CheckKind::Accounts | CheckKind::Panics | CheckKind::BeyondRange => (7.0, 1.0, None),
        _ => (0.4, 0.1, Some(0.25)),
    };
    Check { kind, subject: Some("api".to_owned()), value, warn, refuse, level, nanos: None }
}

fn stall(from_ns: u64, length: u64, bad: u64) -> Stall {
    Stall { span: Span { from_ns, to_ns: from_ns + length }, services: vec!["api".to_owned()], bad, ended: true }
}

#[test]
fn what_the_machine_does_not_show_is_not_known() {
    let mut run = sample::run();
    run.recording.host.iter_mut().for_each(|second| second.throttled = None);
    let report = RunReport::new(run).unwrap();
    let document = report.markdown();
    assert!(document.contains("| Container throttling | whole run | – | 1 % | 5 % | not known |"), "{document}");
    assert!(document.contains(" Not known: Container throttling."), "{document}");
    let summary: serde_json::Value = serde_json::from_str(&report.json().unwrap()).unwrap();
    let checks = summary["checks"].as_array().unwrap();
    let throttling = checks.iter().find(|check| check["kind"] == "throttling").unwrap();
    assert_eq!((&throttling["value"], &throttling["level"]), (&serde_json::Value::Null, &"unknown".into()));
    assert!(jsonschema::is_valid(&super::Printed::Summary.schema(), &summary));
}

#[test]
fn a_run_in_which_nothing_happened_is_reported_too() {
    let mut run = sample::run();
    for series in &mut run.recording.series {
        series.seconds.clear();
    }
    for service in &mut run.recording.services {
        service.scheduled = 0;
        service.seconds.clear();
    }
    let report = RunReport::new(run).unwrap();
    assert!(report.files().iter().all(|(_, bytes)| !bytes.is_empty()));
    let text = report.terminal(Style { colour: false, width: 100, verbose: true });
    assert!(!text.starts_with("Objective met"), "{text}");
}

/// The run of the sample with turns in which the service time with fred is a multiple of that with the wire client.
fn with_client_cost(ratios: &[f64]) -> RunReport {
    RunReport::new(Run { client_cost: Some(sample::client_cost(ratios)), ..sample::run() }).unwrap()
}

#[test]
fn the_cost_of_the_client_library_is_a_section_and_a_part_of_where_the_time_goes() {
    let report = |ratios: &[f64]| {
        let text = text(markdown::render(&with_client_cost(ratios).view(&[])).into_bytes());
        let section = text.split("\n## ").find(|section| section.starts_with("Client library")).unwrap().to_owned();
        let sentence = text.lines().find(|line| line.starts_with("Where the time goes")).unwrap().to_owned();
        format!("{section}\n{sentence}\n")
    };
    assert_snapshot!("client_cost", report(&[1.24, 1.26, 1.25, 1.22, 1.28, 1.25, 1.23, 1.27]));
    assert_snapshot!("client_cost_unclear", report(&[0.98, 1.02, 1.0, 0.97, 1.04, 1.01, 0.99]));
    assert_snapshot!("client_cost_below_0", report(&[0.94, 0.92, 0.93]));
    assert_snapshot!("client_cost_less", report(&[0.94, 0.92, 0.93, 0.91, 0.95, 0.93]));
}

#[test]
fn the_cost_of_the_client_library_in_a_busy_worker_includes_waits() {
    let mut run = Run { client_cost: Some(sample::client_cost(&[1.25; 8])), ..sample::run() };
    let text = |run: &Run| {
        plain(&RunReport::new(run.clone()).unwrap().terminal(Style { colour: false, width: 300, verbose: false }))
    };
    assert!(!text(&run).contains("includes waits"));
    run.recording.workers.iter_mut().for_each(|worker| (worker.busy, worker.pacing) = (0.7, "spin".to_owned()));
    assert!(text(&run).contains("A worker was busy, so this includes waits for it."), "{}", text(&run));
}

#[test]
fn the_summary_has_the_cost_of_the_client_library_in_a_line() {
    let report = with_client_cost(&[1.24, 1.26, 1.25, 1.22, 1.28, 1.25, 1.23, 1.27]);
    let text = plain(&report.terminal(Style { colour: false, width: 150, verbose: false }));
    let line = text.lines().find(|line| line.starts_with("  Client: ")).unwrap();
    assert!(line.contains("the client library takes ") && line.contains("(20.0 % [18.7, 21.3])"), "{line}");
}
