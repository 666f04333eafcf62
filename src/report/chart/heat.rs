//! Counts of response times by time and by size: the cells of the heatmap.

use crate::measure::{Nanos, Recording, SeriesRole, Unpacker};

/// Most columns; longer runs take several seconds into one.
const MOST_COLUMNS: u32 = 130;
/// Seconds that one column may cover.
const STRETCHES: [u32; 14] = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200];
/// Rows per decade.
pub(super) const ROWS_PER_DECADE: u32 = 12;
/// One hour, the longest that is recorded, is below 13 decades of nanoseconds.
const ROWS: usize = 13 * ROWS_PER_DECADE as usize;

/// The cells.
pub(super) struct Heat {
    /// Seconds that one column covers.
    pub(super) stretch: u32,
    /// Columns from the start of the measured period, each with its counts by row.
    columns: Vec<[u64; ROWS]>,
    /// Seconds in all; the last column may be narrower than the others.
    end: u32,
}

/// One cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Cell {
    /// First and last instant, in seconds since the start of the measured period.
    pub(super) seconds: (f64, f64),
    /// Shortest and longest response time, in nanoseconds.
    pub(super) nanos: (f64, f64),
    /// Requests.
    pub(super) count: u64,
}

impl Heat {
    /// Successes of all operations.
    pub(super) fn new(recording: &Recording) -> Self {
        let operations = || recording.series.iter().filter(|series| series.key.role == SeriesRole::Operation);
        let end = operations().filter_map(|series| series.seconds.last()).map(|last| last.second + 1).max();
        let end = end.unwrap_or(0).max(1);
        let fitting = STRETCHES.into_iter().find(|stretch| end.div_ceil(*stretch) <= MOST_COLUMNS);
        let stretch = fitting.unwrap_or_else(|| end.div_ceil(MOST_COLUMNS));
        let mut unpacker = Unpacker::default();
        let mut columns = vec![[0; ROWS]; end.div_ceil(stretch) as usize];
        for second in operations().flat_map(|series| &series.seconds).filter(|second| !second.response.is_empty()) {
            let column = &mut columns[(second.second / stretch) as usize];
            unpacker.visit(&second.response, |nanos, count| column[row_of(nanos)] += count);
        }
        Self { stretch, columns, end }
    }

    /// Cells that hold a request.
    pub(super) fn cells(&self) -> impl Iterator<Item = Cell> + '_ {
        let stretch = f64::from(self.stretch);
        self.columns.iter().enumerate().flat_map(move |(column, rows)| {
            let seconds = (column as f64 * stretch, ((column + 1) as f64 * stretch).min(f64::from(self.end)));
            let counted = rows.iter().enumerate().filter(|(_, count)| **count > 0);
            counted.map(move |(row, count)| Cell { seconds, nanos: (edge(row), edge(row + 1)), count: *count })
        })
    }

    /// The largest count of a cell.
    pub(super) fn most(&self) -> u64 {
        self.columns.iter().flatten().copied().max().unwrap_or(0)
    }
}

fn row_of(nanos: Nanos) -> usize {
    let row = (nanos.max(1) as f64).log10() * f64::from(ROWS_PER_DECADE);
    (row as usize).min(ROWS - 1)
}

fn edge(row: usize) -> f64 {
    10_f64.powf(row as f64 / f64::from(ROWS_PER_DECADE))
}

/// Lowest counts of each class of colour: evenly spaced on a log scale from 1 to the largest count, to two significant
/// digits, and as many as differ.
pub(super) fn classes(most: u64, classes: u32) -> Vec<u64> {
    let most = most.max(1) as f64;
    let mut lowest: Vec<u64> = (0..classes)
        .map(|class| most.powf(f64::from(class) / f64::from(classes)))
        .map(|count| {
            let step = 10_f64.powf((count.log10().floor() - 1.0).max(0.0));
            ((count / step).round() * step) as u64
        })
        .collect();
    lowest.dedup();
    lowest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::sample;

    #[test]
    fn every_success_is_in_one_cell() {
        let recording = sample::run().recording;
        let heat = Heat::new(&recording);
        let operations = recording.series.iter().filter(|series| series.key.role == SeriesRole::Operation);
        let completed: u64 = operations.map(|series| series.totals().completed).sum();
        assert_eq!(heat.cells().map(|cell| cell.count).sum::<u64>(), completed);
        assert_eq!(heat.stretch, 1);
        assert!(heat.cells().all(|cell| cell.count <= heat.most() && cell.nanos.0 < cell.nanos.1));
    }

    #[test]
    fn classes_are_round_numbers_from_one() {
        assert_eq!(classes(0, 8), [1]);
        assert_eq!(classes(3, 8), [1, 2, 3]);
        assert_eq!(classes(757, 8), [1, 2, 5, 12, 28, 63, 140, 330]);
        assert_eq!(classes(u64::MAX, 8).len(), 8);
    }
}
