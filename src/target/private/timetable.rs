//! Events of a scenario: what is done to the nodes of a private deployment, and on this machine, at fixed times of the measured period.

use std::{
    convert::Infallible,
    sync::mpsc::{self, Receiver, RecvTimeoutError, Sender},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use super::{
    client::Reply,
    node::PrivateNode,
    reshard::Reshard,
    sentinel, shell,
    topology::{PrivateRole, PrivateTopology},
};
use crate::{
    measure::{Nanos, Timeframe, nanos, yield_to_load},
    results::EventRecord,
    scenario::{Checkout, Client, Event, EventAction, NodeChoice, Scenario},
    target::slots::SLOTS,
};

/// How to have a replica.
const WITH_REPLICAS: &str = "use --topology replica, sentinel or cluster:3x1";

/// Events that the nodes can have, not begun yet.
#[derive(Debug, Default)]
pub struct Timetable {
    nodes: Vec<PrivateNode>,
    events: Vec<Event>,
}

/// Events that take place, each in a thread of its own. Dropped, it leaves out those that have not begun, continues suspended nodes,
/// and ends commands.
#[derive(Debug)]
pub struct Execution(Vec<Entry>);

#[derive(Debug)]
struct Entry {
    /// The event as if the run ended before it.
    blank: EventRecord,
    /// Dropped at the end of the run.
    _running: Sender<Infallible>,
    thread: Option<JoinHandle<EventRecord>>,
}

impl Timetable {
    /// The events of a scenario for a deployment.
    ///
    /// # Errors
    ///
    /// Description of each event that the deployment cannot have.
    pub(super) fn new(topology: PrivateTopology, nodes: &[PrivateNode], scenario: &Scenario) -> Result<Self, String> {
        let reason = |event: &Event| {
            let reason = impossible(topology, nodes, scenario, &event.action)?;
            Some(format!("event {event}: {reason}"))
        };
        let reasons: Vec<_> = scenario.events.iter().filter_map(reason).collect();
        if !reasons.is_empty() {
            return Err(reasons.join("\n"));
        }
        Ok(Self { nodes: nodes.to_vec(), events: scenario.events.clone() })
    }

    /// The events of a scenario where the server is not private.
    ///
    /// # Errors
    ///
    /// Description of the first event that takes a private server.
    pub fn without_nodes(scenario: &Scenario) -> Result<Self, String> {
        match scenario.events.iter().find(|event| event.action.command().is_none()) {
            None => Ok(Self { nodes: Vec::new(), events: scenario.events.clone() }),
            Some(event) => Err(format!(
                "event {event}: kill, stop, restart, failover, reshard and config happen to private servers only: omit --target, \
                 remove the event, or use exec:COMMAND, which carries out a command of yours at that time"
            )),
        }
    }

    /// Begins, once it is known when the measured period does.
    pub fn begin(&self, frame: &Timeframe) -> Execution {
        let entry = |event: &Event| {
            let blank = EventRecord {
                action: event.action.to_string(),
                planned_ns: nanos(event.at),
                began_ns: None,
                ended_ns: None,
                node: None,
                failure: None,
                outcome: None,
            };
            let (running, stop) = mpsc::channel();
            let agent = Agent { nodes: self.nodes.clone(), frame: frame.clone(), stop };
            let (action, record) = (event.action.clone(), blank.clone());
            let work = move || agent.carry_out(&action, record);
            let thread = thread::Builder::new().name("plimsoll-event".to_owned()).spawn(work).ok();
            Entry { blank, _running: running, thread }
        };
        Execution(self.events.iter().map(entry).collect())
    }
}

impl Execution {
    /// Ends, and returns what took place, in the scenario's order. A node that is being started again is waited for.
    pub fn finish(self) -> Vec<EventRecord> {
        // All of them end at the same time.
        let ended: Vec<_> = self.0.into_iter().map(|entry| (entry.blank, entry.thread)).collect();
        ended.into_iter().map(|(blank, thread)| thread.and_then(|thread| thread.join().ok()).unwrap_or(blank)).collect()
    }
}

/// Why no node can have an event; `None` if one can.
fn impossible(
    topology: PrivateTopology,
    nodes: &[PrivateNode],
    scenario: &Scenario,
    action: &EventAction,
) -> Option<String> {
    let has_replica = nodes.iter().any(|node| matches!(node.role(), PrivateRole::Replica { .. }));
    match action {
        EventAction::Kill(choice) | EventAction::Stop(choice, _) | EventAction::Restart(choice) => match choice {
            NodeChoice::Number(number) if *number > nodes.len() => {
                Some(format!("there is no node {number}; the last is {}", nodes.len()))
            }
            NodeChoice::Address(address) if !nodes.iter().any(|node| is_at(node, address)) => {
                let own: Vec<_> = nodes.iter().map(|node| node.endpoint().to_string()).collect();
                Some(format!("there is no node at {address} (nodes: {})", own.join(", ")))
            }
            NodeChoice::Replica if !has_replica => Some(format!("no node is a replica: {WITH_REPLICAS}")),
            NodeChoice::Number(_) | NodeChoice::Address(_) | NodeChoice::Primary | NodeChoice::Replica => None,
        },
        EventAction::Failover => {
            let possible = match topology {
                PrivateTopology::Sentinel => true,
                PrivateTopology::Cluster { .. } => has_replica,
                PrivateTopology::Standalone | PrivateTopology::Replica => false,
            };
            (!possible).then(|| {
                "a failover needs Sentinels, or a cluster with replicas (--topology sentinel, or cluster:3x1)"
                    .to_owned()
            })
        }
        EventAction::Reshard(slots) => match topology {
            PrivateTopology::Cluster { primaries, .. } if primaries > 1 => {
                // Of the primary with the most.
                let most = SLOTS.div_ceil(primaries);
                if *slots > most {
                    return Some(format!("a primary has {most} slots: use a number from 1 to {most}"));
                }
                let confused = scenario.services.iter().find(|service| {
                    let is_shared = service.pool.checkout != Checkout::Exclusive || service.pool.pipeline > 1;
                    service.client == Client::Fred && is_shared
                });
                confused.map(|service| {
                    format!(
                        "fred mixes up replies on connections with several requests in flight while slots move: use exclusive \
                         checkout without a pipeline, or client = \"wire\", for the service `{}`",
                        service.name
                    )
                })
            }
            _ => Some("a reshard needs a cluster with two primaries or more (--topology cluster)".to_owned()),
        },
        EventAction::Config { .. } | EventAction::Exec(_) => None,
    }
}

fn is_at(node: &PrivateNode, address: &str) -> bool {
    let own = node.endpoint().to_string();
    own == address || own.split_once("://").is_some_and(|(_, place)| place == address)
}

/// What carries out one event.
struct Agent {
    nodes: Vec<PrivateNode>,
    frame: Timeframe,
    /// Disconnected at the end of the run.
    stop: Receiver<Infallible>,
}

impl Agent {
    fn carry_out(self, action: &EventAction, mut record: EventRecord) -> EventRecord {
        yield_to_load();
        let due = self.frame.start + record.planned_ns;
        if !self.sleep_until(self.frame.clock.instant(due)) || due >= self.frame.end() {
            return record;
        }
        let done = self.act(action, &mut record);
        record.ended_ns = Some(self.now());
        record.failure = done.err();
        record
    }

    fn act(&self, action: &EventAction, record: &mut EventRecord) -> Result<(), String> {
        match action {
            EventAction::Kill(choice) => {
                self.chosen(choice, record)?.kill();
                Ok(())
            }
            EventAction::Stop(choice, time) => {
                let node = self.chosen(choice, record)?;
                node.stop();
                self.sleep(*time);
                node.resume();
                Ok(())
            }
            EventAction::Restart(choice) => self.chosen(choice, record)?.restart().map_err(|error| error.to_string()),
            EventAction::Failover => self.fail_over(record),
            EventAction::Config { name, value } => {
                record.began_ns = Some(self.now());
                let servers = self.nodes.iter().filter(|node| node.role() != PrivateRole::Sentinel);
                let refused = servers.filter_map(|node| {
                    let error = node.asked(&["CONFIG", "SET", name, value]).err()?;
                    Some(format!("{}: {error}", node.endpoint()))
                });
                let refused: Vec<_> = refused.collect();
                if refused.is_empty() { Ok(()) } else { Err(refused.join("; ")) }
            }
            EventAction::Reshard(slots) => {
                record.began_ns = Some(self.now());
                let mut reshard = Reshard::plan(&self.nodes, *slots)?;
                record.node = Some(reshard.source().endpoint().to_string());
                record.outcome = Some(reshard.carry_out(|| self.sleep(Duration::ZERO))?);
                Ok(())
            }
            EventAction::Exec(command) => {
                record.began_ns = Some(self.now());
                record.outcome = Some(shell::carry_out(command, |time| self.sleep(time))?);
                Ok(())
            }
        }
    }

    /// The node of an event, which begins now.
    fn chosen(&self, choice: &NodeChoice, record: &mut EventRecord) -> Result<&PrivateNode, String> {
        let found = match choice {
            NodeChoice::Number(number) => self.nodes.get(number - 1),
            NodeChoice::Address(address) => self.nodes.iter().find(|node| is_at(node, address)),
            NodeChoice::Primary => self.primary(),
            NodeChoice::Replica => self.nodes.iter().find(|node| matches!(standing(node), Some(Standing::Replica(_)))),
        };
        record.began_ns = Some(self.now());
        let node = found.ok_or_else(|| format!("no node answers that it is a {choice}"))?;
        record.node = Some(node.endpoint().to_string());
        Ok(node)
    }

    fn primary(&self) -> Option<&PrivateNode> {
        self.nodes.iter().find(|node| standing(node) == Some(Standing::Primary))
    }

    fn fail_over(&self, record: &mut EventRecord) -> Result<(), String> {
        record.began_ns = Some(self.now());
        let sent = |node: &PrivateNode, words: &[&str]| node.asked(words).map(drop).map_err(|error| error.to_string());
        let sentinels: Vec<_> = self.nodes.iter().filter(|node| node.role() == PrivateRole::Sentinel).collect();
        if !sentinels.is_empty() {
            record.node = self.primary().map(|node| node.endpoint().to_string());
            let answering = sentinels.into_iter().find(|node| node.asked(&["PING"]).is_ok());
            let sentinel = answering.ok_or("no Sentinel answers")?;
            return sent(sentinel, &["SENTINEL", "FAILOVER", sentinel::SERVICE]);
        }
        let primary = self.primary().ok_or("no node answers that it is a primary")?;
        record.node = Some(primary.endpoint().to_string());
        let of_primary = |node: &&PrivateNode| matches!(standing(node), Some(Standing::Replica(port)) if primary.endpoint().to_string().ends_with(&format!(":{port}")));
        let replica = self.nodes.iter().find(of_primary).ok_or("no replica of the first primary answers")?;
        sent(replica, &["CLUSTER", "FAILOVER"])
    }

    /// Nanoseconds since the start of the measured period.
    fn now(&self) -> Nanos {
        self.frame.clock.now().saturating_sub(self.frame.start)
    }

    /// Whether the instant came before the end of the run.
    fn sleep_until(&self, instant: Instant) -> bool {
        self.sleep(instant.saturating_duration_since(Instant::now()))
    }

    /// Whether the time was over before the end of the run.
    fn sleep(&self, time: Duration) -> bool {
        matches!(self.stop.recv_timeout(time), Err(RecvTimeoutError::Timeout))
    }
}

/// What a server says of its role.
#[derive(Debug, PartialEq, Eq)]
enum Standing {
    Primary,
    /// Of the primary at a port of this machine.
    Replica(String),
}

fn standing(node: &PrivateNode) -> Option<Standing> {
    let Ok(Reply::List(parts)) = node.asked(&["ROLE"]) else { return None };
    match &parts[..] {
        [Reply::Text(role), ..] if role == "master" => Some(Standing::Primary),
        [Reply::Text(role), _, Reply::Text(port), ..] if role == "slave" => Some(Standing::Replica(port.clone())),
        _ => None,
    }
}
