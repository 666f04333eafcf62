//! An audit on its own as a document.

use super::rulings::{amiss, holding, unknown};
use crate::{
    analysis::audit::Severity,
    report::{
        format,
        subject::AuditReport,
        view::{Block, Headline, KeyNumber, Section, Shown, Tone, View, names::made_by},
    },
};

impl View {
    /// The document of an audit.
    pub(crate) fn of_audit(audit: &AuditReport<'_>) -> Self {
        let target = audit.subject.target;
        let used = audit.subject.scenario.map_or_else(
            || "no scenario says who uses it".to_owned(),
            |scenario| {
                format!(
                    "used by {} of the scenario {}",
                    format::counted(scenario.services.len() as u64, "service", "services"),
                    scenario.name
                )
            },
        );
        let title = format!("Audit of {} {}", target.product, target.version);
        let subtitle = format!("{}, {}, {used}, on {}.", target.address, target.mode, audit.taken);
        Self::new(title, subtitle, headline(audit), sections(audit), made_by(audit.software))
    }
}

fn sections(audit: &AuditReport<'_>) -> [Section; 3] {
    let findings =
        Section::new("audit", "Findings", amiss(audit.rulings).into_iter().collect()).detailed(Shown::Everything);
    let holding = Section::new("holding-rules", "What holds", holding(audit.rulings).into_iter().collect());
    let unknown = unknown(audit.rulings, audit.subject.inspection.withheld.iter()).map(Block::Paragraph);
    let unknown =
        Section::new("unknown", "What could not be judged", unknown.into_iter().collect()).detailed(Shown::Everything);
    [findings, holding, unknown]
}

/// The verdict of an audit.
pub(in crate::report) fn headline(audit: &AuditReport<'_>) -> Headline {
    let count = |severity| audit.rulings.iter().filter(|ruling| ruling.severity == severity).count() as u64;
    let [critical, warnings, notes, passed, unknown] =
        [Severity::Critical, Severity::Warning, Severity::Note, Severity::Passed, Severity::Unknown].map(count);
    let (verdict, tone) = match (critical, warnings) {
        (1.., _) => ("Critical findings", Tone::Bad),
        (0, 1..) => ("Warnings", Tone::Fair),
        (0, 0) if unknown > 0 => ("Nothing wrong was found, but not all could be judged", Tone::Fair),
        (0, 0) => ("Nothing is wrong", Tone::Good),
    };
    let number = |name: &str, count: u64, against: &str| KeyNumber {
        name: name.to_owned(),
        value: format::count(count),
        against: against.to_owned(),
    };
    Headline {
        verdict,
        sentence: format!(
            "{verdict}: {} critical, {}, {}; {} passed, {} not judged.",
            format::count(critical),
            format::counted(warnings, "warning", "warnings"),
            format::counted(notes, "note", "notes"),
            format::counted(passed, "check", "checks"),
            format::count(unknown),
        ),
        tone,
        remarks: Vec::new(),
        numbers: vec![
            number("Critical", critical, "dangerous now"),
            number("Warnings", warnings, "will hurt some day"),
            number("Notes", notes, "worth knowing"),
            number("Passed", passed, "checks"),
        ],
    }
}
