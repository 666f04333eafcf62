//! The numbers: response time per service and operation against the target, and where the time goes.

use std::collections::BTreeMap;

use super::{
    Block, Cell, Columns, RowKind, Section, Shown, Table, Tone,
    names::{known_percentile, printed},
    verdict,
};
use crate::{
    analysis::{Analysis, CheckKind, Distribution, Grade, Level, PercentileValue, PoolUse, Row, Support},
    measure::SeriesRole,
    report::format::{self, NOTHING},
    results::{Verdict, slug},
    scenario::{Objective, Scenario, Service},
};

/// Marks behind a percentile that has few independent samples beyond it, and one whose tail comes from few bursts.
const FEW: &str = "†";
const BURSTS: &str = "‡";

/// Share of a pool in use from which on it deserves a look: by then requests wait noticeably.
const NARROW: f64 = 0.8;

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
        Block::Table(pools(analysis)),
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

/// The part that a row plays in a table.
pub(super) fn kind(row: &Row) -> RowKind {
    match (&row.scope.service, &row.scope.operation, row.scope.role) {
        (None, ..) => RowKind::Total,
        (Some(_), None, _) => RowKind::Sum,
        (_, _, SeriesRole::Operation) => RowKind::Entry,
        (_, _, SeriesRole::Step | SeriesRole::Upkeep) => RowKind::Detail,
    }
}

/// A table with a row for each of these, which says of each its service and operation.
pub(super) fn by_row<'a>(
    id: &'static str,
    caption: impl Into<String>,
    rows: impl Iterator<Item = &'a Row>,
) -> Columns<&'a Row> {
    let tone = |row: &Row| if row.scope.role == SeriesRole::Operation { Tone::Plain } else { Tone::Quiet };
    let operation = |row: &'a Row| match (&row.scope.service, &row.scope.operation) {
        (_, Some(operation)) => operation.as_str(),
        (Some(_), None) => "all operations",
        (None, None) => "",
    };
    Table::of(id, caption, rows)
        .kinds(|row| kind(row))
        .head("Service", |row| Cell::new(row.scope.service.as_deref().unwrap_or("all services"), tone(row)))
        .head("Operation", |row| Cell::new(operation(row), tone(row)))
}

/// Percentiles of a table with how early each is left out, and among them the judged one, which never is.
pub(super) fn with_judged(shown: &[(f64, u8)], objective: &Objective) -> Vec<(f64, u8)> {
    let is_judged = |(shown, _): &&(f64, u8)| (shown - objective.percentile).abs() < 1e-9;
    let others = shown.iter().filter(|one| !is_judged(one)).copied();
    let mut percentiles: Vec<_> = others.chain([(objective.percentile, 0)]).collect();
    percentiles.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    percentiles
}

fn against_target(scenario: &Scenario, analysis: &Analysis) -> Table {
    let objective = &scenario.objective;
    // Where something failed, the number is wanted more than the rest.
    let failed = if analysis.rows.iter().any(|row| row.counts.failed() + row.unfinished > 0) { 2 } else { 8 };
    let mut at_least = false;
    // What rows that belong to others lack is not worth a line below the table.
    let (mut of_operations, mut of_parts) = (Marks::default(), Marks::default());
    let judged = |row: &Row| row.scope.role == SeriesRole::Operation;
    let caption = format!("Response time against the target of {}", format::setting(objective.latency));
    let mut table = by_row(RESPONSE, caption, grouped(analysis))
        .numbers("Completed", 5, |row| row.counts.completed)
        .numbers("Failed", failed, |row| failures(row))
        .rates("Rate", 1, |row| {
            let limited = by_harness(row, scenario, analysis);
            at_least |= limited;
            format!("{}{}", if limited { "≥ " } else { "" }, format::significant(row.rate))
        })
        .times("Mean", 7, |row| Cell::time(row.response.mean));
    for (shown, dispensable) in with_judged(&SHOWN, objective) {
        table = table.times(&format::percentile(shown), dispensable, |row| {
            let known = known_percentile(&row.response, shown).unwrap_or(row.judged.value);
            if judged(row) { of_operations.value(shown, known) } else { of_parts.value(shown, known) }
        });
    }
    table
        .times("Max", 4, |row| Cell::time((row.counts.completed > 0).then(|| row.response.histogram.max() as f64)))
        .times("Target", 10, |_| Cell::time(objective.latency.as_nanos() as f64))
        .numbers("Faster", 9, |row| row.times_faster.filter(|_| judged(row)).map(format::factor))
        .words("Grade", 0, |row| grade(row.grade.filter(|_| judged(row))))
        .table()
        .explained(grades(objective))
        .explained(of_operations.missing())
        .noted(
            at_least
                .then(|| "≥ The harness was late and sent less than it could have: another may reach more.".to_owned()),
        )
        .noted(of_operations.legend())
        .detailed(parts(analysis))
}

/// Whether the harness, which was late, kept the rate of a row lower: in a closed loop, and where an open one was not offered its
/// rate, or more than was answered. Where all that was offered was answered, or nothing was, the rate is exact.
pub(super) fn by_harness(row: &Row, scenario: &Scenario, analysis: &Analysis) -> bool {
    let falls_short = |service: &Service| {
        let own = analysis.checks.iter().filter(|check| check.subject.as_ref() == Some(&service.name));
        own.into_iter()
            .any(|check| check.is_overload() || check.kind == CheckKind::AchievedRate && check.level >= Level::Warn)
    };
    let mut own =
        scenario.services.iter().filter(|service| row.scope.service.as_ref().is_none_or(|name| service.name == *name));
    analysis.conclusion.harness_late.is_some()
        && row.counts.answered() > 0
        && own.any(|service| service.offered_rate().is_none() || falls_short(service))
}

fn failures(row: &Row) -> Cell {
    match (row.counts.failed(), row.unfinished) {
        (0, 0) => 0_u64.into(),
        (failed, 0) => Cell::from(failed).toned(Tone::Bad),
        (failed, unfinished) => {
            Cell::new(format!("{} + {} unfinished", format::count(failed), format::count(unfinished)), Tone::Bad)
        }
    }
}

/// What *Faster* and *Grade* say.
pub(super) fn grades(objective: &Objective) -> [(&'static str, String); 2] {
    let grade = format!(
        "{} in percent of the target {}: EXCELLENT up to 5, GOOD up to 25, ACCEPTABLE up to 100",
        format::percentile(objective.percentile),
        format::setting(objective.latency),
    );
    [("Faster", "target divided by mean response time".to_owned()), ("Grade", grade)]
}

/// Verdict of a row on the objective.
pub(super) fn outcome(verdict: Verdict) -> Cell {
    verdict::cell(verdict::on_objective(verdict), verdict)
}

pub(super) fn grade(grade: Option<Grade>) -> Cell {
    let tone = match grade {
        Some(Grade::Excellent | Grade::Good) => Tone::Good,
        Some(Grade::Acceptable) => Tone::Fair,
        Some(Grade::Missed) => Tone::Bad,
        None => Tone::Quiet,
    };
    Cell::from(grade.as_ref().map(slug)).toned(tone)
}

/// Which rows have names that want explaining.
fn parts(analysis: &Analysis) -> Option<String> {
    let parts = [
        (SeriesRole::Step, "NAME/STEP is one command of a sequence, included in its operation."),
        (SeriesRole::Upkeep, "NAME+COMMAND is upkeep after NAME, in no sum."),
    ];
    let has = |role| analysis.rows.iter().any(|row| row.scope.role == role && !is_idle(row));
    let known: Vec<_> = parts.into_iter().filter(|(role, _)| has(*role)).map(|(_, words)| words).collect();
    (!known.is_empty()).then(|| known.join(" "))
}

fn where_time_goes(analysis: &Analysis) -> Table {
    let mut marks = Marks::default();
    by_row("split", "Where the time goes", grouped(analysis))
        .times("Wait p50", 0, |row| marks.cell(&row.wait, 50.0))
        .times("Wait p99", 0, |row| marks.cell(&row.wait, 99.0))
        .times("Service time p50", 0, |row| marks.cell(&row.service_time, 50.0))
        .times("Service time p99", 0, |row| marks.cell(&row.service_time, 99.0))
        .numbers("Hits", 0, |row| row.hit_ratio.map(format::share))
        .numbers("Sent", 1, |row| format::bytes(row.counts.bytes_sent))
        .numbers("Received", 1, |row| format::bytes(row.counts.bytes_received))
        .table()
        .explained([
            ("Wait", "until a connection is checked out of the pool"),
            ("Service time", "client library, network and server"),
            ("Hits", "share of requested keys, fields or members that exist"),
            ("Sent, Received", "payload"),
        ])
        .explained(marks.missing())
        .noted(marks.legend())
}

/// Connections in use, requests waiting and connections lost, by service.
fn pools(analysis: &Analysis) -> Table {
    let wait = |pool: &PoolUse, percentile| {
        let mut sums = analysis.rows.iter().filter(|row| row.scope.operation.is_none());
        let of_service = sums.find(|row| row.scope.service.as_ref() == Some(&pool.service));
        Cell::time(of_service.and_then(|row| printed(&row.wait, percentile)))
    };
    let narrow = |pool: &PoolUse| if pool.utilisation >= NARROW { Tone::Fair } else { Tone::Plain };
    let lost = |pool: &PoolUse| if pool.lost > pool.recovered { Tone::Bad } else { Tone::Plain };
    Table::of("pools", "Connection pools", &analysis.pools)
        .head("Service", |pool| &pool.service)
        .numbers("Places", 1, |pool| pool.places)
        .numbers("In use", 1, |pool| format::significant(pool.in_use))
        .numbers("Utilisation", 0, |pool| Cell::new(format::share(pool.utilisation), narrow(pool)))
        .numbers("Waiting", 1, |pool| format::significant(pool.waiting))
        .times("Wait p50", 3, |pool| wait(pool, 50.0))
        .times("Wait p99", 0, |pool| wait(pool, 99.0))
        .numbers("Lost", 2, |pool| Cell::from(pool.lost).toned(lost(pool)))
        .numbers("Came back", 2, |pool| pool.recovered)
        .numbers("Idle checks", 3, |pool| pool.idle_checks)
        .table()
        .explained([
            ("Places", "connections; with shared checkout, requests that may be under way at once"),
            ("In use, Waiting", "means over the measured period"),
            ("Wait", "from the due instant until a connection is checked out"),
        ])
}

/// Percentiles as cells, and what has to be said about those with few samples.
#[derive(Default)]
pub(super) struct Marks {
    few: bool,
    bursts: bool,
    /// The samples that each percentile that cannot be printed needs, and those that rows have.
    missing: BTreeMap<String, (Vec<u64>, Vec<u64>)>,
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
                    let missing = self.missing.entry(format::percentile(percentile)).or_default();
                    missing.0.push(needed);
                    missing.1.push(have);
                }
                Cell::new(NOTHING, Tone::Quiet)
            }
        }
    }

    pub(super) fn legend(&self) -> impl Iterator<Item = String> {
        let few = self.few.then(|| format!("{FEW} Few independent samples: fewer than 100 lie beyond it."));
        let bursts =
            self.bursts.then(|| format!("{BURSTS} Based on few bursts of slow requests; another run may differ."));
        few.into_iter().chain(bursts)
    }

    /// Why percentiles are missing, by the name of each.
    pub(super) fn missing(&self) -> impl Iterator<Item = (String, String)> {
        self.missing.iter().map(|(name, (needed, have))| {
            (name.clone(), format!("{NOTHING} needs {} samples, has {}", range(needed), range(have)))
        })
    }
}

/// The least and the most of some numbers.
fn range(numbers: &[u64]) -> String {
    match (numbers.iter().min(), numbers.iter().max()) {
        (Some(least), Some(most)) if least < most => format!("{} to {}", format::count(*least), format::count(*most)),
        (least, _) => format::count(least.copied().unwrap_or_default()),
    }
}
