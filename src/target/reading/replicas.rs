//! Connections to replicas, and whether they can be used.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use tokio::{task::spawn_local, time::sleep};

use super::client::NodeConnection;
use crate::{
    measure::ErrorClass,
    target::{
        Answer, Connector, DriverConnection, Endpoint, TargetError,
        link::longer,
        roster::{Replicas, Roster},
    },
};

/// A connection that may be in doubt.
pub(super) struct Guarded<C> {
    pub(super) connection: C,
    /// Whether a request was given up, or the connection was lost, since the last recovery began.
    doubtful: Cell<bool>,
    /// Whether a task waits until it answers again.
    recovering: Cell<bool>,
}

impl<C: DriverConnection> Guarded<C> {
    pub(super) fn new(connection: C) -> Self {
        Self { connection, doubtful: Cell::default(), recovering: Cell::default() }
    }

    /// Whether a task waits until it answers again.
    pub(super) fn is_recovering(&self) -> bool {
        self.recovering.get()
    }

    /// Waits in the background until it answers again, where that is in doubt.
    pub(super) fn recover(self: &Rc<Self>) {
        if self.doubtful.take() && !self.recovering.replace(true) {
            let this = Rc::clone(self);
            spawn_local(async move {
                this.connection.recover().await;
                this.recovering.set(false);
            });
        }
    }

    /// Requests that are under way.
    pub(super) fn under_way(&self) -> UnderWay<'_> {
        UnderWay { doubtful: &self.doubtful, answered: false }
    }
}

/// Requests under way. Dropped before they have their answers, it puts the connection in doubt.
pub(super) struct UnderWay<'a> {
    doubtful: &'a Cell<bool>,
    answered: bool,
}

impl UnderWay<'_> {
    /// Takes in the answers, which may say that the connection is lost.
    pub(super) fn end<'a>(mut self, answers: impl IntoIterator<Item = &'a Answer>) {
        let is_lost = |answer: &Answer| {
            let class = answer.result.as_ref().err().map(|failure| failure.class);
            matches!(class, Some(ErrorClass::ConnectionLost | ErrorClass::Protocol))
        };
        self.answered = !answers.into_iter().any(is_lost);
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        if !self.answered {
            self.doubtful.set(true);
        }
    }
}

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
        let Guarded { connection, doubtful, recovering } = &*replica.guarded;
        (!connection.is_lost() && !doubtful.get() && !recovering.get()).then(|| Rc::clone(replica))
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
