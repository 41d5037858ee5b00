//! The participants' flow as a drawing of its own, for those who print or place it apart from the page.
//!
//! Boxes grow with their words; their width is fixed and words are wrapped by
//! counting characters, because nothing here knows the reader's font.

use std::fmt::Write;

use super::{FONT, escaped, framed, wrapped};
use crate::document::{FlowBox, FlowPhase, plain};

const BOX: f64 = 340.0;
const GAP: f64 = 36.0;
const LINE: f64 = 18.0;
const PADDING: f64 = 12.0;
const SIZE: f64 = 13.0;
/// Characters that fit on a line of a box at that size in a wide sans-serif.
const CHARACTERS: usize = 40;

/// A line of a box as drawn.
struct Drawn {
    indent: u8,
    text: String,
}

/// Draws phase under phase, groups side by side; who leaves goes off the main line to the right.
pub(crate) fn draw_flow(phases: &[FlowPhase], title: &str) -> String {
    let columns = phases.iter().map(|phase| phase.boxes.len()).max().unwrap_or(1).max(2);
    let width = columns as f64 * (BOX + GAP) + GAP;
    let mut body = String::new();
    let mut top = GAP;
    let mut above: Vec<f64> = Vec::new();
    for phase in phases {
        let centres = centres(phase.boxes.len(), width);
        let boxes: Vec<Vec<Drawn>> = phase.boxes.iter().map(drawn).collect();
        let height = boxes.iter().map(|lines| box_height(lines)).fold(0.0, f64::max);
        arrows(&mut body, &above, &centres, top);
        for (centre, lines) in centres.iter().zip(&boxes) {
            draw_box(&mut body, *centre, top, height, lines);
        }
        top += height + GAP;
        if let Some(leaves) = &phase.leaves {
            let (lines, middle) = (drawn(leaves), width / 2.0);
            let aside = box_height(&lines);
            draw_box(&mut body, middle + GAP + BOX / 2.0, top, aside, &lines);
            arrow(&mut body, (middle, top + aside / 2.0), (middle + GAP, top + aside / 2.0));
            line(&mut body, (middle, top - GAP), (middle, top + aside));
            top += aside + GAP;
        }
        above = centres;
    }
    let svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{top}\" font-family=\"{FONT}\" \
         font-size=\"{SIZE}\" fill=\"#1b1f24\"><defs><marker id=\"flow-arrow\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" \
         markerWidth=\"8\" markerHeight=\"8\" orient=\"auto\"><path d=\"M0 0 L8 4 L0 8 Z\"/></marker></defs>\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>{body}</svg>"
    );
    framed(&svg, title)
}

/// The middles of boxes side by side.
fn centres(count: usize, width: f64) -> Vec<f64> {
    let all = count as f64 * (BOX + GAP) - GAP;
    let left = (width - all) / 2.0 + BOX / 2.0;
    (0..count).map(|place| left + place as f64 * (BOX + GAP)).collect()
}

fn drawn(one: &FlowBox) -> Vec<Drawn> {
    one.lines
        .iter()
        .flat_map(|(indent, line)| {
            let room = CHARACTERS - 2 * usize::from(*indent);
            wrapped(&plain(line), room).into_iter().map(|text| Drawn { indent: *indent, text })
        })
        .collect()
}

fn box_height(lines: &[Drawn]) -> f64 {
    lines.len() as f64 * LINE + 2.0 * PADDING
}

fn draw_box(body: &mut String, centre: f64, top: f64, height: f64, lines: &[Drawn]) {
    let left = centre - BOX / 2.0;
    let _ = write!(
        body,
        "<rect x=\"{left}\" y=\"{top}\" width=\"{BOX}\" height=\"{height}\" fill=\"white\" stroke=\"#1b1f24\"/>"
    );
    for (place, line) in lines.iter().enumerate() {
        let x = left + PADDING + f64::from(line.indent) * 14.0;
        let y = top + PADDING + SIZE + place as f64 * LINE;
        let _ = write!(body, "<text x=\"{x}\" y=\"{y}\">{}</text>", escaped(&line.text));
    }
}

/// Arrows from the boxes above into these: one to one where there are as many, else from each to all.
fn arrows(body: &mut String, above: &[f64], below: &[f64], top: f64) {
    let start = top - GAP;
    if above.len() == below.len() {
        above.iter().zip(below).for_each(|(from, to)| arrow(body, (*from, start), (*to, top)));
    } else {
        for from in above {
            below.iter().for_each(|to| arrow(body, (*from, start), (*to, top)));
        }
    }
}

fn arrow(body: &mut String, from: (f64, f64), to: (f64, f64)) {
    stroke(body, from, to, " marker-end=\"url(#flow-arrow)\"");
}

fn line(body: &mut String, from: (f64, f64), to: (f64, f64)) {
    stroke(body, from, to, "");
}

fn stroke(body: &mut String, from: (f64, f64), to: (f64, f64), end: &str) {
    let _ = write!(
        body,
        "<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\" stroke=\"#1b1f24\"{end}/>",
        from.0, from.1, to.0, to.1
    );
}
