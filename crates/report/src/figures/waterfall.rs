//! Each participant's change, sorted: the waterfall of a clinical report.

use kuva::{
    plot::BarPlot,
    prelude::{Layout, Plot},
};

use super::{COLOURS, finish};

/// One participant's bar.
#[derive(Clone, Debug, PartialEq)]
pub struct Bar {
    /// The participant.
    pub label: String,
    /// The change.
    pub change: f64,
    /// The group, by order; decides the colour.
    pub group: usize,
}

/// Draws the bars from the greatest rise to the greatest fall.
pub fn draw_waterfall(bars: &[Bar], y_label: &str) -> String {
    let mut sorted: Vec<&Bar> = bars.iter().collect();
    sorted.sort_by(|a, b| b.change.total_cmp(&a.change).then_with(|| a.label.cmp(&b.label)));
    let mut plot = BarPlot::new();
    for bar in sorted {
        plot = plot.with_colored_bar(bar.label.as_str(), bar.change, COLOURS[bar.group % 4]);
    }
    let plots: Vec<Plot> = vec![plot.into()];
    let layout = Layout::auto_from_plots(&plots)
        .with_width(760.0)
        .with_height(440.0)
        .with_y_label(y_label)
        .with_x_tick_rotate(-90.0);
    finish(plots, layout)
}
