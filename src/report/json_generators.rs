//! Generators for programs: one record per process, the same names in `generators.csv` and in the JSON summary.

use super::{
    number::{micros, rounded},
    record::record,
};
use crate::{analysis::GeneratorRow, results::ClockReference};

record! {
    /// One of the processes that sent the load together. Its fields are the columns of `generators.csv`, in their order.
    #[derive(Debug)]
    pub(super) struct GeneratorSummary<'a>(row: &'a GeneratorRow) {
        /// Number, from 0.
        generator: u32 = row.generator.shard.number,
        /// Name of its machine.
        host: &'a str = &row.generator.shard.host,
        /// CPU model of its machine.
        cpu: &'a str = &row.generator.environment.cpu,
        /// Cores that it may use.
        cores: u32 = row.generator.environment.cores,
        /// Number of its worker threads.
        workers: u32 = row.generator.workers,
        /// Requests that fell due in the measured period.
        scheduled: u64 = row.generator.scheduled,
        /// Number of successful requests.
        count: u64 = row.generator.completed,
        /// Number of failed requests.
        errors: u64 = row.generator.failed,
        /// Number of requests without an answer at the end of the drain.
        unfinished: u64 = row.generator.unfinished,
        /// Median of the response time.
        response_p50_us: Option<f64> = percentile(row, 50.0),
        /// 99th percentile of the response time.
        response_p99_us: Option<f64> = percentile(row, 99.0),
        /// 99.9th percentile of the response time.
        response_p999_us: Option<f64> = percentile(row, 99.9),
        /// 99th percentile of the schedule lag; null in a closed loop.
        lag_p99_us: Option<f64> = row.lag_p99.map(|lag| micros(lag as f64)),
        /// Largest share of the measured period in which one of its workers had something to do; null where its load failed.
        worker_busy: Option<f64> = row.busy.map(|busy| rounded(busy, 4)),
        /// Time from the agreed instant until its load began.
        late_us: f64 = micros(row.generator.shard.late_ns as f64),
        /// Clock that the start was agreed by.
        clock: ClockReference = row.generator.shard.clock.reference,
        /// Reference clock less that of its machine; null where the machine's own clock is the reference.
        clock_offset_us: Option<f64> = offset(row),
        /// Largest error of the offset; null where the machine's own clock is the reference.
        clock_uncertainty_us: Option<f64> = row.generator.shard.clock.uncertainty_ns.map(|error| micros(error as f64)),
        /// Change of the offset from before the load until after it; null where it was not measured again.
        clock_drift_us: Option<f64> = row.generator.shard.clock.drift_ns.map(signed_micros),
    }
}

fn percentile(row: &GeneratorRow, percentile: f64) -> Option<f64> {
    row.response.percentile(percentile).nanos().map(|nanos| micros(nanos as f64))
}

fn offset(row: &GeneratorRow) -> Option<f64> {
    let clock = row.generator.shard.clock;
    clock.uncertainty_ns.map(|_| signed_micros(clock.offset_ns))
}

fn signed_micros(nanos: i64) -> f64 {
    micros(nanos as f64)
}
