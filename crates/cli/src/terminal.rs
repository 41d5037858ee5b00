//! What is said on standard output. A reader that has seen enough (`… | head`) ends the program quietly.

use std::{
    fmt::Arguments,
    io::{ErrorKind, Write, stdout},
    process,
};

/// Prints a line. Takes what `println!` takes.
macro_rules! say {
    ($($text:tt)*) => {
        $crate::terminal::line(format_args!($($text)*))
    };
}
pub(crate) use say;

/// Prints a line; see [`say`].
pub fn line(text: Arguments<'_>) {
    let mut out = stdout().lock();
    match out.write_fmt(text).and_then(|()| out.write_all(b"\n")) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::BrokenPipe => process::exit(0),
        Err(error) => {
            eprintln!("error: standard output can't be written: {error}");
            process::exit(1);
        }
    }
}
