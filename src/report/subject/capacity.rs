//! A capacity run and what is concluded from it, with the look-ups that views, charts and records share.

use crate::{
    analysis::capacity::{Advice, ArmAnswer, CapacityAnalysis, Comparison, conclude},
    results::{Arm, Capacity, Quantiles, Trial},
    scenario::{self, Client, Objective, Scenario, ScenarioErrors},
};

/// Rates that differ by less than this share are the same rate, offered again.
const SAME_RATE: f64 = 0.002;

/// Whether a rate was offered again.
pub(crate) fn is_again(rate: f64, other: f64) -> bool {
    (rate / other - 1.0).abs() < SAME_RATE
}

/// A capacity run and what is concluded from it.
#[derive(Debug, Clone)]
pub struct CapacityReport {
    pub(crate) capacity: Capacity,
    pub(crate) scenario: Scenario,
    pub(crate) analysis: CapacityAnalysis,
}

impl CapacityReport {
    /// Draws the conclusions. Fails where the scenario of the capacity run is none that this version reads.
    pub fn new(capacity: Capacity) -> Result<Self, ScenarioErrors> {
        let scenario = scenario::parse(&capacity.scenario, "scenario of the saved capacity run")?;
        let analysis = conclude(&capacity, &scenario);
        Ok(Self { capacity, scenario, analysis })
    }

    /// Arms with their answers.
    pub(crate) fn arms(&self) -> impl Iterator<Item = (u32, &Arm, &ArmAnswer)> {
        (0..).zip(&self.capacity.plan.arms).zip(&self.analysis.arms).map(|((index, arm), answer)| (index, arm, answer))
    }

    /// What an arm is called.
    pub(crate) fn name(&self, arm: u32) -> &str {
        self.capacity.plan.arms.get(arm as usize).map_or("?", |arm| arm.name.as_str())
    }

    /// Whether a service of an arm uses fred.
    pub(crate) fn uses_fred(&self, arm: u32) -> bool {
        let settings = self.capacity.plan.arms.get(arm as usize).map_or(&[][..], |arm| &arm.settings);
        self.scenario.services.iter().any(|service| {
            let field = format!("service.{}.client", service.name);
            let set = settings.iter().find(|(name, _)| *name == field);
            set.map_or(service.client == Client::Fred, |(_, value)| value.trim_matches('"') == "fred")
        })
    }

    /// What an arm is compared with.
    pub(crate) fn objective(&self, arm: u32) -> &Objective {
        self.analysis.arms.get(arm as usize).map_or(&self.scenario.objective, |answer| &answer.objective)
    }

    /// Operations per second that the scenario itself asks for; `None` where all its services are closed loops.
    pub(crate) fn own_rate(&self) -> Option<f64> {
        self.scenario.offered_rate()
    }

    /// Open-loop trials of an arm in the order of their rates.
    pub(crate) fn open(&self, arm: u32) -> Vec<(f64, &Trial)> {
        let trials = self.capacity.trials.iter().filter(|trial| trial.arm == arm);
        let mut trials: Vec<_> = trials.filter_map(|trial| Some((trial.offered?, trial))).collect();
        trials.sort_by(|a, b| a.0.total_cmp(&b.0));
        trials
    }

    /// The open-loop trials of an arm at a rate.
    pub(crate) fn at(&self, arm: u32, rate: f64) -> Vec<&Trial> {
        let trials = self.open(arm).into_iter();
        trials.filter(|(offered, _)| is_again(*offered, rate)).map(|(_, trial)| trial).collect()
    }

    /// Of the trials at a rate in which the harness was not the limit, the one in the middle by response p99.
    /// Percentiles of several trials are never averaged.
    pub(crate) fn typical(&self, arm: u32, rate: f64) -> Option<&Trial> {
        let mut trials = self.at(arm, rate);
        trials.retain(|trial| trial.client_limited.is_none() && trial.completed > 0);
        trials.sort_by_key(|trial| (trial.response.p99, trial.number));
        trials.get(trials.len().saturating_sub(1) / 2).copied()
    }

    /// The trial at a rate that missed the objective by most.
    pub(crate) fn worst(&self, arm: u32, rate: f64) -> Option<&Trial> {
        self.at(arm, rate).into_iter().max_by(|a, b| bad_share(a).total_cmp(&bad_share(b)))
    }

    /// The percentile of response times that is reported: the judged one, where trials keep it, else the 99th.
    pub(crate) fn reported_percentile(&self) -> f64 {
        let judged = self.scenario.objective.percentile;
        if [50.0, 99.9].iter().any(|kept| (judged - kept).abs() < 1e-9) { judged } else { 99.0 }
    }

    /// The value of that percentile, in nanoseconds; `None` where nothing was answered.
    pub(crate) fn tail(&self, trial: &Trial) -> Option<f64> {
        (trial.completed > 0).then(|| quantile(&trial.response, self.reported_percentile()) as f64)
    }

    /// The comparison that matters most: from the pool as the scenario has it, else the last that says grow, else the
    /// first.
    pub(crate) fn comparison(&self) -> Option<&Comparison> {
        let all = &self.analysis.comparisons;
        let sizes: Vec<_> = self.scenario.services.iter().map(|service| service.pool.size).collect();
        let as_written = all.iter().find(|comparison| {
            let arm = self.capacity.plan.arms.get(comparison.from as usize);
            arm.and_then(|arm| arm.pool).is_some_and(|pool| sizes.iter().all(|size| *size == pool))
        });
        as_written.or_else(|| all.iter().rfind(|comparison| comparison.advice == Advice::Grow)).or(all.first())
    }
}

/// Share of the requests of a trial that were late, failed or unfinished.
pub(crate) fn bad_share(trial: &Trial) -> f64 {
    let bad = trial.late + trial.failed + trial.unfinished;
    if trial.scheduled == 0 { 0.0 } else { bad as f64 / trial.scheduled as f64 }
}

/// Value of one of the percentiles that trials keep, in nanoseconds.
pub(crate) fn quantile(quantiles: &Quantiles, percentile: f64) -> u64 {
    match percentile {
        below if below < 75.0 => quantiles.p50,
        below if below < 99.5 => quantiles.p99,
        _ => quantiles.p999,
    }
}

/// A rate that can be carried, to the three digits that it is good for; rounded down, so that nothing more is claimed than
/// was measured.
pub(crate) fn carried(rate: f64) -> f64 {
    three_digits(rate, |steps| (steps + 1e-6).floor())
}

/// A rate that fails, to three digits, rounded up.
pub(crate) fn missed(rate: f64) -> f64 {
    three_digits(rate, |steps| (steps - 1e-6).ceil())
}

/// Any other rate, to three digits.
pub(crate) fn three_digits(value: f64, round: impl Fn(f64) -> f64) -> f64 {
    if value <= 0.0 || !value.is_finite() {
        return 0.0;
    }
    let step = 10_f64.powi(value.log10().floor() as i32 - 2);
    round(value / step) * step
}
