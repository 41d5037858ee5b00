//! A row of a data set as an expression sees it: by the names of its columns.

use datasets::{DataSets, Dataset};
use protocol::expression::{ItemRef, Scope};
use terms::{Answer, Date, ParameterId, VisitId};

/// One row. It knows variables, and values of parameters; items of forms lie behind the data sets.
pub(crate) struct Row<'a> {
    pub(crate) data: &'a DataSets,
    pub(crate) set: &'a Dataset,
    pub(crate) row: usize,
    /// The participant's row, for what the row itself does not hold.
    pub(crate) subject_row: Option<usize>,
}

impl Scope for Row<'_> {
    fn item(&self, _reference: &ItemRef) -> Option<Answer> {
        None
    }

    fn variable(&self, name: &str) -> Option<Answer> {
        match (self.set.column(name), self.subject_row) {
            (None, Some(row)) => self.data.subjects.cell(name, row).answer(),
            _ => self.set.cell(name, self.row).answer(),
        }
    }

    fn limit(&self, _reference: &ItemRef, _upper: bool) -> Option<Answer> {
        None
    }

    fn today(&self) -> Option<Date> {
        None
    }

    /// The value as observed at the visit; none where a rule made it.
    fn parameter(&self, parameter: &ParameterId, visit: &VisitId) -> Option<Answer> {
        let rows = &self.data.longitudinal;
        let subject = self.set.cell("subject", self.row).text()?;
        let found = (0..rows.rows()).find(|row| {
            rows.cell("subject", *row).text() == Some(subject)
                && rows.cell("parameter", *row).text() == Some(parameter.as_str())
                && rows.cell("visit", *row).text() == Some(visit.as_str())
                && rows.cell("derived", *row).text().is_none()
        });
        rows.cell("value", found?).answer()
    }
}
