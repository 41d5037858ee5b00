//! The files of a study as text, and places in them.
//!
//! Line and column count from 1; columns count characters, as editors do.
//! Nothing here reads a disk: the caller brings the text.

use std::{ops::Range, sync::Arc};

/// One file of a study folder.
#[derive(Debug)]
pub(crate) struct SourceFile {
    /// Its path in the folder, with `/`.
    pub(crate) path: String,
    /// Its text.
    pub(crate) text: Arc<str>,
}

/// A stretch of a file: the file's index and a range of bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) file: usize,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Place {
    pub(crate) fn new(file: usize, span: Range<usize>) -> Self {
        Self { file, start: span.start, end: span.end.max(span.start) }
    }

    /// Returns the part of this place from `start` to `end`, counted from its own start.
    pub(crate) fn part(&self, start: usize, end: usize) -> Self {
        let end = (self.start + end).min(self.end);
        Self { file: self.file, start: (self.start + start).min(end), end }
    }
}

impl SourceFile {
    /// Returns line and column of a byte.
    pub(crate) fn position(&self, byte: usize) -> (usize, usize) {
        let before = &self.text[..self.boundary(byte)];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }

    /// Returns the whole line around a byte.
    pub(crate) fn line(&self, byte: usize) -> &str {
        let byte = self.boundary(byte);
        let start = self.text[..byte].rfind('\n').map_or(0, |newline| newline + 1);
        let end = self.text[byte..].find('\n').map_or(self.text.len(), |newline| byte + newline);
        self.text[start..end].trim_end_matches('\r')
    }

    /// Returns the text of a range.
    pub(crate) fn slice(&self, span: Range<usize>) -> &str {
        let start = self.boundary(span.start);
        &self.text[start..self.boundary(span.end).max(start)]
    }

    fn boundary(&self, byte: usize) -> usize {
        let mut byte = byte.min(self.text.len());
        while !self.text.is_char_boundary(byte) {
            byte -= 1;
        }
        byte
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_lines_count_from_one() {
        let file = SourceFile { path: "a.toml".into(), text: "é = 1\nß = 2\n".into() };
        assert_eq!(file.position(0), (1, 1));
        assert_eq!(file.position(3), (1, 3));
        assert_eq!(file.position(7), (2, 1));
        assert_eq!(file.line(9), "ß = 2");
        assert_eq!(file.position(1), (1, 1), "the middle of a character belongs to it");
    }
}
