//! Eligibility, dosing, allocation, blind reading, deviations.

use serde::Serialize;
use terms::*;

use super::{Label, SourceMark, Statement};
use crate::expression::Expression;

/// An eligibility rule. It holds for those for whom `applies_to` is true.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EligibilityRule {
    /// Its id in the protocol (`B-I3`).
    pub id: RuleId,
    /// What it says.
    pub label: Label,
    /// Inclusion (must be true) or exclusion (must be false).
    pub inclusion: bool,
    /// To whom it applies; none: to all.
    pub applies_to: Option<Expression>,
    /// The rule as a question to the casebook.
    pub rule: Expression,
    /// The visits at which it is decided (`["Scr", "M0"]`).
    pub at: Vec<VisitId>,
    /// Another rule that says the same from the other side: only one unmet rule is shown.
    pub same_as: Option<RuleId>,
    /// How sure the chosen wording is.
    pub mark: SourceMark,
    /// The chosen source and why.
    pub follows: Option<String>,
    /// Why that one was chosen.
    pub because: Option<String>,
    /// All sources' wordings.
    pub statements: Vec<Statement>,
}

/// Doses and their rules.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Dosing {
    /// Levels in mg a day, highest first (`[400, 300, 200]`).
    pub levels_mg: Vec<Decimal>,
    /// Planned months of treatment.
    pub planned_months: i32,
    /// mg in a tablet or capsule.
    pub tablet_mg: Decimal,
    /// How often a dose may be raised again, and after how many stable days.
    pub escalations_max: u32,
    /// Stable days before raising.
    pub escalation_after_days: i32,
    /// A pause longer than this in a row stops the drug for good.
    pub pause_days_max: i32,
    /// Days off drug in all that stop it for good.
    pub pause_days_total_max: i32,
    /// Rules of modification.
    pub rules: Vec<DoseRule>,
}

/// What a dose rule asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DoseAction {
    /// Hold.
    Hold,
    /// Stop for good.
    Stop,
    /// Examine; no change by itself.
    Examine,
    /// Cap or halve at the start.
    Limit,
}

/// A rule of dose modification.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DoseRule {
    /// Its id.
    pub id: RuleId,
    /// What it says.
    pub label: Label,
    /// When it is triggered; none: judged by the investigator (adverse events that no item decides).
    pub when: Option<Expression>,
    /// What to do.
    pub action: DoseAction,
    /// When treatment may go on.
    pub resume_when: Option<Expression>,
    /// Levels to go down on resuming, at the first and at later occurrences.
    pub levels_down: (u32, u32),
    /// How sure.
    pub mark: SourceMark,
}

/// The open part of an allocation; block sizes, seed and list are sealed apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AllocationPlan {
    /// Arms and their shares.
    pub ratio: Vec<(ArmId, u32)>,
    /// The item whose code is the stratum (`diagnosis.diagnosis`), and its codes.
    pub stratum_form: FormId,
    /// The item.
    pub stratum_item: ItemId,
    /// Strata in order.
    pub strata: Vec<String>,
    /// The sealed file's name.
    pub sealed_file: String,
    /// Roles that hold a key.
    pub holders: Vec<RoleId>,
    /// How many holders open the whole list together.
    pub threshold: u32,
    /// Tablets in a kit.
    pub kit_tablets: u32,
    /// Visits at which a kit is handed out.
    pub kit_visits: Vec<VisitId>,
    /// How sure the scheme is.
    pub mark: SourceMark,
}

/// Blind reading of specimens.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BlindReading {
    /// The form that records that a specimen was taken.
    pub taken_on: FormId,
    /// The form a reader fills for a coded slide.
    pub read_on: FormId,
    /// Readers per slide.
    pub readers: u32,
    /// Share of slides read again under a new code, in percent.
    pub repeat_percent: u32,
    /// When one reader more decides; none: never.
    pub third_reader: Option<ThirdReader>,
    /// Slides of one participant that are compared side by side; none: never.
    pub pairs: Option<SlidePairs>,
}

impl BlindReading {
    /// Returns how many people read: those of every slide, and the one who decides.
    pub fn people(&self) -> u32 {
        self.readers + u32::from(self.third_reader.is_some())
    }
}

/// Comparison of two slides of one participant, side by side in random left-right order.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SlidePairs {
    /// The form a reader fills for a coded pair; its instrument is `skin_biopsy_pair`.
    pub read_on: FormId,
    /// The visit of the earlier slide.
    pub earlier: VisitId,
    /// The visits of the later one; the last at which a specimen was taken.
    pub later: Vec<VisitId>,
}

/// When the readers of a slide lie so far apart that one reader more decides.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ThirdReader {
    /// The item of the reading form that is compared.
    pub item: ItemId,
    /// A difference above this, in the item's unit, is a dispute.
    pub differs_by: Decimal,
    /// So is one above this share of the two readings' mean, in percent.
    pub or_percent: Decimal,
}

impl ThirdReader {
    /// Says whether two readings are in dispute. A slide that only one of two could measure is.
    pub fn disputed(&self, one: Option<Decimal>, other: Option<Decimal>) -> bool {
        let (Some(one), Some(other)) = (one, other) else { return one.is_some() != other.is_some() };
        let difference = (one - other).abs();
        // A share of the mean is half that share of the sum.
        difference > self.differs_by
            || difference * Decimal::ONE_HUNDRED * Decimal::TWO > self.or_percent * (one + other)
    }
}

/// A rule that makes a deviation major.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DeviationRule {
    /// Its id.
    pub id: RuleId,
    /// What it says.
    pub label: Label,
    /// What kind of deviation it is about (`out_of_window`, `compliance` …, as in the record).
    pub what: String,
    /// Visit it is about, if one.
    pub visit: Option<VisitId>,
    /// Days outside the planned date beyond which it is major, for visits.
    pub more_than_days: Option<i32>,
    /// Share of planned doses below which it is major.
    pub dose_share_below: Option<Decimal>,
    /// How sure.
    pub mark: SourceMark,
}
