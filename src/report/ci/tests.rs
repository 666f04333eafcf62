//! Every format of one sample with every outcome and texts that are hard on formats, and what must hold for any.

use std::path::Path;

use insta::assert_snapshot;

use super::{
    AuditLimit, annotations, bencher, benchmark_action, junit, measured, no_baseline, no_gate, openmetrics, summary,
    words,
};
use crate::{
    analysis::audit::Severity,
    report::{Document, RunReport, Style, format::plain},
    results::{Ci, CiCheck, CiScenario, Leniency, Run, Verdict, sample},
};

fn scenario_of(run: &Run, limit: AuditLimit) -> CiScenario {
    measured("workflow", &RunReport::new(run.clone()).unwrap(), limit)
}

/// Only the checks of this name.
fn named<'a>(scenario: &'a CiScenario, name: &str) -> Vec<&'a CiCheck> {
    scenario.checks.iter().filter(|check| check.name == name).collect()
}

#[test]
fn each_format() {
    let ci = sample::small_ci();
    assert_snapshot!("summary", summary(&ci));
    assert_snapshot!("terminal", ci.terminal(Style { colour: false, width: 100, verbose: true }));
    assert_snapshot!("junit", junit::render(&ci));
    assert_snapshot!("annotations", annotations::annotations(&ci));
    assert_snapshot!("benchmark_action", benchmark_action::latency(&ci) + &benchmark_action::throughput(&ci));
    assert_snapshot!("bencher", bencher::render(&ci));
    assert_snapshot!("openmetrics", openmetrics::render(&ci));
}

#[test]
fn what_is_reported_of_a_run() {
    let scenario = scenario_of(&sample::run(), None);
    let of = |service: &Option<String>, operation: &Option<String>| {
        let part = |name: &Option<String>| name.clone().unwrap_or_else(|| "*".to_owned());
        format!("{} {}", part(service), part(operation))
    };
    let checks = scenario.checks.iter().map(|check| {
        let weight = if check.decides { "decides" } else { "beside" };
        let name = format!("{} {}", check.name, of(&check.service, &check.operation));
        [format!("{:?} {weight} {name}: {}", check.outcome, check.sentence), check.detail.join("\n    ")].join("\n    ")
    });
    let measures = scenario.measures.iter().map(|measure| format!("{measure:?}"));
    assert_snapshot!(checks.chain(measures).map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n"));
}

#[test]
fn documents_keep_to_what_their_readers_document() {
    let check = |schema: &str, document: &str| {
        let validator = jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap();
        let document = serde_json::from_str(document).unwrap();
        let faults: Vec<_> = validator.iter_errors(&document).map(|fault| fault.to_string()).collect();
        assert_eq!(faults, [] as [&str; 0]);
        document
    };
    let action = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/ci/benchmark-action.schema.json"));
    let bmf = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/ci/bencher.schema.json"));
    for scenario in [sample::small_ci().scenarios.swap_remove(0), scenario_of(&sample::run(), None)] {
        let measures = scenario.measures.len();
        let ci = Ci { scenarios: vec![scenario], ..sample::small_ci() };
        let latency: serde_json::Value = check(action, &benchmark_action::latency(&ci));
        let throughput = check(action, &benchmark_action::throughput(&ci));
        assert_eq!(latency.as_array().unwrap().len() + throughput.as_array().unwrap().len(), measures, "none is lost");
        let bencher = check(bmf, &bencher::render(&ci));
        let of_benchmarks = bencher.as_object().unwrap().values().map(|measures| measures.as_object().unwrap().len());
        assert_eq!(of_benchmarks.sum::<usize>(), measures, "no two share a name");
    }
}

#[test]
fn the_schemas_take_what_the_readers_give_as_examples() {
    let fixture = |name: &str| -> serde_json::Value {
        let path = format!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/ci/{}"), name);
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
    };
    for reader in ["benchmark-action", "bencher"] {
        let [schema, example] = ["schema", "example"].map(|what| fixture(&format!("{reader}.{what}.json")));
        let faults = jsonschema::validate(&schema, &example).err();
        assert!(faults.is_none(), "{reader}: {faults:?}");
    }
}

#[test]
fn comparisons_are_reported_in_summary_and_terminal_whatever_came_of_them() {
    let both = |ci: &Ci| [summary(ci), ci.terminal(Style { colour: false, width: 400, verbose: true })];
    let ci_of = |check: CiCheck, inconclusive: Leniency| {
        let mut ci = Ci { inconclusive, ..sample::small_ci() };
        ci.scenarios.truncate(1);
        ci.scenarios[0].checks = vec![check];
        ci
    };
    let passed = CiCheck { outcome: Verdict::Pass, ..no_gate("mixed", "as it was") };
    for check in [no_baseline("mixed", "nightly", None, false), passed] {
        let ci = ci_of(check.clone(), Leniency::Warn);
        for text in both(&ci) {
            assert!(text.contains("Comparisons") && text.contains(&check.sentence), "{text}");
        }
        assert_eq!((ci.scenarios[0].outcome(), annotations::annotations(&ci).as_str()), (Verdict::Pass, ""));
    }
    // Where regressions count, one that could not be found is no reason to be quiet.
    let missing = no_baseline("mixed", "nightly", Some(Path::new("out")), true);
    let ci = ci_of(missing.clone(), Leniency::Warn);
    for text in both(&ci) {
        assert!(text.contains("Problems") && !text.contains("Comparisons"), "{text}");
        assert_eq!(text.matches(&missing.sentence).count(), 1, "{text}");
    }
    assert!(annotations::annotations(&ci).starts_with("::warning title=plimsoll%3A baseline::mixed: no baseline"));
    assert_eq!(ci.scenarios[0].outcome(), Verdict::Inconclusive);
}

#[test]
fn a_miss_is_explained_by_the_rows_that_miss() {
    let mut report = RunReport::new(sample::run()).unwrap();
    let tell = |report: &_| measured("workflow", report, None);
    let analysis = &mut report.analysis;
    let place = analysis.rows.iter().position(|row| row.scope.operation.as_deref() == Some("GET")).unwrap();
    analysis.rows[place].verdict = Verdict::Fail;
    let alone = tell(&report);
    assert_eq!(alone.outcome(), Verdict::Pass, "an operation alone is no miss");

    report.analysis.conclusion.verdict = Verdict::Fail;
    let all = tell(&report);
    assert_eq!(all.outcome(), Verdict::Fail);
    let explained: Vec<_> = all.checks.iter().filter(|check| check.decides && check.operation.is_some()).collect();
    assert_eq!(explained.len(), 1);
    assert!(explained[0].sentence.starts_with("workflow api GET p"), "{}", explained[0].sentence);

    report.analysis.conclusion.verdict = Verdict::Invalid;
    let invalid = tell(&report);
    assert!(!invalid.trusted);
    let ci = Ci { scenarios: vec![invalid], ..sample::small_ci() };
    assert_eq!(words::history(&ci).count(), 0, "what cannot be trusted enters no history");
}

#[test]
fn numbers_of_a_run_that_was_ended_enter_no_history() {
    let mut run = sample::run();
    run.recording.period.interrupted = true;
    let ended = scenario_of(&run, None);
    assert!(!ended.trusted);
    assert_eq!(ended.outcome(), Verdict::Interrupted, "whatever the verdict on what there is");
    assert!(scenario_of(&sample::run(), None).trusted);
}

#[test]
fn the_audit_is_of_servers_that_are_somebodys_and_counts_where_that_is_asked_for() {
    let mut run = sample::run();
    assert!(run.target.private);
    assert_eq!(named(&scenario_of(&run, Some(Severity::Warning)), "audit").len(), 0);
    run.target.private = false;
    let shown = scenario_of(&run, None);
    let audit = named(&shown, "audit");
    assert_eq!((audit.len(), audit[0].outcome, audit[0].decides), (1, Verdict::Pass, false));
    assert!(!audit[0].detail.is_empty());
    let held = scenario_of(&run, Some(Severity::Warning));
    let audit = named(&held, "audit");
    assert_eq!(audit.len(), named(&shown, "audit")[0].detail.len(), "each finding by itself");
    assert!(audit.iter().all(|check| check.outcome == Verdict::Fail && check.operation.is_some()));
    assert_eq!(held.outcome(), Verdict::Fail);

    run.inspection = crate::results::Inspection::default();
    run.dependencies.clear();
    let blind = scenario_of(&run, Some(Severity::Critical));
    assert_eq!(named(&blind, "audit")[0].outcome, Verdict::Invalid, "{:?}", named(&blind, "audit"));
}

/// A number of scenarios that each miss.
fn many(count: usize, detail: usize) -> Ci {
    let mut ci = sample::small_ci();
    let mut one = ci.scenarios.swap_remove(0);
    one.checks[0].detail = vec!["x".repeat(detail)];
    ci.scenarios = (0..count).map(|number| CiScenario { name: format!("mixed-{number}"), ..one.clone() }).collect();
    ci
}

#[test]
fn a_summary_of_any_length_is_cut_to_what_github_shows() {
    for (count, detail) in [(1, 0), (3, 300_000), (400, 100), (6_000, 0)] {
        let summary = super::summary(&many(count, detail));
        assert!(summary.len() <= 256 << 10, "{count}: {}", summary.len());
        assert!(summary.contains(&format!(
            "{} failed of",
            crate::report::format::plain(&crate::report::format::count(count as u64))
        )));
        assert!(summary.contains("| mixed-0 |"), "the first scenarios are always there");
    }
    assert!(summary(&many(6_000, 0)).contains("truncated"));
}

#[test]
fn no_more_annotations_than_github_shows() {
    let lines =
        |ci: &Ci, command: &str| annotations::annotations(ci).lines().filter(|line| line.starts_with(command)).count();
    let few = many(5, 0);
    assert_eq!(lines(&few, "::error "), 10, "two for each");
    let more = many(8, 0);
    assert_eq!(lines(&more, "::error "), 10);
    assert!(
        annotations::annotations(&more).contains("::7 more in the job summary"),
        "{}",
        annotations::annotations(&more)
    );
}

#[test]
fn the_inconclusive_warn_fail_or_say_nothing_as_asked_for() {
    let mut ci = many(1, 0);
    ci.scenarios[0].checks.truncate(1);
    ci.scenarios[0].checks[0].outcome = Verdict::Inconclusive;
    for (inconclusive, start) in [(Leniency::Fail, "::error "), (Leniency::Warn, "::warning ")] {
        let said = annotations::annotations(&Ci { inconclusive, ..ci.clone() });
        assert!(said.starts_with(start) && said.lines().count() == 1, "{said}");
    }
    ci.inconclusive = Leniency::Pass;
    assert_eq!(annotations::annotations(&ci), "");
    let sentence = plain(&ci.headline().sentence);
    assert!(sentence.contains("1 inconclusive of 1 scenario"), "{sentence}");
}

#[test]
fn files_have_names_of_their_own() {
    let mut names: Vec<_> = sample::small_ci().files().into_iter().map(|(name, _)| name).collect();
    let all = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), all);
}
