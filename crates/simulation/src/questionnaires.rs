//! Answers of questionnaires whose scores come to about what a person's course draws.
//!
//! A study's virtual cohort follows a score (`[measures."dlqi.total"]`); a form holds the items
//! that it is made of. Here the items are filled so that the instrument's own scoring gives
//! the score back, as near as its steps allow.

use instruments::{
    haq_di, loscat,
    sf36_summary::{self as sf36, Norm},
    shaq_vas, ssc_haq,
};
use protocol::model::Form;
use rust_decimal::prelude::FromPrimitive;
use terms::{Answer, Decimal, ItemId, Value};

use crate::{
    person::{spread_over, spread_over_sites},
    streams::Draws,
};

/// Returns the answers of a form's questionnaire; nothing if it has none, or no score of it is followed.
///
/// `score` gives the drawn value of a derived item, `said` what is drawn for an entered one by itself.
pub(crate) fn fill(
    form: &Form,
    score: &dyn Fn(&str) -> Option<f64>,
    said: &dyn Fn(&str) -> Option<Value>,
    draws: &mut Draws,
) -> Vec<(ItemId, Value)> {
    let filled = match form.instrument.as_deref() {
        Some("dlqi") => score("total").map(|total| dlqi(total, draws)),
        Some("haq_di") => score("haq_di").map(|index| disability(libm::round(8.0 * index) as i64, draws)),
        Some("ssc_haq") => score("ssc_haq").map(|pooled| scleroderma(pooled, draws)),
        Some("shaq_vas") => {
            let marks =
                shaq_vas::SCALES.iter().filter_map(|scale| Some(mark(scale.mark, score(scale.score)?)));
            Some(marks.collect())
        }
        Some("loscat") => {
            score("mlossi").zip(score("losdi")).map(|(activity, damage)| localised(activity, damage, draws))
        }
        Some("body_surface") => score("total").map(|percent| surface(percent, draws)),
        Some("echocardiography") => {
            let seen = said("jet_seen") != Some(Value::Boolean(false));
            score("rvsp_mmhg").filter(|_| seen).map(jet)
        }
        Some("sf36") => {
            score("pcs_us1990").zip(score("mcs_us1990")).map(|(physical, mental)| health(physical, mental))
        }
        _ => None,
    };
    filled.unwrap_or_default()
}

/// Returns what a reader measures on a slide so that the instrument's score is the one wanted.
pub(crate) fn reading(
    form: &Form,
    score: &dyn Fn(&str) -> Option<Decimal>,
    draws: &mut Draws,
) -> Vec<(ItemId, Answer)> {
    let thickness = (form.instrument.as_deref() == Some("skin_biopsy")).then(|| score("dermal_thickness_mm"));
    let Some(thickness) = thickness.flatten() else { return Vec::new() };
    // Two pairs of lines lie apart by as much, and the mean of the five stays.
    let mut apart = || Decimal::new(draws.below(26).into(), 2).min(thickness / Decimal::TWO).round_dp(2);
    let (first, second) = (apart(), apart());
    let lines = [thickness + first, thickness - first, thickness + second, thickness - second, thickness];
    let mut answers = vec![("border_in_section".into(), Answer::Given(Value::Boolean(true)))];
    answers.extend((1..).zip(lines).map(|(number, mut line)| {
        line.rescale(2);
        (ItemId::from(format!("line_{number}_mm")), Answer::Given(Value::Decimal(line)))
    }));
    answers
}

/// Says whether the items are filled so that the instrument gives the wanted score back to its last digit.
pub(crate) fn gives_back(form: &Form, item: &str) -> bool {
    matches!((form.instrument.as_deref(), item), (Some("body_surface"), "total"))
}

/// The score that an instrument gives for the answers that are filled in for a wanted one, by the draws of those
/// answers.
pub(crate) type Scored = fn(f64, &mut Draws) -> f64;

/// Returns how to reckon that score without the answers, where this is known: an instrument's `output` of its followed
/// item of the same name.
pub(crate) fn scored(instrument: &str, output: &str) -> Option<Scored> {
    match (instrument, output) {
        ("dlqi", "total") => Some(|wanted, _| libm::round(wanted).clamp(0.0, 30.0)),
        ("haq_di", "haq_di") => Some(|wanted, _| libm::round(8.0 * wanted).clamp(0.0, 24.0) / 8.0),
        ("ssc_haq", "ssc_haq") => Some(scleroderma_scored),
        _ => None,
    }
}

/// Returns the same of a questionnaire whose first answer was corrected: raised by one, or lowered from 3. `first` is the
/// item of that answer.
pub(crate) fn scored_corrected(instrument: &str, output: &str, first: &str) -> Option<Scored> {
    match (instrument, output, first) {
        ("ssc_haq", "ssc_haq", CORRECTED) => Some(|pooled, draws| scleroderma_pooled(pooled, true, draws)),
        _ => None,
    }
}

/// The first question in the order of ids, which is the first of its category.
const CORRECTED: &str = "activities_1";

fn scleroderma_scored(pooled: f64, draws: &mut Draws) -> f64 {
    scleroderma_pooled(pooled, false, draws)
}

/// The pooled score: the sum of eight categories and five organ scales by 13, to three decimals.
fn scleroderma_pooled(pooled: f64, is_corrected: bool, draws: &mut Draws) -> f64 {
    let (sum, organs) = scleroderma_parts(pooled);
    let mut grades = [0; haq_di::CATEGORY_COUNT];
    spread_over(sum as i64, &[1.0; haq_di::CATEGORY_COUNT], draws, &mut grades);
    // The further questions of a category are drawn before the scales are, and count for nothing but where the first is lowered.
    let further = |category: &haq_di::Category| category.items.len() - 1;
    if is_corrected {
        for (category, grade) in haq_di::CATEGORIES.iter().zip(&mut grades) {
            if category.items[0] != CORRECTED {
                draws.skip(further(category));
                continue;
            }
            let drawn = (0..further(category)).map(|_| i64::from(draws.below(*grade as u32 + 1)));
            let others = drawn.max().unwrap_or(0);
            *grade = if *grade < 3 { *grade + 1 } else { others.max(*grade - 1) };
        }
    } else {
        draws.skip(haq_di::CATEGORIES.iter().map(further).sum());
    }
    let tenths: i64 = organ_scales(organs, draws).into_iter().map(mark_tenths).sum();
    // A mark of t tenths of a millimetre scores t / 500; half a thousandth does not occur in thirteenths.
    let thirteenths = 2 * (500 * grades.iter().sum::<i64>() + tenths);
    ((2 * thirteenths + 13) / 26) as f64 / 1_000.0
}

/// Activity by erythema and thickness, by new lesions where those do not suffice; damage by its three kinds.
fn localised(activity: f64, damage: f64, draws: &mut Draws) -> Vec<(ItemId, Value)> {
    let sites = loscat::SITES;
    let activity = libm::round(activity).clamp(0.0, 162.0) as i64;
    let new = ((activity - 2 * 3 * sites.len() as i64).max(0) + 2) / 3;
    let graded = spread_over_sites(activity - 3 * new, &vec![1.0; 2 * sites.len()], draws);
    let damaged = libm::round(damage).clamp(0.0, 162.0) as i64;
    let damaged = spread_over_sites(damaged, &vec![1.0; 3 * sites.len()], draws);
    let mut answers = Vec::new();
    for (place, site) in sites.iter().enumerate() {
        let mut grade = |finding: &str, grade: i64| {
            answers.push((ItemId::from(format!("{site}_{finding}")), Value::Integer(grade)));
        };
        grade("erythema", graded[2 * place]);
        grade("thickness", graded[2 * place + 1]);
        grade("dermal_atrophy", damaged[3 * place]);
        grade("subcutaneous_atrophy", damaged[3 * place + 1]);
        grade("dyspigmentation", damaged[3 * place + 2]);
        let is_new = (place as i64) < new;
        answers.push((ItemId::from(format!("{site}_new")), Value::Boolean(is_new)));
    }
    answers
}

/// Regions and what they are of the body's surface, in percent: the rule of nines.
const REGIONS: [(&str, i64); 8] = [
    ("head_neck", 9),
    ("trunk_front", 18),
    ("trunk_back", 18),
    ("arm_right", 9),
    ("arm_left", 9),
    ("leg_right", 18),
    ("leg_left", 18),
    ("genital", 1),
];

/// Regions involved about in proportion to their size, which add up to the percent wanted.
fn surface(percent: f64, draws: &mut Draws) -> Vec<(ItemId, Value)> {
    let tenths = libm::round(percent * 10.0).clamp(0.0, 1000.0) as i64;
    let mut shares = REGIONS.map(|(_, size)| tenths * size / 100);
    for (right, left) in [(3, 4), (5, 6), (1, 2)] {
        let moved = i64::from(draws.below(shares[left] as u32 + 1)) / 2;
        let room = 10 * REGIONS[right].1 - shares[right];
        let moved = moved.min(room.max(0));
        shares[right] += moved;
        shares[left] -= moved;
    }
    shares[1] += tenths - shares.iter().sum::<i64>();
    let answer = |((region, _), share): (&(&str, i64), i64)| {
        (ItemId::from(*region), Value::Decimal(Decimal::new(share, 1)))
    };
    REGIONS.iter().zip(shares).map(answer).collect()
}

/// The tricuspid jet behind a right ventricular pressure, with the atrial pressure that goes with it.
fn jet(pressure: f64) -> Vec<(ItemId, Value)> {
    let (code, atrial) = match pressure {
        ..25.0 => ("3", 3.0),
        25.0..50.0 => ("8", 8.0),
        _ => ("15", 15.0),
    };
    let hundredths = libm::round(libm::sqrt((pressure - atrial).max(1.0) / 4.0) * 100.0) as i64;
    vec![
        ("jet_seen".into(), Value::Boolean(true)),
        ("jet_m_s".into(), Value::Decimal(Decimal::new(hundredths, 2))),
        ("rap_mmhg".into(), Value::Code(code.to_owned())),
    ]
}

fn dlqi(total: f64, draws: &mut Draws) -> Vec<(ItemId, Value)> {
    const ITEMS: usize = 10;
    let code = |code: &str| Value::Code(code.to_owned());
    let points = spread_over_sites(libm::round(total) as i64, &[1.0; ITEMS], draws);
    let mut answers = Vec::new();
    for (number, points) in (1..).zip(points) {
        let effect = ["not_at_all", "a_little", "a_lot", "very_much"][points as usize];
        match (number, points) {
            (7, 3) => answers.push(("q7_main".into(), code("yes"))),
            (7, _) => {
                answers.push(("q7_main".into(), code("no")));
                answers.push(("q7_sub".into(), code(effect)));
            }
            _ => answers.push((ItemId::from(format!("q{number}")), code(effect))),
        }
    }
    answers
}

/// The 20 questions, their categories adding up to a sum; the first question of a category is its highest.
fn disability(sum: i64, draws: &mut Draws) -> Vec<(ItemId, Value)> {
    let grades = spread_over_sites(sum, &[1.0; haq_di::CATEGORY_COUNT], draws);
    let mut answers = Vec::new();
    for (category, grade) in haq_di::CATEGORIES.iter().zip(grades) {
        for (place, item) in category.items.iter().enumerate() {
            let answer = if place == 0 { grade } else { i64::from(draws.below(grade as u32 + 1)) };
            answers.push((ItemId::from(*item), Value::Integer(answer)));
        }
    }
    answers
}

/// Questions and marks whose pooled score is the one wanted: the organ scales take up what the categories leave.
fn scleroderma(pooled: f64, draws: &mut Draws) -> Vec<(ItemId, Value)> {
    let (sum, organs) = scleroderma_parts(pooled);
    let mut answers = disability(sum as i64, draws);
    answers.push(mark(shaq_vas::SCALES[0].mark, pooled));
    let each = organ_scales(organs, draws);
    answers.extend(ssc_haq::ORGAN_SCALES.iter().zip(each).map(|(scale, score)| mark(scale.mark, score)));
    answers
}

/// The sum of the categories and the mean of the organ scales.
fn scleroderma_parts(pooled: f64) -> (f64, f64) {
    let sum = libm::round(8.0 * pooled).clamp(0.0, 24.0);
    (sum, ((13.0 * pooled - sum) / 5.0).clamp(0.0, 3.0))
}

/// Two pairs of organs lie apart by as much as the line allows, and their mean stays.
fn organ_scales(organs: f64, draws: &mut Draws) -> [f64; 5] {
    let room = organs.min(3.0 - organs);
    let (first, second) = (room * draws.uniform(), room * draws.uniform());
    [organs + first, organs - first, organs + second, organs - second, organs]
}

/// The mark of a score in tenths of a millimetre.
fn mark_tenths(score: f64) -> i64 {
    let tenths = score.clamp(0.0, 3.0) * 500.0;
    let rest = tenths - libm::floor(tenths);
    if (rest - 0.5).abs() > 1e-6 {
        return libm::round(tenths) as i64;
    }
    // Near a half it is decided as the mark itself is.
    let (_, mark) = mark("", score);
    mark.as_f64().map_or(0, |mark| libm::round(mark * 10.0) as i64)
}

/// The mark on the 15 cm line that a score from 0 to 3 is made of.
fn mark(item: &str, score: f64) -> (ItemId, Value) {
    let mut mark = Decimal::from_f64(score.clamp(0.0, 3.0) * 50.0).unwrap_or_default().round_dp(1);
    mark.rescale(1);
    (ItemId::from(item), Value::Decimal(mark))
}

fn health(physical: f64, mental: f64) -> Vec<(ItemId, Value)> {
    let scales = sf36::scales_for(physical, mental, Norm::Us1990V1);
    let answers = sf36::answers_near(&scales);
    (1..)
        .zip(answers)
        .map(|(number, level)| (ItemId::from(format!("q{number}")), Value::Integer(level)))
        .collect()
}

#[cfg(test)]
mod tests {
    use instruments::{Context, by_id};
    use protocol::model::Label;
    use terms::FormId;

    use super::*;
    use crate::streams::Streams;

    fn form(instrument: &str) -> Form {
        Form {
            id: FormId::from("form"),
            title: Label::default(),
            data_class: "questionnaires".into(),
            filled_by: Vec::new(),
            instrument: Some(instrument.to_owned()),
            purpose: None,
            repeating: false,
            by_visit: true,
            items: Vec::new(),
            checks: Vec::new(),
            hidden_from_filler: Vec::new(),
        }
    }

    /// The score that the instrument gives for the answers filled in for wanted scores.
    fn scored(instrument: &str, wanted: &[(&str, f64)], output: &str, seed: u64) -> f64 {
        let wanted = |item: &str| wanted.iter().find(|(id, _)| *id == item).map(|(_, value)| *value);
        let filled = fill(&form(instrument), &wanted, &|_| None, &mut Streams::new(seed).of(1, "test", 0));
        let answers = |item: &str| {
            filled.iter().find(|(id, _)| *id == *item).map(|(_, value)| Answer::Given(value.clone()))
        };
        let scores = by_id(instrument).unwrap().score(&answers, &Context::default());
        let score = scores.into_iter().find(|score| score.item == output).unwrap();
        score.result.unwrap().as_f64().unwrap()
    }

    #[test]
    fn the_instrument_gives_the_wanted_score_back() {
        for seed in 0..20 {
            for total in 0..=30 {
                assert_eq!(scored("dlqi", &[("total", f64::from(total))], "total", seed), f64::from(total));
            }
            for eighths in 0..=24 {
                let index = f64::from(eighths) / 8.0;
                assert_eq!(scored("haq_di", &[("haq_di", index)], "haq_di", seed), index);
            }
            for tenths in 0..=30 {
                let pooled = f64::from(tenths) / 10.0;
                let score = scored("ssc_haq", &[("ssc_haq", pooled)], "ssc_haq", seed);
                assert!((score - pooled).abs() < 0.01, "{score} for {pooled}");
            }
        }
        for tenths in 0..=1000 {
            let percent = f64::from(tenths) / 10.0;
            assert_eq!(scored("body_surface", &[("total", percent)], "total", 1), percent);
        }
        for total in 0..=162 {
            let wanted = [("mlossi", f64::from(total)), ("losdi", f64::from(162 - total))];
            assert_eq!(scored("loscat", &wanted, "mlossi", 1), f64::from(total));
            assert_eq!(scored("loscat", &wanted, "losdi", 1), f64::from(162 - total));
        }
        for pressure in [16.0, 24.9, 25.0, 33.0, 49.9, 50.0, 80.0] {
            let score = scored("echocardiography", &[("rvsp_mmhg", pressure)], "rvsp_mmhg", 1);
            assert!((score - pressure).abs() < 0.2, "{score} for {pressure}");
        }
        assert_eq!(scored("shaq_vas", &[("vas_pain", 1.19)], "vas_pain", 1), 1.19);
    }

    #[test]
    fn scores_reckoned_without_answers_are_those_of_the_answers() {
        for (instrument, output, most, steps) in
            [("dlqi", "total", 30.0, 30), ("haq_di", "haq_di", 3.0, 24), ("ssc_haq", "ssc_haq", 3.0, 3_000)]
        {
            let reckoned = super::scored(instrument, output).unwrap();
            for step in 0..=steps {
                let wanted = most * f64::from(step) / f64::from(steps);
                let seed = step as u64;
                let from_answers = scored(instrument, &[(output, wanted)], output, seed);
                let mut draws = Streams::new(seed).of(1, "test", 0);
                assert_eq!(reckoned(wanted, &mut draws), from_answers, "{instrument} {wanted}");
            }
        }
    }

    #[test]
    fn corrected_scores_reckoned_without_answers_are_those_of_the_answers() {
        let reckoned = scored_corrected("ssc_haq", "ssc_haq", CORRECTED).unwrap();
        let mut lowered = 0;
        for step in 0..=3_000 {
            let wanted = f64::from(step) / 1_000.0;
            let draws = Streams::new(step as u64).of(1, "test", 0);
            let mut filled = scleroderma(wanted, &mut draws.clone());
            let (first, value) = filled.iter_mut().min_by(|one, other| one.0.cmp(&other.0)).unwrap();
            assert_eq!(first.as_str(), CORRECTED);
            let Value::Integer(answer) = value else { panic!("{value}") };
            lowered += u32::from(*answer == 3);
            *answer += if *answer < 3 { 1 } else { -1 };
            let answers = |item: &str| {
                filled.iter().find(|(id, _)| *id == *item).map(|(_, value)| Answer::Given(value.clone()))
            };
            let scores = by_id("ssc_haq").unwrap().score(&answers, &Context::default());
            let score = scores.into_iter().find(|score| score.item == "ssc_haq").unwrap();
            let expected = score.result.unwrap().as_f64().unwrap();
            assert_eq!(reckoned(wanted, &mut draws.clone()), expected, "{wanted}");
        }
        assert!(lowered > 300);
    }

    #[test]
    fn the_summaries_of_filled_items_come_near_the_wanted_ones() {
        for (physical, mental) in [(36.0, 46.0), (25.0, 40.0), (45.0, 55.0), (50.0, 50.0), (30.0, 55.0)] {
            let wanted = [("pcs_us1990", physical), ("mcs_us1990", mental)];
            let (p, m) = (scored("sf36", &wanted, "pcs_us1990", 1), scored("sf36", &wanted, "mcs_us1990", 1));
            assert!(
                (p - physical).abs() < 6.0 && (m - mental).abs() < 6.0,
                "{p} {m} for {physical} {mental}"
            );
        }
    }
}
