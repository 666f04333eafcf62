//! A password that no output can show.

use std::fmt;

use rand::{TryRng, rngs::SysRng};
use sha2::{Digest, Sha256};

use super::TargetError;

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
        Ok(Self(hexadecimal(&bytes)))
    }

    /// The password itself, for a login and nothing else.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// SHA-256 of the password in hexadecimal digits, as access control lists keep it.
    pub(super) fn hash(&self) -> String {
        hexadecimal(&Sha256::digest(&self.0))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    use fmt::Write;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes every write");
        text
    })
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
