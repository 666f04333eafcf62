//! Connections to replicas.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc, sync::Arc, time::Duration};

use tokio::{task::spawn_local, time::sleep};

use super::client::NodeConnection;
use crate::target::{
    Connector, Endpoint, TargetError,
    guarded::Guarded,
    link::longer,
    roster::{Replicas, Roster},
};

/// A replica with the connection to it.
pub(super) struct Replica<N> {
    pub(super) guarded: Rc<Guarded<N>>,
    pub(super) endpoint: Endpoint,
}

/// Connections to replicas, by the number of the node.
pub(super) struct Nodes<N> {
    pub(super) connector: Connector,
    pub(super) roster: Arc<Roster>,
    open: RefCell<BTreeMap<u16, Rc<Replica<N>>>>,
    /// Replicas that a task connects to.
    opening: RefCell<Vec<u16>>,
}

impl<N: NodeConnection> Nodes<N> {
    pub(super) fn new(connector: Connector, roster: Arc<Roster>) -> Self {
        Self { connector, roster, open: RefCell::default(), opening: RefCell::default() }
    }

    /// All that there is a connection to, or was.
    pub(super) fn all(&self) -> Vec<Rc<Replica<N>>> {
        self.open.borrow().values().cloned().collect()
    }

    /// A replica that can be used at the moment.
    pub(super) fn usable(&self, number: u16) -> Option<Rc<Replica<N>>> {
        let open = self.open.borrow();
        let replica = open.get(&number)?;
        let guarded = &replica.guarded;
        (!guarded.connection.is_lost() && !guarded.is_doubtful() && !guarded.is_recovering())
            .then(|| Rc::clone(replica))
    }

    /// Connects to a replica.
    pub(super) async fn connect(&self, number: u16) -> Result<(), TargetError> {
        let endpoint = self.roster.node(number).expect("a number is that of a node");
        let connection = N::connect(&self.connector.at_replica(&endpoint)).await?;
        let replica = Replica { guarded: Rc::new(Guarded::new(connection)), endpoint };
        self.open.borrow_mut().insert(number, Rc::new(replica));
        Ok(())
    }

    /// Leaves nodes that are no replicas any more, and connects to new ones in the background.
    pub(super) fn follow(self: &Rc<Self>, replicas: &Replicas) {
        let wanted: Vec<u16> = replicas.values().flatten().copied().collect();
        self.open.borrow_mut().retain(|number, _| wanted.contains(number));
        for number in wanted {
            if self.open.borrow().contains_key(&number) || self.opening.borrow().contains(&number) {
                continue;
            }
            self.opening.borrow_mut().push(number);
            let this = Rc::clone(self);
            spawn_local(async move {
                let mut pause = Duration::ZERO;
                while this.roster.replicas().values().flatten().any(|wanted| *wanted == number)
                    && this.connect(number).await.is_err()
                {
                    pause = longer(pause);
                    sleep(pause).await;
                }
                this.opening.borrow_mut().retain(|other| *other != number);
            });
        }
    }
}
