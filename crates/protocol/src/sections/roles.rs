//! `roles.toml`: data classes, and who sees and does what.

use crate::{
    desk::{Desk, Section},
    model::{DataClass, Power, Role, Sight},
    shape::{Field, Keys, Kind, Shape, may, must},
};

words! { SIGHTS, sight -> Sight {
    "none" => Sight::None,
    "own visit" => Sight::OwnVisit,
    "masked" => Sight::Masked,
    "pooled" => Sight::Pooled,
    "site" => Sight::Site,
    "all" => Sight::All,
} }

words! { POWERS, power -> Power {
    "take consent" => Power::TakeConsent,
    "run visits" => Power::RunVisits,
    "decide eligibility" => Power::DecideEligibility,
    "enrol" => Power::Enrol,
    "dispense" => Power::Dispense,
    "change dose" => Power::ChangeDose,
    "report events" => Power::ReportEvents,
    "end participation" => Power::EndParticipation,
    "manage queries" => Power::ManageQueries,
    "answer queries" => Power::AnswerQueries,
    "verify source" => Power::VerifySource,
    "sign" => Power::Sign,
    "review data" => Power::ReviewData,
    "review medically" => Power::ReviewMedically,
    "break blind" => Power::BreakBlind,
    "keep specimen key" => Power::KeepSpecimenKey,
    "read specimens" => Power::ReadSpecimens,
    "classify deviations" => Power::ClassifyDeviations,
    "sign analysis sets" => Power::SignAnalysisSets,
    "lock" => Power::Lock,
    "unblind study" => Power::UnblindStudy,
    "seal allocation" => Power::SealAllocation,
    "administer" => Power::Administer,
    "receive kits" => Power::ReceiveKits,
    "oversee safety" => Power::OverseeSafety,
} }

const CLASS: &[Field] = &[
    must("label", Shape::Label, "What it covers."),
    may("blind_risk", Shape::Flag, "Whether it can reveal the arm or hint at it."),
];

const ROLE: &[Field] = &[
    must("label", Shape::Label, "What people call it."),
    must("blinded", Shape::Flag, "Whether the role must not learn any allocation."),
    may(
        "sees",
        Shape::Map(Keys::Name(Kind::DataClass), &Shape::Word(SIGHTS)),
        "How much it sees; a class that is not listed is not seen.",
    ),
    may("enters", Shape::List(&Shape::Name(Kind::DataClass)), "The data classes it enters."),
    may("may", Shape::List(&Shape::Word(POWERS)), "What it may do besides."),
];

pub(crate) const FIELDS: &[Field] = &[
    must(
        "data_classes",
        Shape::Map(Keys::Define(Kind::DataClass), &Shape::Table(CLASS)),
        "Data classes; every form belongs to one.",
    ),
    must("roles", Shape::Map(Keys::Define(Kind::Role), &Shape::Table(ROLE)), "Roles."),
];

/// Reads the data classes.
pub(crate) fn read_classes(desk: &mut Desk<'_>, root: &Section<'_>) -> Vec<DataClass> {
    root.named("data_classes")
        .map(|entry| DataClass {
            id: entry.name().into(),
            label: desk.label(entry.get("label")),
            blind_risk: entry.flag("blind_risk").unwrap_or(false),
        })
        .collect()
}

/// Reads the roles.
pub(crate) fn read_roles(desk: &mut Desk<'_>, root: &Section<'_>) -> Vec<Role> {
    root.named("roles")
        .map(|entry| Role {
            id: entry.name().into(),
            label: desk.label(entry.get("label")),
            blinded: entry.flag("blinded").unwrap_or(true),
            sees: entry
                .named("sees")
                // A word that is none has been reported; something is seen all the same.
                .map(|class| {
                    (class.name().into(), class.node.text().and_then(sight).unwrap_or(Sight::OwnVisit))
                })
                .collect(),
            enters: entry.texts("enters").into_iter().map(Into::into).collect(),
            may: entry.texts("may").into_iter().filter_map(power).collect(),
        })
        .collect()
}
