//! Errors for fields and values that a section does not accept.

use std::collections::HashMap;

use toml::{Spanned, de::DeValue};

use super::{Entries, Section, as_number};
use crate::scenario::{
    action::EventAction,
    duration::parse_duration,
    errors::hint,
    field::{Format, Shape, with_article},
};

impl Section<'_> {
    /// Keeps an error about a value that is not what its field takes.
    pub(super) fn mismatch(&self, name: &str, value: &Spanned<DeValue<'_>>) {
        let shape = &self.declared(name).shape;
        let expected = match (shape, &self.table.variants) {
            (Shape::Tag, Some(variants)) => with_article(variants.tag),
            _ => shape.expected(),
        };
        let given = self.document.quote(value);
        let words = match shape {
            Shape::Choice { words, .. } => words.to_vec(),
            Shape::Tag => self.table.words(),
            Shape::Table(table) if value.get_ref().is_str() => table.words(),
            _ => Vec::new(),
        };
        if name == "password" {
            // Whatever it is, it may be one; it is not shown.
            let message = "a scenario contains no password: use { env = \"NAME\" } or { file = \"PATH\" }";
            return self.reject(name, message);
        }
        let message = match (shape, value.get_ref()) {
            (Shape::Text(Format::Action), DeValue::String(text)) => {
                text.parse::<EventAction>().err().unwrap_or_else(|| format!("{given} is not {expected}"))
            }
            (Shape::Integer { .. }, DeValue::Integer(_)) => format!("{given} is out of range: expected {expected}"),
            (Shape::Number { .. }, number) if as_number(number).is_some() => {
                format!("{given} is out of range: expected {expected}")
            }
            (Shape::Duration { .. }, DeValue::String(text)) if parse_duration(text).is_ok() => {
                format!("{given} is out of range: expected {expected}")
            }
            _ if words.is_empty() => format!("{given} is not {expected}"),
            (_, wrong) => format!("{given} is not {expected}{}", hint(wrong.as_str().unwrap_or_default(), &words)),
        };
        self.reject(name, message);
    }

    /// Keeps an error about every field that may not stand here.
    pub(super) fn refuse_unknown_fields(&self) {
        let Entries::Table(entries) = self.entries else { return };
        let names: Vec<_> = self.table.names().collect();
        for (key, _) in entries {
            let name = key.get_ref().as_ref();
            let message =
                if names.contains(&name) { self.refusal_by_variant(name) } else { Some(self.refusal_of_unknown(name)) };
            if let Some(message) = message {
                self.document.reject(&key.span(), self.path.field(name), message);
            }
        }
    }

    /// Error for a field that is not declared.
    fn refusal_of_unknown(&self, name: &str) -> String {
        let inner = self
            .table
            .fields
            .iter()
            .find(|field| field.shape.as_table().is_some_and(|table| table.field(name).is_some()));
        match inner {
            Some(inner) => format!("unknown field; it belongs to {}", inner.name),
            None => format!("unknown field{}", hint(name, &self.taken())),
        }
    }

    /// Error for a declared field that the variant does not accept.
    fn refusal_by_variant(&self, name: &str) -> Option<String> {
        let variant = self.variant?;
        let tag = self.table.variants.as_ref()?.tag;
        let taken = self.taken();
        if taken.contains(&name) {
            return None;
        }
        Some(format!(r#"not a field of {tag} "{}", which has {}"#, variant.word, taken.join(", ")))
    }

    /// Fields that may stand here.
    fn taken(&self) -> Vec<&'static str> {
        self.variant.map_or_else(|| self.table.names().collect(), |variant| self.table.taken_by(variant))
    }
}

/// Keeps an error about every section whose name an earlier one has.
pub(in crate::scenario) fn refuse_same_names(sections: &[Section<'_>]) {
    let mut lines = HashMap::new();
    for section in sections {
        let Some(name) = section.written("name") else { continue };
        if let Some(first) = lines.insert(name, section.line("name")) {
            section.reject("name", format!(r#"duplicate name "{name}", first used in line {first}"#));
        }
    }
}
