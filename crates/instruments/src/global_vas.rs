//! Global assessments of patient and physician on a 100 mm line.
//!
//! Marks are stored in mm and used as 0-10 in composite scores. A mark off the line is
//! refused; an unmarked line is missing.
//!
//! Source: Khanna et al., Arthritis Rheumatol 2016;68:299 (as core items of the CRISS).

use rust_decimal::Decimal;
use terms::Answer;

use crate::{
    answers::{Answers, derived},
    instrument::{Context, Derived, Instrument, InstrumentItem, Label, NotScorable},
};

/// Returns a mark as 0-10.
///
/// # Errors
/// A mark off the line ([`NotScorable::NotAllowed`] for `item`).
pub fn out_of_ten(mark_mm: Decimal, item: &'static str) -> Result<Decimal, NotScorable> {
    if (Decimal::ZERO..=Decimal::ONE_HUNDRED).contains(&mark_mm) {
        Ok(mark_mm / Decimal::TEN)
    } else {
        Err(NotScorable::NotAllowed { item })
    }
}

static ITEMS: [InstrumentItem; 4] = [
    InstrumentItem::decimal(
        "patient_mm",
        "Patient's global, mark",
        "Global du patient, marque",
        (0, 100),
        1,
        "mm",
    ),
    InstrumentItem::decimal(
        "physician_mm",
        "Physician's global, mark",
        "Global du médecin, marque",
        (0, 100),
        1,
        "mm",
    ),
    InstrumentItem::decimal("ptga", "Patient's global, 0-10", "Global du patient, 0-10", (0, 10), 2, "1")
        .derived(),
    InstrumentItem::decimal("mdga", "Physician's global, 0-10", "Global du médecin, 0-10", (0, 10), 2, "1")
        .derived(),
];

/// The instrument `global_vas`.
pub struct GlobalVas;

/// Both global assessments.
pub static GLOBAL_VAS: GlobalVas = GlobalVas;

impl Instrument for GlobalVas {
    fn id(&self) -> &'static str {
        "global_vas"
    }

    fn title(&self) -> Label {
        Label { en: "Global assessments", fr: "Évaluations globales" }
    }

    fn items(&self) -> &'static [InstrumentItem] {
        &ITEMS
    }

    fn version(&self) -> &'static str {
        "100 mm line, 0-10"
    }

    fn source(&self) -> &'static str {
        "Khanna et al., Arthritis Rheumatol 2016;68:299"
    }

    fn score(&self, answers: &dyn Fn(&str) -> Option<Answer>, _: &Context) -> Vec<Derived> {
        let answers = Answers(answers);
        let of = |item| answers.needed_number(item).and_then(|mark| out_of_ten(mark, item));
        vec![derived("ptga", 2, of("patient_mm")), derived("mdga", 2, of("physician_mm"))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_line_is_10_and_beyond_it_is_refused() {
        assert_eq!(out_of_ten(Decimal::ONE_HUNDRED, "patient_mm"), Ok(Decimal::TEN));
        assert_eq!(out_of_ten(Decimal::from(61), "patient_mm"), Ok(Decimal::new(61, 1)));
        assert!(out_of_ten(Decimal::from(101), "patient_mm").is_err());
    }
}
