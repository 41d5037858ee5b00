//! Codes of the record's kinds, as data sets hold them, with their English labels.

use record::{DeviationClass, DeviationKind, DoseStep, EndReason};

/// A code with its label.
pub(crate) type Coded = (&'static str, &'static str);

/// Why treatment or participation ended.
pub(crate) fn end_reason(reason: EndReason) -> Coded {
    match reason {
        EndReason::Completed => ("completed", "Completed as planned"),
        EndReason::AdverseEvent => ("adverse_event", "Adverse event"),
        EndReason::Progression => ("progression", "Progression or new treatment"),
        EndReason::WithdrewConsent => ("withdrew_consent", "Withdrew consent"),
        EndReason::Death => ("death", "Death"),
        EndReason::LostToFollowUp => ("lost_to_follow_up", "Lost to follow-up"),
        EndReason::StoppingRule => ("stopping_rule", "Stopping rule of the protocol"),
        EndReason::NotEligible => ("not_eligible", "Not eligible"),
        EndReason::Other => ("other", "Other"),
    }
}

/// All reasons in order.
pub(crate) const END_REASONS: [EndReason; 9] = [
    EndReason::Completed,
    EndReason::AdverseEvent,
    EndReason::Progression,
    EndReason::WithdrewConsent,
    EndReason::Death,
    EndReason::LostToFollowUp,
    EndReason::StoppingRule,
    EndReason::NotEligible,
    EndReason::Other,
];

/// What a deviation is about.
pub(crate) fn deviation_kind(kind: DeviationKind) -> Coded {
    match kind {
        DeviationKind::OutOfWindow => ("out_of_window", "Visit outside its window"),
        DeviationKind::MissedVisit => ("missed_visit", "Visit not held"),
        DeviationKind::EarlyEnd => ("early_end", "Treatment ended early"),
        DeviationKind::MissedActivity => ("missed_activity", "Activity not done"),
        DeviationKind::Eligibility => ("eligibility", "Eligibility rule not met"),
        DeviationKind::Compliance => ("compliance", "Doses missed"),
        DeviationKind::ProhibitedTreatment => ("prohibited_treatment", "Prohibited treatment"),
        DeviationKind::BlindBroken => ("blind_broken", "Blind broken"),
        DeviationKind::WrongKit => ("wrong_kit", "Wrong kit"),
        DeviationKind::AssessorChanged => ("assessor_changed", "Another assessor"),
        DeviationKind::Other => ("other", "Other"),
    }
}

/// All kinds in order.
pub(crate) const DEVIATION_KINDS: [DeviationKind; 11] = [
    DeviationKind::Eligibility,
    DeviationKind::OutOfWindow,
    DeviationKind::MissedVisit,
    DeviationKind::MissedActivity,
    DeviationKind::EarlyEnd,
    DeviationKind::Compliance,
    DeviationKind::ProhibitedTreatment,
    DeviationKind::BlindBroken,
    DeviationKind::WrongKit,
    DeviationKind::AssessorChanged,
    DeviationKind::Other,
];

/// How a deviation was classified.
pub(crate) fn deviation_class(class: DeviationClass) -> Coded {
    match class {
        DeviationClass::Major => ("major", "Major"),
        DeviationClass::Minor => ("minor", "Minor"),
    }
}

/// Which way a dose went.
pub(crate) fn dose_step(step: DoseStep) -> Coded {
    match step {
        DoseStep::Started => ("started", "Started"),
        DoseStep::Held => ("held", "Held"),
        DoseStep::Reduced => ("reduced", "Reduced"),
        DoseStep::Resumed => ("resumed", "Taken up again"),
        DoseStep::Escalated => ("escalated", "Raised"),
        DoseStep::Stopped => ("stopped", "Stopped for good"),
    }
}

/// All steps in order.
pub(crate) const DOSE_STEPS: [DoseStep; 6] = [
    DoseStep::Started,
    DoseStep::Held,
    DoseStep::Reduced,
    DoseStep::Resumed,
    DoseStep::Escalated,
    DoseStep::Stopped,
];

/// Makes a column's levels.
pub(crate) fn levels(codes: impl IntoIterator<Item = Coded>) -> Vec<(String, String)> {
    codes.into_iter().map(|(code, label)| (code.to_owned(), label.to_owned())).collect()
}

#[test]
fn codes_are_the_records_own() {
    let code = |value: serde_json::Value| value.as_str().unwrap().to_owned();
    for reason in END_REASONS {
        assert_eq!(end_reason(reason).0, code(serde_json::to_value(reason).unwrap()));
    }
    for kind in DEVIATION_KINDS {
        assert_eq!(deviation_kind(kind).0, code(serde_json::to_value(kind).unwrap()));
    }
    for step in DOSE_STEPS {
        assert_eq!(dose_step(step).0, code(serde_json::to_value(step).unwrap()));
    }
    for class in [DeviationClass::Major, DeviationClass::Minor] {
        assert_eq!(deviation_class(class).0, code(serde_json::to_value(class).unwrap()));
    }
}
