//! How a participant kept to the protocol, for sets that rest on it: planned doses taken, tablets counted back, major
//! deviations.
//!
//! It reckons what `conduct` reckons from a casebook (`compliance`, `proposed_class`) from the way that was gone. Of deviations only
//! those are known that a rule of the study makes major; a rule on a kind that nothing here knows is refused by name.

use protocol::{
    expression::{Comparison, Input, Term, When as Occurrence},
    model::{DeviationRule, Study, Timing},
};
use terms::{Decimal, Value};

use super::{
    entry::Entry,
    is_skin_total,
    measured::{Measured, first_answered},
    path::{Path, PathVisit, Walk, When},
    trial::Participant,
};
use crate::{course::Care, streams::Process};

/// What a study's sets ask of how participants kept to the protocol.
#[derive(Clone, Debug)]
pub(crate) struct Adherence {
    major: Vec<Major>,
    /// The process of the skin form's care, where a later correction of the score can undo eligibility.
    skin_care: Option<Process>,
}

/// A rule that makes a deviation major.
#[derive(Clone, Debug)]
enum Major {
    /// Too few doses, or too long without.
    Compliance {
        share_below: Option<Decimal>,
        more_than_days: Option<i32>,
    },
    /// A visit of the path held so many days off its date, and outside its window.
    OutOfWindow {
        visit: usize,
        more_than_days: i32,
    },
    EarlyEnd,
    ProhibitedTreatment,
    BlindBroken,
    Eligibility,
}

/// A kit in somebody's hands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kit {
    /// The day on which it was handed out.
    from: i32,
    /// Tablets that came back.
    returned: Option<u32>,
}

impl Kit {
    /// A kit that is handed out on a day.
    pub(super) fn from(from: i32) -> Self {
        Self { from, returned: None }
    }
}

/// Doses taken against doses planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Compliance {
    longest_pause_days: i32,
    dose_share: Decimal,
}

impl Adherence {
    /// Visits that have to be gone for it: where kits change hands, and those that a rule is about.
    pub(super) fn visits(study: &Study) -> Vec<usize> {
        let kits = study.allocation.iter().flat_map(|plan| &plan.kit_visits);
        let ruled = study.deviations.iter().filter_map(|rule| rule.visit.as_ref());
        let place = |id: &terms::VisitId| study.visits.iter().position(|visit| visit.id == *id);
        kits.chain(ruled).filter_map(place).collect()
    }

    pub(super) fn compile(study: &Study, path: &[PathVisit], measured: &[Measured]) -> Result<Self, String> {
        let mut major = Vec::new();
        for rule in &study.deviations {
            major.extend(Major::of(study, rule, path)?);
        }
        if study
            .visits
            .iter()
            .any(|visit| visit.closes_treatment && matches!(visit.timing, Timing::EarlyEnd { .. }))
        {
            return Err("an early end closes treatment".to_owned());
        }
        let skin_care = skin_care(study)?;
        if skin_care.is_some() && !measured.iter().any(Measured::is_skin) {
            return Err(
                "it rests on deviations, and a correction of the skin score may undo a rule of entry"
                    .to_owned(),
            );
        }
        Ok(Self { major, skin_care })
    }
}

impl Major {
    /// Reads a rule; none of a kind that never happens to virtual participants.
    fn of(study: &Study, rule: &DeviationRule, path: &[PathVisit]) -> Result<Option<Self>, String> {
        let unknown = || format!("it rests on deviations, and rule {} is about {}", rule.id, rule.what);
        if rule.visit.is_some() && rule.what != "out_of_window" {
            return Err(unknown());
        }
        Ok(Some(match rule.what.as_str() {
            "compliance" => {
                Major::Compliance { share_below: rule.dose_share_below, more_than_days: rule.more_than_days }
            }
            "out_of_window" => {
                let wanted = rule.visit.as_ref().ok_or_else(unknown)?;
                let visit =
                    path.iter().position(|visit| study.visits[visit.occasion as usize].id == *wanted).filter(
                        |visit| matches!(path[*visit].when, When::AfterStart(_) | When::DaysAfterStart(_)),
                    );
                Major::OutOfWindow {
                    visit: visit.ok_or_else(unknown)?,
                    more_than_days: rule.more_than_days.unwrap_or(0),
                }
            }
            "early_end" => Major::EarlyEnd,
            "prohibited_treatment" => Major::ProhibitedTreatment,
            "blind_broken" => Major::BlindBroken,
            "eligibility" => Major::Eligibility,
            // Virtual sites hand out the kit that the vault chooses.
            "wrong_kit" => return Ok(None),
            _ => return Err(unknown()),
        }))
    }
}

/// The process behind corrections of the skin score, where a rule of entry looks at its total.
///
/// A correction raises the first number of a form by its last digit, and lowers it only from its limit; so a rule
/// that wants more than a number in the lower half of the scale stays met. The skin score's first site may be at its
/// limit of 3 while the total is low: such totals are judged again. Any other rule that a correction may undo is
/// refused.
fn skin_care(study: &Study) -> Result<Option<Process>, String> {
    let mut care = None;
    for rule in &study.eligibility {
        let mut reads = Vec::new();
        for term in std::iter::once(rule.rule.root()).chain(rule.applies_to.as_ref().map(|who| who.root())) {
            term.visit(&mut |part| {
                if let Term::Input(input) = part {
                    reads.push(input.clone());
                }
            });
        }
        for input in reads {
            let undone = || format!("it rests on deviations, and a correction may undo rule {}", rule.id);
            let reference = match &input {
                Input::Item(reference) => reference,
                Input::Limit(reference, _) => {
                    let ranges = study.laboratories.iter().flat_map(|laboratory| &laboratory.ranges);
                    let mut own = ranges.filter(|range| range.item == reference.item);
                    if own.any(|range| range.age_from.is_some() || range.age_below.is_some()) {
                        return Err(undone());
                    }
                    continue;
                }
                _ => continue,
            };
            let form = study.form(reference.form.as_str());
            let Some((form, item)) = form.and_then(|form| Some((form, form.item(reference.item.as_str())?)))
            else {
                continue;
            };
            let first = first_answered(study, form);
            let is_number = |item: &protocol::model::Item| {
                use protocol::model::ItemType;
                matches!(item.kind, ItemType::Integer | ItemType::Decimal { .. })
            };
            if is_skin_total(form, item) && reference.when == Occurrence::Here {
                care = Some(Process::named(&format!("care {}", form.id)));
                continue;
            }
            let adds_up = form.instrument.as_deref() == Some("body_surface") && item.derived.is_some();
            if item.derived.is_some() && !adds_up {
                return Err(undone());
            }
            if !adds_up && (first != Some(item) || !is_number(item)) {
                continue;
            }
            let most = item.maximum.map_or(Decimal::ONE_HUNDRED, |most| most);
            let wants_more = match rule.rule.root() {
                Term::Compare(Comparison::Greater | Comparison::AtLeast, a, b, _) => match (&**a, &**b) {
                    (Term::Input(own), Term::Number(bound, _)) => {
                        *own == input && *bound + *bound <= most && rule.inclusion
                    }
                    _ => false,
                },
                _ => false,
            };
            if !wants_more {
                return Err(undone());
            }
        }
    }
    Ok(care)
}

impl Walk<'_> {
    /// Kits at a held visit: what is out comes back and is counted, and the next one is handed out.
    pub(super) fn hand_out(&self, path: &mut Path, day: i32, visit: &PathVisit, is_treated: bool) {
        let hands_out = visit.hands_out && is_treated;
        if hands_out || visit.closes_treatment || visit.when == When::EarlyEnd {
            self.take_back(path, day);
        }
        if hands_out {
            path.kits.push(Kit::from(day));
        }
    }

    fn take_back(&self, path: &mut Path, day: i32) {
        let study = self.plan.study;
        let dispensed = study.allocation.as_ref().map_or(0, |plan| plan.kit_tablets);
        let missed = study.virtual_cohort.conduct.missed_doses;
        for place in 0..path.kits.len() {
            let Kit { from, returned: None } = path.kits[place] else { continue };
            let taken = self.tablets_due(path, from, day) * (1.0 - missed);
            path.kits[place].returned = Some(dispensed.saturating_sub(libm::round(taken) as u32));
        }
    }

    /// Tablets that the dosing record asks for from one day to the day before another.
    fn tablets_due(&self, path: &Path, from: i32, before: i32) -> f64 {
        let last = path.last_dose.map_or(before - 1, |dose| dose.min(before - 1));
        path.stretches_mg()
            .map(|(first, to, mg)| {
                let first = first.max(from);
                let end = to.unwrap_or(last).min(last);
                let a_day = Value::Decimal(mg / self.plan.study.dosing.tablet_mg).as_f64().unwrap_or(0.0);
                a_day * f64::from((end - first + 1).max(0))
            })
            .sum()
    }

    pub(super) fn compliance(&self, path: &Path) -> Option<Compliance> {
        let study = self.plan.study;
        let last_dose = path.last_dose?;
        let planned_end = self.plan.calendar.add_months(self.start, study.dosing.planned_months) - 1;
        let planned_days = planned_end - self.start + 1;
        let (mut dose_days, mut tablets_due) = (0, Decimal::ZERO);
        let (mut longest, mut off_since): (i32, Option<i32>) = (0, None);
        for (from, to, mg) in path.stretches_mg() {
            let end = to.unwrap_or(last_dose).min(last_dose);
            if mg > Decimal::ZERO && end >= from {
                dose_days += (end.min(planned_end) - from + 1).max(0);
                tablets_due += mg / study.dosing.tablet_mg * Decimal::from(end - from + 1);
                if let Some(off) = off_since {
                    longest = longest.max(from - 1 - off);
                }
                off_since = Some(end.min(planned_end));
            }
        }
        if let Some(off) = off_since {
            longest = longest.max(planned_end - off);
        }
        let dispensed = study.allocation.as_ref().map_or(0, |plan| plan.kit_tablets);
        let taken: Option<u32> =
            path.kits.iter().map(|kit| Some(dispensed - kit.returned?.min(dispensed))).sum();
        let known = !path.kits.is_empty() && tablets_due > Decimal::ZERO;
        let adherence = taken.filter(|_| known);
        let adherence = adherence.map(|taken| (Decimal::from(taken) / tablets_due).min(Decimal::ONE));
        let share = Decimal::from(dose_days) / Decimal::from(planned_days.max(1));
        Some(Compliance {
            longest_pause_days: longest,
            dose_share: share * adherence.unwrap_or(Decimal::ONE),
        })
    }
}

impl Compliance {
    /// Percent of the planned doses that were taken, as the data set holds it.
    pub(super) fn percent(self) -> Option<Decimal> {
        let share = self.dose_share * Decimal::ONE_HUNDRED;
        let number = Value::Decimal(share).as_f64()?;
        number.to_string().parse().ok()
    }
}

impl Participant<'_> {
    /// Whether a deviation is major, of somebody whose whole way was gone.
    pub(super) fn deviates(&self, walk: &Walk<'_>, path: &Path, compliance: Option<Compliance>) -> bool {
        let Some(adherence) = &self.plan.adherence else { return false };
        adherence.major.iter().any(|rule| match rule {
            Major::Compliance { share_below, more_than_days } => {
                let study = self.plan.study;
                compliance.is_some_and(|taken| {
                    let limit = study.deviations.iter().filter_map(|rule| rule.dose_share_below).max();
                    let few = limit.is_some_and(|limit| taken.dose_share < limit);
                    let long = taken.longest_pause_days > study.dosing.pause_days_max;
                    (few || long)
                        && share_below.is_none_or(|limit| taken.dose_share < limit)
                        && more_than_days.is_none_or(|limit| taken.longest_pause_days > limit)
                })
            }
            Major::OutOfWindow { visit, more_than_days } => {
                let planned = &self.plan.path[*visit];
                let target = walk.target(planned.when, path.last_dose);
                path.held[*visit].zip(target).is_some_and(|(held, target)| {
                    let off = (held.day - target).abs();
                    off > planned.within_days && off > *more_than_days
                })
            }
            Major::EarlyEnd => path.early,
            Major::ProhibitedTreatment => path.prohibited,
            Major::BlindBroken => path.blind_broken,
            Major::Eligibility => adherence.skin_care.is_some_and(|care| self.loses_eligibility(care)),
        })
    }

    /// Whether a corrected skin score leaves the participant without a rule of entry.
    fn loses_eligibility(&self, care: Process) -> bool {
        let plan = self.plan;
        [0, 1].into_iter().any(|at| {
            let gate = &plan.gates[at];
            let (visit, day) =
                if at == 0 { (&plan.screening, self.someone.screened) } else { (&plan.start, self.start) };
            let Some(total) = self.corrected_skin(gate.occasion(), day, care) else { return false };
            let entry = Entry {
                study: plan.study,
                streams: self.streams,
                process: &plan.process,
                occasion: gate.occasion(),
                visit,
                calendar: &plan.calendar,
                day,
                arrival: self.someone.screened,
                skin: total,
            };
            !gate.is_met_rule_by_rule(&entry, self.someone)
        })
    }

    /// The skin's total of a visit on the way in once it was corrected; none if it never was.
    fn corrected_skin(&self, occasion: u64, day: i32, care: Process) -> Option<i64> {
        let Participant { plan, streams, someone, .. } = *self;
        let measured = plan.measured.iter().find(|measured| measured.is_skin())?;
        let filled = measured.filled_at[occasion as usize];
        let mut draws = streams.draws(someone.number, care, occasion);
        let care = Care::draw(&mut draws, &plan.study.virtual_cohort.conduct);
        (filled && care.wrong).then(|| self.skin_on_the_way_in(measured, occasion, day))
    }
}
