//! What the summary of a run says first.

use super::{
    Document as _, RunReport, Style,
    terminal::{self, SCREEN},
    view::{Block, Note, Tone},
};
use crate::{
    analysis::{CheckKind, Finding, Scope},
    measure::SeriesRole,
    results::sample,
    scenario::{self, BUILTIN},
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
fn narrow_terminals_keep_what_matters_of_the_table() {
    let report = sampled();
    let text = report.terminal(Style { colour: false, width: 60, verbose: false });
    let words =
        |line: &str| line.split("  ").map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect();
    let mut lines = text.lines().skip_while(|line| !line.starts_with("Operation"));
    let headings: Vec<String> = words(lines.next().unwrap());
    for heading in ["Operation", "Rate 1/s", "p50 ms", "p99 ms", "Grade"] {
        assert!(headings.iter().any(|known| known == heading), "{headings:?}");
    }
    let whole: Vec<String> = words(lines.find(|line| line.starts_with("all services")).unwrap());
    assert_eq!(whole.len(), headings.len(), "{whole:?}");
    assert!(!whole.contains(&"–".to_owned()) || !headings.contains(&"p99.9 ms".to_owned()), "{whole:?}");
}

/// The longest table, a headline with what has to be said along with it, and findings of several lines.
#[test]
fn the_summary_of_every_built_in_scenario_fits_a_screen() {
    for (name, _) in BUILTIN {
        let scenario = scenario::load(name).unwrap();
        let rows = scenario.services.iter().map(|service| 1 + service.operations.len()).sum::<usize>() + 1;
        for words in [20, 40] {
            let mut view = sampled().view(&[]);
            let long = "words ".repeat(words);
            view.headline.remarks = vec!["words ".repeat(20); 3];
            // No built-in scenario has them.
            view.sections.retain(|section| section.id != "dependencies");
            for block in view.sections.iter_mut().filter_map(|section| section.brief.as_mut()).flatten() {
                match block {
                    Block::Table(table) => table.rows = table.rows.iter().cycle().take(rows).cloned().collect(),
                    Block::Notes(notes) => {
                        *notes = vec![Note::new(Tone::Bad, long.clone(), ""); 5];
                        notes[0].advice.clone_from(&long);
                    }
                    _ => {}
                }
            }
            let text = terminal::render(&view, Style { colour: false, width: 110, verbose: false });
            assert!(text.lines().count() <= SCREEN, "{name}:\n{text}");
            assert!(text.contains("words") && text.contains('✗'), "{name}: a finding is shown:\n{text}");
        }
    }
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
