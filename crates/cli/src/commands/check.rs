//! `equipoise check`: compiles a study and says everything that is wrong with it.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde_json::json;

use crate::terminal::say;
use crate::{Outcome, folder};

/// What `check` takes.
#[derive(Args)]
pub struct Arguments {
    /// The study's folder
    #[arg(value_name = "STUDY")]
    study: PathBuf,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Checks a study folder.
///
/// # Errors
/// The folder can't be read.
pub fn run(arguments: &Arguments) -> Result<Outcome> {
    let files = folder::read(&arguments.study)?;
    match protocol::compile(&files) {
        Ok(compiled) => {
            let study = &compiled.study;
            if arguments.json {
                let document = json!({
                    "id": study.id,
                    "version": study.version,
                    "errors": [],
                    "warnings": compiled.warnings,
                    "schedule": protocol::schedule_table(study),
                });
                say!("{document:#}");
                return Ok(Outcome::Success);
            }
            for warning in &compiled.warnings {
                eprintln!("{warning}\n");
            }
            say!("{} ({})", study.title.en(), study.id);
            say!("version {}\n", study.version);
            say!("{}", protocol::schedule_table(study));
            say!(
                "\n{} forms, {} eligibility rules, {} analyses; {} warnings",
                study.forms.len(),
                study.eligibility.len(),
                study.plan.analyses.len(),
                compiled.warnings.len()
            );
            Ok(Outcome::Success)
        }
        Err(errors) => {
            if arguments.json {
                say!("{:#}", json!({ "errors": errors }));
            } else {
                for error in &errors {
                    eprintln!("{error}\n");
                }
                eprintln!("{} errors", errors.len());
            }
            Ok(Outcome::Findings)
        }
    }
}
