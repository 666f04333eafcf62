//! Adding up packed histograms: a merge has millions of them.

use super::{
    Nanos, PackedHistogram, Unpacker,
    decode::{HIGHEST_NANOS, index_of},
    encode::Packer,
};

/// Adds up many packed histograms with the same memory.
pub(super) struct Adder {
    unpacker: Unpacker,
    packer: Packer,
    /// Count of each bucket; 0 between two sums.
    counts: Vec<u64>,
}

impl Default for Adder {
    fn default() -> Self {
        let counts = vec![0; index_of(HIGHEST_NANOS) as usize + 1];
        Self { unpacker: Unpacker::default(), packer: Packer::default(), counts }
    }
}

impl Adder {
    /// The sum of several, packed again.
    pub(super) fn sum<'a>(&mut self, parts: impl IntoIterator<Item = &'a PackedHistogram>) -> PackedHistogram {
        let mut parts = parts.into_iter().filter(|part| !part.is_empty());
        let Some(first) = parts.next() else { return PackedHistogram::default() };
        let Some(second) = parts.next() else { return first.clone() };
        let (mut low, mut high) = (self.counts.len(), 0);
        for part in [first, second].into_iter().chain(parts) {
            self.unpacker.visit(part, |value: Nanos, count| {
                // What lies beyond an hour is reported by its count elsewhere.
                let index = index_of(value.min(HIGHEST_NANOS)) as usize;
                self.counts[index] += count;
                low = low.min(index);
                high = high.max(index);
            });
        }
        let own = &mut self.counts[low..=high];
        let buckets = own.iter().zip(low as u64..).filter(|(count, _)| **count > 0);
        let sum = PackedHistogram::from_bytes(self.packer.pack(buckets.map(|(count, index)| (index, *count))));
        own.fill(0);
        sum
    }
}

impl PackedHistogram {
    /// The sum of several, packed again.
    pub fn sum<'a>(parts: impl IntoIterator<Item = &'a Self>) -> Self {
        Adder::default().sum(parts)
    }
}

#[cfg(test)]
mod tests {
    use hdrhistogram::{
        Histogram,
        serialization::{Serializer, V2DeflateSerializer},
    };
    use proptest::{collection::vec, prop_assert_eq, proptest};

    use super::*;
    use crate::measure::SIGNIFICANT_DIGITS;

    /// As hdrhistogram itself writes it.
    fn written(values: &[(Nanos, u64)]) -> Vec<u8> {
        let mut whole = Histogram::<u64>::new_with_bounds(1, HIGHEST_NANOS, SIGNIFICANT_DIGITS).unwrap();
        for (value, count) in values {
            whole.record_n(*value, *count).unwrap();
        }
        let highest = whole.max().clamp(2, HIGHEST_NANOS);
        let mut fitted = Histogram::<u64>::new_with_bounds(1, highest, SIGNIFICANT_DIGITS).unwrap();
        for step in whole.iter_recorded() {
            fitted.saturating_record_n(step.value_iterated_to(), step.count_at_value());
        }
        let mut bytes = Vec::new();
        V2DeflateSerializer::new().serialize(&fitted, &mut bytes).unwrap();
        bytes
    }

    proptest! {
        #[test]
        fn sums_are_what_hdrhistogram_writes(
            parts in vec(vec((0..=HIGHEST_NANOS, 1..u64::from(u32::MAX)), 1..30), 2..5),
            small in vec((0_u64..5_000, 1_u64..300), 1..400),
        ) {
            let mut adder = Adder::default();
            for parts in [&parts[..], &[small.clone(), parts[0].clone()], &[small.clone(), small.clone()]] {
                let packed: Vec<_> = parts.iter().map(|part| PackedHistogram::from_bytes(written(part))).collect();
                let sum = adder.sum(&packed);
                prop_assert_eq!(sum.bytes(), written(&parts.concat()));
            }
        }
    }

    #[test]
    fn counts_of_any_size_are_written() {
        let of = |values: &[(Nanos, u64)]| PackedHistogram::from_bytes(written(values));
        let mut adder = Adder::default();
        for count in [1, 63, 64, 1 << 20, 1 << 41, 1 << 55, 1 << 61] {
            let parts = [of(&[(7, count)]), of(&[(7, count), (9, 1), (HIGHEST_NANOS, 1)])];
            assert_eq!(adder.sum(&parts).bytes(), written(&[(7, 2 * count), (9, 1), (HIGHEST_NANOS, 1)]), "{count}");
        }
        assert_eq!(adder.sum(&[of(&[(0, 1)]), PackedHistogram::default()]).bytes(), written(&[(0, 1)]));
        assert!(adder.sum(&[PackedHistogram::default()]).is_empty());
    }
}
