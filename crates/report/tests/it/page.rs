//! The page: well-formed, self-contained, every anchor there, every number led somewhere.

use std::collections::{BTreeMap, BTreeSet};

use quick_xml::{
    Reader,
    events::{BytesStart, Event},
};
use report::html;

use crate::sample;

/// One element's start as the tests look at it.
struct Element {
    name: String,
    attributes: BTreeMap<String, String>,
}

fn element(start: &BytesStart<'_>) -> Element {
    let attributes = start.attributes().map(|attribute| {
        let attribute = attribute.expect("attributes are quoted and each stands once");
        let value = quick_xml::escape::unescape(&attribute.value).expect("entities are known");
        (attribute.key.as_ref().to_owned(), value.into_owned())
    });
    Element { name: start.name().as_ref().to_owned(), attributes: attributes.collect() }
}

/// Parses as XML, which demands that every element is closed and every special character escaped.
fn elements(text: &str) -> Vec<Element> {
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_end_names = true;
    let mut elements = Vec::new();
    let mut depth = 0_usize;
    loop {
        match reader.read_event().expect("the text is well-formed") {
            Event::Start(start) => {
                depth += 1;
                elements.push(element(&start));
            }
            Event::Empty(start) => elements.push(element(&start)),
            Event::End(_) => depth -= 1,
            Event::Eof => break,
            _ => {}
        }
    }
    assert_eq!(depth, 0, "every element is closed");
    elements
}

fn page() -> String {
    html::render(&sample::report()).unwrap()
}

fn ids(elements: &[Element]) -> Vec<&str> {
    elements.iter().filter_map(|element| element.attributes.get("id")).map(String::as_str).collect()
}

#[test]
fn the_page_is_well_formed_and_its_ids_are_unique() {
    let page = page();
    std::fs::write(concat!(env!("CARGO_TARGET_TMPDIR"), "/sample.html"), &page).unwrap();
    let elements = elements(&page);
    let ids = ids(&elements);
    let unique: BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(unique.len(), ids.len());
    assert!(ids.len() > 100);
}

#[test]
fn every_link_leads_to_an_anchor_of_the_page() {
    let page = page();
    let elements = elements(&page);
    let ids: BTreeSet<&str> = ids(&elements).into_iter().collect();
    let links: Vec<&str> =
        elements.iter().filter_map(|element| element.attributes.get("href")).map(String::as_str).collect();
    assert!(links.len() > 300);
    for link in links {
        let anchor = link.strip_prefix('#').unwrap_or_else(|| panic!("`{link}` leads out of the page"));
        assert!(ids.contains(anchor), "nothing stands at `{link}`");
    }
}

#[test]
fn every_number_of_the_page_is_a_number_of_the_results_and_leads_to_its_rows_and_events() {
    let (study, data) = (sample::study(), sample::data());
    let results = sample::results(&study, &data);
    let numbers = results.numbers();
    let report = sample::report();
    let page = html::render(&report).unwrap();
    let elements = elements(&page);
    let ids: BTreeSet<&str> = ids(&elements).into_iter().collect();
    let mut seen = BTreeSet::new();
    for element in &elements {
        let Some(id) = element.attributes.get("data-number") else { continue };
        let number = numbers.get(id.as_str()).unwrap_or_else(|| panic!("`{id}` is no number of the results"));
        let anchor = element.attributes["href"].trim_start_matches('#').to_owned();
        assert_eq!(report.trace.anchors[id], anchor);
        assert!(anchor.starts_with('d'), "`{id}` leads to its derivation, not to `{anchor}`");
        for set in number.rows.iter().map(|place| &results.row_sets[*place]) {
            for row in &set.rows {
                assert!(ids.contains(format!("{}-{}", set.dataset, row + 1).as_str()), "{id}: row {row}");
                for event in data.get(&set.dataset).unwrap().sources_of(*row, &set.columns) {
                    assert!(ids.contains(format!("e{event}").as_str()), "{id}: event {event}");
                }
            }
        }
        seen.insert(id.clone());
    }
    assert!(seen.len() > 150, "{} numbers", seen.len());
}

#[test]
fn an_analysis_leads_to_the_lines_of_the_study_that_define_it() {
    let report = sample::report();
    let lines = |title: &str| -> Vec<String> {
        let analysis = report.trace.analyses.iter().find(|one| one.title.starts_with(title)).unwrap();
        analysis.defined.iter().map(|one| format!("{} {}", one.line, one.what)).collect()
    };
    assert_eq!(
        lines("P1-main:"),
        [
            "analysis.toml:13 analysis P1-main",
            "analysis.toml:10 estimand P1",
            "analysis.toml:1 set itt",
            "analysis.toml:5 parameter MRSS",
            "forms/skin_score.toml:4 item skin_score.total",
            "forms/skin_score.toml:1 form skin_score"
        ]
    );
    assert_eq!(lines("flow:"), ["analysis.toml:18 what the report shows"]);
    assert_eq!(lines("trajectory:MRSS:")[0], "analysis.toml:18 what the report shows");
    assert!(lines("laboratory:ALT:").contains(&"analysis.toml:8 test ALT".to_owned()));
    let main = report.trace.study.iter().find(|entry| entry.line.line == 13).unwrap();
    assert_eq!(main.text, "[analyses.P1-main]\nset = \"itt\"\nmethod = \"rank sum\" # <exact>");
    let page = html::render(&report).unwrap();
    assert!(page.contains("<a href=\"#study-analysis.toml-13\">analysis.toml:13</a>"));
    assert!(page.contains("<details id=\"study-analysis.toml-13\">"));
    assert!(page.contains("# &#60;exact&#62;") || page.contains("# &lt;exact&gt;"));
}

#[test]
fn only_events_that_a_row_names_are_listed() {
    let report = sample::report();
    let listed: Vec<&str> = report.trace.events.rows.iter().filter_map(|row| row.id.as_deref()).collect();
    assert!(listed.contains(&"e402"));
    assert!(!listed.contains(&"e499"));
}

#[test]
fn the_page_refers_to_nothing_outside_itself() {
    let page = page();
    for needle in ["http", "//cdn", "@import", "src=", "<link", "<iframe"] {
        assert!(!page.contains(needle), "the page contains `{needle}`");
    }
    for reference in page.split("url(").skip(1) {
        assert!(reference.starts_with('#'), "a drawing refers to {}", &reference[..20.min(reference.len())]);
    }
}

#[test]
fn a_reader_without_sight_or_mouse_finds_the_way() {
    let page = page();
    let elements = elements(&page);
    let with = |name: &str| elements.iter().filter(|element| element.name == name).collect::<Vec<_>>();
    assert_eq!(with("html")[0].attributes["lang"], "en");
    for (name, count) in [("h1", 1), ("main", 1), ("header", 1), ("nav", 1)] {
        assert_eq!(with(name).len(), count, "{name}");
    }
    assert_eq!(with("table").len(), with("caption").len());
    assert!(with("th").iter().all(|head| head.attributes.contains_key("scope")));
    for region in elements
        .iter()
        .filter(|element| element.attributes.get("class").is_some_and(|class| class == "scroll"))
    {
        assert_eq!(region.attributes["tabindex"], "0");
        assert!(!region.attributes["aria-label"].is_empty());
    }
    for drawing in
        elements.iter().filter(|element| element.attributes.get("role").is_some_and(|role| role == "img"))
    {
        assert!(drawing.attributes["aria-label"].len() > 60);
    }
    assert!(page.find("class=\"skip\"").unwrap() < page.find("<header").unwrap());
}

#[test]
fn every_drawing_is_a_well_formed_file_with_its_words_kept_as_text() {
    let report = sample::report();
    let drawings = report.drawings();
    let names: Vec<&str> = drawings.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "figure-flow.svg",
            "figure-trajectory-MRSS.svg",
            "figure-waterfall-MRSS-M6.svg",
            "figure-adverse-events-over-time.svg",
            "figure-forest-P1-main.svg",
            "figure-cumulative-MRSS-M6.svg",
            "figure-trajectory-MRSS-sex.svg",
            "figure-swim-lanes.svg",
            "figure-adverse-event-differences.svg",
            "figure-body-map-imatinib.svg",
            "figure-body-map-placebo.svg",
            "figure-hys-law.svg",
            "figure-laboratory-ALT.svg",
            "figure-laboratory-HGB.svg"
        ]
    );
    for (name, svg) in drawings {
        std::fs::write(format!("{}/{name}", env!("CARGO_TARGET_TMPDIR")), &svg).unwrap();
        let elements = elements(&svg);
        assert_eq!(elements[0].name, "svg");
        assert_eq!(elements[0].attributes["xmlns"], "http://www.w3.org/2000/svg");
        assert!(
            elements.iter().filter(|element| element.name == "text").count() > 5,
            "{name} keeps its words"
        );
        assert!(svg.contains("(virtual"), "{name} says what it shows");
    }
}

/// Relative luminance of `#rrggbb`, after WCAG 2.2.
fn luminance(colour: &str) -> f64 {
    let channel = |place: usize| {
        let value = f64::from(u8::from_str_radix(&colour[place..place + 2], 16).unwrap()) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
}

fn contrast(one: &str, other: &str) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

#[test]
fn words_and_lines_stand_out_from_what_is_behind_them() {
    for words in ["#1b1f24", "#4a5563", "#005a9c", "#6b3d00"] {
        for behind in ["#ffffff", "#f3f6f9", "#fff3c4"] {
            assert!(contrast(words, behind) >= 4.5, "{words} on {behind}");
        }
    }
    for line in report::figures::COLOURS {
        assert!(contrast(line, "#ffffff") >= 3.0, "{line}");
    }
    let page = page();
    for used in ["--ink:#1b1f24", "--soft:#4a5563", "--blue:#005a9c", "--wash:#f3f6f9", "#fff3c4", "#6b3d00"]
    {
        assert!(page.contains(used), "{used} is the colour in use");
    }
}

#[test]
fn no_result_is_called_significant_and_minus_signs_are_minus_signs() {
    let report = sample::report();
    let page = html::render(&report).unwrap();
    assert!(!page.to_lowercase().contains("significan"));
    assert!(page.contains("\u{2212}0.16"));
    let derivations = report.trace.analyses.iter().flat_map(|analysis| &analysis.derivations);
    for (_, text) in derivations.flat_map(|derivation| &derivation.numbers) {
        assert!(!text.starts_with('-'), "{text}");
    }
}

#[test]
fn the_same_inputs_give_the_same_bytes() {
    assert!(page() == page(), "two pages differ");
}
