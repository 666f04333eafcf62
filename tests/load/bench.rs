//! What every test here does: a scenario, a private server, a run in a thread of its own, and a look at the record.

use std::{
    sync::mpsc,
    thread::{self, JoinHandle},
    time::Duration,
};

use plimsoll::{
    load::{self, Pacing, Phase, Settings},
    measure::{Counts, Recording, SeriesRecord, SeriesRole, merged},
    operation::{Args, Kind, Request},
    results::{Environment, EventRecord, Inspection, Run, SCHEMA_VERSION, ServerRecord, Software},
    scenario::{self, Scenario},
    target::{Execution, PrivateServer, Target},
};
use tokio_util::sync::CancellationToken;

use crate::support::{Turn, block_on, deployment, private_server};

/// A private server with the scenario's data, and the way to it.
pub(crate) struct Bench {
    pub(crate) scenario: Scenario,
    pub(crate) server: PrivateServer,
    pub(crate) target: Target,
    /// Pacing of its loads that name none: a worker that spins would disturb other tests.
    pacing: Option<Pacing>,
    _turn: Turn,
}

/// A run that goes on in a thread of its own.
pub(crate) struct Running {
    thread: JoinHandle<(Recording, ServerRecord, Vec<EventRecord>)>,
    measuring: mpsc::Receiver<()>,
    pub(crate) stop: CancellationToken,
}

/// A scenario of one service, from the lines that make it special.
pub(crate) fn one_service(run: &str, pool: &str, load: &str, operations: &[&str]) -> String {
    let operations = format!("[[service.operation]]\n{}\n", operations.join("\n[[service.operation]]\n"));
    format!(
        "name = \"test\"\nseed = 7\n[run]\n{run}\n[objective]\nlatency = \"100ms\"\n\
         [[service]]\nname = \"api\"\n[service.pool]\n{pool}\n[service.load]\n{load}\n\
         [service.keys]\nprefix = \"test:\"\ncount = 1000\n[service.values]\nsize = 64\n{operations}"
    )
}

impl Bench {
    /// Like [`Self::new`], with the connections of a client.
    pub(crate) fn of(client: &str, text: &str, config: &[(&str, &str)]) -> Self {
        Self::new(&text.replace("name = \"api\"", &format!("name = \"api\"\nclient = \"{client}\"")), config)
    }

    /// Starts a server with extra lines of configuration, and writes the scenario's data.
    pub(crate) fn new(text: &str, config: &[(&str, &str)]) -> Self {
        let turn = Turn::alone();
        let scenario = scenario::parse(text, "test.toml").unwrap_or_else(|errors| panic!("{errors}\n{text}"));
        block_on(async {
            let server = private_server("plimsoll", config).await;
            let target = Target::of_private(&server, &scenario).unwrap();
            if scenario.run.prefill {
                target.prefill(&scenario, &mut |_, _| {}).await.unwrap();
            }
            Self { scenario, server, target, pacing: None, _turn: turn }
        })
    }

    /// Like [`Self::of`], on a private deployment of several servers.
    pub(crate) fn on(topology: &str, client: &str, text: &str) -> Self {
        Self::behind(topology, client, text, |_| {})
    }

    /// Like [`Self::on`], on servers that something is done to before they are looked at.
    pub(crate) fn behind(topology: &str, client: &str, text: &str, before: impl FnOnce(&PrivateServer)) -> Self {
        // They are about what is sent where, not about how fast: most of their time they wait.
        let turn = Turn::beside();
        let text = text.replace("name = \"api\"", &format!("name = \"api\"\nclient = \"{client}\""));
        let scenario = scenario::parse(&text, "test.toml").unwrap_or_else(|errors| panic!("{errors}\n{text}"));
        block_on(async {
            let server = deployment(topology).await;
            before(&server);
            let target = Target::of_private(&server, &scenario).unwrap().found().await.unwrap();
            target.preflight(&scenario).await.unwrap();
            target.prefill(&scenario, &mut |_, _| {}).await.unwrap();
            Self { scenario, server, target, pacing: Some(Pacing::Adaptive), _turn: turn }
        })
    }

    /// Starts the run.
    pub(crate) fn start(&self, settings: Settings) -> Running {
        self.start_watched_by(&self.target, settings)
    }

    /// Starts the run; questions about the server are asked with the login of another target.
    pub(crate) fn start_watched_by(&self, watcher: &Target, settings: Settings) -> Running {
        let (scenario, target, stop) = (self.scenario.clone(), self.target.clone(), CancellationToken::new());
        let watcher = watcher.clone();
        let settings = Settings { pacing: settings.pacing.or(self.pacing), ..settings };
        let timetable = self.server.timetable(&scenario).unwrap();
        let (started, measuring) = mpsc::channel();
        let asked = stop.clone();
        let thread = thread::spawn(move || {
            let mut on_progress = |progress: load::Progress| {
                if progress.phase == Phase::Measuring {
                    let _ = started.send(());
                }
            };
            let mut observation = watcher.observe();
            let mut events = None;
            let on_start = |frame| {
                events = Some(timetable.begin(&frame));
                observation.begin(frame);
            };
            let recording =
                load::run_observed(&scenario, &target, settings, &asked, &mut on_progress, on_start, None).unwrap();
            let events = events.map(Execution::finish).unwrap_or_default();
            (recording, observation.finish().server, events)
        });
        Running { thread, measuring, stop }
    }

    /// One command of the harness's own.
    pub(crate) fn command(&self, words: &[&str]) {
        let words = words.iter().map(|word| bytes::Bytes::copy_from_slice(word.as_bytes())).collect();
        let request = Request::new(Kind::Raw, bytes::Bytes::new(), Args::Raw(words));
        block_on(async { self.target.connector(0).open().await.unwrap().issue(request).await.unwrap() });
    }

    /// What is saved of a run.
    pub(crate) fn saved(&self, recording: Recording, server: ServerRecord) -> Run {
        let target = block_on(self.target.preflight(&self.scenario)).unwrap();
        Run {
            schema_version: SCHEMA_VERSION,
            software: Software { version: "0".into(), commit: None, fred: "0".into(), profile: "release".into() },
            started: "2025-01-01T00:00:00Z".into(),
            scenario: self.scenario.source.clone(),
            target,
            environment: Environment { cpu: "any".into(), cores: 1, memory: 1 << 30, kernel: "any".into() },
            recording,
            server,
            nodes: Vec::new(),
            inspection: Inspection::default(),
            dependencies: Vec::new(),
            events: Vec::new(),
            write_audit: None,
            calibration: None,
            client_cost: None,
            shard: None,
            generators: Vec::new(),
            load_failure: None,
        }
    }

    /// Runs from end to end.
    pub(crate) fn run(&self) -> Recording {
        self.start(Settings { same_machine: true, ..Settings::default() }).finish()
    }
}

impl Running {
    /// Waits until the first second of the measured period is over.
    pub(crate) fn wait_until_measuring(&self) {
        self.measuring.recv_timeout(Duration::from_secs(30)).expect("the load begins");
    }

    pub(crate) fn finish(self) -> Recording {
        self.finish_with_server().0
    }

    /// What was recorded, and what the server said of it.
    pub(crate) fn finish_with_server(self) -> (Recording, ServerRecord) {
        let (recording, server, _) = self.thread.join().unwrap();
        (recording, server)
    }

    /// What was recorded, and what was done to the server.
    pub(crate) fn finish_with_events(self) -> (Recording, Vec<EventRecord>) {
        let (recording, _, events) = self.thread.join().unwrap();
        (recording, events)
    }
}

/// Counts of one series by its name.
pub(crate) fn counts(recording: &Recording, operation: &str) -> Counts {
    series(recording, operation).totals()
}

/// One series by its name.
pub(crate) fn series<'a>(recording: &'a Recording, operation: &str) -> &'a SeriesRecord {
    let found = recording.series.iter().find(|series| series.key.operation == operation);
    found.unwrap_or_else(|| panic!("no series {operation}"))
}

/// Response time at a quantile, in milliseconds, over the operations.
pub(crate) fn response_ms(recording: &Recording, quantile: f64) -> f64 {
    let parts = operations(recording).flat_map(|series| series.seconds.iter().map(|second| &second.response));
    merged(parts).value_at_quantile(quantile) as f64 / 1e6
}

/// Service time at a quantile, in milliseconds, over the operations.
pub(crate) fn service_ms(recording: &Recording, quantile: f64) -> f64 {
    let parts = operations(recording).flat_map(|series| series.seconds.iter().map(|second| &second.service));
    merged(parts).value_at_quantile(quantile) as f64 / 1e6
}

/// Checks that every request that fell due is accounted for, and returns (completed, failed, unfinished).
pub(crate) fn balance(recording: &Recording) -> (u64, u64, u64) {
    let totals: Vec<_> = operations(recording).map(|series| (series.totals(), series.unfinished)).collect();
    let completed = totals.iter().map(|(counts, _)| counts.completed).sum::<u64>();
    let failed = totals.iter().map(|(counts, _)| counts.failed()).sum::<u64>();
    let unfinished = totals.iter().map(|(_, unfinished)| unfinished).sum::<u64>();
    assert_eq!(recording.scheduled(), completed + failed + unfinished, "every request is accounted for");
    assert!(recording.scheduled() > 0, "something was measured");
    (completed, failed, unfinished)
}

fn operations(recording: &Recording) -> impl Iterator<Item = &SeriesRecord> {
    recording.series.iter().filter(|series| series.key.role == SeriesRole::Operation)
}
