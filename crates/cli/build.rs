//! Puts the shipped studies and the user guide into the program, so that `demo` and `manual` need no files.

use std::{env, error::Error, fmt::Write, fs, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    let studies = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../../studies").canonicalize()?;
    println!("cargo::rerun-if-changed={}", studies.display());
    let mut list = String::from("&[\n");
    for study in sorted(&studies)? {
        let folder = studies.join(&study);
        if !folder.is_dir() {
            continue;
        }
        writeln!(list, "    ({study:?}, &[")?;
        collect(&folder, "", &mut list)?;
        writeln!(list, "    ]),")?;
    }
    list.push_str("]\n");
    fs::write(Path::new(&env::var("OUT_DIR")?).join("studies.rs"), list)?;
    let guide = studies.join("../docs/user-guide").canonicalize()?;
    println!("cargo::rerun-if-changed={}", guide.display());
    let mut list = String::from("&[\n");
    for name in sorted(&guide)? {
        if let Some(page) = name.strip_suffix(".md") {
            writeln!(list, "    ({page:?}, include_str!({:?})),", guide.join(&name))?;
        }
    }
    list.push_str("]\n");
    fs::write(Path::new(&env::var("OUT_DIR")?).join("manual.rs"), list)?;
    Ok(())
}

fn collect(folder: &Path, prefix: &str, list: &mut String) -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={}", folder.display());
    for name in sorted(folder)? {
        let path = folder.join(&name);
        if path.is_dir() {
            collect(&path, &format!("{prefix}{name}/"), list)?;
        } else if name.ends_with(".toml") {
            writeln!(list, "        ({:?}, include_str!({path:?})),", format!("{prefix}{name}"))?;
        }
    }
    Ok(())
}

fn sorted(folder: &Path) -> Result<Vec<String>, Box<dyn Error>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}
