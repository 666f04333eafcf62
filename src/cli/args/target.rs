//! The server that a command line names.

use std::path::PathBuf;

use anyhow::anyhow;

use crate::{
    cli::exit::Failure,
    target::{Source, TargetUrl},
};

/// Environment variable that stands for `--target`.
pub(in crate::cli) const TARGET: &str = "PLIMSOLL_TARGET";

/// Word for a private server.
pub(in crate::cli) const EMBEDDED: &str = "embedded";

/// The server that a command line names.
pub(in crate::cli) fn source(target: &str, server_bin: Option<PathBuf>) -> Result<Source, Failure> {
    if target == EMBEDDED {
        return Ok(Source::Embedded { server_bin, config: Vec::new() });
    }
    if server_bin.is_some() {
        return Err(Failure::usage(anyhow!(
            "--server-bin is for a private server; leave it out, or give --target {EMBEDDED}"
        )));
    }
    // Not parsed by clap, whose message would show the password.
    target.parse::<TargetUrl>().map(Source::Url).map_err(Failure::usage)
}
