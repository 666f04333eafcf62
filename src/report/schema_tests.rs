//! What the schemas of documents accept and what they refuse, found out by changing documents.

use std::collections::BTreeMap;

use jsonschema::Validator;
use serde_json::{Value, json};

use super::Printed;

/// Words of any field that takes one of a list.
const WORDS: &[&str] = &[
    "ACCEPTABLE",
    "EXCELLENT",
    "GOOD",
    "MISSED",
    "accounts",
    "achieved_rate",
    "address",
    "aof-rewrite",
    "backlog",
    "baseline",
    "beyond_range",
    "budget",
    "bytes",
    "client-cpu",
    "command",
    "configuration",
    "cores",
    "cpu",
    "critical",
    "drift",
    "elsewhere",
    "errors",
    "fail",
    "finished",
    "fred",
    "grow",
    "harm",
    "improved",
    "inconclusive",
    "interrupted",
    "invalid",
    "kernel",
    "late",
    "littles_law",
    "lost",
    "mean",
    "misses",
    "mode",
    "no-benefit",
    "not_comparable",
    "note",
    "occasion",
    "ok",
    "operation",
    "p50",
    "p99",
    "pacing",
    "panics",
    "pass",
    "passed",
    "pauses",
    "plimsoll",
    "pool",
    "private",
    "problem",
    "product",
    "profile",
    "ratio",
    "refuse",
    "regression",
    "response_p50_us",
    "response_p99_us",
    "round-trip",
    "run",
    "running",
    "same_machine",
    "scenario",
    "schedule_lag",
    "seconds",
    "server-cpu",
    "service",
    "service-late",
    "setting",
    "shell",
    "shortfall",
    "steal",
    "step",
    "tail-only",
    "threshold",
    "throttling",
    "throughput",
    "throughput_per_s",
    "tolerance",
    "total",
    "unclear",
    "undetermined",
    "uniform",
    "unknown",
    "upkeep",
    "version",
    "warn",
    "warning",
    "worker_cpu",
    "workers",
    "wire",
];

/// What the schema of a document accepts and what the document holds: for each field a line with what may stand there, `?` after a
/// field that may be missing, `+` after an object that may have further fields, `=` before the value or the length of the list.
///
/// Documents are line together, since none has every field. What a list holds is looked at once.
pub(super) fn accepted(printed: Printed, documents: &[String]) -> String {
    let validator = jsonschema::draft202012::new(&printed.schema()).unwrap();
    let mut fields = BTreeMap::new();
    for document in documents {
        let mut document: Value = serde_json::from_str(document).unwrap();
        let faults: Vec<_> =
            validator.iter_errors(&document).map(|fault| format!("{}: {fault}", fault.instance_path())).collect();
        assert_eq!(faults, Vec::<String>::new());
        let whole = document.clone();
        shorten(&mut document);
        for (path, pointer) in paths(&document) {
            let holds = || held(whole.pointer(&pointer).unwrap());
            fields.entry(path).or_insert_with(|| field(&validator, &document, &pointer) + &holds());
        }
    }
    fields.into_iter().map(|(path, line)| format!("{path}{line}")).collect::<Vec<_>>().join("\n")
}

/// The value of a field. Sentences are in the snapshots of the terminal and of Markdown.
fn held(value: &Value) -> String {
    match value {
        Value::Object(_) => String::new(),
        Value::Array(items) => format!(" = {} items", items.len()),
        Value::String(text) if text.contains(' ') => " = words".to_owned(),
        other => format!(" = {other}"),
    }
}

/// Cuts long lists, since every change is checked against the whole document.
fn shorten(value: &mut Value) {
    match value {
        Value::Array(items) => {
            items.truncate(3);
            items.iter_mut().for_each(shorten);
        }
        Value::Object(fields) => fields.values_mut().for_each(shorten),
        _ => {}
    }
}

/// Every path of a document in which `*` stands for places in a list, with a pointer to the first value there.
fn paths(document: &Value) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut open = vec![(String::new(), String::new(), document)];
    while let Some((path, pointer, value)) = open.pop() {
        found.entry(path.clone()).or_insert_with(|| pointer.clone());
        match value {
            Value::Object(fields) => open.extend(
                fields.iter().map(|(name, field)| (format!("{path}/{name}"), format!("{pointer}/{name}"), field)),
            ),
            Value::Array(items) => open.extend(
                items.iter().enumerate().rev().map(|(at, item)| (format!("{path}/*"), format!("{pointer}/{at}"), item)),
            ),
            _ => {}
        }
    }
    found
}

/// What may stand at a place of a document.
fn field(validator: &Validator, document: &Value, pointer: &str) -> String {
    let is_valid = |change: &dyn Fn(&mut Value)| {
        let mut changed = document.clone();
        change(changed.pointer_mut(pointer).unwrap());
        validator.is_valid(&changed)
    };
    let takes = |other: &Value| is_valid(&|value| other.clone_into(value));
    let may_be_missing = pointer.rsplit_once('/').is_some_and(|(parent, name)| {
        let mut changed = document.clone();
        let parent = changed.pointer_mut(parent).unwrap();
        parent.as_object_mut().is_some_and(|fields| fields.remove(name).is_some()) && validator.is_valid(&changed)
    });
    let is_open = is_valid(&|value| {
        value.as_object_mut().map(|fields| fields.insert("surplus".to_owned(), json!("x")));
    });
    let value = document.pointer(pointer).unwrap();
    let missing = if may_be_missing { "?" } else { "" };
    let open = if value.is_object() && is_open { "+" } else { "" };
    let mut line = vec![format!("{missing}{open}:")];
    let others = [
        json!(null),
        json!(true),
        json!(-1),
        json!(0),
        json!(0.5),
        json!(1),
        json!(7),
        json!(200),
        json!({}),
        json!([]),
        json!([1]),
        json!(["~"]),
        json!("~"),
    ];
    line.extend(others.iter().filter(|other| takes(other)).map(Value::to_string));
    if (value.is_string() || value.is_null()) && !takes(&json!("~")) {
        line.extend(WORDS.iter().filter(|word| takes(&json!(word))).map(ToString::to_string));
    }
    if let Value::Array(items) = value
        && let Some(last) = items.last()
    {
        let lengths = [("shorter", items.len() - 1), ("longer", items.len() + 1)].into_iter();
        let fits = |length| is_valid(&|value| value.as_array_mut().unwrap().resize(length, last.clone()));
        line.extend(lengths.filter(|(_, length)| fits(*length)).map(|(name, _)| name.to_owned()));
    }
    line.join(" ")
}
