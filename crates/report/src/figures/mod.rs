//! Figures, drawn by a chart crate as SVG with text kept as text.
//!
//! Each takes plain series and returns the drawing; the document puts a
//! description and a table of the same numbers beside it.

mod events_over_time;
mod trajectories;
mod waterfall;

pub use events_over_time::{EventCounts, draw_events_over_time};
pub use trajectories::{Mean, Trajectories, draw_trajectories};
pub use waterfall::{Bar, draw_waterfall};

use kuva::prelude::{Layout, Plot, render_to_svg};

/// Colours by group in order: Okabe and Ito's, told apart by colour-blind readers.
pub const COLOURS: [&str; 4] = ["#0072B2", "#D55E00", "#009E73", "#CC79A7"];
/// Lines of single participants, by group: the same hues, light.
const PALE: [&str; 4] = ["#A9CCE3", "#F2C2A2", "#A6D9C8", "#E8C6D8"];

/// Draws and makes the drawing scale with the page; the crate's own comment is dropped, so that
/// a drawing depends on its numbers alone.
fn finish(plots: Vec<Plot>, layout: Layout) -> String {
    let svg = render_to_svg(plots, layout);
    let size = |name: &str| {
        let start = svg.find(&format!("{name}=\""))? + name.len() + 2;
        let end = svg[start..].find('"')? + start;
        Some(svg[start..end].to_owned())
    };
    match (size("width"), size("height")) {
        (Some(width), Some(height)) => {
            svg.replacen("<svg ", &format!("<svg viewBox=\"0 0 {width} {height}\" aria-hidden=\"true\" "), 1)
        }
        _ => svg,
    }
}
