//! Sentinels: whether there are enough, whether they see each other and agree, and when they replace the primary.

use super::{Quantity, Remedy, Rule, Ruling, Severity, Subject, nodes::addresses};
use crate::results::SentinelInspection;

/// Fewest Sentinels of which one may fail: the number that the documentation of Sentinel asks for.
const ENOUGH: usize = 3;

/// Milliseconds without an answer below which a pause of a healthy primary (a fork, a slow command) makes it fail over.
const HASTY: u64 = 1_000;

/// Milliseconds above which an outage lasts long only because nobody acts: a third of the default of 30 s.
const SLOW: u64 = 10_000;

pub(super) fn rulings(subject: &Subject<'_>) -> Vec<Ruling> {
    let sentinels = &subject.inspection.sentinels;
    if sentinels.is_empty() {
        return Vec::new();
    }
    let mut rulings = vec![count(sentinels), agreement(sentinels)];
    rulings.extend(quorum(sentinels));
    rulings.extend(down_after(sentinels));
    rulings
}

/// Name of the primary at the Sentinels.
fn service(sentinels: &[SentinelInspection]) -> &str {
    sentinels.iter().find_map(|sentinel| sentinel.facts.get("name")).map_or("NAME", String::as_str)
}

/// A field of each Sentinel that has it.
fn numbers(sentinels: &[SentinelInspection], name: &str) -> Vec<u64> {
    sentinels.iter().filter_map(|sentinel| sentinel.facts.get(name)?.parse().ok()).collect()
}

/// A number where all Sentinels agree, or all of them in words.
fn figures(numbers: &[u64], figure: impl Fn(u64) -> Quantity) -> Option<Quantity> {
    let first = *numbers.first()?;
    if numbers.iter().all(|number| *number == first) {
        return Some(figure(first));
    }
    let all = numbers.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
    Some(Quantity::Text(format!("{all} (they differ)")))
}

/// A setting of a primary, changed at each Sentinel.
fn set(service: &str, name: &str, value: u64) -> Remedy {
    Remedy::Elsewhere { place: "At each Sentinel", line: format!("SENTINEL SET {service} {name} {value}") }
}

fn answering(sentinels: &[SentinelInspection]) -> usize {
    sentinels.iter().filter(|sentinel| sentinel.fault.is_none()).count()
}

fn count(sentinels: &[SentinelInspection]) -> Ruling {
    let severity = if sentinels.len() < ENOUGH { Severity::Warning } else { Severity::Passed };
    let quorum = numbers(sentinels, "quorum").into_iter().max().unwrap_or(2);
    let line = format!("sentinel monitor {} PRIMARY-HOST PORT {quorum}", service(sentinels));
    Ruling::new(Rule::SentinelCount, severity)
        .with("Sentinels", Quantity::Count(sentinels.len() as u64))
        .with("that answer", Quantity::Count(answering(sentinels) as u64))
        .remedy(Remedy::Elsewhere { place: "In the configuration of a Sentinel on another host", line })
}

fn quorum(sentinels: &[SentinelInspection]) -> Option<Ruling> {
    let quorums = numbers(sentinels, "quorum");
    let (least, most) = (*quorums.iter().min()?, *quorums.iter().max()?);
    let (all, majority) = (sentinels.len() as u64, sentinels.len() as u64 / 2 + 1);
    let mut checks = sentinels.iter().filter_map(|sentinel| sentinel.check.as_deref());
    let refused = checks.find(|check| !check.starts_with("OK"));
    let severity = match most {
        _ if refused.is_some() => Severity::Critical,
        most if most > all => Severity::Critical,
        // Then the failure of one Sentinel is enough to keep the primary from being replaced.
        most if most == all && all > 1 => Severity::Warning,
        _ if least != most => Severity::Warning,
        // A majority elects the leader in any case, so that one that is mistaken does no harm but noise.
        _ if least < majority => Severity::Note,
        _ => Severity::Passed,
    };
    Some(
        Ruling::new(Rule::SentinelQuorum, severity)
            .with_known("quorum", figures(&quorums, Quantity::Count))
            .with("Sentinels", Quantity::Count(all))
            .with("majority", Quantity::Count(majority))
            .with_known("SENTINEL CKQUORUM", refused)
            .remedy(set(service(sentinels), "quorum", majority)),
    )
}

/// Whether all Sentinels answer, know each other, and name the same primary.
fn agreement(sentinels: &[SentinelInspection]) -> Ruling {
    let silent: Vec<_> = sentinels
        .iter()
        .filter_map(|sentinel| Some(format!("{}: {}", sentinel.address, sentinel.fault.as_ref()?)))
        .collect();
    let seen = sentinels.iter().filter(|sentinel| sentinel.fault.is_none());
    // A Sentinel that one of the others does not know, or does not reach, or that knows too few itself.
    let knows_all = |sentinel: &&SentinelInspection| sentinel.others.len() + 1 >= sentinels.len();
    let lonely: Vec<_> = seen.clone().filter(|sentinel| !knows_all(sentinel)).map(|one| one.address.as_str()).collect();
    let mut lost: Vec<_> = seen.clone().flat_map(|sentinel| &sentinel.others).filter(|other| !other.answers).collect();
    lost.sort_by(|a, b| a.address.cmp(&b.address));
    lost.dedup_by(|a, b| a.address == b.address);
    let mut primaries: Vec<_> = seen.filter_map(|sentinel| sentinel.primary.as_deref()).collect();
    primaries.sort_unstable();
    primaries.dedup();
    let apart = primaries.len() > 1;
    let severity = match (apart, silent.is_empty() && lonely.is_empty() && lost.is_empty()) {
        (true, _) => Severity::Critical,
        (false, false) => Severity::Warning,
        (false, true) => Severity::Passed,
    };
    Ruling::new(Rule::SentinelAgreement, severity)
        .with("Sentinels", Quantity::Count(sentinels.len() as u64))
        .with_known(if apart { "primaries" } else { "primary" }, addresses(primaries))
        .with_known("no answer", (!silent.is_empty()).then(|| silent.join("; ")))
        .with_known("do not know all others", addresses(lonely))
        .with_known("not reached by another", addresses(lost.iter().map(|other| other.address.as_str())))
        .remedy(Remedy::Elsewhere {
            place: "At each Sentinel",
            line: format!("SENTINEL SENTINELS {}", service(sentinels)),
        })
}

fn down_after(sentinels: &[SentinelInspection]) -> Option<Ruling> {
    let times = numbers(sentinels, "down-after-milliseconds");
    let (least, most) = (*times.iter().min()?, *times.iter().max()?);
    let severity = match (least, most) {
        (least, _) if least < HASTY => Severity::Warning,
        (least, most) if least != most => Severity::Warning,
        (_, most) if most > SLOW => Severity::Note,
        _ => Severity::Passed,
    };
    let millis = |millis: u64| Quantity::Nanos(millis as f64 * 1e6);
    let failover = numbers(sentinels, "failover-timeout");
    Some(
        Ruling::new(Rule::SentinelDownAfter, severity)
            .with_known("down-after-milliseconds", figures(&times, millis))
            .with_known("failover-timeout", figures(&failover, millis))
            .remedy(set(service(sentinels), "down-after-milliseconds", most.clamp(5 * HASTY, SLOW))),
    )
}
