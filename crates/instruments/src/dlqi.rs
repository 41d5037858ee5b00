//! Dermatology Life Quality Index: 10 items over the past week, total 0 to 30.
//!
//! Very much 3, a lot 2, a little 1, not at all and not relevant 0. Item 7 has two parts:
//! "yes" scores 3; after "no" or "not relevant" the second part scores a lot 2, a little 1,
//! not at all or nothing 0; without a first part the item is unanswered. One unanswered item
//! counts 0, two or more leave no total; a sub-scale with an unanswered item is not scored.
//! Of two ticks on an item the site enters the higher.
//!
//! Source: Finlay and Khan, Clin Exp Dermatol 1994;19:210; bands: Hongbo et al., J Invest
//! Dermatol 2005;125:659.

use terms::{Answer, Value};

use crate::{
    answers::Answers,
    instrument::{CodeLabel, Context, Derived, Instrument, InstrumentItem, Label, NotScorable},
};

/// The number of scored items.
pub const ITEM_COUNT: usize = 10;

/// The greatest number of unanswered items that a total allows.
const UNANSWERED_MAX: usize = 1;

/// An answer to an item, or to a part of item 7.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// Not relevant.
    NotRelevant,
    /// Not at all; also "no" to the first part of item 7.
    NotAtAll,
    /// A little.
    ALittle,
    /// A lot.
    ALot,
    /// Very much; also "yes" to the first part of item 7.
    VeryMuch,
}

impl Effect {
    /// Returns the effect of a code such as `a_lot`.
    pub fn from_code(code: &str) -> Option<Self> {
        Some(match code {
            "very_much" => Effect::VeryMuch,
            "a_lot" => Effect::ALot,
            "a_little" => Effect::ALittle,
            "not_at_all" => Effect::NotAtAll,
            "not_relevant" => Effect::NotRelevant,
            _ => return None,
        })
    }

    /// Returns the answer to the first part of item 7, whose codes are `yes`, `no` and `not_relevant`.
    pub fn from_main_code(code: &str) -> Option<Self> {
        Some(match code {
            "yes" => Effect::VeryMuch,
            "no" => Effect::NotAtAll,
            "not_relevant" => Effect::NotRelevant,
            _ => return None,
        })
    }

    /// Returns the answer to the second part of item 7, whose codes are `a_lot`, `a_little` and `not_at_all`.
    pub fn from_sub_code(code: &str) -> Option<Self> {
        Self::from_code(code).filter(|effect| (Effect::NotAtAll..=Effect::ALot).contains(effect))
    }

    /// Returns the points, 0 to 3.
    pub fn points(self) -> i64 {
        match self {
            Effect::NotRelevant | Effect::NotAtAll => 0,
            Effect::ALittle => 1,
            Effect::ALot => 2,
            Effect::VeryMuch => 3,
        }
    }
}

/// Returns the answer to item 7 from its two parts; `None` without a first part.
pub fn item_seven(main: Option<Effect>, sub: Option<Effect>) -> Option<Effect> {
    match main? {
        Effect::VeryMuch => Some(Effect::VeryMuch),
        other => Some(sub.unwrap_or(other)),
    }
}

/// How large the effect on the patient's life is, by total.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Band {
    /// 0 to 1.
    None,
    /// 2 to 5.
    Small,
    /// 6 to 10.
    Moderate,
    /// 11 to 20.
    VeryLarge,
    /// 21 to 30.
    ExtremelyLarge,
}

impl Band {
    /// Returns the band of a total.
    pub fn of(total: i64) -> Self {
        match total {
            ..=1 => Band::None,
            2..=5 => Band::Small,
            6..=10 => Band::Moderate,
            11..=20 => Band::VeryLarge,
            21.. => Band::ExtremelyLarge,
        }
    }

    /// Returns the band's code.
    pub fn code(self) -> &'static str {
        match self {
            Band::None => "none",
            Band::Small => "small",
            Band::Moderate => "moderate",
            Band::VeryLarge => "very_large",
            Band::ExtremelyLarge => "extremely_large",
        }
    }
}

/// A sub-scale: its derived item and the items it sums, counted from 0.
pub struct Subscale {
    /// Its id and derived item.
    pub id: &'static str,
    /// Positions of its items.
    pub items: &'static [usize],
}

/// The sub-scales in the order of the form.
pub const SUBSCALES: [Subscale; 6] = [
    Subscale { id: "symptoms_feelings", items: &[0, 1] },
    Subscale { id: "daily_activities", items: &[2, 3] },
    Subscale { id: "leisure", items: &[4, 5] },
    Subscale { id: "work_school", items: &[6] },
    Subscale { id: "relationships", items: &[7, 8] },
    Subscale { id: "treatment", items: &[9] },
];

/// The answers to items 1 to 10; item 7 through [`item_seven`].
pub type Answered = [Option<Effect>; ITEM_COUNT];

/// Returns the number of unanswered items.
pub fn unanswered(items: &Answered) -> usize {
    items.iter().filter(|item| item.is_none()).count()
}

/// Returns the total, 0 to 30.
///
/// # Errors
/// Two or more unanswered items.
pub fn total(items: &Answered) -> Result<i64, NotScorable> {
    let unanswered = unanswered(items);
    if unanswered > UNANSWERED_MAX {
        let (answered, needed) = (ITEM_COUNT - unanswered, ITEM_COUNT - UNANSWERED_MAX);
        return Err(NotScorable::TooFewAnswered { answered, needed });
    }
    Ok(items.iter().flatten().map(|effect| effect.points()).sum())
}

/// Returns a sub-scale's sum.
///
/// # Errors
/// Any of its items is unanswered.
pub fn subscale(items: &Answered, subscale: &Subscale) -> Result<i64, NotScorable> {
    subscale.items.iter().try_fold(0, |sum, index| {
        let effect = items[*index].ok_or(NotScorable::Missing { item: ITEM_IDS[*index] })?;
        Ok(sum + effect.points())
    })
}

const ITEM_IDS: [&str; ITEM_COUNT] = ["q1", "q2", "q3", "q4", "q5", "q6", "q7_main", "q8", "q9", "q10"];

const NOT_RELEVANT: CodeLabel =
    CodeLabel { code: "not_relevant", label: Label { en: "Not relevant", fr: "Non concerné" } };

static EFFECTS: [CodeLabel; 5] = [
    CodeLabel { code: "very_much", label: Label { en: "3", fr: "3" } },
    CodeLabel { code: "a_lot", label: Label { en: "2", fr: "2" } },
    CodeLabel { code: "a_little", label: Label { en: "1", fr: "1" } },
    CodeLabel { code: "not_at_all", label: Label { en: "0", fr: "0" } },
    NOT_RELEVANT,
];

static SEVEN_MAIN: [CodeLabel; 3] = [
    CodeLabel { code: "yes", label: Label { en: "Yes", fr: "Oui" } },
    CodeLabel { code: "no", label: Label { en: "No", fr: "Non" } },
    NOT_RELEVANT,
];

static SEVEN_SUB: [CodeLabel; 3] = [
    CodeLabel { code: "a_lot", label: Label { en: "2", fr: "2" } },
    CodeLabel { code: "a_little", label: Label { en: "1", fr: "1" } },
    CodeLabel { code: "not_at_all", label: Label { en: "0", fr: "0" } },
];

static BANDS: [CodeLabel; 5] = [
    CodeLabel { code: "none", label: Label { en: "No effect", fr: "Aucun effet" } },
    CodeLabel { code: "small", label: Label { en: "Small effect", fr: "Effet faible" } },
    CodeLabel { code: "moderate", label: Label { en: "Moderate effect", fr: "Effet modéré" } },
    CodeLabel { code: "very_large", label: Label { en: "Very large effect", fr: "Effet important" } },
    CodeLabel {
        code: "extremely_large",
        label: Label { en: "Extremely large effect", fr: "Effet très important" },
    },
];

macro_rules! item {
    ($number:literal) => {
        InstrumentItem::code(
            concat!("q", $number),
            concat!("Item ", $number),
            concat!("Question ", $number),
            &EFFECTS,
        )
    };
}

const fn sum(id: &'static str, en: &'static str, fr: &'static str, max: i64) -> InstrumentItem {
    InstrumentItem::integer(id, en, fr, 0, max).derived()
}

static ITEMS: [InstrumentItem; 20] = [
    item!(1),
    item!(2),
    item!(3),
    item!(4),
    item!(5),
    item!(6),
    InstrumentItem::code("q7_main", "Item 7, first part", "Question 7, première partie", &SEVEN_MAIN),
    InstrumentItem::code("q7_sub", "Item 7, second part", "Question 7, seconde partie", &SEVEN_SUB)
        .optional(),
    item!(8),
    item!(9),
    item!(10),
    sum("total", "DLQI total", "DLQI total", 30),
    InstrumentItem::code("band", "Size of the effect", "Importance de l'effet", &BANDS).derived(),
    sum("unanswered", "Items unanswered", "Questions sans réponse", 10),
    sum("symptoms_feelings", "Symptoms and feelings", "Symptômes et ressenti", 6),
    sum("daily_activities", "Daily activities", "Activités quotidiennes", 6),
    sum("leisure", "Leisure", "Loisirs", 6),
    sum("work_school", "Work and school", "Travail et études", 3),
    sum("relationships", "Personal relationships", "Relations personnelles", 6),
    sum("treatment", "Treatment", "Traitement", 3),
];

/// The instrument `dlqi`.
pub struct Dlqi;

/// The quality-of-life index.
pub static DLQI: Dlqi = Dlqi;

fn read(answers: &Answers<'_>) -> Result<Answered, NotScorable> {
    let coded = |item: &'static str, from: fn(&str) -> Option<Effect>| {
        let code = answers.code(item)?;
        code.map(|code| from(&code).ok_or(NotScorable::NotAllowed { item })).transpose()
    };
    let mut items = [None; ITEM_COUNT];
    for (answer, id) in items.iter_mut().zip(ITEM_IDS) {
        *answer = match id {
            "q7_main" => {
                item_seven(coded(id, Effect::from_main_code)?, coded("q7_sub", Effect::from_sub_code)?)
            }
            _ => coded(id, Effect::from_code)?,
        };
    }
    Ok(items)
}

impl Instrument for Dlqi {
    fn id(&self) -> &'static str {
        "dlqi"
    }

    fn title(&self) -> Label {
        Label { en: "Dermatology Life Quality Index", fr: "Dermatology Life Quality Index" }
    }

    fn items(&self) -> &'static [InstrumentItem] {
        &ITEMS
    }

    fn version(&self) -> &'static str {
        "DLQI, one unanswered item counts 0"
    }

    fn source(&self) -> &'static str {
        "Finlay and Khan, Clin Exp Dermatol 1994;19:210"
    }

    fn needs_content_pack(&self) -> bool {
        true
    }

    fn score(&self, answers: &dyn Fn(&str) -> Option<Answer>, _: &Context) -> Vec<Derived> {
        let items = read(&Answers(answers));
        let of = |score: &dyn Fn(&Answered) -> Result<i64, NotScorable>| {
            items.as_ref().map_err(Clone::clone).and_then(score)
        };
        let band = of(&total).map(|total| Value::Code(Band::of(total).code().to_owned()));
        let mut all = vec![
            Derived { item: "total", result: of(&total).map(Value::Integer) },
            Derived { item: "band", result: band },
            Derived {
                item: "unanswered",
                result: of(&|items| Ok(unanswered(items) as i64)).map(Value::Integer),
            },
        ];
        all.extend(SUBSCALES.iter().map(|scale| Derived {
            item: scale.id,
            result: of(&|items| subscale(items, scale)).map(Value::Integer),
        }));
        all
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn item_seven_takes_its_second_part_unless_the_first_is_yes() {
        use Effect::*;
        assert_eq!(item_seven(Some(VeryMuch), Some(ALittle)), Some(VeryMuch));
        assert_eq!(item_seven(Some(NotAtAll), Some(ALot)), Some(ALot));
        assert_eq!(item_seven(Some(NotRelevant), Some(ALittle)), Some(ALittle));
        assert_eq!(item_seven(Some(NotAtAll), None).map(Effect::points), Some(0));
        assert_eq!(item_seven(None, Some(ALot)), None);
    }

    #[test]
    fn one_unanswered_item_counts_0_and_two_leave_no_total() {
        let mut items = [Some(Effect::VeryMuch); ITEM_COUNT];
        items[0] = None;
        assert_eq!(total(&items), Ok(27));
        assert_eq!(subscale(&items, &SUBSCALES[0]), Err(NotScorable::Missing { item: "q1" }));
        items[9] = None;
        assert_eq!(total(&items), Err(NotScorable::TooFewAnswered { answered: 8, needed: 9 }));
    }

    #[test]
    fn the_bands_part_at_the_published_totals() {
        let codes = [0, 1, 2, 5, 6, 10, 11, 20, 21, 30].map(|total| Band::of(total).code());
        let (n, s, m, v, e) = ("none", "small", "moderate", "very_large", "extremely_large");
        assert_eq!(codes, [n, n, s, s, m, m, v, v, e, e]);
    }

    #[test]
    fn an_unknown_code_is_refused_on_the_form() {
        let answers = |item: &str| match item {
            "q4" => Some(Answer::Given(Value::Code("sometimes".to_owned()))),
            _ => None,
        };
        let scored = DLQI.score(&answers, &Context::default());
        assert!(scored.iter().all(|one| one.result == Err(NotScorable::NotAllowed { item: "q4" })));
    }

    proptest! {
        #[test]
        fn the_sub_scales_add_up_to_the_total(points in proptest::array::uniform10(0usize..5)) {
            use Effect::*;
            let items = points.map(|point| Some([NotRelevant, NotAtAll, ALittle, ALot, VeryMuch][point]));
            let sum: i64 = SUBSCALES.iter().map(|scale| subscale(&items, scale).unwrap()).sum();
            prop_assert_eq!(total(&items), Ok(sum));
        }
    }
}
