//! Whether more connections or more servers are worth a thought, by what was measured of those that there are.

use super::{
    Check, CheckKind, Level, PoolUse, Row, ServerSide,
    evidence::Evidence,
    findings::{BUSY_POOL, MOSTLY_WAIT},
    server_findings::SATURATED,
};

/// Share of a pool in use from which on it may be too small; by then requests wait noticeably.
const NARROW: f64 = 0.8;

/// Share of a main thread from which on more servers are worth a thought.
const BUSY: f64 = 0.8;

/// Evidence for growth, and against it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Scaling {
    /// Pools of which something can be said, in the scenario's order.
    pub pools: Vec<PoolNeed>,
    /// The server's main thread in its busiest second, 0..=1, and whether that calls for more servers; `None` where it is
    /// not known.
    pub server: Option<(f64, bool)>,
}

/// Whether a pool is too small for its load.
#[derive(Debug, Clone, PartialEq)]
pub struct PoolNeed {
    /// Use.
    pub pool: PoolUse,
    /// 99th percentile of the wait for a connection, in nanoseconds.
    pub wait_p99: Option<u64>,
    /// Whether a larger one is worth a try.
    pub needed: bool,
}

/// What had no room left for more load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bottleneck {
    /// The server's main thread.
    Server,
    /// A worker thread of the harness.
    Harness,
    /// The pool of the service.
    Pool,
}

/// Share of a pool in use from which on it has no room left.
const FULL: f64 = 0.95;

impl Scaling {
    /// Limit of a service's throughput; `None` where no resource was seen saturated.
    pub fn bottleneck(&self, checks: &[Check], pool: &PoolUse) -> Option<Bottleneck> {
        let refused = |kind| checks.iter().any(|check| check.kind == kind && check.level == Level::Refuse);
        // A pool is full behind whatever else is the limit.
        match self.server {
            Some((busiest, _)) if busiest >= SATURATED => Some(Bottleneck::Server),
            _ if refused(CheckKind::WorkerCpu) => Some(Bottleneck::Harness),
            _ => (pool.utilisation >= FULL).then_some(Bottleneck::Pool),
        }
    }
}

/// Evidence of the run on growth.
pub(super) fn scaling(evidence: &Evidence<'_>, pools: &[PoolUse], server: &ServerSide) -> Scaling {
    let busiest = server.totals.as_ref().and_then(|totals| totals.main_thread);
    Scaling {
        pools: pools.iter().filter_map(|pool| need(pool, evidence.rows)).collect(),
        server: busiest.map(|busiest| (busiest, busiest >= BUSY)),
    }
}

fn need(pool: &PoolUse, rows: &[Row]) -> Option<PoolNeed> {
    let of_pool = |row: &&Row| row.scope.operation.is_none() && row.scope.service.as_ref() == Some(&pool.service);
    let row = rows.iter().find(of_pool)?;
    let (wait_p99, response_p99) = (row.wait.percentile(99.0).nanos(), row.response.percentile(99.0).nanos());
    let waits = wait_p99.zip(response_p99).is_some_and(|(wait, response)| wait as f64 >= MOSTLY_WAIT * response as f64);
    let needed = pool.utilisation >= NARROW || waits && pool.waiting >= 1.0 && pool.utilisation >= BUSY_POOL;
    // Requests that wait while places are free wait for something else: lost connections, a stall.
    (needed || pool.waiting < 1.0).then(|| PoolNeed { pool: pool.clone(), wait_p99, needed })
}

#[cfg(test)]
mod tests {
    use crate::{analysis::analyse, results::sample};

    #[test]
    fn idle_pools_and_an_idle_server_need_nothing() {
        let scaling = analyse(&sample::run(), &sample::scenario()).scaling;
        assert_eq!(scaling.pools.len(), 3);
        assert!(scaling.pools.iter().all(|pool| !pool.needed));
        assert!(matches!(scaling.server, Some((busiest, false)) if busiest < 0.2));
    }

    #[test]
    fn a_pool_in_use_all_the_time_and_a_busy_thread_do() {
        let mut run = sample::run();
        run.recording.services[0].seconds.iter_mut().for_each(|second| second.in_use = 45.0);
        run.server.seconds.iter_mut().for_each(|second| second.counts.main_thread_cpu = Some(0.9));
        let scaling = analyse(&run, &sample::scenario()).scaling;
        assert!(scaling.pools[0].needed && !scaling.pools[1].needed);
        assert!(matches!(scaling.server, Some((_, true))));
    }

    #[test]
    fn a_full_pool_is_the_limit_unless_what_is_behind_it_is() {
        let mut run = sample::run();
        let of = |run: &crate::results::Run| {
            let analysis = analyse(run, &sample::scenario());
            analysis.scaling.bottleneck(&analysis.checks, &analysis.pools[0])
        };
        assert_eq!(of(&run), None);
        run.recording.services[0].seconds.iter_mut().for_each(|second| second.in_use = 49.9);
        assert_eq!(of(&run), Some(super::Bottleneck::Pool));
        run.server.seconds.iter_mut().for_each(|second| second.counts.main_thread_cpu = Some(0.99));
        assert_eq!(of(&run), Some(super::Bottleneck::Server));
    }

    #[test]
    fn waiting_while_places_are_free_says_nothing_of_the_size() {
        let mut run = sample::run();
        run.recording.services[0].seconds.iter_mut().for_each(|second| second.waiting = 120.0);
        let scaling = analyse(&run, &sample::scenario()).scaling;
        assert!(scaling.pools.iter().all(|pool| pool.pool.service != "api"), "{scaling:?}");
    }
}
