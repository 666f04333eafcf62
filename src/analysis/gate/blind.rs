//! Selection of quads to leave out, without regard to response times: dropping slow quads would drop the effect.

use super::Dropped;
use crate::{
    analysis::paired::{self, Disturbance},
    results::{GateBlock, GateSlice, SliceKind},
};

pub(super) const KINDS: [SliceKind; 2] = [SliceKind::Paced, SliceKind::Saturated];

/// Share of the quads of a kind that may be left out.
const MOST_DROPPED: f64 = 0.25;

/// Whether slices of that quad are to be used.
pub(super) fn is_kept(block: &GateBlock, kind: SliceKind, quad: u32) -> bool {
    disturbance(block, kind, quad).is_none()
}

/// Counts what is left out of the quads of some kinds.
pub(super) fn dropped(blocks: &[&GateBlock], kinds: &[SliceKind]) -> Dropped {
    let mut dropped = Dropped::default();
    for (block, kind) in blocks.iter().flat_map(|block| kinds.iter().map(move |kind| (block, *kind))) {
        for quad in quads(block, kind) {
            dropped.quads += 1;
            match disturbance(block, kind, quad) {
                Some(Disturbance::Stolen) => dropped.stolen += 1,
                Some(Disturbance::Throttled) => dropped.throttled += 1,
                Some(Disturbance::Late) => dropped.late += 1,
                None => {}
            }
        }
    }
    dropped
}

/// What is left out of quads of one kind, if it is this much that the rest is no fair sample. Many of the one make up for none of the other:
/// each shows something else.
pub(super) fn too_much(blocks: &[&GateBlock]) -> Option<Dropped> {
    let too_much = |dropped: &Dropped| f64::from(dropped.all()) > MOST_DROPPED * f64::from(dropped.quads);
    KINDS.into_iter().map(|kind| dropped(blocks, &[kind])).find(too_much)
}

/// Numbers of the quads of a kind that a block has whole.
pub(super) fn quads(block: &GateBlock, kind: SliceKind) -> Vec<u32> {
    let of_kind = || block.slices.iter().filter(move |slice| slice.kind == kind);
    let last = of_kind().map(|slice| slice.quad).max();
    let whole = |quad: &u32| of_kind().filter(|slice| slice.quad == *quad).count() == 4;
    last.map_or_else(Vec::new, |last| (0..=last).filter(whole).collect())
}

fn disturbance(block: &GateBlock, kind: SliceKind, quad: u32) -> Option<Disturbance> {
    let mut of_quad = block.slices.iter().filter(|slice| slice.kind == kind && slice.quad == quad);
    of_quad.find_map(of_slice)
}

fn of_slice(slice: &GateSlice) -> Option<Disturbance> {
    // In a closed loop nothing is due.
    let lag = (slice.kind == SliceKind::Paced).then_some(slice.lag_p50);
    paired::disturbance(slice.stolen, slice.throttled, lag)
}
