//! Writes the sealed vault and envelopes that `reference/open_vault.py` opens.
//!
//!     cargo run -p allocation --example seal_reference > crates/allocation/reference/sealed.json

#[path = "../tests/it/rehearsal.rs"]
mod rehearsal;

use rehearsal::{key_of, placement, random, sealed};
use serde_json::json;

fn main() {
    let vault = sealed();
    let open = vault.unlock(&"p-pharmacist".into(), &key_of("p-pharmacist")).expect("the pharmacist unlocks");
    let mut stream = random(2);
    let mut envelope = |subject, stratum, position| {
        let allocated = open.allocate(&placement(subject, stratum, position), &mut stream);
        allocated.expect("the position exists").envelope
    };
    let envelopes = [envelope("01-001", "systemic", 1), envelope("02-001", "cutaneous", 5)];
    let keys: Vec<_> = (vault.holders().iter())
        .map(|holder| {
            let key = key_of(holder.person.as_str());
            json!({ "person": holder.person, "private_key": hex(key.expose()) })
        })
        .collect();
    let sealed = json!({ "vault": vault, "envelopes": envelopes, "keys": keys });
    println!("{}", serde_json::to_string_pretty(&sealed).expect("plain data"));
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
