//! Modified Rodnan skin score: thickness at 17 sites, 0 to 3 each, total 0 to 51.
//!
//! The score ends at 51, whatever some registry texts say. A missing site leaves the
//! total not scorable; the pro-rata total (17 times the mean, at most two sites missing)
//! is an instrument of its own, so that a study has to ask for it.
//!
//! Source: Clements et al., J Rheumatol 1995;22:1281.

use rust_decimal::Decimal;
use terms::{Answer, Value};

use crate::{
    answers::Answers,
    instrument::{Context, Derived, Instrument, InstrumentItem, Label, NotScorable},
};

/// The number of sites.
pub const SITE_COUNT: usize = 17;

/// The site items in the order of the form.
pub const SITES: [&str; SITE_COUNT] = [
    "face",
    "chest",
    "abdomen",
    "upper_arm_right",
    "upper_arm_left",
    "forearm_right",
    "forearm_left",
    "hand_right",
    "hand_left",
    "fingers_right",
    "fingers_left",
    "thigh_right",
    "thigh_left",
    "leg_right",
    "leg_left",
    "foot_right",
    "foot_left",
];

const fn site(index: usize, en: &'static str, fr: &'static str) -> InstrumentItem {
    InstrumentItem::integer(SITES[index], en, fr, 0, 3)
}

const SITE_ITEMS: [InstrumentItem; SITE_COUNT] = [
    site(0, "Face", "Visage"),
    site(1, "Anterior chest", "Thorax antérieur"),
    site(2, "Abdomen", "Abdomen"),
    site(3, "Upper arm, right", "Bras droit"),
    site(4, "Upper arm, left", "Bras gauche"),
    site(5, "Forearm, right", "Avant-bras droit"),
    site(6, "Forearm, left", "Avant-bras gauche"),
    site(7, "Back of hand, right", "Dos de la main droite"),
    site(8, "Back of hand, left", "Dos de la main gauche"),
    site(9, "Fingers, right", "Doigts, main droite"),
    site(10, "Fingers, left", "Doigts, main gauche"),
    site(11, "Thigh, right", "Cuisse droite"),
    site(12, "Thigh, left", "Cuisse gauche"),
    site(13, "Leg, right", "Jambe droite"),
    site(14, "Leg, left", "Jambe gauche"),
    site(15, "Foot, right", "Pied droit"),
    site(16, "Foot, left", "Pied gauche"),
];

const TOTAL: InstrumentItem =
    InstrumentItem::integer("total", "Total skin score", "Score cutané total", 0, 51).derived();

const TOTAL_PRO_RATA: InstrumentItem = InstrumentItem::decimal(
    "total",
    "Total skin score, pro rata",
    "Score cutané total, au prorata",
    (0, 51),
    2,
    "1",
)
.derived();

const PRO_RATED: InstrumentItem =
    InstrumentItem::boolean("pro_rated", "Total completed pro rata", "Total complété au prorata").derived();

static ITEMS: [InstrumentItem; 18] = with(TOTAL);

static ITEMS_PRO_RATA: [InstrumentItem; 19] = {
    let mut items = [PRO_RATED; 19];
    let complete = with(TOTAL_PRO_RATA);
    let mut index = 0;
    while index < complete.len() {
        items[index] = complete[index];
        index += 1;
    }
    items
};

const fn with(total: InstrumentItem) -> [InstrumentItem; 18] {
    let mut items = [total; 18];
    let mut index = 0;
    while index < SITE_COUNT {
        items[index] = SITE_ITEMS[index];
        index += 1;
    }
    items
}

/// The greatest number of missing sites that the pro-rata total completes.
const PRO_RATA_MISSING_MAX: usize = 2;

/// The thickness found at each site, in the order of [`SITES`]; `None` if the site is missing.
///
/// An amputated or inaccessible site is missing, not 0.
pub type SiteScores = [Option<Decimal>; SITE_COUNT];

/// Returns the sum over the 17 sites, 0 to 51.
///
/// # Errors
/// A site outside 0, 1, 2, 3 ([`NotScorable::NotAllowed`], which prevails), or a missing
/// site ([`NotScorable::Missing`], the first).
pub fn total(scores: &SiteScores) -> Result<i64, NotScorable> {
    let sum = sum_of_answered(scores)?;
    match missing(scores).first() {
        None => Ok(sum),
        Some(item) => Err(NotScorable::Missing { item }),
    }
}

/// Returns 17 times the mean of the answered sites, at most two being missing.
///
/// # Errors
/// A site outside 0, 1, 2, 3, or more than two missing.
pub fn total_pro_rata(scores: &SiteScores) -> Result<Decimal, NotScorable> {
    let sum = sum_of_answered(scores)?;
    let answered = SITE_COUNT - missing(scores).len();
    if answered + PRO_RATA_MISSING_MAX < SITE_COUNT {
        return Err(NotScorable::TooFewAnswered { answered, needed: SITE_COUNT - PRO_RATA_MISSING_MAX });
    }
    Ok(Decimal::from(sum * SITE_COUNT as i64) / Decimal::from(answered))
}

/// Returns the missing sites in the order of [`SITES`].
pub fn missing(scores: &SiteScores) -> Vec<&'static str> {
    SITES.iter().zip(scores).filter(|(_, score)| score.is_none()).map(|(site, _)| *site).collect()
}

fn sum_of_answered(scores: &SiteScores) -> Result<i64, NotScorable> {
    let allowed = [0i64, 1, 2, 3];
    SITES.iter().zip(scores).filter_map(|(item, score)| score.map(|score| (item, score))).try_fold(
        0,
        |sum, (item, score)| {
            let grade = allowed.into_iter().find(|grade| Decimal::from(*grade) == score);
            grade.map(|grade| sum + grade).ok_or(NotScorable::NotAllowed { item })
        },
    )
}

fn scores(answers: &dyn Fn(&str) -> Option<Answer>) -> Result<SiteScores, NotScorable> {
    let mut scores = [None; SITE_COUNT];
    for (score, item) in scores.iter_mut().zip(SITES) {
        *score = Answers(answers).number(item)?;
    }
    Ok(scores)
}

/// The instrument `mrss`.
pub struct Mrss {
    pro_rata: bool,
}

/// The skin score; any missing site leaves it without a total.
pub static MRSS: Mrss = Mrss { pro_rata: false };

/// The skin score completed pro rata for at most two missing sites, and flagged.
pub static MRSS_PRO_RATA: Mrss = Mrss { pro_rata: true };

impl Instrument for Mrss {
    fn id(&self) -> &'static str {
        if self.pro_rata { "mrss_pro_rata" } else { "mrss" }
    }

    fn title(&self) -> Label {
        Label { en: "Modified Rodnan skin score", fr: "Score cutané de Rodnan modifié" }
    }

    fn items(&self) -> &'static [InstrumentItem] {
        if self.pro_rata { &ITEMS_PRO_RATA } else { &ITEMS }
    }

    fn version(&self) -> &'static str {
        if self.pro_rata { "17 sites, 0-51, pro rata for at most 2 missing" } else { "17 sites, 0-51" }
    }

    fn source(&self) -> &'static str {
        "Clements et al., J Rheumatol 1995;22:1281"
    }

    fn score(&self, answers: &dyn Fn(&str) -> Option<Answer>, _: &Context) -> Vec<Derived> {
        let scores = scores(answers);
        if !self.pro_rata {
            let result = scores.and_then(|scores| total(&scores)).map(Value::Integer);
            return vec![Derived { item: "total", result }];
        }
        let flag = scores
            .clone()
            .and_then(|scores| total_pro_rata(&scores).map(|_| Value::Boolean(!missing(&scores).is_empty())));
        let completed = scores.and_then(|scores| total_pro_rata(&scores));
        vec![crate::answers::derived("total", 2, completed), Derived { item: "pro_rated", result: flag }]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all_at(score: i64) -> SiteScores {
        [Some(Decimal::from(score)); SITE_COUNT]
    }

    #[test]
    fn the_score_ends_at_51() {
        assert_eq!(total(&all_at(3)), Ok(51));
        assert_eq!(total(&all_at(0)), Ok(0));
    }

    #[test]
    fn a_missing_site_leaves_no_total() {
        let mut scores = all_at(1);
        scores[9] = None;
        assert_eq!(total(&scores), Err(NotScorable::Missing { item: "fingers_right" }));
    }

    #[test]
    fn a_site_outside_0_to_3_is_refused_even_where_another_is_missing() {
        let mut scores = all_at(1);
        scores[0] = None;
        for wrong in ["-1", "4", "1.5"] {
            scores[8] = Some(wrong.parse().unwrap());
            assert_eq!(total(&scores), Err(NotScorable::NotAllowed { item: "hand_left" }), "{wrong}");
        }
    }

    #[test]
    fn two_missing_sites_are_completed_pro_rata_and_three_are_not() {
        let mut scores = all_at(2);
        scores[0] = None;
        scores[1] = None;
        assert_eq!(total_pro_rata(&scores), Ok(Decimal::from(34)));
        scores[2] = None;
        assert_eq!(total_pro_rata(&scores), Err(NotScorable::TooFewAnswered { answered: 14, needed: 15 }));
    }

    #[test]
    fn the_form_flags_a_completed_total() {
        let answers = |item: &str| match item {
            "face" => None,
            _ => Some(Answer::Given(Value::Integer(1))),
        };
        let scored = MRSS_PRO_RATA.score(&answers, &Context::default());
        assert_eq!(scored[0].result, Ok(Value::Decimal(Decimal::from(17))));
        assert_eq!(scored[1].result, Ok(Value::Boolean(true)));
        let scored = MRSS.score(&answers, &Context::default());
        assert_eq!(scored[0].result, Err(NotScorable::Missing { item: "face" }));
    }

    proptest! {
        #[test]
        fn a_thicker_site_raises_the_total_by_as_much(
            sites in proptest::array::uniform17(0i64..=3), site in 0usize..17,
        ) {
            let mut scores = sites.map(|score| Some(Decimal::from(score)));
            let before = total(&scores).unwrap();
            scores[site] = Some(Decimal::from(3));
            prop_assert_eq!(total(&scores).unwrap() - before, 3 - sites[site]);
        }
    }
}
