//! Private servers: what they are like, and that nothing stays behind.

use std::{
    io::{BufRead, BufReader},
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use plimsoll::{
    operation::{Args, Kind},
    target::{Listen, PrivateServer, PrivateTopology, ServerOptions, Source, Target, TargetError},
};
use rustix::process::{Pid, getpgid, getpgrp, test_kill_process};

use super::plan::{ask, complaint, connection, request, scenario, server, service, value};
use crate::support::{Turn, files};

fn process(pid: u32) -> Pid {
    Pid::from_raw(i32::try_from(pid).unwrap()).unwrap()
}

pub(super) fn runs(pid: u32) -> bool {
    test_kill_process(process(pid)).is_ok()
}

fn gone(pid: u32, folder: &Path) -> bool {
    !runs(pid) && !folder.exists()
}

#[tokio::test]
async fn is_configured_like_the_workflow_engines() {
    let server = server(&[]).await;
    for (name, value) in [
        ("maxclients", "10000"),
        ("timeout", "300"),
        ("tcp-keepalive", "60"),
        ("maxmemory", "1073741824"),
        ("maxmemory-policy", "allkeys-lru"),
        ("save", ""),
        ("appendonly", "no"),
    ] {
        assert_eq!(ask(&server, &format!("CONFIG GET {name}")).await, format!("{name}\n{value}"));
    }
    let plan = scenario(vec![service("api", &[Kind::Get])]);
    let error = complaint(server.url(), &plan).await.to_string();
    assert!(error.contains("the server requires a login"), "the default user is off: {error}");
}

#[tokio::test]
async fn keeps_passwords_out_of_files_and_out_of_sight() {
    let plan = scenario(vec![service("api", &[Kind::Get])]);
    let (target, server) = Target::prepare(
        Source::Embedded { server_bin: None, topology: PrivateTopology::Standalone, tls: false, config: Vec::new() },
        &plan,
    )
    .await
    .unwrap();
    let server = server.unwrap();
    let connector = target.connector(0);
    let connection = connector.open().await.unwrap();
    let shown = format!("{server:?} {target:?} {connector:?} {connection:?} {:?}", server.url_of("plimsoll"));
    for user in ["plimsoll", server.admin()] {
        let password = server.password(user).unwrap().expose();
        assert_eq!(password.len(), 64);
        assert!(!shown.contains(password));
        for (file, content) in files(server.folder()) {
            assert!(!String::from_utf8_lossy(&content).contains(password), "{}", file.display());
        }
    }
}

#[tokio::test]
async fn hears_no_interrupt_from_the_terminal() {
    let server = server(&[]).await;
    assert_ne!(getpgid(Some(process(server.pid()))).unwrap(), getpgrp());
}

#[tokio::test]
async fn leaves_nothing_behind() {
    let server = server(&[]).await;
    let (pid, folder) = (server.pid(), server.folder().to_owned());
    assert!(runs(pid) && folder.exists());
    drop(server);
    assert!(gone(pid, &folder));
}

#[tokio::test]
async fn leaves_nothing_behind_after_a_panic() {
    let server = server(&[]).await;
    let (pid, folder) = (server.pid(), server.folder().to_owned());
    let result = catch_unwind(AssertUnwindSafe(move || {
        let _server = server;
        std::panic::resume_unwind(Box::new("the harness fails"));
    }));
    assert!(result.is_err());
    assert!(gone(pid, &folder));
}

#[tokio::test]
async fn leaves_nothing_behind_when_the_harness_is_killed() {
    const TEST: &str = "target::private::leaves_nothing_behind_when_the_harness_is_killed";
    const TOPOLOGY: &str = "PLIMSOLL_TEST_TOPOLOGY";
    // This test twice: once to start servers and be killed, once to do that and to watch.
    if let Ok(topology) = std::env::var(TOPOLOGY) {
        let options = ServerOptions { topology: topology.parse().unwrap(), ..ServerOptions::default() };
        let server = PrivateServer::start(options).await.unwrap();
        let pids: Vec<_> = server.nodes().iter().map(|node| node.pid().to_string()).collect();
        eprintln!("server {} {}", pids.join(","), server.folder().display());
        std::thread::sleep(Duration::from_secs(60));
        return;
    }
    let _turn = Turn::beside();
    for (topology, nodes) in [("standalone", 1), ("sentinel", 6)] {
        let mut harness = Command::new(std::env::current_exe().unwrap())
            .args([TEST, "--exact", "--nocapture"])
            .env(TOPOLOGY, topology)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let words = BufReader::new(harness.stderr.take().unwrap()).lines().map_while(Result::ok);
        let line = words.into_iter().find_map(|line| line.strip_prefix("server ").map(str::to_owned)).unwrap();
        let (pids, folder) = line.split_once(' ').unwrap();
        let pids: Vec<u32> = pids.split(',').map(|pid| pid.parse().unwrap()).collect();
        let folder = Path::new(folder);
        assert!(pids.len() == nodes && pids.iter().all(|pid| runs(*pid)) && folder.exists());
        harness.kill().unwrap();
        harness.wait().unwrap();
        let patience = Instant::now() + Duration::from_secs(10);
        while pids.iter().any(|pid| !gone(*pid, folder)) {
            assert!(Instant::now() < patience, "a server outlives its harness");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

#[tokio::test]
async fn listens_on_a_socket_too() {
    let users = vec!["plimsoll".to_owned()];
    let options = ServerOptions { users, listen: Listen::Socket, ..ServerOptions::default() };
    let server = PrivateServer::start(options).await.unwrap();
    let plan = scenario(vec![service("api", &[Kind::Get])]);
    let target = Target::prepare(Source::Url(server.url_of("plimsoll")), &plan).await.unwrap().0;
    let facts = target.preflight(&plan).await.unwrap();
    assert!(facts.address.starts_with("unix:///") && facts.same_machine, "{facts:?}");
    let connection = target.connector(0).open().await.unwrap();
    connection.issue(request(Kind::Set, "key", value("x"))).await.unwrap();
    assert_eq!(connection.issue(request(Kind::Get, "key", Args::None)).await.unwrap().hits, 1);
}

#[tokio::test]
async fn starts_again_at_the_same_address() {
    let server = server(&[]).await;
    let (url, pid) = (server.url(), server.pid());
    connection(&server).await.issue(request(Kind::Set, "key", value("x"))).await.unwrap();
    server.restart().unwrap();
    assert_eq!(server.url(), url);
    assert!(server.pid() != pid && !runs(pid));
    assert_eq!(connection(&server).await.issue(request(Kind::Get, "key", Args::None)).await.unwrap().misses, 1);
}

#[tokio::test]
async fn says_why_it_did_not_start() {
    let config = vec![("maxmemory-policy".to_owned(), "keep-everything".to_owned())];
    let error = PrivateServer::start(ServerOptions { config, ..ServerOptions::default() }).await.unwrap_err();
    let text = error.to_string();
    assert!(text.contains("ended at once") && text.contains("keep-everything"), "{text}");

    let binary = Some(PathBuf::from("/nowhere/redis-server"));
    let error = PrivateServer::start(ServerOptions { binary, ..ServerOptions::default() }).await.unwrap_err();
    assert!(matches!(error, TargetError::ServerProgram { .. }));
    assert!(error.to_string().contains("/nowhere/redis-server") && error.to_string().contains("--server-bin"));
}
