//! Laboratory values, readings of slides, skin sites and other treatments of the sample trial, made by rule:
//! every other participant's values rise or fall, so that each kind of table and figure has something to show.

use datasets::{Column, Data, Dataset};
use instruments::mrss::SITES;
use protocol::model::LaboratoryTest;

use crate::sample::{RANDOMISED, VISITS, arm_of, levels, some, subject};

/// A test with its limits, its value at baseline, and how it changes with each visit in every other participant.
type Course = (&'static str, &'static str, f64, f64, f64, f64);

const COURSES: [Course; 4] = [
    ("ALT", "ALT", 5.0, 40.0, 22.0, 62.0),
    ("BILI", "Bilirubin", 3.0, 17.0, 9.0, 14.0),
    ("HGB", "Haemoglobin", 12.0, 16.0, 13.5, -1.2),
    ("ANC", "Neutrophils", 1.8, 7.0, 4.0, -1.6),
];

/// The plan's tests.
pub fn tests() -> Vec<LaboratoryTest> {
    let test = |id: &str, unit: &str, low: Option<&str>, high: Option<&str>| LaboratoryTest {
        id: id.to_owned(),
        form: "laboratory".into(),
        item: id.to_lowercase().into(),
        unit: unit.to_owned(),
        low: low.map(str::to_owned),
        high: high.map(str::to_owned),
    };
    vec![
        test("ALT", "U/L", None, Some("ALT")),
        test("BILI", "umol/L", None, Some("BILI")),
        test("HGB", "g/dL", Some("HGB_low"), Some("HGB_high")),
        test("ANC", "10*9/L", Some("ANC"), None),
    ]
}

/// A value of a test.
struct Value {
    place: usize,
    visit: usize,
    course: Course,
    value: f64,
}

impl Value {
    fn lower(&self) -> f64 {
        self.value / self.course.2
    }

    fn upper(&self) -> f64 {
        self.value / self.course.3
    }
}

pub fn laboratory() -> Dataset {
    let mut rows = Vec::new();
    for place in 0..RANDOMISED {
        for course in COURSES {
            for visit in 0..VISITS.len() {
                let moved = if place % 2 == 0 { course.5 * visit as f64 } else { 0.0 };
                rows.push(Value { place, visit, course, value: course.4 + 0.1 * place as f64 + moved });
            }
        }
    }
    let sources = (0..rows.len() as u64).map(|row| vec![310 + row % 80]).collect();
    let mut set = Dataset::new("laboratory", "Laboratory: one row a value of a test", sources);
    let text = |of: &dyn Fn(&Value) -> String| some(rows.iter().map(of));
    let number = |of: &dyn Fn(&Value) -> f64| Data::Number(some(rows.iter().map(of)));
    let whole = |of: &dyn Fn(&Value) -> i64| Data::Integer(some(rows.iter().map(of)));
    let flag = |of: &dyn Fn(&Value) -> bool| Data::Flag(some(rows.iter().map(of)));
    let indicator = |row: &Value| match (row.lower() < 1.0, row.upper() > 1.0) {
        (true, _) => "low",
        (_, true) => "high",
        _ => "normal",
    };
    let grade = |outside: f64| if outside > 2.0 { 2 } else { i64::from(outside > 1.0) };
    let columns = [
        Column::new("subject", "Participant", Data::Text(text(&|row| subject(row.place)))),
        Column::new("arm", "Arm", Data::Code(text(&|row| arm_of(row.place).to_owned()))),
        Column::new("test", "Test", Data::Code(text(&|row| row.course.0.to_owned())))
            .with_levels(levels(&COURSES.map(|course| (course.0, course.1)))),
        Column::new("visit", "Visit", Data::Code(text(&|row| VISITS[row.visit].to_owned())))
            .with_levels(levels(&[("M0", "Month 0"), ("M3", "Month 3"), ("M6", "Month 6")])),
        Column::new("planned", "Visit of the schedule", flag(&|_| true)),
        Column::new("day", "Study day", whole(&|row| 1 + 91 * row.visit as i64)).with_unit(Some("d")),
        Column::new("value", "Value", number(&|row| (100.0 * row.value).round() / 100.0)).with_decimals(2),
        Column::new("lower", "Lower limit of normal", number(&|row| row.course.2)).with_decimals(2),
        Column::new("upper", "Upper limit of normal", number(&|row| row.course.3)).with_decimals(2),
        Column::new("times_lower", "Multiple of the lower limit", number(&Value::lower)),
        Column::new("times_upper", "Multiple of the upper limit", number(&Value::upper)),
        Column::new("indicator", "Against the limits", Data::Code(text(&|row| indicator(row).to_owned())))
            .with_levels(levels(&[("low", "Low"), ("normal", "Normal"), ("high", "High")])),
        Column::new("grade_low", "CTCAE grade of a low value", whole(&|row| grade(1.0 / row.lower()))),
        Column::new("grade_high", "CTCAE grade of a high value", whole(&|row| grade(row.upper()))),
        Column::new("is_baseline", "Baseline", flag(&|row| row.visit == 0)),
        Column::new("after_baseline", "After baseline", flag(&|row| row.visit > 0)),
        Column::new(
            "lowest",
            "Lowest after baseline",
            flag(&|row| row.visit == if row.course.5 < 0.0 { 2 } else { 1 }),
        ),
        Column::new(
            "highest",
            "Highest after baseline",
            flag(&|row| row.visit == if row.course.5 < 0.0 { 1 } else { 2 }),
        ),
    ];
    columns.into_iter().for_each(|column| set.push(column));
    set
}

/// A reading: participant, visit, reader, whether it was the second of the slide, item, value.
type Reading = (usize, usize, i64, bool, &'static str, f64);

/// Two readers of two items, the first reader twice for some slides.
pub fn readings() -> Dataset {
    let mut rows: Vec<Reading> = Vec::new();
    for place in 0..RANDOMISED {
        for visit in [0, 2] {
            let thickness = 1.6 + 0.07 * place as f64 - 0.05 * visit as f64;
            let grade = (place % 4) as f64;
            for (item, value, differs) in [("thickness", thickness, 0.03), ("collagen", grade, 1.0)] {
                let apart = if place % 3 == 0 { differs } else { 0.0 };
                rows.push((place, visit, 1, false, item, value));
                rows.push((place, visit, 2, false, item, value + apart));
                if place % 2 == 0 {
                    // Grades are read alike again, measurements nearly so.
                    let again = if item == "thickness" { apart / 2.0 } else { 0.0 };
                    rows.push((place, visit, 1, true, item, value + again));
                }
            }
        }
    }
    let sources = (0..rows.len() as u64).map(|row| vec![250 + row % 40]).collect();
    let mut set = Dataset::new("readings", "Readings of coded specimens", sources);
    let text = |of: &dyn Fn(&Reading) -> String| some(rows.iter().map(of));
    let columns = [
        Column::new("subject", "Participant", Data::Text(text(&|row| subject(row.0)))),
        Column::new("arm", "Arm", Data::Code(text(&|row| arm_of(row.0).to_owned()))),
        Column::new("visit", "Visit", Data::Code(text(&|row| VISITS[row.1].to_owned())))
            .with_levels(levels(&[("M0", "Month 0"), ("M6", "Month 6")])),
        Column::new("reader", "Reader", Data::Integer(some(rows.iter().map(|row| row.2)))),
        Column::new("repeat", "Read again", Data::Flag(some(rows.iter().map(|row| row.3)))),
        Column::new("item", "Item", Data::Code(text(&|row| row.4.to_owned())))
            .with_levels(levels(&[("thickness", "Dermal thickness"), ("collagen", "Collagen bundles")])),
        Column::new("graded", "A grade", Data::Flag(some(rows.iter().map(|row| row.4 == "collagen")))),
        Column::new("value", "Value", Data::Number(some(rows.iter().map(|row| row.5)))),
    ];
    columns.into_iter().for_each(|column| set.push(column));
    set
}

pub fn body_sites() -> Dataset {
    let rows: Vec<(usize, usize)> =
        (0..RANDOMISED).flat_map(|place| (0..VISITS.len()).map(move |visit| (place, visit))).collect();
    let sources = (0..rows.len() as u64).map(|row| vec![100 + row]).collect();
    let mut set = Dataset::new("body_sites", "Skin sites: one row a skin score", sources);
    let text = |of: &dyn Fn(&(usize, usize)) -> String| some(rows.iter().map(of));
    let columns = [
        Column::new("subject", "Participant", Data::Text(text(&|row| subject(row.0)))),
        Column::new("arm", "Arm", Data::Code(text(&|row| arm_of(row.0).to_owned()))),
        Column::new("visit", "Visit", Data::Code(text(&|row| VISITS[row.1].to_owned())))
            .with_levels(levels(&[("M0", "Month 0"), ("M3", "Month 3"), ("M6", "Month 6")])),
        Column::new("planned", "Visit of the schedule", Data::Flag(some(rows.iter().map(|_| true)))),
    ];
    columns.into_iter().for_each(|column| set.push(column));
    for (site, name) in SITES.iter().enumerate() {
        let score = |(place, visit): &(usize, usize)| ((place + site + visit) % 4) as f64;
        set.push(Column::new(name, name, Data::Number(some(rows.iter().map(score)))));
    }
    set
}

/// Participant, treatment, class, first and last day, whether it was prohibited.
type Taken = (usize, &'static str, &'static str, i64, Option<i64>, bool);

pub fn concomitant_treatments() -> Dataset {
    let rows: [Taken; 5] = [
        (0, "Furosemide", "diuretic", 14, Some(40), false),
        (0, "Omeprazole", "acid", -300, None, false),
        (1, "Omeprazole", "acid", -20, None, false),
        (2, "Furosemide", "diuretic", 31, None, false),
        (5, "Methotrexate", "immunosuppressant", 60, None, true),
    ];
    let sources = (0..rows.len() as u64).map(|row| vec![490 + row]).collect();
    let mut set = Dataset::new("concomitant_treatments", "Other treatments: one row a treatment", sources);
    let text = |of: &dyn Fn(&Taken) -> String| some(rows.iter().map(of));
    let flag = |of: &dyn Fn(&Taken) -> bool| Data::Flag(some(rows.iter().map(of)));
    let columns = [
        Column::new("subject", "Participant", Data::Text(text(&|row| subject(row.0)))),
        Column::new("arm", "Arm", Data::Code(text(&|row| arm_of(row.0).to_owned()))),
        Column::new("treatment", "Treatment", Data::Text(text(&|row| row.1.to_owned()))),
        Column::new("class", "Class of the treatment", Data::Code(text(&|row| row.2.to_owned())))
            .with_levels(levels(&[
                ("acid", "Gastric acid suppressant"),
                ("diuretic", "Diuretic"),
                ("immunosuppressant", "Immunosuppressant"),
            ])),
        Column::new("start_day", "Start", Data::Integer(some(rows.iter().map(|row| row.3)))),
        Column::new("stop_day", "Stop", Data::Integer(rows.iter().map(|row| row.4).collect())),
        Column::new("prohibited", "Prohibited by the protocol", flag(&|row| row.5)),
        Column::new("taken_in_trial", "Taken on or after the first dose", flag(&|_| true)),
    ];
    columns.into_iter().for_each(|column| set.push(column));
    set
}
