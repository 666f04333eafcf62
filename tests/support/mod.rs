//! What tests against real servers share: turns, private servers, and folders in which the program is run.

pub(crate) mod relay;

use std::{
    env,
    fs::{self, File},
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::Duration,
};

use plimsoll::target::{Endpoint, PrivateServer, ServerOptions};
use rustix::{
    fs::{FlockOperation, flock},
    io::retry_on_intr,
    process::{Pid, Signal, kill_process},
};
use tempfile::TempDir;

/// Makes a test for each client of functions that take the name of a client.
macro_rules! for_each_client {
    ($($name:ident),+ $(,)?) => {
        mod fred {
            $(#[test]
            fn $name() {
                super::$name("fred");
            })+
        }
        mod wire {
            $(#[test]
            fn $name() {
                super::$name("wire");
            })+
        }
    };
}
pub(crate) use for_each_client;

/// User of private servers that tests start themselves.
pub(crate) const USER: &str = "tester";

/// Variable of the environment of a test that runs in a process of its own.
const ALONE: &str = "PLIMSOLL_TEST_ALONE";

/// Variables that would change what the program does.
const VARIABLES: [&str; 11] = [
    "PLIMSOLL_TARGET",
    "PLIMSOLL_START_AT",
    "PLIMSOLL_TLS_CA",
    "PLIMSOLL_TLS_CERT",
    "PLIMSOLL_TLS_KEY",
    "PLIMSOLL_TLS_SERVER_NAME",
    "PLIMSOLL_TLS_INSECURE",
    "NO_COLOR",
    "CLICOLOR_FORCE",
    "GITHUB_ACTIONS",
    "GITHUB_STEP_SUMMARY",
];

/// Turn of a test on this machine, in whichever process it runs: tests that measure would measure each other.
#[derive(Debug)]
pub(crate) struct Turn {
    _lock: File,
}

impl Turn {
    /// The machine alone: the test says how fast something is, or uses a whole core.
    pub(crate) fn alone() -> Self {
        Self::take(FlockOperation::LockExclusive)
    }

    /// A place beside others of its kind: the test has little load, or none.
    pub(crate) fn beside() -> Self {
        Self::take(FlockOperation::LockShared)
    }

    fn take(operation: FlockOperation) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("turn");
        let lock = File::options().create(true).append(true).open(path).unwrap();
        retry_on_intr(|| flock(&lock, operation)).unwrap();
        Self { _lock: lock }
    }
}

/// A folder of its own with a scenario in it, where the program is run.
pub(crate) struct Desk {
    folder: TempDir,
    /// File name of the scenario.
    scenario: &'static str,
    _turn: Turn,
}

impl Desk {
    /// A folder with a scenario under this name.
    pub(crate) fn with(scenario: &'static str, text: &str, turn: Turn) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(scenario), text).unwrap();
        Self { folder, scenario, _turn: turn }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The program, ready to be started here.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        self.prepared(Command::new(env!("CARGO_BIN_EXE_plimsoll")), arguments)
    }

    /// A line of shell, ready to be executed here.
    pub(crate) fn shell(&self, line: &str) -> Command {
        self.prepared(Command::new("sh"), &["-c", line])
    }

    fn prepared(&self, mut command: Command, arguments: &[&str]) -> Command {
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null());
        for variable in VARIABLES {
            command.env_remove(variable);
        }
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Outcome {
        Outcome::of(self.command(arguments).output().unwrap())
    }

    pub(crate) fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Every file below, with its content.
    pub(crate) fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        files(self.folder.path())
    }

    /// Names in the folder, but for the scenario.
    pub(crate) fn names(&self) -> Vec<String> {
        let names = fs::read_dir(self.folder.path()).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name != self.scenario).collect()
    }
}

/// Every file below a folder, with its content.
pub(crate) fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
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
pub(crate) struct Outcome {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Outcome {
    pub(crate) fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// What became of a program that was started.
    pub(crate) fn of_child(child: Child) -> Self {
        Self::of(child.wait_with_output().unwrap())
    }

    /// Fails unless it ended with this code.
    #[track_caller]
    pub(crate) fn ends_with(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.stdout, self.stderr);
        self
    }

    /// Fails unless standard error says this.
    #[track_caller]
    pub(crate) fn complains(self, of: &str) -> Self {
        assert!(self.stderr.contains(of), "`{of}` is not in:\n{}", self.stderr);
        self
    }

    /// Fails unless standard output says this.
    #[track_caller]
    pub(crate) fn says(self, what: &str) -> Self {
        assert!(self.stdout.contains(what), "`{what}` is not in:\n{}", self.stdout);
        self
    }
}

/// A private deployment of several servers, with a user `plimsoll`.
pub(crate) async fn deployment(topology: &str) -> PrivateServer {
    deployed(topology, false).await
}

/// A private deployment with TLS or without.
pub(crate) async fn deployed(topology: &str, tls: bool) -> PrivateServer {
    let users = vec!["plimsoll".to_owned()];
    let options = ServerOptions { topology: topology.parse().unwrap(), tls, users, ..ServerOptions::default() };
    PrivateServer::start(options).await.unwrap_or_else(|error| panic!("{topology}: {error}"))
}

/// The address of a deployment with the login of its user.
pub(crate) fn url(server: &PrivateServer) -> String {
    let password = server.password("plimsoll").unwrap().expose();
    server.url().to_string().replace("://", &format!("://plimsoll:{password}@"))
}

/// A private server with a user and further lines of configuration.
pub(crate) async fn private_server(user: &str, config: &[(&str, &str)]) -> PrivateServer {
    let config = config.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let options = ServerOptions { users: vec![user.to_owned()], config, ..ServerOptions::default() };
    PrivateServer::start(options).await.unwrap_or_else(|error| panic!("{error}"))
}

/// Drives a future to its end.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// A server for the program to be pointed at, with a user whose password is known.
pub(crate) struct Server {
    _running: PrivateServer,
    pub(crate) port: u16,
    pub(crate) password: String,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::with(&[])
    }

    /// A server with further lines of configuration.
    pub(crate) fn with(config: &[(&str, &str)]) -> Self {
        let running = block_on(private_server(USER, config));
        let Endpoint::Tcp { port, .. } = running.endpoint().clone() else {
            panic!("it listens on the loopback address")
        };
        let password = running.password(USER).unwrap().expose().to_owned();
        Self { _running: running, port, password }
    }

    pub(crate) fn url(&self) -> String {
        self.url_at(self.port)
    }

    /// Its address behind a proxy.
    pub(crate) fn url_at(&self, port: u16) -> String {
        format!("redis://{USER}:{}@127.0.0.1:{port}", self.password)
    }

    /// Sends one command past all client libraries and returns the start of the reply.
    pub(crate) fn ask(&self, command: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        write!(stream, "AUTH {USER} {}\r\n{command}\r\nQUIT\r\n", self.password).unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        reply.strip_prefix("+OK\r\n").unwrap().to_owned()
    }

    /// Has it answer nobody any more.
    pub(crate) fn pause(&self) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        write!(stream, "AUTH {USER} {}\r\nCLIENT PAUSE 600000 ALL\r\n", self.password).unwrap();
        let mut replies = [0; 10];
        stream.read_exact(&mut replies).unwrap();
        assert_eq!(&replies, b"+OK\r\n+OK\r\n");
    }

    /// Keys in database 0.
    pub(crate) fn keys(&self) -> u64 {
        let reply = self.ask("DBSIZE");
        reply.lines().next().unwrap().strip_prefix(':').unwrap().parse().unwrap()
    }

    /// How often `GET` was called.
    pub(crate) fn gets(&self) -> u64 {
        let reply = self.ask("INFO commandstats");
        let calls = reply.lines().find_map(|line| line.strip_prefix("cmdstat_get:calls="));
        calls.map_or(0, |calls| calls.split(',').next().unwrap().parse().unwrap())
    }
}

/// Waits for something that has to happen.
pub(crate) fn until(what: &str, mut happened: impl FnMut() -> bool) {
    for _ in 0..1200 {
        if happened() {
            return;
        }
        thread::sleep(Duration::from_millis(50));
    }
    panic!("it never happened that {what}");
}

pub(crate) fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

/// Shows whether this process is of one test alone. If not, runs the test in such a process, whose shell executes a line first.
#[track_caller]
pub(crate) fn is_alone(test: &str, line: &str) -> bool {
    if env::var_os(ALONE).is_some() {
        return true;
    }
    let output = Command::new("sh")
        .args(["-c", &format!("{line} && exec \"$@\""), "sh"])
        .arg(env::current_exe().unwrap())
        .args([test, "--exact"])
        .env(ALONE, test)
        .output()
        .unwrap();
    let outcome = Outcome::of(output);
    assert!(outcome.code == Some(0) && outcome.stdout.contains("1 passed"), "{outcome:?}");
    false
}

/// The end of a test that needs a program which is not there.
#[track_caller]
pub(crate) fn missing(program: &str, error: &std::io::Error) -> ! {
    panic!("{program}: {error}; `make test` installs it, or run deploy/install-deps.sh test")
}
