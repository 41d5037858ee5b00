//! Where an analysis writes its numbers down, each with the rows behind it.

use std::collections::BTreeMap;

use statistics::NotEstimable;
use terms::AnalysisId;

use crate::{Format, Number, RowSet};

/// Sets of rows, each kept once.
#[derive(Debug, Default)]
pub(crate) struct RowSets {
    places: BTreeMap<RowSet, usize>,
    sets: Vec<RowSet>,
}

impl RowSets {
    /// Returns the place of a set of rows, which is kept if it is new.
    pub(crate) fn place(&mut self, dataset: &str, mut rows: Vec<usize>, columns: &[&str]) -> usize {
        rows.sort_unstable();
        rows.dedup();
        let columns = columns.iter().map(|column| (*column).to_owned()).collect();
        let set = RowSet { dataset: dataset.to_owned(), rows, columns };
        if let Some(place) = self.places.get(&set) {
            return *place;
        }
        self.sets.push(set.clone());
        self.places.insert(set, self.sets.len() - 1);
        self.sets.len() - 1
    }

    pub(crate) fn into_sets(self) -> Vec<RowSet> {
        self.sets
    }
}

/// What a number belongs to.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Of<'a> {
    pub(crate) group: Option<&'a str>,
    pub(crate) level: Option<&'a str>,
}

/// Of all groups and levels together.
pub(crate) const ALL: Of<'static> = Of { group: None, level: None };

/// Of one group.
pub(crate) fn group(group: Option<&str>) -> Of<'_> {
    Of { group, level: None }
}

/// Of one group (or all) and one level.
pub(crate) fn cell<'a>(group: Option<&'a str>, level: &'a str) -> Of<'a> {
    Of { group, level: Some(level) }
}

/// The numbers of one analysis.
pub(crate) struct Sheet<'a> {
    analysis: &'a AnalysisId,
    pub(crate) row_sets: &'a mut RowSets,
    pub(crate) numbers: Vec<Number>,
}

/// Something that is a number, or the reason for none.
pub(crate) trait Estimate {
    fn estimate(self) -> Result<f64, String>;
}

impl Estimate for f64 {
    fn estimate(self) -> Result<f64, String> {
        Ok(self)
    }
}

impl Estimate for usize {
    fn estimate(self) -> Result<f64, String> {
        Ok(self as f64)
    }
}

impl Estimate for Result<f64, String> {
    fn estimate(self) -> Result<f64, String> {
        self
    }
}

impl Estimate for Result<f64, NotEstimable> {
    fn estimate(self) -> Result<f64, String> {
        self.map_err(|reason| reason.to_string())
    }
}

impl<'a> Sheet<'a> {
    pub(crate) fn new(analysis: &'a AnalysisId, row_sets: &'a mut RowSets) -> Self {
        Self { analysis, row_sets, numbers: Vec::new() }
    }

    /// Writes a number down.
    pub(crate) fn put(
        &mut self,
        key: &str,
        of: Of<'_>,
        value: impl Estimate,
        format: Format,
        rows: &[usize],
    ) {
        let bracket = |part: Option<&str>| part.map(|part| format!("[{part}]")).unwrap_or_default();
        let id = format!("{}/{key}{}{}", self.analysis, bracket(of.group), bracket(of.level));
        debug_assert!(self.numbers.iter().all(|number| number.id != id), "number `{id}` is written once");
        let value = value.estimate();
        self.numbers.push(Number {
            id,
            key: key.to_owned(),
            group: of.group.map(str::to_owned),
            level: of.level.map(str::to_owned),
            value: value.as_ref().ok().copied(),
            not_estimable: value.err(),
            format,
            rows: rows.to_vec(),
        });
    }
}

/// Returns `100 part / whole`; the reason for none where the whole is zero.
pub(crate) fn percent(part: usize, whole: usize) -> Result<f64, NotEstimable> {
    if whole == 0 { Err(NotEstimable::ZeroDenominator) } else { Ok(100.0 * part as f64 / whole as f64) }
}
