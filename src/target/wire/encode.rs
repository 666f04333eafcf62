//! Requests as RESP2: an array of bulk strings.

use std::io::Write;

use bytes::Bytes;

use crate::operation::{Args, Keys, Kind, Request};

/// Appends a request to a buffer.
pub(super) fn encode(out: &mut Vec<u8>, request: &Request) {
    let Request { kind, key, args } = request;
    let spec = kind.spec();
    // The key is among the arguments of these.
    let key = match (kind, spec.keys) {
        (Kind::MSet | Kind::Raw | Kind::Eval, _) | (_, Keys::NoKey) => None,
        _ => Some(key),
    };
    let count = usize::from(*kind != Kind::Raw) + usize::from(key.is_some()) + arguments(args);
    let mut words = Words { out };
    words.header(b'*', count);
    if *kind != Kind::Raw {
        words.word(spec.name.as_bytes());
    }
    if let Some(key) = key {
        words.word(key);
    }
    match args {
        Args::None => {}
        Args::Value(value) => words.word(value),
        Args::Expiring(value, milliseconds) => {
            words.word(value);
            words.word(b"PX");
            words.number(*milliseconds);
        }
        Args::Values(values) | Args::Raw(values) => words.all(values),
        Args::Pairs(pairs) => words.pairs(pairs),
        Args::Scored(members) => {
            for (score, member) in members {
                words.text(format_args!("{score}"));
                words.word(member);
            }
        }
        Args::Range(first, last) => {
            words.number(*first);
            words.number(*last);
        }
        Args::Number(number) => words.number(*number),
        Args::First(number) => {
            for word in [&b"-"[..], b"+", b"COUNT"] {
                words.word(word);
            }
            words.number(*number);
        }
        Args::Increment(field, by) => {
            words.word(field);
            words.number(*by);
        }
        Args::ScoreBy(by, member) => {
            words.number(*by);
            words.word(member);
        }
        Args::Entry { fields, max_length } => {
            words.word(b"MAXLEN");
            words.word(b"~");
            words.number(*max_length);
            words.word(b"*");
            words.pairs(fields);
        }
        Args::Script { source, argv } => {
            words.word(source);
            words.word(b"1");
            words.word(&request.key);
            words.all(argv);
        }
    }
}

/// Number of words behind the key.
fn arguments(args: &Args) -> usize {
    match args {
        Args::None => 0,
        Args::Value(_) | Args::Number(_) => 1,
        Args::Expiring(..) => 3,
        Args::Values(values) | Args::Raw(values) => values.len(),
        Args::Pairs(pairs) => 2 * pairs.len(),
        Args::Scored(members) => 2 * members.len(),
        Args::Range(..) | Args::Increment(..) | Args::ScoreBy(..) => 2,
        Args::First(_) => 4,
        Args::Entry { fields, .. } => 4 + 2 * fields.len(),
        Args::Script { argv, .. } => 3 + argv.len(),
    }
}

struct Words<'a> {
    out: &'a mut Vec<u8>,
}

impl Words<'_> {
    fn header(&mut self, kind: u8, length: usize) {
        self.out.push(kind);
        self.out.extend_from_slice(itoa::Buffer::new().format(length).as_bytes());
        self.out.extend_from_slice(b"\r\n");
    }

    fn word(&mut self, word: &[u8]) {
        self.header(b'$', word.len());
        self.out.extend_from_slice(word);
        self.out.extend_from_slice(b"\r\n");
    }

    fn number(&mut self, number: i64) {
        self.word(itoa::Buffer::new().format(number).as_bytes());
    }

    fn text(&mut self, text: std::fmt::Arguments<'_>) {
        // A number has at most some hundred digits.
        let mut digits = [0; 400];
        let mut rest = &mut digits[..];
        let _ = rest.write_fmt(text);
        let length = 400 - rest.len();
        self.word(&digits[..length]);
    }

    fn all(&mut self, words: &[Bytes]) {
        for word in words {
            self.word(word);
        }
    }

    fn pairs(&mut self, pairs: &[(Bytes, Bytes)]) {
        for (name, value) in pairs {
            self.word(name);
            self.word(value);
        }
    }
}
