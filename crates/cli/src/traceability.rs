//! The matrix from requirements to tests to results, for the qualification report.
//!
//! Which test shows what is data of the repository (`docs/compliance/`), carried by every build. Results come from the
//! JUnit file of a run of all tests; without one the matrix says what is tested, and judges nothing.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use quick_xml::{Reader, events::Event};
use serde::Serialize;
use sha2::{Digest, Sha256};

const REQUIREMENTS: &str = include_str!("../../../docs/compliance/requirements.csv");
const TESTS: &str = include_str!("../../../docs/compliance/tests.csv");

/// A run of tests.
pub struct Run {
    file: PathBuf,
    sha256: String,
    /// Whether each test passed, by its name within its crate.
    passed: BTreeMap<String, bool>,
}

/// The matrix.
#[derive(Debug, Default, Serialize)]
pub struct Matrix {
    /// The file of results, if one was given.
    pub results: Option<PathBuf>,
    /// Its SHA-256.
    pub results_sha256: Option<String>,
    /// One line a requirement.
    pub lines: Vec<Line>,
}

/// A requirement, what shows it, and what became of that.
#[derive(Debug, Serialize)]
pub struct Line {
    /// Its id.
    pub id: String,
    /// The clause of the rule.
    pub clause: String,
    /// What the program must do.
    pub must: String,
    /// What is missing still; empty if nothing is.
    pub open: String,
    /// Tests that show it, `crate::test`.
    pub tests: Vec<String>,
    /// What became of it.
    pub result: Outcome,
}

/// What became of a requirement's tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// All passed.
    Passed,
    /// One did not.
    Failed,
    /// One is not among the results.
    NotRun,
    /// No results were given.
    NotJudged,
    /// The requirement is not met yet.
    Open,
}

impl Outcome {
    /// How the report says it.
    pub fn label(self) -> &'static str {
        match self {
            Outcome::Passed => "pass",
            Outcome::Failed => "FAIL",
            Outcome::NotRun => "not run",
            Outcome::NotJudged => "no results given",
            Outcome::Open => "open",
        }
    }
}

impl Matrix {
    /// Says whether no requirement failed or was left out of the results.
    pub fn pass(&self) -> bool {
        self.lines.iter().all(|line| !matches!(line.result, Outcome::Failed | Outcome::NotRun))
    }
}

/// Reads a JUnit file as nextest writes it.
///
/// # Errors
/// It can't be read, or holds no test.
pub fn read_run(path: &Path) -> Result<Run> {
    let text = fs::read_to_string(path).with_context(|| format!("{} can't be read", path.display()))?;
    let mut reader = Reader::from_str(&text);
    let mut passed = BTreeMap::new();
    let mut case: Option<String> = None;
    loop {
        let event = reader.read_event().with_context(|| format!("{} is no JUnit file", path.display()))?;
        match event {
            Event::Eof => break,
            Event::Start(tag) | Event::Empty(tag) if tag.name().as_ref() == "testcase" => {
                let name = tag.try_get_attribute("name")?.context("a test has no name")?;
                let name = name.value.into_owned();
                passed.insert(name.clone(), true);
                case = Some(name);
            }
            Event::Start(tag) | Event::Empty(tag)
                if matches!(tag.name().as_ref(), "failure" | "error" | "skipped") =>
            {
                if let Some(passed) = case.as_ref().and_then(|case| passed.get_mut(case)) {
                    *passed = false;
                }
            }
            _ => {}
        }
    }
    ensure!(!passed.is_empty(), "{} holds no test", path.display());
    let digest = Sha256::digest(text.as_bytes());
    let sha256 = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Run { file: path.to_owned(), sha256, passed })
}

/// Makes the matrix, judged by a run if there is one.
///
/// # Errors
/// The build carries tables that can't be read.
pub fn matrix(run: Option<&Run>) -> Result<Matrix> {
    let mut shown: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for record in csv::Reader::from_reader(TESTS.as_bytes()).records() {
        let record = record?;
        let field = |place: usize| record.get(place).unwrap_or_default().to_owned();
        shown.entry(field(0)).or_default().push((field(1), field(2)));
    }
    let mut lines = Vec::new();
    for record in csv::Reader::from_reader(REQUIREMENTS.as_bytes()).records() {
        let record = record?;
        let field = |place: usize| record.get(place).unwrap_or_default().to_owned();
        let (id, open) = (field(0), field(3));
        let tests = shown.remove(&id).unwrap_or_default();
        let result = judge(&open, &tests, run);
        lines.push(Line {
            id,
            clause: field(1),
            must: field(2),
            open,
            tests: tests.into_iter().map(|(of, test)| format!("{of}::{test}")).collect(),
            result,
        });
    }
    Ok(Matrix {
        results: run.map(|run| run.file.clone()),
        results_sha256: run.map(|run| run.sha256.clone()),
        lines,
    })
}

fn judge(open: &str, tests: &[(String, String)], run: Option<&Run>) -> Outcome {
    if tests.is_empty() && !open.is_empty() {
        return Outcome::Open;
    }
    let Some(run) = run else { return Outcome::NotJudged };
    let of = |test: &String| {
        let within = format!("::{test}");
        let mut found =
            run.passed.iter().filter(|(name, _)| *name == test || name.ends_with(&within)).peekable();
        found.peek().is_some().then(|| found.all(|(_, passed)| *passed))
    };
    let results: Vec<Option<bool>> = tests.iter().map(|(_, test)| of(test)).collect();
    if results.contains(&Some(false)) {
        Outcome::Failed
    } else if results.contains(&None) {
        Outcome::NotRun
    } else {
        Outcome::Passed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn junit(text: &str) -> Run {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("junit.xml");
        fs::write(&path, text).unwrap();
        read_run(&path).unwrap()
    }

    /// Results in which every test of the table passed but some.
    fn results(but: &str) -> String {
        let cases: String = csv::Reader::from_reader(TESTS.as_bytes())
            .records()
            .map(|record| record.unwrap()[2].to_owned())
            .map(|test| match test == but {
                true => format!("<testcase name=\"it::{test}\"><failure>no</failure></testcase>"),
                false => format!("<testcase name=\"it::{test}\"/>"),
            })
            .collect();
        format!("<testsuites><testsuite name=\"one\">{cases}</testsuite></testsuites>")
    }

    #[test]
    // Shows: P11-10a-1
    fn a_failed_or_missing_test_fails_its_requirement_and_no_other() {
        let all = matrix(Some(&junit(&results("")))).unwrap();
        assert!(all.pass());
        let failed = "p11_10d_nobody_gets_past_the_door_without_logging_in";
        let one = matrix(Some(&junit(&results(failed)))).unwrap();
        assert!(!one.pass());
        let named: Vec<_> = one.lines.iter().filter(|line| line.result == Outcome::Failed).collect();
        assert_eq!(named.len(), 1);
        assert_eq!(named[0].id, "P11-10d");
        let none = matrix(Some(&junit("<testsuites><testcase name=\"other\"/></testsuites>"))).unwrap();
        assert!(!none.pass());
        let judged = matrix(None).unwrap();
        assert!(judged.pass() && judged.lines.iter().all(|line| line.result != Outcome::Passed));
    }
}
