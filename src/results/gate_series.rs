//! What the histograms of a load in turns are about.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::measure::SeriesKey;

/// One operation of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GateSeries {
    /// Service.
    pub service: String,
    /// Operation.
    pub operation: String,
}

impl GateSeries {
    /// The operation of a series.
    pub fn of(key: &SeriesKey) -> Self {
        Self { service: key.service.clone(), operation: key.operation.clone() }
    }
}
