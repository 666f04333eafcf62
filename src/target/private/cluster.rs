//! Making a cluster of servers.

use std::io;

use super::{client::Client, node::PrivateNode, sentinel::address};
use crate::target::{Endpoint, TargetError, slots::SLOTS};

/// Makes a cluster of servers, of which the first are primaries, and waits until every node sees all others and all slots.
pub(super) fn join(nodes: &[PrivateNode], primaries: usize) -> Result<(), TargetError> {
    let mut names = Vec::new();
    for (number, node) in nodes.iter().enumerate() {
        names.push(node.talk(|client| {
            // Different ones, so that the nodes do not have to agree on an order first.
            client.ask(&["CLUSTER", "SET-CONFIG-EPOCH", &(number + 1).to_string()])?;
            if number < primaries {
                // `ADDSLOTSRANGE` is not known before Redis 7.0.
                let slots: Vec<_> = share(number, primaries).map(|slot| slot.to_string()).collect();
                let words: Vec<_> =
                    ["CLUSTER", "ADDSLOTS"].into_iter().chain(slots.iter().map(String::as_str)).collect();
                client.ask(&words)?;
            }
            client.text(&["CLUSTER", "MYID"])
        })?);
    }
    // Each node meets each other one directly: by hearsay it would take seconds.
    for (number, node) in nodes.iter().enumerate() {
        node.talk(|client| nodes[number + 1..].iter().try_for_each(|other| meet(client, other.endpoint())))?;
    }
    for node in nodes {
        if let Some(primary) = node.primary() {
            // Refused as long as the node does not know its primary.
            node.until(|client| client.ask(&["CLUSTER", "REPLICATE", &names[primary]]).map(|_| Ok(())))?;
        }
    }
    nodes.iter().try_for_each(|node| node.until(|client| sees(client, nodes.len(), primaries)))
}

/// The slots of one primary.
fn share(number: usize, primaries: usize) -> std::ops::Range<usize> {
    SLOTS * number / primaries..SLOTS * (number + 1) / primaries
}

fn meet(client: &mut Client, other: &Endpoint) -> io::Result<()> {
    let address = address(other);
    let words: Vec<_> = ["CLUSTER", "MEET"].into_iter().chain(address.split(' ')).collect();
    client.ask(&words).map(drop)
}

/// Whether a node sees a whole cluster.
fn sees(client: &mut Client, nodes: usize, primaries: usize) -> io::Result<Result<(), String>> {
    let info = client.text(&["CLUSTER", "INFO"])?;
    for wanted in [
        "cluster_state:ok".to_owned(),
        format!("cluster_slots_ok:{SLOTS}"),
        format!("cluster_known_nodes:{nodes}"),
        format!("cluster_size:{primaries}"),
    ] {
        if !info.lines().any(|line| line == wanted) {
            return Ok(Err(format!("the cluster has not {wanted}")));
        }
    }
    let list = client.text(&["CLUSTER", "NODES"])?;
    let flags = list.lines().filter_map(|line| line.split(' ').nth(2));
    let flags: Vec<Vec<_>> = flags.map(|flags| flags.split(',').collect()).collect();
    if flags.iter().flatten().any(|flag| ["handshake", "fail", "fail?", "noaddr"].contains(flag)) {
        return Ok(Err("not all nodes are connected".to_owned()));
    }
    let replicas = flags.iter().filter(|flags| flags.contains(&"slave")).count();
    Ok(if replicas == nodes - primaries { Ok(()) } else { Err(format!("{replicas} replicas are known")) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn divides_all_slots_evenly() {
        for primaries in 1..=16 {
            let shares: Vec<_> = (0..primaries).map(|number| share(number, primaries)).collect();
            assert_eq!(shares.iter().cloned().flatten().collect::<Vec<_>>(), (0..SLOTS).collect::<Vec<_>>());
            let sizes = shares.iter().map(ExactSizeIterator::len);
            assert!(sizes.clone().max().unwrap() - sizes.min().unwrap() <= 1, "{shares:?}");
        }
    }
}
