//! Hazards of two groups: the log-rank test with its hazard ratio, and the proportional-hazards model (Cox).

use datasets::{DataSets, Dataset};
use protocol::model::{Cox, LogRank, TiedTimes};
use statistics::{
    Confidence, NotEstimable,
    distribution::chi_squared_upper,
    models::{Design, Term, Variable},
    survival::{
        ArmHazard, CoxCoefficient, LogRankTest, LogRankWeights, Stopping, Ties, Times, TwoArmWorkspace,
        cox_regression, log_rank,
    },
};

use super::{ancova::coded, confidence};
use crate::{
    Format,
    population::Population,
    records::{TimeEntry, cell},
    sheet::{ALL, Of, Sheet, group},
};

/// Says what the log-rank test does, with every option that changes a number.
pub(crate) fn log_rank_words(options: &LogRank) -> String {
    format!(
        "Log-rank test{}; hazard ratio by proportional hazards, ties by {}, confidence {}",
        stratified(&options.strata),
        ties_in_words(options.ties),
        options.confidence
    )
}

/// Says what the proportional-hazards model does, with every option that changes a number.
pub(crate) fn cox_words(options: &Cox) -> String {
    let model: Vec<&str> = options.factors.iter().chain(&options.covariates).map(String::as_str).collect();
    let model = if model.is_empty() { String::new() } else { format!(" with {}", model.join(", ")) };
    format!(
        "Proportional-hazards model{model}{}, ties by {}, confidence {}",
        stratified(&options.strata),
        ties_in_words(options.ties),
        options.confidence
    )
}

fn stratified(strata: &[String]) -> String {
    if strata.is_empty() { String::new() } else { format!(" stratified by {}", strata.join(" and ")) }
}

fn ties_in_words(ties: TiedTimes) -> &'static str {
    match ties {
        TiedTimes::Efron => "Efron",
        TiedTimes::Breslow => "Breslow",
    }
}

/// Reads a plan's way with tied events.
pub(crate) fn ties_of(ties: TiedTimes) -> Ties {
    match ties {
        TiedTimes::Efron => Ties::Efron,
        TiedTimes::Breslow => Ties::Breslow,
    }
}

/// The hazard of the first group over that of the second, on the scale of logarithms.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Hazard {
    pub(crate) log_ratio: f64,
    pub(crate) se: f64,
    pub(crate) lower: f64,
    pub(crate) upper: f64,
    /// Two-sided, of Wald's test.
    pub(crate) p: f64,
}

impl Hazard {
    fn of(found: ArmHazard) -> Self {
        let z = found.log_ratio / found.se;
        Self {
            log_ratio: found.log_ratio,
            se: found.se,
            lower: found.interval.lower,
            upper: found.interval.upper,
            p: chi_squared_upper(z * z, 1.0),
        }
    }
}

/// Columns of two groups, one entry a participant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Compared<'a> {
    pub(crate) time: &'a [f64],
    pub(crate) event: &'a [bool],
    /// Whether the participant is of the first group.
    pub(crate) first: &'a [bool],
    pub(crate) strata: Option<&'a [u32]>,
    /// By factor: the number of levels, and each participant's.
    pub(crate) factors: &'a [(usize, Vec<usize>)],
    pub(crate) covariates: &'a [Vec<f64>],
}

impl Compared<'_> {
    /// Makes the table of times that tests and hazards of the groups alone are taken from.
    fn prepare(&self, space: &mut TwoArmWorkspace) -> Result<(), NotEstimable> {
        space.prepare(Times::new(self.time, self.event)?, self.first.iter().copied(), self.strata)
    }

    /// Returns the log-rank test, and beside it the hazard ratio of the groups.
    pub(crate) fn log_rank(
        &self,
        ties: Ties,
        level: Confidence,
        space: &mut TwoArmWorkspace,
    ) -> Result<(LogRankTest, Result<Hazard, NotEstimable>), NotEstimable> {
        self.prepare(space)?;
        let test = space.log_rank()?;
        Ok((test, space.hazard_ratio(ties, level).map(Hazard::of)))
    }

    /// Returns the hazard ratio of the groups, adjusted for what explains the times beside them.
    pub(crate) fn hazard(
        &self,
        ties: Ties,
        level: Confidence,
        space: &mut TwoArmWorkspace,
    ) -> Result<Hazard, NotEstimable> {
        if !self.factors.is_empty() || !self.covariates.is_empty() {
            return self.adjusted(ties, level).map(|(hazard, _)| hazard);
        }
        self.prepare(space)?;
        space.hazard_ratio(ties, level).map(Hazard::of)
    }

    /// The hazard ratio of a model with covariates, and these covariates' own.
    fn adjusted(&self, ties: Ties, level: Confidence) -> Result<(Hazard, Vec<CoxCoefficient>), NotEstimable> {
        let arm: Vec<f64> = self.first.iter().map(|first| f64::from(u8::from(*first))).collect();
        let mut variables = vec![Variable::Covariate(&arm)];
        variables
            .extend(self.factors.iter().map(|(levels, codes)| Variable::Factor { levels: *levels, codes }));
        variables.extend(self.covariates.iter().map(|values| Variable::Covariate(values)));
        let terms: Vec<Term> = (0..variables.len()).map(Term::main).collect();
        let design = Design::without_intercept(&variables, &terms)?;
        let wide: Option<Vec<usize>> =
            self.strata.map(|strata| strata.iter().map(|one| *one as usize).collect());
        let times = Times::new(self.time, self.event)?;
        let fit = cox_regression(times, &design, wide.as_deref(), ties, Stopping::AtRounding, level)?;
        let half = |se: f64| level.z() * se;
        let own = fit.coefficients[0];
        let hazard = Hazard {
            log_ratio: own.estimate,
            se: own.se,
            lower: own.estimate - half(own.se),
            upper: own.estimate + half(own.se),
            p: own.p,
        };
        let covariates = fit.coefficients.len() - self.covariates.len();
        Ok((hazard, fit.coefficients[covariates..].to_vec()))
    }
}

/// Participants in a comparison of hazards.
struct Frame {
    rows: Vec<usize>,
    group: Vec<usize>,
    time: Vec<f64>,
    event: Vec<bool>,
    strata: Vec<u32>,
    factors: Vec<(usize, Vec<usize>)>,
    covariates: Vec<Vec<f64>>,
    without: Vec<(usize, String)>,
}

/// What explains times beside the groups.
#[derive(Clone, Copy)]
struct Beside<'a> {
    strata: &'a [String],
    factors: &'a [String],
    covariates: &'a [String],
}

impl Frame {
    fn read((data, set): (&DataSets, &Dataset), entries: &[TimeEntry], beside: Beside<'_>) -> Self {
        let mut frame = Self {
            rows: Vec::new(),
            group: Vec::new(),
            time: Vec::new(),
            event: Vec::new(),
            strata: Vec::new(),
            factors: Vec::new(),
            covariates: vec![Vec::new(); beside.covariates.len()],
            without: Vec::new(),
        };
        let mut strata: Vec<Vec<String>> = Vec::new();
        let mut levels: Vec<Vec<String>> = vec![Vec::new(); beside.factors.len()];
        for entry in entries {
            let own = |name: &String| cell(data, set, entry.row, entry.subject_row, name);
            let level = |name: &String| own(name).level().ok_or_else(|| name.clone());
            let number = |name: &String| own(name).number().ok_or_else(|| name.clone());
            let read = || -> Result<_, String> {
                let strata: Vec<String> = beside.strata.iter().map(level).collect::<Result<_, _>>()?;
                let factors: Vec<String> = beside.factors.iter().map(level).collect::<Result<_, _>>()?;
                let numbers: Vec<f64> = beside.covariates.iter().map(number).collect::<Result<_, _>>()?;
                Ok((strata, factors, numbers))
            };
            let (Some(place), read) = (entry.group, read()) else { continue };
            match read {
                Ok((stratum, factors, numbers)) => {
                    strata.push(stratum);
                    levels.iter_mut().zip(factors).for_each(|(column, level)| column.push(level));
                    frame.covariates.iter_mut().zip(numbers).for_each(|(column, number)| column.push(number));
                    frame.rows.push(entry.row);
                    frame.group.push(place);
                    frame.time.push(entry.time);
                    frame.event.push(entry.event);
                }
                Err(name) => frame.without.push((entry.subject_row, format!("no value of {name}"))),
            }
        }
        let mut known: Vec<&Vec<String>> = strata.iter().collect();
        known.sort_unstable();
        known.dedup();
        let code = |own: &Vec<String>| known.binary_search(&own).unwrap_or_default() as u32;
        frame.strata = strata.iter().map(code).collect();
        frame.factors = levels.iter().map(|codes| coded(codes)).collect();
        frame
    }

    /// The columns of the two groups that are compared.
    fn compared<'a>(&'a self, first: &'a [bool], stratified: bool) -> Compared<'a> {
        Compared {
            time: &self.time,
            event: &self.event,
            first,
            strata: stratified.then_some(&self.strata),
            factors: &self.factors,
            covariates: &self.covariates,
        }
    }
}

/// Compares the hazards of groups.
///
/// Keys: in all `n events chi_squared df p` of the log-rank test and, of two groups, `log_hazard_ratio se log_lower
/// log_upper hazard_ratio lower upper`, the first against the second; by group `n events`. Returns who lacks a
/// stratum: the row of the subject-level data set, and what is lacking.
pub(crate) fn compare_log_rank(
    sheet: &mut Sheet<'_>,
    population: &Population,
    (data, set): (&DataSets, &Dataset),
    entries: &[TimeEntry],
    columns: &[&str],
    options: &LogRank,
) -> Vec<(usize, String)> {
    let beside = Beside { strata: &options.strata, factors: &[], covariates: &[] };
    let frame = Frame::read((data, set), entries, beside);
    let rows = put_counts(sheet, population, set, &frame, columns);
    let stratified = !options.strata.is_empty();
    let mut space = TwoArmWorkspace::default();
    match population.pair() {
        Ok((one, _)) => {
            let first: Vec<bool> = frame.group.iter().map(|group| *group == one).collect();
            let compared = frame.compared(&first, stratified);
            let found = confidence(options.confidence)
                .and_then(|level| compared.log_rank(ties_of(options.ties), level, &mut space));
            let test = found.map(|(test, _)| test);
            sheet.put("chi_squared", ALL, test.map(|test| test.chi_squared), Format::Decimals(2), &rows);
            sheet.put("df", ALL, test.map(|test| test.df), Format::Decimals(0), &rows);
            sheet.put("p", ALL, test.map(|test| test.p), Format::PValue, &rows);
            let hazard = found.and_then(|(_, hazard)| hazard);
            put_hazard(sheet, hazard.map_err(|reason| reason.to_string()), &rows);
        }
        Err(reason) => {
            let wide: Vec<usize> = frame.strata.iter().map(|one| *one as usize).collect();
            let test = Times::new(&frame.time, &frame.event).and_then(|times| {
                let strata = stratified.then_some(wide.as_slice());
                log_rank(times, &frame.group, population.groups.len(), strata, LogRankWeights::Equal)
            });
            let test = test.as_ref().map_err(|reason| *reason);
            sheet.put("chi_squared", ALL, test.map(|test| test.chi_squared), Format::Decimals(2), &rows);
            sheet.put("df", ALL, test.map(|test| test.df), Format::Decimals(0), &rows);
            sheet.put("p", ALL, test.map(|test| test.p), Format::PValue, &rows);
            put_hazard(sheet, Err(reason), &rows);
        }
    }
    frame.without
}

/// Fits a proportional-hazards model of two groups.
///
/// Keys: in all `n events`, `log_hazard_ratio se log_lower log_upper hazard_ratio lower upper z p` of the first group
/// against the second; by covariate `ratio ratio_lower ratio_upper ratio_p` for one unit more; by group `n events`.
/// Returns who lacks a stratum, factor or covariate: the row of the subject-level data set, and what is lacking.
pub(crate) fn cox(
    sheet: &mut Sheet<'_>,
    population: &Population,
    (data, set): (&DataSets, &Dataset),
    entries: &[TimeEntry],
    columns: &[&str],
    options: &Cox,
) -> Vec<(usize, String)> {
    let beside =
        Beside { strata: &options.strata, factors: &options.factors, covariates: &options.covariates };
    let frame = Frame::read((data, set), entries, beside);
    let rows = put_counts(sheet, population, set, &frame, columns);
    let fit = population.pair().and_then(|(one, _)| {
        let first: Vec<bool> = frame.group.iter().map(|group| *group == one).collect();
        let compared = frame.compared(&first, !options.strata.is_empty());
        let level = confidence(options.confidence).map_err(|reason| reason.to_string())?;
        let ties = ties_of(options.ties);
        let found = if frame.factors.is_empty() && frame.covariates.is_empty() {
            compared.hazard(ties, level, &mut TwoArmWorkspace::default()).map(|hazard| (hazard, Vec::new()))
        } else {
            compared.adjusted(ties, level)
        };
        found.map_err(|reason| reason.to_string())
    });
    let hazard = fit.as_ref().map(|(hazard, _)| *hazard).map_err(Clone::clone);
    put_hazard(sheet, hazard.clone(), &rows);
    let z = hazard.clone().map(|hazard| hazard.log_ratio / hazard.se);
    sheet.put("z", ALL, z, Format::Decimals(2), &rows);
    sheet.put("p", ALL, hazard.map(|hazard| hazard.p), Format::PValue, &rows);
    for (place, name) in options.covariates.iter().enumerate() {
        let own = fit.as_ref().map(|(_, covariates)| covariates[place]).map_err(Clone::clone);
        let of = Of { group: None, level: Some(name) };
        let of_own = |key: &str, part: fn(CoxCoefficient) -> f64, format, sheet: &mut Sheet<'_>| {
            sheet.put(key, of, own.clone().map(part), format, &rows);
        };
        of_own("ratio", |one| one.hazard_ratio, Format::Decimals(3), sheet);
        of_own("ratio_lower", |one| one.hazard_ratio_interval.lower, Format::Decimals(3), sheet);
        of_own("ratio_upper", |one| one.hazard_ratio_interval.upper, Format::Decimals(3), sheet);
        of_own("ratio_p", |one| one.p, Format::PValue, sheet);
    }
    frame.without
}

/// Writes participants and events, in all and by group; returns the place of all rows.
fn put_counts(
    sheet: &mut Sheet<'_>,
    population: &Population,
    set: &Dataset,
    frame: &Frame,
    columns: &[&str],
) -> [usize; 1] {
    let mut all = [0];
    for (place, id) in population.cuts() {
        let own: Vec<usize> =
            (0..frame.rows.len()).filter(|at| place.is_none_or(|place| frame.group[*at] == place)).collect();
        let rows = own.iter().map(|at| frame.rows[*at]).collect();
        let rows = [sheet.row_sets.place(&set.name, rows, columns)];
        if place.is_none() {
            all = rows;
        }
        let events = own.iter().filter(|at| frame.event[**at]).count();
        sheet.put("n", group(id), own.len(), Format::Integer, &rows);
        sheet.put("events", group(id), events, Format::Integer, &rows);
    }
    all
}

fn put_hazard(sheet: &mut Sheet<'_>, hazard: Result<Hazard, String>, rows: &[usize]) {
    let of = |part: fn(Hazard) -> f64| hazard.clone().map(part);
    sheet.put("log_hazard_ratio", ALL, of(|one| one.log_ratio), Format::Decimals(3), rows);
    sheet.put("se", ALL, of(|one| one.se), Format::Decimals(3), rows);
    sheet.put("log_lower", ALL, of(|one| one.lower), Format::Decimals(3), rows);
    sheet.put("log_upper", ALL, of(|one| one.upper), Format::Decimals(3), rows);
    sheet.put("hazard_ratio", ALL, of(|one| one.log_ratio.exp()), Format::Decimals(2), rows);
    sheet.put("lower", ALL, of(|one| one.lower.exp()), Format::Decimals(2), rows);
    sheet.put("upper", ALL, of(|one| one.upper.exp()), Format::Decimals(2), rows);
}
