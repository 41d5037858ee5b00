//! Where each item of CONSORT 2025 stands in the report.
//!
//! The items (Hopewell et al., PLoS Med 2025;22:e1004587) are named in our own short words. Which section
//! answers an item follows from what the plan shows; an item that only authors can answer says so. A study
//! of one arm is not randomised: items on allocation and comparison then do not apply.

use protocol::model::{self, Shown};

use crate::{
    context::Context,
    document::{Inline, Row, Section, Table, text, text_columns},
};

/// What answers an item.
enum Answer {
    /// The head of the report, or its first section.
    Head,
    /// The sections that show any of these.
    Section(fn(&Shown) -> bool),
    /// The sections with analyses of endpoints.
    Endpoints,
    /// The sources of the study: facts and rules.
    Sources,
    /// Files that lie beside the report.
    Beside(&'static str),
    /// Words in the report that hold for every study.
    Words(&'static str),
    /// The authors of an article.
    Authors,
}

/// An item: its number, its name, whether it is about allocation or comparison, and what answers it.
type Item = (&'static str, &'static str, bool, Answer);

fn is_listing_of_loss(shown: &Shown) -> bool {
    matches!(shown, Shown::WithdrawalListing | Shown::ExclusionListing)
}

fn is_exposure(shown: &Shown) -> bool {
    matches!(shown, Shown::DoseChanges | Shown::SwimLanes)
}

fn is_harm(shown: &Shown) -> bool {
    matches!(
        shown,
        Shown::AdverseEventGrades
            | Shown::AdverseEventsOverTime
            | Shown::LaboratoryGrades
            | Shown::SeriousEventListing
    )
}

const ITEMS: &[Item] = &[
    ("1", "Title and abstract", false, Answer::Head),
    ("2", "Registration", false, Answer::Head),
    (
        "3",
        "Protocol and analysis plan",
        false,
        Answer::Beside("study folder, whose hash is the study version"),
    ),
    (
        "4",
        "Data sharing",
        false,
        Answer::Beside("data sets with dictionary, and the script that recomputes the tests"),
    ),
    ("5", "Funding and interests", false, Answer::Authors),
    ("6", "Background", false, Answer::Authors),
    ("7", "Objectives", false, Answer::Endpoints),
    ("8", "Patient and public involvement", false, Answer::Authors),
    ("9", "Design", false, Answer::Sources),
    (
        "10",
        "Changes to the protocol",
        false,
        Answer::Words("The study version and the record name every change"),
    ),
    ("11", "Setting", false, Answer::Sources),
    ("12", "Eligibility", false, Answer::Sources),
    ("13", "Intervention and comparator", false, Answer::Sources),
    ("14", "Outcomes", false, Answer::Endpoints),
    ("15", "How harms were assessed", false, Answer::Section(is_harm)),
    ("16", "Sample size and interim analyses", false, Answer::Sources),
    ("17", "Sequence generation", true, Answer::Sources),
    (
        "18",
        "Concealment of the allocation",
        true,
        Answer::Words("The list was sealed until the lock; its digest is in the record"),
    ),
    ("19", "Implementation", true, Answer::Words("Who enrolled and who held the list: the record, by role")),
    ("20", "Blinding", false, Answer::Sources),
    (
        "21",
        "Statistical methods",
        false,
        Answer::Words("Under each table: method, analysis set, missing data, who was left out"),
    ),
    ("22", "Participant flow, losses and exclusions", false, Answer::Section(|shown| *shown == Shown::Flow)),
    ("22b", "Losses and exclusions with reasons", false, Answer::Section(is_listing_of_loss)),
    ("23", "Recruitment and follow-up", false, Answer::Sources),
    ("24", "Intervention as administered", false, Answer::Section(is_exposure)),
    ("25", "Baseline data", false, Answer::Section(|shown| matches!(shown, Shown::Baseline(_)))),
    ("26", "Numbers analysed, outcomes and estimates", false, Answer::Endpoints),
    ("27", "Harms", false, Answer::Section(is_harm)),
    ("28", "Ancillary analyses", false, Answer::Section(|shown| matches!(shown, Shown::Forest(_)))),
    ("29", "Interpretation", false, Answer::Authors),
    ("30", "Limitations", false, Answer::Authors),
];

/// Builds the section.
pub(crate) fn section(context: &Context<'_>, sources: &str) -> Section {
    let randomised = context.study.allocation.is_some();
    let row = |(number, name, compares, answer): &Item| {
        let where_ = if *compares && !randomised {
            text("Does not apply: the participants were not randomised")
        } else {
            stands(context, answer, sources)
        };
        Row::new(format!("{number} {name}"), vec![where_])
    };
    let table = Table {
        id: "table-consort".to_owned(),
        caption: context.caption("Items of CONSORT 2025 and where they stand"),
        columns: text_columns(["Item", "Where"]),
        rows: ITEMS.iter().map(row).collect(),
        notes: vec![text(
            "Items are named shortly; their wording is that of the statement (PLoS Med 2025;22:e1004587). What authors must write is not in a report of results.",
        )],
        ..Table::default()
    };
    Section {
        id: "consort".to_owned(),
        title: "CONSORT 2025".to_owned(),
        titled_by_study: false,
        blocks: vec![crate::document::Block::Table(table)],
    }
}

fn stands(context: &Context<'_>, answer: &Answer, sources: &str) -> Vec<Inline> {
    let link = |target: &str, words: &str| Inline::Link { target: target.to_owned(), text: words.to_owned() };
    match answer {
        Answer::Head => vec![link("in-brief", "Head of the report")],
        Answer::Sources => vec![link(sources, "Sources")],
        Answer::Beside(what) => text(format!("Beside the report: {what}")),
        Answer::Words(words) => text(*words),
        Answer::Authors => text("Left to the authors"),
        Answer::Section(shows) => links(context, &|section| section.show.iter().any(shows)),
        Answer::Endpoints => {
            let plan = &context.study.plan;
            let serves = |id: &terms::AnalysisId| {
                plan.analyses.iter().any(|analysis| analysis.id == *id && analysis.estimand.is_some())
            };
            let of_endpoint = |shown: &Shown| matches!(shown, Shown::Table(ids) if ids.iter().any(serves));
            links(context, &|section| section.show.iter().any(of_endpoint))
        }
    }
}

/// Links to the sections that are meant.
fn links(context: &Context<'_>, is_meant: &dyn Fn(&model::Section) -> bool) -> Vec<Inline> {
    let mut words = Vec::new();
    for (place, section) in context.study.plan.sections.iter().enumerate() {
        if !is_meant(section) {
            continue;
        }
        if !words.is_empty() {
            words.push(Inline::Text("; ".to_owned()));
        }
        let target = format!("section-{}", place + 1);
        words.push(Inline::Link { target, text: context.label(&section.title).to_owned() });
    }
    if words.is_empty() { text("The plan shows none") } else { words }
}

#[cfg(test)]
mod tests {
    use super::ITEMS;

    #[test]
    fn every_item_from_1_to_30_is_named() {
        let numbers: Vec<u32> = ITEMS.iter().filter_map(|(number, ..)| number.parse().ok()).collect();
        assert_eq!(numbers, (1..=30).collect::<Vec<_>>());
    }
}
