//! Adverse events over time: share of participants with an event present, by month.

use analysis::{AnalysisResult, Level};
use kuva::{plot::LinePlot, prelude::Plot};

use super::{COLOURS, finish, styled};
use crate::{
    BuildError,
    context::Context,
    document::{Figure, Inline, Row, Table, number_columns, text},
    wording,
};

/// One group's shares.
#[derive(Clone, Debug, PartialEq)]
pub struct EventShare {
    /// The group's name; none in a one-arm study.
    pub group: Option<String>,
    /// Month since the first dose, and percent of the group's treated participants with an event present.
    pub percent: Vec<(f64, f64)>,
}

/// Builds the figure from the standing result.
pub(crate) fn events_over_time(context: &Context<'_>) -> Result<Figure, BuildError> {
    let result = context.result("adverse-events-over-time")?;
    let groups: Vec<Option<&Level>> = match result.groups.as_slice() {
        [] => vec![None],
        groups => groups.iter().map(Some).collect(),
    };
    let shares: Vec<EventShare> = groups
        .iter()
        .map(|group| EventShare {
            group: group.map(|group| context.group_label(result, group).to_owned()),
            percent: result
                .levels
                .iter()
                .filter_map(|level| {
                    let number =
                        result.number("percent", group.map(|group| group.id.as_str()), Some(&level.id))?;
                    Some((level.id.parse().ok()?, number.value?))
                })
                .collect(),
        })
        .collect();
    let caption =
        context.caption("Participants with an adverse event present, by month since the first dose");
    Ok(Figure {
        id: "figure-adverse-events-over-time".to_owned(),
        description: description(context, result, &groups),
        svg: draw_events_over_time(&shares, &caption),
        tables: vec![table(context, result, &groups)],
        caption,
    })
}

/// The month with the largest share, in words.
fn description(context: &Context<'_>, result: &AnalysisResult, groups: &[Option<&Level>]) -> Vec<Inline> {
    let mut words = text(
        "Share of the participants under observation in whom an adverse event was present in each month.",
    );
    for group in groups {
        let id = group.map(|group| group.id.as_str());
        let shares = result.levels.iter().filter_map(|level| {
            let number = result.number("percent", id, Some(&level.id))?;
            Some((level, number, number.value?))
        });
        // The first of equal months is named.
        let most = shares.fold(None, |most: Option<(&Level, _, f64)>, one| match most {
            Some(most) if most.2 >= one.2 => Some(most),
            _ => Some(one),
        });
        let Some((level, number, _)) = most else { continue };
        let who =
            group.map(|group| format!(" with {}", context.group_label(result, group))).unwrap_or_default();
        words.push(Inline::Text(format!(" The largest share{who} was ")));
        words.push(wording::number(number));
        words.push(Inline::Text(format!(", in month {}.", level.id)));
    }
    words
}

fn table(context: &Context<'_>, result: &AnalysisResult, groups: &[Option<&Level>]) -> Table {
    const KEYS: [(&str, &str); 4] = [
        ("at_risk", "under observation"),
        ("onsets", "events begun"),
        ("ongoing", "with an event present"),
        ("percent", "percent"),
    ];
    let heads = groups.iter().flat_map(|group| {
        let name = group.map(|group| format!("{}: ", context.group_label(result, group))).unwrap_or_default();
        KEYS.map(|(_, head)| format!("{name}{head}"))
    });
    let rows = result.levels.iter().map(|level| {
        let cells = groups.iter().flat_map(|group| {
            let id = group.map(|group| group.id.as_str());
            KEYS.map(|(key, _)| {
                result.number(key, id, Some(&level.id)).map(wording::number).into_iter().collect()
            })
        });
        Row::new(level.id.clone(), cells.collect())
    });
    Table {
        id: "adverse-events-over-time-values".to_owned(),
        caption: context
            .caption("Participants under observation, events begun and participants with an event present"),
        columns: number_columns("Month", heads),
        rows: rows.collect(),
        ..Table::default()
    }
}

/// Draws a line for each group, its months as points; the second group's is dashed.
pub fn draw_events_over_time(groups: &[EventShare], title: &str) -> String {
    let last = groups.iter().flat_map(|group| &group.percent).map(|point| point.0).fold(1.0, f64::max);
    let mut plots: Vec<Plot> = Vec::new();
    for (index, group) in groups.iter().enumerate() {
        let mut line = LinePlot::new()
            .with_data(group.percent.clone())
            .with_stroke_width(2.5)
            .with_color(COLOURS[index % 4])
            .with_legend(group.group.clone().unwrap_or_else(|| "All treated participants".to_owned()));
        if index % 2 == 1 {
            line = line.with_dashed();
        }
        plots.push(line.into());
    }
    let layout = styled(&plots, 400.0)
        .with_x_label("Month since the first dose")
        .with_y_label("Participants (%)")
        .with_y_axis_min(0.0)
        .with_y_axis_max(100.0)
        .with_y_tick_step(20.0)
        .with_x_axis_min(0.0)
        .with_x_axis_max(last)
        .with_x_tick_step(if last > 6.0 { 3.0 } else { 1.0 });
    finish(plots, layout, title)
}
