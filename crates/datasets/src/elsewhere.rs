//! The data sets of a trial that was run elsewhere: what files held, with the plan's variables and sets added.
//!
//! The participants' data set takes the place of the subject-level one, so that analyses
//! find populations where they always do. Nothing is derived but what the plan says.

use protocol::{
    expression::{ItemRef, Scope},
    model::{AnalysisPlan, SubjectVariable},
};
use terms::{Answer, Date, Truth, Value};

use crate::{Column, Data, DataSets, Dataset};

/// Joins data sets that conform to a plan's declarations, each under its declared name.
///
/// Values of a plan's variable are computed in the order in which the plan has them; one whose inputs are
/// missing is missing. A participant for whom a set's condition is not known to hold does not belong to it.
pub fn from_elsewhere(plan: &AnalysisPlan, sets: Vec<Dataset>) -> DataSets {
    let name = plan.data.iter().find(|declared| declared.participants).map(|declared| declared.name.as_str());
    let (mut subjects, mut others) = (Dataset::new("subjects", "Participants", Vec::new()), Vec::new());
    for set in sets {
        if Some(set.name.as_str()) == name {
            subjects = set;
            subjects.name = "subjects".to_owned();
        } else {
            others.push(set);
        }
    }
    for variable in &plan.variables {
        let column = variable_column(&subjects, variable);
        subjects.push(column);
    }
    for set in &plan.sets {
        let name = format!("set_{}", set.id.as_str().to_lowercase());
        let belongs = |row: usize| Some(set.who.truth(&DatasetRow { set: &subjects, row }) == Truth::True);
        let flags = Data::Flag((0..subjects.rows()).map(belongs).collect());
        subjects.push(Column::new(&name, set.label.en(), flags));
    }
    DataSets { subjects, others, ..DataSets::default() }
}

fn variable_column(subjects: &Dataset, variable: &SubjectVariable) -> Column {
    let value = |row: usize| variable.expression.value(&DatasetRow { set: subjects, row });
    let values: Vec<Option<Value>> = (0..subjects.rows()).map(value).collect();
    let levels = variable.levels.iter().map(|(code, label)| (code.clone(), label.en().to_owned()));
    Column::new(&variable.id, variable.label.en(), data_of(&values))
        .with_unit(variable.unit.as_deref())
        .with_decimals(variable.decimals)
        .with_levels(levels.collect())
}

/// The kind of a column is that of the values there are; of none, yes and no.
fn data_of(values: &[Option<Value>]) -> Data {
    let first = values.iter().flatten().next();
    let each = values.iter().map(Option::as_ref);
    match first {
        Some(Value::Date(_)) => Data::Date(
            each.map(|value| match value {
                Some(Value::Date(date)) => Some(*date),
                _ => None,
            })
            .collect(),
        ),
        Some(Value::Text(_) | Value::Code(_)) => Data::Code(
            each.map(|value| match value {
                Some(Value::Text(text) | Value::Code(text)) => Some(text.clone()),
                _ => None,
            })
            .collect(),
        ),
        Some(Value::Integer(_) | Value::Decimal(_)) => {
            Data::Number(each.map(|value| value.and_then(Value::as_f64)).collect())
        }
        _ => Data::Flag(
            each.map(|value| match value {
                Some(Value::Boolean(flag)) => Some(*flag),
                _ => None,
            })
            .collect(),
        ),
    }
}

/// A row of a data set as a condition sees it.
pub(crate) struct DatasetRow<'a> {
    /// The data set.
    pub set: &'a Dataset,
    /// The row's place.
    pub row: usize,
}

impl Scope for DatasetRow<'_> {
    fn item(&self, _reference: &ItemRef) -> Option<Answer> {
        None
    }

    fn variable(&self, name: &str) -> Option<Answer> {
        self.set.cell(name, self.row).answer()
    }

    fn limit(&self, _reference: &ItemRef, _upper: bool) -> Option<Answer> {
        None
    }

    fn today(&self) -> Option<Date> {
        None
    }
}
