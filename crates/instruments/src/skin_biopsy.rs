//! Skin biopsy as one reader sees one coded slide.
//!
//! Dermal thickness in mm: the mean of 5 lines from the dermo-epidermal junction to the
//! border of the subcutis. Where that border is not in the section the thickness is only
//! known to exceed what is there: not scorable. Hyalinised collagen is a percentage of the
//! dermis; myofibroblasts are graded 0 to 3. Two readers are compared by
//! [`needs_third_reader`].
//!
//! Source: protocol definition; both gradings follow the local skin score (Kissin et al.,
//! Arthritis Rheum 2006;54:3655).

use rust_decimal::Decimal;
use terms::Answer;

use crate::{
    answers::{Answers, derived},
    instrument::{CodeLabel, Context, Derived, Instrument, InstrumentItem, Label, NotScorable},
};

const LINES: [&str; 5] = ["line_1_mm", "line_2_mm", "line_3_mm", "line_4_mm", "line_5_mm"];

/// Returns the mean of the five lines in mm.
///
/// # Errors
/// The lower border is not in the section, or a line is missing or not above 0.
pub fn dermal_thickness(
    lines_mm: &[Option<Decimal>; 5],
    border_in_section: bool,
) -> Result<Decimal, NotScorable> {
    if !border_in_section {
        return Err(NotScorable::Undefined { why: "the border of the subcutis is not in the section" });
    }
    let mut sum = Decimal::ZERO;
    for (line, item) in lines_mm.iter().zip(LINES) {
        let line = line.ok_or(NotScorable::Missing { item })?;
        if line <= Decimal::ZERO {
            return Err(NotScorable::NotAllowed { item });
        }
        sum += line;
    }
    Ok(sum / Decimal::from(LINES.len()))
}

/// Says whether two readers' thickness differs by more than 0.3 mm, or by more than 15 % of their mean.
pub fn needs_third_reader(one_mm: Decimal, other_mm: Decimal) -> bool {
    let difference = (one_mm - other_mm).abs();
    // 15 % of the mean of two is 7.5 % of their sum.
    difference > Decimal::new(3, 1) || difference > Decimal::new(75, 3) * (one_mm + other_mm)
}

static MYOFIBROBLASTS: [CodeLabel; 4] = [
    CodeLabel { code: "0", label: Label { en: "None", fr: "Aucun" } },
    CodeLabel { code: "1", label: Label { en: "Scattered", fr: "Épars" } },
    CodeLabel { code: "2", label: Label { en: "Moderate", fr: "Modérés" } },
    CodeLabel { code: "3", label: Label { en: "Many", fr: "Nombreux" } },
];

const fn line(index: usize, en: &'static str, fr: &'static str) -> InstrumentItem {
    InstrumentItem::decimal(LINES[index], en, fr, (0, 10), 2, "mm")
}

static ITEMS: [InstrumentItem; 9] = [
    InstrumentItem::boolean(
        "border_in_section",
        "Border of the subcutis in the section",
        "Limite de l'hypoderme dans la coupe",
    ),
    line(0, "Thickness, line 1", "Épaisseur, ligne 1"),
    line(1, "Thickness, line 2", "Épaisseur, ligne 2"),
    line(2, "Thickness, line 3", "Épaisseur, ligne 3"),
    line(3, "Thickness, line 4", "Épaisseur, ligne 4"),
    line(4, "Thickness, line 5", "Épaisseur, ligne 5"),
    InstrumentItem::integer(
        "hyalinised_collagen_pct",
        "Hyalinised collagen, %",
        "Collagène hyalinisé, %",
        0,
        100,
    ),
    InstrumentItem::code("myofibroblasts", "Myofibroblasts", "Myofibroblastes", &MYOFIBROBLASTS),
    InstrumentItem::decimal(
        "dermal_thickness_mm",
        "Dermal thickness",
        "Épaisseur du derme",
        (0, 10),
        2,
        "mm",
    )
    .derived(),
];

fn thickness(answers: &Answers<'_>) -> Result<Decimal, NotScorable> {
    let seen = answers.truth("border_in_section")?;
    let seen = seen.ok_or(NotScorable::Missing { item: "border_in_section" })?;
    let mut lines = [None; 5];
    for (line, item) in lines.iter_mut().zip(LINES) {
        *line = answers.number(item)?;
    }
    dermal_thickness(&lines, seen)
}

/// The instrument `skin_biopsy`.
pub struct SkinBiopsy;

/// One reading of one slide.
pub static SKIN_BIOPSY: SkinBiopsy = SkinBiopsy;

impl Instrument for SkinBiopsy {
    fn id(&self) -> &'static str {
        "skin_biopsy"
    }

    fn title(&self) -> Label {
        Label { en: "Skin biopsy", fr: "Biopsie cutanée" }
    }

    fn items(&self) -> &'static [InstrumentItem] {
        &ITEMS
    }

    fn version(&self) -> &'static str {
        "mean of 5 lines"
    }

    fn source(&self) -> &'static str {
        "protocol definition; Kissin et al., Arthritis Rheum 2006;54:3655"
    }

    fn score(&self, answers: &dyn Fn(&str) -> Option<Answer>, _: &Context) -> Vec<Derived> {
        vec![derived("dermal_thickness_mm", 2, thickness(&Answers(answers)))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mm(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn five_lines_are_averaged() {
        let lines = ["1.80", "2.00", "2.10", "1.90", "2.25"].map(|line| Some(mm(line)));
        assert_eq!(dermal_thickness(&lines, true), Ok(mm("2.01")));
        assert!(matches!(dermal_thickness(&lines, false), Err(NotScorable::Undefined { .. })));
        let mut four = lines;
        four[4] = None;
        assert_eq!(dermal_thickness(&four, true), Err(NotScorable::Missing { item: "line_5_mm" }));
    }

    #[test]
    fn a_third_reader_is_called_beyond_three_tenths_or_15_percent() {
        assert!(!needs_third_reader(mm("2.30"), mm("2.00")));
        assert!(needs_third_reader(mm("2.31"), mm("2.00")));
        assert!(needs_third_reader(mm("1.17"), mm("1.00")), "15.7 % of 1.085");
        assert!(!needs_third_reader(mm("1.16"), mm("1.00")), "14.8 % of 1.08");
    }
}
