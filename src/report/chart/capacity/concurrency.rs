//! Throughput by number of closed-loop clients, with the law that was fitted and what it leaves over.

use plotters_backend::text_anchor::HPos;

use super::{label_within, rate_label};
use crate::{
    analysis::capacity::Usl,
    report::{
        capacity::Answers,
        chart::{
            Caption, Figure,
            canvas::{Area, Canvas, Marker, Pen},
            layout::{AXIS_HEIGHT, Heading, LABEL, LABELS, Legend, MARGIN, Symbol, WIDTH, base_line, columns, rows},
            lettering::Fonts,
            palette::{AXIS, BLUE, MUTED, ORANGE},
            scale::{Scale, Tick},
            units::count,
        },
        format::{plain, significant},
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

pub(super) struct Concurrency<'a> {
    heading: Heading,
    legend: Legend,
    points: Vec<(f64, f64, f64)>,
    curve: Vec<(f64, f64)>,
    beyond: Vec<(f64, f64)>,
    peak: Option<f64>,
    plot: Area,
    residuals: Area,
    across: Scale,
    up: Scale,
    /// Largest residual, as a share of the fit, rounded up.
    largest: f64,
    description: String,
    fonts: &'a Fonts,
}

impl<'a> Concurrency<'a> {
    /// `None` without a fitted law.
    pub(super) fn new(answers: &Answers<'_>, fonts: &'a Fonts) -> Option<Self> {
        let usl = answers.analysis.usl.as_ref().filter(|usl| !usl.points.is_empty())?;
        let points: Vec<_> =
            usl.points.iter().map(|(clients, measured, fitted)| (f64::from(*clients), *measured, *fitted)).collect();
        let most = points.iter().map(|(clients, ..)| *clients).fold(1.0, f64::max);
        // Nothing is drawn where nothing is to be believed.
        let peak = usl.seen_peak().map(|(peak, ..)| peak);
        let end = peak.filter(|peak| *peak > most).map_or(most, |peak| (peak * 1.1).min(Usl::REACH * most));
        let curve = |from: f64, to: f64| -> Vec<(f64, f64)> {
            (0..=STEPS)
                .map(|step| from + (to - from) * f64::from(step) / f64::from(STEPS))
                .map(|n| (n, usl.at(n)))
                .collect()
        };
        let (solid, beyond) = (curve(1.0, most), if end > most { curve(most, end) } else { Vec::new() });
        let subtitle = format!(
            "Closed loops, with the Universal Scalability Law fitted: γ {}, α {}, β {}, R² {:.4}.",
            parameter(usl.gamma),
            parameter(usl.alpha),
            parameter(usl.beta),
            usl.r_squared
        );
        let heading = Heading::new(TITLE, &subtitle, fonts);
        let mut entries = vec![
            (Symbol::Marker(MEASURED, ORANGE), "measured, mean of the repetitions".to_owned()),
            (Symbol::Line(FIT, None), "fitted".to_owned()),
        ];
        if !beyond.is_empty() {
            entries.push((Symbol::Line(BEYOND_MEASURED, None), "fitted, beyond what was measured".to_owned()));
        }
        let legend = Legend::new(entries, WIDTH - 2.0 * MARGIN, fonts);
        let top = heading.bottom() + legend.height() + 44.0;
        let plot = Area { left: MARGIN + LABELS, top, right: WIDTH - MARGIN - 14.0, bottom: top + PLOT_HEIGHT };
        let residuals = Area { top: plot.bottom + 38.0, bottom: plot.bottom + 38.0 + RESIDUALS_HEIGHT, ..plot };
        let rates = points.iter().flat_map(|(_, measured, fitted)| [*measured, *fitted]);
        let highest = rates.chain(solid.iter().chain(&beyond).map(|(_, rate)| *rate)).fold(0.0, f64::max);
        let largest = points.iter().map(|point| residual(*point).abs()).fold(0.0, f64::max);
        let measured: Vec<_> = points
            .iter()
            .map(|(clients, measured, _)| format!("{} {}", count(*clients), rate_label(*measured)))
            .collect();
        let told = match (peak, usl.peak) {
            (Some(peak), _) => format!("highest at about {} clients", count(peak)),
            (None, Some(_)) => "no peak within what can be believed".to_owned(),
            (None, None) => "no peak".to_owned(),
        };
        Some(Self {
            heading,
            legend,
            curve: solid,
            beyond,
            peak,
            plot,
            residuals,
            across: Scale::amounts(end, plot.left, plot.right),
            up: Scale::amounts(highest, plot.bottom, plot.top),
            largest: rounded_up(largest),
            description: format!(
                "{TITLE}, measured: {}. Largest residual {} % of the fit; {told}.",
                measured.join(", "),
                plain(&significant(largest * 100.0))
            ),
            points,
            fonts,
        })
    }

    fn draw_residuals(&self, canvas: &mut Canvas<'_>, ticks: &[Tick]) {
        let area = self.residuals;
        let height = (area.bottom - area.top) / 2.0;
        let zero = area.top + height;
        let y = |share: f64| zero - (share / self.largest).clamp(-1.0, 1.0) * height;
        canvas.text("residual, share of the fit", (MARGIN, area.top - 13.0), HPos::Left, LABEL);
        columns(canvas, area, ticks);
        let label = |share: f64| {
            let percent = format!("{:+} %", (share * 1e4).round() / 100.0).replace('-', "−");
            Tick { at: y(share), label: if share.abs() < 1e-12 { "0 %".to_owned() } else { percent } }
        };
        rows(canvas, area, &[-self.largest, 0.0, self.largest].map(label));
        canvas.line(&[(area.left, zero), (area.right, zero)], Pen::solid(AXIS, 1.0));
        for point in &self.points {
            let at = (self.across.at(point.0), y(residual(*point)));
            canvas.line(&[(at.0, zero), at], Pen::solid(ORANGE, 1.5));
            canvas.marker(at, MEASURED, 7.0, ORANGE);
        }
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

fn parameter((value, low, high): (f64, f64, f64)) -> String {
    plain(&format!("{} [{}, {}]", significant(value), significant(low), significant(high)))
}

impl Figure for Concurrency<'_> {
    fn caption(&self) -> Caption {
        Caption {
            name: "concurrency",
            title: TITLE.to_owned(),
            description: self.description.clone(),
            height: self.residuals.bottom + AXIS_HEIGHT + MARGIN,
        }
    }

    fn draw(&self, canvas: &mut Canvas<'_>) {
        self.heading.draw(canvas);
        self.legend.draw(canvas, (MARGIN, self.heading.bottom()));
        canvas.text("per second", (MARGIN, self.plot.top - 13.0), HPos::Left, LABEL);
        let ticks = self.across.amount_ticks(48.0);
        columns(canvas, self.plot, &ticks);
        rows(canvas, self.plot, &self.up.amount_ticks(24.0));
        if let Some(peak) = self.peak {
            let x = self.across.at(peak);
            canvas.line(&[(x, self.plot.top - 4.0), (x, self.plot.bottom)], Pen::dashed(MUTED, 1.5, &[3.0, 3.0]));
            // Clear of the name of the axis, which stands on the left of the same line.
            let label = format!("highest at {} clients", count(peak));
            label_within(
                canvas,
                &label,
                (x, self.plot.top - 9.0),
                Area { left: self.plot.left + 40.0, ..self.plot },
                LABEL,
                self.fonts,
            );
        }
        let at = |(n, rate): &(f64, f64)| (self.across.at(*n), self.up.at(*rate));
        canvas.line(&self.curve.iter().map(at).collect::<Vec<_>>(), FIT);
        canvas.line(&self.beyond.iter().map(at).collect::<Vec<_>>(), BEYOND_MEASURED);
        for (clients, measured, _) in &self.points {
            canvas.marker(at(&(*clients, *measured)), MEASURED, 8.0, ORANGE);
        }
        canvas.line(&[(self.plot.left, self.plot.bottom), (self.plot.right, self.plot.bottom)], Pen::solid(AXIS, 1.0));
        self.draw_residuals(canvas, &ticks);
        base_line(canvas, self.residuals, &ticks, "clients");
    }
}
