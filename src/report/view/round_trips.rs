//! Round trips that were measured one operation at a time, against the target.

use super::{
    Cell, Column, RowKind, Table, TableRow,
    results::{Marks, grade, grades, outcome},
};
use crate::{
    analysis::RoundTrips,
    report::format::{self, NOTHING},
    scenario::Objective,
};

/// The table: one row per operation and number of connections.
pub(in crate::report) fn round_trips(measured: &[RoundTrips], objective: &Objective) -> Table {
    let is_judged = |shown: f64| (shown - objective.percentile).abs() < 1e-9;
    let mut percentiles = vec![50.0, 99.0];
    if !percentiles.iter().any(|shown| is_judged(*shown)) {
        percentiles.push(objective.percentile);
        percentiles.sort_by(f64::total_cmp);
    }
    let mut columns = vec![
        Column::head("Operation"),
        Column::numbers("Connections", None, 0),
        Column::numbers("Requests", None, 3),
        Column::times("Mean", 2),
    ];
    columns.extend(
        percentiles.iter().map(|shown| Column::times(format::percentile(*shown), u8::from(!is_judged(*shown)))),
    );
    columns.extend([
        Column::times("Max", 4),
        Column::times("Target", 5),
        Column::numbers("Faster", None, 2),
        Column::words("Grade", 0),
        Column::words("Objective", 0),
    ]);
    let mut marks = Marks::default();
    let row = |measured: &RoundTrips| {
        let response = &measured.response;
        let longest = (!response.histogram.is_empty()).then(|| response.histogram.max() as f64);
        let mut cells = vec![
            measured.operation.as_str().into(),
            format::count(u64::from(measured.connections)).into(),
            format::count(response.histogram.len()).into(),
            Cell::time(response.mean),
        ];
        cells.extend(percentiles.iter().map(|shown| marks.value(*shown, response.percentile(*shown).value)));
        cells.extend([
            Cell::time(longest),
            Cell::time(objective.latency.as_nanos() as f64),
            measured.times_faster.map_or_else(|| NOTHING.to_owned(), format::factor).into(),
            grade(measured.grade),
            outcome(measured.outcome),
        ]);
        TableRow { kind: RowKind::Entry, cells }
    };
    let rows: Vec<_> = measured.iter().map(row).collect();
    let caption = format!("Response time of each operation against {}", format::setting(objective.latency));
    let held = format!(
        "met where at 95 % confidence at most {} of the requests take longer than {}, which may show where the percentile \
         cannot be printed",
        format::limit((100.0 - objective.percentile) / 100.0),
        format::setting(objective.latency),
    );
    Table::new("round-trips", caption, columns, rows)
        .explained(grades(objective))
        .explained([("Objective", held)])
        .explained(marks.missing())
        .noted(marks.legend())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        measure::{Latencies, PackedHistogram},
        report::{Style, terminal},
    };

    fn sample(times: impl IntoIterator<Item = u64>) -> PackedHistogram {
        let mut latencies = Latencies::default();
        times.into_iter().for_each(|nanos| latencies.record(nanos));
        latencies.pack()
    }

    #[test]
    fn says_what_a_report_would() {
        let objective = Objective { latency: Duration::from_millis(100), percentile: 99.0, max_error_rate: 0.001 };
        let samples = [
            ("PING", 1, sample((0..20_000).map(|number| 30_000 + number))),
            ("LRANGE", 50, sample((0..20_000).map(|number| 1_000_000 + 1_500 * number))),
            ("ZADD", 50, sample((0..2_000).map(|number| 90_000_000 + 10_000 * number))),
            ("GET", 1, sample([40_000; 20])),
            ("SET", 1, sample([])),
        ];
        let measured = samples
            .map(|(operation, connections, sample)| RoundTrips::new(operation, connections, &[sample], &objective));
        let table = round_trips(&measured, &objective);
        insta::assert_snapshot!(
            "round_trips",
            terminal::table(&table, Style { colour: false, width: 120, verbose: true })
        );
        let narrow = terminal::table(&table, Style { colour: false, width: 60, verbose: true });
        assert!(narrow.lines().take(7).all(|line| line.chars().count() <= 60), "{narrow}");
        let strict = Objective { percentile: 99.9, ..objective };
        let judged = RoundTrips::new("PING", 1, &[sample(std::iter::repeat_n(40_000, 20_000))], &strict);
        assert!(
            terminal::table(&round_trips(&[judged], &strict), Style { colour: false, width: 120, verbose: true })
                .contains("p99.9 µs")
        );
    }
}
