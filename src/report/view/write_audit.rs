//! The audit of writes: whether acknowledged writes were lost.

use super::{Block, Note, Section, Shown, Tone, names::capitalised, timetable::second};
use crate::{
    measure::Nanos,
    report::format,
    results::{Run, WriteAuditRecord},
    scenario::Scenario,
};

/// What the section shows; empty where the scenario has no audit of writes.
pub(super) fn section(run: &Run, scenario: &Scenario) -> Section {
    let sentence = run.write_audit.as_ref().map(sentence);
    let rate = scenario.audit_writes.map_or(0.0, |plan| plan.rate);
    let method = run.write_audit.as_ref().map(|audit| {
        format!(
            "{} counters were incremented beside the load, at {} in all, with a connection each, through fred, which may \
             send an increment again when the nodes of a cluster change. A reply that is not the value before it plus one shows a \
             loss; the last ones are found by reading the counters after the load. Increments without a reply may have been \
             executed or not.",
            audit.counters,
            format::rate(rate)
        )
    });
    let blocks =
        sentence.as_deref().map(capitalised).into_iter().chain(method).map(Block::Paragraph).collect::<Vec<_>>();
    Section::new("writes", "Acknowledged writes", blocks).detailed(Shown::Paragraphs).brief_line("Writes", sentence)
}

/// `None of 1 000 acknowledged writes was lost.`
fn sentence(audit: &WriteAuditRecord) -> String {
    let mut parts = vec![outcome(audit.lost(), audit.acknowledged)];
    let mut add = |count: u64, what: &str| {
        if count > 0 {
            parts.push(format!("{} {what}", format::count(count)));
        }
    };
    add(audit.repeated, "executed more often than sent");
    add(audit.refused, "refused");
    add(audit.unknown, "without a reply");
    add(audit.unread, "counters not read at the end");
    let message = audit.message.as_ref().map(|message| format!(" (first error: {message})")).unwrap_or_default();
    format!("{}{message}.", parts.join("; "))
}

fn outcome((least, most): (u64, u64), acknowledged: u64) -> String {
    let of = format!("of {}", format::counted(acknowledged, "acknowledged write", "acknowledged writes"));
    match (least, most) {
        (_, 0) => format!("none {of} was lost"),
        (least, most) if least == most => format!("{} {of} lost", format::count(most)),
        (least, most) => format!("{} to {} {of} lost", format::count(least), format::count(most)),
    }
}

/// The finding.
pub(super) fn note(lost: (u64, u64), acknowledged: u64, repeated: u64, found_ns: Option<Nanos>) -> Note {
    let when = found_ns.map(|at| format!(", the first found at {}", second(at))).unwrap_or_default();
    let again = match repeated {
        0 => String::new(),
        count => format!("; {} executed more often than sent", format::count(count)),
    };
    Note::new(
        Tone::Bad,
        format!("Acknowledged writes: {}{when}{again}.", outcome(lost, acknowledged)),
        "Replication is asynchronous: a primary acknowledges a write before its replicas have it, and a failover or a restart without \
         persistence loses it. WAIT, min-replicas-to-write and appendfsync always reduce the loss, at a cost in response time.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::LostWrites;

    #[test]
    fn losses_have_bounds() {
        let audit = |losses: Vec<LostWrites>, unknown: u64| {
            let audit = WriteAuditRecord { acknowledged: 1_000, unknown, losses, ..WriteAuditRecord::default() };
            sentence(&audit).replace(format::THIN, " ")
        };
        assert_eq!(audit(Vec::new(), 0), "none of 1 000 acknowledged writes was lost.");
        let lost = |least, most| vec![LostWrites { found_ns: 1, least, most }];
        assert_eq!(audit(lost(3, 3), 0), "3 of 1 000 acknowledged writes lost.");
        assert_eq!(audit(lost(3, 5), 2), "3 to 5 of 1 000 acknowledged writes lost; 2 without a reply.");
    }
}
