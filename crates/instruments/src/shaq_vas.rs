//! Scleroderma HAQ visual scales: six marks on a line, each 0 to 3 on its own.
//!
//! `score = 3 mark / line`: 0.2 per cm on the 15 cm line, 0.03 per mm on a 100 mm line. A
//! mark off the line is refused; an unmarked line is missing. The scales are never summed.
//!
//! Source: Steen and Medsger, Arthritis Rheum 1997;40:1984.

use rust_decimal::Decimal;
use terms::Answer;

use crate::{
    answers::{Answers, derived},
    instrument::{Context, Derived, Instrument, InstrumentItem, Label, NotScorable, joined},
};

/// One scale: the entered mark and its derived score.
pub struct Scale {
    /// The mark's item, in mm from the left end.
    pub mark: &'static str,
    /// The derived score, 0 to 3.
    pub score: &'static str,
}

/// The scales in the order of the form.
pub const SCALES: [Scale; 6] = [
    Scale { mark: "vas_pain_mm", score: "vas_pain" },
    Scale { mark: "vas_intestinal_mm", score: "vas_intestinal" },
    Scale { mark: "vas_breathing_mm", score: "vas_breathing" },
    Scale { mark: "vas_raynaud_mm", score: "vas_raynaud" },
    Scale { mark: "vas_finger_ulcers_mm", score: "vas_finger_ulcers" },
    Scale { mark: "vas_overall_mm", score: "vas_overall" },
];

/// Returns the score of a mark, 0 to 3.
///
/// # Errors
/// A mark off the line ([`NotScorable::NotAllowed`] for `item`).
pub fn score(mark_mm: Decimal, line_mm: Decimal, item: &'static str) -> Result<Decimal, NotScorable> {
    if line_mm <= Decimal::ZERO || mark_mm < Decimal::ZERO || mark_mm > line_mm {
        return Err(NotScorable::NotAllowed { item });
    }
    Ok(Decimal::from(3) * mark_mm / line_mm)
}

/// Scores one scale of a form.
pub(crate) fn answered(scale: &Scale, answers: &Answers<'_>, line_mm: i64) -> Result<Decimal, NotScorable> {
    score(answers.needed_number(scale.mark)?, Decimal::from(line_mm), scale.mark)
}

/// Returns the derived items of the six scales.
pub(crate) fn derived_scores(answers: &Answers<'_>, line_mm: i64) -> Vec<Derived> {
    SCALES.iter().map(|scale| derived(scale.score, 2, answered(scale, answers, line_mm))).collect()
}

const fn mark(index: usize, en: &'static str, fr: &'static str, line_mm: i64) -> InstrumentItem {
    InstrumentItem::decimal(SCALES[index].mark, en, fr, (0, line_mm), 1, "mm")
}

/// The entered marks on a line of some length.
pub(crate) const fn marks(line_mm: i64) -> [InstrumentItem; 6] {
    [
        mark(0, "Pain, mark", "Douleur, marque", line_mm),
        mark(1, "Intestinal, mark", "Intestin, marque", line_mm),
        mark(2, "Breathing, mark", "Respiration, marque", line_mm),
        mark(3, "Raynaud, mark", "Raynaud, marque", line_mm),
        mark(4, "Finger ulcers, mark", "Ulcères digitaux, marque", line_mm),
        mark(5, "Overall severity, mark", "Sévérité globale, marque", line_mm),
    ]
}

const fn scored(index: usize, en: &'static str, fr: &'static str) -> InstrumentItem {
    InstrumentItem::decimal(SCALES[index].score, en, fr, (0, 3), 2, "1").derived()
}

/// The derived scores.
pub(crate) const DERIVED: [InstrumentItem; 6] = [
    scored(0, "Pain, 0-3", "Douleur, 0-3"),
    scored(1, "Intestinal, 0-3", "Intestin, 0-3"),
    scored(2, "Breathing, 0-3", "Respiration, 0-3"),
    scored(3, "Raynaud, 0-3", "Raynaud, 0-3"),
    scored(4, "Finger ulcers, 0-3", "Ulcères digitaux, 0-3"),
    scored(5, "Overall severity, 0-3", "Sévérité globale, 0-3"),
];

static ITEMS_150: [InstrumentItem; 12] = joined(&[&marks(150), &DERIVED]);
static ITEMS_100: [InstrumentItem; 12] = joined(&[&marks(100), &DERIVED]);

/// The six scales on a line of one length.
pub struct ShaqVas {
    line_mm: i64,
}

/// The instrument `shaq_vas`: the 15 cm line.
pub static SHAQ_VAS: ShaqVas = ShaqVas { line_mm: 150 };

/// The instrument `shaq_vas_100mm`: the 100 mm line.
pub static SHAQ_VAS_100MM: ShaqVas = ShaqVas { line_mm: 100 };

impl Instrument for ShaqVas {
    fn id(&self) -> &'static str {
        if self.line_mm == 150 { "shaq_vas" } else { "shaq_vas_100mm" }
    }

    fn title(&self) -> Label {
        Label { en: "Scleroderma HAQ, visual scales", fr: "HAQ sclérodermie, échelles visuelles" }
    }

    fn items(&self) -> &'static [InstrumentItem] {
        if self.line_mm == 150 { &ITEMS_150 } else { &ITEMS_100 }
    }

    fn version(&self) -> &'static str {
        if self.line_mm == 150 { "SHAQ, 150 mm line, 0-3" } else { "SHAQ, 100 mm line, 0-3" }
    }

    fn source(&self) -> &'static str {
        "Steen and Medsger, Arthritis Rheum 1997;40:1984"
    }

    fn needs_content_pack(&self) -> bool {
        true
    }

    fn score(&self, answers: &dyn Fn(&str) -> Option<Answer>, _: &Context) -> Vec<Derived> {
        derived_scores(&Answers(answers), self.line_mm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_centimetre_of_the_15_cm_line_is_a_fifth_of_a_point() {
        let at = |mark: i64, line: i64| score(Decimal::from(mark), Decimal::from(line), "vas_pain_mm");
        assert_eq!(at(10, 150), Ok(Decimal::new(2, 1)));
        assert_eq!(at(1, 100), Ok(Decimal::new(3, 2)));
        assert_eq!(at(150, 150), Ok(Decimal::from(3)));
    }

    #[test]
    fn a_mark_off_the_line_is_refused() {
        for (mark, line) in [(-1, 150), (151, 150), (101, 100), (0, 0)] {
            let refused = score(Decimal::from(mark), Decimal::from(line), "vas_pain_mm");
            assert_eq!(refused, Err(NotScorable::NotAllowed { item: "vas_pain_mm" }), "{mark} of {line}");
        }
    }
}
