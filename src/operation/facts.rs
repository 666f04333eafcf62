//! Facts about commands, of which the table gives one of each kind for every command.

use strum::{EnumString, VariantNames};

/// Effect of a command on the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Reads.
    Read,
    /// Writes.
    Write,
    /// Touches no data.
    Neither,
}

/// Type of data that a command works on. Each has keys of its own under the service's prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DataType {
    /// No key at all.
    None,
    /// Strings of the service's value size.
    String,
    /// Strings that hold an integer.
    Counter,
    /// Strings that grow by `APPEND`.
    Text,
    /// Hashes.
    Hash,
    /// Lists.
    List,
    /// Sets.
    Set,
    /// Sorted sets.
    SortedSet,
    /// Streams.
    Stream,
}

/// Keys that a request of a command names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keys {
    /// No key.
    NoKey,
    /// A channel, which is numbered like a key.
    Channel,
    /// One key.
    One,
    /// As many keys as the parameter `batch` says.
    Batch,
    /// One key of any type of data: behind another command of a sequence, that command's key.
    AnyOne,
    /// As many keys of any type as the parameter `batch` says; behind another command of a sequence, that command's keys.
    AnyBatch,
}

/// Whether a command may take away what reads of the same type of data expect to find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// Takes nothing away.
    Never,
    /// Takes keys away when the expiry is over that the parameter `expire` gives.
    ByExpiry,
    /// Removes keys or elements, or has unknown effects.
    Possibly,
}

/// Second command that keeps the data as it was after a command of the scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upkeep {
    /// Nothing to keep in shape.
    NoUpkeep,
    /// Trims a long list at its tail: `LTRIM`.
    TrimTail,
    /// Trims a long list at its head: `LTRIM`.
    TrimHead,
    /// Fills an empty list: `RPUSH`.
    Refill,
    /// Replaces a long text by one value: `SET`.
    Replace,
    /// Writes keys anew that are gone: `MSET`.
    RestoreKeys,
    /// Writes fields anew that are gone: `HSET`.
    RestoreFields,
    /// Adds members again that are gone: `SADD`.
    RestoreMembers,
    /// Adds members with scores again that are gone: `ZADD`.
    RestoreScores,
}

/// Part of a reply that shows what was found and what was missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hits {
    /// The reply does not report it.
    Untold,
    /// One element or nil.
    Element,
    /// One element or nil without a count, else as [`Hits::Range`].
    Popped,
    /// As many elements as were asked for, each of them possibly nil.
    Elements,
    /// Elements; none if there is no such key.
    Range,
    /// Number of those found among the keys, fields or members asked for.
    Found,
    /// A length; 0 without a key.
    Length,
    /// Seconds; -2 without a key.
    Remaining,
    /// Whatever the scenario says of a command in its own words.
    ByRule(HitRule),
}

/// Rule of a scenario by which the reply to a command is a hit; any other reply is a miss.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub enum HitRule {
    /// Any reply but nil.
    NonNull,
    /// Any reply but nil, an empty string, and an array, set or map without elements.
    NonEmpty,
    /// An integer above 0, and an array, set or map that has one among its elements or values.
    Count,
}

impl DataType {
    /// Whether its keys hold elements, so that `keys` and `members` give its shape.
    pub fn is_collection(self) -> bool {
        matches!(self, Self::Hash | Self::List | Self::Set | Self::SortedSet | Self::Stream)
    }

    /// Its name in the plural, for messages.
    pub fn plural(self) -> &'static str {
        match self {
            Self::None => "channels",
            Self::String => "strings",
            Self::Counter => "counters",
            Self::Text => "texts",
            Self::Hash => "hashes",
            Self::List => "lists",
            Self::Set => "sets",
            Self::SortedSet => "sorted sets",
            Self::Stream => "streams",
        }
    }
}

impl Keys {
    /// Whether the parameter `batch` gives the number of keys.
    pub fn is_batch(self) -> bool {
        matches!(self, Self::Batch | Self::AnyBatch)
    }

    /// Whether the keys may be of any type of data.
    pub fn is_any(self) -> bool {
        matches!(self, Self::AnyOne | Self::AnyBatch)
    }
}
