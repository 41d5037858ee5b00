//! Each participant's doses as a lane, from the first day to the last planned one, with serious events and early ends.

use datasets::Dataset;
use kuva::{
    plot::{
        LinePlot, ScatterPlot,
        legend::{LegendEntry, LegendShape},
        scatter::MarkerShape,
    },
    prelude::Plot,
};

use super::{COLOURS, finish, lanes_height, styled};
use crate::{
    BuildError,
    context::Context,
    document::{Align, Column, Figure, Inline, Row, Table, text},
    trace::{cell_text, row_anchor},
    wording,
};

/// Width of a lane by dose level, the highest first; a hold is thin.
const WIDTHS: [f64; 4] = [10.0, 7.0, 4.5, 1.5];
/// Colour of a lane by dose level; a hold is grey.
pub(super) const TINTS: [&str; 4] = ["#0072B2", "#56B4E9", "#E69F00", "#6b7480"];

/// One participant's lane.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Lane {
    /// The participant.
    pub label: String,
    /// First and last study day of each stretch, and its dose level: 0 the highest, the last a hold.
    pub stretches: Vec<(f64, f64, usize)>,
    /// Study days on which a serious event began.
    pub serious: Vec<f64>,
    /// Study day after which the drug was stopped early.
    pub stopped: Option<f64>,
}

/// Builds the figure from the data sets of exposure and adverse events.
pub(crate) fn swim_lanes(context: &Context<'_>) -> Result<Figure, BuildError> {
    let levels = levels(context);
    let lanes = lanes(context, &levels);
    let caption = context.caption("Doses from the first to the last planned day, participant by participant");
    let names: Vec<String> = levels
        .iter()
        .map(|level| if *level == 0.0 { "Held (0 mg)".to_owned() } else { format!("{level} mg a day") })
        .collect();
    Ok(Figure {
        id: "figure-swim-lanes".to_owned(),
        description: text(
            "A lane for each participant from the first dose on. Its width and colour tell the dose, a thin grey line a hold; a diamond \
             stands where a serious event began, a cross where the drug was stopped early. Lanes are ordered by arm and participant.",
        ),
        svg: draw_swim_lanes(&lanes, &names, &caption),
        tables: vec![table(context)],
        caption,
    })
}

/// The planned levels in mg, the highest first, then 0 for a hold.
fn levels(context: &Context<'_>) -> Vec<f64> {
    let planned = context.study.dosing.levels_mg.iter();
    let planned = planned.filter_map(|level| terms::Value::Decimal(*level).as_f64());
    planned.chain([0.0]).collect()
}

fn text_of<'a>(set: &'a Dataset, column: &str, row: usize) -> &'a str {
    set.cell(column, row).text().unwrap_or_default()
}

fn lanes(context: &Context<'_>, levels: &[f64]) -> Vec<Lane> {
    let (doses, events) = (&context.data.exposure, &context.data.adverse_events);
    let arms = &context.study.arms;
    let arm = |row: usize| arms.iter().position(|arm| arm.id == *text_of(doses, "arm", row)).unwrap_or(0);
    let mut lanes: Vec<(usize, Lane)> = Vec::new();
    for row in 0..doses.rows() {
        let subject = text_of(doses, "subject", row);
        let number = |column: &str| doses.cell(column, row).number();
        if lanes.iter().all(|(_, lane)| lane.label != subject) {
            lanes.push((arm(row), Lane { label: subject.to_owned(), ..Lane::default() }));
        }
        let Some((_, lane)) = lanes.iter_mut().find(|(_, lane)| lane.label == subject) else { continue };
        if doses.cell("after_stop", row).flag() == Some(true) {
            lane.stopped = lane.stopped.or(number("from_day").map(|day| day - 1.0));
            continue;
        }
        let level = number("dose_mg").and_then(|dose| levels.iter().position(|level| *level == dose));
        if let (Some(from), Some(to), Some(level)) = (number("from_day"), number("to_day"), level) {
            lane.stretches.push((from, to, level));
        }
    }
    for row in (0..events.rows()).filter(|row| events.cell("serious", *row).flag() == Some(true)) {
        let lane = lanes.iter_mut().find(|(_, lane)| lane.label == text_of(events, "subject", row));
        if let (Some((_, lane)), Some(day)) = (lane, events.cell("start_day", row).number()) {
            lane.serious.push(day.max(1.0));
        }
    }
    let subjects = &context.data.subjects;
    for row in 0..subjects.rows() {
        // Who took the last planned dose did not stop early, though a day or two may be missing.
        let completed = subjects.cell("treatment_completed", row).flag() == Some(true);
        let subject = text_of(subjects, "subject", row);
        if let Some((_, lane)) = lanes.iter_mut().find(|(_, lane)| completed && lane.label == subject) {
            lane.stopped = None;
        }
    }
    lanes.sort_by(|a, b| (a.0, &a.1.label).cmp(&(b.0, &b.1.label)));
    let named = |(arm, lane): (usize, Lane)| {
        let label = match arms.get(arm) {
            Some(arm) if arms.len() > 1 => format!("{} ({})", lane.label, context.label(&arm.label)),
            _ => lane.label,
        };
        Lane { label, ..lane }
    };
    lanes.into_iter().map(named).collect()
}

/// The stretches as the data set has them, each leading to its row and events.
fn table(context: &Context<'_>) -> Table {
    let set = &context.data.exposure;
    let row = |row: usize| {
        let subject = text_of(set, "subject", row).to_owned();
        let head = Inline::Link { target: row_anchor(&set.name, row), text: subject };
        let mut cells = Vec::new();
        if context.study.arms.len() > 1 {
            let arm = text_of(set, "arm", row);
            cells.push(text(context.arm_label(arm).unwrap_or(arm)));
        }
        for column in ["from_day", "to_day", "dose_mg", "after_stop"] {
            cells.push(text(cell_text(set, column, row)));
        }
        Row { head: vec![head], ..Row::new("", cells) }
    };
    let mut columns = vec![Column { head: "Participant".to_owned(), align: Align::Word }];
    if context.study.arms.len() > 1 {
        columns.push(Column { head: "Arm".to_owned(), align: Align::Text });
    }
    let numbers = ["First study day", "Last study day", "Dose a day (mg)"];
    columns.extend(numbers.map(|head| Column { head: head.to_owned(), align: Align::Number }));
    columns.push(Column { head: "After the drug was stopped".to_owned(), align: Align::Text });
    Table {
        id: "swim-lanes-values".to_owned(),
        caption: context.caption("Stretches of days at one dose"),
        columns,
        rows: (0..set.rows()).map(row).collect(),
        ..Table::default()
    }
}

/// Draws a lane for each participant, the first on top.
pub fn draw_swim_lanes(lanes: &[Lane], levels: &[String], title: &str) -> String {
    let count = lanes.len();
    let hold = levels.len().saturating_sub(1);
    let style = |level: usize| if level >= hold { 3 } else { level.min(2) };
    let mut plots: Vec<Plot> = Vec::new();
    let mut last = 1.0_f64;
    for (place, lane) in lanes.iter().enumerate() {
        let y = (count - place) as f64;
        for (from, to, level) in &lane.stretches {
            last = last.max(*to);
            let line = LinePlot::new().with_data([(*from, y), (to + 1.0, y)]);
            plots.push(line.with_color(TINTS[style(*level)]).with_stroke_width(WIDTHS[style(*level)]).into());
        }
        last = lane.serious.iter().copied().fold(last, f64::max);
    }
    let lane_of = |place: usize| (count - place) as f64;
    let serious = lanes
        .iter()
        .enumerate()
        .flat_map(|(place, lane)| lane.serious.iter().map(move |day| (*day, lane_of(place))));
    let stopped = lanes.iter().enumerate().filter_map(|(place, lane)| Some((lane.stopped?, lane_of(place))));
    let mark = |points: Vec<(f64, f64)>, marker, colour: &str| -> Plot {
        ScatterPlot::new().with_data(points).with_marker(marker).with_size(5.0).with_color(colour).into()
    };
    plots.push(mark(serious.collect(), MarkerShape::Diamond, COLOURS[1]));
    plots.push(mark(stopped.collect(), MarkerShape::Cross, "#1b1f24"));
    let entry = |label: &str, colour: &str, shape| LegendEntry {
        label: label.to_owned(),
        color: colour.to_owned(),
        shape,
        dasharray: None,
    };
    let mut legend: Vec<LegendEntry> = levels
        .iter()
        .enumerate()
        .map(|(level, name)| entry(name, TINTS[style(level)], LegendShape::Rect))
        .collect();
    legend.push(entry("Serious event", COLOURS[1], LegendShape::Marker(MarkerShape::Diamond)));
    legend.push(entry("Stopped early", "#1b1f24", LegendShape::Marker(MarkerShape::Cross)));
    let labels = lanes.iter().rev().map(|lane| wording::minus(&lane.label)).collect();
    let step = if last > 200.0 { 60.0 } else { 30.0 };
    let layout = styled(&plots, lanes_height(count, 17.0))
        .with_x_label("Study day (day 1: first dose)")
        .with_y_categories(labels)
        .with_x_axis_min(0.0)
        .with_x_axis_max(((last + 6.0) / step).ceil() * step)
        .with_x_tick_step(step)
        .with_y_axis_min(0.5)
        .with_y_axis_max(count as f64 + 0.5)
        .with_legend_entries(legend);
    finish(plots, layout, title)
}
