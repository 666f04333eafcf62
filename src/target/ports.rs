//! Local (ephemeral) ports: each connection to one address of a server takes one.

use std::fs;

/// `TIME_WAIT` in a table of sockets: the connection is closed, and its port stays in use for a minute.
const TIME_WAIT: &str = "06";

/// Share of used ports from which on a missing local address means that they are exhausted.
const NEARLY_ALL: f64 = 0.9;

/// The range of local ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalPorts {
    /// The first.
    pub first: u16,
    /// The last.
    pub last: u16,
}

impl LocalPorts {
    /// Number of ephemeral ports.
    pub fn count(self) -> u64 {
        u64::from(self.last.saturating_sub(self.first)) + 1
    }

    /// The range of this machine, if the system has one.
    pub(super) fn of_this_machine() -> Option<Self> {
        let text = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").ok()?;
        let mut ports = text.split_whitespace().map_while(|port| port.parse().ok());
        Some(Self { first: ports.next()?, last: ports.next()? })
    }

    /// Number of local ports that are in use for connections to a port, and of those in `TIME_WAIT`, by a table of sockets as in
    /// `/proc/net/tcp`.
    fn in_use(self, table: &str, port: u16) -> (u64, u64) {
        let port_of = |address: &str| u16::from_str_radix(address.rsplit_once(':')?.1, 16).ok();
        let mut counts = (0, 0);
        for line in table.lines() {
            let mut fields = line.split_whitespace().skip(1);
            let (Some(local), Some(remote), Some(state)) = (fields.next(), fields.next(), fields.next()) else {
                continue;
            };
            if port_of(remote) == Some(port)
                && port_of(local).is_some_and(|local| (self.first..=self.last).contains(&local))
            {
                counts.0 += 1;
                counts.1 += u64::from(state == TIME_WAIT);
            }
        }
        counts
    }
}

/// The range of local ports where connections to a port of a server use nearly all of it, with the number of those and of the closed
/// ones among them.
pub(super) fn exhausted(port: u16) -> Option<(LocalPorts, u64, u64)> {
    let ports = LocalPorts::of_this_machine()?;
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(|table| fs::read_to_string(table).unwrap_or_default());
    let (used, closed) = ports.in_use(&tables.concat(), port);
    (used as f64 >= NEARLY_ALL * ports.count() as f64).then_some((ports, used, closed))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:18EB 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1
   1: 0100007F:8000 0100007F:18EB 01 00000000:00000000 00:00000000 00000000     0        0 2
   2: 0100007F:18EB 0100007F:8000 01 00000000:00000000 00:00000000 00000000     0        0 3
   3: 0100007F:8001 0100007F:18EB 06 00000000:00000000 03:00001756 00000000     0        0 0
   4: 0100007F:8002 0100007F:18EC 01 00000000:00000000 00:00000000 00000000     0        0 4
";

    #[test]
    fn counts_the_ports_in_use_for_a_server() {
        let ports = LocalPorts { first: 32_768, last: 60_999 };
        assert_eq!(ports.count(), 28_232);
        assert_eq!(ports.in_use(TABLE, 6_379), (2, 1));
        assert_eq!(LocalPorts { first: 32_769, ..ports }.in_use(TABLE, 6_379), (1, 1));
    }
}
