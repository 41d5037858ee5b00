//! Requests and replies, free of any web framework, so that every page can be asked for in a test.

use std::{collections::BTreeMap, net::IpAddr};

/// The method of a request. Others are refused at the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// Reads.
    Get,
    /// Changes.
    Post,
}

/// Names and values of a query string or a form, in the order in which they came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields(Vec<(String, String)>);

/// A request.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The path, decoded a segment at a time by the route table.
    pub path: String,
    /// What the path's placeholders stand for.
    pub params: BTreeMap<&'static str, String>,
    /// The query string.
    pub query: Fields,
    /// The form of a POST.
    pub form: Fields,
    /// Cookies by name.
    pub cookies: BTreeMap<String, String>,
    /// `Origin`, `Host` and `Sec-Fetch-Site`, where the browser sent them.
    pub origin: Option<String>,
    /// The host that the browser asked.
    pub host: Option<String>,
    /// Where the request began, as the browser says.
    pub fetch_site: Option<String>,
    /// Whether a part of a page was asked for.
    pub partial: bool,
    /// The languages that the browser asks for.
    pub languages: String,
    /// The peer's network address.
    pub address: IpAddr,
    /// The nonce of this answer's content policy.
    pub nonce: String,
}

/// A reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The kind of content.
    pub content_type: &'static str,
    /// Further headers.
    pub headers: Vec<(&'static str, String)>,
    /// The content.
    pub body: Vec<u8>,
}

impl Fields {
    /// Reads `a=1&b=2`. Control characters other than line breaks and tabs are dropped: no item holds one.
    pub fn parse(text: &[u8]) -> Self {
        let clean = |text: &str| {
            let kept = |letter: &char| !letter.is_control() || matches!(letter, '\n' | '\t');
            text.replace("\r\n", "\n").chars().filter(kept).collect::<String>()
        };
        Self(form_urlencoded::parse(text).map(|(name, value)| (clean(&name), clean(&value))).collect())
    }

    /// Returns the first value of a name, trimmed; empty if there is none.
    pub fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.trim())
    }

    /// Says whether the name came at all.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known == name)
    }

    /// Returns all values of a name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.trim())
    }

    /// Returns names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Writes them back as a query string, with some names replaced.
    pub fn with(&self, changes: &[(&str, &str)]) -> String {
        let mut text = form_urlencoded::Serializer::new(String::new());
        for (name, value) in self
            .iter()
            .filter(|(name, value)| !value.is_empty() && !changes.iter().any(|(changed, _)| changed == name))
        {
            text.append_pair(name, value);
        }
        for (name, value) in changes.iter().filter(|(_, value)| !value.is_empty()) {
            text.append_pair(name, value);
        }
        text.finish()
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Fields {
    fn from(pairs: [(&str, &str); N]) -> Self {
        Self(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }
}

impl Request {
    /// Returns what a placeholder of the path stands for; empty if the path has none of that name.
    pub fn param(&self, name: &str) -> &str {
        self.params.get(name).map_or("", String::as_str)
    }

    /// Says whether a change may have been started by another site.
    pub fn is_foreign(&self) -> bool {
        if self.fetch_site.as_deref().is_some_and(|site| !matches!(site, "same-origin" | "none")) {
            return true;
        }
        match (&self.origin, &self.host) {
            (Some(origin), Some(host)) => {
                origin.split_once("://").is_none_or(|(_, of)| !of.eq_ignore_ascii_case(host))
            }
            (Some(_), None) => true,
            (None, _) => false,
        }
    }
}

impl Reply {
    /// A page.
    pub fn page(html: String) -> Self {
        Self::of(200, "text/html; charset=utf-8", html.into_bytes())
    }

    /// Any content.
    pub fn of(status: u16, content_type: &'static str, body: Vec<u8>) -> Self {
        Self { status, content_type, headers: Vec::new(), body }
    }

    /// Sends the browser on after a change, with GET.
    pub fn see(path: &str) -> Self {
        Self::of(303, "text/plain; charset=utf-8", Vec::new()).with("location", path.to_owned())
    }

    /// A file to keep.
    pub fn download(name: &str, content_type: &'static str, body: Vec<u8>) -> Self {
        Self::of(200, content_type, body)
            .with("content-disposition", format!("attachment; filename=\"{name}\""))
    }

    /// Adds a header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Changes the status.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }
}

/// Encodes one segment of a path.
pub fn segment(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

/// Decodes one segment of a path; none if it is no text.
pub fn decode_segment(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let hex = [rest.next()?, rest.next()?];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&hex).ok()?, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok().filter(|text| !text.chars().any(char::is_control))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_comes_back_as_it_was() {
        for text in ["05-003", "a/b", "é ü", "100%", "..", "<b>"] {
            assert_eq!(decode_segment(&segment(text)).as_deref(), Some(text));
        }
        for broken in ["%", "%4", "%zz", "%ff", "%00"] {
            assert_eq!(decode_segment(broken), None, "{broken}");
        }
    }

    #[test]
    fn fields_keep_line_breaks_and_drop_other_control_characters() {
        let fields = Fields::parse(b"a=1%0D%0A2%00%07&b=+x+&a=3");
        assert_eq!(fields.iter().next(), Some(("a", "1\n2")));
        assert_eq!((fields.get("b"), fields.get("c")), ("x", ""));
        assert_eq!(fields.with(&[("a", "")]), "b=+x+");
    }
}
