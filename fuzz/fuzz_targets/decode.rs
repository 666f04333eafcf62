//! Replies that the decoder of the wire client reads: any bytes, cut in several ways.

#![no_main]

libfuzzer_sys::fuzz_target!(|stream: &[u8]| {
    for pieces in [&[1][..], &[2], &[3, 1], &[7, 2]] {
        plimsoll::target::decodes_alike(stream, pieces);
    }
});
