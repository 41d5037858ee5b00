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

/// Misspells these names in one run and returns those that are not reported.
fn unreported<'r>(
    files: &BTreeMap<String, String>,
    names: impl Iterator<Item = (usize, &'r Reference)>,
) -> (Vec<(usize, &'r Reference)>, Vec<Diagnostic>) {
    let mut broken = files.clone();
    let names: Vec<(usize, &Reference)> = names.collect();
    for (salt, reference) in &names {
        misspell(&mut broken, reference, *salt);
    }
    let errors = compile(&broken).err().unwrap_or_default();
    (names.into_iter().filter(|(_, reference)| !is_reported(&errors, reference)).collect(), errors)
}

/// Misspells all names of a study, many in one run; names that other slips hide are tried again among fewer, then alone.
fn check_all(name: &str) {
    let files = study(name);
    let references = compile(&files).unwrap().references;
    let mut open: Vec<(usize, &Reference)> = references.iter().enumerate().collect();
    for runs in [20, 20, 20] {
        let hidden = |run: usize| unreported(&files, open.iter().copied().skip(run).step_by(runs)).0;
        open = (0..runs).flat_map(hidden).collect();
    }
    let mut said = Vec::new();
    for one in &open {
        let (missed, errors) = unreported(&files, std::iter::once(*one));
        if !missed.is_empty() {
            let errors: Vec<String> = errors.iter().take(3).map(ToString::to_string).collect();
            said.push(format!("{:?}\n{}", one.1, errors.join("\n")));
        }
    }
    assert!(said.is_empty(), "{} of {}:\n{}", said.len(), references.len(), said.join("\n\n"));
    assert!(
        open.len() * 20 < references.len(),
        "{} of {} names had to be tried alone",
        open.len(),
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
