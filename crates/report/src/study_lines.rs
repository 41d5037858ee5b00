//! The lines of a study that say what an analysis is and what it rests on.
//!
//! A planned analysis has a line of its own, and lines of its estimand, set, parameter or variable with
//! the item behind it. A standing one rests on the line of the plan by which the report shows it, and on
//! the rules, tests or forms that it counts.

use std::collections::BTreeMap;

use protocol::{
    Kind, Study, StudyLine, StudyLines,
    model::{Happening, Purpose, Subject},
};

/// A line of the study, and what is defined there (`estimand B-P1`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefinedAt {
    /// What is defined.
    pub what: String,
    /// Where.
    pub line: StudyLine,
}

/// Standing analyses that the plan's report asks for by a word of their own.
const ASKED_BY: [(&str, &str); 16] = [
    ("flow", "flow"),
    ("baseline-balance", "baseline:"),
    ("dose-changes", "dosing:changes"),
    ("concomitant-treatments", "treatments"),
    ("adverse-event-grades", "adverse events:grades"),
    ("adverse-event-relations", "adverse events:relations"),
    ("adverse-event-onset", "adverse events:onset"),
    ("adverse-event-differences", "figure:adverse event differences"),
    ("adverse-events-over-time", "figure:adverse events"),
    ("laboratory-grades", "laboratory:grades"),
    ("laboratory-ranges", "laboratory:ranges"),
    ("laboratory", "figure:laboratory:"),
    ("hys-law", "figure:hy's law"),
    ("reader-agreement", "readers"),
    ("body-map", "figure:body map"),
    ("exposure", "figure:swim lanes"),
];
/// The file of the plan.
const PLAN: &str = "analysis.toml";

/// Where the things of a study folder are defined, and what stands there.
pub struct Definitions<'a> {
    study: &'a Study,
    files: &'a BTreeMap<String, String>,
    lines: StudyLines,
}

impl<'a> Definitions<'a> {
    /// Reads the files of a study folder, by path in it.
    pub fn new(study: &'a Study, files: &'a BTreeMap<String, String>) -> Self {
        Self { study, files, lines: protocol::study_lines(files) }
    }

    /// Returns the lines that an analysis rests on, its own first; none of what the files don't define.
    pub fn of_analysis(&self, id: &str) -> Vec<DefinedAt> {
        let mut found = Found { definitions: self, lines: Vec::new() };
        if self.study.plan.analyses.iter().any(|one| one.id == *id) {
            found.planned(id);
        } else {
            found.standing(id);
        }
        found.lines
    }

    /// Returns what stands at a line: the table or entry that begins there.
    pub fn text(&self, line: &StudyLine) -> String {
        self.files.get(&line.file).map_or_else(String::new, |text| entry(text, line.line))
    }

    /// The line of the plan's report that shows something by a word, or by one that begins so.
    fn asked_by(&self, word: &str) -> Option<StudyLine> {
        let text = self.files.get(PLAN)?;
        let shows = |line: &str| {
            line.split('"').any(|one| one == word || (word.ends_with(':') && one.starts_with(word)))
        };
        let in_report = text.lines().position(|line| line.trim() == "[[report]]")?;
        let place = text.lines().skip(in_report).position(shows)? + in_report;
        Some(StudyLine { file: PLAN.to_owned(), line: place + 1 })
    }
}

/// Lines being gathered.
struct Found<'a> {
    definitions: &'a Definitions<'a>,
    lines: Vec<DefinedAt>,
}

impl Found<'_> {
    fn add(&mut self, kind: Kind, what: &str, name: &str) {
        if let Some(line) = self.definitions.lines.of(kind, name) {
            self.put(format!("{what} {name}"), line.clone());
        }
    }

    fn put(&mut self, what: String, line: StudyLine) {
        let line = DefinedAt { what, line };
        if !self.lines.contains(&line) {
            self.lines.push(line);
        }
    }

    fn form_for(&mut self, purpose: Purpose) {
        if let Some(form) = self.definitions.study.form_for(purpose) {
            self.add(Kind::Form, "form", form.id.as_str());
        }
    }

    fn parameter(&mut self, id: &str) {
        self.add(Kind::Parameter, "parameter", id);
        if let Some(one) = self.definitions.study.plan.parameters.iter().find(|one| one.id == *id) {
            self.add(Kind::Item, "item", &format!("{}.{}", one.form, one.item));
            self.add(Kind::Form, "form", one.form.as_str());
        }
    }

    fn time(&mut self, id: &str) {
        self.add(Kind::Time, "time", id);
        let study = self.definitions.study;
        let Some(time) = study.plan.times.iter().find(|time| time.id == *id) else { return };
        for one in time.events.iter().chain(&time.censored_by) {
            match &one.what {
                Happening::AdverseEvent { .. } => self.form_for(Purpose::AdverseEvents),
                Happening::Finding { parameter, .. } => self.parameter(parameter.as_str()),
                Happening::TreatmentEnd { .. } | Happening::ParticipationEnd { .. } => {}
            }
        }
    }

    fn tests(&mut self, of: impl Fn(&str) -> bool) {
        for test in self.definitions.study.plan.tests.iter().filter(|test| of(&test.id)) {
            self.add(Kind::Test, "test", &test.id);
            self.add(Kind::Item, "item", &format!("{}.{}", test.form, test.item));
        }
    }

    fn planned(&mut self, id: &str) {
        let study = self.definitions.study;
        let Some(plan) = study.plan.analyses.iter().find(|one| one.id == *id) else { return };
        self.add(Kind::Analysis, "analysis", id);
        if let Some(estimand) = &plan.estimand {
            self.add(Kind::Estimand, "estimand", estimand.as_str());
        }
        self.add(Kind::Set, "set", plan.set.as_str());
        match &plan.subject {
            Subject::Parameter { parameter, .. } => self.parameter(parameter.as_str()),
            Subject::Variable { variable } => self.add(Kind::Variable, "variable", variable),
            Subject::AdverseEvents { .. } => self.form_for(Purpose::AdverseEvents),
            Subject::Readings(readings) => {
                self.add(Kind::Item, "item", &format!("{}.{}", readings.form, readings.item));
                self.add(Kind::Form, "form", readings.form.as_str());
            }
            Subject::TimeToEvent { time } => self.time(time.as_str()),
            // Data sets from elsewhere are declared beside the plan, not collected on forms.
            Subject::Records(_) => {}
            Subject::Deviations => {
                for rule in &study.deviations {
                    self.add(Kind::Deviation, "deviation", rule.id.as_str());
                }
            }
        }
    }

    fn standing(&mut self, id: &str) {
        let study = self.definitions.study;
        let (family, of) = id.split_once(':').unwrap_or((id, ""));
        let word = match family {
            "trajectory" | "waterfall" | "cumulative" => Some(format!("figure:{id}")),
            _ => ASKED_BY.iter().find(|(known, _)| *known == family).map(|(_, word)| (*word).to_owned()),
        };
        if let Some(line) = word.and_then(|word| self.definitions.asked_by(&word)) {
            self.put("what the report shows".to_owned(), line);
        }
        match family {
            "flow" | "disposition" => {
                for rule in &study.eligibility {
                    self.add(Kind::Rule, "rule", rule.id.as_str());
                }
                for set in &study.plan.sets {
                    self.add(Kind::Set, "set", set.id.as_str());
                }
            }
            "dose-changes" | "exposure" => {
                for rule in &study.dosing.rules {
                    self.add(Kind::DoseRule, "rule", rule.id.as_str());
                }
            }
            "adverse-event-grades"
            | "adverse-event-relations"
            | "adverse-event-onset"
            | "adverse-event-differences"
            | "adverse-events-over-time"
            | "adverse-events" => {
                self.form_for(Purpose::AdverseEvents);
            }
            "concomitant-treatments" => self.form_for(Purpose::ConcomitantTreatments),
            "deviations-by-kind" | "blinding" => {
                for rule in &study.deviations {
                    self.add(Kind::Deviation, "deviation", rule.id.as_str());
                }
            }
            "laboratory-grades" | "laboratory-ranges" => self.tests(|_| true),
            "laboratory" => self.tests(|test| test == of),
            "hys-law" => self.tests(|test| ["ALT", "AST", "BILI"].contains(&test)),
            "reader-agreement" => {
                if let Some(reading) = &study.blind_reading {
                    self.add(Kind::Form, "form", reading.read_on.as_str());
                }
                if let Some(line) = self.definitions.lines.key("study.toml#blind_reading") {
                    self.put("blind reading".to_owned(), line.clone());
                }
            }
            "body-map" => {
                let scored = study.forms.iter().filter(|form| form.instrument.as_deref() == Some("mrss"));
                scored.for_each(|form| self.add(Kind::Form, "form", form.id.as_str()));
            }
            "trajectory" | "waterfall" | "cumulative" => {
                let (parameter, by) = of.split_once(':').unwrap_or((of, ""));
                self.parameter(parameter);
                self.add(Kind::Variable, "variable", by);
            }
            _ => {}
        }
    }
}

/// The table that begins at a line (from 1) up to the next one, or the entry until its brackets close.
fn entry(text: &str, line: usize) -> String {
    let lines: Vec<&str> = text.lines().skip(line.saturating_sub(1)).collect();
    let Some(first) = lines.first() else { return String::new() };
    let count = if first.trim_start().starts_with('[') {
        1 + lines[1..].iter().take_while(|line| !line.starts_with('[')).count()
    } else if line == 1 {
        // A form begins with its first line: what it says of itself stands before its first table.
        lines.iter().take_while(|line| !line.starts_with('[')).count()
    } else {
        let mut open = 0_i64;
        1 + lines
            .iter()
            .take_while(|line| {
                open += depth(line);
                open > 0
            })
            .count()
    };
    let mut taken = &lines[..count.min(lines.len())];
    while let [before @ .., last] = taken
        && (last.trim().is_empty() || last.trim_start().starts_with('#'))
        && !before.is_empty()
    {
        taken = before;
    }
    taken.join("\n")
}

/// Brackets opened less those closed on a line, words in quotes and remarks apart.
fn depth(line: &str) -> i64 {
    let (mut depth, mut quoted, mut escaped) = (0, None, false);
    for char in line.chars() {
        match (quoted, char) {
            _ if escaped => escaped = false,
            (Some('"'), '\\') => escaped = true,
            (Some(quote), _) if quote == char => quoted = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quoted = Some(char),
            (None, '#') => break,
            (None, '[' | '{') => depth += 1,
            (None, ']' | '}') => depth -= 1,
            (None, _) => {}
        }
    }
    depth
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "title = \"Form\"\nby_visit = true\n\n[items]\nface = { label = \"[Face]\", type = \"integer\" }\n\
                        sum = {\n  from = \"all\", # {\n  of = [1,\n 2],\n}\nlast = 1\n\n# next\n[checks]\nno = 1\n";

    #[test]
    fn a_table_ends_before_the_next_and_an_entry_where_its_brackets_close() {
        assert_eq!(entry(TEXT, 1), "title = \"Form\"\nby_visit = true");
        assert!(entry(TEXT, 4).starts_with("[items]\nface") && entry(TEXT, 4).ends_with("last = 1"));
        assert_eq!(entry(TEXT, 5), "face = { label = \"[Face]\", type = \"integer\" }");
        assert_eq!(entry(TEXT, 6), "sum = {\n  from = \"all\", # {\n  of = [1,\n 2],\n}");
        assert_eq!(entry(TEXT, 14), "[checks]\nno = 1");
        assert_eq!(entry(TEXT, 99), "");
    }
}
