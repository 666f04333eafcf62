//! Events of the command line, behind those of the scenario's text.

use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, Value};

use super::{
    duration::format_duration,
    errors::{ScenarioError, ScenarioErrors},
    event::{Event, too_late},
    model::Scenario,
    read::parse,
};

/// The scenario with further events.
pub(super) fn append(scenario: Scenario, file: &str, events: &[Event]) -> Result<Scenario, ScenarioErrors> {
    if events.is_empty() {
        return Ok(scenario);
    }
    let wrong = |event: &Event| {
        let message = too_late(event.at, scenario.run.duration)?;
        Some(ScenarioError::Override { argument: format!("--at {event}"), message })
    };
    let errors: Vec<_> = events.iter().filter_map(wrong).collect();
    if !errors.is_empty() {
        return Err(ScenarioErrors::new(errors));
    }
    let mut document: DocumentMut = scenario.source.parse().expect("a text that was read as TOML is TOML");
    let list = document.entry("event").or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
    for event in events {
        let mut entries = Table::new();
        entries.insert("at", Item::Value(format_duration(event.at).into()));
        entries.insert("do", Item::Value(event.action.to_string().into()));
        match list {
            Item::ArrayOfTables(tables) => tables.push(entries),
            Item::Value(Value::Array(values)) => values.push(entries.into_inline_table()),
            _ => unreachable!("events that were read are a list"),
        }
    }
    parse(&document.to_string(), file)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::scenario::Overrides;

    const TEXT: &str = "name = \"x\"\n[[service]]\nname = \"s\"\nload.rate = 1\noperation = [{ command = \"GET\" }]\n";

    #[test]
    fn events_are_appended_however_the_others_are_written() {
        let events = vec!["1s=stop:1:5s".parse().unwrap(), "2s=failover".parse().unwrap()];
        let overrides = Overrides { events: events.clone(), ..Overrides::default() };
        assert_eq!(overrides.apply(TEXT, "x.toml").unwrap().events, events);
        let first: Event = "0s=kill:2".parse().unwrap();
        let of_tables = format!("{TEXT}\n[[event]]\nat = \"0s\"\ndo = \"kill:2\"\n");
        let of_values = format!("event = [{{ at = \"0s\", do = \"kill:2\" }}]\n{TEXT}");
        for text in [of_tables, of_values] {
            let all = overrides.apply(&text, "x.toml").unwrap().events;
            assert_eq!(all, [std::slice::from_ref(&first), &events].concat());
        }
        let late = Overrides { duration: Some(Duration::from_secs(2)), ..overrides }.apply(TEXT, "x.toml").unwrap_err();
        assert!(late.to_string().contains("--at 2s=failover: 2s is not within the measured period of 2s"), "{late}");
    }
}
