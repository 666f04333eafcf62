//! The program as people and scripts use it, against real private servers.

mod addresses;
mod audit;
mod baseline;
mod ci;
mod dependencies;
mod faults;
mod gate;
mod interrupts;
mod journey;
mod metrics;
mod prometheus;
mod readme;
mod saved;
mod unsaved;
mod usage;

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use plimsoll::target::{Endpoint, PrivateServer, ServerOptions};
use tempfile::TempDir;

/// A scenario that takes a second, with so little load that any machine serves it.
const SHORT: &str = r#"
name = "short"
description = "One service, one second"
seed = 7

[run]
warmup = "100ms"
duration = "1s"
drain = "2s"

[objective]
latency = "1s"
percentile = 90.0
max_error_rate = 0.01

[[service]]
name = "shop"

[service.pool]
size = 4
checkout = "exclusive"
checkout_timeout = "1s"
command_timeout = "1s"

[service.load]
model = "open"
rate = 1000
arrivals = "poisson"

[service.keys]
prefix = "shop:"
count = 100

[[service.operation]]
command = "GET"
weight = 3

[[service.operation]]
command = "SET"
weight = 1
"#;

/// User of private servers that tests start themselves.
const USER: &str = "tester";

/// A folder of its own with a scenario in it, where the program is run.
struct Desk {
    folder: TempDir,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("short.toml"), SHORT).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The program, ready to be started here.
    fn command(&self, arguments: &[&str]) -> Command {
        self.prepared(Command::new(env!("CARGO_BIN_EXE_plimsoll")), arguments)
    }

    /// A line of shell, ready to be executed here.
    fn shell(&self, line: &str) -> Command {
        self.prepared(Command::new("sh"), &["-c", line])
    }

    fn prepared(&self, mut command: Command, arguments: &[&str]) -> Command {
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null());
        for variable in ["PLIMSOLL_TARGET", "NO_COLOR", "CLICOLOR_FORCE", "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"] {
            command.env_remove(variable);
        }
        command
    }

    fn run(&self, arguments: &[&str]) -> Outcome {
        Outcome::of(self.command(arguments).output().unwrap())
    }

    /// Every file below, with its content.
    fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        files(self.folder.path())
    }

    /// Names in the folder, but for the scenario.
    fn names(&self) -> Vec<String> {
        let names = fs::read_dir(self.folder.path()).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name != "short.toml").collect()
    }
}

fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let content = fs::read(&path).unwrap();
                found.push((path, content));
            }
        }
    }
    found.sort();
    found
}

/// How the program ended and what it said.
#[derive(Debug)]
struct Outcome {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Outcome {
    fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Fails unless it ended with this code.
    #[track_caller]
    fn ends_with(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.stdout, self.stderr);
        self
    }

    /// Fails unless it ended with a verdict, whichever: on a busy machine a measurement may well be invalid.
    #[track_caller]
    fn measured(self) -> Self {
        assert!([0, 1, 3, 4].map(Some).contains(&self.code), "{}\n{}", self.stdout, self.stderr);
        assert_eq!(self.stderr, "", "no error, and no progress where there is no terminal");
        self
    }

    /// Fails unless standard error says this.
    #[track_caller]
    fn complains(self, of: &str) -> Self {
        assert!(self.stderr.contains(of), "`{of}` is not in:\n{}", self.stderr);
        self
    }

    /// Fails unless standard output says this.
    #[track_caller]
    fn says(self, what: &str) -> Self {
        assert!(self.stdout.contains(what), "`{what}` is not in:\n{}", self.stdout);
        self
    }
}

/// A server for the program to be pointed at, with a user whose password is known.
struct Server {
    _running: PrivateServer,
    port: u16,
    password: String,
}

impl Server {
    fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let options = ServerOptions { users: vec![USER.to_owned()], ..ServerOptions::default() };
        let private = runtime.block_on(PrivateServer::start(options)).unwrap();
        let Endpoint::Tcp { port, .. } = private.url().endpoint else { panic!("it listens on the loopback address") };
        let password = private.password(USER).unwrap().expose().to_owned();
        Self { _running: private, port, password }
    }

    fn url(&self) -> String {
        format!("redis://{USER}:{}@127.0.0.1:{}", self.password, self.port)
    }

    /// Sends one command past all client libraries and returns the start of the reply.
    fn ask(&self, command: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        write!(stream, "AUTH {USER} {}\r\n{command}\r\nQUIT\r\n", self.password).unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        reply.strip_prefix("+OK\r\n").unwrap().to_owned()
    }

    /// Has it answer nobody any more.
    fn pause(&self) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        write!(stream, "AUTH {USER} {}\r\nCLIENT PAUSE 600000 ALL\r\n", self.password).unwrap();
        let mut replies = [0; 10];
        stream.read_exact(&mut replies).unwrap();
        assert_eq!(&replies, b"+OK\r\n+OK\r\n");
    }

    /// Keys in database 0.
    fn keys(&self) -> u64 {
        let reply = self.ask("DBSIZE");
        reply.lines().next().unwrap().strip_prefix(':').unwrap().parse().unwrap()
    }

    /// How often `GET` was called.
    fn gets(&self) -> u64 {
        let reply = self.ask("INFO commandstats");
        let calls = reply.lines().find_map(|line| line.strip_prefix("cmdstat_get:calls="));
        calls.map_or(0, |calls| calls.split(',').next().unwrap().parse().unwrap())
    }
}
