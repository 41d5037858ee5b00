//! GLI Global 2022 spirometry, race-neutral, ages 3 to 95.
//!
//! `M = exp(a0 + a1 ln h + a2 ln age + M_spline)`, `S = exp(p0 + p1 ln age + S_spline)`,
//! `L = q0 + q1 ln age`. FEV1/FVC is a fraction. Needs no group.
//!
//! Source: Bowerman et al., Am J Respir Crit Care Med 2023;207:768.

use std::sync::LazyLock;

pub use crate::gli2012::Quantity;
use crate::{
    instrument::{InstrumentItem, Label, NotScorable, Sex, joined},
    lung_function::{LungFunction, Measurement, Person, Reference, compared, outputs, ratio},
    spline_table::SplineTable,
};

static TABLE: LazyLock<SplineTable> = LazyLock::new(|| {
    SplineTable::read(
        include_str!("../reference/gli2022_coefficients.csv"),
        include_str!("../reference/gli2022_splines.csv"),
    )
});

/// Returns L, M and S; height in cm.
///
/// # Errors
/// An age outside 3 to 95.
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
        l: c("q0") + c("q1") * ln_age,
        m: libm::exp(c("a0") + c("a1") * ln_height + c("a2") * ln_age + at.m),
        s: libm::exp(c("p0") + c("p1") * ln_age + at.s),
    })
}

fn for_person(quantity: Quantity, person: &Person) -> Result<Reference, NotScorable> {
    reference(quantity, person.sex, person.age_years, person.height_cm)
}

static ITEMS: [InstrumentItem; 15] = joined(&[
    &[
        InstrumentItem::decimal("fvc", "FVC", "CVF", (0, 12), 2, "L"),
        InstrumentItem::decimal("fev1", "FEV1", "VEMS", (0, 10), 2, "L"),
        InstrumentItem::decimal("fev1_fvc", "FEV1/FVC", "VEMS/CVF", (0, 1), 4, "1").derived(),
    ],
    &compared!("fvc", "FVC", "CVF", "L", 12),
    &compared!("fev1", "FEV1", "VEMS", "L", 10),
    &compared!("fev1_fvc", "FEV1/FVC", "VEMS/CVF", "1", 1),
]);

/// The instrument `gli2022`.
pub static GLI2022: LungFunction = LungFunction {
    id: "gli2022",
    title: Label { en: "Spirometry, GLI Global 2022", fr: "Spirométrie, GLI Global 2022" },
    items: &ITEMS,
    version: "GLI Global 2022",
    source: "Bowerman et al., Am J Respir Crit Care Med 2023;207:768",
    measurements: &[
        Measurement::entered("fvc", outputs!("fvc"), |person| for_person(Quantity::Fvc, person)),
        Measurement::entered("fev1", outputs!("fev1"), |person| for_person(Quantity::Fev1, person)),
        Measurement::computed(
            "fev1_fvc",
            4,
            outputs!("fev1_fvc"),
            |answers, _| ratio(answers),
            |person| for_person(Quantity::Fev1Fvc, person),
        ),
    ],
};
