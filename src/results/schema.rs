//! JSON Schemas of what is saved and printed, derived from the types.

use schemars::{JsonSchema, Schema, generate::SchemaSettings, transform::RecursiveTransform};
use serde_json::{Value, json};

/// JSON Schema (draft 2020-12) of documents that are read: a field that may be absent is optional. Descriptions are the doc comments
/// of the types.
pub fn schema_of<T: JsonSchema>() -> Value {
    generate::<T>(SchemaSettings::draft2020_12().for_deserialize())
}

/// JSON Schema (draft 2020-12) of documents that are written: a field is optional only where it is left out of some.
pub fn schema_of_output<T: JsonSchema>() -> Value {
    generate::<T>(SchemaSettings::draft2020_12().for_serialize())
}

fn generate<T: JsonSchema>(settings: SchemaSettings) -> Value {
    settings.with_transform(RecursiveTransform(finish)).into_generator().into_root_schema_for::<T>().to_value()
}

/// Refuses unknown fields, although readers ignore them, so that what is written is validated strictly; bounds integers by their types;
/// and takes the marks of links out of doc comments.
fn finish(schema: &mut Schema) {
    let Some(object) = schema.as_object_mut() else { return };
    if object.remove("format").is_some_and(|format| format == "uint32") {
        object.entry("maximum").or_insert(json!(u32::MAX));
    }
    if object.contains_key("properties") {
        object.entry("additionalProperties").or_insert(json!(false));
    }
    if let Some(Value::String(text)) = object.get_mut("description") {
        *text = text.replace('\n', " ").replace("[`", "`").replace("`]", "`");
    }
}

#[cfg(test)]
mod tests {
    use jsonschema::Validator;

    use super::*;
    use crate::results::{
        Baseline, Capacity, Ci, Ended, InCheck, Purpose, Run, Verdict,
        sample::{
            self,
            forms::{KINDS, Kind},
        },
    };

    fn validator(schema: &Value) -> Validator {
        jsonschema::draft202012::new(schema).unwrap()
    }

    fn accepts<T: JsonSchema>(text: &str) -> bool {
        validator(&schema_of::<T>()).is_valid(&serde_json::from_str(text).unwrap())
    }

    /// Paths of everything inside a value.
    fn paths(value: &Value, at: &str) -> Vec<String> {
        let mut found = vec![at.to_owned()];
        match value {
            Value::Object(fields) => {
                found.extend(fields.iter().flat_map(|(name, field)| paths(field, &format!("{at}/{name}"))));
            }
            Value::Array(items) => {
                found.extend(
                    items.iter().enumerate().flat_map(|(at_item, item)| paths(item, &format!("{at}/{at_item}"))),
                );
            }
            _ => {}
        }
        found
    }

    #[test]
    fn what_is_written_is_accepted() {
        for Kind { full, schema, .. } in KINDS {
            let (schema, full) = (validator(&schema()), full());
            let faults: Vec<String> = schema.iter_errors(&full).map(|error| error.to_string()).collect();
            assert_eq!(faults, [] as [&str; 0]);
        }
        assert!(accepts::<Run>(&sample::run().to_json()));
        for verdict in [Verdict::Pass, Verdict::Fail, Verdict::Inconclusive, Verdict::Invalid] {
            let mut written = Baseline::new(sample::abstracts(1));
            (written.runs[0].verdict, written.runs[0].calibration) = (verdict, None);
            assert!(accepts::<Baseline>(&written.to_json()));
        }
        for ended in [
            Ended::Running,
            Ended::Finished,
            Ended::Budget,
            Ended::Interrupted,
            Ended::Errors,
            Ended::Lost,
            Ended::LoadFailed,
        ] {
            for purpose in [Purpose::Search, Purpose::Confirm, Purpose::Above, Purpose::Curve] {
                let mut written = Capacity { ended, ..sample::small_capacity() };
                written.trials[0].purpose = purpose;
                assert!(accepts::<Capacity>(&written.to_json()));
            }
        }
        for outcome in InCheck::ALL.iter().copied() {
            let mut written = sample::small_ci();
            written.scenarios[0].checks[0].outcome = outcome;
            assert!(accepts::<Ci>(&written.to_json()));
        }
    }

    /// Fields without which a document is refused, or values that replace those at a path, and whether the result is accepted.
    #[test]
    fn missing_fields_other_types_and_unknown_values_are_refused() {
        let cases: [(&str, &str, Option<Value>, bool); 49] = [
            ("run", "/schema_version", Some(json!(1)), false),
            ("run", "/schema_version", None, false),
            ("run", "/software/commit", None, true),
            ("run", "/software/fred", None, false),
            ("run", "/server", None, false),
            ("run", "/calibration", None, true),
            ("run", "/target/elsewhere", None, true),
            ("run", "/target/elsewhere", Some(json!(null)), false),
            ("run", "/target/settings/0", Some(json!(["maxmemory"])), false),
            ("run", "/target/settings/0", Some(json!(["maxmemory", "1", "2"])), false),
            ("run", "/environment/cores", Some(json!(-1)), false),
            ("run", "/environment/cores", Some(json!(4_294_967_296_u64)), false),
            ("run", "/recording/period/measured_ns", Some(json!(1.5)), false),
            ("run", "/recording/series/0/key/role", Some(json!("else")), false),
            ("run", "/recording/series/0/seconds/0/counts/completed", None, true),
            ("run", "/recording/series/0/seconds/0/counts/completed", Some(json!(-1)), false),
            ("run", "/recording/series/0/seconds/0/counts/errors/unheard of", Some(json!(1)), false),
            ("run", "/recording/series/0/seconds/0/response", Some(json!("~")), false),
            ("run", "/recording/series/0/seconds/0/response", Some(json!("")), true),
            ("run", "/recording/series/0/messages/NOAUTH", Some(json!(1)), false),
            ("run", "/recording/services/0/seconds/0/silences", None, true),
            ("run", "/recording/host/0/busy", Some(json!(null)), true),
            ("run", "/server/before/persistence", Some(json!(["defragmentation"])), false),
            ("run", "/server/slowlog/threshold_us", Some(json!(-1)), true),
            ("run", "/server/slowlog/count", Some(json!(-1)), false),
            ("run", "/inspection/info/surplus", Some(json!("x")), true),
            ("run", "/inspection/info/surplus", Some(json!(1)), false),
            ("run", "/inspection/logins/0/proof", Some(json!({"proven": {}})), false),
            ("run", "/inspection/logins/0/proof", Some(json!({"untried": {"reason": "why"}})), true),
            ("run", "/dependencies/0/status", Some(json!(65_536)), false),
            ("run", "/dependencies/0/probes/0/phase", Some(json!("later")), false),
            ("capacity", "/plan/arms", Some(json!([])), false),
            ("capacity", "/plan/max_rate", None, true),
            ("capacity", "/trials/0/within", Some(json!([1, 2, 3, 4, 5])), false),
            ("capacity", "/trials/0/purpose", Some(json!("closed")), true),
            ("capacity", "/trials/0/purpose", Some(json!("other")), false),
            ("capacity", "/trials/0/services", None, false),
            ("capacity", "/trials/0/services/0/hold_mean", Some(json!("1")), false),
            ("gate", "/arms/1", None, false),
            ("gate", "/blocks/0/stage", Some(json!("third")), false),
            ("gate", "/blocks/0/slices/0/arm", Some(json!(2)), false),
            ("gate", "/plan/advisory", Some(json!(null)), true),
            ("gate", "/plan/advisory", Some(json!("why")), false),
            ("ci", "/exit_code", Some(json!(256)), false),
            ("ci", "/scenarios/0/measures/0/unit", Some(json!("ms")), false),
            ("ci", "/scenarios/0/checks/0/service", None, true),
            ("baseline", "/runs", Some(json!([])), false),
            ("baseline", "/runs/0/verdict", Some(json!("good")), false),
            ("baseline", "/runs/0/rows", Some(json!([])), false),
        ];
        for (kind, path, change, accepted) in cases {
            let kind = KINDS.iter().find(|known| known.name == kind).unwrap();
            let mut document = (kind.full)();
            let (parent, name) = path.rsplit_once('/').unwrap();
            match (document.pointer_mut(parent).unwrap(), change.clone()) {
                (Value::Object(fields), Some(value)) => drop(fields.insert(name.to_owned(), value)),
                (Value::Object(fields), None) => drop(fields.remove(name)),
                (Value::Array(items), Some(value)) => items[name.parse::<usize>().unwrap()] = value,
                (Value::Array(items), None) => drop(items.remove(name.parse().unwrap())),
                _ => panic!("{path}"),
            }
            assert_eq!(validator(&(kind.schema)()).is_valid(&document), accepted, "{path} {change:?}");
        }
    }

    #[test]
    fn unknown_fields_are_refused_everywhere() {
        // These hold names of the server's own.
        let is_open = |path: &str| ["/settings", "/info", "/facts"].iter().any(|open| path.ends_with(open));
        for Kind { full, schema, .. } in KINDS {
            let (schema, full) = (validator(&schema()), full());
            for path in paths(&full, "").into_iter().filter(|path| !is_open(path)) {
                let mut more = full.clone();
                if let Value::Object(fields) = more.pointer_mut(&path).unwrap() {
                    fields.insert("surplus".to_owned(), json!("x"));
                    assert!(!schema.is_valid(&more), "{path}");
                }
            }
        }
    }

    #[test]
    fn what_is_accepted_can_be_read() {
        for Kind { full, schema, read, .. } in KINDS {
            let (schema, full) = (validator(&schema()), full());
            for path in paths(&full, "") {
                for other in [json!(-1), json!("~"), json!(true), json!(null), json!({}), json!([1])] {
                    let mut changed = full.clone();
                    *changed.pointer_mut(&path).unwrap() = other;
                    let refusal = || read(&changed.to_string()).err().map(|error| error.to_string());
                    assert!(!schema.is_valid(&changed) || refusal().is_none(), "{path}: {:?}", refusal());
                }
            }
        }
    }
}
