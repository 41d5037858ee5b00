//! The languages of the interface. English stands in the pages; other languages translate it here.
//!
//! A study's own texts (labels, questions) come from its files in their languages, not from here.

use std::{collections::HashMap, sync::LazyLock};

/// French, as `English = French` lines.
const FRENCH: &str = include_str!("../languages/fr.txt");

static FRENCH_BY_ENGLISH: LazyLock<HashMap<&'static str, &'static str>> =
    LazyLock::new(|| FRENCH.lines().filter_map(|line| line.split_once(" = ")).collect());

/// Languages that pages speak, with their own names.
pub const LANGUAGES: &[(&str, &str)] = &[("en", "English"), ("fr", "Français")];

/// Returns a text of the interface in a language; in English where it has no translation.
pub fn translate<'a>(language: &str, english: &'a str) -> &'a str {
    match language {
        "fr" => FRENCH_BY_ENGLISH.get(english).copied().unwrap_or(english),
        _ => english,
    }
}

/// Returns the first language of an `Accept-Language` header that pages speak.
pub fn preferred(accepted: &str) -> &'static str {
    accepted
        .split(',')
        .filter_map(|part| {
            let tag = part.split([';', '-']).next()?.trim();
            LANGUAGES.iter().map(|(code, _)| *code).find(|code| *code == tag)
        })
        .next()
        .unwrap_or("en")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_browser_is_heard_in_its_order() {
        assert_eq!(preferred("fr-FR,fr;q=0.9,en;q=0.8"), "fr");
        assert_eq!(preferred("de,en-GB;q=0.7,fr;q=0.3"), "en");
        assert_eq!(preferred(""), "en");
    }

    /// Every `page.t("…")` of a template.
    fn texts() -> Vec<String> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/templates");
        let mut texts = Vec::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let template = std::fs::read_to_string(entry.unwrap().path()).unwrap();
            for part in template.split("page.t(\"").skip(1) {
                texts.push(part.split('"').next().unwrap().to_owned());
            }
        }
        texts
    }

    #[test]
    fn every_text_of_the_pages_has_its_french() {
        let missing: Vec<String> =
            texts().into_iter().filter(|text| !FRENCH_BY_ENGLISH.contains_key(text.as_str())).collect();
        assert!(missing.is_empty(), "add to languages/fr.txt:\n{}", missing.join("\n"));
    }

    #[test]
    fn no_translation_is_left_over_or_said_twice() {
        let lines = FRENCH.lines().filter(|line| !line.is_empty()).count();
        assert_eq!(lines, FRENCH_BY_ENGLISH.len(), "a line has no ` = `, or its English stands twice");
    }
}
