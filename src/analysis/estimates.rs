//! The estimates of one row, from its tally.

use std::collections::BTreeSet;

use hdrhistogram::Histogram;

use super::{
    distribution::Distribution,
    events::{held_up, usual},
    grade::Grade,
    proportion::Proportion,
    row::{Row, Scope},
    silence::Silence,
    spans::most_within,
    tally::{Durations, Tally, whole_seconds},
    verdict::{self, Requests, RowJudgement},
};
use crate::{
    measure::{Counts, ErrorClass, Nanos, Recording, Span},
    results::Verdict,
    scenario::{Objective, Scenario, Service},
};

/// What a request may wait in turns of a worker that are too short to be recorded as pauses: one until it is sent, one until its
/// reply is seen.
const UNRECORDED: Nanos = 20_000_000;

/// Share of its time in which a worker is busy, above which its queues may be the cause of a wait. One that turns while it waits for a
/// due instant is busy by this measure too, with an unknown share of work.
const SATURATED: f64 = 0.85;

/// Requests of which the fastest was not judgement up by the harness.
const FASTEST_OF: u64 = 100;

/// Margins for what the harness may have added to a service time, as shares of the objective's latency.
const MARGINS: [f64; 4] = [0.25, 0.5, 1.0, 2.0];

/// Terms of the verdict of a row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms<'a> {
    scenario: &'a Scenario,
    silences: &'a [Silence],
    /// Whether a worker may have had no time left, so that its own queues made requests wait.
    saturated: bool,
    objective: &'a Objective,
    /// Length of the measured period.
    measured_ns: Nanos,
    /// Schedule lag of all requests: how long the harness needed at a random instant until it acted.
    lags: &'a Histogram<u64>,
    /// Whole seconds of it.
    whole_seconds: usize,
    /// Most that the harness itself may have added to a response time: the longest schedule lag, the most that it did not run
    /// within the time for the last replies, however many pauses those were, and turns that are too short to be one.
    added: Nanos,
    /// The shortest time after which a request is given up.
    timeout: Nanos,
    /// Least wait of the unfinished requests.
    drain_ns: Nanos,
}

impl<'a> Terms<'a> {
    pub(super) fn new(
        recording: &Recording,
        scenario: &'a Scenario,
        silences: &'a [Silence],
        pauses: &[Span],
        lags: &'a Histogram<u64>,
    ) -> Self {
        let drain_ns = recording.period.drain_ns;
        let longest = pauses.iter().map(Span::length).max().unwrap_or(0);
        let pools = scenario.services.iter().map(|service| service.pool);
        let timeouts = pools.flat_map(|pool| [pool.command_timeout, pool.checkout_timeout]);
        Self {
            scenario,
            silences,
            saturated: recording.workers.iter().any(|worker| worker.busy > SATURATED),
            objective: &scenario.objective,
            measured_ns: recording.period.measured_ns,
            lags,
            whole_seconds: whole_seconds(recording),
            added: lags.max() + longest.max(most_within(pauses, drain_ns)) + UNRECORDED,
            timeout: timeouts.min().map_or(0, |timeout| timeout.as_nanos() as Nanos),
            drain_ns,
        }
    }

    /// Whether all services of a row are closed loops.
    fn is_closed(&self, scope: &Scope) -> bool {
        let own = |service: &&Service| scope.service.as_ref().is_none_or(|name| service.name == *name);
        self.scenario.services.iter().filter(own).all(|service| service.offered_rate().is_none())
    }

    fn latency(&self) -> Nanos {
        self.objective.latency.as_nanos() as Nanos
    }
}

/// The row, and the objective compared with it.
pub(super) fn row(scope: Scope, tally: Tally, terms: Terms<'_>) -> (Row, RowJudgement) {
    let target = terms.latency() as f64;
    let requests = requests(&tally);
    let judgement = RowJudgement {
        conclusion: verdict::compare_with_objective(requests, terms.objective, terms.measured_ns),
        stands_alone: verdict::misses_alone(certain(&tally, requests.all, terms), terms.objective),
        worst_third_met: worst_third_met(&tally, terms),
        closed: terms.is_closed(&scope),
    };
    let Tally { counts, unfinished, response, service_time, wait, failed, bad_burstiness, rate, .. } = tally;
    let response = distribution(response);
    let judged = response.percentile(terms.objective.percentile);
    let asked = counts.hits + counts.misses;
    let row = Row {
        scope,
        unfinished,
        rate,
        times_faster: response.mean.filter(|mean| *mean > 0.0).map(|mean| target / mean),
        response,
        service_time: distribution(service_time),
        wait: distribution(wait),
        failed: distribution(failed),
        hit_ratio: (asked > 0).then(|| counts.hits as f64 / asked as f64),
        bad: Proportion::estimate(requests.bad, requests.all, bad_burstiness),
        bad_burstiness,
        judged,
        grade: judged.nanos().map(|nanos| Grade::of(nanos, target as u64)),
        verdict: judgement.conclusion.verdict,
        counts,
    };
    (row, judgement)
}

fn requests(tally: &Tally) -> Requests {
    let failed = tally.counts.failed();
    Requests {
        all: tally.counts.completed + failed + tally.unfinished,
        bad: tally.late + failed + tally.unfinished,
        failed,
        burstiness: tally.bad_burstiness,
    }
}

/// The requests that are bad whatever the harness added.
fn certain(tally: &Tally, all: u64, terms: Terms<'_>) -> Requests {
    let limit = terms.latency() + terms.added;
    let responses = &tally.response.histogram;
    let beyond_range = tally.counts.completed.saturating_sub(responses.len());
    let late = responses.len() - responses.count_between(0, limit) + beyond_range;
    let own = |class: &ErrorClass| !matches!(class, ErrorClass::Timeout | ErrorClass::CheckoutTimeout);
    let count = |counts: &Counts, of: &dyn Fn(&ErrorClass) -> bool| -> u64 {
        counts.errors.iter().filter(|(class, _)| of(class)).map(|(_, count)| count).sum()
    };
    // A request that was given up had waited for its timeout.
    let failed = count(&tally.counts, &|class| own(class) || terms.timeout > limit);
    let unfinished = if terms.drain_ns > limit { tally.unfinished } else { 0 };
    if terms.saturated {
        // The wait for a connection may be that for the worker, which shows in no lag. What remains is the time with the server, and
        // what was late while nobody was answered: a worker without time left goes on answering.
        let service = &tally.service_time.histogram;
        let slow = service.len() - service.count_between(0, limit);
        let failed = count(&tally.counts, &own);
        let stalled = in_stalls(tally, terms);
        let unfinished = if terms.silences.iter().any(|silence| silence.gone_since.is_some()) { unfinished } else { 0 };
        return Requests {
            all,
            bad: (slow + stalled + failed + unfinished).min(late + failed + unfinished),
            failed,
            burstiness: 1.0,
        };
    }
    let late = late.max(late_by_service(&tally.service_time.histogram, terms));
    Requests { all, bad: (late + failed + unfinished).min(all), failed, burstiness: 1.0 }
}

/// Requests that were late by their service time alone. The harness adds to it what it needs until it sees the reply, which is
/// as long as what it needs until it sends a request that is due: the lag. Of the requests that took the latency and a margin no
/// more are in doubt than have a lag of that margin; none where even the fastest took longer than the latency.
fn late_by_service(service: &Histogram<u64>, terms: Terms<'_>) -> u64 {
    let latency = terms.latency();
    if terms.lags.is_empty() {
        return 0;
    }
    if service.len() >= FASTEST_OF && service.min() > latency {
        return service.len();
    }
    let above = |histogram: &Histogram<u64>, limit| histogram.len() - histogram.count_between(0, limit);
    let certain = |margin: f64| {
        let margin = (margin * latency as f64) as Nanos;
        let doubtful = above(terms.lags, margin) as f64 / terms.lags.len() as f64;
        above(service, latency + margin).saturating_sub((doubtful * service.len() as f64).ceil() as u64)
    };
    MARGINS.into_iter().map(certain).max().unwrap_or(0)
}

/// Late requests of the seconds in which a service was not answered for longer than the objective's latency, and of those behind it
/// that have more than twice the usual number.
fn in_stalls(tally: &Tally, terms: Terms<'_>) -> u64 {
    let late: Vec<u64> = tally.seconds.iter().map(|tick| tick.late).collect();
    let usual = usual(&late);
    let spans = terms.silences.iter().flat_map(|silence| &silence.spans);
    let stalls = spans.filter(|span| span.length() > terms.latency());
    let stalled: BTreeSet<usize> = stalls.flat_map(|span| held_up(span, &late, usual)).collect();
    stalled.into_iter().map(|second| late[second]).sum()
}

/// Whether each third of the run meets the objective by itself.
fn worst_third_met(tally: &Tally, terms: Terms<'_>) -> bool {
    let seconds = &tally.seconds[..tally.seconds.len().min(terms.whole_seconds)];
    let third = seconds.len().div_ceil(3).max(1);
    seconds.chunks(third).all(|part| {
        let sum = |of: fn(&super::tally::Tick) -> u64| part.iter().map(of).sum::<u64>();
        let (completed, failed, bad) =
            (sum(|tick| tick.completed), sum(|tick| tick.failed), sum(super::tally::Tick::bad));
        let part = Requests { all: completed + failed, bad, failed, burstiness: tally.bad_burstiness };
        verdict::compare_with_objective(part, terms.objective, 0).verdict == Verdict::Pass
    })
}

fn distribution(durations: Durations) -> Distribution {
    Distribution::new(durations.histogram, durations.burstiness)
}
