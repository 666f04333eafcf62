//! Reads the fields of a TOML document by their declarations and collects everything that is wrong with them.
//!
//! A getter answers `None` where the field is wrong (the error is kept) or absent without a default; a scenario is only
//! built when no error was kept.

pub(super) mod refusals;

use std::{ops::Range, time::Duration};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    duration::parse_duration,
    errors::{Path, hint},
    field::{Field, Format, Presence, Shape, Table, Value, Variant, with_article},
    text::Document,
};

/// A table of the document, read by its declaration.
pub(super) struct Section<'a> {
    document: &'a Document<'a>,
    table: &'static Table,
    entries: Entries<'a>,
    /// Where it stands in the text: its header, or itself where it is inline; its parent's place if it is absent.
    at: Range<usize>,
    path: Path,
    variant: Option<Variant>,
}

/// Declaration of a section: the fields it accepts.
#[derive(Clone, Copy)]
enum Entries<'a> {
    Absent,
    /// The bare word that stands for the table.
    Shorthand(&'a str),
    Table(&'a DeTable<'a>),
}

/// The shape that was found where several are permitted.
pub(super) enum Alternative<'a> {
    Integer(i64),
    Section(Section<'a>),
}

impl<'a> Section<'a> {
    /// The whole document.
    pub(super) fn root(document: &'a Document<'a>, table: &'static Table, entries: &'a DeTable<'a>) -> Self {
        Self::new(document, table, Entries::Table(entries), 0..0, Path::default())
    }

    fn new(
        document: &'a Document<'a>,
        table: &'static Table,
        entries: Entries<'a>,
        at: Range<usize>,
        path: Path,
    ) -> Self {
        let mut section = Self { document, table, entries, at, path, variant: None };
        section.variant = section.read_variant();
        section.refuse_unknown_fields();
        section
    }

    /// Name of the declaration that it is read by.
    pub(super) fn name(&self) -> &'static str {
        self.table.name
    }

    /// The word that chose its variant; `None` if that is wrong.
    pub(super) fn variant(&self) -> Option<&'static str> {
        self.variant.map(|variant| variant.word)
    }

    /// Whether the field is present.
    pub(super) fn gives(&self, name: &str) -> bool {
        self.value(name).is_some()
    }

    /// Keeps an error about a field.
    pub(super) fn reject(&self, name: &str, message: impl Into<String>) {
        self.document.reject(&self.place(name), self.path.field(name), message.into());
    }

    /// Keeps an error about a part of a field.
    pub(super) fn reject_at(&self, at: &Range<usize>, name: &str, message: impl Into<String>) {
        self.document.reject(at, self.path.field(name), message.into());
    }

    /// Where the value of a field stands in the text; the section itself if it is absent.
    pub(super) fn place(&self, name: &str) -> Range<usize> {
        self.value(name).map_or_else(|| self.at.clone(), Spanned::span)
    }

    /// The line of a field, from 1.
    pub(super) fn line(&self, name: &str) -> usize {
        self.document.line(&self.place(name))
    }

    /// A text as it is written, right or wrong.
    pub(super) fn written(&self, name: &str) -> Option<&'a str> {
        self.value(name)?.get_ref().as_str()
    }

    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.read(name, |field, value| match (&field.shape, value) {
            (Shape::Text(format), DeValue::String(text)) if format.accepts(text) => Some(text.to_string()),
            _ => None,
        })
        .or_else(|| self.default_word(name).map(str::to_owned))
    }

    pub(super) fn texts(&self, name: &str) -> Option<Vec<String>> {
        self.read(name, |_, value| texts(value))
    }

    /// Commands, each a list of its words.
    pub(super) fn commands(&self, name: &str) -> Option<Vec<Vec<String>>> {
        self.read(name, |_, value| items(value)?.iter().map(|item| texts(item.get_ref())).collect())
    }

    /// All texts of a list, and of the lists in it, with their places.
    pub(super) fn words(&self, name: &str) -> Vec<(&'a str, Range<usize>)> {
        let mut words = Vec::new();
        let mut pending: Vec<_> = self.value(name).into_iter().collect();
        while let Some(value) = pending.pop() {
            match value.get_ref() {
                DeValue::String(text) => words.push((text.as_ref(), value.span())),
                DeValue::Array(items) => pending.extend(items.iter()),
                _ => {}
            }
        }
        words
    }

    pub(super) fn choice(&self, name: &str) -> Option<&'static str> {
        self.read(name, |field, value| match &field.shape {
            Shape::Choice { words, .. } => words.iter().copied().find(|word| Some(*word) == value.as_str()),
            _ => None,
        })
        .or_else(|| self.default_word(name))
    }

    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        self.read(name, |_, value| value.as_bool()).or_else(|| match self.default(name)? {
            Value::Flag(flag) => Some(flag),
            _ => None,
        })
    }

    /// A whole number; its declared range fits the type that is asked for.
    pub(super) fn integer<T: TryFrom<i64>>(&self, name: &str) -> Option<T> {
        let number =
            self.read(name, |field, value| whole(&field.shape, value)).or_else(|| match self.default(name)? {
                Value::Integer(number) => Some(number),
                _ => None,
            })?;
        let fitting = T::try_from(number).ok();
        assert!(fitting.is_some(), "the declared range of {name} fits its type");
        fitting
    }

    pub(super) fn number(&self, name: &str) -> Option<f64> {
        self.read(name, |field, value| match &field.shape {
            Shape::Number { min, max } => as_number(value).filter(|number| (*min..=*max).contains(number)),
            _ => None,
        })
        .or_else(|| match self.default(name)? {
            Value::Number(number) => Some(number),
            _ => None,
        })
    }

    pub(super) fn duration(&self, name: &str) -> Option<Duration> {
        self.read(name, |field, value| match &field.shape {
            Shape::Duration { min, max } => {
                parse_duration(value.as_str()?).ok().filter(|duration| (min..=max).contains(&duration))
            }
            _ => None,
        })
        .or_else(|| parse_duration(self.default_word(name)?).ok())
    }

    /// A table in this one; an empty one if it is absent and need not be there.
    pub(super) fn section(&self, name: &str) -> Option<Section<'a>> {
        let Shape::Table(table) = &self.declared(name).shape else {
            return None;
        };
        let shorthand = table.variants.as_ref().is_some_and(|variants| variants.shorthand);
        match self.present(name)? {
            None => Some(self.inner(name, table, Entries::Absent)),
            Some(value) => match value.get_ref() {
                DeValue::Table(entries) => Some(self.inner(name, table, Entries::Table(entries))),
                DeValue::String(word) if shorthand => Some(self.inner(name, table, Entries::Shorthand(word))),
                _ => {
                    self.mismatch(name, value);
                    None
                }
            },
        }
    }

    /// The tables of a list in this one, each read by the declaration that fits best.
    pub(super) fn sections(&self, name: &str) -> Option<Vec<Section<'a>>> {
        let Shape::Tables(tables) = &self.declared(name).shape else {
            return None;
        };
        let value = self.present(name)??;
        let items: Option<Vec<_>> = value
            .get_ref()
            .as_array()
            .filter(|items| !items.is_empty())
            .and_then(|items| items.iter().map(|item| Some((item.get_ref().as_table()?, item.span()))).collect());
        let Some(items) = items else {
            self.mismatch(name, value);
            return None;
        };
        let section = |(index, (entries, at)): (usize, (&'a DeTable<'a>, _))| {
            let label = label(|name| find(entries, name)?.get_ref().as_str());
            let label = label.map_or_else(|| format!("#{}", index + 1), str::to_owned);
            let path = self.path.field(name).item(&label);
            Some(Section::new(
                self.document,
                closest(tables, |name| find(entries, name).is_some())?,
                Entries::Table(entries),
                at,
                path,
            ))
        };
        items.into_iter().enumerate().map(section).collect()
    }

    /// A field where one of several shapes may stand.
    pub(super) fn alternative(&self, name: &str) -> Option<Alternative<'a>> {
        let Shape::AnyOf(shapes) = &self.declared(name).shape else {
            return None;
        };
        let Some(value) = self.present(name)? else {
            return match self.default(name)? {
                Value::Integer(number) => Some(Alternative::Integer(number)),
                _ => None,
            };
        };
        let tables: Vec<_> = shapes.iter().filter_map(Shape::as_table).collect();
        let found = match value.get_ref() {
            DeValue::Table(entries) => closest(&tables, |name| find(entries, name).is_some())
                .map(|table| Alternative::Section(self.inner(name, table, Entries::Table(entries)))),
            other => shapes.iter().find_map(|shape| whole(shape, other)).map(Alternative::Integer),
        };
        if found.is_none() {
            self.mismatch(name, value);
        }
        found
    }

    fn inner(&self, name: &str, table: &'static Table, entries: Entries<'a>) -> Section<'a> {
        Section::new(self.document, table, entries, self.place(name), self.path.field(name))
    }

    fn declared(&self, name: &str) -> &'static Field {
        let field = self.table.field(name);
        field.unwrap_or_else(|| panic!("the declaration of {} has the field {name}", self.table.name))
    }

    fn value(&self, name: &str) -> Option<&'a Spanned<DeValue<'a>>> {
        match self.entries {
            Entries::Table(entries) => find(entries, name),
            Entries::Absent | Entries::Shorthand(_) => None,
        }
    }

    /// The value of a field if there is one; `None`, with an error, if there must be one.
    #[expect(clippy::option_option, reason = "wrong, absent and present are three things")]
    fn present(&self, name: &str) -> Option<Option<&'a Spanned<DeValue<'a>>>> {
        let field = self.declared(name);
        let value = self.value(name);
        let required = matches!(field.presence, Presence::Required)
            || self.variant.is_some_and(|variant| variant.requires.contains(&name));
        if value.is_none() && required {
            self.reject(name, format!("missing ({})", field.about));
            return None;
        }
        Some(value)
    }

    /// Reads a value that is there; a wrong one is kept as an error.
    fn read<T>(&self, name: &str, read: impl FnOnce(&Field, &DeValue<'a>) -> Option<T>) -> Option<T> {
        let value = self.present(name)??;
        let read = read(self.declared(name), value.get_ref());
        if read.is_none() {
            self.mismatch(name, value);
        }
        read
    }

    /// Default of an absent field; `None` for a field with an error.
    fn default(&self, name: &str) -> Option<Value> {
        match self.declared(name).presence {
            Presence::Default(value) if !self.gives(name) => Some(value),
            _ => None,
        }
    }

    fn default_word(&self, name: &str) -> Option<&'static str> {
        match self.default(name)? {
            Value::Word(word) => Some(word),
            _ => None,
        }
    }

    fn read_variant(&self) -> Option<Variant> {
        let variants = self.table.variants.as_ref()?;
        let list = (variants.list)();
        let find = |word: &str| list.iter().find(|variant| variant.word == word).copied();
        match self.entries {
            Entries::Shorthand(word) => {
                let found = find(word);
                if found.is_none() {
                    let message =
                        format!("\"{word}\" is not {}{}", with_article(variants.tag), hint(word, &self.table.words()));
                    self.document.reject(&self.at, self.path.clone(), message);
                }
                found
            }
            _ => self
                .read(variants.tag, |_, value| find(value.as_str()?))
                .or_else(|| find(self.default_word(variants.tag)?)),
        }
    }
}

/// Name of an item of a list in messages, made from the texts in its fields.
pub(super) fn label<'t>(text: impl Fn(&str) -> Option<&'t str>) -> Option<&'t str> {
    text("name").or_else(|| text("command")).filter(|label| Format::Token.accepts(label))
}

/// The declaration that knows most of the fields that are given; the first of several.
pub(super) fn closest(tables: &[&'static Table], gives: impl Fn(&str) -> bool) -> Option<&'static Table> {
    let known = |table: &Table| table.names().filter(|name| gives(name)).count();
    tables.iter().copied().reduce(|best, table| if known(table) > known(best) { table } else { best })
}

fn find<'a>(entries: &'a DeTable<'a>, name: &str) -> Option<&'a Spanned<DeValue<'a>>> {
    entries.iter().find(|(key, _)| key.get_ref() == name).map(|(_, value)| value)
}

/// The values of a list that is not empty.
fn items<'v, 'a>(value: &'v DeValue<'a>) -> Option<&'v [Spanned<DeValue<'a>>]> {
    value.as_array().map(|items| &items[..]).filter(|items| !items.is_empty())
}

fn texts(value: &DeValue<'_>) -> Option<Vec<String>> {
    items(value)?.iter().map(|item| item.get_ref().as_str().map(str::to_owned)).collect()
}

fn whole(shape: &Shape, value: &DeValue<'_>) -> Option<i64> {
    let Shape::Integer { min, max } = shape else { return None };
    let integer = value.as_integer()?;
    let number = i64::from_str_radix(integer.as_str(), integer.radix()).ok()?;
    (*min..=*max).contains(&number).then_some(number)
}

fn as_number(value: &DeValue<'_>) -> Option<f64> {
    match value {
        DeValue::Integer(integer) => {
            i64::from_str_radix(integer.as_str(), integer.radix()).ok().map(|number| number as f64)
        }
        DeValue::Float(float) => float.as_str().parse().ok().filter(|number: &f64| number.is_finite()),
        _ => None,
    }
}
