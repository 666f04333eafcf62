//! RESP2 replies, decoded as they arrive.
//!
//! Of a reply only its [`Shape`] and its size are kept, so payloads are skipped where they stand: a reply of any length
//! takes no memory, and one that is cut anywhere decodes to the same.

use super::super::reply::{Shape, digits};

/// Levels of arrays within arrays, of which no command of the table has more than three.
const DEEPEST: usize = 32;

/// Longest status, error or length, in bytes with its end.
pub(super) const LONGEST_LINE: usize = 64 << 10;

/// A reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Decoded {
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
    /// Elements still to come, of each array that is open.
    open: Vec<u64>,
    /// Part of a bulk string that is still to come.
    bulk: Bulk,
    reply: Partial,
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
    shape: Option<Shape>,
    bytes: usize,
    error: Option<String>,
}

impl Decoder {
    /// Decodes from the beginning of the input up to the end of one reply. Gives the number of bytes that are done with,
    /// and the reply if it is whole; what is left of the input without one is to be given again, with more behind it.
    pub(super) fn decode(&mut self, input: &[u8]) -> Result<(usize, Option<Decoded>), Malformed> {
        let mut at = 0;
        loop {
            let rest = &input[at..];
            let whole = match self.bulk {
                Bulk::Payload(left) => {
                    let taken = left.min(rest.len() as u64);
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
                let Partial { shape, bytes, error } = std::mem::take(&mut self.reply);
                return Ok((at, Some(Decoded { shape: shape.unwrap_or(Shape::Null), bytes, error })));
            }
        }
    }

    /// Bytes that are kept of a reply that is not whole.
    #[cfg(any(test, fuzzing))]
    pub(super) fn kept(&self) -> usize {
        self.reply.error.as_ref().map_or(0, String::len)
    }

    /// Takes in a line without its end; shows whether it ends the reply.
    fn line(&mut self, line: &[u8]) -> Result<bool, Malformed> {
        let (kind, text) = line.split_first().ok_or(Malformed("a line is empty"))?;
        match kind {
            b'+' => {
                if text == b"QUEUED" {
                    self.is(Shape::Queued);
                } else {
                    self.reply.bytes += text.len();
                    self.is(Shape::Text);
                }
                Ok(self.element())
            }
            b'-' => {
                self.is(Shape::Text);
                self.reply.error.get_or_insert_with(|| String::from_utf8_lossy(text).into_owned());
                Ok(self.element())
            }
            b':' => {
                let number = number(text)?;
                self.reply.bytes += digits(number);
                self.is(Shape::Integer(number));
                Ok(self.element())
            }
            b'$' => match length(text)? {
                Some(length) => {
                    self.reply.bytes = self.reply.bytes.saturating_add(usize::try_from(length).unwrap_or(usize::MAX));
                    self.is(Shape::Text);
                    self.bulk = Bulk::Payload(length);
                    Ok(false)
                }
                None => Ok(self.null()),
            },
            b'*' => match length(text)? {
                Some(length) => {
                    self.is(Shape::Array { elements: length, nulls: 0 });
                    if length == 0 {
                        return Ok(self.element());
                    }
                    if self.open.len() == DEEPEST {
                        return Err(Malformed("arrays are nested too deep"));
                    }
                    self.open.push(length);
                    Ok(false)
                }
                None => Ok(self.null()),
            },
            _ => Err(Malformed("a reply is of an unknown type")),
        }
    }

    /// The shape of the reply is that of its first line.
    fn is(&mut self, shape: Shape) {
        self.reply.shape.get_or_insert(shape);
    }

    fn null(&mut self) -> bool {
        if self.open.len() == 1
            && let Some(Shape::Array { nulls, .. }) = &mut self.reply.shape
        {
            *nulls += 1;
        }
        self.is(Shape::Null);
        self.element()
    }

    /// An element has ended, and with it perhaps the arrays around it; shows whether the reply has.
    fn element(&mut self) -> bool {
        while let Some(left) = self.open.last_mut() {
            *left -= 1;
            if *left > 0 {
                return false;
            }
            self.open.pop();
        }
        true
    }
}

fn number(text: &[u8]) -> Result<i64, Malformed> {
    std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).ok_or(Malformed("a number is none"))
}

/// A length; none for nil.
fn length(text: &[u8]) -> Result<Option<u64>, Malformed> {
    match number(text)? {
        -1 => Ok(None),
        length => u64::try_from(length).map(Some).map_err(|_| Malformed("a length is negative")),
    }
}
