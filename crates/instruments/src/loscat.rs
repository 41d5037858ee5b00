//! Localised scleroderma: activity (mLoSSI) and damage (LoSDI) at 18 cutaneous sites.
//!
//! Activity, 0 to 162: per site 3 for a new or enlarged lesion, erythema 0-3, thickness 0-3.
//! Damage, 0 to 162: per site dermal atrophy, subcutaneous atrophy and dyspigmentation, 0-3
//! each. The physician's global assessments of activity and damage, 0-100, stand alone. A
//! missing site leaves the sum that it belongs to without a score.
//!
//! Source: Arkachaisri et al., Rheumatology 2010;49:373.

use rust_decimal::Decimal;
use terms::{Answer, Value};

use crate::{
    answers::Answers,
    instrument::{Context, Derived, Instrument, InstrumentItem, Label, NotScorable, joined},
};

macro_rules! site {
    ($id:literal, $en:literal, $fr:literal) => {
        [
            InstrumentItem::boolean(
                concat!($id, "_new"),
                concat!($en, ", new or enlarged"),
                concat!($fr, ", nouvelle ou étendue"),
            ),
            InstrumentItem::integer(
                concat!($id, "_erythema"),
                concat!($en, ", erythema"),
                concat!($fr, ", érythème"),
                0,
                3,
            ),
            InstrumentItem::integer(
                concat!($id, "_thickness"),
                concat!($en, ", thickness"),
                concat!($fr, ", épaisseur"),
                0,
                3,
            ),
            InstrumentItem::integer(
                concat!($id, "_dermal_atrophy"),
                concat!($en, ", dermal atrophy"),
                concat!($fr, ", atrophie dermique"),
                0,
                3,
            ),
            InstrumentItem::integer(
                concat!($id, "_subcutaneous_atrophy"),
                concat!($en, ", subcutaneous atrophy"),
                concat!($fr, ", atrophie sous-cutanée"),
                0,
                3,
            ),
            InstrumentItem::integer(
                concat!($id, "_dyspigmentation"),
                concat!($en, ", dyspigmentation"),
                concat!($fr, ", dyspigmentation"),
                0,
                3,
            ),
        ]
    };
}

/// Points of a new or enlarged lesion.
const NEW_LESION: i64 = 3;

/// The 18 sites, as the ids of their items begin.
pub const SITES: [&str; 18] = [
    "head",
    "neck",
    "chest",
    "abdomen",
    "upper_back",
    "lower_back",
    "arm_right",
    "arm_left",
    "forearm_right",
    "forearm_left",
    "hand_right",
    "hand_left",
    "thigh_right",
    "thigh_left",
    "leg_right",
    "leg_left",
    "foot_right",
    "foot_left",
];

static ITEMS: [InstrumentItem; 112] = joined(&[
    &site!("head", "Scalp and face", "Cuir chevelu et visage"),
    &site!("neck", "Neck", "Cou"),
    &site!("chest", "Chest", "Thorax"),
    &site!("abdomen", "Abdomen", "Abdomen"),
    &site!("upper_back", "Upper back", "Haut du dos"),
    &site!("lower_back", "Lower back", "Bas du dos"),
    &site!("arm_right", "Arm, right", "Bras droit"),
    &site!("arm_left", "Arm, left", "Bras gauche"),
    &site!("forearm_right", "Forearm, right", "Avant-bras droit"),
    &site!("forearm_left", "Forearm, left", "Avant-bras gauche"),
    &site!("hand_right", "Hand, right", "Main droite"),
    &site!("hand_left", "Hand, left", "Main gauche"),
    &site!("thigh_right", "Buttock and thigh, right", "Fesse et cuisse droites"),
    &site!("thigh_left", "Buttock and thigh, left", "Fesse et cuisse gauches"),
    &site!("leg_right", "Leg, right", "Jambe droite"),
    &site!("leg_left", "Leg, left", "Jambe gauche"),
    &site!("foot_right", "Foot, right", "Pied droit"),
    &site!("foot_left", "Foot, left", "Pied gauche"),
    &[
        InstrumentItem::integer(
            "physician_activity",
            "Physician's global, activity",
            "Global du médecin, activité",
            0,
            100,
        ),
        InstrumentItem::integer(
            "physician_damage",
            "Physician's global, damage",
            "Global du médecin, séquelles",
            0,
            100,
        ),
        InstrumentItem::integer("mlossi", "Activity, mLoSSI", "Activité, mLoSSI", 0, 162).derived(),
        InstrumentItem::integer("losdi", "Damage, LoSDI", "Séquelles, LoSDI", 0, 162).derived(),
    ],
]);

const ACTIVITY: [&str; 3] = ["_new", "_erythema", "_thickness"];
const DAMAGE: [&str; 3] = ["_dermal_atrophy", "_subcutaneous_atrophy", "_dyspigmentation"];

fn points(answers: &Answers<'_>, item: &'static str) -> Result<i64, NotScorable> {
    if item.ends_with("_new") {
        let new = answers.truth(item)?.ok_or(NotScorable::Missing { item })?;
        return Ok(if new { NEW_LESION } else { 0 });
    }
    let entered = answers.needed_number(item)?;
    (0..=3).find(|grade| Decimal::from(*grade) == entered).ok_or(NotScorable::NotAllowed { item })
}

fn sum(answers: &Answers<'_>, parts: [&str; 3]) -> Result<i64, NotScorable> {
    let scored = ITEMS.iter().filter(|item| parts.iter().any(|part| item.id.ends_with(part)));
    scored.map(|item| points(answers, item.id)).sum()
}

/// The instrument `loscat`.
pub struct Loscat;

/// Activity and damage of localised scleroderma.
pub static LOSCAT: Loscat = Loscat;

impl Instrument for Loscat {
    fn id(&self) -> &'static str {
        "loscat"
    }

    fn title(&self) -> Label {
        Label { en: "Localised scleroderma, LoSCAT", fr: "Sclérodermie localisée, LoSCAT" }
    }

    fn items(&self) -> &'static [InstrumentItem] {
        &ITEMS
    }

    fn version(&self) -> &'static str {
        "mLoSSI and LoSDI, 18 sites, 0-162"
    }

    fn source(&self) -> &'static str {
        "Arkachaisri et al., Rheumatology 2010;49:373"
    }

    fn score(&self, answers: &dyn Fn(&str) -> Option<Answer>, _: &Context) -> Vec<Derived> {
        let answers = Answers(answers);
        vec![
            Derived { item: "mlossi", result: sum(&answers, ACTIVITY).map(Value::Integer) },
            Derived { item: "losdi", result: sum(&answers, DAMAGE).map(Value::Integer) },
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scored(except: &str) -> Vec<Derived> {
        let answers = |item: &str| {
            (item != except).then(|| {
                Answer::Given(if item.ends_with("_new") { Value::Boolean(true) } else { Value::Integer(3) })
            })
        };
        LOSCAT.score(&answers, &Context::default())
    }

    #[test]
    fn both_sums_end_at_162() {
        assert!(scored("").iter().all(|derived| derived.result == Ok(Value::Integer(162))));
    }

    #[test]
    fn a_missing_finding_leaves_only_its_own_sum_open() {
        let scored = scored("neck_erythema");
        assert_eq!(scored[0].result, Err(NotScorable::Missing { item: "neck_erythema" }));
        assert_eq!(scored[1].result, Ok(Value::Integer(162)));
    }
}
