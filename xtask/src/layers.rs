//! Which crate may depend on which. Dependencies point downwards only.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// Each crate and the crates of this workspace it may use. What is not listed is refused.
const ALLOWED: &[(&str, &[&str])] = &[
    ("terms", &[]),
    ("instruments", &["terms"]),
    ("statistics", &[]),
    ("record", &["terms"]),
    ("allocation", &["terms"]),
    ("protocol", &["terms", "instruments"]),
    ("access", &["terms", "protocol"]),
    ("conduct", &["terms", "protocol", "instruments", "record", "access", "allocation"]),
    ("datasets", &["terms", "protocol", "instruments", "record", "conduct"]),
    ("analysis", &["terms", "protocol", "datasets", "statistics"]),
    (
        "simulation",
        &[
            "terms",
            "protocol",
            "instruments",
            "conduct",
            "record",
            "allocation",
            "datasets",
            "statistics",
            "analysis",
        ],
    ),
    ("report", &["terms", "protocol", "instruments", "datasets", "analysis"]),
    ("report-pdf", &["terms", "report"]),
    ("store", &["terms", "record", "conduct"]),
    ("exchange", &["terms", "protocol", "datasets", "analysis"]),
    (
        "server",
        &[
            "terms",
            "protocol",
            "instruments",
            "record",
            "access",
            "allocation",
            "conduct",
            "datasets",
            "simulation",
            "store",
        ],
    ),
    (
        "cli",
        &[
            "terms",
            "protocol",
            "instruments",
            "record",
            "access",
            "allocation",
            "conduct",
            "datasets",
            "statistics",
            "analysis",
            "simulation",
            "report",
            "report-pdf",
            "store",
            "server",
            "exchange",
        ],
    ),
];

/// Returns the folder of the workspace.
pub fn workspace_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace").to_owned()
}

/// Checks every crate's manifest and returns how many there are.
///
/// # Errors
/// One line for each dependency that points upwards and each crate that the table lacks.
pub fn check(root: &Path) -> Result<usize, Vec<String>> {
    let manifests = manifests(&root.join("crates"));
    let names: Vec<String> = manifests.keys().cloned().collect();
    let mut faults = Vec::new();
    for (name, text) in &manifests {
        let Some((_, allowed)) = ALLOWED.iter().find(|(known, _)| known == name) else {
            faults.push(format!("crate `{name}` has no place in the layers (xtask/src/layers.rs)"));
            continue;
        };
        for used in dependencies(text).filter(|used| names.contains(used)) {
            if !allowed.contains(&used.as_str()) {
                faults.push(format!("crate `{name}` may not depend on `{used}` (xtask/src/layers.rs)"));
            }
        }
    }
    if faults.is_empty() { Ok(manifests.len()) } else { Err(faults) }
}

fn manifests(crates: &Path) -> BTreeMap<String, String> {
    let folders = fs::read_dir(crates).expect("the workspace has a folder of crates");
    folders
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let text = fs::read_to_string(entry.path().join("Cargo.toml")).ok()?;
            Some((entry.file_name().to_string_lossy().into_owned(), text))
        })
        .collect()
}

/// Names under `[dependencies]`; what only the tests use may point anywhere.
fn dependencies(manifest: &str) -> impl Iterator<Item = String> {
    manifest
        .lines()
        .skip_while(|line| line.trim() != "[dependencies]")
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| line.split(['.', '=', ' ']).next())
        .filter(|name| !name.is_empty() && !name.starts_with('#'))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_point_downwards_only() {
        assert_eq!(check(&workspace_root()).err(), None);
    }

    #[test]
    fn an_upward_dependency_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let manifest = "[package]\nname = \"terms\"\n\n[dependencies]\nconduct.workspace = true\n";
        for (name, text) in [("terms", manifest), ("conduct", "[dependencies]\n")] {
            let crate_folder = folder.path().join("crates").join(name);
            fs::create_dir_all(&crate_folder).unwrap();
            fs::write(crate_folder.join("Cargo.toml"), text).unwrap();
        }
        let faults = check(folder.path()).unwrap_err();
        assert_eq!(faults, ["crate `terms` may not depend on `conduct` (xtask/src/layers.rs)"]);
    }
}
