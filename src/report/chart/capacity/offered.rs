//! Offered against achieved rate: where what is answered falls behind what is asked.

use super::series::{entries, grid, look, rate_label};
use crate::report::{
    chart::{
        canvas::{Marker, Pen},
        layout::Symbol,
        palette::MUTED,
        plot::{Axes, Plot},
        scale::Scale,
    },
    subject::CapacityReport,
};

const TITLE: &str = "Offered against achieved rate";
const ALL_ANSWERED: Pen = Pen { colour: MUTED, width: 1.5, dash: &[5.0, 3.0] };
const PLOT_HEIGHT: f64 = 290.0;
/// Sizes of marks that lie below others.
const LARGER: usize = 3;

/// `None` where nothing was offered.
pub(super) fn plot(answers: &CapacityReport) -> Option<Plot> {
    // The offered and the achieved rate of a variant, and whether the harness was the limit.
    let of = |index: u32| -> Vec<_> {
        let trials = answers.open(index).into_iter().filter(|(_, trial)| trial.scheduled > 0);
        trials.map(|(offered, trial)| (offered, trial.throughput, trial.client_limited.is_some())).collect()
    };
    let all = answers.arms().map(|(index, arm, _)| (arm.name.as_str(), of(index)));
    let all: Vec<_> = all.filter(|(_, points)| !points.is_empty()).collect();
    if all.is_empty() {
        return None;
    }
    let points = || all.iter().flat_map(|(_, points)| points);
    let note = "One point per trial. On the dashed line all requests due are answered; right of the line a backlog \
                grows.";
    let mut entries = entries(all.iter().map(|(name, _)| *name).filter(|_| all.len() > 1));
    entries.push(Symbol::Line(ALL_ANSWERED, None).named("all answered"));
    if points().any(|(.., limited)| *limited) {
        entries.push(Symbol::Ring(Marker::Circle, MUTED).named("the harness was the limit"));
    }
    let mut plot = Plot::new("offered-achieved", TITLE, note).legend(entries);
    let area = plot.area(32.0, PLOT_HEIGHT, 18.0);
    let most = points().map(|(offered, ..)| *offered).fold(0.0, f64::max);
    let highest = points().map(|(_, achieved, _)| *achieved).fold(0.0, f64::max);
    let axes = Axes::new(area, Scale::amounts(most), Scale::amounts(highest.max(most * 0.5)));

    let ticks = axes.across.amount_ticks(62.0);
    grid(&mut plot, axes, (&ticks, "offered per second"), "achieved per second");
    // As far as both axes reach.
    let end = most.min(axes.up.high());
    plot.canvas.line(&axes.line(&[(0.0, 0.0), (end, end)]), ALL_ANSWERED);
    for (number, (_, points)) in all.iter().enumerate() {
        // Variants that do alike lie on each other: the later, the smaller, so that all are seen.
        let below = (all.len() - 1 - number).min(LARGER) as f64;
        let (pen, marker) = look(number);
        let pen = Pen { width: pen.width + 0.75 * below, ..pen };
        let known = points.iter().filter(|(.., limited)| !limited);
        let known: Vec<_> = known.map(|(offered, achieved, _)| axes.at((*offered, *achieved))).collect();
        plot.canvas.line(&known, pen);
        for (offered, achieved, limited) in points {
            let place = axes.at((*offered, *achieved));
            if *limited {
                plot.canvas.hollow_marker(place, marker, 9.0 + 2.0 * below, pen.colour);
            } else {
                plot.canvas.marker(place, marker, 6.0 + 2.0 * below, pen.colour);
            }
        }
    }
    let sentences = all.iter().map(|(name, points)| {
        let best = points.iter().map(|(_, achieved, _)| *achieved).fold(0.0, f64::max);
        let asked = points.iter().map(|(offered, ..)| *offered).fold(0.0, f64::max);
        let whose = if all.len() > 1 { format!("{name}: ") } else { String::new() };
        format!("{whose}at most {} achieved, {} offered", rate_label(best), rate_label(asked))
    });
    let description = format!("{TITLE}. {}.", sentences.collect::<Vec<_>>().join("; "));
    Some(plot.described(description))
}
