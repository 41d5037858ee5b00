//! Cumulative distribution of a change: which share changed by no more than so much.

use analysis::Level;
use kuva::{
    plot::LinePlot,
    prelude::{Plot, ReferenceLine},
};

use super::{COLOURS, axis, finish, styled};
use crate::{
    BuildError,
    context::{Context, anchor},
    document::{Figure, Inline, Row, Table, number_columns, text},
    wording,
};

/// One group's steps.
#[derive(Clone, Debug, PartialEq)]
pub struct Steps {
    /// The group's name; none in a one-arm study.
    pub group: Option<String>,
    /// Change, and percent of the group's participants with that change or a lower one.
    pub points: Vec<(f64, f64)>,
}

/// Builds the figure of a parameter's change at a visit from its standing result.
pub(crate) fn cumulative(context: &Context<'_>, parameter: &str, visit: &str) -> Result<Figure, BuildError> {
    let result = context.result(&format!("cumulative:{parameter}:{visit}"))?;
    let planned = context.parameter(parameter);
    let name = planned.map_or(parameter, |one| context.label(&one.label));
    let unit = planned.and_then(|one| one.unit.as_deref()).map_or("", wording::unit);
    let unit = if unit.is_empty() { String::new() } else { format!(" ({unit})") };
    let groups: Vec<Option<&Level>> = match result.groups.as_slice() {
        [] => vec![None],
        groups => groups.iter().map(Some).collect(),
    };
    let steps: Vec<Steps> = groups
        .iter()
        .map(|group| Steps {
            group: group.map(|group| context.group_label(result, group).to_owned()),
            points: result
                .levels
                .iter()
                .filter_map(|level| {
                    let group = group.map(|group| group.id.as_str());
                    let percent = result.number("percent", group, Some(&level.id))?.value?;
                    Some((level.id.parse().ok()?, percent))
                })
                .collect(),
        })
        .collect();
    let when = context.visit_label(visit).to_lowercase();
    let caption =
        context.caption(&format!("Cumulative distribution of the change of {name} from baseline to {when}"));
    let mut description = text(
        "A line that climbs, from the greatest fall to the greatest rise, by each participant's share; further to the left means lower values.",
    );
    for group in &groups {
        let id = group.map(|group| group.id.as_str());
        let Some(n) = result.number("n", id, None) else { continue };
        let who = group.map(|group| format!("{}: ", context.group_label(result, group))).unwrap_or_default();
        description.extend([
            Inline::Text(format!(" {who}n = ")),
            wording::number(n),
            Inline::Text(".".to_owned()),
        ]);
    }
    let heads = groups.iter().flat_map(|group| {
        let name = group.map(|group| format!("{}: ", context.group_label(result, group))).unwrap_or_default();
        [format!("{name}participants"), format!("{name}percent")]
    });
    let rows = result.levels.iter().map(|level| {
        let cells = groups.iter().flat_map(|group| {
            let group = group.map(|group| group.id.as_str());
            ["count", "percent"].map(|key| {
                result.number(key, group, Some(&level.id)).map(wording::number).into_iter().collect()
            })
        });
        Row::new(wording::minus(&level.id), cells.collect())
    });
    Ok(Figure {
        id: format!("figure-cumulative-{}-{}", anchor(parameter), anchor(visit)),
        description,
        svg: draw_cumulative(&steps, &format!("Change of {name}{unit}"), &caption),
        tables: vec![Table {
            id: format!("{}-values", anchor(result.id.as_str())),
            caption: context
                .caption(&format!("Participants whose {name} changed by no more than this, to {when}{unit}")),
            columns: number_columns("Change, at most", heads),
            rows: rows.collect(),
            ..Table::default()
        }],
        caption,
    })
}

/// Draws a stepped line for each group; the second group's is dashed.
pub fn draw_cumulative(groups: &[Steps], x_label: &str, title: &str) -> String {
    let (low, high, step) = axis(groups.iter().flat_map(|group| &group.points).map(|point| point.0), true);
    let mut plots: Vec<Plot> = Vec::new();
    for (place, group) in groups.iter().enumerate() {
        let mut points = vec![(low, 0.0)];
        for (change, percent) in &group.points {
            let before = points.last().map_or(0.0, |point| point.1);
            points.extend([(*change, before), (*change, *percent)]);
        }
        points.push((high, points.last().map_or(0.0, |point| point.1)));
        let mut line = LinePlot::new()
            .with_data(points)
            .with_color(COLOURS[place % 4])
            .with_stroke_width(2.5)
            .with_legend(group.group.clone().unwrap_or_else(|| "All participants with a value".to_owned()));
        if place % 2 == 1 {
            line = line.with_dashed();
        }
        plots.push(line.into());
    }
    let layout = styled(&plots, 420.0)
        .with_x_label(x_label)
        .with_y_label("Participants (%)")
        .with_reference_line(ReferenceLine::vertical(0.0).with_color("#1b1f24"))
        .with_x_axis_min(low)
        .with_x_axis_max(high)
        .with_x_tick_step(step)
        .with_y_axis_min(0.0)
        .with_y_axis_max(100.0)
        .with_y_tick_step(20.0);
    finish(plots, layout, title)
}
