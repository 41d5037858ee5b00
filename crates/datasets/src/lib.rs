//! Analysis data sets from casebooks.
//!
//! [`Dataset`] is a small columnar table in which every row knows the events of the
//! record that it comes from. This crate derives; it tests nothing and prints nothing.

pub mod adam;
mod build;
pub mod csv;
mod dataset;
mod elsewhere;

pub use build::{analysis_sets, build, finding};
pub use dataset::{Cell, Column, Data, Dataset};
pub use elsewhere::from_elsewhere;

/// The data sets of a trial.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct DataSets {
    /// One row a screened participant.
    pub subjects: Dataset,
    /// One row a participant, parameter and visit, derived records included.
    pub longitudinal: Dataset,
    /// One row a participant who entered and a time to an event of the plan.
    pub times_to_event: Dataset,
    /// One row an adverse event.
    pub adverse_events: Dataset,
    /// One row a treatment other than the trial's.
    pub concomitant_treatments: Dataset,
    /// One row a stretch of days at one dose.
    pub exposure: Dataset,
    /// One row a deviation.
    pub deviations: Dataset,
    /// One row a step of a participant's way through the trial.
    pub disposition: Dataset,
    /// One row a step of dosing.
    pub dose_changes: Dataset,
    /// One row a laboratory value of the plan's tests.
    pub laboratory: Dataset,
    /// One row an item of a reading of a coded specimen.
    pub readings: Dataset,
    /// One row a skin score, one column a site.
    pub body_sites: Dataset,
    /// One row a step of a watch of the safety board.
    pub watches: Dataset,
    /// Other data sets of a trial that was run elsewhere, by their declared names; none in a study.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<Dataset>,
}

impl Default for DataSets {
    /// Data sets without rows or columns, under their names.
    fn default() -> Self {
        let empty = |name: &str, label: &str| Dataset::new(name, label, Vec::new());
        Self {
            subjects: empty("subjects", "Participants"),
            longitudinal: empty("longitudinal", "Longitudinal data"),
            times_to_event: empty("times_to_event", "Times to an event"),
            adverse_events: empty("adverse_events", "Adverse events"),
            concomitant_treatments: empty("concomitant_treatments", "Other treatments"),
            exposure: empty("exposure", "Exposure"),
            deviations: empty("deviations", "Deviations"),
            disposition: empty("disposition", "Disposition"),
            dose_changes: empty("dose_changes", "Dose changes"),
            laboratory: empty("laboratory", "Laboratory"),
            readings: empty("readings", "Readings of coded specimens"),
            body_sites: empty("body_sites", "Skin sites"),
            watches: empty("watches", "The safety board's watches"),
            others: Vec::new(),
        }
    }
}

impl DataSets {
    /// Returns the data sets in order; of a trial that was run elsewhere, those that came from there.
    pub fn all(&self) -> Vec<&Dataset> {
        if !self.others.is_empty() {
            return std::iter::once(&self.subjects).chain(&self.others).collect();
        }
        let mut sets = vec![
            &self.subjects,
            &self.longitudinal,
            &self.times_to_event,
            &self.adverse_events,
            &self.concomitant_treatments,
            &self.exposure,
            &self.deviations,
            &self.disposition,
            &self.dose_changes,
            &self.laboratory,
            &self.readings,
            &self.body_sites,
            &self.watches,
        ];
        // A plan that follows no time has no such data set.
        sets.retain(|set| set.name != self.times_to_event.name || !set.columns.is_empty());
        sets
    }

    /// Returns a data set by name.
    pub fn get(&self, name: &str) -> Option<&Dataset> {
        self.all().into_iter().find(|set| set.name == name)
    }
}
