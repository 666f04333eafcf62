//! Findings about the server.

use super::ServerSide;
use crate::results::{Persistence, ServerRecord};

/// Something that the user should know of the server.
#[derive(Debug, Clone, PartialEq)]
pub enum ServerFinding {
    /// The server was short of CPU: its main thread was busy nearly all the time.
    Saturated {
        /// Largest share of a second in which it was busy, 0..=1.
        busiest: f64,
        /// The command that took most of the server's time, with its share of the period.
        command: Option<(String, f64)>,
    },
    /// The server was restarted during the run.
    Restarts {
        /// Number.
        count: u32,
    },
    /// The server evicted keys for lack of memory.
    Evictions {
        /// Keys.
        count: u64,
    },
    /// The server refused connections for lack of room.
    Rejected {
        /// Connections.
        count: u64,
    },
    /// The server worked on persistence meanwhile, which forks it and makes writes more expensive.
    Persistence {
        /// Record.
        work: Persistence,
        /// Seconds of the measured period.
        seconds: Vec<u32>,
    },
    /// The slow log has entries of the measured period.
    SlowCommands {
        /// Entries.
        count: u64,
        /// The slowest command, and how long it took in microseconds.
        slowest: (String, u64),
    },
    /// Others used the server's commands meanwhile.
    Strangers {
        /// Their share of the calls, 0..=1.
        share: f64,
    },
}

/// Share of one core from which on the server's main thread is its limit.
pub(super) const SATURATED: f64 = 0.95;

/// Findings about the server.
pub(super) fn findings(side: &ServerSide, record: &ServerRecord) -> Vec<ServerFinding> {
    let mut findings = Vec::new();
    findings.extend((record.restarts > 0).then_some(ServerFinding::Restarts { count: record.restarts }));
    let some = |count: Option<u64>| count.filter(|count| *count > 0);
    if let Some(totals) = &side.totals {
        let busiest = totals.main_thread.filter(|busiest| *busiest >= SATURATED);
        let command = side.commands.first().map(|command| (command.name.clone(), command.busy));
        findings.extend(busiest.map(|busiest| ServerFinding::Saturated { busiest, command }));
        findings.extend(some(totals.counts.evicted).map(|count| ServerFinding::Evictions { count }));
        findings.extend(some(totals.counts.rejected).map(|count| ServerFinding::Rejected { count }));
    }
    if let (Some(log), Some(slowest)) = (&record.slowlog, side.slow.first()) {
        let slowest = (slowest.entry.command.clone(), slowest.entry.micros);
        findings.push(ServerFinding::SlowCommands { count: log.count, slowest });
    }
    let persistence = side.totals.iter().flat_map(|totals| &totals.persistence);
    findings.extend(
        persistence.map(|(work, seconds)| ServerFinding::Persistence { work: *work, seconds: seconds.clone() }),
    );
    findings.extend((side.foreign > 0.0).then_some(ServerFinding::Strangers { share: side.foreign }));
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        analysis::{Finding, analyse},
        results::{ServerSecond, sample},
    };

    #[test]
    fn only_a_busy_main_thread_is_a_limit() {
        let with = |change: fn(&mut ServerSecond)| {
            let mut run = sample::run();
            run.server.seconds.iter_mut().for_each(change);
            let found = analyse(&run, &sample::scenario()).findings;
            found.iter().any(|finding| matches!(finding, Finding::Server(ServerFinding::Saturated { .. })))
        };
        assert!(!with(|_| {}));
        assert!(with(|second| second.counts.main_thread_cpu = Some(0.97)));
        // Other threads took the time.
        assert!(!with(|second| second.counts.cpu_user = Some(0.97)));
        // An old server does not report it its threads apart.
        assert!(with(|second| (second.counts.cpu_user, second.counts.main_thread_cpu) = (Some(0.97), None)));
        // It only waited for its io-threads, or its active time says how it was.
        let spins = |second: &mut ServerSecond| {
            (second.counts.main_thread_cpu, second.counts.io_thread_operations) = (Some(0.99), Some(5_000));
        };
        assert!(!with(spins));
        assert!(with(|second| second.counts.main_thread_active = Some(0.98)));
        assert!(!with(
            |second| (second.counts.main_thread_cpu, second.counts.main_thread_active) = (Some(0.99), Some(0.3))
        ));
    }
}
