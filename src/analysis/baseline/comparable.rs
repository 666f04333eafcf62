//! Whether two runs measured the same thing: what differs between them, and what that means.

use std::collections::BTreeMap;

use toml::Value;

use crate::{
    results::Abstract,
    scenario::{self, Scenario},
};

/// Something that is not the same in two runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What.
    pub kind: DifferenceKind,
    /// In the baseline; empty where it is not there.
    pub base: String,
    /// In the run.
    pub run: String,
}

/// What may differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DifferenceKind {
    /// A field of the scenario that decides what load is put on.
    Scenario(String),
    /// A field of the scenario that decides for how long, how it is judged, or which of equally likely requests are sent.
    Occasion(String),
    /// The product of the server.
    Product,
    /// Its version.
    Version,
    /// Standalone, sentinel or cluster.
    Mode,
    /// One of its settings.
    Setting(String),
    /// Whether the harness started the server.
    Private,
    /// Whether the server runs on the machine of the harness.
    SameMachine,
    /// Version of plimsoll.
    Plimsoll,
    /// Version of the client library.
    Fred,
    /// Build profile.
    Profile,
    /// Model of the CPU.
    Cpu,
    /// Cores that the harness may use.
    Cores,
    /// Operating system and kernel.
    Kernel,
    /// How workers wait.
    Pacing,
}

/// What a difference means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Worth knowing.
    Warns,
    /// Another thing was measured.
    Refuses,
}

impl Difference {
    /// What it means.
    pub fn weight(&self) -> Weight {
        match self.kind {
            DifferenceKind::Scenario(_)
            | DifferenceKind::Product
            | DifferenceKind::Version
            | DifferenceKind::Mode
            | DifferenceKind::Setting(_) => Weight::Refuses,
            _ => Weight::Warns,
        }
    }
}

/// All differences between the runs of a baseline and another one, those that refuse first; each is told once.
pub fn differences(base: &[Abstract], run: &Abstract) -> Vec<Difference> {
    let mut found: Vec<Difference> = Vec::new();
    for difference in base.iter().flat_map(|one| between(one, run)) {
        if !found.contains(&difference) {
            found.push(difference);
        }
    }
    found.sort_by_key(|difference| std::cmp::Reverse(difference.weight()));
    found
}

/// What of a scenario that is about to be run keeps it from being compared with the runs of a baseline.
pub fn refusing_fields(base: &[Abstract], scenario: &str) -> Vec<Difference> {
    let mut found: Vec<Difference> = Vec::new();
    for difference in base.iter().flat_map(|one| of_scenarios(&one.scenario, scenario)) {
        if difference.weight() == Weight::Refuses && !found.contains(&difference) {
            found.push(difference);
        }
    }
    found
}

fn between(base: &Abstract, run: &Abstract) -> Vec<Difference> {
    let mut found = of_scenarios(&base.scenario, &run.scenario);
    let mut note = |kind, base: &str, run: &str| {
        if base != run {
            found.push(Difference { kind, base: base.to_owned(), run: run.to_owned() });
        }
    };
    let (of_base, of_run) = (&base.target, &run.target);
    note(DifferenceKind::Product, &of_base.product, &of_run.product);
    note(DifferenceKind::Version, &of_base.version, &of_run.version);
    note(DifferenceKind::Mode, &of_base.mode, &of_run.mode);
    // What one of the two could not read is not known to differ.
    for (name, value) in &of_base.settings {
        if let Some((_, other)) = of_run.settings.iter().find(|(other, _)| other == name) {
            note(DifferenceKind::Setting(name.clone()), value, other);
        }
    }
    let started = |private| if private { "private" } else { "not private" };
    note(DifferenceKind::Private, started(of_base.private), started(of_run.private));
    let place = |same| if same { "the harness's" } else { "another" };
    note(DifferenceKind::SameMachine, place(of_base.same_machine), place(of_run.same_machine));
    note(DifferenceKind::Plimsoll, &base.software.version, &run.software.version);
    note(DifferenceKind::Fred, &base.software.fred, &run.software.fred);
    note(DifferenceKind::Profile, &base.software.profile, &run.software.profile);
    note(DifferenceKind::Cpu, &base.environment.cpu, &run.environment.cpu);
    note(DifferenceKind::Cores, &base.environment.cores.to_string(), &run.environment.cores.to_string());
    note(DifferenceKind::Kernel, &base.environment.kernel, &run.environment.kernel);
    note(DifferenceKind::Pacing, &base.pacing, &run.pacing);
    found
}

/// Fields that differ, where the scenarios mean something different: how they are written does not matter.
fn of_scenarios(base: &str, run: &str) -> Vec<Difference> {
    if base == run {
        return Vec::new();
    }
    let read = |text: &str| scenario::parse(text, "scenario").ok();
    if let (Some(base), Some(run)) = (read(base), read(run))
        && essence(base) == essence(run)
    {
        return Vec::new();
    }
    let (of_base, of_run) = (fields(base), fields(run));
    let mut names: Vec<&String> = of_base.keys().chain(of_run.keys()).collect();
    names.sort();
    names.dedup();
    let value = |fields: &BTreeMap<String, String>, name: &String| fields.get(name).cloned().unwrap_or_default();
    let differing = names.into_iter().filter(|name| of_base.get(*name) != of_run.get(*name));
    differing
        .filter(|name| !matches!(name.as_str(), "name" | "description"))
        .map(|name| Difference { kind: kind_of(name), base: value(&of_base, name), run: value(&of_run, name) })
        .collect()
}

/// A scenario without its words.
fn essence(scenario: Scenario) -> Scenario {
    Scenario { name: String::new(), description: String::new(), source: String::new(), ..scenario }
}

fn kind_of(field: &str) -> DifferenceKind {
    let part = field.split('.').next().unwrap_or(field);
    // Without prefill reads miss, which is another load.
    if field != "run.prefill" && ["seed", "run", "objective", "dependency"].contains(&part) {
        DifferenceKind::Occasion(field.to_owned())
    } else {
        DifferenceKind::Scenario(field.to_owned())
    }
}

/// Every field of a scenario by its path: `service.api.pool.size`. Parts of a list go by their name, else by their number.
fn fields(text: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    match text.parse::<toml::Table>() {
        Ok(table) => flatten(&Value::Table(table), "", &mut found),
        Err(_) => {
            found.insert("text".to_owned(), "unreadable".to_owned());
        }
    }
    found
}

fn flatten(value: &Value, path: &str, found: &mut BTreeMap<String, String>) {
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match value {
        Value::Table(table) => table.iter().for_each(|(name, value)| flatten(value, &below(name), found)),
        Value::Array(items) if items.iter().all(Value::is_table) => {
            let mut seen: Vec<String> = Vec::new();
            for (number, item) in (1..).zip(items) {
                let named = ["name", "command"].into_iter().find_map(|field| item.get(field)?.as_str());
                let mut name = named.map_or_else(|| format!("{number}"), str::to_owned);
                if seen.contains(&name) {
                    name = format!("{name} {number}");
                }
                flatten(item, &below(&name), found);
                seen.push(name);
            }
        }
        Value::String(text) => {
            found.insert(path.to_owned(), text.clone());
        }
        other => {
            found.insert(path.to_owned(), other.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::sample::abstracted;

    fn told(base: &Abstract, run: &Abstract) -> Vec<(DifferenceKind, String, String)> {
        let found = differences(std::slice::from_ref(base), run);
        found.into_iter().map(|difference| (difference.kind, difference.base, difference.run)).collect()
    }

    #[test]
    fn the_same_is_the_same_however_it_is_written() {
        let base = abstracted(0, 1.0);
        assert_eq!(told(&base, &abstracted(1, 2.0)), []);
        let mut run = base.clone();
        run.scenario = format!("# a remark\n{}\n", base.scenario);
        assert_ne!(base.scenario, run.scenario);
        assert_eq!(told(&base, &run), []);
    }

    #[test]
    fn names_the_fields_of_the_scenario_that_differ() {
        let base = abstracted(0, 1.0);
        let changed = |from: &str, to: &str| {
            assert!(base.scenario.contains(from), "{from}");
            let run = Abstract { scenario: base.scenario.replacen(from, to, 1), ..base.clone() };
            told(&base, &run)
        };
        let size = changed("size = 50", "size = 60");
        let name = "service.api.pool.size".to_owned();
        assert_eq!(size, [(DifferenceKind::Scenario(name), "50".to_owned(), "60".to_owned())]);
        let text = base.scenario.replacen("size = 50", "size = 60", 1).replacen("seed        = ", "seed        = 1", 1);
        let refusing = refusing_fields(&[base.clone(), base.clone()], &text);
        assert!(matches!(&refusing[..], [one] if one.run == "60"), "{refusing:?}");
        let seed = changed("seed        = ", "seed        = 1");
        assert!(matches!(&seed[..], [(DifferenceKind::Occasion(field), ..)] if field == "seed"), "{seed:?}");
    }

    #[test]
    fn what_refuses_comes_first_and_is_told_once() {
        let base = [abstracted(0, 1.0), abstracted(1, 1.0)];
        let mut run = abstracted(2, 1.0);
        run.environment.cores = 8;
        run.software.fred = "11.0.0".into();
        run.target.version = "7.2.0".into();
        run.target.settings[0].1 = "1".into();
        run.target.settings.remove(2);
        run.target.same_machine = false;
        let found = differences(&base, &run);
        let kinds: Vec<_> = found.iter().map(|difference| difference.kind.clone()).collect();
        assert_eq!(
            kinds,
            [
                DifferenceKind::Version,
                DifferenceKind::Setting("maxmemory".into()),
                DifferenceKind::SameMachine,
                DifferenceKind::Fred,
                DifferenceKind::Cores
            ]
        );
        assert_eq!(found.iter().filter(|difference| difference.weight() == Weight::Refuses).count(), 2);
    }
}
