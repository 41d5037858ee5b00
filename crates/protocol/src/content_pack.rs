//! Content packs: the licensed wording of a questionnaire, loaded by a site and shipped by nobody.
//!
//! A study ships item codes and short labels of its own. Before a form whose instrument is
//! licensed goes live, a site loads the wording from a pack: one TOML file an instrument,
//! language and version, with the reference of the licence. This module reads and checks a
//! pack and says which forms of a study still need one; it stores nothing.
//!
//! ```toml
//! instrument = "dlqi"
//! language   = "fr"
//! version    = "French, 1994"
//! licence    = "reference of the agreement"
//!
//! [items]              # every entered item of the instrument
//! q1 = "…"
//!
//! [answers]            # wording of codes, if the licence words them too
//! very_much = "…"
//! ```

use std::{collections::BTreeMap, fmt::Write};

use instruments::{Instrument, ItemKind};
use serde::Serialize;
use terms::FormId;

use crate::{
    model::Study,
    names::suggest,
    tree::{self, Node},
    version::content_hash,
};

/// A pack that can be loaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ContentPack {
    /// The instrument's id.
    pub instrument: String,
    /// Language code.
    pub language: String,
    /// The version of the wording.
    pub version: String,
    /// The reference of the licence.
    pub licence: String,
    /// Wording by item.
    pub items: BTreeMap<String, String>,
    /// Wording by code of an answer.
    pub answers: BTreeMap<String, String>,
    /// SHA-256 of the pack's text, hex: the record names the pack by it.
    pub digest: String,
}

/// What is wrong with a pack.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PackFault {
    /// A line is no TOML.
    #[error("line {line}: {message}")]
    Toml {
        /// The line, from 1.
        line: usize,
        /// What the parser says.
        message: String,
    },
    /// A key that a pack needs is absent or empty.
    #[error("`{key}` is missing; write `{key} = \"…\"`")]
    Missing {
        /// The key.
        key: String,
    },
    /// A key that a pack does not have.
    #[error("a pack has no `{key}`{}", .help.as_ref().map(|help| format!(": {help}")).unwrap_or_default())]
    Unknown {
        /// The key, with the keys above it.
        key: String,
        /// What was perhaps meant.
        help: Option<String>,
    },
    /// No instrument has this id.
    #[error("no instrument is called `{instrument}`{}", .help.as_ref().map(|help| format!(": {help}")).unwrap_or_default())]
    Instrument {
        /// The name given.
        instrument: String,
        /// What was perhaps meant.
        help: Option<String>,
    },
    /// The instrument's wording is not licensed: its labels ship.
    #[error("`{instrument}` needs no pack: its labels ship with the program")]
    NotLicensed {
        /// The instrument.
        instrument: String,
    },
}

/// Reads a pack.
///
/// # Errors
/// All that is wrong with it.
pub fn read(text: &str) -> Result<ContentPack, Vec<PackFault>> {
    let tree = tree::parse(text);
    let mut faults: Vec<PackFault> = tree
        .broken
        .iter()
        .map(|broken| PackFault::Toml {
            line: text[..broken.span.start.min(text.len())].matches('\n').count() + 1,
            message: broken.message.clone(),
        })
        .collect();
    let root = &tree.root;
    for (key, _) in root.entries() {
        if !KEYS.contains(&key.text.as_str()) {
            let help = suggest(&key.text, KEYS.iter().copied());
            faults.push(PackFault::Unknown { key: key.text.clone(), help });
        }
    }
    let mut needed = |key: &str| {
        let value = root.get(key).and_then(Node::text).unwrap_or_default().trim().to_owned();
        if value.is_empty() {
            faults.push(PackFault::Missing { key: key.to_owned() });
        }
        value
    };
    let (name, language) = (needed("instrument"), needed("language"));
    let (version, licence) = (needed("version"), needed("licence"));
    let items = words(root, "items");
    let answers = words(root, "answers");
    match instruments::by_id(&name) {
        None if name.is_empty() => {}
        None => {
            let licensed = instruments::all().iter().filter(|one| one.needs_content_pack());
            let help = suggest(&name, licensed.map(|one| one.id()));
            faults.push(PackFault::Instrument { instrument: name.clone(), help });
        }
        Some(one) if !one.needs_content_pack() => {
            faults.push(PackFault::NotLicensed { instrument: name.clone() });
        }
        Some(one) => compare(one, &items, &answers, &mut faults),
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let digest = content_hash(&BTreeMap::from([("pack.toml".to_owned(), text.to_owned())]));
    Ok(ContentPack { instrument: name, language, version, licence, items, answers, digest })
}

const KEYS: &[&str] = &["instrument", "language", "version", "licence", "items", "answers"];

fn words(root: &Node, key: &str) -> BTreeMap<String, String> {
    let entries = root.get(key).map_or(&[][..], Node::entries);
    entries
        .iter()
        .map(|(key, node)| (key.text.clone(), node.text().unwrap_or_default().trim().to_owned()))
        .collect()
}

/// The pack words every entered item, and nothing that the instrument does not have.
fn compare(
    instrument: &dyn Instrument,
    items: &BTreeMap<String, String>,
    answers: &BTreeMap<String, String>,
    faults: &mut Vec<PackFault>,
) {
    let entered: Vec<&str> = entered(instrument).map(|item| item.id).collect();
    for id in &entered {
        if items.get(*id).is_none_or(String::is_empty) {
            faults.push(PackFault::Missing { key: format!("items.{id}") });
        }
    }
    for id in items.keys().filter(|id| !entered.contains(&id.as_str())) {
        let help = suggest(id, entered.iter().copied());
        faults.push(PackFault::Unknown { key: format!("items.{id}"), help });
    }
    let codes = codes(instrument);
    for code in answers.keys().filter(|code| !codes.contains(&code.as_str())) {
        let help = suggest(code, codes.iter().copied());
        faults.push(PackFault::Unknown { key: format!("answers.{code}"), help });
    }
}

fn entered(instrument: &dyn Instrument) -> impl Iterator<Item = &'static instruments::InstrumentItem> {
    instrument.items().iter().filter(|item| !item.derived)
}

fn codes(instrument: &dyn Instrument) -> Vec<&'static str> {
    let mut codes: Vec<&str> = entered(instrument)
        .filter_map(|item| match item.kind {
            ItemKind::Code(codes) => Some(codes.iter().map(|code| code.code)),
            _ => None,
        })
        .flatten()
        .collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}

/// Returns an empty pack to fill in, codes only; `None` if no such instrument needs one.
pub fn skeleton(instrument: &str, language: &str) -> Option<String> {
    let one = instruments::by_id(instrument).filter(|one| one.needs_content_pack())?;
    let mut text = format!(
        "# {}: wording under licence. Fill in every text.\ninstrument = \"{instrument}\"\nlanguage   = \"{language}\"\n\
         version    = \"\"\nlicence    = \"\"\n\n[items]\n",
        one.title().en,
    );
    for item in entered(one) {
        let _ = writeln!(text, "{} = \"\"", item.id);
    }
    let codes = codes(one);
    if !codes.is_empty() {
        text.push_str("\n[answers]\n");
        for code in codes {
            let _ = writeln!(text, "{code} = \"\"");
        }
    }
    Some(text)
}

/// A form that can't go live yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unworded {
    /// The form.
    pub form: FormId,
    /// Its instrument, whose wording is licensed.
    pub instrument: String,
    /// The language in which a pack is lacking: the study's main one.
    pub language: String,
}

/// Returns the pack that a form needs before it goes live, if it needs one.
pub fn needed_by(study: &Study, form: &str) -> Option<Unworded> {
    let form = study.form(form)?;
    let instrument = form.instrument.as_deref().and_then(instruments::by_id)?;
    instrument.needs_content_pack().then(|| Unworded {
        form: form.id.clone(),
        instrument: instrument.id().to_owned(),
        language: study.languages.first().cloned().unwrap_or_else(|| "en".to_owned()),
    })
}

/// Returns the forms of a study that can't go live with these packs (instrument and language).
pub fn unworded(study: &Study, has: impl Fn(&str, &str) -> bool) -> Vec<Unworded> {
    let forms = study.forms.iter().filter_map(|form| needed_by(study, form.id.as_str()));
    forms.filter(|needed| !has(&needed.instrument, &needed.language)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(instrument: &str) -> String {
        skeleton(instrument, "fr").unwrap().replace("\"\"", "\"texte\"")
    }

    #[test]
    fn a_skeleton_filled_in_is_a_pack() {
        for one in instruments::all().iter().filter(|one| one.needs_content_pack()) {
            let pack = read(&filled(one.id())).unwrap();
            assert_eq!((pack.instrument.as_str(), pack.language.as_str()), (one.id(), "fr"));
            assert_eq!(pack.digest.len(), 64);
        }
    }

    #[test]
    fn an_empty_skeleton_lacks_every_text() {
        let faults = read(&skeleton("dlqi", "fr").unwrap()).unwrap_err();
        let says: Vec<String> = faults.iter().map(ToString::to_string).collect();
        assert!(says.contains(&"`licence` is missing; write `licence = \"…\"`".to_owned()));
        assert!(says.contains(&"`items.q7_sub` is missing; write `items.q7_sub = \"…\"`".to_owned()));
    }

    #[test]
    fn what_the_instrument_does_not_have_is_named() {
        let says = |text: &str| {
            read(text).unwrap_err().iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
        };
        assert!(says(&filled("dlqi").replace("q10 =", "q11 =")).contains("items.q11"));
        assert!(says(&filled("dlqi").replace("a_lot =", "a_lott =")).contains("answers.a_lott"));
        assert!(
            says(&filled("dlqi").replace("\"dlqi\"", "\"dlqy\"")).contains("no instrument is called `dlqy`")
        );
        assert!(says(&filled("dlqi").replace("\"dlqi\"", "\"mrss\"")).contains("needs no pack"));
        assert!(says("instrument = \"dlqi\"\n= 3\n").contains("line 2"));
        assert_eq!(skeleton("mrss", "fr"), None);
    }
}
