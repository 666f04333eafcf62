//! Cluster: whether all slots have a primary, how evenly they are divided, and what happens when one is lost.

use super::{
    Quantity, Remedy, Rule, Ruling, Severity, Subject,
    nodes::{addresses, at, together},
};
use crate::{
    analysis::UNEVEN,
    results::{NodeInspection, NodeRole, SlotSample, SlotUse, place},
};

/// Hash slots of every cluster.
const SLOTS: u32 = 16_384;

/// Slots that the evidence lists at most.
const BUSIEST: usize = 3;

pub(super) fn rulings(subject: &Subject<'_>) -> Vec<Ruling> {
    if !subject.is_cluster() {
        return Vec::new();
    }
    let mut rulings: Vec<_> = [coverage(subject), balance(subject)].into_iter().flatten().collect();
    let coverage = subject.reached_primaries().filter_map(|node| Some((node, full_coverage(node)?)));
    rulings.extend(together(subject, coverage));
    rulings
}

/// Whether every slot has a primary that answers, in the eyes of each node: the worst view counts.
fn coverage(subject: &Subject<'_>) -> Option<Ruling> {
    let nodes: Vec<_> = subject.reached().filter(|node| node.info.contains_key("cluster_state")).collect();
    let most = |name: &str| nodes.iter().filter_map(|node| node.number::<u32>(name)).max();
    let assigned = nodes.iter().filter_map(|node| node.number::<u32>("cluster_slots_assigned")).min();
    let without = SLOTS.saturating_sub(assigned?);
    let (failed, suspected) = (most("cluster_slots_fail"), most("cluster_slots_pfail"));
    let is_down = |node: &&&NodeInspection| node.info.get("cluster_state").is_some_and(|state| state != "ok");
    let down: Vec<_> = nodes.iter().filter(is_down).map(|node| node.address.as_str()).collect();
    let severity = match (without, failed, suspected) {
        (0, None | Some(0), None | Some(0)) if down.is_empty() => Severity::Passed,
        (0, None | Some(0), _) if down.is_empty() => Severity::Warning,
        _ => Severity::Critical,
    };
    let ruling = Ruling::new(Rule::SlotCoverage, severity)
        .with("slots without a primary", Quantity::Count(without.into()))
        .with_known("slots of failed primaries", failed.map(|slots| Quantity::Count(slots.into())))
        .with_known("slots of primaries that may have failed", suspected.map(|slots| Quantity::Count(slots.into())))
        .with_known("cluster_state is fail at", addresses(down.iter().copied()));
    let asked = nodes.first()?;
    let place = place(&asked.address);
    Some(ruling.remedy(at(asked, "CLUSTER NODES")).remedy(Remedy::Shell(format!("redis-cli --cluster check {place}"))))
}

/// Slots of the primary with most of them, compared with an even share.
fn balance(subject: &Subject<'_>) -> Option<Ruling> {
    let is_serving =
        |node: &&NodeInspection| node.role == NodeRole::Primary && (node.slots > 0 || node.fault.is_none());
    let primaries: Vec<_> = subject.inspection.nodes.iter().filter(is_serving).collect();
    let all: u32 = primaries.iter().map(|node| node.slots).sum();
    let most = primaries.iter().max_by_key(|node| node.slots).filter(|_| all > 0)?;
    let even = f64::from(all) / primaries.len() as f64;
    let factor = f64::from(most.slots) / even;
    let severity = if factor >= UNEVEN { Severity::Warning } else { Severity::Passed };
    let place = place(&most.address);
    Some(
        Ruling::new(Rule::SlotBalance, severity)
            .with("primaries", Quantity::Count(primaries.len() as u64))
            .with("most slots", Quantity::Count(most.slots.into()))
            .with("at", most.address.as_str())
            .with("of an even share", Quantity::Ratio(factor))
            .with_known("busiest slots", busiest(&primaries).or_else(|| sampled(subject.inspection.slots.as_ref()?)))
            .remedy(Remedy::Shell(format!("redis-cli --cluster rebalance {place} --cluster-use-empty-masters"))),
    )
}

/// The busiest slots of all primaries, by CPU time where all have it, else by keys.
fn busiest(primaries: &[&NodeInspection]) -> Option<String> {
    let mut slots: Vec<(&NodeInspection, &SlotUse)> =
        primaries.iter().flat_map(|node| node.busiest.iter().map(move |slot| (*node, slot))).collect();
    let by_time = slots.iter().all(|(_, slot)| slot.cpu_us.is_some());
    slots.sort_by_key(|(_, slot)| std::cmp::Reverse(if by_time { slot.cpu_us.unwrap_or(0) } else { slot.keys }));
    let shown = slots.iter().take(BUSIEST).map(|(node, slot)| {
        let time = slot.cpu_us.filter(|_| by_time).map(|micros| format!("CPU {micros} µs, ")).unwrap_or_default();
        format!("{} at {} ({time}keys {})", slot.slot, node.address, slot.keys)
    });
    let shown = shown.collect::<Vec<_>>().join(", ");
    (!shown.is_empty()).then_some(shown)
}

/// The busiest slots of a sample of the load.
fn sampled(sample: &SlotSample) -> Option<String> {
    let shown = sample.busiest.iter().take(BUSIEST).map(|slot| {
        let node = slot.node.as_ref().map(|node| format!(" at {node}")).unwrap_or_default();
        format!("{}{node} ({:.1} %)", slot.slot, 100.0 * slot.commands as f64 / sample.commands.max(1) as f64)
    });
    let shown = shown.collect::<Vec<_>>().join(", ");
    (!shown.is_empty()).then(|| format!("{shown} of a sample of {} commands", sample.commands))
}

/// Whether the loss of some slots stops the whole cluster.
fn full_coverage(node: &NodeInspection) -> Option<Ruling> {
    let setting = node.settings.get("cluster-require-full-coverage")?;
    let severity = if setting == "yes" { Severity::Note } else { Severity::Passed };
    Some(
        Ruling::new(Rule::FullCoverage, severity)
            .with("cluster-require-full-coverage", setting.as_str())
            .with_known(
                "cluster-node-timeout",
                node.limit::<f64>("cluster-node-timeout").map(|millis| Quantity::Nanos(millis * 1e6)),
            )
            .setting("cluster-require-full-coverage", "no"),
    )
}
