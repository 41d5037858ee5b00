//! Health Assessment Questionnaire disability index: 20 items in 8 categories, 0 to 3.
//!
//! A category scores its highest answered item. If an aid or help is marked for it, 0 and
//! 1 become 2, and 2 and 3 stay; the rule of some texts that adds a point is not used. A
//! category without an answered item is missing even if an aid is marked. The index is the
//! mean over the categories present, at least 6 of 8. The index without aids stands beside
//! it.
//!
//! Source: Fries et al., Arthritis Rheum 1980;23:137; Bruce and Fries, J Rheumatol 2003;30:167.

use rust_decimal::Decimal;
use terms::{Answer, Value};

use crate::{
    answers::{Answers, derived},
    instrument::{Context, Derived, Instrument, InstrumentItem, Label, NotScorable, joined},
};

/// The number of categories.
pub const CATEGORY_COUNT: usize = 8;

/// The least number of categories that an index is made of.
pub const CATEGORIES_NEEDED: usize = 6;

/// One category: its items, the devices that count for it, and its derived score.
pub struct Category {
    /// Its id.
    pub id: &'static str,
    /// Its question items.
    pub items: &'static [&'static str],
    /// The items that mark an aid or help for it.
    pub aids: &'static [&'static str],
    /// The derived item of its score.
    pub score: &'static str,
}

/// The categories in the order of the questionnaire.
pub const CATEGORIES: [Category; CATEGORY_COUNT] = [
    Category {
        id: "dressing",
        items: &["dressing_1", "dressing_2"],
        aids: &["aid_dressing_devices", "help_dressing"],
        score: "category_dressing",
    },
    Category {
        id: "arising",
        items: &["arising_1", "arising_2"],
        aids: &["aid_special_chair", "help_arising"],
        score: "category_arising",
    },
    Category {
        id: "eating",
        items: &["eating_1", "eating_2", "eating_3"],
        aids: &["aid_utensils", "help_eating"],
        score: "category_eating",
    },
    Category {
        id: "walking",
        items: &["walking_1", "walking_2"],
        aids: &["aid_cane", "aid_walker", "aid_crutches", "aid_wheelchair", "help_walking"],
        score: "category_walking",
    },
    Category {
        id: "hygiene",
        items: &["hygiene_1", "hygiene_2", "hygiene_3"],
        aids: &["aid_raised_seat", "aid_bath_seat", "aid_bath_rail", "aid_bath_tool", "help_hygiene"],
        score: "category_hygiene",
    },
    Category {
        id: "reach",
        items: &["reach_1", "reach_2"],
        aids: &["aid_reach_tool", "help_reach"],
        score: "category_reach",
    },
    Category {
        id: "grip",
        items: &["grip_1", "grip_2", "grip_3"],
        aids: &["aid_jar_opener", "help_grip"],
        score: "category_grip",
    },
    Category {
        id: "activities",
        items: &["activities_1", "activities_2", "activities_3"],
        aids: &["help_activities"],
        score: "category_activities",
    },
];

/// Answered items (0 to 3) and whether an aid or help is marked, by category.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Responses {
    /// The answers of each category's items; `None` where unanswered.
    pub items: [Vec<Option<Decimal>>; CATEGORY_COUNT],
    /// Whether any aid or help is marked for the category.
    pub aided: [bool; CATEGORY_COUNT],
}

/// The scores of one questionnaire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scores {
    /// Each category's score with aids, 0 to 3.
    pub categories: [Result<i64, NotScorable>; CATEGORY_COUNT],
    /// The number of categories with an answered item.
    pub category_count: usize,
    /// The disability index.
    pub index: Result<Decimal, NotScorable>,
    /// The index as if no aid or help had been marked.
    pub index_no_aids: Result<Decimal, NotScorable>,
}

/// Scores the answers.
pub fn score(responses: &Responses) -> Scores {
    let plain: [_; CATEGORY_COUNT] =
        std::array::from_fn(|index| highest(&CATEGORIES[index], &responses.items[index]));
    let categories: [_; CATEGORY_COUNT] = std::array::from_fn(|index| {
        let aided = responses.aided[index];
        plain[index].clone().map(|score| if aided { score.max(2) } else { score })
    });
    Scores {
        category_count: categories.iter().filter(|category| category.is_ok()).count(),
        index: mean(&categories),
        index_no_aids: mean(&plain),
        categories,
    }
}

fn highest(category: &Category, items: &[Option<Decimal>]) -> Result<i64, NotScorable> {
    let grades = category.items.iter().zip(items).filter_map(|(item, answer)| {
        let grade = |answer| (0..=3).find(|grade| Decimal::from(*grade) == answer);
        answer.map(|answer| grade(answer).ok_or(NotScorable::NotAllowed { item }))
    });
    let grades = grades.collect::<Result<Vec<i64>, _>>()?;
    grades.into_iter().max().ok_or(NotScorable::Missing { item: category.items[0] })
}

fn mean(categories: &[Result<i64, NotScorable>; CATEGORY_COUNT]) -> Result<Decimal, NotScorable> {
    let (sum, count) = sum_of_present(categories)?;
    Ok(Decimal::from(sum) / Decimal::from(count))
}

/// Returns sum and number of the categories present, if there are enough.
pub(crate) fn sum_of_present(
    categories: &[Result<i64, NotScorable>; CATEGORY_COUNT],
) -> Result<(i64, usize), NotScorable> {
    let refused = categories.iter().find_map(|category| match category {
        Err(refused @ NotScorable::NotAllowed { .. }) => Some(refused.clone()),
        _ => None,
    });
    if let Some(refused) = refused {
        return Err(refused);
    }
    let present = categories.iter().flatten().copied().collect::<Vec<_>>();
    if present.len() < CATEGORIES_NEEDED {
        return Err(NotScorable::TooFewAnswered { answered: present.len(), needed: CATEGORIES_NEEDED });
    }
    Ok((present.iter().sum(), present.len()))
}

/// Reads the responses of a form that holds the questionnaire.
pub(crate) fn responses(answers: &Answers<'_>) -> Result<Responses, NotScorable> {
    let mut responses = Responses::default();
    for (index, category) in CATEGORIES.iter().enumerate() {
        for item in category.items {
            responses.items[index].push(answers.number(item)?);
        }
        for aid in category.aids {
            responses.aided[index] |= answers.truth(aid)?.unwrap_or(false);
        }
    }
    Ok(responses)
}

/// Returns the derived items of the questionnaire.
pub(crate) fn derived_scores(responses: &Result<Responses, NotScorable>) -> Vec<Derived> {
    let scores = responses.as_ref().map(score).map_err(Clone::clone);
    let of = |read: &dyn Fn(&Scores) -> Result<Value, NotScorable>| scores.clone().and_then(|s| read(&s));
    let mut all = CATEGORIES
        .iter()
        .enumerate()
        .map(|(index, category)| Derived {
            item: category.score,
            result: of(&|scores| scores.categories[index].clone().map(Value::Integer)),
        })
        .collect::<Vec<_>>();
    let count = of(&|scores| Ok(Value::Integer(scores.category_count as i64)));
    all.push(Derived { item: "category_count", result: count });
    all.push(derived("haq_di", 3, scores.clone().and_then(|scores| scores.index)));
    all.push(derived("haq_di_no_aids", 3, scores.and_then(|scores| scores.index_no_aids)));
    all
}

const fn difficulty(id: &'static str, en: &'static str, fr: &'static str) -> InstrumentItem {
    InstrumentItem::integer(id, en, fr, 0, 3)
}

const fn aid(id: &'static str, en: &'static str, fr: &'static str) -> InstrumentItem {
    InstrumentItem::boolean(id, en, fr).optional()
}

const fn category(id: &'static str, en: &'static str, fr: &'static str) -> InstrumentItem {
    InstrumentItem::integer(id, en, fr, 0, 3).derived()
}

/// The entered items: 20 questions, 13 devices, help in 8 categories.
pub(crate) const ENTERED: [InstrumentItem; 41] = [
    difficulty("dressing_1", "Dressing, item 1", "Habillage, question 1"),
    difficulty("dressing_2", "Dressing, item 2", "Habillage, question 2"),
    difficulty("arising_1", "Arising, item 1", "Se lever, question 1"),
    difficulty("arising_2", "Arising, item 2", "Se lever, question 2"),
    difficulty("eating_1", "Eating, item 1", "Repas, question 1"),
    difficulty("eating_2", "Eating, item 2", "Repas, question 2"),
    difficulty("eating_3", "Eating, item 3", "Repas, question 3"),
    difficulty("walking_1", "Walking, item 1", "Marche, question 1"),
    difficulty("walking_2", "Walking, item 2", "Marche, question 2"),
    difficulty("hygiene_1", "Hygiene, item 1", "Hygiène, question 1"),
    difficulty("hygiene_2", "Hygiene, item 2", "Hygiène, question 2"),
    difficulty("hygiene_3", "Hygiene, item 3", "Hygiène, question 3"),
    difficulty("reach_1", "Reach, item 1", "Attraper, question 1"),
    difficulty("reach_2", "Reach, item 2", "Attraper, question 2"),
    difficulty("grip_1", "Grip, item 1", "Préhension, question 1"),
    difficulty("grip_2", "Grip, item 2", "Préhension, question 2"),
    difficulty("grip_3", "Grip, item 3", "Préhension, question 3"),
    difficulty("activities_1", "Activities, item 1", "Activités, question 1"),
    difficulty("activities_2", "Activities, item 2", "Activités, question 2"),
    difficulty("activities_3", "Activities, item 3", "Activités, question 3"),
    aid("aid_dressing_devices", "Aid: dressing devices", "Aide : pour s'habiller"),
    aid("aid_special_chair", "Aid: special chair", "Aide : siège spécial"),
    aid("aid_utensils", "Aid: special utensils", "Aide : couverts adaptés"),
    aid("aid_cane", "Aid: cane", "Aide : canne"),
    aid("aid_walker", "Aid: walker", "Aide : déambulateur"),
    aid("aid_crutches", "Aid: crutches", "Aide : béquilles"),
    aid("aid_wheelchair", "Aid: wheelchair", "Aide : fauteuil roulant"),
    aid("aid_raised_seat", "Aid: raised toilet seat", "Aide : siège de toilettes surélevé"),
    aid("aid_bath_seat", "Aid: bath seat", "Aide : siège de baignoire"),
    aid("aid_bath_rail", "Aid: bath rail", "Aide : barre d'appui de baignoire"),
    aid("aid_bath_tool", "Aid: long-handled bath tool", "Aide : brosse de bain à long manche"),
    aid("aid_reach_tool", "Aid: long-handled reach tool", "Aide : pince à long manche"),
    aid("aid_jar_opener", "Aid: jar opener", "Aide : ouvre-bocal"),
    aid("help_dressing", "Help: dressing", "Aide d'une personne : habillage"),
    aid("help_arising", "Help: arising", "Aide d'une personne : se lever"),
    aid("help_eating", "Help: eating", "Aide d'une personne : repas"),
    aid("help_walking", "Help: walking", "Aide d'une personne : marche"),
    aid("help_hygiene", "Help: hygiene", "Aide d'une personne : hygiène"),
    aid("help_reach", "Help: reach", "Aide d'une personne : attraper"),
    aid("help_grip", "Help: grip", "Aide d'une personne : préhension"),
    aid("help_activities", "Help: activities", "Aide d'une personne : activités"),
];

/// The derived items: categories, their number, the two indices.
pub(crate) const DERIVED: [InstrumentItem; 11] = [
    category("category_dressing", "Dressing", "Habillage"),
    category("category_arising", "Arising", "Se lever"),
    category("category_eating", "Eating", "Repas"),
    category("category_walking", "Walking", "Marche"),
    category("category_hygiene", "Hygiene", "Hygiène"),
    category("category_reach", "Reach", "Attraper"),
    category("category_grip", "Grip", "Préhension"),
    category("category_activities", "Activities", "Activités"),
    InstrumentItem::integer("category_count", "Categories answered", "Catégories renseignées", 0, 8)
        .derived(),
    InstrumentItem::decimal("haq_di", "HAQ-DI", "HAQ-DI", (0, 3), 3, "1").derived(),
    InstrumentItem::decimal("haq_di_no_aids", "HAQ-DI without aids", "HAQ-DI sans les aides", (0, 3), 3, "1")
        .derived(),
];

static ITEMS: [InstrumentItem; 52] = joined(&[&ENTERED, &DERIVED]);

/// The instrument `haq_di`.
pub struct HaqDi;

/// The disability index.
pub static HAQ_DI: HaqDi = HaqDi;

impl Instrument for HaqDi {
    fn id(&self) -> &'static str {
        "haq_di"
    }

    fn title(&self) -> Label {
        Label {
            en: "Health Assessment Questionnaire, disability index",
            fr: "Health Assessment Questionnaire, indice d'incapacité",
        }
    }

    fn items(&self) -> &'static [InstrumentItem] {
        &ITEMS
    }

    fn version(&self) -> &'static str {
        "HAQ-DI, aids raise 0 or 1 to 2, at least 6 of 8 categories"
    }

    fn source(&self) -> &'static str {
        "Fries et al., Arthritis Rheum 1980;23:137"
    }

    fn needs_content_pack(&self) -> bool {
        true
    }

    fn score(&self, answers: &dyn Fn(&str) -> Option<Answer>, _: &Context) -> Vec<Derived> {
        derived_scores(&responses(&Answers(answers)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all_at(grade: i64) -> Responses {
        let mut responses = Responses::default();
        for (index, category) in CATEGORIES.iter().enumerate() {
            responses.items[index] = vec![Some(Decimal::from(grade)); category.items.len()];
        }
        responses
    }

    fn number(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn an_aid_raises_0_and_1_to_2_and_leaves_3() {
        for (grade, raised) in [(0, 2), (1, 2), (2, 2), (3, 3)] {
            let mut responses = all_at(grade);
            responses.aided[0] = true;
            let scores = score(&responses);
            assert_eq!(scores.categories[0], Ok(raised));
            assert_eq!(scores.index_no_aids, Ok(Decimal::from(grade)));
        }
    }

    #[test]
    fn a_category_without_an_answer_is_missing_even_if_an_aid_is_marked() {
        let mut responses = all_at(1);
        responses.items[6] = vec![None; 3];
        responses.aided[6] = true;
        let scores = score(&responses);
        assert_eq!(scores.categories[6], Err(NotScorable::Missing { item: "grip_1" }));
        assert_eq!((scores.category_count, scores.index), (7, Ok(Decimal::ONE)));
    }

    #[test]
    fn six_categories_are_scored_and_five_are_not() {
        let mut responses = all_at(1);
        responses.items[0] = vec![None; 2];
        responses.items[1] = vec![None; 2];
        assert_eq!(score(&responses).index, Ok(Decimal::ONE));
        responses.items[2] = vec![None; 3];
        assert_eq!(score(&responses).index, Err(NotScorable::TooFewAnswered { answered: 5, needed: 6 }));
    }

    #[test]
    fn an_answer_outside_0_to_3_is_refused() {
        let mut responses = all_at(1);
        responses.items[2][1] = Some(number("4"));
        assert_eq!(score(&responses).index, Err(NotScorable::NotAllowed { item: "eating_2" }));
    }

    #[test]
    fn a_device_counts_for_its_category() {
        let answers = |item: &str| match item {
            "aid_walker" => Some(Answer::Given(Value::Boolean(true))),
            _ if item.starts_with("aid_") || item.starts_with("help_") => None,
            _ => Some(Answer::Given(Value::Integer(0))),
        };
        let scored = HAQ_DI.score(&answers, &Context::default());
        assert_eq!(scored[3], Derived { item: "category_walking", result: Ok(Value::Integer(2)) });
        assert_eq!(scored[9], Derived { item: "haq_di", result: Ok(Value::Decimal(number("0.25"))) });
    }

    proptest! {
        #[test]
        fn an_aid_never_lowers_the_index(
            grades in proptest::collection::vec(proptest::option::of(0i64..=3), 20),
            aided in proptest::array::uniform8(any::<bool>()),
        ) {
            let mut grades = grades.into_iter().map(|grade| grade.map(Decimal::from));
            let mut responses = Responses { aided, ..Default::default() };
            for (index, category) in CATEGORIES.iter().enumerate() {
                responses.items[index] = grades.by_ref().take(category.items.len()).collect();
            }
            let scores = score(&responses);
            match (scores.index, scores.index_no_aids) {
                (Ok(with), Ok(without)) => {
                    prop_assert!(with >= without);
                    prop_assert!(with >= Decimal::ZERO && with <= Decimal::from(3));
                }
                (Err(_), Err(_)) => prop_assert!(scores.category_count < CATEGORIES_NEEDED),
                mixed => prop_assert!(false, "{mixed:?}"),
            }
        }
    }
}
