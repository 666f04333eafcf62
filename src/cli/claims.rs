//! Claims of a command on servers that stay, so that no two runs write or remove the same keys.

use tokio::runtime::Runtime;

use super::{
    interrupt::Interrupt,
    leftovers::{Leftovers, REMEDY},
    progress::Display,
};
use crate::{
    scenario::Scenario,
    target::{Outside, Target, TargetError, claimant},
};

/// Claims of one command, on all its targets.
pub(super) struct Claims {
    claimant: String,
    held: Vec<Held>,
    leftovers: Leftovers,
}

struct Held {
    target: Target,
    scenario: Scenario,
    outside: Vec<Outside>,
    /// Whether no keys were there before.
    is_own: bool,
}

impl Claims {
    pub(super) fn new(leftovers: Leftovers) -> Self {
        Self { claimant: claimant(), held: Vec::new(), leftovers }
    }

    /// Claims the keys that a scenario writes, and says what it changes besides. A scenario that is measured with the data
    /// that is there claims nothing.
    pub(super) async fn take(
        &mut self,
        target: &Target,
        scenario: &Scenario,
        display: &Display,
    ) -> Result<(), TargetError> {
        // Before, since a Ctrl-C may end it anywhere.
        self.held.push(Held { target: target.clone(), scenario: scenario.clone(), outside: Vec::new(), is_own: false });
        if scenario.run.prefill {
            match target.claim(scenario, &self.claimant).await {
                Ok(takeovers) => {
                    for takeover in takeovers {
                        display.say(&format!("note: {takeover}"));
                    }
                }
                Err(error) => {
                    self.held.pop();
                    return Err(error);
                }
            }
            self.leftovers.hold_keys(target.address());
        } else if let Err(error @ TargetError::Claimed { .. }) =
            target.claimed_by_another(scenario, &self.claimant).await
        {
            display.say(&format!("warning: {error}"));
        }
        let outside = target.outside(scenario).await;
        let is_known = |command: &Outside| self.held.iter().any(|held| held.outside.contains(command));
        for command in outside.iter().filter(|command| !is_known(command)) {
            display.say(&format!("warning: {command}"));
        }
        if let Some(held) = self.held.last_mut() {
            (held.outside, held.is_own) = (outside, true);
        }
        Ok(())
    }

    /// Whether the keys of the scenarios are those of this command.
    pub(super) fn are_own(&self) -> bool {
        let mut claimed = self.held.iter().filter(|held| held.scenario.run.prefill).peekable();
        claimed.peek().is_some() && claimed.all(|held| held.is_own)
    }

    /// Removes the keys of a scenario, where there are any to remove, and gives all claims back. A failure becomes a warning: it
    /// does not spoil what was measured. Where the keys stay, their claim does too.
    pub(super) fn end(
        &mut self,
        keys: Option<(&Target, &Scenario)>,
        runtime: &Runtime,
        interrupt: &Interrupt,
        display: &Display,
    ) {
        if let Some((target, scenario)) = keys {
            display.step("Removing the scenario's keys");
            let removed = runtime.block_on(interrupt.to_the_end(self.remove(target, scenario)));
            if let Err(failure) = removed {
                display.say(&format!("warning: keys of the scenario stay on the server: {failure}; {REMEDY}"));
                self.leftovers.let_go_of_keys();
                return;
            }
        }
        let released = runtime.block_on(interrupt.to_the_end(self.release(display)));
        if let Err(failure) = released {
            display.say(&format!("warning: the claim of the scenario's keys stays on the server: {failure}; {REMEDY}"));
        }
    }

    /// Removes the keys of a scenario, unless another run has claimed them meanwhile.
    pub(super) async fn remove(&self, target: &Target, scenario: &Scenario) -> Result<u64, TargetError> {
        target.claimed_by_another(scenario, &self.claimant).await?;
        target.cleanup(scenario).await
    }

    /// Gives everything back, and says what stays. A claim that cannot be given back stays, as does one of keys that could
    /// not be removed.
    async fn release(&mut self, display: &Display) -> Result<(), TargetError> {
        let (mut result, mut said) = (Ok(()), Vec::new());
        for Held { target, scenario, outside, .. } in self.held.drain(..) {
            for left in target.left(&outside).await {
                if !said.contains(&left) {
                    display.say(&format!("warning: {left}"));
                    said.push(left);
                }
            }
            if scenario.run.prefill {
                result = result.and(target.release(&scenario, &self.claimant).await);
            }
        }
        self.leftovers.let_go_of_keys();
        result
    }
}
