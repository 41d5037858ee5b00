//! The shape of study files, said once.
//!
//! The structural reader and the JSON Schema are both made from these descriptions, so
//! neither can know a key that the other does not. What names mean, and what must agree
//! with what, is decided elsewhere.

use serde::Serialize;
use serde_json::{Map as Object, Value as Json, json};

/// What a name names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "each is what its name says")]
pub enum Kind {
    Language,
    Arm,
    Epoch,
    Site,
    Zone,
    Consent,
    Laboratory,
    Fact,
    Source,
    DataClass,
    Role,
    Visit,
    Activity,
    Codelist,
    Code,
    Form,
    Item,
    Check,
    Instrument,
    Unit,
    Rule,
    DoseRule,
    Deviation,
    Variable,
    Parameter,
    Test,
    Grading,
    Set,
    Estimand,
    Analysis,
    Effect,
    Setting,
    Reaction,
    Design,
    Scenario,
    Function,
    Estimate,
    DataSet,
    Watch,
    Time,
    Hazard,
}

impl Kind {
    /// Returns what people call such a thing, with its article.
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Kind::Language => "language of the study",
            Kind::Arm => "arm",
            Kind::Epoch => "epoch",
            Kind::Site => "site",
            Kind::Zone => "time zone",
            Kind::Consent => "consent version",
            Kind::Laboratory => "laboratory",
            Kind::Fact => "fact",
            Kind::Source => "source",
            Kind::DataClass => "data class",
            Kind::Role => "role",
            Kind::Visit => "visit",
            Kind::Activity => "activity",
            Kind::Codelist => "code list",
            Kind::Code => "code",
            Kind::Form => "form",
            Kind::Item => "item",
            Kind::Check => "edit check",
            Kind::Instrument => "instrument",
            Kind::Unit => "unit",
            Kind::Rule => "eligibility rule",
            Kind::DoseRule => "dose rule",
            Kind::Deviation => "deviation rule",
            Kind::Variable => "variable",
            Kind::Parameter => "parameter",
            Kind::Test => "laboratory test",
            Kind::Grading => "laboratory term of CTCAE",
            Kind::Set => "analysis set",
            Kind::Estimand => "estimand",
            Kind::Analysis => "analysis",
            Kind::Effect => "effect",
            Kind::Setting => "setting",
            Kind::Reaction => "reaction",
            Kind::Design => "design",
            Kind::Scenario => "scenario",
            Kind::Function => "function",
            Kind::Estimate => "estimate",
            Kind::DataSet => "data set",
            Kind::Watch => "watch",
            Kind::Time => "time to an event",
            Kind::Hazard => "hazard",
        }
    }
}

/// What may stand at a place in a file.
#[derive(Debug)]
pub(crate) enum Shape {
    /// Free text.
    Text,
    /// Text in the study's languages.
    Label,
    /// An expression of the study language.
    Expression,
    /// true or false.
    Flag,
    /// A whole number, both ends included.
    Integer { min: i64, max: i64 },
    /// A number; with `from`, at least that, with `to`, at most.
    Number { min: Option<i64>, max: Option<i64> },
    /// A number or text, as a fact's value.
    NumberOrText,
    /// A date.
    Date,
    /// A case's input, perhaps under a dotted key.
    Inputs,
    /// One of a closed set of words.
    Word(&'static [&'static str]),
    /// true, false or a word: a case's answer.
    Verdict(&'static [&'static str]),
    /// The name of something defined elsewhere.
    Name(Kind),
    /// A list.
    List(&'static Shape),
    /// A list of exactly so many.
    Several(usize, &'static Shape),
    /// A table with fixed keys.
    Table(&'static [Field]),
    /// A table with keys of the study's own.
    Map(Keys, &'static Shape),
    /// A table of one of several kinds, told apart by a key that only it has.
    Choice { common: &'static [Field], variants: &'static [Variant] },
}

/// What the keys of a map are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keys {
    /// They define names.
    Define(Kind),
    /// They name things defined elsewhere.
    Name(Kind),
    /// They are free.
    Free,
}

/// One kind of a [`Shape::Choice`].
#[derive(Debug)]
pub(crate) struct Variant {
    /// The key that makes it this kind.
    pub(crate) key: &'static str,
    /// The fields that only this kind has, that key's included.
    pub(crate) fields: &'static [Field],
}

/// A key of a table.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) key: &'static str,
    pub(crate) shape: Shape,
    pub(crate) required: bool,
    pub(crate) doc: &'static str,
}

/// A key that must be there.
pub(crate) const fn must(key: &'static str, shape: Shape, doc: &'static str) -> Field {
    Field { key, shape, required: true, doc }
}

/// A key that may be there.
pub(crate) const fn may(key: &'static str, shape: Shape, doc: &'static str) -> Field {
    Field { key, shape, required: false, doc }
}

/// A file of the study folder: its path, or its folder if it ends in `/`, its shape and whether it must be there.
#[derive(Debug)]
pub(crate) struct FileShape {
    pub(crate) path: &'static str,
    pub(crate) shape: Shape,
    pub(crate) required: bool,
    pub(crate) doc: &'static str,
}

impl FileShape {
    /// Says whether this describes the file at a path of the folder.
    pub(crate) fn covers(&self, path: &str) -> bool {
        match self.path.strip_suffix('/') {
            Some(folder) => path
                .strip_prefix(folder)
                .and_then(|rest| rest.strip_prefix('/'))
                .and_then(|name| name.strip_suffix(".toml"))
                .is_some_and(|stem| !stem.is_empty() && !stem.contains('/')),
            None => path == self.path,
        }
    }

    fn definition(&self) -> &'static str {
        self.path.trim_end_matches(".toml").trim_end_matches('/')
    }
}

/// Returns the JSON Schema of a study folder: an object from path to file, each file's own schema under `$defs`.
pub(crate) fn json_schema(files: &[FileShape]) -> Json {
    let mut definitions = Object::new();
    let mut fixed = Object::new();
    let mut patterns = Object::new();
    let mut required = Vec::new();
    for file in files {
        let name = file.definition();
        let mut schema = schema_of(&file.shape);
        schema["description"] = json!(file.doc);
        definitions.insert(name.to_owned(), schema);
        let reference = json!({ "$ref": format!("#/$defs/{name}") });
        if file.path.ends_with('/') {
            patterns.insert(format!("^{}[^/]+\\.toml$", file.path), reference);
        } else {
            fixed.insert(file.path.to_owned(), reference);
            if file.required {
                required.push(json!(file.path));
            }
        }
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A study folder of Equipoise: path to file",
        "type": "object",
        "properties": fixed,
        "patternProperties": patterns,
        "additionalProperties": false,
        "required": required,
        "$defs": definitions,
    })
}

fn schema_of(shape: &Shape) -> Json {
    let date = || json!({ "type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$" });
    match shape {
        Shape::Text => json!({ "type": "string" }),
        Shape::Expression => {
            json!({ "type": "string", "minLength": 1, "description": "An expression of the study language." })
        }
        Shape::Name(kind) => {
            json!({ "type": "string", "description": format!("The name of: {}.", kind.noun()) })
        }
        Shape::Label => json!({ "anyOf": [
            { "type": "string" },
            { "type": "object", "additionalProperties": { "type": "string" }, "minProperties": 1 },
        ] }),
        Shape::Flag => json!({ "type": "boolean" }),
        Shape::Integer { min, max } => json!({ "type": "integer", "minimum": min, "maximum": max }),
        Shape::Number { min, max } => {
            let mut schema = json!({ "type": "number" });
            if let Some(min) = min {
                schema["minimum"] = json!(min);
            }
            if let Some(max) = max {
                schema["maximum"] = json!(max);
            }
            schema
        }
        Shape::NumberOrText => json!({ "type": ["number", "string"] }),
        Shape::Date => date(),
        Shape::Inputs => json!({ "type": ["number", "string", "boolean", "object"] }),
        Shape::Word(words) => json!({ "enum": words }),
        Shape::Verdict(words) => {
            let answers: Vec<Json> =
                [json!(true), json!(false)].into_iter().chain(words.iter().map(|w| json!(w))).collect();
            json!({ "enum": answers })
        }
        Shape::List(of) => json!({ "type": "array", "items": schema_of(of) }),
        Shape::Several(count, of) => {
            json!({ "type": "array", "items": schema_of(of), "minItems": count, "maxItems": count })
        }
        Shape::Table(fields) => table_schema(fields, &[], None),
        Shape::Map(keys, of) => {
            let mut schema = json!({ "type": "object", "additionalProperties": schema_of(of) });
            if let Keys::Define(kind) | Keys::Name(kind) = keys {
                schema["description"] = json!(format!("Keys are names of: {}.", kind.noun()));
            }
            schema
        }
        Shape::Choice { common, variants } => {
            let kinds: Vec<Json> = variants
                .iter()
                .map(|variant| table_schema(common, variant.fields, Some(variant.key)))
                .collect();
            json!({ "anyOf": kinds })
        }
    }
}

/// Fields named `*` stand for all keys that no other field has.
fn table_schema(common: &[Field], own: &[Field], key: Option<&str>) -> Json {
    let mut properties = Object::new();
    let mut required: Vec<&str> = key.into_iter().collect();
    let mut rest = json!(false);
    for field in common.iter().chain(own) {
        let mut schema = schema_of(&field.shape);
        if field.key == "*" {
            rest = schema;
            continue;
        }
        schema["description"] = json!(field.doc);
        properties.insert(field.key.to_owned(), schema);
        if field.required && !required.contains(&field.key) {
            required.push(field.key);
        }
    }
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": rest })
}
