//! The repository's own chores: `cargo run --package xtask -- check-layers`.

use std::process::ExitCode;

mod layers;

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("check-layers") => match layers::check(&layers::workspace_root()) {
            Ok(crates) => {
                println!("{crates} crates depend downwards only");
                ExitCode::SUCCESS
            }
            Err(faults) => {
                for fault in faults {
                    eprintln!("{fault}");
                }
                ExitCode::FAILURE
            }
        },
        _ => {
            eprintln!("usage: cargo run --package xtask -- check-layers");
            ExitCode::from(2)
        }
    }
}
