//! ACR-CRISS: the probability that early diffuse systemic sclerosis improved over a year.
//!
//! Step 1: the score is 0 if, since baseline, a renal crisis occurred; or FVC fell by at
//! least 15 % relative, confirmed within a month, with ILD on HRCT and FVC below 80 %
//! predicted; or LVEF newly at most 45 % needed treatment; or pulmonary arterial
//! hypertension newly on catheter needed treatment. Step 2, changes being month 12 minus
//! baseline and the global assessments on 0-10:
//! `x = -5.54 - 0.81 dmRSS + 0.21 dFVC% - 0.40 dPtGA - 0.44 dMDGA - 3.41 dHAQ`,
//! `score = e^x/(1 + e^x)`. Improved from 0.6. A missing core item, or an unknown event where
//! none is known to have occurred, leaves no score.
//!
//! Source: Khanna et al., Arthritis Rheumatol 2016;68:299.

use rust_decimal::Decimal;
use terms::{Answer, Truth, Value};

use crate::{
    answers::{Answers, binary, computed, derived},
    instrument::{Context, Derived, Instrument, InstrumentItem, Label, NotScorable},
    weighted::truth,
};

/// The score from which the patient counts as improved.
pub const IMPROVED_FROM: f64 = 0.6;

/// The events of step 1, in the order of [`EVENT_ITEMS`].
pub type Events = [Truth; 4];

/// The items of step 1.
pub const EVENT_ITEMS: [&str; 4] =
    ["renal_crisis", "fvc_decline_15_confirmed_ild", "new_lvef_le_45", "new_pah_rhc_treated"];

/// The changes of the five core items, in the order of [`CHANGE_ITEMS`]; `None` where missing.
pub type Changes = [Option<Decimal>; 5];

/// The items of step 2: skin score, FVC % predicted, patient's and physician's global
/// assessment (0-10), HAQ-DI.
pub const CHANGE_ITEMS: [&str; 5] = ["d_mrss", "d_fvc_pct", "d_ptga", "d_mdga", "d_haq_di"];

/// Says whether step 1 sets the score to 0.
pub fn step_one_failed(events: &Events) -> Truth {
    events.iter().fold(Truth::False, |any, event| any.or(*event))
}

/// Returns the first event that is not known.
pub(crate) fn first_unknown(events: &Events) -> Option<&'static str> {
    events.iter().position(|event| *event == Truth::Unknown).map(|index| EVENT_ITEMS[index])
}

/// Returns the linear predictor of step 2.
///
/// # Errors
/// A missing change.
pub fn linear(changes: &Changes) -> Result<Decimal, NotScorable> {
    let weights = [-81, 21, -40, -44, -341].map(|hundredths| Decimal::new(hundredths, 2));
    let mut sum = Decimal::new(-554, 2);
    for ((change, item), weight) in changes.iter().zip(CHANGE_ITEMS).zip(weights) {
        sum += weight * change.ok_or(NotScorable::Missing { item })?;
    }
    Ok(sum)
}

/// Returns the score, 0 to 1.
///
/// # Errors
/// A missing change, or a missing event where none is known to have occurred.
pub fn score(events: &Events, changes: &Changes) -> Result<f64, NotScorable> {
    match step_one_failed(events) {
        Truth::True => Ok(0.0),
        Truth::False => linear(changes).map(|x| 1.0 / (1.0 + libm::exp(-binary(x)))),
        Truth::Unknown => Err(NotScorable::Missing { item: first_unknown(events).unwrap_or(EVENT_ITEMS[0]) }),
    }
}

static ITEMS: [InstrumentItem; 13] = [
    InstrumentItem::boolean(EVENT_ITEMS[0], "New renal crisis", "Nouvelle crise rénale"),
    InstrumentItem::boolean(
        EVENT_ITEMS[1],
        "FVC fall of 15 %, confirmed, with ILD",
        "Baisse de CVF de 15 %, confirmée, avec PID",
    ),
    InstrumentItem::boolean(
        EVENT_ITEMS[2],
        "New LVEF of 45 % or less, treated",
        "FEVG nouvelle ≤ 45 %, traitée",
    ),
    InstrumentItem::boolean(
        EVENT_ITEMS[3],
        "New PAH on catheter, treated",
        "HTAP nouvelle au cathétérisme, traitée",
    ),
    InstrumentItem::decimal(
        CHANGE_ITEMS[0],
        "Change of skin score",
        "Variation du score cutané",
        (-51, 51),
        0,
        "1",
    ),
    InstrumentItem::decimal(
        CHANGE_ITEMS[1],
        "Change of FVC % predicted",
        "Variation de la CVF %",
        (-150, 150),
        2,
        "%",
    ),
    InstrumentItem::decimal(
        CHANGE_ITEMS[2],
        "Change of patient's global assessment",
        "Variation de l'évaluation globale du patient",
        (-10, 10),
        2,
        "1",
    ),
    InstrumentItem::decimal(
        CHANGE_ITEMS[3],
        "Change of physician's global assessment",
        "Variation de l'évaluation globale du médecin",
        (-10, 10),
        2,
        "1",
    ),
    InstrumentItem::decimal(CHANGE_ITEMS[4], "Change of HAQ-DI", "Variation du HAQ-DI", (-3, 3), 3, "1"),
    InstrumentItem::boolean("step1_failed", "Step 1 failed", "Échec à l'étape 1").derived(),
    InstrumentItem::decimal("linear", "Linear predictor", "Prédicteur linéaire", (-100, 100), 5, "1")
        .derived(),
    InstrumentItem::decimal("score", "ACR-CRISS", "ACR-CRISS", (0, 1), 6, "1").derived(),
    InstrumentItem::boolean("improved", "Improved", "Amélioré").derived(),
];

/// The instrument `acr_criss`.
pub struct AcrCriss;

/// The composite index.
pub static ACR_CRISS: AcrCriss = AcrCriss;

/// Reads the events of a form; an answer that is not yes or no is unknown.
pub(crate) fn events(answers: &Answers<'_>) -> Result<Events, NotScorable> {
    let mut events = [Truth::Unknown; 4];
    for (event, item) in events.iter_mut().zip(EVENT_ITEMS) {
        *event = truth(answers.truth(item)?);
    }
    Ok(events)
}

fn changes(answers: &Answers<'_>) -> Result<Changes, NotScorable> {
    let mut changes = [None; 5];
    for (change, item) in changes.iter_mut().zip(CHANGE_ITEMS) {
        *change = answers.number(item)?;
    }
    Ok(changes)
}

impl Instrument for AcrCriss {
    fn id(&self) -> &'static str {
        "acr_criss"
    }

    fn title(&self) -> Label {
        Label { en: "ACR-CRISS", fr: "ACR-CRISS" }
    }

    fn items(&self) -> &'static [InstrumentItem] {
        &ITEMS
    }

    fn version(&self) -> &'static str {
        "ACR-CRISS 2016"
    }

    fn source(&self) -> &'static str {
        "Khanna et al., Arthritis Rheumatol 2016;68:299"
    }

    fn score(&self, answers: &dyn Fn(&str) -> Option<Answer>, _: &Context) -> Vec<Derived> {
        let answers = Answers(answers);
        let (events, changes) = (events(&answers), changes(&answers));
        let score = events.clone().and_then(|events| score(&events, &changes.clone()?));
        let failed = events.and_then(|events| match step_one_failed(&events) {
            Truth::Unknown => {
                Err(NotScorable::Missing { item: first_unknown(&events).unwrap_or(EVENT_ITEMS[0]) })
            }
            known => Ok(Value::Boolean(known == Truth::True)),
        });
        vec![
            Derived { item: "step1_failed", result: failed },
            derived("linear", 5, changes.and_then(|changes| linear(&changes))),
            derived("score", 6, score.clone().and_then(computed)),
            Derived { item: "improved", result: score.map(|score| Value::Boolean(score >= IMPROVED_FROM)) },
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLEAR: Events = [Truth::False; 4];

    #[test]
    fn an_event_scores_0_even_where_a_change_is_missing() {
        let mut events = CLEAR;
        events[3] = Truth::True;
        assert_eq!(score(&events, &[None; 5]), Ok(0.0));
        events[0] = Truth::Unknown;
        assert_eq!(score(&events, &[None; 5]), Ok(0.0));
    }

    #[test]
    fn a_missing_change_or_event_leaves_no_score() {
        let mut changes = [Some(Decimal::ZERO); 5];
        changes[2] = None;
        assert_eq!(score(&CLEAR, &changes), Err(NotScorable::Missing { item: "d_ptga" }));
        let mut events = CLEAR;
        events[1] = Truth::Unknown;
        let open = NotScorable::Missing { item: "fvc_decline_15_confirmed_ild" };
        assert_eq!(score(&events, &[Some(Decimal::ZERO); 5]), Err(open));
    }

    #[test]
    fn no_change_at_all_is_the_intercept() {
        assert_eq!(linear(&[Some(Decimal::ZERO); 5]), Ok(Decimal::new(-554, 2)));
    }
}
