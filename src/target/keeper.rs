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
    /// Keeps up to date which nodes have which slots, and which replicas, which connections of all services share: one thread for this
    /// target, and one for each that stands beside it. None where a target is no cluster and no service reads from replicas.
    pub fn keep_nodes(&self) -> Vec<Keeper> {
        let mut kept: Vec<Arc<SlotTable>> = Vec::new();
        let mut keepers = Vec::new();
        for target in [self].into_iter().chain(&self.others) {
            let Some(slots) = target.table() else { continue };
            // Both may be the same.
            if !kept.iter().any(|other| Arc::ptr_eq(other, slots)) {
                kept.push(Arc::clone(slots));
                keepers.push(target.keeper(Arc::clone(slots)));
            }
        }
        keepers
    }

    /// The table that connections of its own services share.
    fn table(&self) -> Option<&Arc<SlotTable>> {
        let rosters = || self.connectors.iter().find_map(Connector::roster);
        self.connectors.iter().find_map(Connector::slots).or_else(|| rosters().map(|roster| roster.table()))
    }

    fn keeper(&self, slots: Arc<SlotTable>) -> Keeper {
        let roster = self.connectors.iter().find_map(Connector::roster).cloned();
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
        Keeper { stop: Some(stop), thread }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        scenario::{Protocol, ReadFrom},
        target::{
            TargetUrl,
            login::{Access, Login},
        },
    };

    /// A target of one service, at which nobody listens.
    fn target(is_cluster: bool) -> Target {
        let scheme = if is_cluster { "redis+cluster" } else { "redis" };
        let url: TargetUrl = format!("{scheme}://127.0.0.1:1").parse().unwrap();
        let access = || Access {
            service: "api".to_owned(),
            login: Login { username: None, password: None },
            database: 0,
            protocol: Protocol::Resp2,
            read_from: ReadFrom::Primary,
        };
        let connector = Connector::new(&url.site, None, access());
        let table = || Arc::new(SlotTable::new(Vec::new()));
        let connectors = vec![if is_cluster { connector.knowing(table()) } else { connector.clone() }];
        Target {
            site: url.site,
            nodes: Vec::new(),
            private: false,
            connectors,
            others: Vec::new(),
            observer: connector,
        }
    }

    #[test]
    fn each_target_of_a_load_is_kept_up_to_date_once() {
        let (one, other, alone) = (target(true), target(true), target(false));
        let kept = |target: Target| target.keep_nodes().len();
        assert_eq!((kept(one.clone()), kept(alone.clone())), (1, 0));
        assert_eq!((kept(one.beside(&other)), kept(alone.beside(&one)), kept(one.beside(&alone))), (2, 1, 1));
        assert_eq!(kept(one.beside(&one)), 1, "both have one table");
        let both = one.beside(&other);
        let of = |service: usize| Arc::as_ptr(both.connector(service).slots().unwrap());
        let table = |target: &Target| Arc::as_ptr(target.table().unwrap());
        assert_eq!((of(0), of(1)), (table(&one), table(&other)), "in the order of the services");
    }
}
