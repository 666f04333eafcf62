//! What each rule of the audit is called, what it says when it holds and when not, what to do, and where that comes from.

use super::words_of_nodes as nodes;
use crate::analysis::audit::Rule;

/// The words for one rule.
pub(in crate::report) struct Words {
    /// What is so where it holds.
    pub(in crate::report) holds: &'static str,
    /// What is so where it does not.
    pub(in crate::report) violated: &'static str,
    /// Why that matters, and what to weigh before changing it.
    pub(in crate::report) advice: &'static str,
    /// What it reads.
    pub(in crate::report) reads: &'static str,
    /// Where the claim comes from.
    pub(in crate::report) source: &'static str,
}

const ACL: &str = "redis.io/docs/latest/operate/oss_and_stack/management/security/acl";
const SECURITY: &str = "redis.io/docs/latest/operate/oss_and_stack/management/security";
const CONFIGURATION: &str = "the comments of redis.conf";
const CLIENTS: &str = "redis.io/docs/latest/develop/reference/clients";
const EVICTION: &str = "redis.io/docs/latest/develop/reference/eviction";
const PERSISTENCE: &str = "redis.io/docs/latest/operate/oss_and_stack/management/persistence";
const LATENCY: &str = "redis.io/docs/latest/operate/oss_and_stack/management/optimization/latency";
const MEMORY: &str = "redis.io/docs/latest/operate/oss_and_stack/management/optimization/memory-optimization";
const ADMINISTRATION: &str = "redis.io/docs/latest/operate/oss_and_stack/management/admin";
const MEASURED: &str = "this measurement";

/// The words for a rule.
pub(in crate::report) fn words(rule: Rule) -> Words {
    let (holds, violated, advice, reads, source) = match rule {
        Rule::DefaultUser => (
            "The default user cannot log in",
            "The default user may log in",
            "Every client that reaches the port is this user until it logs in. Create a user for each service, \
             replicas (masterauth) and Sentinel, let all of them log in with it, then disable the default user.",
            "ACL LIST, CONFIG GET bind",
            ACL,
        ),
        Rule::OtherUsers => (
            "No user can log in without a password, or with a common one",
            "Users can log in without a password, or with a common one",
            "A user without a password, or with a common one, is open to every client that reaches the port.",
            "ACL LIST, its hashes against a short list of common passwords",
            ACL,
        ),
        Rule::ServiceLogin => (
            "The user can log in",
            "The user cannot log in",
            "Its services get no connection. Check name and password.",
            "a login as one of the scenario's services",
            ACL,
        ),
        Rule::PasswordStrength => (
            "The password is long, and not among the most common",
            "The password is short, or among the most common",
            "The server stores passwords as one round of SHA-256 and answers hundreds of thousands of attempts per \
             second: only a long random password is safe. Use ACL GENPASS.",
            "the harness's own password (its length and kinds of characters), hashes of ACL LIST against a short list \
             of common passwords",
            "redis.io/docs/latest/commands/acl-genpass",
        ),
        Rule::LeastPrivilege => (
            "The rights of the user are those that its services need",
            "The user has more rights than its services need",
            "A compromised or faulty service can then damage the data of other services. The rules below permit the \
             mix of the scenario on its own keys and channels, and leave the password unchanged. Add the other \
             commands of the service.",
            "ACL LIST, ACL DRYRUN, the scenario",
            ACL,
        ),
        Rule::DangerousCommands => (
            "The user may send no command that stops the server or deletes all data",
            "The user may send commands that stop the server or delete all data",
            "One FLUSHALL, KEYS or CONFIG SET by mistake stops all services. Permit these commands to operators only.",
            "ACL DRYRUN, ACL LIST",
            SECURITY,
        ),
        Rule::Encryption => (
            "No passwords and data cross a network unencrypted",
            "Passwords and data may cross a network unencrypted",
            "Any system on the path can read and change them. Enable TLS, and disable the plain port when all services \
             use TLS. TLS costs CPU time on both sides: measure again.",
            "the target's address, CONFIG GET tls-port",
            "redis.io/docs/latest/operate/oss_and_stack/management/security/encryption",
        ),
        Rule::ProtectedMode => (
            "The server refuses unknown hosts without a password",
            "Protected mode is off while the default user needs no password",
            "Without protected mode a server without passwords answers the whole network. Enable it, or set a password \
             for the default user and bind to the required addresses.",
            "CONFIG GET protected-mode, CONFIG GET bind, ACL LIST",
            SECURITY,
        ),
        Rule::MemoryLimit => (
            "Memory has a limit",
            "Memory has no limit",
            "The kernel kills a server that uses all memory, and its data is lost. The proposed limit is four times \
             the highest use since the start, rounded up to a power of two: add the expected growth of the data.",
            "CONFIG GET maxmemory, INFO memory",
            EVICTION,
        ),
        Rule::MemoryFull => (
            "The server takes writes",
            "The server is nearly full, and then refuses writes",
            "At maxmemory, writes fail with OOM if no key may be evicted. Raise the limit, let keys expire, or choose \
             a policy that evicts.",
            "INFO memory, CONFIG GET maxmemory-policy",
            EVICTION,
        ),
        Rule::MemoryHeadroom => (
            "The limit leaves memory for a fork",
            "The limit leaves too little memory for a fork",
            "While a fork saves the data, each written page is copied: memory use doubles in the worst case. Above \
             three quarters of the machine's memory this leads to swapping or the out-of-memory killer.",
            "CONFIG GET maxmemory, INFO memory, CONFIG GET save, CONFIG GET appendonly",
            ADMINISTRATION,
        ),
        Rule::MemoryOversized => (
            "The limit suits the use",
            "The limit is far above the highest use",
            "Reserved memory is lost to other programs. The proposed limit is four times the highest use since the \
             start, rounded up to a power of two: lower it only after a busy day.",
            "CONFIG GET maxmemory, INFO memory",
            MEMORY,
        ),
        Rule::EvictionPolicy => (
            "The policy for a full server suits its use",
            "The policy for a full server does not suit its use",
            "A full cache should evict the least used keys rather than refuse writes; a queue must not lose entries. \
             Where both share a server, evict only keys with a time to live, or use two servers.",
            "CONFIG GET maxmemory-policy, the scenario's commands",
            EVICTION,
        ),
        Rule::Fragmentation => (
            "Memory is not fragmented",
            "Memory is fragmented, or part of it is not in main memory",
            "Above 1.4 the process has much more memory than its data needs: active defragmentation returns it. Below \
             1 a part of the memory is swapped, where every access takes milliseconds, or was never used: see VmSwap \
             of the process.",
            "INFO memory",
            "redis.io/docs/latest/commands/memory-doctor",
        ),
        Rule::Evictions => (
            "No key was evicted",
            "Keys were evicted for lack of memory",
            "Under an allkeys policy this is normal for a cache: check its hit rate. An eviction delays the command \
             that needs the memory, and causes a later miss: raise the limit, or let keys expire earlier.",
            "INFO stats (evicted_keys)",
            EVICTION,
        ),
        Rule::BigKeys => (
            "No sampled key is large",
            "A key is large",
            "Reading, deleting or expiring such a key delays all other clients. Split it, or delete it with UNLINK.",
            "SCAN, TYPE and MEMORY USAGE on a sample of the keys",
            LATENCY,
        ),
        Rule::HotKeys => (
            "No sampled key is hot",
            "A key is hot",
            "All its requests go to one thread of one server, whatever the number of servers. Cache it in the \
             application for a second, or spread it over several keys.",
            "OBJECT FREQ on a sample of the keys, where maxmemory-policy is an LFU one",
            EVICTION,
        ),
        Rule::MaxClients => (
            "maxclients suffices for the connections of all pools",
            "maxclients is too low for the connections of all pools",
            "A rolling restart has old and new instances connected at once, and the server refuses connections beyond \
             maxclients. Set maxclients and the limit of file descriptors to twice the fleet.",
            "CONFIG GET maxclients, INFO clients, the scenario's instances x pools",
            CLIENTS,
        ),
        Rule::IdleTimeout => (
            "Pools check idle connections before the server closes them",
            "The server closes idle connections before their pools check them",
            "A request on such a connection fails. Check idle connections at half of the server's timeout, or raise \
             the timeout.",
            "CONFIG GET timeout, the scenario's pool.health_check",
            CLIENTS,
        ),
        Rule::TcpKeepalive => (
            "Dead peers are detected",
            "Dead peers are not detected, or late",
            "A vanished client keeps its connection, and firewalls drop idle connections.",
            "CONFIG GET tcp-keepalive",
            CONFIGURATION,
        ),
        Rule::TcpBacklog => (
            "All pools may connect at once",
            "A burst of connections overflows the accept queue",
            "Connecting then takes seconds, because the kernel drops the request and the client repeats it after a \
             second. The smaller of the server's setting and the kernel's limit applies.",
            "CONFIG GET tcp-backlog, net.core.somaxconn, the scenario's pools",
            CONFIGURATION,
        ),
        Rule::RejectedConnections => (
            "No connection was refused",
            "Connections were refused",
            "maxclients was reached, or protected mode refused a client. List the connections (CLIENT LIST), then \
             raise maxclients or use smaller pools.",
            "INFO stats (rejected_connections)",
            CLIENTS,
        ),
        Rule::Persistence => (
            "The data survives a restart",
            "The data does not survive a restart",
            "This suits a cache, which is slow after a restart, but not queues, sessions and other data that cannot be \
             recomputed.",
            "CONFIG GET save, CONFIG GET appendonly, INFO persistence",
            PERSISTENCE,
        ),
        Rule::RdbCompression => (
            "Snapshots are compressed",
            "Snapshots are not compressed",
            "Uncompressed snapshots take more disk, and more time to send to a replica, but less CPU time of the \
             saving process.",
            "CONFIG GET rdbcompression",
            CONFIGURATION,
        ),
        Rule::RdbChecksum => (
            "Snapshots have a checksum",
            "Snapshots have no checksum",
            "A damaged snapshot is loaded without an error. The checksum costs about a tenth of the time to save and \
             load.",
            "CONFIG GET rdbchecksum",
            CONFIGURATION,
        ),
        Rule::AofPolicy => (
            "The append-only file is written to disk every second",
            "The append-only file is written to disk after each write, or by the kernel's schedule",
            "With always, every write waits for the disk, outside the time of the command; with no, writes that the \
             kernel has not yet written are lost, usually half a minute; with everysec, at most a second.",
            "CONFIG GET appendfsync",
            PERSISTENCE,
        ),
        Rule::LastSave => (
            "The last save succeeded",
            "The last save failed",
            "The data on disk is old, and with stop-writes-on-bgsave-error the server refuses writes until a save \
             succeeds. Check its log: a full disk, missing rights, no memory for a fork.",
            "INFO persistence",
            PERSISTENCE,
        ),
        Rule::Replication => (
            "A replica has the data",
            "No replica has the data",
            "If this machine fails, the services stop, and unsaved data is lost. A replica with Sentinel, or a \
             cluster, takes over within seconds.",
            "INFO replication",
            "redis.io/docs/latest/operate/oss_and_stack/management/sentinel",
        ),
        Rule::NodesAnswer => nodes::NODES_ANSWER,
        Rule::ReplicaHost => nodes::REPLICA_HOST,
        Rule::ReplicaLink => nodes::REPLICA_LINK,
        Rule::MinReplicas => nodes::MIN_REPLICAS,
        Rule::SlotCoverage => nodes::SLOT_COVERAGE,
        Rule::SlotBalance => nodes::SLOT_BALANCE,
        Rule::FullCoverage => nodes::FULL_COVERAGE,
        Rule::SentinelCount => nodes::SENTINEL_COUNT,
        Rule::SentinelQuorum => nodes::SENTINEL_QUORUM,
        Rule::SentinelAgreement => nodes::SENTINEL_AGREEMENT,
        Rule::SentinelDownAfter => nodes::SENTINEL_DOWN_AFTER,
        Rule::SlowlogThreshold => (
            "The slow log has a suitable threshold",
            "The threshold of the slow log is too high, or records every command",
            "The slow log is the only record of blocking commands. It counts time in the command only, so its \
             threshold should be well below the objective.",
            "CONFIG GET slowlog-log-slower-than, the scenario's objective",
            "redis.io/docs/latest/commands/slowlog",
        ),
        Rule::SlowlogLength => (
            "The slow log is long enough",
            "The slow log is short",
            "A burst of slow commands overwrites its first entries. An entry takes one or two kilobytes.",
            "CONFIG GET slowlog-max-len, SLOWLOG GET",
            "redis.io/docs/latest/commands/slowlog",
        ),
        Rule::LatencyMonitor => (
            "The latency monitor is on",
            "The latency monitor is off",
            "The latency monitor records other causes of stalls: forks, expiry, writing to disk. It costs nearly \
             nothing.",
            "CONFIG GET latency-monitor-threshold",
            "redis.io/docs/latest/operate/oss_and_stack/management/optimization/latency-monitor",
        ),
        Rule::HitRate => (
            "Look-ups find their keys",
            "Many look-ups miss",
            "A miss costs a round trip, and then the work that the cache should save. Check evictions and times to \
             live before adding memory.",
            "the replies that the clients counted, or INFO stats (keyspace_hits, keyspace_misses)",
            MEASURED,
        ),
        Rule::SharedDatabase => (
            "Each service has a database of its own, or the server is a cluster",
            "Services share a database",
            "Only prefixes separate their keys: FLUSHDB, SCAN and DBSIZE affect all services. Databases of one server \
             share its memory, its thread and its users, and a cluster has database 0 only: there prefixes, with a key \
             pattern for each user, separate services.",
            "the scenario's databases",
            "redis.io/docs/latest/commands/select",
        ),
        Rule::ExpensiveCommands => (
            "No command delays the others",
            "A command delays the others",
            "The server runs one command at a time, so this command blocks all clients. Send smaller batches or \
             ranges, replace KEYS by SCAN and SMEMBERS of large sets by SSCAN, or use a replica.",
            "INFO commandstats over the measured period, SLOWLOG GET",
            LATENCY,
        ),
        Rule::IoThreads => (
            "io-threads suits the cores",
            "io-threads does not suit the cores",
            "I/O threads relieve a saturated main thread if cores are free; otherwise they compete with the main \
             thread for its core.",
            "CONFIG GET io-threads, cores of the machine, INFO cpu",
            CONFIGURATION,
        ),
        Rule::HugePages => (
            "Transparent huge pages do not make forks expensive",
            "Transparent huge pages are on for the server",
            "While a fork saves the data, the first write to a page of 2 MiB copies the whole page: milliseconds \
             instead of microseconds.",
            "/sys/kernel/mm/transparent_hugepage/enabled, CONFIG GET disable-thp",
            LATENCY,
        ),
        Rule::Overcommit => (
            "A fork does not fail for lack of committed memory",
            "A fork may fail although memory is free",
            "In mode 0 the kernel may refuse the fork of a server that is large compared with the free memory, in mode \
             2 it counts all memory of the child: saving and replication then fail. In mode 1 the kernel never refuses.",
            "/proc/sys/vm/overcommit_memory",
            ADMINISTRATION,
        ),
        Rule::Version => (
            "The release has its branch's known security fixes",
            "The release lacks known security fixes of its branch",
            "Upgrade to the newest release of a maintained branch. A package of a distribution may have the fixes \
             without a new version: see its changelog.",
            "INFO server, a table in this program",
            "the projects' release notes and advisories as of the day given",
        ),
        Rule::Dependencies => (
            "The dependency answers",
            "The dependency fails",
            "The services need the dependency as much as this server. Check it first: these numbers exclude the wait \
             for it.",
            "a connection, or an HTTP request, before, during and after the load",
            MEASURED,
        ),
    };
    Words { holds, violated, advice, reads, source }
}

#[cfg(test)]
mod tests {
    use strum::VariantArray as _;

    use super::*;

    #[test]
    fn claims_have_no_end_of_their_own_and_advice_has() {
        for rule in Rule::VARIANTS {
            let words = words(*rule);
            assert!(
                words.advice.ends_with('.') && !words.holds.ends_with('.') && !words.violated.ends_with('.'),
                "{rule:?}"
            );
        }
    }
}
