//! Reports that can't wait: a serious adverse event, an emergency break of the blind.
//!
//! The break is recorded here; the envelope is opened elsewhere, with a holder's key. No arm passes through.

use record::{DeviationKind, Draft, Fact};
use terms::*;

use crate::{
    Refusal,
    adverse_events::need_row,
    decide::{Case, need},
    sign_consent::need_after_consent,
};

/// Days from learning of a serious event to its report: 24 hours, by dates.
const SERIOUS_REPORT_DAYS_MAX: i32 = 1;

pub(crate) fn report_serious_event(mut case: Case<'_>, row: u32, aware: Date) -> Result<Vec<Draft>, Refusal> {
    let event = need_row(&case, row)?;
    need(event.serious == Some(true), || Refusal::NotSerious { row })?;
    need(event.reported.is_none(), || Refusal::SeriousAlreadyReported { row })?;
    let recorded = case.command.at.local_date;
    need(aware <= recorded, || Refusal::NotYetHappened { happened: aware.into(), recorded })?;
    need_after_consent(&case, aware)?;
    case.say(Fact::SeriousEventReported { row, aware });
    let days = days_between(aware, recorded);
    if days > SERIOUS_REPORT_DAYS_MAX {
        let text =
            format!("serious adverse event {row} was reported {days} days after the site learnt of it");
        case.deviate(DeviationKind::Other, None, None, text);
    }
    Ok(case.drafts)
}

pub(crate) fn break_blind(mut case: Case<'_>, shown_to: &PersonId) -> Result<Vec<Draft>, Refusal> {
    need(case.study.blinded && case.study.allocation.is_some(), || Refusal::NotBlinded)?;
    case.need_in_trial()?;
    case.need_reason("a break of the blind")?;
    case.say(Fact::BlindBroken { shown_to: shown_to.clone() });
    case.deviate(DeviationKind::BlindBroken, None, None, "the blind was broken in an emergency".to_owned());
    Ok(case.drafts)
}
