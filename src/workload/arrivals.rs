//! When requests of an open loop are due.

use rand_distr::{Distribution, Exp1};

use super::draw::{Generator, Purpose, Root};
use crate::{measure::Nanos, scenario::ArrivalProcess};

const SECOND: f64 = 1e9;
/// Fraction of the golden ratio: multiples of it, taken modulo 1, lie as evenly as they can for any number of them.
const GOLDEN: f64 = 0.618_033_988_749_894_9;

/// Due instants of one instance of a service, in nanoseconds from the start of the load. Never ends and never falls.
///
/// They depend on the arguments alone, not on how the server fares. No instant is computed from a rounded one, so the
/// rate holds over any time.
#[derive(Debug, Clone)]
pub struct Arrivals(Process);

#[derive(Debug, Clone)]
enum Process {
    Poisson {
        generator: Generator,
        /// Mean gap in nanoseconds.
        gap: f64,
        /// The last instant, split so that long runs lose no precision.
        whole: Nanos,
        fraction: f64,
    },
    Uniform {
        /// Gap in nanoseconds.
        gap: f64,
        /// Number of the next request, and where in its gap it lies.
        number: u64,
        phase: f64,
    },
}

impl Arrivals {
    /// Due instants at `rate` requests per second, the instance's own share of the service's rate.
    ///
    /// Poisson arrivals have exponential gaps, drawn from the seed. Uniform arrivals have equal gaps; instances are
    /// shifted against each other so that they do not fall due together.
    pub fn new(seed: u64, service: usize, instance: u32, rate: f64, process: ArrivalProcess) -> Self {
        let gap = SECOND / rate;
        Self(match process {
            ArrivalProcess::Poisson => Process::Poisson {
                generator: Root::new(seed, service).generator(Purpose::Arrivals, u64::from(instance), 0),
                gap,
                whole: 0,
                fraction: 0.0,
            },
            ArrivalProcess::Uniform => {
                Process::Uniform { gap, number: 0, phase: (f64::from(instance) * GOLDEN).fract() }
            }
        })
    }
}

impl Iterator for Arrivals {
    type Item = Nanos;

    #[inline]
    fn next(&mut self) -> Option<Nanos> {
        Some(match &mut self.0 {
            Process::Poisson { generator, gap, whole, fraction } => {
                let exponential: f64 = Exp1.sample(generator);
                *fraction += exponential * *gap;
                let passed = fraction.floor();
                *fraction -= passed;
                *whole = whole.saturating_add(passed as Nanos);
                *whole
            }
            Process::Uniform { gap, number, phase } => {
                let due = (*number as f64 + *phase) * *gap;
                *number += 1;
                due as Nanos
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::Just, prop_assert, prop_oneof, proptest};
    use statrs::distribution::{ChiSquared, ContinuousCDF};

    use super::Arrivals;
    use crate::scenario::ArrivalProcess::{self, Poisson, Uniform};

    const COUNT: usize = 100_000;

    fn due(instance: u32, rate: f64, process: ArrivalProcess) -> Vec<u64> {
        Arrivals::new(42, 0, instance, rate, process).take(COUNT).collect()
    }

    fn gaps(due: &[u64]) -> Vec<f64> {
        due.windows(2).map(|pair| (pair[1] - pair[0]) as f64).collect()
    }

    #[test]
    fn uniform_gaps_are_equal_and_do_not_drift() {
        for rate in [3.0, 1000.0, 70_000.0] {
            let due = due(0, rate, Uniform);
            let gap = 1e9 / rate;
            assert_eq!(due[0], 0);
            for (number, due) in due.iter().enumerate() {
                assert!((*due as f64 - number as f64 * gap).abs() <= 1.0, "{rate}: {number} is due at {due}");
            }
        }
    }

    #[test]
    fn uniform_instances_do_not_fall_due_together() {
        let mut first: Vec<_> = (0..10).map(|instance| due(instance, 1000.0, Uniform)[0]).collect();
        first.sort_unstable();
        // Ten instances would be a tenth of a gap apart at best.
        let around = first[0] + 1_000_000 - first[9];
        let closest = gaps(&first).into_iter().fold(around as f64, f64::min);
        assert!(closest >= 1_000_000.0 / 20.0, "{first:?}");
        assert!(first[9] < 1_000_000, "{first:?}");
    }

    #[test]
    fn poisson_gaps_have_the_mean_and_variance_of_the_exponential_distribution() {
        let gaps = gaps(&due(0, 1000.0, Poisson));
        let count = gaps.len() as f64;
        let mean = gaps.iter().sum::<f64>() / count;
        let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / count;
        // Five standard errors: 1/sqrt(n) of the mean, sqrt(8/n) of the variance.
        assert!((mean / 1e6 - 1.0).abs() < 5.0 / count.sqrt(), "{mean}");
        assert!((variance / 1e12 - 1.0).abs() < 5.0 * (8.0 / count).sqrt(), "{variance}");
    }

    #[test]
    fn poisson_gaps_are_exponential_all_the_way() {
        // Twenty bins that are all as likely.
        let mut bins = [0.0_f64; 20];
        let gaps = gaps(&due(0, 1000.0, Poisson));
        for gap in &gaps {
            let probability = 1.0 - (-gap / 1e6).exp();
            bins[((probability * 20.0) as usize).min(19)] += 1.0;
        }
        let expected = gaps.len() as f64 / 20.0;
        let statistic: f64 = bins.iter().map(|seen| (seen - expected).powi(2) / expected).sum();
        assert!(ChiSquared::new(19.0).unwrap().sf(statistic) > 0.001, "{bins:?}");
    }

    #[test]
    fn poisson_gaps_do_not_depend_on_those_before() {
        let gaps = gaps(&due(0, 1000.0, Poisson));
        let products: f64 = gaps.windows(2).map(|pair| (pair[0] / 1e6 - 1.0) * (pair[1] / 1e6 - 1.0)).sum();
        let correlation = products / gaps.len() as f64;
        assert!(correlation.abs() < 5.0 / (gaps.len() as f64).sqrt(), "{correlation}");
    }

    #[test]
    fn seeds_services_and_instances_have_arrivals_of_their_own() {
        let tenth = |seed, service, instance| Arrivals::new(seed, service, instance, 1000.0, Poisson).nth(9);
        let all = [tenth(42, 0, 0), tenth(43, 0, 0), tenth(42, 1, 0), tenth(42, 0, 1)];
        for (number, one) in all.iter().enumerate() {
            assert!(!all[..number].contains(one), "{all:?}");
        }
        assert_eq!(tenth(42, 0, 0), tenth(42, 0, 0));
    }

    proptest! {
        #![proptest_config(crate::workload::sample::laws())]

        #[test]
        fn arrivals_never_fall_nor_end(
            seed: u64,
            instance in 0_u32..10_000,
            rate in prop_oneof![1e-3..1.0, 1.0..1e3, 1e3..1e7],
            process in prop_oneof![Just(Poisson), Just(Uniform)],
        ) {
            let due: Vec<_> = Arrivals::new(seed, 0, instance, rate, process).take(1000).collect();
            prop_assert!(due.len() == 1000);
            prop_assert!(due.is_sorted());
            // A thousand gaps within six standard errors.
            let time = (due[999] - due[0]) as f64 / 1e9;
            prop_assert!((time * rate / 999.0 - 1.0).abs() < 0.19, "{time} s at {rate}/s");
        }
    }
}
