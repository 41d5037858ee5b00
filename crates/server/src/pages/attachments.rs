//! Files attached to forms: brought with a form, kept encrypted beside the record, given to who reads the form's values.
//!
//! What a file is, is told from its own first bytes and not from its name; what is none of the kinds that a form takes is refused. It is
//! given out as a file to keep, under its kind, and no browser shows it as a page of this server.

use conduct::{Action, FILE_BYTES_MAX, FILE_TYPES, FormFile};
use protocol::model::Form;
use record::{AttachedFile, FileKey, FormKey};
use store::files::Held;

use crate::{
    context::{Context, Failure, Outcome},
    credentials::draw,
    http::Reply,
    page::Page,
    running::{CommandError, RunningStudy},
};

/// A file in the form's page.
pub struct FileView {
    /// Its number on the form.
    pub number: u32,
    /// Its name; "redacted" where it was.
    pub name: String,
    /// Its size, for people.
    pub size: String,
    /// Who attached it, and when.
    pub by: String,
    /// When it was withdrawn.
    pub withdrawn: Option<String>,
    /// Whether it can be fetched.
    pub there: bool,
}

/// Returns what a form's page says of its files.
pub fn views(
    running: &RunningStudy,
    files: &[FormFile],
    names: &std::collections::BTreeMap<String, String>,
    page: &Page,
) -> Vec<FileView> {
    let moment = |sequence: u64| {
        let event = running.event(sequence);
        event.map_or_else(String::new, |event| crate::pages::form::site_moment(&event.recorded))
    };
    files
        .iter()
        .map(|file| {
            let person = file.by.person.as_str();
            let name = names.get(person).map_or(person, String::as_str);
            FileView {
                number: file.number,
                name: file
                    .file
                    .as_ref()
                    .map_or_else(|| page.t("redacted").to_owned(), |file| file.name.clone()),
                size: file.file.as_ref().map_or_else(String::new, |file| size(file.bytes)),
                by: format!("{name}, {}", moment(file.attached.sequence)),
                withdrawn: file.withdrawn.map(|withdrawn| withdrawn.date.to_string()),
                there: file.file.is_some(),
            }
        })
        .collect()
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{} kB", bytes.div_ceil(1024)),
        _ => format!("{}.{} MB", bytes >> 20, ((bytes & 0xf_ffff) * 10) >> 20),
    }
}

/// Tells from a file's first bytes what it is; text is what holds no byte that text does not.
fn kind_of(name: &str, content: &[u8]) -> Option<&'static str> {
    let kind = if content.starts_with(b"%PDF-") {
        "application/pdf"
    } else if content.starts_with(b"\x89PNG\r\n\x1a\n") {
        "image/png"
    } else if content.starts_with(b"\xff\xd8\xff") {
        "image/jpeg"
    } else {
        let text = std::str::from_utf8(content).ok()?;
        let markup = text.trim_start_matches('\u{feff}').trim_start().starts_with('<');
        let plain = |letter: char| !letter.is_control() || matches!(letter, '\n' | '\r' | '\t');
        if markup || !text.chars().all(plain) {
            return None;
        }
        if name.to_ascii_lowercase().ends_with(".csv") { "text/csv" } else { "text/plain" }
    };
    FILE_TYPES.iter().find(|known| **known == kind).copied()
}

fn place<'a>(context: &Context<'a>) -> Result<(&'a RunningStudy, &'a Form, FormKey), Failure> {
    let (running, _) = context.seated()?;
    let key = context.form_key()?;
    let form = running.study().form(key.form.as_str()).ok_or(Failure::NotFound)?;
    Ok((running, form, key))
}

/// Attaches the file that came.
pub fn attach(context: &Context<'_>) -> Outcome {
    let (running, _, key) = place(context)?;
    let upload = context.request.upload.as_ref();
    let upload = upload.ok_or_else(|| Failure::Bad("Choose a file.".to_owned()))?;
    let bytes = upload.content.len() as u64;
    if bytes > FILE_BYTES_MAX {
        return Err(Failure::Bad("The file is too large: a form takes files of up to 5 MB.".to_owned()));
    }
    let media_type = kind_of(&upload.name, &upload.content);
    let media_type = media_type.ok_or_else(|| {
        Failure::Bad("This is no file that a form takes: PDF, JPEG, PNG, plain text or CSV.".to_owned())
    })?;
    // The file is durable before the record names it, and its key stands in the record alone.
    let file_key = FileKey::from_bytes(draw());
    let sha256 = running.files().keep(&upload.content, &file_key)?;
    let file = AttachedFile {
        name: upload.name.clone(),
        media_type: media_type.to_owned(),
        bytes,
        sha256,
        key: Some(file_key),
    };
    let action = Action::AttachFile { key, file: file.clone() };
    let command = context.command(Some(&context.subject()), None, None, action)?;
    if let Err(error) = context.give(vec![command], None) {
        if matches!(error, CommandError::Refused(_)) {
            running.files().remove(&file)?;
        }
        return Err(error.into());
    }
    context.notice("The file is attached.");
    Ok(Reply::see(&format!("{}#files", context.request.path.trim_end_matches("/files"))))
}

fn number(context: &Context<'_>) -> Result<u32, Failure> {
    context.request.param("number").parse().map_err(|_| Failure::NotFound)
}

/// Gives a file to who reads the form's values.
pub fn download(context: &Context<'_>) -> Outcome {
    let (running, _, key) = place(context)?;
    let number = number(context)?;
    let file = {
        let state = running.state();
        let casebook = state.casebook(context.request.param("subject")).ok_or(Failure::NotFound)?;
        let mut files = casebook.files.get(&key).into_iter().flatten();
        files
            .find(|file| file.number == number)
            .and_then(|file| file.file.clone())
            .ok_or(Failure::NotFound)?
    };
    let kind = FILE_TYPES.iter().find(|kind| **kind == file.media_type).copied();
    match running.files().read(&file)? {
        Held::Whole(content) => {
            Ok(Reply::attachment(&file.name, kind.unwrap_or("application/octet-stream"), content))
        }
        Held::Altered => Err(Failure::Broken(
            "The file is not as it was when it was attached, so it is not given out.".to_owned(),
        )),
        Held::Missing => Err(Failure::Broken("The file is missing on the server.".to_owned())),
    }
}

/// Lets a file count no more.
pub fn withdraw(context: &Context<'_>) -> Outcome {
    let (_, _, key) = place(context)?;
    let action = Action::WithdrawFile { key, number: number(context)? };
    let command = context.command(Some(&context.subject()), None, None, action)?;
    context.give(vec![command], None)?;
    context.notice("The file counts no more. It stays readable.");
    let path = context.request.path.rsplit_once("/files/").map_or("", |(form, _)| form);
    Ok(Reply::see(&format!("{path}#files")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_what_its_first_bytes_say_and_never_a_page() {
        assert_eq!(kind_of("scan.txt", b"%PDF-1.7"), Some("application/pdf"));
        assert_eq!(kind_of("a.pdf", b"\xff\xd8\xff\xe0"), Some("image/jpeg"));
        assert_eq!(kind_of("a", b"\x89PNG\r\n\x1a\n"), Some("image/png"));
        assert_eq!(kind_of("a.CSV", b"day,value\n1,2\n"), Some("text/csv"));
        assert_eq!(kind_of("a.pdf", "märz".as_bytes()), Some("text/plain"));
        for other in [&b"<html><script>"[..], b"  <?xml", b"MZ\x90\x00", b"PK\x03\x04", b"\xfe\xff\x00a"] {
            assert_eq!(kind_of("a.pdf", other), None, "{other:?}");
        }
    }

    #[test]
    fn sizes_are_said_for_people() {
        assert_eq!([size(12), size(1025), size(3_670_016)], ["12 B", "2 kB", "3.5 MB"]);
    }
}
