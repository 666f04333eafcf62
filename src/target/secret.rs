//! Keeping passwords out of results.
//!
//! - A password is a [`Secret`], which can be neither printed nor saved.
//! - A scenario contains no password (`scenario::reader::refusals`), and the address of a dependency no login (`scenario::Address`).
//! - An address is shown without its login; of a text that is no address, [`redacted`] is shown.
//! - Of values that the command line sets, `scenario::shown_field` and `scenario::shown_setting` are shown.
//! - Of a server's settings, only those are read that `server::inspect` and `server::facts` list by name.
//! - Another build of plimsoll does not inherit the variables that hold passwords (`cli::gate::child`).
//!
//! `tests/cli/journey.rs` looks for the password of a run in all its files and output.

use std::{fmt, net::IpAddr};

use rand::{TryRng, rngs::SysRng};

use super::TargetError;
use crate::results::sha256;

/// A password. Neither printed nor saved: only [`Secret::expose`] gives it away, to the client library.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps a password.
    pub fn new(password: impl Into<String>) -> Self {
        Self(password.into())
    }

    /// A new password of 64 hexadecimal digits from the operating system's randomness.
    pub(super) fn random() -> Result<Self, TargetError> {
        let mut bytes = [0; 32];
        SysRng.try_fill_bytes(&mut bytes).map_err(|error| TargetError::Randomness(error.to_string()))?;
        let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        Ok(Self(digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()))
    }

    /// The password itself, for a login and nothing else.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// SHA-256 of the password in hexadecimal digits, as access control lists keep it.
    pub(super) fn hash(&self) -> String {
        sha256(&self.0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// The text without anything that could be a login: what lies before an `@`, or among parameters. Without an `@`, what
/// looks like a host and a port may be a user and a password whose host was forgotten.
pub(super) fn redacted(text: &str) -> String {
    let (scheme, rest) = text.split_once("://").map_or(("", text), |(scheme, rest)| (scheme, rest));
    let (login, address) = rest.rsplit_once('@').map_or(("", rest), |(_, address)| ("***@", address));
    let address = address.split_once('?').map_or(address, |(address, _)| address);
    let (authority, path) = address.split_at(address.find('/').unwrap_or(address.len()));
    let rest = match authority.rsplit_once(':') {
        Some((host, port))
            if login.is_empty() && !is_host(host) && port.contains(|letter: char| !letter.is_ascii_digit()) =>
        {
            format!("{host}:***{path}")
        }
        _ => format!("{login}{address}"),
    };
    if scheme.is_empty() { rest } else { format!("{scheme}://{rest}") }
}

/// Whether it is certainly a host and not a user.
fn is_host(text: &str) -> bool {
    text == "localhost" || text.starts_with('[') || text.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", Some(Secret::new("hunter2"))), "Some(***)");
    }

    #[test]
    fn random_passwords_have_64_digits_and_differ() {
        let (one, other) = (Secret::random().unwrap(), Secret::random().unwrap());
        assert_eq!(one.expose().len(), 64);
        assert_ne!(one, other);
    }

    #[test]
    fn hashes_as_access_control_lists_do() {
        // FIPS 180-2, example B.1.
        let hash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Secret::new("abc").hash(), hash);
    }
}
