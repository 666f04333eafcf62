//! Response time split into wait and service time. Percentiles do not add up, means do: so bars stack the means, and
//! the percentiles stand beside them as dots of their own.

use plotters_backend::text_anchor::HPos;

use crate::{analysis::Row, report::subject::RunReport};

use super::{
    bars::{Bar, Bars},
    canvas::{Area, Canvas, Marker, Pen},
    layout::{LABEL, Symbol},
    palette::{BLUE, CONTEXT, Colour, INK, MUTED, OCHRE},
    plot::Plot,
    scale::Scale,
    units::{duration, percentile},
};

const WAIT: (Colour, Marker) = (OCHRE, Marker::Up);
const SERVICE: (Colour, Marker) = (BLUE, Marker::Square);
/// For what is too short for the axis.
const BELOW: Marker = Marker::Left;
const RESPONSE: (Colour, Marker) = (INK, Marker::Circle);
/// Between the means on the left and the percentiles on the right; holds the values of the means.
const GUTTER: f64 = 28.0;
const VALUE: f64 = 66.0;

pub(super) fn plot(facts: &RunReport) -> Plot {
    let judged = percentile(facts.judged());
    let note = format!(
        "Wait: from the due instant until a connection is checked out. Service: from then until the reply. Their means \
         add up to the mean response time; their percentiles do not, so {judged} of the response time is shown beside \
         them.{}",
        Bars::omission(facts)
    );
    let mut plot = Plot::new("wait-and-service", "Wait and service time", &note).legend([
        Symbol::Marker(WAIT.1, WAIT.0).named("wait"),
        Symbol::Marker(SERVICE.1, SERVICE.0).named("service"),
        Symbol::Ring(RESPONSE.1, RESPONSE.0).named(format!("response ({judged} only)")),
        Symbol::Marker(BELOW, WAIT.0).named("wait too short for the axis"),
    ]);
    let bars = Bars::of_operations(facts, &mut plot, 34.0, 10.0);
    let middle = bars.area.left + (bars.area.width() - GUTTER) / 2.0;
    let means = Area { right: middle, ..bars.area };
    let tails = Area { left: middle + GUTTER, ..bars.area };
    let largest = bars.bars.iter().filter_map(|bar| bar.row.response.mean).fold(0.0, f64::max);
    let mean_scale = Scale::lengths(largest).between(means.left, means.right - VALUE);
    // Waits of nanoseconds would leave the rest no room: the axis begins where the others do.
    let values = bars.bars.iter().flat_map(|bar| {
        [&bar.row.response, &bar.row.service_time].into_iter().filter_map(|part| facts.judged_value(part))
    });
    let tail_scale = Scale::durations(values).between(tails.left + 8.0, tails.right - 8.0);

    let canvas = &mut plot.canvas;
    let top = means.top - 12.0;
    canvas.text("mean, stacked", (means.left, top), HPos::Left, LABEL);
    canvas.text(&judged, (tails.left + 8.0, top), HPos::Left, LABEL);
    let mean_ticks = mean_scale.duration_steps(64.0);
    let tail_ticks = tail_scale.duration_ticks(52.0);
    canvas.columns(means, &mean_ticks);
    canvas.columns(tails, &tail_ticks);
    bars.draw(canvas);
    for bar in &bars.bars {
        draw_means(canvas, bar, &mean_scale);
        draw_tails(canvas, facts, bar, (tails.left, &tail_scale));
    }
    canvas.line(&[(means.left, means.top), (means.left, means.bottom)], Pen::solid(MUTED, 1.0));
    plot.base_line(means, &mean_ticks, "time (linear)");
    plot.base_line(tails, &tail_ticks, "time (log)");
    plot.described(describe(facts, &bars))
}

fn draw_means(canvas: &mut Canvas, bar: &Bar<&Row>, scale: &Scale) {
    let y = bar.middle();
    let mean = bar.row.response.mean.unwrap_or(0.0);
    let wait = bar.row.wait.mean.unwrap_or(0.0).min(mean);
    let (start, split, end) = (scale.at(0.0), scale.at(wait), scale.at(mean));
    let area = |left, right| Area { left, top: y - 6.5, right, bottom: y + 6.5 };
    canvas.fill(area(split, end.max(split + 1.0)), SERVICE.0);
    canvas.fill(area(start, split), WAIT.0);
    canvas.text(&duration(mean), (end + 6.0, y + LABEL.middle()), HPos::Left, LABEL);
}

fn draw_tails(canvas: &mut Canvas, facts: &RunReport, bar: &Bar<&Row>, (left, scale): (f64, &Scale)) {
    let y = bar.middle();
    let row = bar.row;
    let parts = [(&row.response, RESPONSE), (&row.service_time, SERVICE), (&row.wait, WAIT)];
    let known = parts.map(|(part, look)| (facts.judged_value(part), look));
    let places = known.iter().filter_map(|(value, _)| value.map(|value| scale.at(value)));
    let (from, to) = places.fold((f64::INFINITY, 0.0_f64), |(l, r), x| (l.min(x), r.max(x)));
    if from > to {
        canvas.text("too few requests", (left + 8.0, y + LABEL.middle()), HPos::Left, LABEL);
        return;
    }
    canvas.line(&[(from, y), (to, y)], Pen::solid(CONTEXT, 1.5));
    for (value, (colour, marker)) in known {
        let Some(value) = value else { continue };
        let at = (scale.at(value), y);
        if value < scale.low() {
            canvas.marker(at, BELOW, 9.0, colour);
        } else if marker == RESPONSE.1 {
            // A ring, because one of its parts often lies at the same place.
            canvas.hollow_marker(at, marker, 14.0, colour);
        } else {
            canvas.marker(at, marker, 7.5, colour);
        }
    }
}

fn describe(facts: &RunReport, bars: &Bars<&Row>) -> String {
    let mean = |value: Option<f64>| value.map_or_else(|| "nothing".to_owned(), duration);
    let sentence = |bar: &Bar<&Row>| {
        let (wait, service) = (bar.row.wait.mean, bar.row.service_time.mean);
        format!("{}: wait {}, service {}", facts.name(bar.row), mean(wait), mean(service))
    };
    let sentences: Vec<_> = bars.bars.iter().map(sentence).collect();
    if sentences.is_empty() { "Nothing completed.".to_owned() } else { format!("Means. {}.", sentences.join("; ")) }
}
