//! From the text of a file to a [`Scenario`]: every field is read, and what concerns several fields is checked.

use std::{collections::BTreeMap, str::FromStr as _};

use toml::de::DeTable;

use super::{
    dependency,
    document::SCENARIO,
    errors::{Path, ScenarioErrors},
    event,
    model::{
        Access, Action, ArrivalProcess, Checkout, Client, Command, Keys, Load, Objective, Operation, Order,
        PasswordSource, Phases, Pool, Protocol, ReadFrom, Scenario, Service, ValueSize,
    },
    operations,
    reader::{Alternative, Section, refusals::refuse_same_names},
    text::Document,
    tls, write_audit,
};

/// Whether the scenario of a saved document uses a client library; true where this version does not read it.
pub fn uses(text: &str, client: Client) -> bool {
    parse(text, "saved scenario").map_or(true, |scenario| scenario.uses(client))
}

/// Reads a scenario from TOML text. `file` only names it in errors.
///
/// # Errors
///
/// All that is wrong with it: syntax errors if there are any, else everything that is wrong with its fields.
pub fn parse(text: &str, file: &str) -> Result<Scenario, ScenarioErrors> {
    let document = Document::new(text, file);
    let (table, syntax_errors) = DeTable::parse_recoverable(text);
    if !syntax_errors.is_empty() {
        reject_syntax(&document, &syntax_errors);
        return document.finish(None);
    }
    let scenario = scenario(&Section::root(&document, &SCENARIO, table.get_ref()), text);
    document.finish(scenario)
}

/// Keeps the first syntax error of each line. One error makes many lines look wrong, so only the first few are reported.
fn reject_syntax(document: &Document<'_>, errors: &[toml::de::Error]) {
    const TOLD: usize = 5;
    let mut lines = BTreeMap::new();
    for error in errors {
        let at = error.span().unwrap_or_default();
        lines.entry(document.line(&at)).or_insert((at, error));
    }
    for (index, (at, error)) in lines.values().take(TOLD).enumerate() {
        let message = error.message().lines().collect::<Vec<_>>().join(", ");
        let more = lines.len().saturating_sub(TOLD);
        let rest = if index + 1 == TOLD && more > 0 {
            format!(" ({more} more lines are wrong, perhaps as a consequence)")
        } else {
            String::new()
        };
        document.reject(at, Path::default(), message + &rest);
    }
}

fn scenario(root: &Section<'_>, text: &str) -> Option<Scenario> {
    let name = root.text("name");
    let description = root.text("description");
    let seed = root.integer("seed");
    let run = root.section("run").and_then(|section| phases(&section));
    let objective = root.section("objective").and_then(|section| objective(&section));
    let tls = tls::read(root);
    let services = services(root);
    let dependencies = dependency::read(root);
    let events = event::read(root, run.map(|run| run.duration));
    let audit_writes = root.gives("audit_writes").then(|| write_audit::read(root));
    Some(Scenario {
        name: name?,
        description: description?,
        seed: seed?,
        run: run?,
        objective: objective?,
        services: services?,
        tls: tls?,
        dependencies: dependencies?,
        events: events?,
        audit_writes: audit_writes.map_or(Some(None), |plan| plan.map(Some))?,
        source: text.to_owned(),
    })
}

fn phases(section: &Section<'_>) -> Option<Phases> {
    let warmup = section.duration("warmup");
    let duration = section.duration("duration");
    let drain = section.duration("drain");
    let prefill = section.flag("prefill");
    let pin = section.flag("pin");
    Some(Phases { warmup: warmup?, duration: duration?, drain: drain?, prefill: prefill?, pin: pin? })
}

fn objective(section: &Section<'_>) -> Option<Objective> {
    let latency = section.duration("latency");
    let percentile = section.number("percentile");
    let max_error_rate = section.number("max_error_rate");
    let recovery = if section.gives("recovery") { Some(section.duration("recovery")?) } else { None };
    Some(Objective { latency: latency?, percentile: percentile?, max_error_rate: max_error_rate?, recovery })
}

fn services(root: &Section<'_>) -> Option<Vec<Service>> {
    let sections = root.sections("service")?;
    let services: Vec<_> = sections.iter().map(service).collect();
    let read: Vec<_> =
        sections.iter().zip(&services).filter_map(|(at, service)| Some((at, service.as_ref()?))).collect();
    refuse_same_names(&sections);
    refuse_overlapping_prefixes(&read);
    for (section, service) in &read {
        refuse_larger_batches(section, service);
    }
    services.into_iter().collect()
}

/// Whatever lies under a service's prefix is removed after the run: it must not be another's.
fn refuse_overlapping_prefixes(services: &[(&Section<'_>, &Service)]) {
    for (index, (section, service)) in services.iter().enumerate() {
        let clash = services[..index].iter().map(|(_, earlier)| *earlier).find(|earlier| {
            earlier.database == service.database
                && earlier.name != service.name
                && (earlier.keys.prefix.starts_with(&service.keys.prefix)
                    || service.keys.prefix.starts_with(&earlier.keys.prefix))
        });
        let Some(clash) = clash else { continue };
        let message = format!(
            r#""{}" and the "{}" of service "{}" overlap in database {}: one would remove keys of the other: use different prefixes"#,
            service.keys.prefix, clash.keys.prefix, clash.name, service.database,
        );
        match section.section("keys").filter(|keys| keys.gives("prefix")) {
            Some(keys) => keys.reject("prefix", message),
            None => section.reject("keys", message),
        }
    }
}

/// The keys of a command are different keys of one hash tag.
fn refuse_larger_batches(section: &Section<'_>, service: &Service) {
    let Some(together) = service.keys.hash_tag else { return };
    for operation in &service.operations {
        let batch = |command: &Command| u64::from(command.parameters.batch);
        let commands = operation.commands().iter().filter(|command| command.kind.spec().keys.is_batch());
        let Some(largest) = commands.map(batch).max().filter(|largest| *largest > together) else { continue };
        let message =
            format!("operation `{}` has {largest} keys in one command: a hash tag must have as many", operation.name);
        if let Some(keys) = section.section("keys") {
            keys.reject("hash_tag", message);
        }
    }
}

fn service(section: &Section<'_>) -> Option<Service> {
    let name = section.text("name");
    let database = section.integer("database");
    let username = section.gives("username").then(|| section.text("username"));
    let password = section.gives("password").then(|| password(section));
    let client = section.choice("client").and_then(|word| Client::from_str(word).ok());
    let protocol =
        section.integer("protocol").map(|version: u8| if version == 3 { Protocol::Resp3 } else { Protocol::Resp2 });
    let read_from = section.choice("read_from").and_then(|word| ReadFrom::from_str(word).ok());
    let instances = section.integer("instances");
    let parts = section.gives("parts").then(|| section.integer("parts"));
    let pool = section.section("pool").and_then(|section| pool(&section));
    let load = section.section("load").and_then(|section| load(&section, instances));
    let keys = section.section("keys").and_then(|section| keys(&section, name.as_deref()));
    let values = section.section("values").and_then(|section| value_size(&section));
    let order = section.choice("order").map(|word| if word == "cycle" { Order::Cycle } else { Order::Weighted });
    let setup = operations::around(section, "setup", keys.as_ref());
    let cleanup = operations::around(section, "cleanup", keys.as_ref());
    let operations = operations::read(section, order, keys.as_ref());
    let transaction = |operation: &Operation| matches!(operation.action, Action::Sequence { transaction: true, .. });
    if operations.iter().flatten().any(transaction)
        && let Some(Pool { checkout, pipeline, .. }) = pool
        && let Some(pool) = section.section("pool")
    {
        if checkout != Checkout::Exclusive {
            pool.reject("checkout", "transactions need an exclusive connection: use \"exclusive\"");
            return None;
        }
        if pipeline > 1 {
            pool.reject(
                "pipeline",
                "transactions need a connection of their own until EXEC: use 1, or another service",
            );
            return None;
        }
    }
    Some(Service {
        name: name?,
        database: database?,
        username: optional(username)?,
        password: optional(password)?,
        client: client?,
        protocol: protocol?,
        read_from: read_from?,
        instances: instances?,
        parts: optional(parts)?,
        pool: pool?,
        load: load?,
        keys: keys?,
        values: values?,
        setup: setup?,
        cleanup: cleanup?,
        order: order?,
        operations: operations?,
    })
}

/// `None` where a given value is wrong.
#[expect(clippy::option_option, reason = "wrong and absent are two things")]
fn optional<T>(given: Option<Option<T>>) -> Option<Option<T>> {
    match given {
        None => Some(None),
        Some(value) => value.map(Some),
    }
}

fn password(service: &Section<'_>) -> Option<PasswordSource> {
    let Alternative::Section(section) = service.alternative("password")? else { return None };
    if section.name() == "password_env" {
        section.text("env").map(PasswordSource::Env)
    } else {
        section.text("file").map(|file| PasswordSource::File(file.into()))
    }
}

fn pool(section: &Section<'_>) -> Option<Pool> {
    let size = section.integer("size");
    let (checkout, pipeline) = match section.variant() {
        Some("shared") => (section.integer("in_flight").map(|in_flight| Checkout::Shared { in_flight }), Some(1)),
        variant => (variant.map(|_| Checkout::Exclusive), section.integer("pipeline")),
    };
    let checkout_timeout = section.duration("checkout_timeout");
    let command_timeout = section.duration("command_timeout");
    let health_check = section.duration("health_check");
    Some(Pool {
        size: size?,
        checkout: checkout?,
        pipeline: pipeline?,
        checkout_timeout: checkout_timeout?,
        command_timeout: command_timeout?,
        health_check: health_check?,
    })
}

fn load(section: &Section<'_>, instances: Option<u32>) -> Option<Load> {
    if section.variant()? == "closed" {
        let clients = section.integer("clients");
        let think_time = section.duration("think_time");
        if let (Some(clients), Some(instances)) = (clients, instances)
            && clients < instances
        {
            section.reject("clients", format!("{clients} clients are too few for {instances} instances"));
        }
        return Some(Load::Closed { clients: clients?, think_time: think_time? });
    }
    let rate = section.number("rate");
    let arrivals = section
        .choice("arrivals")
        .map(|word| if word == "uniform" { ArrivalProcess::Uniform } else { ArrivalProcess::Poisson });
    Some(Load::Open { rate: rate?, arrivals: arrivals? })
}

fn keys(section: &Section<'_>, service: Option<&str>) -> Option<Keys> {
    let prefix = if section.gives("prefix") {
        section.text("prefix")
    } else {
        service.map(|service| format!("plimsoll:{service}:"))
    };
    let count = section.integer("count");
    let hash_tag = section.gives("hash_tag").then(|| section.integer("hash_tag"));
    let access = section.section("access").and_then(|section| access(&section));
    Some(Keys {
        prefix: prefix?,
        count: count?,
        hash_tag: hash_tag.map_or(Some(None), |keys| keys.map(Some))?,
        access: access?,
    })
}

fn access(section: &Section<'_>) -> Option<Access> {
    match section.variant()? {
        "zipf" => section.number("exponent").map(|exponent| Access::Zipf { exponent }),
        "hotspot" => {
            let keys = section.number("keys");
            let requests = section.number("requests");
            Some(Access::Hotspot { keys: keys?, requests: requests? })
        }
        "latest" => section.number("exponent").map(|exponent| Access::Latest { exponent }),
        "sequential" => Some(Access::Sequential),
        "gaussian" => section.number("deviation").map(|deviation| Access::Gaussian { deviation }),
        _ => Some(Access::Uniform),
    }
}

fn value_size(values: &Section<'_>) -> Option<ValueSize> {
    match values.alternative("size")? {
        Alternative::Integer(size) => u32::try_from(size).ok().map(ValueSize::Fixed),
        Alternative::Section(section) if section.name() == "size_range" => {
            let min = section.integer("min");
            let max = section.integer("max");
            refuse_disorder(&section, ("min", min), ("max", max));
            Some(ValueSize::Uniform { min: min?, max: max? })
        }
        Alternative::Section(section) => {
            let section = section.section("lognormal")?;
            let median = section.integer("median");
            let sigma = section.number("sigma");
            let max = section.integer("max");
            refuse_disorder(&section, ("median", median), ("max", max));
            Some(ValueSize::LogNormal { median: median?, sigma: sigma?, max: max? })
        }
    }
}

fn refuse_disorder(section: &Section<'_>, (low, smaller): (&str, Option<u32>), (high, larger): (&str, Option<u32>)) {
    if let (Some(smaller), Some(larger)) = (smaller, larger)
        && smaller > larger
    {
        section.reject(high, format!("{larger} is less than {low} = {smaller}"));
    }
}
