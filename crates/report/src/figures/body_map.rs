//! The 17 sites of the modified Rodnan skin score on a drawing of the body, front and back, one for each visit.
//!
//! There is no chart type for it, so it is drawn here: plain polygons, filled by the mean score on a scale of one
//! hue from light to dark, which colour-blind readers and grey printers tell apart, with the number beside each.

use std::fmt::Write;

use analysis::{AnalysisResult, Level};
use instruments::mrss::{SITE_COUNT, SITES};

use super::{FONT, WIDTH, escaped, framed, wrapped};
use crate::{
    BuildError,
    context::{Context, anchor},
    document::{Figure, Inline, Row, Table, number_columns, text},
    wording,
};

/// The scale from a score of 0 to one of 3, as red, green and blue.
const SCALE: [(f64, f64, f64); 4] =
    [(247.0, 251.0, 255.0), (158.0, 202.0, 225.0), (66.0, 146.0, 198.0), (8.0, 48.0, 107.0)];
/// Bodies in a row.
const PANELS: usize = 3;
/// Size of a panel, its heading included.
const PANEL: (f64, f64) = (WIDTH / 3.0, 262.0);
/// How much smaller a body is drawn than its outline below.
const SHRUNK: f64 = 0.74;
/// The middle line of the outline.
const MIDDLE: f64 = 70.0;

/// Outline of a site: its place among the sites, its corners on the reader's left (mirrored for the other side), and
/// where its number stands (right-aligned, or in the middle of a site that has no side).
struct Outline {
    /// The participant's right side when seen from the front.
    right: usize,
    /// The left side; the same site where it has no side.
    left: usize,
    corners: &'static [(f64, f64)],
    label: (f64, f64),
    /// Whether it is seen from behind too.
    behind: bool,
}

const fn sided(right: usize, corners: &'static [(f64, f64)], label: (f64, f64)) -> Outline {
    Outline { right, left: right + 1, corners, label, behind: true }
}

const fn middle(site: usize, corners: &'static [(f64, f64)], label: (f64, f64)) -> Outline {
    Outline { right: site, left: site, corners, label, behind: false }
}

const OUTLINES: [Outline; 10] = [
    middle(
        0,
        &[(70.0, 6.0), (60.0, 9.0), (55.0, 18.0), (55.0, 29.0), (60.0, 40.0), (70.0, 45.0)],
        (70.0, 30.0),
    ),
    middle(1, &[(70.0, 54.0), (50.0, 54.0), (46.0, 60.0), (49.0, 104.0), (70.0, 104.0)], (70.0, 84.0)),
    middle(2, &[(70.0, 107.0), (49.0, 107.0), (46.0, 149.0), (70.0, 149.0)], (70.0, 133.0)),
    sided(3, &[(43.0, 58.0), (34.0, 62.0), (24.0, 104.0), (38.0, 107.0), (46.0, 70.0)], (19.0, 88.0)),
    sided(5, &[(23.0, 107.0), (37.0, 110.0), (28.0, 151.0), (15.0, 148.0)], (10.0, 132.0)),
    sided(7, &[(14.0, 151.0), (27.0, 154.0), (26.0, 170.0), (10.0, 167.0)], (5.0, 163.0)),
    sided(9, &[(10.0, 170.0), (25.0, 173.0), (22.0, 194.0), (16.0, 196.0), (7.0, 188.0)], (2.0, 186.0)),
    sided(11, &[(46.0, 152.0), (69.0, 152.0), (68.0, 215.0), (50.0, 215.0)], (43.0, 212.0)),
    sided(13, &[(50.0, 218.0), (68.0, 218.0), (65.0, 273.0), (54.0, 273.0)], (47.0, 248.0)),
    sided(15, &[(53.0, 276.0), (66.0, 276.0), (67.0, 289.0), (44.0, 291.0), (44.0, 286.0)], (40.0, 290.0)),
];

/// The head and trunk from behind, which are not scored, and the neck.
const UNSCORED: [&[(f64, f64)]; 2] = [
    &[(70.0, 6.0), (60.0, 9.0), (55.0, 18.0), (55.0, 29.0), (60.0, 40.0), (70.0, 45.0)],
    &[(70.0, 54.0), (50.0, 54.0), (46.0, 60.0), (49.0, 104.0), (46.0, 149.0), (70.0, 149.0)],
];

/// The mean scores at one visit.
#[derive(Clone, Debug, PartialEq)]
pub struct BodyScores {
    /// The visit.
    pub visit: String,
    /// How many participants were scored.
    pub n: usize,
    /// Means in the order of the instrument's sites; none where nobody was scored.
    pub means: [Option<f64>; SITE_COUNT],
}

/// Builds a figure for each group from the standing result.
pub(crate) fn body_maps(context: &Context<'_>) -> Result<Vec<Figure>, BuildError> {
    let result = context.result("body-map")?;
    let groups: Vec<Option<&Level>> = match result.groups.as_slice() {
        [] => vec![None],
        groups => groups.iter().map(Some).collect(),
    };
    Ok(groups.into_iter().map(|group| body_map(context, result, group)).collect())
}

fn body_map(context: &Context<'_>, result: &AnalysisResult, group: Option<&Level>) -> Figure {
    let id = group.map(|group| group.id.as_str());
    let visits: Vec<BodyScores> = result
        .levels
        .iter()
        .filter_map(|level| {
            let number = |key: &str| result.number(key, id, Some(&level.id));
            Some(BodyScores {
                visit: context.visit_label(&level.id).to_owned(),
                n: number("n")?.value? as usize,
                means: SITES.map(|site| number(site)?.value),
            })
        })
        .filter(|visit| visit.n > 0)
        .collect();
    let who = group.map(|group| format!(", {}", context.group_label(result, group))).unwrap_or_default();
    let caption = context.caption(&format!("Mean skin score of each of the 17 sites by visit{who}"));
    let stem = group.map(|group| format!("-{}", anchor(&group.id))).unwrap_or_default();
    Figure {
        id: format!("figure-body-map{stem}"),
        description: description(context, result, id),
        svg: draw_body_map(&visits, &caption),
        tables: vec![table(context, result, id, &caption, &stem)],
        caption,
    }
}

/// What is drawn, and how many were scored at the first and last visit, in words.
fn description(context: &Context<'_>, result: &AnalysisResult, group: Option<&str>) -> Vec<Inline> {
    let mut words = text(
        "A body from the front, with its right side on the reader's left, and from behind, for each planned visit. Each site is the darker the \
         higher its mean score from 0 (normal) to 3 (severe), and the number stands beside it; the head and trunk are not scored from behind.",
    );
    let scored = |level: &&Level| {
        result.number("n", group, Some(&level.id)).is_some_and(|n| n.value.is_some_and(|n| n > 0.0))
    };
    let first = result.levels.iter().find(scored);
    let last = result.levels.iter().rev().find(scored).filter(|last| Some(*last) != first);
    for level in first.into_iter().chain(last) {
        let Some(n) = result.number("n", group, Some(&level.id)) else { continue };
        words.push(Inline::Text(format!(" {}: n = ", context.visit_label(&level.id))));
        words.push(wording::number(n));
        words.push(Inline::Text(".".to_owned()));
    }
    words
}

fn table(
    context: &Context<'_>,
    result: &AnalysisResult,
    group: Option<&str>,
    caption: &str,
    stem: &str,
) -> Table {
    let form = context.study.forms.iter().find(|form| form.instrument.as_deref() == Some("mrss"));
    let row = |(head, key): (String, &str)| {
        let cells = result.levels.iter().map(|level| {
            result.number(key, group, Some(&level.id)).map(wording::number).into_iter().collect()
        });
        Row::new(head, cells.collect())
    };
    let label = |site: &str| {
        let item = form.and_then(|form| form.item(site));
        item.map_or_else(|| site.replace('_', " "), |item| context.label(&item.label).to_owned())
    };
    let sites = SITES.iter().map(|site| (label(site), *site));
    Table {
        id: format!("body-map{stem}-values"),
        caption: caption.to_owned(),
        columns: number_columns(
            "Site",
            result.levels.iter().map(|level| context.visit_label(&level.id).to_owned()),
        ),
        rows: [("Participants scored".to_owned(), "n")].into_iter().chain(sites).map(row).collect(),
        notes: vec![text(format!("Method: {}.", result.method))],
        ..Table::default()
    }
}

/// The colour of a mean score, as `#rrggbb`.
pub(super) fn tint(mean: f64) -> String {
    let mean = mean.clamp(0.0, 3.0);
    let below = (mean.floor() as usize).min(SCALE.len() - 2);
    let part = mean - below as f64;
    let (one, other) = (SCALE[below], SCALE[below + 1]);
    let mix = |from: f64, to: f64| (from + (to - from) * part).round() as u8;
    format!("#{:02x}{:02x}{:02x}", mix(one.0, other.0), mix(one.1, other.1), mix(one.2, other.2))
}

/// Whether words on that colour must be light.
fn needs_light_words(mean: f64) -> bool {
    mean > 1.6
}

/// Draws a panel for each visit, front and back side by side, and the scale below.
pub fn draw_body_map(visits: &[BodyScores], title: &str) -> String {
    let rows = visits.len().div_ceil(PANELS).max(1);
    let height = rows as f64 * PANEL.1 + 58.0;
    let mut body = String::new();
    for (place, visit) in visits.iter().enumerate() {
        let left = (place % PANELS) as f64 * PANEL.0;
        let top = (place / PANELS) as f64 * PANEL.1;
        let heading = wrapped(&format!("{} (n = {})", visit.visit, visit.n), 34);
        let heading = heading.first().map_or("", String::as_str);
        let _ = write!(
            body,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\" font-size=\"12\" font-weight=\"bold\">{}</text>",
            left + PANEL.0 / 2.0,
            top + 18.0,
            escaped(heading)
        );
        draw_body(&mut body, (left + 26.0, top + 24.0), visit, false);
        draw_body(&mut body, (left + 144.0, top + 24.0), visit, true);
        for (name, middle) in [("front", 26.0), ("back", 144.0)] {
            let x = left + middle + MIDDLE * SHRUNK;
            let y = top + 252.0;
            let _ = write!(
                body,
                "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"middle\" font-size=\"11\">{name}</text>"
            );
        }
    }
    draw_scale(&mut body, rows as f64 * PANEL.1 + 16.0);
    let svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" font-family=\"{FONT}\" fill=\"#1b1f24\">\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>{body}</svg>"
    );
    framed(&svg, title)
}

fn draw_body(body: &mut String, (left, top): (f64, f64), visit: &BodyScores, behind: bool) {
    let at = |(x, y): (f64, f64)| (left + x * SHRUNK, top + y * SHRUNK);
    let other_side = |(x, y): (f64, f64)| (2.0 * MIDDLE - x, y);
    let polygon = |body: &mut String, corners: &[(f64, f64)], fill: &str, whole: bool| {
        let mut all: Vec<(f64, f64)> = corners.to_vec();
        if whole {
            all.extend(corners.iter().rev().map(|corner| other_side(*corner)));
        }
        let points: Vec<String> = all.into_iter().map(at).map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let _ = write!(
            body,
            "<polygon points=\"{}\" fill=\"{fill}\" stroke=\"#1b1f24\" stroke-width=\"0.8\" stroke-linejoin=\"round\"/>",
            points.join(" ")
        );
    };
    let fill = |site: usize| visit.means[site].map_or("#ffffff".to_owned(), tint);
    if behind {
        UNSCORED.iter().for_each(|corners| polygon(body, corners, "#ffffff", true));
    }
    for outline in OUTLINES.iter().filter(|outline| outline.behind || !behind) {
        if outline.right == outline.left {
            polygon(body, outline.corners, &fill(outline.right), true);
            continue;
        }
        let mirrored: Vec<(f64, f64)> = outline.corners.iter().map(|corner| other_side(*corner)).collect();
        // Seen from behind, the right side is on the reader's right.
        let (near, far) = if behind { (outline.left, outline.right) } else { (outline.right, outline.left) };
        polygon(body, outline.corners, &fill(near), false);
        polygon(body, &mirrored, &fill(far), false);
    }
    if behind {
        return;
    }
    for outline in &OUTLINES {
        let number =
            |site: usize| visit.means[site].map_or("–".to_owned(), |mean| analysis::rounded(mean, 1));
        let mut label = |(x, y): (f64, f64), anchor: &str, fill: &str, site: usize| {
            let (x, y) = at((x, y));
            let _ = write!(
                body,
                "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" font-size=\"10\" fill=\"{fill}\">{}</text>",
                number(site)
            );
        };
        if outline.right == outline.left {
            let light = visit.means[outline.right].is_some_and(needs_light_words);
            label(outline.label, "middle", if light { "#ffffff" } else { "#1b1f24" }, outline.right);
        } else {
            label(outline.label, "end", "#1b1f24", outline.right);
            label(other_side(outline.label), "start", "#1b1f24", outline.left);
        }
    }
}

/// Draws the scale from 0 to 3.
fn draw_scale(body: &mut String, top: f64) {
    const STEPS: usize = 30;
    const STEP: f64 = 8.0;
    let left = (WIDTH - STEPS as f64 * STEP) / 2.0;
    for step in 0..STEPS {
        let mean = 3.0 * (step as f64 + 0.5) / STEPS as f64;
        let x = left + step as f64 * STEP;
        let _ = write!(
            body,
            "<rect x=\"{x:.1}\" y=\"{top:.1}\" width=\"{STEP}\" height=\"12\" fill=\"{}\"/>",
            tint(mean)
        );
    }
    let names = ["0 normal", "1 mild", "2 moderate", "3 severe"];
    for (score, name) in names.iter().enumerate() {
        let x = left + score as f64 / 3.0 * STEPS as f64 * STEP;
        let y = top + 26.0;
        let _ = write!(
            body,
            "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"middle\" font-size=\"11\">{name}</text>"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_site_has_one_outline_or_one_of_two() {
        let mut seen = [0; SITE_COUNT];
        for outline in &OUTLINES {
            seen[outline.right] += 1;
            if outline.left != outline.right {
                seen[outline.left] += 1;
            }
        }
        assert_eq!(seen, [1; SITE_COUNT]);
        for outline in OUTLINES.iter().filter(|outline| outline.left != outline.right) {
            assert!(SITES[outline.right].ends_with("_right") && SITES[outline.left].ends_with("_left"));
        }
    }

    #[test]
    fn a_higher_score_is_darker() {
        let light = |mean: f64| {
            let tint = tint(mean);
            let channel = |place: usize| u32::from_str_radix(&tint[place..place + 2], 16).unwrap();
            channel(1) + channel(3) + channel(5)
        };
        let steps: Vec<u32> = (0..=30).map(|step| light(f64::from(step) / 10.0)).collect();
        assert!(steps.windows(2).all(|pair| pair[0] > pair[1]), "{steps:?}");
        assert_eq!(tint(0.0), "#f7fbff");
        assert_eq!(tint(3.0), "#08306b");
    }
}
