//! The harness.

use clap::Args;

use super::number::whole;

/// Size of the harness.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct HarnessArgs {
    /// Number of threads that send requests; default: one per core, less one for a server on this machine
    #[arg(long, value_name = "N", value_parser = whole::<u16>(1..=65_535), help_heading = "Harness")]
    pub(in crate::cli) workers: Option<u16>,
}
