//! A treatment code that somebody was entitled to learn.
//!
//! Outside this crate an arm of the sealed list exists only inside
//! [`Unblinded`]. It is made where a key opened something, prints nothing, and
//! can't be serialised, so that it reaches a log, a page or a file only through
//! a visible call of [`Unblinded::reveal`].

use std::fmt;

/// Something that unblinds, opened with a holder's key or drawn by the list's owner.
#[derive(Clone, PartialEq, Eq)]
pub struct Unblinded<T>(T);

impl<T> Unblinded<T> {
    pub(crate) fn new(content: T) -> Self {
        Self(content)
    }

    /// Returns what was hidden; every call is a place to audit.
    pub fn reveal(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Unblinded<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unblinded(..)")
    }
}

impl<T> fmt::Display for Unblinded<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[blinded]")
    }
}
