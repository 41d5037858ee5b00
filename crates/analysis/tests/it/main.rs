//! Plans run on a made trial: numbers, exclusions, traces, and a second opinion from R.

#![expect(clippy::unwrap_used, reason = "what these tests set up either holds or fails them")]

mod made;
mod outcomes;
mod repeated;
mod results;
mod stranger;
mod times;
