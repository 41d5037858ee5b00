//! Creatinine clearance by Cockcroft and Gault, for dose rules of the labelling.
//!
//! `(140 - age) kg / (72 Cr)` in mL/min, times 0.85 in women; creatinine in mg/dL.
//!
//! Source: Cockcroft and Gault, Nephron 1976;16:31.

use terms::Answer;

use crate::{
    answers::{Answers, binary, computed, derived},
    ckd_epi_2021,
    instrument::{Context, Derived, Instrument, InstrumentItem, Label, Need, NotScorable, Sex},
};

/// Returns the clearance in mL/min.
///
/// # Errors
/// A weight or creatinine that is not above 0, or an age of 140 or more.
pub fn clearance(
    sex: Sex,
    age_years: f64,
    weight_kg: f64,
    creatinine_mg_dl: f64,
) -> Result<f64, NotScorable> {
    if creatinine_mg_dl <= 0.0 {
        return Err(NotScorable::NotAllowed { item: "creatinine_mg_dl" });
    }
    if weight_kg <= 0.0 || age_years >= 140.0 {
        return Err(NotScorable::Undefined { why: "weight and 140 less the age must be above 0" });
    }
    let factor = match sex {
        Sex::Female => 0.85,
        Sex::Male => 1.0,
    };
    Ok((140.0 - age_years) * weight_kg / (72.0 * creatinine_mg_dl) * factor)
}

static ITEMS: [InstrumentItem; 3] = [
    ckd_epi_2021::CREATININE_ITEMS[0],
    ckd_epi_2021::CREATININE_ITEMS[1],
    InstrumentItem::decimal(
        "clearance",
        "Creatinine clearance, Cockcroft-Gault",
        "Clairance de la créatinine, Cockcroft-Gault",
        (0, 400),
        1,
        "mL/min",
    )
    .derived(),
];

/// The instrument `cockcroft_gault`.
pub struct CockcroftGault;

/// Creatinine clearance from creatinine, age, sex and weight.
pub static COCKCROFT_GAULT: CockcroftGault = CockcroftGault;

impl Instrument for CockcroftGault {
    fn id(&self) -> &'static str {
        "cockcroft_gault"
    }

    fn title(&self) -> Label {
        Label { en: "Creatinine clearance", fr: "Clairance de la créatinine" }
    }

    fn items(&self) -> &'static [InstrumentItem] {
        &ITEMS
    }

    fn version(&self) -> &'static str {
        "Cockcroft and Gault 1976"
    }

    fn source(&self) -> &'static str {
        "Cockcroft and Gault, Nephron 1976;16:31"
    }

    fn score(&self, answers: &dyn Fn(&str) -> Option<Answer>, context: &Context) -> Vec<Derived> {
        let unknown = |need| NotScorable::Unknown { need };
        let rate = context.sex.ok_or(unknown(Need::Sex)).and_then(|sex| {
            let age = binary(context.age_years.ok_or(unknown(Need::Age))?);
            let weight = binary(context.weight_kg.ok_or(unknown(Need::Weight))?);
            clearance(sex, age, weight, ckd_epi_2021::creatinine(&Answers(answers))?)
        });
        vec![derived("clearance", 1, rate.and_then(computed))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_man_of_40_with_72_kg_and_a_creatinine_of_1_clears_100() {
        assert_eq!(clearance(Sex::Male, 40.0, 72.0, 1.0), Ok(100.0));
        assert_eq!(clearance(Sex::Female, 40.0, 72.0, 1.0), Ok(85.0));
        assert!(clearance(Sex::Male, 40.0, 72.0, 0.0).is_err());
    }
}
