//! Values: slices of one buffer of random text, so that making one copies nothing.

use bytes::Bytes;
use rand::{Rng, RngExt};
use rand_distr::{Distribution, LogNormal};

use super::draw::{Generator, Purpose, Root};
use crate::scenario::ValueSize;

/// Range of the start of a value in the buffer, in bytes.
const SLACK: usize = 64 * 1024;
/// The alphabet of values: 64 printable bytes that need no escape.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Source of values of one service.
#[derive(Debug, Clone)]
pub(super) struct Values {
    buffer: Bytes,
    size: Size,
}

#[derive(Debug, Clone)]
enum Size {
    Fixed(usize),
    Uniform(usize, usize),
    LogNormal(LogNormal<f64>, usize),
}

impl Values {
    /// Values of that size; `longest` is the longest text that will be asked for besides.
    pub(super) fn new(size: ValueSize, longest: u64, root: Root) -> Self {
        let (size, largest) = match size {
            ValueSize::Fixed(size) => (Size::Fixed(size as usize), size),
            ValueSize::Uniform { min, max } => (Size::Uniform(min.min(max) as usize, max as usize), max),
            ValueSize::LogNormal { median, sigma, max } => {
                let law = LogNormal::new(f64::from(median.max(1)).ln(), sigma)
                    .expect("a validated sigma is finite and not below 0");
                (Size::LogNormal(law, max as usize), max)
            }
        };
        let mut generator = root.generator(Purpose::Buffer, 0, 0);
        let mut buffer = vec![0; (largest as usize).max(longest as usize) + SLACK];
        generator.fill_bytes(&mut buffer);
        for byte in &mut buffer {
            *byte = ALPHABET[usize::from(*byte % 64)];
        }
        Self { buffer: buffer.into(), size }
    }

    /// A value of the service's size.
    #[inline]
    pub(super) fn draw(&self, generator: &mut Generator) -> Bytes {
        let length = match &self.size {
            Size::Fixed(size) => *size,
            Size::Uniform(min, max) => generator.random_range(*min..=*max),
            Size::LogNormal(law, max) => (law.sample(generator).round().max(1.0) as usize).min(*max),
        };
        self.text(length, generator)
    }

    /// Text of a given length, at most the longest that [`Values::new`] was given.
    #[inline]
    pub(super) fn text(&self, length: usize, generator: &mut Generator) -> Bytes {
        let length = length.min(self.buffer.len());
        let start = generator.random_range(0..=self.buffer.len() - length);
        self.buffer.slice(start..start + length)
    }
}

/// The size that values of this distribution have in the middle: its median.
pub(super) fn typical(size: ValueSize) -> u64 {
    match size {
        ValueSize::Fixed(size) => u64::from(size),
        ValueSize::Uniform { min, max } => u64::midpoint(u64::from(min), u64::from(max)),
        ValueSize::LogNormal { median, max, .. } => u64::from(median.min(max)),
    }
}

/// Bytes that a text grows to by `APPEND` before it is set back: 16 values of the median size. One command of upkeep
/// for 16 requests disturbs little, and texts are no larger than they must be for that.
pub fn text_limit(size: ValueSize) -> u64 {
    16 * typical(size)
}

/// How many values, at most `most`, fit into one command of about a megabyte.
pub(super) fn chunk(most: u64, size: u64) -> u64 {
    ((1 << 20) / size.max(1)).clamp(1, most)
}

#[cfg(test)]
mod tests {
    use proptest::{prop_assert, proptest};

    use super::{ALPHABET, Values, chunk, text_limit, typical};
    use crate::{
        scenario::ValueSize,
        workload::draw::{Purpose, Root},
    };

    fn lengths(size: ValueSize) -> Vec<usize> {
        let values = Values::new(size, 0, Root::new(42, 0));
        let draw = |number| values.draw(&mut Root::new(42, 0).generator(Purpose::Value, number, 0)).len();
        (0..20_000).map(draw).collect()
    }

    #[test]
    fn fixed_values_are_all_alike_in_size_and_differ_in_content() {
        let values = Values::new(ValueSize::Fixed(256), 0, Root::new(42, 0));
        let draw = |number| values.draw(&mut Root::new(42, 0).generator(Purpose::Value, number, 0));
        assert!((0..1000).all(|number| draw(number).len() == 256));
        assert_ne!(draw(1), draw(2));
        assert!(draw(1).iter().all(|byte| ALPHABET.contains(byte)));
        assert!(lengths(ValueSize::Fixed(0)).iter().all(|length| *length == 0));
    }

    #[test]
    fn values_are_not_copied() {
        let values = Values::new(ValueSize::Fixed(256), 0, Root::new(42, 0));
        let value = values.draw(&mut Root::new(42, 0).generator(Purpose::Value, 0, 0));
        assert!(values.buffer.as_ptr_range().contains(&value.as_ptr()));
    }

    #[test]
    fn uniform_sizes_reach_both_ends_and_balance_in_the_middle() {
        let lengths = lengths(ValueSize::Uniform { min: 16, max: 512 });
        assert_eq!(lengths.iter().min(), Some(&16));
        assert_eq!(lengths.iter().max(), Some(&512));
        let mean = lengths.iter().sum::<usize>() as f64 / lengths.len() as f64;
        // Five standard errors; the standard deviation is a root-twelfth of the width.
        assert!((mean - 264.0).abs() < 5.0 * 497.0 / (12.0 * lengths.len() as f64).sqrt(), "{mean}");
    }

    #[test]
    fn lognormal_sizes_have_their_median_and_spread_and_are_cut() {
        let mut lengths = lengths(ValueSize::LogNormal { median: 1000, sigma: 0.5, max: 3000 });
        lengths.sort_unstable();
        let quantile = |share: f64| lengths[(share * lengths.len() as f64) as usize] as f64;
        assert!((quantile(0.5) / 1000.0 - 1.0).abs() < 0.03, "{}", quantile(0.5));
        // One standard deviation below and above, in the logarithm.
        assert!((quantile(0.1587) / 1000.0 / (-0.5_f64).exp() - 1.0).abs() < 0.03, "{}", quantile(0.1587));
        assert!((quantile(0.8413) / 1000.0 / 0.5_f64.exp() - 1.0).abs() < 0.03, "{}", quantile(0.8413));
        assert_eq!(lengths.last(), Some(&3000));
    }

    #[test]
    fn texts_may_grow_to_sixteen_values() {
        assert_eq!(text_limit(ValueSize::Fixed(64)), 1024);
        assert_eq!(text_limit(ValueSize::Uniform { min: 0, max: 2048 }), 16_384);
        assert_eq!(text_limit(ValueSize::LogNormal { median: 1024, sigma: 2.0, max: 1 << 20 }), 16_384);
    }

    proptest! {
        #![proptest_config(crate::workload::sample::laws())]

        #[test]
        fn chunks_stay_near_a_megabyte(most in 1_u64..1000, size in 0_u64..10_000_000) {
            let chunk = chunk(most, size);
            prop_assert!((1..=most).contains(&chunk));
            prop_assert!(chunk == 1 || chunk * size <= 1 << 20);
        }

        #[test]
        fn values_keep_to_their_bounds(min in 0_u32..1000, width in 0_u32..1000, sigma in 0.0..5.0, number: u64) {
            let max = min + width;
            for size in [
                ValueSize::Fixed(max),
                ValueSize::Uniform { min, max },
                ValueSize::LogNormal { median: min.max(1), sigma, max },
            ] {
                let values = Values::new(size, 0, Root::new(42, 0));
                let value = values.draw(&mut Root::new(42, 0).generator(Purpose::Value, number, 0));
                prop_assert!(value.len() <= max as usize);
                prop_assert!(typical(size) <= u64::from(max));
            }
        }
    }
}
