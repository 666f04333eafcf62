//! All scenarios, from the first to the exit code.

use std::{path::PathBuf, time::Instant};

use jiff::Timestamp;

use super::{
    args::{Arguments, Task},
    github::Github,
};
use crate::{
    cli::{
        against::abstracted,
        cleanup::{Cleanup, claim},
        environment::{software, stamp},
        exit::{Exit, Failure},
        gate,
        interrupt::Interrupt,
        journal::Journal,
        lease::Lease,
        output::{self, Look},
        progress::Display,
        run,
    },
    report::{Document, ci},
    results::{CI_VERSION, Ci, CiCheck, CiScenario, Leniency},
    target::Source,
};

/// Rights that are needed, and rights that the user has.
pub(super) struct Session {
    pub(super) arguments: Arguments,
    pub(super) look: Look,
    pub(super) tasks: Vec<Task>,
    pub(super) source: Source,
    pub(super) github: Github,
    pub(super) journal: Journal,
    pub(super) display: Display,
    /// Resources of the current run to release.
    pub(super) cleanup: Cleanup,
}

impl Session {
    /// Runs every scenario, then shows what came of them.
    pub(super) fn carry_out(mut self, interrupt: &Interrupt) -> Result<Exit, Failure> {
        let mut ci = Ci {
            schema_version: CI_VERSION,
            software: software(),
            started: stamp(Timestamp::now()),
            inconclusive: self.arguments.inconclusive.into(),
            exit_code: 0,
            scenarios: Vec::new(),
        };
        let mut exit = Exit::Success;
        let mut unsaved = None;
        for task in std::mem::take(&mut self.tasks) {
            let (scenario, own) = if interrupt.stop().is_cancelled() {
                (not_run(&task.name, task.gate.is_some()), Exit::Interrupted)
            } else if unsaved.is_some() {
                // A load that leaves no result would be for nothing.
                (ci::unmeasured(&task.name, "results cannot be written"), Exit::Usage)
            } else {
                self.one(task, ci.inconclusive, interrupt)
            };
            exit = exit.worse(own);
            ci.exit_code = exit as u8;
            ci.scenarios.push(scenario);
            let written = |journal: &mut Journal| journal.conclude(ci.to_json(), || Ok(((), ci.files())))?.1;
            if unsaved.is_none()
                && let Err(failure) = written(&mut self.journal)
            {
                exit = exit.worse(failure.exit);
                unsaved = Some(failure);
            }
        }
        ci.exit_code = exit as u8;
        self.display.clear();
        let printed = self.tell(&ci);
        Failure::first_of(unsaved.map_or(Ok(exit), Err), printed)
    }

    /// Runs one scenario in a folder of its own.
    fn one(&self, task: Task, leniency: Leniency, interrupt: &Interrupt) -> (CiScenario, Exit) {
        let Task { name, scenario, baseline, gate } = task;
        let began = Instant::now();
        let limit: ci::AuditLimit = self.arguments.fail_on.map(Into::into);
        let folder = format!("runs/{name}");
        let mut reported = None;
        let result = claim(&self.journal.place().join(&folder), false).and_then(|claimed| {
            self.cleanup.hold_folder(claimed);
            let options = self.arguments.options();
            let base = baseline.as_ref().and_then(|(_, held)| held.clone()).map(|held| run::Base {
                held,
                place: PathBuf::from(&name),
                options: self.arguments.comparison.options(),
                // It is a check of its own here.
                decides: false,
            });
            let session = run::Session::new(options, scenario, self.lease(interrupt)?).with_baseline(base);
            session.carry_out(self.source.clone(), |report, saved| {
                let mut scenario =
                    CiScenario { folder: saved.map(|_| folder.clone()), ..ci::measured(&name, report, limit) };
                let fails = self.arguments.fail_on_regression;
                scenario.checks.extend(report.against.as_ref().map(|against| ci::compared(&name, against, fails)));
                if let Some((baseline, None)) = &baseline {
                    let run = self.journal.destination().join(&folder);
                    let run = Some(run).filter(|run| saved.is_some() && abstracted(report, run).counts());
                    scenario.checks.push(ci::no_baseline(&name, baseline, run.as_deref(), fails));
                }
                reported = Some(scenario);
                Ok(())
            })
        });
        // The private server, and the folder if nothing came of it.
        self.cleanup.clear();
        let wants_gate = gate.is_some();
        if let (Ok(_), Some(scenario), Some(task)) = (&result, &mut reported, gate) {
            scenario.checks.push(if interrupt.stop().is_cancelled() {
                ci::gate_interrupted(&name, None)
            } else {
                self.gate(&name, task, interrupt)
            });
        }
        let (mut scenario, exit) = match (result, reported) {
            (Ok(_), Some(reported)) => {
                let exit = Exit::of_scenario(&reported, leniency);
                (reported, exit)
            }
            (Err(failure), Some(mut reported)) => {
                reported.checks.push(ci::unsaved(&name, &failure.to_string()));
                let exit = Exit::of_scenario(&reported, leniency).worse(failure.exit);
                (reported, exit)
            }
            (Err(failure), None) if failure.exit == Exit::Interrupted => {
                (not_run(&name, wants_gate), Exit::Interrupted)
            }
            (Err(failure), None) => {
                let mut scenario = ci::unmeasured(&name, &failure.to_string());
                // What was asked for is reported, also where nothing came of it.
                scenario.checks.extend(wants_gate.then(|| ci::no_gate(&name, "the run before the gate failed")));
                (scenario, failure.exit)
            }
            (Ok(exit), None) => (ci::unmeasured(&name, "it ended without a result"), exit),
        };
        scenario.seconds = (began.elapsed().as_secs_f64() * 1e3).round() / 1e3;
        if !self.arguments.output.quiet() {
            for check in scenario.checks.iter().take(1) {
                self.display.say(&check.sentence);
            }
        }
        (scenario, exit)
    }

    /// Gates one scenario in a folder of its own.
    fn gate(&self, name: &str, task: gate::Task, interrupt: &Interrupt) -> CiCheck {
        let place = self.journal.place().join("gates").join(name);
        let mut check = None;
        let result = Journal::claim(&place, false, gate::FILE, &self.cleanup).and_then(|journal| {
            let session = gate::Session {
                // What CI loads was asked for in its configuration.
                yes: true,
                quiet: self.arguments.output.quiet(),
                task,
                journal,
                lease: self.lease(interrupt)?,
                began: Instant::now(),
            };
            session.carry_out(|report, _| {
                check = Some(ci::gated(name, report));
                Ok(())
            })
        });
        self.cleanup.clear();
        gated(name, result, check, interrupt.stop().is_cancelled())
    }

    fn lease(&self, interrupt: &Interrupt) -> Result<Lease, Failure> {
        Lease::new(interrupt.clone(), self.display.clone(), self.cleanup.clone())
    }

    fn tell(&mut self, ci: &Ci) -> Result<(), Failure> {
        let printed =
            output::tell(&output::summary(ci, self.arguments.output.format(), self.look, self.journal.folder(), None));
        Failure::first_of(printed, self.github.tell(ci))
    }
}

/// Check: the scenario was not run, since the user ended the command.
fn not_run(name: &str, wants_gate: bool) -> CiScenario {
    let mut scenario = ci::not_run(name);
    scenario.checks.extend(wants_gate.then(|| ci::gate_interrupted(name, None)));
    scenario
}

/// What came of a gate, given how it ended, what it reported and whether the user has `stopped` everything: a failure after that is
/// one of the person's making, whatever it says.
fn gated(name: &str, result: Result<Exit, Failure>, check: Option<CiCheck>, stopped: bool) -> CiCheck {
    match (result, check) {
        (Ok(Exit::Interrupted), check) => ci::gate_interrupted(name, check.as_ref()),
        (Err(_), check) if stopped => ci::gate_interrupted(name, check.as_ref()),
        (Ok(_), Some(check)) => check,
        (Ok(_), None) => ci::no_gate(name, "it ended without a result"),
        (Err(failure), _) => ci::no_gate(name, &failure.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        analysis::baseline::CompareOptions,
        report::{ComparisonReport, GateReport},
        results::{
            Abstract, Advisory, GateStage, Verdict,
            sample::{
                abstracted, abstracts,
                gate::{Worsening, gate as sample_gate},
                small_ci,
            },
        },
    };

    /// A scenario that passed, with this check besides.
    fn passed_with(check: CiCheck) -> CiScenario {
        let mut scenario = small_ci().scenarios.swap_remove(0);
        scenario.checks.retain(|check| check.outcome == Verdict::Pass);
        scenario.checks.push(check);
        scenario
    }

    /// Missed objective.
    fn missed() -> CiCheck {
        small_ci().scenarios.swap_remove(0).checks.swap_remove(0)
    }

    #[test]
    fn a_gate_that_a_person_ended_is_reported_as_such_and_ends_with_the_code_for_it() {
        let check = ci::no_gate("mixed", "what it says so far");
        for (result, check, detail) in [
            // Before its first block was made, after that, and while it was written.
            (Err(Failure::interrupted().within("arm A")), None, 0),
            (Ok(Exit::Interrupted), Some(check.clone()), 1),
            (Err(Failure::unusable(anyhow::anyhow!("the server went away"))), None, 0),
        ] {
            let check = gated("mixed", result, check, true);
            assert_eq!((check.outcome, check.detail.len()), (Verdict::Interrupted, detail));
            assert!(check.sentence.starts_with("mixed: the gate was interrupted"), "{}", check.sentence);
            let mut scenario = passed_with(check);
            assert_eq!(Exit::of_scenario(&scenario, Leniency::Warn), Exit::Interrupted);
            // A miss beside it is reported, and does not hide that something was left out.
            scenario.checks.push(missed());
            assert_eq!(Exit::of_scenario(&scenario, Leniency::Warn), Exit::Interrupted);
        }
        let unmade = gated("mixed", Err(Failure::unusable(anyhow::anyhow!("no server"))), None, false);
        assert_eq!(
            (unmade.outcome, Exit::of_scenario(&passed_with(unmade), Leniency::Warn)),
            (Verdict::Invalid, Exit::InvalidTargetOrMeasurement)
        );
        let whole = gated("mixed", Ok(Exit::Success), Some(check.clone()), true);
        assert_eq!(whole, check, "it was whole when the person came");
    }

    #[test]
    fn comparisons_end_as_the_commands_do_that_make_them_alone() {
        let both = [GateStage::Screen, GateStage::Confirm];
        for (worsening, stages, advisory) in [
            (Worsening::None, &both[..1], false),
            (Worsening::Uniform(0.15), &both[..1], false),
            (Worsening::Uniform(0.15), &both, false),
            (Worsening::Uniform(0.15), &both, true),
            (Worsening::Uniform(-0.15), &both[..1], false),
            (Worsening::None, &[], false),
        ] {
            let mut gate = sample_gate(worsening, 0.02, stages);
            gate.plan.advisory = advisory.then(|| Advisory::External("redis://cache:6379".to_owned()));
            let gate = GateReport::new(gate).unwrap();
            let check = ci::gated("mixed", &gate);
            let alone = Exit::of_ended(gate.gate.ended, gate.verdict());
            assert_eq!(Exit::of_ci(check.outcome, Leniency::Fail), alone, "{}", check.sentence);
        }
        let base = abstracts(10);
        for verdict in [
            Verdict::Pass,
            Verdict::Improved,
            Verdict::Fail,
            Verdict::Inconclusive,
            Verdict::NotComparable,
            Verdict::Invalid,
        ] {
            let of_run = if verdict == Verdict::Invalid { Verdict::Invalid } else { Verdict::Pass };
            let run = Abstract { verdict: of_run, ..abstracted(20, 1.0) };
            let mut compared =
                ComparisonReport::new("nightly".to_owned(), base.clone(), run, CompareOptions::default());
            compared.comparison.verdict = verdict;
            let check = ci::compared("mixed", &compared, true);
            assert!(check.decides, "{verdict:?}");
            assert_eq!(Exit::of_ci(check.outcome, Leniency::Fail), verdict.into(), "{verdict:?}");
        }
    }
}
