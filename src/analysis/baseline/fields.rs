//! Fields by which two scenarios mean something different.

use std::collections::BTreeMap;

use toml::Value;

use crate::scenario::{self, Scenario};

/// A field with its value in either scenario; empty where it is not there.
pub(super) struct Field {
    /// Path: `service.api.pool.size`. Parts of a list go by their name, else by their number.
    pub(super) name: String,
    pub(super) base: String,
    pub(super) run: String,
}

/// Fields by which the scenarios mean something different: how they are written, and whether a default is spelled out, does
/// not matter.
pub(super) fn differing(base: &str, run: &str) -> Vec<Field> {
    if base == run {
        return Vec::new();
    }
    let (base, run) = (Text::read(base), Text::read(run));
    if base.meaning.is_some() && base.meaning == run.meaning {
        return Vec::new();
    }
    let mut names: Vec<&String> = base.fields.keys().chain(run.fields.keys()).collect();
    names.sort();
    names.dedup();
    let differing = names.into_iter().filter(|name| !is_of_no_account(name));
    differing
        .filter(|name| match (base.fields.get(*name), run.fields.get(*name)) {
            (Some(of_base), Some(of_run)) => {
                of_base.shown() != of_run.shown() && !run.means_the_same(of_run, Some(&of_base.value))
            }
            (Some(only), None) => !base.means_the_same(only, None),
            (None, Some(only)) => !run.means_the_same(only, None),
            (None, None) => false,
        })
        .map(|name| Field { base: base.shown(name), run: run.shown(name), name: name.clone() })
        .collect()
}

/// A scenario as it is written, with what it means.
struct Text {
    table: toml::Table,
    /// `None` where this version does not read it.
    meaning: Option<Scenario>,
    /// Every field by its path: `service.api.pool.size`. Parts of a list go by their name, else by their number.
    fields: BTreeMap<String, Leaf>,
}

/// A field that holds a value of its own.
struct Leaf {
    /// Way to it in the document.
    steps: Vec<Step>,
    value: Value,
}

#[derive(Clone)]
enum Step {
    Field(String),
    Item(usize),
}

impl Text {
    fn read(text: &str) -> Self {
        let mut fields = BTreeMap::new();
        let table = text
            .parse::<toml::Table>()
            .unwrap_or_else(|_| toml::Table::from_iter([("text".to_owned(), Value::String("unreadable".to_owned()))]));
        flatten(&Value::Table(table.clone()), "", &[], &mut fields);
        Self { table, meaning: meaning(text), fields }
    }

    fn shown(&self, name: &str) -> String {
        let absent = || match name.split('.').collect::<Vec<_>>()[..] {
            // Runs of earlier versions do not name the fields that came later.
            ["service", service, field] if self.fields.contains_key(&format!("service.{service}.name")) => {
                scenario::service_default(field).unwrap_or_default()
            }
            _ => String::new(),
        };
        self.fields.get(name).map_or_else(absent, Leaf::shown)
    }

    /// Whether the scenario stays what it is with another value of a field, or without the field.
    fn means_the_same(&self, leaf: &Leaf, with: Option<&Value>) -> bool {
        let mut changed = Value::Table(self.table.clone());
        set(&mut changed, &leaf.steps, with)
            && self.meaning.is_some()
            && toml::to_string(&changed).is_ok_and(|text| meaning(&text) == self.meaning)
    }
}

impl Leaf {
    fn shown(&self) -> String {
        match &self.value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    }
}

/// A scenario without its words.
fn meaning(text: &str) -> Option<Scenario> {
    let scenario = scenario::parse(text, "scenario").ok()?;
    Some(Scenario { name: String::new(), description: String::new(), source: String::new(), ..scenario })
}

/// Sets or removes a field; false where there is no such field.
fn set(within: &mut Value, steps: &[Step], with: Option<&Value>) -> bool {
    match (within, steps) {
        (Value::Table(table), [Step::Field(name)]) => match with {
            Some(value) => table.insert(name.clone(), value.clone()).is_some(),
            None => table.remove(name).is_some(),
        },
        (Value::Table(table), [Step::Field(name), rest @ ..]) => {
            table.get_mut(name).is_some_and(|below| set(below, rest, with))
        }
        (Value::Array(items), [Step::Item(number), rest @ ..]) => {
            items.get_mut(*number).is_some_and(|below| set(below, rest, with))
        }
        _ => false,
    }
}

/// What something is called, who logs in and which certificates are used is no difference in what is measured.
fn is_of_no_account(field: &str) -> bool {
    let steps: Vec<_> = field.split('.').collect();
    matches!(
        steps[..],
        ["name" | "description"] | ["tls", ..] | ["service", _, "username"] | ["service", _, "password", ..]
    )
}

fn flatten(value: &Value, path: &str, steps: &[Step], found: &mut BTreeMap<String, Leaf>) {
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    let then = |step: Step| [steps, &[step]].concat();
    match value {
        Value::Table(table) => {
            for (name, value) in table {
                flatten(value, &below(name), &then(Step::Field(name.clone())), found);
            }
        }
        Value::Array(items) if items.iter().all(Value::is_table) => {
            let mut seen: Vec<String> = Vec::new();
            for (number, item) in items.iter().enumerate() {
                let named = ["name", "command"].into_iter().find_map(|field| item.get(field)?.as_str());
                let mut name = named.map_or_else(|| format!("{}", number + 1), str::to_owned);
                if seen.contains(&name) {
                    name = format!("{name} {}", number + 1);
                }
                flatten(item, &below(&name), &then(Step::Item(number)), found);
                seen.push(name);
            }
        }
        other => {
            found.insert(path.to_owned(), Leaf { steps: steps.to_vec(), value: other.clone() });
        }
    }
}
