//! The reporting event: ids that resolve, and the published schema.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::Command,
};

use exchange::ars::reporting_event;
use serde_json::Value as Json;

use crate::pilot;

fn event() -> Json {
    reporting_event(&pilot::RUN.0, &pilot::RUN.1)
}

fn ids<'e>(list: &'e Json, of: &'e str) -> BTreeSet<&'e str> {
    let all: Vec<&str> = list.as_array().unwrap().iter().map(|one| one[of].as_str().unwrap()).collect();
    let distinct: BTreeSet<&str> = all.iter().copied().collect();
    assert_eq!(all.len(), distinct.len(), "ids are distinct");
    distinct
}

/// Calls `see` with every value under a key, at any depth.
fn each<'e>(json: &'e Json, key: &str, see: &mut dyn FnMut(&'e Json)) {
    match json {
        Json::Object(map) => {
            for (name, value) in map {
                if name == key {
                    see(value);
                }
                each(value, key, see);
            }
        }
        Json::Array(list) => list.iter().for_each(|value| each(value, key, see)),
        _ => {}
    }
}

#[test]
fn every_id_of_a_reporting_event_resolves() {
    let event = event();
    let operations: BTreeMap<&str, BTreeSet<&str>> = event["methods"]
        .as_array()
        .unwrap()
        .iter()
        .map(|method| (method["id"].as_str().unwrap(), ids(&method["operations"], "id")))
        .collect();
    let groups: BTreeMap<&str, BTreeSet<&str>> = event["analysisGroupings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|grouping| (grouping["id"].as_str().unwrap(), ids(&grouping["groups"], "id")))
        .collect();
    let (sets, subsets) = (ids(&event["analysisSets"], "id"), ids(&event["dataSubsets"], "id"));
    let (analyses, outputs) = (ids(&event["analyses"], "id"), ids(&event["outputs"], "id"));
    let mut numbers = 0;
    for analysis in event["analyses"].as_array().unwrap() {
        let own = &operations[analysis["methodId"].as_str().unwrap()];
        assert!(sets.contains(analysis["analysisSetId"].as_str().unwrap()));
        assert!(analysis.get("dataSubsetId").is_none_or(|id| subsets.contains(id.as_str().unwrap())));
        let ordered = analysis["orderedGroupings"].as_array().unwrap();
        let own_groupings: BTreeSet<&str> =
            ordered.iter().map(|one| one["groupingId"].as_str().unwrap()).collect();
        let mut seen = BTreeSet::new();
        for result in analysis["results"].as_array().unwrap() {
            assert!(own.contains(result["operationId"].as_str().unwrap()));
            for group in result.get("resultGroups").and_then(Json::as_array).into_iter().flatten() {
                let grouping = group["groupingId"].as_str().unwrap();
                assert!(own_groupings.contains(grouping));
                assert!(groups[grouping].contains(group["groupId"].as_str().unwrap()));
            }
            // A result is found by its operation and groups, so no two have the same.
            let key = format!("{}{}", result["operationId"], result["resultGroups"]);
            assert!(seen.insert(key.clone()), "{}: {key}", analysis["id"]);
            numbers += 1;
        }
    }
    assert!(numbers > 5000, "{numbers} numbers");
    each(&event["mainListOfContents"], "analysisId", &mut |id| {
        assert!(analyses.contains(id.as_str().unwrap()));
    });
    each(&event["mainListOfContents"], "outputId", &mut |id| {
        assert!(outputs.contains(id.as_str().unwrap()));
    });
}

/// The subset of one analysis.
fn subset<'e>(event: &'e Json, analysis: &str) -> &'e Json {
    let analyses = event["analyses"].as_array().unwrap();
    let of = analyses.iter().find(|one| one["id"] == format!("AN_{analysis}")).unwrap();
    let subsets = event["dataSubsets"].as_array().unwrap();
    subsets.iter().find(|one| one["id"] == of["dataSubsetId"]).unwrap()
}

#[test]
fn conditions_stand_in_the_standards_own_where_clauses() {
    let event = event();
    // PARAMCD == 'ACTOT' && ANL01FL == 'Y' && missing(DTYPE)
    let own = subset(&event, "14-3.2e.11");
    let joined = &own["compoundExpression"];
    assert_eq!(joined["logicalOperator"], "AND");
    let wheres: Vec<String> = joined["whereClauses"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            assert_eq!(one["level"], 2);
            let condition = &one["condition"];
            format!("{} {} {}", condition["variable"], condition["comparator"], condition["value"])
        })
        .collect();
    assert_eq!(wheres, [r#""PARAMCD" "EQ" ["ACTOT"]"#, r#""ANL01FL" "EQ" ["Y"]"#, r#""DTYPE" "EQ" []"#]);
    // Whatever has no clause says so in words.
    for one in event["dataSubsets"].as_array().unwrap() {
        let clauses = ["condition", "compoundExpression", "description"];
        assert_eq!(clauses.iter().filter(|key| one.get(**key).is_some()).count(), 1, "{one}");
    }
}

#[test]
fn a_reporting_event_passes_the_published_schema() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files");
    let file = tempfile::NamedTempFile::with_suffix(".json").unwrap();
    fs::write(file.path(), event().to_string()).unwrap();
    let check = |file: &Path| {
        let script = "import json, sys, jsonschema\n\
            jsonschema.Draft7Validator(json.load(open(sys.argv[1]))).validate(json.load(open(sys.argv[2])))";
        let schema = folder.join("ars_ldm.schema.json");
        Command::new("python3").args(["-c", script]).arg(schema).arg(file).output().unwrap()
    };
    let passed = check(file.path());
    assert!(passed.status.success(), "{}", String::from_utf8_lossy(&passed.stderr));
    let mut broken = event();
    broken.as_object_mut().unwrap().remove("id");
    fs::write(file.path(), broken.to_string()).unwrap();
    let refused = check(file.path());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("'id' is a required property"));
}
