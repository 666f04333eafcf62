//! Hash slots of a cluster, and the nodes that have them.

use std::{
    sync::{
        PoisonError, RwLock,
        atomic::{AtomicU16, Ordering},
    },
    time::Duration,
};

use fred::util::redis_keyslot;
use tokio::{sync::Notify, time::sleep};

use super::{Endpoint, link::SHORTEST_PAUSE};

/// Hash slots of every cluster.
pub(super) const SLOTS: usize = 16_384;

/// Number in the place of a node that is not known.
const NOBODY: u16 = u16::MAX;

/// Which node has which slot, as far as is known. Nodes have numbers, in the order in which they became known.
#[derive(Debug)]
pub(super) struct SlotTable {
    owners: Box<[AtomicU16]>,
    nodes: RwLock<Vec<Endpoint>>,
    doubted: Notify,
}

impl SlotTable {
    /// A table without owners of slots.
    pub(super) fn new(nodes: Vec<Endpoint>) -> Self {
        let owners = (0..SLOTS).map(|_| AtomicU16::new(NOBODY)).collect();
        Self { owners, nodes: RwLock::new(nodes), doubted: Notify::new() }
    }

    /// The slot of a key.
    #[inline]
    pub(super) fn slot(key: &[u8]) -> u16 {
        redis_keyslot(key)
    }

    /// Number of the node that has a slot.
    #[inline]
    pub(super) fn owner(&self, slot: u16) -> Option<u16> {
        Some(self.owners[usize::from(slot)].load(Ordering::Relaxed)).filter(|owner| *owner != NOBODY)
    }

    /// Notes the owner of a slot.
    pub(super) fn assign(&self, slot: u16, node: u16) {
        self.owners[usize::from(slot)].store(node, Ordering::Relaxed);
    }

    /// Number of a node, which becomes known if it is not.
    pub(super) fn number(&self, node: &Endpoint) -> u16 {
        let position = |nodes: &[Endpoint]| nodes.iter().position(|known| known == node).map(|number| number as u16);
        if let Some(number) = position(&self.nodes.read().unwrap_or_else(PoisonError::into_inner)) {
            return number;
        }
        let mut nodes = self.nodes.write().unwrap_or_else(PoisonError::into_inner);
        position(&nodes).unwrap_or_else(|| {
            nodes.push(node.clone());
            nodes.len() as u16 - 1
        })
    }

    /// The node with a number.
    pub(super) fn node(&self, number: u16) -> Option<Endpoint> {
        self.nodes.read().unwrap_or_else(PoisonError::into_inner).get(usize::from(number)).cloned()
    }

    /// The slot of the key of a request; `None` for a command without a key.
    #[inline]
    pub(super) fn slot_of(key: &[u8]) -> Option<u16> {
        (!key.is_empty()).then(|| Self::slot(key))
    }

    /// Recovers a connection to the whole cluster after a request has failed. The other nodes can be used meanwhile, so this waits no
    /// longer than it takes to not ask without rest.
    pub(super) async fn recover(&self) {
        self.doubt();
        sleep(Duration::from_millis(SHORTEST_PAUSE.into())).await;
    }

    /// Asks for a fresh look at the cluster.
    pub(super) fn doubt(&self) {
        self.doubted.notify_one();
    }

    /// Returns when a fresh look is asked for.
    pub(super) async fn doubted(&self) {
        self.doubted.notified().await;
    }

    /// Numbers of the nodes that have slots, in order.
    pub(super) fn owners(&self) -> Vec<u16> {
        let mut owners: Vec<_> = (0..SLOTS as u16).filter_map(|slot| self.owner(slot)).collect();
        // Most neighbours have the same owner, and few are left to be sorted.
        owners.dedup();
        owners.sort_unstable();
        owners.dedup();
        owners
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::Scheme;

    fn node(port: u16) -> Endpoint {
        Endpoint::Tcp { host: "n".to_owned(), port, scheme: Scheme::REDIS }
    }

    #[test]
    fn slots_are_those_of_the_specification() {
        // Redis cluster specification: CRC16/XMODEM of the hash tag.
        assert_eq!(SlotTable::slot(b"123456789"), 0x31c3);
        assert_eq!(SlotTable::slot(b"{user1000}.following"), SlotTable::slot(b"{user1000}.followers"));
        assert_eq!(SlotTable::slot(b"foo{}{bar}"), SlotTable::slot(b"foo{}{bar}"));
        assert_ne!(SlotTable::slot(b"foo{}{bar}"), SlotTable::slot(b"bar"));
    }

    #[test]
    fn a_node_becomes_known_once() {
        let table = SlotTable::new(vec![node(1), node(2)]);
        assert_eq!((table.number(&node(2)), table.number(&node(3)), table.number(&node(3))), (1, 2, 2));
        assert_eq!(table.node(2), Some(node(3)));
        assert_eq!((table.owner(5), table.owners()), (None, vec![]));
        table.assign(5, 2);
        assert_eq!((table.owner(5), table.owners()), (Some(2), vec![2]));
    }
}
