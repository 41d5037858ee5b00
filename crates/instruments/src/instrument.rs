//! What an instrument brings to a form, and how its scores come back.
//!
//! A score is a value or a reason for none ([`NotScorable`]); a missing answer never
//! becomes 0. Instruments are pure: the same answers and context give the same scores.
//! They ship item codes and short labels of their own, never licensed wording; a form
//! whose instrument [needs a content pack](Instrument::needs_content_pack) takes its
//! wording from the pack that a site loads.

use rust_decimal::Decimal;
use terms::{Answer, Value};

/// A short text in the two languages that ship.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label {
    /// English.
    pub en: &'static str,
    /// French.
    pub fr: &'static str,
}

/// A code of a closed list and its label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodeLabel {
    /// The stored code.
    pub code: &'static str,
    /// What a reader sees.
    pub label: Label,
}

/// What an item holds. Bounds are closed on both ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemKind {
    /// A whole number.
    Integer {
        /// Least value.
        min: i64,
        /// Greatest value.
        max: i64,
    },
    /// A decimal number.
    Decimal {
        /// Least value.
        min: i64,
        /// Greatest value.
        max: i64,
        /// Digits kept behind the point.
        decimals: u32,
        /// UCUM unit; `1` for none.
        unit: &'static str,
    },
    /// One code of a list.
    Code(&'static [CodeLabel]),
    /// Yes or no.
    Boolean,
}

/// An item of an instrument, entered or derived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InstrumentItem {
    /// The item's id within the form.
    pub id: &'static str,
    /// Its short label.
    pub label: Label,
    /// What it holds.
    pub kind: ItemKind,
    /// Whether the instrument computes it; otherwise a person enters it.
    pub derived: bool,
    /// Whether it may be left empty without a reason (aids, haemoglobin).
    pub optional: bool,
}

impl InstrumentItem {
    const fn entered(id: &'static str, en: &'static str, fr: &'static str, kind: ItemKind) -> Self {
        Self { id, label: Label { en, fr }, kind, derived: false, optional: false }
    }

    /// Returns an entered whole number from `min` to `max`.
    pub(crate) const fn integer(
        id: &'static str,
        en: &'static str,
        fr: &'static str,
        min: i64,
        max: i64,
    ) -> Self {
        Self::entered(id, en, fr, ItemKind::Integer { min, max })
    }

    /// Returns an entered decimal.
    pub(crate) const fn decimal(
        id: &'static str,
        en: &'static str,
        fr: &'static str,
        (min, max): (i64, i64),
        decimals: u32,
        unit: &'static str,
    ) -> Self {
        Self::entered(id, en, fr, ItemKind::Decimal { min, max, decimals, unit })
    }

    /// Returns an entered yes-or-no item.
    pub(crate) const fn boolean(id: &'static str, en: &'static str, fr: &'static str) -> Self {
        Self::entered(id, en, fr, ItemKind::Boolean)
    }

    /// Returns an entered code.
    pub(crate) const fn code(
        id: &'static str,
        en: &'static str,
        fr: &'static str,
        codes: &'static [CodeLabel],
    ) -> Self {
        Self::entered(id, en, fr, ItemKind::Code(codes))
    }

    /// Returns this item as one that the instrument computes.
    pub(crate) const fn derived(self) -> Self {
        Self { derived: true, ..self }
    }

    /// Returns this item as one that may stay empty.
    pub(crate) const fn optional(self) -> Self {
        Self { optional: true, ..self }
    }
}

/// Returns the items of all parts in one array; `N` is their number.
pub(crate) const fn joined<const N: usize>(parts: &[&[InstrumentItem]]) -> [InstrumentItem; N] {
    let mut items = [parts[0][0]; N];
    let (mut next, mut part) = (0, 0);
    while part < parts.len() {
        let mut index = 0;
        while index < parts[part].len() {
            items[next] = parts[part][index];
            next += 1;
            index += 1;
        }
        part += 1;
    }
    assert!(next == N, "N is the number of items");
    items
}

/// Sex at birth, as reference equations use it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sex {
    /// Female.
    Female,
    /// Male.
    Male,
}

impl Sex {
    /// Returns the sex written `F` or `M`.
    pub fn from_code(code: &str) -> Option<Self> {
        match code {
            "F" => Some(Sex::Female),
            "M" => Some(Sex::Male),
            _ => None,
        }
    }
}

/// The groups that the older lung-function sets distinguish. Entered only where such a set needs one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ethnicity {
    /// White (NHANES III, GLI-2012).
    White,
    /// Black (NHANES III, GLI-2012).
    Black,
    /// Mexican-American (NHANES III).
    MexicanAmerican,
    /// North-East Asian (GLI-2012).
    NeAsian,
    /// South-East Asian (GLI-2012).
    SeAsian,
    /// Other or mixed (GLI-2012).
    Other,
}

impl Ethnicity {
    /// Returns the group of a code such as `white` or `ne_asian`.
    pub fn from_code(code: &str) -> Option<Self> {
        Some(match code {
            "white" => Ethnicity::White,
            "black" => Ethnicity::Black,
            "mexican_american" => Ethnicity::MexicanAmerican,
            "ne_asian" => Ethnicity::NeAsian,
            "se_asian" => Ethnicity::SeAsian,
            "other" => Ethnicity::Other,
            _ => return None,
        })
    }
}

/// What is known of the participant outside the form, at the date of the assessment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// Sex at birth.
    pub sex: Option<Sex>,
    /// Age in years, to two decimals.
    pub age_years: Option<Decimal>,
    /// Height in centimetres, measured once and reused.
    pub height_cm: Option<Decimal>,
    /// Weight in kilograms.
    pub weight_kg: Option<Decimal>,
    /// The group, if the reference set of the study needs one.
    pub ethnicity: Option<Ethnicity>,
}

/// A fact of the participant that a score needs from outside the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Need {
    /// Sex at birth.
    Sex,
    /// Age.
    Age,
    /// Height.
    Height,
    /// Weight.
    Weight,
    /// The group of the reference set.
    Ethnicity,
}

impl std::fmt::Display for Need {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Need::Sex => "sex at birth",
            Need::Age => "age",
            Need::Height => "height",
            Need::Weight => "weight",
            Need::Ethnicity => "the group of the reference set",
        })
    }
}

/// Why a score has no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotScorable {
    /// An answer that the score needs is missing.
    #[error("`{item}` is missing")]
    Missing {
        /// The first such item.
        item: &'static str,
    },
    /// Fewer answers than the missing rule allows.
    #[error("{answered} answered, at least {needed} needed")]
    TooFewAnswered {
        /// Answered items or categories.
        answered: usize,
        /// The least number that can be scored.
        needed: usize,
    },
    /// An answer is not one that the instrument allows.
    #[error("`{item}` is not an allowed answer")]
    NotAllowed {
        /// The item.
        item: &'static str,
    },
    /// A fact of the participant is not known.
    #[error("{need} is not known")]
    Unknown {
        /// What is needed.
        need: Need,
    },
    /// The age lies outside what the reference set covers.
    #[error("the reference set covers ages {from} to {to}")]
    AgeNotCovered {
        /// Least age in years, included.
        from: u32,
        /// Greatest age in years, included.
        to: u32,
    },
    /// The reference set has no equation for this quantity or group.
    #[error("the reference set has no {what}")]
    NotInSet {
        /// What is lacking.
        what: &'static str,
    },
    /// The formula has no value here.
    #[error("{why}")]
    Undefined {
        /// Why, such as a zero denominator.
        why: &'static str,
    },
}

/// A derived item and its value, or why it has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Derived {
    /// The derived item's id.
    pub item: &'static str,
    /// The value, or the reason for none.
    pub result: Result<Value, NotScorable>,
}

/// An instrument: items, version, source, and a score.
pub trait Instrument: Sync {
    /// Returns the id that a study file names it by.
    fn id(&self) -> &'static str;

    /// Returns its title.
    fn title(&self) -> Label;

    /// Returns entered and derived items in the order of the form.
    fn items(&self) -> &'static [InstrumentItem];

    /// Returns the version of the scoring rule and reference set, kept with every score.
    fn version(&self) -> &'static str;

    /// Returns the publication that the rule follows.
    fn source(&self) -> &'static str;

    /// Says whether the wording is licensed, so that a form can't go live without a content pack.
    fn needs_content_pack(&self) -> bool {
        false
    }

    /// Scores the entered answers: one [`Derived`] for every derived item, in the items' order.
    ///
    /// `answers` returns an item's answer, or `None` where nothing was entered. Values are
    /// rounded half away from zero to the decimals of the derived item.
    fn score(&self, answers: &dyn Fn(&str) -> Option<Answer>, context: &Context) -> Vec<Derived>;
}
