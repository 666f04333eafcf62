//! Response time over time as a heatmap: shows what percentiles hide, such as two speeds at once or a slow minute.

use plotters_backend::text_anchor::HPos;

use super::{
    Caption, Figure,
    canvas::{Area, Canvas, Pen},
    events::{Events, LANE},
    facts::{Facts, value_at},
    heat::{Cell, Heat, ROWS_PER_DECADE, classes},
    layout::{AXIS_HEIGHT, Heading, LABEL, LABELS, MARGIN, WIDTH, base_line, columns, empty_note, rows, target_line},
    lettering::Fonts,
    palette::{AXIS, Colour, HEAT},
    scale::Scale,
    units::{count, duration, percentile},
};

const TITLE: &str = "Heatmap of response time";
const PLOT_HEIGHT: f64 = 310.0;
/// One box of the colour scale.
const BOX: (f64, f64) = (56.0, 14.0);

pub(super) struct Heatmap {
    heading: Heading,
    description: String,
    cells: Vec<(Colour, Vec<Area>)>,
    /// Classes of counts, each with its lowest.
    legend: Vec<(Colour, String)>,
    /// The largest count.
    most: String,
    target: f64,
    plot: Area,
    across: Scale,
    up: Scale,
    events: Events,
}

impl Heatmap {
    pub(super) fn new(facts: &Facts<'_>, fonts: &Fonts) -> Self {
        let heat = Heat::new(&facts.run.recording);
        let band = (10_f64.powf(1.0 / f64::from(ROWS_PER_DECADE)) - 1.0) * 100.0;
        let subtitle = format!(
            "All operations. Each cell counts the requests that finished within {} s in a band of response time {band:.0} % wide.",
            heat.stretch
        );
        let events = Events::new(facts);
        let subtitle = [subtitle].into_iter().chain(events.note()).collect::<Vec<_>>().join(" ");
        let heading = Heading::new(TITLE, &subtitle, fonts);
        let top = heading.bottom() + LANE + 14.0;
        let plot = Area { left: MARGIN + LABELS, top, right: WIDTH - MARGIN - 10.0, bottom: top + PLOT_HEIGHT };
        let cells: Vec<_> = heat.cells().collect();
        let values = cells.iter().flat_map(|cell| [cell.nanos.0, cell.nanos.1]);
        let up = Scale::durations(values.chain([facts.target()]), plot.bottom, plot.top);
        let end = cells.iter().map(|cell| cell.seconds.1).fold(facts.measured(), f64::max);
        let across = Scale::time(end, plot.left, plot.right);

        let lowest = classes(heat.most(), HEAT.len() as u32);
        let class_of = |count: u64| lowest.partition_point(|lowest| *lowest <= count).saturating_sub(1);
        let colour = |class: usize| HEAT[spread(class, lowest.len())];
        let mut coloured: Vec<_> = (0..lowest.len()).map(|class| (colour(class), Vec::new())).collect();
        for cell in &cells {
            coloured[class_of(cell.count)].1.push(place(cell, &across, &up));
        }
        let legend = lowest.iter().enumerate().map(|(class, lowest)| (colour(class), count(*lowest as f64)));
        Self {
            description: describe(facts, &cells),
            heading,
            cells: coloured.into_iter().map(|(colour, areas)| (colour, joined(areas))).collect(),
            legend: if cells.is_empty() { Vec::new() } else { legend.collect() },
            most: count(heat.most() as f64),
            target: facts.target(),
            plot,
            across,
            up,
            events,
        }
    }

    fn draw_legend(&self, canvas: &mut Canvas<'_>) {
        if self.legend.is_empty() {
            return;
        }
        let top = self.plot.bottom + AXIS_HEIGHT + 12.0;
        canvas.text("requests in a cell", (MARGIN, top + 11.0), HPos::Left, LABEL);
        for (number, (colour, label)) in self.legend.iter().enumerate() {
            let left = MARGIN + 128.0 + number as f64 * BOX.0;
            let area = Area { left, top, right: left + BOX.0, bottom: top + BOX.1 };
            canvas.fill(area, *colour);
            let corners = [(area.left, area.top), (area.right, area.top), (area.right, area.bottom)];
            canvas.line(&corners, Pen::solid(AXIS, 0.5));
            canvas.line(&[corners[0], (area.left, area.bottom), corners[2]], Pen::solid(AXIS, 0.5));
            canvas.text(label, (area.left, area.bottom + 15.0), HPos::Center, LABEL);
        }
        let end = MARGIN + 128.0 + self.legend.len() as f64 * BOX.0;
        canvas.text(&self.most, (end, top + BOX.1 + 15.0), HPos::Center, LABEL);
    }
}

/// Index into the colours that spreads few classes over all of them.
fn spread(class: usize, classes: usize) -> usize {
    if classes <= 1 { HEAT.len() / 2 } else { class * (HEAT.len() - 1) / (classes - 1) }
}

fn place(cell: &Cell, across: &Scale, up: &Scale) -> Area {
    Area {
        left: across.at(cell.seconds.0),
        top: up.at(cell.nanos.1),
        right: across.at(cell.seconds.1),
        bottom: up.at(cell.nanos.0),
    }
}

/// Cells of one colour that lie above each other in one column, as one.
fn joined(cells: Vec<Area>) -> Vec<Area> {
    let mut joined: Vec<Area> = Vec::new();
    for cell in cells {
        match joined.last_mut() {
            Some(last) if (last.left - cell.left).abs() < 1e-6 && (last.top - cell.bottom).abs() < 1e-6 => {
                last.top = cell.top;
            }
            _ => joined.push(cell),
        }
    }
    joined
}

fn describe(facts: &Facts<'_>, cells: &[Cell]) -> String {
    let Some((row, _)) = facts.whole().filter(|_| !cells.is_empty()) else {
        return format!("Nothing completed in {:.1} s.", facts.measured());
    };
    let of = |percent| Some(format!("{} {}", percentile(percent), duration(value_at(&row.response, percent)?)));
    let known: Vec<_> = [50.0, 99.0].into_iter().filter_map(of).collect();
    let fastest = cells.iter().map(|cell| cell.nanos.0).fold(f64::INFINITY, f64::min);
    let slowest = cells.iter().map(|cell| cell.nanos.1).fold(0.0, f64::max);
    format!(
        "Heatmap of {} response times between {} and {} over {:.1} s{}{}; target {}.",
        count(row.counts.completed as f64),
        duration(fastest),
        duration(slowest),
        facts.measured(),
        if known.is_empty() { "" } else { "; " },
        known.join(", "),
        duration(facts.target())
    )
}

impl Figure for Heatmap {
    fn caption(&self) -> Caption {
        Caption {
            name: "heatmap",
            title: TITLE.to_owned(),
            description: self.description.clone(),
            height: self.plot.bottom + AXIS_HEIGHT + 12.0 + BOX.1 + 20.0 + MARGIN,
        }
    }

    fn draw(&self, canvas: &mut Canvas<'_>) {
        self.heading.draw(canvas);
        canvas.text("response time", (MARGIN, self.plot.top - LANE - 4.0), HPos::Left, LABEL);
        let (time, unit) = self.across.time_ticks(48.0);
        columns(canvas, self.plot, &time);
        rows(canvas, self.plot, &self.up.duration_ticks(22.0));
        for (colour, areas) in &self.cells {
            for area in areas {
                canvas.fill(*area, *colour);
            }
        }
        let label = format!("target {}", duration(self.target));
        target_line(canvas, self.plot, self.up.at(self.target), Some(&label));
        if self.legend.is_empty() {
            empty_note(canvas, self.plot, "nothing completed");
        }
        self.events.draw(canvas, self.plot, &self.across);
        let title = format!("time since the start of the measured period ({unit})");
        base_line(canvas, self.plot, &time, &title);
        self.draw_legend(canvas);
    }
}
