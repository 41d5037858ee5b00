//! A version of a study is its content hash.
//!
//! SHA-256 over the files in the order of (length of path, path), each as: length of path,
//! path, length of content, content. Lengths are 8 bytes, big-endian; paths use `/`; line
//! ends are normalised to a line feed, so that a checkout on another system is the same study.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

/// Returns the hash in hexadecimal.
pub fn content_hash(files: &BTreeMap<String, String>) -> String {
    let mut ordered: Vec<(String, String)> =
        files.iter().map(|(path, text)| (path.replace('\\', "/"), normalised(text))).collect();
    ordered.sort_by(|(a, _), (b, _)| (a.len(), a).cmp(&(b.len(), b)));
    let mut hash = Sha256::new();
    for (path, text) in &ordered {
        for part in [path.as_bytes(), text.as_bytes()] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns the text with line feeds only.
pub(crate) fn normalised(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> BTreeMap<String, String> {
        files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn the_hash_is_of_the_written_layout() {
        // printf '\0\0\0\0\0\0\0\1a\0\0\0\0\0\0\0\2x\n' | sha256sum
        let expected = "079a5b40a8af098d7064c9fccdabf51eedb66fdb245a4fec83813269d46991fb";
        assert_eq!(content_hash(&folder(&[("a", "x\n")])), expected);
    }

    #[test]
    fn line_ends_do_not_make_another_version() {
        assert_eq!(content_hash(&folder(&[("a", "x\r\ny\n")])), content_hash(&folder(&[("a", "x\ny\n")])));
    }

    #[test]
    fn moving_text_between_files_makes_another_version() {
        assert_ne!(
            content_hash(&folder(&[("a", "xy"), ("b", "")])),
            content_hash(&folder(&[("a", "x"), ("b", "y")]))
        );
        assert_ne!(content_hash(&folder(&[("a", "b")])), content_hash(&folder(&[("ab", "")])));
    }
}
