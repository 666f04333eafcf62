//! p50, p99 and throughput over time: the run over those of the baseline, second by second from the start of each.

use plotters_backend::text_anchor::HPos;

use super::{RUN, base_look};
use crate::{
    report::{
        chart::{
            Caption, Figure,
            canvas::{Area, Canvas, Marker, Pen},
            layout::{AXIS_HEIGHT, Heading, LABELS, Legend, MARGIN, NAME, Symbol, WIDTH, base_line},
            lettering::Fonts,
            panel::{Across, Panel},
            scale::Scale,
            units::duration,
        },
        comparison::Compared,
    },
    results::{Abstract, Stretch},
};

const TITLE: &str = "Over time, laid over each other";
const HEIGHT: f64 = 120.0;
const GAP: f64 = 40.0;

/// Seconds and values of a run, with gaps where nothing is known.
type Line = (Vec<Option<(f64, f64)>>, Pen);

/// What a panel shows of a stretch.
type Of = fn(&Stretch) -> Option<f64>;

pub(super) struct Course {
    heading: Heading,
    legend: Legend,
    across: Across,
    panels: Vec<(&'static str, Panel, Vec<Line>)>,
    description: String,
}

impl Course {
    /// `None` where nothing was answered.
    pub(super) fn new(compared: &Compared<'_>, fonts: &Fonts) -> Option<Self> {
        let (base_pen, base_name) = base_look(compared);
        let heading =
            Heading::new(TITLE, "All services together; each run from the start of its measured period.", fonts);
        let entries =
            vec![(Symbol::Line(base_pen, None), base_name), (Symbol::Line(RUN, None), compared.run.name.clone())];
        let legend = Legend::new(entries, WIDTH - 2.0 * MARGIN, fonts);
        let (left, right) = (MARGIN + LABELS, WIDTH - MARGIN - 10.0);
        let all = || compared.base.iter().chain([compared.run]);
        let end = all().flat_map(|run| &run.course).map(|at| f64::from(at.second) + 1.0).fold(1.0, f64::max);
        let measured = all().map(|run| run.measured_ns as f64 / 1e9).fold(0.0, f64::max);
        let kinds: [(&'static str, Of); 3] = [
            ("p50", |at| at.response.map(|[p50, _]| p50 as f64)),
            ("p99", |at| at.response.map(|[_, p99]| p99 as f64)),
            ("requests per second", |at| at.rate),
        ];
        let mut panels = Vec::new();
        let mut top = heading.bottom() + legend.height() + 36.0;
        for (name, of) in kinds {
            let lines: Vec<_> = all()
                .map(|run| {
                    let pen = if std::ptr::eq(run, compared.run) { RUN } else { base_pen };
                    (run.course.iter().map(|at| Some((middle(run, at), of(at)?))).collect::<Vec<_>>(), pen)
                })
                .collect();
            let values: Vec<f64> = lines.iter().flat_map(|(line, _)| line).flatten().map(|(_, value)| *value).collect();
            if values.is_empty() {
                return None;
            }
            let area = Area { left, top, right, bottom: top + HEIGHT };
            let panel = if name.starts_with('p') {
                Panel::durations(area, values)
            } else {
                Panel::amounts(area, values.into_iter().fold(0.0, f64::max))
            };
            panels.push((name, panel, lines));
            top = area.bottom + GAP;
        }
        let across = Across { scale: Scale::time(end.max(measured), left, right), measured };
        Some(Self { heading, legend, across, panels, description: describe(compared) })
    }
}

/// The middle of a stretch, in seconds.
fn middle(run: &Abstract, at: &Stretch) -> f64 {
    let length = match &run.course[..] {
        [first, second, ..] => f64::from(second.second - first.second),
        _ => 1.0,
    };
    f64::from(at.second) + length / 2.0
}

fn describe(compared: &Compared<'_>) -> String {
    let worst = |run: &Abstract, which: usize| {
        run.course.iter().filter_map(|at| at.response).map(|response| response[which]).max().unwrap_or(0) as f64
    };
    let base = |which| compared.base.iter().map(|run| worst(run, which)).fold(0.0, f64::max);
    format!(
        "{TITLE}: {} against {}. The worst second had a p50 of {} and a p99 of {}; before, {} and {}.",
        compared.run.name,
        compared.against,
        duration(worst(compared.run, 0)),
        duration(worst(compared.run, 1)),
        duration(base(0)),
        duration(base(1)),
    )
}

impl Figure for Course {
    fn caption(&self) -> Caption {
        let bottom = self.panels.last().map_or(0.0, |(_, panel, _)| panel.area.bottom);
        Caption {
            name: "over-time-laid-over",
            title: TITLE.to_owned(),
            description: self.description.clone(),
            height: bottom + AXIS_HEIGHT + MARGIN,
        }
    }

    fn draw(&self, canvas: &mut Canvas<'_>) {
        self.heading.draw(canvas);
        self.legend.draw(canvas, (MARGIN, self.heading.bottom()));
        let (time, unit) = self.across.scale.time_ticks(48.0);
        for (name, panel, lines) in &self.panels {
            canvas.text(name, (MARGIN, panel.area.top - 14.0), HPos::Left, NAME);
            panel.draw_ground(canvas, self.across, &time);
            base_line(canvas, panel.area, &[], "");
            for (points, pen) in lines {
                panel.draw_amounts(canvas, self.across, points, *pen, Marker::Circle);
            }
        }
        if let Some((_, panel, _)) = self.panels.last() {
            let title = format!("time since the start of the measured period ({unit})");
            base_line(canvas, panel.area, &time, &title);
        }
    }
}
