//! Sustainable rate by limit of response time: how much a stricter limit costs, and how near the cliff is.

use super::{carried_label, error_bar, grid, legend, look, rate_label, tells};
use crate::{
    report::{
        capacity::Answers,
        chart::{
            Caption, Figure,
            canvas::{Area, Canvas, Marker, Pen},
            layout::{AXIS_HEIGHT, Heading, LABELS, Legend, MARGIN, Symbol, WIDTH},
            lettering::Fonts,
            palette::MUTED,
            scale::{Scale, Tick},
            units::duration,
        },
        format::{limit as exact, plain},
    },
    results::LIMITS,
};

const TITLE: &str = "Sustainable rate by limit of response time";
const PLOT_HEIGHT: f64 = 270.0;
/// Series that lie on each other are set apart by so much.
const APART: f64 = 5.0;

/// A limit in nanoseconds, the highest rate that met it, and the lowest that did not.
type Bracket = (u64, Option<f64>, Option<f64>);

pub(super) struct ByLimit {
    heading: Heading,
    legend: Legend,
    series: Vec<Vec<Bracket>>,
    plot: Area,
    across: Scale,
    up: Scale,
    description: String,
}

impl ByLimit {
    /// `None` where no limit is known to be met.
    pub(super) fn new(answers: &Answers<'_>, fonts: &Fonts) -> Option<Self> {
        let arms: Vec<_> =
            answers.arms().filter(|(_, _, answer)| answer.by_limit.iter().any(|(_, met, _)| met.is_some())).collect();
        if arms.is_empty() || !answers.capacity.trials.iter().any(tells) {
            return None;
        }
        let names: Vec<_> = arms.iter().map(|(_, arm, _)| arm.name.as_str()).collect();
        let share = plain(&exact(answers.scenario.objective.percentile / 100.0));
        let subtitle = format!(
            "The highest rate at which {share} of requests were answered within the limit. Bars reach up to the lowest rate at \
             which they were not."
        );
        let heading = Heading::new(TITLE, &subtitle, fonts);
        let series: Vec<_> = arms.iter().map(|(_, _, answer)| answer.by_limit.clone()).collect();
        let more = if series.iter().flatten().any(only_missed) {
            vec![(Symbol::Ring(Marker::Down, MUTED), "missed at the lowest rate tried".to_owned())]
        } else {
            Vec::new()
        };
        let entries = if names.len() > 1 { names.as_slice() } else { &[] };
        let legend = legend(entries, more, fonts);
        let top = heading.bottom() + legend.height() + 32.0;
        let plot = Area { left: MARGIN + LABELS, top, right: WIDTH - MARGIN - 30.0, bottom: top + PLOT_HEIGHT };
        let rates = series.iter().flatten().flat_map(|(_, met, missed)| [*met, *missed]).flatten();
        let up = Scale::amounts(rates.fold(0.0, f64::max), plot.bottom, plot.top);
        let across = Scale::durations(LIMITS.map(|limit| limit as f64), plot.left, plot.right);
        let sentences = arms.iter().map(|(_, arm, answer)| {
            let each: Vec<_> = answer.by_limit.iter().filter_map(said).collect();
            if arms.len() > 1 { format!("{}: {}", arm.name, each.join(", ")) } else { each.join(", ") }
        });
        let description = format!("{TITLE}. {}.", sentences.collect::<Vec<_>>().join("; "));
        Some(Self { heading, legend, series, plot, across, up, description })
    }
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

impl Figure for ByLimit {
    fn caption(&self) -> Caption {
        Caption {
            name: "sustainable-by-limit",
            title: TITLE.to_owned(),
            description: self.description.clone(),
            height: self.plot.bottom + AXIS_HEIGHT + MARGIN,
        }
    }

    fn draw(&self, canvas: &mut Canvas<'_>) {
        self.heading.draw(canvas);
        self.legend.draw(canvas, (MARGIN, self.heading.bottom()));
        let ticks = LIMITS.map(|limit| Tick { at: self.across.at(limit as f64), label: duration(limit as f64) });
        grid(canvas, self.plot, (&ticks, "limit of response time"), (&self.up, "per second"));
        let middle = (self.series.len().saturating_sub(1)) as f64 / 2.0;
        let apart = APART.min(40.0 / self.series.len() as f64);
        for (number, series) in self.series.iter().enumerate() {
            let (pen, marker) = look(number);
            let x = |limit: u64| self.across.at(limit as f64) + (number as f64 - middle) * apart;
            let met: Vec<_> =
                series.iter().filter_map(|(limit, met, _)| Some((x(*limit), self.up.at((*met)?)))).collect();
            canvas.line(&met, pen);
            for (limit, met, missed) in series {
                let Some(missed) = missed.map(|missed| self.up.at(missed)) else { continue };
                match met.map(|met| self.up.at(met)) {
                    Some(met) => {
                        let thin = Pen { dash: &[], width: 1.25, ..pen };
                        error_bar(canvas, x(*limit), (met, missed), thin);
                    }
                    None => canvas.hollow_marker((x(*limit), missed), Marker::Down, 9.0, pen.colour),
                }
            }
            for at in met {
                canvas.marker(at, marker, 7.5, pen.colour);
            }
        }
    }
}
