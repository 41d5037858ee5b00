//! A document of the report as tagged PDF, set by typst.
//!
//! [`render`] takes the same document that becomes the HTML page. The file claims
//! PDF/UA-1 and PDF/A-2a, and the exporter refuses to write one that breaks what it
//! can check of them: a language, a title, tags, and words for every drawing. It
//! reads no clock, no file and no font of the machine, so the same document gives
//! the same bytes.
//!
//! On paper a number leads to its analysis in the appendix, which names the lines of the study that define it,
//! and the rows and events behind its numbers; those of one number alone stay with the HTML page and
//! `equipoise trace`, where they can be followed.

pub mod drawing;
mod source;
mod widths;
mod world;

use std::sync::{Mutex, PoisonError};

use report::{document::Document, trace::TraceAppendix};
use terms::Date;
use typst::{diag::SourceDiagnostic, foundations::Smart};
use typst_layout::PagedDocument;
use typst_pdf::{PdfOptions, PdfStandard, PdfStandards};

/// No PDF can be made of a document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the document can't be set as PDF: {0}")]
pub struct RenderError(String);

impl RenderError {
    fn of<'a>(faults: impl IntoIterator<Item = &'a SourceDiagnostic>) -> Self {
        let one = |fault: &SourceDiagnostic| {
            let hints = fault.hints.iter().map(|hint| format!(" ({})", hint.v));
            format!("{}{}", fault.message, hints.collect::<String>())
        };
        Self(faults.into_iter().map(one).collect::<Vec<_>>().join("; "))
    }
}

/// The typesetter keeps what it has set in one memory for the whole process. One document at a
/// time keeps that small, and lets it be emptied without harm to another.
static TYPESETTER: Mutex<()> = Mutex::new(());

/// Renders a document, its numbers linked to what stands `behind` them where that is given.
///
/// `made` is the day that the file's properties state; nothing else depends on it.
///
/// # Errors
/// The document breaks PDF/UA-1 or PDF/A-2a, such as by a drawing without a description.
pub fn render(
    document: &Document,
    behind: Option<&TraceAppendix>,
    made: Date,
) -> Result<Vec<u8>, RenderError> {
    let options = PdfOptions {
        creator: Smart::Custom(Some(format!("equipoise {}", env!("CARGO_PKG_VERSION")))),
        standards: PdfStandards::new(&[PdfStandard::A_2a, PdfStandard::Ua_1])
            .map_err(|fault| RenderError(fault.message().to_string()))?,
        ..PdfOptions::default()
    };
    let _alone = TYPESETTER.lock().unwrap_or_else(PoisonError::into_inner);
    let pages = set(document, behind, made);
    // What the typesetter remembers of the way to the pages serves neither the export nor another document.
    typst::comemo::evict(0);
    let pdf =
        pages.and_then(|pages| typst_pdf::pdf(&pages, &options).map_err(|faults| RenderError::of(&faults)));
    typst::comemo::evict(0);
    pdf
}

/// Sets a document in pages.
fn set(
    document: &Document,
    behind: Option<&TraceAppendix>,
    made: Date,
) -> Result<PagedDocument, RenderError> {
    let sheets = source::write(document, behind, made);
    let sheet = world::Sheet::new(sheets.source, sheets.drawings);
    typst::compile(&sheet).output.map_err(|faults| RenderError::of(&faults))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use report::{
        document::{
            Block, Definitions, Figure, Flow, FlowBox, FlowPhase, Inline, Row, Section, Span, Table,
            number_columns, text, text_columns,
        },
        trace::{Derivation, RowLink, RowLinks, Rows, TracedAnalysis},
    };
    use typst::{
        layout::{Frame, FrameItem},
        model::Destination,
    };

    use super::*;

    const MADE: Date = Date::constant(2009, 5, 14);
    /// Words that would be commands, were they not quoted.
    const HOSTILE: &str = "#panic(\"no\") \\ $x$ *bold* _it_ @see <here> `raw` // gone";

    fn number(id: &str, words: &str) -> Inline {
        Inline::Number { id: id.to_owned(), text: words.to_owned(), why_not: None }
    }

    fn table(columns: usize, rows: usize) -> Table {
        Table {
            id: format!("table-{columns}-{rows}"),
            caption: format!("Table of {columns} columns"),
            columns: number_columns("Participant", (1..=columns).map(|month| format!("Month {month}"))),
            rows: (0..rows)
                .map(|row| Row::new(format!("row {row}"), vec![text("12.5 (10.2 to 14.8)"); columns]))
                .collect(),
            ..Table::default()
        }
    }

    fn document(blocks: Vec<Block>) -> Document {
        Document {
            title: "A trial of setting".to_owned(),
            language: "en".to_owned(),
            label_language: "fr".to_owned(),
            banner: Some("Virtual cohort: nobody took part.".to_owned()),
            provenance: vec![("Program".to_owned(), "equipoise".to_owned())],
            sections: vec![Section {
                id: "results".to_owned(),
                title: "Results".to_owned(),
                titled_by_study: true,
                blocks,
            }],
        }
    }

    fn every_kind() -> Document {
        let svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 300 100\" width=\"300\" height=\"100\" \
                   font-family=\"DejaVu Sans\"><text x=\"10\" y=\"50\">drawn words</text></svg>";
        let one = |words: &str| FlowBox { lines: vec![(0, text(words)), (1, text(HOSTILE))] };
        let mut grouped = table(2, 2);
        grouped.spans =
            vec![Span { head: String::new(), columns: 1 }, Span { head: "Over".into(), columns: 2 }];
        grouped.rows.insert(0, Row::head(HOSTILE));
        grouped
            .rows
            .push(Row { id: Some("row-1".to_owned()), ..Row::new("last", vec![text("1"), text("2")]) });
        grouped.notes = vec![text("A note.")];
        document(vec![
            Block::Heading("A heading".to_owned()),
            Block::Paragraph(vec![
                Inline::Text(HOSTILE.to_owned()),
                number("a/mean", "4.2"),
                Inline::Link { target: "row-1".to_owned(), text: "to a row".to_owned() },
                Inline::Link { target: "subjects-1".to_owned(), text: "to nowhere on paper".to_owned() },
            ]),
            Block::Definitions(Definitions {
                id: "estimand".to_owned(),
                title: "P1".to_owned(),
                items: vec![("Population".to_owned(), text("All who were treated."))],
            }),
            Block::Table(grouped),
            Block::Figure(Figure {
                id: "figure-one".to_owned(),
                caption: "Figure 1".to_owned(),
                description: text("What it shows."),
                svg: svg.to_owned(),
                tables: vec![table(1, 1)],
            }),
            Block::Flow(Flow {
                id: "flow".to_owned(),
                caption: "Figure 2".to_owned(),
                phases: vec![
                    FlowPhase {
                        title: "Enrolment".into(),
                        boxes: vec![one("Screened")],
                        leaves: Some(one("Excluded")),
                    },
                    FlowPhase { title: "Allocation".into(), boxes: vec![one("A"), one("B")], leaves: None },
                ],
                svg: svg.to_owned(),
            }),
        ])
    }

    fn appendix() -> TraceAppendix {
        let link = |place: usize| RowLink { anchor: format!("subjects-{place}"), label: place.to_string() };
        let links = (1..=30).map(link).collect();
        let rows = RowLinks { title: "30 rows of subjects".into(), columns: vec!["age".into()], links };
        TraceAppendix {
            anchors: BTreeMap::from([("a/mean".to_owned(), "d1".to_owned())]),
            analyses: vec![TracedAnalysis {
                title: "a: Age".to_owned(),
                method: "summary".to_owned(),
                set: "all".to_owned(),
                defined: vec![report::DefinedAt {
                    what: "analysis a".to_owned(),
                    line: protocol::StudyLine { file: "analysis.toml".to_owned(), line: 7 },
                }],
                derivations: vec![Derivation {
                    anchor: "d1".to_owned(),
                    numbers: vec![("a/mean".to_owned(), "4.2".to_owned())],
                    rows: vec![Rows::Here(rows)],
                }],
            }],
            ..TraceAppendix::default()
        }
    }

    fn walk(frame: &Frame, visit: &mut impl FnMut(&FrameItem)) {
        for (_, item) in frame.items() {
            visit(item);
            if let FrameItem::Group(group) = item {
                walk(&group.frame, visit);
            }
        }
    }

    /// The words of each page, runs joined as they were set.
    fn words(pages: &PagedDocument) -> Vec<String> {
        let of = |frame: &Frame| {
            let mut words = String::new();
            walk(frame, &mut |item| {
                if let FrameItem::Text(text) = item {
                    words.push_str(&text.text);
                }
            });
            words
        };
        pages.pages().iter().map(|page| of(&page.frame)).collect()
    }

    fn inner_links(pages: &PagedDocument) -> usize {
        let mut links = 0;
        for page in pages.pages() {
            walk(&page.frame, &mut |item| {
                links += usize::from(matches!(item, FrameItem::Link(Destination::Location(_), _)));
            });
        }
        links
    }

    #[test]
    fn every_kind_of_block_is_set_word_for_word() {
        let pages = set(&every_kind(), Some(&appendix()), MADE).unwrap();
        let all = words(&pages).concat().replace([' ', '\u{a0}'], "");
        for (due, times) in [(HOSTILE, 6), ("A heading", 1), ("to nowhere on paper", 1), ("Estimand P1", 1)] {
            let due = due.replace(' ', "");
            assert!(all.matches(&due).count() >= times, "{due}: {all}");
        }
        for due in
            ["4.2", "Population", "Over", "Anote.", "Whatitshows.", "Thenumbersinthefigures", "subjects1-30"]
        {
            assert!(all.contains(due), "{due}: {all}");
        }
    }

    #[test]
    fn the_same_document_gives_the_same_bytes() {
        let once = render(&every_kind(), Some(&appendix()), MADE).unwrap();
        assert!(once.starts_with(b"%PDF-1.7"));
        assert!(once == render(&every_kind(), Some(&appendix()), MADE).unwrap());
        assert!(once != render(&every_kind(), Some(&appendix()), Date::constant(2010, 1, 1)).unwrap());
    }

    #[test]
    fn a_number_leads_to_its_analysis_where_one_is_given() {
        let block = || vec![Block::Paragraph(vec![number("a/mean", "4.2")])];
        let plain = inner_links(&set(&document(block()), None, MADE).unwrap());
        // One more in the contents, one from the number.
        assert_eq!(inner_links(&set(&document(block()), Some(&appendix()), MADE).unwrap()), plain + 2);
    }

    #[test]
    fn a_wide_table_turns_its_page_and_a_long_one_repeats_its_head() {
        let blocks = vec![Block::Table(table(2, 3)), Block::Table(table(9, 90)), Block::Table(table(2, 3))];
        let pages = set(&document(blocks), None, MADE).unwrap();
        let turned: Vec<bool> =
            pages.pages().iter().map(|page| page.frame.width() > page.frame.height()).collect();
        assert!(turned.len() >= 4 && !turned[0] && turned[1] && !turned[turned.len() - 1], "{turned:?}");
        let words = words(&pages);
        for (page, _) in turned.iter().enumerate().filter(|(_, turned)| **turned) {
            assert!(words[page].contains("Month 9"), "page {page}: {}", words[page]);
            assert!(words[page].contains("nobody took part"), "page {page}");
        }
    }

    #[test]
    fn a_drawing_that_is_none_is_refused_by_name() {
        let mut broken = every_kind();
        for block in &mut broken.sections[0].blocks {
            if let Block::Figure(figure) = block {
                figure.svg = "<svg".to_owned();
            }
        }
        let fault = render(&broken, None, MADE).unwrap_err().to_string();
        assert!(fault.starts_with("the document can't be set as PDF: "), "{fault}");
    }

    #[test]
    fn columns_of_text_need_no_numbers() {
        let mut listing = Table { columns: text_columns(["Participant", "What"]), ..Table::default() };
        listing.rows.push(Row::new("01-001", vec![text("seen")]));
        let pages = set(&document(vec![Block::Table(listing)]), None, MADE).unwrap();
        assert!(words(&pages).concat().contains("seen"));
    }
}
