//! How the run was made, and how to repeat it.

use std::{collections::BTreeMap, time::Duration};

use super::{
    Block, Listing, Section, Table,
    headline::elapsed,
    machines::{machine, machines, place, subcommand},
    names::{address, client, made_by, mode, stack},
};
use crate::{
    measure::{HostInterval, PackedHistogram, merged},
    report::format::{self, NOTHING, THIN},
    results::{NodeRole, Run, Software, TargetFacts, is_encrypted},
    scenario::{Access, Action, ArrivalProcess, Checkout, Client, Load, Order, Scenario, Service, ValueSize},
};

pub(super) fn section(run: &Run, scenario: &Scenario) -> Section {
    let mut blocks = vec![facts(run, scenario), Block::Table(services(run, scenario))];
    blocks.extend(repetition(
        format!("plimsoll {}{}", subcommand(run), target_option(&run.target)),
        "Scenario as it was run",
        &run.scenario,
    ));
    Section::new("method", "Setup", blocks)
}

/// The command that does the same again, and its scenario.
pub(super) fn repetition(command: String, what: &str, scenario: &str) -> [Block; 2] {
    [
        Block::Listing(Listing {
            title: "To repeat the run, in the folder of this report".to_owned(),
            language: "sh",
            text: command,
            folded: false,
        }),
        Block::Listing(Listing {
            title: format!("{what} (scenario.toml)"),
            language: "toml",
            text: scenario.trim_end().to_owned(),
            folded: true,
        }),
    ]
}

fn facts(run: &Run, scenario: &Scenario) -> Block {
    let (target, objective) = (&run.target, &scenario.objective);
    let kept = format!(
        "{}{THIN}% of requests within {}, at most {} failed",
        objective.percentile,
        format::setting(objective.latency),
        format::limit(objective.max_error_rate),
    );
    let whose = if target.private { "private, started for this run" } else { "not started by the harness" };
    let scaled = !run.generators.is_empty();
    Block::facts([
        ("Scenario", Some(scenario.name.clone())),
        ("Description", Some(scenario.description.clone()).filter(|text| !text.is_empty())),
        ("Objective", Some(kept)),
        ("Started", Some(run.started.clone())),
        ("Phases", Some(phases(run, scenario))),
        ("Seed", Some(scenario.seed.to_string())),
        ("Server", Some(format!("{}, {}, {whose}", target.software(), mode(target)))),
        ("Address", Some(format!("{}, {}", address(target), place(run)))),
        ("Server settings", settings(target)),
        ("Machine of the harness", (!scaled).then(|| machine(&run.environment))),
        ("Generators", scaled.then(|| machines(&run.generators))),
        // Nobody observed the server where the parts were merged later.
        ("Observed from", (scaled && !run.server.seconds.is_empty()).then(|| machine(&run.environment))),
        ("Pacing", Some(pacing(run))),
        ("Schedule lag", Some(lag(run))),
        ("Opening connections", Some(connects(run))),
        ("TLS handshakes", handshakes(run)),
        (if scaled { "Memory of the generators" } else { "Memory of the harness" }, Some(memory(run))),
        ("Harness", Some(harness(&run.software, scenario.uses(Client::Fred)))),
    ])
}

/// What measured. `fred` is whether fred put on a part of the load.
pub(super) fn harness(software: &Software, fred: bool) -> String {
    let fred = if fred { format!(", {}", client(Client::Fred, software)) } else { String::new() };
    format!("{}{fred}, {} build", made_by(software), software.profile)
}

/// A setting of the server; sizes in units that people read.
/// Settings of the server; sizes in units that people read.
pub(super) fn settings(target: &TargetFacts) -> Option<String> {
    let written = target.settings.iter().map(|(name, value)| match value.parse() {
        Ok(0) if name == "maxmemory" => format!("{name} unlimited"),
        Ok(bytes) if name == "maxmemory" => format!("{name} {}", format::bytes(bytes)),
        _ => format!("{name} {value}"),
    });
    (!target.settings.is_empty()).then(|| written.collect::<Vec<_>>().join(", "))
}

fn phases(run: &Run, scenario: &Scenario) -> String {
    let period = &run.recording.period;
    let planned = Duration::from_nanos(period.planned_ns);
    let early = |why: &str| format!("{} of {} measured ({why})", elapsed(period.measured_ns), format::setting(planned));
    let measured = match run.recording.panicked() {
        Some(_) => early("ended by a panic"),
        None if run.load_failure.is_some() => early("the load failed"),
        None if period.interrupted => early("interrupted"),
        None => format!("{} measured", format::setting(planned)),
    };
    format!(
        "{}{} warm-up, {measured}, {} until the last request ended (at most {})",
        if scenario.run.prefill { "prefill, " } else { "no prefill, " },
        format::setting(Duration::from_nanos(period.warmup_ns)),
        elapsed(period.drain_ns),
        format::setting(scenario.run.drain),
    )
}

pub(super) fn pacing(run: &Run) -> String {
    let mut ways: BTreeMap<&str, u64> = BTreeMap::new();
    for worker in &run.recording.workers {
        *ways.entry(&worker.pacing).or_default() += 1;
    }
    let cores: Vec<_> = run.recording.workers.iter().filter_map(|worker| worker.core).collect();
    let ways: Vec<_> =
        ways.iter().map(|(way, count)| format!("{} {way}", format::counted(*count, "worker", "workers"))).collect();
    match cores.len() {
        _ if ways.is_empty() => NOTHING.to_owned(),
        0 => ways.join(", "),
        // Numbers of cores are those of one machine.
        _ if !run.generators.is_empty() => format!("{}, pinned to cores", ways.join(", ")),
        count => {
            let cores: Vec<_> = cores.iter().map(u32::to_string).collect();
            let noun = if count == 1 { "core" } else { "cores" };
            format!("{}, pinned to {noun} {}", ways.join(", "), cores.join(", "))
        }
    }
}

/// How late the harness released requests.
fn lag(run: &Run) -> String {
    let seconds = run.recording.services.iter().flat_map(|service| &service.seconds);
    percentiles_of(seconds.map(|second| &second.lag))
        .unwrap_or_else(|| "none: a closed loop has no schedule".to_owned())
}

fn connects(run: &Run) -> String {
    let services = &run.recording.services;
    let opened = format::counted(services.iter().map(|service| service.connections).sum(), "connection", "connections");
    let times = percentiles_of(services.iter().map(|service| &service.connect));
    times.map_or(opened.clone(), |times| format!("{opened}: {times}"))
}

/// Part of the time to open connections.
fn handshakes(run: &Run) -> Option<String> {
    percentiles_of(run.recording.services.iter().filter_map(|service| service.handshake.as_ref()))
}

fn percentiles_of<'a>(parts: impl Iterator<Item = &'a PackedHistogram>) -> Option<String> {
    let whole = merged(parts);
    let at = |quantile: f64| format::duration(whole.value_at_quantile(quantile) as f64);
    let longest = || format::duration(whole.max() as f64);
    (!whole.is_empty()).then(|| format!("p50 {}, p99 {}, longest {}", at(0.5), at(0.99), longest()))
}

/// Resident memory in the first and in the last second, which are alike unless something grows.
fn memory(run: &Run) -> String {
    let of = |second: &HostInterval| second.harness_rss.map_or_else(|| NOTHING.to_owned(), format::bytes);
    match run.recording.host.as_slice() {
        [] => NOTHING.to_owned(),
        [only] => of(only),
        [first, .., last] => format!("{} in the first second, {} in the last", of(first), of(last)),
    }
}

/// The option for the target of a command that does the same again.
pub(super) fn target_option(target: &TargetFacts) -> String {
    let insecure = if target.tls_insecure { " --tls-insecure" } else { "" };
    if target.private {
        let topology = match target.mode.as_str() {
            "cluster" => {
                let (primaries, replicas) = (target.count(NodeRole::Primary), target.count(NodeRole::Replica));
                format!(" --topology cluster:{primaries}x{}", replicas / primaries.max(1))
            }
            _ if target.scheme().ends_with("+sentinel") => " --topology sentinel".to_owned(),
            _ if target.count(NodeRole::Replica) > 0 => " --topology replica".to_owned(),
            _ => String::new(),
        };
        let tls = if is_encrypted(&target.address) { " --tls" } else { "" };
        format!("{topology}{tls}")
    } else {
        format!(" --target {}{insecure}", quoted(&target.address))
    }
}

/// A word as a shell takes it.
pub(super) fn quoted(word: &str) -> String {
    let safe = |letter: char| letter.is_ascii_alphanumeric() || "-_./:@%+=,[]".contains(letter);
    if !word.is_empty() && word.chars().all(|letter| safe(letter) && !"[]".contains(letter)) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

fn services(run: &Run, scenario: &Scenario) -> Table {
    let parts = |service: &Service| run.recording.service(&service.name)?.parts;
    Table::of("services", "Services", &scenario.services)
        .head("Service", |service| &service.name)
        .numbers("Database", 2, |service| service.database.to_string())
        .words("User", 2, |service| service.username.as_deref().unwrap_or("of the target"))
        .words("Client", 1, |service| stack(service, &run.software))
        .words("Load", 0, |service| load(service))
        .words("Pool", 0, |service| pool(service, parts(service)))
        .words("Keys", 1, |service| keys(service))
        .words("Values", 1, |service| values(service.values))
        .words("Mix", 1, |service| mix(service))
        .table()
}

fn load(service: &Service) -> String {
    match service.load {
        Load::Open { rate, arrivals } => {
            let process = match arrivals {
                ArrivalProcess::Poisson => "Poisson",
                ArrivalProcess::Uniform => "uniform",
            };
            format!("open loop, {} {process}", format::rate(rate))
        }
        Load::Closed { clients, think_time } if think_time.is_zero() => {
            format!("closed loop, {}", format::counted(u64::from(clients), "client", "clients"))
        }
        Load::Closed { clients, think_time } => format!(
            "closed loop, {}, think time {}",
            format::counted(u64::from(clients), "client", "clients"),
            format::setting(think_time),
        ),
    }
}

/// `parts` is the number of parts into which each instance was divided.
fn pool(service: &Service, parts: Option<u32>) -> String {
    let checkout = match service.pool.checkout {
        Checkout::Exclusive if service.pool.pipeline > 1 => {
            format!("exclusive, up to {} requests sent together", format::count(u64::from(service.pool.pipeline)))
        }
        Checkout::Exclusive => "exclusive".to_owned(),
        Checkout::Shared { in_flight } => format!("shared by up to {}", format::count(u64::from(in_flight))),
    };
    let instances = match service.instances {
        1 => String::new(),
        instances => format!("{} × ", format::count(u64::from(instances))),
    };
    let connections = format::counted(u64::from(service.pool.size), "connection", "connections");
    let checks = if service.pool.health_check.is_zero() {
        String::new()
    } else {
        format!(", health check every {}", format::setting(service.pool.health_check))
    };
    let parts = parts.map_or_else(String::new, |parts| {
        format!(
            ", divided into {} parts with a queue each: a request waits for a connection of its own part",
            format::count(u64::from(parts)),
        )
    });
    format!(
        "{instances}{connections}{parts}, {checkout}, checkout within {}, command within {}{checks}",
        format::setting(service.pool.checkout_timeout),
        format::setting(service.pool.command_timeout),
    )
}

fn keys(service: &Service) -> String {
    let access = match service.keys.access {
        Access::Uniform => "uniform".to_owned(),
        Access::Zipf { exponent } => format!("Zipf {exponent}"),
        Access::Hotspot { keys, requests } => {
            format!("{} of the requests on {} of the keys", format::limit(requests), format::limit(keys))
        }
        Access::Latest { exponent } => format!("latest, Zipf {exponent}"),
        Access::Sequential => "one after another".to_owned(),
        Access::Gaussian { deviation } => format!("normal, deviation {}", format::limit(deviation)),
    };
    format!("{} under {}, {access}", format::count(service.keys.count), service.keys.prefix)
}

fn values(size: ValueSize) -> String {
    match size {
        ValueSize::Fixed(size) => format::bytes(u64::from(size)),
        ValueSize::Uniform { min, max } => {
            format!("{} to {}", format::bytes(u64::from(min)), format::bytes(u64::from(max)))
        }
        ValueSize::LogNormal { median, sigma, max } => format!(
            "log-normal, median {}, sigma {sigma}, at most {}",
            format::bytes(u64::from(median)),
            format::bytes(u64::from(max)),
        ),
    }
}

fn mix(service: &Service) -> String {
    let total: f64 = service.operations.iter().map(|operation| operation.weight).sum();
    let entries: Vec<_> = service
        .operations
        .iter()
        .map(|operation| {
            let name = match &operation.action {
                Action::Single(_) => operation.name.clone(),
                Action::Sequence { steps, transaction } => {
                    let steps = format::counted(steps.len() as u64, "step", "steps");
                    format!("{} ({steps}{})", operation.name, if *transaction { " in MULTI" } else { "" })
                }
            };
            match service.order {
                Order::Weighted => format!("{name} {}", format::share(operation.weight / total)),
                Order::Cycle => name,
            }
        })
        .collect();
    match service.order {
        Order::Weighted => entries.join(", "),
        Order::Cycle => format!("in turn: {}", entries.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::{address, handshakes, pacing, pool, quoted, target_option};
    use crate::{results::sample, scenario::parse};

    #[test]
    fn parts_and_pinned_cores_are_shown() {
        let mut run = sample::run();
        let scenario = parse(&run.scenario, "sample").unwrap();
        let service = &scenario.services[0];
        assert!(!pool(service, None).contains("divided") && !pacing(&run).contains("pinned"));
        assert!(
            pool(service, Some(2)).contains(", divided into 2 parts with a queue each"),
            "{}",
            pool(service, Some(2))
        );
        run.recording.workers[1].core = Some(3);
        assert_eq!(pacing(&run), "2\u{202f}workers adaptive, pinned to core 3");
        run.recording.workers[0].core = Some(2);
        assert_eq!(pacing(&run), "2\u{202f}workers adaptive, pinned to cores 2, 3");
    }

    #[test]
    fn handshakes_and_an_unchecked_certificate_are_shown() {
        let mut run = sample::run();
        assert_eq!((handshakes(&run), address(&run.target)), (None, run.target.address.clone()));
        run.recording.services[0].handshake = Some(run.recording.services[0].connect.clone());
        assert_eq!(handshakes(&run).unwrap(), "p50 708\u{202f}µs, p99 1.13\u{202f}ms, longest 1.13\u{202f}ms");
        (run.target.private, run.target.tls_insecure) = (false, true);
        assert_eq!(address(&run.target), "redis://127.0.0.1:6379 (certificate not checked: --tls-insecure)");
        assert_eq!(target_option(&run.target), " --target redis://127.0.0.1:6379 --tls-insecure");
    }

    #[test]
    fn quotes_what_a_shell_would_read_otherwise() {
        assert_eq!(quoted("redis://10.0.0.7:6379/2"), "redis://10.0.0.7:6379/2");
        assert_eq!(quoted("redis://[::1]:6379"), "'redis://[::1]:6379'");
        assert_eq!(quoted("unix:///tmp/it's"), r"'unix:///tmp/it'\''s'");
    }
}
