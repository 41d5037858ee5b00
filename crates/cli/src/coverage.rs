//! From each statement of a protocol to the study line, the events of a record, and the place in the report.
//!
//! What a statement answers to is said in `coverage.toml` and resolved by the compiler; here it
//! is followed through a trial that was run. A statement, or a cell of the schedule, that leads
//! to no line, no event or no place in the report is a finding.

use std::collections::{BTreeMap, BTreeSet};

use analysis::Results;
use datasets::DataSets;
use protocol::{
    Kind, StudyLines,
    expression::Input,
    model::{Form, Purpose, Shown, Study, Timing},
};
use record::{Event, Fact};
use report::document::{Block, Document};
use serde::Serialize;
use terms::{FormId, SiteId};

/// Events that are named in full; of more, the first so many.
const EVENTS_NAMED: usize = 5;

/// One line of the table.
#[derive(Debug, Serialize)]
pub struct Covered {
    /// The statement's id, or `row @ column` of the schedule.
    pub id: String,
    /// `statement` or `cell`.
    pub kind: &'static str,
    /// What the protocol says.
    pub says: String,
    /// Lines of the study: `eligibility.toml:31`.
    pub study: Vec<String>,
    /// How many events of the record it leads to.
    pub event_count: usize,
    /// The first of them, by sequence.
    pub events: Vec<u64>,
    /// Places in the report: section, table or figure, with the anchor.
    pub report: Vec<String>,
}

impl Covered {
    /// Says whether it leads somewhere in the study, the record and the report.
    pub fn is_complete(&self) -> bool {
        !self.study.is_empty() && self.event_count > 0 && !self.report.is_empty()
    }
}

/// A trial that was run, and its report.
pub struct Followed<'a> {
    /// The study.
    pub study: &'a Study,
    /// Where its things are defined.
    pub lines: &'a StudyLines,
    /// The record.
    pub events: &'a [Event],
    /// The data sets.
    pub data: &'a DataSets,
    /// The results.
    pub results: &'a Results,
    /// The report.
    pub document: &'a Document,
}

impl Followed<'_> {
    /// Follows every statement and every cell.
    pub fn table(&self) -> Vec<Covered> {
        let places = Places::of(self.study, self.document);
        // In the language of the report's labels, beside which its places are read.
        let language = self.document.label_language.as_str();
        let statements = self.study.coverage.statements.iter().map(|statement| {
            let mut covered = Gathered::default();
            for (kind, name) in &statement.references {
                covered.lines.extend(self.lines.of(*kind, name).map(ToString::to_string));
                covered.events.extend(self.events_behind(*kind, name));
                covered.places.extend(places.of_name(self.study, *kind, name));
            }
            for line in &statement.lines {
                covered.lines.extend(self.lines.key(line).map(ToString::to_string));
                // The record begins with the version of the study, which these lines are part of.
                covered.events.extend(self.that(|fact| matches!(fact, Fact::StudyOpened { .. })));
                covered.places.extend(places.of_line(line));
            }
            covered.into_row(&statement.id, "statement", statement.says.get(language))
        });
        let cells = self.study.coverage.cells.iter().map(|(activity, column)| {
            let mut covered = Gathered::default();
            let line = self.lines.key(&format!("schedule.toml#schedule.{activity}"));
            covered.lines.extend(line.map(ToString::to_string));
            covered.events = self.events_of_cell(activity, column);
            covered.places.extend(places.anchored(&format!("activity-{activity}")));
            let label = self.study.activities.iter().find(|row| row.id == *activity);
            let says = label.map_or("", |row| row.label.get(language));
            covered.into_row(&format!("{activity} @ {column}"), "cell", &format!("{says}, {column}"))
        });
        statements.chain(cells).collect()
    }

    /// Returns where a name of the study leads: its lines, the events that applied it, its places in the report.
    pub fn leads(&self, kind: Kind, name: &str) -> (Vec<String>, Vec<u64>, Vec<String>) {
        let places = Places::of(self.study, self.document);
        let own = self.lines.of(kind, name);
        // An item that an instrument brings stands where its form names the instrument.
        let form = name.split('.').next().unwrap_or_default();
        let brought =
            || self.lines.key(&format!("forms/{form}.toml#instrument")).filter(|_| kind == Kind::Item);
        let lines = own.or_else(brought).map(ToString::to_string).into_iter().collect();
        let events: BTreeSet<u64> = self.events_behind(kind, name).into_iter().collect();
        (lines, events.into_iter().collect(), places.of_name(self.study, kind, name))
    }

    fn that(&self, wanted: impl Fn(&Fact) -> bool) -> Vec<u64> {
        self.events.iter().filter(|event| wanted(&event.fact)).map(|event| event.sequence).collect()
    }

    fn saves_of(&self, form: &FormId) -> Vec<u64> {
        self.that(|fact| match fact {
            Fact::FormSectionSaved { key, .. } => key.form == *form,
            _ => false,
        })
    }

    fn events_behind(&self, kind: Kind, name: &str) -> Vec<u64> {
        let study = self.study;
        match kind {
            Kind::Rule => {
                let at = study.eligibility.iter().find(|rule| rule.id == *name).map(|rule| &rule.at);
                self.that(|fact| match fact {
                    Fact::EligibilityDecided { at_visit, .. } => at.is_some_and(|at| at.contains(at_visit)),
                    _ => false,
                })
            }
            Kind::DoseRule => self.events_of_dose_rule(name),
            Kind::Check => self.events_of_check(name),
            Kind::Item => self.changes_of_item(name),
            Kind::Fact => self.events_beside_fact(name),
            Kind::Estimand => {
                let of = |analysis: &&protocol::model::Analysis| {
                    analysis.estimand.as_ref().is_some_and(|id| id.as_str() == name)
                };
                let analyses = study.plan.analyses.iter().filter(of);
                analyses.flat_map(|analysis| self.events_of_analysis(analysis.id.as_str())).collect()
            }
            Kind::Analysis => self.events_of_analysis(name),
            Kind::Set => self.that(|fact| match fact {
                Fact::AnalysisSetsSigned { sets, .. } => sets.keys().any(|id| id.as_str() == name),
                _ => false,
            }),
            Kind::Parameter => {
                let parameter = study.plan.parameters.iter().find(|one| one.id == *name);
                parameter.map(|one| self.saves_of(&one.form)).unwrap_or_default()
            }
            Kind::Variable => self.events_of_variable(name),
            Kind::Deviation => {
                let rule = study.deviations.iter().find(|rule| rule.id == *name);
                let recorded = self.that(|fact| match fact {
                    Fact::DeviationRecorded { what, visit, .. } => {
                        let word = serde_json::to_value(what).unwrap_or_default();
                        rule.is_some_and(|rule| {
                            let there = rule.visit.is_none() || rule.visit == *visit;
                            there && word.as_str() == Some(rule.what.as_str())
                        })
                    }
                    _ => false,
                });
                // A rule that nothing broke was held against every deviation when those were classified.
                if recorded.is_empty() {
                    self.that(|fact| matches!(fact, Fact::DeviationClassified { .. }))
                } else {
                    recorded
                }
            }
            Kind::Role => self
                .events
                .iter()
                .filter(|event| {
                    let given =
                        matches!(&event.fact, Fact::RoleDelegated { role, .. } if role.as_str() == name);
                    given || event.by.role.as_str() == name
                })
                .map(|event| event.sequence)
                .collect(),
            Kind::DataClass => self.events_of_class(name),
            Kind::Visit => self.visits_held(name),
            Kind::Activity => {
                let of = |cell: &&(String, String)| cell.0 == name;
                let cells = study.coverage.cells.iter().filter(of);
                cells.flat_map(|(activity, column)| self.events_of_cell(activity, column)).collect()
            }
            Kind::Form => {
                let form = study.form(name);
                match form.and_then(|form| form.purpose) {
                    Some(Purpose::SpecimenReading) => {
                        self.that(|fact| matches!(fact, Fact::SpecimenRead { .. }))
                    }
                    _ => self.saves_of(&FormId::from(name)),
                }
            }
            Kind::Site => {
                self.that(|fact| matches!(fact, Fact::SiteActivated { site } if site.as_str() == name))
            }
            Kind::Arm => {
                self.that(|fact| matches!(fact, Fact::SubjectRandomised { .. } | Fact::SubjectEnrolled))
            }
            Kind::Laboratory => self.events_of_laboratory(name),
            Kind::Watch => self.that(|fact| match fact {
                Fact::WatchCounted { watch, .. }
                | Fact::WatchReached { watch, .. }
                | Fact::SafetyDecided { watch, .. } => watch.as_str() == name,
                _ => false,
            }),
            _ => Vec::new(),
        }
    }

    /// Queries that a check opened, and how they went on.
    fn events_of_check(&self, name: &str) -> Vec<u64> {
        let (form, check) = name.split_once('.').unwrap_or(("", name));
        let opened: BTreeSet<_> = self
            .events
            .iter()
            .filter_map(|event| match &event.fact {
                Fact::QueryOpened { query, key, check: Some(of), .. }
                    if key.form == *form && *of == *check =>
                {
                    Some(query)
                }
                _ => None,
            })
            .collect();
        self.that(|fact| match fact {
            Fact::QueryOpened { query, .. }
            | Fact::QueryAnswered { query, .. }
            | Fact::QueryClosed { query, .. } => opened.contains(query),
            _ => false,
        })
    }

    /// Events that set an item, `form.item`.
    fn changes_of_item(&self, name: &str) -> Vec<u64> {
        let (form, item) = name.split_once('.').unwrap_or(("", name));
        self.that(|fact| match fact {
            Fact::FormSectionSaved { key, changes } | Fact::FormSectionCorrected { key, changes } => {
                key.form == *form && changes.iter().any(|change| change.item == *item)
            }
            _ => false,
        })
    }

    fn rows_behind(&self, number: &str) -> Vec<u64> {
        let trace = analysis::trace(self.results, self.data, number);
        let rows = trace.into_iter().flat_map(|trace| trace.rows).flat_map(|rows| rows.rows);
        rows.flat_map(|(_, sources)| sources).collect()
    }

    fn events_of_analysis(&self, id: &str) -> Vec<u64> {
        let Some(result) = self.results.analysis(id) else { return Vec::new() };
        let sets: BTreeSet<usize> =
            result.numbers.iter().flat_map(|number| number.rows.iter().copied()).collect();
        let rows = sets.into_iter().filter_map(|place| self.results.row_sets.get(place));
        rows.flat_map(|rows| {
            let set = self.data.get(&rows.dataset);
            set.into_iter().flat_map(move |set| {
                rows.rows.iter().flat_map(move |&row| set.sources_of(row, &rows.columns))
            })
        })
        .collect()
    }

    /// The events behind the numbers that a stated one stands beside.
    fn events_beside_fact(&self, fact: &str) -> Vec<u64> {
        let beside = self.results.analyses.iter().flat_map(|analysis| &analysis.published);
        let numbers = beside.filter(|published| published.fact.as_str() == fact);
        numbers.flat_map(|published| self.rows_behind(&published.number)).collect()
    }

    fn events_of_variable(&self, name: &str) -> Vec<u64> {
        let subjects = &self.data.subjects;
        (0..subjects.rows()).flat_map(|row| subjects.sources_of(row, &[name.to_owned()])).collect()
    }

    fn events_of_dose_rule(&self, name: &str) -> Vec<u64> {
        let under = self.that(|fact| match fact {
            Fact::DoseChanged { rule, .. } => rule.as_ref().is_some_and(|rule| rule.as_str() == name),
            _ => false,
        });
        if !under.is_empty() {
            return under;
        }
        // A rule that changed no dose was asked all the same: of the forms that it reads, else of adverse events.
        let rule = self.study.dosing.rules.iter().find(|rule| rule.id == *name);
        let when = rule.and_then(|rule| rule.when.as_ref());
        let read: BTreeSet<FormId> = match when {
            Some(when) => when
                .inputs()
                .into_iter()
                .filter_map(|input| match input {
                    Input::Item(item) | Input::Limit(item, _) => Some(item.form),
                    _ => None,
                })
                .collect(),
            None => {
                self.study.form_for(Purpose::AdverseEvents).map(|form| form.id.clone()).into_iter().collect()
            }
        };
        read.iter().flat_map(|form| self.saves_of(form)).collect()
    }

    fn events_of_class(&self, name: &str) -> Vec<u64> {
        let forms: Vec<&Form> = self.study.forms.iter().filter(|form| form.data_class == *name).collect();
        let mut events: Vec<u64> = forms.iter().flat_map(|form| self.saves_of(&form.id)).collect();
        events.extend(self.that(|fact| match name {
            "identity" | "consent" => matches!(fact, Fact::ConsentSigned { .. }),
            "allocation" => matches!(fact, Fact::SubjectRandomised { .. }),
            "kits" => matches!(fact, Fact::KitDispensed { .. } | Fact::KitReturned { .. }),
            "dose" => matches!(fact, Fact::DoseChanged { .. }),
            "sae_cases" => matches!(fact, Fact::SeriousEventReported { .. }),
            "biopsy_key" => matches!(fact, Fact::SpecimenTaken { .. }),
            "biopsy_readings" => matches!(fact, Fact::SpecimenRead { .. }),
            "queries" => matches!(fact, Fact::QueryOpened { .. }),
            "audit" => matches!(fact, Fact::FormSectionCorrected { .. }),
            "pooled_results" => matches!(fact, Fact::DatabaseLocked { .. }),
            "results_by_arm" => matches!(fact, Fact::AllocationUnblinded { .. }),
            _ => false,
        }));
        if name == "skin_history" {
            let scored =
                self.study.forms.iter().filter(|form| form.purpose == Some(Purpose::BlindedAssessment));
            events.extend(scored.flat_map(|form| self.saves_of(&form.id)));
        }
        events
    }

    fn events_of_laboratory(&self, name: &str) -> Vec<u64> {
        let sites: Vec<&SiteId> =
            self.study.sites.iter().filter(|site| site.laboratory == name).map(|site| &site.id).collect();
        let laboratory = |form: &FormId| {
            self.study.form(form.as_str()).is_some_and(|form| form.purpose == Some(Purpose::Laboratory))
        };
        let of_site = |event: &&Event| {
            let there = event.site.as_ref().is_some_and(|site| sites.contains(&site));
            there && matches!(&event.fact, Fact::FormSectionSaved { key, .. } if laboratory(&key.form))
        };
        let mut events: Vec<u64> = self.events.iter().filter(of_site).map(|event| event.sequence).collect();
        if events.is_empty() {
            // A site at which nobody was enrolled.
            let opened = |fact: &Fact| matches!(fact, Fact::SiteActivated { site } if sites.contains(&site));
            events = self.that(opened);
        }
        events
    }

    /// A column is a visit, a series of them (`W1`, `W2` …), or an unscheduled one with its numbers.
    fn is_of_column(&self, visit: &str, column: &str) -> bool {
        let number = visit.strip_prefix(column);
        let has_numbers = self.study.visit(column).is_none_or(|one| one.timing == Timing::Unscheduled);
        visit == column
            || (has_numbers
                && number.is_some_and(|number| number.chars().all(|letter| letter.is_ascii_digit())))
    }

    fn visits_held(&self, column: &str) -> Vec<u64> {
        self.that(
            |fact| matches!(fact, Fact::VisitHeld { visit, .. } if self.is_of_column(visit.as_str(), column)),
        )
    }

    fn events_of_cell(&self, activity: &str, column: &str) -> BTreeSet<u64> {
        let Some(row) = self.study.activities.iter().find(|row| row.id == activity) else {
            return BTreeSet::new();
        };
        let here = |visit: &terms::VisitId| self.is_of_column(visit.as_str(), column);
        let mut events: BTreeSet<u64> = self
            .that(|fact| match fact {
                Fact::FormSectionSaved { key, .. } => {
                    row.forms.contains(&key.form) && key.visit.as_ref().is_some_and(here)
                }
                Fact::KitDispensed { visit, .. } | Fact::KitReturned { visit, .. } => {
                    row.forms.is_empty() && here(visit)
                }
                _ => false,
            })
            .into_iter()
            .collect();
        if events.is_empty() {
            // Asked at the visit without a form of its own: randomisation, running logs, what is confirmed,
            // and forms whose conditions nobody met.
            events.extend(self.visits_held(column));
        }
        events
    }
}

/// What a statement leads to.
#[derive(Default)]
struct Gathered {
    lines: Vec<String>,
    events: BTreeSet<u64>,
    places: Vec<String>,
}

impl Gathered {
    fn into_row(self, id: &str, kind: &'static str, says: &str) -> Covered {
        let once = |list: Vec<String>| {
            let mut seen = BTreeSet::new();
            list.into_iter().filter(|one| seen.insert(one.clone())).collect::<Vec<_>>()
        };
        Covered {
            id: id.to_owned(),
            kind,
            says: says.to_owned(),
            study: once(self.lines),
            event_count: self.events.len(),
            events: self.events.into_iter().take(EVENTS_NAMED).collect(),
            report: once(self.places),
        }
    }
}

/// Where things stand in a report.
struct Places {
    /// Anchor to the section's title.
    anchors: BTreeMap<String, String>,
    /// Analysis to the section that shows it.
    analyses: BTreeMap<String, String>,
}

impl Places {
    fn of(study: &Study, document: &Document) -> Self {
        let mut anchors = BTreeMap::new();
        for section in &document.sections {
            for block in &section.blocks {
                if let Block::Table(table) = block {
                    let title = format!("{}, {}", section.title, table.caption);
                    anchors.insert(table.id.clone(), title.clone());
                    let rows = table.rows.iter().filter_map(|row| row.id.clone());
                    anchors.extend(rows.map(|row| (row, title.clone())));
                }
            }
        }
        let mut analyses = BTreeMap::new();
        let language = document.label_language.as_str();
        for (place, section) in study.plan.sections.iter().enumerate() {
            let id = format!("section-{}", place + 1);
            let shown = document.sections.iter().any(|one| one.id == id);
            for analysis in section.show.iter().filter(|_| shown).flat_map(shown_analyses) {
                let title = format!("{} (#{id})", section.title.get(language));
                analyses.entry(analysis).or_insert(title);
            }
        }
        Self { anchors, analyses }
    }

    fn anchored(&self, anchor: &str) -> Option<String> {
        self.anchors.get(anchor).map(|title| format!("{title} (#{anchor})"))
    }

    fn of_name(&self, study: &Study, kind: Kind, name: &str) -> Vec<String> {
        let anchor = |kind: &str| self.anchored(&format!("{kind}-{}", fit(name))).into_iter().collect();
        match kind {
            Kind::Rule => anchor("rule"),
            Kind::DoseRule => anchor("dose"),
            Kind::Fact => anchor("fact"),
            Kind::Set => anchor("set"),
            Kind::Parameter => anchor("parameter"),
            Kind::Variable => anchor("variable"),
            Kind::Deviation => anchor("deviation"),
            Kind::Watch => {
                let listing = self.anchors.keys().find(|id| id.starts_with("watches-"));
                let listing = listing.and_then(|id| self.anchored(id));
                anchor("watch").into_iter().chain(listing).collect()
            }
            Kind::Role => anchor("role"),
            Kind::DataClass => anchor("class"),
            Kind::Activity => anchor("activity"),
            Kind::Form => anchor("form"),
            Kind::Site => anchor("site"),
            Kind::Arm => anchor("arm"),
            Kind::Visit => {
                let visits = study.visits.iter().map(|visit| visit.id.as_str());
                let mut of = visits.filter(|visit| {
                    *visit == name
                        || visit.strip_prefix(name).is_some_and(|number| {
                            number.chars().all(|letter| letter.is_ascii_digit())
                                && study.visit(name).is_none()
                        })
                });
                of.next().and_then(|visit| self.anchored(&format!("visit-{visit}"))).into_iter().collect()
            }
            Kind::Laboratory => {
                let sites = study.sites.iter().filter(|site| site.laboratory == name);
                sites.filter_map(|site| self.anchored(&format!("site-{}", site.id))).collect()
            }
            Kind::Estimand => {
                let mut places: Vec<String> =
                    self.anchored(&format!("estimand-{}", fit(name))).into_iter().collect();
                let own = study
                    .plan
                    .analyses
                    .iter()
                    .filter(|one| one.estimand.as_ref().is_some_and(|id| id.as_str() == name));
                places.extend(own.filter_map(|one| self.analyses.get(one.id.as_str()).cloned()).take(1));
                places
            }
            Kind::Analysis => self.analyses.get(name).cloned().into_iter().collect(),
            Kind::Check | Kind::Item => {
                let form = name.split('.').next().unwrap_or_default();
                self.anchored(&format!("form-{}", fit(form))).into_iter().collect()
            }
            _ => Vec::new(),
        }
    }

    /// The place of a line that is no name: the table of its file, or the report's head.
    fn of_line(&self, line: &str) -> Vec<String> {
        let (file, keys) = line.split_once('#').unwrap_or((line, ""));
        let second = keys.split('.').nth(1).unwrap_or_default();
        let first = keys.split('.').next().unwrap_or_default();
        let anchored = |anchor: String| self.anchored(&anchor).into_iter().collect();
        match file {
            "dosing.toml" => anchored("line-doses".to_owned()),
            "allocation.toml" => anchored("line-allocation".to_owned()),
            "schedule.toml" if first == "visits" => anchored(format!("visit-{second}")),
            "schedule.toml" if first == "activities" => anchored(format!("activity-{second}")),
            "schedule.toml" => anchored("protocol-visits".to_owned()),
            "eligibility.toml" => anchored(format!("rule-{}", fit(first))),
            "analysis.toml" if first == "estimands" => anchored(format!("estimand-{}", fit(second))),
            "codelists.toml" => anchored("protocol-forms".to_owned()),
            "study.toml" if first == "watches" => anchored(format!("watch-{}", fit(second))),
            "study.toml" if first == "blind_reading" => anchored("form-biopsy_reading".to_owned()),
            "study.toml" | "virtual.toml" => {
                vec!["the report's head: study, phase, sponsor, virtual cohort".to_owned()]
            }
            _ => Vec::new(),
        }
    }
}

fn shown_analyses(shown: &Shown) -> Vec<String> {
    match shown {
        Shown::Table(analyses) | Shown::Baseline(analyses) => {
            analyses.iter().map(ToString::to_string).collect()
        }
        _ => Vec::new(),
    }
}

/// Makes a name fit to be an anchor, as the report does.
fn fit(text: &str) -> String {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
    text.chars().map(|letter| if fits(letter) { letter } else { '-' }).collect()
}
