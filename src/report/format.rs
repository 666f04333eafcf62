//! How quantities are written: one place for units, digits and separators, used by every output that people read.
//!
//! Measured values have three significant digits, like the histograms that they come from. Times in running text have the
//! unit that suits each; a column has one unit for all of its values, so that they can be compared at a glance. Numbers and units are held together by a narrow
//! no-break space, as are groups of three digits; [`plain`] turns it into an ordinary one for plain text.

use std::time::Duration;

/// Narrow no-break space.
pub(crate) const THIN: char = '\u{202f}';

/// What stands where there is nothing to say.
pub(crate) const NOTHING: &str = "–";

/// The same text with ordinary spaces.
pub(crate) fn plain(text: &str) -> String {
    text.replace(THIN, " ")
}

/// A whole number, digits in groups of three: `100 012`.
pub(crate) fn count(number: u64) -> String {
    grouped(&number.to_string())
}

/// A count of things: `1 request`, `2 requests`.
pub(crate) fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{}{THIN}{}", count(number), if number == 1 { one } else { many })
}

/// Unit of times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TimeUnit {
    /// Nanoseconds.
    Nanos,
    /// Microseconds.
    Micros,
    /// Milliseconds.
    Millis,
    /// Seconds.
    Seconds,
}

impl TimeUnit {
    /// The unit in which the largest of some times, in nanoseconds, is written; never nanoseconds, in which nothing is
    /// compared.
    pub(crate) fn of(times: &[f64]) -> Self {
        match times.iter().copied().map(f64::abs).fold(0.0, f64::max) {
            0.0 => Self::Millis,
            most if most < 999_500.0 => Self::Micros,
            most if most < 1e10 => Self::Millis,
            _ => Self::Seconds,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Nanos => "ns",
            Self::Micros => "µs",
            Self::Millis => "ms",
            Self::Seconds => "s",
        }
    }

    /// A time in nanoseconds as a number of this unit, to three digits and at most three decimals.
    pub(crate) fn write(self, nanos: f64) -> String {
        let value = match self {
            Self::Nanos => nanos,
            Self::Micros => nanos / 1e3,
            Self::Millis => nanos / 1e6,
            Self::Seconds => nanos / 1e9,
        };
        if value < 0.0 {
            return format!("−{}", self.write(-nanos));
        }
        if value > 0.0 && value < 0.1 { format!("{:.3}", value.max(0.001)) } else { significant(value) }
    }
}

/// How long something has lasted, in the unit that fits: `5 minutes`, `123 days`.
pub(crate) fn age(seconds: u64) -> String {
    match seconds {
        0..120 => counted(seconds, "second", "seconds"),
        120..7_200 => counted(seconds / 60, "minute", "minutes"),
        7_200..172_800 => counted(seconds / 3_600, "hour", "hours"),
        _ => counted(seconds / 86_400, "day", "days"),
    }
}

/// A duration in nanoseconds with the unit that suits it: `412 µs`.
pub(crate) fn duration(nanos: f64) -> String {
    let unit = if nanos > 0.0 && nanos < 999.5 { TimeUnit::Nanos } else { TimeUnit::of(&[nanos]) };
    format!("{}{THIN}{}", unit.write(nanos.max(0.0)), unit.name())
}

/// A duration as the user chose it, exact: `100 ms`, `1.5 s`, `10 min`.
pub(crate) fn setting(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    let (unit, size) = match nanos {
        0 => ("s", 1.0),
        1..1_000 => ("ns", 1.0),
        1_000..1_000_000 => ("µs", 1e3),
        1_000_000..1_000_000_000 => ("ms", 1e6),
        _ if nanos.is_multiple_of(60_000_000_000) => ("min", 60e9),
        _ => ("s", 1e9),
    };
    format!("{}{THIN}{unit}", nanos as f64 / size)
}

/// Events per second: `3 998/s`.
pub(crate) fn rate(per_second: f64) -> String {
    format!("{}/s", significant(per_second))
}

/// How many times faster than the target: `769×`.
pub(crate) fn factor(times: f64) -> String {
    format!("{}×", significant(times))
}

/// A size in binary units: `15.6 GiB`.
pub(crate) fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    let number = if unit == 0 { count(bytes) } else { significant(value) };
    format!("{number}{THIN}{}", UNITS[unit])
}

/// A share (0..=1) in percent. What is not quite nothing or not quite all never reads as `0 %` or `100 %`.
pub(crate) fn share(share: f64) -> String {
    format!("{}{THIN}%", percent(share, decimals(share)))
}

/// A share that may be more than all: `92 %`, `130 %`.
pub(crate) fn portion(share: f64) -> String {
    if share > 1.0 { format!("{}{THIN}%", significant(share * 100.0)) } else { self::share(share) }
}

/// A share (0..=1) as the user chose it, exact: `99.9 %`, `0.1 %`.
pub(crate) fn limit(share: f64) -> String {
    // Twelve digits take away what binary fractions add: 0.001 * 100 is 0.1, not 0.10000000000000001.
    let percent = format!("{:.12}", share * 100.0);
    format!("{}{THIN}%", percent.trim_end_matches('0').trim_end_matches('.'))
}

/// A share with its confidence interval, all three with the decimals that suit the first: `99.98 % [99.97, 99.99]`.
pub(crate) fn share_interval(point: f64, low: f64, high: f64) -> String {
    let decimals = [point, low, high].into_iter().map(decimals).find(|decimals| *decimals > 0).unwrap_or(0);
    let [point, low, high] = [point, low, high].map(|share| percent(share, decimals));
    format!("{point}{THIN}% [{low}, {high}]")
}

/// The name of a percentile: `p99.9`.
pub(crate) fn percentile(percentile: f64) -> String {
    format!("p{percentile}")
}

/// A number with three significant digits, grouped: `0.0290`, `13.4`, `12 345`.
pub(crate) fn significant(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    // Scientific notation rounds first, so that 9.996 counts as 10.0 and keeps three digits.
    let rounded = format!("{value:.2e}");
    let exponent: i32 = rounded.split_once('e').and_then(|(_, exponent)| exponent.parse().ok()).unwrap_or(0);
    grouped(&format!("{value:.*}", (2 - exponent).max(0) as usize))
}

/// Shares below a millionth of a percent are written as that.
const MOST_DECIMALS: usize = 6;

/// Decimals that show two significant digits of the distance from nothing or all, whichever is nearer.
fn decimals(share: f64) -> usize {
    let percent = share * 100.0;
    let distance = percent.min(100.0 - percent);
    match distance {
        d if d <= 0.0 => 0,
        d if d >= 1.0 => 1,
        d => ((1.0 - d.log10().floor()) as usize).min(MOST_DECIMALS),
    }
}

fn percent(share: f64, decimals: usize) -> String {
    let percent = share * 100.0;
    if percent <= 0.0 || percent >= 100.0 {
        return format!("{}", percent.clamp(0.0, 100.0));
    }
    // What would round to nothing or all is written as the nearest number that does not.
    let step: f64 = (0..decimals).fold(1.0, |step, _| step / 10.0);
    format!("{:.decimals$}", percent.clamp(step.min(50.0), (100.0 - step).max(50.0)))
}

fn grouped(number: &str) -> String {
    let end = number.find('.').unwrap_or(number.len());
    let first = usize::from(number.starts_with('-')) + 1;
    let mut text = number.to_owned();
    for place in (first..end).rev().filter(|place| (end - place).is_multiple_of(3)) {
        text.insert(place, THIN);
    }
    text
}

/// A change, as a ratio, in percent with its sign: `+6.1`, `−0.4`, `0.0`; without decimals from 100 on.
pub(crate) fn signed(ratio: f64) -> String {
    let percent = (ratio - 1.0) * 100.0;
    let digits = if percent.abs() < 99.95 { format!("{:.1}", percent.abs()) } else { format!("{:.0}", percent.abs()) };
    match percent {
        _ if digits == "0.0" => digits,
        below if below < 0.0 => format!("−{digits}"),
        _ => format!("+{digits}"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

    use super::*;

    fn read(text: &str) -> f64 {
        text.replace(THIN, "").parse().unwrap()
    }

    #[test]
    fn durations_have_three_digits_and_the_unit_that_suits_them() {
        let written = |nanos| plain(&duration(nanos));
        assert_eq!(written(412.0), "412 ns");
        assert_eq!(written(667.0), "667 ns");
        assert_eq!(written(999.7), "1.00 µs");
        assert_eq!(written(28_960.0), "29.0 µs");
        assert_eq!(written(412_300.0), "412 µs");
        assert_eq!(written(999_600.0), "1.00 ms");
        assert_eq!(written(9_996_000.0), "10.0 ms");
        assert_eq!(written(953_400_000.0), "953 ms");
        assert_eq!(written(1_234_000_000.0), "1 234 ms");
        assert_eq!(written(12_340_000_000.0), "12.3 s");
        assert_eq!(written(0.0), "0 ms");
    }

    #[test]
    fn times_of_a_column_share_a_unit() {
        let written = |times: &[f64]| {
            let unit = TimeUnit::of(times);
            let each: Vec<_> = times.iter().map(|nanos| plain(&unit.write(*nanos))).collect();
            format!("{} {}", each.join(" "), unit.name())
        };
        assert_eq!(written(&[96_600.0, 667.0, 0.0]), "96.6 0.667 0 µs");
        assert_eq!(written(&[96_600.0, 2_400_000.0, 667.0, 12.0]), "0.097 2.40 0.001 0.001 ms");
        assert_eq!(written(&[12_000_000_000.0, 96_600.0]), "12.0 0.001 s");
        assert_eq!(written(&[0.0]), "0 ms");
        assert_eq!(written(&[-5_630.0, 20.0]), "−5.63 0.020 µs");
    }

    #[test]
    fn ages_have_the_unit_that_fits() {
        let written = |seconds| plain(&age(seconds));
        assert_eq!([written(0), written(1), written(119)], ["0 seconds", "1 second", "119 seconds"]);
        assert_eq!([written(120), written(7_200), written(172_799)], ["2 minutes", "2 hours", "47 hours"]);
        assert_eq!(written(10_641_682), "123 days");
    }

    #[test]
    fn settings_are_exact() {
        let written = |nanos| plain(&setting(Duration::from_nanos(nanos)));
        assert_eq!(written(100_000_000), "100 ms");
        assert_eq!(written(1_500_000_000), "1.5 s");
        assert_eq!(written(250_000), "250 µs");
        assert_eq!(written(600_000_000_000), "10 min");
        assert_eq!(written(90_000_000_000), "90 s");
        assert_eq!(written(0), "0 s");
    }

    #[test]
    fn counts_and_sizes() {
        assert_eq!(plain(&count(7)), "7");
        assert_eq!(plain(&count(4_100)), "4 100");
        assert_eq!(plain(&count(100_012)), "100 012");
        assert_eq!(plain(&counted(1, "request", "requests")), "1 request");
        assert_eq!(plain(&bytes(512)), "512 B");
        assert_eq!(plain(&bytes(16 * 1024 * 1024 * 1024)), "16.0 GiB");
        assert_eq!(factor(68.49), "68.5×");
        assert_eq!(plain(&rate(3_998.2)), "3 998/s");
        assert_eq!(percentile(99.0), "p99");
        assert_eq!(percentile(99.9), "p99.9");
    }

    #[test]
    fn shares_never_round_to_all_or_nothing() {
        let written = |value| plain(&share(value));
        assert_eq!(written(0.0), "0 %");
        assert_eq!(written(1.0), "100 %");
        assert_eq!(written(0.5), "50.0 %");
        assert_eq!(written(0.9998), "99.980 %");
        assert_eq!(written(0.000_02), "0.0020 %");
        assert_eq!(written(1e-12), "0.000001 %");
        assert_eq!(written(1.0 - 1e-12), "99.999999 %");
        assert_eq!(plain(&limit(0.001)), "0.1 %");
        assert_eq!(plain(&limit(0.25)), "25 %");
        assert_eq!(plain(&share_interval(0.9998, 0.9997, 0.9999)), "99.980 % [99.970, 99.990]");
        assert_eq!(plain(&share_interval(1.0, 0.9999, 1.0)), "100 % [99.990, 100]");
    }

    proptest! {
        #[test]
        fn three_digits_are_within_half_a_percent(value in 1e-3_f64..1e12) {
            prop_assert!((read(&significant(value)) / value - 1.0).abs() <= 0.005);
        }

        #[test]
        fn grouping_loses_nothing(number: u64) {
            prop_assert_eq!(count(number).replace(THIN, ""), number.to_string());
        }
    }
}
