//! Upkeep, which keeps the size of the data constant: trims after pushes, refills after removals.

use rand::RngExt;

use super::{
    draw::{Generator, Purpose},
    keyspace::numbered,
    step::Step,
    stream::Plan,
    value::chunk,
};
use crate::operation::{Args, Kind, Reply, Request, Upkeep};

/// Keys, fields or members that one request restores.
const RESTORED: u64 = 100;
/// Elements that one request puts back into an empty list, at most.
const REFILLED: u64 = 1000;

impl Plan {
    /// The request that has to follow this reply, if any.
    pub(super) fn upkeep(&self, step: &Step, sequence: u64, number: usize, reply: &Reply) -> Option<Request> {
        let kind = step.kind.upkeep()?;
        let due = if step.blind { self.by_chance(step, sequence, number) } else { self.by_reply(step, reply) };
        if !due {
            return None;
        }
        let mut generator = self.root.generator(Purpose::Upkeep, sequence, number as u64);
        let members = step.members.cast_signed();
        let mut value = || self.values.draw(&mut generator);
        let args = match step.kind.spec().upkeep {
            Upkeep::NoUpkeep => return None,
            Upkeep::TrimTail => Args::Range(0, members - 1),
            Upkeep::TrimHead => Args::Range(-members, -1),
            Upkeep::Refill => Args::Values((0..self.refill(step)).map(|_| value()).collect()),
            Upkeep::Replace => Args::Value(value()),
            Upkeep::RestoreKeys => return Some(self.restored_keys(step, sequence, &mut generator)),
            Upkeep::RestoreFields => {
                Args::Pairs(self.around(step, sequence).map(|field| (numbered(b"f", field), value())).collect())
            }
            Upkeep::RestoreMembers => {
                Args::Values(self.around(step, sequence).map(|member| numbered(b"m", member)).collect())
            }
            Upkeep::RestoreScores => {
                let scored = |member| (member as f64, numbered(b"m", member));
                Args::Scored(self.around(step, sequence).map(scored).collect())
            }
        };
        let index = self.indexes(step, sequence).next().unwrap_or_default();
        Some(Request::new(kind, step.stem.name(index), args))
    }

    /// Whether the reply makes upkeep necessary.
    #[inline]
    fn by_reply(&self, step: &Step, reply: &Reply) -> bool {
        let longer_than = |limit: u64| reply.integer.is_some_and(|length| length > limit.cast_signed());
        match step.kind.spec().upkeep {
            Upkeep::NoUpkeep => false,
            Upkeep::TrimTail | Upkeep::TrimHead => longer_than(2 * step.members),
            Upkeep::Replace => longer_than(self.text_limit),
            Upkeep::Refill
            | Upkeep::RestoreKeys
            | Upkeep::RestoreFields
            | Upkeep::RestoreMembers
            | Upkeep::RestoreScores => reply.misses > 0,
        }
    }

    /// Whether upkeep follows inside a transaction, where no reply shows the size.
    fn by_chance(&self, step: &Step, sequence: u64, number: usize) -> bool {
        let batch = step.batch as f64;
        let chance = match step.kind.spec().upkeep {
            Upkeep::NoUpkeep => return false,
            // As many elements are pushed between two trims as a list has members, on average.
            Upkeep::TrimTail | Upkeep::TrimHead => batch / step.members as f64,
            Upkeep::Replace => self.typical as f64 / self.text_limit as f64,
            // A little less than was taken, or a list would wander off: nobody sees here how long it is.
            Upkeep::Refill => 0.9 * batch / self.refill(step) as f64,
            // Ten times as much as was taken, since most of what is restored is still there.
            Upkeep::RestoreKeys | Upkeep::RestoreFields | Upkeep::RestoreMembers | Upkeep::RestoreScores => {
                10.0 * batch / RESTORED as f64
            }
        };
        self.root.generator(Purpose::Chance, sequence, number as u64).random::<f64>() < chance
    }

    /// Elements that go into an empty list.
    fn refill(&self, step: &Step) -> u64 {
        (step.members / 2).clamp(1, chunk(REFILLED, self.typical)).max(step.batch.min(REFILLED))
    }

    /// The members or fields of a request and their neighbours.
    fn around(&self, step: &Step, sequence: u64) -> impl Iterator<Item = u64> {
        let width = chunk(RESTORED, self.typical).max(step.batch);
        neighbours(self.member(step, sequence), step.batch, width, step.members)
    }

    /// Writes the keys of a request anew, and their neighbours.
    fn restored_keys(&self, step: &Step, sequence: u64, generator: &mut Generator) -> Request {
        let batch = if step.kind.spec().keys.is_batch() { step.batch } else { 1 };
        let width = (chunk(RESTORED, self.typical) / batch).max(1);
        let pairs: Vec<_> = self
            .indexes(step, sequence)
            .flat_map(|index| {
                // Those of another hash tag may be in another slot.
                let beside = step.stem.beside(index, step.count);
                let first = beside.start;
                neighbours(index - first, 1, width, beside.end - first).map(move |place| first + place)
            })
            .map(|index| (step.stem.name(index), self.values.draw(generator)))
            .collect();
        let key = pairs.first().map(|(key, _)| key.clone()).unwrap_or_default();
        Request::new(Kind::MSet, key, Args::Pairs(pairs))
    }
}

/// `width` indexes around those from `first` to below `first + batch`, in a circle of `count`; none of them twice.
fn neighbours(first: u64, batch: u64, width: u64, count: u64) -> impl Iterator<Item = u64> {
    let width = width.min(count);
    let before = width.saturating_sub(batch) / 2;
    let start = first + count - before;
    (start..start + width).map(move |index| index % count)
}

#[cfg(test)]
mod tests {
    use proptest::{prop_assert, prop_assert_eq, proptest};

    use super::neighbours;

    proptest! {
        #![proptest_config(crate::workload::sample::laws())]

        #[test]
        fn neighbours_surround_what_was_asked_for(
            first in 0_u64..200, batch in 1_u64..50, width in 1_u64..150, count in 1_u64..200
        ) {
            let first = first % count;
            let width = width.max(batch);
            let mut found: Vec<_> = neighbours(first, batch, width, count).collect();
            for asked in (first..first + batch).map(|index| index % count) {
                prop_assert!(found.contains(&asked));
            }
            found.sort_unstable();
            found.dedup();
            prop_assert_eq!(found.len() as u64, width.min(count));
            prop_assert!(found.iter().all(|index| *index < count));
        }
    }
}
