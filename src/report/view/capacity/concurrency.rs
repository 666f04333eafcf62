//! The concurrency model in words: the law that was fitted, how well, and how far it is to be believed.

use super::words::{bare_rate, interval};
use crate::{
    analysis::capacity::Usl,
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
    let mut told = vec![peak(usl)];
    if answers.capacity.target.same_machine {
        told.push(
            "Server and clients share a machine: what the clients take from each other and from the server is inside \
             contention and coherence, so they are not the server's alone."
                .to_owned(),
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
        told.push(format!(
            "In {limited} of {} trials the harness itself was the limit: there the law is as much its own as the server's.",
            closed.len()
        ));
    }
    let parameter =
        |(value, low, high): (f64, f64, f64)| format!("{} {}", format::significant(value), interval(low, high));
    let facts = Block::facts([
        ("Throughput of one client", Some(format!("{} per second", parameter(usl.gamma)))),
        ("Contention (α)", Some(parameter(usl.alpha))),
        ("Coherence (β)", Some(parameter(usl.beta))),
        ("Share of variance explained (R²)", Some(format!("{:.4}", usl.r_squared))),
    ]);
    vec![Block::Paragraph(told.join(" ")), facts, Block::Table(table(usl))]
}

fn peak(usl: &Usl) -> String {
    let most = usl.largest();
    if let Some((peak, low, high)) = usl.seen_peak() {
        let clients = |number: f64| {
            if number.is_finite() { format::count(number.round() as u64) } else { "unbounded".to_owned() }
        };
        return format!(
            "Clients that each wait for their reply before they ask again reach the highest throughput at about {} \
             [{}, {}]; more of them get less done.",
            clients(peak),
            clients(low),
            clients(high)
        );
    }
    match usl.peak {
        Some(_) if !usl.is_coherent() => {
            "Whether more clients get less done at some point cannot be decided by these measurements: \
                                         the interval of coherence (β) reaches down to 0, where there is no peak."
                .to_owned()
        }
        Some(_) => format!(
            "The fitted law has its peak beyond {}, twice the largest number of clients that was measured: no number is given \
             for it, because nothing was measured there. Measure with more clients.",
            format::count((Usl::REACH * most) as u64)
        ),
        None => format!(
            "The fitted law has no peak: as far as was measured, up to {}, more of them got more done.",
            format::counted(most as u64, "client", "clients")
        ),
    }
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
