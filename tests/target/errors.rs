//! The two clients side by side: every class of error reply, while requests are under way and while a connection is opened.

use std::time::Duration;

use plimsoll::{
    measure::ErrorClass,
    operation::{Args, Kind, Request},
    scenario::Protocol,
    target::{Driver, DriverConnection, PrivateServer, TargetUrl},
};
use tokio::time::timeout;

use super::{
    clients::{at, done, locally},
    fake::Fake,
    plan::{plain, raw, request, server, value},
};

const LONG: Duration = Duration::from_secs(10);

const CLUSTERDOWN: &str = "CLUSTERDOWN The cluster is down";

/// Error replies of servers, with their classes.
const ERRORS: [(&str, ErrorClass); 24] = [
    ("OOM command not allowed when used memory > 'maxmemory'.", ErrorClass::Oom),
    ("NOPERM User plimsoll has no permissions to run the 'get' command", ErrorClass::Noperm),
    ("NOAUTH Authentication required.", ErrorClass::Noauth),
    ("WRONGPASS invalid username-password pair or user is disabled.", ErrorClass::Wrongpass),
    ("WRONGTYPE Operation against a key holding the wrong kind of value", ErrorClass::Wrongtype),
    ("LOADING Redis is loading the dataset in memory", ErrorClass::Loading),
    ("READONLY You can't write against a read only replica.", ErrorClass::Readonly),
    ("MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", ErrorClass::Masterdown),
    ("NOREPLICAS Not enough good replicas to write.", ErrorClass::Noreplicas),
    ("BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.", ErrorClass::Busy),
    ("TRYAGAIN Multiple keys request during rehashing of slot", ErrorClass::Tryagain),
    ("MOVED 3999 127.0.0.1:6381", ErrorClass::Moved),
    ("ASK 3999 127.0.0.1:6381", ErrorClass::Ask),
    ("CROSSSLOT Keys in request don't hash to the same slot", ErrorClass::Crossslot),
    ("MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist.", ErrorClass::Misconf),
    ("NOSCRIPT No matching script. Please use EVAL.", ErrorClass::Noscript),
    ("EXECABORT Transaction discarded because of previous errors.", ErrorClass::Execabort),
    ("ERR unknown command 'GET', with args beginning with: ", ErrorClass::Err),
    ("ERR This instance has cluster support disabled", ErrorClass::Err),
    ("UNKILLABLE Sorry the script already executed write commands.", ErrorClass::Other),
    // Words that have a meaning within a client library.
    ("Invalid argument(s) of a script", ErrorClass::Other),
    ("Canceled by a script", ErrorClass::Other),
    ("timeout of a script", ErrorClass::Other),
    (CLUSTERDOWN, ErrorClass::Clusterdown),
];

/// A server that replies with an error to commands whose key is the number of one.
fn failing(server: &PrivateServer) -> Fake {
    Fake::before(server, |words| {
        let number = words.get(1).filter(|_| matches!(words[0].as_str(), "GET" | "SET" | "HGETALL" | "MSET"))?;
        let (message, _) = ERRORS.get(number.parse::<usize>().ok()?)?;
        Some(format!("-{message}\r\n").into_bytes())
    })
}

/// Class and message of the failure of each request, and the number of connections that it cost.
async fn failures<D: Driver>(driver: &D, requests: &[Request]) -> (Vec<(ErrorClass, String)>, u64) {
    let connection = driver.open().await.unwrap();
    let mut failures = Vec::new();
    for request in requests {
        let failure = timeout(LONG, connection.issue(request.clone())).await.unwrap().result.unwrap_err();
        failures.push((failure.class, failure.message));
        timeout(LONG, connection.recover()).await.unwrap();
        assert_eq!(done(&connection, plain(Kind::Exists, "key")).await.integer, Some(0), "replies are in step");
    }
    let (lost, recovered) = driver.losses().so_far();
    assert_eq!(lost, recovered);
    connection.close().await;
    (failures, lost)
}

#[test]
fn both_clients_have_every_class_of_error() {
    locally(async {
        let server = server(&[]).await;
        let fake = failing(&server);
        for (number, (message, class)) in ERRORS.into_iter().enumerate() {
            let key = number.to_string();
            let requests = [
                plain(Kind::Get, &key),
                request(Kind::Set, &key, value("x")),
                plain(Kind::HGetAll, &key),
                request(Kind::MSet, &key, Args::Pairs(vec![(key.clone().into(), "x".into())])),
                raw(&format!("GET {key}")),
            ];
            let expected = requests.each_ref().map(|_| (class, message.to_owned()));
            for protocol in [Protocol::Resp2, Protocol::Resp3] {
                let target = at(fake.url(&server), protocol).await;
                let (fred, lost) = failures(&target.connector(0), &requests).await;
                assert_eq!(fred, expected);
                // fred takes it for the end of the connection.
                assert_eq!(lost, if message == CLUSTERDOWN { 5 } else { 0 }, "{message}");
                assert_eq!(failures(&target.wire_connector(0), &requests).await, (expected.to_vec(), 0));
            }
        }
        let listed = |class: &&ErrorClass| ERRORS.iter().any(|(_, other)| other == *class);
        assert!(ErrorClass::ALL.iter().filter(|class| class.is_reply()).all(|class| listed(&class)));
    });
}

/// Classes and messages of requests that are sent together, of which every other one succeeds.
async fn together<D: Driver>(driver: &D, requests: &[Request]) -> Vec<Option<(ErrorClass, String)>> {
    let connection = driver.open().await.unwrap();
    let (mut requests, mut answers) = (requests.to_vec(), Vec::new());
    timeout(LONG, connection.issue_all(&mut requests, &mut answers)).await.unwrap();
    connection.close().await;
    answers.into_iter().map(|answer| answer.result.err().map(|failure| (failure.class, failure.message))).collect()
}

#[test]
fn both_clients_have_every_class_of_error_in_a_batch() {
    locally(async {
        let server = server(&[]).await;
        let target = at(failing(&server).url(&server), Protocol::Resp2).await;
        let (mut requests, mut expected) = (Vec::new(), Vec::new());
        for (number, (message, class)) in ERRORS.into_iter().enumerate().filter(|(_, error)| error.0 != CLUSTERDOWN) {
            requests.extend([plain(Kind::Get, &number.to_string()), plain(Kind::Get, "key")]);
            expected.extend([Some((class, message.to_owned())), None]);
        }
        assert_eq!(together(&target.connector(0), &requests).await, expected);
        assert_eq!(together(&target.wire_connector(0), &requests).await, expected);
    });
}

/// Opens a connection by each client to a server that replies with an error to all commands but one; gives the reason for which
/// neither can.
async fn refusal_of(
    server: &PrivateServer,
    protocol: Protocol,
    message: &'static str,
    passed: &'static str,
    login: bool,
) -> Option<String> {
    let url = Fake::before(server, move |words| {
        Some(if words[0] == passed { b"+OK\r\n".to_vec() } else { format!("-{message}\r\n").into_bytes() })
    })
    .url(server);
    let url = if login { url } else { TargetUrl { username: None, password: None, ..url } };
    let target = at(url, protocol).await;
    let fred = target.connector(0).open().await.err().map(|error| error.to_string());
    let wire = target.wire_connector(0).open().await.err().map(|error| error.to_string());
    assert_eq!(fred, wire, "{message}");
    wire
}

#[test]
fn both_clients_open_a_connection_only_where_the_login_succeeds() {
    locally(async {
        let server = server(&[]).await;
        for (message, _) in ERRORS {
            for (protocol, login, first) in [
                (Protocol::Resp2, true, "AUTH"),
                (Protocol::Resp2, false, "PING"),
                (Protocol::Resp3, true, "HELLO"),
                (Protocol::Resp3, false, "HELLO"),
            ] {
                assert!(refusal_of(&server, protocol, message, "", login).await.is_some(), "{message}");
                // What follows the login may fail: requests will say so.
                assert_eq!(refusal_of(&server, protocol, message, first, login).await, None, "{message}");
            }
        }
    });
}
