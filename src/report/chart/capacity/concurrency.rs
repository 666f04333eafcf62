//! Throughput by number of closed-loop clients, with the law that was fitted and what it leaves over.

use super::series::{label_within, rate_label};
use crate::{
    analysis::{Interval, capacity::Usl},
    report::{
        chart::{
            canvas::{Area, Canvas, Marker, Pen},
            layout::{LABEL, Symbol},
            palette::{AXIS, BLUE, MUTED, ORANGE},
            plot::{Axes, Plot},
            scale::{Scale, Tick},
            units::count,
        },
        format::{plain, significant},
        subject::CapacityReport,
    },
};

const TITLE: &str = "Throughput by number of clients";
const FIT: Pen = Pen { colour: BLUE, width: 2.0, dash: &[] };
const BEYOND_MEASURED: Pen = Pen { colour: BLUE, width: 1.5, dash: &[3.0, 3.0] };
const MEASURED: Marker = Marker::Circle;
const PLOT_HEIGHT: f64 = 240.0;
const RESIDUALS_HEIGHT: f64 = 84.0;
/// Points of the fitted curve.
const STEPS: u32 = 160;

/// `None` without a fitted law.
pub(super) fn plot(answers: &CapacityReport) -> Option<Plot> {
    let usl = answers.analysis.usl.as_ref().filter(|usl| !usl.points.is_empty())?;
    let points: Vec<_> =
        usl.points.iter().map(|(clients, measured, fitted)| (f64::from(*clients), *measured, *fitted)).collect();
    let most = points.iter().map(|(clients, ..)| *clients).fold(1.0, f64::max);
    // Nothing is drawn where nothing is to be believed.
    let peak = usl.seen_peak().map(|peak| peak.point);
    let end = peak.filter(|peak| *peak > most).map_or(most, |peak| (peak * 1.1).min(Usl::REACH * most));
    let curve = |from: f64, to: f64| -> Vec<(f64, f64)> {
        (0..=STEPS)
            .map(|step| from + (to - from) * f64::from(step) / f64::from(STEPS))
            .map(|n| (n, usl.at(n)))
            .collect()
    };
    let (solid, beyond) = (curve(1.0, most), if end > most { curve(most, end) } else { Vec::new() });
    let note = format!(
        "Closed loops, with the Universal Scalability Law fitted: γ {}, α {}, β {}, R² {:.4}.",
        parameter(usl.gamma),
        parameter(usl.alpha),
        parameter(usl.beta),
        usl.r_squared
    );
    let mut entries = vec![
        Symbol::Marker(MEASURED, ORANGE).named("measured, mean of the repetitions"),
        Symbol::Line(FIT, None).named("fitted"),
    ];
    if !beyond.is_empty() {
        entries.push(Symbol::Line(BEYOND_MEASURED, None).named("fitted, beyond what was measured"));
    }
    let mut plot = Plot::new("concurrency", TITLE, &note).legend(entries);
    let area = plot.area(44.0, PLOT_HEIGHT, 14.0);
    let rates = points.iter().flat_map(|(_, measured, fitted)| [*measured, *fitted]);
    let highest = rates.chain(solid.iter().chain(&beyond).map(|(_, rate)| *rate)).fold(0.0, f64::max);
    let axes = Axes::new(area, Scale::amounts(end), Scale::amounts(highest));

    plot.name_above(area, 13.0, "per second");
    let ticks = axes.across.amount_ticks(48.0);
    plot.canvas.columns(area, &ticks);
    plot.canvas.rows(area, &axes.up.amount_ticks(24.0));
    if let Some(peak) = peak {
        let x = axes.across.at(peak);
        plot.canvas.line(&[(x, area.top - 4.0), (x, area.bottom)], Pen::dashed(MUTED, 1.5, &[3.0, 3.0]));
        // Clear of the name of the axis, which stands on the left of the same line.
        let label = format!("highest at {} clients", count(peak));
        let clear = Area { left: area.left + 40.0, ..area };
        label_within(&mut plot.canvas, &label, (x, area.top - 9.0), clear, LABEL);
    }
    plot.canvas.line(&axes.line(&solid), FIT);
    plot.canvas.line(&axes.line(&beyond), BEYOND_MEASURED);
    for (clients, measured, _) in &points {
        plot.canvas.marker(axes.at((*clients, *measured)), MEASURED, 8.0, ORANGE);
    }
    plot.canvas.line(&[(area.left, area.bottom), (area.right, area.bottom)], Pen::solid(AXIS, 1.0));

    let area = plot.area(38.0, RESIDUALS_HEIGHT, 14.0);
    plot.name_above(area, 13.0, "residual, share of the fit");
    plot.canvas.columns(area, &ticks);
    let largest = points.iter().map(|point| residual(*point).abs()).fold(0.0, f64::max);
    draw_residuals(&mut plot.canvas, &points, area, &axes.across, rounded_up(largest));
    plot.base_line(area, &ticks, "clients");

    let measured: Vec<_> =
        points.iter().map(|(clients, measured, _)| format!("{} {}", count(*clients), rate_label(*measured))).collect();
    let highest = match (peak, usl.peak) {
        (Some(peak), _) => format!("highest at about {} clients", count(peak)),
        (None, Some(_)) => "no reliable peak".to_owned(),
        (None, None) => "no peak".to_owned(),
    };
    Some(plot.described(format!(
        "{TITLE}, measured: {}. Largest residual {} % of the fit; {highest}.",
        measured.join(", "),
        plain(&significant(largest * 100.0))
    )))
}

/// Draws residuals as shares of the fit, up to the `largest` on either side of 0.
fn draw_residuals(canvas: &mut Canvas, points: &[(f64, f64, f64)], area: Area, across: &Scale, largest: f64) {
    let height = (area.bottom - area.top) / 2.0;
    let zero = area.top + height;
    let y = |share: f64| zero - (share / largest).clamp(-1.0, 1.0) * height;
    let label = |share: f64| {
        let percent = format!("{:+} %", (share * 1e4).round() / 100.0).replace('-', "−");
        Tick { at: y(share), label: if share.abs() < 1e-12 { "0 %".to_owned() } else { percent } }
    };
    canvas.rows(area, &[-largest, 0.0, largest].map(label));
    canvas.line(&[(area.left, zero), (area.right, zero)], Pen::solid(AXIS, 1.0));
    for point in points {
        let at = (across.at(point.0), y(residual(*point)));
        canvas.line(&[(at.0, zero), at], Pen::solid(ORANGE, 1.5));
        canvas.marker(at, MEASURED, 7.0, ORANGE);
    }
}

fn residual((_, measured, fitted): (f64, f64, f64)) -> f64 {
    if fitted > 0.0 { measured / fitted - 1.0 } else { 0.0 }
}

/// A round share at least as large, and at least a percent.
fn rounded_up(share: f64) -> f64 {
    let steps = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0];
    steps.into_iter().find(|step| *step >= share).unwrap_or(1.0)
}

fn parameter(of: Interval) -> String {
    let ends = of.ends().map(|(low, high)| format!(" [{}, {}]", significant(low), significant(high)));
    plain(&format!("{}{}", significant(of.point), ends.unwrap_or_default()))
}
