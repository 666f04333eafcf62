//! The two clients side by side, in both protocols: replies to every command, classes of errors, and refusals of a connection.

use std::{io::Write, net::TcpListener, thread};

use plimsoll::{
    measure::ErrorClass,
    operation::{Args, Kind, Reply, Request, Spec},
    scenario::{Action, Operation, Protocol, Scenario},
    target::{
        Answer, Connector, Driver, DriverConnection, Listen, PrivateServer, Secret, ServerOptions, Source, Target,
        TargetUrl,
    },
    workload::RequestStream,
};
use tokio::task::LocalSet;

use super::plan::{ask, bytes, operation, plain, raw, request, scenario, server, service, value};
use crate::support::block_on;

/// The driver of a client for a private server.
pub(crate) type ByClient<D> = fn(&PrivateServer) -> D;

/// Makes a test for each client of functions that take a [`ByClient`].
macro_rules! for_each_client {
    ($($name:ident),+ $(,)?) => {
        mod fred {
            $(#[test]
            fn $name() {
                $crate::target::clients::locally(super::$name($crate::target::clients::fred));
            })+
        }
        mod wire {
            $(#[test]
            fn $name() {
                $crate::target::clients::locally(super::$name($crate::target::clients::wire));
            })+
        }
    };
}
pub(crate) use for_each_client;

fn of_private(server: &PrivateServer) -> Target {
    Target::of_private(server, &small()).unwrap()
}

pub(crate) fn fred(server: &PrivateServer) -> Connector {
    of_private(server).connector(0)
}

pub(crate) fn wire(server: &PrivateServer) -> impl Driver + use<> {
    of_private(server).wire_connector(0)
}

/// Drives a future whose tasks stay on this thread to its end.
pub(crate) fn locally(future: impl Future<Output = ()>) {
    block_on(LocalSet::new().run_until(future));
}

/// The reply to a request that must succeed.
pub(crate) async fn done(connection: &impl DriverConnection, request: Request) -> Reply {
    connection.issue(request).await.result.unwrap()
}

/// Fails unless the connection was lost.
#[track_caller]
pub(crate) fn lost(answer: &Answer) {
    assert_eq!(answer.result.as_ref().unwrap_err().class, ErrorClass::ConnectionLost);
}

/// Results of requests on a new connection; of failures class and message.
pub(crate) async fn results<D: Driver>(driver: &D, requests: &[Request]) -> Vec<Result<Reply, (ErrorClass, String)>> {
    let connection = driver.open().await.unwrap();
    let mut results = Vec::new();
    for request in requests {
        let result = connection.issue(request.clone()).await.result;
        results.push(result.map_err(|failure| (failure.class, failure.message)));
    }
    connection.close().await;
    results
}

const PROTOCOLS: [Protocol; 2] = [Protocol::Resp2, Protocol::Resp3];

/// The scenario in a protocol.
pub(crate) fn spoken(protocol: Protocol, mut plan: Scenario) -> Scenario {
    plan.services.iter_mut().for_each(|service| service.protocol = protocol);
    plan
}

/// A scenario of one service.
pub(crate) fn small() -> Scenario {
    scenario(vec![service("test", &[Kind::Get])])
}

/// The target of a scenario in each protocol.
pub(crate) fn in_both(server: &PrivateServer, plan: &Scenario) -> [Target; 2] {
    PROTOCOLS.map(|protocol| Target::of_private(server, &spoken(protocol, plan.clone())).unwrap())
}

/// Fails unless both clients have the same results in both protocols; gives these.
pub(crate) async fn compared(
    targets: &[Target; 2],
    requests: &[Request],
    prepare: impl AsyncFn(),
) -> Vec<Result<Reply, ErrorClass>> {
    let mut all = Vec::new();
    for target in targets {
        prepare().await;
        all.push(results(&target.connector(0), requests).await);
        prepare().await;
        all.push(results(&target.wire_connector(0), requests).await);
    }
    let first = all.remove(0);
    for (name, others) in ["wire", "fred, RESP3", "wire, RESP3"].iter().zip(all) {
        for ((expected, result), request) in first.iter().zip(others).zip(requests) {
            assert_eq!(*expected, result, "{name}: {request:?}");
        }
    }
    first.into_iter().map(|result| result.map_err(|(class, _)| class)).collect()
}

/// Operations of every command: alone, with several keys or members, with an expiry.
fn operations() -> Vec<Operation> {
    let mut operations = Vec::new();
    for spec in Spec::in_scenarios() {
        operations.push(operation(spec.kind));
        let varied = match spec.kind {
            Kind::Set => "expire",
            _ if spec.takes("batch") => "batch",
            _ => continue,
        };
        let mut other = operation(spec.kind);
        if let Action::Single(command) = &mut other.action {
            match varied {
                "expire" => command.parameters.expire = Some(std::time::Duration::from_secs(600)),
                _ => command.parameters.batch = 1,
            }
        }
        operations.push(other);
    }
    operations
}

#[test]
fn both_clients_have_the_same_reply_to_every_command() {
    locally(async {
        let server = server(&[]).await;
        let mut api = service("api", &[]);
        api.operations = operations();
        let plan = scenario(vec![api]);
        let targets = in_both(&server, &plan);
        let stream = RequestStream::new(&plan, 0);
        let mut requests = Vec::new();
        // Twice in turn, each with the upkeep that a full or an emptied collection asks for.
        for sequence in 0..2 * plan.services[0].operations.len() as u64 {
            requests.push(stream.request(sequence, 0));
            let full = Reply { misses: 1, integer: Some(i64::MAX), ..Reply::default() };
            requests.extend(stream.upkeep(sequence, 0, &full));
        }
        let filled = async || {
            ask(&server, "FLUSHALL").await;
            targets[0].prefill(&plan, &mut |_, _| ()).await.unwrap();
        };
        let results = compared(&targets, &requests, filled).await;
        assert!(results.iter().all(Result::is_ok), "{results:?}");
        assert!(results.iter().flatten().map(|reply| reply.hits).sum::<u32>() > 30);
        let emptied = async || drop(ask(&server, "FLUSHALL").await);
        let results = compared(&targets, &requests, emptied).await;
        assert!(results.iter().flatten().map(|reply| reply.misses).sum::<u32>() > 10);
    });
}

#[test]
fn both_clients_have_the_same_replies_in_a_transaction() {
    locally(async {
        let server = server(&[]).await;
        let mut api = service("api", &[]);
        let steps = operations().into_iter().filter_map(|operation| match operation.action {
            Action::Single(command) => Some(command),
            Action::Sequence { .. } => None,
        });
        let action = Action::Sequence { steps: steps.collect(), transaction: true };
        api.operations = vec![Operation { action, ..operation(Kind::Get) }];
        let plan = scenario(vec![api]);
        let targets = in_both(&server, &plan);
        let stream = RequestStream::new(&plan, 0);
        let requests: Vec<_> = (0..stream.steps(0)).map(|step| stream.request(0, step)).collect();
        let filled = async || {
            ask(&server, "FLUSHALL").await;
            targets[0].prefill(&plan, &mut |_, _| ()).await.unwrap();
        };
        let results = compared(&targets, &requests, filled).await;
        assert!(results.last().unwrap().is_ok_and(|reply| reply.bytes > 500), "{results:?}");
    });
}

#[test]
fn both_clients_have_the_same_errors() {
    locally(async {
        let server = server(&[("maxmemory-policy", "noeviction")]).await;
        ask(&server, "ACL SETUSER plimsoll -zadd").await;
        let targets = in_both(&server, &small());
        let set = |key, text| request(Kind::Set, key, value(text));
        let requests = [
            set("text", "x"),
            plain(Kind::LLen, "text"),
            plain(Kind::Incr, "text"),
            request(Kind::ZAdd, "board", Args::Scored(vec![(1.0, bytes("member"))])),
            raw("FT.SEARCH index query"),
            raw("GET"),
            raw("EVALSHA 0123456789012345678901234567890123456789 0"),
            plain(Kind::Exec, ""),
            // An error of a command within a transaction, and of one that is not queued.
            plain(Kind::Multi, ""),
            plain(Kind::Incr, "count"),
            plain(Kind::LLen, "text"),
            plain(Kind::Exec, ""),
            plain(Kind::Multi, ""),
            raw("GET"),
            plain(Kind::Exec, ""),
            // Replies of scripts: nested, with a nil, with an error, and with texts that look like a status.
            request(Kind::Eval, "key", script("return {1, {2, 'three', {}}, false, 'four'}")),
            request(Kind::Eval, "key", script("return redis.error_reply('MINE of a script')")),
            request(Kind::Eval, "key", script("return {1, redis.error_reply('MINE of a script')}")),
            request(Kind::Eval, "key", script("return redis.status_reply('FINE')")),
            request(Kind::Eval, "key", script("return 3.99")),
            request(Kind::Set, "text", value("QUEUED")),
            plain(Kind::Get, "text"),
            request(Kind::Set, "text", Args::Value(bytes("a\r\n$3\r\n"))),
            plain(Kind::Get, "text"),
            request(Kind::Set, "large", Args::Value(vec![b'x'; 1 << 20].into())),
            plain(Kind::Get, "large"),
            raw("CONFIG SET maxmemory 1"),
            set("other", "x"),
            raw("CONFIG SET maxmemory 0"),
            raw("CONFIG SET min-replicas-to-write 1"),
            set("other", "x"),
            raw("CONFIG SET min-replicas-to-write 0"),
            raw("REPLICAOF 127.0.0.1 1"),
            set("other", "x"),
            raw("CONFIG SET replica-serve-stale-data no"),
            plain(Kind::Get, "text"),
            raw("REPLICAOF NO ONE"),
            raw("CONFIG SET replica-serve-stale-data yes"),
        ];
        let emptied = async || drop(ask(&server, "FLUSHALL").await);
        let classes: Vec<_> =
            compared(&targets, &requests, emptied).await.into_iter().filter_map(Result::err).collect();
        for class in [
            ErrorClass::Wrongtype,
            ErrorClass::Noperm,
            ErrorClass::Err,
            ErrorClass::Noscript,
            ErrorClass::Oom,
            ErrorClass::Noreplicas,
            ErrorClass::Readonly,
            ErrorClass::Masterdown,
        ] {
            assert!(classes.contains(&class), "{classes:?}");
        }
        assert!(classes.len() >= 15, "{classes:?}");
    });
}

#[test]
fn both_clients_answer_a_batch_in_the_order_of_its_requests() {
    locally(async {
        let server = server(&[]).await;
        let targets = in_both(&server, &small());
        let requests = [
            request(Kind::Set, "text", value("long enough")),
            plain(Kind::StrLen, "text"),
            plain(Kind::LLen, "text"),
            plain(Kind::Incr, "count"),
            plain(Kind::Get, "none"),
            plain(Kind::Incr, "count"),
            plain(Kind::Get, "text"),
            request(Kind::Eval, "key", script("return {1, 'two'}")),
            raw("FT.SEARCH index query"),
            plain(Kind::Incr, "count"),
        ];
        let emptied = async || drop(ask(&server, "FLUSHALL").await);
        let one_by_one = compared(&targets, &requests, emptied).await;
        assert_eq!(one_by_one.iter().filter(|result| result.is_err()).count(), 2);
        for target in &targets {
            emptied().await;
            assert_eq!(together(&target.connector(0), &requests).await, one_by_one);
            emptied().await;
            assert_eq!(together(&target.wire_connector(0), &requests).await, one_by_one);
        }
    });
}

/// Results of requests that are sent together on a new connection; of failures their class.
async fn together<D: Driver>(driver: &D, requests: &[Request]) -> Vec<Result<Reply, ErrorClass>> {
    let connection = driver.open().await.unwrap();
    let (mut requests, mut answers) = (requests.to_vec(), Vec::new());
    connection.issue_all(&mut requests, &mut answers).await;
    assert!(requests.is_empty());
    connection.close().await;
    answers.into_iter().map(|answer| answer.result.map_err(|failure| failure.class)).collect()
}

fn script(source: &str) -> Args {
    Args::Script { source: bytes(source), argv: Vec::new() }
}

/// The reason for which both clients cannot open a connection, in either protocol.
pub(crate) async fn refusal(url: TargetUrl) -> String {
    let of = async |protocol| {
        let target = at(url.clone(), protocol).await;
        let (fred, wire) = (target.connector(0), target.wire_connector(0));
        let (fred, wire) = tokio::join!(fred.open(), wire.open());
        let (fred, wire) = (fred.unwrap_err().to_string(), wire.unwrap_err().to_string());
        assert_eq!(fred, wire, "{protocol:?}");
        wire
    };
    let (resp2, resp3) = tokio::join!(Box::pin(of(Protocol::Resp2)), Box::pin(of(Protocol::Resp3)));
    assert_eq!(resp2, resp3);
    resp3
}

pub(crate) async fn at(url: TargetUrl, protocol: Protocol) -> Target {
    Target::prepare(Source::Url(url), &spoken(protocol, small())).await.unwrap().0
}

/// Opens a connection by each client in each protocol, and uses it.
pub(crate) async fn opened(url: TargetUrl) {
    // Longer than a read, and than a record of TLS.
    let requests = [request(Kind::Set, "key", value(&"x".repeat(200_000))), request(Kind::Get, "key", Args::None)];
    let read = Ok(Reply { hits: 1, bytes: 200_000, ..Reply::default() });
    for protocol in PROTOCOLS {
        let target = at(url.clone(), protocol).await;
        assert_eq!(results(&target.connector(0), &requests).await[1], read);
        assert_eq!(results(&target.wire_connector(0), &requests).await[1], read);
    }
}

#[test]
fn both_clients_explain_a_refused_login() {
    locally(async {
        let server = server(&[]).await;
        let secret = |text: &str| Some(Secret::new(text));
        let good = server.url_of("plimsoll");
        let address = TargetUrl { username: None, password: None, ..good.clone() };
        for (url, expected) in [
            (TargetUrl { password: secret("no"), ..good.clone() }, "wrong password for the user `plimsoll`"),
            (TargetUrl { password: None, ..good.clone() }, "the user `plimsoll` needs a password"),
            (TargetUrl { username: Some("nobody".to_owned()), ..good.clone() }, "wrong password for the user `nobody`"),
            (address.clone(), "requires a login"),
            (TargetUrl { database: Some(99), ..good.clone() }, "no database 99"),
        ] {
            let text = refusal(url).await;
            assert!(text.contains(expected), "{text}");
        }
        // A user who may not give names does without.
        ask(&server, "ACL SETUSER plimsoll -client").await;
        opened(TargetUrl { database: Some(3), ..good }).await;
        ask(&server, "ACL SETUSER default on nopass ~* &* +@all").await;
        opened(address.clone()).await;
        let taken = wire(&server).open().await.unwrap();
        ask(&server, "CONFIG SET maxclients 1").await;
        for url in [address, server.url_of("plimsoll")] {
            let text = refusal(url).await;
            assert!(text.contains("maxclients"), "{text}");
        }
        drop(taken);
    });
}

#[test]
fn both_clients_explain_an_address_without_a_server() {
    locally(async {
        let port = || TcpListener::bind("127.0.0.1:0").unwrap();
        let closed = port().local_addr().unwrap();
        let (silent, stranger, rude) = (port(), port(), port());
        let addresses = [&silent, &stranger, &rude].map(|listener| listener.local_addr().unwrap());
        for (listener, words) in [(stranger, &b"HTTP/1.1 400 Bad Request\r\n\r\n"[..]), (rude, b"")] {
            thread::spawn(move || {
                for mut guest in listener.incoming().map_while(Result::ok) {
                    let _ = guest.write_all(words);
                }
            });
        }
        for (url, expected) in [
            (format!("redis://{closed}"), "connection refused"),
            ("redis://no-such-host.invalid".to_owned(), "unknown host"),
            ("unix:///nowhere/redis.sock".to_owned(), "No such file or directory"),
            (format!("redis://{}", addresses[0]), "no answer within 5s"),
            (format!("redis://{}", addresses[1]), "not a Redis or Valkey server"),
            (format!("redis://{}", addresses[2]), "closed the connection at once"),
        ] {
            let text = refusal(url.parse().unwrap()).await;
            assert!(text.contains(expected), "{text}");
        }
    });
}

#[test]
fn both_clients_reach_a_unix_socket() {
    locally(async {
        let users = vec!["plimsoll".to_owned()];
        let options = ServerOptions { users, listen: Listen::Socket, ..ServerOptions::default() };
        let server = PrivateServer::start(options).await.unwrap();
        opened(server.url_of("plimsoll")).await;
    });
}
