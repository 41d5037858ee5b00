//! Journeys of people in a browser, in `e2e/`. `scripts/set-up-tests` installs what they need.

use std::{fs, path::Path, process::Command};

use record::Environment;
use simulation::{ConductedTrial, Custody, Nobody, Rehearsal, streams::Streams};
use store::SqliteStore;
use tempfile::TempDir;

use crate::study_files;

fn walk(names: &[&str]) {
    walk_in("journeys.mjs", names, &[]);
}

/// Walks by a script, perhaps with folders of trials that have come further than a training copy, by what the script calls them.
fn walk_in(script: &str, names: &[&str], trials: &[(&str, &Path)]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../e2e");
    let output = Command::new("node")
        .arg(script)
        .arg(env!("CARGO_BIN_EXE_equipoise"))
        .args(names)
        .envs(trials.iter().copied())
        .current_dir(folder)
        .output()
        .expect("node is installed by scripts/set-up-tests");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(said.matches(" ok ").count(), names.len(), "{said}");
}

/// How far trials have come.
#[derive(Clone, Copy, PartialEq)]
enum Come {
    /// The record is open, roles are delegated and the list is sealed; nobody was asked for consent.
    ToNobody,
    /// Over for everyone; the slides are still to be read.
    ToTheEnd,
    /// The slides are read, and everything is signed that investigators sign.
    ToTheLock,
}

/// Both trials in an installation's folder, as far as they have come.
fn trials(come: Come) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for id in ["imatinib-open", "imatinib-controlled"] {
        let files = study_files(id);
        let study = protocol::compile(&files).unwrap().study;
        let own = folder.path().join("studies").join(id);
        for (name, text) in &files {
            let path = own.join("study").join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let streams = Streams::new(7);
        let custody = study.allocation.as_ref().map(|plan| Custody::seal(&study, plan, &streams).unwrap());
        let vault = custody.as_ref().map(|custody| custody.unlock().unwrap());
        let list = custody.as_ref().map(|custody| custody.open_list().unwrap());
        let store = SqliteStore::create(&own.join("record"), Environment::Rehearsal).unwrap();
        let (vault, list) = (vault.as_ref(), list.as_ref());
        let mut trial =
            ConductedTrial::begin(&study, &streams, Box::new(store), vault, list, &Nobody).unwrap();
        let mut rehearsal = Rehearsal::new(&study, streams, &mut trial);
        rehearsal.open(7).unwrap();
        if let Some(custody) = &custody {
            rehearsal.seal_and_supply(custody).unwrap();
        }
        let last = (come != Come::ToNobody).then(|| rehearsal.run().unwrap().last_day);
        if let Some(last) = last.filter(|_| come == Come::ToTheLock) {
            rehearsal.read_specimens(last).unwrap();
            rehearsal.sign_casebooks(last).unwrap();
        }
        trial.commit().unwrap();
    }
    folder
}

/// What each role does in both trials.
const BOTH: [&str; 7] = ["coordinator", "skin", "assessor", "pharmacist", "monitor", "pathologist", "lock"];
/// What needs to be seen in one.
const ONE: [&str; 4] = ["verification", "cleaning", "emergency", "signature"];

/// Walks through both trials in a way of coming to the pages.
fn walk_through_both(way: &str, further: &[&str]) {
    walk_through(way, |_| &["A", "B"], further);
}

/// Walks each role's day in one of the trials, in the other one in the next of these ways; in both in a full campaign.
fn walk_through_either(way: &str, first: usize, further: &[&str]) {
    let full = std::env::var("EQUIPOISE_CAMPAIGN").is_ok_and(|campaign| campaign == "full");
    let turns: [&'static [&'static str]; 2] = [&["A"], &["B"]];
    walk_through(way, |place| if full { &["A", "B"] } else { turns[(first + place) % 2] }, further);
}

/// Walks each role's day in the trials named for its place in the list.
fn walk_through(way: &str, trials_of: impl Fn(usize) -> &'static [&'static str], further: &[&str]) {
    let (unread, over) = (trials(Come::ToTheEnd), trials(Come::ToTheLock));
    let mut names = Vec::new();
    for (place, name) in BOTH.iter().enumerate() {
        names.extend(trials_of(place).iter().map(|trial| format!("{name}@{trial}:{way}")));
    }
    names.extend(further.iter().map(|name| format!("{name}:{way}")));
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let trials = [("UNREAD_TRIALS", unread.path()), ("FINISHED_TRIALS", over.path())];
    walk_in("journeys.mjs", &names, &trials);
}

#[test]
fn each_role_does_its_day_at_a_desk() {
    walk_through_both("desk", &[&ONE[..], &["golive"]].concat());
}

#[test]
fn each_role_does_its_day_without_scripts() {
    walk_through_both("no-scripts", &[&ONE[..], &["golive"]].concat());
}

#[test]
fn each_role_does_its_day_on_a_telephone() {
    // A correction takes a signature away, so that there is a visit to sign on any day.
    walk_through_either("phone", 0, &["verification", "emergency", "signature", "golive"]);
}

#[cfg(feature = "passkeys")]
#[test]
fn a_passkey_logs_in_and_signs() {
    walk(&["passkey", "passkey:phone"]);
}

#[test]
fn each_role_does_its_day_at_four_hundred_percent() {
    walk_through_either("zoomed", 1, &["verification", "golive"]);
}

#[test]
fn each_role_does_its_day_by_keyboard_alone() {
    walk_through_either("keyboard", 0, &["verification", "golive"]);
}

#[test]
fn int_1_the_second_of_two_editors_is_shown_what_changed() {
    walk(&["two-editors", "two-editors:no-scripts"]);
}

#[test]
fn no_page_of_any_role_has_a_serious_barrier() {
    walk_in("journeys.mjs", &["scans"], &[("EMPTY_TRIALS", trials(Come::ToNobody).path())]);
}

#[test]
fn the_explorer_is_moved_by_keyboard_on_a_telephone_and_without_a_server() {
    walk_in("explorer.mjs", &["keyboard", "live", "phone", "saved"], &[]);
}

#[test]
fn no_page_of_a_locked_trial_has_a_serious_barrier() {
    let folder = tempfile::tempdir().unwrap();
    let studies = folder.path().join("studies");
    let made =
        crate::run(&["demo", "--out", studies.to_str().unwrap(), "--seed", "1", "--no-pdf", "--no-story"]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    walk_in("journeys.mjs", &["locked"], &[("LOCKED_TRIALS", folder.path())]);
}
