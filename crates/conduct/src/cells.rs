//! The cells of a filled form: open for use, or packed into three or four bytes a value.
//!
//! A trial of ten thousand participants with two thousand values each does not fit into the memory of a small machine as maps
//! of values that each know who entered them and when. Packed it does: what the cells of one event share is
//! written once, people are numbers in a list of the casebook, and the items' names are those of a shape that all forms of
//! a kind share. Whoever looks at packed cells opens them by that; they are packed again with their casebook
//! ([`packed`](crate::packed)).
//!
//! Packing loses nothing and is no format of a file: it lives as long as the process.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::{Deref, Range},
    sync::{Arc, OnceLock},
};

use record::{Actor, Source};
use serde::{Deserialize, Serialize};
use terms::*;

use crate::{
    casebook::{Cell, Dated, Entry, Verification, days_after},
    packed::Squeezer,
};

/// The day from which packed dates count; near those of trials, so that their numbers are short.
const EPOCH: Date = Date::constant(2010, 1, 1);

/// The items of a kind of form, in order.
pub(crate) type Shape = Arc<[ItemId]>;

/// What packed casebooks share: texts of ids, and the items of each kind of form.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    pub words: Words,
    shapes: BTreeSet<Shape>,
    pub squeezer: Squeezer,
}

/// It holds no fact of the trial: a copy begins anew, so that copying a state costs nothing for it.
impl Clone for Shared {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl PartialEq for Shared {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Shared {}

impl Shared {
    fn shape<'i>(&mut self, items: impl Iterator<Item = &'i ItemId>) -> Shape {
        let items: Vec<ItemId> = items.cloned().collect();
        if let Some(known) = self.shapes.get(&items[..]) {
            return Arc::clone(known);
        }
        let shape: Shape = items.iter().map(|item| item.shared(&mut self.words)).collect();
        self.shapes.insert(Arc::clone(&shape));
        shape
    }
}

/// The people of a casebook, whom its packed parts name by number.
#[derive(Default)]
pub(crate) struct People(pub Vec<Actor>);

impl People {
    /// Returns somebody's number, who gets one if need be.
    pub fn number(&mut self, by: &Actor, words: &mut Words) -> u16 {
        let known = self.0.iter().position(|known| known == by);
        small(known.unwrap_or_else(|| {
            self.0.push(Actor { person: by.person.shared(words), role: by.role.shared(words) });
            self.0.len() - 1
        }))
    }
}

/// The cells of a form, by item.
#[derive(Debug, Default)]
pub struct Cells {
    /// As they were last packed; none after a change.
    packed: Option<Packed>,
    open: OnceLock<Box<BTreeMap<ItemId, Cell>>>,
}

/// Where packed cells lie in the bytes of their casebook.
#[derive(Clone, Debug)]
pub(crate) struct Packed {
    pub shape: Shape,
    pub people: Arc<[Actor]>,
    pub bytes: Arc<[u8]>,
    pub at: Range<usize>,
}

impl Deref for Cells {
    type Target = BTreeMap<ItemId, Cell>;

    fn deref(&self) -> &Self::Target {
        self.open.get_or_init(|| Box::new(self.packed.as_ref().map_or_else(BTreeMap::new, Packed::open)))
    }
}

impl<'a> IntoIterator for &'a Cells {
    type Item = (&'a ItemId, &'a Cell);
    type IntoIter = std::collections::btree_map::Iter<'a, ItemId, Cell>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl Clone for Cells {
    /// A copy of packed cells is packed, also where these were opened meanwhile.
    fn clone(&self) -> Self {
        match &self.packed {
            Some(packed) => packed.clone().into(),
            None => Self { packed: None, open: OnceLock::from(Box::new(BTreeMap::clone(self))) },
        }
    }
}

impl From<Packed> for Cells {
    fn from(packed: Packed) -> Self {
        Self { packed: Some(packed), open: OnceLock::new() }
    }
}

impl PartialEq for Cells {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Cells {}

impl Cells {
    /// Opens them for a change.
    pub(crate) fn change(&mut self) -> &mut BTreeMap<ItemId, Cell> {
        if self.open.get().is_none() {
            let opened = self.packed.as_ref().map_or_else(BTreeMap::new, Packed::open);
            self.open = OnceLock::from(Box::new(opened));
        }
        self.packed = None;
        self.open.get_mut().expect("they were opened just now")
    }

    /// Says whether an item holds or held something, and opens nothing for it.
    pub fn hold(&self, item: &str) -> bool {
        match (&self.packed, self.open.get()) {
            (Some(packed), None) => packed.shape.binary_search_by(|known| known.as_str().cmp(item)).is_ok(),
            _ => self.contains_key(item),
        }
    }

    /// Returns them as they were packed, unless they were changed since.
    pub(crate) fn packed(&self) -> Option<&Packed> {
        self.packed.as_ref()
    }

    /// Appends them to bytes, and returns their shape.
    pub(crate) fn pack_onto(&self, bytes: &mut Vec<u8>, people: &mut People, shared: &mut Shared) -> Shape {
        flatten(self, bytes, people, shared)
    }
}

/// What the entries of one event have in common.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Stamp {
    by: u16,
    source: Source,
    happened: Day,
    recorded: Day,
    sequence: u64,
}

/// A date in few bytes.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Day {
    /// Days since the epoch.
    Whole(i32),
    Part(PartialDate),
}

/// An answer in few bytes.
#[derive(Serialize, Deserialize)]
enum Flat<'a> {
    Redacted,
    Integer(i64),
    Decimal(i128, u32),
    No,
    Yes,
    Code(&'a str),
    Date(Day),
    Text(&'a str),
    Missing(MissingReason),
}

#[derive(Default, Serialize, Deserialize)]
struct Flattened<'a> {
    stamps: Vec<Stamp>,
    /// Cells with more than one entry, by their place in the shape, and how many.
    longer: Vec<(u16, u16)>,
    /// Verifications: who, on which day, by which event.
    checks: Vec<(u16, Day, u64)>,
    /// Cells that were verified, by their place, and by which of these.
    checked: Vec<(u16, u16)>,
    /// Stamps in the order of the entries, each with how many entries in a row have it.
    runs: Vec<(u16, u16)>,
    /// Each entry's answer, cell after cell.
    #[serde(borrow)]
    answers: Vec<Flat<'a>>,
}

fn flatten(
    cells: &BTreeMap<ItemId, Cell>,
    bytes: &mut Vec<u8>,
    people: &mut People,
    shared: &mut Shared,
) -> Shape {
    let mut flattened = Flattened::default();
    for (place, cell) in cells.values().enumerate() {
        if cell.history().len() > 1 {
            flattened.longer.push((small(place), small(cell.history().len())));
        }
        if let Some(Verification { by, verified }) = cell.last_verification() {
            let day = PartialDate::from(verified.date).into();
            let check = (people.number(by, &mut shared.words), day, verified.sequence);
            let number = place_of(&mut flattened.checks, check);
            flattened.checked.push((small(place), number));
        }
        for entry in cell.history() {
            let stamp = Stamp {
                by: people.number(&entry.by, &mut shared.words),
                source: entry.source,
                happened: entry.happened.into(),
                recorded: PartialDate::from(entry.recorded).into(),
                sequence: entry.sequence,
            };
            let number = place_of(&mut flattened.stamps, stamp);
            match flattened.runs.last_mut() {
                Some((same, count)) if *same == number && *count < u16::MAX => *count += 1,
                _ => flattened.runs.push((number, 1)),
            }
            flattened.answers.push(flat(entry.answer.as_ref()));
        }
    }
    *bytes = postcard::to_extend(&flattened, std::mem::take(bytes)).expect("cells are plain data");
    shared.shape(cells.keys())
}

impl Packed {
    fn open(&self) -> BTreeMap<ItemId, Cell> {
        let flattened: Flattened<'_> =
            postcard::from_bytes(&self.bytes[self.at.clone()]).expect("packed cells are never touched");
        let runs = flattened.runs.iter();
        let numbers = runs.flat_map(|(number, count)| std::iter::repeat_n(*number, usize::from(*count)));
        let mut entries = numbers.zip(flattened.answers);
        let mut longer = flattened.longer.iter().peekable();
        let mut checked = flattened.checked.iter().peekable();
        let stamps: Vec<(PartialDate, Date)> = flattened
            .stamps
            .iter()
            .map(|stamp| (stamp.happened.partial(), stamp.recorded.partial().earliest()))
            .collect();
        let mut entry = || {
            let (number, answer) = entries.next().expect("every cell has its entries");
            let (stamp, (happened, recorded)) =
                (&flattened.stamps[usize::from(number)], &stamps[usize::from(number)]);
            Entry {
                answer: answer.open(),
                source: stamp.source,
                by: self.people[usize::from(stamp.by)].clone(),
                happened: *happened,
                recorded: *recorded,
                sequence: stamp.sequence,
            }
        };
        // The shape is in order, so that the map is built in one go.
        self.shape
            .iter()
            .enumerate()
            .map(|(place, item)| {
                let count =
                    longer.next_if(|(at, _)| usize::from(*at) == place).map_or(1, |(_, count)| *count);
                let mut cell = Cell::new(entry());
                (1..count).for_each(|_| cell.replace(entry()));
                if let Some((_, number)) = checked.next_if(|(at, _)| usize::from(*at) == place) {
                    let (by, day, sequence) = &flattened.checks[usize::from(*number)];
                    let by = self.people[usize::from(*by)].clone();
                    let verified = Dated { date: day.partial().earliest(), sequence: *sequence };
                    cell.verify(Some(Verification { by, verified }));
                }
                (item.clone(), cell)
            })
            .collect()
    }
}

/// Returns the place of something in a list, at whose end it is put if it is not there.
fn place_of<T: PartialEq>(list: &mut Vec<T>, one: T) -> u16 {
    let known = list.iter().position(|known| *known == one);
    small(known.unwrap_or_else(|| {
        list.push(one);
        list.len() - 1
    }))
}

pub(crate) fn small(number: usize) -> u16 {
    u16::try_from(number).expect("a form has fewer than 65,536 items, and an item fewer entries")
}

impl From<PartialDate> for Day {
    fn from(date: PartialDate) -> Self {
        match date.complete() {
            Some(whole) => Day::Whole(to_days(whole)),
            None => Day::Part(date),
        }
    }
}

impl Day {
    fn partial(&self) -> PartialDate {
        match self {
            Day::Whole(days) => of_days(*days).into(),
            Day::Part(date) => *date,
        }
    }
}

/// Returns a date as days since the epoch.
pub(crate) fn to_days(date: Date) -> i32 {
    days_between(EPOCH, date)
}

/// Returns the date that lies so many days after the epoch.
pub(crate) fn of_days(days: i32) -> Date {
    days_after(EPOCH, days)
}

fn flat(answer: Option<&Answer>) -> Flat<'_> {
    match answer {
        None => Flat::Redacted,
        Some(Answer::Missing(reason)) => Flat::Missing(*reason),
        Some(Answer::Given(value)) => match value {
            Value::Integer(whole) => Flat::Integer(*whole),
            Value::Decimal(decimal) => Flat::Decimal(decimal.mantissa(), decimal.scale()),
            Value::Boolean(false) => Flat::No,
            Value::Boolean(true) => Flat::Yes,
            Value::Code(code) => Flat::Code(code),
            Value::Date(date) => Flat::Date((*date).into()),
            Value::Text(text) => Flat::Text(text),
        },
    }
}

impl Flat<'_> {
    fn open(self) -> Option<Answer> {
        let value = match self {
            Flat::Redacted => return None,
            Flat::Missing(reason) => return Some(Answer::Missing(reason)),
            Flat::Integer(whole) => Value::Integer(whole),
            Flat::Decimal(mantissa, scale) => Value::Decimal(Decimal::from_i128_with_scale(mantissa, scale)),
            Flat::No => Value::Boolean(false),
            Flat::Yes => Value::Boolean(true),
            Flat::Code(code) => Value::Code(code.to_owned()),
            Flat::Date(day) => Value::Date(day.partial()),
            Flat::Text(text) => Value::Text(text.to_owned()),
        };
        Some(Answer::Given(value))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn answer() -> impl Strategy<Value = Option<Answer>> {
        let value = prop_oneof![
            any::<i64>().prop_map(Value::Integer),
            (any::<i64>(), 0_u32..9).prop_map(|(number, scale)| Value::Decimal(Decimal::new(number, scale))),
            any::<bool>().prop_map(Value::Boolean),
            ".{0,20}".prop_map(Value::Code),
            ".{0,20}".prop_map(Value::Text),
            (1900_i16..2100).prop_map(|year| Value::Date(PartialDate::of_year(year))),
            (1900_i16..2100, 1_i8..13)
                .prop_map(|(year, month)| Value::Date(Date::constant(year, month, 28).into())),
        ];
        prop_oneof![
            8 => value.prop_map(|value| Some(Answer::Given(value))),
            1 => Just(Some(Answer::Missing(MissingReason::NotMeasurable))),
            1 => Just(None),
        ]
    }

    fn entry() -> impl Strategy<Value = Entry> {
        (answer(), 1_u64..4, any::<bool>()).prop_map(|(answer, sequence, derived)| Entry {
            answer,
            source: if derived { Source::Derived } else { Source::Entered },
            by: Actor { person: format!("person.{sequence}").into(), role: "coordinator".into() },
            happened: if sequence == 3 {
                PartialDate::of_year(2031)
            } else {
                Date::constant(2031, 5, 20).into()
            },
            recorded: Date::constant(2031, 5, 21),
            sequence,
        })
    }

    proptest! {
        #[test]
        fn packed_cells_open_to_what_they_were(
            histories in prop::collection::btree_map("[a-z]{1,6}", prop::collection::vec(entry(), 1..4), 0..30),
            verified in prop::collection::vec((any::<prop::sample::Index>(), 1_u64..6), 0..20),
        ) {
            let mut cells = Cells::default();
            for (item, history) in &histories {
                for entry in history {
                    cells
                        .change()
                        .entry(ItemId::from(item.as_str()))
                        .and_modify(|cell| cell.replace(entry.clone()))
                        .or_insert_with(|| Cell::new(entry.clone()));
                }
            }
            let items: Vec<ItemId> = cells.keys().cloned().collect();
            for (index, sequence) in verified.iter().filter(|_| !items.is_empty()) {
                let by = Actor { person: "monitor".into(), role: "monitor".into() };
                let verified = Dated { date: Date::constant(2031, 5, 22), sequence: *sequence };
                if let Some(cell) = cells.change().get_mut(index.get(&items)) {
                    cell.verify(Some(Verification { by, verified }));
                }
            }
            let before = BTreeMap::clone(&cells);
            let (mut shared, mut people) = (Shared::default(), People::default());
            let mut packed = |cells: &Cells| {
                // Other cells lie before them.
                let mut bytes = b"others".to_vec();
                let shape = cells.pack_onto(&mut bytes, &mut people, &mut shared);
                let at = 6..bytes.len();
                Cells::from(Packed { shape, people: people.0.clone().into(), bytes: bytes.into(), at })
            };
            let mut once = packed(&cells);
            prop_assert!(before.keys().all(|item| once.hold(item.as_str())) && !once.hold("none of them"));
            prop_assert!(once.open.get().is_none());
            prop_assert_eq!(&*once, &before);
            prop_assert!(once.clone().open.get().is_none() && once.packed().is_some());
            // What is opened for a change and packed again is the same, and shares its shape.
            once.change();
            prop_assert!(once.packed().is_none());
            prop_assert_eq!(&*packed(&once), &before);
            prop_assert!(shared.shapes.len() <= 1);
        }
    }
}
