//! Response time split into wait and service time. Percentiles do not add up, means do: so bars stack the means, and
//! the percentiles stand beside them as dots of their own.

use plotters_backend::text_anchor::HPos;

use crate::analysis::Row;

use super::{
    Caption, Figure,
    bars::{Bar, Bars},
    canvas::{Area, Canvas, Marker, Pen},
    facts::Facts,
    layout::{AXIS_HEIGHT, Heading, LABEL, Legend, MARGIN, Symbol, WIDTH, base_line, columns},
    lettering::Fonts,
    palette::{BLUE, CONTEXT, Colour, INK, MUTED, OCHRE},
    scale::Scale,
    units::{duration, percentile},
};

const TITLE: &str = "Where response time is spent";
const WAIT: (Colour, Marker) = (OCHRE, Marker::Up);
const SERVICE: (Colour, Marker) = (BLUE, Marker::Square);
/// For what is too short for the axis.
const BELOW: Marker = Marker::Left;
const RESPONSE: (Colour, Marker) = (INK, Marker::Circle);
/// Between the means on the left and the percentiles on the right; holds the values of the means.
const GUTTER: f64 = 28.0;
const VALUE: f64 = 66.0;

pub(super) struct Split<'a> {
    facts: Facts<'a>,
    heading: Heading,
    legend: Legend,
    bars: Bars<&'a Row>,
    means: Area,
    tails: Area,
    mean_scale: Scale,
    tail_scale: Scale,
}

impl<'a> Split<'a> {
    pub(super) fn new(facts: &Facts<'a>, fonts: &Fonts) -> Self {
        let judged = percentile(facts.judged());
        let subtitle = format!(
            "Wait: from when a request was due until it had a connection. Service: from then until its reply. \
             Their means add up to the mean response time; their percentiles do not, so {judged} is shown beside them.{}",
            Bars::omission(facts)
        );
        let heading = Heading::new(TITLE, &subtitle, fonts);
        let entries = vec![
            (Symbol::Marker(WAIT.1, WAIT.0), "wait".to_owned()),
            (Symbol::Marker(SERVICE.1, SERVICE.0), "service".to_owned()),
            (Symbol::Ring(RESPONSE.1, RESPONSE.0), format!("response ({judged} only)")),
            (Symbol::Marker(BELOW, WAIT.0), "wait too short for the axis".to_owned()),
        ];
        let legend = Legend::new(entries, WIDTH - 2.0 * MARGIN, fonts);
        let top = heading.bottom() + legend.height() + 34.0;
        let bars = Bars::new(facts, top, WIDTH - MARGIN - 10.0, fonts);
        let area = bars.area;
        let middle = area.left + (area.width() - GUTTER) / 2.0;
        let means = Area { right: middle, ..area };
        let tails = Area { left: middle + GUTTER, ..area };
        let largest = bars.bars.iter().filter_map(|bar| bar.row.response.mean).fold(0.0, f64::max);
        let mean_scale = Scale::lengths(largest, means.left, means.right - VALUE);
        // Waits of nanoseconds would leave the rest no room: the axis begins where the others do.
        let values = bars.bars.iter().flat_map(|bar| {
            [&bar.row.response, &bar.row.service_time].into_iter().filter_map(|part| facts.judged_value(part))
        });
        let tail_scale = Scale::durations(values, tails.left + 8.0, tails.right - 8.0);
        Self { facts: *facts, heading, legend, bars, means, tails, mean_scale, tail_scale }
    }

    fn draw_means(&self, canvas: &mut Canvas<'_>, bar: &Bar<&Row>) {
        let y = bar.middle();
        let mean = bar.row.response.mean.unwrap_or(0.0);
        let wait = bar.row.wait.mean.unwrap_or(0.0).min(mean);
        let (start, split, end) = (self.mean_scale.at(0.0), self.mean_scale.at(wait), self.mean_scale.at(mean));
        let area = |left, right| Area { left, top: y - 6.5, right, bottom: y + 6.5 };
        canvas.fill(area(split, end.max(split + 1.0)), SERVICE.0);
        canvas.fill(area(start, split), WAIT.0);
        canvas.text(&duration(mean), (end + 6.0, y + LABEL.middle()), HPos::Left, LABEL);
    }

    fn draw_tails(&self, canvas: &mut Canvas<'_>, bar: &Bar<&Row>) {
        let y = bar.middle();
        let row = bar.row;
        let parts = [(&row.response, RESPONSE), (&row.service_time, SERVICE), (&row.wait, WAIT)];
        let known = parts.map(|(part, look)| (self.facts.judged_value(part), look));
        let places = known.iter().filter_map(|(value, _)| value.map(|value| self.tail_scale.at(value)));
        let (left, right) = places.fold((f64::INFINITY, 0.0_f64), |(l, r), x| (l.min(x), r.max(x)));
        if left > right {
            canvas.text("too few requests", (self.tails.left + 8.0, y + LABEL.middle()), HPos::Left, LABEL);
            return;
        }
        canvas.line(&[(left, y), (right, y)], Pen::solid(CONTEXT, 1.5));
        for (value, (colour, marker)) in known {
            let Some(value) = value else { continue };
            let at = (self.tail_scale.at(value), y);
            if value < self.tail_scale.low() {
                canvas.marker(at, BELOW, 9.0, colour);
            } else if marker == RESPONSE.1 {
                // A ring, because one of its parts often lies at the same place.
                canvas.hollow_marker(at, marker, 14.0, colour);
            } else {
                canvas.marker(at, marker, 7.5, colour);
            }
        }
    }
}

impl Figure for Split<'_> {
    fn caption(&self) -> Caption {
        let mean = |value: Option<f64>| value.map_or_else(|| "nothing".to_owned(), duration);
        let sentence = |bar: &Bar<&Row>| {
            let (wait, service) = (bar.row.wait.mean, bar.row.service_time.mean);
            format!("{}: wait {}, service {}", self.facts.name(bar.row), mean(wait), mean(service))
        };
        let sentences: Vec<_> = self.bars.bars.iter().map(sentence).collect();
        Caption {
            name: "wait-and-service",
            title: TITLE.to_owned(),
            description: if sentences.is_empty() {
                "Nothing completed.".to_owned()
            } else {
                format!("Means. {}.", sentences.join("; "))
            },
            height: self.bars.area.bottom + AXIS_HEIGHT + MARGIN,
        }
    }

    fn draw(&self, canvas: &mut Canvas<'_>) {
        self.heading.draw(canvas);
        self.legend.draw(canvas, (MARGIN, self.heading.bottom()));
        let top = self.means.top - 12.0;
        canvas.text("mean, stacked", (self.means.left, top), HPos::Left, LABEL);
        canvas.text(&percentile(self.facts.judged()), (self.tails.left + 8.0, top), HPos::Left, LABEL);
        let means = self.mean_scale.duration_steps(64.0);
        let tails = self.tail_scale.duration_ticks(52.0);
        columns(canvas, self.means, &means);
        columns(canvas, self.tails, &tails);
        self.bars.draw(canvas);
        for bar in &self.bars.bars {
            self.draw_means(canvas, bar);
            self.draw_tails(canvas, bar);
        }
        canvas.line(&[(self.means.left, self.means.top), (self.means.left, self.means.bottom)], Pen::solid(MUTED, 1.0));
        base_line(canvas, self.means, &means, "time (linear)");
        base_line(canvas, self.tails, &tails, "time (log)");
    }
}
