//! What the summary of a run says first.

use super::{
    Document as _, RunReport, Style,
    format::plain,
    terminal::{self, SCREEN},
    view::{Block, Note, Tone},
};
use crate::{
    analysis::{CheckKind, Finding, Level, Scope},
    measure::SeriesRole,
    results::{Verdict, sample},
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
        assert_eq!(total.contains('≥'), text.contains("≥ The harness was late"), "the sign has its legend");
        total.contains('≥')
    };
    assert!(!rate(&report));
    report.analysis.conclusion.harness_late = Some(CheckKind::WorkerCpu);
    assert!(rate(&report), "of a closed loop");
    report.scenario.services.retain(|service| service.offered_rate().is_some());
    assert!(!rate(&report), "exact where all that was offered was answered");
    let backlog = report.analysis.checks.iter_mut().find(|check| check.kind == CheckKind::Backlog).unwrap();
    backlog.level = Level::Refuse;
    assert!(rate(&report), "more was offered than was answered");
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
        operations: 1,
        class: class.into(),
        count: 3,
        message: format!("{class} everywhere"),
        event: None,
    };
    report.analysis.findings = ["OOM", "ERR", "BUSY", "MISCONF", "READONLY"].map(failures).to_vec();
    report.analysis.findings.push(Finding::Misses { scope: scope.clone(), misses: 20_000, lookups: 20_000 });
    let text = report.terminal(Style { colour: false, width: 300, verbose: false });
    assert!(text.contains("found nothing") && text.contains("omit --no-prefill"), "{text}");
}

#[test]
fn a_restart_is_in_the_headline_of_a_miss() {
    let sentence = |outcome| {
        let mut run = sample::run();
        run.server.restarts = 1;
        let mut report = RunReport::new(run).unwrap();
        report.analysis.conclusion.verdict = outcome;
        report.headline().sentence
    };
    assert!(sentence(Verdict::Fail).ends_with("; the server was restarted during the run."));
    assert!(!sentence(Verdict::Pass).contains("restarted"));
}

#[test]
fn an_overload_says_what_was_offered_and_answered_and_what_the_limit_is() {
    let mut run = sample::run();
    for second in &mut run.recording.services[0].seconds {
        (second.backlog, second.in_use) = (200 * (u64::from(second.second) + 1), 49.9);
    }
    let report = RunReport::new(run).unwrap();
    let sentence = plain(&report.headline().sentence);
    let known = "the offered load is above capacity: api was offered 1 000/s, of which 1 004/s were answered, and its queue grew by \
                 200 requests a second; the pool is the limit, with 50 of 50 places in use.";
    assert!(sentence.ends_with(known), "{sentence}");
    let notes: Vec<String> = report.view(&[]).notes().map(|note| plain(&note.fact)).collect();
    assert!(notes.iter().any(|fact| fact.contains("200 requests a second; the pool is the limit")), "{notes:?}");
}
