//! What services depend on besides the server: whether it answered, and how fast.

use std::ops::RangeInclusive;

use super::{Cell, Note, Section, Shown, Table, Tone, names::listed};
use crate::{
    analysis::{Analysis, Answers, DependencyOutage, DependencySide, Latency},
    report::format::{self, NOTHING},
};

/// What the section shows; empty where the scenario names none.
pub(super) fn section(analysis: &Analysis) -> Section {
    Section::new("dependencies", "Dependencies", table(&analysis.dependencies).block())
        .detailed(Shown::Everything)
        .brief_line("Dependencies", Some(in_brief(&analysis.dependencies)))
}

fn in_brief(dependencies: &[DependencySide]) -> String {
    let all = |side: &&DependencySide| [side.before, side.during, side.after].iter().all(|of| of.failed() == 0);
    let answered = dependencies.iter().filter(all).count() as u64;
    format!("{} of {} answered every probe.", format::count(answered), format::count(dependencies.len() as u64))
}

fn table(dependencies: &[DependencySide]) -> Table {
    let time = |side: &DependencySide, of: fn(&Latency) -> f64| Cell::time(side.latency.as_ref().map(of));
    Table::of("probes", "Dependencies of the services", dependencies)
        .head("Dependency", |side| &side.name)
        .words("Address", 2, |side| &side.address)
        .words("Before", 0, |side| once(side.before))
        .words("During", 0, |side| often(side.during))
        .words("After", 0, |side| once(side.after))
        .times("Min", 3, |side| time(side, |latency| latency.min as f64))
        .times("Mean", 1, |side| time(side, |latency| latency.mean))
        .times("Max", 1, |side| time(side, |latency| latency.max as f64))
        .table()
        .noted([
            "Probed before the load, once a second during the load, and after it. Times: until the connection (tcp) or \
             the head of the response (http), including the look-up of the name, over all answered probes.",
        ])
}

/// How the one probe of a phase went.
fn once(answers: Answers) -> Cell {
    match answers {
        Answers { probes: 0, .. } => NOTHING.into(),
        _ if answers.failed() > 0 => Cell::new("failed", Tone::Bad),
        _ => "answered".into(),
    }
}

/// How many probes were answered.
fn often(answers: Answers) -> Cell {
    let tone = if answers.failed() > 0 { Tone::Bad } else { Tone::Plain };
    let of = |count: u32| format::count(count.into());
    match answers.probes {
        0 => NOTHING.into(),
        probes => Cell::new(format!("{} of {} answered", of(answers.answered), of(probes)), tone),
    }
}

/// The note for a dependency that failed.
pub(super) fn note(name: &str, answers: Answers, outage: &DependencyOutage, reason: &str) -> Note {
    let reason = reason.trim_end_matches('.');
    let fact = match outage {
        DependencyOutage::Always => format!(
            "The dependency {name} failed all of {}: {reason}.",
            format::counted(answers.probes.into(), "probe", "probes"),
        ),
        DependencyOutage::Within { .. } => format!(
            "The dependency {name} failed {} of {}, {}: {reason}.",
            format::count(answers.failed().into()),
            format::counted(answers.probes.into(), "probe", "probes"),
            when(outage),
        ),
    };
    let advice = "Services that wait for this dependency are slow whatever the server does: repair the dependency \
                  first.";
    Note::new(Tone::Bad, fact, advice)
}

/// When it failed, such as `before the load, in seconds 3 to 5 and 9, and after the run`.
fn when(outage: &DependencyOutage) -> String {
    let DependencyOutage::Within { before, warmup, seconds, after } = outage else { return "always".to_owned() };
    let mut parts = Vec::new();
    parts.extend(before.then(|| "before the load".to_owned()));
    parts.extend(warmup.then(|| "during the warm-up".to_owned()));
    let numbers = |range: &RangeInclusive<u32>| match (range.start(), range.end()) {
        (start, end) if start == end => start.to_string(),
        (start, end) => format!("{start} to {end}"),
    };
    match seconds.as_slice() {
        [] => {}
        [one] if one.start() == one.end() => parts.push(format!("in second {}", one.start())),
        some => parts.push(format!("in seconds {}", listed(&some.iter().map(numbers).collect::<Vec<_>>()))),
    }
    parts.extend(after.then(|| "after the run".to_owned()));
    listed(&parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_when() {
        let of = |before, warmup, seconds: &[RangeInclusive<u32>], after| {
            when(&DependencyOutage::Within { before, warmup, seconds: seconds.to_vec(), after })
        };
        assert_eq!(of(true, false, &[], false), "before the load");
        assert_eq!(of(false, true, &[3..=3], false), "during the warm-up and in second 3");
        assert_eq!(of(false, false, &[3..=5, 9..=9], true), "in seconds 3 to 5 and 9 and after the run");
    }
}
