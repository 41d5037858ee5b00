//! The files of a study folder, one module each: its shape and how it becomes the model.
//!
//! A section reads what is there and reports what does not fit together; that keys and
//! types are right has been reported by the reader before.

/// Declares a closed set of words and what each means.
macro_rules! words {
    ($list:ident, $read:ident -> $type:ty { $($word:literal => $value:expr),* $(,)? }) => {
        pub(crate) const $list: &[&str] = &[$($word),*];

        pub(crate) fn $read(word: &str) -> Option<$type> {
            match word {
                $($word => Some($value),)*
                _ => None,
            }
        }
    };
}

pub(crate) mod allocation;
pub(crate) mod analysis;
pub(crate) mod cases;
pub(crate) mod codelists;
pub(crate) mod coverage;
pub(crate) mod declared_data;
pub(crate) mod deviations;
pub(crate) mod dosing;
pub(crate) mod eligibility;
pub(crate) mod forms;
pub(crate) mod laboratory;
mod methods;
pub(crate) mod report;
pub(crate) mod roles;
pub(crate) mod schedule;
pub(crate) mod sources;
pub(crate) mod study;
pub(crate) mod times;
pub(crate) mod virtual_cohort;
pub(crate) mod watches;

use crate::shape::{FileShape, Shape};

const fn file(path: &'static str, shape: Shape, required: bool, doc: &'static str) -> FileShape {
    FileShape { path, shape, required, doc }
}

/// The files of a study folder, in the order in which they are read.
pub(crate) static FILES: &[FileShape] = &[
    file("study.toml", Shape::Table(study::FIELDS), true, "Identity, arms, sites, facts."),
    file("roles.toml", Shape::Table(roles::FIELDS), true, "Data classes and roles."),
    file("schedule.toml", Shape::Table(schedule::FIELDS), true, "Visits and the schedule of activities."),
    file("codelists.toml", codelists::SHAPE, false, "Code lists."),
    file("forms/", Shape::Table(forms::FIELDS), false, "A form. The file's name is its id."),
    file("laboratory.toml", Shape::Table(laboratory::FIELDS), false, "Reference ranges of each laboratory."),
    file("eligibility.toml", eligibility::SHAPE, true, "Eligibility rules by id."),
    file("dosing.toml", Shape::Table(dosing::FIELDS), true, "Doses and their rules."),
    file("allocation.toml", Shape::Table(allocation::FIELDS), false, "The open part of the allocation."),
    file("deviations.toml", Shape::Table(deviations::FIELDS), false, "Which deviations are major."),
    file(
        "analysis.toml",
        Shape::Table(analysis::FIELDS),
        true,
        "The statistical analysis plan and the report.",
    ),
    file("virtual.toml", Shape::Table(virtual_cohort::FIELDS), false, "Virtual participants."),
    file(
        "coverage.toml",
        Shape::Table(coverage::FIELDS),
        false,
        "What the protocol says, and what here answers to it.",
    ),
];

/// The one file of a plan over data sets from elsewhere.
pub(crate) static PLAN_FILES: &[FileShape] = &[file(
    "analysis.toml",
    Shape::Table(analysis::FIELDS),
    true,
    "The statistical analysis plan over data sets from elsewhere.",
)];
