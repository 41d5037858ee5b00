//! Multiple imputation of missing visits, analysis of covariance of one visit, and Rubin's rules.

use datasets::DataSets;
use protocol::model::{Imputation, MultipleImputation};
use statistics::{
    Confidence, NotEstimable,
    imputation::{
        Event, ImputationModel, Incomplete, IncompleteData, Pooled, PooledDegrees, Strategy, adjust_by_delta,
        draw_imputation, pool,
    },
    mixed::{Likelihood, Workspace},
    models::{Design, Term, Variable, linear_model},
};
use terms::Value;

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
    format!(
        "Multiple imputation from a mixed model ({}), {assumed}{delta}; {} draws by bootstrap, seed {}; analysis of covariance \
         pooled by Rubin's rules with Barnard and Rubin's degrees of freedom; confidence {}",
        model_words(&options.model),
        options.draws,
        options.seed,
        options.confidence
    )
}

/// Imputes, analyses, pools, and writes it down.
///
/// Keys: in all and by group `n` and `imputed` (participants without a value at the visit). By group `ls_mean`, its `_se`, `_lower`
/// and `_upper` (without groups in all, with `df t p missing_information`); by pair of groups, the first minus the second,
/// `difference se lower upper df t p missing_information`.
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
    let pooled = level.and_then(|level| pooled(population, data, frame, options, &contrasts, level));
    let one = |place: usize| pooled.as_ref().map(|all| all[place]).map_err(|reason| *reason);
    let put = |sheet: &mut Sheet<'_>, keys: [&str; 4], of: Of<'_>, one: Result<Pooled, NotEstimable>| {
        let (decimals, finer) = (frame.precision.summary(), Format::Decimals(frame.precision.summary + 1));
        let of_it = one.map(|one| one.coefficient);
        sheet.put(keys[0], of, of_it.map(|one| one.estimate), decimals, &rows);
        sheet.put(keys[1], of, of_it.map(|one| one.se), finer, &rows);
        sheet.put(keys[2], of, of_it.map(|one| one.interval.lower), decimals, &rows);
        sheet.put(keys[3], of, of_it.map(|one| one.interval.upper), decimals, &rows);
    };
    let test = |sheet: &mut Sheet<'_>, of: Of<'_>, one: Result<Pooled, NotEstimable>| {
        sheet.put("df", of, one.map(|one| one.df), Format::Decimals(1), &rows);
        sheet.put("t", of, one.map(|one| one.coefficient.t), Format::Decimals(2), &rows);
        sheet.put("p", of, one.map(|one| one.coefficient.p), Format::PValue, &rows);
        let missing = one.map(|one| one.missing_information);
        sheet.put("missing_information", of, missing, Format::Decimals(2), &rows);
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
    }
}

/// From the visit after the last value on, what is assumed of a participant; none where the last visit has one.
fn event(data: &DataSets, person: &Person, options: &MultipleImputation) -> Option<Event> {
    let visit = person.outcomes.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
    if visit == person.outcomes.len() {
        return None;
    }
    let reason =
        options.reason.as_ref().and_then(|name| data.subjects.cell(name, person.subject_row).level());
    let own = options.strategies.iter().find(|(code, _)| Some(code) == reason.as_ref());
    Some(Event { visit, strategy: strategy(own.map_or(options.strategy, |(_, own)| *own)) })
}

fn pooled(
    population: &Population,
    data: &DataSets,
    frame: &Repeated<'_>,
    options: &MultipleImputation,
    contrasts: &[Vec<f64>],
    level: Confidence,
) -> Result<Vec<Pooled>, NotEstimable> {
    let groups = population.groups.len();
    // The control group, or else the one that others are compared with.
    let reference = population.pairs().first().map_or(0, |(_, second)| *second);
    let mut incomplete = IncompleteData::new(frame.visits.len(), &frame.crossed(groups))?;
    for person in &frame.people {
        let own = person.group.unwrap_or(0);
        incomplete.push(Incomplete {
            covariates: &frame.covariates(groups, person, own),
            as_reference: &frame.covariates(groups, person, reference),
            responses: &person.outcomes,
            event: event(data, person, options),
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
    let variables: Vec<Variable<'_>> = columns.iter().map(|values| Variable::Covariate(values)).collect();
    let terms: Vec<Term> = (0..variables.len()).map(Term::main).collect();
    let design = match variables.is_empty() {
        true => Design::intercept_only(frame.people.len())?,
        false => Design::new(&variables, &terms)?,
    };
    let model = ImputationModel {
        covariance: covariance(options.model.covariance),
        likelihood: Likelihood::Restricted,
    };
    let delta = Value::Decimal(options.delta).as_f64().unwrap_or(0.0);
    let moved = |i: usize, _: usize| {
        let own = frame.people[i].group;
        if own.is_none() || own != Some(reference) { delta } else { 0.0 }
    };
    let mut space = Workspace::new();
    let mut estimates = vec![(Vec::new(), Vec::new()); contrasts.len()];
    for imputation in 0..options.draws as usize {
        let mut completed = draw_imputation(&mut space, &incomplete, model, options.seed, imputation)?;
        adjust_by_delta(&mut completed, &incomplete, moved);
        let outcomes: Vec<f64> = completed.at(frame.at).collect();
        let fit = linear_model(&design, &outcomes)?;
        for ((values, errors), contrast) in estimates.iter_mut().zip(contrasts) {
            let one = fit.linear_function(contrast, level)?;
            values.push(one.estimate);
            errors.push(one.se);
        }
    }
    let complete = (frame.people.len() - width) as f64;
    let degrees = PooledDegrees::BarnardRubin { complete };
    estimates.iter().map(|(values, errors)| pool(values, errors, degrees, level)).collect()
}
