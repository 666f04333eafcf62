//! Trials and blocks as people see them: the one under way, and a line of each that is over.

use std::time::Duration;

use crate::{
    analysis::capacity::{BLOCKS, BlockPlan, FailReason, Judgement, TrialPlan},
    load::{Phase, Progress},
    report::{
        format::{NOTHING, duration, plain, rate, setting, share},
        harness_limit_words,
    },
    results::{Arm, BlockSide, PoolBlock, Trial, slug},
};

/// Progress of the whole run during a trial.
#[derive(Debug, Clone, Copy)]
pub(super) struct Course {
    /// Number of the trial.
    pub(super) number: u32,
    /// Trials that there are at most.
    pub(super) of: u32,
    /// The bracket of its variant: highest rate that passed, lowest that failed.
    pub(super) bracket: (Option<f64>, Option<f64>),
    /// Nanoseconds that are left at most.
    pub(super) left_ns: u64,
}

/// Nanoseconds that are left at most: what was estimated to be, and all of the budget once that is over.
pub(super) fn left(budget_ns: u64, estimated_ns: u64, spent_ns: u64) -> u64 {
    let whole = if spent_ns < estimated_ns { budget_ns.min(estimated_ns) } else { budget_ns };
    whole.saturating_sub(spent_ns)
}

fn phase(progress: &Progress) -> String {
    match progress.phase {
        Phase::Connecting => "connecting".to_owned(),
        Phase::WarmUp => "warming up".to_owned(),
        Phase::Measuring => {
            let whole = progress.of.unwrap_or_default();
            format!("{} of {}", progress.elapsed.as_secs(), setting(whole))
        }
        Phase::Draining => "waiting for the last replies".to_owned(),
    }
}

/// Minutes that are left at most.
fn minutes(left_ns: u64) -> u64 {
    left_ns.div_ceil(60_000_000_000)
}

/// The trial under way, in one line.
pub(super) fn under_way(course: Course, arm: &Arm, plan: &TrialPlan, progress: &Progress) -> String {
    let Course { number, of, bracket, left_ns } = course;
    let phase = phase(progress);
    let bracket = match bracket {
        (None, None) => "no bracket yet".to_owned(),
        (low, high) => {
            let [low, high] = [low, high].map(|rate_of| rate_of.map_or_else(|| "?".to_owned(), rate));
            format!("between {low} and {high}")
        }
    };
    let minutes = minutes(left_ns);
    plain(&format!(
        "Trial {number} of about {}, {} {} at {}: {phase}; {bracket}; at most {minutes} min left",
        of.max(number),
        arm.name,
        slug(&plan.purpose),
        offered(plan.offered, plan.clients),
    ))
}

/// A trial that is over, in one line; `arms` is the width of the longest name of a variant.
pub(super) fn over(trial: &Trial, arm: &Arm, arms: usize, judgement: &Judgement) -> String {
    let known = |value: u64| if value == 0 { NOTHING.to_owned() } else { duration(value as f64) };
    let cpu = trial.server_busy.map_or_else(|| NOTHING.to_owned(), share);
    plain(&format!(
        "{:>3}  {:arms$}  {:<7}  {:>12}  p99 {:>8}  wait p99 {:>8}  server CPU {:>6}  {}",
        trial.number,
        arm.name,
        slug(&trial.purpose),
        offered(trial.offered, trial.clients),
        known(trial.response.p99),
        known(trial.wait.p99),
        cpu,
        verdict(trial, judgement),
    ))
}

/// The block of two pool sizes under way, in one line.
pub(super) fn comparing([smaller, larger]: [&str; 2], plan: &BlockPlan, left_ns: u64, progress: &Progress) -> String {
    plain(&format!(
        "Comparing {smaller} with {larger} at {} in turns of {}, block {} of {BLOCKS}: {}; at most {} min left",
        rate(plan.rate),
        setting(Duration::from_nanos(plan.turn_ns)),
        plan.number + 1,
        phase(progress),
        minutes(left_ns),
    ))
}

/// A block that is over, in one line.
pub(super) fn compared([smaller, larger]: [&str; 2], block: &PoolBlock) -> String {
    let both = |of: fn(&BlockSide) -> u64| {
        let [smaller, larger] = [&block.sides.a, &block.sides.b].map(|side| duration(of(side) as f64));
        format!("{smaller} | {larger}")
    };
    plain(&format!(
        "     {smaller} | {larger}  at {}, block {} of {BLOCKS}  p99 {}  wait p99 {}  server CPU {}",
        rate(block.rate),
        block.number + 1,
        both(|side| side.response.p99),
        both(|side| side.wait.p99),
        block.server_busy.map_or_else(|| NOTHING.to_owned(), share),
    ))
}

fn offered(offered: Option<f64>, clients: Option<u32>) -> String {
    match (offered, clients) {
        (Some(offered), _) => rate(offered),
        (None, Some(clients)) => format!("{clients} clients"),
        (None, None) => NOTHING.to_owned(),
    }
}

fn verdict(trial: &Trial, judgement: &Judgement) -> String {
    if let (None, None) = (trial.offered, &trial.client_limited) {
        return if trial.throughput > 0.0 { rate(trial.throughput) } else { NOTHING.to_owned() };
    }
    match judgement {
        Judgement::Pass => "pass".to_owned(),
        Judgement::Fail(FailReason::Late(late)) => format!("fail: {} late", share(*late)),
        Judgement::Fail(FailReason::Service(index, late)) => {
            let name = trial.services.get(*index as usize).map_or("a service", |service| service.name.as_str());
            format!("fail: {} late of {name}", share(*late))
        }
        Judgement::Fail(FailReason::Shortfall(done)) => format!("fail: only {} completed", share(*done)),
        Judgement::Fail(FailReason::Backlog(growth)) => format!("fail: backlog grew by {} per second", share(*growth)),
        Judgement::Fail(FailReason::Errors(errors)) => format!("fail: {} errors", share(*errors)),
        Judgement::Fail(FailReason::Unclear) => "fail: undecided in the longest trial".to_owned(),
        Judgement::Undecided => "undecided".to_owned(),
        Judgement::ClientLimited(limit) => format!("the harness was the limit: {}", harness_limit_words(limit)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::{CheckKind, HarnessLimit, Purpose, sample};

    #[test]
    fn an_estimate_that_is_over_leaves_the_budget() {
        assert_eq!(left(600, 400, 100), 300);
        assert_eq!(left(600, 900, 100), 500);
        assert_eq!(left(600, 400, 400), 200);
        assert_eq!(left(600, 400, 450), 150);
        assert_eq!(left(600, 400, 700), 0);
    }

    #[test]
    fn a_trial_is_a_line_while_and_after() {
        let capacity = sample::small_capacity();
        let (arm, trial) = (&capacity.plan.arms[0], &capacity.trials[0]);
        let plan = TrialPlan {
            arm: 0,
            purpose: Purpose::Search,
            block: None,
            offered: Some(20_000.0),
            clients: None,
            warmup_ns: 0,
            duration_ns: 10_000_000_000,
        };
        let progress = Progress {
            phase: Phase::Measuring,
            elapsed: Duration::from_secs(4),
            of: Some(Duration::from_secs(10)),
            services: Vec::new(),
        };
        let block = BlockPlan {
            from: 0,
            to: 1,
            rate: 10_000.0,
            number: 2,
            turn_ns: 125_000_000,
            warmup_ns: 0,
            duration_ns: 4_000_000_000,
        };
        let course = Course { number: 7, of: 40, bracket: (Some(10_000.0), None), left_ns: 301_000_000_000 };
        let limited = Judgement::ClientLimited(HarnessLimit::Check {
            kind: CheckKind::WorkerCpu,
            subject: Some("worker 1: api".to_owned()),
            value: 0.93,
            limit: 0.85,
            nanos: None,
        });
        let lines = [
            under_way(course, arm, &plan, &progress),
            over(trial, arm, 8, &Judgement::Pass),
            over(trial, arm, 8, &Judgement::Fail(FailReason::Late(0.123))),
            over(trial, arm, 8, &limited),
            over(&Trial { client_limited: None, ..capacity.trials[1].clone() }, arm, 8, &Judgement::Undecided),
            comparing(["pool 50", "pool 100"], &block, 301_000_000_000, &progress),
            compared(["pool 50", "pool 100"], &capacity.blocks[0]),
        ];
        insta::assert_snapshot!(lines.join("\n"));
    }
}
