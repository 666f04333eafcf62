//! Errors of a probe, in the words of the report.

use std::{io, time::Duration};

use thiserror::Error;

/// Reason of a failed probe.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ProbeError {
    /// Connection refused.
    #[error("connection refused")]
    Refused,
    /// Nothing came back in time.
    #[error("no answer within {} s", .0.as_secs_f64())]
    TimedOut(Duration),
    /// There is no such name.
    #[error("unknown host {host}: {reason}")]
    UnknownHost {
        /// The name.
        host: String,
        /// Error of the system.
        reason: String,
    },
    /// The system did not say in time whether there is such a name.
    #[error("no address for {host} within {} s", .patience.as_secs_f64())]
    SlowName {
        /// The name.
        host: String,
        /// The limit.
        patience: Duration,
    },
    /// The connection was closed or broken before there was an answer.
    #[error("connection closed before there was an answer")]
    Closed,
    /// An HTTP status other than the expected one.
    #[error("answered with status {status}{}", .expected.map(|expected| format!(", not {expected}")).unwrap_or_default())]
    Status {
        /// The status.
        status: u16,
        /// The expected one; `None` where any below 400 would do.
        expected: Option<u16>,
    },
    /// The answer is not HTTP.
    #[error("answered with something other than HTTP: {0}")]
    NotHttp(String),
    /// Anything else, in the system's words.
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
