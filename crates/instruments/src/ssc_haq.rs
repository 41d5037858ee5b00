//! Scleroderma HAQ: disability index, six visual scales, and their pooled score.
//!
//! `SSc-HAQ = (sum of the categories present + sum of the five organ scales) / (number
//! present + 5)`, 0 to 3, with aids counted. The pain scale stands alone. It needs at least
//! 6 categories and all five organ scales; dividing by the number present is an assumption
//! where a category is missing.
//!
//! Source: Georges et al., Clin Rheumatol 2005;24:3 (French version); Steen and Medsger,
//! Arthritis Rheum 1997;40:1984.

use rust_decimal::Decimal;
use terms::Answer;

use crate::{
    answers::{Answers, derived},
    haq_di,
    instrument::{Context, Derived, Instrument, InstrumentItem, Label, NotScorable, joined},
    shaq_vas,
};

/// The length of the visual scales, in mm.
pub const LINE_MM: i64 = 150;

/// The organ scales of the pooled score: all but pain.
pub const ORGAN_SCALES: &[shaq_vas::Scale] = shaq_vas::SCALES.split_at(1).1;

/// Returns the pooled score of questionnaire and organ scales (0 to 3 each).
///
/// # Errors
/// Fewer than 6 categories, or a scale that is missing or refused.
pub fn score(
    haq: &haq_di::Scores,
    organs: [Result<Decimal, NotScorable>; 5],
) -> Result<Decimal, NotScorable> {
    let (sum, count) = haq_di::sum_of_present(&haq.categories)?;
    let organs = organs.into_iter().collect::<Result<Vec<_>, _>>()?;
    let pooled = Decimal::from(sum) + organs.iter().sum::<Decimal>();
    Ok(pooled / Decimal::from(count + organs.len()))
}

static ITEMS: [InstrumentItem; 65] = joined(&[
    &haq_di::ENTERED,
    &shaq_vas::marks(LINE_MM),
    &haq_di::DERIVED,
    &shaq_vas::DERIVED,
    &[InstrumentItem::decimal("ssc_haq", "SSc-HAQ", "SSc-HAQ", (0, 3), 3, "1").derived()],
]);

/// The instrument `ssc_haq`.
pub struct SscHaq;

/// Disability index, six scales and pooled score on one form.
pub static SSC_HAQ: SscHaq = SscHaq;

impl Instrument for SscHaq {
    fn id(&self) -> &'static str {
        "ssc_haq"
    }

    fn title(&self) -> Label {
        Label {
            en: "Scleroderma Health Assessment Questionnaire",
            fr: "Health Assessment Questionnaire de la sclérodermie",
        }
    }

    fn items(&self) -> &'static [InstrumentItem] {
        &ITEMS
    }

    fn version(&self) -> &'static str {
        "SSc-HAQ, categories present and 5 organ scales pooled, 150 mm line"
    }

    fn source(&self) -> &'static str {
        "Georges et al., Clin Rheumatol 2005;24:3"
    }

    fn needs_content_pack(&self) -> bool {
        true
    }

    fn score(&self, answers: &dyn Fn(&str) -> Option<Answer>, _: &Context) -> Vec<Derived> {
        let answers = Answers(answers);
        let responses = haq_di::responses(&answers);
        let mut all = haq_di::derived_scores(&responses);
        all.extend(shaq_vas::derived_scores(&answers, LINE_MM));
        let organs = std::array::from_fn(|index| shaq_vas::answered(&ORGAN_SCALES[index], &answers, LINE_MM));
        let pooled = responses.and_then(|responses| score(&haq_di::score(&responses), organs));
        all.push(derived("ssc_haq", 3, pooled));
        all
    }
}

#[cfg(test)]
mod tests {
    use terms::Value;

    use super::*;

    fn pooled(missing: &str) -> Result<Value, NotScorable> {
        let answers = |item: &str| {
            if item == missing || item.starts_with("aid_") || item.starts_with("help_") {
                return None;
            }
            let value = if item.ends_with("_mm") { 75 } else { 1 };
            Some(Answer::Given(Value::Integer(value)))
        };
        SSC_HAQ.score(&answers, &Context::default()).pop().unwrap().result
    }

    #[test]
    fn thirteen_scores_are_pooled() {
        // (8 x 1 + 5 x 1.5) / 13
        assert_eq!(pooled(""), Ok(Value::Decimal("1.192".parse().unwrap())));
    }

    #[test]
    fn a_missing_organ_scale_leaves_no_score_and_missing_pain_does() {
        let missing = NotScorable::Missing { item: "vas_raynaud_mm" };
        assert_eq!(pooled("vas_raynaud_mm"), Err(missing));
        assert!(pooled("vas_pain_mm").is_ok());
    }
}
