//! What the document says, block by block.

use protocol::model::SourceMark;
use report::document::{Block, Document, Inline, Table, plain};

use crate::sample;

/// Writes the document as a reader would take it down: captions, heads, cells.
fn outline(document: &Document) -> String {
    let mut lines = vec![document.title.clone(), document.banner.clone().unwrap_or_default()];
    lines.extend(document.provenance.iter().map(|(name, value)| format!("{name}: {value}")));
    for section in &document.sections {
        lines.push(format!("\n## {}", section.title));
        for block in &section.blocks {
            match block {
                Block::Heading(heading) => lines.push(format!("### {heading}")),
                Block::Paragraph(words) => lines.push(marked(words)),
                Block::Definitions(definitions) => {
                    lines.push(format!("[{}]", definitions.title));
                    lines.extend(
                        definitions.items.iter().map(|(term, words)| format!("  {term}: {}", marked(words))),
                    );
                }
                Block::Table(table) => lines.extend(table_lines(table)),
                Block::Figure(figure) => {
                    lines.push(format!("{}: {}", figure.caption, marked(&figure.description)));
                    lines.extend(figure.tables.iter().flat_map(table_lines));
                }
                Block::Flow(flow) => {
                    lines.push(flow.caption.clone());
                    for phase in &flow.phases {
                        lines.push(format!("  {}", phase.title));
                        for one in phase.boxes.iter().chain(&phase.leaves) {
                            let words = one.lines.iter().map(|(indent, line)| {
                                format!("{}{}", "-".repeat((*indent).into()), marked(line))
                            });
                            lines.push(format!("    [{}]", words.collect::<Vec<_>>().join(" | ")));
                        }
                    }
                }
            }
        }
    }
    lines.join("\n")
}

fn table_lines(table: &Table) -> Vec<String> {
    let mut lines = vec![table.caption.clone()];
    if !table.spans.is_empty() {
        let spans = table.spans.iter().map(|span| format!("{}×{}", span.head, span.columns));
        lines.push(format!("  ({})", spans.collect::<Vec<_>>().join(", ")));
    }
    lines.push(format!(
        "  | {} |",
        table.columns.iter().map(|column| column.head.clone()).collect::<Vec<_>>().join(" | ")
    ));
    for row in &table.rows {
        let cells = row.cells.iter().map(|cell| marked(cell)).collect::<Vec<_>>().join(" | ");
        lines.push(format!("  {}{} | {cells}", "  ".repeat(row.indent.into()), marked(&row.head)));
    }
    lines.extend(table.notes.iter().map(|note| format!("  * {}", marked(note))));
    lines
}

/// A stated number with its mark, so that the snapshot shows it.
fn marked(words: &[Inline]) -> String {
    let one = |inline: &Inline| match inline {
        Inline::Stated { text, mark, .. } => format!("{text} [{mark:?}]"),
        other => other.plain().to_owned(),
    };
    words.iter().map(one).collect()
}

fn tables(document: &Document) -> Vec<&Table> {
    let blocks = document.sections.iter().flat_map(|section| &section.blocks);
    blocks
        .filter_map(|block| match block {
            Block::Table(table) => Some(table),
            _ => None,
        })
        .collect()
}

#[test]
fn the_document_says_what_was_found() {
    insta::assert_snapshot!(outline(&sample::report().document));
}

#[test]
fn every_table_has_a_cell_for_each_column() {
    let report = sample::report();
    let blocks = report.document.sections.iter().flat_map(|section| &section.blocks);
    let figures = blocks.filter_map(|block| match block {
        Block::Figure(figure) => Some(figure.tables.iter()),
        _ => None,
    });
    let all = tables(&report.document).into_iter().chain(figures.flatten()).chain(&report.trace.datasets);
    for table in all.chain([&report.trace.events]) {
        let columns = table.columns.len();
        for row in table.rows.iter().filter(|row| !row.cells.is_empty()) {
            assert_eq!(row.cells.len() + 1, columns, "{}: {}", table.caption, plain(&row.head));
        }
        if !table.spans.is_empty() {
            assert_eq!(
                table.spans.iter().map(|span| span.columns).sum::<usize>(),
                columns,
                "{}",
                table.caption
            );
        }
    }
}

#[test]
fn a_column_is_headed_published_only_if_all_in_it_is() {
    let report = sample::report();
    for table in tables(&report.document) {
        let stated = table.runs().flatten().filter_map(|inline| match inline {
            Inline::Stated { mark, .. } => Some(*mark),
            _ => None,
        });
        let only_published = { stated }.all(|mark| mark == SourceMark::Published);
        let says_published = table.columns.iter().any(|column| column.head == "Published");
        assert!(only_published || !says_published, "{}", table.caption);
    }
    let heads: Vec<&str> = tables(&report.document)
        .iter()
        .flat_map(|table| &table.columns)
        .map(|column| column.head.as_str())
        .collect();
    assert!(heads.contains(&"Published") && heads.contains(&"Stated elsewhere"));
}

#[test]
fn labels_follow_the_language_asked_for() {
    let report = sample::build(&sample::study(), &sample::provenance(), "fr");
    assert_eq!(report.document.title, "Un essai");
    assert_eq!(report.document.label_language, "fr");
    assert!(report.document.sections.iter().any(|section| section.title == "Critère principal"));
}

#[test]
fn without_a_rehearsal_nothing_is_called_virtual() {
    let live = report::Provenance { virtual_cohort: false, seed: None, ..sample::provenance() };
    let report = sample::build(&sample::study(), &live, "en");
    assert!(!report::html::render(&report).unwrap().to_lowercase().contains("virtual"));
}

#[test]
fn every_caption_says_that_the_cohort_is_virtual() {
    let report = sample::report();
    for table in tables(&report.document) {
        assert!(
            table.caption.contains("(virtual cohort)")
                || ["sources", "protocol"].iter().any(|stem| table.id.starts_with(stem)),
            "{}",
            table.caption
        );
    }
}

#[test]
fn a_missing_result_is_named() {
    let (study, data) = (sample::study(), sample::data());
    let mut results = sample::results(&study, &data);
    results.analyses.retain(|analysis| analysis.id != *"P1-worst");
    let behind = report::Behind { events: &[], files: &sample::files() };
    let refused = report::build(&study, &data, &results, &sample::provenance(), behind, "en").unwrap_err();
    assert_eq!(refused.to_string(), "the results hold no analysis `P1-worst`");
}
