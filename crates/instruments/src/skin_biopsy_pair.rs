//! Two slides of one participant side by side, as one reader sees them: which looks better?
//!
//! The reader sees two coded slides in random left-right order and says which shows less
//! disease, or that they look the same. Where the later slide lay is in the custodian's key
//! alone; with it the answer becomes better, same or worse. The participant's own first
//! slide is the standard, so that readers need no common scale.
//!
//! Source: protocol definition.

use terms::{Answer, Value};

use crate::{
    answers::Answers,
    instrument::{CodeLabel, Context, Derived, Instrument, InstrumentItem, Label, NotScorable},
};

/// The instrument's id.
pub const ID: &str = "skin_biopsy_pair";

/// The item that says where the later slide lay; the key knows it, the reader does not.
pub const LATER_SIDE: &str = "later_side";

/// The item that the reader answers.
pub const CLEARER_SIDE: &str = "clearer_side";

/// The derived change from the earlier to the later slide.
pub const MORPHOLOGY: &str = "morphology";

const LEFT: &str = "left";
const RIGHT: &str = "right";
const SAME: &str = "same";

static SIDES: [CodeLabel; 3] = [
    CodeLabel { code: LEFT, label: Label { en: "The left slide", fr: "La lame de gauche" } },
    CodeLabel { code: SAME, label: Label { en: "No difference", fr: "Pas de différence" } },
    CodeLabel { code: RIGHT, label: Label { en: "The right slide", fr: "La lame de droite" } },
];

static PLACES: [CodeLabel; 2] = [
    CodeLabel { code: LEFT, label: Label { en: "Left", fr: "Gauche" } },
    CodeLabel { code: RIGHT, label: Label { en: "Right", fr: "Droite" } },
];

static CHANGES: [CodeLabel; 3] = [
    CodeLabel { code: "better", label: Label { en: "Better", fr: "Meilleure" } },
    CodeLabel { code: SAME, label: Label { en: "Same", fr: "Inchangée" } },
    CodeLabel { code: "worse", label: Label { en: "Worse", fr: "Moins bonne" } },
];

static ITEMS: [InstrumentItem; 3] = [
    InstrumentItem::code(CLEARER_SIDE, "Shows less disease", "Montre le moins de lésions", &SIDES),
    InstrumentItem::code(LATER_SIDE, "Side of the later slide", "Côté de la lame la plus tardive", &PLACES)
        .optional(),
    InstrumentItem::code(MORPHOLOGY, "Morphology, later against earlier", "Morphologie, évolution", &CHANGES)
        .derived(),
];

/// Returns `better`, `same` or `worse`: the later slide against the earlier.
///
/// # Errors
/// An answer that is missing, or no code of the list.
fn change(answers: &Answers<'_>) -> Result<&'static str, NotScorable> {
    let among = |item: &'static str, codes: &'static [CodeLabel]| {
        let given = answers.code(item)?.ok_or(NotScorable::Missing { item })?;
        let known = codes.iter().find(|known| known.code == given);
        known.map(|known| known.code).ok_or(NotScorable::NotAllowed { item })
    };
    let (clearer, later) = (among(CLEARER_SIDE, &SIDES)?, among(LATER_SIDE, &PLACES)?);
    Ok(match clearer {
        SAME => SAME,
        side if side == later => "better",
        _ => "worse",
    })
}

/// The instrument `skin_biopsy_pair`.
pub struct SkinBiopsyPair;

/// One comparison of two slides.
pub static SKIN_BIOPSY_PAIR: SkinBiopsyPair = SkinBiopsyPair;

impl Instrument for SkinBiopsyPair {
    fn id(&self) -> &'static str {
        ID
    }

    fn title(&self) -> Label {
        Label { en: "Skin biopsies compared", fr: "Biopsies cutanées comparées" }
    }

    fn items(&self) -> &'static [InstrumentItem] {
        &ITEMS
    }

    fn version(&self) -> &'static str {
        "pairwise, random sides"
    }

    fn source(&self) -> &'static str {
        "protocol definition"
    }

    fn score(&self, answers: &dyn Fn(&str) -> Option<Answer>, _: &Context) -> Vec<Derived> {
        let result = change(&Answers(answers)).map(|change| Value::Code(change.to_owned()));
        vec![Derived { item: MORPHOLOGY, result }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scored(clearer: Option<&str>, later: Option<&str>) -> Result<Value, NotScorable> {
        let answers = |item: &str| {
            let code = if item == CLEARER_SIDE { clearer } else { later };
            code.map(|code| Answer::Given(Value::Code(code.to_owned())))
        };
        SKIN_BIOPSY_PAIR.score(&answers, &Context::default()).remove(0).result
    }

    #[test]
    fn the_side_of_the_later_slide_turns_the_answer_into_a_change() {
        for (clearer, later, change) in [
            ("left", "left", "better"),
            ("left", "right", "worse"),
            ("right", "right", "better"),
            ("right", "left", "worse"),
            ("same", "left", "same"),
            ("same", "right", "same"),
        ] {
            assert_eq!(scored(Some(clearer), Some(later)), Ok(Value::Code(change.to_owned())));
        }
    }

    #[test]
    fn without_the_key_there_is_no_change() {
        assert_eq!(scored(Some("left"), None), Err(NotScorable::Missing { item: LATER_SIDE }));
        assert_eq!(scored(None, Some("left")), Err(NotScorable::Missing { item: CLEARER_SIDE }));
        assert_eq!(scored(Some("both"), Some("left")), Err(NotScorable::NotAllowed { item: CLEARER_SIDE }));
    }
}
