//! Connections that break, servers that stop.

use std::{rc::Rc, time::Duration};

use plimsoll::{
    measure::ErrorClass,
    operation::{Args, Kind, Reply},
    target::{Answer, Driver, DriverConnection, PrivateServer},
};
use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    task::{JoinHandle, spawn_local},
    time::{sleep, timeout},
};

use super::{
    clients::{ByClient, done, for_each_client, lost},
    plan::{ask, bytes, raw, request, server, value},
};

for_each_client!(
    a_killed_connection_fails_its_request_and_recovers,
    an_idle_connection_comes_back_by_itself,
    a_dead_server_fails_requests_at_once_and_is_found_again,
    a_login_that_is_refused_for_a_while_is_tried_again,
    a_request_that_is_given_up_leaves_replies_in_step,
    a_connection_to_a_frozen_server_is_opened_anew_and_sends_nothing_twice,
    a_connection_that_the_harness_renews_is_not_lost,
    a_full_server_gives_the_place_of_a_broken_connection_to_the_new_one,
    requests_that_share_a_connection_are_lost_together,
    requests_behind_one_that_hangs_are_lost_when_the_harness_renews_the_connection,
    a_large_request_waits_for_a_server_that_does_not_read,
    a_transaction_that_is_cut_changes_nothing,
    closing_takes_no_longer_than_a_moment_even_if_the_server_is_frozen,
    a_closed_connection_is_gone,
);

/// Longer than anything here should take, shorter than anybody wants to wait.
const LONG: Duration = Duration::from_secs(10);

fn signal(server: &PrivateServer, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(server.pid()).unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}

/// A request that the server has, and does not answer.
async fn under_way<C: DriverConnection>(connection: &Rc<C>) -> JoinHandle<Answer> {
    let connection = Rc::clone(connection);
    let waiting = spawn_local(async move { connection.issue(raw("BLPOP queue 0")).await });
    sleep(Duration::from_millis(50)).await;
    waiting
}

async fn a_killed_connection_fails_its_request_and_recovers<D: Driver>(client: ByClient<D>) {
    let server = server(&[]).await;
    let connection = Rc::new(client(&server).open().await.unwrap());
    let waiting = under_way(&connection).await;
    assert_eq!(ask(&server, "CLIENT KILL USER plimsoll").await, "1");
    lost(&timeout(LONG, waiting).await.unwrap().unwrap());
    timeout(LONG, connection.recover()).await.unwrap();
    // Had the command been sent a second time, it would take this element.
    done(&*connection, request(Kind::RPush, "queue", Args::Values(vec![bytes("x")]))).await;
    sleep(Duration::from_millis(50)).await;
    assert_eq!(done(&*connection, request(Kind::LLen, "queue", Args::None)).await.integer, Some(1));
    assert!(ask(&server, "CLIENT LIST").await.contains("name=plimsoll:test "), "the new connection has its name");
}

async fn an_idle_connection_comes_back_by_itself<D: Driver>(client: ByClient<D>) {
    let server = server(&[]).await;
    let connection = Rc::new(client(&server).open().await.unwrap());
    assert_eq!(ask(&server, "CLIENT KILL USER plimsoll").await, "1");
    timeout(LONG, async {
        while !ask(&server, "CLIENT LIST").await.contains("name=plimsoll:test ") {
            sleep(Duration::from_millis(10)).await;
        }
    })
    .await
    .unwrap();
    done(&*connection, request(Kind::Set, "key", value("x"))).await;
}

async fn a_dead_server_fails_requests_at_once_and_is_found_again<D: Driver>(client: ByClient<D>) {
    let server = server(&[]).await;
    let connection = Rc::new(client(&server).open().await.unwrap());
    let waiting = under_way(&connection).await;
    signal(&server, Signal::KILL);
    lost(&timeout(LONG, waiting).await.unwrap().unwrap());
    // No request waits for better times: not in the first pause, and not later.
    for _ in 0..20 {
        lost(&timeout(LONG, connection.issue(request(Kind::Incr, "count", Args::None))).await.unwrap());
        sleep(Duration::from_millis(20)).await;
    }
    server.restart().unwrap();
    timeout(LONG, connection.recover()).await.unwrap();
    let reply = done(&*connection, request(Kind::Incr, "count", Args::None)).await;
    assert_eq!(reply.integer, Some(1), "none of the failed requests was sent after all");
}

async fn a_login_that_is_refused_for_a_while_is_tried_again<D: Driver>(client: ByClient<D>) {
    let server = server(&[]).await;
    let connection = client(&server).open().await.unwrap();
    ask(&server, "ACL SETUSER plimsoll off").await;
    assert_eq!(ask(&server, "CLIENT KILL USER plimsoll").await, "1");
    sleep(Duration::from_millis(300)).await;
    lost(&timeout(LONG, connection.issue(request(Kind::Incr, "count", Args::None))).await.unwrap());
    ask(&server, "ACL SETUSER plimsoll on").await;
    timeout(LONG, connection.recover()).await.unwrap();
    assert_eq!(done(&connection, request(Kind::Incr, "count", Args::None)).await.integer, Some(1));
}

async fn a_request_that_is_given_up_leaves_replies_in_step<D: Driver>(client: ByClient<D>) {
    let server = server(&[]).await;
    let connection = Rc::new(client(&server).open().await.unwrap());
    signal(&server, Signal::STOP);
    let late = connection.issue(request(Kind::Incr, "count", Args::None));
    assert!(timeout(Duration::from_millis(100), late).await.is_err());
    signal(&server, Signal::CONT);
    timeout(LONG, connection.recover()).await.unwrap();
    for expected in 2..100 {
        let reply = done(&*connection, request(Kind::Incr, "count", Args::None)).await;
        assert_eq!(reply.integer, Some(expected));
    }
}

async fn a_connection_to_a_frozen_server_is_opened_anew_and_sends_nothing_twice<D: Driver>(client: ByClient<D>) {
    let server = server(&[]).await;
    let connection = Rc::new(client(&server).open().await.unwrap());
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
    let reply = done(&*connection, request(Kind::Incr, "count", Args::None)).await;
    assert!(reply.integer.is_some_and(|count| count <= 2), "{reply:?}");
}

async fn a_connection_that_the_harness_renews_is_not_lost<D: Driver>(client: ByClient<D>) {
    let server = server(&[]).await;
    let connector = client(&server);
    let connection = connector.open().await.unwrap();
    // A command that blocks for longer than anybody waits.
    assert!(timeout(Duration::from_millis(100), connection.issue(raw("BLPOP queue 0"))).await.is_err());
    timeout(LONG, connection.recover()).await.unwrap();
    assert_eq!(connector.losses().so_far(), (0, 0));
    assert_eq!(ask(&server, "CLIENT KILL USER plimsoll").await, "1");
    losses(&connector, 1).await;
}

/// Waits until connections were lost and came back.
async fn losses<D: Driver>(connector: &D, number: u64) {
    let counted = async {
        while connector.losses().so_far() != (number, number) {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(LONG, counted).await.unwrap_or_else(|_| panic!("{:?}", connector.losses().so_far()));
}

async fn a_full_server_gives_the_place_of_a_broken_connection_to_the_new_one<D: Driver>(client: ByClient<D>) {
    let server = server(&[]).await;
    let connector = client(&server);
    let connection = connector.open().await.unwrap();
    ask(&server, "CONFIG SET maxclients 1").await;
    assert!(timeout(Duration::from_millis(100), connection.issue(raw("BLPOP queue 0"))).await.is_err());
    // Silence for a second: the connection is opened anew.
    timeout(LONG, connection.recover()).await.unwrap();
    done(&connection, request(Kind::Set, "key", value("x"))).await;
}

async fn requests_that_share_a_connection_are_lost_together<D: Driver>(client: ByClient<D>) {
    let server = server(&[]).await;
    let connector = client(&server);
    let connection = Rc::new(connector.open().await.unwrap());
    let waiting = under_way(&connection).await;
    let behind = [under_way(&connection).await, under_way(&connection).await];
    assert_eq!(ask(&server, "CLIENT KILL USER plimsoll").await, "1");
    for waiting in behind.into_iter().chain([waiting]) {
        lost(&timeout(LONG, waiting).await.unwrap().unwrap());
    }
    timeout(LONG, connection.recover()).await.unwrap();
    losses(&connector, 1).await;
    assert_eq!(ask(&server, "LLEN queue").await, "0");
}

async fn requests_behind_one_that_hangs_are_lost_when_the_harness_renews_the_connection<D: Driver>(
    client: ByClient<D>,
) {
    let server = server(&[]).await;
    let connector = client(&server);
    let connection = Rc::new(connector.open().await.unwrap());
    assert!(timeout(Duration::from_millis(50), connection.issue(raw("BLPOP queue 0"))).await.is_err());
    let behind = under_way(&connection).await;
    timeout(LONG, connection.recover()).await.unwrap();
    lost(&timeout(LONG, behind).await.unwrap().unwrap());
    assert_eq!(connector.losses().so_far(), (0, 0));
    done(&*connection, request(Kind::RPush, "queue", Args::Values(vec![bytes("x")]))).await;
    assert_eq!(ask(&server, "LLEN queue").await, "1", "neither is sent again");
}

async fn a_large_request_waits_for_a_server_that_does_not_read<D: Driver>(client: ByClient<D>) {
    let server = server(&[]).await;
    let connection = Rc::new(client(&server).open().await.unwrap());
    let large = 32 << 20;
    signal(&server, Signal::STOP);
    // More than the buffers of the kernel take.
    let writing = Rc::clone(&connection);
    let text = "x".repeat(large);
    let write = spawn_local(async move { done(&*writing, request(Kind::Set, "key", value(&text))).await });
    sleep(Duration::from_millis(100)).await;
    let reading = Rc::clone(&connection);
    let read = spawn_local(async move { done(&*reading, request(Kind::Get, "key", Args::None)).await });
    sleep(Duration::from_millis(100)).await;
    assert!(!write.is_finished() && !read.is_finished());
    signal(&server, Signal::CONT);
    assert_eq!(timeout(LONG, write).await.unwrap().unwrap().bytes, 2);
    assert_eq!(timeout(LONG, read).await.unwrap().unwrap().bytes as usize, large);
}

async fn a_transaction_that_is_cut_changes_nothing<D: Driver>(client: ByClient<D>) {
    let server = server(&[]).await;
    let connection = client(&server).open().await.unwrap();
    done(&connection, request(Kind::Multi, "", Args::None)).await;
    assert_eq!(done(&connection, request(Kind::Incr, "count", Args::None)).await, Reply::default(), "QUEUED");
    assert_eq!(ask(&server, "CLIENT KILL USER plimsoll").await, "1");
    timeout(LONG, connection.recover()).await.unwrap();
    let failed = connection.issue(request(Kind::Exec, "", Args::None)).await.result.unwrap_err();
    assert_eq!((failed.class, failed.message.as_str()), (ErrorClass::Err, "ERR EXEC without MULTI"));
    assert_eq!(ask(&server, "EXISTS count").await, "0");
}

async fn closing_takes_no_longer_than_a_moment_even_if_the_server_is_frozen<D: Driver>(client: ByClient<D>) {
    let server = server(&[]).await;
    let connection = Rc::new(client(&server).open().await.unwrap());
    signal(&server, Signal::STOP);
    let closed = timeout(LONG, connection.close()).await;
    signal(&server, Signal::CONT);
    closed.unwrap();
}

async fn a_closed_connection_is_gone<D: Driver>(client: ByClient<D>) {
    let server = server(&[]).await;
    let connection = Rc::new(client(&server).open().await.unwrap());
    connection.close().await;
    assert!(!ask(&server, "CLIENT LIST").await.contains("name=plimsoll:test "));
    lost(&timeout(LONG, connection.issue(request(Kind::Incr, "count", Args::None))).await.unwrap());
}
