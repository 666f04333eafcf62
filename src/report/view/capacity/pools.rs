//! Pool sizes next to each other: what was measured at each rate, the advice, and what limits and why.

use std::{cmp::Ordering, time::Duration};

use super::words::{apart_clause, bare_rate, capitalised, limit_clause, listed, rate, visible};
use crate::{
    analysis::capacity::{Advice, Comparison, Limit, RateComparison},
    report::{
        format::{self, NOTHING, THIN},
        subject::CapacityReport,
        view::{Block, Cell, Column, RowKind, Section, Shown, Table, TableRow, Tone, gate_change as change},
    },
};

pub(super) fn section(answers: &CapacityReport) -> Section {
    let mut blocks: Vec<_> =
        answers.analysis.comparisons.iter().map(|comparison| Block::Paragraph(advice(answers, comparison))).collect();
    if answers.analysis.comparisons.iter().any(|comparison| !comparison.rates.is_empty()) {
        blocks.push(Block::Table(table(answers)));
    }
    Section::new("pool-sizes", "Would a larger pool help?", blocks)
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
        (Advice::Inconclusive(_), _) if comparison.is_empty() => "They were not compared.".to_owned(),
        (Advice::Inconclusive(effect), _) => format!("With {} {}.", blocks(comparison), visible(effect)),
        (Advice::Grow, limit) => grow(answers, comparison, limit),
        (Advice::Worse, _) if comparison.rates.iter().any(|at| at.failures == Ordering::Greater) => {
            "Requests fail with the larger pool that do not with the smaller one.".to_owned()
        }
        (Advice::Worse, _) => "The queue moves from the pool, where a request waits for a connection, into the server, where it \
                              waits for those of all other connections."
            .to_owned(),
        (Advice::NoBenefit, Limit::ServerCpu(_)) => "The server runs commands on one thread: further connections add no \
                                                     capacity, they only let requests wait in the server instead of in the \
                                                     pool."
            .to_owned(),
        (Advice::NoBenefit, Limit::Command(name, ..)) => format!(
            "The server runs one command at a time, so whatever the pool, requests wait behind {name}: make it cheaper \
             before anything else."
        ),
        (Advice::NoBenefit, Limit::Client(_)) => "The harness itself had no time for more: a machine with more cores, or one \
                                                     of its own, would tell whether an application gains something."
            .to_owned(),
        (Advice::NoBenefit, Limit::RoundTrip(_)) => "Requests find a connection in both cases, and what takes the time is the \
                                                     way to the server and back, which no connection shortens."
            .to_owned(),
        (Advice::NoBenefit, Limit::Pool(_)) => "Connections are busy, and still requests hardly wait for one at these rates."
            .to_owned(),
        (Advice::NoBenefit, Limit::Unknown) => "Requests find a connection in both cases.".to_owned(),
    };
    format!("{verdict}. {}. {why}", capitalised(&limit_clause(&comparison.limit)))
}

fn grow(answers: &CapacityReport, comparison: &Comparison, limit: &Limit) -> String {
    let apart = comparison.apart.map(|apart| format!("{}. ", capitalised(&apart_clause(answers, comparison, apart))));
    let deciding = comparison.rates.iter().filter(|at| at.decides);
    let longest = deciding.max_by(|a, b| a.wait_p99.levels[0].total_cmp(&b.wait_p99.levels[0]));
    let waited = longest.map(|at| {
        let [smaller, larger] = at.wait_p99.levels.map(format::duration);
        format!(
            "At {} requests wait for a connection up to {smaller} (p99) with the smaller pool and {larger} with the larger one; service \
             time changes by {}.",
            rate(at.rate),
            change(&at.service),
        )
    });
    let room = match limit {
        Limit::Pool(_) => " The server has room for more.",
        _ => "",
    };
    format!("{}{}{room}", apart.unwrap_or_default(), waited.unwrap_or_default())
}

fn blocks(comparison: &Comparison) -> String {
    let blocks: u64 = comparison.rates.iter().filter(|at| at.decides).map(|at| u64::from(at.blocks)).sum();
    format::counted(blocks, "block", "blocks")
}

fn table(answers: &CapacityReport) -> Table {
    let columns = vec![
        Column::head("From"),
        Column::head("To"),
        Column::numbers("Rate", Some("1/s"), 0),
        Column::numbers("Response p99", None, 0),
        Column::numbers("Response p50", None, 5),
        Column::numbers("Service time", None, 5),
        Column::numbers("Throughput", None, 7),
        Column::times("Wait p99", 2),
        Column::numbers("Server CPU", None, 7),
        Column::numbers("Failed", None, 9),
        Column::numbers("Blocks", None, 9),
    ];
    let comparisons = &answers.analysis.comparisons;
    let rows = comparisons.iter().flat_map(|comparison| comparison.rates.iter().map(|at| row(answers, comparison, at)));
    Table::new("comparisons", "Pool sizes at the same rates", columns, rows).noted(vec![format!(
        "Changes from the smaller pool to the larger one, with 95{THIN}% intervals, and values of both. {}",
        turns(comparisons)
    )])
}

/// How the sizes took turns.
fn turns(comparisons: &[Comparison]) -> String {
    let mut lengths: Vec<u64> =
        comparisons.iter().flat_map(|comparison| &comparison.rates).filter_map(|at| at.turn_ns).collect();
    if lengths.is_empty() {
        return "Each was loaded for some seconds after the other, with the same requests.".to_owned();
    }
    lengths.sort_unstable();
    lengths.dedup();
    let lengths: Vec<String> = lengths.into_iter().map(|turn| format::setting(Duration::from_nanos(turn))).collect();
    format!(
        "Both were connected at once and took turns of {} with the same requests, so that whatever the machine does meets both; \
         server CPU is that under both.",
        listed(&lengths)
    )
}

fn row(answers: &CapacityReport, comparison: &Comparison, at: &RateComparison) -> TableRow {
    let p99 = at.response_p99.effect.ratio;
    let tone = if p99.high.is_some_and(|high| high < 1.0) {
        Tone::Good
    } else if p99.low.is_some_and(|low| low > 1.0) {
        Tone::Bad
    } else {
        Tone::Plain
    };
    let [smaller, larger] = at.errors.map(format::share);
    TableRow {
        kind: RowKind::Entry,
        cells: vec![
            answers.name(comparison.from).into(),
            answers.name(comparison.to).into(),
            bare_rate(at.rate).into(),
            Cell::new(change(&at.response_p99), tone),
            change(&at.response_p50).into(),
            change(&at.service).into(),
            change(&at.throughput).into(),
            Cell::times("{} → {}", at.wait_p99.levels),
            at.server_busy.map_or_else(|| NOTHING.to_owned(), format::share).into(),
            format!("{smaller} → {larger}").into(),
            format::count(at.blocks.into()).into(),
        ],
    }
}
