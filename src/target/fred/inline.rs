//! Words of inline commands. fred sends `HELLO` as one, and the user and the password in it as they are.

use std::fmt::Write as _;

/// A word in quotes, as the server reads it from a line: bytes that have a meaning there are written as numbers.
pub(in crate::target) fn quoted(word: &str) -> String {
    let mut quoted = String::from('"');
    for byte in word.bytes() {
        if byte.is_ascii_alphanumeric() {
            quoted.push(byte.into());
        } else {
            // A string takes every write.
            let _ = write!(quoted, "\\x{byte:02x}");
        }
    }
    quoted + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_a_meaning_in_a_line_is_a_number() {
        assert_eq!(quoted(""), r#""""#);
        assert_eq!(quoted("app7"), r#""app7""#);
        assert_eq!(quoted("a b\"\\\u{fc}"), r#""a\x20b\x22\x5c\xc3\xbc""#);
    }
}
