//! The reader and the JSON Schema are made from one description and are held to each other here.
//!
//! The validator below knows the part of JSON Schema that the schema uses, and fails on any other.

use std::{collections::BTreeMap, path::Path};

use protocol::{compile, schema, templates};
use serde_json::{Map, Value as Json, json};
use toml_edit::{Document, Item, Table, Value};

use crate::{STUDIES, folder, study};

fn value(value: &Value) -> Json {
    match value {
        Value::String(text) => json!(text.value()),
        Value::Integer(whole) => json!(whole.value()),
        Value::Float(number) => json!(number.value()),
        Value::Boolean(flag) => json!(flag.value()),
        Value::Datetime(date) => json!(date.value().to_string()),
        Value::Array(array) => array.iter().map(self::value).collect(),
        Value::InlineTable(table) => {
            Json::Object(table.iter().map(|(key, inner)| (key.to_owned(), self::value(inner))).collect())
        }
    }
}

fn table(table: &Table) -> Json {
    let item = |item: &Item| match item {
        Item::Value(inner) => value(inner),
        Item::Table(inner) => self::table(inner),
        Item::ArrayOfTables(tables) => tables.iter().map(self::table).collect(),
        Item::None => Json::Null,
    };
    Json::Object(table.iter().map(|(key, inner)| (key.to_owned(), item(inner))).collect())
}

/// Returns a study folder as the schema sees it: an object from path to file.
fn as_json(files: &BTreeMap<String, String>) -> Option<Json> {
    let mut object = Map::new();
    for (path, text) in files {
        object.insert(path.clone(), table(Document::parse(text.as_str()).ok()?.as_table()));
    }
    Some(Json::Object(object))
}

const KNOWN: &[&str] = &[
    "$schema",
    "$defs",
    "$ref",
    "title",
    "description",
    "type",
    "properties",
    "patternProperties",
    "additionalProperties",
    "propertyNames",
    "required",
    "items",
    "minItems",
    "maxItems",
    "minProperties",
    "minLength",
    "minimum",
    "maximum",
    "enum",
    "anyOf",
    "pattern",
];

/// Says whether a text fits one of the patterns that the schema uses.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern {
        "^forms/[^/]+\\.toml$" => {
            let stem = text.strip_prefix("forms/").and_then(|rest| rest.strip_suffix(".toml"));
            stem.is_some_and(|stem| !stem.is_empty() && !stem.contains('/'))
        }
        "^[0-9]{4}-[0-9]{2}-[0-9]{2}$" => {
            text.len() == 10
                && text
                    .char_indices()
                    .all(|(at, c)| if at == 4 || at == 7 { c == '-' } else { c.is_ascii_digit() })
        }
        other => panic!("the validator does not know the pattern {other}"),
    }
}

fn is_of_type(instance: &Json, name: &str) -> bool {
    match name {
        "object" => instance.is_object(),
        "array" => instance.is_array(),
        "string" => instance.is_string(),
        "boolean" => instance.is_boolean(),
        "number" => instance.is_number(),
        "integer" => instance.is_i64() || instance.is_u64(),
        other => panic!("the validator does not know the type {other}"),
    }
}

fn valid(root: &Json, schema: &Json, instance: &Json) -> bool {
    let Some(schema) = schema.as_object() else { return schema.as_bool().unwrap() };
    for key in schema.keys() {
        assert!(KNOWN.contains(&key.as_str()), "the validator does not know `{key}`");
    }
    if let Some(reference) = schema.get("$ref") {
        let name = reference.as_str().unwrap().strip_prefix("#/$defs/").unwrap();
        return valid(root, &root["$defs"][name], instance);
    }
    if let Some(types) = schema.get("type") {
        let fits = match types {
            Json::Array(types) => types.iter().any(|name| is_of_type(instance, name.as_str().unwrap())),
            name => is_of_type(instance, name.as_str().unwrap()),
        };
        if !fits {
            return false;
        }
    }
    let number = |key: &str| schema.get(key).and_then(Json::as_f64);
    let in_range = |value: f64| {
        number("minimum").is_none_or(|min| value >= min) && number("maximum").is_none_or(|max| value <= max)
    };
    schema.get("anyOf").is_none_or(|any| any.as_array().unwrap().iter().any(|one| valid(root, one, instance)))
        && schema.get("enum").is_none_or(|words| words.as_array().unwrap().contains(instance))
        && instance.as_f64().is_none_or(in_range)
        && instance.as_str().is_none_or(|text| {
            schema.get("pattern").is_none_or(|pattern| matches(pattern.as_str().unwrap(), text))
                && number("minLength").is_none_or(|least| text.chars().count() as f64 >= least)
        })
        && instance.as_array().is_none_or(|elements| valid_array(root, schema, elements))
        && instance.as_object().is_none_or(|object| valid_object(root, schema, object))
}

fn valid_array(root: &Json, schema: &Map<String, Json>, elements: &[Json]) -> bool {
    let bound = |key: &str| schema.get(key).and_then(Json::as_u64).map(|bound| bound as usize);
    bound("minItems").is_none_or(|least| elements.len() >= least)
        && bound("maxItems").is_none_or(|most| elements.len() <= most)
        && schema.get("items").is_none_or(|items| elements.iter().all(|element| valid(root, items, element)))
}

fn valid_object(root: &Json, schema: &Map<String, Json>, object: &Map<String, Json>) -> bool {
    let required = schema.get("required").map_or(&[][..], |keys| keys.as_array().unwrap());
    let least = schema.get("minProperties").and_then(Json::as_u64).unwrap_or(0) as usize;
    if object.len() < least || !required.iter().all(|key| object.contains_key(key.as_str().unwrap())) {
        return false;
    }
    object.iter().all(|(key, inner)| {
        if let Some(own) = schema.get("properties").and_then(|properties| properties.get(key)) {
            return valid(root, own, inner);
        }
        let patterns = schema.get("patternProperties").and_then(Json::as_object);
        if let Some((_, own)) = patterns.into_iter().flatten().find(|(pattern, _)| matches(pattern, key)) {
            return valid(root, own, inner);
        }
        schema.get("additionalProperties").is_none_or(|rest| valid(root, rest, inner))
    })
}

fn accepts(files: &BTreeMap<String, String>) -> bool {
    let root = schema();
    as_json(files).is_some_and(|instance| valid(&root, &root, &instance))
}

/// What the reader says by the shapes alone.
const STRUCTURAL: &[&str] = &[
    "unknown-key",
    "missing-key",
    "wrong-type",
    "out-of-range",
    "unknown-word",
    "missing-file",
    "unknown-file",
];

#[test]
fn the_schema_accepts_both_studies_and_the_templates() {
    for name in STUDIES {
        assert!(accepts(&study(name)), "{name}");
    }
    for name in templates::NAMES {
        assert!(accepts(&templates::files(name).unwrap()), "{name}");
    }
}

#[test]
fn the_schema_that_is_kept_is_the_schema_that_is_made() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/study.schema.json");
    let kept: Json = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert!(kept == schema(), "write it again: equipoise schema > docs/study.schema.json");
}

/// Fragments that no shape allows: file, what stands there, what is put instead.
const BROKEN: &[(&str, &str, &str)] = &[
    ("study.toml", "phase     = \"II\"", "phase     = 2"),
    ("study.toml", "phase     = \"II\"\n", ""),
    ("study.toml", "phase     = \"II\"", "phase     = \"II\"\nphaze     = \"II\""),
    ("study.toml", "blinded   = true", "blinded   = \"true\""),
    ("study.toml", "languages = [\"en\"]", "languages = \"en\""),
    ("study.toml", "languages = [\"en\"]", "languages = [1]"),
    ("study.toml", "randomised = 40", "randomised = 0"),
    ("study.toml", "randomised = 40", "randomised = 4.5"),
    ("study.toml", "randomised = 40", "planned = 40"),
    ("study.toml", "registry  = {}", "registry  = { x = 1 }"),
    ("study.toml", "title.en  = \"TITLE OF THE TRIAL\"", "title     = 3"),
    ("study.toml", "title.en  = \"TITLE OF THE TRIAL\"", "title     = {}"),
    ("study.toml", "\"1.0\" = {}", "\"1.0\" = { from = 3 }"),
    ("study.toml", "value    = 40", "value    = true"),
    ("study.toml", "mark     = \"assumed\"", "mark     = \"guessed\""),
    ("study.toml", "control = true", "control = 1"),
    ("roles.toml", "assessment = \"own visit\"", "assessment = \"sometimes\""),
    ("roles.toml", "may      = [\"administer\"]", "may      = [\"rule\"]"),
    ("roles.toml", "may      = [\"administer\"]", "may      = \"administer\""),
    ("roles.toml", "label.en = \"Investigator\"\n", ""),
    ("schedule.toml", "month = \"calendar\"", "month = \"lunar\""),
    ("schedule.toml", "days = [-28, -1]", "days = [-28]"),
    ("schedule.toml", "days = [-28, -1]", "days = [-28, 5]"),
    ("schedule.toml", "on = \"randomisation\"", "on = \"birth\""),
    ("schedule.toml", "within_days = 14, when", "within_days = -1, when"),
    ("schedule.toml", "months = 1, ", ""),
    ("schedule.toml", "unscheduled = true", "sometimes = true"),
    ("schedule.toml", "kits            = \" .  x  . x  x  x   .  .\"", "kits            = [\"x\"]"),
    ("codelists.toml", "female = { en = \"Female\" }", "female = 1"),
    ("forms/demography.toml", "type = \"code\"", "type = \"codes\""),
    ("forms/demography.toml", "minimum = 0", "minimum = \"0\""),
    ("forms/demography.toml", "role = \"sex\"", "role = \"gender\""),
    (
        "forms/chemistry.toml",
        "missing_allowed = [\"not done\", \"not measurable\"] }\ncre",
        "missing_allowed = [\"lost\"] }\ncre",
    ),
    ("forms/chemistry.toml", "severity = \"soft\"", "severity = \"medium\""),
    ("forms/chemistry.toml", "asks = true", "asks = \"perhaps\""),
    ("forms/chemistry.toml", "asks = true", "triggers = true"),
    ("forms/chemistry.toml", "when     = \"chemistry.alt > 3 * uln(chemistry.alt)\"", "when     = true"),
    ("laboratory.toml", "upper = 34", "upper = \"34\""),
    ("laboratory.toml", "upper = 34", "age_from = -1, upper = 34"),
    ("eligibility.toml", "include.en = \"Adult\"", "includes.en = \"Adult\""),
    ("eligibility.toml", "at         = [\"Scr\"]", "at         = \"Scr\""),
    ("dosing.toml", "levels_mg             = [200, 100]", "levels_mg             = [\"200\", 100]"),
    ("dosing.toml", "levels_down = [0, 0]", "levels_down = [0]"),
    ("dosing.toml", "action      = \"stop\"", "action      = \"pause\""),
    ("allocation.toml", "scheme = \"permuted blocks\"", "scheme = \"coin\""),
    ("allocation.toml", "active = 1", "active = 0"),
    ("allocation.toml", "holds = [\"block sizes\", \"list\"]", "holds = [\"everything\"]"),
    ("deviations.toml", "what     = \"eligibility\"", "what     = \"bad\""),
    ("deviations.toml", "dose_share_below = 0.80", "dose_share_below = 80"),
    ("analysis.toml", "measure   = \"change\"", "measure   = \"delta\""),
    ("analysis.toml", "missing   = \"locf\"", "missing   = \"zero\""),
    ("analysis.toml", "missing   = \"locf\"\n", ""),
    ("analysis.toml", "variable = \"age\"", "age = true"),
    ("analysis.toml", "confidence = 0.95, equal", "confidence = 95, equal"),
    ("analysis.toml", "equal_variances = false", "equal_variances = \"no\""),
    ("analysis.toml", "show     = [\"sources\"]", "shows    = [\"sources\"]"),
    ("virtual.toml", "female             = 0.6", "female             = 60"),
    ("virtual.toml", "sd = 12", "sd = -1"),
    ("virtual.toml", "opens              = 2024-01-08", "opens              = \"soon\""),
    ("virtual.toml", "{ from = \"sex\" }", "{ form = \"sex\" }"),
];

#[test]
fn what_the_schema_rejects_the_reader_rejects_and_the_other_way_round() {
    for (file, old, new) in BROKEN {
        let mut files = templates::files("two-arm").unwrap();
        assert!(files[*file].contains(old), "{file}: {old}");
        let text = files[*file].replacen(old, new, 1);
        files.insert((*file).to_owned(), text);
        assert!(!accepts(&files), "the schema accepts {file}: {new}");
        let errors = compile(&files).unwrap_err();
        let structural = errors.iter().any(|error| STRUCTURAL.contains(&error.code) && error.file == *file);
        assert!(structural, "the reader accepts the shape of {file}: {new}\n{errors:?}");
    }
}

#[test]
fn the_schema_accepts_a_broken_folder_exactly_where_the_reader_finds_its_shape_right() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/study_files");
    let mut compared = 0;
    for entry in std::fs::read_dir(corpus).unwrap() {
        let path = entry.unwrap().path();
        let mut files = templates::files("two-arm").unwrap();
        files.extend(folder(&path));
        // What TOML itself refuses no schema sees; the rest of these say with a shape's code what a section found.
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let beyond_shapes = ["method-needs-groups", "ten-faults"];
        if as_json(&files).is_none() || beyond_shapes.contains(&name.as_str()) {
            continue;
        }
        let errors = compile(&files).err().unwrap_or_default();
        let structural = errors.iter().any(|error| STRUCTURAL.contains(&error.code));
        assert_eq!(accepts(&files), !structural, "{name}: {errors:?}");
        compared += 1;
    }
    assert!(compared > 80);
}
