//! Arguments of a shard.

use std::env;

use anyhow::anyhow;
use clap::Args;
use jiff::Timestamp;

use super::number::of_environment;
use crate::{
    cli::exit::Failure,
    scenario::{Scenario, Shard},
    target::Source,
};

/// Part of a run that this process carries out.
#[derive(Debug, Args)]
pub(in crate::cli) struct ShardArgs {
    /// Send a part of the load only: shard I, from 0, of N processes that send it together; for `plimsoll merge`
    ///
    /// A shard neither writes nor removes data and does not observe the server. With --start-at alone, I and N come from the
    /// environment: `SLURM_PROCID` and `SLURM_NTASKS`, `JOB_COMPLETION_INDEX` and `PLIMSOLL_SHARDS`, `OMPI_COMM_WORLD_RANK` and
    /// `OMPI_COMM_WORLD_SIZE`, or `PMI_RANK` and `PMI_SIZE`.
    #[arg(long, value_name = "I/N", requires = "start_at", help_heading = "Shard")]
    shard: Option<Shard>,
    /// Instant at which all shards begin, such as `2026-02-14T03:17:00Z`, on the clock of the server
    ///
    /// A shard whose connections are not open by then ends with an error.
    #[arg(long, value_name = "INSTANT", env = "PLIMSOLL_START_AT", value_parser = instant, help_heading = "Shard")]
    #[arg(conflicts_with_all = ["at", "no_prefill", "keep_data", "no_keyspace_sampling", "client_cost", "no_observation"])]
    #[arg(conflicts_with_all = ["metrics", "baseline", "style", "server_bin", "topology", "private_tls", "format"])]
    start_at: Option<Timestamp>,
}

fn instant(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| "expected a date with time and zone, such as 2026-02-14T03:17:00Z".to_owned())
}

impl ShardArgs {
    /// Whether this process carries out a part only.
    pub(in crate::cli) fn is_wanted(&self) -> bool {
        self.start_at.is_some()
    }

    /// The shard and its start, in nanoseconds since 1970.
    pub(super) fn resolve(&self) -> Result<(Shard, i128), Failure> {
        let start = self.start_at.ok_or_else(|| Failure::usage(anyhow!("a shard needs --start-at")))?;
        let variable = |name: &str| env::var(name).ok();
        let shard = self.shard.map_or_else(|| of_environment(variable), Ok);
        Ok((shard.map_err(|reason| Failure::usage(anyhow!(reason)))?, start.as_nanosecond()))
    }

    /// Refuses what a shard cannot carry out.
    pub(super) fn check(scenario: &Scenario, source: &Source, shard: Shard) -> Result<(), Failure> {
        let usage = |reason: String| Err(Failure::usage(anyhow!(reason)));
        if matches!(source, Source::Embedded { .. }) {
            return usage("a shard needs a server that all shards reach: --target redis://...".to_owned());
        }
        for (what, is_there) in
            [("[[event]]", !scenario.events.is_empty()), ("[audit_writes]", scenario.audit_writes.is_some())]
        {
            if is_there {
                return usage(format!("{what} of the scenario is not carried out by shards: omit it"));
            }
        }
        scenario.divides_among(shard.of()).or_else(usage)
    }
}
