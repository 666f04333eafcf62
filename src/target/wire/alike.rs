//! The law of the decoder, for its tests and its fuzzer: a stream decodes to the same, however it is cut.

use super::decode::{Decoded, Decoder, LONGEST_LINE, Malformed};
use crate::scenario::Protocol;

/// Result of decoding a stream.
#[derive(Debug, PartialEq)]
pub(super) struct Outcome {
    pub(super) replies: Vec<Decoded>,
    /// Bytes that are not decoded at the end, or the violation of the protocol.
    pub(super) end: Result<usize, Malformed>,
}

/// Decodes a stream whole, and in pieces of the given lengths, over and over; in each protocol.
///
/// # Panics
/// Where the two differ, or where more is kept than `LONGEST_LINE`, and as much of an error.
pub fn decodes_alike(stream: &[u8], pieces: &[usize]) {
    for protocol in [Protocol::Resp2, Protocol::Resp3] {
        assert_eq!(decode(protocol, stream, pieces), decode(protocol, stream, &[stream.len()]));
    }
}

/// Decodes a stream that comes in pieces of the given lengths, over and over.
pub(super) fn decode(protocol: Protocol, stream: &[u8], pieces: &[usize]) -> Outcome {
    let (mut decoder, mut input, mut replies) = (Decoder::of(protocol), Vec::new(), Vec::new());
    let mut rest = stream;
    for piece in pieces.iter().cycle() {
        let (now, later) = rest.split_at((*piece).clamp(1, rest.len().max(1)).min(rest.len()));
        rest = later;
        input.extend_from_slice(now);
        loop {
            let (used, reply) = match decoder.decode(&input) {
                Ok(step) => step,
                Err(malformed) => return Outcome { replies, end: Err(malformed) },
            };
            input.drain(..used);
            let Some(reply) = reply else { break };
            replies.push(reply);
        }
        assert!(input.len() < LONGEST_LINE, "{} bytes are kept", input.len());
        assert!(decoder.kept() <= LONGEST_LINE, "an error of {} bytes is kept", decoder.kept());
        if rest.is_empty() {
            break;
        }
    }
    Outcome { replies, end: Ok(input.len()) }
}
