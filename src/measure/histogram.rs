//! Histograms of durations: the one that is recorded into, and the packed form that is kept and saved.

use std::borrow::Cow;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hdrhistogram::{Counter, Histogram, serialization::Deserializer};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize, de::Error as _};

use super::{
    Nanos,
    decode::{HIGHEST_NANOS, SIGNIFICANT_DIGITS, Unpacker, index_of},
    encode::Packer,
};

/// A histogram of fixed size that never allocates while recording.
///
/// Counts are 32 bits wide: an instance lives for one interval, and about 135 KB is what it takes for 1 ns to 1 h.
#[derive(Debug, Clone)]
pub struct Latencies {
    histogram: Histogram<u32>,
    beyond_range: u64,
}

impl Default for Latencies {
    fn default() -> Self {
        let mut histogram = Histogram::new_with_bounds(1, HIGHEST_NANOS, SIGNIFICANT_DIGITS)
            .expect("bounds and precision are constants that hdrhistogram accepts");
        // Clearing writes to every page, so that none is met for the first time while measuring.
        histogram.saturating_record(HIGHEST_NANOS);
        histogram.reset();
        Self { histogram, beyond_range: 0 }
    }
}

impl Latencies {
    /// Records one duration in nanoseconds; one beyond [`HIGHEST_NANOS`] is counted apart.
    #[inline]
    pub fn record(&mut self, nanos: Nanos) {
        if self.histogram.record(nanos).is_err() {
            self.beyond_range += 1;
        }
    }

    /// Number of recorded durations, those beyond the range left out.
    pub fn len(&self) -> u64 {
        self.histogram.len()
    }

    /// Whether the histogram is empty.
    pub fn is_empty(&self) -> bool {
        self.histogram.is_empty() && self.beyond_range == 0
    }

    /// Durations that were longer than [`HIGHEST_NANOS`].
    pub fn beyond_range(&self) -> u64 {
        self.beyond_range
    }

    /// The value at a quantile (0..=1), in nanoseconds; 0 when empty.
    pub fn quantile(&self, quantile: f64) -> Nanos {
        self.histogram.value_at_quantile(quantile)
    }

    /// Passes every value within the range, in nanoseconds, with its count to `visit`, ascending. A value is the highest
    /// that its bucket stands for, as in the percentiles.
    pub fn visit(&self, mut visit: impl FnMut(Nanos, u64)) {
        for step in self.histogram.iter_recorded() {
            visit(self.histogram.highest_equivalent(step.value_iterated_to()), u64::from(step.count_at_value()));
        }
    }

    /// All durations added up, in nanoseconds; those beyond the range count as [`HIGHEST_NANOS`] each.
    pub fn sum(&self) -> f64 {
        self.histogram.mean() * self.histogram.len() as f64 + self.beyond_range as f64 * HIGHEST_NANOS as f64
    }

    /// Adds the counts of another histogram.
    pub fn merge(&mut self, other: &Self) {
        self.histogram.add(&other.histogram).expect("histograms of equal bounds always add");
        self.beyond_range += other.beyond_range;
    }

    /// What was packed: recorded again.
    pub fn unpacked(packed: &PackedHistogram) -> Self {
        let mut latencies = Self::default();
        Unpacker::default().visit(packed, |value, count| {
            latencies.histogram.saturating_record_n(value, u32::try_from(count).unwrap_or(u32::MAX));
        });
        latencies
    }

    /// Forgets everything, keeping the memory.
    pub fn clear(&mut self) {
        if !self.histogram.is_empty() {
            self.histogram.reset();
        }
        self.beyond_range = 0;
    }

    /// The packed form.
    pub fn pack(&self) -> PackedHistogram {
        if self.histogram.is_empty() {
            return PackedHistogram::default();
        }
        packed(&self.histogram)
    }
}

/// A histogram in HDR's compressed V2 form; empty bytes stand for an empty histogram. Base64 when serialised. One that
/// was deserialised is to be checked ([`Unpacker::check`]) before anything is asked of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PackedHistogram {
    bytes: Vec<u8>,
}

impl PackedHistogram {
    /// Packs a histogram of nanoseconds that has three significant digits.
    pub fn of(histogram: &Histogram<u64>) -> Self {
        packed(histogram)
    }

    pub(super) fn from_bytes(bytes: Vec<u8>) -> Self {
        Self { bytes }
    }

    /// Whether the histogram is empty.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The compressed V2 form itself.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The histogram, in nanoseconds, just wide enough for its data and able to grow.
    pub fn unpack(&self) -> Histogram<u64> {
        let mut histogram: Histogram<u64> = if self.bytes.is_empty() {
            Histogram::new(SIGNIFICANT_DIGITS).expect("three digits are accepted")
        } else {
            Deserializer::new()
                .deserialize(&mut self.bytes.as_slice())
                .expect("the bytes were checked when they were read")
        };
        histogram.auto(true);
        histogram
    }
}

impl Unpacker {
    /// Fault of a histogram that was read from a file: a fragment of a sentence.
    pub fn check(&mut self, packed: &PackedHistogram) -> Result<(), &'static str> {
        if packed.is_empty() { Ok(()) } else { self.decode(&packed.bytes, |_, _| {}) }
    }

    /// Passes every value, in nanoseconds, with its count to `visit`, ascending. A value is the highest that its bucket
    /// stands for, as in the percentiles.
    pub fn visit(&mut self, packed: &PackedHistogram, visit: impl FnMut(Nanos, u64)) {
        if !packed.is_empty() {
            self.decode(&packed.bytes, visit).expect("the bytes were checked when they were read");
        }
    }
}

fn packed<T: Counter>(histogram: &Histogram<T>) -> PackedHistogram {
    // What lies beyond an hour is reported by its count elsewhere.
    let buckets = histogram
        .iter_recorded()
        .map(|step| (index_of(step.value_iterated_to().min(HIGHEST_NANOS)), step.count_at_value().as_u64()));
    PackedHistogram::from_bytes(Packer::default().pack(buckets))
}

/// The sum of several histograms: percentiles come from this, they are never averaged.
pub fn merged<'a>(parts: impl IntoIterator<Item = &'a PackedHistogram>) -> Histogram<u64> {
    let mut whole = PackedHistogram::default().unpack();
    let mut unpacker = Unpacker::default();
    for part in parts {
        unpacker.visit(part, |value, count| {
            whole.record_n(value, count).expect("a growing histogram takes every value");
        });
    }
    whole
}

impl JsonSchema for PackedHistogram {
    fn schema_name() -> Cow<'static, str> {
        "PackedHistogram".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "contentEncoding": "base64",
            "pattern": "^[A-Za-z0-9+/]*={0,2}$",
            "description": "HdrHistogram in its compressed V2 form, three significant digits, from 1 ns; the empty string for an empty one",
        })
    }
}

impl Serialize for PackedHistogram {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.bytes))
    }
}

impl<'de> Deserialize<'de> for PackedHistogram {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        let bytes = STANDARD
            .decode(text.as_bytes())
            .map_err(|error| D::Error::custom(format!("a histogram is damaged: {error}")))?;
        Ok(Self { bytes })
    }
}
