//! The numbers: response time per service and operation against the target, and where the time goes.

use std::collections::BTreeMap;

use super::{Block, Cell, Column, RowKind, Section, Shown, Table, TableRow, Tone, names::known_percentile, pools};
use crate::{
    analysis::{Analysis, Distribution, Grade, Outcome, PercentileValue, Row, Support},
    measure::SeriesRole,
    report::format::{self, NOTHING},
    results::slug,
    scenario::{Objective, Scenario},
};

/// Marks behind a percentile that has few independent samples beyond it, and one whose tail comes from few bursts.
const FEW: &str = "†";
const BURSTS: &str = "‡";

/// Name of the section.
pub(super) const ID: &str = "results";

/// Name of the main table.
const RESPONSE: &str = "response";

/// Percentiles of the main table, with how early each is left out.
const SHOWN: [(f64, u8); 4] = [(50.0, 1), (95.0, 6), (99.0, 0), (99.9, 3)];

pub(super) fn section(scenario: &Scenario, analysis: &Analysis) -> Section {
    let blocks = vec![
        Block::Table(against_target(scenario, analysis)),
        Block::Table(where_time_goes(analysis)),
        Block::Table(pools::table(analysis)),
    ];
    Section::new(ID, "Response time by service and operation", blocks).detailed(Shown::First).brief_table(RESPONSE)
}

/// Rows in the order in which people read them: every service's sum behind its operations, the whole at the end.
pub(super) fn grouped(analysis: &Analysis) -> impl Iterator<Item = &Row> {
    let services = analysis.rows.iter().filter(|row| kind(row) == RowKind::Sum).map(|row| &row.scope.service);
    let of_services = services
        .flat_map(|service| analysis.rows.iter().filter(move |row| row.scope.service == *service && !is_idle(row)));
    of_services.chain(analysis.rows.iter().filter(|row| kind(row) == RowKind::Total))
}

/// Upkeep that was never called for.
fn is_idle(row: &Row) -> bool {
    row.scope.role == SeriesRole::Upkeep && row.counts.completed + row.counts.failed() + row.unfinished == 0
}

/// Service and operation of a row, as its first two cells.
pub(super) fn names(row: &Row) -> [Cell; 2] {
    let tone = if row.scope.role == SeriesRole::Operation { Tone::Plain } else { Tone::Quiet };
    let service = row.scope.service.as_deref().unwrap_or("all services");
    let operation = match (&row.scope.service, &row.scope.operation) {
        (_, Some(operation)) => operation,
        (Some(_), None) => "all operations",
        (None, None) => "",
    };
    [Cell::new(service, tone), Cell::new(operation, tone)]
}

/// The part that a row plays in a table.
pub(super) fn kind(row: &Row) -> RowKind {
    match (&row.scope.service, &row.scope.operation, row.scope.role) {
        (None, ..) => RowKind::Total,
        (Some(_), None, _) => RowKind::Sum,
        (_, _, SeriesRole::Operation) => RowKind::Entry,
        (_, _, SeriesRole::Step | SeriesRole::Upkeep) => RowKind::Detail,
    }
}

fn against_target(scenario: &Scenario, analysis: &Analysis) -> Table {
    let objective = &scenario.objective;
    let mut percentiles = SHOWN.to_vec();
    match percentiles.iter_mut().find(|(shown, _)| (shown - objective.percentile).abs() < 1e-9) {
        Some((_, dispensable)) => *dispensable = 0,
        None => percentiles.push((objective.percentile, 0)),
    }
    percentiles.sort_by(|(a, _), (b, _)| a.total_cmp(b));

    // Where something failed, the number is wanted more than the rest.
    let failed = if analysis.rows.iter().any(|row| row.counts.failed() + row.unfinished > 0) { 2 } else { 8 };
    let mut columns = vec![
        Column::head("Service"),
        Column::head("Operation"),
        Column::numbers("Completed", None, 5),
        Column::numbers("Failed", None, failed),
        Column::numbers("Rate", Some("1/s"), 1),
        Column::times("Mean", 7),
    ];
    columns
        .extend(percentiles.iter().map(|(shown, dispensable)| Column::times(format::percentile(*shown), *dispensable)));
    columns.extend([
        Column::times("Max", 4),
        Column::times("Target", 10),
        Column::numbers("Faster", None, 9),
        Column::words("Grade", 0),
    ]);

    // A late harness makes throughput lower than the server's own, as the headline says.
    let at_least = if analysis.verdict.harness_late.is_some() { "≥ " } else { "" };
    // What rows that belong to others lack is not worth a line below the table.
    let (mut of_operations, mut of_parts) = (Marks::default(), Marks::default());
    let rows = grouped(analysis)
        .map(|row| {
            let judged = row.scope.role == SeriesRole::Operation;
            let marks = if judged { &mut of_operations } else { &mut of_parts };
            let mut cells = Vec::from(names(row));
            cells.push(format::count(row.counts.completed).into());
            cells.push(failures(row));
            cells.push(format!("{at_least}{}", format::significant(row.rate)).into());
            cells.push(Cell::time(row.response.mean));
            for (shown, _) in &percentiles {
                let known = known_percentile(&row.response, *shown).unwrap_or(row.judged.value);
                cells.push(marks.value(*shown, known));
            }
            let longest = (row.counts.completed > 0).then(|| row.response.histogram.max() as f64);
            cells.push(Cell::time(longest));
            cells.push(Cell::time(objective.latency.as_nanos() as f64));
            let faster = row.times_faster.filter(|_| judged);
            cells.push(faster.map_or_else(|| NOTHING.to_owned(), format::factor).into());
            cells.push(grade(row.grade.filter(|_| judged)));
            TableRow { kind: kind(row), cells }
        })
        .collect::<Vec<_>>();

    let caption = format!("Response time against the target of {}", format::setting(objective.latency));
    Table::new(RESPONSE, caption, columns, rows)
        .explained(grades(objective))
        .explained(of_operations.missing())
        .noted(of_operations.legend())
        .detailed(parts(analysis))
}

fn failures(row: &Row) -> Cell {
    let failed = row.counts.failed();
    let text = match row.unfinished {
        0 => format::count(failed),
        unfinished => format!("{} + {} unfinished", format::count(failed), format::count(unfinished)),
    };
    Cell::new(text, if failed + row.unfinished > 0 { Tone::Bad } else { Tone::Plain })
}

/// What *Faster* and *Grade* say.
pub(super) fn grades(objective: &Objective) -> [(&'static str, String); 2] {
    let grade = format!(
        "{} in percent of {} allowed, EXCELLENT up to 5, GOOD up to 25, ACCEPTABLE up to 100",
        format::percentile(objective.percentile),
        format::setting(objective.latency),
    );
    [("Faster", "target divided by mean response time".to_owned()), ("Grade", grade)]
}

/// How the objective held.
pub(super) fn outcome(outcome: Outcome) -> Cell {
    match outcome {
        Outcome::Pass => Cell::new("met", Tone::Good),
        Outcome::Fail => Cell::new("missed", Tone::Bad),
        Outcome::Inconclusive => Cell::new("inconclusive", Tone::Quiet),
        Outcome::Invalid => Cell::new("invalid", Tone::Fair),
    }
}

pub(super) fn grade(grade: Option<Grade>) -> Cell {
    let tone = match grade {
        Some(Grade::Excellent | Grade::Good) => Tone::Good,
        Some(Grade::Acceptable) => Tone::Fair,
        Some(Grade::Missed) => Tone::Bad,
        None => Tone::Quiet,
    };
    Cell::new(grade.as_ref().map_or_else(|| NOTHING.to_owned(), slug), tone)
}

/// Which rows have names that want explaining.
fn parts(analysis: &Analysis) -> Option<String> {
    let has = |role| analysis.rows.iter().any(|row| row.scope.role == role && !is_idle(row));
    match (has(SeriesRole::Step), has(SeriesRole::Upkeep)) {
        (false, false) => None,
        (true, false) => Some("NAME/STEP is one command of a sequence, contained in its operation.".to_owned()),
        (false, true) => Some("NAME+COMMAND keeps the data bounded after NAME and is in no sum.".to_owned()),
        (true, true) => Some(
            "NAME/STEP is one command of a sequence, contained in its operation. NAME+COMMAND keeps the data bounded \
             after NAME and is in no sum."
                .to_owned(),
        ),
    }
}

fn where_time_goes(analysis: &Analysis) -> Table {
    let columns = vec![
        Column::head("Service"),
        Column::head("Operation"),
        Column::times("Wait p50", 0),
        Column::times("Wait p99", 0),
        Column::times("Service time p50", 0),
        Column::times("Service time p99", 0),
        Column::numbers("Hits", None, 0),
        Column::numbers("Sent", None, 1),
        Column::numbers("Received", None, 1),
    ];
    let mut marks = Marks::default();
    let rows = grouped(analysis)
        .map(|row| {
            let mut cells = Vec::from(names(row));
            cells.push(marks.cell(&row.wait, 50.0));
            cells.push(marks.cell(&row.wait, 99.0));
            cells.push(marks.cell(&row.service_time, 50.0));
            cells.push(marks.cell(&row.service_time, 99.0));
            cells.push(row.hit_ratio.map_or_else(|| NOTHING.to_owned(), format::share).into());
            cells.push(format::bytes(row.counts.bytes_sent).into());
            cells.push(format::bytes(row.counts.bytes_received).into());
            TableRow { kind: kind(row), cells }
        })
        .collect::<Vec<_>>();
    Table::new("split", "Where the time goes", columns, rows)
        .explained([
            ("Wait", "until a connection was checked out of the pool"),
            ("Service time", "client library, network and server"),
            ("Hits", "keys, fields or members that were asked for and found"),
            ("Sent, Received", "payload"),
        ])
        .explained(marks.missing())
        .noted(marks.legend())
}

/// Percentiles as cells, and what has to be said about those with few samples.
#[derive(Default)]
pub(super) struct Marks {
    few: bool,
    bursts: bool,
    missing: BTreeMap<String, Missing>,
}

/// Rows for which one percentile cannot be printed: the least and the most that they need and have.
struct Missing {
    needed: (u64, u64),
    have: (u64, u64),
}

impl Marks {
    fn cell(&mut self, distribution: &Distribution, percentile: f64) -> Cell {
        match known_percentile(distribution, percentile) {
            Some(value) => self.value(percentile, value),
            None => Cell::new(NOTHING, Tone::Quiet),
        }
    }

    pub(super) fn value(&mut self, percentile: f64, value: PercentileValue) -> Cell {
        match value {
            PercentileValue::Known { nanos, support, .. } => {
                let mark = match support {
                    Support::Ample => "",
                    Support::Few => FEW,
                    Support::Bursts => BURSTS,
                };
                self.few |= support == Support::Few;
                self.bursts |= support == Support::Bursts;
                Cell::time(nanos as f64).marked(mark)
            }
            PercentileValue::TooFew { needed, have } => {
                if have > 0 {
                    self.missing
                        .entry(format::percentile(percentile))
                        .and_modify(|missing| {
                            missing.needed = widened(missing.needed, needed);
                            missing.have = widened(missing.have, have);
                        })
                        .or_insert(Missing { needed: (needed, needed), have: (have, have) });
                }
                Cell::new(NOTHING, Tone::Quiet)
            }
        }
    }

    pub(super) fn legend(&self) -> impl Iterator<Item = String> {
        let few = self.few.then(|| format!("{FEW} Few independent samples: fewer than 100 lie beyond it."));
        let bursts =
            self.bursts.then(|| format!("{BURSTS} Rests on few bursts of slow requests; another run may differ."));
        few.into_iter().chain(bursts)
    }

    /// Why percentiles are missing, by the name of each.
    pub(super) fn missing(&self) -> impl Iterator<Item = (String, String)> {
        self.missing.iter().map(|(name, missing)| {
            let (needed, have) = (range(missing.needed), range(missing.have));
            (name.clone(), format!("{NOTHING} needs {needed} samples, has {have}"))
        })
    }
}

fn widened((least, most): (u64, u64), value: u64) -> (u64, u64) {
    (least.min(value), most.max(value))
}

fn range((least, most): (u64, u64)) -> String {
    if least == most { format::count(least) } else { format!("{} to {}", format::count(least), format::count(most)) }
}
