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
}
