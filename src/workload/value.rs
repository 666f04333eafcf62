//! Values: slices of one buffer of random text, so that making one copies nothing.

use bytes::Bytes;
use rand::{Rng, RngExt};
use rand_distr::{Distribution, LogNormal};

use super::draw::{Generator, Purpose, Root};
use crate::scenario::ValueSize;

/// Values start anywhere within so many bytes of the buffer.
const SLACK: usize = 64 * 1024;
/// What values are made of: 64 bytes that print and need no escape.
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

    /// Text of a given length, at most the longest that [`Values::new`] was told of.
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

/// Bytes that a text grows to by `APPEND` before it is set back: 16 values, and at least 4 096.
pub fn text_limit(size: ValueSize) -> u64 {
    (16 * typical(size)).max(4096)
}

/// How many values, at most `most`, fit into one command of about a megabyte.
pub(super) fn chunk(most: u64, size: u64) -> u64 {
    ((1 << 20) / size.max(1)).clamp(1, most)
}
