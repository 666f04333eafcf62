//! What queueing theory says of each pool, beside what was measured.

use super::words::{bare_rate, objective};
use crate::{
    analysis::capacity::ErlangCheck,
    report::{
        format::{self, THIN},
        subject::CapacityReport,
        view::{Block, Cell, Column, RowKind, Section, Table, TableRow, Tone},
    },
};

pub(super) fn section(answers: &CapacityReport) -> Section {
    let rows: Vec<_> =
        answers.arms().flat_map(|(_, arm, answer)| answer.erlang.iter().map(|check| row(&arm.name, check))).collect();
    if rows.is_empty() {
        return Section::new("queueing", "Queueing theory beside measurement", Vec::new());
    }
    let columns = vec![
        Column::head("Variant"),
        Column::words("Service", 3),
        Column::numbers("Rate", Some("1/s"), 0),
        Column::times("Hold time", 2),
        Column::numbers("Connections", None, 1),
        Column::numbers("Utilisation", None, 0),
        Column::times("Predicted wait p99", 0),
        Column::times("Measured wait p99", 0),
        Column::numbers("Smallest pool", None, 0),
    ];
    let smallest = format!(
        "the fewest connections with a predicted p99 of the wait below 5{THIN}% of the objective ({}) and a utilisation below \
         80{THIN}%, at this rate",
        objective(answers)
    );
    let table = Table::new("erlang", "Waiting for a connection: predicted and measured", columns, rows)
        .explained([
            ("Hold time", "how long a request keeps its connection, as measured"),
            ("Utilisation", "rate times hold time over connections"),
            ("Smallest pool", smallest.as_str()),
        ])
        .noted([
            "Of one instance of the service whose pool is in use most, at the rate of the scenario and at the sustainable one, as \
             far as they were tried.",
        ]);
    let theory = "A pool whose connections carry one request at a time is a queue with as many servers as it has connections, \
                  and Erlang's formula C gives the wait from rate and hold time alone. Where measurement and prediction agree, \
                  the pool explains the wait. Where more is measured, arrivals or hold times are more uneven than the formula \
                  assumes, or hold times rise with the load because the server is the limit.";
    Section::new(
        "queueing",
        "Queueing theory beside measurement",
        vec![Block::Paragraph(theory.to_owned()), Block::Table(table)],
    )
}

fn row(name: &str, check: &ErlangCheck) -> TableRow {
    let full = if check.utilisation >= 0.8 { Tone::Fair } else { Tone::Plain };
    // A pool that is overrun has no steady state, and no wait to predict.
    let predicted = if check.utilisation < 1.0 && check.predicted_p99.is_finite() {
        Cell::time(check.predicted_p99)
    } else {
        "unbounded".into()
    };
    TableRow {
        kind: RowKind::Entry,
        cells: vec![
            name.into(),
            check.service.as_str().into(),
            bare_rate(check.rate).into(),
            Cell::time(check.hold),
            format::count(check.connections.into()).into(),
            Cell::new(format!("{}{THIN}%", format::significant(check.utilisation * 100.0)), full),
            predicted,
            Cell::time(check.measured_p99),
            format::count(check.smallest.into()).into(),
        ],
    }
}
