//! The canonical bytes of an event.
//!
//! An event is written as compact JSON with sorted keys. Each content in it is
//! taken out, in the order of that text, into a cell of its own and replaced by
//! `{"$cell": n}`, n from 1. A cell is bound by a salted commitment, so that an
//! emptied cell leaves the event's hash as it was and tells nothing of what it held.
//! The layout, with a worked example, stands in `docs/record-format.md`.
//!
//! Nothing here orders events or knows which hash came before: that is the chain's.

use rand_core::CryptoRng;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use terms::{PartialDate, SiteId, SiteTime};

use crate::{Actor, Content, Event, Fact, FormKey, Hash, ItemChange, Stream, hash::Layout};

/// The length of a salt in bytes.
pub const SALT_LEN: usize = 32;

const CONTENT_KEY: &str = "$content";
const CELL_KEY: &str = "$cell";

/// Why an event can't be written, or its bytes can't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodingError {
    /// A number has no exact form; decimals are kept as text.
    #[error("the event holds the binary fraction {number}, which has no exact form")]
    Fraction {
        /// The number.
        number: String,
    },
    /// A name of the encoding's own stands in the event.
    #[error("the event uses the reserved name `{key}`")]
    ReservedKey {
        /// The name.
        key: String,
    },
    /// The body is not the JSON of an event of this version.
    #[error("the body is not an event: {detail}")]
    Body {
        /// What the reader says; a place and a type, never a content.
        detail: String,
    },
    /// The content of a cell is not JSON.
    #[error("the content of cell {cell} is not JSON")]
    Content {
        /// The cell, from 1.
        cell: u32,
    },
    /// The body names a cell that is not there.
    #[error("the body names cell {cell}, which is not there")]
    NoSuchCell {
        /// The cell, from 1.
        cell: u64,
    },
}

/// What a cell holds until it is redacted: the content's canonical JSON and its salt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// Random bytes that keep a short content from being guessed out of its commitment.
    pub salt: [u8; SALT_LEN],
    /// The content's canonical JSON.
    pub content: Vec<u8>,
}

impl Opening {
    /// Returns the salted commitment to the content.
    pub fn commitment(&self) -> Hash {
        commitment(&self.salt, &self.content)
    }
}

/// A content beside the chain, and the commitment that stands for it in the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The commitment.
    pub commitment: Hash,
    /// The content and its salt; none once redacted.
    pub opening: Option<Opening>,
}

/// An event as bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    /// Compact JSON with sorted keys, contents replaced by `{"$cell": n}`.
    pub body: Vec<u8>,
    /// The cells; cell n of the body is `cells[n - 1]`.
    pub cells: Vec<Cell>,
}

/// Returns the commitment to a content under a salt, of whatever length they are.
pub fn commitment(salt: &[u8], content: &[u8]) -> Hash {
    Layout::tagged("equipoise/record/commitment/1").bytes(salt).bytes(content).finish()
}

/// Returns the hash of an event from the hash before it, its body and its commitments.
pub fn event_hash<'a>(
    previous: &Hash,
    body: &[u8],
    commitments: impl ExactSizeIterator<Item = &'a Hash>,
) -> Hash {
    let layout =
        Layout::tagged("equipoise/record/event/1").hash(previous).bytes(body).count(commitments.len());
    commitments.fold(layout, Layout::hash).finish()
}

/// Writes an event as bytes; each content gets a salt of its own from `salts`.
///
/// A content that is already redacted stays in the body as `{"$content": null}`.
///
/// # Errors
/// The event holds something that has no canonical form.
pub fn encode(event: &Event, salts: &mut dyn CryptoRng) -> Result<Encoded, EncodingError> {
    let document =
        serde_json::to_value(event).map_err(|error| EncodingError::Body { detail: error.to_string() })?;
    let mut contents = Vec::new();
    let body = canonical(&take_contents(document, &mut contents)?)?;
    let cells = contents
        .iter()
        .map(|content| {
            let mut salt = [0; SALT_LEN];
            salts.fill_bytes(&mut salt);
            let opening = Opening { salt, content: canonical(content)? };
            Ok(Cell { commitment: opening.commitment(), opening: Some(opening) })
        })
        .collect::<Result<_, _>>()?;
    Ok(Encoded { body, cells })
}

impl Encoded {
    /// Returns the event's hash, given the hash before it.
    pub fn hash(&self, previous: &Hash) -> Hash {
        event_hash(previous, &self.body, self.cells.iter().map(|cell| &cell.commitment))
    }

    /// Reads the event back; a redacted cell becomes an empty content.
    ///
    /// # Errors
    /// The bytes are not those of an event.
    pub fn decode(&self) -> Result<Event, EncodingError> {
        if let Some(text) = self.spliced() {
            let saved = serde_json::from_slice::<SavedEvent>(&text).map(Event::from);
            if let Ok(event) = saved.or_else(|_| serde_json::from_slice(&text)) {
                return Ok(event);
            }
        }
        let body: Value = serde_json::from_slice(&self.body)
            .map_err(|error| EncodingError::Body { detail: error.to_string() })?;
        serde_json::from_value(self.fill(body)?)
            .map_err(|error| EncodingError::Body { detail: kind_of_error(&error) })
    }

    /// Puts the contents back into the text itself, which is several times quicker than by way of a tree of values. In canonical
    /// text `{"$cell":` stands for nothing but a cell, since a quotation mark within a text is escaped; what is not written so goes
    /// the longer way, and so does what turns out to be wrong, for its message.
    fn spliced(&self) -> Option<Vec<u8>> {
        const BEFORE: &[u8] = b"{\"";
        const AFTER: &[u8] = b"$cell\":";
        let contents = self.cells.iter().filter_map(|cell| cell.opening.as_ref());
        let length: usize = contents.map(|opening| opening.content.len() + CONTENT_KEY.len()).sum();
        let mut text = Vec::with_capacity(self.body.len() + length);
        let mut rest = &self.body[..];
        while let Some(at) = rest.iter().position(|byte| *byte == b'$') {
            let (before, from) = rest.split_at(at);
            let (Some(before), Some(number)) = (before.strip_suffix(BEFORE), from.strip_prefix(AFTER)) else {
                text.extend_from_slice(&rest[..=at]);
                rest = &rest[at + 1..];
                continue;
            };
            let digits = number.iter().position(|byte| !byte.is_ascii_digit())?;
            let cell: usize = std::str::from_utf8(&number[..digits]).ok()?.parse().ok()?;
            rest = number[digits..].strip_prefix(b"}")?;
            text.extend_from_slice(before);
            text.extend_from_slice(b"{\"$content\":");
            match &self.cells.get(cell.checked_sub(1)?)?.opening {
                Some(opening) => {
                    // One whole value, so that no content can pass for what stands around it.
                    serde_json::from_slice::<serde::de::IgnoredAny>(&opening.content).ok()?;
                    text.extend_from_slice(&opening.content);
                }
                None => text.extend_from_slice(b"null"),
            }
            text.push(b'}');
        }
        text.extend_from_slice(rest);
        Some(text)
    }

    fn fill(&self, value: Value) -> Result<Value, EncodingError> {
        Ok(match value {
            Value::Object(object) => match sole_member(&object, CELL_KEY) {
                Some(number) => json!({ CONTENT_KEY: self.content(number)? }),
                None => Value::Object(
                    object.into_iter().map(|(key, value)| Ok((key, self.fill(value)?))).collect::<Result<
                        Map<_, _>,
                        _,
                    >>(
                    )?,
                ),
            },
            Value::Array(values) => {
                Value::Array(values.into_iter().map(|value| self.fill(value)).collect::<Result<_, _>>()?)
            }
            plain => plain,
        })
    }

    fn content(&self, number: &Value) -> Result<Value, EncodingError> {
        let cell = number.as_u64().unwrap_or(0);
        let found = cell.checked_sub(1).and_then(|index| self.cells.get(usize::try_from(index).ok()?));
        match found.ok_or(EncodingError::NoSuchCell { cell })?.opening.as_ref() {
            None => Ok(Value::Null),
            Some(opening) => serde_json::from_slice(&opening.content)
                .map_err(|_| EncodingError::Content { cell: u32::try_from(cell).unwrap_or(u32::MAX) }),
        }
    }
}

/// An event that saves or corrects a form's section. Most events do, and they are the longest; what a fact is stands at its end, so that
/// a reader of facts of any kind keeps a tree of the whole before it knows. This one knows, and gives up at the first other name.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedEvent {
    sequence: u64,
    stream: Stream,
    position: u64,
    by: Actor,
    site: Option<SiteId>,
    happened: PartialDate,
    recorded: SiteTime,
    origin: String,
    study_version: String,
    reason: Option<Content<String>>,
    fact: SavedFact,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedFact {
    kind: SavedKind,
    key: FormKey,
    changes: Vec<ItemChange>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum SavedKind {
    FormSectionSaved,
    FormSectionCorrected,
}

impl From<SavedEvent> for Event {
    fn from(saved: SavedEvent) -> Self {
        let SavedEvent {
            sequence,
            stream,
            position,
            by,
            site,
            happened,
            recorded,
            origin,
            study_version,
            reason,
            fact,
        } = saved;
        let SavedFact { kind, key, changes } = fact;
        let fact = match kind {
            SavedKind::FormSectionSaved => Fact::FormSectionSaved { key, changes },
            SavedKind::FormSectionCorrected => Fact::FormSectionCorrected { key, changes },
        };
        Event {
            sequence,
            stream,
            position,
            by,
            site,
            happened,
            recorded,
            origin,
            study_version,
            reason,
            fact,
        }
    }
}

/// serde quotes the offending value in its message; it may be a content, so only the first words are kept.
fn kind_of_error(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split([':', '`', '"']).next().unwrap_or_default().trim().to_owned()
}

fn sole_member<'a>(object: &'a Map<String, Value>, key: &str) -> Option<&'a Value> {
    if object.len() == 1 { object.get(key) } else { None }
}

/// Takes each content out, in the order of the canonical text, and leaves its number.
fn take_contents(value: Value, contents: &mut Vec<Value>) -> Result<Value, EncodingError> {
    Ok(match value {
        Value::Object(mut object) => match sole_member(&object, CONTENT_KEY) {
            Some(Value::Null) => Value::Object(object),
            Some(_) => {
                contents.extend(object.remove(CONTENT_KEY));
                json!({ CELL_KEY: contents.len() })
            }
            None => {
                // Members in the order of their names' bytes, whichever map the JSON library was built with.
                let mut members: Vec<(String, Value)> = object.into_iter().collect();
                members.sort_by(|one, other| one.0.cmp(&other.0));
                let mut left = Map::new();
                for (key, value) in members {
                    if key == CELL_KEY || key == CONTENT_KEY {
                        return Err(EncodingError::ReservedKey { key });
                    }
                    left.insert(key, take_contents(value, contents)?);
                }
                Value::Object(left)
            }
        },
        Value::Array(values) => Value::Array(
            values.into_iter().map(|value| take_contents(value, contents)).collect::<Result<_, _>>()?,
        ),
        plain => plain,
    })
}

/// Returns compact JSON with sorted names.
fn canonical(value: &Value) -> Result<Vec<u8>, EncodingError> {
    let mut out = Vec::new();
    write_canonical(value, &mut out)?;
    Ok(out)
}

/// Members in the order of their names' bytes, whichever map the JSON library was built with.
fn sorted(object: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut members: Vec<_> = object.iter().collect();
    members.sort_by(|one, other| one.0.cmp(other.0));
    members
}

fn write_canonical(value: &Value, out: &mut Vec<u8>) -> Result<(), EncodingError> {
    match value {
        Value::Object(object) => {
            out.push(b'{');
            for (index, (key, value)) in sorted(object).into_iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_text(key, out);
                out.push(b':');
                write_canonical(value, out)?;
            }
            out.push(b'}');
        }
        Value::Array(values) => {
            out.push(b'[');
            for (index, value) in values.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_canonical(value, out)?;
            }
            out.push(b']');
        }
        Value::String(text) => write_text(text, out),
        Value::Number(number) if number.is_u64() || number.is_i64() => {
            out.extend_from_slice(number.to_string().as_bytes());
        }
        Value::Number(number) => return Err(EncodingError::Fraction { number: number.to_string() }),
        Value::Bool(truth) => out.extend_from_slice(if *truth { b"true" } else { b"false" }),
        Value::Null => out.extend_from_slice(b"null"),
    }
    Ok(())
}

fn write_text(text: &str, out: &mut Vec<u8>) {
    serde_json::to_writer(out, text).expect("writing a string to memory does not fail");
}
