//! The variables that every study's data sets have, which its plan may use by name.
//!
//! Subject variables serve `who`, `only`, `by`, `variable` and the plan's own
//! variables; adverse-event variables serve the filter of an analysis of adverse
//! events. The data sets crate gives exactly these, and its tests hold it to that.

use serde::Serialize;

use super::Parameter;

/// What a variable holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum VariableKind {
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// True or false.
    Flag,
    /// A code.
    Code,
    /// A date, perhaps partly known.
    Date,
    /// Text.
    Text,
}

/// A variable that needs no line in the study file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct BuiltIn {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub label: &'static str,
    /// What it holds.
    pub kind: VariableKind,
    /// Its unit, if any.
    pub unit: Option<&'static str>,
}

const fn variable(name: &'static str, label: &'static str, kind: VariableKind) -> BuiltIn {
    BuiltIn { name, label, kind, unit: None }
}

const fn measured(
    name: &'static str,
    label: &'static str,
    kind: VariableKind,
    unit: &'static str,
) -> BuiltIn {
    BuiltIn { name, label, kind, unit: Some(unit) }
}

use VariableKind::{Code, Date, Flag, Integer, Number, Text};

/// One row a participant who was screened. `arm` exists once the allocation list was opened
/// (in a study of one arm: always).
pub const SUBJECT_VARIABLES: &[BuiltIn] = &[
    variable("subject", "Participant", Text),
    variable("site", "Site", Code),
    variable("stratum", "Stratum of allocation", Code),
    variable("arm", "Arm", Code),
    variable("sex", "Sex", Code),
    measured("age", "Age at screening", Number, "years"),
    variable("screening_date", "Day on which screening began", Date),
    variable("eligible", "Signed as eligible", Flag),
    variable("enrolled", "Enrolled, or randomised where there is an allocation", Flag),
    variable("enrolment_date", "Date of enrolment or randomisation", Date),
    variable("treated", "Took at least one dose", Flag),
    variable("first_dose_date", "Date of first dose", Date),
    variable("last_dose_date", "Date of last dose", Date),
    variable("planned_last_dose_date", "Last planned treatment day", Date),
    variable("treatment_completed", "Treatment ended as planned", Flag),
    variable("treatment_end_reason", "Why treatment ended", Code),
    variable("completed", "Participation ended as planned", Flag),
    variable("end_reason", "Why participation ended", Code),
    variable("end_date", "Date on which participation ended", Date),
    variable("died", "Died", Flag),
    variable("death_date", "Date of death", Date),
    measured("treatment_days", "Days from first to last dose", Integer, "d"),
    measured("planned_days", "Planned treatment days", Integer, "d"),
    measured("dose_days", "Days with a dose, up to the last planned one", Integer, "d"),
    measured("dose_share", "Days with a dose of the planned treatment days", Number, "%"),
    measured("dose_mg", "Drug taken", Number, "mg"),
    measured("dose_intensity", "Relative dose intensity to the last planned treatment day", Number, "%"),
    measured("longest_pause", "Longest run of planned treatment days without a dose", Integer, "d"),
    variable("dose_changed", "Dose changed, held or stopped early at some time", Flag),
    variable("deviations", "Deviations", Integer),
    variable("major_deviations", "Major deviations", Integer),
    variable("blind_broken", "Blind broken before the list was opened", Flag),
];

/// One row an adverse event.
pub const ADVERSE_EVENT_VARIABLES: &[BuiltIn] = &[
    variable("subject", "Participant", Text),
    variable("site", "Site", Code),
    variable("arm", "Arm", Code),
    variable("row", "Number of the event within the participant", Integer),
    variable("term", "Term", Text),
    variable("start", "Start as recorded", Date),
    variable("stop", "Stop as recorded", Date),
    measured("start_day", "Study day of start, imputed where partly known", Integer, "d"),
    measured("stop_day", "Study day of stop, imputed where partly known", Integer, "d"),
    variable("start_imputed", "Start was imputed", Flag),
    variable("stop_imputed", "Stop was imputed", Flag),
    variable("ongoing", "Not ended", Flag),
    measured("duration", "Days from start to stop, both counted", Integer, "d"),
    variable("treatment_emergent", "Began or worsened on or after the first dose", Flag),
    variable("first_grade", "Grade at onset", Integer),
    variable("grade", "Worst grade", Integer),
    variable("serious", "Serious", Flag),
    variable("relation", "Relation to the drug as recorded", Code),
    variable("related", "Possibly, probably or definitely related", Flag),
    variable("action", "Action with the drug", Code),
    variable("outcome", "Outcome", Code),
];

/// What an expression over a casebook (forms, eligibility, dosing) may read besides items.
/// Conduct gives exactly these; no arm is among them.
pub const CASEBOOK_VARIABLES: &[BuiltIn] = &[
    variable("visit.date", "Date of the visit in hand", Date),
    variable("subject.site", "Site", Code),
    variable("subject.consent_date", "Date of consent", Date),
    variable("subject.enrolment_date", "Date of enrolment or randomisation", Date),
    variable("subject.first_dose_date", "Date of first dose", Date),
    variable("subject.last_dose_date", "Date of last dose", Date),
];

/// Returns the subject variables that each parameter brings: its baseline (`mrss_baseline`) and the
/// number of its values after the first dose (`mrss_postbaseline`).
pub fn parameter_variables(parameter: &Parameter) -> [(String, VariableKind); 2] {
    let stem = parameter.id.as_str().to_lowercase();
    [(format!("{stem}_baseline"), Number), (format!("{stem}_postbaseline"), Integer)]
}
