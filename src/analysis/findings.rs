//! Picks out what the user should know or do.

use super::{
    Check, CheckKind, DependencySide, Events, Finding, Level, Row, Scope, ServerSide, Stall,
    evidence::Evidence,
    generators::{self, GeneratorRow},
    nodes::{self, NodeRow},
    planned::Planned,
    reads, server_findings,
    tally::measured_seconds,
};
use crate::{
    measure::{ErrorClass, SECOND, SeriesRecord, SeriesRole, ServiceRecord},
    results::{Verdict, WriteAuditRecord},
    scenario::{Checkout, Operation, Service},
};

/// Share of p99 of the response time from which on waiting for a connection is what matters.
pub(super) const MOSTLY_WAIT: f64 = 0.5;

/// Mean share of connections in use below which a pool is not the limit, whatever its requests wait for.
pub(super) const BUSY_POOL: f64 = 0.4;

/// An operation is slow when its median is a multiple of that of the others in its service...
const MUCH_SLOWER: u64 = 5;

/// ...and at least this share of the objective's latency.
const MATTERS: f64 = 0.01;

/// Share of lookups without a result from which reads of a run without prefill are another load.
const MOSTLY_MISSES: f64 = 0.5;

/// Lookups that it takes to say so.
const TELLING: u64 = 100;

/// Share of all commands from which on upkeep is worth a word.
const NOTABLE_UPKEEP: f64 = 0.01;

/// Ends the message of time-outs of an operation that waits by design.
pub const WAITS: &str = "; the command blocks by design";

/// Findings, most important first.
pub(super) fn findings(
    (evidence, nodes, generators): (&Evidence<'_>, &[NodeRow], &[GeneratorRow]),
    checks: &[Check],
    (events, planned): (&Events, &Planned<'_>),
    server: &ServerSide,
    dependencies: &[DependencySide],
    verdict: Verdict,
) -> Vec<Finding> {
    let run = evidence.run;
    let mut findings = Vec::new();
    findings.extend((run.software.profile == "debug").then_some(Finding::DebugBuild));
    findings.extend(run.recording.period.interrupted.then_some(Finding::Interrupted));
    let (harmful, harmless) =
        events.stalls.iter().cloned().partition::<Vec<_>, _>(|stall| stall.bad > 0 || !stall.ended);
    findings.extend(stalls(harmful, planned));
    findings.extend(generators::silent(evidence).into_iter().map(Finding::Generators));
    findings.extend((!events.bursts.is_empty()).then(|| Finding::Bursts(events.bursts.clone())));
    findings.extend(checks.iter().filter_map(trend));
    let (of_load, of_harness): (Vec<Finding>, Vec<Finding>) = trust(checks, Level::Refuse)
        .partition(|finding| matches!(finding, Finding::Trust(check) if is_of_load(check.kind)));
    findings.extend(of_load);
    // A flaw of the harness comes first only where it leaves nothing else to say.
    let (first, last) = if verdict == Verdict::Invalid { (of_harness, Vec::new()) } else { (Vec::new(), of_harness) };
    findings.extend(first);
    findings.extend(run.write_audit.as_ref().and_then(lost_writes));
    findings.extend(dependencies.iter().filter_map(failed_dependency));
    findings.extend(unfinished(evidence));
    findings.extend(failures(evidence, planned));
    findings.extend(misses(evidence));
    if events.stalls.iter().chain(&events.pauses).all(|stall| stall.bad == 0) {
        let overloaded = |service: &Service| {
            checks.iter().any(|check| check.is_overload() && check.subject.as_ref() == Some(&service.name))
        };
        let calm = evidence.scenario.services.iter().filter(|service| !overloaded(service));
        findings.extend(calm.filter_map(|service| pool_wait(evidence, checks, service)));
    }
    findings.extend(run.recording.services.iter().filter_map(|record| reconnects(record, planned)));
    findings.extend(slow_operations(evidence));
    let uneven = nodes::uneven(nodes);
    findings.extend(uneven.map(|(node, share, factor)| Finding::UnevenLoad { node: node.name.clone(), share, factor }));
    findings.extend(generators::findings(generators, evidence.scenario).map(Finding::Generators));
    let stale = |row: &NodeRow| Some(Finding::StaleReads { node: row.name.clone(), lag: row.stale()? });
    findings.extend(nodes.iter().filter_map(stale));
    findings.extend(reads::missing(run, evidence.scenario));
    findings.extend(server_findings::findings(server, &run.server).into_iter().map(Finding::Server));
    findings.extend(last);
    findings.extend(trust(checks, Level::Warn));
    findings.extend(upkeep(evidence));
    findings.extend(stalls(harmless, planned));
    findings
}

/// Whether a check is about the load or the data, not about the harness.
fn is_of_load(kind: CheckKind) -> bool {
    matches!(kind, CheckKind::Backlog | CheckKind::Misses)
}

/// Checks of a level; failures and trends are findings of their own.
fn trust(checks: &[Check], level: Level) -> impl Iterator<Item = Finding> {
    let of_level =
        move |check: &&Check| check.level == level && !matches!(check.kind, CheckKind::Errors | CheckKind::Drift);
    checks.iter().filter(of_level).cloned().map(Finding::Trust)
}

/// A median that moved all through the run.
fn trend(check: &Check) -> Option<Finding> {
    let is_trend = check.kind == CheckKind::Drift && check.level != Level::Ok;
    let per_minute = check.nanos.filter(|_| is_trend)?;
    Some(Finding::Trend { service: check.subject.clone()?, per_minute })
}

/// Reads that found nothing at all, or, where nothing was prefilled, mostly nothing: their times are those of another load. Reads
/// of prefilled keys have a check of their own.
fn misses(evidence: &Evidence<'_>) -> Vec<Finding> {
    let recording = &evidence.run.recording;
    let finding = |series: &SeriesRecord| {
        let totals = series.totals();
        let lookups = totals.hits + totals.misses;
        let most = if evidence.scenario.run.prefill { lookups } else { (lookups as f64 * MOSTLY_MISSES).ceil() as u64 };
        let scope = Scope {
            service: Some(series.key.service.clone()),
            operation: Some(series.key.operation.clone()),
            role: series.key.role,
        };
        let is_telling = !series.expects_hits && lookups >= TELLING && totals.misses >= most;
        is_telling.then_some(Finding::Misses { scope, misses: totals.misses, lookups })
    };
    recording.series.iter().filter(|series| series.key.role == SeriesRole::Operation).filter_map(finding).collect()
}

fn failed_dependency(side: &DependencySide) -> Option<Finding> {
    Some(Finding::Dependency {
        name: side.name.clone(),
        answers: side.all(),
        outage: side.outage.clone()?,
        reason: side.last_failure.clone()?,
    })
}

fn lost_writes(audit: &WriteAuditRecord) -> Option<Finding> {
    let (lost, first) = (audit.lost(), audit.losses.first());
    let WriteAuditRecord { acknowledged, repeated, .. } = *audit;
    let found = lost.1 > 0 || repeated > 0;
    found.then(|| Finding::LostWrites { lost, acknowledged, repeated, found_ns: first.map(|first| first.found_ns) })
}

/// Unfinished requests by service. None are reported of an interrupted run, which always has some.
fn unfinished(evidence: &Evidence<'_>) -> Vec<Finding> {
    let of_service = |row: &Row| {
        let service = row.scope.service.clone().filter(|_| row.scope.operation.is_none())?;
        let share = row.unfinished as f64 / row.bad.of as f64;
        (row.unfinished > 0).then_some(Finding::Unfinished { service, count: row.unfinished, share })
    };
    if evidence.run.recording.period.interrupted {
        return Vec::new();
    }
    evidence.rows.iter().filter_map(of_service).collect()
}

/// Stalls, if there are any.
fn stalls(stalls: Vec<Stall>, planned: &Planned<'_>) -> Option<Finding> {
    let event = planned.cause(stalls.iter().map(|stall| (stall.span.from_ns / SECOND) as u32));
    (!stalls.is_empty()).then_some(Finding::Stalls { stalls, event })
}

/// Failures by service, class and message, the most frequent first.
fn failures(evidence: &Evidence<'_>, planned: &Planned<'_>) -> Vec<Finding> {
    struct Failures<'a> {
        of: Vec<(&'a Row, Option<&'a SeriesRecord>)>,
        class: ErrorClass,
        message: String,
        count: u64,
    }
    let mut all: Vec<Failures<'_>> = Vec::new();
    // The failure of a step is that of its sequence.
    let is_own = |row: &&Row| row.scope.operation.is_some() && row.scope.role != SeriesRole::Step;
    for row in evidence.rows.iter().filter(is_own) {
        let series = evidence.run.recording.series.iter().find(|series| {
            Some(&series.key.service) == row.scope.service.as_ref()
                && Some(&series.key.operation) == row.scope.operation.as_ref()
        });
        for (&class, &count) in &row.counts.errors {
            let mut message = series.and_then(|series| series.messages.get(&class)).cloned().unwrap_or_default();
            if class == ErrorClass::Timeout && waits_by_design(evidence, row) {
                message.push_str(WAITS);
            }
            let same = all.iter_mut().find(|other| {
                let scope = &other.of[0].0.scope;
                (other.class, &other.message, &scope.service, scope.role)
                    == (class, &message, &row.scope.service, row.scope.role)
            });
            match same {
                Some(other) => {
                    other.count += count;
                    other.of.push((row, series));
                }
                None => all.push(Failures { of: vec![(row, series)], class, message, count }),
            }
        }
    }
    all.sort_by_key(|failures| std::cmp::Reverse(failures.count));
    let finding = |Failures { of, class, message, count }: Failures<'_>| {
        let seconds = of.iter().filter_map(|(_, series)| *series).flat_map(|series| &series.seconds);
        let failing = seconds.filter(|second| second.counts.errors.contains_key(&class));
        let first = &of[0].0.scope;
        Finding::Failures {
            scope: if of.len() == 1 { first.clone() } else { Scope { operation: None, ..first.clone() } },
            operations: of.len() as u64,
            class: class.word().to_owned(),
            count,
            message,
            event: planned.cause(failing.map(|second| second.second)),
        }
    };
    all.into_iter().map(finding).collect()
}

/// Whether a row is of an operation with a command that waits in the server for others to act.
fn waits_by_design(evidence: &Evidence<'_>, row: &Row) -> bool {
    let is_its = |service: &&Service| row.scope.service.as_ref() == Some(&service.name);
    let operations = evidence.scenario.services.iter().filter(is_its).flat_map(|service| &service.operations);
    let mut own = operations.filter(|operation| row.scope.operation.as_ref() == Some(&operation.name));
    own.any(Operation::waits_by_design)
}

fn pool_wait(evidence: &Evidence<'_>, checks: &[Check], service: &Service) -> Option<Finding> {
    let record = evidence.run.recording.service(&service.name)?;
    let is_its = |row: &&Row| row.scope.operation.is_none() && row.scope.service.as_ref() == Some(&service.name);
    let row = evidence.rows.iter().find(is_its)?;
    let (wait_p99, response_p99) = (row.wait.percentile(99.0).nanos()?, row.response.percentile(99.0).nanos()?);
    let of_lag = |check: &&Check| check.kind == CheckKind::ScheduleLag && check.subject.as_ref() == Some(&service.name);
    let lag_p99 = checks.iter().find(of_lag).and_then(|check| check.nanos).unwrap_or_default();
    let places = match service.pool.checkout {
        Checkout::Exclusive => service.connections(),
        Checkout::Shared { in_flight } => service.connections() * u64::from(in_flight),
    };
    let measured = measured_seconds(&evidence.run.recording);
    let seconds = record.seconds.iter().filter(|second| (second.second as usize) < measured);
    let in_use: f64 = seconds.map(|second| second.in_use).sum();
    let utilisation = in_use / measured.max(1) as f64 / places.max(1) as f64;
    let mostly_waiting = wait_p99 as f64 >= MOSTLY_WAIT * response_p99 as f64;
    // A wait that is the harness's own lateness is reported by the check for it.
    let for_connection = wait_p99 as f64 > 2.0 * lag_p99;
    (mostly_waiting && for_connection && utilisation >= BUSY_POOL).then(|| Finding::PoolWait {
        service: service.name.clone(),
        pool: service.connections(),
        wait_p99,
        response_p99,
        utilisation,
    })
}

fn reconnects(record: &ServiceRecord, planned: &Planned<'_>) -> Option<Finding> {
    let lost = record.seconds.iter().map(|second| second.lost).sum();
    let recovered = record.seconds.iter().map(|second| second.recovered).sum();
    let lossy = record.seconds.iter().filter(|second| second.lost > 0).map(|second| second.second);
    let event = planned.cause(lossy);
    (lost > 0).then(|| Finding::Reconnects { service: record.name.clone(), lost, recovered, event })
}

fn slow_operations(evidence: &Evidence<'_>) -> Vec<Finding> {
    let counted = |row: &&Row| row.scope.operation.is_some() && row.scope.role == SeriesRole::Operation;
    let operations: Vec<&Row> = evidence.rows.iter().filter(counted).collect();
    let matters = MATTERS * evidence.scenario.objective.latency.as_nanos() as f64;
    let mut slow: Vec<(u64, Finding)> = Vec::new();
    for row in &operations {
        let others =
            operations.iter().filter(|other| other.scope.service == row.scope.service && other.scope != row.scope);
        let mut rest = hdrhistogram::Histogram::<u64>::new(3).expect("three digits are accepted");
        for other in others {
            rest.add(&other.service_time.histogram).expect("a growing histogram takes every value");
        }
        let (Some(p50), false) = (row.service_time.percentile(50.0).nanos(), rest.is_empty()) else { continue };
        let rest_p50 = rest.value_at_quantile(0.5);
        if p50 >= MUCH_SLOWER * rest_p50 && p50 as f64 >= matters {
            slow.push((p50, Finding::SlowOperation { scope: row.scope.clone(), p50, rest_p50 }));
        }
    }
    slow.sort_by_key(|(p50, _)| std::cmp::Reverse(*p50));
    slow.into_iter().map(|(_, finding)| finding).collect()
}

/// Commands that keep the data bounded, as a share of all commands that were answered.
fn upkeep(evidence: &Evidence<'_>) -> Option<Finding> {
    let (mut count, mut all) = (0, 0);
    for series in &evidence.run.recording.series {
        let completed = series.totals().completed;
        match series.key.role {
            SeriesRole::Operation => all += completed * series.commands.len().max(1) as u64,
            SeriesRole::Upkeep => {
                count += completed;
                all += completed;
            }
            SeriesRole::Step => {}
        }
    }
    let share = count as f64 / all.max(1) as f64;
    (share >= NOTABLE_UPKEEP).then_some(Finding::Upkeep { count, share })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        analysis::analyse,
        results::{Run, sample},
        scenario::Action,
    };

    fn findings_of(run: &Run) -> Vec<Finding> {
        analyse(run, &sample::scenario()).findings
    }

    #[test]
    fn names_failures_with_their_message_the_most_frequent_first() {
        let findings = findings_of(&sample::run());
        let failures: Vec<_> = findings
            .iter()
            .filter_map(|finding| match finding {
                Finding::Failures { class, count, message, operations, .. } => {
                    Some((class.as_str(), *count, *operations, message.is_empty()))
                }
                _ => None,
            })
            .collect();
        assert_eq!(failures.len(), 3);
        assert!(failures.is_sorted_by_key(|(_, count, ..)| std::cmp::Reverse(*count)));
        assert!(failures.contains(&("OOM", 1, 1, false)), "{failures:?}");
        assert!(failures.contains(&("timeout", 3, 2, false)), "those of GET and SET: {failures:?}");
    }

    #[test]
    fn time_outs_of_a_command_that_waits_by_design_are_named_as_such() {
        let mut scenario = sample::scenario();
        let api = scenario.services.iter_mut().find(|service| service.name == "api").unwrap();
        let set = api.operations.iter_mut().find(|operation| operation.name == "SET").unwrap();
        if let Action::Single(command) = &mut set.action {
            command.parameters.args = ["BRPOP", "queue", "5"].map(str::to_owned).into();
        }
        let waiting: Vec<_> = analyse(&sample::run(), &scenario)
            .findings
            .into_iter()
            .filter_map(|finding| match finding {
                Finding::Failures { scope, class, message, .. } if class == ErrorClass::Timeout.word() => {
                    Some((scope.operation, message.ends_with(WAITS)))
                }
                _ => None,
            })
            .collect();
        assert!(waiting.contains(&(Some("SET".to_owned()), true)), "{waiting:?}");
        assert!(waiting.contains(&(Some("GET".to_owned()), false)), "{waiting:?}");
    }

    #[test]
    fn tells_of_what_nobody_answered_unless_somebody_ended_the_run() {
        let of = |run: &Run| {
            let is_reported = |finding: &Finding| matches!(finding, Finding::Unfinished { count, .. } if *count >= 50);
            findings_of(run).iter().filter(|finding| is_reported(finding)).count()
        };
        let mut run = sample::run();
        assert_eq!(of(&run), 0);
        run.recording.series[0].unfinished += 50;
        assert_eq!(of(&run), 1, "once for its service");
        run.recording.period.interrupted = true;
        assert_eq!(of(&run), 0);
    }

    #[test]
    fn tells_of_lost_connections_and_upkeep() {
        let findings = findings_of(&sample::run());
        assert!(findings.contains(&Finding::Reconnects { service: "api".into(), lost: 1, recovered: 1, event: None }));
        let upkeep = findings.iter().any(|finding| matches!(finding, Finding::Upkeep { count, .. } if *count > 100));
        assert!(upkeep, "{findings:?}");
    }

    #[test]
    fn points_at_the_slow_operation() {
        let findings = findings_of(&sample::run());
        let slow = findings.iter().find_map(|finding| match finding {
            Finding::SlowOperation { scope, p50, rest_p50 } => Some((scope.operation.clone(), *p50, *rest_p50)),
            _ => None,
        });
        let (operation, p50, rest_p50) = slow.unwrap();
        assert_eq!(operation.as_deref(), Some("ZRANGE"));
        assert!(p50 > 5 * rest_p50);
    }

    #[test]
    fn a_busy_pool_that_makes_requests_wait_is_the_limit() {
        let mut run = sample::run();
        let is_wait = |finding: &Finding| matches!(finding, Finding::PoolWait { service, .. } if service == "chat");
        assert!(!findings_of(&run).iter().any(is_wait));
        for second in &mut run.recording.services[1].seconds {
            second.in_use = 7.0;
        }
        for series in run.recording.series.iter_mut().filter(|series| series.key.service == "chat") {
            series.seconds.iter_mut().for_each(|second| second.wait = second.response.clone());
        }
        let findings = findings_of(&run);
        assert!(findings.iter().any(is_wait), "{findings:?}");
    }

    #[test]
    fn a_debug_build_and_an_early_end_come_first() {
        let mut run = sample::run();
        run.software.profile = "debug".into();
        run.recording.period.interrupted = true;
        assert!(matches!(findings_of(&run)[..2], [Finding::DebugBuild, Finding::Interrupted]));
    }

    #[test]
    fn what_refuses_comes_before_failures_and_what_only_doubts_after() {
        let mut run = sample::run();
        run.recording.workers.iter_mut().for_each(|worker| worker.pacing = "spin".into());
        run.recording.workers[0].busy = 0.99;
        run.recording.workers[1].busy = 0.7;
        let levels = |run: &Run| -> Vec<Level> {
            let level = |finding: &Finding| match finding {
                Finding::Trust(check) => Some(check.level),
                Finding::Failures { .. } => Some(Level::Ok),
                _ => None,
            };
            findings_of(run).iter().filter_map(level).collect()
        };
        let met = levels(&run);
        assert_eq!(
            (met.first(), met.last()),
            (Some(&Level::Ok), Some(&Level::Warn)),
            "the objective is met all the same"
        );
        assert!(met.contains(&Level::Refuse));
        run.recording.services[0].scheduled += 1;
        let invalid = levels(&run);
        assert_eq!((invalid.first(), invalid.last()), (Some(&Level::Refuse), Some(&Level::Warn)));
    }

    #[test]
    fn a_stall_that_made_nothing_late_is_the_last_finding() {
        let mut run = sample::run();
        run.recording.services.iter_mut().for_each(|service| {
            service.seconds[3].silences.push(crate::measure::Span { from_ns: 3_100_000_000, to_ns: 3_190_000_000 });
        });
        assert!(matches!(findings_of(&run).last(), Some(Finding::Stalls { .. })), "{:?}", findings_of(&run));
    }
}
