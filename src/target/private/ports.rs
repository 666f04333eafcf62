//! Free ports of the loopback address.

use std::{
    io,
    net::{Ipv4Addr, TcpListener},
    ops::Range,
};

use rand::{TryRng, rngs::SysRng};

/// Ports that servers are given. They lie below the ports of outgoing connections (from 32 768 on Linux), and so do those of the
/// cluster bus: a client that connects again and again to the port of a server that is down would otherwise get this port for its
/// own end, and be connected to itself.
const PORTS: Range<u16> = 10_000..22_000;

/// Distance of the port of the cluster bus.
const BUS: u16 = 10_000;

/// Ports that are tried for each server.
const ATTEMPTS: usize = 1_000;

/// Free ports for a number of servers, in a cluster each with the one of its bus.
pub(super) fn free_ports(count: usize, is_cluster: bool) -> io::Result<Vec<u16>> {
    // Listened on until all are found, so that no port is found twice.
    let mut found = Vec::new();
    let mut held = Vec::new();
    for _ in 0..ATTEMPTS * count {
        if found.len() == count {
            break;
        }
        let random = SysRng.try_next_u32().map_err(io::Error::other)?;
        let port = PORTS.start + (random % u32::from(PORTS.end - PORTS.start)) as u16;
        let Ok(own) = listen(port) else { continue };
        if is_cluster {
            let Ok(bus) = listen(port + BUS) else { continue };
            held.push(bus);
        }
        held.push(own);
        found.push(port);
    }
    if found.len() == count { Ok(found) } else { Err(io::ErrorKind::AddrInUse.into()) }
}

fn listen(port: u16) -> io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn finds_different_ports() {
        let ports = free_ports(64, true).unwrap();
        let with_buses: BTreeSet<_> = ports.iter().flat_map(|port| [*port, port + BUS]).collect();
        assert_eq!(with_buses.len(), 128);
        assert!(with_buses.iter().all(|port| (10_000..32_000).contains(port)), "{ports:?}");
    }
}
