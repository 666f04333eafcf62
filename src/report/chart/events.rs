//! What the server did meanwhile that explains spikes: work on persistence, slow commands and restarts, marked alike on
//! every chart with an axis of time. The marks have a lane of their own above the plot, where they hide no data and no
//! data hides them.

use crate::report::subject::RunReport;

use super::{
    canvas::{Area, Canvas, Marker},
    palette::{OCHRE, SKY, TARGET},
    plot::Axes,
};

/// Space above a plot that the marks take.
pub(super) const LANE: f64 = 13.0;

/// Height of the strip that stands for work on persistence.
const STRIP: f64 = 5.0;

/// Size of a mark.
const MARK: f64 = 9.0;

/// Events of a run.
#[derive(Debug, Default)]
pub(super) struct Events {
    /// Seconds from and to between which persistence was at work.
    persistence: Vec<(f64, f64)>,
    /// Middles of the seconds with entries of the slow log.
    slow: Vec<f64>,
    /// Middles of the seconds in which the server was restarted.
    restarts: Vec<f64>,
}

impl Events {
    pub(super) fn new(facts: &RunReport) -> Self {
        let record = &facts.run.server;
        let working = record.seconds.iter().filter(|second| !second.levels.persistence.is_empty());
        let mut slow: Vec<_> = record.slowlog.iter().flat_map(|log| &log.entries).map(|entry| entry.second).collect();
        slow.sort_unstable();
        slow.dedup();
        Self {
            persistence: working.map(|second| (f64::from(second.second), f64::from(second.second) + 1.0)).collect(),
            slow: slow.into_iter().map(|second| f64::from(second) + 0.5).collect(),
            restarts: record
                .seconds
                .iter()
                .filter(|second| second.restarted)
                .map(|second| f64::from(second.second) + 0.5)
                .collect(),
        }
    }

    /// How to read the marks; nothing where there are none.
    pub(super) fn note(&self) -> Option<String> {
        let mut notes = Vec::new();
        if !self.persistence.is_empty() {
            notes.push("Strip above: server saves, rewrites or loads its data.");
        }
        if !self.slow.is_empty() {
            notes.push("Triangles: entries of the server's slow log.");
        }
        if !self.restarts.is_empty() {
            notes.push("Diamonds: restarts of the server.");
        }
        (!notes.is_empty()).then(|| notes.join(" "))
    }

    /// Draws marks in the lane above an area.
    pub(super) fn draw(&self, canvas: &mut Canvas, Axes { area, across, .. }: Axes) {
        let middle = area.top - LANE / 2.0;
        for (from, to) in &self.persistence {
            let (left, right) = (across.at(*from), across.at(*to));
            // However long the run, one second of it is seen.
            let right = right.max(left + 1.5);
            canvas.fill(Area { left, right, top: middle - STRIP / 2.0, bottom: middle + STRIP / 2.0 }, SKY);
        }
        for second in &self.slow {
            canvas.marker((across.at(*second), middle), Marker::Down, MARK, OCHRE);
        }
        for second in &self.restarts {
            canvas.marker((across.at(*second), middle), Marker::Diamond, MARK, TARGET);
        }
    }
}
