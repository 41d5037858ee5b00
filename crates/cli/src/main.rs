//! The `equipoise` command: one thing a command, a table for a person, and with
//! `--json` one document for a program.
//!
//! Exit status: 0 success, 1 findings (a broken study, a failed verification, a
//! refused action), 2 usage.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod archive;
mod commands;
mod coverage;
mod demo;
mod folder;
mod lines;
mod manual;
mod qualification;
mod rule_trace;
mod shipped;
mod simulate;
mod terminal;
mod traceability;

/// Runs a clinical trial from its protocol to its report.
#[derive(Parser)]
#[command(name = "equipoise", version = manual::version(), propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start a new study folder that passes `check`
    New(commands::new::Arguments),
    /// Compile a study, run the cases of its rules, print its schedule of activities
    Check(commands::check::Arguments),
    /// Print the JSON Schema of study files, for editors
    Schema,
    /// Run both shipped trials, or your own study, whole on virtual participants and print the results
    Demo(commands::demo::Arguments),
    /// Serve the pages in which a trial is run
    #[cfg(feature = "serve")]
    Serve(commands::serve::Arguments),
    /// Back an installation up into one encrypted file, while the server runs or not
    #[cfg(feature = "serve")]
    Backup(commands::backup::Arguments),
    /// Take an installation out of a backup, or see whether it could be
    #[cfg(feature = "serve")]
    Restore(commands::restore::Arguments),
    /// Try this version of the program on a copy of an installation, then bring the installation up to date
    #[cfg(feature = "serve")]
    Upgrade(commands::upgrade::Arguments),
    /// Empty one content of a record that should never have been entered, approved by a second person
    #[cfg(feature = "serve")]
    Redact(commands::redact::Arguments),
    /// Run a study's own plan on many virtual trials: power, error rates, bias, coverage
    Simulate(commands::simulate::Arguments),
    /// Calibrate inputs of a virtual cohort to published summaries, and report the misfit
    Fit(commands::fit::Arguments),
    /// Move sample size, effect and dropout on a page, and see the chance of rejecting follow
    Explore(commands::explore::Arguments),
    /// Run a study's plan on its locked record, or a plan alone on data sets that were made elsewhere
    Analyse(commands::analyse::Arguments),
    /// Write everything that a trial's record says into files that are read without this program
    Archive(commands::archive::Arguments),
    /// Recompute every hash of a record and name the first altered thing
    Verify(commands::verify::Arguments),
    /// Make and check content packs: licensed wording of questionnaires, by language and version
    Pack(commands::pack::Arguments),
    /// Run reference cases on the installed program and name every number that differs
    Qualify(commands::qualify::Arguments),
    /// Print the user guide of this version
    Manual(commands::manual::Arguments),
    /// Follow a number of a report to the rows and events behind it
    Trace(commands::trace::Arguments),
}

/// What a command found.
pub enum Outcome {
    /// All is well.
    Success,
    /// There are findings, and they have been printed.
    Findings,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match &cli.command {
        Command::New(arguments) => commands::new::run(arguments),
        Command::Check(arguments) => commands::check::run(arguments),
        Command::Schema => commands::schema::run(),
        Command::Demo(arguments) => commands::demo::run(arguments),
        #[cfg(feature = "serve")]
        Command::Serve(arguments) => commands::serve::run(arguments),
        #[cfg(feature = "serve")]
        Command::Backup(arguments) => commands::backup::run(arguments),
        #[cfg(feature = "serve")]
        Command::Restore(arguments) => commands::restore::run(arguments),
        #[cfg(feature = "serve")]
        Command::Upgrade(arguments) => commands::upgrade::run(arguments),
        #[cfg(feature = "serve")]
        Command::Redact(arguments) => commands::redact::run(arguments),
        Command::Simulate(arguments) => commands::simulate::run(arguments),
        Command::Fit(arguments) => commands::fit::run(arguments),
        Command::Explore(arguments) => commands::explore::run(arguments),
        Command::Analyse(arguments) => commands::analyse::run(arguments),
        Command::Archive(arguments) => commands::archive::run(arguments),
        Command::Verify(arguments) => commands::verify::run(arguments),
        Command::Pack(arguments) => commands::pack::run(arguments),
        Command::Qualify(arguments) => commands::qualify::run(arguments),
        Command::Manual(arguments) => commands::manual::run(arguments),
        Command::Trace(arguments) => commands::trace::run(arguments),
    };
    match outcome {
        Ok(Outcome::Success) => ExitCode::SUCCESS,
        Ok(Outcome::Findings) => ExitCode::from(1),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(1)
        }
    }
}
