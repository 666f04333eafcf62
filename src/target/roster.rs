//! Replicas of each primary, as far as is known, for connections that read from them.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use super::{Endpoint, slots::SlotTable};
use crate::operation::Request;

/// Permits a connection to read from a replica of a cluster.
pub(super) const READONLY: &str = "READONLY";

/// Numbers of the replicas of each primary, by the number of the primary.
pub(super) type Replicas = BTreeMap<u16, Vec<u16>>;

/// Which replicas each primary has. Nodes have the numbers of a table of slots.
#[derive(Debug)]
pub(super) struct Roster {
    table: Arc<SlotTable>,
    is_cluster: bool,
    replicas: RwLock<Arc<Replicas>>,
    /// Number of changes so far.
    version: AtomicU64,
    /// Number of connections so far, which begin with different replicas.
    connections: AtomicUsize,
}

impl Roster {
    /// Outside a cluster the table has one slot, which is the primary's.
    pub(super) fn new(table: Arc<SlotTable>, is_cluster: bool) -> Self {
        let (replicas, version, connections) = (RwLock::default(), AtomicU64::default(), AtomicUsize::default());
        Self { table, is_cluster, replicas, version, connections }
    }

    /// Notes the primary, which slots decide in a cluster, and the replicas that are up, each with its primary.
    pub(super) fn note<'a>(
        &self,
        primary: Option<&Endpoint>,
        up: impl IntoIterator<Item = (&'a Endpoint, &'a Endpoint)>,
    ) {
        if let Some(primary) = primary.filter(|_| !self.is_cluster) {
            self.table.assign(0, self.table.number(primary));
        }
        let mut replicas = Replicas::new();
        for (replica, primary) in up {
            replicas.entry(self.table.number(primary)).or_default().push(self.table.number(replica));
        }
        for numbers in replicas.values_mut() {
            numbers.sort_unstable();
        }
        let mut known = self.replicas.write().unwrap_or_else(PoisonError::into_inner);
        if **known != replicas {
            *known = Arc::new(replicas);
            self.version.fetch_add(1, Ordering::Release);
        }
    }

    /// Number of changes so far.
    #[inline]
    pub(super) fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// The replicas of each primary.
    pub(super) fn replicas(&self) -> Arc<Replicas> {
        Arc::clone(&self.replicas.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The primary outside a cluster.
    pub(super) fn primary(&self) -> Option<u16> {
        self.table.owner(0)
    }

    /// The primary that a request belongs to; `None` for one without a key in a cluster, and where it is not known.
    #[inline]
    pub(super) fn primary_of(&self, request: &Request) -> Option<u16> {
        if self.is_cluster { self.table.owner(SlotTable::slot_of(&request.key)?) } else { self.primary() }
    }

    /// The node with a number.
    pub(super) fn node(&self, number: u16) -> Option<Endpoint> {
        self.table.node(number)
    }

    /// Numbers of the nodes, and the slots that they have.
    pub(super) fn table(&self) -> &Arc<SlotTable> {
        &self.table
    }

    /// Whether slots decide which primary a request belongs to.
    pub(super) fn is_cluster(&self) -> bool {
        self.is_cluster
    }

    /// Number of a further connection.
    pub(super) fn connection(&self) -> usize {
        self.connections.fetch_add(1, Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::{
        operation::{Args, Kind},
        target::Scheme,
    };

    fn endpoint(port: u16) -> Endpoint {
        Endpoint::Tcp { host: "n".to_owned(), port, scheme: Scheme::REDIS }
    }

    #[test]
    fn a_failover_moves_the_replicas_to_the_new_primary() {
        let [one, two, three] = [1, 2, 3].map(endpoint);
        let table = SlotTable::new(vec![one.clone(), two.clone(), three.clone()]);
        let roster = Roster::new(Arc::new(table), false);
        let request = Request::new(Kind::Get, Bytes::from_static(b"key"), Args::None);
        roster.note(Some(&one), [(&three, &one), (&two, &one)]);
        assert_eq!((roster.primary_of(&request), roster.replicas()[&0].clone()), (Some(0), vec![1, 2]));
        let before = roster.version();
        roster.note(Some(&one), [(&two, &one), (&three, &one)]);
        assert_eq!(roster.version(), before, "nothing has changed");
        roster.note(Some(&three), [(&two, &three)]);
        assert_eq!((roster.primary_of(&request), roster.version()), (Some(2), before + 1));
        assert_eq!(*roster.replicas(), Replicas::from([(2, vec![1])]));
    }
}
