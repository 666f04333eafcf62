//! Outages for programs: the same names in `outages.csv` and in the JSON summary.

use super::{number::seconds, record::record};
use crate::{
    analysis::{Analysis, Outage, Subject},
    measure::Nanos,
    results::Run,
};

record! {
    /// Outage of a service or a node. Its fields are the columns of `outages.csv`, in their order. Instants count from the start of
    /// the measured period; where their bounds differ, the instant lies between them.
    #[derive(Debug)]
    pub(super) struct OutageSummary<'a>(outage: &'a Outage, measured_ns: Nanos) {
        /// Name of the service; null for an outage of a node.
        service: Option<&'a str> = service(outage),
        /// Address of the node; null for an outage of a service.
        node: Option<&'a str> = node(outage),
        /// Address of the node that completed requests for its slots afterwards, where that is another one.
        successor: Option<&'a str> = successor(outage),
        /// Lower bound of the instant of the last completed request before it.
        began_least_s: f64 = seconds(outage.began.from_ns),
        /// Upper bound of that instant.
        began_most_s: f64 = seconds(outage.began.to_ns),
        /// Lower bound of the time without completed requests.
        length_least_s: f64 = seconds(outage.length(measured_ns).least),
        /// Upper bound of that time; null where the measured period ended before.
        length_most_s: Option<f64> = outage.length(measured_ns).most.map(seconds),
        /// Lower bound of the time from the beginning until the objective was met again.
        recovery_least_s: f64 = seconds(outage.recovery(measured_ns).least),
        /// Upper bound of that time; null where the objective was not met again.
        recovery_most_s: Option<f64> = outage.recovery(measured_ns).most.map(seconds),
        /// Number of requests that failed until then.
        failed: u64 = outage.failed,
        /// Number of requests that completed late until then.
        late: u64 = outage.late,
        /// Event of the scenario that it followed.
        event: Option<&'a str> = outage.event.as_deref(),
    }
}

/// A record of each outage.
pub(super) fn summaries<'a>(run: &'a Run, analysis: &'a Analysis) -> impl Iterator<Item = OutageSummary<'a>> {
    let summary = |outage| OutageSummary::new(outage, run.recording.period.measured_ns);
    analysis.outages.iter().map(summary)
}

fn service(outage: &Outage) -> Option<&str> {
    match &outage.subject {
        Subject::Service(name) => Some(name),
        Subject::Node { .. } => None,
    }
}

fn node(outage: &Outage) -> Option<&str> {
    match &outage.subject {
        Subject::Service(_) => None,
        Subject::Node { address, .. } => Some(address),
    }
}

fn successor(outage: &Outage) -> Option<&str> {
    match &outage.subject {
        Subject::Node { successor, .. } => successor.as_deref(),
        Subject::Service(_) => None,
    }
}
