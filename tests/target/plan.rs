//! Scenarios for tests.

use std::time::Duration;

use plimsoll::{
    operation::{Kind, Parameters},
    scenario::{
        Access, Action, ArrivalProcess, Checkout, Command, Keys, Load, Objective, Operation, Order, Phases, Pool,
        Scenario, Service, ValueSize,
    },
};

/// A scenario of these services.
pub(crate) fn scenario(services: Vec<Service>) -> Scenario {
    Scenario {
        name: "test".to_owned(),
        description: String::new(),
        seed: 42,
        run: Phases {
            warmup: Duration::ZERO,
            duration: Duration::from_secs(1),
            drain: Duration::from_secs(1),
            prefill: true,
        },
        objective: Objective { latency: Duration::from_millis(100), percentile: 99.0, max_error_rate: 0.001 },
        services,
        source: String::new(),
    }
}

/// A small service that runs GET.
pub(crate) fn service(name: &str) -> Service {
    Service {
        name: name.to_owned(),
        database: 0,
        username: None,
        password: None,
        instances: 1,
        pool: Pool {
            size: 2,
            checkout: Checkout::Exclusive,
            checkout_timeout: Duration::from_secs(1),
            command_timeout: Duration::from_secs(1),
        },
        load: Load::Open { rate: 100.0, arrivals: ArrivalProcess::Uniform },
        keys: Keys { prefix: format!("{name}:"), count: 100, access: Access::Uniform },
        values: ValueSize::Fixed(16),
        order: Order::Weighted,
        operations: vec![operation(Kind::Get)],
    }
}

/// An operation of one command.
pub(crate) fn operation(kind: Kind) -> Operation {
    Operation { name: format!("{kind:?}"), weight: 1.0, action: Action::Single(command(kind)) }
}

/// A command with small parameters.
pub(crate) fn command(kind: Kind) -> Command {
    let parameters =
        Parameters { keys: 3, members: 10, batch: 2, range: 5, by: 1, expire: None, script: None, args: Vec::new() };
    Command { kind, parameters }
}
