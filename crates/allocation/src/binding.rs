//! Unambiguous byte strings over named fields, for digests, stream keys and
//! associated data.
//!
//! Each field is preceded by its length, so that two different lists of fields
//! never give the same bytes. This module encrypts nothing.

use sha2::{Digest, Sha256};

/// A byte string that starts with what it is for.
pub(crate) struct Binding(Vec<u8>);

impl Binding {
    /// Starts a byte string; `purpose` keeps strings for different uses apart.
    pub(crate) fn of(purpose: &str) -> Self {
        Self(Vec::new()).bytes(purpose.as_bytes())
    }

    /// Appends a field: its length as four little-endian bytes, then its bytes.
    pub(crate) fn bytes(mut self, field: &[u8]) -> Self {
        let length = u32::try_from(field.len()).expect("a bound field is shorter than 4 GiB");
        self.0.extend_from_slice(&length.to_le_bytes());
        self.0.extend_from_slice(field);
        self
    }

    /// Appends a text.
    pub(crate) fn text(self, field: impl AsRef<str>) -> Self {
        self.bytes(field.as_ref().as_bytes())
    }

    /// Appends a number, as four little-endian bytes.
    pub(crate) fn number(self, field: u32) -> Self {
        self.bytes(&field.to_le_bytes())
    }

    /// Appends how many items follow, then each of them.
    pub(crate) fn each<T>(self, items: &[T], append: impl Fn(Self, &T) -> Self) -> Self {
        let count = u32::try_from(items.len()).expect("a bound list has fewer than 2^32 items");
        items.iter().fold(self.number(count), append)
    }

    /// Returns the bytes, as associated data.
    pub(crate) fn into_bytes(mut self) -> Vec<u8> {
        std::mem::take(&mut self.0)
    }

    /// Returns the SHA-256 of the bytes.
    pub(crate) fn digest(&self) -> [u8; 32] {
        Sha256::digest(&self.0).into()
    }
}

impl Drop for Binding {
    fn drop(&mut self) {
        // Stream keys are derived from a seed that was copied in here.
        zeroize::Zeroize::zeroize(&mut self.0);
    }
}
