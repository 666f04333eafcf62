//! What services depend on, watched while the program runs.

use std::{
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
};

use super::{Desk, SHORT};

/// An HTTP server that answers 200 for a number of requests, then 503.
struct Health {
    port: u16,
    over: Arc<AtomicBool>,
    served: Arc<AtomicUsize>,
    thread: Option<JoinHandle<()>>,
}

impl Health {
    fn start(well: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (over, served) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let (ending, serving) = (Arc::clone(&over), Arc::clone(&served));
        let serve = move || {
            for stream in listener.incoming() {
                if ending.load(Ordering::Relaxed) {
                    return;
                }
                let number = serving.fetch_add(1, Ordering::Relaxed);
                answer(stream.unwrap(), if number < well { "200 OK" } else { "503 Service Unavailable" });
            }
        };
        Self { port, over, served, thread: Some(thread::spawn(serve)) }
    }
}

impl Drop for Health {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        drop(TcpStream::connect(("127.0.0.1", self.port)));
        self.thread.take().unwrap().join().unwrap();
    }
}

fn answer(mut stream: TcpStream, status: &str) {
    let mut asked = Vec::new();
    while !asked.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if stream.read(&mut byte).unwrap_or(0) == 0 {
            return;
        }
        asked.push(byte[0]);
    }
    assert!(asked.starts_with(b"GET /health HTTP/1.1\r\n"), "{}", String::from_utf8_lossy(&asked));
    write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok").unwrap();
}

#[test]
fn dependencies_are_reported_with_the_run() {
    let desk = Desk::new();
    let health = Health::start(2);
    let database = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let dependencies = format!(
        r#"
[[dependency]]
name = "database"
address = "tcp://{}"

[[dependency]]
name = "health"
address = "http://127.0.0.1:{}/health"
status = 200

[[dependency]]
name = "silent"
address = "http://{}/"

[[dependency]]
name = "closed"
address = "tcp://{closed}"
"#,
        database.local_addr().unwrap(),
        health.port,
        silent.local_addr().unwrap(),
    );
    fs::write(desk.path("short.toml"), format!("{SHORT}{dependencies}")).unwrap();
    let run = desk.run(&["run", "short.toml", "--out", "out", "--duration", "3s", "--warmup", "1s", "--verbose"]);
    assert!([0, 1, 3, 4].map(Some).contains(&run.code), "{}\n{}", run.stdout, run.stderr);
    let warnings: Vec<_> = run.stderr.lines().collect();
    assert_eq!(
        warnings,
        [
            format!(
                "warning: dependency silent at http://{}/ does not answer: no answer within 2 s",
                silent.local_addr().unwrap()
            ),
            format!("warning: dependency closed at tcp://{closed} does not answer: connection refused"),
        ]
    );
    run.says("Dependencies").says("The dependency closed failed all of ");
    // Not broken into lines.
    let report = fs::read_to_string(desk.path("out/report.md")).unwrap();
    assert!(report.contains("and after the run: answered with status 503, not 200"), "{report}");

    let table = fs::read_to_string(desk.path("out/dependencies.csv")).unwrap();
    let rows = |name: &str, phase: &str| -> Vec<Vec<String>> {
        let rows = table.lines().map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
        rows.filter(|row| row[0] == name && row[2] == phase).collect()
    };
    for name in ["database", "health", "silent", "closed"] {
        assert_eq!((rows(name, "before").len(), rows(name, "after").len()), (1, 1), "{table}");
        let during = rows(name, "during");
        let most = if name == "silent" { 2 } else { 4 };
        assert!((1..=most).contains(&during.len()), "never two at once, and at most one a second: {table}");
        // Nothing belongs to the warm-up or to one of the three seconds twice.
        let mut seconds: Vec<_> = during.iter().map(|row| row[3].clone()).collect();
        seconds.dedup();
        assert_eq!(seconds.len(), during.len(), "{table}");
    }
    assert!(table.lines().filter(|line| line.starts_with("database,")).all(|line| line.ends_with(',')), "{table}");
    assert_eq!(health.served.load(Ordering::Relaxed), 2 + rows("health", "during").len(), "each probe asks once");
    assert_eq!(rows("health", "before")[0][5], "");
    assert!(rows("health", "after")[0][5].contains("503"), "{table}");

    let summary: serde_json::Value =
        serde_json::from_str(&desk.run(&["report", "out", "--format", "json"]).stdout).unwrap();
    let reported = |at: usize, field: &str| summary["dependencies"][at][field].clone();
    assert_eq!((reported(0, "name"), reported(0, "failures")), ("database".into(), 0.into()));
    assert_eq!(
        (reported(3, "probes"), reported(3, "latency_mean_us")),
        (reported(3, "failures"), serde_json::Value::Null)
    );
}

#[test]
fn the_keyspace_is_looked_at_unless_it_is_forbidden() {
    let desk = Desk::new();
    desk.run(&["run", "short.toml", "--out", "out"]).measured();
    let table = fs::read_to_string(desk.path("out/keyspace.csv")).unwrap();
    // Before the keys are removed.
    assert!(table.contains("\n0,shop:str,string,true,100,100,100,"), "{table}");
    assert!(fs::read_to_string(desk.path("out/report.md")).unwrap().contains("Memory by type and prefix"));
    desk.run(&["run", "short.toml", "--out", "without", "--no-keyspace-sampling"]).measured();
    assert_eq!(fs::read_to_string(desk.path("without/keyspace.csv")).unwrap().lines().count(), 1);
}
