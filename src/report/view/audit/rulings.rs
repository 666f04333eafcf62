//! Rulings in words: what is wrong with advice, what holds, and what could not be learned.

use super::words::words;
use crate::report::view::{
    Advice, Block, Cell, Listing, Note, Section, Shown, Table, Tone, keyspace::is_about_keys, names::not_learned,
};
use crate::{
    analysis::audit::{Evidence, Quantity, Remedy, Ruling, Scope, Severity},
    report::format::{self, THIN},
    results::{Inspection, Withheld, slug},
};

/// Nodes that a sentence lists at most.
const LISTED_NODES: usize = 4;

/// Name of the section.
const ID: &str = "audit";

/// The audit as part of a report.
pub(in crate::report::view) fn section(rulings: &[Ruling], inspection: &Inspection) -> Section {
    if rulings.iter().all(|ruling| ruling.severity == Severity::Unknown) {
        // No inspection, or one that learned nothing: what it was refused is the server's side to show.
        return Section::new(ID, TITLE, Vec::new());
    }
    let mut blocks = vec![Block::Paragraph(summary(rulings))];
    blocks.extend(violated(rulings));
    blocks.extend(holding(rulings));
    // What was refused about keys is reported with them.
    let refused = inspection.refused().into_iter().filter(|withheld| !is_about_keys(withheld));
    blocks.extend(unknown(rulings, refused).map(Block::Paragraph));
    Section::new(ID, TITLE, blocks).detailed(Shown::First).brief_line("Audit", Some(format!("{}.", counts(rulings))))
}

const TITLE: &str = "Audit of the server";

/// How many rules hold, and how many do not.
/// Number of rulings of a severity.
pub(super) fn count(rulings: &[Ruling], severity: Severity) -> u64 {
    rulings.iter().filter(|ruling| ruling.severity == severity).count() as u64
}

/// How many rules hold, and how many do not.
fn counts(rulings: &[Ruling]) -> String {
    let count = |severity| count(rulings, severity);
    format!(
        "{}{THIN}critical, {}, {}; {} passed",
        format::count(count(Severity::Critical)),
        format::counted(count(Severity::Warning), "warning", "warnings"),
        format::counted(count(Severity::Note), "note", "notes"),
        format::counted(count(Severity::Passed), "check", "checks"),
    )
}

/// The same with the worst of those that do not.
fn summary(rulings: &[Ruling]) -> String {
    let worst = rulings.iter().filter(|ruling| ruling.severity >= Severity::Warning).max_by_key(|ruling| {
        // The first of the worst.
        (ruling.severity, std::cmp::Reverse(ruling.rule))
    });
    let worst = worst.map(|ruling| format!(" First of all: {}", fact(ruling))).unwrap_or_default();
    format!("Audit of the server: {}.{worst}", counts(rulings))
}

/// What is wrong, the worst first.
pub(in crate::report::view) fn violated(rulings: &[Ruling]) -> Option<Block> {
    let mut wrong: Vec<_> = rulings.iter().filter(|ruling| ruling.severity >= Severity::Note).collect();
    wrong.sort_by_key(|ruling| std::cmp::Reverse(ruling.severity));
    (!wrong.is_empty()).then(|| Block::Advice(wrong.into_iter().map(advice).collect()))
}

/// One ruling that does not hold, with all that belongs to it.
fn advice(ruling: &Ruling) -> Advice {
    let words = words(ruling.rule);
    Advice {
        note: Note::new(tone(ruling.severity), fact(ruling), words.advice),
        severity: ruling.severity,
        commands: listings(&ruling.remedies),
        source: format!("{}. Reads {}. Source: {}.", slug(&ruling.rule), words.reads, words.source),
    }
}

/// What was found, in one sentence with its evidence.
pub(in crate::report) fn fact(ruling: &Ruling) -> String {
    match evidence(&ruling.evidence) {
        known if known.is_empty() => format!("{}.", claim(ruling)),
        known => format!("{} ({known}).", claim(ruling)),
    }
}

/// What was found without its evidence, for where that has been reported.
fn claim(ruling: &Ruling) -> String {
    let words = words(ruling.rule);
    let claim = if ruling.severity == Severity::Passed { words.holds } else { words.violated };
    let about = about(ruling).map(|about| format!("{about}: ")).unwrap_or_default();
    format!("{about}{claim}")
}

/// What a ruling is about, where a rule applies to several things.
fn about(ruling: &Ruling) -> Option<String> {
    let parts = [ruling.scope.as_ref().map(place), ruling.about.clone()];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// Nodes of a ruling.
fn place(scope: &Scope) -> String {
    let Scope { nodes, judged, known, primaries } = scope;
    match nodes.len() {
        1 => nodes[0].clone(),
        count if count == *known => format!("all {count} nodes"),
        count if count == *judged && *primaries => format!("all {count} primaries"),
        count if count == *judged => format!("all {count} nodes that were checked"),
        count => {
            let listed = nodes.iter().take(LISTED_NODES).cloned().collect::<Vec<_>>().join(", ");
            let more = count.saturating_sub(LISTED_NODES);
            if more == 0 { listed } else { format!("{listed} and {more} more") }
        }
    }
}

/// What rulings rest on.
fn evidence(evidence: &[Evidence]) -> String {
    evidence.iter().map(|fact| format!("{} {}", fact.what, quantity(&fact.value))).collect::<Vec<_>>().join("; ")
}

/// A value with its unit.
fn quantity(value: &Quantity) -> String {
    match value {
        Quantity::Text(text) => text.clone(),
        Quantity::Count(count) => format::count(*count),
        Quantity::Bytes(bytes) => format::bytes(*bytes),
        Quantity::Nanos(nanos) => format::duration(*nanos),
        Quantity::Age(seconds) => format::age(*seconds),
        Quantity::Share(share) => format::portion(*share),
        Quantity::Ratio(ratio) => format::significant(*ratio),
    }
}

/// Where most remedies are typed.
pub(in crate::report) const AT_SERVER: &str = "At the server";

/// The lines that would change it, each kind for its place.
fn listings(remedies: &[Remedy]) -> Vec<Listing> {
    let mut listings: Vec<Listing> = Vec::new();
    let mut add = |title: &str, language: &'static str, line: String| match listings
        .iter_mut()
        .find(|known| known.title == title)
    {
        Some(known) => known.text = format!("{}\n{line}", known.text),
        None => listings.push(Listing { title: title.to_owned(), language, text: line, folded: false }),
    };
    for remedy in remedies {
        match remedy {
            Remedy::Command(command) => add(AT_SERVER, "", command.clone()),
            Remedy::Setting { name, value } => {
                add(AT_SERVER, "", format!("CONFIG SET {name} {value}"));
                add("In its configuration", "", format!("{name} {value}"));
            }
            Remedy::Configuration(lines) => add("In its configuration, then restart", "", lines.join("\n")),
            Remedy::Shell(command) => add("In a shell on its machine", "sh", command.clone()),
            Remedy::Elsewhere { place, line } => add(place, "", line.clone()),
            Remedy::Scenario(line) => add("In the application, and in the scenario", "", line.clone()),
        }
    }
    listings
}

pub(super) fn holding(rulings: &[Ruling]) -> Option<Block> {
    let known = |ruling: &Ruling| Some(evidence(&ruling.evidence)).filter(|known| !known.is_empty());
    let passed = rulings.iter().filter(|ruling| ruling.severity == Severity::Passed);
    Table::of("holding", "Rules that hold", passed)
        .head("Rule", |ruling| Cell::new(slug(&ruling.rule), Tone::Quiet))
        .words("Of", 2, |ruling| about(ruling))
        .words("Holds", 0, |ruling| words(ruling.rule).holds)
        .words("Evidence", 1, |ruling| known(ruling))
        .table()
        .block()
}

pub(super) fn unknown<'a>(rulings: &[Ruling], withheld: impl Iterator<Item = &'a Withheld>) -> Option<String> {
    let unknown: Vec<_> = rulings
        .iter()
        .filter(|ruling| ruling.severity == Severity::Unknown)
        .map(|ruling| {
            let some = ruling.scope.as_ref().filter(|scope| scope.nodes.len() < scope.judged);
            let name = slug(&ruling.rule) + &some.map(|scope| format!(" at {}", place(scope))).unwrap_or_default();
            match evidence(&ruling.evidence) {
                known if known.is_empty() => name,
                known => format!("{name} ({known})"),
            }
        })
        .collect();
    let mut sentences = Vec::new();
    if !unknown.is_empty() {
        sentences.push(format!("Not checked, for lack of data: {}.", unknown.join(", ")));
    }
    sentences.extend(not_learned(withheld).map(|refused| format!("Refused to the inspection: {refused}.")));
    (!sentences.is_empty()).then(|| sentences.join(" "))
}

fn tone(severity: Severity) -> Tone {
    match severity {
        Severity::Critical => Tone::Bad,
        Severity::Warning => Tone::Fair,
        Severity::Note => Tone::Quiet,
        Severity::Passed => Tone::Good,
        Severity::Unknown => Tone::Plain,
    }
}
