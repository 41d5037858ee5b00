//! Individual trajectories with the mean and its interval by visit.

use std::collections::BTreeSet;

use analysis::{AnalysisResult, Level};
use kuva::{
    plot::LinePlot,
    prelude::{Layout, Plot},
};
use protocol::{
    Study,
    model::{Anchor, Timing},
};

use super::{COLOURS, PALE, axis, finish, styled, upright};
use crate::{
    BuildError,
    context::{Context, anchor},
    document::{Figure, Inline, Row, Table, number_columns},
    tables::participant,
    wording,
};

/// The series of one group (arm), x in months.
#[derive(Clone, Debug, PartialEq)]
pub struct Trajectories {
    /// The group's name; none in a one-arm study.
    pub group: Option<String>,
    /// Each participant's points.
    pub participants: Vec<Vec<(f64, f64)>>,
    /// The mean by visit.
    pub means: Vec<Mean>,
}

/// A mean at a month with the ends of its interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mean {
    /// Month.
    pub month: f64,
    /// Mean.
    pub mean: f64,
    /// Lower end; none where the interval can't be estimated.
    pub lower: Option<f64>,
    /// Upper end.
    pub upper: Option<f64>,
}

/// Builds the figure of a parameter from its standing result.
pub(crate) fn trajectories(
    context: &Context<'_>,
    parameter: &str,
    by: Option<&str>,
) -> Result<Figure, BuildError> {
    let of = by.map_or_else(|| parameter.to_owned(), |by| format!("{parameter}:{by}"));
    let result = context.result(&format!("trajectory:{of}"))?;
    let planned = context.parameter(parameter);
    let name = planned.map_or(parameter, |one| context.label(&one.label));
    let unit = planned.and_then(|one| one.unit.as_deref()).map_or("", wording::unit);
    let visits: Vec<(&Level, f64)> =
        result.levels.iter().filter_map(|level| Some((level, month(context.study, &level.id)?))).collect();
    let groups: Vec<Option<&Level>> = match result.groups.as_slice() {
        [] => vec![None],
        groups => groups.iter().map(Some).collect(),
    };
    let series: Vec<Trajectories> =
        groups.iter().map(|group| series(context, result, *group, by, &visits)).collect();
    let last = visits.iter().map(|(_, month)| *month).fold(0.0, f64::max);
    let y_label = if unit.is_empty() { name.to_owned() } else { format!("{name} ({unit})") };
    let grouped =
        by.map(|by| format!(" by {}", context.variable_label(by).to_lowercase())).unwrap_or_default();
    let caption =
        context.caption(&format!("{name} by participant, with the mean and its 95 % interval{grouped}"));
    Ok(Figure {
        id: format!("figure-trajectory-{}", anchor(&of)),
        description: description(context, result, (&groups, by), &visits, name),
        svg: draw_trajectories(&series, &y_label, last, &caption),
        tables: vec![
            means_table(context, result, (&groups, by), &visits, &y_label),
            values_table(context, result, &visits, &y_label),
        ],
        caption,
    })
}

/// The planned month of a visit; none for one that has no planned time of its own.
pub(super) fn month(study: &Study, visit: &str) -> Option<f64> {
    const DAYS_A_MONTH: f64 = 30.4375;
    match &study.visit(visit)?.timing {
        Timing::Before { .. } => Some(-1.0),
        Timing::On { .. } => Some(0.0),
        Timing::Months { anchor: Anchor::LastDose, months, .. } => {
            Some(f64::from(study.dosing.planned_months + months))
        }
        Timing::Months { months, .. } => Some(f64::from(*months)),
        Timing::Days { offset_days, .. } => Some(f64::from(*offset_days) / DAYS_A_MONTH),
        Timing::AfterVisit { visit, offset_days, .. } => {
            Some(month(study, visit.as_str())? + f64::from(*offset_days) / DAYS_A_MONTH)
        }
        Timing::EarlyEnd { .. } | Timing::Unscheduled => None,
    }
}

fn series(
    context: &Context<'_>,
    result: &AnalysisResult,
    group: Option<&Level>,
    by: Option<&str>,
    visits: &[(&Level, f64)],
) -> Trajectories {
    let id = group.map(|group| group.id.as_str());
    let participants = subjects(result)
        .into_iter()
        .filter(|subject| id.is_none() || group_of(context, subject, by).as_deref() == id);
    let value =
        |key: &str, group: Option<&str>, level: &Level| result.number(key, group, Some(&level.id))?.value;
    Trajectories {
        group: group.map(|group| context.level_of_group(by, result, group)),
        participants: participants
            .map(|subject| {
                let at =
                    |(level, month): &(&Level, f64)| Some((*month, value("value", Some(subject), level)?));
                visits.iter().filter_map(at).collect()
            })
            .collect(),
        means: visits
            .iter()
            .filter_map(|(level, month)| {
                let (lower, upper) = (value("lower", id, level), value("upper", id, level));
                Some(Mean { month: *month, mean: value("mean", id, level)?, lower, upper })
            })
            .collect(),
    }
}

/// Participants with values, in order.
fn subjects(result: &AnalysisResult) -> Vec<&str> {
    let values = result.numbers.iter().filter(|number| number.key == "value");
    let subjects: BTreeSet<&str> = values.filter_map(|number| number.group.as_deref()).collect();
    subjects.into_iter().collect()
}

/// The arm of a participant, as the subject-level data set has it.
pub(super) fn arm<'a>(context: &Context<'a>, subject: &str) -> Option<&'a str> {
    let set = &context.data.subjects;
    let row = (0..set.rows()).find(|&row| set.cell("subject", row).text() == Some(subject))?;
    set.cell("arm", row).text()
}

/// The level of the grouping variable that a participant has; the arm where there is none.
fn group_of(context: &Context<'_>, subject: &str, by: Option<&str>) -> Option<String> {
    let Some(by) = by else { return arm(context, subject).map(str::to_owned) };
    let set = &context.data.subjects;
    let row = (0..set.rows()).find(|&row| set.cell("subject", row).text() == Some(subject))?;
    set.cell(by, row).level()
}

/// The mean at the first and the last visit, in words.
fn description(
    context: &Context<'_>,
    result: &AnalysisResult,
    (groups, by): (&[Option<&Level>], Option<&str>),
    visits: &[(&Level, f64)],
    name: &str,
) -> Vec<Inline> {
    let mut words = vec![Inline::Text(format!(
        "A thin line for each participant and a thick one for the mean of {name} at each planned visit."
    ))];
    for group in groups {
        let id = group.map(|group| group.id.as_str());
        let mut ends = visits.iter().filter_map(|(level, _)| {
            Some((*level, result.number("mean", id, Some(&level.id)).filter(|mean| mean.value.is_some())?))
        });
        let Some(first) = ends.next() else { continue };
        let last = ends.next_back();
        let who = group.map_or(" The mean was ".to_owned(), |group| {
            format!(" {}: mean ", context.level_of_group(by, result, group))
        });
        for (place, (level, mean)) in std::iter::once(first).chain(last).enumerate() {
            let visit = context.visit_label(&level.id).to_lowercase();
            let words_before = if place == 0 { who.clone() } else { " and ".to_owned() };
            words.push(Inline::Text(words_before));
            words.push(wording::number(mean));
            words.push(Inline::Text(format!(" at {visit}")));
            if let Some(n) = result.number("n", id, Some(&level.id)) {
                words.extend([
                    Inline::Text(" (n = ".to_owned()),
                    wording::number(n),
                    Inline::Text(")".to_owned()),
                ]);
            }
        }
        words.push(Inline::Text(".".to_owned()));
    }
    words
}

fn means_table(
    context: &Context<'_>,
    result: &AnalysisResult,
    (groups, by): (&[Option<&Level>], Option<&str>),
    visits: &[(&Level, f64)],
    label: &str,
) -> Table {
    let mut table = Table {
        id: format!("{}-means", anchor(result.id.as_str())),
        caption: context.caption(&format!("{label}: mean (95 % interval) and number of participants")),
        ..Table::default()
    };
    let heads = groups.iter().flat_map(|group| {
        let name = group.map(|group| format!("{}: ", context.level_of_group(by, result, group)));
        let name = name.unwrap_or_default();
        [format!("{name}n"), format!("{name}mean (95 % interval)")]
    });
    table.columns = number_columns("Visit", heads);
    for (level, _) in visits {
        let cells = groups.iter().flat_map(|group| {
            let number = |key: &str| {
                result.number(key, group.map(|group| group.id.as_str()), Some(&level.id)).map(wording::number)
            };
            let mut interval: Vec<Inline> = number("mean").into_iter().collect();
            if let (Some(lower), Some(upper)) = (number("lower"), number("upper")) {
                interval.extend([
                    Inline::Text(" (".to_owned()),
                    lower,
                    Inline::Text(" to ".to_owned()),
                    upper,
                    Inline::Text(")".to_owned()),
                ]);
            }
            [number("n").into_iter().collect(), interval]
        });
        table.rows.push(Row::new(context.visit_label(&level.id), cells.collect()));
    }
    table
}

fn values_table(
    context: &Context<'_>,
    result: &AnalysisResult,
    visits: &[(&Level, f64)],
    label: &str,
) -> Table {
    let row = |subject: &str| {
        let at = |(level, _): &(&Level, f64)| {
            result.number("value", Some(subject), Some(&level.id)).map(wording::number).into_iter().collect()
        };
        Row { head: vec![participant(context, subject)], ..Row::new("", visits.iter().map(at).collect()) }
    };
    Table {
        id: format!("{}-values", anchor(result.id.as_str())),
        caption: context.caption(&format!("{label}: every participant's values")),
        columns: number_columns(
            "Participant",
            visits.iter().map(|(level, _)| context.visit_label(&level.id).to_owned()),
        ),
        rows: subjects(result).into_iter().map(row).collect(),
        ..Table::default()
    }
}

/// Draws the groups over each other: participants pale, means bold with intervals, side by side by a
/// twelfth of a month so that no interval hides another; the second group's mean is dashed.
pub fn draw_trajectories(groups: &[Trajectories], y_label: &str, last_month: f64, title: &str) -> String {
    let mut plots: Vec<Plot> = Vec::new();
    for (index, group) in groups.iter().enumerate() {
        for points in group.participants.iter().filter(|points| !points.is_empty()) {
            let line = LinePlot::new().with_data(points.clone()).with_color(PALE[index % 4]);
            plots.push(line.with_stroke_width(1.0).into());
        }
    }
    for (index, group) in groups.iter().enumerate() {
        let aside = (index as f64 - (groups.len() as f64 - 1.0) / 2.0) / 12.0;
        let spread =
            |at: &Mean| (at.mean - at.lower.unwrap_or(at.mean), at.upper.unwrap_or(at.mean) - at.mean);
        let mut mean = LinePlot::new()
            .with_data(group.means.iter().map(|at| (at.month + aside, at.mean)))
            .with_y_err_asymmetric(group.means.iter().map(spread))
            .with_color(COLOURS[index % 4])
            .with_stroke_width(3.0);
        if index % 2 == 1 {
            mean = mean.with_dashed();
        }
        let legend = match &group.group {
            Some(name) => format!("{name}: mean, 95 % interval"),
            None => "Mean, 95 % interval".to_owned(),
        };
        plots.push(mean.with_legend(legend).into());
    }
    let values = groups.iter().flat_map(|group| {
        let means =
            group.means.iter().flat_map(|at| [Some(at.mean), at.lower, at.upper].into_iter().flatten());
        group.participants.iter().flatten().map(|point| point.1).chain(means)
    });
    let (low, high, step) = axis(values, false);
    let first = groups.iter().flat_map(|group| group.participants.iter().flatten()).map(|point| point.0);
    let first = first.fold(0.0, f64::min);
    let layout: Layout = styled(&plots, 460.0)
        .with_x_label(if first < 0.0 { "Month (screening at −1)" } else { "Month" })
        .with_y_label(upright(y_label, 460.0))
        .with_x_axis_min(first - 0.4)
        .with_x_axis_max(last_month + 0.4)
        .with_x_tick_step(if last_month > 6.0 { 3.0 } else { 1.0 })
        .with_y_axis_min(low)
        .with_y_axis_max(high)
        .with_y_tick_step(step);
    finish(plots, layout, title)
}
