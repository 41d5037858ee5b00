//! Mixed models for repeated measures.

use super::formula::{Frame, LevelOrder};
use super::inputs::{Inputs, wrong};
use super::outputs::Outputs;
use super::{Computed, Unsupported};
use crate::mixed::{
    Covariance, DegreesOfFreedom, DesignPanel, Fit, Likelihood, MixedEstimate, MixedModel, Rows, Sandwich,
    Workspace, mixed_model,
};
use crate::models::{Design, LsWeights, mean_weights};
use crate::{Confidence, NotEstimable};

const VARIANTS: [(&str, DegreesOfFreedom, Option<Sandwich>); 7] = [
    ("satterthwaite", DegreesOfFreedom::Satterthwaite, None),
    ("kenward_roger", DegreesOfFreedom::KenwardRogerSecondOrder, None),
    ("kenward_roger_linear_SAS", DegreesOfFreedom::KenwardRoger, None),
    ("between_within", DegreesOfFreedom::BetweenWithin, None),
    ("empirical", DegreesOfFreedom::Satterthwaite, Some(Sandwich::Unadjusted)),
    ("empirical_bias_reduced", DegreesOfFreedom::Satterthwaite, Some(Sandwich::BiasReduced)),
    ("empirical_jackknife", DegreesOfFreedom::Satterthwaite, Some(Sandwich::Jackknife)),
];

/// Data, design and participants of one case.
struct Case<'a> {
    frame: &'a Frame,
    design: &'a Design<'a>,
    data: &'a DesignPanel,
    treatment: (usize, &'a [String]),
    visit: (usize, &'a [String]),
}

pub(super) fn mmrm(input: Inputs<'_>) -> Result<Computed, Unsupported> {
    let name = input.text("response")?;
    let covariance = Covariance::from_short_name(input.text("covariance")?)
        .ok_or_else(|| wrong("covariance", "the name of a covariance structure"))?;
    let likelihood = if input.flag_or("reml", true)? { Likelihood::Restricted } else { Likelihood::Full };
    let frame = Frame::read(input, input.text("rhs")?, &[name, "id"], LevelOrder::Appearance)?;
    let all = input.object("data")?.series(name)?;
    let responses: Vec<f64> = frame.rows.iter().filter_map(|i| all[*i]).collect();
    let factor = |name: &str| -> Result<_, Unsupported> {
        let variable = frame.variable(name).ok_or_else(|| wrong("rhs", "a formula with trt and visit"))?;
        let (names, codes) = frame.factor(variable).ok_or_else(|| wrong(name, "a list of texts"))?;
        Ok((variable, names, codes))
    };
    let (treatment, visit) = (factor("trt")?, factor("visit")?);
    let participants = participants(input, &frame.rows)?;
    let mut out = Outputs::default();
    let design = match frame.design() {
        Ok(design) => design,
        Err(reason) => return Ok(refused(reason)),
    };
    let rows = Rows { participants: &participants, visits: visit.2, groups: None };
    let data = match DesignPanel::new(&design, Some(visit.0), rows, &responses) {
        Ok(data) => data,
        Err(reason) => return Ok(refused(reason)),
    };
    let case = Case {
        frame: &frame,
        design: &design,
        data: &data,
        treatment: (treatment.0, treatment.1),
        visit: (visit.0, visit.1),
    };
    let mut space = Workspace::new();
    let model = MixedModel {
        covariance,
        by_group: false,
        likelihood,
        degrees: DegreesOfFreedom::Satterthwaite,
        sandwich: None,
    };
    let mut tests = Outputs::default();
    for (key, degrees, sandwich) in VARIANTS {
        if key.starts_with("kenward") && likelihood == Likelihood::Full {
            continue;
        }
        let mut fit = match mixed_model(&mut space, &data.panel, MixedModel { degrees, sandwich, ..model }) {
            Ok(fit) => fit,
            // A leverage of one leaves the fit without adjusted sandwich, but not without the rest.
            Err(reason) if sandwich.is_some() => {
                out.put(key, Err::<f64, _>(reason));
                continue;
            }
            Err(reason) => return Ok(refused(reason)),
        };
        if key == VARIANTS[0].0 {
            case.put_fit(&mut out, &mut fit);
        }
        out.put(key, case.variant(&mut fit));
        tests.put(key, case.interaction_test(&mut fit));
    }
    out.put("F_trt_by_visit", tests);
    Ok(out.done())
}

/// Every part without numbers, and why.
fn refused(reason: NotEstimable) -> Computed {
    let mut out = Outputs::default();
    let parts = [
        "n_subjects",
        "n_obs",
        "neg2loglik",
        "aic",
        "bic",
        "n_cov_params",
        "cov_matrix",
        "terms",
        "beta",
        "F_trt_by_visit",
    ];
    for key in parts.into_iter().chain(VARIANTS.map(|(key, _, _)| key)) {
        out.put(key, Err::<f64, _>(reason));
    }
    out.done()
}

/// The participant of each row, numbered in the order in which they appear.
fn participants(input: Inputs<'_>, rows: &[usize]) -> Result<Vec<usize>, Unsupported> {
    let ids = input.object("data")?.value("id")?.as_array().ok_or_else(|| wrong("id", "a list"))?;
    let mut seen = std::collections::BTreeMap::new();
    let number = |i: &usize| {
        let next = seen.len();
        *seen.entry(ids[*i].to_string()).or_insert(next)
    };
    Ok(rows.iter().map(number).collect())
}

fn lists(estimates: &[MixedEstimate], part: &mut Outputs) {
    let each = |get: fn(&MixedEstimate) -> f64| estimates.iter().map(get).collect::<Vec<_>>();
    part.put("est", each(|e| e.coefficient.estimate))
        .put("se", each(|e| e.coefficient.se))
        .put("df", each(|e| e.df))
        .put("lower", each(|e| e.coefficient.interval.lower))
        .put("upper", each(|e| e.coefficient.interval.upper));
}

impl Case<'_> {
    fn put_fit(&self, out: &mut Outputs, fit: &mut Fit<'_>) {
        let visits = self.visit.1.len();
        let row = |s| (0..visits).map(|t| fit.covariance(0, s, t)).collect::<Vec<_>>();
        out.put("n_subjects", fit.participants())
            .put("n_obs", fit.observations())
            .put("neg2loglik", fit.minus_twice_log_likelihood())
            .put("aic", fit.aic())
            .put("bic", fit.bic())
            .put("n_cov_params", fit.covariance_parameters())
            .put("cov_matrix", (0..visits).map(row).collect::<Vec<_>>())
            .put("terms", self.frame.column_names(self.design));
        let beta = self.coefficients(fit).iter().map(|e| e.coefficient.estimate).collect::<Vec<_>>();
        out.put("beta", beta);
    }

    fn coefficients(&self, fit: &mut Fit<'_>) -> Vec<MixedEstimate> {
        (0..self.data.columns()).map(|j| self.data.coefficient(fit, j, Confidence::C95)).collect()
    }

    fn variant(&self, fit: &mut Fit<'_>) -> Result<Outputs, NotEstimable> {
        let coefficients = self.coefficients(fit);
        let each = |get: fn(&MixedEstimate) -> f64| coefficients.iter().map(get).collect::<Vec<_>>();
        let mut part = Outputs::default();
        part.put("se", each(|e| e.coefficient.se))
            .put("df", each(|e| e.df))
            .put("t", each(|e| e.coefficient.t))
            .put("p", each(|e| e.coefficient.p));
        let ((treatment, arms), (visit, visits)) = (self.treatment, self.visit);
        let (mut means, mut contrasts) = (Vec::new(), Vec::new());
        let (mut of_arm, mut of_visit) = (Vec::new(), Vec::new());
        for (v, visit_name) in visits.iter().enumerate() {
            let mut rows = Vec::new();
            for (a, arm) in arms.iter().enumerate() {
                let row = mean_weights(self.design, &[(treatment, a), (visit, v)], LsWeights::Equal)?;
                means.push(fit.linear_function(&self.data.weights(&row), Confidence::C95));
                rows.push(row);
                of_arm.push(arm.clone());
                of_visit.push(visit_name.clone());
            }
            let first = rows[0].clone();
            let difference: Vec<f64> = rows[arms.len() - 1].iter().zip(&first).map(|(l, f)| l - f).collect();
            contrasts.push(fit.linear_function(&self.data.weights(&difference), Confidence::C95));
        }
        let mut of_means = Outputs::default();
        of_means.put("trt", of_arm).put("visit", of_visit);
        lists(&means, &mut of_means);
        part.put("lsmeans", of_means);
        let mut of_contrasts = Outputs::default();
        of_contrasts.put("visit", visits.to_vec());
        lists(&contrasts, &mut of_contrasts);
        of_contrasts
            .put("t", contrasts.iter().map(|e| e.coefficient.t).collect::<Vec<_>>())
            .put("p", contrasts.iter().map(|e| e.coefficient.p).collect::<Vec<_>>());
        part.put("contrast_trt_last_minus_first", of_contrasts);
        Ok(part)
    }

    /// That all coefficients of the product of treatment and visit are zero.
    fn interaction_test(&self, fit: &mut Fit<'_>) -> Result<Outputs, NotEstimable> {
        let mut pair = [self.treatment.0, self.visit.0];
        pair.sort_unstable();
        let term = self.design.terms().iter().position(|t| t.variables() == pair);
        let term = term.ok_or(NotEstimable::OutOfRange { name: "treatment by visit" })?;
        let weights: Vec<Vec<f64>> = self
            .design
            .columns_of(term)
            .map(|j| {
                let mut one = vec![0.0; self.data.columns()];
                one[j] = 1.0;
                self.data.weights(&one)
            })
            .collect();
        let test = fit.joint_test(&weights)?;
        let mut part = Outputs::default();
        part.put("F", test.f)
            .put("num_df", test.df_numerator as usize)
            .put("denom_df", test.df_denominator)
            .put("p", test.p);
        Ok(part)
    }
}
