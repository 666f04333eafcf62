//! A run that is watched: by a real Prometheus, with the queries of the dashboard, and by nobody.

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead, BufReader, Read},
    net::{SocketAddr, TcpListener},
    path::Path,
    process::Child,
    time::{SystemTime, UNIX_EPOCH},
};

use rustix::process::Signal;
use serde_json::Value;

use super::{
    Desk, Outcome,
    prometheus::{Prometheus, body, get, promtool},
};
use crate::support::{signal, until};

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// A run with its metrics.
struct Watched {
    child: Child,
    stderr: BufReader<std::process::ChildStderr>,
    address: SocketAddr,
}

impl Watched {
    /// With its metrics at some port, 0 for any that is free.
    fn start(desk: &Desk, port: u16, arguments: &[&str]) -> Self {
        let mut child = desk.start(&[&["run", "short.toml", "--metrics", &port.to_string()], arguments].concat());
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        stderr.read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("metrics are at http://").and_then(|rest| rest.strip_suffix("/metrics"));
        let address = address.unwrap_or_else(|| panic!("{line}")).parse().unwrap();
        Self { child, stderr, address }
    }

    /// Waits for the program to end.
    fn finish(mut self) -> Outcome {
        let mut outcome = Outcome::of(self.child.wait_with_output().unwrap());
        self.stderr.read_to_string(&mut outcome.stderr).unwrap();
        outcome
    }

    fn scrape(&self) -> String {
        let answer = get(self.address, "/metrics", "*/*");
        assert!(answer.contains(&format!("\r\ncontent-type: {OPEN_METRICS}\r\n")), "{answer}");
        assert!(answer.ends_with("\n# EOF\n"), "{answer}");
        body(&answer).to_owned()
    }

    /// Scrapes until the run has come that far.
    fn scrape_until(&self, line: &str) -> String {
        let mut scraped = String::new();
        until(line, || {
            scraped = self.scrape();
            scraped.lines().any(|known| known == line)
        });
        scraped
    }
}

#[test]
fn prometheus_sees_what_the_report_says_and_has_data_for_every_panel() {
    let desk = Desk::new();
    // Prometheus is there first. It takes some five seconds from its start to its first scrape, and more on a busy machine; a run
    // that begins together with it may be over by then, and where there are no two scrapes there is no rate.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let prometheus = Prometheus::watch(address);
    until("Prometheus tries to scrape", || !prometheus.query("up").is_empty());
    let from = now();
    let run = Watched::start(&desk, address.port(), &["--duration", "6s", "--out", "out", "--format", "json"]);
    assert_eq!(run.address, address);
    run.scrape_until(r#"plimsoll_phase{phase="measuring"} 1.0"#);
    let plain = get(run.address, "/metrics", "text/plain");
    assert!(plain.contains("\r\ncontent-type: text/plain; version=0.0.4; charset=utf-8\r\n"), "{plain}");
    promtool(body(&plain));
    // From here on only Prometheus scrapes, so the verdict is fetched by it.
    let outcome = run.finish().measured();

    let summary: Value = serde_json::from_str(&outcome.stdout).unwrap();
    let mut verdict = Vec::new();
    // What it has fetched it may not have stored yet.
    until("Prometheus knows the verdict", || {
        verdict = prometheus.query("last_over_time(plimsoll_verdict[10m]) == 1");
        !verdict.is_empty()
    });
    let [verdict] = verdict.as_slice() else { panic!("{verdict:?}") };
    assert_eq!(verdict["metric"]["outcome"], summary["verdict"]);
    let saved: Value = serde_json::from_str(&fs::read_to_string(desk.path("out/run.json")).unwrap()).unwrap();
    let completed: u64 = saved["recording"]["series"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|series| series["seconds"].as_array().unwrap())
        .map(|second| second["counts"]["completed"].as_u64().unwrap())
        .sum();
    assert!(completed > 1_000, "{completed}");
    for counter in ["requests_completed_total", "response_time_seconds_count"] {
        let seen = prometheus.number(&format!("sum(last_over_time(plimsoll_{counter}[10m]))"));
        assert!((seen - completed as f64).abs() < 0.5, "{counter}: {seen} of {completed}");
    }
    let scheduled = saved["recording"]["services"][0]["scheduled"].as_f64().unwrap();
    let seen = prometheus.number("last_over_time(plimsoll_requests_scheduled_total[10m])");
    assert!((seen - scheduled).abs() < 0.5, "{seen} of {scheduled}");
    // The scenario's objective is 1 s. Prometheus' own format would say "1": this is OpenMetrics.
    let in_time = prometheus.number(r#"sum(last_over_time(plimsoll_response_time_seconds_bucket{le="1.0"}[10m]))"#);
    let counted = prometheus.number("sum(last_over_time(plimsoll_requests_in_time_total[10m]))");
    assert!((in_time - counted).abs() < 0.5, "{in_time} in the bucket, {counted} counted");

    let served: BTreeSet<String> = prometheus.names().into_iter().collect();
    for query in dashboard() {
        for name in names(&query) {
            assert!(served.contains(&name), "{name}, of the query {query}, is not served: {served:?}");
        }
        let filled =
            ["$service", "$operation"].iter().fold(query.clone(), |query, variable| query.replace(variable, ".*"));
        let filled = filled.replace("$__rate_interval", "5s").replace("$__range", "10m");
        assert!(!filled.contains('$'), "{filled}");
        // Data is gone from the present once the run is. A quantile of nothing is not a number.
        let result = prometheus.query_range(&filled, from, now() + 2.0);
        assert!(values(&result).any(f64::is_finite), "no data for {filled}: {result:?}");
    }
}

#[test]
fn who_interrupts_the_wait_for_the_last_scrape_gets_the_result() {
    let desk = Desk::new();
    let run = Watched::start(&desk, 0, &["--out", "out"]);
    run.scrape_until(r#"plimsoll_phase{phase="measuring"} 1.0"#);
    // Nobody scrapes any more. The report is printed before the wait.
    until("the report is written", || desk.path("out/report.html").exists());
    signal(&run.child, Signal::INT);
    let outcome = run.finish();
    assert!([0, 1, 3, 4].map(Some).contains(&outcome.code), "the verdict stays: {outcome:?}");
    // Said by a program that was still there.
    assert!(outcome.stderr.contains("interrupted: ending now"), "{outcome:?}");
    assert!(outcome.stdout.contains("out/report.html"), "{outcome:?}");
}

#[test]
fn a_port_that_cannot_be_had_is_an_error_before_anything_begins() {
    let desk = Desk::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let address = format!("127.0.0.1:{port}");
    desk.run(&["run", "short.toml", "--metrics", &port]).ends_with(2).complains(&address).complains("another");
    for nonsense in ["metrics", "70000", "db.example:9464", ""] {
        desk.run(&["run", "short.toml", "--metrics", nonsense]).ends_with(2).complains("127.0.0.1:9464");
    }
    assert_eq!(desk.names(), [""; 0], "no folder was made");
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64()
}

/// All values of all series of a result over time.
fn values(result: &[Value]) -> impl Iterator<Item = f64> {
    let moments = result.iter().flat_map(|series| series["values"].as_array().unwrap());
    moments.map(|moment| moment[1].as_str().unwrap().parse().unwrap())
}

/// Every query of the dashboard, those of its variables included; fails where a panel has none.
fn dashboard() -> Vec<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/grafana/plimsoll.json");
    let dashboard: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    assert!(panels.len() > 10, "{}", panels.len());
    let mut queries = Vec::new();
    for panel in panels {
        let targets = panel["targets"].as_array().unwrap();
        assert!(!targets.is_empty(), "{}", panel["title"]);
        for target in targets {
            assert_eq!(target["datasource"]["uid"], "${datasource}", "{}", panel["title"]);
            let query = target["expr"].as_str().unwrap();
            assert!(!names(query).is_empty(), "{query}");
            queries.push(query.to_owned());
        }
    }
    for variable in dashboard["templating"]["list"].as_array().unwrap() {
        if let Some(query) = variable["definition"].as_str() {
            // label_values(SELECTOR, LABEL)
            let inner = query.strip_prefix("label_values(").and_then(|rest| rest.strip_suffix(')')).unwrap();
            queries.push(inner.rsplit_once(',').unwrap().0.to_owned());
        }
    }
    assert!(queries.len() > panels.len());
    queries
}

/// Names of metrics in a query.
fn names(query: &str) -> Vec<String> {
    let words = query.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    words.filter(|word| word.starts_with("plimsoll_")).map(str::to_owned).collect()
}
