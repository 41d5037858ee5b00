//! A person in the trial, and what is done with them: visits, forms, doses, events, ends.

use std::collections::BTreeSet;

use conduct::{Action, Casebook, Command, scheduled_visit};
use jiff::Span;
use protocol::{
    expression::{Input, Scope},
    model::{Form, Power, Purpose, Severity, Timing, Visit},
};
use record::{Actor, DoseStep, EndReason, FormKey};
use terms::{Answer, Date, Decimal, ItemId, QueryId, SiteId, SubjectId, Value, VisitId, days_between};

use crate::{
    answers::{Condition, fill},
    course::{self, Care, Coming, months},
    events::Because,
    person::{Assessment, Episode, Person, draw_episodes, effect_points},
    pharmacology,
    rehearsal::{Rehearsal, Stuck, Task, Trial},
    treatments::Treatment,
};

/// A person in the trial, as nature and the staff's diary know them.
pub(crate) struct Participant {
    /// Body and disease.
    pub person: Person,
    /// The number in the trial.
    pub subject: SubjectId,
    /// The site.
    pub site: SiteId,
    /// The day of screening.
    pub screened: Date,
    /// Where they are.
    pub phase: Phase,
    /// Episodes of reactions to the drug.
    pub episodes: Vec<Episode>,
    /// The day of the first dose.
    pub first_dose: Option<Date>,
    /// The day on which the drug was stopped, early or as planned.
    pub stopped: Option<Date>,
    /// Visits that stand in the diary or are past.
    pub planned: BTreeSet<VisitId>,
    /// Rows of the adverse-event form so far.
    pub event_rows: u32,
    /// Episodes and the rows of what they are treated with.
    pub treatment_rows: Vec<(usize, u32)>,
    /// The row of each episode that was recorded.
    pub episode_rows: Vec<Option<u32>>,
    /// Whether the dose has gone up again once.
    pub escalated: bool,
    /// Unscheduled visits so far.
    pub unscheduled: u32,
}

/// Where a person is in the trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Screened, not yet entered.
    Screening,
    /// On treatment.
    Treated,
    /// Off the drug, still followed.
    Followed,
    /// Through, or never entered.
    Over,
}

impl Participant {
    /// Says whether the person may yet enter.
    pub fn may_still_enter(&self) -> bool {
        self.phase == Phase::Screening
    }
}

/// Rounds of corrections after which a hard check is taken for one that can't be satisfied. One round is rarely not enough;
/// another helps where the first one's values became impossible with what was entered since.
const ROUNDS_MAX: u32 = 3;

/// Occasion numbers from here on are those of unscheduled visits; planned ones count from 0.
const OTHER_OCCASIONS: u64 = 1_000;

impl<T: Trial> Rehearsal<'_, T> {
    // ---- giving commands ----

    /// A step of the study as a whole.
    pub(crate) fn study_step(&mut self, day: Date, by: &Actor, action: Action) -> Result<bool, T::Error> {
        self.study_step_because(day, by, action, None)
    }

    /// A step of the study as a whole, with its reason.
    pub(crate) fn study_step_because(
        &mut self,
        day: Date,
        by: &Actor,
        action: Action,
        reason: Option<&str>,
    ) -> Result<bool, T::Error> {
        let zone = self.study.sites.first().map_or("UTC", |site| site.zone.as_str());
        let command = Command {
            by: by.clone(),
            at: self.clock.tick(day, zone),
            origin: "rehearsal".to_owned(),
            happened: day.into(),
            reason: reason.map(str::to_owned),
            subject: None,
            expected_position: None,
            action,
        };
        self.trial.give(command)
    }

    pub(crate) fn step_because(
        &mut self,
        day: Date,
        who: usize,
        by: Actor,
        action: Action,
        reason: Option<&str>,
    ) -> Result<bool, T::Error> {
        let participant = &self.people[who];
        let zone = self.study.site(participant.site.as_str()).map_or("UTC", |site| site.zone.as_str());
        // After consent is withdrawn only what was there before may be completed.
        let withdrawn = self.casebook(who).and_then(|casebook| casebook.withdrawn);
        let happened = withdrawn.map_or(day, |withdrawal| withdrawal.withdrawn.date.min(day));
        let command = Command {
            by,
            at: self.clock.tick(day, zone),
            origin: "rehearsal".to_owned(),
            happened: happened.into(),
            reason: reason.map(str::to_owned),
            subject: Some(participant.subject.clone()),
            expected_position: None,
            action,
        };
        self.trial.give(command)
    }

    pub(crate) fn step(
        &mut self,
        day: Date,
        who: usize,
        by: Actor,
        action: Action,
    ) -> Result<bool, T::Error> {
        self.step_because(day, who, by, action, None)
    }

    pub(crate) fn with_power(&self, who: usize, power: Power) -> Actor {
        self.staff.at(power, &self.people[who].site)
    }

    pub(crate) fn casebook(&self, who: usize) -> Option<&Casebook> {
        self.trial.state().casebook(self.people[who].subject.as_str())
    }

    // ---- the way in ----

    /// Consent, screening and the first visit.
    pub(crate) fn screen(&mut self, day: Date, person: Person, site: usize) -> Result<(), T::Error> {
        let site = self.study.sites[site].id.clone();
        let subject = self.trial.state().next_subject(&site);
        let who = self.people.len();
        self.people.push(Participant {
            person,
            subject,
            site: site.clone(),
            screened: day,
            phase: Phase::Screening,
            episodes: Vec::new(),
            first_dose: None,
            stopped: None,
            planned: BTreeSet::new(),
            event_rows: 0,
            treatment_rows: Vec::new(),
            episode_rows: Vec::new(),
            escalated: false,
            unscheduled: 0,
        });
        self.take_consent(day, who)?;
        let coordinator = self.with_power(who, Power::RunVisits);
        self.step(day, who, coordinator, Action::ScreenSubject)?;
        let screening = self.study.visits.iter().find(|visit| matches!(visit.timing, Timing::Before { .. }));
        if let Some(visit) = screening.map(|visit| visit.id.clone()) {
            self.people[who].planned.insert(visit.clone());
            self.hold(day, who, &visit)?;
            self.note_treatments(day, who)?;
            self.decide_entry(day, who, &visit)?;
        }
        self.next_background(day, who, 0);
        Ok(())
    }

    /// Has the current version of the consent signed, unless it was.
    fn take_consent(&mut self, day: Date, who: usize) -> Result<(), T::Error> {
        let Some(version) = conduct::current_consent(self.study, day).map(str::to_owned) else {
            return Ok(());
        };
        let signed = self
            .casebook(who)
            .is_some_and(|casebook| casebook.consents.iter().any(|consent| consent.version == version));
        if signed {
            return Ok(());
        }
        let investigator = self.with_power(who, Power::TakeConsent);
        let site = self.people[who].site.clone();
        self.step(day, who, investigator, Action::SignConsent { site, consent_version: version })?;
        Ok(())
    }

    /// Decides eligibility at a visit at which rules are due; a person who may not enter is through.
    fn decide_entry(&mut self, day: Date, who: usize, visit: &VisitId) -> Result<(), T::Error> {
        let first = self.study.visits.iter().find(|visit| matches!(visit.timing, Timing::On { .. }));
        let Some(first) = first.map(|visit| visit.id.clone()) else { return Ok(()) };
        let eligible = self.is_eligible(who, visit);
        let investigator = self.with_power(who, Power::DecideEligibility);
        let decision = Action::DecideEligibility { at_visit: visit.clone(), eligible, waived: Vec::new() };
        self.step(day, who, investigator, decision)?;
        if eligible && *visit != first {
            let arrival = self.streams.of(self.people[who].person.number, "arrival", 0);
            self.people[who].planned.insert(first.clone());
            self.diary.enter(
                day + Span::new().days(i64::from(course::wait_for_start(arrival))),
                Task::Visit(who, first),
            );
            return self.sign(day, who, visit);
        }
        if eligible {
            return self.enter(day, who, visit);
        }
        self.sign(day, who, visit)?;
        self.finish_because(day, who, EndReason::NotEligible)
    }

    fn is_eligible(&self, who: usize, visit: &VisitId) -> bool {
        self.casebook(who).is_some_and(|casebook| {
            conduct::eligibility(&conduct::View::at_visit(self.study, casebook, visit), visit).is_met()
        })
    }

    /// Enrols or randomises, and gives the first dose.
    fn enter(&mut self, day: Date, who: usize, visit: &VisitId) -> Result<(), T::Error> {
        let investigator = self.with_power(who, Power::Enrol);
        let action =
            if self.study.allocation.is_some() { Action::RandomiseSubject } else { Action::EnrolSubject };
        if !self.step(day, who, investigator, action)? {
            return self.finish_because(day, who, EndReason::NotEligible);
        }
        self.count_enrolled();
        self.people[who].phase = Phase::Treated;
        self.hand_out(day, who, visit)?;
        let full = self.study.dosing.levels_mg.first().copied().unwrap_or_default();
        self.change_dose(day, who, DoseStep::Started, day, full, Because::default())?;
        self.people[who].first_dose = Some(day);
        self.sign(day, who, visit)?;
        self.begin_treatment(day, who);
        self.plan_visits(day, who);
        Ok(())
    }

    /// Draws what the drug will do to the person, and whether and when they stop it.
    fn begin_treatment(&mut self, day: Date, who: usize) {
        let participant = &self.people[who];
        let number = participant.person.number;
        let Some(drug) = self.trial.drug_of(&participant.subject) else { return };
        let last_planned = terms::add_months(day, self.study.dosing.planned_months);
        let days = days_between(day, last_planned);
        let episodes = draw_episodes(self.study, &self.streams, number, &drug, days);
        for (index, episode) in episodes.iter().enumerate() {
            self.diary.enter(day + Span::new().days(episode.from_day.max(1)), Task::Onset(who, index));
        }
        let virtuals = &self.study.virtual_cohort;
        let mut draws = self.streams.of(number, "withdrawal", 0);
        let process = virtuals.withdrawal.iter().find(|withdrawal| withdrawal.arm == drug);
        let intercept = virtuals.skin.as_ref().map_or(0.0, |skin| skin.intercept);
        let change = participant.person.skin_change_12;
        let share = process.map_or(0.0, |process| {
            course::chance_of_stopping(process.share, process.per_skin_point, change, intercept)
        });
        if let Some(after) = course::early_stop(&mut draws, share, days) {
            self.diary.enter(day + Span::new().days(i64::from(after)), Task::Withdraw(who));
        }
        for (index, hazard) in virtuals.hazards.iter().enumerate() {
            let mut draws = self.streams.of(number, "hazard", index as u64);
            let ratio = course::hazard_ratio(hazard, &drug);
            if let Some(after) = course::days_to_event(&mut draws, hazard, ratio) {
                self.diary.enter(day + Span::new().days(i64::from(after)), Task::Strike(who, index));
            }
        }
        let mut draws = self.streams.of(number, "emergency", 0);
        let broken = draws.chance(virtuals.conduct.blind_break);
        let on = i64::from(draws.below(days.max(1).unsigned_abs()));
        if broken && self.study.blinded {
            self.diary.enter(day + Span::new().days(on + 1), Task::BreakBlind(who));
        }
        let mut draws = self.streams.of(number, "prohibited", 0);
        let taken = draws.chance(virtuals.conduct.prohibited_treatment);
        let on = i64::from(draws.below(days.max(1).unsigned_abs()));
        if taken {
            self.diary.enter(day + Span::new().days(on + 1), Task::Prohibited(who));
        }
        self.people[who].episode_rows = vec![None; episodes.len()];
        self.people[who].episodes = episodes;
    }

    // ---- visits ----

    /// Enters into the diary every visit whose planned date is now known.
    fn plan_visits(&mut self, today: Date, who: usize) {
        let study = self.study;
        for (index, visit) in study.visits.iter().enumerate() {
            if self.people[who].planned.contains(&visit.id) {
                continue;
            }
            let wanted = match visit.timing {
                Timing::Months { .. } | Timing::Days { .. } | Timing::AfterVisit { .. } => true,
                Timing::EarlyEnd { .. } => self
                    .casebook(who)
                    .and_then(|casebook| casebook.treatment_end)
                    .is_some_and(|end| end.early),
                _ => false,
            };
            if !wanted {
                continue;
            }
            let Some(day) = self.choose_day(who, index, visit, today) else { continue };
            self.people[who].planned.insert(visit.id.clone());
            self.diary.enter(day, Task::Visit(who, visit.id.clone()));
        }
    }

    /// The day on which the person comes: near the planned one, now and then outside the window.
    fn choose_day(&self, who: usize, index: usize, visit: &Visit, today: Date) -> Option<Date> {
        let casebook = self.casebook(who)?;
        let coming = self.coming(who, index);
        if let Timing::EarlyEnd { within_days } = visit.timing {
            let last_dose = casebook.last_dose()?;
            let days = i64::from(coming.from_last_dose(within_days));
            return Some((last_dose + Span::new().days(days)).max(today.tomorrow().unwrap_or(today)));
        }
        let window = conduct::window(casebook, visit)?;
        let within = match visit.timing {
            Timing::Months { within_days, .. }
            | Timing::Days { within_days, .. }
            | Timing::AfterVisit { within_days, .. } => within_days,
            _ => 0,
        };
        let day = window.target? + Span::new().days(i64::from(coming.from_target(within)));
        Some(day.max(today.tomorrow().unwrap_or(today)))
    }

    /// Whether and when the person comes to a visit of the schedule.
    fn coming(&self, who: usize, index: usize) -> Coming {
        let mut draws = self.streams.of(self.people[who].person.number, "visit", index as u64);
        Coming::draw(&mut draws, &self.study.virtual_cohort.conduct)
    }

    /// A visit is due: held, or missed.
    pub(crate) fn visit(&mut self, day: Date, who: usize, visit: &VisitId) -> Result<(), T::Error> {
        if self.people[who].phase == Phase::Over {
            return Ok(());
        }
        let study = self.study;
        let Some(index) = study.visits.iter().position(|known| known.id == *visit) else { return Ok(()) };
        let planned = &study.visits[index];
        let starts = matches!(planned.timing, Timing::On { .. });
        let missed = !starts && self.coming(who, index).missed;
        if missed {
            let coordinator = self.with_power(who, Power::RunVisits);
            let reason = Some("the participant did not come");
            self.step_because(day, who, coordinator, Action::MissVisit { visit: visit.clone() }, reason)?;
        } else {
            self.hold(day, who, visit)?;
            if starts {
                return self.decide_entry(day, who, visit);
            }
            self.hand_out(day, who, visit)?;
        }
        if planned.closes_treatment && self.people[who].phase == Phase::Treated {
            self.complete_treatment(day, who)?;
        }
        if !missed {
            self.sign(day, who, visit)?;
        }
        if planned.closes_study {
            self.diary.enter(day + Span::new().days(1), Task::Finish(who));
        }
        self.plan_visits(day, who);
        Ok(())
    }

    /// A visit outside the schedule, numbered after the schedule's own (`U1`, `U2` …).
    pub(crate) fn come_unscheduled(&mut self, day: Date, who: usize) -> Result<(), T::Error> {
        let unscheduled = self.study.visits.iter().find(|visit| visit.timing == Timing::Unscheduled);
        let (Some(planned), Phase::Treated | Phase::Followed) = (unscheduled, self.people[who].phase) else {
            return Ok(());
        };
        // Whoever is seen that day anyway needs no visit of its own.
        let seen = self
            .casebook(who)
            .is_some_and(|casebook| casebook.visits_by_date().into_iter().any(|(_, held)| held == day));
        if seen {
            return Ok(());
        }
        let number = self.people[who].unscheduled + 1;
        self.people[who].unscheduled = number;
        let visit = VisitId::from(format!("{}{number}", planned.id));
        self.hold(day, who, &visit)?;
        self.sign(day, who, &visit)
    }

    /// Holds a visit and fills its forms.
    fn hold(&mut self, day: Date, who: usize, visit: &VisitId) -> Result<(), T::Error> {
        self.take_consent(day, who)?;
        let coordinator = self.with_power(who, Power::RunVisits);
        if !self.step(day, who, coordinator, Action::HoldVisit { visit: visit.clone() })? {
            return Ok(());
        }
        let study = self.study;
        let Some(planned) = scheduled_visit(study, visit) else { return Ok(()) };
        let occasion = match study.visits.iter().position(|known| known.id == *visit) {
            Some(place) => place as u64,
            None => OTHER_OCCASIONS + u64::from(self.people[who].unscheduled),
        };
        let mut draws = self.streams.of(self.people[who].person.number, "assessment", occasion);
        let assessor_changes =
            Assessment::draw(&mut draws).changes(study.virtual_cohort.conduct.assessor_change);
        for form in study.forms_at(&planned.id).filter(|form| form.by_visit) {
            let second = assessor_changes && form.purpose == Some(Purpose::BlindedAssessment);
            self.fill_form(day, who, visit, form, occasion, second)?;
        }
        let specimen = study
            .blind_reading
            .as_ref()
            .is_some_and(|reading| study.forms_at(&planned.id).any(|form| form.id == reading.taken_on));
        if specimen {
            let custodian = self.staff.central(Power::KeepSpecimenKey);
            self.step(day, who, custodian, Action::TakeSpecimen { visit: visit.clone() })?;
        }
        Ok(())
    }

    fn fill_form(
        &mut self,
        day: Date,
        who: usize,
        visit: &VisitId,
        form: &Form,
        occasion: u64,
        second: bool,
    ) -> Result<(), T::Error> {
        let number = self.people[who].person.number;
        let filler = self.staff.filler(form, &self.people[who].site, second);
        let key = FormKey { visit: Some(visit.clone()), form: form.id.clone(), row: 0 };
        let answers: Vec<(ItemId, Answer)> = self.answers(day, who, visit, form, occasion, second);
        // A form may ask nothing of this person.
        let Some(item) = answers.first().map(|(item, _)| item.clone()) else { return Ok(()) };
        let mut draws = self.streams.of(number, &format!("care {}", form.id), occasion);
        let care = Care::draw(&mut draws, &self.study.virtual_cohort.conduct);
        if care.not_done && self.people[who].phase != Phase::Screening {
            let reason = Some("could not be done at this visit");
            self.step_because(day, who, filler, Action::RecordFormNotDone { key }, reason)?;
            return Ok(());
        }
        let saved = self.step(day, who, filler, Action::SaveFormSection { key: key.clone(), answers })?;
        if !saved {
            return Ok(());
        }
        if care.wrong {
            let on = day + Span::new().days(i64::from(care.days));
            self.diary.enter(on, Task::Correct(who, key.clone(), item.clone()));
        }
        if care.asked {
            let manager = self.staff.central(Power::ManageQueries);
            let addressed_to = form.filled_by.first().cloned().unwrap_or_else(|| manager.role.clone());
            let text = "Please check this entry against the source.".to_owned();
            self.step(day, who, manager, Action::OpenQuery { key, item, addressed_to, text })?;
        }
        self.answer_open_queries(day, who);
        Ok(())
    }

    /// What the form would say of the person today.
    fn answers(
        &self,
        day: Date,
        who: usize,
        visit: &VisitId,
        form: &Form,
        occasion: u64,
        second: bool,
    ) -> Vec<(ItemId, Answer)> {
        let participant = &self.people[who];
        let days_since_screening = days_between(participant.screened, day);
        let condition = Condition {
            day,
            occasion,
            days_since_screening,
            months: months(days_since_screening),
            skin: self.true_skin(who, day),
            reactions: self.reactions_on(who, day),
            new_assessor: second,
        };
        let Some(casebook) = self.casebook(who) else { return Vec::new() };
        let view = conduct::View::at_visit(self.study, casebook, visit);
        fill(self.study, &self.streams, &participant.person, form, &condition, &view).into_iter().collect()
    }

    fn true_skin(&self, who: usize, day: Date) -> f64 {
        let participant = &self.people[who];
        let Some(skin) = &self.study.virtual_cohort.skin else { return 0.0 };
        let effect = match (participant.first_dose, self.trial.drug_of(&participant.subject)) {
            (Some(first_dose), Some(drug)) if self.is_active(&drug) => {
                let on_drug = months(days_between(first_dose, day));
                let (number, taken) = (participant.person.number, self.dose_share(who, day));
                let factor = pharmacology::effect_factor(self.study, &self.streams, number, taken);
                effect_points(&self.study.virtual_cohort, on_drug, factor)
            }
            _ => 0.0,
        };
        participant.person.skin_at(skin, months(days_between(participant.screened, day)), effect)
    }

    fn is_active(&self, drug: &terms::ArmId) -> bool {
        self.study.arms.iter().any(|arm| arm.id == *drug && !arm.control)
    }

    /// Share of the full dose taken from the first dose to a day.
    fn dose_share(&self, who: usize, day: Date) -> f64 {
        let full = self.study.dosing.levels_mg.first().copied().unwrap_or(Decimal::ONE);
        let Some(casebook) = self.casebook(who) else { return 0.0 };
        let Some(first) = casebook.first_dose() else { return 0.0 };
        let stretches = casebook.dose_intervals().into_iter().map(|interval| {
            let share = Value::Decimal(interval.dose_mg.unwrap_or_default() / full).as_f64().unwrap_or(0.0);
            let since = |date| days_between(first, date);
            (since(interval.from), interval.to.map(since), share)
        });
        course::dose_share(stretches, 0, days_between(first, day))
    }

    fn reactions_on(&self, who: usize, day: Date) -> Vec<&str> {
        let participant = &self.people[who];
        let Some(first_dose) = participant.first_dose else { return Vec::new() };
        let on = days_between(first_dose, day);
        let stopped = participant.stopped.map(|stopped| days_between(first_dose, stopped));
        participant
            .episodes
            .iter()
            .filter(|episode| course::is_present(episode, on, stopped))
            .map(|episode| self.study.virtual_cohort.reactions[episode.reaction].name.as_str())
            .collect()
    }

    /// Counts the last kit back and hands out the next, where the visit has one.
    fn hand_out(&mut self, day: Date, who: usize, visit: &VisitId) -> Result<(), T::Error> {
        let study = self.study;
        let Some(plan) = &study.allocation else { return Ok(()) };
        let ends = study
            .visit(visit.as_str())
            .is_some_and(|visit| visit.closes_treatment || matches!(visit.timing, Timing::EarlyEnd { .. }));
        let hands_out = plan.kit_visits.contains(visit) && self.people[who].phase == Phase::Treated;
        if hands_out || ends {
            self.take_back(day, who, visit)?;
        }
        if hands_out {
            let pharmacist = self.with_power(who, Power::Dispense);
            self.step(day, who, pharmacist, Action::DispenseKit { visit: visit.clone(), kit: None })?;
        }
        Ok(())
    }

    fn take_back(&mut self, day: Date, who: usize, visit: &VisitId) -> Result<(), T::Error> {
        let missed = self.study.virtual_cohort.conduct.missed_doses;
        let Some(casebook) = self.casebook(who) else { return Ok(()) };
        let out: Vec<_> = casebook
            .kits
            .iter()
            .filter(|(_, used)| used.returned.is_none() && used.visit != *visit)
            .map(|(kit, used)| {
                let due = self.tablets_due(casebook, used.dispensed.date, day);
                (kit.clone(), used.dispensed_tablets, due * (1.0 - missed))
            })
            .collect();
        for (kit, dispensed, taken) in out {
            let tablets = dispensed.saturating_sub(libm::round(taken) as u32);
            let pharmacist = self.with_power(who, Power::Dispense);
            self.step(day, who, pharmacist, Action::ReturnKit { kit, visit: visit.clone(), tablets })?;
        }
        Ok(())
    }

    /// Tablets that the dosing record asks for from one day to the day before another.
    fn tablets_due(&self, casebook: &Casebook, from: Date, before: Date) -> f64 {
        let last = before.yesterday().unwrap_or(before);
        let last = casebook.last_dose().map_or(last, |dose| dose.min(last));
        casebook
            .dose_intervals()
            .iter()
            .map(|interval| {
                let first = interval.from.max(from);
                let end = interval.to.unwrap_or(last).min(last);
                let a_day = interval.dose_mg.unwrap_or_default() / self.study.dosing.tablet_mg;
                let a_day = Value::Decimal(a_day).as_f64().unwrap_or(0.0);
                a_day * f64::from((days_between(first, end) + 1).max(0))
            })
            .sum()
    }

    // ---- care of the data ----

    /// Puts an answer to each open query into the diary.
    pub(crate) fn answer_open_queries(&mut self, day: Date, who: usize) {
        let Some(casebook) = self.casebook(who) else { return };
        let open: Vec<QueryId> = casebook
            .queries
            .iter()
            .filter(|query| query.closed.is_none() && query.answered.is_none())
            .map(|query| query.id.clone())
            .collect();
        for query in open {
            let task = Task::Answer(who, query.clone());
            self.diary.strike(|known| *known == task);
            let mut draws = self.streams.of(self.people[who].person.number, query.as_str(), 0);
            self.diary.enter(day + Span::new().days(2 + i64::from(draws.below(9))), task);
        }
    }

    pub(crate) fn answer_query(&mut self, day: Date, who: usize, query: QueryId) -> Result<(), T::Error> {
        let Some(open) = self.casebook(who).and_then(|casebook| casebook.query(&query)) else {
            return Ok(());
        };
        if open.closed.is_some() {
            return Ok(());
        }
        if self.is_hard(open) {
            let (key, item) = (open.key.clone(), open.item.clone());
            return self.put_right(day, who, &query, key, item);
        }
        let by = self.staff.of_role(&open.addressed_to, &self.people[who].site);
        let text = "Confirmed with the source.".to_owned();
        self.step(day, who, by, Action::AnswerQuery { query: query.clone(), text })?;
        self.diary.enter(day + Span::new().days(2), Task::Close(who, query));
        Ok(())
    }

    fn is_hard(&self, query: &conduct::Query) -> bool {
        let form = self.study.form(query.key.form.as_str());
        let check =
            form.zip(query.check.as_ref()).and_then(|(form, id)| form.checks.iter().find(|c| c.id == *id));
        check.is_some_and(|check| check.severity == Severity::Hard)
    }

    /// Returns a hard check that still asks of a person, with what it reads.
    pub(crate) fn stuck(&self, who: usize) -> Option<Stuck> {
        let casebook = self.casebook(who)?;
        let open = casebook.queries.iter().find(|query| query.closed.is_none() && self.is_hard(query))?;
        let form = self.study.form(open.key.form.as_str())?;
        let check = form.checks.iter().find(|check| Some(&check.id) == open.check.as_ref())?;
        let view = conduct::View::at_form(self.study, casebook, &open.key, open.opened_on);
        let values = check.when.inputs().into_iter().map(|input| {
            let answer = match &input {
                Input::Item(item) => view.item(item),
                Input::Limit(item, upper) => view.limit(item, *upper),
                Input::Variable(name) => view.variable(name),
                Input::Today => view.today().map(|today| Answer::Given(Value::Date(today.into()))),
                Input::Parameter(..) => None,
            };
            format!("{input} = {}", answer.map_or_else(|| "nothing".to_owned(), |answer| answer.to_string()))
        });
        Some(Stuck {
            check: check.id.clone(),
            form: form.id.clone(),
            visit: open.key.visit.clone(),
            subject: casebook.subject.clone(),
            item: open.item.clone(),
            values: values.collect::<Vec<_>>().join(", "),
            rounds: self.rounds.get(&open.id).copied().unwrap_or_default(),
        })
    }

    /// Corrects an entry that a hard check objects to, until the check is satisfied and closes its query. What did not
    /// help a few times over never will: the query is left open, and [`stuck`](Self::stuck) names it in the end.
    fn put_right(
        &mut self,
        day: Date,
        who: usize,
        query: &QueryId,
        key: FormKey,
        item: ItemId,
    ) -> Result<(), T::Error> {
        let rounds = self.rounds.entry(query.clone()).or_default();
        if *rounds >= ROUNDS_MAX {
            return Ok(());
        }
        *rounds += 1;
        let study = self.study;
        let Some(kind) = study.form(key.form.as_str()).and_then(|form| form.item(item.as_str())) else {
            return Ok(());
        };
        for tenths in [9, 11, 8, 12, 7, 13, 5, 15] {
            let Some(casebook) = self.casebook(who) else { return Ok(()) };
            if casebook.query(query).is_none_or(|query| query.closed.is_some()) {
                break;
            }
            let Some(cell) = casebook.cell(&key, item.as_str()) else { return Ok(()) };
            let first = cell.history().first().and_then(|entry| entry.answer.clone());
            let by = cell.current().by.clone();
            let value = match first {
                Some(Answer::Given(Value::Integer(whole))) => Value::Integer(whole * tenths / 10),
                Some(Answer::Given(Value::Decimal(decimal))) => {
                    Value::Decimal((decimal * Decimal::new(tenths, 1)).round_dp(decimal.scale()))
                }
                Some(Answer::Given(Value::Boolean(yes))) => Value::Boolean(!yes),
                Some(Answer::Given(Value::Date(_))) => Value::Date(self.people[who].screened.into()),
                _ => return Ok(()),
            };
            let allowed = value.number().is_none_or(|number| {
                kind.minimum.is_none_or(|least| number >= least)
                    && kind.maximum.is_none_or(|most| number <= most)
            });
            if allowed {
                let action = Action::CorrectFormSection {
                    key: key.clone(),
                    answers: vec![(item.clone(), value.into())],
                };
                self.step_because(
                    day,
                    who,
                    by,
                    action,
                    Some("transcription error, source document checked"),
                )?;
            }
        }
        self.answer_open_queries(day, who);
        if let Some(visit) = key.visit {
            self.diary.enter(day + Span::new().days(1), Task::Sign(who, visit));
        }
        Ok(())
    }

    pub(crate) fn close_query(&mut self, day: Date, who: usize, query: QueryId) -> Result<(), T::Error> {
        let open = self.casebook(who).and_then(|casebook| casebook.query(&query));
        if open.is_some_and(|query| query.closed.is_none()) {
            let manager = self.staff.central(Power::ManageQueries);
            self.step(day, who, manager, Action::CloseQuery { query })?;
        }
        Ok(())
    }

    /// Corrects an entry: a site of the skin score by a point, any other number by a little.
    pub(crate) fn correct(
        &mut self,
        day: Date,
        who: usize,
        key: FormKey,
        item: ItemId,
    ) -> Result<(), T::Error> {
        let study = self.study;
        let (Some(form), Some(visit)) = (study.form(key.form.as_str()), key.visit.clone()) else {
            return Ok(());
        };
        let Some(kind) = form.item(item.as_str()) else { return Ok(()) };
        let Some(cell) = self.casebook(who).and_then(|casebook| casebook.cell(&key, item.as_str())) else {
            return Ok(());
        };
        let by = cell.current().by.clone();
        let corrected = match cell.answer() {
            Some(Answer::Given(Value::Integer(whole))) => {
                let most = kind.maximum.unwrap_or(Decimal::MAX);
                let step = if Decimal::from(*whole) < most { 1 } else { -1 };
                Value::Integer(whole + step)
            }
            Some(Answer::Given(Value::Decimal(decimal))) => {
                let step = Decimal::new(1, decimal.scale());
                let most = kind.maximum.unwrap_or(Decimal::MAX);
                Value::Decimal(if decimal + step <= most { decimal + step } else { decimal - step })
            }
            _ => return Ok(()),
        };
        let action = Action::CorrectFormSection { key, answers: vec![(item, corrected.into())] };
        if self.step_because(day, who, by, action, Some("transcription error, source document checked"))? {
            self.answer_open_queries(day, who);
            self.diary.enter(day + Span::new().days(1), Task::Sign(who, visit));
        }
        Ok(())
    }

    /// Signs a visit, again later if something stands in the way.
    pub(crate) fn sign(&mut self, day: Date, who: usize, visit: &VisitId) -> Result<(), T::Error> {
        let held = self.casebook(who).is_some_and(|casebook| {
            casebook.visits.contains_key(visit) && !casebook.signatures.contains_key(visit)
        });
        if !held {
            return Ok(());
        }
        let investigator = self.with_power(who, Power::Sign);
        let meaning = "I have reviewed the entries of this visit and confirm that they are right".to_owned();
        let action = Action::SignVisit { visit: visit.clone(), meaning };
        self.step(day, who, investigator, action)?;
        self.answer_open_queries(day, who);
        Ok(())
    }

    /// Signs what is not signed of a person's visits, and then the casebook.
    pub(crate) fn sign_casebook(&mut self, day: Date, who: usize) -> Result<(), T::Error> {
        let held: Vec<VisitId> =
            self.casebook(who).map(|casebook| casebook.visits.keys().cloned().collect()).unwrap_or_default();
        for visit in held {
            self.sign(day, who, &visit)?;
        }
        let investigator = self.with_power(who, Power::Sign);
        let meaning = "I have reviewed this casebook and confirm that it is complete and right".to_owned();
        self.step(day, who, investigator, Action::SignCasebook { meaning })?;
        Ok(())
    }

    // ---- ends ----

    pub(crate) fn withdraw(&mut self, day: Date, who: usize) -> Result<(), T::Error> {
        if self.people[who].phase != Phase::Treated {
            return Ok(());
        }
        let participant = &self.people[who];
        let drug = self.trial.drug_of(&participant.subject);
        let withdrawals = &self.study.virtual_cohort.withdrawal;
        let Some(process) = withdrawals.iter().find(|process| Some(&process.arm) == drug.as_ref()) else {
            return Ok(());
        };
        let withdrawal = self.streams.of(participant.person.number, "withdrawal", 0);
        let drawn = course::reason_for_stop(withdrawal, process.reasons.iter().map(|(_, weight)| *weight));
        let reason = course::end_reason(&process.reasons[drawn].0);
        let (adverse_event, rule) = match reason {
            EndReason::AdverseEvent => {
                let (row, rule) = self.event_behind_stop(day, who)?;
                (Some(row), rule)
            }
            _ => (None, None),
        };
        let last_dose = self.last_dose_before(day, who);
        let investigator = self.with_power(who, Power::EndParticipation);
        let action = Action::EndTreatment { reason, last_dose, adverse_event, rule };
        if !self.step(day, who, investigator, action)? {
            return Ok(());
        }
        self.stop_drug(day, who);
        if reason == EndReason::WithdrewConsent {
            let investigator = self.with_power(who, Power::TakeConsent);
            self.step(day, who, investigator, Action::WithdrawConsent { keep_data: true })?;
        }
        if course::leaves_the_trial(reason) {
            return self.finish_because(day, who, reason);
        }
        self.plan_visits(day, who);
        Ok(())
    }

    /// A participant dies: treatment ends if it had not, and so does participation.
    pub(crate) fn die(&mut self, day: Date, who: usize, row: Option<u32>) -> Result<(), T::Error> {
        if self.people[who].phase == Phase::Treated {
            let last_dose = self.last_dose_before(day, who);
            let investigator = self.with_power(who, Power::EndParticipation);
            let reason = EndReason::Death;
            let action = Action::EndTreatment { reason, last_dose, adverse_event: row, rule: None };
            if !self.step(day, who, investigator, action)? {
                return Ok(());
            }
            self.stop_drug(day, who);
        }
        self.finish_because(day, who, EndReason::Death)
    }

    /// The drug is off: nothing more begins because of it.
    fn stop_drug(&mut self, day: Date, who: usize) {
        self.people[who].phase = Phase::Followed;
        self.people[who].stopped = Some(day);
        self.diary.strike(|task| {
            matches!(task, Task::Onset(other, _) | Task::Resume(other) | Task::Escalate(other) if *other == who)
        });
    }

    fn complete_treatment(&mut self, day: Date, who: usize) -> Result<(), T::Error> {
        let last_dose = self.last_dose_before(day, who);
        let investigator = self.with_power(who, Power::EndParticipation);
        let action =
            Action::EndTreatment { reason: EndReason::Completed, last_dose, adverse_event: None, rule: None };
        if self.step(day, who, investigator, action)? {
            self.stop_drug(day, who);
        }
        Ok(())
    }

    /// The last day with a dose for a person who stops today: yesterday, or the day before the drug was
    /// held; today where the dose was changed this very day.
    fn last_dose_before(&self, day: Date, who: usize) -> Date {
        let yesterday = day.yesterday().unwrap_or(day);
        let Some(last) = self.casebook(who).and_then(|casebook| casebook.doses.last()) else {
            return yesterday;
        };
        match last.step {
            DoseStep::Held => last.from.yesterday().unwrap_or(last.from),
            _ => yesterday.max(last.from),
        }
    }

    pub(crate) fn finish(&mut self, day: Date, who: usize) -> Result<(), T::Error> {
        self.miss_remaining(day, who)?;
        if self.people[who].phase == Phase::Treated {
            self.complete_treatment(day, who)?;
        }
        // Whoever stopped the drug and came to the end of follow-up has completed the trial.
        self.finish_because(day, who, EndReason::Completed)
    }

    /// Records as missed every planned visit whose day has passed without it.
    fn miss_remaining(&mut self, day: Date, who: usize) -> Result<(), T::Error> {
        let study = self.study;
        for visit in study.visits.iter().filter(|visit| !visit.extra) {
            let open = self.casebook(who).is_some_and(|casebook| {
                !casebook.visits.contains_key(&visit.id)
                    && !casebook.missed.contains_key(&visit.id)
                    && conduct::window(casebook, visit).is_some_and(|window| window.last < day)
            });
            if open && !matches!(visit.timing, Timing::EarlyEnd { .. }) {
                let coordinator = self.with_power(who, Power::RunVisits);
                let reason = Some("the participant did not come");
                let action = Action::MissVisit { visit: visit.id.clone() };
                self.step_because(day, who, coordinator, action, reason)?;
            }
        }
        Ok(())
    }

    fn finish_because(&mut self, day: Date, who: usize, reason: EndReason) -> Result<(), T::Error> {
        let investigator = self.with_power(who, Power::EndParticipation);
        self.step(day, who, investigator, Action::EndParticipation { reason })?;
        self.close(day, who)
    }

    /// Nothing more is due for the person but what concerns data already entered.
    fn close(&mut self, day: Date, who: usize) -> Result<(), T::Error> {
        if self.people[who].phase == Phase::Over {
            return Ok(());
        }
        self.people[who].phase = Phase::Over;
        self.diary.strike(|task| match task {
            Task::Visit(other, _)
            | Task::Onset(other, _)
            | Task::Background(other, _)
            | Task::Withdraw(other)
            | Task::Strike(other, _)
            | Task::BreakBlind(other)
            | Task::Prohibited(other) => *other == who,
            _ => false,
        });
        self.answer_open_queries(day, who);
        self.count_through();
        Ok(())
    }

    pub(crate) fn break_blind(&mut self, day: Date, who: usize) -> Result<(), T::Error> {
        let investigator = self.with_power(who, Power::BreakBlind);
        let shown_to = investigator.person.clone();
        let reason = Some("emergency surgery, the anaesthetist must know the drug");
        self.step_because(day, who, investigator, Action::BreakBlind { shown_to }, reason)?;
        Ok(())
    }

    pub(crate) fn take_prohibited(&mut self, day: Date, who: usize) -> Result<(), T::Error> {
        let conduct = &self.study.virtual_cohort.conduct;
        let taken = Treatment {
            name: &conduct.prohibited_name,
            class: conduct.prohibited_class.as_deref(),
            reason: None,
            start: day.into(),
            prohibited: true,
        };
        self.note_treatment(day, who, &taken)?;
        Ok(())
    }
}
