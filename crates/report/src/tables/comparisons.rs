//! What a method says besides its estimates by group: of pairs of groups where there are more than two, of
//! covariates, and of levels as a whole.

use analysis::{AnalysisResult, Level};
use protocol::model::Method;

use crate::{context::Context, document::Inline, wording};

/// Returns heads with what stands beside them.
pub(super) fn comparisons(
    context: &Context<'_>,
    result: &AnalysisResult,
    method: &Method,
) -> Vec<(String, Vec<Inline>)> {
    let ci = wording::confidence(method).map(wording::interval).unwrap_or_default();
    match method {
        Method::Ancova(_) => {
            let mut rows = pairs(context, result, &ci);
            rows.extend(slopes(result, &ci));
            rows
        }
        Method::ChiSquared { .. } | Method::Cmh(_) => test(result),
        _ => Vec::new(),
    }
}

/// Differences of each pair of groups; of two groups alone they stand among the estimates.
fn pairs(context: &Context<'_>, result: &AnalysisResult, ci: &str) -> Vec<(String, Vec<Inline>)> {
    if result.groups.len() < 3 {
        return Vec::new();
    }
    let name = |id: &str| -> String {
        let group = result.groups.iter().find(|group| group.id == id);
        group.map_or(id, |group: &Level| context.group_label(result, group)).to_owned()
    };
    let differences = result.numbers.iter().filter(|number| number.key == "difference");
    differences
        .filter_map(|number| Some((number.group.as_deref()?, number.level.as_deref()?)))
        .map(|(one, other)| {
            let keys = ["difference", "lower", "upper", "se", "p"];
            let cell = together(result, keys, Some(one), other);
            (format!("{} minus {} ({ci}), standard error, p", name(one), name(other)), cell)
        })
        .collect()
}

fn slopes(result: &AnalysisResult, ci: &str) -> Vec<(String, Vec<Inline>)> {
    let slopes = result.numbers.iter().filter(|number| number.key == "slope");
    slopes
        .filter_map(|number| number.level.as_deref())
        .map(|name| {
            let keys = ["slope", "slope_lower", "slope_upper", "slope_se", "slope_p"];
            (format!("Slope of {name} ({ci}), standard error, p"), together(result, keys, None, name))
        })
        .collect()
}

/// `-0.5 (-2.1 to 1.1), 0.82, p = 0.569`.
fn together(result: &AnalysisResult, keys: [&str; 5], group: Option<&str>, level: &str) -> Vec<Inline> {
    let words = ["", " (", " to ", "), ", ", p "];
    let mut cell = Vec::new();
    for (key, before) in keys.into_iter().zip(words) {
        let Some(number) = result.number(key, group, Some(level)) else { break };
        if !before.is_empty() {
            cell.push(Inline::Text(before.to_owned()));
        }
        cell.push(wording::number(number));
    }
    cell
}

fn test(result: &AnalysisResult) -> Vec<(String, Vec<Inline>)> {
    let mut cell = Vec::new();
    for (key, before) in [("chi_squared", ""), ("df", " ("), ("p", "), p ")] {
        let Some(number) = result.number(key, None, None) else { return Vec::new() };
        if !before.is_empty() {
            cell.push(Inline::Text(before.to_owned()));
        }
        cell.push(wording::number(number));
    }
    vec![("Chi-squared (degrees of freedom), p".to_owned(), cell)]
}
