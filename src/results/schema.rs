//! JSON Schemas of what is saved: runs, capacity runs, gates, baselines and what `plimsoll ci` saves.

use serde_json::Value;

const SCHEMA: &str = include_str!("run.schema.json");
const CAPACITY: &str = include_str!("capacity.schema.json");
const GATE: &str = include_str!("gate.schema.json");
const CI: &str = include_str!("ci.schema.json");
const BASELINE: &str = include_str!("baseline.schema.json");

/// JSON Schema (draft 2020-12) of `run.json`, with a description of every field.
pub fn schema() -> Value {
    serde_json::from_str(SCHEMA).expect("the schema is JSON")
}

/// JSON Schema (draft 2020-12) of `capacity.json`, with a description of every field.
pub fn capacity_schema() -> Value {
    serde_json::from_str(CAPACITY).expect("the schema is JSON")
}

/// JSON Schema (draft 2020-12) of `gate.json`, with a description of every field.
pub fn gate_schema() -> Value {
    serde_json::from_str(GATE).expect("the schema is JSON")
}

/// JSON Schema (draft 2020-12) of `ci.json`, with a description of every field.
pub fn ci_schema() -> Value {
    serde_json::from_str(CI).expect("the schema is JSON")
}

/// JSON Schema (draft 2020-12) of a baseline, with a description of every field.
pub fn baseline_schema() -> Value {
    serde_json::from_str(BASELINE).expect("the schema is JSON")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jsonschema::Validator;
    use serde_json::json;

    use super::*;
    use crate::results::{
        BASELINE_VERSION, Baseline, CAPACITY_VERSION, CI_VERSION, Capacity, Ci, CiOutcome, Ended, GATE_VERSION, Gate,
        Judged, Purpose, Run, SCHEMA_VERSION,
        sample::{self, forms},
    };

    /// What a schema is held against.
    struct Held {
        schema: Value,
        validator: Validator,
        /// A document in which every field occurs.
        full: Value,
        /// Why the reader refuses a text, if it does.
        refusal: fn(&str) -> Option<String>,
        version: u32,
        /// Required fields that there are at least.
        fields: usize,
    }

    impl Held {
        /// Whether the schema accepts it; what it accepts can be read.
        fn verdict(&self, value: &Value) -> bool {
            let accepted = self.validator.is_valid(value);
            let refusal = (self.refusal)(&value.to_string());
            assert!(!accepted || refusal.is_none(), "{refusal:?}");
            accepted
        }
    }

    fn all() -> [Held; 5] {
        let validator = |schema: &Value| jsonschema::draft202012::new(schema).unwrap();
        let (run, capacity, of_gate, ci, baseline) =
            (schema(), capacity_schema(), gate_schema(), ci_schema(), baseline_schema());
        [
            Held {
                validator: validator(&run),
                schema: run,
                full: forms::full_run(),
                refusal: |text| Run::from_json(text).err().map(|error| error.to_string()),
                version: SCHEMA_VERSION,
                fields: 50,
            },
            Held {
                validator: validator(&capacity),
                schema: capacity,
                full: forms::full_capacity(),
                refusal: |text| Capacity::from_json(text).err().map(|error| error.to_string()),
                version: CAPACITY_VERSION,
                fields: 40,
            },
            Held {
                validator: validator(&of_gate),
                schema: of_gate,
                full: forms::full_gate(),
                refusal: |text| Gate::from_json(text).err().map(|error| error.to_string()),
                version: GATE_VERSION,
                fields: 40,
            },
            Held {
                validator: validator(&ci),
                schema: ci,
                full: forms::full_ci(),
                refusal: |text| Ci::from_json(text).err().map(|error| error.to_string()),
                version: CI_VERSION,
                fields: 20,
            },
            Held {
                validator: validator(&baseline),
                schema: baseline,
                full: forms::full_baseline(),
                refusal: |text| Baseline::from_json(text).err().map(|error| error.to_string()),
                version: BASELINE_VERSION,
                fields: 40,
            },
        ]
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

    #[test]
    fn describes_what_is_written() {
        for held in all() {
            let faults: Vec<String> = held.validator.iter_errors(&held.full).map(|error| error.to_string()).collect();
            assert_eq!(faults, [] as [&str; 0]);
            assert!(held.verdict(&held.full));
        }
        let [run, capacity, _, ci, baseline] = all();
        for verdict in [Judged::Pass, Judged::Fail, Judged::Inconclusive, Judged::Invalid] {
            let mut written = Baseline::new(sample::abstracts(1));
            (written.runs[0].verdict, written.runs[0].calibration) = (verdict, None);
            assert!(baseline.verdict(&serde_json::from_str(&written.to_json()).unwrap()));
        }
        assert!(run.verdict(&serde_json::from_str(&sample::run().to_json()).unwrap()));
        for ended in [Ended::Running, Ended::Finished, Ended::Budget, Ended::Interrupted, Ended::Errors, Ended::Lost] {
            for purpose in [Purpose::Search, Purpose::Confirm, Purpose::Above, Purpose::Compare, Purpose::Curve] {
                let mut written = Capacity { ended, ..sample::small_capacity() };
                written.trials[0].purpose = purpose;
                assert!(capacity.verdict(&serde_json::from_str(&written.to_json()).unwrap()));
            }
        }
        for outcome in CiOutcome::ALL {
            let mut written = sample::small_ci();
            written.scenarios[0].checks[0].outcome = outcome;
            assert!(ci.verdict(&serde_json::from_str(&written.to_json()).unwrap()));
        }
    }

    #[test]
    fn what_the_schema_accepts_without_a_field_can_be_read() {
        for held in all() {
            let mut refused = 0;
            for path in paths(&held.full, "", &|value| value.is_object()) {
                let names: Vec<String> =
                    held.full.pointer(&path).unwrap().as_object().unwrap().keys().cloned().collect();
                for name in names {
                    let mut cut = held.full.clone();
                    cut.pointer_mut(&path).unwrap().as_object_mut().unwrap().remove(&name);
                    refused += usize::from(!held.verdict(&cut));
                }
            }
            assert!(refused > held.fields, "{refused}");
        }
    }

    #[test]
    fn the_schema_refuses_every_unknown_field() {
        // These two hold names of the server's own.
        let is_open = |path: &str| path.ends_with("/settings") || path.ends_with("/info");
        for held in all() {
            let closed = paths(&held.full, "", &|value| value.is_object()).into_iter().filter(|path| !is_open(path));
            for path in closed {
                let mut more = held.full.clone();
                more.pointer_mut(&path).unwrap().as_object_mut().unwrap().insert("surplus".into(), json!("x"));
                assert!(!held.verdict(&more), "{path}");
                // The names of these are values: classes of failure, and variants of an enumeration.
                if !["errors", "messages", "proof"].iter().any(|name| path.ends_with(name)) {
                    assert_eq!((held.refusal)(&more.to_string()), None, "the reader ignores it");
                }
            }
        }
    }

    #[test]
    fn what_the_schema_accepts_of_another_type_can_be_read() {
        for held in all() {
            for path in paths(&held.full, "", &|value| !value.is_object()) {
                for other in [json!(-1), json!("~"), json!(true), json!(null), json!({}), json!([1])] {
                    let mut changed = held.full.clone();
                    *changed.pointer_mut(&path).unwrap() = other;
                    held.verdict(&changed);
                }
            }
        }
    }

    #[test]
    fn knows_the_version_and_describes_every_field() {
        for Held { schema, version, .. } in all() {
            assert_eq!(schema["properties"]["schema_version"]["const"], json!(version));
            let undescribed: BTreeSet<String> = paths(&schema, "", &|value| value.get("properties").is_some())
                .into_iter()
                .flat_map(|path| {
                    let object = schema.pointer(&path).unwrap()["properties"].as_object().unwrap().clone();
                    let bare = object.into_iter().filter(|(_, field)| {
                        let target = field.get("$ref").and_then(Value::as_str).map(|name| name.trim_start_matches('#'));
                        let described = |value: &Value| value.get("description").is_some();
                        !described(field) && !target.is_some_and(|name| described(schema.pointer(name).unwrap()))
                    });
                    bare.map(|(name, _)| name).collect::<Vec<_>>()
                })
                .collect();
            assert_eq!(undescribed, BTreeSet::new());
        }
    }
}
