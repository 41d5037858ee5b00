//! Revised CRISS: responder if step 1 is clear and at least 3 of 5 core items improved.
//!
//! A core item improves by a relative threshold of its baseline: skin score, both global
//! assessments and HAQ-DI must fall, FVC % predicted must rise. The threshold itself counts;
//! a baseline of 0 cannot improve. Comparisons are in decimal. The step-1 events are those
//! of ACR-CRISS; a study that does not collect them judges the core items alone.
//!
//! Source: Khanna et al., Ann Rheum Dis 2021;80:641.

use rust_decimal::Decimal;
use terms::{Answer, Truth, Value};

use crate::{
    acr_criss,
    answers::Answers,
    instrument::{Context, Derived, Instrument, InstrumentItem, Label, NotScorable, joined},
    weighted::WeightedSum,
};

/// The core items, in order.
pub const CORE: [&str; 5] = ["mrss", "ptga", "mdga", "haq_di", "fvc_pct"];

/// The position of FVC, which improves upwards, in [`CORE`].
const FVC: usize = 4;

/// The least number of improved core items of a responder.
pub const IMPROVED_NEEDED: i64 = 3;

/// Values of the core items at one time, in the order of [`CORE`].
pub type Values = [Option<Decimal>; 5];

/// Relative thresholds in percent of the baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds {
    /// Of skin score, global assessments and HAQ-DI.
    pub percent: Decimal,
    /// Of FVC % predicted.
    pub fvc_percent: Decimal,
}

/// Says for each core item whether it improved.
pub fn improved(baseline: &Values, followup: &Values, thresholds: &Thresholds) -> [Truth; 5] {
    std::array::from_fn(|index| match (baseline[index], followup[index]) {
        (Some(before), _) if before <= Decimal::ZERO => Truth::False,
        (Some(before), Some(after)) => {
            let (gain, threshold) = if index == FVC {
                (after - before, thresholds.fvc_percent)
            } else {
                (before - after, thresholds.percent)
            };
            Truth::from(gain * Decimal::ONE_HUNDRED >= threshold * before)
        }
        _ => Truth::Unknown,
    })
}

fn count(improved: &[Truth; 5]) -> WeightedSum {
    let criteria: [_; 5] = std::array::from_fn(|index| (CORE[index], improved[index], Decimal::ONE));
    WeightedSum::of(&criteria)
}

/// Returns the number of improved core items.
///
/// # Errors
/// A core item that is missing at either time.
pub fn improved_count(improved: &[Truth; 5]) -> Result<Decimal, NotScorable> {
    count(improved).score()
}

/// Says whether the patient is a responder, as far as the known items decide it.
pub fn responder(step_one_failed: Truth, improved: &[Truth; 5]) -> Truth {
    step_one_failed.negate().and(count(improved).at_least(Decimal::from(IMPROVED_NEEDED)))
}

macro_rules! value {
    ($time:literal, $time_en:literal, $time_fr:literal, $id:literal, $en:literal, $fr:literal, $max:literal, $decimals:literal, $unit:literal) => {
        InstrumentItem::decimal(
            concat!($time, "_", $id),
            concat!($en, ", ", $time_en),
            concat!($fr, ", ", $time_fr),
            (0, $max),
            $decimals,
            $unit,
        )
    };
}

macro_rules! values {
    ($time:literal, $en:literal, $fr:literal) => {
        [
            value!($time, $en, $fr, "mrss", "Skin score", "Score cutané", 51, 0, "1"),
            value!($time, $en, $fr, "ptga", "Patient's global, 0-10", "Global du patient, 0-10", 10, 1, "1"),
            value!(
                $time,
                $en,
                $fr,
                "mdga",
                "Physician's global, 0-10",
                "Global du médecin, 0-10",
                10,
                1,
                "1"
            ),
            value!($time, $en, $fr, "haq_di", "HAQ-DI", "HAQ-DI", 3, 3, "1"),
            value!($time, $en, $fr, "fvc_pct", "FVC % predicted", "CVF % théorique", 200, 2, "%"),
        ]
    };
}

const fn result(id: &'static str, en: &'static str, fr: &'static str) -> InstrumentItem {
    InstrumentItem::boolean(id, en, fr).derived()
}

const BASELINE_ITEMS: [&str; 5] =
    ["baseline_mrss", "baseline_ptga", "baseline_mdga", "baseline_haq_di", "baseline_fvc_pct"];
const FOLLOWUP_ITEMS: [&str; 5] =
    ["followup_mrss", "followup_ptga", "followup_mdga", "followup_haq_di", "followup_fvc_pct"];
const IMPROVED_ITEMS: [&str; 5] =
    ["improved_mrss", "improved_ptga", "improved_mdga", "improved_haq_di", "improved_fvc_pct"];

static ITEMS: [InstrumentItem; 23] = joined(&[
    &[
        InstrumentItem::boolean("renal_crisis", "New renal crisis", "Nouvelle crise rénale"),
        InstrumentItem::boolean(
            "fvc_decline_15_confirmed_ild",
            "FVC fall of 15 %, confirmed, with ILD",
            "Baisse de CVF de 15 %, confirmée, avec PID",
        ),
        InstrumentItem::boolean(
            "new_lvef_le_45",
            "New LVEF of 45 % or less, treated",
            "FEVG nouvelle ≤ 45 %, traitée",
        ),
        InstrumentItem::boolean(
            "new_pah_rhc_treated",
            "New PAH on catheter, treated",
            "HTAP nouvelle au cathétérisme, traitée",
        ),
    ],
    &values!("baseline", "baseline", "inclusion"),
    &values!("followup", "follow-up", "suivi"),
    &[
        InstrumentItem::decimal("threshold_pct", "Threshold", "Seuil", (0, 100), 1, "%"),
        InstrumentItem::decimal("fvc_threshold_pct", "Threshold of FVC", "Seuil de la CVF", (0, 100), 1, "%"),
        result("improved_mrss", "Skin score improved", "Score cutané amélioré"),
        result("improved_ptga", "Patient's global improved", "Global du patient amélioré"),
        result("improved_mdga", "Physician's global improved", "Global du médecin amélioré"),
        result("improved_haq_di", "HAQ-DI improved", "HAQ-DI amélioré"),
        result("improved_fvc_pct", "FVC improved", "CVF améliorée"),
        InstrumentItem::integer("improved_count", "Core items improved", "Critères améliorés", 0, 5)
            .derived(),
        result("responder", "Responder", "Répondeur"),
    ],
]);

/// The instrument `revised_criss`.
pub struct RevisedCriss;

/// The responder index.
pub static REVISED_CRISS: RevisedCriss = RevisedCriss;

fn known(truth: Truth, item: &'static str) -> Result<Value, NotScorable> {
    match truth {
        Truth::Unknown => Err(NotScorable::Missing { item }),
        decided => Ok(Value::Boolean(decided == Truth::True)),
    }
}

fn read(answers: &Answers<'_>) -> Result<(acr_criss::Events, [Truth; 5]), NotScorable> {
    let values = |items: [&'static str; 5]| {
        let mut values = [None; 5];
        for (value, item) in values.iter_mut().zip(items) {
            *value = answers.number(item)?;
        }
        Ok::<Values, NotScorable>(values)
    };
    let thresholds = Thresholds {
        percent: answers.needed_number("threshold_pct")?,
        fvc_percent: answers.needed_number("fvc_threshold_pct")?,
    };
    let improved = improved(&values(BASELINE_ITEMS)?, &values(FOLLOWUP_ITEMS)?, &thresholds);
    Ok((acr_criss::events(answers)?, improved))
}

impl Instrument for RevisedCriss {
    fn id(&self) -> &'static str {
        "revised_criss"
    }

    fn title(&self) -> Label {
        Label { en: "Revised CRISS", fr: "CRISS révisé" }
    }

    fn items(&self) -> &'static [InstrumentItem] {
        &ITEMS
    }

    fn version(&self) -> &'static str {
        "revised CRISS, 3 of 5 core items, thresholds of the study"
    }

    fn source(&self) -> &'static str {
        "Khanna et al., Ann Rheum Dis 2021;80:641"
    }

    fn score(&self, answers: &dyn Fn(&str) -> Option<Answer>, _: &Context) -> Vec<Derived> {
        let read = read(&Answers(answers));
        let mut all = IMPROVED_ITEMS
            .iter()
            .enumerate()
            .map(|(index, item)| Derived {
                item,
                result: read.clone().and_then(|(_, improved)| known(improved[index], FOLLOWUP_ITEMS[index])),
            })
            .collect::<Vec<_>>();
        let count = read.clone().and_then(|(_, improved)| improved_count(&improved));
        let whole = |count: Decimal| Value::Integer(i64::try_from(count).unwrap_or_default());
        all.push(Derived { item: "improved_count", result: count.map(whole) });
        let responder = read.and_then(|(events, improved)| {
            let unknown = |truth: &Truth| *truth == Truth::Unknown;
            let core = improved.iter().position(unknown).map_or(FOLLOWUP_ITEMS[0], |i| FOLLOWUP_ITEMS[i]);
            let blamed = acr_criss::first_unknown(&events).unwrap_or(core);
            known(responder(acr_criss::step_one_failed(&events), &improved), blamed)
        });
        all.push(Derived { item: "responder", result: responder });
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(texts: [&str; 5]) -> Values {
        texts.map(|text| text.parse().ok())
    }

    fn thresholds(percent: i64, fvc_percent: i64) -> Thresholds {
        Thresholds { percent: Decimal::from(percent), fvc_percent: Decimal::from(fvc_percent) }
    }

    #[test]
    fn the_threshold_itself_counts_in_decimal() {
        // 0.7 of 2.8 is a quarter and 3.5 of 70 a twentieth, though not in binary.
        let before = values(["20", "2.8", "4.4", "0.5", "70.0"]);
        let after = values(["15", "2.1", "3.3", "0.375", "73.5"]);
        assert_eq!(improved(&before, &after, &thresholds(25, 5)), [Truth::True; 5]);
        let just_less = values(["15", "2.11", "3.31", "0.376", "73.49"]);
        assert_eq!(improved(&before, &just_less, &thresholds(25, 5))[1..], [Truth::False; 4]);
    }

    #[test]
    fn a_zero_baseline_cannot_improve() {
        let before = values(["0", "0", "0", "0", "0"]);
        assert_eq!(improved(&before, &before, &thresholds(0, 0)), [Truth::False; 5]);
    }

    #[test]
    fn three_improved_items_decide_even_where_another_is_missing() {
        use Truth::{False, True, Unknown};
        assert_eq!(responder(False, &[True, True, True, Unknown, False]), True);
        assert_eq!(responder(False, &[True, True, False, Unknown, False]), Unknown);
        assert_eq!(responder(False, &[True, False, False, Unknown, False]), False);
        assert_eq!(responder(True, &[True; 5]), False);
        assert!(improved_count(&[True, True, True, Unknown, False]).is_err());
    }
}
