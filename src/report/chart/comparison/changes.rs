//! How p50, p99 and throughput changed, row by row, each with its interval.

use plotters_backend::text_anchor::HPos;

use crate::{
    analysis::baseline::{Quantity, QuantityChange, RowChange, Standing},
    report::{
        chart::{
            Caption, Figure,
            bars::{Bars, Named},
            canvas::{Area, Canvas, Marker, Pen},
            layout::{AXIS_HEIGHT, Heading, LABEL, Legend, MARGIN, NAME, Symbol, WIDTH, base_line, columns},
            lettering::Fonts,
            palette::{AXIS, BEYOND, BLUE, Colour, GREEN, ORANGE, TARGET},
            scale::Tick,
        },
        comparison::Compared,
        format::signed,
    },
};

const TITLE: &str = "What has changed";
/// Rows that are drawn; more would be too small to read.
const MOST: usize = 24;
/// Space for the numbers behind the rows.
const VALUES: f64 = 132.0;
/// Ratios that a tick may stand at.
const TICKS: [(f64, &str); 17] = [
    (0.1, "÷10"),
    (0.25, "÷4"),
    (0.5, "÷2"),
    (1.0 / 1.5, "−33 %"),
    (0.8, "−20 %"),
    (0.9, "−10 %"),
    (0.95, "−5 %"),
    (0.98, "−2 %"),
    (1.0, "0"),
    (1.02, "+2 %"),
    (1.05, "+5 %"),
    (1.1, "+10 %"),
    (1.25, "+25 %"),
    (1.5, "+50 %"),
    (2.0, "×2"),
    (4.0, "×4"),
    (10.0, "×10"),
];
/// Name, colour and marker, and how far from the middle of its row it lies.
const LOOKS: [(&str, Colour, Marker, f64); 3] = [
    ("p50", BLUE, Marker::Circle, -7.5),
    ("p99", ORANGE, Marker::Square, 0.0),
    ("throughput", GREEN, Marker::Diamond, 7.5),
];

pub(super) struct Changes<'a> {
    heading: Heading,
    legend: Legend,
    bars: Bars<&'a RowChange>,
    /// Largest logarithm of a ratio that is drawn, on either side.
    reach: f64,
    threshold: f64,
    description: String,
}

impl<'a> Changes<'a> {
    /// `None` where nothing was compared.
    pub(super) fn new(compared: &Compared<'a>, fonts: &Fonts) -> Option<Self> {
        let comparison = compared.comparison;
        let mut rows: Vec<Named<&RowChange>> = Vec::new();
        let known = comparison.rows.iter().filter(|row| row.quantities.iter().any(|change| change.ratio.is_some()));
        for row in known.rev().filter(|row| row.is_whole()).chain(comparison.rows.iter().filter(|row| !row.is_whole()))
        {
            let name = match (&row.service, &row.operation) {
                (Some(service), Some(operation)) => format!("{service} {operation}"),
                (Some(service), None) => format!("{service}, all"),
                (None, _) => "all services".to_owned(),
            };
            rows.push((row, name, row.is_whole()));
        }
        if rows.is_empty() {
            return None;
        }
        let left_out = rows.len().saturating_sub(MOST);
        rows.truncate(MOST);
        // What is answered no more has fallen farther than any scale reaches.
        let size = |ratio: f64| if ratio > 0.0 { ratio.ln().abs() } else { 0.0 };
        let bounds = |change: &QuantityChange| {
            let interval = change.interval.map_or(0.0, |(low, high)| size(low).max(size(high)));
            change.ratio.map_or(0.0, size).max(interval)
        };
        let widest = rows.iter().flat_map(|(row, ..)| &row.quantities).map(bounds).fold(0.0, f64::max);
        let reach = (widest * 1.08).clamp(0.105, 2.35);
        let few = if left_out > 0 { format!(" Without the last {left_out} rows.") } else { String::new() };
        let subtitle = format!(
            "{} over {}, with 95 % intervals. To the right is more; shaded: beyond the threshold.{few}",
            compared.run.name, compared.against
        );
        let heading = Heading::new(TITLE, &subtitle, fonts);
        let entries = LOOKS.map(|(name, colour, marker, _)| (Symbol::Marker(marker, colour), name.to_owned())).to_vec();
        let legend = Legend::new(entries, WIDTH - 2.0 * MARGIN, fonts);
        let top = heading.bottom() + legend.height() + 26.0;
        let described: Vec<_> = rows.iter().map(|(row, name, _)| describe(row, name)).collect();
        let description =
            format!("{TITLE}: {} over {}. {}.", compared.run.name, compared.against, described.join("; "));
        let bars = Bars::of(rows, top, WIDTH - MARGIN - VALUES, fonts);
        Some(Self { heading, legend, bars, reach, threshold: comparison.threshold, description })
    }

    fn at(&self, ratio: f64) -> f64 {
        let area = self.bars.area;
        let share = (ratio.max(f64::MIN_POSITIVE).ln() / self.reach).clamp(-1.0, 1.0);
        f64::midpoint(area.left, area.right) + share * (area.width() / 2.0 - 10.0)
    }

    fn ticks(&self) -> Vec<Tick> {
        let mut ticks: Vec<Tick> = vec![Tick { at: self.at(1.0), label: "0".to_owned() }];
        let within = |ratio: f64| ratio.ln().abs() <= self.reach;
        // The farthest first: what lies between them where there is room.
        let mut candidates: Vec<_> =
            TICKS.into_iter().filter(|(ratio, _)| within(*ratio) && (ratio - 1.0).abs() > 1e-9).collect();
        candidates.sort_by(|a, b| b.0.ln().abs().total_cmp(&a.0.ln().abs()));
        for (ratio, label) in candidates {
            let at = self.at(ratio);
            if ticks.iter().all(|tick| (tick.at - at).abs() > 50.0) {
                ticks.push(Tick { at, label: label.to_owned() });
            }
        }
        ticks.sort_by(|a, b| a.at.total_cmp(&b.at));
        ticks
    }
}

fn describe(row: &RowChange, name: &str) -> String {
    let told = row.quantities.iter().zip(LOOKS).filter_map(|(change, (quantity, ..))| {
        let ratio = change.ratio?;
        Some(format!("{quantity} {}", percent(ratio)))
    });
    format!("{name}: {}", told.collect::<Vec<_>>().join(", "))
}

fn percent(ratio: f64) -> String {
    format!("{} %", signed(ratio))
}

impl Figure for Changes<'_> {
    fn caption(&self) -> Caption {
        Caption {
            name: "changes",
            title: TITLE.to_owned(),
            description: self.description.clone(),
            height: self.bars.area.bottom + AXIS_HEIGHT + MARGIN,
        }
    }

    fn draw(&self, canvas: &mut Canvas<'_>) {
        let area = self.bars.area;
        self.heading.draw(canvas);
        self.legend.draw(canvas, (MARGIN, self.heading.bottom()));
        let (low, high) = (self.at(1.0 / (1.0 + self.threshold)), self.at(1.0 + self.threshold));
        if (1.0 + self.threshold).ln() < self.reach {
            canvas.fill(Area { right: low, ..area }, BEYOND);
            canvas.fill(Area { left: high, ..area }, BEYOND);
        }
        let ticks = self.ticks();
        columns(canvas, area, &ticks);
        self.bars.draw(canvas);
        let middle = self.at(1.0);
        canvas.line(&[(middle, area.top), (middle, area.bottom)], Pen::solid(AXIS, 1.5));
        canvas.text("p50", (area.right + 60.0, area.top - 9.0), HPos::Right, LABEL);
        canvas.text("p99", (area.right + VALUES - 4.0, area.top - 9.0), HPos::Right, LABEL);
        for bar in &self.bars.bars {
            for (change, (_, colour, marker, shift)) in bar.row.quantities.iter().zip(LOOKS) {
                let y = bar.middle() + shift;
                if let Some((low, high)) = change.interval {
                    canvas.line(&[(self.at(low), y), (self.at(high), y)], Pen::solid(colour, 1.5));
                }
                if let Some(ratio) = change.ratio {
                    canvas.marker((self.at(ratio), y), marker, 6.0, colour);
                }
                let column = match change.quantity {
                    Quantity::P50 => 60.0,
                    Quantity::P99 => VALUES - 4.0,
                    Quantity::Throughput => continue,
                };
                let mut kind = NAME;
                if change.standing == Some(Standing::Regression) {
                    (kind.bold, kind.colour) = (true, TARGET);
                }
                let text = change.ratio.map_or_else(|| "–".to_owned(), percent);
                canvas.text(&text, (area.right + column, bar.middle() + NAME.middle()), HPos::Right, kind);
            }
        }
        base_line(canvas, area, &ticks, "change");
    }
}
