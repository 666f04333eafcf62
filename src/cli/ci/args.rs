//! Arguments of `plimsoll ci`.

use anyhow::anyhow;
use clap::{ArgGroup, Args, ValueEnum};

use super::github::Annotations;
use crate::{
    cli::{
        against::BaselineRuns,
        args::{
            comparison::ComparisonArgs,
            harness::HarnessArgs,
            output::OutputArgs,
            scenario::{CommandArgs, LoadArgs, scenario},
            target::{SamplingArgs, TargetArgs},
        },
        audit::FailOn,
        exit::Failure,
        gate::{self, ArmArguments, Difference, Profile, difference},
        run::RunOptions,
    },
    results::{Baselines, Leniency},
    scenario::Scenario,
};

/// Run scenarios one after another, with one exit code, one summary and files for CI
///
/// Each scenario is a whole `plimsoll run`, compared with its objective, with --baseline also with stored runs, and with
/// --gate-a and --gate-b followed by a gate. A server that is not private is audited. A failed scenario does not stop the
/// others. The result folder has the summary, `JUnit` XML, files for github-action-benchmark and Bencher, and metrics as text.
/// In jobs of GitHub the summary is appended to that of the job, and findings become annotations. The first Ctrl-C ends all
/// scenarios and reports the results so far; the second ends the program.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{EXITS}"))]
// Optional here, since `plimsoll compare`, which has these options too, always compares.
#[command(mut_arg("threshold", |arg| arg.requires("baseline")))]
#[command(mut_arg("allow_differences", |arg| arg.requires("baseline")))]
#[command(group(ArgGroup::new("gate").args(["gate_a", "gate_b"]).multiple(true)))]
pub(in crate::cli) struct Arguments {
    /// Scenario files, or names of built-in scenarios
    #[arg(value_name = "SCENARIO", required = true)]
    scenarios: Vec<String>,

    #[command(flatten)]
    pub(super) target: TargetArgs,
    #[command(flatten)]
    sampling: SamplingArgs,

    #[command(flatten)]
    load: LoadArgs,
    #[command(flatten)]
    commands: CommandArgs,

    /// Outcome of an inconclusive scenario
    #[arg(long, value_enum, value_name = "AS", default_value_t, help_heading = "Judgement")]
    pub(super) inconclusive: Inconclusive,
    /// Lowest severity of audit findings that fail the scenario; default: none fail
    ///
    /// A private server is not audited, since plimsoll chose its settings.
    #[arg(long, value_enum, value_name = "SEVERITY", help_heading = "Judgement")]
    pub(super) fail_on: Option<FailOn>,

    /// Name of the baseline to compare each run with; `{}` is replaced by the name of the scenario
    ///
    /// A regression is a warning, since a slow machine looks like one. An inconclusive comparison is only reported.
    #[arg(long, value_name = "NAME", help_heading = "Comparison")]
    pub(super) baseline: Option<String>,
    #[command(flatten)]
    pub(super) comparison: ComparisonArgs,
    /// Fail a scenario that is a regression against the baseline
    ///
    /// A missing baseline or an inconclusive comparison is then a warning, and a run that is not comparable an error.
    #[arg(long, requires = "baseline", help_heading = "Comparison")]
    pub(super) fail_on_regression: bool,
    /// Difference of arm A of a gate after each run, in the form of `plimsoll gate --a`, such as `server-bin=FILE`; repeatable
    ///
    /// An arm without a server uses that of --server-bin, --topology and --tls, or that of --target unless an arm needs a private
    /// server.
    #[arg(long, value_name = "WHAT=VALUE", value_parser = difference, help_heading = "Comparison")]
    gate_a: Vec<Difference>,
    /// Difference of arm B of the gate, in the form of --gate-a; repeatable
    #[arg(long, value_name = "WHAT=VALUE", value_parser = difference, help_heading = "Comparison")]
    gate_b: Vec<Difference>,
    /// Duration and smallest detectable change of the gate
    #[arg(long, value_enum, default_value_t, requires = "gate", help_heading = "Comparison")]
    gate_profile: Profile,

    #[command(flatten)]
    harness: HarnessArgs,

    #[command(flatten)]
    pub(super) output: OutputArgs,
    /// When to write annotations of GitHub Actions to standard error; `auto`: if `GITHUB_ACTIONS` is set
    #[arg(long, value_enum, value_name = "WHEN", default_value_t, help_heading = "Results")]
    pub(super) annotations: Annotations,
}

/// Outcome of an inconclusive scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum Inconclusive {
    /// Passed
    Pass,
    /// Passed, with a warning
    #[default]
    Warn,
    /// Failed, with exit code 4
    Fail,
}

/// Stands for the name of the scenario in the name of a baseline.
pub(super) const PLACEHOLDER: &str = "{}";

const EXAMPLES: &str = "\
Examples:
  plimsoll ci queue sessions --duration 60s           on private servers
  PLIMSOLL_TARGET=redis://user:password@host:6379 plimsoll ci scenarios/*.toml --fail-on critical
  plimsoll ci queue sessions --baseline nightly-{} --gate-a server-bin=./redis-7 --gate-b server-bin=./redis-8
  plimsoll ci my.toml --out results/nightly --force   fixed folder, for upload";

const EXITS: &str = "\
Exit codes, the worst of all scenarios, from best to worst:
    0  objective met; also inconclusive, unless --inconclusive fail
    4  inconclusive, with --inconclusive fail
    3  target cannot be used, measurement invalid, or run not comparable, with --fail-on-regression
    1  objective missed, regression confirmed by the gate, or against the baseline with --fail-on-regression, or findings of
       the audit as severe as --fail-on
    2  wrong usage, scenario or configuration, or results cannot be written
  130  interrupted; results so far are saved";

/// A scenario with the name that it has here.
pub(super) struct Task {
    pub(super) name: String,
    pub(super) scenario: Scenario,
    /// What its run is compared with, and what that is called; the runs are missing where there are none yet.
    pub(super) baseline: Option<(String, Option<BaselineRuns>)>,
    /// Gate after the run.
    pub(super) gate: Option<gate::Task>,
}

impl Arguments {
    /// All scenarios. What is wrong with any is reported at once, before anything is run.
    pub(super) fn tasks(&self) -> Result<Vec<Task>, Failure> {
        let overrides = self.load.overrides();
        let private = self.target.is_private() && !self.gate_a.iter().chain(&self.gate_b).any(Difference::is_target);
        let mut tasks: Vec<Task> = Vec::new();
        let mut faults = Vec::new();
        for name in &self.scenarios {
            match scenario(name, private, &overrides) {
                Ok(scenario) => {
                    let taken = |name: &str| tasks.iter().any(|task| task.name == name);
                    let numbered = (2..).map(|number| format!("{}-{number}", scenario.name));
                    let mut names = std::iter::once(scenario.name.clone()).chain(numbered);
                    let name = names.find(|name| !taken(name)).expect("numbers do not end");
                    match self.task(name, scenario) {
                        Ok(task) => tasks.push(task),
                        Err(failure) => faults.push(failure.to_string()),
                    }
                }
                Err(failure) => faults.push(failure.to_string()),
            }
        }
        if faults.is_empty() { Ok(tasks) } else { Err(Failure::usage(anyhow!(faults.join("\n")))) }
    }

    /// A scenario with what it is compared with.
    fn task(&self, name: String, scenario: Scenario) -> Result<Task, Failure> {
        let baseline = self.baseline.as_ref().map(|pattern| {
            let baseline = pattern.replace(PLACEHOLDER, &name);
            let found = Baselines::of(self.output.results()).find(&baseline).map_err(Failure::usage)?;
            let held = found.map(|found| BaselineRuns { name: baseline.clone(), runs: found.runs });
            Ok::<_, Failure>((baseline, held))
        });
        let gated = !(self.gate_a.is_empty() && self.gate_b.is_empty());
        let effort = gate::Effort::of(self.gate_profile, self.harness.clone());
        let [a, b] = self.arms();
        let tls = &self.target.tls().options();
        let arms = [
            ArmArguments { option: "--gate-a", differences: &a, tls },
            ArmArguments { option: "--gate-b", differences: &b, tls },
        ];
        let gate = gated.then(|| gate::Task::new(scenario.clone(), arms, &effort));
        Ok(Task { baseline: baseline.transpose()?, gate: gate.transpose()?, name, scenario })
    }

    /// Arms A and B: their differences, and the server of the runs where an arm names none. Where one needs a private
    /// server, the target of the runs is neither's, since the two would differ in more than was asked about.
    fn arms(&self) -> [Vec<Difference>; 2] {
        let given = [&self.gate_a, &self.gate_b];
        let needs_private = |difference: &Difference| {
            matches!(
                difference,
                Difference::Config(..)
                    | Difference::ServerBin(_)
                    | Difference::Topology(_)
                    | Difference::Tls(_)
                    | Difference::Exe(_)
            )
        };
        let of_runs = match (self.target.server_bin(), self.target.address()) {
            (Some(program), _) => Some(Difference::ServerBin(program.clone())),
            (None, Some(url)) if !given.iter().any(|arm| arm.iter().any(needs_private)) => {
                Some(Difference::Target(url.to_owned()))
            }
            _ => None,
        };
        let names_one =
            |difference: &Difference| matches!(difference, Difference::ServerBin(_) | Difference::Target(_));
        let topology = self.target.topology().map(Difference::Topology);
        let tls = self.target.private_tls().then_some(Difference::Tls(true));
        given.map(|arm| {
            let names = |what: fn(&Difference) -> bool| arm.iter().any(what);
            let own = of_runs.clone().filter(|_| !names(names_one));
            let is_private = !names(Difference::is_target);
            let topology =
                topology.clone().filter(|_| is_private && !names(|own| matches!(own, Difference::Topology(_))));
            let tls = tls.clone().filter(|_| is_private && !names(|own| matches!(own, Difference::Tls(_))));
            own.into_iter().chain(topology).chain(tls).chain(arm.iter().cloned()).collect()
        })
    }

    pub(super) fn options(&self) -> RunOptions {
        RunOptions {
            workers: self.harness.workers,
            no_keyspace_sampling: self.sampling.no_keyspace_sampling,
            yes: self.commands.yes,
            ..RunOptions::default()
        }
    }
}

impl From<Inconclusive> for Leniency {
    fn from(inconclusive: Inconclusive) -> Self {
        match inconclusive {
            Inconclusive::Pass => Self::Pass,
            Inconclusive::Warn => Self::Warn,
            Inconclusive::Fail => Self::Fail,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::{Command, FromArgMatches as _, error::ErrorKind};

    use super::*;

    fn parsed(words: &[&str]) -> Result<Arguments, clap::Error> {
        let command = Arguments::augment_args(Command::new("ci"));
        command
            .try_get_matches_from([&["ci", "queue"], words].concat())
            .and_then(|found| Arguments::from_arg_matches(&found))
    }

    #[test]
    fn arms_have_the_server_of_the_runs_unless_they_name_another() {
        let url = "redis://me:hush@db:7000";
        let arms = |words: &[&str]| parsed(words).unwrap().arms();
        let own = |word: &str| difference(word).unwrap();
        let target = Difference::Target(url.to_owned());

        let [a, b] = arms(&["--target", url, "--gate-b", "set:seed=3"]);
        assert_eq!((a, b), (vec![target.clone()], vec![target.clone(), own("set:seed=3")]));
        let [a, b] = arms(&["--target", url, "--gate-a", "target=redis://other"]);
        assert_eq!((a, b), (vec![own("target=redis://other")], vec![target]));
        let [a, b] = arms(&["--target", url, "--gate-b", "config:hz=10"]);
        assert_eq!((a, b), (vec![], vec![own("config:hz=10")]), "both private");

        let here = ["--target", "embedded", "--server-bin", "./mine"];
        let [a, b] = arms(&[&here[..], &["--gate-b", "server-bin=./other"]].concat());
        assert_eq!((a, b), (vec![own("server-bin=./mine")], vec![own("server-bin=./other")]));
        let [a, b] = arms(&[&here[..], &["--gate-b", "config:hz=10"]].concat());
        assert_eq!((a, b), (vec![own("server-bin=./mine")], vec![own("server-bin=./mine"), own("config:hz=10")]));

        let apart = ["--topology", "cluster", "--tls", "--gate-a", "tls=no", "--gate-b", "topology=replica"];
        let [a, b] = arms(&apart);
        assert_eq!(
            (a, b),
            (vec![own("topology=cluster"), own("tls=no")], vec![own("tls=yes"), own("topology=replica")])
        );
    }

    #[test]
    fn how_a_comparison_is_made_is_said_of_one_that_is_made() {
        for words in [&["--threshold", "10%"][..], &["--allow-differences"], &["--fail-on-regression"]] {
            let refusal = parsed(words).unwrap_err();
            assert_eq!(refusal.kind(), ErrorKind::MissingRequiredArgument);
            assert!(refusal.to_string().contains("--baseline"), "{refusal}");
            assert!(parsed(&[words, &["--baseline", "nightly-{}"]].concat()).is_ok());
        }
        assert!(parsed(&[]).is_ok());
    }

    #[test]
    fn a_rate_and_a_seed_are_those_of_every_scenario() {
        let arguments = parsed(&["mixed", "--rate", "321", "--seed", "8"]).unwrap();
        let tasks = arguments.tasks().unwrap();
        assert_eq!(tasks.len(), 2);
        for Task { scenario, .. } in tasks {
            assert!((scenario.offered_rate().unwrap() - 321.0).abs() < 1e-9 && scenario.seed == 8, "{}", scenario.name);
        }
    }
}
