//! From a study, its data and its results to the document: sections in the plan's order.
//!
//! In front of the plan's sections stands one in brief, and behind them one of sources
//! where the plan has none. What a table, listing or figure says is decided by their
//! own modules; this one only puts them in order and numbers them.

use std::collections::{BTreeMap, BTreeSet};

use analysis::{AnalysisResult, Results};
use datasets::DataSets;
use protocol::{
    Study,
    model::{self, Estimand, Shown, Strategy},
};

use crate::{
    consort,
    context::{Context, anchor},
    document::{Block, Definitions, Document, Figure, Inline, Row, Section, Table, number_columns, text},
    figures, flow, listings,
    study_lines::Definitions as StudyDefinitions,
    tables,
    trace::{self, EventLine, TraceAppendix},
    wording,
};

/// Why no report can be made of these results.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// The results lack an analysis that the report must show.
    #[error("the results hold no analysis `{analysis}`")]
    NoResult {
        /// Its id.
        analysis: String,
    },
    /// A result names a fact that the study does not state.
    #[error("the study states no fact `{fact}`")]
    NoFact {
        /// The fact's id.
        fact: String,
    },
}

/// Where a report comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provenance {
    /// The content hash of the study's files.
    pub study_version: String,
    /// The head of the record's chain.
    pub record_head: String,
    /// How many events the record has.
    pub record_events: u64,
    /// The program's name and version.
    pub program: String,
    /// The seed, in a rehearsal.
    pub seed: Option<u64>,
    /// Whether the participants are virtual.
    pub virtual_cohort: bool,
}

/// A report: the document, and what lies behind its numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// What it says.
    pub document: Document,
    /// Where each of its numbers comes from.
    pub trace: TraceAppendix,
}

/// What lies behind the numbers of a trial's report, beside its data sets and results.
#[derive(Clone, Copy, Debug)]
pub struct Behind<'a> {
    /// The events of the record, or at least those that the data sets name as their sources.
    pub events: &'a [EventLine],
    /// The files of the study, by path in its folder.
    pub files: &'a BTreeMap<String, String>,
}

/// Builds the report, labels in one of the study's languages, running text in English.
///
/// # Errors
/// The results lack an analysis that the plan's report shows, or name a fact that the study does not state.
pub fn build(
    study: &Study,
    data: &DataSets,
    results: &Results,
    provenance: &Provenance,
    behind: Behind<'_>,
    language: &str,
) -> Result<Report, BuildError> {
    let context = Context { study, data, results, language, virtual_cohort: provenance.virtual_cohort };
    let mut sections = vec![in_brief(&context)?];
    let mut defined = BTreeSet::new();
    for section in &study.plan.sections {
        sections.push(planned_section(&context, section, &mut defined)?);
    }
    if !study.plan.sections.iter().any(|section| section.show.contains(&Shown::Sources)) {
        let blocks = listings::sources(&context).into_iter().map(Block::Table).collect();
        sections.push(Section { blocks, ..plain_section("Sources") });
    }
    let sources = study.plan.sections.iter().position(|section| section.show.contains(&Shown::Sources));
    let sources = sources.map_or_else(|| "sources".to_owned(), |place| format!("section-{}", place + 1));
    sections.push(consort::section(&context, &sources));
    number_blocks(&mut sections);
    let document = Document {
        title: context.label(&study.title).to_owned(),
        language: "en".to_owned(),
        label_language: language.to_owned(),
        banner: provenance.virtual_cohort.then(|| BANNER.to_owned()),
        provenance: provenance_lines(study, provenance),
        sections,
    };
    let definitions = StudyDefinitions::new(study, behind.files);
    let trace = trace::appendix(&document, data, results, behind.events, &definitions);
    Ok(Report { document, trace })
}

/// Builds the report of a plan over data sets from elsewhere: the plan's sections, and nothing of a trial's conduct.
///
/// `lines` say where it comes from; `files` are those of the plan's folder.
///
/// # Errors
/// The results lack an analysis that the plan's report shows.
pub fn build_elsewhere(
    study: &Study,
    data: &DataSets,
    results: &Results,
    lines: Vec<(String, String)>,
    files: &BTreeMap<String, String>,
    language: &str,
) -> Result<Report, BuildError> {
    let context = Context { study, data, results, language, virtual_cohort: false };
    let mut defined = BTreeSet::new();
    let planned = study.plan.sections.iter().map(|section| planned_section(&context, section, &mut defined));
    let mut sections = planned.collect::<Result<Vec<_>, _>>()?;
    number_blocks(&mut sections);
    let document = Document {
        title: context.label(&study.title).to_owned(),
        language: "en".to_owned(),
        label_language: language.to_owned(),
        banner: None,
        provenance: lines,
        sections,
    };
    let definitions = StudyDefinitions::new(study, files);
    let trace = trace::appendix(&document, data, results, &[], &definitions);
    Ok(Report { document, trace })
}

const BANNER: &str = "Virtual cohort: every participant in this report was simulated. Nothing in it is evidence about a treatment.";

/// The named inputs of the virtual cohort that its numbers hang on.
fn inputs_in_force(study: &Study) -> String {
    let virtuals = &study.virtual_cohort;
    let named = [("natural course", &virtuals.setting), ("drug effect", &virtuals.effect)];
    let named = named.iter().filter(|(_, name)| !name.is_empty());
    named.map(|(what, name)| format!(", {what} “{name}”")).collect()
}

fn provenance_lines(study: &Study, provenance: &Provenance) -> Vec<(String, String)> {
    let mut lines: Vec<(String, String)> = Vec::new();
    let mut line = |name: &str, value: String| lines.push((name.to_owned(), value));
    line("Study", study.id.to_string());
    for (registry, number) in &study.registry {
        line("Registry", format!("{} {number}", registry_name(registry)));
    }
    line("Phase", study.phase.clone());
    line("Sponsor", study.sponsor.clone());
    if provenance.virtual_cohort {
        line("Participants", format!("virtual cohort{}", inputs_in_force(study)));
    }
    line("Study version (SHA-256)", provenance.study_version.clone());
    line("Record head (SHA-256)", provenance.record_head.clone());
    line("Events in the record", provenance.record_events.to_string());
    line("Program", provenance.program.clone());
    if let Some(seed) = provenance.seed {
        line("Random seed", seed.to_string());
    }
    lines
}

fn registry_name(key: &str) -> String {
    if key == "clinicaltrials_gov" { "ClinicalTrials.gov".to_owned() } else { key.replace('_', " ") }
}

fn plain_section(title: &str) -> Section {
    Section {
        id: anchor(&title.to_lowercase()),
        title: title.to_owned(),
        titled_by_study: false,
        blocks: Vec::new(),
    }
}

/// The primary results in sentences, and every stated number beside ours.
fn in_brief(context: &Context<'_>) -> Result<Section, BuildError> {
    let mut section = plain_section("In brief");
    for result in primary_results(context) {
        let mut runs = text(format!("{}. ", context.analysis_label(result)));
        match wording::sentence(context, result) {
            Some(sentence) => runs.extend(sentence),
            None => {
                let why = result.p_value().and_then(|p| p.not_estimable.as_deref());
                runs.extend(text(format!("Not estimable: {}.", why.unwrap_or("no test was planned"))));
            }
        }
        section.blocks.push(Block::Paragraph(runs));
    }
    let reading = if context.study.arms.len() < 2 {
        "There was no control group, so this study alone can’t tell an effect of the treatment from the course of the disease. \
         A p-value is the probability of a change at least as far from none if there were none on average; \
         it is not the probability that the treatment works."
    } else {
        "A p-value is the probability of a difference at least as far from none if the groups did not differ; \
         it is not the probability that the treatment works, and a large one does not show that it doesn’t."
    };
    section.blocks.push(Block::Paragraph(text(format!(
        "{reading} p-values are not adjusted for the number of tests."
    ))));
    if let Some(table) = stated_beside(context)? {
        section.blocks.push(Block::Table(table));
    }
    Ok(section)
}

/// Results of the main analyses of primary estimands, in the plan's order.
fn primary_results<'a>(context: &Context<'a>) -> Vec<&'a AnalysisResult> {
    let primary = |plan: &model::Analysis| {
        let estimand = plan.estimand.as_ref();
        plan.role == "main"
            && context
                .study
                .plan
                .estimands
                .iter()
                .any(|one| Some(&one.id) == estimand && one.level == "primary")
    };
    let plans = context.study.plan.analyses.iter().filter(|plan| primary(plan));
    plans.filter_map(|plan| context.results.analysis(plan.id.as_str())).collect()
}

/// A row for each number that the study's facts state: theirs, and this cohort's.
fn stated_beside(context: &Context<'_>) -> Result<Option<Table>, BuildError> {
    let mut rows = Vec::new();
    for result in &context.results.analyses {
        for published in &result.published {
            let Some(number) = result.numbers.iter().find(|number| number.id == published.number) else {
                continue;
            };
            let fact = context.study.fact(published.fact.as_str());
            let label =
                fact.map_or_else(|| published.fact.to_string(), |fact| context.label(&fact.label).to_owned());
            let unit = fact.and_then(|fact| fact.unit.as_deref()).filter(|unit| *unit != "%");
            let unit = unit.map(|unit| format!(" ({})", wording::unit(unit)));
            let ours = vec![wording::number(number)];
            let cells = vec![vec![context.stated(published)?], ours, text(context.analysis_label(result))];
            rows.push(Row::new(label + unit.as_deref().unwrap_or(""), cells));
        }
    }
    let mut columns =
        number_columns("", ["Stated", if context.virtual_cohort { "Virtual cohort" } else { "This trial" }]);
    columns.extend(crate::document::text_columns(["Analysis"]));
    let mut table = Table {
        id: "table-stated".to_owned(),
        caption: context.caption("Stated numbers beside this report’s"),
        columns,
        rows,
        ..Table::default()
    };
    table.notes.extend(tables::not_estimable(&table));
    if context.virtual_cohort {
        table.notes.push(text(format!(
            "One virtual trial{}: with another seed chance moves each of its numbers.",
            inputs_in_force(context.study)
        )));
    }
    Ok((!table.rows.is_empty()).then_some(table))
}

/// `defined` are the estimands that an earlier section has defined.
fn planned_section(
    context: &Context<'_>,
    planned: &model::Section,
    defined: &mut BTreeSet<String>,
) -> Result<Section, BuildError> {
    let place = context.study.plan.sections.iter().position(|one| one == planned).unwrap_or_default();
    let title = context.label(&planned.title);
    let mut section = Section {
        id: format!("section-{}", place + 1),
        title: title.to_owned(),
        titled_by_study: true,
        blocks: Vec::new(),
    };
    let mut named = BTreeSet::new();
    for shown in &planned.show {
        let id = |name: &str| format!("{name}-{}-{}", place + 1, section.blocks.len());
        let blocks = match shown {
            Shown::Table(analyses) => {
                let results = analyses.iter().map(|id| context.result(id.as_str()));
                analysis_blocks(
                    context,
                    &results.collect::<Result<Vec<_>, _>>()?,
                    title,
                    (defined, &mut named),
                )?
            }
            Shown::Baseline(analyses) => {
                let results = analyses.iter().map(|id| context.result(id.as_str()));
                let results = results.collect::<Result<Vec<_>, _>>()?;
                let caption = caption(context, &results, &[], title);
                vec![Block::Table(tables::baseline(context, &results, &caption)?)]
            }
            Shown::DoseChanges => vec![Block::Table(tables::dose_changes(context)?)],
            Shown::ConcomitantTreatments => vec![Block::Table(tables::treatments(context)?)],
            Shown::AdverseEventGrades => vec![Block::Table(tables::adverse_event_grades(context)?)],
            Shown::AdverseEventRelations => {
                tables::adverse_event_relations(context)?.into_iter().map(Block::Table).collect()
            }
            Shown::AdverseEventOnset => vec![Block::Table(tables::adverse_event_onset(context)?)],
            Shown::LaboratoryGrades => vec![Block::Table(tables::laboratory_grades(context)?)],
            Shown::LaboratoryRanges => vec![Block::Table(tables::laboratory_ranges(context)?)],
            Shown::ReaderAgreement => vec![Block::Table(tables::reader_agreement(context)?)],
            Shown::Flow => {
                let dates = flow::dates(context).map(Block::Paragraph);
                std::iter::once(Block::Flow(flow::flow(context)?)).chain(dates).collect()
            }
            Shown::Trajectories(parameter, by) => {
                vec![Block::Figure(figures::trajectories(context, parameter.as_str(), by.as_deref())?)]
            }
            Shown::CumulativeDistribution(parameter, visit) => {
                vec![Block::Figure(figures::cumulative(context, parameter.as_str(), visit.as_str())?)]
            }
            Shown::Forest(analyses) => {
                let results = analyses.iter().map(|id| context.result(id.as_str()));
                vec![Block::Figure(figures::forest(context, &results.collect::<Result<Vec<_>, _>>()?)?)]
            }
            Shown::AdverseEventDifferences => vec![Block::Figure(figures::event_differences(context)?)],
            Shown::SwimLanes => vec![Block::Figure(figures::swim_lanes(context)?)],
            Shown::BodyMap => figures::body_maps(context)?.into_iter().map(Block::Figure).collect(),
            Shown::HysLaw => vec![Block::Figure(figures::hys_law(context)?)],
            Shown::LaboratoryTrends(tests) => {
                let drawn = tests.iter().map(|test| figures::laboratory_trend(context, test));
                drawn.map(|figure| figure.map(Block::Figure)).collect::<Result<_, _>>()?
            }
            Shown::SeriousEventListing => {
                vec![listing(listings::serious_events(context, &id("serious-events")))]
            }
            Shown::WithdrawalListing => vec![listing(listings::withdrawals(context, &id("withdrawals")))],
            Shown::DoseChangeListing => vec![listing(listings::dose_changes(context, &id("dose-changes")))],
            Shown::TreatmentListing => vec![listing(listings::treatments(context, &id("treatments")))],
            Shown::WatchListing => vec![listing(listings::watches(context, &id("watches")))],
            Shown::LaboratoryListing => vec![listing(listings::laboratory(context, &id("laboratory")))],
            Shown::Waterfall(parameter, visit) => {
                vec![Block::Figure(figures::waterfall(context, parameter.as_str(), visit.as_str())?)]
            }
            Shown::Survival(analysis) => vec![Block::Figure(figures::survival(context, analysis.as_str())?)],
            Shown::AdverseEventsOverTime => vec![Block::Figure(figures::events_over_time(context)?)],
            Shown::DeviationListing => vec![listing(listings::deviations(context, &id("deviations")))],
            Shown::ExclusionListing => {
                let results = shown_results(context, planned)?;
                vec![listing(listings::exclusions(context, &results, &id("exclusions")))]
            }
            Shown::Protocol => listings::protocol(context).into_iter().map(Block::Table).collect(),
            Shown::Sources => listings::sources(context).into_iter().map(Block::Table).collect(),
        };
        section.blocks.extend(blocks);
    }
    Ok(section)
}

/// A listing, or what its note says where there is nothing to list.
fn listing(table: Table) -> Block {
    if table.rows.is_empty() {
        let caption = Inline::Text(format!("{}. ", table.caption));
        Block::Paragraph(std::iter::once(caption).chain(table.notes.into_iter().flatten()).collect())
    } else {
        Block::Table(table)
    }
}

/// The analyses of a section's tables; of all tables where it has none of its own.
fn shown_results<'a>(
    context: &Context<'a>,
    section: &model::Section,
) -> Result<Vec<&'a AnalysisResult>, BuildError> {
    let of = |section: &model::Section| -> Vec<_> {
        let tables = section.show.iter().filter_map(|shown| match shown {
            Shown::Table(analyses) | Shown::Baseline(analyses) => Some(analyses.clone()),
            _ => None,
        });
        tables.flatten().collect()
    };
    let own = of(section);
    let all = if own.is_empty() { context.study.plan.sections.iter().flat_map(of).collect() } else { own };
    all.iter().map(|id| context.result(id.as_str())).collect()
}

/// The estimands served (each defined once, and named again in each section), the table, and the result of a lone analysis in a sentence.
fn analysis_blocks(
    context: &Context<'_>,
    results: &[&AnalysisResult],
    title: &str,
    (defined, named): (&mut BTreeSet<String>, &mut BTreeSet<String>),
) -> Result<Vec<Block>, BuildError> {
    let mut blocks = Vec::new();
    let served: Vec<&Estimand> = context
        .study
        .plan
        .estimands
        .iter()
        .filter(|estimand| results.iter().any(|result| result.estimand.as_ref() == Some(&estimand.id)))
        .collect();
    for estimand in &served {
        let is_new_here = named.insert(estimand.id.to_string());
        if defined.insert(estimand.id.to_string()) {
            blocks.push(Block::Definitions(definition(context, estimand)));
        } else if is_new_here {
            let above = Inline::Link { target: definition_anchor(estimand), text: "as above".to_owned() };
            blocks.push(Block::Definitions(Definitions {
                id: format!("again-{}", anchor(estimand.id.as_str())),
                title: estimand_title(context, estimand),
                items: vec![("Defined".to_owned(), vec![above])],
            }));
        }
    }
    blocks.push(Block::Table(tables::table(context, results, &caption(context, results, &served, title))?));
    if let [only] = results
        && let Some(sentence) = wording::sentence(context, only)
    {
        blocks.push(Block::Paragraph(sentence));
    }
    Ok(blocks)
}

/// Names a table by its analyses, or by what they serve and their section.
fn caption(context: &Context<'_>, results: &[&AnalysisResult], served: &[&Estimand], title: &str) -> String {
    let sensitivity = results.len() > 1 && results.iter().all(|result| result.role == "sensitivity");
    let labels: Vec<&str> = results.iter().map(|result| context.analysis_label(result)).collect();
    let of_some = |result: &&AnalysisResult| context.planned(result).is_some_and(|plan| plan.only.is_some());
    if let ([estimand], true) = (served, results.len() > 1 && results.iter().all(of_some)) {
        return format!("Subgroups of {}: {}", estimand.id, context.label(&estimand.question));
    }
    if let ([estimand], true) = (served, sensitivity) {
        return format!("Sensitivity analyses of {}: {}", estimand.id, context.label(&estimand.question));
    }
    if let Some(joined) = joined(&labels) {
        return joined;
    }
    if let Some(first) = labels.first().filter(|first| labels.len() > 1 && in_all_and_by_part(first, &labels))
    {
        return format!("{first}, in all and by subgroup");
    }
    match (served, common(&labels)) {
        _ if labels.len() <= 3 => labels.join("; "),
        ([estimand], Some(common)) => format!("{common} ({})", estimand.id),
        ([estimand], None) => format!("{title} ({})", estimand.id),
        (_, Some(common)) => common,
        _ => title.to_owned(),
    }
}

/// Whether all other labels go on from the first: `Change of FVC`, `Change of FVC, with lung disease`.
fn in_all_and_by_part(first: &str, labels: &[&str]) -> bool {
    labels[1..].iter().all(|label| label.strip_prefix(first).is_some_and(|rest| rest.starts_with(", ")))
}

/// What labels begin and end with, where that is enough to name them: `Change of SF-36 at month 12`.
fn common(labels: &[&str]) -> Option<String> {
    const LEADING_ON: [&str; 4] = ["of", "the", "in", "and"];
    let words: Vec<Vec<&str>> = labels.iter().map(|label| label.split(' ').collect()).collect();
    let (start, end) = shared_ends(&words)?;
    let mut first: Vec<&str> = words[0][..start].to_vec();
    while first.last().is_some_and(|word| LEADING_ON.contains(word)) {
        first.pop();
    }
    let last = &words[0][words[0].len() - end..];
    if first.is_empty() || first.len() + end < 3 {
        return None;
    }
    let first = first.join(" ");
    Some([first.trim_end_matches([',', ':']), &last.join(" ")].join(" ").trim().to_owned())
}

/// How many words all begin with, and how many they end with after that.
fn shared_ends(labels: &[Vec<&str>]) -> Option<(usize, usize)> {
    let shortest = labels.iter().map(Vec::len).min()?;
    let same = |at: &dyn Fn(&[&str]) -> Option<String>| {
        let first = at(&labels[0]);
        first.is_some() && labels.iter().all(|one| at(one) == first)
    };
    let word = |one: &[&str], place: usize| one.get(place).map(|word| (*word).to_owned());
    let start = (0..shortest).take_while(|place| same(&|one| word(one, *place))).count();
    let left = shortest - start;
    let end = (1..=left).take_while(|back| same(&|one| word(one, one.len() - back))).count();
    Some((start, end))
}

/// Joins labels that differ in one place: `Change of FVC, TLC and DLCO at month 6`.
fn joined(labels: &[&str]) -> Option<String> {
    let words: Vec<Vec<&str>> = labels.iter().map(|label| label.split(' ').collect()).collect();
    let (start, end) = shared_ends(&words)?;
    if labels.len() < 2 {
        return labels.first().map(|label| (*label).to_owned());
    }
    if start + end < 2 {
        return None;
    }
    let middles: Vec<String> = words.iter().map(|one| one[start..one.len() - end].join(" ")).collect();
    let short =
        |middle: &String| (1..=3).contains(&middle.split_whitespace().count()) && !middle.contains(',');
    if !middles.iter().all(short) {
        return None;
    }
    let whole =
        [words[0][..start].join(" "), tables::listed(middles), words[0][words[0].len() - end..].join(" ")];
    Some(whole.join(" ").trim().to_owned())
}

/// An estimand with its five attributes.
fn definition(context: &Context<'_>, estimand: &Estimand) -> Definitions {
    let population = context.study.plan.sets.iter().find(|set| set.id == estimand.population);
    let population = population.map_or(estimand.population.as_str(), |set| context.label(&set.label));
    let events: Vec<String> = estimand
        .events
        .iter()
        .map(|(event, strategy)| format!("{}: {}", event.replace('_', " "), strategy_name(*strategy)))
        .collect();
    let items = [
        ("Treatment", estimand.treatment.clone()),
        ("Population", population.to_owned()),
        ("Variable", estimand.variable.clone()),
        ("Intercurrent events", events.join("; ")),
        ("Summary", estimand.summary.clone()),
        ("Source", wording::mark(estimand.mark).to_owned()),
    ];
    Definitions {
        id: definition_anchor(estimand),
        title: estimand_title(context, estimand),
        items: items.into_iter().map(|(term, meaning)| (term.to_owned(), text(meaning))).collect(),
    }
}

fn estimand_title(context: &Context<'_>, estimand: &Estimand) -> String {
    format!("{} ({}): {}", estimand.id, estimand.level, context.label(&estimand.question))
}

/// Where an estimand is defined; its row among the endpoints has another anchor.
fn definition_anchor(estimand: &Estimand) -> String {
    format!("defined-{}", anchor(estimand.id.as_str()))
}

fn strategy_name(strategy: Strategy) -> &'static str {
    match strategy {
        Strategy::TreatmentPolicy => "treatment policy",
        Strategy::WorstRank => "worst rank",
        Strategy::Hypothetical => "hypothetical",
        Strategy::Composite => "composite",
        Strategy::WhileOnTreatment => "while on treatment",
        Strategy::NotEstimated => "not estimated, counted",
    }
}

/// Numbers tables and figures in reading order, and makes the anchors of repeated ones differ.
fn number_blocks(sections: &mut [Section]) {
    let (mut tables, mut figures) = (0, 0);
    let mut taken = BTreeSet::new();
    let mut unique = |id: &mut String| {
        let stem = id.clone();
        let mut again = 1;
        while !taken.insert(id.clone()) {
            again += 1;
            *id = format!("{stem}-{again}");
        }
    };
    for block in sections.iter_mut().flat_map(|section| &mut section.blocks) {
        match block {
            Block::Table(table) => {
                tables += 1;
                table.caption = format!("Table {tables}. {}", table.caption);
                unique(&mut table.id);
            }
            Block::Figure(Figure { id, caption, tables: inner, .. }) => {
                figures += 1;
                *caption = format!("Figure {figures}. {caption}");
                unique(id);
                inner.iter_mut().for_each(|table| unique(&mut table.id));
            }
            Block::Flow(flow) => {
                figures += 1;
                flow.caption = format!("Figure {figures}. {}", flow.caption);
                unique(&mut flow.id);
            }
            Block::Definitions(definitions) => unique(&mut definitions.id),
            Block::Heading(_) | Block::Paragraph(_) => {}
        }
    }
}

impl Report {
    /// Returns every figure as a file of its own, captioned: its name with its ending, and the SVG.
    pub fn drawings(&self) -> Vec<(String, String)> {
        let drawings = self.document.drawings().into_iter();
        drawings.map(|(id, caption, svg)| (format!("{id}.svg"), figures::captioned(svg, caption))).collect()
    }

    /// Returns the text of a number as it stands in the document.
    pub fn number(&self, id: &str) -> Option<&str> {
        self.document.runs().into_iter().flatten().find_map(|inline| match inline {
            Inline::Number { id: own, text, .. } if own == id => Some(text.as_str()),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_that_differ_in_one_place_are_joined_there() {
        let fvc = ["Change of FVC at month 6", "Change of TLC at month 6", "Change of DLCO at month 6"];
        assert_eq!(joined(&fvc).as_deref(), Some("Change of FVC, TLC and DLCO at month 6"));
        let months = ["Change of DLQI at month 1", "Change of DLQI at month 12"];
        assert_eq!(joined(&months).as_deref(), Some("Change of DLQI at month 1 and 12"));
        assert_eq!(joined(&["Age"]).as_deref(), Some("Age"));
        assert_eq!(joined(&["Age", "Sex"]), None);
        assert_eq!(joined(&["Serious events of note", "Serious events of note in all"]), None);
        assert_eq!(joined(&["Change at month 12", "Change at month 12, with disease"]), None);
        assert_eq!(joined(&["A fall of 5 points and 25 %", "A fall of 20 %"]), None);
        assert_eq!(joined(&[]), None);
    }

    #[test]
    fn many_labels_are_named_by_what_they_share() {
        let scales = ["Change of SF-36, vitality, at month 12", "Change of SF-36, bodily pain, at month 12"];
        assert_eq!(common(&scales).as_deref(), Some("Change of SF-36 at month 12"));
        let kinds = ["Change of HAQ-DI at month 12", "Change of SHAQ, pain, at month 12"];
        assert_eq!(common(&kinds).as_deref(), Some("Change at month 12"));
        assert_eq!(common(&["Serious", "Related"]), None);
        assert!(in_all_and_by_part("Change", &["Change", "Change, early", "Change, late"]));
        assert!(!in_all_and_by_part("Change", &["Change", "Change of FVC"]));
        assert_eq!(common(&[]), None);
    }
}
