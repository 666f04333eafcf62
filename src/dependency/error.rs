//! Errors of a probe, in the words of the report.

use std::{io, time::Duration};

use thiserror::Error;

/// Reason of a failed probe.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[expect(missing_docs, reason = "each message says what its variant and its fields mean")]
pub enum ProbeError {
    #[error("connection refused")]
    Refused,
    #[error("no answer within {} s", .0.as_secs_f64())]
    TimedOut(Duration),
    #[error("unknown host {host}: {reason}")]
    UnknownHost { host: String, reason: String },
    #[error("no address for {host} within {} s", .patience.as_secs_f64())]
    SlowName { host: String, patience: Duration },
    #[error("connection closed before the answer")]
    Closed,
    #[error("answered with status {status}{}", .expected.map(|expected| format!(", not {expected}")).unwrap_or_default())]
    Status { status: u16, expected: Option<u16> },
    #[error("answered with something other than HTTP: {0}")]
    NotHttp(String),
    #[error("{0}")]
    Other(String),
}

impl ProbeError {
    /// Classifies a socket error of a probe with a time limit.
    pub(super) fn of_socket(error: &io::Error, patience: Duration) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Self::Refused,
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => Self::TimedOut(patience),
            io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::UnexpectedEof => Self::Closed,
            _ => Self::Other(error.to_string()),
        }
    }
}
