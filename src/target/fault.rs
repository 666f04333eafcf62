//! Faults of a connection to a server, from the name of its host to the login: one sentence each, with a remedy.

use std::time::Duration;

use thiserror::Error;

use super::ports::LocalPorts;

/// Reason why a server cannot be connected to. No message contains a password.
#[derive(Debug, Error)]
#[expect(missing_docs, reason = "each message says what its variant and its fields mean")]
pub enum Fault {
    #[error(
        "the user `{user}` needs a password: add password = {{ env = \"...\" }} to the scenario's service, or user and \
         password to the target, redis://{user}:password@host"
    )]
    PasswordMissing { user: String },
    #[error("unknown host: check the name in --target, and the name resolution of this machine")]
    UnknownHost,
    #[error("connection refused: check whether a server listens there")]
    Refused,
    #[error("no answer within {0:?}: is it the right port, and is the server not stopped or overloaded?")]
    Silent(Duration),
    #[error("cannot connect: {0}")]
    Unreachable(String),
    #[error(
        "no free local port for another connection: {used} of the {} ports {}-{} (net.ipv4.ip_local_port_range) are in \
         use for this server, {closed} of them by closed connections in TIME_WAIT: wait a minute, use smaller pools, or widen \
         the range (sysctl -w net.ipv4.ip_local_port_range=\"1024 65535\")",
        ports.count(), ports.first, ports.last
    )]
    NoLocalPort { ports: LocalPorts, used: u64, closed: u64 },
    #[error(
        "no CA certificates to verify the server's certificate with: {0}; give a file of CA certificates (PEM) with --tls-ca or \
         SSL_CERT_FILE"
    )]
    Authorities(String),
    #[error("TLS: {0}")]
    TlsSettings(String),
    #[error("the server's certificate {0}")]
    Certificate(String),
    #[error("TLS handshake failed: {0}")]
    Handshake(&'static str),
    #[error("the server does not use TLS on this port: use redis:// instead of rediss://, or its TLS port")]
    NoTls,
    #[error("the server uses TLS on this port: use rediss:// instead of redis://, or its port without TLS")]
    WantsTls,
    #[error("the server closed the connection at once: is its maxclients reached, or is it shutting down?")]
    HungUp,
    #[error("unexpected reply to {0}")]
    UnexpectedReply(&'static str),
    #[error("not a Redis or Valkey server: check host and port")]
    NotAServer,
    #[error(
        "INFO of the server holds bytes that are not UTF-8, as in the path of its program or configuration file, \
         and the client library (fred) cannot read them: start the server from paths in UTF-8, or log in as a user without \
         the right to INFO (ACL SETUSER user -info)"
    )]
    UnreadableInfo,
    #[error("wrong password for the user `{user}`, or no such user")]
    WrongPassword { user: String },
    #[error("the server has no ACL users (Redis before version 6): omit the user, redis://:password@host")]
    NoUsers,
    #[error("the server has no password for its default user: remove the password from the target")]
    NoPassword,
    #[error(
        "the server is in protected mode and accepts connections from its own machine only: set a password on it \
         (requirepass or ACL SETUSER), or protected-mode no"
    )]
    ProtectedMode,
    #[error("the server's maxclients is reached: raise it, or close other connections")]
    MaxClients,
    #[error(
        "the server requires a login: use the target redis://user:password@..., or username and password in the \
         scenario's service"
    )]
    LoginRequired,
    #[error("the server is still loading its data set: try again when it has finished")]
    Loading,
    #[error("the server has no database {0}: choose another one, or raise its `databases` setting")]
    NoDatabase(u8),
    #[error(
        "the server does not speak RESP3 (no HELLO, as in Redis before version 6 and in some proxies): use RESP2 \
         (--protocol 2, or protocol = 2 in the scenario's service)"
    )]
    NoResp3,
    #[error(
        "the user `{user}` may not send HELLO, with which RESP3 begins: permit it (ACL SETUSER {user} +hello), or use RESP2 \
         (--protocol 2, or protocol = 2 in the scenario's service)"
    )]
    NoHello { user: String },
    #[error("the server refuses: {0}")]
    ServerRefuses(String),
}

impl Fault {
    /// Whether nobody was met at the address who could have refused.
    pub(super) fn is_unreachable(&self) -> bool {
        matches!(self, Self::UnknownHost | Self::Refused | Self::Silent(_) | Self::Unreachable(_))
    }
}
