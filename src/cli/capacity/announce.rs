//! Text printed before any load.

use std::{fmt::Write as _, time::Duration};

use super::plan::{LOOKS, Task, census};
use crate::{
    analysis::capacity::Estimate,
    report::format::{count, counted, plain, rate, setting},
    results::{TargetFacts, brief_address},
};

/// The plan, for people: what is made, how long it takes, and how much load it puts where.
pub(super) fn plan(task: &Task, target: &TargetFacts, estimate: Estimate) -> String {
    let Task { plan, scenario, saved, .. } = task;
    let span = |nanos: u64| setting(Duration::from_secs(nanos.div_ceil(1_000_000_000)));
    let mut text = String::new();
    let mut line = |text_of: String| {
        text.push_str(&text_of);
        text.push('\n');
    };
    line(format!(
        "Capacity of {} on {} at {}{}",
        scenario.name,
        target.software(),
        brief_address(&target.address),
        match (target.private, target.nodes.is_empty()) {
            (true, true) => " (private server)",
            (true, false) => " (private servers)",
            (false, _) => "",
        }
    ));
    let arms: Vec<&str> = plan.arms.iter().map(|arm| arm.name.as_str()).collect();
    line(format!("  {}: {}", counted(arms.len() as u64, "variant", "variants"), arms.join(" | ")));
    let done = saved.as_ref().map_or(0, |(_, saved)| saved.trials.len() as u64);
    let before = if done > 0 { format!(", {} of them done", count(done)) } else { String::new() };
    line(format!(
        "  about {} of {} in {}{before}; budget {}{}",
        counted(u64::from(estimate.trials), "trial", "trials"),
        span(plan.trial_ns),
        span(estimate.all_ns),
        span(plan.budget_ns),
        match plan.budget_ns {
            budget if budget >= estimate.all_ns => "",
            budget if budget >= estimate.answers_ns => ", so the curve may be left out",
            _ => ", so the report will list omitted steps",
        },
    ));
    if let Some(generators) = &plan.generators {
        line(format!("  generators: {}, each with its part of every service", count(generators.number.into())));
    }
    if estimate.comparisons_ns > 0 {
        line(format!(
            "  comparisons of neighbouring pool sizes: up to {} of it, both connected at once, in turns of 25 ms, up \
             to 500 ms for longer response times",
            span(estimate.comparisons_ns)
        ));
    }
    line(match plan.max_rate {
        Some(most) => format!("  load: from {} up to {}", rate(plan.start_rate), rate(most)),
        None => format!("  load: from {}, doubled until a trial fails; limit: --max-rate", rate(plan.start_rate)),
    });
    if done == 0 {
        let counted = census(plan, target.private).map(|census| {
            format!("commands of other clients are counted for {} (--current-rate skips this), ", setting(census))
        });
        line(format!(
            "  before: {}connections and settings are inspected for about {}",
            counted.unwrap_or_default(),
            setting(LOOKS)
        ));
        if scenario.run.prefill {
            line("  and the scenario's keys are written, as fast as the server accepts them".to_owned());
        }
    }
    let _ = write!(text, "  connections: at most {}", count(task.connections(target)));
    plain(&text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{results::sample, scenario};

    #[test]
    fn the_plan_says_how_much_how_long_and_where() {
        let saved = sample::small_capacity();
        let scenario = scenario::load("workflow-engine").unwrap();
        let mut task = Task {
            arms: vec![scenario.clone(), scenario.clone()],
            scenario,
            plan: saved.plan.clone(),
            saved: Some(("out".into(), saved)),
        };
        let target = sample::run().target;
        insta::assert_snapshot!(plan(
            &task,
            &target,
            Estimate {
                trials: 60,
                comparisons_ns: 195_000_000_000,
                answers_ns: 500_000_000_000,
                all_ns: 1_234_000_000_000
            }
        ));
        (task.plan.max_rate, task.saved) = (None, None);
        insta::assert_snapshot!(plan(
            &task,
            &target,
            Estimate { trials: 20, comparisons_ns: 0, answers_ns: 300_000_000_000, all_ns: 300_000_000_000 }
        ));
    }
}
