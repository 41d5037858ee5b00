//! Adverse events over time: share of participants with an event present, by week.

use kuva::{
    plot::LinePlot,
    prelude::{Layout, Plot},
};

use super::{COLOURS, finish};

/// One group's counts.
#[derive(Clone, Debug, PartialEq)]
pub struct EventCounts {
    /// The group's name; none in a one-arm study.
    pub group: Option<String>,
    /// Month since the first dose, and percent of the group's treated participants with an event present.
    pub percent: Vec<(f64, f64)>,
}

/// Draws a step line for each group.
pub fn draw_events_over_time(groups: &[EventCounts], last_month: f64) -> String {
    let mut plots: Vec<Plot> = Vec::new();
    for (index, group) in groups.iter().enumerate() {
        let line = LinePlot::new()
            .with_data(group.percent.clone())
            .with_step()
            .with_stroke_width(2.5)
            .with_color(COLOURS[index % 4])
            .with_legend(group.group.clone().unwrap_or_else(|| "All treated".to_owned()));
        plots.push(line.into());
    }
    let layout = Layout::auto_from_plots(&plots)
        .with_width(760.0)
        .with_height(400.0)
        .with_x_label("Month since the first dose")
        .with_y_label("Participants with an event present (%)")
        .with_y_axis_min(0.0)
        .with_y_axis_max(100.0)
        .with_x_axis_min(0.0)
        .with_x_axis_max(last_month)
        .with_x_tick_step(3.0);
    finish(plots, layout)
}
