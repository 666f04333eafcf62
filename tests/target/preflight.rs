//! What is wrong with a target is said before the load, in one sentence each.

use std::{
    io::Write,
    net::TcpListener,
    time::{Duration, Instant},
};

use plimsoll::{
    operation::Kind,
    scenario::{Action, PasswordSource, Protocol, Service, ValueSize},
    target::{Fault, PrivateServer, Secret, Source, Target, TargetError, TargetUrl},
};

use super::{
    clients::spoken,
    fake::Fake,
    plan::{ask, complaint, operation, scenario, server, service, target},
};
use crate::support::is_alone;

#[tokio::test]
async fn knows_a_good_server() {
    let server = server(&[]).await;
    let plan = scenario(vec![service("api", &[Kind::Get, Kind::ZAdd]), service("chat", &[Kind::Publish])]);
    let facts = Target::of_private(&server, &plan).unwrap().preflight(&plan).await.unwrap();
    assert_eq!(facts.address, server.url().to_string());
    assert!(facts.private && facts.same_machine, "{facts:?}");
    assert!(["redis", "valkey"].contains(&facts.product.as_str()), "{facts:?}");
    assert!(facts.version.starts_with(|digit: char| digit.is_ascii_digit()), "{facts:?}");
    assert_eq!(facts.mode, "standalone");
    assert!(facts.settings.contains(&("maxmemory-policy".to_owned(), "allkeys-lru".to_owned())), "{facts:?}");
    assert_eq!(ask(&server, "DBSIZE").await, "0", "checks write nothing");
    let facts = target(server.url_of("plimsoll"), &plan).await.preflight(&plan).await.unwrap();
    assert!(!facts.private);
}

#[tokio::test]
async fn wrong_password() {
    let server = server(&[]).await;
    let plan = scenario(vec![service("api", &[Kind::Get]), service("chat", &[Kind::Get])]);
    let secret = Secret::new("a-password-that-is-wrong");
    let url = TargetUrl { password: Some(secret.clone()), ..server.url_of("plimsoll") };
    let error = target(url.clone(), &plan).await.connector(0).open().await.unwrap_err();
    let wrong = |fault: &Fault| matches!(fault, Fault::WrongPassword { user } if user == "plimsoll");
    assert!(matches!(&error, TargetError::Connection { fault, .. } if wrong(fault)), "{error}");
    let error = complaint(url, &plan).await;
    let text = error.to_string();
    assert!(text.starts_with("services `api` and `chat`: redis://127.0.0.1:"), "{text}");
    assert!(text.contains("wrong password for the user `plimsoll`") && text.lines().count() == 1, "{text}");
    assert!(!format!("{error} {error:?}").contains(secret.expose()));
}

#[tokio::test]
async fn a_server_without_resp3() {
    let plan = spoken(Protocol::Resp3, scenario(vec![service("api", &[Kind::Get]), service("chat", &[Kind::Get])]));
    let without = server(&[("rename-command", "HELLO \"\"")]).await;
    let text = complaint(without.url_of("plimsoll"), &plan).await.to_string();
    assert!(text.contains("does not speak RESP3") && text.contains("--protocol 2"), "{text}");
    assert!(text.starts_with("services `api` and `chat`: ") && text.lines().count() == 1, "{text}");
    let of_resp2 = spoken(Protocol::Resp2, plan.clone());
    target(without.url_of("plimsoll"), &of_resp2).await.preflight(&of_resp2).await.unwrap();

    let server = server(&[]).await;
    for (reply, expected) in [
        ("-NOPERM this user has no permissions to run the 'hello' command\r\n", "ACL SETUSER plimsoll +hello"),
        ("-NOPROTO unsupported protocol version\r\n", "does not speak RESP3"),
        ("", "does not speak RESP3"),
    ] {
        let fake = Fake::before(&server, |words| (words[0] == "HELLO").then(|| reply.as_bytes().to_vec()));
        let text = complaint(fake.url(&server), &plan).await.to_string();
        assert!(text.contains(expected) && text.lines().count() == 1, "{text}");
    }
}

#[tokio::test]
async fn nobody_there() {
    let plan = scenario(vec![service("api", &[Kind::Get])]);
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for (url, expected) in [
        ("redis://no-such-host.invalid".to_owned(), "unknown host"),
        (format!("redis://127.0.0.1:{port}"), "connection refused"),
        ("unix:///nowhere/redis.sock".to_owned(), "cannot connect: No such file or directory"),
    ] {
        let begun = Instant::now();
        let text = complaint(url.parse().unwrap(), &plan).await.to_string();
        assert!(text.contains(expected) && text.starts_with(&format!("service `api`: {url}")), "{text}");
        assert!(begun.elapsed() < Duration::from_secs(10));
    }
}

#[tokio::test]
async fn somebody_else_there() {
    let plan = scenario(vec![service("api", &[Kind::Get])]);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("redis://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        while let Ok((mut guest, _)) = listener.accept() {
            let _ = guest.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let text = complaint(url.parse().unwrap(), &plan).await.to_string();
    assert!(text.contains("not a Redis or Valkey server"), "{text}");
}

#[tokio::test]
async fn somebody_silent_there() {
    let plan = scenario(vec![service("api", &[Kind::Get])]);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("redis://{}", listener.local_addr().unwrap());
    let begun = Instant::now();
    let text = complaint(url.parse().unwrap(), &plan).await.to_string();
    assert!(text.contains("no answer within 5s"), "{text}");
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn missing_permissions() {
    let server = server(&[]).await;
    let plan = scenario(vec![
        service("api", &[Kind::Get, Kind::ZAdd, Kind::HGet, Kind::LPush]),
        service("chat", &[Kind::Publish]),
    ]);
    for (rules, expected) in [
        ("-zadd", &["service `api`", "may not run ZADD on `api:zset:", "+zadd grants it"][..]),
        ("-hset", &["may not run HSET", "which the prefill needs"]),
        ("-ltrim", &["may not run LTRIM", "which keeps the data in bounds"]),
        ("resetchannels", &["service `chat`", "may not run PUBLISH on `chat:channel:", "&chat:channel:"]),
        ("resetkeys ~api:str:*", &["may not run GET", "~api:"]),
        ("-zadd -publish", &["ZADD", "\nservice `chat`", "PUBLISH"]),
    ] {
        ask(&server, &format!("ACL SETUSER plimsoll reset on {} ~* &* +@all {rules}", credentials(&server))).await;
        let result = target(server.url_of("plimsoll"), &plan).await.preflight(&plan).await;
        if rules.starts_with("resetkeys") {
            let text = result.unwrap_err().to_string();
            assert!(text.contains("ZADD") && !text.contains("may not run GET"), "{text}");
            continue;
        }
        let text = result.unwrap_err().to_string();
        assert!(expected.iter().all(|part| text.contains(part)), "{rules}: {text}");
    }
    assert_eq!(ask(&server, "DBSIZE").await, "0");
}

#[tokio::test]
async fn missing_permissions_of_a_user_without_transactions() {
    let server = server(&[]).await;
    let plan = scenario(vec![service("api", &[Kind::Get, Kind::Set, Kind::HGetAll, Kind::ZAdd, Kind::SIsMember])]);
    let set = async |rules: &str| {
        ask(&server, &format!("ACL SETUSER plimsoll reset on {} ~api:* {rules}", credentials(&server))).await
    };
    let rights = "+get +set +mset +hset +hgetall +sadd +sismember +del";
    set(&format!("{rights} +zadd")).await;
    let facts = target(server.url_of("plimsoll"), &plan).await.preflight(&plan).await.unwrap();
    assert_ne!(facts.version, "unknown", "every user may say hello");
    set(rights).await;
    let text = complaint(server.url_of("plimsoll"), &plan).await.to_string();
    assert!(text.contains("may not run ZADD") && text.lines().count() <= 2, "{text}");
    assert_eq!(ask(&server, "DBSIZE").await, "0", "what was tried out is removed");
}

#[tokio::test]
async fn missing_permissions_of_a_user_who_may_only_read() {
    let server = server(&[]).await;
    ask(&server, &format!("ACL SETUSER plimsoll reset on {} ~* +@read +ping", credentials(&server))).await;
    let written = plimsoll::operation::Spec::in_scenarios()
        .filter(|spec| spec.access == plimsoll::operation::Access::Write && spec.kind != Kind::Raw);
    for kind in written.map(|spec| spec.kind) {
        let mut plan = scenario(vec![service("api", &[kind])]);
        plan.run.prefill = false;
        let text = complaint(server.url_of("plimsoll"), &plan).await.to_string();
        assert!(text.contains(&format!("may not run {} ", kind.spec().name)), "{kind:?}: {text}");
    }
    ask(&server, "ACL SETUSER plimsoll +set +mset +hset +zadd +xadd +eval").await;
    let mut plan = scenario(vec![service("api", &[Kind::Set, Kind::HSet, Kind::ZAdd, Kind::XAdd, Kind::Eval])]);
    plan.run.prefill = false;
    target(server.url_of("plimsoll"), &plan).await.preflight(&plan).await.unwrap();
    assert_eq!(ask(&server, "DBSIZE").await, "0", "nothing is written that could not be removed");
}

pub(crate) fn credentials(server: &PrivateServer) -> String {
    format!(">{}", server.password("plimsoll").unwrap().expose())
}

#[tokio::test]
async fn unknown_commands_and_databases() {
    let server = server(&[]).await;
    let mut search = service("search", &[]);
    search.operations = vec![operation(Kind::Raw)];
    if let plimsoll::scenario::Action::Single(command) = &mut search.operations[0].action {
        command.parameters.args = ["FT.SEARCH", "index", "{key}"].map(str::to_owned).into();
    }
    let mut far = service("far", &[Kind::Get]);
    far.database = 16;
    let plan = scenario(vec![search, far]);
    let text = complaint(server.url_of("plimsoll"), &plan).await.to_string();
    assert!(text.contains("service `search`: the server does not know FT.SEARCH"), "{text}");
    assert!(text.contains("service `far`") && text.contains("no database 16"), "{text}");
}

/// A service with one operation, a sequence of commands in its own words.
fn sequence(lines: &[&str]) -> Service {
    let mut service = service("api", &[Kind::Get]);
    let step = |line: &&str| {
        let Action::Single(mut step) = operation(Kind::Raw).action else { unreachable!() };
        step.parameters.args = line.split(' ').map(str::to_owned).collect();
        step
    };
    let steps = lines.iter().map(step).collect();
    service.operations[0].action = Action::Sequence { steps, transaction: false };
    service
}

#[tokio::test]
async fn commands_that_are_not_for_transactions_are_not_tried_in_one() {
    let server = server(&[]).await;
    let plan = scenario(vec![sequence(&["WATCH {key}", "GET {key}", "MULTI", "SET {key} 1", "EXEC", "UNWATCH"])]);
    target(server.url_of("plimsoll"), &plan).await.preflight(&plan).await.unwrap();
    assert_eq!(ask(&server, "DBSIZE").await, "0", "checks write nothing");
    for (rules, command) in [("-watch", "WATCH"), ("-unwatch", "UNWATCH")] {
        ask(&server, &format!("ACL SETUSER plimsoll reset on {} ~* +@all {rules}", credentials(&server))).await;
        let text = complaint(server.url_of("plimsoll"), &plan).await.to_string();
        assert!(text.contains(&format!("may not run {command} ")) && text.lines().count() == 1, "{text}");
    }
}

fn fixture(name: &str) -> Vec<u8> {
    let text = std::fs::read(format!("{}/tests/fixtures/info/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    [format!("${}\r\n", text.len()).as_bytes(), &text, b"\r\n"].concat()
}

#[tokio::test]
async fn another_product_is_called_by_its_name() {
    let server = server(&[]).await;
    let reply = fixture("dragonfly-1.31.txt");
    let fake = Fake::before(&server, move |words| (words[0] == "INFO").then(|| reply.clone()));
    let plan = scenario(vec![service("api", &[Kind::Get])]);
    let facts = target(fake.url(&server), &plan).await.preflight(&plan).await.unwrap();
    assert_eq!((facts.product.as_str(), facts.version.as_str()), ("dragonfly", "1.31.0"));
}

#[tokio::test]
async fn a_number_of_clients_that_cannot_be_is_not_believed() {
    let server = server(&[]).await;
    let reply = fixture("dragonfly-1.21.txt");
    let fake = Fake::before(&server, move |words| (words[0] == "INFO").then(|| reply.clone()));
    let plan = scenario(vec![service("api", &[Kind::Get])]);
    target(fake.url(&server), &plan).await.preflight(&plan).await.unwrap();
}

#[tokio::test]
async fn info_that_the_client_library_cannot_read() {
    let server = server(&[]).await;
    let reply = b"$26\r\nconfig_file:/caf\xe9/r.conf\r\n\r\n".to_vec();
    let fake = Fake::before(&server, move |words| (words[0] == "INFO").then(|| reply.clone()));
    let plan = scenario(vec![service("api", &[Kind::Get])]);
    let text = complaint(fake.url(&server), &plan).await.to_string();
    assert!(text.contains("not UTF-8") && text.contains("-info") && text.lines().count() == 1, "{text}");
    // Without the right to INFO nobody asks for it.
    let fake = Fake::before(&server, |words| (words[0] == "INFO").then(|| b"-NOPERM no\r\n".to_vec()));
    let facts = target(fake.url(&server), &plan).await.preflight(&plan).await.unwrap();
    assert_ne!(facts.version, "unknown", "every user may say hello");
}

#[tokio::test]
async fn too_few_clients() {
    let server = server(&[("maxclients", "20")]).await;
    let mut service = service("api", &[Kind::Get]);
    service.pool.size = 50;
    let plan = scenario(vec![service]);
    let text = complaint(server.url_of("plimsoll"), &plan).await.to_string();
    assert!(text.contains("need 54 connections") && text.contains("accepts 20"), "{text}");
}

#[tokio::test]
async fn too_few_file_descriptors() {
    if !is_alone("target::preflight::too_few_file_descriptors", "ulimit -n 300") {
        return;
    }
    let server = server(&[("maxclients", "100")]).await;
    let mut service = service("api", &[Kind::Get]);
    service.pool.size = 500;
    let text = complaint(server.url_of("plimsoll"), &scenario(vec![service])).await.to_string();
    assert!(text.contains("needs 600 file descriptors") && text.contains("process is 300"), "{text}");
}

#[tokio::test]
async fn a_soft_limit_of_file_descriptors_is_raised() {
    if !is_alone("target::preflight::a_soft_limit_of_file_descriptors_is_raised", "ulimit -Sn 300") {
        return;
    }
    let server = server(&[("maxclients", "1000")]).await;
    let mut service = service("api", &[Kind::Get]);
    service.pool.size = 500;
    let plan = scenario(vec![service]);
    let target = target(server.url_of("plimsoll"), &plan).await;
    target.preflight(&plan).await.unwrap();
    let mut open = Vec::new();
    for _ in 0..plan.connections() {
        open.push(target.connector(0).open().await.unwrap());
    }
}

#[tokio::test]
async fn no_place_left() {
    let server = server(&[("maxclients", "1")]).await;
    let plan = scenario(vec![service("api", &[Kind::Get])]);
    let target = target(server.url_of("plimsoll"), &plan).await;
    let _taken = target.connector(0).open().await.unwrap();
    let text = target.preflight(&plan).await.unwrap_err().to_string();
    assert!(text.contains("maxclients is reached"), "{text}");
}

#[tokio::test]
async fn a_replica_takes_no_prefill() {
    let server = server(&[]).await;
    assert_eq!(ask(&server, "REPLICAOF 127.0.0.1 1").await, "OK");
    let mut plan = scenario(vec![service("api", &[Kind::Get])]);
    let text = target(server.url_of("plimsoll"), &plan).await.preflight(&plan).await.unwrap_err().to_string();
    assert!(text.contains("the server is a replica") && text.contains("--no-prefill"), "{text}");
    plan.run.prefill = false;
    target(server.url_of("plimsoll"), &plan).await.preflight(&plan).await.unwrap();
}

#[tokio::test]
async fn a_command_on_which_the_connection_is_closed_is_named() {
    let server = server(&[]).await;
    let fake = Fake::before(&server, |words| (words[0] == "HGET").then(Vec::new));
    let plan = scenario(vec![service("api", &[Kind::HGet])]);
    let text = target(fake.url(&server), &plan).await.preflight(&plan).await.unwrap_err().to_string();
    assert!(text.contains("HGET") && text.contains("closed the connection"), "{text}");
}

#[tokio::test]
async fn a_server_that_still_loads() {
    // The server's own means of testing itself: 20 ms for each key, and an ear for its clients in between.
    let server = server(&[("key-load-delay", "20000"), ("loading-process-events-interval-bytes", "1024")]).await;
    let mut service = service("api", &[Kind::Get]);
    service.values = ValueSize::Fixed(2_000);
    let plan = scenario(vec![service]);
    let target = target(server.url_of("plimsoll"), &plan).await;
    target.prefill(&plan, &mut |_, _| ()).await.unwrap();
    assert_eq!(ask(&server, "SAVE").await, "OK");
    server.kill();
    let restart = std::thread::spawn(move || server.restart().map(|()| server));
    let text = loop {
        match target.preflight(&plan).await.unwrap_err().to_string() {
            text if text.contains("refused") => tokio::time::sleep(Duration::from_millis(10)).await,
            text => break text,
        }
    };
    assert!(text.contains("still loading its data set"), "{text}");
    let _server = restart.join().unwrap().unwrap();
    target.preflight(&plan).await.unwrap();
}

#[tokio::test]
async fn passwords_that_are_not_there() {
    let server = server(&[]).await;
    let mut api = service("api", &[Kind::Get]);
    api.username = Some("plimsoll".to_owned());
    let complain = async |service, url| {
        let plan = scenario(vec![service]);
        Target::prepare(Source::Url(url), &plan).await.unwrap_err().to_string()
    };
    let text = complaint(server.url(), &scenario(vec![api.clone()])).await.to_string();
    assert!(text.contains("service `api`: ") && text.contains("the user `plimsoll` needs a password"), "{text}");
    api.password = Some(PasswordSource::Env("PLIMSOLL_NO_SUCH_VARIABLE".to_owned()));
    let text = complain(api.clone(), server.url()).await;
    assert!(text.contains("PLIMSOLL_NO_SUCH_VARIABLE: set it"), "{text}");
    let plan = scenario(vec![api.clone()]);
    let target_with_login = target(server.url_of("plimsoll"), &plan).await;
    target_with_login.preflight(&plan).await.expect("the login of the target's URL steps in");
    api.password = Some(PasswordSource::File("/nowhere/password".into()));
    let text = complain(api.clone(), server.url_of("plimsoll")).await;
    assert!(text.contains("/nowhere/password"), "{text}");

    let file = server.folder().join("password");
    std::fs::write(&file, format!("{}\n", server.password("plimsoll").unwrap().expose())).unwrap();
    api.password = Some(PasswordSource::File(file));
    let plan = scenario(vec![api]);
    target(server.url(), &plan).await.preflight(&plan).await.unwrap();
}
