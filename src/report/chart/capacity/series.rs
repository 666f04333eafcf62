//! What charts of a capacity run have in common: looks of series, axes, error bars and labels.

use plotters_backend::text_anchor::HPos;

use crate::{
    report::{
        chart::{
            canvas::{Area, Canvas, Marker, Pen, Type},
            layout::{Entry, Symbol},
            palette::{CONTEXT, SERIES},
            percentiles::MARKERS,
            plot::{Axes, Plot},
            scale::Tick,
            units::{count, duration, percentile},
        },
        subject::capacity::{CapacityReport, carried},
    },
    results::Trial,
};

/// Series that are distinguished, by colour and marker, and the second half by dashes as well.
pub(super) const TOLD_APART: usize = 12;

/// How the series of a number looks: the second half of the series has the markers in another order.
pub(super) fn look(number: usize) -> (Pen, Marker) {
    let marker = MARKERS[(number + number / SERIES.len() * 3) % MARKERS.len()];
    let colour = SERIES[number % SERIES.len()];
    let pen = match number {
        number if number < SERIES.len() => Pen::solid(colour, 2.0),
        number if number < TOLD_APART => Pen::dashed(colour, 2.0, &[6.0, 3.0]),
        _ => Pen::solid(CONTEXT, 1.25),
    };
    (pen, marker)
}

/// Entries of a legend for series by their names, in the order of their numbers.
pub(super) fn entries<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<Entry> {
    let names: Vec<_> = names.into_iter().collect();
    let shown = names.iter().take(TOLD_APART).enumerate().map(|(number, name)| {
        let (pen, marker) = look(number);
        Symbol::Line(pen, Some(marker)).named(*name)
    });
    let mut entries: Vec<_> = shown.collect();
    if names.len() > TOLD_APART {
        let (pen, _) = look(TOLD_APART);
        entries.push(Symbol::Line(pen, None).named(format!("{} more", names.len() - TOLD_APART)));
    }
    entries
}

/// Draws the lines behind a plot, with its axes and their names.
pub(super) fn grid(plot: &mut Plot, axes: Axes, (ticks, across): (&[Tick], &str), up: &str) {
    plot.name_above(axes.area, 14.0, up);
    plot.canvas.columns(axes.area, ticks);
    plot.canvas.rows(axes.area, &axes.up.amount_ticks(24.0));
    plot.base_line(axes.area, ticks, across);
}

/// Draws an upright bar from one height to another, with caps that reach so far to either side.
pub(super) fn error_bar(canvas: &mut Canvas, (x, reach): (f64, f64), (from, to): (f64, f64), pen: Pen) {
    if (from - to).abs() < 1.0 {
        return;
    }
    canvas.line(&[(x, from), (x, to)], pen);
    for y in [from, to] {
        canvas.line(&[(x - reach, y), (x + reach, y)], pen);
    }
}

/// Writes a label centred at a place, moved as far as it takes to stay within an area.
pub(super) fn label_within(canvas: &mut Canvas, text: &str, (x, y): (f64, f64), area: Area, kind: Type) {
    let half = canvas.width(text, kind) / 2.0;
    let x = if 2.0 * half >= area.width() {
        f64::midpoint(area.left, area.right)
    } else {
        x.clamp(area.left + half, area.right - half)
    };
    canvas.plated_text(text, (x, y), HPos::Center, kind);
}

/// A rate that can be carried: `23.7k/s`.
pub(super) fn carried_label(rate: f64) -> String {
    format!("{}/s", count(carried(rate)))
}

/// Any other rate.
pub(super) fn rate_label(rate: f64) -> String {
    format!("{}/s", count(rate))
}

/// `p99 < 100 ms`; where variants have different ones, that each has its own.
pub(super) fn objective(answers: &CapacityReport) -> String {
    let of =
        |arm: u32| format!("{} < {}", percentile(answers.objective(arm).percentile), duration(target(answers, arm)));
    let own = answers.arms().any(|(arm, ..)| answers.objective(arm) != answers.objective(0));
    if own { "that of each variant".to_owned() } else { of(0) }
}

/// The response time of an arm's objective, in nanoseconds.
pub(super) fn target(answers: &CapacityReport, arm: u32) -> f64 {
    answers.objective(arm).latency.as_nanos() as f64
}

/// A trial of an open loop that shows of the server.
pub(super) fn tells(trial: &Trial) -> bool {
    trial.completed > 0 && trial.client_limited.is_none()
}
