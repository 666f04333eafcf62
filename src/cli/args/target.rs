//! The server that a command line names, and how it is used.

use std::{env, path::PathBuf};

use anyhow::anyhow;
use clap::{Args, builder::BoolishValueParser};

use crate::{
    cli::exit::Failure,
    scenario::TlsOptions,
    target::{PrivateTopology, Source, TargetUrl},
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
    /// Topology of the private target: `standalone`, `replica` (a primary with one replica), `sentinel` (a primary with two
    /// replicas and three Sentinels), or `cluster[:PRIMARIES[xREPLICAS]]`, with 3 primaries and 1 replica of each by default;
    /// default: standalone
    #[arg(long, value_name = "TOPOLOGY", help_heading = "Target")]
    topology: Option<PrivateTopology>,
    /// Have the servers of the private target listen with TLS only, with a CA and a certificate made for the command
    #[arg(long = "tls", help_heading = "Target")]
    private_tls: bool,
    #[command(flatten)]
    tls: TlsArgs,
}

/// TLS of the target. Each option comes before the field of that name in `[tls]` of the scenario.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct TlsArgs {
    /// File of CA certificates (PEM) that the server's certificate is checked with; default: `SSL_CERT_FILE`, or those of the
    /// system
    #[arg(long = "tls-ca", value_name = "FILE", env = "PLIMSOLL_TLS_CA", hide_env_values = true)]
    #[arg(help_heading = "Target")]
    ca: Option<PathBuf>,
    /// File of the client certificate (PEM), for servers that require one; needs --tls-key
    #[arg(long = "tls-cert", value_name = "FILE", env = "PLIMSOLL_TLS_CERT", hide_env_values = true)]
    #[arg(help_heading = "Target")]
    cert: Option<PathBuf>,
    /// File of the private key (PEM) of the client certificate
    #[arg(long = "tls-key", value_name = "FILE", env = "PLIMSOLL_TLS_KEY", hide_env_values = true)]
    #[arg(help_heading = "Target")]
    key: Option<PathBuf>,
    /// Name that the server's certificate is checked for, on every node; default: the host of the target
    #[arg(long = "tls-server-name", value_name = "NAME", env = "PLIMSOLL_TLS_SERVER_NAME", hide_env_values = true)]
    #[arg(help_heading = "Target")]
    server_name: Option<String>,
    /// Do not check the server's certificate; every report mentions it
    #[arg(long = "tls-insecure", env = "PLIMSOLL_TLS_INSECURE", hide_env_values = true)]
    #[arg(value_parser = BoolishValueParser::new(), help_heading = "Target")]
    insecure: bool,
}

impl TlsArgs {
    pub(in crate::cli) fn options(&self) -> TlsOptions {
        TlsOptions {
            ca: self.ca.clone(),
            cert: self.cert.clone(),
            key: self.key.clone(),
            server_name: self.server_name.clone(),
            insecure: self.insecure,
        }
    }

    /// Refuses options where no target is encrypted. A variable may be meant for other commands.
    pub(in crate::cli) fn check(&self, encrypted: bool) -> Result<(), Failure> {
        let given = [
            ("ca", self.ca.is_some()),
            ("cert", self.cert.is_some()),
            ("key", self.key.is_some()),
            ("server-name", self.server_name.is_some()),
            ("insecure", self.insecure),
        ];
        let is_set =
            |name: &str| env::var_os(format!("PLIMSOLL_TLS_{}", name.to_uppercase().replace('-', "_"))).is_some();
        match given.into_iter().find(|(name, given)| *given && !encrypted && !is_set(name)) {
            None => Ok(()),
            Some((name, _)) => Err(Failure::usage(anyhow!(
                "--tls-{name} applies to a target rediss://... or valkeys://... only: omit it, or use such a target"
            ))),
        }
    }
}

impl TargetArgs {
    /// The server.
    pub(in crate::cli) fn source(&self) -> Result<Source, Failure> {
        if self.is_private() {
            self.tls.check(false)?;
            let topology = self.topology.unwrap_or_default();
            let (server_bin, tls) = (self.server_bin.clone(), self.private_tls);
            return Ok(Source::Embedded { server_bin, topology, tls, config: Vec::new() });
        }
        let given = [("server-bin", self.server_bin.is_some()), ("topology", self.topology.is_some())];
        if let Some((name, _)) = given.into_iter().find(|(_, given)| *given) {
            return Err(Failure::usage(anyhow!(
                "--{name} applies to a private server only: omit it, or use --target {EMBEDDED}"
            )));
        }
        if self.private_tls {
            return Err(Failure::usage(anyhow!(
                "--tls applies to a private server only: omit it, and use a target rediss://... or valkeys://... for TLS"
            )));
        }
        source(&self.target, &self.tls)
    }

    /// TLS of the server.
    pub(in crate::cli) fn tls(&self) -> &TlsArgs {
        &self.tls
    }

    /// Whether the server is started for the command.
    pub(in crate::cli) fn is_private(&self) -> bool {
        self.target == EMBEDDED
    }

    /// Address of a server that runs already, as it was given: it may hold a password.
    pub(in crate::cli) fn address(&self) -> Option<&str> {
        (!self.is_private()).then_some(self.target.as_str())
    }

    /// Topology of the private server, if one is named.
    pub(in crate::cli) fn topology(&self) -> Option<PrivateTopology> {
        self.topology
    }

    /// Whether the private server listens with TLS.
    pub(in crate::cli) fn private_tls(&self) -> bool {
        self.private_tls
    }

    /// Program of the private server, if one is named.
    pub(in crate::cli) fn server_bin(&self) -> Option<&PathBuf> {
        self.server_bin.as_ref()
    }
}

/// A server that runs already, with its TLS.
pub(in crate::cli) fn source(url: &str, tls: &TlsArgs) -> Result<Source, Failure> {
    let url = address(url)?;
    tls.check(url.uses_tls())?;
    Ok(Source::Url(TargetUrl { tls: tls.options(), ..url }))
}

/// Address of a server that runs already. It is not parsed by clap, whose message would show the password.
pub(in crate::cli) fn address(url: &str) -> Result<TargetUrl, Failure> {
    let parsed = url.parse::<TargetUrl>().map_err(Failure::from);
    let of_variable = env::var_os(TARGET).is_some_and(|variable| variable == url);
    let named = |failure: Failure| {
        if of_variable { failure.within(&format!("environment variable {TARGET}")) } else { failure }
    };
    parsed.map_err(named)
}

/// What is printed before an unchecked server is used.
pub(in crate::cli) const INSECURE: &str = "warning: the server's certificate is not checked (--tls-insecure): another server \
                                           could answer in its place";

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
