//! Both stores pass the one suite.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use record::Environment;
use store::conformance::CASES;
use store::{MemoryStore, SqliteStore, Store};

fn run(make: impl Fn(&std::path::Path) -> Box<dyn Store>) {
    for (name, case) in CASES {
        println!("{name}");
        let folder = tempfile::tempdir().unwrap();
        let mut salts = ChaCha20Rng::seed_from_u64(7);
        case(make(folder.path()), folder.path(), &mut salts);
    }
}

#[test]
fn memory_conforms() {
    run(|_| Box::new(MemoryStore::new(Environment::Rehearsal)));
}

#[test]
fn sqlite_conforms() {
    run(|folder| Box::new(SqliteStore::create(&folder.join("store"), Environment::Rehearsal).unwrap()));
}
