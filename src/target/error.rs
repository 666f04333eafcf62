//! Errors between the harness and a server: one sentence each, with a remedy.

use std::{io, path::PathBuf, time::Duration};

use thiserror::Error;

use super::{
    phrases::{by_word, last_words, lines, named, right},
    ports::LocalPorts,
};

/// Hint for commands that start a server: a fragment of a sentence.
pub const INSTALL: &str = "install one (apt install redis-server, dnf install valkey, apk add valkey, pacman -S valkey, \
                           brew install valkey)";

/// Reason why a server cannot be used. No message contains a password.
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
        /// Fault.
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
        /// Reason.
        source: io::Error,
    },
    /// A user without a password who needs one.
    #[error(
        "{address}: the user `{user}` needs a password: add password = {{ env = \"...\" }} to the scenario's service, or put \
         user and password into the target, redis://{user}:password@host"
    )]
    PasswordMissing {
        /// Address.
        address: String,
        /// User.
        user: String,
    },
    /// The reference of the machine cannot be measured.
    #[error("the machine's reference could not be measured: {reason}")]
    Reference {
        /// Reason.
        reason: String,
    },
    /// The operating system gives no random numbers.
    #[error("no random numbers for passwords: {0}")]
    Randomness(String),

    /// No server program.
    #[error(
        "no redis-server or valkey-server on PATH: {INSTALL}, name it with --server-bin, or give a running server with \
         --target redis://host:port"
    )]
    NoServerProgram,
    /// The server program does not start.
    #[error("cannot start {}: {source}; --server-bin names a redis-server or valkey-server", binary.display())]
    ServerProgram {
        /// Program.
        binary: PathBuf,
        /// Reason.
        source: io::Error,
    },
    /// No place for the private server's files.
    #[error("no folder or port for the private server: {0}; TMPDIR names another place")]
    ServerPlace(#[source] io::Error),
    /// The private server ended or never answered.
    #[error("the private server {} {what}{}", binary.display(), last_words(log))]
    ServerFailed {
        /// Program.
        binary: PathBuf,
        /// Cause.
        what: String,
        /// Last lines of its log.
        log: String,
    },

    /// A failure that concerns some services.
    #[error("{}: {source}", named(services))]
    Services {
        /// Their names.
        services: Vec<String>,
        /// Cause.
        source: Box<TargetError>,
    },
    /// Several failures.
    #[error("{}", lines(.0))]
    Several(Vec<TargetError>),
    /// The host's name leads nowhere.
    #[error("{address}: unknown host: check the name in --target, and the name resolution of this machine")]
    UnknownHost {
        /// Address.
        address: String,
    },
    /// Connection refused.
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
    /// All local ports are in use.
    #[error(
        "{address}: no free local port for another connection: {used} of the {} ports {}-{} (net.ipv4.ip_local_port_range) are in \
         use for this server, {closed} of them by closed connections in TIME_WAIT: wait a minute, use smaller pools, or widen \
         the range (sysctl -w net.ipv4.ip_local_port_range=\"1024 65535\")",
        ports.count(), ports.first, ports.last
    )]
    NoLocalPort {
        /// Address.
        address: String,
        /// Range of local ports.
        ports: LocalPorts,
        /// Ports in use for connections to the server.
        used: u64,
        /// Number of ports of closed connections.
        closed: u64,
    },
    /// There are fewer local ports than the run needs.
    #[error(
        "the run needs {need} connections to one address, but this machine has {} local ports ({}-{}, \
         net.ipv4.ip_local_port_range): widen the range (sysctl -w net.ipv4.ip_local_port_range=\"1024 65535\"), use smaller \
         pools, or use the server's Unix socket",
        ports.count(), ports.first, ports.last
    )]
    TooFewLocalPorts {
        /// Connections.
        need: u64,
        /// Range of local ports.
        ports: LocalPorts,
    },
    /// There are no CA certificates.
    #[error(
        "{address}: no CA certificates to verify the server's certificate with: {reason}; set SSL_CERT_FILE to a file of CA \
         certificates (PEM)"
    )]
    Authorities {
        /// Address.
        address: String,
        /// Reason.
        reason: String,
    },
    /// The server's certificate is not accepted.
    #[error("{address}: the server's certificate {reason}")]
    Certificate {
        /// Address.
        address: String,
        /// Fault and remedy.
        reason: String,
    },
    /// The TLS handshake failed.
    #[error("{address}: TLS handshake failed: {reason}")]
    Handshake {
        /// Address.
        address: String,
        /// Reason.
        reason: &'static str,
    },
    /// The port is one without TLS.
    #[error("{address}: the server does not use TLS on this port: use redis:// instead of rediss://, or its TLS port")]
    NoTls {
        /// Address.
        address: String,
    },
    /// The port is one with TLS.
    #[error("{address}: the server uses TLS on this port: use rediss:// instead of redis://, or its port without TLS")]
    WantsTls {
        /// Address.
        address: String,
    },
    /// The connection ended before the login was done.
    #[error("{address}: the server closed the connection at once: is its maxclients reached, or is it shutting down?")]
    HungUp {
        /// Address.
        address: String,
    },
    /// Something listens that is no server of ours.
    #[error("{address}: what answers there is no Redis or Valkey server: check host and port")]
    NotAServer {
        /// Address.
        address: String,
    },
    /// INFO has bytes that the client library cannot read.
    #[error(
        "{address}: INFO of the server holds bytes that are not UTF-8, as in the path of its program or configuration file, \
         and the client library (fred) cannot read them: start the server from paths in UTF-8, or log in as a user without \
         the right to INFO (ACL SETUSER user -info)"
    )]
    UnreadableInfo {
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
    /// The server is older than ACL users.
    #[error(
        "{address}: the server has no ACL users (Redis before version 6): leave out the user, redis://:password@host"
    )]
    NoUsers {
        /// Address.
        address: String,
    },
    /// The server has no password.
    #[error("{address}: the server has no password for its default user: leave the password out of the target")]
    NoPassword {
        /// Address.
        address: String,
    },
    /// The server is in protected mode.
    #[error(
        "{address}: the server is in protected mode and accepts connections from its own machine only: set a password on it \
         (requirepass or ACL SETUSER), or protected-mode no"
    )]
    ProtectedMode {
        /// Address.
        address: String,
    },
    /// The server has its maximum of connections.
    #[error("{address}: the server's maxclients is reached: raise it, or close other connections")]
    MaxClients {
        /// Address.
        address: String,
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
    /// A command that the user has no right to.
    #[error(
        "the user `{user}` may not run {command} on `{key}`{purpose} ({message}): ACL SETUSER {user} {} grants it",
        right(command, key, message)
    )]
    Permission {
        /// User.
        user: String,
        /// Command.
        command: String,
        /// An example of the keys, or the channel.
        key: String,
        /// Purpose, where the command is not in the mix.
        purpose: &'static str,
        /// The server's words.
        message: String,
    },
    /// A command that the server does not have.
    #[error("the server does not know {command}: load the module that has it, or take it out of the mix")]
    UnknownCommand {
        /// Command.
        command: String,
    },
    /// A command that the server accepts from no user, or not in this form.
    #[error("the server refuses {command}: {message}")]
    CommandRefused {
        /// Command.
        command: String,
        /// The server's words.
        message: String,
    },
    /// A cluster of which the server has but a part.
    #[error(
        "the server is a node of a cluster and does not serve every key ({}): clusters of several nodes are not supported \
         yet; give a server without cluster mode, or a single node that serves all slots",
        by_word(message)
    )]
    Cluster {
        /// The server's words.
        message: String,
    },
    /// The server takes fewer connections than the pools have.
    #[error(
        "the pools and the harness itself need {need} connections, but the server takes {limit} and {taken} are in use: raise its maxclients (and \
         its limit of file descriptors), or give the services smaller pools"
    )]
    TooFewClients {
        /// Connections of all pools and of the harness itself.
        need: u64,
        /// Connections of others.
        taken: u64,
        /// The server's limit.
        limit: u64,
    },
    /// This process may not open as many files as it needs connections.
    #[error(
        "the run needs {need} file descriptors, but the hard limit of this process is {limit}: raise it (ulimit -Hn {need} \
         as root, LimitNOFILE={need} in a systemd unit, --ulimit nofile={need} for a container), or make the pools smaller"
    )]
    FileDescriptors {
        /// Descriptors.
        need: u64,
        /// Hard limit.
        limit: u64,
    },

    /// Another run works under the prefix, or has ended without removing its keys.
    #[error(
        "service `{service}`: the keys under `{prefix}` belong to another run ({by}): wait until it has ended, or choose \
         another prefix with --set service.{service}.keys.prefix=...; if it was ended by force, `plimsoll clean` with the \
         same scenario and target removes its keys"
    )]
    Claimed {
        /// Service.
        service: String,
        /// Prefix.
        prefix: String,
        /// Description of the other run, from its claim.
        by: String,
    },
    /// Keys that the data would overwrite.
    #[error(
        "service `{service}`: keys that the run would overwrite exist already, such as `{key}`: choose another prefix with \
         --set service.{service}.keys.prefix=..., measure with them by --set run.prefill=false, or remove them by \
         `plimsoll clean` with the same scenario and target"
    )]
    KeysExist {
        /// Service.
        service: String,
        /// Name of one of the keys.
        key: String,
    },
    /// A key of another client.
    #[error(
        "service `{service}`: the key `{key}` exists already and holds data of another type: choose another prefix with \
         --set service.{service}.keys.prefix=..., or remove the key"
    )]
    OtherType {
        /// Service.
        service: String,
        /// Key.
        key: String,
    },
    /// The prefill does not fit.
    #[error(
        "service `{service}`: the data does not fit into the server's memory ({message}): {}give the service fewer keys or \
         smaller values, or the server more memory{}",
        if *volatile { "its maxmemory-policy evicts only keys with an expiry, and prefilled keys have none; " } else { "" },
        if *volatile { " or an allkeys policy" } else { "" }
    )]
    DataTooLarge {
        /// Service.
        service: String,
        /// Whether the server evicts keys with an expiry only.
        volatile: bool,
        /// The server's words.
        message: String,
    },
    /// The connection broke under a command of the prefill.
    #[error(
        "service `{service}`: the connection broke on the prefill's {command} of `{key}` ({message}): is the server up, and is \
         a value larger than its proto-max-bulk-len, or a command than its client-query-buffer-limit?"
    )]
    PrefillCut {
        /// Service.
        service: String,
        /// Command.
        command: &'static str,
        /// Key.
        key: String,
        /// Cause.
        message: String,
    },
    /// Any other failure of the prefill.
    #[error("service `{service}`: the prefill's {command} of `{key}` failed: {message}")]
    Prefill {
        /// Service.
        service: String,
        /// Command.
        command: &'static str,
        /// Key.
        key: String,
        /// Cause.
        message: String,
    },
    /// The keys could not be removed.
    #[error("service `{service}`: its keys are still there, they could not be removed: {message}")]
    Cleanup {
        /// Service.
        service: String,
        /// Cause.
        message: String,
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
