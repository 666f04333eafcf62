//! The data that a service finds when its load begins.

use bytes::Bytes;
use rand::RngExt;

use super::{
    draw::{Generator, Purpose, Root},
    keyspace::{Stem, count, data_types, numbered},
    value::{Values, chunk, text_limit, typical},
};
use crate::{
    operation::{Args, DataType, Kind, Request},
    scenario::{Scenario, Service},
};

/// Strings that one command writes, at most.
const STRINGS: u64 = 100;
/// Elements of a collection that one command writes, at most.
const ELEMENTS: u64 = 500;

/// Requests that write every key that a service's operations can ask for, in batches fit for pipelining.
///
/// Written twice, the data is no larger than once: lists are trimmed to their members, and streams too. Whether to
/// prefill at all is the scenario's word ([`crate::scenario::Phases::prefill`]), which this leaves to the caller.
#[derive(Debug)]
pub struct Prefill {
    values: Values,
    typical: u64,
    text_limit: u64,
    generator: Generator,
    parts: Vec<Part>,
    /// The part under way, and how many of its commands are done.
    part: usize,
    command: u64,
    written: u64,
}

/// Keys of one type, all alike. Strings count as elements of one nameless collection.
#[derive(Debug, Clone)]
struct Part {
    content: Content,
    stem: Stem,
    keys: u64,
    elements: u64,
    /// Elements of one command.
    chunk: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Content {
    Strings,
    Counters,
    Texts,
    Fields,
    NumberFields,
    List,
    Members,
    Scored,
    Entries,
}

impl Prefill {
    /// Prefill for the service at this index of the scenario.
    ///
    /// # Panics
    /// Where the index is out of range.
    pub fn new(scenario: &Scenario, service: usize) -> Self {
        let root = Root::new(scenario.seed, service);
        let service = &scenario.services[service];
        let text_limit = text_limit(service.values);
        Self {
            values: Values::new(service.values, text_limit, root),
            typical: typical(service.values),
            text_limit,
            generator: root.generator(Purpose::Prefill, 0, 0),
            parts: parts(service),
            part: 0,
            command: 0,
            written: 0,
        }
    }

    /// Elements that are written in all: strings, fields, members, elements of lists and entries of streams.
    pub fn elements(&self) -> u64 {
        self.parts.iter().map(|part| part.keys * part.elements).sum()
    }

    /// Keys that the requests drawn so far write.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Writes a chunk of the elements of a key.
    fn chunk(&mut self, part: &Part, key: u64, elements: std::ops::Range<u64>) -> Request {
        let Self { values, typical, text_limit, generator, .. } = self;
        let mut value = || values.draw(generator);
        let name = |stem: &'static [u8]| elements.clone().map(move |index| numbered(stem, index));
        let zero = Bytes::from_static(b"0");
        let strings = || elements.clone().map(|index| part.stem.name(index));
        let (kind, args) = match part.content {
            Content::Strings => (Kind::MSet, Args::Pairs(strings().map(|key| (key, value())).collect())),
            Content::Counters => (Kind::MSet, Args::Pairs(strings().map(|key| (key, zero.clone())).collect())),
            Content::Texts => {
                // Anywhere between one value and the limit, as they are in the long run.
                let longest = *text_limit / (*typical).max(1);
                let mut text = || {
                    let length = *typical * generator.random_range(1..=longest);
                    values.text(length as usize, generator)
                };
                (Kind::MSet, Args::Pairs(strings().map(|key| (key, text())).collect()))
            }
            Content::Fields => (Kind::HSet, Args::Pairs(name(b"f").map(|field| (field, value())).collect())),
            Content::NumberFields => (Kind::HSet, Args::Pairs(name(b"n").map(|field| (field, zero.clone())).collect())),
            Content::List => (Kind::RPush, Args::Values(elements.clone().map(|_| value()).collect())),
            Content::Members => (Kind::SAdd, Args::Values(name(b"m").collect())),
            Content::Scored => {
                let scores = elements.clone().map(|index| index as f64);
                (Kind::ZAdd, Args::Scored(scores.zip(name(b"m")).collect()))
            }
            Content::Entries => {
                let fields = vec![(Bytes::from_static(b"f0"), value())];
                (Kind::XAdd, Args::Entry { fields, max_length: part.elements.cast_signed() })
            }
        };
        let key = match part.content {
            Content::Strings | Content::Counters | Content::Texts => elements.start,
            _ => key,
        };
        Request::new(kind, part.stem.name(key), args)
    }
}

impl Iterator for Prefill {
    type Item = Request;

    fn next(&mut self) -> Option<Request> {
        while self.parts.get(self.part)?.commands() == self.command {
            self.part += 1;
            self.command = 0;
        }
        let part = self.parts[self.part].clone();
        let per_key = part.commands_per_key();
        let (key, first) = (self.command / per_key, self.command % per_key * part.chunk);
        self.command += 1;
        if first >= part.elements {
            // What an earlier run left in the list.
            let newest = Args::Range(-part.elements.cast_signed(), -1);
            return Some(Request::new(Kind::LTrim, part.stem.name(key), newest));
        }
        let elements = first..(first + part.chunk).min(part.elements);
        self.written += elements.end - elements.start;
        Some(self.chunk(&part, key, elements))
    }
}

impl Part {
    /// Commands that one key takes; the last one for a list trims it.
    fn commands_per_key(&self) -> u64 {
        self.elements.div_ceil(self.chunk) + u64::from(self.content == Content::List)
    }

    fn commands(&self) -> u64 {
        self.keys * self.commands_per_key()
    }
}

/// Contents that a service's operations use, each one once and large enough for all operations.
fn parts(service: &Service) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let commands = service.operations.iter().flat_map(|operation| data_types(operation.commands()));
    for (command, (data, owner)) in commands {
        let Some(content) = content(data, command.kind) else { continue };
        let keys = count(service, data, owner);
        let (keys, elements) = match content {
            Content::Strings | Content::Counters | Content::Texts => (1, keys),
            _ => (keys, owner.parameters.members.max(1)),
        };
        match parts.iter_mut().find(|part| part.content == content) {
            Some(part) => {
                part.keys = part.keys.max(keys);
                part.elements = part.elements.max(elements);
            }
            None => parts.push(Part {
                content,
                stem: Stem::of(service, data),
                keys,
                elements,
                chunk: largest_chunk(content, service),
            }),
        }
    }
    parts
}

/// Content that a command finds in keys of this type.
fn content(data: DataType, kind: Kind) -> Option<Content> {
    Some(match data {
        DataType::None => return None,
        DataType::String => Content::Strings,
        DataType::Counter => Content::Counters,
        DataType::Text => Content::Texts,
        DataType::Hash if kind == Kind::HIncrBy => Content::NumberFields,
        DataType::Hash => Content::Fields,
        DataType::List => Content::List,
        DataType::Set => Content::Members,
        DataType::SortedSet => Content::Scored,
        DataType::Stream => Content::Entries,
    })
}

fn largest_chunk(content: Content, service: &Service) -> u64 {
    match content {
        Content::Strings => chunk(STRINGS, typical(service.values)),
        Content::Texts => chunk(STRINGS, text_limit(service.values)),
        Content::Counters => STRINGS,
        Content::Fields | Content::List => chunk(ELEMENTS, typical(service.values)),
        Content::NumberFields | Content::Members | Content::Scored => ELEMENTS,
        Content::Entries => 1,
    }
}
