//! Events of the scenario for programs: the same names in `events.csv` and in the JSON summary.

use super::{number::seconds, record::record};
use crate::results::EventRecord;

record! {
    /// Event of the scenario. Its fields are the columns of `events.csv`, in their order. Times count from the start of the measured
    /// period.
    #[derive(Debug)]
    pub(super) struct EventSummary<'a>(event: &'a EventRecord) {
        /// Action, as in the scenario.
        action: &'a str = &event.action,
        /// When it was planned.
        planned_s: f64 = seconds(event.planned_ns),
        /// When it began; null if the run ended before.
        began_s: Option<f64> = event.began_ns.map(seconds),
        /// When it was done: a suspended node was continued, one that was started again answered, the last slot had moved, a command
        /// had its reply or had ended.
        ended_s: Option<f64> = event.ended_ns.map(seconds),
        /// Address of its node, of a reshard the one that the slots leave; null where it concerns all of them or none, or none was
        /// found.
        node: Option<&'a str> = event.node.as_deref(),
        /// Why it failed; null if it did not.
        failure: Option<&'a str> = event.failure.as_deref(),
        /// Result beyond its being done: the slots and keys that moved, the exit code of a command with its last line of standard
        /// error; null if there is none.
        outcome: Option<&'a str> = event.outcome.as_deref(),
    }
}
