//! Where each item of CONSORT 2025 stands in the report.
//!
//! The items, their numbers and their order are those of table 1 of the statement (Hopewell et al., PLoS Med
//! 2025;22:e1004587); they are named in our own short words. Which section answers an item follows from what
//! the plan shows; an item that only authors can answer says so. A study of one arm is not randomised: items
//! on allocation then do not apply.

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
    /// The sections that show the protocol as it was run.
    Protocol,
    /// The sources of the study: facts and rules.
    Sources,
    /// Files that lie beside the report.
    Beside(&'static str),
    /// Words in the report that hold for every study.
    Words(&'static str),
    /// The authors of an article.
    Authors,
}

/// An item of the checklist.
struct Item {
    /// Its number in the statement.
    number: &'static str,
    /// What it asks for, in short.
    name: &'static str,
    /// Whether it is about allocation, which a study of one arm has none of.
    allocates: bool,
    /// What answers it.
    answer: Answer,
}

const fn item(number: &'static str, name: &'static str, answer: Answer) -> Item {
    Item { number, name, allocates: false, answer }
}

const fn of_allocation(number: &'static str, name: &'static str, answer: Answer) -> Item {
    Item { number, name, allocates: true, answer }
}

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

/// Thirty items; lettered ones are parts of one.
const ITEMS: &[Item] = &[
    item("1a", "Named as a randomised trial", Answer::Head),
    item("1b", "Structured summary", Answer::Head),
    item("2", "Registry, number and date", Answer::Sources),
    item(
        "3",
        "Where protocol and analysis plan can be read",
        Answer::Beside("study folder, whose hash is the study version"),
    ),
    item(
        "4",
        "Where data, dictionary and code can be had",
        Answer::Beside("data sets with dictionary, and the script that recomputes the tests"),
    ),
    item("5a", "Funding and the funders’ part", Answer::Sources),
    item("5b", "Interests of the authors", Answer::Authors),
    item("6", "Background and rationale", Answer::Authors),
    item("7", "Objectives, of benefit and of harm", Answer::Endpoints),
    item("8", "Part of patients and the public", Answer::Authors),
    item("9", "Design, ratio and framework", Answer::Sources),
    item(
        "10",
        "Changes after the trial began, and what was not planned",
        Answer::Words(
            "The study version and the record name every change; analyses of the plan only are shown",
        ),
    ),
    item("11", "Settings and places", Answer::Protocol),
    item("12a", "Eligibility of participants", Answer::Sources),
    item("12b", "Eligibility of sites and of who treats", Answer::Authors),
    item("13", "Intervention and comparator", Answer::Protocol),
    item("14", "Outcomes: variable, metric, summary, time point", Answer::Endpoints),
    item("15", "How harms were defined and assessed", Answer::Section(is_harm)),
    item("16a", "Sample size and what it assumes", Answer::Sources),
    item("16b", "Interim analyses and rules for stopping", Answer::Sources),
    of_allocation("17a", "Who made the sequence, and how", Answer::Protocol),
    of_allocation("17b", "Kind of randomisation and its restrictions", Answer::Protocol),
    of_allocation(
        "18",
        "How the sequence was used and concealed",
        Answer::Words("The list was sealed until the lock; its digest is in the record"),
    ),
    of_allocation("19", "Whether those who enrolled or assigned could see the sequence", Answer::Protocol),
    item("20a", "Who was blinded", Answer::Protocol),
    of_allocation("20b", "How blinding was achieved", Answer::Sources),
    item(
        "21a",
        "Methods for endpoints and harms",
        Answer::Words("Under each table: the method with its options"),
    ),
    item(
        "21b",
        "Who is in each analysis, and in which group",
        Answer::Words("Under each table: the analysis set"),
    ),
    item("21c", "Missing data", Answer::Words("Under each table: the rule, and who was left out")),
    item(
        "21d",
        "Further analyses, planned or not",
        Answer::Words("All analyses are of the plan that was fixed before the lock"),
    ),
    item("22a", "Numbers assigned, treated and analysed", Answer::Section(|shown| *shown == Shown::Flow)),
    item("22b", "Losses and exclusions with reasons", Answer::Section(is_listing_of_loss)),
    item("23a", "Dates of recruitment and follow-up", Answer::Section(|shown| *shown == Shown::Flow)),
    item("23b", "Why the trial ended", Answer::Sources),
    item("24a", "Intervention as it was given", Answer::Section(is_exposure)),
    item("24b", "Concomitant care", Answer::Section(|shown| *shown == Shown::ConcomitantTreatments)),
    item("25", "Baseline data by group", Answer::Section(|shown| matches!(shown, Shown::Baseline(_)))),
    item("26", "Numbers analysed, results, effects and their precision", Answer::Endpoints),
    item("27", "All harms by group", Answer::Section(is_harm)),
    item(
        "28",
        "Subgroup, sensitivity and other analyses",
        Answer::Section(|shown| matches!(shown, Shown::Forest(_))),
    ),
    item("29", "Interpretation", Answer::Authors),
    item("30", "Limitations", Answer::Authors),
];

/// Builds the section.
pub(crate) fn section(context: &Context<'_>, sources: &str) -> Section {
    let randomised = context.study.allocation.is_some();
    let row = |item: &Item| {
        let where_ = if item.allocates && !randomised {
            text("Does not apply: the participants were not randomised")
        } else {
            stands(context, &item.answer, sources)
        };
        Row::new(item.number, vec![text(item.name), where_])
    };
    let table = Table {
        id: "table-consort".to_owned(),
        caption: context.caption("Items of CONSORT 2025 and where they stand"),
        columns: text_columns(["Item", "What it asks for", "Where"]),
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
        Answer::Protocol => links(context, &|section| section.show.contains(&Shown::Protocol)),
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

    /// The numbers of the statement's table 1, in its order.
    const NUMBERS: &str = "1a 1b 2 3 4 5a 5b 6 7 8 9 10 11 12a 12b 13 14 15 16a 16b 17a 17b 18 19 20a 20b 21a 21b 21c 21d \
                           22a 22b 23a 23b 24a 24b 25 26 27 28 29 30";

    #[test]
    fn every_item_of_the_statement_is_named_in_its_order() {
        let numbers: Vec<&str> = ITEMS.iter().map(|item| item.number).collect();
        assert_eq!(numbers, NUMBERS.split_whitespace().collect::<Vec<_>>());
        assert!(ITEMS.iter().all(|item| !item.name.is_empty()));
    }
}
