//! Disturbance of a slice, without regard to response times: dropping slow slices would drop the effect.

use crate::measure::Nanos;

/// Share of CPU time that the hypervisor may take, and of the time in which the container may be throttled, as in any run.
const DISTURBED: f64 = 0.05;

/// Median schedule lag from which a slice measures the harness more than the server.
const LATE: Nanos = 250_000;

/// Reason why a slice is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::analysis) enum Disturbance {
    Stolen,
    Throttled,
    Late,
}

/// What disturbed a slice, by its shares of CPU time that were taken away, and its median schedule lag unless nothing was due.
pub(in crate::analysis) fn disturbance(
    stolen: Option<f64>,
    throttled: Option<f64>,
    lag_p50: Option<Nanos>,
) -> Option<Disturbance> {
    let disturbed = |share: Option<f64>| share.is_some_and(|share| share > DISTURBED);
    if disturbed(stolen) {
        Some(Disturbance::Stolen)
    } else if disturbed(throttled) {
        Some(Disturbance::Throttled)
    } else {
        lag_p50.is_some_and(|lag| lag > LATE).then_some(Disturbance::Late)
    }
}
