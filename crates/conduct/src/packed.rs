//! A casebook's pages: open for use, or packed into one piece of bytes.
//!
//! A page of the server looks at one participant and the lists at none, so that of ten thousand casebooks a few are open.
//! The others lie as bytes: first the cells of each form ([`cells`](crate::cells)), then all the rest. Whoever looks
//! at a packed casebook opens it by that, though not the cells of its forms; who keeps a state for long packs what was opened
//! again ([`State::pack`](crate::State::pack)).
//!
//! Packing loses nothing and is no format of a file: it lives as long as the process.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use record::{Actor, FormKey, Review};
use serde::{Deserialize, Serialize};
use terms::*;

use crate::{
    casebook::{Dated, FilledForm, Pages, Reviewed},
    cells::{Cells, Packed, People, Shape, Shared, of_days, small, to_days},
};

/// Pages that are packed, open, or both.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    /// As they were last packed; none after a change.
    packed: Option<PackedPages>,
    open: OnceLock<Box<Pages>>,
}

#[derive(Clone, Debug)]
struct PackedPages {
    bytes: Bytes,
    /// Where the cells of the forms end.
    rest: u32,
    shapes: Arc<[Shape]>,
    people: Arc<[Actor]>,
}

#[derive(Clone, Debug)]
enum Bytes {
    Plain(Arc<[u8]>),
    /// Compressed, for who keeps a state for long: a third of the size, and opened in a moment. With the length of the plain bytes.
    Squeezed(Arc<[u8]>, u32),
}

thread_local! {
    /// What opens compressed bytes: it is large, so that each thread has one and keeps it.
    static OPENER: RefCell<Decompress> = RefCell::new(Decompress::new(false));
}

impl Bytes {
    fn plain(&self) -> Arc<[u8]> {
        match self {
            Bytes::Plain(bytes) => Arc::clone(bytes),
            Bytes::Squeezed(bytes, length) => OPENER.with_borrow_mut(|opener| {
                opener.reset(false);
                let mut plain = Vec::with_capacity(*length as usize);
                let done = opener.decompress_vec(bytes, &mut plain, FlushDecompress::Finish);
                assert!(matches!(done, Ok(Status::StreamEnd)), "packed pages are never touched");
                plain.into()
            }),
        }
    }

    fn squeezed(&self, squeezer: &mut Squeezer) -> Self {
        match self {
            Bytes::Plain(bytes) => {
                let length = u32::try_from(bytes.len()).expect("a casebook has fewer than four gigabytes");
                Bytes::Squeezed(squeezer.squeeze(bytes), length)
            }
            Bytes::Squeezed(..) => self.clone(),
        }
    }
}

/// What compresses: it is large, so that one is made when it is needed, and kept.
#[derive(Debug, Default)]
pub(crate) struct Squeezer(Option<Compress>);

impl Squeezer {
    fn squeeze(&mut self, plain: &[u8]) -> Arc<[u8]> {
        let compress = self.0.get_or_insert_with(|| Compress::new(Compression::fast(), false));
        compress.reset();
        // Deflate makes nothing longer than by five bytes for each 16 KiB, and its end.
        let mut squeezed = Vec::with_capacity(plain.len() + plain.len() / 1024 + 64);
        let done = compress.compress_vec(plain, &mut squeezed, FlushCompress::Finish);
        assert!(matches!(done, Ok(Status::StreamEnd)), "there is room for all of it");
        squeezed.into()
    }
}

/// A form without its cells.
#[derive(Serialize, Deserialize)]
struct FlatForm<'a> {
    visit: Option<&'a str>,
    form: &'a str,
    row: u32,
    first_by: u16,
    shape: u16,
    /// How many bytes its cells take.
    length: u32,
    reviews: Vec<(Review, u16, i32, u64)>,
}

impl Clone for Kept {
    /// A copy of packed pages is packed, also where these were opened meanwhile.
    fn clone(&self) -> Self {
        match &self.packed {
            Some(packed) => Self { packed: Some(packed.clone()), open: OnceLock::new() },
            None => Self { packed: None, open: OnceLock::from(Box::new(self.look().clone())) },
        }
    }
}

impl Kept {
    /// Opens them for reading.
    pub(crate) fn look(&self) -> &Pages {
        self.open
            .get_or_init(|| Box::new(self.packed.as_ref().map_or_else(Pages::default, PackedPages::open)))
    }

    /// Opens them for a change.
    pub(crate) fn change(&mut self) -> &mut Pages {
        self.look();
        self.packed = None;
        self.open.get_mut().expect("they were opened just now")
    }

    /// Says whether they take more memory than they need.
    pub(crate) fn is_open(&self) -> bool {
        self.open.get().is_some()
    }

    /// Packs them.
    pub(crate) fn pack(&mut self, shared: &mut Shared) {
        if let (None, Some(pages)) = (&self.packed, self.open.get()) {
            self.packed = Some(PackedPages::of(pages, shared));
        }
        self.open = OnceLock::new();
    }

    /// Makes what was packed as small as it gets.
    pub(crate) fn squeeze(&mut self, squeezer: &mut Squeezer) {
        if let Some(packed) = &mut self.packed {
            packed.bytes = packed.bytes.squeezed(squeezer);
        }
    }
}

impl PackedPages {
    fn of(pages: &Pages, shared: &mut Shared) -> Self {
        // Whom cells name that were not changed keep their numbers; they all come from the same packed pages.
        let known = pages.forms.values().find_map(|form| form.cells.packed());
        let mut people = People(known.map_or_else(Vec::new, |packed| packed.people.to_vec()));
        // As long as they were, and a little more.
        let before = known.map_or(0, |packed| packed.bytes.len());
        let mut bytes = Vec::with_capacity(before + before / 8 + 1024);
        let (mut shapes, mut forms) = (Vec::<Shape>::new(), Vec::with_capacity(pages.forms.len()));
        for (key, form) in &pages.forms {
            let before = bytes.len();
            let shape = match form.cells.packed() {
                Some(packed) => {
                    bytes.extend_from_slice(&packed.bytes[packed.at.clone()]);
                    Arc::clone(&packed.shape)
                }
                None => form.cells.pack_onto(&mut bytes, &mut people, shared),
            };
            let place = shapes.iter().position(|known| Arc::ptr_eq(known, &shape)).unwrap_or_else(|| {
                shapes.push(shape);
                shapes.len() - 1
            });
            let reviews = form.reviews.iter().map(|(review, done)| {
                let by = people.number(&done.by, &mut shared.words);
                (*review, by, to_days(done.reviewed.date), done.reviewed.sequence)
            });
            let reviews = reviews.collect();
            forms.push(FlatForm {
                visit: key.visit.as_ref().map(VisitId::as_str),
                form: key.form.as_str(),
                row: key.row,
                first_by: people.number(&form.first_by, &mut shared.words),
                shape: small(place),
                length: (bytes.len() - before) as u32,
                reviews,
            });
        }
        let rest = u32::try_from(bytes.len()).expect("a casebook has fewer than four gigabytes");
        let bytes = postcard::to_extend(&(forms, pages), bytes).expect("pages are plain data");
        Self { bytes: Bytes::Plain(bytes.into()), rest, shapes: shapes.into(), people: people.0.into() }
    }

    fn open(&self) -> Pages {
        let bytes = self.bytes.plain();
        let rest = &bytes[self.rest as usize..];
        let (forms, mut pages): (Vec<FlatForm<'_>>, Pages) =
            postcard::from_bytes(rest).expect("packed pages are never touched");
        let person = |number: u16| self.people[usize::from(number)].clone();
        let mut from = 0;
        let opened: BTreeMap<FormKey, FilledForm> = forms
            .into_iter()
            .map(|form| {
                let at = from..from + form.length as usize;
                from = at.end;
                let packed = Packed {
                    shape: Arc::clone(&self.shapes[usize::from(form.shape)]),
                    people: Arc::clone(&self.people),
                    bytes: Arc::clone(&bytes),
                    at,
                };
                let reviews = form.reviews.into_iter().map(|(review, by, day, sequence)| {
                    let reviewed = Dated { date: of_days(day), sequence };
                    (review, Reviewed { by: person(by), reviewed })
                });
                let key = FormKey {
                    visit: form.visit.map(VisitId::from),
                    form: FormId::from(form.form),
                    row: form.row,
                };
                let filled = FilledForm {
                    cells: Cells::from(packed),
                    first_by: person(form.first_by),
                    reviews: reviews.collect(),
                };
                (key, filled)
            })
            .collect();
        pages.forms = opened;
        pages
    }
}

/// A date as days, for packing.
pub(crate) mod day {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use terms::Date;

    use crate::cells::{of_days, to_days};

    pub fn serialize<S: Serializer>(date: &Date, serializer: S) -> Result<S::Ok, S::Error> {
        to_days(*date).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Date, D::Error> {
        i32::deserialize(deserializer).map(of_days)
    }
}

/// A dose as its digits and its scale, for packing.
pub(crate) mod dose {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use terms::Decimal;

    pub fn serialize<S: Serializer>(dose: &Option<Decimal>, serializer: S) -> Result<S::Ok, S::Error> {
        dose.map(|dose| (dose.mantissa(), dose.scale())).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Decimal>, D::Error> {
        let flat = Option::<(i128, u32)>::deserialize(deserializer)?;
        Ok(flat.map(|(mantissa, scale)| Decimal::from_i128_with_scale(mantissa, scale)))
    }
}

/// An attached file field by field, for packing: what the record leaves out where it is none must stand here all the same.
pub(crate) mod file {
    use record::{AttachedFile, FileKey};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(file: &Option<AttachedFile>, serializer: S) -> Result<S::Ok, S::Error> {
        let flat =
            file.as_ref().map(|file| (&file.name, &file.media_type, file.bytes, &file.sha256, &file.key));
        flat.serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<AttachedFile>, D::Error> {
        type Flat = (String, String, u64, String, Option<FileKey>);
        let flat = Option::<Flat>::deserialize(deserializer)?;
        Ok(flat.map(|(name, media_type, bytes, sha256, key)| AttachedFile {
            name,
            media_type,
            bytes,
            sha256,
            key,
        }))
    }
}
