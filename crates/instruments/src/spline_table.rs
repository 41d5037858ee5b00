//! Coefficients and age splines of the GLI sets, read from the shipped tables.
//!
//! Splines are tabulated every quarter of a year; between two rows the value is linear in
//! age, as the publishers' calculators have it. An age outside the table gives no value.

use crate::instrument::{NotScorable, Sex};

/// The rows of a spline table lie this far apart, in years.
const STEP_YEARS: f64 = 0.25;

/// One GLI set.
pub(crate) struct SplineTable {
    columns: Vec<String>,
    coefficients: Vec<Coefficients>,
    splines: Vec<Spline>,
}

struct Coefficients {
    quantity: String,
    sex: Sex,
    values: Vec<f64>,
}

struct Spline {
    quantity: String,
    sex: Sex,
    from_age: f64,
    rows: Vec<[f64; 3]>,
}

/// The coefficients and splines of one quantity and sex at one age.
pub(crate) struct At<'a> {
    columns: &'a [String],
    values: &'a [f64],
    /// Spline of the Box-Cox power.
    pub(crate) l: f64,
    /// Spline of the log median.
    pub(crate) m: f64,
    /// Spline of the log coefficient of variation.
    pub(crate) s: f64,
}

impl At<'_> {
    /// Returns a coefficient by its published name, such as `a0`.
    pub(crate) fn coefficient(&self, name: &str) -> f64 {
        let column = self.columns.iter().position(|column| column == name);
        self.values[column.expect("the set's equation names only columns of its table")]
    }
}

impl SplineTable {
    /// Reads the two shipped tables of a set.
    pub(crate) fn read(coefficients: &str, splines: &str) -> Self {
        let (header, rows) = coefficients.split_once('\n').expect("a shipped table has a header");
        Self {
            columns: header.trim().split(',').skip(2).map(str::to_owned).collect(),
            coefficients: rows.lines().map(coefficients_of).collect(),
            splines: read_splines(splines),
        }
    }

    /// Returns coefficients and splines at an age.
    pub(crate) fn at(&self, quantity: &str, sex: Sex, age_years: f64) -> Result<At<'_>, NotScorable> {
        let spline = self
            .splines
            .iter()
            .find(|spline| spline.quantity == quantity && spline.sex == sex)
            .expect("the set's quantities are those of its table");
        let coefficients = self
            .coefficients
            .iter()
            .find(|row| row.quantity == quantity && row.sex == sex)
            .expect("the set's quantities are those of its table");
        let [l, m, s] = spline.at(age_years)?;
        Ok(At { columns: &self.columns, values: &coefficients.values, l, m, s })
    }
}

impl Spline {
    fn at(&self, age_years: f64) -> Result<[f64; 3], NotScorable> {
        let last = self.rows.len() - 1;
        let place = (age_years - self.from_age) / STEP_YEARS;
        if !(0.0..=last as f64).contains(&place) {
            let to = self.from_age + last as f64 * STEP_YEARS;
            return Err(NotScorable::AgeNotCovered { from: self.from_age as u32, to: to as u32 });
        }
        let below = (place as usize).min(last - 1);
        let share = place - below as f64;
        let (low, high) = (self.rows[below], self.rows[below + 1]);
        Ok([0, 1, 2].map(|column| low[column] + share * (high[column] - low[column])))
    }
}

fn key(cells: &[&str]) -> (String, Sex) {
    (cells[0].to_owned(), Sex::from_code(cells[1]).expect("a shipped table names the sexes F and M"))
}

fn number(cell: &str) -> f64 {
    cell.trim().parse().expect("a shipped table holds numbers")
}

fn coefficients_of(line: &str) -> Coefficients {
    let cells = line.split(',').collect::<Vec<_>>();
    let (quantity, sex) = key(&cells);
    Coefficients { quantity, sex, values: cells[2..].iter().map(|cell| number(cell)).collect() }
}

fn read_splines(text: &str) -> Vec<Spline> {
    let mut splines: Vec<Spline> = Vec::new();
    for line in text.lines().skip(1) {
        let cells = line.split(',').collect::<Vec<_>>();
        let (quantity, sex) = key(&cells);
        let (age, row) = (number(cells[2]), [number(cells[3]), number(cells[4]), number(cells[5])]);
        match splines.last_mut().filter(|spline| spline.quantity == quantity && spline.sex == sex) {
            Some(spline) => {
                let expected = spline.from_age + spline.rows.len() as f64 * STEP_YEARS;
                assert!(age == expected, "the rows of {quantity} are a quarter of a year apart");
                spline.rows.push(row);
            }
            None => splines.push(Spline { quantity, sex, from_age: age, rows: vec![row] }),
        }
    }
    splines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small() -> SplineTable {
        SplineTable::read(
            "param,sex,a0\nX,F,1.5\n",
            "param,sex,age,l_spline,m_spline,s_spline\nX,F,3,0,1,2\nX,F,3.25,1,2,4\nX,F,3.5,0,0,0\n",
        )
    }

    #[test]
    fn a_value_is_linear_between_two_rows() {
        let table = small();
        let at = table.at("X", Sex::Female, 3.125).unwrap();
        assert_eq!((at.l, at.m, at.s, at.coefficient("a0")), (0.5, 1.5, 3.0, 1.5));
    }

    #[test]
    fn the_table_covers_its_first_and_last_row_and_nothing_beyond() {
        let table = small();
        assert_eq!(table.at("X", Sex::Female, 3.0).map(|at| at.m).ok(), Some(1.0));
        assert_eq!(table.at("X", Sex::Female, 3.5).map(|at| at.m).ok(), Some(0.0));
        for outside in [2.99, 3.51, f64::NAN] {
            assert!(matches!(table.at("X", Sex::Female, outside), Err(NotScorable::AgeNotCovered { .. })));
        }
    }
}
