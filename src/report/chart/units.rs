//! Numbers as charts write them: short, and always with their unit.

/// A duration to three significant digits: `87 ns`, `1.23 ms`, `52.1 s`.
pub(super) fn duration(nanos: f64) -> String {
    let nanos = significant(nanos.max(0.0));
    let (value, unit) = match nanos {
        n if n < 1e3 => (n, "ns"),
        n if n < 1e6 => (n / 1e3, "µs"),
        n if n < 1e9 => (n / 1e6, "ms"),
        n => (n / 1e9, "s"),
    };
    format!("{} {unit}", plain(value))
}

/// A whole number, exact as in the tables: `12 345`.
pub(super) fn exact(count: u64) -> String {
    crate::report::format::plain(&crate::report::format::count(count))
}

/// A count to three significant digits: `950`, `12.4k`, `3.2M`.
pub(super) fn count(value: f64) -> String {
    let value = significant(value.max(0.0));
    match value {
        v if v < 1e4 => plain(v),
        v if v < 1e6 => format!("{}k", plain(v / 1e3)),
        v if v < 1e9 => format!("{}M", plain(v / 1e6)),
        v => format!("{}G", plain(v / 1e9)),
    }
}

/// `p50`, `p99`, `p99.9`.
pub(super) fn percentile(percent: f64) -> String {
    format!("p{}", plain(percent))
}

/// A ratio to two significant digits above 10 and one decimal below: `2.4`, `81`, `1 300`.
pub(super) fn factor(value: f64) -> String {
    if value < 10.0 { format!("{value:.1}") } else { count(value) }
}

/// A share to two significant digits: `3.8 %`, `41 %`, `100 %`.
pub(super) fn share(value: f64) -> String {
    let percent = 100.0 * value.max(0.0);
    match percent {
        p if p >= 9.95 => format!("{p:.0} %"),
        p if p >= 0.995 => format!("{p:.1} %"),
        p => format!("{} %", plain((p * 100.0).round() / 100.0)),
    }
}

/// Up to four decimals without trailing zeros.
fn plain(value: f64) -> String {
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn significant(value: f64) -> f64 {
    if value <= 0.0 || !value.is_finite() {
        return 0.0;
    }
    let step = 10_f64.powi(value.log10().floor() as i32 - 2);
    (value / step).round() * step
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_change_their_unit_where_a_person_would() {
        let written = [0.0, 87.0, 999.6, 1_234.0, 52_100_000.0, 999_700.0, 1.5e9, 3.6e12].map(duration);
        assert_eq!(written, ["0 ns", "87 ns", "1 µs", "1.23 µs", "52.1 ms", "1 ms", "1.5 s", "3600 s"]);
    }

    #[test]
    fn counts_stay_short() {
        let written = [0.0, 7.0, 950.0, 4_321.0, 12_430.0, 3.2e6, 1e9].map(count);
        assert_eq!(written, ["0", "7", "950", "4320", "12.4k", "3.2M", "1G"]);
    }

    #[test]
    fn shares_keep_two_digits() {
        let written = [0.0, 0.000_4, 0.008, 0.037_6, 0.406, 1.0].map(share);
        assert_eq!(written, ["0 %", "0.04 %", "0.8 %", "3.8 %", "41 %", "100 %"]);
    }

    #[test]
    fn percentiles_keep_their_decimals() {
        assert_eq!([50.0, 99.0, 99.9, 99.99].map(percentile), ["p50", "p99", "p99.9", "p99.99"]);
        assert_eq!([2.44, 81.0, 1_301.0].map(factor), ["2.4", "81", "1300"]);
    }
}
