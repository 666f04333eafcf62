//! Moving slots of a cluster, with their keys, from one primary to another, as `redis-cli --cluster reshard` does.

use std::{cmp::Reverse, io};

use super::{
    client::{Client, Reply},
    node::PrivateNode,
    sentinel::address,
};
use crate::target::{Secret, slots::SLOTS};

/// Keys that are moved together: the number of redis-cli.
const BATCH: &str = "10";

/// Time in which they have to be moved, in milliseconds.
const LIMIT: &str = "4000";

/// Slots that move, and the primaries of their cluster.
pub(super) struct Reshard {
    primaries: Vec<Primary>,
    source: usize,
    destination: usize,
    slots: Vec<usize>,
    moved_slots: usize,
    moved_keys: usize,
}

struct Primary {
    node: PrivateNode,
    name: String,
    slots: Vec<usize>,
    client: Client,
}

impl Reshard {
    /// The lowest `count` slots of the primary with the most slots, which go to the primary with the fewest; of several, to or from
    /// the first.
    pub(super) fn plan(nodes: &[PrivateNode], count: usize) -> Result<Self, String> {
        let primaries: Vec<_> = nodes.iter().filter_map(Primary::of).collect();
        let sizes = || primaries.iter().map(|primary| primary.slots.len()).enumerate();
        let most = sizes().max_by_key(|(index, size)| (*size, Reverse(*index)));
        let source = most.map(|(index, _)| index).ok_or("no primary answers")?;
        let fewest = sizes().filter(|(index, _)| *index != source).min_by_key(|(_, size)| *size);
        let destination = fewest.map(|(index, _)| index).ok_or("no second primary answers")?;
        let slots = primaries[source].slots.iter().copied().take(count).collect();
        Ok(Self { primaries, source, destination, slots, moved_slots: 0, moved_keys: 0 })
    }

    /// The node that the slots leave.
    pub(super) fn source(&self) -> &PrivateNode {
        &self.primaries[self.source].node
    }

    /// Moves one slot after the other while `goes_on`, and returns what has been moved.
    pub(super) fn carry_out(&mut self, goes_on: impl Fn() -> bool) -> Result<String, String> {
        for slot in std::mem::take(&mut self.slots) {
            if !goes_on() {
                return Err(format!("the run ended; {}", self.moved()));
            }
            self.move_slot(slot).map_err(|error| format!("slot {slot}: {error}; {}", self.moved()))?;
            self.moved_slots += 1;
        }
        Ok(self.moved())
    }

    fn moved(&self) -> String {
        let [from, to] = [self.source, self.destination].map(|index| self.primaries[index].node.endpoint());
        let counted = |count, what| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
        let (slots, keys) = (counted(self.moved_slots, "slot"), counted(self.moved_keys, "key"));
        format!("{slots} with {keys} moved from {from} to {to}")
    }

    fn move_slot(&mut self, slot: usize) -> io::Result<()> {
        let slot = slot.to_string();
        let [from, to] = [self.source, self.destination].map(|index| self.primaries[index].name.clone());
        self.ask(self.destination, &["CLUSTER", "SETSLOT", &slot, "IMPORTING", &from])?;
        self.ask(self.source, &["CLUSTER", "SETSLOT", &slot, "MIGRATING", &to])?;
        let mut before = Vec::new();
        loop {
            let keys = texts(self.ask(self.source, &["CLUSTER", "GETKEYSINSLOT", &slot, BATCH])?);
            if keys.is_empty() {
                break;
            }
            if keys == before {
                return Err(io::Error::other(format!("the key {} does not move", keys[0])));
            }
            self.moved_keys += self.migrate(&keys)?;
            before = keys;
        }
        // The new owner first, since the others send clients to it.
        let first = [self.destination, self.source];
        let others = (0..self.primaries.len()).filter(|index| !first.contains(index));
        for index in first.into_iter().chain(others) {
            self.ask(index, &["CLUSTER", "SETSLOT", &slot, "NODE", &to])?;
        }
        Ok(())
    }

    /// Moves keys, and returns their number; 0 where all of them were removed meanwhile.
    fn migrate(&mut self, keys: &[String]) -> io::Result<usize> {
        let node = &self.primaries[self.destination].node;
        let (address, login) = (address(node.endpoint()), node.login().clone());
        let password = login.password.as_ref().map_or("", Secret::expose);
        let options = ["", "0", LIMIT, "AUTH2", login.user(), password, "KEYS"];
        let words = ["MIGRATE"].into_iter().chain(address.split(' ')).chain(options);
        let words: Vec<_> = words.chain(keys.iter().map(String::as_str)).collect();
        let reply = self.ask(self.source, &words)?;
        Ok(if reply == Reply::Text("NOKEY".to_owned()) { 0 } else { keys.len() })
    }

    fn ask(&mut self, index: usize, words: &[&str]) -> io::Result<Reply> {
        self.primaries[index].client.ask(words)
    }
}

impl Primary {
    /// A node that is a primary at the time, and answers.
    fn of(node: &PrivateNode) -> Option<Self> {
        let Reply::Text(list) = node.asked(&["CLUSTER", "NODES"]).ok()? else { return None };
        let (name, slots) = own(&list)?;
        Some(Self { node: node.clone(), name, slots, client: node.client().ok()? })
    }
}

/// Name and slots of the node that has given a list of nodes; `None` where it is a replica.
fn own(list: &str) -> Option<(String, Vec<usize>)> {
    let mut lines = list.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let words = lines.find(|words| words.get(2).is_some_and(|flags| flags.starts_with("myself,")))?;
    let is_primary = words[2].split(',').any(|flag| flag == "master");
    // Those in brackets are on their way.
    let ranges = words.iter().skip(8).filter(|range| !range.starts_with('['));
    let slots = ranges.filter_map(|range| {
        let (from, to) = range.split_once('-').unwrap_or((range, range));
        Some(from.parse().ok()?..=to.parse::<usize>().ok()?.min(SLOTS - 1))
    });
    is_primary.then(|| (words[0].to_owned(), slots.flatten().collect()))
}

/// The texts of a list.
fn texts(reply: Reply) -> Vec<String> {
    let Reply::List(items) = reply else { return Vec::new() };
    let text = |item: Reply| if let Reply::Text(text) = item { Some(text) } else { None };
    items.into_iter().filter_map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_nodes_has_the_slots_of_its_own() {
        let list = "aa 127.0.0.1:1@2 master - 0 0 1 connected 0-99\n\
                    bb 127.0.0.1:3@4 myself,master - 0 0 2 connected 100-102 104 [105->-aa]\n";
        assert_eq!(own(list), Some(("bb".to_owned(), vec![100, 101, 102, 104])));
        assert_eq!(own("cc 127.0.0.1:5@6 myself,slave bb 0 0 2 connected\n"), None);
        assert_eq!(own("dd 127.0.0.1:5@6 myself,master - 0 0 3 connected\n"), Some(("dd".to_owned(), Vec::new())));
        assert_eq!(own(""), None);
    }
}
