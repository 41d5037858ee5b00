//! `codelists.toml`: code lists, each a table from code to label.

use crate::{
    desk::{Desk, Section},
    model::Codelist,
    shape::{Keys, Kind, Shape},
};

pub(crate) const SHAPE: Shape =
    Shape::Map(Keys::Define(Kind::Codelist), &Shape::Map(Keys::Define(Kind::Code), &Shape::Label));

/// Reads the file.
pub(crate) fn read(desk: &mut Desk<'_>, root: &Section<'_>) -> Vec<Codelist> {
    let mut lists = Vec::new();
    for list in root.all() {
        let codes: Vec<_> =
            list.all().map(|code| (code.name().to_owned(), desk.label(Some(code.node)))).collect();
        if codes.is_empty() {
            desk.error(
                "missing-key",
                &list.place(),
                format!("code list `{}` has no codes", list.name()),
                None,
            );
        }
        lists.push(Codelist { id: list.name().into(), codes });
    }
    lists
}
