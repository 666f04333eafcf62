//! The server that a command line names, and how it is used.

use std::{env, path::PathBuf};

use anyhow::anyhow;
use clap::Args;

use crate::{
    cli::exit::Failure,
    target::{Source, TargetUrl},
};

/// Environment variable that stands for `--target`.
pub(in crate::cli) const TARGET: &str = "PLIMSOLL_TARGET";

/// Word for a private server.
pub(in crate::cli) const EMBEDDED: &str = "embedded";

/// Server that a command works on.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct TargetArgs {
    /// Server: `redis://user:password@host:port/db`, `rediss://...`, `unix:///path`, or `embedded` for a private server that
    /// is started for the command
    ///
    /// Other users of this machine can see the command line. Pass a password in the environment variable or in the scenario
    /// (`password = { env = "..." }`).
    #[arg(long, value_name = "URL", env = TARGET, hide_env_values = true, default_value = EMBEDDED)]
    #[arg(help_heading = "Target")]
    target: String,
    /// Program of the private server; default: redis-server or valkey-server on PATH
    #[arg(long, value_name = "FILE", help_heading = "Target")]
    server_bin: Option<PathBuf>,
}

impl TargetArgs {
    /// The server.
    pub(in crate::cli) fn source(&self) -> Result<Source, Failure> {
        if self.is_private() {
            return Ok(Source::Embedded { server_bin: self.server_bin.clone(), config: Vec::new() });
        }
        if self.server_bin.is_some() {
            return Err(Failure::usage(anyhow!(
                "--server-bin applies to a private server only: omit it, or use --target {EMBEDDED}"
            )));
        }
        address(&self.target)
    }

    /// Whether the server is started for the command.
    pub(in crate::cli) fn is_private(&self) -> bool {
        self.target == EMBEDDED
    }

    /// Address of a server that runs already, as it was given: it may hold a password.
    pub(in crate::cli) fn address(&self) -> Option<&str> {
        (!self.is_private()).then_some(self.target.as_str())
    }

    /// Program of the private server, if one is named.
    pub(in crate::cli) fn server_bin(&self) -> Option<&PathBuf> {
        self.server_bin.as_ref()
    }
}

/// A server that runs already. The address is not parsed by clap, whose message would show the password.
pub(in crate::cli) fn address(url: &str) -> Result<Source, Failure> {
    let parsed = url.parse::<TargetUrl>().map_err(Failure::from);
    let of_variable = env::var_os(TARGET).is_some_and(|variable| variable == url);
    let named = |failure: Failure| {
        if of_variable { failure.within(&format!("environment variable {TARGET}")) } else { failure }
    };
    parsed.map(Source::Url).map_err(named)
}

/// Consent to load a server of another machine.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct ConsentArgs {
    /// Load a target on another machine without confirmation
    #[arg(long, help_heading = "Target")]
    pub(in crate::cli) yes: bool,
}

/// Sampling of a server's keys.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct SamplingArgs {
    /// Do not sample the server's keys; reports then lack memory by type and prefix
    ///
    /// Without this option sampling takes at most 3 s: after a load, a twentieth of the length of the run, but at least 0.5 s.
    #[arg(long, help_heading = "Target")]
    pub(in crate::cli) no_keyspace_sampling: bool,
}
