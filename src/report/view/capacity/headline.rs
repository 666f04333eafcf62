//! The answer of a capacity run in one sentence, and what has to be said along with it.

use std::cmp::Ordering;

use super::words::{
    apart_clause, carried_rate, failure, harness, harness_limit_words, limit_clause, missed_rate, more_machines,
    objective, rate, run_at, sustained_rate, time, visible,
};
use crate::{
    analysis::capacity::{
        Advice, ArmAnswer, Comparison, FailReason, Limit, Next, Planner, RateComparison, Sustainable,
    },
    report::{
        format::{self, NOTHING, THIN},
        subject::CapacityReport,
        view::{
            Headline, KeyNumber, Tone, effect,
            names::{capitalised, listed, other_stack},
        },
    },
    results::{Arm, Ended},
};

/// Variants that are all named in a sentence.
const FEW: usize = 4;

/// One sentence with the words that it begins with and its colour.
struct Answer {
    verdict: &'static str,
    /// Words between the verdict and the client library; `None` where the rest names the client.
    object: Option<String>,
    rest: String,
    tone: Tone,
}

impl Answer {
    fn new(verdict: &'static str, rest: String, tone: Tone) -> Self {
        Self { verdict, object: Some(String::new()), rest, tone }
    }

    fn sentence(&self) -> String {
        format!("{}{}{}.", self.verdict, self.object.as_deref().unwrap_or_default(), self.rest)
    }
}

pub(in crate::report) fn headline(answers: &CapacityReport) -> Headline {
    let mut remarks = Vec::new();
    let mut answer = rates(answers);
    // Pools that were not compared say nothing, and what can be carried comes first.
    if let Some(comparison) = answers.comparison().filter(|comparison| !comparison.is_empty()) {
        remarks.push(answer.sentence());
        let others = answers.analysis.comparisons.iter().filter(|other| *other != comparison);
        remarks.extend(others.map(|other| of_pools(answers, other).sentence()));
        answer = of_pools(answers, comparison);
    } else {
        remarks.extend(alone(answers));
    }
    remarks.extend(ending(answers));
    if is_lost(answers) {
        let before = format!("Result before the loss, doubtful until the cause is known: {}", answer.sentence());
        remarks.insert(0, before);
        answer = lost(answers);
    }
    if let Some(object) = &mut answer.object
        && let Some(stack) = other_stack(&answers.scenario, |field| !is_swept(answers, field))
    {
        // "not confirmed with the wire client" would say that fred had confirmed it.
        object.push_str(if answer.verdict.contains(',') { ", with " } else { " with " });
        object.push_str(&stack);
    }
    let sentence = answer.sentence();
    Headline { verdict: answer.verdict, sentence, tone: answer.tone, remarks, numbers: numbers(answers) }
}

/// Whether arms differ in a field of services.
fn is_swept(answers: &CapacityReport, field: &str) -> bool {
    let sets = |(path, _): &(String, String)| path.rsplit('.').next() == Some(field);
    answers.capacity.plan.arms.iter().any(|arm| arm.settings.iter().any(sets))
}

/// Whether a larger pool pays.
fn of_pools(answers: &CapacityReport, comparison: &Comparison) -> Answer {
    let (from, to) = (answers.name(comparison.from), answers.name(comparison.to));
    let pool = |arm: u32| answers.capacity.plan.arms.get(arm as usize).and_then(|arm| arm.pool);
    let size = |arm: u32, name: &str| pool(arm).map_or_else(|| name.to_owned(), |size| size.to_string());
    let step = format!("from {} to {}", size(comparison.from, from), size(comparison.to, to));
    let measured = comparison.decisive().map(|at| format!(": {} at {}", changed(comparison.advice, at), rate(at.rate)));
    let evidence = comparison.apart.map(|apart| format!(": {}", apart_clause(answers, comparison, apart)));
    let evidence = evidence.or(measured).unwrap_or_default();
    let because = limit_clause(answers, comparison.from, &comparison.limit);
    let mut object = String::new();
    let (verdict, rest, tone) = match comparison.advice {
        Advice::Grow => {
            object = format!(" {step}");
            ("Grow the pool", format!("{evidence}; {because}"), Tone::Good)
        }
        Advice::NoBenefit => {
            let rest = format!(
                ": growing the pool {step} makes no difference that matters for the objective{evidence}; {because}"
            );
            let starved = matches!(comparison.limit, Limit::Client(_));
            ("No benefit", rest, if starved { Tone::Fair } else { Tone::Good })
        }
        Advice::Worse => {
            ("Worse", format!(": growing the pool {step} lengthens response times{evidence}; {because}"), Tone::Bad)
        }
        Advice::Inconclusive(effect) => {
            let rest = if comparison.is_empty() {
                format!(": pools {step} were not compared")
            } else {
                format!(": the effect of growing the pool {step} is not certain{evidence}; {}", visible(effect))
            };
            ("Inconclusive", rest, Tone::Fair)
        }
    };
    Answer { verdict, object: Some(object), rest, tone }
}

/// The change at a rate that shows the advice: that of p99, unless another one does.
fn changed(advice: Advice, at: &RateComparison) -> String {
    let p99 = at.response_p99.effect.ratio.point;
    let failed = || format!("failed requests {} → {}", format::share(at.errors.a), format::share(at.errors.b));
    match (advice, at.failures) {
        (Advice::Worse, Ordering::Greater) | (Advice::Grow, Ordering::Less) => failed(),
        (Advice::Worse, _) if p99 <= 1.0 => format!("service time {}", effect(&at.service.effect)),
        (Advice::Grow, _) if p99 >= 1.0 => format!("p99 of the wait for a connection {}", effect(&at.wait_p99.effect)),
        _ => format!("p99 {}", effect(&at.response_p99.effect)),
    }
}

/// What limits, where there is but one variant to show it of.
fn alone(answers: &CapacityReport) -> Option<String> {
    let [answer] = answers.analysis.arms.as_slice() else { return None };
    let is_known = answer.sustainable.is_some() && answer.client_limited.is_none();
    // The answer itself names the harness.
    let is_told = matches!(answer.limit, Limit::Unknown | Limit::Client(_));
    (is_known && !is_told).then(|| format!("{}.", capitalised(&limit_clause(answers, 0, &answer.limit))))
}

/// What can be carried.
fn rates(answers: &CapacityReport) -> Answer {
    let arms: Vec<_> = answers.arms().collect();
    match arms.as_slice() {
        [] => nothing(answers),
        [(index, _, answer)] => of_arm(answers, *index, answer),
        several => of_arms(answers, several),
    }
}

fn of_arm(answers: &CapacityReport, arm: u32, answer: &ArmAnswer) -> Answer {
    match (&answer.sustainable, &answer.client_limited, &answer.first_failure) {
        (_, Some((at, check)), _) => client_limited(answers, arm, answer.sustainable, *at, &harness_limit_words(check)),
        (Some(sustainable), None, _) => {
            let fails = match (sustainable.above, answer.first_failure) {
                (Some(above), Some((first, reason))) => {
                    // The reason is reported with the rate at which it was found.
                    let why = if (first / above - 1.0).abs() < 0.02 {
                        failure(answers, arm, first, reason)
                    } else {
                        String::new()
                    };
                    let why = if why.is_empty() { why } else { format!(": {why}") };
                    format!(" (fails at {}{why})", missed_rate(above))
                }
                (Some(above), None) => format!(" (fails at {})", missed_rate(above)),
                (None, _) => "; no higher rate was tried".to_owned(),
            };
            let (verdict, tone) = certainty(sustainable);
            let recommended = run_at(answers, answer).map(|rate| format!("; recommended {}", carried_rate(rate)));
            let is_harness = matches!(answer.limit, Limit::Client(_));
            let by_harness = is_harness.then(|| format!("; {}", limit_clause(answers, arm, &answer.limit)));
            let rest = format!(
                ": {} with {}{fails}{}{}",
                sustained_rate(sustainable),
                objective(answers),
                recommended.unwrap_or_default(),
                by_harness.unwrap_or_default()
            );
            Answer::new(verdict, rest, tone)
        }
        (None, None, Some((at, reason))) => Answer::new(
            "Not sustainable",
            format!(
                ": already {} {} {} ({}), and no lower rate meets it",
                missed_rate(*at),
                if *reason == FailReason::Unclear { "is too close to" } else { "misses" },
                objective(answers),
                failure(answers, arm, *at, *reason)
            ),
            Tone::Bad,
        ),
        (None, None, None) => nothing(answers),
    }
}

fn certainty(sustainable: &Sustainable) -> (&'static str, Tone) {
    if sustainable.confirmed { ("Sustainable", Tone::Good) } else { ("Sustainable, not confirmed", Tone::Fair) }
}

fn client_limited(
    answers: &CapacityReport,
    arm: u32,
    sustainable: Option<Sustainable>,
    at: f64,
    check: &str,
) -> Answer {
    let (harness, remedy) = harness(answers, arm);
    let client = harness.trim_start_matches("the harness");
    let others = other_stack(&answers.scenario, |field| field != "client" && !is_swept(answers, field));
    let others = others.map(|others| format!(" and {others}")).unwrap_or_default();
    let limit = format!("{client}{others} was the limit at {} ({check}), so", rate(at));
    let rest = if let Some(known) = sustainable {
        let carried = carried_rate(known.rate);
        let objective = objective(answers);
        format!("{limit} the server sustains at least {carried} with {objective}, and perhaps more: {remedy}")
    } else {
        let done = answers.at(arm, at).into_iter().map(|trial| trial.throughput).fold(0.0, f64::max);
        let done = if done > 0.0 { format!("; {} answered", rate(done)) } else { String::new() };
        format!("{limit} the rate of the server is unknown{done}: {remedy}")
    };
    Answer { verdict: "The harness", object: None, rest, tone: Tone::Fair }
}

fn of_arms(answers: &CapacityReport, arms: &[(u32, &Arm, &ArmAnswer)]) -> Answer {
    let known: Vec<_> =
        arms.iter().filter_map(|(_, arm, answer)| Some((arm.name.as_str(), answer.sustainable?))).collect();
    if known.is_empty() {
        // What is known of the first that failed says most.
        let mut arms = arms.iter();
        let telling = arms.find(|(.., answer)| answer.client_limited.is_some() || answer.first_failure.is_some());
        let Some((index, arm, answer)) = telling else { return nothing(answers) };
        let only = of_arm(answers, *index, answer);
        let rest = format!("{} (with {}; no sustainable rate of the others is known)", only.rest, arm.name);
        return Answer { rest, ..only };
    }
    let named = |is_one: fn(&ArmAnswer) -> bool| {
        let names = arms.iter().filter(|(.., answer)| is_one(answer)).map(|(_, arm, _)| arm.name.clone());
        Some(listed(&names.collect::<Vec<_>>())).filter(|names| !names.is_empty())
    };
    let mut limited = arms.iter().filter(|(.., answer)| answer.client_limited.is_some()).map(|(index, ..)| *index);
    let fred = limited.clone().next().filter(|_| limited.all(|index| answers.uses_fred(index)));
    let (harness, remedy) =
        fred.map_or_else(|| ("the harness", more_machines(answers)), |index| harness(answers, index));
    let limited = named(|answer| answer.client_limited.is_some())
        .map(|names| format!("; with {names} {harness} was the limit, so the server may sustain more: {remedy}"));
    let none = named(|answer| answer.sustainable.is_none() && answer.first_failure.is_some())
        .map(|names| format!("; none was found with {names}"));
    let confirmed = known.iter().all(|(_, one)| one.confirmed);
    let verdict = if confirmed { "Sustainable" } else { "Sustainable, not all confirmed" };
    let is_whole = confirmed && limited.is_none() && none.is_none();
    let of = |(name, one): &(&str, Sustainable)| format!("{} with {name}", sustained_rate(one));
    let range = if arms.len() <= FEW {
        listed(&known.iter().map(of).collect::<Vec<_>>())
    } else {
        let by_rate = |a: &&(&str, Sustainable), b: &&(&str, Sustainable)| a.1.rate.total_cmp(&b.1.rate);
        let ends = [known.iter().rev().min_by(by_rate), known.iter().rev().max_by(by_rate)];
        format!("from {}", ends.into_iter().flatten().map(of).collect::<Vec<_>>().join(" to "))
    };
    let (none, limited) = (none.unwrap_or_default(), limited.unwrap_or_default());
    let rest = format!(", {}: {range}{none}{limited}", objective(answers));
    Answer::new(verdict, rest, if is_whole { Tone::Good } else { Tone::Fair })
}

/// Nothing was found out.
fn nothing(answers: &CapacityReport) -> Answer {
    let trials = answers.capacity.trials.len() as u64;
    let made = match trials {
        0 => "no trials".to_owned(),
        _ => format!(
            "{} did not find a rate that meets or misses {}",
            format::counted(trials, "trial", "trials"),
            objective(answers)
        ),
    };
    Answer::new("No answer", format!(": {made}"), Tone::Fair)
}

/// Whether the server could not be used any more.
fn is_lost(answers: &CapacityReport) -> bool {
    answers.capacity.ended == Ended::Lost
}

/// That the server could not be used any more, and from when on.
fn lost(answers: &CapacityReport) -> Answer {
    let capacity = &answers.capacity;
    let what = match Planner::of(capacity, &answers.scenario).next(0) {
        Next::Trial(plan) => {
            let at = plan.offered.map(|offered| format!(", at {}", rate(offered)));
            format!("trial {}{}", capacity.trials.len() + 1, at.unwrap_or_default())
        }
        Next::Block(plan) => {
            format!(
                "a comparison of {} with {}, at {}",
                answers.name(plan.from),
                answers.name(plan.to),
                rate(plan.rate)
            )
        }
        Next::Done(_) => format!("trial {}", capacity.trials.len() + 1),
    };
    Answer { object: Some(format!(" in {what}")), ..Answer::new("The server was lost", String::new(), Tone::Bad) }
}

/// Why there is no more to show.
fn ending(answers: &CapacityReport) -> Option<String> {
    let capacity = &answers.capacity;
    let after = format::counted(capacity.trials.len() as u64, "trial", "trials");
    match capacity.ended {
        Ended::Finished | Ended::Lost => None,
        Ended::Running => Some(format!("The capacity run has not ended: this is the result after {after}.")),
        Ended::Budget => Some(format!(
            "After {after} the next one would have exceeded the budget of {}; omitted steps are listed below.",
            time(capacity.plan.budget_ns)
        )),
        Ended::LoadFailed => Some(format!(
            "The load of the generators failed after {after}; --resume with the same --scale continues it."
        )),
        Ended::Interrupted => Some(format!("The capacity run was interrupted after {after}; --resume continues it.")),
        Ended::Errors => Some(format!(
            "More requests failed than {} allows: the load was stopped after {after}.",
            format::limit(answers.scenario.objective.max_error_rate)
        )),
    }
}

/// The numbers of the arm that matters: the smaller pool of the comparison, or the best.
fn numbers(answers: &CapacityReport) -> Vec<KeyNumber> {
    let first = answers.comparison().map(|comparison| comparison.from);
    let best = || {
        let known = answers.arms().filter_map(|(index, _, answer)| Some((index, answer.sustainable?.rate)));
        known.max_by(|a, b| a.1.total_cmp(&b.1)).map(|(index, _)| index)
    };
    let arm = first.or_else(best).unwrap_or(0);
    let Some(answer) = answers.analysis.arms.get(arm as usize) else { return Vec::new() };
    let whose =
        if answers.capacity.plan.arms.len() > 1 { format!("with {}", answers.name(arm)) } else { String::new() };
    let bracket = match answer.sustainable.and_then(|known| known.above) {
        Some(above) if whose.is_empty() => format!("{} fails", missed_rate(above)),
        Some(above) => format!("{whose}; {} fails", missed_rate(above)),
        None => whose,
    };
    let known = |known: Option<f64>, write: fn(f64) -> String| known.map_or_else(|| NOTHING.to_owned(), write);
    let sustainable = answer.sustainable.as_ref().map_or_else(|| NOTHING.to_owned(), sustained_rate);
    let maximum = known((answer.maximum > 0.0).then_some(answer.maximum), rate);
    vec![
        KeyNumber::new("Sustainable", sustainable, bracket),
        KeyNumber::new("Recommended", known(run_at(answers, answer), carried_rate), format!("80{THIN}% of it")),
        KeyNumber::new("Knee", known(answer.knee, rate), "largest throughput over response time"),
        KeyNumber::new("Highest throughput", maximum, "whatever the response time"),
    ]
}
