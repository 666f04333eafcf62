//! Verdicts with their reasons, and the checks that bear on them.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Proportion, outages::Bounds};
use crate::{
    measure::{Nanos, Span},
    results::{CheckKind, Verdict},
};

/// Verdict on the whole run, with its reasons.
#[derive(Debug, Clone, PartialEq)]
pub struct Conclusion {
    /// The verdict.
    pub verdict: Verdict,
    /// Reasons, most important first; never empty.
    pub reasons: Vec<Reason>,
    /// The check by which the harness was late or short of CPU time, although the verdict stands: response times are at most
    /// what they seem to be, and throughput is at least that.
    pub harness_late: Option<CheckKind>,
}

/// One reason for a verdict.
#[derive(Debug, Clone, PartialEq)]
pub enum Reason {
    /// The share of late, failed and unfinished requests against the share that the objective allows.
    Objective {
        /// The service that misses it; `None` stands for all together.
        service: Option<String>,
        /// Observation.
        bad: Proportion,
        /// Permitted share, 0..=1.
        allowed: f64,
    },
    /// The share of failed requests against the objective's limit.
    Errors {
        /// The service that exceeds it; `None` stands for all together.
        service: Option<String>,
        /// Observed share, 0..=1.
        rate: f64,
        /// Permitted share, 0..=1.
        allowed: f64,
    },
    /// A check of the validity table refuses the measurement.
    Check(CheckKind),
    /// Nothing was measured.
    Empty,
    /// The requests leave both outcomes possible for another run.
    Undecided {
        /// Observation.
        bad: Proportion,
        /// Permitted share, 0..=1.
        allowed: f64,
        /// Reason.
        why: Doubt,
        /// Length of a run that would decide if its requests went as these did, in nanoseconds; `None` where that is more than
        /// a day, or no length would.
        run_ns: Option<Nanos>,
    },
    /// A closed loop got no answer for more of the time than the objective allows of its requests.
    Silent {
        /// The service.
        service: String,
        /// Share of the measured period at which a user who had come would have waited longer than the objective's latency, 0..=1.
        share: f64,
        /// Permitted share, 0..=1.
        allowed: f64,
        /// The longest span without an answer.
        longest: Span,
    },
    /// A service stopped being answered and was not answered again.
    Gone {
        /// The service.
        service: String,
        /// Since when, in nanoseconds since the start of the measured period.
        since: Nanos,
    },
    /// A service had requests under way, and none was answered in the whole measured period.
    NoAnswer {
        /// The service.
        service: String,
    },
    /// After an outage the objective was not met again within the limit, or perhaps not.
    Recovery {
        /// Service or node.
        subject: String,
        /// Time until the objective was met again.
        took: Bounds,
        /// Limit, in nanoseconds.
        limit: Nanos,
    },
    /// No request of a service fell due in the measured period.
    NothingDue {
        /// The service.
        service: String,
    },
    /// Response times moved all through the run, and its worst third does not meet the objective for certain.
    Drifting {
        /// The service whose median moved.
        service: String,
        /// By how much, in nanoseconds per minute.
        per_minute: f64,
    },
    /// The offered load is above capacity: the backlog grew all the time.
    Overloaded {
        /// The service whose backlog grew most.
        service: String,
        /// Growth of the backlog as a share of the offered rate, 0..=1.
        growth: f64,
    },
}

/// Reason of an inconclusive verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// There were too few.
    FewRequests,
    /// One more burst of late requests like those that there were would break the objective.
    Bursts,
    /// The share is so close to what is allowed that chance may have put it on either side.
    Close,
    /// The share is in order, but more requests failed than the objective allows, by what may be chance.
    Errors,
}

/// One check of the validity table.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    /// Identity.
    pub kind: CheckKind,
    /// Subject, if not the whole run: a service, an operation or a worker.
    pub subject: Option<String>,
    /// The measured quantity, in the unit of its limits.
    pub value: f64,
    /// Above this a warning.
    pub warn: f64,
    /// Above this the measurement is refused; `None` where the check only warns.
    pub refuse: Option<f64>,
    /// Verdict.
    pub level: Level,
    /// The quantity as a time, where the share alone says little: p99 of the schedule lag, or the change of the median per
    /// minute; in nanoseconds.
    pub nanos: Option<f64>,
}

impl Check {
    /// Whether it shows that the offered load was above capacity.
    pub fn is_overload(&self) -> bool {
        self.kind == CheckKind::Backlog && self.level == Level::Refuse
    }
}

/// Outcome of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// As it should be.
    Ok,
    /// The machine does not show the quantity: the check's value is no number.
    Unknown,
    /// Shown beside the numbers.
    Warn,
    /// The measurement is refused.
    Refuse,
}
