//! What each rule of the audit is called, what it says when it holds and when not, what to do, and where that comes from.

use crate::analysis::audit::Rule;

/// The words for one rule.
pub(in crate::report) struct Words {
    /// What is so where it holds.
    pub(in crate::report) holds: &'static str,
    /// What is so where it does not.
    pub(in crate::report) amiss: &'static str,
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
    let (holds, amiss, advice, reads, source) = match rule {
        Rule::DefaultUser => (
            "The default user cannot log in",
            "The default user may log in",
            "Whoever reaches the port is that user until they say who they are. Give every service a user of its own, see \
             that all of them log in by it, replicas (masterauth) and Sentinel too, then turn the default user off.",
            "ACL LIST, CONFIG GET bind",
            ACL,
        ),
        Rule::OtherUsers => (
            "Nobody can be another user without a password, or with a common one",
            "Everybody can be another user",
            "A user without a password, or with one that is tried first, is open to any client that reaches the port.",
            "ACL LIST, its hashes against a short list of common passwords",
            ACL,
        ),
        Rule::ServiceLogin => (
            "The user can log in",
            "The user cannot log in",
            "Its services get no connection. Compare name and password with what the server has.",
            "a log-in as the scenario's services do it",
            ACL,
        ),
        Rule::PasswordStrength => (
            "The password is long, and not among the most common",
            "The password is short, or among the most common",
            "The server keeps passwords as one round of SHA-256 and answers hundreds of thousands of attempts a second: \
             only long random ones hold. Take what ACL GENPASS gives.",
            "the password that the harness logs in with (its length and kinds of characters), hashes of ACL LIST against \
             a short list of common passwords",
            "redis.io/docs/latest/commands/acl-genpass",
        ),
        Rule::LeastPrivilege => (
            "The user may do what its services need and little more",
            "The user may do more than its services need",
            "A service that is broken into, or just wrong, can then harm the others' data. The rules below give what the \
             mix of the scenario sends, on its own keys and channels, and leave the password as it is. Add what the \
             service sends beside that mix.",
            "ACL LIST, ACL DRYRUN, the scenario",
            ACL,
        ),
        Rule::DangerousCommands => (
            "The user may send no command that takes the server or its data away",
            "The user may send commands that take the server or its data away",
            "One FLUSHALL, KEYS or CONFIG SET in the wrong hands, or in the wrong console, stops all services. Keep them \
             for a user of the operators.",
            "ACL DRYRUN, ACL LIST",
            SECURITY,
        ),
        Rule::Encryption => (
            "Passwords and data cross no network in the clear",
            "Nothing keeps passwords and data from crossing a network in the clear",
            "Everybody on the way could read and change them. Turn TLS on, and the plain port off once all services use it. \
             TLS costs CPU time on both sides: measure again.",
            "the target's address, CONFIG GET tls-port",
            "redis.io/docs/latest/operate/oss_and_stack/management/security/encryption",
        ),
        Rule::ProtectedMode => (
            "The server does not serve strangers",
            "Protected mode is off while the default user needs no password",
            "It is what keeps a server without passwords from answering the whole network. Turn it on, or give the default \
             user a password and bind to the addresses that are needed.",
            "CONFIG GET protected-mode, CONFIG GET bind, ACL LIST",
            SECURITY,
        ),
        Rule::MemoryLimit => (
            "Memory has a limit",
            "Memory has no limit",
            "A server that may use all memory is ended by the kernel when there is none left, with all its data. The \
             proposed limit is four times the highest use since it started, to the next power of two: raise it by what \
             the data will grow.",
            "CONFIG GET maxmemory, INFO memory",
            EVICTION,
        ),
        Rule::MemoryFull => (
            "The server takes writes",
            "The server is full, or nearly, and then refuses writes",
            "At maxmemory, writes fail with OOM as long as nothing may be evicted. Raise the limit, let keys expire, or choose \
             a policy that evicts.",
            "INFO memory, CONFIG GET maxmemory-policy",
            EVICTION,
        ),
        Rule::MemoryHeadroom => (
            "The limit leaves the machine room to fork",
            "The limit leaves the machine too little room",
            "While a fork saves the data, every page that is written is copied: in the worst case twice the memory is used. \
             Above three quarters of the machine's memory that ends in swapping or in the out-of-memory killer.",
            "CONFIG GET maxmemory, INFO memory, CONFIG GET save, CONFIG GET appendonly",
            ADMINISTRATION,
        ),
        Rule::MemoryOversized => (
            "The limit suits what is used",
            "The limit is far above what was ever used",
            "What is reserved for it serves nobody else. The proposed limit is four times the highest use since the server \
             started, to the next power of two; wait until that time covers the busiest day before lowering it.",
            "CONFIG GET maxmemory, INFO memory",
            MEMORY,
        ),
        Rule::EvictionPolicy => (
            "The policy for a full server suits its use",
            "The policy for a full server does not suit its use",
            "A cache should lose what is used least when it is full, not refuse writes; a queue must not lose what waits in \
             it. Where both share a server, let only keys with a time to live be evicted, or give each a server of its own.",
            "CONFIG GET maxmemory-policy, the scenario's commands",
            EVICTION,
        ),
        Rule::Fragmentation => (
            "Memory is used as it is given out",
            "Memory is fragmented, or part of it is not in main memory",
            "Above 1.4 the process holds much more memory than its data needs: active defragmentation gives it back. Below \
             1 the process holds less main memory than it gave out: part may lie in swap, where every access takes \
             milliseconds, or was never touched. VmSwap of its process tells which.",
            "INFO memory",
            "redis.io/docs/latest/commands/memory-doctor",
        ),
        Rule::Evictions => (
            "Nothing was evicted",
            "Keys were evicted for lack of memory",
            "Under an allkeys policy that is a cache at work: look at its hit rate. Each eviction is paid for by the command that \
             needs the room, and later by the miss; raise the limit, or let keys expire earlier.",
            "INFO stats (evicted_keys)",
            EVICTION,
        ),
        Rule::BigKeys => (
            "No key that was looked at is large",
            "A key is large",
            "Whoever reads, deletes or lets expire such a key keeps everybody else waiting. Split it, or delete it with \
             UNLINK.",
            "SCAN, TYPE and MEMORY USAGE on a sample of the keys",
            LATENCY,
        ),
        Rule::HotKeys => (
            "No key that was looked at is hot",
            "A key is used very much",
            "All its requests go to one thread of one server, however many servers there are. Keep a copy of it in the \
             application for a second, or spread it over several keys.",
            "OBJECT FREQ on a sample of the keys, where maxmemory-policy is an LFU one",
            EVICTION,
        ),
        Rule::MaxClients => (
            "There is room for the connections of all pools",
            "There is too little room for the connections of all pools",
            "A rolling restart has old and new instances connected at once; who comes when all places are taken is turned \
             away. Make room for twice the fleet, in the server and in the descriptors of its process.",
            "CONFIG GET maxclients, INFO clients, the scenario's instances x pools",
            CLIENTS,
        ),
        Rule::IdleTimeout => (
            "Pools look after idle connections before the server closes them",
            "The server closes idle connections before their pools look after them",
            "A request that gets such a connection fails. Ask idle connections for a sign of life at half the server's \
             timeout, or raise that.",
            "CONFIG GET timeout, the scenario's pool.health_check",
            CLIENTS,
        ),
        Rule::TcpKeepalive => (
            "Dead peers are noticed",
            "Dead peers are not noticed, or late",
            "A client that vanished without a goodbye keeps its place, and firewalls forget connections that say nothing.",
            "CONFIG GET tcp-keepalive",
            CONFIGURATION,
        ),
        Rule::TcpBacklog => (
            "All pools may connect at once",
            "A burst of connections overflows the queue of those that wait to be accepted",
            "Then connecting takes seconds, because the kernel drops the request and the client asks again after one. Both \
             the server's setting and the kernel's limit count; the smaller one holds.",
            "CONFIG GET tcp-backlog, net.core.somaxconn, the scenario's pools",
            CONFIGURATION,
        ),
        Rule::RejectedConnections => (
            "No connection was turned away",
            "Connections were turned away",
            "maxclients was reached, or protected mode refused a stranger. Find out who holds the places (CLIENT LIST), then raise it or use smaller pools.",
            "INFO stats (rejected_connections)",
            CLIENTS,
        ),
        Rule::Persistence => (
            "The data outlives a restart",
            "The data does not outlive a restart",
            "Right for a cache, whose first hour will be slow; wrong for queues, sessions and everything else that cannot \
             be made again.",
            "CONFIG GET save, CONFIG GET appendonly, INFO persistence",
            PERSISTENCE,
        ),
        Rule::RdbCompression => (
            "Snapshots are compressed",
            "Snapshots are not compressed",
            "They take more disk, and more time to send to a replica. It saves the child that writes them some CPU time.",
            "CONFIG GET rdbcompression",
            CONFIGURATION,
        ),
        Rule::RdbChecksum => (
            "Snapshots carry a checksum",
            "Snapshots carry no checksum",
            "A damaged one is loaded as if it were whole. The checksum costs about a tenth of the time to save and load.",
            "CONFIG GET rdbchecksum",
            CONFIGURATION,
        ),
        Rule::AofPolicy => (
            "The append-only file is written to disk every second",
            "The append-only file is written to disk after each write, or when the kernel likes",
            "With always every write waits for the disk, which clients see and the time of the command does not show; with no, what the kernel has not written yet is lost, half a \
             minute as a rule. With everysec it is a second at most.",
            "CONFIG GET appendfsync",
            PERSISTENCE,
        ),
        Rule::LastSave => (
            "The last save succeeded",
            "The last save failed",
            "The data on disk is old, and with stop-writes-on-bgsave-error the server refuses writes until a save succeeds. \
             Look into its log: a full disk, missing rights, no memory to fork.",
            "INFO persistence",
            PERSISTENCE,
        ),
        Rule::Replication => (
            "A replica has the data",
            "No replica has the data",
            "When this machine fails the services wait for it, and what was not saved is gone. A replica with Sentinel, or a \
             cluster, takes over within seconds.",
            "INFO replication",
            "redis.io/docs/latest/operate/oss_and_stack/management/sentinel",
        ),
        Rule::SlowlogThreshold => (
            "The slow log notes what would be too slow",
            "The slow log does not note what would be too slow, or notes everything",
            "It is the only record of which command kept everybody waiting. It counts time in the command alone, so it \
             should begin well below the objective.",
            "CONFIG GET slowlog-log-slower-than, the scenario's objective",
            "redis.io/docs/latest/commands/slowlog",
        ),
        Rule::SlowlogLength => (
            "The slow log is long enough",
            "The slow log is short",
            "A burst of slow commands pushes its own beginning out before anybody looks. An entry takes a kilobyte or two.",
            "CONFIG GET slowlog-max-len, SLOWLOG GET",
            "redis.io/docs/latest/commands/slowlog",
        ),
        Rule::LatencyMonitor => (
            "The latency monitor is on",
            "The latency monitor is off",
            "It notes what else than commands stopped the server: forks, expiry, writing to disk. It costs next to nothing \
             until something is slow.",
            "CONFIG GET latency-monitor-threshold",
            "redis.io/docs/latest/operate/oss_and_stack/management/optimization/latency-monitor",
        ),
        Rule::HitRate => (
            "What is looked up is there",
            "Much of what is looked up is not there",
            "Every miss is a round trip for nothing, and then the work that the cache should have saved. Look at evictions \
             and times to live before adding memory.",
            "the replies that the clients counted, or INFO stats (keyspace_hits, keyspace_misses)",
            MEASURED,
        ),
        Rule::SharedDatabase => (
            "Each service has a database of its own, or the only one that a cluster has",
            "Services share a database",
            "Their keys are kept apart by prefixes only: FLUSHDB, SCAN and DBSIZE concern all of them. Databases of one \
             server share its memory, its thread and its users all the same, and a cluster has database 0 only: there \
             prefixes, with a key pattern for each user, are what separates services.",
            "the scenario's databases as they were selected",
            "redis.io/docs/latest/commands/select",
        ),
        Rule::ExpensiveCommands => (
            "No command keeps the others waiting",
            "A command keeps the others waiting",
            "The server runs one command at a time: as long as this one takes, nobody else is served. Send smaller batches \
             or ranges, replace KEYS by SCAN and SMEMBERS of large sets by SSCAN, or move it to a replica.",
            "INFO commandstats over the measured period, SLOWLOG GET",
            LATENCY,
        ),
        Rule::IoThreads => (
            "Threads for input and output suit the cores",
            "Threads for input and output do not suit the cores",
            "They take reading and writing off the main thread, where it is the limit and cores are free; where they are \
             not, the threads take the main thread's core away.",
            "CONFIG GET io-threads, cores of the machine, INFO cpu",
            CONFIGURATION,
        ),
        Rule::HugePages => (
            "Transparent huge pages do not make forks expensive",
            "Transparent huge pages are on for the server",
            "While a fork saves the data, the first write to each page of 2 MiB copies all of it: milliseconds instead of \
             microseconds.",
            "/sys/kernel/mm/transparent_hugepage/enabled, CONFIG GET disable-thp",
            LATENCY,
        ),
        Rule::Overcommit => (
            "A fork does not fail for lack of promised memory",
            "A fork may fail although there is memory",
            "In mode 0 the kernel may refuse to fork a server that is large beside what is free, in mode 2 it counts all of the \
             child's memory: saving and replication then fail. In mode 1 it never refuses.",
            "/proc/sys/vm/overcommit_memory",
            ADMINISTRATION,
        ),
        Rule::Version => (
            "The release has its branch's known security fixes",
            "The release lacks known security fixes of its branch",
            "Upgrade to the newest release of a branch that is looked after. A package of a distribution may have the fixes \
             without showing it in its version: ask its changelog.",
            "INFO server, a table that ships with this program",
            "the projects' release notes and advisories as of the day given",
        ),
        Rule::Dependencies => (
            "The dependency answers",
            "The dependency does not answer as it should",
            "The services need it as much as this server. Look at it first: the numbers here say nothing about what they \
             wait for there.",
            "a connection, or an HTTP request, before, during and after the load",
            MEASURED,
        ),
    };
    Words { holds, amiss, advice, reads, source }
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
                words.advice.ends_with('.') && !words.holds.ends_with('.') && !words.amiss.ends_with('.'),
                "{rule:?}"
            );
        }
    }
}
