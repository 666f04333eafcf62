//! Reads from replicas with the program: rows by role, and a replica that falls behind.

use std::{fs, thread};

use plimsoll::target::PrivateRole;

use super::{Desk, sites::start};
use crate::{
    support::{until, url},
    target::topologies::ask,
};

/// Fields of the rows of a table, by the names of its columns.
fn column(table: &str, name: &str) -> Vec<String> {
    let mut lines = table.lines().map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
    let at = lines.next().unwrap().iter().position(|column| column == name).unwrap();
    lines.map(|line| line[at].clone()).collect()
}

#[test]
fn a_replica_that_is_cut_off_lags_behind() {
    let (desk, server) = (Desk::new(), start("replica"));
    let replica = server.nodes().iter().find(|node| node.role() != PrivateRole::Primary).unwrap();
    let (target, begun) = (url(&server), desk.path("begun"));
    let arguments = [
        "run",
        "short.toml",
        "--target",
        &target,
        "--out",
        "r",
        "--duration",
        "5s",
        "--at",
        "0s=exec:touch begun",
        "--yes",
        "--client",
        "wire",
        "--set",
        "service.shop.read_from=replica",
    ];
    let cut = || {
        until("the load begins", || begun.exists());
        for command in ["CONFIG SET masterauth wrong", "CONFIG SET masteruser nobody", "CLIENT KILL TYPE master"] {
            ask(&server, replica, command);
        }
    };
    let outcome = thread::scope(|scope| {
        scope.spawn(cut);
        desk.run(&arguments)
    });
    outcome.measured();
    let nodes = fs::read_to_string(desk.path("r/nodes.csv")).unwrap();
    let lags: Vec<String> = column(&nodes, "lag_max_bytes");
    let lags: Vec<u64> = lags.iter().filter_map(|lag| lag.parse().ok()).collect();
    assert!(lags.len() == 1 && lags[0] > 0, "{nodes}");
    let reads = fs::read_to_string(desk.path("r/reads.csv")).unwrap();
    assert_eq!(column(&reads, "role"), ["replica"], "{reads}");
}
