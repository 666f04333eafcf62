//! The Universal Scalability Law, X(N) = g N / (1 + a (N - 1) + b N (N - 1)), fitted to closed-loop throughput.
//!
//! N. J. Gunther, "Guerrilla Capacity Planning" (Springer, 2007), chapters 4 to 6. Least squares on the throughput itself, as
//! the R package `usl` does, with g > 0 and a, b >= 0; intervals by resampling residuals (Efron and Tibshirani, "An Introduction
//! to the Bootstrap", 1993, section 9.4).

use rand::RngExt;

use super::{Usl, draw::generator};
use crate::analysis::Interval;

/// Different numbers of clients that a fit takes.
const FEWEST: usize = 6;

/// Resamplings for the intervals.
const RESAMPLINGS: usize = 1_000;

/// Steps of the fit; it needs about ten.
const STEPS: u32 = 200;

/// A coefficient whose interval reaches down to this is as good as 0.
const CERTAIN: f64 = 1e-9;

/// Place of these draws among those of a seed.
const PLACE: u64 = 0x0075_736c;

/// Coefficients of the law.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Law {
    gamma: f64,
    alpha: f64,
    beta: f64,
}

/// Clients and throughput.
type Point = (f64, f64);

/// The fit to trials, each a number of clients and its throughput in operations per second; `None` with fewer than six
/// different numbers of clients.
pub(super) fn fit(trials: &[(u32, f64)], seed: u64) -> Option<Usl> {
    let trials: Vec<(u32, f64)> =
        trials.iter().copied().filter(|(clients, rate)| *clients > 0 && rate.is_finite() && *rate > 0.0).collect();
    let mut numbers: Vec<u32> = trials.iter().map(|(clients, _)| *clients).collect();
    numbers.sort_unstable();
    numbers.dedup();
    if numbers.len() < FEWEST {
        return None;
    }
    let points: Vec<Point> = trials.iter().map(|(clients, rate)| (f64::from(*clients), *rate)).collect();
    let law = Law::fitted(&points);
    let mean = |number: u32| {
        let (sum, count) = trials
            .iter()
            .filter(|(clients, _)| *clients == number)
            .fold((0.0, 0.0), |(sum, count), (_, rate)| (sum + rate, count + 1.0));
        sum / count
    };
    let [gamma, alpha, beta, peak] = intervals(law, &points, seed);
    Some(Usl {
        gamma,
        alpha,
        beta,
        peak: law.peak().map(|_| peak),
        r_squared: r_squared(law, &points),
        points: numbers.iter().map(|number| (*number, mean(*number), law.at(f64::from(*number)))).collect(),
    })
}

impl Usl {
    /// Clients beyond which nothing is said: a multiple of the largest number that was measured.
    pub const REACH: f64 = 2.0;

    /// The largest number of clients that was measured.
    pub fn largest(&self) -> f64 {
        self.points.iter().map(|(clients, ..)| f64::from(*clients)).fold(0.0, f64::max)
    }

    /// Whether there is coherence for certain: its interval does not reach down to 0, where there is none, and no peak.
    pub fn is_coherent(&self) -> bool {
        self.beta.low.is_some_and(|low| low > CERTAIN)
    }

    /// The peak, if certain and within twice the measured range.
    pub fn seen_peak(&self) -> Option<Interval> {
        self.peak.filter(|peak| peak.point <= Self::REACH * self.largest() && self.is_coherent())
    }

    /// Throughput of a number of clients by the fitted law.
    pub fn at(&self, clients: f64) -> f64 {
        let (gamma, alpha, beta) = (self.gamma.point, self.alpha.point, self.beta.point);
        Law { gamma, alpha, beta }.at(clients)
    }
}

impl Law {
    fn at(self, clients: f64) -> f64 {
        self.gamma * clients / self.shrink(clients)
    }

    fn shrink(self, clients: f64) -> f64 {
        1.0 + self.alpha * (clients - 1.0) + self.beta * clients * (clients - 1.0)
    }

    /// Number of clients with the highest throughput, sqrt((1 - a) / b).
    fn peak(self) -> Option<f64> {
        // A coefficient that is as good as 0 puts the peak anywhere.
        (self.beta > 1e-12 && self.alpha < 1.0).then(|| ((1.0 - self.alpha) / self.beta).sqrt())
    }

    fn squares(self, points: &[Point]) -> f64 {
        points.iter().map(|(clients, rate)| (rate - self.at(*clients)).powi(2)).sum()
    }

    /// Levenberg and Marquardt's method; a coefficient at its bound stays there for a step that would exceed the bound.
    fn fitted(points: &[Point]) -> Self {
        let mut law = Self::first_guess(points);
        let (mut squares, mut damping) = (law.squares(points), 1e-3);
        for _ in 0..STEPS {
            let (next, ended) = match law.step(points, damping) {
                Some(next) => (next, false),
                None => (law, true),
            };
            let now = next.squares(points);
            if ended {
                break;
            }
            if now < squares {
                let gained = squares - now;
                (law, squares, damping) = (next, now, (damping * 0.3_f64).max(1e-12));
                if gained <= 1e-14 * squares {
                    break;
                }
            } else {
                damping *= 4.0;
                if damping > 1e12 {
                    break;
                }
            }
        }
        law
    }

    /// The best per-client throughput for no contention at all, and a little of it.
    fn first_guess(points: &[Point]) -> Self {
        let gamma = points.iter().map(|(clients, rate)| rate / clients).fold(0.0, f64::max);
        let largest = points.iter().map(|(clients, _)| *clients).fold(1.0, f64::max);
        Self { gamma, alpha: 0.1 / largest, beta: 0.1 / (largest * largest) }
    }

    /// The next estimate, scaled by each coefficient's own curvature; `None` where none of them is free to move.
    fn step(self, points: &[Point], damping: f64) -> Option<Self> {
        let (mut matrix, mut slope) = ([[0.0; 3]; 3], [0.0; 3]);
        for (clients, rate) in points {
            let shrink = self.shrink(*clients);
            let fitted = self.at(*clients);
            let by =
                [clients / shrink, -fitted * (clients - 1.0) / shrink, -fitted * clients * (clients - 1.0) / shrink];
            for row in 0..3 {
                slope[row] += by[row] * (rate - fitted);
                for column in 0..3 {
                    matrix[row][column] += by[row] * by[column];
                }
            }
        }
        let now = [self.gamma, self.alpha, self.beta];
        for index in 0..3 {
            let held = index > 0 && now[index] <= 0.0 && slope[index] <= 0.0;
            if held || matrix[index][index] <= 0.0 {
                matrix[index] = [0.0; 3];
                for row in &mut matrix {
                    row[index] = 0.0;
                }
                (matrix[index][index], slope[index]) = (1.0, 0.0);
            } else {
                matrix[index][index] *= 1.0 + damping;
            }
        }
        if slope.iter().all(|slope| *slope == 0.0) {
            return None;
        }
        let change = solve(matrix, slope)?;
        Some(Self {
            gamma: (self.gamma + change[0]).max(self.gamma * 0.1),
            alpha: (self.alpha + change[1]).max(0.0),
            beta: (self.beta + change[2]).max(0.0),
        })
    }
}

/// Three linear equations by elimination with the largest pivot; each row is scaled first, since b is millions of times smaller
/// than g.
fn solve(mut matrix: [[f64; 3]; 3], mut right: [f64; 3]) -> Option<[f64; 3]> {
    let scale: [f64; 3] = std::array::from_fn(|index| matrix[index][index].sqrt().recip());
    for row in 0..3 {
        right[row] *= scale[row];
        for column in 0..3 {
            matrix[row][column] *= scale[row] * scale[column];
        }
    }
    for step in 0..3 {
        let pivot = (step..3).max_by(|a, b| matrix[*a][step].abs().total_cmp(&matrix[*b][step].abs()))?;
        matrix.swap(step, pivot);
        right.swap(step, pivot);
        if matrix[step][step].abs() <= 1e-300 || matrix[step][step].is_nan() {
            return None;
        }
        for row in step + 1..3 {
            let factor = matrix[row][step] / matrix[step][step];
            let above = matrix[step];
            for (cell, above) in matrix[row].iter_mut().zip(above) {
                *cell -= factor * above;
            }
            right[row] -= factor * right[step];
        }
    }
    let mut solution = [0.0; 3];
    for row in (0..3).rev() {
        let known: f64 = (row + 1..3).map(|column| matrix[row][column] * solution[column]).sum();
        solution[row] = (right[row] - known) / matrix[row][row];
    }
    Some(std::array::from_fn(|index| solution[index] * scale[index]))
}

fn r_squared(law: Law, points: &[Point]) -> f64 {
    let mean = points.iter().map(|(_, rate)| rate).sum::<f64>() / points.len() as f64;
    let total: f64 = points.iter().map(|(_, rate)| (rate - mean).powi(2)).sum();
    if total > 0.0 { 1.0 - law.squares(points) / total } else { 1.0 }
}

/// g, a, b and the peak with their 95 % intervals: percentiles of fits to the fitted values with residuals drawn from those of the
/// fit, widened by sqrt(n / (n - 3)) for the three coefficients that were fitted. A fit without a peak has it at infinity, which is
/// no bound.
fn intervals(law: Law, points: &[Point], seed: u64) -> [Interval; 4] {
    let parameters = |law: Law| [law.gamma, law.alpha, law.beta, law.peak().unwrap_or(f64::INFINITY)];
    let count = points.len();
    let widen = (count as f64 / (count as f64 - 3.0)).sqrt();
    let residuals: Vec<f64> = points.iter().map(|(clients, rate)| (rate - law.at(*clients)) * widen).collect();
    let mut random = generator(seed, PLACE);
    let mut samples: [Vec<f64>; 4] = std::array::from_fn(|_| Vec::with_capacity(RESAMPLINGS));
    for _ in 0..RESAMPLINGS {
        let drawn = |(clients, _): &Point| (*clients, law.at(*clients) + residuals[random.random_range(0..count)]);
        let sample: Vec<Point> = points.iter().map(drawn).collect();
        for (values, value) in samples.iter_mut().zip(parameters(Law::fitted(&sample))) {
            values.push(value);
        }
    }
    let own = parameters(law);
    std::array::from_fn(|index| {
        let values = &mut samples[index];
        values.sort_unstable_by(f64::total_cmp);
        let at = |share: f64| values[(share * (RESAMPLINGS - 1) as f64).round() as usize];
        let high = Some(at(0.975).max(own[index])).filter(|high| high.is_finite());
        Interval { point: own[index], low: Some(at(0.025).min(own[index])), high }
    })
}

#[cfg(test)]
mod tests {
    use rand_distr::{Distribution, StandardNormal};

    use super::*;

    const NUMBERS: [u32; 7] = [1, 2, 4, 8, 16, 32, 64];

    fn exact(gamma: f64, alpha: f64, beta: f64) -> Vec<(u32, f64)> {
        let law = Law { gamma, alpha, beta };
        NUMBERS.iter().map(|number| (*number, law.at(f64::from(*number)))).collect()
    }

    fn within(seen: f64, known: f64, share: f64) -> bool {
        (seen - known).abs() <= share * known.abs().max(1e-9)
    }

    #[test]
    fn finds_known_coefficients() {
        for (gamma, alpha, beta) in [(1_000.0, 0.05, 0.001), (20_000.0, 0.3, 1e-5), (50.0, 0.01, 0.02)] {
            let usl = fit(&exact(gamma, alpha, beta), 1).unwrap();
            let found = (usl.gamma.point, usl.alpha.point, usl.beta.point);
            assert!(
                within(found.0, gamma, 1e-4) && within(found.1, alpha, 1e-3) && within(found.2, beta, 1e-3),
                "{found:?} instead of {gamma}, {alpha}, {beta}"
            );
            assert!(usl.r_squared > 0.999_999);
        }
    }

    #[test]
    fn coefficients_are_never_negative() {
        let linear = fit(&exact(1_000.0, 0.0, 0.0), 1).unwrap();
        assert!(linear.alpha.point >= 0.0 && linear.alpha.point < 1e-6, "{linear:?}");
        let better_than_linear: Vec<(u32, f64)> =
            NUMBERS.iter().map(|n| (*n, f64::from(*n).powf(1.1) * 100.0)).collect();
        let usl = fit(&better_than_linear, 1).unwrap();
        assert_eq!((usl.alpha.point, usl.beta.point, usl.peak), (0.0, 0.0, None));
    }

    /// `specsdm91`, the example data of the R package `usl` (CRAN), from Gunther's book: throughput in scripts per hour of the
    /// SPEC SDM91 benchmark on a Sun server. The package's documentation prints alpha 0.0277, beta 0.000104 and a
    /// peak at about 96.5 users for them.
    #[test]
    fn agrees_with_the_published_fit() {
        let data =
            [(1, 64.9), (18, 995.9), (36, 1_652.4), (72, 1_853.2), (108, 1_828.9), (144, 1_775.0), (216, 1_702.2)];
        let usl = fit(&data, 1).unwrap();
        assert!(within(usl.alpha.point, 0.0277, 0.005), "{usl:?}");
        assert!(within(usl.beta.point, 0.000_104, 0.01), "{usl:?}");
        assert!(within(usl.gamma.point, 89.995, 0.002), "{usl:?}");
        let peak = usl.seen_peak().unwrap();
        let ((low, high), peak) = (peak.ends().unwrap(), peak.point);
        assert!(within(peak, 96.52, 0.005) && low > 72.0 && high < 216.0 && low < peak && peak < high, "{usl:?}");
        assert!(usl.r_squared > 0.98, "{usl:?}");
    }

    #[test]
    fn intervals_hold_the_truth() {
        let law = Law { gamma: 1_000.0, alpha: 0.05, beta: 0.001 };
        let mut held = 0;
        for seed in 0..20 {
            let mut random = generator(seed, 7);
            let mut noisy = |number: u32| {
                let noise: f64 = StandardNormal.sample(&mut random);
                (number, law.at(f64::from(number)) + 100.0 * noise)
            };
            let trials: Vec<(u32, f64)> = NUMBERS.iter().chain(&NUMBERS).chain(&NUMBERS).map(|n| noisy(*n)).collect();
            let usl = fit(&trials, seed).unwrap();
            let holds = |of: Interval, truth: f64| {
                u32::from(of.low.is_none_or(|low| low <= truth) && of.high.is_none_or(|high| truth <= high))
            };
            held += holds(usl.gamma, law.gamma) + holds(usl.alpha, law.alpha) + holds(usl.beta, law.beta);
            held += holds(usl.peak.unwrap(), law.peak().unwrap());
        }
        assert!((68..=80).contains(&held), "{held} of 80 at 95 %");
    }

    #[test]
    fn a_peak_far_beyond_what_was_measured_is_not_seen() {
        let usl = fit(&exact(1_000.0, 0.01, 1e-6), 1).unwrap();
        assert!(usl.peak.unwrap().point > 900.0 && usl.seen_peak().is_none(), "{usl:?}");
    }

    #[test]
    fn few_numbers_of_clients_are_too_few() {
        assert_eq!(fit(&exact(1_000.0, 0.1, 0.0)[..3], 1), None);
        assert_eq!(fit(&[(1, 10.0), (1, 11.0), (2, 19.0), (2, 20.0), (4, 30.0), (0, 1.0)], 1), None);
    }

    #[test]
    fn repetitions_are_averaged_and_a_seed_repeats_itself() {
        let mut trials = exact(1_000.0, 0.05, 0.001);
        trials.extend(exact(1_100.0, 0.05, 0.001));
        let usl = fit(&trials, 3).unwrap();
        assert!(within(usl.points[0].1, 1_050.0, 1e-9) && within(usl.points[0].2, 1_050.0, 1e-3), "{usl:?}");
        assert_eq!(usl, fit(&trials, 3).unwrap());
    }
}
