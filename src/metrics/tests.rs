//! Tests of the metrics of a run, as text and over HTTP, also with hostile clients.

use std::{
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    sync::{Arc, atomic::AtomicU64, mpsc},
    thread,
    time::{Duration, Instant},
};

use super::{Address, Board, Endpoint, MetricsError, exposition::Format};
use crate::{
    load::{Phase, Progress, Second, ServiceProgress},
    measure::{
        Clock, Completion, ErrorClass, Failure, Outcome, SECOND, Series, SeriesId, SeriesKey, SeriesRole,
        ServiceInterval, Timeframe,
    },
    scenario::{self, Scenario},
};

/// Far longer than anything takes here.
const TIMEOUT: Duration = Duration::from_secs(60);

const SCENARIO: &str = r#"
name = "shop"
objective = { latency = "42ms", percentile = 99.5 }
[[service]]
name = "cart"
pool = { size = 4 }
load = { model = "open", rate = 250.0 }
operation = [{ command = "GET" }]
[[service]]
name = "batch"
load = { model = "closed", clients = 2 }
operation = [{ command = "PING" }]
"#;

fn scenario() -> Scenario {
    scenario::parse(SCENARIO, "shop.toml").unwrap_or_else(|errors| panic!("{errors}"))
}

fn board() -> Board {
    Board::new(&scenario(), "1.2.3")
}

/// A second of the first service: two answered in time, one late, one failed.
fn tell(board: &Board, number: i64) {
    let key = SeriesKey { service: "cart".to_owned(), operation: "GET".to_owned(), role: SeriesRole::Operation };
    let mut series = Series::default();
    for millis in [1, 41, 43] {
        let done = millis * SECOND / 1_000;
        let outcome = Outcome::Success { hits: 3, misses: 1, bytes: 8 };
        series.record(Completion { series: SeriesId(0), due: 0, sent: Some(0), done, outcome, bytes_sent: 0 });
    }
    let failure = Failure { class: ErrorClass::Oom, message: "OOM".to_owned() };
    let outcome = Outcome::Failed(failure);
    series.record(Completion { series: SeriesId(0), due: 0, sent: None, done: 5, outcome, bytes_sent: 0 });
    let mut service = ServiceInterval {
        scheduled: 4,
        waiting_ns: SECOND / 4,
        in_use_ns: 2 * SECOND,
        lost: 2,
        recovered: 1,
        ..ServiceInterval::default()
    };
    service.lag.record(30_000);
    let series = vec![(SeriesId(0), &key, &series)];
    board.second(&Second { second: number, length: SECOND, series, services: &[(0, &service)] });
}

fn render(board: &Board) -> String {
    Format::OpenMetrics.render(board.copy()).unwrap()
}

/// Fails unless these lines are there.
#[track_caller]
fn has(text: &str, lines: &[&str]) {
    for line in lines {
        assert!(text.lines().any(|known| known == *line), "`{line}` is not in:\n{text}");
    }
}

#[test]
fn counters_cover_the_measured_period_and_levels_the_last_second() {
    let board = board();
    tell(&board, -1);
    let labels = r#"{service="cart",operation="GET",role="operation"}"#;
    let buckets = |le: &str, count: u64| {
        format!(r#"plimsoll_response_time_seconds_bucket{{le="{le}",{} {count}"#, labels.trim_start_matches('{'))
    };
    let warming = render(&board);
    let nothing = [
        format!("plimsoll_requests_completed_total{labels} 0"),
        format!("plimsoll_response_time_seconds_count{labels} 0"),
        format!("plimsoll_response_time_seconds_sum{labels} 0.0"),
        r#"plimsoll_requests_scheduled_total{service="cart"} 0"#.to_owned(),
        r#"plimsoll_connections_lost_total{service="cart"} 0"#.to_owned(),
        buckets("+Inf", 0),
        r#"plimsoll_requests_failed_total{service="cart",operation="GET",role="operation",class="timeout"} 0"#
            .to_owned(),
    ];
    has(&warming, &nothing.each_ref().map(String::as_str));
    assert!(!warming.contains("OOM"), "classes of the server are exported from their first failure on");

    tell(&board, 0);
    tell(&board, 1);
    let measured = render(&board);
    let something = [
        format!("plimsoll_requests_completed_total{labels} 6"),
        format!("plimsoll_requests_in_time_total{labels} 4"),
        format!("plimsoll_response_time_seconds_count{labels} 6"),
        format!("plimsoll_connection_wait_seconds_count{labels} 6"),
        format!("plimsoll_service_time_seconds_count{labels} 6"),
        format!("plimsoll_lookup_hits_total{labels} 18"),
        format!("plimsoll_lookup_misses_total{labels} 6"),
        r#"plimsoll_requests_failed_total{service="cart",operation="GET",role="operation",class="OOM"} 2"#.to_owned(),
        r#"plimsoll_requests_scheduled_total{service="cart"} 8"#.to_owned(),
        r#"plimsoll_connections_lost_total{service="cart"} 4"#.to_owned(),
        r#"plimsoll_connections_recovered_total{service="cart"} 2"#.to_owned(),
        r#"plimsoll_pool_connections_in_use{service="cart"} 2.0"#.to_owned(),
        r#"plimsoll_pool_requests_waiting{service="cart"} 0.25"#.to_owned(),
        r#"plimsoll_schedule_lag_seconds_bucket{le="0.00003",service="cart"} 0"#.to_owned(),
        r#"plimsoll_schedule_lag_seconds_bucket{le="0.00005",service="cart"} 2"#.to_owned(),
        buckets("0.0007", 0),
        buckets("0.0015", 2),
        buckets("0.03", 2),
        buckets("0.042", 4),
        buckets("0.05", 6),
        buckets("+Inf", 6),
    ];
    has(&measured, &something.each_ref().map(String::as_str));
    let sum = format!("plimsoll_response_time_seconds_sum{labels} ");
    let sum: f64 = measured.lines().find_map(|line| line.strip_prefix(&sum)).unwrap().parse().unwrap();
    assert!((sum - 0.170).abs() < 0.000_2, "{sum} s: three digits of 2 x (1 + 41 + 43) ms");
}

#[test]
fn the_run_goes_through_its_phases_and_ends_with_a_verdict() {
    let board = board();
    let phase = |board: &Board| {
        let text = render(board);
        let mut on =
            text.lines().filter_map(|line| line.strip_prefix("plimsoll_phase{phase=\"")?.strip_suffix("\"} 1.0"));
        let phase = on.next().unwrap().to_owned();
        assert_eq!(on.next(), None);
        phase
    };
    assert_eq!(phase(&board), "preparing");
    has(
        &render(&board),
        &[
            "plimsoll_measured_period_begun 0.0",
            "plimsoll_objective_latency_seconds 0.042",
            "plimsoll_objective_percentile_ratio 0.995",
            r#"plimsoll_offered_requests_per_second{service="cart"} 250.0"#,
            r#"plimsoll_pool_connections{service="cart"} 4.0"#,
            r#"plimsoll_pool_connections_open{service="cart"} 0.0"#,
        ],
    );
    assert!(!render(&board).contains(r#"per_second{service="batch"}"#), "a closed loop offers no rate");
    assert!(!render(&board).contains("plimsoll_run_info"));
    board.server("redis", "7.0.15");
    let info = r#"plimsoll_run_info{version="1.2.3",scenario="shop",server="redis",server_version="7.0.15"} 1"#;
    has(&render(&board), &[info]);

    let of = |connections| ServiceProgress { connections, ..ServiceProgress::default() };
    let progress = Progress { phase: Phase::Connecting, elapsed: TIMEOUT, of: None, services: vec![of(4), of(1)] };
    board.progress(&progress);
    assert_eq!(phase(&board), "connecting");
    tell(&board, -1);
    has(&render(&board), &[r#"plimsoll_pool_connections_open{service="cart"} 3.0"#]);

    let frame = |start, end| Timeframe::new(Clock::start(), start, Arc::new(AtomicU64::new(end)));
    board.begin(frame(3_600 * SECOND, 7_200 * SECOND));
    assert_eq!(phase(&board), "warm-up");
    has(&render(&board), &["plimsoll_measured_period_begun 0.0"]);
    board.begin(frame(0, 3_600 * SECOND));
    assert_eq!(phase(&board), "measuring");
    has(&render(&board), &["plimsoll_measured_period_begun 1.0"]);
    board.begin(frame(0, 0));
    assert_eq!(phase(&board), "draining");
    board.end();
    assert_eq!(phase(&board), "done");
    assert!(!render(&board).contains("verdict") && !board.is_concluded());
    board.conclude(vec![("pass".to_owned(), false), ("fail".to_owned(), true)]);
    has(&render(&board), &[r#"plimsoll_verdict{outcome="pass"} 0.0"#, r#"plimsoll_verdict{outcome="fail"} 1.0"#]);
    has(&render(&board), &[r#"plimsoll_pool_connections_open{service="cart"} 0.0"#]);
    assert!(render(&board).ends_with("# EOF\n"));
}

#[test]
fn the_older_format_is_for_those_who_ask_for_nothing_else() {
    // As Prometheus 2.42 asks.
    let prometheus = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
                      text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
    for accept in ["", "*/*", prometheus, "text/html, */*;q=0.1"] {
        assert_eq!(Format::accepted(accept), Format::OpenMetrics, "{accept}");
    }
    assert_eq!(Format::accepted("text/plain; version=0.0.4, */*;q=0.1"), Format::Plain);
    let text = Format::Plain.render(board().copy()).unwrap();
    has(&text, &["# TYPE plimsoll_requests_scheduled_total counter", "plimsoll_objective_latency_seconds 0.042"]);
}

/// Serves a board of its own.
fn open() -> (Board, Endpoint, SocketAddr) {
    let board = board();
    let endpoint = Endpoint::open("0".parse().unwrap(), board.clone()).unwrap();
    let url = endpoint.url();
    let address = url.strip_prefix("http://").unwrap().strip_suffix("/metrics").unwrap().parse().unwrap();
    (board, endpoint, address)
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(TIMEOUT)).unwrap();
    stream
}

/// The whole answer.
fn ask(address: SocketAddr, method: &str, path: &str) -> String {
    let mut stream = connect(address);
    write!(stream, "{method} {path} HTTP/1.1\r\nHost: here\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn scrape(address: SocketAddr) -> String {
    let answer = ask(address, "GET", "/metrics");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert!(body.ends_with("# EOF\n"), "{body}");
    body.to_owned()
}

/// Does something that must come to an end.
fn in_time<T: Send + 'static>(what: &str, work: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, result) = mpsc::channel();
    thread::spawn(move || done.send(work()));
    result.recv_timeout(TIMEOUT).unwrap_or_else(|_| panic!("{what} hangs"))
}

#[test]
fn answers_what_it_serves_and_refuses_the_rest() {
    let (_board, endpoint, address) = open();
    assert!(address.ip().is_loopback());
    let metrics = ask(address, "GET", "/metrics");
    let kind = "\r\ncontent-type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n";
    assert!(metrics.contains(kind), "{metrics}");
    let page = ask(address, "GET", "/");
    assert!(page.starts_with("HTTP/1.1 200 ") && page.contains("href=\"/metrics\""), "{page}");
    for path in ["/metric", "/metrics/", "/favicon.ico"] {
        assert!(ask(address, "GET", path).starts_with("HTTP/1.1 404 "), "{path}");
    }
    let refusal = ask(address, "POST", "/metrics");
    assert!(refusal.starts_with("HTTP/1.1 405 ") && refusal.contains("\r\nallow: GET, HEAD\r\n"), "{refusal}");
    assert!(ask(address, "NOTHING SENSIBLE", "\u{1}").starts_with("HTTP/1.1 400 "));
    in_time("ending", move || drop(endpoint));
    assert!(TcpStream::connect(address).is_err(), "the port is closed");
}

#[test]
fn the_head_has_the_length_and_no_body_and_is_no_scrape() {
    let (_board, endpoint, address) = open();
    let head = ask(address, "HEAD", "/metrics");
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.ends_with("\r\n\r\n"), "{head}");
    let length = |answer: &str| {
        let length = answer.lines().find_map(|line| line.strip_prefix("content-length: "))?;
        length.parse::<usize>().ok()
    };
    assert!(!endpoint.is_watched());
    let whole = ask(address, "GET", "/metrics");
    let (_, body) = whole.split_once("\r\n\r\n").unwrap();
    assert_eq!(length(&head), Some(body.len()));
}

#[test]
fn silent_and_broken_clients_keep_nobody_waiting() {
    let (board, endpoint, address) = open();
    tell(&board, 0);
    // More than are served at a time.
    let silent: Vec<_> = (0..150).map(|_| connect(address)).collect();
    let mut halves: Vec<_> = (0..10).map(|_| connect(address)).collect();
    for half in &mut halves {
        half.write_all(b"GET /metrics HTTP/1.1\r\nHo").unwrap();
    }
    assert!(scrape(address).contains("plimsoll_requests_completed_total"));
    for mut half in halves {
        // Gone in the middle of the request, or with the answer on its way.
        half.write_all(b"st: here\r\n\r\n").and_then(|()| half.shutdown(Shutdown::Both)).unwrap_or_default();
    }
    let scrapes: Vec<_> = (0..40).map(|_| thread::spawn(move || scrape(address))).collect();
    let first = scrape(address);
    for scrape in scrapes {
        assert_eq!(scrape.join().unwrap(), first);
    }
    in_time("ending", move || drop(endpoint));
    drop(silent);
}

#[test]
fn whoever_watched_gets_the_verdict() {
    let (board, endpoint, address) = open();
    assert!(!endpoint.is_watched());
    scrape(address);
    let wait_for_final_scrape = |endpoint: &Endpoint| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(endpoint.wait_for_final_scrape());
    };
    until(|| endpoint.is_watched());
    board.conclude(vec![("pass".to_owned(), true)]);
    let waiting = thread::spawn(move || {
        wait_for_final_scrape(&endpoint);
        endpoint
    });
    assert!(scrape(address).contains("plimsoll_verdict{outcome=\"pass\"} 1.0"));
    let endpoint = in_time("the wait_for_final_scrape", move || waiting.join().unwrap());
    assert!(!endpoint.is_watched(), "the verdict is known");
    in_time("a second wait_for_final_scrape", move || wait_for_final_scrape(&endpoint));
}

/// Waits for something that has to happen: the answer is read before the endpoint knows that it went out.
fn until(mut happened: impl FnMut() -> bool) {
    let began = Instant::now();
    while !happened() {
        assert!(began.elapsed() < TIMEOUT, "it never happened");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_port_that_is_taken_is_an_error_at_once() {
    let (_board, _endpoint, address) = open();
    let error = Endpoint::open(Address::new(address), board()).unwrap_err();
    assert!(matches!(error, MetricsError::Listen { .. }), "{error:?}");
    assert!(error.to_string().contains(&address.to_string()), "{error}");
}
