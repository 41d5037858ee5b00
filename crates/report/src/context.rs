//! What every part of the report's construction looks things up in.

use analysis::{AnalysisResult, Level, PublishedNumber, Results};
use datasets::DataSets;
use protocol::{
    Study,
    model::{self, Label, Measure, RecordsOf, Subject},
};

use crate::{BuildError, document::Inline, wording};

/// The study, its data and results, and the language of labels.
pub(crate) struct Context<'a> {
    pub(crate) study: &'a Study,
    pub(crate) data: &'a DataSets,
    pub(crate) results: &'a Results,
    pub(crate) language: &'a str,
    pub(crate) virtual_cohort: bool,
}

impl<'a> Context<'a> {
    /// A label in the report's language.
    pub(crate) fn label<'b>(&self, label: &'b Label) -> &'b str {
        label.get(self.language)
    }

    /// A caption with what must stand by every table and figure.
    pub(crate) fn caption(&self, text: &str) -> String {
        if self.virtual_cohort { format!("{text} (virtual cohort)") } else { text.to_owned() }
    }

    /// The result of an analysis.
    pub(crate) fn result(&self, id: &str) -> Result<&'a AnalysisResult, BuildError> {
        self.results.analysis(id).ok_or_else(|| BuildError::NoResult { analysis: id.to_owned() })
    }

    /// The analysis as planned; none for a standing one.
    pub(crate) fn planned(&self, result: &AnalysisResult) -> Option<&'a model::Analysis> {
        self.study.plan.analyses.iter().find(|analysis| analysis.id == result.id)
    }

    /// What people call an analysis.
    pub(crate) fn analysis_label(&self, result: &'a AnalysisResult) -> &'a str {
        self.planned(result).map_or(result.label.as_str(), |plan| self.label(&plan.label))
    }

    /// What people call a group of an analysis.
    pub(crate) fn group_label<'b>(&'b self, result: &AnalysisResult, group: &'b Level) -> &'b str {
        let by = self.planned(result).and_then(|plan| plan.by.as_deref());
        self.arm_label(&group.id).or_else(|| self.variable_level(by?, &group.id)).unwrap_or(&group.label)
    }

    /// What people call an arm.
    pub(crate) fn arm_label(&self, id: &str) -> Option<&'a str> {
        self.study.arms.iter().find(|arm| arm.id == *id).map(|arm| self.label(&arm.label))
    }

    /// What people call a level of an analysis.
    pub(crate) fn level_label<'b>(&'b self, result: &AnalysisResult, level: &'b Level) -> &'b str {
        let named = match self.planned(result).map(|plan| &plan.subject) {
            Some(Subject::Variable { variable }) => self.variable_level(variable, &level.id),
            _ => None,
        };
        named.unwrap_or(&level.label)
    }

    /// What people call a group of a standing result that is grouped by a variable, or by arm.
    pub(crate) fn level_of_group(&self, by: Option<&str>, result: &AnalysisResult, group: &Level) -> String {
        let Some(by) = by else { return self.group_label(result, group).to_owned() };
        match self.variable_level(by, &group.id) {
            Some(label) => label.to_owned(),
            None => format!("{}: {}", self.variable_label(by), group.label.to_lowercase()),
        }
    }

    /// What people call a variable of the plan, or a column of the subject-level data set.
    pub(crate) fn variable_label(&self, variable: &str) -> &'a str {
        let planned = self.study.plan.variables.iter().find(|one| one.id == variable);
        let built_in = || self.data.subjects.column(variable).map(|column| column.label.as_str());
        planned.map(|one| self.label(&one.label)).or_else(built_in).unwrap_or_default()
    }

    fn variable_level(&self, variable: &str, level: &str) -> Option<&'a str> {
        let variable = self.study.plan.variables.iter().find(|one| one.id == variable)?;
        variable.levels.iter().find(|(code, _)| code == level).map(|(_, label)| self.label(label))
    }

    /// The unit of what an analysis looks at; empty if it has none.
    pub(crate) fn unit(&self, subject: &Subject) -> &'a str {
        wording::unit(match subject {
            Subject::Parameter { measure: Measure::PercentChange, .. } => "%",
            Subject::Parameter { measure: Measure::RelativeChange, .. } => "",
            Subject::Parameter { parameter, .. } => {
                self.parameter(parameter.as_str()).and_then(|one| one.unit.as_deref()).unwrap_or("")
            }
            Subject::Variable { variable } => {
                self.data.subjects.column(variable).and_then(|column| column.unit.as_deref()).unwrap_or("")
            }
            Subject::Records(records) => match &records.of {
                RecordsOf::Value { column } | RecordsOf::Times { time: column, .. } => {
                    let set = self.data.get(&records.data).and_then(|set| set.column(column));
                    let column = set.or_else(|| self.data.subjects.column(column));
                    column.and_then(|column| column.unit.as_deref()).unwrap_or("")
                }
                RecordsOf::Terms { .. } => "",
            },
            Subject::Readings(readings) => {
                let of_item =
                    |one: &&model::Parameter| one.form == readings.form && one.item == readings.item;
                let parameter = self.study.plan.parameters.iter().find(of_item);
                parameter.and_then(|parameter| parameter.unit.as_deref()).unwrap_or("")
            }
            Subject::TimeToEvent { .. } => "d",
            Subject::AdverseEvents { .. } | Subject::Deviations => "",
        })
    }

    /// A parameter of the plan.
    pub(crate) fn parameter(&self, id: &str) -> Option<&'a model::Parameter> {
        self.study.plan.parameters.iter().find(|parameter| parameter.id == *id)
    }

    /// What people call a visit.
    pub(crate) fn visit_label<'b>(&self, id: &'b str) -> &'b str
    where
        'a: 'b,
    {
        self.study.visit(id).map_or(id, |visit| self.label(&visit.label))
    }

    /// A method or a reason in words: visits, parameters and variables by their labels, conditions read aloud.
    ///
    /// The appendix keeps the words of the results, which a program can look up.
    pub(crate) fn read_aloud(&self, words: &str) -> String {
        let mut said: Vec<String> = Vec::new();
        for word in words.split(' ') {
            let before = said.last().map_or("", String::as_str);
            let start = word.len() - word.trim_start_matches(['`', '(']).len();
            let end = word.trim_end_matches(['`', ')', ',', ';', '.', ':']).len().max(start);
            let (lead, name, rest) = (&word[..start], &word[start..end], &word[end..]);
            let whole = self.named_aloud(name, before);
            let quotes = |text: &str| text.replace('`', "");
            said.push(format!("{}{whole}{}", quotes(lead), quotes(rest)));
        }
        said.join(" ")
    }

    /// One word of a method or reason; `before` is the word that leads to it.
    fn named_aloud(&self, name: &str, before: &str) -> String {
        if let Some(visit) = self.study.visit(name) {
            return self.label(&visit.label).to_lowercase();
        }
        if let Some(parameter) = self.parameter(name) {
            return self.label(&parameter.label).to_owned();
        }
        let is_variable = name.contains('_') || ["of", "by"].contains(&before);
        let planned = self.study.plan.variables.iter().find(|one| is_variable && one.id == name);
        match (planned, name) {
            (Some(one), _) => format!("“{}”", self.label(&one.label)),
            (None, "&&") => "and".to_owned(),
            (None, "||") => "or".to_owned(),
            (None, ">=") => "≥".to_owned(),
            (None, "<=") => "≤".to_owned(),
            (None, "==") => "is".to_owned(),
            (None, name) => name.replace('_', " "),
        }
    }

    /// A stated number as it stands beside one of ours.
    pub(crate) fn stated(&self, published: &PublishedNumber) -> Result<Inline, BuildError> {
        let fact = self.study.fact(published.fact.as_str());
        let fact = fact.ok_or_else(|| BuildError::NoFact { fact: published.fact.to_string() })?;
        let percent = if fact.unit.as_deref() == Some("%") { "%" } else { "" };
        Ok(Inline::Stated {
            text: format!("{}{percent}", wording::minus(&published.text)),
            target: fact_anchor(fact.id.as_str()),
            mark: fact.mark,
        })
    }
}

/// The anchor of a fact in the section of sources.
pub(crate) fn fact_anchor(id: &str) -> String {
    format!("fact-{}", anchor(id))
}

/// Makes a text fit to be an anchor and a file name.
pub(crate) fn anchor(text: &str) -> String {
    let fit = |char: char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_' | '.');
    text.chars().map(|char| if fit(char) { char } else { '-' }).collect()
}
