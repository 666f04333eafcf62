//! The saved run as text.

use serde::Deserialize;

use super::{ResultsError, Run, SCHEMA_VERSION};

/// The only field that every version has.
#[derive(Deserialize)]
struct Versioned {
    schema_version: u32,
}

impl Run {
    /// The run as one line of JSON.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string(self).expect("a run has string keys only, so it has a JSON form");
        text.push('\n');
        text
    }

    /// Reads what [`Self::to_json`] wrote. The version is looked at first, so that a run of another version is called
    /// just that.
    pub fn from_json(text: &str) -> Result<Self, ResultsError> {
        let Versioned { schema_version: found } = serde_json::from_str(text).map_err(ResultsError::Malformed)?;
        match found.cmp(&SCHEMA_VERSION) {
            std::cmp::Ordering::Greater => Err(ResultsError::Newer { found }),
            std::cmp::Ordering::Less => Err(ResultsError::Older { found }),
            std::cmp::Ordering::Equal => serde_json::from_str(text).map_err(ResultsError::Malformed),
        }
    }
}
