//! Throughput against latency, one panel per variant: how response time rises until nothing more gets through.

use plotters_backend::text_anchor::HPos;

use super::{carried_label, label_within, objective, rate_label, target, tells};
use crate::report::{
    capacity::{Answers, is_again},
    chart::{
        Caption, Figure,
        canvas::{Area, Canvas, Marker, Pen, Type},
        layout::{
            AXIS_HEIGHT, Heading, LABEL, LABELS, Legend, MARGIN, NAME, Symbol, TARGET_DASH, WIDTH, base_line, columns,
            rows, target_line, wrapped,
        },
        lettering::Fonts,
        palette::{BEYOND, BLUE, GREEN, INK, MUTED, ORANGE, PURPLE, TARGET},
        scale::Scale,
        units::duration,
    },
};

const TITLE: &str = "Throughput against latency";
/// Variants that are drawn; more would be too small to read.
const MOST: usize = 8;
/// Names, pens and markers of the percentiles.
const CURVES: [(&str, Pen, Marker); 3] = [
    ("p50", Pen { colour: BLUE, width: 2.0, dash: &[] }, Marker::Circle),
    ("p99", Pen { colour: ORANGE, width: 2.0, dash: &[7.0, 2.5] }, Marker::Square),
    ("p99.9", Pen { colour: PURPLE, width: 1.5, dash: &[2.5, 2.5] }, Marker::Up),
];
const SUSTAINABLE: Pen = Pen { colour: GREEN, width: 2.0, dash: &[] };
const KNEE: Pen = Pen { colour: MUTED, width: 1.5, dash: &[3.0, 3.0] };
const LINE: f64 = 17.0;
/// Space between the name of a panel and its plot: two lines of labels.
const LANES: f64 = 38.0;
const GAP: f64 = 14.0;

pub(super) struct ThroughputLatency<'a> {
    heading: Heading,
    legend: Legend,
    panels: Vec<Panel>,
    bottom: f64,
    description: String,
    fonts: &'a Fonts,
}

struct Panel {
    name: Vec<String>,
    area: Area,
    across: Scale,
    up: Scale,
    /// Per percentile the throughput and response time of every trial, and of the typical one of each rate.
    points: [Vec<(f64, f64)>; 3],
    curves: [Vec<(f64, f64)>; 3],
    /// The objective's response time, in nanoseconds.
    target: f64,
    sustainable: Option<f64>,
    knee: Option<f64>,
}

/// What of an arm is drawn.
struct Curve<'a> {
    name: &'a str,
    points: [Vec<(f64, f64)>; 3],
    curves: [Vec<(f64, f64)>; 3],
    target: f64,
    sustainable: Option<f64>,
    knee: Option<f64>,
}

impl<'a> ThroughputLatency<'a> {
    /// `None` where no variant was tried at two rates.
    pub(super) fn new(answers: &Answers<'_>, fonts: &'a Fonts) -> Option<Self> {
        let arms: Vec<_> =
            answers.arms().map(|(index, ..)| curve(answers, index)).filter(|arm| arm.curves[0].len() >= 2).collect();
        if arms.is_empty() {
            return None;
        }
        let few =
            if arms.len() > MOST { format!(" The first {MOST} of {} variants.", arms.len()) } else { String::new() };
        let subtitle =
            format!("Each trial at the rate that was answered; the objective is {}.{few}", objective(answers));
        let heading = Heading::new(TITLE, &subtitle, fonts);
        let mut entries: Vec<_> =
            CURVES.iter().map(|(name, pen, marker)| (Symbol::Line(*pen, Some(*marker)), (*name).to_owned())).collect();
        entries.push((Symbol::Line(Pen::dashed(TARGET, 1.5, TARGET_DASH), None), "objective".to_owned()));
        let drawn = &arms[..arms.len().min(MOST)];
        if drawn.iter().any(|arm| arm.sustainable.is_some()) {
            entries.push((Symbol::Line(SUSTAINABLE, None), "sustainable rate".to_owned()));
        }
        if drawn.iter().any(|arm| arm.knee.is_some()) {
            entries.push((Symbol::Line(KNEE, None), "knee".to_owned()));
        }
        let legend = Legend::new(entries, WIDTH - 2.0 * MARGIN, fonts);
        let described: Vec<_> = arms.iter().map(|arm| describe(answers, arm)).collect();
        let description = format!("{TITLE}, objective {}. {}.", objective(answers), described.join("; "));
        let (panels, bottom) = place(drawn, heading.bottom() + legend.height() + 16.0, fonts);
        Some(Self { heading, legend, panels, bottom, description, fonts })
    }
}

fn curve<'a>(answers: &Answers<'a>, arm: u32) -> Curve<'a> {
    let trials: Vec<_> = answers.open(arm).into_iter().filter(|(_, trial)| tells(trial)).collect();
    let of = |trial: &crate::results::Trial, which: usize| {
        let response = &trial.response;
        (trial.throughput, [response.p50, response.p99, response.p999][which] as f64)
    };
    let mut rates: Vec<f64> = trials.iter().map(|(offered, _)| *offered).collect();
    rates.dedup_by(|next, last| is_again(*next, *last));
    let typical: Vec<_> = rates.iter().filter_map(|rate| answers.typical(arm, *rate)).collect();
    let answer = answers.analysis.arms.get(arm as usize);
    Curve {
        name: answers.name(arm),
        points: [0, 1, 2].map(|which| trials.iter().map(|(_, trial)| of(trial, which)).collect()),
        curves: [0, 1, 2].map(|which| typical.iter().map(|trial| of(trial, which)).collect()),
        target: target(answers, arm),
        sustainable: answer.and_then(|answer| answer.sustainable).map(|known| known.rate),
        knee: answer.and_then(|answer| answer.knee),
    }
}

fn describe(answers: &Answers<'_>, arm: &Curve<'_>) -> String {
    let carries = match arm.sustainable {
        Some(rate) => format!("sustainable {}", carried_label(rate)),
        None => "nothing known to be sustainable".to_owned(),
    };
    let knee = arm.knee.map(|knee| format!(", knee {}", rate_label(knee))).unwrap_or_default();
    let tail = &arm.curves[1];
    let ends = tail.first().zip(tail.last()).map(|(first, last)| {
        format!(
            ", p99 from {} at {} to {} at {}",
            duration(first.1),
            rate_label(first.0),
            duration(last.1),
            rate_label(last.0)
        )
    });
    let whose = if answers.capacity.plan.arms.len() > 1 { format!("{}: ", arm.name) } else { String::new() };
    format!("{whose}{carries}{knee}{}", ends.unwrap_or_default())
}

/// Panels in one column or two, all with the same scales, and where they end.
fn place(arms: &[Curve<'_>], top: f64, fonts: &Fonts) -> (Vec<Panel>, f64) {
    let abreast = if arms.len() == 1 { 1 } else { 2 };
    let height = if abreast == 1 { 290.0 } else { 190.0 };
    let pitch = (WIDTH - 2.0 * MARGIN + GAP) / abreast as f64;
    let all = || arms.iter().flat_map(|arm| arm.curves.iter().chain(&arm.points)).flatten();
    let rates = all().map(|(rate, _)| *rate).chain(arms.iter().filter_map(|arm| arm.sustainable));
    let most = rates.fold(0.0, f64::max);
    let values: Vec<_> = all().map(|(_, value)| *value).chain(arms.iter().map(|arm| arm.target)).collect();
    let mut panels = Vec::new();
    let mut y = top;
    for row in arms.chunks(abreast) {
        let names: Vec<_> = row
            .iter()
            .map(|arm| {
                if arms.len() == 1 {
                    Vec::new()
                } else {
                    wrapped(arm.name, pitch - GAP - LABELS, Type { bold: true, ..NAME }, fonts)
                }
            })
            .collect();
        let lines = names.iter().map(Vec::len).max().unwrap_or(0);
        let plot = y + lines as f64 * LINE + LANES;
        for (place, (arm, name)) in row.iter().zip(names).enumerate() {
            let left = MARGIN + place as f64 * pitch;
            let area = Area { left: left + LABELS, top: plot, right: left + pitch - GAP - 6.0, bottom: plot + height };
            panels.push(Panel {
                name,
                area,
                across: Scale::amounts(most, area.left, area.right),
                up: Scale::durations(values.iter().copied(), area.bottom, area.top),
                points: arm.points.clone(),
                curves: arm.curves.clone(),
                target: arm.target,
                sustainable: arm.sustainable,
                knee: arm.knee,
            });
        }
        y = plot + height + AXIS_HEIGHT + 12.0;
    }
    (panels, y)
}

impl Panel {
    fn draw(&self, canvas: &mut Canvas<'_>, fonts: &Fonts) {
        let area = self.area;
        let top = area.top - LANES;
        let first = top + 4.0 - (self.name.len() as f64 - 1.0) * LINE;
        for (number, line) in self.name.iter().enumerate() {
            canvas.text(line, (area.left, first + number as f64 * LINE), HPos::Left, Type { bold: true, ..NAME });
        }
        let y = self.up.at(self.target);
        canvas.fill(Area { bottom: y, ..area }, BEYOND);
        let ticks = self.across.amount_ticks(62.0);
        columns(canvas, area, &ticks);
        rows(canvas, area, &self.up.duration_ticks(22.0));
        base_line(canvas, area, &ticks, "answered per second");
        target_line(canvas, area, y, None);
        for (rate, pen, lane, label) in
            [(self.knee, KNEE, 21.0, "knee"), (self.sustainable, SUSTAINABLE, 6.0, "sustainable")]
        {
            let Some(rate) = rate else { continue };
            let x = self.across.at(rate);
            canvas.line(&[(x, area.top - lane + 3.0), (x, area.bottom)], pen);
            let (number, kind) = if lane < 10.0 {
                (carried_label(rate), Type { colour: INK, ..LABEL })
            } else {
                (rate_label(rate), LABEL)
            };
            label_within(canvas, &format!("{label} {number}"), (x, area.top - lane), area, kind, fonts);
        }
        let at = |(rate, value): &(f64, f64)| (self.across.at(*rate), self.up.at(*value));
        for (which, (_, pen, _)) in CURVES.iter().enumerate().rev() {
            canvas.line(&self.curves[which].iter().map(at).collect::<Vec<_>>(), *pen);
        }
        for (which, (_, pen, marker)) in CURVES.iter().enumerate().rev() {
            for point in &self.points[which] {
                canvas.marker(at(point), *marker, 6.0, pen.colour);
            }
        }
    }
}

impl Figure for ThroughputLatency<'_> {
    fn caption(&self) -> Caption {
        Caption {
            name: "throughput-latency",
            title: TITLE.to_owned(),
            description: self.description.clone(),
            height: self.bottom,
        }
    }

    fn draw(&self, canvas: &mut Canvas<'_>) {
        self.heading.draw(canvas);
        self.legend.draw(canvas, (MARGIN, self.heading.bottom()));
        for panel in &self.panels {
            panel.draw(canvas, self.fonts);
        }
    }
}
