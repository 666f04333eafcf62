//! Standard error.

use std::io::{self, Write as _};

/// Writes a message to standard error. A standard error that is closed is no failure.
pub(super) fn print(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}
