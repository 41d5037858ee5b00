//! A progress bar for a person; nothing where nobody looks.

use std::io::IsTerminal;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// The bars of all studies.
pub struct Progress {
    bars: MultiProgress,
    shown: bool,
}

/// One study's bar.
pub struct StudyProgress {
    bar: ProgressBar,
}

impl Progress {
    /// Shows bars if standard error is a terminal and `wanted`.
    pub fn new(wanted: bool) -> Self {
        Self { bars: MultiProgress::new(), shown: wanted && std::io::stderr().is_terminal() }
    }

    /// Adds a study's bar.
    pub fn study(&self, name: &str) -> StudyProgress {
        if !self.shown {
            return StudyProgress { bar: ProgressBar::hidden() };
        }
        let bar = self.bars.add(ProgressBar::new(1));
        let style = ProgressStyle::with_template("{prefix:22} {bar:30} {msg}").expect("the template is ours");
        bar.set_style(style);
        bar.set_prefix(name.to_owned());
        StudyProgress { bar }
    }
}

impl StudyProgress {
    /// Participants who are through, of all.
    pub fn participants(&self, through: u64, all: u64) {
        self.bar.set_length(all);
        self.bar.set_position(through);
        self.bar.set_message(format!("{through} of {all} participants through"));
    }

    /// Says what is being done.
    pub fn step(&self, what: &str) {
        self.bar.set_message(what.to_owned());
    }

    /// Done.
    pub fn done(&self) {
        self.bar.finish_with_message("done");
    }
}
