//! Reads of services that read from replicas, by the role of the node that served them.

use super::{
    layout::Outline,
    nodes::{NodeLoad, loads},
    row::Scope,
    tally::RequestLimit,
};
use crate::{
    measure::{SeriesRecord, SeriesRole},
    results::Run,
};

/// Reads of one service that nodes of one role served.
#[derive(Debug, Clone)]
pub struct ReadRow {
    /// Service.
    pub service: String,
    /// `primary`, `replica` or `other`.
    pub role: String,
    /// Its reads. The share is that of all reads of services that read from replicas.
    pub load: NodeLoad,
}

/// Rows of the reads; none where no service reads from replicas. Those without a request are left out.
pub(super) fn reads(run: &Run, limit: RequestLimit) -> Vec<ReadRow> {
    let series = &run.recording.reads;
    let outline = |at: usize| {
        let (service, operation) = (Some(series[at].key.service.clone()), Some(series[at].key.operation.clone()));
        Outline { scope: Scope { service, operation, role: SeriesRole::Operation }, series: vec![at] }
    };
    let outlines: Vec<Outline> = (0..series.len()).map(outline).collect();
    let rows = series.iter().zip(loads(run, series, &outlines, limit));
    let row = |(series, load): (&SeriesRecord, Option<NodeLoad>)| {
        let (service, role) = (series.key.service.clone(), series.key.operation.clone());
        load.filter(|load| load.share > 0.0).map(|load| ReadRow { service, role, load })
    };
    rows.filter_map(row).collect()
}
