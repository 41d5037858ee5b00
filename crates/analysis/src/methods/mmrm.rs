//! Mixed model for repeated measures: means and differences at each visit.

use protocol::model::{DegreesOfFreedom, MixedErrors, Mmrm};
use statistics::{
    Confidence, NotEstimable,
    mixed::{self, Fit, Likelihood, MixedEstimate, MixedModel, Panel, Sandwich, Workspace, mixed_model},
};

use super::{
    confidence,
    repeated::{Repeated, covariance, model_words},
};
use crate::{
    Format,
    population::Population,
    sheet::{ALL, Of, Sheet, group},
};

/// Says what the method does, with every option that changes a number.
pub(crate) fn words(options: &Mmrm) -> String {
    let likelihood = if options.restricted { "restricted" } else { "full" };
    let by_group = if options.covariance_by_group { " by group" } else { "" };
    let degrees = match options.degrees_of_freedom {
        DegreesOfFreedom::KenwardRoger => "Kenward-Roger (linear)",
        DegreesOfFreedom::KenwardRogerSecondOrder => "Kenward-Roger (second order)",
        DegreesOfFreedom::Satterthwaite => "Satterthwaite",
        DegreesOfFreedom::BetweenWithin => "between-within",
        DegreesOfFreedom::Residual => "residual",
    };
    let errors = match options.errors {
        MixedErrors::Model => "",
        MixedErrors::Sandwich => ", sandwich errors",
        MixedErrors::BiasReduced => ", bias-reduced sandwich errors",
        MixedErrors::Jackknife => ", jackknife sandwich errors",
    };
    format!(
        "Mixed model for repeated measures, {}{by_group}; {likelihood} likelihood; {degrees} degrees of freedom{errors}; confidence {}",
        model_words(&options.model),
        options.confidence
    )
}

/// The model of the statistics crate.
pub(crate) fn model(options: &Mmrm) -> MixedModel {
    MixedModel {
        covariance: covariance(options.model.covariance),
        by_group: options.covariance_by_group,
        likelihood: if options.restricted { Likelihood::Restricted } else { Likelihood::Full },
        degrees: match options.degrees_of_freedom {
            DegreesOfFreedom::KenwardRoger => mixed::DegreesOfFreedom::KenwardRoger,
            DegreesOfFreedom::KenwardRogerSecondOrder => mixed::DegreesOfFreedom::KenwardRogerSecondOrder,
            DegreesOfFreedom::Satterthwaite => mixed::DegreesOfFreedom::Satterthwaite,
            DegreesOfFreedom::BetweenWithin => mixed::DegreesOfFreedom::BetweenWithin,
            DegreesOfFreedom::Residual => mixed::DegreesOfFreedom::Residual,
        },
        sandwich: match options.errors {
            MixedErrors::Model => None,
            MixedErrors::Sandwich => Some(Sandwich::Unadjusted),
            MixedErrors::BiasReduced => Some(Sandwich::BiasReduced),
            MixedErrors::Jackknife => Some(Sandwich::Jackknife),
        },
    }
}

fn panel(frame: &Repeated<'_>, groups: usize) -> Result<Panel, NotEstimable> {
    let mut panel = Panel::new(frame.visits.len(), &frame.crossed(groups))?;
    panel.set_intercept(0);
    for person in &frame.people {
        let own = person.group.unwrap_or(0);
        panel.push(&frame.covariates(groups, person, own), &person.outcomes, own)?;
    }
    Ok(panel)
}

/// Fits the model and writes it down.
///
/// Keys: in all `n observations minus_2_log_likelihood`; by group `n` and, at the analysis' visit, `ls_mean ls_mean_se
/// ls_mean_lower ls_mean_upper` (without groups these in all, with `df t p` against zero), and over all visits `average_mean
/// average_mean_se`; by pair of groups, the first minus
/// the second, `difference se lower upper df t p` at that visit and `average_difference average_se average_lower
/// average_upper average_p` over all visits of the model; by visit, `visit_mean visit_mean_se` of each group and, between
/// the first pair of groups, `visit_difference visit_se visit_lower visit_upper visit_p`.
pub(crate) fn mmrm(sheet: &mut Sheet<'_>, population: &Population, frame: &Repeated<'_>, options: &Mmrm) {
    let groups = population.groups.len();
    let mut space = Workspace::new();
    let fitted = panel(frame, groups).and_then(|panel| {
        let level = confidence(options.confidence)?;
        Ok((mixed_model(&mut space, &panel, model(options))?, level))
    });
    let rows = [frame.place(sheet.row_sets, None)];
    let mut written = Written { fitted, frame, groups, rows };
    for (place, id) in population.cuts() {
        let n = frame.people.iter().filter(|person| place.is_none() || person.group == place).count();
        let own = [frame.place(sheet.row_sets, place)];
        sheet.put("n", group(id), n, Format::Integer, &own);
    }
    let observations = frame.people.iter().flat_map(|person| person.outcomes.iter().flatten()).count();
    sheet.put("observations", ALL, observations, Format::Integer, &rows);
    let value = written.fitted.as_ref().map(|(fit, _)| fit.minus_twice_log_likelihood()).map_err(|e| *e);
    sheet.put("minus_2_log_likelihood", ALL, value, Format::Decimals(2), &rows);
    written.put_means(sheet, population);
    written.put_differences(sheet, population);
}

struct Written<'a, 'w> {
    fitted: Result<(Fit<'w>, Confidence), NotEstimable>,
    frame: &'a Repeated<'a>,
    groups: usize,
    rows: [usize; 1],
}

type Estimated = Result<MixedEstimate, NotEstimable>;

impl Written<'_, '_> {
    fn estimate(&mut self, weights: &[f64]) -> Estimated {
        let (fit, level) = self.fitted.as_mut().map_err(|reason| *reason)?;
        Ok(fit.linear_function(weights, *level))
    }

    /// The weights of a group's mean at a visit; `share` of them.
    fn mean_weights(&self, group: usize, visit: usize, share: f64) -> Vec<f64> {
        let row = self.frame.average(self.groups, group);
        let mut weights = vec![0.0; self.frame.visits.len() * row.len()];
        for (weight, value) in weights[visit * row.len()..].iter_mut().zip(&row) {
            *weight = share * value;
        }
        weights
    }

    fn difference(&mut self, first: usize, second: usize, visits: &[usize]) -> Estimated {
        let share = 1.0 / visits.len() as f64;
        let mut weights = Vec::new();
        for visit in visits {
            let (left, right) =
                (self.mean_weights(first, *visit, share), self.mean_weights(second, *visit, share));
            weights.resize(left.len(), 0.0);
            for (weight, (l, r)) in weights.iter_mut().zip(left.iter().zip(&right)) {
                *weight += l - r;
            }
        }
        self.estimate(&weights)
    }

    fn put_means(&mut self, sheet: &mut Sheet<'_>, population: &Population) {
        let ids: Vec<Option<&str>> = match population.groups.is_empty() {
            true => vec![None],
            false => population.groups.iter().map(|level| Some(level.id.as_str())).collect(),
        };
        for (place, id) in ids.iter().enumerate() {
            let at = self.frame.at;
            let mean = self.estimate(&self.mean_weights(place, at, 1.0));
            let keys = ["ls_mean", "ls_mean_se", "ls_mean_lower", "ls_mean_upper"];
            self.put(sheet, keys, group(*id), mean);
            if id.is_none() {
                self.put_test(sheet, ["df", "t", "p"], ALL, mean);
            }
            for (visit, name) in self.frame.visits.iter().enumerate() {
                let mean = self.estimate(&self.mean_weights(place, visit, 1.0));
                let of = Of { group: *id, level: Some(name) };
                let (decimals, finer) = self.decimals();
                sheet.put("visit_mean", of, mean.map(|one| one.coefficient.estimate), decimals, &self.rows);
                sheet.put("visit_mean_se", of, mean.map(|one| one.coefficient.se), finer, &self.rows);
            }
            let count = self.frame.visits.len();
            let mut weights = self.mean_weights(place, 0, 1.0 / count as f64);
            for visit in 1..count {
                let own = self.mean_weights(place, visit, 1.0 / count as f64);
                for (weight, one) in weights.iter_mut().zip(own) {
                    *weight += one;
                }
            }
            let average = self.estimate(&weights);
            let (decimals, finer) = self.decimals();
            let of = group(*id);
            sheet.put("average_mean", of, average.map(|one| one.coefficient.estimate), decimals, &self.rows);
            sheet.put("average_mean_se", of, average.map(|one| one.coefficient.se), finer, &self.rows);
        }
    }

    fn put_differences(&mut self, sheet: &mut Sheet<'_>, population: &Population) {
        let all: Vec<usize> = (0..self.frame.visits.len()).collect();
        for (number, (first, second)) in population.pairs().into_iter().enumerate() {
            let of =
                Of { group: Some(&population.groups[first].id), level: Some(&population.groups[second].id) };
            let at = self.difference(first, second, &[self.frame.at]);
            self.put(sheet, ["difference", "se", "lower", "upper"], of, at);
            self.put_test(sheet, ["df", "t", "p"], of, at);
            let average = self.difference(first, second, &all);
            let keys = ["average_difference", "average_se", "average_lower", "average_upper"];
            self.put(sheet, keys, of, average);
            let p = average.map(|one| one.coefficient.p);
            sheet.put("average_p", of, p, Format::PValue, &self.rows);
            if number > 0 {
                continue;
            }
            for (visit, name) in self.frame.visits.iter().enumerate() {
                let one = self.difference(first, second, &[visit]);
                let of = Of { group: None, level: Some(name) };
                self.put(sheet, ["visit_difference", "visit_se", "visit_lower", "visit_upper"], of, one);
                let p = one.map(|one| one.coefficient.p);
                sheet.put("visit_p", of, p, Format::PValue, &self.rows);
            }
        }
    }

    /// Decimals of estimates, and of their errors, which have one more.
    fn decimals(&self) -> (Format, Format) {
        let precision = self.frame.precision;
        (precision.summary(), Format::Decimals(precision.summary + 1))
    }

    fn put(&self, sheet: &mut Sheet<'_>, keys: [&str; 4], of: Of<'_>, one: Estimated) {
        let (decimals, finer) = self.decimals();
        let one = one.map(|one| one.coefficient);
        sheet.put(keys[0], of, one.map(|one| one.estimate), decimals, &self.rows);
        sheet.put(keys[1], of, one.map(|one| one.se), finer, &self.rows);
        sheet.put(keys[2], of, one.map(|one| one.interval.lower), decimals, &self.rows);
        sheet.put(keys[3], of, one.map(|one| one.interval.upper), decimals, &self.rows);
    }

    fn put_test(&self, sheet: &mut Sheet<'_>, keys: [&str; 3], of: Of<'_>, one: Estimated) {
        sheet.put(keys[0], of, one.map(|one| one.df), Format::Decimals(1), &self.rows);
        sheet.put(keys[1], of, one.map(|one| one.coefficient.t), Format::Decimals(2), &self.rows);
        sheet.put(keys[2], of, one.map(|one| one.coefficient.p), Format::PValue, &self.rows);
    }
}
