//! What can go wrong with saved runs.

use super::SCHEMA_VERSION;

/// Why a run could not be saved or read.
#[derive(Debug, thiserror::Error)]
pub enum ResultsError {
    /// Text that is no saved run.
    #[error("not a saved run: {0}")]
    Malformed(#[source] serde_json::Error),
    /// Written by a later version.
    #[error(
        "schema version {found} is newer than version {SCHEMA_VERSION}, which this build reads; use the plimsoll that \
         wrote it or a later one"
    )]
    Newer {
        /// Version that was found.
        found: u32,
    },
    /// Written by an earlier version.
    #[error(
        "schema version {found} is older than version {SCHEMA_VERSION}, which this build reads; use the plimsoll that \
         wrote it, or run the scenario again"
    )]
    Older {
        /// Version that was found.
        found: u32,
    },
}
