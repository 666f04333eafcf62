//! Limiting resource, by the trials at the limit.

use super::{Limit, judge::is_limited};
use crate::{
    analysis::mean,
    results::{CommandCost, Trial},
    scenario::Objective,
};

/// Share of one core from which a server's main thread, or a worker of the harness, is the limit.
pub(super) const BUSY: f64 = 0.85;

/// Share of one core from which a command that takes most of it is the limit even where the pool is full because of it.
const NEARLY: f64 = 0.7;

/// Share of the server's time from which one command is the limit.
const COMMAND: f64 = 0.5;

/// Share of the connections in use from which a pool is.
const POOL: f64 = 0.8;

/// Share of the response time that is wait from which a pool is, whatever its utilisation.
const WAIT: f64 = 0.5;

/// Limiting resource of these trials together.
///
/// The harness comes first, for nothing else is to be blamed where it was the limit. Then the server, since a pool fills up
/// because of a busy server and not the other way round; then the pool, a command that takes most of the server's time, and otherwise
/// the round trip.
pub(super) fn limit<'a>(trials: impl Iterator<Item = &'a Trial>, objective: &Objective) -> Limit {
    let trials: Vec<&Trial> = trials.collect();
    let served: Vec<&Trial> = trials.iter().copied().filter(|trial| !is_limited(trial, objective)).collect();
    if served.is_empty() {
        let worker = trials.iter().filter_map(|trial| trial.worker_busy).max_by(f64::total_cmp);
        return if trials.is_empty() { Limit::Unknown } else { Limit::Client(worker) };
    }
    let mean =
        |value: &dyn Fn(&Trial) -> f64| served.iter().map(|trial| value(trial)).sum::<f64>() / served.len() as f64;
    let worker = mean(&|trial| trial.worker_busy.unwrap_or(0.0));
    if worker >= BUSY {
        return Limit::Client(Some(worker));
    }
    let busy = mean::mean(served.iter().filter_map(|trial| trial.server_busy)).unwrap_or(0.0);
    if busy >= BUSY {
        return Limit::ServerCpu(busy);
    }
    let most_expensive =
        served.iter().filter_map(|trial| trial.most_expensive.as_ref()).max_by(|a, b| a.share.total_cmp(&b.share));
    let command = most_expensive.filter(|command| command.share > COMMAND);
    let of_command = |command: &CommandCost| Limit::Command(command.name.clone(), command.share, command.mean_ns);
    if let Some(command) = command.filter(|_| busy >= NEARLY) {
        return of_command(command);
    }
    // In most of the trials, and beyond the mean: one pause of the harness, with all connections idle, is no lack of them.
    let waits = |trial: &&&Trial| {
        trial.waiting >= 1.0
            && trial.wait.mean > WAIT * trial.response.mean
            && trial.wait.p99 as f64 > WAIT * trial.response.p99 as f64
    };
    let utilisation = mean(&|trial| trial.utilisation);
    if utilisation >= POOL || 2 * served.iter().filter(waits).count() > served.len() {
        return Limit::Pool(utilisation);
    }
    if let Some(command) = command {
        return of_command(command);
    }
    let command = most_expensive.map_or(0.0, |command| command.mean_ns);
    let way = mean(&|trial| trial.service.mean) - command;
    if way > 0.0 { Limit::RoundTrip(way) } else { Limit::Unknown }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::capacity::simulated::{by_harness, scenario, trial};

    fn limited(change: impl FnOnce(&mut Trial)) -> Limit {
        let mut trial = trial(0, 1_000.0);
        change(&mut trial);
        limit([&trial].into_iter(), &scenario().objective)
    }

    fn cost(name: &str, share: f64, mean_ns: f64) -> CommandCost {
        CommandCost { name: name.to_owned(), share, mean_ns }
    }

    #[test]
    fn each_limit_is_known_by_its_sign() {
        assert_eq!(limited(|trial| trial.server_busy = Some(0.9)), Limit::ServerCpu(0.9));
        let zadd = Some(cost("ZADD", 0.6, 2e6));
        assert_eq!(limited(|trial| trial.most_expensive = zadd), Limit::Command("ZADD".into(), 0.6, 2e6));
        assert_eq!(limited(|trial| trial.worker_busy = Some(0.9)), Limit::Client(Some(0.9)));
        assert_eq!(limited(|trial| trial.utilisation = 0.85), Limit::Pool(0.85));
        let paused = |trial: &mut Trial| (trial.wait.mean, trial.waiting) = (trial.response.mean * 0.7, 12.0);
        assert!(!matches!(limited(paused), Limit::Pool(_)), "one pause of the harness is no lack of connections");
        let waiting = |trial: &mut Trial| {
            paused(trial);
            trial.wait.p99 = trial.response.p99;
        };
        assert_eq!(limited(waiting), Limit::Pool(0.3));
        let mut trials = [trial(0, 1_000.0), trial(0, 1_000.0)];
        waiting(&mut trials[0]);
        let of_both = limit(trials.iter(), &scenario().objective);
        assert!(!matches!(of_both, Limit::Pool(_)), "one trial of two was disturbed: {of_both:?}");
        assert_eq!(limited(|trial| trial.most_expensive = Some(cost("GET", 0.1, 1e5))), Limit::RoundTrip(3e5));
        assert_eq!(limited(|trial| trial.service.mean = 0.0), Limit::Unknown);
        assert_eq!(limit([].into_iter(), &scenario().objective), Limit::Unknown);
    }

    #[test]
    fn a_busy_server_fills_the_pool_and_not_the_other_way_round() {
        let both = |trial: &mut Trial| (trial.server_busy, trial.utilisation) = (Some(0.95), 1.0);
        assert_eq!(limited(both), Limit::ServerCpu(0.95));
    }

    #[test]
    fn a_full_pool_comes_before_a_command_of_a_server_with_time() {
        let zadd = Some(cost("ZADD", 0.55, 2e6));
        let of = |busy: f64| {
            limited(|trial| {
                (trial.server_busy, trial.utilisation, trial.most_expensive) = (Some(busy), 1.0, zadd.clone());
            })
        };
        assert_eq!(of(0.6), Limit::Pool(1.0));
        assert_eq!(of(0.8), Limit::Command("ZADD".into(), 0.55, 2e6));
    }

    #[test]
    fn a_starved_harness_is_named_before_the_server() {
        let starved = |trial: &mut Trial| {
            (trial.server_busy, trial.worker_busy) = (Some(0.95), Some(0.7));
            trial.client_limited = Some(by_harness("stolen CPU time"));
        };
        assert_eq!(limited(starved), Limit::Client(Some(0.7)));
    }
}
