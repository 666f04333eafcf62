//! Pool sizes next to each other: what was measured at each rate, the advice, and what limits and why.

use super::words::{bare_rate, capitalised, limit_clause, rate, ratio, visible};
use crate::{
    analysis::capacity::{Advice, Comparison, Limit, RateComparison},
    report::{
        format::{self, NOTHING, THIN},
        subject::CapacityReport,
        view::{Block, Cell, Column, RowKind, Section, Shown, Table, TableRow, Tone},
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
        Advice::Harm => format!("From {from} to {to}: harm"),
        Advice::Inconclusive(_) => format!("From {from} to {to}: inconclusive"),
    };
    let why = match (comparison.advice, &comparison.limit) {
        (Advice::Inconclusive(_), _) if comparison.rates.is_empty() => "They were not compared.".to_owned(),
        (Advice::Inconclusive(effect), _) => format!("With {} {}.", pairs(comparison), visible(effect)),
        (Advice::Grow, limit) => grow(comparison, limit),
        (Advice::Harm, _) if comparison.rates.iter().any(|at| at.errors.1 > at.errors.0) => {
            "Requests fail with the larger pool that do not with the smaller one.".to_owned()
        }
        (Advice::Harm, _) => "The queue moves from the pool, where a request waits for a connection, into the server, where it \
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

fn grow(comparison: &Comparison, limit: &Limit) -> String {
    let shorter = comparison.rates.iter().filter(|at| at.decides).max_by(|a, b| a.wait_p99.0.total_cmp(&b.wait_p99.0));
    let waited = shorter.map(|at| {
        format!(
            "At {} requests wait for a connection up to {} (p99) with the smaller pool and {} with the larger one, while \
             service time is {}.",
            rate(at.rate),
            format::duration(at.wait_p99.0),
            format::duration(at.wait_p99.1),
            ratio(at.service),
        )
    });
    let room = match limit {
        Limit::Pool(_) => " The server has room for more.",
        _ => "",
    };
    format!("{}{room}", waited.unwrap_or_default())
}

fn pairs(comparison: &Comparison) -> String {
    let pairs: u64 = comparison.rates.iter().filter(|at| at.decides).map(|at| u64::from(at.pairs)).sum();
    format::counted(pairs, "pair of slices", "pairs of slices")
}

fn table(answers: &CapacityReport) -> Table {
    Table::new("comparisons", "Pool sizes at the same rates", vec![
            Column::head("From"),
            Column::head("To"),
            Column::numbers("Rate", Some("1/s"), 0),
            Column::numbers("Response p99", None, 0),
            Column::numbers("p-value", None, 5),
            Column::numbers("Service time", None, 5),
            Column::numbers("Throughput", None, 7),
            Column::times("Wait p99", 2),
            Column::numbers("Server CPU", None, 7),
            Column::numbers("Failed", None, 9),
            Column::numbers("Pairs", None, 9),
        ], answers
            .analysis
            .comparisons
            .iter()
            .flat_map(|comparison| comparison.rates.iter().map(|at| row(answers, comparison, at)))).noted(vec![format!(
            "Ratios are larger pool over smaller, with 95{THIN}% intervals: below 1 is less. Both were measured in interleaved \
             slices with the same requests, so that a drift of the machine meets both. Arrows lead from the smaller pool to the larger."
        )])
}

fn row(answers: &CapacityReport, comparison: &Comparison, at: &RateComparison) -> TableRow {
    let (_, low, high) = at.response_p99;
    let tone = if high < 1.0 {
        Tone::Good
    } else if low > 1.0 {
        Tone::Bad
    } else {
        Tone::Plain
    };
    let of = |(smaller, larger): (String, String)| format!("{smaller} → {larger}");
    let busy = |share: Option<f64>| share.map_or_else(|| NOTHING.to_owned(), format::share);
    TableRow {
        kind: RowKind::Entry,
        cells: vec![
            answers.name(comparison.from).into(),
            answers.name(comparison.to).into(),
            bare_rate(at.rate).into(),
            Cell::new(ratio(at.response_p99), tone),
            p_value(at.p_value).into(),
            ratio(at.service).into(),
            ratio(at.throughput).into(),
            Cell::times("{} → {}", [at.wait_p99.0, at.wait_p99.1]),
            of((busy(at.server_busy.0), busy(at.server_busy.1))).into(),
            of((format::share(at.errors.0), format::share(at.errors.1))).into(),
            format::count(at.pairs.into()).into(),
        ],
    }
}

fn p_value(value: f64) -> String {
    if value < 0.001 { "< 0.001".to_owned() } else { format::significant(value) }
}
