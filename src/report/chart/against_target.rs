//! Each operation against the target: where its median, mean and judged percentile lie on a log axis.

use plotters_backend::text_anchor::HPos;

use crate::{analysis::Row, report::subject::RunReport};

use super::{
    bars::{Bar, Bars},
    canvas::{Area, Canvas, Marker, Pen, Type},
    facts::value_at,
    layout::{LABEL, NAME, Symbol, TARGET_LABEL, TARGET_PEN},
    palette::{BEYOND, BLUE, INK, ORANGE},
    plot::Plot,
    scale::Scale,
    units::{duration, factor, percentile},
};

/// Column on the right: the value at the judged percentile and how many times faster the mean is.
const VALUES: f64 = 196.0;
/// Right end of its first part.
const JUDGED: f64 = 96.0;
const MEDIAN: Marker = Marker::Bar;
const MEAN: Marker = Marker::Diamond;
const TAIL: Marker = Marker::Circle;
/// What misses the target differs by shape, too.
const MISSED: Marker = Marker::Square;

pub(super) fn plot(facts: &RunReport) -> Plot {
    let judged = percentile(facts.judged());
    let note = format!("Response time from p50 to {judged}, slowest operation first.{}", Bars::omission(facts));
    let lower = facts.operations().iter().any(|row| {
        facts.judged_value(&row.response).is_none()
            && facts.tail(&row.response).is_some_and(|(percent, _)| percent > 50.0)
    });
    let entries = [
        Some(Symbol::Marker(MEDIAN, BLUE).named("p50")),
        Some(Symbol::Marker(MEAN, INK).named("mean")),
        Some(Symbol::Marker(TAIL, BLUE).named(format!("{judged} within the target"))),
        Some(Symbol::Marker(MISSED, ORANGE).named(format!("{judged} beyond the target"))),
        lower.then(|| Symbol::Ring(TAIL, BLUE).named("highest known percentile")),
    ];
    let title = "Each operation against the target";
    let mut plot = Plot::new("against-target", title, &note).legend(entries.into_iter().flatten());
    let bars = Bars::of_operations(facts, &mut plot, 34.0, VALUES);
    let area = bars.area;
    let values = bars.bars.iter().flat_map(|bar| {
        let response = &bar.row.response;
        let known = facts.tail(response).map(|(_, value)| value);
        [value_at(response, 50.0), response.mean, known].into_iter().flatten()
    });
    let across = Scale::durations(values.chain([facts.target()])).between(area.left + 8.0, area.right - 8.0);

    let canvas = &mut plot.canvas;
    let target = across.at(facts.target());
    canvas.fill(Area { left: target, ..area }, BEYOND);
    let ticks = across.duration_ticks(52.0);
    canvas.columns(area, &ticks);
    bars.draw(canvas);
    canvas.line(&[(target, area.top - 6.0), (target, area.bottom)], TARGET_PEN);
    let label = format!("target {}", duration(facts.target()));
    canvas.text(&label, (target, area.top - 10.0), HPos::Right, TARGET_LABEL);
    canvas.text(&judged, (area.right + JUDGED, area.top - 10.0), HPos::Right, LABEL);
    canvas.text("target / mean", (area.right + VALUES - 2.0, area.top - 10.0), HPos::Right, LABEL);
    for bar in &bars.bars {
        draw_bar(canvas, facts, bar, &across);
    }
    plot.base_line(area, &ticks, "response time");
    plot.described(describe(facts, &bars))
}

fn draw_bar(canvas: &mut Canvas, facts: &RunReport, bar: &Bar<&Row>, across: &Scale) {
    let y = bar.middle();
    let response = &bar.row.response;
    let tail = facts.judged_value(response);
    let known = facts.tail(response);
    let late = tail.is_some_and(|tail| tail > facts.target());
    let colour = if late { ORANGE } else { BLUE };
    let at = |value: f64| (across.at(value), y);
    let median = value_at(response, 50.0);
    if let (Some(median), Some((_, known))) = (median, known) {
        canvas.line(&[at(median), at(known)], Pen::solid(colour, 3.5));
    }
    if let Some(median) = median {
        canvas.marker(at(median), MEDIAN, 9.0, colour);
    }
    match (tail, known) {
        (Some(tail), _) => canvas.marker(at(tail), if late { MISSED } else { TAIL }, 9.5, colour),
        (None, Some((percent, known))) if percent > 50.0 => canvas.hollow_marker(at(known), TAIL, 9.5, colour),
        _ => {}
    }
    if let Some(mean) = response.mean {
        canvas.marker(at(mean), MEAN, 6.5, INK);
    }
    let right = bar.area.right;
    let (value, kind) = match (tail, known) {
        (Some(tail), _) => (duration(tail), Type { bold: late, ..NAME }),
        (None, Some((percent, known))) => (format!("{} {}", percentile(percent), duration(known)), LABEL),
        (None, None) => ("too few".to_owned(), LABEL),
    };
    canvas.text(&value, (right + JUDGED, y + NAME.middle()), HPos::Right, kind);
    if let Some(times) = bar.row.times_faster {
        canvas.text(&format!("{}×", factor(times)), (right + VALUES - 2.0, y + NAME.middle()), HPos::Right, NAME);
    }
}

fn describe(facts: &RunReport, bars: &Bars<&Row>) -> String {
    let sentence = |bar: &Bar<&Row>| {
        let known = facts.tail(&bar.row.response);
        let known = known.map(|(percent, value)| format!("{} {}", percentile(percent), duration(value)));
        let mean = bar.row.response.mean.map(|mean| format!("mean {}", duration(mean)));
        let values: Vec<_> = known.into_iter().chain(mean).collect();
        format!("{}: {}", facts.name(bar.row), values.join(", "))
    };
    let sentences: Vec<_> = bars.bars.iter().map(sentence).collect();
    let listed = if sentences.is_empty() { "Nothing completed".to_owned() } else { sentences.join("; ") };
    format!("Response time of each operation, {}. {listed}.", facts.objective())
}
