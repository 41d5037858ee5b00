//! Disabling any one rule makes a script fail.
//!
//! Rules that refuse are switched off at every refusal of every script ([`super::trial::Trial::refuses_command`]);
//! here it is held that each line that states a rule has refused somewhere. Rules by which
//! something follows are switched off one by one, and some script must fail.

use std::{
    collections::BTreeSet,
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

use super::trial::Seen;
use crate::rules::{Place, without};

type Script = (&'static str, fn() -> Seen);

fn scripts() -> Vec<Script> {
    [
        super::adverse_events::SCRIPTS,
        super::closing::SCRIPTS,
        super::dosing::SCRIPTS,
        super::forms::SCRIPTS,
        super::lock::SCRIPTS,
        super::out_of_order::SCRIPTS,
        super::safety_board::SCRIPTS,
        super::specimens::SCRIPTS,
        super::verification::SCRIPTS,
        super::visits::SCRIPTS,
        super::way_in::SCRIPTS,
    ]
    .concat()
}

/// What a rule is called by.
const RULES: &[&str] = &["need", "found"];

/// Returns the lines of the sources that call one of the names, outside the functions that only pass the
/// place of their own caller on, and those functions.
fn lines_calling(names: &BTreeSet<String>) -> (BTreeSet<Place>, BTreeSet<String>) {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut places, mut passing) = (BTreeSet::new(), BTreeSet::new());
    for entry in fs::read_dir(sources).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !name.ends_with(".rs") || name == "rules.rs" {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let mut skipping: Option<String> = None;
        let mut tracked = false;
        for (number, line) in (1..).zip(text.lines()) {
            let code = line.split("//").next().unwrap_or_default();
            if code.contains("#[cfg_attr(test, track_caller)]") {
                tracked = true;
            } else if tracked && code.contains("fn ") {
                tracked = false;
                let indent = &line[..line.len() - line.trim_start().len()];
                skipping = Some(format!("{indent}}}"));
                let after = code.split("fn ").nth(1).unwrap_or_default();
                passing.insert(after.split(['(', '<']).next().unwrap_or_default().to_owned());
            } else if skipping.as_deref() == Some(line) {
                skipping = None;
            } else if skipping.is_none() && !code.contains("fn ") && calls(code, names) {
                places.insert((name.clone(), number));
            }
        }
    }
    (places, passing)
}

fn calls(code: &str, names: &BTreeSet<String>) -> bool {
    names.iter().any(|name| {
        code.match_indices(&format!("{name}("))
            .any(|(at, _)| !code[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_'))
    })
}

#[test]
// Shows: P11-10f, E6-4.2.6
fn every_line_that_states_a_rule_refuses_in_some_script() {
    let seen: BTreeSet<Place> = scripts().into_iter().flat_map(|(_, script)| script().refusing).collect();
    let (_, passing) = lines_calling(&BTreeSet::new());
    let follows = ["follow".to_owned(), "deviate".to_owned()];
    let names: BTreeSet<String> = RULES
        .iter()
        .map(|name| (*name).to_owned())
        .chain(passing.into_iter().filter(|name| !follows.contains(name)))
        .collect();
    let (stated, _) = lines_calling(&names);
    let missed: Vec<_> = stated.difference(&seen).map(|(file, line)| format!("{file}:{line}")).collect();
    assert!(missed.is_empty(), "{} of {} rules refuse in no script: {missed:#?}", missed.len(), stated.len());
}

#[test]
// A signature's becoming void is one of them.
// Shows: P11-70
fn every_rule_by_which_something_follows_is_missed_when_it_is_gone() {
    let scripts = scripts();
    let seen: Vec<(Script, Seen)> = scripts.into_iter().map(|script| (script, script.1())).collect();
    let followed: BTreeSet<Place> = seen.iter().flat_map(|(_, seen)| seen.following.clone()).collect();
    let (stated, _) = lines_calling(&["follow", "deviate"].map(str::to_owned).into());
    let never: Vec<_> = stated.difference(&followed).collect();
    assert!(never.is_empty(), "nothing follows by {never:?} in any script");
    std::panic::set_hook(Box::new(|_| {}));
    let mut unmissed = Vec::new();
    for place in &stated {
        let using = seen.iter().filter(|(_, seen)| seen.following.contains(place));
        let missed = using
            .into_iter()
            .any(|((_, script), _)| without(place, || catch_unwind(AssertUnwindSafe(script)).is_err()));
        if !missed {
            unmissed.push(place);
        }
    }
    let _ = std::panic::take_hook();
    assert!(unmissed.is_empty(), "no script fails without what follows by {unmissed:?}");
}
