//! Analysis of covariance: least-squares means of groups and their differences, slopes of covariates.

use datasets::{DataSets, Dataset};
use protocol::model::{Ancova, MarginalMeans};
use statistics::{
    Confidence, NotEstimable,
    descriptive::{mean, variance},
    models::{Coefficient, Design, LinearFit, LsWeights, Term, Variable, linear_model, ls_means},
};

use super::{Series, confidence};
use crate::{
    Format,
    outcome::{Entry, Outcome},
    population::Population,
    sheet::{ALL, Of, Sheet, group},
};

/// Says what the method does, with every option that changes a number.
pub(crate) fn words(options: &Ancova) -> String {
    let average = match options.ls_means {
        MarginalMeans::EqualWeights => "all levels of other factors weighing the same",
        MarginalMeans::AsObserved => "other factors as observed",
    };
    let model: Vec<&str> = options.factors.iter().chain(&options.covariates).map(String::as_str).collect();
    let model = if model.is_empty() { String::new() } else { format!(" with {}", model.join(", ")) };
    format!(
        "Analysis of covariance{model}; least-squares means with {average}; confidence {}",
        options.confidence
    )
}

/// Fits `outcome ~ group + factors + covariates` to the participants who have all of them.
///
/// Keys: in all `n f df df_residual p sigma` (F-test of the group), by group `n mean sd` of the outcome and
/// `ls_mean ls_mean_se ls_mean_lower ls_mean_upper`; by pair of groups, the first minus the second,
/// `difference se lower upper t p`; by covariate `slope slope_se slope_lower slope_upper slope_p`; by factor
/// and covariate `term_f term_p`. Differences are not adjusted for their number.
/// Returns who lacks a covariate or factor: the row of the subject-level data set, and what is lacking.
pub(crate) fn ancova(
    sheet: &mut Sheet<'_>,
    population: &Population,
    data: &DataSets,
    series: &Series<'_>,
    options: &Ancova,
) -> Vec<(usize, String)> {
    let frame = Frame::read(population, data, series, options);
    let rows = [sheet.row_sets.place(
        series.dataset,
        frame.entries.iter().map(|entry| entry.row).collect(),
        &series.columns,
    )];
    let level = confidence(options.confidence);
    describe_groups(sheet, population, series, &frame);
    let variables = frame.variables();
    let terms: Vec<Term> = (0..variables.len()).map(Term::main).collect();
    let design = match variables.is_empty() {
        true => Design::intercept_only(frame.y.len()),
        false => Design::new(&variables, &terms),
    };
    let fit = design.as_ref().map_err(|reason| *reason).and_then(|design| linear_model(design, &frame.y));
    let fitted = Fitted { fit: fit.as_ref().map_err(|reason| *reason), level, rows, series };
    fitted.put_model(sheet, &frame);
    if frame.has_group {
        fitted.put_means(sheet, population, options);
    }
    fitted.put_terms(sheet, &frame, options);
    frame.without
}

/// The participants in the model, their outcomes and what explains them.
struct Frame {
    entries: Vec<Entry>,
    y: Vec<f64>,
    has_group: bool,
    groups: (usize, Vec<usize>),
    factors: Vec<(usize, Vec<usize>)>,
    covariates: Vec<Vec<f64>>,
    without: Vec<(usize, String)>,
}

impl Frame {
    fn read(population: &Population, data: &DataSets, series: &Series<'_>, options: &Ancova) -> Self {
        let mut frame = Self {
            entries: Vec::new(),
            y: Vec::new(),
            has_group: !population.groups.is_empty(),
            groups: (population.groups.len(), Vec::new()),
            factors: vec![(0, Vec::new()); options.factors.len()],
            covariates: vec![Vec::new(); options.covariates.len()],
            without: Vec::new(),
        };
        let mut levels: Vec<Vec<String>> = vec![Vec::new(); options.factors.len()];
        let own = data.get(series.dataset);
        for entry in series.outcomes.of(None) {
            let Outcome::Value(outcome) = entry.outcome else { continue };
            let number = |name: &String| number_of(data, own, entry, name).ok_or_else(|| name.clone());
            let code = |name: &String| level_of(data, own, entry, name).ok_or_else(|| name.clone());
            let numbers: Result<Vec<f64>, String> = options.covariates.iter().map(number).collect();
            let codes: Result<Vec<String>, String> = options.factors.iter().map(code).collect();
            match (numbers, codes) {
                (Ok(numbers), Ok(codes)) => {
                    for (column, number) in frame.covariates.iter_mut().zip(numbers) {
                        column.push(number);
                    }
                    for (column, code) in levels.iter_mut().zip(codes) {
                        column.push(code);
                    }
                    frame.groups.1.push(entry.group.unwrap_or(0));
                    frame.entries.push(*entry);
                    frame.y.push(outcome);
                }
                (Err(name), _) | (_, Err(name)) => {
                    frame.without.push((entry.subject_row, format!("no value of {name}")));
                }
            }
        }
        for (factor, codes) in frame.factors.iter_mut().zip(levels) {
            *factor = coded(&codes);
        }
        frame
    }

    /// The group first, if there is one, then factors, then covariates.
    fn variables(&self) -> Vec<Variable<'_>> {
        let group = self.has_group.then_some(&self.groups);
        let factors = group.into_iter().chain(&self.factors);
        let factors = factors.map(|(levels, codes)| Variable::Factor { levels: *levels, codes });
        factors.chain(self.covariates.iter().map(|values| Variable::Covariate(values))).collect()
    }
}

/// A covariate of a participant: from the outcome's own row, or else of the participant.
fn number_of(data: &DataSets, own: Option<&Dataset>, entry: &Entry, name: &str) -> Option<f64> {
    let own = own.filter(|set| set.name != data.subjects.name && set.column(name).is_some());
    match own {
        Some(set) => set.cell(name, entry.row).number(),
        None => data.subjects.cell(name, entry.subject_row).number(),
    }
}

/// A factor's level of a participant, found in the same way.
fn level_of(data: &DataSets, own: Option<&Dataset>, entry: &Entry, name: &str) -> Option<String> {
    let own = own.filter(|set| set.name != data.subjects.name && set.column(name).is_some());
    match own {
        Some(set) => set.cell(name, entry.row).level(),
        None => data.subjects.cell(name, entry.subject_row).level(),
    }
}

/// Numbers levels in their order among those that occur.
pub(super) fn coded(codes: &[String]) -> (usize, Vec<usize>) {
    let mut levels: Vec<&String> = codes.iter().collect();
    levels.sort_unstable();
    levels.dedup();
    let place = |code: &String| levels.binary_search(&code).unwrap_or_default();
    (levels.len(), codes.iter().map(place).collect())
}

fn describe_groups(sheet: &mut Sheet<'_>, population: &Population, series: &Series<'_>, frame: &Frame) {
    for (place, id) in population.cuts() {
        let Some(place) = place else { continue };
        let own = frame.entries.iter().zip(&frame.y).filter(|(entry, _)| entry.group == Some(place));
        let (entries, values): (Vec<&Entry>, Vec<f64>) = own.unzip();
        let rows = entries.iter().map(|entry| entry.row).collect();
        let rows = [sheet.row_sets.place(series.dataset, rows, &series.columns)];
        let decimals = series.precision.summary();
        sheet.put("n", group(id), values.len(), Format::Integer, &rows);
        sheet.put("mean", group(id), mean(&values), decimals, &rows);
        sheet.put("sd", group(id), variance(&values).map(f64::sqrt), series.precision.spread(), &rows);
    }
}

struct Fitted<'a, 'd, 'v> {
    fit: Result<&'a LinearFit<'d, 'v>, NotEstimable>,
    level: Result<Confidence, NotEstimable>,
    rows: [usize; 1],
    series: &'a Series<'a>,
}

impl Fitted<'_, '_, '_> {
    fn put_model(&self, sheet: &mut Sheet<'_>, frame: &Frame) {
        sheet.put("n", ALL, frame.y.len(), Format::Integer, &self.rows);
        if frame.has_group {
            let test = self.fit.and_then(|fit| fit.term_tests()).and_then(|tests| {
                tests.into_iter().find(|test| test.term == 0).ok_or(NotEstimable::SingularDesign)
            });
            sheet.put("f", ALL, test.map(|test| test.f), Format::Decimals(2), &self.rows);
            sheet.put("df", ALL, test.map(|test| test.df), Format::Decimals(0), &self.rows);
            sheet.put("p", ALL, test.map(|test| test.p), Format::PValue, &self.rows);
        }
        let df = self.fit.map(|fit| fit.df_residual);
        sheet.put("df_residual", ALL, df, Format::Decimals(0), &self.rows);
        let sigma = self.fit.map(|fit| fit.sigma);
        sheet.put("sigma", ALL, sigma, self.series.precision.summary(), &self.rows);
    }

    fn put_means(&self, sheet: &mut Sheet<'_>, population: &Population, options: &Ancova) {
        let weights = match options.ls_means {
            MarginalMeans::EqualWeights => LsWeights::Equal,
            MarginalMeans::AsObserved => LsWeights::Proportional,
        };
        let means = self.fit.and_then(|fit| ls_means(fit, 0, weights, self.level?));
        for (place, level) in population.groups.iter().enumerate() {
            let mean = means.as_ref().map_err(|reason| *reason).map(|means| means.means[place].mean);
            let keys = ["ls_mean", "ls_mean_se", "ls_mean_lower", "ls_mean_upper"];
            self.put_coefficient(sheet, keys, group(Some(&level.id)), mean);
        }
        for (first, second) in population.pairs() {
            let difference = self.difference(first, second);
            let of =
                Of { group: Some(&population.groups[first].id), level: Some(&population.groups[second].id) };
            self.put_coefficient(sheet, ["difference", "se", "lower", "upper"], of, difference);
            sheet.put("t", of, difference.map(|one| one.t), Format::Decimals(2), &self.rows);
            sheet.put("p", of, difference.map(|one| one.p), Format::PValue, &self.rows);
        }
    }

    /// The first group minus the second: without interactions, a difference of coefficients.
    fn difference(&self, first: usize, second: usize) -> Result<Coefficient, NotEstimable> {
        let fit = self.fit?;
        let weight = |level: usize| match level {
            level if level == first => 1.0,
            level if level == second => -1.0,
            _ => 0.0,
        };
        let weights: Vec<f64> = fit
            .design()
            .columns()
            .iter()
            .map(|column| match (column.term, column.levels.as_slice()) {
                (Some(0), [Some(level)]) => weight(*level),
                _ => 0.0,
            })
            .collect();
        fit.linear_function(&weights, self.level?)
    }

    fn put_terms(&self, sheet: &mut Sheet<'_>, frame: &Frame, options: &Ancova) {
        let tests = self.fit.and_then(|fit| fit.term_tests());
        let coefficients = self.fit.and_then(|fit| Ok((fit, fit.coefficients(self.level?))));
        let names = options.factors.iter().chain(&options.covariates);
        for (place, name) in names.enumerate() {
            let term = place + usize::from(frame.has_group);
            let of = Of { group: None, level: Some(name) };
            if place >= options.factors.len() {
                let slope = coefficients.as_ref().map_err(|reason| *reason).and_then(|(fit, all)| {
                    let column = fit.design().columns_of(term).next().ok_or(NotEstimable::SingularDesign)?;
                    Ok(all[column])
                });
                self.put_coefficient(sheet, ["slope", "slope_se", "slope_lower", "slope_upper"], of, slope);
                sheet.put("slope_p", of, slope.map(|one| one.p), Format::PValue, &self.rows);
            }
            let test = tests.as_ref().map_err(|reason| *reason).and_then(|tests| {
                tests.iter().find(|test| test.term == term).ok_or(NotEstimable::SingularDesign)
            });
            sheet.put("term_f", of, test.map(|test| test.f), Format::Decimals(2), &self.rows);
            sheet.put("term_p", of, test.map(|test| test.p), Format::PValue, &self.rows);
        }
    }

    fn put_coefficient(
        &self,
        sheet: &mut Sheet<'_>,
        [estimate, se, lower, upper]: [&str; 4],
        of: Of<'_>,
        one: Result<Coefficient, NotEstimable>,
    ) {
        let decimals = self.series.precision.summary();
        // A standard error is printed with one decimal more than the estimate it belongs to.
        let finer = Format::Decimals(self.series.precision.summary + 1);
        sheet.put(estimate, of, one.map(|one| one.estimate), decimals, &self.rows);
        sheet.put(se, of, one.map(|one| one.se), finer, &self.rows);
        sheet.put(lower, of, one.map(|one| one.interval.lower), decimals, &self.rows);
        sheet.put(upper, of, one.map(|one| one.interval.upper), decimals, &self.rows);
    }
}
