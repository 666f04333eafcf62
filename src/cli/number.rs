//! Numbers of the command line.

/// Rates and growth beyond this are a slip of the keyboard.
const MOST: f64 = 100_000_000.0;

/// A number above 0.
pub(super) fn positive(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok().filter(|number| *number > 0.0 && *number <= MOST);
    number.ok_or_else(|| format!("not a number above 0 and up to {MOST}"))
}

/// Percent that matter, as a number of percent; the sign may be written or not.
pub(super) fn percent(text: &str) -> Result<f64, String> {
    let number = text.trim_end_matches('%').parse::<f64>().ok().filter(|percent| (0.5..=100.0).contains(percent));
    number.ok_or_else(|| "not a number of percent from 0.5 to 100".to_owned())
}
