//! The methods of the plan language: one row each in [`METHODS`].
//!
//! A row says which options the method needs (every option that changes a number is
//! one of these, so that leaving one out is ambiguous and refused), what it can be
//! applied to, and the estimates that a published number may stand beside. A new
//! method is a row here, a variant of [`Method`], and a file of the analysis crate
//! that computes it.

use terms::Decimal;

use crate::{
    desk::{Desk, Section},
    model::*,
    shape::{Field, Keys, Shape, may},
    tree::Node,
};

words! { TWO_SIDED, two_sided -> TwoSided {
    "as far from its mean" => TwoSided::AsFarFromMean,
    "twice the smaller tail" => TwoSided::TwiceSmallerTail,
} }

words! { ZEROS, zeros -> Zeros {
    "dropped" => Zeros::Dropped,
    "pratt" => Zeros::Pratt,
} }

words! { QUARTILES, quartiles -> Quartiles {
    "type 2" => Quartiles::Type2,
    "type 7" => Quartiles::Type7,
} }

words! { LS_MEANS, ls_means -> MarginalMeans {
    "equal weights" => MarginalMeans::EqualWeights,
    "as observed" => MarginalMeans::AsObserved,
} }

words! { ASSOCIATIONS, association -> CmhAssociation {
    "general" => CmhAssociation::General,
    "row mean scores" => CmhAssociation::RowMeanScores,
    "correlation" => CmhAssociation::Correlation,
} }

words! { SCORES, scores -> Scores {
    "values" => Scores::Values,
    "order" => Scores::Order,
} }

words! { INTERVALS, share_interval -> ShareInterval {
    "clopper-pearson" => ShareInterval::ClopperPearson,
    "wilson" => ShareInterval::Wilson,
    "wilson corrected" => ShareInterval::WilsonCorrected,
    "agresti-coull" => ShareInterval::AgrestiCoull,
    "jeffreys" => ShareInterval::Jeffreys,
    "mid-p" => ShareInterval::MidP,
    "wald" => ShareInterval::Wald,
} }

words! { ICC_FORMS, icc_form -> IccForm {
    "one-way" => IccForm::OneWay,
    "absolute agreement" => IccForm::Absolute,
    "consistency" => IccForm::Consistency,
} }

words! { WEIGHTS, weighting -> KappaWeighting {
    "none" => KappaWeighting::None,
    "linear" => KappaWeighting::Linear,
    "quadratic" => KappaWeighting::Quadratic,
} }

const RULES: &[&str] = &["beta-binomial", "pocock"];

words! { LIMITS, limits -> SurvivalLimits {
    "log" => SurvivalLimits::Log,
    "log-log" => SurvivalLimits::LogLog,
} }

words! { SURVIVAL_TESTS, survival_test -> SurvivalTest {
    "log-rank" => SurvivalTest::LogRank,
    "peto" => SurvivalTest::Peto,
    "none" => SurvivalTest::None,
} }

words! { TIES, ties -> TiedTimes {
    "efron" => TiedTimes::Efron,
    "breslow" => TiedTimes::Breslow,
} }

words! { COVARIANCES, covariance -> VisitCovariance {
    "unstructured" => VisitCovariance::Unstructured,
    "Toeplitz" => VisitCovariance::Toeplitz,
    "heterogeneous Toeplitz" => VisitCovariance::HeterogeneousToeplitz,
    "autoregressive" => VisitCovariance::Autoregressive,
    "heterogeneous autoregressive" => VisitCovariance::HeterogeneousAutoregressive,
    "compound symmetry" => VisitCovariance::CompoundSymmetry,
    "heterogeneous compound symmetry" => VisitCovariance::HeterogeneousCompoundSymmetry,
    "ante-dependence" => VisitCovariance::AnteDependence,
    "heterogeneous ante-dependence" => VisitCovariance::HeterogeneousAnteDependence,
} }

words! { DEGREES, degrees -> DegreesOfFreedom {
    "Kenward-Roger" => DegreesOfFreedom::KenwardRoger,
    "Kenward-Roger second order" => DegreesOfFreedom::KenwardRogerSecondOrder,
    "Satterthwaite" => DegreesOfFreedom::Satterthwaite,
    "between-within" => DegreesOfFreedom::BetweenWithin,
    "residual" => DegreesOfFreedom::Residual,
} }

words! { ERRORS, errors -> MixedErrors {
    "model" => MixedErrors::Model,
    "sandwich" => MixedErrors::Sandwich,
    "bias-reduced sandwich" => MixedErrors::BiasReduced,
    "jackknife sandwich" => MixedErrors::Jackknife,
} }

words! { LIKELIHOODS, restricted -> bool {
    "restricted" => true,
    "full" => false,
} }

words! { IMPUTATIONS, imputation -> Imputation {
    "missing at random" => Imputation::MissingAtRandom,
    "jump to reference" => Imputation::JumpToReference,
    "copy reference" => Imputation::CopyReference,
    "copy increments" => Imputation::CopyIncrements,
    "last mean carried" => Imputation::LastMeanCarried,
} }

/// How imputed values come about; the numbers that go with draws are options of their own.
#[derive(Clone, Copy)]
pub(super) enum Way {
    Drawn(ParameterSource),
    ConditionalMean,
}

words! { WAYS, way -> Way {
    "bootstrap" => Way::Drawn(ParameterSource::Bootstrap),
    "normal" => Way::Drawn(ParameterSource::Normal),
    "conditional mean" => Way::ConditionalMean,
} }

/// What a method can be applied to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    /// Whatever there is.
    Anything,
    /// A number a participant.
    Numbers,
    /// A number that is a change from baseline.
    Changes,
    /// Yes or no.
    YesOrNo,
    /// A level a participant.
    Levels,
    /// Times to an event.
    Times,
    /// Two readings of a slide.
    Readings,
}

/// One method.
pub(super) struct MethodRow {
    pub(super) word: &'static str,
    /// Options that it can't do without.
    pub(super) needs: &'static [&'static str],
    /// Options that add something to it.
    pub(super) may: &'static [&'static str],
    /// The keys of its estimates.
    pub(super) estimates: &'static [&'static str],
    pub(super) takes: Takes,
    /// Whether it compares groups, and so needs them.
    pub(super) compares: bool,
    /// Reads its options; none where one is missing or wrong, which has been reported.
    read: fn(&Options<'_>) -> Option<Method>,
}

/// The table of methods.
pub(super) const METHODS: &[MethodRow] = &[
    MethodRow {
        word: "describe",
        needs: &["quartiles"],
        may: &[],
        estimates: &["n", "mean", "sd", "median", "q1", "q3", "min", "max"],
        takes: Takes::Numbers,
        compares: false,
        read: |options| Some(Method::Describe { quartiles: options.word("quartiles", quartiles)? }),
    },
    MethodRow {
        word: "count",
        needs: &[],
        may: &[],
        estimates: &[
            "count",
            "percent",
            "denominator",
            "missing",
            "events",
            "participants",
            "low_grade_events",
            "low_grade_percent",
            "deviations",
        ],
        takes: Takes::Anything,
        compares: false,
        read: |_| Some(Method::Count),
    },
    MethodRow {
        word: "paired t",
        needs: &["confidence"],
        may: &[],
        estimates: &[
            "n",
            "mean",
            "sd",
            "se",
            "lower",
            "upper",
            "t",
            "df",
            "p",
            "baseline_mean",
            "percent_of_baseline",
            "mean_percent",
        ],
        takes: Takes::Changes,
        compares: false,
        read: |options| Some(Method::PairedT { confidence: options.confidence()? }),
    },
    MethodRow {
        word: "two-sample t",
        needs: &["confidence", "equal_variances"],
        may: &[],
        estimates: &["n", "mean", "sd", "difference", "lower", "upper", "t", "df", "p"],
        takes: Takes::Numbers,
        compares: true,
        read: |options| {
            let (confidence, equal_variances) = (options.confidence()?, options.flag("equal_variances")?);
            Some(Method::TwoSampleT { confidence, equal_variances })
        },
    },
    MethodRow {
        word: "signed rank",
        needs: &["zeros", "two_sided", "confidence"],
        may: &[],
        estimates: &["n", "v", "p", "pseudomedian", "lower", "upper"],
        takes: Takes::Changes,
        compares: false,
        read: |options| {
            Some(Method::SignedRank {
                zeros: options.word("zeros", zeros)?,
                two_sided: options.word("two_sided", two_sided)?,
                confidence: options.confidence()?,
            })
        },
    },
    MethodRow {
        word: "rank sum",
        needs: &["two_sided", "confidence", "quartiles"],
        may: &[],
        estimates: &["w", "p", "shift", "lower", "upper", "n", "median", "q1", "q3", "min", "max"],
        takes: Takes::Numbers,
        compares: true,
        read: |options| {
            Some(Method::RankSum {
                two_sided: options.word("two_sided", two_sided)?,
                confidence: options.confidence()?,
                quartiles: options.word("quartiles", quartiles)?,
            })
        },
    },
    MethodRow {
        word: "fisher",
        needs: &["confidence"],
        may: &[],
        estimates: &[
            "events",
            "n",
            "percent",
            "p",
            "odds_ratio",
            "lower",
            "upper",
            "difference",
            "difference_lower",
            "difference_upper",
        ],
        takes: Takes::YesOrNo,
        compares: true,
        read: |options| Some(Method::Fisher { confidence: options.confidence()? }),
    },
    MethodRow {
        word: "binomial",
        needs: &["confidence", "interval"],
        may: &[],
        estimates: &["events", "n", "percent", "lower", "upper"],
        takes: Takes::YesOrNo,
        compares: false,
        read: |options| {
            let interval = options.word("interval", share_interval)?;
            Some(Method::Binomial { confidence: options.confidence()?, interval })
        },
    },
    MethodRow {
        word: "blinding index",
        needs: &["confidence", "guesses", "unknown"],
        may: &[],
        estimates: &[
            "n",
            "right",
            "wrong",
            "unknown",
            "index",
            "lower",
            "upper",
            "p",
            "james",
            "james_lower",
            "james_upper",
            "james_p",
        ],
        takes: Takes::Levels,
        compares: true,
        read: |options| {
            Some(Method::BlindingIndex(BlindingIndex {
                confidence: options.confidence()?,
                guesses: options.pairs("guesses"),
                unknown: options.0.as_ref()?.text("unknown")?.to_owned(),
            }))
        },
    },
    MethodRow {
        word: "stopping boundary",
        needs: &["rule", "participants", "p0"],
        may: &["prior", "threshold", "alpha"],
        estimates: &["n", "events", "limit", "reached_at", "crossing", "posterior"],
        takes: Takes::YesOrNo,
        compares: false,
        read: |options| {
            let rule = match options.0.as_ref()?.text("rule")? {
                "beta-binomial" => {
                    let &[a, b] = options.numbers("prior").as_slice() else { return None };
                    StoppingRule::BetaBinomial { prior: [a, b], threshold: options.number("threshold")? }
                }
                _ => StoppingRule::Pocock { alpha: options.number("alpha")? },
            };
            let participants = options.number("participants")?.to_string().parse().ok()?;
            Some(Method::StoppingBoundary(StoppingBoundary { rule, participants, p0: options.number("p0")? }))
        },
    },
    MethodRow {
        word: "agreement",
        needs: &["confidence", "icc"],
        may: &[],
        estimates: &[
            "n",
            "icc",
            "icc_lower",
            "icc_upper",
            "bias",
            "lower",
            "upper",
            "sd",
            "limit_lower",
            "limit_upper",
        ],
        takes: Takes::Readings,
        compares: false,
        read: |options| {
            let icc = options.word("icc", icc_form)?;
            Some(Method::Agreement(Agreement { confidence: options.confidence()?, icc }))
        },
    },
    MethodRow {
        word: "weighted kappa",
        needs: &["confidence", "weights"],
        may: &[],
        estimates: &["n", "agree", "kappa", "lower", "upper", "p"],
        takes: Takes::Readings,
        compares: false,
        read: |options| {
            let weights = options.word("weights", weighting)?;
            Some(Method::WeightedKappa(WeightedKappa { confidence: options.confidence()?, weights }))
        },
    },
    MethodRow {
        word: "ancova",
        needs: &["confidence", "ls_means"],
        may: &["covariates", "factors"],
        estimates: &[
            "n",
            "mean",
            "sd",
            "ls_mean",
            "ls_mean_se",
            "ls_mean_lower",
            "ls_mean_upper",
            "difference",
            "se",
            "lower",
            "upper",
            "t",
            "p",
            "f",
            "df",
            "df_residual",
            "sigma",
            "slope",
            "slope_se",
            "slope_lower",
            "slope_upper",
            "slope_p",
            "term_f",
            "term_p",
        ],
        takes: Takes::Numbers,
        compares: false,
        read: |options| {
            Some(Method::Ancova(Ancova {
                confidence: options.confidence()?,
                ls_means: options.word("ls_means", ls_means)?,
                covariates: options.texts("covariates"),
                factors: options.texts("factors"),
            }))
        },
    },
    MethodRow {
        word: "anova",
        needs: &[],
        may: &[],
        estimates: &["n", "mean", "sd", "median", "min", "max", "f", "df", "df_residual", "p"],
        takes: Takes::Numbers,
        compares: true,
        read: |_| Some(Method::Anova),
    },
    MethodRow {
        word: "chi-squared",
        needs: &["continuity_correction"],
        may: &[],
        estimates: &["n", "count", "percent", "missing", "chi_squared", "df", "p"],
        takes: Takes::Levels,
        compares: true,
        read: |options| {
            Some(Method::ChiSquared { continuity_correction: options.flag("continuity_correction")? })
        },
    },
    MethodRow {
        word: "cmh",
        needs: &["association", "strata"],
        may: &["scores"],
        estimates: &["n", "count", "percent", "missing", "chi_squared", "df", "p"],
        takes: Takes::Levels,
        compares: true,
        read: |options| {
            Some(Method::Cmh(Cmh {
                association: options.word("association", association)?,
                scores: options.word("scores", scores),
                strata: options.texts("strata"),
            }))
        },
    },
    MethodRow {
        word: "kaplan-meier",
        needs: &["confidence", "limits", "test"],
        may: &["at", "strata"],
        estimates: &[
            "n",
            "events",
            "censored",
            "median",
            "lower",
            "upper",
            "at_risk",
            "survival",
            "chi_squared",
            "df",
            "p",
        ],
        takes: Takes::Times,
        compares: false,
        read: |options| {
            Some(Method::KaplanMeier(KaplanMeier {
                confidence: options.confidence()?,
                limits: options.word("limits", limits)?,
                test: options.word("test", survival_test)?,
                at: options.numbers("at"),
                strata: options.texts("strata"),
            }))
        },
    },
    MethodRow {
        word: "log-rank",
        needs: &["confidence", "ties"],
        may: &["strata"],
        estimates: &[
            "n",
            "events",
            "chi_squared",
            "df",
            "p",
            "log_hazard_ratio",
            "se",
            "log_lower",
            "log_upper",
            "hazard_ratio",
            "lower",
            "upper",
        ],
        takes: Takes::Times,
        compares: true,
        read: |options| {
            Some(Method::LogRank(LogRank {
                confidence: options.confidence()?,
                ties: options.word("ties", ties)?,
                strata: options.texts("strata"),
            }))
        },
    },
    MethodRow {
        word: "cox",
        needs: &["confidence", "ties"],
        may: &["covariates", "factors", "strata"],
        estimates: &[
            "n",
            "events",
            "log_hazard_ratio",
            "se",
            "log_lower",
            "log_upper",
            "hazard_ratio",
            "lower",
            "upper",
            "z",
            "p",
            "ratio",
            "ratio_lower",
            "ratio_upper",
            "ratio_p",
        ],
        takes: Takes::Times,
        compares: true,
        read: |options| {
            Some(Method::Cox(Cox {
                confidence: options.confidence()?,
                ties: options.word("ties", ties)?,
                covariates: options.texts("covariates"),
                factors: options.texts("factors"),
                strata: options.texts("strata"),
            }))
        },
    },
    MethodRow {
        word: "mmrm",
        needs: &["confidence", "visits", "covariance", "degrees_of_freedom"],
        may: &[
            "visit_column",
            "covariates",
            "covariates_by_visit",
            "factors",
            "likelihood",
            "errors",
            "covariance_by_group",
        ],
        estimates: &[
            "n",
            "observations",
            "ls_mean",
            "ls_mean_se",
            "ls_mean_lower",
            "ls_mean_upper",
            "difference",
            "se",
            "lower",
            "upper",
            "df",
            "t",
            "p",
            "visit_mean",
            "visit_mean_se",
            "visit_difference",
            "visit_se",
            "visit_lower",
            "visit_upper",
            "visit_p",
            "average_mean",
            "average_mean_se",
            "average_difference",
            "average_se",
            "average_lower",
            "average_upper",
            "average_p",
            "minus_2_log_likelihood",
        ],
        takes: Takes::Numbers,
        compares: false,
        read: |options| {
            Some(Method::Mmrm(Mmrm {
                confidence: options.confidence()?,
                model: options.repeated()?,
                covariance_by_group: options.flag("covariance_by_group").unwrap_or(false),
                restricted: options.word("likelihood", restricted).unwrap_or(true),
                degrees_of_freedom: options.word("degrees_of_freedom", degrees)?,
                errors: options.word("errors", errors).unwrap_or(MixedErrors::Model),
            }))
        },
    },
    MethodRow {
        word: "multiple imputation",
        needs: &["confidence", "visits", "covariance", "strategy", "imputation"],
        may: &[
            "draws",
            "seed",
            "visit_column",
            "covariates",
            "covariates_by_visit",
            "factors",
            "reason",
            "strategies",
            "delta",
            "tipping_point",
        ],
        estimates: &[
            "n",
            "imputed",
            "ls_mean",
            "ls_mean_se",
            "ls_mean_lower",
            "ls_mean_upper",
            "difference",
            "se",
            "lower",
            "upper",
            "df",
            "t",
            "p",
            "missing_information",
            "tipping_point",
        ],
        takes: Takes::Numbers,
        compares: false,
        read: |options| {
            Some(Method::MultipleImputation(MultipleImputation {
                confidence: options.confidence()?,
                model: options.repeated()?,
                strategy: options.word("strategy", imputation)?,
                reason: options.text("reason"),
                strategies: options.words("strategies", imputation),
                imputing: match options.word("imputation", way)? {
                    Way::Drawn(parameters) => Imputing::Drawn {
                        parameters,
                        draws: options.whole("draws")?,
                        seed: options.whole("seed")?,
                    },
                    Way::ConditionalMean => Imputing::ConditionalMean,
                },
                delta: options.number("delta").unwrap_or(Decimal::ZERO),
                tipping_point: <[Decimal; 2]>::try_from(options.numbers("tipping_point")).ok(),
            }))
        },
    },
    MethodRow {
        word: "predictive imputation",
        needs: &["confidence", "success", "draws", "seed"],
        may: &["covariates", "factors"],
        estimates: &[
            "n",
            "imputed",
            "percent",
            "percent_lower",
            "percent_upper",
            "difference",
            "se",
            "lower",
            "upper",
            "df",
            "t",
            "p",
            "missing_information",
        ],
        takes: Takes::Levels,
        compares: false,
        read: |options| {
            Some(Method::PredictiveImputation(PredictiveImputation {
                confidence: options.confidence()?,
                success: options.texts("success"),
                covariates: options.texts("covariates"),
                factors: options.texts("factors"),
                draws: options.whole("draws")?,
                seed: options.whole("seed")?,
            }))
        },
    },
];

/// The methods' names, as the shape of an analysis lists them.
pub(super) const METHOD_WORDS: &[&str] = &{
    let mut words = [""; METHODS.len()];
    let mut place = 0;
    while place < METHODS.len() {
        words[place] = METHODS[place].word;
        place += 1;
    }
    words
};

const CONFIDENCE: Shape = Shape::Number { min: Some(0), max: Some(1) };

/// All options of all methods.
pub(super) const OPTIONS: &[Field] = &[
    may("quartiles", Shape::Word(QUARTILES), "Quartile definition: type 2 (SAS) or type 7 (R)."),
    may("confidence", CONFIDENCE, "Confidence of the interval, such as 0.95."),
    may("equal_variances", Shape::Flag, "Whether variances are taken as equal."),
    may("zeros", Shape::Word(ZEROS), "What becomes of zero differences."),
    may("two_sided", Shape::Word(TWO_SIDED), "Which two-sided p-value: they differ where arms are unequal."),
    may("ls_means", Shape::Word(LS_MEANS), "How least-squares means average over the other factors."),
    may(
        "covariates",
        Shape::List(&Shape::Text),
        "Numbers in the model: `baseline`, or variables that hold numbers.",
    ),
    may(
        "factors",
        Shape::List(&Shape::Text),
        "Groupings in the model beside `by`: variables that hold codes.",
    ),
    may(
        "continuity_correction",
        Shape::Flag,
        "Whether Yates' correction is applied (two levels of two groups).",
    ),
    may("association", Shape::Word(ASSOCIATIONS), "Which alternative a stratified test has in mind."),
    may("scores", Shape::Word(SCORES), "Scores of levels: their own numbers, or 1, 2, 3 in their order."),
    may("strata", Shape::List(&Shape::Text), "Variables whose combinations are the strata."),
    may("interval", Shape::Word(INTERVALS), "How the interval of a share is computed."),
    may("guesses", Shape::Map(Keys::Free, &Shape::Text), "Which group each guess means: guess = group."),
    may("unknown", Shape::Text, "The level of who makes no guess."),
    may("rule", Shape::Word(RULES), "What a stopping boundary rests on."),
    may(
        "participants",
        Shape::Integer { min: 1, max: 1_000 },
        "For how many participants a boundary is made.",
    ),
    may("p0", CONFIDENCE, "The rate of events that is still acceptable."),
    may(
        "prior",
        Shape::List(&Shape::Number { min: Some(0), max: None }),
        "The two parameters of the beta prior of the rate.",
    ),
    may("threshold", CONFIDENCE, "The posterior probability of a rate above `p0` that stops."),
    may("alpha", CONFIDENCE, "The largest probability of ever stopping at a rate of `p0`."),
    may("icc", Shape::Word(ICC_FORMS), "Which intraclass correlation of single readings."),
    may("weights", Shape::Word(WEIGHTS), "How kappa weighs levels that differ."),
    may("limits", Shape::Word(LIMITS), "The scale on which limits of a survival curve are symmetric."),
    may("test", Shape::Word(SURVIVAL_TESTS), "How survival curves are compared."),
    may(
        "at",
        Shape::List(&Shape::Number { min: Some(0), max: None }),
        "Times at which numbers at risk are given.",
    ),
    may("ties", Shape::Word(TIES), "How events at the same time enter the likelihood of hazards."),
    may(
        "visits",
        Shape::List(&Shape::Text),
        "The visits of a model over repeated measures, in their order; that of the analysis is one of them.",
    ),
    may(
        "visit_column",
        Shape::Text,
        "Over rows from elsewhere: the column that says which visit a row is of.",
    ),
    may("covariance", Shape::Word(COVARIANCES), "The covariance over visits."),
    may(
        "covariance_by_group",
        Shape::Flag,
        "Whether each group has a covariance of its own; false if left out.",
    ),
    may("degrees_of_freedom", Shape::Word(DEGREES), "How degrees of freedom of a mixed model come about."),
    may("likelihood", Shape::Word(LIKELIHOODS), "Restricted (REML, if left out) or full likelihood."),
    may(
        "errors",
        Shape::Word(ERRORS),
        "Errors from the model, if left out, or from a sandwich by participant.",
    ),
    may(
        "covariates_by_visit",
        Shape::List(&Shape::Text),
        "Numbers in the model with a slope at each visit: `baseline`, or variables that hold numbers.",
    ),
    may("strategy", Shape::Word(IMPUTATIONS), "What is assumed of those who leave before the visit."),
    may(
        "reason",
        Shape::Text,
        "The variable that says why somebody left, where the assumption depends on it.",
    ),
    may(
        "strategies",
        Shape::Map(Keys::Free, &Shape::Word(IMPUTATIONS)),
        "With `reason`: what is assumed by its code; others follow `strategy`.",
    ),
    may(
        "imputation",
        Shape::Word(WAYS),
        "How missing values are imputed: drawn, with parameters from a bootstrap sample or from their normal distribution; or set to their mean, with errors by the jackknife.",
    ),
    may("success", Shape::List(&Shape::Text), "The levels whose share is estimated."),
    may("draws", Shape::Integer { min: 2, max: 10_000 }, "The number of imputations."),
    may("seed", Shape::Integer { min: 0, max: 9_007_199_254_740_991 }, "The seed of their random numbers."),
    may(
        "delta",
        Shape::Number { min: None, max: None },
        "What is added to imputed values outside the control group.",
    ),
    may(
        "tipping_point",
        Shape::List(&Shape::Number { min: None, max: None }),
        "From what to what `delta` is changed until the conclusion does.",
    ),
];

/// What is ambiguous without an option, and what to write.
fn ambiguity(option: &str) -> (&'static str, &'static str) {
    match option {
        "two_sided" => (
            "which two-sided p-value (they differ in unequal arms)",
            "add `two_sided = \"as far from its mean\"` (the permutation rule) or `two_sided = \"twice the smaller tail\"`",
        ),
        "quartiles" => (
            "which quartiles (programs differ)",
            "add `quartiles = \"type 2\"` (SAS) or `quartiles = \"type 7\"` (R)",
        ),
        "zeros" => (
            "what becomes of zero differences",
            "add `zeros = \"dropped\"` (before ranking) or `zeros = \"pratt\"` (after)",
        ),
        "equal_variances" => (
            "whether variances are equal",
            "add `equal_variances = false` (Welch) or `equal_variances = true` (Student)",
        ),
        "ls_means" => (
            "how least-squares means average over other factors",
            "add `ls_means = \"equal weights\"` (SAS) or `ls_means = \"as observed\"`",
        ),
        "continuity_correction" => (
            "whether it corrects for continuity",
            "add `continuity_correction = false` (Pearson) or `continuity_correction = true` (Yates)",
        ),
        "association" => (
            "which association it tests",
            "add `association = \"row mean scores\"`, `association = \"general\"` or `association = \"correlation\"`",
        ),
        "strata" => {
            ("what its strata are", "add `strata = [\"site\"]`, or another variable that holds codes")
        }
        "scores" => (
            "which scores its levels have",
            "add `scores = \"values\"` (the numbers that they are) or `scores = \"order\"` (1, 2, 3 …)",
        ),
        "interval" => (
            "how its interval is computed",
            "add `interval = \"clopper-pearson\"` (exact), or \"wilson\", \"wilson corrected\", \"agresti-coull\", \"jeffreys\", \"mid-p\" or \"wald\"",
        ),
        "guesses" => (
            "which group each guess means",
            "add `guesses = { active = \"imatinib\", control = \"placebo\" }` with the levels of the guess and the groups",
        ),
        "unknown" => ("which level is no guess", "add `unknown = \"no_idea\"`"),
        "rule" => (
            "what its boundary rests on",
            "add `rule = \"beta-binomial\"` with `prior` and `threshold`, or `rule = \"pocock\"` with `alpha`",
        ),
        "participants" => ("for how many participants its boundary is made", "add `participants = 30`"),
        "p0" => ("which rate of events is still acceptable", "add `p0 = 0.2`"),
        "prior" => ("which prior the rate has", "add `prior = [0.6, 2.4]`"),
        "threshold" => ("which posterior probability stops", "add `threshold = 0.95`"),
        "alpha" => ("how often it may stop without need", "add `alpha = 0.05`"),
        "icc" => (
            "which intraclass correlation",
            "add `icc = \"absolute agreement\"`, `icc = \"consistency\"` or `icc = \"one-way\"`",
        ),
        "weights" => (
            "how levels weigh that differ",
            "add `weights = \"quadratic\"`, `weights = \"linear\"` or `weights = \"none\"`",
        ),
        "limits" => (
            "on which scale its limits are symmetric",
            "add `limits = \"log-log\"` (SAS) or `limits = \"log\"` (R)",
        ),
        "test" => {
            ("how curves are compared", "add `test = \"log-rank\"`, `test = \"peto\"` or `test = \"none\"`")
        }
        "ties" => (
            "how events at the same time enter (programs differ)",
            "add `ties = \"efron\"` (R) or `ties = \"breslow\"` (SAS)",
        ),
        "visits" => (
            "which visits the model is over",
            "add `visits = [\"M1\", \"M3\", \"M6\"]`, those after baseline up to that of the analysis",
        ),
        "covariance" => {
            ("which covariance its visits have", "add `covariance = \"unstructured\"`, or another structure")
        }
        "degrees_of_freedom" => (
            "how its degrees of freedom come about (programs differ)",
            "add `degrees_of_freedom = \"Kenward-Roger\"` or `degrees_of_freedom = \"Satterthwaite\"`",
        ),
        "strategy" => (
            "what is assumed of those who leave",
            "add `strategy = \"missing at random\"`, or `strategy = \"jump to reference\"` for no benefit after leaving",
        ),
        "imputation" => (
            "how missing values are imputed",
            "add `imputation = \"bootstrap\"` or `imputation = \"normal\"` with `draws` and `seed`, or `imputation = \"conditional mean\"` (no draws, errors by the jackknife)",
        ),
        "success" => ("which levels' share it estimates", "add `success = [\"yes\"]`"),
        "draws" => ("how many imputations it makes", "add `draws = 100`"),
        "seed" => ("which random numbers it draws", "add `seed = ` with any whole number"),
        _ => ("how sure its interval is", "add `confidence = 0.95`"),
    }
}

/// The options of one analysis.
pub(super) struct Options<'t>(Option<Section<'t>>);

impl<'t> Options<'t> {
    fn word<T>(&self, key: &str, read: fn(&str) -> Option<T>) -> Option<T> {
        read(self.0.as_ref()?.text(key)?)
    }

    fn flag(&self, key: &str) -> Option<bool> {
        self.0.as_ref()?.flag(key)
    }

    fn confidence(&self) -> Option<Decimal> {
        self.0.as_ref()?.decimal("confidence").filter(|level| *level > Decimal::ZERO && *level < Decimal::ONE)
    }

    fn text(&self, key: &str) -> Option<String> {
        self.0.as_ref()?.text(key).map(str::to_owned)
    }

    fn whole(&self, key: &str) -> Option<u64> {
        self.number(key)?.to_string().parse().ok()
    }

    fn number(&self, key: &str) -> Option<Decimal> {
        self.0.as_ref()?.decimal(key)
    }

    fn pairs(&self, key: &str) -> Vec<(String, String)> {
        let entries = self.0.iter().flat_map(|options| options.named(key));
        entries.filter_map(|one| Some((one.name().to_owned(), one.node.text()?.to_owned()))).collect()
    }

    /// A table of words by free names.
    fn words<T>(&self, key: &str, read: fn(&str) -> Option<T>) -> Vec<(String, T)> {
        let entries = self.0.iter().flat_map(|options| options.named(key));
        entries.filter_map(|entry| Some((entry.name().to_owned(), read(entry.node.text()?)?))).collect()
    }

    /// What methods over repeated measures have in common.
    fn repeated(&self) -> Option<RepeatedModel> {
        Some(RepeatedModel {
            visits: self.texts("visits"),
            visit_column: self.text("visit_column"),
            covariance: self.word("covariance", covariance)?,
            covariates: self.texts("covariates"),
            covariates_by_visit: self.texts("covariates_by_visit"),
            factors: self.texts("factors"),
        })
    }

    fn numbers(&self, key: &str) -> Vec<Decimal> {
        let nodes = self.0.as_ref().and_then(|options| options.get(key)).map_or(&[][..], Node::elements);
        nodes.iter().filter_map(Node::decimal).collect()
    }

    fn texts(&self, key: &str) -> Vec<String> {
        let nodes = self.0.as_ref().and_then(|options| options.get(key)).map_or(&[][..], Node::elements);
        nodes.iter().filter_map(Node::text).map(str::to_owned).collect()
    }
}

/// Returns the row of a method.
pub(super) fn row(word: &str) -> Option<&'static MethodRow> {
    METHODS.iter().find(|row| row.word == word)
}

/// The options that others make necessary: scores of a test that uses them, and what a stopping rule rests on.
fn needed_too(row: &MethodRow, options: Option<&Section<'_>>) -> &'static [&'static str] {
    let word = |key: &str| options.and_then(|options| options.text(key));
    match row.word {
        "cmh" if word("association").is_some_and(|word| word != "general") => &["scores"],
        "stopping boundary" if word("rule") == Some("beta-binomial") => &["prior", "threshold"],
        "stopping boundary" if word("rule") == Some("pocock") => &["alpha"],
        "multiple imputation" if matches!(word("imputation"), Some("bootstrap" | "normal")) => {
            &["draws", "seed"]
        }
        _ => &[],
    }
}

/// Reads the method and its options; reports those that are missing or of another method.
pub(super) fn read_method(desk: &mut Desk<'_>, entry: &Section<'_>) -> Option<Method> {
    let row = row(entry.text("method")?)?;
    let options = entry.section("options");
    let place = options.map_or_else(|| entry.place_of("method"), |options| options.place());
    for option in row.needs {
        if options.and_then(|options| options.get(option)).is_none() && !desk.was_left_out(option) {
            let (what, help) = ambiguity(option);
            desk.error(
                "ambiguous",
                &place,
                format!("{} does not say {what}", entry.name()),
                Some(help.to_owned()),
            );
        }
    }
    let mut incomplete = false;
    for option in needed_too(row, options.as_ref()) {
        if options.and_then(|options| options.get(option)).is_none() {
            let (what, help) = ambiguity(option);
            let message = format!("{} does not say {what}", entry.name());
            desk.error("ambiguous", &place, message, Some(help.to_owned()));
            incomplete = true;
        }
    }
    if incomplete {
        return None;
    }
    for option in options.iter().flat_map(Section::all) {
        let known = OPTIONS.iter().any(|field| field.key == option.name());
        if known && !row.needs.contains(&option.name()) && !row.may.contains(&option.name()) {
            let all: Vec<&str> = row.needs.iter().chain(row.may).copied().collect();
            let help = if all.is_empty() {
                "it takes no options".to_owned()
            } else {
                format!("it takes {}", all.join(", "))
            };
            desk.error(
                "unknown-key",
                &option.place(),
                format!("method \"{}\" has no option `{}`", row.word, option.name()),
                Some(help),
            );
        }
    }
    let read = Options(options);
    let given = options.and_then(|options| Some((options, options.get("confidence")?)));
    if let Some((options, node)) = given
        && node.decimal().is_some()
        && read.confidence().is_none()
    {
        desk.error(
            "out-of-range",
            &options.place_of("confidence"),
            "a confidence lies between 0 and 1, both excluded",
            Some("write 0.95".into()),
        );
    }
    (row.read)(&read)
}
