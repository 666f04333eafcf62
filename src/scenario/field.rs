//! How the fields of a scenario file are declared: name, meaning, shape and default, in tables that the reader, the
//! overrides and the JSON Schema all go by.

use std::time::Duration;

use super::{action, duration::format_duration};

/// A table of the file.
#[derive(Debug)]
pub(super) struct Table {
    /// Name in messages and in the schema.
    pub name: &'static str,
    /// Description, one sentence.
    pub about: &'static str,
    /// All that may stand in it.
    pub fields: &'static [Field],
    /// Where one field decides which of the others may be there.
    pub variants: Option<Variants>,
}

/// Variants of a table, distinguished by the word in one of its fields.
#[derive(Debug)]
pub(super) struct Variants {
    /// The field that holds the word.
    pub tag: &'static str,
    /// Whether the bare word is accepted in place of the table.
    pub shorthand: bool,
    /// The variants.
    pub list: fn() -> Vec<Variant>,
}

/// One variant of a table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Variant {
    /// The word that chooses it.
    pub word: &'static str,
    /// The fields that it takes, beside those that every variant takes.
    pub takes: &'static [&'static str],
    /// Fields that are required in this variant, whatever their own declaration says.
    pub requires: &'static [&'static str],
}

/// A field of a table.
#[derive(Debug)]
pub(super) struct Field {
    /// Its name.
    pub name: &'static str,
    /// Description.
    pub about: &'static str,
    /// Permitted values.
    pub shape: Shape,
    /// Meaning of an absent field.
    pub presence: Presence,
}

/// Meaning of an absent field.
#[derive(Debug, Clone, Copy)]
pub(super) enum Presence {
    /// An error, wherever the variant takes the field.
    Required,
    /// This value.
    Default(Value),
    /// Something that depends on other fields, in words.
    Otherwise(&'static str),
}

/// A default.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value {
    Integer(i64),
    Number(f64),
    Word(&'static str),
    Flag(bool),
}

/// Permitted values of a field. All bounds are inclusive.
#[derive(Debug)]
pub(super) enum Shape {
    Text(Format),
    Texts,
    /// Commands, each a list of its words.
    Commands,
    /// One word of a list.
    Choice {
        noun: &'static str,
        words: &'static [&'static str],
    },
    /// The word that chooses the variant of the table.
    Tag,
    Integer {
        min: i64,
        max: i64,
    },
    Number {
        min: f64,
        max: f64,
    },
    Duration {
        min: Duration,
        max: Duration,
    },
    Flag,
    Table(&'static Table),
    /// A list of at least one table, each of the closest kind.
    Tables(&'static [&'static Table]),
    AnyOf(&'static [Shape]),
}

/// Permitted form of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// Letters, digits, `-` and `_`: safe as a file name and in `--set` paths.
    Name,
    /// At least one character, no white space.
    Token,
    /// Begins with `tcp://` or `http://`, no white space; the rest is for the reader.
    Address,
    /// Begins with the word of an action; the rest is for the reader.
    Action,
    /// At least one character.
    Filled,
    /// Anything.
    Free,
}

impl Table {
    /// The declaration of a field.
    pub(super) fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// Names of all fields.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.fields.iter().map(|field| field.name)
    }

    /// Its variants; none if it has but one form.
    pub(super) fn variants(&self) -> Vec<Variant> {
        self.variants.as_ref().map_or_else(Vec::new, |variants| (variants.list)())
    }

    /// The words that may stand in its tag.
    pub(super) fn words(&self) -> Vec<&'static str> {
        self.variants().iter().map(|variant| variant.word).collect()
    }

    /// Names of the fields that a variant takes.
    pub(super) fn taken_by(&self, variant: Variant) -> Vec<&'static str> {
        let owned: Vec<_> = self.variants().iter().flat_map(|other| other.takes).copied().collect();
        self.names().filter(|name| variant.takes.contains(name) || !owned.contains(name)).collect()
    }
}

impl Shape {
    /// The table that may stand there, if this is one.
    pub(super) fn as_table(&self) -> Option<&'static Table> {
        match self {
            Self::Table(table) => Some(table),
            _ => None,
        }
    }

    /// Description of the permitted values, a phrase that follows "is not".
    pub(super) fn expected(&self) -> String {
        match self {
            Self::Text(Format::Name) => r#"a name (1 to 64 letters, digits, "-" and "_")"#.to_owned(),
            Self::Text(Format::Token) => "a string without white space".to_owned(),
            Self::Text(Format::Address) => "an address that begins with tcp:// or http://".to_owned(),
            Self::Text(Format::Action) => format!("an action ({})", action::forms()),
            Self::Text(Format::Filled) => "a non-empty string".to_owned(),
            Self::Text(Format::Free) => "a text".to_owned(),
            Self::Texts => "a list of at least one string".to_owned(),
            Self::Commands => "a list of at least one command, each a list of its words".to_owned(),
            Self::Choice { noun, .. } => with_article(noun),
            Self::Tag => "a word".to_owned(),
            Self::Integer { min, max } => format!("a whole number from {} to {}", grouped(*min), grouped(*max)),
            Self::Number { min, max } => format!("a number from {min} to {max}"),
            Self::Duration { min, max } => {
                format!(r#"a duration from "{}" to "{}""#, format_duration(*min), format_duration(*max))
            }
            Self::Flag => "true or false".to_owned(),
            Self::Table(table) => match &table.variants {
                Some(variants) if variants.shorthand => format!("{} or a table", with_article(variants.tag)),
                _ => format!("a table of {}", table.names().collect::<Vec<_>>().join(", ")),
            },
            Self::Tables(_) => "a list of at least one table".to_owned(),
            Self::AnyOf(shapes) => shapes.iter().map(Self::expected).collect::<Vec<_>>().join(", or "),
        }
    }
}

impl Format {
    /// Whether a text has this form.
    pub(super) fn accepts(self, text: &str) -> bool {
        match self {
            Self::Name => {
                (1..=64).contains(&text.len())
                    && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
            }
            Self::Token => !text.is_empty() && !text.contains(char::is_whitespace),
            Self::Address => {
                let rest = ["tcp://", "http://"].iter().find_map(|scheme| text.strip_prefix(scheme));
                rest.is_some_and(|rest| Self::Token.accepts(rest))
            }
            Self::Action => {
                let words = ["kill:", "stop:", "restart:", "reshard:", "config:", "exec:"];
                let rest = words.iter().find_map(|word| text.strip_prefix(word));
                text == "failover" || rest.is_some_and(|rest| !rest.is_empty())
            }
            Self::Filled => !text.is_empty(),
            Self::Free => true,
        }
    }
}

/// The noun with its article.
pub(super) fn with_article(noun: &str) -> String {
    let article = if noun.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {noun}")
}

/// A whole number with its thousands set apart, as TOML allows.
pub(super) fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    format!("{}{}", if number < 0 { "-" } else { "" }, groups.join("_"))
}

/// A field.
pub(super) const fn field(name: &'static str, about: &'static str, shape: Shape, presence: Presence) -> Field {
    Field { name, about, shape, presence }
}

/// A whole number.
pub(super) const fn whole(min: i64, max: i64) -> Shape {
    Shape::Integer { min, max }
}

/// A duration between two numbers of milliseconds.
pub(super) const fn duration(min: u64, max: u64) -> Shape {
    Shape::Duration { min: Duration::from_millis(min), max: Duration::from_millis(max) }
}

/// A whole number as default.
pub(super) const fn integer(default: i64) -> Presence {
    Presence::Default(Value::Integer(default))
}

/// A flag as default.
pub(super) const fn flag(default: bool) -> Presence {
    Presence::Default(Value::Flag(default))
}

/// A number as default.
pub(super) const fn number(default: f64) -> Presence {
    Presence::Default(Value::Number(default))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_thousands_apart() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_000), "1_000");
        assert_eq!(grouped(-12_345_678), "-12_345_678");
    }

    #[test]
    fn names_are_safe_in_paths() {
        assert!(Format::Name.accepts("lwe-app_2"));
        for bad in ["", "a.b", "a/b", "a b", "é", &"x".repeat(65)] {
            assert!(!Format::Name.accepts(bad), "{bad}");
        }
    }
}
