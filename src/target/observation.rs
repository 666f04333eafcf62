//! Watching the server, or each of its nodes, while the load runs: a thread and connections of its own.

use std::{
    thread::{self, JoinHandle},
    time::Duration,
};

use tokio::{
    runtime::Builder,
    sync::{oneshot, watch},
    task::{JoinHandle as TaskHandle, LocalSet, spawn_local},
    time::timeout,
};

use super::{Connector, Target, Topology, nodes::Node};
use crate::{
    measure::Timeframe,
    results::{NodeRecord, ServerRecord, Withheld},
    server,
};

/// Figures that are missing where the connection failed.
const CONNECTION: &str = "connection of the observer";

/// Figures that are missing where nothing was observed, or where they are those of several nodes.
const DURING: &str = "the server during the run";

/// Time that a look at the nodes after the load may take.
const LOOK: Duration = Duration::from_secs(1);

/// A server that is being watched. Dropped before it has begun, it ends by itself.
pub struct Observation {
    begin: Option<oneshot::Sender<Timeframe>>,
    thread: Option<JoinHandle<Observed>>,
    /// Figures that are missing where the thread did not start, with the reason.
    otherwise: (&'static str, &'static str),
}

/// The server's side of a run.
#[derive(Debug, Default)]
pub struct Observed {
    /// The server that requests are sent to; lacking in a cluster, where there are several.
    pub server: ServerRecord,
    /// Each node; none of a server that stands alone.
    pub nodes: Vec<NodeRecord>,
}

impl Target {
    /// Opens a connection for questions to each node, and waits for the measured period. Failures are part of the record.
    pub fn observe(&self) -> Observation {
        let (begin, started) = oneshot::channel();
        let target = self.clone();
        let watch = move || {
            let Ok(runtime) = Builder::new_current_thread().enable_all().build() else {
                return Observed::of(lacking(CONNECTION, "no runtime for the observer".to_owned()));
            };
            LocalSet::new().block_on(&runtime, target.watched(started))
        };
        let thread = thread::Builder::new().name("plimsoll-observe".to_owned()).spawn(watch).ok();
        Observation { begin: Some(begin), thread, otherwise: (CONNECTION, "the observer ended early") }
    }

    async fn watched(self, started: oneshot::Receiver<Timeframe>) -> Observed {
        let (sender, frame) = watch::channel(None);
        let observers: Vec<_> = if self.nodes.is_empty() {
            vec![self.observer.clone()]
        } else {
            self.nodes.iter().map(|node| self.observer.at(&node.endpoint)).collect()
        };
        let watching: Vec<_> =
            observers.into_iter().map(|observer| spawn_local(watched(observer, frame.clone()))).collect();
        sender.send_replace(started.await.ok());
        drop(sender);
        let mut records = Vec::new();
        for watching in watching {
            records.push(joined(watching).await);
        }
        if self.nodes.is_empty() {
            return Observed::of(records.pop().unwrap_or_default());
        }
        let after = timeout(LOOK, self.look_around()).await.ok().and_then(Result::ok);
        let after = after.map(|(_, (nodes, _))| nodes).unwrap_or_default();
        let server = match self.site.topology {
            Topology::Cluster => lacking(DURING, "the target has several nodes, each with its own figures".to_owned()),
            // The first is the primary.
            Topology::Standalone | Topology::Sentinel { .. } => records.first().cloned().unwrap_or_default(),
        };
        let record = |(node, server): (&Node, ServerRecord)| NodeRecord {
            before: node.facts(),
            after: after.iter().find(|after| after.endpoint == node.endpoint).map(Node::facts),
            server,
        };
        Observed { server, nodes: self.nodes.iter().zip(records).map(record).collect() }
    }
}

impl Observed {
    fn of(server: ServerRecord) -> Self {
        Self { server, nodes: Vec::new() }
    }
}

impl Observation {
    /// No observation: nothing is asked, and the record says so.
    pub fn none() -> Self {
        Self { begin: None, thread: None, otherwise: (DURING, "not observed") }
    }

    /// Begins, once it is known when the measured period does.
    pub fn begin(&mut self, frame: Timeframe) {
        if let Some(begin) = self.begin.take() {
            // An observer that could not connect has ended; its record says so.
            let _ = begin.send(frame);
        }
    }

    /// The record. Takes a second or two at most after the end of the measured period.
    pub fn finish(mut self) -> Observed {
        drop(self.begin.take());
        let observed = self.thread.take().and_then(|thread| thread.join().ok());
        observed.unwrap_or_else(|| Observed::of(lacking(self.otherwise.0, self.otherwise.1.to_owned())))
    }
}

/// Connects to a server, and watches it during the measured period once that is known.
async fn watched(observer: Connector, mut frame: watch::Receiver<Option<Timeframe>>) -> ServerRecord {
    let opened = observer.connect_by_name().await;
    let Ok(Some(frame)) = frame.wait_for(Option::is_some).await.map(|frame| frame.clone()) else {
        return ServerRecord::default();
    };
    match opened {
        Ok((client, _router)) => server::watch(client, frame).await,
        Err(error) => lacking(CONNECTION, error.to_string()),
    }
}

async fn joined(watching: TaskHandle<ServerRecord>) -> ServerRecord {
    watching.await.unwrap_or_else(|error| lacking(CONNECTION, error.to_string()))
}

fn lacking(what: &str, reason: String) -> ServerRecord {
    let withheld = vec![Withheld { what: what.to_owned(), reason }];
    ServerRecord { withheld, ..ServerRecord::default() }
}
