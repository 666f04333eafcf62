//! Scenarios for the tests of this room.

use std::time::Duration;

use proptest::test_runner::{Config, RngSeed};

use crate::{
    operation::{Kind, Parameters},
    scenario::{
        Access, Action, ArrivalProcess, Checkout, Client, Command, Keys, Load, Objective, Operation, Order, Phases,
        Pool, Protocol, ReadFrom, Scenario, Service, TlsOptions, ValueSize,
    },
};

/// Configuration of property tests: the same cases every time.
pub(crate) fn laws() -> Config {
    Config { rng_seed: RngSeed::Fixed(42), failure_persistence: None, ..Config::default() }
}

/// A command with small collections: 20 keys of 50 members.
pub(super) fn command(kind: Kind) -> Command {
    Command {
        kind,
        parameters: Parameters {
            keys: 20,
            members: 50,
            batch: 1,
            range: 10,
            by: 1,
            expire: None,
            script: None,
            args: Vec::new(),
            hit: None,
        },
    }
}

/// Requests with several keys, members or elements at a time.
pub(super) fn batch(kind: Kind, batch: u32) -> Command {
    let mut command = command(kind);
    command.parameters.batch = batch;
    command
}

pub(super) fn single(command: Command) -> Action {
    Action::Single(command)
}

pub(super) fn sequence(steps: &[Kind], transaction: bool) -> Action {
    Action::Sequence { steps: steps.iter().map(|kind| command(*kind)).collect(), transaction }
}

/// A scenario of one service with these operations, all of the same weight.
pub(super) fn scenario(actions: impl IntoIterator<Item = Action>) -> Scenario {
    let operations = actions
        .into_iter()
        .enumerate()
        .map(|(number, action)| Operation { name: format!("operation {number}"), weight: 1.0, action })
        .collect();
    Scenario {
        name: "sample".into(),
        description: String::new(),
        seed: 42,
        run: Phases {
            warmup: Duration::ZERO,
            duration: Duration::from_secs(1),
            drain: Duration::from_secs(1),
            prefill: true,
            pin: false,
        },
        objective: Objective {
            latency: Duration::from_millis(100),
            percentile: 99.0,
            max_error_rate: 0.0,
            recovery: None,
        },
        tls: TlsOptions::default(),
        dependencies: Vec::new(),
        events: Vec::new(),
        audit_writes: None,
        services: vec![Service {
            name: "api".into(),
            database: 0,
            username: None,
            password: None,
            client: Client::Fred,
            protocol: Protocol::Resp2,
            read_from: ReadFrom::Primary,
            instances: 1,
            parts: None,
            pool: Pool {
                size: 1,
                checkout: Checkout::Exclusive,
                pipeline: 1,
                checkout_timeout: Duration::from_secs(1),
                command_timeout: Duration::from_secs(1),
                health_check: Duration::ZERO,
            },
            load: Load::Open { rate: 1000.0, arrivals: ArrivalProcess::Poisson },
            keys: Keys { prefix: "api:".into(), count: 1000, hash_tag: None, access: Access::Uniform },
            values: ValueSize::Fixed(64),
            setup: Vec::new(),
            cleanup: Vec::new(),
            order: Order::Weighted,
            operations,
        }],
        source: String::new(),
    }
}
