//! The statistical analysis plan: variables, parameters, sets, estimands, analyses, report.

use serde::Serialize;
use terms::*;

use super::{Label, SourceMark};
use crate::expression::Expression;

/// The plan.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct AnalysisPlan {
    /// Variables of the subject-level data set, beside the built-in ones.
    pub variables: Vec<SubjectVariable>,
    /// Parameters of the longitudinal data set.
    pub parameters: Vec<Parameter>,
    /// Analysis sets.
    pub sets: Vec<AnalysisSet>,
    /// Estimands and endpoints.
    pub estimands: Vec<Estimand>,
    /// Analyses in order.
    pub analyses: Vec<Analysis>,
    /// The report's sections in order.
    pub sections: Vec<Section>,
}

/// A variable of the subject-level data set.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SubjectVariable {
    /// Its name, lower case.
    pub id: String,
    /// What people call it.
    pub label: Label,
    /// Its value.
    pub expression: Expression,
    /// Unit, if any.
    pub unit: Option<String>,
    /// Decimals to print.
    pub decimals: u32,
    /// Code labels, where it holds codes: `levels = { early = "Early disease", late = "Late disease" }`.
    pub levels: Vec<(String, Label)>,
}

/// A parameter of the longitudinal data set: one item followed over visits.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Parameter {
    /// Its id (`MRSS`).
    pub id: ParameterId,
    /// What people call it.
    pub label: Label,
    /// The form.
    pub form: FormId,
    /// The item.
    pub item: ItemId,
    /// Unit, if any.
    pub unit: Option<String>,
    /// Decimals to print.
    pub decimals: u32,
    /// Whether a lower value is better for the participant.
    pub lower_is_better: bool,
}

/// An analysis set.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AnalysisSet {
    /// Its id (`itt`).
    pub id: AnalysisSetId,
    /// What people call it.
    pub label: Label,
    /// Who belongs to it, over subject variables.
    pub who: Expression,
    /// How sure.
    pub mark: SourceMark,
}

/// What is done about an intercurrent event (ICH E9(R1)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// The value counts whatever happened.
    TreatmentPolicy,
    /// The value counts as the worst rank.
    WorstRank,
    /// As if it had not happened.
    Hypothetical,
    /// The event is part of the outcome.
    Composite,
    /// Values up to the event.
    WhileOnTreatment,
    /// Not estimated; counted.
    NotEstimated,
}

/// An estimand with its five attributes, or a plain endpoint.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Estimand {
    /// Its id (`B-P1`).
    pub id: EstimandId,
    /// The clinical question.
    pub question: Label,
    /// `primary`, `secondary`, `exploratory`, `safety`.
    pub level: String,
    /// Attribute 1: the treatment condition.
    pub treatment: String,
    /// Attribute 2: the population, as an analysis set.
    pub population: AnalysisSetId,
    /// Attribute 3: the variable, in words.
    pub variable: String,
    /// Attribute 4: intercurrent events and their strategies.
    pub events: Vec<(String, Strategy)>,
    /// Attribute 5: the population-level summary, in words.
    pub summary: String,
    /// How sure.
    pub mark: SourceMark,
}

/// The value of a parameter that is analysed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// The value itself.
    Value,
    /// Value minus baseline.
    Change,
    /// `(value - baseline) / baseline`, one correctly rounded division.
    RelativeChange,
    /// 100 times that.
    PercentChange,
}

/// What happens to a participant without a value at the visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MissingRule {
    /// Left out and listed (`observed`).
    Observed,
    /// Last post-baseline observation carried forward; with none, left out and listed (`locf`).
    LastObservation,
    /// The worst observed change of the other arm, or of the cohort in a one-arm study (`worst case`).
    WorstCase,
}

/// What an analysis looks at.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "each variant's line says what its fields are")]
pub enum Subject {
    /// A parameter at a visit.
    Parameter { parameter: ParameterId, visit: VisitId, measure: Measure, missing: MissingRule },
    /// A subject variable.
    Variable { variable: String },
    /// Adverse events (rows of the adverse-event data set), those for which `filter` holds over its columns.
    AdverseEvents { filter: Option<Expression> },
    /// Deviations.
    Deviations,
}

/// Sides and rules of a two-sided exact rank p-value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TwoSided {
    /// The probability of a statistic at least as far from its mean (`as far from its mean`).
    AsFarFromMean,
    /// Twice the smaller tail (`twice the smaller tail`).
    TwiceSmallerTail,
}

/// How a signed-rank test treats zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Zeros {
    /// Dropped before ranking (`dropped`).
    Dropped,
    /// Ranked and then dropped (`pratt`).
    Pratt,
}

/// Quartile definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Quartiles {
    /// SAS default (type 2).
    Type2,
    /// R default (type 7).
    Type7,
}

/// A method with every option that changes a number.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "method", rename_all = "snake_case")]
#[allow(missing_docs, reason = "each variant's line says what its fields are")]
pub enum Method {
    /// `"describe"`: n, mean, SD, median, quartiles, range, by arm and in all.
    Describe { quartiles: Quartiles },
    /// `"count"`: participants (and for events: events) by level, with percent of the set.
    Count,
    /// `"paired t"`: one-sample t of changes.
    PairedT { confidence: Decimal },
    /// `"two-sample t"`: between the levels of `by`.
    TwoSampleT { confidence: Decimal, equal_variances: bool },
    /// `"signed rank"`.
    SignedRank { zeros: Zeros, two_sided: TwoSided, confidence: Decimal },
    /// `"rank sum"` with Hodges-Lehmann shift, medians and quartiles by group.
    RankSum { two_sided: TwoSided, confidence: Decimal, quartiles: Quartiles },
    /// `"fisher"`: a yes/no subject (or events by term) between groups.
    Fisher { confidence: Decimal },
    /// `"binomial"`: exact (Clopper-Pearson) interval of a share.
    Binomial { confidence: Decimal },
}

/// A published number put beside an estimate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Published {
    /// The estimate's key (`mean`, `p`, `median[imatinib]`).
    pub estimate: String,
    /// The fact that states it.
    pub fact: FactId,
}

/// One analysis: method × data × options.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Analysis {
    /// Its id (`B-P1-main`).
    pub id: AnalysisId,
    /// What people call it.
    pub label: Label,
    /// The estimand or endpoint it serves.
    pub estimand: Option<EstimandId>,
    /// `main` or `sensitivity` or `descriptive`.
    pub role: String,
    /// The method.
    pub method: Method,
    /// Who.
    pub set: AnalysisSetId,
    /// What.
    pub subject: Subject,
    /// Group variable: `arm` or a subject variable; none: all together.
    pub by: Option<String>,
    /// Only participants for whom this holds, over subject variables (subgroups).
    pub only: Option<Expression>,
    /// Published numbers to put beside.
    pub published: Vec<Published>,
}

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
    /// The participants' flow.
    Flow,
    /// Trajectories of a parameter with mean and interval.
    Trajectories(ParameterId),
    /// Waterfall of a parameter's change at a visit.
    Waterfall(ParameterId, VisitId),
    /// Adverse events over time.
    AdverseEventsOverTime,
    /// Deviations, listed.
    DeviationListing,
    /// Participants excluded from an analysis and why.
    ExclusionListing,
    /// Facts and rules with their sources and marks.
    Sources,
}
