//! Response time by kind of command, whatever service sent it: what a reader means by "reads" or "list operations".

use hdrhistogram::Histogram;

use super::{Distribution, Row};
use crate::{
    measure::SeriesRole,
    operation::{Access, DataType, Spec, TABLE},
    results::Run,
};

/// Kinds of commands, single ones first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum FamilyKind {
    Set,
    Get,
    HSet,
    HGet,
    Lists,
    ZAdd,
    Reads,
    Writes,
    Hashes,
    SortedSets,
}

impl FamilyKind {
    /// Every kind.
    pub const ALL: [Self; 10] = [
        Self::Set,
        Self::Get,
        Self::HSet,
        Self::HGet,
        Self::Lists,
        Self::ZAdd,
        Self::Reads,
        Self::Writes,
        Self::Hashes,
        Self::SortedSets,
    ];

    fn holds(self, command: &Spec) -> bool {
        match self {
            Self::Set => command.name == "SET",
            Self::Get => command.name == "GET",
            Self::HSet => command.name == "HSET",
            Self::HGet => command.name == "HGET",
            Self::Lists => command.data == DataType::List,
            Self::ZAdd => command.name == "ZADD",
            Self::Reads => command.access == Access::Read,
            Self::Writes => command.access == Access::Write,
            Self::Hashes => command.data == DataType::Hash,
            Self::SortedSets => command.data == DataType::SortedSet,
        }
    }
}

/// One kind of command over all services.
#[derive(Debug, Clone)]
pub struct Family {
    /// Identity.
    pub kind: FamilyKind,
    /// The commands that were sent, by name.
    pub commands: Vec<String>,
    /// Response time of successes.
    pub response: Distribution,
    /// Successes.
    pub completed: u64,
    /// Failures.
    pub failed: u64,
}

/// The kinds that were sent, by operations of a single command: a step of a sequence has no client time.
pub(super) fn families(run: &Run, rows: &[Row]) -> Vec<Family> {
    let sent: Vec<(&Spec, &Row)> = run
        .recording
        .series
        .iter()
        .filter(|series| series.key.role == SeriesRole::Operation && series.commands.len() == 1)
        .filter_map(|series| {
            let command = TABLE.iter().find(|spec| spec.name == series.commands[0])?;
            let row = rows.iter().find(|row| {
                row.scope.service.as_ref() == Some(&series.key.service)
                    && row.scope.operation.as_ref() == Some(&series.key.operation)
                    && row.scope.role == SeriesRole::Operation
            })?;
            Some((command, row))
        })
        .collect();
    FamilyKind::ALL.into_iter().filter_map(|kind| family(kind, &sent)).collect()
}

fn family(kind: FamilyKind, sent: &[(&Spec, &Row)]) -> Option<Family> {
    let members: Vec<_> = sent.iter().filter(|(command, _)| kind.holds(command)).collect();
    let mut response = Histogram::<u64>::new(3).expect("three digits are accepted");
    let mut commands: Vec<String> = Vec::new();
    let (mut completed, mut failed, mut deviation) = (0, 0, 0.0_f64);
    for (command, row) in members {
        response.add(&row.response.histogram).expect("a growing histogram takes every value");
        completed += row.counts.completed;
        failed += row.counts.failed();
        deviation += (row.response.burstiness * row.counts.completed as f64).sqrt();
        if !commands.iter().any(|known| known == command.name) {
            commands.push(command.name.to_owned());
        }
    }
    // Bursts of the members may coincide: standard deviations add up at worst, phi <= (sum sqrt(phi n))^2 / sum n.
    let burstiness = (deviation.powi(2) / f64::max(completed as f64, 1.0)).max(1.0);
    (!commands.is_empty()).then(|| Family {
        kind,
        commands,
        response: Distribution::new(response, burstiness),
        completed,
        failed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{analysis::analyse, results::sample};

    #[test]
    fn kinds_add_up_what_all_services_sent() {
        let families = analyse(&sample::run(), &sample::scenario()).families;
        let of = |kind| families.iter().find(|family| family.kind == kind);
        let (get, reads) = (of(FamilyKind::Get).unwrap(), of(FamilyKind::Reads).unwrap());
        assert_eq!(get.commands, ["GET"]);
        assert_eq!(reads.commands, ["GET", "HGETALL", "ZRANGE"]);
        assert!(reads.completed > get.completed && get.response.histogram.len() == get.completed);
        assert_eq!(of(FamilyKind::Lists).unwrap().commands, ["LPUSH"]);
        assert!(of(FamilyKind::ZAdd).is_none(), "a step of a sequence is no operation");
    }
}
