//! `equipoise qualify`: runs reference cases on the installed program.
//!
//! A case file has one of two forms: `{instrument, tolerance_abs, vectors: [{id, in, out}]}`
//! for scores, reference equations and grades, or `{method, tolerance, cases: [{id, input,
//! output}]}` for statistical methods. Nothing is skipped: what the program does not know
//! (an instrument, a method, an input or output key, a data set) is reported as unsupported.
//!
//! Without a folder the cases that every build carries are run, and a report of installation and
//! operational qualification is written ([`crate::qualification`]).

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::Outcome;
use crate::qualification;
use crate::terminal::say;

/// What `qualify` takes.
#[derive(Args)]
pub struct Arguments {
    /// A folder of case files (`*.json`, folders within it too), or one such file; without this, the cases that
    /// the program carries are run and the qualification report is written
    #[arg(long, value_name = "DIR")]
    cases: Option<PathBuf>,
    /// Where the qualification report goes
    #[arg(long, value_name = "DIR", default_value = "qualification", conflicts_with = "cases")]
    out: PathBuf,
    /// The results of a run of all tests (JUnit, as nextest writes it): the report then says of each requirement whether its
    /// tests passed
    #[arg(long, value_name = "FILE", conflicts_with = "cases")]
    tests: Option<PathBuf>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// What became of a folder of cases.
#[derive(Debug, Default, Serialize)]
pub struct Qualified {
    /// Cases in all files.
    pub cases: usize,
    /// Cases of which every expected output was met.
    pub passed: usize,
    /// Every expected output that was not met.
    pub failed: Vec<Failed>,
    /// What could not be run or read.
    pub unsupported: Vec<Refused>,
    /// Every case with every value, for the qualification report.
    #[serde(skip)]
    pub records: Vec<CaseRecord>,
}

/// A case that was run.
#[derive(Debug, Serialize)]
pub struct CaseRecord {
    /// Its file.
    pub file: String,
    /// Its id.
    pub case: String,
    /// Whether every value was met.
    pub pass: bool,
    /// Why it could not be run, if it could not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unsupported: Option<String>,
    /// Its values.
    pub values: Vec<ValueRecord>,
}

/// One expected value.
#[derive(Debug, Serialize)]
pub struct ValueRecord {
    /// Its key, with the keys above it.
    pub field: String,
    /// What the case file says.
    pub expected: Value,
    /// What the program computed; `None` if it computes no such output.
    pub obtained: Option<Value>,
    /// Whether they agree within the file's tolerance.
    pub pass: bool,
}

/// An expected output that was not met.
#[derive(Debug, Serialize)]
pub struct Failed {
    file: String,
    case: String,
    field: String,
    expected: Value,
    obtained: Value,
}

/// A file, a case or an expected output that the program does not know.
#[derive(Debug, Serialize)]
pub struct Refused {
    file: String,
    /// `None` for a whole file.
    case: Option<String>,
    reason: String,
}

/// Runs the cases of a folder.
///
/// # Errors
/// The folder can't be read or holds no case file.
pub fn run(arguments: &Arguments) -> Result<Outcome> {
    let Some(cases) = &arguments.cases else {
        return qualification::run(&arguments.out, arguments.tests.as_deref(), arguments.json);
    };
    let qualified = qualify(cases)?;
    if arguments.json {
        say!("{}", serde_json::to_string_pretty(&qualified)?);
    } else {
        for one in &qualified.failed {
            let Failed { file, case, field, expected, obtained } = one;
            say!("FAILED       {file} {case} {field}: expected {expected}, obtained {obtained}");
        }
        for Refused { file, case, reason } in &qualified.unsupported {
            say!("UNSUPPORTED  {file} {}: {reason}", case.as_deref().unwrap_or("(whole file)"));
        }
        say!("{} of {} cases passed", qualified.passed, qualified.cases);
    }
    let all = qualified.passed == qualified.cases && qualified.unsupported.is_empty();
    Ok(if all { Outcome::Success } else { Outcome::Findings })
}

/// Runs every case file of a folder, in the order of their paths.
///
/// # Errors
/// The folder can't be read or holds no case file.
pub fn qualify(folder: &Path) -> Result<Qualified> {
    let mut files = BTreeSet::new();
    collect(folder, &mut files)?;
    if files.is_empty() {
        bail!("{} holds no case file; a case file's name ends in .json", folder.display());
    }
    let mut qualified = Qualified::default();
    for path in files {
        let name = match path.strip_prefix(folder) {
            Ok(within) if !within.as_os_str().is_empty() => within.display().to_string(),
            _ => path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned()),
        };
        let read = fs::read(&path).map_err(|error| format!("can't be read: {error}"));
        let parsed = read.and_then(|bytes| {
            serde_json::from_slice::<Value>(&bytes).map_err(|error| format!("is not JSON: {error}"))
        });
        let done = parsed.and_then(|file| run_file(&name, &file, &mut qualified));
        if let Err(reason) = done {
            eprintln!("error: {}: {reason}", path.display());
            qualified.unsupported.push(Refused { file: name, case: None, reason });
        }
    }
    Ok(qualified)
}

fn collect(path: &Path, files: &mut BTreeSet<PathBuf>) -> Result<()> {
    let is_folder = fs::metadata(path).with_context(|| format!("{} can't be read", path.display()))?.is_dir();
    if !is_folder {
        files.insert(path.to_owned());
        return Ok(());
    }
    for entry in fs::read_dir(path).with_context(|| format!("{} can't be read", path.display()))? {
        let entry = entry?.path();
        if entry.is_dir() || entry.extension().is_some_and(|extension| extension == "json") {
            collect(&entry, files)?;
        }
    }
    Ok(())
}

/// One difference, whichever library found it.
struct Difference {
    field: String,
    expected: Value,
    obtained: Option<Value>,
}

/// What was computed for a case, and where it is not as expected.
struct Checked {
    obtained: Value,
    found: Vec<Difference>,
}

/// Computes the outputs of an input and compares them with the expected ones; or says what is not known.
type Check<'a> = Box<dyn Fn(&Value, &Value) -> Result<Checked, String> + 'a>;

/// The keys of one form of case file, and how a case of it is checked.
struct Form<'a> {
    cases: &'static str,
    input: &'static str,
    output: &'static str,
    /// Keys that say where a case comes from and change nothing.
    remarks: &'static [&'static str],
    check: Check<'a>,
}

/// Runs one case file.
///
/// # Errors
/// The file is no case file.
pub fn run_file(name: &str, file: &Value, qualified: &mut Qualified) -> Result<(), String> {
    let file = file.as_object().ok_or("is not one JSON object")?;
    let form = match (file.contains_key("vectors"), file.contains_key("cases")) {
        (true, false) => of_instrument(file)?,
        (false, true) => of_method(file)?,
        _ => return Err("has neither `vectors` (of an instrument) nor `cases` (of a method)".to_owned()),
    };
    let cases = file[form.cases].as_array().ok_or_else(|| format!("`{}` is not a list", form.cases))?;
    if cases.is_empty() {
        return Err(format!("`{}` is empty", form.cases));
    }
    for (index, case) in cases.iter().enumerate() {
        qualified.cases += 1;
        let id = match &case["id"] {
            Value::String(id) => id.clone(),
            _ => format!("{}[{index}]", form.cases),
        };
        run_case(name, &id, case, &form, qualified);
    }
    Ok(())
}

fn run_case(file: &str, id: &str, case: &Value, form: &Form<'_>, qualified: &mut Qualified) {
    let (file, id) = (file.to_owned(), id.to_owned());
    let checked =
        parts(case, form).and_then(|(input, expected)| Ok((expected, (form.check)(input, expected)?)));
    let (expected, Checked { obtained, found }) = match checked {
        Ok(checked) => checked,
        Err(reason) => {
            let unsupported = Some(reason.clone());
            let record = CaseRecord {
                file: file.clone(),
                case: id.clone(),
                pass: false,
                unsupported,
                values: Vec::new(),
            };
            qualified.records.push(record);
            qualified.unsupported.push(Refused { file, case: Some(id), reason });
            return;
        }
    };
    if found.is_empty() {
        qualified.passed += 1;
    }
    let mut values = Vec::new();
    record("", expected, Some(&obtained), &found, &mut values);
    let pass = found.is_empty();
    let record = CaseRecord { file: file.clone(), case: id.clone(), pass, unsupported: None, values };
    qualified.records.push(record);
    for Difference { field, expected, obtained } in found {
        let (file, case) = (file.clone(), id.clone());
        match obtained {
            None => {
                let reason = format!("output `{field}` is not computed");
                qualified.unsupported.push(Refused { file, case: Some(case), reason });
            }
            Some(obtained) => qualified.failed.push(Failed { file, case, field, expected, obtained }),
        }
    }
}

/// Lists single values; where lists differ in length the whole list is one.
fn record(
    field: &str,
    expected: &Value,
    obtained: Option<&Value>,
    found: &[Difference],
    values: &mut Vec<ValueRecord>,
) {
    match (expected, obtained) {
        (Value::Object(keys), Some(Value::Object(given))) => {
            for (key, expected) in keys {
                let field = if field.is_empty() { key.clone() } else { format!("{field}.{key}") };
                record(&field, expected, given.get(key), found, values);
            }
        }
        (Value::Array(all), Some(Value::Array(given))) if all.len() == given.len() => {
            for (index, (expected, obtained)) in all.iter().zip(given).enumerate() {
                record(&format!("{field}[{index}]"), expected, Some(obtained), found, values);
            }
        }
        (expected, obtained) => {
            let pass = found.iter().all(|one| one.field != field);
            let (expected, obtained) = (expected.clone(), obtained.cloned());
            values.push(ValueRecord { field: field.to_owned(), expected, obtained, pass });
        }
    }
}

/// The input and the expected output of a case.
fn parts<'a>(case: &'a Value, form: &Form<'_>) -> Result<(&'a Value, &'a Value), String> {
    let case = case.as_object().ok_or("the case is not a JSON object")?;
    let known = |key: &&String| ["id", form.input, form.output].contains(&key.as_str());
    if let Some(key) = case.keys().find(|key| !known(key) && !form.remarks.contains(&key.as_str())) {
        return Err(format!("case key `{key}` is not known"));
    }
    let part = |key: &str| case.get(key).ok_or_else(|| format!("the case has no `{key}`"));
    let (input, output) = (part(form.input)?, part(form.output)?);
    match output.as_object() {
        Some(keys) if !keys.is_empty() => Ok((input, output)),
        _ => Err(format!("`{}` expects nothing", form.output)),
    }
}

/// Numbers of instruments agree to this if a file does not say otherwise.
const TOLERANCE_ABS: f64 = 1e-6;

fn of_instrument(file: &Map<String, Value>) -> Result<Form<'_>, String> {
    let instrument = file.get("instrument").and_then(Value::as_str).ok_or("has no `instrument`")?;
    let tolerance = match file.get("tolerance_abs") {
        None => TOLERANCE_ABS,
        Some(value) => value.as_f64().ok_or("`tolerance_abs` is not a number")?,
    };
    let check = move |input: &Value, expected: &Value| {
        let obtained =
            instruments::qualification::compute(instrument, input).map_err(|refused| refused.to_string())?;
        let found = instruments::qualification::differences(expected, &obtained, tolerance);
        let found = found.into_iter().map(|one| Difference {
            field: one.field,
            expected: one.expected,
            obtained: one.obtained,
        });
        let found = found.collect();
        Ok(Checked { obtained, found })
    };
    let remarks = &["note", "notes", "source", "provenance"];
    Ok(Form { cases: "vectors", input: "in", output: "out", remarks, check: Box::new(check) })
}

fn of_method(file: &Map<String, Value>) -> Result<Form<'_>, String> {
    let method = file.get("method").and_then(Value::as_str).ok_or("has no `method`")?;
    let tolerances = file.get("tolerance").unwrap_or(&Value::Null);
    let tolerances = statistics::qualification::Tolerances::read(tolerances)
        .map_err(|key| format!("`{key}` is not a tolerance"))?;
    let check = move |input: &Value, expected: &Value| {
        let input = with_data_set(file, input)?;
        let obtained =
            statistics::qualification::compute(method, &input).map_err(|refused| refused.to_string())?;
        let found = statistics::qualification::differences(expected, &obtained, &tolerances);
        let found = found.into_iter().map(|one| Difference {
            field: one.field,
            expected: one.expected,
            obtained: one.obtained,
        });
        let found = found.collect();
        Ok(Checked { obtained, found })
    };
    let remarks = &["call", "note", "notes", "source", "provenance"];
    Ok(Form { cases: "cases", input: "input", output: "output", remarks, check: Box::new(check) })
}

/// Puts the columns of the data set that a case names in its place: `dataset` becomes `data`.
fn with_data_set(file: &Map<String, Value>, input: &Value) -> Result<Value, String> {
    let mut input = input.clone();
    let Some(name) = input.as_object_mut().and_then(|keys| keys.remove("dataset")) else {
        return Ok(input);
    };
    let set = name.as_str().and_then(|name| file.get("datasets")?.get(name));
    let data = set.and_then(|set| set.get("data")).ok_or_else(|| format!("no data set is called {name}"))?;
    input["data"] = data.clone();
    Ok(input)
}
