//! Whether two runs measured the same thing: what differs between them, and what that means.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use strum::EnumDiscriminants;

use super::fields::differing;
use crate::{
    results::{Abstract, Environment, NodeRole},
    scenario::{self, Client},
};

/// Something that is not the same in two runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Subject.
    pub kind: DifferenceKind,
    /// In the baseline; empty where it is not there.
    pub base: String,
    /// In the run.
    pub run: String,
}

/// Permitted differences.
#[derive(Debug, Clone, PartialEq, Eq, EnumDiscriminants)]
#[strum_discriminants(
    name(DifferenceName),
    derive(Serialize, JsonSchema),
    serde(rename_all = "snake_case"),
    doc = "Name of a kind of difference, for programs."
)]
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
    /// Number of primaries of a cluster.
    Primaries,
    /// Number of replicas.
    Replicas,
    /// One of its settings.
    Setting(String),
    /// Whether the harness started the server.
    Private,
    /// Where a server lies that the harness did not start.
    Address,
    /// Whether the server runs on the machine of the harness.
    SameMachine,
    /// Version of plimsoll.
    Plimsoll,
    /// Version of the client library.
    Fred,
    /// Build profile.
    Profile,
    /// Number of processes that sent the load.
    Generators,
    /// Model of the CPU of the machines that the load came from.
    Cpu,
    /// Cores that the harness may use.
    Cores,
    /// Operating system and kernel.
    Kernel,
    /// Pacing of the workers.
    Pacing,
    /// Number of workers.
    Workers,
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
    /// Meaning.
    pub fn weight(&self) -> Weight {
        match self.kind {
            DifferenceKind::Scenario(_)
            | DifferenceKind::Product
            | DifferenceKind::Version
            | DifferenceKind::Mode
            | DifferenceKind::Primaries
            | DifferenceKind::Setting(_) => Weight::Refuses,
            _ => Weight::Warns,
        }
    }
}

/// All differences between some runs and another one, those that refuse first; each is reported once.
pub fn differences<'a>(base: impl IntoIterator<Item = &'a Abstract>, run: &Abstract) -> Vec<Difference> {
    let mut found = each_once(base.into_iter().flat_map(|one| between(one, run)));
    found.sort_by_key(|difference| std::cmp::Reverse(difference.weight()));
    found
}

/// What of a scenario that is about to be run keeps it from being compared with the runs of a baseline.
pub fn refusing_fields(base: &[Abstract], scenario: &str) -> Vec<Difference> {
    let all = base.iter().filter(|one| one.counts()).flat_map(|one| of_scenarios(&one.scenario, scenario));
    each_once(all.filter(|difference| difference.weight() == Weight::Refuses))
}

fn each_once(all: impl Iterator<Item = Difference>) -> Vec<Difference> {
    let mut found: Vec<Difference> = Vec::new();
    for difference in all {
        if !found.contains(&difference) {
            found.push(difference);
        }
    }
    found
}

/// Whether two runs measured the same thing, whether or not they count.
pub(super) fn measured_the_same(base: &Abstract, run: &Abstract) -> bool {
    between(base, run).iter().all(|difference| difference.weight() != Weight::Refuses)
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
    if of_base.nodes.is_empty() == of_run.nodes.is_empty() {
        for (kind, role) in
            [(DifferenceKind::Primaries, NodeRole::Primary), (DifferenceKind::Replicas, NodeRole::Replica)]
        {
            note(kind, &of_base.count(role).to_string(), &of_run.count(role).to_string());
        }
    }
    // What one of the two could not read is not known to differ.
    for (name, value) in &of_base.settings {
        if let Some((_, other)) = of_run.settings.iter().find(|(other, _)| other == name) {
            note(DifferenceKind::Setting(name.clone()), value, other);
        }
    }
    let started = |private| if private { "private" } else { "not private" };
    note(DifferenceKind::Private, started(of_base.private), started(of_run.private));
    // A private server has other ports every time; its scheme says whether it uses TLS, and its topology.
    let is_comparable = match (of_base.private, of_run.private) {
        (false, false) => true,
        (true, true) => of_base.scheme() != of_run.scheme(),
        (true, false) | (false, true) => false,
    };
    if is_comparable {
        note(DifferenceKind::Address, &by_redis(&of_base.address), &by_redis(&of_run.address));
    }
    let place = |same| if same { "the harness's" } else { "another" };
    note(DifferenceKind::SameMachine, place(of_base.same_machine), place(of_run.same_machine));
    note(DifferenceKind::Plimsoll, &base.software.version, &run.software.version);
    if [base, run].iter().any(|one| scenario::uses(&one.scenario, Client::Fred)) {
        note(DifferenceKind::Fred, &base.software.fred, &run.software.fred);
    }
    note(DifferenceKind::Profile, &base.software.profile, &run.software.profile);
    let (of_base, of_run) = (base.machines(), run.machines());
    note(DifferenceKind::Generators, &of_base.len().to_string(), &of_run.len().to_string());
    let counted = of_base.len() == of_run.len();
    let mut of_machines = |kind, what: fn(&Environment) -> String| {
        note(kind, &listed(of_base.iter().map(what), counted), &listed(of_run.iter().map(what), counted));
    };
    of_machines(DifferenceKind::Cpu, |machine| machine.cpu.clone());
    of_machines(DifferenceKind::Cores, |machine| machine.cores.to_string());
    of_machines(DifferenceKind::Kernel, |machine| machine.kernel.clone());
    note(DifferenceKind::Pacing, &base.pacing, &run.pacing);
    if let (Some(of_base), Some(of_run)) = (base.workers, run.workers) {
        note(DifferenceKind::Workers, &of_base.to_string(), &of_run.to_string());
    }
    found
}

/// What machines have, in whichever order they come: the one value of all, or each with how many have it, unless their numbers differ
/// anyway.
fn listed(of_machines: impl Iterator<Item = String>, counted: bool) -> String {
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    of_machines.for_each(|value| *counts.entry(value).or_default() += 1);
    let counted = counted && counts.len() > 1;
    let written = |(value, count)| if counted { format!("{count} × {value}") } else { value };
    counts.into_iter().map(written).collect::<Vec<_>>().join(", ")
}

/// An address with the schemes of Redis, which mean what those of Valkey mean.
fn by_redis(address: &str) -> String {
    address.strip_prefix("valkey").map_or_else(|| address.to_owned(), |rest| format!("redis{rest}"))
}

/// Fields by which the scenarios mean something different.
fn of_scenarios(base: &str, run: &str) -> Vec<Difference> {
    let fields = differing(base, run).into_iter();
    fields.map(|field| Difference { kind: kind_of(&field.name), base: field.base, run: field.run }).collect()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        results::{NodeFacts, sample::abstracted},
        scenario::Overrides,
    };

    fn described(base: &Abstract, run: &Abstract) -> Vec<(DifferenceKind, String, String)> {
        let found = differences([base], run);
        found.into_iter().map(|difference| (difference.kind, difference.base, difference.run)).collect()
    }

    #[test]
    fn the_same_is_the_same_however_it_is_written() {
        let base = abstracted(0, 1.0);
        assert_eq!(described(&base, &abstracted(1, 2.0)), []);
        let mut run = base.clone();
        run.scenario = format!("# a remark\n{}\n", base.scenario);
        assert_ne!(base.scenario, run.scenario);
        assert_eq!(described(&base, &run), []);
    }

    #[test]
    fn a_default_that_is_spelled_out_differs_from_nothing() {
        let base = abstracted(0, 1.0);
        let mut text = base.scenario.clone();
        for (from, to) in [
            // A default left out, one spelled out, a duration in other units, and one thing that does differ.
            ("database = 0\n", ""),
            ("name     = \"chat\"\n", "name     = \"chat\"\ninstances = 1\n"),
            ("\"20s\"", "\"20000ms\""),
            ("seed        = ", "seed        = 1"),
        ] {
            assert!(text.contains(from), "{from}");
            text = text.replacen(from, to, 1);
        }
        let run = Abstract { scenario: text, ..base.clone() };
        let found = described(&base, &run);
        assert!(matches!(&found[..], [(DifferenceKind::Occasion(field), ..)] if field == "seed"), "{found:?}");
    }

    #[test]
    fn the_version_of_fred_matters_only_where_fred_put_on_load() {
        let with = |client: Client, fred: &str| {
            let mut run = abstracted(0, 1.0);
            run.scenario = Overrides { options: vec![client.into()], ..Overrides::default() }
                .apply(&run.scenario, "sample")
                .unwrap()
                .source;
            run.software.fred = fred.to_owned();
            run
        };
        let (wire, fred) = (Client::Wire, Client::Fred);
        assert_eq!(described(&with(wire, "10.1.0"), &with(wire, "11.0.0")), []);
        let found = described(&with(fred, "10.1.0"), &with(fred, "11.0.0"));
        assert_eq!(found, [(DifferenceKind::Fred, "10.1.0".to_owned(), "11.0.0".to_owned())]);
    }

    #[test]
    fn schemes_of_redis_and_valkey_are_one_address() {
        let at = |address: &str| {
            let mut run = abstracted(0, 1.0);
            (run.target.private, run.target.address) = (false, address.to_owned());
            run
        };
        assert_eq!(described(&at("rediss://h:1"), &at("valkeys://h:1")), []);
        assert_eq!(described(&at("redis://h:1"), &at("valkeys://h:1")).len(), 1);
    }

    #[test]
    fn names_the_fields_of_the_scenario_that_differ() {
        let base = abstracted(0, 1.0);
        let changed = |from: &str, to: &str| {
            assert!(base.scenario.contains(from), "{from}");
            let run = Abstract { scenario: base.scenario.replacen(from, to, 1), ..base.clone() };
            described(&base, &run)
        };
        let size = changed("size = 50", "size = 60");
        let name = "service.api.pool.size".to_owned();
        assert_eq!(size, [(DifferenceKind::Scenario(name), "50".to_owned(), "60".to_owned())]);
        let text = base.scenario.replacen("size = 50", "size = 60", 1).replacen("seed        = ", "seed        = 1", 1);
        let refusing = refusing_fields(&[base.clone(), base.clone()], &text);
        assert!(matches!(&refusing[..], [one] if one.run == "60"), "{refusing:?}");
        let user =
            changed("name     = \"chat\"\n", "name     = \"chat\"\nusername = \"me\"\npassword = { env = \"P\" }\n");
        assert_eq!(user, [], "who logs in is no difference in what is measured");
        let seed = changed("seed        = ", "seed        = 1");
        assert!(matches!(&seed[..], [(DifferenceKind::Occasion(field), ..)] if field == "seed"), "{seed:?}");
    }

    #[test]
    fn another_client_protocol_or_choice_of_nodes_refuses_and_a_field_that_is_not_there_has_its_default() {
        let base = abstracted(0, 1.0);
        let with = |line: &str| {
            let named = format!("name     = \"chat\"\n{line}\n");
            Abstract { scenario: base.scenario.replacen("name     = \"chat\"\n", &named, 1), ..base.clone() }
        };
        for (field, default, other) in
            [("client", "\"fred\"", "\"wire\""), ("protocol", "2", "3"), ("read_from", "\"primary\"", "\"replica\"")]
        {
            assert_eq!(described(&base, &with(&format!("{field} = {default}"))), []);
            let run = with(&format!("{field} = {other}"));
            let found = differences([&base], &run);
            let [Difference { base: of_base, run: of_run, .. }] = &found[..] else { panic!("{found:?}") };
            let [default, other] = [default, other].map(|value| value.trim_matches('"'));
            assert_eq!((of_base.as_str(), of_run.as_str(), found[0].weight()), (default, other, Weight::Refuses));
            assert!(!measured_the_same(&run, &base));
        }
    }

    #[test]
    fn what_refuses_comes_first_and_is_reported_once() {
        let base = [abstracted(0, 1.0), abstracted(1, 1.0)];
        let mut run = abstracted(2, 1.0);
        run.environment.cores = 8;
        run.software.fred = "11.0.0".into();
        run.target.version = "7.2.0".into();
        run.target.settings[0].1 = "1".into();
        run.target.settings.remove(2);
        run.target.same_machine = false;
        run.target.address = "redis://127.0.0.1:7000".into();
        run.workers = Some(9);
        let found = differences(&base, &run);
        let kinds: Vec<_> = found.iter().map(|difference| difference.kind.clone()).collect();
        assert_eq!(
            kinds,
            [
                DifferenceKind::Version,
                DifferenceKind::Setting("maxmemory".into()),
                DifferenceKind::SameMachine,
                DifferenceKind::Fred,
                DifferenceKind::Cores,
                DifferenceKind::Workers,
            ]
        );
        assert_eq!(found.iter().filter(|difference| difference.weight() == Weight::Refuses).count(), 2);
    }

    #[test]
    fn the_machines_of_generators_count_in_whichever_order_they_come() {
        let mut base = abstracted(0, 1.0);
        let machine = base.environment.clone();
        let other = Environment { cpu: "another".into(), cores: 64, ..machine.clone() };
        base.generators = [&machine, &machine, &machine, &other].map(Clone::clone).to_vec();
        base.environment.kernel = "the coordinator's".into();
        let mut run = base.clone();
        run.environment = machine.clone();
        run.generators.reverse();
        assert_eq!(described(&base, &run), [], "the coordinator sends no load");
        run.generators[1] = other.clone();
        let found = differences([&base], &run);
        assert!(found.iter().all(|difference| difference.weight() == Weight::Warns));
        let cores = |of: &str| of.to_owned();
        let expected = (DifferenceKind::Cores, cores("3 × 2, 1 × 64"), cores("2 × 2, 2 × 64"));
        assert_eq!(machine.cores, 2);
        let found = described(&base, &run);
        assert_eq!(
            found.iter().map(|(kind, ..)| kind).collect::<Vec<_>>(),
            [&DifferenceKind::Cpu, &DifferenceKind::Cores]
        );
        assert_eq!(found[1], expected);
        let fewer = |count: usize| Abstract { generators: vec![machine.clone(); count], ..abstracted(1, 1.0) };
        for (count, expected) in [(0, "1"), (2, "2")] {
            let found = described(&fewer(4), &fewer(count));
            assert_eq!(found, [(DifferenceKind::Generators, "4".to_owned(), expected.to_owned())]);
        }
    }

    #[test]
    fn clusters_of_other_sizes_are_other_servers() {
        let (mut base, mut run) = (abstracted(0, 1.0), abstracted(1, 1.0));
        let node = |role| NodeFacts { address: "redis://h:1".to_owned(), role, slots: 0, primary: None };
        base.target.nodes = [NodeRole::Primary, NodeRole::Primary, NodeRole::Replica].map(node).to_vec();
        run.target.nodes = [NodeRole::Primary].map(node).to_vec();
        let found = differences([&base], &run);
        let found: Vec<_> = found.iter().map(|one| (&one.kind, &*one.base, &*one.run, one.weight())).collect();
        let expected = [
            (&DifferenceKind::Primaries, "2", "1", Weight::Refuses),
            (&DifferenceKind::Replicas, "1", "0", Weight::Warns),
        ];
        assert_eq!(found, expected);
        run.target.nodes.clear();
        assert_eq!(described(&base, &run), [], "what was not found out is not known to differ");
        base.target.nodes.clear();
        run.target.replicas = 1;
        let found = differences([&base], &run);
        let found: Vec<_> = found.iter().map(|one| (&one.kind, &*one.base, &*one.run)).collect();
        assert_eq!(found, [(&DifferenceKind::Replicas, "0", "1")], "a primary with a replica does more for each write");
    }

    #[test]
    fn where_a_server_lies_is_reported_unless_it_is_private() {
        let (mut base, mut run) = (abstracted(0, 1.0), abstracted(1, 1.0));
        assert!(base.target.private && run.target.private);
        run.target.address = "redis://127.0.0.1:7000".into();
        assert_eq!(described(&base, &run), []);
        run.target.address = "rediss://127.0.0.1:7000".into();
        assert_eq!(described(&base, &run).len(), 1, "the scheme is part of the setup");
        (base.target.private, run.target.private) = (false, false);
        let found = differences([&base], &run);
        assert!(matches!(&found[..], [one] if one.kind == DifferenceKind::Address && one.weight() == Weight::Warns));
    }

    #[test]
    fn what_several_runs_differ_by_is_reported_once() {
        let mut other = abstracted(0, 1.0);
        other.target.version = "6.2.0".into();
        let run = abstracted(1, 1.0);
        assert_eq!(differences(&[other.clone(), other.clone(), run.clone()], &run).len(), 1);
        assert!(!measured_the_same(&other, &run));
    }
}
