//! Requests, the same in RESP2 and RESP3: an array of bulk strings.

use crate::{operation::Request, target::words};

/// Appends a request to a buffer.
pub(super) fn encode(out: &mut Vec<u8>, request: &Request) {
    header(out, b'*', words::count(request));
    words::each(request, |word| {
        header(out, b'$', word.len());
        out.extend_from_slice(word);
        out.extend_from_slice(b"\r\n");
    });
}

fn header(out: &mut Vec<u8>, sign: u8, length: usize) {
    out.push(sign);
    out.extend_from_slice(itoa::Buffer::new().format(length).as_bytes());
    out.extend_from_slice(b"\r\n");
}
