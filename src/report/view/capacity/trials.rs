//! The trials: those that decided, and all of them.

use crate::{
    report::{
        format::{self, NOTHING},
        subject::capacity::{CapacityReport, bad_share},
        view::{Block, Cell, Column, RowKind, Section, Shown, Table, TableRow, Tone},
    },
    results::{Purpose, Trial, slug},
};

const DECIDING: &str = "deciding-trials";

pub(super) fn section(answers: &CapacityReport) -> Section {
    if answers.capacity.trials.is_empty() {
        return Section::new("trials", "Trials", Vec::new());
    }
    let mut blocks = Vec::new();
    let deciding = deciding(answers);
    if !deciding.is_empty() && deciding.len() < answers.capacity.trials.len() {
        blocks.push(Block::Table(table(answers, DECIDING, "Trials that decided", &deciding)));
    }
    let all: Vec<_> = answers.capacity.trials.iter().collect();
    blocks.push(Block::Table(table(answers, "all-trials", "All trials", &all)));
    Section::new("trials", "Trials", blocks).detailed(Shown::ParagraphsAnd(DECIDING)).brief([])
}

/// Of each arm the trial at either end of its bracket that missed most, and where the harness was the limit.
fn deciding(answers: &CapacityReport) -> Vec<&Trial> {
    let mut deciding = Vec::new();
    for (index, _, answer) in answers.arms() {
        let low = answer.sustainable.map(|known| known.rate);
        let high = answer.sustainable.map_or(answer.first_failure.map(|(rate, _)| rate), |known| known.above);
        deciding.extend([low, high].into_iter().flatten().filter_map(|rate| answers.worst(index, rate)));
        let mut trials = answers.capacity.trials.iter().filter(|trial| trial.arm == index);
        deciding.extend(trials.find(|trial| trial.client_limited.is_some()));
    }
    deciding.sort_by_key(|trial| trial.number);
    deciding.dedup_by_key(|trial| trial.number);
    deciding
}

fn table(answers: &CapacityReport, id: &'static str, caption: &str, trials: &[&Trial]) -> Table {
    let mut columns = vec![Column::head("Trial")];
    columns.extend([
        Column::words("Variant", 0),
        Column::words("Purpose", 5),
        Column::numbers("Offered", Some("1/s"), 0),
        Column::numbers("Clients", None, 9),
        Column::numbers("Answered", Some("1/s"), 2),
        Column::numbers("Missed", None, 0),
        Column::times("p50", 5),
        Column::times("p99", 0),
        Column::times("p99.9", 9),
        Column::times("Wait p99", 7),
        Column::numbers("Pool", None, 7),
        Column::numbers("Server CPU", None, 5),
        Column::numbers("Harness", None, 9),
        Column::words("Harness was the limit", 7),
    ]);
    let missed = format!(
        "late, failed or unfinished; {} are allowed",
        format::limit(1.0 - answers.scenario.objective.percentile / 100.0)
    );
    // Columns without anything in them are noise.
    let is_idle = |column: &Column| match column.heading.as_str() {
        "Variant" => answers.capacity.plan.arms.len() == 1,
        "Clients" => trials.iter().all(|trial| trial.clients.is_none()),
        "Harness was the limit" => trials.iter().all(|trial| trial.client_limited.is_none()),
        _ => false,
    };
    Table::new(id, caption, columns, trials.iter().map(|trial| row(answers, trial))).without(is_idle).explained([
        ("Missed", missed.as_str()),
        ("Pool", "utilisation of the busiest one"),
        ("Harness", "its busiest worker"),
    ])
}

fn row(answers: &CapacityReport, trial: &Trial) -> TableRow {
    let allowed = 1.0 - answers.objective(trial.arm).percentile / 100.0;
    let bad = bad_share(trial);
    let answered = trial.completed > 0;
    let time = |nanos: u64| Cell::time(answered.then_some(nanos as f64));
    let judged = trial.purpose != Purpose::Closed && trial.scheduled > 0;
    TableRow {
        kind: RowKind::Entry,
        cells: vec![
            format::count(trial.number.into()).into(),
            answers.name(trial.arm).into(),
            slug(&trial.purpose).into(),
            trial.offered.map_or_else(|| NOTHING.to_owned(), format::significant).into(),
            trial.clients.map_or_else(|| NOTHING.to_owned(), |clients| format::count(clients.into())).into(),
            format::significant(trial.throughput).into(),
            Cell::new(
                if trial.scheduled > 0 { format::share(bad) } else { NOTHING.to_owned() },
                if judged && bad > allowed { Tone::Bad } else { Tone::Plain },
            ),
            time(trial.response.p50),
            time(trial.response.p99),
            time(trial.response.p999),
            time(trial.wait.p99),
            format::share(trial.utilisation).into(),
            trial.server_busy.map_or_else(|| NOTHING.to_owned(), format::share).into(),
            trial.worker_busy.map_or_else(|| NOTHING.to_owned(), format::share).into(),
            Cell::new(trial.client_limited.as_deref().unwrap_or(NOTHING), Tone::Fair),
        ],
    }
}
