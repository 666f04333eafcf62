//! What can go wrong between the harness and a server: one sentence each, with what to do.

use std::{fmt::Write, io, path::PathBuf, time::Duration};

use thiserror::Error;

/// Why a server cannot be used. No message holds a password.
#[derive(Debug, Error)]
pub enum TargetError {
    /// Not an address.
    #[error(
        "`{text}` is no target: {reason}; write redis://user:password@host:port/db, rediss://... for TLS, or \
         unix:///path?db=n"
    )]
    Address {
        /// The text, any login left out.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The variable that should hold a password does not exist.
    #[error("service `{service}`: no password in the environment variable {variable}: set it before the run")]
    PasswordVariable {
        /// Service.
        service: String,
        /// Variable.
        variable: String,
    },
    /// The file that should hold a password cannot be read.
    #[error("service `{service}`: no password in {}: {source}", path.display())]
    PasswordFile {
        /// Service.
        service: String,
        /// File.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A user without a password.
    #[error(
        "service `{service}`: no password for the user `{username}`: add password = {{ env = \"...\" }} to the service, \
         or put user and password into the target: redis://{username}:...@host"
    )]
    PasswordMissing {
        /// Service.
        service: String,
        /// User.
        username: String,
    },
    /// The operating system gives no random numbers.
    #[error("no random numbers for passwords: {0}")]
    Randomness(String),

    /// No server program.
    #[error(
        "no redis-server or valkey-server on PATH: install one (apt install redis-server, dnf install valkey, \
         apk add valkey, pacman -S valkey, brew install valkey), name it with --server-bin, or give a running server \
         with --target redis://host:port"
    )]
    NoServerProgram,
    /// The server program does not start.
    #[error("cannot start {}: {source}; --server-bin names a redis-server or valkey-server", binary.display())]
    ServerProgram {
        /// Program.
        binary: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// No place for the private server's files.
    #[error("no folder or port for the private server: {0}; TMPDIR names another place")]
    ServerPlace(#[source] io::Error),
    /// The private server ended or never answered.
    #[error("the private server {} {what}{}", binary.display(), indented(log))]
    ServerFailed {
        /// Program.
        binary: PathBuf,
        /// What happened.
        what: String,
        /// Last lines of its log.
        log: String,
    },

    /// A failure that concerns one service.
    #[error("service `{service}`: {source}")]
    Service {
        /// Service.
        service: String,
        /// What happened.
        source: Box<TargetError>,
    },
    /// Several failures.
    #[error("{}", lines(.0))]
    Several(Vec<TargetError>),
    /// The host's name leads nowhere.
    #[error("{address}: unknown host: check the name in --target")]
    UnknownHost {
        /// Address.
        address: String,
    },
    /// Nobody listens.
    #[error("{address}: connection refused: is a server listening there?")]
    Refused {
        /// Address.
        address: String,
    },
    /// No answer in time.
    #[error(
        "{address}: no answer within {limit:?}: is it the right port, and is the server not stopped or overloaded?"
    )]
    Silent {
        /// Address.
        address: String,
        /// Time that it had.
        limit: Duration,
    },
    /// Any other failure of the connection.
    #[error("{address}: cannot connect: {reason}")]
    Unreachable {
        /// Address.
        address: String,
        /// Message of the operating system or the client library.
        reason: String,
    },
    /// Something listens that is no server of ours.
    #[error(
        "{address}: what answers there is no Redis or Valkey server: check the port, and rediss:// against redis://"
    )]
    NotAServer {
        /// Address.
        address: String,
    },
    /// Wrong password.
    #[error("{address}: wrong password for the user `{user}`, or no such user")]
    WrongPassword {
        /// Address.
        address: String,
        /// User.
        user: String,
    },
    /// No login given where one is needed.
    #[error(
        "{address}: the server wants a login: give redis://user:password@... as target, or username and password in the \
         scenario's service"
    )]
    LoginRequired {
        /// Address.
        address: String,
    },
    /// The server reads its data set.
    #[error("{address}: the server is still loading its data set: try again when it has finished")]
    Loading {
        /// Address.
        address: String,
    },
    /// No such database.
    #[error("{address}: the server has no database {database}: choose another one, or raise its `databases` setting")]
    NoDatabase {
        /// Address.
        address: String,
        /// Number.
        database: u8,
    },
    /// Any other refusal.
    #[error("{address}: the server refuses: {message}")]
    ServerRefuses {
        /// Address.
        address: String,
        /// Its message.
        message: String,
    },
}

fn indented(log: &str) -> String {
    log.lines().fold(String::new(), |mut text, line| {
        write!(text, "\n    {line}").expect("a string takes every write");
        text
    })
}

fn lines(errors: &[TargetError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
