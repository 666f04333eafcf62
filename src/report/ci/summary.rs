//! The summary for people: the outcome in a sentence, a row for each scenario, what is wrong, and the numbers.

use super::{
    comparing::is_comparison,
    words::{findings, is_error, is_finding, is_latency, one_line},
};
use crate::{
    report::{
        format::{self, counted},
        markdown,
        view::{Align, Block, Cell, Column, Headline, Note, RowKind, Section, Shown, Table, Tone, View, made_by},
    },
    results::{Ci, CiCheck, CiMeasure, CiScenario, InCheck, Leniency, Verdict},
};

/// A number of bytes the Markdown has at most. GitHub refuses a job summary of more than 1 MiB.
const MOST: usize = 256 << 10;

/// How much is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Depth {
    /// Everything.
    Whole,
    /// Without the numbers of services and operations.
    Findings,
    /// Nothing but scenarios.
    Scenarios,
}

/// The outcome in one sentence.
pub(super) fn headline(ci: &Ci) -> Headline {
    let (verdict, tone) = verdict(ci);
    Headline { verdict, sentence: sentence(ci), tone, remarks: Vec::new(), numbers: Vec::new() }
}

/// The summary as Markdown, shortened where it would be too long for a job summary.
pub fn summary(ci: &Ci) -> String {
    let mut text = String::new();
    for depth in [Depth::Whole, Depth::Findings, Depth::Scenarios] {
        text = markdown::render(&view(ci, depth));
        if text.len() <= MOST {
            return text;
        }
    }
    shortened(&text)
}

const CUT: &str = "\n\nThis summary is truncated; ci.json is complete.\n";

/// As many whole lines as there is room for.
fn shortened(text: &str) -> String {
    let mut kept = String::new();
    for line in text.split_inclusive('\n') {
        if kept.len() + line.len() + CUT.len() > MOST {
            break;
        }
        kept.push_str(line);
    }
    kept + CUT
}

/// The document.
pub(super) fn view(ci: &Ci, depth: Depth) -> View {
    let notes: Vec<_> = findings(ci).into_iter().map(|check| note(check, ci.inconclusive)).collect();
    let (comparisons, asides): (Vec<_>, Vec<_>) = beside_findings(ci).partition(|check| is_comparison(check));
    let comparisons: Vec<_> = comparisons.into_iter().map(aside).collect();
    let asides: Vec<_> = asides.into_iter().filter(|check| is_worth_knowing(check)).map(aside).collect();
    let shown = |notes: Vec<Note>, least: Depth| (!notes.is_empty() && depth <= least).then_some(Block::Notes(notes));
    let tables = ci.scenarios.iter().filter(|_| depth == Depth::Whole).filter_map(numbers);
    let sections = [
        Section::new("scenarios", "Scenarios", [Block::Table(scenarios(ci))]).detailed(Shown::First),
        Section::new("findings", "Problems", shown(notes, Depth::Findings)).detailed(Shown::Everything),
        Section::new("comparisons", "Comparisons", shown(comparisons, Depth::Whole)).detailed(Shown::Everything),
        Section::new("asides", "Worth knowing", shown(asides, Depth::Whole)),
        Section::new("measured", "Measurements", tables),
    ];
    let scenarios = counted(ci.scenarios.len() as u64, "scenario", "scenarios");
    let subtitle = format!("{scenarios} on {}; exit code {}.", ci.started, ci.exit_code);
    View::new("plimsoll ci".to_owned(), subtitle, headline(ci), sections, made_by(&ci.software))
}

fn verdict(ci: &Ci) -> (&'static str, Tone) {
    match ci.scenarios.iter().map(CiScenario::outcome).max().unwrap_or(Verdict::Pass) {
        Verdict::Pass | Verdict::Improved => ("Passed", Tone::Good),
        Verdict::Inconclusive if ci.inconclusive == Leniency::Fail => ("Inconclusive", Tone::Bad),
        Verdict::Inconclusive => ("Passed, with inconclusive checks", Tone::Fair),
        Verdict::Interrupted => ("Interrupted", Tone::Fair),
        Verdict::Invalid | Verdict::NotComparable => ("Partly invalid", Tone::Bad),
        Verdict::Fail => ("Failed", Tone::Bad),
    }
}

fn sentence(ci: &Ci) -> String {
    let clauses: Vec<_> = InCheck::ALL
        .iter()
        .copied()
        .rev()
        .filter_map(|outcome| {
            let count = ci.scenarios.iter().filter(|scenario| scenario.outcome() == outcome).count() as u64;
            (count > 0).then(|| format!("{} {}", format::count(count), InCheck::word(outcome)))
        })
        .collect();
    format!(
        "{}: {} of {}.",
        verdict(ci).0,
        clauses.join(", "),
        counted(ci.scenarios.len() as u64, "scenario", "scenarios")
    )
}

fn tone(outcome: Verdict, leniency: Leniency) -> Tone {
    match outcome {
        Verdict::Pass => Tone::Good,
        outcome if is_error(outcome, leniency) => Tone::Bad,
        _ => Tone::Fair,
    }
}

/// A row for each scenario, with its first sentence.
fn scenarios(ci: &Ci) -> Table {
    let outcome = |scenario: &CiScenario| {
        let outcome = scenario.outcome();
        Cell::new(InCheck::word(outcome), tone(outcome, ci.inconclusive))
    };
    let whole = |scenario: &CiScenario, metric| {
        let measures = scenario.measures.iter();
        measures.filter(|it| it.service.is_none()).find(|it| it.metric == metric).map(value)
    };
    Table::of("scenarios", "Outcome of each scenario, all requests", &ci.scenarios)
        .head("Scenario", |scenario| one_line(&scenario.name))
        .words("Outcome", 0, |scenario| outcome(scenario))
        .rates("Rate", 2, |scenario| whole(scenario, "throughput"))
        .times("p50", 3, |scenario| whole(scenario, "p50"))
        .times("p99", 1, |scenario| whole(scenario, "p99"))
        .column(Column::new("Took", Some("s"), Align::Right, 4), |scenario| format::significant(scenario.seconds))
        .words("Run", 5, |scenario| scenario.folder.as_ref())
        .table()
}

fn note(check: &CiCheck, leniency: Leniency) -> Note {
    let detail = check.detail.iter().map(|line| one_line(line)).collect::<Vec<_>>().join(" ");
    Note::new(tone(check.outcome, leniency), one_line(&check.sentence), detail)
}

/// All checks that are no findings.
fn beside_findings(ci: &Ci) -> impl Iterator<Item = &CiCheck> {
    let checks = ci.scenarios.iter().flat_map(|scenario| &scenario.checks);
    checks.filter(|check| !is_finding(check))
}

/// Whether something that is no finding is not as it should be; or passed, and has something to say all the same.
fn is_worth_knowing(check: &CiCheck) -> bool {
    match check.outcome {
        Verdict::Pass => !check.detail.is_empty(),
        Verdict::Fail => true,
        // These come by the dozen in a run that is too short or invalid as a whole.
        _ => false,
    }
}

fn aside(check: &CiCheck) -> Note {
    Note { tone: Tone::Quiet, ..note(check, Leniency::Pass) }
}

/// All measures of a scenario: a row for each service and operation, a column for each metric.
fn numbers(scenario: &CiScenario) -> Option<Block> {
    let mut metrics: Vec<&CiMeasure> = Vec::new();
    for measure in &scenario.measures {
        if !metrics.iter().any(|known| known.metric == measure.metric) {
            metrics.push(measure);
        }
    }
    metrics.sort_by(|a, b| place(a).total_cmp(&place(b)));
    // Measures of the same service and operation follow each other.
    let rows = scenario.measures.chunk_by(|one, next| scope(one) == scope(next));
    let mut table = Table::of("measured", one_line(&scenario.name), rows)
        .kinds(|row| RowKind::of(scope(&row[0]).0, scope(&row[0]).1))
        .head("Service", |row| row[0].service.as_deref().unwrap_or("all services"))
        .head("Operation", |row| match scope(&row[0]) {
            (_, Some(operation)) => operation,
            (Some(_), None) => "all operations",
            (None, None) => "",
        });
    for metric in metrics {
        let cell = |row: &&[CiMeasure]| row.iter().find(|of| of.metric == metric.metric).map(value);
        table = if is_latency(metric) {
            table.times(&metric.metric, 1, cell)
        } else {
            table.rates(&metric.metric, 1, cell)
        };
    }
    let untrusted = (!scenario.trusted).then_some("These numbers are unreliable, and no file for trackers has them.");
    table.table().noted(untrusted).block()
}

/// Service and operation of a measure.
fn scope(measure: &CiMeasure) -> (Option<&str>, Option<&str>) {
    (measure.service.as_deref(), measure.operation.as_deref())
}

/// Where a metric stands among others: the mean, percentiles, rates.
fn place(measure: &CiMeasure) -> f64 {
    let percentile = measure.metric.strip_prefix('p').and_then(|percent| percent.parse().ok());
    match (is_latency(measure), percentile) {
        (true, Some(percent)) => percent,
        (true, None) => 0.0,
        (false, _) => f64::INFINITY,
    }
}

fn value(measure: &CiMeasure) -> Cell {
    if is_latency(measure) { Cell::time(measure.value * 1e3) } else { format::significant(measure.value).into() }
}
