//! Finds the moments at which hardly anything was answered for a while.

use super::{Finding, Timeline};
use crate::measure::{Nanos, SECOND};

/// Shortest wait that is called a stall.
const SHORTEST: Nanos = 250_000_000;

/// A stall is so many times longer than the usual p99 of a second.
const UNUSUAL: u64 = 10;

/// Seconds that it takes to know what is usual.
const SECONDS: usize = 3;

/// Share of the usual number of answers below which a second counts as thin.
const THIN: f64 = 0.75;

/// Stalls of the whole system, in order.
///
/// A single slow request is none. Either a good part of a second's requests waited for the same end, so that its p99 is
/// near its maximum, as in an open loop; or fewer requests than usual were answered in it or in the second before, as in a
/// closed loop, whose clients wait and ask for nothing more.
pub(super) fn stalls(whole: &Timeline, measured: usize) -> Vec<Finding> {
    let seconds = &whole.seconds[..whole.seconds.len().min(measured + 1)];
    let mut tails: Vec<Nanos> = seconds.iter().filter_map(|moment| moment.response).map(|(_, p99, _)| p99).collect();
    let mut counts: Vec<u64> = seconds.iter().take(measured).map(|moment| moment.completed).collect();
    if counts.len() < SECONDS || tails.is_empty() {
        return Vec::new();
    }
    tails.sort_unstable();
    counts.sort_unstable();
    let (usual_tail, usual_count) = (tails[(tails.len() - 1) / 2], counts[counts.len() / 2]);
    let is_thin = |second: usize| (seconds[second].completed as f64) < THIN * usual_count as f64;

    let mut found: Vec<(u32, u32, Nanos)> = Vec::new();
    for (second, moment) in seconds.iter().enumerate() {
        let Some((_, p99, max)) = moment.response else { continue };
        let long = max >= SHORTEST && max > UNUSUAL * usual_tail;
        let many = p99 >= max / 2;
        let thin = (second < measured && is_thin(second)) || (second > 0 && is_thin(second - 1));
        if !long || !(many || thin) {
            continue;
        }
        let began = moment.second.saturating_sub((max / SECOND) as u32);
        match found.last_mut() {
            Some((_, until, longest)) if began <= *until + 1 => {
                *until = moment.second;
                *longest = max.max(*longest);
            }
            _ => found.push((began, moment.second, max)),
        }
    }
    found.into_iter().map(|(second, _, max)| Finding::Stall { second, max }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::Moment;

    const MS: Nanos = 1_000_000;

    fn timeline(seconds: &[(u64, Nanos, Nanos)]) -> Timeline {
        let moment = |(&(completed, p99, max), second)| Moment {
            second,
            completed,
            response: (completed > 0).then_some((MS / 10, p99, max)),
            ..Moment::default()
        };
        Timeline { seconds: seconds.iter().zip(0..).map(moment).collect() }
    }

    #[test]
    fn a_flood_of_late_answers_ends_one() {
        let course =
            [(1000, MS, 3 * MS), (1000, MS, 3 * MS), (950, MS, MS), (1050, 890 * MS, 900 * MS), (1000, MS, MS)];
        assert_eq!(stalls(&timeline(&course), 5), [Finding::Stall { second: 3, max: 900 * MS }]);
    }

    #[test]
    fn one_of_several_seconds_began_where_answers_ceased() {
        let course =
            [(1000, MS, MS), (1000, MS, MS), (0, 0, 0), (0, 0, 0), (3000, 2_300 * MS, 2_400 * MS), (1000, MS, MS)];
        assert_eq!(stalls(&timeline(&course), 6), [Finding::Stall { second: 2, max: 2_400 * MS }]);
    }

    #[test]
    fn closed_loops_show_it_by_fewer_answers() {
        let course = [(9000, MS, MS), (9000, MS, MS), (4500, MS, 500 * MS), (9000, MS, MS)];
        assert_eq!(stalls(&timeline(&course), 4), [Finding::Stall { second: 2, max: 500 * MS }]);
    }

    #[test]
    fn a_single_slow_request_is_none() {
        let course = [(1000, MS, MS), (1000, MS, 900 * MS), (1000, MS, MS), (1000, MS, MS)];
        assert_eq!(stalls(&timeline(&course), 4), []);
    }

    #[test]
    fn what_is_slow_all_the_time_is_none() {
        let course = [(1000, 400 * MS, 500 * MS); 6];
        assert_eq!(stalls(&timeline(&course), 6), []);
    }
}
