//! Requests of every command, for the tests of this room.

use crate::{
    operation::{Kind, Reply, Request, Spec},
    scenario::{self, Scenario},
    workload::RequestStream,
};

/// One operation per command; those that have a batch, an expiry or a script of their own also with it. The last is a transaction.
pub(super) fn everything() -> Scenario {
    let mut text = String::from(
        "name = \"all\"\n[run]\nwarmup = \"1s\"\nduration = \"1s\"\n[objective]\nlatency = \"1s\"\n[[service]]\n\
         name = \"api\"\norder = \"cycle\"\n[service.pool]\nsize = 1\n\
         [service.load]\nmodel = \"closed\"\nclients = 1\n[service.values]\nsize = 8\n",
    );
    for spec in Spec::in_scenarios() {
        let name = spec.name;
        let mut add = |variant: &str, lines: &str| {
            let head = format!("[[service.operation]]\nname = \"{name}{variant}\"\ncommand = \"{name}\"\n");
            text.push_str(&(head + lines));
        };
        match spec.kind {
            Kind::Eval => add("", "script = \"return 1\"\nargs = [\"{value}\"]\n"),
            Kind::Raw => {
                add("", "args = [\"FT.SEARCH\", \"{key}\"]\n");
                add("-judged", "args = [\"FT.SEARCH\", \"{key}\"]\nhit = \"count\"\n");
            }
            _ => add("", ""),
        }
        if spec.takes("batch") {
            add("-of-3", "batch = 3\n");
        }
        if spec.takes("expire") {
            add("-for-a-time", "expire = \"90s\"\n");
        }
    }
    text.push_str(
        "[[service.operation]]\nname = \"both\"\ntransaction = true\nsequence = [{ command = \"GET\" }, { command = \"INCR\" }]\n",
    );
    scenario::parse(&text, "all.toml").unwrap_or_else(|errors| panic!("{errors}"))
}

/// Requests of every operation, with all their steps and the upkeep that replies can ask for.
pub(super) fn requests() -> Vec<Request> {
    let scenario = everything();
    let stream = RequestStream::new(&scenario, 0);
    let full = Reply { misses: 1, integer: Some(i64::MAX), ..Reply::default() };
    let mut requests = Vec::new();
    for sequence in 0..scenario.services[0].operations.len() as u64 {
        for step in 0..stream.steps(stream.operation(sequence)) {
            requests.push(stream.request(sequence, step));
            requests.extend(stream.upkeep(sequence, step, &full));
        }
    }
    requests
}
