//! Text printed before any load.

use std::{fmt::Write as _, time::Duration};

use super::plan::Task;
use crate::{
    analysis::gate::foreseen,
    report::{
        self,
        format::{count, counted, plain, rate, setting},
    },
    results::{Sides, TargetFacts, brief_address},
};

/// The plan, for people: what is compared, how long it takes and what it can see.
pub(super) fn plan(task: &Task, facts: Sides<&TargetFacts>) -> String {
    let Task { plan, scenario, sides, .. } = task;
    let mut text = format!("Gate of {}, profile {}\n", scenario.name, plan.profile);
    for ((letter, side), facts) in sides.named().zip(facts.iter()) {
        let _ = writeln!(
            text,
            "  {letter}: {} on {} at {}{}",
            side.name,
            facts.software(),
            brief_address(&facts.address),
            match (facts.private, facts.nodes.is_empty()) {
                (true, true) => " (private server, a fresh one for each block)",
                (true, false) => " (private servers, fresh ones for each block)",
                (false, _) => "",
            }
        );
    }
    let time = |nanos: u64| setting(Duration::from_nanos(nanos));
    let turns = match plan.window_ns {
        Some(window) => format!("in turns of {}", time(window)),
        None => format!("in slices of {}", time(plan.slice_ns)),
    };
    let _ = writeln!(
        text,
        "  {} {turns}: about {}, and the same again if a regression is suspected",
        counted(plan.blocks.into(), "block", "blocks"),
        setting(task.expected_time()),
    );
    let _ = writeln!(
        text,
        "  detects about {:.0} % of the median on a machine with the noise of the reference machine; threshold {:.0} %",
        100.0 * foreseen(plan.blocks, task.deviation(), plan.threshold),
        100.0 * plan.threshold,
    );
    let load = match plan.rate {
        Some(given) => format!("load per arm: {}", rate(given)),
        None if scenario.offered_rate().is_some() => {
            "load per arm: the scenario's rate, at most half of the closed-loop throughput of the slower arm".to_owned()
        }
        None => "load per arm: closed loops".to_owned(),
    };
    let _ = write!(
        text,
        "  {load}; connections: {}{}",
        count(task.connections(facts)),
        if plan.window_ns.is_some() { ", those of both arms at once" } else { "" },
    );
    if plan.saturated_quads > 0 {
        let _ = write!(text, "\n  closed loops at full speed in each block, for throughput");
    }
    if let Some(why) = &plan.advisory {
        let _ = write!(text, "\n  a regression is inconclusive: {}", report::advisory_words(why));
    }
    if sides.a.differences == sides.b.differences {
        text.push_str("\n  the arms are identical: the result is the noise of the method");
    }
    plain(&text)
}
