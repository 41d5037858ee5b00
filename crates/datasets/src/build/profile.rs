//! What every data set needs to know of a participant.

use std::collections::BTreeMap;

use conduct::{Casebook, Cell, State, planned_last_dose, scheduled_visit, window};
use protocol::model::{Study, Timing};
use record::EndReason;
use terms::{ArmId, Date, FormId, ItemId, SubjectId, VisitId};

use crate::adam::derive_param_death::Death;

/// A study with its state, and a profile of each participant in order.
pub(crate) struct Trial<'a> {
    pub(crate) study: &'a Study,
    pub(crate) state: &'a State,
    pub(crate) profiles: Vec<Profile<'a>>,
    /// Whether the arms are known.
    pub(crate) knows_arms: bool,
}

/// A participant with the days that derivations are reckoned from.
pub(crate) struct Profile<'a> {
    pub(crate) subject: &'a SubjectId,
    pub(crate) casebook: &'a Casebook,
    /// Entered the trial: day and event.
    pub(crate) entered: Option<(Date, u64)>,
    pub(crate) first_dose: Option<(Date, u64)>,
    /// The day of the first dose, or of entry where none was taken.
    pub(crate) reference: Option<Date>,
    pub(crate) planned_last_dose: Option<Date>,
    pub(crate) death: Option<Death>,
    pub(crate) arm: Option<(ArmId, u64)>,
    /// The last day on which something is known.
    pub(crate) last_known: Option<Date>,
}

impl<'a> Trial<'a> {
    /// Takes all participants of a trial, or some.
    pub(crate) fn of(
        study: &'a Study,
        state: &'a State,
        casebooks: impl Iterator<Item = &'a Casebook>,
    ) -> Self {
        let knows_arms = study.arms.len() == 1 || state.arms.is_some();
        let profiles = casebooks.map(|casebook| Profile::new(study, state, casebook)).collect();
        Self { study, state, profiles, knows_arms }
    }

    /// Returns a day of each participant who has it.
    pub(crate) fn days(&self, day: impl Fn(&Profile<'a>) -> Option<Date>) -> BTreeMap<SubjectId, Date> {
        self.profiles.iter().filter_map(|profile| Some((profile.subject.clone(), day(profile)?))).collect()
    }

    /// Returns the last day of a visit's window, for each participant for whom it has one.
    pub(crate) fn due_by(&self, visit: &VisitId) -> BTreeMap<SubjectId, Date> {
        let Some(visit) = self.study.visit(visit.as_str()) else { return BTreeMap::new() };
        self.days(|profile| profile.entered.and(window(profile.casebook, visit)).map(|window| window.last))
    }

    /// Says whether a visit is one of the schedule's, rather than unscheduled or an early end.
    pub(crate) fn is_planned(&self, visit: &VisitId) -> bool {
        scheduled_visit(self.study, visit)
            .is_some_and(|visit| !matches!(visit.timing, Timing::Unscheduled | Timing::EarlyEnd { .. }))
    }
}

impl<'a> Profile<'a> {
    fn new(study: &Study, state: &State, casebook: &'a Casebook) -> Self {
        let allocated = casebook.allocated.as_ref().map(|place| place.randomised);
        let entered = if study.allocation.is_some() { allocated } else { casebook.enrolled };
        let entered = entered.map(|dated| (dated.date, dated.sequence));
        let first_dose = casebook.first_dose().and_then(|date| {
            casebook.doses.iter().find(|change| change.from == date).map(|change| (date, change.sequence))
        });
        let ended = casebook.participation_end.filter(|end| end.reason == EndReason::Death);
        let only_arm = || match study.arms.as_slice() {
            [arm] => entered.map(|(_, sequence)| (arm.id.clone(), sequence)),
            _ => None,
        };
        let opened = state.arms.as_ref();
        let arm =
            opened.and_then(|arms| Some((arms.by_subject.get(&casebook.subject)?.clone(), arms.sequence)));
        let known = casebook.visits_by_date().into_iter().map(|(_, date)| date);
        let known =
            known.chain(casebook.participation_end.map(|end| end.ended.date)).chain(casebook.last_dose());
        Self {
            subject: &casebook.subject,
            casebook,
            entered,
            first_dose,
            reference: first_dose.or(entered).map(|(date, _)| date),
            planned_last_dose: first_dose.map(|(date, _)| planned_last_dose(study, date)),
            death: ended.map(|end| Death { date: end.ended.date, sources: vec![end.ended.sequence] }),
            arm: arm.or_else(only_arm),
            last_known: known.max(),
        }
    }

    pub(crate) fn first_dose_date(&self) -> Option<Date> {
        self.first_dose.map(|(date, _)| date)
    }

    /// Returns an item's cell, from the last visit (or the first row) at which it holds something.
    pub(crate) fn latest_cell(&self, form: &FormId, item: &ItemId) -> Option<&'a Cell> {
        let keys = self.casebook.forms.iter().filter(|(key, _)| key.form == *form);
        let cells = keys.filter_map(|(key, filled)| Some((key, filled.cells.get(item)?)));
        let given = cells.filter(|(_, cell)| cell.answer().and_then(terms::Answer::value).is_some());
        let dated = given.map(|(key, cell)| {
            (
                key.visit.as_ref().and_then(|visit| self.casebook.visit_date(visit)),
                cell.current().sequence,
                cell,
            )
        });
        dated.max_by_key(|(date, sequence, _)| (*date, *sequence)).map(|(_, _, cell)| cell)
    }
}

/// Returns the events that gave a cell its present and earlier values.
pub(crate) fn history(cell: &Cell) -> Vec<u64> {
    cell.history().iter().map(|entry| entry.sequence).collect()
}
