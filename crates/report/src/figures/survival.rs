//! Survival curves with numbers at risk.

use analysis::{AnalysisResult, Level};
use kuva::{
    plot::LinePlot,
    prelude::{Layout, Plot},
};

use super::{COLOURS, finish, styled};
use crate::{
    BuildError,
    context::{Context, anchor},
    document::{Figure, Inline, Row, Table, number_columns},
    wording,
};

/// The curve of one group: times with the survival probability from there on, from time 0.
#[derive(Clone, Debug, PartialEq)]
pub struct SurvivalCurve {
    /// The group's name; none where all are taken together.
    pub group: Option<String>,
    /// Steps in order of time.
    pub steps: Vec<(f64, f64)>,
}

/// Builds the figure of a Kaplan-Meier analysis from its result.
pub(crate) fn survival(context: &Context<'_>, analysis: &str) -> Result<Figure, BuildError> {
    let result = context.result(analysis)?;
    let groups: Vec<Option<&Level>> = match result.groups.as_slice() {
        [] => vec![None],
        groups => groups.iter().map(Some).collect(),
    };
    let curves: Vec<SurvivalCurve> = groups.iter().map(|group| curve(context, result, *group)).collect();
    let caption = context.caption(context.analysis_label(result));
    Ok(Figure {
        id: format!("figure-survival-{}", anchor(analysis)),
        description: description(context, result, &groups),
        svg: draw_survival(&curves, &x_label(context, result), &caption),
        tables: vec![at_risk_table(context, result, &groups)],
        caption,
    })
}

/// What the axis of time is called, with its unit where it is known.
fn x_label(context: &Context<'_>, result: &AnalysisResult) -> String {
    match context.planned(result).map_or("", |plan| context.unit(&plan.subject)) {
        "" => "Time".to_owned(),
        unit => format!("Time ({unit})"),
    }
}

fn curve(context: &Context<'_>, result: &AnalysisResult, group: Option<&Level>) -> SurvivalCurve {
    let id = group.map(|group| group.id.as_str());
    let own = result.numbers.iter().filter(|number| number.group.as_deref() == id);
    let mut steps = vec![(0.0, 1.0)];
    for number in own.clone().filter(|number| number.key == "curve") {
        let time = number.level.as_deref().and_then(|level| level.parse::<f64>().ok());
        if let (Some(time), Some(survival)) = (time, number.value) {
            steps.push((time, survival));
        }
    }
    // As far as somebody was still followed, the curve runs level.
    let followed = own.filter(|number| number.key == "at_risk" && number.value > Some(0.0));
    let last = followed.filter_map(|number| number.level.as_deref()?.parse::<f64>().ok()).fold(0.0, f64::max);
    if let Some((_, survival)) = steps.last().copied().filter(|(time, _)| *time < last) {
        steps.push((last, survival));
    }
    SurvivalCurve { group: group.map(|group| context.group_label(result, group).to_owned()), steps }
}

/// The medians in words.
fn description(context: &Context<'_>, result: &AnalysisResult, groups: &[Option<&Level>]) -> Vec<Inline> {
    let mut words = vec![Inline::Text("The share of participants without the event over time.".to_owned())];
    for group in groups {
        let id = group.map(|group| group.id.as_str());
        let Some(median) = result.number("median", id, None) else { continue };
        let who = group.map_or(" The median time".to_owned(), |group| {
            format!(" With {} the median time", context.group_label(result, group))
        });
        words.push(Inline::Text(if median.value.is_some() {
            format!("{who} was ")
        } else {
            format!("{who}: ")
        }));
        words.push(wording::number(median));
        let limits = [result.number("lower", id, None), result.number("upper", id, None)];
        if let [Some(lower), Some(upper)] = limits {
            words.push(Inline::Text(" (".to_owned()));
            words.push(wording::number(lower));
            words.push(Inline::Text(" to ".to_owned()));
            words.push(wording::number(upper));
            words.push(Inline::Text(")".to_owned()));
        }
        words.push(Inline::Text(".".to_owned()));
    }
    if let Some(p) = result.p_value() {
        words.push(Inline::Text(" Comparison of the curves: p ".to_owned()));
        words.push(wording::number(p));
        words.push(Inline::Text(".".to_owned()));
    }
    words
}

fn at_risk_table(context: &Context<'_>, result: &AnalysisResult, groups: &[Option<&Level>]) -> Table {
    let row = |group: &Option<&Level>| {
        let id = group.map(|group| group.id.as_str());
        let at = |level: &Level| {
            result.number("at_risk", id, Some(&level.id)).map(wording::number).into_iter().collect()
        };
        let name = group.map_or("All", |group| context.group_label(result, group));
        Row::new(name, result.levels.iter().map(at).collect())
    };
    Table {
        id: format!("{}-at-risk", anchor(result.id.as_str())),
        caption: context.caption("Participants at risk"),
        columns: number_columns("Time", result.levels.iter().map(|level| level.label.clone())),
        rows: groups.iter().map(row).collect(),
        ..Table::default()
    }
}

/// Draws the curves as steps over each other; every second one is dashed.
pub fn draw_survival(curves: &[SurvivalCurve], x_label: &str, title: &str) -> String {
    let mut plots: Vec<Plot> = Vec::new();
    for (index, curve) in curves.iter().enumerate() {
        let mut points: Vec<(f64, f64)> = Vec::new();
        for (time, survival) in &curve.steps {
            if let Some((_, before)) = points.last().copied() {
                points.push((*time, before));
            }
            points.push((*time, *survival));
        }
        let mut line =
            LinePlot::new().with_data(points).with_color(COLOURS[index % 4]).with_stroke_width(2.0);
        if index % 2 == 1 {
            line = line.with_dashed();
        }
        plots.push(line.with_legend(curve.group.clone().unwrap_or_else(|| "All".to_owned())).into());
    }
    let last = curves.iter().flat_map(|curve| &curve.steps).map(|(time, _)| *time).fold(1.0, f64::max);
    let (_, end, step) = super::axis([0.0, last].into_iter(), true);
    let layout: Layout = styled(&plots, 460.0)
        .with_x_label(x_label)
        .with_y_label("Share without the event")
        .with_x_axis_min(0.0)
        .with_x_axis_max(end)
        .with_x_tick_step(step)
        .with_y_axis_min(0.0)
        .with_y_axis_max(1.0)
        .with_y_tick_step(0.2);
    finish(plots, layout, title)
}
