//! What a signature binds: which values, by the events that set them.
//!
//! The digest names events and items, never values. The record's chain commits to the values of
//! those events with a salt, so the signature is bound to them all the same, and a
//! short list of possible answers can't be tried against it.

use std::fmt::Write;

use record::FormKey;
use sha2::{Digest as _, Sha256};
use terms::*;

use crate::{casebook::Casebook, decide_eligibility::Verdict};

/// A SHA-256 over fields, each preceded by its length.
pub(crate) struct Digest(Sha256);

/// Returns the digest of a casebook's present values, by the events that set them; a manifest of a lock lists it.
pub fn casebook_digest(casebook: &Casebook) -> String {
    Digest::of("casebook").casebook(casebook).hex()
}

impl Digest {
    pub fn of(purpose: &str) -> Self {
        Self(Sha256::new()).text("equipoise/conduct/1").text(purpose)
    }

    pub fn text(mut self, text: &str) -> Self {
        self.0.update((text.len() as u64).to_be_bytes());
        self.0.update(text);
        self
    }

    pub fn number(mut self, number: u64) -> Self {
        self.0.update(number.to_be_bytes());
        self
    }

    /// The present values of a form: each item's source event, and its place among the item's entries; and its files. No item is
    /// called `/file`.
    pub fn form(self, casebook: &Casebook, key: &FormKey) -> Self {
        let visit = key.visit.as_ref().map_or("", VisitId::as_str);
        let named = self.text(visit).text(key.form.as_str()).number(u64::from(key.row));
        let Some(filled) = casebook.forms.get(key) else { return named };
        let valued = filled
            .cells
            .iter()
            .fold(named, |digest, (item, cell)| digest.text(item.as_str()).number(cell.current().sequence));
        let files = casebook.files.get(key).into_iter().flatten().filter(|file| file.withdrawn.is_none());
        files.fold(valued, |digest, file| digest.text("/file").number(file.attached.sequence))
    }

    /// All forms of a visit.
    pub fn visit(self, casebook: &Casebook, visit: &VisitId) -> Self {
        let held = casebook.visits.get(visit).map_or(0, |visit| visit.held.sequence);
        let begun = self.text(visit.as_str()).number(held);
        let keys = casebook.forms.keys().filter(|key| key.visit.as_ref() == Some(visit));
        keys.fold(begun, |digest, key| digest.form(casebook, key))
    }

    /// All forms of a casebook.
    pub fn casebook(self, casebook: &Casebook) -> Self {
        let begun = self.text(casebook.subject.as_str());
        casebook.forms.keys().fold(begun, |digest, key| digest.form(casebook, key))
    }

    /// How rules stood.
    pub fn rules(self, verdict: &Verdict) -> Self {
        let listed = |digest: Self, rules: &[RuleId]| {
            rules.iter().fold(digest.number(rules.len() as u64), |digest, rule| digest.text(rule.as_str()))
        };
        listed(listed(self, &verdict.unmet), &verdict.unknown)
    }

    /// Returns 64 hexadecimal digits.
    pub fn hex(self) -> String {
        self.0.finalize().iter().fold(String::with_capacity(64), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}
