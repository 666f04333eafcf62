//! Servers of both arms of a block.

use anyhow::anyhow;

use super::arms::Side;
use crate::{
    cli::{
        data::same_data,
        exit::Failure,
        lease::{Lease, Tenant},
    },
    target::{Besides, Source, Target},
};

/// Starts the servers, or looks at those that run; `first` is the arm that comes first, `at_once` whether both are connected at the
/// same time.
pub(super) fn set_up(
    sides: &[Side; 2],
    (first, at_once): (usize, bool),
    lease: &Lease,
) -> Result<[Tenant; 2], Failure> {
    let open = |arm: usize| {
        let side = &sides[arm];
        let besides = if at_once { besides(side, &sides[1 - arm]) } else { Besides::default() };
        let opened = lease.open(side.source.clone(), &side.scenario, besides);
        opened.map_err(|failure| failure.within(&format!("arm {}", ["A", "B"][arm])))
    };
    let mut tenants = [open(first)?, open(1 - first)?];
    tenants.rotate_left(first);
    if !sides[0].is_private() {
        lease.wait(check_apart(tenants.each_ref().map(|tenant| &tenant.target), sides))?;
    }
    Ok(tenants)
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
async fn check_apart([a, b]: [&Target; 2], sides: &[Side; 2]) -> Result<(), Failure> {
    let shares_database = a.databases().iter().any(|database| b.databases().contains(database));
    if !shares_database || same_data(&sides[0].scenario, &sides[1].scenario) {
        return Ok(());
    }
    match (a.run_id().await, b.run_id().await) {
        (Some(one), Some(other)) if one == other => Err(Failure::usage(anyhow!(
            "{} and {} are the same server, and the arms need different data in one database: use two databases or \
             servers",
            a.address(),
            b.address()
        ))),
        _ => Ok(()),
    }
}
