//! Every number of both reports leads to rows and events.

use std::{collections::BTreeSet, fs, path::Path};

use crate::{demo, run};

/// The ids of all numbers in a page, as its links carry them.
fn numbers(page: &str) -> BTreeSet<String> {
    page.split("data-number=\"")
        .skip(1)
        .map(|rest| {
            rest.split('"').next().unwrap().replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
        })
        .collect()
}

#[test]
fn every_number_leads_to_rows_and_events_of_the_record() {
    let (folder, document) = demo(1);
    for study in document["studies"].as_array().unwrap() {
        let page = Path::new(study["reports"]["html"].as_str().unwrap());
        let text = fs::read_to_string(page).unwrap();
        let ids = numbers(&text);
        assert!(ids.len() > 100, "{} numbers", ids.len());
        every_link_leads_to_one_place(&text);
        every_analysis_names_lines_of_the_study(&text);
        let trial = folder.path().join(study["id"].as_str().unwrap());
        let walk = run(&["trace", page.to_str().unwrap(), "all", "--json"]);
        assert!(walk.status.success(), "{}", String::from_utf8_lossy(&walk.stderr));
        let traces: serde_json::Value = serde_json::from_slice(&walk.stdout).unwrap();
        let events = study["record"]["events"].as_u64().unwrap();
        for id in &ids {
            let trace = traces.get(id).unwrap_or_else(|| panic!("{id} of {} has no trace", trial.display()));
            let rows = trace["rows"].as_array().unwrap();
            // A count of nothing has no rows of its own, but always those among which it was counted.
            assert!(!rows.is_empty() || trace["text"].as_str().unwrap().starts_with('0'), "{id} has no rows");
            for row in rows {
                let sources = row["events"].as_array().unwrap();
                assert!(!sources.is_empty(), "{id}: row {row} has no events");
                assert!(sources.iter().all(|event| (1..=events).contains(&event.as_u64().unwrap())));
            }
        }
    }
}

/// The values of an attribute of a page.
fn values<'a>(page: &'a str, attribute: &str) -> Vec<&'a str> {
    let start = format!(" {attribute}=\"");
    page.split(&start).skip(1).map(|rest| rest.split('"').next().unwrap()).collect()
}

fn every_link_leads_to_one_place(page: &str) {
    let body = page.split("<script>").next().unwrap();
    let mut ids = BTreeSet::new();
    for id in values(body, "id") {
        assert!(ids.insert(id), "two places are called {id}");
    }
    for link in values(body, "href") {
        let place = link.strip_prefix('#').unwrap_or_else(|| panic!("{link} leads out of the page"));
        assert!(ids.contains(place), "nothing stands at {link}");
    }
}

/// The third step in the page itself: an analysis behind a number leads on to the study's own lines.
fn every_analysis_names_lines_of_the_study(page: &str) {
    let behind = page.split("<h3>Analyses</h3>").nth(1).unwrap();
    let analyses = behind.split("<h3>Lines of the study</h3>").next().unwrap();
    let mut seen = 0;
    for analysis in analyses.split("<summary>").skip(1) {
        let name = analysis.split("</summary>").next().unwrap();
        assert!(analysis.contains("<p>In the study: "), "{name} names no line");
        seen += 1;
    }
    assert!(seen > 50, "{seen} analyses");
}

#[test]
fn one_number_is_traced_to_who_entered_what_and_when() {
    let (_folder, document) = demo(1);
    let page = document["studies"][1]["reports"]["html"].as_str().unwrap();
    let output = run(&["trace", page, "A-P1-main/mean", "--json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let trace: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    // The third step: from the number's trace to the line of the study that says what it is.
    let line = trace["study"][0]["line"].as_str().unwrap();
    let (file, number) = line.split_once(':').unwrap();
    let text = fs::read_to_string(Path::new(page).with_file_name("study").join(file)).unwrap();
    assert_eq!(text.lines().nth(number.parse::<usize>().unwrap() - 1).unwrap(), "[analyses.A-P1-main]");
    let events = trace["events"].as_array().unwrap();
    assert!(events.iter().any(|event| {
        event["what"].as_str().unwrap().contains("skin_score")
            && !event["person"].as_str().unwrap().is_empty()
            && !event["recorded"].as_str().unwrap().is_empty()
            && event["changes"].as_array().is_some_and(|changes| !changes.is_empty())
    }));
}

#[test]
fn an_unknown_number_is_refused_with_a_way_on() {
    let (_folder, document) = demo(1);
    let page = document["studies"][1]["reports"]["html"].as_str().unwrap();
    let output = run(&["trace", page, "A-P1-main/maen"]);
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(
        message.contains("no number `A-P1-main/maen`") && message.contains("A-P1-main/mean"),
        "{message}"
    );
}

#[test]
fn every_kind_of_rule_is_traced_to_its_line_its_events_and_the_report() {
    let (_folder, document) = demo(1);
    let page = document["studies"][1]["reports"]["html"].as_str().unwrap();
    for (id, what, begins) in [
        ("A-X7", "eligibility rule", "[A-X7]"),
        ("not_tolerated", "dose rule", "[rules.not_tolerated]"),
        ("not_eligible", "deviation rule", "[major.not_eligible]"),
        ("A-P1", "endpoint", "[estimands.A-P1]"),
        ("stopping", "stopping rule", "[analyses.stopping]"),
        ("lung_worse", "edit check", "[checks.lung_worse]"),
        ("spirometry.fvc_pct_pred", "derivation", "instrument = \"gli2022\""),
    ] {
        let output = run(&["trace", page, id, "--json"]);
        assert!(output.status.success(), "{id}: {}", String::from_utf8_lossy(&output.stderr));
        let trace: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let found = &trace["found"][0];
        assert_eq!(found["what"], what);
        let (file, number) = found["study"][0].as_str().unwrap().split_once(':').unwrap();
        let text = fs::read_to_string(Path::new(page).with_file_name("study").join(file)).unwrap();
        assert_eq!(text.lines().nth(number.parse::<usize>().unwrap() - 1).unwrap(), begins);
        assert!(!found["events"].as_array().unwrap().is_empty(), "{id} was never applied");
        assert!(found["report"][0].as_str().unwrap().contains('#'), "{id} is nowhere in the report");
        if what == "dose rule" {
            let events = found["events"].as_array().unwrap();
            assert!(events.iter().all(|event| event["what"].as_str().unwrap().contains("300 mg")
                || event["what"].as_str().unwrap().contains("200 mg")));
        }
    }
}
