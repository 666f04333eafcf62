//! Quantities over time in panels one below the other: the server's resources, and the pools of the services.

use plotters_backend::text_anchor::HPos;

use super::{
    Caption, Figure,
    canvas::{Area, Canvas, Marker, Pen},
    events::{Events, LANE},
    facts::Facts,
    layout::{AXIS_HEIGHT, Heading, LABEL, LABELS, Legend, MARGIN, NAME, Symbol, WIDTH, base_line, wrapped},
    lettering::Fonts,
    palette::{BLUE, ORANGE, PURPLE},
    panel::{Across, Panel},
    scale::Scale,
    units::count,
};
use crate::{
    measure::ServiceRecord,
    results::{Levels as Held, ServerSecond},
};

const PANEL_HEIGHT: f64 = 84.0;
/// From line to line of a title.
const PITCH: f64 = 17.0;
/// From the top of a panel up to the baseline of its title.
const TITLE: f64 = LANE + 5.0;
/// Between two panels: title and legend of the lower one, and its marks.
const GAP: f64 = TITLE + 28.0;
/// Width that the legend beside a title needs at least.
const LEGEND: f64 = 260.0;
/// Pools that are shown.
const MOST: usize = 8;

/// Pens of the lines of a panel, in order.
const PENS: [Pen; 3] = [
    Pen { colour: BLUE, width: 2.25, dash: &[] },
    Pen { colour: ORANGE, width: 2.0, dash: &[7.0, 2.5] },
    Pen { colour: PURPLE, width: 1.5, dash: &[2.0, 2.0] },
];

/// Marks of points without neighbours.
const MARKERS: [Marker; 3] = [Marker::Circle, Marker::Square, Marker::Up];

/// Panels over time.
pub(super) struct Levels {
    name: &'static str,
    title: &'static str,
    heading: Heading,
    description: String,
    across: Across,
    panels: Vec<Entry>,
    events: Events,
}

struct Entry {
    title: Vec<String>,
    panel: Panel,
    legend: Legend,
    legend_left: f64,
    lines: Vec<Line>,
}

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

/// The server's resources; `None` where it told nothing.
pub(super) fn server(facts: &Facts<'_>, fonts: &Fonts) -> Option<Levels> {
    let seconds = &facts.run.server.seconds;
    let line = |name, of: &dyn Fn(&ServerSecond) -> Option<f64>| Line {
        name,
        points: seconds.iter().map(|second| Some((middle(second), of(second)?))).collect(),
    };
    // Of a short last second no rate is shown.
    let per_second = |name, of: fn(&ServerSecond) -> Option<u64>| {
        line(name, &move |second| {
            let length = second.length_ns as f64 / 1e9;
            of(second).filter(|_| length > 0.5).map(|count| count as f64 / length)
        })
    };
    let mebibytes = |name, of: fn(&Held) -> Option<u64>| {
        line(name, &move |second| of(&second.levels).map(|bytes| bytes as f64 / f64::from(1 << 20)))
    };
    let rate = |name, of: fn(&ServerSecond) -> Option<u64>| {
        let mut line = per_second(name, of);
        line.points.iter_mut().flatten().for_each(|(_, bytes)| *bytes /= f64::from(1 << 20));
        line
    };
    let cpu = |name, of: fn(&ServerSecond) -> Option<f64>| {
        line(name, &move |second| {
            let length = second.length_ns as f64 / 1e9;
            of(second).filter(|_| length > 0.5).map(|seconds| 100.0 * seconds / length)
        })
    };
    let panels = vec![
        ("memory (MiB)", vec![mebibytes("used", |held| held.used_memory), mebibytes("RSS", |held| held.rss)]),
        (
            "clients",
            vec![
                line("connected", &|second| second.levels.clients.map(|clients| clients as f64)),
                line("blocked", &|second| second.levels.blocked.map(|clients| clients as f64)),
            ],
        ),
        ("commands per second", vec![per_second("commands", |second| second.commands)]),
        (
            "CPU (% of one core)",
            vec![
                cpu("user", |second| second.cpu_user),
                cpu("system", |second| second.cpu_system),
                cpu("main thread alone", |second| second.main_thread_cpu),
            ],
        ),
        ("network (MiB/s)", vec![rate("received", |second| second.received), rate("sent", |second| second.sent)]),
        (
            "lookups per second",
            vec![per_second("hits", |second| second.hits), per_second("misses", |second| second.misses)],
        ),
    ];
    let panels = panels.into_iter().map(|(title, lines)| (title.to_owned(), lines)).collect();
    let most = seconds.iter().filter_map(|second| second.levels.used_memory).max();
    let busiest = facts.analysis.server.totals.as_ref().and_then(|totals| totals.busiest);
    let mut sentences =
        vec!["Memory, clients, commands, CPU, network and lookups of the server in every second.".to_owned()];
    sentences.extend(most.map(|most| format!("It used {} MiB at most.", count(most as f64 / f64::from(1 << 20)))));
    sentences.extend(busiest.map(|busiest| format!("Its busiest second took {} % of a core.", count(100.0 * busiest))));
    Levels::new(
        ("server", "The server over time", "Memory and clients at the end of each second, the rest over it."),
        &sentences.join(" "),
        panels,
        facts,
        fonts,
    )
}

/// Connections in use and requests waiting, of each pool.
pub(super) fn pools(facts: &Facts<'_>, fonts: &Fonts) -> Option<Levels> {
    let services = &facts.run.recording.services;
    let line = |name, service: &ServiceRecord, of: fn(&crate::measure::ServiceSecond) -> f64| Line {
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
        (format!("{}: {} connections", service.name, count(service.connections as f64)), lines)
    });
    let panels: Vec<_> = panels.collect();
    let said = panels.iter().map(|(title, lines): &(String, Vec<Line>)| {
        format!("{title}, at most {} in use and {} waiting", count(lines[0].largest()), count(lines[1].largest()))
    });
    let mut sentences = vec![format!("Mean number per second. {}.", said.collect::<Vec<_>>().join("; "))];
    if services.len() > MOST {
        sentences.push(format!("The first {MOST} of {} services.", services.len()));
    }
    Levels::new(
        ("pools", "Connections in use and requests waiting", "Mean of each second."),
        &sentences.join(" "),
        panels,
        facts,
        fonts,
    )
}

fn middle(second: &ServerSecond) -> f64 {
    f64::from(second.second) + 0.5
}

impl Levels {
    fn new(
        (name, title, note): (&'static str, &'static str, &str),
        description: &str,
        panels: Vec<(String, Vec<Line>)>,
        facts: &Facts<'_>,
        fonts: &Fonts,
    ) -> Option<Self> {
        let events = Events::new(facts);
        let notes: Vec<_> = [note.to_owned()].into_iter().chain(events.note()).collect();
        let heading = Heading::new(title, &notes.join(" "), fonts);
        let (left, right) = (MARGIN + LABELS, WIDTH - MARGIN - 10.0);
        let mut top = heading.bottom() + TITLE + 10.0;
        let mut entries = Vec::new();
        for (title, mut lines) in panels {
            lines.retain(|line| !line.is_empty());
            if lines.is_empty() {
                continue;
            }
            let title = wrapped(&title, right - MARGIN - LEGEND, LABEL, fonts);
            top += (title.len() - 1) as f64 * PITCH;
            let area = Area { left, top, right, bottom: top + PANEL_HEIGHT };
            let panel = Panel::amounts(area, lines.iter().map(Line::largest).fold(0.0, f64::max));
            let widest = title.iter().map(|line| fonts.width(line, LABEL.size, LABEL.bold)).fold(0.0, f64::max);
            let legend_left = MARGIN + widest + 24.0;
            let symbols = lines.iter().zip(PENS).map(|(line, pen)| (Symbol::Line(pen, None), line.name.to_owned()));
            let legend = Legend::new(symbols.collect(), right - legend_left, fonts);
            entries.push(Entry { title, panel, legend, legend_left, lines });
            top += PANEL_HEIGHT + GAP;
        }
        let measured = facts.measured();
        let across = Across { scale: Scale::time(measured, left, right), measured };
        let drawn = !entries.is_empty();
        drawn.then(|| Self {
            name,
            title,
            heading,
            description: description.to_owned(),
            across,
            panels: entries,
            events,
        })
    }

    fn bottom(&self) -> f64 {
        self.panels.last().map_or(self.heading.bottom(), |entry| entry.panel.area.bottom)
    }
}

impl Figure for Levels {
    fn caption(&self) -> Caption {
        Caption {
            name: self.name,
            title: self.title.to_owned(),
            description: self.description.clone(),
            height: self.bottom() + AXIS_HEIGHT + MARGIN,
        }
    }

    fn draw(&self, canvas: &mut Canvas<'_>) {
        self.heading.draw(canvas);
        let (time, unit) = self.across.scale.time_ticks(48.0);
        for entry in &self.panels {
            let area = entry.panel.area;
            let baseline = area.top - TITLE;
            for (number, line) in entry.title.iter().rev().enumerate() {
                canvas.text(line, (MARGIN, baseline - number as f64 * PITCH), HPos::Left, LABEL);
            }
            entry.legend.draw(canvas, (entry.legend_left, baseline - NAME.size));
            entry.panel.draw_ground(canvas, self.across, &time);
            base_line(canvas, area, &[], "");
            for ((line, pen), marker) in entry.lines.iter().zip(PENS).zip(MARKERS) {
                entry.panel.draw_amounts(canvas, self.across, &line.points, pen, marker);
            }
            self.events.draw(canvas, area, &self.across.scale);
        }
        if let Some(last) = self.panels.last() {
            let title = format!("time since the start of the measured period ({unit})");
            base_line(canvas, last.panel.area, &time, &title);
        }
    }
}
