//! Response time over time as a heatmap: shows what percentiles hide, such as two speeds at once or a slow minute.

use plotters_backend::text_anchor::HPos;

use crate::report::subject::RunReport;

use super::{
    canvas::{Area, Pen},
    events::{Events, LANE},
    facts::value_at,
    heat::{Cell, Heat, ROWS_PER_DECADE, classes},
    layout::{LABEL, MARGIN},
    palette::{AXIS, Colour, HEAT},
    plot::{Axes, Plot},
    scale::Scale,
    units::{duration, exact, percentile},
};

const PLOT_HEIGHT: f64 = 310.0;
/// One box of the colour scale.
const BOX: (f64, f64) = (56.0, 14.0);

pub(super) fn plot(facts: &RunReport) -> Plot {
    let heat = Heat::new(&facts.run.recording);
    let band = (10_f64.powf(1.0 / f64::from(ROWS_PER_DECADE)) - 1.0) * 100.0;
    let note = format!(
        "All operations. Each cell counts the requests that finished within {} s in a band of response time {band:.0} % wide.",
        heat.stretch
    );
    let events = Events::new(facts);
    let note = [note].into_iter().chain(events.note()).collect::<Vec<_>>().join(" ");
    let mut plot = Plot::new("heatmap", "Heatmap of response time", &note);
    let area = plot.area(LANE + 14.0, PLOT_HEIGHT, 10.0);
    let cells: Vec<_> = heat.cells().collect();
    let values = cells.iter().flat_map(|cell| [cell.nanos.0, cell.nanos.1]);
    let up = Scale::durations(values.chain([facts.target()]));
    let end = cells.iter().map(|cell| cell.seconds.1).fold(facts.measured(), f64::max);
    let axes = Axes::new(area, Scale::time(end), up);

    let lowest = classes(heat.most(), HEAT.len() as u32);
    let class_of = |count: u64| lowest.partition_point(|lowest| *lowest <= count).saturating_sub(1);
    let mut classified = vec![Vec::new(); lowest.len()];
    for cell in &cells {
        let ((left, bottom), (right, top)) =
            (axes.at((cell.seconds.0, cell.nanos.0)), axes.at((cell.seconds.1, cell.nanos.1)));
        classified[class_of(cell.count)].push(Area { left, top, right, bottom });
    }
    let colour = |class: usize| HEAT[spread(class, lowest.len())];

    plot.name_above(area, LANE + 4.0, "response time");
    let (ticks, unit) = axes.across.time_ticks(48.0);
    plot.canvas.columns(area, &ticks);
    plot.canvas.rows(area, &axes.up.duration_ticks(22.0));
    for (class, areas) in classified.into_iter().enumerate() {
        for area in joined(areas) {
            plot.canvas.fill(area, colour(class));
        }
    }
    let label = format!("target {}", duration(facts.target()));
    plot.canvas.target_line(area, axes.up.at(facts.target()), Some(&label));
    if cells.is_empty() {
        plot.canvas.empty_note(area, "nothing completed");
    }
    events.draw(&mut plot.canvas, axes);
    plot.base_line(area, &ticks, &format!("time since the start of the measured period ({unit})"));
    let classes = lowest.iter().enumerate().map(|(class, lowest)| (colour(class), exact(*lowest)));
    if !cells.is_empty() {
        draw_classes(&mut plot, classes, &exact(heat.most()));
    }
    plot.bottom += 12.0 + BOX.1 + 20.0;
    plot.described(describe(facts, &cells))
}

/// Draws the colour of each class of counts, labelled with its lowest count, and the largest count at the end.
fn draw_classes(plot: &mut Plot, classes: impl Iterator<Item = (Colour, String)>, most: &str) {
    let (mut left, top) = (MARGIN + 128.0, plot.bottom + 12.0);
    plot.canvas.text("requests in a cell", (MARGIN, top + 11.0), HPos::Left, LABEL);
    for (colour, label) in classes {
        let area = Area { left, top, right: left + BOX.0, bottom: top + BOX.1 };
        plot.canvas.fill(area, colour);
        let corners = [(area.left, area.top), (area.right, area.top), (area.right, area.bottom)];
        plot.canvas.line(&corners, Pen::solid(AXIS, 0.5));
        plot.canvas.line(&[corners[0], (area.left, area.bottom), corners[2]], Pen::solid(AXIS, 0.5));
        plot.canvas.text(&label, (area.left, area.bottom + 15.0), HPos::Center, LABEL);
        left = area.right;
    }
    plot.canvas.text(most, (left, top + BOX.1 + 15.0), HPos::Center, LABEL);
}

/// Index into the colours that spreads few classes over all of them.
fn spread(class: usize, classes: usize) -> usize {
    if classes <= 1 { HEAT.len() / 2 } else { class * (HEAT.len() - 1) / (classes - 1) }
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

fn describe(facts: &RunReport, cells: &[Cell]) -> String {
    let Some((row, _)) = facts.whole().filter(|_| !cells.is_empty()) else {
        return format!("Nothing completed in {:.1} s.", facts.measured());
    };
    let of = |percent| Some(format!("{} {}", percentile(percent), duration(value_at(&row.response, percent)?)));
    let known: Vec<_> = [50.0, 99.0].into_iter().filter_map(of).collect();
    let fastest = cells.iter().map(|cell| cell.nanos.0).fold(f64::INFINITY, f64::min);
    let slowest = cells.iter().map(|cell| cell.nanos.1).fold(0.0, f64::max);
    format!(
        "Heatmap of {} response times between {} and {} over {:.1} s{}{}; target {}.",
        exact(row.counts.completed),
        duration(fastest),
        duration(slowest),
        facts.measured(),
        if known.is_empty() { "" } else { "; " },
        known.join(", "),
        duration(facts.target())
    )
}
