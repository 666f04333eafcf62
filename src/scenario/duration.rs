//! Durations: `500ms`, `1.5s`, `2m`.

use std::time::Duration;

/// Units, largest first, with their length in nanoseconds.
const UNITS: [(&str, u128); 6] = [
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// Reads a number with its unit (`ns`, `us`, `ms`, `s`, `m` or `h`); decimals are exact.
///
/// # Errors
///
/// Parses a duration. An error has the expected form; it occurs for more decimals than nanoseconds, and beyond 2^64 ns.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    exact_nanos(text).map(Duration::from_nanos).ok_or_else(|| {
        format!(r#""{text}" is not a duration: expected a number and ns, us, ms, s, m or h, as in "500ms""#)
    })
}

/// The shortest text that [`parse_duration`] reads as this duration, in a whole number of the largest unit.
pub fn format_duration(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    if nanos == 0 {
        return "0s".to_owned();
    }
    let (unit, length) = UNITS.into_iter().find(|(_, length)| nanos.is_multiple_of(*length)).unwrap_or(("ns", 1));
    format!("{}{unit}", nanos / length)
}

fn exact_nanos(text: &str) -> Option<u64> {
    let start = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at(start);
    let (_, length) = UNITS.into_iter().find(|(name, _)| *name == unit)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |part: &str| (1..=20).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    let scale = 10_u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let part = fraction.parse::<u128>().ok()?.checked_mul(length)?;
    if !part.is_multiple_of(scale) {
        return None;
    }
    u64::try_from(whole.parse::<u128>().ok()?.checked_mul(length)? + part / scale).ok()
}

#[cfg(test)]
mod tests {
    use proptest::{prop_assert_eq, proptest};

    use super::*;

    #[test]
    fn reads_numbers_with_units() {
        for (text, nanos) in [
            ("500ms", 500_000_000),
            ("2s", 2_000_000_000),
            ("1m", 60_000_000_000),
            ("1.5h", 5_400_000_000_000),
            ("0.25us", 250),
            ("0s", 0),
        ] {
            assert_eq!(parse_duration(text), Ok(Duration::from_nanos(nanos)), "{text}");
        }
    }

    #[test]
    fn refuses_everything_else() {
        for text in ["", "5", "s", "-1s", "1 s", "1.s", ".5s", "1sec", "1e3s", "0.5ns", "99999999999h", "1s2ms", "1_0s"]
        {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn writes_the_largest_whole_unit() {
        assert_eq!(format_duration(Duration::from_secs(90)), "90s");
        assert_eq!(format_duration(Duration::from_secs(120)), "2m");
        assert_eq!(format_duration(Duration::from_millis(1500)), "1500ms");
    }

    proptest! {
        #[test]
        fn reads_what_it_writes(nanos: u64) {
            let duration = Duration::from_nanos(nanos);
            prop_assert_eq!(parse_duration(&format_duration(duration)), Ok(duration));
        }

        #[test]
        fn never_panics(text in ".*") {
            let _ = parse_duration(&text);
        }
    }
}
