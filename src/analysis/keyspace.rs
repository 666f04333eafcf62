//! Number and memory of keys by type and prefix, estimated from a sample.

use super::Interval;
use crate::results::{DatabaseSample, KeyGroup, KeyspaceSample};

/// Standard errors between an estimate and the ends of its 95 % interval.
const DEVIATES: f64 = 1.959_964;

/// Content of the keyspace.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyspaceSide {
    /// Databases of which something was seen.
    pub databases: Vec<DatabaseSide>,
    /// Keys that were looked at.
    pub sampled: u64,
    /// Keys that there are.
    pub keys: u64,
    /// Share of the time of sampling in which the server was kept busy at most, 0..=1.
    pub busy: f64,
}

/// One database.
#[derive(Debug, Clone, PartialEq)]
pub struct DatabaseSide {
    /// Its number.
    pub database: u64,
    /// Keys that it holds.
    pub keys: u64,
    /// Whether every key was looked at, so that nothing is estimated.
    pub complete: bool,
    /// By type and prefix, the most memory first.
    pub groups: Vec<KeyShare>,
    /// By type, the most memory first.
    pub types: Vec<KeyShare>,
    /// Memory of all its keys; `None` where it was withheld for some.
    pub bytes: Option<Interval>,
}

/// Keys of a type, or of a type and prefix.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyShare {
    /// Prefix; empty for the rest, and where a type is meant.
    pub prefix: String,
    /// Type.
    pub data_type: String,
    /// Keys.
    pub keys: Interval,
    /// Their memory in bytes; `None` where it was withheld.
    pub bytes: Option<Interval>,
    /// Their share of the memory of the sample, 0..=1.
    pub share: Option<f64>,
    /// Memory of one of them on average, in bytes.
    pub mean: Option<f64>,
}

/// The total over a population of `size` of which `sampled` were drawn without replacement, from the sum and the sum
/// of squares of what was seen.
///
/// Estimate and standard error are those of Cochran, *Sampling Techniques*, 3rd ed., sections 2.5 and 2.6, with the
/// finite population correction; who does not belong to a group counts as 0 there, as in section 2.12, and a number
/// of keys is a proportion as in section 3.2. The interval supposes that means of samples are spread normally, which
/// a few huge keys among many small ones disturb.
pub fn sampled_total(size: u64, sampled: u64, sum: f64, squares: f64) -> Interval {
    let (population, n) = (size.max(sampled) as f64, sampled as f64);
    if sampled == 0 || size <= sampled {
        return Interval { point: sum, low: Some(sum), high: (sampled > 0).then_some(sum) };
    }
    let mean = sum / n;
    let point = population * mean;
    if sampled == 1 {
        return Interval { point, low: Some(sum), high: None };
    }
    let variance = ((squares - n * mean * mean) / (n - 1.0)).max(0.0);
    let error = population * (variance / n * (1.0 - n / population)).sqrt();
    Interval::between(point, ((point - DEVIATES * error).max(sum), point + DEVIATES * error))
}

/// A number of keys: each counts 1 or 0.
fn count(size: u64, sampled: u64, seen: u64) -> Interval {
    let estimate = sampled_total(size, sampled, seen as f64, seen as f64);
    // All that were not seen may belong to it, but no more.
    let most = (size.max(sampled) - sampled + seen) as f64;
    Interval { high: Some(estimate.high.map_or(most, |high| high.min(most))), ..estimate }
}

/// Estimates from a sample.
pub(super) fn keyspace(sample: &KeyspaceSample) -> KeyspaceSide {
    let databases: Vec<_> = sample.databases.iter().filter(|database| database.sampled > 0).map(database).collect();
    KeyspaceSide {
        databases,
        sampled: sample.databases.iter().map(|database| database.sampled).sum(),
        keys: sample.databases.iter().map(|database| database.keys).sum(),
        busy: sample.busy_ns as f64 / sample.elapsed_ns.max(1) as f64,
    }
}

fn database(sample: &DatabaseSample) -> DatabaseSide {
    let all = merged(&sample.groups, String::new());
    let mut types: Vec<KeyGroup> = Vec::new();
    for group in &sample.groups {
        match types.iter_mut().find(|known| known.data_type == group.data_type) {
            Some(known) => *known = merged([&*known, group], known.data_type.clone()),
            None => types.push(KeyGroup { prefix: String::new(), ..group.clone() }),
        }
    }
    let share = |group: &KeyGroup| share(sample, &all, group);
    let mut types: Vec<_> = types.iter().map(share).collect();
    types.sort_by(|a, b| weight(b).total_cmp(&weight(a)));
    let mut groups: Vec<_> = sample.groups.iter().map(share).collect();
    groups.sort_by(|a, b| weight(b).total_cmp(&weight(a)));
    DatabaseSide {
        database: sample.database,
        keys: sample.keys,
        complete: sample.complete,
        groups,
        types,
        bytes: all.bytes.map(|bytes| sampled_total(sample.keys, sample.sampled, bytes as f64, all.squares)),
    }
}

/// Groups as one: no key is in two of them, so sums and sums of squares add up.
fn merged<'a>(groups: impl IntoIterator<Item = &'a KeyGroup>, data_type: String) -> KeyGroup {
    let none = KeyGroup { prefix: String::new(), data_type, sampled: 0, bytes: Some(0), squares: 0.0 };
    groups.into_iter().fold(none, |sum, group| KeyGroup {
        sampled: sum.sampled + group.sampled,
        bytes: sum.bytes.zip(group.bytes).map(|(a, b)| a + b),
        squares: sum.squares + group.squares,
        ..sum
    })
}

fn share(sample: &DatabaseSample, all: &KeyGroup, group: &KeyGroup) -> KeyShare {
    let of_all = |bytes: u64| all.bytes.filter(|all| *all > 0).map(|all| bytes as f64 / all as f64);
    KeyShare {
        prefix: group.prefix.clone(),
        data_type: group.data_type.clone(),
        keys: count(sample.keys, sample.sampled, group.sampled),
        bytes: group.bytes.map(|bytes| sampled_total(sample.keys, sample.sampled, bytes as f64, group.squares)),
        share: group.bytes.and_then(of_all),
        mean: group.bytes.map(|bytes| bytes as f64 / group.sampled.max(1) as f64),
    }
}

fn weight(share: &KeyShare) -> f64 {
    share.bytes.map_or(0.0, |bytes| bytes.point)
}

#[cfg(test)]
mod tests {
    use proptest::{
        prelude::{Strategy, prop_assert, proptest},
        test_runner::{Config, RngSeed},
    };
    use rand::{RngExt, SeedableRng, rngs::StdRng, seq::index};

    use super::*;
    use crate::results::sample;

    #[test]
    fn a_complete_sample_is_exact() {
        let exact = sampled_total(3, 3, 600.0, 140_000.0);
        assert_eq!(exact, Interval::between(600.0, (600.0, 600.0)));
        assert_eq!(count(3, 3, 2), Interval::between(2.0, (2.0, 2.0)));
    }

    #[test]
    fn an_estimate_keeps_to_the_formula() {
        // Cochran, section 2.5: N = 10, y = (1, 2, 3, 6): mean 3, s2 = 14/3, s(Y) = 10 sqrt(14/3/4 * 0.6).
        let estimate = sampled_total(10, 4, 12.0, 50.0);
        let error = 10.0 * (14.0 / 3.0 / 4.0 * 0.6_f64).sqrt();
        assert!((estimate.point - 30.0).abs() < 1e-9);
        assert!((estimate.high.unwrap() - 30.0 - 1.959_964 * error).abs() < 1e-9);
        assert!((estimate.low.unwrap() - (30.0 - 1.959_964 * error).max(12.0)).abs() < 1e-9);
        assert_eq!(sampled_total(10, 1, 5.0, 25.0).high, None);
        assert!((count(10, 1, 1).high.unwrap() - 10.0).abs() < 1e-9);
    }

    #[test]
    fn types_are_the_sums_of_their_groups() {
        let side = keyspace(&sample::run().inspection.keyspace.unwrap());
        for database in &side.databases {
            for of_type in &database.types {
                let groups = database.groups.iter().filter(|group| group.data_type == of_type.data_type);
                let sum: f64 = groups.map(|group| group.bytes.unwrap().point).sum();
                assert!((of_type.bytes.unwrap().point - sum).abs() < 1e-6 * sum);
            }
            let shares: f64 = database.groups.iter().filter_map(|group| group.share).sum();
            assert!((shares - 1.0).abs() < 1e-9);
        }
        let last = &side.databases[1];
        let (low, high) = last.groups[0].bytes.unwrap().ends().unwrap();
        assert!(last.complete && (high - low).abs() < 1e-9);
    }

    #[test]
    fn memory_that_is_withheld_is_not_made_up() {
        let mut sample = sample::run().inspection.keyspace.unwrap();
        sample.databases[0].groups[1].bytes = None;
        let database = &keyspace(&sample).databases[0];
        assert_eq!(database.bytes, None);
        assert_eq!(database.groups.iter().filter(|group| group.bytes.is_some()).count(), 1);
        assert!(database.groups.iter().all(|group| group.share.is_none() && group.keys.point > 0.0));
    }

    /// How often the interval covers the truth, over samples of a population of sizes, 0 outside of the group.
    fn coverage(population: &[f64], sampled: usize, draws: u64) -> f64 {
        let truth: f64 = population.iter().sum();
        let covered = (0..draws).filter(|seed| {
            let mut random = StdRng::seed_from_u64(*seed);
            let chosen = index::sample(&mut random, population.len(), sampled);
            let (mut sum, mut squares) = (0.0, 0.0);
            for at in chosen {
                sum += population[at];
                squares += population[at] * population[at];
            }
            let estimate = sampled_total(population.len() as u64, sampled as u64, sum, squares);
            estimate.ends().is_some_and(|(low, high)| (low..=high).contains(&truth))
        });
        covered.count() as f64 / draws as f64
    }

    fn sizes() -> impl Strategy<Value = (u64, f64, f64)> {
        // Seed, share of keys in the group, spread of their sizes.
        (0_u64..1_000, 0.1..0.9, 0.0..0.8)
    }

    proptest! {
        #![proptest_config(Config { cases: 24, rng_seed: RngSeed::Fixed(7), ..Config::default() })]

        /// Of 400 draws at a true rate of 95 % fewer than 90 % or more than 99 % cover the truth once in ten thousands.
        #[test]
        fn intervals_cover_the_truth_at_about_their_rate((seed, portion, spread) in sizes(), sampled in 300_usize..1_500) {
            let mut random = StdRng::seed_from_u64(seed);
            let population: Vec<f64> = (0..3_000)
                .map(|_| {
                    let size = 100.0 * (spread * (random.random::<f64>() * 4.0 - 2.0)).exp();
                    if random.random::<f64>() < portion { size } else { 0.0 }
                })
                .collect();
            let rate = coverage(&population, sampled, 400);
            prop_assert!((0.90..=0.99).contains(&rate), "{rate}");
        }
    }
}
