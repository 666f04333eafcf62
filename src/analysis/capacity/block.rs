//! The recording of a block boiled down: two pool sizes that took turns.

use super::BlockPlan;
use crate::{
    analysis::{
        digest::server_busy,
        generators::misalignment,
        merge::APART,
        paired::{Half, halves},
    },
    measure::{HostInterval, PackedHistogram, Recording, SeriesSecond, ServiceRecord, merged},
    results::{BlockSide, ClockReference, Generator, PoolBlock, Quantiles, ServerRecord, Side, Sides},
};

/// Summarises a recording, which several generators may have made. `first` is the side whose services come first in it, A being the smaller pool.
pub fn pool_block(
    (recording, generators): (&Recording, &[Generator]),
    server: &ServerRecord,
    plan: &BlockPlan,
    first: Side,
    began_ns: u64,
) -> PoolBlock {
    let measured_ns = recording.period.measured_ns;
    let [one, other] = halves(recording);
    let halves = if first == Side::A { Sides { a: one, b: other } } else { Sides { a: other, b: one } };
    let lag = |half: &Half<'_>| ServiceRecord::lag(half.services).value_at_quantile(0.5);
    let most = |share: fn(&HostInterval) -> Option<f64>| recording.host.iter().filter_map(share).reduce(f64::max);
    let of_generators = generators.iter().map(|generator| merged([&generator.lag]).value_at_quantile(0.5)).max();
    PoolBlock {
        from: plan.from,
        to: plan.to,
        rate: plan.rate,
        number: plan.number,
        turn_ns: Some(plan.turn_ns),
        began_ns,
        measured_ns,
        // One of many that is late would not show in the median of all.
        lag_p50: halves.iter().map(lag).max().unwrap_or_default().max(of_generators.unwrap_or_default()),
        stolen: most(|interval| interval.stolen),
        throttled: most(|interval| interval.throttled),
        server_busy: server_busy(&server.seconds),
        misaligned_ns: generators.iter().map(apart).max(),
        // Either side has half of the turns.
        sides: halves.map(|half| side(&half, measured_ns / 2)),
    }
}

/// How far a generator may have been from the agreed start; by its own clock as far as such clocks are accepted.
fn apart(generator: &Generator) -> u64 {
    match generator.shard.clock.reference {
        ClockReference::Server => misalignment(generator),
        ClockReference::Machine => APART,
    }
}

fn side(half: &Half<'_>, measured_ns: u64) -> BlockSide {
    let seconds = || half.operations.iter().flat_map(|series| &series.seconds);
    let (completed, failed) = seconds()
        .fold((0, 0), |(completed, failed), at| (completed + at.counts.completed, failed + at.counts.failed()));
    let quantiles = |part: fn(&SeriesSecond) -> &PackedHistogram| Quantiles::of(&merged(seconds().map(part)));
    let unfinished: u64 = half.operations.iter().map(|series| series.unfinished).sum();
    BlockSide {
        scheduled: half.services.iter().map(|service| service.scheduled).sum(),
        completed,
        failed,
        unfinished,
        throughput: completed as f64 / (measured_ns.max(1) as f64 / 1e9),
        response: quantiles(|at| &at.response),
        service: quantiles(|at| &at.service),
        wait: quantiles(|at| &at.wait),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{measure::Latencies, results::sample};

    /// The load of the sample twice, as the services of one side and then those of the other.
    #[test]
    fn either_side_has_what_its_own_services_recorded() {
        let run = sample::run();
        let single = &run.recording;
        let mut recording = single.clone();
        recording.series.extend(single.series.clone());
        recording.services.extend(single.services.clone());
        recording.series[0].unfinished += 7;
        let plan = BlockPlan { from: 0, to: 1, rate: 5_000.0, number: 3, turn_ns: 1, warmup_ns: 0, duration_ns: 0 };
        let generators = sample::scaled(2, |_| 1_000_000).generators;
        let by = |generators: &[Generator]| pool_block((&recording, generators), &run.server, &plan, Side::A, 9);
        assert_eq!(by(&generators).misaligned_ns, Some(90_000));
        let mut own_clock = generators;
        own_clock[1].shard.clock.reference = ClockReference::Machine;
        assert_eq!(by(&own_clock).misaligned_ns, Some(APART));
        let mut late = Latencies::default();
        late.record(40_000_000);
        own_clock[0].lag = late.pack();
        assert!(by(&own_clock).lag_p50 >= 40_000_000, "the later of the generators counts");
        let block = |first| pool_block((&recording, &[]), &run.server, &plan, first, 9);
        let Sides { a: smaller, b: larger } = block(Side::A).sides;
        assert_eq!(smaller.unfinished, larger.unfinished + 7);
        assert_eq!((smaller.scheduled, smaller.response), (single.scheduled(), larger.response));
        assert!(smaller.response.p50 <= smaller.response.p99 && smaller.service.mean < smaller.response.mean);
        let answered = 2.0 * larger.completed as f64 / (single.period.measured_ns as f64 / 1e9);
        assert!((larger.throughput - answered).abs() < 1e-9, "either side had half of the time");
        assert_eq!(block(Side::B).sides.b, block(Side::A).sides.a, "whichever had the first turn");
        assert!(block(Side::A).server_busy.is_some() && block(Side::A).began_ns == 9);
    }
}
