//! Values of slices, read from their histograms.

use super::blind::{is_kept, quads};
use crate::{
    analysis::paired::Quad,
    measure::{Nanos, Unpacker},
    results::{Gate, GateBlock, GateSlice, Side, Sides, SliceKind},
};

/// Response times with their counts, ascending.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Responses {
    counts: Vec<(Nanos, u64)>,
    total: u64,
}

impl Responses {
    /// The sum of several.
    pub(super) fn merged<'a>(parts: impl Iterator<Item = &'a Self>) -> Self {
        let mut counts: Vec<(Nanos, u64)> = parts.flat_map(|part| part.counts.iter().copied()).collect();
        counts.sort_unstable_by_key(|(value, _)| *value);
        let total = counts.iter().map(|(_, count)| count).sum();
        Self { counts, total }
    }

    /// Number.
    pub(super) fn len(&self) -> u64 {
        self.total
    }

    /// Value at a quantile, in nanoseconds; 0 of nothing.
    pub(super) fn quantile(&self, quantile: f64) -> f64 {
        let rank = ((quantile * self.total as f64).ceil() as u64).max(1);
        let mut seen = 0;
        let reached = self.counts.iter().find(|(_, count)| {
            seen += count;
            seen >= rank
        });
        reached.map_or(0.0, |(value, _)| *value as f64)
    }

    /// Mean, in nanoseconds; 0 of nothing.
    pub(super) fn mean(&self) -> f64 {
        let sum: f64 = self.counts.iter().map(|(value, count)| *value as f64 * *count as f64).sum();
        sum / (self.total as f64).max(1.0)
    }
}

/// A block with its histograms read.
pub(super) struct ReadBlock<'a> {
    pub(super) block: &'a GateBlock,
    pub(super) slices: Vec<ReadSlice<'a>>,
}

/// A slice with its histograms read, in the order of the series.
pub(super) struct ReadSlice<'a> {
    pub(super) slice: &'a GateSlice,
    pub(super) series: Vec<Responses>,
}

impl ReadSlice<'_> {
    /// Response times of some of the series.
    pub(super) fn of(&self, series: &[usize]) -> Responses {
        Responses::merged(series.iter().map(|index| &self.series[*index]))
    }
}

/// Reads the histograms of every block.
pub(super) fn read(gate: &Gate) -> Vec<ReadBlock<'_>> {
    let mut unpacker = Unpacker::default();
    let mut of_slice = |slice: &'_ GateSlice| -> Vec<Responses> {
        let mut of_series = |packed| {
            let mut counts = Vec::new();
            unpacker.visit(packed, |value, count| counts.push((value, count)));
            let total = counts.iter().map(|(_, count)| count).sum();
            Responses { counts, total }
        };
        slice.series.iter().map(|tally| of_series(&tally.response)).collect()
    };
    let blocks = gate.blocks.iter();
    blocks
        .map(|block| ReadBlock {
            block,
            slices: block.slices.iter().map(|slice| ReadSlice { slice, series: of_slice(slice) }).collect(),
        })
        .collect()
}

/// Quads of a kind that are whole and not left out.
pub(super) fn kept(block: &ReadBlock<'_>, kind: SliceKind) -> Vec<u32> {
    quads(block.block, kind).into_iter().filter(|quad| is_kept(block.block, kind, *quad)).collect()
}

/// Values of the quads that are used.
pub(super) fn quads_of(block: &ReadBlock<'_>, kind: SliceKind, value: impl Fn(&ReadSlice<'_>) -> f64) -> Vec<Quad> {
    let of_quad = |quad: u32| {
        let of_arm = |arm: Side| {
            let own = block
                .slices
                .iter()
                .filter(move |read| read.slice.kind == kind && read.slice.quad == quad && read.slice.arm == arm);
            own.map(&value).collect::<Vec<_>>()
        };
        match (of_arm(Side::A).as_slice(), of_arm(Side::B).as_slice()) {
            ([first, second], [third, fourth]) => Some([*first, *second, *third, *fourth]),
            _ => None,
        }
    };
    kept(block, kind).into_iter().filter_map(of_quad).collect()
}

/// Response times of each arm in the quads that are used.
pub(super) fn merged_arms(block: &ReadBlock<'_>, series: &[usize]) -> Sides<Responses> {
    let quads = kept(block, SliceKind::Paced);
    Sides::each(|arm| {
        let own = block.slices.iter().filter(|read| {
            read.slice.kind == SliceKind::Paced && read.slice.arm == arm && quads.contains(&read.slice.quad)
        });
        Responses::merged(own.flat_map(|read| series.iter().map(|index| &read.series[*index])))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_and_means_are_those_of_all_parts() {
        let part = |counts: &[(Nanos, u64)]| Responses {
            counts: counts.to_vec(),
            total: counts.iter().map(|(_, count)| count).sum(),
        };
        let (one, other) = (part(&[(10, 2), (30, 1)]), part(&[(20, 1)]));
        let both = Responses::merged([&one, &other].into_iter());
        assert_eq!(both.len(), 4);
        assert_eq!([0.25, 0.5, 0.75, 1.0].map(|quantile| both.quantile(quantile) as u64), [10, 10, 20, 30]);
        assert!((both.mean() - 17.5).abs() < 1e-12);
        assert!(Responses::default().quantile(0.5).abs() < 1e-12 && Responses::default().mean().abs() < 1e-12);
    }
}
