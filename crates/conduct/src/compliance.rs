//! How much of the planned treatment was taken.

use protocol::model::Study;
use terms::*;

use crate::{
    casebook::{Casebook, day_before},
    schedule::planned_last_dose,
};

/// Treatment taken against treatment planned, up to the last planned treatment day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compliance {
    /// Days from the first dose to the last planned treatment day.
    pub planned_days: i32,
    /// Of those, days with a dose above 0 mg by the dosing record.
    pub dose_days: i32,
    /// The longest run of those days without a dose, after an early stop included.
    pub longest_pause_days: i32,
    /// Tablets taken over tablets due, at most 1; none unless every kit was counted back.
    pub adherence: Option<Decimal>,
    /// `dose_days / planned_days`, times the adherence where it is known.
    pub dose_share: Decimal,
}

/// Reckons a participant's compliance; none before the end of treatment.
pub fn compliance(study: &Study, casebook: &Casebook) -> Option<Compliance> {
    let (first, last_dose) = (casebook.first_dose()?, casebook.last_dose()?);
    let planned_end = planned_last_dose(study, first);
    let planned_days = days_between(first, planned_end) + 1;
    let mut dose_days = 0;
    let mut tablets_due = Decimal::ZERO;
    let mut on_drug = Vec::new();
    for interval in casebook.dose_intervals() {
        let dose = interval.dose_mg.unwrap_or_default();
        let end = interval.to.unwrap_or(last_dose).min(last_dose);
        let counted = days_between(interval.from, end.min(planned_end)) + 1;
        if dose > Decimal::ZERO && end >= interval.from {
            dose_days += counted.max(0);
            tablets_due +=
                dose / study.dosing.tablet_mg * Decimal::from(days_between(interval.from, end) + 1);
            on_drug.push((interval.from, end.min(planned_end)));
        }
    }
    let adherence = adherence(casebook, tablets_due);
    let share = Decimal::from(dose_days) / Decimal::from(planned_days.max(1));
    Some(Compliance {
        planned_days,
        dose_days,
        longest_pause_days: longest_pause(&on_drug, planned_end),
        adherence,
        dose_share: share * adherence.unwrap_or(Decimal::ONE),
    })
}

fn adherence(casebook: &Casebook, tablets_due: Decimal) -> Option<Decimal> {
    let taken: Option<u32> = casebook
        .kits
        .values()
        .map(|kit| Some(kit.dispensed_tablets - kit.returned?.0.min(kit.dispensed_tablets)))
        .sum();
    let known = !casebook.kits.is_empty() && tablets_due > Decimal::ZERO;
    taken.filter(|_| known).map(|taken| (Decimal::from(taken) / tablets_due).min(Decimal::ONE))
}

/// The longest gap between stretches on drug, and from the last one to the planned end.
fn longest_pause(on_drug: &[(Date, Date)], planned_end: Date) -> i32 {
    let ends = on_drug.iter().map(|(_, end)| *end);
    let starts = on_drug.iter().skip(1).map(|(from, _)| day_before(*from)).chain([planned_end]);
    ends.zip(starts).map(|(end, next)| days_between(end, next)).max().unwrap_or(0).max(0)
}
