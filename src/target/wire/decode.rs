//! Replies of RESP2 and RESP3, decoded as they arrive.
//!
//! Of a reply only its [`Shape`] and its size are kept, so payloads are skipped where they stand: a reply of any length
//! takes no memory, and one that is cut anywhere decodes to the same. Attributes belong to no reply, and neither do push
//! messages, which nobody asked for. Types of unknown length ("streamed"), which no server sends, violate the protocol.

use super::super::reply::{Shape, digits};
use crate::scenario::Protocol;

/// Levels of aggregates within each other, of which no command of the table has more than three.
const DEEPEST: usize = 32;

/// Longest status, error or length, in bytes with its end.
pub(super) const LONGEST_LINE: usize = 64 << 10;

/// Bytes in front of the text of a verbatim string: its format and a colon.
const FORMAT: u64 = 4;

/// A reply, or a push message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Decoded {
    /// Whether it is a push message; nothing else is kept of it.
    pub(super) is_push: bool,
    pub(super) shape: Shape,
    /// Payload in bytes.
    pub(super) bytes: usize,
    /// The first error in it, without the sign.
    pub(super) error: Option<String>,
}

/// A violation of the protocol, after which the place within the stream is lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Malformed(pub(super) &'static str);

/// A decoder of one stream of replies.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    protocol: Protocol,
    /// Aggregates that are open.
    open: Vec<Open>,
    /// Number of open aggregates whose elements belong to no reply.
    hiding: usize,
    /// Part of a bulk string that is still to come.
    bulk: Bulk,
    /// Whether the bulk string is the error that is kept.
    keeping: bool,
    reply: Partial,
}

#[derive(Debug)]
struct Open {
    aggregate: Aggregate,
    /// Elements still to come.
    left: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Aggregate {
    /// An array or a set.
    Elements,
    /// A map: keys and values in turn.
    Pairs,
    /// Attributes of what follows them.
    Attributes,
    Push,
}

impl Aggregate {
    /// Whether its elements belong to no reply.
    fn hides(self) -> bool {
        matches!(self, Self::Attributes | Self::Push)
    }
}

#[derive(Debug, Clone, Copy, Default)]
enum Bulk {
    #[default]
    None,
    /// Bytes of payload.
    Payload(u64),
    /// Bytes of the line end.
    End(u8),
}

#[derive(Debug, Default)]
struct Partial {
    is_push: bool,
    shape: Option<Shape>,
    bytes: usize,
    error: Option<Vec<u8>>,
}

impl Decoder {
    pub(super) fn of(protocol: Protocol) -> Self {
        Self { protocol, ..Self::default() }
    }

    /// Decodes from the beginning of the input up to the end of one reply. Gives the number of bytes that are done with,
    /// and the reply if it is whole; what is left of the input without one is to be given again, with more behind it.
    pub(super) fn decode(&mut self, input: &[u8]) -> Result<(usize, Option<Decoded>), Malformed> {
        let mut at = 0;
        loop {
            let rest = &input[at..];
            let whole = match self.bulk {
                Bulk::Payload(left) => {
                    let taken = left.min(rest.len() as u64);
                    if self.keeping {
                        self.reply.error.get_or_insert_default().extend_from_slice(&rest[..taken as usize]);
                    }
                    at += taken as usize;
                    self.bulk = if taken == left { Bulk::End(0) } else { Bulk::Payload(left - taken) };
                    if taken < left {
                        return Ok((at, None));
                    }
                    false
                }
                Bulk::End(seen) => {
                    let Some(byte) = rest.first() else { return Ok((at, None)) };
                    if *byte != b"\r\n"[usize::from(seen)] {
                        return Err(Malformed("a bulk string is longer than its length"));
                    }
                    at += 1;
                    self.bulk = if seen == 0 { Bulk::End(1) } else { Bulk::None };
                    self.keeping = false;
                    seen == 1 && self.element()
                }
                Bulk::None => {
                    let within = &rest[..rest.len().min(LONGEST_LINE)];
                    let Some(end) = within.iter().position(|byte| *byte == b'\n') else {
                        if within.len() == LONGEST_LINE {
                            return Err(Malformed("a line has no end"));
                        }
                        return Ok((at, None));
                    };
                    at += end + 1;
                    let line =
                        rest[..end].strip_suffix(b"\r").ok_or(Malformed("a line ends without a carriage return"))?;
                    self.line(line)?
                }
            };
            if whole {
                let Partial { is_push, shape, bytes, error } = std::mem::take(&mut self.reply);
                let shape = shape.unwrap_or(Shape::Null);
                let error = error.map(|text| String::from_utf8_lossy(&text).into_owned());
                return Ok((at, Some(Decoded { is_push, shape, bytes, error })));
            }
        }
    }

    /// Whether the input begins a push message, or goes on with one.
    pub(super) fn is_push(&self, input: &[u8]) -> bool {
        match self.open.first() {
            Some(open) => open.aggregate == Aggregate::Push,
            None => self.protocol == Protocol::Resp3 && matches!(self.bulk, Bulk::None) && input.first() == Some(&b'>'),
        }
    }

    /// Bytes that are kept of a reply that is not whole.
    #[cfg(any(test, fuzzing))]
    pub(super) fn kept(&self) -> usize {
        self.reply.error.as_ref().map_or(0, Vec::len)
    }

    /// Takes in a line without its end; shows whether it ends the reply.
    fn line(&mut self, line: &[u8]) -> Result<bool, Malformed> {
        let (kind, text) = line.split_first().ok_or(Malformed("a line is empty"))?;
        match kind {
            b'+' if text == b"QUEUED" => Ok(self.scalar(Shape::Queued, 0)),
            b'+' => Ok(self.scalar(Shape::Text, text.len())),
            b'-' => {
                if self.hiding == 0 {
                    self.reply.error.get_or_insert_with(|| text.to_vec());
                }
                Ok(self.scalar(Shape::Text, 0))
            }
            b':' => {
                let number = number(text)?;
                Ok(self.integer(number, digits(number)))
            }
            b'$' => match length(text)? {
                Some(length) => Ok(self.bulk(length, length)),
                None => Ok(self.null()),
            },
            b'*' => match length(text)? {
                Some(length) => self.elements(Aggregate::Elements, length),
                None => Ok(self.null()),
            },
            _ if self.protocol == Protocol::Resp3 => self.line_of_resp3(*kind, text),
            _ => Err(Malformed("a reply is of an unknown type")),
        }
    }

    /// The same for the types that came with RESP3.
    fn line_of_resp3(&mut self, kind: u8, text: &[u8]) -> Result<bool, Malformed> {
        let known = || length(text)?.ok_or(Malformed("a length is negative"));
        match kind {
            b'_' if text.is_empty() => Ok(self.null()),
            b'_' => Err(Malformed("a null has a value")),
            // RESP2 has numbers in their place.
            b'#' => match text {
                b"f" => Ok(self.integer(0, 1)),
                b"t" => Ok(self.integer(1, 1)),
                _ => Err(Malformed("a boolean is neither t nor f")),
            },
            b',' if is_double(text) => Ok(self.scalar(Shape::Text, text.len())),
            b'(' if is_integer(text) => Ok(self.scalar(Shape::Text, text.len())),
            b',' | b'(' => Err(Malformed("a number is none")),
            b'!' => {
                let length = known()?;
                if length > LONGEST_LINE as u64 {
                    return Err(Malformed("an error is too long"));
                }
                if self.hiding == 0 && self.reply.error.is_none() {
                    self.reply.error = Some(Vec::new());
                    self.keeping = true;
                }
                Ok(self.bulk(length, 0))
            }
            b'=' => {
                let length = known()?;
                let text = length.checked_sub(FORMAT).ok_or(Malformed("a verbatim string has no format"))?;
                Ok(self.bulk(length, text))
            }
            b'~' => self.elements(Aggregate::Elements, known()?),
            // As in RESP2, where a map is an array of its keys and values.
            b'%' => self.elements(Aggregate::Pairs, 2 * known()?),
            b'|' => self.open(Aggregate::Attributes, 2 * known()?),
            b'>' if self.open.is_empty() => self.open(Aggregate::Push, known()?),
            b'>' => Err(Malformed("a push message is within a reply")),
            _ => Err(Malformed("a reply is of an unknown type")),
        }
    }

    /// Takes in an element of one line; shows whether it ends the reply.
    fn scalar(&mut self, shape: Shape, bytes: usize) -> bool {
        self.is(shape, bytes);
        self.element()
    }

    /// Takes in an integer, or a boolean.
    fn integer(&mut self, number: i64, bytes: usize) -> bool {
        if let [open] = &self.open[..]
            && number > 0
            && !open.aggregate.hides()
            // Of a map every other element is a key.
            && (open.aggregate != Aggregate::Pairs || open.left % 2 == 1)
            && let Some(Shape::Array { positive, .. }) = &mut self.reply.shape
        {
            *positive = true;
        }
        self.scalar(Shape::Integer(number), bytes)
    }

    /// Begins a bulk string of a length; the payload may be shorter.
    fn bulk(&mut self, length: u64, payload: u64) -> bool {
        self.is(Shape::Text, usize::try_from(payload).unwrap_or(usize::MAX));
        self.bulk = Bulk::Payload(length);
        false
    }

    fn elements(&mut self, aggregate: Aggregate, elements: u64) -> Result<bool, Malformed> {
        self.is(Shape::Array { elements, nulls: 0, positive: false }, 0);
        self.open(aggregate, elements)
    }

    /// Begins an aggregate; shows whether it ends the reply, as an empty one may.
    fn open(&mut self, aggregate: Aggregate, left: u64) -> Result<bool, Malformed> {
        if left == 0 {
            return Ok(self.close(aggregate).unwrap_or_else(|| self.element()));
        }
        if self.open.len() == DEEPEST {
            return Err(Malformed("arrays are nested too deep"));
        }
        self.hiding += usize::from(aggregate.hides());
        self.open.push(Open { aggregate, left });
        Ok(false)
    }

    /// Takes in the end of an aggregate; shows whether that ends the reply, and `None` where it ends an element.
    fn close(&mut self, aggregate: Aggregate) -> Option<bool> {
        match aggregate {
            Aggregate::Elements | Aggregate::Pairs => None,
            Aggregate::Attributes => Some(false),
            Aggregate::Push => {
                self.reply.is_push = true;
                Some(true)
            }
        }
    }

    /// The shape of the reply is that of its first line.
    fn is(&mut self, shape: Shape, bytes: usize) {
        if self.hiding == 0 {
            self.reply.shape.get_or_insert(shape);
            self.reply.bytes = self.reply.bytes.saturating_add(bytes);
        }
    }

    fn null(&mut self) -> bool {
        if self.open.len() == 1
            && self.hiding == 0
            && let Some(Shape::Array { nulls, .. }) = &mut self.reply.shape
        {
            *nulls += 1;
        }
        self.scalar(Shape::Null, 0)
    }

    /// An element has ended, and with it perhaps the aggregates around it; shows whether the reply has.
    fn element(&mut self) -> bool {
        while let Some(Open { aggregate, left }) = self.open.last_mut() {
            *left -= 1;
            if *left > 0 {
                return false;
            }
            let aggregate = *aggregate;
            self.open.pop();
            self.hiding -= usize::from(aggregate.hides());
            if let Some(ended) = self.close(aggregate) {
                return ended;
            }
        }
        true
    }
}

fn number(text: &[u8]) -> Result<i64, Malformed> {
    std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).ok_or(Malformed("a number is none"))
}

fn is_double(text: &[u8]) -> bool {
    std::str::from_utf8(text).is_ok_and(|text| text.parse::<f64>().is_ok())
}

/// Whether a text is an integer of any length.
fn is_integer(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"-").or(text.strip_prefix(b"+")).unwrap_or(text);
    !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
}

/// A length; none for nil.
fn length(text: &[u8]) -> Result<Option<u64>, Malformed> {
    if text == b"?" {
        return Err(Malformed("a reply is of unknown length"));
    }
    match number(text)? {
        -1 => Ok(None),
        length => u64::try_from(length).map(Some).map_err(|_| Malformed("a length is negative")),
    }
}
