//! The numbers: response time per service and operation against the target, and where the time goes.

use super::{Block, Cell, Column, RowKind, Section, Table, TableRow, Tone, grade_word, known_percentile, scope_name};
use crate::{
    analysis::{Analysis, Grade, PercentileValue, Row},
    measure::SeriesRole,
    report::format::{self, NOTHING},
    scenario::Scenario,
};

/// Mark behind a percentile that has few samples beyond it.
const UNCERTAIN: char = '†';

/// Percentiles of the main table, with how early each is left out.
const SHOWN: [(f64, u8); 4] = [(50.0, 2), (95.0, 6), (99.0, 1), (99.9, 4)];

pub(super) fn section(scenario: &Scenario, analysis: &Analysis) -> Section {
    let blocks = vec![Block::Table(against_target(scenario, analysis)), Block::Table(where_time_goes(analysis))];
    Section::new("results", "Response time by service and operation", blocks)
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

    let ms = Some("ms");
    let mut columns = vec![
        Column::head("Service"),
        Column::head("Operation"),
        Column::numbers("Completed", None, 3),
        Column::numbers("Failed", None, 1),
        Column::numbers("Rate", Some("1/s"), 3),
        Column::numbers("Mean", ms, 2),
    ];
    columns.extend(
        percentiles.iter().map(|(shown, dispensable)| Column::numbers(format::percentile(*shown), ms, *dispensable)),
    );
    columns.extend([
        Column::numbers("Max", ms, 3),
        Column::numbers("Target", ms, 5),
        Column::numbers("Faster", None, 1),
        Column::words("Grade", 0),
    ]);

    let mut marks = Marks::default();
    let rows = analysis
        .rows
        .iter()
        .map(|row| {
            let judged = row.scope.role == SeriesRole::Operation;
            let mut cells = Vec::from(names(row));
            cells.push(format::count(row.counts.completed).into());
            cells.push(failures(row));
            cells.push(format::significant(row.rate).into());
            cells.push(row.response.mean.map_or_else(|| NOTHING.to_owned(), format::milliseconds).into());
            for (shown, _) in &percentiles {
                cells.push(marks.cell(row, *shown));
            }
            let longest = (row.counts.completed > 0).then(|| row.response.histogram.max() as f64);
            cells.push(longest.map_or_else(|| NOTHING.to_owned(), format::milliseconds).into());
            cells.push(format::milliseconds(objective.latency.as_nanos() as f64).into());
            let faster = row.times_faster.filter(|_| judged);
            cells.push(faster.map_or_else(|| NOTHING.to_owned(), format::factor).into());
            cells.push(grade(row.grade.filter(|_| judged)));
            TableRow { kind: kind(row), cells }
        })
        .collect();

    let mut legend = vec![format!(
        "Faster: target divided by mean response time. Grade, by {} against the target: EXCELLENT up to 5 % of it, GOOD up \
         to 25 %, ACCEPTABLE up to 100 %, MISSED above.",
        format::percentile(objective.percentile),
    )];
    legend.extend(marks.legend());
    legend.extend(parts(analysis));
    Table { id: "response", caption: "Response time against the target".to_owned(), columns, rows, legend }
}

fn failures(row: &Row) -> Cell {
    let failed = row.counts.failed();
    let text = match row.unfinished {
        0 => format::count(failed),
        unfinished => format!("{} + {} unfinished", format::count(failed), format::count(unfinished)),
    };
    Cell::new(text, if failed + row.unfinished > 0 { Tone::Bad } else { Tone::Plain })
}

fn grade(grade: Option<Grade>) -> Cell {
    let tone = match grade {
        Some(Grade::Excellent | Grade::Good) => Tone::Good,
        Some(Grade::Acceptable) => Tone::Fair,
        Some(Grade::Missed) => Tone::Bad,
        None => Tone::Quiet,
    };
    Cell::new(grade.map_or(NOTHING, grade_word), tone)
}

/// Which rows have names that want explaining.
fn parts(analysis: &Analysis) -> Option<String> {
    let has = |role| analysis.rows.iter().any(|row| row.scope.role == role);
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
    let ms = Some("ms");
    let columns = vec![
        Column::head("Service"),
        Column::head("Operation"),
        Column::numbers("Wait p50", ms, 0),
        Column::numbers("Wait p99", ms, 0),
        Column::numbers("Service time p50", ms, 0),
        Column::numbers("Service time p99", ms, 0),
        Column::numbers("Hits", None, 0),
        Column::numbers("Sent", None, 1),
        Column::numbers("Received", None, 1),
    ];
    let mut marks = Marks::default();
    let rows = analysis
        .rows
        .iter()
        .map(|row| {
            let mut cells = Vec::from(names(row));
            cells.push(marks.of(row, "wait ", known_percentile(&row.wait, 50.0), 50.0));
            cells.push(marks.of(row, "wait ", known_percentile(&row.wait, 99.0), 99.0));
            cells.push(marks.of(row, "service time ", known_percentile(&row.service_time, 50.0), 50.0));
            cells.push(marks.of(row, "service time ", known_percentile(&row.service_time, 99.0), 99.0));
            cells.push(row.hit_ratio.map_or_else(|| NOTHING.to_owned(), format::share).into());
            cells.push(format::bytes(row.counts.bytes_sent).into());
            cells.push(format::bytes(row.counts.bytes_received).into());
            TableRow { kind: kind(row), cells }
        })
        .collect();
    let mut legend = vec![
        "Wait: until a connection was checked out of the pool. Service time: client library, network and server. Hits: \
         keys, fields or members that were asked for and found. Sent, received: payload."
            .to_owned(),
    ];
    legend.extend(marks.legend());
    Table { id: "split", caption: "Where the time goes".to_owned(), columns, rows, legend }
}

/// Percentiles as cells, and what has to be said about those with few samples.
#[derive(Default)]
struct Marks {
    uncertain: bool,
    missing: Vec<String>,
}

impl Marks {
    fn cell(&mut self, row: &Row, percentile: f64) -> Cell {
        self.of(row, "", known_percentile(&row.response, percentile), percentile)
    }

    fn of(&mut self, row: &Row, what: &str, value: Option<PercentileValue>, percentile: f64) -> Cell {
        match value {
            Some(PercentileValue::Known { nanos, decisive: true, .. }) => format::milliseconds(nanos as f64).into(),
            Some(PercentileValue::Known { nanos, decisive: false, .. }) => {
                self.uncertain = true;
                format!("{}{UNCERTAIN}", format::milliseconds(nanos as f64)).into()
            }
            Some(PercentileValue::TooFew { needed, have }) => {
                if have > 0 {
                    self.missing.push(format!(
                        "{what}{} of {} needs {} samples, have {}",
                        format::percentile(percentile),
                        scope_name(&row.scope),
                        format::count(needed),
                        format::count(have),
                    ));
                }
                Cell::new(NOTHING, Tone::Quiet)
            }
            None => Cell::new(NOTHING, Tone::Quiet),
        }
    }

    fn legend(self) -> Vec<String> {
        let uncertain = self.uncertain.then(|| {
            format!("{UNCERTAIN} Fewer than 100 samples lie beyond this percentile: good for orientation, not for a verdict.")
        });
        let missing =
            (!self.missing.is_empty()).then(|| format!("{NOTHING} Not printed: {}.", self.missing.join("; ")));
        uncertain.into_iter().chain(missing).collect()
    }
}
