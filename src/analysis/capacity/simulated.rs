//! Servers whose capacity is known, for the tests of this room: queues in closed form, and one that is played through.

use rand::{RngExt, rngs::Xoshiro256PlusPlus};
use rand_distr::{Distribution, StandardNormal};

use super::{BlockPlan, Judgement, Next, Planner, TrialPlan, draw::generator, judge};
use crate::{
    analysis::burstiness::burstiness,
    results::{
        Arm, CAPACITY_VERSION, Capacity, CapacityPlan, Ended, Environment, HarnessLimit, PoolBlock, Purpose, Quantiles,
        Software, TargetFacts, Trial, sample,
    },
    scenario::{self, Scenario},
};

const SECOND: u64 = 1_000_000_000;

/// A queue in front of servers.
#[derive(Debug, Clone, Copy)]
pub(super) enum Server {
    /// M/M/c in closed form: servers, mean service time in seconds.
    Markov(u32, f64),
    /// One server of constant service time (seconds) that stands still for a number of seconds at the start of each second.
    Stalling(f64, f64),
    /// M/M/1, every request played through: mean service time in seconds.
    Played(f64),
}

/// The objective's latency, in seconds.
const LATENCY: f64 = 0.01;

/// Lengths of gaps and services in a played queue; as many as twelve bits distinguish.
const DRAWS: usize = 1 << 12;

/// Share of requests that may be late.
const ALLOWED: f64 = 0.01;

impl Server {
    /// Share of requests that are later than the objective allows in the long run.
    pub(super) fn late(self, rate: f64) -> f64 {
        match self {
            Self::Played(service) => Self::Markov(1, service).late(rate),
            Self::Markov(servers, service) => {
                let load = rate * service;
                let wait = erlang(servers, load);
                let (own, queue) = (1.0 / service, (f64::from(servers) - load) / service);
                let exp = |rate: f64| (-rate * LATENCY).exp();
                (1.0 - wait) * exp(own) + wait * (queue * exp(own) - own * exp(queue)) / (queue - own)
            }
            // Work that came in during the stall delays those who come after it: the wait falls from the stall's length at
            // 1 - utilisation.
            Self::Stalling(service, stall) => (stall - LATENCY) / (1.0 - rate * service),
        }
    }

    /// The rate above which its queue grows for ever.
    fn saturation(self) -> f64 {
        match self {
            Self::Played(service) => 1.0 / service,
            Self::Markov(servers, service) => f64::from(servers) / service,
            Self::Stalling(service, stall) => (1.0 - stall) / service,
        }
    }

    /// The highest rate at which it meets the objective.
    pub(super) fn capacity(self) -> f64 {
        let (mut low, mut high) = (0.0, self.saturation());
        for _ in 0..60 {
            let middle = f64::midpoint(low, high);
            if self.late(middle) > ALLOWED { high = middle } else { low = middle }
        }
        low
    }

    /// A trial of it.
    pub(super) fn trial(self, plan: &TrialPlan, number: u32, random: &mut Xoshiro256PlusPlus) -> Trial {
        let mut trial = trial(plan.arm, plan.offered.unwrap_or(self.saturation()));
        trial.number = number;
        (trial.purpose, trial.block, trial.clients) = (plan.purpose, plan.block, plan.clients);
        trial.offered = plan.offered;
        (trial.planned_ns, trial.measured_ns) = (plan.duration_ns, plan.duration_ns);
        let seconds = plan.duration_ns as f64 / 1e9;
        let rate = plan.offered.unwrap_or(self.saturation());
        trial.scheduled = (rate * seconds) as u64;
        trial.completed = trial.scheduled;
        trial.throughput = rate.min(self.saturation());
        match self {
            Self::Played(service) if plan.offered.is_some() => play(&mut trial, service, plan, random),
            _ => self.reckon(&mut trial, plan, random),
        }
        let full = trial.scheduled - trial.late;
        trial.within = vec![0, 0, full, full, full, full];
        trial.utilisation = (rate / self.saturation()).min(1.0);
        trial
    }

    /// Counts by closed form. What is late in a queue comes in bursts; stalls come once in each second.
    fn reckon(self, trial: &mut Trial, plan: &TrialPlan, random: &mut Xoshiro256PlusPlus) {
        let (count, rate) = (trial.scheduled as f64, trial.offered.unwrap_or(0.0));
        let excess = rate / self.saturation() - 1.0;
        let share = if excess < 0.0 {
            self.late(rate).min(1.0)
        } else {
            // The queue has grown since the load began.
            let late_from = (LATENCY / excess - plan.warmup_ns as f64 / 1e9).max(0.0);
            (1.0 - late_from / (plan.duration_ns as f64 / 1e9)).max(0.02)
        };
        trial.burstiness = if matches!(self, Self::Stalling(..)) { 1.0 } else { 4.0 };
        let spread = (trial.burstiness * count * share * (1.0 - share)).sqrt();
        let noise: f64 = StandardNormal.sample(random);
        trial.late = (count * share + spread * noise).round().clamp(0.0, count) as u64;
        trial.backlog_growth = excess.max(0.0);
    }
}

/// Every request of a trial of M/M/1, first come first served: the next wait is what is left of the last one and its service
/// when the next request comes (Lindley, "The theory of queues with a single server", 1952).
fn play(trial: &mut Trial, service: f64, plan: &TrialPlan, random: &mut Xoshiro256PlusPlus) {
    let (Some(rate), warmup) = (plan.offered, plan.warmup_ns as f64 / 1e9) else { return };
    let length = plan.duration_ns as f64 / 1e9;
    // Millions of draws in a test that is not optimised: quantiles of the exponential distribution in a table.
    let draws: Vec<f64> = (0..DRAWS).map(|index| -((index as f64 + 0.5) / DRAWS as f64).ln()).collect();
    let mut state: u64 = random.random();
    let mut exponential = || {
        state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        draws[(state >> 52) as usize]
    };
    let mut seconds = vec![(0_u64, 0_u64); (plan.duration_ns / SECOND) as usize];
    let (mut now, mut wait, mut wait_at_first) = (0.0, 0.0, None);
    loop {
        let gap = exponential() / rate;
        now += gap;
        if now >= warmup + length {
            break;
        }
        wait -= gap;
        if wait < 0.0 {
            wait = 0.0;
        }
        // Now the response time of this request, and what the next one finds.
        wait += exponential() * service;
        if now >= warmup {
            wait_at_first = wait_at_first.or(Some(wait));
            let second = &mut seconds[(now - warmup) as usize];
            second.0 += u64::from(wait > LATENCY);
            second.1 += 1;
        }
    }
    trial.late = seconds.iter().map(|second| second.0).sum();
    trial.scheduled = seconds.iter().map(|second| second.1).sum();
    trial.completed = trial.scheduled;
    trial.burstiness = burstiness(seconds.iter().copied());
    // A wait of w means w x rate requests in the queue.
    trial.backlog_growth = ((wait - wait_at_first.unwrap_or(0.0)) / length).max(0.0);
}

/// Probability of waiting in M/M/c.
fn erlang(servers: u32, load: f64) -> f64 {
    let blocked = (1..=servers).fold(1.0, |blocked, k| load * blocked / (f64::from(k) + load * blocked));
    let rho = load / f64::from(servers);
    blocked / (1.0 - rho * (1.0 - blocked))
}

/// A trial of ten seconds that passes with ease.
pub(super) fn trial(arm: u32, rate: f64) -> Trial {
    let count = (rate * 10.0) as u64;
    Trial {
        number: 1,
        arm,
        purpose: Purpose::Search,
        block: None,
        offered: Some(rate),
        clients: None,
        began_ns: 0,
        planned_ns: 10 * SECOND,
        measured_ns: 10 * SECOND,
        scheduled: count,
        completed: count,
        throughput: rate,
        failed: 0,
        unfinished: 0,
        late: 0,
        burstiness: 1.0,
        within: vec![count; 6],
        response: Quantiles { mean: 500_000.0, p50: 400_000, p99: 900_000, p999: 950_000, max: 1_000_000 },
        service: Quantiles { mean: 400_000.0, p50: 400_000, p99: 800_000, p999: 850_000, max: 900_000 },
        wait: Quantiles::default(),
        utilisation: 0.3,
        waiting: 0.0,
        backlog_growth: 0.0,
        server_busy: Some(0.3),
        worker_busy: Some(0.2),
        lag_p99: 1_000,
        client_limited: None,
        waived: None,
        services: Vec::new(),
        most_expensive: None,
        folder: String::new(),
    }
}

/// A check by which the harness was the limit.
pub(super) fn by_harness(check: &str) -> HarnessLimit {
    HarnessLimit::Words(check.to_owned())
}

/// One service of 1 000 operations per second over 50 connections; 99 % of them within 10 ms.
pub(super) fn scenario() -> Scenario {
    let text = r#"
        name = "known"
        seed = 1
        objective = { latency = "10ms", percentile = 99.0, max_error_rate = 0.001 }
        [[service]]
        name = "api"
        pool = { size = 50 }
        load = { model = "open", rate = 1000 }
        [[service.operation]]
        command = "GET"
    "#;
    scenario::parse(text, "known.toml").unwrap()
}

/// A variant with a pool of that size, or the scenario as it is.
pub(super) fn arm(pool: Option<u32>) -> Arm {
    let settings = pool.map(|size| ("service.api.pool.size".to_owned(), size.to_string())).into_iter().collect();
    let name = pool.map_or_else(|| "as written".to_owned(), |size| format!("pool {size}"));
    Arm { name, settings, pool, coordinates: Vec::new() }
}

/// A plan as the command line makes it, with a day to spare.
pub(super) fn plan(pools: &[u32], seed: u64) -> CapacityPlan {
    let arms = if pools.is_empty() { vec![arm(None)] } else { pools.iter().map(|size| arm(Some(*size))).collect() };
    CapacityPlan {
        arms,
        clients: Vec::new(),
        start_rate: 4_000.0,
        max_rate: None,
        warmup_ns: 3 * SECOND,
        trial_ns: 10 * SECOND,
        confirm_ns: 30 * SECOND,
        budget_ns: 86_400 * SECOND,
        tolerance: 0.05,
        current_rate: None,
        growth: None,
        workers: None,
        generators: None,
        seed,
    }
}

/// A block whose sides are alike and answer with ease.
pub(super) fn block(plan: &BlockPlan) -> PoolBlock {
    PoolBlock {
        number: plan.number,
        turn_ns: Some(plan.turn_ns),
        measured_ns: plan.duration_ns,
        lag_p50: 1_000,
        ..sample::capacity::block([plan.from, plan.to].map(|arm| trial(arm, plan.rate)))
    }
}

/// What was made of a capacity run.
#[derive(Debug, Default)]
pub(super) struct Made {
    pub(super) trials: Vec<Trial>,
    pub(super) blocks: Vec<PoolBlock>,
    /// How it ended; `None` where a trial of another purpose was asked for.
    pub(super) ended: Option<Ended>,
}

/// Carries out what the planner asks for, until it is done or asks for a trial of another purpose than these.
pub(super) fn carry_out_with(
    planner: &mut Planner,
    purposes: &[Purpose],
    mut tried: impl FnMut(&TrialPlan, u32) -> Trial,
    mut compared: impl FnMut(&BlockPlan) -> PoolBlock,
) -> Made {
    let (mut made, mut elapsed) = (Made::default(), 0);
    loop {
        match planner.next(elapsed) {
            Next::Done(ended) => return Made { ended: Some(ended), ..made },
            Next::Trial(plan) if !purposes.contains(&plan.purpose) => return made,
            Next::Trial(plan) => {
                let trial = Trial { began_ns: elapsed, ..tried(&plan, made.trials.len() as u32 + 1) };
                elapsed = planner.over_ns(&trial);
                planner.record(&trial);
                made.trials.push(trial);
            }
            Next::Block(plan) => {
                let block = PoolBlock { began_ns: elapsed, ..compared(&plan) };
                elapsed = planner.block_over_ns(&block);
                planner.record_block(&block);
                made.blocks.push(block);
            }
        }
    }
}

/// The same where pool sizes make no difference.
pub(super) fn carry_out(
    planner: &mut Planner,
    purposes: &[Purpose],
    tried: impl FnMut(&TrialPlan, u32) -> Trial,
) -> (Vec<Trial>, Option<Ended>) {
    let made = carry_out_with(planner, purposes, tried, block);
    (made.trials, made.ended)
}

/// Searches and confirmations only.
pub(super) const SEARCH: [Purpose; 3] = [Purpose::Search, Purpose::Confirm, Purpose::Above];

/// A liar: with that probability the outcome of a trial is turned around.
pub(super) fn turn_around(trial: &mut Trial, probability: f64, random: &mut Xoshiro256PlusPlus) {
    if random.random::<f64>() >= probability {
        return;
    }
    match judge(trial, &scenario().objective) {
        Judgement::Pass => trial.late = trial.scheduled / 2,
        Judgement::Fail(_) => (trial.late, trial.backlog_growth, trial.burstiness) = (0, 0.0, 1.0),
        Judgement::Undecided | Judgement::ClientLimited(_) => {}
    }
}

/// The rate that a search finds on a server, whether it was confirmed, and the trials it took.
pub(super) fn found(server: Server, plan: CapacityPlan, lies: f64) -> (Option<f64>, bool, usize) {
    let mut random = generator(plan.seed, 1);
    let mut planner = Planner::new(plan, &scenario());
    let (trials, _) = carry_out(&mut planner, &SEARCH, |plan, number| {
        let mut trial = server.trial(plan, number, &mut random);
        turn_around(&mut trial, lies, &mut random);
        trial
    });
    let search = planner.search(0);
    (search.bracket().low.map(|low| low.rate), search.confirmed(), trials.len())
}

/// A run of that plan before its first trial.
pub(super) fn capacity(plan: CapacityPlan) -> Capacity {
    let text = |text: &str| text.to_owned();
    Capacity {
        schema_version: CAPACITY_VERSION,
        software: Software { version: text("0.1.0"), commit: None, fred: text("10.1.0"), profile: text("release") },
        started: text("2025-03-14T09:26:53Z"),
        scenario: scenario().source,
        target: TargetFacts {
            address: text("redis://127.0.0.1:6379"),
            private: true,
            product: text("redis"),
            version: text("7.0.15"),
            mode: text("standalone"),
            tls_insecure: false,
            same_machine: true,
            elsewhere: false,
            settings: vec![(text("maxclients"), text("10000"))],
            nodes: Vec::new(),
            replicas: 0,
        },
        environment: Environment { cpu: text("a CPU"), cores: 2, memory: 1 << 30, kernel: text("a kernel") },
        plan,
        trials: Vec::new(),
        blocks: Vec::new(),
        connections: Vec::new(),
        current_rate: None,
        ended: Ended::Running,
    }
}
