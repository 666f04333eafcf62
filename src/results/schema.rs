//! JSON Schema of the saved run.

use serde_json::Value;

const SCHEMA: &str = include_str!("run.schema.json");

/// JSON Schema (draft 2020-12) of `run.json`, with a description of every field.
pub fn schema() -> Value {
    serde_json::from_str(SCHEMA).expect("the schema is JSON")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jsonschema::Validator;
    use serde_json::json;

    use super::*;
    use crate::{
        measure::ErrorClass,
        results::{Run, SCHEMA_VERSION, sample},
    };

    /// A small run in which every field and every class of failure occurs.
    fn full() -> Value {
        let mut run = sample::run();
        let errors = ErrorClass::ALL.iter().map(|class| (*class, 1)).collect();
        let series = &mut run.recording.series[0];
        series.seconds.truncate(2);
        series.seconds[0].counts.errors = errors;
        series.messages = ErrorClass::ALL.iter().map(|class| (*class, "why".to_owned())).collect();
        run.recording.series.truncate(1);
        run.recording.services.truncate(1);
        run.recording.services[0].seconds.truncate(2);
        run.recording.host.truncate(1);
        run.recording.workers.truncate(1);
        serde_json::from_str(&run.to_json()).unwrap()
    }

    fn validator() -> Validator {
        jsonschema::draft202012::new(&schema()).unwrap()
    }

    /// Paths of everything inside a value that `of` picks.
    fn paths(value: &Value, at: &str, of: &impl Fn(&Value) -> bool) -> Vec<String> {
        let mut found = if of(value) { vec![at.to_owned()] } else { Vec::new() };
        match value {
            Value::Object(fields) => {
                for (name, field) in fields {
                    found.extend(paths(field, &format!("{at}/{name}"), of));
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    found.extend(paths(item, &format!("{at}/{index}"), of));
                }
            }
            _ => {}
        }
        found
    }

    /// Whether the schema and the reader take it; they must agree.
    fn verdict(validator: &Validator, value: &Value) -> bool {
        let (schema, reader) = (validator.is_valid(value), Run::from_json(&value.to_string()));
        assert_eq!(schema, reader.is_ok(), "{reader:?}");
        schema
    }

    #[test]
    fn describes_what_is_written() {
        let validator = validator();
        for run in [full(), serde_json::from_str(&sample::run().to_json()).unwrap()] {
            let faults: Vec<String> = validator.iter_errors(&run).map(|error| error.to_string()).collect();
            assert_eq!(faults, [] as [&str; 0]);
            assert!(verdict(&validator, &run));
        }
    }

    #[test]
    fn schema_and_reader_agree_on_every_missing_field() {
        let (validator, run) = (validator(), full());
        let mut refused = 0;
        for path in paths(&run, "", &|value| value.is_object()) {
            let names: Vec<String> = run.pointer(&path).unwrap().as_object().unwrap().keys().cloned().collect();
            for name in names {
                let mut cut = run.clone();
                cut.pointer_mut(&path).unwrap().as_object_mut().unwrap().remove(&name);
                refused += usize::from(!verdict(&validator, &cut));
            }
        }
        assert!(refused > 50, "{refused}");
    }

    #[test]
    fn schema_and_reader_refuse_every_unknown_field() {
        let (validator, run) = (validator(), full());
        // These two hold names of the server's own.
        let is_open = |path: &str| path.ends_with("/settings") || path.ends_with("/info");
        for path in paths(&run, "", &|value| value.is_object()).into_iter().filter(|path| !is_open(path)) {
            let mut more = run.clone();
            more.pointer_mut(&path).unwrap().as_object_mut().unwrap().insert("surplus".into(), json!("x"));
            assert!(!verdict(&validator, &more), "{path}");
        }
    }

    #[test]
    fn schema_and_reader_agree_on_types() {
        let (validator, run) = (validator(), full());
        for path in paths(&run, "", &|value| !value.is_object()) {
            for other in [json!(-1), json!("~"), json!(true), json!(null), json!({}), json!([1])] {
                let mut changed = run.clone();
                *changed.pointer_mut(&path).unwrap() = other;
                verdict(&validator, &changed);
            }
        }
    }

    #[test]
    fn knows_the_version_and_describes_every_field() {
        assert_eq!(schema()["properties"]["schema_version"]["const"], json!(SCHEMA_VERSION));
        let undescribed: BTreeSet<String> = paths(&schema(), "", &|value| value.get("properties").is_some())
            .into_iter()
            .flat_map(|path| {
                let object = schema().pointer(&path).unwrap()["properties"].as_object().unwrap().clone();
                let bare = object.into_iter().filter(|(_, field)| {
                    let target = field.get("$ref").and_then(Value::as_str).map(|name| name.trim_start_matches('#'));
                    let described = |value: &Value| value.get("description").is_some();
                    !described(field) && !target.is_some_and(|name| described(schema().pointer(name).unwrap()))
                });
                bare.map(|(name, _)| name).collect::<Vec<_>>()
            })
            .collect();
        assert_eq!(undescribed, BTreeSet::new());
    }
}
