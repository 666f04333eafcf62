//! The saved artifact of `plimsoll ci`: every scenario with what was checked and what was measured.
//!
//! A check is something that CI can be reported in a line; a measure is a number that its tools follow over time. Neither knows
//! where it comes from, so that every output shows whatever checks there are.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{InCheck, ResultsError, Software, Verdict, json::versioned, upgrade};

/// Version of the schema of [`Ci`] that this build writes and reads.
pub const CI_VERSION: u32 = 1;

/// All scenarios of one `plimsoll ci`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "Summary of plimsoll ci")]
pub struct Ci {
    /// Version of this schema.
    #[schemars(extend("const" = CI_VERSION))]
    pub schema_version: u32,
    /// What measured.
    pub software: Software,
    /// When it began, RFC 3339 in UTC with seconds.
    pub started: String,
    /// Configured outcome of an inconclusive check.
    pub inconclusive: Leniency,
    /// Exit code of the process.
    pub exit_code: u8,
    /// Every scenario, in the order of the command line.
    pub scenarios: Vec<CiScenario>,
}

/// Outcome of an inconclusive check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Leniency {
    /// As passed, without a word beyond the summary.
    Pass,
    /// As passed, with a warning.
    #[default]
    Warn,
    /// As a failure of its own kind.
    Fail,
}

/// One scenario.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CiScenario {
    /// Its name; where two have the same one, the later is numbered.
    pub name: String,
    /// Folder of its run, from the folder that this is saved in; `None` where there is no run.
    pub folder: Option<String>,
    /// Duration from the start of a private server to the report, in seconds.
    pub seconds: f64,
    /// Whether its measures may enter a history: the run is neither invalid nor was it ended early.
    pub trusted: bool,
    /// Checks; never empty.
    pub checks: Vec<CiCheck>,
    /// Target of the measurement.
    pub measures: Vec<CiMeasure>,
}

/// One thing that was checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CiCheck {
    /// Subject: `objective`, `audit`, `run`, `baseline`, `gate`.
    pub name: String,
    /// Service, where it is about one.
    pub service: Option<String>,
    /// Operation of the service, or the rule of an audit, where it is about one.
    pub operation: Option<String>,
    /// The outcome.
    #[serde(with = "InCheck")]
    pub outcome: Verdict,
    /// Whether the outcome counts for the scenario; otherwise it is reported to those who look closer, and no more.
    pub decides: bool,
    /// One line that the user can act on, with the name of the scenario.
    pub sentence: String,
    /// Remarks, one line each.
    pub detail: Vec<String>,
}

/// One number that can be followed over time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CiMeasure {
    /// Service; `None` stands for all.
    pub service: Option<String>,
    /// Operation; `None` stands for all.
    pub operation: Option<String>,
    /// Quantity: `mean` or a percentile such as `p99` of the response time, `throughput`.
    pub metric: String,
    /// Unit of the numbers.
    pub unit: Unit,
    /// The value.
    pub value: f64,
    /// Lower bound of its 95 % confidence interval, where there is one.
    pub low: Option<f64>,
    /// Upper bound.
    pub high: Option<f64>,
    /// Direction of improvement.
    pub better: Better,
}

/// Unit of a measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Unit {
    /// Microseconds.
    #[serde(rename = "us")]
    Microseconds,
    /// Per second.
    #[serde(rename = "1/s")]
    PerSecond,
}

/// Direction in which a measure improves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Better {
    /// Downwards.
    Smaller,
    /// Upwards.
    Bigger,
}

impl CiCheck {
    /// A check that counts, without remarks; `about` is its service and operation.
    pub fn new(name: &str, about: (Option<&str>, Option<&str>), outcome: Verdict, sentence: String) -> Self {
        let [service, operation] = <[_; 2]>::from(about).map(|part| part.map(str::to_owned));
        Self { name: name.to_owned(), service, operation, outcome, decides: true, sentence, detail: Vec::new() }
    }
}

impl Ci {
    /// The artifact as JSON, indented, since people look into it.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("strings and numbers always have a JSON form");
        text.push('\n');
        text
    }

    /// Reads what [`Self::to_json`] wrote, in this version or an earlier one.
    pub fn from_json(text: &str) -> Result<Self, ResultsError> {
        versioned(text, CI_VERSION, |ci: &Self| ci.schema_version, upgrade::ci)
    }
}

impl CiScenario {
    /// The worst outcome of the checks that count.
    pub fn outcome(&self) -> Verdict {
        self.checks.iter().filter(|check| check.decides).map(|check| check.outcome).max().unwrap_or(Verdict::Pass)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::sample;

    #[test]
    fn comes_back_as_it_was() {
        let ci = sample::small_ci();
        assert_eq!(Ci::from_json(&ci.to_json()).unwrap(), ci);
    }

    #[test]
    fn the_worst_check_that_counts_makes_the_scenario() {
        use Verdict::{Fail, Inconclusive, Invalid, Pass};

        let mut scenario = sample::small_ci().scenarios.swap_remove(0);
        let of = |scenario: &mut CiScenario, outcomes: &[(Verdict, bool)]| {
            let one = scenario.checks[0].clone();
            let check =
                |(outcome, decides): &(Verdict, bool)| CiCheck { outcome: *outcome, decides: *decides, ..one.clone() };
            scenario.checks = outcomes.iter().map(check).collect();
            scenario.outcome()
        };
        assert_eq!(of(&mut scenario, &[(Pass, true), (Fail, false)]), Pass);
        assert_eq!(of(&mut scenario, &[(Fail, true), (Invalid, true), (Inconclusive, true)]), Fail);
        assert_eq!(of(&mut scenario, &[(Inconclusive, true), (Invalid, true)]), Invalid);
    }
}
