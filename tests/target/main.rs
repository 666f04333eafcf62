//! The target room against real private servers. Without a server program these tests fail and say how to get one.

mod plan;

use std::time::Duration;

use bytes::Bytes;
use plimsoll::{
    measure::ErrorClass,
    operation::{Args, Kind, Reply, Request},
    target::{PrivateServer, ServerOptions, Source, Target, TargetError, TargetUrl},
};
use tokio::time::timeout;

use plan::{scenario, service};

fn request(kind: Kind, key: &str, args: Args) -> Request {
    Request { kind, key: Bytes::copy_from_slice(key.as_bytes()), args }
}

fn value(text: &'static str) -> Args {
    Args::Value(Bytes::from_static(text.as_bytes()))
}

async fn server() -> PrivateServer {
    let users = vec!["plimsoll".to_owned()];
    PrivateServer::start(ServerOptions { users, ..ServerOptions::default() }).await.unwrap()
}

async fn target_of(url: TargetUrl) -> Target {
    Target::prepare(Source::Url(url), &scenario(vec![service("api")])).await.unwrap().0
}

#[tokio::test]
async fn issues_commands_on_a_private_server() {
    let plan = scenario(vec![service("api")]);
    let (target, server) = Target::prepare(Source::Embedded { server_bin: None }, &plan).await.unwrap();
    assert!(server.is_some());
    let connection = target.connector(0).open().await.unwrap();
    let reply = connection.issue(request(Kind::Set, "t:1", value("hello"))).await.unwrap();
    assert_eq!((reply.hits, reply.misses), (0, 0));
    let reply = connection.issue(request(Kind::Get, "t:1", Args::None)).await.unwrap();
    assert_eq!(reply, Reply { hits: 1, misses: 0, integer: None, bytes: 5 });
    let reply = connection.issue(request(Kind::Get, "t:2", Args::None)).await.unwrap();
    assert_eq!((reply.hits, reply.misses), (0, 1));
    let failure = connection.issue(request(Kind::LLen, "t:1", Args::None)).await.unwrap_err();
    assert_eq!(failure.class, ErrorClass::Wrongtype);
    connection.close().await;
}

#[tokio::test]
async fn tells_a_wrong_password() {
    let server = server().await;
    let mut url = server.url_of("plimsoll");
    url.password = server.password(server.admin()).cloned();
    let secret = url.password.clone().unwrap();
    let error = target_of(url).await.connector(0).open().await.unwrap_err();
    assert!(matches!(&error, TargetError::WrongPassword { user, .. } if user == "plimsoll"), "{error}");
    assert!(!format!("{error} {error:?}").contains(secret.expose()));
}

#[tokio::test]
async fn a_killed_connection_fails_its_request_and_recovers() {
    let server = server().await;
    let target = target_of(server.url_of("plimsoll")).await;
    let connection = target.connector(0).open().await.unwrap();
    let other = target.connector(0).open().await.unwrap();
    let words = |text: &str| Args::Raw(text.split(' ').map(|word| Bytes::copy_from_slice(word.as_bytes())).collect());
    // Under way while the connection dies.
    let blocked = connection.issue(request(Kind::Raw, "", words("BLPOP t:queue 0")));
    let killed = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        other.issue(request(Kind::Raw, "", words("CLIENT KILL TYPE normal SKIPME yes"))).await.unwrap();
    };
    let (failed, ()) = timeout(Duration::from_secs(5), async { tokio::join!(blocked, killed) }).await.unwrap();
    assert_eq!(failed.unwrap_err().class, ErrorClass::ConnectionLost);
    timeout(Duration::from_secs(5), connection.recover()).await.unwrap();
    // Had it been sent again, it would take this element.
    assert_eq!(
        other
            .issue(request(Kind::RPush, "t:queue", Args::Values(vec![Bytes::from_static(b"x")])))
            .await
            .unwrap()
            .integer,
        Some(1)
    );
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(connection.issue(request(Kind::LLen, "t:queue", Args::None)).await.unwrap().integer, Some(1));
}
