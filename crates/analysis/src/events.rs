//! Rows of events (adverse events, deviations) of a population.

use std::collections::BTreeMap;

use datasets::{DataSets, Dataset};
use protocol::expression::Expression;
use terms::Truth;

use crate::{population::Population, scope::Row};

/// One event of a participant of the population.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Occurrence {
    /// The row in its data set.
    pub(crate) row: usize,
    /// The participant, as a place among the population's members.
    pub(crate) member: usize,
    /// The participant's group.
    pub(crate) group: Option<usize>,
    /// What happened: the term, or the kind of deviation.
    pub(crate) term: String,
    /// The level within that term, where there are two.
    pub(crate) narrow: Option<String>,
}

impl Occurrence {
    /// Whether this is of a term, or of a level within one.
    pub(crate) fn is_of(&self, level: &str) -> bool {
        self.term == level || self.narrow.as_deref() == Some(level)
    }
}

/// Events of a population, in order of participants and rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Occurrences(pub(crate) Vec<Occurrence>);

impl Occurrences {
    /// Takes the rows of a data set for which `filter` holds.
    pub(crate) fn choose(
        data: &DataSets,
        set: &Dataset,
        term: &str,
        population: &Population,
        filter: Option<&Expression>,
    ) -> Self {
        let places: BTreeMap<&str, usize> = population
            .members
            .iter()
            .enumerate()
            .map(|(place, member)| (member.subject.as_str(), place))
            .collect();
        let mut found = Vec::new();
        for row in 0..set.rows() {
            let member = set.cell("subject", row).text().and_then(|subject| places.get(subject)).copied();
            let Some(member) = member else { continue };
            if filter
                .is_some_and(|filter| filter.truth(&Row { data, set, row, subject_row: None }) != Truth::True)
            {
                continue;
            }
            let term = set.cell(term, row).text().unwrap_or("").to_owned();
            found.push(Occurrence {
                row,
                member,
                group: population.members[member].group,
                term,
                narrow: None,
            });
        }
        found.sort_by(|a, b| (a.member, &a.term, a.row).cmp(&(b.member, &b.term, b.row)));
        Self(found)
    }

    /// Returns those of a group (or all) that `keep` lets through.
    pub(crate) fn of<'a>(
        &'a self,
        group: Option<usize>,
        keep: impl Fn(&Occurrence) -> bool + 'a,
    ) -> Vec<&'a Occurrence> {
        self.0.iter().filter(|one| (group.is_none() || one.group == group) && keep(one)).collect()
    }

    /// Returns all terms in alphabetical order, each before the levels within it.
    pub(crate) fn levels(&self) -> Vec<String> {
        let mut pairs: Vec<(&str, Option<&str>)> = Vec::new();
        for one in &self.0 {
            pairs.push((&one.term, None));
            pairs.extend(one.narrow.as_deref().map(|narrow| (one.term.as_str(), Some(narrow))));
        }
        pairs.sort_unstable();
        pairs.dedup();
        pairs.into_iter().map(|(term, narrow)| narrow.unwrap_or(term).to_owned()).collect()
    }

    /// Returns the terms, those with most participants first, then by name.
    pub(crate) fn terms(&self) -> Vec<String> {
        let mut participants: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for one in &self.0 {
            participants.entry(&one.term).or_default().push(one.member);
        }
        let mut terms: Vec<(usize, &str)> = participants
            .into_iter()
            .map(|(term, mut members)| {
                members.sort_unstable();
                members.dedup();
                (members.len(), term)
            })
            .collect();
        terms.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
        terms.into_iter().map(|(_, term)| term.to_owned()).collect()
    }
}

/// Returns how many participants the events are of.
pub(crate) fn participants(events: &[&Occurrence]) -> usize {
    let mut members: Vec<usize> = events.iter().map(|one| one.member).collect();
    members.sort_unstable();
    members.dedup();
    members.len()
}

/// Returns the rows of the events.
pub(crate) fn rows(events: &[&Occurrence]) -> Vec<usize> {
    events.iter().map(|one| one.row).collect()
}
