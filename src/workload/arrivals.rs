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
