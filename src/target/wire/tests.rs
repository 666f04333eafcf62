//! Laws of the decoder, the encoder with the requests of every command, and a connection whose task panics.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use proptest::{
    prelude::{ProptestConfig, TestCaseError, prop_assert, prop_assert_eq},
    proptest,
};

use redis_protocol::{
    resp2::{decode::decode_bytes, types::BytesFrame},
    resp3,
};
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
    frames::{Frame, frames, frames_of_resp3, resembles},
};
use crate::{
    measure::ErrorClass,
    scenario::{Protocol, ReadFrom},
    target::{
        Connector, DriverConnection, TargetUrl,
        login::{Access, Login},
        reply::Shape,
        sample, words,
    },
};

/// Fails unless a stream of these frames, cut into pieces, decodes to what they hold; gives the stream.
fn decodes_to(protocol: Protocol, frames: &[Frame], pieces: &[usize]) -> Result<Vec<u8>, TestCaseError> {
    let mut stream = Vec::new();
    for frame in frames {
        frame.write(&mut stream);
    }
    let kept = Outcome { replies: frames.iter().map(Frame::kept).collect(), end: Ok(0) };
    prop_assert_eq!(decode(protocol, &stream, pieces), kept);
    decodes_alike(&stream, pieces);
    Ok(stream)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn replies_that_are_cut_anywhere_decode_to_the_same(
        frames in proptest::collection::vec(frames(), 1..4),
        pieces in proptest::collection::vec(1_usize..30, 1..8),
    ) {
        decodes_to(Protocol::Resp2, &frames, &pieces)?;
        // Whoever speaks RESP3 may use the types of RESP2.
        decodes_to(Protocol::Resp3, &frames, &pieces)?;
    }

    #[test]
    fn replies_of_resp3_that_are_cut_anywhere_decode_to_the_same(
        frames in proptest::collection::vec(frames_of_resp3(), 1..4),
        pieces in proptest::collection::vec(1_usize..30, 1..8),
    ) {
        decodes_to(Protocol::Resp3, &frames, &pieces)?;
    }

    #[test]
    fn replies_of_resp3_end_where_those_of_another_decoder_end(frame in frames_of_resp3()) {
        let stream = decodes_to(Protocol::Resp3, std::slice::from_ref(&frame), &[7])?;
        match resp3::decode::complete::decode_bytes(&stream.clone().into()) {
            Ok(Some((other, length))) => {
                prop_assert_eq!(length, stream.len());
                prop_assert!(resembles(&frame, &other), "{:?}", other);
            }
            other => prop_assert!(frame.is_unordered(), "{:?}", other),
        }
    }

    #[test]
    fn no_input_makes_the_decoder_panic_or_keep_more_than_its_bound(
        stream in proptest::collection::vec(
            proptest::sample::select(
                &["\r\n", "\n", "*", "$", "+", "-", ":", "_", "#", ",", "(", "!", "=", "%", "~", "|", ">", "1", "3", "t", "\u{e9}"][..]
            ),
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
    assert!(inputs >= 30, "{inputs} inputs in {folder}");
}

#[test]
fn the_longest_line_is_as_long_in_pieces_as_whole() {
    for (length, expected) in [(LONGEST_LINE, None), (LONGEST_LINE + 1, Some(Malformed("a line has no end")))] {
        let line = format!("-{}\r\n", "e".repeat(length - 3));
        let outcome = decode(Protocol::Resp2, line.as_bytes(), &[4_096]);
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
        for protocol in [Protocol::Resp2, Protocol::Resp3] {
            assert_eq!(Decoder::of(protocol).decode(stream.as_bytes()), Err(Malformed(expected)), "{stream:.40}");
        }
    }
    for (stream, expected) in [
        ("$?\r\n", "a reply is of unknown length"),
        ("~?\r\n", "a reply is of unknown length"),
        ("|?\r\n", "a reply is of unknown length"),
        ("%-1\r\n", "a length is negative"),
        ("!-1\r\n", "a length is negative"),
        (">-2\r\n", "a length is negative"),
        ("_0\r\n", "a null has a value"),
        ("#true\r\n", "a boolean is neither t nor f"),
        (",1.5.1\r\n", "a number is none"),
        (",\r\n", "a number is none"),
        ("(12e3\r\n", "a number is none"),
        ("(-\r\n", "a number is none"),
        ("=3\r\ntxt\r\n", "a verbatim string has no format"),
        ("!65537\r\n", "an error is too long"),
        ("!1\r\nEE\r\n", "a bulk string is longer than its length"),
        ("*1\r\n>1\r\n", "a push message is within a reply"),
        (";4\r\n", "a reply is of an unknown type"),
        (&"|1\r\n".repeat(40), "arrays are nested too deep"),
    ] {
        assert_eq!(Decoder::of(Protocol::Resp3).decode(stream.as_bytes()), Err(Malformed(expected)), "{stream:.40}");
        let unknown = "a reply is of an unknown type";
        let of_resp2 = Decoder::of(Protocol::Resp2).decode(stream.as_bytes());
        assert!(stream.starts_with(['$', '*']) || of_resp2 == Err(Malformed(unknown)), "{stream:.40}");
    }
}

#[test]
fn a_reply_of_any_length_takes_no_memory() {
    for begun in [
        "*9223372036854775807\r\n$9223372036854775807\r\n",
        "%9223372036854775807\r\n=9223372036854775807\r\n",
        ">9223372036854775807\r\n!65536\r\n",
        "|9223372036854775807\r\n~9223372036854775807\r\n$9223372036854775807\r\n",
    ] {
        let mut decoder = Decoder::of(Protocol::Resp3);
        assert_eq!(decoder.decode(begun.as_bytes()), Ok((begun.len(), None)));
        let piece = [b'x'; 4_096];
        for _ in 0..if begun.contains('!') { 16 } else { 1_000 } {
            assert_eq!(decoder.decode(&piece), Ok((4_096, None)), "every byte is done with at once");
            assert_eq!(decoder.kept(), 0);
        }
    }
}

#[test]
fn what_is_kept_for_exec_is_known() {
    let queued = decode(Protocol::Resp2, b"+QUEUED\r\n", &[3]);
    assert_eq!(queued.replies, [Decoded { is_push: false, shape: Shape::Queued, bytes: 0, error: None }]);
}

#[test]
fn the_longest_error_is_kept_and_one_beside_it_is_not() {
    let error = |length: usize| format!("!{length}\r\n{}\r\n", "e".repeat(length));
    let stream = format!("*2\r\n{}{}", error(LONGEST_LINE), error(9));
    let outcome = decode(Protocol::Resp3, stream.as_bytes(), &[4_096]);
    assert_eq!(outcome.replies[0].error.as_ref().map(String::len), Some(LONGEST_LINE));
    assert_eq!((outcome.replies[0].bytes, outcome.end), (0, Ok(0)));
}

#[test]
fn a_push_message_is_told_from_a_reply_before_it_is_whole() {
    let mut decoder = Decoder::of(Protocol::Resp3);
    assert!(decoder.is_push(b">") && !decoder.is_push(b"+") && !decoder.is_push(b"|"));
    assert_eq!(decoder.decode(b">2\r\n$3\r\nab"), Ok((10, None)));
    assert!(decoder.is_push(b"c\r\n") && decoder.is_push(b"+"));
    let (used, push) = decoder.decode(b"c\r\n+\r\n+OK\r\n").unwrap();
    assert!(used == 6 && push.unwrap().is_push && !decoder.is_push(b"+OK"));
    assert_eq!(decoder.decode(b"$3\r\n>"), Ok((5, None)));
    assert!(!decoder.is_push(b">"), "payload of a reply");
    assert!(!Decoder::of(Protocol::Resp2).is_push(b">"));
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
    let (protocol, read_from) = (Protocol::Resp2, ReadFrom::Primary);
    let access = Access { service: "test".to_owned(), login: Login::default(), database: 0, protocol, read_from };
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
