//! All scenarios, from the first to the exit code.

use std::{path::PathBuf, time::Instant};

use jiff::Timestamp;

use super::{Arguments, Errand, github::Github};
use crate::{
    cli::{
        environment::software,
        exit::{Exit, Failure},
        gate,
        interrupt::Interrupt,
        journal::Journal,
        leftovers::Leftovers,
        output::{self, Colour},
        progress::Display,
        report::{ci_text, summarised},
        run,
    },
    report::{self, AuditLimit, ci_no_baseline, ci_no_gate, ci_not_run, ci_unmeasured},
    results::{CI_VERSION, Ci, CiCheck, CiOutcome, CiScenario, Leniency, ResultFolder},
    target::Source,
};

/// What is needed and held.
pub(super) struct Session {
    pub(super) arguments: Arguments,
    pub(super) colour: Colour,
    pub(super) errands: Vec<Errand>,
    pub(super) source: Source,
    pub(super) github: Github,
    pub(super) journal: Journal,
    pub(super) display: Display,
    /// What must not stay behind of the run that is under way.
    pub(super) leftovers: Leftovers,
}

impl Session {
    /// Runs every scenario, then tells what came of them.
    pub(super) fn carry_out(mut self, interrupt: &Interrupt) -> Result<Exit, Failure> {
        let mut ci = Ci {
            schema_version: CI_VERSION,
            software: software(),
            started: Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            inconclusive: self.arguments.inconclusive.into(),
            exit_code: 0,
            scenarios: Vec::new(),
        };
        let mut exit = Exit::Met;
        let mut unsaved = None;
        for errand in std::mem::take(&mut self.errands) {
            let (scenario, own) = if interrupt.stop().is_requested() {
                (ci_not_run(&errand.name), Exit::Interrupted)
            } else if unsaved.is_some() {
                // A load that leaves no result would be for nothing.
                (ci_unmeasured(&errand.name, "results cannot be written"), Exit::Usage)
            } else {
                self.one(errand, ci.inconclusive, interrupt)
            };
            exit = worse(exit, own);
            ci.exit_code = exit as u8;
            ci.scenarios.push(scenario);
            if unsaved.is_none()
                && let Err(failure) = self.journal.write(report::ci_files(&ci), ci.to_json())
            {
                exit = worse(exit, failure.exit);
                unsaved = Some(failure);
            }
        }
        ci.exit_code = exit as u8;
        self.display.clear();
        self.tell(&ci)?;
        match unsaved {
            Some(failure) => Err(failure),
            None => Ok(exit),
        }
    }

    /// Runs one scenario in a folder of its own.
    fn one(&self, errand: Errand, leniency: Leniency, interrupt: &Interrupt) -> (CiScenario, Exit) {
        let Errand { name, scenario, baseline, gate } = errand;
        let began = Instant::now();
        let limit: AuditLimit = self.arguments.fail_on.map(Into::into);
        let folder = format!("runs/{name}");
        let mut told = None;
        let result = ResultFolder::claim(&self.journal.place().join(&folder), false).map_err(Failure::usage).and_then(
            |claimed| {
                self.leftovers.hold_folder(claimed);
                let manner = self.arguments.manner();
                let base = baseline.as_ref().and_then(|(_, held)| held.clone()).map(|held| run::Base {
                    held,
                    place: PathBuf::from(&name),
                    question: self.arguments.how.question(),
                    // It is a check of its own here.
                    decides: false,
                });
                let session = run::Session::new(manner, scenario, self.display.clone(), self.leftovers.clone())
                    .held_against(base);
                session.carry_out(self.source.clone(), interrupt, |concluded, saved| {
                    let folder = saved.map(|_| folder.clone());
                    let mut scenario = CiScenario { folder, ..concluded.for_ci(&name, limit) };
                    scenario.checks.extend(concluded.comparison_for_ci(&name, self.arguments.fail_on_regression));
                    if let Some((baseline, None)) = &baseline {
                        scenario.checks.push(ci_no_baseline(&name, baseline));
                    }
                    told = Some(scenario);
                    Ok(())
                })
            },
        );
        // The private server, and the folder if nothing came of it.
        self.leftovers.clear();
        if let (Ok(_), Some(scenario), Some(errand)) = (&result, &mut told, gate)
            && !interrupt.stop().is_requested()
        {
            scenario.checks.push(self.gate(&name, errand, interrupt));
        }
        let (mut scenario, exit) = match (result, told) {
            (Ok(Exit::Interrupted), Some(told)) => (told, Exit::Interrupted),
            (Ok(_), Some(told)) => {
                let exit = exit_of(&told, leniency);
                (told, exit)
            }
            (Err(failure), Some(mut told)) => {
                let unsaved = ci_unmeasured(&name, &failure.to_string()).checks;
                let not_saved =
                    |check: CiCheck| CiCheck { sentence: format!("{name} could not be saved: {failure}"), ..check };
                told.checks.extend(unsaved.into_iter().map(not_saved));
                let exit = worse(exit_of(&told, leniency), failure.exit);
                (told, exit)
            }
            (Err(failure), None) if failure.exit == Exit::Interrupted => (ci_not_run(&name), Exit::Interrupted),
            (Err(failure), None) => (ci_unmeasured(&name, &failure.to_string()), failure.exit),
            (Ok(exit), None) => (ci_unmeasured(&name, "it ended without a result"), exit),
        };
        scenario.seconds = (began.elapsed().as_secs_f64() * 1e3).round() / 1e3;
        if !self.arguments.quiet {
            for check in scenario.checks.iter().take(1) {
                self.display.say(&check.sentence);
            }
        }
        (scenario, exit)
    }

    /// Gates one scenario in a folder of its own.
    fn gate(&self, name: &str, errand: gate::Errand, interrupt: &Interrupt) -> CiCheck {
        let place = self.journal.place().join("gates").join(name);
        let mut told = None;
        let result = Journal::claim(&place, false, gate::FILE, &self.leftovers).and_then(|journal| {
            let session = gate::Session {
                // What CI loads was asked for in its configuration.
                yes: true,
                quiet: self.arguments.quiet,
                errand,
                journal,
                display: self.display.clone(),
                leftovers: self.leftovers.clone(),
            };
            session.carry_out(interrupt, |concluded, _| {
                told = Some(concluded.for_ci(name));
                Ok(())
            })
        });
        self.leftovers.clear();
        match (result, told) {
            (Ok(Exit::Interrupted), _) => ci_not_run(name).checks.remove(0),
            (Ok(_), Some(check)) => check,
            (Err(failure), _) => ci_no_gate(name, &failure.to_string()),
            (Ok(_), None) => ci_no_gate(name, "it ended without a result"),
        }
    }

    fn tell(&mut self, ci: &Ci) -> Result<(), Failure> {
        let mut text = ci_text(ci, self.arguments.format, self.colour);
        if let (output::Format::Text, Some(folder)) = (self.arguments.format, self.journal.folder()) {
            text.push_str(&summarised(folder));
        }
        output::print(text)?;
        self.github.tell(ci)
    }
}

/// The exit code for a scenario that came to a result.
fn exit_of(scenario: &CiScenario, leniency: Leniency) -> Exit {
    match scenario.outcome() {
        CiOutcome::Inconclusive if leniency == Leniency::Fail => Exit::Inconclusive,
        CiOutcome::Passed | CiOutcome::Inconclusive => Exit::Met,
        CiOutcome::Interrupted => Exit::Interrupted,
        CiOutcome::Invalid => Exit::Unusable,
        CiOutcome::Failed => Exit::Missed,
    }
}

/// The worse of two. A miss that is certain is worse than what could not be measured, and what the person must change
/// before anything can be told is worse than both.
fn worse(a: Exit, b: Exit) -> Exit {
    let rank = |exit: Exit| match exit {
        Exit::Met => 0,
        Exit::Inconclusive => 1,
        Exit::Unusable => 2,
        Exit::Missed => 3,
        Exit::Usage => 4,
        Exit::Interrupted => 5,
    };
    if rank(b) > rank(a) { b } else { a }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_is_told_whatever_the_order() {
        let order = [Exit::Met, Exit::Inconclusive, Exit::Unusable, Exit::Missed, Exit::Usage, Exit::Interrupted];
        for (place, worst) in order.into_iter().enumerate() {
            for other in &order[..=place] {
                assert_eq!(worse(*other, worst), worst);
                assert_eq!(worse(worst, *other), worst);
            }
        }
    }
}
