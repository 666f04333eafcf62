//! What is told before any load, and the question that a target elsewhere takes.

use std::{
    fmt::Write as _,
    io::{self, BufRead as _, IsTerminal as _},
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::Duration,
};

use anyhow::anyhow;

use super::plan::Errand;
use crate::{
    analysis::capacity::Estimate,
    cli::{exit::Failure, interrupt::Interrupt, progress::Display},
    report::format::{count, counted, plain, rate, setting},
    results::TargetFacts,
};

/// How often a question is asked whether it still matters.
const GLANCE: Duration = Duration::from_millis(100);

/// The plan, for people: what is made, how long it takes, and how much load it puts where.
pub(super) fn plan(errand: &Errand, target: &TargetFacts, estimate: Estimate) -> String {
    let Errand { plan, scenario, saved, .. } = errand;
    let span = |nanos: u64| setting(Duration::from_secs(nanos.div_ceil(1_000_000_000)));
    let mut text = String::new();
    let mut line = |text_of: String| {
        text.push_str(&text_of);
        text.push('\n');
    };
    line(format!(
        "Capacity of {} on {} {} at {}{}",
        scenario.name,
        target.product,
        target.version,
        target.address,
        if target.private { " (private server)" } else { "" }
    ));
    let arms: Vec<&str> = plan.arms.iter().map(|arm| arm.name.as_str()).collect();
    line(format!("  {}: {}", counted(arms.len() as u64, "variant", "variants"), arms.join(" | ")));
    let done = saved.as_ref().map_or(0, |(_, saved)| saved.trials.len() as u64);
    let before = if done > 0 { format!(", {} of them made already", count(done)) } else { String::new() };
    line(format!(
        "  about {} of {} in {}{before}; budget {}{}",
        counted(u64::from(estimate.trials), "trial", "trials"),
        span(plan.trial_ns),
        span(estimate.all_ns),
        span(plan.budget_ns),
        match plan.budget_ns {
            budget if budget >= estimate.all_ns => "",
            budget if budget >= estimate.answers_ns => ", so the curve may stay undone",
            _ => ", so the report will say what it did not suffice for",
        },
    ));
    line(match plan.max_rate {
        Some(most) => format!("  load: from {} up to {}", rate(plan.start_rate), rate(most)),
        None => format!("  load: from {}, doubled until a trial fails; --max-rate sets a limit", rate(plan.start_rate)),
    });
    let connections = errand.arms[errand.widest()].connections();
    let _ = write!(text, "  connections: at most {}", count(connections));
    plain(&text)
}

/// Asks before loading a target that is not this machine.
pub(super) fn ask(target: &TargetFacts, yes: bool, display: &Display, interrupt: &Interrupt) -> Result<(), Failure> {
    if yes || target.private || target.same_machine {
        return Ok(());
    }
    let address = &target.address;
    if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
        return Err(Failure::usage(anyhow!(
            "{address} is not this machine, and there is no terminal to ask whether it may be loaded until it fails its \
             objective; say so with --yes"
        )));
    }
    display.say(&format!("{address} is not this machine. Load it until it fails its objective? [y/N] "));
    let (said, answer) = mpsc::channel();
    // Nobody waits for the answer after a Ctrl-C; the thread ends with the process.
    thread::spawn(move || {
        let mut line = String::new();
        let _ = io::stdin().lock().read_line(&mut line);
        let _ = said.send(line);
    });
    loop {
        match answer.recv_timeout(GLANCE) {
            Ok(line) if is_yes(&line) => return Ok(()),
            Err(RecvTimeoutError::Timeout) if !interrupt.stop().is_requested() => {}
            Err(RecvTimeoutError::Timeout) => return Err(Failure::interrupted()),
            _ => return Err(Failure::usage(anyhow!("{address} was not loaded, as nobody said yes"))),
        }
    }
}

fn is_yes(line: &str) -> bool {
    ["y", "yes"].contains(&line.trim().to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{results::sample, scenario};

    #[test]
    fn the_plan_says_how_much_how_long_and_where() {
        let saved = sample::small_capacity();
        let scenario = scenario::load("workflow-engine").unwrap();
        let mut errand = Errand {
            arms: vec![scenario.clone(), scenario.clone()],
            scenario,
            plan: saved.plan.clone(),
            saved: Some(("out".into(), saved)),
        };
        let target = sample::run().target;
        insta::assert_snapshot!(plan(
            &errand,
            &target,
            Estimate { trials: 60, answers_ns: 500_000_000_000, all_ns: 1_234_000_000_000 }
        ));
        (errand.plan.max_rate, errand.saved) = (None, None);
        insta::assert_snapshot!(plan(
            &errand,
            &target,
            Estimate { trials: 20, answers_ns: 300_000_000_000, all_ns: 300_000_000_000 }
        ));
    }

    #[test]
    fn only_yes_is_yes() {
        assert!(is_yes("y\n") && is_yes(" YES\n"));
        assert!(!is_yes("\n") && !is_yes("no\n") && !is_yes("yesterday"));
    }
}
