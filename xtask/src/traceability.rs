//! Which test shows which requirement, read from the sources and written to `docs/compliance/tests.csv`.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

const REQUIREMENTS: &str = "docs/compliance/requirements.csv";
const TESTS: &str = "docs/compliance/tests.csv";
/// Where tests are.
const FOLDERS: [&str; 2] = ["crates", "xtask"];
/// A line above a test that names what it shows besides its own name.
const SHOWS: &str = "// Shows: ";

/// A requirement.
struct Requirement {
    id: String,
    /// What is missing still; empty if nothing is.
    open: String,
}

/// Writes the table of tests and returns how many requirements they show.
///
/// # Errors
/// One line for each requirement without a test, each test that names none there is, or why a file can't be read.
pub fn write(root: &Path) -> Result<usize, Vec<String>> {
    let said = |error: String| vec![error];
    let requirements = requirements(root).map_err(said)?;
    let (rows, faults) = look_through(root, &requirements).map_err(|error| said(error.to_string()))?;
    if !faults.is_empty() {
        return Err(faults);
    }
    fs::write(root.join(TESTS), written(&rows)).map_err(|error| said(error.to_string()))?;
    Ok(rows.iter().map(|row| &row[0]).collect::<BTreeSet<_>>().len())
}

fn requirements(root: &Path) -> Result<Vec<Requirement>, String> {
    let mut reader = csv::Reader::from_path(root.join(REQUIREMENTS)).map_err(|error| error.to_string())?;
    reader
        .records()
        .map(|record| {
            let record = record.map_err(|error| error.to_string())?;
            let field = |place: usize| record.get(place).unwrap_or_default().to_owned();
            Ok(Requirement { id: field(0), open: field(3) })
        })
        .collect()
}

fn written(rows: &BTreeSet<[String; 4]>) -> String {
    let mut text = String::from("requirement,crate,test,file\n");
    for row in rows {
        // Ids, names and paths hold no comma and no quote.
        text.push_str(&row.join(","));
        text.push('\n');
    }
    text
}

/// The id as a test's name begins with it: `P11-10e-1` becomes `p11_10e_1_`.
fn beginning(id: &str) -> String {
    id.to_lowercase().replace(['-', '.'], "_") + "_"
}

/// Returns a row for each requirement and test that shows it, and what is wrong.
fn look_through(
    root: &Path,
    requirements: &[Requirement],
) -> io::Result<(BTreeSet<[String; 4]>, Vec<String>)> {
    let (mut rows, mut faults) = (BTreeSet::new(), Vec::new());
    let mut files = Vec::new();
    for folder in FOLDERS.iter().map(|folder| root.join(folder)).filter(|folder| folder.is_dir()) {
        sources(&folder, &mut files)?;
    }
    files.sort();
    for path in files {
        let within = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
        let of = within.trim_start_matches("crates/").split('/').next().unwrap_or_default().to_owned();
        let (mut is_test, mut named) = (false, Vec::new());
        for line in fs::read_to_string(&path)?.lines().map(str::trim) {
            if let Some(ids) = line.strip_prefix(SHOWS) {
                named.extend(ids.split(',').map(|id| id.trim().to_owned()));
            } else if line == "#[test]" {
                is_test = true;
            } else if let Some(name) = line.strip_prefix("fn ").and_then(|rest| rest.split('(').next()) {
                // Of ids of which one begins as the other does, the longer is meant.
                let by_name = requirements
                    .iter()
                    .filter(|requirement| name.starts_with(&beginning(&requirement.id)))
                    .max_by_key(|requirement| requirement.id.len());
                named.extend(by_name.map(|requirement| requirement.id.clone()));
                for id in named.drain(..).filter(|_| is_test) {
                    if !requirements.iter().any(|requirement| requirement.id == id) {
                        faults.push(format!("{within}: {name} shows {id}, which is no requirement"));
                    }
                    rows.insert([id, of.clone(), name.to_owned(), within.clone()]);
                }
                is_test = false;
            }
        }
    }
    for Requirement { id, open } in requirements {
        if open.is_empty() && !rows.iter().any(|row| row[0] == *id) {
            faults.push(format!("no test shows {id}, and the table does not say that it is open"));
        }
    }
    Ok((rows, faults))
}

fn sources(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            sources(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::workspace_root;

    #[test]
    fn p11_10a_1_every_requirement_has_its_test_and_the_table_is_as_the_sources_are() {
        let root = workspace_root();
        let (rows, faults) = look_through(&root, &requirements(&root).unwrap()).unwrap();
        assert!(faults.is_empty(), "{}", faults.join("\n"));
        let kept = fs::read_to_string(root.join(TESTS)).unwrap();
        assert_eq!(kept, written(&rows), "run cargo run --package xtask -- traceability");
    }

    #[test]
    fn a_requirement_without_a_test_and_a_test_without_a_requirement_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let sources = folder.path().join("crates/one/src");
        fs::create_dir_all(&sources).unwrap();
        let text =
            "#[test]\n// Shows: Q-2, Q-9\n#[expect(unused)]\nfn q_1_1_it_holds() {}\nfn q_1_no_test() {}\n";
        fs::write(sources.join("lib.rs"), text).unwrap();
        let of = |id: &str, open: &str| Requirement { id: id.to_owned(), open: open.to_owned() };
        let all = [of("Q-1", ""), of("Q-1-1", ""), of("Q-2", ""), of("Q-3", "to be built")];
        let (rows, faults) = look_through(folder.path(), &all).unwrap();
        let shown: Vec<_> = rows.iter().map(|row| row[0].as_str()).collect();
        assert_eq!(shown, ["Q-1-1", "Q-2", "Q-9"]);
        assert_eq!(faults.len(), 2, "{faults:?}");
        assert!(faults[0].contains("Q-9") && faults[1].contains("Q-1,"));
    }
}
