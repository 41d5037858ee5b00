//! Figures, drawn by a chart crate as SVG with text kept as text.
//!
//! Each figure reads its series from the results, so that what is drawn is what
//! stands in the table beside it; the functions that draw take plain series and
//! compute nothing but places on the canvas. The participants' flow has no chart
//! type and is drawn here by hand.

mod body_map;
mod cumulative;
mod differences;
mod events_over_time;
mod flow_chart;
mod forest;
mod laboratory;
mod survival;
mod swim_lanes;
mod trajectories;
mod waterfall;

pub(crate) use body_map::body_maps;
pub use body_map::{BodyScores, draw_body_map};
pub(crate) use cumulative::cumulative;
pub use cumulative::{Steps, draw_cumulative};
pub(crate) use differences::event_differences;
pub use differences::{TermShares, draw_differences};
pub(crate) use events_over_time::events_over_time;
pub use events_over_time::{EventShare, draw_events_over_time};
pub(crate) use flow_chart::draw_flow;
pub(crate) use forest::forest;
pub use forest::{ForestLine, draw_forest};
pub use laboratory::{Course, CoursePoint, Peak, draw_course, draw_hys_law};
pub(crate) use laboratory::{hys_law, laboratory_trend};
pub(crate) use survival::survival;
pub use survival::{SurvivalCurve, draw_survival};
pub(crate) use swim_lanes::swim_lanes;
pub use swim_lanes::{Lane, draw_swim_lanes};
pub(crate) use trajectories::trajectories;
pub use trajectories::{Mean, Trajectories, draw_trajectories};
pub(crate) use waterfall::waterfall;
pub use waterfall::{Bar, draw_waterfall};

use std::sync::Arc;

use kuva::{
    plot::{legend::LegendPosition, scatter::MarkerShape},
    prelude::{Layout, Plot, SvgBackend, Theme, TickFormat, render_to_svg},
    render::render::Scene,
};

use crate::wording;

/// Colours by group in order: Okabe and Ito's blue and vermilion, then a dark green and a mauve that differ from
/// them and from each other in lightness as well, so that colour-blind readers tell them apart; 3:1 or more on white.
pub const COLOURS: [&str; 4] = ["#0072B2", "#D55E00", "#123B2A", "#A5778C"];
/// Lines of single participants, by group: the same hues, light.
const PALE: [&str; 4] = ["#8FBADB", "#EDAF85", "#9DB8AC", "#DCC6D0"];
/// Marks by group in order, so that groups differ in more than colour.
const MARKERS: [MarkerShape; 4] =
    [MarkerShape::Circle, MarkerShape::Triangle, MarkerShape::Diamond, MarkerShape::Square];
/// Words in a drawing and their size in pixels at full width.
const FONT: &str = "DejaVu Sans, Verdana, Arial, sans-serif";
const WIDTH: f64 = 760.0;

/// Sets what all charts share: size of words, a legend above the axes, minus signs.
fn styled(plots: &[Plot], height: f64) -> Layout {
    Layout::auto_from_plots(plots)
        .with_width(WIDTH)
        .with_height(height)
        .with_theme(Theme {
            grid_color: "#e4e8ec".to_owned(),
            // A box is measured for a narrower font than readers may have.
            legend_border: "#ffffff".to_owned(),
            ..Theme::light()
        })
        .with_font_family(FONT)
        .with_tick_size(13)
        .with_label_size(14)
        .with_body_size(13)
        .with_legend_position(LegendPosition::OutsideBottomColumns)
        .with_legend_box(false)
        .with_tick_format(TickFormat::Custom(Arc::new(|value| {
            wording::minus(&TickFormat::Auto.format(value))
        })))
}

/// A rounded step and the ends of an axis that holds all values: 1, 2, 2.5 or 5 times a power of ten.
fn axis(values: impl Iterator<Item = f64>, with_zero: bool) -> (f64, f64, f64) {
    let finite = values.filter(|value| value.is_finite());
    let start = if with_zero { (0.0, 0.0) } else { (f64::INFINITY, f64::NEG_INFINITY) };
    let (low, high) = finite.fold(start, |(low, high), value| (low.min(value), high.max(value)));
    if low > high {
        return (0.0, 1.0, 0.2);
    }
    let span = if high > low { high - low } else { high.abs().max(1.0) };
    let power = 10_f64.powf((span / 6.0).log10().floor());
    let step =
        [1.0, 2.0, 2.5, 5.0, 10.0].map(|times| times * power).into_iter().find(|step| span / step <= 6.0);
    let step = step.unwrap_or(10.0 * power);
    let (low, high) = ((low / step).floor() * step, (high / step).ceil() * step);
    (low, if high > low { high } else { low + step }, step)
}

/// Draws and makes the drawing scale with its place. The chart crate's own comment is dropped and its
/// clip paths, which it counts through the process, are counted from 0, so that a drawing depends on
/// its numbers alone. A file of its own says by itself what it shows.
fn finish(plots: Vec<Plot>, layout: Layout, title: &str) -> String {
    framed(&renumbered(&render_to_svg(plots, layout)), title)
}

/// Counts clip paths from 0 in the order in which they first appear.
fn renumbered(svg: &str) -> String {
    const STEM: &str = "kuva-clip-";
    let mut pieces = svg.split(STEM);
    let mut out = pieces.next().unwrap_or_default().to_owned();
    let mut known: Vec<&str> = Vec::new();
    for piece in pieces {
        let end = piece.find(|char: char| !char.is_ascii_digit()).unwrap_or(piece.len());
        let (number, rest) = piece.split_at(end);
        let place = known.iter().position(|one| *one == number).unwrap_or_else(|| {
            known.push(number);
            known.len() - 1
        });
        out.push_str(&format!("clip-{place}{rest}"));
    }
    out
}

/// The same of a scene of several panels.
fn finish_scene(scene: &Scene, title: &str) -> String {
    framed(&renumbered(&SvgBackend::new().render_scene(scene)), title)
}

/// The height of a drawing with a lane for each line, its axis and legend included.
fn lanes_height(count: usize, lane: f64) -> f64 {
    110.0 + lane * count.max(1) as f64
}

/// A name that fits beside the axis: cut between words where it is long.
fn shortened(name: &str) -> String {
    const ROOM: usize = 34;
    cut(name, ROOM)
}

/// The name of an upright axis in a drawing of that height: cut where it is longer than the axis has room.
fn upright(name: &str, height: f64) -> String {
    // What legend, ticks and title take of the height, and what a character of the label does, in pixels.
    const OTHERS: f64 = 95.0;
    const CHARACTER: f64 = 7.4;
    cut(name, ((height - OTHERS) / CHARACTER) as usize)
}

/// A text of at most `room` characters, cut between words.
fn cut(text: &str, room: usize) -> String {
    let lines = wrapped(text, room);
    if lines.len() == 1 { text.to_owned() } else { format!("{}…", lines[0]) }
}

fn framed(svg: &str, title: &str) -> String {
    let svg = match (svg.find("<!--"), svg.find("-->")) {
        (Some(start), Some(end)) => format!("{}{}", &svg[..start], &svg[end + 3..]),
        _ => svg.to_owned(),
    };
    let size = |name: &str| {
        let start = svg.find(&format!(" {name}=\""))? + name.len() + 3;
        let end = svg[start..].find('"')? + start;
        Some(svg[start..end].to_owned())
    };
    let Some((width, height)) = size("width").zip(size("height")) else { return svg };
    let sized = svg.replacen("<svg ", &format!("<svg viewBox=\"0 0 {width} {height}\" "), 1);
    let Some(end) = sized.find('>') else { return sized };
    format!("{}<title>{}</title>{}", &sized[..=end], escaped(title), &sized[end + 1..])
}

/// Puts a caption over a drawing, so that as a file of its own it says what it shows.
pub(crate) fn captioned(svg: &str, caption: &str) -> String {
    const LINE: f64 = 20.0;
    const CHARACTER: f64 = 7.6;
    let number = |name: &str| {
        let start = svg.find(&format!(" {name}=\""))? + name.len() + 3;
        svg[start..].split('"').next()?.parse::<f64>().ok()
    };
    let Some((width, height)) = number("width").zip(number("height")) else { return svg.to_owned() };
    let lines = wrapped(caption, ((width - 24.0) / CHARACTER) as usize);
    let band = lines.len() as f64 * LINE + 12.0;
    let mut head =
        format!("<rect x=\"0\" y=\"{}\" width=\"{width}\" height=\"{band}\" fill=\"white\"/>", -band);
    for (place, line) in lines.iter().enumerate() {
        let y = (place + 1) as f64 * LINE - band;
        let line = escaped(line);
        head.push_str(&format!(
            "<text x=\"12\" y=\"{y}\" font-family=\"{FONT}\" font-size=\"14\" fill=\"#1b1f24\">{line}</text>"
        ));
    }
    let taller = svg
        .replacen(
            &format!("viewBox=\"0 0 {width} {height}\""),
            &format!("viewBox=\"0 {} {width} {}\"", -band, height + band),
            1,
        )
        .replacen(&format!(" height=\"{height}\""), &format!(" height=\"{}\"", height + band), 1);
    taller.replacen("</title>", &format!("</title>{head}"), 1)
}

/// Breaks a text into lines of at most `room` characters, between words; a longer word keeps its length.
fn wrapped(text: &str, room: usize) -> Vec<String> {
    let mut lines: Vec<String> = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("there is always a line");
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= room {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

/// Escapes a text for XML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_holds_all_values_between_round_ends() {
        assert_eq!(axis([11.0, 38.0].into_iter(), false), (10.0, 40.0, 5.0));
        assert_eq!(axis([-0.31, 0.22].into_iter(), true), (-0.4, 0.30000000000000004, 0.1));
        assert_eq!(axis([5.0].into_iter(), false), (5.0, 6.0, 1.0));
        assert_eq!(axis(std::iter::empty(), false), (0.0, 1.0, 0.2));
    }

    #[test]
    fn clip_paths_are_counted_within_a_drawing() {
        let svg = "<clipPath id=\"kuva-clip-41\"/><g clip-path=\"url(#kuva-clip-41)\"/><clipPath id=\"kuva-clip-7\"/>";
        assert_eq!(
            renumbered(svg),
            "<clipPath id=\"clip-0\"/><g clip-path=\"url(#clip-0)\"/><clipPath id=\"clip-1\"/>"
        );
    }

    /// Sight without one kind of cone, as a matrix on linear RGB (Machado, Oliveira and Fernandes, IEEE Trans Vis
    /// Comput Graph 2009;15:1291, severity 1), and full sight.
    const SIGHTS: [(&str, [[f64; 3]; 3]); 4] = [
        ("full sight", [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
        (
            "protanopia",
            [
                [0.152_286, 1.052_583, -0.204_868],
                [0.114_503, 0.786_281, 0.099_216],
                [-0.003_882, -0.048_116, 1.051_998],
            ],
        ),
        (
            "deuteranopia",
            [
                [0.367_322, 0.860_646, -0.227_968],
                [0.280_085, 0.672_501, 0.047_413],
                [-0.011_820, 0.042_940, 0.968_881],
            ],
        ),
        (
            "tritanopia",
            [
                [1.255_528, -0.076_749, -0.178_779],
                [-0.078_411, 0.930_809, 0.147_602],
                [0.004_733, 0.691_367, 0.303_900],
            ],
        ),
    ];

    /// A colour of a sight as lightness, red-green and blue-yellow (CIE L*a*b*, white point D65).
    fn seen(colour: &str, sight: &[[f64; 3]; 3]) -> [f64; 3] {
        let linear = [1, 3, 5].map(|place| {
            let value = f64::from(u8::from_str_radix(&colour[place..place + 2], 16).unwrap()) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        });
        let times = |row: &[f64; 3], of: &[f64; 3]| row.iter().zip(of).map(|(a, b)| a * b).sum::<f64>();
        let rgb = sight.map(|row| times(&row, &linear).clamp(0.0, 1.0));
        let root = |row: [f64; 3], white: f64| {
            let share = times(&row, &rgb) / white;
            if share > 216.0 / 24389.0 { share.cbrt() } else { (24389.0 / 27.0 * share + 16.0) / 116.0 }
        };
        let x = root([0.412_456_4, 0.357_576_1, 0.180_437_5], 0.950_47);
        let y = root([0.212_672_9, 0.715_152_2, 0.072_175_0], 1.0);
        let z = root([0.019_333_9, 0.119_192_0, 0.950_304_1], 1.088_83);
        [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
    }

    /// How far two colours are from each other in the least telling sight, and which that is.
    fn least_apart(one: &str, other: &str) -> (f64, &'static str) {
        let apart = |sight: &[[f64; 3]; 3]| {
            let (one, other) = (seen(one, sight), seen(other, sight));
            one.iter().zip(other).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
        };
        let all = SIGHTS.iter().map(|(name, sight)| (apart(sight), *name));
        all.min_by(|a, b| a.0.total_cmp(&b.0)).unwrap()
    }

    #[test]
    fn colours_are_told_apart_by_readers_without_one_kind_of_cone() {
        // Some 2 is the least that is noticed side by side; lines that lie apart need far more.
        for (name, least, colours) in [("groups", 25.0, &COLOURS), ("doses", 20.0, &swim_lanes::TINTS)] {
            for (place, one) in colours.iter().enumerate() {
                for other in &colours[place + 1..] {
                    let (apart, sight) = least_apart(one, other);
                    assert!(apart >= least, "{name}: {one} and {other} are {apart:.1} apart in {sight}");
                }
            }
        }
        // Red and green of the same lightness would not pass.
        assert!(least_apart("#C04040", "#5A7D2A").0 < 20.0);
    }

    #[test]
    fn the_scale_of_the_body_map_darkens_in_every_sight() {
        for (name, sight) in &SIGHTS {
            let lightness: Vec<f64> =
                (0..=12).map(|step| seen(&body_map::tint(f64::from(step) / 4.0), sight)[0]).collect();
            assert!(lightness.windows(2).all(|pair| pair[1] < pair[0] - 1.0), "{name}: {lightness:?}");
        }
    }

    #[test]
    fn words_are_wrapped_and_none_is_lost() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("unbreakably", 4), ["unbreakably"]);
    }

    #[test]
    fn a_caption_stands_over_a_drawing_on_a_taller_canvas() {
        let svg = framed("<svg width=\"200\" height=\"50\"><g/></svg>", "t");
        let tall = captioned(&svg, "A & B (virtual cohort)");
        assert!(tall.starts_with("<svg viewBox=\"0 -32 200 82\" width=\"200\" height=\"82\">"), "{tall}");
        assert!(tall.contains(">A &amp; B (virtual cohort)</text><g/>"), "{tall}");
    }

    #[test]
    fn a_drawing_says_its_title_escaped_and_keeps_no_comment() {
        let svg = framed("<svg width=\"10\" height=\"5\"><!-- by --><g/></svg>", "a < b");
        assert_eq!(
            svg,
            "<svg viewBox=\"0 0 10 5\" width=\"10\" height=\"5\"><title>a &lt; b</title><g/></svg>"
        );
    }
}
