//! The concurrency model in words: the fitted law, its fit, and its limits.

use super::words::bare_rate;
use crate::{
    analysis::{Interval, capacity::Usl},
    report::{
        format::{self, THIN},
        subject::CapacityReport,
        view::{Block, Section, Shown, Table},
    },
    results::Purpose,
};

pub(super) fn section(answers: &CapacityReport) -> Section {
    let blocks = answers.analysis.usl.as_ref().map(|usl| blocks(answers, usl)).unwrap_or_default();
    Section::new("concurrency", "Concurrency", blocks).detailed(Shown::Paragraphs).brief([])
}

fn blocks(answers: &CapacityReport, usl: &Usl) -> Vec<Block> {
    let mut sentences = vec![peak(usl)];
    if answers.capacity.target.same_machine {
        sentences.push(
            "Server and clients share a machine, so contention and coherence include those of the clients.".to_owned(),
        );
    }
    let closed: Vec<_> = answers
        .capacity
        .trials
        .iter()
        .filter(|trial| trial.purpose == Purpose::Closed && trial.block.is_some())
        .collect();
    let limited = closed.iter().filter(|trial| trial.client_limited.is_some()).count();
    if limited > 0 {
        sentences.push(format!(
            "In {limited} of {} trials the harness was the limit: the law then describes harness and server.",
            closed.len()
        ));
    }
    let parameter = |of: Interval| format!("{} {}", format::significant(of.point), interval(of, format::significant));
    let facts = Block::facts([
        ("Throughput of one client", Some(format!("{} per second", parameter(usl.gamma)))),
        ("Contention (α)", Some(parameter(usl.alpha))),
        ("Coherence (β)", Some(parameter(usl.beta))),
        ("Share of variance explained (R²)", Some(format!("{:.4}", usl.r_squared))),
    ]);
    vec![Block::Paragraph(sentences.join(" ")), facts, Block::Table(table(usl))]
}

fn peak(usl: &Usl) -> String {
    let most = usl.largest();
    if let Some(peak) = usl.seen_peak() {
        let clients = |number: f64| format::count(number.round() as u64);
        return format!(
            "Closed-loop clients reach the highest throughput at about {} {}; more clients have less throughput.",
            clients(peak.point),
            interval(peak, clients),
        );
    }
    match usl.peak {
        Some(_) if !usl.is_coherent() => {
            "These measurements do not decide whether throughput falls with more clients: the interval of coherence \
             (β) includes 0, without a peak."
                .to_owned()
        }
        Some(_) => format!(
            "The fitted law has its peak beyond {}, twice the largest number of clients measured, so no number is \
             given. Measure with more clients.",
            format::count((Usl::REACH * most) as u64)
        ),
        None => format!(
            "The fitted law has no peak: throughput rises up to {}, the largest number measured.",
            format::counted(most as u64, "client", "clients")
        ),
    }
}

/// The ends of an interval: `[0.0170, 0.0240]`.
fn interval(of: Interval, write: impl Fn(f64) -> String) -> String {
    let end = |end: Option<f64>| end.map_or_else(|| "unbounded".to_owned(), &write);
    format!("[{}, {}]", end(of.low), end(of.high))
}

fn table(usl: &Usl) -> Table {
    let fitted = format!(
        "the Universal Scalability Law (Gunther), X(N) = γN / (1 + α(N − 1) + βN(N − 1)); intervals in brackets are 95{THIN}%, by \
         bootstrap"
    );
    Table::of("usl", "Throughput by number of clients", &usl.points)
        .head("Clients", |(clients, ..)| *clients)
        .rates("Measured", 0, |(_, measured, _)| bare_rate(*measured))
        .rates("Fitted", 0, |(.., fitted)| bare_rate(*fitted))
        .numbers("Residual", 0, |(_, measured, fitted)| residual(*measured, *fitted))
        .table()
        .explained([
            ("Measured", "mean of the repetitions, of closed loops without think time"),
            ("Fitted", fitted.as_str()),
        ])
}

/// How far the measurement lies from the fit, as a share of the fit.
fn residual(measured: f64, fitted: f64) -> Option<String> {
    let percent = 100.0 * (measured / fitted - 1.0);
    (fitted > 0.0).then(|| format!("{percent:+.1}{THIN}%").replace('-', "−"))
}
