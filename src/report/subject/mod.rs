//! Subjects of the outputs: what was measured together with what is concluded from it, and look-ups that several outputs share.

mod audit;
mod baseline;
pub(super) mod capacity;
mod comparison;
mod gate;
mod history;
mod run;

pub use audit::AuditReport;
pub use baseline::BaselineReport;
pub use capacity::CapacityReport;
pub use comparison::ComparisonReport;
pub use gate::GateReport;
pub use history::HistoryReport;
pub use run::RunReport;
