//! The languages of the interface. English stands in the pages; other languages translate it here.
//!
//! A study's own texts (labels, questions) come from its files in their languages, not from here.

use std::{borrow::Cow, collections::HashMap, sync::LazyLock};

/// French, as `English = French` lines. `{name}` stands for any text, the same on both sides.
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

/// A sentence with gaps, and its translation.
struct Sentence {
    /// What stands between the gaps, in order; one more than there are gaps.
    literals: Vec<&'static str>,
    names: Vec<&'static str>,
    french: &'static str,
}

/// Sentences with gaps, those with the most words of their own first.
static SENTENCES: LazyLock<Vec<Sentence>> = LazyLock::new(|| {
    let with_gaps = FRENCH.lines().filter_map(|line| line.split_once(" = "));
    let mut all: Vec<Sentence> = with_gaps
        .filter(|(english, _)| english.contains('{'))
        .map(|(english, french)| {
            let (mut literals, mut names, mut rest) = (Vec::new(), Vec::new(), english);
            while let Some((before, after)) = rest.split_once('{') {
                let (name, after) = after.split_once('}').unwrap_or((after, ""));
                literals.push(before);
                names.push(name);
                rest = after;
            }
            literals.push(rest);
            Sentence { literals, names, french }
        })
        .collect();
    all.sort_by_key(|sentence| {
        std::cmp::Reverse(sentence.literals.iter().map(|part| part.len()).sum::<usize>())
    });
    all
});

impl Sentence {
    /// Returns what stands in the gaps, if the text is this sentence.
    fn gaps<'t>(&self, text: &'t str) -> Option<Vec<&'t str>> {
        let (last, others) = self.literals.split_last()?;
        let (first, between) = others.split_first()?;
        let mut rest = text.strip_prefix(first)?.strip_suffix(last)?;
        let mut gaps = Vec::new();
        for literal in between {
            let (gap, after) = rest.split_once(literal)?;
            gaps.push(gap);
            rest = after;
        }
        gaps.push(rest);
        Some(gaps)
    }
}

/// Returns a sentence in a language, where names, numbers and dates stand in it.
pub fn say<'a>(language: &str, english: &'a str) -> Cow<'a, str> {
    let exact = translate(language, english);
    if language != "fr" || exact != english {
        return Cow::Borrowed(exact);
    }
    for sentence in SENTENCES.iter() {
        if let Some(gaps) = sentence.gaps(english) {
            let pairs = sentence.names.iter().zip(gaps);
            let french = pairs.fold(sentence.french.to_owned(), |french, (name, gap)| {
                french.replace(&format!("{{{name}}}"), &say(language, gap))
            });
            return Cow::Owned(french);
        }
    }
    Cow::Borrowed(english)
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

    /// The string literals of a source, up to its tests and without comments.
    fn literals(source: &str) -> Vec<(usize, String)> {
        let source = source.split("#[cfg(test)]").next().unwrap_or_default();
        let mut found = Vec::new();
        let mut letters = source.char_indices().peekable();
        while let Some((at, letter)) = letters.next() {
            match letter {
                '/' if source[at..].starts_with("//") => {
                    while letters.next_if(|(_, next)| *next != '\n').is_some() {}
                }
                '\'' => {
                    // A character, or the beginning of a lifetime.
                    let quoted =
                        source[at + 1..].chars().next() == Some('"') && source[at + 2..].starts_with('\'');
                    if quoted {
                        letters.next();
                        letters.next();
                    }
                }
                '"' => {
                    let mut text = String::new();
                    while let Some((_, letter)) = letters.next() {
                        match letter {
                            '"' => break,
                            '\\' => match letters.next() {
                                Some((_, '\n')) => {
                                    while letters.next_if(|(_, next)| next.is_whitespace()).is_some() {}
                                }
                                Some((_, escaped)) => text.push(escaped),
                                None => {}
                            },
                            plain => text.push(plain),
                        }
                    }
                    found.push((at, text));
                }
                _ => {}
            }
        }
        found
    }

    /// Any gap is like another.
    fn nameless(text: &str) -> String {
        let mut parts = text.split('{');
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |text, part| text + "{}" + part.split_once('}').map_or("", |(_, after)| after))
    }

    fn read(path: &std::path::Path) -> String {
        std::fs::read_to_string(path).unwrap()
    }

    #[test]
    fn every_refusal_has_its_french() {
        let crates = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let known: Vec<String> = FRENCH_BY_ENGLISH.keys().map(|english| nameless(english)).collect();
        let mut missing = Vec::new();
        for file in ["conduct/src/refusal.rs", "access/src/policy.rs", "allocation/src/open_vault.rs"] {
            let source = read(&crates.join(file));
            let errors: Vec<usize> = source.match_indices("#[error(").map(|(at, _)| at).collect();
            let all = literals(&source);
            for at in errors {
                let after = |(place, _): &&(usize, String)| *place > at;
                // `transparent` says what another says.
                let Some((place, text)) = all.iter().find(after) else { continue };
                if source[at..*place].contains("transparent") {
                    continue;
                }
                let pattern = nameless(text);
                let parts: Vec<&str> = pattern.split("{}").collect();
                let fits = |english: &String| {
                    let mut rest = english.as_str();
                    parts.iter().all(|part| match rest.find(part) {
                        Some(at) => {
                            rest = &rest[at + part.len()..];
                            true
                        }
                        None => false,
                    })
                };
                // Where one gap follows another, the words that fill them are part of the sentence.
                let composed = pattern.ends_with("{}") || pattern.contains("{} {}");
                if !known.contains(&pattern) && !(composed && known.iter().any(fits)) {
                    missing.push(text.clone());
                }
            }
        }
        assert!(missing.is_empty(), "add to languages/fr.txt:\n{}", missing.join("\n"));
    }

    #[test]
    fn every_sentence_that_a_page_says_has_its_french() {
        let sources = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut files: Vec<_> =
            std::fs::read_dir(sources.join("pages")).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.extend(
            ["context.rs", "credentials.rs", "gate.rs", "manifest.rs"].map(|name| sources.join(name)),
        );
        let known: Vec<String> = FRENCH_BY_ENGLISH.keys().map(|english| nameless(english)).collect();
        let mut missing = Vec::new();
        for file in files {
            for (_, text) in literals(&read(&file)) {
                let sentence =
                    text.starts_with(|first: char| first.is_ascii_uppercase()) && text.ends_with('.');
                let said =
                    known.contains(&nameless(&text)) || known.contains(&format!("{{}} {}", nameless(&text)));
                if sentence && text.contains(' ') && !said {
                    missing.push(text);
                }
            }
        }
        assert!(missing.is_empty(), "add to languages/fr.txt:\n{}", missing.join("\n"));
    }

    #[test]
    fn a_sentence_is_said_with_what_stands_in_it() {
        assert_eq!(say("fr", "visit M1 was held already"), "la visite M1 a déjà été tenue");
        assert_eq!(
            say("fr", "visit M1 is frozen since 2009-03-14; the data manager can open it, with a reason"),
            "la visite M1 : données gelées depuis le 2009-03-14 ; le gestionnaire de données peut rouvrir, avec une raison"
        );
        assert_eq!(
            say("fr", "The kit is recorded as handed out. Hand out kit 1234."),
            "Le kit est enregistré comme remis. Remettez le kit 1234."
        );
        assert_eq!(say("en", "visit M1 was held already"), "visit M1 was held already");
        assert_eq!(say("fr", "nobody translates this"), "nobody translates this");
    }

    #[test]
    fn no_translation_is_left_over_or_said_twice() {
        let lines = FRENCH.lines().filter(|line| !line.is_empty()).count();
        assert_eq!(lines, FRENCH_BY_ENGLISH.len(), "a line has no ` = `, or its English stands twice");
    }
}
