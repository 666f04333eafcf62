//! Servers that violate the protocol: a failure of the request, a new connection, and no panic.

use std::{
    io::{BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use plimsoll::{
    measure::ErrorClass,
    operation::{Kind, Request},
    scenario::Protocol,
    target::{Driver, DriverConnection, WireConnector},
};
use tokio::time::{sleep, timeout};

use super::{
    clients::{at, done, locally},
    fake::{frame, words},
    plan::plain,
};
use crate::support::is_alone;

const LONG: Duration = Duration::from_secs(10);

/// What the first connection has in store for its first `GET`.
#[derive(Clone, Copy)]
enum Attack {
    /// Bytes, and then silence.
    Bytes(&'static [u8]),
    /// Bytes one by one.
    Single(&'static [u8]),
    /// Bytes, and then the end of the connection.
    Cut(&'static [u8]),
    /// Bytes, and then a letter until nobody reads any more.
    Endless(&'static [u8]),
    /// Replies from the beginning, before any request.
    Flood,
}

/// Starts a server whose first connection attacks and whose others reply well; gives a client of it.
async fn client_of(protocol: Protocol, attack: Attack) -> WireConnector {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("redis://{}", listener.local_addr().unwrap()).parse().unwrap();
    let attacking = Arc::new(AtomicBool::new(true));
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let attacking = Arc::clone(&attacking);
            thread::spawn(move || converse(&stream, attack, &attacking));
        }
    });
    at(url, protocol).await.wire_connector(0)
}

fn converse(stream: &TcpStream, attack: Attack, attacking: &AtomicBool) -> Option<()> {
    stream.set_nodelay(true).unwrap();
    let (mut commands, mut out) = (BufReader::new(stream), stream);
    loop {
        let mut raw = Vec::new();
        frame(&mut commands, &mut raw)?;
        let command = words(&raw);
        let reply = match command[0].as_str() {
            "GET" if attacking.swap(false, Ordering::Relaxed) => {
                match attack {
                    Attack::Bytes(bytes) => out.write_all(bytes).ok()?,
                    Attack::Single(bytes) => {
                        for byte in bytes {
                            out.write_all(&[*byte]).ok()?;
                            thread::sleep(Duration::from_millis(1));
                        }
                    }
                    Attack::Cut(bytes) => {
                        out.write_all(bytes).ok()?;
                        return None;
                    }
                    Attack::Endless(bytes) => {
                        out.write_all(bytes).ok()?;
                        loop {
                            out.write_all(&[b'x'; 16_384]).ok()?;
                        }
                    }
                    Attack::Flood => unreachable!("it began before"),
                }
                continue;
            }
            "GET" => &b"$1\r\nx\r\n"[..],
            "PING" => b"+PONG\r\n",
            _ => b"+OK\r\n",
        };
        out.write_all(reply).ok()?;
        if command[0] == "CLIENT" && matches!(attack, Attack::Flood) && attacking.swap(false, Ordering::Relaxed) {
            // The client is logged in.
            thread::sleep(Duration::from_millis(50));
            loop {
                out.write_all(&b"+OK\r\n".repeat(1_000)).ok()?;
            }
        }
    }
}

fn get() -> Request {
    plain(Kind::Get, "key")
}

/// Waits until `number` connections were lost and came back.
async fn losses(driver: &WireConnector, number: u64) {
    let counted = async {
        while driver.losses().so_far() != (number, number) {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(LONG, counted).await.unwrap_or_else(|_| panic!("{:?}", driver.losses().so_far()));
}

#[test]
fn a_violation_of_the_protocol_fails_its_request_and_renews_the_connection() {
    use Attack::{Bytes, Cut, Endless};
    locally(async {
        for (attack, class, message) in [
            (Bytes(b"HTTP/1.1 400 Bad Request\r\n\r\n"), ErrorClass::Protocol, "a reply is of an unknown type"),
            // RESP3, which was not asked for.
            (Bytes(b"%1\r\n+a\r\n+b\r\n"), ErrorClass::Protocol, "a reply is of an unknown type"),
            (Bytes(b"\0\xff\xfe\r\n"), ErrorClass::Protocol, "a reply is of an unknown type"),
            (Bytes(b":12x\r\n"), ErrorClass::Protocol, "a number is none"),
            (Bytes(b"$9223372036854775808\r\n"), ErrorClass::Protocol, "a number is none"),
            (Bytes(b"$-2\r\n"), ErrorClass::Protocol, "a length is negative"),
            (Bytes(b"*-7\r\n"), ErrorClass::Protocol, "a length is negative"),
            (Bytes(b"$2\r\nabc\r\n"), ErrorClass::Protocol, "a bulk string is longer than its length"),
            (Bytes(b"+OK\n"), ErrorClass::Protocol, "a line ends without a carriage return"),
            (Endless(b"+"), ErrorClass::Protocol, "a line has no end"),
            (Cut(b"$10\r\nhalf"), ErrorClass::ConnectionLost, "Connection closed"),
            (Cut(b"*2\r\n$1\r\nx\r\n"), ErrorClass::ConnectionLost, "Connection closed"),
            (Cut(b""), ErrorClass::ConnectionLost, "Connection closed"),
        ] {
            fails(Protocol::Resp2, attack, class, message).await;
            if !matches!(attack, Bytes(bytes) if bytes.starts_with(b"%")) {
                fails(Protocol::Resp3, attack, class, message).await;
            }
        }
        for (bytes, message) in [
            (&b"$?\r\n;4\r\nHell\r\n;0\r\n"[..], "a reply is of unknown length"),
            (b"*?\r\n:1\r\n.\r\n", "a reply is of unknown length"),
            (b"%-1\r\n", "a length is negative"),
            (b"#yes\r\n", "a boolean is neither t nor f"),
            (b",1,5\r\n", "a number is none"),
            (b"_ \r\n", "a null has a value"),
            (b"=2\r\nab\r\n", "a verbatim string has no format"),
            (b"!9999999\r\n", "an error is too long"),
            (b"*1\r\n>1\r\n+x\r\n", "a push message is within a reply"),
        ] {
            fails(Protocol::Resp3, Bytes(bytes), ErrorClass::Protocol, message).await;
        }
    });
}

/// Fails unless an attack fails its request and costs one connection.
async fn fails(protocol: Protocol, attack: Attack, class: ErrorClass, message: &str) {
    let driver = client_of(protocol, attack).await;
    let connection = driver.open().await.unwrap();
    let answer = timeout(LONG, connection.issue(get())).await.unwrap();
    let failure = answer.result.unwrap_err();
    assert_eq!((failure.class, failure.message.as_str()), (class, message));
    timeout(LONG, connection.recover()).await.unwrap();
    assert_eq!(done(&connection, get()).await.hits, 1, "{message}");
    losses(&driver, 1).await;
}

#[test]
fn push_messages_and_attributes_answer_nothing() {
    locally(async {
        let stream = b">2\r\n+a\r\n*1\r\n_\r\n|1\r\n+ttl\r\n-ERR hidden\r\n$3\r\nabc\r\n>1\r\n:1\r\n";
        for attack in [Attack::Bytes(stream), Attack::Single(stream)] {
            let driver = client_of(Protocol::Resp3, attack).await;
            let connection = driver.open().await.unwrap();
            let reply = timeout(LONG, connection.issue(get())).await.unwrap().result.unwrap();
            assert_eq!((reply.hits, reply.bytes), (1, 3));
            assert_eq!(done(&connection, get()).await.bytes, 1);
            assert_eq!(driver.losses().so_far(), (0, 0));
        }
    });
}

#[test]
fn bytes_that_nothing_asked_for_renew_the_connection() {
    locally(async {
        let behind = client_of(Protocol::Resp2, Attack::Bytes(b"$1\r\nx\r\n+OK\r\n")).await;
        let connection = behind.open().await.unwrap();
        assert_eq!(done(&connection, get()).await.hits, 1);
        losses(&behind, 1).await;
        assert_eq!(done(&connection, get()).await.hits, 1);

        let flood = client_of(Protocol::Resp3, Attack::Flood).await;
        let connection = flood.open().await.unwrap();
        losses(&flood, 1).await;
        assert_eq!(done(&connection, get()).await.hits, 1);
    });
}

#[test]
fn a_reply_that_comes_in_single_bytes_is_whole() {
    locally(async {
        let driver = client_of(Protocol::Resp2, Attack::Single(b"*3\r\n$5\r\nhello\r\n$-1\r\n:7\r\n")).await;
        let connection = driver.open().await.unwrap();
        let reply = timeout(LONG, connection.issue(get())).await.unwrap();
        assert_eq!(reply.result.unwrap().bytes, 6);
        assert_eq!(driver.losses().so_far(), (0, 0));
    });
}

/// The highest memory of this process so far, in KiB; none where the kernel does not count it so.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().split(' ').next()?.parse().ok())
}

/// The end of a reply that has none is the time limit of the request; what came of it takes no memory.
#[test]
fn a_reply_without_an_end_is_given_up() {
    if !is_alone("target::hostile::a_reply_without_an_end_is_given_up", "true") {
        return;
    }
    locally(async {
        let before = peak();
        for attack in [
            Attack::Endless(b"$9223372036854775807\r\n"),
            Attack::Endless(b"*9223372036854775807\r\n$4611686018427387904\r\n"),
            Attack::Endless(b">9223372036854775807\r\n|1\r\n$4611686018427387904\r\n"),
            Attack::Bytes(b"*9223372036854775807\r\n"),
        ] {
            let driver = client_of(Protocol::Resp3, attack).await;
            let connection = driver.open().await.unwrap();
            assert!(timeout(Duration::from_millis(200), connection.issue(get())).await.is_err());
            timeout(LONG, connection.recover()).await.unwrap();
            assert_eq!(done(&connection, get()).await.hits, 1);
            assert_eq!(driver.losses().so_far(), (0, 0), "the harness renewed it");
        }
        if let (Some(before), Some(after)) = (before, peak()) {
            // More than a gigabyte has come.
            assert!(after < before + 16_384, "{before} KiB before, {after} KiB after");
        }
    });
}
