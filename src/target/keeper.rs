//! Keeping the table of a cluster's slots, and of replicas, up to date during the load: a thread of its own, for all connections together.

use std::{
    sync::Arc,
    thread::{self, JoinHandle},
    time::Duration,
};

use tokio::{
    runtime::Builder,
    sync::oneshot,
    time::{sleep, timeout},
};

use super::{
    Connector, Endpoint, Target, Topology,
    nodes::{self, Node},
    roster::Roster,
    slots::SlotTable,
};

/// Pause between two looks where no connection asks for one.
const PAUSE: Duration = Duration::from_secs(1);

/// Pause between two looks at least.
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);

/// Time that a node has to answer before the next one is asked.
const LIMIT: Duration = Duration::from_millis(500);

/// A thread that keeps the table up to date until this is dropped.
#[derive(Debug)]
pub struct Keeper {
    /// Dropped, it ends the thread.
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Target {
    /// Keeps up to date which nodes have which slots, and which replicas, which connections of all services share; nothing where
    /// the target is no cluster and no service reads from replicas.
    pub fn keep_nodes(&self) -> Option<Keeper> {
        // Services of another target may have been added.
        let is_own = |connector: &&Connector| connector.site().seeds.iter().all(|seed| self.site.seeds.contains(seed));
        let own = || self.connectors.iter().filter(is_own);
        let roster = own().find_map(Connector::roster).cloned();
        let slots = own().find_map(Connector::slots);
        let slots = Arc::clone(slots.or(roster.as_ref().map(|roster| roster.table()))?);
        let (target, (stop, stopped)) = (self.clone(), oneshot::channel());
        let keep = move || {
            if let Ok(runtime) = Builder::new_current_thread().enable_all().build() {
                runtime.block_on(async {
                    tokio::select! {
                        _ = stopped => {}
                        () = target.kept(&slots, roster.as_deref()) => {}
                    }
                });
            }
        };
        let thread = thread::Builder::new().name("plimsoll-slots".to_owned()).spawn(keep).ok();
        Some(Keeper { stop: Some(stop), thread })
    }

    async fn kept(&self, slots: &SlotTable, roster: Option<&Roster>) {
        let is_cluster = self.site.topology == Topology::Cluster;
        // Outside a cluster the nodes do not know each other.
        let nodes = self.nodes.iter().filter(|_| is_cluster).map(|node| &node.endpoint);
        let mut places: Vec<_> = self.site.seeds.iter().chain(nodes).collect();
        loop {
            let _ = timeout(PAUSE, slots.doubted()).await;
            for turn in 0..places.len() {
                if let Some(nodes) = self.seen_by(places[turn]).await {
                    if is_cluster {
                        nodes::note(slots, &nodes);
                    }
                    if let Some(roster) = roster {
                        nodes::note_replicas(roster, &nodes);
                    }
                    // A node that answers is asked first the next time.
                    places.rotate_left(turn);
                    break;
                }
            }
            sleep(SHORTEST_PAUSE).await;
        }
    }

    async fn seen_by(&self, node: &Endpoint) -> Option<Vec<Node>> {
        let seen = timeout(LIMIT, nodes::seen_by(&self.observer, node, &self.site.topology)).await.ok()?.ok()?;
        let mut nodes = seen.0;
        if self.site.topology == Topology::Standalone {
            // Nobody takes a replica that its primary has lost out of service.
            let is_listed = |nodes: &[Node], node: &Node| nodes.iter().any(|other| other.endpoint == node.endpoint);
            let lost: Vec<_> = self.replicas().filter(|node| !is_listed(&nodes, node)).cloned().collect();
            nodes.extend(lost);
            for node in &mut nodes {
                node.is_down = false;
            }
        }
        Some(nodes)
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
