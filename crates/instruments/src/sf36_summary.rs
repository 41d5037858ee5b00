//! SF-36: eight scales and the physical and mental component summaries.
//!
//! The scales are those of the RAND-36 but for two. Pain: item 21 counts 6, 5.4, 4.2, 3.1,
//! 2.2, 1; item 22 counts 6 if both are best, else 5, 4, 3, 2, 1; `(sum - 2)/10 * 100`. General
//! health: item 1 counts 5, 4.4, 3.4, 2, 1; `(sum - 5)/20 * 100`. With half the items of a scale
//! answered the mean of the answered stands for the rest. Version 2 has five levels in
//! role, vitality and mental-health items.
//!
//! Summaries: `z_k = (scale_k - mean_k)/sd_k`, `50 + 10 sum(c_k z_k)`. A missing scale leaves
//! both without a score. Every output names the norm's year. The 1990 means and standard
//! deviations await a check against the printed manual.
//!
//! Source: Ware and Kosinski, SF-36 Physical and Mental Health Summary Scales (manuals, 1994
//! and 2000).

use std::sync::LazyLock;

use rust_decimal::Decimal;
use terms::Answer;

use crate::{
    answers::{Answers, binary, derived},
    instrument::{Context, Derived, Instrument, InstrumentItem, Label, NotScorable, joined},
    rand36::{self, Recode, Responses},
};

/// The number of scales.
pub const SCALE_COUNT: usize = 8;

/// The scales in the order of the norm table.
pub const SCALES: [&str; SCALE_COUNT] = ["pf", "rp", "bp", "gh", "vt", "sf", "re", "mh"];

/// The population that scales are standardised to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Norm {
    /// General population of the United States, 1990, version 1.
    Us1990V1,
    /// General population of the United States, 1998, version 2.
    Us1998V2,
}

impl Norm {
    /// Returns the norm of a code such as `us1990_v1`.
    pub fn from_code(code: &str) -> Option<Self> {
        match code {
            "us1990_v1" => Some(Norm::Us1990V1),
            "us1998_v2" => Some(Norm::Us1998V2),
            _ => None,
        }
    }
}

struct Row {
    mean: [Decimal; 2],
    sd: [Decimal; 2],
    physical: Decimal,
    mental: Decimal,
}

static ROWS: LazyLock<Vec<Row>> =
    LazyLock::new(|| include_str!("../reference/sf36_norms.csv").lines().skip(1).map(row).collect());

fn row(line: &str) -> Row {
    let cells = line
        .split(',')
        .skip(1)
        .map(|cell| cell.parse::<Decimal>().expect("the shipped table holds decimals"))
        .collect::<Vec<_>>();
    Row { mean: [cells[0], cells[2]], sd: [cells[1], cells[3]], physical: cells[4], mental: cells[5] }
}

/// The two component summaries; 50 is the mean of the norm, 10 its standard deviation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Physical component summary.
    pub physical: Decimal,
    /// Mental component summary.
    pub mental: Decimal,
}

/// Returns both summaries of the eight scales (0 to 100), in the order of [`SCALES`].
///
/// # Errors
/// Any scale without a score.
pub fn summary(
    scales: &[Result<Decimal, NotScorable>; SCALE_COUNT],
    norm: Norm,
) -> Result<Summary, NotScorable> {
    let which = match norm {
        Norm::Us1990V1 => 0,
        Norm::Us1998V2 => 1,
    };
    let (mut physical, mut mental) = (Decimal::ZERO, Decimal::ZERO);
    for (scale, row) in scales.iter().zip(ROWS.iter()) {
        let z = (scale.clone()? - row.mean[which]) / row.sd[which];
        physical += row.physical * z;
        mental += row.mental * z;
    }
    let norm_based = |sum: Decimal| Decimal::from(50) + Decimal::TEN * sum;
    Ok(Summary { physical: norm_based(physical), mental: norm_based(mental) })
}

/// The version of the questionnaire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// Role items with two levels, vitality and mental health with six.
    V1,
    /// All of them with five levels.
    V2,
}

impl Version {
    fn recode(self, number: usize) -> Recode {
        let (role, mood) = match self {
            Version::V1 => (2, 6),
            Version::V2 => (5, 5),
        };
        match number {
            3..=12 => Recode::Rising { levels: 3 },
            13..=19 => Recode::Rising { levels: role },
            20 => Recode::Falling { levels: 5 },
            23 | 26 | 27 | 30 => Recode::Falling { levels: mood },
            24 | 25 | 28 | 29 | 31 => Recode::Rising { levels: mood },
            _ => Recode::Rising { levels: 5 },
        }
    }
}

/// Returns the eight scales of the answers, in the order of [`SCALES`], 0 to 100.
pub fn scales(responses: &Responses, version: Version) -> [Result<Decimal, NotScorable>; SCALE_COUNT] {
    let mean = |items: &[usize]| rand36::mean_of_answered(responses, items, |number| version.recode(number));
    std::array::from_fn(|scale| match SCALES[scale] {
        "bp" => bodily_pain(responses),
        "gh" => general_health(responses),
        _ => mean(SCALE_ITEMS_OF[scale]),
    })
}

/// Returns the scales, 0 to 100, that lie nearest to a norm's means and have these summaries, clipped to their range.
///
/// With `s` the two summaries in standard deviations and C the coefficients, the standardised scales are
/// `C' (C C')^-1 s`. A simulator fills items from them.
pub fn scales_for(physical: f64, mental: f64, norm: Norm) -> [f64; SCALE_COUNT] {
    let which = match norm {
        Norm::Us1990V1 => 0,
        Norm::Us1998V2 => 1,
    };
    let of = |read: &dyn Fn(&Row) -> Decimal| ROWS.iter().map(|row| binary(read(row))).collect::<Vec<_>>();
    let (p, m) = (of(&|row| row.physical), of(&|row| row.mental));
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let (pp, pm, mm) = (dot(&p, &p), dot(&p, &m), dot(&m, &m));
    let (s, t) = ((physical - 50.0) / 10.0, (mental - 50.0) / 10.0);
    let determinant = pp * mm - pm * pm;
    let (u, v) = ((mm * s - pm * t) / determinant, (pp * t - pm * s) / determinant);
    let (mean, sd) = (of(&|row| row.mean[which]), of(&|row| row.sd[which]));
    std::array::from_fn(|k| (mean[k] + sd[k] * (p[k] * u + m[k] * v)).clamp(0.0, 100.0))
}

/// The items of each scale, in the order of [`SCALES`].
const SCALE_ITEMS_OF: [&[usize]; SCALE_COUNT] = [
    &[3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
    &[13, 14, 15, 16],
    &[21, 22],
    &[1, 33, 34, 35, 36],
    &[23, 27, 29, 31],
    &[20, 32],
    &[17, 18, 19],
    &[24, 25, 26, 28, 30],
];

/// Returns answers to the 36 items of version 1 whose scales come near these, 0 to 100; item 2 stands in the middle.
pub fn answers_near(scales: &[f64; SCALE_COUNT]) -> [i64; rand36::ITEM_COUNT] {
    const UNCHANGED: i64 = 3;
    let mut answers = [UNCHANGED; rand36::ITEM_COUNT];
    for (scale, items) in scales.iter().zip(SCALE_ITEMS_OF) {
        // What rounding takes from one item the next one gives back.
        let mut owed = 0.0;
        for number in items {
            let recode = rand36::recode(*number);
            let steps_max = recode.levels() - 1;
            owed += scale / 100.0 * steps_max as f64;
            let steps = (libm::round(owed) as i64).clamp(0, steps_max);
            owed -= steps as f64;
            answers[number - 1] = match recode {
                Recode::Falling { .. } => recode.levels() - steps,
                Recode::Rising { .. } => steps + 1,
            };
        }
    }
    answers
}

/// Returns the level of an answer from 1, `None` if unanswered.
fn level(responses: &Responses, number: usize, levels: usize) -> Result<Option<usize>, NotScorable> {
    let find = |answer| (1..=levels).find(|level| Decimal::from(*level) == answer);
    let item = rand36::ITEM_IDS[number - 1];
    responses[number - 1].map(|answer| find(answer).ok_or(NotScorable::NotAllowed { item })).transpose()
}

fn tenths(values: &[i64], level: usize) -> Decimal {
    Decimal::new(values[level - 1], 1)
}

/// Pain: item 22 alone is spread over the same range, 6 down to 1 in steps of 1.25.
fn bodily_pain(responses: &Responses) -> Result<Decimal, NotScorable> {
    let magnitude = |level| tenths(&[60, 54, 42, 31, 22, 10], level);
    let interference = |level: usize| Decimal::from(6 - level);
    let sum = match (level(responses, 21, 6)?, level(responses, 22, 5)?) {
        (Some(1), Some(1)) => Decimal::from(12),
        (Some(pain), Some(effect)) => magnitude(pain) + interference(effect),
        (Some(pain), None) => Decimal::TWO * magnitude(pain),
        (None, Some(effect)) => {
            let alone = Decimal::from(6) - Decimal::new(125, 2) * Decimal::from(effect - 1);
            Decimal::TWO * alone
        }
        (None, None) => return Err(NotScorable::TooFewAnswered { answered: 0, needed: 1 }),
    };
    Ok((sum - Decimal::TWO) * Decimal::TEN)
}

fn general_health(responses: &Responses) -> Result<Decimal, NotScorable> {
    let mut counted = Vec::new();
    if let Some(rating) = level(responses, 1, 5)? {
        counted.push(tenths(&[50, 44, 34, 20, 10], rating));
    }
    for number in [33, 35] {
        counted.extend(level(responses, number, 5)?.map(Decimal::from));
    }
    for number in [34, 36] {
        counted.extend(level(responses, number, 5)?.map(|level| Decimal::from(6 - level)));
    }
    if counted.len() < 3 {
        return Err(NotScorable::TooFewAnswered { answered: counted.len(), needed: 3 });
    }
    let mean = counted.iter().sum::<Decimal>() / Decimal::from(counted.len());
    Ok((mean - Decimal::ONE) * Decimal::from(25))
}

const fn scale(index: usize, en: &'static str, fr: &'static str) -> InstrumentItem {
    InstrumentItem::decimal(SCALES[index], en, fr, (0, 100), 2, "1").derived()
}

const SCALE_ITEMS: [InstrumentItem; SCALE_COUNT] = [
    scale(0, "Physical functioning", "Activité physique"),
    scale(1, "Role, physical", "Limitations dues à l'état physique"),
    scale(2, "Bodily pain", "Douleurs physiques"),
    scale(3, "General health", "Santé perçue"),
    scale(4, "Vitality", "Vitalité"),
    scale(5, "Social functioning", "Vie et relations avec les autres"),
    scale(6, "Role, emotional", "Limitations dues à l'état psychique"),
    scale(7, "Mental health", "Santé psychique"),
];

const fn component(id: &'static str, en: &'static str, fr: &'static str) -> InstrumentItem {
    InstrumentItem::decimal(id, en, fr, (-50, 150), 2, "1").derived()
}

static ITEMS_V1: [InstrumentItem; 46] = joined(&[
    &rand36::entered(2, 6),
    &SCALE_ITEMS,
    &[
        component("pcs_us1990", "Physical summary, US 1990", "Score résumé physique, US 1990"),
        component("mcs_us1990", "Mental summary, US 1990", "Score résumé psychique, US 1990"),
    ],
]);

static ITEMS_V2: [InstrumentItem; 46] = joined(&[
    &rand36::entered(5, 5),
    &SCALE_ITEMS,
    &[
        component("pcs_us1998", "Physical summary, US 1998", "Score résumé physique, US 1998"),
        component("mcs_us1998", "Mental summary, US 1998", "Score résumé psychique, US 1998"),
    ],
]);

/// The instrument `sf36` or `sf36_v2`.
pub struct Sf36 {
    version: Version,
}

/// Version 1, summaries by the norm of 1990.
pub static SF36: Sf36 = Sf36 { version: Version::V1 };

/// Version 2, summaries by the norm of 1998.
pub static SF36_V2: Sf36 = Sf36 { version: Version::V2 };

impl Instrument for Sf36 {
    fn id(&self) -> &'static str {
        match self.version {
            Version::V1 => "sf36",
            Version::V2 => "sf36_v2",
        }
    }

    fn title(&self) -> Label {
        Label { en: "SF-36 health survey", fr: "SF-36, questionnaire de santé" }
    }

    fn items(&self) -> &'static [InstrumentItem] {
        match self.version {
            Version::V1 => &ITEMS_V1,
            Version::V2 => &ITEMS_V2,
        }
    }

    fn version(&self) -> &'static str {
        match self.version {
            Version::V1 => "SF-36 v1, norm US 1990",
            Version::V2 => "SF-36 v2, norm US 1998",
        }
    }

    fn source(&self) -> &'static str {
        "Ware and Kosinski, SF-36 summary scales, manuals 1994 and 2000"
    }

    fn needs_content_pack(&self) -> bool {
        true
    }

    fn score(&self, answers: &dyn Fn(&str) -> Option<Answer>, _: &Context) -> Vec<Derived> {
        let (norm, names) = match self.version {
            Version::V1 => (Norm::Us1990V1, ["pcs_us1990", "mcs_us1990"]),
            Version::V2 => (Norm::Us1998V2, ["pcs_us1998", "mcs_us1998"]),
        };
        let scales = match rand36::responses(&Answers(answers)) {
            Ok(responses) => scales(&responses, self.version),
            Err(refused) => std::array::from_fn(|_| Err(refused.clone())),
        };
        let summary = summary(&scales, norm);
        let mut all =
            SCALES.iter().zip(scales).map(|(item, scale)| derived(item, 2, scale)).collect::<Vec<_>>();
        all.push(derived(names[0], 2, summary.clone().map(|summary| summary.physical)));
        all.push(derived(names[1], 2, summary.map(|summary| summary.mental)));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn scales_for_summaries_have_those_summaries() {
        for norm in [Norm::Us1990V1, Norm::Us1998V2] {
            let scales = scales_for(44.0, 47.0, norm);
            assert!(scales.iter().all(|scale| *scale > 0.0 && *scale < 100.0));
            let scales = scales.map(|scale| crate::answers::computed(scale));
            let found = summary(&scales, norm).unwrap();
            assert!((binary(found.physical) - 44.0).abs() < 1e-9, "{}", found.physical);
            assert!((binary(found.mental) - 47.0).abs() < 1e-9, "{}", found.mental);
        }
    }

    #[test]
    fn answers_near_scales_give_them_back_within_a_step() {
        for at in [0.0, 20.0, 50.0, 75.0, 100.0] {
            let answers = answers_near(&[at; SCALE_COUNT]).map(|answer| Some(Decimal::from(answer)));
            for (id, scale) in SCALES.iter().zip(scales(&answers, Version::V1)) {
                let found = binary(scale.unwrap());
                assert!((found - at).abs() <= 17.0, "{id}: {found} for {at}");
            }
        }
    }

    fn answered(pairs: &[(usize, i64)]) -> Responses {
        let mut responses = [None; rand36::ITEM_COUNT];
        for (number, answer) in pairs {
            responses[number - 1] = Some(Decimal::from(*answer));
        }
        responses
    }

    #[test]
    fn pain_counts_6_for_interference_only_if_both_answers_are_best() {
        let bp = |pairs: &[(usize, i64)]| bodily_pain(&answered(pairs)).unwrap();
        assert_eq!(bp(&[(21, 1), (22, 1)]), number("100"));
        assert_eq!(bp(&[(21, 2), (22, 1)]), number("84"));
        assert_eq!(bp(&[(21, 6), (22, 5)]), number("0"));
        assert_eq!(bp(&[(21, 3), (22, 2)]), number("62"));
    }

    #[test]
    fn a_single_pain_item_stands_for_both() {
        assert_eq!(bodily_pain(&answered(&[(21, 1)])), Ok(number("100")));
        assert_eq!(bodily_pain(&answered(&[(22, 1)])), Ok(number("100")));
        assert_eq!(bodily_pain(&answered(&[(22, 5)])), Ok(number("0")));
        assert!(bodily_pain(&answered(&[])).is_err());
    }

    #[test]
    fn general_health_counts_its_first_item_unevenly() {
        let worst_rest = [(33, 1), (34, 5), (35, 1), (36, 5)];
        let gh = |rating: i64| {
            let pairs = worst_rest.iter().copied().chain([(1, rating)]).collect::<Vec<_>>();
            general_health(&answered(&pairs)).unwrap()
        };
        assert_eq!([1, 2, 3, 4, 5].map(gh), ["20", "17", "12", "5", "0"].map(number));
    }

    #[test]
    fn the_mean_of_the_norm_scores_50() {
        for (which, norm) in [Norm::Us1990V1, Norm::Us1998V2].into_iter().enumerate() {
            let means = std::array::from_fn(|index| Ok(ROWS[index].mean[which]));
            let expected = Summary { physical: Decimal::from(50), mental: Decimal::from(50) };
            assert_eq!(summary(&means, norm), Ok(expected));
        }
    }

    #[test]
    fn a_missing_scale_leaves_both_summaries_without_a_score() {
        let mut scales: [_; SCALE_COUNT] = std::array::from_fn(|_| Ok(Decimal::from(50)));
        scales[4] = Err(NotScorable::TooFewAnswered { answered: 1, needed: 2 });
        assert!(summary(&scales, Norm::Us1990V1).is_err());
    }
}
