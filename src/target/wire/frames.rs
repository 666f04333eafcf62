//! Replies as a server composes them, for the laws of the decoder.

use proptest::prelude::{Just, Strategy, any, prop_oneof};
use redis_protocol::resp3::types::BytesFrame;

use super::decode::Decoded;
use crate::target::reply::{Shape, digits};

/// A reply, as a server composes it.
#[derive(Debug, Clone)]
pub(super) enum Frame {
    Status(String),
    Error(String),
    Integer(i64),
    Bulk(Vec<u8>),
    Nil,
    NilArray,
    Array(Vec<Frame>),
    // The types of RESP3.
    Null,
    Boolean(bool),
    Double(f64),
    BigNumber(String),
    BlobError(String),
    Verbatim(String),
    Set(Vec<Frame>),
    Map(Vec<(Frame, Frame)>),
    Attributed(Vec<(Frame, Frame)>, Box<Frame>),
    Push(Vec<Frame>),
}

impl Frame {
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let line = |out: &mut Vec<u8>, text: String| out.extend((text + "\r\n").bytes());
        let mut long = |sign: char, length: usize, payload: &[u8]| {
            line(out, format!("{sign}{length}"));
            out.extend(payload);
            out.extend(b"\r\n");
        };
        match self {
            Self::Bulk(bytes) => long('$', bytes.len(), bytes),
            Self::BlobError(text) => long('!', text.len(), text.as_bytes()),
            Self::Verbatim(text) => long('=', 4 + text.len(), format!("txt:{text}").as_bytes()),
            Self::Status(text) => line(out, format!("+{text}")),
            Self::Error(text) => line(out, format!("-{text}")),
            Self::Integer(number) => line(out, format!(":{number}")),
            Self::Nil => line(out, "$-1".to_owned()),
            Self::NilArray => line(out, "*-1".to_owned()),
            Self::Null => line(out, "_".to_owned()),
            Self::Boolean(is_true) => line(out, format!("#{}", if *is_true { 't' } else { 'f' })),
            Self::Double(number) => line(out, format!(",{number}").to_lowercase()),
            Self::BigNumber(digits) => line(out, format!("({digits}")),
            Self::Array(frames) => Self::write_all('*', frames.len(), frames, out),
            Self::Set(frames) => Self::write_all('~', frames.len(), frames, out),
            Self::Push(frames) => Self::write_all('>', frames.len(), frames, out),
            Self::Map(pairs) => Self::write_all('%', pairs.len(), flat(pairs), out),
            Self::Attributed(pairs, frame) => {
                Self::write_all('|', pairs.len(), flat(pairs), out);
                frame.write(out);
            }
        }
    }

    fn write_all<'a>(sign: char, length: usize, frames: impl IntoIterator<Item = &'a Frame>, out: &mut Vec<u8>) {
        out.extend(format!("{sign}{length}\r\n").bytes());
        frames.into_iter().for_each(|frame| frame.write(out));
    }

    /// Elements of an aggregate.
    fn elements(&self) -> Option<Vec<&Frame>> {
        match self {
            Self::Array(frames) | Self::Set(frames) => Some(frames.iter().collect()),
            Self::Map(pairs) => Some(flat(pairs).collect()),
            _ => None,
        }
    }

    /// The frame without attributes.
    fn bare(&self) -> &Frame {
        match self {
            Self::Attributed(_, frame) => frame.bare(),
            frame => frame,
        }
    }

    /// Whether there are attributes in it, or elements without an order: decoders that hash these do not read all of them.
    pub(super) fn is_unordered(&self) -> bool {
        match self {
            Self::Set(_) | Self::Map(_) | Self::Attributed(..) => true,
            Self::Array(frames) | Self::Push(frames) => frames.iter().any(Self::is_unordered),
            _ => false,
        }
    }

    fn is_nil(&self) -> bool {
        matches!(self.bare(), Self::Nil | Self::NilArray | Self::Null)
    }

    /// Whether an element of an array or a set, or a value of a map, is an integer above 0, or true.
    fn has_positive(&self) -> bool {
        let is_positive = |frame: &Self| matches!(frame.bare(), Self::Integer(1..) | Self::Boolean(true));
        match self {
            Self::Array(frames) | Self::Set(frames) => frames.iter().any(is_positive),
            Self::Map(pairs) => pairs.iter().any(|(_, value)| is_positive(value)),
            _ => false,
        }
    }

    fn size(&self) -> usize {
        match self.bare() {
            Self::Status(text) | Self::BigNumber(text) | Self::Verbatim(text) => text.len(),
            Self::Integer(number) => digits(*number),
            Self::Bulk(bytes) => bytes.len(),
            Self::Boolean(_) => 1,
            Self::Double(number) => number.to_string().len(),
            frame => frame.elements().into_iter().flatten().map(Self::size).sum(),
        }
    }

    fn first_error(&self) -> Option<String> {
        match self.bare() {
            Self::Error(text) | Self::BlobError(text) => Some(text.clone()),
            frame => frame.elements()?.into_iter().find_map(Self::first_error),
        }
    }

    /// What the decoder keeps of it.
    pub(super) fn kept(&self) -> Decoded {
        let shape = match self.bare() {
            Self::Push(_) => return Decoded { is_push: true, shape: Shape::Null, bytes: 0, error: None },
            Self::Integer(number) => Shape::Integer(*number),
            Self::Boolean(is_true) => Shape::Integer((*is_true).into()),
            frame if frame.is_nil() => Shape::Null,
            frame => frame.elements().map_or(Shape::Text, |elements| Shape::Array {
                elements: elements.len() as u64,
                nulls: elements.iter().filter(|element| element.is_nil()).count() as u64,
                positive: frame.has_positive(),
            }),
        };
        Decoded { is_push: false, shape, bytes: self.size(), error: self.first_error() }
    }
}

fn flat(pairs: &[(Frame, Frame)]) -> impl Iterator<Item = &Frame> {
    pairs.iter().flat_map(|(key, value)| [key, value])
}

/// Whether a frame is what another decoder made of it: of maps and sets, which it keeps without an order, the type alone.
pub(super) fn resembles(frame: &Frame, other: &BytesFrame) -> bool {
    match (frame.bare(), other) {
        (Frame::Status(text), BytesFrame::SimpleString { data, .. })
        | (Frame::BlobError(text), BytesFrame::BlobError { data, .. })
        | (Frame::BigNumber(text), BytesFrame::BigNumber { data, .. })
        | (Frame::Verbatim(text), BytesFrame::VerbatimString { data, .. }) => text.as_bytes() == data,
        (Frame::Error(text), BytesFrame::SimpleError { data, .. }) => *text == **data,
        (Frame::Bulk(bytes), BytesFrame::BlobString { data, .. }) => bytes == data,
        (Frame::Integer(number), BytesFrame::Number { data, .. }) => number == data,
        (Frame::Boolean(is_true), BytesFrame::Boolean { data, .. }) => is_true == data,
        (Frame::Double(number), BytesFrame::Double { data, .. }) => number.to_string() == data.to_string(),
        (Frame::Array(frames), BytesFrame::Array { data, .. })
        | (Frame::Push(frames), BytesFrame::Push { data, .. }) => {
            frames.len() == data.len() && frames.iter().zip(data).all(|(frame, other)| resembles(frame, other))
        }
        (Frame::Null, BytesFrame::Null)
        | (Frame::Set(_), BytesFrame::Set { .. })
        | (Frame::Map(_), BytesFrame::Map { .. }) => true,
        _ => false,
    }
}

/// Payload in which line ends and signs of types are payload.
fn payload() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'$'), any::<u8>()], 0..40)
}

/// Replies of RESP2.
pub(super) fn frames() -> impl Strategy<Value = Frame> {
    let leaf = prop_oneof![
        "[a-z ]{0,20}".prop_map(Frame::Status),
        "[A-Z]{1,8} [a-z ]{0,20}".prop_map(Frame::Error),
        any::<i64>().prop_map(Frame::Integer),
        payload().prop_map(Frame::Bulk),
        Just(Frame::Nil),
        Just(Frame::NilArray),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| proptest::collection::vec(inner, 0..6).prop_map(Frame::Array))
}

/// Replies with all types of RESP3.
pub(super) fn frames_of_resp3() -> impl Strategy<Value = Frame> {
    let leaf = prop_oneof![
        "[a-z ]{0,20}".prop_map(Frame::Status),
        "[A-Z]{1,8} [a-z ]{0,20}".prop_map(Frame::Error),
        any::<i64>().prop_map(Frame::Integer),
        payload().prop_map(Frame::Bulk),
        Just(Frame::Null),
        any::<bool>().prop_map(Frame::Boolean),
        prop_oneof![any::<f64>(), Just(f64::INFINITY), Just(f64::NEG_INFINITY), Just(f64::NAN)].prop_map(Frame::Double),
        "-?[1-9][0-9]{0,40}".prop_map(Frame::BigNumber),
        "[A-Z]{1,8} [a-z\r\n]{0,20}".prop_map(Frame::BlobError),
        "[a-z\r\n]{0,20}".prop_map(Frame::Verbatim),
    ];
    let nested = leaf.prop_recursive(4, 40, 6, |inner| {
        let pairs = || proptest::collection::vec((inner.clone(), inner.clone()), 0..3);
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Frame::Array),
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Frame::Set),
            pairs().prop_map(Frame::Map),
            (pairs(), inner.clone()).prop_map(|(pairs, frame)| Frame::Attributed(pairs, Box::new(frame))),
        ]
    });
    let push = proptest::collection::vec(nested.clone(), 0..4).prop_map(Frame::Push);
    prop_oneof![4 => nested, 1 => push]
}
