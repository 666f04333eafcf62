//! The saved gate as text.

use super::{GATE_VERSION, Gate, ResultsError, json::versioned};
use crate::measure::Unpacker;

impl Gate {
    /// The gate as one line of JSON.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string(self).expect("a gate has string keys only, so it has a JSON form");
        text.push('\n');
        text
    }

    /// Reads what [`Self::to_json`] wrote. That of another version is called just that, whatever else is in it.
    pub fn from_json(text: &str) -> Result<Self, ResultsError> {
        versioned(text, GATE_VERSION, |gate: &Self| gate.schema_version)?.checked()
    }

    /// The gate, if its slices belong to its arms and series and their histograms can be read.
    fn checked(self) -> Result<Self, ResultsError> {
        let mut unpacker = Unpacker::default();
        let damaged = |fault: String| Err(ResultsError::Damaged(fault));
        for block in &self.blocks {
            for (place, slice) in block.slices.iter().enumerate() {
                let name = format!("slice {place} of block {}", block.number);
                // Two quads of the same arms follow each other in either kind of load.
                let quads = self.plan.quads.max(self.plan.saturated_quads);
                if slice.quad >= quads {
                    return damaged(format!("{name} is of quad {}, of {quads}", slice.quad));
                }
                if slice.arm > 1 {
                    return damaged(format!("{name} is of arm {}, of 2", slice.arm));
                }
                if slice.series.len() != self.series.len() {
                    return damaged(format!("{name} has {} series, of {}", slice.series.len(), self.series.len()));
                }
                for tally in &slice.series {
                    if let Err(fault) = unpacker.check(&tally.response) {
                        return damaged(format!("a histogram of {name} cannot be read: {fault}"));
                    }
                }
            }
        }
        Ok(self)
    }
}
