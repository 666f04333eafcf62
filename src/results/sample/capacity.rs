//! A synthetic capacity run with four pool sizes, the same every time, for the tests of the rooms that report on one.
//!
//! A server that carries 25 000 operations per second behind pools of which each connection carries 500 per second: a
//! pool of 25 is the limit at 12 500 per second, one of 50 and more leaves it to the server.

use super::super::{
    Arm, BlockSide, CAPACITY_VERSION, Capacity, CapacityPlan, CommandCost, ConnectionLevel, Ended, LIMITS, PoolBlock,
    Purpose, Quantiles, Trial,
};

const SECOND: u64 = 1_000_000_000;
/// Operations per second that the server carries, and each connection of a pool.
const SERVER: f64 = 25_000.0;
const CONNECTION: f64 = 500.0;
/// The objective of the sample's scenario, in nanoseconds.
const OBJECTIVE: f64 = 1e8;

/// Pool sizes of the arms.
pub(crate) const POOLS: [u32; 4] = [25, 50, 100, 200];

/// A capacity run that was finished, with these trials; their numbers are given here.
pub(crate) fn of(arms: Vec<Arm>, mut trials: Vec<Trial>) -> Capacity {
    let run = super::run();
    let mut began = 0;
    for (number, trial) in (1..).zip(&mut trials) {
        trial.number = number;
        trial.began_ns = began;
        trial.folder = format!("trials/{number:03}");
        began += trial.planned_ns + 4 * SECOND;
    }
    Capacity {
        schema_version: CAPACITY_VERSION,
        software: run.software,
        started: run.started,
        scenario: run.scenario,
        target: run.target,
        environment: run.environment,
        plan: CapacityPlan {
            arms,
            clients: Vec::new(),
            start_rate: 1_000.0,
            max_rate: None,
            warmup_ns: 3 * SECOND,
            trial_ns: 10 * SECOND,
            confirm_ns: 30 * SECOND,
            budget_ns: 1_800 * SECOND,
            tolerance: 0.05,
            current_rate: Some(8_000.0),
            growth: Some(0.05),
            workers: None,
            generators: None,
            seed: 42,
        },
        trials,
        blocks: Vec::new(),
        connections: Vec::new(),
        current_rate: None,
        ended: Ended::Finished,
    }
}

/// The whole sample: search, confirmation, comparison and closed loops of four pool sizes.
pub(crate) fn pools() -> Capacity {
    let mut trials = Vec::new();
    for (arm, pool) in (0..).zip(POOLS) {
        let capacity = (f64::from(pool) * CONNECTION).min(SERVER);
        let shares = [0.08, 0.16, 0.32, 0.64, 0.90, 0.95, 1.02, 1.28];
        trials.extend(shares.map(|share| open(arm, pool, Purpose::Search, None, share * capacity)));
        trials.extend([0.95; 3].map(|share| open(arm, pool, Purpose::Confirm, None, share * capacity)));
        trials.push(open(arm, pool, Purpose::Above, None, 1.02 * capacity));
    }
    let clients = [1, 2, 4, 8, 16, 32, 64];
    for block in 0..3 {
        trials.extend(clients.map(|clients| closed(0, Some(block), clients)));
    }
    let mut capacity = of(POOLS.map(arm).to_vec(), trials);
    capacity.plan.clients = clients.to_vec();
    capacity.blocks = [10_000.0, 12_200.0, 21_000.0]
        .into_iter()
        .flat_map(|rate| [0, 1, 2].map(|from| (rate, from)))
        .flat_map(|(rate, from)| [0, 1].map(|number| neighbours(rate, from, number)))
        .collect();
    capacity.connections = [(50, 1_048_576), (500, 10_485_760), (1_000, 20_971_520)]
        .map(|(connections, client_memory)| ConnectionLevel {
            connections,
            client_memory,
            used_memory: 8_000_000 + client_memory,
        })
        .to_vec();
    capacity
}

/// A block of a pool size and the next one.
fn neighbours(rate: f64, from: u32, number: u32) -> PoolBlock {
    let side = |arm: u32| {
        let trial = open(arm, POOLS[arm as usize], Purpose::Search, None, rate);
        // No two blocks are alike.
        Trial {
            response: times(trial.response.mean * (1.0 + 0.3 * f64::from(number)), 3.1),
            wait: times(trial.wait.mean * (1.0 + 0.5 * f64::from(number)), 5.0),
            ..trial
        }
    };
    PoolBlock { number, server_busy: Some(rate / SERVER), ..block([side(from), side(from + 1)]) }
}

/// A block in which either pool size answered as in its trial.
pub(crate) fn block(trials: [Trial; 2]) -> PoolBlock {
    let side = |trial: Trial| {
        let Trial { scheduled, completed, failed, unfinished, throughput, response, service, wait, .. } = trial;
        BlockSide { scheduled, completed, failed, unfinished, throughput, response, service, wait }
    };
    PoolBlock {
        from: trials[0].arm,
        to: trials[1].arm,
        rate: trials[0].offered.unwrap_or_default(),
        number: 0,
        turn_ns: Some(25_000_000),
        began_ns: 0,
        measured_ns: 4 * SECOND,
        misaligned_ns: None,
        lag_p50: 2_000,
        stolen: None,
        throttled: None,
        server_busy: Some(0.31),
        sides: trials.map(side).into(),
    }
}

/// The arm of a pool size.
pub(crate) fn arm(pool: u32) -> Arm {
    Arm {
        name: format!("pool {pool}"),
        settings: vec![("service.api.pool.size".to_owned(), pool.to_string())],
        pool: Some(pool),
        coordinates: vec![("pool.size".to_owned(), pool.to_string())],
    }
}

/// A trial at a rate, with what a queue would show.
pub(crate) fn open(arm: u32, pool: u32, purpose: Purpose, block: Option<u32>, offered: f64) -> Trial {
    let capacity = (f64::from(pool) * CONNECTION).min(SERVER);
    let (load, of_server) = (offered / capacity, offered / SERVER);
    let seconds = if purpose == Purpose::Confirm { 30 } else { 10 };
    // Above capacity the queue grows as long as one looks, and the mean wait is that of its middle.
    let queue = if load < 1.0 { 2e5 * load.powi(4) / (1.0 - load) } else { (1.0 - 1.0 / load) * seconds as f64 * 5e8 };
    let from_pool = if f64::from(pool) * CONNECTION < SERVER { 0.9 } else { 0.1 };
    let base = 1.9e6 + 1e5 * of_server.min(1.0);
    let response = times(base + queue, 3.1);
    let late = if load < 1.0 { (-OBJECTIVE / (base + queue)).exp() } else { (load - 1.0).min(0.5) + 0.4 };
    let scheduled = offered * seconds as f64;
    let within = |limit: u64| {
        let share = if load < 1.0 { (-(limit as f64) / (base + queue) * 1.5).exp() } else { 0.9 };
        (scheduled * (1.0 - share)) as u64
    };
    Trial {
        number: 0,
        arm,
        purpose,
        block,
        offered: Some(offered),
        clients: None,
        began_ns: 0,
        planned_ns: seconds * SECOND,
        measured_ns: seconds * SECOND,
        scheduled: scheduled as u64,
        completed: (scheduled / load.max(1.0)) as u64,
        throughput: offered / load.max(1.0),
        failed: 0,
        unfinished: scheduled as u64 - (scheduled / load.max(1.0)) as u64,
        late: (scheduled / load.max(1.0) * late) as u64,
        burstiness: 1.0 + load.min(2.0),
        within: LIMITS.map(within).to_vec(),
        response,
        service: times(base + queue * (1.0 - from_pool), 2.2),
        wait: times(queue * from_pool, 5.0),
        utilisation: load.min(1.0),
        waiting: queue * from_pool * offered / 1e9,
        backlog_growth: (1.0 - 1.0 / load).max(0.0),
        server_busy: Some((0.05 + 0.93 * of_server).min(1.0)),
        worker_busy: Some(0.1 + 0.5 * of_server.min(1.0)),
        lag_p99: 20_000,
        client_limited: None,
        waived: None,
        services: Vec::new(),
        most_expensive: Some(CommandCost {
            name: "GET".to_owned(),
            share: 0.31 * of_server.min(1.0),
            mean_ns: 2_700.0,
        }),
        folder: String::new(),
    }
}

/// A closed loop by Gunther's law with contention 0.02 and coherence 0.0002; repetitions differ by a percent.
pub(crate) fn closed(arm: u32, block: Option<u32>, clients: u32) -> Trial {
    let n = f64::from(clients);
    let noise = 1.0 + 0.01 * (f64::from(block.unwrap_or(1)) - 1.0);
    let rate = 900.0 * n / (1.0 + 0.02 * (n - 1.0) + 0.0002 * n * (n - 1.0)) * noise;
    let mut trial = open(arm, 200, Purpose::Closed, block, rate);
    trial.offered = None;
    trial.clients = Some(clients);
    trial
}

fn times(mean: f64, tail: f64) -> Quantiles {
    let at = |factor: f64| (mean * factor) as u64;
    Quantiles { mean, p50: at(0.8), p99: at(tail), p999: at(tail * 1.6), max: at(tail * 3.0) }
}
