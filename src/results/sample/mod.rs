//! A synthetic run of twelve seconds, the same every time, for the tests of every room that works on runs; the same run
//! lies in `tests/fixtures/run.json`.
//!
//! Two open-loop services and a closed-loop one, with a sequence and its steps, an upkeep series, pool waits, a slow
//! second, a few failures and misses. It meets its objective.

mod abstracts;
mod book;
pub(crate) mod capacity;
mod ci;
mod client_cost;
mod every_field;
pub(crate) mod forms;
pub(crate) mod gate;
mod generators;
mod inspection;
mod server;

pub(crate) use abstracts::{abstracted, abstracts};
pub(crate) use book::{Book, End, Request};
pub(crate) use ci::small_ci;
pub(crate) use client_cost::client_cost;
pub(crate) use every_field::small_capacity;
pub(crate) use generators::{scaled, shard};
pub(crate) use inspection::{node, sentinel};

use std::sync::LazyLock;

use super::{Environment, Run, SCHEMA_VERSION, Software, TargetFacts};
use crate::{
    measure::{ErrorClass, HostInterval, Nanos, Recording, SECOND, SeriesRole, WorkerRecord},
    scenario::{self, Scenario},
};

const SECONDS: u32 = 12;
const SCENARIO: &str = include_str!("scenario.toml");

/// The run as it is saved: read in no time.
const FIXTURE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/run.json"));

/// Advice for a fixture that differs from the run made here.
const WRITE: &str = "write the fixture anew: PLIMSOLL_WRITE_FIXTURES=1 cargo test --lib results::sample";

/// The run, read once for all tests.
pub(crate) fn run() -> Run {
    static RUN: LazyLock<Run> = LazyLock::new(|| Run::from_json(FIXTURE).expect(WRITE));
    RUN.clone()
}

fn make() -> Run {
    Run {
        schema_version: SCHEMA_VERSION,
        software: Software {
            version: "0.1.0".into(),
            commit: Some("3f2c9d1".into()),
            fred: "10.1.0".into(),
            profile: "release".into(),
        },
        started: "2025-03-14T09:26:53Z".into(),
        scenario: SCENARIO.into(),
        target: TargetFacts {
            address: "redis://127.0.0.1:6379".into(),
            private: true,
            product: "redis".into(),
            version: "7.0.15".into(),
            mode: "standalone".into(),
            tls_insecure: false,
            same_machine: true,
            elsewhere: false,
            settings: vec![
                ("maxmemory".into(), "1073741824".into()),
                ("maxmemory-policy".into(), "allkeys-lru".into()),
                ("io-threads".into(), "1".into()),
            ],
            nodes: Vec::new(),
            replicas: 0,
        },
        environment: Environment {
            cpu: "Intel(R) Xeon(R) Processor @ 2.60GHz".into(),
            cores: 2,
            memory: 8_323_596_288,
            kernel: "Linux 6.1.0".into(),
        },
        recording: recording(),
        server: server::server(),
        nodes: Vec::new(),
        inspection: inspection::inspection(),
        dependencies: inspection::dependencies(),
        events: Vec::new(),
        write_audit: None,
        calibration: None,
        client_cost: None,
        shard: None,
        generators: Vec::new(),
        load_failure: None,
    }
}

/// The scenario that the run was made by.
pub(crate) fn scenario() -> Scenario {
    scenario::parse(SCENARIO, "sample.toml").expect("the scenario of the sample is valid")
}

fn recording() -> Recording {
    let mut book = Book::new(SECONDS);
    let mut chance = Chance(7);
    enter_api(&mut book, &mut chance);
    enter_chat(&mut book, &mut chance);
    enter_ml(&mut book, &mut chance);
    let workers = vec![
        WorkerRecord {
            services: vec!["api".into()],
            pacing: "adaptive".into(),
            core: None,
            cpu: 0.41,
            busy: 0.41,
            pauses: Vec::new(),
            panicked: false,
        },
        WorkerRecord {
            services: vec!["chat".into(), "ml".into()],
            pacing: "adaptive".into(),
            core: None,
            cpu: 0.23,
            busy: 0.23,
            pauses: Vec::new(),
            panicked: false,
        },
    ];
    let host = (0..SECONDS)
        .map(|second| HostInterval {
            second,
            busy: Some(0.44 + 0.01 * f64::from(second % 4)),
            stolen: Some(if second == 7 { 0.02 } else { 0.001 }),
            throttled: Some(0.0),
            harness_rss: Some(48_000_000 + 4096 * u64::from(second % 2)),
        })
        .collect();
    Recording { workers, host, ..book.close() }
}

fn enter_api(book: &mut Book, chance: &mut Chance) {
    let service = book.service("api", 50, true);
    let get = book.series(service, "GET", SeriesRole::Operation, true);
    let set = book.series(service, "SET", SeriesRole::Operation, false);
    let hset = book.series(service, "HSET", SeriesRole::Operation, false);
    book.lose(service, 7);
    let mut due = 0;
    let mut number = 0_u32;
    loop {
        due += (-chance.uniform().ln() * 1e6) as Nanos;
        if due >= u64::from(SECONDS) * SECOND {
            break;
        }
        number += 1;
        let (series, median) = match chance.uniform() {
            x if x < 0.6 => (get, 90_000.0),
            x if x < 0.9 => (set, 110_000.0),
            _ => (hset, 130_000.0),
        };
        let mut request = chance.request(due, median, 0.02);
        if series == get {
            let miss = u64::from(chance.uniform() < 0.004);
            request.end = End::Success { hits: 1 - miss, misses: miss };
        }
        match number {
            3_000 | 8_000 | 11_700 => {
                request.end = End::Failed(ErrorClass::Timeout);
                request.service = SECOND;
            }
            5_500 => request.end = End::Failed(ErrorClass::Oom),
            7_500 => request.end = End::Failed(ErrorClass::ConnectionLost),
            _ => {}
        }
        let failed = matches!(request.end, End::Failed(_));
        book.enter(if failed && number == 5_500 { set } else { series }, request);
    }
}

fn enter_chat(book: &mut Book, chance: &mut Chance) {
    let service = book.service("chat", 8, true);
    let lpush = book.series(service, "LPUSH", SeriesRole::Operation, false);
    let ltrim = book.series(service, "LPUSH+LTRIM", SeriesRole::Upkeep, false);
    let post = book.series(service, "post", SeriesRole::Operation, false);
    book.commands(post, &["HSET", "ZADD", "PUBLISH"]);
    let steps =
        ["post/HSET", "post/ZADD", "post/PUBLISH"].map(|step| book.series(service, step, SeriesRole::Step, false));
    let publish = book.series(service, "PUBLISH", SeriesRole::Operation, false);
    for number in 0..300 * u64::from(SECONDS) {
        let mut request = chance.request(number * SECOND / 300, 140_000.0, 0.1);
        match chance.uniform() {
            x if x < 0.5 => {
                book.enter(lpush, request);
                if number % 4 == 0 {
                    book.enter(ltrim, Request::served(request.done(), chance.lognormal(70_000.0, 0.3)));
                }
            }
            x if x < 0.7 => {
                let mut since = request.due + request.wait;
                for step in steps {
                    let taken = chance.lognormal(120_000.0, 0.3);
                    book.enter(step, Request::served(since, taken));
                    since += taken;
                }
                request.service = since - request.due - request.wait;
                book.enter(post, request);
            }
            _ => book.enter(publish, request),
        }
    }
}

fn enter_ml(book: &mut Book, chance: &mut Chance) {
    let service = book.service("ml", 4, false);
    let hgetall = book.series(service, "HGETALL", SeriesRole::Operation, true);
    let zrange = book.series(service, "ZRANGE", SeriesRole::Operation, true);
    for client in 0..4 {
        let mut due = client * 5_000_000;
        while due < u64::from(SECONDS) * SECOND {
            let slow = chance.uniform() < 0.2;
            let mut request = chance.request(due, if slow { 2_400_000.0 } else { 300_000.0 }, 0.0);
            request.lag = 0;
            request.end = End::Success { hits: 1, misses: 0 };
            book.enter(if slow { zrange } else { hgetall }, request);
            due = request.done() + 20_000_000;
        }
    }
}

/// Deterministic chance (`SplitMix64`), the same on every platform and with every version of any crate.
struct Chance(u64);

impl Chance {
    /// Uniform in (0, 1].
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        ((bits >> 11) + 1) as f64 / (1_u64 << 53) as f64
    }

    fn lognormal(&mut self, median: f64, sigma: f64) -> Nanos {
        let radius = (-2.0 * self.uniform().ln()).sqrt();
        let normal = radius * (std::f64::consts::TAU * self.uniform()).cos();
        (median * (sigma * normal).exp()) as Nanos
    }

    /// A success with a tail that reaches tens of milliseconds; `waits` is the share that waits for a connection.
    fn request(&mut self, due: Nanos, median: f64, waits: f64) -> Request {
        let slow_second = if due / SECOND == 7 { 2.0 } else { 1.0 };
        let tail = if self.uniform() < 0.003 { 30.0 } else { 1.0 };
        let service = self.lognormal(median * slow_second * tail, 0.35);
        let lag = self.lognormal(1_500.0, 0.5);
        let wait = if self.uniform() < waits { self.lognormal(400_000.0, 0.8) } else { 0 };
        Request { due, lag, wait: wait.max(lag), service, end: End::Success { hits: 0, misses: 0 } }
    }
}

#[cfg(test)]
mod tests {
    use std::{env, fs};

    use super::*;

    #[test]
    fn is_the_run_in_the_fixture() {
        let made = make();
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/run.json");
        if env::var_os("PLIMSOLL_WRITE_FIXTURES").is_some() {
            fs::write(path, made.to_json()).unwrap();
        }
        let read = Run::from_json(&fs::read_to_string(path).unwrap()).expect(WRITE);
        assert!(read == made, "{WRITE}");
    }

    #[test]
    fn its_accounts_balance() {
        let recording = run().recording;
        for service in &recording.services {
            let finished: u64 = recording
                .series
                .iter()
                .filter(|series| series.key.service == service.name && series.key.role == SeriesRole::Operation)
                .map(|series| series.totals().completed + series.totals().failed() + series.unfinished)
                .sum();
            assert_eq!(service.scheduled, finished, "{}", service.name);
        }
    }
}
