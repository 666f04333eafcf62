//! An audit of a server without a run.

use crate::{
    analysis::audit::{Ruling, Subject},
    results::Software,
};

/// An audit of a server without a run.
#[derive(Debug, Clone, Copy)]
pub struct AuditReport<'a> {
    /// What was audited.
    pub subject: Subject<'a>,
    /// What came of it.
    pub rulings: &'a [Ruling],
    /// What audited.
    pub software: &'a Software,
    /// When, RFC 3339 in UTC.
    pub taken: &'a str,
}
