//! A value or free text that lies beside the chain.

use serde::{Deserialize, Serialize};

/// Something a participant's record says, which can be redacted without breaking the chain.
///
/// In JSON it is the object `{"$content": …}`, which the chain's encoding takes
/// out and replaces by `{"$cell": n}`, the number of the commitment that stands
/// for it. A redacted one is `{"$content": null}`; so the content itself is never null.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content<T> {
    #[serde(rename = "$content")]
    value: Option<T>,
}

impl<T> Content<T> {
    /// Wraps what is said.
    pub fn new(value: T) -> Self {
        Self { value: Some(value) }
    }

    /// Returns what is said, unless it was redacted.
    pub fn get(&self) -> Option<&T> {
        self.value.as_ref()
    }
}
