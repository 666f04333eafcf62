//! How long the sustainable rate will do, and what the budget did not allow.

use super::words::{rate, time, undone as undone_words};
use crate::{
    analysis::capacity::Headroom,
    report::{
        format::{self, THIN},
        subject::CapacityReport,
        view::{Block, Note, Section, Shown, Tone},
    },
    results::Ended,
};

/// Months that are reported as a number; beyond them a forecast from one rate of growth says nothing.
const MOST_MONTHS: f64 = 120.0;

pub(super) fn section(answers: &CapacityReport) -> Section {
    let sentence = answers.analysis.headroom.as_ref().map(|headroom| sentence(answers, headroom));
    let block = sentence.clone().map(Block::Paragraph);
    Section::new("headroom", "Headroom", block).detailed(Shown::Paragraphs).brief_line("Headroom", sentence)
}

fn sentence(answers: &CapacityReport, headroom: &Headroom) -> String {
    let whence = if headroom.stated {
        "as stated"
    } else {
        "commands by the server's counters; an operation may have several commands"
    };
    let with = if answers.capacity.plan.arms.len() > 1 {
        format!(" with {}", answers.name(headroom.arm))
    } else {
        String::new()
    };
    let growth = headroom
        .growth
        .filter(|_| headroom.bounded)
        .map(|growth| growth_words(growth, headroom.months))
        .unwrap_or_default();
    format!(
        "Today's load is {} ({whence}); the sustainable rate{with} is {}{} of it.{growth}",
        rate(headroom.current),
        if headroom.bounded { "" } else { "at least " },
        format::factor(headroom.times),
    )
}

fn growth_words(growth: f64, months: Option<f64>) -> String {
    let a_month = format!("{}{THIN}%", format::significant(growth * 100.0));
    match months {
        Some(months) if months <= 0.0 => " The recommended rate is exceeded already.".to_owned(),
        Some(months) if months > MOST_MONTHS => {
            format!(" At a growth of {a_month} per month the recommended rate suffices for more than ten years.")
        }
        Some(months) => format!(
            " At a growth of {a_month} per month the recommended rate suffices for {} months.",
            format::significant(months)
        ),
        None => format!(" At a growth of {a_month} per month the recommended rate is never reached."),
    }
}

/// What was left undone.
pub(super) fn undone(answers: &CapacityReport) -> Section {
    let undone = &answers.analysis.undone;
    let facts: Vec<_> = undone.iter().map(|what| undone_words(answers, what)).collect();
    let capacity = &answers.capacity;
    let why = match capacity.ended {
        Ended::Budget => format!("The budget of {} did not suffice for", time(capacity.plan.budget_ns)),
        Ended::Interrupted => "The run was interrupted before".to_owned(),
        Ended::Errors => "The load was stopped because of failed requests before".to_owned(),
        Ended::Lost => "The server was lost before".to_owned(),
        Ended::LoadFailed => "The load of a trial failed before".to_owned(),
        Ended::Running => "Not done yet".to_owned(),
        Ended::Finished => "Left undone".to_owned(),
    };
    let line = (!facts.is_empty()).then(|| format!("{}.", facts.join("; ")));
    let notes = facts.into_iter().map(|fact| Note::new(Tone::Fair, fact, "")).collect();
    let blocks = line.is_some().then(|| [Block::Paragraph(format!("{why}:")), Block::Notes(notes)]);
    Section::new("undone", "Omitted steps", blocks.into_iter().flatten())
        .detailed(Shown::Everything)
        .brief_line("Not done", line)
}
