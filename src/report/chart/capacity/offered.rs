//! Offered against achieved rate: where what is answered falls behind what is asked.

use super::{grid, legend, look, rate_label};
use crate::report::{
    capacity::Answers,
    chart::{
        Caption, Figure,
        canvas::{Area, Canvas, Marker, Pen},
        layout::{AXIS_HEIGHT, Heading, LABELS, Legend, MARGIN, Symbol, WIDTH},
        lettering::Fonts,
        palette::MUTED,
        scale::Scale,
    },
};

const TITLE: &str = "Offered against achieved rate";
const ALL_ANSWERED: Pen = Pen { colour: MUTED, width: 1.5, dash: &[5.0, 3.0] };
const PLOT_HEIGHT: f64 = 290.0;
/// Sizes of marks that lie below others.
const LARGER: usize = 3;

pub(super) struct OfferedAchieved {
    heading: Heading,
    legend: Legend,
    /// Per variant the offered and the achieved rate, and whether the harness was the limit.
    series: Vec<Vec<(f64, f64, bool)>>,
    most: f64,
    plot: Area,
    across: Scale,
    up: Scale,
    description: String,
}

impl OfferedAchieved {
    /// `None` where nothing was offered.
    pub(super) fn new(answers: &Answers<'_>, fonts: &Fonts) -> Option<Self> {
        let of = |index: u32| -> Vec<_> {
            let trials = answers.open(index).into_iter().filter(|(_, trial)| trial.scheduled > 0);
            trials.map(|(offered, trial)| (offered, trial.throughput, trial.client_limited.is_some())).collect()
        };
        let all = answers.arms().map(|(index, arm, _)| (arm.name.as_str(), of(index)));
        let (names, series): (Vec<_>, Vec<_>) = all.filter(|(_, points)| !points.is_empty()).unzip();
        let most = series.iter().flatten().map(|(offered, ..)| *offered).fold(0.0, f64::max);
        if series.is_empty() {
            return None;
        }
        let heading = Heading::new(
            TITLE,
            "Each trial. On the dashed line everything that falls due is answered; right of it a backlog grows.",
            fonts,
        );
        let mut more = vec![(Symbol::Line(ALL_ANSWERED, None), "all is answered".to_owned())];
        if series.iter().flatten().any(|(.., limited)| *limited) {
            more.push((Symbol::Ring(Marker::Circle, MUTED), "the harness was the limit".to_owned()));
        }
        let legend = legend(if names.len() > 1 { &names } else { &[] }, more, fonts);
        let top = heading.bottom() + legend.height() + 32.0;
        let plot = Area { left: MARGIN + LABELS, top, right: WIDTH - MARGIN - 18.0, bottom: top + PLOT_HEIGHT };
        let highest = series.iter().flatten().map(|(_, achieved, _)| *achieved).fold(0.0, f64::max);
        let sentences = names.iter().zip(&series).map(|(name, points)| {
            let best = points.iter().map(|(_, achieved, _)| *achieved).fold(0.0, f64::max);
            let asked = points.iter().map(|(offered, ..)| *offered).fold(0.0, f64::max);
            let whose = if names.len() > 1 { format!("{name}: ") } else { String::new() };
            format!("{whose}at most {} achieved, {} offered", rate_label(best), rate_label(asked))
        });
        let description = format!("{TITLE}. {}.", sentences.collect::<Vec<_>>().join("; "));
        Some(Self {
            heading,
            legend,
            most,
            plot,
            across: Scale::amounts(most, plot.left, plot.right),
            up: Scale::amounts(highest.max(most * 0.5), plot.bottom, plot.top),
            description,
            series,
        })
    }
}

impl Figure for OfferedAchieved {
    fn caption(&self) -> Caption {
        Caption {
            name: "offered-achieved",
            title: TITLE.to_owned(),
            description: self.description.clone(),
            height: self.plot.bottom + AXIS_HEIGHT + MARGIN,
        }
    }

    fn draw(&self, canvas: &mut Canvas<'_>) {
        self.heading.draw(canvas);
        self.legend.draw(canvas, (MARGIN, self.heading.bottom()));
        let ticks = self.across.amount_ticks(62.0);
        grid(canvas, self.plot, (&ticks, "offered per second"), (&self.up, "achieved per second"));
        // As far as both axes reach.
        let end = self.most.min(self.up.high());
        let at = |offered: f64, achieved: f64| (self.across.at(offered), self.up.at(achieved));
        canvas.line(&[at(0.0, 0.0), at(end, end)], ALL_ANSWERED);
        for (number, series) in self.series.iter().enumerate() {
            // Variants that do alike lie on each other: the later, the smaller, so that all are seen.
            let below = (self.series.len() - 1 - number).min(LARGER) as f64;
            let (pen, marker) = look(number);
            let pen = Pen { width: pen.width + 0.75 * below, ..pen };
            let known = series.iter().filter(|(.., limited)| !limited);
            canvas.line(&known.map(|(offered, achieved, _)| at(*offered, *achieved)).collect::<Vec<_>>(), pen);
            for (offered, achieved, limited) in series {
                let place = at(*offered, *achieved);
                if *limited {
                    canvas.hollow_marker(place, marker, 9.0 + 2.0 * below, pen.colour);
                } else {
                    canvas.marker(place, marker, 6.0 + 2.0 * below, pen.colour);
                }
            }
        }
    }
}
