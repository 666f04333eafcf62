//! The judged percentile as a school report has it.

use schemars::JsonSchema;
use serde::Serialize;

use crate::measure::Nanos;

/// Classification of the judged percentile against the target, as in a school report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Grade {
    /// Up to 5 % of the target.
    Excellent,
    /// Up to 25 %.
    Good,
    /// Up to the target.
    Acceptable,
    /// Above the target.
    Missed,
}

/// Shares of the target up to which a grade reaches.
const EXCELLENT: f64 = 0.05;
const GOOD: f64 = 0.25;

impl Grade {
    /// The grade of a response time against a target.
    pub fn of(response: Nanos, target: Nanos) -> Self {
        match response as f64 / target as f64 {
            share if share <= EXCELLENT => Self::Excellent,
            share if share <= GOOD => Self::Good,
            share if share <= 1.0 => Self::Acceptable,
            _ => Self::Missed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_belong_to_the_better_grade() {
        let target = 100_000_000;
        let grades = [0, 5_000_000, 5_000_001, 25_000_000, 25_000_001, 100_000_000, 100_000_001]
            .map(|response| Grade::of(response, target));
        let expected = [
            Grade::Excellent,
            Grade::Excellent,
            Grade::Good,
            Grade::Good,
            Grade::Acceptable,
            Grade::Acceptable,
            Grade::Missed,
        ];
        assert_eq!(grades, expected);
    }
}
