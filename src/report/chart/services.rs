//! Every service over time, one below the other on shared axes, so that they can be compared at a glance.

use plotters_backend::text_anchor::HPos;

use super::{
    Caption, Figure,
    canvas::{Area, Canvas, Pen, Type},
    events::{Events, LANE},
    facts::Facts,
    layout::{AXIS_HEIGHT, Heading, LABELS, Legend, MARGIN, Symbol, TARGET_DASH, WIDTH, base_line, wrapped},
    lettering::Fonts,
    palette::{ORANGE, TARGET},
    panel::{Across, COMPLETED, OFFERED, Panel, RESPONSE},
    scale::Scale,
    timeline::Track,
    units::{count, duration, percentile},
};

const TITLE: &str = "Services over time";
/// Services that are shown; more would make a picture that nobody scrolls through.
const MOST: usize = 12;
const PANEL_HEIGHT: f64 = 110.0;
const GAP: f64 = 18.0;
/// Space between response time on the left and throughput on the right.
const GUTTER: f64 = LABELS + 6.0;
const SERVICE: Type = Type::bold(13.5);
const SERVICE_PITCH: f64 = 18.0;

pub(super) struct Services {
    heading: Heading,
    legend: Legend,
    description: String,
    target: f64,
    across: [Across; 2],
    entries: Vec<Entry>,
    events: Events,
}

struct Entry {
    name: Vec<String>,
    top: f64,
    track: Track,
    offered: Option<f64>,
    response: Panel,
    rate: Panel,
}

impl Services {
    /// `None` where there is only one service.
    pub(super) fn new(facts: &Facts<'_>, fonts: &Fonts) -> Option<Self> {
        let mut services = facts.services();
        let count_of_all = services.len();
        if count_of_all < 2 {
            return None;
        }
        if count_of_all > MOST {
            services.sort_by(|(a, _), (b, _)| facts.slowness(b).total_cmp(&facts.slowness(a)));
            services.truncate(MOST);
        }
        let measured = facts.measured();
        let tracks: Vec<_> = services.iter().map(|(_, timeline)| Track::new(timeline, measured)).collect();

        let mut notes = vec!["Response time on one axis for all; throughput on an axis for each.".to_owned()];
        if count_of_all > MOST {
            notes.push(format!("The {MOST} slowest of {count_of_all} services."));
        }
        let stretch = tracks.iter().map(|track| track.stretch).max().unwrap_or(1);
        if stretch > 1 {
            notes.push(format!("Each point: worst response and mean throughput of {stretch} s."));
        }
        let events = Events::new(facts);
        notes.extend(events.note());
        let heading = Heading::new(TITLE, &notes.join(" "), fonts);
        let target = Pen::dashed(TARGET, 1.5, TARGET_DASH);
        let mut entries = vec![(Symbol::Line(target, None), format!("target {}", duration(facts.target())))];
        entries.extend(RESPONSE.map(|(name, pen, _)| (Symbol::Line(pen, None), name.to_owned())));
        entries.push((Symbol::Line(COMPLETED, None), "completed/s".to_owned()));
        if services.iter().any(|(row, _)| facts.offered_rate(row.scope.service.as_deref()).is_some()) {
            entries.push((Symbol::Line(OFFERED, None), "offered/s".to_owned()));
        }
        if tracks.iter().any(|track| track.most_failures() > 0.0) {
            entries.push((Symbol::Fill(ORANGE), "failed/s".to_owned()));
        }
        let legend = Legend::new(entries, WIDTH - 2.0 * MARGIN, fonts);

        let left = MARGIN + LABELS;
        let right = WIDTH - MARGIN - 10.0;
        let middle = left + (right - left) * 0.56;
        let end = tracks.iter().map(Track::end).fold(measured, f64::max);
        let across = [(left, middle), (middle + GUTTER, right)]
            .map(|(from, to)| Across { scale: Scale::time(end, from, to), measured });
        let values: Vec<_> = tracks.iter().flat_map(Track::responses).chain([facts.target()]).collect();

        let sentences: Vec<_> = services
            .iter()
            .map(|(row, _)| {
                let tail = facts.tail(&row.response);
                let tail = tail.map(|(percent, value)| format!("{} {}, ", percentile(percent), duration(value)));
                let (rate, failed) = (count(row.rate), row.counts.failed());
                format!("{}: {}{rate}/s, {failed} failed", facts.name(row), tail.unwrap_or_default())
            })
            .collect();

        let mut top = heading.bottom() + legend.height() + 12.0;
        let mut shown = Vec::new();
        for ((row, _), track) in services.iter().zip(tracks) {
            let name = wrapped(&facts.name(row), right - left, SERVICE, fonts);
            let panel_top = top + name.len() as f64 * SERVICE_PITCH + LANE;
            let area = |left, right| Area { left, top: panel_top, right, bottom: panel_top + PANEL_HEIGHT };
            let offered = facts.offered_rate(row.scope.service.as_deref());
            let largest = track.highest_rate().max(track.most_failures()).max(offered.unwrap_or(0.0));
            let response = Panel::durations(area(left, middle), values.iter().copied());
            let rate = Panel::amounts(area(middle + GUTTER, right), largest);
            shown.push(Entry { name, top, track, offered, response, rate });
            top = panel_top + PANEL_HEIGHT + GAP;
        }
        let description = format!("{}.", sentences.join("; "));
        Some(Self { heading, legend, description, target: facts.target(), across, entries: shown, events })
    }

    fn bottom(&self) -> f64 {
        self.entries.last().map_or(self.heading.bottom(), |entry| entry.response.area.bottom)
    }
}

impl Figure for Services {
    fn caption(&self) -> Caption {
        Caption {
            name: "services-over-time",
            title: TITLE.to_owned(),
            description: self.description.clone(),
            height: self.bottom() + AXIS_HEIGHT + MARGIN,
        }
    }

    fn draw(&self, canvas: &mut Canvas<'_>) {
        self.heading.draw(canvas);
        self.legend.draw(canvas, (MARGIN, self.heading.bottom()));
        let time = self.across.map(|across| across.scale.time_ticks(44.0));
        for entry in &self.entries {
            for (number, line) in entry.name.iter().enumerate() {
                let baseline = entry.top + (number + 1) as f64 * SERVICE_PITCH - 2.0;
                canvas.text(line, (MARGIN, baseline), HPos::Left, SERVICE);
            }
            for ((panel, across), (ticks, _)) in [&entry.response, &entry.rate].into_iter().zip(self.across).zip(&time)
            {
                panel.draw_ground(canvas, across, ticks);
                base_line(canvas, panel.area, &[], "");
            }
            let [left, right] = self.across;
            entry.response.draw_response(canvas, left, &entry.track, self.target, None);
            self.events.draw(canvas, entry.response.area, &left.scale);
            entry.rate.draw_failures(canvas, right, &entry.track);
            entry.rate.draw_rate(canvas, right, &entry.track, entry.offered);
        }
        if let Some(last) = self.entries.last() {
            for (panel, (ticks, unit)) in [&last.response, &last.rate].into_iter().zip(&time) {
                base_line(canvas, panel.area, ticks, &format!("time ({unit})"));
            }
        }
    }
}
