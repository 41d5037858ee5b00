//! Proof by a stranger: the plan as a short script in base R, and the numbers that it has to find.
//!
//! The script reads the written data sets, chooses participants and outcomes anew, and
//! recomputes every p-value with the estimates and intervals beside it. It shares
//! nothing with this program but the CSV files and the plan.

use std::fmt::Write;

use datasets::DataSets;
use protocol::{
    expression::Expression,
    model::{
        Analysis, AnalysisPlan, Arm, Between, BlindingIndex, CmhAssociation, Estimand, MarginalMeans,
        Measure, Method, MissingRule, Quartiles, Scores, StoppingRule, Strategy, Subject, TwoSided, Zeros,
    },
};
use terms::Truth;

use crate::{
    Number, Results,
    outcome::{column_of, death_strategy},
    population::{Choice, Population, first_level, flag_of, levels_of},
    scope::Row,
};

/// Keys that the script recomputes, by method.
fn recomputed(method: &Method) -> &'static [&'static str] {
    match method {
        Method::Describe { .. } => &["n", "mean", "sd", "median", "q1", "q3", "min", "max"],
        Method::Count => &[],
        Method::PairedT { .. } => {
            &["n", "mean", "lower", "upper", "t", "p", "percent_of_baseline", "mean_percent"]
        }
        Method::TwoSampleT { .. } => &["difference", "lower", "upper", "p"],
        Method::SignedRank { .. } => &["n", "v", "p", "pseudomedian", "lower", "upper"],
        Method::RankSum { .. } => &["n", "median", "q1", "q3", "w", "p", "shift", "lower", "upper"],
        // The odds ratio of base R's fisher.test is solved to four digits only.
        Method::Fisher { .. } => &["events", "n", "p"],
        Method::Binomial { .. } => &["events", "n", "percent", "lower", "upper"],
        Method::BlindingIndex(_) => &[
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
        Method::StoppingBoundary(_) => &["events", "n", "limit", "reached_at", "crossing", "posterior"],
        Method::Agreement(_) => &[
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
        Method::WeightedKappa(_) => &["n", "agree", "kappa", "lower", "upper", "p"],
        Method::Anova => &["n", "mean", "sd", "median", "min", "max", "f", "df", "df_residual", "p"],
        Method::ChiSquared { .. } | Method::Cmh(_) => &["chi_squared", "df", "p"],
        // Base R has no survival curves and no hazards; the statistics crate's reference cases stand for these.
        Method::KaplanMeier(_) | Method::LogRank(_) | Method::Cox(_) => &[],
        // Base R has no mixed models; the statistics crate's reference cases stand for these.
        Method::Mmrm(_) | Method::MultipleImputation(_) | Method::PredictiveImputation(_) => &[],
        Method::Ancova(_) => &[
            "n",
            "mean",
            "sd",
            "f",
            "df",
            "df_residual",
            "sigma",
            "p",
            "t",
            "ls_mean",
            "ls_mean_se",
            "ls_mean_lower",
            "ls_mean_upper",
            "difference",
            "se",
            "lower",
            "upper",
            "slope",
            "slope_se",
            "slope_lower",
            "slope_upper",
            "slope_p",
            "term_f",
            "term_p",
        ],
    }
}

/// Whether the script recomputes a method's numbers: what base R has functions for, or a few lines of it say.
pub fn is_recomputed(method: &Method) -> bool {
    !recomputed(method).is_empty()
}

/// Writes the script. It prints `id,key,value`, one line a number.
///
/// It expects to run in the folder that holds the CSV files of `data` and their dictionary.
pub fn r_script(plan: &AnalysisPlan, arms: &[Arm], data: &DataSets) -> String {
    let mut script = String::from(include_str!("stranger.R"));
    for analysis in &plan.analyses {
        let population = Population::choose(
            data,
            arms,
            Choice { set: Some(&analysis.set), only: analysis.only.as_ref(), by: analysis.by.as_deref() },
        );
        let call = Call { plan, data, analysis, population };
        if let Some(lines) = call.lines() {
            let label = analysis.label.en().replace(['\r', '\n'], " ");
            write!(script, "# {}: {label}\n{lines}\n", analysis.id)
                .expect("writing to a string does not fail");
        }
    }
    script.push_str("write.csv(do.call(rbind, results), row.names = FALSE, quote = 1:2)\n");
    script
}

/// Returns the numbers that the script recomputes, in the plan's order.
pub fn recomputed_numbers<'a>(plan: &'a AnalysisPlan, results: &'a Results) -> Vec<&'a Number> {
    let mut numbers = Vec::new();
    for analysis in &plan.analyses {
        let keys = recomputed(&analysis.method);
        let result = results.analysis(analysis.id.as_str());
        let all = result.iter().flat_map(|result| &result.numbers);
        numbers.extend(all.filter(|number| keys.contains(&number.key.as_str())));
    }
    numbers
}

/// Writes the numbers that the script has to find, as it prints its own: `id,key,value`, `NE` where there is none.
pub fn expected_csv(plan: &AnalysisPlan, results: &Results) -> String {
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let mut out = String::from("\"id\",\"key\",\"value\"\n");
    for number in recomputed_numbers(plan, results) {
        let (id, key) = number.id.split_once('/').unwrap_or((&number.id, ""));
        let value = number.value.map_or_else(|| "NE".to_owned(), |value| value.to_string());
        writeln!(out, "{},{},{value}", quoted(id), quoted(key)).expect("writing to a string does not fail");
    }
    out
}

/// One analysis on its way into R.
struct Call<'a> {
    plan: &'a AnalysisPlan,
    data: &'a DataSets,
    analysis: &'a Analysis,
    population: Population,
}

impl Call<'_> {
    fn lines(&self) -> Option<String> {
        let id = text(self.analysis.id.as_str());
        let chosen = self.chosen();
        let call = match &self.analysis.method {
            Method::Count
            | Method::KaplanMeier(_)
            | Method::LogRank(_)
            | Method::Cox(_)
            | Method::Mmrm(_)
            | Method::MultipleImputation(_)
            | Method::PredictiveImputation(_) => return None,
            Method::ChiSquared { continuity_correction } => {
                self.levels("chi_squared", &id, logical(*continuity_correction))?
            }
            Method::Cmh(options) => {
                let association = match options.association {
                    CmhAssociation::General => "general",
                    CmhAssociation::RowMeanScores => "row mean scores",
                    CmhAssociation::Correlation => "correlation",
                };
                let by_order = options.scores != Some(Scores::Values);
                let call =
                    format!("{}, {}, {}", names(&options.strata), text(association), logical(by_order));
                self.levels("cmh", &id, &call)?
            }
            Method::Fisher { .. } => self.fisher(&id)?,
            Method::Binomial { confidence, interval } => {
                let call = format!("{confidence}, {}", text(&format!("{interval:?}")));
                self.share("binomial_share", &id, &call)?
            }
            Method::StoppingBoundary(options) => {
                let rule = match options.rule {
                    StoppingRule::BetaBinomial { prior: [a, b], threshold } => {
                        format!("c({a}, {b}), {threshold}, NULL")
                    }
                    StoppingRule::Pocock { alpha } => format!("NULL, NULL, {alpha}"),
                };
                let call = format!("{}, {}, {rule}", options.participants, options.p0);
                self.share("stopping_boundary", &id, &call)?
            }
            Method::BlindingIndex(options) => self.blinding_index(&id, options)?,
            Method::Agreement(options) => {
                let form = text(&format!("{:?}", options.icc));
                format!("agreement({id}, {}, {}, {form})", self.readings()?, options.confidence)
            }
            Method::WeightedKappa(options) => {
                let weights = text(&format!("{:?}", options.weights));
                format!("weighted_kappa({id}, {}, {}, {weights})", self.readings()?, options.confidence)
            }
            method => self.series(&id, method)?,
        };
        Some(format!("chosen <- {chosen}\n{call}"))
    }

    /// Who is analysed, as an R expression over the rows of `subjects`.
    fn chosen(&self) -> String {
        let flag = format!("holds(subjects$`{}`)", flag_of(&self.analysis.set));
        match &self.analysis.only {
            None => flag,
            Some(only) => match translate(only) {
                Some(condition) => format!("{flag} & holds(with(subjects, {condition}))"),
                // A condition that base R has no word for: the participants it holds for.
                None => {
                    let subjects = &self.data.subjects;
                    let rows = (0..subjects.rows()).filter(|row| {
                        only.truth(&Row { data: self.data, set: subjects, row: *row, subject_row: None })
                            == Truth::True
                    });
                    let names: Vec<String> =
                        rows.filter_map(|row| subjects.cell("subject", row).text().map(text)).collect();
                    format!("{flag} & subjects$subject %in% c({})", names.join(", "))
                }
            },
        }
    }

    fn outcome(&self) -> Option<String> {
        match &self.analysis.subject {
            Subject::Variable { variable } => Some(format!("of_variable(chosen, {})", text(variable))),
            Subject::Parameter { parameter, visit, measure, missing } => {
                let described = self.plan.parameters.iter().find(|known| known.id == *parameter)?;
                let rule = match missing {
                    MissingRule::Observed => "NA",
                    MissingRule::LastObservation => "\"locf\"",
                    MissingRule::WorstCase => "\"worst_case\"",
                };
                let ranks =
                    matches!(self.analysis.method, Method::RankSum { .. } | Method::SignedRank { .. });
                let death = death_strategy(self.estimand());
                let worst_rank = match (death, ranks) {
                    (Some(Strategy::WorstRank), true) => "rank",
                    (Some(Strategy::WorstRank), false) => "none",
                    _ => "value",
                };
                Some(format!(
                    "outcome(chosen, {}, {}, {}, {rule}, {}, {}, {})",
                    text(parameter.as_str()),
                    text(visit.as_str()),
                    text(column_of(*measure)),
                    text(worst_rank),
                    logical(death == Some(Strategy::NotEstimated)),
                    logical(described.lower_is_better)
                ))
            }
            Subject::AdverseEvents { .. }
            | Subject::Deviations
            | Subject::Readings(_)
            | Subject::TimeToEvent { .. }
            | Subject::Records(_) => None,
        }
    }

    fn estimand(&self) -> Option<&Estimand> {
        let id = self.analysis.estimand.as_ref()?;
        self.plan.estimands.iter().find(|estimand| estimand.id == *id)
    }

    fn series(&self, id: &str, method: &Method) -> Option<String> {
        let data = self.outcome()?;
        let (by, groups) = self.grouping();
        let changes = matches!(self.analysis.subject, Subject::Parameter { measure: Measure::Change, .. });
        let head = format!("({id}, {data}, {by}, {groups}");
        Some(match method {
            Method::Describe { quartiles } => format!("describe{head}, {})", type_of(*quartiles)),
            Method::PairedT { confidence } => format!("paired_t{head}, {confidence}, {})", logical(changes)),
            Method::Anova => format!("one_way{head})"),
            Method::TwoSampleT { confidence, equal_variances } => {
                format!("two_sample_t{head}, {}, {confidence}, {})", self.pair()?, logical(*equal_variances))
            }
            Method::SignedRank { zeros, confidence, .. } => {
                format!("signed_rank{head}, {confidence}, {})", logical(*zeros == Zeros::Pratt))
            }
            Method::RankSum { two_sided, confidence, quartiles } => format!(
                "rank_sum{head}, {}, {confidence}, {}, {})",
                self.pair()?,
                logical(*two_sided == TwoSided::AsFarFromMean),
                type_of(*quartiles)
            ),
            Method::Ancova(options) => {
                let groups = &self.population.groups;
                let pair = |(first, second): (usize, usize)| {
                    format!("c({}, {})", text(&groups[first].id), text(&groups[second].id))
                };
                let pairs: Vec<String> = self.population.pairs().into_iter().map(pair).collect();
                format!(
                    "ancova{head}, list({}), {}, {}, {}, {})",
                    pairs.join(", "),
                    names(&options.covariates),
                    names(&options.factors),
                    options.confidence,
                    logical(options.ls_means == MarginalMeans::EqualWeights)
                )
            }
            _ => return None,
        })
    }

    fn fisher(&self, id: &str) -> Option<String> {
        let (by, groups) = self.grouping();
        let pair = self.pair()?;
        // Terms that stand beside a published number are tested even if nobody had them.
        let named: Vec<String> = self.named_levels().iter().map(|level| text(level)).collect();
        let named = format!("c({})", named.join(", "));
        match &self.analysis.subject {
            Subject::Variable { variable } => {
                let yes = first_level(self.data.subjects.column(variable)?);
                let (variable, yes) = (text(variable), text(&yes.id));
                Some(format!("fisher_variable({id}, chosen, {variable}, {yes}, {by}, {groups}, {pair})"))
            }
            Subject::AdverseEvents { filter } => {
                let events = self.events(filter.as_ref());
                Some(format!("fisher_events({id}, chosen, {events}, {by}, {groups}, {pair}, {named})"))
            }
            _ => None,
        }
    }

    /// A test of a variable's levels between groups.
    fn levels(&self, function: &str, id: &str, options: &str) -> Option<String> {
        let Subject::Variable { variable } = &self.analysis.subject else { return None };
        let (by, groups) = self.grouping();
        let levels: Vec<String> =
            levels_of(self.data.subjects.column(variable)?).into_iter().map(|level| level.id).collect();
        let (variable, levels) = (text(variable), names(&levels));
        Some(format!("{function}({id}, chosen, {variable}, {by}, {groups}, {levels}, {options})"))
    }

    fn blinding_index(&self, id: &str, options: &BlindingIndex) -> Option<String> {
        let Subject::Variable { variable } = &self.analysis.subject else { return None };
        let (by, groups) = self.grouping();
        let meant: Vec<String> =
            options.guesses.iter().map(|(guess, arm)| format!("{} = {}", text(guess), text(arm))).collect();
        let (meant, unknown) = (meant.join(", "), text(&options.unknown));
        let variable = text(variable);
        Some(format!(
            "blinding_index({id}, chosen, {variable}, {by}, {groups}, c({meant}), {unknown}, {})",
            options.confidence
        ))
    }

    /// Pairs of readings, as an R expression.
    fn readings(&self) -> Option<String> {
        let Subject::Readings(readings) = &self.analysis.subject else { return None };
        let item = text(readings.item.as_str());
        Some(format!("pairs_of(chosen, {item}, {})", logical(readings.between == Between::Repeats)))
    }

    fn share(&self, function: &str, id: &str, options: &str) -> Option<String> {
        let (by, groups) = self.grouping();
        let (has, known) = match &self.analysis.subject {
            Subject::Variable { variable } => {
                let yes = first_level(self.data.subjects.column(variable)?);
                let level = format!("level_of({})", text(variable));
                (format!("{level} == {}", text(&yes.id)), format!("chosen & !is.na({level})"))
            }
            Subject::AdverseEvents { filter } => {
                let events = self.events(filter.as_ref());
                (format!("subjects$subject %in% {events}$subject"), "chosen".to_owned())
            }
            _ => return None,
        };
        Some(format!("{function}({id}, {has}, {known}, {by}, {groups}, {options})"))
    }

    fn events(&self, filter: Option<&Expression>) -> String {
        let Some(filter) = filter else { return "adverse_events".to_owned() };
        match translate(filter) {
            Some(condition) => format!("adverse_events[holds(with(adverse_events, {condition})), ]"),
            None => {
                let set = &self.data.adverse_events;
                let rows = (0..set.rows()).filter(|row| {
                    filter.truth(&Row { data: self.data, set, row: *row, subject_row: None }) == Truth::True
                });
                let rows: Vec<String> = rows.map(|row| (row + 1).to_string()).collect();
                format!("adverse_events[c({}), ]", rows.join(", "))
            }
        }
    }

    fn named_levels(&self) -> Vec<&str> {
        let estimates = self.analysis.published.iter().map(|published| published.estimate.as_str());
        let brackets = estimates.flat_map(|estimate| estimate.split('[').skip(1));
        let names = brackets.map(|part| part.trim_end_matches(']'));
        names.filter(|name| self.population.groups.iter().all(|group| group.id != *name)).collect()
    }

    fn grouping(&self) -> (String, String) {
        match &self.analysis.by {
            Some(by) if !self.population.groups.is_empty() => {
                let groups: Vec<String> =
                    self.population.groups.iter().map(|group| text(&group.id)).collect();
                (text(by), format!("c({})", groups.join(", ")))
            }
            _ => ("NULL".to_owned(), "NULL".to_owned()),
        }
    }

    fn pair(&self) -> Option<String> {
        let (x, y) = self.population.pair().ok()?;
        let groups = &self.population.groups;
        Some(format!("c({}, {})", text(&groups[x].id), text(&groups[y].id)))
    }
}

fn text(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn names(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| text(name)).collect();
    format!("c({})", quoted.join(", "))
}

fn logical(holds: bool) -> &'static str {
    if holds { "TRUE" } else { "FALSE" }
}

fn type_of(quartiles: Quartiles) -> u8 {
    match quartiles {
        Quartiles::Type2 => 2,
        Quartiles::Type7 => 7,
    }
}

/// Translates a condition over columns into R, whose logic has the same three values.
///
/// Comparisons, `&&`, `||`, `!`, `in` and brackets have words of their own in R. Anything else, such as a function,
/// gives none.
fn translate(expression: &Expression) -> Option<String> {
    translate_text(&expression.text)
}

fn translate_text(condition: &str) -> Option<String> {
    let mut out = String::new();
    let mut rest = condition.trim_start();
    let mut in_list = 0_u32;
    while let Some(first) = rest.chars().next() {
        let (token, taken) = match first {
            '\'' | '"' => {
                let end = rest[1..].find(first)? + 1;
                (text(&rest[1..end]), end + 1)
            }
            _ if first.is_ascii_digit() => {
                let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
                (rest[..end].to_owned(), end)
            }
            _ if first.is_ascii_alphabetic() || first == '_' => word(rest)?,
            '[' => {
                in_list += 1;
                ("c(".to_owned(), 1)
            }
            ']' => {
                in_list = in_list.checked_sub(1)?;
                (")".to_owned(), 1)
            }
            ',' if in_list > 0 => (",".to_owned(), 1),
            _ => operator(rest)?,
        };
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(&token);
        rest = rest[taken..].trim_start();
    }
    // R's %in% answers no for a missing value, which a negation would turn into a yes.
    if out.contains("%in%") && out.contains('!') { None } else { Some(out) }
}

fn word(rest: &str) -> Option<(String, usize)> {
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
    let name = &rest[..end];
    // A function or an item of a form has no column.
    if rest[end..].trim_start().starts_with(['(', '.']) {
        return None;
    }
    let token = match name {
        "true" => "TRUE".to_owned(),
        "false" => "FALSE".to_owned(),
        "in" => "%in%".to_owned(),
        "null" => return None,
        name => format!("`{name}`"),
    };
    Some((token, end))
}

fn operator(rest: &str) -> Option<(String, usize)> {
    let known = [
        ("&&", "&"),
        ("||", "|"),
        ("==", "=="),
        ("!=", "!="),
        ("<=", "<="),
        (">=", ">="),
        ("<", "<"),
        (">", ">"),
        ("!", "!"),
        ("(", "("),
        (")", ")"),
        ("+", "+"),
        ("-", "-"),
        ("*", "*"),
    ];
    known
        .iter()
        .find(|(ours, _)| rest.starts_with(ours))
        .map(|(ours, theirs)| ((*theirs).to_owned(), ours.len()))
}

#[cfg(test)]
mod tests {
    use super::translate_text;

    #[test]
    fn conditions_over_columns_have_words_in_r() {
        for (ours, theirs) in [
            ("diagnosis == 'systemic'", "`diagnosis` == \"systemic\""),
            ("treatment_emergent && grade >= 3", "`treatment_emergent` & `grade` >= 3"),
            ("!(ild == true) || age < 40.5", "! ( `ild` == TRUE ) | `age` < 40.5"),
            ("term in ['Nausea', 'Rash']", "`term` %in% c( \"Nausea\" , \"Rash\" )"),
        ] {
            assert_eq!(translate_text(ours).as_deref(), Some(theirs));
        }
    }

    #[test]
    fn what_r_has_no_word_for_is_not_translated() {
        for ours in [
            "present(sex)",
            "skin_score.total > 3",
            "age > 3 ? a : b",
            "sex == null",
            "a / b > 1",
            "!(a in ['b'])",
        ] {
            assert_eq!(translate_text(ours), None, "{ours}");
        }
    }
}
