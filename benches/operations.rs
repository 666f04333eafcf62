//! Round trips of single operations through fred, over one connection and over fifty, against a private server.
//!
//! An iteration is one request on every connection. Each connection sends its next request when its reply is in, so time per
//! iteration is the mean round trip as a connection sees it, and criterion's throughput is the requests of all of them.
//! docs/benches.md says more.

#[path = "operations/batch.rs"]
mod batch;

use std::{
    io::IsTerminal,
    process::ExitCode,
    rc::Rc,
    time::{Duration, Instant},
};

use batch::Subject;
use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput};
use plimsoll::{
    analysis::RoundTrips,
    measure::{Latencies, PackedHistogram},
    report::{Style, round_trips},
    scenario::{self, Scenario},
    target::{Connection, INSTALL, PrivateServer, PrivateTopology, Source, Target, TargetError},
};
use tokio::{
    runtime::{Builder, Runtime},
    task::LocalSet,
};

/// What is sent.
const SCENARIO: &str = include_str!("operations/operations.toml");

/// Numbers of connections.
const CONNECTIONS: [u32; 2] = [1, 50];

/// Twenty-four benches in less than three minutes.
const WARM_UP: Duration = Duration::from_secs(1);
const MEASURED: Duration = Duration::from_secs(5);
const SAMPLES: usize = 30;

/// Requests between two looks at the data: so far may a list grow, and so much is popped from it.
const BATCH: u64 = 5_000;

/// Exit code without a server, as that of `plimsoll run`.
const NO_SERVER: u8 = 3;

fn main() -> ExitCode {
    let yard = match Yard::open() {
        Ok(yard) => yard,
        Err(error) => {
            match error {
                TargetError::NoServerProgram => {
                    eprintln!("error: no redis-server or valkey-server on PATH for the private server: {INSTALL}");
                }
                error => eprintln!("error: {error}"),
            }
            return ExitCode::from(NO_SERVER);
        }
    };
    let mut criterion = Criterion::default()
        .warm_up_time(WARM_UP)
        .measurement_time(MEASURED)
        .sample_size(SAMPLES)
        .configure_from_args();
    let mut measured = Vec::new();
    let mut subjects = Subject::all(&yard.scenario);
    for number in CONNECTIONS {
        let connections = yard.connect(number);
        for subject in &mut subjects {
            let samples = yard.bench(&mut criterion, subject, &connections);
            // Nothing is left of those that were filtered out, or only tried.
            if !samples.is_empty() {
                measured.push(RoundTrips::new(&subject.name, number, &samples, &yard.scenario.objective));
            }
        }
        yard.close(&connections);
    }
    criterion.final_summary();
    if !measured.is_empty() {
        let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|set| set.is_empty());
        // By operation, so that both numbers of connections stand together.
        measured.sort_by_key(|row| subjects.iter().position(|subject| subject.name == row.operation));
        println!("{}", round_trips(&measured, &yard.scenario.objective, Style { colour, width: 120, verbose: true }));
    }
    ExitCode::SUCCESS
}

/// The server with its data, and the way to it.
struct Yard {
    runtime: Runtime,
    scenario: Scenario,
    target: Target,
    // Stops the server when it is dropped.
    _server: Option<PrivateServer>,
}

impl Yard {
    fn open() -> Result<Self, TargetError> {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a thread can have a runtime");
        let scenario = scenario::parse(SCENARIO, "operations.toml").unwrap_or_else(|errors| panic!("{errors}"));
        let (target, server) = runtime.block_on(async {
            let (target, server) = Target::prepare(
                Source::Embedded {
                    server_bin: None,
                    topology: PrivateTopology::Standalone,
                    tls: false,
                    config: Vec::new(),
                },
                &scenario,
            )
            .await?;
            target.prefill(&scenario, &mut |_, _| {}).await?;
            Ok::<_, TargetError>((target, server))
        })?;
        Ok(Self { runtime, scenario, target, _server: server })
    }

    fn connect(&self, number: u32) -> Vec<Rc<Connection>> {
        let connector = self.target.connector(0);
        let open = async {
            let mut connections = Vec::new();
            for _ in 0..number {
                connections.push(Rc::new(connector.open().await.unwrap_or_else(|error| panic!("{error}"))));
            }
            connections
        };
        self.runtime.block_on(open)
    }

    fn close(&self, connections: &[Rc<Connection>]) {
        self.runtime.block_on(async {
            for connection in connections {
                connection.close().await;
            }
        });
    }

    /// Measures one operation; gives the response times of each sample behind the warm-up.
    fn bench(
        &self,
        criterion: &mut Criterion,
        subject: &mut Subject,
        connections: &[Rc<Connection>],
    ) -> Vec<PackedHistogram> {
        let number = connections.len() as u64;
        let plural = if number == 1 { "" } else { "s" };
        let mut samples = Vec::new();
        let mut latencies = Latencies::default();
        let mut first = None;
        let mut group = criterion.benchmark_group(&subject.name);
        group.throughput(Throughput::Elements(number)).sampling_mode(SamplingMode::Flat);
        group.bench_function(BenchmarkId::from_parameter(format!("{number} connection{plural}")), |bencher| {
            bencher.iter_custom(|rounds| {
                let warm = first.get_or_insert_with(Instant::now).elapsed() >= WARM_UP;
                let mut whole = Duration::ZERO;
                let mut left = rounds;
                while left > 0 {
                    let rounds = left.min(BATCH / number);
                    left -= rounds;
                    let taken = LocalSet::new().block_on(&self.runtime, subject.carry_out(connections, rounds));
                    whole += taken.whole;
                    taken.each.into_iter().for_each(|nanos| latencies.record(nanos));
                }
                if warm {
                    samples.push(latencies.pack());
                }
                latencies.clear();
                whole
            });
        });
        group.finish();
        samples
    }
}
