//! What the client library costs: a load in which the wire client and fred took turns boiled down to seconds, and the parts of the
//! service time that follow from them.

use std::time::Duration;

use super::{
    CommandTime, Interval,
    paired::{Difference, FEWEST_IN_SLICE, LEVEL, Limits, belongs, disturbance, estimate, halves},
};
use crate::{
    measure::{PackedHistogram, Recording, SECOND, SeriesRecord, ServiceRecord, merged, nanos},
    results::{ClientCost, CostSecond, CostTally, GateSeries, Run, Sides},
};

/// What the client library of a run costs.
#[derive(Debug, Clone, PartialEq)]
pub struct ClientSide {
    /// Operations, and at the end all of them together.
    pub rows: Vec<OperationCost>,
    /// Commands that operations send alone, all operations that send one together.
    pub commands: Vec<(String, Split)>,
    /// Length of a turn.
    pub turn: Duration,
    /// Seconds that count.
    pub seconds: u32,
    /// Seconds that were left out, since the machine disturbed them.
    pub left_out: u32,
    /// Seconds that were planned.
    pub planned: u32,
    /// Requests that failed or never finished: of the wire client, and of fred.
    pub failed: [u64; 2],
}

/// What the client library costs one operation.
#[derive(Debug, Clone, PartialEq)]
pub struct OperationCost {
    /// Service; `None` for all of them.
    pub service: Option<String>,
    /// Operation; `None` for all of them.
    pub operation: Option<String>,
    /// Parts of the service time; `None` where there were too few requests.
    pub split: Option<Split>,
}

/// The parts of the median service time with fred. Times are in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Split {
    /// Median service time with the wire client: median over the seconds.
    pub wire: f64,
    /// The same with fred: the whole of the parts.
    pub fred: f64,
    /// fred's over the wire client's, from second to second.
    pub ratio: Interval,
    /// Mean time in the command; `None` where it is not known, or is longer than the median with the wire client, which few slow
    /// calls make up.
    pub server: Option<f64>,
}

/// Whether fred takes longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Costs {
    /// It does.
    More,
    /// It takes less time than the wire client.
    Less,
    /// The interval includes 0, or is not known.
    Unclear,
}

impl Split {
    /// Share of the client library in the whole.
    pub fn library_share(&self) -> Interval {
        self.ratio.map(|ratio| 1.0 - 1.0 / ratio)
    }

    /// Time of the client library.
    pub fn library(&self) -> Interval {
        self.library_share().map(|share| share * self.fred)
    }

    /// Time of network, kernel and the server's event loop: what is neither the command's nor the client library's.
    pub fn network(&self) -> Option<f64> {
        self.server.map(|server| self.fred - self.library().point - server)
    }

    /// A part as a share of the whole.
    pub fn share(&self, part: f64) -> f64 {
        part / self.fred
    }

    /// Whether the client library costs anything for certain.
    pub fn costs(&self) -> Costs {
        match self.ratio.ends() {
            Some((low, _)) if low > 1.0 => Costs::More,
            Some((_, high)) if high < 1.0 => Costs::Less,
            _ => Costs::Unclear,
        }
    }
}

/// Summarises a load in which the clients took turns, the services with the wire client first. `planned` is its length.
pub fn client_cost(recording: &Recording, turn: Duration, planned: Duration) -> ClientCost {
    let seconds = (recording.period.measured_ns / SECOND) as u32;
    let [wire, fred] = halves(recording);
    let of_second = |second: u32| {
        let within = |at: u32| belongs(at, second, seconds);
        let services = || recording.services.iter().flat_map(|service: &ServiceRecord| &service.seconds);
        let lag = merged(services().filter(|at| within(at.second)).map(|at| &at.lag));
        let host = recording.host.iter().find(|interval| interval.second == second);
        let tallies = |records: &[&SeriesRecord]| {
            records.iter().map(|record| tally(record, within, second + 1 == seconds)).collect::<Vec<_>>()
        };
        CostSecond {
            lag_p50: lag.value_at_quantile(0.5),
            stolen: host.and_then(|interval| interval.stolen),
            throttled: host.and_then(|interval| interval.throttled),
            wire: tallies(&wire.operations),
            fred: tallies(&fred.operations),
        }
    };
    ClientCost {
        turn_ns: nanos(turn),
        planned: planned.as_secs() as u32,
        operations: wire.operations.iter().map(|record| GateSeries::of(&record.key)).collect(),
        seconds: (0..seconds).map(of_second).collect(),
    }
}

fn tally(record: &SeriesRecord, within: impl Fn(u32) -> bool, is_last: bool) -> CostTally {
    let seconds = || record.seconds.iter().filter(|at| within(at.second));
    let failed: u64 = seconds().map(|at| at.counts.failed()).sum();
    CostTally {
        completed: seconds().map(|at| at.counts.completed).sum(),
        failed: failed + if is_last { record.unfinished } else { 0 },
        service: PackedHistogram::sum(seconds().map(|at| &at.service)),
    }
}

/// Concludes what the client library costs, with the time of the server's commands in the measured period.
pub(super) fn client_side(run: &Run, commands: &[CommandTime]) -> Option<ClientSide> {
    let cost = run.client_cost.as_ref()?;
    let is_quiet = |at: &&CostSecond| disturbance(at.stolen, at.throttled, Some(at.lag_p50)).is_none();
    let seconds: Vec<&CostSecond> = cost.seconds.iter().filter(is_quiet).collect();
    let sent: Vec<Option<&str>> =
        cost.operations.iter().map(|of| command_of(run, &of.service, &of.operation)).collect();
    let server = |name: &str| commands.iter().find(|command| command.name == name).map(|command| command.server);
    let mut rows: Vec<OperationCost> = (0..)
        .zip(cost.operations.iter().zip(&sent))
        .map(|(index, (of, sent))| OperationCost {
            service: Some(of.service.clone()),
            operation: Some(of.operation.clone()),
            split: split(&seconds, &[index], sent.and_then(server)),
        })
        .collect();
    let all: Vec<usize> = (0..cost.operations.len()).collect();
    rows.push(OperationCost { service: None, operation: None, split: split(&seconds, &all, None) });
    let commands = commands.iter().filter_map(|command| {
        let senders: Vec<usize> = all.iter().copied().filter(|index| sent[*index] == Some(&*command.name)).collect();
        Some((command.name.clone(), split(&seconds, &senders, Some(command.server))?))
    });
    let failed =
        |of: fn(&CostSecond) -> &[CostTally]| seconds.iter().flat_map(|at| of(at)).map(|tally| tally.failed).sum();
    Some(ClientSide {
        rows,
        commands: commands.collect(),
        turn: Duration::from_nanos(cost.turn_ns),
        seconds: seconds.len() as u32,
        left_out: (cost.seconds.len() - seconds.len()) as u32,
        planned: cost.planned,
        failed: [failed(|at| &at.wire), failed(|at| &at.fred)],
    })
}

/// The command that an operation sends, if it is but one.
fn command_of<'a>(run: &'a Run, service: &str, operation: &str) -> Option<&'a str> {
    let record = run
        .recording
        .series
        .iter()
        .find(|series| series.key.service == service && series.key.operation == operation)?;
    match record.commands.as_slice() {
        [command] => Some(command),
        _ => None,
    }
}

/// The parts of the service time of some operations together; `None` where they had too few requests.
fn split(seconds: &[&CostSecond], operations: &[usize], server: Option<f64>) -> Option<Split> {
    let requests: u64 = seconds
        .iter()
        .flat_map(|at| operations.iter().flat_map(|index| [&at.wire[*index], &at.fred[*index]]))
        .map(|tally| tally.completed)
        .sum();
    if requests < FEWEST_IN_SLICE * 2 * seconds.len() as u64 {
        return None;
    }
    let median = |tallies: &[CostTally]| {
        merged(operations.iter().map(|index| &tallies[*index].service)).value_at_quantile(0.5) as f64
    };
    let differences: Vec<Difference> =
        seconds.iter().filter_map(|at| Difference::of_pair(median(&at.wire), median(&at.fred))).collect();
    // Nothing is judged here, so nothing has to matter.
    let limits = Limits { level: LEVEL, more_is_worse: true, threshold: 0.0, floor: 0.0, lag: 0.0 };
    let change = estimate(&differences, &limits)?;
    let (Sides { a: wire, b: fred }, ratio) = (change.levels, change.effect.ratio);
    Some(Split { wire, fred, ratio, server: server.filter(|server| *server <= fred / ratio.point) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{analysis::analyse, results::sample};

    fn side(change: impl FnOnce(&mut ClientCost), ratios: &[f64]) -> ClientSide {
        let mut cost = sample::client_cost(ratios);
        change(&mut cost);
        let run = Run { client_cost: Some(cost), ..sample::run() };
        analyse(&run, &sample::scenario()).client.unwrap()
    }

    fn get(side: &ClientSide) -> Split {
        side.rows[0].split.unwrap()
    }

    fn near(seen: f64, known: f64) {
        assert!((seen / known - 1.0).abs() < 2e-3, "{seen} {known}");
    }

    /// The command takes 2 us, the wire client 80 us, fred a quarter more.
    #[test]
    fn the_service_time_is_divided() {
        let side = side(|_| {}, &[1.25, 1.24, 1.26, 1.25, 1.22, 1.28, 1.25, 1.25]);
        let split = get(&side);
        near(split.fred, 100_000.0);
        near(split.wire, 80_000.0);
        near(split.server.unwrap(), 2_000.0);
        near(split.library().point, 20_000.0);
        near(split.network().unwrap(), 78_000.0);
        near(split.library_share().point, 0.2);
        let parts = split.server.unwrap() + split.network().unwrap() + split.library().point;
        assert!((parts - split.fred).abs() < 1e-6, "the parts are the whole");
        let (low, high) = split.library_share().ends().unwrap();
        assert!(low < 0.2 && low > 0.18 && high > 0.2 && high < 0.22, "{low} {high}");
        assert_eq!(split.costs(), Costs::More);
        let (name, of_command) = &side.commands[0];
        assert_eq!((name.as_str(), of_command), ("GET", &split), "but one operation sends it");
        assert_eq!((side.seconds, side.left_out, side.planned), (8, 0, 8));
    }

    #[test]
    fn several_commands_have_no_time_of_the_server_and_few_requests_no_parts() {
        let side = side(|_| {}, &[1.25; 8]);
        let [_, _, post, zrange, whole] = side.rows.as_slice() else { panic!("{:?}", side.rows) };
        assert!(post.split.is_some_and(|split| split.server.is_none() && split.network().is_none()));
        assert_eq!((zrange.split, whole.operation.as_ref()), (None, None));
        assert!(whole.split.is_some_and(|split| split.costs() == Costs::More));
    }

    #[test]
    fn a_cost_is_certain_only_where_the_interval_is_on_one_side() {
        let costs = |ratios: &[f64]| get(&side(|_| {}, ratios)).costs();
        assert_eq!(costs(&[0.98, 1.02, 1.0, 0.97, 1.04, 1.01]), Costs::Unclear);
        assert_eq!(costs(&[0.94, 0.92, 0.93, 0.91, 0.95, 0.93]), Costs::Less);
        assert_eq!(costs(&[1.5; 5]), Costs::Unclear, "five seconds have no interval");
        let split = get(&side(|_| {}, &[0.94, 0.92, 0.93, 0.91, 0.95, 0.93]));
        assert!(split.library().point < 0.0 && split.network().unwrap() > split.fred - 2_000.0);
    }

    #[test]
    fn disturbed_seconds_are_left_out() {
        let spoil = |cost: &mut ClientCost| {
            cost.seconds[0].stolen = Some(0.3);
            cost.seconds[1].lag_p50 = 1_000_000;
            cost.seconds[2].fred[0].failed = 7;
        };
        let side = side(spoil, &[9.0, 9.0, 1.25, 1.25, 1.25, 1.25, 1.25, 1.25]);
        near(get(&side).ratio.point, 1.25);
        assert_eq!((side.seconds, side.left_out, side.failed), (6, 2, [0, 7]));
    }

    /// The load of the sample twice, as the services with the wire client and then those with fred.
    #[test]
    fn seconds_have_what_either_client_recorded() {
        let single = sample::run().recording;
        let mut recording = single.clone();
        recording.series.extend(single.series.clone());
        recording.services.extend(single.services.clone());
        recording.series[0].unfinished += 7;
        let cost = client_cost(&recording, Duration::from_millis(25), Duration::from_secs(12));
        assert_eq!((cost.seconds.len(), cost.planned, cost.operations[0].operation.as_str()), (12, 12, "GET"));
        let last = &cost.seconds[11];
        assert_eq!(last.wire[0].failed, last.fred[0].failed + 7);
        let completed: u64 = cost.seconds.iter().map(|at| at.fred[0].completed).sum();
        assert_eq!(completed, single.series[0].totals().completed);
        assert!(cost.seconds.iter().all(|at| at.stolen.is_some() && at.lag_p50 > 0 && at.wire[1] == at.fred[1]));
    }
}
