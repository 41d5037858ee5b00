//! R recomputes the numbers of a made trial from the written data sets alone. R 4.2 or later is needed; without
//! it these tests fail.

use std::{collections::BTreeMap, fs, path::Path, process::Command};

use analysis::{expected_csv, r_script, recomputed_numbers, run};
use datasets::{DataSets, csv};
use protocol::model::Published;

use crate::made::{self, full_plan};

/// Relative tolerance of a closed form.
const TOLERANCE: f64 = 1e-9;

#[test]
fn r_finds_every_p_value_estimate_and_limit() {
    let (mut plan, data) = (full_plan(), made::data());
    let events = plan.analyses.iter_mut().find(|analysis| analysis.id == "events").unwrap();
    events.published = vec![Published { estimate: "p[Hiccups]".to_owned(), fact: "m".into() }];
    let results = run(&plan, &made::arms(), &[made::fact("m", "1")], &data).unwrap();
    let (ours, theirs) =
        (table(&expected_csv(&plan, &results)), recompute(&data, &r_script(&plan, &made::arms(), &data)));
    let mut compared = 0;
    for (key, expected) in &ours {
        let obtained = theirs.get(key).unwrap_or_else(|| panic!("R says nothing of {key}"));
        assert!(agree(expected, obtained), "{key}: R {obtained}, ours {expected}");
        compared += usize::from(expected != "NE");
    }
    assert!(compared > 200, "{compared} numbers were compared");
    let proven = recomputed_numbers(&plan, &results);
    for number in
        results.analyses.iter().flat_map(|analysis| &analysis.numbers).filter(|number| number.key == "p")
    {
        assert!(proven.iter().any(|one| one.id == number.id), "{} is not recomputed", number.id);
    }
}

#[test]
fn r_sees_a_change_of_one_value() {
    let (plan, data) = (full_plan(), made::data());
    let results = run(&plan, &made::arms(), &[], &data).unwrap();
    let script = r_script(&plan, &made::arms(), &data);
    let mut altered = data.clone();
    let age = altered.subjects.columns.iter_mut().find(|column| column.name == "age").unwrap();
    let datasets::Data::Number(ages) = &mut age.data else { panic!() };
    ages[0] = ages[0].map(|age| age + 1.0);
    let (ours, theirs) = (table(&expected_csv(&plan, &results)), recompute(&altered, &script));
    let differ = ours.iter().filter(|(key, expected)| !agree(expected, &theirs[*key])).count();
    assert!(differ > 0);
}

fn agree(expected: &str, obtained: &str) -> bool {
    match (expected.parse::<f64>(), obtained.parse::<f64>()) {
        (Ok(expected), Ok(obtained)) => {
            expected == obtained || (expected - obtained).abs() <= TOLERANCE * expected.abs().max(1e-6)
        }
        _ => expected == obtained,
    }
}

/// Writes the data sets, runs the script on them and reads what it prints.
fn recompute(data: &DataSets, script: &str) -> BTreeMap<String, String> {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), data, script);
    let output =
        Command::new("Rscript").arg("recompute.R").current_dir(folder.path()).output().expect("Rscript runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    table(&String::from_utf8(output.stdout).unwrap())
}

fn write(folder: &Path, data: &DataSets, script: &str) {
    for set in data.all() {
        fs::write(folder.join(format!("{}.csv", set.name)), csv::write(set)).unwrap();
    }
    fs::write(folder.join("dictionary.csv"), csv::write_dictionary(data.all())).unwrap();
    fs::write(folder.join("recompute.R"), script).unwrap();
}

/// Reads `"id","key",value` lines.
fn table(text: &str) -> BTreeMap<String, String> {
    text.lines()
        .skip(1)
        .map(|line| {
            let (key, value) = line.rsplit_once(',').unwrap();
            (key.to_owned(), value.to_owned())
        })
        .collect()
}
