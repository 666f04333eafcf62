//! Whether the numbers can be trusted: the validity table, computed from the run's own data.
//!
//! A check that does not apply is absent: schedule lag in a closed loop, drift in a run of a few seconds. Limits stand
//! in `limits`; how each quantity is found stands in the file of its subject.

mod accounts;
mod course;
mod generators;
mod harness;
mod known;
mod limits;
mod machine;

use known::Known;

use super::{Check, Level, Row, evidence::Evidence};
use crate::{
    measure::ServiceRecord,
    scenario::{self, Scenario},
};

/// Every check that applies, in the order of the table.
pub(super) fn checks(evidence: &Evidence<'_>) -> Vec<Check> {
    let services = services(evidence);
    let backlogs: Vec<Option<Check>> = services.iter().map(|service| course::backlog(evidence, service)).collect();
    // In an overload the median drifts and requests of the warm-up fill the queue: its own check says so.
    let steady = || {
        let calm = |backlog: &Option<Check>| backlog.as_ref().is_none_or(|check| check.level == Level::Ok);
        services.iter().zip(&backlogs).filter(move |(_, backlog)| calm(backlog)).map(|(service, _)| service)
    };
    let mut checks = Vec::new();
    // Those of a load that failed are open by what its check says.
    if evidence.run.load_failure.is_none() {
        checks.extend(services.iter().map(accounts::balance));
    }
    checks.extend(harness::panics(evidence));
    checks.extend(generators::failure(evidence));
    checks.extend(services.iter().filter_map(|service| harness::achieved_rate(evidence, service)));
    checks.extend(services.iter().filter_map(|service| harness::schedule_lag(evidence, service)));
    checks.extend(generators::start(evidence));
    checks.extend(generators::schedule_lag(evidence));
    checks.extend(harness::worker_cpu(evidence));
    checks.extend(machine::steal(evidence));
    checks.extend(machine::throttling(evidence));
    checks.extend(machine::pauses(evidence));
    checks.extend(backlogs.iter().flatten().cloned());
    checks.extend(steady().filter_map(|service| course::drift(evidence, service)));
    checks.extend(steady().filter_map(|service| accounts::littles_law(evidence, service)));
    checks.extend(accounts::misses(evidence));
    checks.extend(accounts::errors(evidence));
    checks.extend(accounts::beyond_range(evidence));
    checks
}

fn services<'a>(evidence: &Evidence<'a>) -> Vec<Known<'a>> {
    let known = |record: &'a ServiceRecord| {
        let service = of_scenario(evidence.scenario, &record.name)?;
        let scope_of = |row: &&Row| row.scope.operation.is_none() && row.scope.service.as_ref() == Some(&record.name);
        let position = evidence.rows.iter().position(|row| scope_of(&row))?;
        Some(Known { record, service, row: &evidence.rows[position], timeline: &evidence.timelines[position] })
    };
    evidence.run.recording.services.iter().filter_map(known).collect()
}

fn of_scenario<'a>(scenario: &'a Scenario, name: &str) -> Option<&'a scenario::Service> {
    scenario.services.iter().find(|service| service.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        analysis::{CheckKind, analyse},
        results::{Run, sample},
    };

    pub(super) fn checks_of(run: &Run) -> Vec<Check> {
        analyse(run, &sample::scenario()).checks
    }

    /// The check of a kind and subject, `None` where it is absent.
    pub(super) fn find(run: &Run, kind: CheckKind, subject: Option<&str>) -> Option<Check> {
        checks_of(run).into_iter().find(|check| check.kind == kind && check.subject.as_deref() == subject)
    }

    #[test]
    fn limits_belong_to_the_better_level() {
        let level = |value| Check::new(CheckKind::Drift, None, value).level;
        assert_eq!(
            [0.0, 0.05, 0.051, -0.051, 0.20].map(level),
            [Level::Ok, Level::Ok, Level::Warn, Level::Warn, Level::Warn]
        );
        assert_eq!([0.21, -0.21].map(level), [Level::Refuse; 2]);
        assert_eq!(Check::new(CheckKind::Errors, None, 1.0).level, Level::Warn);
        assert_eq!(Check::new(CheckKind::Accounts, None, -1.0).level, Level::Refuse);
    }

    #[test]
    fn a_sound_run_is_not_refused() {
        let checks = checks_of(&sample::run());
        let refused: Vec<_> = checks.iter().filter(|check| check.level == Level::Refuse).collect();
        assert_eq!(refused, [] as [&Check; 0]);
        let warned: Vec<_> = checks.iter().filter(|check| check.level == Level::Warn).map(|check| check.kind).collect();
        assert_eq!(warned, [CheckKind::Errors]);
    }

    #[test]
    fn what_does_not_apply_is_absent() {
        let run = sample::run();
        for kind in [CheckKind::ScheduleLag, CheckKind::AchievedRate, CheckKind::Backlog] {
            assert!(find(&run, kind, Some("chat")).is_some(), "{kind:?} in the open loop");
            assert_eq!(find(&run, kind, Some("ml")), None, "{kind:?} in the closed loop");
        }
        let mut run = sample::run();
        run.recording.host.clear();
        assert_eq!(find(&run, CheckKind::Steal, None), None);
        run.recording.period.measured_ns = 6_000_000_000;
        assert_eq!(find(&run, CheckKind::Drift, Some("api")), None);
    }
}
