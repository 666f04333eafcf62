//! What the user should know or do after a capacity run, with advice.

use super::words::{apart_clause, carried_rate, failure, harness_limit_words, limit, missed_rate, more_machines, rate};
use crate::{
    analysis::capacity::{Advice, ArmAnswer, Comparison, FailReason, Limit},
    report::{
        format::{self, THIN},
        subject::CapacityReport,
        view::{
            Note, Section, Tone,
            findings::{self, debug_build, of_notes},
        },
    },
    results::Ended,
};

/// Share of the strictest limit's rate beyond which response times are said to rise all at once.
const CLIFF: f64 = 0.85;
/// Months of growth below which the time to act is now.
const SOON: f64 = 6.0;
/// How many times the measured wait may be the predicted one before the model is said not to hold.
const UNLIKE: f64 = 3.0;

pub(super) fn section(answers: &CapacityReport) -> Section {
    let mut notes: Vec<Note> = lost(answers).into_iter().collect();
    notes.extend(answers.analysis.comparisons.iter().filter_map(|comparison| pool(answers, comparison)));
    notes.extend(divided(answers));
    notes.extend(own_rate(answers));
    notes.extend(headroom(answers));
    notes.extend(fleet(answers));
    for (index, arm, answer) in answers.arms() {
        let whose = if answers.capacity.plan.arms.len() > 1 { format!("{}: ", arm.name) } else { String::new() };
        let of_arm = [
            client_limited(answers, index, answer),
            errors(answers, index, answer),
            unconfirmed(answer),
            command(answer),
            cliff(answer),
            theory(answer),
        ];
        notes.extend(of_arm.into_iter().flatten().map(|note| Note { fact: format!("{whose}{}", note.fact), ..note }));
    }
    notes.extend((answers.capacity.software.profile == "debug").then(debug_build));
    let known =
        |arm: &ArmAnswer| arm.sustainable.is_some() || arm.first_failure.is_some() || arm.client_limited.is_some();
    if notes.is_empty() && !answers.analysis.arms.iter().any(known) {
        return Section::new(findings::ID, "Findings", Vec::new());
    }
    of_notes(notes)
}

fn lost(answers: &CapacityReport) -> Option<Note> {
    let advice = "Check its log and that of its machine for a crash, a restart or a lack of memory: a load that ends a \
                  server is not sustainable, whatever the response times before.";
    let lost = || Note::new(Tone::Bad, "The server was lost during a trial.", advice);
    (answers.capacity.ended == Ended::Lost).then(lost)
}

/// Connections of a pool for each generator below which requests wait longer than in one process: it does not divide such a pool.
const FEW: u32 = 10;

/// That a pool size means something else where it is divided among generators.
fn divided(answers: &CapacityReport) -> Option<Note> {
    let generators = answers.capacity.plan.generators.as_ref()?.number;
    let smallest = answers.arms().filter_map(|(_, arm, _)| arm.pool).min()?;
    (smallest < FEW * generators).then(|| {
        Note::new(
            Tone::Fair,
            format!(
                "The pool of {smallest} connections is divided among {generators} generators, which wait for their own connections only."
            ),
            "A process that has the pool for itself waits less. Compare pool sizes with fewer generators, or with one process.",
        )
    })
}

fn pool(answers: &CapacityReport, comparison: &Comparison) -> Option<Note> {
    let (from, to) = (answers.name(comparison.from), answers.name(comparison.to));
    let settings = |arm: u32| {
        let arm = answers.capacity.plan.arms.get(arm as usize)?;
        let settings: Vec<_> = arm.settings.iter().map(|(name, value)| format!("--set {name}={value}")).collect();
        (!settings.is_empty()).then(|| format!(" ({})", settings.join(" ")))
    };
    match comparison.advice {
        Advice::Grow => Some(Note::new(
            Tone::Fair,
            format!("{from} is too small: {}.", grown(answers, comparison)),
            format!("Use {to}{}.", settings(comparison.to).unwrap_or_default()),
        )),
        Advice::Worse => Some(Note::new(
            Tone::Bad,
            format!("{to} is worse than {from}."),
            format!("Keep {from}{}; the limit is elsewhere.", settings(comparison.from).unwrap_or_default()),
        )),
        Advice::NoBenefit | Advice::Inconclusive(_) => None,
    }
}

/// What a larger pool cures.
fn grown(answers: &CapacityReport, comparison: &Comparison) -> String {
    if let Some(apart) = comparison.apart {
        return apart_clause(answers, comparison, apart);
    }
    let waits = comparison.decisive().is_some_and(|at| at.wait_p99.levels.a > 2.0 * at.wait_p99.levels.b);
    let what =
        if waits { "requests wait for a connection" } else { "requests queue behind each other on its connections" };
    match comparison.limit {
        Limit::Pool(_) => format!("{what} while the server has spare capacity"),
        _ => what.to_owned(),
    }
}

/// The rate that the scenario asks for, against what is sustainable as it is, or with the pool that is advised.
fn own_rate(answers: &CapacityReport) -> Option<Note> {
    let own = answers.own_rate()?;
    let advised = |comparison: &Comparison| {
        if comparison.advice == Advice::Grow { comparison.to } else { comparison.from }
    };
    let arm = answers.comparison().map_or(0, advised);
    let known = answers.analysis.arms.get(arm as usize)?.sustainable?;
    let with =
        if answers.capacity.plan.arms.len() > 1 { format!(" with {}", answers.name(arm)) } else { String::new() };
    let (tone, fact) = if known.above.is_some_and(|above| own >= above) {
        (
            Tone::Bad,
            format!(
                "The scenario offers {}, more than the sustainable rate{with} ({}).",
                rate(own),
                carried_rate(known.rate)
            ),
        )
    } else if let Some(recommended) = known.recommended.filter(|recommended| own > *recommended) {
        (
            Tone::Fair,
            format!(
                "The scenario offers {}, more than the recommended rate{with} ({}).",
                rate(own),
                carried_rate(recommended)
            ),
        )
    } else {
        return None;
    };
    Some(Note::new(
        tone,
        fact,
        "Spread the load over more servers, use less expensive commands, or offer less; see the limiting resource \
         above.",
    ))
}

fn headroom(answers: &CapacityReport) -> Option<Note> {
    // A lower bound says nothing of how much room there is above it.
    let headroom = answers.analysis.headroom.filter(|headroom| headroom.bounded)?;
    let (tone, fact) = if headroom.times < 1.0 {
        (Tone::Bad, "Today's load is above the sustainable rate.".to_owned())
    } else if headroom.months.is_some_and(|months| months <= 0.0) || headroom.times < 1.25 {
        (Tone::Fair, "Today's load is above the recommended rate, without a reserve.".to_owned())
    } else if let Some(months) = headroom.months.filter(|months| *months < SOON) {
        (Tone::Fair, format!("The recommended rate is reached in {} months.", format::significant(months)))
    } else {
        return None;
    };
    Some(Note::new(tone, fact, "Plan for more capacity now, with a capacity run of the new server."))
}

fn fleet(answers: &CapacityReport) -> Option<Note> {
    let fleet = &answers.analysis.fleet;
    let limit = fleet.max_clients?;
    let (arm, most) = (0..).zip(&fleet.connections).max_by_key(|(_, connections)| **connections)?;
    let whose = if fleet.connections.len() > 1 { format!(" with {}", answers.name(arm)) } else { String::new() };
    let takes = format::count(limit);
    let (tone, what) = if *most > limit {
        (Tone::Bad, format!("more than the {takes} that the server accepts"))
    } else if most.saturating_mul(2) > limit {
        (
            Tone::Fair,
            format!(
                "more than half of the {takes} that the server accepts: a roll-out with old and new instances at once \
                 may be refused"
            ),
        )
    } else {
        return None;
    };
    Some(Note::new(
        tone,
        format!("The fleet needs {}{whose}, {what}.", format::counted(*most, "connection", "connections")),
        "Raise maxclients (and the limit of open files with it), or use smaller pools.",
    ))
}

fn client_limited(answers: &CapacityReport, arm: u32, answer: &ArmAnswer) -> Option<Note> {
    let (at, check) = answer.client_limited.as_ref()?;
    let advice = if answers.uses_fred(arm) {
        "Results above that rate do not describe the server: repeat the run with the wire client, which takes less CPU \
         time per request (--client wire); where that does not suffice, with load from several machines (--scale)."
            .to_owned()
    } else {
        format!("Results above that rate do not describe the server: {}, and repeat the run.", more_machines(answers))
    };
    Some(Note::new(
        Tone::Fair,
        format!("The harness was the limit at {} ({}).", rate(*at), harness_limit_words(check)),
        advice,
    ))
}

fn errors(answers: &CapacityReport, arm: u32, answer: &ArmAnswer) -> Option<Note> {
    let (at, reason @ FailReason::Errors(_)) = answer.first_failure? else { return None };
    Some(Note::new(
        Tone::Bad,
        format!("At {} requests failed: {}.", missed_rate(at), failure(answers, arm, at, reason)),
        "Errors have another cause than capacity: `plimsoll report` of the trial's folder lists them.",
    ))
}

fn unconfirmed(answer: &ArmAnswer) -> Option<Note> {
    let known = answer.sustainable.filter(|known| !known.confirmed)?;
    Some(Note::new(
        Tone::Fair,
        format!("{} met the objective, but longer trials did not confirm it.", carried_rate(known.rate)),
        "A larger budget (--budget) has time for them.",
    ))
}

fn command(answer: &ArmAnswer) -> Option<Note> {
    let Limit::Command(name, ..) = &answer.limit else { return None };
    let (_, figure) = limit(&answer.limit)?;
    Some(Note::new(
        Tone::Fair,
        format!("{name} takes most of the server's time ({figure})."),
        "The server runs one command at a time, so all clients wait behind it: smaller batches or ranges, smaller \
         keys, or a server of its own raise the limit; connections do not.",
    ))
}

/// Whether a strict limit costs next to nothing, because response times rise all at once.
fn cliff(answer: &ArmAnswer) -> Option<Note> {
    // Where no end was found there is no cliff to speak of.
    answer.by_limit.last().and_then(|(_, _, high)| *high).filter(|_| answer.client_limited.is_none())?;
    let known: Vec<_> = answer.by_limit.iter().filter_map(|(limit, low, _)| Some((*limit, (*low)?))).collect();
    let ((strict, least), (loose, most)) = (*known.first()?, *known.last()?);
    if strict == loose || least < CLIFF * most {
        return None;
    }
    let limit = |nanos| format::setting(std::time::Duration::from_nanos(nanos));
    Some(Note::new(
        Tone::Quiet,
        format!(
            "Response time rises steeply: {} within {}, and {} within {}.",
            carried_rate(least),
            limit(strict),
            carried_rate(most),
            limit(loose)
        ),
        "Response times warn too late: monitor the rate and the server's CPU.",
    ))
}

fn theory(answer: &ArmAnswer) -> Option<Note> {
    // A harness without time delays requests as well.
    // The last is the one at the sustainable rate, where waits are longest.
    let check = answer.erlang.last().filter(|_| answer.client_limited.is_none())?;
    if check.utilisation >= 1.0 || check.measured_p99 < 1e6 || check.measured_p99 < UNLIKE * check.predicted_p99 {
        return None;
    }
    Some(Note::new(
        Tone::Quiet,
        format!(
            "At {} per instance of {}, requests wait longer for a connection than queueing theory predicts: p99 {} \
             instead of {}.",
            rate(check.rate),
            check.service,
            format::duration(check.measured_p99),
            format::duration(check.predicted_p99)
        ),
        format!(
            "Hold times are uneven: check for slow commands among fast ones, and for stalls of the server, before \
             adding connections ({}{THIN}% of the pool is in use on average).",
            format::significant(check.utilisation * 100.0)
        ),
    ))
}
