//! Seeded randomness: every draw belongs to a seed and a place, none to the draws before it.

use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};

/// A generator for what is drawn at one place. Named, so that orders stay the same when `rand` changes its default.
pub(super) fn generator(seed: u64, place: u64) -> Xoshiro256PlusPlus {
    // The generator's own seeding spreads bits (SplitMix64); an odd factor keeps places of one seed apart.
    Xoshiro256PlusPlus::seed_from_u64(seed ^ place.wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// A number below `end`, which is above 0.
pub(super) fn below(seed: u64, place: u64, end: u32) -> u32 {
    generator(seed, place).random_range(0..end)
}
