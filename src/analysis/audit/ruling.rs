//! Result of a rule: severity, evidence, remedies.

use schemars::JsonSchema;
use serde::Serialize;
use strum::{EnumDiscriminants, VariantArray};

/// Rules of the audit, in the order in which they are reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, VariantArray)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the report says what each asks")]
pub enum Rule {
    DefaultUser,
    OtherUsers,
    ServiceLogin,
    PasswordStrength,
    LeastPrivilege,
    DangerousCommands,
    Encryption,
    ProtectedMode,
    MemoryLimit,
    MemoryFull,
    MemoryHeadroom,
    MemoryOversized,
    EvictionPolicy,
    Fragmentation,
    Evictions,
    BigKeys,
    HotKeys,
    MaxClients,
    IdleTimeout,
    TcpKeepalive,
    TcpBacklog,
    RejectedConnections,
    Persistence,
    RdbCompression,
    RdbChecksum,
    AofPolicy,
    LastSave,
    Replication,
    NodesAnswer,
    ReplicaHost,
    ReplicaLink,
    MinReplicas,
    SlotCoverage,
    SlotBalance,
    FullCoverage,
    SentinelCount,
    SentinelQuorum,
    SentinelAgreement,
    SentinelDownAfter,
    SlowlogThreshold,
    SlowlogLength,
    LatencyMonitor,
    HitRate,
    SharedDatabase,
    ExpensiveCommands,
    IoThreads,
    HugePages,
    Overcommit,
    Version,
    Dependencies,
}

/// Severity of a ruling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// The rule holds.
    Passed,
    /// The facts that the rule reads are unknown.
    Unknown,
    /// Worth knowing; nothing is wrong.
    Note,
    /// Wrong, and will hurt some day.
    Warning,
    /// Wrong, and dangerous now.
    Critical,
}

/// One rule compared with one thing.
#[derive(Debug, Clone, PartialEq)]
pub struct Ruling {
    /// The rule.
    pub rule: Rule,
    /// The outcome.
    pub severity: Severity,
    /// Subject, where the rule applies to several: a user, a service, a command.
    pub about: Option<String>,
    /// Nodes that the ruling is about; `None` for all together, and for a server that stands alone.
    pub scope: Option<Scope>,
    /// Evidence.
    pub evidence: Vec<Evidence>,
    /// Remedies; empty where the rule holds.
    pub remedies: Vec<Remedy>,
}

/// Nodes that a ruling is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// Their addresses.
    pub nodes: Vec<String>,
    /// Number of nodes to which the rule was applied.
    pub judged: usize,
    /// Number of all nodes.
    pub known: usize,
    /// Whether the rule was applied to all primaries that answer, and to no replica.
    pub primaries: bool,
}

/// One fact that a ruling rests on.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// Its name, as the server or the report has it.
    pub what: &'static str,
    /// Its value.
    pub value: Quantity,
}

/// A value with its unit.
#[derive(Debug, Clone, PartialEq)]
pub enum Quantity {
    /// Words.
    Text(String),
    /// Things.
    Count(u64),
    /// Bytes.
    Bytes(u64),
    /// A duration in nanoseconds.
    Nanos(f64),
    /// Seconds that something has lasted.
    Age(u64),
    /// A share, 0..=1.
    Share(f64),
    /// A ratio.
    Ratio(f64),
}

/// Remedy of a ruling, exact enough to copy.
#[derive(Debug, Clone, PartialEq, Eq, EnumDiscriminants)]
#[strum_discriminants(
    name(RemedyName),
    derive(Serialize, JsonSchema),
    serde(rename_all = "kebab-case"),
    doc = "Name of a kind of remedy, for programs."
)]
pub enum Remedy {
    /// A command for the server.
    Command(String),
    /// A setting: by command at run time, and as a line of the configuration file.
    Setting {
        /// Its name.
        name: &'static str,
        /// The proposed value.
        value: String,
    },
    /// Lines of the configuration file; the server has to be restarted.
    Configuration(Vec<String>),
    /// A command for a shell on the server's machine.
    Shell(String),
    /// A line for another place.
    Elsewhere {
        /// Where it belongs, as a heading.
        place: &'static str,
        /// The line.
        line: String,
    },
    /// A line of the scenario, and so of the application that it stands for.
    Scenario(String),
}

impl Ruling {
    /// A ruling without evidence as yet.
    pub(super) fn new(rule: Rule, severity: Severity) -> Self {
        Self { rule, severity, about: None, scope: None, evidence: Vec::new(), remedies: Vec::new() }
    }

    /// The same about one of several things.
    pub(super) fn about(self, about: impl Into<String>) -> Self {
        Self { about: Some(about.into()), ..self }
    }

    /// The same with one more fact.
    pub(super) fn with(mut self, what: &'static str, value: impl Into<Quantity>) -> Self {
        self.evidence.push(Evidence { what, value: value.into() });
        self
    }

    /// The same with one more fact, if that is known.
    pub(super) fn with_known(self, what: &'static str, value: Option<impl Into<Quantity>>) -> Self {
        match value {
            Some(value) => self.with(what, value),
            None => self,
        }
    }

    /// The same with a way to change it, unless the rule holds.
    pub(super) fn remedy(mut self, remedy: Remedy) -> Self {
        if self.severity > Severity::Unknown {
            self.remedies.push(remedy);
        }
        self
    }

    /// The same with a setting that would change it, unless the rule holds.
    pub(super) fn setting(self, name: &'static str, value: impl Into<String>) -> Self {
        self.remedy(Remedy::Setting { name, value: value.into() })
    }
}

impl From<&str> for Quantity {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Quantity {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}
