//! The exit code of a gate.

use crate::{analysis::gate::GateVerdict, cli::exit::Exit, report::GateReport, results::Ended};

/// How the process ends.
pub(in crate::cli) fn exit_code(report: &GateReport) -> Exit {
    match report.gate.ended {
        Ended::Interrupted => return Exit::Interrupted,
        Ended::Lost => return Exit::Unusable,
        _ => {}
    }
    match report.analysis.verdict {
        GateVerdict::Ok | GateVerdict::Improved => Exit::Met,
        // On servers that others use as well it is a hint.
        GateVerdict::Regression if report.gate.plan.advisory.is_some() => Exit::Inconclusive,
        GateVerdict::Regression => Exit::Missed,
        GateVerdict::Inconclusive => Exit::Inconclusive,
        GateVerdict::Invalid => Exit::Unusable,
    }
}
