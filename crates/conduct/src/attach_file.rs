//! Files that are attached to forms: a scanned report, a photograph, a printed course.
//!
//! The record holds what a file is called, its kind, its length, its digest and its key; what is in it lies encrypted beside the
//! record and is kept by the edges. A file is data of its form: it is attached by who fills the form, undoes the form's reviews
//! and verifications, makes a signature void, and stands in the digest of the next.

use record::{Actor, AttachedFile, Content, Draft, Fact, FormKey};
use serde::{Deserialize, Serialize};
use terms::*;

use crate::{
    Refusal,
    casebook::Dated,
    decide::{Case, found, need},
    packed,
    save_form::{need_fillable, void_signatures},
    view::Pending,
};

/// The largest file that a form takes, in bytes.
pub const FILE_BYTES_MAX: u64 = 5 << 20;
/// Kinds of files that a form takes: those that every browser shows and no office program runs.
pub const FILE_TYPES: &[&str] = &["application/pdf", "image/jpeg", "image/png", "text/plain", "text/csv"];
/// The longest name of a file, in bytes.
const NAME_BYTES_MAX: usize = 200;

/// A file that was attached to a form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormFile {
    /// Its number on the form, from 1.
    pub number: u32,
    /// What is known of it; none once redacted.
    #[serde(with = "packed::file")]
    pub file: Option<AttachedFile>,
    /// Who attached it.
    pub by: Actor,
    /// When and by which event.
    pub attached: Dated,
    /// When it was withdrawn.
    pub withdrawn: Option<Dated>,
}

pub(crate) fn attach_file(
    mut case: Case<'_>,
    key: &FormKey,
    file: &AttachedFile,
) -> Result<Vec<Draft>, Refusal> {
    let form = need_fillable(&case, key)?;
    let begun = case.casebook.forms.contains_key(key);
    need(begun, || Refusal::FormNotBegun { form: form.id.clone() })?;
    let named = !file.name.trim().is_empty() && file.name.len() <= NAME_BYTES_MAX;
    need(named, || Refusal::FileUnnamed { most: NAME_BYTES_MAX })?;
    need(FILE_TYPES.contains(&file.media_type.as_str()), || Refusal::FileKind {
        kinds: FILE_TYPES.iter().map(|kind| (*kind).to_owned()).collect(),
    })?;
    let sound = file.bytes > 0 && file.bytes <= FILE_BYTES_MAX;
    need(sound, || Refusal::FileSize { bytes: file.bytes, most: FILE_BYTES_MAX })?;
    let files = case.casebook.files.get(key).map_or(&[][..], Vec::as_slice);
    let same = |known: &&FormFile| {
        known.withdrawn.is_none() && known.file.as_ref().is_some_and(|known| known.sha256 == file.sha256)
    };
    let twice = files.iter().find(same).map(|known| known.number);
    need(twice.is_none(), || Refusal::FileAttachedAlready { number: twice.unwrap_or_default() })?;
    let number = u32::try_from(files.len()).unwrap_or(u32::MAX).saturating_add(1);
    case.say(Fact::FileAttached { key: key.clone(), number, file: Content::new(file.clone()) });
    void_signatures(&mut case, &of_form(key));
    Ok(case.drafts)
}

pub(crate) fn withdraw_file(mut case: Case<'_>, key: &FormKey, number: u32) -> Result<Vec<Draft>, Refusal> {
    need_fillable(&case, key)?;
    let mut files = case.casebook.files.get(key).into_iter().flatten();
    let file = found(files.find(|file| file.number == number), || Refusal::UnknownFile { number })?;
    need(file.withdrawn.is_none(), || Refusal::FileWithdrawnAlready { number })?;
    case.need_reason("withdrawing a file")?;
    case.say(Fact::FileWithdrawn { key: key.clone(), number });
    void_signatures(&mut case, &of_form(key));
    Ok(case.drafts)
}

/// The form is changed, none of its items is.
fn of_form(key: &FormKey) -> Pending {
    Pending::from([(key.clone(), std::collections::BTreeMap::<ItemId, Answer>::new())])
}
