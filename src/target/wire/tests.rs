//! Laws of the decoder, the encoder with the requests of every command, and a connection whose task panics.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use proptest::{
    prelude::{Just, ProptestConfig, Strategy, any, prop_assert_eq, prop_oneof},
    proptest,
};

use redis_protocol::resp2::{decode::decode_bytes, types::BytesFrame};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    runtime::Builder,
    task::{LocalSet, spawn_local, yield_now},
    time::timeout,
};

use super::{
    WireConnection,
    alike::{Outcome, decode, decodes_alike},
    decode::{Decoded, Decoder, LONGEST_LINE, Malformed},
    encode::encode,
};
use crate::{
    measure::ErrorClass,
    target::{
        Connector, DriverConnection, TargetUrl,
        login::{Access, Login},
        reply::{Shape, digits},
        sample, words,
    },
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
        let kept = Outcome { replies: frames.iter().map(Frame::kept).collect(), end: Ok(0) };
        prop_assert_eq!(decode(&stream, &pieces), kept);
        decodes_alike(&stream, &pieces);
    }

    #[test]
    fn no_input_makes_the_decoder_panic_or_keep_more_than_its_bound(
        stream in proptest::collection::vec(
            proptest::sample::select(&["\r\n", "\n", "*", "$", "+", "-", ":", "1", "3", "\u{e9}"][..]),
            0..200,
        ),
        pieces in proptest::collection::vec(1_usize..30, 1..8),
    ) {
        decodes_alike(stream.concat().as_bytes(), &pieces);
    }
}

#[test]
fn the_inputs_of_the_fuzzer_decode_to_the_same_however_they_are_cut() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/decode");
    let mut inputs = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let stream = std::fs::read(entry.unwrap().path()).unwrap();
        for pieces in [&[1][..], &[2], &[3, 1], &[7, 2]] {
            decodes_alike(&stream, pieces);
        }
        inputs += 1;
    }
    assert!(inputs >= 15, "{inputs} inputs in {folder}");
}

#[test]
fn the_longest_line_is_as_long_in_pieces_as_whole() {
    for (length, expected) in [(LONGEST_LINE, None), (LONGEST_LINE + 1, Some(Malformed("a line has no end")))] {
        let line = format!("-{}\r\n", "e".repeat(length - 3));
        let outcome = decode(line.as_bytes(), &[4_096]);
        assert_eq!(outcome.end.err(), expected);
        assert_eq!(outcome.replies.len(), usize::from(expected.is_none()));
        decodes_alike(line.as_bytes(), &[4_096]);
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
    let queued = decode(b"+QUEUED\r\n", &[3]);
    assert_eq!(queued.replies, [Decoded { shape: Shape::Queued, bytes: 0, error: None }]);
}

#[test]
fn requests_are_arrays_of_bulk_strings() {
    for request in sample::requests() {
        let mut out = Vec::new();
        encode(&mut out, &request);
        let (frame, length) = decode_bytes(&out.clone().into()).unwrap().unwrap();
        assert_eq!(length, out.len(), "{request:?}");
        assert_eq!(frame, BytesFrame::Array(words::words(&request).into_iter().map(BytesFrame::BulkString).collect()));
    }
}

/// A socket by which the task of its connection panics.
struct Faulty;

impl AsyncRead for Faulty {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        panic!("a defect");
    }
}

impl AsyncWrite for Faulty {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[test]
fn who_waits_for_a_connection_whose_task_has_panicked_panics_too() {
    let url: TargetUrl = "redis://host".parse().unwrap();
    let access = Access { service: "test".to_owned(), login: Login::default(), database: 0 };
    let connector = Connector::new(&url.site, None, access);
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    LocalSet::new().block_on(&runtime, async {
        let connection = WireConnection::new(connector, Box::pin(Faulty), None);
        yield_now().await;
        let failure = connection.issue(sample::requests().remove(0)).await.result.unwrap_err();
        assert_eq!(failure.class, ErrorClass::ConnectionLost, "its lane asks for its recovery");
        let waiting = spawn_local(async move { connection.recover().await });
        let ended = timeout(Duration::from_secs(10), waiting).await.unwrap();
        assert!(ended.unwrap_err().is_panic());
    });
}
