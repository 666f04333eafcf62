//! What the server did meanwhile that explains spikes: work on persistence, slow commands and restarts, and events of the scenario,
//! marked alike on every chart with an axis of time. The marks have a lane of their own above the plot, where they hide no
//! data and no data hides them; events of the scenario have a thin line through the plot besides.

use plotters_backend::text_anchor::HPos;

use crate::{analysis::Outage, measure::SECOND, report::subject::RunReport, results::EventRecord};

use super::{
    canvas::{Area, Canvas, Marker, Pen, Type},
    event_labels::{Label, labels},
    palette::{INK, MUTED, OCHRE, SKY, TARGET},
    plot::Axes,
};

/// Space above a plot that the marks take.
pub(super) const LANE: f64 = 13.0;

/// Height of the strip that stands for work on persistence.
const STRIP: f64 = 5.0;

/// Height of the strip that stands for an outage, at the upper edge of the plot: the lane has the labels of events.
const OUTAGE: f64 = 3.0;

/// Size of a mark.
const MARK: f64 = 9.0;

/// Events of a run.
#[derive(Debug, Default)]
pub(super) struct Events {
    /// Seconds from and to between which persistence was at work.
    persistence: Vec<(f64, f64)>,
    /// Seconds from and to between which a service or a node completed no request.
    outages: Vec<(f64, f64)>,
    /// Middles of the seconds with entries of the slow log.
    slow: Vec<f64>,
    /// Middles of the seconds in which the server was restarted.
    restarts: Vec<f64>,
    /// Events of the scenario that took place: when they began, in seconds, and their actions.
    planned: Vec<(f64, String)>,
}

/// The line of an event, and its label.
const LINE: Pen = Pen { colour: MUTED, width: 1.0, dash: &[2.0, 2.0] };
const LABEL: Type = Type::new(11.0, INK);

impl Events {
    pub(super) fn new(facts: &RunReport) -> Self {
        let record = &facts.run.server;
        let working = record.seconds.iter().filter(|second| !second.levels.persistence.is_empty());
        let mut slow: Vec<_> = record.slowlog.iter().flat_map(|log| &log.entries).map(|entry| entry.second).collect();
        slow.sort_unstable();
        slow.dedup();
        let began = |event: &EventRecord| Some((event.began_ns? as f64 / SECOND as f64, event.action.clone()));
        let mut planned: Vec<_> = facts.run.events.iter().filter_map(began).collect();
        planned.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        let measured_ns = facts.run.recording.period.measured_ns;
        let outage = |outage: &Outage| {
            let end = outage.ended.map_or(measured_ns, |ended| ended.to_ns);
            (outage.began.from_ns as f64 / SECOND as f64, end as f64 / SECOND as f64)
        };
        Self {
            outages: facts.analysis.outages.iter().map(outage).collect(),
            persistence: working.map(|second| (f64::from(second.second), f64::from(second.second) + 1.0)).collect(),
            slow: slow.into_iter().map(|second| f64::from(second) + 0.5).collect(),
            restarts: record
                .seconds
                .iter()
                .filter(|second| second.restarted)
                .map(|second| f64::from(second.second) + 0.5)
                .collect(),
            planned,
        }
    }

    /// How to read the marks; nothing where there are none.
    pub(super) fn note(&self) -> Option<String> {
        let mut notes = Vec::new();
        if !self.persistence.is_empty() {
            notes.push("Strip above: server saves, rewrites or loads its data.");
        }
        if !self.outages.is_empty() {
            notes.push("Red strip at the top: outages.");
        }
        if !self.slow.is_empty() {
            notes.push("Triangles: entries of the server's slow log.");
        }
        if !self.restarts.is_empty() {
            notes.push("Diamonds: restarts of the server.");
        }
        if !self.planned.is_empty() {
            notes.push("Lines with a label: events of the scenario.");
        }
        (!notes.is_empty()).then(|| notes.join(" "))
    }

    /// Draws marks in the lane above an area.
    pub(super) fn draw(&self, canvas: &mut Canvas, Axes { area, across, .. }: Axes) {
        let middle = area.top - LANE / 2.0;
        let planned: Vec<_> =
            self.planned.iter().map(|(second, action)| (across.at(*second), action.as_str())).collect();
        let labels = labels(&planned, area.right, |text| canvas.width(text, LABEL));
        for (place, (x, _)) in planned.iter().enumerate() {
            // A line ends below a label that it would cross.
            let begins = |label: &Label| label.events.start == place && label.left > *x;
            let top = if labels.iter().any(begins) { area.top - LANE } else { area.top };
            canvas.line(&[(*x, top), (*x, area.bottom)], LINE);
        }
        for label in &labels {
            canvas.text(&label.text, (label.left, middle + LABEL.middle()), HPos::Left, LABEL);
        }
        for (from, to) in &self.persistence {
            let (left, right) = (across.at(*from), across.at(*to));
            // However long the run, one second of it is seen.
            let right = right.max(left + 1.5);
            canvas.fill(Area { left, right, top: middle - STRIP / 2.0, bottom: middle + STRIP / 2.0 }, SKY);
        }
        for (from, to) in &self.outages {
            let (left, right) = (across.at(*from), across.at(*to));
            let right = right.max(left + 1.5);
            canvas.fill(Area { left, right, top: area.top, bottom: area.top + OUTAGE }, TARGET);
        }
        for second in &self.slow {
            canvas.marker((across.at(*second), middle), Marker::Down, MARK, OCHRE);
        }
        for second in &self.restarts {
            canvas.marker((across.at(*second), middle), Marker::Diamond, MARK, TARGET);
        }
    }
}
