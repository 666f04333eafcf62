//! Each operation against the target: where its median, mean and judged percentile lie on a log axis.

use plotters_backend::text_anchor::HPos;

use crate::analysis::Row;

use super::{
    Caption, Figure,
    bars::{Bar, Bars},
    canvas::{Area, Canvas, Marker, Pen, Type},
    facts::{Facts, value_at},
    layout::{
        AXIS_HEIGHT, Heading, LABEL, Legend, MARGIN, NAME, Symbol, TARGET_DASH, TARGET_LABEL, WIDTH, base_line, columns,
    },
    lettering::Fonts,
    palette::{BEYOND, BLUE, INK, ORANGE, TARGET},
    scale::Scale,
    units::{duration, factor, percentile},
};

const TITLE: &str = "Each operation against the target";
/// Column on the right: the value at the judged percentile and how many times faster the mean is.
const VALUES: f64 = 196.0;
/// Right end of its first part.
const JUDGED: f64 = 96.0;
const MEDIAN: Marker = Marker::Bar;
const MEAN: Marker = Marker::Diamond;
const TAIL: Marker = Marker::Circle;
/// What misses the target differs by shape, too.
const MISSED: Marker = Marker::Square;

pub(super) struct AgainstTarget<'a> {
    facts: Facts<'a>,
    heading: Heading,
    legend: Legend,
    bars: Bars<&'a Row>,
    across: Scale,
}

impl<'a> AgainstTarget<'a> {
    pub(super) fn new(facts: &Facts<'a>, fonts: &Fonts) -> Self {
        let judged = percentile(facts.judged());
        let subtitle =
            format!("Response time from p50 to {judged}, the slowest operation on top.{}", Bars::omission(facts));
        let heading = Heading::new(TITLE, &subtitle, fonts);
        let entries = vec![
            (Symbol::Marker(MEDIAN, BLUE), "p50".to_owned()),
            (Symbol::Marker(MEAN, INK), "mean".to_owned()),
            (Symbol::Marker(TAIL, BLUE), format!("{judged} within the target")),
            (Symbol::Marker(MISSED, ORANGE), format!("{judged} beyond it")),
        ];
        let legend = Legend::new(entries, WIDTH - 2.0 * MARGIN, fonts);
        let top = heading.bottom() + legend.height() + 34.0;
        let bars = Bars::new(facts, top, WIDTH - MARGIN - VALUES, fonts);
        let values = bars.bars.iter().flat_map(|bar| {
            let response = &bar.row.response;
            let known = facts.tail(response).map(|(_, value)| value);
            [value_at(response, 50.0), response.mean, known].into_iter().flatten()
        });
        let across = Scale::durations(values.chain([facts.target()]), bars.area.left + 8.0, bars.area.right - 8.0);
        Self { facts: *facts, heading, legend, bars, across }
    }

    fn draw_bar(&self, canvas: &mut Canvas<'_>, bar: &Bar<&Row>) {
        let y = bar.middle();
        let response = &bar.row.response;
        let tail = self.facts.judged_value(response);
        let known = self.facts.tail(response);
        let late = tail.is_some_and(|tail| tail > self.facts.target());
        let colour = if late { ORANGE } else { BLUE };
        let at = |value: f64| (self.across.at(value), y);
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
        let right = self.bars.area.right;
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
}

impl Figure for AgainstTarget<'_> {
    fn caption(&self) -> Caption {
        let sentence = |bar: &Bar<&Row>| {
            let known = self.facts.tail(&bar.row.response);
            let known = known.map(|(percent, value)| format!("{} {}", percentile(percent), duration(value)));
            let mean = bar.row.response.mean.map(|mean| format!("mean {}", duration(mean)));
            let values: Vec<_> = known.into_iter().chain(mean).collect();
            format!("{}: {}", self.facts.name(bar.row), values.join(", "))
        };
        let sentences: Vec<_> = self.bars.bars.iter().map(sentence).collect();
        let listed = if sentences.is_empty() { "Nothing completed".to_owned() } else { sentences.join("; ") };
        Caption {
            name: "against-target",
            title: TITLE.to_owned(),
            description: format!("Response time of each operation, {}. {listed}.", self.facts.objective()),
            height: self.bars.area.bottom + AXIS_HEIGHT + MARGIN,
        }
    }

    fn draw(&self, canvas: &mut Canvas<'_>) {
        let area = self.bars.area;
        self.heading.draw(canvas);
        self.legend.draw(canvas, (MARGIN, self.heading.bottom()));
        let target = self.across.at(self.facts.target());
        canvas.fill(Area { left: target, ..area }, BEYOND);
        let ticks = self.across.duration_ticks(52.0);
        columns(canvas, area, &ticks);
        self.bars.draw(canvas);
        canvas.line(&[(target, area.top - 6.0), (target, area.bottom)], Pen::dashed(TARGET, 1.5, TARGET_DASH));
        let label = format!("target {}", duration(self.facts.target()));
        canvas.text(&label, (target, area.top - 10.0), HPos::Right, TARGET_LABEL);
        canvas.text(&percentile(self.facts.judged()), (area.right + JUDGED, area.top - 10.0), HPos::Right, LABEL);
        canvas.text("target / mean", (area.right + VALUES - 2.0, area.top - 10.0), HPos::Right, LABEL);
        for bar in &self.bars.bars {
            self.draw_bar(canvas, bar);
        }
        base_line(canvas, area, &ticks, "response time");
    }
}
