//! The server's side: what it used, and how much of each command's time was its own.

use super::{Row, evidence::Evidence};
use crate::{
    measure::{PackedHistogram, SeriesRecord, SeriesRole},
    results::{CallsBelow, CommandUse, Levels, Persistence, ServerCounts, ServerSecond, SlowCommand},
    scenario::{ArrivalProcess, Load},
};

/// Work of the server during the measured period.
#[derive(Debug, Clone, Default)]
pub struct ServerSide {
    /// Sums over the seconds that were seen; `None` where none was.
    pub totals: Option<Totals>,
    /// Levels at the end of the measured period.
    pub after: Option<Levels>,
    /// Commands that the scenario sends, most server time first.
    pub commands: Vec<CommandTime>,
    /// Wait of a command for other commands in the server; `None` without commands.
    pub queue: Option<Queue>,
    /// Slow commands, slowest first.
    pub slow: Vec<Slow>,
    /// Calls of the scenario's commands that the harness did not send, as a share of all; 0 where none is certain.
    pub foreign: f64,
}

/// Name of the connection that asks the questions: what it takes is no part of the load.
const OBSERVER: &str = "plimsoll:observer";

/// The queue in front of a server that runs one command at a time.
#[derive(Debug, Clone, PartialEq)]
pub struct Queue {
    /// Mean wait of a command that arrives at random, in nanoseconds; at least so long.
    pub wait: f64,
    /// The command that is most to blame for it.
    pub command: String,
}

/// Sums over the measured period. What the server does not report it is `None`.
#[derive(Debug, Clone, Default)]
pub struct Totals {
    /// Time that was seen, in seconds.
    pub seconds: f64,
    /// Sums of what was counted.
    pub counts: ServerCounts,
    /// Largest share of one core that was used in a second, 0..; above 1 with several threads.
    pub busiest: Option<f64>,
    /// Largest share of a second in which the main thread was busy, 0..=1; `None` where it is not known for certain.
    pub main_thread: Option<f64>,
    /// Seconds with work on persistence, each kind with its seconds.
    pub persistence: Vec<(Persistence, Vec<u32>)>,
}

impl Totals {
    /// CPU time per command, in nanoseconds.
    pub fn cpu_per_command(&self) -> Option<f64> {
        let commands = self.counts.commands.filter(|commands| *commands > 0)?;
        Some((self.counts.cpu_user? + self.counts.cpu_system?) * 1e9 / commands as f64)
    }

    /// Mean number of cores in use.
    pub fn cores(&self) -> Option<f64> {
        (self.seconds > 0.0).then_some((self.counts.cpu_user? + self.counts.cpu_system?) / self.seconds)
    }

    /// Share of lookups that found their key.
    pub fn hit_ratio(&self) -> Option<f64> {
        let (hits, misses) = (self.counts.hits?, self.counts.misses?);
        (hits + misses > 0).then(|| hits as f64 / (hits + misses) as f64)
    }
}

/// One command as the server and as the client see it.
#[derive(Debug, Clone, PartialEq)]
pub struct CommandTime {
    /// Name.
    pub name: String,
    /// Calls that the server counted.
    pub calls: u64,
    /// Mean time in the command itself, in nanoseconds.
    pub server: f64,
    /// Upper bound of the 99th percentile of that, in nanoseconds, to a power of two; `None` where the server keeps no
    /// histograms.
    pub server_p99: Option<f64>,
    /// Mean service time that the clients saw, in nanoseconds; `None` where nothing completed.
    pub client: Option<f64>,
    /// The median of that, which stalls do not move.
    pub client_median: Option<f64>,
    /// Share of the measured period that the server spent in this command.
    pub busy: f64,
    /// Calls refused before they began.
    pub rejected: Option<u64>,
    /// Calls that failed.
    pub failed: Option<u64>,
}

impl CommandTime {
    /// Time outside the command: network, kernel, queue of the server, client library.
    pub fn rest(&self) -> Option<f64> {
        self.client.map(|client| (client - self.server).max(0.0))
    }

    /// What clients usually wait: the median, unless the command itself takes longer on average, which few slow calls make up.
    pub fn usual(&self) -> Option<f64> {
        self.client_median.filter(|median| *median >= self.server).or(self.client)
    }

    /// Share of the clients' time that was spent in the command itself, 0..=1.
    pub fn server_share(&self) -> Option<f64> {
        self.client.filter(|client| *client > 0.0).map(|client| (self.server / client).min(1.0))
    }
}

/// A slow command with what the clients saw of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slow {
    /// The entry of the server's log.
    pub entry: SlowCommand,
    /// Service that sent it, where the name of its connection shows.
    pub service: Option<String>,
    /// Operation of that service that sends this command, where there is just one.
    pub operation: Option<String>,
    /// Longest response time of that operation in that second, in nanoseconds.
    pub response_max: Option<u64>,
}

/// The server's side of a run.
pub(super) fn server_side(evidence: &Evidence<'_>) -> ServerSide {
    let record = &evidence.run.server;
    let commands = commands(evidence);
    let mut slow: Vec<_> = record
        .slowlog
        .iter()
        .flat_map(|log| &log.entries)
        .filter(|entry| entry.client != OBSERVER)
        .map(|entry| slow(evidence, entry))
        .collect();
    slow.sort_by_key(|slow| std::cmp::Reverse(slow.entry.micros));
    ServerSide {
        totals: (!record.seconds.is_empty()).then(|| totals(&record.seconds)),
        after: record.seconds.last().map(|second| second.levels.clone()),
        foreign: foreign(evidence, &commands),
        queue: queue(&commands).filter(|_| arrives_at_random(evidence)),
        commands,
        slow,
    }
}

/// Whether requests come independently of each other and of the server, which the formula below supposes.
fn arrives_at_random(evidence: &Evidence<'_>) -> bool {
    let poisson = |load: &Load| matches!(load, Load::Open { arrivals: ArrivalProcess::Poisson, .. });
    evidence.scenario.services.iter().all(|service| poisson(&service.load))
}

/// The mean wait in an M/G/1 queue by Pollaczek and Khinchine, sum of lambda E[S^2] / (2 (1 - rho)), with E[S^2] taken as
/// E[S]^2 for each command, which it never falls below (Kleinrock, *Queueing Systems* 1, 1975, section 5.6).
fn queue(commands: &[CommandTime]) -> Option<Queue> {
    let residual = |command: &CommandTime| command.busy * command.server / 2.0;
    let worst = commands.iter().max_by(|a, b| residual(a).total_cmp(&residual(b)))?;
    let utilisation: f64 = commands.iter().map(|command| command.busy).sum();
    let sum: f64 = commands.iter().map(residual).sum();
    // Beyond that it is the backlog that decides, and no formula.
    (utilisation < 1.0).then(|| Queue { wait: sum / (1.0 - utilisation), command: worst.name.clone() })
}

pub(super) fn totals(seconds: &[ServerSecond]) -> Totals {
    let share = |second: &ServerSecond| {
        let length = second.length_ns as f64 / 1e9;
        Some((second.counts.cpu_user? + second.counts.cpu_system?) / length)
    };
    let counted = seconds.iter().filter(|second| !second.restarted && !second.reset);
    // A short last second is too short for counters of ten milliseconds.
    let whole = || seconds.iter().filter(|second| second.length_ns > 500_000_000);
    let mut persistence: Vec<(Persistence, Vec<u32>)> = Vec::new();
    for second in seconds {
        for work in &second.levels.persistence {
            match persistence.iter_mut().find(|(known, _)| known == work) {
                Some((_, when)) => when.push(second.second),
                None => persistence.push((*work, vec![second.second])),
            }
        }
    }
    Totals {
        // Those without counts are left out here too, or rates would be too low.
        seconds: counted.map(|second| second.length_ns as f64 / 1e9).sum(),
        // A second without a count (a restart) takes nothing from the others; a field that no second has is not known.
        counts: seconds.iter().fold(ServerCounts::default(), |sum, second| sum.plus(&second.counts)),
        busiest: whole().filter_map(share).reduce(f64::max),
        main_thread: whole().filter_map(main_thread).reduce(f64::max),
        persistence,
    }
}

/// Share of a second in which the main thread was busy, as far as that is certain.
///
/// The best figure is its active time. Else its CPU time must do, or that of the whole process where there are no others
/// at work; but a main thread that has io-threads waits for them without sleeping, and so is always busy.
pub(super) fn main_thread(second: &ServerSecond) -> Option<f64> {
    let waits_awake = second.levels.io_threads_active == Some(true) || second.counts.io_thread_operations > Some(0);
    let cpu = || second.counts.main_thread_cpu.or_else(|| Some(second.counts.cpu_user? + second.counts.cpu_system?));
    let busy = match second.counts.main_thread_active {
        Some(active) => active,
        None if waits_awake => return None,
        None => cpu()?,
    };
    Some((busy * 1e9 / second.length_ns as f64).min(1.0))
}

/// Series that send one command each, with their rows.
fn single<'a>(evidence: &Evidence<'a>) -> impl Iterator<Item = (&'a SeriesRecord, &'a Row)> {
    let (run, rows) = (evidence.run, evidence.rows);
    run.recording.series.iter().filter(|series| series.commands.len() == 1).filter_map(move |series| {
        let row = rows.iter().find(|row| {
            row.scope.service.as_ref() == Some(&series.key.service)
                && row.scope.operation.as_ref() == Some(&series.key.operation)
                && row.scope.role == series.key.role
        });
        Some((series, row?))
    })
}

/// Commands that the scenario sends, with both their times.
fn commands(evidence: &Evidence<'_>) -> Vec<CommandTime> {
    let record = &evidence.run.server;
    let measured = evidence.run.recording.period.measured_ns.max(1) as f64;
    let sent =
        |name: &str| evidence.run.recording.series.iter().any(|series| series.commands.iter().any(|c| c == name));
    let of = |used: &CommandUse| {
        let mut sum = (0.0, 0_u64);
        let mut all = PackedHistogram::default().unpack();
        for (_, row) in single(evidence).filter(|(series, _)| series.commands[0] == used.name) {
            if let Some(mean) = row.service_time.mean {
                sum.0 += mean * row.counts.completed as f64;
                sum.1 += row.counts.completed;
                all.add(&row.service_time.histogram).expect("a growing histogram takes every value");
            }
        }
        CommandTime {
            name: used.name.clone(),
            calls: used.calls,
            server: used.micros as f64 * 1e3 / used.calls as f64,
            server_p99: percentile(&used.histogram, 0.99),
            client: (sum.1 > 0).then(|| sum.0 / sum.1 as f64),
            client_median: (!all.is_empty()).then(|| all.value_at_quantile(0.5) as f64),
            busy: used.micros as f64 * 1e3 / measured,
            rejected: used.rejected,
            failed: used.failed,
        }
    };
    record.commands.iter().filter(|used| used.calls > 0 && sent(&used.name)).map(of).collect()
}

/// A quantile of a histogram of cumulative counts: the bound below which that share lies, in nanoseconds.
fn percentile(histogram: &[CallsBelow], quantile: f64) -> Option<f64> {
    let all = histogram.last()?.calls;
    let rank = (quantile * all as f64).ceil().max(1.0) as u64;
    let bound = histogram.iter().find(|below| below.calls >= rank)?.bound_us;
    (all > 0).then_some(bound as f64 * 1e3)
}

/// Calls beyond those of the harness itself: another user works with the server.
fn foreign(evidence: &Evidence<'_>, commands: &[CommandTime]) -> f64 {
    if evidence.run.server.restarts + evidence.run.server.resets > 0 {
        return 0.0;
    }
    let calls: u64 = commands.iter().map(|command| command.calls).sum();
    let own: u64 = evidence
        .run
        .recording
        .series
        .iter()
        // A sequence is counted by its steps.
        .filter(|series| series.commands.len() == 1 || series.key.role != SeriesRole::Operation)
        .map(|series| {
            let counts = series.totals();
            // The server may have run what the warm-up left over, and what was never answered.
            counts.answered() + counts.failed() + series.unfinished
        })
        .sum();
    // What was under way at both ends may be counted on one side only.
    let certain = calls.saturating_sub(own).saturating_sub(own / 100 + 1_000);
    if certain > 0 { (calls - own) as f64 / calls as f64 } else { 0.0 }
}

fn slow(evidence: &Evidence<'_>, entry: &SlowCommand) -> Slow {
    let service = entry.client.strip_prefix("plimsoll:").map(str::to_owned);
    let service = service.filter(|name| evidence.scenario.services.iter().any(|service| service.name == *name));
    let mut senders = evidence.run.recording.series.iter().filter(|series| {
        Some(&series.key.service) == service.as_ref()
            && series.key.role == SeriesRole::Operation
            && series.commands.contains(&entry.command)
    });
    let sender = senders.next().filter(|_| senders.next().is_none());
    let operation = sender.map(|series| series.key.operation.clone());
    let position = evidence
        .rows
        .iter()
        .position(|row| operation.is_some() && row.scope.operation == operation && row.scope.service == service);
    // The log is read at the end of a second; the reply may have come just before or just after.
    let response_max = position.and_then(|position| {
        let seconds = evidence.timelines[position].seconds.iter();
        let near = seconds.filter(|moment| moment.second.abs_diff(entry.second) <= 1);
        near.filter_map(|moment| moment.response).map(|(.., max)| max).max()
    });
    Slow { entry: entry.clone(), service, operation, response_max }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{analysis::analyse, results::sample};

    #[test]
    fn both_sides_of_a_command_are_reported() {
        let run = sample::run();
        let server = analyse(&run, &sample::scenario()).server;
        let get = server.commands.iter().find(|command| command.name == "GET").unwrap();
        assert!((get.server - 2_000.0).abs() < 1e-6, "{get:?}");
        assert!(get.client.unwrap() > get.server && get.rest().unwrap() > 0.0);
        // 7 119 of 7 190 calls are 99 %, and 7 100 lie below 4 us.
        assert_eq!(get.server_p99, Some(16_000.0));
        assert!(server.commands.iter().all(|command| command.name != "INFO"), "the observer's questions are no load");
    }

    #[test]
    fn dear_commands_keep_the_others_waiting() {
        let command = |name: &str, calls: u64, server: f64| CommandTime {
            name: name.into(),
            calls,
            server,
            server_p99: None,
            client: None,
            client_median: None,
            busy: calls as f64 * server / 10e9,
            failed: None,
            rejected: None,
        };
        // Twenty of 40 ms in ten seconds: 8 % of the time, half of one remains on average; over 1 - 0.08.
        let queue = queue(&[command("GET", 10, 0.0), command("ZADD", 20, 40e6)]).unwrap();
        assert_eq!(queue.command, "ZADD");
        assert!((queue.wait - 0.08 * 20e6 / 0.92).abs() < 1.0, "{queue:?}");
        assert_eq!(super::queue(&[command("ZADD", 1_000, 40e6)]), None, "more than there is time for");
    }

    #[test]
    fn slow_commands_are_traced_to_their_operation() {
        let run = sample::run();
        let server = analyse(&run, &sample::scenario()).server;
        let slow = &server.slow[0];
        assert_eq!((slow.service.as_deref(), slow.entry.command.as_str()), (Some("chat"), "ZADD"));
        assert_eq!(slow.operation.as_deref(), Some("post"));
        assert!(slow.response_max.is_some());
    }

    #[test]
    fn sums_leave_out_what_a_restart_hides() {
        let mut run = sample::run();
        run.server.seconds[3].restarted = true;
        run.server.seconds[3].counts.commands = None;
        let totals = analyse(&run, &sample::scenario()).server.totals.unwrap();
        assert!((totals.seconds - 11.0).abs() < 1e-9);
        assert_eq!(totals.counts.commands, Some(4 * (1_300 + 1_310 + 1_320) - 1_300));
        assert_eq!(totals.persistence, [(Persistence::RdbSave, vec![7])]);
    }

    #[test]
    fn strangers_are_noticed_only_where_certain() {
        let mut run = sample::run();
        let own = analyse(&run, &sample::scenario()).server;
        assert!(own.foreign.abs() < 1e-9, "{}", own.foreign);
        run.server.commands[1].calls += 100_000;
        assert!(analyse(&run, &sample::scenario()).server.foreign > 0.8);
        let foreign = |left_over: u64, unfinished: u64| {
            let mut run = run.clone();
            run.recording.series[0].seconds[0].counts.carried_over = left_over;
            run.recording.series[0].unfinished = unfinished;
            analyse(&run, &sample::scenario()).server.foreign
        };
        assert!(foreign(100_000, 0).abs() < 1e-9, "requests of the warm-up that were answered later");
        assert!(foreign(0, 100_000).abs() < 1e-9, "requests that were sent and never answered");
    }
}
