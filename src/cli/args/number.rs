//! Numbers of the command line.

use std::ops::RangeInclusive;

/// Rates and growth beyond this are a slip of the keyboard.
const MOST: f64 = 100_000_000.0;

/// A number above 0.
pub(in crate::cli) fn positive(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok().filter(|number| *number > 0.0 && *number <= MOST);
    number.ok_or_else(|| format!("not a number above 0 and up to {MOST}"))
}

/// The largest seed: TOML has no larger numbers.
pub(in crate::cli) const SEEDS: u64 = i64::MAX as u64;

/// A whole number of a range.
pub(in crate::cli) fn whole<N: TryFrom<u64>>(range: RangeInclusive<u64>) -> impl Fn(&str) -> Result<N, String> + Clone {
    move |text| {
        let number =
            text.parse().ok().filter(|number| range.contains(number)).and_then(|number| N::try_from(number).ok());
        number.ok_or_else(|| format!("not a whole number from {} to {}", range.start(), range.end()))
    }
}

/// Percent that matter, as a number of percent; the sign may be written or not.
pub(in crate::cli) fn percent(text: &str) -> Result<f64, String> {
    percent_within(text, 0.5, 100.0)
}

/// Percent that matter, as a share; the sign may be written or not.
pub(in crate::cli) fn share(text: &str) -> Result<f64, String> {
    percent_within(text, 0.1, 1_000.0).map(|percent| percent / 100.0)
}

fn percent_within(text: &str, least: f64, most: f64) -> Result<f64, String> {
    let number = text.trim_end_matches('%').trim_end().parse::<f64>().ok();
    number
        .filter(|percent| (least..=most).contains(percent))
        .ok_or_else(|| format!("not a number of percent from {least} to {most}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_have_a_range() {
        let workers = whole::<u16>(1..=65_535);
        assert_eq!([workers("1"), workers("65535")], [Ok(1), Ok(65_535)]);
        for text in ["", "abc", "0", "-1", "1.5", "65536", "99999999999999999999999"] {
            assert_eq!(workers(text), Err("not a whole number from 1 to 65535".to_owned()), "{text}");
        }
    }

    #[test]
    fn percent_are_written_with_or_without_their_sign() {
        assert_eq!([share("20%"), share("7.5"), share("150 %")], [Ok(0.2), Ok(0.075), Ok(1.5)]);
        assert_eq!([percent("20%"), percent("0.5")], [Ok(20.0), Ok(0.5)]);
        for text in ["", "0", "-3%", "x", "1001", "nan"] {
            assert!(share(text).is_err() && percent(text).is_err(), "{text}");
        }
        assert!(percent("150").is_err());
    }
}
