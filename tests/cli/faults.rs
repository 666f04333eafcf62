//! Targets that cannot be measured: one clear sentence, exit code 2 or 3, within seconds, nothing left behind.

use std::{net::TcpListener, time::Instant};

use super::{Desk, Outcome, SHORT, Server, USER};

/// Longest that a person should have to wait for bad news, in seconds; far from what a loaded machine needs.
const SECONDS: u64 = 20;

pub(super) fn refused(desk: &Desk, target: &str) -> Outcome {
    fails(desk, target, 3)
}

pub(super) fn fails(desk: &Desk, target: &str, exit: i32) -> Outcome {
    let [fred, wire] = ["fred", "wire"].map(|client| {
        let started = Instant::now();
        let arguments = ["run", "short.toml", "--target", target, "--client", client];
        let outcome = desk.run(&arguments).ends_with(exit).complains("error: ");
        assert!(started.elapsed().as_secs() < SECONDS);
        assert_eq!(outcome.stdout, "");
        let left = desk.files().into_iter().filter(|(path, _)| !path.ends_with("short.toml")).count();
        assert_eq!(left, 0, "no trace of results: {:?}", desk.files());
        outcome
    });
    assert_eq!(fred.stderr, wire.stderr);
    fred
}

#[test]
fn wrong_password() {
    let (desk, server) = (Desk::new(), Server::start());
    let target = server.url().replace(&server.password, "hush-hush");
    let outcome = refused(&desk, &target).complains("wrong password").complains(USER);
    assert!(!outcome.stderr.contains("hush-hush"));
}

#[test]
fn unknown_host() {
    refused(&Desk::new(), "redis://no-such-host.invalid:6379")
        .complains("no-such-host.invalid")
        .complains("unknown host");
}

#[test]
fn nobody_listens() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    refused(&Desk::new(), &format!("redis://127.0.0.1:{port}")).complains("refused");
}

#[test]
fn nobody_answers() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    refused(&Desk::new(), &format!("redis://127.0.0.1:{port}")).complains(&port.to_string());
}

#[test]
fn a_command_that_is_not_permitted() {
    let (desk, server) = (Desk::new(), Server::start());
    server.ask(&format!("ACL SETUSER {USER} -set"));
    refused(&desk, &server.url()).complains("SET").complains("shop");
}

#[test]
fn keys_of_others() {
    let (desk, server) = (Desk::new(), Server::start());
    server.ask("SET shop:str:7 theirs");
    refused(&desk, &server.url()).complains("exist already, such as `shop:str:7`").complains("plimsoll clean");
    let (url, arm) = (server.url(), format!("target={}", server.url()));
    desk.run(&["capacity", "short.toml", "--target", &url]).ends_with(3).complains("such as `shop:str:7`");
    desk.run(&["gate", "short.toml", "--a", &arm, "--b", &arm]).ends_with(3).complains("such as `shop:str:7`");
    desk.run(&["ci", "short.toml", "--target", &url])
        .ends_with(3)
        .says("keys that the run would overwrite exist already");
    assert!(server.ask("GET shop:str:7").contains("theirs"));
    assert_eq!(server.keys(), 1, "and no claim stays");
}

#[test]
fn no_password_in_the_environment() {
    let (desk, server) = (Desk::new(), Server::start());
    let login = "name = \"shop\"\nusername = \"tester\"\npassword = { env = \"PLIMSOLL_NOT_SET\" }";
    std::fs::write(desk.path("short.toml"), SHORT.replace("name = \"shop\"", login)).unwrap();
    let target = format!("redis://127.0.0.1:{}", server.port);
    fails(&desk, &target, 2).complains("PLIMSOLL_NOT_SET");
    let mut command = desk.command(&["run", "short.toml", "--target", &target]);
    Outcome::of(command.env("PLIMSOLL_NOT_SET", &server.password).output().unwrap()).measured();
}

#[test]
fn no_server_program() {
    let desk = Desk::new();
    desk.run(&["run", "short.toml", "--server-bin", "/nowhere/server"]).ends_with(2).complains("/nowhere/server");
    let output = desk.command(&["run", "short.toml"]).env("PATH", "/nowhere").output().unwrap();
    Outcome::of(output).ends_with(3).complains("install").complains("--server-bin");
}
