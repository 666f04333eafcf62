//! The verdict of a run, of a comparison, or of a check.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use serde_json::json;

/// The verdict of a run on its objective, of a comparison, or of a check of `plimsoll ci`; the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// The objective is met, there is no regression, or the check passed.
    Pass,
    /// Better than the reference.
    Improved,
    /// The measurement does not suffice to decide.
    Inconclusive,
    /// The user ended the measurement before there was a verdict.
    Interrupted,
    /// Another thing was measured than in the reference, or there is no reference.
    NotComparable,
    /// The measurement cannot be trusted, or was not possible.
    Invalid,
    /// The objective is missed, there is a regression, or the check failed.
    Fail,
}

impl Verdict {
    /// The verdict of a comparison as that of a check.
    #[must_use]
    pub fn as_check(self) -> Self {
        match self {
            Self::Improved => Self::Pass,
            Self::NotComparable => Self::Invalid,
            other => other,
        }
    }

    /// The verdict of a comparison that is only a hint: a regression on a server that others use, or on a machine that may have
    /// been slower for a night, is a reason to look closer.
    #[must_use]
    pub fn as_hint(self) -> Self {
        match self {
            Self::Fail | Self::NotComparable => Self::Inconclusive,
            other => other,
        }
    }
}

/// Defines the words of verdicts on one kind of thing, in files and in outputs for programs.
macro_rules! words {
    (#[doc = $about:literal] $name:ident: $($verdict:ident $word:literal $meaning:literal,)+) => {
        #[doc = $about]
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $name(pub Verdict);

        impl $name {
            /// Every verdict that has a word.
            pub const ALL: &'static [Verdict] = &[$(Verdict::$verdict),+];

            /// Word of a verdict.
            pub fn word(verdict: Verdict) -> &'static str {
                match verdict {
                    $(Verdict::$verdict => $word,)+
                    _ => "invalid",
                }
            }

            /// Serialises a verdict as its word.
            pub fn serialize<S: Serializer>(verdict: &Verdict, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(Self::word(*verdict))
            }

            /// Deserialises a verdict from its word.
            pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Verdict, D::Error> {
                match String::deserialize(deserializer)?.as_str() {
                    $($word => Ok(Verdict::$verdict),)+
                    other => Err(D::Error::unknown_variant(other, &[$($word),+])),
                }
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                Self::serialize(&self.0, serializer)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                let words = [$(json!({ "description": $meaning, "type": "string", "const": $word })),+];
                json_schema!({ "description": $about.trim(), "oneOf": words })
            }
        }
    };
}

words! {
    /// Verdict of a run, or of a row of it.
    InRun:
    Pass "pass" "The objective is met.",
    Fail "fail" "The objective is missed.",
    Inconclusive "inconclusive" "The measurement does not suffice to decide.",
    Invalid "invalid" "The measurement cannot be trusted.",
}

words! {
    /// Verdict of a comparison with a baseline.
    InComparison:
    Fail "regression" "Worse than the baseline.",
    Pass "ok" "Not worse, as far as the comparison can see.",
    Improved "improved" "Better than the baseline.",
    Inconclusive "inconclusive" "It cannot be decided.",
    Invalid "invalid" "The run cannot be trusted.",
    NotComparable "not_comparable" "Another thing was measured, or there is no run to compare with.",
}

words! {
    /// Verdict of a gate.
    InGate:
    Fail "regression" "B is worse, and was so again on fresh blocks.",
    Pass "ok" "B is not worse by as much as matters.",
    Improved "improved" "B is better, for certain and by as much as matters.",
    Inconclusive "inconclusive" "The gate cannot decide.",
    Invalid "invalid" "The measurement cannot be trusted.",
}

words! {
    /// Outcome of a check of `plimsoll ci`, the best first.
    InCheck:
    Pass "passed" "As it should be.",
    Inconclusive "inconclusive" "It could not be decided.",
    Interrupted "interrupted" "It was not tried, or not to its end, since the user ended everything before.",
    Invalid "invalid" "It could not be measured, or not so that it could be trusted.",
    Fail "failed" "Not as it should be.",
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn words_of_files_are_read_and_others_are_refused() {
        let read = |word: &str| InCheck::deserialize(Value::from(word));
        assert_eq!(read("failed").unwrap(), Verdict::Fail);
        let refusal = read("fail").unwrap_err().to_string();
        assert!(refusal.contains("unknown variant `fail`, expected one of `passed`"), "{refusal}");
        assert_eq!(serde_json::to_string(&InComparison(Verdict::NotComparable)).unwrap(), "\"not_comparable\"");
    }

    #[test]
    fn worse_verdicts_are_larger() {
        assert!(Verdict::Pass < Verdict::Inconclusive && Verdict::Inconclusive < Verdict::Invalid);
        assert_eq!(InCheck::ALL.iter().max(), Some(&Verdict::Fail));
        assert_eq!([Verdict::Fail, Verdict::NotComparable].map(Verdict::as_hint), [Verdict::Inconclusive; 2]);
    }
}
