//! Throughput against latency, one panel per variant: how response time rises until nothing more gets through.

use plotters_backend::text_anchor::HPos;

use super::series::{carried_label, label_within, objective, rate_label, target, tells};
use crate::{
    report::{
        chart::{
            canvas::{Area, Canvas, Marker, Pen, Type},
            layout::{AXIS_HEIGHT, LABEL, LABELS, MARGIN, NAME, Symbol, TARGET_PEN, WIDTH, wrapped},
            palette::{BEYOND, BLUE, GREEN, INK, MUTED, ORANGE, PURPLE},
            plot::{Axes, Plot},
            scale::Scale,
            units::duration,
        },
        subject::capacity::{CapacityReport, is_again},
    },
    results::Trial,
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
const LANES: f64 = 44.0;
const GAP: f64 = 14.0;

/// Data of a variant.
struct Curve<'a> {
    name: &'a str,
    /// Per percentile the throughput and response time of every trial, and of the typical one of each rate.
    points: [Vec<(f64, f64)>; 3],
    curves: [Vec<(f64, f64)>; 3],
    /// The objective's response time, in nanoseconds.
    target: f64,
    sustainable: Option<f64>,
    knee: Option<f64>,
}

/// `None` where no variant was tried at two rates.
pub(super) fn plot(answers: &CapacityReport) -> Option<Plot> {
    let arms: Vec<_> =
        answers.arms().map(|(index, ..)| curve(answers, index)).filter(|arm| arm.curves[0].len() >= 2).collect();
    if arms.is_empty() {
        return None;
    }
    let few = if arms.len() > MOST { format!(" The first {MOST} of {} variants.", arms.len()) } else { String::new() };
    let note = format!("One point per trial, at the achieved rate; objective {}.{few}", objective(answers));
    let drawn = &arms[..arms.len().min(MOST)];
    let mut entries = CURVES.map(|(name, pen, marker)| Symbol::Line(pen, Some(marker)).named(name)).to_vec();
    entries.push(Symbol::Line(TARGET_PEN, None).named("objective"));
    if drawn.iter().any(|arm| arm.sustainable.is_some()) {
        entries.push(Symbol::Line(SUSTAINABLE, None).named("sustainable rate"));
    }
    if drawn.iter().any(|arm| arm.knee.is_some()) {
        entries.push(Symbol::Line(KNEE, None).named("knee"));
    }
    let mut plot = Plot::new("throughput-latency", TITLE, &note).legend(entries);
    plot.bottom += 16.0;
    draw_panels(&mut plot, drawn);
    plot.bottom -= MARGIN;
    let described: Vec<_> = arms.iter().map(|arm| describe(answers, arm)).collect();
    Some(plot.described(format!("{TITLE}, objective {}. {}.", objective(answers), described.join("; "))))
}

fn curve(answers: &CapacityReport, arm: u32) -> Curve<'_> {
    let trials: Vec<_> = answers.open(arm).into_iter().filter(|(_, trial)| tells(trial)).collect();
    let of = |trial: &Trial, which: usize| {
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

fn describe(answers: &CapacityReport, arm: &Curve<'_>) -> String {
    let carries = match arm.sustainable {
        Some(rate) => format!("sustainable {}", carried_label(rate)),
        None => "no sustainable rate known".to_owned(),
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

/// Draws panels in one column or two, all with the same scales.
fn draw_panels(plot: &mut Plot, arms: &[Curve<'_>]) {
    let (abreast, height) = if arms.len() == 1 { (1, 290.0) } else { (2, 190.0) };
    let pitch = (WIDTH - 2.0 * MARGIN + GAP) / abreast as f64;
    let all = || arms.iter().flat_map(|arm| arm.curves.iter().chain(&arm.points)).flatten();
    let rates = all().map(|(rate, _)| *rate).chain(arms.iter().filter_map(|arm| arm.sustainable));
    let across = Scale::amounts(rates.fold(0.0, f64::max));
    let up = Scale::durations(all().map(|(_, value)| *value).chain(arms.iter().map(|arm| arm.target)));
    for row in arms.chunks(abreast) {
        let wrapped_names = row.iter().map(|arm| match arms.len() {
            1 => Vec::new(),
            _ => wrapped(arm.name, pitch - GAP - LABELS, Type { bold: true, ..NAME }, &plot.canvas),
        });
        let names: Vec<_> = wrapped_names.collect();
        let lines = names.iter().map(Vec::len).max().unwrap_or(0);
        let top = plot.bottom + lines as f64 * LINE + LANES;
        plot.bottom = top + height + AXIS_HEIGHT + 12.0;
        for (place, (arm, name)) in row.iter().zip(names).enumerate() {
            let left = MARGIN + place as f64 * pitch;
            let area = Area { left: left + LABELS, top, right: left + pitch - GAP - 6.0, bottom: top + height };
            draw_panel(&mut plot.canvas, arm, &name, Axes::new(area, across, up));
        }
    }
}

fn draw_panel(canvas: &mut Canvas, arm: &Curve<'_>, name: &[String], axes: Axes) {
    let area = axes.area;
    let first = area.top - LANES + 4.0 - (name.len() as f64 - 1.0) * LINE;
    for (number, line) in name.iter().enumerate() {
        canvas.text(line, (area.left, first + number as f64 * LINE), HPos::Left, Type { bold: true, ..NAME });
    }
    let y = axes.up.at(arm.target);
    canvas.fill(Area { bottom: y, ..area }, BEYOND);
    let ticks = axes.across.amount_ticks(62.0);
    canvas.columns(area, &ticks);
    canvas.rows(area, &axes.up.duration_ticks(22.0));
    canvas.base_line(area, &ticks, "answered per second");
    canvas.target_line(area, y, None);
    for (rate, pen, lane, label) in [(arm.knee, KNEE, 21.0, "knee"), (arm.sustainable, SUSTAINABLE, 6.0, "sustainable")]
    {
        let Some(rate) = rate else { continue };
        let x = axes.across.at(rate);
        canvas.line(&[(x, area.top - lane + 3.0), (x, area.bottom)], pen);
        let (number, kind) =
            if lane < 10.0 { (carried_label(rate), Type { colour: INK, ..LABEL }) } else { (rate_label(rate), LABEL) };
        label_within(canvas, &format!("{label} {number}"), (x, area.top - lane), area, kind);
    }
    for ((_, pen, _), curve) in CURVES.iter().zip(&arm.curves).rev() {
        canvas.line(&axes.line(curve), *pen);
    }
    for ((_, pen, marker), points) in CURVES.iter().zip(&arm.points).rev() {
        for at in axes.line(points) {
            canvas.marker(at, *marker, 6.0, pen.colour);
        }
    }
}
