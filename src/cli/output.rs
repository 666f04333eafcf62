//! What goes to standard output, and how it may look there.

use std::io::{self, IsTerminal, Write};

use clap::ValueEnum;

use super::exit::Failure;

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum Colour {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Form of what is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

/// Width of lines where there is no terminal to ask, in columns.
const DEFAULT_WIDTH: usize = 120;

impl Colour {
    /// Whether standard output is to be coloured.
    pub(super) fn on_stdout(self) -> bool {
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => !set("NO_COLOR") && !dumb() && io::stdout().is_terminal(),
        }
    }
}

/// Columns of the terminal that shows standard output.
pub(super) fn width() -> usize {
    console::Term::stdout().size_checked().map_or(DEFAULT_WIDTH, |(_, columns)| usize::from(columns))
}

/// Writes what was measured to standard output, or to standard error where that cannot be written: it is not lost with its results.
pub(super) fn tell(text: &str) -> Result<(), Failure> {
    print(text).inspect_err(|_| super::complain(text.trim_end()))
}

/// Writes to standard output. A reader that has seen enough, as `head` has, is no failure.
pub(super) fn print(text: impl AsRef<[u8]>) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_ref()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::usage(anyhow::Error::new(error).context("could not write to standard output")))
        }
        _ => Ok(()),
    }
}
