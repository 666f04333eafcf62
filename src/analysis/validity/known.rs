//! Facts of one service.

use crate::{
    analysis::{Check, CheckKind, Row, Timeline},
    measure::ServiceRecord,
    scenario,
};

/// Facts of one service.
pub(super) struct Known<'a> {
    pub(super) record: &'a ServiceRecord,
    pub(super) service: &'a scenario::Service,
    pub(super) row: &'a Row,
    pub(super) timeline: &'a Timeline,
}

impl Known<'_> {
    pub(super) fn check(&self, kind: CheckKind, value: f64) -> Check {
        Check::new(kind, Some(self.record.name.clone()), value)
    }
}
