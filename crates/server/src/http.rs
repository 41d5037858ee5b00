//! Requests and replies, free of any web framework, so that every page can be asked for in a test.

use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
    net::IpAddr,
};

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

/// A file that came with a form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Upload {
    /// Its name as the browser says it, without folders.
    pub name: String,
    /// What is in it.
    pub content: Vec<u8>,
}

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
    /// The file that came with it, if one did.
    pub upload: Option<Upload>,
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

/// Parts of a form with a file; what a page of this server sends has three.
const PARTS_MAX: usize = 64;

/// Reads a form of the kind `multipart/form-data`: its fields, and the first file in it. None if it is cut off, is none, or has more
/// parts than any page sends.
pub fn parse_multipart(body: &[u8], boundary: &str) -> Option<(Fields, Option<Upload>)> {
    let delimiter = format!("--{boundary}");
    let find = |from: usize, what: &[u8]| {
        body.get(from..)?.windows(what.len()).position(|window| window == what).map(|at| from + at)
    };
    let between = format!("\r\n{delimiter}");
    let mut fields = form_urlencoded::Serializer::new(String::new());
    let mut upload = None;
    let mut left = PARTS_MAX;
    let mut at = if body.starts_with(delimiter.as_bytes()) { delimiter.len() } else { return None };
    loop {
        match body.get(at..at + 2)? {
            b"--" => break,
            b"\r\n" if left > 0 => at += 2,
            _ => return None,
        }
        left -= 1;
        let head_end = find(at, b"\r\n\r\n")?;
        let head = std::str::from_utf8(&body[at..head_end]).ok()?;
        let content_end = find(head_end + 4, between.as_bytes())?;
        let content = &body[head_end + 4..content_end];
        let disposition =
            head.lines().find(|line| line.to_ascii_lowercase().starts_with("content-disposition:"))?;
        let quoted = |name: &str| {
            let (_, after) = disposition.split_once(&format!("; {name}=\""))?;
            after.split('"').next()
        };
        let name = quoted("name")?;
        match quoted("filename") {
            Some(file) if upload.is_none() => {
                let own = file.rsplit(['/', '\\']).next().unwrap_or_default();
                let own: String = own.chars().filter(|letter| !letter.is_control()).collect();
                upload = Some(Upload { name: own.trim().to_owned(), content: content.to_vec() });
            }
            Some(_) => {}
            None => {
                fields.append_pair(name, std::str::from_utf8(content).ok()?);
            }
        }
        at = content_end + between.len();
    }
    Some((
        Fields::parse(fields.finish().as_bytes()),
        upload.filter(|upload: &Upload| !upload.name.is_empty()),
    ))
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

    /// A file that somebody attached: kept by the browser, never shown or run as part of these pages, whatever it holds.
    pub fn attachment(name: &str, content_type: &'static str, body: Vec<u8>) -> Self {
        let plain: String = name
            .chars()
            .map(
                |letter| if letter.is_ascii_alphanumeric() || ".-_ ".contains(letter) { letter } else { '_' },
            )
            .collect();
        let whole = segment(name);
        Self::of(200, content_type, body).with(
            "content-disposition",
            format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{whole}"),
        )
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
    Segment(text).to_string()
}

/// One segment of a path, encoded as it is written.
pub struct Segment<'a>(pub &'a str);

impl fmt::Display for Segment<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
        // A course of visits has some hundred paths, whose segments are ids: nearly all are plain.
        if self.0.bytes().all(plain) {
            return f.write_str(self.0);
        }
        for byte in self.0.bytes() {
            if plain(byte) { f.write_char(char::from(byte))? } else { write!(f, "%{byte:02X}")? }
        }
        Ok(())
    }
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
    fn a_form_with_a_file_is_read_and_a_broken_one_is_none() {
        let body = b"--xyz\r\nContent-Disposition: form-data; name=\"form-token\"\r\n\r\nabc=&d\r\n--xyz\r\n\
            Content-Disposition: form-data; name=\"file\"; filename=\"C:\\scans\\a b.pdf\"\r\n\
            Content-Type: application/pdf\r\n\r\n%PDF\r\n\x00--xy\r\n--xyz--\r\n";
        let (fields, upload) = parse_multipart(body, "xyz").unwrap();
        assert_eq!(fields.get("form-token"), "abc=&d");
        assert_eq!(upload.unwrap(), Upload { name: "a b.pdf".into(), content: b"%PDF\r\n\x00--xy".to_vec() });
        for cut in 0..body.len() - 4 {
            assert_eq!(parse_multipart(&body[..cut], "xyz"), None, "{cut}");
        }
        assert_eq!(parse_multipart(body, "other"), None);
        let none =
            b"--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"\"\r\n\r\n\r\n--x--\r\n";
        assert_eq!(parse_multipart(none, "x").unwrap().1, None);
        let part = "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n";
        let of = |parts: usize| parse_multipart(format!("{}--x--\r\n", part.repeat(parts)).as_bytes(), "x");
        assert_eq!(of(PARTS_MAX).unwrap().0.iter().count(), PARTS_MAX);
        assert_eq!(of(PARTS_MAX + 1), None);
    }

    #[test]
    fn fields_keep_line_breaks_and_drop_other_control_characters() {
        let fields = Fields::parse(b"a=1%0D%0A2%00%07&b=+x+&a=3");
        assert_eq!(fields.iter().next(), Some(("a", "1\n2")));
        assert_eq!((fields.get("b"), fields.get("c")), ("x", ""));
        assert_eq!(fields.with(&[("a", "")]), "b=+x+");
    }
}
