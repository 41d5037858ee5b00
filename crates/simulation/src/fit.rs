//! Calibration: inputs of a virtual cohort that bring simulated summaries near published ones.
//!
//! The summaries are those of the outcomes of one analysis, pooled over many trials; the same random streams
//! serve every try, so that the misfit is a function of the inputs. It is made small by the method of Nelder
//! and Mead (Computer Journal 1965;7:308), which needs no derivatives, within the bounds of each input. What
//! remains of the misfit is reported target by target: two targets may contradict each other.

use std::str::FromStr;

use protocol::Study;
use serde::Serialize;
use terms::AnalysisId;

use crate::{
    campaign::pooled,
    fast::{FastPlan, NotFast, Workspace},
    scenario::{self, SettingError},
};

/// Why nothing can be fitted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FitError {
    /// An input that is to be free can't be set.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// The analysis can't be simulated.
    #[error(transparent)]
    NotFast(#[from] NotFast),
    /// Nothing is left of the outcomes to summarise.
    #[error("no participant has an outcome under these inputs")]
    NoOutcomes,
    /// Text that says nothing.
    #[error("`{text}` is not understood; write {expected}")]
    NotUnderstood {
        /// The text.
        text: String,
        /// What to write.
        expected: &'static str,
    },
}

/// An input that is free between two bounds: `skin.course.intercept=-6..2`.
#[derive(Clone, Debug, PartialEq)]
pub struct Free {
    /// The input's key.
    pub key: String,
    /// Its least value.
    pub low: f64,
    /// Its greatest value.
    pub high: f64,
}

impl FromStr for Free {
    type Err = FitError;

    fn from_str(text: &str) -> Result<Self, FitError> {
        let fault = || FitError::NotUnderstood { text: text.to_owned(), expected: "KEY=LOW..HIGH" };
        let (key, bounds) = text.split_once('=').ok_or_else(fault)?;
        let (low, high) = bounds.split_once("..").ok_or_else(fault)?;
        let (low, high): (f64, f64) = (low.parse().map_err(|_| fault())?, high.parse().map_err(|_| fault())?);
        if low < high { Ok(Self { key: key.trim().to_owned(), low, high }) } else { Err(fault()) }
    }
}

/// A summary of a group's outcomes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Summary {
    /// The mean.
    Mean,
    /// The standard deviation.
    Sd,
    /// The median.
    Median,
    /// The share at or below a value.
    ShareAtMost(f64),
}

/// A published summary that the simulated one is to come near: `mean=-6.6`, `second.sd=8.2`,
/// `share_at_most:-5=0.24`.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// As it was written.
    pub text: String,
    /// Of the second group rather than the first.
    second: bool,
    summary: Summary,
    value: f64,
}

impl FromStr for Target {
    type Err = FitError;

    fn from_str(text: &str) -> Result<Self, FitError> {
        let fault = || FitError::NotUnderstood {
            text: text.to_owned(),
            expected: "mean=, sd=, median= or share_at_most:X= with a number, after `second.` of the second group",
        };
        let (name, value) = text.split_once('=').ok_or_else(fault)?;
        let (second, name) = name.strip_prefix("second.").map_or((false, name), |name| (true, name));
        let summary = match (name, name.strip_prefix("share_at_most:")) {
            ("mean", _) => Summary::Mean,
            ("sd", _) => Summary::Sd,
            ("median", _) => Summary::Median,
            (_, Some(limit)) => Summary::ShareAtMost(limit.parse().map_err(|_| fault())?),
            _ => return Err(fault()),
        };
        let value = value.parse().map_err(|_| fault())?;
        Ok(Self { text: text.to_owned(), second, summary, value })
    }
}

/// A summary beside its target.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Misfit {
    /// The target as it was written.
    pub target: String,
    /// What was to be met.
    pub wanted: f64,
    /// What the fitted cohort gives.
    pub found: f64,
    /// Its Monte Carlo standard error.
    pub mc_se: f64,
}

/// A calibrated cohort.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Fitted {
    /// The drug effect in force.
    pub effect: String,
    /// The setting of the natural course in force.
    pub setting: String,
    /// Inputs with their fitted values, as `--set` takes them.
    pub set: Vec<String>,
    /// Each target with what is left of the misfit.
    pub targets: Vec<Misfit>,
    /// Root of the mean square of the relative misfits.
    pub misfit: f64,
    /// Tries that it took.
    pub tries: usize,
    /// Whether the search came to rest, rather than to the end of its tries.
    pub converged: bool,
    /// Participants behind each summary.
    pub participants: usize,
}

/// A calibration in hand.
#[derive(Clone, Debug)]
pub struct Fit<'a> {
    /// The study.
    pub study: &'a Study,
    /// The analysis whose outcomes are summarised.
    pub analysis: AnalysisId,
    /// What may change.
    pub free: Vec<Free>,
    /// What is to be met.
    pub targets: Vec<Target>,
    /// Trials of each try.
    pub trials: u64,
    /// The seed.
    pub seed: u64,
}

const TRIES_MAX: usize = 400;
/// A simplex whose misfits differ by less than this has come to rest.
const REST: f64 = 1e-7;

impl Fit<'_> {
    /// Looks for the inputs with the least misfit.
    ///
    /// # Errors
    /// An input can't be set, or nothing can be simulated.
    pub fn run(&self) -> Result<Fitted, FitError> {
        let mut tries = 0;
        let mut space = Workspace::default();
        let mut cost = |place: &[f64]| -> Result<f64, FitError> {
            tries += 1;
            Ok(self.misfit(&self.summaries(place, &mut space)?.0))
        };
        let (best, converged) = nelder_mead(self.free.len(), &mut cost)?;
        let (found, participants) = self.summaries(&best, &mut space)?;
        let virtuals = &self.study.virtual_cohort;
        Ok(Fitted {
            effect: virtuals.effect.clone(),
            setting: virtuals.setting.clone(),
            set: self.sets(&best),
            targets: self
                .targets
                .iter()
                .zip(&found)
                .map(|(target, found)| Misfit {
                    target: target.text.clone(),
                    wanted: target.value,
                    found: found.value,
                    mc_se: found.mc_se,
                })
                .collect(),
            misfit: self.misfit(&found),
            tries,
            converged,
            participants,
        })
    }

    fn sets(&self, place: &[f64]) -> Vec<String> {
        let value = |free: &Free, share: f64| free.low + share.clamp(0.0, 1.0) * (free.high - free.low);
        self.free
            .iter()
            .zip(place)
            .map(|(free, share)| format!("{}={:.6}", free.key, value(free, *share)))
            .collect()
    }

    fn summaries(&self, place: &[f64], space: &mut Workspace) -> Result<(Vec<Summarised>, usize), FitError> {
        let mut study = self.study.clone();
        for set in self.sets(place) {
            scenario::set_from_text(&mut study, &set)?;
        }
        let plan = FastPlan::compile(&study, std::slice::from_ref(&self.analysis))?;
        let mut groups = pooled(&plan, self.seed, self.trials, space).swap_remove(0);
        groups.iter_mut().for_each(|group| group.values.sort_unstable_by(f64::total_cmp));
        let summaries = self.targets.iter().map(|target| {
            summarise(&groups[usize::from(target.second)].values, target.summary).ok_or(FitError::NoOutcomes)
        });
        let participants = groups[0].values.len() + groups[1].values.len();
        Ok((summaries.collect::<Result<_, _>>()?, participants))
    }

    /// Misfits count relative to their target; one of a target near 0 as it is.
    fn misfit(&self, found: &[Summarised]) -> f64 {
        let squares = self
            .targets
            .iter()
            .zip(found)
            .map(|(target, found)| ((found.value - target.value) / target.value.abs().max(0.1)).powi(2));
        (squares.sum::<f64>() / self.targets.len().max(1) as f64).sqrt()
    }
}

/// A summary with its Monte Carlo standard error, participants taken as independent.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Summarised {
    value: f64,
    mc_se: f64,
}

fn summarise(sorted: &[f64], summary: Summary) -> Option<Summarised> {
    let n = sorted.len() as f64;
    if sorted.is_empty() {
        return None;
    }
    let mean = sorted.iter().sum::<f64>() / n;
    let moment = |power: i32| sorted.iter().map(|value| (value - mean).powi(power)).sum::<f64>();
    let sd = (moment(2) / (n - 1.0).max(1.0)).sqrt();
    Some(match summary {
        Summary::Mean => Summarised { value: mean, mc_se: sd / n.sqrt() },
        // Of the variance it is the root of (fourth moment less squared variance) over n.
        Summary::Sd => {
            let of_variance = ((moment(4) / n - sd.powi(4)).max(0.0) / n).sqrt();
            Summarised { value: sd, mc_se: if sd > 0.0 { of_variance / (2.0 * sd) } else { 0.0 } }
        }
        // Half of what lies between the numbers a standard error of their count away from the middle.
        Summary::Median => {
            let middle = sorted.len() / 2;
            let value = if sorted.len() % 2 == 1 {
                sorted[middle]
            } else {
                (sorted[middle - 1] + sorted[middle]) / 2.0
            };
            let away = (n.sqrt() / 2.0).ceil() as usize;
            let (low, high) = (middle.saturating_sub(away), (middle + away).min(sorted.len() - 1));
            Summarised { value, mc_se: (sorted[high] - sorted[low]) / 2.0 }
        }
        Summary::ShareAtMost(limit) => {
            let value = sorted.partition_point(|value| *value <= limit) as f64 / n;
            Summarised { value, mc_se: (value * (1.0 - value) / n).sqrt() }
        }
    })
}

/// Nelder and Mead's simplex in the unit cube, from its middle. Says whether it came to rest.
fn nelder_mead<E>(
    inputs: usize,
    cost: &mut dyn FnMut(&[f64]) -> Result<f64, E>,
) -> Result<(Vec<f64>, bool), E> {
    let mut simplex: Vec<(Vec<f64>, f64)> = Vec::new();
    for corner in 0..=inputs {
        let mut place = vec![0.5; inputs];
        if corner > 0 {
            place[corner - 1] = 0.75;
        }
        let height = cost(&place)?;
        simplex.push((place, height));
    }
    let mut tries = simplex.len();
    while tries < TRIES_MAX && inputs > 0 {
        simplex.sort_by(|a, b| a.1.total_cmp(&b.1));
        let (best, second, worst) = (simplex[0].1, simplex[inputs - 1].1, simplex[inputs].1);
        if worst - best < REST {
            return Ok((simplex.swap_remove(0).0, true));
        }
        let middle: Vec<f64> = (0..inputs)
            .map(|axis| simplex[..inputs].iter().map(|corner| corner.0[axis]).sum::<f64>() / inputs as f64)
            .collect();
        let towards = |step: f64, from: &[f64]| -> Vec<f64> {
            middle
                .iter()
                .zip(from)
                .map(|(middle, from)| (middle + step * (from - middle)).clamp(0.0, 1.0))
                .collect()
        };
        let reflected = towards(-1.0, &simplex[inputs].0);
        let height = cost(&reflected)?;
        tries += 1;
        let next = if height < best {
            let expanded = towards(-2.0, &simplex[inputs].0);
            let further = cost(&expanded)?;
            tries += 1;
            Some(if further < height { (expanded, further) } else { (reflected, height) })
        } else if height < second {
            Some((reflected, height))
        } else {
            let contracted = towards(if height < worst { -0.5 } else { 0.5 }, &simplex[inputs].0);
            let nearer = cost(&contracted)?;
            tries += 1;
            (nearer < height.min(worst)).then_some((contracted, nearer))
        };
        match next {
            Some(corner) => simplex[inputs] = corner,
            None => {
                let best = simplex[0].0.clone();
                for corner in &mut simplex[1..] {
                    for (own, best) in corner.0.iter_mut().zip(&best) {
                        *own = best + 0.5 * (*own - best);
                    }
                    corner.1 = cost(&corner.0)?;
                    tries += 1;
                }
            }
        }
    }
    simplex.sort_by(|a, b| a.1.total_cmp(&b.1));
    Ok((simplex.swap_remove(0).0, inputs == 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_simplex_finds_the_bottom_of_a_bowl_and_of_a_valley() {
        let mut bowl =
            |x: &[f64]| -> Result<f64, ()> { Ok((x[0] - 0.3).powi(2) + 2.0 * (x[1] - 0.8).powi(2)) };
        let (place, converged) = nelder_mead(2, &mut bowl).unwrap();
        assert!(converged && (place[0] - 0.3).abs() < 1e-3 && (place[1] - 0.8).abs() < 1e-3, "{place:?}");
        let mut valley =
            |x: &[f64]| -> Result<f64, ()> { Ok((0.7 - x[0]).powi(2) + 20.0 * (x[1] - x[0] * x[0]).powi(2)) };
        let (place, _) = nelder_mead(2, &mut valley).unwrap();
        assert!((place[0] - 0.7).abs() < 0.01 && (place[1] - 0.49).abs() < 0.01, "{place:?}");
    }

    #[test]
    fn targets_and_free_inputs_are_read() {
        assert!("mean=-6.6".parse::<Target>().is_ok());
        assert!("second.share_at_most:-5=0.24".parse::<Target>().is_ok());
        assert!("mode=3".parse::<Target>().is_err());
        assert_eq!("a.b=-1..2".parse(), Ok(Free { key: "a.b".to_owned(), low: -1.0, high: 2.0 }));
        assert!("a.b=2..1".parse::<Free>().is_err());
    }

    #[test]
    fn summaries_of_a_few_numbers() {
        let sorted = [-7.0, -5.0, 0.0, 4.0];
        let found = |summary| summarise(&sorted, summary).unwrap();
        assert_eq!(found(Summary::Mean).value, -2.0);
        assert_eq!(found(Summary::Median).value, -2.5);
        assert_eq!(found(Summary::ShareAtMost(-5.0)), Summarised { value: 0.5, mc_se: 0.25 });
        // Squares 25, 9, 4, 36 about the mean: variance 74/3, fourth moment 2018/4.
        let sd = (74.0_f64 / 3.0).sqrt();
        assert!((found(Summary::Mean).mc_se - sd / 2.0).abs() < 1e-12);
        assert!((found(Summary::Sd).value - sd).abs() < 1e-12);
        // Of n normal numbers about 1/sqrt(2n), and of their median 1.2533/sqrt(n).
        let streams = crate::streams::Streams::new(5);
        let mut normal: Vec<f64> =
            (0..20_000).map(|number| streams.of(number, "summaries", 0).normal()).collect();
        normal.sort_unstable_by(f64::total_cmp);
        let spread = summarise(&normal, Summary::Sd).unwrap().mc_se;
        assert!((spread - 1.0 / 200.0).abs() < 2e-4, "{spread}");
        let middle = summarise(&normal, Summary::Median).unwrap().mc_se;
        assert!((middle - 1.2533 / 20_000_f64.sqrt()).abs() < 2e-3, "{middle}");
        assert_eq!(summarise(&[], Summary::Mean), None);
    }
}
