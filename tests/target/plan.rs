//! Scenarios, servers and requests for tests.

use std::{ops::Deref, time::Duration};

use bytes::Bytes;
use fred::{clients::Client, interfaces::ClientLike, types::config::Config};
use plimsoll::{
    operation::{Args, Kind, Parameters, Request},
    scenario::{
        Access, Action, ArrivalProcess, Checkout, Client as Library, Command, Keys, Load, Objective, Operation, Order,
        Phases, Pool, Protocol, ReadFrom, Scenario, Service, TlsOptions, ValueSize,
    },
    target::{Connection, Endpoint, PrivateServer, Source, Target, TargetError, TargetUrl},
};

use crate::support::{Turn, private_server};

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
            pin: false,
        },
        objective: Objective {
            latency: Duration::from_millis(100),
            percentile: 99.0,
            max_error_rate: 0.001,
            recovery: None,
        },
        services,
        tls: TlsOptions::default(),
        dependencies: Vec::new(),
        events: Vec::new(),
        audit_writes: None,
        source: String::new(),
    }
}

/// A small service with these commands in its mix.
pub(crate) fn service(name: &str, kinds: &[Kind]) -> Service {
    Service {
        name: name.to_owned(),
        database: 0,
        username: None,
        password: None,
        client: Library::Fred,
        protocol: Protocol::Resp2,
        read_from: ReadFrom::Primary,
        instances: 1,
        parts: None,
        pool: Pool {
            size: 2,
            checkout: Checkout::Exclusive,
            pipeline: 1,
            checkout_timeout: Duration::from_secs(1),
            command_timeout: Duration::from_secs(1),
            health_check: Duration::ZERO,
        },
        load: Load::Open { rate: 100.0, arrivals: ArrivalProcess::Uniform },
        keys: Keys { prefix: format!("{name}:"), count: 100, hash_tag: None, access: Access::Uniform },
        values: ValueSize::Fixed(16),
        setup: Vec::new(),
        cleanup: Vec::new(),
        order: Order::Cycle,
        operations: kinds.iter().copied().map(operation).collect(),
    }
}

/// An operation of one command with small parameters.
pub(crate) fn operation(kind: Kind) -> Operation {
    let words: &[&str] = if kind == Kind::Raw { &["OBJECT", "ENCODING", "{key}"] } else { &[] };
    let parameters = Parameters {
        keys: 3,
        members: 10,
        batch: 2,
        range: 5,
        by: 1,
        expire: (kind == Kind::Expire).then_some(Duration::from_secs(60)),
        script: (kind == Kind::Eval).then(|| "return redis.call('GET', KEYS[1])".to_owned()),
        args: words.iter().map(|word| (*word).to_owned()).collect(),
        hit: None,
    };
    let command = Command { kind, parameters };
    Operation { name: format!("{kind:?}"), weight: 1.0, action: Action::Single(command) }
}

/// A private server with the turn of its test, beside others that have no load either.
pub(crate) struct Server {
    private: PrivateServer,
    _turn: Turn,
}

impl Deref for Server {
    type Target = PrivateServer;

    fn deref(&self) -> &PrivateServer {
        &self.private
    }
}

/// A private server with a user `plimsoll` and further settings.
pub(crate) async fn server(config: &[(&str, &str)]) -> Server {
    let turn = Turn::beside();
    Server { private: private_server("plimsoll", config).await, _turn: turn }
}

/// A running server as a person would give it, with that login for every service.
pub(crate) async fn target(url: TargetUrl, plan: &Scenario) -> Target {
    Target::prepare(Source::Url(url), plan).await.unwrap().0
}

/// A connection with all rights.
pub(crate) async fn connection(server: &PrivateServer) -> Connection {
    let plan = scenario(vec![service("test", &[Kind::Get])]);
    Target::of_private(server, &plan).unwrap().connector(0).open().await.unwrap()
}

/// What preflight complains about.
pub(crate) async fn complaint(url: TargetUrl, plan: &Scenario) -> TargetError {
    target(url, plan).await.preflight(plan).await.unwrap_err()
}

/// Asks a server as its administrator, past the room under test.
pub(crate) async fn ask(server: &PrivateServer, line: &str) -> String {
    ask_words(server, &line.split(' ').collect::<Vec<_>>()).await
}

/// The answer to a command whose words may hold spaces.
pub(crate) async fn ask_words(server: &PrivateServer, words: &[&str]) -> String {
    let Endpoint::Tcp { host, port, .. } = server.endpoint().clone() else { panic!("a server on a socket") };
    let mut config = Config::from_url(&format!("redis://{host}:{port}")).unwrap();
    config.username = Some(server.admin().to_owned());
    config.password = server.password(server.admin()).map(|password| password.expose().to_owned());
    let client = Client::new(config, None, None, None);
    let router = client.init().await.unwrap();
    let mut words = words.iter().map(|word| (*word).to_owned());
    let name = words.next().unwrap();
    let command = fred::types::CustomCommand::new(name, fred::types::ClusterHash::Random, false);
    let reply: fred::types::Value = client.custom(command, words.collect()).await.unwrap();
    router.abort();
    match reply {
        fred::types::Value::Array(parts) => {
            parts.iter().map(|part| part.as_string().unwrap_or_default()).collect::<Vec<_>>().join("\n")
        }
        other => other.as_string().unwrap_or_default(),
    }
}

/// A request.
pub(crate) fn request(kind: Kind, key: &str, args: Args) -> Request {
    Request::new(kind, bytes(key), args)
}

/// A request without arguments.
pub(crate) fn plain(kind: Kind, key: &str) -> Request {
    request(kind, key, Args::None)
}

/// A request in the server's own words.
pub(crate) fn raw(line: &str) -> Request {
    request(Kind::Raw, "", Args::Raw(line.split(' ').map(bytes).collect()))
}

/// One value.
pub(crate) fn value(text: &str) -> Args {
    Args::Value(bytes(text))
}

pub(crate) fn bytes(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}
