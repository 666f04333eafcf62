//! Writing histograms in HDR's compressed V2 form, which [`super::decode`] describes, without building them: each is a few dozen values in
//! an array of ten thousands.

use std::io::Write as _;

use flate2::{Compression, write::ZlibEncoder};

use super::decode::{COMPRESSED_COOKIE, COOKIE, HEADER, HIGHEST_NANOS, SIGNIFICANT_DIGITS, bucket};

/// Writes many histograms with the same memory.
pub(super) struct Packer {
    deflate: ZlibEncoder<Vec<u8>>,
    plain: Vec<u8>,
}

impl Default for Packer {
    fn default() -> Self {
        Self { deflate: ZlibEncoder::new(Vec::new(), Compression::default()), plain: Vec::new() }
    }
}

impl Packer {
    /// The form of the counts of buckets, which are ascending and not 0.
    pub(super) fn pack(&mut self, buckets: impl Iterator<Item = (u64, u64)>) -> Vec<u8> {
        self.plain.clear();
        self.plain.resize(HEADER, 0);
        let (mut buckets, mut next) = (buckets.peekable(), 0);
        while let Some((index, mut count)) = buckets.next() {
            while let Some((_, more)) = buckets.next_if(|(other, _)| *other == index) {
                count += more;
            }
            match index - next {
                0 => {}
                1 => self.number(0),
                zeros => self.number(-zeros.cast_signed()),
            }
            self.number(i64::try_from(count).unwrap_or(i64::MAX));
            next = index + 1;
        }
        let Some(last) = next.checked_sub(1) else { return Vec::new() };
        // Only as wide as the data: what is read back later then costs as much memory as the data needs.
        let highest = bucket(last).map_or(HIGHEST_NANOS, |(_, high)| high.clamp(2, HIGHEST_NANOS));
        let words = [COOKIE, (self.plain.len() - HEADER) as u32, 0, u32::from(SIGNIFICANT_DIGITS)];
        let longs = [1, highest, 1.0_f64.to_bits()];
        let head = words.into_iter().flat_map(u32::to_be_bytes).chain(longs.into_iter().flat_map(u64::to_be_bytes));
        self.plain.iter_mut().zip(head).for_each(|(place, byte)| *place = byte);
        let mut packed = self.deflated().expect("writing to memory does not fail");
        let length = packed.len() as u32 - 8;
        packed[..4].copy_from_slice(&COMPRESSED_COOKIE.to_be_bytes());
        packed[4..8].copy_from_slice(&length.to_be_bytes());
        // Thousands are kept until the end of the run.
        packed.shrink_to_fit();
        packed
    }

    /// What is to be written, compressed, behind room for eight bytes.
    fn deflated(&mut self) -> std::io::Result<Vec<u8>> {
        self.deflate.get_mut().resize(8, 0);
        self.deflate.write_all(&self.plain)?;
        self.deflate.reset(Vec::new())
    }

    /// Zigzag LEB128 of at most nine bytes, the ninth taken whole.
    fn number(&mut self, number: i64) {
        let mut rest = ((number << 1) ^ (number >> 63)).cast_unsigned();
        for _ in 0..8 {
            if rest < 0x80 {
                break;
            }
            self.plain.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        self.plain.push(rest as u8);
    }
}
