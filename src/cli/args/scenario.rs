//! The scenario that a command line names, and the fields of it that the command line sets.

use std::time::Duration;

use anyhow::anyhow;
use clap::{
    Args,
    builder::{PossibleValuesParser, TypedValueParser},
};

use super::number::{SEEDS, positive, whole};
use crate::{
    cli::{exit::Failure, stderr},
    scenario::{self, Overrides, Scenario, ServiceOption},
};

/// The scenario that is meant where none is named.
pub(in crate::cli) const DEFAULT: &str = "workflow-engine";

/// Fields of a scenario.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct FieldArgs {
    /// Value of a field of the scenario, such as `service.api.pool.size=100`; repeatable
    #[arg(long, value_name = "FIELD=VALUE", value_parser = setting, help_heading = "Scenario")]
    pub(in crate::cli) set: Vec<(String, String)>,
}

impl FieldArgs {
    pub(in crate::cli) fn overrides(&self) -> Overrides {
        Overrides { set: self.set.clone(), ..Overrides::default() }
    }
}

/// Fields, seed and options of services of a scenario.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct ScenarioArgs {
    /// Seed of the random numbers; default: the scenario's
    #[arg(long, value_name = "N", value_parser = whole::<u64>(0..=SEEDS), help_heading = "Scenario")]
    seed: Option<u64>,
    /// Client library of all services: `fred`, as applications use it, or `wire`, plimsoll's own, which takes less CPU time per
    /// request; default: the scenario's
    #[arg(long, value_parser = option("client"), help_heading = "Scenario")]
    client: Option<ServiceOption>,
    /// Version of the protocol of all services: `2` for RESP2, `3` for RESP3; default: the scenario's
    #[arg(long, value_parser = option("protocol"), help_heading = "Scenario")]
    protocol: Option<ServiceOption>,
    /// Pin each thread that sends requests to a core, so that the kernel does not move it
    #[arg(long, help_heading = "Harness")]
    pin: bool,
    #[command(flatten)]
    pub(in crate::cli) fields: FieldArgs,
}

impl ScenarioArgs {
    pub(in crate::cli) fn overrides(&self) -> Overrides {
        let options = self.client.into_iter().chain(self.protocol).collect();
        Overrides { seed: self.seed, options, pin: self.pin, ..self.fields.overrides() }
    }
}

/// The whole load of a scenario.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct LoadArgs {
    /// Length of the measured period, such as `30s` or `5m`; default: the scenario's
    #[arg(long, value_name = "TIME", value_parser = scenario::parse_duration, help_heading = "Scenario")]
    duration: Option<Duration>,
    /// Length of the load before the measured period; default: the scenario's
    #[arg(long, value_name = "TIME", value_parser = scenario::parse_duration, help_heading = "Scenario")]
    warmup: Option<Duration>,
    /// Requests per second of all open-loop services together, in unchanged proportions; default: the scenario's
    #[arg(long, value_name = "N", value_parser = positive, help_heading = "Scenario")]
    rate: Option<f64>,
    #[command(flatten)]
    scenario: ScenarioArgs,
}

impl LoadArgs {
    pub(in crate::cli) fn overrides(&self) -> Overrides {
        let Self { duration, warmup, rate, .. } = *self;
        Overrides { duration, warmup, rate, ..self.scenario.overrides() }
    }
}

/// Consent to the commands of a scenario's events.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct CommandArgs {
    /// Carry out commands of events (`exec:COMMAND`) without confirmation
    #[arg(long, help_heading = "Scenario")]
    pub(in crate::cli) yes: bool,
}

/// The scenario that a command line names, for a private server or a given one, with what the command line changes.
pub(in crate::cli) fn scenario(name: &str, private: bool, overrides: &Overrides) -> Result<Scenario, Failure> {
    let source = scenario::source(name).map_err(Failure::usage)?;
    let (source, changed) = if private { (source, false) } else { source.without_private_users() };
    if changed {
        stderr::print(&format!(
            "note: the users of the built-in scenario {name} exist on private servers only; its services use the login \
             of the target's URL"
        ));
    }
    overrides.apply(&source.text, &source.file).map_err(Failure::usage)
}

/// Refuses a scenario with what only runs carry out and judge, for a command that is none. All of it is named.
pub(in crate::cli) fn refuse_for_runs(scenario: &Scenario, command: &str) -> Result<(), Failure> {
    let recovery =
        scenario.objective.recovery.map(|_| format!("objective.recovery: {command} does not judge recoveries"));
    let reasons: Vec<_> = unplanned(scenario, command).into_iter().chain(recovery).collect();
    refuse(&reasons)
}

/// Refuses a scenario with what happens in runs alone, for a run of which a part is none.
pub(in crate::cli) fn refuse_for_plain_runs(scenario: &Scenario, command: &str) -> Result<(), Failure> {
    refuse(&unplanned(scenario, command))
}

fn unplanned(scenario: &Scenario, command: &str) -> Vec<String> {
    let audit = scenario.audit_writes.map(|_| format!("audit_writes: {command} has no audit of writes"));
    let events: Vec<_> = scenario.events.iter().map(ToString::to_string).collect();
    let events = (!events.is_empty()).then(|| format!("event {}: {command} has no events", events.join(", ")));
    audit.into_iter().chain(events).collect()
}

fn refuse(reasons: &[String]) -> Result<(), Failure> {
    let them = match reasons.len() {
        0 => return Ok(()),
        1 => "it",
        _ => "them",
    };
    Err(Failure::usage(anyhow!("{}: remove {them} from the scenario, or use plimsoll run", reasons.join("; "))))
}

/// The words of a field of services.
fn option(field: &'static str) -> impl TypedValueParser<Value = ServiceOption> {
    PossibleValuesParser::new(ServiceOption::words(field)).map(move |word| {
        ServiceOption::parse(field, &word).and_then(Result::ok).expect("the parser lets these words pass only")
    })
}

/// A field and its value, as `--set` takes them.
fn setting(text: &str) -> Result<(String, String), String> {
    let (field, value) = text.split_once('=').ok_or("expected FIELD=VALUE, such as service.api.pool.size=100")?;
    Ok((field.trim().to_owned(), value.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_split_at_its_first_equals_sign() {
        assert_eq!(setting("a.b = x=1"), Ok(("a.b".to_owned(), "x=1".to_owned())));
        assert!(setting("a.b").is_err());
    }

    #[test]
    fn all_that_only_runs_have_is_refused_at_once() {
        let with = |lines: &str| {
            let service = "[[service]]\nname = \"s\"\nload.rate = 1\noperation = [{ command = \"GET\" }]\n";
            scenario::parse(&format!("name = \"x\"\n{lines}\n{service}"), "x.toml").unwrap()
        };
        let refusal = |lines: &str| refuse_for_runs(&with(lines), "a gate").unwrap_err().to_string();
        let event = |at: &str, what: &str| format!("[[event]]\nat = \"{at}\"\ndo = \"{what}\"\n");
        let events = event("1s", "kill:primary") + &event("2s", "failover");
        assert_eq!(
            refusal(&format!("audit_writes.rate = 5\nobjective.recovery = \"2s\"\n{events}")),
            "audit_writes: a gate has no audit of writes; event 1s=kill:primary, 2s=failover: a gate has no events; \
             objective.recovery: a gate does not judge recoveries: remove them from the scenario, or use plimsoll run"
        );
        assert!(
            refusal("objective.recovery = \"2s\"")
                .ends_with("recoveries: remove it from the scenario, or use plimsoll run")
        );
        assert!(refuse_for_runs(&with(""), "a gate").is_ok());
        assert!(refuse_for_plain_runs(&with("objective.recovery = \"2s\""), "a run").is_ok());
    }
}
