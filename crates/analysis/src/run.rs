//! Runs a plan: for each analysis whom, what, how, and the published numbers beside it.

use datasets::{Cell, DataSets};
use protocol::model::{
    Analysis, AnalysisPlan, Arm, Estimand, Imputation, Measure, Method, Parameter, Quartiles, Readings,
    Records, RecordsOf, StatedFact, Strategy, Subject, TimeOrigin, TimedHappening, TwoSided, Zeros,
};
use statistics::means::Variances;
use terms::AnalysisId;

use crate::{
    AnalysisResult, Level, PublishedNumber, Results,
    categories::Categories,
    events::{Occurrences, participants, rows},
    methods::{self, Paired, Precision, Repeated, Series, Source, confidence},
    outcome::{self, AtVisit, Outcomes, column_of, death_strategy, level_of},
    population::{Choice, Population, first_level},
    records::{Chosen, TimeEntry, WITHIN, times_of},
    sheet::{RowSets, Sheet, group},
    standing,
};

/// Why a plan can't be run. A plan that the compiler passed has no such fault but the last ones.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The data sets lack the flag of a set.
    #[error("analysis `{analysis}`: the data sets do not say who belongs to `{set}`")]
    NoSet {
        /// The analysis.
        analysis: AnalysisId,
        /// The set.
        set: String,
    },
    /// The data sets lack a variable.
    #[error("analysis `{analysis}`: there is no variable `{variable}`")]
    NoVariable {
        /// The analysis.
        analysis: AnalysisId,
        /// The variable.
        variable: String,
    },
    /// The plan lacks a parameter.
    #[error("analysis `{analysis}`: there is no parameter `{parameter}`")]
    NoParameter {
        /// The analysis.
        analysis: AnalysisId,
        /// The parameter.
        parameter: String,
    },
    /// A data set that the plan names is not there.
    #[error("analysis `{analysis}`: there is no data set `{data}`")]
    NoDataSet {
        /// The analysis.
        analysis: AnalysisId,
        /// The data set.
        data: String,
    },
    /// Several rows of one participant where one is looked at.
    #[error(
        "analysis `{analysis}`: participant {subject} has rows {first} and {second} of `{data}`; say in `where` which of them is meant"
    )]
    SeveralRows {
        /// The analysis.
        analysis: AnalysisId,
        /// The data set.
        data: String,
        /// The participant.
        subject: String,
        /// A row, from 1.
        first: usize,
        /// Another, from 1.
        second: usize,
    },
    /// A method can't be applied to what the analysis looks at.
    #[error("analysis `{analysis}`: {method} can't be applied to {subject}")]
    DoesNotFit {
        /// The analysis.
        analysis: AnalysisId,
        /// The method.
        method: &'static str,
        /// What it looks at.
        subject: &'static str,
    },
    /// An estimand handles an event in a way that no method here can follow.
    #[error("estimand `{estimand}`: the strategy for `{event}` can't be followed; use treatment policy")]
    Strategy {
        /// The estimand.
        estimand: String,
        /// The event.
        event: String,
    },
    /// A published number stands beside an estimate that the method does not give.
    #[error("analysis `{analysis}` gives no estimate `{estimate}`; it gives {known}")]
    NoEstimate {
        /// The analysis.
        analysis: AnalysisId,
        /// What the plan names.
        estimate: String,
        /// What there is.
        known: String,
    },
    /// A published number's fact does not exist.
    #[error("analysis `{analysis}`: there is no fact `{fact}`")]
    NoFact {
        /// The analysis.
        analysis: AnalysisId,
        /// The fact.
        fact: String,
    },
}

/// Runs a plan on data sets.
///
/// `facts` hold the published numbers that the plan puts beside its own. Results are
/// the same for any order of rows. Arms are used for their order, labels and control only.
///
/// # Errors
/// The plan names what the data sets or its own parts do not have.
pub fn run(
    plan: &AnalysisPlan,
    arms: &[Arm],
    facts: &[StatedFact],
    data: &DataSets,
) -> Result<Results, PlanError> {
    let mut row_sets = RowSets::default();
    let mut analyses = Vec::new();
    for analysis in &plan.analyses {
        let task = Task::new(plan, arms, data, analysis)?;
        analyses.push(task.run(facts, &mut row_sets)?);
    }
    // Of a trial that was run elsewhere nothing is known but what the plan names.
    if plan.data.is_empty() {
        analyses.extend(standing::run(plan, arms, data, &mut row_sets));
    }
    Ok(Results { analyses, row_sets: row_sets.into_sets() })
}

/// The column by which participants come in order.
const FIRST_DOSE: &str = "first_dose_date";

/// One analysis with all that it needs.
struct Task<'a> {
    plan: &'a AnalysisPlan,
    data: &'a DataSets,
    analysis: &'a Analysis,
    estimand: Option<&'a Estimand>,
    population: Population,
}

/// What an analysis wrote down.
#[derive(Default)]
struct Written {
    levels: Vec<Level>,
    excluded: Vec<(terms::SubjectId, String)>,
}

impl<'a> Task<'a> {
    fn new(
        plan: &'a AnalysisPlan,
        arms: &'a [Arm],
        data: &'a DataSets,
        analysis: &'a Analysis,
    ) -> Result<Self, PlanError> {
        let flag = crate::population::flag_of(&analysis.set);
        if data.subjects.column(&flag).is_none() {
            return Err(PlanError::NoSet { analysis: analysis.id.clone(), set: analysis.set.to_string() });
        }
        let by = analysis.by.as_deref();
        if let Some(by) = by.filter(|by| *by != "arm" && data.subjects.column(by).is_none()) {
            return Err(PlanError::NoVariable { analysis: analysis.id.clone(), variable: by.to_owned() });
        }
        let estimand = analysis.estimand.as_ref();
        let estimand = estimand.and_then(|id| plan.estimands.iter().find(|estimand| estimand.id == *id));
        let choice = Choice { set: Some(&analysis.set), only: analysis.only.as_ref(), by };
        let population = Population::choose(data, arms, choice);
        Ok(Self { plan, data, analysis, estimand, population })
    }

    fn run(&self, facts: &[StatedFact], row_sets: &mut RowSets) -> Result<AnalysisResult, PlanError> {
        let mut sheet = Sheet::new(&self.analysis.id, row_sets);
        let written = self.write(&mut sheet)?;
        let numbers = sheet.numbers;
        let mut result = AnalysisResult {
            id: self.analysis.id.clone(),
            label: self.analysis.label.en().to_owned(),
            estimand: self.analysis.estimand.clone(),
            role: self.analysis.role.clone(),
            method: self.method_in_words(),
            set: self.set_in_words(),
            groups: self.population.groups.clone(),
            levels: written.levels,
            numbers,
            excluded: written.excluded,
            published: Vec::new(),
        };
        result.published = self.published(&result, facts)?;
        Ok(result)
    }

    fn write(&self, sheet: &mut Sheet<'_>) -> Result<Written, PlanError> {
        match &self.analysis.subject {
            Subject::Parameter { parameter, .. } => {
                let unknown = || PlanError::NoParameter {
                    analysis: self.analysis.id.clone(),
                    parameter: parameter.to_string(),
                };
                let parameter = self.plan.parameters.iter().find(|known| known.id == *parameter);
                self.write_parameter(sheet, parameter.ok_or_else(unknown)?)
            }
            Subject::Variable { variable } => self.write_variable(sheet, variable),
            Subject::AdverseEvents { .. } | Subject::Deviations => self.write_events(sheet),
            Subject::Records(records) => self.write_records(sheet, records),
            Subject::Readings(readings) => self.write_readings(sheet, readings),
            Subject::TimeToEvent { time } => self.write_time(sheet, time),
        }
    }

    /// Times to an event of the study's own record.
    fn write_time(&self, sheet: &mut Sheet<'_>, time: &terms::ParameterId) -> Result<Written, PlanError> {
        if self.plan.times.iter().all(|known| known.id != *time) {
            let (analysis, parameter) = (self.analysis.id.clone(), time.to_string());
            return Err(PlanError::NoParameter { analysis, parameter });
        }
        let (entries, excluded) = times_of(self.data, &self.population, time);
        self.write_times(sheet, &self.data.times_to_event, &entries, &["value", "censored"], excluded)
    }

    /// Methods for times to an event, which stand in `columns` of a data set.
    fn write_times(
        &self,
        sheet: &mut Sheet<'_>,
        set: &datasets::Dataset,
        entries: &[TimeEntry],
        columns: &[&str],
        excluded: Vec<(terms::SubjectId, String)>,
    ) -> Result<Written, PlanError> {
        let (population, data) = (&self.population, (self.data, set));
        let (levels, without) = match &self.analysis.method {
            Method::KaplanMeier(options) => {
                methods::kaplan_meier(sheet, population, data, entries, columns, options)
            }
            Method::LogRank(options) => {
                (Vec::new(), methods::compare_log_rank(sheet, population, data, entries, columns, options))
            }
            Method::Cox(options) => {
                (Vec::new(), methods::cox(sheet, population, data, entries, columns, options))
            }
            _ => return Err(self.does_not_fit("times to an event")),
        };
        Ok(Written { levels, ..self.written(excluded, without) })
    }

    /// Rows of a data set from elsewhere. What an estimand says of intercurrent events is in the rows already.
    fn write_records(&self, sheet: &mut Sheet<'_>, records: &Records) -> Result<Written, PlanError> {
        let (id, population) = (&self.analysis.id, &self.population);
        let chosen = Chosen::rows(self.data, self.plan, population, records, id)?;
        match &records.of {
            RecordsOf::Value { column } => {
                let described = chosen.set.column(column).or_else(|| self.data.subjects.column(column));
                let Some(described) = described else {
                    let (analysis, variable) = (id.clone(), column.clone());
                    return Err(PlanError::NoVariable { analysis, variable });
                };
                if self.analysis.method.over_visits().is_some() {
                    let source = Source::Rows { chosen: &chosen, column, decimals: described.decimals };
                    return self.write_repeated(sheet, &source);
                }
                if self.takes_levels() {
                    let categories = chosen.categories(self.data, population, column, id)?;
                    return self.write_categories(sheet, categories);
                }
                let outcomes = chosen.outcomes(self.data, population, column, id)?;
                let decimals = described.decimals;
                let series = Series {
                    outcomes: &outcomes,
                    dataset: &chosen.set.name,
                    columns: vec![column],
                    precision: self.precision(decimals),
                    higher_is_worse: true,
                };
                let without = self.write_series(sheet, &series, false)?;
                Ok(self.written(outcomes.excluded.clone(), without))
            }
            RecordsOf::Times { time, event } => {
                let (entries, excluded) = chosen.times(self.data, population, (time, event), id)?;
                self.write_times(sheet, chosen.set, &entries, &[time], excluded)
            }
            RecordsOf::Terms { columns } => {
                let events = chosen.occurrences(population, columns);
                let label =
                    |id: String| Level { label: id.rsplit(WITHIN).next().unwrap_or_default().to_owned(), id };
                let levels = self.with_named(events.levels().into_iter().map(label).collect());
                match &self.analysis.method {
                    Method::Count => {
                        let name = &chosen.set.name;
                        methods::count_events(sheet, population, self.data, name, &events, &levels);
                    }
                    Method::Fisher { confidence: level } => {
                        let (name, level) = (&chosen.set.name, confidence(*level));
                        methods::fisher_events(sheet, population, name, &events, &levels, level);
                    }
                    _ => return Err(self.does_not_fit("a list of events")),
                }
                Ok(Written { levels, excluded: Vec::new() })
            }
        }
    }

    /// Decimals of a column's values; of data sets from elsewhere a standard deviation has two more, as is the custom there.
    fn precision(&self, decimals: u32) -> Precision {
        let spread = if self.plan.data.is_empty() { decimals + 1 } else { decimals + 2 };
        Precision { value: decimals, summary: decimals + 1, spread }
    }

    /// Two readings of each slide.
    fn write_readings(&self, sheet: &mut Sheet<'_>, readings: &Readings) -> Result<Written, PlanError> {
        let set = &self.data.readings;
        let pairs = methods::pairs(set, &self.population, readings);
        match &self.analysis.method {
            Method::Agreement(options) => {
                let of_item = |one: &&Parameter| one.form == readings.form && one.item == readings.item;
                let decimals = self.plan.parameters.iter().find(of_item).map_or(1, |one| one.decimals);
                methods::agreement(sheet, set, &pairs, self.precision(decimals), options);
            }
            Method::WeightedKappa(options) => methods::weighted_kappa(sheet, set, &pairs, options),
            _ => return Err(self.does_not_fit("readings of slides")),
        }
        Ok(self.written(Vec::new(), Vec::new()))
    }

    /// Whether the method counts levels.
    fn takes_levels(&self) -> bool {
        matches!(
            self.analysis.method,
            Method::Count | Method::ChiSquared { .. } | Method::Cmh(_) | Method::PredictiveImputation(_)
        )
    }

    fn write_categories(
        &self,
        sheet: &mut Sheet<'_>,
        mut categories: Categories,
    ) -> Result<Written, PlanError> {
        let population = &self.population;
        categories.levels = self.with_named(categories.levels);
        let without = match &self.analysis.method {
            Method::Count => {
                categories.count(sheet, population, true);
                Vec::new()
            }
            Method::ChiSquared { continuity_correction } => {
                methods::chi_squared(sheet, population, &categories, *continuity_correction);
                Vec::new()
            }
            Method::Cmh(options) => methods::cmh(sheet, population, self.data, &categories, options),
            Method::PredictiveImputation(options) => {
                methods::predictive_imputation(sheet, population, self.data, &categories, options)
            }
            _ => return Err(self.does_not_fit("levels")),
        };
        Ok(Written { levels: categories.levels, ..self.written(Vec::new(), without) })
    }

    fn write_parameter(&self, sheet: &mut Sheet<'_>, parameter: &Parameter) -> Result<Written, PlanError> {
        let Subject::Parameter { visit, measure, missing, .. } = &self.analysis.subject else {
            return Err(self.does_not_fit("a parameter"));
        };
        self.check_strategies()?;
        if self.analysis.method.over_visits().is_some() {
            let (measure, visit) = (*measure, visit.as_str());
            return self.write_repeated(sheet, &Source::Parameter { parameter, measure, visit });
        }
        let ranks = matches!(self.analysis.method, Method::RankSum { .. } | Method::SignedRank { .. });
        let (measure, missing) = (*measure, *missing);
        let death = death_strategy(self.estimand);
        let wanted = AtVisit { parameter, visit, measure, missing, death, ranks };
        let outcomes = outcome::at_visit(self.data, &self.population, wanted);
        let mut columns = vec![column_of(measure)];
        if measure != Measure::Value {
            columns.extend(["value", "baseline"]);
        }
        let series = Series {
            outcomes: &outcomes,
            dataset: "longitudinal",
            columns,
            precision: precision_of(parameter.decimals, measure),
            higher_is_worse: parameter.lower_is_better,
        };
        let without = self.write_series(sheet, &series, measure == Measure::Change)?;
        Ok(self.written(outcomes.excluded, without))
    }

    /// Methods over several visits of a participant.
    fn write_repeated(&self, sheet: &mut Sheet<'_>, source: &Source<'_>) -> Result<Written, PlanError> {
        let (population, id) = (&self.population, &self.analysis.id);
        let Some(model) = self.analysis.method.over_visits() else {
            return Err(self.does_not_fit("several visits"));
        };
        let is_model = matches!(self.analysis.method, Method::Mmrm(_));
        let frame = Repeated::read(self.data, population, source, model, is_model, id)?;
        match &self.analysis.method {
            Method::Mmrm(options) => methods::mmrm(sheet, population, &frame, options),
            Method::MultipleImputation(options) => {
                methods::multiple_imputation(sheet, population, self.data, &frame, options);
            }
            _ => return Err(self.does_not_fit("several visits")),
        }
        let level = |id: &String| Level { id: id.clone(), label: id.clone() };
        let levels = if is_model { frame.visits.iter().map(level).collect() } else { Vec::new() };
        Ok(Written { levels, excluded: frame.excluded })
    }

    /// Who was left out, those whom a method could not use included.
    fn written(
        &self,
        mut excluded: Vec<(terms::SubjectId, String)>,
        without: Vec<(usize, String)>,
    ) -> Written {
        let subject = |row: usize| self.data.subjects.cell("subject", row).text().unwrap_or_default().into();
        excluded.extend(without.into_iter().map(|(row, reason)| (subject(row), reason)));
        Written { levels: Vec::new(), excluded }
    }

    fn write_variable(&self, sheet: &mut Sheet<'_>, variable: &str) -> Result<Written, PlanError> {
        let Some(column) = self.data.subjects.column(variable) else {
            let variable = variable.to_owned();
            return Err(PlanError::NoVariable { analysis: self.analysis.id.clone(), variable });
        };
        match &self.analysis.method {
            Method::Count | Method::ChiSquared { .. } | Method::Cmh(_) | Method::PredictiveImputation(_) => {
                self.write_categories(sheet, Categories::of_variable(self.data, &self.population, variable))
            }
            Method::Fisher { confidence: level } => {
                let level = confidence(*level);
                methods::fisher_variable(sheet, &self.population, self.data, variable, level);
                Ok(Written { levels: Vec::new(), excluded: self.without(variable) })
            }
            Method::BlindingIndex(options) => {
                methods::blinding_index(sheet, &self.population, self.data, variable, options);
                Ok(Written { levels: Vec::new(), excluded: self.without(variable) })
            }
            Method::Binomial { .. } | Method::StoppingBoundary(_) => {
                self.write_share_of_variable(sheet, variable);
                Ok(Written { levels: Vec::new(), excluded: self.without(variable) })
            }
            _ => {
                let outcomes = outcome::of_variable(self.data, &self.population, variable);
                let decimals = column.decimals;
                let mut columns: Vec<&str> = self.population.columns.iter().map(String::as_str).collect();
                columns.push(variable);
                let series = Series {
                    outcomes: &outcomes,
                    dataset: "subjects",
                    columns,
                    precision: self.precision(decimals),
                    higher_is_worse: true,
                };
                let without = self.write_series(sheet, &series, false)?;
                Ok(self.written(outcomes.excluded, without))
            }
        }
    }

    /// Writes a series down; returns whom the method could not use, by row of the subject-level data set, and why.
    fn write_series(
        &self,
        sheet: &mut Sheet<'_>,
        series: &Series<'_>,
        is_change: bool,
    ) -> Result<Vec<(usize, String)>, PlanError> {
        let population = &self.population;
        match &self.analysis.method {
            Method::Describe { quartiles } => methods::describe(sheet, population, series, *quartiles),
            Method::PairedT { confidence: level } => {
                let paired = Paired(is_change.then_some(self.data));
                methods::paired_t(sheet, population, series, &paired, confidence(*level));
            }
            Method::TwoSampleT { confidence: level, equal_variances } => {
                let variances = if *equal_variances { Variances::Equal } else { Variances::Unequal };
                methods::two_sample_t(sheet, population, series, variances, confidence(*level));
            }
            Method::SignedRank { zeros, confidence: level, .. } => {
                methods::signed_rank(sheet, population, series, *zeros, confidence(*level));
            }
            Method::RankSum { two_sided, confidence: level, quartiles } => {
                methods::rank_sum(sheet, population, series, *two_sided, confidence(*level), *quartiles);
            }
            Method::Ancova(options) => {
                return Ok(methods::ancova(sheet, population, self.data, series, options));
            }
            Method::Anova => methods::anova(sheet, population, series),
            Method::Count
            | Method::Fisher { .. }
            | Method::Binomial { .. }
            | Method::BlindingIndex(_)
            | Method::StoppingBoundary(_)
            | Method::Agreement(_)
            | Method::WeightedKappa(_)
            | Method::ChiSquared { .. }
            | Method::Cmh(_)
            | Method::KaplanMeier(_)
            | Method::LogRank(_)
            | Method::Cox(_)
            | Method::Mmrm(_)
            | Method::MultipleImputation(_)
            | Method::PredictiveImputation(_) => {
                return Err(self.does_not_fit("a series of numbers"));
            }
        }
        Ok(Vec::new())
    }

    fn write_events(&self, sheet: &mut Sheet<'_>) -> Result<Written, PlanError> {
        let (set, term, filter, subject) = match &self.analysis.subject {
            Subject::AdverseEvents { filter } => {
                (&self.data.adverse_events, "term", filter.as_ref(), "adverse events")
            }
            _ => (&self.data.deviations, "kind", None, "deviations"),
        };
        let events = Occurrences::choose(self.data, set, term, &self.population, filter);
        let column = set.column(term);
        let label = |id: &String| column.map_or(id.as_str(), |column| column.level_label(id)).to_owned();
        let levels = events.terms().iter().map(|id| Level { id: id.clone(), label: label(id) }).collect();
        let levels = self.with_named(levels);
        match &self.analysis.method {
            Method::Count => {
                methods::count_events(sheet, &self.population, self.data, &set.name, &events, &levels);
            }
            Method::Fisher { confidence: level } if subject == "adverse events" => {
                let name = &set.name;
                methods::fisher_events(sheet, &self.population, name, &events, &levels, confidence(*level));
            }
            Method::Binomial { confidence, interval } => {
                let wanted = methods::Interval { confidence: *confidence, kind: *interval };
                for (place, id) in self.population.cuts() {
                    let own = events.of(place, |_| true);
                    let event_rows = sheet.row_sets.place(&set.name, rows(&own), &[]);
                    let columns: Vec<&str> = self.population.columns.iter().map(String::as_str).collect();
                    let n_rows = sheet.row_sets.place("subjects", self.population.rows(place), &columns);
                    let counts = (participants(&own), self.population.of(place).count());
                    methods::binomial(sheet, group(id), counts, (event_rows, n_rows), wanted);
                }
            }
            Method::StoppingBoundary(options) => {
                for (place, id) in self.population.cuts() {
                    let own = events.of(place, |_| true);
                    let event_rows = sheet.row_sets.place(&set.name, rows(&own), &[]);
                    let mut columns: Vec<&str> = self.population.columns.iter().map(String::as_str).collect();
                    columns.push(FIRST_DOSE);
                    let n_rows = sheet.row_sets.place("subjects", self.population.rows(place), &columns);
                    let has =
                        |row: usize| own.iter().any(|one| self.population.members[one.member].row == row);
                    let in_order = self.in_order(self.population.rows(place));
                    let in_order: Vec<bool> = in_order.into_iter().map(has).collect();
                    methods::stopping_boundary(sheet, group(id), &in_order, (event_rows, n_rows), options);
                }
            }
            _ => return Err(self.does_not_fit(subject)),
        }
        Ok(Written { levels, excluded: Vec::new() })
    }

    fn write_share_of_variable(&self, sheet: &mut Sheet<'_>, variable: &str) {
        let Some(column) = self.data.subjects.column(variable) else { return };
        let yes = first_level(column);
        let mut columns: Vec<&str> = self.population.columns.iter().map(String::as_str).collect();
        columns.push(variable);
        for (place, id) in self.population.cuts() {
            let members = self.population.of(place);
            let known: Vec<(usize, String)> = members
                .filter_map(|member| Some((member.row, level_of(self.data, member, variable)?)))
                .collect();
            let with: Vec<usize> =
                known.iter().filter(|(_, own)| *own == yes.id).map(|(row, _)| *row).collect();
            let counts = (with.len(), known.len());
            let event_rows = sheet.row_sets.place("subjects", with, &columns);
            let n_rows =
                sheet.row_sets.place("subjects", known.iter().map(|(row, _)| *row).collect(), &columns);
            let rows = (event_rows, n_rows);
            match &self.analysis.method {
                Method::Binomial { confidence, interval } => {
                    let wanted = methods::Interval { confidence: *confidence, kind: *interval };
                    methods::binomial(sheet, group(id), counts, rows, wanted);
                }
                Method::StoppingBoundary(options) => {
                    let has = |row: &usize| known.iter().any(|(own, level)| own == row && *level == yes.id);
                    let in_order = self.in_order(known.iter().map(|(row, _)| *row).collect());
                    let in_order: Vec<bool> = in_order.iter().map(has).collect();
                    methods::stopping_boundary(sheet, group(id), &in_order, rows, options);
                }
                _ => {}
            }
        }
    }

    /// Orders participants by their first dose, those of one day by their number, those without a dose last.
    fn in_order(&self, mut rows: Vec<usize>) -> Vec<usize> {
        let subjects = &self.data.subjects;
        let first = |row: &usize| match subjects.column(FIRST_DOSE).map(|column| column.data.cell(*row)) {
            Some(Cell::Date(date)) => (false, Some(date.earliest())),
            _ => (true, None),
        };
        rows.sort_by_cached_key(|row| (first(row), subjects.cell("subject", *row).text().map(str::to_owned)));
        rows
    }

    /// Adds the levels that the plan puts a published number beside and that did not occur: nobody is a number too.
    fn with_named(&self, mut levels: Vec<Level>) -> Vec<Level> {
        let is_group = |name: &str| self.population.groups.iter().any(|group| group.id == name);
        for published in &self.analysis.published {
            let mut parts = published.estimate.split('[').skip(1).map(|part| part.trim_end_matches(']'));
            let (first, second) = (parts.next(), parts.next());
            let named = second.or(first.filter(|name| !is_group(name)));
            if let Some(name) = named.filter(|name| levels.iter().all(|level| level.id != *name)) {
                levels.push(Level { id: name.to_owned(), label: name.to_owned() });
            }
        }
        levels
    }

    fn without(&self, variable: &str) -> Vec<(terms::SubjectId, String)> {
        let members = self.population.members.iter();
        members
            .filter(|member| level_of(self.data, member, variable).is_none())
            .map(|member| (member.subject.clone(), format!("no value of {variable}")))
            .collect()
    }

    fn check_strategies(&self) -> Result<(), PlanError> {
        let Some(estimand) = self.estimand else { return Ok(()) };
        // A model of those who stay estimates what would have been; it has no place for a death.
        let models = self.analysis.method.over_visits().is_some();
        // Those who left go on as those who stayed; only a sensitivity analysis may assume otherwise.
        let as_if_it_had_not_happened = match &self.analysis.method {
            Method::MultipleImputation(options) => {
                let mut all = options.strategies.iter().map(|(_, one)| *one).chain([options.strategy]);
                self.analysis.role != "main" || all.all(|one| one == Imputation::MissingAtRandom)
            }
            _ => models,
        };
        let can_follow = |event: &str, strategy: Strategy| match strategy {
            Strategy::TreatmentPolicy => true,
            Strategy::Hypothetical if as_if_it_had_not_happened => event != "death",
            Strategy::WorstRank | Strategy::NotEstimated => event == "death",
            Strategy::Hypothetical | Strategy::Composite | Strategy::WhileOnTreatment => false,
        };
        match estimand.events.iter().find(|(event, strategy)| !can_follow(event, *strategy)) {
            Some((event, _)) => {
                Err(PlanError::Strategy { estimand: estimand.id.to_string(), event: event.clone() })
            }
            None => Ok(()),
        }
    }

    fn does_not_fit(&self, subject: &'static str) -> PlanError {
        PlanError::DoesNotFit {
            analysis: self.analysis.id.clone(),
            method: self.analysis.method.word(),
            subject,
        }
    }

    fn published(
        &self,
        result: &AnalysisResult,
        facts: &[StatedFact],
    ) -> Result<Vec<PublishedNumber>, PlanError> {
        let mut beside = Vec::new();
        let is_blind = self.analysis.by.is_some() && self.population.groups.is_empty();
        for published in &self.analysis.published {
            let number = format!("{}/{}", self.analysis.id, published.estimate);
            if result.numbers.iter().all(|one| one.id != number) {
                if is_blind {
                    continue;
                }
                return Err(self.no_estimate(result, &published.estimate));
            }
            let Some(fact) = facts.iter().find(|fact| fact.id == published.fact) else {
                let fact = published.fact.to_string();
                return Err(PlanError::NoFact { analysis: self.analysis.id.clone(), fact });
            };
            let (estimate, text) = (published.estimate.clone(), fact.text.clone());
            beside.push(PublishedNumber { number, estimate, fact: published.fact.clone(), text });
        }
        Ok(beside)
    }

    fn no_estimate(&self, result: &AnalysisResult, estimate: &str) -> PlanError {
        let stem = format!("{}/", self.analysis.id);
        let known: Vec<&str> = result.numbers.iter().map(|one| one.id.trim_start_matches(&stem)).collect();
        PlanError::NoEstimate {
            analysis: self.analysis.id.clone(),
            estimate: estimate.to_owned(),
            known: known.join(", "),
        }
    }

    fn set_in_words(&self) -> String {
        let set = self.plan.sets.iter().find(|set| set.id == self.analysis.set);
        let label = set.map_or(self.analysis.set.as_str(), |set| set.label.en());
        match &self.analysis.only {
            Some(only) => format!("{label}; only {}", only.text),
            None => label.to_owned(),
        }
    }

    fn method_in_words(&self) -> String {
        let mut words = words_of(&self.analysis.method);
        if let Subject::Parameter { parameter, visit, measure, missing } = &self.analysis.subject {
            let measure = column_of(*measure).replace('_', " ");
            let missing = match missing {
                protocol::model::MissingRule::Observed => "observed values only",
                protocol::model::MissingRule::LastObservation => {
                    "last observation after baseline carried forward"
                }
                protocol::model::MissingRule::WorstCase => "missing outcomes as the worst observed",
            };
            words = format!("{words}; {measure} of {parameter} at {visit}; {missing}");
        }
        if let Subject::AdverseEvents { filter: Some(filter) } = &self.analysis.subject {
            words = format!("{words}; adverse events with {}", filter.text);
        }
        if let Subject::TimeToEvent { time } = &self.analysis.subject {
            words = format!("{words}; {}", self.time_in_words(time));
        }
        if let Subject::Readings(readings) = &self.analysis.subject {
            let between = methods::words_between(readings.between);
            words = format!("{words}; {}.{} {between}", readings.form, readings.item);
        }
        if let Subject::Records(records) = &self.analysis.subject {
            let of = match &records.of {
                RecordsOf::Value { column } => column.clone(),
                RecordsOf::Times { time, event } => format!("{time}, ended by an event if {}", event.text),
                RecordsOf::Terms { columns } => columns.join(" and within it "),
            };
            words = format!("{words}; {of} of {}", records.data);
            if let Some(filter) = &records.filter {
                words = format!("{words} where {}", filter.text);
            }
        }
        match &self.analysis.by {
            Some(by) => format!("{words}; by {by}"),
            None => words,
        }
    }
}

impl Task<'_> {
    /// What ends a time and what censors it.
    fn time_in_words(&self, id: &terms::ParameterId) -> String {
        let Some(time) = self.plan.times.iter().find(|known| known.id == *id) else { return id.to_string() };
        let labels = |of: &[TimedHappening], join: &str| {
            of.iter().map(|one| one.label.en()).collect::<Vec<_>>().join(join)
        };
        let from = match time.from {
            TimeOrigin::Enrolment => "enrolment",
            TimeOrigin::FirstDose => "the first dose",
        };
        let events = labels(&time.events, " or ");
        let mut words = format!("{id}: days from {from} to {events}");
        if !time.censored_by.is_empty() {
            words = format!("{words}, censored by {}", labels(&time.censored_by, " or "));
        }
        if let Some(months) = time.cut_off_months {
            words = format!("{words}, data up to {months} months after the first entry");
        }
        words
    }
}

/// Decimals of a measure of a parameter. A relative change is printed with two.
pub(crate) fn precision_of(decimals: u32, measure: Measure) -> Precision {
    match measure {
        Measure::Value | Measure::Change => {
            Precision { value: decimals, summary: decimals + 1, spread: decimals + 1 }
        }
        Measure::RelativeChange => Precision { value: 2, summary: 2, spread: 2 },
        Measure::PercentChange => Precision { value: 1, summary: 1, spread: 1 },
    }
}

fn words_of(method: &Method) -> String {
    let quartiles = |quartiles: &Quartiles| match quartiles {
        Quartiles::Type2 => "quartiles of type 2",
        Quartiles::Type7 => "quartiles of type 7",
    };
    let two_sided = |rule: &TwoSided| match rule {
        TwoSided::AsFarFromMean => "two-sided: at least as far from the mean",
        TwoSided::TwiceSmallerTail => "two-sided: twice the smaller tail",
    };
    match method {
        Method::Describe { quartiles: kind } => format!("Descriptive statistics, {}", quartiles(kind)),
        Method::Count => "Counts".to_owned(),
        Method::PairedT { confidence } => format!("Paired t-test, confidence {confidence}"),
        Method::TwoSampleT { confidence, equal_variances: true } => {
            format!("Student's two-sample t-test with pooled variance, confidence {confidence}")
        }
        Method::TwoSampleT { confidence, equal_variances: false } => {
            format!("Welch's two-sample t-test, confidence {confidence}")
        }
        Method::SignedRank { zeros, two_sided: rule, confidence } => {
            let zeros = match zeros {
                Zeros::Dropped => "zeros dropped",
                Zeros::Pratt => "zeros ranked, then dropped (Pratt)",
            };
            format!("Exact signed rank test, {zeros}, {}, confidence {confidence}", two_sided(rule))
        }
        Method::RankSum { two_sided: rule, confidence, quartiles: kind } => format!(
            "Exact rank sum test with mid-ranks, {}; Hodges-Lehmann shift, confidence {confidence}; {}",
            two_sided(rule),
            quartiles(kind)
        ),
        Method::Fisher { confidence } => format!("Fisher's exact test, confidence {confidence}"),
        Method::Binomial { confidence, interval } => {
            methods::binomial_words(methods::Interval { confidence: *confidence, kind: *interval })
        }
        Method::BlindingIndex(options) => methods::blinding_index_words(options),
        Method::StoppingBoundary(options) => methods::stopping_boundary_words(options),
        Method::Agreement(options) => methods::agreement_words(options),
        Method::WeightedKappa(options) => methods::kappa_words(options),
        Method::Ancova(options) => methods::ancova_words(options),
        Method::Anova => "One-way analysis of variance".to_owned(),
        Method::ChiSquared { continuity_correction } => methods::chi_squared_words(*continuity_correction),
        Method::Cmh(options) => methods::cmh_words(options),
        Method::KaplanMeier(options) => methods::kaplan_meier_words(options),
        Method::LogRank(options) => methods::log_rank_words(options),
        Method::Cox(options) => methods::cox_words(options),
        Method::Mmrm(options) => methods::mmrm_words(options),
        Method::MultipleImputation(options) => methods::multiple_imputation_words(options),
        Method::PredictiveImputation(options) => methods::predictive_imputation_words(options),
    }
}

/// Returns the outcomes of a parameter at a visit as they were observed.
pub(crate) fn observed(
    data: &DataSets,
    population: &Population,
    parameter: &Parameter,
    visit: &terms::VisitId,
    measure: Measure,
) -> Outcomes {
    let missing = protocol::model::MissingRule::Observed;
    outcome::at_visit(
        data,
        population,
        AtVisit { parameter, visit, measure, missing, death: None, ranks: false },
    )
}
