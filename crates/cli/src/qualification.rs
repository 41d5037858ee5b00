//! Qualification of the installed program: is it whole, and does it compute what it should on this machine?
//!
//! Installation: what was installed (its hash), on what, and whether it is whole. Operation: every reference
//! case that the build carries, run by the same code as `qualify --cases`. The report is written as a page,
//! on paper and as JSON; the JSON holds every value, the page the farthest one of each case.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use report::document::{Align, Block, Column, Document, Row, Section, Table, text};
use report::trace::TraceAppendix;
use report::{Report, html};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::Outcome;
use crate::commands::qualify::{CaseRecord, Qualified, ValueRecord, run_file};
use crate::terminal::say;
use crate::traceability::{self, Matrix, Outcome as Shown};

/// The whole report.
#[derive(Debug, Serialize)]
struct Qualification {
    program: String,
    binary: String,
    binary_sha256: String,
    platform: String,
    /// UTC.
    made: String,
    pass: bool,
    requirements: Vec<Requirement>,
    traceability: Matrix,
    cases: Vec<CaseRecord>,
    unsupported: usize,
}

/// Something that the installed program must do.
#[derive(Debug, Clone, Serialize)]
struct Requirement {
    /// `IQ-…` of the installation, `OQ-…` of its operation.
    id: String,
    /// What it must do.
    statement: String,
    /// What was expected, in short.
    expected: String,
    /// What was found.
    obtained: String,
    pass: bool,
}

/// A case file that the build carries.
struct Carried {
    name: String,
    text: &'static str,
}

/// Qualifies the running program and writes the report into a folder.
///
/// # Errors
/// The program can't read itself, or the report can't be written.
pub fn run(folder: &Path, tests: Option<&Path>, as_json: bool) -> Result<Outcome> {
    let binary = std::env::current_exe().context("the program's own file can't be found")?;
    let bytes = fs::read(&binary).with_context(|| format!("{} can't be read", binary.display()))?;
    let carried = carried();
    let mut qualified = Qualified::default();
    for Carried { name, text } in &carried {
        let file: Value = serde_json::from_str(text).with_context(|| format!("{name} is not JSON"))?;
        if let Err(reason) = run_file(name, &file, &mut qualified) {
            bail!("{name}: {reason}");
        }
    }
    let results = tests.map(traceability::read_run).transpose()?;
    let traceability = traceability::matrix(results.as_ref())?;
    let mut requirements = installation(&carried);
    requirements.extend(operation(&carried, &qualified));
    let qualification = Qualification {
        program: format!("equipoise {}", env!("CARGO_PKG_VERSION")),
        binary: binary.display().to_string(),
        binary_sha256: hex(&Sha256::digest(&bytes)),
        platform: platform(),
        made: now(),
        pass: requirements.iter().all(|one| one.pass)
            && qualified.unsupported.is_empty()
            && traceability.pass(),
        requirements,
        traceability,
        unsupported: qualified.unsupported.len(),
        cases: qualified.records,
    };
    let files = write(folder, &qualification)?;
    tell(&qualification, &files, as_json)?;
    Ok(if qualification.pass { Outcome::Success } else { Outcome::Findings })
}

/// All case files, under the folders that they have in the sources.
fn carried() -> Vec<Carried> {
    let of_methods = statistics::qualification::CASE_FILES
        .iter()
        .map(|file| Carried { name: format!("statistics/{}", file.name), text: file.text });
    let of_instruments = instruments::qualification::CASE_FILES
        .iter()
        .map(|file| Carried { name: format!("instruments/{}", file.name), text: file.text });
    of_instruments.chain(of_methods).collect()
}

fn installation(carried: &[Carried]) -> Vec<Requirement> {
    let mut all = Sha256::new();
    for file in carried {
        all.update(file.name.as_bytes());
        all.update(file.text.as_bytes());
    }
    let digest = hex(&all.finalize());
    let requirement = |id: &str, statement: &str, expected: &str, obtained: String, pass| Requirement {
        id: id.to_owned(),
        statement: statement.to_owned(),
        expected: expected.to_owned(),
        obtained,
        pass,
    };
    // Each differs under extended precision, flushed subnormal numbers or another direction of rounding.
    let sums = [0.1 + 0.2, 1.0 + f64::EPSILON / 2.0, f64::MIN_POSITIVE / 4.0];
    let sums = std::hint::black_box(sums).map(f64::to_bits);
    let due = [0x3fd3_3333_3333_3334, 0x3ff0_0000_0000_0000, 0x0004_0000_0000_0000];
    let mut broken = Vec::new();
    let mut studies = 0;
    for (id, files) in crate::shipped::studies() {
        studies += 1;
        let sources: BTreeMap<String, String> = files;
        if protocol::compile(&sources).is_err() {
            broken.push(id);
        }
    }
    vec![
        requirement(
            "IQ-1",
            "The program carries its reference cases whole.",
            "as many files as the sources have",
            format!("{} files, SHA-256 {digest}", carried.len()),
            !carried.is_empty(),
        ),
        requirement(
            "IQ-2",
            "Arithmetic is that of IEEE 754 double precision, rounded to nearest, with subnormal numbers.",
            "3fd3333333333334 3ff0000000000000 0004000000000000",
            sums.map(|bits| format!("{bits:016x}")).join(" "),
            sums == due,
        ),
        requirement(
            "IQ-3",
            "Every study that ships with the program compiles.",
            &format!("{studies} studies"),
            if broken.is_empty() { format!("{studies} studies") } else { broken.join(", ") + " do not" },
            broken.is_empty() && studies > 0,
        ),
    ]
}

/// One requirement a case file: what it is about is met in every value.
fn operation(carried: &[Carried], qualified: &Qualified) -> Vec<Requirement> {
    let requirement = |file: &Carried| {
        let own: Vec<&CaseRecord> = qualified.records.iter().filter(|case| case.file == file.name).collect();
        let passed = own.iter().filter(|case| case.pass).count();
        let values: usize = own.iter().map(|case| case.values.len()).sum();
        let tool = serde_json::from_str::<Value>(file.text).ok();
        let tool = tool.as_ref().and_then(|file| file.get("tool")?.as_str());
        let (kind, name) = file.name.split_once('/').unwrap_or(("", &file.name));
        let name = name.trim_end_matches(".json");
        let statement = match (kind, tool) {
            ("statistics", Some(tool)) => format!("Method `{name}` gives the numbers of {tool}."),
            ("statistics", None) => format!("Method `{name}` gives its reference numbers."),
            _ => format!("Instrument `{name}` gives its reference scores."),
        };
        Requirement {
            id: format!("OQ-{name}"),
            statement,
            expected: format!("{} of {} cases", own.len(), own.len()),
            obtained: format!("{passed} of {} cases, {values} values", own.len()),
            pass: passed == own.len() && !own.is_empty(),
        }
    };
    carried.iter().map(requirement).collect()
}

fn platform() -> String {
    let family = std::env::consts::FAMILY;
    let (system, machine) = (std::env::consts::OS, std::env::consts::ARCH);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").ok();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let kernel = kernel.map_or(String::new(), |release| format!(" {}", release.trim()));
    format!("{system}{kernel} ({family}), {machine}, {threads} processors")
}

#[expect(clippy::disallowed_methods, reason = "the report says when it was made")]
fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn write(folder: &Path, qualification: &Qualification) -> Result<Vec<PathBuf>> {
    fs::create_dir_all(folder).with_context(|| format!("{} can't be made", folder.display()))?;
    let report = Report { document: document(qualification), trace: TraceAppendix::default() };
    let mut files = Vec::new();
    let mut keep = |name: &str, bytes: &[u8]| -> Result<()> {
        let path = folder.join(name);
        fs::write(&path, bytes).with_context(|| format!("{} can't be written", path.display()))?;
        files.push(path);
        Ok(())
    };
    keep("qualification.html", html::render(&report)?.as_bytes())?;
    #[cfg(feature = "pdf")]
    {
        let made: jiff::Timestamp = qualification.made.parse().context("the time of making is no time")?;
        let made = jiff::tz::TimeZone::UTC.to_datetime(made).date();
        keep("qualification.pdf", &report_pdf::render(&report.document, None, made)?)?;
    }
    keep("qualification.json", (serde_json::to_string(qualification)? + "\n").as_bytes())?;
    Ok(files)
}

fn tell(qualification: &Qualification, files: &[PathBuf], as_json: bool) -> Result<()> {
    let passed = qualification.cases.iter().filter(|case| case.pass).count();
    let cases = qualification.cases.len();
    if as_json {
        let short = serde_json::json!({
            "program": qualification.program,
            "binary_sha256": qualification.binary_sha256,
            "platform": qualification.platform,
            "pass": qualification.pass,
            "requirements": qualification.requirements,
            "traceability": qualification.traceability,
            "cases": cases,
            "passed": passed,
            "unsupported": qualification.unsupported,
            "files": files,
        });
        say!("{}", serde_json::to_string_pretty(&short)?);
        return Ok(());
    }
    for one in &qualification.requirements {
        let verdict = if one.pass { "pass" } else { "FAIL" };
        say!("{verdict}  {:<34} {}", one.id, one.obtained);
    }
    let matrix = &qualification.traceability;
    for line in matrix.lines.iter().filter(|line| !matches!(line.result, Shown::Passed | Shown::NotJudged)) {
        say!("{:<7}  {:<11} {}", line.result.label(), line.id, line.must);
    }
    let shown = matrix.lines.iter().filter(|line| !line.tests.is_empty()).count();
    let judged = if matrix.results.is_some() { "" } else { "; give a run's results with --tests" };
    say!("{shown} of {} requirements are shown by tests{judged}", matrix.lines.len());
    say!("{passed} of {cases} cases passed; SHA-256 of the program {}", qualification.binary_sha256);
    for file in files {
        say!("{}", file.display());
    }
    Ok(())
}

/// The report as a document.
fn document(qualification: &Qualification) -> Document {
    let verdict = if qualification.pass { "Passed" } else { "Not passed" };
    let of_kind = |kind: &str| -> Vec<&Requirement> {
        qualification.requirements.iter().filter(|one| one.id.starts_with(kind)).collect()
    };
    let passed = qualification.cases.iter().filter(|case| case.pass).count();
    let values: usize = qualification.cases.iter().map(|case| case.values.len()).sum();
    let summary = format!(
        "{verdict}. {passed} of {} reference cases with {values} values were met on this machine by the program whose hash stands above. \
         Expected values come from the programs that each requirement names; the code that computes is given the inputs alone.",
        qualification.cases.len()
    );
    let mut sections = vec![
        section("summary", "Summary", vec![Block::Paragraph(text(summary))]),
        section(
            "installation",
            "Installation",
            vec![Block::Table(requirements("installation-table", "Installation", &of_kind("IQ-")))],
        ),
        section(
            "operation",
            "Operation",
            vec![Block::Table(requirements("operation-table", "Operation, by requirement", &of_kind("OQ-")))],
        ),
    ];
    sections.push(section(
        "traceability",
        "Requirements, tests, results",
        traced(&qualification.traceability),
    ));
    let mut by_file: BTreeMap<&str, Vec<&CaseRecord>> = BTreeMap::new();
    for case in &qualification.cases {
        by_file.entry(&case.file).or_default().push(case);
    }
    let tables = by_file.into_iter().enumerate();
    let tables = tables.map(|(place, (file, cases))| Block::Table(cases_of(place, file, &cases)));
    let mut blocks = vec![Block::Paragraph(text(
        "Of each case the value that lies farthest from the expected one, relative to it, is shown; qualification.json holds all values.",
    ))];
    blocks.extend(tables);
    sections.push(section("cases", "Cases", blocks));
    Document {
        title: "Installation and operational qualification".to_owned(),
        language: "en".to_owned(),
        label_language: "en".to_owned(),
        banner: None,
        provenance: vec![
            ("Program".to_owned(), qualification.program.clone()),
            ("SHA-256 of its file".to_owned(), qualification.binary_sha256.clone()),
            ("Platform".to_owned(), qualification.platform.clone()),
            ("Made".to_owned(), qualification.made.clone()),
        ],
        sections,
    }
}

fn section(id: &str, title: &str, blocks: Vec<Block>) -> Section {
    Section { id: id.to_owned(), title: title.to_owned(), titled_by_study: false, blocks }
}

fn columns(heads: &[(&str, Align)]) -> Vec<Column> {
    heads.iter().map(|(head, align)| Column { head: (*head).to_owned(), align: *align }).collect()
}

fn verdict(pass: bool) -> &'static str {
    if pass { "pass" } else { "FAIL" }
}

fn requirements(id: &str, caption: &str, all: &[&Requirement]) -> Table {
    let row = |one: &&Requirement| {
        let cells = [&one.statement, &one.expected, &one.obtained].map(|cell| text(cell.clone()));
        Row::new(one.id.clone(), cells.into_iter().chain([text(verdict(one.pass))]).collect())
    };
    Table {
        id: id.to_owned(),
        caption: caption.to_owned(),
        columns: columns(&[
            ("Requirement", Align::Text),
            ("It must", Align::Text),
            ("Expected", Align::Text),
            ("Obtained", Align::Text),
            ("Result", Align::Word),
        ]),
        rows: all.iter().map(row).collect(),
        ..Table::default()
    }
}

/// The matrix, with where its results come from.
fn traced(matrix: &Matrix) -> Vec<Block> {
    let from = match (&matrix.results, &matrix.results_sha256) {
        (Some(file), Some(digest)) => {
            format!("Results are those of {} (SHA-256 {digest}).", file.display())
        }
        _ => "No results of a run of the tests were given, so nothing is judged here; `qualify --tests` takes them."
            .to_owned(),
    };
    let row = |line: &traceability::Line| {
        let must = if line.open.is_empty() {
            line.must.clone()
        } else {
            format!("{} Open: {}", line.must, line.open)
        };
        let tests = line.tests.join(", ").replace('_', " ");
        let cells = [line.clause.clone(), must, tests].map(text);
        Row::new(line.id.clone(), cells.into_iter().chain([text(line.result.label())]).collect())
    };
    let table = Table {
        id: "traceability-table".to_owned(),
        caption: "Requirements, the tests that show them, and what became of those".to_owned(),
        columns: columns(&[
            ("Requirement", Align::Text),
            ("Clause", Align::Text),
            ("It must", Align::Text),
            ("Tests", Align::Text),
            ("Result", Align::Word),
        ]),
        rows: matrix.lines.iter().map(row).collect(),
        ..Table::default()
    };
    vec![Block::Paragraph(text(from)), Block::Table(table)]
}

fn cases_of(place: usize, file: &str, cases: &[&CaseRecord]) -> Table {
    let row = |case: &&CaseRecord| {
        let farthest = farthest(&case.values);
        let cells = match (&case.unsupported, farthest) {
            (Some(reason), _) => [String::new(), String::new(), String::new(), reason.clone()],
            (None, None) => ["0".to_owned(), String::new(), String::new(), String::new()],
            (None, Some(value)) => [
                case.values.len().to_string(),
                value.field.clone(),
                value.expected.to_string(),
                value.obtained.as_ref().map_or_else(|| "not computed".to_owned(), Value::to_string),
            ],
        };
        Row::new(case.case.clone(), cells.map(text).into_iter().chain([text(verdict(case.pass))]).collect())
    };
    Table {
        id: format!("cases-{place}"),
        caption: file.trim_end_matches(".json").to_owned(),
        columns: columns(&[
            ("Case", Align::Text),
            ("Values", Align::Number),
            ("Farthest", Align::Text),
            ("Expected", Align::Number),
            ("Obtained", Align::Number),
            ("Result", Align::Word),
        ]),
        rows: cases.iter().map(row).collect(),
        ..Table::default()
    }
}

/// The value that a reader wants to see: one that was not met, or else the farthest from what was expected.
fn farthest(values: &[ValueRecord]) -> Option<&ValueRecord> {
    let distance = |value: &ValueRecord| {
        let numbers = value.expected.as_f64().zip(value.obtained.as_ref().and_then(Value::as_f64));
        let share = numbers.map_or(0.0, |(expected, obtained)| {
            (obtained - expected).abs() / expected.abs().max(f64::MIN_POSITIVE)
        });
        if value.pass { share.min(f64::MAX) } else { f64::INFINITY }
    };
    // The first of equals, so that the report is the same every time.
    values.iter().rev().max_by(|a, b| distance(a).total_cmp(&distance(b)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn value(field: &str, expected: f64, obtained: f64, pass: bool) -> ValueRecord {
        ValueRecord {
            field: field.to_owned(),
            expected: json!(expected),
            obtained: Some(json!(obtained)),
            pass,
        }
    }

    #[test]
    fn what_was_not_met_is_shown_before_what_is_far() {
        let values = [
            value("a", 1.0, 1.0, true),
            value("b", 1.0, 1.1, true),
            value("c", 0.0, 1e-9, false),
            value("d", 1.0, 1.2, true),
        ];
        assert_eq!(farthest(&values).unwrap().field, "c");
        assert_eq!(farthest(&values[..2]).unwrap().field, "b");
        assert_eq!(farthest(&values[..1]).unwrap().field, "a");
        assert!(farthest(&[]).is_none());
    }

    #[test]
    fn a_failed_requirement_is_named_in_the_document() {
        let requirement = |id: &str, pass| Requirement {
            id: id.into(),
            statement: "s".into(),
            expected: "e".into(),
            obtained: "o".into(),
            pass,
        };
        let case = CaseRecord {
            file: "statistics/x.json".into(),
            case: "one".into(),
            pass: false,
            unsupported: None,
            values: vec![value("p", 0.5, 0.25, false)],
        };
        let document = document(&Qualification {
            program: "equipoise".into(),
            binary: String::new(),
            binary_sha256: "00".into(),
            platform: "p".into(),
            made: "m".into(),
            pass: false,
            requirements: vec![requirement("IQ-1", true), requirement("OQ-x", false)],
            traceability: Matrix::default(),
            cases: vec![case],
            unsupported: 0,
        });
        let all: String =
            document.runs().into_iter().map(report::document::plain).collect::<Vec<_>>().join("|");
        assert!(all.contains("Not passed. 0 of 1 reference cases"), "{all}");
        assert!(all.contains("OQ-x|s|e|o|FAIL"), "{all}");
        assert!(all.contains("one|1|p|0.5|0.25|FAIL"), "{all}");
    }
}
