//! A small synthetic capacity run of two pool sizes in which every field occurs.

use super::{capacity, run};
use crate::results::{
    CAPACITY_VERSION, Capacity, CapacityPlan, CheckKind, CommandCost, ConnectionLevel, Ended, HarnessLimit, LIMITS,
    PlannedGenerators, PoolBlock, Purpose, Quantiles, ServiceTrial, Trial,
};

const SECOND: u64 = 1_000_000_000;

/// The capacity run.
pub(crate) fn small_capacity() -> Capacity {
    let run = run();
    Capacity {
        schema_version: CAPACITY_VERSION,
        software: run.software,
        started: run.started,
        scenario: run.scenario,
        target: run.target,
        environment: run.environment,
        plan: CapacityPlan {
            arms: vec![capacity::arm(50), capacity::arm(100)],
            clients: vec![3, 6],
            start_rate: 10_000.0,
            max_rate: Some(80_000.0),
            warmup_ns: 3 * SECOND,
            trial_ns: 10 * SECOND,
            confirm_ns: 30 * SECOND,
            budget_ns: 600 * SECOND,
            tolerance: 0.05,
            current_rate: Some(9_000.0),
            growth: Some(0.05),
            workers: Some(1),
            generators: Some(PlannedGenerators {
                number: 4,
                start_in_ns: 2 * SECOND,
                launcher: Some("srun".to_owned()),
            }),
            seed: 42,
        },
        trials: vec![
            trial(1, 0, Purpose::Search, Some(10_000.0), None),
            Trial {
                client_limited: Some(limit(CheckKind::WorkerCpu, Some("worker 1: api"))),
                ..trial(2, 1, Purpose::Closed, None, Some(3))
            },
        ],
        blocks: vec![PoolBlock {
            began_ns: 30 * SECOND,
            stolen: Some(0.0),
            throttled: Some(0.0),
            misaligned_ns: Some(90_000),
            ..capacity::block([0, 1].map(|arm| trial(3, arm, Purpose::Search, Some(10_000.0), None)))
        }],
        connections: vec![ConnectionLevel { connections: 1, client_memory: 2_000, used_memory: 1_000_000 }],
        current_rate: Some(8_000.0),
        ended: Ended::Finished,
    }
}

fn limit(kind: CheckKind, subject: Option<&str>) -> HarnessLimit {
    let subject = subject.map(str::to_owned);
    HarnessLimit::Check { kind, subject, value: 0.97, limit: 0.85, nanos: Some(1e6) }
}

fn trial(number: u32, arm: u32, purpose: Purpose, offered: Option<f64>, clients: Option<u32>) -> Trial {
    let quantiles = |p50: u64| Quantiles { mean: p50 as f64, p50, p99: 9 * p50, p999: 20 * p50, max: 50 * p50 };
    Trial {
        number,
        arm,
        purpose,
        block: Some(0),
        offered,
        clients,
        began_ns: u64::from(number - 1) * 13 * SECOND,
        planned_ns: 10 * SECOND,
        measured_ns: 10 * SECOND,
        scheduled: 100_000,
        completed: 99_990,
        throughput: 9_999.0,
        failed: 6,
        unfinished: 4,
        late: 20,
        burstiness: 1.5,
        within: (1..=LIMITS.len() as u64).map(|limit| 99_000 + 100 * limit).collect(),
        response: quantiles(100_000),
        service: quantiles(80_000),
        wait: quantiles(20_000),
        utilisation: 0.2,
        waiting: 0.5,
        backlog_growth: 0.0,
        server_busy: Some(0.4),
        worker_busy: Some(0.3),
        lag_p99: 3_000,
        client_limited: None,
        waived: Some(limit(CheckKind::Pauses, None)),
        services: vec![ServiceTrial {
            name: "api".into(),
            scheduled: 100_000,
            completed: 99_990,
            failed: 6,
            unfinished: 4,
            late: 20,
            burstiness: 1.5,
            within: vec![99_000; LIMITS.len()],
            hold_mean: 80_000.0,
            wait_p99: 180_000,
            parts: Some(2),
        }],
        most_expensive: Some(CommandCost { name: "GET".into(), share: 0.2, mean_ns: 3_000.0 }),
        folder: format!("trials/{number:03}"),
    }
}
