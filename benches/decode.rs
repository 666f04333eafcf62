//! Decoding of replies: the decoder of the wire client beside that of fred, `redis-protocol`.
//!
//! Both decode a buffer of 1 000 equal replies. fred's builds each reply, the wire client's keeps form and size.

use std::{hint::black_box, time::Duration};

use bytes::{Bytes, BytesMut};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use plimsoll::{operation, scenario};
use redis_protocol::resp2::decode::{decode_bytes, decode_bytes_mut};

// The decoder is not public.
#[path = "../src/target"]
#[expect(dead_code, reason = "the bench includes private files of the crate, and calls a part of each")]
mod target {
    mod reply;
    pub(crate) mod wire {
        mod decode;

        /// Decodes a stream; the number of its replies.
        pub(crate) fn replies(stream: &[u8]) -> u64 {
            let (mut decoder, mut at, mut replies) = (decode::Decoder::default(), 0, 0);
            while at < stream.len() {
                let (used, reply) = decoder.decode(&stream[at..]).unwrap();
                at += used;
                replies += u64::from(reply.is_some());
            }
            replies
        }
    }
}

const REPLIES: usize = 1_000;

fn decode(criterion: &mut Criterion) {
    let bulk = |length: usize| format!("${length}\r\n{}\r\n", "x".repeat(length));
    for (name, reply) in [
        ("OK", "+OK\r\n".to_owned()),
        ("3 bytes", bulk(3)),
        ("1024 bytes", bulk(1_024)),
        ("10 of 16 bytes", format!("*10\r\n{}", bulk(16).repeat(10))),
    ] {
        let stream = Bytes::from(reply.repeat(REPLIES));
        let mut group = criterion.benchmark_group(format!("decode {name}"));
        group.throughput(Throughput::Elements(REPLIES as u64));
        group.bench_function("wire", |bench| {
            bench.iter(|| assert_eq!(target::wire::replies(black_box(&stream)), REPLIES as u64));
        });
        group.bench_function("redis-protocol", |bench| {
            bench.iter(|| {
                let mut rest = black_box(&stream).clone();
                let mut replies = 0;
                while let Some((frame, used)) = decode_bytes(&rest).unwrap() {
                    black_box(frame);
                    rest = rest.slice(used..);
                    replies += 1;
                }
                assert_eq!(replies, REPLIES);
            });
        });
        // As fred's codec does, which takes the bytes of a reply out of its read buffer.
        group.bench_function("redis-protocol, split", |bench| {
            bench.iter_batched(
                || BytesMut::from(&stream[..]),
                |mut rest| {
                    let mut replies = 0;
                    while let Some((frame, _, _)) = decode_bytes_mut(&mut rest).unwrap() {
                        black_box(frame);
                        replies += 1;
                    }
                    assert_eq!(replies, REPLIES);
                },
                criterion::BatchSize::LargeInput,
            );
        });
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_secs(1))
        .sample_size(30);
    targets = decode
}
criterion_main!(benches);
