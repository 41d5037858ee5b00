//! The data of a repeated-measures model, one participant after another.

use crate::NotEstimable;
use crate::models::Design;

/// The largest number of visits; which visits are observed is kept in one machine word.
pub const VISITS_MAX: usize = 64;

/// Covariates, visits with their responses, and group of every participant.
///
/// The mean at visit v of a participant with covariates u is Σ_c u_c b_c(v). The coefficient b_c of
/// a *crossed* covariate differs from visit to visit, that of another is the same at all visits. The
/// constant 1 is a covariate like any other. Covariates either belong to the participant, or have a
/// value at each visit ([`Panel::with_varying_covariates`]).
///
/// ```
/// use statistics::mixed::Panel;
/// // Visit effects and a treatment effect at each visit; one slope of the baseline.
/// let mut panel = Panel::new(3, &[true, true, false])?;
/// panel.push(&[1.0, 0.0, 21.5], &[Some(-1.0), None, Some(-4.0)], 0)?;
/// panel.push(&[1.0, 1.0, 19.0], &[Some(-2.5), Some(-3.0), Some(-7.0)], 0)?;
/// assert_eq!((panel.participants(), panel.observations()), (2, 5));
/// # Ok::<(), statistics::NotEstimable>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    pub(super) visits: usize,
    pub(super) crossed: Vec<bool>,
    pub(super) varying: bool,
    /// `participants` × `covariates`, or × `visits` × `covariates` where they vary.
    pub(super) covariates: Vec<f64>,
    /// `participants` × `visits`; zero where nothing was observed.
    pub(super) responses: Vec<f64>,
    /// Bit v is set where visit v was observed.
    pub(super) observed: Vec<u64>,
    pub(super) groups: Vec<usize>,
    /// Which covariate is the constant 1, for between-within degrees of freedom.
    pub(super) intercept: Option<usize>,
}

impl Panel {
    /// An empty panel; `crossed` says for each covariate whether its coefficient differs by visit.
    ///
    /// # Errors
    /// No visits or more than [`VISITS_MAX`], or no covariates.
    pub fn new(visits: usize, crossed: &[bool]) -> Result<Self, NotEstimable> {
        if visits == 0 || visits > VISITS_MAX {
            return Err(NotEstimable::OutOfRange { name: "number of visits" });
        }
        if crossed.is_empty() {
            return Err(NotEstimable::OutOfRange { name: "number of covariates" });
        }
        Ok(Self {
            visits,
            crossed: crossed.to_vec(),
            varying: false,
            covariates: Vec::new(),
            responses: Vec::new(),
            observed: Vec::new(),
            groups: Vec::new(),
            intercept: None,
        })
    }

    /// An empty panel whose covariates have a value at each visit.
    ///
    /// # Errors
    /// As [`Panel::new`].
    pub fn with_varying_covariates(visits: usize, crossed: &[bool]) -> Result<Self, NotEstimable> {
        Ok(Self { varying: true, ..Self::new(visits, crossed)? })
    }

    /// Says which covariate is the constant 1; between-within degrees of freedom treat it apart.
    pub fn set_intercept(&mut self, covariate: usize) {
        assert!(covariate < self.crossed.len(), "there is no covariate {covariate}");
        self.intercept = Some(covariate);
    }

    /// Removes all participants and keeps the memory.
    pub fn clear(&mut self) {
        self.covariates.clear();
        self.responses.clear();
        self.observed.clear();
        self.groups.clear();
    }

    /// Adds a participant.
    ///
    /// `covariates` has one value a covariate, or `visits` times as many (visit by visit) where they vary;
    /// those of a visit without response are not looked at then. `group` is the covariance group.
    ///
    /// # Errors
    /// A wrong number of covariates or responses, a value that is not finite, or no response at all.
    pub fn push(
        &mut self,
        covariates: &[f64],
        responses: &[Option<f64>],
        group: usize,
    ) -> Result<(), NotEstimable> {
        let participant = self.participants();
        self.push_even_without_response(covariates, responses, group)?;
        if self.observed[participant] == 0 {
            self.covariates.truncate(self.covariates.len() - covariates.len());
            self.responses.truncate(participant * self.visits);
            self.observed.truncate(participant);
            self.groups.truncate(participant);
            return Err(NotEstimable::NothingObserved { participant });
        }
        Ok(())
    }

    /// Adds a participant who need not have any response; such a panel is imputed, not fitted.
    pub(crate) fn push_even_without_response(
        &mut self,
        covariates: &[f64],
        responses: &[Option<f64>],
        group: usize,
    ) -> Result<(), NotEstimable> {
        let k = self.crossed.len();
        let wanted = if self.varying { k * self.visits } else { k };
        if covariates.len() != wanted {
            return Err(NotEstimable::UnequalLengths { left: wanted, right: covariates.len() });
        }
        if responses.len() != self.visits {
            return Err(NotEstimable::UnequalLengths { left: self.visits, right: responses.len() });
        }
        let mut mask = 0u64;
        for (v, response) in responses.iter().enumerate() {
            let Some(value) = response else { continue };
            let own = if self.varying { &covariates[v * k..(v + 1) * k] } else { covariates };
            if !value.is_finite() || own.iter().any(|c| !c.is_finite()) {
                return Err(NotEstimable::NotFinite);
            }
            mask |= 1 << v;
        }
        self.covariates.extend_from_slice(covariates);
        self.responses.extend(responses.iter().map(|r| r.unwrap_or(0.0)));
        self.observed.push(mask);
        self.groups.push(group);
        Ok(())
    }

    /// Number of participants.
    pub fn participants(&self) -> usize {
        self.observed.len()
    }

    /// Number of visits.
    pub fn visits(&self) -> usize {
        self.visits
    }

    /// Number of covariates.
    pub fn covariates(&self) -> usize {
        self.crossed.len()
    }

    /// Whether the coefficient of a covariate differs by visit.
    pub fn is_crossed(&self, covariate: usize) -> bool {
        self.crossed[covariate]
    }

    /// Number of observed responses.
    pub fn observations(&self) -> usize {
        self.observed.iter().map(|mask| mask.count_ones() as usize).sum()
    }

    /// Number of coefficients: one for a covariate, or one a visit where it is crossed.
    pub fn coefficients(&self) -> usize {
        self.crossed.iter().map(|crossed| if *crossed { self.visits } else { 1 }).sum()
    }

    /// A participant's covariates at a visit.
    pub fn covariates_of(&self, participant: usize, visit: usize) -> &[f64] {
        let k = self.crossed.len();
        let at = if self.varying { participant * self.visits + visit } else { participant };
        &self.covariates[at * k..(at + 1) * k]
    }

    /// A participant's response at a visit, where there is one.
    pub fn response(&self, participant: usize, visit: usize) -> Option<f64> {
        let seen = self.observed[participant] >> visit & 1 == 1;
        seen.then(|| self.responses[participant * self.visits + visit])
    }

    /// The observed visits of a participant, bit by bit.
    pub(crate) fn mask(&self, participant: usize) -> u64 {
        self.observed[participant]
    }

    /// The covariance group of a participant.
    pub fn group(&self, participant: usize) -> usize {
        self.groups[participant]
    }
}

/// Which participant and which visit each row of a design is of.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a> {
    /// The participant of each row, from 0.
    pub participants: &'a [usize],
    /// The visit of each row, from 0, in the order that the covariance structure goes by.
    pub visits: &'a [usize],
    /// The covariance group of each row's participant; `None` where all share one.
    pub groups: Option<&'a [usize]>,
}

/// A panel made from a design, with the way back to the design's columns.
#[derive(Debug, Clone, PartialEq)]
pub struct DesignPanel {
    /// The data.
    pub panel: Panel,
    /// For each column of the design, its covariate and the level of the visit factor it has.
    places: Vec<(usize, Option<usize>)>,
}

impl DesignPanel {
    /// Arranges the rows of `design` by participant.
    ///
    /// `visit_variable` is the design's factor whose levels are the visits, if it has one. What a column is
    /// without that factor becomes a covariate of the panel, so that a model of visit interactions keeps its structure.
    ///
    /// # Errors
    /// Series of unequal length, no intercept, a participant with two rows at a visit or with two groups,
    /// a participant or group number that is skipped, or values that are not finite.
    pub fn new(
        design: &Design<'_>,
        visit_variable: Option<usize>,
        rows: Rows<'_>,
        responses: &[f64],
    ) -> Result<Self, NotEstimable> {
        let n = design.rows();
        for length in [rows.participants.len(), rows.visits.len(), responses.len()] {
            if length != n {
                return Err(NotEstimable::UnequalLengths { left: n, right: length });
            }
        }
        if rows.groups.is_some_and(|groups| groups.len() != n) || !design.has_intercept() {
            return Err(NotEstimable::OutOfRange { name: "groups or intercept" });
        }
        let visits = rows.visits.iter().max().map_or(0, |v| v + 1);
        let (places, representatives) = places(design, visit_variable);
        let crossed: Vec<bool> = (0..representatives.len())
            .map(|c| places.iter().any(|(covariate, level)| *covariate == c && level.is_some()))
            .collect();
        let participants = rows.participants.iter().max().map_or(0, |p| p + 1);
        let by_visit = arrange(rows, visits, participants)?;
        // A covariate's value is read off the column without the visit factor.
        let matrix = design.matrix();
        let varying = by_visit.chunks(visits).any(|own| {
            let mut seen = own.iter().flatten();
            let Some(first) = seen.next() else { return false };
            seen.any(|row| representatives.iter().any(|j| matrix[(*row, *j)] != matrix[(*first, *j)]))
        });
        let mut panel = Panel { varying, ..Panel::new(visits, &crossed)? };
        panel.set_intercept(0);
        let (mut values, mut own_responses) = (Vec::new(), vec![None; visits]);
        for (participant, own) in by_visit.chunks(visits).enumerate() {
            values.clear();
            let first = own.iter().flatten().next().ok_or(NotEstimable::NothingObserved { participant })?;
            let taken = if varying { visits } else { 1 };
            for place in own.iter().take(taken) {
                let row = if varying { place.unwrap_or(*first) } else { *first };
                values.extend(representatives.iter().map(|j| matrix[(row, *j)]));
            }
            for (slot, row) in own_responses.iter_mut().zip(own) {
                *slot = row.map(|row| responses[row]);
            }
            panel.push(&values, &own_responses, rows.groups.map_or(0, |groups| groups[*first]))?;
        }
        Ok(Self { panel, places })
    }

    /// Number of columns of the design.
    pub fn columns(&self) -> usize {
        self.places.len()
    }

    /// Turns weights of the design's columns into weights of the panel's coefficients, `visits` × `covariates`.
    ///
    /// The column of a covariate without visit is its coefficient at the first visit where it is crossed,
    /// and that with visit v its difference between visit v and the first.
    ///
    /// # Panics
    /// A number of weights other than that of columns.
    pub fn weights(&self, of_columns: &[f64]) -> Vec<f64> {
        assert_eq!(of_columns.len(), self.places.len(), "one weight a column");
        let k = self.panel.covariates();
        let mut weights = vec![0.0; self.panel.visits * k];
        for (weight, (covariate, level)) in of_columns.iter().zip(&self.places) {
            match level {
                None => weights[*covariate] += weight,
                Some(visit) => {
                    weights[visit * k + covariate] += weight;
                    weights[*covariate] -= weight;
                }
            }
        }
        weights
    }
}

/// Which covariate and visit level each column has, and the column that shows each covariate alone.
fn places(design: &Design<'_>, visit_variable: Option<usize>) -> (Vec<(usize, Option<usize>)>, Vec<usize>) {
    type Key = Vec<(usize, Option<usize>)>;
    let (mut keys, mut representatives, mut places): (Vec<Key>, _, _) = (Vec::new(), Vec::new(), Vec::new());
    for (j, column) in design.columns().iter().enumerate() {
        let variables = column.term.map_or(&[][..], |t| design.terms()[t].variables());
        let mut level = None;
        let mut key: Key = Vec::new();
        for (variable, own) in variables.iter().zip(&column.levels) {
            if Some(*variable) == visit_variable {
                level = *own;
            } else {
                key.push((*variable, *own));
            }
        }
        let covariate = keys.iter().position(|k| *k == key).unwrap_or_else(|| {
            keys.push(key);
            representatives.push(j);
            keys.len() - 1
        });
        // Marginality puts the column without the visit factor first, up to the order of terms.
        if level.is_none() {
            representatives[covariate] = j;
        }
        places.push((covariate, level));
    }
    (places, representatives)
}

/// The row of each participant and visit, `participants` × `visits`.
fn arrange(rows: Rows<'_>, visits: usize, participants: usize) -> Result<Vec<Option<usize>>, NotEstimable> {
    let mut by_visit = vec![None; participants * visits];
    let mut group_of = vec![None; participants];
    for (row, (participant, visit)) in rows.participants.iter().zip(rows.visits).enumerate() {
        let slot = &mut by_visit[participant * visits + visit];
        if slot.is_some() {
            return Err(NotEstimable::TwiceAtVisit { participant: *participant, visit: *visit });
        }
        *slot = Some(row);
        if let Some(groups) = rows.groups {
            if group_of[*participant].is_some_and(|group| group != groups[row]) {
                return Err(NotEstimable::OutOfRange { name: "covariance group within a participant" });
            }
            group_of[*participant] = Some(groups[row]);
        }
    }
    Ok(by_visit)
}
