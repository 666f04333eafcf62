//! Why the verdict can be trusted: A against itself, how much things vary, and what was left out.

use super::words::{effect, p_value, scope_name, share};
use crate::{
    analysis::gate::{GateMetric, LEVEL, TooFew},
    report::{
        format::{self, counted},
        subject::GateReport,
        view::{Block, Section, Shown},
    },
    results::{Sides, SliceKind, slug},
};

/// Operations that are named; of more the number is reported.
const NAMED: usize = 4;

pub(super) fn section(outcome: &GateReport) -> Section {
    let analysis = &outcome.analysis;
    let mut blocks = Vec::new();
    let Sides { a: of_a, b: of_b } = &analysis.controls;
    if let Some(of_a) = of_a {
        let of_b =
            of_b.as_ref().map(|of_b| format!(" B compared with itself: {}.", effect(&of_b.effect))).unwrap_or_default();
        blocks.push(Block::Paragraph(format!(
            "A compared with itself (second slice of each quad with the first, median response time): {}, {} of being \
             slower by chance.{of_b} This is the drift of the machine from one slice to the next; {}",
            effect(&of_a.effect),
            p_value(of_a.p_worse()),
            if outcome.gate.plan.window_ns.is_some() {
                "alternating arms have less of it, and the variation between servers or connections is not included."
            } else {
                "the variation between servers or connections is not included."
            }
        )));
    }
    let looked: usize = analysis.rows.iter().map(|row| row.metrics.len()).sum();
    if looked > 0 {
        blocks.push(Block::Paragraph(format!(
            "{} tested. Without a difference, each is suspected in at most {} of all gates and confirmed in at most \
             {}; any of them is confirmed in at most {}.",
            counted(looked as u64, "metric was", "metrics were"),
            format::share(LEVEL),
            format::share(LEVEL * LEVEL),
            format::share(looked as f64 * LEVEL * LEVEL),
        )));
    }
    if let Some(noise) = analysis.noise {
        blocks.push(Block::Paragraph(format!(
            "The ratio of medians varies by {} from quad to quad within a block, and by another {} between pairs of \
             servers (standard deviations).",
            share(noise.quad),
            share(noise.block),
        )));
    }
    let dropped = analysis.dropped;
    let itself =
        of_a.as_ref().map(|of_a| format!("A compared with itself {}; ", effect(&of_a.effect))).unwrap_or_default();
    let brief = format!(
        "{itself}{} of {} left out because of the machine or the harness.",
        format::count(dropped.all().into()),
        counted(dropped.quads.into(), "quad was", "quads were"),
    );
    let mut slices = outcome.gate.blocks.iter().flat_map(|block| &block.slices);
    let is_known = slices.all(|slice| slice.stolen.is_some() && slice.throttled.is_some());
    blocks.push(Block::Paragraph(format!(
        "{} of {} left out, regardless of response times: {} because the harness was late, {} because of stolen CPU \
         time, {} because the container was throttled.{}",
        format::count(dropped.all().into()),
        counted(dropped.quads.into(), "quad was", "quads were"),
        format::count(dropped.late.into()),
        format::count(dropped.stolen.into()),
        format::count(dropped.throttled.into()),
        if is_known { "" } else { " Stolen CPU time and throttling are not known for every slice." },
    )));
    blocks.push(Block::Paragraph(lag(outcome)));
    let failed =
        |Sides { a, b }: Sides<f64>| format!("{} of A's requests, {} of B's", format::share(a), format::share(b));
    let confirm = analysis.failures.confirm.map(|of| format!("; in the second stage {}", failed(of.shares)));
    blocks.push(Block::Paragraph(format!(
        "Failed or unfinished: {}{}. They are in no percentile.",
        failed(analysis.failures.screen.shares),
        confirm.unwrap_or_default(),
    )));
    if !analysis.too_few.is_empty() {
        blocks.push(Block::Paragraph(too_few(&analysis.too_few)));
    }
    Section::new("trust", "Trust in the numbers", blocks).detailed(Shown::Paragraphs).brief_line("Trust", Some(brief))
}

/// One line: what was left out, and of what.
fn too_few(all: &[TooFew]) -> String {
    let mut groups: Vec<(&[GateMetric], Vec<String>)> = Vec::new();
    for too_few in all {
        let scope = scope_name(&too_few.scope);
        match groups.iter_mut().find(|(metrics, _)| *metrics == too_few.metrics) {
            Some((_, scopes)) => scopes.push(scope),
            None => groups.push((&too_few.metrics, vec![scope])),
        }
    }
    let of = |(metrics, scopes): &(&[GateMetric], Vec<String>)| {
        let metrics: Vec<String> = metrics.iter().map(slug).collect();
        let more = scopes.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!("{} of {}{more}", metrics.join(", "), scopes[..scopes.len().min(NAMED)].join(", "))
    };
    format!("Too few requests to compare: {}.", groups.iter().map(of).collect::<Vec<_>>().join("; "))
}

fn lag(outcome: &GateReport) -> String {
    let slices = outcome.gate.blocks.iter().flat_map(|block| &block.slices);
    let mut lags: Vec<u64> = slices.filter(|slice| slice.kind == SliceKind::Paced).map(|slice| slice.lag_p50).collect();
    lags.sort_unstable();
    let middle = lags.get(lags.len() / 2).copied().unwrap_or_default();
    let worst = lags.last().copied().unwrap_or_default();
    format!(
        "Schedule lag: median {} in the median slice and {} in the worst.",
        format::duration(middle as f64),
        format::duration(worst as f64)
    )
}
