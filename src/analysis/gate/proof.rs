//! The gate played through on simulated arms whose difference is known, thousands of times.
//!
//! `PLIMSOLL_PROOF=N` plays every case N times instead, which takes an optimised build: `make proof`.

use std::env;

use rand::{Rng, RngExt};
use rand_distr::{Distribution, LogNormal, Normal, StudentT};

use super::{Change, LEVEL, judge::verdict};
use crate::{
    analysis::{
        draw::generator,
        paired::{Difference, Limits, Power, Quad, change},
    },
    results::{GateStage, SliceKind, Verdict},
};

/// Differences between slices of one arm.
#[derive(Debug, Clone, Copy)]
enum Noise {
    Normal,
    /// Heavy tails: Student's t with three degrees of freedom, scaled to the standard deviation of the case.
    Heavy,
    /// Skewed: the exponential of normal values, of that standard deviation.
    Skewed,
    /// Each slice keeps six tenths of the deviation of the one before it.
    Correlated,
    /// The machine becomes slower by three deviations, for good, at a moment of its own.
    Step,
    /// One slice of twenty is three times slower.
    Bursts,
    /// Every second slice is slower by two deviations.
    Alternating,
}

const NOISES: [Noise; 7] =
    [Noise::Normal, Noise::Heavy, Noise::Skewed, Noise::Correlated, Noise::Step, Noise::Bursts, Noise::Alternating];

/// A gate in numbers.
#[derive(Debug, Clone, Copy)]
struct Case {
    blocks: u32,
    quads: u32,
    threshold: f64,
    /// Standard deviation of what a pair of servers makes of the ratio.
    instance: f64,
    /// Standard deviation of a slice.
    slice: f64,
    noise: Noise,
    /// True worsening of B, as a share.
    effect: f64,
}

/// Profiles that are played through: name, threshold, blocks and quads. The command line compares its own with them.
pub(crate) const PROFILES: [(&str, f64, u32, u32); 2] = [("quick", 0.1, 8, 2), ("nightly", 0.05, 12, 6)];

const QUICK: Case = of_profile(0);
const NIGHTLY: Case = of_profile(1);

const fn of_profile(index: usize) -> Case {
    let (_, threshold, blocks, quads) = PROFILES[index];
    Case { blocks, quads, threshold, instance: 0.0, slice: 0.0, noise: Noise::Normal, effect: 0.0 }
}

/// Number of each verdict.
#[derive(Debug, Default, Clone, Copy)]
struct Tally {
    gates: u32,
    /// The first stage raised a suspicion.
    suspected: u32,
    regression: u32,
    ok: u32,
    inconclusive: u32,
}

impl Tally {
    fn share(&self, of: u32) -> f64 {
        f64::from(of) / f64::from(self.gates)
    }
}

/// Plays a case through, `gates` times.
fn play(case: Case, gates: u32, power: &mut Power) -> Tally {
    let limits = Limits { level: LEVEL, more_is_worse: true, threshold: case.threshold, floor: 0.0, lag: 0.0 };
    let mut tally = Tally { gates, ..Tally::default() };
    for gate in 0..u64::from(gates) {
        let screen = stage(case, gate, GateStage::Screen, &limits, power);
        let suspected = limits.is_worse(&screen);
        let confirm = suspected.then(|| stage(case, gate, GateStage::Confirm, &limits, power));
        tally.suspected += u32::from(suspected);
        match verdict(&limits, &screen, confirm.as_ref()) {
            Verdict::Fail => tally.regression += 1,
            Verdict::Pass | Verdict::Improved => tally.ok += 1,
            _ => tally.inconclusive += 1,
        }
    }
    tally
}

fn stage(case: Case, gate: u64, stage: GateStage, limits: &Limits, power: &mut Power) -> Change {
    let mut random = generator(gate, 17 + stage as u64);
    let mut machine = Machine::new(case, &mut random);
    let blocks: Vec<Difference> = (0..case.blocks)
        .filter_map(|block| {
            let instance: f64 = Normal::new(0.0, case.instance).unwrap().sample(&mut random);
            let quads: Vec<Quad> = (0..case.quads)
                .map(|quad| {
                    let order = super::quad_of_arms(gate, stage, SliceKind::Paced, block * case.quads + quad);
                    let (mut values, mut seen) = ([0.0; 4], [0, 0]);
                    for arm in order.map(|arm| arm as usize) {
                        let own = if arm == 1 { instance + case.effect.ln_1p() } else { 0.0 };
                        values[2 * arm + seen[arm]] = 100_000.0 * (own + machine.deviation(&mut random)).exp();
                        seen[arm] += 1;
                    }
                    values
                })
                .collect();
            Difference::of_quads(&quads)
        })
        .collect();
    change(&blocks, limits, power).unwrap()
}

/// The machine that both arms share, slice after slice.
struct Machine {
    case: Case,
    slices: u32,
    step_at: u32,
    last: f64,
}

impl Machine {
    fn new(case: Case, random: &mut impl Rng) -> Self {
        Self { case, slices: 0, step_at: random.random_range(0..case.blocks * case.quads * 4), last: 0.0 }
    }

    /// Deviation of the next slice, on the logarithmic scale.
    fn deviation(&mut self, random: &mut impl Rng) -> f64 {
        let deviation = self.case.slice;
        let normal = Normal::new(0.0, deviation).unwrap().sample(random);
        self.slices += 1;
        match self.case.noise {
            Noise::Normal => normal,
            Noise::Heavy => StudentT::new(3.0).unwrap().sample(random) * deviation / 3.0_f64.sqrt(),
            Noise::Skewed => {
                // Of unit variance and mean 0 for sigma 0.5, then scaled.
                let (sigma, mean) = (0.5_f64, 0.125_f64.exp());
                let spread = mean * (sigma.powi(2).exp() - 1.0).sqrt();
                (LogNormal::new(0.0, sigma).unwrap().sample(random) - mean) / spread * deviation
            }
            Noise::Correlated => {
                self.last = 0.6 * self.last + 0.8 * normal;
                self.last
            }
            Noise::Step => normal + if self.slices > self.step_at { 3.0 * deviation } else { 0.0 },
            Noise::Bursts => normal + if random.random_bool(0.05) { 3.0_f64.ln() } else { 0.0 },
            Noise::Alternating => normal + if self.slices.is_multiple_of(2) { 2.0 * deviation } else { 0.0 },
        }
    }
}

fn gates() -> u32 {
    env::var("PLIMSOLL_PROOF").ok().and_then(|number| number.parse().ok()).unwrap_or(400)
}

/// The largest count that chance makes of `gates` at a probability, in one of a million proofs (normal bound and one for the
/// small numbers).
fn at_most(gates: u32, probability: f64) -> f64 {
    let mean = f64::from(gates) * probability;
    mean + 5.0 * mean.sqrt() + 3.0
}

#[test]
fn no_difference_is_seldom_suspected_and_never_confirmed() {
    let mut power = Power::default();
    let (mut all, mut confirmed) = (0, 0);
    for noise in NOISES {
        for (profile, instance, slice) in
            [(QUICK, 0.0, 0.02), (QUICK, 0.03, 0.12), (NIGHTLY, 0.01, 0.05), (NIGHTLY, 0.03, 0.12)]
        {
            let case = Case { instance, slice, noise, ..profile };
            let tally = play(case, gates(), &mut power);
            assert!(f64::from(tally.suspected) <= at_most(tally.gates, LEVEL), "{case:?} {tally:?}");
            all += tally.gates;
            confirmed += tally.regression;
        }
    }
    assert!(f64::from(confirmed) <= at_most(all, 0.000_2), "{confirmed} of {all} confirmed");
}

#[test]
fn what_matters_is_found_within_the_budget_of_noise() {
    let mut power = Power::default();
    for noise in [Noise::Normal, Noise::Correlated, Noise::Step, Noise::Alternating] {
        for (profile, instance, slice) in [(QUICK, 0.02, 0.04), (NIGHTLY, 0.01, 0.03)] {
            let case = Case { instance, slice, noise, effect: profile.threshold, ..profile };
            let tally = play(case, gates(), &mut power);
            assert!(tally.share(tally.regression) >= 0.95, "{case:?} {tally:?}");
        }
    }
}

#[test]
fn where_noise_hides_it_the_gate_says_so() {
    let mut power = Power::default();
    for noise in NOISES {
        for profile in [QUICK, NIGHTLY] {
            let case = Case { instance: 0.08, slice: 0.2, noise, effect: profile.threshold, ..profile };
            let tally = play(case, gates(), &mut power);
            // An interval of 95 % is too low in one of forty.
            assert!(f64::from(tally.ok) <= at_most(tally.gates, 0.025), "{case:?} {tally:?}");
        }
    }
}

#[test]
fn what_does_not_matter_passes_within_the_budget_of_noise() {
    let mut power = Power::default();
    for (profile, instance, slice) in [(QUICK, 0.02, 0.04), (NIGHTLY, 0.01, 0.03)] {
        let case = Case { instance, slice, ..profile };
        let tally = play(case, gates(), &mut power);
        assert!(tally.share(tally.ok) >= 0.95, "{case:?} {tally:?}");
    }
}

/// What the gate says that it could have seen, it finds: both stages, with the threshold of the profile, whether noise sets the limit or
/// half of what matters does.
#[test]
fn the_detectable_effect_is_detected() {
    let mut power = Power::default();
    for (profile, instance, slice) in [(QUICK, 0.04, 0.06), (QUICK, 0.01, 0.02), (NIGHTLY, 0.01, 0.03)] {
        let case = Case { instance, slice, ..profile };
        let limits = Limits { level: LEVEL, more_is_worse: true, threshold: case.threshold, floor: 0.0, lag: 0.0 };
        let mut detectable =
            |gate| stage(case, gate, GateStage::Screen, &limits, &mut power).effect.smallest_detectable;
        let typical = (0..200).map(|gate| detectable(gate).unwrap()).sum::<f64>() / 200.0;
        let tally = play(Case { effect: typical, ..case }, gates(), &mut power);
        let found = tally.share(tally.regression);
        assert!((0.9..=0.99).contains(&found), "{case:?} {typical} {tally:?}");
    }
}
