//! A row of a data set as an expression sees it: by the names of its columns.

use datasets::Dataset;
use protocol::expression::{ItemRef, Scope};
use terms::{Answer, Date};

/// One row. It knows variables only: items of forms lie behind the data sets.
pub(crate) struct Row<'a> {
    pub(crate) set: &'a Dataset,
    pub(crate) row: usize,
}

impl Scope for Row<'_> {
    fn item(&self, _reference: &ItemRef) -> Option<Answer> {
        None
    }

    fn variable(&self, name: &str) -> Option<Answer> {
        self.set.cell(name, self.row).answer()
    }

    fn limit(&self, _reference: &ItemRef, _upper: bool) -> Option<Answer> {
        None
    }

    fn today(&self) -> Option<Date> {
        None
    }
}
