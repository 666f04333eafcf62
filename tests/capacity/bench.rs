//! What every test here does: a folder, the program, and a look at what it saved.

use std::fs;

use plimsoll::{
    analysis::{
        analyse,
        capacity::{Advice, CapacityAnalysis, conclude},
    },
    results::{self, Capacity, Saved},
    scenario,
};

use crate::support::{Desk, Outcome, Turn};

/// Runs that a test makes to get an answer: on a machine that is busy with something else the right one is that there is
/// none, and a proxy without time carries less than it claims.
const ATTEMPTS: usize = 3;

/// Schedule lag, in nanoseconds, that says that the machine had no time.
const LATE: u64 = 20_000_000;

/// A scenario of one service with short values, most of whose requests must be answered within `latency`.
pub(crate) fn scenario_of(rate: u32, latency: &str, operation: &str, run: &str) -> String {
    format!(
        "name = \"known\"\nseed = 7\n[run]\n{run}\n\
         [objective]\nlatency = \"{latency}\"\npercentile = 90.0\nmax_error_rate = 0.01\n\
         [[service]]\nname = \"api\"\n[service.pool]\nsize = 10\n[service.load]\nrate = {rate}\n\
         [service.keys]\ncount = 100\n[service.values]\nsize = 16\n[[service.operation]]\n{operation}\n"
    )
}

/// Whether the machine had time enough for the proxy and the harness, and they could tell something.
fn conclusive(capacity: &Capacity, analysis: &CapacityAnalysis) -> bool {
    let limited = analysis.arms.iter().any(|arm| arm.client_limited.is_some());
    let unknown = analysis.comparisons.iter().any(|pair| matches!(pair.advice, Advice::Inconclusive(_)));
    let late = capacity.trials.iter().filter(|trial| trial.lag_p99 > LATE).count();
    !limited && !unknown && late <= capacity.trials.len() / 10
}

/// A folder with a scenario of whose load nothing is measured.
pub(crate) fn beside(scenario: &str) -> Desk {
    Desk::with("known.toml", scenario, Turn::beside())
}

/// A folder with a scenario that needs the machine alone: beside a server the harness turns on a core of its own.
pub(crate) fn alone(scenario: &str) -> Desk {
    Desk::with("known.toml", scenario, Turn::alone())
}

impl Desk {
    /// What a run of a few seconds answers a second.
    pub(crate) fn throughput(&self, arguments: &[&str]) -> f64 {
        let lengths = ["run", "known.toml", "--duration", "3s", "--warmup", "500ms", "--quiet", "--out", "probe"];
        self.run(&[&lengths[..], arguments].concat());
        let Saved::Run(run) = results::load(&self.path("probe")).unwrap() else { panic!("a capacity run lies there") };
        let scenario = scenario::parse(&run.scenario, "saved").unwrap();
        analyse(&run, &scenario).rows.last().unwrap().rate
    }

    /// A capacity run in `out`, made again where the machine had no time for it.
    pub(crate) fn measure(&self, arguments: &[&str]) -> (Outcome, Capacity, CapacityAnalysis) {
        let arguments = [&["capacity", "known.toml", "--out", "out", "--force"], arguments].concat();
        let mut attempts = 1;
        loop {
            let outcome = self.run(&arguments);
            // Shown where the test fails.
            println!("{}", outcome.stderr);
            let (capacity, analysis) = self.saved();
            if attempts == ATTEMPTS || conclusive(&capacity, &analysis) {
                return (outcome, capacity, analysis);
            }
            attempts += 1;
        }
    }

    /// What lies in `out`, with what follows from it.
    pub(crate) fn saved(&self) -> (Capacity, CapacityAnalysis) {
        let Saved::Capacity(capacity) = results::load(&self.path("out")).unwrap() else { panic!("a run lies there") };
        let scenario = scenario::parse(&capacity.scenario, "saved").unwrap();
        let analysis = conclude(&capacity, &scenario);
        (*capacity, analysis)
    }

    /// Trials that were saved so far.
    pub(crate) fn trials(&self) -> usize {
        let text = fs::read_to_string(self.path("out/capacity.json")).unwrap_or_default();
        // It is whole at any time, or not there yet.
        if text.is_empty() { 0 } else { Capacity::from_json(&text).unwrap().trials.len() }
    }
}
