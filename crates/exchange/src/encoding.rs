//! Text encodings of formats that do not say theirs.

use std::borrow::Cow;

/// The encoding of text in CSV and XPT files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Encoding {
    /// UTF-8, and so ASCII.
    #[default]
    Utf8,
    /// Windows-1252, as SAS writes on Windows in the West.
    Windows1252,
    /// ISO 8859-1.
    Latin1,
}

/// Characters of the bytes 0x80 to 0x9F in Windows-1252; five stand for none.
const WINDOWS_1252: [Option<char>; 32] = [
    Some('€'),
    None,
    Some('‚'),
    Some('ƒ'),
    Some('„'),
    Some('…'),
    Some('†'),
    Some('‡'),
    Some('ˆ'),
    Some('‰'),
    Some('Š'),
    Some('‹'),
    Some('Œ'),
    None,
    Some('Ž'),
    None,
    None,
    Some('‘'),
    Some('’'),
    Some('“'),
    Some('”'),
    Some('•'),
    Some('–'),
    Some('—'),
    Some('˜'),
    Some('™'),
    Some('š'),
    Some('›'),
    Some('œ'),
    None,
    Some('ž'),
    Some('Ÿ'),
];

impl Encoding {
    /// Reads an encoding's name.
    pub fn named(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "utf-8" | "utf8" | "ascii" | "us-ascii" => Some(Encoding::Utf8),
            "windows-1252" | "cp1252" | "wlatin1" => Some(Encoding::Windows1252),
            "latin-1" | "latin1" | "iso-8859-1" => Some(Encoding::Latin1),
            _ => None,
        }
    }

    /// Returns its name.
    pub fn name(self) -> &'static str {
        match self {
            Encoding::Utf8 => "UTF-8",
            Encoding::Windows1252 => "Windows-1252",
            Encoding::Latin1 => "ISO 8859-1",
        }
    }

    /// Reads text; none if the bytes are not of this encoding.
    pub(crate) fn decode(self, bytes: &[u8]) -> Option<Cow<'_, str>> {
        if bytes.is_ascii() || self == Encoding::Utf8 {
            return std::str::from_utf8(bytes).ok().map(Cow::Borrowed);
        }
        let character = |byte: &u8| match byte {
            0x80..=0x9F if self == Encoding::Windows1252 => WINDOWS_1252[usize::from(*byte - 0x80)],
            byte => Some(char::from(*byte)),
        };
        bytes.iter().map(character).collect::<Option<String>>().map(Cow::Owned)
    }
}

#[test]
fn a_curly_apostrophe_of_windows_is_read() {
    assert_eq!(Encoding::Windows1252.decode(b"Alzheimer\x92s").as_deref(), Some("Alzheimer’s"));
    assert_eq!(Encoding::Utf8.decode(b"Alzheimer\x92s"), None);
    assert_eq!(Encoding::Windows1252.decode(b"\x81"), None);
    assert_eq!(Encoding::Latin1.decode(b"\xe9t\xe9").as_deref(), Some("été"));
}
