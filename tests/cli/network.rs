//! Generators on hosts of their own: network namespaces with host names, links and loopback addresses that are theirs alone. All of it
//! ends with the test, and nothing of the machine is changed.

use std::process::{Child, Command, Stdio};

use plimsoll::{scenario, workload::scheduled};
use serde_json::Value;

use super::{
    Desk, Outcome, SHORT, Server, USER,
    scale::{accounts, script, summary},
};
use crate::support::{Turn, is_alone, missing, until};

/// Address of the server, as all hosts see it.
const ADDRESS: &str = "10.211.255.1";

const HOSTS: [&str; 4] = ["node0", "node1", "node2", "node3"];

/// A shell that goes on in a network of its own, with a link to each of four hosts.
const NETWORK: &str = "exec unshare --map-root-user --net --mount sh -ec '\
    mount -t tmpfs tmpfs /run; ip link set lo up; ip addr add 10.211.255.1/32 dev lo; \
    for i in 0 1 2 3; do \
        ip netns add node$i; ip link add link$i type veth peer name eth0 netns node$i; \
        ip addr add 10.211.$i.1/24 dev link$i; ip link set link$i up; \
        ip -n node$i link set lo up; ip -n node$i addr add 10.211.$i.2/24 dev eth0; ip -n node$i link set eth0 up; \
        ip -n node$i route add default via 10.211.$i.1; \
    done; exec \"$@\"' sh \"$@\"";

/// A remote shell: its arguments are `-o BatchMode=yes HOST COMMAND`.
const SSH: &str = "exec ip netns exec \"$3\" unshare --uts sh -c 'hostname \"$0\" && exec $1' \"$3\" \"$4\"";

/// Shows whether this process is of one test in a network of its own. If not, runs the test in such a process.
#[track_caller]
fn has_hosts(test: &str) -> bool {
    for (program, version) in [("unshare", "-V"), ("ip", "-V"), ("tc", "-V"), ("hostname", "-V")] {
        if let Err(error) = Command::new(program).arg(version).output() {
            missing(program, &error);
        }
    }
    let namespaces = Command::new("unshare").args(["--map-root-user", "--net", "--mount", "ip", "netns"]).output();
    let outcome = Outcome::of(namespaces.unwrap());
    assert_eq!(
        outcome.code,
        Some(0),
        "{}this test needs the right to make namespaces of users and networks: allow it with sysctl \
         kernel.apparmor_restrict_unprivileged_userns=0 or kernel.unprivileged_userns_clone=1, in a container with --privileged",
        outcome.stderr
    );
    is_alone(test, NETWORK)
}

/// [`SHORT`] with enough requests for a p99 of each generator, and enough connections that none of them waits for one.
fn text() -> String {
    let text = SHORT.replace("duration = \"1s\"", "duration = \"2s\"").replace("drain = \"2s\"", "drain = \"8s\"");
    let text = text.replace("rate = 1000", "rate = 2400");
    let text = text.replace("size = 4", "size = 64").replace("_timeout = \"1s\"", "_timeout = \"8s\"");
    text.replace("count = 100", "count = 100\n\n[service.values]\nsize = 1000")
}

/// Lets a link carry half of what a generator asks for: about 824 bytes for each of 600 requests per second. The last of two seconds
/// are answered two seconds late, whatever else the machine does.
fn slow(host: usize) {
    let link = format!("link{host}");
    let limit = ["tbf", "rate", "2mbit", "burst", "4kb", "limit", "1mb"];
    let mut tc = Command::new("tc");
    let outcome = tc.args(["qdisc", "add", "dev", &link, "root"]).args(limit).output().unwrap();
    assert_eq!(Outcome::of(outcome).ends_with(0).stderr, "");
}

fn desk(turn: Turn) -> Desk {
    Desk::with("short.toml", &text(), turn)
}

/// A server that listens on the address too.
fn server() -> Server {
    let server = Server::start();
    assert!(server.ask(&format!("CONFIG SET bind \"127.0.0.1 {ADDRESS}\"")).starts_with("+OK"));
    server
}

/// Runs the scenario with a generator on each host.
fn scale(desk: &Desk, server: &Server) -> Outcome {
    let ssh = desk.path("ssh");
    let ssh = if ssh.exists() { ssh.to_str().unwrap().to_owned() } else { script(desk, "ssh", SSH) };
    let (launcher, url) = (format!("{ssh} {}", HOSTS.join(",")), server.url().replace("127.0.0.1", ADDRESS));
    let arguments =
        ["scale", "short.toml", "-n", "4", "--target", &url, "--launcher", &launcher, "--start-in", "500ms"];
    let more = ["--program", env!("CARGO_BIN_EXE_plimsoll"), "--out", "out", "--force", "--quiet"];
    desk.run(&[&arguments[..], &more].concat())
}

/// The finding of a generator that disagrees with the others.
fn disagreement(summary: &Value) -> Option<String> {
    let facts = summary["findings"].as_array().unwrap().iter().map(|finding| finding["fact"].as_str().unwrap());
    facts.filter(|fact| fact.contains("that of the others")).map(str::to_owned).next()
}

#[test]
fn the_generator_behind_a_slow_link_is_named() {
    if !has_hosts("cli::network::the_generator_behind_a_slow_link_is_named") {
        return;
    }
    let (desk, server) = (desk(Turn::alone()), server());
    let due: u64 = scheduled(&scenario::parse(&text(), "short.toml").unwrap()).into_iter().flatten().sum();
    slow(2);
    scale(&desk, &server).measured();
    let found = summary(&desk, "out");
    accounts(&found, 4, due);
    let hosts: Vec<_> = found["generators"].as_array().unwrap().iter().map(|row| row["host"].clone()).collect();
    assert_eq!(hosts, HOSTS);
    let fact = disagreement(&found).unwrap();
    assert!(fact.starts_with("Generator 2 on node2 has a p99 of "), "{fact}");

    // Links that are slow alike are the same for all.
    for host in [0, 1, 3] {
        slow(host);
    }
    scale(&desk, &server).measured();
    let found = summary(&desk, "out");
    accounts(&found, 4, due);
    assert_eq!(disagreement(&found), None);
}

/// A program on a host, which ends with the test.
struct Guest(Child);

impl Guest {
    fn start(host: &str, words: &[&str]) -> Self {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", host]).args(words).stdout(Stdio::null());
        Self(command.spawn().unwrap())
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn an_address_that_means_another_server_on_one_host_is_refused() {
    if !has_hosts("cli::network::an_address_that_means_another_server_on_one_host_is_refused") {
        return;
    }
    let (desk, server) = (desk(Turn::beside()), server());
    let on_host = |words: &[&str]| Command::new("ip").args(["-n", "node1"]).args(words).status().unwrap().success();
    assert!(on_host(&["addr", "add", &format!("{ADDRESS}/32"), "dev", "lo"]));
    // Nothing listens there.
    scale(&desk, &server).ends_with(3).complains("generator 1 of 4 on node1 failed: ").complains("connection refused");
    let (port, password) = (server.port.to_string(), format!(">{}", server.password));
    let folder = desk.path("");
    let place =
        ["--port", &port, "--protected-mode", "no", "--bind", ADDRESS, "--dir", folder.to_str().unwrap(), "--save", ""];
    let user = ["--user", USER, "on", &password, "~*", "&*", "+@all"];
    let other = Guest::start("node1", &[&["redis-server"], &place[..], &user].concat());
    until("the other server listens", || {
        let mut sockets = Command::new("ip");
        let output = sockets.args(["netns", "exec", "node1", "cat", "/proc/net/tcp"]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().contains(&format!(":{:04X} ", server.port))
    });
    scale(&desk, &server).ends_with(3).complains(
        "generator 1 of 4 on node1 reaches another server by this address than the one that was checked here",
    );
    assert_eq!(server.keys(), 0, "keys are removed");
    assert!(!desk.path("out").exists());
    drop(other);
}
