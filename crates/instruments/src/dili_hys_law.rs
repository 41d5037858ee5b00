//! Liver injury: R ratio and pattern, Temple's corollary, potential Hy's law.
//!
//! `R = (ALT/ULN)/(ALP/ULN)`: from 5 hepatocellular, up to 2 cholestatic, mixed between.
//! Temple's corollary: ALT or AST above 3 x ULN. Potential Hy's law: ALT or AST at least
//! 3 x ULN, bilirubin above 2 x ULN and ALP below 2 x ULN, as peaks of one episode (within 30
//! days); that no other cause explains it is the investigator's to say. Comparisons are in
//! decimal; a missing value leaves open what depends on it.
//!
//! Source: FDA, Drug-induced liver injury: premarketing clinical evaluation, 2009; Danan and
//! Benichou, J Clin Epidemiol 1993;46:1323.

use rust_decimal::Decimal;
use terms::{Answer, Truth, Value};

use crate::{
    answers::{Answers, derived},
    instrument::{CodeLabel, Context, Derived, Instrument, InstrumentItem, Label, NotScorable},
};

/// The peaks of one episode lie within this many days.
pub const EPISODE_DAYS: i32 = 30;

/// Peak values as multiples of the upper limit of normal; `None` where missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Multiples {
    /// Alanine aminotransferase.
    pub alt: Option<Decimal>,
    /// Aspartate aminotransferase.
    pub ast: Option<Decimal>,
    /// Alkaline phosphatase.
    pub alp: Option<Decimal>,
    /// Total bilirubin.
    pub bilirubin: Option<Decimal>,
}

/// The pattern of liver injury.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pattern {
    /// R of at least 5.
    Hepatocellular,
    /// R between 2 and 5.
    Mixed,
    /// R of at most 2.
    Cholestatic,
}

impl Pattern {
    /// Returns the pattern's code.
    pub fn code(self) -> &'static str {
        match self {
            Pattern::Hepatocellular => "hepatocellular",
            Pattern::Mixed => "mixed",
            Pattern::Cholestatic => "cholestatic",
        }
    }
}

fn both(multiples: &Multiples) -> Result<(Decimal, Decimal), NotScorable> {
    let alt = multiples.alt.ok_or(NotScorable::Missing { item: "alt_x_uln" })?;
    let alp = multiples.alp.ok_or(NotScorable::Missing { item: "alp_x_uln" })?;
    if alp <= Decimal::ZERO {
        return Err(NotScorable::Undefined { why: "the alkaline phosphatase is not above 0" });
    }
    Ok((alt, alp))
}

/// Returns the R ratio.
///
/// # Errors
/// ALT or ALP is missing, or ALP is not above 0.
pub fn r_ratio(multiples: &Multiples) -> Result<Decimal, NotScorable> {
    both(multiples).map(|(alt, alp)| alt / alp)
}

/// Returns the pattern, compared without dividing.
///
/// # Errors
/// As [`r_ratio`].
pub fn pattern(multiples: &Multiples) -> Result<Pattern, NotScorable> {
    let (alt, alp) = both(multiples)?;
    Ok(if alt >= Decimal::from(5) * alp {
        Pattern::Hepatocellular
    } else if alt <= Decimal::TWO * alp {
        Pattern::Cholestatic
    } else {
        Pattern::Mixed
    })
}

fn holds(value: Option<Decimal>, test: impl Fn(Decimal) -> bool) -> Truth {
    value.map_or(Truth::Unknown, |value| Truth::from(test(value)))
}

/// Says whether ALT or AST lies above 3 times its limit.
pub fn temple(multiples: &Multiples) -> Truth {
    let above = |value| holds(value, |value| value > Decimal::from(3));
    above(multiples.alt).or(above(multiples.ast))
}

/// Says whether the episode is potentially Hy's law.
pub fn potential_hys_law(multiples: &Multiples) -> Truth {
    let raised = |value| holds(value, |value| value >= Decimal::from(3));
    let jaundice = holds(multiples.bilirubin, |value| value > Decimal::TWO);
    let no_cholestasis = holds(multiples.alp, |value| value < Decimal::TWO);
    raised(multiples.alt).or(raised(multiples.ast)).and(jaundice).and(no_cholestasis)
}

static PATTERNS: [CodeLabel; 3] = [
    CodeLabel { code: "hepatocellular", label: Label { en: "Hepatocellular", fr: "Hépatocellulaire" } },
    CodeLabel { code: "mixed", label: Label { en: "Mixed", fr: "Mixte" } },
    CodeLabel { code: "cholestatic", label: Label { en: "Cholestatic", fr: "Cholestatique" } },
];

static ITEMS: [InstrumentItem; 8] = [
    InstrumentItem::decimal("alt_x_uln", "ALT, x ULN", "ALAT, x LSN", (0, 1000), 2, "1"),
    InstrumentItem::decimal("ast_x_uln", "AST, x ULN", "ASAT, x LSN", (0, 1000), 2, "1"),
    InstrumentItem::decimal("alp_x_uln", "ALP, x ULN", "PAL, x LSN", (0, 1000), 2, "1"),
    InstrumentItem::decimal("bili_x_uln", "Bilirubin, x ULN", "Bilirubine, x LSN", (0, 1000), 2, "1"),
    InstrumentItem::decimal("r_value", "R ratio", "Rapport R", (0, 1000), 2, "1").derived(),
    InstrumentItem::code("pattern", "Pattern", "Profil", &PATTERNS).derived(),
    InstrumentItem::boolean("temple", "Temple's corollary", "Corollaire de Temple").derived(),
    InstrumentItem::boolean("potential_hys_law", "Potential Hy's law", "Loi de Hy possible").derived(),
];

/// The instrument `dili_hys_law`.
pub struct DiliHysLaw;

/// Pattern and warning signs of one episode.
pub static DILI_HYS_LAW: DiliHysLaw = DiliHysLaw;

fn read(answers: &Answers<'_>) -> Result<Multiples, NotScorable> {
    Ok(Multiples {
        alt: answers.number("alt_x_uln")?,
        ast: answers.number("ast_x_uln")?,
        alp: answers.number("alp_x_uln")?,
        bilirubin: answers.number("bili_x_uln")?,
    })
}

/// The first missing value, for a judgement that it leaves open.
fn first_missing(multiples: &Multiples) -> &'static str {
    let values = [
        ("alt_x_uln", multiples.alt),
        ("ast_x_uln", multiples.ast),
        ("bili_x_uln", multiples.bilirubin),
        ("alp_x_uln", multiples.alp),
    ];
    values.iter().find(|(_, value)| value.is_none()).map_or("alt_x_uln", |(item, _)| item)
}

impl Instrument for DiliHysLaw {
    fn id(&self) -> &'static str {
        "dili_hys_law"
    }

    fn title(&self) -> Label {
        Label { en: "Liver injury and Hy's law", fr: "Atteinte hépatique et loi de Hy" }
    }

    fn items(&self) -> &'static [InstrumentItem] {
        &ITEMS
    }

    fn version(&self) -> &'static str {
        "R ratio; Temple > 3; Hy: ALT or AST >= 3, bilirubin > 2, ALP < 2 x ULN"
    }

    fn source(&self) -> &'static str {
        "FDA, Drug-induced liver injury, 2009"
    }

    fn score(&self, answers: &dyn Fn(&str) -> Option<Answer>, _: &Context) -> Vec<Derived> {
        let multiples = read(&Answers(answers));
        let judged = |rule: fn(&Multiples) -> Truth| {
            multiples.clone().and_then(|multiples| match rule(&multiples) {
                Truth::Unknown => Err(NotScorable::Missing { item: first_missing(&multiples) }),
                known => Ok(Value::Boolean(known == Truth::True)),
            })
        };
        let pattern = multiples.clone().and_then(|multiples| pattern(&multiples));
        vec![
            derived("r_value", 2, multiples.clone().and_then(|multiples| r_ratio(&multiples))),
            Derived {
                item: "pattern",
                result: pattern.map(|pattern| Value::Code(pattern.code().to_owned())),
            },
            Derived { item: "temple", result: judged(temple) },
            Derived { item: "potential_hys_law", result: judged(potential_hys_law) },
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn multiples(alt: &str, ast: &str, alp: &str, bilirubin: &str) -> Multiples {
        let read = |text: &str| text.parse().ok();
        Multiples { alt: read(alt), ast: read(ast), alp: read(alp), bilirubin: read(bilirubin) }
    }

    #[test]
    fn hys_law_counts_its_transaminase_limit_and_not_the_others() {
        assert_eq!(potential_hys_law(&multiples("3", "1", "1.9", "2.1")), Truth::True);
        assert_eq!(potential_hys_law(&multiples("2.9", "3", "1.9", "2.1")), Truth::True);
        assert_eq!(potential_hys_law(&multiples("2.9", "2.9", "1.9", "2.1")), Truth::False);
        assert_eq!(potential_hys_law(&multiples("3", "1", "2", "2.1")), Truth::False);
        assert_eq!(potential_hys_law(&multiples("3", "1", "1.9", "2")), Truth::False);
    }

    #[test]
    fn temple_needs_more_than_3() {
        assert_eq!(temple(&multiples("3", "3", "1", "1")), Truth::False);
        assert_eq!(temple(&multiples("1", "3.1", "1", "1")), Truth::True);
    }

    #[test]
    fn the_pattern_takes_in_both_of_its_limits() {
        let of = |alt, alp| pattern(&multiples(alt, "1", alp, "1")).unwrap();
        assert_eq!(of("1.5", "0.3"), Pattern::Hepatocellular);
        assert_eq!(of("0.6", "0.3"), Pattern::Cholestatic);
        assert_eq!(of("0.61", "0.3"), Pattern::Mixed);
    }

    #[test]
    fn a_missing_value_leaves_open_only_what_depends_on_it() {
        assert_eq!(potential_hys_law(&multiples("-", "1", "1", "3")), Truth::Unknown);
        assert_eq!(potential_hys_law(&multiples("-", "1", "1", "1")), Truth::False);
        assert_eq!(temple(&multiples("-", "4", "1", "1")), Truth::True);
        assert_eq!(r_ratio(&multiples("1", "1", "-", "1")), Err(NotScorable::Missing { item: "alp_x_uln" }));
        assert!(matches!(r_ratio(&multiples("1", "1", "0", "1")), Err(NotScorable::Undefined { .. })));
    }
}
