//! Individual trajectories with the mean and its interval by visit.

use kuva::{
    plot::LinePlot,
    prelude::{Layout, Plot},
};

use super::{COLOURS, PALE, finish};

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
    /// Lower end.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
}

/// Draws the groups over each other: participants pale, means bold with intervals.
pub fn draw_trajectories(groups: &[Trajectories], y_label: &str, last_month: f64) -> String {
    let mut plots: Vec<Plot> = Vec::new();
    for (index, group) in groups.iter().enumerate() {
        for points in &group.participants {
            let line = LinePlot::new().with_data(points.clone()).with_color(PALE[index % 4]);
            plots.push(line.with_stroke_width(1.0).into());
        }
    }
    for (index, group) in groups.iter().enumerate() {
        let mean = LinePlot::new()
            .with_data(group.means.iter().map(|at| (at.month, at.mean)))
            .with_y_err_asymmetric(group.means.iter().map(|at| (at.mean - at.lower, at.upper - at.mean)))
            .with_color(COLOURS[index % 4])
            .with_stroke_width(3.0);
        let legend = match &group.group {
            Some(name) => format!("{name}: mean, 95 % CI"),
            None => "Mean, 95 % CI".to_owned(),
        };
        plots.push(mean.with_legend(legend).into());
    }
    let layout = Layout::auto_from_plots(&plots)
        .with_width(760.0)
        .with_height(440.0)
        .with_x_label("Month")
        .with_y_label(y_label)
        .with_x_axis_min(-0.3)
        .with_x_axis_max(last_month + 0.3)
        .with_x_tick_step(3.0);
    finish(plots, layout)
}
