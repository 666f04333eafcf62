//! What the rules that compare nodes with each other say: each when it holds and when not, what to do, what it reads, its source.

/// The words of a rule, in the order of `Words`.
pub(super) type Texts = (&'static str, &'static str, &'static str, &'static str, &'static str);

const REPLICATION: &str = "redis.io/docs/latest/operate/oss_and_stack/management/replication";
const SCALING: &str = "redis.io/docs/latest/operate/oss_and_stack/management/scaling";
const CLUSTER: &str = "redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec";
const SENTINEL: &str = "redis.io/docs/latest/operate/oss_and_stack/management/sentinel";

pub(super) const NODES_ANSWER: Texts = (
    "All nodes answer",
    "A node does not answer",
    "Requests to the slots of a primary that does not answer fail until a replica takes over; without a replica that does not \
     answer, the next failure costs data. Check that the node runs, that it announces an address which clients reach, and that \
     the login is the same at all nodes.",
    "a connection to each node, CLUSTER NODES at each node",
    CLUSTER,
);

pub(super) const REPLICA_HOST: Texts = (
    "Each replica is on another host than its primary",
    "A replica is on the host of its primary",
    "If that host fails, primary and replica are lost together. Move one of them. Hosts are compared by address: containers and \
     virtual machines with addresses of their own may share a host unseen.",
    "addresses of the nodes",
    SCALING,
);

pub(super) const REPLICA_LINK: Texts = (
    "The replicas have the current data",
    "A replica does not have the current data",
    "Reads from that replica are stale, and a failover to it loses the writes that it lacks. Check the network, masterauth and the \
     log of the replica. Once a broken link is further behind than repl-backlog-size, all data is copied again.",
    "INFO replication of all nodes, CONFIG GET repl-backlog-size",
    REPLICATION,
);

pub(super) const MIN_REPLICAS: Texts = (
    "Writes need a replica, and enough are there",
    "Writes do not depend on a replica, or too few are there",
    "With 0, a primary that is cut off from its replicas accepts writes until it is replaced, and all of them are lost. With 1 and \
     more it refuses writes (NOREPLICAS) while fewer replicas answer within min-replicas-max-lag: with a single replica, its failure \
     stops all writes.",
    "CONFIG GET min-replicas-to-write, INFO replication",
    REPLICATION,
);

pub(super) const SLOT_COVERAGE: Texts = (
    "Every slot has a primary that answers",
    "Slots have no primary that answers",
    "Requests for these slots fail, and all requests where cluster-require-full-coverage is yes. Bring the primary back, have a \
     replica take over (CLUSTER FAILOVER FORCE), or assign the slots (redis-cli --cluster fix, without the data that is lost).",
    "CLUSTER INFO of all nodes; the worst view counts",
    CLUSTER,
);

pub(super) const SLOT_BALANCE: Texts = (
    "Slots are divided evenly among the primaries",
    "Slots are divided unevenly among the primaries",
    "With keys spread over all slots, the load follows the slots: the primary with most of them is saturated first. From 1.2 times \
     an even share it counts as uneven. Moving slots costs CPU time and redirections: do it at a quiet time.",
    "CLUSTER NODES, CLUSTER SLOT-STATS (Valkey 8.0, Redis 8.2) or a sample of the requests",
    SCALING,
);

pub(super) const FULL_COVERAGE: Texts = (
    "The loss of some slots does not stop the others",
    "The loss of one primary without a successor stops the whole cluster",
    "With yes, all nodes refuse all requests (CLUSTERDOWN) while any slot has no primary. With no, only the requests for these \
     slots fail. Keep yes if the application needs all keys or none.",
    "CONFIG GET cluster-require-full-coverage",
    SCALING,
);

pub(super) const SENTINEL_COUNT: Texts = (
    "There are enough Sentinels",
    "There are too few Sentinels",
    "A majority of the Sentinels has to agree on a failover. With fewer than three, the failure of one leaves no majority. Run at \
     least three, on hosts that fail independently.",
    "SENTINEL SENTINELS at each Sentinel",
    SENTINEL,
);

pub(super) const SENTINEL_QUORUM: Texts = (
    "The quorum suits the number of Sentinels",
    "The quorum does not suit the number of Sentinels",
    "The quorum is the number of Sentinels that have to find the primary down. Above their number a failover never starts; at their \
     number the failure of one Sentinel prevents it; below a majority a few mistaken Sentinels begin attempts in vain. Set a majority, \
     alike at all Sentinels.",
    "SENTINEL MASTER and SENTINEL CKQUORUM at each Sentinel",
    SENTINEL,
);

pub(super) const SENTINEL_AGREEMENT: Texts = (
    "The Sentinels see each other and name the same primary",
    "The Sentinels do not see each other, or name different primaries",
    "A Sentinel that the others do not reach does not vote. Where they name different primaries, clients write to both, and the \
     writes to one of them are lost. Check the network between them, sentinel announce-ip, and their passwords; SENTINEL RESET removes \
     Sentinels that no longer exist.",
    "SENTINEL MASTER and SENTINEL SENTINELS at each Sentinel",
    SENTINEL,
);

pub(super) const SENTINEL_DOWN_AFTER: Texts = (
    "The Sentinels act soon, and not on a short pause",
    "The Sentinels act late, on a short pause already, or at different times",
    "The primary is unavailable for at least this time before a failover begins. Below a second, a fork, a slow command or a full disk \
     makes a healthy primary fail over; above ten seconds, services wait without need.",
    "SENTINEL MASTER at each Sentinel",
    SENTINEL,
);
