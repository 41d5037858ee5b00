//! Whether words in a drawing overlap or leave its canvas.
//!
//! Words are set with the font that the drawings ask for first, by the library that
//! sets them for the PDF too, and each is boxed by its own outlines; a turned word's
//! box is turned with it.

use usvg::{Group, Node, Options, Text, Tree, fontdb};

/// What two words may share in pixels: outlines that touch are no fault.
const TOUCH: f32 = 0.5;

/// The corners of a word in canvas coordinates, in order around it.
type Corners = [(f32, f32); 4];

struct Word {
    says: String,
    corners: Corners,
}

/// Returns the words of a drawing that overlap or leave its canvas, one line a fault; nothing else is looked at.
///
/// # Errors
/// The drawing is no SVG.
pub fn faults(svg: &str) -> Result<Vec<String>, usvg::Error> {
    let mut fonts = fontdb::Database::new();
    for face in [dejavu::sans::regular(), dejavu::sans::bold(), dejavu::sans::oblique()] {
        fonts.load_font_data(face.to_vec());
    }
    let options = Options { fontdb: fonts.into(), ..Options::default() };
    let tree = Tree::from_str(svg, &options)?;
    let mut words = Vec::new();
    gather(tree.root(), &mut words);
    let (width, height) = (tree.size().width(), tree.size().height());
    let mut faults = Vec::new();
    for (place, word) in words.iter().enumerate() {
        let inside = |&(x, y): &(f32, f32)| {
            (-TOUCH..=width + TOUCH).contains(&x) && (-TOUCH..=height + TOUCH).contains(&y)
        };
        if !word.corners.iter().all(inside) {
            faults
                .push(format!("`{}` leaves the canvas of {width} × {height}: {:?}", word.says, word.corners));
        }
        for other in &words[place + 1..] {
            if overlap(&word.corners, &other.corners) > TOUCH {
                faults.push(format!("`{}` and `{}` overlap", word.says, other.says));
            }
        }
    }
    Ok(faults)
}

fn gather(group: &Group, words: &mut Vec<Word>) {
    for node in group.children() {
        match node {
            Node::Group(inner) => gather(inner, words),
            Node::Text(text) => words.extend(word(text)),
            Node::Path(_) | Node::Image(_) => {}
        }
    }
}

fn word(text: &Text) -> Option<Word> {
    let says: String = text.chunks().iter().map(usvg::TextChunk::text).collect();
    if says.trim().is_empty() {
        return None;
    }
    let tight = text.flattened().bounding_box();
    let transform = text.abs_transform();
    let corner = |x: f32, y: f32| {
        (
            transform.sx * x + transform.kx * y + transform.tx,
            transform.ky * x + transform.sy * y + transform.ty,
        )
    };
    let (left, top, right, bottom) = (tight.left(), tight.top(), tight.right(), tight.bottom());
    Some(Word {
        says,
        corners: [corner(left, top), corner(right, top), corner(right, bottom), corner(left, bottom)],
    })
}

/// How deep two boxes reach into each other in pixels; 0 or less where a line parts them.
fn overlap(one: &Corners, other: &Corners) -> f32 {
    let mut least = f32::INFINITY;
    for corners in [one, other] {
        for side in 0..2 {
            let ((x0, y0), (x1, y1)) = (corners[side], corners[side + 1]);
            let length = (x1 - x0).hypot(y1 - y0);
            if length == 0.0 {
                return 0.0;
            }
            let along = |&(x, y): &(f32, f32)| ((x1 - x0) * x + (y1 - y0) * y) / length;
            let ends = |corners: &Corners| {
                corners
                    .iter()
                    .map(along)
                    .fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), at| (low.min(at), high.max(at)))
            };
            let ((low, high), (other_low, other_high)) = (ends(one), ends(other));
            least = least.min(high.min(other_high) - low.max(other_low));
        }
    }
    least
}

#[cfg(test)]
mod tests {
    use report::figures::{
        Bar, BodyScores, Course, CoursePoint, EventShare, ForestLine, Lane, Mean, Peak, Steps, SurvivalCurve,
        TermShares, Trajectories, draw_body_map, draw_course, draw_cumulative, draw_differences,
        draw_events_over_time, draw_forest, draw_hys_law, draw_survival, draw_swim_lanes, draw_trajectories,
        draw_waterfall,
    };

    fn found(svg: &str) -> Vec<String> {
        super::faults(svg).unwrap()
    }

    #[test]
    fn a_planted_overlap_and_a_word_off_the_canvas_are_found() {
        let drawing = |second: &str| {
            format!(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 -10 200 110\" width=\"200\" height=\"110\" \
                 font-family=\"DejaVu Sans, sans-serif\" font-size=\"13\"><text x=\"20\" y=\"40\">Month 12</text>{second}</svg>"
            )
        };
        assert_eq!(found(&drawing("<text x=\"20\" y=\"56\">Month 6</text>")), Vec::<String>::new());
        let over = found(&drawing("<text x=\"60\" y=\"44\">n = 24</text>"));
        assert_eq!(over, ["`Month 12` and `n = 24` overlap"]);
        let off = found(&drawing("<text x=\"160\" y=\"80\">participants</text>"));
        assert!(off.len() == 1 && off[0].starts_with("`participants` leaves the canvas"), "{off:?}");
        // Turned words are boxed as they stand: side by side they part, though their upright boxes would not.
        let turned = "<text x=\"100\" y=\"90\" transform=\"rotate(-45,100,90)\">slanted</text>\
                      <text x=\"120\" y=\"90\" transform=\"rotate(-45,120,90)\">slanted</text>";
        assert_eq!(found(&drawing(turned)), Vec::<String>::new());
    }

    /// A name as long as studies have them.
    const LONG: &str = "Imatinib mesylate 400 mg once daily, with food";

    /// Each kind of drawing on more than it is usually given: long names, many lines, values without spread.
    fn awkward() -> Vec<(&'static str, String)> {
        let title = "A title";
        let both = [LONG, "Placebo"];
        let group = |place: usize| Some(both[place].to_owned());
        let participant = |place: usize| format!("10-{:03}", place + 1);
        let sides = (format!("favours {LONG}"), "favours Placebo".to_owned());
        let forest: Vec<ForestLine> = (0..14)
            .map(|place| ForestLine {
                label: format!("Missing outcomes as the worst observed change of the other arm, {place}"),
                estimate: f64::from(place) - 7.0,
                lower: (place != 3).then(|| f64::from(place) - 19.5),
                upper: (place != 3).then(|| f64::from(place) + 11.25),
                n: "112, 115".to_owned(),
                says: "\u{2212}10.25 (\u{2212}19.50 to \u{2212}11.25)".to_owned(),
            })
            .collect();
        let bars: Vec<Bar> = (0..40)
            .map(|place| Bar { label: participant(place), change: 20.0 - place as f64, group: place % 2 })
            .collect();
        let steps: Vec<Steps> = (0..2)
            .map(|place| Steps {
                group: group(place),
                points: vec![(-15.0, 50.0), (0.0, 75.0), (3.5, 100.0)],
            })
            .collect();
        let courses: Vec<Trajectories> = (0..2)
            .map(|place| Trajectories {
                group: group(place),
                participants: vec![vec![(-1.0, 20.0), (0.0, 20.0), (12.0, 20.0)]],
                means: vec![Mean { month: 0.0, mean: 20.0, lower: None, upper: None }],
            })
            .collect();
        let terms: Vec<TermShares> = (0..25)
            .map(|place| TermShares {
                term: format!("Gastro-oesophageal reflux disease with bleeding and more, {place}"),
                percent: vec![4.0 * f64::from(place), 100.0 - f64::from(place)],
                interval: Some((f64::from(place) - 12.0, -80.0, 80.0)),
            })
            .collect();
        let shares: Vec<EventShare> = (0..2)
            .map(|place| EventShare { group: group(place), percent: vec![(1.0, 100.0), (14.0, 0.0)] })
            .collect();
        let lanes: Vec<Lane> = (0..60)
            .map(|place| Lane {
                label: format!("{} ({LONG})", participant(place)),
                stretches: vec![(1.0, 30.0, 0), (31.0, 200.0, 3)],
                serious: vec![12.0, 390.0],
                stopped: Some(200.0),
            })
            .collect();
        let levels = ["400 mg a day", "300 mg a day", "200 mg a day", "Held (0 mg)"].map(str::to_owned);
        let tests: Vec<Course> = (0..2)
            .map(|place| Course {
                group: group(place),
                points: (0..12)
                    .map(|month| CoursePoint {
                        month: f64::from(month) - 1.0,
                        median: 0.75,
                        q1: 0.5,
                        q3: 120.0,
                        extreme: 1250.0,
                    })
                    .collect(),
            })
            .collect();
        let peaks: Vec<Peak> = (0..30)
            .map(|place| Peak {
                label: participant(place),
                transaminase: 0.05 + place as f64,
                bilirubin: 12.0,
                group: place % 2,
            })
            .collect();
        let bodies: Vec<BodyScores> =
            ["Screening", "Early end of treatment, within 14 days of it", "Month 12"]
                .map(|visit| BodyScores { visit: visit.to_owned(), n: 112, means: [Some(2.95); 17] })
                .into();
        let curves: Vec<SurvivalCurve> = (0..2)
            .map(|place| SurvivalCurve { group: group(place), steps: vec![(0.0, 1.0), (181.0, 0.05)] })
            .collect();
        vec![
            (
                "forest",
                draw_forest(&forest, "Hodges-Lehmann shift (95 % interval), points", Some(&sides), title),
            ),
            ("waterfall", draw_waterfall(&bars, &both, "Change of the skin score (points)", title)),
            ("cumulative", draw_cumulative(&steps, "Change of the skin score (points)", title)),
            ("trajectories", draw_trajectories(&courses, "Skin score (points)", 12.0, title)),
            ("differences", draw_differences(&terms, &both, title)),
            ("shares of one arm", draw_differences(&terms[..1], &[], title)),
            ("events over time", draw_events_over_time(&shares, title)),
            ("swim lanes", draw_swim_lanes(&lanes, &levels, title)),
            ("course", draw_course(&tests, "Creatine phosphokinase (multiple of the upper limit)", title)),
            ("hy's law", draw_hys_law(&peaks, &both, title)),
            ("body map", draw_body_map(&bodies, title)),
            ("survival", draw_survival(&curves, "Days since randomisation", title)),
        ]
    }

    #[test]
    fn no_kind_of_drawing_overlaps_its_words_even_on_long_names_and_many_lines() {
        let mut all = Vec::new();
        for (kind, svg) in awkward() {
            all.extend(found(&svg).into_iter().map(|fault| format!("{kind}: {fault}")));
        }
        assert!(all.is_empty(), "{} faults:\n{}", all.len(), all.join("\n"));
    }
}
