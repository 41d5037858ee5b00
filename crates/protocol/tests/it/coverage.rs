//! What the protocol says is held against the study: cells of the schedule, names, lines.

use std::collections::BTreeMap;

use crate::{STUDIES, study};

/// Each mark of the grid: activity, column, and where the mark stands in the text.
fn marks(schedule: &str) -> Vec<(String, String, usize)> {
    let start = schedule.find("[schedule]").unwrap();
    let end = schedule.find("[activities]").unwrap();
    let mut columns: Vec<&str> = Vec::new();
    let mut found = Vec::new();
    let mut offset = start;
    for line in schedule[start..end].split_inclusive('\n') {
        if let Some((name, rest)) = line.split_once('=')
            && let Some(cells) = rest.split('"').nth(1)
        {
            let cells_at = offset + line.find('"').unwrap() + 1;
            if name.trim() == "visits" {
                columns = cells.split_whitespace().collect();
            } else {
                let words = cells.char_indices().filter(|(_, letter)| !letter.is_whitespace());
                for (column, (at, mark)) in columns.iter().zip(words) {
                    if mark != '.' {
                        found.push((name.trim().to_owned(), (*column).to_owned(), cells_at + at));
                    }
                }
            }
        }
        offset += line.len();
    }
    found
}

fn with(files: &BTreeMap<String, String>, path: &str, text: String) -> BTreeMap<String, String> {
    let mut files = files.clone();
    files.insert(path.to_owned(), text);
    files
}

#[test]
fn any_mark_of_the_schedule_that_goes_missing_is_named() {
    for name in STUDIES {
        let files = study(name);
        let schedule = &files["schedule.toml"];
        let marks = marks(schedule);
        assert!(marks.len() > 100, "{name}: {} marks", marks.len());
        for (activity, column, at) in marks {
            let mut altered = schedule.clone();
            altered.replace_range(at..=at, ".");
            let errors = protocol::compile(&with(&files, "schedule.toml", altered)).unwrap_err();
            let says = format!("the protocol asks for `{activity}` at {column}, and schedule.toml does not");
            assert!(errors.iter().any(|error| error.message == says), "{name}: {activity} at {column}");
        }
    }
}

#[test]
fn a_mark_that_the_protocol_does_not_have_is_named() {
    for name in STUDIES {
        let files = study(name);
        let schedule = &files["schedule.toml"];
        let row = schedule.lines().find(|line| line.starts_with("demography ")).unwrap();
        let place = row.find(" . ").unwrap();
        let mut altered = row.to_owned();
        altered.replace_range(place..place + 3, " x ");
        let errors =
            protocol::compile(&with(&files, "schedule.toml", schedule.replace(row, &altered))).unwrap_err();
        assert!(
            errors.iter().any(|error| error.code == "coverage" && error.file == "schedule.toml"),
            "{name}"
        );
    }
}

#[test]
fn a_statement_that_answers_to_nothing_or_to_no_line_is_an_error() {
    let files = study("imatinib-open");
    let add = |text: &str| {
        let coverage = format!("{}\n{text}", files["coverage.toml"]);
        let errors = protocol::compile(&with(&files, "coverage.toml", coverage)).unwrap_err();
        errors.iter().map(|error| error.message.clone()).collect::<Vec<_>>()
    };
    assert_eq!(add("[statements.a]\nsays = \"A\"\n"), ["nothing of the study answers to `a`"]);
    assert_eq!(
        add("[statements.a]\nsays = \"A\"\nlines = [\"dosing.toml#levels_g\"]\n"),
        ["the study has no line `dosing.toml#levels_g`"]
    );
    assert_eq!(
        add("[statements.a]\nsays = \"A\"\nrules = [\"A-I99\"]\n"),
        ["there is no eligibility rule `A-I99`"]
    );
}

#[test]
fn every_rule_endpoint_dose_rule_deviation_and_fact_answers_to_a_statement() {
    for name in STUDIES {
        let study = protocol::compile(&study(name)).unwrap().study;
        let named: Vec<&str> = study
            .coverage
            .statements
            .iter()
            .flat_map(|statement| statement.references.iter().map(|(_, name)| name.as_str()))
            .collect();
        let all = study
            .eligibility
            .iter()
            .map(|rule| rule.id.as_str())
            .chain(study.plan.estimands.iter().map(|estimand| estimand.id.as_str()))
            .chain(study.dosing.rules.iter().map(|rule| rule.id.as_str()))
            .chain(study.deviations.iter().map(|rule| rule.id.as_str()))
            .chain(study.roles.iter().map(|role| role.id.as_str()))
            .chain(study.plan.sets.iter().map(|set| set.id.as_str()));
        let missing: Vec<&str> = all.filter(|id| !named.contains(id)).collect();
        assert!(missing.is_empty(), "{name}: no statement names {missing:?}");
    }
}
