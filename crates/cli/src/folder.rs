//! Study folders on disk.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, Result, bail};

/// Reads the study files below a folder: `*.toml`, by their path within it with `/` between.
///
/// # Errors
/// The folder can't be read, or holds no `study.toml`.
pub fn read(folder: &Path) -> Result<BTreeMap<String, String>> {
    let mut files = BTreeMap::new();
    collect(folder, "", &mut files)
        .with_context(|| format!("the study folder {} can't be read", folder.display()))?;
    if !files.contains_key("study.toml") {
        bail!(
            "{} holds no study.toml; name the folder of a study, or start one with `equipoise new`",
            folder.display()
        );
    }
    Ok(files)
}

/// Reads the folder of a plan over data sets from elsewhere: its `analysis.toml`.
///
/// # Errors
/// The folder can't be read, or holds no `analysis.toml`.
pub fn read_plan(folder: &Path) -> Result<BTreeMap<String, String>> {
    let path = folder.join("analysis.toml");
    if !path.exists() {
        bail!(
            "{} holds neither study.toml nor analysis.toml; name the folder of a study or of a plan",
            folder.display()
        );
    }
    let text = fs::read_to_string(&path).with_context(|| format!("{} can't be read", path.display()))?;
    Ok(BTreeMap::from([("analysis.toml".to_owned(), text)]))
}

fn collect(folder: &Path, prefix: &str, files: &mut BTreeMap<String, String>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &format!("{path}/"), files)?;
        } else if name.ends_with(".toml") {
            let text =
                fs::read_to_string(entry.path()).with_context(|| format!("{path} can't be read as text"))?;
            files.insert(path, text);
        }
    }
    Ok(())
}

/// Writes files below a folder that is new or empty.
///
/// # Errors
/// The folder holds something already, or can't be written.
pub fn write_new(folder: &Path, files: &BTreeMap<String, String>) -> Result<()> {
    if folder.exists() && fs::read_dir(folder)?.next().is_some() {
        bail!("{} is not empty; name a new folder", folder.display());
    }
    for (path, text) in files {
        let path = folder.join(path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).with_context(|| format!("{} can't be made", parent.display()))?;
        }
        fs::write(&path, text).with_context(|| format!("{} can't be written", path.display()))?;
    }
    Ok(())
}
