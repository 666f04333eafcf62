//! The whole run over time: response time above, throughput below it, failures below that where there were any.

use plotters_backend::text_anchor::HPos;

use super::{
    Caption, Figure,
    canvas::{Area, Canvas},
    events::{Events, LANE},
    facts::Facts,
    layout::{AXIS_HEIGHT, Heading, LABEL, LABELS, Legend, MARGIN, Symbol, WIDTH, base_line, empty_note},
    lettering::Fonts,
    panel::{Across, COMPLETED, OFFERED, Panel, RESPONSE},
    scale::Scale,
    timeline::Track,
    units::{count, duration},
};

const TITLE: &str = "Response time and throughput over time";
const RESPONSE_HEIGHT: f64 = 210.0;
const RATE_HEIGHT: f64 = 110.0;
const FAILURES_HEIGHT: f64 = 56.0;
/// Between two panels: the title of the lower one.
const GAP: f64 = 44.0;

pub(super) struct OverTime {
    heading: Heading,
    description: String,
    track: Track,
    target: f64,
    offered: Option<f64>,
    across: Across,
    response: Panel,
    response_legend: Legend,
    rate: Panel,
    rate_legend: Legend,
    failures: Option<Panel>,
    events: Events,
}

impl OverTime {
    pub(super) fn new(facts: &Facts<'_>, fonts: &Fonts) -> Self {
        let measured = facts.measured();
        let track = facts.whole().map_or_else(Track::default, |(_, timeline)| Track::new(timeline, measured));
        let offered = facts.offered_rate(None);

        let mut notes = vec!["All operations together.".to_owned()];
        if track.stretch > 1 {
            notes.push(format!("Each point: worst response and mean throughput of {} s.", track.stretch));
        }
        if track.end() > measured {
            notes.push("Shaded: the measured period is over, the last requests finish.".to_owned());
        }
        let events = Events::new(facts);
        notes.extend(events.note());
        let heading = Heading::new(TITLE, &notes.join(" "), fonts);

        let (left, right) = (MARGIN + LABELS, WIDTH - MARGIN - 10.0);
        let area = |top: f64, height: f64| Area { left, top, right, bottom: top + height };
        let response_area = area(heading.bottom() + LANE + 16.0, RESPONSE_HEIGHT);
        let rate_area = area(response_area.bottom + GAP, RATE_HEIGHT);
        let response = Panel::durations(response_area, track.responses().chain([facts.target()]));
        let rate = Panel::amounts(rate_area, track.highest_rate().max(offered.unwrap_or(0.0)));
        let failures = (track.most_failures() > 0.0)
            .then(|| Panel::amounts(area(rate_area.bottom + GAP, FAILURES_HEIGHT), track.most_failures()));

        let percentiles = RESPONSE.map(|(name, pen, _)| (Symbol::Line(pen, None), name.to_owned()));
        let mut rates = vec![(Symbol::Line(COMPLETED, None), "completed".to_owned())];
        rates.extend(offered.map(|rate| (Symbol::Line(OFFERED, None), format!("offered ({}/s)", count(rate)))));
        let legend = |entries| Legend::new(entries, right - left, fonts);

        let across = Across { scale: Scale::time(measured.max(track.end()), left, right), measured };
        Self {
            description: describe(facts, &track),
            heading,
            track,
            target: facts.target(),
            offered,
            across,
            response,
            response_legend: legend(percentiles.to_vec()),
            rate,
            rate_legend: legend(rates),
            failures,
            events,
        }
    }

    fn lowest(&self) -> Area {
        self.failures.as_ref().unwrap_or(&self.rate).area
    }
}

fn describe(facts: &Facts<'_>, track: &Track) -> String {
    let measured = track.steps.iter().filter(|step| step.rate.is_some());
    let worst = |which: usize| measured.clone().filter_map(|step| Some(step.response?[which])).fold(0.0, f64::max);
    let rates = track.steps.iter().filter_map(|step| step.rate);
    let lowest = rates.fold(f64::INFINITY, f64::min);
    if track.responses().next().is_none() {
        return format!("Nothing completed in {:.1} s.", facts.measured());
    }
    let mut sentences = vec![format!(
        "Response time of all operations over {:.1} s: the worst second had a p50 of {}, a p99 of {} and a maximum of {}.",
        facts.measured(),
        duration(worst(0)),
        duration(worst(1)),
        duration(worst(2))
    )];
    if lowest.is_finite() {
        sentences.push(format!(
            "Throughput lay between {} and {} per second.",
            count(lowest),
            count(track.highest_rate())
        ));
    }
    let failed = facts.whole().map_or(0, |(row, _)| row.counts.failed());
    sentences.push(match failed {
        0 => "Nothing failed.".to_owned(),
        failed => format!("{} requests failed.", count(failed as f64)),
    });
    sentences.join(" ")
}

impl Figure for OverTime {
    fn caption(&self) -> Caption {
        Caption {
            name: "over-time",
            title: TITLE.to_owned(),
            description: self.description.clone(),
            height: self.lowest().bottom + AXIS_HEIGHT + MARGIN,
        }
    }

    fn draw(&self, canvas: &mut Canvas<'_>) {
        self.heading.draw(canvas);
        let (time, unit) = self.across.scale.time_ticks(48.0);
        for panel in [&self.response, &self.rate].into_iter().chain(&self.failures) {
            panel.draw_ground(canvas, self.across, &time);
            base_line(canvas, panel.area, &[], "");
        }
        let above = |panel: &Panel| panel.area.top - 15.0;
        let marked = self.response.area.top - LANE - 5.0;
        canvas.text("response time", (MARGIN, marked), HPos::Left, LABEL);
        self.response_legend.draw(canvas, (MARGIN + 110.0, marked - 13.5));
        let target = format!("target {}", duration(self.target));
        self.response.draw_response(canvas, self.across, &self.track, self.target, Some(&target));
        if self.track.responses().next().is_none() {
            empty_note(canvas, self.response.area, "nothing completed");
        }
        canvas.text("requests per second", (MARGIN, above(&self.rate)), HPos::Left, LABEL);
        self.rate_legend.draw(canvas, (MARGIN + 150.0, above(&self.rate) - 13.5));
        self.rate.draw_rate(canvas, self.across, &self.track, self.offered);
        if let Some(failures) = &self.failures {
            canvas.text("failures per second", (MARGIN, above(failures)), HPos::Left, LABEL);
            failures.draw_failures(canvas, self.across, &self.track);
        }
        self.events.draw(canvas, self.response.area, &self.across.scale);
        let title = format!("time since the start of the measured period ({unit})");
        base_line(canvas, self.lowest(), &time, &title);
    }
}
