//! The variants of the scenario: every point of a grid of at most two axes.

use anyhow::anyhow;

use super::super::exit::Failure;
use crate::{
    results::Arm,
    scenario::{Overrides, Scenario},
};

/// Field that `--pool` sets for every service.
const POOL: &str = "pool.size";

/// Fields that the search sets for each trial, or that change nothing about it.
const OF_TRIALS: &[&str] =
    &["name", "description", "seed", "run.duration", "run.warmup", "load.rate", "load.model", "load.clients"];

/// Fields that are the scenario's own, and not those of a service.
const OF_SCENARIO: &[&str] = &["name", "description", "seed", "run", "objective", "service", "dependency"];

/// A field and the values that it takes in turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sweep {
    field: String,
    values: Vec<String>,
}

impl Sweep {
    /// Whether it is of pool sizes, those of all services or that of one.
    fn is_pool(&self) -> bool {
        self.field == POOL || self.field.starts_with("service.") && self.field.ends_with(".pool.size")
    }
}

/// `FIELD=V1,V2`. Commas within a value in braces, brackets or quotes are its own.
pub(super) fn sweep(text: &str) -> Result<Sweep, String> {
    let wrong = || "expected FIELD=V1,V2,..., such as values.size=64,1024".to_owned();
    let (field, values) = text.split_once('=').ok_or_else(wrong)?;
    let (mut depth, mut quoted) = (0_i32, false);
    let separates = |letter: char| {
        match letter {
            '"' => quoted = !quoted,
            '{' | '[' if !quoted => depth += 1,
            '}' | ']' if !quoted => depth -= 1,
            _ => {}
        }
        letter == ',' && depth == 0 && !quoted
    };
    let values: Vec<String> = values.split(separates).map(|value| value.trim().to_owned()).collect();
    if field.trim().is_empty() || values.iter().any(String::is_empty) {
        return Err(wrong());
    }
    Ok(Sweep { field: field.trim().to_owned(), values })
}

/// The variants that `--pool` and `--sweep` ask for, each with its scenario; the scenario as it is where they ask for none.
/// Everything that is wrong is reported at once.
pub(super) fn arms(scenario: &Scenario, pool: &[u32], sweeps: &[Sweep]) -> Result<Vec<(Arm, Scenario)>, Failure> {
    let of_pool = Sweep { field: POOL.to_owned(), values: pool.iter().map(ToString::to_string).collect() };
    let mut axes: Vec<Sweep> = [of_pool].into_iter().filter(|axis| !axis.values.is_empty()).collect();
    axes.extend(sweeps.iter().cloned());
    for axis in &mut axes {
        if axis.is_pool() {
            // What is no number is left for the scenario to refuse.
            axis.values.sort_by_key(|value| value.parse::<u32>().unwrap_or(0));
        }
    }
    check_axes(scenario, &axes)?;

    let mut points: Vec<Vec<(String, String)>> = vec![Vec::new()];
    for axis in &axes {
        let with = |point: &Vec<(String, String)>| {
            let point = point.clone();
            let values = axis.values.iter();
            values.map(move |value| [&point[..], &[(axis.field.clone(), value.clone())]].concat()).collect::<Vec<_>>()
        };
        points = points.iter().flat_map(with).collect();
    }

    let (mut arms, mut faults) = (Vec::new(), Vec::new());
    for coordinates in points {
        let of_axis = |(field, value): &(String, String)| {
            paths(scenario, field).into_iter().map(|path| (path, value.clone())).collect::<Vec<_>>()
        };
        let settings: Vec<_> = coordinates.iter().flat_map(of_axis).collect();
        let overrides = Overrides { set: settings.clone(), ..Overrides::default() };
        match overrides.apply(&scenario.source, &scenario.name) {
            Ok(scenario) => {
                let pool = match coordinates.as_slice() {
                    [(_, value)] if axes[0].is_pool() => value.parse().ok(),
                    _ => None,
                };
                arms.push((Arm { name: name(&coordinates), settings, pool, coordinates }, scenario));
            }
            Err(errors) => {
                let lines: Vec<String> = errors.to_string().lines().map(str::to_owned).collect();
                faults.extend(lines.into_iter().filter(|line| !faults.contains(line)).collect::<Vec<_>>());
            }
        }
    }
    if faults.is_empty() { Ok(arms) } else { Err(Failure::usage(anyhow!(faults.join("\n")))) }
}

/// The fields that a path means: one of a service without its name stands for that of every service.
fn paths(scenario: &Scenario, field: &str) -> Vec<String> {
    let first = field.split('.').next().unwrap_or_default();
    if OF_SCENARIO.contains(&first) {
        return vec![field.to_owned()];
    }
    scenario.services.iter().map(|service| format!("service.{}.{field}", service.name)).collect()
}

fn check_axes(scenario: &Scenario, axes: &[Sweep]) -> Result<(), Failure> {
    let fault = |text: String| Err(Failure::usage(anyhow!(text)));
    for axis in axes {
        let last = |name: &str| axis.field == name || axis.field.ends_with(&format!(".{name}"));
        if let Some(own) = OF_TRIALS.iter().find(|name| last(name)) {
            return fault(format!(
                "--sweep {}: {own} differs from trial to trial by itself, or makes no difference",
                axis.field
            ));
        }
        let twice = axis.values.iter().enumerate().find(|(index, value)| axis.values[..*index].contains(value));
        if let Some((_, value)) = twice {
            return fault(format!("{} is to be {value} twice; name every value once", axis.field));
        }
    }
    for (index, axis) in axes.iter().enumerate() {
        for other in &axes[..index] {
            let of_other = paths(scenario, &other.field);
            if let Some(both) = paths(scenario, &axis.field).iter().find(|path| of_other.contains(path)) {
                return fault(format!("two of --pool and --sweep set {both}; leave one out"));
            }
        }
    }
    if axes.len() > 2 {
        let fields: Vec<_> = axes.iter().map(|axis| axis.field.as_str()).collect();
        return fault(format!("a grid has two axes at most, and these are {}: {}", fields.len(), fields.join(", ")));
    }
    Ok(())
}

fn name(coordinates: &[(String, String)]) -> String {
    let word = |(field, value): &(String, String)| {
        if field == POOL { format!("pool {value}") } else { format!("{field}={value}") }
    };
    match coordinates {
        [] => "as written".to_owned(),
        coordinates => coordinates.iter().map(word).collect::<Vec<_>>().join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Checkout, ValueSize, load};

    fn scenario() -> Scenario {
        load("workflow-engine").unwrap()
    }

    fn of(pool: &[u32], sweeps: &[&str]) -> Result<Vec<(Arm, Scenario)>, String> {
        let sweeps: Vec<_> = sweeps.iter().map(|text| sweep(text).unwrap()).collect();
        arms(&scenario(), pool, &sweeps).map_err(|failure| failure.to_string())
    }

    #[test]
    fn without_axes_there_is_the_scenario_as_written() {
        let arms = of(&[], &[]).unwrap();
        assert_eq!(arms.len(), 1);
        assert_eq!((arms[0].0.name.as_str(), arms[0].0.pool), ("as written", None));
        assert_eq!(arms[0].1, scenario());
    }

    #[test]
    fn pools_are_those_of_every_service_in_ascending_order() {
        let arms = of(&[100, 25], &[]).unwrap();
        let sizes: Vec<_> = arms.iter().map(|(arm, scenario)| (arm.pool, scenario.connections())).collect();
        assert_eq!(sizes, [(Some(25), 75), (Some(100), 300)]);
        assert_eq!(arms[0].0.settings[1], ("service.api.pool.size".to_owned(), "25".to_owned()));
        let swept = of(&[], &["pool.size=100,25"]).unwrap();
        assert_eq!(arms, swept, "another way to say the same");
        let of_one: Vec<_> =
            of(&[], &["service.api.pool.size=100,25"]).unwrap().into_iter().map(|(arm, _)| arm).collect();
        assert_eq!(of_one.iter().map(|arm| arm.pool).collect::<Vec<_>>(), [Some(25), Some(100)], "that of one service");
        assert_eq!(of_one[0].settings, [("service.api.pool.size".to_owned(), "25".to_owned())]);
    }

    #[test]
    fn two_axes_are_a_grid() {
        let arms = of(&[50, 100], &["service.api.pool.checkout=exclusive,shared"]).unwrap();
        let names: Vec<_> = arms.iter().map(|(arm, _)| (arm.name.as_str(), arm.pool)).collect();
        assert_eq!(
            names,
            [
                ("pool 50, service.api.pool.checkout=exclusive", None),
                ("pool 50, service.api.pool.checkout=shared", None),
                ("pool 100, service.api.pool.checkout=exclusive", None),
                ("pool 100, service.api.pool.checkout=shared", None),
            ]
        );
        assert!(matches!(arms[1].1.services[1].pool.checkout, Checkout::Shared { .. }));
        assert_eq!(arms[1].1.services[0].pool.checkout, Checkout::Exclusive);
        assert_eq!(arms[3].0.coordinates[1].1, "shared");
    }

    #[test]
    fn a_comma_within_a_value_is_its_own() {
        let sizes = sweep("values.size = { min = 1, max = 2 }, 64").unwrap();
        assert_eq!(sizes.values, ["{ min = 1, max = 2 }", "64"]);
        let arms = arms(&scenario(), &[], &[sizes]).unwrap();
        assert!(arms[0].1.services.iter().all(|service| service.values == ValueSize::Uniform { min: 1, max: 2 }));
        assert!(arms[1].1.services.iter().all(|service| service.values == ValueSize::Fixed(64)));
        assert!(sweep("values.size").is_err() && sweep("values.size=1,,2").is_err() && sweep("=1").is_err());
    }

    #[test]
    fn axes_that_contradict_each_other_are_refused() {
        for (pool, sweeps, expected) in [
            (&[50][..], &["pool.size=100"][..], "set service.chat.pool.size; leave one out"),
            (&[50], &["service.api.pool.size=10,20"], "set service.api.pool.size; leave one out"),
            (&[], &["values.size=1,2", "service.ml.values.size=3"], "set service.ml.values.size"),
            (&[50, 50], &[], "pool.size is to be 50 twice"),
            (&[50], &["values.size=1,2", "keys.count=1,2"], "two axes at most, and these are 3"),
        ] {
            let message = of(pool, sweeps).unwrap_err();
            assert!(message.contains(expected), "{message}");
        }
    }

    #[test]
    fn everything_that_is_wrong_is_reported_once() {
        let message = of(&[], &["pool.siez=1,2", "service.api.keys.count=5,many"]).unwrap_err();
        assert_eq!(message.matches("siez=1").count(), 3, "{message}");
        assert!(
            message.contains("siez=2") && message.contains("did you mean") && !message.contains("many"),
            "{message}"
        );
        let message = of(&[], &["service.api.keys.count=5,many"]).unwrap_err();
        assert!(message.contains("service.api.keys.count=many"), "{message}");
    }
}
