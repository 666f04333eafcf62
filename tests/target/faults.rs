//! Connections that break, servers that stop.

use std::time::Duration;

use plimsoll::{
    measure::{ErrorClass, Failure},
    operation::{Args, Kind, Reply},
    target::{Connection, PrivateServer, Target},
};
use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    task::JoinHandle,
    time::{sleep, timeout},
};

use super::plan::{ask, bytes, connection, raw, request, scenario, server, service, value};

/// Longer than anything here should take, shorter than anybody wants to wait.
const LONG: Duration = Duration::from_secs(10);

fn signal(server: &PrivateServer, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(server.pid()).unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}

/// A request that the server has, and does not answer.
async fn under_way(connection: &Connection) -> JoinHandle<Result<Reply, Failure>> {
    let connection = connection.clone();
    let waiting = tokio::spawn(async move { connection.issue(raw("BLPOP queue 0")).await });
    sleep(Duration::from_millis(50)).await;
    waiting
}

#[tokio::test]
async fn a_killed_connection_fails_its_request_and_recovers() {
    let server = server(&[]).await;
    let connection = connection(&server).await;
    let waiting = under_way(&connection).await;
    assert_eq!(ask(&server, "CLIENT KILL USER plimsoll").await, "1");
    let failed = timeout(LONG, waiting).await.unwrap().unwrap();
    assert_eq!(failed.unwrap_err().class, ErrorClass::ConnectionLost);
    timeout(LONG, connection.recover()).await.unwrap();
    // Had the command been sent a second time, it would take this element.
    connection.issue(request(Kind::RPush, "queue", Args::Values(vec![bytes("x")]))).await.unwrap();
    sleep(Duration::from_millis(50)).await;
    assert_eq!(connection.issue(request(Kind::LLen, "queue", Args::None)).await.unwrap().integer, Some(1));
    assert!(ask(&server, "CLIENT LIST").await.contains("name=plimsoll:test "), "the new connection has its name");
}

#[tokio::test]
async fn an_idle_connection_comes_back_by_itself() {
    let server = server(&[]).await;
    let connection = connection(&server).await;
    assert_eq!(ask(&server, "CLIENT KILL USER plimsoll").await, "1");
    timeout(LONG, async {
        while !ask(&server, "CLIENT LIST").await.contains("name=plimsoll:test ") {
            sleep(Duration::from_millis(10)).await;
        }
    })
    .await
    .unwrap();
    connection.issue(request(Kind::Set, "key", value("x"))).await.unwrap();
}

#[tokio::test]
async fn a_dead_server_fails_requests_at_once_and_is_found_again() {
    let mut server = server(&[]).await;
    let connection = connection(&server).await;
    let waiting = under_way(&connection).await;
    signal(&server, Signal::KILL);
    let failed = timeout(LONG, waiting).await.unwrap().unwrap();
    assert_eq!(failed.unwrap_err().class, ErrorClass::ConnectionLost);
    // No request waits for better times: not in the first pause, and not later.
    for _ in 0..20 {
        let failed = timeout(LONG, connection.issue(request(Kind::Incr, "count", Args::None))).await.unwrap();
        assert_eq!(failed.unwrap_err().class, ErrorClass::ConnectionLost);
        sleep(Duration::from_millis(20)).await;
    }
    server.restart().unwrap();
    timeout(LONG, connection.recover()).await.unwrap();
    let reply = connection.issue(request(Kind::Incr, "count", Args::None)).await.unwrap();
    assert_eq!(reply.integer, Some(1), "none of the failed requests was sent after all");
}

#[tokio::test]
async fn a_request_that_is_given_up_leaves_replies_in_step() {
    let server = server(&[]).await;
    let connection = connection(&server).await;
    signal(&server, Signal::STOP);
    let late = connection.issue(request(Kind::Incr, "count", Args::None));
    assert!(timeout(Duration::from_millis(100), late).await.is_err());
    signal(&server, Signal::CONT);
    timeout(LONG, connection.recover()).await.unwrap();
    for expected in 2..100 {
        let reply = connection.issue(request(Kind::Incr, "count", Args::None)).await.unwrap();
        assert_eq!(reply.integer, Some(expected));
    }
}

#[tokio::test]
async fn a_connection_to_a_frozen_server_is_opened_anew_and_sends_nothing_twice() {
    let server = server(&[]).await;
    let connection = connection(&server).await;
    signal(&server, Signal::STOP);
    let late = connection.issue(request(Kind::Incr, "count", Args::None));
    assert!(timeout(Duration::from_millis(100), late).await.is_err());
    let thaw = async {
        // Long enough for recover() to lose its patience.
        sleep(Duration::from_millis(1_500)).await;
        signal(&server, Signal::CONT);
    };
    timeout(LONG, async { tokio::join!(connection.recover(), thaw) }).await.unwrap();
    // The server may have seen the late one, once.
    let reply = connection.issue(request(Kind::Incr, "count", Args::None)).await.unwrap();
    assert!(reply.integer.is_some_and(|count| count <= 2), "{reply:?}");
}

#[tokio::test]
async fn a_connection_that_the_harness_renews_is_not_lost() {
    let server = server(&[]).await;
    let plan = scenario(vec![service("test", &[Kind::Get])]);
    let connector = Target::of_private(&server, &plan).unwrap().connector(0);
    let connection = connector.open().await.unwrap();
    // A command that blocks for longer than anybody waits.
    assert!(timeout(Duration::from_millis(100), connection.issue(raw("BLPOP queue 0"))).await.is_err());
    timeout(LONG, connection.recover()).await.unwrap();
    assert_eq!(connector.losses().so_far(), (0, 0));
    assert_eq!(ask(&server, "CLIENT KILL USER plimsoll").await, "1");
    timeout(LONG, async {
        while connector.losses().so_far() != (1, 1) {
            sleep(Duration::from_millis(10)).await;
        }
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn closing_takes_no_longer_than_a_moment_even_if_the_server_is_frozen() {
    let server = server(&[]).await;
    let connection = connection(&server).await;
    signal(&server, Signal::STOP);
    let closed = timeout(LONG, connection.close()).await;
    signal(&server, Signal::CONT);
    closed.unwrap();
}

#[tokio::test]
async fn a_closed_connection_is_gone() {
    let server = server(&[]).await;
    let connection = connection(&server).await;
    connection.close().await;
    assert!(!ask(&server, "CLIENT LIST").await.contains("name=plimsoll:test "));
    let failed = timeout(LONG, connection.issue(request(Kind::Incr, "count", Args::None))).await.unwrap();
    assert_eq!(failed.unwrap_err().class, ErrorClass::ConnectionLost);
}
