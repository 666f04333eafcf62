//! Round trips that were measured one operation at a time, against the target.

use super::{
    Cell, Table,
    results::{Marks, grade, grades, outcome, with_judged},
};
use crate::{analysis::RoundTrips, report::format, scenario::Objective};

/// The table: one row per operation and number of connections.
pub(in crate::report) fn round_trips(measured: &[RoundTrips], objective: &Objective) -> Table {
    let caption = format!("Response time of each operation against {}", format::setting(objective.latency));
    let mut table = Table::of("round-trips", caption, measured)
        .head("Operation", |of| &of.operation)
        .numbers("Connections", 0, |of| of.connections)
        .numbers("Requests", 3, |of| of.response.histogram.len())
        .times("Mean", 2, |of| Cell::time(of.response.mean));
    let mut marks = Marks::default();
    for (shown, dispensable) in with_judged(&[(50.0, 1), (99.0, 1)], objective) {
        table = table.times(&format::percentile(shown), dispensable, |of| {
            marks.value(shown, of.response.percentile(shown).value)
        });
    }
    let held = format!(
        "met if at 95 % confidence at most {} of the requests take longer than {}, which may be certain although the \
         percentile is not printed",
        format::limit(objective.allowed()),
        format::setting(objective.latency),
    );
    table
        .times("Max", 4, |of| {
            let response = &of.response.histogram;
            Cell::time((!response.is_empty()).then(|| response.max() as f64))
        })
        .times("Target", 5, |_| Cell::time(objective.latency.as_nanos() as f64))
        .numbers("Faster", 2, |of| of.times_faster.map(format::factor))
        .words("Grade", 0, |of| grade(of.grade))
        .words("Objective", 0, |of| outcome(of.verdict))
        .table()
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
        let objective =
            Objective { latency: Duration::from_millis(100), percentile: 99.0, max_error_rate: 0.001, recovery: None };
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
