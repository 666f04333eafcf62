//! Pool size against response time and wait at the rates at which sizes were compared.

use super::series::{entries, error_bar, look, rate_label};
use crate::{
    report::{
        chart::{
            canvas::Pen,
            plot::Plot,
            scale::{Scale, Tick},
            units::{count, duration},
        },
        subject::capacity::{CapacityReport, is_again},
    },
    results::BlockSide,
};

const TITLE: &str = "Pool size against response time and wait";
const PANELS: [(&str, f64); 2] = [("response time, p99", 150.0), ("wait for a connection, p99", 150.0)];
const GAP: f64 = 40.0;
/// Series that lie on each other are set apart by this much.
const APART: f64 = 17.0;
/// Half the width of the caps of a bar: markers hide a short bar, but not its caps.
const REACH: f64 = 7.5;
/// Shorter waits are no waits, and would make the axis as long as the clock is fine.
const LEAST_WAIT: f64 = 1e3;

/// Lowest, middle and highest of the blocks.
type Spread = (f64, f64, f64);

/// `None` unless two pool sizes were compared at one rate.
pub(super) fn plot(answers: &CapacityReport) -> Option<Plot> {
    let sizes: Vec<_> = answers.arms().filter_map(|(index, arm, _)| Some((index, arm.pool?))).collect();
    let blocks = &answers.capacity.blocks;
    let mut rates: Vec<f64> = blocks.iter().map(|block| block.rate).collect();
    rates.sort_by(f64::total_cmp);
    rates.dedup_by(|next, last| is_again(*next, *last));
    let at = |rate: f64, arm: u32| {
        let same = blocks.iter().filter(|block| is_again(block.rate, rate));
        let both = same.flat_map(|block| [block.from, block.to].into_iter().zip(block.sides.iter()));
        let own = both.filter(|(of, side)| *of == arm && side.completed > 0);
        spreads(&own.map(|(_, side)| side).collect::<Vec<_>>())
    };
    let mut series: Vec<(f64, Vec<_>)> =
        rates.iter().map(|rate| (*rate, sizes.iter().map(|(arm, _)| at(*rate, *arm)).collect())).collect();
    series.retain(|(_, known)| known.iter().flatten().count() >= 2);
    if series.is_empty() {
        return None;
    }
    let names: Vec<_> = series.iter().map(|(rate, _)| format!("at {}", rate_label(*rate))).collect();
    let note = "Median of the blocks at equal rates, in turns; bars from the lowest to the highest block.";
    let mut plot = Plot::new("pools", TITLE, note).legend(entries(names.iter().map(String::as_str)));
    let middle = (series.len() - 1) as f64 / 2.0;
    for (panel, (title, height)) in PANELS.into_iter().enumerate() {
        let area = plot.area(if panel == 0 { 34.0 } else { GAP }, height, 10.0);
        let values = || series.iter().flat_map(|(_, known)| known.iter().flatten()).map(|spread| spread[panel]);
        let values = values().flat_map(|(low, middle, high)| [low, middle, high]);
        let up = Scale::durations(values).between(area.bottom, area.top);
        let pitch = area.width() / sizes.len() as f64;
        let apart = APART.min(0.8 * pitch / series.len() as f64);
        let sizes = sizes.iter().enumerate();
        let ticks: Vec<_> = sizes
            .map(|(number, (_, pool))| Tick {
                at: area.left + (number as f64 + 0.5) * pitch,
                label: count(f64::from(*pool)),
            })
            .collect();
        plot.name_above(area, 14.0, title);
        plot.canvas.columns(area, &ticks);
        plot.canvas.rows(area, &up.duration_ticks(21.0));
        for (number, (_, series)) in series.iter().enumerate() {
            let (pen, marker) = look(number);
            let x = |tick: &Tick| tick.at + (number as f64 - middle) * apart;
            let known: Vec<_> =
                ticks.iter().zip(series).filter_map(|(tick, spread)| Some((x(tick), (*spread)?[panel]))).collect();
            let middles: Vec<_> = known.iter().map(|(x, (_, middle, _))| (*x, up.at(*middle))).collect();
            plot.canvas.line(&middles, pen);
            for (x, (low, middle, high)) in known {
                let solid = Pen { dash: &[], width: 1.25, ..pen };
                error_bar(&mut plot.canvas, (x, REACH), (up.at(low), up.at(high)), solid);
                plot.canvas.marker((x, up.at(middle)), marker, 5.5, pen.colour);
            }
        }
        if panel + 1 == PANELS.len() {
            plot.base_line(area, &ticks, "connections of each pool");
        }
    }
    let described = series.iter().zip(&names).map(|((_, known), name)| {
        let each = sizes.iter().zip(known).filter_map(|((_, pool), spread)| {
            let [response, wait] = (*spread)?;
            Some(format!("pool {pool} p99 {}, wait {}", duration(response.1), duration(wait.1)))
        });
        format!("{name}: {}", each.collect::<Vec<_>>().join("; "))
    });
    let description = format!("{TITLE}. {}.", described.collect::<Vec<_>>().join(". "));
    Some(plot.described(description))
}

fn spreads(sides: &[&BlockSide]) -> Option<[Spread; 2]> {
    let of = |value: fn(&BlockSide) -> f64| {
        let mut values: Vec<f64> = sides.iter().map(|side| value(side)).collect();
        values.sort_by(f64::total_cmp);
        Some((*values.first()?, values[(values.len() - 1) / 2], *values.last()?))
    };
    Some([of(|side| side.response.p99 as f64)?, of(|side| (side.wait.p99 as f64).max(LEAST_WAIT))?])
}
