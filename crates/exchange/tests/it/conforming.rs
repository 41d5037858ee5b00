//! Files against what a plan declares.

use std::collections::BTreeMap;

use datasets::Cell;
use exchange::{DataError, Encoding, conform, read};
use protocol::model::DeclaredData;

const PLAN: &str = r#"
id = "X"
[data.x]
participants = true
subject = "ID"
keys = ["ID"]
columns = { ID = { kind = "text" }, AGE = { kind = "integer" }, DAY = { kind = "date" }, ARM = { kind = "text", levels = { a = "A", b = "B" } } }
[sets]
all = { label = "All", who = "AGE > 0", mark = "assumed" }
[analyses.age]
label    = "Age"
role     = "descriptive"
method   = "describe"
options  = { quartiles = "type 7" }
set      = "all"
variable = "AGE"
by       = "ARM"
"#;

fn declared() -> DeclaredData {
    let files = BTreeMap::from([("analysis.toml".to_owned(), PLAN.to_owned())]);
    let compiled = protocol::compile_plan(&files).unwrap_or_else(|errors| panic!("{errors:?}"));
    compiled.study.plan.data[0].clone()
}

fn faults(csv: &str) -> Vec<String> {
    let table = read("x.csv", csv.as_bytes(), Encoding::Utf8).unwrap();
    conform(&table, &declared()).unwrap_err().iter().map(ToString::to_string).collect()
}

#[test]
fn what_fits_is_typed_and_the_rest_is_left_out() {
    let table =
        read("x.csv", b"MORE,ID,AGE,DAY,ARM\n1,p1,40,2013-02,a\n2,p2,NA,.,\n", Encoding::Utf8).unwrap();
    let set = conform(&table, &declared()).unwrap();
    let names: Vec<&str> = set.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["subject", "ID", "AGE", "DAY", "ARM"]);
    assert_eq!(set.cell("AGE", 0), Cell::Integer(40));
    assert_eq!(set.cell("DAY", 0), Cell::Date("2013-02".parse().unwrap()));
    assert_eq!(
        (set.cell("AGE", 1), set.cell("DAY", 1), set.cell("ARM", 1)),
        (Cell::Missing, Cell::Missing, Cell::Missing)
    );
}

#[test]
fn missing_columns_are_named_with_what_is_there() {
    assert_eq!(
        faults("ID,Age,ARM\np1,40,a\n"),
        ["x.csv: there is no column `AGE`, `DAY`; it has `Age`; names are compared letter by letter"]
    );
}

#[test]
fn wrong_types_name_row_column_and_value() {
    assert_eq!(
        faults("ID,AGE,DAY,ARM\np1,forty,2013-02-30,a\np2,1.5,,c\n"),
        [
            "x.csv, row 1, column AGE: `forty` is not a whole number; mend the value, or the column's kind in the plan",
            "x.csv, row 2, column AGE: `1.5` is not a whole number; mend the value, or the column's kind in the plan",
            "x.csv, row 1, column DAY: `2013-02-30` is not a date such as 2008-03-10; mend the value, or the column's kind in the plan",
            "x.csv, row 2, column ARM: `c` is not one of the levels that the plan lists; mend the value, or the column's kind in the plan",
        ]
    );
}

#[test]
fn keys_that_stand_twice_or_nowhere_are_named() {
    assert_eq!(
        faults("ID,AGE,DAY,ARM\np1,40,,a\n,41,,b\np1,42,,b\n"),
        [
            "x.csv, row 2, column ID: a key must have a value",
            "x.csv: rows 1 and 3 have the same key (ID p1); leave one out, or add a column to `keys`",
        ]
    );
}

#[test]
fn text_in_a_typed_file_is_no_number() {
    let json = r#"{"datasetJSONVersion": "1.1.0", "records": 1, "columns": [
        {"name": "ID", "dataType": "string"}, {"name": "AGE", "dataType": "string"},
        {"name": "DAY", "dataType": "date"}, {"name": "ARM", "dataType": "string"}],
        "rows": [["p1", "40", null, "a"]]}"#;
    let table = read("x.json", json.as_bytes(), Encoding::Utf8).unwrap();
    let found = conform(&table, &declared()).unwrap_err();
    assert!(
        matches!(&found[..], [DataError::WrongType { row: 1, column, .. }] if column == "AGE"),
        "{found:?}"
    );
}
