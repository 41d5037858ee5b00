//! Review, freezing and locking: of a form, a visit, a participant, a site, the study.
//!
//! What is frozen takes no entry, and everything else goes on: queries, verification, review, signatures. What is locked
//! takes nothing. A part is locked once it is signed, no query on it is open, and its source is verified as planned. The
//! safety of a participant goes before all of that: a serious event can be reported, and the blind be broken, at any time.

use access::{Step, Viewing, may_read, may_see};
use protocol::model::Study;
use record::{Closure, Draft, Fact, FormKey, Part, Review, Stream};
use terms::*;

use crate::{
    Command, Refusal, State,
    casebook::{Casebook, Dated},
    decide::{Case, found, need, need_reason, study_draft},
    refusal::{ClosureName, PartName},
    verify_source::{is_drawn, unverified},
};

/// What closes a form, a visit or a participant, and since when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    /// The part that is closed.
    pub part: Part,
    /// How.
    pub closure: Closure,
    /// Since when, by which event.
    pub since: Dated,
}

/// Returns what closes a form of a participant, the stricter before the milder, the larger part before the smaller.
pub fn closed(state: &State, casebook: &Casebook, key: Option<&FormKey>) -> Option<Closed> {
    let whole = [Part::Study, Part::Site(casebook.site.clone())];
    let of_study = whole.into_iter().filter_map(|part| Some((state.closed.get(&part)?, part)));
    let visit = key.and_then(|key| key.visit.clone()).map(Part::Visit);
    let own = [Some(Part::Subject), visit, key.cloned().map(Part::Form)].into_iter().flatten();
    let of_subject = own.filter_map(|part| Some((casebook.closed.get(&part)?, part)));
    of_study
        .chain(of_subject)
        .map(|((closure, since), part)| Closed { part, closure: *closure, since: *since })
        .reduce(|first, next| if next.closure > first.closure { next } else { first })
}

/// Says whether a form, or (none) a participant, is locked.
pub fn is_locked(state: &State, casebook: &Casebook, key: Option<&FormKey>) -> bool {
    state.locked.is_some()
        || closed(state, casebook, key).is_some_and(|closed| closed.closure == Closure::Locked)
}

/// Says whether a step still goes on where a participant is closed.
const fn goes_on(step: Step, closure: Closure) -> bool {
    let after_lock = matches!(step, Step::ReopenData | Step::BreakBlind | Step::ReportSeriousEvent);
    let while_frozen = matches!(
        step,
        Step::OpenQuery
            | Step::AnswerQuery
            | Step::CloseQuery
            | Step::ReopenQuery
            | Step::VerifySource
            | Step::WithdrawVerification
            | Step::ReviewData
            | Step::ReviewMedically
            | Step::SignVisit
            | Step::SignCasebook
            | Step::RecordDeviation
            | Step::ClassifyDeviation
            | Step::CloseData
    );
    after_lock || (while_frozen && matches!(closure, Closure::Frozen))
}

/// The participant, the site and the study take this step.
pub(crate) fn need_open(state: &State, casebook: &Casebook, step: Step) -> Result<(), Refusal> {
    match closed(state, casebook, None) {
        Some(closed) => need(goes_on(step, closed.closure), || refusal(closed)),
        None => Ok(()),
    }
}

/// The site takes another participant.
pub(crate) fn need_open_site(state: &State, site: &SiteId) -> Result<(), Refusal> {
    for part in [Part::Study, Part::Site(site.clone())] {
        if let Some((closure, since)) = state.closed.get(&part) {
            let (closure, since) = (*closure, *since);
            need(false, || refusal(Closed { part, closure, since }))?;
        }
    }
    Ok(())
}

/// The form takes entries.
pub(crate) fn need_open_form(case: &Case<'_>, key: &FormKey) -> Result<(), Refusal> {
    match closed(case.state, case.casebook, Some(key)) {
        Some(closed) => need(false, || refusal(closed)),
        None => Ok(()),
    }
}

/// The form is not locked: it can still be asked about, verified and reviewed.
pub(crate) fn need_unlocked(case: &Case<'_>, key: &FormKey) -> Result<(), Refusal> {
    match closed(case.state, case.casebook, Some(key)) {
        Some(closed) => need(closed.closure == Closure::Frozen, || refusal(closed)),
        None => Ok(()),
    }
}

fn refusal(closed: Closed) -> Refusal {
    Refusal::DataClosed {
        part: PartName(closed.part),
        closure: ClosureName(closed.closure),
        since: closed.since.date,
    }
}

pub(crate) fn review_forms(
    mut case: Case<'_>,
    review: Review,
    keys: &[FormKey],
) -> Result<Vec<Draft>, Refusal> {
    need(!keys.is_empty(), || Refusal::NoForms)?;
    for key in keys {
        let form =
            found(case.study.form(key.form.as_str()), || Refusal::UnknownForm { form: key.form.clone() })?;
        let role = &case.command.by.role;
        let sight = may_see(case.study, role, &form.data_class);
        let reads = may_read(sight, Viewing { own_site: true, own_entry: false });
        need(reads, || Refusal::ValuesNotSeen { form: form.id.clone(), role: role.clone() })?;
        let filled =
            found(case.casebook.forms.get(key), || Refusal::NothingToReview { form: form.id.clone() })?;
        need(filled.review(review).is_none(), || Refusal::AlreadyReviewed { form: form.id.clone() })?;
        need_unlocked(&case, key)?;
    }
    case.say(Fact::FormsReviewed { review, keys: keys.to_vec() });
    Ok(case.drafts)
}

/// Closes a form, a visit or the participant.
pub(crate) fn close_part(mut case: Case<'_>, part: &Part, closure: Closure) -> Result<Vec<Draft>, Refusal> {
    need_further(case.casebook.closed.get(part), part, closure)?;
    match part {
        Part::Form(key) => {
            let begun = case.casebook.forms.contains_key(key);
            need(begun, || Refusal::FormNotBegun { form: key.form.clone() })?;
        }
        Part::Visit(visit) => {
            case.need_held(visit)?;
        }
        Part::Subject | Part::Site(_) | Part::Study => {}
    }
    if closure == Closure::Locked {
        need_finished(case.study, case.state, case.casebook, part)?;
    }
    case.say(Fact::DataClosed { part: part.clone(), closure });
    Ok(case.drafts)
}

/// Closes a site or the study.
pub(crate) fn close(
    study: &Study,
    state: &State,
    command: &Command,
    part: &Part,
    closure: Closure,
) -> Result<Vec<Draft>, Refusal> {
    need_further(state.closed.get(part), part, closure)?;
    let mut at = None;
    if let Part::Site(site) = part {
        need(study.site(site.as_str()).is_some(), || Refusal::UnknownSite { site: site.clone() })?;
        at = Some(site.clone());
    }
    if closure == Closure::Locked {
        need(at.is_some(), || Refusal::LockIsOfTheDatabase)?;
        for casebook in state.walk().filter(|casebook| Some(&casebook.site) == at.as_ref()) {
            need_finished(study, state, &casebook, &Part::Subject)?;
        }
    }
    let fact = Fact::DataClosed { part: part.clone(), closure };
    Ok(vec![study_draft(command, Stream::Study, at, fact)])
}

/// Opens a form, a visit or the participant again.
pub(crate) fn reopen_part(mut case: Case<'_>, part: &Part) -> Result<Vec<Draft>, Refusal> {
    need(case.casebook.closed.contains_key(part), || Refusal::NotClosed { part: PartName(part.clone()) })?;
    case.need_reason("opening what was closed")?;
    case.say(Fact::DataReopened { part: part.clone() });
    Ok(case.drafts)
}

/// Opens a site or the study again.
pub(crate) fn reopen(state: &State, command: &Command, part: &Part) -> Result<Vec<Draft>, Refusal> {
    need(state.closed.contains_key(part), || Refusal::NotClosed { part: PartName(part.clone()) })?;
    need_reason(command, "opening what was closed")?;
    let at = if let Part::Site(site) = part { Some(site.clone()) } else { None };
    Ok(vec![study_draft(command, Stream::Study, at, Fact::DataReopened { part: part.clone() })])
}

/// The part is not closed so far yet: what is frozen can be locked.
#[cfg_attr(test, track_caller)]
fn need_further(now: Option<&(Closure, Dated)>, part: &Part, closure: Closure) -> Result<(), Refusal> {
    let already = now.is_some_and(|(now, _)| *now >= closure);
    need(!already, || Refusal::AlreadyClosed { part: PartName(part.clone()), closure: ClosureName(closure) })
}

/// What is locked is signed, free of open queries, and verified as planned.
fn need_finished(study: &Study, state: &State, casebook: &Casebook, part: &Part) -> Result<(), Refusal> {
    let within = |key: &FormKey| match part {
        Part::Form(form) => key == form,
        Part::Visit(visit) => key.visit.as_ref() == Some(visit),
        Part::Subject | Part::Site(_) | Part::Study => true,
    };
    let visit = match part {
        Part::Form(key) => key.visit.as_ref(),
        Part::Visit(visit) => Some(visit),
        Part::Subject | Part::Site(_) | Part::Study => None,
    };
    match visit {
        Some(visit) => {
            let signed = casebook.signatures.contains_key(visit);
            need(signed, || Refusal::VisitNotSigned { visit: visit.clone() })?;
        }
        None => {
            let signed = casebook.casebook_signature.is_some()
                || (casebook.enrolled.is_none() && casebook.participation_end.is_some());
            need(signed, || Refusal::CasebookNotSigned { subject: casebook.subject.clone() })?;
        }
    }
    let open = casebook.queries.iter().filter(|query| query.closed.is_none() && within(&query.key));
    let queries: Vec<QueryId> = open.map(|query| query.id.clone()).collect();
    need(queries.is_empty(), || Refusal::QueriesOpen { queries })?;
    let drawn = casebook.forms.keys().filter(|key| within(key) && is_drawn(study, state, casebook, key));
    for key in drawn {
        let items: Vec<ItemId> = unverified(casebook, key).cloned().collect();
        need(items.is_empty(), || Refusal::SourceNotVerified {
            subject: casebook.subject.clone(),
            form: key.form.clone(),
            items,
        })?;
    }
    Ok(())
}
