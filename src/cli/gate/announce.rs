//! Text printed before any load.

use std::{fmt::Write as _, time::Duration};

use super::plan::Errand;
use crate::{
    analysis::gate::foreseen,
    report::{
        self,
        format::{count, counted, plain, rate, setting},
    },
    results::TargetFacts,
};

/// The plan, for people: what is compared, how long it takes and what it can see.
pub(super) fn plan(errand: &Errand, facts: [&TargetFacts; 2]) -> String {
    let Errand { plan, scenario, sides, .. } = errand;
    let mut text = format!("Gate of {}, profile {}\n", scenario.name, plan.profile);
    for ((letter, side), facts) in ["A", "B"].iter().zip(sides).zip(facts) {
        let _ = writeln!(
            text,
            "  {letter}: {} on {} {} at {}{}",
            side.name,
            facts.product,
            facts.version,
            facts.address,
            if facts.private { " (private server, a fresh one for each block)" } else { "" }
        );
    }
    let time = |nanos: u64| setting(Duration::from_nanos(nanos));
    let turns = match plan.window_ns {
        Some(window) => format!("in turns of {}", time(window)),
        None => format!("in slices of {}", time(plan.slice_ns)),
    };
    let _ = writeln!(
        text,
        "  {} {turns}: about {}, and as long again if B seems worse",
        counted(plan.blocks.into(), "block", "blocks"),
        setting(errand.expected_time()),
    );
    let _ = writeln!(
        text,
        "  can see about {:.0} % of the median, if this machine is as noisy as the one that the profile was made on; {:.0} % matters",
        100.0 * foreseen(plan.blocks, errand.deviation(), plan.threshold),
        100.0 * plan.threshold,
    );
    let load = match plan.rate {
        Some(given) => format!("load on either: {}", rate(given)),
        None if scenario.offered_rate().is_some() => {
            "load on either: the scenario's own rate, but at most half of what the slower arm carries in a closed loop"
                .to_owned()
        }
        None => "load on either: closed loops".to_owned(),
    };
    let _ = write!(
        text,
        "  {load}; connections: {}{}",
        count(errand.connections()),
        if plan.window_ns.is_some() { ", those of both arms at once" } else { "" },
    );
    if plan.saturated_quads > 0 {
        let _ = write!(text, "\n  in every block also closed loops at full speed, for the throughput");
    }
    if let Some(why) = &plan.advisory {
        let _ = write!(text, "\n  advisory, so no exit code 1: {}", report::advisory_words(why));
    }
    if sides[0].differences == sides[1].differences {
        text.push_str("\n  the arms are the same: this shows what comes out where nothing differs");
    }
    plain(&text)
}
