//! Pool sizes next to each other: what was measured at each rate, the advice, and what limits and why.

use std::{cmp::Ordering, time::Duration};

use super::words::{apart_clause, bare_rate, limit_clause, rate, visible};
use crate::{
    analysis::capacity::{Advice, Comparison, Limit, RateComparison},
    report::{
        format::{self, THIN},
        subject::CapacityReport,
        view::{
            Block, Cell, Section, Shown, Table, Tone, effect,
            names::{capitalised, listed},
        },
    },
    results::Sides,
};

pub(super) fn section(answers: &CapacityReport) -> Section {
    let comparisons = answers.analysis.comparisons.iter();
    let advice = comparisons.map(|comparison| Block::Paragraph(advice(answers, comparison)));
    Section::new("pool-sizes", "Pool sizes", advice.chain(table(answers).block()))
        .detailed(Shown::ParagraphsAnd("comparisons"))
        .brief([])
}

/// What to do, what limits, and why that makes it so.
fn advice(answers: &CapacityReport, comparison: &Comparison) -> String {
    let (from, to) = (answers.name(comparison.from), answers.name(comparison.to));
    let verdict = match comparison.advice {
        Advice::Grow => format!("From {from} to {to}: grow"),
        Advice::NoBenefit => format!("From {from} to {to}: no benefit"),
        Advice::Worse => format!("From {from} to {to}: worse"),
        Advice::Inconclusive(_) => format!("From {from} to {to}: inconclusive"),
    };
    let why = match (comparison.advice, &comparison.limit) {
        (Advice::Inconclusive(_), _) if comparison.is_empty() => "Not compared.".to_owned(),
        (Advice::Inconclusive(effect), _) => format!("With {}, {}.", blocks(comparison), visible(effect)),
        (Advice::Grow, limit) => grow(answers, comparison, limit),
        (Advice::Worse, _) if comparison.rates.iter().any(|at| at.failures == Ordering::Greater) => {
            "More requests fail with the larger pool.".to_owned()
        }
        (Advice::Worse, _) => "The queue moves from the pool, where requests wait for a connection, into the server, \
                               where they wait for those of all other connections."
            .to_owned(),
        (Advice::NoBenefit, Limit::ServerCpu(_)) => "The server runs commands on one thread: with further connections \
                                                     requests wait in the server instead of the pool."
            .to_owned(),
        (Advice::NoBenefit, Limit::Command(name, ..)) => format!(
            "The server runs one command at a time, so requests wait behind {name} whatever the pool: make {name} less \
             expensive first."
        ),
        (Advice::NoBenefit, Limit::Client(_)) => "The comparison describes the harness, not the server.".to_owned(),
        (Advice::NoBenefit, Limit::RoundTrip(_)) => "Requests find a connection with both sizes, and most of the time \
                                                     is the round trip, which further connections do not shorten."
            .to_owned(),
        (Advice::NoBenefit, Limit::Pool(_)) => {
            "Connections are busy, but requests hardly wait for one at these rates.".to_owned()
        }
        (Advice::NoBenefit, Limit::Unknown) => "Requests find a connection with both sizes.".to_owned(),
    };
    format!("{verdict}. {}. {why}", capitalised(&limit_clause(answers, comparison.from, &comparison.limit)))
}

fn grow(answers: &CapacityReport, comparison: &Comparison, limit: &Limit) -> String {
    let apart = comparison.apart.map(|apart| format!("{}. ", capitalised(&apart_clause(answers, comparison, apart))));
    let deciding = comparison.rates.iter().filter(|at| at.decides);
    let longest = deciding.max_by(|a, b| a.wait_p99.levels.a.total_cmp(&b.wait_p99.levels.a));
    let waited = longest.map(|at| {
        let Sides { a: smaller, b: larger } = at.wait_p99.levels.map(format::duration);
        format!(
            "At {}, p99 of the wait for a connection is {smaller} with the smaller pool and {larger} with the larger \
             one; service time changes by {}.",
            rate(at.rate),
            effect(&at.service.effect),
        )
    });
    let room = match limit {
        Limit::Pool(_) => " The server has spare capacity.",
        _ => "",
    };
    format!("{}{}{room}", apart.unwrap_or_default(), waited.unwrap_or_default())
}

fn blocks(comparison: &Comparison) -> String {
    let blocks: u64 = comparison.rates.iter().filter(|at| at.decides).map(|at| u64::from(at.blocks)).sum();
    format::counted(blocks, "block", "blocks")
}

fn table(answers: &CapacityReport) -> Table {
    let comparisons = &answers.analysis.comparisons;
    let tone = |at: &RateComparison| {
        let p99 = at.response_p99.effect.ratio;
        match (p99.low, p99.high) {
            (_, Some(high)) if high < 1.0 => Tone::Good,
            (Some(low), _) if low > 1.0 => Tone::Bad,
            _ => Tone::Plain,
        }
    };
    let failed = |at: &RateComparison| format!("{} → {}", format::share(at.errors.a), format::share(at.errors.b));
    let rates = comparisons.iter().flat_map(|comparison| comparison.rates.iter().map(move |at| (comparison, at)));
    Table::of("comparisons", "Pool sizes at the same rates", rates)
        .head("From", |(comparison, _)| answers.name(comparison.from))
        .head("To", |(comparison, _)| answers.name(comparison.to))
        .rates("Rate", 0, |(_, at)| bare_rate(at.rate))
        .numbers("Response p99", 0, |(_, at)| Cell::new(effect(&at.response_p99.effect), tone(at)))
        .numbers("Response p50", 5, |(_, at)| effect(&at.response_p50.effect))
        .numbers("Service time", 5, |(_, at)| effect(&at.service.effect))
        .numbers("Throughput", 7, |(_, at)| effect(&at.throughput.effect))
        .times("Wait p99", 2, |(_, at)| Cell::times("{} → {}", <[f64; 2]>::from(at.wait_p99.levels)))
        .numbers("Server CPU", 7, |(_, at)| at.server_busy.map(format::share))
        .numbers("Failed", 9, |(_, at)| failed(at))
        .numbers("Blocks", 9, |(_, at)| at.blocks)
        .table()
        .noted([format!(
            "Changes from the smaller pool to the larger one, with 95{THIN}% intervals, and values of both. {}",
            turns(comparisons)
        )])
}

/// How the sizes took turns.
fn turns(comparisons: &[Comparison]) -> String {
    let mut lengths: Vec<u64> =
        comparisons.iter().flat_map(|comparison| &comparison.rates).filter_map(|at| at.turn_ns).collect();
    if lengths.is_empty() {
        return "The sizes were loaded one after the other for some seconds, with the same requests.".to_owned();
    }
    lengths.sort_unstable();
    lengths.dedup();
    let lengths: Vec<String> = lengths.into_iter().map(|turn| format::setting(Duration::from_nanos(turn))).collect();
    format!(
        "Both were connected at once and alternated every {} with the same requests, so that noise of the machine \
         affects both; server CPU is that under both.",
        listed(&lengths)
    )
}
