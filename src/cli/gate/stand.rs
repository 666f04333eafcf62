//! What the slices of a block are made on: the servers of both arms, with their data.

use tokio::runtime::Runtime;

use super::arms::Side;
use crate::{
    cli::{exit::Failure, interrupt::Interrupt, leftovers::Leftovers, progress::Display},
    results::TargetFacts,
    target::{PrivateServer, Secret, Target, TargetError},
};

/// Servers of both arms, ready for load.
pub(super) struct Stand {
    pub(super) targets: [Target; 2],
    /// Address with login of each private one, for another program.
    pub(super) addresses: [Option<String>; 2],
    pub(super) facts: [TargetFacts; 2],
    /// The arm that is set up and filled first.
    first: usize,
    /// Whether keys that an arm would write exist already and are of another type.
    of_others: [bool; 2],
}

impl Stand {
    /// Starts the servers, or looks at those that run, and writes the data; `first` is the arm that comes first.
    pub(super) fn set_up(
        sides: &[Side; 2],
        first: usize,
        runtime: &Runtime,
        leftovers: &Leftovers,
        display: &Display,
        interrupt: &Interrupt,
    ) -> Result<Self, Failure> {
        let order = [first, 1 - first];
        let mut made = [None, None];
        for arm in order {
            let side = &sides[arm];
            let about = |failure: Failure| failure.within(&format!("arm {}", ["A", "B"][arm]));
            display.step(if side.is_private() { "Starting private servers" } else { "Checking the targets" });
            let prepared = runtime.block_on(async {
                let (target, server) = interrupt.or(Target::prepare(side.source.clone(), &side.scenario)).await?;
                let address = server.as_ref().map(address);
                if let Some(server) = server {
                    leftovers.hold_server(server);
                }
                let facts = interrupt.or(target.preflight(&side.scenario)).await?;
                Ok::<_, Failure>((target, address, facts))
            });
            made[arm] = Some(prepared.map_err(about)?);
        }
        let [Some((target_a, address_a, facts_a)), Some((target_b, address_b, facts_b))] = made else {
            unreachable!("both arms were set up, or the failure of one was handed on")
        };
        Ok(Self {
            targets: [target_a, target_b],
            addresses: [address_a, address_b],
            facts: [facts_a, facts_b],
            first,
            of_others: [false; 2],
        })
    }

    /// Writes the data of both arms, in the order in which they were set up.
    pub(super) fn prefill(
        &mut self,
        sides: &[Side; 2],
        runtime: &Runtime,
        display: &Display,
        interrupt: &Interrupt,
    ) -> Result<(), Failure> {
        for arm in [self.first, 1 - self.first] {
            let (target, side, of_others) = (&self.targets[arm], &sides[arm], &mut self.of_others[arm]);
            if !side.scenario.run.prefill {
                continue;
            }
            let mut show = |done, total| display.prefilled(done, total);
            let prefill = async {
                let written = target.prefill(&side.scenario, &mut show).await;
                *of_others |= matches!(written, Err(TargetError::OtherType { .. }));
                written
            };
            runtime.block_on(interrupt.or(prefill))?;
        }
        Ok(())
    }

    /// Stops private servers, and removes the data from those that stay.
    pub(super) fn tear_down(
        self,
        sides: &[Side; 2],
        runtime: &Runtime,
        leftovers: &Leftovers,
        display: &Display,
        interrupt: &Interrupt,
    ) {
        if leftovers.holds_server() {
            leftovers.stop_servers();
            return;
        }
        for ((target, side), of_others) in self.targets.iter().zip(sides).zip(self.of_others) {
            if of_others || !side.scenario.run.prefill {
                continue;
            }
            display.step("Removing the scenario's keys");
            let removed = runtime.block_on(interrupt.to_the_end(target.cleanup(&side.scenario)));
            if let Err(failure) = removed {
                display.say(&format!("warning: keys of the scenario stay on {}: {failure}", target.address()));
            }
        }
    }
}

/// Address of a private server with the login of its administrator.
fn address(server: &PrivateServer) -> String {
    let secret = server.password(server.admin()).map(Secret::expose).unwrap_or_default();
    server.url().to_string().replacen("://", &format!("://{}:{secret}@", server.admin()), 1)
}
