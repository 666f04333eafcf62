//! What each variant carries: the table of answers, and the sustainable rate by limit of response time.

use std::time::Duration;

use super::words::{bare_carried, bare_missed, bare_rate, harness_limit_words, limit_cell, objective, run_at};
use crate::{
    analysis::capacity::ArmAnswer,
    report::{
        format::{self, NOTHING},
        subject::CapacityReport,
        view::{Block, Cell, Section, Shown, Table, Tone},
    },
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
    Section::new("capacity", "Sustainable rates", blocks).detailed(Shown::ParagraphsAnd(TABLE)).brief_table(TABLE)
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
    let sustainable = |answer: &ArmAnswer| {
        answer.sustainable.map(|known| {
            let at_least = if known.above.is_none() || answer.client_limited.is_some() { "≥ " } else { "" };
            format!("{at_least}{}", bare_carried(known.rate))
        })
    };
    let fails = |answer: &ArmAnswer| {
        let first = || answer.first_failure.map(|(rate, _)| rate);
        answer.sustainable.map_or_else(first, |known| known.above).map(bare_missed)
    };
    let confirmed = |answer: &ArmAnswer| match answer.sustainable {
        Some(known) if known.confirmed => Cell::new("yes", Tone::Good),
        Some(_) => Cell::new("no", Tone::Fair),
        None => Cell::new(NOTHING, Tone::Quiet),
    };
    let limits = |answer: &ArmAnswer| match &answer.client_limited {
        Some((_, check)) => format!("the harness ({})", harness_limit_words(check)),
        None => limit_cell(&answer.limit),
    };
    Table::of(TABLE, format!("Sustainable rate: {}", objective(answers)), answers.arms())
        .head("Variant", |(_, arm, _)| &arm.name)
        .rates("Sustainable", 0, |(.., answer)| sustainable(answer))
        .rates("Fails at", 1, |(.., answer)| fails(answer))
        .words("Confirmed", 3, |(.., answer)| confirmed(answer))
        .rates("Recommended", 0, |(.., answer)| run_at(answers, answer).map(bare_carried))
        .rates("Knee", 4, |(.., answer)| answer.knee.map(bare_rate))
        .rates("Maximum", 4, |(.., answer)| (answer.maximum > 0.0).then(|| bare_rate(answer.maximum)))
        .words("What limits", 2, |(.., answer)| limits(answer))
        .table()
        .explained([
            ("Sustainable", "the highest rate within the objective; ≥ where no higher rate failed"),
            ("Fails at", "the lowest higher rate that misses the objective; the limit lies between the two"),
            ("Confirmed", "whether longer trials met the objective as well"),
            ("Recommended", "80\u{202f}% of the sustainable rate, as a reserve"),
            ("Knee", "rate with the largest throughput over response time"),
            (
                "Maximum",
                "the largest throughput measured, whatever the response time; the other rates are offered ones",
            ),
            (
                "What limits",
                "share of a core for a CPU, of the server's time for a command, of its connections for a pool",
            ),
        ])
}

/// How close the cliff is: the nearer the columns are to each other, the more suddenly response times rise.
fn by_limit(answers: &CapacityReport) -> Table {
    // Every arm is compared with the same limits.
    let limits = answers.analysis.arms.first().map(|arm| arm.by_limit.as_slice()).unwrap_or_default();
    let mut table = Table::of("by-limit", "Sustainable rate by limit of response time", answers.arms())
        .head("Variant", |(_, arm, _)| &arm.name);
    for (limit, ..) in limits {
        table = table.rates(&format::setting(Duration::from_nanos(*limit)), 0, |(.., answer)| {
            let known = answer.by_limit.iter().find(|(of, ..)| of == limit);
            known.map(|(_, low, high)| bracket(*low, *high))
        });
    }
    table.table().noted([format!(
        "The highest rate tried at which {} of requests were answered within the limit, and the lowest at which they \
         were not; ≥: no rate missed the limit, <: no rate met it. The closer the rates of different limits, the \
         steeper the rise of response time.",
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
