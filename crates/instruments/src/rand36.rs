//! RAND-36: eight scales from 0 to 100 out of 36 items.
//!
//! Each item is recoded to 0-100 and a scale is the mean of its answered items, if at least
//! half are answered (the SF-36 rule; RAND's own averages any). Item 2, the change of health
//! in a year, stands alone.
//!
//! Source: Hays, Sherbourne and Mazel, Health Econ 1993;2:217.

use rust_decimal::Decimal;
use terms::Answer;

use crate::{
    answers::{Answers, derived},
    instrument::{Context, Derived, Instrument, InstrumentItem, Label, NotScorable},
};

/// The number of items.
pub const ITEM_COUNT: usize = 36;

/// The answers to items 1 to 36, in order; `None` where unanswered.
pub type Responses = [Option<Decimal>; ITEM_COUNT];

/// How the answers of an item become 0 to 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Recode {
    /// The first answer is the best: 100 down to 0.
    Falling { levels: i64 },
    /// The first answer is the worst: 0 up to 100.
    Rising { levels: i64 },
}

impl Recode {
    pub(crate) fn levels(self) -> i64 {
        let (Recode::Falling { levels } | Recode::Rising { levels }) = self;
        levels
    }

    /// Returns the recoded answer, `None` if it is not a level of the item.
    pub(crate) fn apply(self, answer: Decimal) -> Option<Decimal> {
        let levels = self.levels();
        let level = (1..=levels).find(|level| Decimal::from(*level) == answer)?;
        let steps = match self {
            Recode::Falling { .. } => levels - level,
            Recode::Rising { .. } => level - 1,
        };
        Some(Decimal::from(100 * steps) / Decimal::from(levels - 1))
    }
}

/// Returns an item's recoding; `number` counts from 1.
pub(crate) fn recode(number: usize) -> Recode {
    match number {
        1 | 2 | 20 | 22 | 34 | 36 => Recode::Falling { levels: 5 },
        3..=12 => Recode::Rising { levels: 3 },
        13..=19 => Recode::Rising { levels: 2 },
        21 | 23 | 26 | 27 | 30 => Recode::Falling { levels: 6 },
        24 | 25 | 28 | 29 | 31 => Recode::Rising { levels: 6 },
        _ => Recode::Rising { levels: 5 },
    }
}

/// A scale and the items it averages, counted from 1.
pub struct Scale {
    /// Its derived item.
    pub id: &'static str,
    /// Its items.
    pub items: &'static [usize],
}

/// The eight scales, and the change of health.
pub const SCALES: [Scale; 9] = [
    Scale { id: "physical_functioning", items: &[3, 4, 5, 6, 7, 8, 9, 10, 11, 12] },
    Scale { id: "role_physical", items: &[13, 14, 15, 16] },
    Scale { id: "role_emotional", items: &[17, 18, 19] },
    Scale { id: "energy_fatigue", items: &[23, 27, 29, 31] },
    Scale { id: "emotional_wellbeing", items: &[24, 25, 26, 28, 30] },
    Scale { id: "social_functioning", items: &[20, 32] },
    Scale { id: "pain", items: &[21, 22] },
    Scale { id: "general_health", items: &[1, 33, 34, 35, 36] },
    Scale { id: "health_change", items: &[2] },
];

/// Returns a scale's score, 0 to 100.
///
/// # Errors
/// An answer that its item does not have, or fewer than half the items answered.
pub fn score(responses: &Responses, scale: &Scale) -> Result<Decimal, NotScorable> {
    mean_of_answered(responses, scale.items, recode)
}

/// Returns the mean of the recoded answers, if at least half the items are answered.
pub(crate) fn mean_of_answered(
    responses: &Responses,
    items: &[usize],
    recode: impl Fn(usize) -> Recode,
) -> Result<Decimal, NotScorable> {
    let mut recoded = Vec::with_capacity(items.len());
    for number in items {
        if let Some(answer) = responses[number - 1] {
            let item = ITEM_IDS[number - 1];
            recoded.push(recode(*number).apply(answer).ok_or(NotScorable::NotAllowed { item })?);
        }
    }
    let needed = items.len().div_ceil(2);
    if recoded.len() < needed {
        return Err(NotScorable::TooFewAnswered { answered: recoded.len(), needed });
    }
    Ok(recoded.iter().sum::<Decimal>() / Decimal::from(recoded.len()))
}

/// The ids of the 36 items.
pub(crate) const ITEM_IDS: [&str; ITEM_COUNT] = [
    "q1", "q2", "q3", "q4", "q5", "q6", "q7", "q8", "q9", "q10", "q11", "q12", "q13", "q14", "q15", "q16",
    "q17", "q18", "q19", "q20", "q21", "q22", "q23", "q24", "q25", "q26", "q27", "q28", "q29", "q30", "q31",
    "q32", "q33", "q34", "q35", "q36",
];

/// Reads the answers of a form.
pub(crate) fn responses(answers: &Answers<'_>) -> Result<Responses, NotScorable> {
    let mut responses = [None; ITEM_COUNT];
    for (response, item) in responses.iter_mut().zip(ITEM_IDS) {
        *response = answers.number(item)?;
    }
    Ok(responses)
}

macro_rules! numbered {
    ($($number:literal: $levels:expr),* $(,)?) => {
        [$(InstrumentItem::integer(
            concat!("q", $number),
            concat!("Item ", $number),
            concat!("Question ", $number),
            1,
            $levels,
        )),*]
    };
}

/// The 36 entered items, with the levels of role items (13 to 19) and mood items (23 to 31).
pub(crate) const fn entered(role: i64, mood: i64) -> [InstrumentItem; ITEM_COUNT] {
    numbered![
        1: 5, 2: 5, 3: 3, 4: 3, 5: 3, 6: 3, 7: 3, 8: 3, 9: 3, 10: 3, 11: 3, 12: 3,
        13: role, 14: role, 15: role, 16: role, 17: role, 18: role, 19: role, 20: 5, 21: 6, 22: 5,
        23: mood, 24: mood, 25: mood, 26: mood, 27: mood, 28: mood, 29: mood, 30: mood, 31: mood,
        32: 5, 33: 5, 34: 5, 35: 5, 36: 5,
    ]
}

const fn scale(index: usize, en: &'static str, fr: &'static str) -> InstrumentItem {
    InstrumentItem::decimal(SCALES[index].id, en, fr, (0, 100), 2, "1").derived()
}

static ITEMS: [InstrumentItem; 45] = crate::instrument::joined(&[
    &entered(2, 6),
    &[
        scale(0, "Physical functioning", "Fonctionnement physique"),
        scale(1, "Role limitations, physical", "Limitations dues à l'état physique"),
        scale(2, "Role limitations, emotional", "Limitations dues à l'état psychique"),
        scale(3, "Energy and fatigue", "Énergie et fatigue"),
        scale(4, "Emotional well-being", "Bien-être émotionnel"),
        scale(5, "Social functioning", "Fonctionnement social"),
        scale(6, "Pain", "Douleur"),
        scale(7, "General health", "Santé générale"),
        scale(8, "Health change", "Évolution de la santé"),
    ],
]);

/// The instrument `rand36`.
pub struct Rand36;

/// The eight scales.
pub static RAND36: Rand36 = Rand36;

impl Instrument for Rand36 {
    fn id(&self) -> &'static str {
        "rand36"
    }

    fn title(&self) -> Label {
        Label { en: "RAND 36-Item Health Survey", fr: "RAND-36, questionnaire de santé" }
    }

    fn items(&self) -> &'static [InstrumentItem] {
        &ITEMS
    }

    fn version(&self) -> &'static str {
        "RAND-36 1.0, at least half the items of a scale"
    }

    fn source(&self) -> &'static str {
        "Hays et al., Health Econ 1993;2:217"
    }

    fn needs_content_pack(&self) -> bool {
        true
    }

    fn score(&self, answers: &dyn Fn(&str) -> Option<Answer>, _: &Context) -> Vec<Derived> {
        let responses = responses(&Answers(answers));
        let of = |scale: &Scale| responses.clone().and_then(|responses| score(&responses, scale));
        SCALES.iter().map(|scale| derived(scale.id, 2, of(scale))).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scale(id: &str) -> &'static Scale {
        SCALES.iter().find(|scale| scale.id == id).unwrap()
    }

    #[test]
    fn the_best_answers_score_100_and_the_worst_0() {
        let ends = |best: bool| {
            std::array::from_fn(|index| {
                let recode = recode(index + 1);
                let first = matches!(recode, Recode::Falling { .. }) == best;
                Some(Decimal::from(if first { 1 } else { recode.levels() }))
            })
        };
        for one in &SCALES {
            assert_eq!(score(&ends(true), one), Ok(Decimal::ONE_HUNDRED), "{}", one.id);
            assert_eq!(score(&ends(false), one), Ok(Decimal::ZERO), "{}", one.id);
        }
    }

    #[test]
    fn half_the_items_are_enough_and_fewer_are_not() {
        let mut responses = [None; ITEM_COUNT];
        for number in [24, 25, 28] {
            responses[number - 1] = Some(Decimal::from(6));
        }
        assert_eq!(score(&responses, scale("emotional_wellbeing")), Ok(Decimal::ONE_HUNDRED));
        responses[23] = None;
        let few = NotScorable::TooFewAnswered { answered: 2, needed: 3 };
        assert_eq!(score(&responses, scale("emotional_wellbeing")), Err(few));
    }

    #[test]
    fn an_answer_that_the_item_does_not_have_is_refused() {
        let mut responses = [Some(Decimal::ONE); ITEM_COUNT];
        responses[12] = Some(Decimal::from(3));
        assert_eq!(score(&responses, scale("role_physical")), Err(NotScorable::NotAllowed { item: "q13" }));
        assert!(score(&responses, scale("role_emotional")).is_ok());
    }

    proptest! {
        #[test]
        fn every_scale_lies_between_0_and_100(levels in proptest::collection::vec(0i64..6, ITEM_COUNT)) {
            let responses = std::array::from_fn(|index| {
                Some(Decimal::from(1 + levels[index] % recode(index + 1).levels()))
            });
            for one in &SCALES {
                let score = score(&responses, one).unwrap();
                prop_assert!((Decimal::ZERO..=Decimal::ONE_HUNDRED).contains(&score), "{}", one.id);
            }
        }
    }
}
