//! Counter-based randomness: every draw belongs to a purpose and a number, none to the draws before it.

use rand::{SeedableRng, rngs::Xoshiro256PlusPlus};

/// The generator of one draw. Named, so that streams stay the same when `rand` changes its default.
pub(super) type Generator = Xoshiro256PlusPlus;

/// Purpose of a draw; draws for different purposes are independent. The numbers are part of the meaning of a seed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Purpose {
    Operation = 1,
    Key = 2,
    Member = 3,
    Value = 4,
    Upkeep = 5,
    Arrivals = 6,
    Prefill = 7,
    Buffer = 8,
    Chance = 9,
}

/// Root of all draws of one service.
#[derive(Debug, Clone, Copy)]
pub(super) struct Root(u64);

impl Root {
    /// Root of the service at this index of the scenario.
    pub(super) fn new(seed: u64, service: usize) -> Self {
        Self(mix(mix(seed) ^ service as u64))
    }

    /// The generator for the draw with this number; `part` shows draws of one number apart.
    #[inline]
    pub(super) fn generator(self, purpose: Purpose, number: u64, part: u64) -> Generator {
        Generator::seed_from_u64(mix(mix(self.0 ^ purpose as u64) ^ number) ^ part)
    }
}

/// One step of `SplitMix64` (Steele, Lea and Flood, OOPSLA 2014): a bijection that spreads every bit.
#[inline]
fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use rand::Rng;

    use super::{Purpose, Root, mix};

    #[test]
    fn mixing_follows_the_published_sequence() {
        // First output of SplitMix64 seeded with 0 and with 0x9e3779b97f4a7c15 (its second state).
        assert_eq!(mix(0), 0xe220_a839_7b1d_cdaf);
        assert_eq!(mix(0x9e37_79b9_7f4a_7c15), 0x6e78_9e6a_a1b9_65f4);
    }

    #[test]
    fn seeds_services_purposes_numbers_and_parts_all_differ() {
        let mut seen = HashSet::new();
        for seed in 0..4 {
            for service in 0..4 {
                let root = Root::new(seed, service);
                for purpose in [Purpose::Operation, Purpose::Key, Purpose::Member, Purpose::Value] {
                    for number in 0..16 {
                        for part in 0..4 {
                            seen.insert(root.generator(purpose, number, part).next_u64());
                        }
                    }
                }
            }
        }
        assert_eq!(seen.len(), 4 * 4 * 4 * 16 * 4);
    }
}
