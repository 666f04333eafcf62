//! Servers of both arms of a block, with their data.

use std::time::Instant;

use anyhow::anyhow;
use tokio::runtime::Runtime;

use super::arms::Side;
use crate::{
    cli::{
        claims::Claims,
        data::same_data,
        exit::Failure,
        interrupt::Interrupt,
        leftovers::{Leftovers, REMEDY},
        progress::Display,
    },
    results::TargetFacts,
    target::{Besides, PrivateServer, Secret, Source, Target, TargetError},
};

/// State shared by all blocks.
pub(super) struct Means<'a> {
    pub(super) runtime: &'a Runtime,
    pub(super) interrupt: &'a Interrupt,
    pub(super) began: Instant,
}

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
    /// Starts the servers, or looks at those that run; `first` is the arm that comes first, `at_once` whether both are connected at the
    /// same time.
    pub(super) fn set_up(
        sides: &[Side; 2],
        (first, at_once): (usize, bool),
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
            let besides = if at_once { besides(side, &sides[1 - arm]) } else { Besides::default() };
            display.step(if side.is_private() { "Starting private servers" } else { "Checking the targets" });
            let prepared = runtime.block_on(async {
                let (target, server) = interrupt.or(Target::prepare(side.source.clone(), &side.scenario)).await?;
                let address = server.as_ref().map(address);
                if let Some(server) = server {
                    leftovers.hold_server(server);
                }
                let facts = interrupt.or(target.preflight_beside(&side.scenario, besides)).await?;
                Ok::<_, Failure>((target, address, facts))
            });
            made[arm] = Some(prepared.map_err(about)?);
        }
        let [Some((target_a, address_a, facts_a)), Some((target_b, address_b, facts_b))] = made else {
            unreachable!("both arms were set up, or the failure of one was handed on")
        };
        let targets = [target_a, target_b];
        if !sides[0].is_private() {
            runtime.block_on(interrupt.or(check_apart(&targets, sides)))?;
        }
        Ok(Self { targets, addresses: [address_a, address_b], facts: [facts_a, facts_b], first, of_others: [false; 2] })
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
        claims: &Claims,
        means: &Means<'_>,
        leftovers: &Leftovers,
        display: &Display,
    ) {
        if leftovers.holds_server() {
            leftovers.stop_servers();
            return;
        }
        for ((target, side), of_others) in self.targets.iter().zip(sides).zip(self.of_others) {
            if of_others || !side.scenario.run.prefill || !claims.are_own() {
                continue;
            }
            display.step("Removing the scenario's keys");
            let removal = claims.remove(target, &side.scenario);
            if let Err(failure) = means.runtime.block_on(means.interrupt.to_the_end(removal)) {
                display
                    .say(&format!("warning: keys of the scenario stay on {}: {failure}; {REMEDY}", target.address()));
            }
        }
    }
}

/// The connections of the other arm, by where they go.
fn besides(side: &Side, other: &Side) -> Besides {
    let connections = other.scenario.connections();
    match (&side.source, &other.source) {
        (Source::Url(own), Source::Url(theirs)) if own.endpoint == theirs.endpoint => {
            Besides { here: connections, elsewhere: 0 }
        }
        _ => Besides { here: 0, elsewhere: connections },
    }
}

/// Refuses arms that would overwrite each other's data: one server is reached by several addresses.
async fn check_apart([a, b]: &[Target; 2], sides: &[Side; 2]) -> Result<(), Failure> {
    let shares_database = a.databases().iter().any(|database| b.databases().contains(database));
    if !shares_database || same_data(&sides[0].scenario, &sides[1].scenario) {
        return Ok(());
    }
    match (a.run_id().await, b.run_id().await) {
        (Some(one), Some(other)) if one == other => Err(Failure::usage(anyhow!(
            "{} and {} are the same server, and the arms need different data in the same database; give them databases or servers \
             of their own",
            a.address(),
            b.address()
        ))),
        _ => Ok(()),
    }
}

/// Address of a private server with the login of its administrator.
fn address(server: &PrivateServer) -> String {
    let secret = server.password(server.admin()).map(Secret::expose).unwrap_or_default();
    server.url().to_string().replacen("://", &format!("://{}:{secret}@", server.admin()), 1)
}
