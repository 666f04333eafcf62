//! What goes to standard output, and how it may look there.

use std::{
    io::{self, IsTerminal, Write},
    path::Path,
};

use clap::{Args, ValueEnum};

use super::{exit::Failure, stderr};
use crate::{
    report::{self, Style},
    results::Ci,
};

/// How what is printed for people looks.
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
    pub(super) fn style(self) -> Style {
        Style { colour: self.color.on_stdout(), width: width(), verbose: self.verbose }
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

/// A document besides the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Document {
    /// The whole server as an operator would describe it: latency, resources, users, configuration, recommendations.
    Analysis,
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

/// Where the report is, in words.
pub(super) fn reported(folder: &Path) -> String {
    format!("\nReport: {}\n", shown(&folder.join(HTML)).display())
}

/// What is printed of a `plimsoll ci`.
pub(super) fn ci_text(ci: &Ci, format: Format, look: Look) -> String {
    match format {
        Format::Json => ci.to_json(),
        Format::Text => report::ci_terminal(ci, look.style()),
    }
}

/// Where the summary of a `plimsoll ci` is, in words.
pub(super) fn summarised(folder: &Path) -> String {
    format!("\nSummary: {}\n", shown(&folder.join(report::CI_SUMMARY)).display())
}

/// A path as short as it can be from here.
pub(super) fn shown(path: &Path) -> &Path {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(here).unwrap_or(path)
}

/// The report that people open.
const HTML: &str = "report.html";

/// The page of a document.
pub(super) fn page(style: Option<Document>) -> &'static str {
    match style {
        Some(Document::Analysis) => report::ANALYSIS_HTML,
        None => HTML,
    }
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
