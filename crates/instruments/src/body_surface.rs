//! Body surface involved by scleroderma, in percent, summed over regions.
//!
//! The patient's palm with fingers is 1 %; regions are entered to one decimal. A missing
//! region leaves the sum without a score; a sum above 100 is refused.
//!
//! Source: protocol definition.

use rust_decimal::Decimal;
use terms::Answer;

use crate::{
    answers::{Answers, derived},
    instrument::{Context, Derived, Instrument, InstrumentItem, Label, NotScorable},
};

const fn region(id: &'static str, en: &'static str, fr: &'static str) -> InstrumentItem {
    InstrumentItem::decimal(id, en, fr, (0, 100), 1, "%")
}

static ITEMS: [InstrumentItem; 9] = [
    region("head_neck", "Head and neck", "Tête et cou"),
    region("trunk_front", "Trunk, front", "Tronc, face antérieure"),
    region("trunk_back", "Trunk, back", "Tronc, face postérieure"),
    region("arm_right", "Arm and hand, right", "Membre supérieur droit"),
    region("arm_left", "Arm and hand, left", "Membre supérieur gauche"),
    region("leg_right", "Leg and foot, right", "Membre inférieur droit"),
    region("leg_left", "Leg and foot, left", "Membre inférieur gauche"),
    region("genital", "Genital region", "Région génitale"),
    region("total", "Body surface involved", "Surface corporelle atteinte").derived(),
];

fn total(answers: &Answers<'_>) -> Result<Decimal, NotScorable> {
    let mut sum = Decimal::ZERO;
    for region in ITEMS.iter().filter(|item| !item.derived) {
        let percent = answers.needed_number(region.id)?;
        if percent < Decimal::ZERO {
            return Err(NotScorable::NotAllowed { item: region.id });
        }
        sum += percent;
    }
    if sum > Decimal::ONE_HUNDRED {
        return Err(NotScorable::Undefined { why: "the regions add up to more than 100 %" });
    }
    Ok(sum)
}

/// The instrument `body_surface`.
pub struct BodySurface;

/// Percent of the body surface involved.
pub static BODY_SURFACE: BodySurface = BodySurface;

impl Instrument for BodySurface {
    fn id(&self) -> &'static str {
        "body_surface"
    }

    fn title(&self) -> Label {
        Label { en: "Body surface involved", fr: "Surface corporelle atteinte" }
    }

    fn items(&self) -> &'static [InstrumentItem] {
        &ITEMS
    }

    fn version(&self) -> &'static str {
        "8 regions, palm with fingers 1 %"
    }

    fn source(&self) -> &'static str {
        "protocol definition; the patient's palm with fingers counts 1 %"
    }

    fn score(&self, answers: &dyn Fn(&str) -> Option<Answer>, _: &Context) -> Vec<Derived> {
        vec![derived("total", 1, total(&Answers(answers)))]
    }
}

#[cfg(test)]
mod tests {
    use terms::Value;

    use super::*;

    fn total_of(each: &str, except: &str) -> Result<Value, NotScorable> {
        let each = Value::Decimal(each.parse().unwrap());
        let answers = |item: &str| (item != except).then(|| Answer::Given(each.clone()));
        BODY_SURFACE.score(&answers, &Context::default()).remove(0).result
    }

    #[test]
    fn regions_are_summed_in_decimal() {
        assert_eq!(total_of("2.6", ""), Ok(Value::Decimal("20.8".parse().unwrap())));
    }

    #[test]
    fn a_missing_region_or_more_than_all_of_the_body_has_no_sum() {
        assert_eq!(total_of("2.6", "trunk_back"), Err(NotScorable::Missing { item: "trunk_back" }));
        assert!(matches!(total_of("13", ""), Err(NotScorable::Undefined { .. })));
    }
}
