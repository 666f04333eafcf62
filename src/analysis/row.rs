//! One line of the summary, from what it adds up to.

use super::{
    Distribution, Grade, Proportion, Row, Scope, Verdict,
    tally::{Durations, Tally},
    verdict,
};
use crate::scenario::Objective;

impl Row {
    /// The row, and the objective held against it.
    pub(super) fn new(scope: Scope, tally: Tally, objective: &Objective) -> (Self, Verdict) {
        let Tally { counts, unfinished, response, service_time, wait, failed, late, bad_burstiness, rate, .. } = tally;
        let target = objective.latency.as_nanos() as f64;
        let response = distribution(response);
        let judged = response.percentile(objective.percentile);
        let failures = counts.failed();
        let requests = counts.completed + failures + unfinished;
        let bad = Proportion::estimate(late + failures + unfinished, requests, bad_burstiness);
        let asked = counts.hits + counts.misses;
        let held = verdict::hold(&bad, verdict::error_rate(&counts, &bad), bad_burstiness, objective);
        let row = Self {
            scope,
            unfinished,
            rate,
            times_faster: response.mean.filter(|mean| *mean > 0.0).map(|mean| target / mean),
            response,
            service_time: distribution(service_time),
            wait: distribution(wait),
            failed: distribution(failed),
            hit_ratio: (asked > 0).then(|| counts.hits as f64 / asked as f64),
            bad,
            bad_burstiness,
            judged,
            grade: judged.nanos().map(|nanos| Grade::of(nanos, target as u64)),
            outcome: held.outcome,
            counts,
        };
        (row, held)
    }
}

fn distribution(durations: Durations) -> Distribution {
    Distribution::new(durations.histogram, durations.burstiness)
}
