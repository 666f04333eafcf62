//! Evidence for checks and findings.

use super::{row::Row, silence::Silence, timeline::Timeline};
use crate::{results::Run, scenario::Scenario};

/// Evidence for checks and findings.
pub(super) struct Evidence<'a> {
    pub(super) run: &'a Run,
    pub(super) scenario: &'a Scenario,
    pub(super) rows: &'a [Row],
    pub(super) timelines: &'a [Timeline],
    pub(super) silences: &'a [Silence],
}
