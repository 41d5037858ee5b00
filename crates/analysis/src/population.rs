//! Who is analysed, and in which group.

use datasets::{Column, DataSets};
use protocol::expression::Expression;
use protocol::model::Arm;
use terms::{AnalysisSetId, SubjectId, Truth};

use crate::{Level, scope::Row};

/// One participant of a population.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    /// The participant.
    pub(crate) subject: SubjectId,
    /// The row in the subject-level data set.
    pub(crate) row: usize,
    /// The group, as a place in [`Population::groups`]; none where there are no groups.
    pub(crate) group: Option<usize>,
}

/// Participants of a set in order of their numbers, so that no result depends on the order of rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Population {
    /// Its participants.
    pub(crate) members: Vec<Member>,
    /// Groups in order; empty where all are taken together.
    pub(crate) groups: Vec<Level>,
    /// Columns of the subject-level data set that decide who belongs, and to which group.
    pub(crate) columns: Vec<String>,
    /// Participants of the set whose group is unknown.
    pub(crate) ungrouped: Vec<SubjectId>,
    /// The place of the group that others are compared with.
    control: Option<usize>,
}

/// Whom to take, and how to group them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Choice<'a> {
    /// The analysis set; none: all rows.
    pub(crate) set: Option<&'a AnalysisSetId>,
    /// Only those for whom this holds.
    pub(crate) only: Option<&'a Expression>,
    /// The variable that groups.
    pub(crate) by: Option<&'a str>,
}

/// Returns the name of the flag column of a set.
pub(crate) fn flag_of(set: &AnalysisSetId) -> String {
    format!("set_{}", set.as_str().to_lowercase())
}

impl Population {
    /// Chooses participants. A grouping variable that the data set lacks (arms before the list is opened) gives no groups.
    pub(crate) fn choose(data: &DataSets, arms: &[Arm], choice: Choice<'_>) -> Self {
        let subjects = &data.subjects;
        let grouping = choice.by.and_then(|by| subjects.column(by));
        let groups = grouping.map(levels_of).unwrap_or_default();
        let flag = choice.set.map(flag_of);
        let mut columns: Vec<String> = flag.iter().cloned().collect();
        columns.extend(grouping.map(|column| column.name.clone()));
        let control =
            groups.iter().position(|group| arms.iter().any(|arm| arm.control && arm.id == *group.id));
        let (mut members, mut ungrouped) = (Vec::new(), Vec::new());
        for row in 0..subjects.rows() {
            let Some(subject) = subjects.cell("subject", row).text().map(SubjectId::from) else { continue };
            let in_set = flag.as_ref().is_none_or(|flag| subjects.cell(flag, row).flag() == Some(true));
            let scope = Row { data, set: subjects, row, subject_row: None };
            if !in_set || choice.only.is_some_and(|only| only.truth(&scope) != Truth::True) {
                continue;
            }
            let group = grouping
                .and_then(|column| column.data.cell(row).level())
                .and_then(|level| groups.iter().position(|group| group.id == level));
            if grouping.is_some() && group.is_none() {
                ungrouped.push(subject);
            } else {
                members.push(Member { subject, row, group });
            }
        }
        members.sort_by(|a, b| a.subject.cmp(&b.subject));
        ungrouped.sort();
        Self { members, groups, columns, ungrouped, control }
    }

    /// Returns the same population without those that `keep` does not let through.
    pub(crate) fn only(&self, keep: impl Fn(&Member) -> bool) -> Self {
        let mut fewer = self.clone();
        fewer.members.retain(keep);
        fewer
    }

    /// Returns the two groups to compare, the one that is compared first, the control (or the later one) second.
    pub(crate) fn pair(&self) -> Result<(usize, usize), String> {
        match (self.groups.len(), self.control) {
            (2, Some(0)) => Ok((1, 0)),
            (2, _) => Ok((0, 1)),
            (0, _) => Err("there are no groups to compare".to_owned()),
            (found, _) => Err(format!("{found} groups where the method compares 2")),
        }
    }

    /// Returns the groups to compare with the control, where there are more than two and one is it.
    pub(crate) fn against_control(&self) -> Vec<(usize, usize)> {
        if self.groups.len() < 3 {
            return Vec::new();
        }
        self.pairs().into_iter().filter(|(_, other)| Some(*other) == self.control).collect()
    }

    /// Returns all pairs of groups: each against the control first, then each against those before it.
    pub(crate) fn pairs(&self) -> Vec<(usize, usize)> {
        let against = |other: usize| (0..self.groups.len()).filter(move |one| *one != other);
        let control: Vec<(usize, usize)> = self
            .control
            .into_iter()
            .flat_map(|control| against(control).map(move |one| (one, control)))
            .collect();
        let others = (0..self.groups.len()).flat_map(|one| (0..one).map(move |other| (one, other)));
        let others = others.filter(|(one, other)| self.control.is_none_or(|c| c != *one && c != *other));
        control.iter().copied().chain(others).collect()
    }

    /// Returns each group's place with its id, and before them all together.
    pub(crate) fn cuts(&self) -> Vec<(Option<usize>, Option<&str>)> {
        let groups =
            self.groups.iter().enumerate().map(|(place, group)| (Some(place), Some(group.id.as_str())));
        [(None, None)].into_iter().chain(groups).collect()
    }

    /// Returns the rows of the subject-level data set of a group, or of all.
    pub(crate) fn rows(&self, group: Option<usize>) -> Vec<usize> {
        self.of(group).map(|member| member.row).collect()
    }

    /// Returns the participants of a group, or all.
    pub(crate) fn of(&self, group: Option<usize>) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(move |member| group.is_none() || member.group == group)
    }
}

/// Returns the level that counts as having it: a column's first, `yes` of a flag and of a column without any value.
pub(crate) fn first_level(column: &Column) -> Level {
    let yes = || Level { id: "yes".to_owned(), label: "Yes".to_owned() };
    levels_of(column).into_iter().next().unwrap_or_else(yes)
}

/// Returns a column's levels in order: those it declares, yes and no, or those that occur, sorted.
pub(crate) fn levels_of(column: &Column) -> Vec<Level> {
    let level = |(id, label): &(String, String)| Level { id: id.clone(), label: label.clone() };
    if !column.levels.is_empty() {
        return column.levels.iter().map(level).collect();
    }
    if column.data.kind() == "flag" {
        return [("yes", "Yes"), ("no", "No")]
            .map(|(id, label)| level(&(id.to_owned(), label.to_owned())))
            .into();
    }
    let mut found: Vec<Level> = (0..column.data.len())
        .filter_map(|row| column.data.cell(row).level())
        .map(|id| Level { label: id.clone(), id })
        .collect();
    found.sort();
    found.dedup();
    found
}
