//! Servers of both arms of a block.

use anyhow::anyhow;

use super::arms::GatedArm;
use crate::{
    cli::{
        data::same_data,
        exit::Failure,
        lease::{Lease, Tenant},
    },
    results::{Side, Sides},
    target::{Besides, Source, Target},
};

/// Starts the servers, or looks at those that run; `first` is the arm that comes first, `at_once` whether both are connected at the
/// same time.
pub(super) fn set_up(
    sides: &Sides<GatedArm>,
    (first, at_once): (Side, bool),
    lease: &Lease,
) -> Result<Sides<Tenant>, Failure> {
    let open = |arm: Side, opened: Option<&Tenant>| {
        let side = &sides[arm];
        let besides = if at_once { besides(side, &sides[arm.other()], opened) } else { Besides::default() };
        let opened = lease.open(side.source.clone(), &side.scenario, besides);
        opened.map_err(|failure| failure.within(&format!("arm {arm}")))
    };
    let one = open(first, None)?;
    let other = open(first.other(), Some(&one))?;
    let tenants = if first == Side::A { Sides { a: one, b: other } } else { Sides { a: other, b: one } };
    if !sides.a.is_private() {
        lease.wait(check_apart(tenants.as_ref().map(|tenant| &tenant.target), sides))?;
    }
    Ok(tenants)
}

/// The connections of the other arm, by where they go; on all of its nodes, once they are known.
fn besides(side: &GatedArm, other: &GatedArm, opened: Option<&Tenant>) -> Besides {
    let connections = other.scenario.connections();
    match (&side.source, &other.source) {
        (Source::Url(own), Source::Url(theirs)) if own.site == theirs.site => {
            Besides { here: connections, elsewhere: 0 }
        }
        _ => {
            let opened = opened.map(|tenant| tenant.facts.opened(&other.scenario));
            Besides { here: 0, elsewhere: opened.unwrap_or(connections) }
        }
    }
}

/// Refuses arms that would overwrite each other's data: one server is reached by several addresses.
async fn check_apart(Sides { a, b }: Sides<&Target>, sides: &Sides<GatedArm>) -> Result<(), Failure> {
    let shares_database = a.databases().iter().any(|database| b.databases().contains(database));
    if !shares_database || same_data(&sides.a.scenario, &sides.b.scenario) {
        return Ok(());
    }
    match (a.run_id().await, b.run_id().await) {
        (Some(one), Some(other)) if one == other => Err(Failure::usage(anyhow!(
            "{} and {} are the same server, and the arms need different data in one database: use two databases or \
             servers",
            a.brief_address(),
            b.brief_address()
        ))),
        _ => Ok(()),
    }
}
