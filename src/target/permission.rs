//! Whether a service may do what its scenario asks for.
//!
//! The server itself is asked, and nothing is done: it checks permissions when a command is queued between `MULTI` and
//! `DISCARD`, which needs no rights beyond those two. A user without them reads in earnest, and writes to keys of its own,
//! which are removed again. A user who may remove nothing writes with a word too many where that has no effect.

use std::collections::BTreeSet;

use bytes::Bytes;
use fred::{clients::Client, error::Error, types::Value};

use super::{Connector, TargetError, ask::send, data::remove, failure, words, write_audit};
use crate::{
    measure::ErrorClass,
    operation::{Access, Args, DataType, Kind, Request},
    scenario::{Scenario, Service},
    workload::RequestStream,
};

/// Sequence numbers that are looked through for examples of each operation; one that is rarer is not asked for.
const EXAMPLES: u64 = 100_000;

/// Behind the keys that are written in earnest.
const SCRATCH: &str = ":plimsoll-probe";

/// A command that a service sends.
#[derive(Debug, Clone)]
pub(super) struct Probe {
    pub(super) request: Request,
    pub(super) need: Need,
}

/// Purpose of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Need {
    Mix,
    Upkeep,
    Prefill,
    /// Set-up or clean-up.
    Around,
    WriteAudit,
}

/// One probe for each command, and each kind of key, that a service needs.
pub(super) fn probes(scenario: &Scenario, service: usize) -> Vec<Probe> {
    let mut probes = Vec::new();
    let mut known = BTreeSet::new();
    let mut add = |request: Request, need: Need| {
        // Keys of one type differ in their number only.
        if known.insert((words::words(&request)[0].clone(), request.kind.spec().data as u8, need == Need::Prefill)) {
            probes.push(Probe { request, need });
        }
    };
    for request in examples(scenario, service) {
        let kind = request.kind;
        if let Some(upkeep) = kind.upkeep() {
            let mut upkeep = plain(upkeep, request.key.clone());
            if let Args::Pairs(pairs) = &mut upkeep.args
                && upkeep.kind == Kind::MSet
            {
                // It writes several keys, which not every server takes.
                pairs.push(([&request.key[..], b"0"].concat().into(), Bytes::from_static(b"1")));
            }
            add(upkeep, Need::Upkeep);
        }
        if scenario.run.prefill {
            for writing in prefilled_by(kind.spec().data) {
                add(plain(*writing, request.key.clone()), Need::Prefill);
            }
        }
        add(request, Need::Mix);
    }
    if service == 0 && scenario.audit_writes.is_some() {
        for kind in [Kind::Incr, Kind::Get] {
            let key = write_audit::counter(scenario, 0);
            add(Request::new(kind, key, Args::None), Need::WriteAudit);
        }
    }
    if scenario.run.prefill {
        let Service { setup, cleanup, keys, .. } = &scenario.services[service];
        probes.extend(setup.iter().chain(cleanup).map(|words| {
            let words: Vec<_> = words.iter().map(|word| Bytes::from(word.clone())).collect();
            let key = words[1..].iter().find(|word| word.starts_with(keys.prefix.as_bytes())).cloned();
            let request = Request::new(Kind::Raw, key.unwrap_or_default(), Args::Raw(words));
            Probe { request, need: Need::Around }
        }));
    }
    // What the service itself sends is complained of first.
    probes.sort_by_key(|probe| probe.need);
    probes
}

pub(super) fn examples(scenario: &Scenario, service: usize) -> Vec<Request> {
    let stream = RequestStream::new(scenario, service);
    let first = sequences(&stream, scenario.services[service].operations.len(), 1).into_iter();
    let requests = |(operation, sequence)| (0..stream.steps(operation)).map(move |step| (sequence, step));
    first.flat_map(requests).map(|(sequence, step)| stream.request(sequence, step)).collect()
}

/// The first sequence numbers of each operation, at most `each`, in order: the operation, and the number.
pub(super) fn sequences(stream: &RequestStream, operations: usize, each: usize) -> Vec<(usize, u64)> {
    let (mut seen, mut found) = (vec![0; operations], Vec::new());
    for sequence in 0..EXAMPLES {
        if found.len() == operations * each {
            break;
        }
        let operation = stream.operation(sequence);
        if seen[operation] < each {
            seen[operation] += 1;
            found.push((operation, sequence));
        }
    }
    found
}

/// The commands that write keys of a type before the load begins.
fn prefilled_by(data: DataType) -> &'static [Kind] {
    match data {
        DataType::None => &[],
        DataType::String | DataType::Counter | DataType::Text => &[Kind::MSet],
        DataType::Hash => &[Kind::HSet],
        DataType::List => &[Kind::RPush, Kind::LTrim],
        DataType::Set => &[Kind::SAdd],
        DataType::SortedSet => &[Kind::ZAdd],
        DataType::Stream => &[Kind::XAdd],
    }
}

/// A command of the prefill or the upkeep, as small as it can be.
fn plain(kind: Kind, key: Bytes) -> Request {
    let one = || Bytes::from_static(b"1");
    let args = match kind {
        Kind::MSet => Args::Pairs(vec![(key.clone(), one())]),
        Kind::HSet => Args::Pairs(vec![(one(), one())]),
        Kind::ZAdd => Args::Scored(vec![(1.0, one())]),
        Kind::XAdd => Args::Entry { fields: vec![(one(), one())], max_length: 1 },
        Kind::LTrim => Args::Range(0, -1),
        Kind::Set => Args::Value(one()),
        _ => Args::Values(vec![one()]),
    };
    Request::new(kind, key, args)
}

/// Probes all commands, and returns the refused ones.
pub(super) async fn check(client: &Client, connector: &Connector, probes: &[Probe]) -> Vec<TargetError> {
    match send(client, vec![Bytes::from_static(b"MULTI")]).await {
        Ok(_) => queue(client, connector, probes).await,
        Err(error) => {
            let transaction = probes.iter().find(|probe| probe.request.kind == Kind::Multi);
            let refused = transaction.and_then(|probe| probe.refused(connector, &error));
            let mut errors: Vec<_> = refused.into_iter().collect();
            errors.extend(try_out(client, connector, probes).await);
            errors
        }
    }
}

/// Commands that a server carries out between `MULTI` and `DISCARD` instead of queueing them.
const NEVER_QUEUED: [&str; 6] = ["MULTI", "EXEC", "DISCARD", "WATCH", "RESET", "QUIT"];

/// Queues every command and throws them all away.
async fn queue(client: &Client, connector: &Connector, probes: &[Probe]) -> Vec<TargetError> {
    let asked: Vec<_> = probes.iter().filter(|probe| !NEVER_QUEUED.contains(&probe.name().as_str())).collect();
    let pipeline = client.pipeline();
    for probe in &asked {
        // Nothing is sent before the end.
        let _ = send(&pipeline, words::words(&probe.request)).await;
    }
    let _ = send(&pipeline, vec![Bytes::from_static(b"DISCARD")]).await;
    let replies = pipeline.try_all::<Value>().await;
    let errors = asked.iter().zip(replies).filter_map(|(probe, reply)| probe.refused(connector, &reply.err()?));
    let mut errors: Vec<_> = errors.collect();
    // It changes nothing by itself, and ends with the connection.
    for probe in probes.iter().filter(|probe| probe.name() == "WATCH") {
        let watched = send(client, words::words(&probe.request)).await;
        errors.extend(watched.err().and_then(|error| probe.refused(connector, &error)));
    }
    errors
}

/// Without transactions: reads what there is, and writes keys that it can remove again.
async fn try_out(client: &Client, connector: &Connector, probes: &[Probe]) -> Vec<TargetError> {
    let (mut errors, mut scratch) = (Vec::new(), Vec::new());
    for probe in probes {
        let Request { kind, key, args, .. } = &probe.request;
        let line = match (kind, kind.spec().access) {
            // Nothing is known of its effect.
            (Kind::Raw | Kind::Multi | Kind::Exec, _) => continue,
            (Kind::Eval, _) => words::words(&unreadable(&probe.request)),
            (_, Access::Read | Access::Neither) => words::words(&probe.request),
            (_, Access::Write) => {
                let key = Bytes::from([key.as_ref(), SCRATCH.as_bytes()].concat());
                let mut line = words::words(&moved(&probe.request, key.clone()));
                let takes_more =
                    *kind == Kind::Set || matches!(args, Args::Pairs(_) | Args::Scored(_) | Args::Entry { .. });
                match remove(client, vec![key.clone()]).await {
                    Err(_) if takes_more => line.push(Bytes::from_static(b"plimsoll")),
                    _ => scratch.push(key),
                }
                line
            }
        };
        if let Err(error) = send(client, line).await {
            let word = error.details().split(' ').next().unwrap_or_default();
            // Any other error comes of the scratch keys' contents.
            if matches!(word, "NOPERM" | "READONLY") || error.details().starts_with("ERR unknown command") {
                errors.extend(probe.refused(connector, &error));
            }
        }
    }
    let _ = remove(client, scratch).await;
    errors
}

/// The request with a script that the server refuses after the check of the rights.
fn unreadable(request: &Request) -> Request {
    let argv = match &request.args {
        Args::Script { argv, .. } => argv.clone(),
        _ => Vec::new(),
    };
    Request { args: Args::Script { source: Bytes::from_static(b"("), argv }, ..request.clone() }
}

/// The command on another key.
fn moved(request: &Request, key: Bytes) -> Request {
    let args = match (request.kind.spec().keys.is_batch(), &request.args) {
        (true, Args::Pairs(_)) => Args::Pairs(vec![(key.clone(), Bytes::from_static(b"1"))]),
        (true, _) => Args::None,
        (false, args) => args.clone(),
    };
    Request::new(request.kind, key, args)
}

impl Probe {
    /// The command's name in capitals.
    fn name(&self) -> String {
        String::from_utf8_lossy(&words::words(&self.request)[0]).to_uppercase()
    }

    /// Refusal of the command by an error; `None` if the error is harmless.
    fn refused(&self, connector: &Connector, error: &Error) -> Option<TargetError> {
        let message = error.details().to_owned();
        let command = String::from_utf8_lossy(&words::words(&self.request)[0]).into_owned();
        match message.split(' ').next().unwrap_or_default() {
            // How a full server fares is what a run may want to know.
            "OOM" => None,
            // Some commands are only for outside of transactions.
            _ if message.contains("inside a transaction") || message.contains("inside MULTI") => None,
            // The node that it is sent to is found when it is sent.
            word if failure::is_of_cluster(word) && self.need == Need::Around => None,
            // A command in words of its own may have a key of another node; the load follows the redirection.
            "MOVED" if self.request.kind == Kind::Raw && connector.slots().is_some() => None,
            word if failure::is_of_cluster(word) => Some(TargetError::Cluster { message }),
            "NOPERM" => {
                let key = String::from_utf8_lossy(&self.request.key).into_owned();
                let purpose = match self.need {
                    Need::Mix => "",
                    Need::Upkeep => ", which keeps the data in bounds",
                    Need::Prefill => ", which the prefill needs",
                    Need::Around => ", which setup or cleanup of the scenario sends",
                    Need::WriteAudit => ", which the audit of writes needs",
                };
                Some(TargetError::Permission { user: connector.user().to_owned(), command, key, purpose, message })
            }
            "CROSSSLOT" => {
                let message = "its keys are in several hash slots of the cluster: let the service's keys share hash tags (hash_tag), \
                               or remove it from the mix";
                Some(TargetError::CommandRefused { command, message: message.to_owned() })
            }
            "READONLY" => {
                let remedy = match self.need {
                    Need::Prefill => ", or use existing data (--no-prefill)",
                    Need::Mix | Need::Upkeep | Need::Around | Need::WriteAudit => "",
                };
                let message = format!("the server is a replica and refuses writes: use its primary{remedy}");
                Some(TargetError::CommandRefused { command, message })
            }
            _ if failure::of_request(error).class == ErrorClass::ConnectionLost => {
                let message = "the server or a proxy closed the connection".to_owned();
                Some(TargetError::CommandRefused { command, message })
            }
            _ if message.starts_with("ERR unknown command") => Some(TargetError::UnknownCommand { command }),
            _ => Some(TargetError::CommandRefused { command, message }),
        }
    }
}
