//! Body surface area, in m².
//!
//! Mosteller: `sqrt(cm kg / 3600)`. Du Bois: `0.007184 cm^0.725 kg^0.425`.
//!
//! Sources: Mosteller, N Engl J Med 1987;317:1098; Du Bois and Du Bois, Arch Intern Med
//! 1916;17:863.

use rust_decimal::Decimal;
use terms::Answer;

use crate::{
    answers::{Answers, binary, computed, derived},
    instrument::{Context, Derived, Instrument, InstrumentItem, Label, NotScorable},
};

/// Returns the area by Mosteller, in m².
pub fn mosteller(height_cm: f64, weight_kg: f64) -> f64 {
    libm::sqrt(height_cm * weight_kg / 3600.0)
}

/// Returns the area by Du Bois, in m².
pub fn du_bois(height_cm: f64, weight_kg: f64) -> f64 {
    0.007184 * libm::pow(height_cm, 0.725) * libm::pow(weight_kg, 0.425)
}

/// Returns height and weight as numbers.
///
/// # Errors
/// One is missing or not above 0.
pub(crate) fn size(height: Option<Decimal>, weight: Option<Decimal>) -> Result<(f64, f64), NotScorable> {
    let positive = |value: Option<Decimal>, item| {
        let value = value.ok_or(NotScorable::Missing { item })?;
        if value > Decimal::ZERO { Ok(binary(value)) } else { Err(NotScorable::NotAllowed { item }) }
    };
    Ok((positive(height, "height_cm")?, positive(weight, "weight_kg")?))
}

static ITEMS: [InstrumentItem; 4] = [
    InstrumentItem::decimal("height_cm", "Height", "Taille", (50, 250), 1, "cm"),
    InstrumentItem::decimal("weight_kg", "Weight", "Poids", (2, 400), 1, "kg"),
    InstrumentItem::decimal("mosteller", "BSA, Mosteller", "Surface corporelle, Mosteller", (0, 5), 3, "m2")
        .derived(),
    InstrumentItem::decimal("dubois", "BSA, Du Bois", "Surface corporelle, Du Bois", (0, 5), 3, "m2")
        .derived(),
];

/// The instrument `bsa`.
pub struct Bsa;

/// Body surface area by both formulas.
pub static BSA: Bsa = Bsa;

impl Instrument for Bsa {
    fn id(&self) -> &'static str {
        "bsa"
    }

    fn title(&self) -> Label {
        Label { en: "Body surface area", fr: "Surface corporelle" }
    }

    fn items(&self) -> &'static [InstrumentItem] {
        &ITEMS
    }

    fn version(&self) -> &'static str {
        "Mosteller 1987 and Du Bois 1916"
    }

    fn source(&self) -> &'static str {
        "Mosteller, N Engl J Med 1987;317:1098; Du Bois and Du Bois, Arch Intern Med 1916;17:863"
    }

    fn score(&self, answers: &dyn Fn(&str) -> Option<Answer>, _: &Context) -> Vec<Derived> {
        let answers = Answers(answers);
        let size = answers
            .number("height_cm")
            .and_then(|height| answers.number("weight_kg").and_then(|weight| size(height, weight)));
        let by = |formula: fn(f64, f64) -> f64| {
            size.clone().and_then(|(height, weight)| computed(formula(height, weight)))
        };
        vec![derived("mosteller", 3, by(mosteller)), derived("dubois", 3, by(du_bois))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_that_is_missing_or_not_above_0_has_no_area() {
        let missing = NotScorable::Missing { item: "weight_kg" };
        assert_eq!(size(Some(Decimal::from(170)), None), Err(missing));
        let refused = NotScorable::NotAllowed { item: "height_cm" };
        assert_eq!(size(Some(Decimal::ZERO), Some(Decimal::from(70))), Err(refused));
    }

    #[test]
    fn a_square_metre_by_mosteller_is_3600() {
        assert_eq!(mosteller(60.0, 60.0), 1.0);
    }
}
