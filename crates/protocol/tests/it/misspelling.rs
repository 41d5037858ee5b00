//! Misspelling any name by one letter gives an error at that very place, which offers the right one.

use std::collections::BTreeMap;

use protocol::{Diagnostic, Reference, compile};

use crate::study;

/// Replaces one letter of a name by another, so that places stay as they are.
fn misspell(files: &mut BTreeMap<String, String>, reference: &Reference, salt: usize) {
    let text = files.get_mut(&reference.file).unwrap();
    let letters: Vec<usize> = reference
        .name
        .char_indices()
        .filter(|(_, c)| c.is_ascii_alphanumeric() || *c == '%')
        .map(|(at, _)| at)
        .collect();
    let at = reference.span.start + letters[salt % letters.len()];
    let slip = match &text[at..=at] {
        "z" => "q",
        _ => "z",
    };
    text.replace_range(at..=at, slip);
}

fn is_reported(errors: &[Diagnostic], reference: &Reference) -> bool {
    errors.iter().any(|error| {
        error.file == reference.file
            && error.span == reference.span
            && error.help.as_ref().is_some_and(|help| help.contains(&format!("`{}`", reference.name)))
    })
}

/// Misspells all names of a study, many in one run; a name that another slip hides is tried again alone.
fn check_all(name: &str) {
    const RUNS: usize = 50;
    let files = study(name);
    let references = compile(&files).unwrap().references;
    let mut alone: Vec<(usize, &Reference)> = Vec::new();
    for run in 0..RUNS {
        let chosen: Vec<(usize, &Reference)> =
            references.iter().enumerate().skip(run).step_by(RUNS).collect();
        let mut broken = files.clone();
        for (salt, reference) in &chosen {
            misspell(&mut broken, reference, *salt);
        }
        let errors = compile(&broken).err().unwrap_or_default();
        alone.extend(chosen.into_iter().filter(|(_, reference)| !is_reported(&errors, reference)));
    }
    let mut unreported = Vec::new();
    for (salt, reference) in &alone {
        let mut broken = files.clone();
        misspell(&mut broken, reference, *salt);
        let errors = compile(&broken).err().unwrap_or_default();
        if !is_reported(&errors, reference) {
            let said: Vec<String> = errors.iter().take(3).map(ToString::to_string).collect();
            unreported.push(format!("{reference:?}\n{}", said.join("\n")));
        }
    }
    assert!(
        unreported.is_empty(),
        "{} of {}:\n{}",
        unreported.len(),
        references.len(),
        unreported.join("\n\n")
    );
    assert!(
        alone.len() * 5 < references.len(),
        "{} of {} names had to be tried alone",
        alone.len(),
        references.len()
    );
}

#[test]
fn every_misspelt_name_of_the_open_trial_is_reported_where_it_stands() {
    check_all("imatinib-open");
}

#[test]
fn every_misspelt_name_of_the_controlled_trial_is_reported_where_it_stands() {
    check_all("imatinib-controlled");
}
