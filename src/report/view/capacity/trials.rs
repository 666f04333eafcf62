//! The trials: those that decided, and all of them.

use super::words::harness_limit_words;
use crate::{
    report::{
        format,
        subject::capacity::{CapacityReport, bad_share},
        view::{Cell, Section, Shown, Table, Tone},
    },
    results::{Purpose, Trial, slug},
};

const DECIDING: &str = "deciding-trials";

pub(super) fn section(answers: &CapacityReport) -> Section {
    let all: Vec<_> = answers.capacity.trials.iter().collect();
    let deciding = Some(deciding(answers)).filter(|deciding| deciding.len() < all.len());
    let deciding = deciding.and_then(|trials| table(answers, DECIDING, "Deciding trials", &trials).block());
    let blocks = deciding.into_iter().chain(table(answers, "all-trials", "All trials", &all).block());
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
    let missed = format!(
        "late, failed or unfinished; {} are allowed",
        format::limit(1.0 - answers.scenario.objective.percentile / 100.0)
    );
    let time = |trial: &Trial, nanos: u64| Cell::time((trial.completed > 0).then_some(nanos as f64));
    // Columns without anything in them are noise.
    Table::of(id, caption, trials)
        .head("Trial", |trial| trial.number)
        .also_if(answers.capacity.plan.arms.len() != 1, |table| {
            table.words("Variant", 0, |trial| answers.name(trial.arm))
        })
        .words("Purpose", 5, |trial| slug(&trial.purpose))
        .rates("Offered", 0, |trial| trial.offered.map(format::significant))
        .also_if(trials.iter().any(|trial| trial.clients.is_some()), |table| {
            table.numbers("Clients", 9, |trial| trial.clients)
        })
        .rates("Answered", 2, |trial| format::significant(trial.throughput))
        .numbers("Missed", 0, |trial| share_missed(answers, trial))
        .times("p50", 5, |trial| time(trial, trial.response.p50))
        .times("p99", 0, |trial| time(trial, trial.response.p99))
        .times("p99.9", 9, |trial| time(trial, trial.response.p999))
        .times("Wait p99", 7, |trial| time(trial, trial.wait.p99))
        .numbers("Pool", 7, |trial| format::share(trial.utilisation))
        .numbers("Server CPU", 5, |trial| trial.server_busy.map(format::share))
        .numbers("Harness", 9, |trial| trial.worker_busy.map(format::share))
        .also_if(trials.iter().any(|trial| trial.client_limited.is_some()), |table| {
            table.words("Harness was the limit", 7, |trial| {
                Cell::from(trial.client_limited.as_ref().map(harness_limit_words)).toned(Tone::Fair)
            })
        })
        .table()
        .explained([
            ("Missed", missed.as_str()),
            ("Pool", "utilisation of the busiest pool"),
            ("Harness", "its busiest worker"),
        ])
}

fn share_missed(answers: &CapacityReport, trial: &Trial) -> Cell {
    let allowed = 1.0 - answers.objective(trial.arm).percentile / 100.0;
    let bad = bad_share(trial);
    let judged = trial.purpose != Purpose::Closed && trial.scheduled > 0;
    let tone = if judged && bad > allowed { Tone::Bad } else { Tone::Plain };
    Cell::from((trial.scheduled > 0).then(|| format::share(bad))).toned(tone)
}
