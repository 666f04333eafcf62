//! Quantities over time in panels one below the other: the server's resources, and the pools of the services.

use plotters_backend::text_anchor::HPos;

use super::{
    canvas::{Marker, Pen},
    events::{Events, LANE},
    layout::{LABEL, MARGIN, NAME, Symbol, WIDTH, wrapped},
    palette::{BLUE, ORANGE, PURPLE},
    panel::{Panel, Time},
    plot::Plot,
    units::{count, exact},
};
use crate::{
    measure::{ServiceRecord, ServiceSecond},
    report::subject::RunReport,
    results::ServerSecond,
};

const PANEL_HEIGHT: f64 = 84.0;
/// From line to line of a title.
const PITCH: f64 = 17.0;
/// From the top of a panel up to the baseline of its title.
const TITLE: f64 = LANE + 5.0;
/// Between two panels: title and legend of the lower one, and its marks.
const GAP: f64 = TITLE + 28.0;
/// Right edge of all panels.
const RIGHT: f64 = WIDTH - MARGIN - 10.0;
/// Width that the legend beside a title needs at least.
const LEGEND: f64 = 260.0;
/// Pools that are shown.
const MOST: usize = 8;

/// Pens of the lines of a panel, in order, each with the mark of a point without neighbours.
const LOOKS: [(Pen, Marker); 3] = [
    (Pen { colour: BLUE, width: 2.25, dash: &[] }, Marker::Circle),
    (Pen { colour: ORANGE, width: 2.0, dash: &[7.0, 2.5] }, Marker::Square),
    (Pen { colour: PURPLE, width: 1.5, dash: &[2.0, 2.0] }, Marker::Up),
];

/// One line: its name and its values by the middle of their second; a gap where there is none.
struct Line {
    name: &'static str,
    points: Vec<Option<(f64, f64)>>,
}

impl Line {
    fn largest(&self) -> f64 {
        self.points.iter().flatten().map(|(_, value)| *value).fold(0.0, f64::max)
    }

    fn is_empty(&self) -> bool {
        self.points.iter().flatten().next().is_none()
    }
}

/// Resources of the server; `None` where it reported nothing.
pub(super) fn server(facts: &RunReport) -> Option<Plot> {
    let seconds = &facts.run.server.seconds;
    let line = |name, of: fn(&ServerSecond) -> Option<f64>| Line {
        name,
        points: seconds.iter().map(|second| Some((f64::from(second.second) + 0.5, of(second)?))).collect(),
    };
    let panels = [
        (
            "memory (MiB)",
            vec![
                line("used", |second| second.levels.used_memory.map(mebibytes)),
                line("RSS", |second| second.levels.rss.map(mebibytes)),
            ],
        ),
        (
            "clients",
            vec![
                line("connected", |second| second.levels.clients.map(|clients| clients as f64)),
                line("blocked", |second| second.levels.blocked.map(|clients| clients as f64)),
            ],
        ),
        ("commands per second", vec![line("commands", |second| rate(second, second.counts.commands? as f64))]),
        (
            "CPU (% of one core)",
            vec![
                line("user", |second| rate(second, 100.0 * second.counts.cpu_user?)),
                line("system", |second| rate(second, 100.0 * second.counts.cpu_system?)),
                line("main thread", |second| rate(second, 100.0 * second.counts.main_thread_cpu?)),
            ],
        ),
        (
            "network (MiB/s)",
            vec![
                line("received", |second| rate(second, mebibytes(second.counts.received?))),
                line("sent", |second| rate(second, mebibytes(second.counts.sent?))),
            ],
        ),
        (
            "lookups per second",
            vec![
                line("hits", |second| rate(second, second.counts.hits? as f64)),
                line("misses", |second| rate(second, second.counts.misses? as f64)),
            ],
        ),
    ];
    let most = seconds.iter().filter_map(|second| second.levels.used_memory).max();
    let busiest = facts.analysis.server.totals.as_ref().and_then(|totals| totals.busiest);
    let mut sentences =
        vec!["Memory, clients, commands, CPU, network and lookups of the server in every second.".to_owned()];
    sentences.extend(most.map(|most| format!("Maximum {} MiB.", count(mebibytes(most)))));
    sentences.extend(busiest.map(|busiest| format!("Busiest second {} % of a core.", count(100.0 * busiest))));
    let names = (
        "server",
        "The server over time",
        "Memory and clients at the end of each second, other quantities over the second.",
    );
    let plot = plot(names, panels.map(|(title, lines)| (title.to_owned(), lines)), facts)?;
    Some(plot.described(sentences.join(" ")))
}

fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// An amount per second; none in a last second that is short.
fn rate(second: &ServerSecond, amount: f64) -> Option<f64> {
    let length = second.length_ns as f64 / 1e9;
    (length > 0.5).then(|| amount / length)
}

/// Connections in use and requests waiting, of each pool.
pub(super) fn pools(facts: &RunReport) -> Option<Plot> {
    let services = &facts.run.recording.services;
    let line = |name, service: &ServiceRecord, of: fn(&ServiceSecond) -> f64| Line {
        name,
        points: service
            .seconds
            .iter()
            .filter(|second| f64::from(second.second) < facts.measured())
            .map(|second| Some((f64::from(second.second) + 0.5, of(second))))
            .collect(),
    };
    let panels = services.iter().take(MOST).map(|service| {
        let lines =
            vec![line("in use", service, |second| second.in_use), line("waiting", service, |second| second.waiting)];
        (format!("{}: {} connections", service.name, exact(service.connections)), lines)
    });
    let panels: Vec<_> = panels.collect();
    let said = panels.iter().map(|(title, lines): &(String, Vec<Line>)| {
        format!("{title}, at most {} in use and {} waiting", count(lines[0].largest()), count(lines[1].largest()))
    });
    let mut sentences = vec![format!("Mean number per second. {}.", said.collect::<Vec<_>>().join("; "))];
    if services.len() > MOST {
        sentences.push(format!("The first {MOST} of {} services.", services.len()));
    }
    let names = ("pools", "Connections in use and requests waiting", "Mean of each second.");
    Some(plot(names, panels, facts)?.described(sentences.join(" ")))
}

/// A panel for each title that has lines with values; `None` where there is none.
fn plot(
    (name, title, note): (&'static str, &'static str, &str),
    panels: impl IntoIterator<Item = (String, Vec<Line>)>,
    facts: &RunReport,
) -> Option<Plot> {
    let events = Events::new(facts);
    let notes: Vec<_> = [note.to_owned()].into_iter().chain(events.note()).collect();
    let mut plot = Plot::new(name, title, &notes.join(" "));
    let time = Time::new(facts.measured(), facts.measured());
    let mut above = TITLE + 10.0;
    let mut last = None;
    for (title, mut lines) in panels {
        lines.retain(|line| !line.is_empty());
        if lines.is_empty() {
            continue;
        }
        let title = wrapped(&title, RIGHT - MARGIN - LEGEND, LABEL, &plot.canvas);
        let area = plot.area(above + (title.len() - 1) as f64 * PITCH, PANEL_HEIGHT, 10.0);
        let panel = Panel::amounts(area, time, lines.iter().map(Line::largest).fold(0.0, f64::max));
        let baseline = area.top - TITLE;
        for (number, line) in title.iter().rev().enumerate() {
            plot.canvas.text(line, (MARGIN, baseline - number as f64 * PITCH), HPos::Left, LABEL);
        }
        let widest = title.iter().map(|line| plot.canvas.width(line, LABEL)).fold(0.0, f64::max);
        let left = MARGIN + widest + 24.0;
        let entries = lines.iter().zip(LOOKS).map(|(line, (pen, _))| Symbol::Line(pen, None).named(line.name));
        plot.legend_at(entries, (left, baseline - NAME.size), RIGHT - left);
        let (ticks, unit) = panel.axes.across.time_ticks(48.0);
        panel.draw_ground(&mut plot.canvas, &ticks);
        for (line, (pen, marker)) in lines.iter().zip(LOOKS) {
            panel.draw_amounts(&mut plot.canvas, &line.points, pen, marker);
        }
        events.draw(&mut plot.canvas, panel.axes);
        above = GAP;
        last = Some((area, ticks, unit));
    }
    let (area, ticks, unit) = last?;
    plot.base_line(area, &ticks, &format!("time since the start of the measured period ({unit})"));
    Some(plot)
}
