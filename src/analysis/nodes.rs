//! Nodes of a cluster, or of a primary with its replicas: what each served, and how even the load was.

use super::{
    distribution::Distribution,
    layout::Outline,
    row::Scope,
    server::{Totals, totals},
    tally::{RequestLimit, Tally, tallies},
    timeline::Timeline,
};
use crate::{
    measure::{Counts, Recording, SeriesRecord, SeriesRole},
    results::{Levels, NodeFacts, NodeRecord, NodeRole, Run},
};

/// Requests of the busiest node that it takes to call the load uneven: the standard deviation of its share is then 3 %.
const TELLING: u64 = 1_000;

/// Share of the busiest primary over an even share from which the load is uneven.
pub const UNEVEN: f64 = 1.2;

/// One node, or requests of which the node is not one of those known before the load.
#[derive(Debug, Clone)]
pub struct NodeRow {
    /// Address, or what stands in the place of one.
    pub name: String,
    /// The node before the load; `None` of requests that no one node served.
    pub before: Option<NodeFacts>,
    /// The node after the load.
    pub after: Option<NodeFacts>,
    /// Requests that it served; `None` where they are not known by node.
    pub load: Option<NodeLoad>,
    /// Sums of the server's side; `None` where the server reported nothing.
    pub server: Option<Totals>,
    /// Levels at the end.
    pub levels: Option<Levels>,
    /// Number of slow commands.
    pub slow: Option<u64>,
    /// How far a replica was behind its primary.
    pub lag: Option<Lag>,
}

/// How far a replica was behind its primary, over the seconds in which both were observed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lag {
    /// Bytes of the stream of replication that it had not applied, on average.
    pub mean: f64,
    /// The most.
    pub max: u64,
    /// Seconds in which it lacked more than the primary had written in the second before.
    pub stale: u32,
    /// Seconds in which both were observed.
    pub seconds: u32,
}

impl NodeRow {
    /// How far a replica was behind that served reads while it lacked writes of more than a second. One such second may be a burst
    /// of writes.
    pub fn stale(&self) -> Option<Lag> {
        let serves = self.load.as_ref().is_some_and(|load| load.counts.completed > 0);
        self.lag.filter(|lag| serves && lag.stale > 1)
    }
}

/// Requests that a node served.
#[derive(Debug, Clone)]
pub struct NodeLoad {
    /// Counts over the measured period.
    pub counts: Counts,
    /// Requests that were answered per second.
    pub rate: f64,
    /// Response time of successes.
    pub response: Distribution,
    /// Share of all requests that were served.
    pub share: f64,
    /// Its course.
    pub timeline: Timeline,
}

/// Rows of the nodes; none where the server stands alone. Names without a single request that are no nodes are left out.
pub(super) fn nodes(run: &Run, limit: RequestLimit) -> Vec<NodeRow> {
    let mut names: Vec<&str> = run.target.nodes.iter().map(|node| node.address.as_str()).collect();
    for series in &run.recording.nodes {
        if !names.contains(&series.key.operation.as_str()) {
            names.push(&series.key.operation);
        }
    }
    if names.is_empty() {
        return Vec::new();
    }
    let series = &run.recording.nodes;
    let outline = |name: &&str| Outline {
        scope: Scope { service: None, operation: Some((*name).to_owned()), role: SeriesRole::Operation },
        series: (0..series.len()).filter(|&at| series[at].key.operation == *name).collect(),
    };
    let outlines: Vec<Outline> = names.iter().map(outline).collect();
    let loads = loads(run, series, &outlines, limit);
    let row = |(name, load): (&str, Option<NodeLoad>)| {
        let record = run.nodes.iter().find(|record| record.before.address == name);
        let before = run.target.nodes.iter().find(|node| node.address == name);
        NodeRow {
            name: name.to_owned(),
            before: before.cloned(),
            after: record.and_then(|record| record.after.clone()),
            load,
            server: record.filter(|record| !record.server.seconds.is_empty()).map(sums),
            levels: record.and_then(|record| record.server.seconds.last()).map(|second| second.levels.clone()),
            slow: record.and_then(|record| record.server.slowlog.as_ref()).map(|log| log.count),
            lag: record.and_then(|record| lag(record, &run.nodes)),
        }
    };
    let rows = names.iter().copied().zip(loads).map(row);
    rows.filter(|row| row.before.is_some() || row.load.as_ref().is_some_and(|load| load.share > 0.0)).collect()
}

/// Requests of groups of series, each group with its share of all; `None` of a group without series.
pub(super) fn loads(
    run: &Run,
    series: &[SeriesRecord],
    outlines: &[Outline],
    limit: RequestLimit,
) -> Vec<Option<NodeLoad>> {
    let (period, series) = (run.recording.period, series.to_vec());
    let (nodes, reads, services, workers, host) = (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let recording = Recording { period, series, nodes, reads, services, workers, host };
    let tallies = tallies(&recording, outlines, limit);
    let all: u64 = tallies.iter().map(|tally| tally.counts.completed + tally.counts.failed()).sum();
    let load = |(outline, tally): (&Outline, Tally)| {
        let requests = tally.counts.completed + tally.counts.failed();
        (!outline.series.is_empty()).then(|| NodeLoad {
            share: requests as f64 / all.max(1) as f64,
            rate: tally.rate,
            timeline: Timeline::new(&recording, &outline.scope, &tally.seconds),
            response: Distribution::new(tally.response.histogram, tally.response.burstiness),
            counts: tally.counts,
        })
    };
    outlines.iter().zip(tallies).map(load).collect()
}

/// How far a replica was behind; `None` where it was not the replica of the same primary all the time, as far as is known.
fn lag(replica: &NodeRecord, nodes: &[NodeRecord]) -> Option<Lag> {
    let address = replica.before.primary.as_ref().filter(|_| replica.before.role == NodeRole::Replica)?;
    let primary = nodes.iter().find(|node| node.before.address == *address)?;
    let is_same = |node: &NodeRecord| {
        let of = |facts: &NodeFacts| (facts.role, facts.primary.clone());
        node.after.as_ref().is_none_or(|after| of(after) == of(&node.before))
    };
    if !is_same(replica) || !is_same(primary) {
        return None;
    }
    let offset = |node: &NodeRecord, second: u32| {
        let of_second = node.server.seconds.iter().find(|known| known.second == second)?;
        of_second.levels.replication_offset
    };
    let (mut sum, mut lag) = (0, Lag { mean: 0.0, max: 0, stale: 0, seconds: 0 });
    for second in replica.server.seconds.iter().map(|second| second.second) {
        let Some((written, applied)) = offset(primary, second).zip(offset(replica, second)) else { continue };
        let lacking = written.saturating_sub(applied);
        let before = second.checked_sub(1).and_then(|before| offset(primary, before));
        let is_stale = before.is_some_and(|before| lacking > written.saturating_sub(before));
        lag =
            Lag { max: lag.max.max(lacking), stale: lag.stale + u32::from(is_stale), seconds: lag.seconds + 1, ..lag };
        sum += lacking;
    }
    (lag.seconds > 0).then(|| Lag { mean: sum as f64 / f64::from(lag.seconds), ..lag })
}

fn sums(record: &NodeRecord) -> Totals {
    totals(&record.server.seconds)
}

/// Share of the busiest primary of a cluster over an even share, with its name; `None` where there are fewer than two primaries
/// with slots, or no requests.
pub fn spread(rows: &[NodeRow]) -> Option<(&NodeRow, f64)> {
    if rows.iter().any(|row| has_changed(row, rows)) {
        return None;
    }
    let is_primary =
        |row: &&NodeRow| row.before.as_ref().is_some_and(|node| node.role == NodeRole::Primary && node.slots > 0);
    let share = |row: &NodeRow| row.load.as_ref().map_or(0.0, |load| load.share);
    let primaries: Vec<(&NodeRow, f64)> = rows.iter().filter(is_primary).map(|row| (row, share(row))).collect();
    let served: f64 = primaries.iter().map(|(_, share)| share).sum();
    let (busiest, share) = primaries.iter().copied().max_by(|(_, a), (_, b)| a.total_cmp(b))?;
    (primaries.len() > 1 && served > 0.0).then(|| (busiest, share / served * primaries.len() as f64))
}

/// A primary of a cluster that served many more requests than an even share: its row, its share, and that over an even share.
pub(super) fn uneven(rows: &[NodeRow]) -> Option<(&NodeRow, f64, f64)> {
    let (busiest, factor) = spread(rows).filter(|(_, factor)| *factor >= UNEVEN)?;
    let load = busiest.load.as_ref().filter(|load| load.counts.completed >= TELLING)?;
    Some((busiest, load.share, factor))
}

/// Whether a node has another role or other slots after the load, or is gone then: its share is that of a part of the time.
fn has_changed(row: &NodeRow, rows: &[NodeRow]) -> bool {
    let was_looked_at = || rows.iter().any(|row| row.after.is_some());
    match (&row.before, &row.after) {
        (Some(before), Some(after)) => (before.role, before.slots) != (after.role, after.slots),
        (Some(_), None) => was_looked_at(),
        (None, _) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        analysis::{Finding, analyse},
        measure::SeriesKey,
        results::{ServerRecord, ServerSecond, sample},
    };

    const LIMIT: RequestLimit = RequestLimit { latency: 100_000_000, percentile: 99.0 };

    fn address(number: usize) -> String {
        format!("redis://127.0.0.1:{}", 7000 + number)
    }

    /// The sample's operations as if each of the first three had been served by one of two primaries.
    fn clustered() -> Run {
        let mut run = sample::run();
        let facts =
            |number| NodeFacts { address: address(number), role: NodeRole::Primary, slots: 8_192, primary: None };
        run.target.nodes = vec![facts(0), facts(1)];
        let series: Vec<_> = run.recording.series.iter().take(3).cloned().collect();
        for (number, mut record) in series.into_iter().enumerate() {
            record.key = SeriesKey { operation: address(usize::from(number == 0)), ..record.key };
            run.recording.nodes.push(record);
        }
        run
    }

    #[test]
    fn rows_add_up_what_the_services_sent_to_a_node() {
        let run = clustered();
        let rows = nodes(&run, LIMIT);
        let completed = |row: &NodeRow| row.load.as_ref().unwrap().counts.completed;
        let of_series = |at: usize| run.recording.series[at].totals().completed;
        assert_eq!(rows.iter().map(completed).collect::<Vec<_>>(), [of_series(1) + of_series(2), of_series(0)]);
        let shares: f64 = rows.iter().map(|row| row.load.as_ref().unwrap().share).sum();
        assert!((shares - 1.0).abs() < 1e-9, "{shares}");
        let (busiest, spread) = spread(&rows).unwrap();
        assert_eq!(busiest.name, address(usize::from(completed(&rows[1]) > completed(&rows[0]))));
        assert!((1.0..=2.0).contains(&spread), "{spread}");
    }

    #[test]
    fn an_uneven_load_is_a_finding() {
        let mut run = clustered();
        let is_uneven = |run: &Run| {
            let analysis = analyse(run, &sample::scenario());
            analysis.findings.iter().any(|finding| matches!(finding, Finding::UnevenLoad { .. }))
        };
        let of_node = |run: &mut Run, number: usize| {
            for series in &mut run.recording.nodes {
                series.key.operation = address(number);
            }
        };
        of_node(&mut run, 0);
        assert!(is_uneven(&run));
        // As many of the other.
        let first = run.recording.nodes.clone();
        of_node(&mut run, 1);
        run.recording.nodes.extend(first);
        assert!(!is_uneven(&run));
    }

    #[test]
    fn a_load_of_nodes_that_changed_is_not_called_uneven() {
        let mut rows = nodes(&clustered(), LIMIT);
        for row in &mut rows {
            row.after = row.before.clone();
        }
        assert!(spread(&rows).is_some());
        rows[0].after = None;
        assert!(spread(&rows).is_none(), "it is gone");
        rows[0].after = rows[0].before.clone().map(|node| NodeFacts { role: NodeRole::Replica, slots: 0, ..node });
        assert!(spread(&rows).is_none(), "it is a replica now");
    }

    #[test]
    fn a_replica_lacks_what_its_primary_has_written_more() {
        let node = |number: usize, primary: Option<usize>, offsets: &[Option<u64>]| {
            let role = if primary.is_some() { NodeRole::Replica } else { NodeRole::Primary };
            let before = NodeFacts { address: address(number), role, slots: 0, primary: primary.map(address) };
            let second = |(second, offset): (usize, &Option<u64>)| ServerSecond {
                second: second as u32,
                levels: Levels { replication_offset: *offset, ..Levels::default() },
                ..ServerSecond::default()
            };
            let seconds = offsets.iter().enumerate().map(second).collect();
            let server = ServerRecord { seconds, ..ServerRecord::default() };
            NodeRecord { after: Some(before.clone()), before, server }
        };
        let primary = node(0, None, &[Some(100), Some(200), Some(300), Some(400)]);
        let mut replica = node(1, Some(0), &[Some(100), Some(190), None, Some(250)]);
        let nodes = [primary.clone(), replica.clone()];
        let expected = Lag { mean: 160.0 / 3.0, max: 150, stale: 1, seconds: 3 };
        assert_eq!((lag(&replica, &nodes), lag(&primary, &nodes)), (Some(expected), None));
        replica.after = Some(NodeFacts { role: NodeRole::Primary, primary: None, ..replica.before.clone() });
        assert_eq!(lag(&replica, &nodes), None, "it was promoted");
    }

    #[test]
    fn a_server_that_stands_alone_has_no_rows() {
        assert!(nodes(&sample::run(), LIMIT).is_empty());
        assert!(spread(&[]).is_none());
    }
}
