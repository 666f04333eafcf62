//! Laws of the decoder, and the encoder command by command.

use bytes::Bytes;
use proptest::{
    prelude::{Just, ProptestConfig, Strategy, any, prop_assert, prop_assert_eq, prop_oneof},
    proptest,
};

use super::{
    decode::{Decoded, Decoder, Malformed},
    encode::encode,
};
use crate::{
    operation::{Args, Kind, Request},
    target::reply::{Shape, digits},
};

/// A reply, as a server composes it.
#[derive(Debug, Clone)]
enum Frame {
    Status(String),
    Error(String),
    Integer(i64),
    Bulk(Vec<u8>),
    Nil,
    NilArray,
    Array(Vec<Frame>),
}

impl Frame {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Status(text) => out.extend(format!("+{text}\r\n").bytes()),
            Self::Error(text) => out.extend(format!("-{text}\r\n").bytes()),
            Self::Integer(number) => out.extend(format!(":{number}\r\n").bytes()),
            Self::Bulk(bytes) => {
                out.extend(format!("${}\r\n", bytes.len()).bytes());
                out.extend(bytes);
                out.extend(b"\r\n");
            }
            Self::Nil => out.extend(b"$-1\r\n"),
            Self::NilArray => out.extend(b"*-1\r\n"),
            Self::Array(frames) => {
                out.extend(format!("*{}\r\n", frames.len()).bytes());
                for frame in frames {
                    frame.write(out);
                }
            }
        }
    }

    fn is_nil(&self) -> bool {
        matches!(self, Self::Nil | Self::NilArray)
    }

    fn size(&self) -> usize {
        match self {
            Self::Status(text) => text.len(),
            Self::Integer(number) => digits(*number),
            Self::Bulk(bytes) => bytes.len(),
            Self::Array(frames) => frames.iter().map(Self::size).sum(),
            Self::Error(_) | Self::Nil | Self::NilArray => 0,
        }
    }

    fn first_error(&self) -> Option<String> {
        match self {
            Self::Error(text) => Some(text.clone()),
            Self::Array(frames) => frames.iter().find_map(Self::first_error),
            _ => None,
        }
    }

    /// What the decoder keeps of it.
    fn kept(&self) -> Decoded {
        let shape = match self {
            Self::Status(_) | Self::Error(_) | Self::Bulk(_) => Shape::Text,
            Self::Integer(number) => Shape::Integer(*number),
            Self::Nil | Self::NilArray => Shape::Null,
            Self::Array(frames) => Shape::Array {
                elements: frames.len() as u64,
                nulls: frames.iter().filter(|frame| frame.is_nil()).count() as u64,
            },
        };
        Decoded { shape, bytes: self.size(), error: self.first_error() }
    }
}

fn frames() -> impl Strategy<Value = Frame> {
    let leaf = prop_oneof![
        "[a-z ]{0,20}".prop_map(Frame::Status),
        "[A-Z]{1,8} [a-z ]{0,20}".prop_map(Frame::Error),
        any::<i64>().prop_map(Frame::Integer),
        // Line ends and signs of types within a payload are payload.
        proptest::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'$'), any::<u8>()], 0..40)
            .prop_map(Frame::Bulk),
        Just(Frame::Nil),
        Just(Frame::NilArray),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| proptest::collection::vec(inner, 0..6).prop_map(Frame::Array))
}

/// Decodes a stream that comes in pieces of the given lengths, over and over.
fn decode(stream: &[u8], pieces: &[usize]) -> Result<Vec<Decoded>, Malformed> {
    let (mut decoder, mut input, mut replies) = (Decoder::default(), Vec::new(), Vec::new());
    let mut rest = stream;
    for piece in pieces.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (now, later) = rest.split_at((*piece).min(rest.len()));
        rest = later;
        input.extend_from_slice(now);
        loop {
            let (used, reply) = decoder.decode(&input)?;
            input.drain(..used);
            let Some(reply) = reply else { break };
            replies.push(reply);
        }
    }
    assert!(input.is_empty(), "left over: {input:?}");
    Ok(replies)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn replies_that_are_cut_anywhere_decode_to_the_same(
        frames in proptest::collection::vec(frames(), 1..4),
        pieces in proptest::collection::vec(1_usize..30, 1..8),
    ) {
        let mut stream = Vec::new();
        for frame in &frames {
            frame.write(&mut stream);
        }
        let kept: Vec<_> = frames.iter().map(Frame::kept).collect();
        prop_assert_eq!(decode(&stream, &pieces).unwrap(), kept.clone());
        prop_assert_eq!(decode(&stream, &[stream.len()]).unwrap(), kept);
    }

    #[test]
    fn no_input_makes_the_decoder_panic_or_keep_more_than_a_line(
        stream in proptest::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'*'), Just(b'$'), b'0'..=b'9', any::<u8>()], 0..200),
    ) {
        let mut decoder = Decoder::default();
        let mut at = 0;
        while let Ok((used, reply)) = decoder.decode(&stream[at..]) {
            at += used;
            prop_assert!(reply.is_some() || !stream[at..].contains(&b'\n'));
            if reply.is_none() {
                break;
            }
        }
    }
}

#[test]
fn violations_of_the_protocol_are_told_apart() {
    let deep = "*1\r\n".repeat(40);
    let endless = format!("+{}", "a".repeat(70_000));
    for (stream, expected) in [
        ("?what\r\n", "a reply is of an unknown type"),
        ("\r\n", "a line is empty"),
        (":12x\r\n", "a number is none"),
        ("$9223372036854775808\r\n", "a number is none"),
        ("$-2\r\n", "a length is negative"),
        ("*-7\r\n", "a length is negative"),
        ("+OK\n", "a line ends without a carriage return"),
        ("$2\r\nabc\r\n", "a bulk string is longer than its length"),
        (&deep, "arrays are nested too deep"),
        (&endless, "a line has no end"),
    ] {
        assert_eq!(Decoder::default().decode(stream.as_bytes()), Err(Malformed(expected)), "{stream:.40}");
    }
}

#[test]
fn a_reply_of_any_length_takes_no_memory() {
    let mut decoder = Decoder::default();
    assert_eq!(decoder.decode(b"*9223372036854775807\r\n$9223372036854775807\r\n"), Ok((44, None)));
    let piece = [b'x'; 4_096];
    for _ in 0..1_000 {
        assert_eq!(decoder.decode(&piece), Ok((4_096, None)), "every byte is done with at once");
    }
}

#[test]
fn what_is_kept_for_exec_is_known() {
    let queued = decode(b"+QUEUED\r\n", &[3]).unwrap();
    assert_eq!(queued, [Decoded { shape: Shape::Queued, bytes: 0, error: None }]);
}

#[test]
fn requests_are_arrays_of_bulk_strings() {
    let text = |kind, args| {
        let mut out = Vec::new();
        encode(&mut out, &Request { kind, key: Bytes::from_static(b"k"), args });
        String::from_utf8(out).unwrap().replace("\r\n", " ")
    };
    let bytes = Bytes::from_static;
    let scored = Args::Scored(vec![(1.5, bytes(b"m")), (-3.0, bytes(b"n"))]);
    for (kind, args, expected) in [
        (Kind::Ping, Args::None, "*1 $4 PING "),
        (Kind::Get, Args::None, "*2 $3 GET $1 k "),
        (Kind::Set, Args::Expiring(bytes(b"v"), 1_500), "*5 $3 SET $1 k $1 v $2 PX $4 1500 "),
        (Kind::MSet, Args::Pairs(vec![(bytes(b"k"), bytes(b"v"))]), "*3 $4 MSET $1 k $1 v "),
        (Kind::MGet, Args::Values(vec![bytes(b"l")]), "*3 $4 MGET $1 k $1 l "),
        (Kind::ZAdd, scored, "*6 $4 ZADD $1 k $3 1.5 $1 m $2 -3 $1 n "),
        (Kind::XRange, Args::First(5), "*6 $6 XRANGE $1 k $1 - $1 + $5 COUNT $1 5 "),
        (Kind::Publish, Args::Value(bytes(b"v")), "*3 $7 PUBLISH $1 k $1 v "),
        (
            Kind::XAdd,
            Args::Entry { fields: vec![(bytes(b"f"), bytes(b"v"))], max_length: 10 },
            "*8 $4 XADD $1 k $6 MAXLEN $1 ~ $2 10 $1 * $1 f $1 v ",
        ),
        (
            Kind::Eval,
            Args::Script { source: bytes(b"return 1"), argv: vec![bytes(b"a")] },
            "*5 $4 EVAL $8 return 1 $1 1 $1 k $1 a ",
        ),
        (Kind::Raw, Args::Raw(vec![bytes(b"TYPE"), bytes(b"k")]), "*2 $4 TYPE $1 k "),
        (Kind::Multi, Args::None, "*1 $5 MULTI "),
    ] {
        assert_eq!(text(kind, args), expected);
    }
}
