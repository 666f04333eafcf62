//! Overrides of the command line: edits of the scenario's text, so that what is saved with a result is what was run.

use std::time::Duration;

use toml_edit::{DocumentMut, Item, TableLike, Value};

use super::{
    appended::append,
    document::SCENARIO,
    duration::format_duration,
    errors::{ScenarioError, ScenarioErrors, hint},
    event::Event,
    field::{Shape, Table},
    model::Scenario,
    option::ServiceOption,
    read::parse,
    reader::{closest, label},
    shown::shown_field,
};

/// Changes to a scenario by the command line.
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
    /// Fields of all services.
    pub options: Vec<ServiceOption>,
    /// Whether workers are pinned to cores, whatever the scenario says.
    pub pin: bool,
    /// Any field by its path, with its value in TOML; quotes of texts may be left out:
    /// `service.api.pool.size` and `100`, `service.api.operation.GET.weight` and `10`.
    pub set: Vec<(String, String)>,
    /// Events besides those of the scenario.
    pub events: Vec<Event>,
}

/// One change, and the option that it comes from.
struct Edit {
    argument: String,
    path: String,
    value: String,
}

impl Overrides {
    /// The scenario with these changes. `set` comes after `duration`, `warmup`, `seed` and `options`, `rate` after it, and `events` last.
    ///
    /// # Errors
    ///
    /// Errors of the text without overrides; if there are none, errors of the overrides, each with its option.
    pub fn apply(&self, text: &str, file: &str) -> Result<Scenario, ScenarioErrors> {
        let original = parse(text, file)?;
        let edits = self.edits(&original);
        let edited = edit(original, file, &edits)?;
        let edited = match self.rate {
            None => edited,
            Some(rate) => {
                let edits = rescale(&edited, rate)?;
                edit(edited, file, &edits)?
            }
        };
        append(edited, file, &self.events)
    }

    fn edits(&self, scenario: &Scenario) -> Vec<Edit> {
        let option = |name: &str, path: &str, value: Option<String>| {
            value.map(|value| Edit { argument: format!("--{name} {value}"), path: path.to_owned(), value })
        };
        let named = [
            option("duration", "run.duration", self.duration.map(format_duration)),
            option("warmup", "run.warmup", self.warmup.map(format_duration)),
            option("seed", "seed", self.seed.map(|seed| seed.to_string())),
            self.pin.then(|| Edit {
                argument: "--pin".to_owned(),
                path: "run.pin".to_owned(),
                value: "true".to_owned(),
            }),
        ];
        let options = self.options.iter().flat_map(|set| {
            scenario.services.iter().filter_map(|service| {
                let path = format!("service.{}.{}", service.name, set.field());
                option(set.field(), &path, Some(set.word().to_owned()))
            })
        });
        // A password there is refused, and is not repeated in a log.
        let shown = |path: &str, value: &str| format!("--set {path}={}", shown_field(path, value));
        let set = self.set.iter().map(|(path, value)| Edit {
            argument: shown(path, value),
            path: path.trim().to_owned(),
            value: value.trim().to_owned(),
        });
        named.into_iter().flatten().chain(options).chain(set).collect()
    }
}

/// The edits that bring the open-loop services to a total of `rate` operations per second.
fn rescale(scenario: &Scenario, rate: f64) -> Result<Vec<Edit>, ScenarioErrors> {
    let argument = format!("--rate {rate}");
    let wrong = |message: &str| {
        ScenarioErrors::from(ScenarioError::Override { argument: argument.clone(), message: message.to_owned() })
    };
    if !(rate.is_finite() && rate > 0.0) {
        return Err(wrong("is not a number of operations per second above 0"));
    }
    let Some(total) = scenario.offered_rate() else {
        return Err(wrong(r#"no service has an open loop, so there is no rate to set: use load.model = "open""#));
    };
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
                return Err(format!("names a whole {name}: append one of its fields: {}", names.join(", ")));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{BUILTIN, Checkout, Client, Load, Protocol, Service, ValueSize, builtin};

    const TEXT: &str = r#"
name = "x"

[[service]]
name = "api"
pool = { size = 10 }                    # as in production
load = { rate = 100 }
values.size = { min = 1, max = 2 }

[[service.operation]]
command = "GET"
weight  = 60                            # mostly

[[service.operation]]
name     = "both"
sequence = [{ command = "GET" }, { command = "SET", expire = "1s" }]

[[service]]
name = "ml"

[service.load]
rate = 300

[[service.operation]]
command = "LPUSH"
"#;

    fn set(edits: &[(&str, &str)]) -> Result<Scenario, String> {
        let set = edits.iter().map(|(path, value)| ((*path).to_owned(), (*value).to_owned())).collect();
        Overrides { set, ..Overrides::default() }.apply(TEXT, "x.toml").map_err(|errors| errors.to_string())
    }

    #[test]
    fn a_password_is_not_repeated() {
        for value in ["hunter2", r#"{ env = "A", foo = "hunter2" }"#] {
            let set = vec![("service.api.password".to_owned(), value.to_owned())];
            let text = "name = \"a\"\n[[service]]\nname = \"api\"\nload = { model = \"closed\", clients = 1 }\n\
                        [[service.operation]]\ncommand = \"PING\"\n";
            let errors = Overrides { set, ..Overrides::default() }.apply(text, "a.toml").unwrap_err().to_string();
            assert!(errors.contains("--set service.api.password=...") && !errors.contains("hunter2"), "{errors}");
        }
    }

    #[test]
    fn nothing_changes_nothing() {
        let scenario = Overrides::default().apply(TEXT, "x.toml").unwrap();
        assert_eq!(scenario.source, TEXT);
    }

    #[test]
    fn sets_fields_however_they_are_written_and_keeps_comments() {
        let scenario = set(&[
            ("service.api.pool.size", "100"),
            ("service.ml.pool.size", "7"),
            ("service.api.operation.GET.weight", "10"),
            ("service.api.operation.both.sequence.SET.expire", "2s"),
            ("service.api.values.size.max", "9"),
            ("service.ml.values.size", "5"),
            ("objective.latency", "50ms"),
            ("objective.percentile", "99.9"),
        ])
        .unwrap();
        assert_eq!(scenario.services[0].pool.size, 100);
        assert_eq!(scenario.services[1].pool.size, 7);
        assert!((scenario.services[0].operations[0].weight - 10.0).abs() < f64::EPSILON);
        assert_eq!(scenario.services[0].values, ValueSize::Uniform { min: 1, max: 9 });
        assert_eq!(scenario.services[1].values, ValueSize::Fixed(5));
        assert_eq!(scenario.objective.latency, Duration::from_millis(50));
        assert!(scenario.source.contains("weight  = 10                            # mostly"), "{}", scenario.source);
        assert!(scenario.source.contains(r#"expire = "2s""#), "{}", scenario.source);
    }

    #[test]
    fn another_variant_drops_the_fields_of_the_old_one() {
        let scenario = set(&[("service.ml.load.model", "closed"), ("service.ml.load.clients", "3")]).unwrap();
        assert_eq!(scenario.services[1].load, Load::Closed { clients: 3, think_time: Duration::ZERO });
        let shared = set(&[("service.api.pool.checkout", "shared"), ("service.api.pool.in_flight", "4")]).unwrap();
        assert_eq!(shared.services[0].pool.checkout, Checkout::Shared { in_flight: 4 });
    }

    #[test]
    fn errors_name_the_override_and_what_is_near() {
        for (path, value, expected) in [
            (
                "service.api.pool.size",
                "abc",
                r#"--set service.api.pool.size=abc: "abc" is not a whole number from 1 to 100_000"#,
            ),
            (
                "service.api.pool.siez",
                "5",
                r#"--set service.api.pool.siez=5: there is no "service.api.pool.siez"; did you mean "size"? (one of "#,
            ),
            (
                "service.apis.pool.size",
                "5",
                r#"--set service.apis.pool.size=5: there is no service "apis"; did you mean "api"? (one of api, ml)"#,
            ),
            (
                "service.ml.operation.LPUS.weight",
                "5",
                r#"--set service.ml.operation.LPUS.weight=5: there is no operation "LPUS"; did you mean "LPUSH"? (one of LPUSH)"#,
            ),
            ("service.api", "5", "--set service.api=5: names a whole service: append one of its fields: name, "),
            ("seed.x", "5", r#"--set seed.x=5: "seed" has no fields"#),
            (
                "service.api.load.model",
                "closed",
                r#"--set service.api.load.model=closed: service "api": load.clients: missing"#,
            ),
            (
                "service.api.values.size.min",
                "5",
                r#"--set service.api.values.size.min=5: service "api": values.size.max: 2 is less"#,
            ),
            (
                "service.ml.values.size.min",
                "5",
                r#"--set service.ml.values.size.min=5: "service.ml.values.size" is not a table here; set"#,
            ),
            ("service.api.name", "ml", r#"--set service.api.name=ml: service "ml": name: duplicate name "ml""#),
        ] {
            let message = set(&[(path, value)]).unwrap_err();
            assert!(message.starts_with(expected), "{message}\n{expected}");
        }
        let two = set(&[("run.duratoin", "1s"), ("sed", "1")]).unwrap_err();
        assert_eq!(two.lines().count(), 2, "{two}");
    }

    #[test]
    fn the_text_itself_is_judged_first() {
        let overrides = Overrides { seed: Some(1), ..Overrides::default() };
        let message = overrides.apply("name = \"x\"\nsed = 5\n", "x.toml").unwrap_err().to_string();
        assert!(message.contains(r#"x.toml:2:1: sed: unknown field; did you mean "seed"?"#), "{message}");
    }

    #[test]
    fn an_option_is_for_every_service() {
        let both = Overrides { options: vec![Client::Wire.into(), Protocol::Resp3.into()], ..Overrides::default() };
        for (name, text) in BUILTIN {
            let scenario = both.apply(text, name).unwrap();
            let all = scenario.services.iter().map(|service| (service.client, service.protocol));
            assert!(all.into_iter().all(|one| one == (Client::Wire, Protocol::Resp3)), "{name}");
        }
        let set = vec![("service.ml.client".to_owned(), "fred".to_owned())];
        let scenario = Overrides { set, ..both }.apply(TEXT, "x.toml").unwrap();
        let clients: Vec<_> = scenario.services.iter().map(|service| service.client).collect();
        assert_eq!(clients, [Client::Wire, Client::Fred]);
    }

    #[test]
    fn the_total_rate_keeps_proportions() {
        let scenario = Overrides { rate: Some(1_000.0), ..Overrides::default() }.apply(TEXT, "x.toml").unwrap();
        let rates: Vec<_> = scenario.services.iter().filter_map(Service::offered_rate).collect();
        assert_eq!(rates, [250.0, 750.0]);
        let closed = Overrides { rate: Some(1.0), ..Overrides::default() };
        let message = closed.apply(builtin("core-ops").unwrap(), "core-ops").unwrap_err().to_string();
        assert!(message.starts_with("--rate 1: no service has an open loop"), "{message}");
        let nothing = Overrides { rate: Some(0.0), ..Overrides::default() }.apply(TEXT, "x.toml").unwrap_err();
        assert_eq!(nothing.to_string(), "--rate 0: is not a number of operations per second above 0");
    }
}
