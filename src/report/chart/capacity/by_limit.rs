//! Sustainable rate by limit of response time: how much a stricter limit costs, and how near the cliff is.

use super::series::{carried_label, entries, error_bar, grid, look, rate_label, tells};
use crate::{
    report::{
        chart::{
            canvas::{Marker, Pen},
            layout::Symbol,
            palette::MUTED,
            plot::{Axes, Plot},
            scale::{Scale, Tick},
            units::duration,
        },
        format::{limit as exact, plain},
        subject::CapacityReport,
    },
    results::LIMITS,
};

const TITLE: &str = "Sustainable rate by limit of response time";
const PLOT_HEIGHT: f64 = 270.0;
/// Series that lie on each other are set apart by this much.
const APART: f64 = 5.0;

/// A limit in nanoseconds, the highest rate that met it, and the lowest that did not.
type Bracket = (u64, Option<f64>, Option<f64>);

/// `None` where no limit is known to be met.
pub(super) fn plot(answers: &CapacityReport) -> Option<Plot> {
    let arms: Vec<_> =
        answers.arms().filter(|(_, _, answer)| answer.by_limit.iter().any(|(_, met, _)| met.is_some())).collect();
    if arms.is_empty() || !answers.capacity.trials.iter().any(tells) {
        return None;
    }
    let share = plain(&exact(answers.scenario.objective.percentile / 100.0));
    let note = format!(
        "Highest rate at which {share} of requests were answered within the limit. Bars end at the lowest rate at \
         which they were not."
    );
    let brackets = || arms.iter().flat_map(|(_, _, answer)| &answer.by_limit);
    let mut entries = entries(arms.iter().map(|(_, arm, _)| arm.name.as_str()).filter(|_| arms.len() > 1));
    if brackets().any(only_missed) {
        entries.push(Symbol::Ring(Marker::Down, MUTED).named("missed at the lowest rate tried"));
    }
    let mut plot = Plot::new("sustainable-by-limit", TITLE, &note).legend(entries);
    let rates = brackets().flat_map(|(_, met, missed)| [*met, *missed]).flatten();
    let (across, up) = (Scale::durations(LIMITS.map(|limit| limit as f64)), Scale::amounts(rates.fold(0.0, f64::max)));
    let axes = Axes::new(plot.area(32.0, PLOT_HEIGHT, 30.0), across, up);

    let ticks = LIMITS.map(|limit| Tick { at: axes.across.at(limit as f64), label: duration(limit as f64) });
    grid(&mut plot, axes, (&ticks, "limit of response time"), "per second");
    let middle = (arms.len().saturating_sub(1)) as f64 / 2.0;
    let apart = APART.min(40.0 / arms.len() as f64);
    for (number, (_, _, answer)) in arms.iter().enumerate() {
        let (pen, marker) = look(number);
        let x = |limit: u64| axes.across.at(limit as f64) + (number as f64 - middle) * apart;
        let met: Vec<_> =
            answer.by_limit.iter().filter_map(|(limit, met, _)| Some((x(*limit), axes.up.at((*met)?)))).collect();
        plot.canvas.line(&met, pen);
        for (limit, met, missed) in &answer.by_limit {
            let Some(missed) = missed.map(|missed| axes.up.at(missed)) else { continue };
            match met.map(|met| axes.up.at(met)) {
                Some(met) => {
                    let thin = Pen { dash: &[], width: 1.25, ..pen };
                    error_bar(&mut plot.canvas, (x(*limit), 3.5), (met, missed), thin);
                }
                None => plot.canvas.hollow_marker((x(*limit), missed), Marker::Down, 9.0, pen.colour),
            }
        }
        for at in met {
            plot.canvas.marker(at, marker, 7.5, pen.colour);
        }
    }
    let sentences = arms.iter().map(|(_, arm, answer)| {
        let each: Vec<_> = answer.by_limit.iter().filter_map(said).collect();
        if arms.len() > 1 { format!("{}: {}", arm.name, each.join(", ")) } else { each.join(", ") }
    });
    let description = format!("{TITLE}. {}.", sentences.collect::<Vec<_>>().join("; "));
    Some(plot.described(description))
}

fn only_missed((_, met, missed): &Bracket) -> bool {
    met.is_none() && missed.is_some()
}

fn said((limit, met, missed): &Bracket) -> Option<String> {
    let limit = duration(*limit as f64);
    match (met, missed) {
        (Some(met), Some(_)) => Some(format!("{limit} {}", carried_label(*met))),
        (Some(met), None) => Some(format!("{limit} at least {}", carried_label(*met))),
        (None, Some(missed)) => Some(format!("{limit} less than {}", rate_label(*missed))),
        (None, None) => None,
    }
}
