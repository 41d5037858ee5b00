//! The part of R's model formulas that reference cases use: `y ~ a + b`, `a * b`, `a:b`.

use serde_json::Value;

use super::Unsupported;
use super::inputs::{Inputs, number, wrong};
use crate::models::{Design, Term, Variable};

/// The values of one variable.
#[derive(Debug, Clone)]
enum Series {
    Numbers(Vec<f64>),
    Levels { names: Vec<String>, codes: Vec<usize> },
}

/// In which order the levels of a factor come where a case does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LevelOrder {
    Alphabetical,
    Appearance,
}

/// A formula and its data, rows with missing values dropped.
#[derive(Debug)]
pub(super) struct Frame {
    names: Vec<String>,
    series: Vec<Series>,
    terms: Vec<Term>,
    /// The first variable whose levels the case gives.
    given_levels: Option<usize>,
    /// The row numbers that are kept.
    pub(super) rows: Vec<usize>,
}

impl Frame {
    /// Reads the right-hand side of a formula with its data; `also` names series that must not be missing either.
    pub(super) fn read(
        input: Inputs<'_>,
        right: &str,
        also: &[&str],
        order: LevelOrder,
    ) -> Result<Self, Unsupported> {
        let (names, terms) = parse(right)?;
        let data = input.object("data")?;
        let length = data
            .value(also.first().ok_or_else(|| wrong("formula", "a formula"))?)?
            .as_array()
            .map_or(0, Vec::len);
        let mut complete = vec![true; length];
        for name in names.iter().map(String::as_str).chain(also.iter().copied()) {
            let list = data.value(name)?.as_array().ok_or_else(|| wrong(name, "a list"))?;
            if list.len() != length {
                return Err(wrong(name, "as long as the response"));
            }
            for (kept, value) in complete.iter_mut().zip(list) {
                *kept &= !value.is_null();
            }
        }
        let rows: Vec<usize> = (0..length).filter(|i| complete[*i]).collect();
        let series = names.iter().map(|name| read_series(input, data, name, &rows, order));
        let series = series.collect::<Result<_, _>>()?;
        let given_levels = names.iter().position(|name| input.has(&format!("{name}_levels")));
        Ok(Self { names, series, terms, given_levels, rows })
    }

    fn variables(&self) -> Vec<Variable<'_>> {
        let each = self.series.iter().map(|s| match s {
            Series::Numbers(values) => Variable::Covariate(values),
            Series::Levels { names, codes } => Variable::Factor { levels: names.len(), codes },
        });
        each.collect()
    }

    pub(super) fn design(&self) -> Result<Design<'_>, crate::NotEstimable> {
        if self.terms.is_empty() {
            Design::intercept_only(self.rows.len())
        } else {
            Design::new(&self.variables(), &self.terms)
        }
    }

    pub(super) fn design_without_intercept(&self) -> Result<Design<'_>, crate::NotEstimable> {
        Design::without_intercept(&self.variables(), &self.terms)
    }

    /// The index of a variable.
    pub(super) fn variable(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|n| n == name)
    }

    /// The index of the factor whose means are compared: `trt`, or else the first whose levels the case gives in order.
    pub(super) fn factor_with_levels(&self) -> Option<usize> {
        self.variable("trt").or(self.given_levels)
    }

    /// The names of a factor's levels, and the level of each row; `None` for a covariate.
    pub(super) fn factor(&self, variable: usize) -> Option<(&[String], &[usize])> {
        match &self.series[variable] {
            Series::Levels { names, codes } => Some((names, codes)),
            Series::Numbers(_) => None,
        }
    }

    /// R's names of the columns: `(Intercept)`, `base`, `trtB`, `base:trtB`.
    pub(super) fn column_names(&self, design: &Design<'_>) -> Vec<String> {
        let name = |column: &crate::models::Column| {
            let Some(term) = column.term else { return "(Intercept)".to_owned() };
            let part = |(v, level): (&usize, &Option<usize>)| match (&self.series[*v], level) {
                (Series::Levels { names, .. }, Some(level)) => format!("{}{}", self.names[*v], names[*level]),
                _ => self.names[*v].clone(),
            };
            let parts: Vec<String> =
                self.terms[term].variables().iter().zip(&column.levels).map(part).collect();
            parts.join(":")
        };
        design.columns().iter().map(name).collect()
    }

    /// R's name of a term.
    pub(super) fn term_name(&self, term: usize) -> String {
        let parts: Vec<&str> = self.terms[term].variables().iter().map(|v| self.names[*v].as_str()).collect();
        parts.join(":")
    }
}

fn read_series(
    input: Inputs<'_>,
    data: Inputs<'_>,
    name: &str,
    rows: &[usize],
    order: LevelOrder,
) -> Result<Series, Unsupported> {
    let list = data.value(name)?.as_array().ok_or_else(|| wrong(name, "a list"))?;
    let kept = || rows.iter().map(|i| &list[*i]);
    let numbers: Option<Vec<f64>> =
        kept().map(|v| if v.is_string() { None } else { number(v).flatten() }).collect();
    if let Some(numbers) = numbers {
        return Ok(Series::Numbers(numbers));
    }
    let texts: Option<Vec<&str>> = kept().map(Value::as_str).collect();
    let texts = texts.ok_or_else(|| wrong(name, "a list of numbers or of texts"))?;
    let given = format!("{name}_levels");
    let names: Vec<String> = if input.has(&given) {
        let list = input.value(&given)?.as_array().ok_or_else(|| wrong(&given, "a list"))?;
        list.iter().filter_map(Value::as_str).map(str::to_owned).collect()
    } else {
        // Levels come in the order of all rows; those without a row that is kept are dropped.
        let mut names: Vec<String> = Vec::new();
        for text in list.iter().filter_map(Value::as_str) {
            if texts.contains(&text) && !names.iter().any(|n| n == text) {
                names.push(text.to_owned());
            }
        }
        if order == LevelOrder::Alphabetical {
            names.sort_unstable();
        }
        names
    };
    let codes: Option<Vec<usize>> = texts.iter().map(|t| names.iter().position(|n| n == t)).collect();
    Ok(Series::Levels { codes: codes.ok_or_else(|| wrong(name, "a list of known levels"))?, names })
}

/// The variables, in order of appearance, and the terms: main effects first, as R sorts them.
fn parse(right: &str) -> Result<(Vec<String>, Vec<Term>), Unsupported> {
    let mut names: Vec<String> = Vec::new();
    let mut index = |name: &str| -> Result<usize, Unsupported> {
        let valid = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '.');
        if !valid {
            return Err(wrong("formula", "a sum of variables and their products"));
        }
        Ok(names.iter().position(|n| n == name).unwrap_or_else(|| {
            names.push(name.to_owned());
            names.len() - 1
        }))
    };
    let mut terms: Vec<Term> = Vec::new();
    for part in right.split('+').map(str::trim).filter(|p| *p != "1") {
        if part.contains('*') {
            let factors = part.split('*').map(|v| index(v.trim())).collect::<Result<Vec<_>, _>>()?;
            for set in 1..1u32 << factors.len() {
                let chosen: Vec<usize> =
                    (0..factors.len()).filter(|i| set >> i & 1 == 1).map(|i| factors[i]).collect();
                terms.push(Term::interaction(&chosen));
            }
        } else {
            let factors = part.split(':').map(|v| index(v.trim())).collect::<Result<Vec<_>, _>>()?;
            terms.push(Term::interaction(&factors));
        }
    }
    let mut unique: Vec<Term> = Vec::new();
    for term in terms {
        if !unique.contains(&term) {
            unique.push(term);
        }
    }
    unique.sort_by_key(|t| t.variables().len());
    Ok((names, unique))
}

#[test]
fn a_star_stands_for_main_effects_and_product() {
    let (names, terms) = parse("base * trt + age").unwrap();
    assert_eq!(names, ["base", "trt", "age"]);
    assert_eq!(terms, [Term::main(0), Term::main(1), Term::main(2), Term::interaction(&[0, 1])]);
    assert!(parse("log(x)").is_err());
}
