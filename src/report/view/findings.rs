//! What the user should know or do: every finding in words, with advice.

use std::collections::BTreeSet;

use super::{
    Block, Note, Section, Shown, Tone,
    checks::{Harness, limit, quantity, subject, words},
    dependencies, events, failures, generators,
    names::scope_name,
    overload, server_findings, write_audit,
};
use crate::{
    analysis::{Analysis, Check, CheckKind, Finding, GeneratorFinding, Level, Scope, ServerFinding, Stall},
    report::format::{bytes, count, counted, duration, factor, share, significant},
    results::Verdict,
    scenario::{Client, Scenario},
};

/// Name of the section.
pub(super) const ID: &str = "findings";

pub(super) fn section(analysis: &Analysis, scenario: &Scenario) -> Section {
    let harness = Harness { fred: scenario.uses(Client::Fred), scaled: !analysis.generators.is_empty() };
    // Reads that find nothing are another load, so that nothing else in the report is what was asked for: a summary has them first.
    let is_misses = |finding: &&Finding| matches!(finding, Finding::Misses { .. });
    let misses = analysis.findings.iter().filter(is_misses);
    let others = analysis.findings.iter().filter(|finding| !is_misses(finding));
    of_notes(misses.chain(others).map(|finding| note(finding, analysis, harness)).collect())
}

/// The section of these notes.
pub(super) fn of_notes(mut notes: Vec<Note>) -> Section {
    let brief = in_brief(notes.clone());
    // Advice is given once, however many findings call for it.
    for place in 1..notes.len() {
        if notes[..place].iter().any(|earlier| earlier.advice == notes[place].advice) {
            notes[place].advice.clear();
        }
    }
    let block = if notes.is_empty() { Block::Paragraph("No action needed.".to_owned()) } else { Block::Notes(notes) };
    Section::new(ID, "Findings", vec![block]).detailed(Shown::Everything).brief([brief]).closing()
}

/// Notes in a summary.
const BRIEF: usize = 4;

/// The most serious notes, one of each advice, the first of them with its advice.
fn in_brief(mut notes: Vec<Note>) -> Block {
    if notes.is_empty() {
        return Block::Paragraph("No action needed.".to_owned());
    }
    notes.sort_by_key(|note| match note.tone {
        Tone::Bad => 0,
        Tone::Fair => 1,
        Tone::Plain | Tone::Good | Tone::Quiet => 2,
    });
    let all = notes.len();
    let mut given = BTreeSet::new();
    notes.retain(|note| note.advice.is_empty() || given.insert(note.advice.clone()));
    notes.truncate(BRIEF);
    let more = (all - notes.len()) as u64;
    for note in &mut notes[1..] {
        note.advice.clear();
    }
    notes.extend((more > 0).then(|| {
        Note::new(
            Tone::Quiet,
            format!("{}: see the report, or --verbose.", counted(more, "further finding", "further findings")),
            "",
        )
    }));
    Block::Notes(notes)
}

/// The note for a finding.
fn note(finding: &Finding, analysis: &Analysis, harness: Harness) -> Note {
    match finding {
        Finding::Failures { scope, operations, class, count: failed, message, event } => Note::new(
            Tone::Bad,
            format!(
                "{}{} of {} failed with {class}{}: “{}”.",
                counted(*failed, "request", "requests"),
                portion(*failed, scope, analysis),
                scope_name(scope),
                if *operations == 1 { String::new() } else { format!(", in {operations} operations") },
                message.trim_end_matches('.'),
            ),
            planned(event.as_deref()).unwrap_or_else(|| failures::advice(class, message).to_owned()),
        ),
        Finding::Unfinished { service, count: requests, share: part } => Note::new(
            Tone::Bad,
            format!(
                "{} ({}) of {service} had no answer at the end of the drain.",
                counted(*requests, "request", "requests"),
                share(*part),
            ),
            if gone(analysis, service) {
                "Unfinished requests count as late. The server did not answer again: see its log."
            } else if cut_off(analysis, service) {
                "Unfinished requests count as late. They are those of generators that got no answers."
            } else if analysis.checks.iter().any(Check::is_overload) {
                "They count as missed. They waited behind the queue of a load above capacity."
            } else {
                "Unfinished requests count as late. The server was gone or overloaded: see the timeline, and the log of \
             the server."
            },
        ),
        Finding::PoolWait { service, pool, wait_p99, response_p99, utilisation } => Note::new(
            Tone::Fair,
            format!(
                "Requests of {service} wait for a connection: p99 of the wait is {} of a response time of {}, with {} \
                 of {} in use on average.",
                duration(*wait_p99 as f64),
                duration(*response_p99 as f64),
                share(*utilisation),
                counted(*pool, "connection", "connections"),
            ),
            format!(
                "The pool is the limit, not the server: try a larger pool (--set service.{service}.pool.size={}), or \
                 shared connections (checkout = \"shared\").",
                pool.saturating_mul(2),
            ),
        ),
        Finding::SlowOperation { scope, p50, rest_p50 } => Note::new(
            Tone::Fair,
            format!(
                "{} takes {} of service time at the median, {} the {} of the other operations of its service.",
                scope_name(scope),
                duration(*p50 as f64),
                factor(*p50 as f64 / (*rest_p50).max(1) as f64),
                duration(*rest_p50 as f64),
            ),
            "The server runs one command at a time, so all clients wait behind it: send smaller batches or ranges, \
             split large keys, or move it to another server.",
        ),
        Finding::Stalls { stalls, event } => events::stalls(stalls, planned(event.as_deref()), restarted(analysis)),
        Finding::Bursts(bursts) => events::bursts(bursts, stood_still(analysis)),
        Finding::Trend { service, per_minute } => events::trend(service, *per_minute),
        Finding::Misses { scope, misses, lookups } => Note::new(
            Tone::Bad,
            format!(
                "{}: {} of {} found nothing.",
                scope_name(scope),
                count(*misses),
                counted(*lookups, "lookup", "lookups"),
            ),
            "A reply without a value costs less, so these times are those of another load: let plimsoll write the keys \
             (omit --no-prefill), or check the prefix and the number of keys.",
        ),
        Finding::Reconnects { service, lost, recovered, event } => Note::new(
            if recovered >= lost { Tone::Fair } else { Tone::Bad },
            // One that was lost in the warm-up may come back in the measured period.
            format!(
                "{service} lost {}, of which {} came back.",
                counted(*lost, "connection", "connections"),
                count(*recovered.min(lost)),
            ),
            planned(event.as_deref()).unwrap_or_else(|| {
                "Check for a restart, CLIENT KILL, the server's timeout setting, or a network that drops connections. \
                 Requests under way at that time count as “connection lost”."
                    .to_owned()
            }),
        ),
        Finding::Upkeep { count: commands, share: part } => Note::new(
            Tone::Quiet,
            format!(
                "{} kept the data bounded, {} of all commands.",
                counted(*commands, "extra command", "extra commands"),
                share(*part),
            ),
            "Upkeep uses server time that an application would not, and is in no sum. A mix that removes as much as it \
             adds needs no upkeep.",
        ),
        Finding::Trust(check) if check.is_overload() => overload::note(check, analysis, harness),
        Finding::Trust(check) => trust(check, restarted(analysis), analysis.conclusion.verdict, harness),
        Finding::Dependency { name, answers, outage, reason } => dependencies::note(name, *answers, outage, reason),
        Finding::UnevenLoad { node, share: part, factor: times } => Note::new(
            Tone::Fair,
            format!(
                "The primary {node} served {} of the requests, {} times an even share.",
                share(*part),
                significant(*times)
            ),
            "The cluster is at its limit when this node is: a few popular keys, or hash tags that put many keys into one slot, \
             are the usual causes. Compare with uniform access, or with more keys for each service.",
        ),
        Finding::Generators(finding) => generators::note(finding),
        Finding::StaleReads { node, lag } => Note::new(
            Tone::Fair,
            format!(
                "The replica {node} lacked more than a second of writes in {} of {} seconds, at most {}: reads from it were stale.",
                lag.stale,
                lag.seconds,
                bytes(lag.max)
            ),
            "Look at the replica's CPU time, its network and its link to the primary. A service that must read what it wrote needs \
             read_from = \"primary\".",
        ),
        Finding::MissesOnReplicas { service, primary, replica } => Note::new(
            Tone::Fair,
            format!(
                "Reads of {service} missed {} of the keys at replicas and {} at primaries: replicas lacked keys.",
                share(*replica),
                share(*primary)
            ),
            "The same reads go to both in turn, so the difference is one of the data: keys that had not arrived yet. A service that must \
             read what it wrote needs read_from = \"primary\".",
        ),
        Finding::LostWrites { lost, acknowledged, repeated, found_ns } => {
            write_audit::note(*lost, *acknowledged, *repeated, *found_ns)
        }
        Finding::Server(finding) => server_findings::note(finding),
        Finding::Interrupted => Note::new(
            Tone::Fair,
            "The run was interrupted by the user.",
            "The measurements until then are reported, but tails need the whole time: repeat the run before comparing it \
             with others.",
        ),
        Finding::DebugBuild => debug_build(),
    }
}

/// That the harness was built without optimisation.
pub(super) fn debug_build() -> Note {
    let advice = "Its overhead is part of every number: build with --release and repeat the run.";
    Note::new(Tone::Fair, "The harness is a debug build.", advice)
}

/// Advice for what follows an event of the scenario.
fn planned(event: Option<&str>) -> Option<String> {
    event.map(|event| format!("It follows {event}, an event of the scenario: see the outages for what it cost."))
}

/// Which part of the requests of a row failed so.
fn portion(count: u64, scope: &Scope, analysis: &Analysis) -> String {
    analysis
        .rows
        .iter()
        .find(|row| row.scope == *scope)
        .map(|row| row.bad.of)
        .filter(|all| *all > 0)
        .map(|all| format!(" ({})", share(count as f64 / all as f64)))
        .unwrap_or_default()
}

/// Whether the server was restarted while it was measured.
pub(super) fn restarted(analysis: &Analysis) -> bool {
    let is_restart = |finding: &Finding| matches!(finding, Finding::Server(ServerFinding::Restarts { .. }));
    analysis.findings.iter().any(is_restart)
}

/// Whether a service got no answers any more until the run ended.
fn gone(analysis: &Analysis, service: &str) -> bool {
    let concerns = |stall: &Stall| stall.services.is_empty() || stall.services.iter().any(|name| name == service);
    analysis.events.stalls.iter().any(|stall| !stall.ended && concerns(stall))
}

/// Whether a generator got no answers of a service any more until the run ended, while others did.
fn cut_off(analysis: &Analysis, service: &str) -> bool {
    let mut findings = analysis.findings.iter();
    findings.any(|finding| {
        let Finding::Generators(GeneratorFinding::Silent { service: own, ended, .. }) = finding else { return false };
        own == service && !ended
    })
}

/// Whether a check is about time that the harness adds to response times.
fn makes_worse(kind: CheckKind) -> bool {
    matches!(
        kind,
        CheckKind::ScheduleLag
            | CheckKind::GeneratorLag
            | CheckKind::WorkerCpu
            | CheckKind::Steal
            | CheckKind::Throttling
            | CheckKind::Pauses
    )
}

/// Whether the harness did not run for too much of the time.
fn stood_still(analysis: &Analysis) -> bool {
    let kinds = [CheckKind::Pauses, CheckKind::Throttling, CheckKind::Steal];
    analysis.checks.iter().any(|check| check.level == Level::Refuse && kinds.contains(&check.kind))
}

fn trust(check: &Check, restarted: bool, verdict: Verdict, harness: Harness) -> Note {
    let lost = restarted && check.kind == CheckKind::Misses;
    let cause = if lost { "; the server was restarted during the run and lost unsaved data" } else { "" };
    let advice = if lost {
        "The data went with the restart: let the server save it (appendonly yes, or snapshots), or leave the restart out of the run."
            .to_owned()
    } else {
        words(check.kind).advice_for(harness)
    };
    let limit = match (check.level, check.refuse) {
        // Whatever is missing of the load is too much.
        _ if check.kind == CheckKind::LoadFailure => String::new(),
        (Level::Refuse, Some(refuse)) if verdict != Verdict::Invalid && makes_worse(check.kind) => {
            format!("; that is above {}, so the true response times can only be shorter", limit(check.kind, refuse))
        }
        (Level::Refuse, Some(refuse)) => {
            format!("; limit {}", limit(check.kind, refuse))
        }
        (Level::Ok | Level::Unknown, _) => String::new(),
        (Level::Warn | Level::Refuse, _) => {
            format!("; warning above {}", limit(check.kind, check.warn))
        }
    };
    Note::new(
        if check.level == Level::Refuse && (verdict == Verdict::Invalid || !makes_worse(check.kind)) {
            Tone::Bad
        } else {
            Tone::Fair
        },
        format!("{}: {}{limit}{cause}.", subject(check), quantity(check)),
        advice,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{analysis::analyse, measure::Span, results::sample};

    #[test]
    fn requests_of_a_server_that_is_gone_waited_behind_no_load() {
        let mut analysis = analyse(&sample::run(), &sample::scenario());
        let finding = Finding::Unfinished { service: "api".into(), count: 9, share: 0.1 };
        let advice = |analysis: &Analysis| note(&finding, analysis, Harness { fred: true, scaled: false }).advice;
        let check = analysis.checks.iter_mut().find(|check| check.kind == CheckKind::Backlog).unwrap();
        check.level = Level::Refuse;
        assert!(advice(&analysis).contains("above capacity"));
        let span = Span { from_ns: 1, to_ns: 2 };
        analysis.events.stalls = vec![Stall { span, services: vec!["chat".into()], bad: 9, ended: false }];
        assert!(advice(&analysis).contains("above capacity"), "that is another service");
        analysis.events.stalls[0].services.clear();
        assert!(advice(&analysis).contains("did not answer again"));
        analysis.events.stalls[0].ended = true;
        assert!(advice(&analysis).contains("above capacity"));
        let (generator, service) = ("generator 1 on b".to_owned(), "api".to_owned());
        let silent = GeneratorFinding::Silent { generator, service, span, ended: false };
        analysis.findings.push(Finding::Generators(silent));
        assert!(advice(&analysis).contains("those of generators that got no answers"));
    }

    #[test]
    fn lag_makes_response_times_longer_and_a_start_apart_does_not() {
        assert!(makes_worse(CheckKind::GeneratorLag) && !makes_worse(CheckKind::Start));
    }

    #[test]
    fn one_note_of_each_advice_is_in_the_summary() {
        let note = |tone, fact: &str, advice: &str| Note::new(tone, fact, advice);
        let notes = vec![
            note(Tone::Bad, "chat was late", "Give it cores."),
            note(Tone::Bad, "api was late", "Give it cores."),
            note(Tone::Quiet, "upkeep", ""),
            note(Tone::Quiet, "more upkeep", ""),
            note(Tone::Bad, "SET failed", "Look into the log."),
            note(Tone::Bad, "GET failed", "Look into the log."),
        ];
        let Block::Notes(brief) = in_brief(notes) else { panic!("notes") };
        let facts: Vec<&str> = brief.iter().map(|note| note.fact.as_str()).collect();
        assert_eq!(facts[..4], ["chat was late", "SET failed", "upkeep", "more upkeep"]);
        assert!(facts[4].contains("further findings") && facts[4].starts_with('2'), "{facts:?}");
    }
}
