//! Topologies of private servers.

use std::{fmt, ops::RangeInclusive, str::FromStr};

/// Primaries that a private cluster may have.
const PRIMARIES: RangeInclusive<usize> = 1..=16;

/// Replicas that each of its primaries may have.
const REPLICAS: RangeInclusive<usize> = 0..=3;

/// Replicas of each primary of a cluster, unless another number is given.
const DEFAULT_REPLICAS: usize = 1;

/// Replicas, and Sentinels, of a primary with automatic failover: the smallest numbers of the Sentinel documentation.
const WATCHED_REPLICAS: usize = 2;
const SENTINELS: usize = 3;

/// The servers of a private deployment, and how they belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PrivateTopology {
    /// One server.
    #[default]
    Standalone,
    /// A primary with one replica.
    Replica,
    /// A primary with two replicas, and three Sentinels that promote a replica when the primary fails.
    Sentinel,
    /// Primaries that serve an equal share of the slots each, with replicas that take over when their primary fails.
    Cluster {
        /// Number of primaries.
        primaries: usize,
        /// Number of replicas of each primary.
        replicas: usize,
    },
}

/// Role that a node starts in. A failover changes the roles, but not these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrivateRole {
    /// A server that takes writes.
    Primary,
    /// A copy of a primary.
    Replica {
        /// Index of the primary among the nodes.
        of: usize,
    },
    /// A Sentinel.
    Sentinel,
}

impl PrivateTopology {
    /// Role of each node: primaries first, then replicas, then Sentinels.
    pub(super) fn roles(self) -> Vec<PrivateRole> {
        let (primaries, replicas, sentinels) = match self {
            Self::Standalone => (1, 0, 0),
            Self::Replica => (1, 1, 0),
            Self::Sentinel => (1, WATCHED_REPLICAS, SENTINELS),
            Self::Cluster { primaries, replicas } => (primaries, replicas, 0),
        };
        let replicas = (0..primaries * replicas).map(|number| PrivateRole::Replica { of: number % primaries });
        let sentinels = std::iter::repeat_n(PrivateRole::Sentinel, sentinels);
        std::iter::repeat_n(PrivateRole::Primary, primaries).chain(replicas).chain(sentinels).collect()
    }

    /// Whether the slots are divided among the primaries.
    pub(super) fn is_cluster(self) -> bool {
        matches!(self, Self::Cluster { .. })
    }
}

impl FromStr for PrivateTopology {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (word, size) = text.split_once(':').map_or((text, None), |(word, size)| (word, Some(size)));
        match (word, size) {
            ("standalone", None) => Ok(Self::Standalone),
            ("replica", None) => Ok(Self::Replica),
            ("sentinel", None) => Ok(Self::Sentinel),
            ("cluster", None) => Ok(Self::Cluster { primaries: 3, replicas: DEFAULT_REPLICAS }),
            ("cluster", Some(size)) => cluster(size).ok_or_else(|| {
                format!(
                    "`{text}` is not a size of a cluster: expected cluster:PRIMARIES or cluster:PRIMARIESxREPLICAS, with {} to \
                     {} primaries and {} to {} replicas of each, such as cluster:3x1",
                    PRIMARIES.start(),
                    PRIMARIES.end(),
                    REPLICAS.start(),
                    REPLICAS.end()
                )
            }),
            _ => Err(format!(
                "`{text}` is not a topology: expected standalone, replica, sentinel, cluster or \
                 cluster:PRIMARIESxREPLICAS"
            )),
        }
    }
}

fn cluster(size: &str) -> Option<PrivateTopology> {
    let number = |text: &str| text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
    let (primaries, replicas) = match size.split_once('x') {
        Some((primaries, replicas)) => (number(primaries)?, number(replicas)?),
        None => (number(size)?, DEFAULT_REPLICAS),
    };
    let permitted = PRIMARIES.contains(&primaries) && REPLICAS.contains(&replicas);
    permitted.then_some(PrivateTopology::Cluster { primaries, replicas })
}

impl fmt::Display for PrivateTopology {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Standalone => f.write_str("standalone"),
            Self::Replica => f.write_str("replica"),
            Self::Sentinel => f.write_str("sentinel"),
            Self::Cluster { primaries, replicas } => write!(f, "cluster:{primaries}x{replicas}"),
        }
    }
}

impl fmt::Display for PrivateRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Primary => "primary",
            Self::Replica { .. } => "replica",
            Self::Sentinel => "Sentinel",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_a_word_for_each() {
        for (text, shown, nodes) in [
            ("standalone", "standalone", 1),
            ("replica", "replica", 2),
            ("sentinel", "sentinel", 6),
            ("cluster", "cluster:3x1", 6),
            ("cluster:5", "cluster:5x1", 10),
            ("cluster:1x0", "cluster:1x0", 1),
            ("cluster:16x3", "cluster:16x3", 64),
        ] {
            let topology: PrivateTopology = text.parse().unwrap();
            assert_eq!(topology.to_string(), shown);
            assert_eq!(shown.parse(), Ok(topology));
            assert_eq!(topology.roles().len(), nodes, "{text}");
        }
    }

    #[test]
    fn names_what_is_permitted() {
        for text in ["", "Cluster", "ring", "replica:2", "sentinel:5", "standalone:"] {
            let error = text.parse::<PrivateTopology>().unwrap_err();
            assert!(error.starts_with(&format!("`{text}` is not a topology")), "{error}");
            assert!(error.contains("standalone, replica, sentinel, cluster"), "{error}");
        }
        for text in ["cluster:", "cluster:0", "cluster:17", "cluster:3x4", "cluster:3x", "cluster:+3", "cluster:3x1x1"]
        {
            let error = text.parse::<PrivateTopology>().unwrap_err();
            assert!(error.contains("1 to 16 primaries and 0 to 3 replicas"), "{error}");
        }
    }

    #[test]
    fn divides_replicas_evenly() {
        let of = |node| PrivateRole::Replica { of: node };
        let roles = PrivateTopology::Cluster { primaries: 2, replicas: 2 }.roles();
        assert_eq!(roles, [PrivateRole::Primary, PrivateRole::Primary, of(0), of(1), of(0), of(1)]);
    }
}
