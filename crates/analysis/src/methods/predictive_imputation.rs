//! Imputation of missing levels from what predicts them, and shares pooled by Rubin's rules.

use datasets::DataSets;
use protocol::model::PredictiveImputation;
use statistics::{
    Confidence, NotEstimable,
    imputation::{CategoricalData, Pooled, PooledDegrees, draw_ordinal, pool},
};

use super::{ancova::coded, confidence};
use crate::{
    Format,
    categories::{Categories, Category},
    population::Population,
    records::cell,
    sheet::{ALL, Of, Sheet, group},
};

/// Says what the method does, with every option that changes a number.
pub(crate) fn words(options: &PredictiveImputation) -> String {
    let mut predictors = vec!["the group".to_owned()];
    predictors.extend(options.covariates.iter().chain(&options.factors).cloned());
    format!(
        "Share of {}; missing levels drawn from a proportional-odds model (two levels: logistic) on {} fitted to bootstrap samples, \
         {} draws, seed {}; pooled by Rubin's rules with Barnard and Rubin's degrees of freedom; confidence {}",
        options.success.join(" or "),
        predictors.join(", "),
        options.draws,
        options.seed,
        options.confidence
    )
}

/// Imputes, estimates shares, pools, and writes it down.
///
/// Keys: in all and by group `n imputed percent percent_lower percent_upper`; by pair of groups, the first minus the second in
/// percentage points, `difference se lower upper df t p missing_information`. Returns who lacks a predictor, by row of the
/// subject-level data set.
pub(crate) fn predictive_imputation(
    sheet: &mut Sheet<'_>,
    population: &Population,
    data: &DataSets,
    categories: &Categories,
    options: &PredictiveImputation,
) -> Vec<(usize, String)> {
    let (frame, without) = Frame::read(population, data, categories, options);
    let rows = [categories.all(sheet)];
    for (place, id) in population.cuts() {
        let own = || frame.entries.iter().filter(|entry| place.is_none() || entry.group == place);
        sheet.put("n", group(id), own().count(), Format::Integer, &rows);
        let imputed = own().filter(|entry| entry.level.is_none()).count();
        sheet.put("imputed", group(id), imputed, Format::Integer, &rows);
    }
    let groups = population.groups.len();
    let drawn = confidence(options.confidence).and_then(|level| Ok((frame.draws(groups, options)?, level)));
    let share = |sheet: &mut Sheet<'_>, of: Of<'_>, place: Option<usize>| {
        let one = drawn
            .as_ref()
            .map_err(|reason| *reason)
            .and_then(|(draws, level)| frame.pooled(draws, &[(1.0, place)], *level));
        let part =
            |get: fn(&Pooled) -> f64| one.as_ref().map(|one| 100.0 * get(one)).map_err(|reason| *reason);
        sheet.put("percent", of, part(|one| one.coefficient.estimate), Format::Percent(1), &rows);
        sheet.put("percent_lower", of, part(|one| one.coefficient.interval.lower), Format::Percent(1), &rows);
        sheet.put("percent_upper", of, part(|one| one.coefficient.interval.upper), Format::Percent(1), &rows);
    };
    share(sheet, ALL, None);
    for (place, own) in population.groups.iter().enumerate() {
        share(sheet, group(Some(&own.id)), Some(place));
    }
    for (first, second) in population.pairs() {
        let of = Of { group: Some(&population.groups[first].id), level: Some(&population.groups[second].id) };
        let one = drawn.as_ref().map_err(|reason| *reason).and_then(|(draws, level)| {
            frame.pooled(draws, &[(1.0, Some(first)), (-1.0, Some(second))], *level)
        });
        let part = |get: fn(&Pooled) -> f64| one.as_ref().map(get).map_err(|reason| *reason);
        let points = |get: fn(&Pooled) -> f64| part(get).map(|value| 100.0 * value);
        sheet.put("difference", of, points(|one| one.coefficient.estimate), Format::Decimals(1), &rows);
        sheet.put("se", of, points(|one| one.coefficient.se), Format::Decimals(2), &rows);
        sheet.put("lower", of, points(|one| one.coefficient.interval.lower), Format::Decimals(1), &rows);
        sheet.put("upper", of, points(|one| one.coefficient.interval.upper), Format::Decimals(1), &rows);
        sheet.put("df", of, part(|one| one.df), Format::Decimals(1), &rows);
        sheet.put("t", of, part(|one| one.coefficient.t), Format::Decimals(2), &rows);
        sheet.put("p", of, part(|one| one.coefficient.p), Format::PValue, &rows);
        sheet.put("missing_information", of, part(|one| one.missing_information), Format::Decimals(2), &rows);
    }
    without
}

/// Who can be imputed, with the predictors of each.
struct Frame<'a> {
    entries: Vec<&'a Category>,
    /// Covariates, then levels of factors but the first.
    predictors: Vec<Vec<f64>>,
    /// The place of each participant's level among those that occur.
    places: Vec<Option<usize>>,
    /// Whether each level that occurs is one of those whose share is estimated.
    success: Vec<bool>,
}

impl<'a> Frame<'a> {
    fn read(
        population: &Population,
        data: &DataSets,
        categories: &'a Categories,
        options: &PredictiveImputation,
    ) -> (Self, Vec<(usize, String)>) {
        let set = data.get(&categories.dataset).unwrap_or(&data.subjects);
        let (mut entries, mut predictors, mut codes, mut without) = (vec![], vec![], vec![], vec![]);
        for entry in
            categories.entries.iter().filter(|one| population.groups.is_empty() || one.group.is_some())
        {
            let at = |name: &String| cell(data, set, entry.row, entry.subject_row, name);
            let numbers: Option<Vec<f64>> = options.covariates.iter().map(|name| at(name).number()).collect();
            let own: Option<Vec<String>> = options.factors.iter().map(|name| at(name).level()).collect();
            match (numbers, own) {
                (Some(numbers), Some(own)) => {
                    entries.push(entry);
                    predictors.push(numbers);
                    codes.push(own);
                }
                _ => {
                    let names: Vec<&str> =
                        options.covariates.iter().chain(&options.factors).map(String::as_str).collect();
                    without.push((entry.subject_row, format!("no value of {}", names.join(" or "))));
                }
            }
        }
        for factor in 0..options.factors.len() {
            let column: Vec<String> = codes.iter().map(|own: &Vec<String>| own[factor].clone()).collect();
            let (levels, places) = coded(&column);
            for (row, place) in predictors.iter_mut().zip(places) {
                row.extend((1..levels).map(|level| f64::from(u8::from(place == level))));
            }
        }
        let occurring = categories.occurring();
        let place =
            |entry: &&Category| occurring.iter().position(|one| Some(&one.id) == entry.level.as_ref());
        let places = entries.iter().map(place).collect();
        let success = occurring.iter().map(|one| options.success.contains(&one.id)).collect();
        (Self { entries, predictors, places, success }, without)
    }

    /// By imputation, whether each participant has one of the levels whose share is estimated.
    fn draws(&self, groups: usize, options: &PredictiveImputation) -> Result<Vec<Vec<bool>>, NotEstimable> {
        let width = self.predictors.first().ok_or(NotEstimable::NoObservations)?.len() + groups.max(1) - 1;
        let mut incomplete = CategoricalData::new(self.success.len(), width)?;
        for ((entry, own), place) in self.entries.iter().zip(&self.predictors).zip(&self.places) {
            let mut row = own.clone();
            row.extend((1..groups).map(|group| f64::from(u8::from(entry.group == Some(group)))));
            incomplete.push(&row, *place, entry.group.unwrap_or(0))?;
        }
        let one = |imputation| -> Result<Vec<bool>, NotEstimable> {
            let drawn = draw_ordinal(&incomplete, options.seed, imputation)?;
            Ok(drawn.into_iter().map(|level| self.success[level]).collect())
        };
        (0..options.draws as usize).map(one).collect()
    }

    /// A sum of shares of groups (or of all), each with its weight.
    fn pooled(
        &self,
        draws: &[Vec<bool>],
        sum: &[(f64, Option<usize>)],
        level: Confidence,
    ) -> Result<Pooled, NotEstimable> {
        let (mut estimates, mut errors) = (Vec::new(), Vec::new());
        let mut members = 0;
        for draw in draws {
            let (mut estimate, mut variance) = (0.0, 0.0);
            members = 0;
            for (weight, place) in sum {
                let own = || {
                    let both = self.entries.iter().zip(draw);
                    both.filter(|(entry, _)| place.is_none() || entry.group == *place)
                };
                let n = own().count();
                if n == 0 {
                    return Err(NotEstimable::ArmEmpty);
                }
                let share = own().filter(|(_, has)| **has).count() as f64 / n as f64;
                estimate += weight * share;
                variance += share * (1.0 - share) / n as f64;
                members += n;
            }
            estimates.push(estimate);
            errors.push(variance.sqrt());
        }
        let complete = members as f64 - sum.len() as f64;
        pool(&estimates, &errors, PooledDegrees::BarnardRubin { complete }, level)
    }
}
