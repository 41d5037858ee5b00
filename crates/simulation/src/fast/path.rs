//! A participant's way through the trial: which visits are held when, and what is taken.

use protocol::model::{Anchor, Study, Timing};
use record::EndReason;
use terms::{Decimal, Value};

use super::{adherence::Kit, at_hand::AtHand, compile::FastPlan, events::Noted, someone::Someone};
use crate::{
    course::{self, Coming, DoseAnswer, months},
    person::{Episode, draw_reaction, effect_points, in_order},
    pharmacology,
    streams::Draws,
};

/// A visit that matters to what is asked.
#[derive(Clone, Debug)]
pub(crate) struct PathVisit {
    /// The place in the schedule, which is the occasion of its draws.
    pub(crate) occasion: u64,
    pub(crate) when: When,
    pub(crate) within_days: i32,
    pub(crate) closes_treatment: bool,
    pub(crate) closes_study: bool,
    /// Whether a kit is handed out to who is on treatment.
    pub(crate) hands_out: bool,
}

/// What a visit is reckoned from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// Months after the first dose.
    AfterStart(i32),
    /// Days after it.
    DaysAfterStart(i32),
    /// Months after the last dose.
    AfterLastDose(i32),
    /// Within days of the last dose of who stopped early.
    EarlyEnd,
}

impl PathVisit {
    pub(crate) fn of(study: &Study, place: usize) -> Result<Self, String> {
        let visit = &study.visits[place];
        let (when, within_days) = match visit.timing {
            // Randomisation and the first dose are one day.
            Timing::Months { anchor: Anchor::FirstDose | Anchor::Randomisation, months, within_days } => {
                (When::AfterStart(months), within_days)
            }
            Timing::Days { anchor: Anchor::FirstDose | Anchor::Randomisation, offset_days, within_days } => {
                (When::DaysAfterStart(offset_days), within_days)
            }
            Timing::Months { anchor: Anchor::LastDose, months, within_days } => {
                (When::AfterLastDose(months), within_days)
            }
            Timing::EarlyEnd { within_days } => (When::EarlyEnd, within_days),
            _ => return Err(format!("visit {} follows another visit", visit.id)),
        };
        Ok(Self {
            occasion: place as u64,
            when,
            within_days,
            closes_treatment: visit.closes_treatment,
            closes_study: visit.closes_study,
            hands_out: study.allocation.as_ref().is_some_and(|plan| plan.kit_visits.contains(&visit.id)),
        })
    }
}

/// A held visit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Held {
    pub(crate) day: i32,
    /// What the drug has done to the true skin score by then.
    pub(crate) effect_points: f64,
}

/// Where a participant is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Treated,
    Followed,
    Over,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Task {
    Onset(usize),
    Withdraw,
    /// An event of a hazard.
    Strike(usize),
    BreakBlind,
    /// A prohibited treatment is taken.
    Prohibited,
    Visit(usize),
    Resume,
    Escalate,
    Finish,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Started,
    Held,
    Resumed,
    Reduced,
    Escalated,
}

#[derive(Clone, Copy, Debug)]
struct Dose {
    from: i32,
    step: Step,
    mg: Decimal,
    share: f64,
    /// Whether a dose rule stands behind a hold.
    by_rule: bool,
}

/// Reused memory of one participant's way.
#[derive(Clone, Debug, Default)]
pub(crate) struct Path {
    /// By visit of the plan's path.
    pub(crate) held: Vec<Option<Held>>,
    /// Last days of the visits' windows, once reckoned.
    pub(crate) due_by: Vec<Option<i32>>,
    /// Of visits whose day is planned: whether they will be missed.
    planned: Vec<Option<bool>>,
    tasks: Vec<(i32, u32, Task)>,
    entered: u32,
    doses: Vec<Dose>,
    /// Every reaction's episodes, in order; drawn where doses matter.
    pub(crate) episodes: Vec<Episode>,
    /// The day on which the drug was stopped.
    pub(crate) stopped: Option<i32>,
    /// The last day with a dose, once treatment has ended.
    pub(crate) last_dose: Option<i32>,
    /// Why treatment ended, and why participation.
    pub(crate) treatment_end: Option<EndReason>,
    pub(crate) participation_end: Option<EndReason>,
    /// Whether treatment was stopped before its time.
    pub(crate) early: bool,
    escalated: bool,
    /// The day on which the participant is through.
    pub(crate) over: Option<i32>,
    /// Whether that was known from the first dose: they left, or died, rather than came to the end.
    left: bool,
    /// Adverse events, where they matter.
    pub(crate) noted: Vec<Noted>,
    /// Kits, where it matters how participants kept to the protocol; and what else they did.
    pub(super) kits: Vec<Kit>,
    pub(super) blind_broken: bool,
    pub(super) prohibited: bool,
}

/// A participant on the way, with what it depends on.
pub(crate) struct Walk<'a> {
    pub(crate) plan: &'a FastPlan<'a>,
    pub(crate) streams: &'a AtHand<'a>,
    pub(crate) someone: &'a Someone,
    /// The arm's place.
    pub(crate) arm: usize,
    /// The day of the first dose.
    pub(crate) start: i32,
}

impl Walk<'_> {
    /// The day on which the drug would be stopped early, if it is.
    #[inline]
    pub(crate) fn early_stop(&self, mut draws: Draws) -> Option<i32> {
        let arm = &self.plan.arms[self.arm];
        let intercept = self.plan.study.virtual_cohort.skin.as_ref().map_or(0.0, |skin| skin.intercept);
        let (per_point, change) = (arm.withdrawal_per_skin_point, self.someone.natural.change_12);
        let share = course::chance_of_stopping(arm.withdrawal_share, per_point, change, intercept);
        let days =
            self.plan.calendar.add_months(self.start, self.plan.study.dosing.planned_months) - self.start;
        course::early_stop(&mut draws, share, days).map(|after| self.start + after)
    }

    /// The day and fate of a visit that hangs on the start alone, for somebody who does not stop early; `ready` is
    /// its stream if it is at hand.
    #[inline]
    pub(crate) fn plain_visit(&self, visit: &PathVisit, ready: Option<Draws>) -> Option<Held> {
        let coming = match ready {
            Some(draws) => self.coming_of(draws),
            None => self.coming(visit),
        };
        if coming.missed {
            return None;
        }
        let day =
            (self.target(visit.when, None)? + coming.from_target(visit.within_days)).max(self.start + 1);
        Some(Held { day, effect_points: 0.0 })
    }

    /// Whether and when the participant comes to a visit.
    fn coming(&self, visit: &PathVisit) -> Coming {
        self.coming_of(self.streams.draws(self.someone.number, self.plan.process.visit, visit.occasion))
    }

    #[inline]
    fn coming_of(&self, mut draws: Draws) -> Coming {
        Coming::draw(&mut draws, &self.plan.study.virtual_cohort.conduct)
    }

    /// The planned day of a visit, once its anchor has happened.
    #[inline]
    pub(crate) fn target(&self, when: When, last_dose: Option<i32>) -> Option<i32> {
        match when {
            When::AfterStart(months) => Some(self.plan.calendar.add_months(self.start, months)),
            When::DaysAfterStart(days) => Some(self.start + days),
            When::AfterLastDose(months) => Some(self.plan.calendar.add_months(last_dose?, months)),
            When::EarlyEnd => last_dose,
        }
    }

    /// Goes the whole way.
    pub(crate) fn go(&self, path: &mut Path, stops_on: Option<i32>) {
        path.begin(self.plan.path.len());
        let levels = &self.plan.levels;
        let (mg, share) = levels[0];
        path.doses.push(Dose { from: self.start, step: Step::Started, mg, share, by_rule: false });
        if self.plan.doses_matter {
            self.draw_episodes(path);
        }
        if let Some(day) = stops_on {
            path.enter(day, Task::Withdraw);
        }
        if self.plan.hazards_matter {
            self.draw_hazards(path);
        }
        if self.plan.adherence.is_some() {
            self.begin_to_keep_to_it(path);
        }
        let mut phase = Phase::Treated;
        self.plan_visits(path, self.start, false);
        while let Some((day, task)) = path.next() {
            self.perform(path, &mut phase, day, task);
        }
        for (place, visit) in self.plan.path.iter().enumerate() {
            let target = self.target(visit.when, path.last_dose);
            path.due_by[place] = target.map(|target| target + visit.within_days);
        }
        if self.plan.events_matter {
            self.note_background(path.over, path.left, &mut path.noted);
        }
    }

    /// Goes what matters of the way where only events of hazards and the end of participation are asked: when somebody
    /// leaves or dies, and when the trial is over for who does neither.
    pub(crate) fn go_bare(&self, path: &mut Path) {
        path.begin_bare();
        let Some(bare) = self.plan.bare else { return };
        let (virtuals, number) = (&self.plan.study.virtual_cohort, self.someone.number);
        let arm = &self.plan.arms[self.arm];
        let closing = &self.plan.path[bare.closing];
        let process = &self.plan.process;
        let wanted = [(process.withdrawal, 0), (process.hazard, 0), (process.visit, closing.occasion)];
        let [withdrawal, hazard, visit] = self.streams.draws_of(number, wanted);
        let mut leaves = None;
        if let Some(day) = self.early_stop(withdrawal.clone()) {
            let reason = self.withdrawal_reason(withdrawal);
            leaves = course::leaves_the_trial(reason).then_some((day, reason));
        }
        let shift = self.coming_of(visit).from_target(closing.within_days);
        let over =
            self.target(closing.when, None).map_or(self.start, |day| (day + shift).max(self.start + 1)) + 1;
        let mut first = Some(hazard);
        for (index, one) in virtuals.hazards.iter().enumerate() {
            let mut draws =
                first.take().unwrap_or_else(|| self.streams.draws(number, process.hazard, index as u64));
            let after = course::days_to_event(&mut draws, one, arm.hazard_ratios[index]);
            path.tasks.extend(after.map(|after| (self.start + after, index as u32, Task::Strike(index))));
        }
        // Of one day, leaving comes first, then hazards in their order, then the end of the trial.
        while let Some((day, task)) = path.next() {
            let Task::Strike(index) = task else { continue };
            if day > over || leaves.is_some_and(|(leaves, _)| leaves <= day) {
                break;
            }
            path.noted.push(self.plan.grades.of_hazard(index, day));
            if virtuals.hazards[index].fatal {
                path.leave(day, EndReason::Death);
                return;
            }
        }
        match leaves {
            Some((day, reason)) => path.leave(day, reason),
            None => {
                path.over = Some(over);
                path.participation_end = Some(EndReason::Completed);
            }
        }
    }

    fn withdrawal_reason(&self, withdrawal: Draws) -> EndReason {
        let reasons = &self.plan.arms[self.arm].withdrawal_reasons;
        reasons[course::reason_for_stop(withdrawal, reasons.iter().map(|(_, weight)| *weight))].0
    }

    fn draw_episodes(&self, path: &mut Path) {
        let study = self.plan.study;
        let days = self.plan.calendar.add_months(self.start, study.dosing.planned_months) - self.start;
        for (index, reaction) in study.virtual_cohort.reactions.iter().enumerate() {
            let mut draws = self.streams.draws(self.someone.number, self.plan.process.reaction, index as u64);
            let arm = &self.plan.arms[self.arm];
            let (number, on_drug) = (self.someone.number, arm.has_drug_reactions);
            let share = pharmacology::reaction_share(
                study,
                self.streams,
                number,
                on_drug,
                arm.reaction_shares[index],
            );
            draw_reaction(&mut draws, index, reaction, share, days, &mut path.episodes);
        }
        in_order(&mut path.episodes);
        for place in 0..path.episodes.len() {
            path.enter(self.start + path.episodes[place].from_day.max(1), Task::Onset(place));
        }
    }

    fn draw_hazards(&self, path: &mut Path) {
        for (index, hazard) in self.plan.study.virtual_cohort.hazards.iter().enumerate() {
            let mut draws = self.streams.draws(self.someone.number, self.plan.process.hazard, index as u64);
            let ratio = self.plan.arms[self.arm].hazard_ratios[index];
            if let Some(after) = course::days_to_event(&mut draws, hazard, ratio) {
                path.enter(self.start + after, Task::Strike(index));
            }
        }
    }

    /// The first kit, and the days on which the protocol will be left aside.
    fn begin_to_keep_to_it(&self, path: &mut Path) {
        let study = self.plan.study;
        let habits = &study.virtual_cohort.conduct;
        let days = self.plan.calendar.add_months(self.start, study.dosing.planned_months) - self.start;
        let wanted = [(self.plan.process.emergency, 0), (self.plan.process.prohibited, 0)];
        let [mut emergency, mut prohibited] = self.streams.draws_of(self.someone.number, wanted);
        for (draws, share, task) in [
            (&mut emergency, habits.blind_break, Task::BreakBlind),
            (&mut prohibited, habits.prohibited_treatment, Task::Prohibited),
        ] {
            let happens = draws.chance(share);
            let on = draws.below(days.max(1).unsigned_abs()) as i32;
            if happens && (task != Task::BreakBlind || (study.blinded && study.allocation.is_some())) {
                path.enter(self.start + on + 1, task);
            }
        }
        let at_start = |plan: &protocol::model::AllocationPlan| plan.kit_visits.contains(&self.plan.start);
        if study.allocation.as_ref().is_some_and(at_start) {
            path.kits.push(Kit::from(self.start));
        }
    }

    /// An event of a hazard comes; whoever dies of it is through.
    fn strike(&self, path: &mut Path, phase: &mut Phase, day: i32, hazard: usize) {
        if self.plan.events_matter {
            path.noted.push(self.plan.grades.of_hazard(hazard, day));
        }
        if self.plan.study.virtual_cohort.hazards[hazard].fatal {
            if *phase == Phase::Treated {
                path.end_treatment(day, EndReason::Death);
            }
            *phase = Phase::Over;
            path.leave(day, EndReason::Death);
        }
    }

    /// Enters every visit whose planned day is now known.
    fn plan_visits(&self, path: &mut Path, today: i32, early: bool) {
        for (place, visit) in self.plan.path.iter().enumerate() {
            if path.planned[place].is_some() || (visit.when == When::EarlyEnd && !early) {
                continue;
            }
            let Some(target) = self.target(visit.when, path.last_dose) else { continue };
            let coming = self.coming(visit);
            let day = match visit.when {
                When::EarlyEnd => target + coming.from_last_dose(visit.within_days),
                _ => target + coming.from_target(visit.within_days),
            };
            path.planned[place] = Some(coming.missed);
            path.enter(day.max(today + 1), Task::Visit(place));
        }
    }

    fn perform(&self, path: &mut Path, phase: &mut Phase, day: i32, task: Task) {
        match task {
            Task::Visit(place) if *phase != Phase::Over => self.visit(path, phase, day, place),
            Task::Onset(place) if *phase == Phase::Treated => self.onset(path, day, place),
            Task::Resume if *phase == Phase::Treated => self.resume(path, day),
            Task::Escalate if *phase == Phase::Treated => self.escalate(path, day),
            Task::Withdraw if *phase == Phase::Treated => self.withdraw(path, phase, day),
            Task::Strike(hazard) if *phase != Phase::Over => self.strike(path, phase, day, hazard),
            Task::BreakBlind if *phase != Phase::Over => path.blind_broken = true,
            Task::Prohibited if *phase != Phase::Over => path.prohibited = true,
            Task::Finish if *phase != Phase::Over => {
                if *phase == Phase::Treated {
                    path.end_treatment(day, EndReason::Completed);
                }
                *phase = Phase::Over;
                path.over = Some(day);
                path.participation_end = Some(EndReason::Completed);
            }
            _ => {}
        }
    }

    fn visit(&self, path: &mut Path, phase: &mut Phase, day: i32, place: usize) {
        let visit = &self.plan.path[place];
        if path.planned[place] == Some(false) {
            path.held[place] = Some(Held { day, effect_points: self.effect(path, day) });
            if self.plan.adherence.is_some() {
                self.hand_out(path, day, visit, *phase == Phase::Treated);
            }
        }
        if visit.closes_treatment && *phase == Phase::Treated {
            path.end_treatment(day, EndReason::Completed);
            *phase = Phase::Followed;
        }
        if visit.closes_study {
            path.enter(day + 1, Task::Finish);
        }
        let early = path.early;
        self.plan_visits(path, day, early);
    }

    fn effect(&self, path: &Path, day: i32) -> f64 {
        if !self.plan.effect_matters || !self.plan.arms[self.arm].active {
            return 0.0;
        }
        let share = course::dose_share(path.stretches(), self.start, day);
        let factor = pharmacology::effect_factor(self.plan.study, self.streams, self.someone.number, share);
        effect_points(&self.plan.study.virtual_cohort, months(day - self.start), factor)
    }

    fn onset(&self, path: &mut Path, day: i32, place: usize) {
        let dosing = &self.plan.study.dosing;
        let lowest = dosing.levels_mg.last().copied().unwrap_or_default();
        let present = path.present();
        let episode = path.episodes[place].clone();
        if self.plan.events_matter {
            path.noted.push(self.plan.grades.of_reaction(episode.reaction, day, episode.grade));
        }
        let free = path.doses.last().is_some_and(|last| last.from < day);
        match course::answer_event(&episode, present, lowest) {
            Some(DoseAnswer::Hold) => {
                if free {
                    let reaction = &self.plan.study.virtual_cohort.reactions[episode.reaction];
                    let by_rule = reaction.hold_rule.is_some();
                    path.doses.push(Dose {
                        from: day,
                        step: Step::Held,
                        mg: Decimal::ZERO,
                        share: 0.0,
                        by_rule,
                    });
                }
                path.enter(day + course::days_of_hold(&episode), Task::Resume);
            }
            Some(DoseAnswer::Reduce) => {
                let lower = self.plan.levels.iter().find(|(level, _)| *level < present);
                if let Some((mg, share)) = lower.filter(|_| free) {
                    let (mg, share) = (*mg, *share);
                    path.doses.push(Dose { from: day, step: Step::Reduced, mg, share, by_rule: false });
                }
                let wait = course::days_to_escalation(dosing.escalation_after_days);
                path.enter(day + wait, Task::Escalate);
            }
            None => {}
        }
    }

    fn resume(&self, path: &mut Path, day: i32) {
        let Some(hold) = path.doses.last().copied().filter(|last| last.step == Step::Held) else { return };
        let before = path
            .doses
            .iter()
            .rev()
            .find(|dose| dose.step != Step::Held)
            .map_or(Decimal::ZERO, |dose| dose.mg);
        let level = self.plan.levels.iter().find(|(level, _)| *level < before);
        let same = || self.plan.levels.iter().find(|(level, _)| *level == before);
        // A rule that asks for a level less leaves none below the lowest.
        let Some((mg, share)) = level.or_else(|| if hold.by_rule { None } else { same() }) else { return };
        let dosing = &self.plan.study.dosing;
        let pause = day - hold.from;
        // The conduct's limits of a pause, in a row and in all.
        if hold.from < day
            && pause <= dosing.pause_days_max
            && path.days_held() + pause <= dosing.pause_days_total_max
        {
            let (mg, share) = (*mg, *share);
            path.doses.push(Dose { from: day, step: Step::Resumed, mg, share, by_rule: false });
        }
    }

    fn escalate(&self, path: &mut Path, day: i32) {
        let dosing = &self.plan.study.dosing;
        let wanted = self
            .streams
            .draws(self.someone.number, self.plan.process.escalation, 0)
            .chance(self.plan.study.virtual_cohort.conduct.escalation);
        let present = path.present();
        let higher = self.plan.levels.iter().rev().find(|(level, _)| *level > present);
        let Some((mg, share)) = higher.filter(|_| wanted && !path.escalated && !present.is_zero()) else {
            return;
        };
        let raised = path.doses.iter().filter(|dose| dose.step == Step::Escalated).count();
        let since = path.doses.last().map_or(0, |last| day - last.from);
        if since > 0 && raised < dosing.escalations_max as usize && since >= dosing.escalation_after_days {
            let (mg, share) = (*mg, *share);
            path.doses.push(Dose { from: day, step: Step::Escalated, mg, share, by_rule: false });
            path.escalated = true;
        }
    }

    fn withdraw(&self, path: &mut Path, phase: &mut Phase, day: i32) {
        let withdrawal = self.streams.draws(self.someone.number, self.plan.process.withdrawal, 0);
        let reason = self.withdrawal_reason(withdrawal);
        path.end_treatment(day, reason);
        *phase = Phase::Followed;
        if course::leaves_the_trial(reason) {
            *phase = Phase::Over;
            path.leave(day, reason);
            return;
        }
        if reason == EndReason::AdverseEvent && self.plan.events_matter {
            self.note_event_behind_stop(day, &mut path.noted);
        }
        self.plan_visits(path, day, true);
    }
}

impl Path {
    fn begin(&mut self, visits: usize) {
        self.held.clear();
        self.held.resize(visits, None);
        self.due_by.clear();
        self.due_by.resize(visits, None);
        self.planned.clear();
        self.planned.resize(visits, None);
        self.tasks.clear();
        self.entered = 0;
        self.doses.clear();
        self.episodes.clear();
        self.stopped = None;
        self.last_dose = None;
        self.early = false;
        self.escalated = false;
        self.over = None;
        self.left = false;
        (self.treatment_end, self.participation_end) = (None, None);
        self.noted.clear();
        self.kits.clear();
        (self.blind_broken, self.prohibited) = (false, false);
    }

    /// As [`begin`](Self::begin), for a way without visits.
    fn begin_bare(&mut self) {
        self.tasks.clear();
        self.noted.clear();
        (self.over, self.left, self.treatment_end, self.participation_end) = (None, false, None, None);
    }

    fn enter(&mut self, day: i32, task: Task) {
        self.entered += 1;
        self.tasks.push((day, self.entered, task));
    }

    fn next(&mut self) -> Option<(i32, Task)> {
        let (place, _) =
            self.tasks.iter().enumerate().min_by_key(|(_, (day, entered, _))| (*day, *entered))?;
        let (day, _, task) = self.tasks.swap_remove(place);
        Some((day, task))
    }

    fn present(&self) -> Decimal {
        self.doses.last().map_or(Decimal::ZERO, |dose| dose.mg)
    }

    /// Treatment ends today: the last dose was yesterday's, the one before the hold, or today's where the
    /// dose was changed this very day.
    fn stop(&mut self, day: i32) {
        let Some(last) = self.doses.last() else { return };
        self.last_dose = Some(match last.step {
            Step::Held => last.from - 1,
            _ => (day - 1).max(last.from),
        });
        self.stopped = Some(day);
    }

    /// Treatment ends today for a reason.
    fn end_treatment(&mut self, day: i32, reason: EndReason) {
        self.stop(day);
        self.early = reason != EndReason::Completed;
        self.treatment_end = Some(reason);
    }

    /// Participation ends today, before the trial's own end.
    pub(super) fn leave(&mut self, day: i32, reason: EndReason) {
        self.over = Some(day);
        self.left = true;
        self.participation_end = Some(reason);
    }

    fn days_held(&self) -> i32 {
        let ends = self.doses.iter().skip(1).map(|next| next.from);
        let held = self.doses.iter().zip(ends).filter(|(dose, _)| dose.mg.is_zero());
        held.map(|(dose, end)| end - dose.from).sum()
    }

    /// Stretches of one dose: first day, last day or none, and the dose a day.
    pub(super) fn stretches_mg(&self) -> impl Iterator<Item = (i32, Option<i32>, Decimal)> + '_ {
        let ends = self.doses.iter().skip(1).map(|next| Some(next.from - 1)).chain([self.last_dose]);
        self.doses.iter().zip(ends).map(|(dose, to)| (dose.from, to, dose.mg))
    }

    /// Stretches of one dose: first day, last day or none, share of the full dose.
    fn stretches(&self) -> impl Iterator<Item = (i32, Option<i32>, f64)> + '_ {
        let ends = self.doses.iter().skip(1).map(|next| Some(next.from - 1)).chain([self.last_dose]);
        self.doses.iter().zip(ends).map(|(dose, to)| (dose.from, to, dose.share))
    }
}

/// Returns the dose levels with their share of the full dose, highest first.
pub(crate) fn levels(study: &Study) -> Vec<(Decimal, f64)> {
    let full = study.dosing.levels_mg.first().copied().unwrap_or(Decimal::ONE);
    let share = |level: Decimal| Value::Decimal(level / full).as_f64().unwrap_or(0.0);
    study.dosing.levels_mg.iter().map(|level| (*level, share(*level))).collect()
}
