//! GLI-2012 spirometry, multi-ethnic, ages 3 to 95.
//!
//! `M = exp(a0 + a1 ln h + a2 ln age + e_M + M_spline)`,
//! `S = exp(p0 + p1 ln age + e_S + S_spline)`, `L = q0 + q1 ln age + L_spline`, with the
//! group's terms `e_M` and `e_S` (none for white). FEV1/FVC is a fraction.
//!
//! Source: Quanjer et al., Eur Respir J 2012;40:1324.

use std::sync::LazyLock;

use crate::{
    instrument::{Ethnicity, InstrumentItem, Label, Need, NotScorable, Sex, joined},
    lung_function::{LungFunction, Measurement, Person, Reference, compared, outputs, ratio},
    spline_table::SplineTable,
};

/// What GLI-2012 predicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Quantity {
    /// Forced vital capacity, L.
    Fvc,
    /// Forced expiratory volume in 1 s, L.
    Fev1,
    /// FEV1/FVC, a fraction.
    Fev1Fvc,
}

impl Quantity {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Quantity::Fvc => "FVC",
            Quantity::Fev1 => "FEV1",
            Quantity::Fev1Fvc => "FEV1FVC",
        }
    }
}

static TABLE: LazyLock<SplineTable> = LazyLock::new(|| {
    SplineTable::read(
        include_str!("../reference/gli2012_coefficients.csv"),
        include_str!("../reference/gli2012_splines.csv"),
    )
});

/// Returns L, M and S; height in cm.
///
/// # Errors
/// An age outside 3 to 95, or a group that the set does not have.
pub fn reference(
    quantity: Quantity,
    sex: Sex,
    group: Ethnicity,
    age_years: f64,
    height_cm: f64,
) -> Result<Reference, NotScorable> {
    let terms = match group {
        Ethnicity::White => None,
        Ethnicity::Black => Some(("a3", "p2")),
        Ethnicity::NeAsian => Some(("a4", "p3")),
        Ethnicity::SeAsian => Some(("a5", "p4")),
        Ethnicity::Other => Some(("a6", "p5")),
        Ethnicity::MexicanAmerican => return Err(NotScorable::NotInSet { what: "such group" }),
    };
    let at = TABLE.at(quantity.name(), sex, age_years)?;
    let c = |name| at.coefficient(name);
    let (group_m, group_s) = terms.map_or((0.0, 0.0), |(m, s)| (c(m), c(s)));
    let (ln_age, ln_height) = (libm::log(age_years), libm::log(height_cm));
    Ok(Reference::Lms {
        l: c("q0") + c("q1") * ln_age + at.l,
        m: libm::exp(c("a0") + c("a1") * ln_height + c("a2") * ln_age + group_m + at.m),
        s: libm::exp(c("p0") + c("p1") * ln_age + group_s + at.s),
    })
}

fn for_person(quantity: Quantity, person: &Person) -> Result<Reference, NotScorable> {
    let group = person.ethnicity.ok_or(NotScorable::Unknown { need: Need::Ethnicity })?;
    reference(quantity, person.sex, group, person.age_years, person.height_cm)
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

/// The instrument `gli2012`.
pub static GLI2012: LungFunction = LungFunction {
    id: "gli2012",
    title: Label { en: "Spirometry, GLI-2012", fr: "Spirométrie, GLI-2012" },
    items: &ITEMS,
    version: "GLI-2012",
    source: "Quanjer et al., Eur Respir J 2012;40:1324",
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_taller_person_has_a_greater_predicted_volume(
            age in 3.0f64..=95.0, height in 100.0f64..200.0, more in 0.1f64..10.0, female in any::<bool>(),
        ) {
            let sex = if female { Sex::Female } else { Sex::Male };
            let at = |height| reference(Quantity::Fvc, sex, Ethnicity::White, age, height).unwrap().predicted();
            prop_assert!(at(height + more) > at(height));
        }

        #[test]
        fn the_limits_of_normal_lie_at_z_of_1645(age in 3.0f64..=95.0, height in 100.0f64..200.0) {
            for quantity in [Quantity::Fvc, Quantity::Fev1, Quantity::Fev1Fvc] {
                let reference = reference(quantity, Sex::Male, Ethnicity::Black, age, height).unwrap();
                let z = |value: Option<f64>| reference.z(value.unwrap()).unwrap();
                prop_assert!((z(reference.lln()) + 1.645).abs() < 1e-9);
                prop_assert!((z(reference.uln()) - 1.645).abs() < 1e-9);
                prop_assert!(z(Some(reference.predicted())).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn mexican_american_is_no_group_of_this_set() {
        let refused = reference(Quantity::Fvc, Sex::Male, Ethnicity::MexicanAmerican, 50.0, 170.0);
        assert!(matches!(refused, Err(NotScorable::NotInSet { .. })));
    }
}
