//! Errors between the harness and a server: one sentence each, with a remedy.

use std::{io, path::PathBuf, time::Duration};

use thiserror::Error;

use super::{
    Fault,
    phrases::{by_word, last_words, named, on, right},
    ports::LocalPorts,
};

/// Hint for commands that start a server: a fragment of a sentence.
pub const INSTALL: &str = "install one (apt install redis-server, dnf install valkey, apk add valkey, pacman -S valkey, \
                           brew install valkey)";

/// Reason why a server cannot be used. No message contains a password.
#[derive(Debug, Error)]
#[expect(missing_docs, reason = "each message says what its variant and its fields mean")]
pub enum TargetError {
    #[error(
        "`{text}` is not a target: {reason}: expected redis://user:password@host:port/db, rediss://... for TLS, \
         redis+cluster://host:port,host:port, redis+sentinel://host:port,host:port/name/db, or unix:///path?db=n"
    )]
    Address { text: String, reason: String },
    #[error("service `{service}`: no password in the environment variable {variable}: set it before the run")]
    PasswordVariable { service: String, variable: String },
    #[error("service `{service}`: no password in {}: {source}", path.display())]
    PasswordFile { service: String, path: PathBuf, source: io::Error },
    #[error("the machine's reference could not be measured: {reason}")]
    Reference { reason: String },
    #[error("no random numbers for passwords: {0}")]
    Randomness(String),
    #[error(
        "no redis-server or valkey-server on PATH: {INSTALL}, name it with --server-bin, or give a running server with \
         --target redis://host:port"
    )]
    NoServerProgram,
    #[error("cannot start {}: {source}; --server-bin names a redis-server or valkey-server", binary.display())]
    ServerProgram { binary: PathBuf, source: io::Error },
    #[error("no folder or port for the private server: {0}: set TMPDIR to another folder")]
    ServerPlace(#[source] io::Error),
    #[error("no certificates for the private server: {0}")]
    Certificates(String),
    #[error("{} is built without TLS: omit --tls, or name a program with TLS with --server-bin", binary.display())]
    ServerWithoutTls { binary: PathBuf },
    #[error("the private server {} {what}{}", binary.display(), last_words(log))]
    ServerFailed { binary: PathBuf, what: String, log: String },
    #[error("{}: {source}", named(services))]
    Services { services: Vec<String>, source: Box<TargetError> },
    #[error("{}", lines(.0))]
    Several(Vec<TargetError>),
    #[error("{address}: {fault}")]
    Connection { address: String, fault: Fault },
    #[error(
        "the run needs {need} connections to one address, but this machine has {} local ports ({}-{}, \
         net.ipv4.ip_local_port_range): widen the range (sysctl -w net.ipv4.ip_local_port_range=\"1024 65535\"), use smaller \
         pools, or use the server's Unix socket",
        ports.count(), ports.first, ports.last
    )]
    TooFewLocalPorts { need: u64, ports: LocalPorts },
    #[error(
        "the user `{user}` may not run {command}{}{purpose} ({message}): ACL SETUSER {user} {} grants it",
        on(key),
        right(command, key, message)
    )]
    Permission {
        user: String,
        command: String,
        /// An example of the keys, or the channel.
        key: String,
        /// Purpose, where the command is not in the mix.
        purpose: &'static str,
        message: String,
    },
    #[error("the server does not know {command}: load its module, or remove it from the mix")]
    UnknownCommand { command: String },
    #[error("the server refuses {command}: {message}")]
    CommandRefused { command: String, message: String },
    #[error(
        "the server is a node of a cluster and does not serve every key ({}): use the target redis+cluster://host:port, which \
         finds the other nodes (with TLS, rediss+cluster://)",
        by_word(message)
    )]
    Cluster { message: String },
    #[error(
        "operation `{operation}`: its keys, or those of its upkeep, are in several hash slots, which a cluster refuses (CROSSSLOT): \
         let keys share hash tags (hash_tag = 10 in the service's keys: ten keys share a slot, also those of a transaction if \
         there are as many keys of each type; prefix = \"{{name}}:\": all keys are on one node), or remove the operation"
    )]
    CrossSlot { operation: String },
    #[error(
        "{address}: the server is not in cluster mode: use redis:// instead of redis+cluster:// (with TLS, rediss://)"
    )]
    NoCluster { address: String },
    #[error(
        "{}: a cluster has database 0 only: set `database = 0` (--set service.{}.database=0)",
        named(services), services[0]
    )]
    ClusterDatabase { services: Vec<String> },
    #[error(
        "{by} names the node {node}, which cannot be reached from here ({fault}): if it is up, have it announce an address that \
         this machine reaches ({settings}), or run plimsoll where it can be reached"
    )]
    NodeUnreachable {
        node: String,
        /// The node or Sentinel that names it.
        by: String,
        fault: Fault,
        /// What the address depends on.
        settings: &'static str,
    },
    #[error("{address}: no node has any hash slot: is the cluster set up (redis-cli --cluster create)?")]
    NoPrimary { address: String },
    #[error("{address}: the server is a replica itself: to read from replicas (read_from), name their primary")]
    NotPrimary { address: String },
    #[error(
        "{primary} has no replica in sync, which read_from = \"{from}\" needs: add one, or read from the primary \
         (read_from = \"primary\")"
    )]
    NoReplica { primary: String, from: &'static str },
    #[error(
        "{replica} still lacks {lacking} bytes of what was written before the load, after {limit:?}: reads from it would be stale \
         from the beginning; look at its link to its primary"
    )]
    ReplicaBehind { replica: String, lacking: u64, limit: Duration },
    #[error("{address}: not a Sentinel: check host and port (default 26379)")]
    NoSentinel { address: String },
    #[error("{address}: the Sentinel knows no primary of the name `{service}`: SENTINEL MASTERS lists their names")]
    UnknownService { address: String, service: String },
    #[error(
        "the pools and the harness itself need {need} connections, but the server accepts {limit}, of which {taken} \
         are in use: raise its maxclients (and its limit of file descriptors), or give the services smaller pools"
    )]
    TooFewClients { need: u64, taken: u64, limit: u64 },
    #[error(
        "the run needs {need} file descriptors, but the hard limit of this process is {limit}: raise it (ulimit -Hn {need} \
         as root, LimitNOFILE={need} in a systemd unit, --ulimit nofile={need} for a container), or make the pools smaller"
    )]
    FileDescriptors { need: u64, limit: u64 },
    #[error(
        "service `{service}`: the keys under `{prefix}` belong to another run ({by}): wait for its end, or use another \
         prefix with --set service.{service}.keys.prefix=...; if it was killed, remove its keys with `plimsoll clean` \
         and this scenario and target"
    )]
    Claimed { service: String, prefix: String, by: String },
    #[error(
        "service `{service}`: keys that the run would overwrite exist already, such as `{key}`: choose another prefix \
         with --set service.{service}.keys.prefix=..., use them with --set run.prefill=false, or remove them with \
         `plimsoll clean` and this scenario and target"
    )]
    KeysExist { service: String, key: String },
    #[error(
        "service `{service}`: the key `{key}` exists already and holds data of another type: choose another prefix with \
         --set service.{service}.keys.prefix=..., or remove the key"
    )]
    OtherType { service: String, key: String },
    #[error(
        "service `{service}`: the data does not fit into the server's memory ({message}): {}give the service fewer keys or \
         smaller values, or the server more memory{}",
        if *volatile { "its maxmemory-policy evicts only keys with an expiry, and prefilled keys have none; " } else { "" },
        if *volatile { " or an allkeys policy" } else { "" }
    )]
    DataTooLarge { service: String, volatile: bool, message: String },
    #[error(
        "service `{service}`: the connection broke on the prefill's {command} of `{key}` ({message}): is the server up, and is \
         a value larger than its proto-max-bulk-len, or a command than its client-query-buffer-limit?"
    )]
    PrefillCut { service: String, command: &'static str, key: String, message: String },
    #[error("service `{service}`: the prefill's {command} of `{key}` failed: {message}")]
    Prefill { service: String, command: &'static str, key: String, message: String },
    #[error(
        "service `{service}`: the set-up command `{command}` failed: {message}{}",
        if *has_cleanup {
            "; if an earlier run left what it creates, `plimsoll clean` with this scenario and target sends the clean-up commands"
        } else {
            ""
        }
    )]
    SetUp { service: String, command: String, message: String, has_cleanup: bool },
    #[error("service `{service}`: the clean-up command `{command}` failed: {message}")]
    CleanUpCommand { service: String, command: String, message: String },
    #[error("service `{service}`: its keys could not be removed: {message}")]
    Cleanup { service: String, message: String },
}

impl TargetError {
    /// Whether the fault lies in what the user configured: an address, the place of a password, a program, certificates. Any
    /// other fault is one of the target or of the way to it. Of several faults, one of the configuration is enough: it has to be
    /// mended first.
    pub fn is_configuration(&self) -> bool {
        match self {
            Self::Address { .. }
            | Self::PasswordVariable { .. }
            | Self::PasswordFile { .. }
            | Self::ServerProgram { .. }
            | Self::ServerWithoutTls { .. }
            | Self::Connection { fault: Fault::Authorities(_) | Fault::TlsSettings(_), .. } => true,
            Self::Services { source, .. } => source.is_configuration(),
            Self::Several(faults) => faults.iter().any(Self::is_configuration),
            _ => false,
        }
    }
}

fn lines(errors: &[TargetError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
