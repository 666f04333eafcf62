//! The saved capacity run as text.

use super::{CAPACITY_VERSION, Capacity, LIMITS, ResultsError, json::versioned, upgrade};

impl Capacity {
    /// The capacity run as one line of JSON.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string(self).expect("a capacity run has string keys only, so it has a JSON form");
        text.push('\n');
        text
    }

    /// Reads what [`Self::to_json`] wrote, in this version or an earlier one.
    pub fn from_json(text: &str) -> Result<Self, ResultsError> {
        versioned(text, CAPACITY_VERSION, |capacity: &Self| capacity.schema_version, upgrade::capacity)?.checked()
    }

    /// The capacity run, if its trials belong to its arms.
    fn checked(self) -> Result<Self, ResultsError> {
        let arms = self.plan.arms.len();
        if arms == 0 {
            return Err(ResultsError::Damaged("it has no arms".to_owned()));
        }
        for trial in &self.trials {
            let number = trial.number;
            if trial.arm as usize >= arms {
                return Err(ResultsError::Damaged(format!("trial {number} is of arm {}, of {arms}", trial.arm)));
            }
            if trial.within.len() != LIMITS.len() {
                return Err(ResultsError::Damaged(format!(
                    "trial {number} counts {} limits of {}",
                    trial.within.len(),
                    LIMITS.len()
                )));
            }
        }
        match self.blocks.iter().find(|block| block.from.max(block.to) as usize >= arms) {
            Some(block) => {
                Err(ResultsError::Damaged(format!("a block compares arms {} and {}, of {arms}", block.from, block.to)))
            }
            None => Ok(self),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::sample;

    fn refusal(text: &str) -> String {
        Capacity::from_json(text).unwrap_err().to_string()
    }

    #[test]
    fn comes_back_as_it_was() {
        let capacity = sample::small_capacity();
        assert_eq!(Capacity::from_json(&capacity.to_json()).unwrap(), capacity);
    }

    /// Earlier forms compared pool sizes by trials, in pairs by their number.
    #[test]
    fn slices_of_earlier_forms_are_blocks() {
        let mut document = serde_json::to_value(sample::small_capacity()).unwrap();
        document["schema_version"] = 1.into();
        document.as_object_mut().unwrap().remove("blocks");
        let slice = |block: u32, arm: u32| {
            let mut slice = document["trials"][0].clone();
            (slice["purpose"], slice["block"], slice["arm"]) = ("compare".into(), block.into(), arm.into());
            (slice["failed"], slice["waived"]) = ((10 * block + arm).into(), serde_json::Value::Null);
            slice
        };
        // The last try counts; a pair that is not whole does not, nor does one that the harness limited.
        let mut slices =
            vec![slice(8, 0), slice(8, 1), slice(9, 1), slice(9, 0), slice(9, 1), slice(10, 0), slice(11, 0)];
        slices.push(slice(11, 1));
        slices[4]["failed"] = 7.into();
        slices[7]["client_limited"] = "worker 1 was busy".into();
        document["trials"].as_array_mut().unwrap().extend(slices);
        let capacity = Capacity::from_json(&document.to_string()).unwrap();
        assert_eq!(capacity.trials, sample::small_capacity().trials);
        let blocks: Vec<_> = capacity.blocks.iter().map(|block| (block.number, block.rate as u64)).collect();
        assert_eq!(blocks, [(0, 10_000), (1, 10_000)]);
        let failed = |block: usize| <[u64; 2]>::from(capacity.blocks[block].sides.as_ref().map(|side| side.failed));
        assert_eq!([failed(0), failed(1)], [[80, 81], [90, 7]]);
        let (block, slice) = (&capacity.blocks[0], &capacity.trials[0]);
        assert_eq!((block.turn_ns, block.measured_ns), (None, 2 * slice.measured_ns));
        assert_eq!((block.server_busy, block.sides.a.wait), (slice.server_busy, slice.wait));
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        assert!(refusal("{}").contains("not a plimsoll result file"));
        let mut capacity = sample::small_capacity();
        capacity.trials[0].arm = 2;
        assert!(refusal(&capacity.to_json()).contains("trial 1 is of arm 2, of 2"));
        let mut capacity = sample::small_capacity();
        capacity.trials[0].within.pop();
        assert!(refusal(&capacity.to_json()).contains("trial 1 counts 5 limits of 6"));
        let mut capacity = sample::small_capacity();
        capacity.plan.arms.clear();
        assert!(refusal(&capacity.to_json()).contains("no arms"));
        let mut capacity = sample::small_capacity();
        capacity.blocks[0].to = 2;
        assert!(refusal(&capacity.to_json()).contains("a block compares arms 0 and 2, of 2"));
    }
}
