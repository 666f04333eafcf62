//! Assignment of arms and requests to windows.

use rand::RngExt;

use crate::{
    analysis::draw::generator,
    results::{GateStage, Side, SliceKind},
};

/// Arms of the slices of a quad: A B B A or B A A B, so that a steady drift affects both equally. Of every two quads in
/// succession one is of either kind, which first by chance.
pub fn quad_of_arms(seed: u64, stage: GateStage, kind: SliceKind, quad: u32) -> [Side; 4] {
    let place = place(stage, kind, u64::from(quad / 2), 0);
    let turned = generator(seed, place).random_range(0..2_u32);
    let first = if (quad + turned).is_multiple_of(2) { Side::A } else { Side::B };
    [first, first.other(), first.other(), first]
}

/// The arm whose server is set up and filled first in a block: the other one than in the block before, from a seeded start.
pub fn first_arm(seed: u64, stage: GateStage, block: u32) -> Side {
    let start = generator(seed, place(stage, SliceKind::Paced, 0, 3)).random_range(0..2_u32);
    if (block + start).is_multiple_of(2) { Side::A } else { Side::B }
}

/// Seed of the requests of a slice, by its quad counted over all blocks of the stage and its place in the quad: the two slices of
/// each half replay the same arrivals, keys and values.
pub fn seed_of(seed: u64, stage: GateStage, kind: SliceKind, quad: u32, slice: usize) -> u64 {
    generator(seed, place(stage, kind, u64::from(quad), 1 + slice as u64 / 2)).random_range(0..1 << 48)
}

/// One place for each use of chance.
fn place(stage: GateStage, kind: SliceKind, quad: u64, what: u64) -> u64 {
    let of = u64::from(stage == GateStage::Confirm) << 1 | u64::from(kind == SliceKind::Saturated);
    (quad << 4 | of << 2 | what) + 1
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn either_arm_begins_equally_often() {
        for seed in 0..20 {
            let quads: Vec<_> =
                (0..10).map(|quad| quad_of_arms(seed, GateStage::Screen, SliceKind::Paced, quad)).collect();
            assert_eq!(quads.iter().filter(|quad| quad[0] == Side::A).count(), 5, "{quads:?}");
            assert!(quads.iter().all(|quad| quad[0] == quad[3] && quad[1] == quad[2] && quad[0] != quad[1]));
        }
        let orders: BTreeSet<_> =
            (0..20).map(|seed| quad_of_arms(seed, GateStage::Screen, SliceKind::Paced, 0)).collect();
        assert_eq!(orders.len(), 2, "chance decides which comes first");
    }

    #[test]
    fn either_server_is_made_first_equally_often() {
        let of = |seed: u64| (0..8).map(|block| first_arm(seed, GateStage::Screen, block)).collect::<Vec<_>>();
        for seed in 0..20 {
            assert!(of(seed).windows(2).all(|pair| pair[0] != pair[1]), "{:?}", of(seed));
        }
        assert_eq!((0..20).map(|seed| of(seed)[0]).collect::<BTreeSet<_>>().len(), 2, "chance decides the start");
    }

    #[test]
    fn halves_of_a_quad_replay_the_same_requests_and_nothing_else_does() {
        let mut seen = BTreeSet::new();
        for stage in [GateStage::Screen, GateStage::Confirm] {
            for kind in [SliceKind::Paced, SliceKind::Saturated] {
                for quad in 0..5 {
                    let of: Vec<_> = (0..4).map(|slice| seed_of(7, stage, kind, quad, slice)).collect();
                    assert_eq!((of[0], of[2]), (of[1], of[3]));
                    seen.extend([of[0], of[2]]);
                }
            }
        }
        assert_eq!(seen.len(), 2 * 2 * 5 * 2);
    }
}
