//! fred's errors in the terms of the harness.

use std::time::Duration;

use fred::error::{Error, ErrorKind};

use super::{Endpoint, Fault, ports, tls};
use crate::measure::{ErrorClass, Failure};

/// fred's messages, under [`ErrorKind::Unknown`], for commands without a connection.
const LOST: [&str; 6] = [
    "Too many failed write attempts",
    "Failed to route command",
    "Failed to send command to router",
    "Client is not initialized",
    "Missing expected connection",
    "channel closed",
];

/// fred's messages when the server closes the connection during a login; the last one stands for no reply
/// at all.
const HUNG_UP: [&str; 6] =
    ["UnexpectedEof", "ConnectionReset", "BrokenPipe", "Connection closed", "closed immediately", "Expected string."];

/// The failure of a request on a connection that is known to be lost.
pub(super) fn lost() -> Failure {
    Failure { class: ErrorClass::ConnectionLost, message: "the connection is lost".to_owned() }
}

/// The failure of a request that was issued.
pub(super) fn of_request(error: &Error) -> Failure {
    let details = error.details();
    let class = match error.kind() {
        ErrorKind::Timeout => ErrorClass::Timeout,
        // It sends a request that is answered with ASK to the same node again.
        ErrorKind::Routing if details.starts_with("Too many redirections") => ErrorClass::Ask,
        // Its words for these are about its own parts.
        ErrorKind::Canceled | ErrorKind::Routing | ErrorKind::Backpressure => return lost(),
        ErrorKind::Unknown if LOST.iter().any(|message| details.starts_with(message)) => return lost(),
        ErrorKind::IO | ErrorKind::Tls => ErrorClass::ConnectionLost,
        ErrorKind::Protocol | ErrorKind::Parse | ErrorKind::NotFound => ErrorClass::Protocol,
        _ => ErrorClass::of_reply(details),
    };
    Failure { class, message: plain(details).to_owned() }
}

/// Whether an error begins with a word by which a node says that a key is not its own.
pub(super) fn is_of_cluster(message: &str) -> bool {
    matches!(message.split(' ').next(), Some("MOVED" | "ASK" | "CLUSTERDOWN" | "TRYAGAIN"))
}

/// Message of an error of the operating system, which fred passes on in its debug form, such as
/// `Os { code: 104, kind: ConnectionReset, message: "Connection reset by peer" }`.
fn plain(details: &str) -> &str {
    // The message of rustls for a missing close_notify is long and refers to its documentation.
    if details.contains("kind: UnexpectedEof") {
        return "Connection closed";
    }
    ["message: \"", "error: \""]
        .iter()
        .find_map(|opening| details.split_once(opening)?.1.split_once("\" }"))
        .map_or(details, |(message, _)| message)
}

/// The first sentence of an error message of a server; some have a dozen.
fn first_sentence(message: &str) -> &str {
    let line = message.lines().next().unwrap_or_default();
    line.split_once(". ").map_or(line, |(sentence, _)| sentence).trim_end_matches('.')
}

/// Reason of a failed connection.
pub(super) fn of_opening(error: &Error, endpoint: &Endpoint, user: &str, database: u8, limit: Duration) -> Fault {
    let details = error.details();
    let word = details.split([' ', ':']).next().unwrap_or_default();
    match (error.kind(), word) {
        (_, "WRONGPASS") => Fault::WrongPassword { user: user.to_owned() },
        // Before version 6 there was but one password.
        (_, "ERR") if details.contains("invalid password") => Fault::WrongPassword { user: user.to_owned() },
        (_, "ERR") if details.contains("wrong number of arguments for 'auth'") => Fault::NoUsers,
        (_, "ERR") if details.contains("without any password configured") || details.contains("no password is set") => {
            Fault::NoPassword
        }
        (_, "NOPROTO") => Fault::NoResp3,
        (_, "ERR") if names_hello(details) => Fault::NoResp3,
        (_, "NOPERM") if names_hello(details) => Fault::NoHello { user: user.to_owned() },
        (_, "DENIED") => Fault::ProtectedMode,
        (_, "ERR") if details.contains("max number of clients") => Fault::MaxClients,
        (_, "NOAUTH") => Fault::LoginRequired,
        (_, "LOADING") => Fault::Loading,
        (_, "ERR") if details.contains("DB index") => Fault::NoDatabase(database),
        (ErrorKind::Timeout, _) => Fault::Silent(limit),
        (ErrorKind::IO, _) if details.contains("ConnectionRefused") => Fault::Refused,
        (ErrorKind::IO, _) if details.contains("failed to lookup address") => Fault::UnknownHost,
        (ErrorKind::IO, _) if details.contains("AddrNotAvailable") => no_local_address(endpoint),
        _ if details.contains("InvalidCertificate") => Fault::Certificate(tls::complaint(details)),
        _ if details.contains("InvalidMessage(") => Fault::NoTls,
        (ErrorKind::Routing | ErrorKind::Backpressure, _) => Fault::HungUp,
        _ if LOST.iter().any(|message| details.starts_with(message)) => Fault::HungUp,
        _ if HUNG_UP.iter().any(|message| details.contains(message)) => Fault::HungUp,
        (ErrorKind::IO | ErrorKind::Canceled | ErrorKind::Tls, _) => match tls::failed(details) {
            Some(reason) => Fault::Handshake(reason),
            None => Fault::Unreachable(plain(details).to_owned()),
        },
        // The client library asks every new connection for INFO, and reads nothing but UTF-8.
        _ if details.contains("Invalid UTF-8") => Fault::UnreadableInfo,
        (ErrorKind::Protocol | ErrorKind::Parse, _) => Fault::NotAServer,
        _ => Fault::ServerRefuses(first_sentence(details).to_owned()),
    }
}

/// Whether an error quotes the command `HELLO`, as those do that do not know it or do not permit it.
fn names_hello(message: &str) -> bool {
    ["'hello'", "`hello`"].iter().any(|quoted| message.to_lowercase().contains(quoted))
}

/// The reason for which there is no local address for a connection to an endpoint.
fn no_local_address(endpoint: &Endpoint) -> Fault {
    let exhausted = match endpoint {
        Endpoint::Tcp { port, .. } => ports::exhausted(*port),
        Endpoint::Unix { .. } => None,
    };
    exhausted.map_or_else(
        || Fault::Unreachable("this machine has no source address for it (is IPv6 disabled?)".to_owned()),
        |(ports, used, closed)| Fault::NoLocalPort { ports, used, closed },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::Scheme;

    const DENIED: &str = "DENIED Redis is running in protected mode because protected mode is enabled and no password is \
                          set for the default user. In this mode connections are only accepted from the loopback \
                          interface. If you want to connect from external computers to Redis you may adopt one of the \
                          following solutions: 1) Just disable protected mode sending the command 'CONFIG SET \
                          protected-mode no' from the loopback interface by connecting to Redis from the same host.";

    #[test]
    fn classifies_requests() {
        for (kind, details, class) in [
            (ErrorKind::IO, "Connection closed.", ErrorClass::ConnectionLost),
            (ErrorKind::InvalidArgument, "WRONGTYPE Operation against", ErrorClass::Wrongtype),
            (ErrorKind::Unknown, "OOM command not allowed", ErrorClass::Oom),
            (ErrorKind::Unknown, "NOPERM User x has no permissions", ErrorClass::Noperm),
            (ErrorKind::Auth, "NOAUTH Authentication required.", ErrorClass::Noauth),
            (ErrorKind::Cluster, "MOVED 1 host:1", ErrorClass::Moved),
            (ErrorKind::Routing, "Too many redirections.", ErrorClass::Ask),
            (ErrorKind::Protocol, "Expected string.", ErrorClass::Protocol),
            (ErrorKind::Unknown, "my own error of a script", ErrorClass::Other),
        ] {
            let failure = of_request(&Error::new(kind, details));
            assert_eq!((failure.class, failure.message.as_str()), (class, details));
        }
        for (kind, details) in [
            (ErrorKind::Canceled, "Canceled."),
            (ErrorKind::Unknown, "Too many failed write attempts."),
            (ErrorKind::Unknown, "Failed to route command."),
            (ErrorKind::Unknown, "channel closed"),
        ] {
            assert_eq!(of_request(&Error::new(kind, details)), lost(), "{details}");
        }
    }

    #[test]
    fn a_connection_closed_without_close_notify_has_a_short_message() {
        let details = r#"Custom { kind: UnexpectedEof, error: "peer closed connection without sending TLS close_notify: https://x" }"#;
        let failure = of_request(&Error::new(ErrorKind::IO, details));
        assert_eq!((failure.class, failure.message.as_str()), (ErrorClass::ConnectionLost, "Connection closed"));
    }

    #[test]
    fn explains_openings() {
        let explained = |kind, details| {
            let error = Error::new(kind, details);
            let endpoint = Endpoint::Tcp { host: "host".to_owned(), port: 1, scheme: Scheme::REDIS };
            of_opening(&error, &endpoint, "me", 9, Duration::from_secs(5)).to_string()
        };
        for (kind, details, expected) in [
            (ErrorKind::Auth, "WRONGPASS invalid username-password pair", "wrong password for the user `me`"),
            (ErrorKind::Unknown, "ERR invalid password", "wrong password"),
            (ErrorKind::Auth, "NOAUTH Authentication required.", "requires a login"),
            (ErrorKind::Unknown, "LOADING Redis is loading the dataset in memory", "still loading"),
            (ErrorKind::Unknown, "ERR DB index is out of range", "no database 9"),
            (ErrorKind::Unknown, "ERR max number of clients reached", "maxclients is reached"),
            (ErrorKind::Unknown, "ERR wrong number of arguments for 'auth' command", "no ACL users"),
            (
                ErrorKind::Unknown,
                "ERR AUTH <password> called without any password configured for the default user. Are you sure?",
                "remove the password",
            ),
            (ErrorKind::Unknown, "ERR Client sent AUTH, but no password is set", "remove the password"),
            (ErrorKind::Unknown, DENIED, "is in protected mode"),
            (
                ErrorKind::Unknown,
                "ERR unknown command `HELLO`, with args beginning with: `3`, `AUTH`, `me`, `secret`, ",
                "does not speak RESP3",
            ),
            (ErrorKind::Unknown, "NOPROTO unsupported protocol version", "does not speak RESP3"),
            (
                ErrorKind::Auth,
                "NOPERM this user has no permissions to run the 'hello' command",
                "`me` may not send HELLO",
            ),
            (ErrorKind::Unknown, "MISCONF It cannot save. Commands are disabled. Look at the log.", "It cannot save"),
            (
                ErrorKind::IO,
                r#"Custom { kind: UnexpectedEof, error: "tls handshake eof" }"#,
                "closed the connection at once",
            ),
            (
                ErrorKind::IO,
                "Custom { kind: InvalidData, error: AlertReceived(CertificateRequired) }",
                "requires a client certificate",
            ),
            (
                ErrorKind::IO,
                "Custom { kind: InvalidData, error: InvalidMessage(InvalidContentType) }",
                "does not use TLS",
            ),
            (ErrorKind::Timeout, "Request timed out.", "no answer within 5s"),
            (ErrorKind::Protocol, "Expected string.", "closed the connection at once"),
            (ErrorKind::Unknown, "Failed to route command.", "closed the connection at once"),
            (ErrorKind::Routing, "x", "closed the connection at once"),
            (ErrorKind::Protocol, "Decode Error: unexpected prefix", "not a Redis or Valkey server"),
            (ErrorKind::IO, r#"Os { code: 111, kind: ConnectionRefused, message: "x" }"#, "connection refused"),
            (ErrorKind::IO, r#"Os { code: 104, kind: ConnectionReset, message: "x" }"#, "maxclients"),
            (ErrorKind::IO, r#"Os { code: 113, kind: HostUnreachable, message: "No route" }"#, "connect: No route"),
            (
                ErrorKind::IO,
                "Custom { kind: InvalidData, error: InvalidCertificate(UnknownIssuer) }",
                "certificate is not signed by a CA",
            ),
            (
                ErrorKind::IO,
                r#"Custom { kind: Uncategorized, error: "failed to lookup address information: Name" }"#,
                "unknown host",
            ),
        ] {
            let text = explained(kind, details);
            assert!(text.contains(expected), "{text}");
            assert!(text.len() < 300 && !text.contains(['{', '\n']) && !text.contains("secret"), "{text}");
        }
    }

    #[test]
    fn a_missing_source_address_alone_is_no_exhaustion() {
        let endpoint = Endpoint::Tcp { host: "[::1]".to_owned(), port: 1, scheme: Scheme::REDIS };
        assert!(no_local_address(&endpoint).to_string().contains("is IPv6 disabled?"));
    }
}
