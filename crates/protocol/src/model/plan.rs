//! The statistical analysis plan: variables, parameters, sets, estimands, analyses, report.

use serde::Serialize;
use terms::*;

use super::{Label, Section, SourceMark, TimeToEvent};
use crate::expression::Expression;

/// The plan.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct AnalysisPlan {
    /// Variables of the subject-level data set, beside the built-in ones.
    pub variables: Vec<SubjectVariable>,
    /// Parameters of the longitudinal data set.
    pub parameters: Vec<Parameter>,
    /// Parameters of the data set of times to an event.
    pub times: Vec<TimeToEvent>,
    /// Laboratory tests that the report grades and follows.
    pub tests: Vec<LaboratoryTest>,
    /// Analysis sets.
    pub sets: Vec<AnalysisSet>,
    /// Estimands and endpoints.
    pub estimands: Vec<Estimand>,
    /// Analyses in order.
    pub analyses: Vec<Analysis>,
    /// The report's sections in order.
    pub sections: Vec<Section>,
    /// Data sets from elsewhere; none in a study, whose data sets come from its record.
    pub data: Vec<DeclaredData>,
}

/// What a column of a data set from elsewhere holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnKind {
    /// Text, which is a code too.
    Text,
    /// Whole numbers.
    Integer,
    /// Numbers.
    Number,
    /// true and false.
    Flag,
    /// Dates, perhaps partly known.
    Date,
}

/// A column of a data set from elsewhere.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DeclaredColumn {
    /// Its name, as the file writes it.
    pub name: String,
    /// What people call it; empty where the file says.
    pub label: Label,
    /// What it holds.
    pub kind: ColumnKind,
    /// Unit, if any.
    pub unit: Option<String>,
    /// Decimals of its values, as they are printed.
    pub decimals: u32,
    /// Its levels in order with their labels; empty where any will do.
    pub levels: Vec<(String, Label)>,
    /// The level that others are compared with.
    pub control: Option<String>,
}

/// A data set from elsewhere that a plan reads.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DeclaredData {
    /// Its name, which is its file's name too, letter case and ending aside.
    pub name: String,
    /// What a row is; empty where the file says.
    pub label: Label,
    /// Whether it has one row a participant, from which populations are chosen.
    pub participants: bool,
    /// The column that identifies participants.
    pub subject: String,
    /// The columns that together tell rows apart.
    pub keys: Vec<String>,
    /// The columns that the plan uses.
    pub columns: Vec<DeclaredColumn>,
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

/// A laboratory test that the report grades and follows: an item of a laboratory form.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LaboratoryTest {
    /// Its id (`ALT`).
    pub id: String,
    /// The form.
    pub form: FormId,
    /// The item; its label is the test's.
    pub item: ItemId,
    /// The item's unit (UCUM).
    pub unit: String,
    /// The CTCAE term that grades low values, as the instrument `ctcae5_labs` codes it (`K_low`).
    pub low: Option<String>,
    /// The CTCAE term that grades high values (`ALT`, `K_high`).
    pub high: Option<String>,
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
    /// A time to an event.
    TimeToEvent { time: ParameterId },
    /// Deviations.
    Deviations,
    /// Rows of a data set from elsewhere.
    Records(Records),
    /// Readings of coded specimens, in pairs.
    Readings(Readings),
}

/// Which two readings of a slide are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Between {
    /// Those of the first two readers (`readers`).
    Readers,
    /// Those of one reader, where the slide came back under a second code (`repeats`).
    Repeats,
}

/// An item of the form on which coded specimens are read, two readings a slide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Readings {
    /// The form.
    pub form: FormId,
    /// The item.
    pub item: ItemId,
    /// Which two.
    pub between: Between,
}

/// Rows of a data set from elsewhere that an analysis looks at.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Records {
    /// The data set.
    pub data: String,
    /// Only rows for which this holds, over its columns and the participant's.
    pub filter: Option<Expression>,
    /// What is looked at in them.
    pub of: RecordsOf,
}

/// What an analysis looks at in rows of a data set from elsewhere.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "each variant's line says what its fields are")]
pub enum RecordsOf {
    /// A column's value, of one row a participant (`value = "CHG"`).
    Value { column: String },
    /// Times to an event, of one row a participant (`time = "AVAL", event = "CNSR == 0"`).
    Times { time: String, event: Expression },
    /// What happened, any number of rows a participant, by one or two columns, the wider first (`terms = ["AEBODSYS", "AEDECOD"]`).
    Terms { columns: Vec<String> },
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

/// How least-squares means average over the other factors of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MarginalMeans {
    /// All combinations of their levels weigh the same (`equal weights`; the default of SAS and of emmeans).
    EqualWeights,
    /// Combinations weigh as often as they occur (`as observed`).
    AsObserved,
}

/// An analysis of covariance: `outcome ~ by + factors + covariates`, with an intercept.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ancova {
    /// Confidence of the intervals.
    pub confidence: Decimal,
    /// How least-squares means average.
    pub ls_means: MarginalMeans,
    /// Numbers in the model: `baseline`, or variables.
    pub covariates: Vec<String>,
    /// Groupings in the model beside that of the analysis.
    pub factors: Vec<String>,
}

/// Which alternative the Cochran-Mantel-Haenszel test has in mind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CmhAssociation {
    /// Any association (`general`).
    General,
    /// Mean scores differ between groups (`row mean scores`).
    RowMeanScores,
    /// Scores are correlated with the order of groups (`correlation`).
    Correlation,
}

/// Scores of ordered levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scores {
    /// The numbers that the levels are (`values`).
    Values,
    /// 1, 2, 3 in the order of the levels (`order`).
    Order,
}

/// A stratified test of levels between groups.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cmh {
    /// What is tested.
    pub association: CmhAssociation,
    /// Scores of the levels; none for general association.
    pub scores: Option<Scores>,
    /// Variables whose combinations are the strata.
    pub strata: Vec<String>,
}

/// The scale on which limits of a survival curve are symmetric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SurvivalLimits {
    /// ln S (`log`; the default of R).
    Log,
    /// ln(-ln S) (`log-log`; the default of SAS).
    LogLog,
}

/// How survival curves are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SurvivalTest {
    /// All times weigh the same (`log-rank`).
    LogRank,
    /// Times weigh by the survival just before (`peto`).
    Peto,
    /// Not at all (`none`).
    None,
}

/// How the interval of a share is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ShareInterval {
    /// Exact, of Clopper and Pearson (`clopper-pearson`).
    ClopperPearson,
    /// Wilson's score interval (`wilson`).
    Wilson,
    /// Wilson's with a correction of one half (`wilson corrected`).
    WilsonCorrected,
    /// Of Agresti and Coull (`agresti-coull`).
    AgrestiCoull,
    /// Of Jeffreys (`jeffreys`).
    Jeffreys,
    /// Exact with half the probability of what was seen (`mid-p`).
    MidP,
    /// Wald's (`wald`).
    Wald,
}

/// Which intraclass correlation of single readings is meant (Shrout and Fleiss 1979).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum IccForm {
    /// ICC(1,1): readers are not told apart (`one-way`).
    OneWay,
    /// ICC(2,1): absolute agreement (`absolute agreement`).
    Absolute,
    /// ICC(3,1): consistency (`consistency`).
    Consistency,
}

/// Agreement of numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Agreement {
    /// Confidence of the intervals.
    pub confidence: Decimal,
    /// Which correlation.
    pub icc: IccForm,
}

/// How kappa weighs levels that differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KappaWeighting {
    /// All alike (`none`).
    None,
    /// By their distance (`linear`).
    Linear,
    /// By its square (`quadratic`).
    Quadratic,
}

/// Agreement of levels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WeightedKappa {
    /// Confidence of the interval.
    pub confidence: Decimal,
    /// How levels weigh that differ.
    pub weights: KappaWeighting,
}

/// Guesses of the arm against the arm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BlindingIndex {
    /// Confidence of the intervals.
    pub confidence: Decimal,
    /// Which arm each guess means.
    pub guesses: Vec<(String, String)>,
    /// The level of who makes no guess.
    pub unknown: String,
}

/// When a trial stops for too many events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "each variant's line says what its fields are")]
pub enum StoppingRule {
    /// Once the posterior probability of a rate above p0 reaches a threshold, under the prior Beta(a, b) (`beta-binomial`).
    BetaBinomial { prior: [Decimal; 2], threshold: Decimal },
    /// Once the binomial tail at p0 is at most one level at every number of participants, the level such that the boundary
    /// is reached with probability `alpha` at most (`pocock`).
    Pocock { alpha: Decimal },
}

/// A boundary over participants in the order of their first dose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct StoppingBoundary {
    /// The rule.
    pub rule: StoppingRule,
    /// For how many participants it is made.
    pub participants: u32,
    /// The rate that is still acceptable.
    pub p0: Decimal,
}

/// Kaplan-Meier curves with their quantiles and their comparison.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct KaplanMeier {
    /// Confidence of the limits.
    pub confidence: Decimal,
    /// The scale of the limits.
    pub limits: SurvivalLimits,
    /// How curves are compared.
    pub test: SurvivalTest,
    /// Times at which numbers at risk and survival are given.
    pub at: Vec<Decimal>,
    /// Variables whose combinations are the strata of the test.
    pub strata: Vec<String>,
}

/// How events of one day enter the likelihood of hazards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TiedTimes {
    /// Efron's approximation (`efron`; the default of R).
    Efron,
    /// Breslow's approximation (`breslow`; the default of SAS).
    Breslow,
}

/// The log-rank test, with the hazard ratio of a proportional-hazards model of the groups alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogRank {
    /// Confidence of the interval of the hazard ratio.
    pub confidence: Decimal,
    /// How tied events enter its likelihood.
    pub ties: TiedTimes,
    /// Variables whose combinations are the strata of test and model.
    pub strata: Vec<String>,
}

/// A proportional-hazards model (Cox): hazard ratios of the groups, adjusted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cox {
    /// Confidence of the intervals.
    pub confidence: Decimal,
    /// How tied events enter the likelihood.
    pub ties: TiedTimes,
    /// Numbers in the model.
    pub covariates: Vec<String>,
    /// Groupings in the model beside that of the analysis.
    pub factors: Vec<String>,
    /// Variables whose combinations have baseline hazards of their own.
    pub strata: Vec<String>,
}

/// A covariance structure over visits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "each variant's line is its word in the plan")]
pub enum VisitCovariance {
    /// `unstructured`
    Unstructured,
    /// `Toeplitz`
    Toeplitz,
    /// `heterogeneous Toeplitz`
    HeterogeneousToeplitz,
    /// `autoregressive`
    Autoregressive,
    /// `heterogeneous autoregressive`
    HeterogeneousAutoregressive,
    /// `compound symmetry`
    CompoundSymmetry,
    /// `heterogeneous compound symmetry`
    HeterogeneousCompoundSymmetry,
    /// `ante-dependence`
    AnteDependence,
    /// `heterogeneous ante-dependence`
    HeterogeneousAnteDependence,
}

/// How degrees of freedom of a mixed model come about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DegreesOfFreedom {
    /// `Kenward-Roger`: without second derivatives of the covariance.
    KenwardRoger,
    /// `Kenward-Roger second order`: with them, as mmrm parametrises it.
    KenwardRogerSecondOrder,
    /// `Satterthwaite`
    Satterthwaite,
    /// `between-within`
    BetweenWithin,
    /// `residual`
    Residual,
}

/// Where errors of a mixed model come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MixedErrors {
    /// `model`: from the covariance that was estimated.
    Model,
    /// `sandwich`: from residual products by participant, unadjusted (CR0).
    Sandwich,
    /// `bias-reduced sandwich` (CR2).
    BiasReduced,
    /// `jackknife sandwich` (CR3).
    Jackknife,
}

/// Which visits of a participant a method over repeated measures takes, and what explains the outcome.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RepeatedModel {
    /// The visits, in the order in which they follow one another.
    pub visits: Vec<String>,
    /// Over rows from elsewhere, the column that says which visit a row is of.
    pub visit_column: Option<String>,
    /// The covariance over these visits.
    pub covariance: VisitCovariance,
    /// Numbers with one slope for all visits: `baseline`, or variables.
    pub covariates: Vec<String>,
    /// Numbers with a slope at each visit.
    pub covariates_by_visit: Vec<String>,
    /// Groupings beside that of the analysis, whose effect is the same at all visits.
    pub factors: Vec<String>,
}

/// A mixed model for repeated measures: `outcome ~ visit * by + covariates`, correlated within participants.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Mmrm {
    /// Confidence of the intervals.
    pub confidence: Decimal,
    /// Visits, covariance and covariates.
    pub model: RepeatedModel,
    /// Whether each group has a covariance of its own.
    pub covariance_by_group: bool,
    /// Restricted (REML) or, with `full`, full likelihood.
    pub restricted: bool,
    /// How degrees of freedom come about.
    pub degrees_of_freedom: DegreesOfFreedom,
    /// Where errors come from.
    pub errors: MixedErrors,
}

/// What is assumed about visits that a participant has no value of after the last one (see the methods' pages).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Imputation {
    /// `missing at random`: they go on as those who stay (hypothetical strategy).
    MissingAtRandom,
    /// `jump to reference`: as the control group from then on (treatment policy without benefit).
    JumpToReference,
    /// `copy reference`: as the control group throughout.
    CopyReference,
    /// `copy increments`: changing as the control group does.
    CopyIncrements,
    /// `last mean carried`: staying at their mean of the last visit.
    LastMeanCarried,
}

/// How missing values are imputed, and where errors come from then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Imputing {
    /// `bootstrap`, `normal`: drawn, and pooled by Rubin's rules.
    Drawn {
        /// Where the parameters of each imputation come from.
        parameters: ParameterSource,
        /// Number of imputations.
        draws: u64,
        /// The seed of their random numbers.
        seed: u64,
    },
    /// `conditional mean`: set to their mean, with errors from leaving out each participant in turn.
    ConditionalMean,
}

/// Where the parameters of one imputation come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ParameterSource {
    /// The fit to a bootstrap sample (approximate Bayes).
    Bootstrap,
    /// The asymptotic normal distribution of the fit to the data.
    Normal,
}

/// Imputation of missing visits, then analysis of covariance of one visit.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MultipleImputation {
    /// Confidence of the intervals.
    pub confidence: Decimal,
    /// Visits, covariance and covariates of the imputation model; the covariates are those of the analysis too.
    pub model: RepeatedModel,
    /// What is assumed of those who leave.
    pub strategy: Imputation,
    /// The variable that says why somebody left, where that matters.
    pub reason: Option<String>,
    /// What is assumed of those who left for a reason, by its code; others follow `strategy`.
    pub strategies: Vec<(String, Imputation)>,
    /// How values are imputed.
    pub imputing: Imputing,
    /// What is added to every imputed value outside the control group; in one group, to every imputed value.
    pub delta: Decimal,
    /// The range of what is added in which the conclusion is followed until it changes.
    pub tipping_point: Option<[Decimal; 2]>,
}

/// Imputation of a missing level from a model of who has which, then shares, pooled.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PredictiveImputation {
    /// Confidence of the intervals.
    pub confidence: Decimal,
    /// The levels whose share is estimated.
    pub success: Vec<String>,
    /// Numbers that predict the level, beside the group.
    pub covariates: Vec<String>,
    /// Groupings that predict it.
    pub factors: Vec<String>,
    /// Number of imputations.
    pub draws: u64,
    /// The seed of their random numbers.
    pub seed: u64,
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
    /// `"binomial"`: a share with its interval.
    Binomial { confidence: Decimal, interval: ShareInterval },
    /// `"blinding index"`: Bang's index by arm and James's of all.
    BlindingIndex(BlindingIndex),
    /// `"stopping boundary"`: events against a boundary, participant by participant.
    StoppingBoundary(StoppingBoundary),
    /// `"agreement"`: intraclass correlation and limits of agreement of two readings.
    Agreement(Agreement),
    /// `"weighted kappa"`: agreement of two readings of levels.
    WeightedKappa(WeightedKappa),
    /// `"ancova"`: least-squares means of the groups and their pairwise differences, slopes of covariates.
    Ancova(Ancova),
    /// `"anova"`: one-way analysis of variance.
    Anova,
    /// `"chi-squared"`: Pearson's test of levels between groups.
    ChiSquared { continuity_correction: bool },
    /// `"cmh"`: Cochran-Mantel-Haenszel test of levels between groups within strata.
    Cmh(Cmh),
    /// `"kaplan-meier"`: survival curves, medians, numbers at risk, and their comparison.
    KaplanMeier(KaplanMeier),
    /// `"log-rank"`: comparison of times to an event, with the hazard ratio.
    LogRank(LogRank),
    /// `"cox"`: hazard ratios, adjusted.
    Cox(Cox),
    /// `"mmrm"`: mixed model over visits; means and differences at the analysis' visit, and at each.
    Mmrm(Mmrm),
    /// `"multiple imputation"`: missing visits imputed, one visit analysed, results pooled.
    MultipleImputation(MultipleImputation),
    /// `"predictive imputation"`: missing levels imputed from what predicts them, shares pooled.
    PredictiveImputation(PredictiveImputation),
}

impl Method {
    /// Returns its word in the plan language.
    pub fn word(&self) -> &'static str {
        match self {
            Method::Describe { .. } => "describe",
            Method::Count => "count",
            Method::PairedT { .. } => "paired t",
            Method::TwoSampleT { .. } => "two-sample t",
            Method::SignedRank { .. } => "signed rank",
            Method::RankSum { .. } => "rank sum",
            Method::Fisher { .. } => "fisher",
            Method::Binomial { .. } => "binomial",
            Method::BlindingIndex(_) => "blinding index",
            Method::StoppingBoundary(_) => "stopping boundary",
            Method::Agreement(_) => "agreement",
            Method::WeightedKappa(_) => "weighted kappa",
            Method::Ancova(_) => "ancova",
            Method::Anova => "anova",
            Method::ChiSquared { .. } => "chi-squared",
            Method::Cmh(_) => "cmh",
            Method::KaplanMeier(_) => "kaplan-meier",
            Method::LogRank(_) => "log-rank",
            Method::Cox(_) => "cox",
            Method::Mmrm(_) => "mmrm",
            Method::MultipleImputation(_) => "multiple imputation",
            Method::PredictiveImputation(_) => "predictive imputation",
        }
    }

    /// Returns the model over visits, if it has one.
    pub fn over_visits(&self) -> Option<&RepeatedModel> {
        match self {
            Method::Mmrm(Mmrm { model, .. })
            | Method::MultipleImputation(MultipleImputation { model, .. }) => Some(model),
            _ => None,
        }
    }

    /// Returns the confidence of its intervals, if it gives any.
    pub fn confidence(&self) -> Option<Decimal> {
        match self {
            Method::Describe { .. }
            | Method::Count
            | Method::Anova
            | Method::ChiSquared { .. }
            | Method::StoppingBoundary(_)
            | Method::Cmh(_) => None,
            Method::PairedT { confidence }
            | Method::TwoSampleT { confidence, .. }
            | Method::SignedRank { confidence, .. }
            | Method::RankSum { confidence, .. }
            | Method::Fisher { confidence }
            | Method::Binomial { confidence, .. }
            | Method::BlindingIndex(BlindingIndex { confidence, .. })
            | Method::Agreement(Agreement { confidence, .. })
            | Method::WeightedKappa(WeightedKappa { confidence, .. })
            | Method::Ancova(Ancova { confidence, .. })
            | Method::KaplanMeier(KaplanMeier { confidence, .. })
            | Method::LogRank(LogRank { confidence, .. })
            | Method::Cox(Cox { confidence, .. })
            | Method::Mmrm(Mmrm { confidence, .. })
            | Method::MultipleImputation(MultipleImputation { confidence, .. })
            | Method::PredictiveImputation(PredictiveImputation { confidence, .. }) => Some(*confidence),
        }
    }
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
