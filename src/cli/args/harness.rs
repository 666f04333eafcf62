//! The harness.

use clap::Args;

use super::number::whole;

/// Size of the harness.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct HarnessArgs {
    /// Threads that put on the load; by default one per core, one core left to a server on this machine
    #[arg(long, value_name = "N", value_parser = whole::<u16>(1..=65_535), help_heading = "Harness")]
    pub(in crate::cli) workers: Option<u16>,
}
