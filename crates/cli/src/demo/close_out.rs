//! From the last participant through to the opened list: readings, classification,
//! signatures, lock, unblinding. Everything up to the lock is done blind.

use allocation::OpenedList;
use anyhow::{Result, bail};
use conduct::{Action, proposed_class};
use jiff::Span;
use protocol::{Study, model::Power};
use record::DeviationClass;
use simulation::{ConductedTrial, Rehearsal};
use terms::{Date, DeviationId, SubjectId};

/// Days from the last participant's last day to each step of closing.
const READING_AFTER_DAYS: i64 = 30;

/// Closes a trial whose participants are all through: returns the day of the lock.
///
/// # Errors
/// The trial fails, or refuses to be locked.
pub fn up_to_lock(
    rehearsal: &mut Rehearsal<'_, ConductedTrial<'_>>,
    study: &Study,
    last_day: Date,
) -> Result<Date> {
    let mut day = last_day + Span::new().days(READING_AFTER_DAYS);
    rehearsal.trial().step("slides are read blind");
    rehearsal.read_specimens(day)?;
    day = day + Span::new().days(14);
    rehearsal.trial().step("deviations are classified, casebooks signed");
    rehearsal.sign_casebooks(day)?;
    classify_deviations(rehearsal, study, day)?;
    day = day + Span::new().days(7);
    sign_sets(rehearsal, study, day)?;
    day = day + Span::new().days(1);
    let lock = rehearsal.central(Power::Lock);
    if !rehearsal.study_command(day, &lock, Action::LockDatabase)? {
        bail!("the rehearsed trial could not be locked: {}", rehearsal.trial().last_refusal);
    }
    rehearsal.trial_mut().commit()?;
    Ok(day)
}

/// Opens the list after lock, where there is one.
///
/// # Errors
/// The trial fails, or refuses.
pub fn unblind<'a>(
    rehearsal: &mut Rehearsal<'_, ConductedTrial<'a>>,
    day: Date,
    list: Option<&'a OpenedList>,
) -> Result<()> {
    let Some(list) = list else { return Ok(()) };
    rehearsal.trial_mut().open_list(list);
    let statistician = rehearsal.central(Power::UnblindStudy);
    if !rehearsal.study_command(day + Span::new().days(1), &statistician, Action::UnblindAllocation)? {
        bail!("the rehearsed trial could not be unblinded: {}", rehearsal.trial().last_refusal);
    }
    rehearsal.trial_mut().commit()?;
    Ok(())
}

fn classify_deviations(
    rehearsal: &mut Rehearsal<'_, ConductedTrial<'_>>,
    study: &Study,
    day: Date,
) -> Result<()> {
    let by = rehearsal.central(Power::ClassifyDeviations);
    let state = rehearsal.trial().engine().state();
    let proposed: Vec<(SubjectId, DeviationId, DeviationClass)> = state
        .casebooks
        .iter()
        .flat_map(|(subject, casebook)| {
            casebook.deviations.iter().filter(|deviation| deviation.class.is_none()).map(move |deviation| {
                (subject.clone(), deviation.id.clone(), proposed_class(study, casebook, deviation))
            })
        })
        .collect();
    for (subject, deviation, class) in proposed {
        rehearsal.subject_command(day, &by, &subject, Action::ClassifyDeviation { deviation, class })?;
    }
    Ok(())
}

/// The sets are derived from blind data by the plan's own expressions, and signed.
fn sign_sets(rehearsal: &mut Rehearsal<'_, ConductedTrial<'_>>, study: &Study, day: Date) -> Result<()> {
    let sets = datasets::analysis_sets(study, rehearsal.trial().engine().state());
    let by = rehearsal.central(Power::SignAnalysisSets);
    if !rehearsal.study_command(day, &by, Action::SignAnalysisSets { sets })? {
        bail!("the analysis sets could not be signed: {}", rehearsal.trial().last_refusal);
    }
    Ok(())
}
