//! Both reports as PDF: their structure by three independent programs, their words on every page.
//!
//! The exporter itself refuses to write a file that breaks what it checks of PDF/UA-1
//! and PDF/A-2a. Here qpdf reads the file's syntax, `pdfua` what it knows of PDF/UA-1,
//! `structure.py` the rest of what can be seen in the structure tree, and poppler
//! says where each word stands.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use crate::{demo, demo_with, files, root};

fn output(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|fault| panic!("{command:?}: {fault}; run scripts/set-up-tests"))
}

/// A program of the Python environment that `scripts/set-up-tests` makes.
fn python(name: &str) -> Command {
    Command::new(root().join("target/python/bin").join(name))
}

fn structure(pdf: &Path) -> serde_json::Value {
    let script = root().join("crates/report-pdf/tests/structure.py");
    let said = output(python("python").arg(script).arg(pdf));
    serde_json::from_slice(&said.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&said.stderr)))
}

/// A word on a page: its box in points, and what it says.
#[derive(Debug)]
struct Word {
    left: f64,
    top: f64,
    right: f64,
    bottom: f64,
    says: String,
}

/// The pages of a PDF: width, height, words.
fn pages(pdf: &Path) -> Vec<(f64, f64, Vec<Word>)> {
    let said = output(Command::new("pdftotext").arg("-bbox").arg(pdf).arg("-"));
    let text = String::from_utf8(said.stdout).unwrap();
    let number = |line: &str, name: &str| -> f64 {
        line.split(&format!("{name}=\""))
            .nth(1)
            .and_then(|rest| rest.split('"').next())
            .unwrap()
            .parse()
            .unwrap()
    };
    let mut pages = Vec::new();
    for line in text.lines().map(str::trim) {
        if line.starts_with("<page ") {
            pages.push((number(line, "width"), number(line, "height"), Vec::new()));
        } else if line.starts_with("<word ") {
            let says = line.split('>').nth(1).unwrap().split('<').next().unwrap().to_owned();
            let [left, top, right, bottom] = ["xMin", "yMin", "xMax", "yMax"].map(|name| number(line, name));
            pages.last_mut().unwrap().2.push(Word { left, top, right, bottom, says });
        }
    }
    pages
}

/// Words that overlap or leave their page's margins.
fn misplaced(pages: &[(f64, f64, Vec<Word>)]) -> Vec<String> {
    /// No word comes nearer to the edge of the paper, in points.
    const MARGIN: f64 = 30.0;
    let mut faults = Vec::new();
    for (number, (width, height, words)) in pages.iter().enumerate() {
        let number = number + 1;
        for (place, word) in words.iter().enumerate() {
            let inside = word.left >= MARGIN
                && word.top >= MARGIN
                && word.right <= width - MARGIN
                && word.bottom <= height - MARGIN;
            if !inside {
                faults.push(format!("page {number}: `{}` stands in the margin", word.says));
            }
            for other in &words[place + 1..] {
                // Boxes hold the font's full ascent and descent; words themselves fill about the middle.
                let trim = |word: &Word| {
                    let rise = 0.3 * (word.bottom - word.top);
                    (word.top + rise, word.bottom - rise)
                };
                let ((top, bottom), (other_top, other_bottom)) = (trim(word), trim(other));
                let across = word.right.min(other.right) - word.left.max(other.left);
                let down = bottom.min(other_bottom) - top.max(other_top);
                if across > 1.0 && down > 0.5 {
                    faults.push(format!("page {number}: `{}` and `{}` overlap", word.says, other.says));
                }
            }
        }
    }
    faults
}

/// One test, because each test is a process of its own and would rehearse both trials anew.
#[test]
fn both_pdfs_are_sound_in_structure_and_legible_on_every_page() {
    let (_folder, document) = demo_with(1, &[]);
    let studies = document["studies"].as_array().unwrap();
    let pdfs: Vec<PathBuf> =
        studies.iter().map(|study| PathBuf::from(study["reports"]["pdf"].as_str().unwrap())).collect();
    assert_eq!(pdfs.len(), 2);
    for pdf in &pdfs {
        three_programs_find_no_fault(pdf);
        let pages = pages(pdf);
        every_page_says_that_the_cohort_is_virtual(&pages);
        let faults = misplaced(&pages);
        assert!(faults.is_empty(), "{}: {} faults\n{}", pdf.display(), faults.len(), faults.join("\n"));
    }
    lost_structure_is_found_out(&pdfs[0]);
}

#[test]
fn no_word_in_a_drawing_overlaps_another_or_leaves_its_canvas() {
    let (folder, _) = demo(1);
    let mut all = Vec::new();
    let mut drawings = 0;
    for path in files(folder.path()).iter().filter(|path| path.extension().is_some_and(|it| it == "svg")) {
        let name = path.strip_prefix(folder.path()).unwrap().display();
        let found = report_pdf::drawing::faults(&fs::read_to_string(path).unwrap()).unwrap();
        all.extend(found.into_iter().map(|fault| format!("{name}: {fault}")));
        drawings += 1;
    }
    assert!(drawings >= 8, "{drawings} drawings");
    assert!(all.is_empty(), "{} faults:\n{}", all.len(), all.join("\n"));
}

fn three_programs_find_no_fault(pdf: &Path) {
    let bytes = fs::read(pdf).unwrap();
    assert!(bytes.starts_with(b"%PDF-1.7"), "{}", pdf.display());
    let syntax = output(Command::new("qpdf").arg("--check").arg(pdf));
    assert!(syntax.status.success(), "{}", String::from_utf8_lossy(&syntax.stdout));
    let ua = output(python("pdfua").arg("check").arg(pdf));
    assert!(ua.status.success(), "{}", String::from_utf8_lossy(&ua.stdout));
    let found = structure(pdf);
    assert_eq!(found["faults"].as_array().unwrap().len(), 0, "{found:#}");
    let count = |what: &str| found["counts"][what].as_u64().unwrap_or(0);
    let page = fs::read_to_string(pdf.with_extension("html")).unwrap();
    let body = page.split("<h2 id=\"behind-the-numbers\"").next().unwrap();
    assert!(count("Figure") as usize >= body.matches("<figure ").count() - 1, "{found:#}");
    // Tables of each participant behind a figure stay with the page.
    let each = body.split("<details><summary>The numbers in this figure").skip(1).map(|piece| {
        let inside = piece.split("</details>").next().unwrap();
        inside.matches(">Participant</th>").count()
    });
    let tables = body.matches("<table").count() - each.sum::<usize>();
    assert!(count("Table") as usize >= tables, "{tables} tables, {found:#}");
    // Tables behind a figure name their analyses once; elsewhere a number with its interval is one link.
    let mut pieces = body.split("<details><summary>The numbers in this figure");
    let outside =
        pieces.next().into_iter().chain(pieces.filter_map(|piece| Some(piece.split_once("</details>")?.1)));
    let linked = |piece: &str| {
        let cells = piece.split("<td").skip(1).filter_map(|cell| cell.split("</td>").next());
        cells.filter(|cell| cell.contains("<a class=\"n\"")).count()
    };
    let cells: usize = outside.map(linked).sum();
    assert!(cells > 300 && count("links") as usize >= cells, "{cells} cells with numbers, {found:#}");
    assert!(count("TH") > 100 && count("H1") > 5, "{found:#}");
}

fn every_page_says_that_the_cohort_is_virtual(pages: &[(f64, f64, Vec<Word>)]) {
    for (number, (_, _, words)) in pages.iter().enumerate() {
        let text: Vec<&str> = words.iter().map(|word| word.says.as_str()).collect();
        let text = text.join(" ");
        assert!(text.contains("every participant in this report was simulated"), "page {}", number + 1);
        assert!(text.contains(&format!("page {} of {}", number + 1, pages.len())), "page {}", number + 1);
        assert!(words.len() > 40, "page {} is all but empty", number + 1);
    }
}

#[test]
fn overlapping_words_and_words_in_the_margin_are_found() {
    let word = |left: f64, top: f64, says: &str| Word {
        left,
        top,
        right: left + 30.0,
        bottom: top + 10.0,
        says: says.to_owned(),
    };
    let page = |words| vec![(595.0, 842.0, words)];
    assert!(misplaced(&page(vec![word(60.0, 60.0, "mean"), word(60.0, 70.0, "median")])).is_empty());
    let over = misplaced(&page(vec![word(60.0, 60.0, "mean"), word(80.0, 62.0, "12.5")]));
    assert_eq!(over, ["page 1: `mean` and `12.5` overlap"]);
    let off = misplaced(&page(vec![word(560.0, 60.0, "median")]));
    assert_eq!(off, ["page 1: `median` stands in the margin"]);
}

fn lost_structure_is_found_out(pdf: &Path) {
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("broken.pdf");
    let script = "import pikepdf, sys\n\
        pdf = pikepdf.open(sys.argv[1])\n\
        del pdf.Root.MarkInfo\n\
        for one in pdf.objects:\n\
        \x20   if isinstance(one, pikepdf.Dictionary) and one.get('/S') == '/Figure' and '/Alt' in one: del one.Alt\n\
        \x20   if isinstance(one, pikepdf.Dictionary) and one.get('/S') == '/TH' and '/A' in one: del one.A\n\
        pdf.pages[0].contents_add(b'BT ET 0 0 m 9 9 l S')\n\
        pdf.save(sys.argv[2])\n";
    let said = output(python("python").arg("-c").arg(script).arg(pdf).arg(&broken));
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let faults = structure(&broken)["faults"].to_string();
    for due in [
        "the file is not marked as tagged",
        "a figure has no words in its place",
        "a header cell does not say what it is the head of",
        "page 1 paints outside of all tags",
    ] {
        assert!(faults.contains(due), "{due}: {faults}");
    }
}
