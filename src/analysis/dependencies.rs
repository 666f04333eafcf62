//! Dependencies besides the server: answered probes, response times, and failures.

use std::ops::RangeInclusive;

use crate::{
    measure::Nanos,
    results::{DependencyRecord, ProbePhase},
};

/// Result of one dependency.
#[derive(Debug, Clone, PartialEq)]
pub struct DependencySide {
    /// Its name in the scenario.
    pub name: String,
    /// Its address.
    pub address: String,
    /// Probes before the load.
    pub before: Answers,
    /// Probes while it ran, the warm-up included.
    pub during: Answers,
    /// Probes after it.
    pub after: Answers,
    /// Response times of all answered probes; `None` if none was answered.
    pub latency: Option<Latency>,
    /// When it failed; `None` where it never did.
    pub outage: Option<DependencyOutage>,
    /// Last error.
    pub last_failure: Option<String>,
}

/// Probes, and how many of them were answered as they should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Answers {
    /// Probes.
    pub probes: u32,
    /// Those that were answered.
    pub answered: u32,
}

/// Response times in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Latency {
    /// The fastest.
    pub min: Nanos,
    /// Their mean.
    pub mean: f64,
    /// The slowest.
    pub max: Nanos,
}

/// When a dependency failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DependencyOutage {
    /// Each time that it was asked.
    Always,
    /// At times.
    Within {
        /// Before the load.
        before: bool,
        /// During the warm-up.
        warmup: bool,
        /// Seconds of the measured period, from the first to the last of failures in a row.
        seconds: Vec<RangeInclusive<u32>>,
        /// After the run.
        after: bool,
    },
}

impl DependencySide {
    /// All its probes.
    pub fn all(&self) -> Answers {
        let phases = [self.before, self.during, self.after];
        Answers {
            probes: phases.iter().map(|phase| phase.probes).sum(),
            answered: phases.iter().map(|phase| phase.answered).sum(),
        }
    }
}

impl Answers {
    /// Probes that were not answered as they should be.
    pub fn failed(self) -> u32 {
        self.probes - self.answered
    }
}

/// Results of all dependencies, in the scenario's order.
pub(super) fn dependencies(records: &[DependencyRecord]) -> Vec<DependencySide> {
    records.iter().map(side).collect()
}

/// Result of one.
pub(super) fn side(record: &DependencyRecord) -> DependencySide {
    let answers = |phase| {
        let of_phase = record.probes.iter().filter(|probe| probe.phase == phase);
        of_phase.fold(Answers::default(), |sum, probe| Answers {
            probes: sum.probes + 1,
            answered: sum.answered + u32::from(probe.failure.is_none()),
        })
    };
    let times: Vec<_> =
        record.probes.iter().filter(|probe| probe.failure.is_none()).map(|probe| probe.elapsed_ns).collect();
    let latency = times.iter().min().zip(times.iter().max()).map(|(min, max)| Latency {
        min: *min,
        mean: times.iter().map(|time| *time as f64).sum::<f64>() / times.len() as f64,
        max: *max,
    });
    DependencySide {
        name: record.name.clone(),
        address: record.address.clone(),
        before: answers(ProbePhase::Before),
        during: answers(ProbePhase::During),
        after: answers(ProbePhase::After),
        latency,
        outage: outage(record),
        last_failure: record.probes.iter().rev().find_map(|probe| probe.failure.clone()),
    }
}

fn outage(record: &DependencyRecord) -> Option<DependencyOutage> {
    let failed = |probe: &&crate::results::Probe| probe.failure.is_some();
    let failures = record.probes.iter().filter(failed).count();
    if failures == 0 {
        return None;
    }
    if failures == record.probes.len() {
        return Some(DependencyOutage::Always);
    }
    let within = |phase| record.probes.iter().filter(failed).any(|probe| probe.phase == phase);
    let mut seconds: Vec<RangeInclusive<u32>> = Vec::new();
    let mut goes_on = false;
    for probe in record.probes.iter().filter(|probe| probe.phase == ProbePhase::During) {
        if let (Some(second), true) = (probe.second, probe.failure.is_some()) {
            match seconds.last_mut() {
                // A slow failure takes more than a second, so that the next number need not be the next failure's.
                Some(last) if goes_on => *last = *last.start()..=second,
                _ => seconds.push(second..=second),
            }
        }
        goes_on = probe.second.is_some() && probe.failure.is_some();
    }
    let in_warmup = |probe: &crate::results::Probe| probe.phase == ProbePhase::During && probe.second.is_none();
    Some(DependencyOutage::Within {
        before: within(ProbePhase::Before),
        warmup: record.probes.iter().filter(failed).any(in_warmup),
        seconds,
        after: within(ProbePhase::After),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        analysis::{Finding, analyse},
        results::{Probe, sample},
    };

    /// A record of probes during the run: seconds (negative for the warm-up), and whether they failed.
    fn record(during: &[(i32, bool)]) -> DependencyRecord {
        let probe = |phase, second, failed: bool| Probe {
            phase,
            second,
            elapsed_ns: 1_000_000,
            failure: failed.then(|| "connection refused".to_owned()),
        };
        let mut probes = vec![probe(ProbePhase::Before, None, false)];
        probes.extend(
            during.iter().map(|(second, failed)| probe(ProbePhase::During, (*second).try_into().ok(), *failed)),
        );
        probes.push(probe(ProbePhase::After, None, false));
        DependencyRecord { name: "db".into(), address: "tcp://db:1".into(), status: None, probes }
    }

    fn seconds(during: &[(i32, bool)]) -> (bool, Vec<RangeInclusive<u32>>) {
        match side(&record(during)).outage {
            Some(DependencyOutage::Within { warmup, seconds, .. }) => (warmup, seconds),
            outage => panic!("{outage:?}"),
        }
    }

    #[test]
    fn failures_in_a_row_are_one_outage() {
        let of = [(0, false), (1, true), (2, true), (3, false), (4, true), (5, false)];
        assert_eq!(seconds(&of), (false, vec![1..=2, 4..=4]));
        // Timeouts come every four seconds.
        assert_eq!(seconds(&[(0, true), (4, true), (8, true), (9, false)]), (false, vec![0..=8]));
        assert_eq!(seconds(&[(-1, true), (0, false), (1, true)]), (true, vec![1..=1]));
        assert_eq!(seconds(&[(-1, true), (0, true)]), (true, vec![0..=0]));
        assert_eq!(side(&record(&[(0, false)])).outage, None);
    }

    #[test]
    fn answers_are_counted_by_phase() {
        let side = side(&record(&[(0, false), (1, true), (2, true)]));
        assert_eq!((side.before.failed(), side.during.failed(), side.after.failed()), (0, 2, 0));
        assert_eq!((side.all().probes, side.all().answered), (5, 3));
        assert_eq!(side.latency, Some(Latency { min: 1_000_000, mean: 1e6, max: 1_000_000 }));
    }

    #[test]
    fn what_was_never_asked_is_no_outage() {
        let side = side(&DependencyRecord { probes: Vec::new(), ..record(&[]) });
        assert_eq!((&side.outage, side.latency, side.all().probes), (&None, None, 0));
    }

    #[test]
    fn what_fails_is_a_finding() {
        let analysis = analyse(&sample::run(), &sample::scenario());
        let found: Vec<_> = analysis
            .findings
            .iter()
            .filter_map(|finding| match finding {
                Finding::Dependency { name, outage, .. } => Some((name.as_str(), outage)),
                _ => None,
            })
            .collect();
        assert_eq!(found, [("chat-health", &DependencyOutage::Always)]);
    }
}
