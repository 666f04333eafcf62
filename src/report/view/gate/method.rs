//! How a gate was made, and how to repeat it.

use std::time::Duration;

use super::words::{scenario_name, share};
use crate::{
    report::{
        format::{self, counted},
        subject::GateReport,
        view::{
            Block, Section,
            machines::machine,
            method::{harness, quoted, repetition},
        },
    },
    results::{Gate, GatePlan, Sides},
    scenario::{Client, format_duration, uses},
};

pub(super) fn section(outcome: &GateReport) -> Section {
    let gate = &outcome.gate;
    let mut blocks = vec![Block::Paragraph(method(&gate.plan)), Block::Facts(facts(gate))];
    blocks.extend(repetition(command(gate), "Scenario that both arms have in common", &gate.scenario));
    Section::new("method", "Method", blocks)
}

fn method(plan: &GatePlan) -> String {
    let time = |nanos: u64| format::setting(Duration::from_nanos(nanos));
    let saturated = match plan.saturated_quads {
        0 => String::new(),
        quads => format!(
            " {} of closed loops at full speed compares throughput.",
            counted(quads.into(), "more quad", "more quads")
        ),
    };
    let quads = counted(plan.quads.into(), "quad", "quads");
    let made = match plan.window_ns {
        Some(window) => format!(
            "Both arms are connected at once and alternate every {}, A B B A B A A B, with the same requests: a slice \
             is the turns of one arm within {}, and two seconds of both are a quad. A block is {quads} after a warm-up \
             of {}, on fresh servers and connections.",
            time(window),
            time(plan.slice_ns),
            time(plan.warmup_ns),
        ),
        None => format!(
            "A slice is {} of load on one arm over its own connections, after a warm-up of {}; four of them, A B B A \
             or B A A B, are a quad, whose halves replay the same requests. A block is {quads} on fresh servers.",
            time(plan.slice_ns),
            time(plan.warmup_ns),
        ),
    };
    format!(
        "{made}{saturated} Each block gives one ratio of B over A; the verdict uses {} of them. Threshold: {} of \
         median, mean and throughput, {} of p99, and {} of any response time, or twice the schedule lag if that is \
         more.",
        counted(plan.blocks.into(), "block", "blocks"),
        share(plan.threshold),
        share(plan.tail_threshold),
        time(plan.floor_ns),
    )
}

fn facts(gate: &Gate) -> Vec<(String, String)> {
    let mut facts = vec![("Scenario".to_owned(), scenario_name(gate))];
    for (side, arm) in gate.arms.named() {
        let unchecked = if arm.target.tls_insecure { ", certificate not checked (--tls-insecure)" } else { "" };
        facts.push((format!("Server of {side}"), format!("{}{unchecked}", arm.target.software())));
        facts.push((format!("Load on {side} by"), harness(&arm.software, uses(&arm.scenario, Client::Fred))));
    }
    if let Some(rate) = gate.plan.rate {
        let why = gate.capacity.map(|Sides { a, b }| {
            format!(
                "; in a pilot before the blocks, closed loops reached {} with A and {} with B",
                format::rate(a),
                format::rate(b)
            )
        });
        facts.push(("Offered".to_owned(), format!("{}{}", format::rate(rate), why.unwrap_or_default())));
    }
    facts.push(("Machine".to_owned(), machine(&gate.environment)));
    facts.push(("Seed".to_owned(), gate.plan.seed.to_string()));
    facts
}

fn command(gate: &Gate) -> String {
    let plan = &gate.plan;
    let mut words = vec![format!("plimsoll gate scenario.toml --profile {}", plan.profile)];
    for (option, arm) in ["--a", "--b"].iter().zip(gate.arms.iter()) {
        words.extend(
            arm.differences.iter().map(|(what, value)| format!("{option} {}", quoted(&format!("{what}={value}")))),
        );
    }
    words.push(format!("--blocks {}", plan.blocks));
    words.push(format!("--threshold {}", format::plain(&format::limit(plan.threshold)).trim_end_matches(" %")));
    if let Some(window) = plan.window_ns {
        words.push(format!("--turn {}", format_duration(Duration::from_nanos(window))));
    }
    words.push(format!("--floor {}", format_duration(Duration::from_nanos(plan.floor_ns))));
    if let Some(rate) = plan.rate {
        words.push(format!("--rate {rate}"));
    }
    let elsewhere = gate.arms.iter().any(|arm| !arm.target.is_here());
    if elsewhere && plan.saturated_quads > 0 {
        words.push("--saturate".to_owned());
    }
    if let Some(workers) = plan.workers {
        words.push(format!("--workers {workers}"));
    }
    if gate.arms.iter().any(|arm| arm.target.tls_insecure) {
        words.push("--tls-insecure".to_owned());
    }
    words.join(" \\\n  ")
}
