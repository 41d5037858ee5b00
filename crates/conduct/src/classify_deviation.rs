//! Deviations: recorded by hand where no rule sees them, classified blind.

use protocol::model::{DeviationRule, Study};
use record::{DeviationClass, DeviationKind, Draft, Fact};
use terms::*;

use crate::{
    Refusal,
    casebook::{Casebook, Deviation},
    compliance::compliance,
    decide::{Case, found, need},
    hold_visit::known_visit,
    schedule::{scheduled_visit, window},
    sign_consent::need_after_consent,
};

pub(crate) fn record_deviation(
    mut case: Case<'_>,
    what: DeviationKind,
    visit: Option<&VisitId>,
    rule: Option<&RuleId>,
    text: &str,
) -> Result<Vec<Draft>, Refusal> {
    if let Some(visit) = visit {
        known_visit(case.study, visit)?;
    }
    need(!text.trim().is_empty(), || Refusal::ReasonMissing { what: "a deviation" })?;
    need_after_consent(&case, case.command.happened.latest())?;
    let fact = case.deviation(what, visit.cloned(), rule.cloned(), text.to_owned());
    case.say(fact);
    Ok(case.drafts)
}

pub(crate) fn classify_deviation(
    mut case: Case<'_>,
    id: &DeviationId,
    class: DeviationClass,
) -> Result<Vec<Draft>, Refusal> {
    let known = case.casebook.deviation(id);
    let known = found(known, || Refusal::UnknownDeviation { deviation: id.clone() })?;
    if known.class.is_some() {
        case.need_reason("a second classification")?;
    }
    case.say(Fact::DeviationClassified { deviation: id.clone(), class });
    Ok(case.drafts)
}

/// Returns the class that the study's rules give a deviation; whoever classifies may differ.
pub fn proposed_class(study: &Study, casebook: &Casebook, deviation: &Deviation) -> DeviationClass {
    let major = study.deviations.iter().any(|rule| makes_major(study, casebook, deviation, rule));
    if major { DeviationClass::Major } else { DeviationClass::Minor }
}

fn makes_major(study: &Study, casebook: &Casebook, deviation: &Deviation, rule: &DeviationRule) -> bool {
    let about = rule.what == kind_name(deviation.what)
        && rule.visit.as_ref().is_none_or(|visit| deviation.visit.as_ref() == Some(visit));
    if !about {
        return false;
    }
    let days = match deviation.what {
        DeviationKind::Compliance => compliance(study, casebook).map(|taken| taken.longest_pause_days),
        _ => days_off_target(study, casebook, deviation.visit.as_ref()),
    };
    let long = rule.more_than_days.is_none_or(|limit| days.is_some_and(|days| days > limit));
    let share = compliance(study, casebook).map(|taken| taken.dose_share);
    let few = rule.dose_share_below.is_none_or(|limit| share.is_some_and(|share| share < limit));
    long && few
}

fn days_off_target(study: &Study, casebook: &Casebook, visit: Option<&VisitId>) -> Option<i32> {
    let visit = visit?;
    let held = casebook.visit_date(visit)?;
    let target = window(casebook, scheduled_visit(study, visit)?)?.target?;
    Some(days_between(target, held).abs())
}

fn kind_name(kind: DeviationKind) -> &'static str {
    match kind {
        DeviationKind::OutOfWindow => "out_of_window",
        DeviationKind::MissedVisit => "missed_visit",
        DeviationKind::EarlyEnd => "early_end",
        DeviationKind::MissedActivity => "missed_activity",
        DeviationKind::Eligibility => "eligibility",
        DeviationKind::Compliance => "compliance",
        DeviationKind::ProhibitedTreatment => "prohibited_treatment",
        DeviationKind::BlindBroken => "blind_broken",
        DeviationKind::WrongKit => "wrong_kit",
        DeviationKind::AssessorChanged => "assessor_changed",
        DeviationKind::Other => "other",
    }
}
