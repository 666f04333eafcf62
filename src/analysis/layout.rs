//! Rows of a summary, with the series that each of them adds up.

use super::Scope;
use crate::measure::{Recording, SeriesKey, SeriesRole};

/// One row before anything is known about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Outline {
    pub(super) scope: Scope,
    /// Positions of its series in the recording.
    pub(super) series: Vec<usize>,
}

/// Operations, each followed by its steps and its upkeep, then the services, then the whole.
pub(super) fn outlines(recording: &Recording) -> Vec<Outline> {
    let keys: Vec<&SeriesKey> = recording.series.iter().map(|series| &series.key).collect();
    let operations = |service: Option<&str>| -> Vec<usize> {
        let of_service = |key: &SeriesKey| service.is_none_or(|name| key.service == name);
        let counted = |key: &&SeriesKey| key.role == SeriesRole::Operation && of_service(key);
        (0..keys.len()).filter(|&index| counted(&keys[index])).collect()
    };
    let mut order: Vec<usize> = (0..keys.len()).collect();
    // Stable, so steps and upkeep stay in the order in which they were recorded.
    order.sort_by_key(|&index| {
        let service = recording.services.iter().position(|service| service.name == keys[index].service);
        (service, owner(index, &keys).unwrap_or(keys.len()), keys[index].role != SeriesRole::Operation)
    });

    let mut rows: Vec<Outline> = order
        .into_iter()
        .map(|index| {
            let SeriesKey { service, operation, role } = keys[index].clone();
            Outline { scope: Scope { service: Some(service), operation: Some(operation), role }, series: vec![index] }
        })
        .collect();
    rows.extend(recording.services.iter().map(|service| Outline {
        scope: Scope { service: Some(service.name.clone()), operation: None, role: SeriesRole::Operation },
        series: operations(Some(&service.name)),
    }));
    rows.push(Outline {
        scope: Scope { service: None, operation: None, role: SeriesRole::Operation },
        series: operations(None),
    });
    rows
}

/// The operation that a series belongs to: itself, or the one whose name it continues.
fn owner(index: usize, keys: &[&SeriesKey]) -> Option<usize> {
    let key = keys[index];
    let continues = |candidate: &SeriesKey| {
        let rest = key.operation.strip_prefix(candidate.operation.as_str());
        match key.role {
            SeriesRole::Operation => rest == Some(""),
            SeriesRole::Step => rest.is_some_and(|rest| rest.starts_with('/')),
            SeriesRole::Upkeep => rest.is_some_and(|rest| rest.starts_with(['/', '+'])),
        }
    };
    (0..keys.len())
        .filter(|&other| keys[other].role == SeriesRole::Operation && keys[other].service == key.service)
        .filter(|&other| continues(keys[other]))
        .max_by_key(|&other| keys[other].operation.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::sample;

    #[test]
    fn operations_lead_their_steps_and_upkeep_and_sums_come_last() {
        let rows = outlines(&sample::run().recording);
        let names: Vec<String> = rows
            .iter()
            .map(|row| {
                let part = |part: &Option<String>| part.clone().unwrap_or_else(|| "*".into());
                format!("{} {}", part(&row.scope.service), part(&row.scope.operation))
            })
            .collect();
        let expected = [
            "api GET",
            "api SET",
            "api HSET",
            "chat LPUSH",
            "chat LPUSH+LTRIM",
            "chat post",
            "chat post/HSET",
            "chat post/ZADD",
            "chat post/PUBLISH",
            "chat PUBLISH",
            "ml HGETALL",
            "ml ZRANGE",
            "api *",
            "chat *",
            "ml *",
            "* *",
        ];
        assert_eq!(names, expected);
    }

    #[test]
    fn sums_hold_operations_only() {
        let recording = sample::run().recording;
        let rows = outlines(&recording);
        let whole = rows.last().unwrap();
        assert!(whole.series.iter().all(|&index| recording.series[index].key.role == SeriesRole::Operation));
        assert_eq!(whole.series.len(), 8);
    }
}
