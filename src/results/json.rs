//! The saved run as text.

use std::thread;

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use super::{ResultsError, Run, SCHEMA_VERSION, upgrade};
use crate::measure::{Nanos, PackedHistogram, Recording, SECOND, Unpacker};

/// Longest run that is read, far longer than any sensible one: what claims to be longer is damaged.
const LONGEST: Nanos = 31 * 24 * 3_600 * SECOND;

/// The only field that every format has.
#[derive(Deserialize)]
struct Versioned {
    schema_version: u32,
}

/// Reads a document of this format or an earlier one, which `upgrade` brings to the form of today. Unknown fields are ignored: a
/// newer build may have added them.
pub(super) fn versioned<T: DeserializeOwned>(
    text: &str,
    reads: u32,
    version: impl Fn(&T) -> u32,
    upgrade: fn(&mut Value),
) -> Result<T, ResultsError> {
    let read: Result<T, _> = serde_json::from_str(text);
    let error = match read {
        Ok(read) if version(&read) == reads => return Ok(read),
        read => read.err(),
    };
    // Only a text that is not of today's form is read twice: it may be long.
    let Versioned { schema_version: found } = serde_json::from_str(text).map_err(ResultsError::Malformed)?;
    match found {
        0 => return Err(ResultsError::Damaged("it states format 0, which does not exist".to_owned())),
        found if found > reads => return Err(ResultsError::Newer { found, reads }),
        _ => {}
    }
    let mut document: Value = serde_json::from_str(text).map_err(ResultsError::Malformed)?;
    upgrade(&mut document);
    document["schema_version"] = reads.into();
    // The first error names a line and a column.
    serde_json::from_value(document).map_err(|later| ResultsError::Malformed(error.unwrap_or(later)))
}

impl Run {
    /// The run as one line of JSON.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string(self).expect("a run has string keys only, so it has a JSON form");
        text.push('\n');
        text
    }

    /// Reads what [`Self::to_json`] wrote, in this version or an earlier one.
    pub fn from_json(text: &str) -> Result<Self, ResultsError> {
        versioned(text, SCHEMA_VERSION, |run: &Self| run.schema_version, upgrade::run)?.checked()
    }

    /// The run, if its seconds lie within it, since they become places in memory, and its histograms can be read.
    fn checked(self) -> Result<Self, ResultsError> {
        let recording = &self.recording;
        let length = recording.period.measured_ns.saturating_add(recording.period.drain_ns);
        if length > LONGEST {
            return Err(ResultsError::Damaged(format!(
                "it says that it lasted {} days",
                length / (24 * 3_600 * SECOND)
            )));
        }
        let of_series = recording.series.iter().flat_map(|series| &series.seconds).map(|second| second.second);
        let of_services = recording.services.iter().flat_map(|service| &service.seconds).map(|second| second.second);
        let seconds = length / SECOND;
        match of_series.chain(of_services).max() {
            // One more for a second that ended just behind the end.
            Some(last) if u64::from(last) > seconds + 1 => {
                Err(ResultsError::Damaged(format!("it holds a second {last} but lasted only {seconds}")))
            }
            _ => match damaged_histogram(recording).or_else(|| self.client_cost.as_ref()?.fault()) {
                Some(fault) => Err(ResultsError::Damaged(fault)),
                None => Ok(self),
            },
        }
    }
}

/// Fault of a damaged histogram, if there is one. A run has tens of thousands, so two threads share them.
fn damaged_histogram(recording: &Recording) -> Option<String> {
    let of_series = recording.series.iter().flat_map(|series| {
        let name = (series.key.service.as_str(), series.key.operation.as_str());
        series.seconds.iter().flat_map(move |at| {
            [&at.response, &at.service, &at.wait, &at.failed].map(|packed| (name, at.second, packed))
        })
    });
    let of_services = recording.services.iter().flat_map(|service| {
        let name = (service.name.as_str(), "all operations");
        let lags = service.seconds.iter().map(move |second| (name, second.second, &second.lag));
        let openings = [Some(&service.connect), service.handshake.as_ref()].into_iter().flatten();
        lags.chain(openings.map(move |packed| (name, 0, packed)))
    });
    let all: Vec<_> = of_series.chain(of_services).collect();
    let look = |part: &[((&str, &str), u32, &PackedHistogram)]| {
        let mut unpacker = Unpacker::default();
        part.iter().find_map(|((service, operation), second, packed)| {
            let fault = unpacker.check(packed).err()?;
            Some(format!("a histogram of {service} {operation} in second {second} cannot be read: {fault}"))
        })
    };
    let (first, second) = all.split_at(all.len() / 2);
    thread::scope(|scope| {
        let first = scope.spawn(|| look(first));
        let second = look(second);
        first.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)).or(second)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::{ClientCost, sample};

    fn refusal(text: &str) -> String {
        Run::from_json(text).unwrap_err().to_string()
    }

    #[test]
    fn comes_back_as_it_was() {
        let run = sample::run();
        assert!(Run::from_json(&run.to_json()).unwrap() == run);
    }

    #[test]
    fn a_newer_format_is_called_just_that() {
        let newer = format!("written by a newer plimsoll (format 7; this build reads up to {SCHEMA_VERSION})");
        assert_eq!(refusal(r#"{"schema_version": 7, "whatever": []}"#), newer);
        let own = format!(r#""schema_version":{SCHEMA_VERSION}"#);
        let text = sample::run().to_json().replacen(&own, r#""schema_version":7"#, 1);
        assert_eq!(refusal(&text), newer);
        assert!(refusal(r#"{"schema_version": 0}"#).contains("format 0, which does not exist"));
    }

    #[test]
    fn unknown_fields_are_ignored() {
        let run = sample::run();
        let text = run.to_json().replace(r#""second":"#, r#""surplus":{"second":1},"second":"#);
        assert!(text.len() > run.to_json().len() + 1_000);
        assert!(Run::from_json(&text).unwrap() == run);
    }

    #[test]
    fn a_fault_in_an_earlier_format_is_not_mended() {
        let fault = refusal(r#"{"schema_version": 1, "software": 3}"#);
        assert!(fault.contains("not a plimsoll result file") && fault.contains("line 1"), "{fault}");
    }

    #[test]
    fn what_is_no_run_is_refused() {
        let empty = format!(r#"{{"schema_version": {SCHEMA_VERSION}}}"#);
        for text in ["", "{}", "[true]", empty.as_str(), "nonsense"] {
            assert!(refusal(text).contains("not a plimsoll result file"), "{text}");
        }
        let text = sample::run().to_json();
        assert!(refusal(&text[..text.len() / 2]).contains("not a plimsoll result file: the file is truncated"));
    }

    #[test]
    fn damaged_histograms_are_refused() {
        let text = sample::run().to_json().replacen(r#""response":"HISTF"#, r#""response":"HISTG"#, 1);
        assert!(refusal(&text).contains("histogram"), "{}", refusal(&text));
    }

    #[test]
    fn a_client_cost_that_contradicts_itself_is_refused() {
        let refused = |spoil: fn(&mut ClientCost)| {
            let mut cost = sample::client_cost(&[1.2, 1.3]);
            spoil(&mut cost);
            refusal(&Run { client_cost: Some(cost), ..sample::run() }.to_json())
        };
        assert!(refused(|cost| drop(cost.operations.pop())).contains("second 0 of its client cost"));
        assert!(refused(|cost| drop(cost.seconds[1].fred.pop())).contains("second 1 of its client cost"));
        let text = Run { client_cost: Some(sample::client_cost(&[1.2])), ..sample::run() }.to_json();
        let (before, cost) = text.split_once("\"client_cost\"").unwrap();
        let damaged = format!("{before}\"client_cost\"{}", cost.replacen("HISTF", "HISTG", 1));
        assert!(refusal(&damaged).contains("histogram in second 0 of its client cost"), "{}", refusal(&damaged));
    }

    #[test]
    fn seconds_beyond_the_run_are_refused() {
        let mut run = sample::run();
        run.recording.series[0].seconds[0].second = u32::MAX;
        assert!(refusal(&run.to_json()).contains("lasted only"));
        let mut run = sample::run();
        run.recording.period.measured_ns = u64::MAX;
        assert!(refusal(&run.to_json()).contains("days"));
    }
}
