//! What each variant carries: the table of answers, and the sustainable rate by limit of response time.

use super::words::{bare_carried, bare_missed, known_rate, limit_cell, objective};
use crate::{
    analysis::capacity::ArmAnswer,
    report::{
        format::{self, NOTHING},
        subject::CapacityReport,
        view::{Block, Cell, Column, RowKind, Section, Shown, Table, TableRow, Tone},
    },
    results::Arm,
};

/// Name of the table of answers.
const TABLE: &str = "answers";

pub(super) fn section(answers: &CapacityReport) -> Section {
    let mut blocks = Vec::new();
    if answers.analysis.arms.iter().any(tells) {
        blocks.push(Block::Table(table(answers)));
    }
    let known = |arm: &ArmAnswer| arm.by_limit.iter().any(|(_, met, missed)| met.is_some() || missed.is_some());
    if answers.analysis.arms.iter().any(known) {
        blocks.push(Block::Table(by_limit(answers)));
    }
    Section::new("capacity", "What it carries", blocks).detailed(Shown::ParagraphsAnd(TABLE)).brief_table(TABLE)
}

/// Whether anything is known of an arm.
fn tells(arm: &ArmAnswer) -> bool {
    arm.sustainable.is_some()
        || arm.first_failure.is_some()
        || arm.client_limited.is_some()
        || arm.knee.is_some()
        || arm.maximum > 0.0
}

fn table(answers: &CapacityReport) -> Table {
    let rate = Some("1/s");
    Table::new(
        TABLE,
        format!("Sustainable rate: {}", objective(answers)),
        vec![
            Column::head("Variant"),
            Column::numbers("Sustainable", rate, 0),
            Column::numbers("Fails at", rate, 1),
            Column::words("Confirmed", 3),
            Column::numbers("Run it at", rate, 0),
            Column::numbers("Knee", rate, 4),
            Column::numbers("Maximum", rate, 4),
            Column::words("What limits", 2),
        ],
        answers.arms().map(|(_, arm, answer)| row(arm, answer)),
    )
    .explained([
        ("Sustainable", "the highest rate within the objective"),
        ("Fails at", "the lowest rate above it that was found to miss it; the truth lies between the two"),
        ("Confirmed", "whether it was met again each time it was tried for longer"),
        ("Run it at", "80\u{202f}% of it, so that there is room for what was not measured"),
        ("Knee", "where throughput over response time is largest"),
        ("Maximum", "the largest throughput that was seen, whatever the response time"),
        ("What limits", "share of a core for a CPU, of the server's time for a command, of its connections for a pool"),
    ])
}

fn row(arm: &Arm, answer: &ArmAnswer) -> TableRow {
    let known = answer.sustainable;
    let (sustainable, limits) = match (&known, &answer.client_limited) {
        (Some(known), None) => (bare_carried(known.rate), limit_cell(&answer.limit)),
        (Some(known), Some((_, check))) => {
            (format!("≥ {}", bare_carried(known.rate)), format!("the harness ({check})"))
        }
        (None, Some((_, check))) => (NOTHING.to_owned(), format!("the harness ({check})")),
        (None, None) => (NOTHING.to_owned(), limit_cell(&answer.limit)),
    };
    let (confirmed, tone) = match known {
        Some(known) if known.confirmed => ("yes", Tone::Good),
        Some(_) => ("no", Tone::Fair),
        None => (NOTHING, Tone::Quiet),
    };
    let fails = known.map_or(answer.first_failure.map(|(rate, _)| rate), |known| known.above);
    TableRow {
        kind: RowKind::Entry,
        cells: vec![
            arm.name.as_str().into(),
            sustainable.into(),
            fails.map_or_else(|| NOTHING.to_owned(), bare_missed).into(),
            Cell::new(confirmed, tone),
            known.map_or_else(|| NOTHING.to_owned(), |known| bare_carried(known.recommended)).into(),
            known_rate(answer.knee).into(),
            known_rate((answer.maximum > 0.0).then_some(answer.maximum)).into(),
            limits.into(),
        ],
    }
}

/// How close the cliff is: the nearer the columns are to each other, the more suddenly response times rise.
fn by_limit(answers: &CapacityReport) -> Table {
    // Every arm is compared with the same limits.
    let limits: Vec<u64> = answers
        .analysis
        .arms
        .first()
        .map(|arm| arm.by_limit.iter().map(|(limit, ..)| *limit).collect())
        .unwrap_or_default();
    let columns = limits
        .iter()
        .map(|limit| Column::numbers(format::setting(std::time::Duration::from_nanos(*limit)), Some("1/s"), 0));
    let rows = answers.arms().map(|(_, arm, answer)| {
        let cell = |limit: &u64| {
            let known = answer.by_limit.iter().find(|(of, ..)| of == limit);
            Cell::from(known.map_or_else(|| NOTHING.to_owned(), |(_, low, high)| bracket(*low, *high)))
        };
        let cells = std::iter::once(Cell::from(arm.name.as_str())).chain(limits.iter().map(cell)).collect();
        TableRow { kind: RowKind::Entry, cells }
    });
    Table::new("by-limit", "Sustainable rate by limit of response time", std::iter::once(Column::head("Variant")).chain(columns).collect(), rows).noted(vec![format!(
            "The highest rate that was tried at which {} of requests were answered within the limit, and the lowest at \
             which they were not; ≥ where none was found that was not, < where none was found that was. The less a stricter \
             limit costs, the steeper is the cliff behind the last of them.",
            format::limit(answers.scenario.objective.percentile / 100.0)
        )])
}

fn bracket(low: Option<f64>, high: Option<f64>) -> String {
    match (low, high) {
        (Some(low), Some(high)) => format!("{} to {}", bare_carried(low), bare_missed(high)),
        (Some(low), None) => format!("≥ {}", bare_carried(low)),
        (None, Some(high)) => format!("< {}", bare_missed(high)),
        (None, None) => NOTHING.to_owned(),
    }
}
