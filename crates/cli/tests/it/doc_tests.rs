//! The examples in the documentation comments, run so that the summary of all tests counts them.

use std::process::Command;

use crate::root;

#[test]
fn the_examples_in_the_documentation_hold() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["test", "--doc", "--workspace", "--release", "--locked", "--quiet"])
        .current_dir(root())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
}
