//! Continuing a capacity run: from what was saved, on the same kind of server with the same scenario.

use std::path::Path;

use anyhow::anyhow;

use super::{
    args::Arguments,
    plan::{self, Task},
};
use crate::{
    cli::{
        environment::{environment, software},
        exit::Failure,
        scale::Launch,
    },
    results::{self, Arm, Capacity, Ended, Saved, Software, TargetFacts},
    scenario::{self, Overrides, Scenario},
};

/// Next step after the steps done.
pub(super) fn task(arguments: &Arguments, folder: &Path, launch: Option<&Launch>) -> Result<Task, Failure> {
    let saved = match results::load(folder).map_err(Failure::usage)? {
        Saved::Capacity(saved) => *saved,
        Saved::Run(_) | Saved::Gate(_) | Saved::Ci(_) => {
            return Err(Failure::usage(anyhow!("{} holds no capacity run to resume", folder.display())));
        }
    };
    if saved.blocks.iter().any(|block| block.turn_ns.is_none()) {
        return Err(Failure::usage(anyhow!(
            "cannot resume {}: an earlier version compared its pool sizes one after the other: start a new capacity run",
            folder.display()
        )));
    }
    let mut differences = of_builds(&saved.software, &software());
    // Threads that put on the load decide how far the harness reaches.
    if let Some(workers) = arguments.harness.workers
        && saved.plan.workers != Some(workers)
        && !saved.trials.is_empty()
    {
        let then = saved.plan.workers.map_or_else(|| "one per core".to_owned(), |then| then.to_string());
        differences.push(format!("--workers was {then} and is {workers}"));
    }
    let then = saved.plan.generators.as_ref().map(|generators| generators.number);
    if let (Some(then), Some(now)) = (&saved.plan.generators, launch.map(Launch::planned))
        && let (Some(then), Some(now)) = (&then.launcher, now.launcher)
        && *then != now
    {
        differences.push(format!("--launcher was {then} and is {now}"));
    }
    if then != arguments.scale {
        let word = |number: Option<u32>| number.map_or_else(|| "not set".to_owned(), |number| number.to_string());
        differences.push(format!("--scale was {} and is {}", word(then), word(arguments.scale)));
    }
    if !differences.is_empty() {
        return Err(refusal(folder, &differences));
    }
    let scenario = scenario::parse(&saved.scenario, "scenario of the saved capacity run").map_err(Failure::usage)?;
    if arguments.scenario.is_some() || arguments.fields.overrides() != Overrides::default() {
        let asked = if arguments.scenario.is_some() {
            plan::base(arguments)?
        } else {
            arguments.fields.overrides().apply(&scenario.source, &scenario.name).map_err(Failure::usage)?
        };
        if let Some(difference) = difference_of_texts(&scenario, &asked) {
            return Err(refusal(folder, &[difference]));
        }
    }
    let of_arm = |arm: &Arm| {
        let overrides = Overrides { set: arm.settings.clone(), ..Overrides::default() };
        overrides.apply(&scenario.source, &scenario.name).map_err(Failure::usage)
    };
    let arms = saved.plan.arms.iter().map(of_arm).collect::<Result<Vec<_>, _>>()?;
    let mut plan = saved.plan.clone();
    if let Some(budget) = arguments.budget {
        plan.budget_ns = budget.as_nanos() as u64;
    } else if saved.ended == Ended::Budget {
        return Err(Failure::usage(anyhow!(
            "{} reached its budget of {}: resume it with a larger --budget",
            folder.display(),
            scenario::format_duration(std::time::Duration::from_nanos(plan.budget_ns))
        )));
    }
    plan.workers = arguments.harness.workers.or(plan.workers);
    plan.generators = launch.map(Launch::planned);
    plan.current_rate = arguments.current_rate.or(plan.current_rate);
    plan.growth = arguments.growth.map(|percent| percent / 100.0).or(plan.growth);
    Ok(Task { scenario, arms, plan, saved: Some((folder.to_owned(), saved)) })
}

/// Refuses to go on with another server than the one that was measured.
pub(super) fn check_target(folder: &Path, saved: &Capacity, now: &TargetFacts) -> Result<(), Failure> {
    let mut differences = differences(&saved.target, now);
    let (then, here) = (&saved.environment, environment());
    // That of this process does not matter where others send the load.
    if saved.plan.generators.is_none() && (&then.cpu, then.cores) != (&here.cpu, here.cores) {
        differences.push(format!(
            "the harness had {} cores of {} and has {} of {}",
            then.cores, then.cpu, here.cores, here.cpu
        ));
    }
    if differences.is_empty() { Ok(()) } else { Err(refusal(folder, &differences)) }
}

fn refusal(folder: &Path, differences: &[String]) -> Failure {
    Failure::usage(anyhow!(
        "cannot resume {}: new trials would not be comparable: {}",
        folder.display(),
        differences.join("; ")
    ))
}

/// What differs between the builds of plimsoll that measured and that would.
fn of_builds(saved: &Software, now: &Software) -> Vec<String> {
    let known = |commit: &Option<String>| commit.clone().unwrap_or_else(|| "unknown".to_owned());
    let of = |software: &Software| {
        let Software { version, commit, fred, profile } = software;
        [version.clone(), known(commit), fred.clone(), profile.clone()]
    };
    let names = ["plimsoll", "its commit", "its fred", "its profile"];
    let pairs = names.into_iter().zip(of(saved).into_iter().zip(of(now)));
    pairs
        .filter(|(_, (saved, now))| saved != now)
        .map(|(what, (saved, now))| format!("{what} was {saved} and is {now}"))
        .collect()
}

fn differences(saved: &TargetFacts, now: &TargetFacts) -> Vec<String> {
    let mut found = Vec::new();
    let mut compare = |what: &str, saved: &str, now: &str| {
        if saved != now {
            found.push(format!("{what} was {saved} and is {now}"));
        }
    };
    let kind = |facts: &TargetFacts| if facts.private { "a private server" } else { "a given one" };
    compare("the target", kind(saved), kind(now));
    if !saved.private && !now.private {
        compare("its address", &saved.address, &now.address);
        for (name, value) in &saved.settings {
            let known = now.settings.iter().find(|(of, _)| of == name).map_or("unknown", |(_, value)| value);
            compare(&format!("its {name}"), value, known);
        }
    } else {
        compare("its scheme", saved.scheme(), now.scheme());
    }
    compare("its product", &saved.product, &now.product);
    compare("its version", &saved.version, &now.version);
    compare("its mode", &saved.mode, &now.mode);
    found
}

/// The first line that differs between two scenarios that say different things.
fn difference_of_texts(saved: &Scenario, now: &Scenario) -> Option<String> {
    let silent = |scenario: &Scenario| Scenario { source: String::new(), ..scenario.clone() };
    if silent(saved) == silent(now) {
        return None;
    }
    let (mut old, mut new) = (saved.source.lines(), now.source.lines());
    loop {
        match (old.next(), new.next()) {
            (Some(old), Some(new)) if old == new => {}
            (None, None) => return Some("the scenario has changed".to_owned()),
            (old, new) => {
                let [old, new] = [old, new].map(|line| line.unwrap_or("at its end").trim().to_owned());
                return Some(format!("the scenario had `{old}` where it has `{new}` now"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::sample;

    #[test]
    fn names_what_has_changed_about_the_target() {
        let saved = sample::small_capacity().target;
        let elsewhere = TargetFacts { address: "redis://127.0.0.1:7".into(), ..saved.clone() };
        assert_eq!(differences(&saved, &elsewhere), [""; 0], "private servers lie somewhere else every time");
        let encrypted = TargetFacts { address: "rediss://127.0.0.1:7".into(), ..saved.clone() };
        assert_eq!(differences(&saved, &encrypted), ["its scheme was redis and is rediss"]);
        let newer = TargetFacts { version: "8.0.0".into(), product: "valkey".into(), ..saved.clone() };
        let found = differences(&saved, &newer);
        assert_eq!(found, ["its product was redis and is valkey", "its version was 7.0.15 and is 8.0.0"]);
        let given = TargetFacts { private: false, ..saved.clone() };
        assert_eq!(differences(&saved, &given), ["the target was a private server and is a given one"]);
        let other = TargetFacts { private: false, mode: "cluster".into(), ..elsewhere };
        assert_eq!(differences(&given, &other).len(), 2, "address and mode");
    }

    #[test]
    fn names_what_has_changed_about_the_build() {
        let saved = sample::small_capacity().software;
        assert_eq!(of_builds(&saved, &saved), [""; 0]);
        let rebuilt = Software { commit: None, profile: "debug".into(), ..saved.clone() };
        let saved = Software { commit: Some("abc".into()), profile: "release".into(), ..saved };
        let found = of_builds(&saved, &rebuilt);
        assert_eq!(found, ["its commit was abc and is unknown", "its profile was release and is debug"]);
        let newer = Software { version: "9.9.9".into(), fred: "99.0.0".into(), ..saved.clone() };
        assert_eq!(of_builds(&saved, &newer).len(), 2);
    }

    #[test]
    fn names_the_line_of_the_scenario_that_has_changed() {
        let saved = scenario::load("queue").unwrap();
        let with = |field: &str, value: &str| {
            let set = vec![(field.to_owned(), value.to_owned())];
            Overrides { set, ..Overrides::default() }.apply(&saved.source, "queue").unwrap()
        };
        let difference = difference_of_texts(&saved, &with("objective.percentile", "98.5")).unwrap();
        assert!(difference.contains("98.5"), "{difference}");
        let mut commented = saved.clone();
        commented.source.push_str("# no difference\n");
        assert_eq!(difference_of_texts(&saved, &commented), None);
    }
}
