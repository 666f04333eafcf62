//! Servers that a command uses, with its claims and its data on them.

use std::{cell::Cell, time::Duration};

use anyhow::anyhow;
use tokio::runtime::{self, Runtime};

use super::{
    args::target::INSECURE,
    cleanup::{Cleanup, REMEDY},
    data::same_data,
    exit::Failure,
    interrupt::Interrupt,
    progress::Display,
};
use crate::{
    results::TargetFacts,
    scenario::Scenario,
    target::{
        Besides, Outside, PrivateServer, ReferenceTime, Secret, Source, Target, TargetError, Timetable, claimant,
    },
};

/// Time in which a server has to answer once the user has ended the command.
const TIMEOUT: Duration = Duration::from_secs(1);

/// The servers of one command: private ones, claims so that no two runs write or remove the same keys, and the data that the
/// command has written. [`Self::release`] gives all of it back.
pub(super) struct Lease {
    pub(super) runtime: Runtime,
    pub(super) interrupt: Interrupt,
    pub(super) display: Display,
    pub(super) cleanup: Cleanup,
    claimant: String,
    /// Whether an unchecked server was mentioned.
    warned: Cell<bool>,
    claims: Vec<(Target, Scenario, Vec<Outside>)>,
    data: Vec<Data>,
}

/// Data of a scenario that is on a server, or part of it.
struct Data {
    target: Target,
    scenario: Scenario,
    /// Number of services whose clean-up commands are due.
    begun: usize,
    /// Whether the keys are the scenario's.
    has_keys: bool,
}

/// A server as one scenario uses it.
#[derive(Debug)]
pub(super) struct Tenant {
    pub(super) target: Target,
    pub(super) scenario: Scenario,
    pub(super) facts: TargetFacts,
    /// Address of a private server with the login of its administrator, for another program.
    pub(super) login: Option<String>,
    /// Events of the scenario.
    pub(super) timetable: Timetable,
}

impl Data {
    /// Whether the set-up commands that a scenario has were sent to its target.
    fn is_set_up_for(&self, target: &Target, scenario: &Scenario) -> bool {
        let is_there = self.target.address() == target.address() && self.target.databases() == target.databases();
        self.begun > 0 && is_there && same_data(&self.scenario, scenario)
    }
}

impl Lease {
    pub(super) fn new(interrupt: Interrupt, display: Display, cleanup: Cleanup) -> Result<Self, Failure> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::unusable)?;
        let (claims, data, warned) = (Vec::new(), Vec::new(), Cell::new(false));
        Ok(Self { runtime, interrupt, display, cleanup, claimant: claimant(), warned, claims, data })
    }

    /// The result of `work`, or a failure as soon as the user interrupts it.
    pub(super) fn wait<T, E: Into<Failure>>(&self, work: impl Future<Output = Result<T, E>>) -> Result<T, Failure> {
        self.runtime.block_on(self.interrupt.or(work))
    }

    /// The output of `work`, or a failure as soon as the user interrupts it.
    pub(super) fn race<T>(&self, work: impl Future<Output = T>) -> Result<T, Failure> {
        self.runtime.block_on(self.interrupt.race(work)).ok_or_else(Failure::interrupted)
    }

    /// Fails where a server is not worth waiting for: after an interruption, one that does not answer at once.
    pub(super) async fn reach(&self, target: &Target) -> Result<(), TargetError> {
        if self.interrupt.stop().is_cancelled() { target.answers(TIMEOUT).await } else { Ok(()) }
    }

    /// The clock of a server, and its run ID; that of this machine where it does not answer `TIME`.
    pub(super) fn clock(&self, target: &Target) -> Result<(ReferenceTime, Option<String>), Failure> {
        let time = self.race(target.time())?.unwrap_or_else(|error| {
            let warning =
                format!("warning: the server does not answer TIME, so the machines' own clocks decide: {error}");
            self.display.say(&warning);
            ReferenceTime::of_machine()
        });
        Ok((time, self.race(target.clock_run_id())?))
    }

    /// Starts a private server, or checks one that runs already. `besides` are connections that the command has at the same time.
    pub(super) fn open(&self, source: Source, scenario: &Scenario, besides: Besides) -> Result<Tenant, Failure> {
        let private = matches!(source, Source::Embedded { .. });
        let impossible = |reason: String| Failure::usage(anyhow!(reason));
        let elsewhere =
            if private { Timetable::default() } else { Timetable::without_nodes(scenario).map_err(impossible)? };
        self.display.step(if private { "Starting a private server" } else { "Checking the target" });
        let (target, server) = self.wait(Target::prepare(source, scenario))?;
        let login = server.as_ref().map(login);
        let timetable = server.as_ref().map(|server| server.timetable(scenario));
        if let Some(server) = server {
            self.cleanup.hold_server(server);
        }
        let timetable = timetable.transpose().map_err(impossible)?.unwrap_or(elsewhere);
        Ok(Tenant { login, timetable, ..self.check(target, scenario, besides)? })
    }

    /// Checks a server for a scenario.
    pub(super) fn check(&self, target: Target, scenario: &Scenario, besides: Besides) -> Result<Tenant, Failure> {
        if target.is_insecure() && !self.warned.replace(true) {
            self.display.say(INSECURE);
        }
        let facts = self.wait(target.preflight_beside(scenario, besides))?;
        Ok(Tenant { target, scenario: scenario.clone(), facts, login: None, timetable: Timetable::default() })
    }

    /// Claims the keys that the scenario writes, and says what it changes besides. A scenario that is measured with the data
    /// that is there claims nothing.
    pub(super) fn claim(&mut self, Tenant { target, scenario, facts, .. }: &Tenant) -> Result<(), Failure> {
        // Before, since a Ctrl-C may end it anywhere.
        self.claims.push((target.clone(), scenario.clone(), Vec::new()));
        if scenario.run.prefill {
            let claimed = self.wait(target.claim(scenario, &self.claimant));
            if claimed.is_err() && !self.interrupt.stop().is_cancelled() {
                self.claims.pop();
            }
            for takeover in claimed? {
                self.display.say(&format!("note: {takeover}"));
                for command in self.wait(target.clean_up_after(scenario, &takeover))? {
                    self.display.say(&format!("note: sent the clean-up command `{command}` for that run"));
                }
            }
            if !facts.private {
                self.cleanup.hold_keys(target.brief_address());
            }
        } else if let Err(error @ TargetError::Claimed { .. }) =
            self.race(target.claimed_by_another(scenario, &self.claimant))?
        {
            self.display.say(&format!("warning: {error}"));
        }
        let outside = self.race(target.outside(scenario))?;
        let is_known = |command| self.claims.iter().any(|(_, _, outside)| outside.contains(command));
        for command in outside.iter().filter(|command| !command.is_cleaned() && !is_known(command)) {
            self.display.say(&format!("warning: {command}"));
        }
        if let Some((_, _, known)) = self.claims.last_mut() {
            *known = outside;
        }
        Ok(())
    }

    /// Sends the set-up commands and writes the scenario's data, unless it is measured with the data that is there.
    pub(super) fn fill(&mut self, Tenant { target, scenario, .. }: &Tenant) -> Result<(), Failure> {
        if !scenario.run.prefill {
            return Ok(());
        }
        // What could not be removed before is written anew.
        let is_replaced = |of: &Data| of.target.address() == target.address() && of.scenario.source == scenario.source;
        let mut begun = self.data.iter().filter(|of| is_replaced(of)).map(|of| of.begun).max().unwrap_or_default();
        self.data.retain(|of| !is_replaced(of));
        let is_set_up = begun > 0 || self.data.iter().any(|of| of.is_set_up_for(target, scenario));
        self.data.push(Data { target: target.clone(), scenario: scenario.clone(), begun, has_keys: false });
        if !is_set_up {
            let sent = self.race(target.set_up(scenario, &mut begun));
            self.data.last_mut().expect("it was added").begun = begun;
            sent??;
        }
        let mut show = |done, total| self.display.prefilled(done, total);
        let written = self.race(target.prefill(scenario, &mut show));
        // Keys of another type that were there before are another user's.
        self.data.last_mut().expect("it was added").has_keys =
            !matches!(written, Ok(Err(TargetError::OtherType { .. })));
        Ok(written??)
    }

    /// Whether the command has written any data.
    pub(super) fn has_data(&self) -> bool {
        !self.data.is_empty()
    }

    /// Whether the data of a scenario is there.
    pub(super) fn has_data_of(&self, scenario: &Scenario) -> bool {
        self.data.iter().any(|data| same_data(&data.scenario, scenario))
    }

    /// Sends the clean-up commands and removes the data, unless another run has claimed its keys meanwhile. What cannot be removed is kept for the next time, and the
    /// reasons are returned.
    pub(super) fn empty(&mut self) -> Vec<Failure> {
        let mut failures = Vec::new();
        for mut data in std::mem::take(&mut self.data) {
            let Data { target, scenario, begun, has_keys } = &mut data;
            let mut refused = Vec::new();
            let removal = async {
                self.reach(target).await?;
                target.claimed_by_another(scenario, &self.claimant).await?;
                refused = target.send_cleanup(scenario, *begun).await?;
                *begun = 0;
                if *has_keys { target.cleanup(scenario).await.map(drop) } else { Ok(()) }
            };
            let removed = self.runtime.block_on(self.interrupt.to_the_end(removal));
            for error in refused {
                self.display.say(&format!("warning: {error}"));
            }
            if let Err(failure) = removed {
                failures.push(failure.within(&format!("keys of the scenario stay on {}", target.brief_address())));
                self.data.push(data);
            }
        }
        failures
    }

    /// Stops private servers, and removes the data from the others.
    pub(super) fn clear(&mut self) -> Vec<Failure> {
        if self.cleanup.holds_server() {
            self.cleanup.stop_servers();
            self.data.clear();
        } else if !self.data.is_empty() {
            self.display.step("Removing the scenario's keys");
        }
        self.empty()
    }

    /// Leaves the data on the servers for good.
    pub(super) fn keep_data(&mut self) {
        self.data.clear();
    }

    /// Gives everything back, and prints what stays; no failure spoils what was measured. Claims stay where data does, so that the
    /// next run takes it over.
    pub(super) fn release(&mut self) {
        let failures = self.clear();
        for failure in &failures {
            self.display.say(&format!("warning: {failure}; {REMEDY}"));
        }
        if failures.is_empty() {
            let released = self.runtime.block_on(self.interrupt.to_the_end(self.give_back()));
            if let Err(failure) = released {
                let what = "the claim of the scenario's keys stays on the server";
                self.display.say(&format!("warning: {what}: {failure}; {REMEDY}"));
            }
        }
        self.claims.clear();
        self.cleanup.let_go_of_keys();
    }

    /// Gives the claims back, and prints what the scenarios wrote besides.
    async fn give_back(&self) -> Result<(), TargetError> {
        let (mut result, mut said) = (Ok(()), Vec::new());
        for (target, scenario, outside) in &self.claims {
            for left in target.left(outside).await {
                if !said.contains(&left) {
                    self.display.say(&format!("warning: {left}"));
                    said.push(left);
                }
            }
            if scenario.run.prefill {
                result = result.and(target.release(scenario, &self.claimant).await);
            }
        }
        result
    }
}

fn login(server: &PrivateServer) -> String {
    let secret = server.password(server.admin()).map(Secret::expose).unwrap_or_default();
    server.url().to_string().replacen("://", &format!("://{}:{secret}@", server.admin()), 1)
}
