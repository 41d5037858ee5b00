//! Screening: begun once, under a current consent.

use record::{Draft, Fact};

use crate::{
    Refusal,
    decide::{Case, need},
};

pub(crate) fn screen_subject(mut case: Case<'_>) -> Result<Vec<Draft>, Refusal> {
    let date = case.day()?;
    case.need_participation()?;
    case.need_current_consent(date)?;
    need(case.casebook.screened.is_none(), || Refusal::AlreadyScreened { subject: case.subject() })?;
    case.say(Fact::SubjectScreened);
    Ok(case.drafts)
}
