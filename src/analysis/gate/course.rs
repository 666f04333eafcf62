//! The course of a gate and the curves of its arms: what charts show.

use super::{
    CoursePoint, CurvePoint,
    blind::is_kept,
    values::{ReadBlock, ReadSlice, Responses, merged_arms},
};
use crate::results::{Sides, SliceKind};

/// Nines between two points of a curve, and requests that have to lie beyond its end.
const STEP: f64 = 0.05;
const BEYOND: f64 = 10.0;

/// Median of every slice at the offered rate.
pub(super) fn course(blocks: &[ReadBlock<'_>], all: &[usize]) -> Vec<CoursePoint> {
    let of_block = |block: &ReadBlock<'_>| {
        let point = |read: &ReadSlice<'_>| CoursePoint {
            began_ns: read.slice.began_ns,
            arm: read.slice.arm,
            stage: block.block.stage,
            median: read.of(all).quantile(0.5),
            dropped: !is_kept(block.block, SliceKind::Paced, read.slice.quad),
        };
        let paced = block.slices.iter().filter(|read| read.slice.kind == SliceKind::Paced);
        paced.map(point).collect::<Vec<_>>()
    };
    blocks.iter().flat_map(of_block).collect()
}

/// Percentile curves of both arms with the range of their blocks, as far as the smallest block has the requests.
pub(super) fn curves(blocks: &[&ReadBlock<'_>], all: &[usize]) -> Sides<Vec<CurvePoint>> {
    let arms: Vec<Sides<Responses>> = blocks.iter().map(|block| merged_arms(block, all)).collect();
    Sides::each(|arm| {
        let of_blocks: Vec<&Responses> = arms.iter().map(|arms| &arms[arm]).filter(|of| of.len() > 0).collect();
        let whole = Responses::merged(of_blocks.iter().copied());
        let fewest = of_blocks.iter().map(|of| of.len()).min().unwrap_or(0) as f64;
        let steps = (0..).map(|step| 1.0 - 10_f64.powf(-f64::from(step) * STEP));
        let shown = steps.take_while(|quantile| fewest * (1.0 - quantile) >= BEYOND);
        shown
            .map(|quantile| {
                let values = || of_blocks.iter().map(|of| of.quantile(quantile));
                CurvePoint {
                    quantile,
                    value: whole.quantile(quantile),
                    low: values().fold(f64::INFINITY, f64::min),
                    high: values().fold(0.0, f64::max),
                }
            })
            .collect()
    })
}
