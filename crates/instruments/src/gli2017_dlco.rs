//! GLI-2017 transfer factor with the 2020 correction, ages 5 to 90.
//!
//! `M = exp(a0 + a1 ln h + a2 ln age + M_spline)`, `S = exp(p0 + p1 ln age + S_spline)`,
//! `L = q0`. DLCO in mL/min/mmHg, KCO in mL/min/mmHg/L, VA in L; TLCO and KCO also in SI
//! units (mmol/min/kPa).
//!
//! Source: Stanojevic et al., Eur Respir J 2017;50:1700010, corrected 2020;56:1750010.

use std::sync::LazyLock;

use rust_decimal::Decimal;

use crate::{
    answers::Answers,
    instrument::{InstrumentItem, Label, NotScorable, Sex, joined},
    lung_function::{LungFunction, Measurement, Person, Reference, compared, outputs},
    spline_table::SplineTable,
};

/// What GLI-2017 predicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Quantity {
    /// Diffusing capacity, mL/min/mmHg.
    Dlco,
    /// Diffusing capacity by alveolar volume, mL/min/mmHg/L.
    Kco,
    /// Alveolar volume, L.
    Va,
    /// Transfer factor, mmol/min/kPa.
    TlcoSi,
    /// Transfer coefficient, mmol/min/kPa/L.
    KcoSi,
}

impl Quantity {
    fn name(self) -> &'static str {
        match self {
            Quantity::Dlco => "DLCO",
            Quantity::Kco => "KCO_trad",
            Quantity::Va => "VA",
            Quantity::TlcoSi => "TLCO",
            Quantity::KcoSi => "KCO_SI",
        }
    }
}

static TABLE: LazyLock<SplineTable> = LazyLock::new(|| {
    SplineTable::read(
        include_str!("../reference/gli2017_dlco_coefficients.csv"),
        include_str!("../reference/gli2017_dlco_splines.csv"),
    )
});

/// Returns L, M and S; height in cm.
///
/// # Errors
/// An age outside 5 to 90.
pub fn reference(
    quantity: Quantity,
    sex: Sex,
    age_years: f64,
    height_cm: f64,
) -> Result<Reference, NotScorable> {
    let at = TABLE.at(quantity.name(), sex, age_years)?;
    let c = |name| at.coefficient(name);
    let (ln_age, ln_height) = (libm::log(age_years), libm::log(height_cm));
    Ok(Reference::Lms {
        l: c("q0"),
        m: libm::exp(c("a0") + c("a1") * ln_height + c("a2") * ln_age + at.m),
        s: libm::exp(c("p0") + c("p1") * ln_age + at.s),
    })
}

fn for_person(quantity: Quantity, person: &Person) -> Result<Reference, NotScorable> {
    reference(quantity, person.sex, person.age_years, person.height_cm)
}

fn kco(answers: &Answers<'_>) -> Result<Decimal, NotScorable> {
    let volume = answers.needed_number("va")?;
    if volume <= Decimal::ZERO {
        return Err(NotScorable::NotAllowed { item: "va" });
    }
    Ok(answers.needed_number("dlco")? / volume)
}

static ITEMS: [InstrumentItem; 21] = joined(&[
    &[
        InstrumentItem::decimal("dlco", "DLCO", "DLCO", (0, 80), 2, "mL/min/mm[Hg]"),
        InstrumentItem::decimal("va", "VA", "VA", (0, 15), 2, "L").optional(),
        InstrumentItem::decimal("hb", "Haemoglobin", "Hémoglobine", (3, 25), 1, "g/dL").optional(),
        InstrumentItem::decimal(
            "dlco_hb",
            "DLCO, haemoglobin-corrected",
            "DLCO corrigée pour l'hémoglobine",
            (0, 80),
            3,
            "mL/min/mm[Hg]",
        )
        .derived(),
        InstrumentItem::decimal("kco", "KCO", "KCO", (0, 20), 3, "mL/min/mm[Hg]/L").derived(),
    ],
    &compared!("dlco", "DLCO", "DLCO", "mL/min/mm[Hg]", 80),
    &compared!(
        "dlco_hb",
        "DLCO, haemoglobin-corrected",
        "DLCO corrigée pour l'hémoglobine",
        "mL/min/mm[Hg]",
        80
    ),
    &compared!("va", "VA", "VA", "L", 15),
    &compared!("kco", "KCO", "KCO", "mL/min/mm[Hg]/L", 20),
]);

/// The instrument `gli2017_dlco`.
pub static GLI2017_DLCO: LungFunction = LungFunction {
    id: "gli2017_dlco",
    title: Label { en: "Diffusing capacity, GLI-2017", fr: "Capacité de diffusion, GLI-2017" },
    items: &ITEMS,
    version: "GLI-2017, corrected 2020; haemoglobin by Cotes",
    source: "Stanojevic et al., Eur Respir J 2017;50:1700010, corrected 2020;56:1750010",
    measurements: &[
        Measurement::entered("dlco", outputs!("dlco"), |person| for_person(Quantity::Dlco, person)),
        Measurement::haemoglobin_corrected("dlco_hb", outputs!("dlco_hb"), |person| {
            for_person(Quantity::Dlco, person)
        }),
        Measurement::entered("va", outputs!("va"), |person| for_person(Quantity::Va, person)),
        Measurement::computed(
            "kco",
            3,
            outputs!("kco"),
            |answers, _| kco(answers),
            |person| for_person(Quantity::Kco, person),
        ),
    ],
};

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// mL/min/mmHg in one mmol/min/kPa, as the two published intercepts imply.
    const TRADITIONAL_PER_SI: f64 = 2.987;

    proptest! {
        #[test]
        fn traditional_and_si_units_predict_the_same_capacity(age in 5.0f64..=90.0, height in 110.0f64..200.0) {
            for sex in [Sex::Female, Sex::Male] {
                let of = |quantity| reference(quantity, sex, age, height).unwrap().predicted();
                let factor = of(Quantity::Dlco) / of(Quantity::TlcoSi);
                prop_assert!((factor - TRADITIONAL_PER_SI).abs() < 1e-3, "{factor}");
                let factor = of(Quantity::Kco) / of(Quantity::KcoSi);
                prop_assert!((factor - TRADITIONAL_PER_SI).abs() < 1e-3, "{factor}");
            }
        }
    }
}
