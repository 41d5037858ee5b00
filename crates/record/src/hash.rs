//! SHA-256 digests and the one way bytes are fed to them.
//!
//! Every hash of the record begins with a domain tag, and everything of
//! variable length is preceded by its length, so that no two inputs run together.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A SHA-256 digest; written as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Hash([u8; 32]);

/// The text is not 64 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a hash; a hash has 64 hexadecimal digits")]
pub struct HashError {
    /// What was written.
    pub text: String,
}

impl Hash {
    /// Wraps a digest.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the digest.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Collects the input of one hash in the record's byte layout.
pub(crate) struct Layout(Sha256);

impl Layout {
    /// Begins with the domain tag, itself preceded by its length.
    pub(crate) fn tagged(tag: &str) -> Self {
        Self(Sha256::new()).bytes(tag.as_bytes())
    }

    /// Adds bytes of any length, preceded by that length.
    pub(crate) fn bytes(self, bytes: &[u8]) -> Self {
        let mut layout = self.count(bytes.len());
        layout.0.update(bytes);
        layout
    }

    /// Adds a count as eight bytes, most significant first.
    pub(crate) fn count(mut self, count: usize) -> Self {
        self.0.update((count as u64).to_be_bytes());
        self
    }

    /// Adds a digest; its length is fixed and not written.
    pub(crate) fn hash(mut self, hash: &Hash) -> Self {
        self.0.update(hash.0);
        self
    }

    /// Returns the digest of all that was added.
    pub(crate) fn finish(self) -> Hash {
        Hash(self.0.finalize().into())
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for Hash {
    type Err = HashError;

    fn from_str(text: &str) -> Result<Self, HashError> {
        let refused = || HashError { text: text.to_owned() };
        let digits = text.as_bytes();
        if digits.len() != 64 {
            return Err(refused());
        }
        let nibble = |digit: u8| (digit as char).to_digit(16).ok_or_else(refused);
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = (nibble(pair[0])? << 4 | nibble(pair[1])?) as u8;
        }
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for Hash {
    type Error = HashError;

    fn try_from(text: String) -> Result<Self, HashError> {
        text.parse()
    }
}

impl From<Hash> for String {
    fn from(hash: Hash) -> String {
        hash.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_reads_back_from_its_text() {
        let hash = Layout::tagged("x").finish();
        assert_eq!(hash.to_string().parse::<Hash>().unwrap(), hash);
        assert_eq!(hash.to_string().to_uppercase().parse::<Hash>().unwrap(), hash);
    }

    #[test]
    fn a_text_that_is_no_hash_is_refused() {
        for text in ["", "12", &"g".repeat(64), &"é".repeat(32), &"a".repeat(65)] {
            assert!(text.parse::<Hash>().is_err(), "{text}");
        }
    }

    #[test]
    fn parts_do_not_run_together() {
        let one = Layout::tagged("t").bytes(b"ab").bytes(b"c").finish();
        let other = Layout::tagged("t").bytes(b"a").bytes(b"bc").finish();
        assert_ne!(one, other);
    }
}
