//! The machines that the load came from, and the command that sends it again.

use super::names::listed;
use crate::{
    report::format,
    results::{Environment, Generator, Run},
};

/// The machine that the harness ran on.
pub(super) fn machine(environment: &Environment) -> String {
    format!(
        "{}, {}, {} of memory, {}",
        environment.cpu,
        format::counted(u64::from(environment.cores), "core", "cores"),
        format::bytes(environment.memory),
        environment.kernel,
    )
}

/// Where the server is, seen from the machines that the load came from.
pub(super) fn place(run: &Run) -> String {
    let near: Vec<_> = run.generators.iter().filter(|generator| generator.same_machine).map(Generator::name).collect();
    match (run.generators.len(), near.len()) {
        (0, _) if run.target.same_machine => "same machine as the harness".to_owned(),
        (0, _) => "another machine than the harness".to_owned(),
        (_, 0) => "another machine than the generators".to_owned(),
        (all, own) if all == own => "same machine as the generators".to_owned(),
        _ => format!("same machine as {}", listed(&near)),
    }
}

/// Names of machines that are listed; of more, how many there are.
const LISTED: usize = 8;

/// The machines of generators, those that are alike together: `2 on node0 and node1 (a CPU, 8 cores, ...)`.
pub(super) fn machines(generators: &[Generator]) -> String {
    let mut kinds: Vec<(String, Vec<&str>)> = Vec::new();
    for generator in generators {
        let (own, host) = (machine(&generator.environment), generator.shard.host.as_str());
        match kinds.iter_mut().find(|(kind, _)| *kind == own) {
            Some((_, hosts)) => hosts.push(host),
            None => kinds.push((own, vec![host])),
        }
    }
    let written = kinds.iter().map(|(kind, hosts)| {
        let count = hosts.len();
        let mut names: Vec<String> = Vec::new();
        for host in hosts {
            if !names.iter().any(|name| name == host) {
                names.push((*host).to_owned());
            }
        }
        let more = names.len().saturating_sub(LISTED);
        if more > 0 {
            names.truncate(LISTED);
            names.push(format!("{more} more"));
        }
        format!("{count} on {} ({kind})", listed(&names))
    });
    written.collect::<Vec<_>>().join("; ")
}

/// What does the same again, without the target: with the launcher where it is known to be that of processes on one machine.
pub(super) fn subcommand(run: &Run) -> String {
    let Some(first) = run.generators.first() else { return "run scenario.toml".to_owned() };
    let here = run.generators.iter().all(|generator| generator.shard.host == first.shard.host);
    let launcher = if here { " --launcher local" } else { "" };
    format!("scale scenario.toml -n {}{launcher}", run.generators.len())
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Block, method},
        *,
    };
    use crate::{results::sample, scenario::parse};

    #[test]
    fn of_several_generators_their_machines_are_shown() {
        let mut run = sample::scaled(3, |_| 1_000_000);
        let names = |run: &crate::results::Run| {
            let scenario = parse(&run.scenario, "sample").unwrap();
            let blocks = method::section(run, &scenario).blocks;
            let Some(Block::Facts(facts)) = blocks.into_iter().next() else { panic!("facts come first") };
            facts.into_iter().map(|(name, _)| name).collect::<Vec<_>>()
        };
        let all = names(&run);
        for name in ["Generators", "Observed from", "Memory of the generators"] {
            assert!(all.iter().any(|other| other == name), "{name}: {all:?}");
        }
        assert!(!all.iter().any(|name| name.contains("harness")), "{all:?}");
        run.server.seconds.clear();
        assert!(!names(&run).contains(&"Observed from".to_owned()), "nobody observed it");
        assert_eq!(
            (place(&run), subcommand(&run)),
            ("another machine than the generators".to_owned(), "scale scenario.toml -n 3".to_owned(),)
        );
        run.generators[1].same_machine = true;
        run.generators[1].environment.cores = 64;
        assert_eq!(place(&run), "same machine as generator 1 on node1");
        let written = machines(&run.generators);
        assert!(written.starts_with("2 on node0 and node2 ("), "{written}");
        assert!(written.contains("; 1 on node1 (") && written.contains("64\u{202f}cores"), "{written}");
        for generator in &mut run.generators {
            (generator.shard.host, generator.same_machine) = ("vm".to_owned(), true);
        }
        run.generators[1].environment = run.environment.clone();
        assert!(machines(&run.generators).starts_with("3 on vm ("), "{}", machines(&run.generators));
        assert_eq!(
            (place(&run), subcommand(&run)),
            ("same machine as the generators".to_owned(), "scale scenario.toml -n 3 --launcher local".to_owned(),)
        );
        run.recording.workers[0].core = Some(1);
        assert!(method::pacing(&run).ends_with("pinned to cores"), "{}", method::pacing(&run));
    }
}
