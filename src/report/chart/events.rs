//! What the server did meanwhile that explains spikes: work on persistence and slow commands, marked alike on every
//! chart with an axis of time.

use super::{
    canvas::{Area, Canvas, Marker},
    facts::Facts,
    palette::{OCHRE, SKY},
    scale::Scale,
};

/// Height of the strip that stands for work on persistence.
const STRIP: f64 = 5.0;

/// More slow commands than this are marked by their seconds all the same, which lie closer than a mark is wide.
const MARK: f64 = 9.0;

/// Events of a run.
#[derive(Debug, Default)]
pub(super) struct Events {
    /// Seconds from and to between which persistence was at work.
    persistence: Vec<(f64, f64)>,
    /// Seconds with entries of the slow log.
    slow: Vec<f64>,
}

impl Events {
    pub(super) fn new(facts: &Facts<'_>) -> Self {
        let record = &facts.run.server;
        let working = record.seconds.iter().filter(|second| !second.levels.persistence.is_empty());
        let mut slow: Vec<_> = record.slowlog.iter().flat_map(|log| &log.entries).map(|entry| entry.second).collect();
        slow.sort_unstable();
        slow.dedup();
        Self {
            persistence: working.map(|second| (f64::from(second.second), f64::from(second.second) + 1.0)).collect(),
            slow: slow.into_iter().map(|second| f64::from(second) + 0.5).collect(),
        }
    }

    /// How to read the marks; nothing where there are none.
    pub(super) fn note(&self) -> Option<String> {
        let mut notes = Vec::new();
        if !self.persistence.is_empty() {
            notes.push("Strip at the top: the server saved or rewrote its data.");
        }
        if !self.slow.is_empty() {
            notes.push("Triangles: entries of its slow log.");
        }
        (!notes.is_empty()).then(|| notes.join(" "))
    }

    /// Marks along the upper edge of an area.
    pub(super) fn draw(&self, canvas: &mut Canvas<'_>, area: Area, across: &Scale) {
        for (from, to) in &self.persistence {
            let (left, right) = (across.at(*from), across.at(*to));
            canvas.fill(Area { left, right: right.max(left + 1.0), top: area.top, bottom: area.top + STRIP }, SKY);
        }
        for second in &self.slow {
            canvas.marker((across.at(*second), area.top + MARK / 2.0), Marker::Down, MARK, OCHRE);
        }
    }
}
