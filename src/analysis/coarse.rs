//! Counts of durations in coarse bands: small enough to keep for every second of a long run.

use crate::measure::Nanos;

/// Significant bits of a band: bands are 0.2 to 0.4 % wide, which matters nothing to how bursty a tail is.
const BITS: u32 = 9;

/// Counts by band, ascending, bands without any left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Coarse(Vec<(u16, u32)>);

impl Coarse {
    /// Adds a duration that is at least as long as the ones before.
    pub(super) fn add(&mut self, value: Nanos, count: u64) {
        let (band, count) = (band(value), u32::try_from(count).unwrap_or(u32::MAX));
        match self.0.last_mut() {
            Some((last, sum)) if *last == band => *sum = sum.saturating_add(count),
            _ => self.0.push((band, count)),
        }
    }

    /// Number of samples in bands above that of a duration.
    pub(super) fn above(&self, threshold: Nanos) -> u64 {
        let limit = band(threshold);
        self.0.iter().rev().take_while(|(band, _)| *band > limit).map(|(_, count)| u64::from(*count)).sum()
    }
}

/// The band of a duration: its highest bits and how many follow them.
fn band(value: Nanos) -> u16 {
    let length = u64::BITS - value.leading_zeros();
    let shift = length.saturating_sub(BITS);
    ((shift << BITS) + (value >> shift) as u32) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_ascend_and_are_narrow() {
        let values = [0, 1, 15, 31, 32, 33, 34, 63, 64, 1_000, 1_100, 1 << 40, u64::MAX];
        assert!(values.windows(2).all(|pair| band(pair[0]) <= band(pair[1])));
        for value in [600_u64, 12_345, 1 << 33] {
            assert!(band(value) < band(value + value / 200), "{value}");
        }
    }

    #[test]
    fn counts_what_lies_above() {
        let mut coarse = Coarse::default();
        for (value, count) in [(10, 3), (10_000, 2), (10_001, 1), (50_000, 4)] {
            coarse.add(value, count);
        }
        assert_eq!((coarse.above(5), coarse.above(10_000), coarse.above(60_000)), (10, 4, 0));
        assert_eq!(coarse.0.len(), 3);
    }
}
