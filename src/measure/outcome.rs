//! Outcome of one request.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Success with what was found, or failure.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// A reply that is no error.
    Success {
        /// Keys, fields or members found.
        hits: u32,
        /// Number of keys that were not found.
        misses: u32,
        /// Payload received, in bytes.
        bytes: u32,
    },
    /// An error reply, a timeout or a lost connection.
    Failed(Failure),
}

impl Outcome {
    /// Whether the server answered, if only with an error.
    pub fn is_answer(&self) -> bool {
        match self {
            Self::Success { .. } => true,
            Self::Failed(failure) => failure.class.is_reply(),
        }
    }
}

/// Class of a failed request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Its class, by which failures are counted.
    pub class: ErrorClass,
    /// The message of the server or the client library.
    pub message: String,
}

macro_rules! error_classes {
    ($(#[doc = $about:literal] $variant:ident = $word:literal,)+) => {
        /// Classes of failure; the server's are named by the first word of its error reply.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum ErrorClass {
            $(#[doc = $about] #[serde(rename = $word)] $variant,)+
        }

        impl ErrorClass {
            /// Every class, in the order of its number.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The word that names the class in every output.
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            /// Description of the class, one sentence.
            fn about(self) -> &'static str {
                match self {
                    $(Self::$variant => $about.trim_ascii(),)+
                }
            }
        }
    };
}

error_classes! {
    /// No reply within the pool's `command_timeout`.
    Timeout = "timeout",
    /// No connection within the pool's `checkout_timeout`.
    CheckoutTimeout = "checkout timeout",
    /// The connection broke while the request was under way.
    ConnectionLost = "connection lost",
    /// A reply that the client library could not read.
    Protocol = "protocol",
    /// Out of memory under `noeviction`.
    Oom = "OOM",
    /// The user lacks a permission.
    Noperm = "NOPERM",
    /// Not authenticated.
    Noauth = "NOAUTH",
    /// Wrong user name or password.
    Wrongpass = "WRONGPASS",
    /// The key holds another type.
    Wrongtype = "WRONGTYPE",
    /// The server is reading its data set.
    Loading = "LOADING",
    /// A replica that takes no writes.
    Readonly = "READONLY",
    /// A replica whose primary is away.
    Masterdown = "MASTERDOWN",
    /// Too few replicas to take writes.
    Noreplicas = "NOREPLICAS",
    /// A script occupies the server.
    Busy = "BUSY",
    /// A cluster slot is being moved.
    Tryagain = "TRYAGAIN",
    /// The slot lives elsewhere.
    Moved = "MOVED",
    /// The slot is on its way elsewhere.
    Ask = "ASK",
    /// The cluster is not serving.
    Clusterdown = "CLUSTERDOWN",
    /// Keys of one command in different slots.
    Crossslot = "CROSSSLOT",
    /// Writes are refused because persistence fails.
    Misconf = "MISCONF",
    /// Unknown script.
    Noscript = "NOSCRIPT",
    /// A transaction was abandoned.
    Execabort = "EXECABORT",
    /// Any error reply that starts with `ERR`.
    Err = "ERR",
    /// An error reply that starts with a word not listed here.
    Other = "other",
}

impl ErrorClass {
    /// The class of a server's error reply, by its first word.
    pub fn of_reply(reply: &str) -> Self {
        let word = reply.trim_start_matches('-').split([' ', ':']).next().unwrap_or_default();
        Self::ALL.iter().copied().find(|class| class.is_reply() && class.word() == word).unwrap_or(Self::Other)
    }

    /// Whether it is the server's own error reply, and not a failure that the harness observed.
    pub fn is_reply(self) -> bool {
        !matches!(self, Self::Timeout | Self::CheckoutTimeout | Self::ConnectionLost | Self::Protocol)
    }
}

/// Schema of a map from classes of failure to values.
pub(super) fn by_class<V: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    let value = generator.subschema_for::<V>();
    let described = |class: &ErrorClass| {
        let mut value = value.clone();
        value.insert("description".to_owned(), class.about().into());
        (class.word().to_owned(), value.to_value())
    };
    let properties: Map<String, Value> = ErrorClass::ALL.iter().map(described).collect();
    json_schema!({ "type": "object", "properties": properties, "additionalProperties": false })
}

impl fmt::Display for ErrorClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classifies_by_the_first_word_of_the_reply() {
        assert_eq!(ErrorClass::of_reply("WRONGTYPE Operation against a key"), ErrorClass::Wrongtype);
        assert_eq!(ErrorClass::of_reply("-OOM command not allowed"), ErrorClass::Oom);
        assert_eq!(ErrorClass::of_reply("ERR unknown command"), ErrorClass::Err);
        assert_eq!(ErrorClass::of_reply("timeout"), ErrorClass::Other, "the harness's own words are no replies");
        assert_eq!(ErrorClass::of_reply(""), ErrorClass::Other);
    }
}
