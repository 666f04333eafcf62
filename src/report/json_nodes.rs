//! Nodes for programs: one record per node, the same names in `nodes.csv` and in the JSON summary.

use super::{
    number::{micros, rounded},
    record::record,
};
use crate::{
    analysis::{NodeLoad, NodeRow, ReadRow, Totals},
    results::{NodeFacts, NodeRole},
};

record! {
    /// One node of a cluster, or of a primary with its replicas; or requests that no single node served. Its fields are the columns
    /// of `nodes.csv`, in their order.
    #[derive(Debug)]
    pub(super) struct NodeSummary<'a>(row: &'a NodeRow) {
        /// Address; `redirected`, `several nodes` or `other nodes` for requests that no single known node served.
        node: &'a str = &row.name,
        /// Role before the load; null for requests that no single known node served.
        role: Option<NodeRole> = row.before.as_ref().map(|node| node.role),
        /// Role after the load; null where the other nodes no longer knew it, and where it was not observed.
        role_after: Option<NodeRole> = row.after.as_ref().map(|node| node.role),
        /// Number of hash slots before the load.
        slots: Option<u32> = row.before.as_ref().map(slots),
        /// Number of hash slots after the load.
        slots_after: Option<u32> = row.after.as_ref().map(slots),
        /// Number of successful requests; null where requests are not known by node.
        count: Option<u64> = load(row, |load| load.counts.completed),
        /// Number of failed requests.
        errors: Option<u64> = load(row, |load| load.counts.failed()),
        /// Share of all requests that were served.
        share: Option<f64> = load(row, |load| rounded(load.share, 6)),
        /// Successful requests per second.
        rate_per_s: Option<f64> = load(row, |load| rounded(load.rate, 3)),
        /// Median of the response time.
        response_p50_us: Option<f64> = percentile(row, 50.0),
        /// 99th percentile of the response time.
        response_p99_us: Option<f64> = percentile(row, 99.0),
        /// 99.9th percentile of the response time.
        response_p999_us: Option<f64> = percentile(row, 99.9),
        /// Longest response time.
        response_max_us: Option<f64> = load(row, max).flatten(),
        /// CPU time of the node divided by the measured period.
        cpu_cores: Option<f64> = row.server.as_ref().and_then(Totals::cores).map(|cores| rounded(cores, 4)),
        /// Memory that it used at the end, in bytes.
        used_memory: Option<u64> = row.levels.as_ref().and_then(|levels| levels.used_memory),
        /// Share of lookups that found their key.
        hit_ratio: Option<f64> = row.server.as_ref().and_then(Totals::hit_ratio).map(|ratio| rounded(ratio, 6)),
        /// Number of slow commands.
        slow: Option<u64> = row.slow,
        /// Bytes that the replica furthest behind lacked at the end; null without replicas.
        replica_lag_bytes: Option<u64> = row.levels.as_ref().and_then(|levels| levels.replica_lag),
        /// Bytes that a replica had not applied of what its primary had written, mean over the seconds; null of a primary, and of a
        /// replica that changed its role or its primary.
        lag_mean_bytes: Option<f64> = row.lag.map(|lag| rounded(lag.mean, 1)),
        /// The most of them.
        lag_max_bytes: Option<u64> = row.lag.map(|lag| lag.max),
    }
}

record! {
    /// Reads of a service that reads from replicas, by the role of the node that served them. Its fields are the columns of
    /// `reads.csv`, in their order.
    #[derive(Debug)]
    pub(super) struct ReadSummary<'a>(row: &'a ReadRow) {
        /// Name of the service.
        service: &'a str = &row.service,
        /// Role of the node: `primary` or `replica`; `other` for reads that a node redirected, that nodes of both roles served, or no
        /// node.
        role: &'a str = &row.role,
        /// Number of successful reads.
        count: u64 = row.load.counts.completed,
        /// Number of failed reads.
        errors: u64 = row.load.counts.failed(),
        /// Share of all reads of services that read from replicas.
        share: f64 = rounded(row.load.share, 6),
        /// Successful reads per second.
        rate_per_s: f64 = rounded(row.load.rate, 3),
        /// Median of the response time.
        response_p50_us: Option<f64> = at(&row.load, 50.0),
        /// 99th percentile of the response time.
        response_p99_us: Option<f64> = at(&row.load, 99.0),
        /// 99.9th percentile of the response time.
        response_p999_us: Option<f64> = at(&row.load, 99.9),
        /// Longest response time.
        response_max_us: Option<f64> = max(&row.load),
        /// Keys, fields or members found.
        hits: u64 = row.load.counts.hits,
        /// Number of keys that were not found.
        misses: u64 = row.load.counts.misses,
    }
}

fn slots(node: &NodeFacts) -> u32 {
    node.slots
}

fn load<T>(row: &NodeRow, of: impl FnOnce(&NodeLoad) -> T) -> Option<T> {
    row.load.as_ref().map(of)
}

fn percentile(row: &NodeRow, percentile: f64) -> Option<f64> {
    row.load.as_ref().and_then(|load| at(load, percentile))
}

fn at(load: &NodeLoad, percentile: f64) -> Option<f64> {
    load.response.percentile(percentile).nanos().map(|nanos| micros(nanos as f64))
}

fn max(load: &NodeLoad) -> Option<f64> {
    (load.counts.completed > 0).then(|| micros(load.response.histogram.max() as f64))
}
