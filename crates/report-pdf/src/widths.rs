//! How wide a table's columns are, how large its type is, and which way its page is turned.
//!
//! The typesetter could find widths by itself, but only by setting every cell
//! several times, and it can't turn the page. So widths are reckoned here from the
//! font's own advances. Numbers stay on one line as long as any page has room.

use std::sync::LazyLock;

use report::document::{Align, Inline, Table};

use ttf_parser::Face;

use crate::world;

/// Room between the margins in points: an upright A4 page, and one turned.
pub const UPRIGHT: f64 = 493.0;
/// Room on a turned page.
pub const TURNED: f64 = 739.0;
/// Space left and right of a cell's words, with a little to spare for kerning.
const ROOM: f64 = 9.0;
/// A cell of so few multiples of the type's size stays on one line as long as its table has room.
const SHORT: f64 = 10.5;
/// What one step of a row head's indent takes.
const STEP: f64 = 8.0;
/// Ways to set a table, best first: whether its page is turned, the size of its type, and how
/// many lines its longest cells may take. A turned page interrupts the reader more than small
/// type does, and both more than a cell of a few lines.
const WAYS: [(bool, f64, f64); 9] = [
    (false, 9.0, 1.0),
    (false, 9.0, 2.0),
    (false, 8.0, 2.6),
    (true, 9.0, 2.6),
    (true, 8.0, 4.0),
    (false, 7.5, 2.6),
    (true, 7.0, 5.0),
    (true, 6.0, 8.0),
    (true, 6.0, 20.0),
];
/// Prose in so few columns reads well on an upright page, whatever its length.
const PROSE_COLUMNS: usize = 3;

/// A table's measures.
#[derive(Clone, Debug, PartialEq)]
pub struct Measures {
    /// Whether its page is turned.
    pub turned: bool,
    /// Size of its type in points.
    pub size: f64,
    /// Width of each column in points.
    pub columns: Vec<f64>,
}

/// What a column asks for at a size of one point, without room.
#[derive(Clone, Copy, Debug, Default)]
struct Wish {
    /// Its longest word.
    word: f64,
    /// Its longest cell on one line.
    line: f64,
    /// Its head on one line.
    head: f64,
    /// Whether its cells should stay on one line.
    firm: bool,
    /// What indent adds, in points.
    indent: f64,
}

/// Measures a table.
pub fn measure(table: &Table) -> Measures {
    let wishes = wishes(table);
    let prose = wishes.len() <= PROSE_COLUMNS && wishes.iter().all(|wish| !wish.firm);
    let way = if prose { Some((false, 9.0, 99.0)) } else { None };
    for (turned, size, lines) in way.into_iter().chain(WAYS) {
        let room = if turned { TURNED } else { UPRIGHT };
        if let Some(columns) = fitted(&wishes, size, room, lines) {
            return Measures { turned, size, columns };
        }
    }
    // Not even the longest words fit: shares of the page, and words will be broken.
    let size = 6.0;
    let wanted: Vec<f64> = wishes.iter().map(|wish| wish.least(size)).collect();
    let all: f64 = wanted.iter().sum();
    Measures { turned: true, size, columns: wanted.iter().map(|width| width / all * TURNED).collect() }
}

impl Wish {
    /// The width that no column may go below, in points.
    fn least(&self, size: f64) -> f64 {
        let words = if self.firm { self.line } else { self.word };
        words * size + self.indent + ROOM
    }

    /// The width at which the longest cell takes so many lines, in points.
    fn width(&self, size: f64, lines: f64) -> f64 {
        // Lines break between words, so the last bit of each is lost.
        let breaks = lines > 1.0 && self.line > SHORT;
        let spread = if breaks { (self.line / lines * 1.12).max(SHORT) } else { self.line };
        (spread.min(self.line) * size + self.indent + ROOM).max(self.least(size))
    }
}

/// What each column of a table asks for.
fn wishes(table: &Table) -> Vec<Wish> {
    let mut wishes = vec![Wish::default(); table.columns.len()];
    for (place, (wish, column)) in wishes.iter_mut().zip(&table.columns).enumerate() {
        wish.firm = place > 0 && column.align != Align::Text;
        // A head may take three lines before it widens its column.
        let word = longest_word(&column.head, &BOLD);
        wish.word = word;
        wish.head = BOLD.advance(&column.head);
        wish.line = word.max(wish.head / 2.5);
    }
    for row in table.rows.iter().filter(|row| !row.cells.is_empty()) {
        for (wish, cell) in wishes.iter_mut().zip(std::iter::once(&row.head).chain(&row.cells)) {
            let words = printed(cell);
            wish.word = wish.word.max(longest_word(&words, &REGULAR));
            wish.line = wish.line.max(REGULAR.advance(&words));
        }
        if let Some(first) = wishes.first_mut() {
            first.indent = first.indent.max(f64::from(row.indent) * STEP);
        }
    }
    share_spans(table, &mut wishes);
    give_group_heads_room(table, &mut wishes);
    wishes
}

/// Widens the first column until the longest head over rows fits on one line across the table; a very long one breaks.
fn give_group_heads_room(table: &Table, wishes: &mut [Wish]) {
    /// No head makes a table wider than this, in multiples of the type's size.
    const MOST: f64 = 45.0;
    let heads = table.rows.iter().filter(|row| row.cells.is_empty());
    let longest = heads.map(|row| BOLD.advance(&printed(&row.head))).fold(0.0, f64::max).min(MOST);
    let lacking = longest - wishes.iter().map(|wish| wish.line).sum::<f64>();
    if let Some(first) = wishes.first_mut()
        && lacking > 0.0
    {
        first.line += lacking;
    }
}

/// Widens columns whose common head is longer than they are together.
fn share_spans(table: &Table, wishes: &mut [Wish]) {
    let mut start = 0;
    for span in &table.spans {
        let end = (start + span.columns).min(wishes.len());
        let under = &mut wishes[start..end];
        let lacking = BOLD.advance(&span.head) / 2.0 - under.iter().map(|wish| wish.line).sum::<f64>();
        if lacking > 0.0 {
            let each = lacking / under.len() as f64;
            under.iter_mut().for_each(|wish| wish.line += each);
        }
        start = end;
    }
}

/// What a reader reads of a cell, marks of stated numbers with it.
fn printed(cell: &[Inline]) -> String {
    cell.iter()
        .map(|inline| match inline {
            Inline::Stated { text, mark, .. } => format!("{text} {}", report::mark(*mark)),
            Inline::Text(_) | Inline::Number { .. } | Inline::Link { .. } => inline.plain().to_owned(),
        })
        .collect()
}

fn longest_word(words: &str, font: &Metrics) -> f64 {
    words.split([' ', '\n', '\u{200b}']).map(|word| font.advance(word)).fold(0.0, f64::max)
}

/// Finds the fewest lines, up to `most`, at which the columns fit into a room; none if they don't.
/// Room left over goes to heads that would take several lines.
fn fitted(wishes: &[Wish], size: f64, room: f64, most: f64) -> Option<Vec<f64>> {
    let at = |lines: f64| -> Vec<f64> { wishes.iter().map(|wish| wish.width(size, lines)).collect() };
    let fits = |lines: f64| at(lines).iter().sum::<f64>() <= room;
    if !fits(most) {
        return None;
    }
    let mut columns = at(1.0);
    if !fits(1.0) {
        let (mut low, mut high) = (1.0, most);
        for _ in 0..30 {
            let middle = f64::midpoint(low, high);
            if fits(middle) { high = middle } else { low = middle }
        }
        columns = at(high);
    }
    let lacking: Vec<f64> = wishes
        .iter()
        .zip(&columns)
        .map(|(wish, width)| (wish.head * size + wish.indent + ROOM - width).max(0.0))
        .collect();
    let all: f64 = lacking.iter().sum();
    let given = (room - columns.iter().sum::<f64>()).min(all);
    if all > 0.0 && given > 0.0 {
        columns.iter_mut().zip(&lacking).for_each(|(width, lacking)| *width += lacking / all * given);
    }
    Some(columns)
}

/// The advances of a face.
pub struct Metrics {
    face: Face<'static>,
    em: f64,
}

/// The regular face of running text.
pub static REGULAR: LazyLock<Metrics> = LazyLock::new(|| Metrics::new(world::serif()[0]));
/// The bold face.
static BOLD: LazyLock<Metrics> = LazyLock::new(|| Metrics::new(world::serif()[1]));

impl Metrics {
    fn new(data: &'static [u8]) -> Self {
        let face = Face::parse(data, 0).expect("the fonts in the program are sound");
        let em = f64::from(face.units_per_em());
        Self { face, em }
    }

    /// The width of words on one line, in points, at a size of one point.
    pub fn advance(&self, words: &str) -> f64 {
        /// A character of another font.
        const ELSEWHERE: f64 = 0.65;
        let units = |char| self.face.glyph_hor_advance(self.face.glyph_index(char)?);
        words.chars().map(|char| units(char).map_or(ELSEWHERE, |units| f64::from(units) / self.em)).sum()
    }
}

#[cfg(test)]
mod tests {
    use report::document::{Row, number_columns, text, text_columns};

    use super::*;

    fn table(columns: usize, cell: &str) -> Table {
        let heads = (0..columns).map(|column| format!("Month {column}"));
        Table {
            columns: number_columns("Participant", heads),
            rows: vec![Row::new("01-001", vec![text(cell); columns])],
            ..Table::default()
        }
    }

    #[test]
    fn a_table_is_as_wide_as_its_words_where_there_is_room() {
        let measures = measure(&table(3, "12.5"));
        assert_eq!((measures.turned, measures.size), (false, 9.0));
        assert!(measures.columns.iter().sum::<f64>() < UPRIGHT / 2.0, "{measures:?}");
    }

    #[test]
    fn more_numbers_than_an_upright_page_holds_turn_it() {
        let measures = measure(&table(9, "12.5 (10.2 to 14.8)"));
        assert!(measures.turned, "{measures:?}");
        let widest = REGULAR.advance("12.5 (10.2 to 14.8)") * measures.size;
        assert!(measures.columns[1..].iter().all(|width| *width >= widest), "{measures:?}");
    }

    #[test]
    fn text_gives_way_before_numbers_do() {
        let long = "a long explanation of what was seen and why it matters ".repeat(3);
        let mut wide = table(4, "12.5 (10.2 to 14.8)");
        wide.columns.extend(text_columns(["Remark"]));
        wide.rows[0].cells.push(text(&long));
        let measures = measure(&wide);
        let (sum, room) =
            (measures.columns.iter().sum::<f64>(), if measures.turned { TURNED } else { UPRIGHT });
        assert!(sum <= room + 1e-6, "{measures:?}");
        assert!(measures.columns[1] >= REGULAR.advance("12.5 (10.2 to 14.8)") * measures.size);
    }

    #[test]
    fn any_table_fits_on_a_page_in_the_end() {
        let measures = measure(&table(60, "12.5 (10.2 to 14.8)"));
        assert!(measures.columns.iter().sum::<f64>() <= TURNED + 1e-6, "{measures:?}");
    }
}
