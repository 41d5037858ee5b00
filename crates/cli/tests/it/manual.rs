//! The guide that the program carries.

use crate::{root, run};

#[test]
fn p11_10k_the_program_carries_the_guide_of_its_version_and_names_it() {
    let text = |arguments: &[&str]| {
        let output = run(arguments);
        assert!(output.status.success(), "{arguments:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let version = text(&["--version"]);
    let list = text(&["manual"]);
    // Both name the same release and the same guide.
    let digest = list.split("SHA-256 ").nth(1).unwrap().split_whitespace().next().unwrap();
    assert_eq!(version, format!("equipoise {} (manual {})\n", env!("CARGO_PKG_VERSION"), &digest[..16]));
    assert!(list.contains(&format!("equipoise {}", env!("CARGO_PKG_VERSION"))));
    let mut pages = 0;
    for entry in std::fs::read_dir(root().join("docs/user-guide")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        assert!(list.contains(&format!("  {name} ")), "{name}");
        assert_eq!(text(&["manual", &name]).trim_end(), std::fs::read_to_string(&path).unwrap().trim_end());
        pages += 1;
    }
    assert!(pages > 10);
    let none = run(&["manual", "nothing"]);
    assert_eq!(none.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&none.stderr).contains("has no page `nothing`"));
}
