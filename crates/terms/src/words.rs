//! One copy of each text that many ids hold.

use std::{collections::BTreeSet, sync::Arc};

/// Texts of ids, kept once each.
///
/// A record that is read back gives every id a text of its own; a trial of thousands of participants says the same few
/// hundred visits, forms and people over and over.
#[derive(Clone, Debug, Default)]
pub struct Words(BTreeSet<Arc<str>>);

impl Words {
    /// Returns the one copy of a text.
    pub fn one(&mut self, text: &Arc<str>) -> Arc<str> {
        if let Some(known) = self.0.get(text) {
            return Arc::clone(known);
        }
        self.0.insert(Arc::clone(text));
        Arc::clone(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::VisitId;

    #[test]
    fn equal_ids_end_up_with_one_text() {
        let mut words = Words::default();
        let (one, other) = (VisitId::from("M6"), VisitId::from("M6"));
        assert!(!std::ptr::eq(one.as_str(), other.as_str()));
        let (one, other) = (one.shared(&mut words), other.shared(&mut words));
        assert!(std::ptr::eq(one.as_str(), other.as_str()));
        assert_eq!(one, other);
    }
}
