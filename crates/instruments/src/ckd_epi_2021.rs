//! Estimated glomerular filtration rate, CKD-EPI 2021 (creatinine, race-free), adults.
//!
//! `142 min(Cr/k, 1)^a max(Cr/k, 1)^-1.200 0.9938^age`, times 1.012 in women; creatinine in
//! mg/dL, k 0.7 (women) or 0.9 (men), a -0.241 or -0.302. Result in mL/min/1.73 m². Creatinine
//! in µmol/L is divided by 88.4. The equation was made in adults; below 18 there is no score.
//!
//! Source: Inker et al., N Engl J Med 2021;385:1737.

use rust_decimal::Decimal;
use terms::Answer;

use crate::{
    answers::{Answers, binary, computed, derived},
    instrument::{Context, Derived, Instrument, InstrumentItem, Label, Need, NotScorable, Sex},
};

/// µmol/L of creatinine in 1 mg/dL.
pub const MICROMOLES_PER_MG_DL: Decimal = Decimal::from_parts(884, 0, 0, false, 1);

const ADULT_FROM: u32 = 18;

/// Returns the filtration rate in mL/min/1.73 m².
///
/// # Errors
/// An age below 18, or a creatinine that is not above 0.
pub fn egfr(sex: Sex, age_years: f64, creatinine_mg_dl: f64) -> Result<f64, NotScorable> {
    if age_years < f64::from(ADULT_FROM) {
        return Err(NotScorable::AgeNotCovered { from: ADULT_FROM, to: 120 });
    }
    if creatinine_mg_dl <= 0.0 {
        return Err(NotScorable::NotAllowed { item: "creatinine_mg_dl" });
    }
    let (k, a, factor) = match sex {
        Sex::Female => (0.7, -0.241, 1.012),
        Sex::Male => (0.9, -0.302, 1.0),
    };
    let relative = creatinine_mg_dl / k;
    let low = libm::pow(relative.min(1.0), a);
    let high = libm::pow(relative.max(1.0), -1.2);
    Ok(142.0 * low * high * libm::pow(0.9938, age_years) * factor)
}

/// Returns the creatinine of a form in mg/dL, from either unit.
pub(crate) fn creatinine(answers: &Answers<'_>) -> Result<f64, NotScorable> {
    match (answers.number("creatinine_mg_dl")?, answers.number("creatinine_umol_l")?) {
        (Some(mg_dl), _) => Ok(binary(mg_dl)),
        (None, Some(umol_l)) => Ok(binary(umol_l / MICROMOLES_PER_MG_DL)),
        (None, None) => Err(NotScorable::Missing { item: "creatinine_mg_dl" }),
    }
}

/// The entered creatinine, in either unit.
pub(crate) const CREATININE_ITEMS: [InstrumentItem; 2] = [
    InstrumentItem::decimal(
        "creatinine_mg_dl",
        "Creatinine, mg/dL",
        "Créatinine, mg/dL",
        (0, 30),
        2,
        "mg/dL",
    )
    .optional(),
    InstrumentItem::decimal(
        "creatinine_umol_l",
        "Creatinine, µmol/L",
        "Créatinine, µmol/L",
        (0, 2500),
        0,
        "umol/L",
    )
    .optional(),
];

static ITEMS: [InstrumentItem; 3] = [
    CREATININE_ITEMS[0],
    CREATININE_ITEMS[1],
    InstrumentItem::decimal(
        "egfr",
        "eGFR, CKD-EPI 2021",
        "DFGe, CKD-EPI 2021",
        (0, 250),
        1,
        "mL/min/{1.73_m2}",
    )
    .derived(),
];

/// The instrument `ckd_epi_2021`.
pub struct CkdEpi2021;

/// Estimated filtration rate from creatinine, age and sex.
pub static CKD_EPI_2021: CkdEpi2021 = CkdEpi2021;

impl Instrument for CkdEpi2021 {
    fn id(&self) -> &'static str {
        "ckd_epi_2021"
    }

    fn title(&self) -> Label {
        Label { en: "Estimated glomerular filtration rate", fr: "Débit de filtration glomérulaire estimé" }
    }

    fn items(&self) -> &'static [InstrumentItem] {
        &ITEMS
    }

    fn version(&self) -> &'static str {
        "CKD-EPI 2021, creatinine"
    }

    fn source(&self) -> &'static str {
        "Inker et al., N Engl J Med 2021;385:1737"
    }

    fn score(&self, answers: &dyn Fn(&str) -> Option<Answer>, context: &Context) -> Vec<Derived> {
        let sex = context.sex.ok_or(NotScorable::Unknown { need: Need::Sex });
        let age = context.age_years.ok_or(NotScorable::Unknown { need: Need::Age });
        let rate =
            sex.and_then(|sex| egfr(sex, binary(age?), creatinine(&Answers(answers))?)).and_then(computed);
        vec![derived("egfr", 1, rate)]
    }
}

#[cfg(test)]
mod tests {
    use terms::Value;

    use super::*;

    #[test]
    fn creatinine_in_either_unit_gives_the_same_rate() {
        let context =
            Context { sex: Some(Sex::Male), age_years: Some(Decimal::from(50)), ..Default::default() };
        let of = |unit: &'static str, value: &str| {
            let value = Answer::Given(Value::Decimal(value.parse().unwrap()));
            CKD_EPI_2021.score(&move |item| (item == unit).then(|| value.clone()), &context).remove(0).result
        };
        assert!(of("creatinine_mg_dl", "1.5").is_ok());
        assert_eq!(of("creatinine_mg_dl", "1.5"), of("creatinine_umol_l", "132.6"));
    }

    #[test]
    fn minors_have_no_score() {
        assert!(egfr(Sex::Female, 18.0, 0.7).is_ok());
        assert!(matches!(egfr(Sex::Female, 17.99, 0.7), Err(NotScorable::AgeNotCovered { .. })));
    }
}
