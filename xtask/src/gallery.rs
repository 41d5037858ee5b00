//! Images of every page of both reports, for people who look at them before a release.
//!
//! The PDFs are drawn by poppler, the pages by a headless Chromium: once as a window
//! shows them, wide and as narrow as a telephone's, and once as they print.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Dots an inch: 100 is enough to read the smallest type.
const RESOLUTION: &str = "100";
/// The windows in which a page is shown, as tall as Chromium takes an image: a desk's and a telephone's.
const WINDOWS: [(&str, &str); 2] =
    [("window", "--window-size=1200,16000"), ("phone", "--window-size=390,16000")];

/// Rehearses both studies and writes images of their reports below `target/gallery`.
///
/// # Errors
/// A program is missing or fails; the text says which.
pub fn make(root: &Path) -> Result<PathBuf, String> {
    let gallery = root.join("target/gallery");
    if gallery.exists() {
        fs::remove_dir_all(&gallery).map_err(|fault| format!("{}: {fault}", gallery.display()))?;
    }
    let demo = gallery.join("demo");
    fs::create_dir_all(&demo).map_err(|fault| format!("{}: {fault}", demo.display()))?;
    run(Command::new(root.join("target/release/equipoise")).arg("demo").arg("--out").arg(&demo))?;
    let studies = fs::read_dir(&demo).map_err(|fault| format!("{}: {fault}", demo.display()))?;
    let mut folders: Vec<PathBuf> = studies.filter_map(|entry| Some(entry.ok()?.path())).collect();
    folders.sort();
    for study in folders.iter().filter(|folder| folder.join("report.html").exists()) {
        let name = study.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let images = gallery.join(&name);
        fs::create_dir_all(&images).map_err(|fault| format!("{}: {fault}", images.display()))?;
        pages(&study.join("report.pdf"), &images.join("pdf"))?;
        let page = format!("file://{}", study.join("report.html").display());
        for (name, window) in WINDOWS {
            let shown = format!("--screenshot={}", images.join(format!("{name}.png")).display());
            run(chromium(&gallery).args([window, &shown, &page]))?;
        }
        let printed = images.join("printed.pdf");
        run(chromium(&gallery).arg(format!("--print-to-pdf={}", printed.display())).arg(&page))?;
        pages(&printed, &images.join("printed"))?;
    }
    Ok(gallery)
}

/// Draws each page of a PDF as an image.
fn pages(pdf: &Path, stem: &Path) -> Result<(), String> {
    run(Command::new("pdftoppm").args(["-r", RESOLUTION, "-png"]).arg(pdf).arg(stem))
}

/// A browser that opens nothing but what it is given.
fn chromium(gallery: &Path) -> Command {
    let mut command = Command::new("chromium");
    command
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .args(["--hide-scrollbars", "--no-pdf-header-footer"])
        .arg(format!("--user-data-dir={}", gallery.join("browser").display()));
    command
}

fn run(command: &mut Command) -> Result<(), String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|fault| {
        format!("{name} can't be run ({fault}); scripts/set-up-gallery installs what this needs")
    })?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{name} failed: {}", String::from_utf8_lossy(&output.stderr)))
}
