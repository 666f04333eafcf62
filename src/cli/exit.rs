//! Exit codes, from the verdict of each subject, and failures.

use std::{fmt, process::ExitCode};

use super::stderr;
use crate::{
    analysis::audit::AuditOutcome,
    load::LoadError,
    results::{CiScenario, Ended, Leniency, Verdict},
    target::TargetError,
};

/// Exit codes, part of the interface: scripts rely on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// The objective is met, or the command did what it was asked to.
    Success = 0,
    /// The objective is missed, or a run is worse than what it is compared with.
    ObjectiveMissed = 1,
    /// The command line or the scenario is wrong, or the results cannot be written there.
    Usage = 2,
    /// The target cannot be used, the measurement cannot be trusted, or runs cannot be compared.
    InvalidTargetOrMeasurement = 3,
    /// The measurement does not suffice to decide.
    Inconclusive = 4,
    /// Ended by the user; as shells count, 128 and the number of SIGINT.
    Interrupted = 130,
}

/// The exit codes, for help and manual.
pub(super) const HELP: &str = "\
Exit codes:
    0  objective met, no regression
    1  objective missed, a regression, or audit findings as severe as --fail-on
    2  wrong usage, scenario or configuration, or results cannot be written
    3  target cannot be used, measurement invalid, or runs not comparable
    4  inconclusive
  130  interrupted";

impl From<Verdict> for Exit {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Pass | Verdict::Improved => Self::Success,
            Verdict::Fail => Self::ObjectiveMissed,
            Verdict::Invalid | Verdict::NotComparable => Self::InvalidTargetOrMeasurement,
            Verdict::Inconclusive => Self::Inconclusive,
            Verdict::Interrupted => Self::Interrupted,
        }
    }
}

impl Exit {
    /// The exit code of a run, and of a comparison that decides as well. A regression counts like an objective that is missed, and
    /// is certain also where the objective is not; where nothing can be compared, what was asked for was not done.
    pub(super) fn of_run(verdict: Verdict, interrupted: bool, deciding: Option<Verdict>) -> Self {
        match (verdict, deciding) {
            _ if interrupted => Self::Interrupted,
            (Verdict::Pass | Verdict::Inconclusive, Some(deciding @ (Verdict::Fail | Verdict::NotComparable))) => {
                deciding.into()
            }
            (verdict, _) => verdict.into(),
        }
    }

    /// The exit code of a series of loads with this verdict.
    pub(super) fn of_ended(ended: Ended, verdict: Verdict) -> Self {
        match ended {
            Ended::Interrupted => Self::Interrupted,
            Ended::Lost | Ended::LoadFailed => Self::InvalidTargetOrMeasurement,
            _ => verdict.into(),
        }
    }

    /// The exit code of an audit.
    pub(super) fn of_audit(outcome: &AuditOutcome) -> Self {
        match outcome {
            AuditOutcome::Clear => Self::Success,
            AuditOutcome::Found(_) => Self::ObjectiveMissed,
            AuditOutcome::Blind { .. } => Self::InvalidTargetOrMeasurement,
        }
    }

    /// The exit code for a scenario of `plimsoll ci` that came to a result. Something that the user interrupted comes before all
    /// else: the result is not complete.
    pub(super) fn of_scenario(scenario: &CiScenario, leniency: Leniency) -> Self {
        let interrupted = scenario.checks.iter().any(|check| check.outcome == Verdict::Interrupted);
        if interrupted { Self::Interrupted } else { Self::of_ci(scenario.outcome(), leniency) }
    }

    /// The exit code for an outcome of `plimsoll ci`.
    pub(super) fn of_ci(outcome: Verdict, leniency: Leniency) -> Self {
        match outcome {
            Verdict::Inconclusive if leniency != Leniency::Fail => Self::Success,
            outcome => outcome.into(),
        }
    }

    /// The worse of two. A miss that is certain is worse than what could not be measured, and what the user must change first is
    /// worse than both.
    pub(super) fn worse(self, other: Self) -> Self {
        let rank = |exit: &Self| match exit {
            Self::Success => 0,
            Self::Inconclusive => 1,
            Self::InvalidTargetOrMeasurement => 2,
            Self::ObjectiveMissed => 3,
            Self::Usage => 4,
            Self::Interrupted => 5,
        };
        std::cmp::max_by_key(self, other, rank)
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Reason of a failed command.
#[derive(Debug)]
pub(super) struct Failure {
    /// Exit codes.
    pub(super) exit: Exit,
    /// Reason.
    pub(super) error: anyhow::Error,
}

impl Failure {
    /// Something that the person who called must change.
    pub(super) fn usage(error: impl Into<anyhow::Error>) -> Self {
        Self { exit: Exit::Usage, error: error.into() }
    }

    /// The same, with what it was about in front.
    pub(super) fn within(self, context: &str) -> Self {
        Self { exit: self.exit, error: self.error.context(context.to_owned()) }
    }

    /// The failure of what was done first; that of what was done after it is complained about where there are both.
    pub(super) fn first_of<T>(first: Result<T, Self>, second: Result<(), Self>) -> Result<T, Self> {
        match (first, second) {
            (Err(first), Err(second)) => {
                stderr::print(&format!("error: {second}"));
                Err(first)
            }
            (first, second) => second.and(first),
        }
    }

    /// The result folder was released before anything was saved in it.
    pub(super) fn no_folder() -> Self {
        Self::usage(anyhow::anyhow!("the result folder was removed before the results were saved"))
    }

    /// The user ended the command before there was anything to save.
    pub(super) fn interrupted() -> Self {
        Self { exit: Exit::Interrupted, error: anyhow::anyhow!("interrupted before anything was measured") }
    }

    /// Something that keeps the target from being measured.
    pub(super) fn unusable(error: impl Into<anyhow::Error>) -> Self {
        Self { exit: Exit::InvalidTargetOrMeasurement, error: error.into() }
    }
}

impl From<TargetError> for Failure {
    fn from(error: TargetError) -> Self {
        if error.is_configuration() { Self::usage(error) } else { Self::unusable(error) }
    }
}

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Interrupted => Self::interrupted(),
            error => Self::unusable(error),
        }
    }
}

impl fmt::Display for Failure {
    /// The error and its causes as one sentence. Causes that their consequence already quotes are not said twice.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = String::new();
        for cause in self.error.chain().map(ToString::to_string) {
            if said.is_empty() {
                said = cause;
            } else if !said.contains(&cause) {
                said = format!("{said}: {cause}");
            }
        }
        f.write_str(&said)
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::target::Fault;

    #[test]
    fn says_each_cause_once() {
        let error = anyhow::anyhow!("no such file").context("could not read x.toml: no such file").context("no run");
        assert_eq!(Failure::usage(error).to_string(), "no run: could not read x.toml: no such file");
    }

    #[test]
    fn the_help_lists_every_code() {
        for exit in [
            Exit::Success,
            Exit::ObjectiveMissed,
            Exit::Usage,
            Exit::InvalidTargetOrMeasurement,
            Exit::Inconclusive,
            Exit::Interrupted,
        ] {
            let code = format!("{:5}  ", exit as u8);
            assert!(HELP.lines().any(|line| line.starts_with(&code)), "{exit:?}");
        }
    }

    #[test]
    fn faults_of_the_configuration_are_usage_errors() {
        let missing = || io::Error::from(io::ErrorKind::NotFound);
        let variable = || TargetError::PasswordVariable { service: "api".into(), variable: "PASSWORD".into() };
        let failed = |fault| TargetError::Connection { address: "redis://localhost:1".into(), fault };
        let refused = || failed(Fault::Refused);
        let of = |services: &[&str], source: TargetError| TargetError::Services {
            services: services.iter().map(ToString::to_string).collect(),
            source: Box::new(source),
        };
        for error in [
            TargetError::Address { text: "localhost".into(), reason: "`://` is missing".into() },
            variable(),
            TargetError::PasswordFile { service: "api".into(), path: "/none".into(), source: missing() },
            TargetError::ServerProgram { binary: "/none".into(), source: missing() },
            failed(Fault::Authorities("none".into())),
            of(&["api"], variable()),
            TargetError::Several(vec![of(&["api"], refused()), of(&["chat"], variable())]),
        ] {
            let failure = Failure::from(error);
            assert_eq!(failure.exit, Exit::Usage, "{failure}");
        }
        for error in [
            refused(),
            TargetError::NoServerProgram,
            failed(Fault::WrongPassword { user: "api".into() }),
            of(&["api"], refused()),
            TargetError::Several(vec![of(&["api"], refused()), refused()]),
        ] {
            let failure = Failure::from(error);
            assert_eq!(failure.exit, Exit::InvalidTargetOrMeasurement, "{failure}");
        }
    }

    #[test]
    fn only_the_user_interrupts() {
        assert_eq!(Failure::from(LoadError::Interrupted).exit, Exit::Interrupted);
        assert_eq!(Failure::from(LoadError::PackerPanicked).exit, Exit::InvalidTargetOrMeasurement);
        assert_eq!(Failure::no_folder().exit, Exit::Usage);
    }

    #[test]
    fn how_a_series_ended_comes_before_its_verdict() {
        use Ended::{Budget, Finished, Interrupted, Lost};
        assert_eq!(
            [Finished, Budget, Interrupted, Lost].map(|ended| Exit::of_ended(ended, Verdict::Fail)),
            [Exit::ObjectiveMissed, Exit::ObjectiveMissed, Exit::Interrupted, Exit::InvalidTargetOrMeasurement]
        );
    }

    #[test]
    fn a_regression_that_counts_is_a_miss_unless_the_run_is_invalid() {
        let all = [Verdict::Pass, Verdict::Inconclusive, Verdict::Fail, Verdict::Invalid];
        assert_eq!(
            all.map(|outcome| Exit::of_run(outcome, false, Some(Verdict::Fail))),
            [Exit::ObjectiveMissed, Exit::ObjectiveMissed, Exit::ObjectiveMissed, Exit::InvalidTargetOrMeasurement]
        );
        for nothing in [None, Some(Verdict::Pass), Some(Verdict::Improved), Some(Verdict::Inconclusive)] {
            assert_eq!(
                all.map(|outcome| Exit::of_run(outcome, false, nothing)),
                [Exit::Success, Exit::Inconclusive, Exit::ObjectiveMissed, Exit::InvalidTargetOrMeasurement]
            );
        }
    }

    #[test]
    fn a_comparison_that_counts_and_cannot_be_made_is_no_pass() {
        let all = [Verdict::Pass, Verdict::Inconclusive, Verdict::Fail, Verdict::Invalid];
        assert_eq!(
            all.map(|outcome| Exit::of_run(outcome, false, Some(Verdict::NotComparable))),
            [
                Exit::InvalidTargetOrMeasurement,
                Exit::InvalidTargetOrMeasurement,
                Exit::ObjectiveMissed,
                Exit::InvalidTargetOrMeasurement
            ]
        );
    }

    #[test]
    fn the_worst_is_reported_whatever_the_order() {
        let order = [
            Exit::Success,
            Exit::Inconclusive,
            Exit::InvalidTargetOrMeasurement,
            Exit::ObjectiveMissed,
            Exit::Usage,
            Exit::Interrupted,
        ];
        for (place, worst) in order.into_iter().enumerate() {
            for other in &order[..=place] {
                assert_eq!(other.worse(worst), worst);
                assert_eq!(worst.worse(*other), worst);
            }
        }
    }
}
