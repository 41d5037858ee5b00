//! Journeys of people in a browser, in `e2e/`. `scripts/set-up-tests` installs what they need.

use std::{path::Path, process::Command};

fn walk(names: &[&str]) {
    walk_in("journeys.mjs", names, None);
}

/// Walks by a script, perhaps with a folder of trials that are locked.
fn walk_in(script: &str, names: &[&str], locked: Option<&Path>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../e2e");
    let output = Command::new("node")
        .arg(script)
        .arg(env!("CARGO_BIN_EXE_equipoise"))
        .args(names)
        .envs(locked.map(|locked| ("LOCKED_TRIALS", locked)))
        .current_dir(folder)
        .output()
        .expect("node is installed by scripts/set-up-tests");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(said.matches(" ok ").count(), names.len(), "{said}");
}

const DAYS: [&str; 11] = [
    "coordinator",
    "skin",
    "assessor",
    "pharmacist",
    "pathologist",
    "monitor",
    "verification",
    "cleaning",
    "emergency",
    "signature",
    "closing",
];

#[test]
fn each_role_does_its_day_at_a_desk() {
    walk(&DAYS);
}

#[test]
fn each_role_does_its_day_without_scripts() {
    walk(&DAYS.map(|name| -> &'static str { format!("{name}:no-scripts").leak() }));
}

#[test]
fn the_same_on_a_telephone_and_at_four_hundred_percent() {
    walk(&[
        "coordinator:phone",
        "skin:phone",
        "coordinator:zoomed",
        "verification:zoomed",
        "emergency:phone",
        // After a correction, which takes a signature away, so that there is a visit to sign on any day.
        "signature:phone",
    ]);
}

#[cfg(feature = "passkeys")]
#[test]
fn a_passkey_logs_in_and_signs() {
    walk(&["passkey", "passkey:phone"]);
}

#[test]
fn an_empty_live_installation_comes_to_its_first_consent() {
    walk(&["golive"]);
}

#[test]
fn a_first_visit_is_entered_by_keyboard_alone() {
    walk(&["keyboard"]);
}

#[test]
fn int_1_the_second_of_two_editors_is_shown_what_changed() {
    walk(&["two-editors", "two-editors:no-scripts"]);
}

#[test]
fn no_page_of_any_role_has_a_serious_barrier() {
    walk(&["scans"]);
}

#[test]
fn the_explorer_is_moved_by_keyboard_on_a_telephone_and_without_a_server() {
    walk_in("explorer.mjs", &["keyboard", "live", "phone", "saved"], None);
}

#[test]
fn no_page_of_a_locked_trial_has_a_serious_barrier() {
    let folder = tempfile::tempdir().unwrap();
    let studies = folder.path().join("studies");
    let made =
        crate::run(&["demo", "--out", studies.to_str().unwrap(), "--seed", "1", "--no-pdf", "--no-story"]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    walk_in("journeys.mjs", &["locked"], Some(folder.path()));
}
