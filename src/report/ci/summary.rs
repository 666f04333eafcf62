//! The summary for people: the outcome in a sentence, a row for each scenario, what is wrong, and the numbers.

use std::collections::BTreeMap;

use super::{
    comparing::is_comparison,
    words::{findings, is_error, is_finding, is_latency, one_line},
};
use crate::{
    report::{
        format::{self, NOTHING, counted},
        markdown,
        view::{Block, Cell, Column, Headline, Note, RowKind, Section, Shown, Table, TableRow, Tone, View, made_by},
    },
    results::{Ci, CiCheck, CiMeasure, CiOutcome, CiScenario, Leniency, slug},
};

/// A number of bytes the Markdown has at most. GitHub refuses a job summary of more than 1 MiB.
const MOST: usize = 256 << 10;

/// How much is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    let depths = [Depth::Whole, Depth::Findings, Depth::Scenarios];
    let mut texts = depths.map(|depth| move || markdown::render(&view(ci, depth))).into_iter();
    let mut text = String::new();
    while text.is_empty() || text.len() > MOST {
        match texts.next() {
            Some(render) => text = render(),
            None => return shortened(&text),
        }
    }
    text
}

const CUT: &str = "\n\nThis summary is cut short; ci.json has everything.\n";

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
    let mut sections =
        vec![Section::new("scenarios", "Scenarios", vec![Block::Table(scenarios(ci))]).detailed(Shown::First)];
    let notes: Vec<_> = findings(ci).into_iter().map(|check| note(check, ci.inconclusive)).collect();
    if !notes.is_empty() && depth != Depth::Scenarios {
        sections.push(Section::new("findings", "Problems", vec![Block::Notes(notes)]).detailed(Shown::Everything));
    }
    if depth == Depth::Whole {
        let (comparisons, asides): (Vec<_>, Vec<_>) = beside_findings(ci).partition(|check| is_comparison(check));
        let comparisons: Vec<_> = comparisons.into_iter().map(aside).collect();
        if !comparisons.is_empty() {
            let blocks = vec![Block::Notes(comparisons)];
            sections.push(Section::new("comparisons", "Comparisons", blocks).detailed(Shown::Everything));
        }
        let asides: Vec<_> = asides.into_iter().filter(|check| is_worth_knowing(check)).map(aside).collect();
        if !asides.is_empty() {
            sections.push(Section::new("asides", "Worth knowing", vec![Block::Notes(asides)]));
        }
        let tables: Vec<_> = ci.scenarios.iter().filter_map(numbers).map(Block::Table).collect();
        if !tables.is_empty() {
            sections.push(Section::new("measured", "What was measured", tables));
        }
    }
    View {
        title: "plimsoll ci".to_owned(),
        subtitle: format!(
            "{} on {}; exit code {}.",
            counted(ci.scenarios.len() as u64, "scenario", "scenarios"),
            ci.started,
            ci.exit_code
        ),
        headline: headline(ci),
        sections,
        footer: made_by(&ci.software),
    }
}

fn verdict(ci: &Ci) -> (&'static str, Tone) {
    match ci.scenarios.iter().map(CiScenario::outcome).max().unwrap_or(CiOutcome::Passed) {
        CiOutcome::Passed => ("Passed", Tone::Good),
        CiOutcome::Inconclusive if ci.inconclusive == Leniency::Fail => ("Inconclusive", Tone::Bad),
        CiOutcome::Inconclusive => ("Passed, not all for certain", Tone::Fair),
        CiOutcome::Interrupted => ("Interrupted", Tone::Fair),
        CiOutcome::Invalid => ("Not all measured", Tone::Bad),
        CiOutcome::Failed => ("Failed", Tone::Bad),
    }
}

fn sentence(ci: &Ci) -> String {
    let clauses: Vec<_> = CiOutcome::ALL
        .into_iter()
        .rev()
        .filter_map(|outcome| {
            let count = ci.scenarios.iter().filter(|scenario| scenario.outcome() == outcome).count() as u64;
            (count > 0).then(|| format!("{} {}", format::count(count), slug(&outcome)))
        })
        .collect();
    format!(
        "{}: {} of {}.",
        verdict(ci).0,
        clauses.join(", "),
        counted(ci.scenarios.len() as u64, "scenario", "scenarios")
    )
}

fn tone(outcome: CiOutcome, leniency: Leniency) -> Tone {
    match outcome {
        CiOutcome::Passed => Tone::Good,
        outcome if is_error(outcome, leniency) => Tone::Bad,
        _ => Tone::Fair,
    }
}

/// A row for each scenario, with its first sentence.
fn scenarios(ci: &Ci) -> Table {
    let columns = vec![
        Column::head("Scenario"),
        Column::words("Outcome", 0),
        Column::numbers("Rate", Some("1/s"), 2),
        Column::times("p50", 3),
        Column::times("p99", 1),
        Column::numbers("Took", Some("s"), 4),
        Column::words("Run", 5),
    ];
    let rows = ci.scenarios.iter().map(|scenario| {
        let outcome = scenario.outcome();
        let whole = |metric| scenario.measures.iter().find(|it| it.service.is_none() && it.metric == metric);
        let time = |metric| Cell::time(whole(metric).map(|measure| measure.value * 1e3));
        let cells = vec![
            one_line(&scenario.name).into(),
            Cell::new(slug(&outcome), tone(outcome, ci.inconclusive)),
            whole("throughput").map_or_else(|| NOTHING.to_owned(), |rate| format::significant(rate.value)).into(),
            time("p50"),
            time("p99"),
            format::significant(scenario.seconds).into(),
            scenario.folder.clone().unwrap_or_else(|| NOTHING.to_owned()).into(),
        ];
        TableRow { kind: RowKind::Entry, cells }
    });
    Table::new("scenarios", "Outcome of each scenario, and its requests all together", columns, rows)
}

fn note(check: &CiCheck, leniency: Leniency) -> Note {
    let detail = check.detail.iter().map(|line| one_line(line)).collect::<Vec<_>>().join(" ");
    Note { tone: tone(check.outcome, leniency), fact: one_line(&check.sentence), advice: detail }
}

/// All checks that are no findings.
fn beside_findings(ci: &Ci) -> impl Iterator<Item = &CiCheck> {
    let checks = ci.scenarios.iter().flat_map(|scenario| &scenario.checks);
    checks.filter(|check| !is_finding(check))
}

/// Whether something that is no finding is not as it should be; or passed, and has something to say all the same.
fn is_worth_knowing(check: &CiCheck) -> bool {
    match check.outcome {
        CiOutcome::Passed => !check.detail.is_empty(),
        CiOutcome::Failed => true,
        // These come by the dozen in a run that is too short or invalid as a whole.
        CiOutcome::Inconclusive | CiOutcome::Interrupted | CiOutcome::Invalid => false,
    }
}

fn aside(check: &CiCheck) -> Note {
    Note { tone: Tone::Quiet, ..note(check, Leniency::Pass) }
}

/// Service and operation.
type Scope<'a> = (Option<&'a str>, Option<&'a str>);

/// All measures of a scenario: a row for each service and operation, a column for each metric.
fn numbers(scenario: &CiScenario) -> Option<Table> {
    let mut metrics: Vec<&CiMeasure> = Vec::new();
    let mut rows: Vec<(Scope<'_>, BTreeMap<&str, &CiMeasure>)> = Vec::new();
    for measure in &scenario.measures {
        if !metrics.iter().any(|known| known.metric == measure.metric) {
            metrics.push(measure);
        }
        let scope = (measure.service.as_deref(), measure.operation.as_deref());
        match rows.iter_mut().find(|(known, _)| *known == scope) {
            Some((_, row)) => drop(row.insert(&measure.metric, measure)),
            None => rows.push((scope, BTreeMap::from([(measure.metric.as_str(), measure)]))),
        }
    }
    metrics.sort_by(|a, b| place(a).total_cmp(&place(b)));
    let mut columns = vec![Column::head("Service"), Column::head("Operation")];
    columns.extend(metrics.iter().map(|metric| {
        let heading = metric.metric.clone();
        if is_latency(metric) { Column::times(heading, 1) } else { Column::numbers(heading, Some("1/s"), 1) }
    }));
    let rows: Vec<_> = rows
        .into_iter()
        .map(|((service, operation), row)| {
            let kind = match (service, operation) {
                (None, _) => RowKind::Total,
                (Some(_), None) => RowKind::Sum,
                (Some(_), Some(_)) => RowKind::Entry,
            };
            let mut cells: Vec<Cell> = vec![
                service.unwrap_or("all services").into(),
                operation.unwrap_or(if service.is_some() { "all operations" } else { "" }).into(),
            ];
            cells.extend(
                metrics.iter().map(|metric| row.get(metric.metric.as_str()).map_or(NOTHING.into(), |it| value(it))),
            );
            TableRow { kind, cells }
        })
        .collect();
    let untrusted =
        (!scenario.trusted).then(|| "These numbers are not to be relied on, and enter no history.".to_owned());
    (!rows.is_empty()).then(|| Table::new("measured", one_line(&scenario.name), columns, rows).noted(untrusted))
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
