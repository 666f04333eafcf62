//! The saved gate as text.

use std::collections::HashSet;

use super::{GATE_VERSION, Gate, ResultsError, json::versioned, upgrade};
use crate::measure::Unpacker;

impl Gate {
    /// The gate as one line of JSON.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string(self).expect("a gate has string keys only, so it has a JSON form");
        text.push('\n');
        text
    }

    /// Reads what [`Self::to_json`] wrote, in this version or an earlier one.
    pub fn from_json(text: &str) -> Result<Self, ResultsError> {
        versioned(text, GATE_VERSION, |gate: &Self| gate.schema_version, upgrade::gate)?.checked()
    }

    /// The gate, if its blocks belong to its plan, their slices to its arms and series, and their histograms can be read.
    fn checked(self) -> Result<Self, ResultsError> {
        let mut unpacker = Unpacker::default();
        let damaged = |fault: String| Err(ResultsError::Damaged(fault));
        if !(self.plan.threshold > 0.0 && self.plan.tail_threshold > 0.0) {
            return damaged("a threshold of its plan is not above 0".to_owned());
        }
        let mut numbers = HashSet::new();
        for block in &self.blocks {
            if block.number >= self.plan.blocks {
                return damaged(format!("there is a block {}, of {}", block.number, self.plan.blocks));
            }
            if !numbers.insert((block.stage, block.number)) {
                return damaged(format!("block {} is there twice", block.number));
            }
            for (place, slice) in block.slices.iter().enumerate() {
                let name = format!("slice {place} of block {}", block.number);
                // Two quads of the same arms follow each other in either kind of load.
                let quads = self.plan.quads.max(self.plan.saturated_quads);
                if slice.quad >= quads {
                    return damaged(format!("{name} is of quad {}, of {quads}", slice.quad));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::{
        GateStage,
        sample::gate::{Worsening, gate},
    };

    #[test]
    fn a_gate_that_contradicts_itself_is_refused() {
        let whole = gate(Worsening::None, 0.02, &[GateStage::Screen]);
        assert_eq!(Gate::from_json(&whole.to_json()).unwrap(), whole);
        let refused = |spoil: fn(&mut Gate), reason: &str| {
            let mut spoilt = whole.clone();
            spoil(&mut spoilt);
            let error = Gate::from_json(&spoilt.to_json()).unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        };
        refused(|gate| gate.plan.threshold = 0.0, "threshold");
        refused(|gate| gate.plan.tail_threshold = -0.1, "threshold");
        refused(|gate| gate.plan.blocks = 7, "a block 7, of 7");
        refused(|gate| gate.blocks[1].number = 0, "block 0 is there twice");
        refused(|gate| gate.blocks[0].slices[3].quad = u32::MAX, "is of quad");
        refused(|gate| drop(gate.series.pop()), "series");
    }
}
