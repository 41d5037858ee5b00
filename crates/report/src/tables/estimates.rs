//! What each method's estimates are called and how they are set together.

use analysis::{AnalysisResult, PublishedNumber};
use protocol::model::{Method, Records, RecordsOf, Subject};

use super::{Place, Scope, find};
use crate::{BuildError, context::Context, document::Inline, wording};

/// A part of an estimate: a number by its key, or words between numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// A number.
    Key(&'static str),
    /// Words.
    Words(&'static str),
}

/// One estimate of a method: numbers that are read together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Estimate {
    /// Its name; `{ci}` stands for the interval's.
    head: &'static str,
    /// Where it stands.
    pub(super) scope: Scope,
    /// Its parts.
    pub(super) parts: &'static [Part],
    /// Whether it stands in a table of many analyses too.
    pub(super) brief: bool,
    /// Whether it is shown only beside a stated number.
    if_stated: bool,
    /// Whether it is a group's own and never that of all together.
    groups_only: bool,
}

use Part::{Key, Words};
use Scope::{Comparison, EachGroup};

const fn full(head: &'static str, scope: Scope, parts: &'static [Part]) -> Estimate {
    Estimate { head, scope, parts, brief: false, if_stated: false, groups_only: false }
}

const fn brief(head: &'static str, scope: Scope, parts: &'static [Part]) -> Estimate {
    Estimate { head, scope, parts, brief: true, if_stated: false, groups_only: false }
}

/// `a (b)`.
const fn bracketed(key: &'static str, inside: &'static str) -> [Part; 4] {
    [Key(key), Words(" ("), Key(inside), Words(")")]
}

/// `a (b to c)`.
const fn with_ends(key: &'static str, lower: &'static str, upper: &'static str) -> [Part; 6] {
    [Key(key), Words(" ("), Key(lower), Words(" to "), Key(upper), Words(")")]
}

/// `a to b`.
const fn from_to(lower: &'static str, upper: &'static str) -> [Part; 3] {
    [Key(lower), Words(" to "), Key(upper)]
}

const N: Estimate = brief("n", EachGroup, &[Key("n")]);
const P: Estimate = brief("p, two-sided", Comparison, &[Key("p")]);
const MEAN: Estimate = brief("Mean (SD)", EachGroup, &bracketed("mean", "sd"));
const MEDIAN: Estimate = brief("Median (Q1 to Q3)", EachGroup, &with_ends("median", "q1", "q3"));
const RANGE: Estimate = full("Range", EachGroup, &from_to("min", "max"));
const LS_MEAN: Estimate =
    brief("Least-squares mean ({ci})", EachGroup, &with_ends("ls_mean", "ls_mean_lower", "ls_mean_upper"));
const DIFFERENCE: Estimate =
    brief("Difference ({ci})", Comparison, &with_ends("difference", "lower", "upper"));
const T_BETWEEN: Estimate = full("t (degrees of freedom)", Comparison, &bracketed("t", "df"));
const P_OF_GROUP: Estimate = brief("p, two-sided", EachGroup, &[Key("p")]);
const F: Estimate = full(
    "F (degrees of freedom)",
    Comparison,
    &[Key("f"), Words(" ("), Key("df"), Words(", "), Key("df_residual"), Words(")")],
);
const SE: Estimate = full("Standard error", Comparison, &[Key("se")]);
const PARTICIPANTS: Estimate =
    brief("Participants (percent)", EachGroup, &bracketed("participants", "percent"));

const DESCRIBE: &[Estimate] = &[N, MEAN, MEDIAN, RANGE];
const COUNT: &[Estimate] = &[brief("Participants (percent)", EachGroup, &bracketed("count", "percent"))];
const COUNT_EVENTS: &[Estimate] = &[
    PARTICIPANTS,
    brief("Events", EachGroup, &[Key("events")]),
    Estimate {
        if_stated: true,
        ..brief(
            "Events of grade 1 or 2 (percent)",
            EachGroup,
            &bracketed("low_grade_events", "low_grade_percent"),
        )
    },
];
const COUNT_DEVIATIONS: &[Estimate] = &[brief("Deviations", EachGroup, &[Key("events")]), PARTICIPANTS];
const PAIRED_T: &[Estimate] = &[
    N,
    full("Baseline mean", EachGroup, &[Key("baseline_mean")]),
    brief("Mean change (SD)", EachGroup, &bracketed("mean", "sd")),
    brief("{ci} of the mean change", EachGroup, &from_to("lower", "upper")),
    full("Mean change, percent of the baseline mean", EachGroup, &[Key("percent_of_baseline")]),
    full("Mean of the participants’ percent changes", EachGroup, &[Key("mean_percent")]),
    full("t (degrees of freedom)", EachGroup, &bracketed("t", "df")),
    P_OF_GROUP,
];
const TWO_SAMPLE_T: &[Estimate] = &[
    N,
    MEAN,
    brief("Difference of means ({ci})", Comparison, &with_ends("difference", "lower", "upper")),
    T_BETWEEN,
    P,
];
const SIGNED_RANK: &[Estimate] = &[
    N,
    brief("Pseudomedian ({ci})", EachGroup, &with_ends("pseudomedian", "lower", "upper")),
    full("Signed-rank statistic V", EachGroup, &[Key("v")]),
    P_OF_GROUP,
];
const RANK_SUM: &[Estimate] = &[
    N,
    MEDIAN,
    RANGE,
    brief("Hodges-Lehmann shift ({ci})", Comparison, &with_ends("shift", "lower", "upper")),
    full("Rank-sum statistic W", Comparison, &[Key("w")]),
    P,
];
/// Over visits: without groups, the mean and its test; with groups, means and their difference.
const MMRM: &[Estimate] = &[
    N,
    LS_MEAN,
    DIFFERENCE,
    SE,
    T_BETWEEN,
    P,
    full(
        "Difference averaged over the model’s visits ({ci})",
        Comparison,
        &with_ends("average_difference", "average_lower", "average_upper"),
    ),
    full("p of the averaged difference, two-sided", Comparison, &[Key("average_p")]),
];
const MULTIPLE_IMPUTATION: &[Estimate] = &[
    N,
    full("Imputed at the visit", EachGroup, &[Key("imputed")]),
    LS_MEAN,
    DIFFERENCE,
    SE,
    T_BETWEEN,
    P,
    full("Fraction of missing information", Comparison, &[Key("missing_information")]),
    full("Tipping point", Comparison, &[Key("tipping_point")]),
];
const PREDICTIVE_IMPUTATION: &[Estimate] = &[
    N,
    full("Imputed", EachGroup, &[Key("imputed")]),
    brief(
        "Percent ({ci})",
        EachGroup,
        &[Key("percent"), Words(" ("), Key("percent_lower"), Words(" to "), Key("percent_upper"), Words(")")],
    ),
    brief(
        "Difference in points ({ci})",
        Comparison,
        &[Key("difference"), Words(" ("), Key("lower"), Words(" to "), Key("upper"), Words(")")],
    ),
    full("Standard error", Comparison, &[Key("se")]),
    full("t (degrees of freedom)", Comparison, &[Key("t"), Words(" ("), Key("df"), Words(")")]),
    P,
    full("Fraction of missing information", Comparison, &[Key("missing_information")]),
];
const FISHER: &[Estimate] = &[
    brief(
        "Affected of n (percent)",
        EachGroup,
        &[Key("events"), Words(" of "), Key("n"), Words(" ("), Key("percent"), Words(")")],
    ),
    brief("Odds ratio ({ci})", Comparison, &with_ends("odds_ratio", "lower", "upper")),
    brief(
        "Risk difference, points ({ci})",
        Comparison,
        &with_ends("difference", "difference_lower", "difference_upper"),
    ),
    P,
    Estimate { groups_only: true, ..brief("p against the control", EachGroup, &[Key("p")]) },
];
const BINOMIAL: &[Estimate] = &[
    brief("Affected of n", EachGroup, &[Key("events"), Words(" of "), Key("n")]),
    brief("Percent ({ci})", EachGroup, &with_ends("percent", "lower", "upper")),
];

const ANCOVA: &[Estimate] = &[
    N,
    MEAN,
    LS_MEAN,
    brief("Difference of least-squares means ({ci})", Comparison, &with_ends("difference", "lower", "upper")),
    full("Standard error of the difference", Comparison, &[Key("se")]),
    F,
    P,
];

const ANOVA: &[Estimate] = &[N, MEAN, brief("Median", EachGroup, &[Key("median")]), RANGE, F, P];
const KAPLAN_MEIER: &[Estimate] = &[
    N,
    brief("Events", EachGroup, &[Key("events")]),
    brief("Censored", EachGroup, &[Key("censored")]),
    brief("Median ({ci})", EachGroup, &with_ends("median", "lower", "upper")),
    P,
];
const LOG_RANK: &[Estimate] = &[
    N,
    brief("Events", EachGroup, &[Key("events")]),
    brief("Hazard ratio ({ci})", Comparison, &with_ends("hazard_ratio", "lower", "upper")),
    full("Chi-squared", Comparison, &[Key("chi_squared")]),
    P,
];
const COX: &[Estimate] = &[
    N,
    brief("Events", EachGroup, &[Key("events")]),
    brief("Hazard ratio ({ci})", Comparison, &with_ends("hazard_ratio", "lower", "upper")),
    P,
    full(
        "Hazard ratio for one unit more ({ci})",
        Comparison,
        &with_ends("ratio", "ratio_lower", "ratio_upper"),
    ),
    full("p of the covariate", Comparison, &[Key("ratio_p")]),
];

const BLINDING_INDEX: &[Estimate] = &[
    N,
    brief(
        "Right, wrong, no guess",
        EachGroup,
        &[Key("right"), Words(", "), Key("wrong"), Words(", "), Key("unknown")],
    ),
    brief("Bang’s index ({ci})", EachGroup, &with_ends("index", "lower", "upper")),
    full("p of Bang’s index against 0", EachGroup, &[Key("p")]),
    brief("James’s index ({ci})", Comparison, &with_ends("james", "james_lower", "james_upper")),
    full("p of James’s index against one half", Comparison, &[Key("james_p")]),
];
const STOPPING_BOUNDARY: &[Estimate] = &[
    brief("Affected of n", EachGroup, &[Key("events"), Words(" of "), Key("n")]),
    brief("Affected that would stop the trial", EachGroup, &[Key("limit")]),
    brief("Boundary first reached at participant", EachGroup, &[Key("reached_at")]),
    brief("Posterior probability of too high a rate", EachGroup, &[Key("posterior")]),
    full("Probability of ever stopping at the acceptable rate", EachGroup, &[Key("crossing")]),
];
const AGREEMENT: &[Estimate] = &[
    brief("Pairs of readings", EachGroup, &[Key("n")]),
    brief("Intraclass correlation ({ci})", EachGroup, &with_ends("icc", "icc_lower", "icc_upper")),
    brief("Mean difference ({ci})", EachGroup, &with_ends("bias", "lower", "upper")),
    full("SD of differences", EachGroup, &[Key("sd")]),
    brief("Limits of agreement", EachGroup, &from_to("limit_lower", "limit_upper")),
];
const WEIGHTED_KAPPA: &[Estimate] = &[
    brief("Pairs of readings", EachGroup, &[Key("n")]),
    brief("Percent alike", EachGroup, &[Key("agree")]),
    brief("Kappa ({ci})", EachGroup, &with_ends("kappa", "lower", "upper")),
    full("p, two-sided", EachGroup, &[Key("p")]),
];

/// Returns a method's estimates in printing order.
pub(super) fn estimates(method: &Method, subject: &Subject) -> &'static [Estimate] {
    match (method, subject) {
        (Method::Describe { .. }, _) => DESCRIBE,
        (
            Method::Count,
            Subject::AdverseEvents { .. } | Subject::Records(Records { of: RecordsOf::Terms { .. }, .. }),
        ) => COUNT_EVENTS,
        (Method::Count, Subject::Deviations) => COUNT_DEVIATIONS,
        (Method::Count, _) => COUNT,
        (Method::PairedT { .. }, _) => PAIRED_T,
        (Method::TwoSampleT { .. }, _) => TWO_SAMPLE_T,
        (Method::SignedRank { .. }, _) => SIGNED_RANK,
        (Method::RankSum { .. }, _) => RANK_SUM,
        (Method::Fisher { .. }, _) => FISHER,
        (Method::Binomial { .. }, _) => BINOMIAL,
        (Method::BlindingIndex(_), _) => BLINDING_INDEX,
        (Method::StoppingBoundary(_), _) => STOPPING_BOUNDARY,
        (Method::Agreement(_), _) => AGREEMENT,
        (Method::WeightedKappa(_), _) => WEIGHTED_KAPPA,
        (Method::Ancova(_), _) => ANCOVA,
        (Method::Anova, _) => ANOVA,
        (Method::ChiSquared { .. } | Method::Cmh(_), _) => COUNT,
        (Method::KaplanMeier(_), _) => KAPLAN_MEIER,
        (Method::LogRank(_), _) => LOG_RANK,
        (Method::Cox(_), _) => COX,
        (Method::Mmrm(_), _) => MMRM,
        (Method::MultipleImputation(_), _) => MULTIPLE_IMPUTATION,
        (Method::PredictiveImputation(_), _) => PREDICTIVE_IMPUTATION,
    }
}

impl Estimate {
    /// Returns its name under a method.
    pub(super) fn head(&self, method: &Method) -> String {
        match wording::confidence(method) {
            Some(confidence) => self.head.replace("{ci}", &wording::interval(confidence)),
            None => self.head.to_owned(),
        }
    }

    /// Whether a table of these analyses shows it at all.
    pub(super) fn shown(&self, results: &[&AnalysisResult]) -> bool {
        let stated = |result: &&AnalysisResult| {
            let ids = result.published.iter().map(|published| published.number.as_str());
            let numbers = ids.filter_map(|id| result.numbers.iter().find(|number| number.id == id));
            let mut keys = numbers.map(|number| number.key.as_str());
            keys.any(|key| self.keys().any(|own| own == key))
        };
        !self.if_stated || results.iter().any(stated)
    }

    /// Returns the keys of its numbers.
    pub(super) fn keys(&self) -> impl Iterator<Item = &'static str> {
        self.parts.iter().filter_map(|part| match part {
            Key(key) => Some(*key),
            Words(_) => None,
        })
    }

    /// Returns what a cell says; empty if its first number is not there, cut short where another is missing.
    pub(super) fn cell(&self, result: &AnalysisResult, place: Place<'_>, level: Option<&str>) -> Vec<Inline> {
        let mut cell = Vec::new();
        if self.groups_only && !matches!(place, Place::Group(_)) {
            return cell;
        }
        let missing = self.keys().any(|key| find(result, key, place, level).is_none());
        for part in self.parts {
            match part {
                Key(key) => match find(result, key, place, level) {
                    Some(number) => cell.push(wording::number(number)),
                    None => break,
                },
                Words(_) if missing => break,
                Words(words) => cell.push(Inline::Text((*words).to_owned())),
            }
        }
        cell
    }

    /// Returns the stated numbers beside it: `Imatinib: 0.10 published; …`.
    pub(super) fn stated(
        &self,
        context: &Context<'_>,
        result: &AnalysisResult,
        level: Option<&str>,
    ) -> Result<Vec<Inline>, BuildError> {
        let mut cell = Vec::new();
        for published in &result.published {
            let Some(number) = result.numbers.iter().find(|number| number.id == published.number) else {
                continue;
            };
            if number.level.as_deref() != level || !self.keys().any(|key| key == number.key) {
                continue;
            }
            let lead = self.keys().next() == Some(number.key.as_str());
            let name = if lead && self.head != "Range" { None } else { Some(key_name(&number.key)) };
            push_stated(context, result, published, name, &mut cell)?;
        }
        Ok(cell)
    }
}

/// Adds one stated number with its group's name and, where it is not plain which it is, its own.
pub(super) fn push_stated(
    context: &Context<'_>,
    result: &AnalysisResult,
    published: &PublishedNumber,
    name: Option<&str>,
    cell: &mut Vec<Inline>,
) -> Result<(), BuildError> {
    let number = result.numbers.iter().find(|number| number.id == published.number);
    let group = number.and_then(|number| number.group.as_deref());
    let group = group.and_then(|id| result.groups.iter().find(|group| group.id == id));
    let group = group.map(|group| context.group_label(result, group));
    let stated = context.stated(published)?;
    // Its sign says that it is the percentage.
    let name = name.filter(|name| *name != "percent" || !stated.plain().ends_with('%'));
    let words: Vec<&str> = group.into_iter().chain(name).collect();
    let stop = if cell.is_empty() { "" } else { "; " };
    let name = if words.is_empty() { stop.to_owned() } else { format!("{stop}{} ", words.join(", ")) };
    if !name.is_empty() {
        cell.push(Inline::Text(name));
    }
    cell.push(stated);
    Ok(())
}

/// Names a key where it stands alone.
pub(super) fn key_name(key: &str) -> &str {
    match key {
        "sd" => "SD",
        "q1" => "Q1",
        "q3" => "Q3",
        "min" => "least",
        "max" => "greatest",
        "percent_of_baseline" => "% of the baseline mean",
        "mean_percent" => "mean of percent changes",
        "baseline_mean" => "baseline mean",
        "odds_ratio" => "odds ratio",
        "low_grade_events" => "grade 1 or 2",
        "low_grade_percent" => "percent of grade 1 or 2",
        other => other,
    }
}
