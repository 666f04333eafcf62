//! Every service over time, one below the other on shared axes, so that they can be compared at a glance.

use plotters_backend::text_anchor::HPos;

use crate::report::subject::RunReport;

use super::{
    canvas::{Area, Type},
    events::{Events, LANE},
    layout::{LABELS, MARGIN, Symbol, TARGET_PEN, WIDTH, wrapped},
    panel::{COMPLETED, FAILED, OFFERED, Panel, RESPONSE, Time},
    plot::Plot,
    timeline::Track,
    units::{count, duration, percentile},
};

/// Maximum number of services in the chart, to limit its height.
const MOST: usize = 12;
const PANEL_HEIGHT: f64 = 110.0;
const GAP: f64 = 18.0;
/// Space between response time on the left and throughput on the right.
const GUTTER: f64 = LABELS + 6.0;
/// Space on the right, for half a label.
const RIGHT: f64 = 10.0;
const NAME_WIDTH: f64 = WIDTH - 2.0 * MARGIN - LABELS - RIGHT;
const SERVICE: Type = Type::bold(13.5);
const SERVICE_PITCH: f64 = 18.0;

/// `None` where there is only one service.
pub(super) fn plot(facts: &RunReport) -> Option<Plot> {
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

    let mut notes = vec!["Response times share an axis; throughputs do not.".to_owned()];
    if count_of_all > MOST {
        notes.push(format!("The {MOST} slowest of {count_of_all} services."));
    }
    let stretch = tracks.iter().map(|track| track.stretch).max().unwrap_or(1);
    if stretch > 1 {
        notes.push(format!("Each point: worst response and mean throughput of {stretch} s."));
    }
    let events = Events::new(facts);
    notes.extend(events.note());
    let mut entries = vec![Symbol::Line(TARGET_PEN, None).named(format!("target {}", duration(facts.target())))];
    entries.extend(RESPONSE.map(|(name, pen, _)| Symbol::Line(pen, None).named(name)));
    entries.push(Symbol::Line(COMPLETED, None).named("completed/s"));
    if services.iter().any(|(row, _)| facts.offered_rate(row.scope.service.as_deref()).is_some()) {
        entries.push(Symbol::Line(OFFERED, None).named("offered/s"));
    }
    if tracks.iter().any(|track| track.most_failures() > 0.0) {
        entries.push(Symbol::Fill(FAILED).named("failed/s"));
    }
    let mut plot = Plot::new("services-over-time", "Services over time", &notes.join(" ")).legend(entries);

    let time = Time::new(tracks.iter().map(Track::end).fold(measured, f64::max), measured);
    let values: Vec<_> = tracks.iter().flat_map(Track::responses).chain([facts.target()]).collect();
    let mut above = 12.0;
    for (number, ((row, _), track)) in services.iter().zip(&tracks).enumerate() {
        let name = wrapped(&facts.name(row), NAME_WIDTH, SERVICE, &plot.canvas);
        for (number, line) in name.iter().enumerate() {
            let baseline = plot.bottom + above + (number + 1) as f64 * SERVICE_PITCH - 2.0;
            plot.canvas.text(line, (MARGIN, baseline), HPos::Left, SERVICE);
        }
        let area = plot.area(above + name.len() as f64 * SERVICE_PITCH + LANE, PANEL_HEIGHT, RIGHT);
        let middle = area.left + area.width() * 0.56;
        let offered = facts.offered_rate(row.scope.service.as_deref());
        let largest = track.highest_rate().max(track.most_failures()).max(offered.unwrap_or(0.0));
        let response = Panel::durations(Area { right: middle, ..area }, time, values.iter().copied());
        let rate = Panel::amounts(Area { left: middle + GUTTER, ..area }, time, largest);
        let panels = [&response, &rate].map(|panel| (panel, panel.axes.across.time_ticks(44.0)));
        for (panel, (ticks, _)) in &panels {
            panel.draw_ground(&mut plot.canvas, ticks);
        }
        response.draw_response(&mut plot.canvas, track, facts.target(), None);
        events.draw(&mut plot.canvas, response.axes);
        rate.draw_failures(&mut plot.canvas, track);
        rate.draw_rate(&mut plot.canvas, track, offered);
        if number + 1 == services.len() {
            for (panel, (ticks, unit)) in panels {
                plot.base_line(panel.axes.area, &ticks, &format!("time ({unit})"));
            }
        }
        above = GAP;
    }
    let sentences: Vec<_> = services
        .iter()
        .map(|(row, _)| {
            let tail = facts.tail(&row.response);
            let tail = tail.map(|(percent, value)| format!("{} {}, ", percentile(percent), duration(value)));
            let (rate, failed) = (count(row.rate), row.counts.failed());
            format!("{}: {}{rate}/s, {failed} failed", facts.name(row), tail.unwrap_or_default())
        })
        .collect();
    Some(plot.described(format!("{}.", sentences.join("; "))))
}
