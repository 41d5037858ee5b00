//! The user guide that the program carries: that of its own version, whatever lies elsewhere on the machine.

use std::{collections::BTreeMap, sync::LazyLock};

/// Each page's name and text, in order of names.
pub const PAGES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/manual.rs"));

/// Returns the SHA-256 over the pages' names and texts: it names the guide of this program.
pub fn digest() -> &'static str {
    static DIGEST: LazyLock<String> = LazyLock::new(|| {
        let pages: BTreeMap<String, String> =
            PAGES.iter().map(|(name, text)| (format!("{name}.md"), (*text).to_owned())).collect();
        protocol::content_hash(&pages)
    });
    &DIGEST
}

/// Returns what `--version` says: the program's version, and which guide belongs to it.
pub fn version() -> &'static str {
    static VERSION: LazyLock<String> =
        LazyLock::new(|| format!("{} (manual {})", env!("CARGO_PKG_VERSION"), &digest()[..16]));
    &VERSION
}
