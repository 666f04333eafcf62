//! Words of `RAW` commands and arguments of scripts, with `{key}`, `{value}` and `{member}` to be filled in.

use bytes::Bytes;

/// One word, parsed once.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Word(Vec<Part>);

#[derive(Debug, Clone, PartialEq)]
enum Part {
    Literal(Bytes),
    Key,
    Value,
    Member,
}

/// Placeholder to fill in.
#[derive(Debug)]
pub(super) struct Filling {
    pub(super) key: Bytes,
    pub(super) value: Bytes,
    pub(super) member: Bytes,
}

impl Word {
    /// Takes a word apart. Other text in braces stands for itself.
    pub(super) fn parse(text: &str) -> Self {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let place = [("{key}", Part::Key), ("{value}", Part::Value), ("{member}", Part::Member)]
                .into_iter()
                .find_map(|(name, part)| rest.strip_prefix(name).map(|after| (part, after)));
            if let Some((part, after)) = place {
                if !literal.is_empty() {
                    parts.push(Part::Literal(std::mem::take(&mut literal).into()));
                }
                parts.push(part);
                rest = after;
            } else {
                literal.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
        if !literal.is_empty() || parts.is_empty() {
            parts.push(Part::Literal(literal.into()));
        }
        Self(parts)
    }

    /// Whether it begins with the key of the request, or with this prefix, and has no value in it.
    pub(super) fn may_be_key(&self, prefix: &str) -> bool {
        let begins = match self.0.first() {
            Some(Part::Key) => true,
            Some(Part::Literal(text)) => text.starts_with(prefix.as_bytes()),
            _ => false,
        };
        begins && !self.0.contains(&Part::Value)
    }

    /// Whether it is the key of the request and nothing else.
    pub(super) fn is_key(&self) -> bool {
        self.0 == [Part::Key]
    }

    /// The word as it is sent; a word that is all one part is not copied.
    pub(super) fn fill(&self, filling: &Filling) -> Bytes {
        match self.0.as_slice() {
            [part] => part.fill(filling).clone(),
            parts => parts.iter().flat_map(|part| part.fill(filling)).copied().collect(),
        }
    }
}

impl Part {
    fn fill<'a>(&'a self, filling: &'a Filling) -> &'a Bytes {
        match self {
            Self::Literal(text) => text,
            Self::Key => &filling.key,
            Self::Value => &filling.value,
            Self::Member => &filling.member,
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::{prop_assert_eq, proptest};

    use super::{Filling, Word};

    fn filling() -> Filling {
        Filling {
            key: Bytes::from_static(b"api:str:7"),
            value: Bytes::from_static(b"xyz"),
            member: Bytes::from_static(b"m3"),
        }
    }

    #[test]
    fn places_are_filled_wherever_they_stand() {
        for (text, sent) in [
            ("FT.SEARCH", "FT.SEARCH"),
            ("{key}", "api:str:7"),
            ("@id:{{member}}", "@id:{m3}"),
            ("{key}{value}", "api:str:7xyz"),
            ("a{value}b{unknown}", "axyzb{unknown}"),
            ("{ke{key}", "{keapi:str:7"),
            ("", ""),
        ] {
            assert_eq!(Word::parse(text).fill(&filling()), sent, "{text}");
        }
    }

    proptest! {
        #![proptest_config(crate::workload::sample::laws())]

        #[test]
        fn filling_is_replacing(text in "(\\{key\\}|\\{value\\}|\\{member\\}|[{}a-cé ]){0,12}") {
            let replaced = text.replace("{key}", "api:str:7").replace("{value}", "xyz").replace("{member}", "m3");
            prop_assert_eq!(Word::parse(&text).fill(&filling()), replaced);
        }
    }
}
