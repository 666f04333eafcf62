//! Forms that earlier versions of plimsoll saved, brought to the form of today. Each change fills in what is absent or renames what
//! is there, so it applies to any earlier form and does nothing to a later one. None is ever removed: users keep results and
//! commit baselines. `tests/fixtures/saved` holds a document of every form.

use std::{collections::BTreeMap, mem};

use serde_json::{Map, Value, json};

use super::{Inspection, ServerRecord};

type Object = Map<String, Value>;

/// Brings a run to the form of today.
pub(super) fn run(document: &mut Value) {
    each(document, "", &mut |run| {
        // Format 1 had no inspection and no dependencies, and at first no server.
        add(run, "server", || json!(ServerRecord::default()));
        add(run, "inspection", || json!(Inspection::default()));
        add(run, "dependencies", || json!([]));
    });
    // The CPU time stood for the time with something to do.
    each(document, "recording/workers/*", &mut |worker| {
        let cpu = worker.get("cpu").cloned();
        add(worker, "busy", || cpu.unwrap_or_default());
    });
    each(document, "recording/services/*/seconds/*", &mut |second| {
        let level = |name| second.get(name).and_then(Value::as_f64).unwrap_or_default();
        let waiting = (level("in_system") - level("in_use")).max(0.0);
        add(second, "waiting", || json!(waiting));
        add(second, "idle_checks", || json!(0));
    });
    each(document, "server", &mut |server| add(server, "resets", || json!(0)));
    each(document, "server/seconds/*", &mut |second| add(second, "reset", || json!(false)));
    each(document, "server/events/*", &mut |event| {
        if let Some(latest) = event.remove("latest_ms") {
            add(event, "ms", || latest);
        }
    });
    each(document, "inspection", &mut |inspection| add(inspection, "pings", || json!([])));
    each(document, "inspection/logins/*", &mut |login| add(login, "harness", || json!([])));
    // Format 2 had lists of values without names.
    values(document, "inspection/logins/*/services/*", &mut |of| name(of, &["service", "database"]));
    values(document, "server/commands/*/histogram/*", &mut |below| name(below, &["bound_us", "calls"]));
}

/// Brings a capacity run to the form of today.
pub(super) fn capacity(document: &mut Value) {
    each(document, "trials/*", &mut |trial| {
        let number = |name| trial.get(name).and_then(Value::as_f64).unwrap_or_default();
        let throughput = number("completed") / (number("measured_ns") / 1e9).max(1e-9);
        add(trial, "throughput", || json!(throughput));
        add(trial, "services", || json!([]));
        // Format 1 had a list of values without names.
        if let Some(mut command) = trial.remove("dearest") {
            name(&mut command, &["name", "share", "mean_ns"]);
            add(trial, "most_expensive", || command);
        }
    });
    // Formats 1 and 2 had sentences.
    values(document, "trials/*/client_limited", &mut sentence);
    values(document, "trials/*/waived", &mut sentence);
    // Pool sizes were compared by trials of half the length, one after the other.
    each(document, "", &mut |run| {
        let mut slices = Vec::new();
        if let Some(Value::Array(trials)) = run.get_mut("trials") {
            (slices, *trials) = mem::take(trials).into_iter().partition(|trial| trial["purpose"] == "compare");
        }
        add(run, "blocks", || blocks(slices));
    });
}

/// The blocks that slices make: two of each number, of the smaller pool and of the larger one, without those that the harness limited.
fn blocks(slices: Vec<Value>) -> Value {
    let mut pairs: BTreeMap<u64, BTreeMap<u64, Value>> = BTreeMap::new();
    for slice in slices {
        if let (Some(block), Some(arm)) = (slice["block"].as_u64(), slice["arm"].as_u64()) {
            pairs.entry(block).or_default().insert(arm, slice);
        }
    }
    let whole = |slice: &Value| slice["client_limited"].is_null() && slice["waived"].is_null();
    let side = |slice: &Value| -> Object {
        let fields = ["scheduled", "completed", "failed", "unfinished", "throughput", "response", "service", "wait"];
        fields.map(|field| (field.to_owned(), slice[field].clone())).into_iter().collect()
    };
    let block = |(number, pair): (u64, BTreeMap<u64, Value>)| {
        let [smaller, larger]: [Value; 2] = pair.into_values().collect::<Vec<_>>().try_into().ok()?;
        let nanos = |slice: &Value, field: &str| slice[field].as_u64().unwrap_or_default();
        let busy = smaller["server_busy"].as_f64().zip(larger["server_busy"].as_f64());
        (whole(&smaller) && whole(&larger)).then(|| {
            json!({
                "from": smaller["arm"],
                "to": larger["arm"],
                "rate": smaller["offered"],
                "number": number % 8,
                "turn_ns": null,
                "began_ns": nanos(&smaller, "began_ns").min(nanos(&larger, "began_ns")),
                "measured_ns": nanos(&smaller, "measured_ns") + nanos(&larger, "measured_ns"),
                "lag_p50": 0,
                "stolen": null,
                "throttled": null,
                "server_busy": busy.map(|(smaller, larger)| f64::midpoint(smaller, larger)),
                "sides": [side(&smaller), side(&larger)],
            })
        })
    };
    pairs.into_iter().filter_map(block).collect()
}

/// Brings a gate to the form of today.
pub(super) fn gate(document: &mut Value) {
    // Format 1 had a sentence.
    values(document, "plan/advisory", &mut sentence);
}

/// Brings a baseline to the form of today.
pub(super) fn baseline(document: &mut Value) {
    // Format 1 had a list of values without names.
    values(document, "runs/*/course/*/response", &mut |worst| name(worst, &["p50", "p99"]));
}

/// Brings what `plimsoll ci` saved to the form of today.
pub(super) fn ci(document: &mut Value) {
    each(document, "scenarios/*/checks/*", &mut |check| {
        if check.get("outcome").is_some_and(|outcome| outcome == "not_run") {
            check.insert("outcome".to_owned(), json!("interrupted"));
        }
    });
}

/// Changes every value at a path of field names; `*` stands for every item of a list.
fn values(value: &mut Value, path: &str, change: &mut impl FnMut(&mut Value)) {
    if path.is_empty() {
        return change(value);
    }
    let (field, rest) = path.split_once('/').unwrap_or((path, ""));
    match value {
        Value::Array(items) if field == "*" => items.iter_mut().for_each(|item| values(item, rest, change)),
        Value::Object(fields) => {
            if let Some(field) = fields.get_mut(field) {
                values(field, rest, change);
            }
        }
        _ => {}
    }
}

/// Changes every object at a path.
fn each(value: &mut Value, path: &str, change: &mut impl FnMut(&mut Object)) {
    values(value, path, &mut |value| {
        if let Value::Object(object) = value {
            change(object);
        }
    });
}

/// Turns a list of values into an object with these names.
fn name(value: &mut Value, names: &[&str]) {
    if let Value::Array(items) = value
        && items.len() == names.len()
    {
        let items = items.iter_mut().map(Value::take);
        *value = names.iter().map(|name| (*name).to_owned()).zip(items).collect();
    }
}

/// Turns a sentence into a variant of the facts that replaced it.
fn sentence(value: &mut Value) {
    if value.is_string() {
        *value = json!({ "words": value.take() });
    }
}

/// Adds a field where it is absent.
fn add(object: &mut Object, name: &str, value: impl FnOnce() -> Value) {
    if !object.contains_key(name) {
        object.insert(name.to_owned(), value());
    }
}
