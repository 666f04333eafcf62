//! How a capacity run was made, and how to repeat it.

use std::time::Duration;

use super::words::{objective, rate, time};
use crate::{
    report::{
        format::{self, THIN},
        subject::CapacityReport,
        view::{
            Block, Section,
            machines::machine,
            method::{harness, quoted, repetition, settings},
            names::{address, mode},
        },
    },
    results::{Arm, Capacity},
    scenario::format_duration,
};

pub(super) fn section(answers: &CapacityReport) -> Section {
    let capacity = &answers.capacity;
    let mut blocks = vec![Block::Paragraph(method(answers)), facts(answers)];
    blocks.extend(repetition(command(capacity), "Scenario as it was run", &capacity.scenario));
    Section::new("method", "Method", blocks)
}

fn method(answers: &CapacityReport) -> String {
    let plan = &answers.capacity.plan;
    format!(
        "Each trial offers requests at one rate, after a warm-up of {}, and counts late, failed and unfinished \
         requests. A rate is sustainable if, by an exact 95{THIN}% interval of their share, {} is met for certain, the \
         backlog does not grow, and the harness was not the limit. Rates double from {} until one fails, then the \
         bracket is bisected until it is {} wide, and its lower end is confirmed by trials of {}, in random order with \
         the upper end.",
        time(plan.warmup_ns),
        objective(answers),
        rate(plan.start_rate),
        format::limit(plan.tolerance),
        time(plan.confirm_ns),
    )
}

fn facts(answers: &CapacityReport) -> Block {
    let Capacity { plan, target, environment, software, trials, .. } = &answers.capacity;
    let measured: u64 = trials.iter().map(|trial| trial.measured_ns).sum();
    let most_failed = format::limit(answers.scenario.objective.max_error_rate);
    let place =
        if target.same_machine { "on the machine of the harness" } else { "on another machine than the harness" };
    let server = format!("{}, {}, {}, {place}", target.software(), mode(target), address(target));
    let known = [
        ("Scenario", Some(answers.scenario.name.clone())),
        ("Objective", Some(format!("{}, at most {most_failed} failed", objective(answers)))),
        ("Trials", Some(format!("{}, {} measured in all", trials.len(), time(measured)))),
        ("Budget", Some(time(plan.budget_ns))),
        ("Highest rate", plan.max_rate.map(rate)),
        ("Seed", Some(plan.seed.to_string())),
        ("Server", Some(server)),
        ("Server settings", settings(target)),
        ("Generators", plan.generators.as_ref().map(|generators| generators_of(generators.number))),
        (
            if plan.generators.is_some() { "Machine of plimsoll capacity" } else { "Machine of the harness" },
            Some(machine(environment)),
        ),
        ("Harness", Some(harness(software, answers.arms().any(|(arm, ..)| answers.uses_fred(arm))))),
    ];
    let variants = plan.arms.iter().filter(|arm| !arm.settings.is_empty()).map(|arm| {
        let settings: Vec<_> = arm.settings.iter().map(|(name, value)| format!("{name}={value}")).collect();
        ("Variant", Some(format!("{}: {}", arm.name, settings.join(", "))))
    });
    Block::facts(known.into_iter().chain(variants))
}

fn generators_of(number: u32) -> String {
    format!("{number}, whose machines are in the report of each trial")
}

/// The command line that does the same again.
fn command(capacity: &Capacity) -> String {
    let plan = &capacity.plan;
    let joined = |values: Vec<String>| values.join(",");
    let mut words = vec!["plimsoll capacity scenario.toml".to_owned()];
    let mut add = |flag: &str, value: String| words.push(format!("{flag} {}", quoted(&value)));
    let of_pools = |arm: &Arm| matches!(arm.coordinates.as_slice(), [(field, _)] if field == "pool.size");
    if plan.arms.len() > 1 && plan.arms.iter().all(of_pools) {
        add("--pool", joined(plan.arms.iter().filter_map(|arm| Some(arm.pool?.to_string())).collect()));
    } else {
        for (axis, values) in axes(capacity) {
            add("--sweep", format!("{axis}={}", joined(values)));
        }
    }
    if !plan.clients.is_empty() {
        add("--clients", joined(plan.clients.iter().map(ToString::to_string).collect()));
    }
    if let Some(most) = plan.max_rate {
        add("--max-rate", most.to_string());
    }
    if let Some(current) = plan.current_rate {
        add("--current-rate", current.to_string());
    }
    if let Some(growth) = plan.growth {
        add("--growth", (growth * 100.0).to_string());
    }
    add("--start-rate", plan.start_rate.to_string());
    let lengths = [("--trial", plan.trial_ns), ("--warmup", plan.warmup_ns), ("--budget", plan.budget_ns)];
    for (flag, nanos) in lengths {
        add(flag, format_duration(Duration::from_nanos(nanos)));
    }
    if let Some(workers) = plan.workers {
        add("--workers", workers.to_string());
    }
    if let Some(generators) = &plan.generators {
        add("--scale", generators.number.to_string());
        if let Some(launcher) = &generators.launcher {
            add("--launcher", launcher.clone());
        }
    }
    if !capacity.target.private {
        add("--target", capacity.target.address.clone());
    }
    if capacity.target.tls_insecure {
        words.push("--tls-insecure".to_owned());
    }
    words.join(" ")
}

/// The axes of a sweep with their values, each once, in the order in which they come.
pub(in crate::report) fn axes(capacity: &Capacity) -> Vec<(String, Vec<String>)> {
    let mut axes: Vec<(String, Vec<String>)> = Vec::new();
    for (field, value) in capacity.plan.arms.iter().flat_map(|arm| &arm.coordinates) {
        match axes.iter_mut().find(|(axis, _)| axis == field) {
            Some((_, values)) if values.contains(value) => {}
            Some((_, values)) => values.push(value.clone()),
            None => axes.push((field.clone(), vec![value.clone()])),
        }
    }
    axes
}
