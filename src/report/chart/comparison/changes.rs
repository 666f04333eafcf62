//! How p50, p99 and throughput changed, row by row, each with its interval.

use plotters_backend::text_anchor::HPos;

use crate::{
    analysis::baseline::{Quantity, QuantityChange, RowChange},
    report::{
        chart::{
            bars::{Bar, Bars, Named},
            canvas::{Area, Canvas, Marker, Pen},
            layout::{LABEL, NAME, Symbol},
            palette::{AXIS, BEYOND, BLUE, Colour, GREEN, ORANGE, TARGET},
            plot::Plot,
            scale::Tick,
        },
        format::signed,
        subject::ComparisonReport,
    },
    results::Verdict,
};

const TITLE: &str = "Changes";
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

/// `None` where nothing was compared.
pub(super) fn plot(compared: &ComparisonReport) -> Option<Plot> {
    let comparison = &compared.comparison;
    let mut rows: Vec<Named<&RowChange>> = Vec::new();
    let known = comparison.rows.iter().filter(|row| row.quantities.iter().any(|change| change.effect.is_some()));
    for row in known.rev().filter(|row| row.is_whole()).chain(comparison.rows.iter().filter(|row| !row.is_whole())) {
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
    // The ratio of what is answered no more is beyond any scale.
    let size = |ratio: f64| if ratio > 0.0 { ratio.ln().abs() } else { 0.0 };
    let bounds = |change: &QuantityChange| {
        let ends = change.effect.and_then(|effect| effect.ratio.ends());
        let ends = ends.map_or(0.0, |(low, high)| size(low).max(size(high)));
        change.ratio().map_or(0.0, size).max(ends)
    };
    let widest = rows.iter().flat_map(|(row, ..)| &row.quantities).map(bounds).fold(0.0, f64::max);
    let few = if left_out > 0 { format!(" Without the last {left_out} rows.") } else { String::new() };
    let note = format!(
        "{} over {}, with 95 % intervals. Right: increase; shaded: beyond the threshold.{few}",
        compared.run.name, compared.against
    );
    let mut plot = Plot::new("changes", TITLE, &note)
        .legend(LOOKS.map(|(name, colour, marker, _)| Symbol::Marker(marker, colour).named(name)));
    let described: Vec<_> = rows.iter().map(|(row, name, _)| describe(row, name)).collect();
    let bars = Bars::new(rows, &mut plot, 26.0, VALUES);
    let area = bars.area;
    let across = Ratios { area, reach: (widest * 1.08).clamp(0.105, 2.35) };

    let canvas = &mut plot.canvas;
    let threshold = 1.0 + comparison.threshold;
    if threshold.ln() < across.reach {
        canvas.fill(Area { right: across.at(1.0 / threshold), ..area }, BEYOND);
        canvas.fill(Area { left: across.at(threshold), ..area }, BEYOND);
    }
    let ticks = across.ticks();
    canvas.columns(area, &ticks);
    bars.draw(canvas);
    let middle = across.at(1.0);
    canvas.line(&[(middle, area.top), (middle, area.bottom)], Pen::solid(AXIS, 1.5));
    canvas.text("p50", (area.right + 60.0, area.top - 9.0), HPos::Right, LABEL);
    canvas.text("p99", (area.right + VALUES - 4.0, area.top - 9.0), HPos::Right, LABEL);
    for bar in &bars.bars {
        draw_bar(canvas, bar, &across);
    }
    plot.base_line(area, &ticks, "change");
    let description = format!("{TITLE}: {} over {}. {}.", compared.run.name, compared.against, described.join("; "));
    Some(plot.described(description))
}

fn draw_bar(canvas: &mut Canvas, bar: &Bar<&RowChange>, across: &Ratios) {
    for (change, (_, colour, marker, shift)) in bar.row.quantities.iter().zip(LOOKS) {
        let y = bar.middle() + shift;
        if let Some((low, high)) = change.effect.and_then(|effect| effect.ratio.ends()) {
            canvas.line(&[(across.at(low), y), (across.at(high), y)], Pen::solid(colour, 1.5));
        }
        if let Some(ratio) = change.ratio() {
            canvas.marker((across.at(ratio), y), marker, 6.0, colour);
        }
        let column = match change.quantity {
            Quantity::P50 => 60.0,
            Quantity::P99 => VALUES - 4.0,
            Quantity::Throughput => continue,
        };
        let mut kind = NAME;
        if change.verdict == Some(Verdict::Fail) {
            (kind.bold, kind.colour) = (true, TARGET);
        }
        let text = change.ratio().map_or_else(|| "–".to_owned(), percent);
        canvas.text(&text, (bar.area.right + column, bar.middle() + NAME.middle()), HPos::Right, kind);
    }
}

/// A log axis of ratios with 1 in the middle.
struct Ratios {
    area: Area,
    /// Largest logarithm on either side.
    reach: f64,
}

impl Ratios {
    fn at(&self, ratio: f64) -> f64 {
        let share = (ratio.max(f64::MIN_POSITIVE).ln() / self.reach).clamp(-1.0, 1.0);
        f64::midpoint(self.area.left, self.area.right) + share * (self.area.width() / 2.0 - 10.0)
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
    let parts = row.quantities.iter().zip(LOOKS).filter_map(|(change, (quantity, ..))| {
        let ratio = change.ratio()?;
        Some(format!("{quantity} {}", percent(ratio)))
    });
    format!("{name}: {}", parts.collect::<Vec<_>>().join(", "))
}

fn percent(ratio: f64) -> String {
    format!("{} %", signed(ratio))
}
