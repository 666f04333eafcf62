//! What every test here does: a folder, a server, the program, and a look at what it saved.

use std::{
    fs,
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use plimsoll::{
    analysis::{
        analyse,
        capacity::{Advice, CapacityAnalysis, conclude},
    },
    results::{self, Capacity, Saved},
    scenario,
    target::{Endpoint, PrivateServer, ServerOptions},
};
use tempfile::TempDir;

/// Load tests take turns: two at a time would measure each other.
static TURN: Mutex<()> = Mutex::new(());

/// User of the servers here.
const USER: &str = "tester";

/// Runs that a test makes to get an answer: on a machine that is busy with something else the right one is that there is
/// none, and a proxy without time carries less than it claims.
const ATTEMPTS: usize = 3;

/// Schedule lag, in nanoseconds, that says that the machine had no time.
const LATE: u64 = 20_000_000;

/// A folder of its own with a scenario in it, where the program is run.
pub(crate) struct Desk {
    folder: TempDir,
    _turn: MutexGuard<'static, ()>,
}

/// How the program ended, what it said, and what it saved in `out`.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A scenario of one service with short values, most of whose requests must be answered within `latency`.
pub(crate) fn scenario_of(rate: u32, latency: &str, operation: &str, run: &str) -> String {
    format!(
        "name = \"known\"\nseed = 7\n[run]\n{run}\n\
         [objective]\nlatency = \"{latency}\"\npercentile = 90.0\nmax_error_rate = 0.01\n\
         [[service]]\nname = \"api\"\n[service.pool]\nsize = 10\n[service.load]\nrate = {rate}\n\
         [service.keys]\ncount = 100\n[service.values]\nsize = 16\n[[service.operation]]\n{operation}\n"
    )
}

/// Whether the machine had time enough for the proxy and the harness, and they could tell something.
fn conclusive(capacity: &Capacity, analysis: &CapacityAnalysis) -> bool {
    let limited = analysis.arms.iter().any(|arm| arm.client_limited.is_some());
    let unknown = analysis.comparisons.iter().any(|pair| matches!(pair.advice, Advice::Inconclusive(_)));
    let late = capacity.trials.iter().filter(|trial| trial.lag_p99 > LATE).count();
    !limited && !unknown && late <= capacity.trials.len() / 10
}

impl Desk {
    pub(crate) fn new(scenario: &str) -> Self {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("known.toml"), scenario).unwrap();
        Self { folder, _turn: turn }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The program, ready to be started here.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null());
        for variable in ["PLIMSOLL_TARGET", "NO_COLOR", "CLICOLOR_FORCE"] {
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

    /// What a run of a few seconds answers a second.
    pub(crate) fn throughput(&self, arguments: &[&str]) -> f64 {
        let lengths = ["run", "known.toml", "--duration", "3s", "--warmup", "500ms", "--quiet", "--out", "probe"];
        self.run(&[&lengths[..], arguments].concat());
        let Saved::Run(run) = results::load(&self.path("probe")).unwrap() else { panic!("a capacity run lies there") };
        let scenario = scenario::parse(&run.scenario, "saved").unwrap();
        analyse(&run, &scenario).rows.last().unwrap().rate
    }

    /// A capacity run in `out`, made again where the machine had no time for it.
    pub(crate) fn measure(&self, arguments: &[&str]) -> (Outcome, Capacity, CapacityAnalysis) {
        let arguments = [&["capacity", "known.toml", "--out", "out", "--force"], arguments].concat();
        let mut attempts = 1;
        loop {
            let outcome = self.run(&arguments);
            // Shown where the test fails.
            println!("{}", outcome.stderr);
            let (capacity, analysis) = self.saved();
            if attempts == ATTEMPTS || conclusive(&capacity, &analysis) {
                return (outcome, capacity, analysis);
            }
            attempts += 1;
        }
    }

    /// What lies in `out`, with what follows from it.
    pub(crate) fn saved(&self) -> (Capacity, CapacityAnalysis) {
        let Saved::Capacity(capacity) = results::load(&self.path("out")).unwrap() else { panic!("a run lies there") };
        let scenario = scenario::parse(&capacity.scenario, "saved").unwrap();
        let analysis = conclude(&capacity, &scenario);
        (*capacity, analysis)
    }

    /// Trials that were saved so far.
    pub(crate) fn trials(&self) -> usize {
        let text = fs::read_to_string(self.path("out/capacity.json")).unwrap_or_default();
        // It is whole at any time, or not there yet.
        if text.is_empty() { 0 } else { Capacity::from_json(&text).unwrap().trials.len() }
    }
}

impl Outcome {
    pub(crate) fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
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
}

/// A server for the program to be pointed at, with a user whose password is known.
pub(crate) struct Server {
    _running: PrivateServer,
    pub(crate) port: u16,
    password: String,
}

impl Server {
    pub(crate) fn start(config: &[(&str, &str)]) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let config = config.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let options = ServerOptions { users: vec![USER.to_owned()], config, ..ServerOptions::default() };
        let running = runtime.block_on(PrivateServer::start(options)).unwrap_or_else(|error| panic!("{error}"));
        let Endpoint::Tcp { port, .. } = running.url().endpoint else { panic!("it listens on the loopback address") };
        let password = running.password(USER).unwrap().expose().to_owned();
        Self { _running: running, port, password }
    }

    /// Its address, or that of a proxy before it.
    pub(crate) fn url(&self, port: u16) -> String {
        format!("redis://{USER}:{}@127.0.0.1:{port}", self.password)
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
