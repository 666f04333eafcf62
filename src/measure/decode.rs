//! Reading histograms in HDR's compressed V2 form without building them: a run of ten minutes holds some 25 000, each a
//! few hundred values in an array of ten thousands.
//!
//! The form, as `HdrHistogram`'s `AbstractHistogram.encodeIntoCompressedByteBuffer` writes it, all numbers big-endian: a
//! cookie, the length of what follows, and compressed by zlib: a cookie, the length of the counts, five words of which
//! only precision and range matter here, and the counts by index as zigzag LEB128, a negative one standing for a number of
//! zeros.

use flate2::{Decompress, FlushDecompress};

use super::Nanos;

/// Precision of every histogram: three significant decimal digits.
pub const SIGNIFICANT_DIGITS: u8 = 3;

/// Longest duration that a histogram can hold: one hour.
pub const HIGHEST_NANOS: Nanos = 3_600_000_000_000;

pub(super) const COMPRESSED_COOKIE: u32 = 0x1c84_9314;
pub(super) const COOKIE: u32 = 0x1c84_9313;
pub(super) const HEADER: usize = 40;

/// Values below are exact; above, each doubling is divided into half as many buckets. For three significant digits.
const EXACT: u64 = 2048;

/// Longest inflated form of a histogram that this crate writes, with room to spare.
const LONGEST: usize = 1 << 20;

/// Reads the values of many packed histograms with the same memory, without the cost of building each.
pub struct Unpacker {
    inflate: Decompress,
    plain: Vec<u8>,
}

impl Default for Unpacker {
    fn default() -> Self {
        Self { inflate: Decompress::new(true), plain: Vec::new() }
    }
}

impl Unpacker {
    /// Passes every value with its count to `visit`, ascending; a value is the highest that its bucket stands for.
    /// An error is a fragment of a sentence.
    pub(super) fn decode(&mut self, packed: &[u8], mut visit: impl FnMut(Nanos, u64)) -> Result<(), &'static str> {
        let (head, compressed) = packed.split_first_chunk::<8>().ok_or("it is cut short")?;
        if word(head, 0) != COMPRESSED_COOKIE {
            return Err("it is in another form than V2 compressed");
        }
        if word(head, 4) as usize != compressed.len() {
            return Err("its length differs from what it says");
        }
        self.inflate(compressed)?;
        let (head, counts) = self.plain.split_first_chunk::<HEADER>().ok_or("it is cut short")?;
        if word(head, 0) != COOKIE || word(head, 4) as usize != counts.len() {
            return Err("its length differs from what it says");
        }
        let (precision, lowest, highest) = (word(head, 12), long(head, 16), long(head, 24));
        if word(head, 8) != 0 || long(head, 32) != 1.0_f64.to_bits() {
            return Err("it is shifted or scaled");
        }
        if precision != u32::from(SIGNIFICANT_DIGITS) || lowest != 1 || !(2..=2 * HIGHEST_NANOS).contains(&highest) {
            return Err("it has another precision or range");
        }
        read_counts(counts, highest, &mut visit)
    }

    fn inflate(&mut self, compressed: &[u8]) -> Result<(), &'static str> {
        self.inflate.reset(true);
        self.plain.clear();
        loop {
            if self.plain.len() > LONGEST {
                return Err("it is longer than any histogram");
            }
            self.plain.reserve(4096.max(self.plain.len()));
            let rest = &compressed[self.inflate.total_in() as usize..];
            // Not Finish: that asks for all output in one call and fails for good where it does not fit.
            let status = self.inflate.decompress_vec(rest, &mut self.plain, FlushDecompress::None);
            match status.map_err(|_| "its compression is damaged")? {
                flate2::Status::StreamEnd => return Ok(()),
                _ if self.plain.len() < self.plain.capacity() => return Err("it is cut short"),
                _ => {}
            }
        }
    }
}

fn read_counts(mut bytes: &[u8], highest: Nanos, visit: &mut impl FnMut(Nanos, u64)) -> Result<(), &'static str> {
    let mut index = 0_u64;
    while !bytes.is_empty() {
        let (number, rest) = number(bytes)?;
        bytes = rest;
        if number < 0 {
            index = index.saturating_add(number.unsigned_abs());
            continue;
        }
        if number > 0 {
            let (low, high) =
                bucket(index).filter(|(low, _)| *low <= highest).ok_or("a count lies beyond its range")?;
            debug_assert!(low <= high);
            visit(high, number.unsigned_abs());
        }
        index += 1;
    }
    Ok(())
}

/// Lowest and highest value of a bucket.
pub(super) fn bucket(index: u64) -> Option<(Nanos, Nanos)> {
    if index < EXACT {
        return Some((index, index));
    }
    let doubling = (index / (EXACT / 2) - 1) as u32;
    let low = (index % (EXACT / 2) + EXACT / 2).checked_shl(doubling).filter(|_| doubling < 48)?;
    Some((low, low + (1 << doubling) - 1))
}

/// The bucket of a value.
pub(super) fn index_of(value: Nanos) -> u64 {
    if value < EXACT {
        return value;
    }
    let doubling = value.ilog2() - EXACT.ilog2() + 1;
    u64::from(doubling) * (EXACT / 2) + (value >> doubling)
}

/// A zigzag LEB128 number of at most nine bytes, the ninth taken whole, and what follows it.
fn number(bytes: &[u8]) -> Result<(i64, &[u8]), &'static str> {
    let mut value = 0_u64;
    for (place, &byte) in bytes.iter().enumerate().take(9) {
        let last = byte < 0x80 || place == 8;
        let digits = if place == 8 { byte } else { byte & 0x7f };
        value |= u64::from(digits) << (7 * place);
        if last {
            return Ok(((value >> 1).cast_signed() ^ -(value & 1).cast_signed(), &bytes[place + 1..]));
        }
    }
    Err("it is cut short")
}

fn word<const N: usize>(bytes: &[u8; N], at: usize) -> u32 {
    bytes[at..at + 4].iter().fold(0, |word, &byte| word << 8 | u32::from(byte))
}

fn long<const N: usize>(bytes: &[u8; N], at: usize) -> u64 {
    u64::from(word(bytes, at)) << 32 | u64::from(word(bytes, at + 4))
}

#[cfg(test)]
mod tests {
    use hdrhistogram::{
        Histogram,
        serialization::{Deserializer, Serializer, V2DeflateSerializer},
    };
    use proptest::{
        collection::vec,
        prelude::{any, prop_assert, prop_assert_eq, proptest},
    };

    use super::*;

    fn packed(values: &[(Nanos, u64)]) -> (Histogram<u64>, Vec<u8>) {
        let mut histogram = Histogram::new_with_bounds(1, HIGHEST_NANOS, SIGNIFICANT_DIGITS).unwrap();
        for (value, count) in values {
            histogram.record_n(*value, *count).unwrap();
        }
        let mut bytes = Vec::new();
        V2DeflateSerializer::new().serialize(&histogram, &mut bytes).unwrap();
        (histogram, bytes)
    }

    fn decode(bytes: &[u8]) -> Result<Vec<(Nanos, u64)>, &'static str> {
        let mut counts = Vec::new();
        Unpacker::default().decode(bytes, |value, count| counts.push((value, count)))?;
        Ok(counts)
    }

    proptest! {
        #[test]
        fn reads_what_hdrhistogram_writes(values in vec((0..=HIGHEST_NANOS, 1..u64::from(u32::MAX)), 0..50)) {
            let (histogram, bytes) = packed(&values);
            let recorded: Vec<_> =
                histogram.iter_recorded().map(|step| (step.value_iterated_to(), step.count_at_value())).collect();
            prop_assert_eq!(decode(&bytes).unwrap(), recorded);
        }

        #[test]
        fn accepts_nothing_that_hdrhistogram_refuses(at in 8..200_usize, bits in any::<u8>(), cut in 0..3_usize) {
            let (_, mut bytes) = packed(&[(70_000, 3), (1_000_000, 200), (40_000_000, 1)]);
            let at = at % bytes.len();
            bytes[at] ^= bits;
            bytes.truncate(bytes.len() - cut);
            if decode(&bytes).is_ok() {
                prop_assert!(Deserializer::new().deserialize::<u64, _>(&mut bytes.as_slice()).is_ok());
            }
        }
    }

    #[test]
    fn reads_histograms_longer_than_its_first_buffer() {
        let values: Vec<_> = (1..20_000).map(|step: u64| (step * step * 7, 1 + step % 300)).collect();
        let (histogram, bytes) = packed(&values);
        let seen: u64 = decode(&bytes).unwrap().iter().map(|(_, count)| count).sum();
        assert_eq!(seen, histogram.len());
    }

    #[test]
    fn says_what_is_wrong() {
        let (_, bytes) = packed(&[(5, 1)]);
        assert_eq!(decode(&bytes[..bytes.len() - 1]), Err("its length differs from what it says"));
        assert_eq!(decode(&[0; 60]), Err("it is in another form than V2 compressed"));
        assert_eq!(decode(&[]), Err("it is cut short"));
    }
}
