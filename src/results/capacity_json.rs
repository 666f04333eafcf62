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
        Ok(self)
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

    #[test]
    fn what_contradicts_itself_is_refused() {
        assert!(refusal("{}").contains("not what plimsoll saves"));
        let mut capacity = sample::small_capacity();
        capacity.trials[0].arm = 2;
        assert!(refusal(&capacity.to_json()).contains("trial 1 is of arm 2, of 2"));
        let mut capacity = sample::small_capacity();
        capacity.trials[0].within.pop();
        assert!(refusal(&capacity.to_json()).contains("trial 1 counts 5 limits of 6"));
        let mut capacity = sample::small_capacity();
        capacity.plan.arms.clear();
        assert!(refusal(&capacity.to_json()).contains("no arms"));
    }
}
