//! What the client library costs: some seconds after the load in which the wire client and fred take turns.

use std::time::Duration;

use anyhow::anyhow;

use crate::{
    analysis,
    cli::{
        args::scenario::refuse_for_plain_runs,
        exit::Failure,
        lease::{Lease, Tenant},
        turns::{InTurns, TURN},
    },
    load::{self, LoadError, Settings},
    results::ClientCost,
    scenario::{Client, Overrides, Scenario},
};

/// Length of the turns: six undisturbed seconds have an interval.
const LENGTH: Duration = Duration::from_secs(8);

/// Load before them: whole cycles of turns.
const WARMUP: Duration = Duration::from_millis(400);

/// Refuses a scenario that does not use fred, or whose events change the server that is compared.
pub(super) fn check(scenario: &Scenario) -> Result<(), Failure> {
    refuse_for_plain_runs(scenario, "a run with --client-cost")?;
    match scenario.services.iter().find(|service| service.client != Client::Fred) {
        None => Ok(()),
        Some(service) => Err(Failure::usage(anyhow!(
            "--client-cost measures what fred costs in comparison with the wire client, but service `{}` uses the wire \
             client: remove --client wire, or `client` of the service in the scenario",
            service.name
        ))),
    }
}

/// Loads the target with both clients in turns. A failure does not affect the run, and a Ctrl-C keeps the seconds until then.
pub(super) fn measure(
    Tenant { target, scenario, .. }: &Tenant,
    lease: &Lease,
    settings: Settings,
) -> Option<ClientCost> {
    let with = |client: Client| {
        let (duration, warmup) = (Some(LENGTH), Some(WARMUP));
        let overrides = Overrides { options: vec![client.into()], duration, warmup, ..Overrides::default() };
        overrides.apply(&scenario.source, &scenario.name).map_err(Failure::usage)
    };
    let loaded = with(Client::Wire).and_then(|wire| Ok([wire, with(Client::Fred)?])).and_then(|[wire, fred]| {
        let both = InTurns::new([(&wire, target), (&fred, target)], TURN);
        let settings = both.settings(settings);
        let mut show = |progress| lease.display.timed("Measuring the client library".to_owned(), &progress);
        match load::run(&both.scenario, &both.target, settings, lease.interrupt.stop(), &mut show) {
            Ok(recording) => Ok(Some(recording)),
            Err(LoadError::Interrupted) => Ok(None),
            Err(error) => Err(Failure::unusable(error)),
        }
    });
    match loaded {
        Ok(recording) => {
            let cost = analysis::client_cost(&recording?, TURN, LENGTH);
            (!cost.seconds.is_empty()).then_some(cost)
        }
        Err(failure) => {
            lease.display.say(&format!("warning: the cost of the client library was not measured: {failure}"));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::load;

    #[test]
    fn the_wire_client_has_nothing_to_be_compared_with() {
        let scenario = load("workflow-engine").unwrap();
        assert!(check(&scenario).is_ok());
        let set = vec![("service.ml.client".to_owned(), "wire".to_owned())];
        let mixed = Overrides { set, ..Overrides::default() }.apply(&scenario.source, "x").unwrap();
        let refusal = check(&mixed).unwrap_err().to_string();
        assert!(refusal.contains("service `ml` uses the wire client: remove --client wire"), "{refusal}");
    }
}
