//! Plans run on a made trial: numbers, exclusions, traces, and a second opinion from R.

mod made;
mod outcomes;
mod results;
mod stranger;
