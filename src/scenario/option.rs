//! Fields of services that have an option of their own, which sets them for all services: `--client wire`, `--protocol 3`.

use strum::VariantNames as _;

use super::model::{Client, Protocol};

/// The fields, which are named as their options, and the words that they take.
const OPTIONS: [(&str, &[&str]); 2] = [("client", Client::VARIANTS), ("protocol", Protocol::VARIANTS)];

/// A field of all services with its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServiceOption {
    field: &'static str,
    word: &'static str,
}

impl ServiceOption {
    /// The words that a field takes; none for a field without an option.
    pub fn words(field: &str) -> &'static [&'static str] {
        OPTIONS.iter().find(|(name, _)| *name == field).map_or(&[], |(_, words)| words)
    }

    /// A field with a word; `None` for a field without an option.
    pub fn parse(field: &str, word: &str) -> Option<Result<Self, String>> {
        let (field, words) = OPTIONS.iter().find(|(name, _)| *name == field)?;
        let known = words.iter().find(|known| **known == word);
        Some(known.map(|word| Self { field, word }).ok_or_else(|| {
            let expected: Vec<_> = words.iter().map(|word| format!("{field}={word}")).collect();
            format!("`{word}` is not a {field}: expected {}", expected.join(" or "))
        }))
    }

    /// Name of the field and of the option.
    pub fn field(self) -> &'static str {
        self.field
    }

    /// The value.
    pub fn word(self) -> &'static str {
        self.word
    }
}

impl From<Client> for ServiceOption {
    fn from(client: Client) -> Self {
        Self { field: "client", word: client.into() }
    }
}

impl From<Protocol> for ServiceOption {
    fn from(protocol: Protocol) -> Self {
        Self { field: "protocol", word: protocol.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_option_takes_its_words() {
        assert_eq!(ServiceOption::parse("client", "wire"), Some(Ok(Client::Wire.into())));
        assert_eq!(ServiceOption::parse("protocol", "3"), Some(Ok(Protocol::Resp3.into())));
        let refused = ServiceOption::parse("protocol", "4").unwrap().unwrap_err();
        assert_eq!(refused, "`4` is not a protocol: expected protocol=2 or protocol=3");
        assert_eq!(ServiceOption::parse("database", "1"), None);
        assert_eq!(ServiceOption::words("client"), ["fred", "wire"]);
    }
}
