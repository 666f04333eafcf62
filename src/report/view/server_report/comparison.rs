//! Measured against the target: how many times faster, and how each operation is classified.

use super::blocks::{against_target, operation_name, plain_table};
use crate::{
    analysis::{FamilyKind, Grade},
    report::{
        format::{self, NOTHING},
        subject::RunReport,
        view::{Block, Cell, Column, Section, Tone},
    },
    results::slug,
};

/// Rows of the comparison.
const COMPARED: [(FamilyKind, &str); 5] = [
    (FamilyKind::Reads, "Read operations"),
    (FamilyKind::Writes, "Write operations"),
    (FamilyKind::Hashes, "Hash operations"),
    (FamilyKind::Lists, "List operations"),
    (FamilyKind::SortedSets, "Sorted set operations"),
];

const GRADES: [Grade; 4] = [Grade::Excellent, Grade::Good, Grade::Acceptable, Grade::Missed];

pub(super) fn section(facts: &RunReport) -> Section {
    let blocks = vec![
        comparison(facts),
        Block::Heading("Performance classification".to_owned()),
        Block::Facts(classification(facts)),
    ];
    Section::new("comparison", "Comparison with the target", blocks)
}

fn comparison(facts: &RunReport) -> Block {
    let columns = vec![
        Column::head("Metric"),
        Column::times("Measured mean", 0),
        Column::words("Target", 1),
        Column::words("Performance", 0),
    ];
    let pings = facts.pings();
    let ping = (!pings.is_empty()).then(|| pings.iter().sum::<u64>() as f64 / pings.len() as f64);
    let families = COMPARED.iter().filter_map(|(kind, name)| Some((*name, facts.family(*kind)?.response.mean)));
    let rows = [("Ping latency", ping)].into_iter().chain(families).map(|(name, mean)| {
        vec![
            name.into(),
            Cell::time(mean),
            format!("< {}", format::setting(facts.scenario.objective.latency)).into(),
            mean.filter(|mean| *mean > 0.0).map_or_else(|| Cell::from(NOTHING), |mean| verdict(facts.target() / mean)),
        ]
    });
    plain_table("comparison-table", "Measured against the target", columns, rows.collect())
}

fn verdict(times: f64) -> Cell {
    Cell::new(against_target(times), if times >= 1.0 { Tone::Good } else { Tone::Bad })
}

fn classification(facts: &RunReport) -> Vec<(String, String)> {
    let objective = &facts.scenario.objective;
    let target = format::setting(objective.latency);
    let limits = ["up to 5 %", "up to 25 %", "up to 100 %", "above 100 %"];
    let mut classes: Vec<_> = GRADES
        .iter()
        .zip(limits)
        .filter_map(|(grade, limit)| {
            let of: Vec<_> = facts
                .operations()
                .into_iter()
                .filter(|row| row.grade == Some(*grade))
                .map(|row| {
                    let service = row.scope.service.as_deref().unwrap_or_default();
                    format!("{service} {}", operation_name(&row.scope))
                })
                .collect();
            let name = format!("{} ({} {limit} of {target})", slug(grade), format::percentile(objective.percentile));
            (!of.is_empty()).then(|| (name, format!("{} of {}: {}", of.len(), facts.operations().len(), of.join(", "))))
        })
        .collect();
    let ungraded: Vec<_> = facts
        .operations()
        .into_iter()
        .filter(|row| row.grade.is_none())
        .map(|row| format!("{} {}", row.scope.service.as_deref().unwrap_or_default(), operation_name(&row.scope)))
        .collect();
    if !ungraded.is_empty() {
        let name = format!("Not classified (too few samples for {})", format::percentile(objective.percentile));
        classes.push((name, ungraded.join(", ")));
    }
    classes
}
