//! What the client library costs, in the summary of a run as JSON.

use super::{number::micros, record::record};
use crate::analysis::{OperationCost, Split};

record! {
    /// Parts of the median service time of an operation with fred; null where too few requests were measured.
    pub(super) struct ClientCostRow<'a>(row: &'a OperationCost) {
        /// Service; null for all services.
        service: Option<&'a str> = row.service.as_deref(),
        /// Operation; null for all operations.
        operation: Option<&'a str> = row.operation.as_deref(),
        /// Median service time with fred.
        fred_us: Option<f64> = row.split.map(|split| micros(split.fred)),
        /// Median service time with the wire client.
        wire_us: Option<f64> = row.split.map(|split| micros(split.wire)),
        /// Mean time in the command; null for several commands.
        server_us: Option<f64> = row.split.and_then(|split| split.server).map(micros),
        /// Network, kernel and the event loop of the server.
        network_us: Option<f64> = row.split.as_ref().and_then(Split::network).map(micros),
        /// Client library; below 0 where fred was faster.
        library_us: Option<f64> = row.split.map(|split| micros(split.library().point)),
        /// Share of the client library in the service time with fred.
        library_share: Option<f64> = row.split.map(|split| split.library_share().point),
        /// Lower end of the 95 % interval of the share; null with fewer than six undisturbed seconds.
        library_share_low: Option<f64> = row.split.and_then(|split| split.library_share().low),
        /// Upper end of it.
        library_share_high: Option<f64> = row.split.and_then(|split| split.library_share().high) ,
    }
}
