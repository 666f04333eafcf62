//! Spread of the runs of a baseline, and the smallest detectable change that follows.

use super::{
    compare::{CompareOptions, least, level},
    model::Quantity,
    tolerance::{Sample, smallest_effect},
};
use crate::{
    analysis::worsening::share_of,
    results::{Abstract, AbstractRow},
};

/// One row of a baseline.
#[derive(Debug, Clone, PartialEq)]
pub struct RowSpread {
    /// Service; `None` stands for all.
    pub service: Option<String>,
    /// Operation; `None` stands for all of the service.
    pub operation: Option<String>,
    /// [`Quantity::ALL`] in that order; `None` where fewer than two runs know it.
    pub quantities: Vec<(Quantity, Option<Spread>)>,
}

/// Spread of the runs in one quantity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// Runs that know it.
    pub runs: usize,
    /// Standard deviation of the logarithms.
    pub spread: f64,
    /// Smallest change for the worse, as a share, that is found in 95 % of all cases.
    pub smallest_effect: Option<f64>,
}

/// The spread of every row of the newest run, over all runs that count. What could be seen is reported for the default threshold.
pub fn spreads(runs: &[Abstract]) -> Vec<RowSpread> {
    let trusted: Vec<&Abstract> = runs.iter().filter(|run| run.counts()).collect();
    let Some(last) = trusted.last() else { return Vec::new() };
    let of_row = |row: &AbstractRow| {
        let same: Vec<&AbstractRow> =
            trusted.iter().filter_map(|run| run.rows.iter().find(|other| other.is_about(row))).collect();
        let quantities = Quantity::ALL.map(|quantity| {
            let known: Vec<f64> = same.iter().filter_map(|row| quantity.of(row)).map(f64::ln).collect();
            let level = level(last.rows.len(), row.service.is_none());
            let spread = Sample::of(&known).and_then(|sample| {
                let spread = sample.spread?;
                let matters = least(quantity, CompareOptions::default().threshold);
                let effect = smallest_effect(spread, sample.runs, level, matters);
                let smallest_effect = effect.map(|effect| share_of(effect, quantity.more_is_worse()));
                Some(Spread { runs: sample.runs, spread, smallest_effect })
            });
            (quantity, spread)
        });
        RowSpread { service: row.service.clone(), operation: row.operation.clone(), quantities: quantities.into() }
    };
    last.rows.iter().map(of_row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::sample::abstracts;

    #[test]
    fn a_baseline_knows_what_a_comparison_with_it_will_see() {
        let runs = abstracts(11);
        let rows = spreads(&runs[..10]);
        let compared = super::super::compare(&runs[..10], &runs[10], super::super::CompareOptions::default());
        for (row, compared) in rows.iter().zip(&compared.rows) {
            for ((_, spread), change) in row.quantities.iter().zip(&compared.quantities) {
                assert_eq!(
                    (spread.unwrap().spread, spread.unwrap().smallest_effect),
                    (change.spread.unwrap(), change.smallest_detectable())
                );
            }
        }
        assert_eq!((rows.len(), spreads(&[]).len()), (4, 0));
    }
}
