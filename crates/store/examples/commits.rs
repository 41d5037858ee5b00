//! Measures durable commits per second on the disk of a folder.
//!
//! `cargo run --release -p store --example commits -- FOLDER` appends saved forms of two contents each,
//! several to a commit, to a store that it makes in FOLDER and leaves there; then it verifies that store.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a measurement reads a clock and stops at any error"
)]

use std::path::PathBuf;
use std::time::Instant;

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use record::Environment;
use store::conformance::forms;
use store::{SqliteStore, Writer, verify};

fn main() {
    let folder = PathBuf::from(std::env::args().nth(1).expect("the folder is the one argument"));
    let store = SqliteStore::create(&folder, Environment::Rehearsal).unwrap();
    let mut writer = Writer::new(Box::new(store)).unwrap();
    let mut salts = ChaCha20Rng::seed_from_u64(7);
    let mut before = 0;
    println!("events per commit   commits/s    events/s");
    for (events, commits) in [(1, 300), (10, 200), (100, 100), (1000, 20)] {
        let start = Instant::now();
        for _ in 0..commits {
            // Each event stands for one command, so that the writer's own work is in the measure.
            for _ in 0..events {
                writer.stage(forms(1, before, 1), &mut salts).unwrap();
                before += 1;
            }
            writer.commit().unwrap();
        }
        let seconds = start.elapsed().as_secs_f64();
        let per_second = f64::from(commits) / seconds;
        println!("{events:>17} {per_second:>11.0} {:>11.0}", per_second * f64::from(events));
    }
    let start = Instant::now();
    let report = verify(&folder, Some(writer.head().hash)).unwrap();
    assert_eq!(report.first_fault, None);
    println!("verify: {} events in {:.2} s", report.events, start.elapsed().as_secs_f64());
    let start = Instant::now();
    let read = writer.store().read(1).unwrap().len();
    println!("read:   {read} events in {:.2} s", start.elapsed().as_secs_f64());
}
