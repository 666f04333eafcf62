//! Overrides of the command line: edits of the scenario's text, so that what is saved with a result is what was run.

use std::time::Duration;

use toml_edit::{DocumentMut, Item, TableLike, Value};

use super::{
    document::SCENARIO,
    duration::format_duration,
    errors::{ScenarioError, ScenarioErrors, hint},
    field::{Shape, Table},
    model::{Scenario, Service},
    read::parse,
    reader::{closest, label},
};

/// What the command line changes about a scenario.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Overrides {
    /// Length of the measured period.
    pub duration: Option<Duration>,
    /// Length of the warm-up.
    pub warmup: Option<Duration>,
    /// Operations per second of all open-loop services together; they keep their proportions.
    pub rate: Option<f64>,
    /// Root of all randomness.
    pub seed: Option<u64>,
    /// Any field by its path, with its value in TOML; quotes of texts may be left out:
    /// `service.api.pool.size` and `100`, `service.api.operation.GET.weight` and `10`.
    pub set: Vec<(String, String)>,
}

/// One change, and how the user asked for it.
struct Edit {
    argument: String,
    path: String,
    value: String,
}

impl Overrides {
    /// The scenario with these changes. `set` comes after `duration`, `warmup` and `seed`, and `rate` last.
    ///
    /// # Errors
    ///
    /// What is wrong with the text as it is; or else with the overrides, each named.
    pub fn apply(&self, text: &str, file: &str) -> Result<Scenario, ScenarioErrors> {
        let original = parse(text, file)?;
        let edited = edit(original, file, &self.edits())?;
        match self.rate {
            None => Ok(edited),
            Some(rate) => {
                let edits = rescale(&edited, rate)?;
                edit(edited, file, &edits)
            }
        }
    }

    fn edits(&self) -> Vec<Edit> {
        let option = |name: &str, path: &str, value: Option<String>| {
            value.map(|value| Edit { argument: format!("--{name} {value}"), path: path.to_owned(), value })
        };
        let named = [
            option("duration", "run.duration", self.duration.map(format_duration)),
            option("warmup", "run.warmup", self.warmup.map(format_duration)),
            option("seed", "seed", self.seed.map(|seed| seed.to_string())),
        ];
        let set = self.set.iter().map(|(path, value)| Edit {
            argument: format!("--set {path}={value}"),
            path: path.trim().to_owned(),
            value: value.trim().to_owned(),
        });
        named.into_iter().flatten().chain(set).collect()
    }
}

/// The edits that bring the open-loop services to a total of `rate` operations per second.
fn rescale(scenario: &Scenario, rate: f64) -> Result<Vec<Edit>, ScenarioErrors> {
    let argument = format!("--rate {rate}");
    let total: f64 = scenario.services.iter().filter_map(Service::offered_rate).sum();
    let wrong = |message: &str| {
        ScenarioErrors::from(ScenarioError::Override { argument: argument.clone(), message: message.to_owned() })
    };
    if !(rate.is_finite() && rate > 0.0) {
        return Err(wrong("is not a number of operations per second above 0"));
    }
    if total == 0.0 {
        return Err(wrong(r#"no service has an open loop, so there is no rate to set; choose load.model = "open""#));
    }
    let edits = scenario.services.iter().filter_map(|service| {
        let share = service.offered_rate()? / total;
        Some(Edit {
            argument: argument.clone(),
            path: format!("service.{}.load.rate", service.name),
            value: (rate * share).to_string(),
        })
    });
    Ok(edits.collect())
}

fn edit(scenario: Scenario, file: &str, edits: &[Edit]) -> Result<Scenario, ScenarioErrors> {
    if edits.is_empty() {
        return Ok(scenario);
    }
    let mut document: DocumentMut = scenario.source.parse().expect("a text that was read as TOML is TOML");
    let mut errors = Vec::new();
    for edit in edits {
        let path: Vec<_> = edit.path.split('.').collect();
        if let Err(message) = set(&SCENARIO, document.as_table_mut(), &path, 0, &edit.value) {
            errors.push(ScenarioError::Override { argument: edit.argument.clone(), message });
        }
    }
    if !errors.is_empty() {
        return Err(ScenarioErrors::new(errors));
    }
    parse(&document.to_string(), file).map_err(|errors| attributed(errors, edits))
}

/// The original was valid, so whatever is wrong now comes of the edits; lines of the edited text mean nothing to anyone.
fn attributed(errors: ScenarioErrors, edits: &[Edit]) -> ScenarioErrors {
    let all = || edits.iter().map(|edit| edit.argument.as_str()).collect::<Vec<_>>().join(", ");
    let attribute = |error| match error {
        ScenarioError::Invalid { path, message, .. } => {
            let dotted = path.dotted();
            if let Some(edit) = edits.iter().rev().find(|edit| edit.path == dotted) {
                return ScenarioError::Override { argument: edit.argument.clone(), message };
            }
            let near = edits.iter().rev().find(|edit| contains(&edit.path, &dotted) || contains(&dotted, &edit.path));
            let argument = near.map_or_else(all, |edit| edit.argument.clone());
            ScenarioError::Override { argument, message: format!("{path}{message}") }
        }
        other => other,
    };
    ScenarioErrors::new(errors.into_vec().into_iter().map(attribute).collect())
}

fn contains(outer: &str, inner: &str) -> bool {
    inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with('.'))
}

/// Sets the field at `path[depth..]` below `entries`, which `table` declares.
fn set(
    table: &'static Table,
    entries: &mut dyn TableLike,
    path: &[&str],
    depth: usize,
    text: &str,
) -> Result<(), String> {
    let name = path[depth];
    let Some(field) = table.field(name) else {
        let names: Vec<_> = table.names().collect();
        return Err(format!(r#"there is no "{}"{}"#, path[..=depth].join("."), hint(name, &names)));
    };
    let Some(next) = path.get(depth + 1) else {
        put(entries, name, value(&field.shape, text));
        if matches!(field.shape, Shape::Tag) {
            drop_untaken(table, entries, text);
        }
        return Ok(());
    };
    let here = path[..=depth].join(".");
    match &field.shape {
        Shape::Table(table) => {
            let inner = entries.entry(name).or_insert_with(toml_edit::table);
            let inner = inner.as_table_like_mut().ok_or_else(|| whole(&here))?;
            set(table, inner, path, depth + 1, text)
        }
        Shape::AnyOf(shapes) => {
            let inner = entries.get_mut(name).and_then(Item::as_table_like_mut).ok_or_else(|| whole(&here))?;
            let tables: Vec<_> = shapes.iter().filter_map(Shape::as_table).collect();
            let table = closest(&tables, |name| inner.contains_key(name)).ok_or_else(|| whole(&here))?;
            set(table, inner, path, depth + 1, text)
        }
        Shape::Tables(tables) => {
            let mut items = entries.get_mut(name).map(items).unwrap_or_default();
            let labels: Vec<_> = items.iter().map(|item| item_label(&**item)).collect();
            let index = labels
                .iter()
                .enumerate()
                .position(|(index, label)| label.as_deref() == Some(*next) || *next == format!("#{}", index + 1));
            let Some(index) = index else {
                let labels: Vec<_> = labels.iter().flatten().map(String::as_str).collect();
                return Err(format!(r#"there is no {name} "{next}"{}"#, hint(next, &labels)));
            };
            let item = items.swap_remove(index);
            let table = closest(tables, |name| item.contains_key(name)).ok_or_else(|| whole(&here))?;
            if path.len() == depth + 2 {
                let names: Vec<_> = table.names().collect();
                return Err(format!("names a whole {name}; go on with one of its fields: {}", names.join(", ")));
            }
            set(table, item, path, depth + 2, text)
        }
        _ => Err(format!(r#""{here}" has no fields"#)),
    }
}

fn whole(here: &str) -> String {
    format!(r#""{here}" is not a table here; set it whole: --set '{here}={{ ... }}'"#)
}

/// The tables of a list, however it is written.
fn items(list: &mut Item) -> Vec<&mut dyn TableLike> {
    match list {
        Item::ArrayOfTables(tables) => tables.iter_mut().map(|table| table as &mut dyn TableLike).collect(),
        Item::Value(Value::Array(values)) => {
            values.iter_mut().filter_map(Value::as_inline_table_mut).map(|table| table as &mut dyn TableLike).collect()
        }
        _ => Vec::new(),
    }
}

fn item_label(item: &dyn TableLike) -> Option<String> {
    label(|name| item.get(name)?.as_str()).map(str::to_owned)
}

/// What a text stands for: itself where the field is a text, else TOML; what is no TOML is a text without its quotes.
fn value(shape: &Shape, text: &str) -> Value {
    let quoted = text.len() > 1 && (text.starts_with('"') || text.starts_with('\''));
    let is_text = matches!(shape, Shape::Text(_) | Shape::Choice { .. } | Shape::Tag | Shape::Duration { .. });
    if is_text && !quoted {
        return text.into();
    }
    text.parse().unwrap_or_else(|_| text.into())
}

/// Replaces a value, keeping the comment behind it.
fn put(entries: &mut dyn TableLike, name: &str, mut value: Value) {
    if let Some(Item::Value(old)) = entries.get_mut(name) {
        *value.decor_mut() = old.decor().clone();
        *old = value;
    } else {
        entries.insert(name, Item::Value(value));
    }
}

/// Drops the fields that the variant named `word` does not take, so that `load.model=closed` is no error because of the
/// rate that was there.
fn drop_untaken(table: &Table, entries: &mut dyn TableLike, word: &str) {
    let word = word.trim_matches(['"', '\'']);
    if let Some(variant) = table.variants().into_iter().find(|variant| variant.word == word) {
        let taken = table.taken_by(variant);
        for name in table.names().filter(|name| !taken.contains(name)) {
            entries.remove(name);
        }
    }
}
