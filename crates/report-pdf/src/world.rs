//! What the typesetter may see: one source, the drawings, and fonts that lie in the program.
//!
//! There is no file system, no package, no system font and no clock behind it, so
//! what is set depends on the document alone.

use std::sync::LazyLock;

use typst::{
    Feature, Library, LibraryExt, World,
    diag::{FileError, FileResult},
    foundations::{Bytes, Datetime, Duration},
    syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot},
    text::{Font, FontBook},
    utils::LazyHash,
};

/// The fonts of text and of drawings, read once.
struct Fonts {
    book: LazyHash<FontBook>,
    fonts: Vec<Font>,
}

/// Libertinus Serif for text and tables; DejaVu Sans, the first choice of every
/// drawing, so that words in a drawing are as wide as they were reckoned.
static FONTS: LazyLock<Fonts> = LazyLock::new(|| {
    let sans = [dejavu::sans::regular(), dejavu::sans::bold(), dejavu::sans::oblique()];
    let fonts: Vec<Font> =
        serif().into_iter().chain(sans).flat_map(|data| Font::iter(Bytes::new(data))).collect();
    Fonts { book: LazyHash::new(FontBook::from_fonts(&fonts)), fonts }
});

/// The faces of running text: regular and bold first.
pub fn serif() -> [&'static [u8]; 4] {
    let mut faces = typst_assets::fonts();
    std::array::from_fn(|_| faces.next().expect("the fonts come with the typesetter"))
}

/// Everything the typesetter asks for.
pub struct Sheet {
    library: LazyHash<Library>,
    main: Source,
    drawings: Vec<(FileId, Bytes)>,
}

impl Sheet {
    /// Makes the world of a source and its drawings by file name.
    pub fn new(source: String, drawings: impl IntoIterator<Item = (String, String)>) -> Self {
        let library = Library::builder().with_features([Feature::A11yExtras].into_iter().collect()).build();
        let drawings =
            drawings.into_iter().map(|(name, svg)| (file(&name), Bytes::from_string(svg))).collect();
        Self { library: LazyHash::new(library), main: Source::new(file("report.typ"), source), drawings }
    }
}

fn file(name: &str) -> FileId {
    let path = VirtualPath::new(name).expect("the names of a report's files are plain");
    FileId::new(RootedPath::new(VirtualRoot::Project, path))
}

impl World for Sheet {
    fn library(&self) -> &LazyHash<Library> {
        &self.library
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &FONTS.book
    }

    fn main(&self) -> FileId {
        self.main.id()
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        if id == self.main.id() { Ok(self.main.clone()) } else { Err(FileError::NotSource) }
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        let found = self.drawings.iter().find(|(drawing, _)| *drawing == id);
        found
            .map(|(_, svg)| svg.clone())
            .ok_or_else(|| FileError::Other(Some("it is no drawing of the report".into())))
    }

    fn font(&self, index: usize) -> Option<Font> {
        FONTS.fonts.get(index).cloned()
    }

    fn today(&self, _: Option<Duration>) -> Option<Datetime> {
        None
    }
}
