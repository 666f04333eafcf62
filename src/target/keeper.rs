//! Keeping the table of a cluster's slots up to date during the load: a thread of its own, for all connections together.

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
    Connector, Endpoint, Target,
    nodes::{self, Node},
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
    /// Keeps the table of slots up to date, which connections of all services share; nothing where the target is no cluster.
    pub fn keep_slots(&self) -> Option<Keeper> {
        let slots = Arc::clone(self.connectors.iter().find_map(Connector::slots)?);
        let (target, (stop, stopped)) = (self.clone(), oneshot::channel());
        let keep = move || {
            if let Ok(runtime) = Builder::new_current_thread().enable_all().build() {
                runtime.block_on(async {
                    tokio::select! {
                        _ = stopped => {}
                        () = target.kept(&slots) => {}
                    }
                });
            }
        };
        let thread = thread::Builder::new().name("plimsoll-slots".to_owned()).spawn(keep).ok();
        Some(Keeper { stop: Some(stop), thread })
    }

    async fn kept(&self, slots: &SlotTable) {
        let mut places: Vec<_> = self.site.seeds.iter().chain(self.nodes.iter().map(|node| &node.endpoint)).collect();
        loop {
            let _ = timeout(PAUSE, slots.doubted()).await;
            for turn in 0..places.len() {
                if let Some(nodes) = self.seen_by(places[turn]).await {
                    nodes::note(slots, &nodes);
                    // A node that answers is asked first the next time.
                    places.rotate_left(turn);
                    break;
                }
            }
            sleep(SHORTEST_PAUSE).await;
        }
    }

    async fn seen_by(&self, node: &Endpoint) -> Option<Vec<Node>> {
        timeout(LIMIT, nodes::of_cluster(&self.observer, node)).await.ok()?.ok()
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
