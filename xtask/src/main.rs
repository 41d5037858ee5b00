//! The repository's own chores: `cargo run --package xtask -- check-layers`, `gallery` or `traceability`.

use std::process::ExitCode;

mod gallery;
mod layers;
mod traceability;

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
        Some("gallery") => match gallery::make(&layers::workspace_root()) {
            Ok(folder) => {
                println!("images of every page: {}", folder.display());
                ExitCode::SUCCESS
            }
            Err(fault) => {
                eprintln!("{fault}");
                ExitCode::FAILURE
            }
        },
        Some("traceability") => match traceability::write(&layers::workspace_root()) {
            Ok(shown) => {
                println!("{shown} requirements are shown by tests");
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
            eprintln!("usage: cargo run --package xtask -- check-layers | gallery | traceability");
            ExitCode::from(2)
        }
    }
}
