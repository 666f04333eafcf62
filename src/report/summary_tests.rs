//! What the summary of a run says first.

use super::{Document as _, RunReport, Style};
use crate::{
    analysis::{CheckKind, Finding, Scope},
    measure::SeriesRole,
    results::sample,
};

fn sampled() -> RunReport {
    RunReport::new(sample::run()).unwrap()
}

#[test]
fn rates_of_a_late_harness_are_at_least_that() {
    let mut report = sampled();
    let rate = |report: &RunReport| {
        let text = report.terminal(Style { colour: false, width: 150, verbose: false });
        let total = text.lines().find(|line| line.contains("all services")).unwrap().to_owned();
        total.contains('≥')
    };
    assert!(!rate(&report));
    report.analysis.conclusion.harness_late = Some(CheckKind::WorkerCpu);
    assert!(rate(&report));
}

#[test]
fn reads_that_find_nothing_are_the_first_finding_with_its_advice() {
    let mut report = sampled();
    let scope = Scope { service: Some("api".into()), operation: Some("GET".into()), role: SeriesRole::Operation };
    let failures = |class: &str| Finding::Failures {
        scope: scope.clone(),
        class: class.into(),
        count: 3,
        message: format!("{class} everywhere"),
    };
    report.analysis.findings = ["OOM", "ERR", "BUSY", "MISCONF", "READONLY"].map(failures).to_vec();
    report.analysis.findings.push(Finding::Misses { scope: scope.clone(), misses: 20_000, lookups: 20_000 });
    let text = report.terminal(Style { colour: false, width: 300, verbose: false });
    assert!(text.contains("found nothing") && text.contains("without --no-prefill"), "{text}");
}
