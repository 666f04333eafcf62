//! Format and style of standard output.

use std::{
    io::{self, IsTerminal, Write},
    path::Path,
};

use clap::{Args, ValueEnum};

use super::{exit::Failure, stderr};
use crate::report::{self, Document};

/// Style of printed text: colour, width, verbosity.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct Look {
    /// When to use colour; `auto` asks the terminal and honours `NO_COLOR`
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t)]
    color: Colour,
    /// Print the details of a result as well, not its summary only
    #[arg(long, short, global = true)]
    verbose: bool,
}

impl Look {
    /// The style of a report on standard output.
    pub(super) fn style(self) -> report::Style {
        report::Style { colour: self.color.on_stdout(), width: width(), verbose: self.verbose }
    }
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum Colour {
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

/// A second form of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Style {
    /// With sections for the operator of the server: benchmarks, latency by kind of command, users, configuration, scaling.
    Analysis,
}

impl Style {
    /// Name of its page.
    pub(super) fn page(self) -> &'static str {
        match self {
            Self::Analysis => "analysis.html",
        }
    }
}

/// Width of lines where there is no terminal to ask, in columns.
const DEFAULT_WIDTH: usize = 120;

impl Colour {
    /// Whether standard output is to be coloured.
    fn on_stdout(self) -> bool {
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
fn width() -> usize {
    console::Term::stdout().size_checked().map_or(DEFAULT_WIDTH, |(_, columns)| usize::from(columns))
}

/// Prints a result, and its folder if there is one.
pub(super) fn summary(
    document: &dyn Document,
    format: Format,
    look: Look,
    folder: Option<&Path>,
    style: Option<Style>,
) -> String {
    if let (Format::Json, Some(json)) = (format, document.json()) {
        return json;
    }
    let mut text = document.terminal(look.style());
    if let Some(folder) = folder {
        let page = document.page();
        let title = if page == "report.html" { "Report" } else { "Summary" };
        text = format!("{text}\n{title}: {}\n", shown(&folder.join(page)).display());
        if let Some(style) = style {
            text = format!("{text}Analysis: {}\n", shown(&folder.join(style.page())).display());
        }
    }
    text
}

/// A path as short as it can be from here.
fn shown(path: &Path) -> &Path {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(here).unwrap_or(path)
}

/// Writes what was measured to standard output, or to standard error where that cannot be written: it is not lost with its results.
pub(super) fn tell(text: &str) -> Result<(), Failure> {
    print(text).inspect_err(|_| stderr::print(text.trim_end()))
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
