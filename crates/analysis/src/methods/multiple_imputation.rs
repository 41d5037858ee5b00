//! Imputation of missing visits and analysis of covariance of one visit: from draws, pooled by Rubin's rules, or from
//! conditional means with the jackknife.

use datasets::DataSets;
use protocol::model::{Imputation, Imputing, MultipleImputation, ParameterSource};
use statistics::{
    Confidence, NotEstimable,
    imputation::{
        Completed, Event, ImputationModel, Incomplete, IncompleteData, ParameterDraw, PooledDegrees,
        Strategy, draw_imputation, jackknife, pool, tipping_point,
    },
    mixed::{Likelihood, Workspace},
    models::{Coefficient, Design, Term, Variable, linear_model},
};
use terms::{Decimal, Value};

use super::{
    confidence,
    repeated::{Person, Repeated, covariance, model_words},
};
use crate::{
    Format,
    population::Population,
    sheet::{ALL, Of, Sheet, group},
};

fn strategy(of: Imputation) -> Strategy {
    match of {
        Imputation::MissingAtRandom => Strategy::MissingAtRandom,
        Imputation::JumpToReference => Strategy::JumpToReference,
        Imputation::CopyReference => Strategy::CopyReference,
        Imputation::CopyIncrements => Strategy::CopyIncrements,
        Imputation::LastMeanCarried => Strategy::LastMeanCarried,
    }
}

fn strategy_words(of: Imputation) -> &'static str {
    match of {
        Imputation::MissingAtRandom => "missing at random",
        Imputation::JumpToReference => "jump to reference",
        Imputation::CopyReference => "copy reference",
        Imputation::CopyIncrements => "copy increments",
        Imputation::LastMeanCarried => "last mean carried",
    }
}

/// Says what the method does, with every option that changes a number.
pub(crate) fn words(options: &MultipleImputation) -> String {
    let mut assumed = strategy_words(options.strategy).to_owned();
    if let Some(reason) = &options.reason {
        for (code, own) in &options.strategies {
            assumed.push_str(&format!(", {} where {reason} is {code}", strategy_words(*own)));
        }
    }
    let delta = if options.delta.is_zero() {
        String::new()
    } else {
        format!("; {} added to imputed values outside the control group", options.delta)
    };
    let model = model_words(&options.model);
    let tipping = options.tipping_point.map_or(String::new(), |[from, to]| {
        format!("; tipping point looked for from {from} to {to} added outside the control group")
    });
    let imputed = match options.imputing {
        Imputing::Drawn { parameters, draws, seed } => {
            let parameters = match parameters {
                ParameterSource::Bootstrap => "bootstrap samples",
                ParameterSource::Normal => "the normal distribution of the fit",
            };
            format!(
                "{draws} draws with parameters from {parameters}, seed {seed}; analysis of covariance pooled by Rubin's rules \
                 with Barnard and Rubin's degrees of freedom"
            )
        }
        Imputing::ConditionalMean => {
            "missing values set to their conditional mean; analysis of covariance with jackknife \
                                      errors and the normal distribution"
                .to_owned()
        }
    };
    let start = match options.imputing {
        Imputing::Drawn { .. } => "Multiple imputation",
        Imputing::ConditionalMean => "Imputation",
    };
    format!(
        "{start} from a mixed model ({model}), {assumed}{delta}; {imputed}{tipping}; confidence {}",
        options.confidence
    )
}

/// An estimate with what draws add to it.
#[derive(Clone, Copy)]
struct Estimated {
    coefficient: Coefficient,
    /// Degrees of freedom and the fraction of missing information; none of the jackknife.
    of_draws: Option<(f64, f64)>,
}

/// Imputes, analyses, pools, and writes it down.
///
/// Keys: in all and by group `n` and `imputed` (participants without a value at the visit). By group `ls_mean`, its `_se`, `_lower`
/// and `_upper` (without groups in all, with `df t p missing_information`); by pair of groups, the first minus the second,
/// `difference se lower upper df t p missing_information`, and `tipping_point` where it is looked for: what must be added to imputed
/// values for the difference to gain or lose its significance. The jackknife has no `df` and no `missing_information`.
pub(crate) fn multiple_imputation(
    sheet: &mut Sheet<'_>,
    population: &Population,
    data: &DataSets,
    frame: &Repeated<'_>,
    options: &MultipleImputation,
) {
    let rows = [frame.place(sheet.row_sets, None)];
    for (place, id) in population.cuts() {
        let own = || frame.people.iter().filter(|person| place.is_none() || person.group == place);
        let place_of = [frame.place(sheet.row_sets, place)];
        sheet.put("n", group(id), own().count(), Format::Integer, &place_of);
        let imputed = own().filter(|person| person.outcomes[frame.at].is_none()).count();
        sheet.put("imputed", group(id), imputed, Format::Integer, &place_of);
    }
    // Contrasts of group means: each mean, then each pair's difference.
    let groups = population.groups.len();
    let pairs = population.pairs();
    let mut contrasts: Vec<Vec<f64>> = (0..groups.max(1)).map(|g| frame.average(groups, g)).collect();
    for (first, second) in &pairs {
        let difference = contrasts[*first].iter().zip(&contrasts[*second]).map(|(l, r)| l - r).collect();
        contrasts.push(difference);
    }
    let level = confidence(options.confidence);
    let reason_of = |person: &Person| {
        options.reason.as_ref().and_then(|name| data.subjects.cell(name, person.subject_row).level())
    };
    // The control group, or else the one that others are compared with.
    let compared = Compared { groups, reference: pairs.first().map_or(0, |(_, second)| *second) };
    let prepared =
        level.and_then(|level| Prepared::new(compared, &reason_of, frame, options, contrasts, level));
    let delta = Value::Decimal(options.delta).as_f64().unwrap_or(0.0);
    let estimated = prepared.as_ref().map_err(|reason| *reason).and_then(|own| own.estimates(delta));
    let one = |place: usize| estimated.as_ref().map(|all| all[place]).map_err(|reason| *reason);
    let put = |sheet: &mut Sheet<'_>, keys: [&str; 4], of: Of<'_>, one: Result<Estimated, NotEstimable>| {
        let (decimals, finer) = (frame.precision.summary(), Format::Decimals(frame.precision.summary + 1));
        let of_it = one.map(|one| one.coefficient);
        sheet.put(keys[0], of, of_it.map(|one| one.estimate), decimals, &rows);
        sheet.put(keys[1], of, of_it.map(|one| one.se), finer, &rows);
        sheet.put(keys[2], of, of_it.map(|one| one.interval.lower), decimals, &rows);
        sheet.put(keys[3], of, of_it.map(|one| one.interval.upper), decimals, &rows);
    };
    let drawn = matches!(options.imputing, Imputing::Drawn { .. });
    let test = |sheet: &mut Sheet<'_>, of: Of<'_>, one: Result<Estimated, NotEstimable>| {
        let of_draws = one.map(|one| one.of_draws.unwrap_or_default());
        if drawn {
            sheet.put("df", of, of_draws.map(|(df, _)| df), Format::Decimals(1), &rows);
        }
        sheet.put("t", of, one.map(|one| one.coefficient.t), Format::Decimals(2), &rows);
        sheet.put("p", of, one.map(|one| one.coefficient.p), Format::PValue, &rows);
        if drawn {
            let missing = of_draws.map(|(_, missing)| missing);
            sheet.put("missing_information", of, missing, Format::Decimals(2), &rows);
        }
    };
    let means = ["ls_mean", "ls_mean_se", "ls_mean_lower", "ls_mean_upper"];
    if groups == 0 {
        put(sheet, means, ALL, one(0));
        test(sheet, ALL, one(0));
    }
    for (place, own) in population.groups.iter().enumerate() {
        put(sheet, means, group(Some(&own.id)), one(place));
    }
    for (number, (first, second)) in pairs.iter().enumerate() {
        let of =
            Of { group: Some(&population.groups[*first].id), level: Some(&population.groups[*second].id) };
        put(sheet, ["difference", "se", "lower", "upper"], of, one(groups.max(1) + number));
        test(sheet, of, one(groups.max(1) + number));
        if let Some(range) = options.tipping_point {
            let own = prepared.as_ref().map_err(|reason| *reason);
            let tips = own.and_then(|own| own.tipping_point(groups.max(1) + number, range));
            sheet.put("tipping_point", of, tips, Format::Decimals(frame.precision.summary + 1), &rows);
        }
    }
}

/// How many groups there are, and which of them is the reference.
#[derive(Clone, Copy)]
struct Compared {
    groups: usize,
    reference: usize,
}

/// Imputes and compares two groups, the first minus the second, or estimates the mean of all, at the visit that is
/// analysed: the estimate, its interval and its p-value, where nobody has a reason for strategies of their own.
pub(crate) fn imputed_estimate(
    frame: &Repeated<'_>,
    options: &MultipleImputation,
    groups: usize,
    pair: Option<(usize, usize)>,
) -> Result<Coefficient, NotEstimable> {
    let contrast = match pair {
        Some((first, second)) => {
            let (left, right) = (frame.average(groups, first), frame.average(groups, second));
            left.iter().zip(&right).map(|(l, r)| l - r).collect()
        }
        None => frame.average(groups, 0),
    };
    let compared = Compared { groups, reference: pair.map_or(0, |(_, second)| second) };
    let level = confidence(options.confidence)?;
    let prepared = Prepared::new(compared, &|_| None, frame, options, vec![contrast], level)?;
    Ok(prepared.estimate(0, Value::Decimal(options.delta).as_f64().unwrap_or(0.0))?.coefficient)
}

/// From the visit after the last value on, what is assumed of a participant; none where the last visit has one.
fn event(reason: Option<String>, person: &Person, options: &MultipleImputation) -> Option<Event> {
    let visit = person.outcomes.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
    if visit == person.outcomes.len() {
        return None;
    }
    let own = options.strategies.iter().find(|(code, _)| Some(code) == reason.as_ref());
    Some(Event { visit, strategy: strategy(own.map_or(options.strategy, |(_, own)| *own)) })
}

/// Everything but what is added to imputed values: data, design, contrasts and, where there are some, draws.
struct Prepared<'a> {
    /// Who is moved by a delta.
    moved: Vec<bool>,
    at: usize,
    columns: Vec<Vec<f64>>,
    contrasts: Vec<Vec<f64>>,
    level: Confidence,
    incomplete: IncompleteData,
    model: ImputationModel,
    /// `None` for conditional means.
    draws: Option<Vec<Completed>>,
    frame: &'a Repeated<'a>,
}

impl<'a> Prepared<'a> {
    fn new(
        Compared { groups, reference }: Compared,
        reason_of: &dyn Fn(&Person) -> Option<String>,
        frame: &'a Repeated<'a>,
        options: &MultipleImputation,
        contrasts: Vec<Vec<f64>>,
        level: Confidence,
    ) -> Result<Self, NotEstimable> {
        let mut incomplete = IncompleteData::new(frame.visits.len(), &frame.crossed(groups))?;
        for person in &frame.people {
            let own = person.group.unwrap_or(0);
            incomplete.push(Incomplete {
                covariates: &frame.covariates(groups, person, own),
                as_reference: &frame.covariates(groups, person, reference),
                responses: &person.outcomes,
                event: event(reason_of(person), person, options),
                stratum: own,
            })?;
        }
        // The same columns explain the visit that is analysed; the constant is the design's own.
        let width = frame.crossed(groups).len();
        let mut columns = vec![Vec::with_capacity(frame.people.len()); width - 1];
        for person in &frame.people {
            let row = frame.covariates(groups, person, person.group.unwrap_or(0));
            for (column, value) in columns.iter_mut().zip(&row[1..]) {
                column.push(*value);
            }
        }
        let model = ImputationModel {
            covariance: covariance(options.model.covariance),
            likelihood: Likelihood::Restricted,
        };
        let draws = match options.imputing {
            Imputing::ConditionalMean => None,
            Imputing::Drawn { parameters, draws, seed } => {
                let from = match parameters {
                    ParameterSource::Bootstrap => ParameterDraw::Bootstrap,
                    ParameterSource::Normal => ParameterDraw::Normal,
                };
                let mut space = Workspace::new();
                let one = |number| draw_imputation(&mut space, &incomplete, model, from, seed, number);
                Some((0..draws as usize).map(one).collect::<Result<_, _>>()?)
            }
        };
        let moved = frame.people.iter().map(|one| one.group.is_none_or(|own| own != reference)).collect();
        Ok(Self { moved, at: frame.at, columns, contrasts, level, incomplete, model, draws, frame })
    }

    /// The design of the participants given.
    fn design<T>(
        &self,
        who: &[usize],
        use_it: impl FnOnce(&Design<'_>) -> Result<T, NotEstimable>,
    ) -> Result<T, NotEstimable> {
        let own: Vec<Vec<f64>> =
            self.columns.iter().map(|column| who.iter().map(|i| column[*i]).collect()).collect();
        let variables: Vec<Variable<'_>> = own.iter().map(|values| Variable::Covariate(values)).collect();
        let terms: Vec<Term> = (0..variables.len()).map(Term::main).collect();
        let design = match variables.is_empty() {
            true => Design::intercept_only(who.len())?,
            false => Design::new(&variables, &terms)?,
        };
        use_it(&design)
    }

    /// The outcomes at the visit that is analysed, with what is added to imputed ones.
    fn outcomes(&self, completed: &Completed, who: &[usize], delta: f64) -> Vec<f64> {
        let moved = |i: usize| self.moved[i] && self.incomplete.response(i, self.at).is_none();
        let add = |i: &usize| if moved(*i) { delta } else { 0.0 };
        completed.at(self.at).zip(who).map(|(value, i)| value + add(i)).collect()
    }

    /// The estimates of all contrasts, where `delta` is added to imputed values outside the control group.
    fn estimates(&self, delta: f64) -> Result<Vec<Estimated>, NotEstimable> {
        (0..self.contrasts.len()).map(|contrast| self.estimate(contrast, delta)).collect()
    }

    fn estimate(&self, contrast: usize, delta: f64) -> Result<Estimated, NotEstimable> {
        let (everybody, weights) = ((0..self.moved.len()).collect::<Vec<_>>(), &self.contrasts[contrast]);
        let Some(draws) = &self.draws else {
            let analyse = |completed: &Completed, who: &[usize]| {
                let outcomes = self.outcomes(completed, who, delta);
                self.design(who, |design| {
                    Ok(linear_model(design, &outcomes)?.linear_function(weights, self.level)?.estimate)
                })
            };
            let one = jackknife(&mut Workspace::new(), &self.incomplete, self.model, analyse)?;
            return Ok(Estimated { coefficient: one.coefficient(self.level)?, of_draws: None });
        };
        let (mut values, mut errors) = (Vec::new(), Vec::new());
        self.design(&everybody, |design| {
            for completed in draws {
                let outcomes = self.outcomes(completed, &everybody, delta);
                let one = linear_model(design, &outcomes)?.linear_function(weights, self.level)?;
                values.push(one.estimate);
                errors.push(one.se);
            }
            Ok(())
        })?;
        let complete = (self.frame.people.len() - self.columns.len() - 1) as f64;
        let one = pool(&values, &errors, PooledDegrees::BarnardRubin { complete }, self.level)?;
        Ok(Estimated { coefficient: one.coefficient, of_draws: Some((one.df, one.missing_information)) })
    }

    /// Where, from the first end of the range on, a difference gains or loses its significance at one minus the confidence.
    fn tipping_point(&self, contrast: usize, range: [Decimal; 2]) -> Result<f64, NotEstimable> {
        let [from, to] = range.map(|end| Value::Decimal(end).as_f64().unwrap_or(f64::NAN));
        let alpha = 2.0 * self.level.tail();
        let conclusion = |delta: f64| {
            let one = self.estimate(contrast, delta)?.coefficient;
            Ok((one.p < alpha).then_some(one.estimate > 0.0))
        };
        let first = conclusion(from)?;
        let tips =
            tipping_point(from, to, (to - from).abs() * 1e-6, |delta| Ok(conclusion(delta)? == first))?;
        tips.ok_or(NotEstimable::NoTippingPoint)
    }
}
