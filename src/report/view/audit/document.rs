//! An audit on its own as a document.

use super::{
    nodes::inspected,
    rulings::{count, holding, unknown, violated},
};
use crate::{
    analysis::audit::Severity,
    report::{
        format,
        subject::AuditReport,
        view::{
            Block, Headline, KeyNumber, Section, Shown, Tone, View,
            names::{address, made_by, mode},
        },
    },
};

impl View {
    /// The document of an audit.
    pub(crate) fn of_audit(audit: &AuditReport<'_>) -> Self {
        let target = audit.subject.target;
        let used = audit.subject.scenario.map_or_else(
            || "no scenario given".to_owned(),
            |scenario| {
                format!(
                    "used by {} of the scenario {}",
                    format::counted(scenario.services.len() as u64, "service", "services"),
                    scenario.name
                )
            },
        );
        let title = format!("Audit of {} {}", target.product, target.version);
        let subtitle = format!("{}, {}, {used}, on {}.", address(target), mode(target), audit.taken);
        Self::new(title, subtitle, headline(audit), sections(audit), made_by(audit.software))
    }
}

fn sections(audit: &AuditReport<'_>) -> [Section; 4] {
    let unknown = unknown(audit.rulings, audit.subject.inspection.refused().into_iter()).map(Block::Paragraph);
    [
        Section::new("audit", "Findings", violated(audit.rulings)).detailed(Shown::Everything),
        Section::new("inspected", "Nodes inspected", inspected(audit.subject.inspection)).detailed(Shown::Everything),
        Section::new("holding-rules", "What holds", holding(audit.rulings)),
        Section::new("unknown", "Rules not checked", unknown).detailed(Shown::Everything),
    ]
}

/// The verdict of an audit.
pub(in crate::report) fn headline(audit: &AuditReport<'_>) -> Headline {
    let [critical, warnings, notes, passed, unknown] =
        [Severity::Critical, Severity::Warning, Severity::Note, Severity::Passed, Severity::Unknown]
            .map(|severity| count(audit.rulings, severity));
    let (verdict, tone) = match (critical, warnings) {
        (1.., _) => ("Critical findings", Tone::Bad),
        (0, 1..) => ("No critical finding", Tone::Fair),
        (0, 0) if unknown > 0 => ("No faults found, but not all rules were checked", Tone::Fair),
        (0, 0) => ("No faults", Tone::Good),
    };
    let sentence = format!(
        "{verdict}: {}{}, {}; {} passed, {} not checked.",
        if critical > 0 { format!("{} critical, ", format::count(critical)) } else { String::new() },
        format::counted(warnings, "warning", "warnings"),
        format::counted(notes, "note", "notes"),
        format::counted(passed, "check", "checks"),
        format::count(unknown),
    );
    let numbers = vec![
        KeyNumber::new("Critical", format::count(critical), "dangerous now"),
        KeyNumber::new("Warnings", format::count(warnings), "future damage"),
        KeyNumber::new("Notes", format::count(notes), "worth knowing"),
        KeyNumber::new("Passed", format::count(passed), "checks"),
    ];
    Headline { verdict, sentence, tone, remarks: Vec::new(), numbers }
}
