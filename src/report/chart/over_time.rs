//! The whole run over time: response time above, throughput below it, failures below that where there were any.

use crate::report::subject::RunReport;

use super::{
    events::{Events, LANE},
    layout::{MARGIN, Symbol},
    panel::{COMPLETED, OFFERED, Panel, RESPONSE, Time},
    plot::Plot,
    timeline::Track,
    units::{count, duration, exact},
};

const RESPONSE_HEIGHT: f64 = 210.0;
const RATE_HEIGHT: f64 = 110.0;
const FAILURES_HEIGHT: f64 = 56.0;
/// Between two panels: the title of the lower one.
const GAP: f64 = 44.0;

pub(super) fn plot(facts: &RunReport) -> Plot {
    let measured = facts.measured();
    let track = facts.whole().map_or_else(Track::default, |(_, timeline)| Track::new(timeline, measured));
    let offered = facts.offered_rate(None);

    let mut notes = vec!["All operations together.".to_owned()];
    if track.stretch > 1 {
        notes.push(format!("Each point: worst response and mean throughput of {} s.", track.stretch));
    }
    if track.end() > measured {
        notes.push("Shaded: after the measured period, until the last request finishes.".to_owned());
    }
    let events = Events::new(facts);
    notes.extend(events.note());
    let mut plot = Plot::new("over-time", "Response time and throughput over time", &notes.join(" "));

    let time = Time::new(measured.max(track.end()), measured);
    let area = plot.area(LANE + 16.0, RESPONSE_HEIGHT, 10.0);
    let response = Panel::durations(area, time, track.responses().chain([facts.target()]));
    let largest = track.highest_rate().max(offered.unwrap_or(0.0));
    let rate = Panel::amounts(plot.area(GAP, RATE_HEIGHT, 10.0), time, largest);
    let failures = (track.most_failures() > 0.0)
        .then(|| Panel::amounts(plot.area(GAP, FAILURES_HEIGHT, 10.0), time, track.most_failures()));
    let (ticks, unit) = response.axes.across.time_ticks(48.0);
    for panel in [&response, &rate].into_iter().chain(&failures) {
        panel.draw_ground(&mut plot.canvas, &ticks);
    }

    plot.name_above(area, LANE + 5.0, "response time");
    let entries = RESPONSE.map(|(name, pen, _)| Symbol::Line(pen, None).named(name));
    plot.legend_at(entries, (MARGIN + 110.0, area.top - LANE - 5.0 - 13.5), area.width());
    let target = format!("target {}", duration(facts.target()));
    response.draw_response(&mut plot.canvas, &track, facts.target(), Some(&target));
    if track.responses().next().is_none() {
        plot.canvas.empty_note(area, "nothing completed");
    }
    plot.name_above(rate.axes.area, 15.0, "requests per second");
    let mut entries = vec![Symbol::Line(COMPLETED, None).named("completed")];
    entries.extend(offered.map(|rate| Symbol::Line(OFFERED, None).named(format!("offered ({}/s)", count(rate)))));
    plot.legend_at(entries, (MARGIN + 150.0, rate.axes.area.top - 15.0 - 13.5), area.width());
    rate.draw_rate(&mut plot.canvas, &track, offered);
    if let Some(failures) = &failures {
        plot.name_above(failures.axes.area, 15.0, "failures per second");
        failures.draw_failures(&mut plot.canvas, &track);
    }
    events.draw(&mut plot.canvas, response.axes);
    let lowest = failures.as_ref().unwrap_or(&rate).axes.area;
    plot.base_line(lowest, &ticks, &format!("time since the start of the measured period ({unit})"));
    plot.described(describe(facts, &track))
}

fn describe(facts: &RunReport, track: &Track) -> String {
    let measured = track.steps.iter().filter(|step| step.rate.is_some());
    let worst = |which: usize| measured.clone().filter_map(|step| Some(step.response?[which])).fold(0.0, f64::max);
    let rates = track.steps.iter().filter_map(|step| step.rate);
    let lowest = rates.fold(f64::INFINITY, f64::min);
    if track.responses().next().is_none() {
        return format!("Nothing completed in {:.1} s.", facts.measured());
    }
    let mut sentences = vec![format!(
        "Response time of all operations over {:.1} s: the worst second had a p50 of {}, a p99 of {} and a maximum of \
         {}.",
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
        failed => format!("{} requests failed.", exact(failed)),
    });
    sentences.join(" ")
}
