//! How far the arms lie apart at baseline, in units of their spread.

use protocol::model::{Analysis, Method, Shown, Subject};
use statistics::descriptive::{standardised_difference_of_means, standardised_difference_of_shares};

use super::{Head, Standing};
use crate::{
    AnalysisResult, Format, Level,
    outcome::{level_of, of_variable},
    population::{Choice, Population, levels_of},
    sheet::{RowSets, Sheet, cell},
};

/// Returns the standardised difference of each analysis that the report shows at baseline; none in a
/// study of one arm, or before the list is opened.
pub(super) fn balance(standing: &Standing<'_>, row_sets: &mut RowSets) -> Option<AnalysisResult> {
    let shown = standing.shown().filter_map(|shown| match shown {
        Shown::Baseline(ids) => Some(ids),
        _ => None,
    });
    let mut analyses: Vec<&Analysis> = Vec::new();
    for id in shown.flatten() {
        let found = standing.plan.analyses.iter().find(|analysis| analysis.id == *id);
        analyses.extend(found.filter(|found| analyses.iter().all(|known| known.id != found.id)));
    }
    if analyses.is_empty() || standing.arms.len() < 2 || standing.data.subjects.column("arm").is_none() {
        return None;
    }
    let id = "baseline-balance".into();
    let mut sheet = Sheet::new(&id, row_sets);
    for analysis in &analyses {
        let choice = Choice { set: Some(&analysis.set), only: analysis.only.as_ref(), by: Some("arm") };
        let population = Population::choose(standing.data, standing.arms, choice);
        put_difference(standing, &mut sheet, analysis, &population);
    }
    let levels = analyses
        .iter()
        .map(|analysis| Level { id: analysis.id.to_string(), label: analysis.label.en().to_owned() });
    let head = Head {
        id: "baseline-balance",
        label: "Standardised differences at baseline",
        method: "Difference of the arms over the root of their mean variance; of more than two categories after Yang and Dalton",
        set: "That of each analysis",
        groups: &[],
        levels: levels.collect(),
    };
    Some(standing.result(head, sheet))
}

fn put_difference(
    standing: &Standing<'_>,
    sheet: &mut Sheet<'_>,
    analysis: &Analysis,
    population: &Population,
) {
    let Subject::Variable { variable } = &analysis.subject else { return };
    let Some(column) = standing.data.subjects.column(variable) else { return };
    let mut columns: Vec<&str> = population.columns.iter().map(String::as_str).collect();
    columns.push(variable);
    let rows = [sheet.row_sets.place("subjects", population.rows(None), &columns)];
    let difference = population.pair().and_then(|(first, second)| {
        let difference = if analysis.method == Method::Count {
            let levels = levels_of(column);
            let counts = |place: usize| -> Vec<u64> {
                let own: Vec<Option<String>> = population
                    .of(Some(place))
                    .map(|member| level_of(standing.data, member, variable))
                    .collect();
                let count = |level: &Level| own.iter().filter(|one| one.as_ref() == Some(&level.id)).count();
                levels.iter().map(|level| count(level) as u64).collect()
            };
            standardised_difference_of_shares(&counts(first), &counts(second))
        } else {
            let outcomes = of_variable(standing.data, population, variable);
            let values = |place: usize| outcomes.values(Some(place), 0.0);
            standardised_difference_of_means(&values(first), &values(second))
        };
        difference.map_err(|reason| reason.to_string())
    });
    let of = cell(None, analysis.id.as_str());
    sheet.put("standardised_difference", of, difference, Format::Decimals(2), &rows);
}
