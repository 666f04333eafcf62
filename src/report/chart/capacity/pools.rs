//! Pool size against response time, wait and throughput at the rates at which sizes were compared.

use plotters_backend::text_anchor::HPos;

use super::{error_bar, legend, look, rate_label, tells};
use crate::{
    report::{
        capacity::{Answers, is_again},
        chart::{
            Caption, Figure,
            canvas::{Area, Canvas, Pen},
            layout::{AXIS_HEIGHT, Heading, LABEL, LABELS, Legend, MARGIN, WIDTH, base_line, columns, rows},
            lettering::Fonts,
            scale::{Scale, Tick},
            units::{count, duration},
        },
    },
    results::{Purpose, Trial},
};

const TITLE: &str = "Pool size against response time, wait and throughput";
const PANELS: [(&str, f64); 3] =
    [("response time, p99", 150.0), ("wait for a connection, p99", 150.0), ("answered per second", 110.0)];
const GAP: f64 = 40.0;
/// Series that lie on each other are set apart by so much.
const APART: f64 = 7.0;
/// Shorter waits are no waits, and would make the axis as long as the clock is fine.
const LEAST_WAIT: f64 = 1e3;

/// Lowest, middle and highest of the slices.
type Spread = (f64, f64, f64);

pub(super) struct Pools {
    heading: Heading,
    legend: Legend,
    /// Per rate and pool what the slices showed, for each panel.
    series: Vec<Vec<Option<[Spread; 3]>>>,
    areas: [Area; 3],
    ups: [Scale; 3],
    ticks: Vec<Tick>,
    description: String,
}

impl Pools {
    /// `None` unless two pool sizes were compared at one rate.
    pub(super) fn new(answers: &Answers<'_>, fonts: &Fonts) -> Option<Self> {
        let sizes: Vec<_> = answers.arms().filter_map(|(index, arm, _)| Some((index, arm.pool?))).collect();
        let slices = |arm: u32| {
            let trials = answers.open(arm).into_iter();
            trials.filter(|(_, trial)| trial.purpose == Purpose::Compare && tells(trial))
        };
        let mut rates: Vec<f64> = sizes.iter().flat_map(|(arm, _)| slices(*arm).map(|(rate, _)| rate)).collect();
        rates.sort_by(f64::total_cmp);
        rates.dedup_by(|next, last| is_again(*next, *last));
        let at = |rate: f64, arm: u32| {
            let same = slices(arm).filter(|(offered, _)| is_again(*offered, rate));
            spreads(&same.map(|(_, trial)| trial).collect::<Vec<_>>())
        };
        let mut series: Vec<(f64, Vec<_>)> =
            rates.iter().map(|rate| (*rate, sizes.iter().map(|(arm, _)| at(*rate, *arm)).collect())).collect();
        series.retain(|(_, known)| known.iter().flatten().count() >= 2);
        if series.is_empty() {
            return None;
        }
        let labels: Vec<_> = series.iter().map(|(rate, _)| format!("at {}", rate_label(*rate))).collect();
        let names: Vec<_> = labels.iter().map(String::as_str).collect();
        let note =
            "Middle of the interleaved slices at the same rates; bars reach from the lowest to the highest of them.";
        let heading = Heading::new(TITLE, note, fonts);
        let legend = legend(&names, Vec::new(), fonts);
        let mut top = heading.bottom() + legend.height() + 34.0;
        let areas = PANELS.map(|(_, height)| {
            let area = Area { left: MARGIN + LABELS, top, right: WIDTH - MARGIN - 10.0, bottom: top + height };
            top = area.bottom + GAP;
            area
        });
        let all = |panel: usize| {
            let spreads = series.iter().flat_map(|(_, known)| known.iter().flatten());
            spreads
                .map(move |spread| spread[panel])
                .flat_map(|(low, middle, high)| [low, middle, high])
                .collect::<Vec<_>>()
        };
        let ups = [
            Scale::durations(all(0), areas[0].bottom, areas[0].top),
            Scale::durations(all(1), areas[1].bottom, areas[1].top),
            Scale::amounts(all(2).into_iter().fold(0.0, f64::max), areas[2].bottom, areas[2].top),
        ];
        let pitch = areas[0].width() / sizes.len() as f64;
        let place = |number: usize| areas[0].left + (number as f64 + 0.5) * pitch;
        let ticks = sizes
            .iter()
            .enumerate()
            .map(|(number, (_, pool))| Tick { at: place(number), label: count(f64::from(*pool)) })
            .collect();
        let described = series.iter().zip(&names).map(|((_, known), name)| {
            let each = sizes.iter().zip(known).filter_map(|((_, pool), spread)| {
                let [response, wait, rate] = (*spread)?;
                Some(format!(
                    "pool {pool} p99 {}, wait {}, {}",
                    duration(response.1),
                    duration(wait.1),
                    rate_label(rate.1)
                ))
            });
            format!("{name}: {}", each.collect::<Vec<_>>().join("; "))
        });
        let description = format!("{TITLE}. {}.", described.collect::<Vec<_>>().join(". "));
        let series = series.into_iter().map(|(_, known)| known).collect();
        Some(Self { heading, legend, series, areas, ups, ticks, description })
    }
}

fn spreads(slices: &[&Trial]) -> Option<[Spread; 3]> {
    let of = |value: fn(&Trial) -> f64| {
        let mut values: Vec<f64> = slices.iter().map(|trial| value(trial)).collect();
        values.sort_by(f64::total_cmp);
        Some((*values.first()?, values[(values.len() - 1) / 2], *values.last()?))
    };
    Some([
        of(|trial| trial.response.p99 as f64)?,
        of(|trial| (trial.wait.p99 as f64).max(LEAST_WAIT))?,
        of(|trial| trial.throughput)?,
    ])
}

impl Figure for Pools {
    fn caption(&self) -> Caption {
        Caption {
            name: "pools",
            title: TITLE.to_owned(),
            description: self.description.clone(),
            height: self.areas[2].bottom + AXIS_HEIGHT + MARGIN,
        }
    }

    fn draw(&self, canvas: &mut Canvas<'_>) {
        self.heading.draw(canvas);
        self.legend.draw(canvas, (MARGIN, self.heading.bottom()));
        let middle = (self.series.len() - 1) as f64 / 2.0;
        for (panel, (title, _)) in PANELS.iter().enumerate() {
            let (area, up) = (self.areas[panel], self.ups[panel]);
            canvas.text(title, (MARGIN, area.top - 14.0), HPos::Left, LABEL);
            columns(canvas, area, &self.ticks);
            let ticks = if panel < 2 { up.duration_ticks(21.0) } else { up.amount_ticks(24.0) };
            rows(canvas, area, &ticks);
            for (number, series) in self.series.iter().enumerate() {
                let (pen, marker) = look(number);
                let x = |tick: &Tick| tick.at + (number as f64 - middle) * APART;
                let known: Vec<_> = self
                    .ticks
                    .iter()
                    .zip(series)
                    .filter_map(|(tick, spread)| Some((x(tick), (*spread)?[panel])))
                    .collect();
                canvas.line(&known.iter().map(|(x, (_, middle, _))| (*x, up.at(*middle))).collect::<Vec<_>>(), pen);
                for (x, (low, middle, high)) in known {
                    let solid = Pen { dash: &[], width: 1.25, ..pen };
                    error_bar(canvas, x, (up.at(low), up.at(high)), solid);
                    canvas.marker((x, up.at(middle)), marker, 7.5, pen.colour);
                }
            }
        }
        base_line(canvas, self.areas[2], &self.ticks, "connections of each pool");
    }
}
