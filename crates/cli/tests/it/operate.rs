//! An installation in operation: backed up, restored, upgraded, packaged.

use std::{fs, path::Path, process::Command};

use crate::{root, run, served_kill::serve};

fn said(arguments: &[&str]) -> (bool, String) {
    let output = run(arguments);
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}

fn only(folder: &Path) -> String {
    let mut found = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let one = found.next().unwrap().display().to_string();
    assert!(found.next().is_none());
    one
}

#[test]
// Shows: A11-7.2, P11-10c, P11-10e-4
fn a_served_installation_is_backed_up_while_it_runs_restored_elsewhere_and_upgraded_on_a_copy_first() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (data, backups, key) = (path("data"), path("backups"), path("data/backup.key"));
    let mut served = serve(Path::new(&data));
    let (good, text) = said(&["backup", "--data", &data, "--to", &backups]);
    assert!(good && text.contains("Drew a key") && text.contains("imatinib-controlled: "), "{text}");
    let backup = only(Path::new(&backups));

    let (good, text) = said(&["restore", &backup, "--key", &key, "--verify"]);
    assert!(good && text.contains("The backup is good"), "{text}");
    assert_eq!(only(Path::new(&backups)), backup, "nothing is left of the trial");
    fs::write(path("other.key"), "00".repeat(32)).unwrap();
    let (good, text) = said(&["restore", &backup, "--key", &path("other.key"), "--verify"]);
    assert!(!good && text.contains("the key is another one"), "{text}");
    let (good, text) = said(&["restore", &backup, "--key", &key, "--to", &data]);
    assert!(!good && text.contains("is not empty"), "{text}");

    let elsewhere = path("elsewhere");
    let (good, text) = said(&["restore", &backup, "--key", &key, "--to", &elsewhere]);
    assert!(good, "{text}");
    let heads = |data: &str| {
        let record = format!("{data}/studies/imatinib-open");
        let (good, text) = said(&["verify", "--data", &record]);
        assert!(good, "{text}");
        text
    };
    assert_eq!(heads(&data), heads(&elsewhere));
    let mut again = serve(Path::new(&elsewhere));
    again.child.kill().unwrap();
    again.child.wait().unwrap();

    let upgrades = path("upgrades");
    let upgrade = ["upgrade", "--data", &data, "--backups", &upgrades];
    let (good, text) = said(&[&upgrade[..], &["--rehearse"]].concat());
    assert!(good && text.contains("The copy went well"), "{text}");
    let before = heads(&data);
    let (good, text) = said(&upgrade);
    assert!(!good && text.contains("in use by another process"), "{text}");
    served.child.kill().unwrap();
    served.child.wait().unwrap();
    let (good, text) = said(&upgrade);
    assert!(good && text.contains("Start the server"), "{text}");
    assert_eq!(heads(&data), before);
    // The copies are gone, the backups from before are kept.
    assert!(fs::read_dir(&upgrades).unwrap().all(|entry| entry.unwrap().path().is_file()));
}

#[test]
fn the_debian_package_holds_the_program_its_service_and_the_manual() {
    let out = tempfile::tempdir().unwrap();
    let made = Command::new(root().join("scripts/package"))
        .arg(env!("CARGO_BIN_EXE_equipoise"))
        .arg(out.path())
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let package = String::from_utf8(made.stdout).unwrap().trim().to_owned();
    let dpkg = |option: &str| {
        let output = Command::new("dpkg-deb").arg(option).arg(&package).output().unwrap();
        assert!(output.status.success());
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let listed = dpkg("--contents");
    for file in [
        "./usr/bin/equipoise",
        "./usr/lib/systemd/system/equipoise.service",
        "./etc/default/equipoise",
        "./usr/share/doc/equipoise/first-log-in.md",
        "./usr/share/equipoise/studies/imatinib-open/study.toml",
    ] {
        assert!(listed.lines().any(|line| line.ends_with(file)), "{file}:\n{listed}");
    }
    assert!(listed.lines().all(|line| line.contains("root/root")));
    assert!(dpkg("--info").contains(&format!("Version: {}", env!("CARGO_PKG_VERSION"))));
    let unpacked = out.path().join("unpacked");
    assert!(Command::new("dpkg-deb").arg("-x").arg(&package).arg(&unpacked).status().unwrap().success());
    let version = Command::new(unpacked.join("usr/bin/equipoise")).arg("--version").output().unwrap();
    assert!(version.status.success());
}
