//! Processes that sent the load of one run together.

use super::{Block, Cell, Note, Section, Shown, Table, Tone, names::capitalised, results::Marks};
use crate::{
    analysis::{Analysis, GeneratorFinding, GeneratorRow},
    report::format::{self, duration, factor},
};

/// What the section shows; empty where it was one process.
pub(super) fn section(analysis: &Analysis) -> Section {
    let rows = &analysis.generators;
    let sentence = (!rows.is_empty()).then(|| sentence(rows));
    let mut blocks: Vec<Block> = sentence.clone().map(Block::Paragraph).into_iter().collect();
    blocks.extend(table(rows).block());
    Section::new("generators", "Generators", blocks).detailed(Shown::Everything).brief_line("Generators", sentence)
}

fn sentence(rows: &[GeneratorRow]) -> String {
    let requests = rows.iter().map(|row| row.generator.scheduled).sum();
    let late = rows.iter().map(|row| row.generator.shard.late_ns).max().unwrap_or(0);
    format!(
        "{} sent {} together, each its part of every service. The last began {} after the agreed instant. Percentiles of the run come \
         from the sum of their histograms.",
        format::counted(rows.len() as u64, "generator", "generators"),
        format::counted(requests, "request", "requests"),
        duration(late as f64),
    )
}

fn table(rows: &[GeneratorRow]) -> Table {
    let mut marks = Marks::default();
    let percentile = |row: &GeneratorRow, marks: &mut Marks, percentile| {
        marks.value(percentile, row.response.percentile(percentile).value)
    };
    let table = Table::of("generators", "Generators, each against the others", rows)
        .head("Generator", |row| row.generator.shard.number.to_string())
        .words("Host", 0, |row| &row.generator.shard.host)
        .numbers("Requests", 0, |row| format::count(row.generator.scheduled))
        .numbers("Failed", 0, |row| format::count(row.generator.failed + row.generator.unfinished))
        .times("p50", 0, |row| percentile(row, &mut marks, 50.0))
        .times("p99", 0, |row| percentile(row, &mut marks, 99.0))
        .times("Lag, p99", 0, |row| Cell::time(row.lag_p99.map(|lag| lag as f64)))
        .numbers("Busiest worker", 1, |row| row.busy.map_or_else(|| format::NOTHING.to_owned(), format::share))
        .times("Late", 2, |row| Cell::time(row.generator.shard.late_ns as f64))
        .times("Clock", 2, |row| clock(row))
        .table();
    let missing = marks.missing().map(|(name, reason)| format!("{name}: {reason}."));
    let about = "Late: time from the agreed instant to the start. Clock: reference clock less that of the machine, with the largest \
                 error; it only decides when a generator begins, and is in no response time.";
    let notes: Vec<_> = marks.legend().chain(missing).chain([about.to_owned()]).collect();
    table.noted(notes)
}

fn clock(row: &GeneratorRow) -> Cell {
    let clock = row.generator.shard.clock;
    let sign = if clock.offset_ns < 0 { "−" } else { "" };
    let offset = clock.offset_ns.unsigned_abs() as f64;
    match clock.uncertainty_ns {
        Some(error) => Cell::times(&format!("{sign}{{}} ± {{}}"), [offset, error as f64]),
        None => "own".into(),
    }
}

/// The note for a finding.
pub(super) fn note(finding: &GeneratorFinding) -> Note {
    match finding {
        GeneratorFinding::Disagreement { generator, own, others } => Note::new(
            Tone::Bad,
            format!(
                "{} has a p99 of {}, {} that of the others ({}).",
                capitalised(generator),
                duration(*own as f64),
                factor(*own as f64 / (*others).max(1) as f64),
                duration(*others as f64)
            ),
            "All generators send the same mix to the same server, so its machine or its path to the server is another one: look at \
             its network and its CPU. Its requests are in the percentiles of the run.",
        ),
        GeneratorFinding::Silent { generator, service, span, ended } => Note::new(
            Tone::Bad,
            format!(
                "{} got no answer to its requests of {service} for {} from second {:.1} on{}, while others did.",
                capitalised(generator),
                duration(span.length() as f64),
                span.from_ns as f64 / 1e9,
                if *ended { "" } else { ", until the end of the run" },
            ),
            "Its machine or its path to the server failed, not the server: look at its network. Its requests are in the figures of the \
             run.",
        ),
        GeneratorFinding::OwnClocks => Note::new(
            Tone::Fair,
            "The start was agreed by each machine's own clock, since the server did not answer TIME.".to_owned(),
            "How far the generators were apart is not known. Give the user the right to TIME (ACL SETUSER user +time).",
        ),
        GeneratorFinding::DifferentMachines { first, other } => Note::new(
            Tone::Fair,
            format!("The machines of {first} and {other} differ in CPU, number of cores or kernel."),
            "Differences of their rows may come from the machines.",
        ),
    }
}
