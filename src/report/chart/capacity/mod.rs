//! Charts of a capacity run: what they have in common, and which of them are drawn.

mod by_limit;
mod concurrency;
mod offered;
mod pools;
mod sweep;
mod throughput;

use plotters_backend::text_anchor::HPos;

use super::{
    Chart, Figure,
    canvas::{Area, Canvas, Marker, Pen, Type},
    chart,
    layout::{LABEL, Legend, MARGIN, Symbol, WIDTH, base_line, columns, rows},
    lettering::Fonts,
    palette::{CONTEXT, SERIES},
    scale::{Scale, Tick},
    units::{count, duration, percentile},
};
use crate::{
    report::capacity::{Answers, carried},
    results::Trial,
};

/// All charts of a capacity run, the most important first. Nothing is drawn where its data is missing.
pub(in crate::report) fn capacity_charts(answers: &Answers<'_>) -> Vec<Chart> {
    let fonts = Fonts::new();
    capacity_figures(answers, &fonts).iter().map(|figure| chart(figure.as_ref(), &fonts)).collect()
}

/// The same, ready to be drawn.
pub(super) fn capacity_figures<'a>(answers: &Answers<'a>, fonts: &'a Fonts) -> Vec<Box<dyn Figure + 'a>> {
    let figures = [
        throughput::ThroughputLatency::new(answers, fonts).map(boxed),
        pools::Pools::new(answers, fonts).map(boxed),
        by_limit::ByLimit::new(answers, fonts).map(boxed),
        sweep::Sweep::new(answers, fonts).map(boxed),
        concurrency::Concurrency::new(answers, fonts).map(boxed),
        offered::OfferedAchieved::new(answers, fonts).map(boxed),
    ];
    figures.into_iter().flatten().collect()
}

fn boxed<'a>(figure: impl Figure + 'a) -> Box<dyn Figure + 'a> {
    Box::new(figure)
}

/// Markers, one per colour; the second half of the series has them in another order.
const MARKERS: [Marker; 6] = [Marker::Circle, Marker::Square, Marker::Diamond, Marker::Up, Marker::Down, Marker::Left];
/// Series that are told apart, by colour and marker, and the second half by dashes as well.
const TOLD_APART: usize = 12;

/// How the series of a number looks.
fn look(number: usize) -> (Pen, Marker) {
    let marker = MARKERS[(number + number / SERIES.len() * 3) % MARKERS.len()];
    let colour = SERIES[number % SERIES.len()];
    let pen = match number {
        number if number < SERIES.len() => Pen::solid(colour, 2.0),
        number if number < TOLD_APART => Pen::dashed(colour, 2.0, &[6.0, 3.0]),
        _ => Pen::solid(CONTEXT, 1.25),
    };
    (pen, marker)
}

/// Legend of series by their names, in the order of their numbers.
fn legend(names: &[&str], more: Vec<(Symbol, String)>, fonts: &Fonts) -> Legend {
    let mut entries: Vec<_> = names
        .iter()
        .take(TOLD_APART)
        .enumerate()
        .map(|(number, name)| {
            let (pen, marker) = look(number);
            (Symbol::Line(pen, Some(marker)), (*name).to_owned())
        })
        .collect();
    if names.len() > TOLD_APART {
        let (pen, _) = look(TOLD_APART);
        entries.push((Symbol::Line(pen, None), format!("{} more", names.len() - TOLD_APART)));
    }
    entries.extend(more);
    Legend::new(entries, WIDTH - 2.0 * MARGIN, fonts)
}

/// The lines behind a plot, with its axes and their names.
fn grid(canvas: &mut Canvas<'_>, plot: Area, (ticks, across): (&[Tick], &str), (up, upwards): (&Scale, &str)) {
    canvas.text(upwards, (MARGIN, plot.top - 14.0), HPos::Left, LABEL);
    columns(canvas, plot, ticks);
    rows(canvas, plot, &up.amount_ticks(24.0));
    base_line(canvas, plot, ticks, across);
}

/// An upright bar from one height to another, with caps.
fn error_bar(canvas: &mut Canvas<'_>, x: f64, (from, to): (f64, f64), pen: Pen) {
    if (from - to).abs() < 1.0 {
        return;
    }
    canvas.line(&[(x, from), (x, to)], pen);
    for y in [from, to] {
        canvas.line(&[(x - 3.5, y), (x + 3.5, y)], pen);
    }
}

/// A label centred at a place, moved as far as it takes to stay within an area.
fn label_within(canvas: &mut Canvas<'_>, text: &str, (x, y): (f64, f64), area: Area, kind: Type, fonts: &Fonts) {
    let half = fonts.width(text, kind.size, kind.bold) / 2.0;
    let x = if 2.0 * half >= area.width() {
        f64::midpoint(area.left, area.right)
    } else {
        x.clamp(area.left + half, area.right - half)
    };
    canvas.plated_text(text, (x, y), HPos::Center, kind);
}

/// A rate that can be carried: `23.7k/s`.
fn carried_label(rate: f64) -> String {
    format!("{}/s", count(carried(rate)))
}

/// Any other rate.
fn rate_label(rate: f64) -> String {
    format!("{}/s", count(rate))
}

/// `p99 < 100 ms`; where variants have different ones, that each has its own.
fn objective(answers: &Answers<'_>) -> String {
    let of =
        |arm: u32| format!("{} < {}", percentile(answers.objective(arm).percentile), duration(target(answers, arm)));
    let own = answers.arms().any(|(arm, ..)| answers.objective(arm) != answers.objective(0));
    if own { "that of each variant".to_owned() } else { of(0) }
}

/// The response time of an arm's objective, in nanoseconds.
fn target(answers: &Answers<'_>, arm: u32) -> f64 {
    answers.objective(arm).latency.as_nanos() as f64
}

/// A trial of an open loop that tells of the server.
fn tells(trial: &Trial) -> bool {
    trial.completed > 0 && trial.client_limited.is_none()
}

#[cfg(test)]
mod tests;
