//! Results that every report needs and no plan asks for: the participants' flow, disposition,
//! exposure, adverse events, deviations, the blind, and the numbers behind figures.
//!
//! By arm once the list is open and the study has more than one arm; in all always.

mod adverse_events;
mod baseline;
mod body_map;
mod deviations;
mod disposition;
mod dose_changes;
mod exposure;
mod figures;
mod flow;
mod laboratory;
mod readers;
mod safety;
mod treatments;

use datasets::DataSets;
use protocol::model::{AnalysisPlan, Arm, Shown};
use terms::AnalysisId;

use crate::{
    AnalysisResult, Format, Level,
    population::{Choice, Member, Population},
    sheet::{Of, RowSets, Sheet},
};

/// What the standing analyses work on.
pub(crate) struct Standing<'a> {
    plan: &'a AnalysisPlan,
    data: &'a DataSets,
    arms: &'a [Arm],
}

/// What one of them is.
struct Head<'a> {
    id: &'a str,
    label: &'a str,
    method: &'a str,
    set: &'a str,
    groups: &'a [Level],
    levels: Vec<Level>,
}

/// Runs them all, in the order of a report.
pub(crate) fn run(
    plan: &AnalysisPlan,
    arms: &[Arm],
    data: &DataSets,
    row_sets: &mut RowSets,
) -> Vec<AnalysisResult> {
    let standing = Standing { plan, data, arms };
    let mut results = vec![
        flow::flow(&standing, row_sets),
        disposition::disposition(&standing, row_sets),
        exposure::exposure(&standing, row_sets),
        adverse_events::summary(&standing, row_sets),
        adverse_events::over_time(&standing, row_sets),
        deviations::deviations(&standing, row_sets),
    ];
    if arms.len() > 1 {
        results.push(deviations::blinding(&standing, row_sets));
    }
    for shown in standing.shown() {
        let asked: Vec<AnalysisResult> = match shown {
            Shown::LaboratoryTrends(tests) => {
                tests.iter().filter_map(|test| laboratory::trend(&standing, row_sets, test)).collect()
            }
            one => asked_for(&standing, row_sets, one).into_iter().collect(),
        };
        for result in asked {
            if results.iter().all(|known| known.id != result.id) {
                results.push(result);
            }
        }
    }
    results
}

/// Returns the result behind one thing that the plan's report shows, where it is not there anyway.
fn asked_for(standing: &Standing<'_>, row_sets: &mut RowSets, shown: &Shown) -> Option<AnalysisResult> {
    match shown {
        Shown::Baseline(_) => baseline::balance(standing, row_sets),
        Shown::DoseChanges => Some(dose_changes::dose_changes(standing, row_sets)),
        Shown::ConcomitantTreatments => Some(treatments::treatments(standing, row_sets)),
        Shown::AdverseEventGrades => Some(safety::grades(standing, row_sets)),
        Shown::AdverseEventRelations => Some(safety::relations(standing, row_sets)),
        Shown::AdverseEventOnset => Some(safety::onset(standing, row_sets)),
        Shown::AdverseEventDifferences => Some(safety::differences(standing, row_sets)),
        Shown::LaboratoryGrades => Some(laboratory::grades(standing, row_sets)),
        Shown::LaboratoryRanges => Some(laboratory::ranges(standing, row_sets)),
        Shown::HysLaw => Some(laboratory::hys_law(standing, row_sets)),
        Shown::ReaderAgreement => Some(readers::agreement(standing, row_sets)),
        Shown::BodyMap => Some(body_map::body_map(standing, row_sets)),
        Shown::Trajectories(parameter, by) => {
            figures::trajectory(standing, row_sets, parameter, by.as_deref())
        }
        Shown::Waterfall(parameter, visit) => figures::waterfall(standing, row_sets, parameter, visit),
        Shown::CumulativeDistribution(parameter, visit) => {
            figures::cumulative(standing, row_sets, parameter, visit)
        }
        _ => None,
    }
}

impl Standing<'_> {
    /// Everyone who was screened, in one group.
    fn screened(&self) -> Population {
        Population::choose(self.data, self.arms, Choice { set: None, only: None, by: None })
    }

    /// What the plan's report shows, in order.
    fn shown(&self) -> impl Iterator<Item = &Shown> {
        self.plan.sections.iter().flat_map(|section| &section.show)
    }

    /// Those for whom a flag of the subject-level data set is yes, by arm.
    fn with_flag(&self, flag: &str) -> Population {
        self.with_flag_by(flag, None)
    }

    /// The same, grouped by a variable instead.
    fn with_flag_by(&self, flag: &str, by: Option<&str>) -> Population {
        let by = by.or((self.arms.len() > 1).then_some("arm"));
        let population = Population::choose(self.data, self.arms, Choice { set: None, only: None, by });
        let mut population = population.only(|member| self.flag(flag, member));
        population.columns.push(flag.to_owned());
        population
    }

    fn flag(&self, flag: &str, member: &Member) -> bool {
        self.data.subjects.cell(flag, member.row).flag() == Some(true)
    }

    fn code(&self, column: &str, member: &Member) -> Option<&str> {
        self.data.subjects.cell(column, member.row).text()
    }

    /// Returns the levels of a column with their labels, those that occur among the members only.
    fn levels_in(&self, column: &str, population: &Population) -> Vec<Level> {
        let Some(found) = self.data.subjects.column(column) else { return Vec::new() };
        let mut levels = crate::population::levels_of(found);
        levels.retain(|level| {
            population.members.iter().any(|member| self.code(column, member) == Some(level.id.as_str()))
        });
        levels
    }

    fn result(&self, head: Head<'_>, sheet: Sheet<'_>) -> AnalysisResult {
        AnalysisResult {
            id: AnalysisId::from(head.id),
            label: head.label.to_owned(),
            estimand: None,
            role: "standing".to_owned(),
            method: head.method.to_owned(),
            set: head.set.to_owned(),
            groups: head.groups.to_vec(),
            levels: head.levels,
            numbers: sheet.numbers,
            excluded: Vec::new(),
            published: Vec::new(),
        }
    }
}

/// Writes down how many members `keep` lets through, with their rows.
fn put_count(
    sheet: &mut Sheet<'_>,
    key: &str,
    of: Of<'_>,
    columns: &[&str],
    members: impl Iterator<Item = usize>,
) -> usize {
    let rows: Vec<usize> = members.collect();
    let count = rows.len();
    let place = sheet.row_sets.place("subjects", rows, columns);
    sheet.put(key, of, count, Format::Integer, &[place]);
    count
}
