//! Source verification: a monitor compares entered values with the source, by a plan drawn with a seed.
//!
//! A verification is of the value that was there: a change undoes it, by the order of the events alone. The
//! sample is a function of the plan and of the place, so that whoever has the record can draw it again.

use access::{Viewing, may_read, may_see};
use protocol::model::{Power, Study};
use record::{Content, Draft, Fact, FormKey, Source, Stream, VerificationPlan};
use sha2::{Digest as _, Sha256};
use terms::*;

use crate::{
    Command, Means, Refusal, State,
    casebook::{Casebook, Cell},
    close_data::need_unlocked,
    decide::{Case, found, need, study_draft},
};

pub(crate) fn plan_verification(
    study: &Study,
    command: &Command,
    means: &mut Means<'_>,
    (percent, first_subjects, always): (u8, u32, &[FormId]),
) -> Result<Vec<Draft>, Refusal> {
    need(percent <= 100, || Refusal::ShareTooLarge { percent })?;
    for form in always {
        need(study.form(form.as_str()).is_some(), || Refusal::UnknownForm { form: form.clone() })?;
    }
    let plan =
        VerificationPlan { seed: means.random.next_u64(), percent, first_subjects, always: always.to_vec() };
    let fact = Fact::SourceVerificationPlanned { plan };
    Ok(vec![study_draft(command, Stream::Study, None, fact)])
}

/// Records a review of the audit trail: from where the last one ended up to an event.
pub(crate) fn review_audit_trail(
    state: &State,
    command: &Command,
    up_to: u64,
    finding: &str,
) -> Result<Vec<Draft>, Refusal> {
    let found = state.sequence;
    need(up_to <= found, || Refusal::NotInTheTrail { up_to, found })?;
    let reviewed = state.trail_reviewed.as_ref().map_or(0, |(reviewed, ..)| *reviewed);
    need(up_to > reviewed, || Refusal::ReviewedFurther { reviewed })?;
    need(!finding.trim().is_empty(), || Refusal::WordsMissing { what: "what the review found" })?;
    let fact = Fact::AuditTrailReviewed { up_to, finding: Content::new(finding.to_owned()) };
    Ok(vec![study_draft(command, Stream::Study, None, fact)])
}

pub(crate) fn verify_source(
    mut case: Case<'_>,
    key: &FormKey,
    items: &[ItemId],
) -> Result<Vec<Draft>, Refusal> {
    need_sight(&case, key)?;
    need_unlocked(&case, key)?;
    need(!items.is_empty(), || Refusal::NoItems)?;
    for item in items {
        let cell = case.casebook.cell(key, item.as_str()).filter(|cell| is_entered(cell));
        let cell = found(cell, || Refusal::NothingToVerify { item: item.clone() })?;
        need(cell.verification().is_none(), || Refusal::AlreadyVerified { item: item.clone() })?;
    }
    case.say(Fact::SourceVerified { key: key.clone(), items: items.to_vec() });
    Ok(case.drafts)
}

pub(crate) fn withdraw_verification(
    mut case: Case<'_>,
    key: &FormKey,
    items: &[ItemId],
) -> Result<Vec<Draft>, Refusal> {
    need(!items.is_empty(), || Refusal::NoItems)?;
    case.need_reason("taking a verification back")?;
    need_unlocked(&case, key)?;
    for item in items {
        let verified = case.casebook.cell(key, item.as_str()).and_then(Cell::verification);
        need(verified.is_some(), || Refusal::NotVerified { item: item.clone() })?;
    }
    case.say(Fact::SourceVerificationWithdrawn { key: key.clone(), items: items.to_vec() });
    Ok(case.drafts)
}

/// Who compares a form with the source reads its values.
fn need_sight(case: &Case<'_>, key: &FormKey) -> Result<(), Refusal> {
    let unknown = || Refusal::UnknownForm { form: key.form.clone() };
    let form = found(case.study.form(key.form.as_str()), unknown)?;
    let role = &case.command.by.role;
    let sight = may_see(case.study, role, &form.data_class);
    let reads = may_read(sight, Viewing { own_site: true, own_entry: false });
    need(reads, || Refusal::ValuesNotSeen { form: form.id.clone(), role: role.clone() })
}

fn is_entered(cell: &Cell) -> bool {
    cell.current().source == Source::Entered
}

/// Returns the entered items of a form whose present value nobody has compared with the source.
pub fn unverified<'a>(casebook: &'a Casebook, key: &FormKey) -> impl Iterator<Item = &'a ItemId> {
    let cells = casebook.forms.get(key).into_iter().flat_map(|form| &form.cells);
    cells.filter(|(_, cell)| is_entered(cell) && cell.verification().is_none()).map(|(item, _)| item)
}

/// Returns the roles that compare a form with the source: those with the power that read its values.
pub fn verified_by<'a>(study: &'a Study, form: &str) -> impl Iterator<Item = &'a RoleId> {
    let class = study.form(form).map(|form| &form.data_class);
    let reads = move |role: &RoleId| {
        class.is_some_and(|class| {
            may_read(may_see(study, role, class), Viewing { own_site: true, own_entry: false })
        })
    };
    let roles = study.roles.iter().filter(|role| role.may.contains(&Power::VerifySource));
    roles.map(|role| &role.id).filter(move |role| reads(role))
}

/// Says whether the plan asks for a form of a participant to be compared with the source: the form is one that always
/// is, the participant is among the first of the site, or the visit is drawn. Without a plan nothing is.
///
/// A visit is drawn if the first eight bytes of SHA-256 over `equipoise/source verification/1`, the seed (8 bytes), the
/// participant, a zero byte, and the visit (or the form, where it runs through the trial), read as a number and divided by 2⁶⁴, lie below
/// the share. Forms that no monitor may read are none of the sample.
pub fn is_drawn(study: &Study, state: &State, casebook: &Casebook, key: &FormKey) -> bool {
    let Some(plan) = &state.verification_plan else { return false };
    if verified_by(study, key.form.as_str()).next().is_none() {
        return false;
    }
    plan.always.contains(&key.form)
        || number_at_site(&casebook.subject) <= plan.first_subjects
        || draw(plan.seed, casebook.subject.as_str(), place(key)) < share(plan.percent)
}

fn place(key: &FormKey) -> &str {
    key.visit.as_ref().map_or(key.form.as_str(), VisitId::as_str)
}

/// The number that the participant got at the site (`05-003`: 3).
fn number_at_site(subject: &SubjectId) -> u32 {
    let number = subject.as_str().rsplit('-').next().and_then(|number| number.parse().ok());
    number.unwrap_or(u32::MAX)
}

/// A hundredth of 2⁶⁴, so many times.
fn share(percent: u8) -> u128 {
    (1_u128 << 64) * u128::from(percent) / 100
}

fn draw(seed: u64, subject: &str, place: &str) -> u128 {
    let mut hash = Sha256::new();
    hash.update(b"equipoise/source verification/1");
    hash.update(seed.to_be_bytes());
    hash.update(subject);
    hash.update([0]);
    hash.update(place);
    let digest = hash.finalize();
    digest.iter().take(8).fold(0, |number, byte| number << 8 | u128::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_visits_is_drawn_and_the_same_again() {
        let drawn = |seed: u64, percent| {
            let subjects = (1..=40).map(|number| format!("01-{number:03}"));
            subjects
                .flat_map(|subject| (0..25).map(move |visit| (subject.clone(), format!("M{visit}"))))
                .filter(|(subject, visit)| draw(seed, subject, visit) < share(percent))
                .collect::<Vec<_>>()
        };
        assert_eq!((drawn(7, 0).len(), drawn(7, 100).len()), (0, 1000));
        let fifth = drawn(7, 20);
        // 1000 draws of a fifth: the count lies within 4 standard deviations (12.6) of 200.
        assert!((150..=250).contains(&fifth.len()), "{}", fifth.len());
        assert_eq!(fifth, drawn(7, 20));
        assert_ne!(fifth, drawn(8, 20));
        let more = drawn(7, 30);
        assert!(fifth.iter().all(|visit| more.contains(visit)), "a larger share keeps what was drawn");
    }

    /// By hand: `printf 'equipoise/source verification/1\0\0\0\0\0\0\0\00701-001\0Scr' | sha256sum`.
    #[test]
    fn the_draw_is_the_one_that_a_shell_makes() {
        assert_eq!(
            draw(7, "01-001", "Scr"),
            u128::from(u64::from_str_radix("4fa764f904112a12", 16).unwrap())
        );
    }

    #[test]
    fn numbers_at_the_site_are_read_from_the_participants() {
        assert_eq!(number_at_site(&"05-003".into()), 3);
        assert_eq!(number_at_site(&"odd".into()), u32::MAX);
    }
}
