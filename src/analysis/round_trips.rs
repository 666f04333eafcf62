//! Round trips that were measured one operation at a time, outside of a run.

use super::{Distribution, Grade, Percentile, burstiness::burstiness, verdict};
use crate::{
    measure::{Nanos, PackedHistogram, Unpacker, merged},
    results::Verdict,
    scenario::Objective,
};

/// Round trips of one operation at one number of connections.
#[derive(Debug, Clone)]
pub struct RoundTrips {
    /// Operation.
    pub operation: String,
    /// Connections, each with one request at a time.
    pub connections: u32,
    /// Response time.
    pub response: Distribution,
    /// Target divided by the mean response time; `None` where nothing was measured.
    pub times_faster: Option<f64>,
    /// Response time at the percentile that the objective judges.
    pub judged: Percentile,
    /// By the judged percentile; `None` where that cannot be printed.
    pub grade: Option<Grade>,
    /// Whether the objective is met, by the share of requests that took longer than the target: that may be certain where the
    /// judged percentile cannot be printed.
    pub verdict: Verdict,
}

impl RoundTrips {
    /// From the response times of samples that were taken one after another: what is rare may come in bursts, and a sample is to
    /// this what a second is to a run.
    pub fn new(operation: &str, connections: u32, samples: &[PackedHistogram], objective: &Objective) -> Self {
        let target = objective.latency.as_nanos() as Nanos;
        let whole = merged(samples);
        let slow = above(samples, whole.value_at_percentile(objective.percentile));
        let late = above(samples, target);
        let (bad, requests) = late.iter().fold((0, 0), |(bad, requests), (late, all)| (bad + late, requests + all));
        let asked = verdict::Requests { all: requests, bad, failed: 0, burstiness: burstiness(late.into_iter()) };
        let response = Distribution::new(whole, burstiness(slow.into_iter()));
        let judged = response.percentile(objective.percentile);
        Self {
            operation: operation.to_owned(),
            connections,
            times_faster: response.mean.filter(|mean| *mean > 0.0).map(|mean| target as f64 / mean),
            judged,
            grade: judged.nanos().map(|nanos| Grade::of(nanos, target)),
            verdict: verdict::compare_with_objective(asked, objective, 0).verdict,
            response,
        }
    }
}

/// Of each sample, how many requests took longer than a threshold, and how many there were.
fn above(samples: &[PackedHistogram], threshold: Nanos) -> Vec<(u64, u64)> {
    let mut unpacker = Unpacker::default();
    let of_sample = |sample| {
        let (mut above, mut all) = (0, 0);
        unpacker.visit(sample, |value, count| {
            all += count;
            above += if value > threshold { count } else { 0 };
        });
        (above, all)
    };
    samples.iter().map(of_sample).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::analysis::{PercentileValue, Support};
    use crate::measure::Latencies;

    const OBJECTIVE: Objective =
        Objective { latency: Duration::from_millis(100), percentile: 99.0, max_error_rate: 0.001, recovery: None };

    fn sample(fast: u32, slow: u32) -> PackedHistogram {
        let mut latencies = Latencies::default();
        (0..fast).for_each(|_| latencies.record(2_000_000));
        (0..slow).for_each(|_| latencies.record(40_000_000));
        latencies.pack()
    }

    #[test]
    fn are_compared_with_the_target_as_a_run_is() {
        let measured = RoundTrips::new("GET", 50, &[sample(1_000, 0), sample(1_000, 0)], &OBJECTIVE);
        assert_eq!((measured.grade, measured.response.histogram.len()), (Some(Grade::Excellent), 2_000));
        assert!((measured.times_faster.unwrap() - 50.0).abs() < 0.1, "{:?}", measured.times_faster);
        let slow = RoundTrips::new("GET", 1, &[sample(900, 100), sample(900, 100)], &OBJECTIVE);
        assert_eq!(slow.grade, Some(Grade::Acceptable));
    }

    #[test]
    fn a_burst_marks_the_percentile_and_hides_nothing() {
        let calm = RoundTrips::new("GET", 1, &[sample(990, 10), sample(990, 10), sample(990, 10)], &OBJECTIVE);
        assert!((calm.response.burstiness - 1.0).abs() < f64::EPSILON && calm.grade.is_some());
        // As many are slow, but all of them in one sample.
        let burst = RoundTrips::new("GET", 1, &[sample(1_000, 0), sample(970, 30), sample(1_000, 0)], &OBJECTIVE);
        assert!(burst.response.burstiness > 10.0, "{}", burst.response.burstiness);
        assert_eq!(burst.grade, Some(Grade::Excellent));
        assert!(matches!(burst.judged.value, PercentileValue::Known { support: Support::Bursts, .. }));
    }

    #[test]
    fn what_is_fast_enough_meets_the_objective_whether_or_not_its_percentile_is_known() {
        let outcome = |samples: &[PackedHistogram], millis| {
            let objective = Objective { latency: Duration::from_millis(millis), ..OBJECTIVE };
            let measured = RoundTrips::new("GET", 50, samples, &objective);
            (measured.grade.is_some(), measured.verdict)
        };
        let burst = [sample(5_000, 0), sample(4_850, 150), sample(5_000, 0)];
        assert_eq!(outcome(&burst, 100), (true, Verdict::Pass));
        // Now those of the burst are late, and one burst says little about how many there will be.
        assert_eq!(outcome(&burst, 10), (true, Verdict::Inconclusive));
        assert_eq!(outcome(&[sample(4_000, 1_000), sample(4_000, 1_000)], 10), (true, Verdict::Fail));
        assert_eq!(outcome(&[sample(20, 0)], 100), (false, Verdict::Inconclusive));
    }

    #[test]
    fn nothing_measured_is_nothing_said() {
        let nothing = RoundTrips::new("GET", 1, &[], &OBJECTIVE);
        assert_eq!((nothing.times_faster, nothing.grade, nothing.verdict), (None, None, Verdict::Inconclusive));
    }
}
