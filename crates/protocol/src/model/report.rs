//! The report of a plan: its sections, and what each shows.

use serde::Serialize;
use terms::*;

use super::Label;

/// A section of the report: `[[report]] title.en = "…", show = ["A-P1-main", "figure:trajectory:MRSS"]`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Section {
    /// Its title.
    pub title: Label,
    /// What it shows, in order.
    pub show: Vec<Shown>,
}

/// One thing that a report shows.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Shown {
    /// Analyses side by side in one table (`"table:B-P1-main,B-P1-locf"` or a lone id).
    Table(Vec<AnalysisId>),
    /// The same with the standardised difference of two arms beside each (`"baseline:base-age,base-sex"`).
    Baseline(Vec<AnalysisId>),
    /// Steps of dosing by kind, with what asked for them.
    DoseChanges,
    /// Treatments taken beside the study drug, by name.
    ConcomitantTreatments,
    /// Adverse events by term and worst grade.
    AdverseEventGrades,
    /// Adverse events by term and relation to the drug, those that were serious beside.
    AdverseEventRelations,
    /// Days from the first dose to the first event of each term.
    AdverseEventOnset,
    /// Laboratory tests: grade (CTCAE) at baseline against the worst after it.
    LaboratoryGrades,
    /// Laboratory tests: low, normal or high at baseline against the lowest and the highest after it.
    LaboratoryRanges,
    /// How far two readers of the same coded specimens agree, and a reader with a second reading.
    ReaderAgreement,
    /// The participants' flow.
    Flow,
    /// Trajectories of a parameter with mean and interval, by arm or by a subject variable.
    Trajectories(ParameterId, Option<String>),
    /// Waterfall of a parameter's change at a visit.
    Waterfall(ParameterId, VisitId),
    /// Cumulative distribution of a parameter's change at a visit.
    CumulativeDistribution(ParameterId, VisitId),
    /// Estimates of analyses with their intervals, one under the other.
    Forest(Vec<AnalysisId>),
    /// Survival curves of an analysis.
    Survival(AnalysisId),
    /// Adverse events over time.
    AdverseEventsOverTime,
    /// Share of participants with each term by arm, and the risk difference with its interval.
    AdverseEventDifferences,
    /// Each participant's doses from the first to the last planned day.
    SwimLanes,
    /// The mean score of each of the skin's 17 sites by visit, on a drawing of the body.
    BodyMap,
    /// Highest ALT or AST against highest bilirubin of each participant, with Hy's law.
    HysLaw,
    /// Laboratory tests over time.
    LaboratoryTrends(Vec<String>),
    /// Deviations, listed.
    DeviationListing,
    /// Participants excluded from an analysis and why.
    ExclusionListing,
    /// Serious adverse events, listed.
    SeriousEventListing,
    /// Who ended treatment or participation early, and why.
    WithdrawalListing,
    /// Steps of dosing, listed.
    DoseChangeListing,
    /// Treatments taken beside the study drug, listed.
    TreatmentListing,
    /// Laboratory values outside their range, the lowest and highest of each participant and test.
    LaboratoryListing,
    /// What the safety board watched: who came to count, boundaries and looks reached, decisions.
    WatchListing,
    /// The protocol as it was run: visits, schedule, forms, doses, roles, sets, endpoints.
    Protocol,
    /// Facts and rules with their sources and marks.
    Sources,
}
