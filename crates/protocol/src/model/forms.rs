//! Forms, items, code lists, edit checks, laboratories.

use serde::Serialize;
use terms::*;

use super::Label;
use crate::expression::Expression;

/// A code list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Codelist {
    /// Its id.
    pub id: CodelistId,
    /// Codes in order with their labels.
    pub codes: Vec<(String, Label)>,
}

/// A form's part in the conduct of the trial. A form without one is plain data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Demography: items of roles [`ItemRole::Sex`], [`ItemRole::BirthYear`] (or age).
    Demography,
    /// Repeating adverse events.
    AdverseEvents,
    /// The skin score or another assessment done by a blinded assessor.
    BlindedAssessment,
    /// The laboratory form: its items have reference ranges.
    Laboratory,
    /// Blind reading of a specimen.
    SpecimenReading,
    /// Prior and concomitant treatments (repeating).
    ConcomitantTreatments,
}

/// An item's part in the form's purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "named after the CDISC variable in words")]
pub enum ItemRole {
    Sex,
    AgeYears,
    HeightCm,
    AeTerm,
    AeStart,
    AeStop,
    AeGrade,
    AeSerious,
    AeSeriousCriterion,
    AeRelation,
    AeAction,
    AeOutcome,
    TreatmentName,
    TreatmentClass,
    TreatmentReason,
    TreatmentStart,
    TreatmentStop,
    TreatmentProhibited,
}

/// What an item holds.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "each variant's line says what its fields are")]
pub enum ItemType {
    /// A whole number.
    Integer,
    /// A decimal number with a number of decimals.
    Decimal { decimals: u32 },
    /// Yes or no.
    Boolean,
    /// A code of a list.
    Code { codelist: CodelistId },
    /// A date; `partial` if its day or month may be unknown.
    Date { partial: bool },
    /// Free text.
    Text,
    /// A term of a dictionary that ships, as the dictionary spells it.
    Term { dictionary: Dictionary },
}

/// A dictionary whose terms an item may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Dictionary {
    /// The terms of CTCAE v5.0, each with the grades it has.
    Ctcae5,
}

/// Where a derived item's value comes from.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "each variant's line says what its fields are")]
pub enum Derivation {
    /// An expression.
    Expression(Expression),
    /// A score of the form's instrument, under this name.
    Instrument { output: String },
}

/// An item of a form.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Item {
    /// Its id.
    pub id: ItemId,
    /// What the page says.
    pub label: Label,
    /// What it holds.
    pub kind: ItemType,
    /// Unit, if any (UCUM).
    pub unit: Option<String>,
    /// Least value allowed (values outside raise a hard range check).
    pub minimum: Option<Decimal>,
    /// Greatest value allowed.
    pub maximum: Option<Decimal>,
    /// Whether it must be filled, or missing with a reason, before signing.
    pub required: bool,
    /// The reasons allowed for a missing value; all where empty.
    pub missing_allowed: Vec<MissingReason>,
    /// Shown only if this holds; none: always.
    pub shown_if: Option<Expression>,
    /// How it is derived; none: entered.
    pub derived: Option<Derivation>,
    /// Its part in the form's purpose.
    pub role: Option<ItemRole>,
}

/// How hard a check is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Blocks signing, never saving.
    Hard,
    /// Opens a query that a person may close.
    Soft,
}

/// An edit check. When `when` is true a query is opened, and closed by itself once it is false.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EditCheck {
    /// Its id.
    pub id: CheckId,
    /// Fires when true.
    pub when: Expression,
    /// Hard or soft.
    pub severity: Severity,
    /// The item that the query is attached to.
    pub item: ItemId,
    /// Who is asked.
    pub asks: RoleId,
    /// Asked only once the visit is signed (checks that look at earlier blinded scores).
    pub after_signing: bool,
    /// The question.
    pub text: Label,
}

/// A form.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Form {
    /// Its id.
    pub id: FormId,
    /// Its title.
    pub title: Label,
    /// Its data class.
    pub data_class: DataClassId,
    /// Roles that fill it; each must enter its data class.
    pub filled_by: Vec<RoleId>,
    /// The instrument it holds (`mrss`), whose items and scores come with it.
    pub instrument: Option<String>,
    /// Its part in conduct.
    pub purpose: Option<Purpose>,
    /// Whether it has rows (log forms, repeating groups).
    pub repeating: bool,
    /// Whether it is filled at visits, or runs through the trial.
    pub by_visit: bool,
    /// Items in order, those of the instrument included.
    pub items: Vec<Item>,
    /// Edit checks; the range checks of items are added by the compiler (`range_<item>`).
    pub checks: Vec<EditCheck>,
    /// Data classes or subjects that the filler must not see (documentation of the blind).
    pub hidden_from_filler: Vec<DataClassId>,
}

impl Form {
    /// Returns the item of that id.
    pub fn item(&self, id: &str) -> Option<&Item> {
        self.items.iter().find(|item| item.id == *id)
    }

    /// Returns the item with a role.
    pub fn item_for(&self, role: ItemRole) -> Option<&Item> {
        self.items.iter().find(|item| item.role == Some(role))
    }
}

/// A laboratory and its reference ranges.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Laboratory {
    /// Its id.
    pub id: String,
    /// Ranges, most specific first.
    pub ranges: Vec<ReferenceRange>,
}

/// A reference range, in the item's own unit (converted by the compiler).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReferenceRange {
    /// The laboratory form's item.
    pub item: ItemId,
    /// The sex code it holds for; none: both.
    pub sex: Option<String>,
    /// Least age in years, included.
    pub age_from: Option<u32>,
    /// Age in years below which it holds.
    pub age_below: Option<u32>,
    /// First day on which it holds.
    pub from: Option<Date>,
    /// Lower limit of normal.
    pub lower: Option<Decimal>,
    /// Upper limit of normal.
    pub upper: Option<Decimal>,
}
