//! Design matrices.
//!
//! A model is a list of terms, each a product of one or more variables. Factors have
//! treatment contrasts: one column for every level but the first, which is the
//! reference. Every interaction needs its main effects beside it (marginality), so
//! that this coding spans what it should. Rows with missing values are the caller's
//! to drop.

use nalgebra::DMatrix;

use crate::NotEstimable;
use crate::not_estimable::all_finite;

/// A variable of the model, one entry a participant.
#[derive(Debug, Clone, Copy)]
pub enum Variable<'a> {
    /// A number.
    Covariate(&'a [f64]),
    /// A level from 0 to `levels - 1`; level 0 is the reference.
    Factor {
        /// The number of levels.
        levels: usize,
        /// The level of each participant.
        codes: &'a [usize],
    },
}

impl Variable<'_> {
    fn len(&self) -> usize {
        match self {
            Variable::Covariate(values) => values.len(),
            Variable::Factor { codes, .. } => codes.len(),
        }
    }

    fn columns(&self) -> usize {
        match self {
            Variable::Covariate(_) => 1,
            Variable::Factor { levels, .. } => levels - 1,
        }
    }
}

/// A term of the model: the indices of the variables whose product it is, in increasing order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term(Vec<usize>);

impl Term {
    /// The main effect of one variable.
    pub fn main(variable: usize) -> Self {
        Self(vec![variable])
    }

    /// The product of several variables.
    pub fn interaction(variables: &[usize]) -> Self {
        let mut sorted = variables.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        Self(sorted)
    }

    /// The variables of this term.
    pub fn variables(&self) -> &[usize] {
        &self.0
    }

    fn is_part_of(&self, other: &Self) -> bool {
        self != other && self.0.iter().all(|v| other.0.contains(v))
    }
}

/// What a column of the design matrix stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// The term; `None` for the intercept.
    pub term: Option<usize>,
    /// For each variable of the term, the level of a factor, or `None` for a covariate.
    pub levels: Vec<Option<usize>>,
}

/// A design matrix and the model it stands for.
#[derive(Debug, Clone)]
pub struct Design<'a> {
    variables: Vec<Variable<'a>>,
    terms: Vec<Term>,
    columns: Vec<Column>,
    matrix: DMatrix<f64>,
    intercept: bool,
}

impl<'a> Design<'a> {
    /// Builds the design matrix with an intercept.
    ///
    /// # Errors
    /// No participants, variables of different length, a covariate that is not finite, a factor with
    /// fewer than two levels or a code beyond them, or an interaction without its main effects.
    pub fn new(variables: &[Variable<'a>], terms: &[Term]) -> Result<Self, NotEstimable> {
        let n = variables.first().ok_or(NotEstimable::NoObservations)?.len();
        Self::build(n, variables, terms, true)
    }

    /// Builds the design matrix without an intercept, for models that have their own baseline.
    ///
    /// # Errors
    /// As [`Design::new`].
    pub fn without_intercept(variables: &[Variable<'a>], terms: &[Term]) -> Result<Self, NotEstimable> {
        let n = variables.first().ok_or(NotEstimable::NoObservations)?.len();
        Self::build(n, variables, terms, false)
    }

    /// The design of a mean and nothing else, for `n` participants.
    ///
    /// # Errors
    /// No participants.
    pub fn intercept_only(n: usize) -> Result<Self, NotEstimable> {
        Self::build(n, &[], &[], true)
    }

    fn build(
        n: usize,
        variables: &[Variable<'a>],
        terms: &[Term],
        intercept: bool,
    ) -> Result<Self, NotEstimable> {
        if n == 0 {
            return Err(NotEstimable::NoObservations);
        }
        for variable in variables {
            check_variable(variable, n)?;
        }
        check_marginality(terms, variables.len())?;
        let mut columns = Vec::new();
        if intercept {
            columns.push(Column { term: None, levels: Vec::new() });
        }
        for (index, term) in terms.iter().enumerate() {
            push_columns(&mut columns, index, term, variables);
        }
        let mut matrix = DMatrix::from_element(n, columns.len(), 1.0);
        for (j, column) in columns.iter().enumerate() {
            let Some(term) = column.term else { continue };
            let mut target = matrix.column_mut(j);
            for (variable, level) in terms[term].0.iter().zip(&column.levels) {
                multiply(target.as_mut_slice(), &variables[*variable], *level);
            }
        }
        Ok(Self { variables: variables.to_vec(), terms: terms.to_vec(), columns, matrix, intercept })
    }

    /// Number of participants.
    pub fn rows(&self) -> usize {
        self.matrix.nrows()
    }

    /// What each column stands for.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The terms, in the order given.
    pub fn terms(&self) -> &[Term] {
        &self.terms
    }

    /// Whether the first column is an intercept.
    pub fn has_intercept(&self) -> bool {
        self.intercept
    }

    pub(crate) fn matrix(&self) -> &DMatrix<f64> {
        &self.matrix
    }

    pub(crate) fn variables(&self) -> &[Variable<'a>] {
        &self.variables
    }

    /// The columns of a term.
    pub fn columns_of(&self, term: usize) -> impl Iterator<Item = usize> + '_ {
        self.columns.iter().enumerate().filter(move |(_, c)| c.term == Some(term)).map(|(j, _)| j)
    }

    /// The terms that may be dropped while every other term keeps its main effects.
    pub fn droppable_terms(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.terms.len()).filter(|t| !self.terms.iter().any(|other| self.terms[*t].is_part_of(other)))
    }

    /// The row of a participant who has the value `value(v, level)` of each variable.
    ///
    /// `value` is asked for a covariate with level `None`, and for a factor's indicator of a level.
    pub(super) fn row(&self, value: impl Fn(usize, Option<usize>) -> f64, row: &mut [f64]) {
        for (entry, column) in row.iter_mut().zip(&self.columns) {
            *entry = column.term.map_or(1.0, |t| {
                self.terms[t].0.iter().zip(&column.levels).map(|(v, level)| value(*v, *level)).product()
            });
        }
    }
}

fn check_variable(variable: &Variable<'_>, n: usize) -> Result<(), NotEstimable> {
    if variable.len() != n {
        return Err(NotEstimable::UnequalLengths { left: n, right: variable.len() });
    }
    match variable {
        Variable::Covariate(values) => all_finite(values),
        Variable::Factor { levels, codes } => {
            if *levels < 2 {
                Err(NotEstimable::SingularDesign)
            } else if codes.iter().any(|c| c >= levels) {
                Err(NotEstimable::OutOfRange { name: "factor level" })
            } else {
                Ok(())
            }
        }
    }
}

fn check_marginality(terms: &[Term], variables: usize) -> Result<(), NotEstimable> {
    for term in terms {
        if term.0.is_empty() || term.0.iter().any(|v| *v >= variables) {
            return Err(NotEstimable::OutOfRange { name: "variable of a term" });
        }
        // It is enough that each term without one of its variables is there too.
        let complete = term.0.len() == 1
            || (0..term.0.len()).all(|skip| {
                let mut part = term.0.clone();
                part.remove(skip);
                terms.contains(&Term(part))
            });
        if !complete {
            return Err(NotEstimable::OutOfRange { name: "interaction without its main effects" });
        }
    }
    Ok(())
}

/// One column for each combination of non-reference levels; the first variable's level changes fastest.
fn push_columns(columns: &mut Vec<Column>, index: usize, term: &Term, variables: &[Variable<'_>]) {
    let sizes: Vec<usize> = term.0.iter().map(|v| variables[*v].columns()).collect();
    for combination in 0..sizes.iter().product::<usize>() {
        let mut rest = combination;
        let levels = term.0.iter().zip(&sizes).map(|(v, size)| {
            let level = rest % size + 1;
            rest /= size;
            match variables[*v] {
                Variable::Covariate(_) => None,
                Variable::Factor { .. } => Some(level),
            }
        });
        let levels = levels.collect();
        columns.push(Column { term: Some(index), levels });
    }
}

fn multiply(target: &mut [f64], variable: &Variable<'_>, level: Option<usize>) {
    match variable {
        Variable::Covariate(values) => {
            for (t, v) in target.iter_mut().zip(*values) {
                *t *= v;
            }
        }
        Variable::Factor { codes, .. } => {
            for (t, code) in target.iter_mut().zip(*codes) {
                if Some(*code) != level {
                    *t = 0.0;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interaction_needs_its_main_effects() {
        let (x, codes) = ([1.0, 2.0], [0, 1]);
        let variables = [Variable::Covariate(&x), Variable::Factor { levels: 2, codes: &codes }];
        let refused = Design::new(&variables, &[Term::main(0), Term::interaction(&[0, 1])]);
        assert_eq!(
            refused.unwrap_err(),
            NotEstimable::OutOfRange { name: "interaction without its main effects" }
        );
    }

    #[test]
    fn an_interaction_is_the_product_of_its_columns() {
        let (x, codes) = ([3.0, 5.0, 7.0], [0, 1, 2]);
        let variables = [Variable::Covariate(&x), Variable::Factor { levels: 3, codes: &codes }];
        let terms = [Term::main(0), Term::main(1), Term::interaction(&[1, 0])];
        let design = Design::new(&variables, &terms).unwrap();
        assert_eq!(
            design.matrix().row(1).iter().copied().collect::<Vec<_>>(),
            [1.0, 5.0, 1.0, 0.0, 5.0, 0.0]
        );
        assert_eq!(design.droppable_terms().collect::<Vec<_>>(), [2]);
    }

    #[test]
    fn a_factor_of_one_level_is_singular() {
        let refused = Design::new(&[Variable::Factor { levels: 1, codes: &[0, 0] }], &[Term::main(0)]);
        assert_eq!(refused.unwrap_err(), NotEstimable::SingularDesign);
        assert_eq!(Design::intercept_only(0).unwrap_err(), NotEstimable::NoObservations);
    }
}
