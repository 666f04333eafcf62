//! What queueing theory says of each pool, beside what was measured.

use super::words::{bare_rate, objective};
use crate::{
    analysis::capacity::ErlangCheck,
    report::{
        format::{self, THIN},
        subject::CapacityReport,
        view::{Block, Cell, Section, Table, Tone},
    },
};

pub(super) fn section(answers: &CapacityReport) -> Section {
    let checks = answers.arms().flat_map(|(_, arm, answer)| answer.erlang.iter().map(move |check| (arm, check)));
    let smallest = format!(
        "smallest number of connections with a predicted p99 of the wait below 5{THIN}% of the objective ({}) and a \
         utilisation below 80{THIN}%, at this rate",
        objective(answers)
    );
    let table = Table::of("erlang", "Waiting for a connection: predicted and measured", checks)
        .head("Variant", |(arm, _)| &arm.name)
        .words("Service", 3, |(_, check)| &check.service)
        .rates("Rate", 0, |(_, check)| bare_rate(check.rate))
        .times("Hold time", 2, |(_, check)| Cell::time(check.hold))
        .numbers("Connections", 1, |(_, check)| check.connections)
        .numbers("Utilisation", 0, |(_, check)| utilisation(check))
        .times("Predicted wait p99", 0, |(_, check)| predicted(check))
        .times("Measured wait p99", 0, |(_, check)| Cell::time(check.measured_p99))
        .numbers("Smallest pool", 0, |(_, check)| check.smallest)
        .table()
        .explained([
            ("Hold time", "measured time for which a request holds its connection"),
            ("Utilisation", "rate times hold time over connections"),
            ("Smallest pool", smallest.as_str()),
        ])
        .noted([
            "One instance of the service with the highest utilisation, at the rates tried of the scenario's and the \
             sustainable one.",
        ]);
    let theory = "A pool with one request at a time per connection is a queue with one server per connection, and \
                  Erlang's formula C gives the wait from rate and hold time. If measurement and prediction agree, the \
                  pool explains the wait. A longer measured wait means that arrivals or hold times are more uneven \
                  than the formula assumes, or that hold times rise with the load because the server is the limit.";
    let blocks = table.block().into_iter().flat_map(|table| [Block::Paragraph(theory.to_owned()), table]);
    Section::new("queueing", "Queueing theory", blocks)
}

fn utilisation(check: &ErlangCheck) -> Cell {
    let full = if check.utilisation >= 0.8 { Tone::Fair } else { Tone::Plain };
    Cell::new(format!("{}{THIN}%", format::significant(check.utilisation * 100.0)), full)
}

/// A pool that is overrun has no steady state, and no wait to predict.
fn predicted(check: &ErlangCheck) -> Cell {
    if check.utilisation < 1.0 && check.predicted_p99.is_finite() {
        Cell::time(check.predicted_p99)
    } else {
        "unbounded".into()
    }
}
