//! Virtual participants: the numbers a rehearsal draws from. Inputs, never constants in code.
//!
//! `virtual.toml` has these parts, each a process of its own with its own random
//! stream per participant: `[cohort]`, `[skin]`, `[effect]`, `[measures.*]`,
//! `[pharmacology]`, `[answers]`, `[reactions.*]`, `[hazards.*]`, `[events]`, `[treatments.*]`, `[pairs]`, `[withdrawal]`, `[conduct]`. Beside them
//! stand `[designs.*]`: ways to run the trial that simulations compare.
//! Shares are fractions of 1. Months and days are those of the protocol.

use serde::Serialize;
use terms::*;

use super::SourceMark;

/// A study's virtual cohort.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct VirtualCohort {
    /// Who comes, and when.
    pub cohort: Cohort,
    /// The skin process, where the study scores skin.
    pub skin: Option<SkinProcess>,
    /// Treatment effects by name; `chosen` below is in force.
    pub effects: Vec<Effect>,
    /// The name of the effect in force.
    pub effect: String,
    /// The name of the setting in force (`registry` or `trial`), one of the skin process's.
    pub setting: String,
    /// How much of the drug is in the blood, and what hangs on it; none: effect and reactions are everybody's alike.
    pub pharmacology: Option<Pharmacology>,
    /// Numeric items followed over time.
    pub measures: Vec<MeasureProcess>,
    /// All other items.
    pub answers: Vec<AnswerProcess>,
    /// Reactions to the drug and their background on placebo.
    pub reactions: Vec<Reaction>,
    /// Events that come once to a participant, at a rate by arm and month.
    pub hazards: Vec<HazardProcess>,
    /// Adverse events unrelated to treatment.
    pub events: BackgroundEvents,
    /// Other treatments that participants take.
    pub treatments: Vec<OtherTreatment>,
    /// Early ends.
    pub withdrawal: Vec<Withdrawal>,
    /// How two slides side by side are seen.
    pub pairs: Option<SeenPairs>,
    /// How the sites work.
    pub conduct: Habits,
    /// Designs that simulations compare, by name.
    pub designs: Vec<TrialDesign>,
    /// The name of the design in force; none: everybody is enrolled and the plan is run once.
    pub design: Option<String>,
    /// Scenarios that are worth a name.
    pub scenarios: Vec<DeclaredScenario>,
}

/// Inputs of this file set otherwise, under a name. `[scenarios.NAME]`
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DeclaredScenario {
    /// Its name.
    pub name: String,
    /// Inputs as `equipoise simulate --set` takes them: `effect=important`, `dropout.all=0.4`.
    pub set: Vec<String>,
}

/// When a trial is looked at, and what is decided then. `[designs.NAME]`
///
/// Participants count in the order of their starts. A look at `n` of them is taken when the last of them is
/// through the window of the analysed visit; those who started meanwhile belong to the trial's size.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TrialDesign {
    /// Its name.
    pub name: String,
    /// The analysis that decides.
    pub analysis: AnalysisId,
    /// What is decided, and when.
    pub kind: DesignKind,
}

/// What a design decides, and when.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DesignKind {
    /// Group sequential: the test's p-value against a boundary at each look. One look is a fixed design.
    Looks {
        /// Shares of the participants, increasing up to 1.
        looks: Vec<f64>,
        /// The shape of the boundary.
        boundary: DesignBoundary,
        /// Type I error of both sides together.
        alpha: f64,
        /// By look but the last: stop as futile where the one-sided p-value in favour is above this; none
        /// where nothing stops the trial so. It does not move the boundary (non-binding).
        futility: Vec<f64>,
    },
    /// Simon's two stages: responders are counted.
    TwoStages {
        /// Participants of the first stage.
        first: u32,
        /// The trial stops with at most so many responders among them.
        first_at_most: u32,
        /// The drug is not worth following up with at most so many responders in all.
        at_most: u32,
    },
    /// The size is reckoned anew at one look from the spread of all outcomes together, blind.
    Resized {
        /// Share of the planned participants at whom the spread is looked at.
        review_at: f64,
        /// The difference to be found.
        difference: f64,
        /// The power to find it.
        power: f64,
        /// Type I error of both sides together.
        alpha: f64,
        /// The most participants; never fewer than planned.
        most: u32,
    },
    /// A safety event is watched participant by participant.
    Watched {
        /// The analysis of the plan that holds the boundary and says which events count.
        stopping: AnalysisId,
    },
}

/// The shape of a group sequential boundary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DesignBoundary {
    /// O'Brien and Fleming: critical values that fall with the root of the information.
    OBrienFleming,
    /// Pocock: one critical value at all looks.
    Pocock,
    /// Lan and DeMets' spending like O'Brien and Fleming.
    SpendingOBrienFleming,
    /// Lan and DeMets' spending like Pocock.
    SpendingPocock,
}

/// Mean, SD and limits of a normal draw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Spread {
    /// Mean.
    pub mean: f64,
    /// Standard deviation.
    pub sd: f64,
    /// Least value; draws below are set to it.
    pub min: Option<f64>,
    /// Greatest value.
    pub max: Option<f64>,
}

/// Who comes, and when. `[cohort]`
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Cohort {
    /// The day on which the first site opens.
    pub opens: Option<Date>,
    /// Participants screened per month over all sites; waiting times are exponential.
    pub screened_per_month: f64,
    /// Screening stops when the study's target is reached or this many were screened.
    pub screened_max: u32,
    /// How many participants to enrol; the study's target by default.
    pub enrol: Option<u32>,
    /// Age in years at screening.
    pub age: Spread,
    /// Share of women.
    pub female: f64,
    /// Months since the first symptom other than Raynaud's: lognormal median.
    pub onset_median_months: f64,
    /// Its sigma.
    pub onset_sigma: f64,
    /// Share of people who can date the first symptom to the day; the others know the month.
    pub onset_day_known: f64,
    /// Share with interstitial lung disease.
    pub ild: f64,
    /// Height in cm of women and men.
    pub height_female: Spread,
    /// Height in cm of men.
    pub height_male: Spread,
    /// The item that holds the stratum and the share of each code: `strata = { systemic = 0.89, cutaneous = 0.11 }`.
    pub strata: Vec<(String, f64)>,
    /// How many people come to a site, as weights; a site not named weighs 1. None: as many to each.
    pub sites: Vec<(SiteId, f64)>,
    /// How sure these numbers are.
    pub mark: Option<SourceMark>,
}

/// Population kinetics with one compartment and first-order absorption, and what the concentration drives. `[pharmacology]`
///
/// Clearance and volume are apparent ones (over bioavailability), lognormal between people. The driving
/// concentration is that at steady state on the dose that was taken; a median person's on the full dose is the reference.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Pharmacology {
    /// Whether it is in force.
    pub on: bool,
    /// Median of the clearance in L/h.
    pub clearance: f64,
    /// Its coefficient of variation between people.
    pub clearance_cv: f64,
    /// Median of the volume of distribution in L.
    pub volume: f64,
    /// Its coefficient of variation between people.
    pub volume_cv: f64,
    /// Rate of absorption per hour.
    pub absorption: f64,
    /// Hours from dose to dose.
    pub interval: f64,
    /// Which concentration drives.
    pub driver: Driver,
    /// The concentration in ng/mL at which half of the greatest effect is reached; none: the effect is proportional.
    pub half_effect: Option<f64>,
    /// Log odds more of each reaction for each unit of the logarithm of the driver over the reference.
    pub reactions: f64,
    /// Where the numbers come from.
    pub source: String,
    /// How sure they are.
    pub mark: Option<SourceMark>,
}

/// The concentration that drives effect and reactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Driver {
    /// The mean over an interval between doses.
    Average,
    /// The least: just before the next dose.
    Trough,
}

/// The true skin score and its observation. `[skin]`
///
/// Change of the true score by month 12:
/// `intercept + per_point (m0 - centre_points) + per_month (months since onset - centre_months)`,
/// clamped to `[fall_max, rise_max]`, plus a between-patient deviation of the setting's SD.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SkinProcess {
    /// The form whose instrument is `mrss`.
    pub form: FormId,
    /// True score before screening.
    pub start: Spread,
    /// SD of the observation error of the same observer.
    pub error_same_observer: f64,
    /// SD of the observation error of a new observer.
    pub error_new_observer: f64,
    /// See the formula.
    pub intercept: f64,
    /// See the formula.
    pub per_point: f64,
    /// See the formula.
    pub centre_points: f64,
    /// See the formula.
    pub per_month: f64,
    /// See the formula.
    pub centre_months: f64,
    /// Least mean change (-7).
    pub change_min: f64,
    /// Greatest mean change (+2).
    pub change_max: f64,
    /// Share of the 12-month change reached by month 6.
    pub share_by_month_6: f64,
    /// Between-patient SD of the 12-month change, by setting.
    pub settings: Vec<(String, f64)>,
    /// Points that oedema adds while present: least and most.
    pub oedema_points: (f64, f64),
    /// The reaction that is oedema.
    pub oedema: Option<String>,
    /// How readily each site of the score is involved: weights by item; sites not named weigh 1.
    pub site_weights: Vec<(ItemId, f64)>,
}

/// A drug effect on the skin score. `[effect.<name>]`
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Effect {
    /// Its name (`none`, `inert`, `as published`).
    pub name: String,
    /// Points of true skin score at `month`, relative to no drug; negative is better.
    pub points: f64,
    /// The month at which the whole effect is reached.
    pub month: f64,
    /// Share reached at half that month.
    pub share_at_half: f64,
    /// Whether the drug has its toxicity.
    pub toxic: bool,
}

/// A numeric item followed over time. `[measures."spirometry.fvc_pct_pred"]`
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MeasureProcess {
    /// The form.
    pub form: FormId,
    /// The item.
    pub item: ItemId,
    /// Value at screening; `start_ild` instead for those with interstitial lung disease, `start_male` for men.
    pub start: Spread,
    /// Start for participants with interstitial lung disease.
    pub start_ild: Option<Spread>,
    /// Start for men.
    pub start_male: Option<Spread>,
    /// Mean change a year.
    pub yearly: f64,
    /// SD between participants of the change a year.
    pub yearly_sd: f64,
    /// Mean change a year with interstitial lung disease.
    pub yearly_ild: Option<f64>,
    /// SD of it.
    pub yearly_sd_ild: Option<f64>,
    /// SD of repeated measurement.
    pub noise: f64,
    /// Change per point of true skin score change.
    pub per_skin_point: f64,
    /// Values are rounded to a multiple of this (`0.125`); by the item's decimals if none.
    pub step: Option<f64>,
    /// Least and greatest value, beside the item's own limits.
    pub min: Option<f64>,
    /// Greatest value.
    pub max: Option<f64>,
    /// Amount added while a reaction is present: `{ oedema = 2.0 }`; multiplied if `factor`.
    pub reactions: Vec<(String, f64)>,
    /// Whether reactions multiply rather than add (CPK rise, ALT rise, cytopenia).
    pub factor: bool,
}

/// Any other item. `[answers]` `"pregnancy_test.result" = { negative = 1.0 }`
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AnswerProcess {
    /// The form.
    pub form: FormId,
    /// The item.
    pub item: ItemId,
    /// What is drawn.
    pub draw: AnswerDraw,
}

/// What an answer is drawn from. Booleans are the codes `true` and `false`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AnswerDraw {
    /// Codes and their shares, drawn once per participant: `{ share = { yes = 0.35, no = 0.65 } }`.
    Shares(Vec<(String, f64)>),
    /// A property of the participant: `{ from = "sex" }`: `sex`, `age_years`, `age`, `height_cm`, `ild`, `stratum`,
    /// `onset_date`, `birth_year`, `visit_date`, `child_bearing` (a woman under 50).
    From(String),
    /// The same as an item of another form that is followed over time: `{ same_as = "blood_count.haemoglobin" }`.
    Same(FormId, ItemId),
    /// A fixed text: `{ text = "…" }`.
    Text(String),
    /// A number drawn anew at each visit: `{ normal = { mean, sd, min, max } }`.
    Normal(Spread),
    /// Not answered, with a reason: `{ missing = "not applicable" }`.
    Missing(MissingReason),
}

/// A reaction. `[reactions.oedema]`
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reaction {
    /// Its name.
    pub name: String,
    /// The adverse event's term.
    pub term: String,
    /// Share of participants with at least one under treatment, by arm; the sole arm's in a one-arm study.
    pub share: Vec<(ArmId, f64)>,
    /// Median onset in days from the first dose (exponential).
    pub onset_median_days: f64,
    /// Median duration in days.
    pub duration_median_days: f64,
    /// Shares of grades 1, 2, 3, 4.
    pub grades: [f64; 4],
    /// Share of later episodes: chance that another one follows the last.
    pub again: f64,
    /// Chance that the dose is reduced or held for it, below grade 3.
    pub dose_change: f64,
    /// The dose rule that a hold for it follows; none: the investigator's own judgement.
    pub hold_rule: Option<RuleId>,
    /// The dose rule that a reduction for it follows.
    pub reduce_rule: Option<RuleId>,
}

/// An event that comes once to a participant at most, at a rate by arm and month. `[hazards.relapse]`
///
/// From the first dose on, whether or not the drug is still taken, until participation ends. The site writes it down as an
/// adverse event that is not related to the drug; of a fatal one the participant dies that day.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HazardProcess {
    /// Its name.
    pub name: String,
    /// The adverse event's term.
    pub term: String,
    /// Its grade, 1 to 5; a fatal one's is 5.
    pub grade: u8,
    /// Whether it is serious; a fatal one is.
    pub serious: bool,
    /// Whether the participant dies of it.
    pub fatal: bool,
    /// Months from the first dose at which each rate begins; the first is 0.
    pub from_months: Vec<f64>,
    /// Events per participant and month from each of these on.
    pub monthly: Vec<f64>,
    /// By arm, what the rates are multiplied by; 1 for an arm that is not named.
    pub ratio: Vec<(ArmId, f64)>,
}

/// Unrelated events. `[events]`
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct BackgroundEvents {
    /// Events per participant and month.
    pub per_month: f64,
    /// Terms and weights.
    pub terms: Vec<(String, f64)>,
    /// Shares of grades 1, 2, 3, 4.
    pub grades: [f64; 4],
    /// Share that is serious.
    pub serious: f64,
    /// Share of serious events that are judged related.
    pub serious_related: f64,
    /// Median duration in days.
    pub duration_median_days: f64,
    /// How investigators word the relation of what the drug causes: codes and weights.
    pub related: Vec<(String, f64)>,
    /// How they word that of what it does not cause.
    pub unrelated: Vec<(String, f64)>,
}

/// A treatment other than the trial's. `[treatments."Furosemide"]`
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OtherTreatment {
    /// Its name, as sites write it down.
    pub name: String,
    /// Its code on the item of the role `treatment_class`.
    pub class: Option<String>,
    /// What it is given for, in words.
    pub reason: Option<String>,
    /// Share of those who could take it that do.
    pub share: f64,
    /// When it is taken.
    pub taken: TreatmentTaken,
}

/// When a treatment other than the trial's is taken.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TreatmentTaken {
    /// Since long before screening, and on.
    Always,
    /// Since before screening, by whoever answers this item of the screening visit with more than 0 or yes.
    Answered(FormId, ItemId),
    /// While a reaction lasts.
    With(String),
}

/// Early end of treatment. `[[withdrawal]]`
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Withdrawal {
    /// The arm.
    pub arm: ArmId,
    /// Share that stops before treatment ends, of those whose skin changes by `[skin.course] intercept`.
    pub share: f64,
    /// Log odds more of stopping for each point by which a person's own change of the true skin score by month 12,
    /// without drug, lies above that: 0 where stopping has nothing to do with the outcome.
    pub per_skin_point: f64,
    /// Reasons and weights: `adverse_event`, `progression`, `withdrew_consent`.
    pub reasons: Vec<(String, f64)>,
}

/// How a reader tells two slides of one participant apart. `[pairs]`
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SeenPairs {
    /// The form of the measure that the eye goes by; more of it is more disease.
    pub form: FormId,
    /// The measure's item.
    pub item: ItemId,
    /// Slides that lie less apart than this look the same.
    pub same_within: f64,
}

/// How the sites work. `[conduct]`
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Habits {
    /// Share of visits missed.
    pub missed_visit: f64,
    /// SD in days of a visit's distance from its planned date.
    pub visit_spread_days: f64,
    /// Share of visits held outside the window.
    pub out_of_window: f64,
    /// Share of entries corrected later with a reason.
    pub correction: f64,
    /// Share of forms on which a person raises a query.
    pub query: f64,
    /// Share of visits at which another assessor scores.
    pub assessor_change: f64,
    /// Share of forms not done at a held visit.
    pub form_not_done: f64,
    /// Doses missed, as a share.
    pub missed_doses: f64,
    /// Share of participants whose blind is broken in an emergency.
    pub blind_break: f64,
    /// Share of participants who take a prohibited treatment.
    pub prohibited_treatment: f64,
    /// What that treatment is.
    pub prohibited_name: String,
    /// Its code on the item of the role `treatment_class`.
    pub prohibited_class: Option<String>,
    /// Chance that a reduced dose is raised again once the protocol allows it.
    pub escalation: f64,
}
