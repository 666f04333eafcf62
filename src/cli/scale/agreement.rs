//! What generators and the process that started them have to agree about.

use std::time::Instant;

use anyhow::anyhow;

use crate::{
    cli::{
        environment::software,
        exit::Failure,
        shard::lines::{Contact, Introduction},
    },
    measure::nanos,
    results::{ClockReference, Software},
    target::ReferenceTime,
};

/// Largest difference of clocks of two machines, where the start goes by these.
const APART: i64 = 250_000_000;

/// A failure of generators.
pub(super) fn lost(reason: String) -> Failure {
    Failure::unusable(anyhow!(reason))
}

/// Refuses a generator of another plimsoll, whose numbers may mean something else, and another number of them.
pub(super) fn check_build(of: &Introduction, generators: u32) -> Result<(), Failure> {
    if of.of != generators {
        return Err(lost(format!(
            "the launcher started {} processes instead of {generators}: check the numbers in --launcher",
            of.of
        )));
    }
    let own = software();
    if of.software == own {
        return Ok(());
    }
    let version = |software: &Software| {
        format!("{} {} ({})", software.version, software.commit.as_deref().unwrap_or(""), software.profile)
    };
    Err(Failure::usage(anyhow!(
        "the generator on {} runs plimsoll {}, and this is {}: install the same build everywhere (--program)",
        of.host,
        version(&of.software),
        version(&own)
    )))
}

/// Refuses a generator that reaches another server, or goes by another clock, than this process.
pub(super) fn check_clock(
    name: &str,
    (heard, known): &(Instant, Contact),
    (time, server): (ReferenceTime, Option<&str>),
) -> Result<(), Failure> {
    if known.server.as_deref() != server {
        return Err(lost(format!(
            "{name} reaches another server by this address than the one that was checked here: use an address that means the same on \
             all machines"
        )));
    }
    let is_machine = known.clock.reference == ClockReference::Machine;
    if is_machine != time.uncertainty().is_none() {
        return Err(lost(format!("the server answered TIME to only one of this process and {name}: repeat the run")));
    }
    let own = ReferenceTime::of_machine().now() as i64;
    let difference = known.wall.saturating_add(nanos(heard.elapsed()) as i64) - own;
    if is_machine && difference.saturating_abs() > APART {
        return Err(lost(format!(
            "the clock of {name} differs by {:.1} s from the one here, and the server does not answer TIME: set the clocks, or give the \
             user the right to TIME (ACL SETUSER user +time)",
            difference as f64 / 1e9
        )));
    }
    Ok(())
}
